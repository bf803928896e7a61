"""Constants, and values changed from outside."""

from __future__ import annotations

import math

import pytest

from detente.errors import Place, ScenarioError
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from tests.scenario.texts import FULL


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(FULL)


def refused(scenario: Scenario, values: dict[str, object]) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        scenario.with_values(values)  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.diagnostics]


def test_constants(scenario: Scenario) -> None:
    assert scenario.periods == 12
    assert scenario.constant(scenario.actors["ROK"].precision) == 3
    assert [scenario.constant(p) for p in scenario.actors["US"].priors.values()] == [0.25, 0.75]
    assert scenario.constant_problems() == []


def test_one_type_and_all_types(scenario: Scenario) -> None:
    one = scenario.with_values({"step_cost.sincere": 0.4})
    assert one.parameters["step_cost"].values == (0.4, 1.1)
    assert one.overrides == {"step_cost.sincere": 0.4}
    both = one.with_values({"step_cost": 0.7, "weeks": 3})
    assert both.parameters["step_cost"].values == (0.7, 0.7)
    assert both.overrides == {"step_cost.sincere": 0.7, "step_cost.stalling": 0.7, "weeks": 3}
    assert both.periods == 3
    later = scenario.with_values({"step_cost": 0.7, "step_cost.sincere": 0.1})
    assert later.parameters["step_cost"].values == (0.1, 0.7)


def test_the_scenario_itself_stays_as_it_is(scenario: Scenario) -> None:
    scenario.with_values({"weeks": 3})
    assert scenario.parameters["weeks"].values == (12,)
    assert scenario.overrides == {}
    assert scenario.with_values({}) == scenario


def test_a_value_outside_its_range_is_told(scenario: Scenario) -> None:
    before = scenario.warnings
    outside = scenario.with_values({"sharp": 11, "step_cost": 5})
    told = [w for w in outside.warnings if w not in before]
    assert [(w.place, w.code) for w in told] == [(Place(argument="values"), "out-of-range")] * 2
    assert "`sharp`, 11," in told[0].message
    assert "`step_cost.sincere`, 5," in told[1].message
    assert outside.with_values({"sharp": 1.5, "step_cost.sincere": 0.2}).warnings == before


def test_names_and_numbers_that_will_not_do(scenario: Scenario) -> None:
    told = refused(
        scenario,
        {"step_cots": 1, "step_cost.sincer": 1, "weeks": math.nan, "sharp": "1", "p_trader": True},
    )
    assert len(told) == 5
    assert told[0].startswith("argument `values`: error[unknown-name]: `step_cots` is not a ")
    assert "did you mean `step_cost`" in told[0]
    assert "did you mean `step_cost.sincere`" in told[1]
    assert all("finite number" in line for line in told[2:])


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"p_trader": 1.5}, "priors", "not from 0 to 1"),
        ({"sharp": -1}, "out-of-range", "less than 0"),
        ({"weeks": 2.5}, "out-of-range", "not a whole number"),
        ({"weeks": 0}, "out-of-range", "not a whole number"),
        ({"weeks": 10_001}, "out-of-range", "10,000"),
        ({"weeks": 0.5}, "probabilities", "a probability of `calm` is 2"),
    ],
)
def test_constants_are_checked_again(
    scenario: Scenario, values: dict[str, float], code: str, words: str
) -> None:
    told = refused(scenario, dict(values))
    assert any(f"error[{code}]" in line and words in line for line in told)


def test_another_horizon(scenario: Scenario) -> None:
    longer = scenario.with_horizon(30)
    assert longer.periods == 30
    assert longer.horizon.place == Place(argument="horizon")
    with pytest.raises(ScenarioError, match="`horizon`"):
        scenario.with_horizon(0)
    with pytest.raises(ScenarioError, match="year 9999"):
        loads(FULL.replace("period: week", "period: year").replace("02-05", "02")).with_horizon(
            9000
        )
