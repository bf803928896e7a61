"""Many solves in a process of their own, in one of several ways.

    python -m benchmarks.apart WAY CASE

CASE is a `Case` as JSON; what is printed is a `Found` as JSON. The draws are the same in all ways:
the present values, then the draws in order.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import detente
from benchmarks.report import ROOT, peak
from detente.ensembles.manifest import Manifest
from detente.ensembles.process import ONE_THREAD
from detente.ensembles.request import Draws, RunRequest, new_manifest
from detente.ensembles.rows import Task
from detente.ensembles.worker import Worker, results
from detente.errors import DetenteError
from detente.game.arrays import CompiledGame
from detente.scenario.model import Scenario
from detente.simulation.forward import forward
from detente.solver.certificate import CHECKED_OF_MANY
from detente.solver.workers import Workers

BEGINNING = 60.0
"""Seconds that a process may take beyond its limit: imports and the end."""

PRIOR = ("range: [0.1, 0.9]\n    unit: probability", "range: [0.1, 1.00909]\n    unit: probability")
"""Makes one draw of `bargaining-rounds` in a hundred ill formed: a probability above 1."""


@dataclass(frozen=True)
class Case:
    """What is solved, and what of it is timed.

    scenario, values, horizon, policies, beliefs, draws
        The draws; `values` and what they set are not drawn. No policies: without terms.
    workers
        Processes, where the way has several.
    warm
        Draws that come first and are not timed: each process loads its kernels and enumerates.
    failing
        Whether one draw in a hundred is ill formed (of `bargaining-rounds` only).
    told
        Whether the model function tells EMA workbench of a draw that fails by its `CaseError`.
    limit
        Seconds after which the process gives up.
    """

    scenario: str
    draws: int
    beliefs: int
    values: Mapping[str, float] = field(default_factory=dict)
    horizon: int | None = None
    policies: tuple[str, ...] = ()
    workers: int = 1
    warm: int = 0
    failing: bool = False
    told: bool = False
    limit: float = 600.0

    def load(self) -> Scenario:
        """The scenario."""
        scenario = detente.load(self.scenario)
        if self.failing:
            text = scenario.text.replace(*PRIOR)
            assert text != scenario.text
            scenario = detente.loads(text, file=scenario.file)
        if self.values:
            scenario = scenario.with_values(self.values)
        return scenario if self.horizon is None else scenario.with_horizon(self.horizon)

    def asked(self) -> RunRequest:
        """The options of its run."""
        return RunRequest(
            self.policies or None,
            detente.SolveOptions(self.beliefs, self.workers),
            Draws(self.draws, checked=0),
        )


@dataclass(frozen=True)
class Found:
    """How it went.

    first
        Seconds to the first draw: start of processes, kernels, enumeration, and a solve.
    steady, counted
        Seconds from the last draw that is not timed to the last one during which all processes
        were busy, and how many draws came in between.
    own
        Of these seconds, processor time of the process that started the others.
    whole
        Seconds until all was done, without the imports of this process.
    main, others
        Largest resident memory of this process and of any that it started, in bytes.
    folder
        Bytes that were written.
    back
        Draws that came back.
    failures
        How many draws failed, by what their rows hold.
    ended
        How it ended where it did not end well.
    """

    first: float
    steady: float
    counted: int
    own: float
    whole: float
    main: int
    others: int
    folder: int
    back: int
    failures: Mapping[str, int]
    ended: str

    @property
    def each(self) -> float:
        """Seconds a draw, when all is under way; infinite where it did not come so far."""
        return self.steady / self.counted if self.steady > 0 else math.inf

    @property
    def largest(self) -> int:
        """Memory of the largest process."""
        return max(self.main, self.others)


class Clock:
    """Called with the number of draws that are done, again and again."""

    def __init__(self, case: Case) -> None:
        self.begin = time.perf_counter()
        # The present values are a draw, too. At the end processes have nothing more to do.
        self._from, self._to = case.warm + 1, case.draws + 2 - case.workers
        assert self._from < self._to
        self._total = case.draws + 1
        self._first = self._start = self._end = 0.0
        self._own = 0.0
        self.done = self._others = 0

    def __call__(self, done: int) -> None:
        now = time.perf_counter() - self.begin
        # Each number is told once, in order, but perhaps again at the end.
        if done <= self.done:
            return
        self.done = done
        if done == 1:
            self._first = now
        if done == self._from:
            self._start, self._own = now, -_cpu()
        if done == self._to:
            self._end = now
            self._own += _cpu()
        if done == self._total:
            self._others = max(map(peak, children()), default=0)

    def found(
        self, *, folder: int = 0, failures: Mapping[str, int] | None = None, ended: str = ""
    ) -> Found:
        """What has been measured up to now."""
        return Found(
            first=self._first,
            steady=self._end - self._start,
            counted=self._to - self._from,
            own=self._own,
            whole=time.perf_counter() - self.begin,
            main=peak(),
            others=self._others or max(map(peak, children()), default=0),
            folder=folder,
            back=self.done,
            failures=dict(failures or {}),
            ended=ended,
        )


class Bare:
    """The barest way: a game is compiled once, given new values, solved, and played forward.

    It can be pickled, and compiles where it is used.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._games: dict[str, CompiledGame] = {}

    def __getstate__(self) -> Manifest:
        return self.manifest

    def __setstate__(self, manifest: Manifest) -> None:
        self.__init__(manifest)  # type: ignore[misc]

    def solve(self, values: Mapping[str, float]) -> None:
        """Solve a draw, and keep nothing."""
        for policy in self.manifest.policies:
            solution = self._solved(policy, values)
            with ThreadPoolExecutor(1) as pool:
                endless = solution.game.loop is not None
                forward(
                    solution, Workers(pool, 1), periods=self.manifest.periods if endless else None
                )

    def numbers(self, values: Mapping[str, float]) -> dict[str, float]:
        """What a row of an ensemble has, for the only policy."""
        (policy,) = self.manifest.policies
        return results(self._solved(policy, values), self.manifest.periods, self.manifest.times)

    def _solved(self, policy: str, values: Mapping[str, float]) -> Any:
        if policy not in self._games:
            self._games[policy] = detente.compile_game(self.manifest.scenario(), policy=policy)
        game = detente.with_values(self._games[policy], values)
        points = self.manifest.beliefs or None
        return detente.solve(
            game,
            detente.SolveOptions(beliefs=points, threads=1),
            regret=False,
            coarse=False,
            checked=CHECKED_OF_MANY,
        )


