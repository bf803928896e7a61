"""The documentation does what it says: blocks are run, and what they print is what stands there.

Each file is run from top to bottom in a folder of its own, in one Python namespace. What follows
the language of a block says what becomes of it:

=====================  ===================================================================
``yaml file=NAME``     is written to NAME; a whole scenario (with a title) has to load
``yaml add=NAME``      is added to NAME
``csv file=NAME``      is written to NAME
``diff from=A to=B``   B is A with each `-` line replaced by the `+` line after it
``sh``                 its `detente` commands are run
``console``            the same, for lines after `$ `; the other lines have to be printed by the
                       command above them, in this order; `…` stands for lines left out
``exit=2``             (after sh or console) the commands end with this exit code
``long``               the commands are run over one period with few beliefs, and the output is
                       not compared; with DETENTE_DOCS=long they are run and compared in full
``python``             is run; a ``text`` block right after it has to be what it prints
=====================  ===================================================================

Spaces are compared as one space, and figures such as 2.5e-13 or a running time not at all.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

import detente
from detente import library
from detente.cli.main import app, main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
SLOW = (
    "README",
    "audit",
    "cookbook",
    "ensembles",
    "estimation",
    "from-an-article",
    "library",
    "policies",
    "pyeongchang-2018",
    "pyeongchang-2018-first",
    "pyeongchang-2018-record",
    "python",
    "report",
    "secret-programme",
    "solving",
    "study-pyeongchang-2018",
    "tipping-points",
    "tracking",
)
"""Pages that are run with `--full` only."""
LONG = os.environ.get("DETENTE_DOCS") == "long"
SHORT = ("--horizon", "1", "--beliefs", "5")
"""Added to commands that are marked as long."""
SHORTENED = (
    "audit",
    "compare",
    "credibility",
    "ensemble",
    "report",
    "run",
    "sample",
    "threshold",
    "track",
)
FEWER = {"ensemble": ("--draws", "4", "--checked", "1")}


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is that of its first line of text; `info` has what follows ```."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str
    after: bool  # nothing but empty lines between this block and the one before

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""

    def option(self, name: str) -> str | None:
        """The value of `name=value` in the info string."""
        values = (word.partition("=")[2] for word in self.info if word.startswith(f"{name}="))
        return next(values, None)

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    start, info, kept, clear = 0, "", [], False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if not start and line.startswith("```"):
            start, info, kept = number + 1, line[3:], []
        elif start and line.rstrip() == "```":
            yield Block(page, start, tuple(info.split()), "\n".join(kept) + "\n", clear)
            start, clear = 0, True
        elif start:
            kept.append(line)
        elif line.strip():
            clear = False
    assert not start, f"{page.name}:{start}: the block does not end"


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


# ---- running


@dataclass
class Runner:
    """Runs the blocks of one page in `folder`."""

    folder: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__docs__"})
    printed: str = ""

    def run(self, block: Block) -> None:
        kind = block.language
        if kind in ("yaml", "csv"):
            self.write(block)
        elif kind == "diff":
            self.change(block)
        elif kind in ("sh", "console"):
            self.shell(block)
        elif kind == "python":
            self.python(block)
        elif kind == "text" and block.after and self.printed:
            compare(block, block.text.splitlines(), self.printed)
        if kind != "python":
            self.printed = ""

    def write(self, block: Block) -> None:
        name, add = block.option("file"), block.option("add")
        if block.language == "yaml":
            YAML(typ="safe", pure=True).load(block.text)  # a part of a file is YAML as well
        if name or add:
            with (self.folder / (name or add or "")).open("a" if add else "x") as out:
                out.write(block.text)
        elif re.search(r"^title:", block.text, re.M):
            detente.loads(block.text, file=str(block))

    def change(self, block: Block) -> None:
        text = (self.folder / (block.option("from") or "")).read_text()
        lines = block.text.splitlines()
        for old, new in zip(lines[::2], lines[1::2], strict=True):
            assert old[0] == "-", f"{block}: {old}"
            assert new[0] == "+", f"{block}: {new}"
            assert text.count(f"{old[1:]}\n") == 1, f"{block}: {old}"
            text = text.replace(f"{old[1:]}\n", f"{new[1:]}\n")
        (self.folder / (block.option("to") or "")).write_text(text)

    def python(self, block: Block) -> None:
        # As many empty lines before it as there are in the page: a traceback names the line there.
        code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
        out = io.StringIO()
        with redirect_stdout(out):
            exec(code, self.names)
        self.printed = out.getvalue()

    def shell(self, block: Block) -> None:
        commands: list[tuple[str, list[str]]] = []
        for line in block.text.splitlines():
            if block.language == "sh" or line.startswith("$ "):
                commands.append((line.removeprefix("$ "), []))
            else:
                assert commands, f"{block}: output before the first command"
                commands[-1][1].append(line)
        short = "long" in block.info and not LONG
        for command, shown in commands:
            words = shlex.split(command, comments=True)
            if words[:2] == ["python3", "scripts/env.py"]:
                words = words[2:]
            if words[:1] != ["detente"]:
                continue
            code, out = self.detente(words[1:], short and words[1] in SHORTENED)
            told = f"{block}: detente {' '.join(words[1:])}\n{out}"
            assert code == int(block.option("exit") or 0), told
            if block.language == "console" and not short:
                compare(block, shown, out)

    def detente(self, words: list[str], short: bool) -> tuple[int, str]:
        """Exit code and output (errors first) of a command; `> FILE` is obeyed."""
        target = None
        if ">" in words:
            words, target = words[: words.index(">")], words[words.index(">") + 1]
        out, err = io.StringIO(), io.StringIO()
        saved, sys.argv = sys.argv, ["detente", *words]
        if short:
            sys.argv += [*SHORT, *FEWER.get(words[0], ())]
        code: object = 0
        try:
            with redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            sys.argv = saved
        if target:
            (self.folder / target).write_text(out.getvalue())
            return int(str(code)), err.getvalue()
        return int(str(code)), err.getvalue() + out.getvalue()


def plain(line: str) -> str:
    """A line without what may differ from run to run and from machine to machine."""
    line = re.sub(r"\d+(\.\d+)?e-\d+", "#", " ".join(line.split()))
    return re.sub(r"\d+\.\d+ s on \d+ threads", "# s", line)


def compare(block: Block, shown: list[str], printed: str) -> None:
    """Fails unless the lines shown are those printed; `…` stands for any number of lines."""
    actual = [plain(line) for line in printed.splitlines() if line.strip()]
    at, anywhere = 0, False
    for line in (plain(line) for line in shown if line.strip()):
        if line == "…":
            anywhere = True
            continue
        found = actual.index(line, at) if anywhere and line in actual[at:] else at
        assert found < len(actual), f"{block}: {line!r} is not printed:\n{printed}"
        assert actual[found] == line, f"{block}: {line!r} is not printed:\n{printed}"
        at, anywhere = found + 1, False
    if shown:
        assert anywhere or at == len(actual), f"{block}: there is more to show:\n{printed}"


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """Whether a page takes long, and whether it asks Gambit."""
    asks = "import pygambit" in page.read_text(encoding="utf-8")
    return [pytest.mark.slow] * (page.stem in SLOW) + [pytest.mark.gambit] * asks


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.name, marks=marks(page)) for page in PAGES]
)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = Runner(tmp_path)
    for block in blocks(page):
        runner.run(block)


# ---- what the pages name is there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_stand_where_they_are_run(page: Path) -> None:
    for block in blocks(page):
        if block.language not in ("sh", "console"):
            assert not re.search(r"^(\$ )?detente [a-z]", block.text, re.M), str(block)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ +(.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {target}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert page.name == "index.md" or f"({page.name}" in index, page.name


def test_every_scenario_of_the_library_is_told() -> None:
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert [name for name in library.names() if f"`{name}`" not in text] == []


def test_every_command_is_told() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert [name for name in commands if f"detente {name}" not in text] == []


def test_every_name_of_the_package_is_told() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = [name for name in detente.__all__ if not name.startswith("__")]
    assert [name for name in names if f"`{name}" not in text and f".{name}(" not in text] == []


def test_tests_that_are_named_exist() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("tests/**/*.py"))
    there = set(re.findall(r"^def (test_\w+)", tests, re.M))
    for name in library.names():  # a parameter may be called like a test
        there |= detente.load(name).parameters.keys()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"`(test_\w+)`", text))
        named |= {f"test_{name}" for name in re.findall(r"`(m\d+_\w+)`", text)}
        assert named <= there, f"{page.name}: {sorted(named - there)}"


def test_versions_agree() -> None:
    citation = YAML(typ="safe", pure=True).load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == detente.__version__
    assert {"title", "message", "authors", "license", "type"} <= citation.keys()
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{detente.__version__}]" in changes
