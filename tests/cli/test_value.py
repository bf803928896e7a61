"""`detente value`: what it prints, and how it refuses."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_cli import Run, run

__all__ = ["run"]

ASKED = ("value", "secret-programme", "--beliefs", "5", "--horizon", "2", "--signal")


def test_for_people_and_programs(run: Run) -> None:
    told = run(*ASKED, "inspection")
    assert told.code == 0
    for words in ("What inspection is worth", "worth    grid error", "North    covert", "change"):
        assert words in told.out
    data = json.loads(run(*ASKED, "inspection", "--json").out)
    assert data["signal"] == "inspection"
    assert [row["actor"] for row in data["payoffs"]] == ["West", "North", "North"]
    for row in data["payoffs"]:
        assert row["worth"] == pytest.approx(row["with_signal"] - row["without"], abs=1e-12)
    assert {row["outcome"] for row in data["outcomes"]} == {"bomb", "alarm", "ended"}


def test_what_is_no_signal_is_refused(run: Run) -> None:
    told = run(*ASKED, "inspecton")
    assert (told.code, told.out) == (2, "")
    assert "--signal: error[unknown-name]: there is no event `inspecton`" in told.err
    assert "did you mean `inspection`?" in told.err
