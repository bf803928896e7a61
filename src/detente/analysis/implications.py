"""What the numbers of a scenario say, without any equilibrium: rates, odds, ends; odd ones.

All of it is read off the compiled game at named states, by its formulas alone, so that an author
can deny it. What others would answer is nowhere in it.

The *yardstick* of an actor is the change of one variable from its level at the start to a
neighbouring one, at which play goes on, that moves the flow of a period most. What else the actor
gains or loses is expressed in periods of it: rate = payoff / |flow of the yardstick|, undiscounted.

At a state the share of an action a, where nothing counted but a payoff q, is

    share(a) = w(a) exp(λ q(a)) / Σ w exp(λ q)

with reference behaviour w. Here q is minus what the move costs at once (*by its cost*), that and
the flow of a period that ends right after it (*this period*), or that and all that follows if the
state then stays as it is until the end (*lasting*). A move worse by d than all others there, which
are equally good, is done one time in ten where

    d = (log 9 + log(w / (1 - w))) / λ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from detente.analysis.oddities import Oddity, oddities
from detente.analysis.static_play import Chance, Charge, Static
from detente.dtypes import Floats
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.scenario.model import Scenario

SELDOM = 0.1
"""How often a move is still made whose slack is given: one time in ten."""

NOTHING = 1e-12
"""Payoffs up to this are rounding."""

LEVEL, END, MOVE, TERM, BORNE, LASTING = "level", "end", "move", "term", "borne", "lasting"
TOGETHER = "together"
"""What a rate is of: a period at another level, the end there, a move's cost to who makes it, that
of breaking a term, another's move, and a move whose effect stays; and what moves made at the same
time cost together, beside what each does."""

START, WORST = "start", "worst"
"""The states at which odds are given."""


class Rate(NamedTuple):
    """What something is worth to an actor of a type ('' where it has none).

    what
        The variable, or the action or term.
    level, rather
        Of a variable the level, and that of the start; of another's move who makes it. Of moves
        made together `what` is the own one ('' where it is of no matter), `level` those of others.
    payoff
        In the scenario's unit; a cost is below 0. At the first occasion.
    least, most
        The same over all states of play.
    periods
        The payoff in periods of the actor's yardstick; nan without one.
    """

    actor: str
    type: str
    kind: str
    what: str
    level: str
    rather: str
    payoff: float
    least: float
    most: float
    periods: float


class Odds(NamedTuple):
    """How often an actor of a type does an action at a state, by what counts there.

    reference
        Where nothing is at stake.
    by_cost
        By what the move costs at once.
    this_period
        By that and the flow of a period that ends right after it.
    lasting
        By that and all that follows if nothing else happened until the end.
    slack
        How much worse than all others the action may be and still be done one time in ten;
        `slack_periods` in periods of the yardstick.
    """

    actor: str
    type: str
    at: str
    state: str
    action: str
    reference: float
    by_cost: float
    this_period: float
    lasting: float
    slack: float
    slack_periods: float


class Yardstick(NamedTuple):
    """The change that an actor's rates are counted in, and what it gains (by type) a period."""

    variable: str
    level: str
    rather: str
    flow: tuple[float, ...]


class Swing(NamedTuple):
    """How far apart payoffs can be for an actor of a type, in a period and at the end.

    Over the states of play in which no outcome has ended it.
    """

    actor: str
    type: str
    flow: float
    terminal: float


@dataclass(frozen=True)
class Implications:
    """What a scenario's numbers say.

    yardsticks
        By actor; none for an actor that nothing of the flow matters to.
    rates, odds, swings
        Everything, in the order of actors and types.
    odd
        What of it is odd (`detente.analysis.oddities` says by which thresholds).
    """

    scenario: Scenario
    policy: str
    yardsticks: dict[str, Yardstick]
    rates: tuple[Rate, ...]
    odds: tuple[Odds, ...]
    swings: tuple[Swing, ...]
    odd: tuple[Oddity, ...] = ()

    def __repr__(self) -> str:
        return f"<Implications of {self.scenario.name!r}: {len(self.rates)} rates>"


