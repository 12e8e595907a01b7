"""Statements on the snapshot: a mart's sums by groups, narrowed by filters and scope.

A statement depends on a ``Question`` alone; days and filter values are bound to it by name. So it is compiled once per
question, and asking again about other days or values costs no compiling.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from data_access import dimensions as dim
from data_access.dimensions import Source, expression, joined
from data_access.filters import TIME_DIMENSIONS, Filters, Scope
from metrics.catalogue import metric as find_metric
from metrics.shapes import clusters_name, product_name

RATER_CLUSTERED = "rater_id"
RATERS = "raters"  # how many raters a group has, where rows cluster by rater: what a minimum group is counted by
FIRST_BASIS, LAST_BASIS = "first_basis", "last_basis"  # differ where times were measured in different ways
GROUPING, PERIOD = "grouping_id", "period_number"
TIMED = "handle_"  # columns that hold times start so, and are never added up over time bases


@dataclass(frozen=True)
class Question:
    """What a statement depends on, but for the values bound to it.

    groupings: the dimensions of each grouping asked for. periods: whether each has a first and a last day. where: each
    filtered dimension and how many values it allows. projects, pools: how many the scope allows, None for all.
    timed: whether times are those of one time basis.
    """

    source: str
    groupings: tuple[tuple[str, ...], ...] = ((),)
    periods: tuple[tuple[bool, bool], ...] = ((False, False),)
    where: tuple[tuple[str, int], ...] = ()
    projects: int | None = None
    pools: int | None = None
    timed: bool = False

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions of all groupings, each once."""
        return tuple(dict.fromkeys(d for by in self.groupings for d in by))

    def grouping_id(self, by: Sequence[str]) -> int:
        """What SQL's GROUPING of the dimensions is for the rows of one grouping."""
        absent = [d not in by for d in self.dimensions]
        return sum(1 << k for k, left_out in enumerate(reversed(absent)) if left_out)


def ask(
    source: str,
    groupings: Sequence[Sequence[str]],
    periods: Sequence[Filters],
    scope: Scope,
    timed_on: str = "",
) -> tuple[Question, dict[str, object]]:
    """The question and the values to bind. ``periods`` are the same filters over each period."""
    where = periods[0].where
    question = Question(
        source,
        tuple(dict.fromkeys(tuple(by) for by in groupings)),
        tuple((p.start is not None, p.end is not None) for p in periods),
        tuple((name, len(values)) for name, values in where),
        None if scope.projects is None else len(scope.projects),
        None if scope.pools is None else len(scope.pools),
        bool(timed_on),
    )
    values: dict[str, object] = {"timed_on": timed_on}
    for k, one in enumerate(periods):
        values |= {f"start_{k}": one.start, f"end_{k}": one.end}
    listed = [*((f"where_{name}", allowed) for name, allowed in where)]
    listed += [("scope_project", sorted(scope.projects or ())), ("scope_pool", sorted(scope.pools or ()))]
    values |= {f"{name}_{j}": value for name, allowed in listed for j, value in enumerate(allowed)}
    return question, values


@functools.lru_cache(maxsize=2000)
def sums_by(question: Question, metrics: tuple[str, ...]) -> sa.Select:
    """One row per group: every summed column, and for pairs the sums over clusters of their products.

    Rows are added up to cells of all dimensions and clusters, cells to the clusters of each grouping, clusters to
    groups.
    """
    source = dim.SOURCES[question.source]
    shapes = [find_metric(name).shape for name in metrics]
    columns = list(dict.fromkeys(c for shape in shapes for c in shape.columns))
    pairs = list(dict.fromkeys(shape.pair for shape in shapes if hasattr(shape, "pair")))
    table = source.table
    clusters = [_cluster(source, c).label(f"cluster_{c}") for c in source.cluster]
    sums = [sa.func.sum(_summed(question, table, c)).label(c) for c in columns]
    bases = []
    timed = [c for c in columns if c.startswith(TIMED)]
    if timed and "time_basis" in source.keys:
        used = sa.or_(*(table.c[c] != 0 for c in timed))
        basis = sa.case((sa.and_(used, _on_basis(table)) if question.timed else used, table.c.time_basis))
        bases = [sa.func.min(basis).label(FIRST_BASIS), sa.func.max(basis).label(LAST_BASIS)]
    cells = _grouped(question, source, clusters, [*sums, *bases]).subquery("cells")
    if len(question.groupings) > 1:
        cells = _sets(question, cells, [c.name for c in clusters], columns, bool(bases)).subquery("clusters")
    return _over_clusters(question, cells, columns, pairs, bool(bases), source.cluster == (RATER_CLUSTERED,))


