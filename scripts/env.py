#!/usr/bin/env python3
"""Run a command in the project's own environment, installing first what it needs and is missing.

    python3 scripts/env.py detente run pyeongchang-2018
    python3 scripts/env.py pytest
    python3 scripts/env.py --with report detente report pyeongchang-2018 -o page.html
    python3 scripts/env.py --with ensemble,report

Needs Python 3.11 or later with pip, nothing else. The environment is the folder `.venv`. It grows
with what is asked for: `detente` needs the project alone, `pytest` what tests use as well; `--with`
adds extras and groups of `pyproject.toml`. What has changed there is installed again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMPS = VENV / "installed"
"""A file for each set that is in the environment, with a digest of what it asks for."""

CORE = "core"
"""The project itself and its dependencies; the other sets are extras and groups."""

NEEDS = {
    "pytest": (CORE, "test"),
    "ruff": ("lint",),
    "mypy": (CORE, "types"),
}
"""The sets that a command needs, by its first word; any other needs the core."""

FULL = ("oracles", "browser")
"""What pytest needs besides where nothing may be skipped: with --full, and in CI."""

SECONDS = {CORE: 20, "test": 30, "types": 30, "lint": 5}
"""About how long a set takes where it has to be fetched; any other takes `OTHER`."""
OTHER = 15


# ---- what is asked for


def sets(words: list[str], extra: Iterable[str]) -> tuple[str, ...]:
    """The names of the sets that a command needs, with those that are asked for by name."""
    first = words[0] if words else ""
    needed = [*NEEDS.get(first, (CORE,)), *extra]
    if first == "pytest" and ("--full" in words or os.environ.get("CI") == "true"):
        needed += FULL
    return tuple(dict.fromkeys(needed))


def project() -> dict[str, Any]:
    """What `pyproject.toml` says."""
    import tomllib  # not in the Pythons that `main` sends away

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def named_sets(settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The extras and groups, by name."""
    extras: dict[str, list[Any]] = settings["project"].get("optional-dependencies", {})
    return {**settings.get("dependency-groups", {}), **extras}


def requirements(name: str, settings: Mapping[str, Any]) -> list[str]:
    """What a set asks pip for: an older pip knows no groups, so they are written out."""
    if name == CORE:
        return ["--editable", str(ROOT)]
    found: list[str] = []
    own = re.compile(re.escape(settings["project"]["name"]) + r"\[([\w, -]+)\]")
    for line in named_sets(settings)[name]:
        if isinstance(line, dict):
            found += requirements(line["include-group"], settings)
        elif extras := own.fullmatch(line):
            for extra in extras[1].split(","):
                found += requirements(extra.strip(), settings)
        else:
            found.append(line)
    return list(dict.fromkeys(found))


