"""What an action does to a state: the probabilities of its alternatives, and where they lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.errors import Diagnostic, Place
from detente.game.evaluate import Evaluator
from detente.game.structure import Side, decode, encode
from detente.scenario.entities import Variable
from detente.scenario.formula.evaluate import Given
from detente.scenario.formula.expression import Formula
from detente.scenario.rules import Event, LevelChange

ZERO = 1e-12
"""Probabilities up to this are rounding left over by `rest`."""


def probabilities(action: Event, at: Evaluator, codes: Ints, t: int) -> list[np.ndarray]:
    """Probability of each alternative, float64 [x] each; `rest` takes what the others leave.

    Of an event that `concerns` the private type of an actor float64 [x, θ], by this type.
    """
    types = [own_profiles(at, actor) for actor in action.concerns]
    formulas = [alternative.probability for alternative in action.alternatives]
    if types:
        given = [None if f is None else at.profiled(f, codes, t)[:, types[0]] for f in formulas]
    else:
        given = list(_public(formulas, at, codes, t))
    shape = (codes.size, *(own.size for own in types))
    rest = 1.0 - sum((p for p in given if p is not None), start=np.zeros(shape))
    return [rest if p is None else p for p in given]


def _public(
    formulas: Iterable[Formula | None], at: Evaluator, codes: Ints, t: int
) -> Iterator[Floats | None]:
    """Each formula's values, float64 [x]; where a variable is drawn, all levels' at once."""
    for _, group in groupby(formulas, _written):
        same = [formula for formula in group if formula is not None]
        if len(same) > 1:
            yield from at.drawn(same, codes, t)
        else:
            yield at.public(same[0], codes, t) if same else None


def _written(formula: Formula | None) -> int:
    """What the formulas of a variable that is drawn have in common; 0 for what is left."""
    if formula is None:
        return 0
    return id(formula.node.node if isinstance(formula.node, Given) else formula)


def lotteries(side: Side) -> Iterator[tuple[Event, Ints, Ints, Ints]]:
    """Each action that is available somewhere, with its own actions and transitions.

    Gives the rows a of its own actions, the rows l of their transitions, and for each of these
    the position of its row a among those.
    """
    acted = side.action[side.own]
    for n, action in enumerate(side.actions):
        rows = np.flatnonzero(side.action == n)
        if rows.size:
            own = np.flatnonzero(acted == n)
            yield action, rows, own, np.searchsorted(rows, side.own[own])


def own_profiles(at: Evaluator, actor: str) -> Ints:
    """For each type of an actor a type profile in which it has it, int64 [θ]."""
    return np.asarray(np.unique(at.types[actor], return_index=True)[1], np.int64)


def check_probabilities(
    action: Event, at: Evaluator, present: list[np.ndarray], codes: Ints, t: int
) -> None:
    """Note probabilities outside [0, 1] and sums other than 1."""
    places = {a.probability.place for a in action.alternatives if a.probability}
    if any(place in places for place, *_ in at.findings.found):
        return  # they have no values here, and that is reported
    if action.concerns:
        codes = np.repeat(codes, present[0].shape[1])
        present = [p.ravel() for p in present]
    total = sum(present, start=np.zeros(codes.size))
    for alternative, p in zip(action.alternatives, present, strict=True):
        bad = (p < -ZERO) | (p > 1 + ZERO)
        if bad.any():
            formula = alternative.probability
            where = at.where(int(codes[bad][0]), t)
            place = formula.place if formula else _place(action)
            what = f"`{formula.text}`" if formula else "what is left for `rest`"
            message = f"{what} is {p[bad][0]:.6g}, not a probability, {where}"
            hint = "probabilities lie in [0, 1]; limit it with clip(…, 0, 1)"
            at.findings.add(Diagnostic(place, "probabilities", message, hint))
            return
    bad = np.abs(total - 1) > 1e-9
    if bad.any():
        where = at.where(int(codes[bad][0]), t)
        message = f"the probabilities of {action.key} add up to {total[bad][0]:.6g}, not 1, {where}"
        hint = "give one alternative `p: rest`"
        at.findings.add(Diagnostic(_place(action), "probabilities", message, hint))


def _place(action: Event) -> Place:
    """The place of an action's first probability."""
    formulas = (a.probability for a in action.alternatives)
    return next((f.place for f in formulas if f is not None), action.place)


