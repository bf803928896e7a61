"""Outcomes that last or have an order, against every history of small games, one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import detente
from detente.game.arrays import CompiledGame
from detente.scenario.rules import Outcome
from detente.simulation.channels import Channels
from detente.simulation.forecast import Forecast, forecast, marginal
from detente.simulation.forward import schedule
from detente.solver.solution import Solution

WEATHER = """
title: weather and a gambler
calendar: {period: round, horizon: 4}
actors: {A: {precision: 1.2, judgement: by way of example}}
state:
  rain: {levels: 0..1, start: 0}
  coat: {levels: 0..1, start: 1}
turns: [A, chance]
actions:
  A:
    dress: {set: {coat: 1}, cost: 0.3}
    undress: {set: {coat: 0}}
chance:
  sky: {effects: [{p: 0.4, set: {rain: 1 - rain}}, {p: rest}]}
payoffs: {A: {flow: coat * rain - 0.2 * coat}}
outcomes:
  wet: {when: rain == 1}
  clad: {when: coat == 1}
  both: {when: coat == 1 and rain == 1}
  soaked: {when: rain == 1, lasting: 2}
  bare: {when: coat == 0, lasting: 1}
  wet_first: {when: rain == 1, before: bare}
  bare_first: {when: coat == 0, before: wet}
  soaked_first: {when: rain == 1, lasting: 2, before: bare}
  bare_before_soaked: {when: coat == 0, before: soaked}
"""


def solved(text: str) -> Solution:
    return detente.solve(detente.compile_game(detente.loads(text)))


def histories(
    solution: Solution, periods: int
) -> Iterator[tuple[float, list[tuple[int, int, bool]]]]:
    """Every history with its probability: its tests, as state, layer, and whether a period ends."""
    game = solution.game
    moves = schedule(game, None if game.loop is None else periods)

    def follow(k: int, x: int, chance: float, tests: list) -> Iterator:  # type: ignore[type-arg]
        if k == len(moves):
            yield chance, tests
            return
        t, n = moves[k]
        if n == 0 and t > 1 and game.loop is not None:
            x = int(game.loop[x])
        layer = game.layers[n]
        first, last = layer.action_ptr[x : x + 2]
        sigma = np.ones(1)
        if layer.movers and last - first > 1:
            begin = solution.pointers[n][x]
            sigma = solution.strategies[n][begin : begin + last - first]
        for share, e in zip(sigma, range(first, last), strict=True):
            for j in range(layer.trans_ptr[e], layer.trans_ptr[e + 1]):
                p = chance * float(share * layer.prob[j])
                if p > 0:
                    test = (int(layer.succ[j]), n + 1, game.ends_period[n])
                    yield from follow(k + 1, int(layer.succ[j]), p, [*tests, test])

    yield from follow(0, game.start, 1.0, [(game.start, 0, False)])


def reached(game: CompiledGame, outcome: Outcome, tests: list[tuple[int, int, bool]]) -> list[int]:
    """The tests at which an outcome holds, its order left aside: told from all of the history."""
    holds = [bool(game.holds[outcome.key][n][x]) for x, n, _ in tests]
    if not outcome.lasting:
        return [k for k, now in enumerate(holds) if now]
    ends = [k for k, (_, _, end) in enumerate(tests) if end]
    full = []
    for k in range(len(tests)):
        run = [e for e in ends if e <= k][-outcome.lasting :]
        if len(run) == outcome.lasting and all(holds[run[0] : k + 1]):
            full.append(k)
    return full


def told(
    game: CompiledGame, key: str, tests: list[tuple[int, int, bool]]
) -> tuple[list[bool], list[bool]]:
    """For the start and the end of each period, whether an outcome has been, and if it holds."""
    outcomes = game.scenario.outcomes
    at = reached(game, outcomes[key], tests)
    first = at[0] if at else len(tests)
    if outcomes[key].before:
        other = reached(game, outcomes[outcomes[key].before], tests)
        if other and other[0] <= first:
            at = []
    ends = [0, *(k for k, (_, _, end) in enumerate(tests) if end)]
    return [bool(at) and at[0] <= k for k in ends], [k in at for k in ends]


def counted(
    solution: Solution, periods: int, given: tuple[str, ...] = ()
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By outcome, both probabilities at each period, from all histories."""
    game = solution.game
    result = {key: np.zeros((2, periods + 1)) for key in game.holds}
    total = np.zeros(periods + 1)
    for chance, tests in histories(solution, periods):
        known = np.ones(periods + 1)
        for condition in given:
            known = known * np.array(told(game, condition, tests)[0])
        total += chance * known
        for key in game.holds:
            result[key] += chance * known * np.array(told(game, key, tests))
    with np.errstate(invalid="ignore"):
        return {key: tuple(numbers / total) for key, numbers in result.items()}


