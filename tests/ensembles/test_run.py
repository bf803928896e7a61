"""Runs: the same numbers whatever the order, the workers and the interruptions."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

import detente
from detente.ensembles import process, store
from detente.ensembles.manifest import versions
from detente.ensembles.parts import part_number
from detente.ensembles.pool import LocalPool
from detente.ensembles.request import Draws
from detente.ensembles.results import Ensemble
from detente.ensembles.rows import SOLVED, Task
from detente.ensembles.run import ensemble, run
from detente.errors import ScenarioError, SolveError
from detente.solver.options import SolveOptions
from tests.ensembles.runs import Here, a_manifest, assert_same, numbers, solved_here
from tests.ensembles.texts import FAILING, SOUND

SMALL = {"options": SolveOptions(5, threads=2), "draws": Draws(8, checked=2)}
ALONE = {**SMALL, "options": SolveOptions(5, threads=1)}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return solved_here(tmp_path_factory.mktemp("undisturbed") / "run", a_manifest())


@pytest.fixture
def scenario() -> detente.scenario.model.Scenario:
    return detente.loads(SOUND, file="round.yaml")


def test_a_run_solves_every_draw_once(undisturbed: Ensemble) -> None:
    assert undisturbed.complete
    assert undisturbed.done == 8
    table = numbers(undisturbed)
    drawn = [(0, 5), *((d, 5) for d in range(1, 9)), (1, 9), (2, 9)]
    assert list(zip(table["draw"], table["beliefs"], strict=True)) == [
        key for key in drawn for _ in range(2)
    ]
    assert list(table["policy"]) == ["open", "promise"] * 11
    assert (table["status"] == "SOLVED").all()


def test_order_and_interruptions_change_nothing(tmp_path: Path, undisturbed: Ensemble) -> None:
    manifest = a_manifest()
    with store.create(tmp_path / "run", manifest) as kept:
        for draws in (3, 6):

            def stop(done: int, total: int, failed: int, draws: int = draws) -> None:
                if done == draws:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                run(kept, Here(manifest, ahead=draws), stop)
    assert_same(solved_here(tmp_path / "run", manifest), undisturbed)


def test_processes_give_the_same(
    tmp_path: Path, scenario: detente.scenario.model.Scenario, undisturbed: Ensemble
) -> None:
    told: list[tuple[int, int, int]] = []
    found = ensemble(scenario, **SMALL, output=tmp_path / "run", progress=lambda *n: told.append(n))
    assert_same(found, undisturbed)
    assert told[0] == (0, 8, 0)
    assert told[-1] == (8, 8, 0)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert detente.open_ensemble(tmp_path / "run").folder == tmp_path / "run"
    assert [part_number(path) for path in (tmp_path / "run" / "rows").iterdir()] == [(0, 0)]


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path, undisturbed: Ensemble) -> None:
    manifest = a_manifest()
    with LocalPool(manifest, 2) as pool, store.create(tmp_path / "run", manifest) as kept:

        def kill(done: int, total: int, failed: int) -> None:
            if done in (1, 4):
                os.kill(pool.pids[0], signal.SIGKILL)

        run(kept, pool, kill)
    assert_same(Ensemble(tmp_path / "run"), undisturbed)


def test_a_draw_is_not_to_blame_for_who_dies_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed while it was idle, and not yet known to be dead when it is given the draw."""
    manifest = a_manifest(draws=1)
    crew = process.Crew(manifest, versions())
    try:
        crew.start()
        (pid,) = crew.pids
        os.kill(pid, signal.SIGKILL)
        monkeypatch.setattr(process.Process, "alive", True)
        (draw,) = manifest.design().between(0, 1)
        rows = crew.solve(Task(draw, manifest.beliefs))
        assert pid not in crew.pids
    finally:
        crew.end()
    assert {row["status"] for row in rows} == {SOLVED}


DEADLY = """
import os, signal, sys
from detente.ensembles import process, worker

solve = worker.Worker.solve

def deadly(self, task):
    print("a library may print what it likes")
    if task.draw.number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if task.draw.number == 4:
        raise MemoryError
    return solve(self, task)

worker.Worker.solve = deadly
process.main()
"""


