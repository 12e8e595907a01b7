"""Wald's sequential test of a rater on gold: after every judgement accept, look into it, or go on.

It needs about half the gold of a fixed sample (78 right-or-wrong answers for 90 against 80 %, 40 here), because a clear
case is settled early, and it may be looked at after every judgement: that is what its limits allow for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import Intervals, wilson

Floats = NDArray[np.float64]

ACCEPT, LOOK_INTO, GO_ON = "accept", "look into it", "go on"
NO_GOLD = "no gold judgements"

LONGEST = 2_000
"""Judgements up to which ends are counted; tests that tell usual accuracies apart end long before."""


class ExpectedN(NamedTuple):
    """The gold judgements a rater needs on average until the test ends."""

    good: float
    bad: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the test is to tell apart, and how often it may err.

    good, bad: the two accuracies, 0 < bad < good < 1. ``false_alarm``: how often a good rater may be looked into;
    ``miss``: how often a bad one may be accepted; their sum lies below 1. Raises ValueError otherwise. Wald's limits
    hold the sum of the two; each alone may exceed its own by the factor 1/(1 - the other) at most.
    """

    good: float
    bad: float
    false_alarm: float = 0.05
    miss: float = 0.20

    def __post_init__(self) -> None:
        if not 0 < self.bad < self.good < 1:
            raise ValueError(f"A plan needs 0 < bad < good < 1, not bad {self.bad} and good {self.good}.")
        if min(self.false_alarm, self.miss) <= 0 or self.false_alarm + self.miss >= 1:
            raise ValueError("Both error rates must be above 0 and their sum below 1.")

    @property
    def per_right(self) -> float:
        """What one right judgement adds to the log likelihood ratio of bad to good; negative."""
        return math.log(self.bad / self.good)

    @property
    def per_wrong(self) -> float:
        """What one wrong judgement adds to it; positive."""
        return math.log((1 - self.bad) / (1 - self.good))

    @property
    def upper(self) -> float:
        """At or above this log likelihood ratio the test ends with "look into it"."""
        return math.log((1 - self.miss) / self.false_alarm)

    @property
    def lower(self) -> float:
        """At or below this log likelihood ratio the test ends with "accept"."""
        return math.log(self.miss / (1 - self.false_alarm))


def state(right: ArrayLike, n: ArrayLike, plan: Plan) -> pd.DataFrame:
    """Where the test stands after ``right`` of n gold judgements, one row per rater.

    right, n: (raters,), 0 <= right <= n, counted since the test began. Columns: value, low, high (accuracy and its
    interval, shares, which allow for the looks before: see ``_ends``), n, reason, ``state`` ("accept", "look into it",
    "go on"; None without judgements), ``evidence`` (the log likelihood ratio of bad to good), ``accept_from`` and
    ``look_into_up_to``: how many right of these n end the test, which may lie outside 0..n.
    Formula: evidence = right ln(bad/good) + (n - right) ln((1 - bad)/(1 - good)), ended at ln((1 - miss)/false_alarm)
    or ln(miss/(1 - false_alarm)). Source: Wald 1945. Raises ValueError for counts that are none.
    """
    right, n = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in (right, n)))
    if not np.all((right >= 0) & (right <= n)):
        raise ValueError("right lies between 0 and n.")
    evidence = right * plan.per_right + (n - right) * plan.per_wrong
    per_more_right = plan.per_right - plan.per_wrong
    ended = ends_of(right, n, plan)
    value, low, high = _ends(right, n, plan)
    return pd.DataFrame(
        {
            "value": value,
            "low": low,
            "high": high,
            "n": n,
            "reason": np.where(n > 0, "", NO_GOLD),
            "state": pd.Series(ended, dtype=object).where(n > 0, None),
            "evidence": evidence,
            "accept_from": np.ceil((plan.lower - n * plan.per_wrong) / per_more_right - 1e-9),
            "look_into_up_to": np.floor((plan.upper - n * plan.per_wrong) / per_more_right + 1e-9),
        }
    )