def assert_alike(result: Forecast, expected: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    table = marginal(result.solution.game, result.outcomes)
    for key, (been, now) in expected.items():
        mine = table[table["outcome"] == key]
        assert np.allclose(mine["happened"], been, atol=1e-12, equal_nan=True), key
        assert np.allclose(mine["holds"], now, atol=1e-12, equal_nan=True), key


@pytest.mark.parametrize("horizon", ["4", "forever"])
def test_forecasts_count_what_every_history_says(horizon: str) -> None:
    text = WEATHER.replace("horizon: 4", f"horizon: {horizon}")
    text = text.replace("precision: 1.2", "precision: 1.2, discount: 0.6")
    solution = solved(text)
    periods = None if horizon == "4" else 4
    result = forecast(solution, periods=periods)
    expected = counted(solution, 4)
    assert_alike(result, expected)
    assert 0.01 < expected["soaked"][0][-1] < 0.99
    assert 0.01 < expected["soaked_first"][0][-1] < expected["soaked"][0][-1]


LADDER = """
title: a ladder from whose top one may fall
calendar: {period: round, horizon: 4}
actors: {A: {precision: 1.2, discount: 0.6, judgement: by way of example}}
state: {rung: {levels: 0..2, start: 0}}
turns: [A, chance]
actions: {A: {climb: {when: rung < 2, set: {rung: +1}, cost: 0.3}, rest: {}}}
chance:
  slip: {when: rung == 2, effects: [{p: 0.3, set: {rung: 0}}, {p: rest}]}
payoffs: {A: {flow: rung}}
outcomes:
  begun: {when: rung >= 1}
  top: {when: rung == 2}
  stay: {when: rung == 2, lasting: 2}
"""


@pytest.mark.parametrize("horizon", ["4", "forever"])
def test_channels_with_the_same_histories_are_moved_once(
    horizon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not been at the top has never fallen: until somebody may have, all are there."""
    solution = solved(LADDER.replace("horizon: 4", f"horizon: {horizon}"))
    periods, game = None if horizon == "4" else 4, solution.game
    result = forecast(solution, periods=periods)
    assert_alike(result, counted(solution, 4))
    channels = Channels(game)
    assert set(channels.machines) == {"begun", "top", "stay"}
    begun, top = (channels.machines[key][1].max() for key in ("begun", "top"))
    rungs = game.structure.levels(game.structure.sets[0])["rung"]
    start = int(np.flatnonzero(rungs == 0)[0])
    assert channels.homes(0)[start, [begun, top]].tolist() == (
        [0, 0] if horizon == "4" else [begun, top]
    )
    everything = property(
        lambda self: [np.ones((s.size, self.count), bool) for s in game.structure.sets]
    )
    monkeypatch.setattr(Channels, "_left", everything)
    apart = forecast(solution, periods=periods)
    for name, table in result.tables.items():
        for column, numbers in table.columns.items():
            assert np.array_equal(numbers, apart.tables[name].columns[column]), (name, column)


@pytest.mark.parametrize(
    "given", [("wet",), ("soaked",), ("bare_first", "both"), ("soaked_first",)]
)
def test_conditions_count_only_the_histories_in_which_they_have_been(
    given: tuple[str, ...],
) -> None:
    solution = solved(WEATHER)
    expected = counted(solution, 4, given)
    result = forecast(solution, given=given)
    assert_alike(result, expected)
    likelihood = counted(solution, 4)[given[0]][0][-1]
    assert result.likelihood == pytest.approx(likelihood) if len(given) == 1 else True
    states = marginal(solution.game, result.states)
    totals = states.groupby(["t", "variable"])["probability"].sum(min_count=2).dropna()
    assert np.allclose(totals, 1.0)
    actions = marginal(solution.game, result.actions)
    known = actions.groupby("t")["probability"].sum(min_count=2).dropna()
    assert np.allclose(known, 1.0)
    assert result.payoffs.empty


def test_what_cannot_be_is_no_condition() -> None:
    text = WEATHER + "  flood: {when: rain == 1, lasting: 4, before: wet}\n"
    with pytest.raises(detente.errors.ScenarioError, match="the probability of `flood` is 0"):
        forecast(solved(text), given="flood")
    with pytest.raises(detente.errors.ScenarioError, match="there is no outcome `floods`"):
        forecast(solved(text), given=["floods"])
    with pytest.raises(detente.errors.ScenarioError, match="there is no type of A `tall`"):
        forecast(solved(text), types={"A": "tall"})


SIGNALS = """
title: a sender and a receiver
calendar: {period: round, horizon: 3}
actors:
  S: {types: {high: 0.4, low: 0.6}, precision: 2, judgement: by way of example}
  R: {precision: 2, judgement: by way of example}
state: {sign: {levels: 0..1, start: 0}, trust: {levels: 0..1, start: 0}}
parameters:
  price: {value: {high: 0.2, low: 1.1}, range: [0, 2], judgement: by way of example}
turns: [S, R]
actions:
  S: {send: {set: {sign: 1}, cost: price}, wait: {set: {sign: 0}}}
  R: {trust: {set: {trust: 1}}, doubt: {set: {trust: 0}}}
payoffs: {S: {flow: trust}, R: {flow: "trust * (1 if S == high else -1)"}}
outcomes:
  sent: {when: sign == 1}
  trusted: {when: trust == 1}
  trusting: {when: trust == 1, lasting: 2}
  sent_first: {when: sign == 1, before: trusted}
"""


def test_types_are_conditions() -> None:
    solution = solved(SIGNALS)
    every, high = forecast(solution), forecast(solution, types={"S": "high"})
    mine = every.outcomes[every.outcomes["S"] == "high"].reset_index(drop=True)
    for label in ("any", "high"):
        told = high.outcomes[high.outcomes["S"] == label].reset_index(drop=True)
        assert told.drop(columns="S").equals(mine.drop(columns="S"))
    assert set(high.beliefs["S"]) == {"any", "high"}


def test_bayes_rule_joins_types_and_outcomes() -> None:
    solution = solved(SIGNALS)
    likelihood = {
        kind: forecast(solution, types={"S": kind}, given="trusting").likelihood
        for kind in ("high", "low")
    }
    both = forecast(solution, given="trusting")
    assert both.likelihood == pytest.approx(0.4 * likelihood["high"] + 0.6 * likelihood["low"])
    final = both.final.frame().set_index("outcome")["happened"]
    by_type = [
        forecast(solution, types={"S": kind}, given="trusting").final.frame()
        for kind in ("high", "low")
    ]
    mixed = sum(
        share * likelihood[kind] / both.likelihood * table.set_index("outcome")["happened"]
        for share, kind, table in zip((0.4, 0.6), ("high", "low"), by_type, strict=True)
    )
    assert np.allclose(final, mixed)


def test_samples_and_a_record_count_the_same() -> None:
    solution = solved(SIGNALS)
    draws = detente.sample(solution, draws=20_000, rng=np.random.default_rng(5))
    last = draws.groupby("draw").tail(1)
    final = forecast(solution).final.frame().set_index("outcome")["happened"]
    for key, probability in final.items():
        spread = 4 * np.sqrt(probability * (1 - probability) / 20_000)
        # The grid's own error is of the order of 0.001 here.
        assert abs(last[f"happened {key}"].mean() - probability) < spread + 0.003, key


def test_a_track_goes_on_counting() -> None:
    solution = solved(SIGNALS)
    text = "date,actor,move,action\n1,R,,trust\n2,R,,trust\n"
    track = detente.track(solution, detente.parse_record(text, solution.game.scenario))
    at = track.outcomes.set_index(["outcome", "t"])
    assert at.loc[("trusting", 1), "happened"] == 0
    assert at.loc[("trusting", 2), "happened"] == pytest.approx(1)
    assert at.loc[("sent_first", 3), "happened"] == pytest.approx(
        at.loc[("sent_first", 2), "happened"]
    )
