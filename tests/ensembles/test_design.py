"""Draws: their distributions, their dependence, and that each is the same wherever it is made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import detente
from detente.ensembles.design import (
    BLOCK,
    Design,
    Distribution,
    Draw,
    Quantity,
    design,
    quantities,
)
from detente.ensembles.worker import Worker
from detente.scenario.ledger import PRECISION_FACTOR
from detente.scenario.model import Scenario
from tests.ensembles.runs import a_manifest

MANY = 16_384
"""Draws whose rank correlation is known to 0.004 by chance alone."""

TEXT = """
title: Everything that can be drawn
calendar: {period: round, horizon: 1}
actors:
  one:
    precision: 1
    types: {a: p_a, b: p_b, c: 1 - p_a - p_b}
    concentration: 8
  two:
    precision: 1
    types: {d: p_d, e: 1 - p_d}
state:
  x: {levels: 0..9, start: 0, edge: cut}
parameters:
  p_a: {value: 0.5, judgement: j}
  p_b: {value: 0.2, judgement: j}
  p_d: {value: 0.4, range: [0.2, 0.6], judgement: j}
  flat: {value: 1, range: [-2, 4], judgement: j}
  hat: {value: 1, range: [0, 4], draw: triangular, judgement: j}
  size: {value: 1, range: [0.01, 100], draw: log-uniform, judgement: j}
  count: {value: 2, range: [1, 4], draw: whole, judgement: j}
  twice:
    value: {d: 1, e: 2}
    range: {d: [0, 2], e: [0, 5]}
    draw: {d: uniform, e: triangular}
    judgement: j
  known: {value: 3, range: [3, 3], judgement: j}
correlations:
  - {between: [flat, size], rank: 0.7, judgement: j}
  - {between: [hat, twice.e], rank: -0.5, judgement: j}
variants:
  order:
    judgement: j
    options:
      first: {weight: 3}
      second: {change: {turns: [two, one]}}
turns: [one, two]
actions:
  one: {up: {set: {x: +1}, cost: flat + hat + size + count + known}, stay: {}}
  two: {up: {set: {x: +1}, cost: twice}, stay: {}}
payoffs:
  one: {terminal: x}
  two: {terminal: x}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return detente.loads(TEXT)


def drawn(found: Design, count: int) -> pd.DataFrame:
    rows = [{**d.values, **d.options} for d in found.between(1, count + 1)]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module", params=["sobol", "latin"])
def table(scenario: Scenario, request: pytest.FixtureRequest) -> pd.DataFrame:
    return drawn(design(scenario, draws=MANY, sampling=request.param, seed=5), MANY)


def test_each_quantity_follows_its_distribution(table: pd.DataFrame) -> None:
    """Kolmogorov's distance; of 16,384 independent draws it would be below 0.0127 in 99 of 100."""
    wanted = {
        "p_a": stats.beta(4, 4),
        "p_b": stats.beta(1.6, 6.4),
        "p_d": stats.uniform(0.2, 0.4),
        "flat": stats.uniform(-2, 6),
        "hat": stats.triang(0.25, 0, 4),
        "size": stats.loguniform(0.01, 100),
        "twice.d": stats.uniform(0, 2),
        "twice.e": stats.triang(0.4, 0, 5),
    }
    for name, distribution in wanted.items():
        assert stats.kstest(table[name], distribution.cdf).statistic < 0.025, name
    # A point in four of each cell of a Sobol sequence or a hypercube: no more than one is missing.
    assert table["count"].value_counts(normalize=True).to_dict() == pytest.approx(
        {1.0: 0.25, 2.0: 0.25, 3.0: 0.25, 4.0: 0.25}, abs=0.005
    )
    assert (table["order"] == "first").mean() == pytest.approx(0.75, abs=0.005)
    assert "known" not in table


def test_shares_leave_room_for_the_rest(table: pd.DataFrame) -> None:
    rest = 1.0 - table["p_a"] - table["p_b"]
    assert (rest >= 0.0).all()
    assert stats.kstest(rest, stats.beta(2.4, 5.6).cdf).statistic < 0.025
    # Of a Dirichlet distribution with parameters a, of sum A: -a_i a_j / (A² (A + 1)).
    assert np.cov(table["p_a"], table["p_b"])[0, 1] == pytest.approx(-4 * 1.6 / (64 * 9), rel=0.1)


def test_ranks_correlate_as_asked(table: pd.DataFrame) -> None:
    ranks = table.drop(columns="order").corr("spearman")
    # Without the step from ranks to normal numbers they would be smaller by 0.017.
    assert ranks.loc["flat", "size"] == pytest.approx(0.7, abs=0.008)
    assert ranks.loc["hat", "twice.e"] == pytest.approx(-0.5, abs=0.012)
    for a, b in [("flat", "hat"), ("size", "count"), ("p_d", "flat"), ("p_a", "twice.d")]:
        assert abs(ranks.loc[a, b]) < 0.05


