"""A table without any page: who is waited for, what is drawn, what is believed and given up."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from detente import library
from detente.errors import ScenarioError
from detente.render.data import to_csv
from detente.scenario.observations import parse_record
from detente.simulation.track import track
from detente.workbench.play import debrief, story, table
from detente.workbench.play import room as rooms
from detente.workbench.play.board import Board
from detente.workbench.play.payoffs import payoffs
from detente.workbench.play.room import (
    Advanced,
    Away,
    Chosen,
    Closed,
    Dealt,
    Joined,
    Paused,
    Room,
    TakenBack,
)
from detente.workbench.play.store import Store
from tests.workbench.play.conftest import TOGETHER, solved

ROUNDS = library.read_text("bargaining-rounds")
PEOPLE = ("person", "person")


@pytest.fixture(scope="module")
def rounds() -> Board:
    return solved(ROUNDS)


@pytest.fixture(scope="module")
def both() -> Board:
    return solved(TOGETHER)


def room_of(board: Board, count: int, roles: tuple[str, ...] = PEOPLE, seed: int = 1) -> Room:
    joined = [Joined(f"P{k}", f"key{k}") for k in range(count)]
    return rooms.replayed(Room(roles, seed), [*joined, Dealt()], board)


def first_action(room: Room, board: Board, player: int, k: int = 0) -> Chosen:
    """The player's k-th action of those that there are, or its last."""
    who = room.players[player]
    at = table.position(board, room.tables[who.table])
    assert at is not None
    game = board.game
    m = game.layers[at.n].movers.index(who.actor)
    keys = list(game.scenario.actions[game.actors[who.actor].key])
    actions = board.actions(at, m)
    chosen = keys[actions[min(k, len(actions) - 1)]]
    return Chosen(player, len(room.tables[who.table].turns), chosen)


def waiting(room: Room, board: Board) -> list[int]:
    return [p for k in room.present for p in rooms.waits_for(room, board, k)]


def played_out(room: Room, board: Board, pattern: int = 0) -> tuple[Room, list[rooms.Event]]:
    """The room after all have chosen to the end, and the events that led there."""
    events: list[rooms.Event] = []
    steps = itertools.count(pattern)
    while players := waiting(room, board):
        event = first_action(room, board, players[0], next(steps) % 3)
        events.append(event)
        room = rooms.after(room, event, board)
    return room, events


def test_players_are_dealt_to_tables_and_the_solution_fills_up(rounds: Board) -> None:
    room = room_of(rounds, 5)
    assert len(room.tables) == 3
    seated = [seat.player for each in room.tables for seat in each.seats if seat.player >= 0]
    assert sorted(seated) == list(range(5))
    for number, player in enumerate(room.players):
        assert room.tables[player.table].seats[player.actor].player == number


def test_types_are_dealt_from_the_prior(rounds: Board) -> None:
    tables = [table.dealt(rounds, seed, PEOPLE, (-1, -1)) for seed in range(2000)]
    sincere = np.mean([each.seats[1].theta == 0 for each in tables])
    assert abs(sincere - 0.4) < 4 * np.sqrt(0.24 / 2000)


def test_movers_at_the_same_time_wait_for_one_another(both: Board) -> None:
    room = room_of(both, 2)
    assert len(waiting(room, both)) == 2
    first, second = waiting(room, both)
    room = rooms.after(room, first_action(room, both, first), both)
    assert waiting(room, both) == [second]
    assert not room.tables[0].turns
    with pytest.raises(ScenarioError, match="not your turn"):
        rooms.after(room, Chosen(first, 0, "up"), both)
    room = rooms.after(room, first_action(room, both, second), both)
    assert [turn.at.n for turn in room.tables[0].turns] == [0, 1]  # and then chance
    assert room.tables[0].turns[0].by == ("person", "person")