@functools.lru_cache(maxsize=2000)
def rows_by(question: Question, extra: tuple[str, ...], summed: str) -> sa.Select:
    """One row per group and extra key: histogram buckets, label-count codes; ``summed`` is their count."""
    source = dim.SOURCES[question.source]
    more = [sa.literal_column(f'"{source.table.name}"."{name}"').label(name) for name in extra]
    total = sa.cast(sa.func.sum(source.table.c[summed]), sa.BigInteger).label(summed)
    cells = _grouped(question, source, more, [total], whole_basis=question.timed)
    if len(question.groupings) == 1:
        return cells
    return _sets(question, cells.subquery("cells"), list(extra), [summed], False)


@functools.lru_cache(maxsize=500)
def counts_by(question: Question, extra: tuple[str, ...], columns: tuple[str, ...]) -> sa.Select:
    """One row per group and extra key of the mart: plain sums of columns, for one grouping and one period."""
    source = dim.SOURCES[question.source]
    more = [sa.literal_column(f'"{source.table.name}"."{name}"').label(name) for name in extra]
    sums = [sa.cast(sa.func.sum(source.table.c[c]), sa.Double).label(c) for c in columns]
    return _grouped(question, source, more, sums).order_by(*question.dimensions, *extra)


def narrowed(question: Question) -> sa.Select:
    """The mart with its dimension tables, narrowed by periods, filters and scope: the only place rows are narrowed."""
    source = dim.SOURCES[question.source]
    names = {*question.dimensions, *(name for name, _ in question.where)}
    if question.pools is not None:
        names.add("pool")
    clause = sa.select(sa.literal(1)).select_from(joined(source, names))
    inside = [_within(source, k, *bounds) for k, bounds in enumerate(question.periods)]
    if all(condition is not None for condition in inside):
        clause = clause.where(sa.or_(*inside) if len(inside) > 1 else inside[0])
    for name, count in question.where:
        clause = clause.where(expression(source, name).in_(_bound(f"where_{name}", count)))
    if source.stock:
        last = [_last_days(source, question, k) for k in range(len(question.periods))]
        clause = clause.where(source.table.c.day.in_(sa.union_all(*last) if len(last) > 1 else last[0]))
    return _scoped(source, clause, question)


# ---- parts of statements ---------------------------------------------------------------------------------------


def _grouped(
    question: Question, source: Source, more: list[sa.Label], sums: list[sa.Label], whole_basis: bool = False
) -> sa.Select:
    """The mart's rows added up by period, all dimensions and further keys."""
    keys = [expression(source, d).label(d) for d in question.dimensions]
    clause = narrowed(question)
    if whole_basis:
        clause = clause.where(_on_basis(source.table))
    number, by_number = [], []
    if len(question.periods) > 1:
        cases = [(_within(source, k, *bounds), sa.literal_column(str(k))) for k, bounds in enumerate(question.periods)]
        number = [sa.case(*cases).label(PERIOD)]
        by_number = [sa.literal_column(PERIOD)]  # its bound days would not be seen as the same expression
    elements = [label.element for label in (*keys, *more)]
    return clause.with_only_columns(*number, *keys, *more, *sums).group_by(*by_number, *elements)


