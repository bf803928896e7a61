"""Payoffs by tables: the same numbers as written by hand, and what is told where one is wrong."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detente.errors import ScenarioError
from detente.scenario.loader import load
from detente.scenario.model import Scenario

MODEL = """\
title: A game
calendar: {period: round, horizon: 1}
actors: {R: {precision: 2}, C: {types: {soft: 0.4, hard: 0.6}, precision: 2}}
state:
  mine: {levels: [a, b, c], start: a}
  theirs: {levels: -1..1, start: 0}
parameters: {w: {value: {soft: 2, hard: 5}, range: [1, 6], judgement: an example}}
turns: [{who: [R, C]}]
actions:
  R: {a: {set: {mine: a}}, b: {set: {mine: b}}, c: {set: {mine: c}}}
  C: {low: {set: {theirs: (-1)}}, zero: {set: {theirs: 0}}, high: {set: {theirs: 1}}}
payoffs:
  R: {terminal: TABLE}
"""
BY_HAND = "(mine == a) * (theirs == -1) * 3 + (C == hard) * (mine == c) * (theirs == 1) * w ** 2"
ROWS = {
    kind: {
        mine: {
            theirs: {("a", "-1"): "3", ("c", "1"): "w ** 2 * (C == hard)"}.get((mine, theirs), "0")
            for theirs in ("-1", "0", "1")
        }
        for mine in "abc"
    }
    for kind in ("soft", "hard")
}


def game(tmp_path: Path, table: object) -> Scenario:
    path = tmp_path / "game.yaml"
    path.write_text(MODEL.replace("TABLE", str(table).replace("'", "")))
    return load(path)


def test_a_table_is_the_formula_written_by_hand(tmp_path: Path) -> None:
    names = {"by": ["C", "mine", "theirs"], "values": ROWS}
    (table,) = game(tmp_path, names).payoffs["R"].terminal.values()
    (named,) = game(tmp_path, {"game": names}).payoffs["R"].terminal.values()
    (hand,) = game(tmp_path, BY_HAND).payoffs["R"].terminal.values()
    states = np.array(list(product((0.0, 1.0), range(3), (-1.0, 0.0, 1.0)))).T
    at: dict[str, Any] = dict(zip(("C", "mine", "theirs"), states, strict=True))
    at["w"] = np.where(at["C"] == 0, 2.0, 5.0)
    for formula in (table, named):
        np.testing.assert_array_equal(formula.evaluate(at), hand.evaluate(at))
        np.testing.assert_array_equal(
            np.broadcast_to(formula.derivative(at, "w"), 18),
            np.broadcast_to(hand.derivative(at, "w"), 18),
        )
        for read in ("variables", "parameters", "actors", "calendar"):
            assert getattr(formula, read) == getattr(hand, read)


LEVELS = {"-1": 1, "0": 0, "1": 2}


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"by": ["mine"], "values": {"a": 1, "b": 2}}, "nothing for mine at `c`", "write 0"),
        (
            {"by": ["mine"], "values": {"a": 1, "b": 2, "c": 0, "d": 1}},
            "`d` is not a level of mine",
            "there are `a`, `b` and `c`",
        ),
        ({"by": ["mine"], "values": {"a": LEVELS, "b": 2, "c": 0}}, "a cell is a formula", "`by`"),
        (
            {"by": ["mine", "theirs"], "values": {"a": LEVELS, "b": LEVELS, "c": 1}},
            "goes on by `theirs`",
            "`-1`, `0` and `1`",
        ),
        ({"by": ["mine", "mine"], "values": {"a": 1}}, "`mine` stands here twice", ""),
        ({"by": ["their"], "values": {"a": 1}}, "`their` is neither a variable", "`theirs`"),
        ({"by": ["R"], "values": {"a": 1}}, "`R` is neither a variable", ""),
        ({"by": ["C"], "values": {"soft": 1, "hard": "foo"}}, "`foo` is not known", ""),
        ({"by": ["C"], "values": {"soft": 1, "hrd": 1}}, "`hrd` is not a type of C", "`hard`"),
        ({"game": {"by": ["C"]}}, "or a table", ""),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, table: object, message: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as error:
        game(tmp_path, table)
    told = [(found.message, found.hint) for found in error.value.diagnostics]
    assert any(message in sentence and hint in more for sentence, more in told), told


def test_few_cells_are_shown_and_many_are_counted(tmp_path: Path) -> None:
    rows = "{by: [mine], values: {a: 1, b: w, c: 0}}".replace("w", '"2 * w"')
    (small,) = game(tmp_path, rows.replace('"', "")).payoffs["R"].terminal.values()
    assert small.text == "table by mine: 1, 2 * w, 0"
    (large,) = (
        game(tmp_path, {"by": ["C", "mine", "theirs"], "values": ROWS})
        .payoffs["R"]
        .terminal.values()
    )
    assert large.text == "table by C and mine and theirs, 18 cells"
