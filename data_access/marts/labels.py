"""Labels by week: against the truth, by rater, and against the other raters of the item."""

from __future__ import annotations

import sqlalchemy as sa

from data_access.dialect import week_of
from data_access.marts.expressions import constant, count_where, unlabelled
from data_access.marts.sources import rated


def confusion_gold(source: sa.FromClause) -> sa.Select:
    """Gold label against the label each rater gave."""
    c = source.c
    select = _confusion(source, "gold", c.gold_label, constant(1.0))
    return select.where(c.gold_label.is_not(None), c.status != "skipped", c.label.is_not(None))


def confusion_audits(source: sa.FromClause) -> sa.Select:
    """The auditor's label against the label each rater gave, with the audits' weights."""
    c = source.c
    return _confusion(source, "audit", c.correct_label, c.weight).where(c.label.is_not(None))


def _confusion(source: sa.FromClause, basis: str, truth: sa.ColumnElement, weight: sa.ColumnElement) -> sa.Select:
    """True label against label given, counted and weighted, at the grain of `confusion`."""
    c = source.c
    keys = (week_of(c.day).label("week"), c.project_id, c.rater_id, c.language, c.policy)
    return sa.select(
        *keys,
        sa.literal_column(f"'{basis}'").label("basis"),
        truth.label("truth"),
        c.label.label("label"),
        sa.func.count().label("n"),
        sa.func.sum(weight).label("weight"),
    ).group_by(*unlabelled(keys), truth, c.label)


def labels_given(source: sa.FromClause) -> sa.Select:
    """How often each rater gave each label in the label stage, by week of submission."""
    c = source.c
    week = week_of(c.day)
    return (
        sa.select(week.label("week"), c.project_id, c.rater_id, c.label, sa.func.count().label("n"))
        .where(*rated(source))
        .group_by(week, c.project_id, c.rater_id, c.label)
    )


def peers(source: sa.FromClause) -> sa.Select:
    """Each rater's labels against those of the other raters of the same items, by week of the items' creation.

    judged: ratings whose other ratings have one most frequent label (ties and items rated once are not judged).
    matched: those that give this label. paired: ratings of items with another rating. agreeing_share: sum over them of
    the share of the other ratings that agree, so that an item counts once for its rater however many others rated it.
    pairs, agreeing_pairs: the rating against each other rating. A rater's repeat on an item counts as another's
    rating, as in ``agreement``.

    Each rating leaves its own vote out. So the others' most frequent label follows from the item's counts alone: how
    high the highest count is, how many labels have it, and how many have one less.
    """
    c = source.c
    given = (
        sa.select(c.item_id, c.label, sa.func.count().label("n"))
        .where(*rated(source))
        .group_by(c.item_id, c.label)
        .subquery("given")
    )
    g = given.c
    highest = (
        sa.select(g.item_id, sa.func.sum(g.n).label("ratings"), sa.func.max(g.n).label("most"))
        .group_by(g.item_id)
        .having(sa.func.sum(g.n) > 1)
        .subquery("highest")
    )
    h = highest.c
    standing = (
        sa.select(
            h.item_id,
            h.ratings,
            h.most,
            count_where(g.n == h.most, "at_most"),
            count_where(g.n == h.most - 1, "one_less"),
        )
        .select_from(highest.join(given, g.item_id == h.item_id))
        .group_by(h.item_id, h.ratings, h.most)
        .subquery("standing")
    )
    s = standing.c
    matched = sa.and_(g.n == s.most, s.at_most == 1, s.one_less == 0)
    outvoted = sa.or_(sa.and_(g.n < s.most, s.at_most == 1), sa.and_(g.n == s.most, s.at_most == 2))
    verdict = (
        sa.select(
            g.item_id,
            g.label,
            sa.case((sa.or_(matched, outvoted), 1), else_=0).label("judged"),
            sa.case((matched, 1), else_=0).label("matched"),
            (s.ratings - 1).label("others"),
            (g.n - 1).label("agreeing"),
        )
        .select_from(given.join(standing, s.item_id == g.item_id))
        .subquery("verdict")
    )
    v = verdict.c
    week = week_of(c.created_day)
    keys = (week, c.project_id, c.rater_id, c.language)
    return (
        sa.select(
            week.label("week"),
            *keys[1:],
            sa.func.sum(v.judged).label("judged"),
            sa.func.sum(v.matched).label("matched"),
            sa.func.count().label("paired"),
            sa.func.sum(v.agreeing * constant(1.0) / v.others).label("agreeing_share"),
            sa.func.sum(v.others).label("pairs"),
            sa.func.sum(v.agreeing).label("agreeing_pairs"),
        )
        .select_from(source.join(verdict, sa.and_(v.item_id == c.item_id, v.label == c.label)))
        .where(*rated(source))
        .group_by(*keys)
    )
