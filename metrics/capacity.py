"""Will the queue hold? Backlog against staffed capacity by simulation, the heads that are missing, and live queues.

A backlog is a flow of days, not a waiting line of minutes: ``erlang_c`` is for queues in which somebody waits at once.
Items are worked first in, first out throughout; a queue that serves urgent items first holds its deadlines better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.intervals import wilson
from metrics.spec import Estimate

Floats = NDArray[np.float64]

FEW_WEEKS = "fewer than 4 weeks with timed judgements on 2 days"
NO_OPEN_ITEMS = "no open items"
OLDER_THAN_KNOWN = "the oldest open items came before the arrivals known"
NOTHING_DUE = "no items due"
OUT_OF_REACH = "no addition up to the limit brings the risk down that far"
OVERLOADED = "no more agents than work offered: the queue grows without end"

DAY_COLUMNS = (
    "day", "arrivals", "capacity", "backlog", "low", "high", "oldest_age_days", "late",
    "miss", "miss_low", "miss_high", "n", "reason",
)  # fmt: skip
AGE_COLUMNS = ("day", "backlog", "mean_age_days", "median_age_days", "p90_age_days", "oldest_age_days", "n", "reason")

# ------------------------------------------------------------------------------------------------- recursion, capacity


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


def handling_seconds(headcount: ArrayLike, hours: ArrayLike, utilisation: ArrayLike, shrinkage: ArrayLike) -> Floats:
    """Seconds of handling a staff has: headcount·hours·utilisation·(1 - shrinkage)·3600, of their common shape.

    headcount: people rostered; hours: paid a person; utilisation: share of worked hours spent handling items;
    shrinkage: share of rostered hours lost to leave, sickness and training. Raises ValueError outside these ranges.
    """
    headcount, hours, utilisation, shrinkage = (
        np.asarray(x, dtype=float) for x in (headcount, hours, utilisation, shrinkage)
    )
    if not (np.all(headcount >= 0) and np.all(hours >= 0) and np.all(hours <= 24)):
        raise ValueError("Headcount is 0 or more and a day has 0 to 24 hours.")
    if not all(np.all((x >= 0) & (x <= 1)) for x in (utilisation, shrinkage)):
        raise ValueError("Utilisation and shrinkage are shares between 0 and 1.")
    return headcount * hours * utilisation * (1 - shrinkage) * 3600


def daily_capacity(
    headcount: ArrayLike, hours: ArrayLike, utilisation: ArrayLike, shrinkage: ArrayLike, handle_seconds: ArrayLike
) -> Floats:
    """Items a staff can decide, ``handling_seconds`` / handle_seconds; raises ValueError for a handle time of 0."""
    handle_seconds = np.asarray(handle_seconds, dtype=float)
    if not np.all(handle_seconds > 0):
        raise ValueError("A handle time is above 0 seconds.")
    return handling_seconds(headcount, hours, utilisation, shrinkage) / handle_seconds


@dataclass(frozen=True)
class HandleTime:
    """Seconds of handling an item needs, reviews and repeats included, and how they vary (log-normal).

    seconds: the mean. level_sd: of the logarithm of a whole period's mean; day_sd: of a day's around it. All are None
    when reason says why.
    """

    seconds: float | None
    level_sd: float | None = 0.0
    day_sd: float | None = 0.0
    reason: str = ""

    def __post_init__(self) -> None:
        known = [x for x in (self.seconds, self.level_sd, self.day_sd) if x is not None]
        if not self.reason and (len(known) < 3 or not known[0] > 0 or min(known) < 0):
            raise ValueError("A handle time is above 0 seconds and its spread is 0 or more.")


def handle_time(judgements: ArrayLike, handle_seconds: ArrayLike, items: ArrayLike | None = None) -> HandleTime:
    """The handle time of coming days from the sums of past ones, the newest last.

    judgements, handle_seconds: (days,) timed judgements and their seconds. items: (days,) items decided; the seconds
    are then per item (three judgements an item take three times as long), else per judgement. Seconds: of the last
    four weeks together. day_sd: of daily log means around their week's; level_sd: of weeks around one another, what
    days alone give taken off. Days without judgements or items take no part; fewer than 4 weeks with two days each
    give a reason. Raises ValueError for negative sums or unequal lengths.
    """
    judgements, seconds = np.asarray(judgements, dtype=float), np.asarray(handle_seconds, dtype=float)
    per = judgements if items is None else np.asarray(items, dtype=float)
    if not judgements.shape == seconds.shape == per.shape or min(x.min(initial=0) for x in (seconds, per)) < 0:
        raise ValueError("Days have sums of 0 or more, as many of each kind.")
    week = (np.arange(len(per)) - len(per)) // 7
    used = (judgements > 0) & (per > 0) & (seconds > 0)
    days = pd.DataFrame({"week": week, "log": np.log(np.where(used, seconds, 1) / np.where(used, per, 1))})[used]
    weeks = days.groupby("week")["log"].agg(["count", "mean", "var"])
    weeks = weeks[weeks["count"] >= 2]
    if len(weeks) < 4:
        return HandleTime(None, None, None, FEW_WEEKS)
    last = used & (week >= -4) if (used & (week >= -4)).any() else used
    day = float((weeks["var"] * (weeks["count"] - 1)).sum() / (weeks["count"] - 1).sum())
    level = max(float(weeks["mean"].var()) - day * float((1 / weeks["count"]).mean()), 0.0)
    return HandleTime(float(seconds[last].sum() / per[last].sum()), math.sqrt(level), math.sqrt(day))


# ---------------------------------------------------------------------------------------------------------- simulation


@dataclass(frozen=True)
class Sla:
    """``hours``: an item is due so many hours after it came, to the minute. ``target``: the share due in time."""

    hours: float = 24.0
    target: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.hours < math.inf or not 0 < self.target <= 1:
            raise ValueError("An SLA has hours above 0 and a target above 0 and at most 1.")


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
    attainment: share in time of all due in the period, median; its ends hold the 80 % of paths in the middle.
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


def queue_outlook(
    arrivals: ArrayLike,
    staff: Staff,
    handle: HandleTime,
    *,
    start: float = 0.0,
    recent: ArrayLike = (),
    sla: Sla | None = None,
    added: int = 0,
    attendance: ArrayLike | None = None,
    productivity: ArrayLike = 1.0,
    seed: int = 0,
) -> Outlook:
    """The backlog, its age and the risk of missing the SLA on simulated paths.

    arrivals: (paths, days) items, for instance ``forecast.sample_paths``: paths and not independent days, because a
    busy week is busy on most of its days. start: items open before the first day. recent: arrivals of the days before
    the first, newest last; they say how old the items open at the start are and which fall due first. Days of
    ``recent`` not given count as without arrivals. added: heads beyond the staff, with attendance (share of them at
    work, a number or (days,); by default headcount / its largest day, the roster of today) and productivity (share of
    a tenured rater's pace, likewise).

    Backlog: ``backlog``. Handle time of path p and day d: seconds · exp(σ_l z_p + σ_d z_pd - (σ_l² + σ_d²)/2). First
    in, first out. An SLA of k days and a part p of one: at each moment v of a day (0 to 1) the items due and not done
    are the backlog, less what arrived since v - p, k days before; those due while this is above 0 are late. Within a
    day both arrivals and work are taken to be even, all that counts by day can tell: a promise is honoured to the hour
    as far as that holds. All draws follow from ``seed`` alone.
    Raises ValueError for a handle time without a value, negative numbers or arrays that do not fit.
    """
    queue = _Queue(arrivals, staff, handle, start, recent, sla or Sla(), attendance, productivity, seed)
    return queue.outlook(added)


def heads_needed(
    arrivals: ArrayLike,
    staff: Staff,
    handle: HandleTime,
    *,
    most_risk: float = 0.10,
    any_day: bool = False,
    start: float = 0.0,
    recent: ArrayLike = (),
    sla: Sla | None = None,
    attendance: ArrayLike | None = None,
    productivity: ArrayLike = 1.0,
    cost_per_hour: float | None = None,
    most_added: int = 1000,
    seed: int = 0,
) -> Addition:
    """The fewest whole heads that bring the probability of missing the SLA to at most ``most_risk``, and their cost.

    Arguments of ``queue_outlook``. any_day: the risk is that of some day missing, not that of the whole period.
    cost_per_hour: of a paid hour; cost = heads · Σ attendance · hours · cost_per_hour, productive or not. Bisection on
    common random numbers: on every path more heads never leave more items late, so that the fewest is exact for these
    paths. 0 where today's staff keeps the risk; None with a reason where ``most_added`` heads do not.
    Raises ValueError as there, or for a risk outside 0..1, fewer than 1 head at most or a negative price.
    """
    if not 0 <= most_risk <= 1 or most_added < 1 or (cost_per_hour is not None and not cost_per_hour >= 0):
        raise ValueError("A risk lies between 0 and 1, the limit is 1 head or more, a price is 0 or more.")
    queue = _Queue(arrivals, staff, handle, start, recent, sla or Sla(), attendance, productivity, seed)

    def risk(added: int) -> Estimate:
        period, any_ = queue.risks(added)
        return any_ if any_day else period

    before = risk(0)
    if before.reason:
        return Addition(None, None, before, before, None, before.reason)
    if before.value <= most_risk:
        return Addition(0, None if cost_per_hour is None else 0.0, before, before, 0.0)
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
    cost = None if cost_per_hour is None else high * float(queue.head_hours.sum()) * cost_per_hour
    gained = float((queue.capacity(high) - queue.capacity(0)).sum(axis=0).mean())
    return Addition(high, cost, before, after, gained)


class _Queue:
    """A queue's coming days on fixed random draws; arrays are (days, paths)."""

    def __init__(
        self,
        arrivals: ArrayLike,
        staff: Staff,
        handle: HandleTime,
        start: float,
        recent: ArrayLike,
        sla: Sla,
        attendance: ArrayLike | None,
        productivity: ArrayLike,
        seed: int,
    ) -> None:
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
        whole, self.part = divmod(sla.hours / 24, 1)
        back = int(whole) + 1  # the day before comes in where a promise ends inside a day
        padded = np.concatenate([np.zeros(back), recent])[len(recent) :]  # the last of them
        known = np.concatenate([np.broadcast_to(padded[:, None], (back, self.n)), self.came])
        # Due on a day before the moment `part`, and after it.
        self.due_first, self.due_then = self.part * known[:days], (1 - self.part) * known[1 : days + 1]
        self.due = self.due_first + self.due_then
        sums = np.concatenate([np.zeros((1, self.n)), known.cumsum(axis=0)])
        self.not_yet_due = sums[back : back + days] - sums[1 : days + 1]  # of the whole days before

    def capacity(self, added: int) -> Floats:
        return (self.seconds + added * self.one) * self.items_per_second

    def late(self, added: int) -> tuple[Floats, Floats]:
        """The backlog at the end of each day, and the late among those due on it."""
        able = self.capacity(added)
        left = backlog(self.came.T, able.T, self.start).T
        before = np.concatenate([np.full((1, self.n), self.start), left[:-1]])
        # Due and not done, less than 0 where work is ahead, at the moments a day's pace of falling due changes.
        open_ = before - self.not_yet_due
        middle = _no_hair(open_ - self.part * able, before)
        late = self.due_then * _share_above(middle, _no_hair(open_ + self.due_then - able, before))
        if self.part:
            late += self.due_first * _share_above(_no_hair(open_ - self.due_first, before), middle)
        return left, late

    def missed(self, late: Floats, due: Floats) -> NDArray[np.bool_]:
        # A hair of an item is rounding.
        return late > (1 - self.sla.target) * due + 1e-9 * (1 + due)

    def risks(self, added: int, late: Floats | None = None) -> tuple[Estimate, Estimate]:
        """The risk that the period misses, and that some day does."""
        late = self.late(added)[1] if late is None else late
        if not self.due.any():
            missing = Estimate.missing(NOTHING_DUE, self.n)
            return missing, missing
        period = self.missed(late.sum(axis=0), self.due.sum(axis=0))
        return self._risk(period), self._risk(self.missed(late, self.due).any(axis=0))

    def _risk(self, missed: NDArray[np.bool_]) -> Estimate:
        found = wilson(missed.sum(), self.n)
        return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), self.n)

    def outlook(self, added: int) -> Outlook:
        left, late = self.late(added)
        low, middle, high = _quantiles(left, (0.1, 0.5, 0.9))
        age, age_reason = self._ages(left)
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
        share = 1 - late.sum(axis=0)[due > 0] / due[due > 0]
        bottom, middle, top = (float(x) for x in np.quantile(share, [0.1, 0.5, 0.9]))
        return Outlook(days, period, any_, Estimate(middle, bottom, top, self.n))

    def _ages(self, left: Floats) -> tuple[Floats, list[str]]:
        """The median age of the oldest open item at the end of each day, and why there is none."""
        before = len(self.recent)
        known = np.concatenate([np.broadcast_to(self.recent[:, None], (before, self.n)), self.came])
        sums = np.concatenate([np.zeros((1, self.n)), known.cumsum(axis=0)])
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


