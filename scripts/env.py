#!/usr/bin/env python3
"""Run a command in the project's own environment, making it first where it is missing.

    python3 scripts/env.py detente run pyeongchang-2018
    python3 scripts/env.py pytest

Needs Python 3.11 or later with pip, nothing else. The environment is the folder `.venv`;
it is made anew when `pyproject.toml` changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed-for"


def prepare() -> None:
    """Make `.venv` with the project and all its development tools in it, unless it is there."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print("Making the environment .venv (once; a minute or two) ...", file=sys.stderr, flush=True)
    # Without pip of its own: the caller's pip installs into it, so that Pythons which come
    # without ensurepip (Debian's) work too.
    venv.create(VENV, with_pip=False)
    install = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet"]
    install += ["--disable-pip-version-check", "--editable", f"{ROOT}[dev]"]
    # stdout is the command's own (it may be read by a program): pip talks to stderr.
    if subprocess.run(install, stdout=sys.stderr, check=False).returncode != 0:
        sys.exit("error: the environment could not be made; pip's message is above")
    STAMP.write_text(wanted)


def main() -> int:
    """Prepare the environment and run the command line's words in it."""
    if sys.version_info < (3, 11):
        sys.exit(f"error: Python 3.11 or later is needed; this is {sys.version.split()[0]}")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    prepare()
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)}
    program = BIN / (sys.argv[1] + (".exe" if os.name == "nt" else ""))
    command = str(program) if program.exists() else sys.argv[1]
    try:
        return subprocess.run([command, *sys.argv[2:]], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
