"""Options that commands share, as groups, and what is made of them (see `detente.cli.groups`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from detente.arguments import MOST_PERIODS, MOST_THREADS
from detente.cli import console, inputs

if TYPE_CHECKING:
    from detente.game.arrays import CompiledGame
    from detente.scenario.model import Scenario
    from detente.solver.options import SolveOptions
    from detente.solver.solution import Solution
    from detente.solver.workers import Progress


@dataclass(frozen=True)
class ScenarioOptions:
    """What is changed of a scenario."""

    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Change a parameter or an option (repeatable)."
        ),
    ] = None
    horizon: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_PERIODS, help="Number of periods, instead of the scenario's."),
    ] = None

    def load(self, source: str) -> Scenario:
        """The scenario with these changes; its warnings are printed."""
        return inputs.load_scenario(source, self.values, self.horizon)


@dataclass(frozen=True)
class PolicyOptions(ScenarioOptions):
    """The same, and the policy in force."""

    policy: inputs.Policy = None

    def compile(self, source: str) -> CompiledGame:
        """The scenario under the policy; its warnings are printed."""
        from detente.game.compile import compile_game

        game = compile_game(self.load(source), policy=self.policy)
        if self.horizon is None:  # what cannot happen in a shortened run is no mistake
            console.print_diagnostics(game.warnings)
        return game


@dataclass(frozen=True)
class SolvingOptions:
    """How games are solved."""

    beliefs: inputs.Beliefs = None
    memory: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1e6,
            callback=inputs.finite,
            help="GiB of memory that a solve may take; 4 by default.",
        ),
    ] = None
    time: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            callback=inputs.finite,
            help="Seconds that a solve may take; what was reached by then is kept.",
        ),
    ] = None
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_THREADS, help="Threads; all processors by default."),
    ] = None

    def options(self, progress: Progress | None = None) -> SolveOptions:
        """As the library takes them."""
        from detente.solver.options import MEMORY_LIMIT, SolveOptions

        limit = MEMORY_LIMIT if self.memory is None else int(self.memory * 2**30)
        return SolveOptions(self.beliefs, self.threads, limit, progress, self.time)

    def check(self, game: CompiledGame) -> None:
        """Refuse what makes no sense for a game."""
        inputs.import_numba()
        self.options().points(game)

    def prepare(self, about: CompiledGame | Scenario) -> None:
        """The same, and compile the kernels that a game needs."""
        from detente.game.arrays import CompiledGame
        from detente.game.compile import compile_game

        game = about if isinstance(about, CompiledGame) else compile_game(about, policy="")
        self.check(game)
        inputs.prepare_kernels(game)

    def solve(self, game: CompiledGame, *, coarse: bool = True, regret: bool = True) -> Solution:
        """Solve with a progress display."""
        from detente.solver.solve import solve

        with console.progress("Solving") as report:
            return solve(game, self.options(report), coarse=coarse, regret=regret)


@dataclass(frozen=True)
class ForecastOptions(SolvingOptions):
    """The same, and how many periods are reported."""

    periods: inputs.Periods = None

    def check(self, game: CompiledGame) -> None:
        """Refuse what makes no sense for a game."""
        from detente.game.periods import check_periods

        check_periods(game.scenario, self.periods)
        super().check(game)
