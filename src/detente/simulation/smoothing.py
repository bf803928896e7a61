"""What a record makes one think, by its end, of the types that there were on the way.

With W(x, p, b) the probability of what the record says later, given state, types and belief at a
time, and with the filter's mass m(x, p, b) of what it said until then, the types of that time have,
given all of it, probabilities in proportion to

    Σ_x Σ_b m(x, p, b) W(x, p, b).

W goes backward in time like the value of an observer (`detente.solver.value_tape`),

    W(x, p, b) = Σ_e σ(e | p; x, b) L(e) Σ_x' prob(x' | x, e) H(x') W(x', p, b'),

with L(e) the probability of what was recorded of the turn where e was done, and H(x') 1 where what
was read of the state holds. It is the transpose of the filter (Rabiner 1989, Proceedings of the
IEEE 77), on the same nodes of the belief grid, so that the sum is the same at all times but for
rounding. Types that do not change are by then what they were all along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.channels import Channels
from detente.simulation.filter import SMALL, Told, weighed
from detente.simulation.forward import ForwardPass
from detente.solver.checkpoints import in_order
from detente.solver.layout import belief_layout, part, seats
from detente.solver.replay import shelf_like
from detente.solver.solution import Solution
from detente.solver.value_tape import values_before
from detente.solver.workers import Workers


def smoothed(
    solution: Solution,
    told: Sequence[Told],
    at_start: Floats,
    workers: Workers,
    progress: Callable[[float], None] = lambda _: None,
) -> Floats:
    """Probabilities of the type profiles at each time given all that a record says: float64 [k, p].

    Parameters
    ----------
    solution
        As solved.
    told
        What the record says of the layers played, in order, from the first on.
    at_start
        float64 [p]: probability of the type profiles at the start.
    workers
        To share out the work; results do not depend on them.
    progress
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    float64 [k, p]
        Row 0 is of the start; row k of the time after the k-th of the layers.
    """
    ahead = _Ahead(solution, told, workers)
    pass_ = ForwardPass(
        solution, Channels(solution.game, counted=False), workers, at_start=at_start
    )
    rows = []
    shelf = shelf_like(solution.strategies)
    later = in_order(
        len(told), ahead.last(), ahead.before, lambda done: progress(0.5 * done), shelf
    )
    for k, values in enumerate(later):
        if k:
            _play(pass_, told[k - 1])
            progress(0.5 + 0.5 * k / len(told))
        rows.append(np.einsum("xpb,xpb->p", pass_.histories, values))
        rows[-1] /= rows[-1].sum()
    return np.array(rows)


def _play(pass_: ForwardPass, known: Told) -> None:
    """One layer more of the filter."""
    layer = pass_.solution.game.layers[known.n]
    pass_.enter(known.t, known.n)
    pass_.leave(known.t, known.n, pass_.push(known.n, weighed(layer, known.moves)))
    for holds in known.held:
        pass_.mass[~holds] = 0.0
    total = float(pass_.mass.sum())
    if total < SMALL:
        pass_.mass /= total


class _Ahead:
    """The probability of what is recorded later, float64 [x, p, b], brought to at most 1.

    It has been read already what a period closes with.
    """

    def __init__(self, solution: Solution, told: Sequence[Told], workers: Workers) -> None:
        self.solution, self.told, self.workers = solution, told, workers
        game: CompiledGame = solution.game
        # Nobody is paid anything here, and so nobody's shocks cost anything.
        self.layouts = {
            movers: layout._replace(shock=np.zeros_like(layout.shock))
            for movers in {seats(game.layers[known.n]) for known in told}
            for layout in [belief_layout(game, solution.grid, movers)]
        }

    def last(self) -> Floats:
        """After the last layer nothing more is recorded."""
        game = self.solution.game
        states = game.structure.sets[self.told[-1].n + 1] if self.told else game.structure.sets[0]
        return np.ones((states.size, len(game.profiles), self.solution.grid.size))

    def before(self, values: Floats, k: int) -> Floats:
        """Before layer k of those played, from after it."""
        self.workers.check()
        game, known = self.solution.game, self.told[k]
        layer = game.layers[known.n]
        following = values
        if known.held:
            holds = np.logical_and.reduce(known.held)
            following = np.where(holds[:, None, None], values, 0.0)
        masked = weighed(layer, known.moves)
        arrays = part(game, layer if masked is None else masked)
        arrays = arrays._replace(reward=np.zeros((len(layer.action), 0)))
        layout = self.layouts[seats(layer)]
        result = values_before(self.solution, known.n, following, arrays, layout, self.workers)
        most = float(result.max())
        if most > 0:
            result /= most
        if known.n == 0 and k and game.loop is not None:
            return np.ascontiguousarray(result[game.loop])
        return result
