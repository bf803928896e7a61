"""Tables with private states that move, hidden moves and signals: what is true, what is seen."""

from __future__ import annotations

import csv
import io
import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from detente.describe.charts import Pictures, Steps
from detente.describe.tables import Table as Grid
from detente.render.data import to_csv
from detente.scenario.loader import loads
from detente.scenario.observations import parse_record
from detente.simulation.track import track
from detente.workbench.play import debrief, pages, story, table
from detente.workbench.play import players as door_module
from detente.workbench.play import room as rooms
from detente.workbench.play.board import Board
from detente.workbench.play.payoffs import expected_payoff, payoffs
from detente.workbench.play.players import build_door
from detente.workbench.play.room import Closed, Dealt
from detente.workbench.play.table import Table
from tests.workbench.conftest import PORT
from tests.workbench.play.conftest import PLAY, make_house, solved
from tests.workbench.play.private import HIDDEN
from tests.workbench.play.test_pages import choose, html, joined, played_out
from tests.workbench.play.test_table import played_out as played_by_events
from tests.workbench.play.test_table import room_of

WEST, NORTH = 0, 1
NOBODY = (-1, -1)


@pytest.fixture(scope="module")
def board() -> Board:
    return solved(HIDDEN)


@pytest.fixture(scope="module")
def many(board: Board) -> list[Table]:
    """Tables that the solution plays to the end."""
    roles = ("solution", "solution")
    dealt = (table.dealt(board, seed, roles, NOBODY) for seed in range(500))
    return [table.settled(board, each, frozenset()) for each in dealt]


def known_by_hand(board: Board, played: Table, actor: int) -> float:
    """What an actor can know of its payoff: all ways in which it may have come to what it saw, one
    by one, each with its probability. No matrix, no recursion over beliefs."""
    game = board.game
    ways = [
        (p, types, 0.0)
        for types, p in zip(game.profiles.tolist(), game.profile_prior().tolist(), strict=True)
        if types[actor] == played.seats[actor].theta
    ]
    for turn in played.turns:
        layer, at = game.layers[turn.at.n], turn.at
        discount = game.discount[actor] ** (at.t - 1)
        following = []
        for p, types, paid in ways:
            for own, turned, share in steps_of(board, turn, types, actor):
                reward = layer.reward[board.joint(at, own)].reshape(2, -1)[actor]
                got = paid + discount * reward[board.profile(tuple(types))]
                if game.ends_period[at.n]:
                    flow = game.flow[at.t - 1][turn.after].reshape(2, -1)[actor]
                    got += discount * flow[board.profile(tuple(turned))]
                following.append((p * share, turned, got))
        ways = following
    if len(played.turns) == len(board.moves):
        last = game.terminal[played.turns[-1].after].reshape(2, -1)[actor]
        factor = game.discount[actor] ** game.periods
        ways = [(p, t, paid + factor * last[board.profile(tuple(t))]) for p, t, paid in ways]
    return float(sum(p * paid for p, _, paid in ways) / sum(p for p, _, _ in ways))


def steps_of(
    board: Board, turn: table.Turn, types: list[int], actor: int
) -> Iterator[tuple[tuple[int, ...], list[int], float]]:
    """What may have been done and have followed at a turn, as far as an actor saw it."""
    layer, at, theta = board.game.layers[turn.at.n], turn.at, types[NORTH]
    if layer.private is not None:
        k = board.transition(at, turn.own, turn.after)
        for after, p in enumerate(layer.private.change[k, theta].tolist()):
            if actor != NORTH or after == turn.turned[NORTH]:
                yield turn.own, [types[WEST], after], p
        return
    if layer.movers == (NORTH,):
        names, sigma = board.names(at, 0), board.strategy(at, 0)
        looks = ["hold" if name == "build" else name for name in names]
        for own, look in enumerate(looks):
            if look != looks[turn.own[0]] or (actor == NORTH and own != turn.own[0]):
                continue
            builds = names[own] == "build" and theta == 0
            for after, p in [(1, 0.7), (0, 0.3)] if builds else [(theta, 1.0)]:
                if actor != NORTH or after == turn.turned[NORTH]:
                    yield (own,), [types[WEST], after], p * float(sigma[theta, own])
        return
    yield turn.own, types, 1.0


