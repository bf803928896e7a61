"""Other solvers, each solve in a process of its own so that it can be stopped.

    python -m benchmarks.peers gambit game.efg 2.0
    python -m benchmarks.peers sgamesolver STATES PLAYERS ACTIONS LAMBDA

prints seconds and strategies as JSON. The seconds are those of the solve: reading the game and
importing the solver do not count. A process has one thread.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.games import DISCOUNT, random_stochastic
from benchmarks.report import ROOT, Plan, Times, ratio

PIP = "python3 -m pip --python .venv/bin/python install"

INSTALL = {
    "pygambit": "python3 scripts/env.py --with oracles",
    "sgamesolver": f"{PIP} cython setuptools && {PIP} --no-build-isolation sgamesolver==1.0.2",
    "ema_workbench": f"{PIP} ema_workbench",
}
"""By module; sgamesolver's build needs Cython and NumPy to be there, and does not say so."""

BEGINNING = 30.0
"""Seconds that a process may take beside the solve: imports and reading."""

FEWEST = 3
"""Runs of a figure whose runs together take longer than the limit of one."""

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


@dataclass(frozen=True)
class Answer:
    """What a peer gave: times, and strategies as it orders them; None beyond the limit."""

    seconds: Times | None
    play: list[float]
    limit: float

    def __str__(self) -> str:
        return f"beyond {self.limit:.0f} s" if self.seconds is None else str(self.seconds)

    def against(self, ours: Times) -> str:
        """How many times as long as ours."""
        if self.seconds is None:
            return f"above {ratio(self.limit, ours.median)}"
        return ratio(self.seconds.median, ours.median)


def missing(module: str) -> str:
    """A sentence that says how to install a peer; '' where it is there."""
    if importlib.util.find_spec(module) is not None:
        return ""
    return f"{module} is not installed, its rows are left out; to have them: `{INSTALL[module]}`"


def ask(plan: Plan, peer: str, *arguments: object) -> Answer:
    """Let a peer solve a game, several times; it is stopped where it takes too long."""
    seconds: list[float] = []
    play: list[float] = []
    for _ in range(plan.runs):
        command = [sys.executable, "-m", "benchmarks.peers", peer, *map(str, arguments)]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD},
                capture_output=True,
                text=True,
                timeout=plan.limit + BEGINNING,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(None, [], plan.limit)
        if done.returncode != 0:
            raise RuntimeError(f"{peer} failed:\n{done.stderr[-2000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        seconds.append(found["seconds"])
        play = found["play"]
        if seconds[-1] > plan.limit:
            return Answer(None, play, plan.limit)
        if len(seconds) >= FEWEST and sum(seconds) > plan.limit:
            break
    return Answer(Times(tuple(seconds)), play, plan.limit)


def gambit(file: str, precision: str) -> tuple[float, list[float]]:
    """The agent logit QRE of a tree; strategies by player, information set, action."""
    import pygambit

    tree = pygambit.read_efg(io.StringIO(Path(file).read_text(encoding="utf-8")))
    begin = time.perf_counter()
    profile = pygambit.qre.logit_solve_lambda(tree, [float(precision)])[0]
    seconds = time.perf_counter() - begin
    sets = (at for player in tree.players for _, at in profile.profile[player])
    return seconds, [float(p) for at in sets for _, p in at]


def sgamesolver(
    states: str, players: str, actions: str, precision: str
) -> tuple[float, list[float]]:
    """The stationary logit Markov QRE of a random game; strategies by state, player, action.

    Of version 1.0.2, which uses a name that NumPy 2 has no more.
    """
    np.NaN = np.nan  # type: ignore[attr-defined]  # noqa: NPY201
    from sgamesolver import SGame
    from sgamesolver.homotopy import QRE

    payoffs, transitions = random_stochastic(int(states), int(players), int(actions))
    game = SGame(list(payoffs), list(transitions), DISCOUNT)
    begin = time.perf_counter()
    homotopy = QRE(game)
    homotopy.solver_setup(target_lambda=float(precision))
    homotopy.solver.verbose = 0
    homotopy.solve()
    seconds = time.perf_counter() - begin
    if homotopy.equilibrium is None:
        raise RuntimeError("no equilibrium was found")
    return seconds, [float(p) for p in np.ravel(homotopy.equilibrium.strategies)]


SOLVERS: dict[str, Callable[..., tuple[float, list[float]]]] = {
    "gambit": gambit,
    "sgamesolver": sgamesolver,
}


def main() -> None:
    """Solve once, and print how it went."""
    peer, *arguments = sys.argv[1:]
    seconds, play = SOLVERS[peer](*arguments)
    print(json.dumps({"seconds": seconds, "play": play}))


if __name__ == "__main__":
    main()
