"""Where signals, types that change and hidden moves are not known yet: refused, with the place."""

from __future__ import annotations

import pytest

from detente.errors import ScenarioError
from detente.game.compile import compile_game
from detente.game.private_chance import refuse_private
from tests.solver.test_hidden_moves import SEEN, scenario


def told(error: ScenarioError) -> str:
    (diagnostic,) = error.diagnostics
    assert diagnostic.code == "private-chance"
    assert diagnostic.place.line
    return f"{diagnostic.message}\n{diagnostic.hint}"


def test_tables_do_not_play_hidden_moves() -> None:
    with pytest.raises(ScenarioError) as caught:
        refuse_private(compile_game(scenario(build=SEEN)), "a table does not play it")
    assert told(caught.value).startswith("a table does not play it: `build` may hide")
