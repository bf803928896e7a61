"""Reference behaviour: another name for a move changes nothing, and weights count as repetitions."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import detente
from detente.simulation.forecast import Forecast
from detente.solver.options import SolveOptions
from tests.effort import examples
from tests.generate import Shape, scenarios

OPTIONS = SolveOptions(beliefs=9, threads=1)

SHAPES = st.sampled_from(
    [
        Shape(),
        Shape(actors=2, informed=2, actions=3),
        Shape(types=3),
        Shape(actors=3, informed=1, together=2),
        Shape(actors=2, informed=1, together=2, actions=3),
        Shape(discount=True, forever=True),
    ]
)


def renamed_twice(text: str, actor: str, action: str) -> str:
    """The scenario in which an action has a second name."""
    yaml = YAML()
    data = yaml.load(text)
    twin = dict(data["actions"][actor][action])
    data["actions"][actor]["other_name"] = {**twin, "like": action}
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def forecast_of(text: str) -> Forecast:
    game = detente.compile_game(detente.loads(text))
    return detente.forecast(detente.solve(game, OPTIONS), threads=1)


@settings(max_examples=examples(8), deadline=None, derandomize=True)
@given(data=st.data())
def test_another_name_for_a_move_changes_nothing(data: st.DataObject) -> None:
    text = data.draw(scenarios(data.draw(SHAPES)))
    actor = data.draw(st.sampled_from(["A0", "A1"]))
    one, two = forecast_of(text), forecast_of(renamed_twice(text, actor, "a1"))
    for name in ("outcomes", "payoffs", "beliefs", "states"):
        for column, values in one.tables[name].columns.items():
            others = two.tables[name][column]
            if values.dtype.kind == "f":
                assert np.allclose(values, others, rtol=0, atol=1e-9, equal_nan=True), name
            else:
                assert (values == others).all()
    # The names share what the move had, and nothing is lost.
    moves = {r["action"]: r["probability"] for r in two.tables["actions"].where(actor=actor).rows()}
    assert moves["a1"] == pytest.approx(moves["other_name"], abs=1e-12)
