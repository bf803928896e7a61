"""Where signals, types that change and hidden moves are not known yet: refused, with the place."""

from __future__ import annotations

import pytest

import detente
from detente.analysis.credibility import credibility
from detente.errors import ScenarioError
from detente.game.compile import compile_game
from detente.game.private_chance import refuse_private
from detente.scenario.observations import parse_record
from tests.solver.test_hidden_moves import BECOMES, SEEN, scenario

RECORD = "date,actor,move\n1,North,hold\n2,North,hold\n"


def told(error: ScenarioError) -> str:
    (diagnostic,) = error.diagnostics
    assert diagnostic.code == "private-chance"
    assert diagnostic.place.line
    return f"{diagnostic.message}\n{diagnostic.hint}"


@pytest.mark.parametrize("build", [SEEN, BECOMES, SEEN + BECOMES])
def test_records_do_not_estimate_hidden_moves(build: str) -> None:
    asked = scenario(build=build)
    with pytest.raises(ScenarioError) as caught:
        detente.fit(asked, [parse_record(RECORD, asked)], detente.FitOptions(free=["in_secret"]))
    message = told(caught.value)
    assert "`build` may hide or change the private types of North" in message
    assert "leave `seen_as` and `becomes` out" in message


def test_credibility_is_of_types_that_do_not_change() -> None:
    text = scenario().text.replace("outcomes:", "terms: {calm: {binds: US, forbids: press}}\n"
                                   "policies: {calm: [calm]}\noutcomes:")  # fmt: skip
    with pytest.raises(ScenarioError) as caught:
        credibility(detente.loads(text), "calm", detente.SolveOptions(beliefs=5, threads=1))
    assert "`build` may change the private types of North" in told(caught.value)
    only_alike = detente.loads(text.replace(BECOMES, ""))
    refuse_private(compile_game(only_alike), "it is by fixed types", changing=True)


def test_tables_do_not_play_hidden_moves() -> None:
    with pytest.raises(ScenarioError) as caught:
        refuse_private(compile_game(scenario(build=SEEN)), "a table does not play it")
    assert told(caught.value).startswith("a table does not play it: `build` may hide")
