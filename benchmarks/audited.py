"""What a run pays for saying how far its forecast can be defended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from benchmarks.first_minute import LARGE, SMALL
from benchmarks.report import ROOT, Plan, Table, Times, digits, ratio

WAYS = {"run --no-audit": ("--no-audit",), "run": ()}


def run(plan: Plan) -> list[Table]:
    """The two ways in turn, after one of each that does not count."""
    rows: list[list[object]] = []
    for name in (SMALL, LARGE):
        short = ("--horizon", "2", "--beliefs", "5") if plan.quick else ()
        measured: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
        for k in range(plan.runs + 1):
            plan.tell(f"{name}, with and without the audit, {k} of {plan.runs}")
            for way, words in WAYS.items():
                measured[way].append(command("run", name, *words, *short))
        without, audited = (
            [Times(seconds) for seconds in zip(*pairs[1:], strict=True)]
            for pairs in measured.values()
        )
        rows.append(
            [
                name,
                *(way[0] for way in (without, audited)),
                ratio(audited[0].median, without[0].median),
                *(digits(way[1].median) for way in (without, audited)),
                ratio(audited[1].median, without[1].median),
            ]
        )
    note = (
        "Whole processes in turn, kernels compiled before. `processor time` is that of all "
        "threads, in seconds: it hardly depends on what else the machine does."
    )
    columns = ["", *WAYS, "ratio", *(f"{way}, processor time" for way in WAYS), "ratio"]
    return [Table("run with and without its audit", note, columns, rows)]


def command(*words: str) -> tuple[float, float]:
    """Seconds and processor seconds of one command."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "detente.cli.main", *words],
        cwd=tempfile.gettempdir(),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"detente {' '.join(words)} ended with {process.returncode}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime
