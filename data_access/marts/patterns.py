"""Agreement: items counted by the code of their labels, and a sample of single ratings."""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import month_of, week_of
from data_access.marts import grain
from data_access.marts.expressions import UNRECORDED
from data_access.marts.sources import rated
from metrics.patterns import Encoding


def guideline_periods() -> sa.Subquery:
    """Each guideline version with the moments from and until which it is in force."""
    g, later = t.guidelines.alias("g"), t.guidelines.alias("later")
    until = (
        sa.select(sa.func.min(later.c.effective_from))
        .where(later.c.project_id == g.c.project_id, later.c.effective_from > g.c.effective_from)
        .scalar_subquery()
    )
    return sa.select(g.c.project_id, g.c.version, g.c.effective_from, until.label("effective_to")).subquery("in_force")


def label_digits(encodings: dict[str, Encoding], sets: dict[str, tuple[str, ...]], words: int) -> sa.Subquery:
    """(project_id, label, digit_0, digit_1 ...): what one rating with this label adds to its item's code.

    Label positions come from the contract's `labels`; projects in ``sets`` (label sets) take one position per distinct
    set instead, given here.
    """
    label = t.labels.c
    wide: dict[Encoding, list[str]] = {}
    for project, encoding in encodings.items():
        if project not in sets:
            wide.setdefault(encoding, []).append(project)

    def digit(word: int) -> sa.ColumnElement:
        branches = []
        for encoding, projects in wide.items():
            ours = [
                (label.position == p, sa.literal(encoding.weight(p), sa.BigInteger))
                for p in range(encoding.labels)
                if encoding.word(p) == word
            ]
            if ours:
                branches.append((label.project_id.in_(sorted(projects)), sa.case(*ours, else_=0)))
        zero = sa.literal(0, sa.BigInteger)
        return sa.cast(sa.case(*branches, else_=zero) if branches else zero, sa.BigInteger).label(f"digit_{word}")

    plain = sa.select(label.project_id, label.label, *(digit(w) for w in range(words))).where(
        label.project_id.in_(sorted(p for projects in wide.values() for p in projects))
    )
    literal_rows = [
        sa.select(
            sa.cast(sa.literal(project), sa.String(64)).label("project_id"),
            sa.cast(sa.literal(member), sa.String).label("label"),
            *(
                sa.cast(
                    sa.literal(encodings[project].weight(p) if encodings[project].word(p) == w else 0, sa.BigInteger),
                    sa.BigInteger,
                ).label(f"digit_{w}")
                for w in range(words)
            ),
        )
        for project, members in sets.items()
        for p, member in enumerate(members)
    ]
    return (sa.union_all(plain, *literal_rows) if literal_rows else plain).subquery("digits")


def _codes(digits: sa.Subquery, words: int, prefix: str = "code") -> list[sa.ColumnElement]:
    return [sa.cast(sa.func.sum(digits.c[f"digit_{w}"]), sa.BigInteger).label(f"{prefix}_{w}") for w in range(words)]


def coded_items(source: sa.FromClause, digits: sa.Subquery, words: int, facts: tuple[str, ...]) -> sa.Select:
    """One row per rated item: its id, these columns of the source, how many ratings it has and their code."""
    c = source.c
    columns = [c[name] for name in facts]
    return (
        sa.select(c.item_id, *columns, sa.func.count().label("ratings"), *_codes(digits, words))
        .select_from(source.join(digits, sa.and_(digits.c.project_id == c.project_id, digits.c.label == c.label)))
        .where(*rated(source))
        .group_by(c.item_id, *columns)
    )


def agreement(source: sa.FromClause, digits: sa.Subquery, words: int) -> sa.Select:
    """Items counted by their label-count code, with the guideline in force when the item was created."""
    facts = ("created_at", "created_day", "project_id", "language", "policy")
    per_item = coded_items(source, digits, words, facts).subquery("per_item")
    p, g = per_item.c, guideline_periods()
    week = week_of(p.created_day)
    version = sa.func.coalesce(g.c.version, UNRECORDED)
    codes = [p[f"code_{w}"] for w in range(words)]
    return (
        sa.select(
            week.label("week"),
            p.project_id,
            p.language,
            p.policy,
            version.label("guideline_version"),
            *codes,
            p.ratings,
            sa.func.count().label("items"),
        )
        .select_from(
            per_item.outerjoin(
                g,
                sa.and_(
                    g.c.project_id == p.project_id,
                    p.created_at >= g.c.effective_from,
                    sa.or_(g.c.effective_to.is_(None), p.created_at < g.c.effective_to),
                ),
            )
        )
        .group_by(week, p.project_id, p.language, p.policy, version, *codes, p.ratings)
    )


def overlap_sample(source: sa.FromClause, digits: sa.Subquery) -> sa.Select:
    """Single ratings of the first ``SAMPLED_ITEMS`` items with two raters of each project and month.

    First by a checksum of the id: as good as chance, and the same whenever it is asked (where an engine has no hash,
    by the id itself). The window's first are enough: the first of a month are among the first of each part of it.
    """
    c = source.c
    joined = source.join(digits, sa.and_(digits.c.project_id == c.project_id, digits.c.label == c.label))
    overlapped = (
        sa.select(c.item_id, c.chance, c.project_id, c.created_day)
        .select_from(joined)
        .where(*rated(source))
        .group_by(c.item_id, c.chance, c.project_id, c.created_day)
        .having(sa.func.count(sa.distinct(c.rater_id)) > 1)
        .subquery("overlapped")
    )
    o = overlapped.c
    place = sa.func.row_number().over(
        partition_by=(o.project_id, month_of(o.created_day)), order_by=(o.chance, o.item_id)
    )
    placed = sa.select(o.item_id, place.label("place")).subquery("placed")
    keys = (c.created_day, c.project_id, c.language, c.policy, c.item_id, c.chance, c.rater_id, c.label)
    return (
        sa.select(c.created_day.label("day"), *keys[1:], sa.func.count().label("ratings"))
        .select_from(joined.join(placed, placed.c.item_id == c.item_id))
        .where(placed.c.place <= grain.SAMPLED_ITEMS, *rated(source))
        .group_by(*keys)
    )
