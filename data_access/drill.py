"""Drill-through: single rows, live from the warehouse, with a row cap and a time limit.

The snapshot answers how much and how sure; which items and which ratings only the warehouse knows. Nothing here is
needed to open a page: a reader asks for it, and a page says so when the warehouse does not answer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, day_start, plus_seconds, row_checksum, seconds_between, to_day
from data_access.dimensions import TENURE_BANDS, TENURE_LAST
from data_access.filters import Filters, Scope
from data_access.marts import NOT_RECORDED
from data_access.settings import Settings
from data_access.warehouse import Warehouse
from metrics.errors import NotAllowed, WarehouseUnavailable

MOST_ROWS = 200_000
SECONDS = 10  # a statement that takes longer is stopped
NEW_SHIFT_SECONDS = 4 * 3600.0  # a break longer than this begins a new shift
SLACK_SECONDS = 0.001  # SQLite's times are floating days: a whole hour may come out a little short
GOLD, OVERLAP, ALL = "gold", "overlap", "all"


@dataclass(frozen=True)
class Ratings:
    """Rows of ratings; ``one_in`` is 1 when they are all there is, else one item in so many was read."""

    rows: pd.DataFrame
    one_in: int = 1
    cut: bool = False  # the row cap was reached: the last items are missing


def ratings(
    settings: Settings,
    filters: Filters,
    scope: Scope,
    *,
    which: str = ALL,
    peers_of: str = "",
    one_in: int = 1,
    most: int = MOST_ROWS,
) -> Ratings:
    """Labels given by raters in the label stage, one row each, by item and then time.

    Columns: annotation_id, item_id, rater_id, project_id, pool_id, language, policy, label, gold_label,
    guideline_version, submitted_at (UTC), handle_seconds. ``which``: all, those on gold items, or those on items that
    two raters or more labelled. ``peers_of`` a rater: the ratings of everyone on the items that rater labelled.
    ``one_in``: one item in so many, chosen by a checksum of its id. Skips and missing labels are left out.

    Raises NotAllowed when the scope does not show raters, WarehouseUnavailable when the warehouse does not answer in
    SECONDS.
    """
    _allow(scope)
    a, i, r = t.annotations.c, t.items.c, t.raters.c
    chosen = _narrowed(filters, scope, settings.timezone)
    given = [a.stage == "label", a.status != "skipped", a.label.is_not(None)]
    if which == GOLD:
        given.append(i.gold_label.is_not(None))
    if which == OVERLAP:
        shared = sa.select(a.item_id).select_from(_joined()).where(*given, *chosen)
        given.append(a.item_id.in_(shared.group_by(a.item_id).having(sa.func.count() > 1)))
    if peers_of:
        theirs = sa.select(a.item_id).select_from(_joined()).where(*given, *chosen, a.rater_id == peers_of)
        given.append(a.item_id.in_(theirs))
    if one_in > 1:
        given.append(sa.func.mod(row_checksum(a.item_id), one_in) == 0)
    select = (
        sa.select(
            a.annotation_id,
            a.item_id,
            a.rater_id,
            a.project_id,
            r.pool_id,
            i.language,
            i.policy,
            a.label,
            i.gold_label,
            a.guideline_version,
            a.submitted_at,
            a.handle_seconds,
        )
        .select_from(_joined())
        .where(*given, *chosen)
        .order_by(a.item_id, a.submitted_at, a.annotation_id)
        .limit(most + 1)
    )
    rows = _read(settings, select)
    cut = len(rows) > most
    if cut:  # the item in which the cap falls is left out whole: half its ratings would be another item
        rows = rows[rows["item_id"] != rows["item_id"].iloc[most]]
    return Ratings(rows.reset_index(drop=True), one_in, cut)


def hours_into_shift(settings: Settings, filters: Filters, scope: Scope) -> pd.DataFrame:
    """Gold judgements by rater, whole hours since the shift began and kind of item.

    Columns: rater_id, pool_id, hour, project_id, language, policy, n, wrong.

    The contract keeps no start of a shift: it is taken to be a rater's first judgement after a break of more than four
    hours. Raises as ``ratings`` does.
    """
    _allow(scope)
    a, i, r = t.annotations.c, t.items.c, t.raters.c
    theirs = _narrowed(filters, scope, settings.timezone)
    # Shifts are found in all work of these raters, from the day before: a filter must not move where a shift begins.
    raters = sa.select(a.rater_id).select_from(_joined()).where(a.status != "skipped", *theirs)
    w = t.annotations.alias("all_work")
    around = [w.c.status != "skipped", w.c.rater_id.in_(raters)]
    if filters.start:
        around.append(w.c.submitted_at >= day_start(filters.start - dt.timedelta(days=1), settings.timezone))
    if filters.end:
        around.append(w.c.submitted_at < day_start(filters.end + dt.timedelta(days=1), settings.timezone))
    before = sa.func.lag(w.c.submitted_at).over(partition_by=w.c.rater_id, order_by=w.c.submitted_at)
    moments = (
        sa.select(w.c.annotation_id, w.c.rater_id, w.c.submitted_at, before.label("before"))
        .where(*around)
        .subquery("moments")
    )
    m = moments.c
    begins = sa.case(
        (m.before.is_(None), 1),
        (seconds_between(m.before, m.submitted_at) > NEW_SHIFT_SECONDS + SLACK_SECONDS, 1),
        else_=0,
    )
    numbered = sa.select(
        moments, sa.func.sum(begins).over(partition_by=m.rater_id, order_by=m.submitted_at).label("shift")
    ).subquery("numbered")
    n = numbered.c
    began = sa.select(
        n.annotation_id, sa.func.min(n.submitted_at).over(partition_by=(n.rater_id, n.shift)).label("began")
    ).subquery("began")
    passed = seconds_between(began.c.began, a.submitted_at) + sa.literal_column(str(SLACK_SECONDS))
    hour = sa.cast(sa.func.floor(passed / sa.literal_column("3600.0")), sa.Integer)
    cells = (
        sa.select(a.rater_id, r.pool_id, hour.label("hour"), a.project_id, i.language, i.policy, a.label, i.gold_label)
        .select_from(_joined().join(began, began.c.annotation_id == a.annotation_id))
        .where(a.status != "skipped", a.label.is_not(None), i.gold_label.is_not(None), *theirs)
    )
    c = cells.subquery("cells").c
    wrong = sa.func.sum(sa.case((c.label != c.gold_label, 1), else_=0))
    keys = (c.rater_id, c.pool_id, c.hour, c.project_id, c.language, c.policy)
    return _read(
        settings,
        sa.select(*keys, sa.func.count().label("n"), wrong.label("wrong"))
        .group_by(*keys)
        .order_by(c.rater_id, c.hour, c.project_id, c.language, c.policy),
    )


def gold_met(settings: Settings, filters: Filters, scope: Scope) -> pd.DataFrame:
    """Judgements of each rater and how many were on gold: rater_id, judgements, gold_judgements, distinct_gold."""
    _allow(scope)
    a, i = t.annotations.c, t.items.c
    known = i.gold_label.is_not(None)
    return _read(
        settings,
        sa.select(
            a.rater_id,
            sa.func.count().label("judgements"),
            sa.func.sum(sa.case((known, 1), else_=0)).label("gold_judgements"),
            sa.func.count(sa.distinct(sa.case((known, a.item_id)))).label("distinct_gold"),
        )
        .select_from(_joined())
        .where(a.status != "skipped", *_narrowed(filters, scope, settings.timezone))
        .group_by(a.rater_id)
        .order_by(a.rater_id),
    )


def gold_pool(settings: Settings, projects: Sequence[str], scope: Scope) -> int:
    """How many gold items there are in the projects; in all projects without any."""
    i = t.items.c
    allowed = [i.gold_label.is_not(None), *([sa.false()] if scope.is_nobody else [])]
    if projects:
        allowed.append(i.project_id.in_(sorted(projects)))
    if scope.projects is not None:
        allowed.append(i.project_id.in_(sorted(scope.projects)))
    rows = _read(settings, sa.select(sa.func.count().label("n")).select_from(t.items).where(*allowed))
    return int(rows["n"].iloc[0])


# ---- how -------------------------------------------------------------------------------------------------------


def _allow(scope: Scope) -> None:
    if not scope.sees_raters:
        raise NotAllowed("Single raters are shown only to those who manage them; ask for access to their pool.")


def _joined() -> sa.FromClause:
    a, i, r, p = t.annotations.c, t.items.c, t.raters.c, t.pools.c
    return (
        t.annotations.join(t.items, a.item_id == i.item_id)
        .join(t.raters, a.rater_id == r.rater_id)
        .outerjoin(t.pools, r.pool_id == p.pool_id)
        .join(t.projects, a.project_id == t.projects.c.project_id)
    )


COLUMNS = {
    "project": t.annotations.c.project_id,
    "product": t.projects.c.product,
    "policy_area": t.projects.c.policy_area,
    "task_type": t.projects.c.task_type,
    "pool": t.raters.c.pool_id,
    "vendor": t.pools.c.vendor,
    "site": t.pools.c.site,
    "region": t.pools.c.region,
    "rater": t.annotations.c.rater_id,
    "lead": t.raters.c.lead,
    "language": t.items.c.language,
    "locale": t.raters.c.locale,
    "policy": t.items.c.policy,
    "content_type": t.items.c.content_type,
    "guideline_version": sa.func.coalesce(t.annotations.c.guideline_version, NOT_RECORDED),  # as the marts call it
    "stage": t.annotations.c.stage,
    "time_basis": t.annotations.c.time_basis,
}
"""What each filter but tenure means on the warehouse."""


def _tenure(bands: tuple[str, ...], zone: str) -> sa.ColumnElement[bool]:
    """That the rater's whole days since hiring, on the business day of the work, lie in one of the bands."""
    hired, day = t.raters.c.hired_on, business_day(t.annotations.c.submitted_at, zone)
    inside, lowest = [sa.false()], 0
    for limit, band in (*TENURE_BANDS, (None, TENURE_LAST)):
        if band in bands:
            ends = [] if not lowest else [hired <= _days_before(day, lowest)]
            ends += [] if limit is None else [hired > _days_before(day, limit)]
            inside.append(sa.and_(*ends))
        lowest = limit
    return sa.or_(*inside)


