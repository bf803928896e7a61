"""`explore` as a whole: what is chosen if nobody asks, and that it copes with what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import detente
from detente.describe.exploration import describe_exploration
from detente.errors import ScenarioError
from tests.ensembles.stand_in import StandIn, make

POLICIES = ("firm", "open", "")


def standoff(n: int = 300, lost: float = 0.0, seed: int = 0, complete: bool = True) -> StandIn:
    """The sender's best policy turns at x1 = 1/2, the target's never; a deal hangs on x2."""
    rng = np.random.default_rng(seed)
    x = {f"x{k}": rng.uniform(0, 1, n) for k in range(1, 5)}
    x["order"] = rng.choice(["left", "right"], n)
    none = np.zeros(n)
    sender = np.column_stack([none, x["x1"] - 0.5, none - 2])
    target = np.column_stack([none, none + 1, none - 1])
    deal = 0.1 + 0.5 * np.column_stack([x["x2"], x["x2"] * 0.9, x["x2"] * 0.8])
    war = 0.02 * np.column_stack([x["x3"], x["x3"], x["x3"]])
    columns = {
        "deal@3": deal,
        "war@3": war,
        "payoff:sender": sender,
        "payoff:target=sincere": target,
        "payoff:target=stalling": target,
    }
    gone = rng.random((n, 3)) < lost
    numbers = {name: np.where(gone, np.nan, values) for name, values in columns.items()}
    known = {"payoff:sender": [0.0, 0.01, 0.01]}
    return make(numbers, x, POLICIES, known=known, complete=complete)


def test_what_is_worth_reading_is_chosen() -> None:
    told = detente.explore(standoff())
    assert told.whose is not None
    assert told.whose.whose == "sender"
    open_one, preference = told.influences
    assert open_one.question.metric.name == "deal"
    assert open_one.table.iloc[0]["quantity"] == "x2"
    assert preference.question.kind == "difference"
    assert preference.table.iloc[0]["quantity"] == "x1"
    (where,) = told.discoveries
    assert [one.quantity for one in where.boxes[0].conditions] == ["x1"]
    assert told.decision_boundary is not None
    nearest = told.decision_boundary.table
    assert set(nearest["quantity"]) == {"x1"}  # nothing else counts
    assert nearest["value"].to_numpy() == pytest.approx(0.5, abs=0.05)
    assert (nearest["distance"].abs().diff().dropna() >= 0).all()
    assert "best in" in repr(told)
    assert not told.notes


def test_a_question_and_a_requirement_are_asked() -> None:
    told = detente.explore(
        standoff(),
        question="deal",
        policy="open",
        against="",
        requirement="deal >= 30 % and war <= 1 %",
    )
    (one,) = told.influences
    assert (one.question.policy, one.question.against) == ("open", "")
    assert one.table.iloc[0]["quantity"] == "x2"
    (where,) = told.discoveries
    assert where.policy == "open"
    assert "deal >= 30 % and war <= 1 %" in where.about
    assert {one.quantity for one in where.boxes[0].conditions} == {"x2", "x3"}
    assert told.decision_boundary is not None
    assert "open" in told.decision_boundary.about
    every = detente.explore(standoff(), requirement="deal >= 30 %", fails_for="target=sincere")
    assert [one.policy for one in every.discoveries] == [*POLICIES, "open"]


def test_preferences_of_somebody_else_are_explained() -> None:
    told = detente.explore(standoff(), whose="target=stalling")
    assert told.whose is not None
    assert told.whose.who == "Target (stalling)"
    assert told.influences[1].note == "it is the same in all draws"


@pytest.mark.parametrize(
    ("asked", "argument", "hint"),
    [
        ({"question": "dael"}, "question", "did you mean `deal`"),
        ({"policy": "opne"}, "policy", "did you mean `open`"),
        ({"against": "frim"}, "against", "did you mean `firm`"),
        ({"whose": "target"}, "whose", "target=sincere"),
        ({"fails_for": "sendr"}, "fails_for", "did you mean `sender`"),
        ({"question": "deal", "against": ""}, "policy", "the other one by `policy=`"),
        ({"requirement": "dael > 3 %"}, "requirement", "did you mean `deal`"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, str], argument: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        detente.explore(standoff(5), **asked)  # type: ignore[arg-type]
    (told,) = caught.value.diagnostics
    assert told.place.argument == argument
    assert hint in told.hint


def test_failed_draws_are_counted_and_left_out() -> None:
    told = detente.explore(standoff(lost=0.1))
    assert set(told.left_out["status"]) == {"REFUSED"}
    assert set(told.left_out["policy"]) == set(POLICIES)
    assert (told.preferences["draws"] + told.preferences["left_out"] == 300).all()
    assert told.preferences["left_out"].iloc[0] > 30
    assert (told.distributions["draws"] < 300).all()


@pytest.mark.parametrize("requirement", [None, "deal >= 30 %"])
def test_few_draws_are_enough_to_run(requirement: str | None) -> None:
    told = detente.explore(standoff(5, lost=0.2, complete=False), requirement=requirement)
    assert told.notes[0].startswith("The run is not finished")
    assert "5 draws are few" in told.notes[-1]
    assert all(one.note for one in told.influences)
    assert all(one.note for one in told.discoveries)


def test_nothing_solved_is_told() -> None:
    told = detente.explore(standoff(20, lost=1.0), requirement="deal >= 30 %")
    assert told.empty
    assert "No draw was solved: there is nothing to report." in told.notes
    assert describe_exploration(told, 10).pictures() == []


def test_one_policy_without_types_and_payoffs() -> None:
    x = np.random.default_rng(0).uniform(0, 1, 200)
    told = detente.explore(make({"deal@3": x[:, None]}, {"x1": x, "x2": x[::-1]}, ("",)))
    assert told.preferences.empty
    assert told.whose is None
    assert told.decision_boundary is None
    (where,) = told.discoveries
    assert where.about.endswith("its upper quarter")
    assert where.base == 0.25
    (one,) = where.boxes[0].conditions
    assert one.quantity == "x1"
    assert one.low == pytest.approx(np.quantile(x, 0.75), abs=0.05)
    assert "There is one policy" in told.notes[0]


def test_nothing_drawn_is_told() -> None:
    bare = standoff(50)
    told = detente.explore(make(dict_of(bare), {}, POLICIES))
    assert any("Nothing was drawn" in note for note in told.notes)


def dict_of(found: StandIn) -> dict[str, np.ndarray]:
    return {name: table.to_numpy() for name, table in found.numbers.items()}


def test_an_unmeasured_error_is_told() -> None:
    bare = standoff(50)
    found = StandIn(bare.manifest, bare.inputs, bare.numbers, {"deal@3": [np.nan] * 3})
    assert any("belief grid is not known" in note for note in detente.explore(found).notes)


@pytest.mark.slow
def test_the_same_seed_tells_the_same() -> None:
    first, again = (detente.explore(standoff(), seed=2) for _ in range(2))
    for one, other in zip(first.influences, again.influences, strict=True):
        pd.testing.assert_frame_equal(one.table, other.table)
    assert [one.boxes for one in first.discoveries] == [one.boxes for one in again.discoveries]
