"""What every door that solves takes as one value: the belief grid, and what the work may use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detente.arguments import MOST_THREADS, finite, whole
from detente.errors import SolveError, refuse
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import fewest_points, grid_size
from detente.solver.keep import Keep
from detente.solver.memory import file_needed, gibibytes, memory_needed, refuse_beyond
from detente.solver.shelf import free_on_disk, shelf_folder
from detente.solver.workers import Progress, between

DEFAULT_POINTS = {0: 5, 1: 65, 2: 17, 3: 9}
"""Belief points for each informed actor, by the number of those: outcome probabilities are then
good to about 1e-3, and the product grid stays below a thousand nodes."""

LARGE, FEWER = 5 * 10**6, 13
"""Turn-state-belief points beyond which each of two informed actors has fewer: a solve that takes
seconds, and half a gigabyte, then takes a little more than half of that."""

OF_SIMPLEX = {3: 17, 4: 13}
"""Belief points where an actor has more than two types, by their number; 11 for more."""

MOST_NODES = {1: 1002, 2: 25_000}
"""Nodes that the default grid then has at most if so many are informed, or more: as many as one
actor of five types takes, or two of three. The fewest points of a prior may be more."""

MEMORY_LIMIT = 4 * 2**30
"""Bytes that a solve may take unless more is allowed."""

LARGE_STRATEGIES = 2**27
"""Bytes beyond which strategies go to a temporary file also where memory is not short: to read them
a layer at a time takes hardly more time, and a machine has better uses for its memory."""

FREE = 0.5
"""Share of what is free on disk that a temporary file may take."""


SEARCH_SECONDS, POINT_SECONDS = 120.0, 1e-3
"""Seconds that may be spent on a search that need not end, and more for each turn, state and node
of the belief grid: many times what a search takes that comes to its end."""


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """How games are solved.

    beliefs
        Belief points along each edge of each informed actor's simplex: odd, at least 5 (more for
        many types, see `fewest_points`); by default `default_points`.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    memory_limit
        Bytes; a solve that would need more keeps its strategies on disk, or not all of them, and
        one that then still would is refused before it starts.
    progress
        Called with the share of the work that is done, from 0 to 1.
    time_limit
        Seconds that a solve may take. Of a game without end, and of the limit of perfect
        precision, what was reached by then is given back, with a status that says so; any other
        solve is given up. By default only the first two are limited, see `search_seconds`.

    Raises
    ------
    ValueError, TypeError
        For numbers that make no sense for any game.
    """

    beliefs: int | None = None
    threads: int | None = None
    memory_limit: int = MEMORY_LIMIT
    progress: Progress | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        whole("beliefs", self.beliefs, 1)
        whole("threads", self.threads, 1, MOST_THREADS)
        whole("memory_limit", self.memory_limit, 1)
        finite("time_limit", self.time_limit, above=0.0)

    def report(self, share: float) -> None:
        """Report the share of the work that is done."""
        if self.progress is not None:
            self.progress(share)

    def seconds(self, game: CompiledGame) -> float:
        """Seconds that a search which need not end may take."""
        points = grid_size(game, self.points(game))
        states = sum(layer.states.size for layer in game.layers)
        return self.time_limit or SEARCH_SECONDS + POINT_SECONDS * states * points

    def step(self, begin: float, end: float) -> SolveOptions:
        """The options of a step that takes the work from one share of the whole to another."""
        return replace(self, progress=between(self.progress, begin, end))

    def points(self, game: CompiledGame) -> int:
        """Belief points for a game.

        Raises
        ------
        ScenarioError
            For a number with which the game has no grid.
        """
        if self.beliefs is None:
            return default_points(game)
        least = least_points(game)
        if self.beliefs < least or self.beliefs % 2 == 0:
            message = f"belief points are an odd number of at least {least}, not {self.beliefs}"
            # What is usual for two types would be too many for nine.
            hint = f"without it there are {default_points(game)}"
            refuse("beliefs", "out-of-range", message, hint)
        return self.beliefs

    def memory(
        self,
        game: CompiledGame,
        *,
        regret: bool = False,
        coarse: bool = True,
        keep: Keep | None = None,
    ) -> int:
        """Bytes that a game takes to be solved and played forward; raises as `points` does.

        By default with strategies kept in the way that is taken first.
        """
        points, threads = self.points(game), self.threads or os.cpu_count() or 1
        if keep is None:
            keep = self._ways(game, coarse, tuple(Keep) if game.loop is None else (Keep.MEMORY,))[0]
        return memory_needed(game, points, regret=regret, coarse=coarse, threads=threads, keep=keep)

    def way_to_keep(
        self, game: CompiledGame, ways: Sequence[Keep], *, regret: bool, coarse: bool = True
    ) -> Keep:
        """The first of these ways to keep strategies for which there is room.

        Raises
        ------
        SolveError
            Where there is none.
        """
        points = self.points(game)
        for keep in self._ways(game, coarse, ways):
            needed = self.memory(game, regret=regret, coarse=coarse, keep=keep)
            on_disk = file_needed(game, points, coarse=coarse, keep=keep)
            if needed > self.memory_limit:
                continue
            if not on_disk or on_disk <= FREE * free_on_disk():
                return keep
        what = f"solving {game.sizes}, with {points} belief points for each informed actor,"
        way_out = "use fewer belief points or periods, a smaller state space, or allow more memory"
        refuse_beyond(self.memory_limit, needed, what, way_out)
        raise SolveError(
            f"{what} needs about {gibibytes(on_disk)} in a temporary file; {shelf_folder()} has "
            f"{gibibytes(free_on_disk())} left, of which half is taken at most.\nhint: make room "
            f"there, or {way_out}"
        )

    def _ways(self, game: CompiledGame, coarse: bool, ways: Sequence[Keep]) -> Sequence[Keep]:
        """The ways to keep strategies in the order in which they are tried."""
        stored = file_needed(game, self.points(game), coarse=coarse, keep=Keep.FILE)
        large = stored > LARGE_STRATEGIES
        return sorted(ways, key=lambda keep: (keep.anew, keep.in_file is (keep.anew or not large)))


DEFAULT_OPTIONS = SolveOptions()


def least_points(game: CompiledGame) -> int:
    """The fewest belief points with which a game has a grid and a coarser one."""
    return max((fewest_points(game.priors[i]) for i in game.informed), default=5)


def default_points(game: CompiledGame) -> int:
    """Belief points for which outcome probabilities are good to about 1e-3 as a rule."""
    most = max((game.priors[i].size for i in game.informed), default=2)
    points = DEFAULT_POINTS.get(len(game.informed), 5)
    if most == 2:
        states = sum(layer.states.size for layer in game.layers)
        large = len(game.informed) == 2 and states * grid_size(game, points) > LARGE
        return FEWER if large else points
    # A simplex has many more nodes than a line with as many along its edge.
    points, least = OF_SIMPLEX.get(most, 11) if points >= 17 else 5, least_points(game)
    room = MOST_NODES[min(len(game.informed), 2)]
    while points > least and grid_size(game, points) > room:
        points -= 2
    return max(points, least)
