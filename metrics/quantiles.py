"""Quantiles of durations from counts in fixed logarithmic buckets, which add over any slice.

Bucket k holds the durations from 2^(k/8) up to 2^((k+1)/8) seconds. SQL finds the same bucket as ``bucket_of`` by
``floor(ln(s) * BUCKETS_PER_LOG + BUCKET_NUDGE)`` of s clipped to ``SHORTEST_SECONDS`` .. ``LONGEST_SECONDS``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.spec import Estimate

Floats = NDArray[np.float64]

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


class GroupQuantiles(NamedTuple):
    """A quantile of each group and the ends of its interval in seconds, NaN where there is none, and the counts."""

    value: Floats
    low: Floats
    high: Floats
    n: Floats


def quantile(buckets: ArrayLike, counts: ArrayLike, q: float, level: float = 0.95) -> Estimate:
    """The duration, in seconds, that a share q of durations does not exceed; n is the number of durations.

    buckets, counts: (K,), in any order; a bucket may repeat. Missing with the reason "no durations" when counts are 0.
    See ``group_quantiles`` for the formula, the interval and the errors.
    """
    buckets = np.asarray(buckets, float)
    found = group_quantiles(buckets, counts, np.zeros(len(buckets), int), 1, q, level=level)
    value, low, high, n = (float(column[0]) for column in found)
    if not n:
        return Estimate.missing("no durations")
    return Estimate(value, None if math.isnan(low) else low, None if math.isnan(high) else high, n)


def group_quantiles(
    bucket: ArrayLike,
    counts: ArrayLike,
    group: NDArray[np.int64],
    groups: int,
    q: float,
    design: ArrayLike = 1.0,
    level: float = 0.95,
) -> GroupQuantiles:
    """The q-quantile of each of ``groups`` groups: value, low, high (seconds) and n, arrays of shape (groups,).

    bucket, counts, group: (K,), a row for so many durations of a bucket in a group, 0 to groups - 1; rows may repeat.
    design: the groups' design effects, 1 where durations are independent (``intervals.mean_design_effect``).

    The value has rank q·n, on the log scale between the edges of its bucket as if its durations lay evenly there; it
    is off by at most ``MOST_ERROR``. Interval: the order statistics of ranks B(1/2 - level/2) and B(1/2 + level/2) + 1,
    B the quantiles of Binomial(n, q): no assumption on the distribution, coverage at least the level but for the
    buckets. Neither end where one of the ranks lies outside 1..n, as for the 90th percentile of fewer than 36.
    With a design effect the ranks are those of n / design durations, as shares of all: Woodruff's interval.
    Raises ValueError unless 0 < q < 1, or for a negative count. Source: David and Nagaraja 2003, section 7.1;
    Woodruff 1952.
    """
    if not 0 < q < 1:
        raise ValueError(f"A quantile lies between 0 and 1, not at {q}.")
    counts = np.asarray(counts, float)
    if np.any(counts < 0):
        raise ValueError("A bucket cannot hold fewer than 0 durations.")
    some = counts > 0
    whole = np.asarray(bucket, np.int64)[some] - LOWEST_BUCKET
    cells = np.zeros((groups, HIGHEST_BUCKET - LOWEST_BUCKET + 1))
    np.add.at(cells, (np.asarray(group)[some], whole), counts[some])
    below = np.cumsum(cells, axis=1)
    n = below[:, -1]

    def at(rank: Floats, exists: NDArray[np.bool_]) -> Floats:
        """The duration of a rank in 0..n of each group, the j-th shortest lying at j - 1/2."""
        result = np.full(groups, np.nan)
        target = rank[exists][:, None]
        cell = (below[exists] < target).sum(axis=1)
        rows = np.arange(len(cell))
        inside = 1 - (below[exists][rows, cell] - target[:, 0]) / cells[exists][rows, cell]
        result[exists] = lower_edge(cell + LOWEST_BUCKET + inside)
        return result

    design = np.maximum(np.broadcast_to(np.asarray(design, float), n.shape), 1.0)
    effective = np.round(n / design)
    low = _binomial(0.5 - level / 2, effective, q)
    high = _binomial(0.5 + level / 2, effective, q) + 1
    both = (n > 0) & (low >= 1) & (high <= effective)
    scale = n / np.where(effective > 0, effective, 1.0)
    return GroupQuantiles(at(q * n, n > 0), at((low - 0.5) * scale, both), at((high - 0.5) * scale, both), n)


def _binomial(probability: float, n: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The smallest k at which the binomial distribution function reaches ``probability``; NaN where n is 0."""
    some = np.where(n > 0, n, 1.0)
    k = np.ceil(special.bdtrik(probability, some, share))
    one_less = np.maximum(k - 1, 0)
    k = np.where(special.bdtr(one_less, some.astype(np.int64), share) >= probability, one_less, k)
    return np.where(n > 0, k, np.nan)
