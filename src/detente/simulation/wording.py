"""Results of a forecast in words, as the command line and the report tell them."""

from __future__ import annotations

import math
from dataclasses import astuple

from detente.game.arrays import CompiledGame
from detente.simulation.forecast import Forecast, overall
from detente.solver.solution import Solution

MARKS = {"day": (30, 90, 180), "week": (13, 26, 52), "month": (6, 12, 24), "quarter": (2, 4, 8)}
"""Periods at which outcomes are told, by the unit of the calendar."""


def percent(probability: float, error: float = 0.0) -> str:
    """A probability in per cent, with a decimal only where its error leaves one."""
    value = 100 * probability
    digits = 1 if error < 0.0005 else 0  # an unknown error is not a number: no decimal
    small = 0.5 * 10.0**-digits
    if 0 < value < small:
        return f"<{10.0**-digits:g} %"
    return f"{value:.{digits}f} %"


def marks(result: Forecast) -> list[int]:
    """The periods to tell about: usual lengths for dated play, quarters of the way for rounds."""
    return marks_within(result.periods, result.solution.game.scenario.calendar.unit)


def marks_within(last: int, unit: str) -> list[int]:
    """The same for the number of periods and the unit of the calendar."""
    usual = MARKS.get(unit)
    chosen = usual or (math.ceil(last / 4), math.ceil(last / 2), last)
    kept = [t for t in chosen if t < last]
    return sorted({*kept[:2], last}) if usual is None else [*kept, last]


def span(result: Forecast) -> str:
    """Which periods are played, and which of them are told."""
    game = result.solution.game
    calendar = game.scenario.calendar
    periods = f"{result.periods} {calendar.unit}{'' if result.periods == 1 else 's'}"
    since = f" from {calendar.label(1)}" if calendar.start else ""
    if game.loop is None:
        return periods + since
    told = f"first {periods} are" if result.periods > 1 else f"first {calendar.unit} is"
    return f"without end{since}; the {told} told"


def mark_labels(game: CompiledGame, times: list[int]) -> list[str]:
    """What to call the periods of `marks`."""
    unit = game.scenario.calendar.unit
    if unit == "quarter":
        return [f"{3 * t} months" for t in times]
    return [f"{t} {unit}{'s' if t > 1 else ''}" for t in times]


def grid_text(solution: Solution) -> str:
    """The size of the belief grid; for two types points and nodes are the same."""
    informed = [simplex for simplex in solution.grid.about if simplex.steps]
    points = " x ".join(str(simplex.steps + 1) for simplex in informed)
    if all(simplex.size == simplex.steps + 1 for simplex in informed):
        return points
    nodes = " x ".join(str(simplex.size) for simplex in informed)
    edges = "each edge" if len(informed) == 1 else "the edges"
    return f"with {points} points along {edges} ({nodes} nodes)"


def outcome_error(result: Forecast) -> float:
    """Largest error of an outcome's probability, nan where it is not known."""
    error = overall(result.solution.game, result.tables["outcomes"])["error"]
    return float(error.max()) if len(error) else math.nan


def quality(result: Forecast) -> list[str]:
    """How good the answer is, in sentences that do not depend on the machine's speed."""
    solution = result.solution
    game, certificate = solution.game, solution.certificate
    share = certificate.checked / certificate.nodes
    part = "all" if share == 1 else f"a sample of {certificate.checked:,}"
    lines = [
        f"{solution.status.value[0].upper()}{solution.status.value[1:]}.",
        *solution.notes,
        f"Recomputed by separate code at {part} of {certificate.nodes:,} turn-state-belief points: "
        f"largest residual {certificate.residual:.1e}, values to {certificate.value_error:.1e}.",
        f"Expected payoffs counted forward equal the values to {result.forward_error:.1e}.",
    ]
    if solution.discretisation_error is not None:
        outcome = outcome_error(result)
        told = "" if math.isnan(outcome) else f"outcome probabilities by up to {outcome:.1g}, "
        lines.append(
            f"Belief grid {grid_text(solution)}; a grid half as fine changes {told}"
            f"payoffs by up to {solution.discretisation_error:.1g}."
        )
    if certificate.regret and certificate.regret_points != solution.grid.points:
        points = " x ".join(str(n) for n in certificate.regret_points)
        lines.append(f"What a best response would add was computed on a grid of {points}.")
    b = solution.branches
    if any(astuple(b)):
        several = any(len(layer.movers) > 1 for layer in game.layers)
        whose = "informed actors or of several at once" if several else "informed actors"
        forked = f", {b.forked:,} straight through forks" if b.forked else ""
        lines.append(
            f"Turns of {whose}: {b.unique:,} certain to have one solution, "
            f"{b.traced + b.folded + b.forked:,} followed along the principal branch "
            f"({b.folded:,} of them around folds{forked}), {b.failed:,} failed."
        )
    most = max(layer.states.size for layer in game.layers)
    turns = f"{len(game.layers):,} turns{'' if game.loop is None else ' a period'}"
    lines.append(f"Up to {most:,} states at a turn, {turns}, {len(game.profiles)} type profiles.")
    return lines
