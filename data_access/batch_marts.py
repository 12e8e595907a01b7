"""What each batch was made of: the marts that lead from labels to the models trained on them.

Quality as of a batch's close: only judgements submitted by then count, of an open batch all so far. Gold and audits of
those judgements count whenever they were made, since they say what the labels in the dataset were worth; a judgement's
status is the one it has now. ``marts.judged`` leaves a judgement's batch empty when it came too late.
Weeks are those of the items' creation, so that a refresh replaces whole weeks, as with agreement.
"""

from __future__ import annotations

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, week_of
from data_access.marts import Mart, coded_items, work_audits, work_gold, work_judgements
from data_access.windows import Window

BATCH_WORK = Mart(
    "batch_work",
    # Raters are kept, so that who stands behind a pool's numbers can be counted and small pools withheld.
    keys=(
        "week",
        "batch_id",
        "project_id",
        "rater_id",
        "language",
        "policy",
        "guideline_version",
        "time_basis",
    ),
    sums=(
        "judgements",
        "labels",
        "accepted",
        "rejected",
        "decided",
        "rework",
        "first_accepted",
        "first_decided",
        "gold_n",
        "gold_correct",
        "gold_harmless_n",
        "gold_overreached",
        "gold_violating_n",
        "gold_missed",
        "audited_n",
        "audited_passed",
        "audited_critical",
        "audited_weight",
        "audited_weight_squared",
        "audited_weight_passed",
        "audited_weight_critical",
        "handle_n",
        "handle_sum_log",
    ),
    period="week",
    real=frozenset(
        {
            "audited_weight",
            "audited_weight_squared",
            "audited_weight_passed",
            "audited_weight_critical",
            "handle_sum_log",
        }
    ),
)
BATCH_PATTERNS = Mart(
    "batch_patterns",
    keys=("week", "batch_id", "project_id", "language", "policy"),  # and code_0, code_1 ... and ratings
    sums=("items",),
    period="week",
)
BATCH_ITEMS = Mart(
    "batch_items",
    keys=("week", "batch_id", "project_id", "language", "policy"),
    sums=("items",),
    period="week",
)
ALL = (BATCH_WORK, BATCH_PATTERNS, BATCH_ITEMS)


def batch_judgements(source: sa.FromClause) -> sa.Select:
    """Counts and handle times of the judgements in a batch."""
    return work_judgements(source, BATCH_WORK)


def batch_gold(source: sa.FromClause) -> sa.Select:
    """The batches' judgements on gold items against the gold label."""
    return work_gold(source, BATCH_WORK)


def batch_audits(source: sa.FromClause) -> sa.Select:
    """Audits of the batches' judgements, whenever they were made."""
    return work_audits(source, BATCH_WORK)


def batch_patterns(source: sa.FromClause, digits: sa.Subquery, words: int) -> sa.Select:
    """The batches' rated items by label-count code, over the ratings that came by the close."""
    facts = ("created_day", "project_id", "language", "policy", "batch_id")
    per_item = coded_items(source, digits, words, facts).where(source.c.batch_id.is_not(None)).subquery("per_item")
    p, week = per_item.c, week_of(per_item.c.created_day)
    keys = (p.batch_id, p.project_id, p.language, p.policy, *(p[f"code_{w}"] for w in range(words)), p.ratings)
    return sa.select(week.label("week"), *keys, sa.func.count().label("items")).group_by(week, *keys)


def batch_items(zone: str, created: Window) -> sa.Select:
    """All items of each batch, judged or not: the weight that a batch has in a dataset."""
    i = t.items.c
    week = week_of(business_day(i.created_at, zone))
    keys = (i.batch_id, i.project_id, i.language, i.policy)
    return (
        sa.select(week.label("week"), *keys, sa.func.count().label("items"))
        .select_from(t.items.join(t.batches, t.batches.c.batch_id == i.batch_id))
        .where(*created.on(i.created_at))
        .group_by(week, *keys)
    )


def created_days(zone: str, batches: list[str]) -> sa.Select:
    """The days on which items of these batches were created."""
    i = t.items.c
    return sa.select(business_day(i.created_at, zone).label("created_day")).where(i.batch_id.in_(batches)).distinct()
