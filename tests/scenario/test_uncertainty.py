"""How numbers are drawn: what may be said, and correlations that can be."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detente.errors import ScenarioError
from detente.scenario.ledger import drawn_priors
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from tests.effort import examples
from tests.scenario.texts import FULL, PLAIN


def with_parameters(lines: str, more: str = "") -> Scenario:
    return loads(PLAIN.replace("parameters:\n", f"parameters:\n{lines}\n") + more)


def test_draws_by_type() -> None:
    scenario = with_parameters(
        "  gain: {value: {sincere: 1, stalling: 2}, range: [1, 3], draw: {stalling: whole}}"
    )
    assert scenario.parameters["gain"].draws == ("uniform", "whole")


def test_a_range_of_some_types_only_is_told_by_the_others() -> None:
    text = "  gain: {value: {sincere: 1, stalling: 2}, range: {sincere: [1, 3]}, judgement: a test}"
    (told,) = [one for one in with_parameters(text).warnings if one.code == "no-range"]
    assert told.message == "`gain.stalling` has no range"
    assert told.hint == "say `stalling: [low, high]` in `range`, too"
    mended = text.replace("[1, 3]}", "[1, 3], stalling: [1, 3]}")
    assert "no-range" not in [one.code for one in with_parameters(mended).warnings]


def test_a_prior_with_a_concentration_needs_no_range() -> None:
    text = PLAIN.replace("{trader: 0.4, hardliner: 0.6}", "{trader: p, hardliner: 1 - p}")
    text = text.replace("parameters:\n", "parameters:\n  p: {value: 0.4, judgement: a test}\n")
    assert [warning.code for warning in loads(text).warnings] == ["no-range"]
    sure = loads(text.replace("precision: 3, j", "concentration: 8, precision: 3, j", 1))
    assert sure.warnings == ()
    assert sure.actors["US"].concentration == 8
    assert drawn_priors(sure) == {"p": "US"}
    assert drawn_priors(loads(text)) == {}


def test_all_priors_may_be_parameters() -> None:
    text = PLAIN.replace("{trader: 0.4, hardliner: 0.6}", "{trader: p, hardliner: q}")
    text = text.replace("precision: 3, j", "concentration: 8, precision: 3, j", 1)
    text = text.replace("parameters:\n", "parameters:\n  p: {value: 0.4}\n  q: {value: 0.6}\n")
    assert loads(text).actors["US"].shares() == ("p", "q")


@settings(max_examples=examples(60))
@given(st.integers(2, 6), st.floats(-0.95, 0.95))
def test_equal_correlations_are_possible_down_to_a_bound(count: int, rank: float) -> None:
    """Equicorrelated numbers: the least eigenvalue is 1 + (n - 1) r, or 1 - r."""
    least = min(
        1 + (count - 1) * 2 * math.sin(math.pi * rank / 6), 1 - 2 * math.sin(math.pi * rank / 6)
    )
    assume(abs(least) > 1e-6)
    names = [f"n{k}" for k in range(count)]
    lines = "\n".join(f"  {name}: {{value: 1, range: [0, 2]}}" for name in names)
    more = f"correlations: [{{between: [{', '.join(names)}], rank: {rank:.17g}}}]\n"
    if least > 0:
        (one,) = with_parameters(lines, more).correlations
        assert one.between == tuple(names)
    else:
        with pytest.raises(ScenarioError, match="have a rank correlation of"):
            with_parameters(lines, more)


def test_correlations_that_contradict_each_other_only_together() -> None:
    lines = "\n".join(f"  {name}: {{value: 1, range: [0, 2]}}" for name in "abcd")
    chain = "  - {between: [a, b], rank: 0.8}\n  - {between: [b, c], rank: 0.8}\n"
    with pytest.raises(ScenarioError, match="`a`, `b` and `c` contradict each other"):
        with_parameters(lines, f"correlations:\n{chain}")
    closed = f"correlations:\n{chain}  - {{between: [a, c], rank: 0.6}}\n"
    assert len(with_parameters(lines, closed).correlations) == 3


def test_a_list_may_be_empty() -> None:
    assert with_parameters("  a: {value: 1}", "correlations: []\nvariants: {}\n").correlations == ()


def test_only_drawn_numbers_go_together() -> None:
    text = FULL.replace("between: [sharp, war_cost.trader]", "between: [p_trader, war_cost.trader]")
    with pytest.raises(ScenarioError, match="`p_trader` is drawn with the prior of US"):
        loads(text)
