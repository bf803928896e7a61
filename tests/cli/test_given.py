"""`detente run --given`: what is printed under conditions, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_cli import Run, run  # noqa: F401 (a fixture)


def outcome(run: Run, *words: str) -> tuple[dict[str, float], dict[str, object]]:  # noqa: F811
    told = run("run", "small.yaml", "--json", *words)
    assert told.code == 0, told.err
    data = json.loads(told.out)
    (row,) = [
        row
        for row in data["outcomes"]
        if row["t"] == 2 and row["outcome"] == "given" and row.get("A", "any") == "any"
    ]
    return row, data


def test_types_weigh_up_to_the_whole(run: Run) -> None:  # noqa: F811
    (plain, _), (firm, _), (soft, _) = (
        outcome(run, *words) for words in ((), ("--given", "A=firm"), ("--given", "A=soft"))
    )
    assert firm["happened"] < soft["happened"]
    for name in ("happened", "holds"):
        assert (firm[name] + soft[name]) / 2 == pytest.approx(plain[name], abs=1e-12)


def test_what_has_come_about_is_certain(run: Run) -> None:  # noqa: F811
    plain, _ = outcome(run)
    given, data = outcome(run, "--given", "given")
    assert given["happened"] == pytest.approx(1, abs=1e-12)
    assert given["holds"] == pytest.approx(plain["holds"] / plain["happened"], abs=1e-12)
    assert "audit" not in data
    told = run("run", "small.yaml", "--given", "A=firm", "--given", "given")
    assert "given that Alphaland is firm and" in told.out
    assert "How far it can be defended" not in told.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("A=hard",), "--given: error[unknown-name]: there is no type of A `hard`"),
        (("B=hard",), "--given: error[unknown-name]"),
        (("gven",), "did you mean `given`?"),
        (("C=firm",), "there is no actor `C`"),
        (("A=firm", "A=soft"), "--given: error[duplicate-name]: an actor has one true type"),
    ],
)
def test_what_cannot_be_given(run: Run, words: tuple[str, ...], message: str) -> None:  # noqa: F811
    told = run("run", "small.yaml", *(word for text in words for word in ("--given", text)))
    assert told.code == 2
    assert message in told.err
