"""Shared by all tests: how many are run, in how many processes, and what must be there for them.

Without `--full`, tests that are marked `slow` are left out and properties are tried on fewer
examples (`tests/effort.py`). Tests are shared out between processes, each with one thread: results
do not depend on their number, and more threads than cores are slower.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from hypothesis import settings

from tests import effort

# The same examples in every run; no deadline, because machines differ.
settings.register_profile("full", derandomize=True, deadline=None)
settings.register_profile("quick", derandomize=True, deadline=None, max_examples=20)

ONE_THREAD = tuple(f"{name}_NUM_THREADS" for name in ("NUMBA", "OMP", "OPENBLAS", "MKL"))

BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")


def bring(module: str, group: str) -> str:
    """What to do where a module is missing; '' where it is there."""
    if find_spec(module) is not None:
        return ""
    return f"no {module}: `python3 scripts/env.py --with {group} pytest` brings it"


ABSENT = {
    "gambit": bring("pygambit", "oracles"),
    "nashpy": bring("nashpy", "oracles"),
    "prim": bring("prim", "oracles"),
    "salib": bring("SALib", "oracles"),
    "browser": bring("selenium", "browser")
    or ("" if BROWSER and DRIVER else "no Chromium with its driver (see CONTRIBUTING.md)"),
}
"""By mark: what its tests need and is missing here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="slow tests too, all examples of properties, and nothing that tests need may be "
        "missing: what CI runs",
    )


def pytest_configure(config: pytest.Config) -> None:
    effort.FULL = config.getoption("full")
    effort.STRICT = effort.FULL or os.environ.get("CI") == "true"
    settings.load_profile("full" if effort.FULL else "quick")
    os.environ.pop("COLUMNS", None)  # which xdist sets: what is printed would follow it
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")  # handed on to the processes of xdist, and to theirs
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.cpu_count = lambda: 1


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels before there are processes that would each do it; it says so itself.

    All of them, though the tests that are asked for may need few: they are kept for the next run.
    """
    config = session.config
    if not config.getoption("numprocesses", default=None) or config.option.collectonly:
        return
    subprocess.run([sys.executable, "-m", "tests.kernels"], cwd=config.rootpath, check=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """A process for each core that the system counts, be it half of a real one."""
    return os.cpu_count()


def pytest_report_header() -> str:
    if effort.FULL:
        return "full: all tests, with all examples"
    return "short: without slow tests, with fewer examples; `--full` is all of it"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow, unless it is asked for: by `--full`, by `-m` or by its own name."""
    if effort.FULL or "slow" in config.option.markexpr or any("::" in a for a in config.args):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is missing skips the tests that need it, or fails them where nothing may be missing."""
    for mark, reason in ABSENT.items():
        if reason and item.get_closest_marker(mark):
            (pytest.fail if effort.STRICT else pytest.skip)(reason)
