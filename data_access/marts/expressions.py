"""The sums, buckets and constants that mart statements are written with."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from metrics.quantiles import BUCKET_NUDGE, BUCKETS_PER_LOG, LONGEST_SECONDS, SHORTEST_SECONDS

NOT_RECORDED = "not recorded"  # the guideline version of work that names none
UNRECORDED = sa.literal_column(f"'{NOT_RECORDED}'", sa.String)


def count_where(condition: sa.ColumnElement[bool], name: str) -> sa.ColumnElement:
    """In how many rows the condition holds, under a name."""
    return sa.func.sum(sa.case((condition, 1), else_=0)).label(name)


def sum_of(value: sa.ColumnElement, name: str, condition: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement:
    """The sum of a number over all rows or those where a condition holds, under a name."""
    return sa.func.sum(value if condition is None else sa.case((condition, value), else_=0.0)).label(name)


def log_bucket(seconds: sa.ColumnElement) -> sa.ColumnElement:
    """The log bucket of a duration, as metrics.quantiles.bucket_of finds it."""
    shortest, longest = constant(SHORTEST_SECONDS), constant(LONGEST_SECONDS)
    clipped = sa.case((seconds < shortest, shortest), (seconds > longest, longest), else_=seconds)
    scaled = sa.func.ln(clipped) * constant(BUCKETS_PER_LOG) + constant(BUCKET_NUDGE)
    return sa.cast(sa.func.floor(scaled), sa.Integer)


def constant(value: float) -> sa.ColumnElement:
    """A constant written into the statement: engines do not see that two bound ones in GROUP BY are the same."""
    return sa.literal_column(f"{value:.17e}", sa.Double)  # the exponent makes it a double on every engine


def unlabelled(keys: Iterable[sa.ColumnElement]) -> list[sa.ColumnElement]:
    """What a statement with these keys is grouped by: the expressions without the names they are selected under."""
    return [key.element if isinstance(key, sa.Label) else key for key in keys]
