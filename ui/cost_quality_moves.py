"""What work that moves between two pools of a project would do to its cost, its quality and its SLA."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.catalogue import METRICS
from metrics.intervals import student
from metrics.reallocation import Pool, Queue, Reallocation, reallocate
from metrics.spec import Estimate
from ui import data, queue
from ui import format as fmt
from ui.cost_quality import frontiers
from ui.costs import KEPT, timed_work

WEEKS = 13  # whose arrivals and paid hours stand for those of the coming ones
ONE_POOL = "only one pool works on it under these filters, so there is nothing to compare"
NO_PAIR = "no two pools share a language on it, and work in one language is no work for raters of another"
NO_SHARED = "these two pools share no language on it: choose two that do"
NO_SHIFTS = "capacity is not known: load the table shifts"
PART_SEEN = "capacity is not known: you see only a part of what these pools work on"
NO_ITEMS = "the items of this queue are not known"
FAR = 0.05  # between the SLA measured and the one simulated, from which the simulated effect is withheld
UNLIKE = "the simulation gives both pools {} in time now, where {} of the queue was"
SLA = METRICS["sla_attainment"]
SECONDS = ("handle_n", "handle_sum_seconds", "judgements")


@dataclass(frozen=True, eq=False)
class Move:
    """What moving a share of a project's labels from one pool to another would do; or the reason why it is not said.

    measured: share of the queue's items that were in time over the same weeks, NaN where none fell due. due: when its
    items fall due. language: of the work that moves; the queue is the project's in it.
    """

    found: Reallocation | None
    source: Pool | None
    target: Pool | None
    reason: str = ""
    measured: float = math.nan
    due: queue.Promise = queue.Promise()  # noqa: RUF009  frozen
    language: str = ""


@st.cache_data(**KEPT)
def move(
    snapshot: Snapshot,
    filters: Filters,
    quality: str,
    project: str,
    source: str,
    target: str,
    share: float,
    usable: float,
) -> Move:
    """The effect of moving ``share`` of the source's labels of the project in a language of both to the target, a week.

    usable: the share of paid hours that can be handling; a pool's capacity is its paid hours times that, over the
    handling time of one of the project's labels there. Its load is all its handling time, in such labels. The SLA is
    that of weeks like the last ``WEEKS`` up to the period's end.
    """
    rows = frontiers(snapshot, filters, quality).of(project)
    if len(rows) < 2:
        return Move(None, None, None, ONE_POOL if len(rows) else "there are no pools to move work between")
    ours = {p: rows[rows["pool"] == p].set_index("language") for p in (source, target)}
    if source == target or any(c.empty for c in ours.values()):
        return Move(None, None, None, "choose two different pools")
    shared = ours[source].loc[ours[source].index.isin(ours[target].index), "labels"]
    if shared.empty:
        return Move(None, None, None, NO_SHARED)
    language = str(shared.idxmax())
    weeks = filters.days / 7
    mine = Filters.of({"project": (project,), "language": (language,)}, filters.start, filters.end)
    work = _work(snapshot, filters, mine, (source, target), usable)
    pools = []
    for name, each in ours.items():
        one = each.loc[language]
        labels = float(one["labels"]) / weeks
        known = work.get(name) or _Work(labels, None)
        pools.append(
            Pool(
                str(one["label"]),
                _estimate(one, "cost", one["labels"]),
                _estimate(one, "quality", one["gold"]),
                labels,
                max(known.load, labels),
                known.capacity or Estimate.missing(NO_SHIFTS if _sees_all() else PART_SEEN),
                known.able,
                known.others,
            )
        )
    if pools[0].name == pools[1].name:
        pools[1] = replace(pools[1], name=f"{pools[1].name} (2)")
    both = sum(pool.labels for pool in pools)
    due = queue.promise(snapshot, mine)
    queued, measured = _queue(snapshot, mine, both, due.hours)
    found = _trusted(reallocate(*pools, share, queued), measured)
    return Move(found, *pools, measured=measured, due=due, language=language)


def _trusted(found: Reallocation, measured: float) -> Reallocation:
    """The effects without what the simulation says of the SLA, where it is ``FAR`` from the SLA measured unmoved."""
    effects = found.effects
    now = float(effects.loc[effects["effect"] == "in time before", "value"].iloc[0])
    if not abs(now - measured) > FAR:
        return found
    at = effects["effect"].isin(("SLA of the queue", "in time after"))
    effects = effects.copy()
    effects.loc[at, ["value", "low", "high", "p"]] = math.nan
    effects.loc[at, "reason"] = UNLIKE.format(fmt.value(now, SLA), fmt.value(measured, SLA))
    return replace(found, effects=effects)


def _estimate(row: pd.Series, name: str, n: float) -> Estimate:
    value, low, high = (row[f"{name}{s}"] for s in ("", "_low", "_high"))
    if pd.isna(value):
        return Estimate.missing(str(row["reason"]) or f"no {name}", float(n))
    ends = (None, None) if pd.isna(low) or pd.isna(high) else (float(low), float(high))
    return Estimate(float(value), *ends, n=float(n))


def _sees_all() -> bool:
    """Whether the reader sees all that a pool works on."""
    return data.current_scope().projects is None


# ---- the queue -------------------------------------------------------------------------------------------------


def _days(filters: Filters) -> pd.DatetimeIndex:
    """The days of the last whole weeks up to the period's end."""
    return pd.date_range(end=filters.end, periods=7 * WEEKS, freq="D")


