"""Who works on a queue: its pools' rosters, each day by the share of the pool's time that the queue took."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.catalogue import METRICS
from ui import data
from ui.figures import KEPT

DAY_SECONDS = 24 * 3600.0
TOO_LONG = "the hours of these raters come to more than 24 a day: check the times of `shifts` and `annotations`"
STAFF_WEEKS = 4  # whose roster and pace stand for today's
ONE = dt.timedelta(days=1)
NO_SHIFTS = "shifts"
BY_WORK = "work"
ACTIVE = "active"  # the one basis that measures the same as the roster's active seconds
HOURS = ("rater_days", "scheduled_seconds", "logged_seconds", "active_seconds")
TIMES = ("judgements", "handle_n", "handle_sum_seconds")


@dataclass(frozen=True)
class Staffing:
    """Who works on a queue on each weekday. heads: (7,) from Monday, whole days of ``hours`` paid hours on this queue.

    utilisation: share of worked time spent on items; most: the most it is planned at; shrinkage: planned and not
    worked; per_hour: labour cost of a paid hour or None; source: "shifts", or "work" where none are loaded; reason:
    why nobody is known.
    """

    heads: tuple[float, ...] = (0.0,) * 7
    hours: float = 0.0
    utilisation: float = 0.0
    most: float = 0.0
    shrinkage: float = 0.0
    per_hour: float | None = None
    pools: int = 0
    source: str = NO_SHIFTS
    reason: str = ""


def timed(snapshot: Snapshot, filters: Filters) -> Filters:
    """The filters on the time basis that most of this queue's work has: times of two bases are never combined."""
    if filters.values("time_basis"):
        return filters
    rows = data.sums(snapshot, "work", ("handle_n",), ("time_basis",), filters).fillna(0)
    return filters.with_("time_basis", str(rows.loc[rows["handle_n"].idxmax(), "time_basis"])) if len(rows) else filters


@st.cache_data(**KEPT)
def staffing(snapshot: Snapshot, filters: Filters, end: dt.date) -> Staffing:
    """The roster of the weeks up to ``end`` of the pools that worked on the queue, each by its time spent there."""
    recent = filters.over(end - (STAFF_WEEKS * 7 - 1) * ONE, end)
    rows = roster(snapshot, recent)
    if rows is None:
        return Staffing(reason=f"nobody worked on this queue in the last {STAFF_WEEKS} weeks")
    if rows.empty:
        return _by_work(snapshot, recent)
    days, planned, logged, active = (float(rows[c].sum()) for c in HOURS)
    if logged <= 0 or days <= 0:
        return Staffing(reason=f"the roster of the last {STAFF_WEEKS} weeks has no time that is surely this queue's")
    paid = rows["scheduled_seconds" if planned else "logged_seconds"].to_numpy(float)
    planned = planned or logged
    hours = planned / days / 3600
    if hours * 3600 > DAY_SECONDS:
        return Staffing(reason=TOO_LONG)
    weekday = pd.DatetimeIndex(rows["day"]).day_of_week.to_numpy()
    used = min(active / logged, 1.0)
    return Staffing(
        tuple(np.bincount(weekday, paid, 7) / STAFF_WEEKS / 3600 / hours),
        hours,
        used,
        max(used, _band(snapshot, end)),
        max(0.0, 1 - logged / planned),
        _per_hour(snapshot, recent, logged / 3600),
        rows["pool"].nunique(),
    )


def _band(snapshot: Snapshot, day: dt.date) -> float:
    """The upper end of the utilisation band; 0 where nobody has set one."""
    goal = snapshot.targets.in_force(METRICS["utilisation"], day, None, None)
    return max(x for x in (goal.target, goal.warn) if x is not None) if goal else 0.0


@st.cache_data(**KEPT)
def roster(snapshot: Snapshot, filters: Filters) -> pd.DataFrame | None:
    """The queue's part of its pools' roster, a row per day and pool with work on it: day, pool and ``HOURS``.

    None where nobody worked on the queue; without rows where its pools have no shifts.
    """
    here = data.sums(snapshot, "work", TIMES, ("day", "pool", "project"), filters, ("time_basis",)).fillna(0)
    if here.empty:
        return None
    pools = Filters.of({"pool": sorted(set(here["pool"].dropna()))}, filters.start, filters.end)
    hours = data.sums(snapshot, "shift", HOURS, ("day", "pool"), pools).fillna(0)
    if hours.empty or not hours["logged_seconds"].sum() > 0:
        return pd.DataFrame(columns=["day", "pool", *HOURS])
    every = data.sums(snapshot, "work", TIMES, ("day", "pool", "project"), pools, ("time_basis",)).fillna(0)
    part = shares(here, every, hours)
    found = hours.merge(part, on=["day", "pool"])
    return found.assign(**{c: found[c] * found["share"] for c in HOURS}).drop(columns="share")