def _no_hair(gap: Floats, scale: Floats) -> Floats:
    """A hair of an item is rounding."""
    return np.where(np.abs(gap) <= 1e-9 * (1 + scale), 0.0, gap)


def _share_above(first: Floats, last: Floats) -> Floats:
    """The share of the straight way from ``first`` to ``last`` that lies above 0."""
    top, way = np.maximum(first, last), np.abs(first - last)
    crossing = np.divide(top, way, out=np.ones_like(top), where=way > 0)
    return np.where(top <= 0, 0.0, np.minimum(crossing, 1.0))


def _quantiles(values: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Quantiles of each row by linear interpolation; one partition of all rows is faster than np.quantile."""
    place = np.array(shares) * (values.shape[1] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, values.shape[1] - 1)
    parted = np.partition(values, np.unique(np.concatenate([below, above])), axis=1)
    return list((parted[:, below] + (parted[:, above] - parted[:, below]) * (place - below)).T)


# ---------------------------------------------------------------------------------------------------- age of a backlog


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


# --------------------------------------------------------------------------------------------------------- live queues


def erlang_c(load: ArrayLike, agents: ArrayLike) -> Floats:
    """The chance that an arrival has to wait, 0 to 1, of the arguments' common shape; NaN where agents <= load.

    load: work offered in erlangs (arrivals a second x handle seconds); agents: whole numbers at work at once.
    B_0 = 1, B_k = aB_(k-1)/(k + aB_(k-1)), C = nB_n/(n - a(1 - B_n)). Poisson arrivals, exponential handle times,
    nobody gives up. Raises ValueError for a negative load or agents that are not whole. Source: Erlang 1917.
    """
    load, agents = np.broadcast_arrays(np.asarray(load, dtype=float), np.asarray(agents, dtype=float))
    if not np.all(load >= 0) or not np.all((agents >= 0) & (agents == np.floor(agents))):
        raise ValueError("A load is 0 or more erlangs, and agents are a whole number.")
    blocked = np.ones(load.shape)
    for k in range(1, int(agents.max(initial=0)) + 1):
        blocked = np.where(agents >= k, load * blocked / (k + load * blocked), blocked)
    stable = agents > load
    spare = np.where(stable, agents - load * (1 - blocked), 1.0)
    return np.where(stable, agents * blocked / spare, np.nan)


@dataclass(frozen=True)
class LiveQueue:
    """A live queue in balance. Null with the same reason where there is none: every number is exact, without interval.

    load_erlangs; wait: share that waits; within: share answered within the threshold; mean_wait_seconds: over all
    arrivals; occupancy: share of the agents' time spent handling. n: agents.
    """

    load_erlangs: float
    wait: Estimate
    within: Estimate
    mean_wait_seconds: Estimate
    occupancy: Estimate


def live_queue(
    arrivals_per_hour: float, handle_seconds: float, agents: int, threshold_seconds: float = 0.0
) -> LiveQueue:
    """Waiting in a queue whose items want an agent at once.

    within = 1 - C·exp(-(n - a)·threshold/handle); mean wait = C·handle/(n - a); occupancy = a/n, C from ``erlang_c``.
    Null where agents do not exceed the load. Raises ValueError for negative numbers or a handle time of 0.
    """
    if not (arrivals_per_hour >= 0 and handle_seconds > 0 and threshold_seconds >= 0):
        raise ValueError("Arrivals and threshold are 0 or more, a handle time is above 0 seconds.")
    load = arrivals_per_hour * handle_seconds / 3600
    chance = float(erlang_c(load, agents))
    if math.isnan(chance):
        missing = Estimate.missing(OVERLOADED, agents)
        return LiveQueue(load, missing, missing, missing, missing)
    spare = (agents - load) / handle_seconds
    numbers = (chance, 1 - chance * math.exp(-spare * threshold_seconds), chance / spare, load / agents)
    return LiveQueue(load, *(Estimate(x, n=agents) for x in numbers))


def agents_needed(
    arrivals_per_hour: float, handle_seconds: float, within: float, threshold_seconds: float, most: int = 10_000
) -> int | None:
    """The fewest agents at once with the share ``within`` answered in time; None where ``most`` are not enough.

    See ``live_queue``. Raises ValueError as there, or for a share outside 0..1.
    """
    if not 0 <= within <= 1:
        raise ValueError("A share lies between 0 and 1.")
    load = arrivals_per_hour * handle_seconds / 3600
    live_queue(arrivals_per_hour, handle_seconds, 0, threshold_seconds)  # refuses bad input
    blocked = 1.0
    for agents in range(1, most + 1):
        blocked = load * blocked / (agents + load * blocked)
        if agents <= load:
            continue
        chance = agents * blocked / (agents - load * (1 - blocked))
        if 1 - chance * math.exp(-(agents - load) * threshold_seconds / handle_seconds) >= within:
            return agents
    return None
