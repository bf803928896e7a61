"""What of a forecast can be defended: noise, the range of precisions, what beliefs are worth."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from detente.analysis.audit import Audit
from detente.analysis.noise import NoiseAudit
from detente.analysis.precision_band import SETTLED, PrecisionBand
from detente.analysis.reputation import FELT, HIGH, LOW, Reputation
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.charts import Picture, Pictures, Stack, Stacks
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.words import changed, identity, in_force, span, together, unsolved, who
from detente.numbers import payoff, percent, signed, within
from detente.scenario.model import SHOCKS, Scenario
from detente.text import capital

MOVED = 0.02
"""A share of a first move that beliefs change by less is not listed."""

LARGE = math.log(100)
"""λ times a payoff from which a change of odds is not written out."""

ALL_CHANCE = 0.005
"""Share of an outcome up to which the moves that bring it about do not count beside chance."""

BY_CHANCE = (
    "By chance: no move brings it about, but moves that were not best may have made it likely: "
    "compare with best moves only."
)
NEARLY_BEST = "A move that gives up much less than 1 / λ ({}) is all but a best one."
BY_SHOCKS = (
    "A move is not best here where a private shock to its payoff decided it, of scale 1 / λ: {}."
)

LIMIT = "A precision is the limit: there is no half of it, and no twice."
RANDOM = "At a precision of 0 all moves are alike, and say nothing of what is best."


def describe_audit(result: Audit) -> Described:
    """All of it."""
    solution = result.forecast.solution
    scenario, game = solution.game.scenario, solution.game
    length = span(scenario, result.forecast.periods, forever=game.loop is not None)
    parts = [precision(scenario, result.band), noise(scenario, result.noise)]
    if result.reputation is not None:
        parts.append(reputation(scenario, result.reputation))
    return Described(
        scenario.title,
        (f"{length}; {in_force(game.policy)}", changed(scenario)),
        tuple(parts),
        {"scenario": identity(scenario, policy=game.policy), **audit_data(result)},
        unsolved({"": solution.status}),
    )


def audit_data(result: Audit) -> dict[str, Any]:
    """What was found, for programs; null where it cannot be asked."""
    band, audit, worth = result.band, result.noise, result.reputation
    precisions = None
    if band is not None:
        actors = result.forecast.solution.game.scenario.actors
        precisions = {
            "beliefs": list(band.points),
            "solved": band.solved,
            "precisions": {
                name: dict(zip(actors, case.precision.tolist(), strict=True))
                for name, case in band.cases.items()
            },
            **band.tables,
        }
    return {
        "precision": precisions,
        "noise": None if audit is None else {"draws": audit.draws, **audit.tables},
        "reputation": None if worth is None else dict(worth.tables),
    }


def summary(result: Audit) -> Section:
    """For each outcome, in one line, how far it can be defended."""
    columns: dict[str, dict[str, str]] = {}
    notes = []
    scenario = result.forecast.solution.game.scenario
    final = list(result.forecast.final.rows())
    columns["forecast"] = {r["outcome"]: percent(r["happened"]) for r in final}
    if result.band is None:
        notes.append(LIMIT)
    else:
        columns["half to twice the precision"] = {
            r["outcome"]: _ends(r["low"], r["high"]) for r in result.band.tables["outcomes"].rows()
        }
        notes.append(
            "Half to twice the precision: the least and the most at half, at once "
            "and at twice the precision of everybody's play. Where precision has not been "
            f"estimated, the forecast says no more than this.{_on_grid(result.band)}"
        )
    if result.noise is None:
        notes.append(RANDOM)
    else:
        rows = list(result.noise.tables["outcomes"].rows())
        columns["not best"] = {r["outcome"]: _brief_share(r) for r in rows}
        columns["given up"] = {r["outcome"]: _given_up(r) for r in rows}
        columns["best moves only"] = {r["outcome"]: percent(r["best_play"]) for r in rows}
        notes += (
            "Not best: in how many of the cases in which it comes about the move that brings it "
            "about is not its mover's best; given up: what that costs the mover on average, in "
            "its payoff. Best moves only: the probability if everybody made its best move at "
            f"every turn, while all expect play as it is. These columns are {_drawn(result.noise)}",
            BY_CHANCE if "by chance" in columns["not best"].values() else "",
            _scale(result.noise),
        )
    if result.reputation is not None:
        notes.append(worth_of_belief(scenario, result.reputation))
    lines: list[Row] = [
        (code(r["outcome"]), *(c[r["outcome"]] for c in columns.values())) for r in final
    ]
    table = Table(("outcome", *columns), tuple(lines), range(1, 1 + len(columns)), stacked=True)
    return Section("audit", "How far it can be defended", (table, text(*notes)))


def _ends(low: float, high: float) -> str:
    """The ends of a band: nearly all is not said to be all."""
    return f"{percent(low)} – {percent(high)}"


def _share(r: dict[str, Any]) -> str:
    return percent(r["by_other"] / r["happened"]) if r["happened"] else ""


def _brief_share(r: dict[str, Any]) -> str:
    """The same, but where no move brings it about: 0 % would look as if all moves were best."""
    if r["by_best"] + r["by_other"] > ALL_CHANCE * r["happened"]:
        return _share(r)
    if not r["happened"]:
        return ""
    return "by chance" if r["by_chance"] > 0 else "at the start"


def _given_up(r: dict[str, Any]) -> str:
    return "" if math.isnan(r["given_up"]) else f"{r['given_up']:.2f}"


def _scale(audit: NoiseAudit) -> str:
    """What payoffs given up are small beside, by actor."""
    game = audit.solution.game
    scales = {actor.name: f"{1 / game.precision[i]:.2g}" for i, actor in enumerate(game.actors)}
    each = together([f"{scale} for {name}" for name, scale in scales.items()])
    same = len(set(scales.values())) == 1
    said = BY_SHOCKS if game.shocks else NEARLY_BEST
    return said.format(next(iter(scales.values())) if same else each)


def _drawn(audit: NoiseAudit) -> str:
    """How good what is drawn is: a share of few histories is worse than a probability.

    Of what all n of them agree on no more is known than that others are fewer than 3 in n.
    """
    rows = [r for r in audit.tables["outcomes"].rows() if r["happened"]]
    error = max(3 / audit.draws, *(2 * r["error"] for r in rows), 0.0)
    shares = [(r["by_other"] / r["happened"], r["happened"] * audit.draws) for r in rows]
    worst = max(
        (max(2 * math.sqrt(p * (1.0 - p) / n), min(3 / n, 1.0)) for p, n in shares), default=error
    )
    return (
        f"from {audit.draws:,} histories drawn: probabilities are good to {within(error)} points "
        f"or so, shares to {within(worst)}."
    )


def _on_grid(band: PrecisionBand) -> str:
    lost = "" if band.solved else " Not every one of them was solved as it should be."
    if not band.coarse:
        return lost
    grid = " x ".join(str(n) for n in band.points if n > 1)
    moved = "belief points, and moved by what the finer one changes"
    return f" Solved on a coarse grid of {grid} {moved}.{lost}"


def noise(scenario: Scenario, audit: NoiseAudit | None) -> Section:
    """What rests on moves that were not their mover's best."""
    title = "What rests on moves that were not best"
    if audit is None:
        return Section("noise", title, (text(RANDOM),))
    rows: list[Row] = []
    stacks = []
    for r in audit.tables["outcomes"].rows():
        parts = (r["by_best"], r["by_other"], r["by_chance"] + r["at_start"])
        cells = tuple(percent(p) for p in (r["happened"], *parts))
        rows.append((code(r["outcome"]), *cells, _share(r), _given_up(r), percent(r["best_play"])))
        stacks.append(Stack(r["outcome"], parts, 0.0))
    shocks = "of a private shock to its payoff, which is not counted here"
    why = shocks if scenario.responses == SHOCKS else "play is not perfectly precise"
    header = (
        "outcome",
        "in all",
        "by a best move",
        "by another",
        "by chance",
        "share of others",
        "given up",
        "best moves only",
    )
    caption = "Probability that it comes about, by the move that brings it about"
    table = Table(header, tuple(rows), range(1, len(header)), caption)
    note = (
        "A best move is one than which its mover expects nothing better, at what everybody "
        f"believes then; any other is made because {why}. 'Given up': what "
        "the other moves that bring it about cost their movers on average, in payoff. 'Best moves "
        "only': the probability if everybody made a best move at every turn, while all expect play "
        "as it is. 'By chance' holds what stood at the start, too; a chance event may have been "
        "made likely by earlier moves that were not best."
    )
    movers: list[Row] = []
    for r in audit.tables["moves"].rows():
        if r["moves"]:
            often = f"{r['moves']:.1f}", percent(r["other"] / r["moves"]), _given_up(r)
            movers.append((scenario.actors[r["actor"]].name, *often))
    blocks: list[Block] = []
    if rows:
        names = ("by a best move", "by another move", "by chance")
        chart = Stacks("How each outcome comes about", names, tuple(stacks))
        blocks.append(
            Pictures(
                (Picture(chart),), f"{note} {_scale(audit)} {capital(_drawn(audit))}", (table,)
            )
        )
    columns = ("actor", "choices a history", "not its best", "given up by each")
    blocks += [Heading("Whose moves are not best"), Table(columns, tuple(movers), range(1, 4))]
    return Section("noise", title, tuple(blocks))


