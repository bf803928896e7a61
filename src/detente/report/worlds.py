"""What a page takes from an ensemble of worlds: its exploration, and the record of its run.

The page sets the worlds beside a forecast and a comparison, so they have to be of the same
scenario, changed in the same way, under the same policies. Whatever differs is refused.

What explores worlds needs packages that a page without worlds does not: they are imported when
there is something to explore.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.hints import listing
from detente.scenario.model import Scenario

if TYPE_CHECKING:
    from detente.ensembles.explore.explore import Exploration
    from detente.ensembles.manifest import Manifest
    from detente.ensembles.results import Ensemble

PLACE = "--ensemble"


@dataclass(frozen=True, eq=False)
class Worlds:
    """What is told of an ensemble.

    exploration
        What its worlds tell, with the page's policy as the one that others are compared with.
    record
        Of the run.
    failed
        How many worlds were not solved under at least one policy.
    """

    exploration: Exploration
    record: Manifest
    failed: int


def check_worlds(record: Manifest, scenario: Scenario, policies: Sequence[str]) -> None:
    """Refuse the worlds of something else than what the page is about.

    Raises
    ------
    ScenarioError
        With all that differs.
    """
    found = list(_differences(record, scenario, policies))
    if found:
        raise ScenarioError(found)


def look(found: Ensemble, *, against: str, requirement: str | None) -> Worlds:
    """Explore an ensemble for a page.

    Raises
    ------
    ScenarioError
        For mistakes in the requirement.
    """
    from detente.ensembles.explore.explore import explore

    told = explore(found, against=against, requirement=requirement)
    return Worlds(told, found.manifest, int(found.failures["draw"].nunique()))


def _differences(
    record: Manifest, scenario: Scenario, policies: Sequence[str]
) -> Iterator[Diagnostic]:
    place = Place(PLACE)
    if record.sha256 != scenario.sha256:
        message = f"it is of another scenario, {record.name}"
        if record.name == scenario.name:
            message = f"{scenario.name} has changed since these worlds were solved"
        hint = f"solve worlds of it as it is now: `detente ensemble {scenario.name}`"
        yield Diagnostic(place, "differs", message, hint)
        return  # names mean nothing from one scenario to another
    solved = record.scenario()
    for name, mine, theirs in (
        ("--set", _listed(scenario.changed), _listed(solved.changed)),
        ("--horizon", scenario.horizon.text, solved.horizon.text),
    ):
        if mine != theirs:
            message = f"its worlds were solved with {name} {theirs}, not {mine}"
            yield Diagnostic(place, "differs", message, "give the same to both commands")
    if set(policies) != set(record.policies):
        message = (
            f"its worlds have the policies {_quoted(record.policies)}, not {_quoted(policies)}"
        )
        hint = "leave out --policies to compare those of the worlds"
        if record.against not in policies or set(policies) - set(record.policies):
            hint = "choose among those with --policy and --policies"
        yield Diagnostic(place, "differs", message, hint)


def _listed(changed: dict[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in sorted(changed.items())) or "nothing"


def _quoted(policies: Sequence[str]) -> str:
    return listing([policy or "no terms" for policy in policies])
