"""The channels of a forward pass: where probability goes, by what histories have seen.

Channel 0 has all histories; or, where outcomes are given, those in which they have been by then.
An outcome that stays once it holds needs no memory. For any other there are channels for the
states of its automaton (`detente.game.automaton`), between which mass moves at each test; one that
it never leaves has what the others leave. For a plain outcome there is one channel: the histories
in which it has not been yet, from which mass leaves when it happens. As long as nothing can have
left it has what channel 0 has, which is kept and moved once (`Channels.homes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from detente.dtypes import Bools, Floats, Ints
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
        self._known: dict[tuple[int, ...], Ints] = {}  # what periods share is made once
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

    def homes(self, n: int) -> Ints:
        """Which channel has the mass of each at a state before layer n, int64 [x, h]: itself; 0
        where all histories that lead there are in both; `DROPPED` where none is in it. To be looked
        at, not changed."""
        left, gone = self._left[n], self._gone[n]
        alike = id(left), id(gone)
        if alike in self._known:
            return self._known[alike]
        home = np.where(left, np.arange(self.count), 0)
        home[gone] = DROPPED
        if home.size <= SMALL:
            self._known[alike] = home
        return home

    @cached_property
    def _gone(self) -> list[Bools]:
        """Before each layer, where no history is in a channel, as those that came leave it for
        good: bool [x, h]. What leaves for other channels is moved."""
        holds, gone, known = self.game.holds, [], dict[tuple[int, ...], Bools]()
        for n, states in enumerate(self.game.structure.sets):
            alike = id(states), *(id(each[n]) for each in holds.values())
            if alike not in known:
                known[alike] = np.zeros((states.size, self.count), dtype=np.bool_)
                for key, (machine, slots) in self.machines.items():
                    if key not in self._moving:
                        letters = machine.letters(holds, n, end=False)
                        for q in np.flatnonzero(slots > 0):
                            known[alike][:, slots[q]] = ~machine.reached[letters, q]
            gone.append(known[alike])
        return gone

    @cached_property
    def _left(self) -> list[Bools]:
        """Before each layer, whether some history at a state may not be in a channel though it is
        in channel 0: bool [x, h]. True of channels between which mass moves."""
        game, apart = self.game, self.start() == 0.0
        for key, (_, slots) in self.machines.items():
            if key in self._moving or self.given:
                apart[slots[slots > 0]] = True
        first = np.tile(apart, (game.structure.sets[0].size, 1))
        while True:
            left, last = [first], dict[tuple[int, ...], Bools]()
            for n, layer in enumerate(game.layers):
                arrays = layer.succ, layer.trans_ptr, layer.action_ptr, *self._gone[n : n + 2]
                alike, now = tuple(map(id, arrays)), tuple(map(id, (*arrays, left[-1])))
                if now not in last:
                    after = np.tile(apart, (len(self._gone[n + 1]), 1))
                    before = np.repeat(
                        np.arange(layer.states.size), np.diff(layer.trans_ptr[layer.action_ptr])
                    )
                    for h in np.flatnonzero(~apart)[1:]:
                        may = left[-1][:, h] | self._gone[n][:, h]
                        after[layer.succ[may[before]], h] = True
                    # Where an earlier period had the same it is kept once.
                    known = last.get(alike, first)
                    last[alike] = last[now] = known if np.array_equal(after, known) else after
                left.append(last[now])
            if game.loop is None:
                return left
            again = first.copy()
            again[game.loop] |= left[-1]
            if np.array_equal(again, first):
                return left
            first = again

    def move(self, mass: Floats, n: int, *, end: bool) -> None:
        """Move mass, float64 [x, h, ...], by the test before layer n, at a period's end or not."""
        for machine, slots in self._moving.values():
            letters = machine.letters(self.game.holds, n, end=end)
            for letter in np.unique(letters):
                moves = _moves(machine, slots, letter)
                if not moves:
                    continue
                rows = np.flatnonzero(letters == letter)
                sources = np.array([source for source, _ in moves])
                leaving = mass[np.ix_(rows, sources)]
                for source in sources:
                    mass[rows, source] = 0.0
                for k, (_, target) in enumerate(moves):
                    if target != DROPPED:
                        mass[rows, target] += leaving[:, k]

    @cached_property
    def _moving(self) -> dict[str, tuple[Automaton, Ints]]:
        """The automata from whose channels mass goes to others, and not only for good."""
        return {
            key: (machine, slots)
            for key, (machine, slots) in self.machines.items()
            if any(
                target != DROPPED
                for letter in range(machine.step.shape[1])
                for _, target in _moves(machine, slots, letter)
            )
        }

    def probabilities(self, mass: Floats, n: int) -> Mapping[str, tuple[Floats, Floats]]:
        """By outcome, that it has been before layer n and that it holds: both float64 [p].

        `mass` is float64 [x, p, h].
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