def implies(game: CompiledGame) -> Implications:
    """What the numbers of a scenario say, in terms that its author can deny.

    Nothing is solved: payoffs and costs are evaluated at the start, at the levels next to it, and
    at the worst state for each actor.

    Parameters
    ----------
    game
        As compiled under a policy, whose soft terms are counted among the costs.

    Returns
    -------
    Implications
        Exchange rates in periods of each actor's yardstick, what the end is worth, odds of moves
        at the start and at the worst state, and how much worse a move may be and still be done
        one time in ten. See the module for the formulas.
    """
    expect(game, CompiledGame, "implies")
    static = Static(game)
    charges, joint = list(static.charges()), list(static.joint_charges())
    yardsticks: dict[str, Yardstick] = {}
    rates: list[Rate] = []
    odds: list[Odds] = []
    for i, actor in enumerate(game.actors):
        reader = _Reader(static, i)
        if reader.yardstick is not None:
            yardsticks[actor.key] = reader.yardstick
        rates += [
            *reader.levels(),
            *reader.costs(charges),
            *reader.together(joint),
            *reader.lasting(),
        ]
        odds += reader.odds()
    swings = tuple(_swings(static))
    read = Implications(game.scenario, game.policy, yardsticks, tuple(rates), tuple(odds), swings)
    return replace(read, odd=tuple(oddities(static, read, [*charges, *joint])))


