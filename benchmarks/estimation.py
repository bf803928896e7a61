"""Whether fits find again what records were drawn with, and how long that takes."""

from __future__ import annotations

import time
from dataclasses import replace

import detente
from benchmarks.report import Plan, Table, digits
from detente.numbers import with_interval

FREE = ("pain", "upkeep", "hold_down")
UNITS, REPETITIONS, SEEDS = 200, 50, (1, 2)


def run(plan: Plan) -> list[Table]:
    """`bargaining-rounds`, with one truth and with truths from the prior, and two seeds."""
    scenario = detente.load("bargaining-rounds")
    units, repetitions = (10, 2) if plan.quick else (UNITS, REPETITIONS)
    options = detente.FitOptions(free=FREE)
    if plan.quick:
        options = replace(options, solving=detente.SolveOptions(beliefs=5))
    rows: list[list[object]] = []
    kinds = [(prior, seed) for prior in ("", "ranges") for seed in SEEDS[: 1 if plan.quick else 2]]
    for prior, seed in kinds:
        plan.tell(f"recovery, {'truths from the prior' if prior else 'one truth'}, seed {seed}")
        begin = time.perf_counter()
        recovery = detente.recover(
            scenario, units, replace(options, prior=prior, seed=seed), repetitions=repetitions
        )
        seconds = time.perf_counter() - begin
        for r in recovery.table.itertuples():
            rows.append(
                [
                    f"{'from the prior' if prior else 'one'}, seed {seed}",
                    r.parameter,
                    f"{r.bias:.2g} ({r.bias_error:.1g})",
                    digits(r.spread),
                    digits(r.se),
                    with_interval(r.coverage, r.coverage_low, r.coverage_high),
                    f"{r.uniform:.2g}" if prior else "",
                    digits(seconds),
                ]
            )
    note = (
        f"`bargaining-rounds`, {units} records drawn in each of {repetitions} repetitions. Seconds "
        "are those of all repetitions of a kind."
    )
    columns = ["truth", "parameter", "bias (s.e.)", "spread", "mean s.e.", "95 % intervals"]
    return [Table("recovery", note, [*columns, "ranks uniform", "seconds"], rows)]
