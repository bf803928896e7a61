"""Pages are the same to the byte, well-formed, closed in themselves, and say what was computed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import detente
from detente import library
from detente.describe.report import describe_report
from detente.errors import ScenarioError
from detente.numbers import interval, percent, points, within
from detente.pictures.canvas import STAND_IN
from detente.report.data import ReportData, build, with_posterior
from detente.solver.solution import Status
from tests import effort
from tests.report.conftest import EVERYTHING, RECORD, render
from tests.report.markup import Markup


def test_the_same_data_give_the_same_bytes(data: ReportData, page: str) -> None:
    assert render(data) == page


def test_another_run_with_other_threads_gives_the_same_bytes(data: ReportData, page: str) -> None:
    scenario = detente.loads(EVERYTHING)
    record = detente.parse_record(RECORD, scenario)
    again = build(scenario, detente.SolveOptions(beliefs=5, threads=1), moves=record)
    assert render(replace(again, command=data.command)) == page


@pytest.mark.slow
def test_other_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """The order of sets and the hash of strings are of no account."""
    written = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.html"
        command = [sys.executable, "-m", "detente.cli.main", "report", "bargaining-rounds"]
        command += ["--horizon", "2", "--beliefs", "5", "-o", str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        written.append(target.read_bytes())
    assert written[0] == written[1]


def test_pages_are_well_formed_and_closed_in_themselves(pages: Mapping[str, str]) -> None:
    for name, page in pages.items():
        assert page.startswith("<!doctype html>"), name
        found = Markup(page)
        assert len(set(found.ids)) == len(found.ids), name
        own = [link[1:] for link in found.links if link.startswith("#")]
        assert own
        assert set(own) | set(found.labels) <= set(found.ids), name
        assert {link for link in found.loaded if not link.startswith("#")} == set(), name
        assert "url(http" not in page
        assert "@import" not in page
        assert not {"script", "iframe", "object", "embed", "img", "link", "form"} & set(found.tags)


def test_pictures_have_their_text_and_no_colour_of_their_own(pages: Mapping[str, str]) -> None:
    for page in pages.values():
        found = Markup(page)
        assert found.pictures >= 5
        assert found.tags.count("desc") == found.pictures
        assert all(len(text) > 10 for text in re.findall(r"<desc[^>]*>([^<]*)</desc>", page))
        drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.S))
        assert not re.search(r"#[0-9a-fA-F]{6}\b", drawings)
        assert "font-family" not in drawings
    plain = {STAND_IN.ink, STAND_IN.muted, STAND_IN.grid, STAND_IN.paper}
    assert len({*plain, *STAND_IN.series}) == 10


def test_texts_are_escaped_and_links_are_evidence(page: str) -> None:
    found = Markup(page)
    assert "<script>alert(1)</script>" in found.text
    assert "gives <i>at last</i>" in found.text
    away = [link for link in found.links if not link.startswith("#")]
    assert away == ["https://example.org/a?b=1&c=2"]
    assert "javascript:" not in page


def test_every_section_is_there(page: str) -> None:
    keys = ("observed", "policies", "start", "turning", "assumptions", "model")
    for key in (*keys, "ledger", "certificate", "record", "answer", "situation"):
        assert f'<section id="{key}"' in page


def test_sections_without_content_are_left_out(pages: Mapping[str, str]) -> None:
    for key in ("policies", "beliefs", "observed"):
        assert f'<section id="{key}"' not in pages["centipede"]


def test_without_room_for_derivatives_all_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detente.solver.gradient_room.gradient_needed", lambda *_, **__: 2**60)
    scenario = detente.loads(EVERYTHING)
    made = build(scenario, detente.SolveOptions(5))
    assert made.sensitivity is None
    page = render(made)
    assert "The derivatives that tell it were not computed: differentiating" in page
    assert "CompiledGame" not in page
    assert "or allow more memory" in page


@pytest.mark.slow
def test_draws_from_a_posterior_are_a_part_of_their_own() -> None:
    posterior = {"precision": (0.5, 1.0, 1.5)}
    data = with_posterior(build(detente.load("centipede")), posterior)
    assert data.left_open is not None
    last = data.left_open.table.set_index("outcome").loc[data.question].iloc[-1]
    assert last["low"] < last["mean"] < last["high"]
    page = render(data)
    assert '<section id="left-open"' in page
    ends = f"{interval(last['low'], last['high'])} % over draws"
    assert ends in page.replace("\xa0", " ")


def test_the_answer_has_the_numbers_of_the_forecast(data: ReportData) -> None:
    page = describe_report(data)
    answer = {lead: " ".join(texts) for lead, texts in page.answer.items}
    # With a record the answer speaks from its last date.
    assert data.track is not None
    last = data.track.outcomes[data.track.outcomes["t"] == 3].set_index("outcome")
    ends = {
        key: f"at some time {percent(r.happened)}, at the end {percent(r.holds)}"
        for key, r in last.iterrows()
    }
    assert answer["Has been"] == (
        f"Something is given (at the end {percent(last.loc['given', 'holds'])})."
    )
    told = " ".join(answer[word] for word in ("Likely", "Open", "Unlikely") if word in answer)
    lowered = told.lower()
    assert "given" not in lowered
    assert f"“sunny” ({ends['sunny']})" in lowered
    assert answer["What policies change"].startswith(
        "As seen at the start, before any move: under “nothing”: "
    )
    assert "Whether the model is right is for its author to argue" in answer["How sure"]
    assert page.question == (
        "Under these assumptions, what would happen in the 3 months from 2018-02 under the policy "
        "“trust”, given the moves to the end of 2018-03, and what would another policy change?"
    )


def test_a_game_that_is_not_solved_says_so_first(data: ReportData) -> None:
    solution = replace(data.forecast.solution, status=Status.STAGE_FAILED)
    failed = replace(data, forecast=replace(data.forecast, solution=solution))
    lead, texts = describe_report(failed).answer.items[0]
    assert lead == "Caution"
    assert "not solved" in texts[0].lower()


def test_the_record_tells_what_is_needed_to_make_it_again(data: ReportData, page: str) -> None:
    text = Markup(page).text
    assert data.scenario.sha256 in text
    assert "detente report 'a small one.yaml' --beliefs 5" in text
    for name, version in data.versions.items():
        assert name in text
        assert version in text


def test_the_ledger_tells_what_is_drawn(page: str) -> None:
    ledger = page[page.index('id="ledger"') : page.index('id="certificate"')]
    for told in (
        "0.1 to 0.6, triangular",
        "0 to 1, drawn with the prior of A",
        "a test; range: nobody is &lt;i&gt;always&lt;/i&gt; lucky",
        "price.firm, luck",
        "0.4",
        "who is &lt;b&gt;first&lt;/b&gt;",
        "order=other",
        "75",
        "changes turns",
    ):
        assert told in ledger, told
    assert "(concentration 9)" in page


def test_the_record_has_the_options_that_were_chosen() -> None:
    scenario = detente.loads(EVERYTHING).with_options({"order": "other"})
    page = render(
        build(scenario.with_values({"luck": 0.2}), detente.SolveOptions(beliefs=5, threads=1))
    )
    assert "changed to other" in page
    assert "changed to 0.2" in page


def test_a_large_game_is_compared_on_a_coarser_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detente.report.data.LARGE", 100)
    scenario = detente.loads(EVERYTHING)
    shared = build(scenario, detente.SolveOptions(beliefs=17))
    assert shared.points == (17, 9)
    assert shared.comparison is not None
    alone = detente.compare(scenario, options=detente.SolveOptions(beliefs=9))
    ours, theirs = shared.comparison.outcomes, alone.outcomes
    assert (ours["happened"] - theirs["happened"]).abs().max() < 1e-12
    assert (ours["error"] - theirs["error"]).abs().max() < 1e-12
    assert "on a belief grid of 9 points instead of 17" in Markup(render(shared)).text


SUPERSEDED = "pyeongchang-2018-first"
LONGER = [name for name in library.names() if name not in ("bargaining-rounds", "centipede")]


@pytest.mark.parametrize(
    "name",
    effort.cases([n for n in library.names() if n != SUPERSEDED], slow=LONGER),
)
def test_every_scenario_of_the_library_has_a_page(name: str) -> None:
    scenario = detente.load(name)
    if not scenario.forever:
        scenario = scenario.with_horizon(2 if name != "crisis-signalling" else 1)
    data = build(scenario, detente.SolveOptions(beliefs=5), policies=[])
    found = Markup(render(data))
    assert len(set(found.ids)) == len(found.ids)


def test_unknown_names_are_told_all_at_once() -> None:
    scenario = detente.loads(EVERYTHING)
    with pytest.raises(ScenarioError) as caught:
        build(scenario, policy="trusted", policies=["nothin"], outcome="givn")
    places = [d.place.argument for d in caught.value.diagnostics]
    assert places == ["policy", "policies", "outcome"]
    assert all(d.hint for d in caught.value.diagnostics)


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[float] = []
    build(detente.load("bargaining-rounds"), detente.SolveOptions(beliefs=5, progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_numbers_are_rounded_honestly() -> None:
    assert [percent(p) for p in (0.0, 0.004, 0.006, 0.5, 0.9951, 1.0)] == [
        "0 %",
        "<1 %",
        "1 %",
        "50 %",
        ">99 %",
        "100 %",
    ]
    assert points(-0.126) == "-13 points"
    assert points(0.011) == "+1 point"
    assert points(0.001) == "less than 1 point"
    assert points(-2.1) == "beyond -100 points"
    assert within(0.00546) == "±0.6"
    assert within(0.0) == "none"
    assert within(float("nan")) == "not known"
