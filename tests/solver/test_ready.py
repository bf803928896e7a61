"""What is compiled before a solve: what the game needs, no more, and the tracer beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import detente
from detente.solver import ready, tracer
from detente.solver.kernels.backward import (
    sweep_hidden,
    sweep_plain,
    sweep_several,
    sweep_two_types,
    trace_lines,
)
from detente.solver.kernels.forward import push
from detente.solver.kernels.hidden_moves import push_hidden
from detente.solver.kernels.private_chance import push_private, sweep_private

COLD = """
import detente
from detente.solver import ready, tracer
from detente.solver.kernels.backward import sweep_plain, sweep_two_types, trace_lines
from detente.solver.kernels.forward import push

game = detente.compile_game(detente.load("centipede"))
assert set(ready.missing(game)) >= {sweep_plain, push}, ready.missing(game)
shares = []
ready.prepare(game, shares.append)
assert shares[-1] == 1.0 and shares == sorted(shares), shares
assert not ready.missing(game)
signatures = [k.signatures[:] for k in (sweep_plain, push)]
detente.forecast(detente.solve(game))
assert signatures == [k.signatures for k in (sweep_plain, push)], "compiled again"
assert not sweep_two_types.signatures and not trace_lines.signatures
assert not tracer._running
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
        ("centipede", {sweep_plain, push}),
        ("bargaining-rounds", {sweep_plain, sweep_two_types, push}),
        (
            "secret-programme",
            {sweep_plain, sweep_hidden, sweep_private, push, push_hidden, push_private},
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


def solve_node_by_node() -> None:
    """Solve a game for any solution: nodes that may have several are left for the tracer."""
    game = detente.compile_game(detente.load("beer-quiche"))
    detente.solve(game, coarse=False, rng=np.random.default_rng(1))


def test_the_tracer_is_called_with_the_arrays_that_it_gets_in_a_solve() -> None:
    tracer.compile_tracer()
    signatures = trace_lines.signatures[:]
    solve_node_by_node()
    assert trace_lines.signatures == signatures


def test_the_tracer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Compiling:
        def wait(self) -> None:
            done.append("waited")

        def terminate(self) -> None:
            done.append("terminated")

    monkeypatch.setattr(tracer, "_running", [Compiling()])
    solve_node_by_node()
    assert done == ["waited"]
    tracer._running.append(Compiling())  # type: ignore[arg-type]
    tracer.stop()
    assert done == ["waited", "terminated", "waited"]