def ensemble(case: Case) -> Found:
    """`detente.ensemble`, with its results in a folder."""
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept) / "run"
        scenario, asked = case.load(), case.asked()
        clock = Clock(case)
        found = detente.ensemble(
            scenario,
            asked.policies,
            asked.options,
            draws=asked.draws,
            output=folder,
            progress=lambda done, total, lost: clock(done + 1),  # with the present values
        )
        # Before tables are asked for: what is measured is the run, and its results opened.
        measured = clock.found(folder=sum(f.stat().st_size for f in folder.rglob("*")))
        if not case.failing:
            return measured
        lost = found.failures
        told = Counter(f"{s}: {r}" for s, r in zip(lost["status"], lost["reason"], strict=True))
        return replace(measured, failures=dict(told))  # `asdict` cannot copy a `Counter`


def worker(case: Case) -> Found:
    """A loop over what a worker of an ensemble does, in this process."""
    manifest = new_manifest(case.load(), case.asked())
    clock = Clock(case)
    one = Worker(manifest)
    for done, draw in enumerate(manifest.design().between(0, case.draws + 1), start=1):
        one.solve(Task(draw, manifest.beliefs))
        clock(done)
    return clock.found()


def bare(case: Case) -> Found:
    """A loop over solves with nothing around them, in this process."""
    manifest = new_manifest(case.load(), case.asked())
    clock = Clock(case)
    one = Bare(manifest)
    for done, draw in enumerate(manifest.design().between(0, case.draws + 1), start=1):
        one.solve(draw.values)
        clock(done)
    return clock.found()


