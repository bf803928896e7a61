"""Scenario discovery: a box that is known is found, and is counted where it was not looked for."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.ensembles.explore.boxes import (
    Condition,
    columns_of,
    counted,
    inside,
    prim,
    pruned,
    rounded,
    score,
)
from detente.ensembles.explore.discovery import discover
from tests.effort import examples


def drawn(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({f"x{k}": rng.uniform(0, 1, n) for k in range(20)})
    table["order"] = rng.choice(["left", "right"], n)
    table["chair"] = rng.choice(["a", "b", "c"], n)
    table.index = pd.RangeIndex(1, n + 1)
    return table


def test_a_known_box_is_found() -> None:
    inputs = drawn()
    fails = (inputs["x1"] > 0.6) & (inputs["x2"] < 0.5)
    told = discover(fails, inputs, "it fails", seed=0)
    assert told.base == fails.mean()
    assert told.counted == 500
    box = told.boxes[0]
    found = {one.quantity: one for one in box.conditions}
    assert set(found) == {"x1", "x2"}
    # A peel takes a twentieth of what is left, of some three hundred draws at the end.
    assert found["x1"].low == pytest.approx(0.6, abs=0.05)
    assert found["x1"].high is None
    assert found["x2"].high == pytest.approx(0.5, abs=0.05)
    assert box.coverage > 0.85
    assert box.density > 0.85
    assert box.coverage_interval[0] <= box.coverage <= box.coverage_interval[1]
    assert "x1 at least 0." in repr(told)
    assert "of the draws that fail are here" in repr(told)
    assert set(told.table["quantity"]) >= {"x1", "x2"}


def test_options_of_variants_are_conditions() -> None:
    inputs = drawn()
    fails = (inputs["chair"] == "b") & (inputs["x3"] > 0.3)
    box = discover(fails, inputs, "it fails", seed=0).boxes[0]
    found = {one.quantity: one for one in box.conditions}
    assert found["chair"].options == ("b",)
    assert found["x3"].low == pytest.approx(0.3, abs=0.07)
    told = discover(inputs["order"] == "left", inputs, "it fails", seed=0)
    assert str(told.boxes[0]) == "order is left"
    assert told.boxes[0].density == 1.0


def test_where_most_fail_it_is_told_where_they_do_not() -> None:
    inputs = drawn()
    told = discover(~((inputs["x1"] > 0.7) & (inputs["x2"] > 0.4)), inputs, "it fails", seed=0)
    assert told.base > 0.7
    assert told.rarer == "do not fail"
    assert {one.quantity for one in told.boxes[0].conditions} == {"x1", "x2"}
    assert "do not fail are here" in repr(told)


def test_chance_is_not_told() -> None:
    # Counted where they were not looked for, boxes of pure chance hold one time in forty.
    found = 0
    for seed in range(10):
        fails = pd.Series(np.random.default_rng(seed).random(400) < 0.3, index=range(1, 401))
        found += len(discover(fails, drawn(400, 50 + seed), "it fails", seed=seed).boxes)
    assert found <= 3


@pytest.mark.parametrize(
    ("fails", "note"),
    [
        (pd.Series([True] * 5, index=range(1, 6)), "5 draws are too few"),
        (pd.Series([False] * 100, index=range(1, 101)), "no draws fail"),
        (pd.Series([True] * 99 + [False], index=range(1, 101)), "1 draw does not fail"),
        (pd.Series([], dtype=bool), "0 draws are too few"),
    ],
)
def test_where_nothing_can_be_found_the_reason_is_told(fails: pd.Series, note: str) -> None:
    told = discover(fails, drawn(), "it fails", seed=0)
    assert told.note.startswith(note)
    assert not told.boxes
    assert told.table.empty


def test_the_same_seed_finds_the_same() -> None:
    inputs = drawn(300)
    fails = inputs["x1"] + inputs["x2"] > 1.2
    first, again = (discover(fails, inputs, "it fails", seed=3) for _ in range(2))
    assert first.boxes == again.boxes


@settings(max_examples=examples(50))
@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 5))
def test_counts_add_up(low: float, high: float, seed: int) -> None:
    inputs = drawn(80, seed)
    fails = (inputs["x0"] > 0.5).to_numpy()
    conditions = (Condition("x0", low), Condition("x1", None, high))
    held = inside(conditions, inputs)
    assert (held == ((inputs["x0"] >= low) & (inputs["x1"] <= high))).all()
    box = counted(conditions, inputs, fails, "PRIM")
    assert box.inside == held.sum()
    assert box.fails == (held & fails).sum()
    assert np.isnan(box.density) == (box.inside == 0)


def test_conditions_that_do_not_matter_are_dropped() -> None:
    inputs = drawn()
    fails = (inputs["x1"] > 0.6).to_numpy()
    before = (Condition("x1", 0.6, 0.999), Condition("x2", 0.001), Condition("x3", None, 0.99))
    assert pruned(before, inputs, fails) == (Condition("x1", 0.6),)


def test_limits_have_the_digits_that_matter() -> None:
    assert rounded(0.123456, 1.0) == 0.12
    assert [rounded(limit, 700.0) for limit in (1234.5678, 1500.44)] == [1235.0, 1500.0]
    assert rounded(0.00123456, 0.01) == 0.0012


@pytest.mark.prim
@pytest.mark.parametrize("seed", range(3))
def test_peeling_is_as_good_as_that_of_prim(seed: int) -> None:
    from prim import Prim

    inputs = drawn(600, seed)[[f"x{k}" for k in range(6)]]
    fails = ((inputs["x1"] > 0.6) & (inputs["x2"] < 0.5)).to_numpy()
    columns = columns_of(inputs, list(inputs), fails)
    ours = score(prim(columns, inputs, fails)[0], inputs, fails)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box = Prim(inputs.reset_index(drop=True), fails, mass_min=0.05).find_box()
        way = box.peeling_trajectory
    theirs = (2 * way["coverage"] * way["density"] / (way["coverage"] + way["density"])).max()
    # Limits are rounded, and what is not worth two hundredths is pruned.
    assert ours > theirs - 0.04
