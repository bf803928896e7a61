"""The default scenario: each mechanism M1 to M23 moves the forecast the way its row says.

Directions only: a mechanism is turned up, down or off, and the forecast is compared with the one
at the shipped values. The horizon is mostly nine months and the belief grid has seven points,
so that all of it takes seconds; the margins are above what the coarse grid adds to a difference.
Where the equilibrium shows something else than the row expects, the test holds what it shows; the
reasons are in docs/pyeongchang-2018.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import pytest

import detente
from detente.game.arrays import CompiledGame
from detente.scenario.entities import Supported
from detente.scenario.fields import within
from detente.scenario.model import Scenario
from detente.simulation.conditions import ANY
from detente.simulation.forecast import Forecast
from detente.solver.solution import Status

HORIZON = 9
BELIEFS = 7
MARGIN = 0.002

DEFAULT = "maximum pressure, open door"
CALM = "talks only after calm"
FREEZE = "freeze for freeze"
RELIEF = "relief first"
EACH = "each ally decides"
STEP = "talks only after a step"


@dataclass(frozen=True)
class Play:
    """A forecast, with the few numbers that directions are read from."""

    forecast: Forecast

    def happened(self, outcome: str, t: int = HORIZON, **types: str) -> float:
        """Probability that an outcome has held by the end of period t, given types."""
        return self._one(self.forecast.outcomes, "happened", types, t=t, outcome=outcome)

    def holds(self, outcome: str, t: int = HORIZON, **types: str) -> float:
        """Probability that an outcome holds at the end of period t, given types."""
        return self._one(self.forecast.outcomes, "holds", types, t=t, outcome=outcome)

    def level(self, variable: str, t: int = HORIZON) -> float:
        """Mean level of a variable at the end of period t."""
        rows = self._rows(self.forecast.states, {}, t=t, variable=variable)
        return float((rows["level"] * rows["probability"]).sum())

    def times(self, action: str, first: int = 1, last: int = HORIZON, **types: str) -> float:
        """Expected number of times that an action is taken from period `first` to `last`."""
        rows = self._rows(self.forecast.actions, types, action=action)
        return float(rows[rows["t"].between(first, last)]["probability"].sum())

    def share(self, variable: str, label: str, t: int = HORIZON) -> float:
        """Probability of a level of a variable at the end of period t."""
        return self._one(
            self.forecast.states, "probability", {}, t=t, variable=variable, label=label
        )

    def payoff(self, actor: str, kind: str = "") -> float:
        """Expected payoff of an actor, of one type."""
        rows = self.forecast.payoffs
        return float(rows[(rows["actor"] == actor) & (rows["type"] == kind)]["payoff"].iloc[0])

    def belief(self, about: str, kind: str, t: int = HORIZON, **types: str) -> float:
        """Mean public belief in a type at the end of period t, given types."""
        return self._one(self.forecast.beliefs, "mean", types, t=t, about=about, type=kind)

    def _rows(self, table: pd.DataFrame, types: Mapping[str, str], **where: object) -> pd.DataFrame:
        keep = pd.Series(True, index=table.index)
        for key, value in {"DPRK": ANY, "US": ANY, **types, **where}.items():
            keep &= table[key] == value
        return table[keep]

    def _one(
        self, table: pd.DataFrame, column: str, types: Mapping[str, str], **where: object
    ) -> float:
        rows = self._rows(table, types, **where)
        assert len(rows) == 1
        return float(rows[column].iloc[0])


Played = Callable[..., Play]


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The scenario as shipped."""
    return detente.load("pyeongchang-2018")


@pytest.fixture(scope="session")
def played(scenario: Scenario) -> Played:
    """`played({"parameter": value}, policy=…, horizon=…)`, solved once for each question."""
    games: dict[tuple[str, int], CompiledGame] = {}
    cache: dict[object, Play] = {}

    def play(
        values: Mapping[str, float] | None = None,
        *,
        policy: str = DEFAULT,
        horizon: int = HORIZON,
    ) -> Play:
        changes = dict(values or {})
        key = (policy, horizon, tuple(sorted(changes.items())))
        if key not in cache:
            if (policy, horizon) not in games:
                shorter = scenario.with_horizon(horizon)
                games[policy, horizon] = detente.compile_game(shorter, policy=policy)
            game = detente.with_values(games[policy, horizon], changes)
            solution = detente.solve(
                game, detente.SolveOptions(beliefs=BELIEFS), regret=False, coarse=False
            )
            assert solution.status is Status.SOLVED
            cache[key] = Play(detente.forecast(solution))
        return cache[key]

    return play


# ---- the scenario as a file


def test_file_is_without_warnings(scenario: Scenario) -> None:
    assert scenario.warnings == ()


