"""What pages show, measured in batches: one call per kind of question, whatever the number of KPIs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import SOURCES, expression
from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics import compare
from metrics.catalogue import headline
from metrics.catalogue import metric as find_metric
from metrics.shapes import Count
from metrics.spec import Metric, Status
from ui import data, periods

SPARK_WEEKS = 13
MOST_CHANGES = 12  # flagged in a chart, the latest
AXES = ("project", "pool", "policy", "language")  # what moves are looked for in, unless the filters fix it to one value
PEOPLE = frozenset({"rater", "lead"})  # never ranked
BREAKDOWNS = tuple(d for d in DIMENSIONS if d not in {"day", "week", "month", *PEOPLE})
# What is worked out is kept per snapshot, the reader's scope and the arguments; a repeat costs a copy of a small frame.
HASHED = {**data.BY_TEXT, Snapshot: lambda s: f"{s.id} {data.current_scope()}"}
KEPT = {"max_entries": 200, "show_spinner": False, "hash_funcs": HASHED}
CHANGE_COLUMNS = (*compare.CHANGE_COLUMNS, "verdict")
ORDER = {
    s: k for k, s in enumerate((Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET, Status.NO_TARGET, Status.TOO_FEW))
}


def main_basis(snapshot: Snapshot, filters: Filters, metrics: Sequence[str]) -> str:
    """The time basis that timed metrics are shown on: the one most work has, or none to choose.

    Times measured in different ways are never combined, and a headline without a number helps nobody.
    """
    if filters.values("time_basis") or not any(find_metric(name).area == "time" for name in metrics):
        return ""
    bases = data.members(snapshot, "time_basis")["value"].tolist()
    return bases[0] if len(bases) > 1 else ""


def measure(
    snapshot: Snapshot,
    metrics: Sequence[str],
    groupings: Sequence[Sequence[str]],
    periods: Sequence[Filters],
) -> list[list[pd.DataFrame]]:
    """data.measure_many(), timed metrics on their main basis: frames by grouping, then period."""
    return data.measure_many(snapshot, metrics, groupings, periods, main_basis(snapshot, periods[0], metrics))


@st.cache_data(**KEPT)
def compared(
    snapshot: Snapshot, filters: Filters, metrics: Sequence[str], groupings: Sequence[tuple[str, ...]]
) -> list[pd.DataFrame]:
    """For each grouping the metrics now, with CHANGE_COLUMNS against the period before."""
    periods = (filters, filters.before()) if filters.days else (filters,)
    found = measure(snapshot, metrics, groupings, periods)
    return [
        with_change(now[0], now[-1] if filters.days else now[0].iloc[:0], ["metric", *by])
        for by, now in zip(groupings, found, strict=True)
    ]


def overview(snapshot: Snapshot, filters: Filters) -> list[pd.DataFrame]:
    """compared() for the headline metrics: in all, and by each of the axes."""
    names = tuple(m.name for m in headline())
    return compared(snapshot, filters, names, ((), *((axis,) for axis in axes(filters))))


@st.cache_data(**KEPT)
def scorecard(snapshot: Snapshot, filters: Filters, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """One row per metric: the estimate, its target and status, and the change against the period before.

    Adds to measure()'s columns CHANGE_COLUMNS, `weeks` and `weekly`: the Mondays and values of the last weeks.
    """
    names = tuple(metrics) or tuple(m.name for m in headline())
    rows = compared(snapshot, filters, names, ((),))[0] if metrics else overview(snapshot, filters)[0]
    weekly = weeks(snapshot, filters, names)
    series = dict(iter(weekly.groupby("metric")))
    empty = weekly.iloc[:0]
    return rows.assign(
        weeks=[series.get(name, empty)["week"].tolist() for name in rows["metric"]],
        weekly=[series.get(name, empty)["value"].tolist() for name in rows["metric"]],
    )


def weeks(snapshot: Snapshot, filters: Filters, metrics: Sequence[str]) -> pd.DataFrame:
    """The metrics by week over at least SPARK_WEEKS weeks up to the end of the period; whole weeks only."""
    if not filters.start:
        return measure(snapshot, metrics, (("week",),), (filters,))[0][0].iloc[:0]
    period = periods.ending((filters.start, filters.end), SPARK_WEEKS)
    found = measure(snapshot, metrics, (("week",),), (filters.over(*period),))[0][0]
    found = found[found["week"].notna()]
    whole = [periods.complete(week, "week", period) for week in found["week"]]
    return found[np.array(whole, bool)]


def with_change(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """``now`` with CHANGE_COLUMNS: NaN and "cannot tell" where either period has no number."""
    moved = compare.change(now, before, keys)
    judged = zip(now["metric"], *(moved[c] for c in ("change", "change_low", "change_high")), strict=True)
    return now.assign(**moved, verdict=[_verdict(*row) for row in judged])


def _verdict(name: str, value: float, low: float, high: float) -> str:
    """A total is counted, not sampled: any change of it is a real one."""
    metric = find_metric(name)
    if isinstance(metric.shape, Count):
        low = high = value
    return compare.judge(metric, value, low, high)


def axes(filters: Filters, count: int = 2) -> tuple[str, ...]:
    """The dimensions worth breaking down by: those the filters leave open."""
    return tuple(d for d in AXES if len(filters.values(d)) != 1)[:count]


def first_axis(filters: Filters, metric: Metric) -> str:
    """The dimension to break a metric down by first: one that its mart keeps and the filters leave open."""
    kept = [d for d in axes(filters, len(AXES)) if expression(SOURCES[metric.mart], d) is not None]
    return kept[0] if kept else BREAKDOWNS[0]


@st.cache_data(**KEPT)
def moves(snapshot: Snapshot, filters: Filters, count: int = 7) -> tuple[pd.DataFrame, int]:
    """The groups whose headline KPIs moved most clearly, and how many were compared.

    Columns as with_change(), with `dimension`, `member` and `label` of the group, and `clear` of chance.
    """
    by_axis = zip(axes(filters), overview(snapshot, filters)[1:], strict=True)
    frames = [_of_groups(snapshot, found, axis) for axis, found in by_axis]
    rows = pd.concat([f for f in frames if len(f)], ignore_index=True) if any(map(len, frames)) else frames[0]
    judged = rows[rows["verdict"].isin([compare.BETTER, compare.WORSE, compare.UNCLEAR])]
    return compare.largest(judged, count).reset_index(drop=True), int(judged["change_low"].notna().sum())


def groups(snapshot: Snapshot, filters: Filters, metrics: Sequence[str], axis: str) -> pd.DataFrame:
    """The metrics by one dimension, with the change of each group; only metrics and groups that it keeps."""
    return _of_groups(snapshot, compared(snapshot, filters, tuple(metrics), ((axis,),))[0], axis)


def _of_groups(snapshot: Snapshot, found: pd.DataFrame, axis: str) -> pd.DataFrame:
    rows = found[found[axis].notna()].reset_index(drop=True)
    labels = snapshot.names.get(axis, {})
    members = rows[axis].astype(str)
    return rows.assign(dimension=axis, member=members, label=[labels.get(m, m) for m in members])


@st.cache_data(**KEPT)
def heat(snapshot: Snapshot, filters: Filters) -> tuple[pd.DataFrame, str]:
    """The headline KPIs that have a target by the first open dimension, worst groups first, and that dimension."""
    axis = (axes(filters, 1) or AXES[:1])[0]
    by_axis = dict(zip(axes(filters), overview(snapshot, filters)[1:], strict=True))
    if axis not in by_axis:  # the filters fix every axis: its one group is shown
        by_axis = {axis: compared(snapshot, filters, tuple(m.name for m in headline()), ((axis,),))[0]}
    rows = _of_groups(snapshot, by_axis[axis], axis)
    rows = rows[rows.groupby("metric")["target"].transform("count") > 0]
    if rows.empty:  # no targets are set
        return rows, axis
    rows = _every_cell(rows)
    weight = rows["status"].map({Status.OFF_TARGET: 100, Status.WATCH: 1}).fillna(0)
    worst = weight.groupby(rows["member"]).sum()
    return rows.assign(rank=-rows["member"].map(worst)).sort_values(["rank", "label"], kind="stable"), axis


def _every_cell(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for every member and metric: one whose times are measured in another way has no number, not no cell."""
    metrics, members = rows["metric"].drop_duplicates(), rows[["member", "label", "dimension"]].drop_duplicates()
    whole = members.merge(metrics, how="cross").merge(rows, on=["member", "label", "dimension", "metric"], how="left")
    missing = whole["status"].isna()
    whole.loc[missing, ["status", "reason", "verdict"]] = [
        Status.TOO_FEW.value,
        "timed in another way",
        compare.UNCLEAR,
    ]
    whole.loc[missing, ["n", "score"]] = 0.0
    return whole


