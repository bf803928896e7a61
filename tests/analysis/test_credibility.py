"""What breaking terms would gain, how often they are broken, and at which cost they hold."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

import detente
from detente.analysis import deviation
from detente.analysis.credibility import Credibility, Verdict, credibility
from detente.analysis.deviation import breakable
from detente.analysis.enforcement_cost import Hold, hold_cost
from detente.errors import ScenarioError
from detente.scenario.model import Scenario
from detente.simulation.forward import ForwardPass, forward
from detente.solver.solution import Solution
from detente.solver.workers import Workers
from tests import effort

# One decision a round, nothing else: all payoffs are known. `seize` is worth 1.3 to the greedy and
# 0.1 to the meek, `wait` 0.4 to both, `ask` 0.2.
ALONE = """
title: alone
calendar: {period: round, horizon: ROUNDS}
actors:
  A: {precision: 2.5, types: {greedy: 0.3, meek: 0.7}}
state: {x: {levels: 0..1, start: 0}}
parameters: {worth: {value: {greedy: 1.3, meek: 0.1}}}
turns: [A]
actions:
  A: {seize: {cost: -worth}, wait: {cost: -0.4}, ask: {cost: -0.2}}
payoffs: {A: {flow: 0}}
terms: {TERMS}
policies: {promise: [NAMES]}
policy: promise
"""


def alone(terms: str, names: str, rounds: int = 1) -> Scenario:
    text = ALONE.replace("ROUNDS", str(rounds)).replace("TERMS", terms).replace("NAMES", names)
    return detente.loads(text)


def hard(found: Credibility, **where: str) -> dict[str, float]:
    table = found.hard
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return dict(table.iloc[0])


def soft(found: Credibility, actor: str, kind: str) -> dict[str, float]:
    table = found.soft
    table = table[(table["actor"] == actor) & (table["type"] == kind)]
    return dict(table[table["t"] == found.periods].iloc[0])


def test_the_gain_of_a_single_decision_is_the_difference_of_payoffs() -> None:
    found = credibility(alone("no_seizing: {binds: A, forbids: seize}", "no_seizing"))
    greedy = hard(found, type="greedy")
    assert greedy["gain"] == pytest.approx(1.3 - 0.4, abs=1e-9)
    assert greedy["largest"] == pytest.approx(1.3 - 0.4, abs=1e-9)
    assert greedy["binds"] == pytest.approx(1.0, abs=1e-12)
    assert greedy["tempted"] == 1.0
    assert greedy["first"] == greedy["worst"] == "round 1"
    assert greedy["verdict"] == "HELD"
    meek = hard(found, type="meek")
    assert meek["gain"] == pytest.approx(0.1 - 0.4, abs=1e-9)
    assert meek["tempted"] == 0.0
    assert meek["first"] == ""
    assert meek["verdict"] == "KEPT"
    assert found.verdicts["no_seizing"] is Verdict.HELD
    assert found.drift < 1e-12
    assert found.notes == ()


def test_the_best_breach_counts_and_what_all_terms_allow() -> None:
    # Both are forbidden: the best breach is to seize for the greedy, to wait for the meek.
    found = credibility(alone("ask_only: {binds: A, forbids: [seize, wait]}", "ask_only"))
    assert hard(found, type="greedy")["gain"] == pytest.approx(1.3 - 0.2, abs=1e-9)
    assert hard(found, type="meek")["gain"] == pytest.approx(0.4 - 0.2, abs=1e-9)
    # What another term forbids as well is not held by this one.
    both = "ask_only: {binds: A, forbids: [seize, wait]}, no_seizing: {binds: A, forbids: seize}"
    found = credibility(alone(both, "ask_only, no_seizing"))
    for kind in ("greedy", "meek"):
        assert hard(found, term="ask_only", type=kind)["gain"] == pytest.approx(0.2, abs=1e-9)
        assert hard(found, term="no_seizing", type=kind)["verdict"] == "IDLE"
        assert hard(found, term="no_seizing", type=kind)["binds"] == 0.0
    assert found.verdicts == {"ask_only": Verdict.HELD, "no_seizing": Verdict.IDLE}


def test_a_soft_term_is_paid_for_on_the_way() -> None:
    terms = "no_seizing: {binds: A, forbids: seize}, critics: {binds: A, forbids: seize, cost: 0.5}"
    found = credibility(alone(terms, "no_seizing, critics"))
    assert hard(found, type="greedy")["gain"] == pytest.approx(1.3 - 0.5 - 0.4, abs=1e-9)
    # While the hard term shuts it out the soft one is not broken.
    assert soft(found, "any", "any")["broken"] == 0.0


def test_how_often_a_soft_term_is_broken() -> None:
    rounds, cost, lam = 4, 0.6, 2.5
    found = credibility(alone(f"soft: {{binds: A, forbids: seize, cost: {cost}}}", "soft", rounds))
    share = {}
    for kind, worth in (("greedy", 1.3), ("meek", 0.1)):
        weights = np.exp(lam * np.array([worth - cost, 0.4, 0.2]))
        share[kind] = float(weights[0] / weights.sum())
        told = soft(found, "A", kind)
        assert told["broken"] == pytest.approx(1 - (1 - share[kind]) ** rounds, abs=1e-12)
        assert told["breaches"] == pytest.approx(rounds * share[kind], abs=1e-12)
    ever = 0.3 * (1 - (1 - share["greedy"]) ** rounds) + 0.7 * (1 - (1 - share["meek"]) ** rounds)
    assert soft(found, "any", "any")["broken"] == pytest.approx(ever, abs=1e-12)
    assert found.hard.empty
    assert not found.verdicts
    over_time = found.soft[found.soft["actor"] == "any"]["broken"].to_numpy()
    assert over_time[0] == 0.0
    assert all(b > a for a, b in pairwise(over_time))


@pytest.mark.parametrize("shut", effort.cases([60.0, 120.0], slow=[120.0]))
def test_gains_do_not_depend_on_the_prohibitive_cost(
    shut: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = detente.load("pyeongchang-2018-first").with_horizon(3)
    expected = credibility(scenario, "relief first", detente.SolveOptions(beliefs=5))
    monkeypatch.setattr(deviation, "PROHIBITIVE_LOG_ODDS", shut)
    found = credibility(scenario, "relief first", detente.SolveOptions(beliefs=5))
    for column in ("binds", "gain", "largest", "tempted"):
        np.testing.assert_allclose(found.hard[column], expected.hard[column], atol=1e-9)
    assert found.verdicts == expected.verdicts


@pytest.mark.parametrize("policy", ["relief first", "freeze for freeze"])
def test_play_is_that_of_the_hard_terms(policy: str) -> None:
    """At every state that play under the hard terms can reach, and every belief."""
    scenario = detente.load("pyeongchang-2018-first").with_horizon(3)
    kept = detente.solve(
        detente.compile_game(scenario, policy=policy), detente.SolveOptions(beliefs=5), coarse=False
    )
    game, commitments = breakable(scenario, policy)
    broken = detente.solve(game, detente.SolveOptions(beliefs=5), coarse=False)
    assert any(commitment.hard for commitment in commitments)
    compared = rare = 0
    for n, layer in enumerate(kept.game.layers):
        if not layer.movers:
            continue
        rows = np.searchsorted(game.layers[n].states, layer.states)
        for x, other in enumerate(rows):
            first, last = layer.action_ptr[x : x + 2]
            own = layer.action[first:last, 0].tolist()
            begin, end = game.layers[n].action_ptr[other : other + 2]
            all_own = game.layers[n].action[begin:end, 0].tolist()
            at = [all_own.index(a) for a in own]
            play = broken.strategy(n, int(other))
            np.testing.assert_allclose(play[:, :, at], kept.strategy(n, x), atol=1e-10)
            rest = np.delete(play, at, axis=2)
            assert (rest < 1e-60).all()
            assert (rest > 0).all()
            compared += 1
            rare += rest.size
    assert compared > 100
    assert rare > 100
    for who, payoff in kept.payoffs.items():
        assert broken.payoffs[who] == pytest.approx(payoff, abs=1e-12)


def test_the_gain_is_that_of_one_deviation_from_the_equilibrium() -> None:
    """Counted by hand at a first turn: what follows a breach is play with the terms in force."""
    scenario = detente.load("pyeongchang-2018-first").with_horizon(1)
    found = credibility(scenario, "relief first", detente.SolveOptions(beliefs=5))
    game, _ = breakable(scenario, "relief first")
    solution = detente.solve(game, detente.SolveOptions(beliefs=5), coarse=False)
    us = list(scenario.actors).index("US")
    for theta, kind in enumerate(("trader", "pressure_only")):
        told = hard(found, term="relief_due", type=kind)
        assert told["largest"] >= told["gain"]
        assert told["worst"] == "2018-02"
        # log odds at the prior, at the state where nothing has moved, are among what is averaged
        n = next(n for n, layer in enumerate(game.layers) if layer.movers == (us,))
        layer = game.layers[n]
        names = list(scenario.actions["US"])
        gains = []
        for x in range(layer.states.size):
            levels = game.structure.levels(layer.states[x : x + 1])
            if levels["pressure"][0] < 2 or levels["arsenal"][0] >= 2:
                continue
            own = [names[a] for a in layer.action[slice(*layer.action_ptr[x : x + 2]), 0]]
            log = np.log(solution.strategy(n, x)[:, theta])
            allowed = [own.index(a) for a in own if a in ("ease", "talk")]
            alone = [own.index(a) for a in own if a in ("hold", "suspend", "threaten")]
            # tighten is forbidden by no_new_sanctions as well
            best = log[:, alone].max(axis=1) - log[:, allowed].max(axis=1)
            gains += list(deviation.PROHIBITIVE_LOG_ODDS / 3 + best / 3)
        assert min(gains) <= told["gain"] <= told["largest"] <= max(gains) + 1e-12


CHANGING = {
    "meek: 0.1}}}": "meek: 0.1}}, pay: {value: {greedy: 0.6, meek: 0.4}}}",
    "seize: {cost: -worth}, wait: {cost: -0.4}": (
        "seize: {cost: -worth, becomes: {A: {greedy: {meek: 0.25}}}}, wait: {cost: -pay}"
    ),
    "turns: [A]": "turns: [A, {chance: [ageing]}]",
    "payoffs:": "chance: {ageing: {effects: [{p: 1, becomes: {A: {greedy: {meek: 0.1}}}}]}}\n"
    "payoffs:",
}
"""What makes of the lonely actor one that is greedy for a time."""


def changing(terms: str, names: str) -> Scenario:
    text = alone(terms, names, 2).text
    for old, new in CHANGING.items():
        assert old in text
        text = text.replace(old, new)
    return detente.loads(text)


def expected_pay(pay: float, *, seize: float | None = None) -> float:
    """What a turn is worth to a type that plays by logit."""
    values = np.array([pay, 0.2] if seize is None else [pay, 0.2, seize])
    weights = np.exp(2.5 * values)
    return float(values @ weights / weights.sum())


def test_gains_are_those_of_the_type_that_an_actor_has_then() -> None:
    """To seize leaves one meek as well, a quarter of the time; a tenth of the greedy age."""
    found = credibility(changing("no_seizing: {binds: A, forbids: seize}", "no_seizing"))
    greedy, meek = hard(found, type="greedy"), hard(found, type="meek")
    lost = 0.25 * 0.9 * (expected_pay(0.6) - expected_pay(0.4))
    assert greedy["largest"] == pytest.approx(1.3 - 0.6, abs=1e-9)
    assert greedy["worst"] == "round 2"
    assert greedy["gain"] == pytest.approx(1.3 - 0.6 - lost / 2, abs=1e-9)
    assert meek["gain"] == pytest.approx(0.1 - 0.4, abs=1e-9)
    assert greedy["binds"] == meek["binds"] == pytest.approx(2.0, abs=1e-12)
    assert (greedy["tempted"], meek["tempted"]) == (pytest.approx(1.0), 0.0)


def test_a_soft_term_is_broken_by_those_who_began_as_a_type() -> None:
    cost = 0.3
    found = credibility(changing(f"soft: {{binds: A, forbids: seize, cost: {cost}}}", "soft"))
    ahead = [expected_pay(0.6, seize=1.3 - cost), expected_pay(0.4, seize=0.1 - cost)]
    change, last, lam = np.array([0.9, 0.1]), {}, 2.5
    for kind, worth, pay in (("greedy", 1.3, 0.6), ("meek", 0.1, 0.4)):
        weights = np.exp(lam * np.array([worth - cost, pay, 0.2]))
        last[kind] = weights[0] / weights.sum()
    turned = np.array([0.75 * 0.9, 1 - 0.75 * 0.9])
    first = np.exp(lam * np.array([1.3 - cost + turned @ ahead, *(change @ ahead + [0.6, 0.2])]))
    broken = first[0] / first.sum()
    after = 0.9 * last["greedy"] + 0.1 * last["meek"]
    told = soft(found, "A", "greedy")
    assert told["broken"] == pytest.approx(1 - (1 - broken) * (1 - after), abs=1e-12)
    assert told["breaches"] == pytest.approx(
        broken + (1 - broken) * after + broken * (turned @ list(last.values())), abs=1e-12
    )
    meek = soft(found, "A", "meek")
    assert meek["broken"] == pytest.approx(1 - (1 - last["meek"]) ** 2, abs=1e-12)


SIGNAL = """
title: what a breach is taken for
calendar: {period: round, horizon: 1}
actors:
  A: {precision: 2, types: {bold: 0.4, shy: 0.6}}
  B: {precision: 3}
