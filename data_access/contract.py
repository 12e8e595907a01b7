"""Compares a warehouse with the contract and says in plain sentences what is missing or wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from data_access import tables as t
from data_access.warehouse import Warehouse
from metrics.catalogue import METRICS

BROKEN, WARNING, NOTE = "broken", "warning", "note"
SEVERITIES = (BROKEN, WARNING, NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing about the warehouse: how grave, where, in one sentence, and the metrics it touches."""

    severity: str
    table: str
    column: str
    message: str
    affects: str = ""


def affected(table: str) -> str:
    """The labels of the metrics that read a table."""
    return ", ".join(m.label for m in METRICS.values() if table in m.needs)


def check_structure(present: dict[str, dict[str, sa.types.TypeEngine]]) -> list[Finding]:
    """What is missing or of another type."""
    findings = []
    for table in t.TABLES:
        columns = present.get(table.name)
        if columns is None:
            if table.info["optional"]:
                message = f'There is no table "{table.name}"; load it to see {_what(table)}.'
                findings.append(Finding(NOTE, table.name, "", message, affected(table.name)))
            else:
                message = f'The required table "{table.name}" is missing; docs/contract.md gives its columns.'
                findings.append(Finding(BROKEN, table.name, "", message, affected(table.name)))
            continue
        for column in table.columns:
            if column.name not in columns:
                findings.append(_lacking(table, column))
                continue
            problem = _type_problem(column, columns[column.name])
            if problem:
                message = f'The column "{table.name}.{column.name}" {problem}.'
                findings.append(Finding(WARNING, table.name, column.name, message, affected(table.name)))
    return findings


def _lacking(table: sa.Table, column: sa.Column) -> Finding:
    said = f'the column "{column.name}" ({column.comment.rstrip(".")})'
    if column.info.get("may_lack"):
        without = fed_by(column)
        message = f'The table "{table.name}" has not {said}{f"; add it to see {without}" if without else ""}.'
        return Finding(NOTE, table.name, column.name, message, without)
    return Finding(BROKEN, table.name, column.name, f'The table "{table.name}" lacks {said}.', affected(table.name))


def fed_by(column: sa.Column) -> str:
    """The labels of the metrics that need a column which a warehouse may lack."""
    return ", ".join(m.label for m in METRICS.values() if m.column == str(column))


def lacking(present: dict[str, dict]) -> frozenset[str]:
    """The columns, as "items.claimed_at", that a warehouse may lack and this one does."""
    return frozenset(str(c) for c in t.MAY_LACK if c.name not in present.get(c.table.name, {}))


def _what(table: sa.Table) -> str:
    return affected(table.name) or table.comment[0].lower() + table.comment[1:].rstrip(".")


def _type_problem(column: sa.Column, found: sa.types.TypeEngine) -> str:
    if isinstance(found, sa.types.NullType):
        return ""
    if isinstance(column.type, sa.DateTime):
        if getattr(found, "timezone", False):
            return "carries a time zone where the contract has UTC without one; cast it to UTC in a view"
        if not isinstance(found, (sa.DateTime, sa.TIMESTAMP)):
            return f"is {found} where the contract has a timestamp"
    elif isinstance(column.type, sa.Date):
        if not isinstance(found, sa.Date):
            return f"is {found} where the contract has a date"
    elif isinstance(column.type, (sa.Double, sa.Integer)):
        if not isinstance(found, (sa.Numeric, sa.Integer, sa.Float)) and not str(found).upper().startswith("HUGEINT"):
            return f"is {found} where the contract has a number"
    elif isinstance(column.type, sa.String) and not isinstance(found, sa.String):
        return f"is {found} where the contract has text"
    return ""


def usable(findings: list[Finding], present: dict) -> set[str]:
    """The contract tables that are there with all their columns."""
    broken = {f.table for f in findings if f.severity == BROKEN}
    return {table.name for table in t.TABLES if table.name in present and table.name not in broken}


def check_contents(warehouse: Warehouse, tables: set[str], now: dt.datetime | None = None) -> list[Finding]:
    """What is wrong with keys, references, label sets, enumerations and times; reads the whole warehouse."""
    now = now or dt.datetime.now(dt.UTC).replace(tzinfo=None)
    findings: list[Finding] = []
    with warehouse.connect() as connection:
        for table in t.TABLES:
            if table.name not in tables:
                continue
            findings += _duplicates(connection, table)
            for column in table.columns:
                findings += _enumeration(connection, table, column)
                findings += _orphans(connection, table, column, tables)
                findings += _empty(connection, table, column)
        findings += _judgement_key(connection)
        findings += _undeclared_labels(connection)
        findings += _times(connection, tables, now)
    return findings


def _count(connection: sa.Connection, select: sa.Select) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(select.subquery())).scalar() or 0


def _duplicates(connection: sa.Connection, table: sa.Table) -> list[Finding]:
    keys = list(table.primary_key.columns)
    if not keys:
        return []
    n = _count(connection, sa.select(*keys).group_by(*keys).having(sa.func.count() > 1))
    if not n:
        return []
    names = ", ".join(k.name for k in keys)
    message = f'{n:,} keys of "{table.name}" ({names}) stand more than once; each must stand once.'
    return [Finding(BROKEN, table.name, names, message, affected(table.name))]


