"""A backlog from day to day: what stays open, how old it is, and what of it is late against a promise of hours.

A flow of days, worked first in, first out; a queue that serves urgent items first holds its deadlines better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.intervals import wilson

Floats = NDArray[np.float64]

NO_OPEN_ITEMS = "no open items"
OLDER_THAN_KNOWN = "the oldest open items came before the arrivals known"

AGE_COLUMNS = ("day", "backlog", "mean_age_days", "median_age_days", "p90_age_days", "oldest_age_days", "n", "reason")


def backlog(arrivals: ArrayLike, capacity: ArrayLike, start: ArrayLike = 0.0) -> Floats:
    """Items open at the end of each day, (..., days), 0 or more.

    arrivals, capacity: items a day, the last axis in order of time; start: items open before the first day.
    B' = max(0, B + A - C): capacity that finds no work is lost. Raises ValueError for negative numbers.
    """
    arrivals, capacity = np.broadcast_arrays(np.asarray(arrivals, dtype=float), np.asarray(capacity, dtype=float))
    start = np.asarray(start, dtype=float)
    if np.any(arrivals < 0) or np.any(capacity < 0) or np.any(start < 0):
        raise ValueError("Arrivals, capacity and the backlog at the start are 0 or more.")
    found, last = np.empty(arrivals.shape), np.broadcast_to(start, arrivals.shape[:-1])
    for day in range(arrivals.shape[-1]):
        last = np.maximum(last + arrivals[..., day] - capacity[..., day], 0.0)
        found[..., day] = last
    return found


@dataclass(frozen=True)
class Sla:
    """``hours``: an item is due so many hours after it came, to the minute. ``target``: the share due in time."""

    hours: float = 24.0
    target: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.hours < math.inf or not 0 < self.target <= 1:
            raise ValueError("An SLA has hours above 0 and a target above 0 and at most 1.")


# ------------------------------------------------------------------------------------------------------------ lateness


class Deadlines:
    """What falls due on coming days under a promise of ``hours``, and what of it is late. Arrays are (days, paths).

    came: items that come a day. recent: (days,) or (days, paths), of the days before the first, the newest last; days
    not given count as without arrivals. A promise of k days and a part p of one: what came on a day falls due k days
    later from p on, and k + 1 days later before p. first, then: items due on a day before p, and after it; due: both.

    Within a day both arrivals and work are taken to be even, all that counts by day can tell: a promise is honoured to
    the hour as far as that holds.
    """

    def __init__(self, came: Floats, recent: ArrayLike, hours: float) -> None:
        recent = np.asarray(recent, dtype=float)
        days, paths = came.shape
        whole, self.part = divmod(hours / 24, 1)
        back = int(whole) + 1  # the day before comes in where a promise ends inside a day
        before = np.zeros((back, paths))
        known = min(back, len(recent))
        if known:
            before[back - known :] = recent[len(recent) - known :].reshape(known, -1)
        known = np.concatenate([before, came])
        self.first, self.then = self.part * known[:days], (1 - self.part) * known[1 : days + 1]
        self.due = self.first + self.then
        sums = np.concatenate([np.zeros((1, paths)), known.cumsum(axis=0)])
        self._not_yet_due = sums[back : back + days] - sums[1 : days + 1]  # of the whole days before

    def late(self, capacity: Floats, left: Floats, start: ArrayLike = 0.0) -> tuple[Floats, Floats]:
        """The late among ``first`` and among ``then``.

        capacity: items that can be done a day; left: open at the end of each day, of ``backlog``; start: open before
        the first day, a number or (paths,). At each moment v of a day (0 to 1) the items due and not done are the
        backlog less what arrived since v - p, k days before; those due while this is above 0 are late.
        """
        before = np.concatenate([np.broadcast_to(np.asarray(start, dtype=float), (1, left.shape[1])), left[:-1]])
        # Due and not done, less than 0 where work is ahead, at the moments a day's pace of falling due changes.
        opened = before - self._not_yet_due
        middle = _no_hair(opened - self.part * capacity, before)
        late = self.then * _share_above(middle, _no_hair(opened + self.then - capacity, before))
        if not self.part:
            return np.zeros(late.shape), late
        return self.first * _share_above(_no_hair(opened - self.first, before), middle), late


def _no_hair(gap: Floats, scale: Floats) -> Floats:
    """A hair of an item is rounding."""
    return np.where(np.abs(gap) <= 1e-9 * (1 + scale), 0.0, gap)


def _share_above(first: Floats, last: Floats) -> Floats:
    """The share of the straight way from ``first`` to ``last`` that lies above 0."""
    top, way = np.maximum(first, last), np.abs(first - last)
    crossing = np.divide(top, way, out=np.ones_like(top), where=way > 0)
    return np.where(top <= 0, 0.0, np.minimum(crossing, 1.0))


# ------------------------------------------------------------------------------------------------------------- stretch

FELL = 0.03
"""Weeks this far below the usual share in time make a stretch; weeks of a steady queue differ by less."""

CLEARLY = 0.999
"""The level at which a stretch is told from chance."""


@dataclass(frozen=True)
class Stretch:
    """Weeks in which items were late as they usually are not.

    first, last: positions of its first and last week. usual: the share in time of all weeks that are not so late;
    share: that of the stretch. outran: the most by which arrivals had outrun
    decisions since a week before it, items, 0 or more; arrivals: a week in it against the median week outside, a ratio,
    None without one.
    """

    first: int
    last: int
    usual: float
    share: float
    outran: float
    arrivals: float | None


def late_stretch(created: ArrayLike, closed: ArrayLike, due: ArrayLike, in_time: ArrayLike) -> Stretch | None:
    """The stretch of weeks that lost the most items; None where none is clearly ``FELL`` below the usual share.

    A week is late that lies ``FELL`` below the upper quartile of weeks; the stretch is clear where its interval and the
    other weeks' (Wilson, at the level ``CLEARLY``, as every week is tried) do not touch.

    (weeks,) items that came, were decided, fell due, and of these in time, the oldest week first. Raises ValueError for
    unequal lengths or counts that cannot be.
    """
    created, closed, due, in_time = (np.asarray(x, dtype=float) for x in (created, closed, due, in_time))
    if not created.shape == closed.shape == due.shape == in_time.shape or np.any(in_time > due) or np.any(in_time < 0):
        raise ValueError("Weeks have items that came, were decided, fell due and were in time, as many of each.")
    if not due.any():
        return None
    share = np.divide(in_time, due, out=np.full(len(due), np.nan), where=due > 0)
    bad = share < float(np.nanquantile(share, 0.75)) - FELL
    runs = np.flatnonzero(np.diff(np.concatenate([[0], bad.astype(int), [0]]))).reshape(-1, 2)
    if bad.all() or not len(runs):
        return None
    there = wilson(in_time[~bad].sum(), due[~bad].sum(), CLEARLY)
    usual = float(there.value[0])
    first, end = max(runs.tolist(), key=lambda r: float((usual * due - in_time)[r[0] : r[1]].sum()))
    here = wilson(in_time[first:end].sum(), due[first:end].sum(), CLEARLY)
    if not (there.low[0] > here.high[0] and usual - here.value[0] >= FELL):
        return None
    since = slice(max(first - 1, 0), end)
    outside = np.delete(created, np.s_[first:end])
    normal = float(np.median(outside)) if len(outside) else 0.0
    return Stretch(
        first,
        end - 1,
        usual,
        float(in_time[first:end].sum() / due[first:end].sum()),
        max(float((created - closed)[since].cumsum().max()), 0.0),
        float(created[first:end].mean()) / normal if normal > 0 else None,
    )


# ----------------------------------------------------------------------------------------------------------------- age


def oldest_ages(came: Floats, recent: Floats, left: Floats) -> tuple[Floats, list[str]]:
    """The median over paths of the age of the oldest open item at the end of each day, and why there is none.

    came, left: (days, paths) items that come and that are open; recent: those of the days before, the newest last.
    Whole days; (days,); NaN where most paths have nothing open, or the oldest came before the arrivals known.
    """
    before = len(recent)
    known = np.concatenate([np.broadcast_to(recent[:, None], (before, came.shape[1])), came])
    sums = np.concatenate([np.zeros((1, came.shape[1])), known.cumsum(axis=0)])
    last = np.arange(before + 1, before + len(left) + 1)
    age, older = np.zeros(left.shape), left > 1e-9
    for back in range(1, before + len(left) + 1):
        inside = last >= back
        older = older & inside[:, None] & (left > sums[last] - sums[np.maximum(last - back, 0)] + 1e-9 * (1 + left))
        if not older.any():
            break
        age += older
    # Every day known holds open items, and they are not all: how old the rest is nobody says.
    age[left > sums[last] + 1e-9 * (1 + left)] = np.inf
    found, reasons = [], []
    for day, some in zip(age, left > 1e-9, strict=True):
        middle = float(np.median(day[some])) if some.mean() > 0.5 else math.nan
        reasons.append(NO_OPEN_ITEMS if math.isnan(middle) else OLDER_THAN_KNOWN if math.isinf(middle) else "")
        found.append(math.nan if math.isinf(middle) else middle)
    return np.array(found), reasons


def backlog_age(arrivals: ArrayLike, backlog_items: ArrayLike, known_from: int = 0) -> pd.DataFrame:
    """How old the open items are at the end of each day when the oldest go first, one row per day from ``known_from``.

    arrivals, backlog_items: (days,) items a day in order of time, as from ``backlog``. Columns: day (position),
    backlog, mean_age_days, median_age_days, p90_age_days, oldest_age_days (whole days since arrival, 0 = came today;
    a share q of open items is at most the quantile old), n (open items), reason. Where the backlog exceeds all arrivals
    known, the mean and the ages that fall among the unknown are NaN. A lower bound for queues that do not work the
    oldest first. Raises ValueError for negative numbers or unequal lengths.
    """
    arrivals, left = np.asarray(arrivals, dtype=float), np.asarray(backlog_items, dtype=float)
    if arrivals.ndim != 1 or arrivals.shape != left.shape or not (np.all(arrivals >= 0) and np.all(left >= 0)):
        raise ValueError("Arrivals and backlog are one number of 0 or more a day each.")
    days = np.arange(len(arrivals))
    sums = np.concatenate([[0.0], arrivals.cumsum()])
    rows = days[known_from:]
    done = (sums[1:] - left)[rows, None]  # below 0: items from before the first day
    # Open items of each day's arrivals (columns) at the end of each day (rows).
    there = np.where(days <= rows[:, None], np.clip(sums[1:] - np.maximum(sums[:-1], done), 0.0, arrivals), 0.0)
    age = rows[:, None] - days
    unknown = np.maximum(-done[:, 0], 0.0)
    total = left[rows]
    some, beyond = total > 1e-9, unknown > 1e-9 * (1 + total)
    newest_first = there[:, ::-1].cumsum(axis=1)

    def quantile(share: float) -> Floats:
        target = share * total[:, None] * (1 - 1e-12)
        first = (newest_first < target).sum(axis=1)
        reached = first < len(days)
        column = len(days) - 1 - np.minimum(first, len(days) - 1)
        return np.where(some & reached, rows - column, np.nan)

    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(some & ~beyond, (there * age).sum(axis=1) / total, np.nan)
    return pd.DataFrame(
        {
            "day": rows,
            "backlog": total,
            "mean_age_days": mean,
            "median_age_days": quantile(0.5),
            "p90_age_days": quantile(0.9),
            "oldest_age_days": np.where(beyond, np.nan, quantile(1.0)),
            "n": total,
            "reason": np.where(~some, NO_OPEN_ITEMS, np.where(beyond, OLDER_THAN_KNOWN, "")),
        },
        columns=list(AGE_COLUMNS),
    )
