"""Which policy is best for whom, in how many worlds, and what the wrong one costs.

Payoffs are compared for the same actor and type alone. A world counts only if it was solved under
all policies: where one is missing, nobody knows whether it would have been the best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from detente.ensembles.explore.source import Metric, Results, pair_limits
from detente.ensembles.explore.stats import table, wilson


def preferences(found: Results, payoffs: Sequence[Metric]) -> pd.DataFrame:
    """In which share of worlds each policy is best for each actor and type.

    Returns
    -------
    DataFrame
        `actor, type, policy, worlds, left_out, best, share, low, high, among, close`. `best`: in
        how many worlds it is better than every other by more than the discretisation error, with
        the share and its interval of 95 %; `among`: the share in which no other is better than it
        by more; `close`: the share in which no policy is best, which is the same for all policies.
    """
    policies = list(found.record.policies)
    rows: list[dict[str, object]] = []
    for number in payoffs if len(policies) > 1 else ():
        values = found.values(number.column)[policies]
        solved = values.dropna()
        beats = better(found, number, solved)
        best = np.asarray(beats.sum(axis=2) == len(policies) - 1)
        among = np.asarray(~beats.any(axis=1))
        total = len(solved)
        for k, policy in enumerate(policies):
            count = int(best[:, k].sum())
            low, high = wilson(count, total)
            rows.append(
                {
                    "actor": number.actor,
                    "type": number.type,
                    "policy": policy,
                    "worlds": total,
                    "left_out": len(values) - total,
                    "best": count,
                    "share": count / total if total else np.nan,
                    "low": low,
                    "high": high,
                    "among": float(among[:, k].mean()) if total else np.nan,
                    "close": float((~best.any(axis=1)).mean()) if total else np.nan,
                }
            )
    head = ["actor", "type", "policy", "worlds", "left_out", "best", "share", "low", "high"]
    return table(rows, [*head, "among", "close"])


def better(found: Results, number: Metric, solved: pd.DataFrame) -> np.ndarray:
    """Whether policy p is better than q beyond the error, as (worlds, p, q)."""
    value = solved.to_numpy(float)
    gain = value[:, :, None] - value[:, None, :]
    beats: np.ndarray = gain > pair_limits(found, number.column)[None]
    return beats


def regrets(found: Results, payoffs: Sequence[Metric]) -> pd.DataFrame:
    """What each actor and type would lose by each policy against the best one of the same world.

    Returns
    -------
    DataFrame
        `actor, type, policy, worlds, mean, p95, largest, draw, error, minimax, least_mean`. `draw`
        is the world of the largest regret; `minimax` and `least_mean` mark the policies whose
        largest, and mean, regret is the smallest; `error` is by how much a regret may be off.
    """
    policies = list(found.record.policies)
    rows: list[dict[str, object]] = []
    for number in payoffs if len(policies) > 1 else ():
        solved = found.values(number.column)[policies].dropna()
        if solved.empty:
            continue
        lost = solved.rsub(solved.max(axis=1), axis=0)
        largest, mean = lost.max(), lost.mean()
        limits = pair_limits(found, number.column)
        for k, policy in enumerate(policies):
            rows.append(
                {
                    "actor": number.actor,
                    "type": number.type,
                    "policy": policy,
                    "worlds": len(lost),
                    "mean": float(mean[policy]),
                    "p95": float(lost[policy].quantile(0.95)),
                    "largest": float(largest[policy]),
                    "draw": int(lost[policy].idxmax()),
                    "error": float(np.delete(limits[k], k).max()),
                    "minimax": bool(largest[policy] == largest.min()),
                    "least_mean": bool(mean[policy] == mean.min()),
                }
            )
    head = ["actor", "type", "policy", "worlds", "mean", "p95", "largest", "draw"]
    return table(rows, [*head, "error", "minimax", "least_mean"])