state: {done: {levels: [none, kept, broken], start: none}, hit: {levels: 0..1, start: 0}}
parameters: {worth: {value: {bold: 1.5, shy: 0.3}}}
turns: [A, {who: B, when: done == broken}]
actions:
  A: {breach: {set: {done: broken}, cost: -worth}, keep: {set: {done: kept}}}
  B: {hit: {set: {hit: 1}}, let: {}}
payoffs:
  A: {flow: -1.2 * hit}
  B: {flow: (1 if A == bold else -1) * hit}
terms: {promise: {binds: A, forbids: breach}}
policies: {kept: [promise]}
policy: kept
"""


def test_after_a_breach_the_public_believes_what_a_tremble_tells() -> None:
    """B sees the breach, and hits back the more, the likelier it was the bold who did it."""
    found = credibility(detente.loads(SIGNAL), options=detente.SolveOptions(beliefs=513))

    def gain(worth: float, hit: float) -> float:
        return worth - 1.2 * hit  # to keep is worth 0

    def answer(hit: float) -> float:
        # Both keep with a probability of 1, and tremble as exp(λ gain).
        bold, shy = (p * math.exp(2 * gain(w, hit)) for p, w in ((0.4, 1.5), (0.6, 0.3)))
        belief = bold / (bold + shy)
        return 1 / (1 + math.exp(-3 * (belief - (1 - belief))))

    hit = brentq(lambda h: h - answer(h), 0, 1)
    assert hard(found, type="bold")["gain"] == pytest.approx(gain(1.5, hit), abs=1e-4)
    assert hard(found, type="shy")["gain"] == pytest.approx(gain(0.3, hit), abs=1e-4)
    assert hard(found, type="bold")["gain_error"] < 1e-3
    # At the prior B would answer otherwise.
    assert abs(hit - 1 / (1 + math.exp(-3 * (0.4 - 0.6)))) > 0.3


def test_a_breach_that_leads_out_of_the_file_is_told_as_such() -> None:
    # After a breach x is 1, where the other term leaves A nothing.
    text = """
