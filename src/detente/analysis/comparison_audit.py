"""`audit_comparison`: which differences between policies can be defended.

A difference holds if it keeps its sign over half to twice the precision, and on both belief grids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detente.analysis.compare import ROUNDING, Comparison, efficient_rows
from detente.analysis.precision_band import FACTORS, SETTLED, PrecisionBand, precision_band
from detente.dtypes import Floats
from detente.errors import expect
from detente.scenario.frozen import Frozen
from detente.simulation.columns import Columns
from detente.simulation.forecast import marginal
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions


@dataclass(frozen=True, eq=False)
class ComparisonAudit:
    """What of a comparison of policies holds over half to twice the precision.

    Differences are those from the base. They are looked at as compared, and on the coarser belief
    grid at half, at once and at twice the precision: `low` and `high` are the least and the most of
    these, and a difference `holds` if all have one sign and none is negligible.

    outcomes
        `policy, t, outcome, difference, low, high, holds`, at the periods that are reported, of
        the probability that it has come about by then; and `then_difference, then_low, then_high,
        then_holds`, of the probability that it holds then. Negligible is less than `SETTLED`.
    payoffs
        `policy, actor, type, difference, low, high, holds`; negligible is less than the error.
    best
        `actor, type, policy`: the policies that come first for somebody in some of these cases,
        and whether one of those tied with the best as compared comes first in all (`holds`).
    efficient
        The policies that are efficient in all of these cases.
    points
        Belief points of the coarser grid.
    solved
        Whether every solve ended as it should.
    """

    tables: Frozen[Columns]
    efficient: tuple[str, ...]
    points: tuple[int, ...]
    solved: bool

    def holds(self, policy: str, outcome: str, t: int, *, then: bool = False) -> bool:
        """Whether the sign of a difference holds: of coming about by t, or of holding `then`."""
        row = self.tables["outcomes"].where(policy=policy, outcome=outcome, t=t)
        return bool(row["then_holds" if then else "holds"].all())

    def contenders(self, actor: str, kind: str) -> tuple[str, ...]:
        """The policies under which somebody may do best; none where that does not depend."""
        rows = self.tables["best"].where(actor=actor, type=kind)
        return () if rows["holds"].all() else tuple(rows["policy"].tolist())


def audit_comparison(
    comparison: Comparison, options: SolveOptions = DEFAULT_OPTIONS
) -> ComparisonAudit | None:
    """Which differences from the base keep their sign over grids and precisions.

    None where a precision is the limit: there is no half of it, and no twice.
    """
    expect(comparison, Comparison, "audit_comparison")
    bands: dict[str, PrecisionBand] = {}
    count = len(comparison.forecasts)
    for k, (policy, result) in enumerate(comparison.forecasts.items()):
        band = precision_band(result, options.step(k / count, (k + 1) / count))
        if band is None:
            return None
        bands[policy] = band
    order = list(comparison.forecasts)
    base = order.index(comparison.base)
    values = _payoff_cases(comparison, bands)
    rows = next(iter(comparison.forecasts.values())).tables["payoffs"]
    names = {name: rows[name] for name in ("actor", "type")}
    error = comparison.payoffs["error"].to_numpy().reshape(len(order), -1)
    limit = np.nan_to_num(error + error[base]) + ROUNDING
    outcomes, payoffs = [], []
    for p, policy in enumerate(order):
        if p != base:
            outcomes.append({"policy": policy, **_outcome_signs(comparison, bands, policy)})
            signs = _signs(values[:, p] - values[:, base], limit[p])
            payoffs.append({"policy": policy, **names, **signs})
    kept = [efficient_rows(value, error) for value in values]
    tables = {
        "outcomes": Columns.of(
            ("policy", "t", "outcome", *SIGNS, *(f"then_{name}" for name in SIGNS)), outcomes
        ),
        "payoffs": Columns.of(("policy", "actor", "type", *SIGNS), payoffs),
        "best": Columns.of(("actor", "type", "policy", "holds"), _best(comparison, values)),
    }
    return ComparisonAudit(
        Frozen(tables),
        tuple(order[p] for p in np.flatnonzero(np.all(kept, axis=0))),
        bands[comparison.base].points,
        all(band.solved for band in bands.values()),
    )


SIGNS = ("difference", "low", "high", "holds")


def _signs(differences: Floats, least: Floats | float) -> dict[str, object]:
    """What becomes of differences [case, row], of which the first is the one reported."""
    low, high = differences.min(axis=0), differences.max(axis=0)
    holds = (low > least) | (high < -least)
    return dict(zip(SIGNS, (differences[0], low, high, holds), strict=True))


def _outcome_signs(
    comparison: Comparison, bands: Mapping[str, PrecisionBand], policy: str
) -> dict[str, object]:
    """The signs of a policy's changes at the periods that are reported."""
    results = comparison.forecasts[comparison.base], comparison.forecasts[policy]
    marks = comparison.scenario.calendar.marks(results[0].periods)
    cases = [[marginal(r.solution.game, r.tables["outcomes"]) for r in results]]
    pairs = bands[comparison.base].cases, bands[policy].cases
    cases += [[cases_of[name].outcomes for cases_of in pairs] for name in FACTORS]
    reported = [[table[np.isin(table["t"], marks)] for table in pair] for pair in cases]
    by_then, then = (
        _signs(np.stack([b[name] - a[name] for a, b in reported]), SETTLED)
        for name in ("happened", "holds")
    )
    first = reported[0][0]
    later = {f"then_{name}": column for name, column in then.items()}
    return {"t": first["t"], "outcome": first["outcome"], **by_then, **later}


def _payoff_cases(comparison: Comparison, bands: Mapping[str, PrecisionBand]) -> Floats:
    """Payoffs as compared, and on the coarser grid at each precision: [case, policy, row]."""
    own = [result.tables["payoffs"]["payoff"] for result in comparison.forecasts.values()]
    others = [[band.cases[name].payoffs["payoff"] for band in bands.values()] for name in FACTORS]
    return np.array([own, *others])


def _best(comparison: Comparison, values: Floats) -> list[dict[str, object]]:
    """For each actor and type, who comes first in some case, and whether that is settled."""
    order = list(comparison.forecasts)
    winners = values.argmax(axis=1)  # [case, row]
    rows: list[dict[str, object]] = []
    payoffs = comparison.forecasts[comparison.base].tables["payoffs"]
    ranked = comparison.preferences
    for k, r in enumerate(payoffs.rows()):
        mine = ranked[(ranked["actor"] == r["actor"]) & (ranked["type"] == r["type"])]
        tied = set(mine["policy"][mine["tied"].astype(bool)])
        first = list(dict.fromkeys(order[w] for w in winners[:, k]))
        holds = set(first) <= tied
        rows += [
            {"actor": r["actor"], "type": r["type"], "policy": policy, "holds": holds}
            for policy in first
        ]
    return rows
