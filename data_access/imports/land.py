"""Writing: rows are staged in a temporary table beside the real one, compared with it there, and inserted from it.

Nothing here commits; the caller holds the one transaction. Table and column names come from the contract alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from data_access import tables
from metrics.errors import ContractBroken

ROW = "row_no"
_CHUNK = 20_000
_ARROW_VIEW = "raterscope_arrow"
# The contract gives these tables no key; this is what tells two of their rows apart.
_NATURAL_KEYS = {
    "targets": ("metric", "project_id", "pool_id", "valid_from"),
    "model_metrics": ("model_version", "project_id", "language", "policy", "benchmark", "metric", "measured_at"),
}


def key_of(table: sa.Table) -> tuple[str, ...]:
    """The columns that tell two rows of a contract table apart."""
    return _NATURAL_KEYS.get(table.name) or tuple(c.name for c in table.primary_key)


class _AddColumn(sa.schema.ExecutableDDLElement):
    """Adds a column of the contract to its table."""

    def __init__(self, column: sa.Column) -> None:
        self.column = column


@compiles(_AddColumn)
def _(element, compiler, **_):
    table = compiler.preparer.format_table(element.column.table)
    return f"ALTER TABLE {table} ADD COLUMN {compiler.get_column_specification(element.column)}"


def prepare(connection: sa.Connection) -> None:
    """Create the contract's tables, and the columns a warehouse may lack, where absent.

    Raises ContractBroken when a table is there without a column it must have.
    """
    inspector = sa.inspect(connection)
    present = set(inspector.get_table_names())
    for table in tables.TABLES:
        if table.name not in present:
            table.create(connection, checkfirst=False)
        else:
            has = {column["name"] for column in inspector.get_columns(table.name)}
            if lacking := [c.name for c in table.c if c.name not in has and not c.info.get("may_lack")]:
                raise ContractBroken(
                    f"The warehouse's table {table.name} lacks {', '.join(lacking)}; see docs/contract.md."
                )
            for column in (c for c in table.c if c.info.get("may_lack") and c.name not in has):
                connection.execute(_AddColumn(column))


@contextmanager
def staged(
    connection: sa.Connection, columns: Sequence[sa.Column], frame: pd.DataFrame, rows: np.ndarray
) -> Iterator[sa.Table]:
    """A temporary table of ``frame`` (typed as ``columns``) with each row's position; gone after the block."""
    stage = _stage_table(tuple(columns))
    data = _arrow(columns, frame).add_column(0, ROW, pa.array(rows, pa.int64()))
    stage.create(connection, checkfirst=False)
    _fill(connection, stage, data)
    yield stage
    stage.drop(connection, checkfirst=False)  # after a failure the caller's rollback takes it away


@functools.cache  # the same object again lets SQLAlchemy reuse its compiled statements
def _stage_table(columns: tuple[sa.Column, ...]) -> sa.Table:
    return sa.Table(
        f"raterscope_stage_{columns[0].table.name}",
        sa.MetaData(),
        sa.Column(ROW, sa.BigInteger(), autoincrement=False),
        *[sa.Column(c.name, c.type, nullable=True, autoincrement=False) for c in columns],
        prefixes=["TEMPORARY"],
    )


_REJECTED = sa.Table("raterscope_rejected", sa.MetaData(), sa.Column(ROW, sa.BigInteger()), prefixes=["TEMPORARY"])


def _arrow(columns: Sequence[sa.Column], frame: pd.DataFrame) -> pa.Table:
    arrays = [pa.Array.from_pandas(frame[c.name], type=_arrow_type(c.type)) for c in columns]
    return pa.table(arrays, names=[c.name for c in columns])


def _arrow_type(kind: sa.types.TypeEngine) -> pa.DataType:
    pairs = (
        (sa.String, pa.large_string()),
        (sa.Boolean, pa.bool_()),
        (sa.Integer, pa.int32()),
        (sa.Double, pa.float64()),
        (sa.DateTime, pa.timestamp("us")),
        (sa.Date, pa.date32()),
    )
    return next(arrow for sort, arrow in pairs if isinstance(kind, sort))


def _fill(connection: sa.Connection, stage: sa.Table, data: pa.Table) -> None:
    """Put ``data`` into the stage: DuckDB scans the Arrow table itself, other engines get chunks of rows."""
    if connection.dialect.name == "duckdb":
        raw = connection.connection.driver_connection
        raw.register(_ARROW_VIEW, data)
        try:
            source = sa.table(_ARROW_VIEW, *[sa.column(c.name) for c in stage.c])
            connection.execute(sa.insert(stage).from_select([c.name for c in stage.c], sa.select(*source.c)))
        finally:
            raw.unregister(_ARROW_VIEW)
        return
    for batch in data.to_batches(max_chunksize=_CHUNK):
        connection.execute(sa.insert(stage), batch.to_pylist())


