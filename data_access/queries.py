"""Selects on the snapshot, and measure(): the one way from metric names to estimates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access.dimensions import Source, expression, joined, why_not
from data_access.filters import TIME_DIMENSIONS, Filters, Scope, dimension
from data_access.snapshot import Snapshot
from metrics import targets
from metrics.catalogue import metric as find_metric
from metrics.errors import UnknownName
from metrics.shapes import Coefficient, Count, Quantile, clusters_name, group_patterns, product_name
from metrics.spec import ESTIMATE_COLUMNS, Metric

RATER_CLUSTERED = "rater_id"
FIRST_BASIS, LAST_BASIS = "first_basis", "last_basis"  # differ where times were measured in different ways


def measure(
    snapshot: Snapshot,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    scope: Scope,
) -> pd.DataFrame:
    """Estimates of metrics over groups: one row per metric and group.

    Columns: metric, one per dimension of ``by``, value, low, high, n, reason, status, target, warn. Without ``by`` one
    row per metric. Totals re-aggregate sums, so the estimate of a group is that of its rows, never a mean of parts.
    A metric that its mart cannot show by a dimension or filter gets one row with the reason. Raises UnknownName for a
    metric, dimension or filter value that does not exist.
    """
    chosen = [find_metric(name) for name in dict.fromkeys(metrics)]
    by = [dimension(name) for name in dict.fromkeys(by)]
    frames: list[pd.DataFrame] = []
    sources = {m.mart: dim.SOURCES[m.mart] for m in chosen}
    for mart, source in sources.items():
        group = [m for m in chosen if m.mart == mart]
        missing = [d for d in (*by, *(n for n, _ in filters.where)) if expression(source, d) is None]
        if missing:
            frames.append(_unsupported(group, by, why_not(source, missing[0])))
            continue
        frames += _measure_mart(snapshot, source, group, by, filters, scope)
    result = pd.concat(frames, ignore_index=True) if frames else _empty(by)
    result = _with_status(snapshot, result, by, filters)
    order = {m.name: k for k, m in enumerate(chosen)}
    result = result.sort_values(
        by=["metric", *by], key=lambda c: c.map(order) if c.name == "metric" else c, kind="stable"
    )
    return result.reset_index(drop=True)


def _measure_mart(
    snapshot: Snapshot, source: Source, metrics: list[Metric], by: list[str], filters: Filters, scope: Scope
) -> list[pd.DataFrame]:
    summed = [m for m in metrics if not isinstance(m.shape, (Quantile, Coefficient))]
    frames = []
    if summed:
        sums = snapshot.query(sums_by(source, summed, by, filters, scope))
        for m in summed:
            found = m.shape.estimate(sums, m)
            if "handle_n" in m.shape.columns:
                found = _one_basis(found, sums[FIRST_BASIS], sums[LAST_BASIS])
            frames.append(_finish(m, found, sums, by, scope))
    quantile = [m for m in metrics if isinstance(m.shape, Quantile)]
    if quantile:
        extra = ["bucket", *(["time_basis"] if "time_basis" in source.keys else [])]
        rows, group, keys = _grouped(snapshot.query(rows_by(source, extra, ["n"], by, filters, scope)), by)
        for m in quantile:
            found = m.shape.estimate_groups(rows, group, len(keys), m)
            if "time_basis" in rows:
                used = rows["time_basis"].groupby(group).agg(["min", "max"]).reindex(range(len(keys)))
                found = _one_basis(found, used["min"], used["max"])
            frames.append(_finish(m, found, keys, by, scope))
    coefficient = [m for m in metrics if isinstance(m.shape, Coefficient)]
    if coefficient:
        codes = [f"code_{w}" for w in range(snapshot.code_words)]
        rows, group, keys = _grouped(
            snapshot.query(rows_by(source, ["project_id", *codes], ["items"], by, filters, scope)), by
        )
        patterns = group_patterns(rows, group, len(keys), snapshot.label_sets)
        frames += [_finish(m, m.shape.estimate_groups(patterns, m), keys, by, scope) for m in coefficient]
    return frames


# ---- selects ---------------------------------------------------------------------------------------------------


def sums_by(source: Source, metrics: Iterable[Metric], by: Sequence[str], filters: Filters, scope: Scope) -> sa.Select:
    """One row per group: every summed column, and for pairs the sums over clusters of their products.

    The inner select sums by group and cluster, the outer adds the clusters up.
    """
    columns = list(dict.fromkeys(c for m in metrics for c in m.shape.columns))
    pairs = list(dict.fromkeys(m.shape.pair for m in metrics if hasattr(m.shape, "pair")))
    keys = [expression(source, d).label(d) for d in by]
    clusters = [_cluster(source, c).label(f"cluster_{c}") for c in source.cluster]
    clause = _filtered(source, by, filters, scope)
    sums = [sa.func.sum(source.table.c[c]).label(c) for c in columns]
    if not clusters:
        return clause.with_only_columns(*keys, *sums).group_by(*_plain(keys))
    timed = []
    if "handle_n" in columns:
        basis = sa.case((source.table.c.handle_n > 0, source.table.c.time_basis))
        timed = [sa.func.min(basis).label(FIRST_BASIS), sa.func.max(basis).label(LAST_BASIS)]
    inner = (
        clause.with_only_columns(*keys, *clusters, *sums, *timed)
        .group_by(*_plain(keys), *_plain(clusters))
        .subquery("clusters")
    )
    c = inner.c
    outer = [sa.cast(sa.func.sum(c[name]), sa.Double).label(name) for name in columns]
    for x, n in pairs:
        first, second = sa.cast(c[x], sa.Double), sa.cast(c[n], sa.Double)
        outer += [
            sa.func.sum(first * first).label(product_name(x, x)),
            sa.func.sum(first * second).label(product_name(x, n)),
            sa.func.sum(second * second).label(product_name(n, n)),
            sa.func.sum(sa.case((c[n] > 0, 1), else_=0)).label(clusters_name(n)),
        ]
    outer = list({column.name: column for column in outer}.values())
    if timed:
        outer += [sa.func.min(c[FIRST_BASIS]).label(FIRST_BASIS), sa.func.max(c[LAST_BASIS]).label(LAST_BASIS)]
    if source.cluster == (RATER_CLUSTERED,):
        outer.append(sa.func.count().label("raters"))  # what a minimum group is counted by
    return sa.select(*(c[d] for d in by), *outer).group_by(*(c[d] for d in by))


def rows_by(
    source: Source, extra: Sequence[str], sums: Sequence[str], by: Sequence[str], filters: Filters, scope: Scope
) -> sa.Select:
    """One row per group and extra key: histogram buckets, label-count codes."""
    keys = [expression(source, d).label(d) for d in by]
    more = [sa.literal_column(f'"{source.table.name}"."{name}"').label(name) for name in extra]
    clause = _filtered(source, by, filters, scope)
    totals = [sa.cast(sa.func.sum(source.table.c[s]), sa.BigInteger).label(s) for s in sums]
    return clause.with_only_columns(*keys, *more, *totals).group_by(*_plain(keys), *_plain(more))


def _plain(labels: list[sa.Label]) -> list[sa.ColumnElement]:
    return [label.element for label in labels]


def _cluster(source: Source, name: str) -> sa.ColumnElement:
    return dim.period(source, "week") if name == "week" else source.table.c[name]


def _filtered(source: Source, by: Sequence[str], filters: Filters, scope: Scope) -> sa.Select:
    """The mart with its dimension tables, narrowed by the filters and the scope: the only place rows are narrowed."""
    names = {*by, *(n for n, _ in filters.where)}
    if scope.pools is not None:
        names.add("pool")
    table = source.table
    time = table.c[source.time]
    clause = sa.select(sa.literal(1)).select_from(joined(source, names))
    if filters.start:
        clause = clause.where(time >= filters.start)
    if filters.end:
        clause = clause.where(time <= filters.end)
    for name, values in filters.where:
        clause = clause.where(expression(source, name).in_(values))
    if source.stock:
        clause = clause.where(table.c.day.in_(_last_days(source, by, filters)))
    return _scoped(source, clause, scope)


def _scoped(source: Source, clause: sa.Select, scope: Scope) -> sa.Select:
    """Only what the scope allows; a mart that cannot be narrowed to it gives nothing."""
    if scope.is_nobody:
        return clause.where(sa.false())
    for name, allowed in (("project", scope.projects), ("pool", scope.pools)):
        if allowed is None:
            continue
        column = expression(source, name)
        clause = clause.where(sa.false() if column is None else column.in_(sorted(allowed)))
    return clause


def _last_days(source: Source, by: Sequence[str], filters: Filters) -> sa.Select:
    """A stock is read on the last day of each period shown."""
    flow = source.table.alias("last_days")
    buckets = [d for d in by if d in TIME_DIMENSIONS]
    last = sa.select(sa.func.max(flow.c.day))
    if filters.start:
        last = last.where(flow.c.day >= filters.start)
    if filters.end:
        last = last.where(flow.c.day <= filters.end)
    for name in buckets:
        if name != "day":
            last = last.group_by(sa.func.date_trunc(sa.literal_column(f"'{name}'"), flow.c.day))
        else:
            last = last.group_by(flow.c.day)
    return last


# ---- results ---------------------------------------------------------------------------------------------------


def _grouped(rows: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """The rows, the number of each row's group, and the groups' keys."""
    if not by:
        return rows, np.zeros(len(rows), int), pd.DataFrame(index=range(1))
    grouping = rows.groupby(list(by), sort=True, dropna=False)
    keys = grouping.size().reset_index()[list(by)]
    return rows, grouping.ngroup().to_numpy(), keys


def _one_basis(found: pd.DataFrame, first: pd.Series, last: pd.Series) -> pd.DataFrame:
    """Durations measured in different ways are never combined: such a group has a reason and no value."""
    mixed = (first.notna() & (first != last)).to_numpy()
    if not mixed.any():
        return found
    pairs = zip(first[mixed], last[mixed], strict=True)
    found = found.copy()
    found.loc[mixed, ["value", "low", "high"]] = np.nan
    found.loc[mixed, "reason"] = [
        f"times are measured in different ways ({a}, {b}): choose one time basis" for a, b in pairs
    ]
    return found


def _finish(
    metric: Metric, estimates: pd.DataFrame, keys: pd.DataFrame, by: Sequence[str], scope: Scope
) -> pd.DataFrame:
    frame = pd.concat(
        [keys[list(by)].reset_index(drop=True), estimates[list(ESTIMATE_COLUMNS)].reset_index(drop=True)], axis=1
    )
    raters = keys["raters"].to_numpy() if "raters" in keys else None
    frame = _suppress(frame, metric, raters, scope)
    frame.insert(0, "metric", metric.name)
    return frame


def _suppress(frame: pd.DataFrame, metric: Metric, raters: np.ndarray | None, scope: Scope) -> pd.DataFrame:
    """Small groups show nothing to readers whose scope sets a minimum."""
    hidden = np.zeros(len(frame), bool)
    if scope.minimum_items and not isinstance(metric.shape, Count):
        hidden |= (frame["n"] < scope.minimum_items).to_numpy() & frame["value"].notna().to_numpy()
    if raters is not None and scope.minimum_raters:
        hidden |= np.nan_to_num(raters.astype(float)) < scope.minimum_raters
    if hidden.any():
        frame.loc[hidden, ["value", "low", "high"]] = np.nan
        frame.loc[hidden, "n"] = 0.0
        frame.loc[hidden, "reason"] = "too small a group to show"
    return frame


def _unsupported(metrics: list[Metric], by: Sequence[str], reason: str) -> pd.DataFrame:
    frame = _empty(by).reindex(range(len(metrics)))
    return frame.assign(metric=[m.name for m in metrics], n=0.0, reason=reason)


def _empty(by: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"metric": pd.Series(dtype=str), **{d: pd.Series(dtype=object) for d in by}})
    return frame.assign(**{c: pd.Series(dtype=float) for c in ("value", "low", "high", "n")}, reason="")


def _with_status(snapshot: Snapshot, result: pd.DataFrame, by: Sequence[str], filters: Filters) -> pd.DataFrame:
    """Adds target, warn and status: the target in force at the end of each row's period, for its project and pool."""
    known: dict[tuple, targets.Target | None] = {}

    def one(name: str) -> str | None:
        values = filters.values(name)
        return values[0] if len(values) == 1 else None

    end = filters.end or snapshot.meta.last_day
    found = []
    for row in result.to_dict("records"):
        m = find_metric(row["metric"])
        day = next((_end_of(d, row[d]) for d in TIME_DIMENSIONS if d in by and not pd.isna(row[d])), end)
        key = (m.name, day, row.get("project", one("project")), row.get("pool", one("pool")))
        if key not in known:
            known[key] = snapshot.targets.in_force(m, *key[1:])
        goal = known[key]
        state = targets.status(m, row["value"], row["low"], row["high"], goal)
        found.append((state.value, goal.target if goal else np.nan, goal.warn if goal else np.nan))
    states = pd.DataFrame(found, columns=["status", "target", "warn"]).astype({"target": float, "warn": float})
    return pd.concat([result.reset_index(drop=True), states], axis=1)


