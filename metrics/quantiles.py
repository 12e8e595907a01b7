"""Quantiles of durations from counts in fixed logarithmic buckets, which add over any slice.

Bucket k holds the durations from 2^(k/8) up to 2^((k+1)/8) seconds. SQL finds the same bucket as ``bucket_of`` by
``floor(ln(s) * BUCKETS_PER_LOG + BUCKET_NUDGE)`` of s clipped to ``SHORTEST_SECONDS`` .. ``LONGEST_SECONDS``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.spec import Estimate

BUCKETS_PER_DOUBLING = 8
"""Buckets between a duration and twice that duration."""

BUCKETS_PER_LOG = BUCKETS_PER_DOUBLING / math.log(2)
"""Buckets per unit of the natural logarithm, for SQL."""

BUCKET_NUDGE = 1e-9
"""Added before the floor: engines' ln differ in the last digit, and 1, 2, 4, 8 ... seconds lie exactly on an edge."""

LOWEST_BUCKET = 0
"""The bucket of 1 second and of everything shorter, 0 and negative durations included."""

HIGHEST_BUCKET = 26 * BUCKETS_PER_DOUBLING
"""The bucket of 2^26 seconds (2.1 years) and of everything longer."""

SHORTEST_SECONDS = 2.0 ** (LOWEST_BUCKET / BUCKETS_PER_DOUBLING)
"""What a shorter duration is taken for; below it a quantile says no more than "under about a second"."""

LONGEST_SECONDS = 2.0 ** (HIGHEST_BUCKET / BUCKETS_PER_DOUBLING)
"""What a longer duration is taken for."""

MOST_ERROR = 2 ** (1 / BUCKETS_PER_DOUBLING) - 1
"""Largest relative error of a quantile, 9.05 %: it lies in the bucket of the true one, wherever in it.

Half a bucket, 4.4 %, is typical of durations rounded so coarsely that a bucket holds one value; where durations are
smooth on the scale of a bucket the interpolation leaves less than 1 %.
"""


def bucket_of(seconds: ArrayLike) -> NDArray[np.float64]:
    """The bucket of each duration in seconds, of the same shape; NaN where the duration is missing (NaN).

    floor(log2(seconds) · 8), clipped to LOWEST_BUCKET .. HIGHEST_BUCKET.
    """
    clipped = np.clip(np.asarray(seconds, dtype=float), SHORTEST_SECONDS, LONGEST_SECONDS)
    return np.clip(np.floor(np.log(clipped) * BUCKETS_PER_LOG + BUCKET_NUDGE), LOWEST_BUCKET, HIGHEST_BUCKET)


def lower_edge(bucket: ArrayLike) -> NDArray[np.float64]:
    """The shortest duration of each bucket, in seconds."""
    return 2.0 ** (np.asarray(bucket, dtype=float) / BUCKETS_PER_DOUBLING)


def upper_edge(bucket: ArrayLike) -> NDArray[np.float64]:
    """The duration at which each bucket ends and the next begins, in seconds."""
    return lower_edge(np.asarray(bucket, dtype=float) + 1)


def quantile(buckets: ArrayLike, counts: ArrayLike, q: float, level: float = 0.95) -> Estimate:
    """The duration, in seconds, that a share q of durations does not exceed; n is the number of durations.

    buckets, counts: (K,), in any order; a bucket may repeat. Missing with the reason "no durations" when counts are 0.
    See ``grouped_quantile`` for the formula, the interval and the errors.
    """
    table = pd.DataFrame({"all": 0, "bucket": np.asarray(buckets), "n": np.asarray(counts)})
    found = grouped_quantile(table, ["all"], q, level)
    if not len(found) or not found["n"].iloc[0]:
        return Estimate.missing("no durations")
    value, low, high, n = (float(found[c].iloc[0]) for c in ("value", "low", "high", "n"))
    return Estimate(value, None if math.isnan(low) else low, None if math.isnan(high) else high, n)


def grouped_quantile(table: pd.DataFrame, keys: Sequence[str], q: float, level: float = 0.95) -> pd.DataFrame:
    """The q-quantile of each group, one row per group in the order of its keys: keys, value, low, high (seconds), n.

    table: columns ``keys``, bucket, n (durations in the bucket); rows may repeat. NaN where there is no number.

    The value has rank q·n, on the log scale between the edges of its bucket as if its durations lay evenly there; it
    is off by at most ``MOST_ERROR``. Interval: the order statistics of ranks B(1/2 - level/2) and B(1/2 + level/2) + 1,
    B the quantiles of Binomial(n, q): no assumption on the distribution, coverage at least the level but for the
    buckets. Neither end where one of the ranks lies outside 1..n, as for the 90th percentile of fewer than 36.
    Durations count as independent. Raises ValueError unless 0 < q < 1, or for a negative n. Source: David and Nagaraja
    2003, section 7.1.
    """
    if not 0 < q < 1:
        raise ValueError(f"A quantile lies between 0 and 1, not at {q}.")
    keys = list(keys)
    cells = table.groupby([*keys, "bucket"], sort=True, observed=True, dropna=False)["n"].sum().reset_index()
    counts = cells["n"].to_numpy(dtype=float)
    if np.any(counts < 0):
        raise ValueError("A bucket cannot hold fewer than 0 durations.")
    group = cells.groupby(keys, sort=True, observed=True, dropna=False).ngroup().to_numpy()
    found = cells[keys].drop_duplicates(ignore_index=True)
    n = np.bincount(group, weights=counts, minlength=len(found))
    filled = counts > 0
    below = np.cumsum(counts[filled])
    before = np.cumsum(n) - n
    bucket = cells["bucket"].to_numpy(dtype=float)[filled]

    def at(rank: NDArray[np.float64], exists: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The duration of a rank in 0..n of each group, the j-th shortest lying at j - 1/2."""
        result = np.full(len(found), np.nan)
        target = (before + rank)[exists]
        cell = np.minimum(np.searchsorted(below, target), len(below) - 1)
        inside = 1 - (below[cell] - target) / counts[filled][cell]
        result[exists] = lower_edge(bucket[cell] + inside)
        return result

    whole = np.round(n)
    low = _binomial(0.5 - level / 2, whole, q)
    high = _binomial(0.5 + level / 2, whole, q) + 1
    both = (n > 0) & (low >= 1) & (high <= whole)
    return found.assign(value=at(q * n, n > 0), low=at(low - 0.5, both), high=at(high - 0.5, both), n=n)


def _binomial(probability: float, n: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The smallest k at which the binomial distribution function reaches ``probability``; NaN where n is 0."""
    some = np.where(n > 0, n, 1.0)
    k = np.ceil(special.bdtrik(probability, some, share))
    one_less = np.maximum(k - 1, 0)
    k = np.where(special.bdtr(one_less, some.astype(np.int64), share) >= probability, one_less, k)
    return np.where(n > 0, k, np.nan)
