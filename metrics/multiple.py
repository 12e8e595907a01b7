"""Many tests at once: which findings stand when so many were looked for.

A missing test (NaN) takes no part: it stays missing and is not counted in m, the number of tests made. Show m.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Adjusted(NamedTuple):
    """q for each test, NaN where there was none, and m, how many tests were made."""

    q: Floats
    m: int


def benjamini_hochberg(p: ArrayLike) -> Adjusted:
    """The q values of p values: calling all tests with q at most .05 gives at most 5 % false calls on average.

    p: (tests,), 0 to 1, NaN where there is no test. q: (tests,), the smallest false-discovery rate at which the test
    would be called, from p to 1. Holds for tests that are independent or positively dependent. Formula: q of the i-th
    smallest p = min over j >= i of m p_j / j. Raises ValueError for a p outside 0..1. Source: Benjamini and Hochberg
    1995.
    """
    p = _probabilities(p)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    q = np.full(len(p), np.nan)
    # The rank of a tie is its last one: the running minimum from the largest p down sees to it.
    raw = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return Adjusted(q, len(order))


def holm(p: ArrayLike) -> Adjusted:
    """Adjusted p values of which one or more at most .05 arises in at most 5 % of cases when nothing is there.

    p: (tests,), 0 to 1, NaN where there is no test. q: (tests,), from p to 1. For few tests of which each call counts;
    holds however the tests depend on each other. Formula: q of the i-th smallest p = max over j <= i of
    min(1, (m - j + 1) p_j). Raises ValueError for a p outside 0..1. Source: Holm 1979.
    """
    p = _probabilities(p)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    q = np.full(len(p), np.nan)
    q[order] = np.minimum(np.maximum.accumulate(p[order] * (len(order) - np.arange(len(order)))), 1.0)
    return Adjusted(q, len(order))


def expected_false(error: ArrayLike) -> Adjusted:
    """The expected share of false calls when a case and all surer ones are called, from posterior error probabilities.

    error: (cases,), the posterior probability that calling the case is wrong, NaN where there is none. q of the i-th
    surest = mean of the i smallest errors, so q never exceeds error. Raises ValueError for an error outside 0..1.
    Source: Newton, Noueiry, Sarkar and Ahlquist 2004 (the "direct posterior probability" approach).
    """
    error = _probabilities(error)
    made = np.flatnonzero(~np.isnan(error))
    order = made[np.argsort(error[made], kind="stable")]
    means = np.cumsum(error[order]) / np.arange(1, len(order) + 1)
    # Equal errors are called together or not at all: each takes the mean at the last of them.
    last = np.searchsorted(error[order], error[order], side="right") - 1
    q = np.full(len(error), np.nan)
    q[order] = means[last]
    return Adjusted(q, len(order))


def _probabilities(values: ArrayLike) -> Floats:
    values = np.atleast_1d(np.asarray(values, dtype=float))
    if np.any((values < 0) | (values > 1)):
        raise ValueError("A probability lies between 0 and 1.")
    return values
