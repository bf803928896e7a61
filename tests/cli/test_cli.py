"""The command line: what goes where, exit codes, and what is imported for it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from detente import __version__, library
from detente.cli.main import main
from detente.scenario.schema import json_schema
from detente.solver import solve as solver
from detente.solver.kernels.forward import push
from detente.solver.solution import Status

SMALL = """\
title: A small stand-off
about: Just enough to run.
calendar: {start: 2018-02, period: month, horizon: 2}
actors:
  A: {name: Alphaland, types: {firm: odds, soft: 1 - odds}, precision: 2}
  B: {name: Betaland, precision: 2}
state: {x: {levels: 0..2, start: 0, edge: cut}}
parameters:
  odds: {value: 0.5, range: [0, 1], judgement: a test, about: odds}
  price: {value: {firm: 1, soft: 0.2}, range: [0, 3], judgement: a test, about: of giving}
turns: [A, B]
actions:
  A: {give: {set: {x: +1}, cost: price}, hold: {}}
  B: {take: {set: {x: -1}, accept: duplicate-action}, thank: {}}
payoffs: {A: {flow: x}, B: {terminal: 2 * x}}
terms: {no_taking: {binds: B, forbids: take, unless: x == 2}}
policies: {trust: [no_taking], nothing: []}
policy: trust
outcomes: {given: {when: x >= 1, about: something is given}}
"""


COLOUR = re.compile("\x1b\\[[0-9;]*m")  # CI systems ask for it


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in a folder with `small.yaml` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("detente.solver.ready.missing", lambda game: [])
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")

    def command(*words: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["detente", *words])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        told = capsys.readouterr()
        return Told(code, *(COLOUR.sub("", text) for text in told))

    return command


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=60, **options
    )


# --- what is imported ---

IMPORTED = """
import sys
from detente.cli.main import main
sys.argv = ["detente", *{words!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("IMPORTED", *sorted(sys.modules))
"""


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"numba", "pandas", "numpy", "ruamel"}),
        (["--version"], {"numba", "pandas", "numpy", "ruamel"}),
        (["check", "small.yaml"], {"numba", "pandas"}),
        (["show", "small.yaml"], {"numba", "pandas"}),
        (["export", "small.yaml"], {"numba", "pandas"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_commands_import_what_they_need(words: list[str], heavy: set[str], tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    done = python("-c", IMPORTED.format(words=words), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.rpartition("IMPORTED")[2].split())
    assert "detente.cli.main" in modules
    assert not modules & heavy


def test_importing_the_package_is_light() -> None:
    done = python("-c", "import sys, detente; print(*sys.modules)")
    assert not {"numpy", "numba", "pandas", "detente.scenario"} & set(done.stdout.split())


# --- the whole program ---


def program(*words: str) -> list[str]:
    return [sys.executable, "-m", "detente.cli.main", *words]


def test_data_and_errors_go_apart(tmp_path: Path) -> None:
    done = subprocess.run(
        program("run", "pyonchang-2018"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "pyonchang-2018: error[unknown-name]: there is no such file, and no scenario of that name "
        "in the library\n"
        "  hint: did you mean `pyeongchang-2018` or `pyeongchang-2018-first`? the library has "
        "`bargaining-rounds`, `beer-quiche`, `centipede`, `chain-store`, `crisis-signalling`, "
        "`pyeongchang-2018`, `pyeongchang-2018-first` and `secret-programme`\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize("words", [["show", "pyeongchang-2018"], ["schema"]], ids=lambda w: w[0])
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    with subprocess.Popen(
        program(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) in (0, 1)


def test_wrong_words(run: Run) -> None:
    for words in ([], ["nonsense"], ["run"], ["run", "small.yaml", "--nonsense"]):
        told = run(*words)
        assert told.code == 2, words
        assert not words or (told.out == "" and "Usage: detente" in told.err)
    told = run("run", "small.yaml", "--horizon", "0")
    assert told.code == 2
    assert "--horizon" in told.err


def test_help_and_version(run: Run) -> None:
    told = run("--help")
    assert told.code == 0
    assert told.err == ""
    for command in ("list", "show", "check", "run", "sample", "new", "export", "schema"):
        assert f" {command} " in told.out
        more = run(command, "-h")
        assert more.code == 0
        assert f"Usage: detente {command}" in more.out
    assert run("--version") == Told(0, f"detente {__version__}\n", "")


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("detente.scenario.loader.load", interrupt)
    told = run("show", "small.yaml")
    assert told.code == 130
    assert told.out == ""
    assert "Traceback" not in told.err


# --- list, show, schema ---


def test_list(run: Run) -> None:
    told = run("list")
    assert (told.code, told.err) == (0, "")
    names = [line.split()[0] for line in told.out.splitlines()[1:]]
    assert names == library.names()
    data = json.loads(run("list", "--json").out)
    assert list(data) == library.names()
    assert data["bargaining-rounds"] == "Bargaining under pressure, in rounds"


def test_show(run: Run) -> None:
    told = run("show", "small.yaml", "--set", "price.firm=2.5", "--horizon", "7")
    assert (told.code, told.err) == (0, "")
    for words in (
        "A small stand-off",
        "Just enough to run.",
        "Play is over 7 months, from 2018-02 to 2018-08.",
        "Alphaland",
        "1. A moves",
        "What Betaland can do",
        "B: take",
        "unless x == 2",
        "in force unless another is asked for",
        "something is given",
        "Ledger of assumptions",
        "judgement: a test",
    ):
        assert words in told.out, words
    ledger = [line.split() for line in told.out.splitlines() if line.startswith("price.")]
    assert [line[:5] for line in ledger] == [
        ["price.firm", "2.5", "(changed)", "0", "to"],
        ["price.soft", "0.2", "0", "to", "3"],
    ]


def test_show_json(run: Run) -> None:
    data = json.loads(run("show", "small.yaml", "--json", "--set", "odds=0.25").out)
    assert data["title"] == "A small stand-off"
    assert data["horizon"] == 2
    assert data["overrides"] == {"odds": 0.25}
    assert data["actors"]["A"]["types"] == {"firm": 0.25, "soft": 0.75}
    assert {key: p["terms"] for key, p in data["policies"].items()} == {
        **{"trust": ["no_taking"], "nothing": []}
    }
    assert [p["name"] for p in data["parameters"]] == ["odds", "price.firm", "price.soft"]
    assert data["parameters"][1]["range"] == [0, 3]


@pytest.mark.parametrize("name", library.names())
def test_show_every_scenario_of_the_library(run: Run, name: str) -> None:
    told = run("show", name)
    assert (told.code, told.err) == (0, "")
    assert len(told.out) > 1000
    assert json.loads(run("show", name, "--json").out)["name"] == name


def test_schema(run: Run) -> None:
    told = run("schema")
    assert (told.code, told.err) == (0, "")
    assert json.loads(told.out) == json_schema()


ENDLESS = (
    SMALL.replace("horizon: 2", "horizon: forever")
    .replace(
        "types: {firm: odds, soft: 1 - odds}, precision: 2", "precision: limit, discount: odds"
    )
    .replace("Betaland, precision: 2", "Betaland, precision: 2, discount: 0.9, judgement: a test")
    .replace("{firm: 1, soft: 0.2}", "0.5")
    .replace("turns: [A, B]", "turns: [{who: [A, B]}]")
    .replace("terminal: 2 * x", "flow: 2 * x")
)


def test_show_what_has_no_end(run: Run) -> None:
    Path("endless.yaml").write_text(ENDLESS, encoding="utf-8")
    told = run("show", "endless.yaml")
    assert (told.code, told.err) == (0, "")
    assert "Play goes on forever, month by month, from 2018-02 on." in told.out
    assert "1. A and B choose at the same time\n" in told.out
    assert ["A", "Alphaland", "none", "limit", "0.5"] in map(str.split, told.out.splitlines())
    data = json.loads(run("show", "endless.yaml", "--json").out)
    assert data["horizon"] == "forever"
    assert data["actors"]["A"]["precision"] == "limit"
    assert data["actors"]["B"]["precision"] == 2


# --- check and new ---


def test_check_a_good_file(run: Run) -> None:
    told = run("check", "small.yaml")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "small.yaml: 0 errors, 0 warnings"
    assert [line.split(":")[0] for line in told.out.splitlines()] == [
        "policy trust",
        "policy nothing",
        "small.yaml",
    ]
    assert json.loads(run("check", "small.yaml", "--json").out) == {"errors": 0, "diagnostics": []}


def test_check_a_doubtful_file(run: Run) -> None:
    text = SMALL.replace("unless: x == 2", "when: x > 2").replace(", range: [0, 1]", "")
    Path("doubtful.yaml").write_text(text, encoding="utf-8")
    told = run("check", "doubtful.yaml")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "doubtful.yaml: 0 errors, 2 warnings"
    assert "warning[no-range]" in told.out
    assert "warning[never-binds]" in told.out
    assert told.out.count("  hint: ") == 2


def test_check_a_wrong_file(run: Run) -> None:
    text = SMALL.replace("flow: x}", "flow: y}").replace("policy: trust", "policy: trist")
    Path("wrong.yaml").write_text(text, encoding="utf-8")
    told = run("check", "wrong.yaml")
    assert told.code == 2
    assert told.err == ""
    *lines, last = told.out.splitlines()
    assert last == "wrong.yaml: 2 errors, 0 warnings"
    assert [line.split(": ")[:2] for line in lines if not line.startswith(" ")] == [
        ["wrong.yaml:15:21", "error[unknown-name]"],
        ["wrong.yaml:18:9", "error[unknown-name]"],
    ]
    assert "  hint: did you mean `trust`?" in lines
    data = json.loads(run("check", "wrong.yaml", "--json").out)
    assert data["errors"] == 2
    first = data["diagnostics"][0]
    assert (first["file"], first["line"], first["column"]) == ("wrong.yaml", 15, 21)
    assert (first["severity"], first["code"]) == ("error", "unknown-name")
    # The other commands refuse it in the same words.
    for command in ("show", "run", "sample", "export"):
        assert run(command, "wrong.yaml") == Told(2, "", "\n".join([*lines, ""]))


def test_check_finds_what_shows_only_in_play(run: Run) -> None:
    Path("late.yaml").write_text(SMALL.replace("flow: x}", "flow: 1 / (2 - x)}"), encoding="utf-8")
    told = run("check", "late.yaml")
    assert told.code == 2
    assert "late.yaml:15:21: error[not-finite]" in told.out
    assert "in 2018-03, at x 2" in told.out
    assert told.out.endswith("late.yaml: 1 error, 0 warnings\n")


def test_check_a_file_that_cannot_be_read(run: Run) -> None:
    Path("folder.yaml").mkdir()
    told = run("check", "folder.yaml")
    assert told.code == 2
    assert "folder.yaml: error[file]" in told.out


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_check_several_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("wrong.yaml").write_text(SMALL.replace("flow: x}", "flow: y}"), encoding="utf-8")
    stdin(monkeypatch, SMALL.replace("policy: trust", "policy: trist"))
    told = run("check", "wrong.yaml", "small.yaml", "-")
    assert (told.code, told.err) == (2, "")
    lines = [line for line in told.out.splitlines() if not line.startswith(("  ", "policy "))]
    assert [line.partition("]")[0] for line in lines] == [
        "wrong.yaml:15:21: error[unknown-name",
        "wrong.yaml: 1 error, 0 warnings",
        "small.yaml: 0 errors, 0 warnings",
        "<stdin>:18:9: error[unknown-name",
        "<stdin>: 1 error, 0 warnings",
    ]
    assert run("check", "small.yaml", "small.yaml").code == 0
    data = json.loads(run("check", "wrong.yaml", "small.yaml", "--json").out)
    assert data["errors"] == 1
    alone = json.loads(run("check", "wrong.yaml", "--json").out)
    assert data["files"] == [
        {"file": "wrong.yaml", **alone},
        {"file": "small.yaml", "errors": 0, "diagnostics": []},
    ]


def test_a_scenario_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, SMALL)
    told = run("run", "-", "--beliefs", "5")
    assert (told.code, told.err) == (0, "")
    assert "A small stand-off" in told.out


def test_new(run: Run) -> None:
    told = run("new", "mine.yaml")
    assert (told.code, told.err) == (0, "")
    assert (
        told.out == "Wrote mine.yaml. Next: detente check mine.yaml, then detente run mine.yaml\n"
    )
    text = Path("mine.yaml").read_text(encoding="utf-8")
    assert text == library.starter()
    assert "#" in text
    told = run("check", "mine.yaml")
    assert (told.code, told.err) == (0, "")
    assert told.out.endswith("mine.yaml: 0 errors, 0 warnings\n")
    told = run("run", "mine.yaml", "--beliefs", "5", "--horizon", "2")
    assert (told.code, told.err) == (0, "")


def test_new_overwrites_nothing(run: Run) -> None:
    told = run("new", "small.yaml")
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "small.yaml: error[exists]: the file exists already, and was not written by Detente\n"
        "  hint: give another name, or --force to replace it\n"
    )
    assert Path("small.yaml").read_text(encoding="utf-8") == SMALL
    told = run("new", "nowhere/small.yaml")
    assert (told.code, told.out) == (2, "")
    assert "error[cannot-write]" in told.err


# --- run ---


def test_run(run: Run) -> None:
    told = run("run", "small.yaml", "--beliefs", "9")
    assert (told.code, told.err) == (0, "")
    for words in (
        "A small stand-off",
        "2 months from 2018-02; policy: trust",
        "What happens",
        "something is given",
        "Who does what first",
        "How beliefs move",
        "What it is worth",
        "How good the answer is",
    ):
        assert words in told.out, words
    assert max(len(line) for line in told.out.splitlines()) <= 110


def test_the_first_run_says_why_it_takes_longer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detente.solver.ready.missing", lambda game: [push])
    told = run("run", "small.yaml", "--beliefs", "5", "--json")
    assert told.code == 0
    assert told.err.startswith("Compiling the numerical kernels")
    assert told.err.count("\n") == 1
    assert json.loads(told.out)


def options(run: Run, *words: str) -> dict[str, Any]:
    told = run("run", "small.yaml", "--json", "--beliefs", "9", *words)
    assert told.code == 0, told.err
    data: dict[str, Any] = json.loads(told.out)
    return data


def test_run_json(run: Run) -> None:
    data = options(run, "--threads", "1")
    assert data["scenario"]["name"] == "small"
    assert data["scenario"]["policy"] == "trust"
    assert data["scenario"]["periods"] == 2
    assert data["run"]["detente"] == __version__
    assert data["run"]["beliefs"] == data["run"]["nodes"] == [9, 1]
    assert data["run"]["periods"] == 2
    assert data["status"]["code"] == "SOLVED"
    assert data["certificate"]["residual"] < 1e-9
    assert data["certificate"]["forward_error"] < 1e-10
    assert {row["outcome"] for row in data["outcomes"]} == {"given"}
    assert [row["type"] for row in data["payoffs"]] == ["firm", "soft", ""]
    again = options(run, "--threads", "2")
    assert data["run"].pop("seconds") >= 0
    assert again["run"].pop("seconds") >= 0
    assert data["run"].pop("threads") == 1
    assert again["run"].pop("threads") == 2
    assert data == again


def final(data: dict[str, Any]) -> float:
    rows = [
        r for r in data["outcomes"] if r["A"] == "any" and r["t"] == data["scenario"]["periods"]
    ]
    (row,) = rows
    return float(row["happened"])


def test_run_with_options(run: Run) -> None:
    plain = options(run)
    dear = options(run, "--set", "price=3", "--set", "odds = 0.75")
    assert dear["scenario"]["overrides"] == {"price.firm": 3, "price.soft": 3, "odds": 0.75}
    assert final(dear) < final(plain) - 0.1
    long = options(run, "--horizon", "4")
    assert long["scenario"]["periods"] == 4
    assert final(long) > final(plain)
    free = options(run, "--policy", "")
    assert free["scenario"]["policy"] == ""
    same = options(run, "--policy", "nothing")
    assert same["outcomes"] == free["outcomes"] != plain["outcomes"]
    assert options(run, "--beliefs", "5")["run"]["beliefs"] == [5, 1]


def test_run_says_what_was_changed(run: Run) -> None:
    told = run("run", "small.yaml", "--beliefs", "5", "--set", "odds=0.3", "--policy", "")
    assert told.code == 0
    assert "changed: odds = 0.3" in told.out
    assert "no terms announced" in told.out


def test_run_without_end(run: Run) -> None:
    text = ENDLESS.replace("precision: limit", "judgement: a test, precision: 2")
    Path("endless.yaml").write_text(text, encoding="utf-8")
    told = run("run", "endless.yaml", "--periods", "6")
    assert (told.code, told.err) == (0, "")
    assert "without end from 2018-02; the first 6 months are reported; policy: trust" in told.out
    data = json.loads(run("run", "endless.yaml", "--json").out)
    assert data["scenario"]["periods"] == "forever"
    assert data["run"]["periods"] == 24
    assert data["certificate"]["change"] < 1e-9
    assert data["status"]["notes"]
    assert max(row["t"] for row in data["outcomes"]) == 24
    told = run("run", "endless.yaml", "--horizon", "3")
    assert (told.code, told.err) == (0, "")
    assert "3 months from 2018-02; policy: trust" in told.out
    told = run("run", "small.yaml", "--periods", "6")
    assert (told.code, told.out) == (2, "")
    assert "--periods: error[not-here]" in told.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "prise=3"], "--set: error[unknown-name]: `prise` is not a parameter"),
        (["--set", "odds"], "--set: error[wrong-type]: `odds` has no `=`"),
        (["--set", "odds=much"], "--set: error[wrong-type]: `odds=much` does not give a number"),
        (["--set", "odds=2"], "error[priors]"),
        (["--set", "odds=nan"], "--set: error[wrong-type]"),
        (["--policy", "distrust"], "--policy: error[unknown-name]"),
        (["--beliefs", "8"], "--beliefs: error[out-of-range]"),
        (["--beliefs", "3"], "--beliefs: error[out-of-range]"),
        (["--horizon", "100000"], "Invalid value for '--horizon'"),
    ],
)
def test_wrong_options(run: Run, words: list[str], message: str) -> None:
    told = run("run", "small.yaml", *words)
    assert (told.code, told.out) == (2, "")
    assert message in told.err


def test_a_value_outside_its_range_is_told(run: Run) -> None:
    told = run("run", "small.yaml", "--beliefs", "5", "--set", "price.soft=9")
    assert told.code == 0
    assert told.err == (
        "--set: warning[out-of-range]: the value of `price.soft`, 9, is outside its range [0, 3]\n"
    )


def test_a_game_that_is_not_solved(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "status_of", lambda *_: Status.INACCURATE)
    told = run("run", "small.yaml", "--beliefs", "5")
    assert told.code == 1
    assert "Not solved: some responses differ" in told.out


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["run"], False),
        (["compare"], False),
        (["compare", "--credibility"], False),
        (["credibility"], False),
        (["sensitivity", "--outcome", "given"], False),
        (["threshold", "--outcome", "given", "--at", "0.5", "-p", "odds", "--points", "4"], False),
        (["track", "moves.csv"], False),
        (["run", "--json"], True),
        (["compare", "--json"], True),
        (["sample"], True),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_an_unsolved_game_is_told_first(
    words: list[str], kept: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first line of text, and on stderr, where it is also seen if stdout goes to a file."""
    Path("moves.csv").write_text("date,actor,move\n2018-02,A,give\n", encoding="utf-8")
    monkeypatch.setattr(solver, "status_of", lambda *_: Status.INACCURATE)
    monkeypatch.setenv("COLUMNS", "300")
    command, *rest = words
    told = run(command, "small.yaml", "--beliefs", "5", *rest)
    assert told.code == 1
    assert told.err.startswith("error: not solved: ")
    assert told.out.startswith("NOT SOLVED: ") != kept


def test_a_game_that_needs_too_much_memory(run: Run) -> None:
    told = run("run", "small.yaml", "--beliefs", "1000000000001")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("error: solving ")
    assert "GiB of memory" in told.err
    assert "\nhint: " in told.err


# --- sample and export ---


def test_sample(run: Run) -> None:
    told = run("sample", "small.yaml", "--draws", "3", "--seed", "4", "--beliefs", "9")
    assert (told.code, told.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert list(rows[0])[:6] == ["draw", "t", "period", "turn", "actor", "action"]
    assert {row["draw"] for row in rows} == {"0", "1", "2"}
    more = run("sample", "small.yaml", "--draws", "4", "--seed", "4", "--beliefs", "9")
    assert more.out.startswith(told.out)
    other = run("sample", "small.yaml", "--draws", "3", "--seed", "5", "--beliefs", "9")
    assert other.out != told.out
    words = ["--draws", "3", "--seed", "4", "--beliefs", "9", "--json"]
    data = json.loads(run("sample", "small.yaml", *words).out)
    assert len(data) == len(rows)
    for row, told_row in zip(rows, data, strict=True):
        assert list(row) == list(told_row)
        for key, value in told_row.items():
            plain = isinstance(value, str | bool)
            assert row[key] == str(value) if plain else float(row[key]) == value


def test_export(run: Run) -> None:
    told = run("export", "small.yaml", "--horizon", "1")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith('EFG 2 R "A small stand-off" { "Alphaland" "Betaland" }\n')
    assert run("export", "small.yaml", "--horizon", "1", "-o", "-") == told
    done = run("export", "small.yaml", "--horizon", "1", "--output", "small.efg")
    assert done == Told(0, "", "Wrote small.efg.\n")
    assert Path("small.efg").read_text(encoding="utf-8") == told.out
    assert run("export", "small.yaml", "--policy", "").out != told.out


def test_export_refuses(run: Run) -> None:
    told = run("export", "small.yaml", "--max-nodes", "5")
    assert (told.code, told.out) == (1, "")
    assert "nodes; at most 5 are written\nhint: " in told.err
    told = run("export", "small.yaml", "--output", "nowhere/small.efg")
    assert (told.code, told.out) == (2, "")
    assert "nowhere/small.efg: error[cannot-write]" in told.err
    told = run("export", "pyeongchang-2018-first")
    assert told.code == 1
    assert "nodes; at most 200,000 are written" in told.err
