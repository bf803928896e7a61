"""What is asked of a run: a new manifest, or the agreement with one that is resumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from detente.ensembles.draws import SAMPLINGS
from detente.ensembles.manifest import CHECKED, Manifest, make_manifest, versions
from detente.errors import Diagnostic, Place, ScenarioError, Severity
from detente.scenario.model import Scenario

DRAWS = 1000
"""Shares of worlds are then good to about one part in a hundred."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Options of a run; None for what has not been said. They are those of `ensemble`."""

    draws: int | None = None
    policies: tuple[str, ...] | None = None
    against: str | None = None
    sampling: str | None = None
    seed: int | None = None
    beliefs: int | None = None
    checked: int | None = None
    periods: int | None = None


def new_manifest(scenario: Scenario, request: RunRequest) -> Manifest:
    """The manifest of a new run. Raises `ScenarioError`, as `make_manifest` does."""
    problems = list(_impossible(request))
    if request.periods is not None and not scenario.forever:
        message, hint = "the scenario ends by itself", "give --horizon to shorten or lengthen it"
        problems.append(Diagnostic(Place("--periods"), "not-here", message, hint))
    if problems:
        raise ScenarioError(problems)
    return make_manifest(
        scenario,
        draws=DRAWS if request.draws is None else request.draws,
        policies=request.policies,
        against=request.against,
        horizon=_horizon(scenario),
        seed=request.seed or 0,
        sampling=request.sampling or SAMPLINGS[0],
        beliefs=request.beliefs,
        checked=CHECKED if request.checked is None else request.checked,
        periods=request.periods,
    )


def resumed(manifest: Manifest, scenario: Scenario, request: RunRequest) -> Manifest:
    """The manifest to resume: the one that is there, perhaps with more draws.

    Raises
    ------
    ScenarioError
        With all that has been asked for and differs from it.
    """
    problems = [*_impossible(request), *_differences(manifest, scenario, request)]
    if problems:
        raise ScenarioError(problems)
    draws = manifest.draws if request.draws is None else request.draws
    return dataclasses.replace(manifest, draws=draws)


def other_versions(manifest: Manifest) -> list[Diagnostic]:
    """A warning where a run is resumed on other versions than it was begun on."""
    now = versions()
    changed = [
        f"{k} {v}, now {now.get(k)}" for k, v in manifest.versions.items() if now.get(k) != v
    ]
    if not changed:
        return []
    message = f"the run was begun on other versions: {'; '.join(changed)}"
    hint = "its numbers may then differ in their last digits from those of one run"
    place = Place("--resume")
    return [Diagnostic(place, "other-version", message, hint, Severity.WARNING)]


def _impossible(request: RunRequest) -> Iterator[Diagnostic]:
    if request.sampling is not None and request.sampling not in SAMPLINGS:
        message = f"the sampling is {' or '.join(SAMPLINGS)}, not {request.sampling!r}"
        yield Diagnostic(Place("--sampling"), "unknown-name", message)


def _differences(
    manifest: Manifest, scenario: Scenario, request: RunRequest
) -> Iterator[Diagnostic]:
    if scenario.sha256 != manifest.sha256:
        message = "it is not the scenario of this run, or has changed since the run began"
        hint = "name another folder for results of the scenario as it is now"
        yield Diagnostic(Place(scenario.file), "differs", message, hint)
    values = {**scenario.overrides, **scenario.options}
    known = {**manifest.overrides, **manifest.options}
    if values and values != known:
        yield _differs("--set", _listed(values), _listed(known))
    horizon = _horizon(scenario)
    if horizon is not None and horizon != manifest.horizon:
        yield _differs("--horizon", horizon, manifest.horizon or "the scenario's own")
    base = manifest.against if request.against is None else request.against
    policies = {base, *(request.policies or manifest.policies)}
    if policies != set(manifest.policies):
        yield _differs("--policies", _listed(request.policies or ()), _listed(manifest.policies))
    for name in ("against", "sampling", "seed", "beliefs", "checked", "periods"):
        value, kept = getattr(request, name), getattr(manifest, name)
        if value is not None and value != kept and not _idle(name, manifest):
            yield _differs(f"--{name}", repr(value), repr(kept))
    if request.draws is not None and request.draws < manifest.draws:
        yield _differs("--draws", f"{request.draws:,}", f"{manifest.draws:,}")
    elif request.draws not in (None, manifest.draws) and manifest.sampling != "sobol":
        message = f"a Latin hypercube is made for its {manifest.draws:,} draws"
        hint = "only a Sobol sequence can be drawn on"
        yield Diagnostic(Place("--draws"), "differs", message, hint)


def _idle(name: str, manifest: Manifest) -> bool:
    """Whether an option says nothing in this run: there is no belief grid, or play has an end."""
    if name == "periods":
        return not manifest.scenario().forever
    return name in ("beliefs", "checked") and manifest.beliefs == 0


def _differs(option: str, value: object, kept: object) -> Diagnostic:
    message = f"the run was begun with {kept}, not {value}"
    return Diagnostic(Place(option), "differs", message, "leave it out to resume the run")


def _listed(names: object) -> str:
    if isinstance(names, dict):
        return ", ".join(f"{name}={value}" for name, value in names.items()) or "none"
    return ", ".join(repr(name) for name in names) or "none"  # type: ignore[attr-defined]


def _horizon(scenario: Scenario) -> int | None:
    """What the horizon has been set to since the file was read; None if it has not."""
    return scenario.periods if scenario.horizon.overridden else None
