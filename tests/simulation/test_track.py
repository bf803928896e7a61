"""The filter against enumeration of all histories, closed forms, and what must not change it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import detente
from detente.errors import ScenarioError
from detente.simulation.histories import interpolated_strategy
from detente.simulation.track import Track
from detente.solver.solution import Solution
from tests.solver.test_hidden_moves import scenario as hiding
from tests.solver.test_private_chance import scenario as chain

GAME = """\
title: Steps and pressure, with chance
calendar: {start: 2018-02, period: month, horizon: 3}
actors:
  sender: {name: The Sender, precision: 2}
  target: {precision: 2, types: {sincere: 0.4, stalling: 0.6}}
state:
  pressure: {levels: 0..2, start: 1, edge: cut}
  steps: {levels: 0..1, start: 0, edge: cut}
  mood: {levels: [calm, tense], start: calm}
parameters:
  step_cost: {value: {sincere: 0.3, stalling: 1.1}}
turns: [sender, target, chance]
actions:
  sender:
    hold: {}
    tighten: {set: {pressure: +1}, also: [press harder, "more or less"]}
    ease: {when: steps == 1, set: {pressure: -1}}
  target:
    wait: {}
    step:
      effects: [{p: 0.7, set: {steps: 1}}, {p: rest}]
      cost: step_cost
chance:
  alarm: {effects: [{p: 0.2, set: {mood: tense}}, {p: rest, set: {mood: calm}}]}
payoffs:
  sender: {flow: -0.15 * pressure, terminal: steps + 0.7 * pressure * (target == stalling)}
  target:
    flow: -0.2 * pressure ** 2 - 0.1 * (mood == tense)
    terminal: steps * (0.6 if target == sincere else 0.1)
terms:
  no_relief: {binds: sender, forbids: ease, when: mood == tense}
policies: {free: {terms: []}, calm first: {terms: [no_relief]}}
policy: free
outcomes:
  stepped: {when: steps == 1}
  alarmed: {when: mood == tense}
  over: {when: pressure == 2 and steps == 1, ends: true}
"""
FINE = 1025
"""Belief points of comparisons with exact posteriors: the error falls as the square of the step."""
HEADER = "date,actor,move\n"


def solved(text: str = GAME, *, beliefs: int = 17, policy: str | None = None) -> Solution:
    game = detente.compile_game(detente.loads(text), policy=policy)
    solution = detente.solve(
        game, detente.SolveOptions(beliefs=beliefs), coarse=False, regret=False
    )
    assert solution.status.name == "SOLVED"
    return solution


@pytest.fixture(scope="module")
def coarse() -> Solution:
    return solved()


@pytest.fixture(scope="module")
def fine() -> Solution:
    return solved(beliefs=FINE)


def tracked(solution: Solution, lines: str, **options: object) -> Track:
    record = detente.parse_record(HEADER + lines, solution.game.scenario, file="moves.csv")
    return detente.track(solution, record, **options)  # type: ignore[arg-type]


# ---- against enumeration of all histories


@dataclass(frozen=True)
class History:
    """A whole history: what it weighs, who did what, and the states at the ends of periods."""

    weight: NDArray[np.float64]  # [p], with the prior
    moves: tuple[tuple[int, str, str], ...] = ()  # t, actor, action
    ends: tuple[dict[str, str], ...] = ()
    been: tuple[frozenset[str], ...] = ()
    met: frozenset[str] = field(default_factory=frozenset)


def histories(solution: Solution) -> list[History]:
    """All of them, with exact posteriors and strategies between nodes."""
    game = solution.game
    start = History(game.profile_prior())
    start = replace(start, met=met(solution, 0, game.start))
    return list(grow(solution, 0, game.start, list(game.priors), start))


def met(solution: Solution, n: int, x: int) -> frozenset[str]:
    return frozenset(key for key, holds in solution.game.holds.items() if holds[n][x])


def grow(
    solution: Solution, n: int, x: int, beliefs: list[NDArray[np.float64]], history: History
) -> Iterator[History]:
    game = solution.game
    if n == len(game.layers):
        yield history
        return
    layer, actors = game.layers[n], list(game.scenario.actors)
    for e in range(layer.action_ptr[x], layer.action_ptr[x + 1]):
        weight, after, moves = history.weight, list(beliefs), list(history.moves)
        for m, i in enumerate(layer.movers):
            own = int(layer.action[e, m])
            if own < 0:
                continue
            sigma = interpolated_strategy(solution, n, x, beliefs, m)[:, e - layer.action_ptr[x]]
            weight = weight * sigma[game.profiles[:, i]]
            after[i] = beliefs[i] * sigma / (beliefs[i] @ sigma)
            moves.append((layer.period, actors[i], list(game.scenario.actions[actors[i]])[own]))
        for k in range(layer.trans_ptr[e], layer.trans_ptr[e + 1]):
            to = int(layer.succ[k])
            grown = replace(history, weight=weight * layer.prob[k], moves=tuple(moves))
            grown = replace(grown, met=history.met | met(solution, n + 1, to))
            if game.ends_period[n]:
                code = int(game.structure.sets[n + 1][to])
                levels = game.structure.levels(np.array([code]))
                end = {v.key: v.label(int(levels[v.key][0])) for v in game.structure.variables}
                grown = replace(grown, ends=(*grown.ends, end), been=(*grown.been, grown.met))
            yield from grow(solution, n + 1, to, after, grown)


Test = Callable[[History], bool]


def moved(t: int, actor: str, *actions: str, silent: bool = False) -> Test:
    def test(history: History) -> bool:
        done = [a for when, who, a in history.moves if (when, who) == (t, actor)]
        return done[0] in actions if done else silent

    return test


def total(all_of: list[History], tests: list[Test]) -> NDArray[np.float64]:
    kept = [h.weight for h in all_of if all(test(h) for test in tests)]
    return np.sum(kept, axis=0) if kept else np.zeros(2)


def test_it_is_what_enumeration_of_all_histories_gives(fine: Solution) -> None:
    lines = """\
