"""Both doors of a real server: which of them leads where."""

from __future__ import annotations

import http.client
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente import library
from detente.errors import ScenarioError
from detente.workbench import server
from detente.workbench.jobs import Job, Means
from detente.workbench.play import solving
from detente.workbench.play.board import Board
from detente.workbench.play.solving import fitting, perform
from detente.workbench.setting import Setting
from tests.workbench.play.conftest import served, solved

OUTSIDE = "127.0.0.2"
"""In the place of this machine's address on the network."""


@pytest.fixture
def addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int, int]]:
    """The token, and the ports of the workbench and of players."""
    monkeypatch.setattr(server, "own_address", lambda: OUTSIDE)
    with served(tmp_path, network=True) as (home, play):
        assert play.startswith(f"http://{OUTSIDE}:")
        token = home.rpartition("=")[2]
        yield token, int(home.split(":")[2].split("/")[0]), int(play.rpartition(":")[2])


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


def test_without_network_nobody_outside_reaches_anything(tmp_path: Path) -> None:
    with served(tmp_path) as addresses:
        for address in addresses:
            port = int(address.split(":")[2].split("/")[0])
            assert status("127.0.0.1", port, "/nowhere") in {401, 404}
            with (
                pytest.raises(ConnectionRefusedError),
                socket.create_connection((OUTSIDE, port), timeout=2),
            ):
                pass


def test_a_machine_on_no_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    with pytest.raises(ScenarioError, match="on no network"):
        server.own_address()


def test_a_room_is_solved_for_another_process() -> None:
    text = library.read_text("bargaining-rounds")
    setting = Setting(policy="", periods=2, beliefs=5)
    events = list(perform(Job(1, "ABC", "play", text, "x", setting), Means(), lambda _: None))
    assert events[-1]["kind"] == "solved"
    board = Board(pickle.loads(pickle.dumps(events[-1]))["forecast"])
    assert [t for t, _ in board.moves] == [1, 1, 2, 2]


def test_a_large_game_takes_fewer_belief_points(monkeypatch: pytest.MonkeyPatch) -> None:
    game = solved(library.read_text("bargaining-rounds")).game
    assert fitting(game, 65) == 65
    monkeypatch.setattr(solving, "LARGEST", 20_000)
    assert 5 < fitting(game, 65) < 65
    monkeypatch.setattr(solving, "LARGEST", 1)
    assert fitting(game, 65) == 5
