"""Estimates as frames, each row with the target in force and how it stands to it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from data_access.asked import Found
from data_access.filters import TIME_DIMENSIONS, Filters
from data_access.groups import Columns, Grouping
from data_access.snapshot import Snapshot
from metrics import targets
from metrics.catalogue import metric as find_metric
from metrics.spec import ESTIMATE_COLUMNS


def frame_of(snapshot: Snapshot, found: list[Found], by: Grouping, filters: Filters) -> pd.DataFrame:
    """One frame of the metrics' rows, with target, warn and status."""
    sizes = [len(f.estimates.value) for f in found]
    columns: Columns = {"metric": np.repeat(np.array([f.metric.name for f in found], object), sizes)}
    columns |= {name: np.concatenate([f.keys[name] for f in found]) if found else np.array([]) for name in by}
    for k, name in enumerate(ESTIMATE_COLUMNS):
        parts = [f.estimates[k] for f in found]
        columns[name] = np.concatenate(parts) if parts else np.array([])
    columns |= _standing(snapshot, columns, by, filters)
    return pd.DataFrame(columns)


def _standing(snapshot: Snapshot, columns: Columns, by: Grouping, filters: Filters) -> Columns:
    """Status, target and warn of each row: the target in force at the end of its period, for its project and pool."""
    count = len(columns["metric"])

    def members(name: str) -> list:
        if name in by:
            return columns[name].tolist()
        values = filters.values(name)
        return [values[0] if len(values) == 1 else None] * count

    end = filters.end or snapshot.meta.last_day
    step = next((d for d in TIME_DIMENSIONS if d in by), "")
    ends = [end] * count
    if step:
        starts = columns[step].astype("datetime64[D]").tolist()
        known = {start: _end_of(step, start) if start is not None else end for start in set(starts)}
        ends = [known[start] for start in starts]
    status, target, warn = np.empty(count, object), np.full(count, np.nan), np.full(count, np.nan)
    rows = zip(columns["metric"], ends, members("project"), members("pool"), strict=True)
    for k, (name, day, project, pool) in enumerate(rows):
        m = find_metric(name)
        goal = snapshot.targets.in_force(m, day, project, pool)
        status[k] = targets.status(m, *(columns[c][k] for c in ("value", "low", "high")), goal).value
        if goal:
            target[k], warn[k] = goal.target, goal.warn
    return {"status": status, "target": target, "warn": warn}


def _end_of(name: str, first: dt.date) -> dt.date:
    """The last day of a day, week or month that starts on a day."""
    if name == "week":
        return first + dt.timedelta(days=6)
    if name == "month":
        return (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return first
