"""Unrolls a small compiled game into an extensive form and writes it as Gambit's .efg.

Chance draws the types, then the turns follow, all moves and chance effects seen by all, but for
types that change and what is hidden of a move, of which others see what it looks like. Payoffs
stand at terminal nodes only. An information set is a mover's type, with those it has had, and the
public history before the turn: movers of one turn choose one after the
other in the tree, and know nothing of each other's choices.

An actor with discount 1 is one player. The stage problem weighs payoffs at their value when the
turn is played, so an actor with another discount is one player for each period, with payoffs at
that period's value; for discount 0 these are the short-lived players of the textbooks. Agent
quantal responses are then the same in both forms. Gambit has one precision for all players;
`scale` multiplies each actor's payoffs by its own precision, for use with λ = 1.

Gambit's responses have no reference behaviour. An action that is taken more often than another
where nothing is at stake stands in the tree as often as whole numbers say, under its name and a
number, each time with all that follows: equal actions are taken equally often.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from detente.arguments import whole
from detente.dtypes import Ints
from detente.errors import SolveError, expect
from detente.game.arrays import CompiledGame, Layer
from detente.text import shown

MAX_NODES = 200_000
"""Nodes of a tree that is still written: Gambit itself is content with far fewer."""

MAX_REPEATS = 20
"""How often the most usual action of a choice stands in the tree at most."""

History = tuple[tuple[int, int, int], ...]
"""Public moves: (layer, joint action e, transition k) for each layer passed."""

Repeats = tuple[int, ...]
"""For each mover, which of the equal actions it took, from 0."""

Path = tuple[tuple[int, int, int, Repeats, int], ...]
"""A history as the tree tells it: also which of equal actions were taken, and the types."""

Paid = tuple[tuple[int, np.ndarray], ...]
"""What the actors got so far: (period, float64 [i]) for each time."""

Tree: TypeAlias = Iterator["str | Tree"]
"""Lines of the file, and parts of the tree that stand between them."""


@dataclass(frozen=True, slots=True)
class InformationSet:
    """Where a type of a mover chooses. `player` and `number` count from 1, as in the .efg."""

    player: int
    number: int
    layer: int
    state: int
    actor: int
    theta: int
    history: History


@dataclass(frozen=True, slots=True)
class ExtensiveForm:
    """The text of the .efg, its players' names, and its information sets in Gambit's order."""

    text: str
    players: tuple[str, ...]
    information_sets: tuple[InformationSet, ...]


def count_nodes(game: CompiledGame) -> int:
    """Nodes of the unrolled tree, counted without building it.

    Raises
    ------
    SolveError
        If the game has no end.
    """
    if game.loop is not None:
        raise SolveError(
            "play goes on forever, so that it has no tree\n"
            "hint: set a horizon, such as 2 periods (`scenario.with_horizon(2)`)"
        )
    if game.shocks:
        raise SolveError(
            "choices come from shocks to payoffs, which no tree of so many moves can hold\n"
            "hint: leave out `responses: shocks`"
        )
    repeats = [_repeats(game, layer) for layer in game.layers]
    drawn = np.flatnonzero(game.profile_prior()).tolist()
    # What follows depends on types where chance does.
    private = any(layer.private is not None or layer.changes for layer in game.layers)
    types = range(len(game.profiles) if private else 1)
    below = [[1 for _ in types]] * game.final.size
    for layer, often in zip(reversed(game.layers), reversed(repeats), strict=True):
        here = []
        for x in range(layer.states.size):
            edges = range(layer.action_ptr[x], layer.action_ptr[x + 1])
            choosing, before = 0, 1
            for m, choices in enumerate(layer.choices[x].tolist()):
                choosing += before if choices > 1 else 0
                before *= int(often[_own_edges(layer, x, m, edges.start), m].sum())
            totals = [choosing for _ in types]
            for e in edges:
                times = math.prod(often[e].tolist())
                for p in types:
                    moves = _moves(game, layer, e, p)
                    after = (len(moves) > 1) + sum(below[layer.succ[k]][q] for k, q in moves)
                    totals[p] += times * after
            here.append(totals)
        below = here
    return (len(drawn) > 1) + sum(below[0][p if private else 0] for p in drawn)


def to_efg(game: CompiledGame, *, scale: bool = False, max_nodes: int = MAX_NODES) -> str:
    """The game as the text of a Gambit .efg file (see the module for its conventions).

    Raises
    ------
    SolveError
        If the tree would have more than `max_nodes` nodes, with their number; if the game has no
        end; if payoffs are to be scaled by a precision that is not finite; if choices come from
        shocks; if reference behaviour is not in proportion to small whole numbers.
    """
    expect(game, CompiledGame, "to_efg")
    return unroll(game, scale=scale, max_nodes=max_nodes).text


def unroll(game: CompiledGame, *, scale: bool = False, max_nodes: int = MAX_NODES) -> ExtensiveForm:
    """The extensive form of a game; see `to_efg`."""
    whole("max_nodes", max_nodes, 1)
    nodes = count_nodes(game)
    if scale and not np.isfinite(game.precision).all():
        raise SolveError(
            "payoffs cannot be scaled by a precision of `limit`\n"
            "hint: give every actor a precision, or leave the payoffs as they are"
        )
    if nodes > max_nodes:
        exact = f"{nodes:,}" if nodes < 10**15 else f"about 10^{math.log10(nodes):.0f}"
        raise SolveError(
            f"the unrolled tree would have {exact} nodes; at most {max_nodes:,} are written\n"
            "hint: take a shorter horizon, or allow more nodes"
        )
    writer = _Writer(game, scale)
    lines = list(_flat(writer.root()))
    title = _quote(game.scenario.title)
    players = " ".join(_quote(name) for name in writer.players)
    about = _quote(f"{game.scenario.name}, {game.periods} periods; written by Detente")
    head = [f"EFG 2 R {title} {{ {players} }}", about, ""]
    text = "\n".join([*head, *lines, ""])
    return ExtensiveForm(text, tuple(writer.players), tuple(writer.sets))


def _own_edges(layer: Layer, x: int, m: int, first: int) -> range:
    """One joint action for each own action of a mover, from `first` on: others as in that one."""
    step = math.prod(layer.choices[x, m + 1 :].tolist())
    return range(first, first + step * int(layer.choices[x, m]), step)


def _repeats(game: CompiledGame, layer: Layer) -> Ints:
    """How often each mover's own action stands in the tree, int64 [e, m]. Raises `SolveError`."""
    often = np.ones(layer.reference.shape, dtype=np.int64)
    uneven = np.flatnonzero((layer.reference != 1.0).any(axis=1))
    for x in np.unique(np.searchsorted(layer.action_ptr, uneven, side="right") - 1).tolist():
        edges = slice(layer.action_ptr[x], layer.action_ptr[x + 1])
        for m, mover in enumerate(layer.movers):
            shares = layer.reference[edges, m]
            exact = [Fraction(share).limit_denominator(MAX_REPEATS) for share in shares]
            times = math.lcm(*(share.denominator for share in exact))
            if times > MAX_REPEATS or not np.allclose([*map(float, exact)], shares, 1e-9, 0.0):
                actor = game.actors[mover]
                where = game.structure.describe(int(layer.states[x]))
                raise SolveError(
                    f"reference behaviour of {actor.key} at {where} is not in proportion to whole "
                    f"numbers up to {MAX_REPEATS}, and a tree can only repeat an action\n"
                    "hint: give each `reference` as a whole number"
                )
            often[edges, m] = [int(share * times) for share in exact]
    return often