def _by_day(rows: pd.DataFrame, columns: tuple[str, ...], days: pd.DatetimeIndex) -> np.ndarray:
    """Sums of the columns on each of the days: (columns, days); 0 on days without rows."""
    at = (pd.to_datetime(rows["day"]) - days[0]).dt.days.to_numpy()
    return np.array([np.bincount(at, np.nan_to_num(rows[c].to_numpy(float)), len(days)) for c in columns])


def _queue(snapshot: Snapshot, mine: Filters, both: float, due_hours: float) -> tuple[Queue, float]:
    """The queue of the filters in labels, all pools together, and the share of its items that were in time."""
    filters = mine
    made = data.sums(snapshot, "ledger", ("labels",), (), mine)["labels"].astype(float).sum()
    labels = max(float(made) / (filters.days / 7), both)
    days = _days(filters)
    held = mine.over(days[0].date(), days[-1].date())
    columns = ("created", "closed", "due", "due_in_time")
    flow = data.sums(snapshot, "flow", (*columns, "backlog"), ("day",), held)
    if flow.empty:
        return Queue(labels, reason=NO_ITEMS), math.nan
    sums = dict(zip((*columns, "backlog"), _by_day(flow, (*columns, "backlog"), days), strict=True))
    measured = sums["due_in_time"].sum() / sums["due"].sum() if sums["due"].any() else math.nan
    whole = _whole(snapshot, days)
    inside = slice(7 * (WEEKS - whole), None)
    period = slice(max(len(days) - filters.days, 0), None)
    closed = sums["closed"][period].sum()
    if not whole or not closed > 0 or not sums["created"][inside].any():
        return Queue(labels, reason=NO_ITEMS), measured
    each = labels * min(filters.days, len(days)) / 7 / closed  # labels an item takes
    came = each * sums["created"][inside].reshape(whole, 7)
    return Queue(labels, came, each * float(sums["backlog"][-1]), due_hours), measured


def _whole(snapshot: Snapshot, days: pd.DatetimeIndex) -> int:
    """How many of the weeks lie inside the days of the snapshot; the weeks end on the period's last day."""
    first: dt.date = snapshot.meta.first_day
    if snapshot.meta.last_day < days[-1].date():
        return 0
    return sum(days[7 * k].date() >= first for k in range(WEEKS))


# ---- the pools -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Work:
    """A pool's work, in labels of the project: load and capacity a week; the others as of metrics.reallocation.Pool."""

    load: float
    capacity: Estimate | None
    able: np.ndarray | None = None
    others: np.ndarray | None = None


