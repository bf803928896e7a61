"""Small statistics that several tables share."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

CONFIDENCE = 0.95
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def wilson(count: int, total: int) -> tuple[float, float]:
    """Where a share lies with a confidence of 95 %, by Wilson's score interval.

    It holds for few worlds and for shares near 0 and 1, where the usual one is too narrow
    (Brown, Cai and DasGupta 2001, Statistical Science 16(2), 101-133).
    """
    if total == 0:
        return float("nan"), float("nan")
    z = float(norm.ppf(0.5 + CONFIDENCE / 2))
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    # The ends are exact where all or none do; rounding must not leave them.
    low = 0.0 if count == 0 else max(0.0, float(middle - half))
    high = 1.0 if count == total else min(1.0, float(middle + half))
    return low, high


def spread(values: pd.Series) -> dict[str, float]:
    """Number, mean and quantiles of what is not missing."""
    known = values.dropna().to_numpy(float)
    told: dict[str, float] = {"worlds": len(known)}
    told["mean"] = float(known.mean()) if len(known) else float("nan")
    for name, share in QUANTILES.items():
        told[name] = float(np.quantile(known, share)) if len(known) else float("nan")
    return told


def table(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    """Rows as a table that has its columns even if it has no rows."""
    return pd.DataFrame(rows, columns=columns)