def test_beliefs_follow_bayes_rule(both: Board) -> None:
    room, _ = played_out(room_of(both, 2), both)
    for turn in room.tables[0].turns:
        expected = [np.array(belief) for belief in turn.at.beliefs]
        for m, i in enumerate(both.game.layers[turn.at.n].movers):
            sigma = both.strategy(turn.at, m)
            expected[i] = expected[i] * sigma[:, turn.own[m]] / (expected[i] @ sigma)[turn.own[m]]
        np.testing.assert_allclose(turn.beliefs[0], expected[0], atol=1e-12)
        np.testing.assert_allclose(turn.beliefs[1], expected[1], atol=1e-12)


def test_the_record_is_tracked_to_the_same_beliefs(both: Board, rounds: Board) -> None:
    for board, pattern in itertools.product((both, rounds), range(3)):
        room, _ = played_out(room_of(board, 2, seed=pattern), board, pattern)
        text = to_csv(story.lines(board, room.tables[0]))
        result = track(board.solution, parse_record(text, board.game.scenario))
        assert result.skipped.empty
        last = result.beliefs[result.beliefs["step"] == result.beliefs["step"].max()]
        for i, actor in board.informed:
            mine = last[last["about"] == actor.key]["probability"]
            believed = room.tables[0].turns[-1].beliefs[i]
            np.testing.assert_allclose(mine, believed, atol=0.02)  # the pass is on the grid


def test_what_is_given_up_is_the_difference_of_action_values(rounds: Board) -> None:
    """At the last turn values are known in closed form: a step costs, and is worth settlement."""
    room, _ = played_out(room_of(rounds, 2), rounds)
    turn = room.tables[0].turns[-1]
    values = rounds.game.scenario.parameters
    for theta in range(2):
        gain = values["settlement"].values[theta] - values["step_cost"].values[theta]
        at, m = turn.at, 0
        given_up = rounds.given_up(at, m, theta)
        expected = [max(0.0, -gain), max(0.0, gain)]
        np.testing.assert_allclose(given_up, expected, atol=1e-9)


def test_payoffs_of_histories_add_up_to_the_value(rounds: Board) -> None:
    """On average over tables that the solution plays, to sampling error."""
    everybody = [
        table.settled(
            rounds, table.dealt(rounds, seed, ("solution", "solution"), (-1, -1)), frozenset()
        )
        for seed in range(600)
    ]
    got: dict[int, list[float]] = {0: [], 1: []}
    for each in everybody:
        paid = payoffs(rounds, each)[1]
        got[each.seats[1].theta].append(float(paid))
    for theta, kind in enumerate(("sincere", "stalling")):
        error = np.std(got[theta]) / np.sqrt(len(got[theta]))
        assert abs(np.mean(got[theta]) - rounds.solution.payoffs["target", kind]) < 4 * error
    share = np.mean([rounds.been(each.turns[-1].memory)["first_step"] for each in everybody])
    final = rounds.forecast.final
    happened = final["happened"][list(final["outcome"]).index("first_step")]
    assert abs(share - happened) < 4 * np.sqrt(0.25 / 600)


def test_the_solution_takes_a_seat_and_gives_it_back(rounds: Board) -> None:
    room = room_of(rounds, 2)
    gone = waiting(room, rounds)[0]
    room = rooms.after(room, Away(gone, on=True), rounds)
    other = waiting(room, rounds)
    assert other
    assert gone not in other
    assert room.tables[0].turns[0].by == ("solution",)
    with pytest.raises(ScenarioError, match="gone on"):
        rooms.after(room, Chosen(gone, len(room.tables[0].turns), "hold"), rounds)
    room = rooms.after(room, Away(gone, on=False), rounds)
    room = rooms.after(room, first_action(room, rounds, other[0]), rounds)
    assert waiting(room, rounds) == [gone]