class _Reader:
    """What is read off for one actor."""

    def __init__(self, static: Static, i: int) -> None:
        self.static, self.i = static, i
        self.actor = static.game.actors[i]
        self.types = self.actor.types or ("",)
        self.chances = static.chances(i)
        self.yardstick = self._yardstick()
        flows = self.yardstick.flow if self.yardstick else [np.nan] * len(self.types)
        self.unit = np.abs(np.where(np.abs(flows) > NOTHING, flows, np.nan))

    def _yardstick(self) -> Yardstick | None:
        best, largest = None, NOTHING
        for name, variable in self.static.game.scenario.variables.items():
            for level in (variable.start + 1, variable.start - 1):
                if 0 <= level < variable.size and not self.static.ended(
                    self.static.elsewhere(name, level), 1
                ):
                    flow = self._change(self.static.flow, name, level)
                    size = float(np.abs(flow) @ self.static.game.priors[self.i])
                    if size > largest * (1 + 1e-9):
                        labels = variable.label(level), variable.label(variable.start)
                        best = Yardstick(name, *labels, tuple(flow.tolist()))
                        largest = size
        return best

    def _change(self, payoff: Callable[..., Floats], variable: str, level: int) -> Floats:
        """A payoff where a variable is at this level less that at the start, float64 [k]."""
        there, here = self.static.elsewhere(variable, level), np.array([self.static.start])
        change: Floats = (payoff(self.i, there) - payoff(self.i, here))[0]
        if self.static.at.findings.found:  # at a state that play does not reach
            self.static.at.findings.found.clear()
            return np.zeros_like(change)
        return change

    def levels(self) -> Iterator[Rate]:
        """What a period and the end at other levels than those of the start are worth.

        Of a numbered variable the level above, of a named one each.
        """
        payoffs = {LEVEL: self.static.flow, END: self.static.terminal}
        if self.static.game.loop is not None:
            del payoffs[END]
        for kind, payoff in payoffs.items():
            for name, variable in self.static.game.scenario.variables.items():
                start = variable.start
                near = start + 1 if start + 1 < variable.size else start - 1
                others = range(variable.size) if variable.names else [near]
                for level in others:
                    if level != start and level >= 0:
                        change = self._change(payoff, name, level)
                        labels = variable.label(level), variable.label(start)
                        yield from self._rates(kind, name, *labels, change)

    def _rates(
        self,
        kind: str,
        what: str,
        level: str,
        rather: str,
        payoff: Floats,
        ends: Floats | None = None,
    ) -> Iterator[Rate]:
        """One for each type, unless it is nothing to any of them; `ends` is [2, k]."""
        ends = np.array([payoff, payoff]) if ends is None else ends
        if max(np.abs(payoff).max(), np.abs(ends).max()) <= NOTHING:
            return
        for k, name in enumerate(self.types):
            numbers = float(payoff[k]), float(ends[0, k]), float(ends[1, k])
            periods = float(payoff[k] / self.unit[k])
            yield Rate(self.actor.key, name, kind, what, level, rather, *numbers, periods)

    def costs(self, charges: list[Charge]) -> Iterator[Rate]:
        """What moves of its own and of others cost it, and what breaking terms does."""
        actors = list(self.static.game.scenario.actors)
        groups: dict[tuple[str, str, str], list[Charge]] = {}
        for charge in charges:
            if charge.payer == self.i:
                own = charge.mover == self.i
                kind = BORNE if not own else MOVE if charge.charged in self._moves() else TERM
                who = "" if own else actors[charge.mover]
                groups.setdefault((kind, charge.charged.key, who), []).append(charge)
        for (kind, what, who), mine in sorted(groups.items(), key=lambda g: g[0][0] != MOVE):
            yield from self._paid(kind, what, who, mine)

    def together(self, charges: list[Charge]) -> Iterator[Rate]:
        """What moves made at the same time cost it together."""
        groups: dict[tuple[str, str], list[Charge]] = {}
        for charge in charges:
            if charge.payer == self.i:
                own = [move for who, move in charge.together if who == self.actor.key]
                others = [f"{m} of {who}" for who, m in charge.together if who != self.actor.key]
                groups.setdefault(("".join(own), " and ".join(others)), []).append(charge)
        for (what, beside), mine in groups.items():
            yield from self._paid(TOGETHER, what, beside, mine)

    def _paid(self, kind: str, what: str, who: str, mine: list[Charge]) -> Iterator[Rate]:
        """What is paid for one thing: at the start or at the first occasion, and its span."""
        codes = mine[0].codes
        row = int(np.argmax(codes == self.static.start))  # the first, where none is
        ends = -np.array(
            [np.max([c.costs.max(axis=0) for c in mine], axis=0),
             np.min([c.costs.min(axis=0) for c in mine], axis=0)]
        )  # fmt: skip
        yield from self._rates(kind, what, who, "", -mine[0].costs[row], ends)

    def _moves(self) -> list[object]:
        return list(self.static.game.scenario.actions.get(self.actor.key, {}).values())

    def lasting(self) -> Iterator[Rate]:
        """What moves are worth if after them nothing happened until the end."""
        known: set[str] = set()
        for chance in self._occasions():
            options = self.static.options(self.i, chance)
            for a, action in enumerate(options.actions):
                if action not in known:
                    known.add(action)
                    yield from self._rates(LASTING, action, "", "", options.lasting[a])

    def _occasions(self) -> Iterator[Chance]:
        """The choice at the start, then the first at which there is an action not seen before."""
        first = self.static.first(self.chances)
        seen: set[int] = set()
        for chance in [first, *self.chances] if first else []:
            layer = self.static.game.layers[chance.layer]
            edges = slice(layer.action_ptr[chance.row], layer.action_ptr[chance.row + 1])
            fresh = set(layer.action[edges, chance.mover].tolist()) - seen
            if fresh:
                seen |= fresh
                yield chance

    def odds(self) -> Iterator[Odds]:
        """At the start, and at the worst state if that is another."""
        static, i = self.static, self.i
        first, worst = static.first(self.chances), static.worst(i, self.chances)
        precision = float(static.game.precision[i])
        for at, chance in ((START, first), (WORST, worst)):
            if chance is None or (at == WORST and worst == first):
                continue
            options = static.options(i, chance)
            shares = (
                options.shares(precision, -options.cost),
                options.shares(precision, options.flow - options.cost),
                options.shares(precision, options.lasting),
            )
            slack = options.slack(precision, SELDOM)
            for k, name in enumerate(self.types):
                for a in range(len(options.actions)):
                    yield Odds(
                        self.actor.key,
                        name,
                        at,
                        static.where(chance),
                        options.actions[a],
                        float(options.reference[a]),
                        by_cost=float(shares[0][a, k]),
                        this_period=float(shares[1][a, k]),
                        lasting=float(shares[2][a, k]),
                        slack=float(slack[a]),
                        slack_periods=float(slack[a] / self.unit[k]),
                    )


def _swings(static: Static) -> Iterator[Swing]:
    """Over the states in which a period and play can end, but for those where play had ended."""
    game = static.game
    wide = len(game.profiles)
    sets = [game.structure.sets[n] for n in game.structure.period_sets]
    for i, actor in enumerate(game.actors):
        mine = slice(i * wide, (i + 1) * wide)
        on = [~static.ended(codes, t) for t, codes in enumerate(sets, start=1)]
        flows = np.concatenate([flow[rows, mine] for flow, rows in zip(game.flow, on, strict=True)])
        for k, name in enumerate(actor.types or ("",)):
            weights = static.weights[i][:, k]
            spans = (_span(flows @ weights), _span(game.terminal[on[-1], mine] @ weights))
            yield Swing(actor.key, name, *spans)


def _span(payoffs: Floats) -> float:
    return float(np.ptp(payoffs)) if payoffs.size else 0.0
