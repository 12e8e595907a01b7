"""What the productivity page shows: pace beside accuracy, what the mix of work did, and odd days."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import SOURCES, expression
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import intervals, mix, odd_days
from ui import data, figures, periods
from ui.cells import arrays, codes
from ui.figures import KEPT

CELLS = ("project", "policy", "language", "content_type", "stage")  # kinds of work whose usual times differ
LOGS = {"n": "handle_n", "total": "handle_sum_log", "squares": "handle_sum_log_squared"}
SUMS = ("handle_n", "handle_sum_seconds", "handle_sum_log", "handle_sum_log_squared")
PACE, GOLD, AUDIT = "handle_time_log_mean_seconds", "gold_accuracy", "audit_accuracy"
RATES = ("first_pass_yield", "rework_rate", "skip_rate")
HOURS = ("utilisation", "adherence")
QUANTILES = ("handle_time_p50_seconds", "handle_time_p90_seconds")
HOURLY = ("throughput_per_hour", "accepted_labels_per_hour")
TIMES = (PACE, *QUANTILES, *HOURLY)
MEASURED = (*TIMES, GOLD, AUDIT, "judgements", *RATES)
WEEKS = 13


def timed(snapshot: Snapshot, filters: Filters) -> Filters:
    """The filters on one time basis: times measured in different ways are never combined."""
    basis = basis_of(snapshot, filters)
    return filters.with_("time_basis", basis) if basis else filters


def basis_of(snapshot: Snapshot, filters: Filters) -> str:
    """The time basis shown: that of most work, or the one this work has where it has none of that; "" for no choice."""
    basis = figures.main_basis(snapshot, filters, (PACE,))
    if not basis:
        return ""
    rows = data.sums(snapshot, "work", ("handle_n",), ("time_basis",), filters).fillna(0)
    known = dict(zip(rows["time_basis"].astype(str), rows["handle_n"], strict=True))
    return basis if known.get(basis) or not any(known.values()) else max(known, key=known.get)


def kept_by(mart: str, filters: Filters) -> Filters:
    """The filters that a mart keeps; what it does not know cannot narrow it."""
    for name, _ in filters.where:
        if expression(SOURCES[mart], name) is None:
            filters = filters.with_(name)
    return filters


def axis(filters: Filters) -> str:
    """What pace and accuracy are set beside one another by: pools, inside a pool its projects."""
    return "project" if len(filters.values("pool")) == 1 else "pool"


# ---- now against before ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """Handle time against the period before, in logarithms: ``parts`` in all, by mix of work and by pace in the mix.

    scores: one row per metric of MEASURED and HOURS, as figures.compared() gives them. moved_by: the kinds of work
    whose share changed most. reason: why there are no parts.
    """

    scores: pd.DataFrame
    parts: mix.Kitagawa | None
    moved_by: str = ""
    reason: str = ""

    def score(self, metric: str) -> dict:
        """One metric's row."""
        return self._by_metric[metric]

    @cached_property
    def _by_metric(self) -> dict[str, dict]:
        return {row["metric"]: row for row in reversed(self.scores.to_dict("records"))}


@st.cache_data(**KEPT)
def measured(snapshot: Snapshot, filters: Filters) -> list[pd.DataFrame]:
    """The page's metrics against the period before: in all, and by its axis."""
    groupings = ((), (axis(filters),))
    found = figures.compared(snapshot, filters, (*MEASURED, *HOURS), groupings)
    if basis_of(snapshot, filters) == figures.main_basis(snapshot, filters, (PACE,)):
        return found
    times = figures.compared(snapshot, timed(snapshot, filters), TIMES, groupings)
    return [
        pd.concat([all_[~all_["metric"].isin(TIMES)], own], ignore_index=True)
        for all_, own in zip(found, times, strict=True)
    ]


@st.cache_data(**KEPT)
def change(snapshot: Snapshot, filters: Filters) -> Change:
    """Handle time now against before, split exactly into what the mix of work did and what pace did."""
    scores = measured(snapshot, filters)[0]
    if not filters.start:
        return Change(scores, None, reason="nothing is dated")
    ours = timed(snapshot, filters)
    sides = [_cells(snapshot, one) for one in (ours.before(), ours)]
    design = tuple(_design(snapshot, one) for one in (ours.before(), ours))
    parts = mix.kitagawa(*sides, CELLS, **LOGS, design=design)
    if parts.change.value is None:
        return Change(scores, None, reason=parts.change.reason)
    return Change(scores, parts, _grown(snapshot, parts.cells))