def test_a_draw_is_the_same_wherever_it_is_made(scenario: Scenario) -> None:
    many = design(scenario, draws=3 * BLOCK, seed=1)
    for number in (1, 2, BLOCK, BLOCK + 1, 2 * BLOCK + 7):
        alone = many.draw(number)
        assert alone == list(many.between(number - 1, number + 1))[-1]
        # Of a Sobol sequence, also whatever the number of draws is.
        assert alone == design(scenario, draws=number, seed=1).draw(number)
    assert many.draw(1) != design(scenario, draws=3, seed=2).draw(1)


def test_draw_0_is_the_scenario_as_it_stands(scenario: Scenario) -> None:
    first = design(scenario, draws=1).draw(0)
    assert first == Draw(0, first.values, {"order": "first"})
    assert first.values["p_a"] == 0.5
    assert first.values["twice.e"] == 2.0


def precisions(text: str) -> dict[str, Quantity]:
    """What is drawn of a scenario with these precisions."""
    return {q.name: q for q in quantities(detente.loads(TEXT.replace("precision: 1", text)))}


def test_precision_is_drawn_over_half_to_twice_at_least() -> None:
    factor = precisions("precision: 3")[PRECISION_FACTOR]
    assert (factor.low, factor.high) == (0.5, 2.0)
    assert factor.at(np.array([0.5])) == pytest.approx([1.0])
    for limits, expected in (
        ("[0.1, 9]", (0.1, 9)),
        ("[0.9, 1.1]", (0.5, 2)),
        ("[1, 9]", (0.5, 9)),
    ):
        wide = TEXT.replace("precision: 1", "precision: lam").replace(
            "parameters:", f"parameters:\n  lam: {{value: 1, range: {limits}, judgement: j}}"
        )
        scenario = detente.loads(wide)
        named = {q.name: q for q in quantities(scenario)}
        assert (named["lam"].low, named["lam"].high) == expected
        assert PRECISION_FACTOR not in named
        # What is set from outside is known.
        known = {q.name for q in quantities(scenario.with_values({"lam": 2.0}))}
        assert known == named.keys() - {"lam"}
    assert PRECISION_FACTOR not in precisions("precision: limit")


def test_a_worker_multiplies_precisions_by_the_factor() -> None:
    manifest = a_manifest()
    games = {}
    for draw in manifest.design().between(0, 4):
        game = Worker(manifest)._game(draw, "open")
        games[draw.number] = game.precision
        assert game.precision == pytest.approx(2.0 * draw.values[PRECISION_FACTOR])
    assert games[0] == pytest.approx([2.0, 2.0])
    assert len({float(lam[0]) for lam in games.values()}) == 4


def test_a_latin_hypercube_has_one_draw_in_each_stratum(scenario: Scenario) -> None:
    values = drawn(design(scenario, draws=50, sampling="latin"), 50)["p_d"]
    assert sorted(np.floor((values - 0.2) / 0.4 * 50)) == list(range(50))


def test_what_is_set_or_chosen_is_known(scenario: Scenario) -> None:
    names = {quantity.name for quantity in quantities(scenario)}
    assert names == {
        *("p_a", "p_b", "p_d", "flat", "hat", "size", "count", "twice.d", "twice.e", "order"),
        PRECISION_FACTOR,
    }
    known = scenario.with_options({"order": "first"}).with_values({"p_a": 0.4, "flat": 0.0})
    assert names - {q.name for q in quantities(known)} == {"order", "p_a", "p_b", "flat"}
    # The correlation of what is known with what is not drops out.
    assert (
        stats.kstest(
            drawn(design(known, draws=1024), 1024)["size"], stats.loguniform(0.01, 100).cdf
        ).statistic
        < 0.03
    )


def test_a_stick_that_is_all_named_adds_up() -> None:
    text = TEXT.replace("c: 1 - p_a - p_b", "c: p_c").replace(
        "  p_d: {value", "  p_c: {value: 0.3, judgement: j}\n  p_d: {value"
    )
    scenario = detente.loads(text)
    assert [q.drawn for q in quantities(scenario) if q.distribution is Distribution.SHARE] == [
        True,
        True,
        False,
    ]
    table = drawn(design(scenario, draws=64), 64)
    assert (table[["p_a", "p_b", "p_c"]].sum(axis=1) - 1.0).abs().max() < 1e-12


def test_nothing_to_draw() -> None:
    scenario = detente.load("centipede")
    known = scenario.with_values(
        {n: v for p in scenario.parameters.values() for n, v in zip(p.names(), p.values)}  # noqa: B905
    )
    assert design(known, draws=3).draw(3) == Draw(3, {}, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sampling": "dice", "draws": 3}, "sobol, latin"), ({"draws": 0}, "from 1 to")],
)
def test_what_cannot_be_drawn(scenario: Scenario, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        design(scenario, **options)
