"""Small facts: appeals, hours, training, comparisons, money and escalations, read whole at every refresh."""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, seconds_between, week_of
from data_access.marts.expressions import count_where, log_bucket, sum_of
from metrics.catalogue import SENSITIVE_CAP_HOURS


def appeal_facts(zone: str) -> sa.Select:
    """Appeals filed, decided and overturned, by the day filed."""
    p, i = t.appeals.c, t.items.c
    keys = (business_day(p.filed_at, zone).label("day"), i.project_id, i.language, i.policy)
    return (
        sa.select(
            *keys,
            sa.func.count().label("appeals_filed"),
            sa.func.count(p.decided_at).label("appeals_decided"),
            count_where(sa.and_(p.decided_at.is_not(None), p.overturned), "appeals_overturned"),
        )
        .select_from(t.appeals.join(t.items, p.item_id == i.item_id))
        .group_by(keys[0].element, *keys[1:])
    )


def appeal_time(zone: str) -> sa.Select:
    """Histogram of the time from filing to decision, by week of decision."""
    p, i = t.appeals.c, t.items.c
    bucket = log_bucket(seconds_between(p.filed_at, p.decided_at))
    week = week_of(business_day(p.decided_at, zone))
    return (
        sa.select(
            week.label("week"), i.project_id, i.language, i.policy, bucket.label("bucket"), sa.func.count().label("n")
        )
        .select_from(t.appeals.join(t.items, p.item_id == i.item_id))
        .where(p.decided_at.is_not(None))
        .group_by(week, i.project_id, i.language, i.policy, bucket)
    )


def shift_facts(has_available: bool = True) -> sa.Select:
    """Hours by day and pool; ``available_active_seconds`` are those of shifts whose available time is known."""
    s, r = t.shifts.c, t.raters.c
    available = s.available_seconds if has_available else sa.cast(sa.null(), sa.Double)
    idle = sa.case((s.logged_seconds > s.active_seconds, s.logged_seconds - s.active_seconds), else_=0.0)
    return (
        sa.select(
            s.work_date.label("day"),
            r.pool_id,
            sa.func.count().label("rater_days"),
            sum_of(s.scheduled_seconds, "scheduled_seconds"),
            sum_of(s.logged_seconds, "logged_seconds"),
            sum_of(s.active_seconds, "active_seconds"),
            sum_of(s.sensitive_seconds, "sensitive_seconds"),
            sum_of(idle, "idle_seconds"),
            sum_of(available, "available_seconds"),
            sum_of(s.active_seconds, "available_active_seconds", available.is_not(None)),
            count_where(s.sensitive_seconds > SENSITIVE_CAP_HOURS * 3600.0, "cap_breaches"),
        )
        .select_from(t.shifts.join(t.raters, s.rater_id == r.rater_id))
        .group_by(s.work_date, r.pool_id)
    )


def training_facts() -> sa.Select:
    """Courses by the day they were due."""
    c = t.trainings.c
    done = c.completed_on.is_not(None)
    return (
        sa.select(
            c.due_on.label("day"),
            c.rater_id,
            sa.func.count().label("due"),
            count_where(sa.and_(done, c.completed_on <= c.due_on), "completed_in_time"),
            count_where(sa.and_(done, c.passed.is_not(None)), "attempted"),
            count_where(sa.and_(done, c.passed), "passed"),
        )
        .where(c.due_on.is_not(None))
        .group_by(c.due_on, c.rater_id)
    )


def comparison_facts(zone: str) -> sa.Select:
    """Decided comparisons by day, project and rater, and in how many the answer shown first was chosen."""
    c = t.comparisons.c
    day = business_day(c.submitted_at, zone)
    return (
        sa.select(
            day.label("day"),
            c.project_id,
            c.rater_id,
            sa.func.count().label("decided"),
            count_where(c.choice == c.first_shown, "first_chosen"),
        )
        .where(c.choice != "tie")
        .group_by(day, c.project_id, c.rater_id)
    )


def cost_facts() -> sa.Select:
    """Money by day, project and pool, one column a kind."""
    c = t.costs.c
    return sa.select(
        c.cost_date.label("day"),
        c.project_id,
        c.pool_id,
        sum_of(c.amount, "cost"),
        *(sum_of(c.amount, f"cost_{kind}", c.kind == kind) for kind in t.COST_KINDS),
    ).group_by(c.cost_date, c.project_id, c.pool_id)


def escalation_facts(zone: str) -> sa.Select:
    """Escalations by the day they were opened."""
    e = t.escalations.c
    day = business_day(e.opened_at, zone)
    return sa.select(day.label("day"), e.project_id, e.pool_id, sa.func.count().label("escalations")).group_by(
        day, e.project_id, e.pool_id
    )
