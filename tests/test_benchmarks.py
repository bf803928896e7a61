"""The benchmarks run: their smallest sizes, without peers and without processes of their own, but
for the worker of an ensemble."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import detente
from benchmarks import (
    apart,
    audited,
    ensembles,
    first_minute,
    flagship,
    games,
    peers,
    play,
    scaling,
    stage,
    stationary,
    trees,
    without_end,
    workbench,
)
from benchmarks.__main__ import BENCHMARKS, main, page, sections_of
from benchmarks.report import Plan, Table, Times, digits, large, machine, ratio, times
from detente.ensembles.request import new_manifest
from detente.ensembles.rows import Task
from detente.ensembles.worker import Worker

PLAN = Plan(quick=True, runs=1, peers=False)


def test_times_are_medians_with_their_range() -> None:
    taken = Times((2e-3, 1e-3, 4e-3))
    assert taken.median == 2e-3
    assert str(taken) == "2 ms (1–4)"
    assert str(taken.per(1000)) == "2 µs (1–4)"
    assert str(Times((2.0,))) == "2 s"
    assert ratio(3.0, 2.0) == "1.5 ×"
    assert [digits(n) for n in (0.0, 1234.5, 0.25, 2e-9)] == ["0", "1,234", "0.25", "2.0e-09"]
    assert large(3**30) == "about 10^14"


def test_a_call_is_timed_as_often_as_planned() -> None:
    calls: list[int] = []
    taken = times(lambda: calls.append(1), Plan(runs=3))
    assert len(taken.runs) >= 3
    assert len(calls) == len(taken.runs) + 1


def test_tables_are_markdown() -> None:
    table = Table("A", "Why.", ["n", "time"], [[1000, Times((1.0,))], [1, "–"]])
    lines = str(table).splitlines()
    assert lines[0] == "### A"
    assert lines[-3:] == ["| ----- | ---- |", "| 1,000 | 1 s  |", "| 1     | –    |"]
    assert "processor" in machine(PLAN)


@pytest.mark.slow
def test_what_grows_without_a_peer() -> None:
    assert trees.against_gambit(PLAN).rows == []
    rows = trees.growth(PLAN).rows
    assert [row[0] for row in rows] == ["bargaining-rounds"] * 2 + ["chain-store"] * 2
    assert all(row[-1] == "solved" for row in rows)
    assert all(row[-1] == "solved" for row in stationary.run(PLAN)[0].rows)
    (table,) = without_end.run(PLAN)
    assert [row[1] for row in table.rows] == [2, 2, 2, 6]


@pytest.mark.slow
def test_growth_of_a_solve() -> None:
    table = scaling.dimensions(PLAN)
    assert {row[0] for row in table.rows} == {*scaling.QUICK_SIZES, "types"}
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_types_are_compared_at_about_as_many_nodes() -> None:
    nodes = [
        detente.solve(
            games.rounds(states=2, periods=1, types=types),
            detente.SolveOptions(beliefs=edge),
            coarse=False,
        ).grid.size
        for types, edge in scaling.TYPES.items()
    ]
    assert max(nodes) < 1.1 * min(nodes)


def test_a_stationary_game_is_that_of_the_peer() -> None:
    """Values are discounted sums of payoffs: V = Σ σ (u + δ φ V), σ the response at λ."""
    payoffs, transitions = games.random_stochastic(5, 2, 3)
    solution = detente.solve(games.stationary(payoffs, transitions, 2.0), regret=False)
    play = np.array([[solution.strategy(0, x, m)[0, 0] for m in range(2)] for x in range(5)])
    values = solution.first_values[:, 0, :]
    worth = payoffs + games.DISCOUNT * np.einsum("sabt,tp->spab", transitions, values)
    expected = np.einsum("spab,sa,sb->sp", worth, play[:, 0], play[:, 1])
    assert np.abs(values - expected).max() < 1e-8
    action_values = np.einsum("sab,sb->sa", worth[:, 0], play[:, 1])
    odds = np.exp(2.0 * (action_values - action_values.max(axis=1, keepdims=True)))
    assert np.abs(play[:, 0] - odds / odds.sum(axis=1, keepdims=True)).max() < 1e-8
    flat = [float(p) for p in play.ravel()]
    assert stationary.difference(solution, flat) == 0.0


def test_stages_are_solved_by_the_kernel() -> None:
    game, grid, work = stage.make(20, np.random.default_rng(1))
    counts = stage.solve(work.at(game, grid, 0.5))
    assert counts.sum() == 20 * (stage.POINTS - 2)  # nothing is counted at the ends
    assert counts[stage.UNIQUE] == counts.sum()


def test_the_commands_are_measured_as_whole_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def measured(command: list[str], settings: Mapping[str, str]) -> tuple[float, int]:
        asked.append(command[1:])
        return float(len(asked)), 2**20

    monkeypatch.setattr(first_minute, "measured", measured)
    there = replace(PLAN, against=Path(__file__).parent)
    table = first_minute.commands(there)
    assert [row[0] for row in table.rows] == [
        "import",
        "--help",
        "check",
        "run",
        "sample",
        "first run",
    ]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert len(asked) == 2 * (1 + len(table.rows))  # and one that compiles
    assert len(first_minute.environment(PLAN).rows) == 2


def test_a_process_is_measured_with_its_peak() -> None:
    seconds, peak = first_minute.measured([sys.executable, "-c", "x = b'x' * (50 * 2**20)"], {})
    assert seconds > 0
    assert peak > 50 * 2**20
    least = first_minute.measured([sys.executable, "-S", "-c", ""], {})[1]
    assert least < 40 * 2**20 < peak
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        first_minute.measured([sys.executable, "-c", "1 / 0"], {})


def test_what_the_base_install_brings() -> None:
    brought = first_minute.closure("detente")
    assert {"numpy", "numba", "llvmlite", "typer"} <= brought
    assert not {"pytest", "distributed", "ruff"} & brought
    first, *largest = first_minute.installed().rows
    assert first[1] == len(brought) - 1
    assert len(largest) == 5


def test_changes_keep_the_states() -> None:
    game = detente.compile_game(detente.load(flagship.NAME).with_horizon(1))
    for values in flagship.changes(game, 3):
        assert detente.with_values(game, values).structure is game.structure


TINY = replace(ensembles.TINY, draws=4, warm=1, workers=1)


def test_the_barest_loop_solves_the_same_worlds() -> None:
    """The same numbers as a worker of an ensemble, also after it has been pickled."""
    record = new_manifest(TINY.load(), TINY.asked())
    draw = record.design().draw(1)
    (row,) = Worker(record).solve(Task(draw, record.beliefs))
    numbers = pickle.loads(pickle.dumps(apart.Bare(record))).numbers(draw.values)
    assert numbers == {name: row[name] for name in numbers}
    assert "first_step@1" in numbers
    for way in (apart.worker, apart.bare):
        found = way(TINY)
        assert (found.back, found.counted) == (5, 3)
        assert found.steady > 0


@pytest.mark.slow
def test_an_ensemble_is_measured_with_what_failed() -> None:
    found = apart.ensemble(replace(TINY, draws=40, failing=True))
    assert (found.back, found.counted) == (41, 39)
    assert [said.partition(":")[0] for said in found.failures] == ["INVALID"]
    assert ensembles.gathered(found) == {"INVALID": 1}
    assert found.folder > 0
    assert found.ended == ""
    if Path("/proc").exists():
        assert min(found.main, found.others) > 2**20


def test_numbers_that_are_left_over_are_seen() -> None:
    hidden = np.ma.array([1.0, 2.0, 2.0, 9.0, np.nan], mask=[False, False, False, True, False])
    found = apart.lost({"n0": hidden, "n1": np.array([5.0, 5.0, 5.0, 5.0, 5.0])})
    assert found == {"no numbers": 2, "numbers of another draw": 1}
    assert apart.lost({"n0": np.array([1.0, 2.0])}) == {}


def test_a_clock_counts_while_all_processes_are_busy() -> None:
    clock = apart.Clock(replace(TINY, draws=10, warm=3, workers=2))
    for done in (0, 1, 2, 3, 4, 4, 5):
        clock(done)
    assert clock.found().each == float("inf")  # it has not come so far
    for done in (6, 7, 8, 9, 10, 11, 11):
        clock(done)
    found = clock.found()
    assert (found.back, found.counted) == (11, 6)  # from the fourth to the tenth of eleven
    assert 0 < found.steady < found.whole


def test_ways_are_run_in_turn_and_compared_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    each = {("ensemble", 1): 1.1, ("ensemble", 2): 0.6, ("worker", 1): 1.0, ("bare", 1): 1.1 / 1.5}

    def ask(way: str, case: apart.Case) -> apart.Found:
        asked.append((way, case.workers))
        taken = each.get((way, case.workers), 1.0)
        return apart.Found(1.0, 10 * taken, 10, 0.1, 20.0, 2**20, 2**21, 1000, 12, {}, "")

    monkeypatch.setattr(ensembles, "ask", ask)
    plan = Plan(runs=3, peers=False)
    speed, over = ensembles.bargaining(plan)
    a, b, c, d = each
    assert asked == [a, b, c, d, b, c, d, a, c, d, a, b]
    assert [row[2] for row in speed.rows] == ["–", "91.7 (91.7–91.7) %"]
    assert speed.rows[1][-1] == "2 MiB"
    assert [row[2].split()[0] for row in over.rows] == ["–", "10", "50"]
    assert "3 runs of each" in speed.note
    tables = ensembles.run(Plan(quick=True, runs=1, peers=False))
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    assert [len(table.rows) for table in tables] == [2, 3, 2, 2, 2, 1, 1]


def test_the_price_of_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(*words: str) -> tuple[float, float]:
        calls.append(words)
        return (1.0, 2.0) if "--no-audit" in words else (1.5, 2.5)

    calls: list[tuple[str, ...]] = []
    real = audited.command
    monkeypatch.setattr(audited, "command", command)
    (table,) = audited.run(PLAN)
    assert [row[3] for row in table.rows] == ["1.5 ×"] * 2
    assert [row[6] for row in table.rows] == ["1.25 ×"] * 2
    assert len(calls) == 2 * 2 * (PLAN.runs + 1)
    assert min(real("--version")) > 0
    with pytest.raises(RuntimeError, match="ended with 2"):
        real("run", "nothing-of-this-name")


def test_a_missing_peer_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda module: None)
    assert "install" in peers.missing("sgamesolver")
    assert "--with oracles" in trees.against_gambit(PLAN).note


def test_results_are_written_by_full_runs_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--quick", "--write"])
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    told = capsys.readouterr().err
    assert "--write is for a full run" in told
    assert all(name in told for name in BENCHMARKS)


def test_a_part_of_the_results_can_be_measured_again(tmp_path: Path) -> None:
    """The others stay, in the order of the benchmarks."""
    first, *_, last = BENCHMARKS
    file = tmp_path / "results.md"
    file.write_text(page({last: f"## {last}\n\nold", first: f"## {first}\n\nkept"}))
    assert list(sections_of(file)) == [first, last]
    file.write_text(page({**sections_of(file), last: f"## {last}\n\nnew"}))
    text = file.read_text()
    assert "kept" in text
    assert "new" in text
    assert "old" not in text


def test_a_class_that_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def measured(name: str, number: int, *, quick: bool) -> tuple[list[float], list[float], float]:
        asked.append((name, number))
        return [0.01, 0.02], [0.05, 0.06], 2.0

    monkeypatch.setattr(play, "measured", measured)
    (table,) = play.run(PLAN)
    assert asked == [("bargaining-rounds", 4), ("pyeongchang-2018", 6)]
    assert table.rows[0][2:] == [2, "15 / 20 / 20", "55 / 60 / 60", "1"]


def test_a_slider_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"linear": 20.0, "coarse": 200.0, "exact": 3000.0}
    drawn = {"linear": [50.0, 10.0], "coarse": [52.0, 9.0], "exact": [53.0, 8.5]}
    without = {stage: seen[stage] for stage in ("coarse", "exact")}
    monkeypatch.setattr(workbench, "measured", lambda number: [(seen, drawn), (without, drawn)])
    monkeypatch.setattr(workbench, "CASE", "bargaining-rounds")
    table = workbench.thinking(PLAN)
    assert [row[:2] for row in table.rows] == [["linear", 1], ["coarse", 2], ["exact", 2]]
    assert [row[3] for row in table.rows] == ["3.0 / 3.0", "1.0 / 1.0", "–"]
