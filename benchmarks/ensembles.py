"""Many draws: how many a second, what the ensemble adds to its solves, memory, and a peer.

    python -m benchmarks.ensembles PART … [--quick]

prints some parts only: `bargaining`, `pyeongchang`, `memory`, `workbench`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.apart import Case, Found, ask
from benchmarks.peers import missing
from benchmarks.report import Plan, Table, Times, digits, machine, size

PEER = "ema_workbench"

FEWEST = 3
"""Rounds of runs, of which each has every way once."""

BUDGET = 100.0
"""Seconds after which no further round is begun."""

BARGAINING = Case("bargaining-rounds", draws=120, beliefs=9, values={"rounds": 12}, warm=24)

PYEONGCHANG = Case(
    "pyeongchang-2018",
    draws=13,
    beliefs=5,
    policies=(
        "maximum pressure, open door",
        "talks only after calm",
        "freeze for freeze",
        "relief first",
    ),
    warm=3,
)

TINY = Case("bargaining-rounds", draws=1000, beliefs=5, values={"rounds": 1}, workers=2)
"""Of which so many can be solved that what grows with them would be seen."""

MEMORY = (1_000, 100_000)
"""Draws at which memory is measured."""

FAILING = Case(
    "bargaining-rounds",
    draws=500,
    beliefs=5,
    values={"rounds": 1},
    workers=2,
    failing=True,
    limit=60.0,
)
"""One draw in a hundred is ill formed; who does not end is stopped."""

Way = tuple[str, str, int]
"""How it is called in a table, the way, and its processes."""

ONE: Way = ("ensemble, 1 worker", "ensemble", 1)
TWO: Way = ("ensemble, 2 workers", "ensemble", 2)
LOOP: Way = ("`Worker.solve` in a loop", "worker", 1)
BARE: Way = ("`with_values`, `solve`, `forward`", "bare", 1)
OTHER: Way = ("EMA workbench, 2 processes", "workbench", 2)


@dataclass(frozen=True)
class Runs:
    """Runs of several ways in turn: `by[way][n]` is of round n."""

    by: dict[Way, list[Found]]

    def each(self, way: Way) -> Times:
        """Seconds a draw, when all is under way."""
        return Times(tuple(found.each for found in self.by[way]))

    def rate(self, way: Way) -> str:
        """Draws a second."""
        return spread([1 / found.each for found in self.by[way]])

    def against(self, way: Way, other: Way) -> list[float]:
        """Seconds a draw in those of the other way, round by round."""
        return [a.each / b.each for a, b in zip(self.by[way], self.by[other], strict=True)]

    def first(self, way: Way) -> Times:
        """Seconds to the first draw."""
        return Times(tuple(found.first for found in self.by[way]))

    @property
    def told(self) -> str:
        """How many runs there were, and which of them did not end well."""
        count = len(next(iter(self.by.values())))
        broken = [f"{way[0]}: {f.ended}" for way, all_ in self.by.items() for f in all_ if f.ended]
        return ". ".join([f"{count} runs of each, in turn", *dict.fromkeys(broken)]) + "."

    def largest(self, way: Way) -> str:
        """Memory of the largest process."""
        return size(max(found.largest for found in self.by[way]))


def run(plan: Plan) -> list[Table]:
    """All tables."""
    return [table for part in PARTS.values() for table in part(plan)]


def bargaining(plan: Plan) -> list[Table]:
    """The small game."""
    return rates(sized(BARGAINING, plan), [ONE, TWO, LOOP, BARE], plan)


def pyeongchang(plan: Plan) -> list[Table]:
    """The default scenario; without the barest loop, to save time."""
    return rates(sized(PYEONGCHANG, plan), [ONE, TWO, LOOP], plan)


def sized(case: Case, plan: Plan) -> Case:
    """A case, or its smallest form."""
    if not plan.quick:
        return case
    small = replace(case, draws=min(case.draws, 12), warm=min(case.warm, 4), limit=60.0)
    if "rounds" in case.values:
        return replace(small, values={"rounds": 1}, beliefs=5)
    return replace(small, horizon=1, draws=3, warm=1, policies=case.policies[:2])


def rates(case: Case, ways: Sequence[Way], plan: Plan) -> list[Table]:
    """Draws a second on one worker and on two, beside the bare solves."""
    runs = in_turn(case, ways, plan)
    timed = f"{case.draws - case.warm:,} draws after {case.warm:,} that are not timed"
    rows: list[list[object]] = []
    for way in (ONE, TWO):
        shares = [100 / (way[2] * ratio) for ratio in runs.against(way, ONE)]
        reached = "–" if way is ONE else f"{spread(shares)} %"
        rows.append([way[2], runs.rate(way), reached, runs.first(way), runs.largest(way)])
    speed = Table(
        f"{case.scenario}: draws a second",
        f"{_told(case)}; {timed}: processes load their libraries and kernels and enumerate "
        "meanwhile. Timed to the last draw during which all workers are busy, results written. "
        "`efficiency`: the rate in twice that of one worker in the same round. `first draw`: "
        "start of workers, libraries, kernels (compiled before), enumeration, and a solve. "
        "`largest process`: peak of resident memory of the main process or a worker. "
        f"{runs.told}",
        ["workers", "draws a second", "efficiency", "first draw", "largest process"],
        rows,
    )
    rows = []
    for way in (way for way in ways if way is not TWO):
        more = [100 * (ratio - 1) for ratio in runs.against(ONE, way)]
        added = "–" if way is ONE else f"{spread(more)} %"
        rows.append([way[0], runs.each(way), added])
    own = Times(tuple(found.own / found.counted for found in runs.by[ONE]))
    over = Table(
        f"{case.scenario}: the ensemble over its solves",
        "The same draws as above, in turn with the runs above; the loops in one process with one "
        "thread. `ensemble adds`: by how much a draw of the ensemble with one worker takes longer "
        "than one of the loop in the same round. The loop of `Worker.solve` makes rows; one of "
        "`with_values`, `solve` and `forward` compiles once, and keeps nothing. "
        f"Beside it the main process has {own} of processor time a draw, on another core where "
        "there is one.",
        ["way", "a draw", "ensemble adds"],
        rows,
    )
    return [speed, over]


def memory(plan: Plan) -> list[Table]:
    """Peaks at few draws and at many."""
    rows: list[list[object]] = []
    for draws in (8, 24) if plan.quick else MEMORY:
        plan.tell(f"memory, {draws:,} draws")
        found = ask("ensemble", replace(TINY, draws=draws))
        rows.append(
            [
                draws,
                size(found.main),
                size(found.others),
                size(found.folder),
                f"{digits(found.folder / draws)} B",
                Times((found.whole,)),
            ]
        )
    note = (
        f"{_told(TINY)}, 2 workers, one run each. Largest resident memory of the main process, "
        "with its libraries, until the results are open; of a worker; and what the folder takes "
        "in the end."
    )
    columns = ["draws", "main process", "largest worker", "folder", "a draw", "whole run"]
    return [Table("Memory of an ensemble", note, columns, rows)]


def workbench(plan: Plan) -> list[Table]:
    """The same solve as EMA workbench's model function."""
    absent = missing(PEER)
    case = sized(BARGAINING, plan)
    both = plan.peers and not absent
    ways = [TWO, OTHER] if both else [TWO]
    runs = in_turn(case, ways, plan)
    speed = Table(
        "EMA workbench",
        f"{_told(case)}; {case.draws - case.warm:,} draws after {case.warm:,} that are not timed, "
        "the same for both. EMA workbench has the barest loop of the table above as its model "
        "function, which gives the same numbers; `MultiprocessingEvaluator`, forked; its results "
        f"stay in memory, ours are written. {runs.told} {absent}".strip(),
        ["", "draws a second", "first draw", "largest process"],
        [[way[0], runs.rate(way), runs.first(way), runs.largest(way)] for way in ways],
    )
    failing = FAILING
    if plan.quick:
        failing = replace(FAILING, draws=100, limit=20.0)
    tries: list[tuple[str, str, bool]] = [(TWO[0], "ensemble", False)]
    if both:
        tries.append((f"{OTHER[0]}, the exception as it is", "workbench", False))
        tries.append((f"{OTHER[0]}, as its `CaseError`", "workbench", True))
    rows: list[list[object]] = []
    for name, way, told in tries:
        plan.tell(f"one in a hundred fails: {name}")
        found = ask(way, replace(failing, told=told))
        said = "; ".join(f"{count} × {what}" for what, count in gathered(found).items())
        ended = found.ended or "as if nothing had been"
        rows.append([name, found.back, said or "–", ended, Times((found.whole,))])
    fails = Table(
        "One draw in a hundred fails",
        f"{_told(failing)}, {failing.draws:,} draws and the present values. The range of `prior` "
        "ends above 1: about one draw in a hundred is no distribution, and is refused by "
        "`with_values`. `numbers of another draw`: exactly those of an earlier row. "
        f"Stopped after {failing.limit:.0f} s. {absent}".strip(),
        ["", "draws that came back", "the failed ones", "ended", "time"],
        rows,
    )
    return [speed, fails]


