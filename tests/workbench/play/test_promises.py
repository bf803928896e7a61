"""What the documentation promises of rooms, and no other test attacks."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from detente.scenario.loader import loads
from detente.workbench.play import pages
from detente.workbench.play import players as door_module
from detente.workbench.play.house import House, digest
from detente.workbench.play.players import Door
from detente.workbench.play.room import Closed, Dealt
from tests.workbench.conftest import HOME
from tests.workbench.play.conftest import PLAY
from tests.workbench.play.private import HIDDEN
from tests.workbench.play.test_pages import html, joined, opened, played_out

EVIL = "<script>alert(1)</script>"
NAMED = re.compile(r"https?://[^\s\"'`)]+|[\"'(]//[^\s]+")
LOADED = re.compile(
    r"""(?:src|srcset|action|data)="([^"]*)"|<link[^>]*href="([^"]*)"|url\(([^)]*)"""
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "BEAT", 0.0)


def hostile() -> str:
    """A scenario that has a script in each of its texts."""
    text = re.sub(r"about: [^,}\n]+", f'about: "{EVIL}"', HIDDEN)
    text = text.replace("title: Work in secret", f'title: "{EVIL}"')
    text = text.replace(
        "West: {precision", f'West: {{name: "{EVIL}West", about: "{EVIL}", precision'
    )
    return text.replace("shout: {", f'shout: {{about: "{EVIL}", ')


def test_texts_of_a_scenario_are_shown_and_never_obeyed(house: House, players: TestClient) -> None:
    scenario = loads(hostile(), file="<text>")
    hosted = house.open(scenario, {"roles": ["person", "person"]})
    seats = joined(players, f"/{hosted.code}", "Ann", "Bob")
    shown = [pages.opening_page([scenario], [hosted]), pages.host_page(hosted)]
    shown += [players.get(seat).text for seat in seats]
    hosted.do(Dealt())
    shown += [html(players, seat) for seat in seats]
    shown.append(pages.host_fragment(hosted, PLAY))
    played_out(players, seats)
    hosted.do(Closed())
    shown += [html(players, seat) for seat in seats]
    shown += [pages.class_fragment(hosted), pages.host_fragment(hosted, PLAY)]
    assert sum("&lt;script&gt;alert(1)" in page for page in shown) > 8
    assert not any("<script>" in page for page in shown)


def test_of_tokens_the_file_has_digests(
    house: House, host: TestClient, players: TestClient, rooms_file: Path
) -> None:
    (seat,) = joined(players, opened(host), "Ann")
    token = seat.rpartition("/")[2]
    kept = b"".join(path.read_bytes() for path in rooms_file.parent.glob("rooms.sqlite*"))
    assert digest(token).encode() in kept
    assert token.encode() not in kept


def filled(path: str) -> str:
    """A route's address with something in each of its places."""
    return re.sub(r"\{[^}]*\}", "1", path)


def test_every_route_of_the_workbench_asks_for_the_token(host: TestClient) -> None:
    """From the route table: none that is added can be forgotten."""
    opened(host)
    host.cookies.clear()
    paths = [filled(route.path) for route in host.app.app.routes]  # type: ignore[attr-defined]
    assert len(paths) > 18
    for path in paths:
        assert host.get(path).status_code == 401, path
        assert host.post(path, json={}, headers={"origin": HOME}).status_code == 401, path


def test_every_route_of_the_door_is_dressed_and_writes_for_its_own_pages_alone(
    players: TestClient, door: Door
) -> None:
    paths = [filled(route.path) for route in door.app.routes]  # type: ignore[attr-defined]
    assert len(paths) > 8
    for path in paths:
        headers = players.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["referrer-policy"] == "no-referrer"  # the address of a seat is its key
        assert "set-cookie" not in headers
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert players.post(path, content=b"a=b", headers=form).status_code == 415, path
        elsewhere = {"origin": "http://evil.example"}
        assert players.post(path, json={}, headers=elsewhere).status_code == 403, path


def test_no_page_loads_anything_from_elsewhere(host: TestClient, players: TestClient) -> None:
    room = opened(host)
    (seat,) = joined(players, room, "Ann")
    texts = [host.get(path).text for path in ("/desk/0", "/play", room)]
    texts += [players.get(path).text for path in ("/", f"/join/{room[-6:]}", seat)]
    loaded = [next(filter(None, found), "") for text in texts for found in LOADED.findall(text)]
    assert len(loaded) > 10
    assert not [each for each in loaded if not re.match(r"/[^/]|data:|#|$", each)]
    files = [
        path
        for folder in ("static", "templates")
        for path in (resources.files("detente.workbench") / folder).iterdir()
    ]
    assert len(files) > 20
    for path in files:
        named = NAMED.findall(path.read_text("utf-8"))
        assert all(each.startswith("http://www.w3.org/") for each in named), (path, named)
