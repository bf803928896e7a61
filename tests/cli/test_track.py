"""`detente track`: what it prints, its exit codes, and the picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detente import library
from tests.cli.test_cli import Told, run

__all__ = ["run"]

Run = Callable[..., Told]

MOVES = """\
date,actor,move,action,note
always,B,nothing heard,hold or thank,
2018-02-03,Alphaland,gives a little,give,
2018-02-07,B,thanks,(context),not a move
2018-02-28,state,x == 1,,
2018-03-05,A,hold,,
"""


@pytest.fixture
def record(run: Run, tmp_path: Path) -> str:
    del run  # which goes to the folder
    text = MOVES.replace("hold or thank", "thank")
    (tmp_path / "moves.csv").write_text(text, encoding="utf-8")
    return "moves.csv"


def test_it_tells_what_was_seen_and_what_to_believe(run: Run, record: str) -> None:
    told = run("track", "small.yaml", record, "--path", "--beliefs", "5")
    assert (told.code, told.err) == (0, "")
    assert "moves.csv: 2018-02 to 2018-03, 4 dated lines, 1 of them context" in told.out
    headings = [
        "What was observed, and how likely it was held to be before",
        "How well moves and silence were expected: log score, the higher the better",
        "What to believe now",
        "Where things stand at the end of 2018-03",
        "The forecast from here: probability that it has come about at some time, "
        "and that it holds",
        "What was forecast for 2018-03, at the end of each period",
        "How good the answer is",
    ]
    lines = told.out.splitlines()
    assert [line for line in lines if line in headings] == headings
    assert "Silence that means something: twice" in told.out
    assert any(line.split()[:4] == ["1", "2018-02-03", "A", "give"] for line in lines)


def test_json_has_all_tables(run: Run, record: str) -> None:
    told = run("track", "small.yaml", record, "--json", "--path", "--compare-policy", "nothing")
    data = json.loads(told.out)
    assert told.code == 0
    assert [row["kind"] for row in data["moves"]] == [
        *("move", "silence", "reading", "move", "silence")
    ]
    assert data["log_likelihood"] == pytest.approx(sum(r["log_score"] for r in data["moves"]))
    assert {"expected", "beliefs", "periods", "states", "outcomes", "path"} <= data.keys()
    assert data["scores"]["uniform"] < 0
    assert len(data["bayes_factor"]["rows"]) == 5
    assert data["scenario"]["policy"] == "trust"


def test_a_line_may_be_wrong(run: Run, record: str) -> None:
    words = ("track", "small.yaml", record, "--beliefs", "5", "--miscoded")
    told = run(*words, "0.05")
    assert (told.code, told.err) == (0, "")
    (header,) = (line for line in told.out.splitlines() if "as recorded" in line and "date" in line)
    assert header.index("bits") < header.index("as recorded")
    assert "Each recorded move may be another one, with 5 %." in told.out
    data = json.loads(run(*words, "0.05", "--json").out)
    assert data["miscoded"] == 0.05
    sure = [row["as_recorded"] for row in data["moves"]]
    assert [p is None for p in sure] == [row["kind"] != "move" for row in data["moves"]]
    assert all(0 < p < 1 for p in sure if p is not None)
    assert {"smoothed"} <= data["beliefs"][0].keys() & data["periods"][0].keys()
    assert run(*words, "0.6").code == 2


def test_impossible_moves_are_a_mistake_unless_passed_over(run: Run, tmp_path: Path) -> None:
    text = "date,actor,move\n2018-02-03,B,take\n2018-02-28,state,x == 0\n"
    (tmp_path / "moves.csv").write_text(text)
    told = run("track", "small.yaml", "moves.csv", "--beliefs", "5")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("moves.csv:2: error[impossible]: B in 2018-02: `take` is impossible")
    assert "`take` is forbidden by the term `no_taking` (x to be " in told.err
    told = run("track", "small.yaml", "moves.csv", "--beliefs", "5", "--skip-impossible")
    assert told.code == 0
    assert "Passed over: what the model holds impossible" in told.out
    told = run(
        *("track", "small.yaml", "moves.csv", "--beliefs", "5", "--skip-impossible"),
        *("--compare", "small.yaml", "--compare-policy", "nothing"),
    )
    assert told.code == 0
    assert "Left out, as it was used by one of them only: line 2" in told.out
    words = ("track", "small.yaml", "moves.csv", "--policy", "nothing", "--compare-policy", "trust")
    told = run(*words, "--beliefs", "5")
    assert told.code == 2
    assert "for the other account: B in 2018-02: `take` is impossible" in told.err
    told = run("track", "small.yaml", "moves.csv", "--skip-impossible", "--json")
    assert json.loads(told.out)["moves"][0]["log_score"] is None


def test_two_accounts(run: Run, record: str) -> None:
    told = run("track", "small.yaml", record, "--compare", "small.yaml", "--compare-policy", "")
    assert told.code == 0
    assert "Two accounts of the record" in told.out
    assert "in the words of Kass and Raftery (1995)" in " ".join(told.out.split())


def test_mistakes(run: Run, record: str, tmp_path: Path) -> None:
    told = run("track", "small.yaml")
    assert told.code == 2
    assert "no record of moves for `small.yaml`" in told.err
    told = run("track", "small.yaml", "nothing.csv")
    assert (told.code, "nothing.csv: error[unknown-name]" in told.err) == (2, True)
    told = run("track", "small.yaml", record, "--plot", "picture.jpg")
    assert (told.code, "`picture.jpg` does not say in which format" in told.err) == (2, True)
    (tmp_path / "wrong.csv").write_text("date,actor,move\n2018-02-03,C,give\n2018-02-04,A,giv\n")
    told = run("track", "small.yaml", "wrong.csv")
    assert told.code == 2
    assert "wrong.csv:2: error[unknown-name]: `C` is not an actor" in told.err
    assert "hint: did you mean `give`?" in told.err


def test_the_record_of_the_library_is_found_by_name(run: Run) -> None:
    words = ("track", "pyeongchang-2018", "--horizon", "3", "--beliefs", "5")
    told = run(*words)
    assert told.code == 0
    assert "pyeongchang-2018.csv: 2018-02 to 2018-04" in told.out
    assert run("track", "pyeongchang-2018", "--record").out == library.record_text(words[1])
    assert "lines, 2018-05-16 to 2019-10-31, are after it ends and not used" in told.err


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_picture(run: Run, record: str, tmp_path: Path, kind: str) -> None:
    words = ("track", "small.yaml", record, "--beliefs", "5", "--plot", f"out.{kind}")
    told = run(*words)
    assert told.code == 0
    assert told.err.rstrip().endswith(f"Wrote out.{kind}.")
    begins = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[kind]
    made = (tmp_path / f"out.{kind}").read_bytes()
    assert made.startswith(begins)
    if kind == "svg":
        text = made.decode()
        for words_in_it in ("Belief that Alphaland is firm", "A: give", "Surprise in bits"):
            assert words_in_it in text
        run(*words)
        assert (tmp_path / "out.svg").read_bytes() == made


def test_the_picture_needs_matplotlib(
    run: Run, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = run("track", "small.yaml", record, "--plot", "out.svg")
    assert told.code == 2
    assert "matplotlib, which is not installed" in told.err
    assert "python3 scripts/env.py --with report" in told.err


def test_a_chronology_is_followed_by_a_codebook(run: Run, tmp_path: Path) -> None:
    events = "when;kind\n2018-03;a gift\nFebruary 2018;a gift\n2018-02;a parade\n"
    book = "event (kind),actor,action\na gift,Alphaland,give\na parade,,(context)\n"
    (tmp_path / "events.csv").write_text(events)
    (tmp_path / "book.csv").write_text(book)
    told = run("code", "events.csv", "--scenario", "small.yaml", "-o", "draft.csv")
    assert told.code == 0
    assert "3 events, 2018-02 to 2018-03, of 2 kinds by `kind`" in told.out
    assert (tmp_path / "draft.csv").read_text().startswith("event (kind),events,first,last,")
    told = run("code", "events.csv", "--scenario", "small.yaml", "-o", "book.csv")
    assert told.code == 2  # what was filled by hand is not written over
    assert (tmp_path / "book.csv").read_text() == book
    told = run("code", "events.csv", "--scenario", "small.yaml", "--codebook", "book.csv")
    assert "2 moves; 1 for the reader alone" in told.out
    coded = ("--codebook", "book.csv", "--beliefs", "5", "--json")
    told = run("track", "small.yaml", "events.csv", *coded)
    taken = [row["action"] for row in json.loads(told.out)["moves"]]
    assert taken == ["give", "give"]
    told = run("track", "small.yaml", "events.csv", "--columns", "date=when")
    assert told.code == 2
    assert "a record has columns of its own" in told.err
    (tmp_path / "other.csv").write_text("when,what\n2018-02,a gift\n")
    told = run("track", "small.yaml", "other.csv", *coded)
    assert "book.csv:1: error[unknown-column]: other.csv has no column `kind`" in told.err