def test_every_parameter_has_range_unit_and_support(scenario: Scenario) -> None:
    for key, parameter in scenario.parameters.items():
        assert all(limits is not None for limits in parameter.ranges), key
        assert parameter.unit, key
        assert parameter.about, key
        assert parameter.evidence or parameter.judgement, key


def test_values_lie_inside_their_ranges(scenario: Scenario) -> None:
    for key, parameter in scenario.parameters.items():
        for value, limits in zip(parameter.values, parameter.ranges, strict=True):
            assert limits is not None
            assert limits[0] <= value <= limits[1], key


def test_every_range_has_a_reason_of_its_own(scenario: Scenario) -> None:
    reasons: dict[str, str] = {}
    for key, parameter in scenario.parameters.items():
        reason = " ".join(parameter.range_reason.split())
        assert reason, f"the range of {key} has no reason"
        assert reason not in reasons, f"{key} and {reasons.get(reason)} have the same reason"
        reasons[reason] = key


def test_correlations_and_variants_have_their_grounds(scenario: Scenario) -> None:
    assert all(entry.judgement for entry in scenario.correlations)
    assert all(entry.judgement for entry in scenario.variants.values())
    together = [set(entry.between) for entry in scenario.correlations]
    assert {"war_dprk", "war_rok", "war_us"} in together
    assert {"step_cost.sincere", "step_cost.stalling"} in together
    assert {"dismantle_cost.sincere", "dismantle_cost.stalling"} in together
    # The file as it stands is the first option, and counts for more than the other.
    first, other = scenario.variants["order"].options.values()
    assert first.weight > other.weight


@pytest.mark.slow
def test_another_order_of_moves_is_a_game_under_every_policy(scenario: Scenario) -> None:
    other = scenario.with_options({"order": "washington_first"})
    assert other.warnings == ()
    assert [turn.who for turn in other.turns] == [("US",), ("DPRK",), ("ROK",), ()]
    for policy in other.policies:
        assert detente.compile_game(other, policy=policy).structure.warnings == ()


def test_every_piece_of_evidence_is_used(scenario: Scenario) -> None:
    used = {name for entry in within(scenario, Supported) for name in entry.evidence}
    assert used == set(scenario.evidence)


@pytest.mark.parametrize("policy", [DEFAULT, CALM, FREEZE, RELIEF, EACH, STEP])
def test_every_policy_compiles_small_and_without_warnings(scenario: Scenario, policy: str) -> None:
    game = detente.compile_game(scenario, policy=policy)
    assert game.structure.warnings == ()
    assert max(codes.size for codes in game.structure.sets) < 1_500


# ---- M1 to M23


def test_m1_pressure_raises_the_cost_of_waiting(played: Played) -> None:
    base, harder = played(), played({"sanctions_pain": 1.5})
    for kind in ("sincere", "stalling"):
        assert harder.payoff("DPRK", kind) < base.payoff("DPRK", kind) - 0.1
    assert harder.happened("first_step") > base.happened("first_step") + MARGIN


def test_m1_the_campaign_goes_on_and_intensifies(played: Played) -> None:
    levels = [played().level("pressure", t) for t in range(7)]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0] + 0.3


def test_m2_the_joint_term_delays_relief_and_brings_steps(played: Played) -> None:
    bound, free = played(), played(policy=EACH)
    for t in (3, 6, 9):
        assert free.happened("relief", t) > bound.happened("relief", t) + 0.05
        assert free.happened("first_step", t) < bound.happened("first_step", t) - MARGIN


def test_m3_talks_do_not_by_themselves_lower_pressure(played: Played) -> None:
    base = played()
    cheap = played({"talk_cost.trader": 0.2, "talk_cost.pressure_only": 0.6})
    assert cheap.happened("us_talks") > base.happened("us_talks") + 0.05
    assert cheap.level("pressure") == pytest.approx(base.level("pressure"), abs=0.02)


def test_m4_an_open_door_brings_earlier_contact(played: Played) -> None:
    base, closed = played(), played(policy=STEP)
    for t in (2, 3, 6, 9):
        assert closed.happened("us_talks", t) < base.happened("us_talks", t) - 0.02


def test_m5_waiting_for_calm_brings_later_contact_and_fewer_tests(played: Played) -> None:
    door, calm = played(), played(policy=CALM)
    for t in (2, 3, 6, 9):
        assert calm.happened("us_talks", t) < door.happened("us_talks", t) - 0.01
    # Fewer tests are sought by it over the whole of the two years.
    door, calm = played(horizon=24), played(policy=CALM, horizon=24)
    for t in (12, 24):
        assert calm.happened("tests_resumed", t) < door.happened("tests_resumed", t) - MARGIN


def test_m6_progress_between_the_koreas_leads_on_to_washington(played: Played) -> None:
    base, alone = played(), played({"seoul_help": 0})
    for t in (2, 3, 6, 9):
        assert alone.happened("us_talks", t) < base.happened("us_talks", t) - 0.02


