"""What the queue page shows: the queues as they stand, and one queue's coming days against its staffed capacity."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import streamlit as st

from data_access.derive import AGE_BUCKETS_DAYS, AGE_COLUMNS
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import capacity, forecast, handling
from metrics.backlog import Sla, Stretch, backlog_age, late_stretch
from metrics.outlook_check import Check
from ui import data, figures, periods, queue_check, queue_staffing, raters
from ui.figures import KEPT
from ui.productivity import kept_by
from ui.queue_staffing import ONE, Staffing

SLA, BACKLOG, OVERDUE, AGED = "sla_attainment", "backlog", "backlog_overdue_share", "turnaround_p90_hours"
CLAIMED, CLAIMED_LATE = "time_to_claim_p50_hours", "time_to_claim_p90_hours"
MEASURED = (SLA, BACKLOG, OVERDUE, "items_created", "items_decided", AGED, CLAIMED, CLAIMED_LATE)
FLOW = ("created", "closed", "due", "due_in_time")
STOCK = ("backlog", "overdue_open")
PROMISE_WEEKS = 17  # whose deadlines stand for those of the coming items
PATHS = 1000


def open_filters(filters: Filters) -> Filters:
    """The filters that the queue keeps: an item has no pool before somebody works on it."""
    return kept_by("flow", filters)


def dropped(filters: Filters) -> list[str]:
    """The filters that cannot narrow the queue."""
    kept = {name for name, _ in open_filters(filters).where}
    return [name for name, _ in filters.where if name not in kept]


# ---- as they stand ---------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def measured(snapshot: Snapshot, filters: Filters) -> list[pd.DataFrame]:
    """The queue's metrics against the period before: in all, and by project."""
    return figures.compared(snapshot, open_filters(filters), MEASURED, ((), ("project",)))


