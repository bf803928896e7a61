"""The record of a run: all that its numbers follow from, and what it is resumed by."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from detente.ensembles.columns import PLAIN, input_column, result_columns
from detente.ensembles.draws import Plan, plan
from detente.ensembles.quantities import Kind
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.scenario.frozen import Frozen
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policies
from detente.simulation.forward import forever_periods
from detente.solver.beliefs import fewest_points
from detente.solver.memory import memory_needed, refuse_beyond
from detente.solver.options import MEMORY_LIMIT, SolveOptions, default_points, least_points

FORMAT = 2
"""Version of the folder's form: a run of another one is refused."""

CHECKED = 16
"""Worlds that are solved once more on a finer grid, to tell the error of the grid."""

PACKAGES = ("detente", "numpy", "numba", "scipy")
"""Whose versions decide the numbers."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was asked for. Equal records make equal numbers, on equal versions.

    name, file, text, sha256
        The scenario: its name, what messages call its file, and the file's text and hash.
    overrides, options
        What was set from outside, and is not drawn: parameters, and options of variants.
    horizon
        The number of periods that was asked for; None for the scenario's own.
    policies, against
        What is solved in each world, and which one the others are compared with.
    beliefs, check_beliefs, checked
        Belief points of each informed actor (0 where nothing is private), those of the finer grid,
        and how many worlds are solved on it once more.
    periods, times
        How many periods are told, and by the end of which ones probabilities are.
    outcomes, actors
        Names of the outcomes, and the private types of each actor.
    quantities
        What is drawn, in order: name, and the type of its column.
    """

    name: str
    file: str
    text: str
    sha256: str
    overrides: Mapping[str, float]
    options: Mapping[str, str]
    horizon: int | None
    policies: tuple[str, ...]
    against: str
    seed: int
    sampling: str
    draws: int
    beliefs: int
    check_beliefs: int
    checked: int
    periods: int
    times: tuple[int, ...]
    outcomes: tuple[str, ...]
    actors: Mapping[str, tuple[str, ...]]
    quantities: Mapping[str, str]
    versions: Mapping[str, str]

    def scenario(self) -> Scenario:
        """The scenario as it was when the run began, read again."""
        scenario = loads(self.text, file=self.file)
        if self.options:
            scenario = scenario.with_options(self.options)
        if self.overrides:
            scenario = scenario.with_values(self.overrides)
        return scenario if self.horizon is None else scenario.with_horizon(self.horizon)

    def plan(self) -> Plan:
        """The draws."""
        return plan(self.scenario(), draws=self.draws, sampling=self.sampling, seed=self.seed)

    def columns(self) -> dict[str, str]:
        """The columns of a row, in order, with their types in DuckDB."""
        inputs = {input_column(name): kind for name, kind in self.quantities.items()}
        results = result_columns(self.outcomes, self.times, self.actors)
        return {**PLAIN, **inputs, **dict.fromkeys(results, "DOUBLE")}

    @property
    def worlds(self) -> int:
        """How many worlds are solved in all: draws, the present values, and those of the check."""
        return self.draws + 1 + self.checked

    def to_json(self) -> str:
        """As text, to be kept, with a digest of itself."""
        plain = {"format": FORMAT, **asdict(self)}
        plain |= {key: dict(value) for key, value in plain.items() if isinstance(value, Mapping)}
        return _text({**plain, "digest": _digest(plain)})

    @staticmethod
    def from_json(text: str) -> RunRecord:
        """A record from its text. Raises `ValueError` for one of another form, or garbled."""
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError("it was made by another version of Detente")
        if plain.pop("digest", None) != _digest(plain):
            raise ValueError("it is not what was written")
        del plain["format"]
        lists = ("policies", "times", "outcomes")
        plain |= {key: tuple(plain[key]) for key in lists}
        plain["actors"] = {key: tuple(kinds) for key, kinds in plain["actors"].items()}
        for key in ("overrides", "options", "actors", "quantities", "versions"):
            plain[key] = Frozen(plain[key])
        return RunRecord(**plain)


def _text(plain: Mapping[str, object]) -> str:
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _digest(plain: Mapping[str, object]) -> str:
    return hashlib.sha256(_text(plain).encode()).hexdigest()


def make_record(
    scenario: Scenario,
    *,
    draws: int,
    policies: Sequence[str] | None = None,
    against: str | None = None,
    horizon: int | None = None,
    seed: int = 0,
    sampling: str = "sobol",
    beliefs: int | None = None,
    checked: int = CHECKED,
    periods: int | None = None,
) -> RunRecord:
    """The record of a run to be made.

    Parameters
    ----------
    scenario
        As loaded from a file or a text, perhaps with values, options or a horizon of its own.
    policies, against
        As those of `compare`.
    horizon
        What the scenario's horizon has been set to, if it has.
    beliefs
        Belief points; by default half as many as a single solve takes.
    periods
        As that of `forecast`, for play without end.

    Raises
    ------
    ScenarioError
        For names that the scenario does not have, numbers that make no sense, and whatever is
        wrong with it under one of the policies at its present values.
    SolveError
        If a world would need more memory than a solve may take.
    """
    base = scenario.policy if against is None else against
    wanted = find_policies(scenario, policies, against)
    games = [compile_game(scenario, policy=name) for name in wanted]
    game = games[0]
    points = 0
    if game.informed:
        usual = ensemble_points(default_points(game), least_points(game))
        points = SolveOptions(beliefs=usual if beliefs is None else beliefs).points(game)
    _refuse_large(games, 2 * points - 1 if checked and points else points)
    told = game.periods
    if game.loop is not None:
        told = forever_periods(game) if periods is None else periods
    drawn = plan(scenario, draws=draws, sampling=sampling, seed=seed).quantities
    return RunRecord(
        name=scenario.name,
        file=scenario.file,
        text=scenario.text,
        sha256=scenario.sha256,
        overrides=Frozen(scenario.overrides),
        options=Frozen(scenario.options),
        horizon=horizon,
        policies=wanted,
        against=base,
        seed=seed,
        sampling=sampling,
        draws=draws,
        beliefs=points,
        check_beliefs=2 * points - 1 if points else 0,
        checked=min(checked, draws) if points else 0,
        periods=told,
        times=tuple(scenario.calendar.marks(told)),
        outcomes=tuple(scenario.outcomes),
        actors=Frozen({key: actor.types for key, actor in scenario.actors.items()}),
        quantities=Frozen(
            {q.name: "VARCHAR" if q.kind is Kind.OPTION else "DOUBLE" for q in drawn}
        ),
        versions=Frozen(versions()),
    )


def _refuse_large(games: Sequence[CompiledGame], points: int) -> None:
    """Refuse games that would be refused in every world."""
    needed = max(
        memory_needed(game, points or fewest_points(1), regret=False, coarse=False)
        for game in games
    )
    refuse_beyond(
        MEMORY_LIMIT,
        needed,
        f"a world with {points} belief points for each informed actor",
        "use fewer belief points or periods, or --checked 0 for no finer grid",
    )


def versions() -> dict[str, str]:
    """The versions of what decides the numbers."""
    return {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def ensemble_points(usual: int, least: int) -> int:
    """Belief points of a run: half as fine as a single solve, if that is a grid."""
    half = (usual + 1) // 2
    return half if half % 2 and half >= least else usual
