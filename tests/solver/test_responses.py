"""Reference behaviour and shocks: closed forms, a second solver, dynamic choice, a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import detente
from detente.analysis.near_start import beside_principal
from detente.solver.backward import Backward
from detente.solver.beliefs import belief_grid
from detente.solver.solution import Status
from detente.solver.start import parse_start
from detente.solver.workers import open_workers
from tests.effort import examples
from tests.generate import scenarios
from tests.reference import FoldedError
from tests.solver.test_certificate import random_game
from tests.solver.test_reference import GAMES, SHAPES, compare

Floats = NDArray[np.float64]


@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
@pytest.mark.parametrize("name", SHAPES)
@settings(
    max_examples=examples(2),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_same_as_a_slow_solver(name: str, responses: str, data: st.DataObject) -> None:
    shape, points = SHAPES[name]
    shape = replace(shape, reference=True, shocks=responses == "shocks")
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape))))
    try:
        compare(game, points)
    except FoldedError:
        assume(False)


@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
@pytest.mark.parametrize("name", ["one mover", "three types", "two at once, one informed"])
def test_the_certificate_agrees_where_types_matter_to_all(name: str, responses: str) -> None:
    kinds, turns, points = GAMES[name]
    game = random_game(kinds, turns, actions=2, uneven=True, responses=responses)
    solution = detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False)
    assert solution.status is Status.SOLVED
    assert solution.certificate.value_error < 1e-12
    # Other reference behaviour, the other reading: the certificate sees both.
    assert solution.certificate.residual < 1e-10


@pytest.mark.parametrize("shocks", [False, True])
@settings(max_examples=examples(5), deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_forward_equals_backward(shocks: bool, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["two informed in turn", "two at once, one informed"]))
    forever = data.draw(st.booleans())
    shape = replace(SHAPES[name][0], reference=True, shocks=shocks, forever=forever)
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape))))
    solution = detente.solve(game, detente.SolveOptions(beliefs=9), coarse=False)
    assert solution.status is Status.SOLVED
    # Without end, 24 periods add up what the fixed point is off by: 1e-12 each.
    assert detente.forecast(solution).forward_error < (1e-13 if game.loop is None else 1e-10)


ONCE = """
title: one choice each, at the same time
responses: {responses}
calendar: {{period: round, horizon: 1}}
actors:
  A: {{precision: {lam}}}
  B: {{precision: {other}}}
state:
  x: {{levels: 0..2, start: 0}}
  y: {{levels: 0..1, start: 0}}
turns: [{{who: [A, B]}}]
actions:
  A: {{stay: {{reference: 0.5}}, one: {{set: {{x: 1}}}}, two: {{set: {{x: 2}}, reference: 3}}}}
  B: {{stay: {{}}, up: {{set: {{y: 1}}}}}}
payoffs:
  A: {{terminal: (0 if x == 0 else (1.3 if x == 1 else -0.4)) + 0.7 * y}}
  B: {{terminal: 2 * y}}
"""

WEIGHTS, WORTH = np.array([0.5, 1, 3]) / 4.5, np.array([0, 1.3, -0.4])


@pytest.mark.parametrize("lam", [1e-9, 1e-5, 0.01, 1.0, 30.0])
def test_the_value_is_the_log_of_a_mean_of_exponentials(lam: float) -> None:
    """λ⁻¹ log Σ w exp(λ Q): near 0 the mean and λ / 2 times the variance, to the last digits."""
    text = ONCE.format(responses="shocks", lam=lam, other=0.5)
    solution = detente.solve(detente.compile_game(detente.loads(text)))
    up = np.exp(1) / (1 + np.exp(1))
    wanted = np.log1p(WEIGHTS @ np.expm1(lam * WORTH)) / lam + 0.7 * up
    assert solution.payoffs["A", ""] == pytest.approx(wanted, abs=1e-14, rel=1e-13)
    assert solution.payoffs["B", ""] == pytest.approx(np.log((1 + np.exp(1)) / 2) / 0.5, abs=1e-14)
    if lam < 1e-3:
        mean = WEIGHTS @ WORTH
        spread = WEIGHTS @ (WORTH - mean) ** 2
        near = mean + lam / 2 * spread + 0.7 * up
        assert solution.payoffs["A", ""] == pytest.approx(near, abs=10 * lam**2 + 1e-14)
    assert solution.certificate.regret is None


@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_mistakes_are_worth_what_is_done(lam: float) -> None:
    text = ONCE.format(responses="mistakes", lam=lam, other=0.5)
    solution = detente.solve(detente.compile_game(detente.loads(text)))
    play = WEIGHTS * np.exp(lam * WORTH)
    up = np.exp(1) / (1 + np.exp(1))
    assert solution.payoffs["A", ""] == pytest.approx(play @ WORTH / play.sum() + 0.7 * up)


LATER = """
title: one later option against three
responses: {responses}
calendar: {{period: round, horizon: 1}}
actors: {{A: {{precision: {lam}}}}}
state:
  way: {{levels: [none, narrow, wide], start: none}}
