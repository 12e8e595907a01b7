"""What the statements read: judgements and audits of a window, with what the marts need of their items."""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, row_checksum
from data_access.marts.expressions import UNRECORDED
from data_access.windows import Window


def _in_batch(source: sa.FromClause, batched: bool) -> tuple[sa.FromClause, sa.ColumnElement]:
    """The source with its batches, and the batch a judgement is in: the item's, if it came by the batch's close.

    Every judgement of an open batch is in it. A batch that the table of batches does not have is none.
    """
    b = t.batches.c
    if not batched:
        return source, sa.cast(sa.null(), sa.String(64)).label("batch_id")
    in_time = sa.or_(b.closed_at.is_(None), t.annotations.c.submitted_at <= b.closed_at)
    known = source.outerjoin(t.batches, b.batch_id == t.items.c.batch_id)
    return known, sa.case((in_time, b.batch_id), else_=None).label("batch_id")


def judged(
    zone: str,
    *,
    created: Window | None = None,
    submitted: Window | None = None,
    item_key: sa.ColumnElement | None = None,
    batched: bool = False,
) -> sa.Select:
    """One row per annotation of the window, with what the marts need of its item.

    ``item_key`` stands in for the item's id where an engine has a shorter key of its own. ``batched`` tells the batch
    that a judgement is in, see ``_in_batch``; without it there is none.
    """
    a, i = t.annotations.c, t.items.c
    source, batch = _in_batch(t.annotations.join(t.items, a.item_id == i.item_id), batched)
    return (
        sa.select(
            (a.item_id if item_key is None else item_key).label("item_id"),
            row_checksum(i.item_id).label("chance"),
            a.project_id,
            a.rater_id,
            a.stage,
            a.status,
            a.label,
            business_day(a.submitted_at, zone).label("day"),
            business_day(i.created_at, zone).label("created_day"),
            i.created_at,
            i.language,
            i.policy,
            i.content_type,
            sa.func.coalesce(a.guideline_version, UNRECORDED).label("guideline_version"),
            a.time_basis,
            a.handle_seconds,
            a.is_rework,
            i.gold_label,
            batch,
        )
        .select_from(source)
        .where(
            *((*created.on(i.created_at), *created.holds(a.item_id)) if created else ()),
            *(submitted.on(a.submitted_at) if submitted else ()),
        )
    )


def audited(
    zone: str,
    *,
    at: Window | None = None,
    submitted: Window | None = None,
    created: Window | None = None,
    batched: bool = False,
) -> sa.Select:
    """One row per audit of the window, with what the marts need of its annotation and item."""
    a, i, u = t.annotations.c, t.items.c, t.audits.c
    whole = t.audits.join(t.annotations, u.annotation_id == a.annotation_id).join(t.items, a.item_id == i.item_id)
    source, batch = _in_batch(whole, batched)
    return (
        sa.select(
            a.project_id,
            a.rater_id,
            a.stage,
            a.label,
            business_day(a.submitted_at, zone).label("day"),
            business_day(u.audited_at, zone).label("audited_day"),
            i.language,
            i.policy,
            i.content_type,
            sa.func.coalesce(a.guideline_version, UNRECORDED).label("guideline_version"),
            a.time_basis,
            u.correct_label,
            u.verdict,
            u.weight,
            business_day(i.created_at, zone).label("created_day"),
            batch,
        )
        .select_from(source)
        .where(
            a.status != "skipped",
            *((*at.on(u.audited_at), *at.holds(a.annotation_id)) if at else ()),
            *(submitted.on(a.submitted_at) if submitted else ()),
            *((*created.on(i.created_at), *created.holds(a.item_id)) if created else ()),
        )
    )


def rated(source: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """What counts as a rating for agreement: a given label of the label stage."""
    return [source.c.stage == "label", source.c.status != "skipped", source.c.label.is_not(None)]
