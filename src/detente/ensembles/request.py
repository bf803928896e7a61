"""What is asked of a run: a new manifest, or the agreement with that of one that is resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detente.arguments import MOST_DRAWS, whole
from detente.ensembles.design import SAMPLINGS, Distribution, quantities
from detente.ensembles.manifest import Manifest, changed, versions
from detente.errors import Diagnostic, Place, Problems, Severity
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policies
from detente.simulation.forward import forever_periods
from detente.solver.memory import refuse_beyond
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, default_points, least_points

DRAWS = 1000
"""Shares of draws are then good to about one part in a hundred."""

CHECKED = 16
"""Draws that are solved once more on a finer grid, to tell the error of the grid."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How an ensemble is drawn; None is what is not said, and stays as it was in a run resumed.

    number
        How many draws, 1,000 by default.
    sampling, seed
        `sobol` (the default) or `latin`, and the seed of the points (0).
    checked
        Draws that are solved once more on a grid twice as fine; 16 by default.
    posterior
        By name of a parameter draws from a posterior, which take the place of its range.

    Raises
    ------
    ValueError, TypeError
        For numbers that make no sense.
    """

    number: int | None = None
    sampling: str | None = None
    seed: int | None = None
    checked: int | None = None
    posterior: Mapping[str, tuple[float, ...]] | None = None

    def __post_init__(self) -> None:
        whole("draws", self.number, 1, MOST_DRAWS)
        whole("seed", self.seed, 0)
        whole("checked", self.checked, 0, MOST_DRAWS)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked of a run, as in `ensemble`."""

    policies: Sequence[str] | None = None
    options: SolveOptions = DEFAULT_OPTIONS
    draws: Draws = Draws()
    against: str | None = None
    periods: int | None = None


def new_manifest(scenario: Scenario, request: RunRequest) -> Manifest:
    """The manifest of a new run.

    Parameters
    ----------
    scenario
        As loaded from a file or a text, perhaps with values, options or a horizon of its own.
    request
        What is not said in it has its default: of belief points half as many as of a single solve.

    Raises
    ------
    ScenarioError
        For names that the scenario does not have, numbers that make no sense, and whatever is
        wrong with it under one of the policies at its present values.
    SolveError
        If a draw would need more memory than a solve may take.
    """
    draws, options = request.draws, request.options
    problems = Problems()
    _check_sampling(draws, problems)
    with problems.gather():
        check_periods(scenario, request.periods)
    problems.refuse()
    policies = find_policies(scenario, request.policies, request.against)
    games = [compile_game(scenario, policy=name) for name in policies]
    game = games[0]
    points = 0
    if game.informed:
        usual = _ensemble_points(default_points(game), least_points(game))
        points = replace(options, beliefs=options.beliefs or usual).points(game)
    number = DRAWS if draws.number is None else draws.number
    checked = min(CHECKED if draws.checked is None else draws.checked, number) if points else 0
    finer = 2 * points - 1 if points else 0
    most = (finer if checked else points) or least_points(game)
    refuse_beyond(
        options.memory_limit,
        max(replace(options, beliefs=most).memory(game, coarse=False) for game in games),
        f"a draw with {most} belief points for each informed actor",
        "use fewer belief points or periods, or check no draws on a finer grid: `checked=0`",
    )
    periods = game.periods
    if game.loop is not None:
        periods = request.periods or forever_periods(game)
    return Manifest(
        name=scenario.name,
        file=scenario.file,
        text=scenario.text,
        sha256=scenario.sha256,
        overrides=Frozen(scenario.overrides),
        options=Frozen(scenario.options),
        horizon=_horizon(scenario),
        policies=policies,
        against=scenario.policy if request.against is None else request.against,
        seed=draws.seed or 0,
        sampling=draws.sampling or SAMPLINGS[0],
        draws=number,
        beliefs=points,
        check_beliefs=finer,
        checked=checked,
        memory_limit=options.memory_limit,
        periods=periods,
        times=tuple(scenario.calendar.marks(periods)),
        outcomes=tuple(scenario.outcomes),
        actors=Frozen({key: actor.types for key, actor in scenario.actors.items()}),
        quantities=Frozen(
            {
                q.name: "VARCHAR" if q.distribution is Distribution.OPTION else "DOUBLE"
                for q in quantities(scenario, draws.posterior or {})
            }
        ),
        posterior=Frozen(draws.posterior or {}),
        versions=Frozen(versions()),
    )