def _work(
    snapshot: Snapshot, filters: Filters, mine: Filters, pools: tuple[str, ...], usable: float
) -> dict[str, _Work]:
    """By pool, where both its handling time on the queue ``mine`` and all else it does are known."""
    if not _sees_all():
        return {}
    days = _days(filters)
    whole = Filters.of({"pool": pools}, min(filters.start, days[0].date()), filters.end)
    keys = ("day", "project", "pool", "language")
    work = timed_work(snapshot, ("labels", *SECONDS), keys, whole)
    work = work.assign(day=pd.to_datetime(work["day"]))
    timed, spent, judged = (np.nan_to_num(work[c].to_numpy(float)) for c in SECONDS)
    # Judgements without a time take as long as those with one: that day's, else those of the pool on the queue.
    sums = work.groupby(["project", "pool", "language"], dropna=False)[["handle_n", "handle_sum_seconds"]]
    usual_n, usual_sum = sums.transform("sum").to_numpy(float).T
    usual = np.divide(usual_sum, usual_n, out=np.zeros(len(work)), where=usual_n > 0)
    work["seconds"] = np.divide(spent, timed, out=usual, where=timed > 0) * judged
    ours = work["project"].isin(mine.values("project")) & work["language"].isin(mine.values("language"))
    work["queue"] = work["project"].astype(str) + " " + work["language"].astype(str)
    paid = data.sums(snapshot, "shift", ("logged_seconds",), ("day", "pool"), whole)
    paid = paid.assign(day=pd.to_datetime(paid["day"]))
    every = Filters.of((), days[0].date(), days[-1].date())
    flow = data.sums(snapshot, "flow", ("created", "closed"), ("day", "project", "language"), every)
    flow["queue"] = flow["project"].astype(str) + " " + flow["language"].astype(str)
    weeks, start = filters.days / 7, pd.Timestamp(filters.start)
    past = _whole(snapshot, days)
    found = {}
    for pool in pools:
        here, hours = (rows[rows["pool"] == pool] for rows in (work, paid))
        now = here[here["day"] >= start]
        own = now[ours[now.index]]
        labels = float(own["labels"].astype(float).sum())
        each = float(own["seconds"].sum()) / labels if labels else 0.0
        if not each > 0:
            continue
        capacity = _capacity(hours[hours["day"] >= start], usable / each, weeks)
        load = float(now["seconds"].sum()) / each / weeks
        found[pool] = _Work(load, capacity)
        if capacity is not None and past:
            inside = slice(7 * (WEEKS - past), None)
            able = usable * _by_day(hours[hours["day"] >= days[0]], ("logged_seconds",), days)[0]
            others = here[~ours[here.index] & (here["day"] >= days[0])]
            weekly = (x[inside].reshape(past, 7) / each for x in (able, _others(others, flow, days)))
            found[pool] = _Work(load, capacity, *weekly)
    return found


def _others(work: pd.DataFrame, flow: pd.DataFrame, days: pd.DatetimeIndex) -> np.ndarray:
    """Handling seconds that came to a pool's other queues on each of the days.

    A queue is a project's items of a language. One of its items takes this pool as many seconds as it spent there over
    the items decided there; where none was decided, what came is what was worked on.
    """
    came = np.zeros(len(days))
    for queue_, rows in work.groupby("queue"):
        spent = _by_day(rows, ("seconds",), days)[0]
        created, closed = _by_day(flow[flow["queue"] == queue_], ("created", "closed"), days)
        if not (created.any() and closed.any()):
            came += spent
            continue
        came += created * spent.sum() / closed.sum()
    return came


def _capacity(paid: pd.DataFrame, labels_a_second: float, weeks: float) -> Estimate | None:
    """Labels a week that the paid hours allow; the interval is that of the mean of the weeks."""
    seconds = np.nan_to_num(paid["logged_seconds"].to_numpy(float))
    monday = paid["day"] - pd.to_timedelta(paid["day"].dt.day_of_week, unit="D")
    weekly = np.bincount(pd.factorize(monday)[0], seconds) * labels_a_second
    if not len(weekly) or not weekly.sum() > 0:
        return None
    mean = float(weekly.sum() / weeks)
    if len(weekly) < 3:
        return Estimate(mean, n=len(weekly))
    half = float(student(0.975, len(weekly) - 1)) * float(weekly.std(ddof=1)) / math.sqrt(len(weekly))
    ratio = math.exp(half / mean)
    return Estimate(mean, mean / ratio, mean * ratio, len(weekly))
