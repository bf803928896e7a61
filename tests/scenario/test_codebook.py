"""Chronologies with columns of any names become moves by a codebook that a person filled."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import detente
from detente.errors import ScenarioError
from detente.scenario.codebook import Codebook, record_csv

SHARED = Path(__file__).parents[3] / "shared" / "data" / "chronologies"

SCENARIO = detente.loads("""\
title: Two
calendar: {start: 2018-02, period: month, horizon: 3}
actors: {A: {name: Alphaland, precision: 1}, B: {precision: 1}}
state: {x: {levels: 0..2, start: 0}}
turns: [A, B]
actions:
  A: {hold: {}, give: {also: [gift], about: a shipment of grain arrives, set: {x: 1}}}
  B: {hold: {}, test: {about: a missile is launched}, thank: {}}
payoffs: {A: {flow: x}, B: {flow: -x}}
outcomes: {much: {when: x == 1, about: much was given}}
""")

EVENTS = """\
sep=;
Occurred;Type;Parties;Remark
March 2018;missile launch;B;the first
2018-02-03;grain shipment;A, B;three ships
3 Feb 2018;gift;A;of a painting
2018/02/20;missile launch;B;"the second; at night"
2018-02-25;thank;B;a letter
2018-02-27;parade;B;in the capital
2018-12-01;gift;A;another
"""

COLUMNS = {"date": "occurred", "event": ["type", "parties"], "note": "remark"}


def written(tmp_path: Path, text: str, name: str = "events.csv") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def filled(codebook: Codebook, path: Path, actions: dict[str, str], order: list[str]) -> Codebook:
    """The codebook with some actions, `ACTOR action` by kind, and with some kinds on top."""
    rows = list(csv.reader(io.StringIO(codebook.to_csv())))
    header, body = rows[0], rows[1:]
    for row in body:
        for kind, said in actions.items():
            if f"{row[0]} {row[5]}".startswith(kind):
                row[5], _, row[6] = said.partition(" ")
    body.sort(key=lambda row: [not row[0].startswith(kind) for kind in order])
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([header, *body])
    return detente.read_codebook(path)


def moves(record: detente.scenario.observations.Record) -> list[tuple[int, str, str]]:
    return [(entry.t, entry.actor, entry.label) for entry in record.entries if entry.used]


def refused(call: object, *given: object) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        call(*given)  # type: ignore[operator]
    return [str(problem) for problem in caught.value.diagnostics]


def test_a_chronology_becomes_a_record(tmp_path: Path) -> None:
    chronology = detente.read_chronology(written(tmp_path, EVENTS), COLUMNS)
    draft = detente.draft_codebook(chronology, SCENARIO)
    by_kind = {row.kind: row for row in draft.codings}
    launch = by_kind["missile launch | B"]
    assert (launch.events, launch.first, launch.last) == (2, "2018-02-20", "2018-03")
    assert launch.proposed.startswith("B: test")
    assert not launch.action
    assert (by_kind["gift | A"].actor, by_kind["gift | A"].action) == ("A", "give")
    assert by_kind["grain shipment | A, B"].proposed == "A: give"
    actions = {
        "missile": "B test",
        "grain": "Alphaland gift",
        "parade": " (context)",
        "(silence) B": "B hold",
    }
    book = filled(draft, tmp_path / "book.csv", actions, ["missile"])
    records = detente.code_chronology(chronology, book, SCENARIO)
    # Two gifts in a month are one move; of a test and of thanks, that counts which stands first.
    expected = [(1, "A", "give"), (1, "B", "test"), (2, "B", "test")]
    assert moves(records[""]) == expected
    assert records[""].silence["B"].actions == ("hold",)
    assert len(records[""].unused) == 1
    again = detente.parse_record(record_csv(records), SCENARIO)
    assert moves(again) == expected
    thanked = filled(draft, tmp_path / "other.csv", actions, ["thank"])
    records = detente.code_chronology(chronology, thanked, SCENARIO)
    assert (1, "B", "thank") in moves(records[""])


def test_columns_are_found(tmp_path: Path) -> None:
    rows = [f"2018-0{1 + k % 3},{('test', 'thank')[k % 2]},{k},remark {k}" for k in range(10)]
    text = "\n".join(["month,kind,killed,words", *rows])
    chronology = detente.read_chronology(written(tmp_path, text))
    assert chronology.columns == ("kind",)
    assert {event.kind for event in chronology.events} == {"test", "thank"}


def test_units_are_kept_apart(tmp_path: Path) -> None:
    text = "date,unit,event\n2018-02,one,gift\n2018-03,two,gift\n"
    chronology = detente.read_chronology(written(tmp_path, text))
    book = detente.draft_codebook(chronology, SCENARIO)
    records = detente.code_chronology(chronology, book, SCENARIO)
    assert {unit: moves(record) for unit, record in records.items()} == {
        "one": [(1, "A", "give")],
        "two": [(2, "A", "give")],
    }


def test_a_kind_of_mistake_is_reported_once(tmp_path: Path) -> None:
    rows = [f"0{k}/02/2018,gift" for k in range(1, 9)] + ["soon,gift", "2018-02,"]
    told = refused(detente.read_chronology, written(tmp_path, "\n".join(["date,event", *rows])))
    assert len(told) == 3
    assert "`01/02/2018` can be two days; likewise in" in told[0]
    assert "6 other lines (4, 5, 6, 7, 8, …)" in told[0]
    chronology = detente.read_chronology(written(tmp_path, EVENTS), COLUMNS)
    draft = detente.draft_codebook(chronology, SCENARIO)
    (said,) = refused(detente.code_chronology, chronology, draft, SCENARIO)
    assert "3 kinds of event without an action" in said
    kept = "event (type | parties),actor,action\ngift | A,A,give\nthank | B,C,thank\nx,B,tst\n"
    book = detente.read_codebook(written(tmp_path, kept, "book.csv"))
    told = refused(detente.code_chronology, chronology, book, SCENARIO)
    assert len(told) == 3
    assert "`C` is not an actor" in told[0]
    assert "did you mean `test`?" in told[1]
    assert "3 kinds of event that" in told[2]
    assert "likewise in 3 other lines" in told[2]


def test_what_is_no_codebook_is_refused(tmp_path: Path) -> None:
    (said,) = refused(detente.read_chronology, written(tmp_path, ""))
    assert "begin it with such a line" in said
    (said,) = refused(detente.read_codebook, written(tmp_path, "date,actor,move\n"))
    assert "no column is called `event (…)`" in said
    assert "there is" not in refused(detente.read_codebook, tmp_path / "no.csv")[0]


def test_months_go_with_periods_of_months(tmp_path: Path) -> None:
    weekly = detente.loads(
        SCENARIO.text.replace("start: 2018-02, period: month", "start: 2018-02-01, period: week")
    )
    chronology = detente.read_chronology(written(tmp_path, "date,event\n2018-02,gift\n"))
    book = detente.draft_codebook(chronology, weekly)
    (said,) = refused(detente.code_chronology, chronology, book, weekly)
    assert "`2018-02` is a month, and a period of the scenario is a week" in said


@pytest.mark.skipif(not SHARED.exists(), reason="the published chronologies are not here")
def test_published_chronologies_are_read() -> None:
    scenario = detente.load("pyeongchang-2018")
    for name, kinds in (
        ("korea-provocations-1990-2020", 44),
        ("korea-us-negotiations-1990-2018", 8),
    ):
        chronology = detente.read_chronology(SHARED / f"{name}.csv")
        draft = detente.draft_codebook(chronology, scenario)
        assert sum(row.events > 0 for row in draft.codings) == kinds
        told = refused(detente.code_chronology, chronology, draft, scenario)
        assert len(told) == 1
