"""measure(): the one way from metric names to estimates; and what filters can be set to."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import privacy, selects
from data_access.dimensions import Source, expression, why_not
from data_access.filters import TIME_DIMENSIONS, Filters, Scope, dimension
from data_access.selects import FIRST_BASIS, GROUPING, LAST_BASIS, PERIOD, RATERS, TIMED, Question
from data_access.snapshot import Snapshot
from metrics import targets
from metrics.catalogue import metric as find_metric
from metrics.errors import UnknownName
from metrics.shapes import Coefficient, Count, Quantile, Quotient, clusters_name, group_patterns
from metrics.spec import ESTIMATE_COLUMNS, Estimates, Metric, Shape

Columns = dict[str, np.ndarray]
Grouping = tuple[str, ...]


def measure(
    snapshot: Snapshot,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    scope: Scope,
    timed_on: str = "",
) -> pd.DataFrame:
    """Estimates of metrics over groups: one row per metric and group.

    Columns: metric, one per dimension of ``by``, value, low, high, n, reason, status, target, warn. Without ``by`` one
    row per metric. Totals re-aggregate sums, so the estimate of a group is that of its rows, never a mean of parts.
    ``timed_on`` is the time basis that handle times are counted on; without one, times measured in different ways have
    no number. A metric that its mart cannot show by a dimension or filter gets one row with the reason. Raises
    UnknownName for a metric, dimension or filter value that does not exist, NotAllowed when single raters are asked for
    and the scope does not show them.
    """
    return measure_many(snapshot, metrics, (by,), (filters,), scope=scope, timed_on=timed_on)[0][0]


def measure_many(
    snapshot: Snapshot,
    metrics: Sequence[str],
    groupings: Sequence[Sequence[str]],
    periods: Sequence[Filters],
    *,
    scope: Scope,
    timed_on: str = "",
) -> list[list[pd.DataFrame]]:
    """measure() for several groupings over several periods, each mart read once: frames by grouping, then period.

    ``periods`` are the same filters over periods that do not overlap.
    """
    chosen = [find_metric(name) for name in dict.fromkeys(metrics)]
    wanted = [tuple(dimension(name) for name in dict.fromkeys(by)) for by in groupings]
    for one in periods[1:]:
        if one.where != periods[0].where:
            raise ValueError("The periods of one question share their filters.")
    privacy.check_people((d for by in wanted for d in (*by, *(name for name, _ in periods[0].where))), scope)
    asked = _Asked(snapshot, wanted, tuple(periods), scope, timed_on)
    below = [find_metric(m.shape.denominator) for m in chosen if isinstance(m.shape, Quotient)]
    cells: dict[tuple[Grouping, int], dict[str, _Found]] = {(by, k): {} for by in wanted for k in range(len(periods))}
    for found in asked.all(list(dict.fromkeys((*chosen, *below)))):
        cells[found.by, found.period][found.metric.name] = found
    for cell in cells.values():
        cell |= {m.name: _divided(cell, m) for m in chosen if isinstance(m.shape, Quotient)}
    return [
        [_frame(snapshot, [cells[by, k][m.name] for m in chosen], by, filters) for k, filters in enumerate(periods)]
        for by in wanted
    ]


@functools.cache
def _readers() -> ThreadPoolExecutor:
    """Two threads that statements run on: one plans or reads while another does, and estimates are made meanwhile."""
    return ThreadPoolExecutor(2, thread_name_prefix="snapshot")


@dataclass(frozen=True)
class _Found:
    """Estimates of one metric over the groups of one grouping in one period."""

    metric: Metric
    by: Grouping
    period: int
    keys: Columns
    estimates: Estimates
    kept: bool = True  # by its mart; otherwise one row says why not


@dataclass(frozen=True)
class _Asked:
    """What one call asks of every mart."""

    snapshot: Snapshot
    groupings: list[Grouping]
    periods: tuple[Filters, ...]
    scope: Scope
    timed_on: str

    def all(self, metrics: list[Metric]) -> Iterator[_Found]:
        """Every metric's estimates, mart by mart; the marts are read side by side."""
        marts: dict[str, list[Metric]] = {}
        for m in metrics:
            marts.setdefault(m.mart, []).append(m)
        spreads = {m.shape.spread for m in metrics if isinstance(m.shape, Quantile) and m.shape.spread}
        alongside = [find_metric(name) for name in sorted(spreads)]
        later: list[Callable[[], Iterator[_Found]]] = []
        designs: dict[tuple, dict] = {}
        for mart in sorted(marts | {m.mart: [] for m in alongside}, key=lambda name: name != "work"):
            group = marts.get(mart, [])
            also = [m for m in alongside if m.mart == mart]
            lacking = [m for m in group if m.column in self.snapshot.meta.lacking]
            group = [m for m in group if m not in lacking]
            yield from self._lacking(lacking)
            kept, unsupported = self._split(dim.SOURCES[mart], group)
            yield from unsupported
            for groupings in kept:
                later += self._ask(dim.SOURCES[mart], group, also, groupings, designs)
        for estimate in later:
            yield from estimate()

    def _lacking(self, metrics: list[Metric]) -> Iterator[_Found]:
        """Metrics of a column that the warehouse does without."""
        for m in metrics:
            why = _unsupported(f"the warehouse has no {m.column.split('.')[1]}")
            for by in dict.fromkeys(self.groupings):
                for k in range(len(self.periods)):
                    yield _Found(m, by, k, _no_keys(by), why, kept=False)

    def _split(self, source: Source, metrics: list[Metric]) -> tuple[list[list[Grouping]], list[_Found]]:
        """The groupings the mart keeps, those asked together together, and why it does not keep the others."""
        filtered = [name for name, _ in self.periods[0].where]
        kept: dict[Grouping, list[Grouping]] = {}
        unsupported = []
        for by in dict.fromkeys(self.groupings):
            missing = [d for d in (*by, *filtered) if expression(source, d) is None]
            if missing:
                why = _unsupported(why_not(source, missing[0]))
                unsupported += [
                    _Found(m, by, k, _no_keys(by), why, kept=False) for k in range(len(self.periods)) for m in metrics
                ]
                continue
            # The last day of a stock depends on the grouping's steps of time: such groupings are asked apart.
            steps = tuple(d for d in by if d in TIME_DIMENSIONS) if source.stock else ()
            kept.setdefault(steps, []).append(by)
        return list(kept.values()), unsupported

    def _ask(
        self, source: Source, metrics: list[Metric], also: list[Metric], groupings: list[Grouping], designs: dict
    ) -> list[Callable[[], Iterator[_Found]]]:
        """Sets the mart's statements off and returns what makes estimates of their rows, each to be called once."""
        timed_on = self.timed_on if "time_basis" in source.keys else ""
        question, values = selects.ask(source.name, groupings, self.periods, self.scope, timed_on)

        def rows(statement: sa.Select) -> Future[Columns]:
            return _readers().submit(self.snapshot.columns, statement, values)

        summed = [m for m in metrics if not isinstance(m.shape, (Quantile, Coefficient))]
        quantile = [m for m in metrics if isinstance(m.shape, Quantile)]
        coefficient = [m for m in metrics if isinstance(m.shape, Coefficient)]
        asked = []
        if summed or also:
            names = tuple(dict.fromkeys(m.name for m in (*summed, *also)))
            sums = rows(selects.sums_by(question, names))
            asked.append(lambda: self._sums(sums.result(), question, summed, also, designs))
        if quantile:
            extra = ("bucket", *(["time_basis"] if "time_basis" in source.keys else []))
            buckets = rows(selects.rows_by(question, extra, "n"))
            asked.append(lambda: self._quantiles(buckets.result(), question, quantile, designs))
        if coefficient:
            extra = ("project_id", *(f"code_{w}" for w in range(self.snapshot.code_words)))
            codes = rows(selects.rows_by(question, extra, "items"))
            asked.append(lambda: self._coefficients(codes.result(), question, coefficient))
        return asked

    def _sums(self, rows: Columns, question: Question, metrics, also, designs: dict) -> Iterator[_Found]:
        for by, k, part in self._parts(rows, question):
            keys, part = _sorted_groups(part, by)
            for m in also:
                designs[m.name, by, k] = dict(zip(_tuples(keys), m.shape.design(part), strict=True))
            for m in metrics:
                found = m.shape.estimate(part, m)
                if any(c.startswith(TIMED) for c in m.shape.columns):
                    found = _one_basis(found, part[FIRST_BASIS], part[LAST_BASIS])
                counted = part.get(_behind(m.shape), part[RATERS]) if RATERS in part else None
                yield _Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, counted))

    def _quantiles(self, rows: Columns, question: Question, metrics, designs: dict) -> Iterator[_Found]:
        for by, k, part in self._parts(rows, question):
            keys, group, groups = _numbered(part, by)
            for m in metrics:
                known = designs.get((m.shape.spread, by, k), {})
                design = np.array([known.get(key, 1.0) for key in _tuples(keys, groups)])
                found = m.shape.estimate_groups(part, group, groups, m, design)
                if "time_basis" in part:
                    found = _one_basis(found, *_ends(part["time_basis"], group, groups))
                yield _Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, None))

    def _coefficients(self, rows: Columns, question: Question, metrics) -> Iterator[_Found]:
        for by, k, part in self._parts(rows, question):
            keys, group, groups = _numbered(part, by)
            patterns = group_patterns(part, group, groups, self.snapshot.label_sets)
            for m in metrics:
                found = m.shape.estimate_groups(patterns, m)
                yield _Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, None))

    def _parts(self, rows: Columns, question: Question) -> Iterator[tuple[Grouping, int, Columns]]:
        """The rows of each grouping and period."""
        for by in question.groupings:
            for k in range(len(question.periods)):
                ours = [rows[GROUPING] == question.grouping_id(by)] if GROUPING in rows else []
                ours += [rows[PERIOD] == k] if PERIOD in rows else []
                if not ours:
                    yield by, k, rows
                else:
                    mask = np.logical_and.reduce(ours)
                    yield by, k, {name: column[mask] for name, column in rows.items()}

    def _suppressed(
        self, found: Estimates, metric: Metric, by: Grouping, k: int, keys: Columns, raters: np.ndarray | None
    ) -> Estimates:
        """Small groups show nothing to readers whose scope sets a minimum; ``raters``: how many stand behind each."""
        hidden = np.zeros(len(found.value), bool)
        if self.scope.minimum_items and not isinstance(metric.shape, Count):
            hidden |= (found.n < self.scope.minimum_items) & ~np.isnan(found.value)
        if self.scope.minimum_raters and metric.mart not in privacy.NO_RATERS:
            if raters is None:
                column = "handle_n" if metric.mart == "handle_time" else "judgements"
                behind = privacy.raters_behind(self.snapshot, by, self.periods[k], self.scope, column)
                raters = np.array([behind.get(key, 0) for key in _tuples(keys, len(hidden))])
            hidden |= privacy.too_few(raters, self.scope)
        return found.without(hidden, privacy.TOO_SMALL, n=0.0) if hidden.any() else found


