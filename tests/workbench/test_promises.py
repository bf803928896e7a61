"""Each promise of the workbench's page in the documentation, and the tests that try it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROMISES = {
    "Pin as baseline": ["test_browser: a_slider_moves_the_forecast_and_can_be_undone"],
    "Undo": ["test_browser: a_slider_moves_the_forecast_and_can_be_undone"],
    "The address holds": ["test_browser: a_link_is_a_state"],
    "The same on the command line": ["test_desk: the_command_says_the_same"],
    "Save": [
        "test_saving: only_what_changed_is_written_and_noted_with_its_time",
        "test_saving: another_form_of_the_model_is_refused",
        "test_guard: nothing_that_is_there_is_replaced",
    ],
    "Ask more": ["test_browser: analyses_run_beside_and_can_be_cancelled"],
    "A player": [
        "play/test_pages: a_whole_game_and_its_debrief",
        "play/test_pages: advice_only_where_the_host_allows_it",
    ],
    "What is private": [
        "play/test_private: types_move_by_what_is_done_unseen_and_by_chance",
        "play/test_private: nobody_finds_out_what_was_done_unseen",
    ],
    "Seats without people": [
        "play/test_pages: who_is_silent_is_played_for_and_comes_back",
        "play/test_pages: a_server_that_begins_anew_has_the_same_game",
        "play/test_browser: four_people_play_a_whole_game",
    ],
    "The host": ["play/test_pages: the_host_pauses_advances_and_takes_back"],
    "The debrief": [
        "play/test_private: the_debrief_has_what_was_done_and_what_was_seen",
        "play/test_table: what_is_given_up_is_the_difference_of_action_values",
    ],
    "Files": [
        "play/test_table: the_record_is_tracked_to_the_same_beliefs",
        "play/test_private: the_record_has_what_all_saw_and_is_tracked_to_the_same_beliefs",
    ],
    "The server is bound to": [
        "play/test_server: the_network_reaches_seats_and_nothing_else",
        "play/test_server: without_network_nobody_outside_reaches_anything",
    ],
    "The address that is printed": [
        "test_guard: the_token_becomes_a_cookie_that_no_script_and_no_other_site_has",
        "play/test_promises: every_route_of_the_workbench_asks_for_the_token",
    ],
    "Requests under another name": [
        "test_guard: another_host_is_refused",
        "test_guard: another_origin_writes_nothing",
        "test_guard: what_a_form_can_send_is_refused",
    ],
    "Requests have a largest size": [
        "test_guard: what_is_too_large_is_refused",
        "test_guard: so_many_writes_a_second",
        "play/test_pages: sizes_and_rates_are_limited",
    ],
    "The page loads nothing": [
        "test_guard: every_answer_forbids_what_is_not_ours",
        "test_desk: hostile_texts_of_a_file_are_harmless",
        "play/test_promises: no_page_loads_anything_from_elsewhere",
        "play/test_promises: texts_of_a_scenario_are_shown_and_never_obeyed",
    ],
    "Files are read": [
        "test_guard: no_path_leads_to_another_file",
        "test_guard: nothing_is_saved_in_another_folder",
        "test_guard: nothing_that_is_there_is_replaced",
    ],
    "Solves run in processes": [
        "test_worker: its_process_ends_with_it",
        "test_worker: what_goes_wrong_is_said_and_the_next_job_is_done",
    ],
    "Players come in by a door": [
        "play/test_server: the_network_reaches_seats_and_nothing_else",
        "play/test_pages: players_reach_nothing_of_the_hosts",
        "play/test_pages: players_reach_no_file",
        "play/test_promises: every_route_of_the_door_is_dressed_and_writes_for_its_own_pages_alone",
    ],
    "A player is known by": [
        "play/test_promises: of_tokens_the_file_has_digests",
        "play/test_pages: another_seat_is_not_to_be_had",
        "play/test_pages: no_answer_depends_on_the_type_of_another",
        "play/test_private: nobody_finds_out_what_was_done_unseen",
    ],
    "Rooms are kept": ["play/test_pages: the_file_is_its_owners"],
}
"""By the beginning of each point of the page: a file of this folder, and the test in it."""


def points() -> list[str]:
    """The points of the page's lists, without marks."""
    page = (ROOT / "docs" / "workbench.md").read_text("utf-8")
    return [point.replace("*", "") for point in re.findall(r"^- (.*)$", page, re.MULTILINE)]


def test_every_promise_is_tried() -> None:
    found = points()
    assert len(found) > 20
    for point in found:
        assert any(point.startswith(begin) for begin in PROMISES), point
    for begin in PROMISES:
        assert any(point.startswith(begin) for point in found), begin


@pytest.mark.parametrize("begin", PROMISES)
def test_what_tries_it_is_there(begin: str) -> None:
    for each in PROMISES[begin]:
        file, name = each.split(": ")
        text = (Path(__file__).parent / f"{file}.py").read_text("utf-8")
        assert f"def test_{name}(" in text, each
