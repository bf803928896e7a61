"""Whether an ensemble may stand in a page beside a forecast and a comparison.

Its draws have to be of the same scenario, changed in the same way, under the same policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from detente.errors import Problems
from detente.scenario.hints import listing
from detente.scenario.model import Scenario
from detente.scenario.policies import policy_name

if TYPE_CHECKING:
    from detente.ensembles.manifest import Manifest


def check_ensemble(manifest: Manifest, scenario: Scenario, policies: Sequence[str]) -> None:
    """Refuse an ensemble of something else than what the page is about.

    Raises
    ------
    ScenarioError
        With all that differs.
    """
    problems = Problems()
    if manifest.sha256 != scenario.sha256:
        message = f"it is of another scenario, {manifest.name}"
        if manifest.name == scenario.name:
            message = f"{scenario.name} has changed since its draws were solved"
        hint = f"solve draws of it as it is now: `detente ensemble {scenario.name}`"
        problems.add("ensemble", "differs", message, hint)
        problems.refuse()  # names mean nothing from one scenario to another
    solved = manifest.scenario()
    for what, ours, theirs in (
        ("the changes", _listed(scenario.changed), _listed(solved.changed)),
        ("the horizon", scenario.horizon.text, solved.horizon.text),
    ):
        if ours != theirs:
            message = f"its draws were solved with {what} {theirs}, not {ours}"
            problems.add("ensemble", "differs", message, "give the same to both")
    if set(policies) != set(manifest.policies):
        names = (listing(map(policy_name, of)) for of in (manifest.policies, policies))
        message = "its draws have the policies {}, not {}".format(*names)
        hint = "leave out `policies=` to compare those of the draws"
        if manifest.against not in policies or set(policies) - set(manifest.policies):
            hint = "choose among those with `policy=` and `policies=`"
        problems.add("ensemble", "differs", message, hint)
    problems.refuse()


def _listed(changed: dict[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in sorted(changed.items())) or "nothing"