title: no way out
calendar: {period: round, horizon: 2}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
turns: [A]
actions: {A: {go: {when: x == 0, set: {x: +1}}, stay: {}}}
payoffs: {A: {flow: x}}
terms:
  no_going: {binds: A, forbids: go}
  then_nothing: {binds: A, forbids: stay, when: x == 1}
policies: {both: [no_going, then_nothing]}
policy: both
"""
    with pytest.raises(ScenarioError) as raised:
        credibility(detente.loads(text))
    (told,) = raised.value.diagnostics
    assert "once a hard term has been broken, A has to move" in told.message
    assert "x 1" in told.message
    wild = text.replace("when: x == 0, ", "").replace(", then_nothing]", "]")
    with pytest.raises(ScenarioError) as raised:
        credibility(detente.loads(wild))
    (told,) = raised.value.diagnostics
    assert told.code == "leaves-levels"
    assert told.message.startswith("once a hard term has been broken, ")


def test_what_cannot_be_asked_is_told() -> None:
    scenario = alone("no_seizing: {binds: A, forbids: seize}", "no_seizing")
    for policy, code in (("promis", "unknown-name"), ("", "no-terms")):
        with pytest.raises(ScenarioError) as raised:
            credibility(scenario, policy)
        assert raised.value.diagnostics[0].code == code
        assert "promise" in raised.value.diagnostics[0].hint
    text = ALONE.replace("ROUNDS", "1").replace("precision: 2.5", "precision: limit")
    text = text.replace("TERMS", "no: {binds: A, forbids: seize}").replace("NAMES", "no")
    with pytest.raises(ScenarioError) as raised:
        credibility(detente.loads(text))
    assert raised.value.diagnostics[0].code == "precision"
    with pytest.raises(ScenarioError) as raised:
        hold_cost(detente.loads(text), "no")
    assert raised.value.diagnostics[0].code == "precision"
    with pytest.raises(ScenarioError) as raised:
        hold_cost(scenario, "no_seizin")
    assert "`no_seizing`" in raised.value.diagnostics[0].hint
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_cost(scenario, "no_seizing", 1.0)


def certain(worth: float, rounds: int) -> str:
    """One actor with nothing private who may seize what is worth so much, or wait for nothing."""
    return f"""
