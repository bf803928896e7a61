"""Gambit, as tests ask it. Its words change between versions and stand here only: those of 17.

Tests that call this are marked `gambit`, so that they are skipped where it is not installed.
"""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray


def gambit() -> Any:
    """The package: large, and not needed by those who only want a forecast."""
    return importlib.import_module("pygambit")


def read(text: str) -> Any:
    """A tree as Gambit understands it."""
    return gambit().read_efg(io.StringIO(text))


def nodes(efg: Any) -> list[str]:
    """One line for each node that Gambit has read, as it writes it."""
    lines = efg.to_efg().splitlines()
    return [line for line in lines if re.match(r'[cpt] "', line)]


def has_payoffs(node: str) -> bool:
    """Whether there are payoffs at a node: `0` stands for none."""
    return not node.endswith(" 0")


def information_sets(efg: Any) -> dict[tuple[int, int], tuple[str, tuple[str, ...]]]:
    """Label and actions by player and number, in the order in which Gambit lists strategies."""
    found = {}
    for node in nodes(efg):
        if place := re.match(r'p "[^"]*" (\d+) (\d+) "([^"]*)" \{ (.*) \} \d+$', node):
            player, number, label, actions = place.groups()
            told = tuple(re.findall(r'"([^"]*)"', actions))
            key = (int(player), int(number))
            assert found.setdefault(key, (label, told)) == (label, told)
    return dict(sorted(found.items()))


def uniform_payoffs(efg: Any) -> dict[str, float]:
    """Expected payoffs by player where all actions are equally likely."""
    payoffs = efg.mixed_behavior_profile().payoffs
    return {player: float(payoffs[player]) for player in efg.players}


def logit(efg: Any, precisions: list[float]) -> list[list[float]]:
    """The agent logit equilibrium on the principal branch at each precision.

    By player, information set and action, as `information_sets` has them.
    """
    found = (each.profile for each in gambit().qre.logit_solve_lambda(efg, lam=precisions))
    return [
        [float(p) for player in efg.players for _, at in play[player] for _, p in at]
        for play in found
    ]


def logit_of_arrays(payoffs: tuple[NDArray[np.float64], ...], precision: float) -> list[float]:
    """The same for a normal form, one player after the other."""
    form = gambit().StrategicGame.from_arrays(*payoffs)
    (profile,) = gambit().qre.logit_solve_lambda(form, lam=[precision])
    return [float(profile[k]) for k in range(sum(payoffs[0].shape))]
