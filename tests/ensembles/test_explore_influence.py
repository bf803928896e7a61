"""Which assumptions decide: functions whose shares of variance are known."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc

from detente.ensembles.explore.influence import (
    FEWEST,
    Influence,
    _first_orders,
    _pawn,
    codes,
    influence,
)
from detente.ensembles.explore.metrics import metrics
from detente.ensembles.explore.question import ask
from tests.ensembles.stand_in import StandIn, make


def drawn(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    told = {f"x{k}": rng.uniform(0, 1, n) for k in range(1, 6)}
    return {**told, "order": rng.choice(["left", "middle", "right"], n)}


def judged(x: dict[str, np.ndarray], y: np.ndarray, seed: int = 0) -> Influence:
    found = make({"deal@3": y[:, None]}, x, ("",))
    return influence(ask(found, metrics(found)[0], ""), found.inputs, seed=seed)


def test_shares_of_variance_are_those_of_a_sum() -> None:
    # Of y = 3 x1 + x2 they are 9/10 and 1/10, of independent quantities of equal spread.
    x = drawn(2000)
    told = judged(x, (3 * x["x1"] + x["x2"]) / 4)
    first, second = told.table.iloc[0], told.table.iloc[1]
    assert (first["quantity"], second["quantity"]) == ("x1", "x2")
    # Slices of an eighth of the range miss 1/64 of what is in them; the rest is sampling.
    assert first["s1"] == pytest.approx(0.9, abs=0.03)
    assert second["s1"] == pytest.approx(0.1, abs=0.03)
    assert first["s1_conf"] < 0.03
    assert first["direction"] > 0.9
    assert first["pawn"] > second["pawn"] > told.pawn_floor
    assert set(told.table[told.table["counts"]]["quantity"]) == {"x1", "x2"}
    assert "x1 9" in repr(told)


KNOWN = {
    "x1 alone": (lambda x: x[:, 0], 1.0),
    "a sum": (lambda x: 3 * x[:, 0] + x[:, 1], 0.9),
    "a product": (lambda x: x[:, 0] * x[:, 1], 3 / 7),
    "a jump": (lambda x: np.where(x[:, 0] > 0.37, 1.0, 0.0), 1.0),
    "a wave": (lambda x: np.sin(6 * x[:, 0]) + 0 * x[:, 1], 1.0),
    "nothing": (lambda x: x[:, 1] + x[:, 2] * x[:, 3], 0.0),
}
"""Functions of four quantities between 0 and 1, and the first-order share of the first."""


@pytest.mark.parametrize("sampling", ["sobol", "latin", "random"])
def test_intervals_cover_the_shares(sampling: str) -> None:
    covered = []
    for (function, share), n, seed in product(KNOWN.values(), (64, 256, 1024), range(8)):
        rng = np.random.default_rng(seed)
        designs = {"sobol": qmc.Sobol, "latin": qmc.LatinHypercube}
        made = designs[sampling](4, rng=rng).random(n) if sampling in designs else None
        x = rng.random((n, 4)) if made is None else made
        s1, half = _first_orders(x[:, :1], function(x), rng)
        covered.append(abs(s1[0] - share) <= half[0] + 1e-9)
    assert np.mean(covered) >= 0.95


def test_what_one_quantity_alone_decides_is_all_of_it() -> None:
    x = drawn(64)
    first = judged(x, 0.2 + 0.6 * x["x1"]).table.iloc[0]
    assert first["s1"] == pytest.approx(1.0, abs=1e-6)


def test_what_changes_the_spread_alone_is_seen_by_pawn() -> None:
    x = drawn(1500)
    rng = np.random.default_rng(1)
    told = judged(x, 0.5 + 0.1 * x["x3"] ** 4 * rng.choice([-1, 1], 1500)).table
    row = told.set_index("quantity").loc["x3"]
    assert row["counts"]
    assert row["s1"] < 0.02


@pytest.mark.slow
def test_variants_count_whatever_the_order_of_their_options() -> None:
    x = drawn(1000)
    for option in ("left", "middle", "right"):
        told = judged(x, 0.2 + 0.5 * (x["order"] == option) + 0.01 * x["x1"])
        first = told.table.iloc[0]
        assert first["quantity"] == "order"
        assert first["s1"] > 0.8  # slices cut across options
        assert np.isnan(first["direction"])


@pytest.mark.slow
def test_noise_is_said_to_be_noise() -> None:
    found = 0
    for seed in range(6):
        y = np.random.default_rng(100 + seed).random(150)
        found += judged(drawn(150, seed), y, seed).table["counts"].sum()
    assert found <= 3  # of 36, at one or two in a hundred for each of two indices


def test_correlated_quantities_are_marked() -> None:
    x = drawn(500)
    x["x4"] = 0.7 * x["x1"] + 0.3 * x["x4"]
    told = judged(x, x["x1"]).table.set_index("quantity")["shares_with"]
    assert told["x1"] == ("x4",)
    assert told["x4"] == ("x1",)
    assert told["x2"] == ()


def test_draws_that_were_not_solved_are_left_out() -> None:
    x = drawn(600)
    y = 3 * x["x1"] + x["x2"]
    y[x["x3"] > 0.8] = np.nan
    told = judged(x, y)
    assert told.left_out == np.isnan(y).sum()
    assert told.draws + told.left_out == 600
    assert told.table.iloc[0]["s1"] == pytest.approx(0.9, abs=0.06)


def test_the_difference_of_two_policies_is_explained() -> None:
    x = drawn(500)
    y = np.column_stack([x["x1"], x["x1"] + 0.1 * x["x2"]])
    found = make({"deal@3": y}, x, ("firm", "open"))
    told = influence(ask(found, metrics(found)[0], "open", "firm"), found.inputs, seed=0)
    assert told.table.iloc[0]["quantity"] == "x2"
    assert told.question.kind == "difference"


@pytest.mark.parametrize(
    ("found", "note"),
    [
        (make({"deal@3": np.random.default_rng(0).random((5, 1))}, {"x": range(5)}, ("",)), "few"),
        (make({"deal@3": np.ones((90, 1))}, {"x": range(90)}, ("",)), "the same"),
        (
            make({"deal@3": np.linspace(0, 1, 90)[:, None]}, {"x": np.ones(90)}, ("",)),
            "nothing was drawn",
        ),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(found: StandIn, note: str) -> None:
    told = influence(ask(found, metrics(found)[0], ""), found.inputs, seed=0)
    assert note in told.note
    assert told.table.empty
    assert note in repr(told)


@pytest.mark.parametrize("n", range(FEWEST, 221, 20))
def test_any_number_of_draws_will_do(n: int) -> None:
    # One for each number of slices.
    x = drawn(n)
    assert judged(x, x["x1"]).table.iloc[0]["quantity"] == "x1"


def test_seeds_decide_and_nothing_else_changes() -> None:
    x = drawn(200)
    y = x["x1"] + x["x2"]
    first, again, other = judged(x, y), judged(x, y), judged(x, y, seed=1)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert not first.table.equals(other.table)


def test_codes_leave_out_what_is_the_same_everywhere() -> None:
    table = codes(pd.DataFrame({"a": [1.0, 1.0], "b": ["x", "y"], "c": [2, 3], "d": ["z", "z"]}))
    assert list(table.columns) == ["b", "c"]
    assert table["b"].tolist() == [0, 1]


def test_what_decides_is_told_of_120_draws() -> None:
    x = drawn(120)
    assert judged(x, x["x1"]).table.iloc[0]["quantity"] == "x1"


@pytest.mark.salib
def test_indices_are_those_of_salib() -> None:
    from SALib.analyze import delta, pawn

    n = 1000
    rng = np.random.default_rng(0)
    x = rng.random((n, 3))
    y = 3 * x[:, 0] + x[:, 1] + 0.1 * rng.random(n)
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    with warnings.catch_warnings():
        distances = pawn.analyze(problem, x, y, S=10)["median"]
        shares = delta.analyze(problem, x, y, num_resamples=2, method="sobol", seed=1)["S1"]
    orders = np.argsort(x, axis=0)
    # It leaves out the largest of each quantity, one draw in a slice of a hundred.
    assert _pawn(orders, y) == pytest.approx(distances, abs=0.01)
    # It takes one resample, whose share has a standard deviation of about a hundredth.
    assert _first_orders(x, y, rng)[0] == pytest.approx(shares, abs=0.04)