def workbench(case: Case) -> Found:
    """The same solve as a model function of EMA workbench, with the same draws."""
    from ema_workbench import (
        Model,
        MultiprocessingEvaluator,
        RealParameter,
        ScalarOutcome,
        Scenario,
    )
    from ema_workbench.em_framework.callbacks import DefaultCallback

    manifest = new_manifest(case.load(), case.asked())
    draws = list(manifest.design().between(0, case.draws + 1))
    names = {_identifier(name): name for name in draws[0].values}
    columns = list(Bare(manifest).numbers(draws[0].values))
    model = Model("detente", function=Function(Bare(manifest), names, columns, case.told))
    # The draws are ours: its samplers would make other ones.
    model.uncertainties = [RealParameter(name, -1e6, 1e6) for name in names]
    model.outcomes = [ScalarOutcome(f"n{n}") for n in range(len(columns))]
    scenarios = [
        Scenario(str(d.number), **{_identifier(n): v for n, v in d.values.items()}) for d in draws
    ]
    clock = Clock(case)

    class Counting(DefaultCallback):  # type: ignore[misc, unused-ignore]
        def __call__(self, experiment: object, outcomes: object) -> None:
            super().__call__(experiment, outcomes)
            clock(clock.done + 1)

    def give_up() -> None:
        _print(clock.found(ended=f"no end within {case.limit:.0f} s: stopped"))
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(0)

    alarm = threading.Timer(case.limit, give_up)
    alarm.daemon = True
    alarm.start()
    ended, failures = "", {}
    try:
        with MultiprocessingEvaluator(model, n_processes=case.workers) as pool:
            _, outcomes = pool.perform_experiments(scenarios, callback=Counting, log_progress=True)
            failures = lost(outcomes)
    except Exception as error:
        ended = f"{type(error).__name__}: {error}"
    alarm.cancel()
    return clock.found(failures=failures, ended=ended)


def lost(outcomes: Mapping[str, Any]) -> dict[str, int]:
    """How many draws have no numbers, and how many have exactly those of one before.

    No two draws are the same, so that these have been left over from another.
    """
    columns = {name: np.ma.filled(numbers, np.nan) for name, numbers in outcomes.items()}
    table = pd.DataFrame(columns)
    empty = table.isna().any(axis=1)
    again = table.duplicated(keep="first") & ~empty
    counts = {"no numbers": int(empty.sum()), "numbers of another draw": int(again.sum())}
    return {what: count for what, count in counts.items() if count}


class Function:
    """A model function: quantities by name in, numbers out."""

    def __init__(
        self, solver: Bare, names: Mapping[str, str], columns: list[str], told: bool
    ) -> None:
        self._solver, self._names, self._columns, self._told = solver, names, columns, told

    def __call__(self, **values: float) -> dict[str, float]:
        from ema_workbench.util import CaseError

        try:
            found = self._solver.numbers({self._names[k]: v for k, v in values.items()})
        except DetenteError as error:
            if self._told:
                raise CaseError(str(error), values) from error
            raise
        return {f"n{n}": found[column] for n, column in enumerate(self._columns)}


WAYS: dict[str, Callable[[Case], Found]] = {
    "ensemble": ensemble,
    "worker": worker,
    "bare": bare,
    "workbench": workbench,
}


def ask(way: str, case: Case) -> Found:
    """Solve in a process of its own, which is stopped with all that it started if it hangs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.apart", way, json.dumps(asdict(case))],
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(timeout=case.limit + BEGINNING)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{way} failed:\n{errors[-2000:]}")
    return Found(**json.loads(out.splitlines()[-1]))


def children() -> list[int]:
    """The processes that this one has started; none where the system does not list them."""
    return [
        int(status.parent.name)
        for status in Path("/proc").glob("[0-9]*/status")
        if f"\nPPid:\t{os.getpid()}\n" in _text(status)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # it has ended meanwhile
        return ""


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _identifier(name: str) -> str:
    """A quantity's name as EMA workbench wants names to be."""
    return name.replace(".", "__")


def _print(found: Found) -> None:
    print(json.dumps(asdict(found)), flush=True)


def main() -> None:
    """Solve, and print how it went."""
    way, case = sys.argv[1:]
    plain = json.loads(case)
    _print(WAYS[way](Case(**{**plain, "policies": tuple(plain["policies"])})))


if __name__ == "__main__":
    main()