def test_types_move_by_what_is_done_unseen_and_by_chance(board: Board, many: list[Table]) -> None:
    built: list[bool] = []
    turned: list[bool] = []
    for each in many:
        for turn in each.turns:
            layer = board.game.layers[turn.at.n]
            before, after = turn.types[NORTH], turn.turned[NORTH]
            if layer.movers == (NORTH,) and board.names(turn.at, 0)[turn.own[0]] == "build":
                built += [after == 1] * (before == 0)
                assert before <= after
            elif layer.event == "upheaval":
                turned += [after == 0] * (before == 1)
            else:
                assert before == after
    for outcomes, p in ((built, 0.7), (turned, 0.2)):
        assert len(outcomes) > 100
        assert abs(np.mean(outcomes) - p) < 4 * np.sqrt(p * (1 - p) / len(outcomes))


def test_what_is_believed_is_how_often_it_is_true(board: Board, many: list[Table]) -> None:
    """In the end, over all tables: the error of sampling and that of strategies between nodes."""
    off = [each.turns[-1].beliefs[NORTH][1] - each.turns[-1].turned[NORTH] for each in many]
    assert abs(np.mean(off)) < 4 * np.std(off) / np.sqrt(len(off)) + 1e-3


def test_payoffs_add_up_to_the_value(board: Board, many: list[Table]) -> None:
    """On average, to sampling error and that of five belief points (0.01)."""
    for actor, name in ((WEST, "West"), (NORTH, "North")):
        for theta, kind in enumerate(("idle", "covert")):
            mine = [each for each in many if actor == WEST or each.seats[NORTH].theta == theta]
            got = [payoffs(board, each)[actor] for each in mine]
            worth = board.solution.payoffs[name, "" if actor == WEST else kind]
            assert abs(np.mean(got) - worth) < 4 * np.std(got) / np.sqrt(len(got)) + 0.01


def test_a_player_is_told_what_it_can_know_of_its_payoff(board: Board, many: list[Table]) -> None:
    """Against all ways in which the table may have come where it is, one by one."""
    for each, length in itertools.product(many[:3], (0, 2, 4, 8, 15)):
        some = replace(each, turns=each.turns[:length])
        for actor in (WEST, NORTH):
            expected = known_by_hand(board, some, actor)
            assert expected_payoff(board, some, actor) == pytest.approx(expected, abs=1e-12)
        assert expected_payoff(board, some, NORTH) == pytest.approx(payoffs(board, some)[NORTH])
    off = [expected_payoff(board, each, WEST) - payoffs(board, each)[WEST] for each in many[:200]]
    assert np.std(off) > 0.5  # it does not know it
    assert abs(np.mean(off)) < 4 * np.std(off) / np.sqrt(len(off))


def test_the_record_has_what_all_saw_and_is_tracked_to_the_same_beliefs(board: Board) -> None:
    hid = twice = 0
    for seed in range(3):
        room, _ = played_by_events(room_of(board, 2, seed=seed), board, seed)
        played = room.tables[0]
        text = to_csv(story.lines(board, played))
        hid += sum(deed.looked != deed.action for deed in story.deeds(board, played))
        assert "build" not in text
        assert "covert" not in text
        twice += "(unknown)" in text  # West had nothing to do at its first turn of a period
        result = track(board.solution, parse_record(text, board.game.scenario))
        last = result.beliefs[result.beliefs["step"] == result.beliefs["step"].max()]
        believed = played.turns[-1].beliefs[NORTH]
        np.testing.assert_allclose(last["probability"], believed, atol=0.03)  # it is on the grid
    assert hid
    assert twice


