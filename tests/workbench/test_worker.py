"""Processes: newest first, cancelled where nobody waits, replaced where they end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from queue import Queue

import pytest

from detente.workbench.jobs import LAST, Event, Job, Means
from detente.workbench.worker import Worker
from tests.workbench import performers

Events = Queue[tuple[Job, Event]]


@pytest.fixture
def events() -> Events:
    return Queue()


@pytest.fixture
def worker(events: Events, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr("detente.workbench.worker.PATIENCE", 0.3)
    made = Worker(performers.act, Means(), lambda job, event: events.put((job, event)))
    yield made
    made.close()


def job(number: int, text: str) -> Job:
    return Job(number, "page", "answer", text, "file")


def ends(events: Events, count: int) -> list[tuple[int, Event]]:
    """The last events of so many jobs."""
    found: list[tuple[int, Event]] = []
    while len(found) < count:
        done, event = events.get(timeout=120)
        if event["kind"] in LAST:
            found.append((done.number, event))
    return found


def begun(events: Events, number: int) -> None:
    while True:
        started, event = events.get(timeout=120)
        if started.number == number and event["kind"] == "begun":
            return


def test_events_come_in_their_order(worker: Worker, events: Events) -> None:
    worker.submit(job(1, "hello"))
    kinds = [events.get(timeout=120)[1]["kind"] for _ in range(4)]
    assert kinds == ["taken", "begun", "said", "end"]


def test_the_newest_is_done_first(worker: Worker, events: Events) -> None:
    worker.submit(job(1, "slow"))
    begun(events, 1)
    for number in (2, 3, 4):
        worker.submit(job(number, "hello"))
    worker.cancel(lambda job: job.number == 1)
    assert [number for number, _ in ends(events, 4)] == [1, 4, 3, 2]


def test_a_cancelled_job_stops_and_says_so(worker: Worker, events: Events) -> None:
    worker.submit(job(1, "slow"))
    begun(events, 1)
    worker.submit(job(2, "hello"))
    begin = time.monotonic()
    worker.cancel(lambda job: True)
    assert {event["kind"] for _, event in ends(events, 2)} == {"cancelled"}
    assert time.monotonic() - begin < 5


def test_one_that_does_not_listen_is_ended_with_its_process(worker: Worker, events: Events) -> None:
    worker.submit(job(1, "deaf"))
    begun(events, 1)
    worker.cancel(lambda job: True)
    assert ends(events, 1)[0][1]["kind"] == "cancelled"
    worker.submit(job(2, "hello"))
    assert ends(events, 1)[0] == (2, {"kind": "end"})


def test_its_process_ends_with_it(worker: Worker, events: Events) -> None:
    worker.submit(job(1, "deaf"))
    begun(events, 1)
    process = worker._process
    assert process is not None
    worker.close()
    assert not process.is_alive()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("killed", "failed", "memory"),
        ("unsolved", "failed", "no solution"),
        ("broken", "failed", "ZeroDivisionError"),
        ("refused", "refused", "this cannot be"),
    ],
)
def test_what_goes_wrong_is_said_and_the_next_job_is_done(
    worker: Worker, events: Events, text: str, kind: str, words: str
) -> None:
    worker.submit(job(1, text))
    (_, last), *_ = ends(events, 1)
    assert last["kind"] == kind
    assert words in str(last)
    worker.submit(job(2, "hello"))
    assert ends(events, 1)[0] == (2, {"kind": "end"})
