"""What a solve says that it needs of memory, beside what the system says it took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.games import rounds
from benchmarks.report import ROOT
from detente.solver.memory import memory_needed

linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peaks are read as Linux tells them"
)


@linux
@pytest.mark.parametrize(
    ("states", "periods"), [(500, 72), pytest.param(3000, 24, marks=pytest.mark.slow)]
)
def test_what_is_needed_is_what_is_taken(states: int, periods: int) -> None:
    command = [sys.executable, "-m", "benchmarks.scaling", str(states), str(periods)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    taken = found["peak"] - found["before"]
    # Never less; a fifth more at most, for what the process had left from before.
    assert taken <= found["needed"] <= 1.2 * taken


def test_more_is_needed_for_more() -> None:
    game = rounds(states=32, periods=6)
    least = memory_needed(game, 33, regret=False, coarse=False)
    assert least < memory_needed(game, 33, regret=False) < memory_needed(game, 33)
    assert memory_needed(game, 33) < memory_needed(game, 33, threads=8) < memory_needed(game, 129)