def shares(here: pd.DataFrame, every: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    """The share of a pool's handling time of a day that went into the queue: day, pool, share (above 0).

    here, every: day, pool, project, time_basis and ``TIMES`` of the queue and of all that its pools did; hours: day,
    pool and ``HOURS``. Each project counts on the basis that most of its work is timed on, and judgements not timed so
    take their project's mean time. Where a pool's projects are timed on several bases, their times are not set against
    one another: active time is set against the pool's active time in the roster, and all others share what it leaves.
    """
    usual = _usual(every)
    key = ["day", "pool"]
    ours, whole = _spent(here, usual, every).groupby([*key, "time_basis"])["seconds"].sum(), _spent(every, usual, every)
    bases = whole.pivot_table(index=key, columns="time_basis", values="seconds", aggfunc="sum", fill_value=0.0)
    mixed = whole.groupby("pool")["time_basis"].nunique().gt(1)
    active = hours.groupby(key)["active_seconds"].sum().reindex(bases.index, fill_value=0.0)
    on_active = bases[ACTIVE] if ACTIVE in bases else pd.Series(0.0, bases.index)
    left = (active - on_active).clip(lower=0.0) / active.where(active > 0)
    others = bases.sum(axis=1) - on_active
    rows = ours.rename("seconds").reset_index().set_index(key)
    is_active = rows["time_basis"] == ACTIVE
    same = rows["seconds"] / bases.sum(axis=1).reindex(rows.index)
    apart = (rows["seconds"] / active.where(active > 0).reindex(rows.index)).where(
        is_active, left.reindex(rows.index) * rows["seconds"] / others.reindex(rows.index)
    )
    share = same.where(~rows.index.get_level_values("pool").map(mixed).to_numpy(bool), apart)
    found = share.groupby(level=key).sum().clip(0.0, 1.0).rename("share").reset_index()
    return found[found["share"] > 0]


def _usual(rows: pd.DataFrame) -> pd.Series:
    """The basis that most of a project's work is timed on, by project."""
    sums = rows.groupby(["project", "time_basis"])["handle_n"].sum().reset_index()
    first = sums.sort_values(["handle_n", "time_basis"], ascending=[False, True]).drop_duplicates("project")
    return first.set_index("project")["time_basis"]


def _spent(rows: pd.DataFrame, usual: pd.Series, every: pd.DataFrame) -> pd.DataFrame:
    """Seconds by day, pool and project on the project's usual basis: day, pool, project, time_basis, seconds."""
    basis = every["project"].map(usual)
    on_it = every[every["time_basis"] == basis].groupby("project")[["handle_n", "handle_sum_seconds"]].sum()
    mean = (on_it["handle_sum_seconds"] / on_it["handle_n"].where(on_it["handle_n"] > 0)).fillna(1.0)
    basis = rows["project"].map(usual)
    known = rows["time_basis"] == basis
    untimed = rows["judgements"] - rows["handle_n"].where(known, 0.0)
    seconds = rows["handle_sum_seconds"].where(known, 0.0) + untimed * rows["project"].map(mean).fillna(1.0)
    found = rows[["day", "pool", "project"]].assign(time_basis=basis, seconds=seconds)
    return found.groupby(["day", "pool", "project", "time_basis"], as_index=False)["seconds"].sum()


def _per_hour(snapshot: Snapshot, filters: Filters, paid_hours: float) -> float | None:
    """Labour cost of a paid hour on this queue, from the ledger; None where it is not known."""
    kept = Filters.of({"project": filters.values("project")}, filters.start, filters.end)
    money = float(data.sums(snapshot, "ledger", ("cost_labour",), (), kept).fillna(0)["cost_labour"].sum())
    return money / paid_hours if money > 0 and paid_hours > 0 else None


def _by_work(snapshot: Snapshot, filters: Filters) -> Staffing:
    """Without shifts: who judged something, and the time it took; breaks and waiting are not known."""
    if not data.current_scope().sees_raters:
        return Staffing(source=BY_WORK, reason="no shifts are loaded, and who worked is not shown here")
    rows = data.sums(snapshot, "work", ("handle_sum_seconds",), ("day", "rater"), timed(snapshot, filters)).fillna(0)
    rows = rows[rows["handle_sum_seconds"] > 0]
    if rows.empty:
        return Staffing(source=BY_WORK, reason="no shifts are loaded and no work is timed")
    weekday = pd.DatetimeIndex(rows["day"]).day_of_week.to_numpy()
    heads = np.bincount(weekday, minlength=7) / STAFF_WEEKS
    hours = float(rows["handle_sum_seconds"].sum()) / len(rows) / 3600
    if hours > DAY_SECONDS / 3600:
        return Staffing(source=BY_WORK, reason=TOO_LONG)
    return Staffing(tuple(heads), hours, 1.0, 1.0, 0.0, _per_hour(snapshot, filters, hours * len(rows)), 0, BY_WORK)