def precision(scenario: Scenario, band: PrecisionBand | None) -> Section:
    """The forecast over half to twice the precision."""
    title = "What holds over half to twice the precision"
    if band is None:
        return Section("precision", title, (text(LIMIT),))
    rows: list[Row] = []
    for r in band.tables["outcomes"].rows():
        cells: list[str | Cell] = [
            code(r["outcome"]),
            percent(r["happened"]),
            _ends(r["low"], r["high"]),
        ]
        if band.ranged:
            cells.append(_ends(r["range_low"], r["range_high"]))
        cells += [percent(r["holds"]), _ends(r["holds_low"], r["holds_high"])]
        rows.append((*cells, _direction(band, r["outcome"])))
    over = ("over its range",) if band.ranged else ()
    ends = ("band", *over)
    header = ("outcome", "comes about", *ends, "holds at the end", "band", "as λ rises")
    caption = "Probability, and its least and most over half to twice the precision"
    table = Table(header, tuple(rows), range(1, len(header) - 1), caption)
    payoffs: list[Row] = []
    for r in band.tables["payoffs"].rows():
        spans = [(r["low"], r["high"])]
        spans += [(r["range_low"], r["range_high"])] if band.ranged else []
        name, value = scenario.actors[r["actor"]].name, payoff(r["payoff"], 1e-2)
        payoffs.append((name, r["type"], value, *(f"{a:.1f} – {b:.1f}" for a, b in spans)))
    values = Table(
        ("actor", "type", "payoff", *ends), tuple(payoffs), range(2, 3 + len(ends)), "Payoffs"
    )
    note = (
        "All actors' precisions together, at half, at once and at twice what the file says. Where "
        "precision has not been estimated, what the band does not exclude, the forecast does not "
        f"exclude.{_on_grid(band)}"
    )
    ranged = ""
    if band.ranged:
        low, high = (_precisions(scenario, band, end) for end in ("low", "high"))
        ranged = f"'Over its range' takes in the ends of the scenario's ranges: {low}; {high}."
    return Section("precision", title, (table, values, text(note, ranged)))


