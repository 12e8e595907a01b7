"""Will the queue hold? Backlog against staffed capacity by simulation, and the heads that are missing.

A backlog is a flow of days, not a waiting line of minutes: ``metrics.erlang`` is for queues in which somebody waits at
once. Items are worked first in, first out; a queue that serves urgent items first holds its deadlines better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.backlog import Deadlines, Sla, backlog, oldest_ages
from metrics.handling import HandleTime, handling_seconds
from metrics.intervals import wilson
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NOTHING_DUE = "no items due"
OUT_OF_REACH = "no addition up to the limit brings the risk down that far"
LATE_OTHERWISE = "items late for reasons other than capacity keep the risk above that"

DAY_COLUMNS = (
    "day", "arrivals", "capacity", "backlog", "low", "high", "oldest_age_days", "late",
    "miss", "miss_low", "miss_high", "n", "reason",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Staff:
    """Who works: numbers, or one a day, with the meaning and ranges of ``handling_seconds``."""

    headcount: ArrayLike
    hours: ArrayLike
    utilisation: ArrayLike
    shrinkage: ArrayLike


@dataclass(frozen=True, eq=False)
class Outlook:
    """What the simulated paths say.

    days: a row per day: day (1 = the first), arrivals, capacity (means, items), backlog (median, items), low, high (the
        80 % of paths in the middle), oldest_age_days (median over the paths with open items), late (mean items that
        fall due this day and are late), miss (probability that less than the target share of those due this day is in
        time), miss_low, miss_high (its Monte Carlo error, 95 %), n (paths), reason (why an age or a miss is NaN).
    miss_period: probability that less than the target share of all items due in the period is in time. miss_any:
        that some day misses. Their intervals are Monte Carlo error: they know nothing of wrong inputs.
    attainment: share in time of all due in the period, median, less the median of what is late otherwise; its ends
    hold the 80 % of paths in the middle.
    """

    days: pd.DataFrame
    miss_period: Estimate
    miss_any: Estimate
    attainment: Estimate


@dataclass(frozen=True, eq=False)
class Addition:
    """The smallest addition of staff that keeps a risk.

    added: whole heads, None with a reason when the limit is not enough. cost: what they cost over the period, in the
    unit of the price; None without heads or price. before, after: probability of missing the SLA with today's staff
    and with the addition (with the limit where that is not enough). capacity_items: mean items they add.
    """

    added: int | None
    cost: float | None
    before: Estimate
    after: Estimate
    capacity_items: float | None
    reason: str = ""


class Queue:
    """A queue's coming days on simulated paths, against the staff there is; arrays inside are (days, paths)."""

    def __init__(
        self,
        arrivals: ArrayLike,
        staff: Staff,
        handle: HandleTime,
        *,
        start: float = 0.0,
        recent: ArrayLike = (),
        sla: Sla | None = None,
        attendance: ArrayLike | None = None,
        productivity: ArrayLike = 1.0,
        otherwise: ArrayLike = (),
        seed: int = 0,
    ) -> None:
        """What the queue is, what comes, and who works.

        arrivals: (paths, days) items, for instance ``forecast.sample_paths``: paths and not independent days, because
        a busy week is busy on most of its days. start: items open before the first day. recent: arrivals of the days
        before the first, newest last; they say how old the items open at the start are and which fall due first. Days
        of ``recent`` not given count as without arrivals. Of added heads: attendance (share of them at work, a number
        or (days,); by default headcount / its largest day, the roster of today) and productivity (share of a tenured
        rater's pace, likewise). otherwise: shares late for reasons other than capacity in past periods, as of
        ``outlook_check``: they come on top of what a path has late, each as likely as any other and, of n, one more
        half above and half below them all: a path's risk is (those of them with which it misses + 0.5) / (n + 1).

        Handle time of path p and day d: seconds · exp(σ_l z_p + σ_d z_pd - (σ_l² + σ_d²)/2). All draws follow from
        ``seed`` alone. Raises ValueError for a handle time without a value, negative numbers or arrays that do not fit.
        """
        sla = sla or Sla()
        if handle.reason:
            raise ValueError(f"There is no handle time: {handle.reason}.")
        came, recent = np.asarray(arrivals, dtype=float), np.asarray(recent, dtype=float)
        if came.ndim != 2 or 0 in came.shape or not np.all(came >= 0):
            raise ValueError("Arrivals are (paths, days) items of 0 or more, without gaps.")
        if not start >= 0 or recent.ndim != 1 or not np.all(recent >= 0):
            raise ValueError("The backlog at the start and earlier arrivals are 0 or more.")
        self.n, days = came.shape
        headcount = np.broadcast_to(np.asarray(staff.headcount, dtype=float), days)
        if attendance is None:
            attendance = headcount / headcount.max() if headcount.max() > 0 else 1.0
        attendance = np.broadcast_to(np.asarray(attendance, dtype=float), days)
        productivity = np.asarray(productivity, dtype=float)
        if not all(np.all((x >= 0) & (x <= 1)) for x in (attendance, productivity)):
            raise ValueError("Attendance and productivity are shares between 0 and 1.")
        ours = handling_seconds(headcount, staff.hours, staff.utilisation, staff.shrinkage)
        one = handling_seconds(attendance * productivity, staff.hours, staff.utilisation, staff.shrinkage)
        self.seconds, self.one = (np.broadcast_to(x, days)[:, None] for x in (ours, one))
        self.head_hours = attendance * np.asarray(staff.hours, dtype=float)
        rng = np.random.default_rng(seed)
        spread = handle.level_sd * rng.standard_normal(self.n) + handle.day_sd * rng.standard_normal((days, self.n))
        self.items_per_second = np.exp((handle.level_sd**2 + handle.day_sd**2) / 2 - spread) / handle.seconds
        self.came, self.start, self.sla, self.recent = np.ascontiguousarray(came.T), float(start), sla, recent
        self.deadlines = Deadlines(self.came, recent, sla.hours)
        self.due = self.deadlines.due
        self.otherwise = np.sort(np.asarray(otherwise, dtype=float))
        if self.otherwise.ndim != 1 or not np.all(np.abs(self.otherwise) <= 1):
            raise ValueError("Shares late otherwise lie between -1 and 1.")

    def outlook(self, added: int = 0) -> Outlook:
        """The backlog, its age and the risk of missing the SLA on the paths, with ``added`` heads beyond the staff.

        Backlog: ``backlog``; lateness: ``backlog.Deadlines``.
        """
        left, late = self.late(added)
        low, middle, high = _quantiles(left, (0.1, 0.5, 0.9))
        age, age_reason = oldest_ages(self.came, self.recent, left)
        miss = wilson(self.missed(late, self.due).sum(axis=1), self.n)
        some = self.due.any(axis=1)
        days = pd.DataFrame(
            {
                "day": np.arange(1, len(left) + 1),
                "arrivals": self.came.mean(axis=1),
                "capacity": self.capacity(added).mean(axis=1),
                "backlog": middle,
                "low": low,
                "high": high,
                "oldest_age_days": age,
                "late": late.mean(axis=1),
                "miss": np.where(some, miss.value, np.nan),
                "miss_low": np.where(some, miss.low, np.nan),
                "miss_high": np.where(some, miss.high, np.nan),
                "n": self.n,
                "reason": [
                    "; ".join(filter(None, ("" if s else NOTHING_DUE, r)))
                    for s, r in zip(some, age_reason, strict=True)
                ],
            }
        )
        period, any_ = self.risks(added, late)
        due = self.due.sum(axis=0)
        if not due.any():
            return Outlook(days, period, any_, period)
        usual = float(np.median(self.otherwise)) if len(self.otherwise) else 0.0
        share = np.clip(1 - late.sum(axis=0)[due > 0] / due[due > 0] - usual, 0.0, 1.0)
        bottom, middle, top = (float(x) for x in np.quantile(share, [0.1, 0.5, 0.9]))
        return Outlook(days, period, any_, Estimate(middle, bottom, top, self.n))

    def heads_needed(
        self,
        *,
        most_risk: float = 0.10,
        any_day: bool = False,
        cost_per_hour: float | None = None,
        most_added: int = 1000,
    ) -> Addition:
        """The fewest whole heads that bring the risk of missing the SLA to at most ``most_risk``, and their cost.

        any_day: the risk is that of some day missing, not that of the whole period. cost_per_hour: of a paid hour;
        cost = heads · Σ attendance · hours · cost_per_hour, productive or not. Bisection on common random numbers: on
        every path more heads never leave more items late, so that the fewest is exact for these paths. 0 where today's
        staff keeps the risk; None with a reason where ``most_added`` heads do not.
        Raises ValueError for a risk outside 0..1, fewer than 1 head at most or a negative price.
        """
        if not 0 <= most_risk <= 1 or most_added < 1 or (cost_per_hour is not None and not cost_per_hour >= 0):
            raise ValueError("A risk lies between 0 and 1, the limit is 1 head or more, a price is 0 or more.")

        def risk(added: int) -> Estimate:
            period, any_ = self.risks(added)
            return any_ if any_day else period

        before = risk(0)
        if before.reason:
            return Addition(None, None, before, before, None, before.reason)
        if before.value <= most_risk:
            return Addition(0, None if cost_per_hour is None else 0.0, before, before, 0.0)
        if self.least_risk() > most_risk:
            return Addition(None, None, before, risk(most_added), None, LATE_OTHERWISE)
        low, high, after = 0, 1, risk(1)
        while after.value > most_risk and high < most_added:
            low, high = high, min(2 * high, most_added)
            after = risk(high)
        if after.value > most_risk:
            return Addition(None, None, before, after, None, OUT_OF_REACH)
        while high - low > 1:
            middle = (low + high) // 2
            tried = risk(middle)
            low, high, after = (low, middle, tried) if tried.value <= most_risk else (middle, high, after)
        cost = None if cost_per_hour is None else high * float(self.head_hours.sum()) * cost_per_hour
        gained = float((self.capacity(high) - self.capacity(0)).sum(axis=0).mean())
        return Addition(high, cost, before, after, gained)

    def late_shares(self) -> Floats:
        """The share of the items due in the period that capacity makes late, (paths,), NaN on paths with nothing due.

        With arrivals and staff as they were, it is what a past period would have been simulated at.
        """
        late, due = self.late(0)[1].sum(axis=0), self.due.sum(axis=0)
        return np.divide(late, due, out=np.full(self.n, np.nan), where=due > 0)

    def capacity(self, added: int) -> Floats:
        """Items that can be handled, with ``added`` heads beyond the staff."""
        return (self.seconds + added * self.one) * self.items_per_second

    def late(self, added: int) -> tuple[Floats, Floats]:
        """The backlog at the end of each day, and the late among those due on it."""
        able = self.capacity(added)
        left = backlog(self.came.T, able.T, self.start).T
        return left, sum(self.deadlines.late(able, left, self.start))

    def missed(self, late: Floats, due: Floats) -> Floats:
        """The chance that so many late of those due miss the target: 0 or 1 where nothing is late otherwise."""
        allowed = 1 - self.sla.target
        if not len(self.otherwise):
            return (late > allowed * due + 1e-9 * (1 + due)).astype(float)  # a hair of an item is rounding
        share = np.divide(late, due, out=np.zeros_like(late), where=due > 0)
        n = len(self.otherwise)
        above = n - np.searchsorted(self.otherwise, allowed - share + 1e-9, side="right")
        return np.where(due > 0, (above + 0.5) / (n + 1), 0.0)

    def least_risk(self) -> float:
        """The risk that is left where capacity makes nothing late."""
        return float(self.missed(np.zeros(1), np.ones(1))[0])

    def risks(self, added: int, late: Floats | None = None) -> tuple[Estimate, Estimate]:
        """The risk that the period misses, and that some day does."""
        late = self.late(added)[1] if late is None else late
        if not self.due.any():
            missing = Estimate.missing(NOTHING_DUE, self.n)
            return missing, missing
        period = self.missed(late.sum(axis=0), self.due.sum(axis=0))
        # What is late otherwise is one share of a period: the worst day alone decides whether some day misses.
        return self._risk(period), self._risk(self.missed(late, self.due).max(axis=0))

    def _risk(self, missed: Floats) -> Estimate:
        found = wilson(missed.sum(), self.n)
        return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), self.n)


def _quantiles(values: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Quantiles of each row by linear interpolation; one partition of all rows is faster than np.quantile."""
    place = np.array(shares) * (values.shape[1] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, values.shape[1] - 1)
    parted = np.partition(values, np.unique(np.concatenate([below, above])), axis=1)
    return list((parted[:, below] + (parted[:, above] - parted[:, below]) * (place - below)).T)