def gathered(found: Found) -> dict[str, int]:
    """Failures by their status: what is said has the numbers of each draw in it."""
    counts: dict[str, int] = {}
    for said, count in found.failures.items():
        status = said.partition(":")[0]
        counts[status] = counts.get(status, 0) + count
    return counts


def in_turn(case: Case, ways: Sequence[Way], plan: Plan) -> Runs:
    """Run the ways one after the other, and again, each time another one first: A B C, B C A.

    A machine that others use too is slower for minutes on end: no way is to have the same place.
    """
    by: dict[Way, list[Found]] = {way: [] for way in ways}
    begin = time.perf_counter()
    for n in range(1 if plan.quick else plan.runs):
        if n >= FEWEST and time.perf_counter() - begin > BUDGET:
            break
        first = n % len(ways)
        for way in (*ways[first:], *ways[:first]):
            plan.tell(f"{case.scenario}, round {n + 1}, {way[0]}")
            by[way].append(ask(way[1], replace(case, workers=way[2])))
    return Runs(by)


def spread(numbers: Sequence[float]) -> str:
    """Median (lowest–highest)."""
    text = digits(statistics.median(numbers))
    if len(numbers) > 1:
        text += f" ({digits(min(numbers))}–{digits(max(numbers))})"
    return text


def _told(case: Case) -> str:
    told = [f"`{case.scenario}`"]
    told += [f"{name} = {value:g}" for name, value in case.values.items()]
    if case.horizon is not None:
        told.append(f"horizon {case.horizon}")
    told.append(f"{case.beliefs} belief points")
    if case.policies:
        told.append(f"{len(case.policies)} policies ({'; '.join(case.policies)}), all in each draw")
    return ", ".join(told)


PARTS: dict[str, Callable[[Plan], list[Table]]] = {
    "bargaining": bargaining,
    "pyeongchang": pyeongchang,
    "memory": memory,
    "workbench": workbench,
}


def main(words: Sequence[str] | None = None) -> None:
    """Print some parts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensembles")
    parser.add_argument("part", nargs="+", choices=PARTS)
    parser.add_argument("--quick", action="store_true", help="smallest sizes, few runs")
    chosen = parser.parse_args(words)
    plan = Plan(quick=chosen.quick)
    print(machine(plan), flush=True)
    for part in chosen.part:
        print(f"{part}:", file=sys.stderr, flush=True)
        for table in PARTS[part](plan):
            print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