def _moves(game: CompiledGame, layer: Layer, e: int, p: int) -> dict[tuple[int, int], float]:
    """Chance after joint action e when the types are p: a transition for each next state, with the
    types that follow, and its probability."""
    span = range(int(layer.trans_ptr[e]), int(layer.trans_ptr[e + 1]))
    if layer.private is not None:
        i, change = layer.private.actor, layer.private.change
        apart, theta = _apart(game, i), int(game.profiles[p, i])
        chances = {
            (k, p + (after - theta) * apart): float(change[k, theta, after])
            for k in span
            for after in range(change.shape[1])
        }
        return {move: chance for move, chance in chances.items() if chance > 0}
    by_target: dict[int, tuple[int, float]] = {}
    for k in span:
        if layer.prob[k] > 0:
            first, total = by_target.get(int(layer.succ[k]), (k, 0.0))
            by_target[int(layer.succ[k])] = (first, total + float(layer.prob[k]))
    turned = {p: 1.0}
    if layer.hidden is not None:
        (i,), row = layer.movers, layer.hidden.change[e]
        apart, theta = _apart(game, i), int(game.profiles[p, i])
        after = np.flatnonzero(row[theta]).tolist()
        turned = {p + (phi - theta) * apart: float(row[theta, phi]) for phi in after}
    return {
        (k, q): chance * share for k, chance in by_target.values() for q, share in turned.items()
    }