always,sender,hold or tighten
2018-02-03,sender,press harder
2018-02-20,target,step
2018-02-28,state,steps == 0
2018-03-05,target,wait
2018-04-01,target,step
2018-04-30,state,mood == tense or steps == 1
"""
    result = tracked(fine, lines)
    every = histories(fine)
    tests: list[Test] = [
        moved(1, "sender", "tighten"),
        moved(1, "target", "step"),
        lambda h: h.ends[0]["steps"] == "0",
        moved(2, "sender", "hold", "tighten", silent=True),
        moved(2, "target", "wait"),
        moved(3, "sender", "hold", "tighten", silent=True),
        moved(3, "target", "step"),
        lambda h: h.ends[2]["mood"] == "tense" or h.ends[2]["steps"] == "1",
    ]
    assert list(result.moves["kind"]) == [
        *("move", "move", "reading", "silence", "move", "silence", "move", "reading")
    ]
    sums = [total(every, tests[:k]).sum() for k in range(len(tests) + 1)]
    assert sums[0] == pytest.approx(1)
    expected = [b / a for a, b in itertools.pairwise(sums)]
    # The belief grid interpolates: at 1025 points by less than 1e-6.
    assert result.moves["probability"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert result.log_likelihood == pytest.approx(np.log(sums[-1]), abs=1e-5)

    sincere = result.beliefs.query("type == 'sincere'")["probability"].to_numpy()
    exact = [total(every, tests[:k]) for k in range(len(tests) + 1)]
    assert sincere == pytest.approx([w[0] / w.sum() for w in exact], abs=1e-5)

    told = {1: 3, 2: 5, 3: 8}  # observations by the end of each period
    for t, count in told.items():
        whole = total(every, tests[:count]).sum()
        for key in ("stepped", "alarmed", "over"):
            been: Test = lambda h, key=key, t=t: key in h.been[t - 1]  # type: ignore[misc]  # noqa: E731
            row = result.outcomes.query(f"outcome == '{key}' and t == {t}")
            share = total(every, [*tests[:count], been]).sum() / whole
            assert row["happened"].item() == pytest.approx(share, abs=1e-5)
            before = total(every, [been]).sum()
            assert row["before"].item() == pytest.approx(before, abs=1e-5)
        for variable in ("steps", "mood", "pressure"):
            rows = result.states.query(f"step == 0 and t == {t} and variable == '{variable}'")
            for label, p in zip(rows["label"], rows["probability"], strict=True):
                at: Test = lambda h, v=variable, k=label, t=t: h.ends[t - 1][v] == k  # type: ignore[misc]  # noqa: E731
                share = total(every, [*tests[:count], at]).sum() / whole
                assert p == pytest.approx(share, abs=1e-5)


def test_the_forecast_from_here_is_that_of_the_histories_that_are_left(fine: Solution) -> None:
    result = tracked(fine, "2018-02-03,sender,tighten\n2018-02-20,target,step\n", path=True)
    every = histories(fine)
    tests = [moved(1, "sender", "tighten"), moved(1, "target", "step")]
    whole = total(every, tests).sum()
    assert (result.last, result.end) == (1, 3)
    assert result.path is not None
    for key in ("stepped", "alarmed", "over"):
        been: Test = lambda h, key=key: key in h.been[2]  # type: ignore[misc]  # noqa: E731
        share = total(every, [*tests, been]).sum() / whole
        row = result.outcomes.query(f"outcome == '{key}' and t == 3")
        assert row["happened"].item() == pytest.approx(share, abs=1e-5)
        ahead = result.path.query(f"outcome == '{key}'")["happened"].to_numpy()
        assert ahead == pytest.approx([total(every, [been]).sum(), share], abs=1e-5)


def test_probabilities_of_all_records_add_up_to_one() -> None:
    solution = solved(GAME.replace(", ends: true", ""), beliefs=9)
    options = [
        ("hold", "tighten", "ease"),
        ("wait", "step"),
        ("hold", "tighten", "ease"),
        ("wait", "step"),
    ]
    actors = ["sender", "target"] * 2
    dates = ["2018-02-01", "2018-02-02", "2018-03-01", "2018-03-02"]
    whole = 0.0
    for actions in itertools.product(*options):
        rows = zip(dates, actors, actions, strict=True)
        lines = "".join(f"{date},{actor},{action}\n" for date, actor, action in rows)
        track = tracked(solution, lines, skip_impossible=True)
        if track.skipped.empty:
            whole += np.exp(track.log_likelihood)
    assert whole == pytest.approx(1, abs=1e-12)


# ---- closed forms


def test_a_signal_is_bayes_rule() -> None:
    scenario = detente.load("beer-quiche")
    solution = detente.solve(detente.compile_game(scenario), coarse=False, regret=False)
    game = solution.game
    informed = game.informed[0]
    key = list(scenario.actors)[informed]
    n = next(n for n, layer in enumerate(game.layers) if informed in layer.movers)
    sigma = solution.strategy(n, 0)[solution.grid.start]
    prior = game.priors[informed]
    # The types' ratio is exact in a strategy, and their sum to the solver's tolerance: a record
    # holds chances among all that could have been observed.
    whole = (prior @ sigma).sum()
    for a, action in enumerate(scenario.actions[key]):
        record = detente.parse_record(f"{HEADER}1,{key},{action}\n", scenario)
        result = detente.track(solution, record)
        chance = prior @ sigma[:, a] / whole
        assert result.moves["probability"].item() == pytest.approx(chance, abs=1e-14)
        assert result.moves["uniform"].item() == pytest.approx(1 / sigma.shape[1], abs=1e-14)
        assert result.moves["prior_only"].item() == pytest.approx(chance, abs=1e-14)
        believed = result.beliefs.query("step == 1")["probability"].to_numpy()
        assert believed == pytest.approx(prior * sigma[:, a] / whole / chance, abs=1e-14)


def test_an_empty_record_is_the_forecast(coarse: Solution) -> None:
    result, plain = tracked(coarse, ""), detente.forecast(coarse)
    assert result.moves.empty
    assert result.log_likelihood == 0
    both = result.outcomes.merge(
        plain.outcomes.query("target == 'any'"), on=["t", "outcome"], suffixes=("", "_plain")
    )
    assert len(both) == 12
    assert both["happened"].to_numpy() == pytest.approx(
        both["happened_plain"].to_numpy(), abs=1e-13
    )
    assert both["before"].to_numpy() == pytest.approx(both["happened_plain"].to_numpy(), abs=1e-13)
    means = plain.beliefs.query("target == 'any'")["mean"].to_numpy()
    assert result.periods["public"].to_numpy() == pytest.approx(means, abs=1e-13)


def test_the_public_and_the_record_believe_the_same_on_average(fine: Solution) -> None:
    result = tracked(fine, "2018-03-05,target,step\n2018-04-02,target,wait\n")
    assert result.periods["low"].lt(result.periods["high"]).any()
    gap = result.periods["public"] - result.periods["probability"]
    assert gap.abs().max() < 1e-5


# ---- silence


def test_silence_is_waiting_where_the_record_says_so(coarse: Solution) -> None:
    unknown = tracked(coarse, "2018-03-01,sender,hold\n")
    waiting = tracked(coarse, "always,target,wait\n2018-03-01,sender,hold\n")
    told = tracked(
        coarse, "2018-02-02,target,wait\n2018-03-01,sender,hold\n2018-03-02,target,wait\n"
    )
    assert list(unknown.moves["kind"]) == ["move"]
    assert list(waiting.moves["kind"]) == ["silence", "move", "silence"]
    last = [
        t.beliefs.query("type == 'sincere'")["probability"].iloc[-1] for t in (unknown, waiting)
    ]
    assert last[1] < 0.15 < 0.3 < last[0]
    # Nobody moves where play is over: to be silent there is not to have waited.
    assert waiting.log_likelihood == pytest.approx(told.log_likelihood, abs=1e-12)


def test_silence_that_means_anything_says_nothing(coarse: Solution) -> None:
    result = tracked(coarse, "always,target,(unknown)\n2018-03-01,sender,hold\n")
    assert result.moves.query("kind == 'silence'")["probability"].to_numpy() == pytest.approx(1)
    plain = tracked(coarse, "2018-03-01,sender,hold\n")
    assert result.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-14)


def test_a_standing_reading_is_read_at_the_end_of_each_period(coarse: Solution) -> None:
    standing = tracked(coarse, "always,state,mood == calm\n2018-03-01,sender,hold\n")
    dated = "2018-02-28,state,mood == calm\n2018-03-01,sender,hold\n2018-03-31,state,mood == calm\n"
    assert standing.log_likelihood == pytest.approx(
        tracked(coarse, dated).log_likelihood, abs=1e-14
    )
    calm = detente.forecast(coarse).states.query(
        "target == 'any' and label == 'calm' and t in (1, 2)"
    )
    prior_only = standing.moves.query("kind == 'reading'")["prior_only"].to_numpy()
    assert prior_only == pytest.approx(calm["probability"].to_numpy())


# ---- what is impossible


def test_an_impossible_move_is_told_with_the_reason(coarse: Solution) -> None:
    lines = """\
