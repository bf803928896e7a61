"""A scenario's policies by name: '' stands for no terms at all, None for the scenario's own."""

from __future__ import annotations

from collections.abc import Sequence

from detente.errors import Problems, refuse
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.rules import Policy, Term

NO_TERMS = Policy(terms=())
"""The policy ''."""


def policy_name(policy: str) -> str:
    """What to call a policy; '' is no terms at all."""
    return policy or "no terms"


def quoted(policy: str) -> str:
    """The same within a sentence."""
    return f"“{policy}”" if policy else "no terms"


def find_policy(scenario: Scenario, name: str | None, argument: str = "policy") -> Policy:
    """The policy of this name.

    Raises
    ------
    ScenarioError
        If there is none, which is a mistake in `argument`.
    """
    key = scenario.policy if name is None else name
    if not key:
        return NO_TERMS
    if key not in scenario.policies:
        hint = did_you_mean(key, scenario.policies) if scenario.policies else "it has none"
        refuse(argument, "unknown-name", f"the scenario has no policy {key!r}", hint)
    return scenario.policies[key]


def find_policies(
    scenario: Scenario, names: Sequence[str] | None, base: str | None = None
) -> tuple[str, ...]:
    """Policies to be solved, all by default, and `base` that they are compared with.

    The base comes first where it is not among them. Raises as `find_policy`, with all that is
    unknown of the arguments `policies` and `against`.
    """
    problems = Problems()
    wanted = tuple(scenario.policies or ("",)) if names is None else tuple(names)
    base = scenario.policy if base is None else base
    for argument, name in [*(("policies", name) for name in wanted), ("against", base)]:
        with problems.gather():
            find_policy(scenario, name, argument)
    problems.refuse()
    return tuple(dict.fromkeys(wanted if base in wanted else (base, *wanted)))


def terms_of(scenario: Scenario, policy: str) -> tuple[Term, ...]:
    """The terms that a policy announces."""
    return tuple(scenario.terms[key] for key in find_policy(scenario, policy).terms)
