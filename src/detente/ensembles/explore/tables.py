"""What happens under each policy over all draws, what a policy changes draw by draw, which policy
is best for whom, and what the wrong one costs.

Payoffs are compared for the same actor and type alone. Who prefers what is told of draws that were
solved under all policies: where one is missing, nobody knows whether it would have been the best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from detente.ensembles.explore.metrics import Metric, Results, pair_limits, present_value
from detente.estimation.statistics import wilson

QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def mean(values: pd.Series | np.ndarray) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def _spread(values: pd.Series) -> tuple[float, ...]:
    """Number, mean and quantiles of what is not missing."""
    known = values.dropna().to_numpy(float)
    shares = list(QUANTILES.values())
    quantiles = np.quantile(known, shares) if len(known) else np.full(len(shares), np.nan)
    return len(known), mean(known), *quantiles.tolist()


def distributions(ensemble: Results, metrics: Sequence[Metric]) -> pd.DataFrame:
    """How each metric is distributed under each policy.

    Returns
    -------
    DataFrame
        `metric, kind, policy, draws, mean, p05, p25, p50, p75, p95, present`: over the draws that
        were solved under this policy; `present` is the metric at the present values.
    """
    rows = []
    for metric in metrics:
        values = ensemble.values(metric.column)
        for policy in ensemble.manifest.policies:
            present = present_value(ensemble, metric.column, policy)
            rows.append((metric.name, metric.kind, policy, *_spread(values[policy]), present))
    columns = ["metric", "kind", "policy", "draws", "mean", *QUANTILES, "present"]
    return pd.DataFrame(rows, columns=columns)


def differences(ensemble: Results, metrics: Sequence[Metric], against: str) -> pd.DataFrame:
    """What each policy changes against a base, in the same draw.

    Returns
    -------
    DataFrame
        `metric, kind, policy, against, draws, mean, p05, p25, p50, p75, p95, above, below, close,
        error, lowest, highest`: over the draws that were solved under both. `above`, `below` and
        `close` are shares of them; a difference counts beyond `error`. `lowest` and `highest` are
        the draws at the ends.
    """
    policies = list(ensemble.manifest.policies)
    rows = []
    for metric in metrics:
        values = ensemble.values(metric.column)
        limits = pair_limits(ensemble, metric.column)[:, policies.index(against)]
        for policy, limit in zip(policies, limits.tolist(), strict=True):
            if policy == against:
                continue
            change = (values[policy] - values[against]).dropna()
            shares = (mean(change > limit), mean(change < -limit), mean(change.abs() <= limit))
            ends = (int(change.idxmin()), int(change.idxmax())) if len(change) else (None, None)
            head = (metric.name, metric.kind, policy, against)
            rows.append((*head, *_spread(change), *shares, limit, *ends))
    first = ["metric", "kind", "policy", "against", "draws", "mean"]
    last = ["above", "below", "close", "error", "lowest", "highest"]
    return pd.DataFrame(rows, columns=[*first, *QUANTILES, *last])


def preferences(ensemble: Results, payoffs: Sequence[Metric]) -> pd.DataFrame:
    """In which share of draws each policy is best for each actor and type.

    Returns
    -------
    DataFrame
        `actor, type, policy, draws, left_out, best, share, low, high, among, close`. `best`: in
        how many draws it is better than every other by more than the discretisation error, with
        the share and its interval of 95 %; `among`: the share in which no other is better than it
        by more; `close`: the share in which no policy is best, which is the same for all policies.
    """
    policies = list(ensemble.manifest.policies)
    rows = []
    for metric in payoffs if len(policies) > 1 else ():
        values = ensemble.values(metric.column)[policies]
        solved = values.dropna().to_numpy(float)
        gains = solved[:, :, None] - solved[:, None, :]
        beats = gains > pair_limits(ensemble, metric.column)
        best = beats.sum(axis=2) == len(policies) - 1
        unbeaten = ~beats.any(axis=1)
        draws, close = len(solved), mean(~best.any(axis=1))
        for k, policy in enumerate(policies):
            count = int(best[:, k].sum())
            head = (metric.actor, metric.type, policy, draws, len(values) - draws, count)
            shares = (mean(best[:, k]), *wilson(count, draws), mean(unbeaten[:, k]), close)
            rows.append((*head, *shares))
    columns = "actor type policy draws left_out best share low high among close"
    return pd.DataFrame(rows, columns=columns.split())


def regrets(ensemble: Results, payoffs: Sequence[Metric]) -> pd.DataFrame:
    """What each actor and type would lose by each policy against the best one of the same draw.

    Returns
    -------
    DataFrame
        `actor, type, policy, draws, mean, p95, largest, draw, error, minimax, least_mean`. `draw`
        is that of the largest regret; `minimax` and `least_mean` mark the policies whose largest,
        and mean, regret is the smallest; `error` is by how much a regret may be off.
    """
    policies = list(ensemble.manifest.policies)
    rows = []
    for metric in payoffs if len(policies) > 1 else ():
        solved = ensemble.values(metric.column)[policies].dropna()
        if solved.empty:
            continue
        lost = solved.rsub(solved.max(axis=1), axis=0)
        largest, average = lost.max(), lost.mean()
        limits = pair_limits(ensemble, metric.column)
        for k, policy in enumerate(policies):
            mine, most, usual = lost[policy], float(largest[policy]), float(average[policy])
            head = (metric.actor, metric.type, policy, len(lost), usual, float(mine.quantile(0.95)))
            error = float(np.delete(limits[k], k).max())
            best = (bool(most == largest.min()), bool(usual == average.min()))
            rows.append((*head, most, int(mine.idxmax()), error, *best))
    columns = "actor type policy draws mean p95 largest draw error minimax least_mean"
    return pd.DataFrame(rows, columns=columns.split())