2018-02-03,sender,ease
2018-03-03,sender,hold
2018-03-31,state,mood == tense and mood == calm
"""
    with pytest.raises(ScenarioError) as caught:
        tracked(coarse, lines)
    first, second = caught.value.diagnostics
    assert (str(first.place), first.code) == ("moves.csv:2", "impossible")
    assert first.message == (
        "sender in 2018-02: `ease` is impossible: `ease` can be chosen only when `steps == 1`; "
        "the model holds steps to be 0 (100 %)"
    )
    assert "`skip_impossible=True`" in first.hint
    assert str(second.place) == "moves.csv:4"
    assert "the model holds mood to be calm (80 %) or tense (20 %)" in second.message

    result = tracked(coarse, lines, skip_impossible=True)
    assert list(result.skipped["line"]) == [2, 4]
    assert np.isneginf(result.skipped["log_score"]).all()
    without = tracked(coarse, "2018-03-03,sender,hold\n")
    assert result.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-14)
    assert result.scores["uniform"] == pytest.approx(without.scores["uniform"], abs=1e-14)


def test_a_term_that_forbids_is_named() -> None:
    solution = solved(policy="calm first")
    lines = """\
2018-02-20,target,step
2018-02-28,state,steps == 1 and mood == tense and pressure == 1
2018-03-02,sender,ease
"""
    with pytest.raises(
        ScenarioError, match=r"`ease` is forbidden by the term `no_relief`"
    ) as caught:
        tracked(solution, lines)
    assert "(mood to be tense (100 %))" in str(caught.value)


LAPSED = """\
title: A promise after the other
calendar: {period: month, start: 2018-02, horizon: 3}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
turns: [A]
actions: {A: {take: {set: {x: 1}}, wait: {}}}
payoffs: {A: {flow: x}}
terms:
  early: {binds: A, forbids: take, until: 2018-03}
  late: {binds: A, forbids: take, from: 2018-03}
  once_taken: {binds: A, forbids: take, from: x >= 1}
