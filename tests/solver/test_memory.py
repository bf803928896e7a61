"""What a solve says that it needs of memory, beside what the system says it took."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import detente
from benchmarks.games import rounds
from benchmarks.report import ROOT
from detente.analysis.query import target_for
from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.solver.gradient_room import has_room, shelf_for
from detente.solver.keep import Keep
from detente.solver.memory import file_needed, gradient_needed, memory_needed
from detente.solver.options import SolveOptions
from detente.solver.replay import Replayed, way_kept
from detente.solver.shelf import FileShelf
from detente.solver.solution import Solution

RECORD = "1,A,a1\n1,B,a0\n2,B,a1\n"

linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peaks are read as Linux tells them"
)


@linux
@pytest.mark.parametrize(("states", "periods"), [(500, 36), (500, 72), (4000, 12)])
def test_what_is_needed_is_what_is_taken(states: int, periods: int) -> None:
    """Where strategies are small, where there are many periods, and where there are many states."""
    command = [sys.executable, "-m", "benchmarks.scaling", str(states), str(periods)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    taken = found["peak"] - found["before"]
    # Never less; a fifth more at most, for what the process had left from before.
    assert taken <= found["needed"] <= 1.2 * taken


def test_more_is_needed_for_more() -> None:
    game = rounds(states=2048, periods=6)  # of a small one the tables take most
    least = memory_needed(game, 129, regret=False, coarse=False)
    assert least < memory_needed(game, 129, regret=False) < memory_needed(game, 129)
    assert memory_needed(game, 129) < memory_needed(game, 129, threads=8)
    assert memory_needed(game, 129, threads=8) < memory_needed(game, 257)
    for keep in SHORT:
        assert memory_needed(game, 129, keep=keep) < memory_needed(game, 129)
        assert (file_needed(game, 129, keep=keep) > 0) is keep.in_file


SHORT = {Keep.FILE: math.inf, Keep.ANEW: 0, Keep.FILE_ANEW: 2}
"""What is free on disk where strategies are kept so, in sizes of the smallest file."""


def kept(
    game: CompiledGame, options: SolveOptions, keep: Keep, patch: pytest.MonkeyPatch
) -> Solution:
    """A solution for which memory, and the disk, are so short that strategies are kept in a way."""
    needed = {way: options.memory(game, regret=True, keep=way) for way in Keep}
    assert needed[Keep.FILE_ANEW] <= needed[keep] < needed[Keep.MEMORY]
    room = SHORT[keep] * file_needed(game, options.points(game), keep=Keep.FILE_ANEW)
    patch.setattr("detente.solver.options.free_on_disk", lambda: room)
    solution = detente.solve(game, replace(options, memory_limit=needed[keep]))
    assert isinstance(solution.strategies, Replayed)
    assert solution.notes == (keep.value,)
    return solution


def numbers(solution: Solution, query: detente.Query, record: str) -> Iterator[pd.DataFrame]:
    """Tables of a forecast, of derivatives, and of a record that is tracked."""
    forecast = detente.forecast(solution)
    yield from (table.frame() for table in forecast.tables.values())
    yield detente.sensitivity(solution, query).table
    said = detente.parse_record("date,actor,move\n" + record, solution.game.scenario)
    tracked = detente.track(solution, said)
    yield from (tracked.moves, tracked.beliefs, tracked.periods, tracked.outcomes)


@pytest.mark.parametrize("keep", SHORT)
def test_where_memory_is_short_numbers_are_the_same_to_the_bit(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    game, options = rounds(states=64, periods=24), detente.SolveOptions(33)
    enough, short = detente.solve(game, options), kept(game, options, keep, monkeypatch)
    for n in (*range(len(game.layers)), 3, -1):
        assert np.array_equal(short.strategies[n], enough.strategies[n])
    assert np.array_equal(short.strategies[2:4][1], enough.strategies[3])
    query = detente.Query(payoff="A")
    for one, other in zip(*(numbers(s, query, RECORD) for s in (enough, short)), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("keep", SHORT)
def test_so_are_those_of_types_that_move(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where types change there are several passes, and a smoother goes back in time."""
    game = detente.compile_game(detente.load("secret-programme"))
    options = detente.SolveOptions(257)
    enough, short = detente.solve(game, options), kept(game, options, keep, monkeypatch)
    query, record = detente.Query(outcome="bomb"), "2026-01,West,offer\n"
    for one, other in zip(*(numbers(s, query, record) for s in (enough, short)), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize(("states", "periods", "points"), [(2000, 8, 129), (60, 60, 65)])
@pytest.mark.parametrize("outcome", [False, True])
def test_derivatives_take_what_they_are_said_to_need(
    states: int, periods: int, points: int, outcome: bool
) -> None:
    """Where a layer is large, and where there are many of them."""
    game = rounds(states=states, periods=periods)
    query = detente.Query(outcome="top") if outcome else detente.Query(payoff="A")
    solution = detente.solve(
        game, detente.SolveOptions(points, threads=1), regret=False, coarse=False
    )
    keep, moves = way_kept(solution.strategies), len(game.layers)
    needed = gradient_needed(
        game,
        solution.grid.size,
        keep,
        outcome=outcome,
        moves=moves,
        in_file=keep.in_file,
    )
    if not keep.in_file:
        needed -= sum(sigma.nbytes for sigma in solution.strategies)
    tracemalloc.start()
    detente.sensitivity(solution, query, threads=1)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.5 * needed < taken <= needed + 2**20  # beside them is the table


def test_derivatives_put_values_aside_where_memory_is_short() -> None:
    """And are refused with what they need where that does not do."""
    game, query = rounds(states=64, periods=60), detente.Query(payoff="A")
    solution = detente.solve(game, detente.SolveOptions(33), regret=False, coarse=False)
    target, _ = target_for(game, query)
    needed = [
        gradient_needed(
            game,
            solution.grid.size,
            Keep.MEMORY,
            outcome=False,
            moves=len(game.layers),
            in_file=in_file,
        )
        for in_file in (False, True)
    ]
    assert needed[1] < needed[0]
    ways = [shelf_for(solution, target, 1, limit) for limit in needed]
    assert ways == [dict, FileShelf]
    tables = [
        detente.sensitivity(solution, query, threads=1, memory_limit=limit).table
        for limit in needed
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    refused = r"differentiating .* on 33 nodes .* needs about .* of memory; allowed are"
    with pytest.raises(SolveError, match=refused):
        detente.sensitivity(solution, query, threads=1, memory_limit=needed[1] - 1)
    small = detente.SolveOptions(33, threads=1, memory_limit=1)
    assert not has_room(game, target, small)
    assert has_room(game, target, detente.SolveOptions(33))


def test_without_room_for_derivatives_a_threshold_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario, query = detente.load("bargaining-rounds"), detente.Query(outcome="second_step")
    options = detente.SolveOptions(9)
    found = [detente.threshold(scenario, "prior", query, options, at=0.4, points=5)]
    monkeypatch.setattr("detente.solver.gradient_room.gradient_needed", lambda *_, **__: 2**60)
    found.append(detente.threshold(scenario, "prior", query, options, at=0.4, points=5))
    values = [[crossing.value for crossing in each.crossings] for each in found]
    assert values[0]
    assert values[1] == pytest.approx(values[0], abs=1e-4)
    assert len(found[0].moves)
    assert not len(found[1].moves)


def test_large_strategies_go_to_a_file_also_where_memory_is_not_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game, options = rounds(states=16, periods=4), detente.SolveOptions(17)
    monkeypatch.setattr("detente.solver.options.LARGE_STRATEGIES", 0)
    solution = detente.solve(game, options)
    assert isinstance(solution.strategies, Replayed)
    assert not solution.notes
    copied = pickle.loads(pickle.dumps(solution))  # which has no file
    assert isinstance(copied.strategies, tuple)
    for one, other in zip(solution.strategies, copied.strategies, strict=True):
        assert np.array_equal(one, other)
    monkeypatch.setattr("detente.solver.options.free_on_disk", lambda: 0)
    assert isinstance(detente.solve(game, options).strategies, tuple)


def test_what_fits_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    game, options = rounds(states=64, periods=24), detente.SolveOptions(33)
    least = min(options.memory(game, regret=True, keep=keep) for keep in Keep)
    with pytest.raises(SolveError, match="of memory; allowed are"):
        detente.solve(game, replace(options, memory_limit=least - 1))
    monkeypatch.setattr("detente.solver.options.free_on_disk", lambda: 0)
    with pytest.raises(SolveError, match=r"in a temporary file; .* has 0\.0 GiB left"):
        detente.solve(game, replace(options, memory_limit=least))


def test_a_shelf_gives_back_what_was_put_there() -> None:
    shelf, rng = FileShelf(), np.random.default_rng(1)
    arrays = {k: rng.random(shape) for k, shape in enumerate([(3, 4), (0,), (2, 1, 5)])}
    for k, array in arrays.items():
        shelf[k] = array.copy(order="F")
    assert list(shelf) == list(arrays)
    for k, array in arrays.items():
        assert np.array_equal(shelf[k], array)
        assert np.array_equal(shelf.pop(k), array)
    assert not shelf
    shelf[7] = arrays[2]  # where the others were
    assert np.array_equal(shelf[7], arrays[2])
    assert np.array_equal(pickle.loads(pickle.dumps(shelf))[7], arrays[2])


@linux
def test_nothing_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has no name, and its room is free when it is let go."""
    monkeypatch.setenv("DETENTE_CACHE_DIR", str(tmp_path))
    shelf = FileShelf()
    shelf[0] = np.ones(1000)
    mine = [path for path in Path("/proc/self/fd").iterdir() if str(tmp_path) in target(path)]
    assert len(mine) == 1
    assert not any(tmp_path.iterdir())
    assert mine[0].stat().st_size == 8000
    del shelf[0]
    assert mine[0].stat().st_size == 0
    del shelf
    assert str(tmp_path) not in target(mine[0])


def target(link: Path) -> str:
    """Where a link leads; '' where there is none."""
    return str(link.readlink()) if link.is_symlink() else ""


def test_a_disk_that_is_full_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = FileShelf()

    class Full:
        def seek(self, place: int) -> None:
            pass

        def write(self, part: memoryview) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shelf, "_file", Full())
    with pytest.raises(SolveError, match="could not be written: No space left"):
        shelf[0] = np.ones(3)
