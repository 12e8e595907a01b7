"""What filters can be set to, and the dated changes of a reader's scope."""

from __future__ import annotations

import functools

import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import privacy, selects
from data_access.dimensions import expression
from data_access.filters import Filters, Scope, dimension
from data_access.selects import Question
from data_access.snapshot import Snapshot
from metrics.errors import UnknownName


def members(snapshot: Snapshot, name: str, scope: Scope) -> pd.DataFrame:
    """The values a dimension takes within the scope: ``value`` and ``label``, the most frequent first.

    Single raters and their leads are listed only for a scope that shows them.
    """
    name = dimension(name)
    if name in privacy.PEOPLE and not scope.sees_raters:
        return pd.DataFrame({"value": [], "label": []}, dtype=str)
    question, values = selects.ask("work", ((name,),), (Filters(),), scope)
    found = snapshot.columns(_members(question), values)["value"].astype(str)
    names = snapshot.names.get(name, {})
    return pd.DataFrame({"value": found, "label": [names.get(v, v) for v in found]}, dtype=str)


@functools.lru_cache(maxsize=500)
def _members(question: Question) -> sa.Select:
    source = dim.SOURCES[question.source]
    column = expression(source, question.dimensions[0])
    served = sa.func.sum(source.table.c.served)
    return (
        selects.narrowed(question)
        .with_only_columns(column.label("value"))
        .where(column.is_not(None))
        .group_by(column)
        .order_by(served.desc(), column)
    )


def check_values(snapshot: Snapshot, filters: Filters, scope: Scope) -> None:
    """Raises UnknownName for a filter value that no row has, naming the nearest."""
    for name, values in filters.where:
        known = members(snapshot, name, scope)["value"].tolist()
        for value in values:
            if value not in known:
                raise UnknownName(dim.DIMENSIONS[name], value, known)


def changes(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The dated changes of the scope's projects and pools, and those of the whole organisation."""
    rows = snapshot.table("change")
    for column, allowed in (("project_id", scope.projects), ("pool_id", scope.pools)):
        if allowed is not None:
            rows = rows[rows[column].isna() | rows[column].isin(allowed)]
    return rows.reset_index(drop=True)