# ---- groups ----------------------------------------------------------------------------------------------------


def _divided(found: dict[str, _Found], metric: Metric) -> _Found:
    """A quotient's numerator over its denominator, group by group; as unknown as either is."""
    ratio, share = found[metric.name], found[metric.shape.denominator]
    if not ratio.kept or not share.kept:
        return replace(share if ratio.kept else ratio, metric=metric)
    place = {key: k for k, key in enumerate(_tuples(share.keys))}
    rows = np.array([place.get(key, -1) for key in _tuples(ratio.keys)], np.int64)
    nothing = _unsupported(share.metric.nothing)
    beside = (np.concatenate(pair)[rows] for pair in zip(share.estimates, nothing, strict=True))
    return replace(ratio, estimates=metric.shape.over(ratio.estimates, Estimates(*beside)))


def _behind(shape: Shape) -> str:
    """The column that counts the clusters with a denominator; empty for a shape without one."""
    pair = getattr(shape, "pair", None)
    return clusters_name(pair[1]) if pair else ""


def _numbered(rows: Columns, by: Grouping) -> tuple[Columns, np.ndarray, int]:
    """The groups' keys in order, the number of each row's group, and how many; without ``by`` one."""
    size = len(next(iter(rows.values())))
    if not by:
        return {}, np.zeros(size, np.int64), 1
    code = np.zeros(size, np.int64)
    for name in by:
        number, members = pd.factorize(rows[name], sort=True)
        code = code * (len(members) + 1) + np.where(number < 0, len(members), number)  # what is missing comes last
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    return {name: rows[name][first] for name in by}, group, len(first)


