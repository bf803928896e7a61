"""What happens under each policy over all worlds, and what a policy changes world by world."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from detente.ensembles.explore.source import Metric, Results, pair_limits, present_value
from detente.ensembles.explore.stats import QUANTILES, spread, table


def distributions(found: Results, among: Sequence[Metric]) -> pd.DataFrame:
    """How each number is distributed under each policy.

    Returns
    -------
    DataFrame
        `number, kind, policy, worlds, mean, p05, p25, p50, p75, p95, present`: over the worlds that
        were solved under this policy; `present` is the number at the present values.
    """
    rows: list[dict[str, object]] = []
    for number in among:
        values = found.values(number.column)
        for policy in found.record.policies:
            told = spread(values[policy])
            now = present_value(found, number.column, policy)
            head = {"number": number.name, "kind": number.kind, "policy": policy}
            rows.append({**head, **told, "present": now})
    columns = ["number", "kind", "policy", "worlds", "mean", *QUANTILES, "present"]
    return table(rows, columns)


def differences(found: Results, among: Sequence[Metric], against: str) -> pd.DataFrame:
    """What each policy changes against a base, in the same world.

    Returns
    -------
    DataFrame
        `number, kind, policy, against, worlds, mean, p05, p25, p50, p75, p95, above, below, close,
        error, lowest, highest`: over the worlds that were solved under both. `above`, `below` and
        `close` are shares of them; a difference counts beyond `error`. `lowest` and `highest` are
        the draws at the ends.
    """
    policies = list(found.record.policies)
    rows: list[dict[str, object]] = []
    for number in among:
        values = found.values(number.column)
        limits = pair_limits(found, number.column)
        for policy in policies:
            if policy == against:
                continue
            change = (values[policy] - values[against]).dropna()
            limit = float(limits[policies.index(policy), policies.index(against)])
            known = len(change) > 0
            above = float((change > limit).mean()) if known else float("nan")
            below = float((change < -limit).mean()) if known else float("nan")
            rows.append(
                {
                    "number": number.name,
                    "kind": number.kind,
                    "policy": policy,
                    "against": against,
                    **spread(change),
                    "above": above,
                    "below": below,
                    "close": float((change.abs() <= limit).mean()) if known else float("nan"),
                    "error": limit,
                    "lowest": int(change.idxmin()) if known else None,
                    "highest": int(change.idxmax()) if known else None,
                }
            )
    shares = ["above", "below", "close", "error", "lowest", "highest"]
    head = ["number", "kind", "policy", "against", "worlds", "mean"]
    return table(rows, [*head, *QUANTILES, *shares])