@st.cache_data(**KEPT)
def over_time(snapshot: Snapshot, filters: Filters, metric: str, grain: str) -> pd.DataFrame:
    """One metric by day, week or month with its interval: `at`, the estimate, and whether the step is `whole`."""
    if not filters.start:
        return measure(snapshot, (metric,), ((grain,),), (filters,))[0][0].iloc[:0].assign(at=pd.NaT, whole=False)
    period = periods.around((filters.start, filters.end), grain)
    rows = measure(snapshot, (metric,), ((grain,),), (filters.over(*period),))[0][0]
    rows = rows[rows[grain].notna() | rows["reason"].ne("")]
    return rows.assign(
        at=pd.to_datetime(rows[grain]),
        whole=[not pd.isna(at) and periods.complete(at, grain, period) for at in rows[grain]],
    )


@st.cache_data(**KEPT)
def breakdown(snapshot: Snapshot, filters: Filters, metric: str, dimension: str) -> tuple[pd.DataFrame, str]:
    """One metric by a dimension: off target first, then watch, on target, too few; or the reason why there is none."""
    now = compared(snapshot, filters, (metric,), ((dimension,),))[0]
    rows = _of_groups(snapshot, now, dimension)
    if len(now) and rows.empty:
        return rows, str(now["reason"].iloc[0])
    rows = rows.assign(order=rows["status"].map(ORDER))
    rows = rows.sort_values(["order", "value"], ascending=[True, better_first(find_metric(metric))], kind="stable")
    return rows.reset_index(drop=True), ""


