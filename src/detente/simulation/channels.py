"""The channels of a forward pass: where probability goes, by what histories have seen.

Channel 0 has all histories; or, where outcomes are given, those in which they have been by then.
An outcome that stays once it holds needs no memory. For any other there are channels for the
states of its automaton (`detente.game.automaton`), between which mass moves at each test; one that
it never leaves has what the others leave. For a plain outcome there is one channel: the histories
in which it has not been yet, from which mass leaves when it happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame
from detente.game.automaton import Automaton, automaton
from detente.solver.room import SMALL

DROPPED = -1
"""In place of a channel: that of a state whose mass is what other channels leave."""


def persistent(game: CompiledGame) -> set[str]:
    """The outcomes whose condition, once it holds, holds ever after."""
    outcomes, known = set(game.holds), set[tuple[int, ...]]()
    for n, layer in enumerate(game.layers):
        # What periods share is looked at once.
        shared = layer.trans_ptr, layer.action_ptr, layer.succ
        alike = tuple(map(id, (*shared, *(h[k] for h in game.holds.values() for k in (n, n + 1)))))
        if alike in known:
            continue
        known.add(alike)
        transitions = np.diff(layer.trans_ptr[layer.action_ptr])
        for key in tuple(outcomes):
            holds = game.holds[key]
            before = np.repeat(holds[n], transitions)
            if np.any(before & ~holds[n + 1][layer.succ]):
                outcomes.discard(key)
    return outcomes


class Channels:
    """The channels that a game's outcomes take; `given` names those that are conditioned on.

    Where they are not `counted` all mass is in one channel.

    count
        How many there are.
    """

    def __init__(
        self, game: CompiledGame, given: tuple[str, ...] = (), *, counted: bool = True
    ) -> None:
        outcomes = game.scenario.outcomes
        self.game = game
        self.given = given
        self.count = 1
        self.machines: dict[str, tuple[Automaton, Ints]] = {}
        self._known: dict[tuple[int, ...], Floats] = {}  # what periods share is made once
        if given:
            self._add("", rest=0)
        stays = persistent(game) if counted and not given else ()
        for key in game.holds if counted else ():
            if given or outcomes[key].remembers or key not in stays:
                self._add(key, rest=DROPPED)

    def _add(self, key: str, rest: int) -> None:
        """Channels for an outcome, '' for those given; `rest` is that of the state not carried."""
        machine = automaton(self.game.scenario.outcomes, key, self.given)
        slots = np.full(len(machine.step), rest)
        slots[machine.kept] = np.arange(self.count, self.count + machine.kept.size)
        self.machines[key] = machine, slots
        self.count += machine.kept.size

    def start(self) -> Floats:
        """What of the mass at the start each channel has, float64 [h]: 0 or 1."""
        share = np.zeros(self.count)
        share[0] = not self.given
        for machine, slots in self.machines.values():
            letter = machine.letters(self.game.holds, 0, end=False)[self.game.start]
            slot = slots[machine.step[0, letter]]
            if slot != DROPPED:
                share[slot] = 1.0
        return share

    def alive(self, n: int) -> Floats:
        """For each channel 1, or 0 where no history is in it before layer n: float64 [x, h]; to be
        looked at, not changed."""
        if self.game.structure.sets[n].size * self.count > SMALL:
            return self._alive(n)
        sets, holds = self.game.structure.sets, self.game.holds.values()
        alike = id(sets[n]), *(id(each[n]) for each in holds)
        if alike not in self._known:
            self._known[alike] = self._alive(n)
        return self._known[alike]

    def _alive(self, n: int) -> Floats:
        keep = np.ones((self.game.structure.sets[n].size, self.count))
        for machine, slots in self.machines.values():
            letters = machine.letters(self.game.holds, n, end=False)
            carried = np.flatnonzero(slots > 0)
            if carried.size == 1:
                keep[:, slots[carried[0]]] = machine.reached[letters, carried[0]]
            else:
                keep[:, slots[carried]] = machine.reached[letters][:, carried]
        return keep

    def move(self, mass: Floats, n: int, *, end: bool) -> None:
        """Move mass, float64 [x, p, h, b], by the test before layer n, at a period's end or not."""
        for machine, slots in self._moving:
            letters = machine.letters(self.game.holds, n, end=end)
            for letter in np.unique(letters):
                moves = _moves(machine, slots, letter)
                if all(target == DROPPED for _, target in moves):
                    continue  # who leaves for good is left where `alive` has 0
                rows = np.flatnonzero(letters == letter)
                sources = np.array([source for source, _ in moves])
                leaving = mass[np.ix_(rows, np.arange(mass.shape[1]), sources)]
                for source in sources:
                    mass[rows, :, source] = 0.0
                for k, (_, target) in enumerate(moves):
                    if target != DROPPED:
                        mass[rows, :, target] += leaving[:, :, k]

    @cached_property
    def _moving(self) -> list[tuple[Automaton, Ints]]:
        """The automata from whose channels mass goes to others, and not only for good."""
        return [
            (machine, slots)
            for machine, slots in self.machines.values()
            if any(
                target != DROPPED
                for letter in range(machine.step.shape[1])
                for _, target in _moves(machine, slots, letter)
            )
        ]

    def probabilities(self, mass: Floats, n: int) -> Mapping[str, tuple[Floats, Floats]]:
        """By outcome, that it has been before layer n and that it holds: both float64 [p].

        `mass` is float64 [x, p, h], without what is not `alive`.
        """
        if not self.game.holds:
            return {}
        where = np.stack([holds[n] for holds in self.game.holds.values()]).astype(np.float64)
        held = (where @ mass.reshape(len(mass), -1)).reshape(-1, *mass.shape[1:])
        total = mass.sum(axis=0)
        result = {}
        for key, at in zip(self.game.holds, held, strict=True):
            been = now = at[:, 0]
            if key in self.machines:
                machine, slots = self.machines[key]
                never = slots[machine.given & ~machine.been]
                been = total[:, 0] - total[:, never].sum(axis=1)
                ready = slots[machine.ready]
                if machine.ready >= 0 and ready != DROPPED:
                    now = at[:, ready]
                else:
                    others = slots[machine.given]
                    now = now - at[:, others[others != DROPPED]].sum(axis=1)
            result[key] = been, now
        return result


def _moves(machine: Automaton, slots: Ints, letter: int) -> list[tuple[int, int]]:
    """Channels that mass leaves when a letter is read, and to which it goes."""
    return [
        (int(slots[q]), int(slots[to]))
        for q, to in enumerate(machine.step[:, letter])
        if q != to and slots[q] > 0
    ]