def _apart(game: CompiledGame, i: int) -> int:
    """Rows from a type profile to that with the next type of actor i."""
    return math.prod(prior.size for prior in game.priors[i + 1 :])


def _flat(tree: Tree) -> Iterator[str]:
    """The lines of a tree, whatever its depth: a recursion would go as deep as the game is long."""
    stack = [tree]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, str):
            yield item
        else:
            stack.append(item)


def _quote(text: str) -> str:
    line = shown(" ".join(text.split()))
    return '"' + line.replace("\\", "").replace('"', "'") + '"'


class _Writer:
    """Walks the tree in the order of the file, numbering players' information sets."""

    def __init__(self, game: CompiledGame, scale: bool) -> None:
        self.game = game
        self.weight = game.precision if scale else np.ones(len(game.priors))
        self.actors = list(game.scenario.actors.values())
        self.players: list[str] = []
        self.owner: dict[tuple[int, int], int] = {}  # (actor, period) -> player
        names = [actor.name for actor in self.actors]
        for i, actor in enumerate(self.actors):
            single = game.discount[i] == 1
            name = actor.name if names.count(actor.name) == 1 else f"{actor.name} ({actor.key})"
            for t in range(1, game.periods + 1):
                if not single or t == 1:
                    label = game.scenario.calendar.label(t)
                    self.players.append(name if single else f"{name}, {label}")
                self.owner[i, t] = len(self.players)
        self.repeats = [_repeats(game, layer) for layer in game.layers]
        self.sets: list[InformationSet] = []
        self.numbers: dict[tuple[int, int, tuple[tuple[Any, ...], ...]], int] = {}
        self.counts: dict[int, int] = {}
        self.chances = 0
        self.ends = 0

    def root(self) -> Tree:
        prior = self.game.profile_prior()
        drawn = [int(p) for p in np.flatnonzero(prior)]
        if len(drawn) > 1:
            names = [self._profile_name(p) for p in drawn]
            yield self._chance("types", names, prior[drawn])
        for p in drawn:
            yield self._node(p, 0, 0, (), ())

    def _profile_name(self, p: int) -> str:
        kinds = zip(self.actors, self.game.profiles[p], strict=True)
        return ", ".join(f"{a.key} {a.types[theta]}" for a, theta in kinds if len(a.types) > 1)

    def _chance(self, name: str, labels: list[str], prob: np.ndarray) -> str:
        self.chances += 1
        # Gambit wants probabilities that add up to 1 exactly: the last one takes the rounding.
        exact = [Fraction(Decimal(repr(float(p)))) for p in prob]
        exact[-1] = 1 - sum(exact[:-1], start=Fraction(0))
        body = " ".join(f"{_quote(x)} {p}" for x, p in zip(labels, exact, strict=True))
        return f'c "" {self.chances} {_quote(f"{name} #{self.chances}")} {{ {body} }} 0'

    def _node(self, p: int, n: int, x: int, path: Path, paid: Paid) -> Tree:
        """The subtree at state x before layer n, when the types are p and `paid` came so far."""
        game = self.game
        if n == len(game.layers):
            yield self._terminal(p, x, paid)
            return
        yield self._turn(p, n, x, path, paid, int(game.layers[n].action_ptr[x]), ())

    def _turn(
        self, p: int, n: int, x: int, path: Path, paid: Paid, first: int, times: Repeats
    ) -> Tree:
        """The choices of movers after those of `times`, whose joint actions begin at `first`."""
        layer, m = self.game.layers[n], len(times)
        if m == len(layer.movers):
            yield self._effects(p, n, first, path, paid, times)
            return
        edges = _own_edges(layer, x, m, first)
        often = self.repeats[n][edges, m].tolist()
        if len(edges) > 1:
            yield self._choice(p, n, x, path, m, edges)
        for e, count in zip(edges, often, strict=True):
            for time in range(count):
                yield self._turn(p, n, x, path, paid, e, (*times, time))

    def _effects(self, p: int, n: int, e: int, path: Path, paid: Paid, times: Repeats) -> Tree:
        """What chance makes of joint action e, and what follows."""
        game = self.game
        layer = game.layers[n]
        width = len(game.profiles)
        moves = _moves(game, layer, e, p)
        if len(moves) > 1:
            after = game.structure.sets[n + 1]
            labels = [game.structure.describe(int(after[layer.succ[k]])) for k, _ in moves]
            if layer.changes:
                types = [self._profile_name(after_p) for _, after_p in moves]
                labels = [f"{state}; {name}" for state, name in zip(labels, types, strict=True)]
            yield self._chance(layer.event or "effect", labels, np.array([*moves.values()]))
        for k, after_p in moves:
            target = int(layer.succ[k])
            got = (*paid, (layer.period, layer.reward[e, p::width]))
            if game.ends_period[n]:
                flow = game.flow[layer.period - 1][target, after_p::width]
                got = (*got, (layer.period, flow))
            yield self._node(after_p, n + 1, target, (*path, (n, e, k, times, p)), got)

    def _choice(self, p: int, n: int, x: int, path: Path, m: int, edges: range) -> str:
        """The choice of mover m among its own actions."""
        layer = self.game.layers[n]
        mover = layer.movers[m]
        theta = int(self.game.profiles[p, mover])
        player = self.owner[mover, layer.period]
        own = self.game.profiles[[p for *_, p in path], mover] if path else ()
        seen = tuple(
            (*self._seen(step, mover), int(kind)) for step, kind in zip(path, own, strict=True)
        )
        key = (player, theta, seen)
        if key not in self.numbers:
            number = self.counts[player] = self.counts.get(player, 0) + 1
            history = tuple((layer, e, k) for layer, e, k, *_ in path)
            self.numbers[key] = number
            self.sets.append(InformationSet(player, number, n, x, mover, theta, history))
        actor = self.actors[mover]
        kind = f" {actor.types[theta]}" if actor.types else ""
        when = self.game.scenario.calendar.label(layer.period)
        where = self.game.structure.describe(int(layer.states[x]))
        actions = list(self.game.scenario.actions[actor.key])
        often = self.repeats[n][edges, m].tolist()
        labels = " ".join(
            _quote(actions[a] if time == 0 else f"{actions[a]} {time + 1}")
            for a, count in zip(layer.action[edges, m].tolist(), often, strict=True)
            for time in range(count)
        )
        # Gambit wants labels that differ: states may come again, numbers do not.
        name = _quote(f"{actor.key}{kind} #{self.numbers[key]}, {when}: {where}")
        return f'p "" {player} {self.numbers[key]} {name} {{ {labels} }} 0'

    def _seen(
        self, step: tuple[int, int, int, Repeats, int], actor: int
    ) -> tuple[int, int, int, Repeats]:
        """What an actor knows of a move: others see what it looks like, and where it leads."""
        n, e, k, times, _ = step
        layer = self.game.layers[n]
        if layer.hidden is None or actor in layer.movers:
            return n, e, k, times
        return n, int(layer.hidden.alike[e]), int(layer.succ[k]), ()

    def _terminal(self, p: int, x: int, paid: Paid) -> str:
        game = self.game
        paid = (*paid, (game.periods + 1, game.terminal[x, p :: len(game.profiles)]))
        totals = [0.0] * len(self.players)
        for (i, t), player in self.owner.items():
            if t > 1 and game.discount[i] == 1:
                continue
            value = sum(
                float(game.discount[i]) ** (s - t) * float(got[i]) for s, got in paid if s >= t
            )
            totals[player - 1] = self.weight[i] * value
        self.ends += 1
        body = " ".join(repr(float(v)) for v in totals)
        return f't "" {self.ends} "" {{ {body} }}'
