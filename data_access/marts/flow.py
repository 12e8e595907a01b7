"""The flow of items: the days of their life, what was promised, and how long they waited."""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, seconds_between, week_of
from data_access.marts.expressions import constant, log_bucket, unlabelled
from data_access.windows import Window

_ONE, _ZERO = sa.literal_column("1", sa.Integer), sa.literal_column("0", sa.Integer)


def item_lives(zone: str, created: Window) -> sa.Select:
    """Items counted by the days they were created, due and closed: every flow figure follows from these."""
    i = t.items.c
    in_time = sa.case(
        (sa.and_(i.closed_at.is_not(None), i.due_at.is_not(None), i.closed_at <= i.due_at), _ONE), else_=_ZERO
    )
    keys = (
        business_day(i.created_at, zone).label("created_day"),
        i.project_id,
        i.language,
        i.policy,
        business_day(i.due_at, zone).label("due_day"),
        business_day(i.closed_at, zone).label("closed_day"),
        in_time.label("in_time"),
    )
    return sa.select(*keys, sa.func.count().label("items")).where(*created.on(i.created_at)).group_by(*unlabelled(keys))


def promises(zone: str, created: Window) -> sa.Select:
    """Items counted by the hours from creation to when they are due, to the nearest hour, by week of creation."""
    i = t.items.c
    hours = seconds_between(i.created_at, i.due_at) / constant(3600.0)
    # Half an hour goes up on every engine, also on those that count seconds in fractions of days.
    hours = sa.cast(sa.func.floor(hours + constant(0.500001)), sa.Integer)
    keys = (week_of(business_day(i.created_at, zone)), i.project_id, i.language, i.policy, hours)
    return (
        sa.select(keys[0].label("week"), *keys[1:4], hours.label("hours"), sa.func.count().label("items"))
        .where(i.due_at.is_not(None), *created.on(i.created_at))
        .group_by(*keys)
    )


def turnaround(zone: str, closed: Window) -> sa.Select:
    """Histogram of hours from creation to closing, by week of closing."""
    i = t.items.c
    bucket = log_bucket(seconds_between(i.created_at, i.closed_at))
    week = week_of(business_day(i.closed_at, zone))
    return (
        sa.select(
            week.label("week"), i.project_id, i.language, i.policy, bucket.label("bucket"), sa.func.count().label("n")
        )
        .where(i.closed_at.is_not(None), *closed.on(i.closed_at))
        .group_by(week, i.project_id, i.language, i.policy, bucket)
    )


def claim_time(zone: str, created: Window) -> sa.Select:
    """Histogram of the time from creation to the last claim, by weeks of creation and of the claim."""
    i = t.items.c
    bucket = log_bucket(seconds_between(i.created_at, i.claimed_at))
    weeks = (week_of(business_day(i.created_at, zone)), week_of(business_day(i.claimed_at, zone)))
    keys = (i.project_id, i.language, i.policy)
    return (
        sa.select(
            weeks[0].label("created_week"),
            weeks[1].label("week"),
            *keys,
            bucket.label("bucket"),
            sa.func.count().label("n"),
        )
        .where(i.claimed_at.is_not(None), *created.on(i.created_at))
        .group_by(*weeks, *keys, bucket)
    )
