"""The default scenario: each mechanism M1 to M23 moves the forecast the way its row says.

Directions only. Horizon and belief grid are small (six months, five points), so that all of it
takes seconds; `MARGIN` is well above what the grid adds to a difference of two forecasts. Where
the equilibrium shows something else than the row expects, the test holds what it shows; the
reasons are in docs/pyeongchang-2018.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import pytest

import detente
from detente.scenario.model import Scenario
from detente.simulation.forecast import ANY, Forecast
from detente.solver.solution import Status

HORIZON = 6
BELIEFS = 5
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

    def payoff(self, actor: str, kind: str = "") -> float:
        """Expected payoff of an actor, of one type."""
        rows = self.forecast.payoffs
        return float(rows[(rows["actor"] == actor) & (rows["type"] == kind)]["payoff"].iloc[0])

    def belief(self, about: str, kind: str, t: int = HORIZON, **types: str) -> float:
        """Mean public belief in a type at the end of period t, given types."""
        return self._one(self.forecast.beliefs, "mean", types, t=t, about=about, type=kind)

    def _rows(
        self, table: pd.DataFrame, types: Mapping[str, str], **where: object
    ) -> pd.DataFrame:
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
    """`played(policy, {"parameter": value})`: the forecast, solved once for each question."""
    cache: dict[object, Play] = {}

    def play(policy: str = DEFAULT, values: Mapping[str, float] | None = None) -> Play:
        key = (policy, tuple(sorted((values or {}).items())))
        if key not in cache:
            changed = scenario.with_values(dict(values or {})).with_horizon(HORIZON)
            game = detente.compile_game(changed, policy=policy)
            solution = detente.solve(game, beliefs=BELIEFS, regret=False, coarse=False)
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
        assert parameter.support.evidence or parameter.support.judgement, key


def test_values_lie_inside_their_ranges(scenario: Scenario) -> None:
    for key, parameter in scenario.parameters.items():
        for value, limits in zip(parameter.values, parameter.ranges, strict=True):
            assert limits is not None
            assert limits[0] <= value <= limits[1], key


def test_every_piece_of_evidence_is_used(scenario: Scenario) -> None:
    entries = [
        *scenario.actors.values(),
        *scenario.variables.values(),
        *scenario.parameters.values(),
        *scenario.events.values(),
        *scenario.terms.values(),
        *scenario.policies.values(),
        *scenario.outcomes.values(),
        *(action for own in scenario.actions.values() for action in own.values()),
    ]
    used = {name for entry in entries for name in entry.support.evidence}
    assert used == set(scenario.evidence)


@pytest.mark.parametrize("policy", [DEFAULT, CALM, FREEZE, RELIEF, EACH, STEP])
def test_every_policy_compiles_small_and_without_warnings(
    scenario: Scenario, policy: str
) -> None:
    game = detente.compile_game(scenario, policy=policy)
    assert game.structure.warnings == ()
    assert max(codes.size for codes in game.structure.sets) < 1_500


# ---- M1 to M23


def test_m1_pressure_raises_the_cost_of_waiting(played: Played) -> None:
    mild, hard = played(values={"sanctions_pain": 0.5}), played(values={"sanctions_pain": 1.5})
    for kind in ("sincere", "stalling"):
        assert hard.payoff("DPRK", kind) < mild.payoff("DPRK", kind) - 0.1
    assert hard.happened("first_step") > mild.happened("first_step") + MARGIN


def test_m1_the_campaign_goes_on_and_intensifies(played: Played) -> None:
    levels = [played().level("pressure", t) for t in range(HORIZON + 1)]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0] + 0.3


def test_m2_the_joint_term_delays_relief_and_brings_steps(played: Played) -> None:
    bound, free = played(DEFAULT), played(EACH)
    assert free.happened("relief", 3) > bound.happened("relief", 3) + 0.05
    assert free.happened("first_step") < bound.happened("first_step") - MARGIN


def test_m3_talks_do_not_by_themselves_lower_pressure(played: Played) -> None:
    cheap = played(values={"talk_cost.trader": 0.2, "talk_cost.pressure_only": 0.6})
    assert cheap.happened("us_talks") > played().happened("us_talks") + 0.05
    assert cheap.level("pressure") == pytest.approx(played().level("pressure"), abs=0.02)


def test_m4_an_open_door_brings_earlier_contact(played: Played) -> None:
    for t in (2, 3, 6):
        assert played(STEP).happened("us_talks", t) < played().happened("us_talks", t) - 0.02


def test_m5_waiting_for_calm_brings_later_contact_and_fewer_tests(played: Played) -> None:
    calm, door = played(CALM), played()
    for t in (2, 3, 6):
        assert calm.happened("us_talks", t) < door.happened("us_talks", t) - 0.01
    assert calm.happened("tests_resumed") < door.happened("tests_resumed") - MARGIN


def test_m6_progress_between_the_koreas_leads_on_to_washington(played: Played) -> None:
    alone = played(values={"seoul_help": 0})
    for t in (2, 3, 6):
        assert alone.happened("us_talks", t) < played().happened("us_talks", t) - 0.02


def test_m7_the_promise_to_washington_holds_aid_back(played: Played) -> None:
    promises = [played(values={"audience_cost_rok": cost}) for cost in (0, 0.4, 0.8)]
    aid = [play.times("aid") for play in promises]
    assert aid[0] > aid[1] + 0.1 > aid[2] + 0.1
    rewards = [play.times("aid") + play.times("reopen") for play in promises]
    assert rewards[0] > rewards[1] > rewards[2]


def test_m8_the_summit_has_a_value_and_a_risk_of_its_own(played: Played) -> None:
    dear, cheap = played(values={"thaw_rok": 0.1}), played(values={"thaw_rok": 0.6})
    assert cheap.times("engage") > dear.times("engage") + 0.01
    risky, safe = played(values={"summit_strain": 0.5}), played(values={"summit_strain": 0.05})
    assert risky.holds("wedge") > safe.holds("wedge") + 0.01
    assert risky.times("engage") < safe.times("engage") - 0.01


def test_m9_tests_raise_capability_and_tension(played: Played) -> None:
    rare, often = played(values={"test_cost": 0.9}), played(values={"test_cost": 0.3})
    assert often.times("test") > rare.times("test") + 0.1
    assert often.happened("missile") > rare.happened("missile") + MARGIN
    assert often.level("arsenal") > rare.level("arsenal") + 0.1
    assert often.level("tension") > rare.level("tension") + 0.05


def test_m10_weapons_also_grow_in_quiet_and_more_slowly(played: Played) -> None:
    slow, fast = played(values={"quiet_growth": 0.02}), played(values={"quiet_growth": 0.08})
    untested = "arsenal >= tested"
    assert untested  # the level reached in quiet is below the one reached by a test
    assert fast.level("arsenal") > slow.level("arsenal") + 0.05
    assert fast.times("test") < slow.times("test") - MARGIN


def test_m10_a_stalling_north_talks_without_stepping(played: Played) -> None:
    base = played()
    talks = [base.happened("us_talks", DPRK=kind) for kind in ("sincere", "stalling")]
    steps = [base.happened("first_step", DPRK=kind) for kind in ("sincere", "stalling")]
    assert talks[1] > 0.6 * talks[0]
    assert steps[1] < 0.3 * steps[0]


def test_m11_moves_shift_the_belief_about_sincerity(played: Played) -> None:
    base = played()
    sincere = [base.belief("DPRK", "sincere", t, DPRK="sincere") for t in (0, 3, 6)]
    stalling = [base.belief("DPRK", "sincere", t, DPRK="stalling") for t in (0, 3, 6)]
    assert sincere == sorted(sincere)
    assert stalling == sorted(stalling, reverse=True)
    assert sincere[-1] > stalling[-1] + 0.02


def test_m11_a_north_more_likely_in_earnest_takes_more_steps(played: Played) -> None:
    doubt, trust = played(values={"p_sincere": 0.1}), played(values={"p_sincere": 0.5})
    assert trust.happened("first_step") > doubt.happened("first_step") + 0.01
    assert trust.happened("tests_resumed") < doubt.happened("tests_resumed") - 0.01


def test_m12_pressure_bites_less_when_the_allies_are_at_odds(played: Played) -> None:
    little, much = played(values={"wedge_relief": 0.1}), played(values={"wedge_relief": 0.6})
    for kind in ("sincere", "stalling"):
        assert much.payoff("DPRK", kind) > little.payoff("DPRK", kind) + 0.01
    assert much.times("charm") > little.times("charm") + 0.01
    assert much.happened("wedge") > little.happened("wedge") + MARGIN


def test_m13_charm_lowers_cohesion(played: Played) -> None:
    plain, winning = played(values={"charm_wedge": 0.05}), played(values={"charm_wedge": 0.3})
    assert winning.level("cohesion") < plain.level("cohesion") - 0.05


def test_m13_headlines_make_refusing_talks_dear(played: Played) -> None:
    cheap, dear = played(values={"refusing": 0.01}), played(values={"refusing": 0.15})
    assert dear.happened("us_talks") > cheap.happened("us_talks") + 0.05


def test_m14_threats_raise_tension_and_the_risk_of_war(played: Played) -> None:
    rare = played(values={"threaten_cost.trader": 1.2, "threaten_cost.pressure_only": 0.8})
    often = played(values={"threaten_cost.trader": 0.3, "threaten_cost.pressure_only": 0.1})
    assert often.times("threaten") > rare.times("threaten") + 0.2
    assert often.level("tension") > rare.level("tension") + 0.05
    assert often.happened("war") > rare.happened("war") + MARGIN
    assert often.payoff("ROK") < rare.payoff("ROK") - 0.05


def test_m14_threats_coerce_no_steps_here(played: Played) -> None:
    rare = played(values={"threaten_cost.trader": 1.2, "threaten_cost.pressure_only": 0.8})
    often = played(values={"threaten_cost.trader": 0.3, "threaten_cost.pressure_only": 0.1})
    assert often.happened("first_step") < rare.happened("first_step")
    assert often.happened("us_talks") < rare.happened("us_talks")


def test_m15_nobody_can_tell_whether_washington_would_trade(played: Played) -> None:
    hard, soft = played(values={"p_trader": 0.15}), played(values={"p_trader": 0.7})
    assert soft.happened("us_talks") > hard.happened("us_talks") + 0.02
    assert soft.happened("first_step") > hard.happened("first_step") + MARGIN
    base = played()
    trader, presser = (
        base.belief("US", "trader", US=kind) for kind in ("trader", "pressure_only")
    )
    assert trader > base.belief("US", "trader", 0) + 0.01
    assert presser < base.belief("US", "trader", 0) - 0.01


def test_m16_exercises_raise_tension(played: Played) -> None:
    tame, harsh = played(values={"exercise_tension": 0.3}), played(values={"exercise_tension": 0.9})
    assert harsh.level("tension", 3) > tame.level("tension", 3) + 0.1
    assert harsh.happened("war") > tame.happened("war") + MARGIN


def test_m16_suspending_exercises_is_a_concession(played: Played) -> None:
    base, frozen = played(), played(FREEZE)
    assert frozen.times("suspend") > base.times("suspend") + 0.5
    assert frozen.level("tension", 3) < base.level("tension", 3) - 0.1
    for kind in ("sincere", "stalling"):
        assert frozen.payoff("DPRK", kind) > base.payoff("DPRK", kind) + 0.05
    for kind in ("trader", "pressure_only"):
        assert frozen.payoff("US", kind) < base.payoff("US", kind)


def test_m17_confidence_building_lowers_tension_at_little_cost(played: Played) -> None:
    weak, strong = played(values={"reunions_calm": 0.2}), played(values={"reunions_calm": 0.8})
    assert strong.level("tension", 2) < weak.level("tension", 2) - 0.05
    assert strong.payoff("ROK") > weak.payoff("ROK") + 0.01
    assert strong.times("reunions", last=1) > weak.times("reunions", last=1)


def test_m18_tension_makes_the_north_cling_to_its_weapons(played: Played) -> None:
    bare, exposed = played(values={"exposure": 0.1}), played(values={"exposure": 0.8})
    assert exposed.happened("first_step") < bare.happened("first_step") - MARGIN
    thin, thick = played(values={"shield": 0.05}), played(values={"shield": 0.3})
    assert thick.happened("tests_resumed") > thin.happened("tests_resumed") + 0.02


def test_m19_contact_waits_until_the_north_is_ready(played: Played) -> None:
    ready, unready = played(values={"approach_cost": 0.3}), played(values={"approach_cost": 1})
    assert unready.times("approach") < ready.times("approach") - 0.2
    for t in (1, 3, 6):
        assert unready.happened("us_talks", t) < ready.happened("us_talks", t) - 0.01


def test_m20_war_grows_with_tension(played: Played) -> None:
    low, high = played(values={"war_risk": 0.005}), played(values={"war_risk": 0.04})
    assert high.happened("war") > low.happened("war") + 0.01
    # Fear of it holds tests and threats back.
    assert high.happened("tests_resumed") < low.happened("tests_resumed") - 0.01
    assert high.times("threaten") < low.times("threaten") - 0.01


def test_m21_the_visit_opens_a_door_for_a_while(played: Played) -> None:
    base, without = played(), played(values={"visit_help": 0})
    gain = {t: base.happened("us_talks", t) - without.happened("us_talks", t) for t in (4, 6)}
    assert gain[4] > 0.03
    assert gain[6] < gain[4]
    assert base.times("approach", 2, 4) > without.times("approach", 2, 4) + 0.05
    assert base.times("approach", 5, 6) < without.times("approach", 5, 6)


def test_m22_critics_hold_concessions_without_a_step_back(played: Played) -> None:
    silent, loud = played(values={"critics_us": 0}), played(values={"critics_us": 0.7})
    assert silent.times("suspend") > loud.times("suspend") + 0.05
    silent, loud = played(EACH, {"critics_us": 0}), played(EACH, {"critics_us": 0.7})
    assert silent.times("ease") > loud.times("ease") + 0.05


def test_m23_the_truce_ends_with_the_spring(played: Played) -> None:
    base, longer = played(), played(values={"truce_months": 4})
    assert base.level("tension", 3) > base.level("tension", 2) + 0.05
    assert longer.level("tension", 3) < longer.level("tension", 2)
    assert longer.happened("tests_resumed", 4) < base.happened("tests_resumed", 4) - 0.01
