"""Chance that has to do with the private type of an actor: what it tells of it, how it changes it.

What all see of it is the state that follows. So the alternatives of an event that lead from one
state to the same one are one transition, whose probability is that of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic
from detente.game.arrays import Layer, PrivateChance
from detente.game.effects import ZERO, lotteries, probabilities
from detente.game.evaluate import Evaluator
from detente.game.structure import Observations, Side, Skeleton, told_apart
from detente.scenario.formula.expression import Formula
from detente.scenario.rules import Event


def is_private(skeleton: Skeleton) -> bool:
    """Whether it is chance that has to do with private types."""
    return any(event.concerns for side in skeleton.sides for event in side.actions)


def private_layer(at: Evaluator, skeleton: Skeleton, codes: Ints) -> Layer | None:
    """A skeleton of such chance with its numbers.

    None where a transition that the enumeration left out has become possible.
    """
    (side,) = skeleton.sides
    by_own = private_chances(at, side, codes, skeleton.period)
    if by_own is None:
        return None
    (actor,) = side.actions[0].concerns
    seen = observations(skeleton)
    change = np.zeros((seen.succ.size, *by_own.shape[1:]))
    np.add.at(change, seen.number, by_own[skeleton.trans_own[:, 0]])
    return Layer(
        period=skeleton.period,
        turn=skeleton.turn,
        event=skeleton.event,
        movers=(),
        states=codes,
        action_ptr=skeleton.action_ptr,
        choices=np.zeros((codes.size, 0), np.int64),
        action=np.zeros((codes.size, 0), np.int32),
        trans_ptr=np.searchsorted(seen.state, np.arange(codes.size + 1)),
        succ=seen.succ.astype(np.int32),
        prob=np.full(seen.succ.size, np.nan),
        reward=np.zeros((codes.size, at.profiles * len(at.scenario.actors))),
        reference=np.ones((codes.size, 0)),
        private=PrivateChance(list(at.scenario.actors).index(actor), change),
    )


def private_chances(at: Evaluator, side: Side, codes: Ints, t: int) -> Floats | None:
    """Probabilities of its own transitions by type before and after: float64 [l, θ, θ'].

    None where a transition that the enumeration left out has become possible.
    """
    (event,) = side.actions
    (actor,), alternatives = event.concerns, event.alternatives
    kinds = len(at.scenario.actors[actor].types)
    change = np.broadcast_to(np.eye(kinds), (side.own.size, kinds, kinds)).copy()
    for _, rows, own, column in lotteries(side):
        here = codes[side.state[rows]]
        shares = np.array(probabilities(event, at, here, t))
        turned = np.array(
            [turnover(actor, each.becomes.get(actor, {}), at, here, t) for each in alternatives]
        )
        change[own] = (shares[..., None] * turned)[side.alternative[own], column]
        total = np.zeros((rows.size, kinds))
        np.add.at(total, column, change[own].sum(axis=2))
        if np.any(np.abs(total - 1.0) > 1e-9) or min(shares.min(), turned.min()) < -ZERO:
            return None
    return np.maximum(change, 0.0)


def observations(skeleton: Skeleton) -> Observations:
    """Those of a turn of chance."""
    (side,) = skeleton.sides
    return told_apart(side.state[side.own[skeleton.trans_own[:, 0]]], skeleton.succ)


def turnover(
    actor: str, becomes: Mapping[str, Mapping[str, Formula]], at: Evaluator, codes: Ints, t: int
) -> np.ndarray:
    """Probabilities with which one type of an actor becomes another: float64 [x, θ, θ'].

    What is not said of a type stays with it.
    """
    types = at.scenario.actors[actor].types
    share = np.zeros((codes.size, len(types), len(types)))
    for before, row in becomes.items():
        for after, formula in row.items():
            share[:, types.index(before), types.index(after)] = at.public(formula, codes, t)
    kinds = np.arange(len(types))
    share[:, kinds, kinds] = 1.0 - share.sum(axis=2)
    return share


def check_turnover(action: Event, at: Evaluator, codes: Ints, t: int) -> None:
    """Note types that change with what is no probability."""
    said = (action.becomes, *(effect.becomes for effect in action.effects))
    for actor, rows in (each for becomes in said for each in becomes.items()):
        share = turnover(actor, rows, at, codes, t)
        types = at.scenario.actors[actor].types
        for before, row in rows.items():
            mine = share[:, types.index(before)]
            others = [(f"become {to}", f, mine[:, types.index(to)]) for to, f in row.items()]
            stays = 1.0 - mine[:, types.index(before)]
            parts = [*others, ("change", next(iter(row.values())), stays)]
            for does, formula, p in parts:
                bad = (p < -ZERO) | (p > 1 + ZERO)
                if bad.any():
                    where = at.where(int(codes[bad][0]), t)
                    message = f"{before} is to {does} with {p[bad][0]:.6g}, not a probability, "
                    hint = "probabilities lie in [0, 1]; limit it with clip(…, 0, 1)"
                    place = formula.place
                    at.findings.add(Diagnostic(place, "probabilities", message + where, hint))