turns: [{{who: A, when: way == none}}, {{who: A, when: way != none}}]
actions:
  A:
    narrow: {{set: {{way: narrow}}, when: way == none}}
    wide: {{set: {{way: wide}}, when: way == none}}
    only: {{when: way == narrow}}
    first: {{when: way == wide}}
    second: {{when: way == wide}}
    third: {{when: way == wide}}
payoffs: {{A: {{terminal: 0}}}}
outcomes: {{went_wide: {{when: way == wide}}}}
"""


@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
@pytest.mark.parametrize("lam", [0.5, 4.0])
def test_more_names_for_nothing_are_worth_nothing(responses: str, lam: float) -> None:
    """Rust's shocks, each with mean 0, would make it 1/4 against 3/4."""
    text = LATER.format(responses=responses, lam=lam)
    solution = detente.solve(detente.compile_game(detente.loads(text)))
    assert solution.strategy(0, 0, 0)[0, 0].tolist() == pytest.approx([0.5, 0.5], abs=1e-15)
    assert solution.payoffs["A", ""] == pytest.approx(0, abs=1e-15)


MACHINE = """
title: when to replace a machine
responses: shocks
calendar: {period: round, horizon: forever}
actors: {A: {precision: 2.5, discount: 0.9}}
state:
  worn: {levels: 0..4, start: 0, edge: cut}
turns: [A]
actions:
  A:
    replace: {set: {worn: 0}, cost: 1.2}
    keep: {effects: [{p: 0.6, set: {worn: +1}}, {p: rest}], cost: 0.4 * worn}
payoffs: {A: {flow: 0}}
"""


def test_dynamic_discrete_choice() -> None:
    """Rust (1987): the same choices, and values that differ by log 2 / λ in each period."""
    solution = detente.solve(detente.compile_game(detente.loads(MACHINE)))
    lam, delta, worn = 2.5, 0.9, np.arange(5)
    values = np.zeros(5)
    for _ in range(600):
        keep = -0.4 * worn + delta * (0.6 * values[np.minimum(worn + 1, 4)] + 0.4 * values)
        each = np.stack([np.full(5, -1.2 + delta * values[0]), keep])
        values = np.log(np.exp(lam * each).sum(axis=0)) / lam
    play = np.exp(lam * (each - values))
    shift = np.log(2) / lam / (1 - delta)
    assert solution.payoffs["A", ""] == pytest.approx(values[0] - shift, abs=1e-9)
    for x in worn:
        assert solution.strategy(0, x, 0)[0, 0].tolist() == pytest.approx(play[:, x], abs=1e-9)


DATA = Path(__file__).parents[3] / "shared" / "data" / "published" / "dynamic-audience-costs"

DYAD = """
title: crises of two states, with audience costs
about: Crisman-Cox and Gibilisco (2018), American Journal of Political Science 62
responses: shocks
calendar: {period: round, horizon: forever}
actors:
  I: {precision: 1, discount: 0.9}
  J: {precision: 1, discount: 0.9}
state:
  before: {levels: 0..2, start: 0}
  done_I: {levels: 0..2, start: 0}
  done_J: {levels: 0..2, start: 0}
parameters:
%s
turns: [{who: [I, J]}]
actions:
  I:
    none: {set: {done_I: 0, before: "max(done_I, done_J)"}}
    threat: {set: {done_I: 1, before: "max(done_I, done_J)"}, cost: -kappa_I_2}
    force: {set: {done_I: 2, before: "max(done_I, done_J)"}, cost: -kappa_I_3}
  J:
    none: {set: {done_J: 0}}
    threat: {set: {done_J: 1}, cost: -kappa_J_2}
    force: {set: {done_J: 2}, cost: -kappa_J_3}
payoffs:
  I: {flow: {state: STATE_I, both: BOTH, audience: alpha_I * (done_I < before <= done_J)}}
  J: {flow: {state: STATE_J, both: BOTH, audience: alpha_J * (done_J < before <= done_I)}}
"""


def dyad_text() -> str:
    """The scenario: what a state is worth, what is paid where both act, audience costs."""
    names = [f"{what}_{k}" for what in ("beta_I", "beta_J", "kappa_I", "kappa_J") for k in (2, 3)]
    names += ["gamma_1", "gamma_2", "gamma_3", "alpha_I", "alpha_J"]
    text = DYAD % "\n".join(f"  {name}: {{value: 0}}" for name in names)
    both = " + ".join(f"gamma_{k + 1} * (before == {k})" for k in range(3))
    text = text.replace("BOTH", f"({both}) * (done_I > 0 and done_J > 0)")
    for i in "IJ":
        state = f"beta_{i}_2 * (before == 1) + beta_{i}_3 * (before == 2)"
        text = text.replace(f"STATE_{i}", state)
    return text


