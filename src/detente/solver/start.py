"""Where the search for an equilibrium begins: choices that somebody has published or found.

A game may have several equilibria, of which `solve` takes the one on the principal branch. Choices
lead to one near them: Newton's method begins from them at every turn, and, in a game without end,
from what it is worth to make them for ever. These values are found as the stationary values of the
same game at precision 0 with the choices as reference behaviour, which is what play is there; where
choices come from shocks, the mean of the shock that comes with each is added to its payoff. (Of
what differs by type, reference behaviour is the mean over the prior: of a game in which much is
learnt the values are a guess.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic, Place, ScenarioError, refuse
from detente.game.arrays import CompiledGame, Layer
from detente.game.evaluate import evaluator_of
from detente.scenario.csv_table import CsvLine, read_table, table_text
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.parse import parse
from detente.scenario.hints import alias, did_you_mean
from detente.scenario.observations import READING, scope_of
from detente.solver.layout import kinds, play_pointers

REQUIRED, OPTIONAL = ("actor", "action", "share"), ("when", "type")

LEAST = 1e-12
"""Share of an action that is never taken: its log odds must be numbers."""


@dataclass(frozen=True, eq=False)
class Start:
    """Choices from which to look for an equilibrium of one game.

    strategies
        For each layer float64, flat: states one after the other, each ordered [(m, θ, a)], as in
        `Solution.strategies` at one node; empty for chance.
    """

    file: str
    strategies: tuple[Floats, ...]

    def check(self, game: CompiledGame) -> None:
        """Refuse to begin from here in a game that it is not for."""
        if game.plays != tuple(play.size for play in self.strategies):
            message, hint = "these choices are those of another game", "read them for this one"
            refuse("start", "wrong-type", message, hint)
        if np.isinf(game.precision).any():
            message = "the limit of precision is followed along the principal branch"
            refuse("start", "not-together", message, "give a precision that is a number")

    def note(self, node: int, strategies: Sequence[Floats]) -> str:
        """How far from here strategies are at a node of the belief grid, in a sentence."""
        away = [
            float(np.abs(sigma.reshape(play.size, -1)[:, node] - play).max())
            for sigma, play in zip(strategies, self.strategies, strict=True)
            if play.size
        ]
        most = max(away, default=0.0)
        return (
            f"Found from the choices in {self.file}, from which no share of an action differs by "
            f"more than {most:.2g} at the first beliefs; the principal branch was not followed."
        )


def read_start(source: str | Path, game: CompiledGame) -> Start:
    """Read choices for a game from a CSV file.

    Each line has the `share` with which an `actor` takes an `action`: in states in which `when`
    holds, a condition (in all where it is empty or no column), and, of an actor with private types,
    where its `type` is that (or whichever). Shares are taken among the actions that are available.
    Where no line says what an actor does, it begins from its reference behaviour.

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    return parse_start(table_text(source), game, file=str(source))