def ends_of(right: ArrayLike, n: ArrayLike, plan: Plan) -> NDArray[np.object_]:
    """The test's answer after each of these counts, without ``state``'s interval: "accept", "look into it", "go on".

    right, n: (counts,), n above 0.
    """
    right, n = np.asarray(right, dtype=float), np.asarray(n, dtype=float)
    evidence = right * plan.per_right + (n - right) * plan.per_wrong
    ended = [evidence >= plan.upper - 1e-12, evidence <= plan.lower + 1e-12]
    return np.select(ended, [LOOK_INTO, ACCEPT], GO_ON).astype(object)


def _ends(right: Floats, n: Floats, plan: Plan, level: float = 0.95) -> Intervals:
    """The accuracy and its interval when a test may have ended, or may still end, at any judgement; (raters,) each.

    Wilson's interval takes n as fixed and holds, by exact count, only 89 to 94 of 100 bad raters and 91 to 93 between
    good and bad, because a test ends when luck has run one way. So ends are ordered from an early "accept" over going
    on to an early "look into it", and the interval holds every accuracy under which neither this end or one further up
    nor this end or one further down has a probability below (1 - level)/2, counting half of this very end (mid-p).
    It holds 95 to 97.5 of 100 on average over accuracies from below bad to above good; single ones 92 to 99, because
    the earliest "accept", the most favourable end there is, alone has a twentieth of the probability and more.
    Wilson where the test must have ended before (n was then no matter of luck), for counts that are no whole numbers
    and beyond ``LONGEST``. Source: Armitage 1957 for the order; Lancaster 1961 for mid-p.
    """
    found = wilson(right, n, level)
    asked = (n > 0) & (n <= LONGEST) & (n == np.round(n)) & (right == np.round(right))
    pairs, back = np.unique(np.column_stack([n, right])[asked].astype(int), axis=0, return_inverse=True)
    ends = np.full((len(pairs), 2), np.nan)
    accuracy = special.expit(np.linspace(-12, 12, 961))[:, None]
    going, least, accepted = np.ones((961, 1)), 0, np.zeros(961)  # P of each number right from ``least`` on
    for judged in range(1, int(pairs[:, 0].max(initial=0)) + 1):
        none = np.zeros((961, 1))
        going = np.hstack([going * (1 - accuracy), none]) + np.hstack([none, going * accuracy])
        rights = least + np.arange(going.shape[1])
        evidence = rights * plan.per_right + (judged - rights) * plan.per_wrong
        first, last = np.searchsorted(pairs[:, 0], [judged, judged + 1])
        here = first + np.flatnonzero(np.isin(pairs[first:last, 1], rights))
        if len(here):
            upwards = accepted[:, None] + going[:, ::-1].cumsum(axis=1)[:, ::-1] - going / 2
            for i in here:
                rising = np.maximum.accumulate(upwards[:, pairs[i, 1] - least])
                ends[i] = np.interp([(1 - level) / 2, (1 + level) / 2], rising, accuracy[:, 0])
        up = evidence <= plan.lower + 1e-12
        accepted = accepted + going[:, up].sum(axis=1)
        still = np.flatnonzero(~up & (evidence < plan.upper - 1e-12))
        going, least = going[:, still], int(rights[still[0]]) if len(still) else least
    low, high = found.low.copy(), found.high.copy()
    of = ends[back.ravel()]
    of = np.where(np.isnan(of), np.column_stack([low, high])[asked], of)
    low[asked], high[asked] = np.fmin(of[:, 0], found.value[asked]), np.fmax(of[:, 1], found.value[asked])
    return Intervals(found.value, low, high)


def expected_n(plan: Plan) -> ExpectedN:
    """The gold judgements until the test ends, on average, for a good and for a bad rater.

    Wald's approximation, which takes the test to end exactly on a limit: 3 to 25 % too low in practice.
    Formula: (P(upper) · upper + P(lower) · lower) / the evidence that one judgement adds on average.
    """

    def at(accuracy: float, ends_above: float) -> float:
        step = accuracy * plan.per_right + (1 - accuracy) * plan.per_wrong
        return (ends_above * plan.upper + (1 - ends_above) * plan.lower) / step

    return ExpectedN(at(plan.good, plan.false_alarm), at(plan.bad, 1 - plan.miss))