def test_who_comes_late_takes_a_free_seat_or_a_new_table(rounds: Board) -> None:
    room = room_of(rounds, 3)
    assert len(room.tables) == 2
    room = rooms.after(room, Joined("late", "k"), rounds)
    assert len(room.tables) == 2
    assert room.players[3].table == 1
    room = rooms.after(room, Joined("later", "l"), rounds)
    assert room.players[4].table == 2
    assert len(room.tables) == 3


def test_nobody_chooses_in_a_pause_and_nothing_is_played(both: Board) -> None:
    room = room_of(both, 2)
    room = rooms.after(room, Paused(on=True), both)
    with pytest.raises(ScenarioError, match="paused"):
        rooms.after(room, first_action(room, both, waiting(room, both)[0]), both)
    room = rooms.after(room, Away(waiting(room, both)[0], on=True), both)
    room = rooms.after(room, Away(waiting(room, both)[0], on=True), both)
    assert not room.tables[0].turns
    room = rooms.after(room, Paused(on=False), both)
    assert table.position(both, room.tables[0]) is None


def test_a_choice_is_taken_back(rounds: Board) -> None:
    room = room_of(rounds, 2)
    before = room.tables[0]
    room = rooms.after(room, first_action(room, rounds, waiting(room, rounds)[0]), rounds)
    assert room.tables[0] != before
    assert rooms.after(room, TakenBack(0), rounds).tables[0] == before
    room, _ = played_out(room, rounds)
    again = rooms.after(room, TakenBack(0), rounds)
    assert len(again.tables[0].turns) == len(rounds.moves) - 1


def test_the_host_lets_the_solution_choose_once(rounds: Board) -> None:
    room = room_of(rounds, 2)
    first = waiting(room, rounds)
    room = rooms.after(room, Advanced(0), rounds)
    assert room.tables[0].turns[0].by == ("solution",)
    assert waiting(room, rounds) != first


def test_a_second_game_leaves_the_first_as_it_is(rounds: Board) -> None:
    room, _ = played_out(room_of(rounds, 4), rounds)
    tables = room.tables
    room = rooms.after(room, Dealt(), rounds)
    assert room.tables[:2] == tables
    assert list(room.present) == [2, 3]
    assert len(waiting(room, rounds)) == 2


def test_a_closed_room_is_closed(rounds: Board) -> None:
    room = rooms.after(room_of(rounds, 2), Closed(), rounds)
    with pytest.raises(ScenarioError, match="closed"):
        rooms.after(room, Joined("late", "k"), rounds)


def test_the_same_events_lead_to_the_same_room(both: Board, tmp_path: Path) -> None:
    """Through the file, and stopped at every place in between: a server that begins anew."""
    start = Room(PEOPLE, 5)
    events: list[rooms.Event] = [*(Joined(f"P{k}", f"k{k}") for k in range(3)), Dealt()]
    room = rooms.replayed(start, events, both)
    store = Store(tmp_path / "rooms.sqlite")
    store.open("ABC", {})
    end, more = played_out(room, both)
    for number, event in enumerate([*events, *more]):
        store.append("ABC", number, rooms.to_data(event))
    store.close()
    kept = [rooms.from_data(data) for data in Store(store.path).events("ABC")]
    assert rooms.replayed(start, kept, both) == end
    room = start
    for event in kept:
        room = rooms.after(room, rooms.from_data(rooms.to_data(event)), both)
    assert room == end


def test_the_debrief_of_a_table_and_of_all(both: Board) -> None:
    room, _ = played_out(room_of(both, 6), both)
    assert debrief.over(both, room) == [0, 1, 2]
    titles = [section.title for section in debrief.of_table(both, room.tables[0], 0)]
    assert titles == ["How it came out", "Your choices", "What was believed", "Move by move"]
    rows = debrief.class_rows(both, room)
    assert len(rows) == 3 * 2 * 2
    assert {row["player"] for row in rows} == {f"P{k}" for k in range(6)}
    assert all(row["given_up"] >= 0 for row in rows)  # type: ignore[operator]
    assert [section.key for section in debrief.of_class(both, room)] == ["forecast", "roles"]
