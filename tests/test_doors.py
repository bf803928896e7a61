"""The package's doors: what they say of what is not for them, and what notebooks show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import detente
from detente.notebook import MOST, InNotebook

TEXT = """\
title: A choice
calendar: {period: round, horizon: 1}
actors: {A: {precision: 2}}
state: {x: {levels: 0..1, start: 0, edge: cut}}
turns: [A]
actions: {A: {go: {set: {x: +1}}, stay: {}}}
payoffs: {A: {terminal: x}}
outcomes: {gone: {when: x == 1}}
"""


def test_the_doors_are_listed() -> None:
    assert set(detente.__all__) <= set(dir(detente))
    assert all(getattr(detente, name) for name in detente.__all__)


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """What is passed on from door to door."""
    scenario = detente.loads(TEXT)
    game = detente.compile_game(scenario)
    solution = detente.solve(game, detente.SolveOptions(beliefs=5, threads=1))
    result = detente.forecast(solution, threads=1)
    return {"scenario": scenario, "game": game, "solution": solution, "result": result}


@pytest.mark.parametrize(
    ("door", "argument", "message"),
    [
        (detente.solve, "scenario", "solve takes a compiled game: "
            "detente.solve(detente.compile_game(scenario))"),
        (detente.forecast, "game", "forecast takes a solution: "
            "detente.forecast(detente.solve(game))"),
        (detente.search, "game", "search takes a forecast: "
            "detente.search(detente.forecast(detente.solve(game)))"),
        (detente.forecast, "result", "forecast takes a solution, not Forecast"),
        (detente.to_efg, "solution", "to_efg takes a compiled game, not Solution"),
        (detente.compare, "solution", "compare takes a scenario, not Solution"),
    ],
)  # fmt: skip
def test_a_door_says_what_is_missing(
    door: Callable[..., Any], argument: str, message: str, given: dict[str, Any]
) -> None:
    more = {"starts": 1, "rng": np.random.default_rng(1)} if door is detente.search else {}
    with pytest.raises(TypeError) as caught:
        door(given[argument], **more)
    assert str(caught.value) == message


@pytest.mark.parametrize("source", ["bargaining-rounds", Path("a.yaml")])
def test_a_file_is_to_be_loaded(source: str | Path) -> None:
    load = f"detente.load({str(source)!r})"
    wrong: Any = source
    with pytest.raises(TypeError) as caught:
        detente.compile_game(wrong)
    assert str(caught.value) == f"compile_game takes a scenario: detente.compile_game({load})"
    with pytest.raises(TypeError) as caught:
        detente.sample(wrong, draws=1, rng=np.random.default_rng(1))
    assert str(caught.value).endswith(
        f": detente.sample(detente.solve(detente.compile_game({load})))"
    )


def test_what_notebooks_show(given: dict[str, Any]) -> None:
    shown = given["result"]._repr_html_()
    assert "&lt;Forecast of &#x27;&lt;text&gt;&#x27;" in shown
    assert "<td>gone</td>" in shown
    shown = given["solution"]._repr_html_()
    assert "<th>payoff</th>" in shown
    assert "<td>A</td>" in shown


class Shown(InNotebook):
    def __repr__(self) -> str:
        return "<script>"

    def _main_table(self) -> pd.DataFrame:
        return pd.DataFrame({"<b>": ["<i>"] * (MOST + 2), "x": 1 / 3})


def test_text_is_never_markup_in_a_notebook() -> None:
    html = Shown()._repr_html_()
    assert html.startswith("<p>&lt;script&gt;</p><table><tr><th>&lt;b&gt;</th><th>x</th></tr>")
    assert html.count("<td>&lt;i&gt;</td><td>0.3333</td>") == MOST
    assert html.endswith("<p>… and 2 more rows</p>")
