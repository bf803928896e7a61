"""Two scenarios: what differs, each difference taken alone, and all of them together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detente
from detente.analysis.diff import Diff, Effect
from detente.scenario.differences import differences, with_differences
from tests.generate import Shape, scenarios

OPTIONS = detente.SolveOptions(beliefs=5, threads=1)

TEXT = """\
title: Give or hold
about: A test.
calendar: {start: 2018-02, period: month, horizon: 3}
actors:
  A: {types: {firm: p, soft: 1 - p}, precision: 2}
  B: {precision: 2}
state: {x: {levels: 0..2, start: 0, edge: cut}}
parameters:
  p: {value: 0.5, range: [0, 1], judgement: a test, about: chance of a firm A}
  price: {value: {firm: 1, soft: 0.2}, range: [0, 3], judgement: a test, about: of giving}
turns: [A, B]
actions:
  A: {give: {set: {x: +1}, cost: price}, hold: {}}
  B: {take: {when: x > 0, set: {x: -1}}, thank: {}}
payoffs: {A: {flow: x}, B: {terminal: 2 * x}}
terms: {no_taking: {binds: B, forbids: take, unless: x == 2}}
policies: {trust: [no_taking], nothing: []}
policy: trust
outcomes: {given: {when: x >= 1, about: something is given}, all: {when: x == 2}}
"""


def compared(*changes: tuple[str, str], solved: bool = True) -> Diff:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    first, second = detente.loads(TEXT, file="a.yaml"), detente.loads(text, file="b.yaml")
    return detente.diff(first, second, OPTIONS, words=not solved)


def changes(effects: tuple[Effect, ...]) -> dict[tuple[str, str], float]:
    return {(effect.outcome, effect.kind): effect.change for effect in effects}


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(text=scenarios(Shape()))
def test_a_file_does_not_differ_from_itself(text: str) -> None:
    assert detente.diff(detente.loads(text), detente.loads(text)).differences == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [("{set: {x: +1}, cost: price}", "{cost: price,   set: {x: +1}}"), ("2 * x", "2  *  x"),
     ("value: 0.5", "value: 0.50"),
        ("policy: trust\n", "policy: trust  # for now\n"), ("[0, 3]", "[0, 3.0]")],
)  # fmt: skip
def test_how_a_file_is_written_is_no_difference(old: str, new: str) -> None:
    assert compared((old, new), solved=False).differences == ()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(first=scenarios(Shape()), second=scenarios(Shape(actors=3, levels=4, chance=False)))
def test_with_all_differences_the_first_is_the_second(first: str, second: str) -> None:
    one, other = detente.loads(first), detente.loads(second)
    found = differences(one, other)
    assert differences(with_differences(one, other, found), other) == ()
    back = differences(other, one)
    assert {d.name for d in back} == {d.name for d in found}
    assert {d.name for d in back if d.added} == {d.name for d in found if d.removed}


@settings(max_examples=10, deadline=None)
@given(text=scenarios(Shape()), shift=st.sampled_from([-0.3, 0.4]))
def test_one_difference_does_alone_what_all_do_together(text: str, shift: float) -> None:
    first = detente.loads(text)
    name, parameter = next(iter(first.parameters.items()))
    changed = {full: v + shift for full, v in zip(parameter.names(), parameter.values, strict=True)}
    result = detente.diff(first, first.with_values(changed), OPTIONS)
    assert result.groups == ((f"parameters.{name}",),)
    assert changes(result.alone) == pytest.approx(changes(result.together), abs=1e-9)


def test_differences_are_taken_one_by_one() -> None:
    result = compared(("value: 0.5", "value: 0.8"), ("flow: x}", "flow: 1.5 * x}"))
    assert result.groups == (("parameters.p",), ("payoffs.A.flow",))
    first = detente.loads(TEXT)
    other = detente.diff(first, first.with_values({"p": 0.8}), OPTIONS)
    alone = tuple(effect for effect in result.alone if effect.taken == ("parameters.p",))
    assert changes(alone) == pytest.approx(changes(other.together), abs=1e-9)
    assert [str(d.first) for d in result.differences] == ["a.yaml:9:3", "a.yaml:15:15"]


def test_what_cannot_be_taken_alone_is_taken_with_what_it_needs() -> None:
    result = compared(
        ("flow: x}", "flow: gain * x}"),
        ("  p: {", "  gain: {value: 1.5, range: [1, 2], judgement: a test, about: gain}\n  p: {"),
        ("terminal: 2 * x", "terminal: 3 * x"),
    )
    assert result.groups == (("parameters.gain", "payoffs.A.flow"), ("payoffs.B.terminal",))


def test_what_cannot_be_parted_is_taken_together() -> None:
    """A level that is gone, where it starts, and what speaks of it."""
    result = compared(
        ("levels: 0..2, start: 0", "levels: 1..3, start: 1"),
        ("when: x > 0", "when: x > 1"),
        ("unless: x == 2", "unless: x == 3"),
        ("x == 2}}", "x == 3}}"),
    )
    assert len(result.differences) == 4
    assert {name for group in result.groups for name in group} == {
        difference.name for difference in result.differences
    }
    assert changes(result.together)["given", "holds"] == pytest.approx(1 - 0, abs=1)


def test_what_moves_no_forecast_is_said_and_not_solved() -> None:
    result = compared(
        ("range: [0, 3]", "range: [0, 2]"), ("judgement: a test, about: of", "about: of")
    )
    assert [d.silent for d in result.differences] == [True]
    assert not result.statuses
    assert result.groups == ()


def test_an_action_may_be_called_like_a_field() -> None:
    text = TEXT.replace("hold: {}", "hold: {}, notes: {cost: 0.3}")
    first = detente.loads(text)
    second = detente.loads(text.replace("cost: 0.3", "cost: 0.9"))
    (difference,) = detente.diff(first, second, words=True).differences
    assert difference.name == "actions.A.notes"
    assert not difference.silent


def test_without_a_common_outcome_nothing_is_solved() -> None:
    result = compared(
        ("outcomes: {given: {when: x >= 1, about: something is given}, all:", "outcomes: {most:")
    )
    assert result.outcomes == ()
    assert not result.statuses


def test_options_of_variants_count_as_if_they_stood_in_the_file() -> None:
    variant = (
        "variants: {order: {judgement: a test, about: who is first, options: {a_first: {}, "
        "b_first: {change: {turns: [B, A]}}}}}\n"
    )
    first = detente.loads(TEXT + variant)
    second = first.with_options({"order": "b_first"}).with_horizon(2)
    names = [d.name for d in detente.diff(first, second, words=True).differences]
    assert names == ["calendar.horizon", "turns"]


def test_a_policy_is_that_of_both() -> None:
    first = detente.loads(TEXT)
    second = detente.loads(TEXT.replace("policy: trust", "policy: nothing"))
    assert any(
        abs(c) > 0.01 for c in changes(detente.diff(first, second, OPTIONS).together).values()
    )
    both = detente.diff(first, second, OPTIONS, policy="trust")
    assert changes(both.together) == pytest.approx(
        dict.fromkeys(changes(both.together), 0), abs=1e-9
    )
    with pytest.raises(detente.errors.ScenarioError, match="no policy 'x'"):  # type: ignore[attr-defined]
        detente.diff(first, second, policy="x")
