"""The cookbook: its files stand in the page as they are, and do what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

import detente
from detente.game.forms import compile_forms
from detente.simulation.forecast import marginal
from tests.docs.test_docs import ROOT, blocks

COOKBOOK = ROOT / "docs" / "cookbook"
RECIPES = sorted(COOKBOOK.glob("*.yaml"))
OPTIONS = detente.SolveOptions(beliefs=9, threads=1)


def happened(recipe: str, policy: str | None = None, **values: float) -> dict[str, float]:
    """By outcome, how likely it comes about at all."""
    scenario = detente.load(COOKBOOK / f"{recipe}.yaml").with_values(values)
    game = detente.compile_game(scenario, policy=policy)
    result = detente.forecast(detente.solve(game, OPTIONS, regret=False), threads=1)
    last = marginal(game, result.tables["outcomes"])
    return {row["outcome"]: row["happened"] for row in last.rows()}  # later periods come later


def test_there_are_seven() -> None:
    names = {path.stem for path in RECIPES}
    assert names == {"deadline", "election", "offer", "inspection", "veto", "sunset", "ladder"}


def test_the_page_shows_the_files() -> None:
    shown = {block.option("file"): block.text for block in blocks(ROOT / "docs" / "cookbook.md")}
    shown.pop(None)
    assert shown == {path.name: path.read_text(encoding="utf-8") for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_nothing_is_doubtful(path: Path) -> None:
    scenario = detente.load(path)
    assert list(scenario.warnings) == []
    assert list(compile_forms(scenario)[1]) == []
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60


def test_a_deadline_brings_it_forward() -> None:
    assert happened("deadline")["in_time"] > happened("deadline", "words alone")["in_time"] + 0.02


def test_nothing_is_signed_before_hawks_are_likely_to_come() -> None:
    assert happened("election", p_hawks=0.3)["before"] > 0.9
    assert happened("election", p_hawks=0.8)["before"] < 0.05


def test_the_patient_reject_the_small_share_more_often() -> None:
    game = detente.compile_game(detente.load(COOKBOOK / "offer.yaml"))
    result = detente.forecast(detente.solve(game, OPTIONS, regret=False), threads=1)
    first = result.actions.query("t == 1 and action == 'reject'").set_index("Responder")["share"]
    assert first["patient"] > first["pressed"] + 0.2


def test_less_is_caught_where_inspections_find_less() -> None:
    less = happened("inspection", detection=0.4)
    assert less["caught"] < happened("inspection")["caught"]


def test_a_veto_costs_relief_and_brings_steps() -> None:
    joint, alone = happened("veto"), happened("veto", "alone")
    assert joint["step"] > alone["step"] + 0.2
    assert joint["relief"] < alone["relief"]


@pytest.mark.slow
def test_relief_lapses_more_often_with_the_clause_beyond_the_stated_error() -> None:
    """With the usual belief points it is within error, so that the page asks for more."""
    fine = detente.SolveOptions(beliefs=129, threads=1)
    low, high = [], []
    for clause in (0, 1):
        scenario = detente.load(COOKBOOK / "sunset.yaml").with_values({"clause": clause})
        game = detente.compile_game(scenario)
        result = detente.forecast(detente.solve(game, fine, regret=False), threads=1)
        *_, last = marginal(game, result.tables["outcomes"]).where(outcome="lapsed").rows()
        low.append(last["happened"] - last["error"])
        high.append(last["happened"] + last["error"])
    assert low[1] > high[0]


def test_war_is_likelier_where_giving_way_is_dear() -> None:
    assert happened("ladder", face=0.8)["war"] > 4 * happened("ladder", face=0)["war"]