def _precisions(scenario: Scenario, band: PrecisionBand, case: str) -> str:
    pairs = zip(scenario.actors.values(), band.cases[case].precision, strict=True)
    return ", ".join(f"{actor.name} {value:g}" for actor, value in pairs)


def _direction(band: PrecisionBand, outcome: str) -> str:
    """Where a probability goes as precision grows."""
    cases = sorted(band.cases.values(), key=lambda case: float(case.precision.sum()))
    tables = [case.outcomes.where(outcome=outcome) for case in cases]
    steps = [float(b - a) for a, b in pairwise(table["happened"][-1] for table in tables)]
    if max(map(abs, steps)) < SETTLED:
        return "stays"
    if all(step >= -SETTLED for step in steps):
        return "rises"
    return "falls" if all(step <= SETTLED for step in steps) else "turns"


def reputation(scenario: Scenario, result: Reputation) -> Section:
    """What being believed is worth."""
    rows: list[Row] = []
    for r in result.tables["payoffs"].rows():
        head = who(scenario, r["actor"], r["type"]), r["believed"]
        since = scenario.calendar.mark_labels([r["t"]])[0] if r["t"] else "start"
        numbers = payoff(r["low"], 1e-3), payoff(r["high"], 1e-3), signed(r["worth"], 2)
        rows.append(
            (*head, since, *numbers, "" if math.isnan(r["slope"]) else signed(r["slope"], 2))
        )
    ends = f"at {LOW:.0%}", f"at {HIGH:.0%}"
    header = ("actor (in truth)", "believed to be", "from", *ends, "worth", "slope at prior")
    caption = "Expected payoff as others believe it of a type with little and with much probability"
    table = Table(header, tuple(rows), range(3, 7), caption)
    moves: list[Row] = []
    for r in result.tables["moves"].rows():
        if abs(r["high"] - r["low"]) >= MOVED:
            belief = f"{scenario.actors[r['about']].name} is {r['believed']}"
            mover = who(scenario, r["actor"], r["type"])
            moves.append((belief, mover, r["action"], percent(r["low"]), percent(r["high"])))
    blocks: list[Block] = [text(worth_of_belief(scenario, result)), table]
    if moves:
        columns = ("if it is believed that", "first move of", "action", *ends)
        blocks += [Heading("How first moves change"), Table(columns, tuple(moves), range(3, 5))]
    elif len(result.tables["moves"]):
        blocks.append(text("No share of a first move changes by two points or more with it."))
    on_coarser = "" if result.solution.quick is result.solution else ", on the coarser grid"
    blocks.append(
        text(
            "Payoffs after the start are those of what is left of play, from the states and the "
            f"other beliefs that the forecast reaches by then{on_coarser}."
        )
        if any(r["t"] for r in result.tables["payoffs"].rows())
        else text()
    )
    return Section("reputation", "What being believed is worth", tuple(blocks))