def dyad_values() -> tuple[list[dict[str, float]], Floats]:
    """The published payoffs of each dyad, by parameter, and its action values [dyad, i, s, a]."""
    est = pd.read_csv(DATA / "estimates.csv", skipinitialspace=True).set_index("parameter")
    theta = est["estimate"]
    traits = pd.read_csv(DATA / "directed_dyads_X.csv").set_index(["i", "j"])
    countries = pd.read_csv(DATA / "countries_Z_alpha.csv").set_index("country")
    found = []
    for pair in pd.read_csv(DATA / "dyads.csv").itertuples():
        values = {f"gamma_{k}": theta[f"gamma_{k}"] for k in (1, 2, 3)}
        for i, me, other in (("I", pair.i, pair.j), ("J", pair.j, pair.i)):
            dyad, country = traits.loc[(me, other)], countries.loc[me]
            values[f"alpha_{i}"] = country["audience_cost"]
            for k in (2, 3):
                x = ("const", "min_polity", "log_cap_ratio", "sqrt_depend")
                z = ("const", "log1p_gdppc", "log1p_milperpc")
                values[f"beta_{i}_{k}"] = sum(theta[f"beta{k}_{n}"] * dyad[n] for n in x)
                values[f"kappa_{i}_{k}"] = sum(theta[f"kappa{k}_{n}"] * country[n] for n in z)
        found.append({name: float(value) for name, value in values.items()})
    published = pd.read_csv(DATA / "equilibrium_values.csv").set_index("dyad")
    return found, published.to_numpy().reshape(-1, 2, 3, 3)


@pytest.mark.skipif(not DATA.exists(), reason="the study's data are not part of the project")
def test_the_published_equilibria_of_the_dynamic_audience_cost_model() -> None:
    """All 179: from the published values one month back gives the published choices and values.

    The published values contain shocks of mean 0: with three actions everywhere they are ours and
    log 3 for each month from now on. The principal branch is another equilibrium for most dyads.
    """
    game = detente.compile_game(detente.loads(dyad_text()))
    payoffs, published = dyad_values()
    assert len(payoffs) == 179
    levels = game.structure.levels(game.layers[0].states)
    state = np.maximum(levels["done_I"], levels["done_J"])
    grid = belief_grid(game, detente.SolveOptions().points(game))
    worst = 0.0
    with open_workers(1) as workers:
        for values, action_values in zip(payoffs, published, strict=True):
            dyad = detente.with_values(game, values)
            engine = Backward(dyad, grid, workers, regret=False)
            top = action_values.max(axis=2)
            shares = np.exp(action_values - top[:, :, None])
            play = shares / shares.sum(axis=2, keepdims=True)
            worth = np.log(shares.sum(axis=2)) + top - np.log(3) / (1 - 0.9)
            begin = worth[:, state].T[:, :, None]  # [x, i, 1]
            odds = action_values[:, state, 1:] - action_values[:, state, :1]
            ahead = engine.begin_from(begin[dyad.loop])
            engine.close_period(ahead, 1)
            starts = np.concatenate([*odds], axis=1)
            again, sigma = engine.layer(0, ahead, starts)
            ours = sigma.reshape(-1, 2, 3)
            worst = max(worst, float(np.abs(ours - play[:, state].swapaxes(0, 1)).max()))
            assert again == pytest.approx(begin, abs=1e-8)
    assert worst < 1e-6


def published_choices(action_values: Floats) -> str:
    """A dyad's published choices as a file: logits of its action values, [i, s, a]."""
    play = np.exp(action_values - action_values.max(axis=2, keepdims=True))
    play /= play.sum(axis=2, keepdims=True)
    lines = [
        f'{i},"max(done_I, done_J) == {s}",{action},{share:.17g}'
        for i, by_state in zip("IJ", play, strict=True)
        for s, shares in enumerate(by_state)
        for action, share in zip(("none", "threat", "force"), shares, strict=True)
    ]
    return "\n".join(["actor,when,action,share", *lines])


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the study's data are not part of the project")
def test_all_published_equilibria_are_found_near_their_choices() -> None:
    game = detente.compile_game(detente.loads(dyad_text()))
    levels = game.structure.levels(game.layers[0].states)
    state = np.maximum(levels["done_I"], levels["done_J"])
    for number, (values, action_values) in enumerate(zip(*dyad_values(), strict=True)):
        dyad = detente.with_values(game, values)
        start = parse_start(published_choices(action_values), dyad)
        near = detente.solve(dyad, detente.SolveOptions(threads=1), start=start)
        assert near.status is Status.SOLVED
        published = np.exp(action_values - action_values.max(axis=2, keepdims=True))
        published /= published.sum(axis=2, keepdims=True)
        ours = near.strategies[0].reshape(-1, 2, 3).swapaxes(0, 1)
        assert np.abs(ours - published[:, state]).max() < 1e-6
        if number == 5:  # the principal branch of this one is another equilibrium
            beside = beside_principal(detente.forecast(detente.solve(dyad)), start)
            assert beside.principal.solution.status is Status.SOLVED
            assert not beside.same
            assert beside.near.solution.payoffs == pytest.approx(near.payoffs, abs=1e-9)
