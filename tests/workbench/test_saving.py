"""A setting written into the author's file, of which all else stays to the letter."""

from __future__ import annotations

import contextlib
import difflib
from datetime import datetime

import pytest

import detente
from detente.errors import ScenarioError
from detente.workbench.saving import saved
from detente.workbench.setting import Setting
from tests.report.conftest import EVERYTHING

TEXT = f"# mine, by hand\n{EVERYTHING}# the end\n".replace(
    "  luck:\n", "  luck:   # heard on the radio\n"
)
NOON = datetime(2026, 11, 29, 12, 0)


def changed(setting: Setting, text: str = TEXT) -> list[str]:
    """The lines that saving takes away and adds."""
    after = saved(detente.loads(text), setting, NOON)
    lines = difflib.ndiff(text.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_only_what_changed_is_written_and_noted_with_its_time() -> None:
    lines = changed(Setting({"luck": 0.4, "price.soft": 0.25}))
    assert lines == [
        "+ # 2026-11-29 12:00 luck: 0.3 -> 0.4",
        "+ # 2026-11-29 12:00 price.soft: 0.2 -> 0.25",
        "-     value: {firm: 1, soft: 0.2}",
        "+     value: {firm: 1, soft: 0.25}",
        "-     value: 0.3",
        "+     value: 0.4",
    ]


def test_policy_and_horizon_are_written() -> None:
    lines = changed(Setting(policy="nothing", periods=5))
    assert "+ policy: nothing" in lines
    assert "+ calendar: {start: 2018-02, period: month, horizon: 5}" in lines
    assert "+ # 2026-11-29 12:00 policy: trust -> nothing" in lines


def test_a_policy_that_the_file_does_not_name_is_added() -> None:
    text = TEXT.replace("policy: trust\n", "")
    after = detente.loads(saved(detente.loads(text), Setting(policy="trust"), NOON))
    assert after.policy == "trust"


def test_no_terms_can_be_saved() -> None:
    assert detente.loads(saved(detente.loads(TEXT), Setting(policy=""), NOON)).policy == ""


def test_nothing_changed_is_the_same_file() -> None:
    assert saved(detente.loads(TEXT), Setting(), NOON) == TEXT


@pytest.mark.parametrize("name", ["pyeongchang-2018", "centipede", "bargaining-rounds"])
def test_every_number_of_a_scenario_of_the_library_can_be_saved(name: str) -> None:
    scenario = detente.load(name)
    values = {
        n: value + 0.001 * (limits[1] - limits[0]) if limits and value < limits[1] else value
        for p in scenario.parameters.values()
        for n, value, limits in zip(p.names(), p.values, p.ranges, strict=True)
    }
    together: dict[str, float] = {}
    for key, value in values.items():
        with contextlib.suppress(ScenarioError):  # shares that have to add up
            scenario.with_values({**together, key: value})
            together[key] = value
    assert len(together) > len(values) / 2
    saved(scenario, Setting(together), NOON)  # checks what it has written


def test_another_form_of_the_model_is_refused() -> None:
    with pytest.raises(ScenarioError, match="another form"):
        changed(Setting(options={"order": "other"}))
