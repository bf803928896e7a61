"""Text from files, paths and records: shown, not obeyed; refused in names; harmless in tables."""

from __future__ import annotations

import ast
import csv
import io
import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import detente
from detente.cli.sample import write_csv
from detente.errors import ScenarioError
from detente.text import as_cell, escaped_json, hidden_in, on_one_line, shown
from tests.cli.test_cli import SMALL, Told, run

__all__ = ["run"]  # the fixture

Run = Callable[..., Told]

ATTACKS = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x9b31m",
    "\x08\x08",
    "\x7f",
    "\r",
    "\u202e",
    "\u2066",
    "\u200f",
    "\u061c",
    "\u2028",
    "\x85",
    "\0",
]


DIRECTIONS = frozenset(("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"))


def acts(text: str) -> bool:
    """Whether text has a character that a terminal obeys, by Unicode's own tables."""
    return any(
        unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")
        or unicodedata.bidirectional(c)
        in ["LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"]
        or c in "\u061c\u200e\u200f"
        for c in text
        if c not in "\n\t"
    )


@pytest.mark.slow
def test_every_character_that_acts_is_written_out() -> None:
    for code in range(sys.maxunicode + 1):
        text = chr(code)
        assert not acts(shown(text))
        if acts(text):
            assert shown(text) != text
            assert hidden_in(text) == f"U+{code:04X}"
    assert shown("\x1b[31m\r\n\tü – \u202e𝛉") == "\\x1b[31m\\x0d\n\tü – \\u202e𝛉"
    assert on_one_line("a\nb\tc") == "a\\nb\\tc"


def test_json_says_the_same() -> None:
    data = {"a": "".join(ATTACKS) + "\ud83d \U000e0041 é"}
    text = escaped_json(json.dumps(data, ensure_ascii=False))
    assert not acts(text)
    assert json.loads(text) == data
    assert "é" in text


# --- refused ---


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a not in "\0\r\x85\u2028"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A small stand-off", 'title: "a{}b"'),
        ("name: Alphaland", 'name: "a{}b"'),
        ("nothing: []", '"a{}b": []'),
        ("hold: {}", 'hold: {also: ["a{}b"]}'),
    ],
)
def test_names_and_titles_hold_nothing_hidden(attack: str, old: str, new: str) -> None:
    assert old in SMALL
    escape = "".join(f"\\u{ord(c):04x}" if ord(c) > 126 or ord(c) < 32 else c for c in attack)
    escape = escape.replace("\x7f", "\\u007f")
    text = SMALL.replace(old, new.replace("{}", escape))
    with pytest.raises(ScenarioError) as caught:
        detente.loads(text)
    (one,) = caught.value.diagnostics
    assert one.code == "control-character"
    assert hidden_in(attack) in one.message
    assert one.place.line > 0


# --- shown ---

HOSTILE = "x\x1b[2J\x9bA\u202eB"


def told_nothing_raw(told: Told) -> None:
    for text in (told.out, told.err):
        assert not acts(text), text


@pytest.mark.slow
def test_nothing_of_a_file_reaches_the_terminal_raw(run: Run, tmp_path: Path) -> None:
    said = json.dumps(HOSTILE)  # YAML reads these escapes as JSON does
    text = SMALL.replace("about: something is given", f"about: {said}")
    text = text.replace(
        "about: Just enough to run.", f"about: {said}\nsource: {said}\nnotes: [{said}]"
    )
    text = text.replace("judgement: a test", f"judgement: {said}")
    file = tmp_path / "hostile\x1b[31m\u202e.yaml"
    file.write_text(text, encoding="utf-8")
    record = tmp_path / "hostile\x1b[31m.csv"
    record.write_text(
        f'date,actor,move,action,note\n2018-02,A,"{HOSTILE}",give,"{HOSTILE}"\n', encoding="utf-8"
    )
    for words in (
        ["show", file.name],
        ["show", file.name, "--json"],
        ["check", file.name],
        ["check", file.name, "--json"],
        ["run", file.name],
        ["run", file.name, "--json"],
        ["track", file.name, record.name],
        ["track", file.name, record.name, "--json"],
        ["export", file.name, "--horizon", "1"],
        ["report", file.name, "-o", "page\x1b.html", "--moves", record.name],
    ):
        told = run(*words)
        assert told.code == 0, told.err
        told_nothing_raw(told)
    assert not acts((tmp_path / "page\x1b.html").read_text("utf-8"))


def test_nor_what_is_wrong_with_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    said = json.dumps(HOSTILE)
    file.write_text(
        SMALL.replace("flow: x", f"flow: {said}").replace("odds: {", f"{said}: {{")
        + f"{said}: 1\n",
        encoding="utf-8",
    )
    (tmp_path / "wrong.csv").write_text(
        f'date,actor,move\n{HOSTILE},A,give\n2018-02,"{HOSTILE}",x\n2018-02,A,"{HOSTILE}"\n',
        encoding="utf-8",
    )
    for words in (
        ["check", "wrong.yaml"],
        ["check", "wrong.yaml", "--json"],
        ["track", "small.yaml", "wrong.csv"],
        ["track", "small.yaml", HOSTILE],
        ["run", HOSTILE],
        ["run", f"{HOSTILE}\nforged: error"],
        ["run", "small.yaml", "--set", f"{HOSTILE}=1"],
        ["run", "small.yaml", "--policy", HOSTILE],
        ["run", "small.yaml", "--seed", HOSTILE],
        ["run", "small.yaml", f"--{HOSTILE}"],
        ["run", "small.yaml", HOSTILE],
        [HOSTILE],
        ["sensitivity", "small.yaml", "--outcome", HOSTILE],
        ["report", "small.yaml", "-o", f"{HOSTILE}/page.html"],
        ["explore", HOSTILE],
    ):
        told = run(*words)
        assert told.code == 2, (words, told)
        told_nothing_raw(told)
        assert "\nforged" not in told.err


def test_commands_print_by_the_console_alone() -> None:
    """So that nothing goes to the terminal as it is: see `console.say`."""
    for path in (Path(detente.__file__).parent / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and path.name != "console.py":
                name = ast.unparse(node.func)
                assert name not in ("print", "typer.echo", "json.dump"), f"{path}:{node.lineno}"


# --- tables for spreadsheets ---


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-a", "@SUM(A1)", "\tx", "\rx", "-1+2"])
def test_formulas_become_text(cell: str) -> None:
    assert as_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=b", "-1", "+2.5", "-1e-3", -1.5, 3, None])
def test_other_cells_stay(cell: object) -> None:
    assert as_cell(cell) == cell


def test_a_table_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.DataFrame({"=a": [-1, 2], "b": ["=x", "-2"], "c": [-0.5, 0.25]})
    write_csv([table])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["'=a", "b", "c"], ["-1", "'=x", "-0.5"], ["2", "-2", "0.25"]]
