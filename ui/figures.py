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
KEPT = {"max_entries": 200, "show_spinner": False, "hash_funcs": {Snapshot: lambda s: (s.id, data.current_scope())}}
CHANGE_COLUMNS = ("before", "change", "change_low", "change_high", "score", "verdict")
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


def measure(snapshot: Snapshot, metrics: Sequence[str], by: Sequence[str], filters: Filters) -> pd.DataFrame:
    """data.measure(), timed metrics on their main basis; rows in the order of ``metrics``."""
    basis = main_basis(snapshot, filters, metrics)
    if not basis:
        return data.measure(snapshot, metrics, by, filters)
    timed = [name for name in metrics if find_metric(name).area == "time"]
    others = [name for name in metrics if name not in timed]
    frames = [data.measure(snapshot, timed, by, filters.with_("time_basis", basis))]
    if others:
        frames.insert(0, data.measure(snapshot, others, by, filters))
    order = {name: k for k, name in enumerate(metrics)}
    rows = pd.concat(frames, ignore_index=True)
    return rows.sort_values("metric", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


@st.cache_data(**KEPT)
def scorecard(snapshot: Snapshot, filters: Filters, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """One row per metric: the estimate, its target and status, and the change against the period before.

    Adds to measure()'s columns CHANGE_COLUMNS, `weeks` and `weekly`: the Mondays and values of the last weeks.
    """
    names = tuple(metrics) or tuple(m.name for m in headline())
    now = measure(snapshot, names, (), filters)
    before = measure(snapshot, names, (), filters.before())
    rows = with_change(now, before, ["metric"])
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
        return measure(snapshot, metrics, ("week",), filters).iloc[:0]
    period = periods.ending((filters.start, filters.end), SPARK_WEEKS)
    found = measure(snapshot, metrics, ("week",), filters.over(*period))
    found = found[found["week"].notna()]
    whole = [periods.complete(week, "week", period) for week in found["week"]]
    return found[np.array(whole, bool)]


def with_change(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """``now`` with CHANGE_COLUMNS: NaN and "cannot tell" where either period has no number."""
    moved = compare.change(now, before, keys)[[*keys, "value_before", "value", "low", "high", "score"]]
    moved = moved.rename(columns=dict(zip(["value_before", "value", "low", "high"], CHANGE_COLUMNS, strict=False)))
    rows = now.merge(moved, on=keys, how="left")
    rows["score"] = rows["score"].fillna(0.0)
    judged = rows[["metric", "change", "change_low", "change_high"]]
    rows["verdict"] = [_verdict(*row) for row in judged.itertuples(index=False)]
    return rows


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
    """The groups whose headline KPIs moved clearest, and how many were compared.

    Columns as with_change(), with `dimension`, `member` and `label` of the group.
    """
    names = tuple(m.name for m in headline())
    frames = [groups(snapshot, filters, names, axis) for axis in axes(filters)]
    rows = pd.concat([f for f in frames if len(f)], ignore_index=True) if any(map(len, frames)) else frames[0]
    compared = int(rows["change_low"].notna().sum())
    clear = rows[rows["verdict"].isin([compare.BETTER, compare.WORSE]) & (rows["score"] > 1)]
    return clear.sort_values("score", ascending=False, kind="stable").head(count).reset_index(drop=True), compared


@st.cache_data(**KEPT)
def groups(snapshot: Snapshot, filters: Filters, metrics: Sequence[str], axis: str) -> pd.DataFrame:
    """The metrics by one dimension, with the change of each group; only metrics and groups that it keeps."""
    names = tuple(metrics)
    now = measure(snapshot, names, (axis,), filters)
    before = measure(snapshot, names, (axis,), filters.before())
    now = now[now[axis].notna()]
    rows = with_change(now, before[before[axis].notna()], ["metric", axis])
    labels = snapshot.names.get(axis, {})
    members = rows[axis].astype(str)
    return rows.assign(dimension=axis, member=members, label=[labels.get(m, m) for m in members])


@st.cache_data(**KEPT)
def heat(snapshot: Snapshot, filters: Filters) -> tuple[pd.DataFrame, str]:
    """The headline KPIs that have a target by the first open dimension, worst groups first, and that dimension."""
    axis = (axes(filters, 1) or AXES[:1])[0]
    rows = groups(snapshot, filters, tuple(m.name for m in headline()), axis)
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
        return measure(snapshot, (metric,), (grain,), filters).iloc[:0].assign(at=pd.NaT, whole=False)
    period = periods.around((filters.start, filters.end), grain)
    rows = measure(snapshot, (metric,), (grain,), filters.over(*period))
    rows = rows[rows[grain].notna() | rows["reason"].ne("")]
    return rows.assign(
        at=pd.to_datetime(rows[grain]),
        whole=[not pd.isna(at) and periods.complete(at, grain, period) for at in rows[grain]],
    )


@st.cache_data(**KEPT)
def breakdown(snapshot: Snapshot, filters: Filters, metric: str, dimension: str) -> tuple[pd.DataFrame, str]:
    """One metric by a dimension: off target first, then watch, on target, too few; or the reason why there is none."""
    now = measure(snapshot, (metric,), (dimension,), filters)
    if len(now) and now[dimension].isna().all():
        return groups(snapshot, filters, (metric,), dimension), str(now["reason"].iloc[0])
    rows = groups(snapshot, filters, (metric,), dimension)
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