def _end_of(name: str, value: object) -> dt.date:
    """The last day of a day, week or month."""
    first = pd.Timestamp(value).date()
    if name == "week":
        return first + dt.timedelta(days=6)
    if name == "month":
        return (pd.Timestamp(first) + pd.offsets.MonthEnd(0)).date()
    return first


# ---- what filters can be set to --------------------------------------------------------------------------------


def members(snapshot: Snapshot, name: str, scope: Scope) -> pd.DataFrame:
    """The values a dimension takes within the scope: ``value`` and ``label``, the most frequent first."""
    name = dimension(name)
    source = dim.SOURCES["work"]
    column = expression(source, name)
    clause = _filtered(source, [name], Filters(), scope)
    rows = snapshot.query(
        clause.with_only_columns(column.label("value"), sa.func.sum(source.table.c.served).label("served"))
        .where(column.is_not(None))
        .group_by(column)
        .order_by(sa.func.sum(source.table.c.served).desc(), column)
    )
    names = snapshot.names.get(name, {})
    return pd.DataFrame(
        {"value": rows["value"].astype(str), "label": [names.get(v, v) for v in rows["value"].astype(str)]}
    )


def check_values(snapshot: Snapshot, filters: Filters, scope: Scope) -> None:
    """Raises UnknownName for a filter value that no row has, naming the nearest."""
    for name, values in filters.where:
        known = members(snapshot, name, scope)["value"].tolist()
        for value in values:
            if value not in known:
                raise UnknownName(dim.DIMENSIONS[name], value, known)


