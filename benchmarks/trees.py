"""Games with a last period: against Gambit on the unrolled tree, and by themselves as they grow."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import detente
from benchmarks.peers import ask, missing
from benchmarks.report import Plan, Table, large, times
from detente.game.export import InformationSet, count_nodes, unroll
from detente.scenario.model import Scenario
from detente.simulation.histories import interpolated_strategy
from detente.solver.solution import Solution

PRECISION = 2.0

GAMES = {"bargaining-rounds": "rounds", "chain-store": "entrants"}
"""Scenarios of the library, and the parameter that is their number of periods."""

FAR = (1, 10, 20, 50, 100)

MOST = 9
"""Periods at which even a fast Gambit is stopped: the tree has to be written."""

MOST_NODES = 300_000


def run(plan: Plan) -> list[Table]:
    """Both tables."""
    return [against_gambit(plan), growth(plan)]


def against_gambit(plan: Plan) -> Table:
    """The same equilibria by Gambit, period by period until it takes too long."""
    absent = missing("pygambit")
    rows: list[list[object]] = []
    for name in () if absent or not plan.peers else GAMES:
        for periods in range(1, (2 if plan.quick else MOST) + 1):
            scenario = at(name, periods)
            game = detente.compile_game(scenario)
            nodes = count_nodes(game)
            if nodes > MOST_NODES:
                break
            plan.tell(f"{name}, {periods} periods, {nodes:,} nodes")
            tree = unroll(game, max_nodes=MOST_NODES)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "game.efg"
                file.write_text(tree.text, encoding="utf-8")
                theirs = ask(plan, "gambit", file, PRECISION)
            ours = times(partial(detente.solve, game, detente.SolveOptions(threads=1)), plan)
            whole = times(partial(compile_and_solve, scenario), plan)
            apart = "–"
            if theirs.play:
                sets = sorted(tree.information_sets, key=lambda s: (s.player, s.number))
                solution = detente.solve(game, detente.SolveOptions(threads=1))
                mine = np.concatenate([play_at(solution, where) for where in sets])
                apart = f"{np.abs(mine - np.array(theirs.play)).max():.1e}"
            rows.append([name, periods, nodes, theirs, ours, theirs.against(ours), whole, apart])
            if theirs.seconds is None:
                break
    note = (
        f"λ = {PRECISION:g}. Gambit: `pygambit.qre.logit_solve_lambda` on the tree that "
        "`detente.to_efg` writes. Detente: `detente.solve` on one thread with all that it does by "
        "itself (65 belief points, the coarser grid, regret, the certificate); `with compile` adds "
        "`compile_game`. `apart`: largest difference of a probability over all information sets, "
        "which is the belief grid's."
    )
    columns = ["game", "periods", "nodes", "Gambit", "Detente", "ratio", "with compile", "apart"]
    return Table("Gambit", absent or note, columns, rows)


def growth(plan: Plan) -> Table:
    """The same games with more periods than a tree could hold."""
    rows: list[list[object]] = []
    for name in GAMES:
        for periods in FAR[:2] if plan.quick else FAR:
            plan.tell(f"{name}, {periods} periods")
            game = detente.compile_game(at(name, periods))
            ours = times(partial(detente.solve, game, detente.SolveOptions(threads=1)), plan)
            solution = detente.solve(game, detente.SolveOptions(threads=1))
            points = solution.certificate.nodes
            each = ours.per(points)
            error = solution.discretisation_error
            told = "–" if error is None else f"{error:.1e}"
            status = solution.status.name.lower()
            nodes = large(count_nodes(game))
            rows.append([name, periods, nodes, points, ours, each, told, status])
    note = (
        f"λ = {PRECISION:g}; no peer. `points`: pairs of turn's state and belief on the finer "
        "grid. `error`: change of payoffs from a grid half as fine."
    )
    columns = ["game", "periods", "nodes of the tree", "points", "solve", "a point", "error"]
    columns.append("status")
    return Table("Growth with the horizon", note, columns, rows)


def at(name: str, periods: int) -> Scenario:
    """A scenario of the library with so many periods, at λ = PRECISION."""
    values = {GAMES[name]: float(periods), "precision": PRECISION}
    return detente.load(name).with_values(values)


def compile_and_solve(scenario: Scenario) -> Solution:
    """From the file's contents to the solution."""
    return detente.solve(detente.compile_game(scenario), detente.SolveOptions(threads=1))


def play_at(solution: Solution, where: InformationSet) -> np.ndarray:
    """Our strategy [a] at an information set, with beliefs from Bayes' rule along its history."""
    game = solution.game
    belief = list(game.priors)
    x = 0
    for n, e, k in where.history:
        layer = game.layers[n]
        first, last = layer.action_ptr[x], layer.action_ptr[x + 1]
        if layer.movers and last - first > 1:
            m = layer.movers[0]
            after = belief[m] * interpolated_strategy(solution, n, x, belief)[:, e - first]
            belief[m] = after / after.sum()
        x = int(layer.succ[k])
    return np.asarray(interpolated_strategy(solution, where.layer, x, belief)[where.theta])