def _days_before(day: sa.ColumnElement, days: int) -> sa.ColumnElement:
    return to_day(plus_seconds(day, -days * 86_400))


def _narrowed(filters: Filters, scope: Scope, zone: str) -> list[sa.ColumnElement[bool]]:
    conditions = [COLUMNS[name].in_(values) for name, values in filters.where if name in COLUMNS]
    conditions += [_tenure(values, zone) for name, values in filters.where if name == "tenure_band"]
    moment = t.annotations.c.submitted_at
    if filters.start:
        conditions.append(moment >= day_start(filters.start, zone))
    if filters.end:
        conditions.append(moment < day_start(filters.end + dt.timedelta(days=1), zone))
    if scope.is_nobody:
        conditions.append(sa.false())
    for allowed, column in ((scope.projects, COLUMNS["project"]), (scope.pools, COLUMNS["pool"])):
        if allowed is not None:
            conditions.append(column.in_(sorted(allowed)))
    return conditions


def _read(settings: Settings, select: sa.Select) -> pd.DataFrame:
    warehouse = Warehouse(settings.warehouse_url, SECONDS)
    with warehouse.connect() as connection, _limited(connection, warehouse.name) as stopped:
        result = connection.execute(select)
        rows = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
        if stopped.is_set():
            raise WarehouseUnavailable(f"The {warehouse.name} took longer than {SECONDS} seconds.")
    return rows


@contextlib.contextmanager
def _limited(connection: sa.Connection, name: str) -> Iterator[threading.Event]:
    """Stops a statement of an embedded engine after SECONDS; servers hold the limit themselves."""
    raw = connection.connection.driver_connection
    stop, stopped = getattr(raw, "interrupt", None), threading.Event()

    def give_up() -> None:
        stopped.set()
        stop()

    timer = threading.Timer(SECONDS, give_up) if stop else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield stopped
    except Exception:
        if stopped.is_set():
            remedy = "choose a shorter period or one project"
            raise WarehouseUnavailable(f"The {name} took longer than {SECONDS} seconds: {remedy}.") from None
        raise
    finally:
        if timer:
            timer.cancel()