def _check_sampling(draws: Draws, problems: Problems) -> None:
    if draws.sampling is not None and draws.sampling not in SAMPLINGS:
        message = f"the sampling is {' or '.join(SAMPLINGS)}, not {draws.sampling!r}"
        problems.add("sampling", "unknown-name", message)


def _ensemble_points(usual: int, least: int) -> int:
    """Belief points of a run: half as fine as a single solve, if that is a grid."""
    half = (usual + 1) // 2
    return half if half % 2 and half >= least else usual


def _horizon(scenario: Scenario) -> int | None:
    """What the horizon has been set to since the file was read; None if it has not."""
    return scenario.periods if scenario.horizon.overridden else None


# ---- a run that is resumed


def resumed(manifest: Manifest, scenario: Scenario, request: RunRequest) -> Manifest:
    """The manifest with which a run is resumed: its own, perhaps with more draws.

    Raises
    ------
    ScenarioError
        With all that has been asked for and differs from it.
    """
    draws, problems = request.draws, Problems()

    def compare(argument: str, value: object, kept: object) -> None:
        if value not in (None, kept):
            message = f"the run was begun with {_shown(kept)}, not {_shown(value)}"
            problems.add(argument, "differs", message, "leave it out to resume the run")

    _check_sampling(draws, problems)
    if scenario.sha256 != manifest.sha256:
        message = "it is not the scenario of this run, or has changed since the run began"
        hint = "name another folder for results of the scenario as it is now"
        problems.found.append(Diagnostic(Place(scenario.file), "differs", message, hint))
    set_now = {**scenario.overrides, **scenario.options}
    compare("values", set_now or None, {**manifest.overrides, **manifest.options})
    compare("horizon", _horizon(scenario), manifest.horizon)
    base = manifest.against if request.against is None else request.against
    policies = dict.fromkeys((base, *(request.policies or manifest.policies)))
    if policies.keys() != set(manifest.policies):
        compare("policies", tuple(request.policies or policies), manifest.policies)
    compare("against", request.against, manifest.against)
    compare("sampling", draws.sampling, manifest.sampling)
    compare("seed", draws.seed, manifest.seed)
    if draws.posterior is not None and dict(draws.posterior) != dict(manifest.posterior):
        message = "the run was begun with another posterior, or with none"
        problems.add("posterior", "differs", message, "leave it out to resume the run")
    if manifest.beliefs:  # else there is no belief grid, of which nothing can be said
        compare("beliefs", request.options.beliefs, manifest.beliefs)
        compare("checked", draws.checked, manifest.checked)
    if manifest.scenario().forever:
        compare("periods", request.periods, manifest.periods)
    number = manifest.draws if draws.number is None else draws.number
    if number < manifest.draws:
        compare("draws", number, manifest.draws)
    elif number > manifest.draws and manifest.sampling != "sobol":
        message = f"a Latin hypercube is made for its {manifest.draws:,} draws"
        problems.add("draws", "differs", message, "only a Sobol sequence can be given more draws")
    problems.refuse()
    return replace(manifest, draws=number)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(repr(name) for name in value) or "none"
    return "the scenario's own" if value is None else repr(value)


def other_versions(manifest: Manifest) -> list[Diagnostic]:
    """A warning where a run is resumed on other versions than it was begun on."""
    if not (other := changed(manifest.versions)):
        return []
    message = f"the run was begun on other versions: {other}"
    hint = "its numbers may then differ in their last digits from those of one run"
    place = Place(argument="resume")
    return [Diagnostic(place, "other-version", message, hint, Severity.WARNING)]