def _cells(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    return data.sums(snapshot, "work", SUMS, CELLS, filters).fillna(0)


def _unit() -> str:
    """What judgements are clustered by: raters, where the reader may see them, else their pools."""
    return "rater" if data.current_scope().sees_raters else "pool"


def _design(snapshot: Snapshot, filters: Filters) -> float:
    """By how much raters' differences widen the variance of the mean log time."""
    rows = data.sums(snapshot, "work", SUMS, (_unit(),), filters).fillna(0)
    x, n, squares = (rows[LOGS[c]].to_numpy(float) for c in ("total", "n", "squares"))
    sums = (x.sum(), n.sum(), (x * x).sum(), (x * n).sum(), (n * n).sum(), (n > 0).sum(), squares.sum())
    return float(intervals.mean_design_effect(*sums)[0])


def _grown(snapshot: Snapshot, cells: pd.DataFrame) -> str:
    """The policy or project whose share of the work moved handle time most through the mix: "hate 12 % to 42 %"."""
    dimension = "project" if cells["project"].nunique() > 1 else "policy"
    sums = cells.groupby(dimension)[["weight_before", "weight_after", "mix"]].sum()
    if len(sums) < 2:
        return ""
    top = sums["mix"].abs().idxmax()
    was, now = (round(100 * sums.loc[top, c]) for c in ("weight_before", "weight_after"))
    name = snapshot.names.get(dimension, {}).get(str(top), str(top))
    return f"{name} went from {was} to {now}\u00a0% of the work" if was != now else ""


# ---- pace beside accuracy --------------------------------------------------------------------------------------


def of_groups(snapshot: Snapshot, filters: Filters, metric: str) -> pd.DataFrame:
    """One metric by the page's axis against the period before, with `member` and `label`."""
    return _of_groups(snapshot, filters)[metric].copy(deep=False)


@st.cache_resource(**KEPT)
def _of_groups(snapshot: Snapshot, filters: Filters) -> dict[str, pd.DataFrame]:
    """``of_groups`` by metric: a page takes a dozen of them; not to be changed."""
    by = axis(filters)
    every = measured(snapshot, filters)[1]
    names, found = snapshot.names.get(by, {}), {}
    for metric in dict.fromkeys((*MEASURED, *HOURS)):
        rows = every[(every["metric"] == metric) & every[by].notna()].reset_index(drop=True)
        members = rows[by].astype(str)
        found[metric] = rows.assign(member=members, label=[names.get(m, m) for m in members])
    return found


@st.cache_data(**KEPT)
def beside(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Pace and gold accuracy of each pool: of_groups(GOLD) with pace, pace_low, pace_high and timed.

    Pace is the pool's time on the same projects, policies and content as all, over that of all; inside one pool it is
    that of each project over what it takes everywhere.
    """
    by, people = axis(filters), data.current_scope().sees_raters
    gold = of_groups(snapshot, filters, GOLD)
    ours = timed(snapshot, filters)
    everyone = ours.with_("pool") if by == "project" else ours
    keys = dict.fromkeys(("pool", *SAME, *(("rater",) if people else ())))
    rows = arrays(data.sums(snapshot, "work", SUMS, tuple(keys), everyone))
    n, logs, squares = (rows[LOGS[c]] for c in ("n", "total", "squares"))
    if not n.sum() or gold.empty:
        return gold.iloc[:0].assign(pace=np.nan, pace_low=np.nan, pace_high=np.nan, timed=np.nan)
    kind = codes(rows, SAME)
    total = np.bincount(kind, n)
    usual = np.divide(np.bincount(kind, logs), total, out=np.zeros(len(total)), where=total > 0)[kind]
    off, off_squared = logs - n * usual, squares - 2 * usual * logs + n * usual**2
    ours_ = (n > 0) & (np.isin(rows["pool"], ours.values("pool")) if by == "project" else True)
    group, names = pd.factorize(rows[by][ours_], sort=True)
    unit = codes({k: v[ours_] for k, v in rows.items()}, (by, "rater" if people else "pool"))
    found = _of_clusters(group, unit, n[ours_], off[ours_], off_squared[ours_])
    at = {name: k for k, name in enumerate(names)}
    few = data.too_small(snapshot, (by,), ours, "handle_n")
    place = np.array([-1 if (m,) in few else at.get(m, -1) for m in gold["member"]], np.int64)
    columns = {name: np.append(values, np.nan)[place] for name, values in found.items()}
    return gold.assign(**columns)


def _of_clusters(group: np.ndarray, unit: np.ndarray, n: np.ndarray, x: np.ndarray, xx: np.ndarray) -> dict:
    """The mean of each group, out of logarithms, and its interval over units, each of which lies in one group."""
    home = np.zeros(unit.max() + 1, np.int64)
    home[unit] = group
    each_n, each_x = np.bincount(unit, n), np.bincount(unit, x)

    def of_group(values: np.ndarray) -> np.ndarray:
        return np.bincount(home, values)

    sums = (each_x, each_n, each_x**2, each_x * each_n, each_n**2, (each_n > 0).astype(float))
    total, count, *rest = (of_group(values) for values in sums)
    squares = np.bincount(group, xx)
    design = intervals.mean_design_effect(total, count, *rest, squares)
    found = intervals.log_mean(count, total, squares, design)
    return {"pace": found.value, "pace_low": found.low, "pace_high": found.high, "timed": count}


SAME = (
    "project",
    "policy",
    "content_type",
    "stage",
)  # what makes times of pools comparable; each pool has its languages


# ---- over time -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weeks:
    """Handle time by week: ``points`` at, value, low, high (one mix of work), raw, n, inside. odd: single odd days.

    odd: day, times (the usual), alone (back the next day). shift: (side, day, size) of a lasting change, or None.
    """

    points: pd.DataFrame
    odd: pd.DataFrame
    shift: tuple[str, dt.date, float] | None
    reason: str = ""


@dataclass(frozen=True)
class LastDay:
    """The period's last day of work: rows of figures.measure() of PACE, GOLD and judgements, on it (now) and in the
    four weeks before it (usual); alike: mean judgements of the same weekdays in them, NaN where there are none.
    """

    day: dt.date
    now: pd.DataFrame
    usual: pd.DataFrame
    alike: float


@st.cache_data(**KEPT)
def last_day(snapshot: Snapshot, filters: Filters) -> LastDay | None:
    """What was done on the last day of the period that lies in the data, against the four weeks before it."""
    if not filters.end or snapshot.meta.last_day is None:
        return None
    day = min(filters.end, snapshot.meta.last_day)
    spans = filters.over(day, day), filters.over(day - 28 * ONE_DAY, day - ONE_DAY)
    rest = figures.measure(snapshot, (GOLD, "judgements"), ((),), spans)[0]
    basis = timed(snapshot, filters)  # one for both: a day of little work must not be timed on another
    times = figures.measure(snapshot, (PACE,), ((),), tuple(basis.over(one.start, one.end) for one in spans))[0]
    now, usual = (pd.concat(pair, ignore_index=True) for pair in zip(rest, times, strict=True))
    days = figures.measure(snapshot, ("judgements",), (("day",),), spans[1:])[0][0]
    same = days[(pd.to_datetime(days["day"]).dt.day_of_week == day.weekday()) & days["value"].notna()]
    return LastDay(day, now, usual, float(same["value"].mean()) if len(same) else math.nan)


ONE_DAY = dt.timedelta(days=1)
NO_DAYS = pd.DataFrame(columns=["day", "times", "alone"])


@st.cache_data(**KEPT)
def weekly(snapshot: Snapshot, filters: Filters) -> Weeks:
    """Handle time by week as it was and at one mix of work, and the days and lasting changes that stand out."""
    if not filters.start:
        return Weeks(pd.DataFrame(), NO_DAYS, None, "nothing is dated")
    wide = timed(snapshot, filters).over(*periods.ending((filters.start, filters.end), WEEKS))
    narrow = len(filters.values("pool")) == 1 or len(filters.values("project")) == 1
    unit = _unit() if narrow else "pool"
    rows = data.sums(snapshot, "work", SUMS, ("week", unit, *CELLS), wide).fillna(0)
    rows = rows[rows["handle_n"] > 0]
    if rows.empty:
        return Weeks(pd.DataFrame(), NO_DAYS, None, "no handle times")
    several = rows[unit].nunique() > 1
    found = mix.mix_adjusted(rows, ["week"], CELLS, rater=unit if several else None, **LOGS).table
    at = pd.to_datetime(found["week"])
    whole = [periods.complete(one, "week", (wide.start, wide.end)) for one in at]
    points = found.assign(at=at, inside=at >= pd.Timestamp(periods.monday(filters.start)))[whole]
    odd, shift = _days(snapshot, filters, wide)
    return Weeks(points.reset_index(drop=True), odd, shift)


def _days(
    snapshot: Snapshot, filters: Filters, wide: Filters
) -> tuple[pd.DataFrame, tuple[str, dt.date, float] | None]:
    """Days far off the usual for the same kind of work, and a change against the period before that stayed."""
    rows = data.sums(snapshot, "work", SUMS, ("day", "project", "policy"), wide).fillna(0)
    kind = codes(arrays(rows), ("project", "policy"))
    day, days = pd.factorize(rows["day"], sort=True)
    n, level = odd_days.above_usual(day, kind, *(rows[LOGS[c]].to_numpy(float) for c in ("n", "total")))
    enough = n >= odd_days.LEAST_A_DAY
    if enough.sum() < odd_days.LEAST_DAYS:
        return NO_DAYS, None
    at, level = np.asarray(days, "datetime64[D]")[enough], level[enough]
    found = odd_days.odd_days(level, n[enough])
    columns = {"day": pd.to_datetime(at), "times": np.exp(found.off), "alone": found.alone}
    odd = pd.DataFrame(columns)[found.far].reset_index(drop=True)
    late = at >= np.datetime64(filters.before().start)
    change = odd_days.lasting_change(level[late], at[late] < np.datetime64(filters.start), found.far[late])
    if change is None:
        return odd, None
    return odd, ("slower" if change.size > 0 else "faster", at[late][change.at].item(), math.exp(change.size) - 1)