policies: {all: {terms: [early, late, once_taken]}}
policy: all
outcomes: {taken: {when: x >= 1}}
"""


@pytest.mark.parametrize(("date", "term"), [("2018-02-03", "early"), ("2018-03-03", "late")])
def test_a_term_that_is_not_in_force_is_not_blamed(date: str, term: str) -> None:
    scenario = detente.loads(LAPSED)
    solution = detente.solve(detente.compile_game(scenario))
    with pytest.raises(ScenarioError) as caught:
        detente.track(solution, detente.parse_record(f"date,actor,move\n{date},A,take\n", scenario))
    (problem,) = caught.value.diagnostics
    assert problem.message.endswith(
        f"`take` is impossible: `take` is forbidden by the term `{term}`"
    )


def test_a_move_after_the_end_of_play_names_the_outcome(coarse: Solution) -> None:
    lines = """\
2018-02-03,sender,tighten
2018-02-20,target,step
2018-02-28,state,steps == 1
2018-03-02,sender,hold
"""
    with pytest.raises(ScenarioError, match=r"is impossible: play has ended by `over`\n"):
        tracked(coarse, lines)


# ---- several at once, several turns, play without end


SEVERAL = """\
title: Two who move at once
calendar: {period: round, horizon: 2}
actors:
  A: {precision: 2, types: {soft: 0.5, hard: 0.5}}
  B: {precision: 1.5, types: {soft: 0.3, hard: 0.7}}