def _same(left: sa.ColumnElement, right: sa.Column) -> sa.ColumnElement[bool]:
    """Equality that also holds for two missing values; plain where none can be missing, so that keys are used."""
    return left.is_not_distinct_from(right) if right.nullable else left == right


def _on(stage: sa.Table, table: sa.Table, key: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(*[_same(stage.c[name], table.c[name]) for name in key])


def matched(connection: sa.Connection, stage: sa.Table, table: sa.Table, key: Sequence[str]) -> int:
    """How many staged rows have a row of the same key in ``table``."""
    query = sa.select(sa.func.count()).select_from(stage).where(sa.exists().where(_on(stage, table, key)))
    return int(connection.execute(query).scalar_one())


def found_keys(connection: sa.Connection, stage: sa.Table, table: sa.Table, key: Sequence[str]) -> list[int]:
    """The positions of the staged rows whose key is in ``table``."""
    return list(connection.scalars(sa.select(stage.c[ROW]).where(sa.exists().where(_on(stage, table, key)))))


def conflicts(
    connection: sa.Connection, stage: sa.Table, table: sa.Table, key: Sequence[str], *, stated_only: bool = False
) -> list[tuple[int, str]]:
    """(position, column) of staged rows whose key is in ``table`` with other content, one per differing column.

    With ``stated_only`` a missing staged value says nothing and so contradicts nothing.
    """
    differing: dict[str, sa.ColumnElement[bool]] = {}
    for name in (c.name for c in stage.c if c.name != ROW and c.name not in key):
        here, there = stage.c[name], table.c[name]
        differing[name] = (
            sa.and_(here.is_not(None), here.is_distinct_from(there)) if stated_only else ~_same(here, there)
        )
    if not differing:
        return []
    joined = sa.select(stage.c[ROW]).join(table, _on(stage, table, key))
    if connection.execute(joined.where(sa.or_(*differing.values())).limit(1)).first() is None:
        return []
    return [(row, name) for name, differs in differing.items() for row in connection.scalars(joined.where(differs))]


def judged_before(connection: sa.Connection, stage: sa.Table) -> list[int]:
    """Positions of staged annotations whose rater judged the item at that stage under another annotation id."""
    table = tables.annotations
    same = _on(stage, table, ("item_id", "rater_id", "stage"))
    query = sa.select(stage.c[ROW]).join(table, same).where(stage.c.annotation_id != table.c.annotation_id)
    return list(connection.scalars(query.distinct()))


def unknown(connection: sa.Connection, stage: sa.Table, column: sa.Column) -> list[tuple[int, str]]:
    """(position, value) of staged rows whose ``column`` refers to a row that is neither loaded nor staged."""
    target = tables.metadata.tables[column.info["refers_to"]]
    (key,) = target.primary_key
    held = stage.c[column.name]
    query = sa.select(stage.c[ROW], held).where(held.is_not(None), ~sa.exists().where(key == held))
    if target.name == column.table.name:
        inner = stage.alias()
        query = query.where(~sa.exists().where(inner.c[key.name] == held))
    return [(row, value) for row, value in connection.execute(query)]


def forget(connection: sa.Connection, stage: sa.Table, rows: Sequence[int]) -> None:
    """Remove rejected positions from the stage."""
    if not len(rows):
        return
    _REJECTED.create(connection, checkfirst=False)
    _fill(connection, _REJECTED, pa.table({ROW: pa.array(sorted(set(rows)), pa.int64())}))
    connection.execute(sa.delete(stage).where(stage.c[ROW].in_(sa.select(_REJECTED.c[ROW]))))
    _REJECTED.drop(connection, checkfirst=False)


def insert_new(connection: sa.Connection, stage: sa.Table, table: sa.Table, key: Sequence[str]) -> tuple[int, int]:
    """Insert the staged rows whose key ``table`` lacks. Returns (inserted, already there)."""
    total = int(connection.execute(sa.select(sa.func.count()).select_from(stage)).scalar_one())
    there = matched(connection, stage, table, key)
    if total > there:
        names = [c.name for c in stage.c if c.name != ROW]
        rows = sa.select(*[stage.c[name] for name in names]).where(~sa.exists().where(_on(stage, table, key)))
        connection.execute(sa.insert(table).from_select(names, rows.order_by(stage.c[ROW])))
    return total - there, there


def add_missing(connection: sa.Connection, table: sa.Table, frame: pd.DataFrame) -> int:
    """Insert the rows of ``frame`` (every column of ``table``) whose key is new; existing rows stay as they are."""
    if frame.empty:
        return 0
    with staged(connection, list(table.c), frame, np.arange(len(frame))) as stage:
        return insert_new(connection, stage, table, key_of(table))[0]