@st.cache_data(**KEPT)
def queues(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """A row per project with items: member, label, SLA attainment as measured, backlog, its ages, flow."""
    rows = measured(snapshot, filters)[1]
    rows = rows[rows["project"].notna()]
    names = snapshot.names["project"]
    wide = rows.pivot(index="project", columns="metric", values="value")
    sla = rows[rows["metric"] == SLA].set_index("project")
    found = wide.reindex(columns=[m for m in MEASURED if m != SLA]).join(sla.drop(columns="metric"))
    found = found[found["items_created"].fillna(0) + found["backlog"].fillna(0) > 0]
    end = as_of(snapshot, filters)
    open_now = data.sums(snapshot, "backlog", AGE_COLUMNS, ("project",), open_filters(filters).over(end, end)).fillna(0)
    counts = open_now.groupby("project")[list(AGE_COLUMNS)].sum().reindex(found.index, fill_value=0.0).to_numpy(float)
    ages_said = [aged(one, age_labels()) for one in counts]
    found = found.assign(
        aged=[nine for nine, _ in ages_said],
        oldest=[last for _, last in ages_said],
        member=found.index.astype(str),
        label=[names.get(p, p) for p in found.index],
        overdue=(found[OVERDUE] * found[BACKLOG]).fillna(0).round(),
        order=found["status"].map(figures.ORDER),
    )
    return found.sort_values(["order", "value"], kind="stable").reset_index(drop=True)


def chosen(rows: pd.DataFrame, asked: str) -> str:
    """The queue that is looked at: the one asked for, else the one with the lowest attainment."""
    if rows.empty:
        return ""
    if asked in set(rows["member"]):
        return asked
    known = rows[rows["value"].notna()]
    return str((known.loc[known["value"].idxmin()] if len(known) else rows.iloc[0])["member"])


def of_queue(filters: Filters, queue: str) -> Filters:
    """The queue's own filters."""
    return open_filters(filters).with_("project", queue)


def as_of(snapshot: Snapshot, filters: Filters) -> dt.date:
    """The last day known inside the period: what comes after it is forecast."""
    return min(filters.end or snapshot.meta.last_day, snapshot.meta.last_day)


@st.cache_data(**KEPT)
def days(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """The year up to the period's end, no day left out: day, created, closed, due, due_in_time, backlog, overdue."""
    end = as_of(snapshot, filters)
    start = max(end - (forecast.MOST_DAYS - 1) * ONE, snapshot.meta.first_day)
    wide = filters.over(start, end)
    # Stocks add up over the queue's languages and policies on one day, which is all that is asked here.
    rows = data.sums(snapshot, "flow", (*FLOW, *STOCK), ("day",), wide).set_index("day")
    return rows.reindex(pd.date_range(start, end, freq="D")).fillna(0.0).rename_axis("day").reset_index()


@st.cache_data(**KEPT)
def ages(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """The open items at the period's end by age: label and items, the youngest first."""
    end = as_of(snapshot, filters)
    sums = data.sums(snapshot, "backlog", AGE_COLUMNS, (), filters.over(end, end)).fillna(0)
    items = [float(sums[name].sum()) for name in AGE_COLUMNS]
    return pd.DataFrame({"label": age_labels(), "items": items, "first": AGE_BUCKETS_DAYS})


def age_labels() -> list[str]:
    """The ages that open items are counted by: today, 1 day, 2 to 3 days, 31 days or more."""
    ends = [*AGE_BUCKETS_DAYS[1:], None]
    return [_days_said(a, b - 1) if b else f"{a} days or more" for a, b in zip(AGE_BUCKETS_DAYS, ends, strict=True)]


def _days_said(first: int, last: int) -> str:
    if first == last:
        return "today" if not first else f"{first} day{'s' if first > 1 else ''}"
    return f"{first} to {last} days"


def staffing(snapshot: Snapshot, filters: Filters) -> Staffing:
    """Who works on the queue at the period's end."""
    return queue_staffing.staffing(snapshot, filters, as_of(snapshot, filters))


# ---- promise ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Promise:
    """After how many hours items fall due, and the share of items with a deadline that have this very one.

    hours: of most items, to the nearest hour; where no number of hours has half of them their mean; 24 where no
    deadline is known (share 0).
    """

    hours: float = 24.0
    share: float = 0.0

    @property
    def within_day(self) -> bool:
        """Whether items fall due on the day they come, some of them."""
        return self.hours < 24


@st.cache_data(**KEPT)
def promise(snapshot: Snapshot, filters: Filters) -> Promise:
    """What items of the weeks up to the period's end were promised, as their deadlines have it."""
    end = as_of(snapshot, filters)
    recent = filters.over(end - PROMISE_WEEKS * 7 * ONE, end)
    rows = data.sums(snapshot, "promise", ("items",), (), recent, ("hours",))
    return promise_of(rows["hours"].to_numpy(float), rows["items"].to_numpy(float))


def promise_of(hours: np.ndarray, items: np.ndarray) -> Promise:
    """The promise in a histogram of hours; a deadline that is not after its item came is none."""
    hours, items = hours[hours > 0], items[hours > 0]
    if not items.sum() > 0:
        return Promise()
    values, at = np.unique(hours, return_inverse=True)
    counts = np.bincount(at, items)
    most = int(counts.argmax())
    share = float(counts[most] / counts.sum())
    return Promise(float(values[most] if share >= 0.5 else round(np.average(values, weights=counts))), share)


# ---- outlook ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """What if: None is as it is today. added: heads; risk: the most one accepts; days: how far ahead."""

    added: int = 0
    hours: float | None = None
    utilisation: float | None = None
    shrinkage: float | None = None
    risk: float = 0.10
    days: int = 14


@dataclass(frozen=True)
class Outlook:
    """One queue's coming days. volume: the forecast of arrivals; found, need: the simulation; sla: what is promised.

    today: found without anything added; staff: with what is asked for; first: the day after the last one known;
    check: how the simulation did on past periods, and why no probability is said;
    due: when items fall due, and how many of them so; no_due: no item has a due time, and the promise is supposed;
    reason: why there is none.
    """

    volume: forecast.Forecast | None = None
    found: capacity.Outlook | None = None
    today: capacity.Outlook | None = None
    need: capacity.Addition | None = None
    staff: Staffing = field(default_factory=Staffing)
    handle: handling.HandleTime | None = None
    sla: Sla | None = None
    check: Check | None = None
    first: dt.date | None = None
    due: Promise = Promise()
    no_due: bool = False
    reason: str = ""


@st.cache_data(**KEPT)
def volume(snapshot: Snapshot, filters: Filters, steps: int) -> forecast.Forecast:
    """The arrivals of the coming days, with the backtest that chose the method and sets the bands."""
    return forecast.forecast(days(snapshot, filters)["created"].to_numpy(float), steps)


def handle(snapshot: Snapshot, filters: Filters) -> handling.HandleTime:
    """Seconds of handling a decided item takes at the period's end, repeats and reviews included."""
    end = as_of(snapshot, filters)
    pace = queue_check.spent(snapshot, filters.over(end - (queue_check.PACE_DAYS - 1) * ONE, end))
    return queue_check.handle_time(pace, pd.Timestamp(end))


def promised(snapshot: Snapshot, filters: Filters) -> float:
    """The share of items due in time that the queue is held to; 95 % where nobody has set a target."""
    return raters.target(snapshot, filters, SLA) or 0.95


@st.cache_data(**KEPT)
def outlook(snapshot: Snapshot, filters: Filters, ask: Ask) -> Outlook:
    """The coming days of the queue that the filters leave, today's staff and what is asked for against each other."""
    rows, staff = days(snapshot, filters), staffing(snapshot, filters)
    first = as_of(snapshot, filters) + ONE
    no_due = not rows["due"].any()
    coming, pace = volume(snapshot, filters, ask.days), handle(snapshot, filters)
    reason = coming.reason or pace.reason or staff.reason
    if reason:
        return Outlook(volume=coming, staff=staff, handle=pace, first=first, no_due=no_due, reason=reason)
    paths = forecast.sample_paths(coming, PATHS)
    due = promise(snapshot, filters)
    sla = Sla(due.hours, promised(snapshot, filters))
    changed = replace(
        staff,
        hours=staff.hours if ask.hours is None else ask.hours,
        most=staff.most if ask.utilisation is None else ask.utilisation,
        shrinkage=staff.shrinkage if ask.shrinkage is None else ask.shrinkage,
    )
    weekdays = [(first + k * ONE).weekday() for k in range(ask.days)]
    heads = np.array(staff.heads)[weekdays]
    tried = queue_check.check(snapshot, filters, rows, ask.days, sla, staff)
    common = {
        "start": float(rows["backlog"].iloc[-1]),
        "recent": rows["created"].to_numpy(float)[-60:],
        "sla": sla,
        "otherwise": tried.otherwise,
    }
    asked = capacity.Staff(heads, changed.hours, changed.most, changed.shrinkage)
    today = capacity.Staff(heads, staff.hours, staff.most, staff.shrinkage)
    queue = capacity.Queue(paths, asked, pace, **common)
    need = queue.heads_needed(most_risk=ask.risk, cost_per_hour=staff.per_hour, most_added=500)
    base = capacity.Queue(paths, today, pace, **common).outlook()
    found = base
    if ask.added or changed != staff:
        found = queue.outlook(added=ask.added)
    return Outlook(coming, found, base, need, changed, pace, sla, tried, first, due, no_due)


def heads(found: Outlook, ask: Ask) -> list[float]:
    """Raters on each of the coming days, with those that are asked for: they come as the roster does."""
    today = np.array(found.staff.heads)
    part = today / today.max() if today.max() > 0 else np.ones(7)
    days_ahead = [(found.first + k * ONE).weekday() for k in range(ask.days)]
    return (today + ask.added * part)[days_ahead].tolist()


def span(rows: pd.DataFrame, weeks: int = 13) -> pd.DataFrame:
    """The last weeks of days()."""
    return rows.tail(weeks * 7)


def weekly(rows: pd.DataFrame) -> pd.DataFrame:
    """Arrivals, decisions and what fell due by whole week: at, created, closed, due, due_in_time."""
    monday = rows["day"].dt.to_period("W-SUN").dt.start_time
    sums = rows.groupby(monday)[list(FLOW)].sum()
    whole = rows.groupby(monday)["day"].count() == periods.WEEK.days
    return sums[whole].rename_axis("at").reset_index()


def stretch(weeks: pd.DataFrame) -> Stretch | None:
    """The stretch of weekly() in which items were late as they usually are not."""
    return late_stretch(*(weeks[name].to_numpy(float) for name in FLOW)) if len(weeks) else None


def in_order(rows: pd.DataFrame) -> float | None:
    """How old the oldest open item would be at the end of days() with the oldest done first, in days."""
    oldest = backlog_age(rows["created"], rows["backlog"], len(rows) - 1)["oldest_age_days"].iloc[0]
    return None if np.isnan(oldest) else float(oldest)


def aged(items: np.ndarray, labels: list[str]) -> tuple[str, str]:
    """Between what ages the item lies that nine in ten open ones are no older than, and the oldest one."""
    if not items.sum():
        return "", ""
    place = int(np.searchsorted(items.cumsum(), 0.9 * items.sum() - 1e-9))
    return labels[place], labels[int(np.flatnonzero(items)[-1])]
