"""How long a class waits: every player a connection of its own to a server in its own process.

Each player asks for the news as its page does, and thinks for a second on average. A move counts as
answered when the server has acknowledged it, and as seen when the page has what follows from it.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

from benchmarks.report import ROOT, Plan, Table

CASES = {"bargaining-rounds": 2, "pyeongchang-2018": 3}
"""Scenarios, by their number of roles."""

TABLES = 10

THINKING = 1.0
"""Seconds that a player thinks, on average."""

PERIODS = 6
"""Of the scenario's, at most."""


def run(plan: Plan) -> list[Table]:
    """Ten tables of each scenario at once."""
    rows: list[list[object]] = []
    for name, roles in CASES.items():
        plan.tell(f"{name}, {TABLES} tables")
        number = roles * (2 if plan.quick else TABLES)
        answered, seen, seconds = measured(name, number, quick=plan.quick)
        cells = [spread(answered), spread(seen), f"{len(answered) / seconds:.0f}"]
        rows.append([name, number, len(answered), *cells])
    note = (
        "Milliseconds: the median, what 95 of 100 stay below, and the longest. Players think for "
        f"{THINKING:g} s on average; they, too, take part of the machine."
    )
    columns = ["", "players", "moves", "answered, ms", "seen, ms", "moves a second"]
    return [Table("A class that plays", note, columns, rows)]


def spread(seconds: list[float]) -> str:
    """Median, 95th percentile and maximum in milliseconds."""
    middle, most = np.quantile(seconds, [0.5, 0.95])
    return f"{1e3 * middle:.0f} / {1e3 * most:.0f} / {1e3 * max(seconds):.0f}"


@dataclass
class Client:
    """One connection."""

    address: str
    cookie: str = ""
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self.origin = f"http://{parts.netloc}"
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=60)

    def ask(self, path: str, body: object = None) -> http.client.HTTPResponse:
        """What the server answers; its body is read."""
        headers = {"Cookie": self.cookie, "Origin": self.origin}
        headers |= {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        self.connection.request("GET" if body is None else "POST", path, data, headers)
        answer = self.connection.getresponse()
        self.text = answer.read().decode()
        return answer


def measured(name: str, number: int, *, quick: bool) -> tuple[list[float], list[float], float]:
    """Seconds until each move was answered and seen, and those of the whole game."""
    with served(name, "--beliefs", "5") as address:
        return game(address, number, 1 if quick else PERIODS)


@contextmanager
def served(name: str, *more: str) -> Iterator[str]:
    """The address of a workbench in a process of its own."""
    command = [sys.executable, "-m", "detente.cli.main", "serve", name, "--port", "0", *more]
    with subprocess.Popen(
        [*command, "--no-browser"],
        cwd=tempfile.mkdtemp(),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    ) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        try:
            yield address[0]
        finally:
            server.terminate()


def game(address: str, number: int, periods: int | None) -> tuple[list[float], list[float], float]:
    """A game of so many people."""
    host = Client(address)
    cookie = host.ask(urlsplit(address).path + "?" + urlsplit(address).query).headers["set-cookie"]
    host.cookie = cookie.partition(";")[0]
    host.ask("/play")
    roles = ["person"] * host.text.count('name="role"')
    host.ask("/play/open", {"desk": 0, "setting": {"periods": periods}, "roles": roles})
    room = json.loads(host.text)["room"]
    while (link := re.search(r"(http://[^/ ]+)/join/(\w+)", host.text)) is None or (
        "being solved" in host.text
    ):
        host.ask(f"{room}/news?after=")
        time.sleep(0.1)
    players = []
    for k in range(number):
        client = Client(link[1])
        client.ask("/join", {"code": link[2], "name": f"Player {k}"})
        players.append((client, json.loads(client.text)["seat"]))
    host.ask(f"{room}/do", {"what": "deal"})
    answered: list[float] = []
    seen: list[float] = []
    begin = time.perf_counter()
    threads = [
        threading.Thread(target=play, args=(client, seat, answered, seen))
        for client, seat in players
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered, seen, time.perf_counter() - begin


def play(client: Client, seat: str, answered: list[float], seen: list[float]) -> None:
    """A player, to the end."""
    tag, rng, chose = "", random.Random(seat), 0.0
    while True:
        client.ask(f"{seat}/news?after={tag}")
        news = json.loads(client.text)
        tag, html = news["tag"], news.get("html", "")
        if 'id="over"' in html:
            return
        if html and chose:
            seen.append(time.perf_counter() - chose)
            chose = 0.0
        turn = re.search(r'data-turn="(\d+)"', html)
        if turn is not None:
            action = rng.choice(re.findall(r'data-action="(\w+)"', html))
            time.sleep(THINKING * 2 * rng.random())
            chose = time.perf_counter()
            answer = client.ask(f"{seat}/choose", {"turn": int(turn[1]), "action": action})
            assert answer.status == 200, client.text
            answered.append(time.perf_counter() - chose)
