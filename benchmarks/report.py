"""What a benchmark gives: times of several runs, tables of them, and the machine they are from."""

from __future__ import annotations

import datetime
import gc
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = (
    *("detente", "numpy", "numba", "pandas", "duckdb"),
    *("pygambit", "sgamesolver", "ema_workbench"),
)

SHORTEST = 0.05
"""Seconds that the runs of one figure take together at least: of short ones there are more."""

MOST_RUNS = 200


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    quick
        The smallest sizes only: to see whether everything works.
    runs
        Runs of each figure, at least.
    limit
        Seconds that a peer may take for one solve.
    peers
        Whether peers are run at all.
    against
        Another checkout, whose commands are measured beside these.
    """

    quick: bool = False
    runs: int = 5
    limit: float = 120.0
    peers: bool = True
    against: Path | None = None

    def tell(self, what: str) -> None:
        """Say on stderr what is being measured."""
        print(f"  {what} …", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Times:
    """Seconds of several runs of the same thing, or of a part of it (see `per`)."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure that is compared."""
        return statistics.median(self.runs)

    def per(self, count: float) -> Times:
        """The same for one of `count` equal parts."""
        return Times(tuple(seconds / count for seconds in self.runs))

    def __str__(self) -> str:
        unit, scale = _unit(self.median)
        text = f"{digits(self.median * scale)} {unit}"
        if len(self.runs) > 1:
            low, high = (digits(f(self.runs) * scale) for f in (min, max))
            text += f" ({low}–{high})"
        return text


def times(call: Callable[[], object], plan: Plan, *, warm: bool = True) -> Times:
    """Time a call several times, after one that does not count unless `warm` is False."""
    if warm:
        call()
    seconds: list[float] = []
    gc.collect()
    gc.disable()
    try:
        while len(seconds) < plan.runs or (sum(seconds) < SHORTEST and len(seconds) < MOST_RUNS):
            begin = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - begin)
    finally:
        gc.enable()
    return Times(tuple(seconds))


@dataclass(frozen=True)
class Table:
    """A table with a title, and what has to be known to read it."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        cells = [list(self.columns), *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(len(row[c]) for row in cells) for c in range(len(self.columns))]
        lines = [
            "| " + " | ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)) + " |"
            for row in cells
        ]
        lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
        return "\n".join([f"### {self.title}", "", self.note, "", *lines])


def ratio(numerator: float, denominator: float) -> str:
    """How many times as long."""
    return f"{digits(numerator / denominator)} ×"


def digits(number: float) -> str:
    """Three significant digits, without powers of ten; large numbers in full."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) >= 1e-3 else f"{number:.1e}"


def large(number: int) -> str:
    """A count, of which large ones are given by their power of ten."""
    text = str(number)
    return f"{number:,}" if len(text) <= 9 else f"about 10^{len(text) - 1}"


def size(count: float) -> str:
    """Bytes, in MiB."""
    return f"{digits(count / 2**20)} MiB"


def peak(process: int | str = "self") -> int:
    """Largest resident memory of a process so far, in bytes; 0 where the system does not tell.

    What `getrusage` says may be that of the process that started this one, from before the fork;
    Linux has the right number elsewhere. macOS counts in bytes, others in KiB.
    """
    status = Path(f"/proc/{process}/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return 1024 * next((int(li.split()[1]) for li in lines if li.startswith("VmHWM")), 0)
    if process != "self":
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine(plan: Plan) -> str:
    """The machine, the versions and the day, as a list."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = [
        f"processor: {_processor()}, {os.cpu_count()} cores as the system counts them",
        f"memory: {memory:.1f} GiB",
        f"system: {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}; {', '.join(filter(None, map(_version, PACKAGES)))}",
        f"date: {datetime.date.today().isoformat()}; load of the machine before: "
        f"{os.getloadavg()[0]:.1f}",
        f"each figure: median (lowest–highest) of {plan.runs} runs or more; of 3 or more where one "
        "takes minutes",
    ]
    if plan.quick:
        facts.append("quick: the smallest sizes only, to see that all works; not for comparison")
    return "\n".join(f"- {fact}" for fact in facts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return ""


def _unit(seconds: float) -> tuple[str, float]:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1.0:
            return unit, scale
    return "ns", 1e9


def _cell(value: object) -> str:
    if isinstance(value, float):
        return digits(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
