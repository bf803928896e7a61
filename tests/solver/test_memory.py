"""What a solve says that it needs of memory, beside what the system says it took."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import detente
from benchmarks.games import rounds
from benchmarks.report import ROOT
from detente.errors import SolveError
from detente.solver.memory import memory_needed
from detente.solver.replay import Replayed

linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peaks are read as Linux tells them"
)


@linux
def test_what_is_needed_is_what_is_taken() -> None:
    command = [sys.executable, "-m", "benchmarks.scaling", "500", "72"]
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


def test_where_memory_is_short_strategies_are_solved_anew_to_the_same_bit() -> None:
    game, options = rounds(states=64, periods=24), detente.SolveOptions(33)
    enough = detente.solve(game, options)
    short = replace(options, memory_limit=options.memory(game, replayed=True, regret=True))
    assert short.memory_limit < options.memory(game, regret=True)
    replayed = detente.solve(game, short)
    assert isinstance(replayed.strategies, Replayed)
    assert replayed.notes
    for n in (*range(len(game.layers)), 3, -1):
        assert np.array_equal(replayed.strategies[n], enough.strategies[n])
    first, second = detente.forecast(enough), detente.forecast(replayed)
    for name, table in first.tables.items():
        for column in table.columns:
            assert np.array_equal(table[column], second.tables[name][column]), (name, column)
    query = detente.Query(payoff="A")
    slopes = [detente.sensitivity(s, query).table for s in (enough, replayed)]
    pd.testing.assert_frame_equal(*slopes, check_exact=True)
    with pytest.raises(SolveError, match="memory"):
        detente.solve(game, replace(options, memory_limit=short.memory_limit - 1))
