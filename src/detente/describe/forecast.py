"""A forecast: what happens, who does what, what is learned, what it is worth, how good it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from detente import __version__
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.charts import Ladder, OverTime, Picture, Pictures, Series
from detente.describe.tables import Row, Table, code
from detente.describe.words import (
    attributes,
    changed,
    clause,
    coded,
    grid_text,
    identity,
    in_force,
    span,
    spoken_of,
    together,
    unsolved,
)
from detente.numbers import EXACT, MISSING, decimals, payoff, percent, with_interval, within
from detente.scenario.entities import FOREVER, Actor, Variable
from detente.simulation.columns import Columns
from detente.simulation.conditions import ANY
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import Forecast, marginal
from detente.solver.memory import HISTORIES
from detente.text import capital, sentence

AT_SOME_TIME, HOLDS = "at some time", "holds then"
"""What an outcome's probabilities are called: that it has come about by then, and that it holds."""

FLAT = 0.05
"""How far an outcome moves to be drawn over time."""

MOST_CROSSED = 4
"""Types of an actor up to which beliefs about each are looked at in truth of each."""

TALLEST = 8
"""Levels of a variable that are drawn one by one."""


def describe_forecast(result: Forecast, defence: Section | None = None) -> Described:
    """All of it; `defence` says how far it can be defended."""
    game = result.solution.game
    scenario = game.scenario
    length = span(scenario, result.periods, forever=game.loop is not None)
    more = (beliefs(result), states(result), worth(result), quality(result))
    sections = (outcomes(result), defence, *more)
    return Described(
        title=scenario.title,
        lead=(f"{length}; {in_force(game.policy)}", changed(scenario), _condition(result)),
        sections=tuple(section for section in sections if section is not None),
        data=_data(result),
        unsolved=unsolved({"": result.solution.status}),
    )


def _condition(result: Forecast) -> str:
    """What the forecast is conditional on; '' for nothing."""
    actors = result.solution.game.scenario.actors
    types = [f"{actors[key].name} is {kind}" for key, kind in result.types.items()]
    been = [f"“{key}” has come about" for key in result.given]
    if not types and not been:
        return ""
    line = f"given that {together([*types, *been])}"
    if been:
        line += (
            " by the end of the period that is spoken of (probability "
            f"{percent(result.likelihood)} by the last)"
        )
    return line


def outcomes(result: Forecast) -> Section | None:
    """How likely each outcome is over time, and what everybody does first."""
    game = result.solution.game
    scenario = game.scenario
    times = scenario.calendar.marks(result.periods)
    table = marginal(game, result.tables["outcomes"])
    items: list[Picture] = []
    rows: list[Row] = []
    for key in game.holds:
        mine = table.where(outcome=key)
        about = clause(scenario, key)
        if max(np.ptp(mine["happened"]), np.ptp(mine["holds"])) >= FLAT:
            chart = OverTime(f"Probability that {about}", tuple(mine["period"]), _lines(mine))
            items.append(Picture(chart, capital(about)))
        at = mine[np.searchsorted(mine["t"], times)]
        errors = np.append(at["error"][~np.isnan(at["happened"])], at["holds_error"][-1])
        worst = float(np.max(errors))  # not known where one is not
        cells = [percent(p, worst) for p in (*at["happened"], at["holds"][-1])]
        rows.append((code(key), *cells, within(worst), scenario.outcomes[key].about))
    blocks: tuple[Block, ...] = () if result.given else first(result)
    if rows:
        error = outcome_error(result)
        band = (
            f"The band is the error of the computation ({within(error)} points at most), not doubt "
            "about the model."
        )
        if error < EXACT:
            band = "Nothing is approximated in this game, so there is no band of error."
        labels = scenario.calendar.mark_labels(times)
        numbers = Table(
            ("outcome", *labels, "at the end", "grid error", "meaning"),
            tuple(rows),
            range(1, len(labels) + 3),
            "Probability that it comes about within, and that it holds at the end"
            + (", given the condition" if result.given else ""),
        )
        caption = (
            "Probability that it has come about at some time by the end of the period; and, where "
            f"it may pass, that it holds then. {band}"
        )
        if len(items) < len(rows):
            caption += f" What moves by less than {100 * FLAT:.0f} points is in the numbers only."
        blocks = (Pictures(tuple(items), caption, (numbers,)), *blocks)
    return Section("outcomes", "What happens under these assumptions", blocks) if blocks else None


def _lines(mine: Columns) -> tuple[Series, ...]:
    """An outcome over time with its errors: that it has come about, and, if it may pass, holds."""
    lines = []
    for name, value, error in (
        (AT_SOME_TIME, mine["happened"], mine["error"]),
        (HOLDS, mine["holds"], mine["holds_error"]),
    ):
        known = np.nan_to_num(error)
        low, high = np.clip(value - known, 0, 1), np.clip(value + known, 0, 1)
        lines.append(Series(name, tuple(value), tuple(low), tuple(high)))
    if np.array_equal(mine["happened"], mine["holds"]):
        return (lines[0]._replace(name=""),)
    return tuple(lines)


