"""The exact forward pass: where play goes, conditional on the true types.

For each type profile the probability mass over (state, belief) is pushed through the layers with
the solution's own strategies, posteriors and interpolation (`kernels.forward`). Each profile is
moved by itself, so the work is shared out by profiles.

What outcomes have to remember of histories is kept in channels (`detente.simulation.channels`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame, Layer
from detente.simulation.channels import DROPPED, Channels
from detente.simulation.conditions import shares
from detente.simulation.mass import Blocks
from detente.simulation.starts import Starts
from detente.solver.kernels.forward import pay_shocks, push
from detente.solver.kernels.hidden_moves import push_hidden
from detente.solver.kernels.lottery import make_lottery
from detente.solver.kernels.private_chance import push_private
from detente.solver.layout import (
    belief_layout,
    hidden_turn,
    make_push_work,
    make_scratch,
    part,
    private_turn,
    seats,
)
from detente.solver.replay import shelf_like
from detente.solver.room import Room, most_of_two
from detente.solver.shelf import Row
from detente.solver.solution import Solution
from detente.solver.workers import Progress, Workers, between

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOREVER_PERIODS = {"day": 90, "week": 52, "month": 24, "quarter": 8, "year": 10}
"""Periods of a game without end that a forecast covers, by the unit of its calendar."""

Visit = Callable[[int, int, "ForwardPass"], None]
"""Called with a period, the number of a layer, and the pass as it comes to it: to be looked at, not
kept or changed."""

PART = 2**20
"""Numbers of mass below which sharing out costs more than it saves: each thread works out anew
where beliefs go."""


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What follows from a solution, for each true type profile p; period 0 is the start.

    Where types change, p is the profile at the start.

    happened, holding
        By outcome, float64 [t, p]: probability that it has held by the end of period t (from the
        start on), and that it holds then.
    moves
        For each layer of each period, in order of play: its period and its number n.
    given
        float64 [t, p]: probability that what is conditioned on has been by the end of period t, of
        which all else is a part; None where nothing is. Payoffs have no meaning then.
    states
        For each t, float64 [x, p] over the states in which the period ends.
    beliefs
        For each actor, float64 [t, g, p]: distribution over the nodes of the belief about it; over
        all nodes b where the prior is a joint one.
    acted
        For each of `moves`, float64 [e, p]: probability of a joint action at its state.
    payoffs
        float64 [i, p]: expected payoff, added up along the way.
    with_types
        Where types change, for each actor, float64 [t, g, θ]: the probability of a node and of its
        type at that time together, whatever the types were at the start.
    """

    happened: dict[str, Floats]
    holding: dict[str, Floats]
    given: Floats | None
    states: tuple[Floats, ...]
    moves: tuple[tuple[int, int], ...]
    beliefs: tuple[Floats, ...]
    acted: Sequence[Floats]
    payoffs: Floats
    with_types: tuple[Floats, ...] | None = None

    def expected(self, name: str, outcome: str, weights: Floats) -> Floats:
        """`happened` or `holding` given what is conditioned on, over profiles: float64 [t]."""
        together: Floats = getattr(self, name)[outcome] @ weights
        return shares(together, None if self.given is None else self.given @ weights)


def schedule(game: CompiledGame, periods: int | None = None) -> tuple[tuple[int, int], ...]:
    """The layers of each period, in order of play: (period, number n of the layer)."""
    if game.loop is None:
        return tuple((layer.period, n) for n, layer in enumerate(game.layers))
    last = forever_periods(game) if periods is None else periods
    return tuple((t, n) for t in range(1, last + 1) for n in range(len(game.layers)))


def forever_periods(game: CompiledGame) -> int:
    """How many periods of a game without end are played forward where nothing else is asked."""
    return FOREVER_PERIODS.get(game.scenario.calendar.unit, 24)


