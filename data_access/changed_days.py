"""Which days of the warehouse changed: rows and checksums of each table by day, and the days that hang on others."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from data_access import batch_marts, marts
from data_access import tables as t
from data_access.dialect import business_day, row_checksum
from data_access.store import Store
from data_access.windows import Window

BATCHES_AT_ONCE = 500  # names in one statement


def write_day_checks(store: Store, present: set[str]) -> None:
    """Fills `day_check`: rows and checksums of each table by day, which tell a refresh what changed."""
    store.connection.execute(
        "CREATE OR REPLACE TABLE day_check (source VARCHAR, day DATE, n BIGINT, checksum BIGINT, "
        "first_key VARCHAR, last_key VARCHAR)"
    )
    a, i, u = t.annotations.c, t.items.c, t.audits.c
    parts = {
        "annotations": (
            business_day(a.submitted_at, store.zone),
            (a.rater_id, a.label, a.status, a.stage, a.submitted_at, a.handle_seconds, a.guideline_version),
        ),
        "items": (
            business_day(i.created_at, store.zone),
            (i.created_at, i.gold_label, i.language, i.policy, i.content_type, i.batch_id),
        ),
        "item_lives": (
            business_day(i.created_at, store.zone),
            (i.created_at, i.due_at, i.closed_at, *((i.claimed_at,) if store.has_claims else ())),
        ),
        "audits": (
            business_day(u.audited_at, store.zone),
            (u.annotation_id, u.correct_label, u.verdict, u.weight),
        ),
    }
    for source, (day, columns) in parts.items():
        if source == "audits" and "audits" not in present:
            continue
        key = {"items": i.item_id, "audits": u.annotation_id}.get(source)
        keys = [] if key is None else [sa.func.min(key).label("first_key"), sa.func.max(key).label("last_key")]
        store.collect(
            sa.select(
                sa.literal_column(f"'{source}'").label("source"),
                day.label("day"),
                sa.func.count().label("n"),
                sa.cast(sa.func.sum(row_checksum(*columns)), sa.BigInteger).label("checksum"),
                *keys,
            ).group_by(day),
            "day_check",
        )


def days_of_annotations(store: Store, created: Window) -> set[dt.date]:
    """The days on which items created in the window were judged."""
    source = marts.judged(store.zone, created=created).subquery("judged")
    return _days(store.read(sa.select(source.c.day).distinct()))


def created_days_of_batches(store: Store, batches: set[str]) -> set[dt.date]:
    """The days on which items of these batches were created."""
    listed, found = sorted(batches), set()
    for k in range(0, len(listed), BATCHES_AT_ONCE):
        found |= _days(store.read(batch_marts.created_days(store.zone, listed[k : k + BATCHES_AT_ONCE])))
    return found


def created_days(store: Store, submitted: Window) -> set[dt.date]:
    """The days on which items judged in the window were created."""
    source = marts.judged(store.zone, submitted=submitted).subquery("judged")
    return _days(store.read(sa.select(source.c.created_day).distinct()))


def _days(rows: list[tuple]) -> set[dt.date]:
    """Days as dates; some engines answer text."""
    found = {row[0] for row in rows if row[0] is not None}
    return {
        d if isinstance(d, dt.date) and not isinstance(d, dt.datetime) else dt.date.fromisoformat(str(d)[:10])
        for d in found
    }