def first(result: Forecast) -> tuple[Block, ...]:
    """What each actor and type does at the first turn at which it moves."""
    actors = result.solution.game.scenario.actors
    rows = []
    moves = first_moves(result).rows()
    for (when, key, kind), given in groupby(moves, itemgetter("period", "actor", "type")):
        shares = sorted((r for r in given if r["share"] > 0), key=lambda r: -r["share"])
        actions = ", ".join(f"{r['action']} {percent(r['share'])}" for r in shares)
        rows.append((when, actors[key].name, kind, actions))
    table = Table(("when", "actor", "type", "actions"), tuple(rows))
    return (Heading("Who does what first"), table) if rows else ()


def beliefs(result: Forecast) -> Section | None:
    """How beliefs about private types move, in truth of any type; of many types, of the same. None
    where nothing is private, or histories were not drawn."""
    if not len(result.tables["beliefs"]):
        return None
    game = result.solution.game

    def is_crowded(actor: Actor) -> bool:
        return len(actor.types) > MOST_CROSSED and actor.key not in result.types

    actors = list(game.scenario.actors.values())
    calendar = game.scenario.calendar
    times = calendar.marks(result.periods)
    was = "began as" if game.changing else "is"
    items, rows = [], []
    for i in game.informed:
        actor = actors[i]
        for believed in spoken_of(actor):
            lines = []
            truths = (believed,) if is_crowded(actor) else actor.types
            for truth in (result.types[actor.key],) if actor.key in result.types else truths:
                true = {actors[j].key: truth if j == i else ANY for j in game.informed}
                given = result.tables["beliefs"].where(about=actor.key, type=believed)
                given = given.where(**true)
                ends = tuple(given["low"]), tuple(given["high"])
                lines.append(Series(f"if {truth}", tuple(given["median"]), *ends))
                start, *later = given[np.searchsorted(given["t"], [0, *times])].rows()
                cells = [with_interval(r["median"], r["low"], r["high"]) for r in later]
                head = (f"{actor.name} is {believed}", f"it {was} {truth}")
                rows.append((*head, percent(start["mean"]), *cells))
            heading = f"Belief that {actor.name} is {believed}"
            items.append(Picture(OverTime(heading, tuple(given["period"]), tuple(lines)), heading))
    caption = (
        "What everybody believes after the moves seen so far. Lines: median over histories if the "
        "truth is as named at the line's end; bands: one history in ten lies below, one above. "
        "They are drawn, so that some points are chance: the column `spread_error` has how many."
    )
    drawn = f"Median over histories (one in ten below – above), of {HISTORIES:,} drawn"
    if any(map(is_crowded, (actors[i] for i in game.informed))):
        drawn += "; of many types, what is believed of each where it is the truth"
    header = ("belief that", "when in truth", "start", *calendar.mark_labels(times))
    numbers = Table(
        header,
        tuple(rows),
        range(2, len(header)),
        drawn,
    )
    return Section("beliefs", "How beliefs move", (Pictures(tuple(items), caption, (numbers,)),))


def states(result: Forecast) -> Section | None:
    """Where the variables stand in the end, and the most likely level on the way."""
    game = result.solution.game
    calendar = game.scenario.calendar
    times = calendar.marks(result.periods)
    table = marginal(game, result.tables["states"])
    items, rows = [], []
    for variable in game.structure.variables:
        mine = table.where(variable=variable.key)
        cells = [variable.label(variable.start)]
        for t in times:
            at = mine.where(t=t)
            if np.isnan(at["probability"]).any():
                cells.append(MISSING)
                continue
            top = int(np.argmax(at["probability"]))
            cells.append(f"{at['label'][top]} ({percent(at['probability'][top])})")
        rows.append((variable.key, *cells))
        chart = _ladder(variable, mine.where(t=result.periods)["probability"].tolist())
        items.append(Picture(chart, variable.key, variable.about))
    if not rows:
        return None
    header = ("variable", "start", *calendar.mark_labels(times))
    numbers = Table(header, tuple(rows), range(1, len(header)), "Most likely level at the end")
    caption = (
        "Levels of each variable, the highest on top. ▸ and bold: where play starts. Bars: how "
        "likely each level is at the end."
    )
    pictures = Pictures(tuple(items), caption, (numbers,), narrow=True)
    return Section("states", "Where things stand", (pictures,))