def _judgement_key(connection: sa.Connection) -> list[Finding]:
    a = t.annotations.c
    n = _count(
        connection,
        sa.select(a.item_id, a.rater_id, a.stage)
        .where(a.status != "skipped")
        .group_by(a.item_id, a.rater_id, a.stage)
        .having(sa.func.count() > 1),
    )
    if not n:
        return []
    message = (
        f"{n:,} times a rater judged an item more than once in one stage; the contract has one judgement per item, "
        "rater and stage, and a repeat counts as another rating in agreement."
    )
    return [Finding(WARNING, "annotations", "item_id, rater_id, stage", message, affected("annotations"))]


def _enumeration(connection: sa.Connection, table: sa.Table, column: sa.Column) -> list[Finding]:
    allowed = column.info.get("one_of")
    if not allowed:
        return []
    found = [
        str(row[0])[:40]
        for row in connection.execute(
            sa.select(column).where(column.is_not(None), column.not_in(allowed)).distinct().limit(4)
        )
    ]
    if not found:
        return []
    shown = ", ".join(f'"{value}"' for value in found[:3]) + (" ..." if len(found) > 3 else "")
    message = f'"{table.name}.{column.name}" holds {shown}; allowed are {", ".join(allowed)}.'
    return [Finding(WARNING, table.name, column.name, message, affected(table.name))]


def _orphans(connection: sa.Connection, table: sa.Table, column: sa.Column, tables: set[str]) -> list[Finding]:
    target = column.info.get("refers_to")
    if not target or target not in tables:
        return []
    other = t.metadata.tables[target]
    key = next(iter(other.primary_key.columns))
    alias = other.alias("referred")
    n = _count(
        connection,
        sa.select(column)
        .select_from(table.outerjoin(alias, alias.c[key.name] == column))
        .where(column.is_not(None), alias.c[key.name].is_(None)),
    )
    if not n:
        return []
    message = f'{n:,} rows of "{table.name}" name a {column.name} that is not in "{target}"; they are left out.'
    return [Finding(WARNING, table.name, column.name, message, affected(table.name))]


def _empty(connection: sa.Connection, table: sa.Table, column: sa.Column) -> list[Finding]:
    if column.nullable:
        return []
    n = connection.execute(sa.select(sa.func.count()).select_from(table).where(column.is_(None))).scalar()
    if not n:
        return []
    message = f'{n:,} rows of "{table.name}" have no {column.name}, which is required.'
    return [Finding(WARNING, table.name, column.name, message, affected(table.name))]


def _undeclared_labels(connection: sa.Connection) -> list[Finding]:
    a, p, label = t.annotations.c, t.projects.c, t.labels.c
    undeclared = (
        sa.select(a.project_id, a.label, sa.func.count().label("n"))
        .select_from(
            t.annotations.join(t.projects, p.project_id == a.project_id).outerjoin(
                t.labels, sa.and_(label.project_id == a.project_id, label.label == a.label)
            )
        )
        .where(a.label.is_not(None), label.label.is_(None), p.label_level != "set")
        .group_by(a.project_id, a.label)
        .order_by(sa.func.count().desc())
        .limit(5)
    )
    return [
        Finding(
            WARNING,
            "annotations",
            "label",
            f'Project {project} has {n:,} annotations with the label "{str(name)[:40]}", which its label set does '
            'not declare; add it to "labels" or mend them. Agreement leaves them out.',
            affected("labels"),
        )
        for project, name, n in connection.execute(undeclared)
    ]


def _times(connection: sa.Connection, tables: set[str], now: dt.datetime) -> list[Finding]:
    findings = []
    latest = now + dt.timedelta(days=1)
    for table in t.TABLES:
        name = table.info["time"]
        if table.name not in tables or not name or not isinstance(table.c[name].type, sa.DateTime):
            continue
        column = table.c[name]
        n = connection.execute(sa.select(sa.func.count()).select_from(table).where(column > latest)).scalar()
        if n:
            message = f'{n:,} rows of "{table.name}" have a {name} in the future; times are UTC: check their zone.'
            findings.append(Finding(WARNING, table.name, name, message, affected(table.name)))
    a, i = t.annotations.c, t.items.c
    early = connection.execute(
        sa.select(sa.func.count())
        .select_from(t.annotations.join(t.items, i.item_id == a.item_id))
        .where(a.submitted_at < i.created_at)
    ).scalar()
    if early:
        message = f"{early:,} annotations were submitted before their item was created; check the zones of both."
        findings.append(Finding(WARNING, "annotations", "submitted_at", message, affected("annotations")))
    negative = connection.execute(
        sa.select(sa.func.count()).select_from(t.annotations).where(a.handle_seconds < 0)
    ).scalar()
    if negative:
        message = f"{negative:,} annotations have a negative handle time; they are left out of handle times."
        findings.append(Finding(WARNING, "annotations", "handle_seconds", message, affected("annotations")))
    return findings


def to_frame(findings: list[Finding]) -> pd.DataFrame:
    """Findings as a table, the gravest first."""
    rows = sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.table, f.column))
    return pd.DataFrame(
        [(f.severity, f.table, f.column, f.message, f.affects) for f in rows],
        columns=["severity", "table_name", "column_name", "message", "affects"],
    )
