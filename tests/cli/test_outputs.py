"""Outputs replace neither inputs nor what was not written here; they are whole or not there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detente import files
from detente.errors import ScenarioError
from detente.library import starter
from tests import effort
from tests.cli.test_cli import SMALL, Told, program, run

__all__ = ["run"]  # the fixture

Run = Callable[..., Told]

CURVE = ("threshold", "small.yaml", "-p", "price.firm", "--outcome", "given", "--at", "0.5")
COMMANDS = {
    "report": ("report", "small.yaml", "-o"),
    "export": ("export", "small.yaml", "--horizon", "1", "-o"),
    "new": ("new",),
    "threshold": (*CURVE, "--points", "4", "--plot"),
    "track": ("track", "small.yaml", "moves.csv", "--plot"),
}
ENDING = {"report": ".html", "export": ".efg", "new": ".yaml"}


def ending(command: str) -> str:
    return ENDING.get(command, ".svg")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "moves.csv"
    path.write_text("date,actor,move\n2018-02,A,give\n", encoding="utf-8")
    return path


# --- inputs ---


def link(source: Path, name: Path) -> None:
    name.symlink_to(source)


def hard_link(source: Path, name: Path) -> None:
    name.hardlink_to(source)


def input_of(command: str) -> str:
    return "moves.csv" if command == "track" else "small.yaml"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "new"])
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("make", [link, hard_link])
def test_no_output_replaces_an_input(
    run: Run, record: Path, tmp_path: Path, command: str, force: bool, make: Callable[..., None]
) -> None:
    given = tmp_path / input_of(command)
    before = given.read_bytes()
    name = f"other{ending(command)}"
    make(given, tmp_path / name)
    told = run(*COMMANDS[command], name, *(["--force"] if force else []))
    assert told.code == 2
    assert told.err.splitlines()[-2:] == [
        f"{name}: error[exists]: it is read for this, and would be lost",
        "  hint: give another name",
    ]
    assert given.read_bytes() == before


@pytest.mark.parametrize("name", ["small.yaml", "./small.yaml", "folder/../small.yaml"])
def test_nor_by_its_own_name(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for words in (("report", "small.yaml", "-o", name), ("export", "small.yaml", "-o", name)):
        for force in ([], ["--force"]):
            told = run(*words, *force)
            assert told.code == 2
            assert "would be lost" in told.err
    assert (tmp_path / "small.yaml").read_text("utf-8") == SMALL


def test_a_manifest_and_a_folder_of_results_are_inputs_of_the_report(tmp_path: Path) -> None:
    (tmp_path / "moves.csv").write_text("x")
    (tmp_path / "results" / "draws").mkdir(parents=True)
    (tmp_path / "results" / "run.json").write_text("{}")
    inputs = [tmp_path / "moves.csv", tmp_path / "results", "centipede"]
    for name in ("moves.csv", "results/run.json"):
        with pytest.raises(ScenarioError, match="would be lost"):
            files.write(tmp_path / name, "page", inputs=inputs, force=True)
    files.write(tmp_path / "results" / "picture.svg", "new", inputs=inputs)


# --- files of others ---


@pytest.mark.parametrize("command", effort.cases(COMMANDS, slow=("report",)))
def test_files_of_others_are_replaced_only_if_asked(
    run: Run, record: Path, tmp_path: Path, command: str
) -> None:
    file = tmp_path / f"mine{ending(command)}"
    file.write_text("<html>written by hand</html>")
    told = run(*COMMANDS[command], file.name)
    assert told.code == 2
    assert told.out == ""
    assert told.err.splitlines()[-2:] == [
        f"{file.name}: error[exists]: the file exists already, and was not written by Detente",
        "  hint: give another name, or --force to replace it",
    ]
    assert file.read_text() == "<html>written by hand</html>"
    told = run(*COMMANDS[command], file.name, "--force")
    assert told.code == 0, told.err
    first = file.read_bytes()
    assert b"by hand" not in first
    again = run(*COMMANDS[command], file.name)
    # What was written here may be written again, but for the starter, which is there to be edited.
    assert again.code == (2 if command == "new" else 0), again.err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("kind", [".svg", ".png", ".pdf", ".SVG"])
def test_pictures_say_who_made_them(run: Run, tmp_path: Path, kind: str) -> None:
    words = COMMANDS["threshold"]
    assert run(*words, f"picture{kind}").code == 0
    assert files.is_own(tmp_path / f"picture{kind}")
    first = (tmp_path / f"picture{kind}").read_bytes()
    assert run(*words, f"picture{kind}").code == 0
    assert (tmp_path / f"picture{kind}").read_bytes() == first


@pytest.mark.parametrize(
    "content",
    [
        b'an essay about <meta name="generator" content="detente">',
        b"<!doctype html>" + b" " * 5000 + b'<meta name="generator" content="detente">',
        b'EFG 2 R "by hand"',
        b"\x89PNG\r\n\x1a\n another program's",
        b"\0",
    ],
)
def test_what_only_mentions_us_is_not_ours(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not files.is_own(tmp_path / "file")
    with pytest.raises(ScenarioError, match="or `force=True` to replace it"):
        files.write(tmp_path / "file", "new")
    assert (tmp_path / "file").read_bytes() == content
    files.write(tmp_path / "file", "new", force=True)
    assert (tmp_path / "file").read_bytes() == b"new"


def test_an_empty_file_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files.write(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"


# --- whole or not at all ---


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "page")
    files.write(tmp_path / "link", "one")
    files.write(tmp_path / "link", "two", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "page").read_text() == "two"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ScenarioError, match="cannot-write"):
        files.write(tmp_path / "loop", "one")


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [b"old", None])
def test_what_comes_between_leaves_the_old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
    old: bytes | None,
) -> None:
    def fail(*_: object) -> None:
        raise error

    if old is not None:
        (tmp_path / "page").write_bytes(old)
    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", fail)
        else:
            patch.setattr(Path, "replace", fail)
            patch.setattr(os, "link", fail)
        with pytest.raises((ScenarioError, KeyboardInterrupt)):
            files.write(tmp_path / "page", "new", force=True)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({} if old is None else {"page": old})


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path; from detente import files\n"
        "files.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write(Path(sys.argv[1]), 'new', force=True)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "page")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "page").read_text() == "old"


def test_a_file_made_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = files.check

    def late(path: Path, **rules: object) -> None:
        check(path, **rules)  # type: ignore[arg-type]
        path.write_text("somebody else's")

    monkeypatch.setattr(files, "check", late)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(ScenarioError, match="exists already"):
        files.write(tmp_path / "page", "new")
    monkeypatch.undo()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"page": "somebody else's"}


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_modes_are_those_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    files.write(tmp_path / "page", "one")
    assert (tmp_path / "page").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "page").chmod(0o640)
    files.write(tmp_path / "page", "two", force=True)
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o640


# --- what is no file ---


def test_minus_is_stdout(run: Run, tmp_path: Path) -> None:
    (tmp_path / "starter.yaml").write_text(starter())
    done = subprocess.run(
        program("export", "small.yaml", "-o", "-"),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.startswith("EFG 2 R")
    done = subprocess.run(
        program("new", "-"), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == starter()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.yaml", "starter.yaml"]


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such device")
@pytest.mark.parametrize("redirected", [False, True])
def test_devices_are_written_to_as_they_are(tmp_path: Path, redirected: bool) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    words = program("export", "small.yaml", "-o", "/dev/stdout")
    target = tmp_path / "out"
    with target.open("wb") as out:
        done = subprocess.run(
            words,
            stdout=out if redirected else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=True,
            cwd=tmp_path,
        )
    text = target.read_bytes() if redirected else done.stdout
    assert text.startswith(b"EFG 2 R")
    files.write(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_with_a_name_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cat = shutil.which("cat")
    assert cat is not None
    with subprocess.Popen([cat, str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
        files.write(tmp_path / "pipe", "through")
        assert reader.communicate(timeout=20)[0] == b"through"
    assert (tmp_path / "pipe").is_fifo()
