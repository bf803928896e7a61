"""Requests of all kinds at both doors, made from their routes: none is answered by a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from detente.workbench.play import players as door_module
from detente.workbench.play.house import House
from detente.workbench.play.players import Door
from tests.workbench.directly import Request, ask
from tests.workbench.play.test_pages import do, joined, opened
from tests.workbench.test_fuzz import RAW, REQUESTS, anything

WORDS = ["deal", "pause", "advise", "advance", "take-back", "person", "solution", "hold", "step"]
GOOD = {
    "/play/open": ["desk", "setting", "roles", "advice", "patience"],
    "/do": ["what", "on", "table"],
    "/join": ["code", "name"],
    "/choose": ["turn", "action"],
    "/leave": [],
}


def likely(rng: random.Random, path: str, code: str) -> dict[str, object]:
    """An object with the names that the route knows, and values of which some are right."""
    values = [0, 1, 2, True, False, code, {}, [], "x" * 50, "\ud800", None, *WORDS]
    values += [["person", "person"], ["person", "solution"], rng.random() * 10**6, "Ann\u202e"]
    names = next((names for end, names in GOOD.items() if path.endswith(end)), ["what"])
    return {name: rng.choice(values) for name in names if rng.random() < 0.95}


def test_no_request_is_answered_by_a_fault(
    host: TestClient, players: TestClient, door: Door, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "BEAT", 0.0)
    rng = random.Random(17)
    room = opened(host)
    seats = joined(players, room, "Ann", "Bob")
    do(host, room, "deal")
    codes = {host: set(), players: set()}  # type: ignore[var-annotated]
    ours = [r.path for r in host.app.app.routes if r.path.startswith("/play")]  # type: ignore[attr-defined]
    theirs = [r.path for r in door.app.routes]  # type: ignore[attr-defined]
    assert len(ours) > 8
    assert len(theirs) > 8

    def requests() -> Iterator[Request]:
        for k in range(REQUESTS):
            client, routes = (host, ours) if k % 2 else (players, theirs)
            path = rng.choice(routes)
            seat = rng.choice([*seats, *seats, "/seat/nobody", f"/seat/{'x' * 300}", "/seat/%00"])
            code = rng.choice([room[-6:], room[-6:], "ABCDEF", "%00", "x" * 90, "\u0663"])
            path = path.replace("/seat/{token}", seat).replace("{code}", code)
            path = path.replace("{name}", rng.choice(["play.js", "x", "%2e%2e", "a%00b"]))
            path = path.replace("{number}", rng.choice(["1", "0", "-1", "9" * 30, "x"]))
            query = rng.choice(["", "?after=", "?after=x", f"?after={'y' * 3000}", "?after=%ff"])
            if rng.random() < 0.2:
                body = rng.choice(RAW)
            else:
                good = likely(rng, path, room[-6:]) if rng.random() < 0.7 else anything(rng)
                body = json.dumps(good).encode()
            method = rng.choice(["GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD"])
            yield Request(client, method, path + query, body)

    def answered(request: Request, status: int) -> None:
        codes[request.client].add(status)
        assert 200 <= status < 500, request

    ask(requests(), answered)
    for client in (host, players):
        assert {200, 404, 405, 422} <= codes[client]
