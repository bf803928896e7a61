"""`detente threshold`: what is printed, drawn and refused."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detente.analysis import quantity_of_interest
from detente.cli import inputs
from detente.cli.main import main
from tests.analysis.test_threshold import ONCE

COLOUR = re.compile("\x1b\\[[0-9;]*m")
CROSSING = ("once.yaml", "--parameter", "cost", "--outcome", "acted", "--at", "0.4")
MAP = (*CROSSING, "--parameter", "gain", "--points", "4")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `detente threshold` in a folder with `once.yaml` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("detente.solver.ready.missing", lambda game: [])
    (tmp_path / "once.yaml").write_text(ONCE.replace("COST", "cost"), encoding="utf-8")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["detente", "threshold", *words])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        told = capsys.readouterr()
        return code, COLOUR.sub("", told.out), COLOUR.sub("", told.err)

    return call


def test_a_crossing_in_words_and_as_a_curve(run: Run) -> None:
    code, out, err = run(*CROSSING)
    assert code == 0, err
    assert "P(acted) reaches 40 %, falling, at cost = 0.702733" in out
    lines = out.splitlines()
    (now,) = [line for line in lines if line.rstrip().endswith("now")]
    assert now.split()[:3] == ["0.2", "64.57", "%"]
    (crossed,) = [line for line in lines if line.rstrip().endswith("crossing")]
    assert "|" not in crossed  # the dot stands on the level
    assert "o" in crossed
    (moved,) = [line for line in lines if line.strip().startswith("gain")]
    assert "+1" in moved


def test_no_crossing_in_words(run: Run) -> None:
    code, out, _ = run(*CROSSING[:-1], "0.95")
    assert code == 0
    assert "does not cross 95 %" in out
    assert "What moves" not in out


def test_a_preference(run: Run) -> None:
    words = ("once.yaml", "-p", "fine", "--prefer", "one", "other", "--for", "B")
    code, out, _ = run(*words)
    assert code == 0
    assert "B's preference flips from “one” to “other” at fine = 0.25" in out


def test_json(run: Run) -> None:
    code, out, _ = run(*CROSSING, "--json")
    assert code == 0
    data = json.loads(out)
    assert data["crossings"][0]["value"] == pytest.approx(0.702733, abs=1e-6)
    assert data["crossings"][0]["direction"] == "falling"
    assert {"value", "number", "error", "derivative", "solved"} == set(data["curve"][0])
    assert data["verdict"].startswith("P(acted) reaches")
    code, out, _ = run(*MAP, "--json")
    data = json.loads(out)
    assert len(data["map"]) == 16
    assert len(data["contours"][0][0]) == 2


def test_a_map_in_the_terminal(run: Run) -> None:
    code, out, err = run(*MAP)
    assert code == 0, err
    rows = [
        line.split()
        for line in out[out.index("The map") :].splitlines()
        if re.match(r"^ *(0|0\.3\d+|0\.6\d+|1) ", line)
    ]
    # The first has the values of cost.
    assert [row[0] for row in rows] == ["0", "1", "0.6667", "0.3333", "0"]
    # At the top left A acts almost always, at the bottom right seldom.
    assert rows[1][1] == "[88]"
    assert rows[-1][-1] == "12"


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="no matplotlib")
@pytest.mark.parametrize("words", [CROSSING, MAP, ("once.yaml", "-p", "reach", "--outcome", "got",
                                                    "--at", "0.5")])  # fmt: skip
def test_pictures_name_what_they_show(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    code, _, err = run(*words, "--plot", "picture.svg")
    assert code == 0, err
    text = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "One decision" in text
    assert "now" in text
    if words is CROSSING:
        assert "falling at 0.702733" in text
    again = text
    run(*words, "--plot", "picture.svg")
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8") == again


def test_a_missing_package_is_named_with_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "find_spec", lambda name: None if name == "scipy" else object())
    code, out, err = run(*CROSSING)
    assert code == 2
    assert out == ""
    assert "finding a threshold needs SciPy, which is not installed" in err
    assert "hint: python3 scripts/env.py --with analysis" in err


def test_pictures_need_matplotlib(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "find_spec", lambda _: None)
    code, out, err = run(*CROSSING, "--plot", "picture.svg")
    assert code == 2
    assert out == ""
    assert "matplotlib" in err
    assert "python3 scripts/env.py --with report" in err


@pytest.mark.parametrize(
    ("words", "place", "message"),
    [
        (("--plot", "picture.txt"), "--plot", "which format"),
        (("--plot", "nowhere/picture.svg"), "--plot", "no folder"),
        (("--from", "0", "--from", "1"), "--from", "2 given for 1"),
        (("--given", "A"), "--given", "--given DPRK=sincere"),
        (("--tolerance", "0"), "--tolerance", "positive"),
        (("-p", "gain", "-p", "mark"), "--parameter", "not more"),
        (("--payoff", "A"), "--outcome", "which number"),
    ],
)
def test_mistakes_are_told(run: Run, words: tuple[str, ...], place: str, message: str) -> None:
    code, out, err = run(*CROSSING, *words)
    assert code == 2
    assert out == ""
    assert f"\n{place}: error" in f"\n{err}"
    assert message in err


def test_values_outside_the_range_are_told(run: Run) -> None:
    code, out, err = run(*CROSSING, "--to", "2")
    assert code == 0
    assert "beyond its range" in err
    assert "P(acted)" in out


def test_an_interruption_leaves_what_was_computed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, left = quantity_of_interest.solve, iter(range(3))

    def solve(*args: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return plain(*args, **options)

    monkeypatch.setattr(quantity_of_interest, "solve", solve)
    code, out, _ = run(*CROSSING)
    assert code == 130
    assert "Interrupted after 3 values" in out
    left = iter(range(5))
    code, out, _ = run(*MAP)
    assert code == 130
    assert "Interrupted after 5 nodes" in out
    for words, what in ((CROSSING, "value"), (MAP, "node")):
        left = iter(())
        code, out, _ = run(*words)
        assert code == 130
        assert out.rstrip().endswith(f"before the first {what} was computed.")


def test_an_unsolved_game_exits_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantity_of_interest, "Status", type("Never", (), {"SOLVED": None}))
    code, out, _ = run(*CROSSING)
    assert code == 1
    assert "Not to be relied on" in out
    assert "not solved" in out