def forward(
    solution: Solution,
    workers: Workers,
    *,
    periods: int | None = None,
    begin: Floats | None = None,
    channels: Channels | None = None,
    progress: Progress | None = None,
    visit: Visit | None = None,
) -> Forward:
    """Push the start through the solution. See `Forward`; options as those of `forecast`.

    Play begins at the beliefs with these weights `begin`, float64 [b]; at the priors by default.
    `channels` are those of the game's outcomes, by default with nothing given (`Forward.given`);
    passes through several solutions of one game may share them.
    `visit` is called before each layer of each pass: where types change there are several.
    """
    game = solution.game
    channels = Channels(game) if channels is None else channels
    run = partial(_run, solution, workers, periods, begin, channels, visit=visit)
    if not game.changing:
        return run(progress=progress)
    starts = Starts(game)
    runs, count = [], starts.passes
    for number in range(count):
        report = between(progress, number / count, (number + 1) / count)
        at_start = (starts.number == number).astype(np.float64)
        runs.append(run(at_start=at_start, progress=report))
    return _from_each_start(game, starts, runs)


def _from_each_start(game: CompiledGame, starts: Starts, runs: Sequence[Forward]) -> Forward:
    """The passes as one: p is the profile at the start."""

    def all_joined(name: str) -> tuple[Floats, ...]:
        return tuple(map(starts.joined, zip(*(getattr(run, name) for run in runs), strict=True)))

    first, joined, prior_of = runs[0], starts.joined, game.profile_prior()
    shares = [starts.weights(prior_of, number) for number in range(len(runs))]
    now = []
    for i, prior in enumerate(game.priors):
        kinds = game.profiles[:, i, None] == np.arange(prior.size)
        each = zip(runs, shares, strict=True)
        now.append(np.sum([run.beliefs[i] @ (w[:, None] * kinds) for run, w in each], axis=0))
    given = [run.given for run in runs if run.given is not None]
    return Forward(
        happened={key: joined([run.happened[key] for run in runs]) for key in first.happened},
        holding={key: joined([run.holding[key] for run in runs]) for key in first.holding},
        given=joined(given) if given else None,
        states=all_joined("states"),
        moves=first.moves,
        beliefs=all_joined("beliefs"),
        acted=all_joined("acted"),
        payoffs=joined([run.payoffs for run in runs]),
        with_types=tuple(now),
    )


def _run(
    solution: Solution,
    workers: Workers,
    periods: int | None,
    begin: Floats | None,
    channels: Channels,
    *,
    visit: Visit | None,
    progress: Progress | None,
    at_start: Floats | None = None,
) -> Forward:
    """One pass, in which p is the type profile at the time, with mass `at_start` [p]."""
    game, grid = solution.game, solution.grid
    moves = schedule(game, periods)
    pass_ = ForwardPass(solution, channels, workers, begin, at_start)
    for t, turns in groupby(moves, key=lambda move: move[0]):
        for _, n in turns:
            pass_.enter(t, n)
            if visit is not None:
                visit(t, n, pass_)
            pass_.leave(t, n, pass_.push(n))
        pass_.record(n + 1)
        if progress is not None:
            progress(t / moves[-1][0])
    sets = game.structure.period_sets
    ends = (0, *(sets if game.loop is None else sets * moves[-1][0]))
    states = tuple(np.ascontiguousarray(mass[:, :, 0]) for mass in pass_.by_state)
    known = [channels.probabilities(mass, n) for mass, n in zip(pass_.by_state, ends, strict=True)]
    happened, holding = (
        {key: np.stack([at[key][which] for at in known]) for key in game.holds} for which in (0, 1)
    )
    return Forward(
        happened=happened,
        holding=holding,
        given=np.stack([mass.sum(axis=0) for mass in states]) if channels.given else None,
        states=states,
        moves=moves,
        beliefs=grid.by_actor(np.stack(pass_.by_belief)),
        acted=pass_.acted,
        payoffs=pass_.payoffs(states, moves[-1][0]),
    )


