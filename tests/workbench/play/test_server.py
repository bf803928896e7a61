"""Both doors of a real server: which of them leads where."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from detente.errors import ScenarioError
from detente.workbench import server
from detente.workbench.jobs import Means

OUTSIDE = "127.0.0.2"
"""In the place of this machine's address on the network."""


@pytest.fixture
def addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int, int]]:
    """The token, and the ports of the workbench and of players."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server, "own_address", lambda: OUTSIDE)
    running: list[Any] = []
    run = uvicorn.Server.run
    monkeypatch.setattr(
        uvicorn.Server, "run", lambda self, sockets: (running.append(self), run(self, sockets))
    )
    known: list[tuple[str, str]] = []
    thread = threading.Thread(
        target=server.serve,
        args=(["bargaining-rounds"],),
        kwargs={
            "port": 0,
            "means": Means(),
            "opened": lambda *given: known.append(given),
            "rooms": tmp_path / "rooms.sqlite",
            "network": True,
        },
    )
    thread.start()
    end = time.monotonic() + 60
    while not (known and running and running[0].started) and time.monotonic() < end:
        time.sleep(0.01)
    home, play = known[0]
    token = home.rpartition("=")[2]
    assert play.startswith(f"http://{OUTSIDE}:")
    yield token, int(home.split(":")[2].split("/")[0]), int(play.rpartition(":")[2])
    running[0].should_exit = True
    thread.join(timeout=30)


def status(address: str, port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_the_network_reaches_seats_and_nothing_else(addresses: tuple[str, int, int]) -> None:
    token, home, play = addresses
    cookie = f"detente-{home}={token}"
    assert status("127.0.0.1", home, "/play", Cookie=cookie) == 200
    for address in (OUTSIDE, "127.0.0.1"):
        assert status(address, play, "/") == 200
        assert status(address, play, "/static/play.js") == 200
        for path in ("/play", "/desk/0", f"/?token={token}", "/play/room/ABCDEF", "/page/1"):
            assert status(address, play, path, Cookie=cookie) == (200 if path[1] == "?" else 404)
    assert status(OUTSIDE, play, "/play", Host=f"127.0.0.1:{home}", Cookie=cookie) == 421
    assert status("127.0.0.1", home, "/play", Host=f"{OUTSIDE}:{play}", Cookie=cookie) == 421
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection((OUTSIDE, home), timeout=2),
    ):
        pass


def test_a_machine_on_no_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    with pytest.raises(ScenarioError, match="on no network"):
        server.own_address()