def _sets(question: Question, cells: sa.Subquery, more: list[str], columns: list[str], bases: bool) -> sa.Select:
    """Cells added up by each grouping; GROUPING tells whose row it is."""
    c = cells.c
    number = [c[PERIOD]] if PERIOD in c else []
    rest = [c[name] for name in more]
    sets = [sa.tuple_(*number, *(c[d] for d in by), *rest) for by in question.groupings]
    which = sa.func.grouping(*(c[d] for d in question.dimensions)).label(GROUPING)
    sums = [sa.func.sum(c[name]).label(name) for name in columns]
    if bases:
        sums += [sa.func.min(c[FIRST_BASIS]).label(FIRST_BASIS), sa.func.max(c[LAST_BASIS]).label(LAST_BASIS)]
    return sa.select(which, *number, *(c[d] for d in question.dimensions), *rest, *sums).group_by(
        sa.func.grouping_sets(*sets)
    )


def _over_clusters(
    question: Question, clusters: sa.Subquery, columns: list[str], pairs: list, bases: bool, raters: bool
) -> sa.Select:
    """Clusters added up to groups, with the sums of products that design effects are made of."""
    c = clusters.c
    keys = [c[name] for name in (GROUPING, PERIOD, *question.dimensions) if name in c]
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
    if bases:
        outer += [sa.func.min(c[FIRST_BASIS]).label(FIRST_BASIS), sa.func.max(c[LAST_BASIS]).label(LAST_BASIS)]
    if raters:
        outer.append(sa.func.count().label(RATERS))
    return sa.select(*keys, *outer).group_by(*keys)


def _cluster(source: Source, name: str) -> sa.ColumnElement:
    return dim.period(source, "week") if name == "week" else source.table.c[name]


def _summed(question: Question, table: sa.FromClause, name: str) -> sa.ColumnElement:
    column = table.c[name]
    timed = question.timed and name.startswith(TIMED)
    return sa.case((_on_basis(table), column), else_=sa.literal_column("0")) if timed else column


def _on_basis(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return table.c.time_basis == sa.bindparam("timed_on", type_=sa.String)


def _bound(name: str, count: int) -> list[sa.BindParameter]:
    return [sa.bindparam(f"{name}_{j}", type_=sa.String) for j in range(count)]


def _within(source: Source, k: int, has_start: bool, has_end: bool) -> sa.ColumnElement[bool] | None:
    """That a row lies in the k-th period; None where that is open at both ends."""
    time = source.table.c[source.time]
    bounds = []
    if has_start:
        bounds.append(time >= sa.bindparam(f"start_{k}", type_=sa.Date))
    if has_end:
        bounds.append(time <= sa.bindparam(f"end_{k}", type_=sa.Date))
    return sa.and_(*bounds) if bounds else None


def _scoped(source: Source, clause: sa.Select, question: Question) -> sa.Select:
    """Only what the scope allows; a mart that cannot be narrowed to it gives nothing."""
    for name, count in (("project", question.projects), ("pool", question.pools)):
        if count is None:
            continue
        column = expression(source, name)
        none = column is None or count == 0
        clause = clause.where(sa.false() if none else column.in_(_bound(f"scope_{name}", count)))
    return clause


def _last_days(source: Source, question: Question, k: int) -> sa.Select:
    """A stock is read on the last day of each period shown."""
    flow = source.table.alias(f"last_days_{k}")
    last = sa.select(sa.func.max(flow.c.day))
    has_start, has_end = question.periods[k]
    if has_start:
        last = last.where(flow.c.day >= sa.bindparam(f"start_{k}", type_=sa.Date))
    if has_end:
        last = last.where(flow.c.day <= sa.bindparam(f"end_{k}", type_=sa.Date))
    for name in question.dimensions:
        if name == "day":
            last = last.group_by(flow.c.day)
        elif name in TIME_DIMENSIONS:
            last = last.group_by(sa.func.date_trunc(sa.literal_column(f"'{name}'"), flow.c.day))
    return last