state: {x: {levels: 0..4, start: 2, edge: cut}}
parameters:
  like: {value: {soft: 0.2, hard: 0.9}, of: A}
  want: {value: {soft: 0.1, hard: 0.7}, of: B}
turns: [{who: [A, B]}, {who: A}]
actions:
  A: {up: {set: {x: +1}}, stay: {}}
  B: {down: {set: {x: -1}}, stay: {}}
payoffs:
  A: {flow: like * x}
  B: {flow: -want * x}
outcomes: {high: {when: x == 4}}
"""


def test_two_who_move_at_once_and_an_actor_with_two_turns() -> None:
    solution = solved(SEVERAL, beliefs=9)
    result = tracked(solution, "1,A,up\n1,B,stay\n1,A,stay\n2,B,down\n")
    assert list(result.moves["turn"]) == [1, 1, 2, 1]
    assert list(result.moves["probability"] < 1) == [True] * 4
    game = solution.game
    joint = 1.0
    for m, a in ((0, 0), (1, 1)):
        sigma = solution.strategy(0, 0, m)[solution.grid.start]
        joint *= float(game.priors[m] @ sigma[:, a])
    assert np.exp(result.moves["log_score"].iloc[:2].sum()) == pytest.approx(joint, abs=1e-14)
    assert result.moves["uniform"].to_numpy() == pytest.approx(0.5)


DEAL = """\
title: A deal, and its end
calendar: {period: round, horizon: 2}
actors: {A: {precision: 2, types: {soft: 0.5, hard: 0.5}}, B: {precision: 1}}
state: {deal: {levels: [open, on, off], start: open}}
parameters: {like: {value: {soft: 0.2, hard: 0.9}}}
turns: [{who: A, when: deal == open}, B, {who: A, when: deal == on}]
actions:
  A:
    offer: {when: deal == open, set: {deal: on}}
    refuse: {when: deal == open, set: {deal: off}}
    keep: {when: deal == on}
    end: {when: deal == on, set: {deal: off}}
  B: {hold: {}, work: {cost: 0.1}}
