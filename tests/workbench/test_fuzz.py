"""Requests of all kinds, made from the routes that there are: none is answered by a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from starlette.testclient import TestClient

from detente.workbench.app import Workbench
from detente.workbench.guard import Guard
from tests import effort
from tests.workbench.conftest import CLIENT
from tests.workbench.directly import Request, ask

REQUESTS = 10_000 if effort.FULL else 600

TEXTS = ["", "luck", "price.firm", "trust", "sunny", "\ud800", "\0", "x" * 300, "=1+1", "<b>", "é"]
TEXTS += [CLIENT, "client-0002", "answer", "report", "threshold", "track", "../x", "a.yaml"]
NUMBERS: list[Any] = [0, 1, -1, 0.5, 1e308, -1e308, 10**30, 10**400, 3, True, None, 1e-320, 7]
KEYS = ["client", "what", "setting", "more", "job", "name", "values", "options", "policy"]
KEYS += ["periods", "beliefs", "outcome", "parameter", "at", "moves", "luck", "order", "odds"]
RAW = [b"", b"{", b"[" * 100_000, b'{"a":NaN}', b"\xff\xfe", b"1" * 5000, b'"\\ud800"', b"null"]


def anything(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth < 4 and kind < 0.35:
        return {rng.choice(KEYS): anything(rng, depth + 1) for _ in range(rng.randrange(5))}
    if depth < 4 and kind < 0.42:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return rng.choice(TEXTS) if kind < 0.7 else rng.choice(NUMBERS)


def likely(rng: random.Random) -> dict[str, Any]:
    """An object that gets further than most."""
    setting = {
        "values": {rng.choice(["luck", "odds", "price.firm", "price"]): rng.choice(NUMBERS)},
        "options": {"order": rng.choice(["other", "as_reported", 3])},
        "policy": rng.choice([None, "", "trust", "nothing", 4]),
        "periods": rng.choice([None, 1, 5, 10**6, 0]),
        "beliefs": rng.choice([None, 5, 6, 10**6]),
    }
    body = {"client": CLIENT, "what": rng.choice(["answer", "report", "threshold", "track"])}
    body |= {"setting": setting, "more": {"parameter": "luck", "at": rng.choice(NUMBERS)}}
    for _ in range(rng.randrange(3)):
        body[rng.choice(KEYS)] = anything(rng)
    return {key: body[key] for key in body if rng.random() < 0.95}


def test_no_request_is_answered_by_a_fault(
    user: TestClient, guard: Guard, bench: Workbench
) -> None:
    rng = random.Random(17)
    routes = [route.path for route in guard.app.routes]  # type: ignore[attr-defined]
    assert len(routes) > 8
    codes = set()

    def requests() -> Iterator[Request]:
        for _ in range(REQUESTS):
            path = rng.choice(routes)
            number = rng.choice(["0", "0", "1", "2", "-1", "9" * 30, "x", "٣"])
            path = path.replace("{number}", number)
            path = path.replace("{name}", rng.choice(["main.js", "x", "..", "%2e%2e", "a%00b"]))
            client = rng.choice(["short", "", "client%0a0001", "x" * 100])  # a stream would not end
            query = f"?client={client}&after={rng.choice(['0', '-1', 'x', '9' * 40])}"
            if rng.random() < 0.3:
                body = rng.choice(RAW)
            else:
                body = json.dumps(likely(rng) if rng.random() < 0.5 else anything(rng)).encode()
            method = rng.choice(["GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
            if rng.random() < 0.5:
                path, method = f"/desk/0/{rng.choice(['ask', 'ask', 'save', 'cancel'])}", "POST"
            yield Request(user, method, path + query, body)

    def answered(request: Request, status: int) -> None:
        codes.add(status)
        assert 200 <= status < 500, request
        bench.answers.jobs.clear()  # type: ignore[attr-defined]

    ask(requests(), answered)
    assert {200, 202, 400, 404, 405, 422} <= codes
