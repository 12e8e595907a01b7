"""Work by day: counts, gold, audits and handle times of judgements."""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import week_of
from data_access.marts.expressions import count_where, log_bucket, sum_of, unlabelled
from data_access.marts.grain import WORK, Mart

PENALTY = {"minor": 0.1, "major": 0.5, "critical": 1.0}  # of severity_weighted_quality


def _keys(source: sa.FromClause, mart: Mart) -> list[sa.ColumnElement]:
    """The grain of a mart of judgements; its week is that of the item's creation."""
    c = source.c
    return [week_of(c.created_day).label(name) if name == "week" else c[name] for name in mart.keys]


def _grouped(source: sa.FromClause, sums: list[sa.Label], mart: Mart, of: sa.FromClause) -> sa.Select:
    """The sums that the mart keeps, over its grain: of all rows, or for a mart of batches of those in one."""
    keys = _keys(source, mart)
    grouped = sa.select(*keys, *(s for s in sums if s.name in mart.sums)).select_from(of)
    if "batch_id" in mart.keys:
        grouped = grouped.where(source.c.batch_id.is_not(None))
    return grouped.group_by(*unlabelled(keys))


def work_judgements(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Counts and handle times of all judgements, at the grain of `work` or of another mart of its sums."""
    c, r = source.c, t.raters.c
    done, label_stage, first = c.status != "skipped", c.stage == "label", sa.not_(c.is_rework)
    timed = sa.and_(done, c.handle_seconds > 0)
    seconds = sa.case((timed, c.handle_seconds), else_=None)
    log = sa.func.ln(seconds)
    sums = [
        sa.func.count().label("served"),
        count_where(done, "judgements"),
        count_where(c.status == "skipped", "skipped"),
        count_where(c.status == "submitted", "pending"),
        count_where(c.status == "accepted", "accepted"),
        count_where(c.status == "rejected", "rejected"),
        count_where(c.status.in_(("accepted", "rejected")), "decided"),
        count_where(sa.and_(done, c.is_rework), "rework"),
        count_where(sa.and_(c.status == "accepted", first, label_stage), "first_accepted"),
        count_where(sa.and_(c.status.in_(("accepted", "rejected")), first, label_stage), "first_decided"),
        count_where(sa.and_(done, label_stage), "labels"),
        count_where(sa.and_(c.status == "accepted", label_stage), "accepted_labels"),
        count_where(sa.and_(c.status == "rejected", label_stage), "rejected_labels"),
        count_where(sa.and_(done, r.language == c.language), "language_matched"),
        sa.func.count(seconds).label("handle_n"),
        count_where(sa.and_(timed, c.status == "accepted", label_stage), "handle_accepted_labels"),
        sum_of(seconds, "handle_sum_seconds"),
        sum_of(log, "handle_sum_log"),
        sum_of(log * log, "handle_sum_log_squared"),
        sum_of(seconds, "handle_rework_seconds", c.is_rework),
        sum_of(c.handle_seconds, "handle_skipped_seconds", sa.and_(sa.not_(done), c.handle_seconds > 0)),
        sum_of(c.handle_seconds, "handle_served_seconds", c.handle_seconds > 0),
    ]
    of = source.outerjoin(t.raters, r.rater_id == c.rater_id) if "language_matched" in mart.sums else source
    return _grouped(source, sums, mart, of)


def _violation(alias: str) -> sa.Subquery:
    """Which labels mean a violation, as 0 or 1."""
    label = t.labels.c
    return sa.select(
        label.project_id, label.label, sa.case((label.is_violation, 1), else_=0).label("violation")
    ).subquery(alias)


def _with_violations(source: sa.FromClause, truth: sa.ColumnElement) -> tuple[sa.FromClause, sa.Subquery, sa.Subquery]:
    """The source joined with whether the true and the given label mean a violation."""
    true_label, given = _violation("true_label"), _violation("given_label")
    joined = source.outerjoin(
        true_label, sa.and_(true_label.c.project_id == source.c.project_id, true_label.c.label == truth)
    ).outerjoin(given, sa.and_(given.c.project_id == source.c.project_id, given.c.label == source.c.label))
    return joined, true_label, given


def work_gold(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Judgements on gold items against the gold label, at the grain of `work` or of another mart of its sums."""
    c = source.c
    joined, true_label, given = _with_violations(source, c.gold_label)
    harmless, violating = true_label.c.violation == 0, true_label.c.violation == 1
    sums = [
        sa.func.count().label("gold_n"),
        count_where(c.label == c.gold_label, "gold_correct"),
        count_where(harmless, "gold_harmless_n"),
        count_where(sa.and_(harmless, given.c.violation == 1), "gold_overreached"),
        count_where(violating, "gold_violating_n"),
        count_where(sa.and_(violating, given.c.violation == 0), "gold_missed"),
    ]
    known = (c.gold_label.is_not(None), c.status != "skipped", c.label.is_not(None))
    return _grouped(source, sums, mart, joined).where(*known)


def work_audits(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Audits and their weights, at the grain of `work` or of another mart of its sums; a day is that of the work."""
    c = source.c
    joined, true_label, given = _with_violations(source, c.correct_label)
    harmless, violating = true_label.c.violation == 0, true_label.c.violation == 1
    weight, squared = c.weight, c.weight * c.weight
    penalty = sa.case(*((c.verdict == verdict, weight * value) for verdict, value in PENALTY.items()), else_=0.0)
    sums = [
        sa.func.count().label("audited_n"),
        count_where(c.verdict == "pass", "audited_passed"),
        count_where(c.verdict == "critical", "audited_critical"),
        sum_of(weight, "audited_weight"),
        sum_of(squared, "audited_weight_squared"),
        sum_of(weight, "audited_weight_passed", c.verdict == "pass"),
        sum_of(weight, "audited_weight_critical", c.verdict == "critical"),
        sum_of(penalty, "audited_weight_penalty"),
        count_where(harmless, "audited_harmless_n"),
        sum_of(weight, "audited_weight_harmless", harmless),
        sum_of(squared, "audited_weight_harmless_squared", harmless),
        sum_of(weight, "audited_weight_overreached", sa.and_(harmless, given.c.violation == 1)),
        count_where(violating, "audited_violating_n"),
        sum_of(weight, "audited_weight_violating", violating),
        sum_of(squared, "audited_weight_violating_squared", violating),
        sum_of(weight, "audited_weight_missed", sa.and_(violating, given.c.violation == 0)),
    ]
    return _grouped(source, sums, mart, joined)


def handle_time(source: sa.FromClause) -> sa.Select:
    """Histogram of handle seconds on fixed log buckets."""
    c, r = source.c, t.raters.c
    bucket = log_bucket(c.handle_seconds)
    keys = (c.day, c.project_id, r.pool_id, c.time_basis)
    return (
        sa.select(*keys, bucket.label("bucket"), sa.func.count().label("n"))
        .select_from(source.join(t.raters, r.rater_id == c.rater_id))
        .where(c.status != "skipped", c.handle_seconds > 0)
        .group_by(*keys, bucket)
    )