@pytest.mark.slow
def test_a_draw_that_kills_its_workers_becomes_rows_that_say_so(
    scenario: detente.scenario.model.Scenario,
    undisturbed: Ensemble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", DEADLY))
    found = ensemble(scenario, **ALONE)
    assert found.complete
    failures = found.failures
    assert list(failures["draw"]) == [3, 3, 4, 4]
    assert list(failures["policy"]) == ["open", "promise"] * 2
    assert (failures["status"] == "CRASHED").all()
    reasons = list(failures["reason"])
    assert reasons[0] == "its process died 2 times, the last time it was killed by SIGKILL"
    assert reasons[2].endswith("it ended with exit code 3: out of memory")
    assert list(found.inputs.loc[3]) == list(undisturbed.inputs.loc[3])
    assert found.values("step@1").loc[3:4].isna().all(axis=None)
    folder = found.folder  # a temporary one
    rest = [draw for draw in range(9) if draw not in (3, 4)]
    mine, theirs = (one[one["draw"].isin(rest)] for one in (numbers(found), numbers(undisturbed)))
    assert mine.reset_index(drop=True).equals(theirs.reset_index(drop=True))
    assert folder.exists()
    del found
    assert not folder.exists()


@pytest.mark.slow
def test_what_crashed_is_tried_again(
    tmp_path: Path,
    scenario: detente.scenario.model.Scenario,
    undisturbed: Ensemble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as ill:
        ill.setattr(process, "COMMAND", (sys.executable, "-c", DEADLY))
        found = ensemble(scenario, **ALONE, output=tmp_path / "run")
    assert set(found.failures["status"]) == {"CRASHED"}
    told: list[tuple[int, int, int]] = []
    again = ensemble(
        scenario,
        options=SolveOptions(threads=1),
        output=tmp_path / "run",
        resume=True,
        progress=lambda *n: told.append(n),
    )
    assert_same(again, undisturbed)
    assert told == [(6, 8, 0), (7, 8, 0), (8, 8, 0)]


def test_draws_that_fail_are_rows(tmp_path: Path) -> None:
    told: list[int] = []
    found = solved_here(
        tmp_path / "run", a_manifest(FAILING), lambda done, total, failed: told.append(failed)
    )
    assert found.complete
    assert set(found.failures["status"]) == {"INVALID"}
    lost = set(found.failures["draw"])
    assert lost == {d for d, relief in found.inputs["relief"].items() if relief > 1}
    assert 0 < len(lost) < 8
    assert told[-1] == len(lost)
    assert found.failures["reason"].str.contains("a probability of `fades` is").all()


def test_workers_that_cannot_be_started_are_told(
    tmp_path: Path, scenario: detente.scenario.model.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        process, "COMMAND", (sys.executable, "-c", "raise SystemExit('no numbers')")
    )
    with pytest.raises(SolveError, match=r"could not be started: .* exit code 1: no numbers"):
        ensemble(scenario, **SMALL, output=tmp_path / "run")
    monkeypatch.setattr(process, "COMMAND", ("/no/such/program",))
    with pytest.raises(SolveError, match="could not be started: No such file"):
        ensemble(scenario, **SMALL, output=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_every_draw_is_told_before_anything_is_written(
    tmp_path: Path, scenario: detente.scenario.model.Scenario
) -> None:
    with pytest.raises(ScenarioError, match=r"a probability of `fades` is 1\.5"):
        ensemble(scenario.with_values({"relief": 1.5}), output=tmp_path / "run")
    with pytest.raises(ScenarioError) as caught:
        ensemble(scenario, draws=Draws(sampling="monte"), output=tmp_path / "run")
    assert [d.place.argument for d in caught.value.diagnostics] == ["sampling"]
    with pytest.raises(ValueError, match="`draws` is a whole number from 1 to 10,000,000, not -1"):
        ensemble(scenario, draws=-1, output=tmp_path / "run")
    with pytest.raises(TypeError, match=r"`checked` is a whole number, not 1\.5"):
        ensemble(scenario, draws=Draws(checked=1.5), output=tmp_path / "run")  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="the scenario ends by itself"):
        ensemble(scenario, periods=3, output=tmp_path / "run")
    with pytest.raises(SolveError, match=r"needs about .* GiB of memory"):
        ensemble(scenario, options=SolveOptions(10_000_001), output=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_run_can_be_given_more_draws(tmp_path: Path, undisturbed: Ensemble) -> None:
    solved_here(tmp_path / "run", a_manifest(draws=3))
    with store.resume(tmp_path / "run") as kept:
        kept.extend(a_manifest())
    assert_same(solved_here(tmp_path / "run", a_manifest()), undisturbed)


def test_a_run_is_resumed_as_it_was_begun(
    tmp_path: Path, scenario: detente.scenario.model.Scenario
) -> None:
    solved_here(tmp_path / "run", a_manifest(sampling="latin"))
    with pytest.raises(ScenarioError) as caught:
        ensemble(
            scenario.with_values({"prior": 0.3}).with_horizon(2),
            ["promise"],
            SolveOptions(beliefs=9),
            draws=Draws(9, "sobol", 1, 3),
            against="promise",
            output=tmp_path / "run",
            resume=True,
        )
    told = [d.place.argument for d in caught.value.diagnostics]
    first = ["values", "horizon", "policies", "against", "sampling", "seed"]
    assert told == [*first, "beliefs", "checked", "draws"]
    other = detente.loads(f"{SOUND}\n# changed", file="round.yaml")
    with pytest.raises(ScenarioError, match="has changed since the run began"):
        ensemble(other, output=tmp_path / "run", resume=True)
