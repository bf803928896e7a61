"""Fits side by side: for people, and as the LaTeX of a table as the field prints them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from detente.describe.blocks import Block, Described, Section, text
from detente.describe.fit import number
from detente.describe.tables import Row, Table, code
from detente.estimation.side_by_side import FitSummary, ModelTest, compared
from detente.numbers import count

HOW = (
    "Standard errors in brackets. Likelihood ratio: twice the difference of log-likelihoods, of a "
    "fit that is another with parameters held. Vuong: of fits that are not nested, positive where "
    "the first is nearer to the truth; in brackets in Schwarz's form, in which parameters are paid "
    "for. A small p speaks against the smaller model, or against both being as good."
)


def describe_fits(fits: Sequence[FitSummary]) -> Described:
    """A column for each fit, and the tests between them."""
    tests = compared(fits)
    rows: list[Row] = [
        (code(name), *(_cell(fit, name) for fit in fits)) for name in _parameters(fits)
    ]
    rows += [(name, *cells) for name, cells in _foot(fits)]
    header = ("parameter", *(fit.name for fit in fits))
    blocks: list[Block] = [Table(header, tuple(rows), range(1, len(header)))]
    if tests:
        blocks.append(Table(("test", "of", "statistic", "p"), tuple(map(_test, tests)), (2, 3)))
    blocks.append(text(HOW))
    estimates = pd.DataFrame(
        [
            (fit.name, name, *pair, fit.log_likelihood, fit.aic, fit.bic, fit.units)
            for fit in fits
            for name, pair in fit.estimates.items()
        ],
        columns=["fit", "parameter", "estimate", "se", "log_likelihood", "aic", "bic", "units"],
    )
    table = pd.DataFrame([{n: getattr(t, n) for n in ModelTest.__slots__} for t in tests])
    lead = (f"{count(len(fits), 'fit')}, {count(len(_parameters(fits)), 'parameter')}",)
    section = Section("fits", "Estimates", tuple(blocks))
    return Described("Fits side by side", lead, (section,), {"fits": estimates, "tests": table})


def latex(fits: Sequence[FitSummary]) -> str:
    """A `tabular`: estimates with their standard errors below, and the fits' likelihoods."""
    lines = [rf"\begin{{tabular}}{{l{'r' * len(fits)}}}", r"\hline"]
    lines += [_line("", [fit.name for fit in fits]), r"\hline"]
    for name in _parameters(fits):
        pairs = [fit.estimates.get(name, (None, None)) for fit in fits]
        lines.append(_line(name, [_number(estimate) for estimate, _ in pairs]))
        lines.append(_line("", [f"({_number(se)})" if se is not None else "" for _, se in pairs]))
    lines += [r"\hline", *(_line(name, cells) for name, cells in _foot(fits))]
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def _parameters(fits: Sequence[FitSummary]) -> list[str]:
    return list(dict.fromkeys(name for fit in fits for name in fit.estimates))


def _cell(fit: FitSummary, name: str) -> str:
    estimate, se = fit.estimates.get(name, (None, None))
    return f"{_number(estimate)} ({_number(se)})" if se is not None else _number(estimate)


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _foot(fits: Sequence[FitSummary]) -> list[tuple[str, list[str]]]:
    return [
        ("Units", [f"{fit.units:,}" for fit in fits]),
        ("Observations", [f"{fit.observations:,}" for fit in fits]),
        ("Log-likelihood", [f"{fit.log_likelihood:.3f}" for fit in fits]),
        ("AIC", [f"{fit.aic:.2f}" for fit in fits]),
        ("BIC", [f"{fit.bic:.2f}" for fit in fits]),
    ]


def _test(test: ModelTest) -> Row:
    pair = f"{test.first}, {test.second}"
    if test.reason:
        return (test.kind, f"{pair}: {test.reason}", "", "")
    if test.degrees:
        statistic = f"χ²({test.degrees}) = {test.statistic:.3f}"
    else:
        statistic = f"z = {test.statistic:.2f} ({test.corrected:.2f})"
    return (test.kind, pair, statistic, f"{test.p:.2g}")


def _line(name: str, cells: Sequence[str]) -> str:
    return " & ".join(_escaped(cell) for cell in (name, *cells)) + r" \\"


def _escaped(cell: str) -> str:
    for sign in ("\\", "&", "%", "$", "#", "_", "{", "}"):
        cell = cell.replace(sign, r"\textbackslash " if sign == "\\" else f"\\{sign}")
    return f"$-${cell[1:]}" if cell.startswith("-") else cell
