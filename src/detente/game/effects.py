"""What an action does to a state: the probabilities of its alternatives, and where they lead."""

from __future__ import annotations

import numpy as np

from detente.errors import Diagnostic, Place
from detente.game.evaluate import Evaluator
from detente.game.structure import Ints, decode, encode
from detente.scenario.model import Action, Change

ZERO = 1e-12
"""Probabilities up to this are rounding left over by `rest`."""


def probabilities(action: Action, at: Evaluator, codes: Ints, t: int) -> list[np.ndarray]:
    """Probability of each alternative, float64 [x] each; `rest` takes what the others leave."""
    given = [
        None if alternative.probability is None else at.public(alternative.probability, codes, t)
        for alternative in action.alternatives
    ]
    rest = 1.0 - sum((p for p in given if p is not None), start=np.zeros(codes.size))
    return [rest if p is None else p for p in given]


def check_probabilities(
    action: Action, at: Evaluator, present: list[np.ndarray], codes: Ints, t: int
) -> None:
    """Note probabilities outside [0, 1] and sums other than 1."""
    places = {a.probability.place for a in action.alternatives if a.probability}
    if any(place in places for place, _ in at.findings.found):
        return  # they have no values here, and that is told
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


def _place(action: Action) -> Place:
    """The place of an action's first probability."""
    formulas = (a.probability for a in action.alternatives)
    return next((f.place for f in formulas if f is not None), action.place)


def apply(changes: tuple[Change, ...], at: Evaluator, codes: Ints, t: int) -> Ints:
    """The states, int64 [x], that an alternative leads to."""
    levels = decode(at.variables, codes)
    after = dict(levels)
    for change in changes:
        variable = at.scenario.variables[change.variable]
        value = at.public(change.formula, codes, t)
        value = np.clip(value, -1e15, 1e15)  # what is larger is a whole number, and outside
        whole = np.round(value).astype(np.int64)
        if np.any(np.abs(value - whole) > 1e-9):
            bad = int(codes[np.abs(value - whole) > 1e-9][0])
            message = f"`{change.formula.text}` is not a whole number {at.where(bad, t)}"
            hint = "levels are whole numbers; round with floor(…)"
            place = change.formula.place
            at.findings.add(Diagnostic(place, "not-whole", message, hint))
        base = 0 if variable.names else variable.low
        level = levels[change.variable] + whole if change.shift else whole - base
        outside = (level < 0) | (level >= variable.size)
        if outside.any() and not variable.cut:
            bad = int(codes[outside][0])
            edges = f"{variable.label(0)} to {variable.label(variable.size - 1)}"
            message = f"the effect on {variable.key} leaves its levels ({edges}) {at.where(bad, t)}"
            hint = f"add a `when`, or `edge: cut` to {variable.key} to stop at the last level"
            place = change.formula.place
            at.findings.add(Diagnostic(place, "leaves-levels", message, hint))
        after[change.variable] = np.clip(level, 0, variable.size - 1)
    return encode(at.variables, after) if after else codes