title: certain
calendar: {{period: round, horizon: {rounds}}}
actors: {{A: {{precision: 2.5}}}}
state: {{x: {{levels: 0..1, start: 0}}}}
turns: [A]
actions: {{A: {{seize: {{cost: -{worth}}}, wait: {{}}}}}}
payoffs: {{A: {{flow: 0}}}}
terms: {{promise: {{binds: A, forbids: seize}}}}
policies: {{kept: [promise]}}
policy: kept
"""


@pytest.mark.parametrize(("rounds", "probability"), [(1, 0.9), (6, 0.9), (6, 0.2), (3, 0.999)])
def test_the_cost_at_which_a_term_holds(rounds: int, probability: float) -> None:
    worth, lam = 0.8, 2.5
    found = hold_cost(detente.loads(certain(worth, rounds)), "promise", probability)
    share = 1 - probability ** (1 / rounds)
    expected = worth - math.log(share / (1 - share)) / lam
    assert found.found is Hold.FOUND
    assert found.cost == pytest.approx(expected, abs=1e-4)
    assert abs(found.cost - expected) <= found.error
    assert found.kept >= probability
    free = 1 / (1 + math.exp(lam * worth))
    assert found.kept_free == pytest.approx(free**rounds, abs=1e-12)
    assert found.solves < 15


def test_no_cost_is_needed_or_none_suffices() -> None:
    found = hold_cost(detente.loads(certain(-3, 2)), "promise", 0.9)
    assert found.found is Hold.NOT_NEEDED
    assert found.cost == 0.0
    assert found.kept == found.kept_free > 0.9
    # Who can do nothing else breaks it at any cost.
    only = certain(0.8, 2).replace("wait: {}", "wait: {when: x == 1}")
    only = only.replace("forbids: seize", "forbids: seize, cost: 1")
    found = hold_cost(detente.loads(only), "promise", 0.5)
    assert found.found is Hold.NOT_ENOUGH
    assert math.isnan(found.cost)
    assert found.kept == found.kept_free == 0.0


def test_at_the_cost_found_the_term_is_broken_as_often_as_asked() -> None:
    scenario = detente.load("pyeongchang-2018-first").with_horizon(2)
    found = hold_cost(scenario, "no_reward_for_talking", 0.9, detente.SolveOptions(beliefs=5))
    changed = scenario.with_values({"audience_cost_rok": found.cost})
    told = credibility(changed, options=detente.SolveOptions(beliefs=5))
    ever = soft(told, "ROK", "")["broken"]
    assert ever == pytest.approx(0.1, abs=1e-4)
    below = scenario.with_values({"audience_cost_rok": found.cost - found.error - 1e-3})
    assert (
        soft(credibility(below, options=detente.SolveOptions(beliefs=5)), "ROK", "")["broken"] > 0.1
    )


TOGETHER = """
title: two at once, without end
calendar: {period: round, horizon: forever}
actors:
  A: {precision: 1.5, discount: 0.8, types: {firm: 0.5, soft: 0.5}}
  B: {precision: 2.5, discount: 0.7}