def test_m7_the_promise_to_washington_holds_aid_back(played: Played) -> None:
    base, silent = played(), played({"audience_cost_rok": 0})
    assert silent.times("aid") > base.times("aid") + 0.2
    assert silent.times("aid") + silent.times("reopen") > base.times("aid") + base.times("reopen")


@pytest.mark.slow
def test_m8_the_summit_has_a_value_and_a_risk_of_its_own(played: Played) -> None:
    base = played()
    wanted, risky = played({"thaw_rok": 0.6}), played({"summit_strain": 0.5})
    assert wanted.times("engage") > base.times("engage") + 0.02
    assert wanted.happened("korean_summit") > base.happened("korean_summit") + MARGIN
    assert risky.happened("wedge") > base.happened("wedge") + 0.01
    assert risky.times("engage") < base.times("engage") - 0.01


def test_m9_tests_raise_capability_and_tension(played: Played) -> None:
    base, often = played(), played({"test_cost": 0.3})
    assert often.times("test") > base.times("test") + 0.1
    assert often.happened("missile") > base.happened("missile") + 0.01
    assert often.level("arsenal") > base.level("arsenal") + 0.1
    assert often.level("tension") > base.level("tension") + 0.05


@pytest.mark.slow
def test_m10_weapons_also_grow_in_quiet_but_more_slowly(played: Played) -> None:
    base, none, fast = played(), played({"quiet_growth": 0}), played({"quiet_growth": 0.08})
    assert none.share("arsenal", "grown") == pytest.approx(0, abs=1e-12)
    assert fast.share("arsenal", "grown") > base.share("arsenal", "grown") + 0.05
    # With growth in quiet there is less need to test, and yet the arsenal is larger.
    assert fast.times("test") < base.times("test") - 0.01
    assert fast.happened("missile") > base.happened("missile") + MARGIN


def test_m10_a_stalling_north_talks_without_stepping(played: Played) -> None:
    base = played()
    talks = {kind: base.happened("us_talks", DPRK=kind) for kind in ("sincere", "stalling")}
    steps = {kind: base.happened("first_step", DPRK=kind) for kind in ("sincere", "stalling")}
    assert talks["stalling"] > 0.6 * talks["sincere"]
    assert steps["stalling"] < 0.2 * steps["sincere"]


def test_m11_moves_shift_the_belief_about_sincerity(played: Played) -> None:
    base = played()
    sincere = [base.belief("DPRK", "sincere", t, DPRK="sincere") for t in (0, 3, 6, 9)]
    stalling = [base.belief("DPRK", "sincere", t, DPRK="stalling") for t in (0, 3, 6, 9)]
    assert sincere == sorted(sincere)
    assert stalling == sorted(stalling, reverse=True)
    assert sincere[-1] > stalling[-1] + 0.05


def test_m11_a_north_more_likely_in_earnest_takes_more_steps(played: Played) -> None:
    base, trusted = played(), played({"p_sincere": 0.5})
    assert trusted.happened("first_step") > base.happened("first_step") + 0.01
    assert trusted.happened("tests_resumed") < base.happened("tests_resumed") - 0.01


def test_m12_pressure_bites_less_when_the_allies_are_at_odds(played: Played) -> None:
    base, porous = played(), played({"wedge_relief": 0.6})
    for kind in ("sincere", "stalling"):
        assert porous.payoff("DPRK", kind) > base.payoff("DPRK", kind) + 0.01
    assert porous.times("charm") > base.times("charm") + 0.02
    assert porous.happened("wedge") > base.happened("wedge") + MARGIN


def test_m13_charm_lowers_cohesion(played: Played) -> None:
    base, winning = played(), played({"charm_wedge": 0.3})
    for t in (3, 6, 9):
        assert winning.level("cohesion", t) < base.level("cohesion", t) - 0.03


def test_m13_headlines_make_refusing_talks_dear(played: Played) -> None:
    base, dear = played(), played({"refusing": 0.15})
    assert dear.happened("us_talks") > base.happened("us_talks") + 0.05


CHEAP_THREATS = {"threaten_cost.trader": 0.3, "threaten_cost.pressure_only": 0.1}


def test_m14_threats_raise_tension_and_the_risk_of_war(played: Played) -> None:
    base, loud = played(), played(CHEAP_THREATS)
    assert loud.times("threaten") > base.times("threaten") + 0.2
    for t in (3, 6, 9):
        assert loud.level("tension", t) > base.level("tension", t) + 0.05
        assert loud.happened("war", t) > base.happened("war", t) + MARGIN
    # They are unhelpful to Seoul and its diplomacy.
    assert loud.payoff("ROK") < base.payoff("ROK") - 0.1
    assert loud.happened("korean_summit") < base.happened("korean_summit") - 0.01


