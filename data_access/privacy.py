"""Which groups are too small for a reader to see, and who may ask about single raters.

A scope's minimum counts the raters who stand behind a number: those with a denominator, not those who merely worked.
Marts that keep no rater take their count from `work`, under the same groups, period and filters.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import numpy as np
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import selects
from data_access.dimensions import expression
from data_access.filters import Filters, Scope, dimension
from data_access.snapshot import Snapshot
from metrics.errors import NotAllowed

PEOPLE = frozenset({"rater", "lead", "rater_id"})  # the last is what marts call the first
TOO_SMALL = "too small a group to show"
NO_RATERS = frozenset({"flow", "backlog", "turnaround", "promise", "claim_time", "appeal_time", "overlap"})
"""Marts of items: no rater's work can be read off them."""

FAMILIES = {"gold_": "gold_n", "audited_": "audited_n", "handle_": "handle_n"}
"""Columns of `work` that only some raters have, by how they start, and the column that says who has them."""


def check_people(names: Iterable[str], scope: Scope) -> None:
    """Raises NotAllowed when single raters or their leads are asked for and the scope does not show them."""
    if PEOPLE & set(names) and not scope.sees_raters:
        raise NotAllowed("Single raters are shown only to those who manage them; ask for access to their pool.")


def denominators(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of `work` that say who stands behind sums of these columns."""
    found = [
        FAMILIES.get(next((start for start in FAMILIES if c.startswith(start)), ""), "judgements") for c in columns
    ]
    return tuple(dict.fromkeys(found)) or ("judgements",)


def raters_behind(
    snapshot: Snapshot,
    by: Sequence[str],
    filters: Filters,
    scope: Scope,
    column: str = "judgements",
    mart: str = "work",
) -> dict[tuple, int]:
    """How many raters have something in ``column`` of a mart kept by rater, by group: keys in the order of ``by``."""
    names = tuple(dimension(name) for name in by)
    question, values = selects.ask(mart, (names,), (filters,), scope)
    rows = snapshot.columns(_behind(question, column), values)
    keys = [rows[name].tolist() for name in names]
    counted = rows["raters"].astype(int).tolist()
    return dict(zip(zip(*keys, strict=True) if keys else [()], counted, strict=True))


@functools.lru_cache(maxsize=500)
def _behind(question: selects.Question, column: str) -> sa.Select:
    source = dim.SOURCES[question.source]
    columns = source.table.c
    keys = [expression(source, name).label(name) for name in question.dimensions]
    some = sa.case((columns[column] > 0, columns.rater_id))
    counted = sa.cast(sa.func.count(sa.distinct(some)), sa.BigInteger).label("raters")
    return selects.narrowed(question).with_only_columns(*keys, counted).group_by(*(key.element for key in keys))


def too_few(raters: np.ndarray, scope: Scope) -> np.ndarray:
    """Where some raters stand behind a number, but fewer than the scope's minimum; where none do there is no number."""
    counted = np.nan_to_num(np.asarray(raters, float))
    return (counted > 0) & (counted < scope.minimum_raters)