def targets(at: Evaluator, sides: Sequence[Side], codes: Ints, trans_own: Ints, t: int) -> Ints:
    """The states, int64 [k], to which the transitions lead from the states `codes`, int64 [x].

    All formulas read the state before the turn. Variables are set first, where several movers set
    one by the last of them; then all shifts are added, and the edge is looked at once.
    """
    here = codes[sides[0].state[sides[0].own[trans_own[:, 0]]]]
    moves = [_moves(at, side, codes, t) for side in sides]
    touched = {key for changed in moves for key in changed}
    if not touched:
        return here
    levels = decode(at.variables, here)
    for variable in at.variables:
        if variable.key not in touched:
            continue
        level = levels[variable.key]
        for changed, own in zip(moves, trans_own.T, strict=True):
            if variable.key in changed:
                put, amount = changed[variable.key]
                level = np.where(put[own], amount[own], level)
        for changed, own in zip(moves, trans_own.T, strict=True):
            if variable.key in changed:
                put, amount = changed[variable.key]
                level = level + np.where(put[own], 0, amount[own])
        outside = (level < 0) | (level >= variable.size)
        if outside.any() and not variable.cut:
            _tell_outside(at, variable, sides, trans_own[outside], here[outside], t)
        levels[variable.key] = np.clip(level, 0, variable.size - 1)
    return encode(at.variables, levels)


def _moves(at: Evaluator, side: Side, codes: Ints, t: int) -> dict[str, tuple[Bools, Ints]]:
    """What a side's own transitions do to each variable that they touch.

    Whether they set it, bool [l], and its new level, or else the change of level: int64 [l].
    """
    changed: dict[str, tuple[Bools, Ints]] = {}
    actions = side.action[side.own]
    at, states = at.beside(side, codes)
    for n, action in enumerate(side.actions):
        for number, alternative in enumerate(action.alternatives):
            if not alternative.changes:
                continue
            rows = np.flatnonzero((actions == n) & (side.alternative == number))
            here = states[side.own[rows]]
            for change in alternative.changes:
                if change.variable not in changed:
                    size = actions.size
                    changed[change.variable] = np.zeros(size, bool), np.zeros(size, np.int64)
                put, amount = changed[change.variable]
                put[rows] = not change.shift
                amount[rows] = _amount(at, change, here, t)
    return changed


def _amount(at: Evaluator, change: LevelChange, codes: Ints, t: int) -> Ints:
    """The levels by which a change shifts its variable, or the level it sets: int64 [x]."""
    value = at.public(change.formula, codes, t)
    value = np.clip(value, -1e15, 1e15)  # what is larger is a whole number, and outside
    whole = np.round(value).astype(np.int64)
    broken = np.abs(value - whole) > 1e-9
    if broken.any():
        where = at.where(int(codes[broken][0]), t)
        message = f"`{change.formula.text}` is not a whole number {where}"
        hint = "levels are whole numbers; round with floor(…)"
        at.findings.add(Diagnostic(change.formula.place, "not-whole", message, hint))
    variable = at.scenario.variables[change.variable]
    return whole if change.shift or variable.names else whole - variable.low


def _tell_outside(
    at: Evaluator,
    variable: Variable,
    sides: Sequence[Side],
    trans_own: Ints,
    here: Ints,
    t: int,
) -> None:
    """Note transitions, int64 [k, S] from the states `here`, that lead out of the levels.

    Told at the change that has the last word, with those of other movers that it meets.
    """
    columns = []
    for side, own in zip(sides, trans_own.T, strict=True):
        columns += [side.action[side.own[own]], side.alternative[own]]
    kinds, first = np.unique(np.column_stack(columns), axis=0, return_index=True)
    edges = f"{variable.label(0)} to {variable.label(variable.size - 1)}"
    hint = f"add a `when`, or `edge: cut` to {variable.key} to stop at the last level"
    for i in np.argsort(first):
        done = [
            (side.actions[n], side, change)
            for side, (n, number) in zip(sides, kinds[i].reshape(-1, 2).tolist(), strict=True)
            if n >= 0
            for change in side.actions[n].alternatives[number].changes
            if change.variable == variable.key
        ]
        puts = [entry for entry in done if not entry[2].shift]
        *others, (_, _, last) = [*puts[-1:], *(entry for entry in done if entry[2].shift)]
        actors = list(at.scenario.actors)
        names = " and ".join(f"`{action.key}` of {actors[s.mover]}" for action, s, _ in others)
        together = f", together with {names}," if names else ""
        where = at.where(int(here[first[i]]), t)
        message = f"the effect on {variable.key}{together} leaves its levels ({edges}) {where}"
        at.findings.add(Diagnostic(last.formula.place, "leaves-levels", message, hint))
