"""How to get what is missing: from a checkout, from where a copy was installed, or by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from detente.extras import how_to_install, line

NAMES = ["jinja2", "matplotlib"]
BY_NAME = "python3 -m pip install jinja2 matplotlib"


def test_a_checkout_has_a_script() -> None:
    """This is one: the tests lie beside it."""
    assert how_to_install("report", NAMES) == "python3 scripts/env.py --with report"


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        ({"url": "https://example.org/copy", "archive_info": {}}, ""),
        (
            {
                "url": "https://example.org/detente.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "v1"},
            },
            "git+https://example.org/detente.git@v1",
        ),
        (
            {
                "url": "ssh://git@example.org/all",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "subdirectory": "python",
            },
            "git+ssh://git@example.org/all@abc#subdirectory=python",
        ),
    ],
)
def test_an_installed_copy_knows_its_source(
    direct_url: dict[str, object], source: str, tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "detente"
    told = line("report", NAMES, package, json.dumps(direct_url))
    assert told == f"python3 -m pip install 'detente[report] @ {source or direct_url['url']}'"


def test_a_copy_of_a_folder(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "detente"
    folder = tmp_path / "the source"
    direct_url = json.dumps({"url": folder.as_uri(), "dir_info": {}})
    assert line("report", NAMES, package, direct_url) == BY_NAME  # there is no such folder
    folder.mkdir()
    told = line("ensemble", NAMES, package, direct_url)
    assert told == f"python3 -m pip install 'detente[ensemble] @ {folder.as_uri()}'"


def test_a_copy_from_nowhere_names_the_packages(tmp_path: Path) -> None:
    assert line("report", NAMES, tmp_path / "lib" / "detente", None) == BY_NAME


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("threshold", "scipy", "analysis"), ("open_ensemble", "duckdb", "ensemble")],
)
def test_in_python_the_error_says_it(name: str, module: str, extra: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import detente; detente.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    error, note = done.stderr.splitlines()[-2:]
    assert module in error
    assert note == f"to install it: python3 scripts/env.py --with {extra}"