def _ladder(variable: Variable, final: Sequence[float]) -> Ladder:
    """The levels of a variable; of many only some."""
    step = -(-variable.size // TALLEST)
    ends = (0, variable.size - 1)
    levels = [k for k in reversed(range(variable.size)) if k % step == 0 or k in ends]
    return Ladder(
        f"Levels of {variable.key}",
        tuple(variable.label(k) for k in levels),
        tuple(float(final[k]) for k in levels),
        levels.index(variable.start) if variable.start in levels else -1,
    )


def worth(result: Forecast) -> Section | None:
    """What everybody expects at the start, and what noise costs."""
    if not len(result.tables["payoffs"]):
        return None
    actors = result.solution.game.scenario.actors
    rows: list[Row] = []
    for r in result.tables["payoffs"].rows():
        error, digits = r["error"], decimals(r["error"])
        known = "not known" if math.isnan(error) else f"±{error:.1g}"
        if error < EXACT:
            known = "none"
        regret = "" if math.isnan(r["regret"]) else f"{r['regret']:.{digits}f}"
        rows.append((actors[r["actor"]].name, r["type"], payoff(r["payoff"], error), known, regret))
    header: tuple[str, ...] = ("actor", "type", "payoff", "grid error", "regret")
    caption = "Expected payoff, and what a best response would add (regret)"
    if result.solution.game.shocks:
        header, rows = header[:4], [row[:4] for row in rows]
        caption = "Expected payoff, with the shocks that come with what is chosen"
    table = Table(header, tuple(rows), range(2, len(header)), caption)
    return Section("worth", "What it is worth", (table,))


def quality(result: Forecast, *, timed: bool = True) -> Section:
    """How good the answer is; `timed` also how long it took, which is not always the same."""
    *lines, last = sentences(result)
    if timed:
        solution = result.solution
        last = f"{last[:-1]}; {solution.seconds:.1f} s on {solution.threads} threads."
    return Section("quality", "How good the answer is", (text(*lines, last),))


def accuracy_reached(note: str) -> Section:
    """What has become of an accuracy that was asked for."""
    return Section("accuracy", "The accuracy that was asked for", (text(note),))


def outcome_error(result: Forecast) -> float:
    """Largest error of an outcome's probability, to happen or to hold; nan where not known."""
    table = marginal(result.solution.game, result.tables["outcomes"])
    if not len(table):
        return math.nan
    error = np.maximum(table["error"], table["holds_error"])[~np.isnan(table["happened"])]
    return float(error.max()) if len(error) else math.nan


def sentences(result: Forecast) -> Iterator[str]:
    """How good the answer is, whatever the machine's speed."""
    solution = result.solution
    game, certificate = solution.game, solution.certificate
    yield sentence(solution.status.value)
    yield from solution.notes
    some = certificate.checked < certificate.nodes
    part = f"a sample of {certificate.checked:,}" if some else "all"
    where = f"{certificate.nodes:,} turn-state-belief points"
    if certificate.checked:
        yield (
            f"Recomputed by separate code at {part} of {where}: largest residual "
            f"{certificate.residual:.1e}, values to {certificate.value_error:.1e}."
        )
    else:
        yield f"At none of {where} was anything recomputed by separate code."
    if not result.given:
        yield f"Expected payoffs counted forward equal the values to {result.forward_error:.1e}."
    if solution.discretisation_error is not None:
        outcome = outcome_error(result)
        known = "" if math.isnan(outcome) else f"outcome probabilities are known to {outcome:.1g}, "
        payoff = max(solution.payoff_errors.values())
        yield f"Belief grid {grid_text(solution)}: {known}payoffs to {payoff:.1g}."
    if certificate.regret and certificate.regret_points != solution.grid.points:
        points = " x ".join(str(n) for n in certificate.regret_points)
        yield f"What a best response would add was computed on a grid of {points}."
    b = solution.branches
    if any(astuple(b)):
        several = any(len(layer.movers) > 1 for layer in game.layers)
        whose = "informed actors or of several at once" if several else "informed actors"
        forked = f", {b.forked:,} straight through forks" if b.forked else ""
        yield (
            f"Turns of {whose}: {b.unique:,} certain to have one solution, "
            f"{b.traced + b.folded + b.forked:,} followed along the principal branch "
            f"({b.folded:,} of them around folds{forked}), {b.failed:,} failed."
        )
    most = max(layer.states.size for layer in game.layers)
    turns = f"{len(game.layers):,} turns{'' if game.loop is None else ' a period'}"
    yield f"Up to {most:,} states at a turn, {turns}, {len(game.profiles)} type profiles."


def _data(result: Forecast) -> dict[str, Any]:
    """Everything for programs, the whole tables too."""
    solution = result.solution
    game, certificate = solution.game, solution.certificate
    forever = game.loop is not None
    return {
        "scenario": identity(
            game.scenario, policy=game.policy, periods=FOREVER if forever else game.periods
        ),
        "given": {
            "types": dict(result.types),
            "outcomes": result.given,
            "probability": result.likelihood,
        },
        "run": {
            "detente": __version__,
            "periods": result.periods,
            "beliefs": [simplex.steps + 1 for simplex in solution.grid.about],
            "nodes": list(solution.grid.shape),
            "threads": solution.threads,
            "seconds": round(solution.seconds, 3),
        },
        "status": {**coded(solution.status), "notes": solution.notes},
        "certificate": {
            **attributes(certificate, "residual value_error checked nodes change"),
            "regret_beliefs": certificate.regret_points,
            "forward_error": result.forward_error,
            "discretisation": {
                "payoffs": max(solution.payoff_errors.values()),
                "outcomes": outcome_error(result),
            },
            "branches": asdict(solution.branches),
        },
        **result.tables,
    }
