"""Processes of this package that another one starts.

They are plain processes with a command of their own, not those of `multiprocessing`: a notebook, or
a script whose main module has no guard, can start them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Where this package is found, also if only this process knows."""


def command(module: str) -> tuple[str, ...]:
    """What runs a module. None is taken from the folder that it happens to be in."""
    return sys.executable, "-P", "-m", module


def environment(**more: str) -> dict[str, str]:
    """The variables of this process, and more, with which another one finds the same package."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **more, "PYTHONPATH": os.pathsep.join(paths)}