payoffs: {A: {flow: like * (deal == on)}, B: {flow: -0.1 * (deal == on)}}
outcomes: {ended: {when: deal == off}}
"""


def test_moves_go_past_turns_at_which_they_are_never_to_be_had() -> None:
    solution = solved(DEAL, beliefs=5)
    turns = [
        list(tracked(solution, lines).moves["turn"])
        for lines in ("1,A,offer\n1,A,keep\n2,A,end\n", "1,A,keep\n2,A,keep or end\n", "2,A,end\n")
    ]
    assert turns == [[1, 3, 3], [3, 3], [3]]
    with pytest.raises(ScenarioError, match="`offer` is impossible"):
        tracked(solution, "2,A,offer\n2,A,keep\n")


def test_play_without_end() -> None:
    text = SEVERAL.replace("horizon: 2", "horizon: forever").replace(
        "precision: 2", "precision: 2, discount: 0.9"
    )
    text = text.replace("precision: 1.5", "precision: 1.5, discount: 0.9")
    solution = solved(text, beliefs=5)
    lines = "1,A,up\n1,B,stay\n2,A,stay\n3,B,down\n"
    result = tracked(solution, lines, periods=5, path=True)
    assert (result.last, result.end) == (3, 5)
    assert result.path is not None
    assert result.path["t"].max() == 3
    final = result.path.query("t == 3")["happened"].item()
    row = result.outcomes.query("t == 5")["happened"].item()
    assert final == pytest.approx(row, abs=1e-13)
    with pytest.raises(ScenarioError, match="the record goes to period 3"):
        tracked(solution, lines, periods=2)


# ---- what must not matter


def test_results_do_not_depend_on_threads(coarse: Solution) -> None:
    lines = "2018-02-03,sender,tighten\n2018-02-20,target,step\n2018-03-05,target,wait\n"
    one = tracked(coarse, lines, threads=1, path=True)
    three = tracked(coarse, lines, threads=3, path=True)
    for name in ("moves", "beliefs", "periods", "states", "outcomes", "path", "expected"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(three, name), check_exact=True)


def test_very_unlikely_records_do_not_run_out_of_numbers() -> None:
    text = GAME.replace("horizon: 3", "horizon: 12").replace("precision: 2", "precision: 250")
    solution = solved(text, beliefs=5)
    months = [f"{2018 + (1 + t) // 12}-{(1 + t) % 12 + 1:02}" for t in range(12)]
    result = tracked(
        solution,
        "".join(
            f"{month},sender,{'hold' if k % 2 else 'tighten'}\n{month},target,wait\n"
            for k, month in enumerate(months)
        ),
    )
    assert result.log_likelihood < -700  # e^-700 is no number that a computer has
    assert result.beliefs["probability"].between(0, 1).all()
    assert result.beliefs.groupby("step")["probability"].sum().to_numpy() == pytest.approx(1)


def test_the_coarser_grid_tells_the_error() -> None:
    game = detente.compile_game(detente.loads(GAME))
    lines = "2018-02-03,sender,tighten\n2018-02-20,target,step\n2018-03-05,target,wait\n"
    result = tracked(detente.solve(game, detente.SolveOptions(beliefs=9), regret=False), lines)
    exact = tracked(solved(beliefs=257), lines)
    assert exact.coarse is None
    assert exact.errors == {}
    assert set(result.errors) == {"moves", "beliefs", "outcomes"}
    off = (result.moves["probability"] - exact.moves["probability"]).abs().max()
    assert 0 < off < result.errors["moves"] < 0.001


# ---- what may have been recorded wrongly, and what is thought of it later


def as_coded(actions: int, share: float, name: str) -> Callable[[str], float]:
    """Probability of recording `name` by what was done, of so many moves that look different."""
    return lambda done: 1 - share if done == name else share / (actions - 1)


def test_what_may_be_miscoded_is_what_enumeration_gives(fine: Solution) -> None:
    """Actors saw what was done: each history keeps the posteriors of its own moves."""
    lines = (
        "2018-02,sender,tighten\n2018-02,target,step\n2018-03,target,wait\n2018-04,sender,ease\n"
    )
    share = 0.05
    result = tracked(fine, lines, miscoded=share)
    told = [
        (1, "sender", as_coded(3, share, "tighten")),
        (1, "target", as_coded(2, share, "step")),
        (2, "target", as_coded(2, share, "wait")),
        (3, "sender", as_coded(3, share, "ease")),
    ]
    every = histories(fine)
    weights: list[list[NDArray[np.float64]]] = []
    for k in range(len(told) + 1):
        weights.append([])
        for history in every:
            done = {(t, who): action for t, who, action in history.moves}
            seen = [
                chance(done[t, who]) if (t, who) in done else 0.0 for t, who, chance in told[:k]
            ]
            weights[-1].append(history.weight * np.prod(seen))
    sums = [np.sum(each) for each in weights]
    expected = [b / a for a, b in itertools.pairwise(sums)]
    assert result.moves["probability"].to_numpy() == pytest.approx(expected, abs=1e-6)
    sincere = result.beliefs.query("type == 'sincere'")["probability"].to_numpy()
    exact = [np.sum(each, axis=0) for each in weights]
    assert sincere == pytest.approx([w[0] / w.sum() for w in exact], abs=1e-5)
    after = result.expected.query("step == 2 and action == 'step'")["after"].item()
    really = [w.sum() for h, w in zip(every, weights[2], strict=True)
              if (1, "target", "step") in h.moves]  # fmt: skip
    assert after == pytest.approx(sum(really) / sums[2], abs=1e-6)
    assert 0.5 < after < 1


def test_probabilities_of_what_may_be_recorded_add_up_to_one(coarse: Solution) -> None:
    total = 0.0
    for first, second in itertools.product(("hold", "tighten", "ease"), ("wait", "step")):
        lines = f"2018-02,sender,{first}\n2018-02,target,{second}\n"
        total += np.exp(tracked(coarse, lines, miscoded=0.1).log_likelihood)
    assert total == pytest.approx(1.0, abs=1e-12)
    assert tracked(coarse, "2018-02,sender,ease\n", miscoded=0.1).skipped.empty  # not to be had
    either = tracked(coarse, "2018-02,sender,hold or ease\n", miscoded=0.1).log_likelihood
    alone = [tracked(coarse, f"2018-02,sender,{each}\n", miscoded=0.1) for each in ("hold", "ease")]
    assert np.exp(either) == pytest.approx(sum(np.exp(t.log_likelihood) for t in alone), abs=1e-12)


def test_what_is_never_miscoded_is_as_it_was(coarse: Solution) -> None:
    lines = "always,sender,hold\n2018-02,state,steps == 0\n2018-03,target,(unknown)\n"
    tables = [tracked(coarse, lines, miscoded=share).beliefs for share in (0.0, 0.3)]
    pd.testing.assert_frame_equal(*tables)
    for share in (-0.1, 0.6, np.nan):
        with pytest.raises(ValueError, match="miscoded"):
            tracked(coarse, lines, miscoded=share)


def test_one_line_does_not_turn_a_belief() -> None:
    """A line that points to one type alone takes 18 % to 94 %; where one line in twenty may be
    wrong, to no more than what a coder's slip leaves of it."""
    text = GAME.replace("sincere: 0.4, stalling: 0.6", "sincere: 0.18, stalling: 0.82")
    solution = solved(text.replace("target: {precision: 2", "target: {precision: 9"), beliefs=129)
    firm, open_ = (tracked(solution, "2018-02,target,step\n", miscoded=p) for p in (0.0, 0.05))
    sincere = [
        t.beliefs.query("type == 'sincere'")["probability"].to_numpy() for t in (firm, open_)
    ]
    assert sincere[0] == pytest.approx([0.18, 0.94], abs=0.06)
    assert sincere[1][1] < 0.85
    assert open_.expected.query("action == 'step'")["after"].item() < 0.9


