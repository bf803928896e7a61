"""A recovery in words and tables: estimates beside the truth, and how evenly ranks are spread."""

from __future__ import annotations

import numpy as np

from detente.describe.blocks import Block, Described, Section, text
from detente.describe.charts import Bars, Picture, Pictures
from detente.describe.fit import number
from detente.describe.tables import Row, Table, code
from detente.estimation.climb import Status
from detente.estimation.recovery import FAILED, Recovery
from detente.estimation.search import ENDED
from detente.numbers import count, with_interval
from detente.text import capital, sentence

BINS = 10
"""Bins of the picture of ranks."""

UNEVEN = 0.01
"""Probability of ranks as uneven as these below which they are called so."""

ONE_TRUTH = (
    "All records were drawn with the same values. Bias: the mean of the estimates less the truth, "
    "with the standard error that so many repetitions leave. Spread: the standard deviation of the "
    "estimates, which is the parametric bootstrap's standard error; the mean s.e. is what the fits "
    "report of themselves. 95 %: the share of intervals that hold the truth, and where it lies as "
    "far as so many repetitions say."
)
PRIOR = (
    "Each truth was drawn from the prior. Rank: the posterior's share below the truth, which is "
    "uniform if posterior, likelihood and simulator belong together; the last column is the "
    "probability of ranks as uneven as these (Kolmogorov's test). 95 %: the share of intervals "
    "that hold the truth, and where it lies as far as so many repetitions say."
)


def describe_recovery(recovery: Recovery) -> Described:
    """By itself: what was found again."""
    lead = (
        f"Recovery of {count(len(recovery.table), 'parameter')} from records that were drawn: "
        f"{count(recovery.done, 'repetition')}{_of(recovery)} with {count(recovery.units, 'unit')}",
        sentence("; ".join(_endings(recovery))),
    )
    section, data = recovery_section(recovery)
    return Described(recovery.scenario.title, lead, (section,), data, ())


def recovery_section(recovery: Recovery) -> tuple[Section, dict[str, object]]:
    """The section of a page, and its data."""
    blocks: list[Block] = [_table(recovery)]
    if recovery.prior:
        blocks.append(_ranks(recovery))
        uneven = recovery.table[recovery.table["uniform"] < UNEVEN]["parameter"]
        if len(uneven):
            words = f"The ranks of {', '.join(uneven)} are not uniform: what is said of the "
            blocks.append(text(words + "posterior does not hold."))
    blocks.append(text(PRIOR if recovery.prior else ONE_TRUTH))
    data = {
        "repetitions": recovery.asked,
        "done": recovery.done,
        "units": recovery.units,
        "prior": "ranges" if recovery.prior else "",
        "ended": recovery.ended,
        "recovery": recovery.table,
        "refits": recovery.repetitions,
    }
    return Section("recovery", "What a fit finds again", tuple(blocks)), data


def _of(recovery: Recovery) -> str:
    return "" if recovery.done == recovery.asked else f" of {recovery.asked} (interrupted)"


def _endings(recovery: Recovery) -> list[str]:
    """How many fits came to a maximum, and how the others ended."""
    good = {status.name for status in ENDED}
    came = sum(n for name, n in recovery.ended.items() if name in good)
    others = {FAILED: "nothing could be drawn"} | {s.name: s.value for s in Status}
    return [
        f"{came} of {recovery.done} fits came to a maximum",
        *(f"{n}: {others[name]}" for name, n in recovery.ended.items() if name not in good),
    ]


def _table(recovery: Recovery) -> Table:
    rows: list[Row] = []
    for r in recovery.table.itertuples():
        bias = f"{r.bias:.2g} ({r.bias_error:.1g})"
        cells = [number(r.truth), number(r.mean), bias, number(r.spread), number(r.se)]
        cells.append(with_interval(r.coverage, r.coverage_low, r.coverage_high))
        ranks = [f"{r.uniform:.2g}"] if recovery.prior else []
        rows.append((code(r.parameter), *cells, *ranks))
    names = ("parameter", "truth", "mean", "bias (s.e.)", "spread", "mean s.e.", "95 % intervals")
    header = (*names, "ranks uniform") if recovery.prior else names
    return Table(header, tuple(rows), range(1, len(header)))


def _ranks(recovery: Recovery) -> Pictures:
    pictures = []
    names = tuple(f"{k / BINS:.1f} – {(k + 1) / BINS:.1f}" for k in range(BINS))
    for name, rows in recovery.repetitions.dropna(subset=["rank"]).groupby("parameter", sort=False):
        counts, _ = np.histogram(rows["rank"], BINS, (0, 1))
        values = tuple(float(n) for n in counts)
        bars = Bars(f"Ranks of {name}", names, values, tuple(str(n) for n in counts))
        pictures.append(Picture(bars, capital("repetitions by the posterior's share below")))
    return Pictures(tuple(pictures))
