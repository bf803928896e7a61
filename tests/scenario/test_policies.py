"""Policies by name: unknown ones are mistakes in the argument that named them."""

from __future__ import annotations

import pytest

import detente
from detente.errors import Problems, ScenarioError
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policies, find_policy, terms_of


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return detente.load("pyeongchang-2018")


def test_a_policy_is_found_by_name(scenario: Scenario) -> None:
    assert find_policy(scenario, "relief first") is scenario.policies["relief first"]
    assert find_policy(scenario, None) is scenario.policies[scenario.policy]
    assert terms_of(scenario, "") == ()
    keys = [term.key for term in terms_of(scenario, "relief first")]
    assert keys == list(scenario.policies["relief first"].terms)


def test_an_unknown_policy_is_a_mistake_in_its_argument(scenario: Scenario) -> None:
    with pytest.raises(ScenarioError) as refused:
        find_policies(scenario, ["relief frist", ""], "maximum presure")
    problems = refused.value.diagnostics
    assert [problem.place.argument for problem in problems] == ["policies", "against"]
    assert "did you mean `relief first`?" in problems[0].hint


def test_the_base_comes_first_where_it_is_not_named(scenario: Scenario) -> None:
    every = tuple(scenario.policies)
    assert find_policies(scenario, None) == every
    assert find_policies(scenario, every[1:], every[0]) == every
    assert find_policies(scenario, ["", every[0], ""], every[0]) == ("", every[0])
    with pytest.raises(ScenarioError, match="has no policy 'any'"):
        find_policies(detente.load("beer-quiche"), ["any"])


def test_problems_are_gathered_and_told_once(scenario: Scenario) -> None:
    problems = Problems()
    problems.refuse()  # of nothing
    for name in ("nobody", "", "nobody"):
        with problems.gather():
            find_policy(scenario, name)
    problems.add("who", "missing", "it is not said who")
    with pytest.raises(ScenarioError) as refused:
        problems.refuse()
    assert [d.place.argument for d in refused.value.diagnostics] == ["policy", "who"]
