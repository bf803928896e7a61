"""A panel of scenarios without end as the arrays of many small games."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic, Place, Problems, refuse
from detente.estimation.counts import Count
from detente.estimation.many_games import Games
from detente.estimation.units import Panel
from detente.game.arrays import CompiledGame
from detente.game.compile import charges, fill_game, payoffs
from detente.game.evaluate import evaluator_of
from detente.game.gradient import slopes
from detente.game.panel import common_covariates, compile_panel
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.hints import listing
from detente.scenario.model import Scenario
from detente.scenario.rules import Action, Alternative, Event

SLOPE = 1e-9
"""By how much slopes may differ between values of the parameters, if payoffs are linear in them."""


def games_of(game: CompiledGame, panel: Panel, free: Sequence[str]) -> Games:
    """The games of a panel, with what was counted in them.

    Raises
    ------
    ScenarioError
        For private types, a precision of 0 or without end, free parameters that are not in payoffs
        or not linear there, units that differ in which states they have, and counts of moves that
        are not possible.
    """
    _check(game, panel, free)
    many, units = _stacked(game, panel), len(panel.units)
    layout = _Layout(game)
    theta = np.array([_value(game.scenario, name) for name in free])
    prob, paid = _numbers(many, layout, units)
    by_unit = _design(many, layout, free, theta)
    _check_linear(many, layout, free, theta, paid + by_unit.sum(axis=3))
    columns, own = _compressed(by_unit)
    log_reference = np.zeros((units, layout.own))
    for n, layer in enumerate(many.layers):
        rows, movers = layout.rows(n), layer.movers
        logs = np.log(layer.reference).reshape(units, -1, len(movers))
        for m, mover in enumerate(movers):
            log_reference[:, layout.act[rows, mover]] = logs[:, :, m]
    cell = layout.cell
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    total = np.add.reduceat(np.exp(log_reference), starts, axis=1)
    log_reference -= np.log(total)[:, np.cumsum(np.diff(cell, prepend=-1) > 0) - 1]
    return Games(
        act=layout.act,
        cell=cell,
        prob=prob,
        fixed=paid - by_unit @ theta,
        design=own,
        columns=columns,
        discount=np.where(layout.last[:, None], game.discount, 1.0),
        precision=game.precision,
        log_reference=log_reference,
        counts=np.stack([_counted(game, layout, unit.counts) for unit in panel.units]),
        shocks=game.shocks,
        parameters=len(free),
    )


def _value(scenario: Scenario, name: str) -> float:
    key = name.partition(".")[0]
    parameter = scenario.parameters[key]
    return parameter.values[parameter.names().index(name)]


def _check(game: CompiledGame, panel: Panel, free: Sequence[str]) -> None:
    scenario, problems = game.scenario, Problems()
    if game.informed:
        names = listing(game.actors[i].key for i in game.informed)
        message = f"{names} has private types: of games without end, those without can be fitted"
        problems.add("scenario", "types", message, "give the calendar a number of periods")
    if not np.all((game.precision > 0) & np.isfinite(game.precision)):
        message = "a precision of 0 or `limit` leaves moves that the likelihood cannot weigh"
        problems.add("scenario", "out-of-range", message)
    actions: list[Event] = list(within((scenario.actions, scenario.turns), Event))
    fixed = [a.probability for action in actions for a in within(action, Alternative)]
    fixed += [action.reference for action in actions if isinstance(action, Action)]
    fixed += list(within(scenario.actors, Formula))
    fixed += [a.probability for a in within(scenario.events, Alternative)]
    for name in free:
        if any(formula and name in formula.parameters for formula in fixed):
            message = f"`{name}` is in a probability, a reference, a precision or a discount"
            hint = "in games without end the parameters of payoffs can be estimated"
            problems.add("free", "not-estimable", message, hint)
    for key in sorted(common_covariates(game)):
        if len({unit.covariates.get(key, 0.0) for unit in panel.units}) > 1:
            message = f"the covariate `{key}` decides which states there are, or a constant"
            problems.add("units", "structure", message, "fit the units in which it is the same")
    problems.refuse()


def _stacked(game: CompiledGame, panel: Panel) -> CompiledGame:
    """The games of all units as one."""
    names = [unit.name for unit in panel.units]
    keys = [k for k in game.scenario.covariates if k in panel.units[0].covariates]
    columns = {key: np.array([unit.covariates[key] for unit in panel.units]) for key in keys}
    many = compile_panel(game, names, columns)
    if many is None:
        refuse("units", "structure", "a transition is possible in some units and not in others")
    return many


class _Layout:
    """Where the states, joint actions and own actions of all layers of one unit's game are.

    act, cell
        As in `Games`.
    last
        bool [e]: whether a period ends with the joint action.
    state
        int64 [e].
    """

    def __init__(self, game: CompiledGame) -> None:
        self.layers, actors = game.layers, len(game.actors)
        self.first = np.cumsum([0, *(layer.states.size for layer in self.layers)])
        self.edges = np.cumsum([0, *(len(layer.action) for layer in self.layers)])
        states, keys, last = [], [], []
        width = 2 + max(len(own) for own in game.scenario.actions.values())
        for n, layer in enumerate(self.layers):
            state = np.repeat(np.arange(layer.states.size), np.diff(layer.action_ptr))
            own = np.full((len(state), actors), -1)
            own[:, list(layer.movers)] = layer.action
            states.append(self.first[n] + state)
            keys.append((states[-1][:, None] * actors + np.arange(actors)) * width + own + 1)
            last.append(np.full(len(state), n == len(self.layers) - 1))
        self.state, self.last = np.concatenate(states), np.concatenate(last)
        self.keys, act = np.unique(np.concatenate(keys), return_inverse=True)
        self.act = act.reshape(-1, actors)
        self.cell, self.own = self.keys // width, len(self.keys)
        self.width, self.actors = width, actors

    def rows(self, n: int) -> slice:
        """The joint actions of a layer."""
        return slice(self.edges[n], self.edges[n + 1])

    def find(self, n: int, state: int, actor: int, action: int) -> int:
        """An own action by layer, row of its states, actor and position; -1 where there is none."""
        key = ((self.first[n] + state) * self.actors + actor) * self.width + action + 1
        place = int(np.searchsorted(self.keys, key))
        return place if place < self.own and self.keys[place] == key else -1


def _transitions(many: CompiledGame, layout: _Layout, units: int) -> Iterator[tuple[Ints, ...]]:
    """For each layer the unit, joint action and next state of each transition, int64 [k] each."""
    for n, layer in enumerate(many.layers):
        edge = np.repeat(np.arange(len(layer.action)), np.diff(layer.trans_ptr))
        unit, edge = np.divmod(edge, len(layer.action) // units)
        succ: Ints = layer.succ.astype(np.int64) % (many.structure.sets[n + 1].size // units)
        if n == len(many.layers) - 1:
            assert many.loop is not None  # it is that of one unit
            succ, n = many.loop[succ], -1
        yield unit, edge, layout.first[n + 1] + succ


def _numbers(many: CompiledGame, layout: _Layout, units: int) -> tuple[Floats, Floats]:
    """Transition probabilities, float64 [u, e, n], and payoffs [u, e, i]."""
    prob = np.zeros((units, layout.edges[-1], layout.first[-1]))
    paid = np.zeros((units, layout.edges[-1], layout.actors))
    for n, (layer, found) in enumerate(
        zip(many.layers, _transitions(many, layout, units), strict=True)
    ):
        unit, edge, succ = found
        np.add.at(prob, (unit, layout.edges[n] + edge, succ), layer.prob)
        paid[:, layout.rows(n)] = layer.reward.reshape(units, -1, layout.actors)
        if n == len(many.layers) - 1:
            flow = layer.prob[:, None] * many.flow[0][layer.succ]
            np.add.at(paid, (unit, layout.edges[n] + edge), flow)
    return prob, paid


def _design(many: CompiledGame, layout: _Layout, free: Sequence[str], theta: Floats) -> Floats:
    """Slopes of payoffs by the free parameters at values of these, float64 [u, e, i, q]."""
    scenario = many.scenario.with_values(dict(zip(free, theta.tolist(), strict=True)))
    at = evaluator_of(scenario, many.structure)
    column = {name: q for q, name in enumerate(free)}
    units = len(many.layers[0].action) // int(layout.edges[1])
    total = np.zeros((units, layout.edges[-1], layout.actors, len(free)))

    def add(table: Floats, formula: Formula, codes: Ints, rows: Ints | slice, actor: int) -> None:
        wanted = [(q, column[k]) for q, k in enumerate(sorted(formula.parameters)) if k in column]
        if wanted:
            found = here.profiled(formula, codes, 1, slopes)[:, :, 0]
            for q, c in wanted:
                table[rows, actor, c] += found[q]

    structure = many.structure
    for n, (a, _) in enumerate(pairwise(structure.kept)):
        skeleton, codes = structure.skeletons[a], structure.skeleton_sets[a]
        for side, own in zip(skeleton.sides, skeleton.edge_own.T, strict=True):
            here, states = at.beside(side, codes)
            table = np.zeros((side.state.size, *total.shape[2:]))
            for actor, formula, rows in charges(many.scenario, side):
                add(table, formula, states[rows], rows, actor)
            total[:, layout.rows(n)] -= table[own].reshape(units, -1, *total.shape[2:])
    here, table = at, np.zeros((many.final.size, *total.shape[2:]))
    for actor, formula in payoffs(many.scenario, "flow"):
        add(table, formula, structure.sets[structure.period_sets[0]], slice(None), actor)
    *_, (unit, edge, _) = _transitions(many, layout, units)
    layer = many.layers[-1]
    flow = layer.prob[:, None, None] * table[layer.succ]
    np.add.at(total, (unit, layout.edges[-2] + edge), flow)
    return total


def _check_linear(
    many: CompiledGame, layout: _Layout, free: Sequence[str], theta: Floats, expected: Floats
) -> None:
    """Refuse parameters in which payoffs are not linear: at θ + 1 they are as `expected`."""
    values = dict(zip(free, (theta + 1).tolist(), strict=True))
    other = fill_game(many.scenario.with_values(values), many.policy, many.structure)
    if other is not None and np.allclose(_numbers(other, layout, len(expected))[1], expected):
        return
    slopes_by = [_design(many, layout, free, theta + step) for step in (0.0, 1.0)]
    change = np.abs(slopes_by[1] - slopes_by[0]).max(axis=(0, 1, 2))
    curved = [name for name, moved in zip(free, change, strict=True) if moved > SLOPE]
    message = f"payoffs are not linear in {listing(curved)}"
    hint = "in games without end, payoffs are sums of free parameters times what units are like"
    refuse("free", "not-estimable", message, hint)


def _compressed(design: Floats) -> tuple[Ints, Floats]:
    """The columns that units have, int64 [u, q] (the number of all for none), and their slopes."""
    used = np.any(design != 0, axis=(1, 2))
    width = int(used.sum(axis=1).max(initial=1))
    columns = np.full((len(design), width), design.shape[3])
    own = np.zeros((*design.shape[:3], width))
    for u, row in enumerate(used):
        mine = np.flatnonzero(row)
        columns[u, : mine.size] = mine
        own[u, :, :, : mine.size] = design[u][:, :, mine]
    return columns, own


def _counted(game: CompiledGame, layout: _Layout, given: Sequence[Count]) -> Floats:
    """How often each own action was observed in a unit, float64 [g]."""
    counts, problems = np.zeros(layout.own), Problems()
    actors = list(game.scenario.actors)
    for count in given:
        n = next(k for k, layer in enumerate(game.layers) if layer.turn == count.turn)
        levels = game.structure.levels(game.layers[n].states)
        fits = np.ones(game.layers[n].states.size, dtype=bool)
        for key, level in count.levels.items():
            fits &= levels[key] == level
        states = np.flatnonzero(fits)
        if states.size != 1:
            message = "play never comes to such a state"
            hint = ""
            if states.size:
                other = game.structure.describe(int(game.layers[n].states[states[1]]))
                one = game.structure.describe(int(game.layers[n].states[states[0]]))
                message = f"it could be {one} or {other}"
                hint = "give a column for each variable that tells them apart"
            problems.found.append(count.problem("state", message, hint))
            continue
        for actor, action in count.moves.items():
            position = list(game.scenario.actions[actor]).index(action)
            own = layout.find(n, int(states[0]), actors.index(actor), position)
            if own < 0:
                message = f"`{action}` of {actor} is not available there"
                problems.found.append(count.problem("impossible", message))
            else:
                counts[own] += count.number
    problems.refuse()
    return counts


def chosen(
    game: CompiledGame, panel: Panel, given: Mapping[str, Sequence[Count]], file: str
) -> Floats:
    """The shares of own actions that a table gives for each unit, float64 [u, g].

    Raises
    ------
    ScenarioError
        For units or states without any, and shares that are 0.
    """
    layout, problems, rows = _Layout(game), Problems(), []
    starts = np.flatnonzero(np.diff(layout.cell, prepend=-1))
    sizes = np.diff(np.append(starts, layout.own))
    for unit in panel.units:
        counts = _counted(game, layout, given.get(unit.name, ()))
        counts[np.repeat(sizes == 1, sizes)] = 1.0
        if not (counts > 0).all():
            message = f"there is not a share above 0 for each action of unit `{unit.name}`"
            problems.found.append(Diagnostic(Place(file), "missing", message))
        total = np.add.reduceat(counts, starts)
        rows.append(counts / np.repeat(np.where(total > 0, total, 1.0), sizes))
    problems.refuse()
    return np.stack(rows)


def labelled(game: CompiledGame, units: Sequence[str], sigma: Floats) -> pd.DataFrame:
    """Choices as a table like that of counts, of shares: float64 [u, g] in, a row for each."""
    layout, variables, actors = _Layout(game), game.structure.variables, list(game.actors)
    movers = [actor.key for actor in actors if game.scenario.actions.get(actor.key)]
    rows = []
    for g, key in enumerate(layout.keys):
        cell, action = divmod(int(key), layout.width)
        state, actor = divmod(cell, layout.actors)
        if action == 0:
            continue
        n = int(np.searchsorted(layout.first, state, side="right")) - 1
        layer = game.layers[n]
        levels = game.structure.levels(layer.states[state - layout.first[n]][None])
        who = actors[actor].key
        move = list(game.scenario.actions[who])[action - 1]
        row: dict[str, object] = {"turn": layer.turn + 1}
        row |= {v.key: v.label(int(levels[v.key][0])) for v in variables}
        row |= {name: move if name == who else "" for name in movers}
        rows.append((g, row))
    made = [
        {"unit": name, **row, "number": float(sigma[u, g])}
        for u, name in enumerate(units)
        for g, row in rows
    ]
    return pd.DataFrame(made)
