"""What the snapshot keeps of its own making: whether work adds up, sources, findings, late audits, rows left out."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import selects
from data_access.dimensions import expression
from data_access.filters import Filters, Scope, dimension
from data_access.selects import Question
from data_access.snapshot import Snapshot

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
