"""What of a scenario's numbers is odd enough that its author should look at it first.

Odd is not wrong. Each kind has a threshold that stands here with its reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detente.analysis.static_play import Charge, Static
from detente.dtypes import Floats, Ints
from detente.game.compile import payoffs
from detente.game.evaluate import Evaluator, Names
from detente.numbers import count
from detente.scenario.entities import Actor
from detente.scenario.formula.expression import Formula

if TYPE_CHECKING:
    from detente.analysis.implications import Implications, Rate

MOST_ODDS = 20.0
"""To one, by the costs of moves alone: beyond it a move is all but ruled out, or all but sure,
before anything that it brings about is looked at."""

MOST_RATE = 1000.0
"""Periods of the yardstick, or their inverse: beyond it the two are hardly on one scale."""

RARE = 0.01
"""A share of reference behaviour (or of all but it) below which a move is hardly an option."""

LEAST_STAKE = 1.0
"""λ times all that can ever be gained or lost: below it the odds of no move change threefold."""

SURE = math.log(1000.0)
"""λ times one period of the yardstick: above it that alone moves odds a thousandfold."""

LOSSES = re.compile(r"\b(costs?|harms?|hurts?|loses?|loss|losses|pain|penalty|penalties)\b")
GAINS = re.compile(r"\b(worth|gains?|benefits?|brings?|rewards?)\b")
SHARES = re.compile(r"\b(share|factor|less|lower|takes?|away|saves?|spares?|how much of)\b")
"""Words by which an `about` says that a number is a loss or a gain, or only a part of one."""


class Oddity(NamedTuple):
    """Something odd: a kind, whom it is about ('' for nobody in particular), and why it is odd."""

    code: str
    actor: str
    message: str
    reason: str


def by_type(numbers: Iterable[tuple[str, str]], apart: bool = False) -> str:
    """What is said of each type, of which '' is the only one; once where all are alike."""
    pairs = list(numbers)
    if len({words for _, words in pairs}) == 1 and not apart:
        return pairs[0][1]
    return ", ".join(f"{words} if {kind}" for kind, words in pairs)


def oddities(static: Static, read: Implications, charges: list[Charge]) -> Iterator[Oddity]:
    """All that is odd, what can be a slip of the pen first."""
    yield from _signs(static)
    yield from _alike(static, charges)
    for i, actor in enumerate(static.game.actors):
        yield from _stakes(static, read, i)
        rates = [rate for rate in read.rates if rate.actor == actor.key]
        yield from _rates(rates, actor.name, static)
        yield from _odds(read, actor)


def _signs(static: Static) -> Iterator[Oddity]:
    """Parameters that their words call a loss and that are a gain, or the other way round."""
    slopes: dict[str, list[Floats]] = {}
    scenario = static.game.scenario
    signed = [(1.0, f) for kind in ("flow", "terminal") for _, f in payoffs(scenario, kind)]
    for actions in scenario.actions.values():
        signed += [(-1.0, f) for action in actions.values() for f in action.costs.values()]
    signed += [(-1.0, term.cost) for term in scenario.terms.values() if term.cost]
    for sign, formula in signed:
        for name in formula.parameters:
            slope = _slope(static.at, formula, name, static.game.final, static.game.periods)
            slopes.setdefault(name, []).append(sign * slope)
    for n, side in static.joint_sides():
        layer, rows = static.game.layers[n], side.action == 0
        at, codes = static.at.beside(side, layer.states)
        paid = [formula for own in side.actions for _, formula in own.charged if rows.any()]
        for formula in paid:
            for name in formula.parameters:
                slope = _slope(at, formula, name, codes[rows], layer.period)
                slopes.setdefault(name, []).append(-slope)
    for name, parts in slopes.items():
        about = scenario.parameters[name].about.lower()
        least, most = min(s.min() for s in parts), max(s.max() for s in parts)
        loss, gain = (bool(words.search(about)) for words in (LOSSES, GAINS))
        if SHARES.search(about) or loss == gain:
            continue
        if (loss and most > 0 <= least) or (gain and least < 0 >= most):
            does = "raises payoffs and lowers none" if loss else "lowers payoffs and raises none"
            message = f"{name} is “{scenario.parameters[name].about}”, but a larger one {does}"
            yield Oddity("sign", "", message, "its words say the opposite: look at its sign")


def _slope(at: Evaluator, formula: Formula, name: str, codes: Ints, t: int) -> Floats:
    """The derivative of a formula at states, float64 [x, p]."""

    def work(of: Formula, names: Names, shape: tuple[int, ...]) -> Floats:
        return np.broadcast_to(np.nan_to_num(of.derivative(names, name)), shape)

    slope = at.profiled(formula, codes, t, work)
    at.findings.found.clear()  # of states at which a cost is never paid
    return slope


def _alike(static: Static, charges: list[Charge]) -> Iterator[Oddity]:
    """Actors whose types want the same."""
    game = static.game
    wide = len(game.profiles)
    for i in game.informed:
        actor = game.actors[i]
        tables = [t[:, i * wide : (i + 1) * wide] @ static.weights[i] for t in game.flow]
        tables.append(game.terminal[:, i * wide : (i + 1) * wide] @ static.weights[i])
        tables += [charge.costs for charge in charges if charge.payer == i]
        if any(actor.key in event.concerns for event in game.scenario.events.values()) or any(
            action.becomes for action in game.scenario.actions.get(actor.key, {}).values()
        ):
            continue  # what chance does, or the actor itself, tells them apart
        others = [f for kind in ("flow", "terminal") for who, f in payoffs(game.scenario, kind)
                  if who != i]  # fmt: skip
        if all(np.ptp(table, axis=1).max() < 1e-12 for table in tables) and not any(
            actor.key in formula.actors for formula in others
        ):
            message = f"the types of {actor.name} have the same payoffs and costs everywhere"
            yield Oddity("alike", actor.key, message, "what nobody else knows makes no difference")


def _stakes(static: Static, read: Implications, i: int) -> Iterator[Oddity]:
    """Ends that outweigh all before, and precisions to which payoffs are nothing or all."""
    game, actor = static.game, static.game.actors[i]
    unit = game.scenario.calendar.unit
    precision = float(game.precision[i])
    swings = [swing for swing in read.swings if swing.actor == actor.key]
    flow, end = (max(getattr(s, kind) for s in swings) for kind in ("flow", "terminal"))
    costs = [abs(r.least) for r in read.rates if r.actor == actor.key]
    whole = flow / (1 - game.discount[i]) if game.loop is not None else game.periods * flow
    if not max([flow, end, *costs]):
        message = f"nothing that can happen matters to {actor.name}"
        yield Oddity("indifferent", actor.key, message, "it does what its references say")
        return
    if end > whole > 0:
        message = f"where play goes on to the end, the end can move the payoff of {actor.name} by "
        message += f"{end:.3g}, and {count(game.periods, unit)} before it by {whole:.3g}"
        yield Oddity("end", actor.key, message, "what happens on the way hardly counts")
    if precision * (whole + end + max([0.0, *costs])) < LEAST_STAKE:
        message = f"the most that {actor.name} can win or lose is less than 1/λ"
        yield Oddity("noise", actor.key, message, "its moves are chance whatever it wants")
    yardstick = read.yardsticks.get(actor.key)
    if yardstick and precision * max(map(abs, yardstick.flow)) > SURE and precision < math.inf:
        message = f"for {actor.name} one {unit} of {yardstick.variable} {yardstick.level} rather"
        message += f" than {yardstick.rather} moves odds more than 1000-fold"
        yield Oddity("sharp", actor.key, message, "so sharp a λ leaves no room for error")


def _rates(rates: list[Rate], name: str, static: Static) -> Iterator[Oddity]:
    """What is worth a thousand periods or a thousandth of one, and what is good and bad."""
    far, unit = [], static.game.scenario.calendar.unit
    for rate in rates:
        size = abs(rate.periods)
        if size > MOST_RATE or 0 < size < 1 / MOST_RATE:
            beside = " beside " if rate.kind == "together" and rate.what else " "
            what = f"{rate.what}{beside}{rate.level}".strip()
            far.append(f"{what} {rate.periods:+.3g} {unit}s")
    if far:
        message = f"counted in its yardstick, for {name}: {'; '.join(dict.fromkeys(far))}"
        yield Oddity("rate", rates[0].actor, message, "these are hardly on one scale")
    sides: dict[tuple[str, str, str], dict[str, set[bool]]] = {}
    for rate in rates:
        if rate.kind in ("level", "end"):
            types = sides.setdefault((rate.what, rate.level, rate.rather), {})
            types.setdefault(rate.type, set()).add(rate.payoff > 0)
    both = []
    for (what, level, rather), types in sides.items():
        kinds = [kind for kind, signs in types.items() if len(signs) > 1]
        if kinds and not static.ended(static.at_level(what, level), 1).any():
            which = f" ({', '.join(kinds)})" if len(kinds) < len(types) else ""
            both.append(f"{what} {level} rather than {rather}{which}")
    if both:
        message = f"for {name} what is good each {unit} is bad at the end, or the other way round"
        reason = "one of the two signs may be a slip"
        yield Oddity("two-ways", rates[0].actor, f"{message} ({'; '.join(both)})", reason)


def _odds(read: Implications, actor: Actor) -> Iterator[Oddity]:
    """Moves that costs alone all but rule out, and references near 0 or 1."""
    against: dict[str, list[tuple[str, str]]] = {}
    rare: list[str] = []
    mine = [row for row in read.odds if row.actor == actor.key and row.at == "start"]
    for kind, group in groupby(mine, key=lambda row: row.type):
        rows = list(group)
        tilts = {row.action: row.by_cost / row.reference for row in rows}
        for action, tilt in tilts.items():
            odds = max(tilts.values()) / tilt if tilt else math.inf
            if odds > MOST_ODDS:
                size = f"{odds:,.0f}" if odds < 1e6 else "over a million"
                against.setdefault(action, []).append((kind, f"{size} to 1"))
        rare += [row.action for row in rows if not RARE <= row.reference <= 1 - RARE]
    if against:
        parts = "; ".join(
            f"{action} {by_type(odds, len(odds) < len(actor.types))}"
            for action, odds in against.items()
        )
        message = f"at the start, by the cost of the move alone, odds of {actor.name} are against "
        reason = "all but ruled out before it is asked what it brings"
        yield Oddity("odds", actor.key, message + parts, reason)
    if rare:
        names = ", ".join(dict.fromkeys(rare))
        message = f"where nothing is at stake, {actor.name} does hardly ever, or nearly always: "
        yield Oddity("reference", actor.key, message + names, "its reference is near 0 or 1")
