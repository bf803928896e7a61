"""What a command imports before its answer, and what it therefore takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import effort

SCRIPT = """
import sys
sys.argv = ["detente", *sys.argv[1:]]
from detente.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sys.modules)
"""


def _imported(*words: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True
    )
    return set(run.stdout.rpartition("imported:")[2].split())


@pytest.mark.parametrize(
    "options", effort.cases([(), ("--json",), ("--accuracy", "0.1")], slow=[("--json",)])
)
def test_a_run_imports_no_more_than_it_needs(options: tuple[str, ...]) -> None:
    beliefs = () if "--accuracy" in options else ("--beliefs", "5")
    names = _imported("run", "bargaining-rounds", "--horizon", "1", *beliefs, *options)
    assert "numba" in names
    idle = {"pandas", "scipy", "contourpy", "matplotlib", "jinja2"}
    assert not names & idle
    assert not names & {"detente.analysis.compare", "detente.solver.kernels.adjoint_lines"}


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("check", "beer-quiche")])
def test_help_and_checks_do_not_wait_for_kernels(words: tuple[str, ...]) -> None:
    names = _imported(*words)
    assert "detente.cli.main" in names
    assert not names & {"numba", "pandas", "scipy", "matplotlib"}


@pytest.mark.parametrize("words", [("--help",), ("run", "--help")])
def test_help_does_not_wait_for_numpy(words: tuple[str, ...]) -> None:
    assert "numpy" not in _imported(*words)