def _sorted_groups(rows: Columns, by: Grouping) -> tuple[Columns, Columns]:
    """Rows that are one a group already: their keys and themselves, in order; without ``by`` exactly one row."""
    if not by:
        empty = not len(next(iter(rows.values())))
        return {}, {name: _none_of(column) for name, column in rows.items()} if empty else rows
    keys, group, groups = _numbered(rows, by)
    order = np.empty(groups, np.int64)
    order[group] = np.arange(groups)
    return keys, {name: column[order] for name, column in rows.items()}


def _none_of(column: np.ndarray) -> np.ndarray:
    return np.array([None], object) if column.dtype.kind == "O" else np.array([np.nan])


def _tuples(keys: Columns, groups: int = 1) -> list[tuple]:
    return list(zip(*(column.tolist() for column in keys.values()), strict=True)) if keys else [()] * groups


def _ends(texts: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and last text of each group; None where it has none."""
    first, last = np.full(groups, None, object), np.full(groups, None, object)
    for text in sorted({text for text in texts if text is not None}):
        has = np.unique(group[texts == text])
        last[has] = text
        first[has] = np.where(first[has] == None, text, first[has])  # noqa: E711  elementwise
    return first, last


def _one_basis(found: Estimates, first: np.ndarray, last: np.ndarray) -> Estimates:
    """Durations measured in different ways are never combined: such a group has a reason and no value."""
    mixed = np.array([a is not None and a == a and a != b for a, b in zip(first, last, strict=True)], bool)
    if not mixed.any():
        return found
    reasons = [f"times are measured in different ways ({a}, {b}): choose one time basis" for a, b in zip(first, last)]  # noqa: B905
    return found.without(mixed, np.array(reasons, object))


def _no_keys(by: Grouping) -> Columns:
    gap = {True: np.array(["NaT"], "datetime64[us]"), False: np.array([None], object)}
    return {name: gap[name in TIME_DIMENSIONS] for name in by}


def _unsupported(reason: str) -> Estimates:
    nan = np.array([np.nan])
    return Estimates(nan, nan, nan, np.zeros(1), np.array([reason], object))


# ---- results ---------------------------------------------------------------------------------------------------


def _frame(snapshot: Snapshot, found: list[_Found], by: Grouping, filters: Filters) -> pd.DataFrame:
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


# ---- what filters can be set to --------------------------------------------------------------------------------


def members(snapshot: Snapshot, name: str, scope: Scope) -> pd.DataFrame:
    """The values a dimension takes within the scope: ``value`` and ``label``, the most frequent first.

    Single raters and their leads are listed only for a scope that shows them.
    """
    name = dimension(name)
    if name in privacy.PEOPLE and not scope.sees_raters:
        return pd.DataFrame({"value": [], "label": []}, dtype=str)
    question, values = selects.ask("work", ((name,),), (Filters(),), scope)
    found = snapshot.columns(_members(question), values)["value"].astype(str)
    names = snapshot.names.get(name, {})
    return pd.DataFrame({"value": found, "label": [names.get(v, v) for v in found]}, dtype=str)


@functools.lru_cache(maxsize=500)
def _members(question: Question) -> sa.Select:
    source = dim.SOURCES[question.source]
    column = expression(source, question.dimensions[0])
    served = sa.func.sum(source.table.c.served)
    return (
        selects.narrowed(question)
        .with_only_columns(column.label("value"))
        .where(column.is_not(None))
        .group_by(column)
        .order_by(served.desc(), column)
    )


def check_values(snapshot: Snapshot, filters: Filters, scope: Scope) -> None:
    """Raises UnknownName for a filter value that no row has, naming the nearest."""
    for name, values in filters.where:
        known = members(snapshot, name, scope)["value"].tolist()
        for value in values:
            if value not in known:
                raise UnknownName(dim.DIMENSIONS[name], value, known)


def changes(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The dated changes of the scope's projects and pools, and those of the whole organisation."""
    rows = snapshot.table("change")
    for column, allowed in (("project_id", scope.projects), ("pool_id", scope.pools)):
        if allowed is not None:
            rows = rows[rows[column].isna() | rows[column].isin(allowed)]
    return rows.reset_index(drop=True)


# ---- data health -----------------------------------------------------------------------------------------------

ADDED_UP = ("served", "accepted", "rejected", "pending", "skipped")


def reconciliation(
    snapshot: Snapshot,
    *,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    scope: Scope,
) -> pd.DataFrame:
    """Whether the work adds up: served = accepted + rejected + pending + skipped; ``difference`` is 0 then."""
    question, values = selects.ask("work", ([dimension(name) for name in by],), (filters,), scope)
    rows = pd.DataFrame(snapshot.columns(_added_up(question), values))
    return rows.assign(difference=rows["served"] - rows[list(ADDED_UP[1:])].sum(axis=1))


@functools.lru_cache(maxsize=500)
def _added_up(question: Question) -> sa.Select:
    source = dim.SOURCES[question.source]
    keys = [expression(source, d).label(d) for d in question.dimensions]
    sums = (sa.cast(sa.func.sum(source.table.c[c]), sa.BigInteger).label(c) for c in ADDED_UP)
    by = [key.element for key in keys]
    return selects.narrowed(question).with_only_columns(*keys, *sums).group_by(*by).order_by(*by)


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
