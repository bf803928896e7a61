"""The scenarios that come with the package."""

from __future__ import annotations

from importlib import resources


def names() -> list[str]:
    """The names of the library's scenarios, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name[: -len(".yaml")] for file in files if file.name.endswith(".yaml"))


def read_text(name: str) -> str:
    """The text of a scenario of the library. Raises `KeyError` for a name that is not there."""
    if name not in names():
        raise KeyError(name)
    return (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")


def record_names() -> list[str]:
    """The names of the library's records of moves, in alphabetical order."""
    files = (resources.files(__name__) / "records").iterdir()
    return sorted(file.name[: -len(".csv")] for file in files if file.name.endswith(".csv"))


def record_text(name: str) -> str:
    """The text of a record of the library. Raises `KeyError` for a name that is not there."""
    if name not in record_names():
        raise KeyError(name)
    return (resources.files(__name__) / "records" / f"{name}.csv").read_text(encoding="utf-8")


def starter() -> str:
    """The text of a commented scenario to begin from."""
    return (resources.files(__name__) / "templates" / "starter.yaml").read_text(encoding="utf-8")
