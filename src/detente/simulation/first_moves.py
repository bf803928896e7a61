"""What each actor does at the first turn at which it moves."""

from __future__ import annotations

import numpy as np

from detente.simulation.columns import Columns
from detente.simulation.conditions import ANY
from detente.simulation.forecast import Forecast, marginal


def first_moves(result: Forecast) -> Columns:
    """What each actor and type does at the first turn at which it moves.

    Returns
    -------
    Columns
        `t, period, turn, actor, type, action, share`, in the order of play; the share of every
        action of the actor, also of those that are not available there.
    """
    game = result.solution.game
    blocks = []
    for i, actor in enumerate(game.actors):
        mine = result.tables["actions"].where(actor=actor.key)
        moving = marginal(game, mine)
        moving = moving[~np.isnan(moving["share"].astype(float))]
        if not len(moving):
            continue
        first = mine.where(t=moving["t"][0], turn=moving["turn"][0])
        for kind in actor.types if i in game.informed else ("",):
            types = {game.actors[j].key: kind if j == i else ANY for j in game.informed}
            blocks.append({**first.where(**types).columns, "type": kind})
    table = Columns.of(("t", "period", "turn", "actor", "type", "action", "share"), blocks)
    return table[np.lexsort((table["turn"], table["t"]))]