def worth_of_belief(scenario: Scenario, result: Reputation) -> str:
    """Whether anybody gains by being believed, in a sentence."""
    rows = list(result.tables["payoffs"].rows())
    if not result.matters:
        return (
            "Nobody gains from being believed: no payoff depends on what others believe of a "
            "private type, beyond the error of the solution."
        )
    top = max(rows, key=lambda r: abs(r["worth"]))
    verb = "gains" if top["worth"] > 0 else "loses"
    since = f" after {scenario.calendar.mark_labels([top['t']])[0]}" if top["t"] else ""
    game = result.solution.game
    scaled = abs(top["worth"]) * game.precision[list(scenario.actors).index(top["actor"])]
    odds = f"{math.exp(scaled):.2g}" if scaled < LARGE else "more than 100"
    most = (
        f"{who(scenario, top['actor'], top['type'])} {verb} {abs(top['worth']):.2g}{since} if it "
        f"is believed to be {top['believed']} with {percent(HIGH)} rather than {percent(LOW)}"
    )
    if result.gains < FELT:
        return (
            "What others believe of a type hardly changes what its actor gets: by less than would "
            f"change the odds of a single move by a tenth. Most of all, {most}."
        )
    return (
        f"What others believe of a type changes what its actor gets: most of all, {most}. That "
        f"much changes the odds of a move {odds}-fold."
    )