def test_what_types_do_not_change_is_thought_of_all_along(coarse: Solution) -> None:
    result = tracked(coarse, "2018-02,target,step\n2018-03,target,wait\n")
    now = result.beliefs.query("step == 2")["probability"].to_numpy()
    for _, rows in result.beliefs.groupby("step"):
        assert rows["smoothed"].to_numpy() == pytest.approx(now, abs=1e-12)
    assert result.periods.query("t == 0")["smoothed"].to_numpy() == pytest.approx(now, abs=1e-12)


@pytest.mark.parametrize("forever", [False, True])
def test_what_is_thought_later_is_the_smoother_of_a_hidden_chain(forever: bool) -> None:
    """Where everybody plays at random, only inspections tell of types, forward and backward."""
    asked = chain(horizon="forever", discount=", discount: 0.5") if forever else chain(horizon=3)
    asked = detente.loads(re.sub(r"precision: [\d.]+", "precision: 0", asked.text))
    solution = solved(asked.text, beliefs=33)
    lines = ["1,North,build", "1,US,wait", "1,state,pressure == 1 and found == yes",
             "2,North,build", "2,US,wait", "2,state,pressure == 1 and found == no"]  # fmt: skip
    result = tracked(solution, "\n".join(lines) + "\n", **({"periods": 3} if forever else {}))
    alarm, turn = np.array([0.1301, 0.4703]), np.array([[0.87, 0.13], [0.21, 0.79]])
    ends = [np.array([0.4, 0.6]) * alarm, np.ones(2)]
    both = (ends[0][:, None] * turn) * (1 - alarm)  # types in the first and the second inspection
    early = both.sum(axis=1) / both.sum()
    after = (both[:, :, None] * turn).sum(axis=0)  # in the second one, and by its end
    second, last = after.sum(axis=1) / both.sum(), after.sum(axis=0) / both.sum()
    table = result.beliefs.query("type == 'secret'")["smoothed"].to_numpy()
    expected = [early[1], early[1], early[1], second[1], second[1], second[1], last[1]]
    assert table == pytest.approx(expected, abs=1e-9)
    ends_of = result.periods.query("type == 'secret' and t <= 2")["smoothed"].to_numpy()
    assert ends_of == pytest.approx([early[1], second[1], last[1]], abs=1e-9)