@pytest.mark.slow
def test_m14_threats_may_coerce_but_bring_more_wars_than_deals(played: Played) -> None:
    base, loud = played(horizon=24), played(CHEAP_THREATS, horizon=24)
    deals = loud.happened("deal", 24) - base.happened("deal", 24)
    wars = loud.happened("war", 24) - base.happened("war", 24)
    assert 0.005 < deals < wars


def test_m15_nobody_can_tell_whether_washington_would_trade(played: Played) -> None:
    base, softer = played(), played({"p_trader": 0.7})
    assert softer.happened("us_talks") > base.happened("us_talks") + 0.02
    assert softer.happened("first_step") > base.happened("first_step") + MARGIN
    prior = base.belief("US", "trader", 0)
    assert base.belief("US", "trader", US="trader") > prior + 0.02
    assert base.belief("US", "trader", US="pressure_only") < prior - 0.02


def test_m16_exercises_raise_tension(played: Played) -> None:
    base, tame = played(), played({"exercise_tension": 0.3})
    # After March and April, and after August.
    for t in (3, 7):
        assert tame.level("tension", t) < base.level("tension", t) - 0.05
    assert tame.happened("war") < base.happened("war") - MARGIN


def test_m16_suspending_exercises_is_a_concession(played: Played) -> None:
    base, frozen = played(), played(policy=FREEZE)
    assert frozen.times("suspend") > base.times("suspend") + 0.5
    assert frozen.level("tension", 3) < base.level("tension", 3) - 0.1
    assert frozen.happened("tests_resumed") < base.happened("tests_resumed") - 0.05
    for kind in ("sincere", "stalling"):
        assert frozen.payoff("DPRK", kind) > base.payoff("DPRK", kind) + 0.05
    assert frozen.payoff("US", "pressure_only") < base.payoff("US", "pressure_only") - 0.1


def test_m17_confidence_building_lowers_tension_at_little_cost(played: Played) -> None:
    base, weak = played(), played({"reunions_calm": 0.2})
    for t in (2, 6, 9):
        assert weak.level("tension", t) > base.level("tension", t) + 0.05
    assert weak.payoff("ROK") < base.payoff("ROK") - 0.02
    assert base.times("reunions", last=1) > base.times("aid", last=1)


@pytest.mark.slow
def test_m18_tension_makes_the_north_cling_to_its_weapons(played: Played) -> None:
    base = played()
    exposed, shielded = played({"exposure": 0.8}), played({"shield": 0.3})
    assert exposed.happened("first_step") < base.happened("first_step") - MARGIN
    assert shielded.happened("tests_resumed") > base.happened("tests_resumed") + 0.02


def test_m19_contact_waits_until_the_north_is_ready(played: Played) -> None:
    base, unready = played(), played({"approach_cost": 1})
    assert unready.times("approach") < base.times("approach") - 0.2
    for t in (2, 3, 6, 9):
        assert unready.happened("us_talks", t) < base.happened("us_talks", t) - 0.02


def test_m20_war_grows_with_tension(played: Played) -> None:
    base, riskier = played(), played({"war_risk": 0.04})
    assert riskier.happened("war") > base.happened("war") + 0.01
    # Fear of it holds tests and threats back.
    assert riskier.happened("tests_resumed") < base.happened("tests_resumed") - 0.02
    assert riskier.times("threaten") < base.times("threaten") - 0.02


def test_m21_the_visit_opens_a_door_for_a_while(played: Played) -> None:
    base, without = played(), played({"visit_help": 0})
    assert base.happened("us_talks", 4) > without.happened("us_talks", 4) + 0.03
    assert base.times("approach", 2, 4) > without.times("approach", 2, 4) + 0.05
    assert base.times("approach", 5, 8) < without.times("approach", 5, 8)


@pytest.mark.slow
def test_m22_critics_hold_concessions_without_a_step_back(played: Played) -> None:
    for policy, concession in ((DEFAULT, "suspend"), (EACH, "ease")):
        loud, silent = played(policy=policy), played({"critics_us": 0}, policy=policy)
        assert silent.times(concession) > loud.times(concession) + 0.05


def test_m23_the_truce_ends_with_the_spring(played: Played) -> None:
    base, longer = played(), played({"truce_months": 4})
    assert base.level("tension", 3) > base.level("tension", 2) + 0.05
    assert longer.level("tension", 3) < longer.level("tension", 2)
    assert longer.happened("tests_resumed", 4) < base.happened("tests_resumed", 4) - 0.01
    # Where the next exercises are suspended, spring brings no more tension than there was.
    frozen = played(policy=FREEZE)
    assert frozen.level("tension", 3) < frozen.level("tension", 2)
