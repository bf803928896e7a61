"""A real scheduler and real workers on this machine, which are killed in the middle."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

import detente
from detente.ensembles import cluster, manifest, store
from detente.ensembles.cluster import ClusterPool
from detente.ensembles.request import Draws
from detente.ensembles.results import open_ensemble
from detente.ensembles.run import ensemble, run
from detente.errors import ScenarioError, SolveError
from detente.processes import ROOT
from detente.solver.options import SolveOptions
from tests.ensembles.runs import a_manifest, assert_same, solved_here
from tests.ensembles.texts import SOUND

DEADLY = """
import os

def dask_setup(worker):
    from detente.ensembles import process

    begin = process.Process.begin

    def deadly(self, task):
        if task.key == (3, 7):
            os._exit(9)
        begin(self, task)

    process.Process.begin = deadly
"""
"""Loaded by the workers: draw 3 on 7 belief points takes them with it."""

LOCAL = ("--host", "127.0.0.1", "--no-dashboard")
WORKER = ("--nthreads", "1", *LOCAL)

PATIENCE = 180
"""Seconds for something to start: long, because machines may be busy."""

GRACE = 20
"""Seconds for something to end by itself."""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, which are started again when they die."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "deadly.py").write_text(DEADLY, "utf-8")
    with ended() as processes:
        address = a_scheduler(folder, processes)
        options = ("--nworkers", "2", "--preload", str(folder / "deadly.py"))
        processes.append(started(folder, "worker", address, *options, *WORKER))
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        yield address


@contextmanager
def ended() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are ended with the block, the last one first.

    One after the other: a worker of Dask's that is told to end while its scheduler says good-bye
    may wait for itself for ever. Where the scheduler has been killed before, that can still be, so
    that one that takes too long is killed as well.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        yield processes
    finally:
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def a_scheduler(folder: Path, processes: list[subprocess.Popen[bytes]]) -> str:
    """Start one, and give its address, which is in the file `scheduler.json`, too."""
    file = folder / "scheduler.json"
    words = ("scheduler", "--port", "0", "--scheduler-file", str(file), *LOCAL)
    processes.append(started(folder, *words))
    until = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    address: str = json.loads(file.read_text())["address"]
    return address


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    # Every death counts at once, so that what follows from many is seen after one.
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "PYTHONPATH": str(ROOT)}
    with (folder / f"{words[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=folder,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(scheduler: str, tmp_path: Path) -> None:
    asked = a_manifest(draws=12)
    told: list[int] = []
    with ClusterPool(asked, scheduler) as pool, store.create(tmp_path / "run", asked) as kept:

        def kill(done: int, total: int, failed: int) -> None:
            told.append(done)
            if done == 5 and told.count(5) == 1:
                with Client(scheduler, set_as_default=False) as client:
                    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)

        run(kept, pool, kill)
    # The present values and the finer solves of two are solved too, and are no draws.
    assert len(told) == 16
    assert told == sorted(told)
    assert list(dict.fromkeys(told)) == list(range(13))
    found = open_ensemble(tmp_path / "run")
    assert found.failures.empty
    assert_same(found, solved_here(tmp_path / "here", asked))


@pytest.mark.slow
def test_a_draw_that_kills_workers_becomes_rows_that_say_so(scheduler: str, tmp_path: Path) -> None:
    scenario = detente.loads(SOUND, file="round.yaml")
    found = ensemble(
        scenario, options=SolveOptions(7), draws=Draws(6, checked=0), cluster=scheduler
    )
    assert found.complete
    assert list(found.failures["draw"]) == [3, 3]
    assert set(found.failures["status"]) == {"CRASHED"}
    assert set(found.failures["reason"]) == {
        "its process died 2 times, the last time with its worker of the cluster"
    }


@pytest.mark.slow
def test_other_versions_are_refused(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = detente.loads(SOUND, file="round.yaml")
    with Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE)  # they may have died in another test
    real = manifest.version
    monkeypatch.setattr(manifest, "version", lambda name: "1.0" if name == "numpy" else real(name))
    with pytest.raises(SolveError, match=r"has other versions: numpy .*, here 1\.0"):
        ensemble(
            scenario,
            options=SolveOptions(5),
            draws=4,
            cluster=scheduler,
            output=tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()


def test_a_scheduler_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT", "1s")
    scenario = detente.loads(SOUND, file="round.yaml")
    with pytest.raises(ScenarioError, match=r"there is no scheduler at tcp://127\.0\.0\.1:9"):
        ensemble(scenario, draws=4, cluster="tcp://127.0.0.1:9", output=tmp_path / "run")
    with pytest.raises(ScenarioError, match="a cluster has its own workers"):
        ensemble(scenario, options=SolveOptions(threads=2), cluster="tcp://127.0.0.1:9")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_that_there_are_no_workers_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "NOTICE", 0.5)
    monkeypatch.setattr(cluster, "LOOK", 0.1)
    told: list[str] = []
    with ended() as processes:
        address = a_scheduler(tmp_path, processes)

        class Hire(logging.Handler):
            def emit(self, manifest: logging.LogRecord) -> None:
                told.append(manifest.getMessage())
                processes.append(started(tmp_path, "worker", address, "--no-nanny", *WORKER))

        hire = Hire()
        logging.getLogger("detente").addHandler(hire)
        try:
            scenario = detente.loads(SOUND, file="round.yaml")
            found = ensemble(
                scenario, options=SolveOptions(5), draws=Draws(3, checked=0), cluster=address
            )
        finally:
            logging.getLogger("detente").removeHandler(hire)
    assert found.complete
    assert told == [f"The scheduler at {address} has no workers: waiting for one."]


@pytest.mark.slow
def test_a_lost_scheduler_ends_the_run_with_what_was_done(tmp_path: Path) -> None:
    with ended() as processes:
        address = a_scheduler(tmp_path, processes)
        processes.append(started(tmp_path, "worker", address, "--no-nanny", *WORKER))

        def kill(done: int, total: int, failed: int) -> None:
            if done == 3:
                processes[0].kill()

        scenario = detente.loads(SOUND, file="round.yaml")
        with pytest.raises(
            SolveError, match=r"is gone\n3 of 9 draws are kept in .*run\nhint: resume"
        ):
            ensemble(
                scenario,
                options=SolveOptions(5),
                draws=Draws(9, checked=0),
                cluster=str(tmp_path / "scheduler.json"),
                output=tmp_path / "run",
                progress=kill,
            )
    asked = a_manifest(draws=9, checked=0)
    assert_same(solved_here(tmp_path / "run", asked), solved_here(tmp_path / "here", asked))