def at_the_end(
    solution: Solution, workers: Workers, progress: Progress | None = None
) -> dict[str, float]:
    """How likely each outcome is to have happened by the end, whatever the types.

    For who wants no more: one pass does, also where types change, and nothing is kept on the way.
    """
    game = solution.game
    moves, channels = schedule(game), Channels(game)
    pass_ = ForwardPass(solution, channels, workers, at_start=game.profile_prior())
    for done, (t, n) in enumerate(moves, 1):
        pass_.play(t, n)
        if progress is not None:
            progress(done / len(moves))
    last = moves[-1][1] + 1
    pass_.record(last)
    known = channels.probabilities(pass_.by_state[-1], last)
    return {key: float(been.sum()) for key, (been, _) in known.items()}


class ForwardPass:
    """Mass on its way through the layers, in the channels of its outcomes.

    mass
        float64 [x, h, k, b, w] before the layer that comes next, in `blocks` (`simulation.mass`).
        Only channels that are kept by themselves (`Channels.homes`) have meaning.
    following
        The same after it, while it is played.
    by_state, by_belief
        For each t, float64 [x, p, h] (mass still in its channel h) and [b, p].
    acted
        For each layer played, float64 [e, p].
    rewards
        float64 [i, p]: expected rewards so far, discounted.
    """

    def __init__(
        self,
        solution: Solution,
        channels: Channels,
        workers: Workers,
        begin: Floats | None = None,
        at_start: Floats | None = None,
    ) -> None:
        """`at_start`, float64 [p], is the mass of each type profile; 1 each by default."""
        game, grid = solution.game, solution.grid
        self.solution, self.memory, self.workers = solution, channels, workers
        profiles, sets = len(game.profiles), [codes.size for codes in game.structure.sets]
        large = most_of_two(sets) * channels.count * profiles * grid.size > 2 * PART
        self.blocks = Blocks.of(profiles, workers.threads if large else 1)
        self._room = Room(sets, (channels.count, self.blocks.count, grid.size, self.blocks.each))
        self.mass = self._room.next(sets[0])
        self.mass[:] = 0.0
        share = np.outer(channels.start(), np.ones(profiles) if at_start is None else at_start)
        at_nodes = np.arange(grid.size) == grid.start if begin is None else begin
        self.mass[game.start] = self.blocks.split(share[:, :, None] * at_nodes)
        self.following = self.mass
        self.by_state: list[Floats] = []
        self.by_belief: list[Floats] = []
        self.acted = Row(shelf_like(solution.strategies)())
        self.rewards = np.zeros((len(game.priors), profiles))
        movers = {seats(layer) for layer in game.layers}
        self.layouts = {m: belief_layout(game, grid, m) for m in movers}
        self.record(0)

    @property
    def histories(self) -> Floats:
        """A copy of all mass, whatever outcomes have been: float64 [x, p, b]."""
        return self.blocks.joined(self.mass[:, 0])

    @property
    def by_profile(self) -> Floats:
        """The same over all nodes, float64 [x, p]."""
        return self.blocks.over_nodes(self.mass, np.zeros((len(self.mass), 1), np.int64))[:, 0]

    def scale(self, factor: float) -> None:
        """Multiply all mass."""
        with np.errstate(all="ignore"):  # what has no meaning may be anything
            self.mass *= factor

    def play(self, t: int, n: int) -> None:
        """Layer n in period t."""
        self.enter(t, n)
        self.leave(t, n, self.push(n))

    def enter(self, t: int, n: int) -> None:
        """Come to layer n in period t."""
        sets, loop = self.solution.game.structure.sets, self.solution.game.loop
        if t > 1 and n == 0 and loop is not None:  # from the states after the last layer
            first = self._room.next(sets[0].size)
            first[:] = 0.0
            first[loop] = self.mass
            self.mass = first
        self.following = self._room.next(sets[n + 1].size)

    def go_on_from(self, mass: Floats) -> None:
        """Go on with this mass, of a pass with the same blocks, in place of what there is."""
        self.mass = self._room.next(len(mass))
        self.mass[:] = mass

    def push(self, n: int, layer: Layer | None = None) -> Floats:
        """Spread the mass before layer n over what may follow it; gives what was done, [e, p].

        `layer` may take its place: the same with other probabilities, 0 where play is known not
        to have gone. Nothing is lost by this, so that it may be done again, until `leave`.
        """
        self.workers.check()
        game = self.solution.game
        layer = game.layers[n] if layer is None else layer
        mass, following = self.mass, self.following
        arrays, layout = part(game, layer), self.layouts[seats(layer)]
        homes = self.memory.homes(n), self.memory.homes(n + 1)
        acted = np.zeros((len(layer.action), self.blocks.profiles))
        if layer.private is not None:
            acted += self.by_profile

        def task(block: int) -> None:
            nodes = mass.shape[3]
            if layer.private is not None:
                turn = private_turn(game, self.solution.grid, layer.private)
                lottery = make_lottery(layout, 1, nodes)
                push_private(block, arrays, layout, turn, homes, mass, following, lottery)
                return
            sigma = self.solution.strategies[n]
            hidden = hidden_turn(game, self.solution.grid, layer)
            if hidden is not None:
                most = int(arrays.n_actions.max(initial=1))
                into = following, acted, make_lottery(layout, most, nodes)
                push_hidden(block, arrays, layout, hidden, sigma, homes, mass, into)
                return
            shape = mass.shape[1], nodes, self.blocks.each
            work = make_push_work(layout, arrays, shape, len(following))
            push(block, arrays, layout, sigma, homes, mass, following, acted, work)

        if self.blocks.count == 1:
            task(0)
        else:
            list(self.workers.pool.map(task, range(self.blocks.count)))
        return acted

    def leave(self, t: int, n: int, acted: Floats) -> None:
        """Go on from layer n to where its mass was spread."""
        game = self.solution.game
        layer = game.layers[n]
        reward = layer.reward.reshape(len(acted), len(game.priors), -1)
        paid = np.einsum("ep,eip->ip", acted, reward)
        if game.shocks and layer.movers:
            arrays, layout = part(game, layer), self.layouts[layer.movers]
            cost = np.zeros((len(layer.movers), acted.shape[1]))
            work = make_scratch(layout, arrays, 0)
            pay_shocks(arrays, layout, self.solution.strategies[n], self.mass, cost, work)
            paid[list(layer.movers)] -= cost
        self.rewards += game.discount[:, None] ** (t - 1) * paid
        self.acted.append(acted)
        self.mass = self.following
        self.memory.move(self.mass, n + 1, end=game.ends_period[n])

    def record(self, n: int) -> None:
        """Keep the marginals before layer n."""
        home = self.memory.homes(n)
        each = self.blocks.over_nodes(self.mass, home).reshape(home.size, -1)
        by_channel = each.take(home + np.arange(0, home.size, home.shape[1])[:, None], axis=0)
        by_channel[home == DROPPED] = 0.0
        self.by_state.append(by_channel.swapaxes(1, 2))
        self.by_belief.append(self.blocks.joined(self.mass[:, 0].sum(axis=0)).T)

    def payoffs(self, states: tuple[Floats, ...], last: int) -> Floats:
        """Expected payoffs of all that was played, and of what follows: float64 [i, p]."""
        solution = self.solution
        game = solution.game
        actors, width = len(game.priors), len(game.profiles)
        total, discount = self.rewards.copy(), game.discount[:, None]
        for t in range(last):
            table = game.flow[0 if game.loop is not None else t].reshape(-1, actors, width)
            total += discount**t * np.einsum("xip,xp->ip", table, states[t + 1])
        if game.loop is None:
            table = game.terminal.reshape(-1, actors, width)
            ahead = np.einsum("xip,xp->ip", table, states[-1])
        else:
            values = solution.first_values[game.loop].reshape(len(self.mass), -1, actors, width)
            ahead = np.einsum("xbip,xpb->ip", values, self.histories)
        return np.asarray(total + discount**last * ahead)
