"""`detente announce`: what it prints, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_cli import SMALL, Run, run

__all__ = ["run"]

ANNOUNCING = """\
terms:
  giving: {binds: A, forbids: hold, when: x == 0}
  bond: {binds: A, forbids: hold, cost: 0.2, judgement: a test}
policies: {give: [giving], bound: [bond], free: []}
policy: free
announcement: {who: A}
"""


def announcing(tmp_path: Path) -> None:
    start, end = SMALL.index("terms:"), SMALL.index("outcomes:")
    text = SMALL[:start] + ANNOUNCING + SMALL[end:]
    (tmp_path / "words.yaml").write_text(text, encoding="utf-8")


def test_for_people(run: Run, tmp_path: Path) -> None:
    announcing(tmp_path)
    told = run("announce", "words.yaml", "--beliefs", "5")
    assert (told.code, told.err) == (0, "")
    for words in (
        "Before 2018-02, Alphaland announces one of 3 policies",
        "What Alphaland announces",
        "whatever the type",
        "it is firm",
        "Alphaland is firm",
        "The announcement tells",
        "bits to be told",
        "What follows: probability that it has come about by the end of 2018-03",
        "Solved: every response",
    ):
        assert words in told.out


def test_for_programs(run: Run, tmp_path: Path) -> None:
    announcing(tmp_path)
    told = run("announce", "words.yaml", "--json", "--policies", "free", "--policies", "")
    data = json.loads(told.out)
    assert (data["who"], data["policies"], data["status"]["code"]) == ("A", ["free", ""], "SOLVED")
    for row in data["choices"]:
        assert abs(row["probability"] - 0.5) < 1e-9  # two names for no terms
    assert set(data["outcomes"][0]) == {
        *("policy", "type", "t", "period", "outcome", "announced", "imposed", "error")
    }


def test_mistakes(run: Run, tmp_path: Path) -> None:
    told = run("announce", "small.yaml")
    assert (told.code, told.out) == (2, "")
    assert "--who: error[missing]" in told.err
    told = run("announce", "small.yaml", "--who", "A", "--policies", "trust")
    assert told.code == 2
    assert "--policies: error[out-of-range]" in told.err
    told = run("announce", "small.yaml", "--who", "A", "--beliefs", "6")
    assert told.code == 2
    assert "--beliefs: error[out-of-range]" in told.err


def test_show_names_the_announcer(run: Run, tmp_path: Path) -> None:
    announcing(tmp_path)
    told = run("show", "words.yaml")
    assert "Before the first period Alphaland announces one of: give; bound; free." in told.out
    data = json.loads(run("show", "words.yaml", "--json").out)
    announcement = data["announcement"]
    assert (announcement["who"], announcement["among"]) == ("A", ["give", "bound", "free"])
    assert data["terms"]["giving"]["when"] == "x == 0"