state: {x: {levels: 0..1, start: 0}}
turns: [{who: [A, B]}]
actions:
  A: {press: {set: {x: 1}, cost: 0.2}, rest: {set: {x: 0}}}
  B: {arm: {set: {x: 1}, cost: 0.1}, rest: {}}
payoffs:
  A: {flow: (A == firm) * x - 0.3}
  B: {flow: 0.5 - x}
terms:
  restraint: {binds: [A], forbids: press}
  calm: {forbids: {A: rest, B: arm}, cost: 0.4}
policies: {both: [restraint, calm], calm: [calm]}
policy: calm
"""


def test_without_end_and_several_at_once() -> None:
    scenario = detente.loads(TOGETHER)
    found = credibility(scenario, periods=3, options=detente.SolveOptions(beliefs=9))
    assert found.periods == 3
    last = found.soft[found.soft["t"] == 3].set_index(["actor", "type"])
    assert set(last.index) == {("any", "any"), ("A", "firm"), ("A", "soft"), ("B", "")}
    # Anybody's breach is more than one's own, and less than all of them added.
    alone_a = last.loc[("A", "firm"), "broken"] * 0.5 + last.loc[("A", "soft"), "broken"] * 0.5
    alone_b = last.loc[("B", ""), "broken"]
    anybody = last.loc[("any", "any"), "broken"]
    assert max(alone_a, alone_b) < anybody < alone_a + alone_b
    breaches = last.loc[("any", "any"), "breaches"]
    each = last.loc[("A", "firm"), "breaches"] * 0.5 + last.loc[("A", "soft"), "breaches"] * 0.5
    assert breaches == pytest.approx(each + last.loc[("B", ""), "breaches"], abs=1e-12)
    found = credibility(scenario, "both", detente.SolveOptions(beliefs=9), periods=2)
    assert found.drift < 1e-8
    assert hard(found, type="firm")["gain"] > hard(found, type="soft")["gain"]


def test_without_end_the_mass_before_a_period_stands_at_its_own_states() -> None:
    solution = detente.solve(
        detente.compile_game(detente.load("pyeongchang-2018-first").with_horizon(1)),
        detente.SolveOptions(beliefs=5),
    )
    text = TOGETHER.replace("{set: {x: 1}, cost: 0.2}", "{when: x == 0, set: {x: 1}, cost: 0.2}")
    endless = detente.solve(
        detente.compile_game(detente.loads(text)), detente.SolveOptions(beliefs=5), coarse=False
    )
    for solved, periods in ((solution, None), (endless, 3)):
        seen: list[tuple[int, int]] = []

        def visit(
            t: int,
            n: int,
            play: ForwardPass,
            solved: Solution = solved,
            seen: list[tuple[int, int]] = seen,
        ) -> None:
            mass = play.histories
            assert mass.shape[0] == solved.game.layers[n].states.size
            np.testing.assert_allclose(mass.sum(axis=(0, 2)), 1.0, atol=1e-12)
            seen.append((t, n))

        with ThreadPoolExecutor(1) as pool:
            run = forward(solved, Workers(pool, 1), periods=periods, visit=visit)
        assert tuple(seen) == run.moves


def test_results_do_not_depend_on_threads() -> None:
    scenario = detente.load("pyeongchang-2018-first").with_horizon(2)
    one, two = (
        credibility(scenario, options=detente.SolveOptions(beliefs=5, threads=n)) for n in (1, 2)
    )
    for name in ("hard", "hard_over_time", "soft"):
        assert getattr(one, name).equals(getattr(two, name))
