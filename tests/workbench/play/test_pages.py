"""Rooms over HTTP: a whole game, secrets, drop-outs, a server that begins anew, two rooms."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detente.scenario.loader import load, loads
from detente.scenario.observations import parse_record, parse_records
from detente.workbench.guard import Rate
from detente.workbench.jobs import Job
from detente.workbench.play import players as door_module
from detente.workbench.play import table
from detente.workbench.play.house import House
from detente.workbench.play.players import Door, build_door
from detente.workbench.play.room import Dealt
from detente.workbench.play.store import Store
from tests.workbench.conftest import HOME, PORT
from tests.workbench.play.conftest import PLAY, TOGETHER, make_house

ROUNDS, BOTH = 0, 1
Table = table.Table


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "BEAT", 0.0)


def opened(host: TestClient, desk: int = ROUNDS, **more: object) -> str:
    body = {"desk": desk, "setting": {}, "roles": ["person", "person"], **more}
    answer = host.post("/play/open", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["room"])


def join(players: TestClient, room: str, name: object) -> Any:
    body = json.dumps({"code": room.rpartition("/")[2], "name": name})
    return players.post("/join", content=body, headers={"content-type": "application/json"})


def joined(players: TestClient, room: str, *names: str) -> list[str]:
    seats = []
    for name in names:
        answer = join(players, room, name)
        assert answer.status_code == 201, answer.text
        seats.append(str(answer.json()["seat"]))
    return seats


def do(host: TestClient, room: str, what: str, **more: object) -> int:
    return host.post(f"{room}/do", json={"what": what, **more}).status_code


def dealt(
    host: TestClient, players: TestClient, *names: str, **more: object
) -> tuple[str, list[str]]:
    """A room in which the game has begun, and the seats."""
    room = opened(host, **more)  # type: ignore[arg-type]
    seats = joined(players, room, *names)
    assert do(host, room, "deal") == 200
    return room, seats


def html(client: TestClient, path: str) -> str:
    return str(client.get(f"{path}/news?after=").json()["html"])


def choose(players: TestClient, seat: str, k: int = 0) -> str | None:
    """The k-th action of those that there are, or None where it is another's turn."""
    shown = html(players, seat)
    turn = re.search(r'data-turn="(\d+)"', shown)
    actions = re.findall(r'data-action="(\w+)"', shown)
    if turn is None:
        return None
    body = {"turn": int(turn[1]), "action": actions[min(k, len(actions) - 1)]}
    answer = players.post(f"{seat}/choose", json=body)
    assert answer.status_code == 200, answer.text
    return answer.text


def played_out(players: TestClient, seats: list[str]) -> None:
    for k in itertools.count():
        chosen = [choose(players, seat, k % 3) for seat in seats]
        if not any(chosen):
            return


def test_a_whole_game_and_its_debrief(host: TestClient, players: TestClient) -> None:
    room = opened(host)
    seats = joined(players, room, "Ann", "Bob", "Cy", "Di")
    assert "The game begins when the host deals" in html(players, seats[0])
    assert do(host, room, "deal") == 200
    assert sum("Your turn" in html(players, seat) for seat in seats) == 2
    assert "Waits" not in html(host, room)
    played_out(players, seats)
    for seat in seats:
        over = html(players, seat)
        assert "The game is over" in over
        assert "payoff given up" in over
        assert "in truth it was" in over
        record = players.get(f"{seat}/moves.csv")
        entries = parse_record(record.text, load("bargaining-rounds")).entries
        assert len(entries) == 6
    assert "All tables against the forecast" in host.get(f"{room}/debrief").json()["html"]
    rows = list(csv.DictReader(io.StringIO(host.get(f"{room}/class.csv").text)))
    assert {row["player"] for row in rows} == {"Ann", "Bob", "Cy", "Di"}
    panel = host.get(f"{room}/panel.csv").text
    assert list(parse_records(panel, load("bargaining-rounds"))) == ["table 1", "table 2"]
    assert host.get(f"{room}/moves-2.csv").status_code == 200
    assert host.get(f"{room}/moves-3.csv").status_code == 404
    assert do(host, room, "close") == 200
    assert "All tables against the forecast" in html(players, seats[0])


