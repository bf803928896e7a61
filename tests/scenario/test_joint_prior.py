"""The table of a joint prior, as it is read and shown."""

from __future__ import annotations

import pytest

import detente
from detente.describe.scenario import describe_scenario
from detente.errors import ScenarioError
from detente.render.terminal import print_described
from detente.scenario.model import Scenario

TEXT = """
title: Types that go together
calendar: {period: round, horizon: 1}
actors:
  A: {types: [high, low], precision: 1}
  B: {types: [one, two, three], precision: 1}
joint_prior:
  by: [B, A]
  values:
    one: {high: p, low: 0.1}
    two: {high: 0.2, low: 0.1}
    three: {high: 0.15, low: 0.45 - p}
parameters: {p: {value: 0.3, range: [0.1, 0.4]}}
state: {x: {levels: 0..1, start: 0}}
turns: [A, B]
actions: {A: {wait: {}}, B: {wait: {}}}
payoffs: {A: {terminal: x}, B: {terminal: x}}
"""


def test_priors_are_what_the_table_adds_up_to() -> None:
    scenario = detente.loads(TEXT)

    def priors(scenario: Scenario, actor: str) -> list[float]:
        return [scenario.constant(prior) for prior in scenario.actors[actor].priors.values()]

    assert scenario.actors["A"].types == ("high", "low")
    assert priors(scenario, "A") == pytest.approx([0.65, 0.35])
    assert priors(scenario, "B") == pytest.approx([0.4, 0.3, 0.3])
    assert priors(scenario.with_values({"p": 0.2}), "A") == pytest.approx([0.55, 0.45])
    game = detente.compile_game(scenario)
    order = [(1, 0), (0, 0), (1, 1), (0, 1), (1, 2), (0, 2)]  # types of A and B, by cells
    prior = {tuple(p): w for p, w in zip(game.profiles.tolist(), game.profile_prior(), strict=True)}
    low_first = [0.1, 0.3, 0.1, 0.2, 0.15, 0.15]
    assert [prior[types] for types in order] == pytest.approx(low_first, abs=1e-15)
    given_low = game.profile_prior(but=[0]) * (game.profiles[:, 0] == 1)
    assert given_low.sum() == pytest.approx(1.0)
    assert given_low.max() == pytest.approx(0.15 / 0.35)


@pytest.mark.parametrize(("p", "code"), [(0.5, "priors"), (0.45, "joint-prior")])
def test_values_from_outside_are_checked(p: float, code: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        detente.loads(TEXT).with_values({"p": p})
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {code}


def test_it_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    described = describe_scenario(detente.loads(TEXT))
    table = described.data["joint_prior"]
    assert table["by"] == ["B", "A"]
    assert table["values"]["three"] == {"high": 0.15, "low": pytest.approx(0.15)}
    print_described(described)
    printed = " ".join(capsys.readouterr().out.split())
    assert "The types of B and A go together. B A together if each by itself" in printed
    assert "one high 0.3 0.26" in printed