def test_what_is_thought_later_of_hidden_moves_is_what_drawn_histories_have() -> None:
    """The smoothed belief is the mean over pasts of it: by the record's end it is the filtered."""
    solution = solved(hiding().text, beliefs=65)
    whole = "1,North,hold\n1,state,found == no\n1,US,wait\n2,North,protest\n2,state,found == yes\n"
    begun = whole[: whole.index("2,North")]
    result = tracked(solution, whole, miscoded=0.02)
    after = result.periods.query("type == 'secret'")
    assert after["smoothed"].iloc[2] == pytest.approx(after["probability"].iloc[2], abs=1e-12)
    rows = result.beliefs.query("type == 'secret'")
    assert abs(rows["smoothed"] - rows["probability"]).max() > 0.01
    # By total probability over what the second round may bring, the smoothed belief of the end of
    # the first is the filtered one.
    mean = 0.0
    for move, found in itertools.product(("hold", "protest"), ("yes", "no")):
        lines = f"{begun}2,North,{move}\n2,state,found == {found}\n"
        other = tracked(solution, lines, miscoded=0.02)
        first = tracked(solution, begun, miscoded=0.02)
        weight = np.exp(other.log_likelihood - first.log_likelihood)
        mean += weight * other.periods.query("type == 'secret' and t == 1")["smoothed"].item()
    then = first.periods.query("type == 'secret' and t == 1")["probability"].item()
    assert mean == pytest.approx(then, abs=1e-12)