def digest(name: str, settings: Mapping[str, Any]) -> str:
    """Of what the set depends on, and no more: other lines of the file may change."""
    told: list[Any] = [requirements(name, settings)]
    if name == CORE:
        metadata = {**settings["project"], "optional-dependencies": None}
        told += [metadata, settings["build-system"], settings.get("tool", {}).get("hatch")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


# ---- what is there


def foundation() -> str:
    """What the whole environment rests on: another Python, or another place, makes it anew."""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {VENV}"


def stamp(name: str) -> str:
    """What is noted for a set; '' where nothing is."""
    file = STAMPS / name
    return file.read_text(encoding="utf-8") if file.exists() else ""


def missing(needed: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """The sets that are not there as they should be; all where the environment is not."""
    if stamp("environment") != foundation() or not PYTHON.exists():
        return list(needed)
    return [name for name in needed if stamp(name) != digest(name, settings)]


@contextmanager
def alone() -> Iterator[None]:
    """Two of these at once would spoil the environment: the second waits for the first.

    The checkout's folder itself is locked, so that no file is left behind; the lock goes with the
    process. Windows has no such lock: there nobody waits.
    """
    if os.name == "nt":
        yield
        return
    import fcntl

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def prepare(words: list[str], extra: Iterable[str] = ()) -> None:
    """Install the sets that the command needs and that are missing."""
    settings = project()
    needed = sets(words, extra)
    unknown = [name for name in needed if name != CORE and name not in named_sets(settings)]
    if unknown:
        there = ", ".join(sorted(named_sets(settings)))
        sys.exit(f"error: nothing is called {', '.join(unknown)}; --with takes: {there}")
    if missing(needed, settings):
        with alone():
            install(missing(needed, settings), settings)


def install(names: list[str], settings: Mapping[str, Any]) -> None:
    """Install sets. A set is noted when it is complete, and not noted before."""
    if not names:
        return  # somebody else has done it meanwhile
    seconds = sum(SECONDS.get(name, OTHER) for name in names)
    told = f"Installing {', '.join(names)} into .venv (once; about {seconds} s) ..."
    print(told, file=sys.stderr, flush=True)
    if stamp("environment") != foundation() or not PYTHON.exists():
        # Without pip of its own: the caller's pip installs into it, so that Pythons which come
        # without ensurepip (Debian's) work too.
        venv.create(VENV, with_pip=False, clear=True, symlinks=os.name != "nt")
        STAMPS.mkdir()
        note("environment", foundation())
    for name in names:
        (STAMPS / name).unlink(missing_ok=True)
    # What is there already is told again, so that pip finds versions that suit all.
    there = [file.name for file in STAMPS.iterdir() if file.name in (CORE, *named_sets(settings))]
    kept = [name for name in there if name != CORE and name not in names]
    asked = [word for name in (*names, *kept) for word in requirements(name, settings)]
    command = [*pip(), "--python", str(PYTHON), "install", "--quiet"]
    # Modules are compiled when they are first imported: all at once takes longer than the rest.
    command += ["--disable-pip-version-check", "--no-compile", *asked]
    try:
        # stdout is the command's own (it may be read by a program): pip talks to stderr.
        done = subprocess.run(command, stdout=sys.stderr, check=False)
    except KeyboardInterrupt:
        sys.exit(130)
    if done.returncode != 0:
        sys.exit("error: the environment could not be made; pip's message is above")
    for name in names:
        note(name, digest(name, settings))


def note(name: str, what: str) -> None:
    """Write a stamp, whole or not at all."""
    fresh = STAMPS / f".{name}"
    fresh.write_text(what, encoding="utf-8")
    fresh.replace(STAMPS / name)


def pip() -> list[str]:
    """The pip of this Python; in an environment without one, that of the Python behind it."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if sys.prefix != sys.base_prefix:
        return [str(getattr(sys, "_base_executable", sys.executable)), "-m", "pip"]
    sys.exit("error: this Python has no pip; on Debian, `apt install python3-pip` brings it")


def surroundings(given: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a command that runs in the environment.

    Where nothing may be written beside sources, as in many containers, what Python compiles is
    kept in the environment: all of it would otherwise be compiled anew at every start.
    """
    path = os.pathsep.join([str(BIN), given.get("PATH", "")])
    found = {**given, "PATH": path, "VIRTUAL_ENV": str(VENV)}
    if found.pop("PYTHONDONTWRITEBYTECODE", ""):
        found.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "pycache"))
    return found


# ---- the command line


def main() -> int:
    """Prepare the environment and run the command line's words in it."""
    if sys.version_info < (3, 11):
        sys.exit(f"error: Python 3.11 or later is needed; this is {sys.version.split()[0]}")
    words, extra = sys.argv[1:], []
    while words and (words[0] == "--with" or words[0].startswith("--with=")):
        option, _, value = words.pop(0).partition("=")
        if not value and not words:
            sys.exit(f"error: {option} what? For example: {option} report")
        extra += [name.strip() for name in (value or words.pop(0)).split(",") if name.strip()]
    if not words and not extra:
        sys.exit(__doc__)
    prepare(words, extra)
    if not words:
        return 0
    environment = surroundings(os.environ)
    program = BIN / (words[0] + (".exe" if os.name == "nt" else ""))
    command = str(program) if program.exists() else words[0]
    try:
        return subprocess.run([command, *words[1:]], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
