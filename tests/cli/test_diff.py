"""`detente diff`: what it says of two files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_cli import SMALL, Told, run

__all__ = ["run"]  # the fixture

Run = Callable[..., Told]


@pytest.fixture(autouse=True)
def other(tmp_path: Path) -> None:
    text = SMALL.replace("soft: 0.2}", "soft: 0.6}").replace(
        "terminal: 2 * x", "terminal: worth * x"
    )
    text = text.replace(
        "  price:", "  worth: {value: 3, range: [1, 5], judgement: a test}\n  price:"
    )
    (tmp_path / "other.yaml").write_text(text.replace("about: odds", "about: chances"), "utf-8")


def test_differences_in_words_with_places_in_both(run: Run) -> None:
    told = run("diff", "small.yaml", "other.yaml", "--words")
    assert told.code == 0
    assert "Parameter price: value of soft 0.2 → 0.6 (small.yaml:10 and other.yaml:11)" in told.out
    assert "Parameter worth: only in other.yaml:10, value 3" in told.out
    assert "about is worded differently" in told.out
    assert "What it does to the forecast" not in told.out


def test_effects_one_by_one_and_together(run: Run) -> None:
    told = run("diff", "small.yaml", "other.yaml", "--beliefs", "5")
    text = " ".join(told.out.split())
    assert told.code == 0
    assert "What it does to the forecast" in text
    assert (
        "Parameter worth and terminal payoff of B (make no scenario one without the other)" in text
    )
    assert "What these do not add up to" in text


def test_the_same_for_programs(run: Run, tmp_path: Path) -> None:
    told = run("diff", "small.yaml", "other.yaml", "--beliefs", "5", "--json", "--csv", "tables")
    data = json.loads(told.out)
    assert {row["name"] for row in data["differences"]} == {
        "parameters.odds", "parameters.price", "parameters.worth", "payoffs.B.terminal"
    }  # fmt: skip
    assert [row["taken"] for row in data["alone"][::2]] == [
        ["parameters.price"], ["parameters.worth", "payoffs.B.terminal"]
    ]  # fmt: skip
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert names >= {"differences.csv", "alone.csv", "together.csv"}


def test_a_file_and_itself(run: Run) -> None:
    told = run("diff", "small.yaml", "small.yaml")
    assert told.code == 0
    assert told.out.split("What differs")[1].strip() == "Nothing."


def test_nothing_in_common_is_said(run: Run) -> None:
    told = run("diff", "small.yaml", "chain-store", "--words")
    assert "The two have no outcome in common" in told.out


def test_a_mistake_in_either_has_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(SMALL.replace("flow: x", "flow: y"), "utf-8")
    told = run("diff", "small.yaml", "wrong.yaml")
    assert told.code == 2
    assert told.err.startswith("wrong.yaml:")
