"""What is printed fits its page: no word or number is broken, no line ends with spaces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detente.cli import complete, console
from detente.describe.blocks import Code, Details, Heading, Points, text
from detente.describe.tables import Cell, Link, Table
from detente.render.layout import layout
from detente.render.terminal import print_blocks, print_table, print_text
from tests.cli.test_cli import SMALL, Run, program, run

__all__ = ["run"]

TABLE = Table(
    ("outcome", "1 month", "6 months", ""),
    (
        ("normalisation", "12.3 %", "45 % (12 – 80)", "both have opened their embassies again"),
        ("war", "<0.1 %", "1 % (0 – 3)", "a thousand dead"),
    ),
    numbers=(1, 2),
)


def words(lines: list[str]) -> set[str]:
    return {word for line in lines for word in line.split()}


@pytest.mark.parametrize("columns", [110, 80, 60, 50, 40, 20, 5])
def test_tables_break_no_words(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_table(TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert words(lines) == words(
        [*TABLE.header, *(str(cell) for row in TABLE.rows for cell in row)]
    )
    for number in ("12.3 %", "45 % (12 – 80)", "<0.1 %", "1 % (0 – 3)"):
        assert any(number in line for line in lines), number
    assert all(line == line.rstrip() for line in lines)
    if columns >= 40:
        assert max(map(len, lines)) <= columns
    if columns <= 40:  # the numbers went below each other, each beside its name
        assert sum("normalisation" in line for line in lines) > 1


def test_a_table_with_room_is_as_wide_as_its_text() -> None:
    cells = [list(map(str, row)) for row in (TABLE.header, *TABLE.rows)]
    ((columns, widths, gap),) = layout(cells, TABLE.numbers, 200)
    assert (columns, widths, gap) == ([0, 1, 2, 3], [13, 7, 14, 38], 4)


def test_columns_are_those_of_the_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, expected in (("", 110), ("80", 80), ("wide", 110), ("0", 110)):
        monkeypatch.setenv("COLUMNS", given)
        print_text("word " * 100)
        assert max(map(len, capsys.readouterr().out.splitlines())) in range(expected - 5, expected)


def test_blocks_one_below_the_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    scale = Cell(mark=0.5, level=1.0)
    rows = (("a", Cell("judged", links=(Link("seen", "#e-seen"),))), ("b", scale))
    print_blocks(
        (
            Heading("What happens"),
            Table(("", "rests on"), rows, caption="By name"),
            Table(("x",), (("1",),), numbers=(0,), caption="Once more"),
            Heading("Actions"),
            Points((("ease", ("lower it", "cost: 2")), ("hold", ("",)))),
            Details("Not here", (text("folded"),)),
            text("A paragraph.", ""),
            Code("detente run"),
        )
    )
    assert capsys.readouterr().out.splitlines() == [
        "",
        "What happens: by name",
        "     rests on",
        "a    seen; judged",
        f"b    {' ' * 20}o{' ' * 20}|",
        "",
        "Once more",
        "x",
        "1",
        "",
        "Actions",
        "  ease: lower it",
        "      cost: 2",
        "  hold",
        "  A paragraph.",
        "detente run",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["show", "small.yaml"],
        ["run", "small.yaml", "--beliefs", "5"],
        ["compare", "small.yaml", "--beliefs", "5"],
        ["credibility", "small.yaml", "--beliefs", "5"],
        ["sensitivity", "small.yaml", "--beliefs", "5", "--outcome", "given"],
        ["check", "small.yaml"],
    ],
    ids=lambda command: str(command[0]),
)
@pytest.mark.parametrize("columns", ["80", "110"])
def test_lines_fit_and_have_no_spaces_at_their_end(
    command: list[str], columns: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    told = run(*command)
    assert told.code == 0
    for line in told.out.splitlines():
        assert line == line.rstrip()
        assert len(line) <= int(columns)


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    words = program("sample", "small.yaml", "--beliefs", "5", "--draws", "10000000")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline().startswith("draw,t,")
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


@pytest.mark.skipif(os.name == "nt", reason="a signal to one process")
@pytest.mark.parametrize("form", ["csv", pytest.param("json", marks=pytest.mark.slow)])
def test_interrupted_rows_are_whole(form: str, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    words = ["sample", "small.yaml", "--beliefs", "5", "--draws", "10000000"]
    out = tmp_path / "out"
    with out.open("w") as stream:
        more = ["--json"] if form == "json" else []
        process = subprocess.Popen(
            program(*words, *more), cwd=tmp_path, stdout=stream, stderr=subprocess.PIPE
        )
        end = time.monotonic() + 60
        while not out.stat().st_size and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    text = out.read_text(encoding="utf-8")
    assert text.endswith("\n")
    if form == "json":
        import json

        assert len(json.loads(text)) > 1000
    else:
        cells = {len(line.split(",")) for line in text.splitlines()}
        assert len(cells) == 1


# ---- what takes long


def test_what_takes_long_says_so_once_and_how_far_it_came(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("detente.cli.console.time.monotonic", lambda: now[0])

    def interrupted() -> None:
        with console.progress("Solving") as report:
            for second, share in enumerate([0.0, 0.001, 0.003, 0.005, 0.007, 0.37]):
                now[0] = 100.0 + second
                report(share)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "Solving takes about 8 min; Ctrl-C stops it.",
        "Solving: stopped after 5.0 s, 37 % done.",
    ]
    assert not captured.out
    with console.progress("Solving") as report:
        for share in (0.1, 0.2, 1.0):
            now[0] += 3.0
            report(share)
    assert not capsys.readouterr().err


# ---- completion


def test_scenarios_and_files_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bargain.yaml").write_text("", encoding="utf-8")
    (tmp_path / "barely.txt").write_text("", encoding="utf-8")
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "small.yml").write_text("", encoding="utf-8")
    assert complete.scenario("bar") == ["bargaining-rounds", "bargain.yaml", "bars/"]
    assert complete.scenario("bars/") == ["bars/small.yml"]
    assert complete.scenario("nowhere/x") == []


COMPLETE = """
import sys
from detente.cli.main import main
sys.argv = ["detente"]
try:
    main()
except SystemExit:
    pass
assert not {"numba", "pandas", "numpy"} & set(sys.modules)
"""


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("detente run pyeong", ["pyeongchang-2018", "pyeongchang-2018-first"]),
        ("detente run small.yaml --policy tr", ["trust"]),
        ("detente run wrong.yaml --policy tr", []),
        ("detente sensitivity small.yaml --outcome ", ["given"]),
    ],
)
def test_the_shell_is_offered_words(line: str, offered: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("title: 1", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE if "--" not in line else COMPLETE.partition("assert")[0]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env={
            **os.environ,
            "_DETENTE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        },
    )
    assert done.stderr == ""
    assert done.stdout.split() == offered
