"""What is compiled before a solve: what the game needs, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import detente
from detente.solver import ready
from detente.solver.kernels.backward import (
    sweep_hidden,
    sweep_plain,
    sweep_several,
    sweep_two_types,
)
from detente.solver.kernels.forward import push, reached
from detente.solver.kernels.hidden_moves import push_hidden
from detente.solver.kernels.private_chance import push_private, sweep_private

COLD = """
import detente
from detente.solver import ready
from detente.solver.kernels.backward import sweep_plain, sweep_two_types, trace_lines
from detente.solver.kernels.forward import push, reached

game = detente.compile_game(detente.load("centipede"))
assert set(ready.missing(game)) >= {sweep_plain, push}, ready.missing(game)
shares = []
ready.prepare(game, shares.append)
assert shares[-1] == 1.0 and shares == sorted(shares), shares
assert not ready.missing(game)
signatures = [k.signatures[:] for k in (sweep_plain, push, reached)]
detente.forecast(detente.solve(game))
assert signatures == [k.signatures for k in (sweep_plain, push, reached)], "compiled again"
assert not sweep_two_types.signatures and not trace_lines.signatures
"""


def run(program: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        ("centipede", {sweep_plain, push, reached}),
        ("bargaining-rounds", {sweep_plain, sweep_two_types, push, reached}),
        (
            "secret-programme",
            {
                *(sweep_plain, sweep_hidden, sweep_private),
                *(push, push_hidden, push_private, reached),
            },
        ),
    ],
)
def test_what_a_game_needs(
    name: str, kernels: set[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "is_kept", lambda *_: False)
    game = detente.compile_game(detente.load(name))
    assert set(ready.missing(game)) == kernels
    assert sweep_several not in kernels
    monkeypatch.setattr(ready, "is_kept", lambda *_: True)
    assert ready.missing(game) == []


@pytest.mark.slow
def test_nothing_is_compiled_that_a_game_does_not_need(tmp_path: Path) -> None:
    """In a process of its own with an empty cache: play without secrets."""
    environment = {"DETENTE_CACHE_DIR": str(tmp_path / "cache"), "PYTHONWARNINGS": "error"}
    run(COLD, environment)


MADE: list[str] = []


def note(name: str) -> None:
    MADE.append(name)


@pytest.mark.parametrize(
    "command",
    [
        ("/no/such/program",),
        (sys.executable, "-c", "raise SystemExit(1)"),
        (sys.executable, "-c", "import time; time.sleep(600)"),
    ],
    ids=["cannot be started", "dies", "hangs"],
)
def test_all_is_compiled_here_where_the_other_process_fails(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(ready, "command", lambda _: command)
    monkeypatch.setattr(ready, "PATIENCE", 2.0)
    real, late = subprocess.Popen.wait, []

    def wait(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        try:
            return real(self, timeout)
        except subprocess.TimeoutExpired:
            late.append(timeout)
            raise

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    monkeypatch.setattr(ready, "is_kept", lambda *_: False)
    kernels = (sweep_plain, sweep_two_types, push, reached)
    calls = {kernel: {"": partial(note, str(n))} for n, kernel in enumerate(kernels)}
    monkeypatch.setattr(ready, "_calls", lambda _: calls)
    MADE.clear()
    told: list[float] = []
    ready.prepare(detente.compile_game(detente.load("centipede")), told.append)
    assert late in ([], [2.0])  # waited for once, not for each kernel
    assert sorted(MADE) == ["0", "1", "2", "3"]
    assert told[-1] == 1.0


def test_another_process_compiles_what_every_game_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    game = detente.compile_game(detente.loads(ready.ANYWHERE))
    assert set(ready._calls(game)) == {sweep_plain, push, reached}
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with ready._compiled_apart([sweep_plain, sweep_two_types, push]) as others:
        assert set(others) == {sweep_plain, push}
    with ready._compiled_apart([sweep_plain, push]) as others:
        assert set(others) == {push}
    with ready._compiled_apart([push]) as others:
        assert others == {}
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with ready._compiled_apart([sweep_plain, push]) as others:
        assert others == {}