# ---- data health -----------------------------------------------------------------------------------------------


def reconciliation(
    snapshot: Snapshot,
    *,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    scope: Scope,
) -> pd.DataFrame:
    """Whether the work adds up: served = accepted + rejected + pending + skipped; ``difference`` is 0 then."""
    source = dim.SOURCES["work"]
    by = [dimension(name) for name in by]
    keys = [expression(source, d).label(d) for d in by]
    names = ("served", "accepted", "rejected", "pending", "skipped")
    clause = _filtered(source, by, filters, scope)
    rows = snapshot.query(
        clause.with_only_columns(
            *keys, *(sa.cast(sa.func.sum(source.table.c[c]), sa.BigInteger).label(c) for c in names)
        )
        .group_by(*_plain(keys))
        .order_by(*_plain(keys))
    )
    return rows.assign(difference=rows["served"] - rows[list(names[1:])].sum(axis=1))


def freshness(snapshot: Snapshot) -> pd.DataFrame:
    """Rows and newest time of every contract table: table_name, present, optional, n, newest."""
    return snapshot.table("source")


def findings(snapshot: Snapshot) -> pd.DataFrame:
    """What the contract check found at the refresh: severity, table_name, column_name, message, affects."""
    return snapshot.table("finding")


def audit_lag(snapshot: Snapshot) -> pd.DataFrame:
    """Audits by how many days after the work they came: days, n."""
    lag = sa.table("audit_lag", sa.column("audited_day"), sa.column("day"), sa.column("n"))
    days = sa.func.date_diff(sa.literal_column("'day'"), lag.c.day, lag.c.audited_day)
    return snapshot.query(
        sa.select(days.label("days"), sa.cast(sa.func.sum(lag.c.n), sa.BigInteger).label("n"))
        .group_by(days)
        .order_by(days)
    )


def annotations_read(snapshot: Snapshot) -> pd.DataFrame:
    """Annotations the warehouse had for each day at the refresh, and those the snapshot counts: day, read, kept."""
    check = sa.table("day_check", *(sa.column(c) for c in ("source", "day", "n")))
    work = dim.SOURCES["work"].table
    kept = sa.select(work.c.day, sa.func.sum(work.c.served).label("kept")).group_by(work.c.day).subquery()
    return snapshot.query(
        sa.select(
            check.c.day,
            check.c.n.label("read"),
            sa.cast(sa.func.coalesce(kept.c.kept, 0), sa.BigInteger).label("kept"),
        )
        .select_from(check.outerjoin(kept, kept.c.day == check.c.day))
        .where(check.c.source == "annotations")
        .order_by(check.c.day)
    )