def better_first(metric: Metric) -> bool:
    """Whether the smallest value is the one to look at first: where higher is better."""
    return metric.direction.value.startswith("higher")


@st.cache_data(**KEPT)
def streak(snapshot: Snapshot, filters: Filters, metric: str) -> int:
    """For how many weeks, up to the last, the metric has been on target."""
    rows = weeks(snapshot, filters, (metric,))
    run = 0
    for status in reversed(rows["status"].tolist()):
        if status != Status.ON_TARGET:
            break
        run += 1
    return run


@st.cache_data(**KEPT)
def changes(snapshot: Snapshot, filters: Filters, grain: str) -> pd.DataFrame:
    """The changes that began in the time shown and touch the projects and pools: starts_on, kind, summary."""
    if not filters.start:
        return pd.DataFrame(columns=["starts_on", "kind", "summary", "project_id", "pool_id"])
    rows = data.changes(snapshot)
    start, end = periods.around((filters.start, filters.end), grain)
    inside = rows["starts_on"].between(pd.Timestamp(start), pd.Timestamp(end))
    for name in ("project", "pool"):
        chosen = filters.values(name)
        if chosen:
            inside &= rows[f"{name}_id"].isna() | rows[f"{name}_id"].isin(chosen)
    return rows[inside].sort_values("starts_on").tail(MOST_CHANGES)