def test_the_record_has_a_signal_that_is_gone_by_the_end_of_the_period() -> None:
    text = HIDDEN.replace("{chance: [upheaval]}", "{chance: [upheaval]}\n  - {chance: [clearing]}")
    text = text.replace("payoffs:\n", "  clearing: {set: {report: nothing}}\npayoffs:\n", 1)
    cleared, found = solved(text), 0
    for seed in range(3):
        room, _ = played_by_events(room_of(cleared, 2, seed=seed), cleared, seed)
        played = room.tables[0]
        record = to_csv(story.lines(cleared, played))
        found += record.count("inspection,report == find")
        assert record.count("inspection,report == ") == 3  # nothing found is news as well
        result = track(cleared.solution, parse_record(record, cleared.game.scenario))
        last = result.beliefs[result.beliefs["step"] == result.beliefs["step"].max()]
        believed = played.turns[-1].beliefs[NORTH]
        np.testing.assert_allclose(last["probability"], believed, atol=0.03)  # it is on the grid
    assert found


def test_the_debrief_has_what_was_done_and_what_was_seen(board: Board) -> None:
    room, events = played_by_events(room_of(board, 16, seed=1), board)
    kinds = [{deed.theta for deed in story.own_choices(board, each, 1)} for each in room.tables]
    played = room.tables[kinds.index({0, 1})]
    sections = {each.key: each for each in debrief.of_table(board, played, NORTH)}
    (moves,) = sections["moves"].blocks
    assert isinstance(moves, Grid)
    assert moves.header[4:6] == ("others saw", "unseen")
    assert "build" in str(moves.rows)
    assert "North is now" in str(moves.rows)
    assert "from 2026-" in str(sections["truth"])
    (charts,) = sections["beliefs"].blocks
    assert isinstance(charts, Pictures)
    chart = charts.items[0].chart
    assert isinstance(chart, Steps)
    assert set(chart.true) == {False, True}
    assert "in truth" in chart.description
    rows = debrief.class_rows(board, room)
    assert {(row["action"], row["seen_as"]) for row in rows} >= {("build", "hold")}
    assert {row["type"] for row in rows if row["actor"] == "North"} == {"idle", "covert"}
    mixed = list(debrief.mixes(board, room))
    assert {who for who, _ in mixed} == {"West", "North idle", "North covert"}
    # A server that begins anew plays the same events again, and comes to the same types.
    kept = json.loads(json.dumps([rooms.to_data(event) for event in events]))
    begun = room_of(board, 16, seed=1)
    assert rooms.replayed(begun, [rooms.from_data(data) for data in kept], board) == room


def test_habits_are_those_of_the_type_that_an_actor_has_then(board: Board) -> None:
    mixes = {"North idle": {"build": 1}, "North covert": {"shout": 1}}
    dealt = table.dealt(board, 3, ("solution", "earlier"), NOBODY, mixes)
    played = table.settled(board, dealt, frozenset())
    did = [deed for deed in story.deeds(board, played) if deed.actor == NORTH]
    assert {(deed.theta, deed.action) for deed in did} == {(0, "build"), (1, "shout")}


ASKED = ("", "/news", "/moves.csv", "/class.csv")
"""What a player asks for; some of it is not to be had."""


