"""`detente compare` and `detente credibility`: what is printed, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import SMALL, Run, run  # noqa: F401 (a fixture)

TERMS = """\
terms:
  no_taking: {binds: B, forbids: take, unless: x == 2}
  thanks: {binds: B, forbids: take, cost: 0.7}
policies: {trust: [no_taking], nothing: [], soft: [thanks]}
"""


@pytest.fixture
def small(run: Run) -> Run:  # noqa: F811
    """`run`, in a folder with `soft.yaml`: the small scenario with a soft term as well."""
    lines = [line for line in SMALL.splitlines() if not line.startswith(("terms", "policies"))]
    Path("soft.yaml").write_text("\n".join(lines) + "\n" + TERMS, encoding="utf-8")
    return run


def test_policies_are_compared(small: Run) -> None:
    told = small("compare", "soft.yaml")
    assert told.code == 0, told.err
    for heading in (
        "A    trust (base)",
        "B    nothing",
        "probability that it comes about at some time within 2 months",
        "expected payoff",
        "Who does what first",
        "Who prefers which policy",
        "Efficient or not, depending on the precision: ",
        "How to read it",
    ):
        assert heading in told.out
    assert "Alphaland" in told.out
    told = small("compare", "soft.yaml", "--policies", "soft", "--against", "")
    assert told.code == 0
    assert "A    no terms (base)" in told.out
    assert "B    soft" in told.out


def test_what_cannot_be_told_apart_is_marked_in_words_and_by_a_sign(small: Run) -> None:
    # `nothing` announces no terms: it is the same game as ''.
    told = small("compare", "soft.yaml", "--policies", "nothing", "--against", "")
    assert told.code == 0
    row = next(line for line in told.out.splitlines() if line.startswith("given"))
    assert row.count("(≈)") == 1
    assert "not distinguishable" in told.out
    assert "A ≈ B" in told.out


def test_comparisons_as_json(small: Run) -> None:
    told = small("compare", "soft.yaml", "--beliefs", "9", "--json")
    data = json.loads(told.out)
    assert list(data["policies"]) == ["trust", "nothing", "soft"]
    assert data["base"] == "trust"
    assert set(data["efficient"]) <= set(data["policies"])
    assert data["policies"]["soft"] == {
        "status": "SOLVED",
        "message": data["policies"]["soft"]["message"],
        "beliefs": [9],
    }
    row = data["outcomes"][0]
    assert set(row) == {
        "policy",
        "t",
        "period",
        "outcome",
        "happened",
        "error",
        "difference",
        "distinguishable",
        "holds",
        "holds_error",
        "holds_difference",
        "holds_distinguishable",
    }
    assert {row["actor"] for row in data["preferences"]} == {"A", "B"}
    assert "credibility" not in data


def test_comparisons_with_credibility(small: Run) -> None:
    told = small("compare", "soft.yaml", "--credibility")
    assert told.code == 0, told.err
    assert "Which terms would be kept" in told.out
    lines = [line for line in told.out.splitlines() if "no_taking" in line or "thanks" in line]
    assert len(lines) == 2
    data = json.loads(small("compare", "soft.yaml", "--credibility", "--json").out)
    assert list(data["credibility"]) == ["trust", "soft"]
    assert data["credibility"]["trust"]["verdicts"]["no_taking"]["code"] == "KEPT"


def test_unknown_policies_are_told_with_a_hint(small: Run) -> None:
    told = small("compare", "soft.yaml", "--policies", "trusst", "--against", "softt")
    assert told.code == 2
    assert told.out == ""
    assert "--policies: error[unknown-name]: the scenario has no policy 'trusst'" in told.err
    assert "did you mean `trust`?" in told.err
    assert "did you mean `soft`?" in told.err
    told = small("compare", "soft.yaml", "--beliefs", "4")
    assert told.code == 2
    assert "odd number" in told.err


def test_credibility_is_told(small: Run) -> None:
    told = small("credibility", "soft.yaml")
    assert told.code == 0, told.err
    assert "Hard terms: what breaking them once would gain" in told.out
    assert "no_taking: kept out of interest" in told.out
    assert "Soft terms" not in told.out
    told = small(
        "credibility", "soft.yaml", "--policy", "soft", "--hold", "thanks", "--probability", "0.99"
    )
    assert told.code == 0, told.err
    assert "Soft terms: probability that they have been broken within" in told.out
    assert "Hard terms" not in told.out
    assert "What would hold thanks with a probability of 0.99" in told.out
    assert "A cost of " in told.out


def test_credibility_as_json(small: Run) -> None:
    words = ("--policy", "soft", "--hold", "thanks", "--probability", "0.95", "--json")
    data = json.loads(small("credibility", "soft.yaml", *words).out)
    assert data["scenario"]["policy"] == "soft"
    assert data["hard"] == []
    assert data["verdicts"] == {}
    assert data["soft"][0]["term"] == "thanks"
    assert data["hold"]["found"]["code"] == "FOUND"
    assert data["hold"]["kept"] >= 0.95
    data = json.loads(small("credibility", "soft.yaml", "--json").out)
    assert data["verdicts"]["no_taking"]["code"] == "KEPT"
    assert data["hard"][0]["gain"] < 0
    assert "hold" not in data


def test_mistakes_with_credibility(small: Run) -> None:
    for words, message in (
        (("--probability", "0.5"), "--probability: error[missing]"),
        (("--hold", "no_taking", "--probability", "1"), "--probability: error[out-of-range]"),
        (("--hold", "no_takin"), "did you mean `no_taking`?"),
        (("--policy", "trus"), "did you mean `trust`?"),
        (("--policy", "nothing"), "error[no-terms]"),
    ):
        told = small("credibility", "soft.yaml", *words)
        assert told.code == 2, words
        assert message in told.err, words
