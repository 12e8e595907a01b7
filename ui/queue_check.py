"""How the queue's simulation did on periods gone by: simulated with the arrivals and hours there were, and measured."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import capacity, handling, outlook_check
from metrics.backlog import Sla
from metrics.outlook_check import Check
from ui import data, queue_staffing
from ui.figures import KEPT
from ui.queue_staffing import ONE, STAFF_WEEKS, Staffing

PERIODS = 12
PACE_DAYS = 13 * 7  # whose handle times say how they vary
PATHS = 100


@st.cache_data(**KEPT)
def check(snapshot: Snapshot, filters: Filters, rows: pd.DataFrame, length: int, sla: Sla, staff: Staffing) -> Check:
    """The last periods of ``length`` days up to the last of ``rows``, each simulated with what was known after it.

    rows: a row per day, none left out: day, created, closed, due, due_in_time, backlog; sla, staff: of the outlook.
    """
    if not rows["due"].any():
        return Check(pd.DataFrame(columns=list(outlook_check.PERIOD_COLUMNS)), reason="no item has a due time")
    count = min(PERIODS, (len(rows) - STAFF_WEEKS * 7) // length)
    if count < 1:
        return outlook_check.check([], [], [], 1)
    end = rows["day"].iloc[-1].date()
    whole = filters.over(end - (count * length + PACE_DAYS - 1) * ONE, end)
    pace, hours = spent(snapshot, whole), hours_used(snapshot, whole, staff)
    simulated, measured, due = [], [], []
    for number in range(count, 0, -1):
        last = len(rows) - (number - 1) * length
        now, before = rows.iloc[last - length : last], rows.iloc[: last - length]
        took = handle_time(pace, before["day"].iloc[-1])
        if took.reason:
            continue
        staffed = capacity.Staff(hours.reindex(now["day"]).fillna(0.0).to_numpy(), 1.0, 1.0, 0.0)
        late = capacity.Queue(
            np.tile(now["created"].to_numpy(float), (PATHS, 1)),
            staffed,
            took,
            start=float(before["backlog"].iloc[-1]),
            recent=before["created"].to_numpy(float)[-60:],
            sla=sla,
        ).late_shares()
        items = float(now["due"].sum())
        if items and not np.isnan(late).any():
            simulated.append(1 - float(late.mean()))
            measured.append(float(now["due_in_time"].sum()) / items)
            due.append(items)
    return outlook_check.check(simulated, measured, due, math.ceil(STAFF_WEEKS * 7 / length))


def hours_used(snapshot: Snapshot, filters: Filters, staff: Staffing) -> pd.Series:
    """Hours of handling that the queue's own roster had by day, at the most use of worked time it is planned at."""
    if staff.source == queue_staffing.BY_WORK:
        return spent(snapshot, filters)["seconds"] / 3600
    rows = queue_staffing.roster(snapshot, filters)
    if rows is None or rows.empty:
        return pd.Series(dtype=float)
    return rows.groupby("day")["logged_seconds"].sum() / 3600 * staff.most


@st.cache_data(**KEPT)
def spent(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """By day, none left out: timed judgements, seconds of handling, items decided.

    Seconds are active ones, as the roster has, where shifts tell them and the queue is timed in another way.
    """
    one_basis = queue_staffing.timed(snapshot, filters)
    rows = data.sums(snapshot, "work", queue_staffing.TIMES, ("day",), one_basis).fillna(0).set_index("day")
    flow = data.sums(snapshot, "flow", ("closed",), ("day",), filters).fillna(0).set_index("day")["closed"]
    whole = pd.date_range(max(filters.start, snapshot.meta.first_day), filters.end, freq="D")
    rows, flow = rows.reindex(whole).fillna(0.0), flow.reindex(whole).fillna(0.0)
    n, seconds = rows["handle_n"].to_numpy(float), rows["handle_sum_seconds"].to_numpy(float)
    # Judgements without a time take as long as those with one.
    every = seconds * np.divide(rows["judgements"].to_numpy(float), n, out=np.ones(len(n)), where=n > 0)
    if one_basis.values("time_basis") != (queue_staffing.ACTIVE,):
        # Times that hold waiting cannot be set against hours: what the roster spent on the queue stands for them.
        hours = queue_staffing.roster(snapshot, filters)
        if hours is not None and len(hours):
            every = hours.groupby("day")["active_seconds"].sum().reindex(whole).fillna(0.0).to_numpy(float)
    return pd.DataFrame({"judgements": n, "seconds": every, "items": flow.to_numpy(float)}, index=whole)


def handle_time(pace: pd.DataFrame, last: pd.Timestamp) -> handling.HandleTime:
    """The handle time of the weeks up to a day of spent()."""
    rows = pace.loc[:last].tail(PACE_DAYS)
    return handling.handle_time(*(rows[name].to_numpy(float) for name in ("judgements", "seconds", "items")))
