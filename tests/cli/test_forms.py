"""What a file says of uncertainty, at the command line: options by `--set`, `check`, `show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import SMALL, Run, run  # noqa: F401 (a fixture)

FORMS = """\
correlations:
  - {between: [price.firm, price.soft], rank: 0.5, about: dear for all, judgement: a test}
variants:
  order:
    about: who is first
    judgement: a test
    options:
      as_reported: {weight: 3}
      betaland_first: {about: as rumoured, change: {turns: [B, A]}}
"""


@pytest.fixture
def forms(run: Run) -> Run:  # noqa: F811
    """`run`, in a folder with `forms.yaml`: the small scenario with two forms."""
    text = SMALL.replace(
        "range: [0, 3], j", "range: [0, 3], range_reason: wide, draw: triangular, j"
    )
    text = text.replace("precision: 2}\n  B", "precision: 2, concentration: 8}\n  B")
    Path("forms.yaml").write_text(text + FORMS, encoding="utf-8")
    return run


def test_an_option_is_set_like_a_value(forms: Run) -> None:
    words = ("forms.yaml", "--set", " order = betaland_first ", "--set", "odds=0.25")
    told = forms("run", *words, "--beliefs", "5")
    assert (told.code, told.err) == (0, "")
    assert "changed: order = betaland_first, odds = 0.25" in told.out
    data = json.loads(forms("run", *words, "--beliefs", "5", "--json").out)
    assert data["scenario"]["options"] == {"order": "betaland_first"}
    assert data["scenario"]["overrides"] == {"odds": 0.25}
    by_hand = Path("forms.yaml").read_text(encoding="utf-8").replace("[A, B]", "[B, A]")
    Path("hand.yaml").write_text(by_hand, encoding="utf-8")
    same = forms("run", "hand.yaml", "--set", "odds=0.25", "--beliefs", "5", "--json").out
    assert json.loads(same)["outcomes"] == data["outcomes"]
    plain = json.loads(
        forms("run", "forms.yaml", "--set", "odds=0.25", "--beliefs", "5", "--json").out
    )
    assert plain["scenario"]["options"] == {}
    assert plain["outcomes"] != data["outcomes"]


@pytest.mark.parametrize("command", ["compare", "credibility", "show"])
def test_other_commands_take_options(forms: Run, command: str) -> None:
    more = [] if command == "show" else ["--beliefs", "5"]
    told = forms(command, "forms.yaml", "--set", "order=betaland_first", "--json", *more)
    assert (told.code, told.err) == (0, "")
    data = json.loads(told.out)
    assert (data if command == "show" else data["scenario"])["options"] == {
        "order": "betaland_first"
    }


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            "order=betaland",
            "`betaland` is not an option of `order`",
            "did you mean `betaland_first`",
        ),
        ("order=", "`` is not an option of `order`", "`as_reported` and `betaland_first`"),
        ("order", "`order` has no `=`", "--set order=betaland_first"),
        ("ordr=other", "does not give a number", "--set order=betaland_first"),
    ],
)
def test_options_that_are_not_there(forms: Run, words: str, message: str, hint: str) -> None:
    told = forms("show", "forms.yaml", "--set", words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("--set: error[")
    assert message in told.err
    assert hint in told.err


def test_check_looks_at_every_form(forms: Run) -> None:
    told = forms("check", "forms.yaml")
    assert (told.code, told.err) == (0, "")
    assert [line.split(":")[0] for line in told.out.splitlines()] == [
        "policy trust",
        "policy nothing",
        "policy trust, order = betaland_first",
        "policy nothing, order = betaland_first",
        "forms.yaml",
    ]
    change = "change: {actions: {A: {give: {set: {x: 3 / x}}}}}"
    text = Path("forms.yaml").read_text(encoding="utf-8").replace("change: {turns: [B, A]}", change)
    Path("wrong.yaml").write_text(text, encoding="utf-8")
    told = forms("check", "wrong.yaml")
    assert told.code == 2
    line, column = len(text.splitlines()), text.splitlines()[-1].index("3 / x") + 1
    assert f"wrong.yaml:{line}:{column}: error[not-finite]" in told.out
    assert told.out.endswith("wrong.yaml: 1 error, 0 warnings\n")


def test_show_tells_what_is_drawn(forms: Run) -> None:
    told = forms("show", "forms.yaml", "--set", "order=betaland_first")
    for words in (
        "(concentration 8)",
        "0 to 1, drawn with the prior of A",
        "0 to 3, triangular",
        "range: wide",
        "Numbers that go together",
        "price.firm, price.soft",
        "Other forms of the model",
        "order=as_reported",
        "75 %",
        "changes turns",
        "chosen",
    ):
        assert words in told.out, words
    data = json.loads(forms("show", "forms.yaml", "--json").out)
    assert data["actors"]["A"]["concentration"] == 8
    assert data["actors"]["B"]["concentration"] is None
    assert [(p["draw"], p["range_reason"]) for p in data["parameters"]] == [
        ("dirichlet", ""),
        ("triangular", "wide"),
        ("triangular", "wide"),
    ]
    (one,) = data["correlations"]
    assert (one["between"], one["rank"]) == (["price.firm", "price.soft"], 0.5)
    assert data["variants"]["order"]["options"]["betaland_first"] == {
        **{"weight": 1, "about": "as rumoured", "change": ["turns"]}
    }
