"""A workbench with a small scenario in a file, of which no process solves anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from detente.workbench.app import Workbench, build_app
from detente.workbench.guard import Guard, Rate
from detente.workbench.jobs import Job, Means
from tests.report.conftest import EVERYTHING

PORT = 8418
HOME = f"http://127.0.0.1:{PORT}"
TOKEN = "the-token-of-this-test"
CLIENT = "client-0001"


class Idle:
    """In the place of a worker: keeps the jobs."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def cancel(self, wanted: Callable[[Job], bool]) -> None:
        self.jobs = [job for job in self.jobs if not wanted(job)]

    def close(self) -> None:
        pass


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "standoff.yaml"
    path.write_text(f"# the author's own words\n{EVERYTHING}", encoding="utf-8")
    return path


@pytest.fixture
def bench(file: Path) -> Workbench:
    made = Workbench([str(file), "bargaining-rounds"], Means(), file.parent)
    made.close()
    made.answers, made.analyses = Idle(), Idle()  # type: ignore[assignment]
    return made


@pytest.fixture
def guard(bench: Workbench) -> Guard:
    made = build_app(bench, port=PORT, token=TOKEN)
    made.rate = Rate(1e9, 1e9)
    return made


@pytest.fixture
def stranger(guard: Guard) -> Iterator[TestClient]:
    """One who knows the address without the token."""
    with TestClient(guard, base_url=HOME, follow_redirects=False) as client:
        yield client


@pytest.fixture
def user(stranger: TestClient) -> TestClient:
    """One who has opened the address that was printed."""
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    stranger.headers["origin"] = HOME
    return stranger
