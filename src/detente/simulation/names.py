"""The names of what an actor does: those that are like an action share what it is done."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame


class Names(NamedTuple):
    """All names of an actor's actions, in the order of the file but for members beside their kind.

    position
        int64 [name]: the action, among those of the game.
    share
        float64 [name]: how often it goes by this name; names of one action are used equally often.
    """

    names: tuple[str, ...]
    position: Ints
    share: Floats


def action_names(game: CompiledGame, actor: str) -> Names:
    """The names of an actor's actions, with those that are `like` another."""
    named = [(key, *action.members) for key, action in game.scenario.actions[actor].items()]
    sizes = np.array([len(names) for names in named], dtype=np.int64)
    position = np.repeat(np.arange(sizes.size), sizes)
    return Names(tuple(name for names in named for name in names), position, 1.0 / sizes[position])