def attacked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, theta: int, moves: tuple[str, ...]
) -> tuple[Table, list[str], list[str]]:
    """A game in which North has this type and does this: the table, and all that West and North are
    answered before the game is over, to requests that are allowed and to others."""
    numbers = itertools.count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"token-{next(numbers)}")
    monkeypatch.setattr(secrets, "randbits", lambda _: 12)
    monkeypatch.setattr(secrets, "choice", lambda letters: letters[0])
    true_deal = table.dealt

    def secret(*given: object) -> Table:
        made = true_deal(*given)  # type: ignore[arg-type]
        west, north = made.seats
        return replace(made, seats=(west, replace(north, theta=theta)))

    folder.mkdir()
    house = make_house(folder / "rooms.sqlite")
    with (
        monkeypatch.context() as patch,
        TestClient(
            build_door(house, port=PORT + 1), base_url=PLAY, headers={"origin": PLAY}
        ) as client,
    ):
        patch.setattr(table, "dealt", secret)
        hosted = house.open(loads(HIDDEN, file="<text>"), {"roles": ["person", "person"]})
        both = joined(client, f"/{hosted.code}", "Ann", "Bob")
        room = hosted.do(Dealt())
        west, north = sorted(both, key=lambda seat: room.players[both.index(seat)].actor)
        answers: dict[str, list[str]] = {west: [], north: []}

        def choose(seat: str, turn: int, action: str) -> int:
            answer = client.post(f"{seat}/choose", json={"turn": turn, "action": action})
            answers[seat].append(answer.text)
            return answer.status_code

        def look(turn: int) -> None:
            for seat in answers:
                answers[seat] += [client.get(f"{seat}{path}").text for path in ASKED]
            for action in ("build", "covert"):
                assert choose(west, turn, action) == 422

        for period, move in enumerate(moves):
            look(5 * period + 1)
            assert choose(north, 5 * period + 1, move) == 200
            look(5 * period + 3)
            assert choose(west, 5 * period + 3, "press") == 200
        look(5 * len(moves) + 1)
        assert hosted.room is not None
    house.close()
    return hosted.room.tables[0], answers[west], answers[north]


def test_nobody_finds_out_what_was_done_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same game, but for North's type and for what it does where others see the same: West is
    answered the same in every byte, whatever it asks for, until the game is over."""
    monkeypatch.setattr(door_module, "BEAT", 0.0)
    plays = [(0, "hold"), (0, "build"), (1, "hold"), (1, "build")]
    games = [
        attacked(tmp_path / str(k), monkeypatch, theta, (move,) * 2)
        for k, (theta, move) in enumerate(plays)
    ]
    public = [
        [(turn.at, turn.after, turn.beliefs) for turn in played.turns] for played, *_ in games
    ]
    assert all(each == public[0] for each in public)  # the same is to be seen of all of them
    hidden = {tuple(turn.turned for turn in played.turns) for played, *_ in games}
    assert len(hidden) == 4  # and each has been something else
    first, *others = [west for _, west, _ in games]
    assert len(first) > 30
    assert all(west == first for west in others)
    shown = "".join(first)
    assert "others saw" not in shown
    assert "you are now" not in shown
    norths = [north for *_, north in games]
    assert all(a != b for a, b in itertools.combinations(norths, 2))
    assert "others saw hold" in "".join(norths[1])
    assert "you are now covert" in "".join(norths[1])


def test_a_whole_game_over_http_that_a_server_that_begins_anew_goes_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "BEAT", 0.0)
    monkeypatch.setattr(secrets, "randbits", lambda _: 1)
    path = tmp_path / "rooms.sqlite"
    house = make_house(path)
    hosted = house.open(loads(HIDDEN, file="<text>"), {"roles": ["person", "person"]})
    headers = {"origin": PLAY}
    with TestClient(build_door(house, port=PORT + 1), base_url=PLAY, headers=headers) as client:
        seats = joined(client, f"/{hosted.code}", "Ann", "Bob")
        hosted.do(Dealt())
        for k in (1, 1, 0, 0):
            assert choose(client, seats[0], k) or choose(client, seats[1], k)
        before = [html(client, seat) for seat in seats]
        said = "others see hold; unseen: idle → covert with 70 %"
        assert said in "".join(before).replace("\N{NO-BREAK SPACE}", " ")
    again = make_house(path)
    with TestClient(build_door(again, port=PORT + 1), base_url=PLAY, headers=headers) as client:
        assert [html(client, seat) for seat in seats] == before
        assert again.rooms[hosted.code].room == hosted.room
        played_out(client, seats)
        for seat in seats:
            over = html(client, seat)
            for words in ("The game is over", "others saw", "North is now", "in truth it was"):
                assert words in over
            rows = list(csv.DictReader(io.StringIO(client.get(f"{seat}/moves.csv").text)))
            assert {row["move"] for row in rows if row["actor"] == "North"} <= {"hold", "shout"}
    again.rooms[hosted.code].do(Closed())
    assert "By role" in pages.class_fragment(again.rooms[hosted.code])
    house.close()
    again.close()
