"""`detente ensemble`: what it prints and refuses, and what an interruption costs: the draws in
flight, whatever it is."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detente.cli import ensemble as command
from detente.cli import inputs
from detente.cli.main import main
from detente.ensembles.pool import LocalPool
from detente.ensembles.results import open_ensemble
from detente.ensembles.rows import Row, Task
from detente.processes import ROOT
from tests.ensembles.runs import Here, a_manifest, assert_same, solved_here
from tests.ensembles.texts import FAILING, SOUND

OPTIONS = ("--draws", "14", "--beliefs", "5", "--checked", "2")


def told(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["detente", "ensemble", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with `round.yaml`, where draws are solved in this process."""
    (tmp_path / "round.yaml").write_text(SOUND, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("detente.ensembles.run.LocalPool", lambda manifest, _: _Pool(manifest))
    return tmp_path


class _Pool(Here):
    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_it_says_what_came_of_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, "round.yaml", *OPTIONS, "-o", "run") == 0
    out, err = capsys.readouterr()
    assert "14 draws under 2 policies, 5 quantities drawn" in out
    assert "none failed; solved 14 draws in" in out
    assert "Belief grid of 5 points: on 9 points" in out
    assert out.endswith("Next: detente explore run\n")
    assert err.splitlines()[0] == "Solved 0 of 14 draws"
    assert err.splitlines()[-1] == "Solved 14 of 14 draws"
    assert 9 <= len(err.splitlines()) <= 12
    assert told(monkeypatch, "round.yaml", "--resume", "-o", "run", "--draws", "16") == 0
    out, err = capsys.readouterr()
    assert "16 draws under 2 policies" in out
    assert "solved 2 draws in" in out
    assert open_ensemble("run").complete
    assert told(monkeypatch, "round.yaml", *OPTIONS, "-o", "run") == 2
    assert "resume it with --resume" in capsys.readouterr().err


def test_it_says_what_failed(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "round.yaml").write_text(FAILING, "utf-8")
    assert told(monkeypatch, "round.yaml", *OPTIONS, "-o", "run", "--json") == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    lost = f"error: not solved: {data['draws']['failed']} of 14 draws under at least one policy"
    assert lost in err
    assert "a probability of `fades` is" in err
    assert data["draws"]["done"] == 14
    assert 0 < data["draws"]["failed"] < 14
    assert sum(failure["rows"] for failure in data["failures"]) == 2 * data["draws"]["failed"]
    assert {failure["status"] for failure in data["failures"]} == {"INVALID"}
    assert data["complete"]
    assert data["grid"]["draws"] + data["grid"]["failed"] == 2


def test_it_says_how_what_crashed_is_tried_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solve = Here.solve

    def dies(self: Here, tasks: Iterator[Task]) -> Iterator[list[Row]]:
        for rows in solve(self, tasks):
            dead = {"status": "CRASHED", "reason": "it was killed"}
            yield [row | dead if row["draw"] == 3 else row for row in rows]

    with monkeypatch.context() as ill:
        ill.setattr(Here, "solve", dies)
        assert told(ill, "round.yaml", *OPTIONS, "-o", "run") == 1
    out, _ = capsys.readouterr()
    assert "  CRASHED: 2 rows: it was killed\n  With --resume those that crashed are tried" in out
    assert told(monkeypatch, "round.yaml", "--resume", "-o", "run") == 0
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "Solved 13 of 14 draws"
    assert "none failed; solved 1 draw in" in out
    assert "CRASHED" not in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--policies", "trust", "--against", "fear"), "there are `open` and `promise`"),
        (("--sampling", "dice"), "the sampling is sobol or latin, not 'dice'"),
        (("--beliefs", "6"), "odd number of at least 5"),
        (("--set", "relief=1.5"), "a probability of `fades` is 1.5"),
        (("--resume",), "there is no such folder"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    assert told(monkeypatch, "round.yaml", *words, "-o", "run") == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["round.yaml"]


def test_a_missing_package_is_named_with_what_to_install(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inputs, "find_spec", lambda name: None if name == "duckdb" else object())
    assert told(monkeypatch, "round.yaml", "-o", "run") == 2
    err = capsys.readouterr().err
    assert "ensembles need duckdb, which is not installed" in err
    assert "hint: python3 scripts/env.py --with ensemble" in err


def test_times_are_told_in_words() -> None:
    times = [command.duration(seconds) for seconds in (0.42, 48.2, 700, 5900, 12_000)]
    assert times == ["0.4 s", "48 s", "12 min", "98 min", "3 h 20 min"]


HELD = """
import sys, time
from detente.cli.main import main
from detente.ensembles import store

append, draws = store.Store.append, []
store.EVERY = store.COST = 0

def held(self, rows):
    new = append(self, rows)
    draws.append(new)
    if len(draws) == 4:
        print("held", flush=True)
        time.sleep(120)
    return new

if sys.argv.pop(1) == "hold":
    store.Store.append = held
main()
"""
"""The command line, which stops after four draws and waits for what happens to it."""


def started(folder: Path, how: str, *words: str, limit: int | None = None) -> subprocess.Popen[str]:
    def limited() -> None:
        # Whoever runs the tests in the background may have Ctrl-C ignored, which is inherited.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-c", HELD, how, "ensemble", "round.yaml", "-o", "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=limited,
    )


def after_four_draws(process: subprocess.Popen[str], act: Callable[[], None]) -> tuple[str, int]:
    """What is said on stderr, and the exit code, of a run that something happens to."""
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    workers = children(process.pid)
    assert workers
    act()
    _, err = process.communicate(timeout=180)
    until = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < until, "workers stay behind"
        time.sleep(0.05)
    return err, process.returncode


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_whatever_ends_a_run_it_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    (tmp_path / "round.yaml").write_text(SOUND, "utf-8")
    folder = tmp_path / "run"

    # Killed.
    process = started(tmp_path, "hold", *OPTIONS, "--workers", "2")
    after_four_draws(process, process.kill)
    assert open_ensemble(folder).sql("SELECT DISTINCT draw, beliefs FROM rows").shape[0] == 4

    # Ctrl-C.
    process = started(tmp_path, "hold", "--resume", "--workers", "1")
    err, code = after_four_draws(process, lambda: process.send_signal(signal.SIGINT))
    assert code == 130
    assert "Interrupted. 7 of 14 draws are kept in run." in err
    assert err.endswith("To resume: detente ensemble round.yaml --resume -o run\n")
    assert "Traceback" not in err

    # A full disk.
    limit = max(path.stat().st_size for path in (folder / "rows").iterdir()) + 500
    process = started(tmp_path, "go", "--resume", "--workers", "1", limit=limit)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "error: the results cannot be written: File too large\n" in err
    assert " of 14 draws are kept in run\nhint: resume the run with --resume\n" in err
    assert "Traceback" not in err
    assert all(path.stat().st_size <= limit for path in (folder / "rows").iterdir())

    kept = open_ensemble(folder)
    assert 8 < len(kept.sql("SELECT DISTINCT draw, beliefs FROM rows")) < 17
    told: list[int] = []
    found = solved_here(folder, a_manifest(draws=14), lambda done, *_: told.append(done))
    assert told[0] == kept.done > 0
    assert found.complete
    assert_same(found, solved_here(tmp_path / "undisturbed", a_manifest(draws=14)))


@pytest.mark.slow
def test_no_more_workers_than_asked_for(tmp_path: Path) -> None:
    with LocalPool(a_manifest(), 1) as pool:
        assert len(pool.pids) == 1