def parse_start(text: str, game: CompiledGame, *, file: str = "<text>") -> Start:
    """Read choices for a game from the text of a file; `file` is what messages call it."""
    reader = _StartReader(game)
    lines = read_table(text, file, REQUIRED, OPTIONAL, reader.problems)
    rows = [row for line in lines if (row := reader.row(line))]
    reader.refuse()
    strategies = tuple(reader.strategies(layer, rows, Place(file)) for layer in game.layers)
    reader.refuse()
    return Start(file, strategies)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a line says: how often an actor of a type (-1: any) takes an action, and where."""

    place: Place
    actor: int
    type: int
    action: int
    when: Formula | None
    share: float


class _StartReader:
    """Gives lines their meaning; mistakes go into `problems`."""

    def __init__(self, game: CompiledGame) -> None:
        self.game = game
        self.problems: list[Diagnostic] = []
        self.scope = scope_of(game.scenario)
        self.at = evaluator_of(game.scenario, game.structure)

    def refuse(self) -> None:
        """Raise `ScenarioError` with all mistakes so far, if there are any."""
        self.at.findings.refuse()
        if self.problems:
            raise ScenarioError(sorted(dict.fromkeys(self.problems), key=lambda p: p.place))

    def row(self, line: CsvLine) -> _Row | None:
        """One line, if nothing is wrong with it."""
        before, actors = len(self.problems), self.game.actors
        actor = self._number(line, "actor", [(each.key, each.name) for each in actors])
        if actor is None:
            return None
        actions = self.game.scenario.actions[actors[actor].key].items()
        action = self._number(line, "action", [(key, *each.names) for key, each in actions])
        of_type: int | None = -1
        if line["type"]:
            of_type = self._number(line, "type", [(name,) for name in actors[actor].types])
        when = None
        if line["when"]:
            when = parse(line["when"], line.place, self.scope, READING, self.problems)
        try:
            share = float(line["share"])
        except ValueError:
            share = math.nan
        if not 0 <= share < math.inf:
            message, hint = f"`{line['share']}` is no share", "write a number from 0 to 1"
            self.problems.append(Diagnostic(line.place, "out-of-range", message, hint))
        if len(self.problems) > before or action is None or of_type is None:
            return None
        return _Row(line.place, actor, of_type, action, when, share)

    def _number(self, line: CsvLine, column: str, known: Sequence[Sequence[str]]) -> int | None:
        """The position of what a cell names; None after reporting that there is none."""
        for number, names in enumerate(known):
            if alias(line[column]) in map(alias, names):
                return number
        message = f"`{line[column]}` is no {column}{' of its actor' * (column != 'actor')}"
        hint = did_you_mean(line[column], [names[0] for names in known])
        self.problems.append(Diagnostic(line.place, "unknown-name", message, hint))
        return None

    def strategies(self, layer: Layer, rows: Sequence[_Row], file: Place) -> Floats:
        """Those of a layer, as `Start` has them."""
        sizes = np.repeat(layer.choices, kinds(self.game, layer), axis=1).ravel()
        play = np.ones(sizes.sum())
        for m, i in enumerate(layer.movers):
            table = self._table(layer, i, rows)
            moves = np.flatnonzero(layer.action[:, m] >= 0)
            x, action = _states(layer)[moves], layer.action[moves, m]
            for of_type, number in enumerate(_numbers(self.game, layer, m)):
                share = table[x, of_type, action]
                said = np.zeros(layer.states.size, dtype=bool)
                said[x[~np.isnan(share)]] = True
                missing = np.isnan(share) & said[x]
                if missing.any():
                    self._report_missing(layer, i, x[missing][0], action[missing][0], file)
                share = np.where(said[x], np.maximum(share, LEAST), layer.reference[moves, m])
                play[number[moves]] = share
        if sizes.size:
            totals = np.add.reduceat(play, np.cumsum(sizes) - sizes)
            play /= np.repeat(totals, sizes)
        return play

    def _table(self, layer: Layer, i: int, rows: Sequence[_Row]) -> Floats:
        """Shares of an actor's actions at a layer's states, float64 [x, θ, a]; nan where unsaid."""
        count = len(self.game.scenario.actions[self.game.actors[i].key])
        table = np.full((layer.states.size, self.game.priors[i].size, count), np.nan)
        for row in rows:
            if row.actor != i:
                continue
            types = slice(None) if row.type < 0 else slice(row.type, row.type + 1)
            where = self.at.holds(row.when, layer.states, layer.period)
            if not np.isnan(table[where, types, row.action]).all():
                message = "an earlier line has the share of this action in some of these states"
                hint = "tell the lines apart by `when` or `type`; actions that are alike share one"
                self.problems.append(Diagnostic(row.place, "duplicate-name", message, hint))
            table[where, types, row.action] = row.share
        return table

    def _report_missing(self, layer: Layer, i: int, x: int, action: int, file: Place) -> None:
        key = self.game.actors[i].key
        name = list(self.game.scenario.actions[key])[action]
        where = self.at.where(int(layer.states[x]), layer.period)
        message = f"{key} can `{name}` {where}, where other lines say what it does and none says so"
        hint = "give the shares of all its actions there, or of none"
        self.problems.append(Diagnostic(file, "missing", message, hint))


def _states(layer: Layer) -> Ints:
    """The state of each joint action, int64 [e]."""
    return np.repeat(np.arange(layer.states.size), np.diff(layer.action_ptr))


def _numbers(game: CompiledGame, layer: Layer, m: int) -> Ints:
    """Where in a layer's strategies the m-th mover's part of each joint action is: int64 [θ, e]."""
    types, x = np.array(kinds(game, layer), dtype=np.int64), _states(layer)
    apart = np.prod(layer.choices[:, m + 1 :], axis=1)
    own = (np.arange(x.size) - layer.action_ptr[x]) // apart[x] % layer.choices[x, m]
    first = play_pointers(game, layer)[x] + layer.choices[x, :m] @ types[:m]
    return np.asarray(first + np.arange(types[m])[:, None] * layer.choices[x, m] + own)


def played_for_ever(game: CompiledGame, start: Start) -> CompiledGame:
    """The game in which, whatever is at stake, play is that of a start, and is worth the same."""
    layers = []
    for layer, play in zip(game.layers, start.strategies, strict=True):
        reference, reward = layer.reference.copy(), layer.reward.copy()
        for m, i in enumerate(layer.movers):
            share = play[_numbers(game, layer, m)]  # [θ, e]
            reference[:, m] = game.priors[i] @ share
            if game.shocks and game.precision[i] > 0:
                x, begin = _states(layer), layer.action_ptr[:-1]
                total = np.add.reduceat(layer.reference[:, m], begin) / np.diff(layer.action_ptr)
                usual = layer.reference[:, m] / (total * layer.choices[:, m])[x]
                cost = np.log(share / usual)[game.profiles[:, i]].T / game.precision[i]  # [e, p]
                width = len(game.profiles)
                reward[:, i * width : (i + 1) * width] -= cost
        layers.append(replace(layer, reference=reference, reward=reward))
    return replace(game, layers=tuple(layers), precision=np.zeros_like(game.precision))
