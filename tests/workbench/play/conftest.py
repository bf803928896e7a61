"""Rooms of which the games are solved once for all tests, in this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from detente.game.compile import compile_game
from detente.scenario.loader import loads
from detente.simulation.forecast import forecast
from detente.solver.options import SolveOptions
from detente.solver.solve import solve
from detente.workbench.app import Workbench, build_app
from detente.workbench.guard import Rate
from detente.workbench.jobs import Job, Means
from detente.workbench.play import house as house_module
from detente.workbench.play.board import Board
from detente.workbench.play.host import Host
from detente.workbench.play.house import House
from detente.workbench.play.players import Door, build_door
from detente.workbench.play.store import Store
from detente.workbench.server import serve
from tests.workbench.conftest import HOME, PORT, TOKEN, Idle

PLAY = f"http://127.0.0.1:{PORT + 1}"

TOGETHER = """
title: Two at once
calendar: {period: round, horizon: 2}
actors:
  left: {types: {soft: 0.5, hard: 0.5}, precision: 2}
  right: {types: {soft: 0.3, hard: 0.7}, precision: 2}
state:
  heat: {levels: 0..4, start: 2, edge: cut, about: how hot it is}
parameters:
  dread: {value: {soft: 1, hard: 0.2}, of: left, about: what heat is to the left}
  fear: {value: {soft: 1, hard: 0.2}, of: right, about: what heat is to the right}
turns: [{who: [left, right]}, {chance: [spark]}]
actions:
  left: {up: {set: {heat: +1}}, stay: {}}
  right: {up: {set: {heat: +1}, cost: 0.3}, stay: {}}
chance:
  spark: {effects: [{p: 0.3, set: {heat: +1}}, {p: rest}]}
payoffs:
  left: {flow: {heat: -dread * heat, gain: 0.5 * (right == soft) * heat}}
  right: {terminal: {heat: -fear * heat}}
outcomes:
  hot: {when: heat == 4, about: it has been as hot as can be}
"""


@lru_cache(maxsize=4)
def solved(text: str) -> Board:
    """A scenario's game with the fewest belief points."""
    game = compile_game(loads(text, file="<text>"))
    return Board(forecast(solve(game, SolveOptions(5), regret=False, coarse=False)))


class AtOnce(Idle):
    """In the place of a worker: solves in this process, at once."""

    def __init__(self, deliver: Callable[[Job, dict[str, Any]], None]) -> None:
        super().__init__()
        self.deliver = deliver

    def submit(self, job: Job) -> None:
        self.deliver(job, {"kind": "solved", "forecast": solved(job.text).forecast})


@contextmanager
def served(folder: Path, *, network: bool = False, port: int = 0) -> Iterator[tuple[str, str]]:
    """A real server in a thread: the addresses of the workbench and of the players' door."""
    running: list[uvicorn.Server] = []
    known: list[tuple[str, str]] = []
    run = uvicorn.Server.run

    def noted(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        running.append(self)
        run(self, sockets)

    def opened(home: str, play: str) -> None:
        known.append((home, play))

    def worker(perform: object, means: object, deliver: Any) -> AtOnce:
        return AtOnce(deliver)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Server, "run", noted)
        patch.setattr(house_module, "Worker", worker)
        given = {"port": port, "means": Means(), "opened": opened, "network": network}
        given["rooms"] = folder / "rooms.sqlite"
        thread = threading.Thread(target=serve, args=(["bargaining-rounds"],), kwargs=given)
        thread.start()
        end = time.monotonic() + 60
        while not (running and running[0].started) and time.monotonic() < end:
            time.sleep(0.01)
        yield known[0]
        running[0].should_exit = True
        thread.join(timeout=30)


def make_house(path: Path) -> House:
    house = House.__new__(House)
    worker: Any = AtOnce(lambda job, event: house.deliver(job, event))
    house.__init__(Store(path), Means(), PLAY, worker)  # type: ignore[misc]
    return house


@pytest.fixture
def rooms_file(tmp_path: Path) -> Path:
    return tmp_path / "rooms.sqlite"


@pytest.fixture
def house(rooms_file: Path) -> Iterator[House]:
    made = make_house(rooms_file)
    yield made
    made.close()


@pytest.fixture
def door(house: House) -> Door:
    made = build_door(house, port=PORT + 1)
    made.rate, made.a_second, made.at_once = Rate(1e9, 1e9), 1e9, 1e9
    return made


@pytest.fixture
def players(door: Door) -> Iterator[TestClient]:
    """Somebody at the players' door."""
    with TestClient(door, base_url=PLAY, headers={"origin": PLAY}) as client:
        yield client


@pytest.fixture
def together(tmp_path: Path) -> Path:
    path = tmp_path / "together.yaml"
    path.write_text(TOGETHER, encoding="utf-8")
    return path


@pytest.fixture
def host(house: House, together: Path) -> Iterator[TestClient]:
    """The host, with two scenarios."""
    bench = Workbench(["bargaining-rounds", str(together)], Means(), together.parent)
    bench.close()
    bench.answers, bench.analyses = Idle(), Idle()  # type: ignore[assignment]
    routes = Host(house, bench.desks).routes()
    guard = build_app(bench, port=PORT, token=TOKEN, more=routes)
    guard.rate = Rate(1e9, 1e9)
    with TestClient(guard, base_url=HOME, follow_redirects=False) as client:
        client.get(f"/?token={TOKEN}")
        client.headers["origin"] = HOME
        yield client