def test_no_answer_depends_on_the_type_of_another(
    tmp_path: Path, together: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same game twice, but for the secret type of one player: the other sees no difference in
    a single byte of any answer, until the game is over."""
    numbers = itertools.count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"token-{next(numbers)}")
    monkeypatch.setattr(secrets, "randbits", lambda _: 5)
    monkeypatch.setattr(secrets, "choice", lambda letters: letters[0])
    true_deal = table.dealt
    answers: dict[int, list[list[str]]] = {}
    for theta in (0, 1):
        numbers = itertools.count()

        def secret(*given: object, theta: int = theta) -> Table:
            made = true_deal(*given)  # type: ignore[arg-type]
            left, right = made.seats
            return replace(made, seats=(replace(left, theta=0), replace(right, theta=theta)))

        monkeypatch.setattr(table, "dealt", secret)
        house = make_house(tmp_path / f"{theta}.sqlite")
        scenario = loads(TOGETHER, file="<text>")
        hosted = house.open(scenario, {"roles": ["person", "person"]})
        door = build_door(house, port=PORT + 1)
        with TestClient(door, base_url=PLAY, headers={"origin": PLAY}) as client:
            seats = joined(client, f"/{hosted.code}", "Ann", "Bob")
            hosted.do(Dealt())
            assert hosted.room is not None
            order = sorted((0, 1), key=lambda k: hosted.room.players[k].actor)  # type: ignore[union-attr]
            seen: list[list[str]] = [[], []]
            paths = ["", "/news", "/news?after=x", "/moves.csv"]
            for k in range(2):
                for who in order:
                    for path in paths:
                        seen[order.index(who)].append(client.get(f"{seats[who]}{path}").text)
                    if k < 1 or order.index(who) == 0:  # the last choice would end the game
                        seen[order.index(who)].append(choose(client, seats[who], 0) or "")
                    for path in paths:
                        seen[order.index(who)].append(client.get(f"{seats[who]}{path}").text)
            answers[theta] = seen
        house.close()
    assert len(answers[0][0]) > 10
    assert answers[0][0] == answers[1][0]
    assert answers[0][1] != answers[1][1]


def test_another_seat_is_not_to_be_had(host: TestClient, players: TestClient, house: House) -> None:
    _, seats = dealt(host, players, "Ann", "Bob")
    for guess in ("0", "1", "%00", seats[0][6:-1], "A" * 24, "%E2%98%83"):
        for path in ("", "/news", "/moves.csv"):
            assert players.get(f"/seat/{guess}{path}").status_code == 404
        body = {"turn": 0, "action": "hold"}
        assert players.post(f"/seat/{guess}/choose", json=body).status_code in {404, 405}
    assert players.get(f"{seats[0]}/moves.csv").status_code == 404  # before the end


@pytest.mark.parametrize("path", ["/play", "/desk/0", "/play/room/{}/do", "/play/room/{}/news"])
def test_players_reach_nothing_of_the_hosts(
    host: TestClient, players: TestClient, path: str
) -> None:
    room = opened(host)
    path = path.format(room.rpartition("/")[2])
    assert players.get(path).status_code == 404
    assert players.post(path, json={"what": "close"}).status_code == 404


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "/etc/passwd", "main.js", "%00"])
def test_players_reach_no_file(players: TestClient, name: str) -> None:
    assert players.get(f"/static/{name}").status_code == 404


def test_the_host_is_behind_the_token(host: TestClient) -> None:
    room = opened(host)
    del host.headers["origin"]
    assert do(host, room, "close") == 403
    host.headers["origin"] = HOME
    host.cookies.clear()
    for path in ("/play", room, f"{room}/news", f"{room}/class.csv"):
        assert host.get(path).status_code == 401
    assert do(host, room, "close") == 401


@pytest.mark.parametrize("header", ["host", "origin"])
def test_players_door_refuses_other_names(players: TestClient, header: str) -> None:
    wrong = {header: "http://evil.example" if header == "origin" else "evil.example"}
    answer = players.post("/join", json={"code": "A", "name": "b"}, headers=wrong)
    assert answer.status_code in {403, 421}


def test_sizes_and_rates_are_limited(players: TestClient, door: Door) -> None:
    assert players.post("/join", json={"code": "A", "name": "b" * 5000}).status_code == 413
    door.a_second, door.at_once = 1.0, 3.0
    door.rates.clear()
    codes = [players.get("/").status_code for _ in range(6)]
    assert codes[:3] == [200] * 3
    assert 429 in codes[3:]
    door.rates.clear()
    door.at_once, door.rate = 1e9, Rate(1.0, 1.0)
    codes = [players.post("/join", json={"code": "A", "name": "b"}).status_code for _ in range(4)]
    assert 429 in codes


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "Ann", "ann", 7, None, "\ud800" * 41])
def test_what_is_no_name_is_refused(host: TestClient, players: TestClient, name: object) -> None:
    room = opened(host)
    joined(players, room, "Ann")
    assert join(players, room, name).status_code == 422


def test_a_name_is_text_and_not_markup(host: TestClient, players: TestClient) -> None:
    room, seats = dealt(host, players, "<img src=x>", "Bob\u202e\ud800")
    for shown in (html(players, seats[0]), html(host, room), players.get(seats[1]).text):
        assert "<img" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": ["person"]},
        {"roles": ["solution", "solution"]},
        {"roles": ["person", "king"]},
        {"roles": "person"},
        {"desk": 5},
        {"desk": True},
        {"setting": {"values": {"nothing": 1}}},
        {"setting": {"policy": "none"}},
        {"setting": []},
        {"advice": 3},
        {"patience": 0},
        {"patience": "long"},
    ],
)
def test_what_is_no_room_is_refused(
    host: TestClient, house: House, wrong: dict[str, object]
) -> None:
    body = {"desk": 0, "setting": {}, "roles": ["person", "person"], **wrong}
    assert host.post("/play/open", json=body).status_code == 422
    assert not house.rooms
    assert not house.store.path.exists()


def test_a_server_that_begins_anew_has_the_same_game(
    host: TestClient, players: TestClient, house: House
) -> None:
    _, seats = dealt(host, players, "Ann", "Bob", "Cy")
    for seat in seats:
        choose(players, seat)
    before = [html(players, seat) for seat in seats]
    again = make_house(house.store.path)
    with TestClient(
        build_door(again, port=PORT + 1), base_url=PLAY, headers={"origin": PLAY}
    ) as later:
        assert [html(later, seat) for seat in seats] == before
        played_out(later, seats)
        assert "The game is over" in html(later, seats[0])
    again.close()


def test_a_closed_room_is_shown_again_by_a_server_that_begins_anew(
    host: TestClient, players: TestClient, house: House
) -> None:
    room, seats = dealt(host, players, "Ann", "Bob")
    played_out(players, seats)
    do(host, room, "close")
    again = make_house(house.store.path)
    assert again.rooms[room[-6:]].board is None  # it is not solved before somebody asks
    with TestClient(build_door(again, port=PORT + 1), base_url=PLAY) as later:
        assert later.get(seats[0]).status_code == 200
        assert "All tables against the forecast" in html(later, seats[0])
    again.close()


def test_the_habits_of_earlier_players_take_a_role(
    host: TestClient, players: TestClient, house: House
) -> None:
    roles = ["earlier", "person"]
    body = {"desk": 0, "setting": {}, "roles": roles}
    assert host.post("/play/open", json=body).status_code == 422  # nobody has played yet
    room, seats = dealt(host, players, "Ann", "Bob")
    while {choose(players, seat, 0) for seat in seats} != {None}:
        pass
    room = opened(host, roles=roles)
    (seat,) = joined(players, room, "Cy")
    do(host, room, "deal")
    played_out(players, [seat])
    record = parse_record(players.get(f"{seat}/moves.csv").text, load("bargaining-rounds"))
    assert {e.actions for e in record.entries if e.actor == "sender"} == {("ease",)}
    assert "as earlier players" in html(players, seat)
    again = make_house(house.store.path)
    assert again.rooms[room[-6:]].room == house.rooms[room[-6:]].room
    again.close()


def test_two_rooms_do_not_mix(host: TestClient, players: TestClient, house: House) -> None:
    rooms = [opened(host), opened(host, BOTH), opened(host)]
    seats = [joined(players, room, "Ann", "Bob") for room in rooms]
    for room in rooms:
        do(host, room, "deal")
    other = [[html(players, seat) for seat in own] for own in seats]
    played_out(players, seats[0])
    assert "The game is over" in html(players, seats[0][0])
    assert [html(players, seat) for seat in seats[1]] == other[1]
    assert [html(players, seat) for seat in seats[2]] == other[2]
    assert do(host, rooms[0], "close") == 200
    assert choose(players, seats[2][0]) or choose(players, seats[2][1])


def test_who_is_silent_is_played_for_and_comes_back(
    host: TestClient, players: TestClient, house: House
) -> None:
    room, seats = dealt(host, players, "Ann", "Bob", patience=1)
    silent, other = sorted(seats, key=lambda seat: "Your turn" not in html(players, seat))
    time.sleep(1.1)
    assert "Your turn" in html(players, other)
    assert "away: the solution plays" in html(host, room)
    html(players, silent)  # comes back
    choose(players, other)
    assert "Your turn" in html(players, silent)
    assert "away" not in html(host, room)


def test_leaving_and_coming_back(host: TestClient, players: TestClient) -> None:
    _, seats = dealt(host, players, "Ann", "Bob")
    first, other = sorted(seats, key=lambda seat: "Your turn" not in html(players, seat))
    assert players.post(f"{first}/leave", json={}).status_code == 200
    assert "Your turn" in html(players, other)
    html(players, first)
    choose(players, other)
    assert "Your turn" in html(players, first)


def test_a_choice_that_came_too_late_changes_nothing(host: TestClient, players: TestClient) -> None:
    _, seats = dealt(host, players, "Ann", "Bob")
    mover = next(seat for seat in seats if "Your turn" in html(players, seat))
    body = {"turn": 0, "action": "hold"}
    assert players.post(f"{mover}/choose", json=body).status_code == 200
    assert players.post(f"{mover}/choose", json=body).status_code == 422
    for wrong in ({"turn": 1, "action": "up"}, {"turn": "x", "action": "hold"}, {"turn": True}):
        assert players.post(f"{mover}/choose", json=wrong).status_code == 422


def test_advice_only_where_the_host_allows_it(host: TestClient, players: TestClient) -> None:
    room, seats = dealt(host, players, "Ann", "Bob", advice=False)
    mover = next(seat for seat in seats if "Your turn" in html(players, seat))
    assert "would the solution do" not in html(players, mover)
    do(host, room, "advise", on=True)
    assert "would the solution do" in html(players, mover)


def test_the_host_pauses_advances_and_takes_back(host: TestClient, players: TestClient) -> None:
    room, seats = dealt(host, players, "Ann", "Bob")
    mover, other = sorted(seats, key=lambda seat: "Your turn" not in html(players, seat))
    assert do(host, room, "pause", on=True) == 200
    assert "paused" in html(players, mover)
    assert do(host, room, "pause", on=False) == 200
    assert do(host, room, "advance", table=0) == 200
    assert "Your turn" in html(players, other)
    choose(players, other)
    assert "Your turn" in html(players, mover)
    assert do(host, room, "take-back", table=0) == 200
    assert "Your turn" in html(players, other)
    for wrong in ({"table": 9}, {"table": "x"}, {"table": True}, {}):
        assert do(host, room, "advance", **wrong) == 422
    assert do(host, room, "dance") == 422
    assert do(host, room, "pause", on=1) == 422


def test_a_game_that_cannot_be_solved_is_said_to_be(
    host: TestClient, players: TestClient, house: House
) -> None:
    def fail(job: Job) -> None:
        house.deliver(job, {"kind": "failed", "message": "too little memory"})

    house.worker.submit = fail  # type: ignore[method-assign]
    room = opened(host)
    seats = joined(players, room, "Ann")
    assert "too little memory" in html(players, seats[0])
    assert "too little memory" in html(host, room)
    assert do(host, room, "deal") == 422


def test_every_page_is_whole(host: TestClient, players: TestClient) -> None:
    room = opened(host)
    (seat,) = joined(players, room, "Ann")
    pages = [host.get("/play").text, host.get(room).text]
    pages += [players.get(path).text for path in ("/", f"/join/{room[-6:]}", seat)]
    for page in pages:
        for kind, path in re.findall(r'(?:src|href)="(/(?:play/)?static/([\w.]+))"', page):
            client = host if kind.startswith("/play") else players
            assert client.get(kind).status_code == 200, path


def test_a_room_that_is_closed_early_shows_what_there_was(
    host: TestClient, players: TestClient
) -> None:
    room, seats = dealt(host, players, "Ann", "Bob", "Cy")
    for seat in seats:
        choose(players, seat)
    assert do(host, room, "close") == 200
    for seat in seats:
        shown = html(players, seat)
        assert "closed before the end" in shown
        assert "How it came out" in shown
        assert players.get(f"{seat}/moves.csv").status_code == 200
    late = join(players, room, "Late")
    assert late.status_code == 422


def test_a_file_that_cannot_be_written_is_said_to_be(
    host: TestClient, players: TestClient, house: House
) -> None:
    room, seats = dealt(host, players, "Ann", "Bob")
    hosted = house.rooms[room[-6:]]
    other = Store(house.store.path)  # another server with the same file
    other.append(hosted.code, len(hosted.events), {"kind": "Dealt"})
    mover = next(seat for seat in seats if "Your turn" in html(players, seat))
    answer = players.post(f"{mover}/choose", json={"turn": 0, "action": "hold"})
    assert answer.status_code == 422
    assert "cannot keep rooms" in answer.text
    assert "Your turn" in html(players, mover)
    other.close()


def test_the_file_is_its_owners(host: TestClient, house: House) -> None:
    assert not house.store.path.exists()
    opened(host)
    for path in house.store.path.parent.glob("rooms.sqlite*"):
        assert path.stat().st_mode & 0o077 == 0
