"""The snapshot file that is being made and the warehouse behind it: statements are run, tables made and added up.

Two ways in, one set of statements. A DuckDB warehouse is attached read-only and what many statements read is staged
once in a temporary table; any other engine runs each statement itself and sends the grouped rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from data_access import marts
from data_access import tables as t
from data_access.marts import Mart
from data_access.snapshot import DIALECT
from data_access.warehouse import Warehouse

ATTACHED = "warehouse"
MEMORY = "5GB"
# Contract tables kept as they are, under the snapshot's name for them.
COPIES = {
    "project": t.projects,
    "label": t.labels,
    "pool": t.pools,
    "rater": t.raters,
    "guideline": t.guidelines,
    "budget": t.budgets,
    "change": t.changes,
    "target": t.targets,
    "batch": t.batches,
    "dataset_version": t.dataset_versions,
    "model_version": t.model_versions,
    "model_metric": t.model_metrics,
    "incident": t.incidents,
}
# Columns of the staged tables with few distinct values, and the contract table whose values they take.
NUMBERED = {
    "project_id": "annotations",
    "rater_id": "annotations",
    "stage": "annotations",
    "status": "annotations",
    "label": "annotations",
    "guideline_version": "annotations",
    "time_basis": "annotations",
    "language": "items",
    "policy": "items",
    "content_type": "items",
    "gold_label": "items",
    "batch_id": "batches",
}
MOST_NUMBERED = 60_000
DAY_KEYS = {"day", "week", "month", "created_day", "created_week", "due_day", "closed_day", "audited_day"}


def column_type(name: str, mart: Mart | None = None) -> str:
    """The DuckDB type of a mart's column."""
    if name in DAY_KEYS:
        return "DATE"
    if name in ("bucket", "in_time", "hours"):
        return "INTEGER"
    if name == "chance":
        return "BIGINT"
    if mart is not None and name in mart.keys:
        return "VARCHAR"
    return "DOUBLE" if mart is not None and name in mart.real else "BIGINT"


class Store:
    """One snapshot file that is being made, connected to the warehouse it is made from."""

    def __init__(
        self,
        path: Path,
        warehouse: Warehouse,
        zone: str,
        lacking: frozenset[str] = frozenset(),
        *,
        batched: bool = False,
    ) -> None:
        """``lacking``: columns, as "items.claimed_at", that the warehouse does without; ``batched``: it has batches."""
        self.zone = zone
        self.lacking = lacking
        self.warehouse = warehouse
        self.batched = batched
        self.connection = duckdb.connect(
            str(path),
            config={
                "threads": 2,
                "memory_limit": MEMORY,
                "temp_directory": f"{path}.tmp",
                "preserve_insertion_order": False,
            },
        )
        # This optimiser packs a join's columns and so keeps the join's bounds from reaching the scan below it.
        self.connection.execute("SET disabled_optimizers = 'compressed_materialization'")
        self.connection.execute("SET enable_progress_bar = false")
        self._source: sa.Connection | None = None
        self._types: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._connected = self.warehouse.connect()
        self._source = self._connected.__enter__()
        if self.warehouse.is_duckdb:
            file = str(self.warehouse.path.resolve()).replace("'", "''")
            self.connection.execute(f"ATTACH '{file}' AS {ATTACHED} (READ_ONLY)")
        return self

    def __exit__(self, *error) -> None:
        self.connection.close()
        self._connected.__exit__(*error)

    @property
    def has_claims(self) -> bool:
        """Whether the warehouse says when items were claimed."""
        return "items.claimed_at" not in self.lacking

    # ---- running a statement -----------------------------------------------------------------------------------

    def _attached_sql(self, select: sa.Select) -> tuple[str, list]:
        """The select against the attached warehouse."""
        compiled = select.compile(
            dialect=DIALECT,
            schema_translate_map={None: ATTACHED, "temp": "temp"},
            compile_kwargs={"render_postcompile": True},
        )
        sql = compiled.preparer._render_schema_translates(str(compiled), {None: ATTACHED, "temp": "temp"})
        return sql, [compiled.params[name] for name in compiled.positiontup or ()]

    def read(self, select: sa.Select) -> list[tuple]:
        """The rows of a small select on the warehouse."""
        if self.warehouse.is_duckdb:
            return self.connection.execute(*self._attached_sql(select)).fetchall()
        return [tuple(row) for row in self._source.execute(select)]

    def collect(self, select: sa.Select, into: str) -> int:
        """Adds the select's rows to a table of the snapshot, matched by column name; returns how many."""
        names = ", ".join(f'"{name}"' for name in _names(select))
        if self.warehouse.is_duckdb:
            sql, values = self._attached_sql(select)
            done = self.connection.execute(f'INSERT INTO "{into}" ({names}) {sql}', values).fetchone()
            return done[0] if done else 0
        schema = self._schema(into, _names(select))
        count = 0
        for batch in self.warehouse.batches(self._source, select, schema):
            self.connection.register("incoming", batch)
            self.connection.execute(f'INSERT INTO "{into}" ({names}) SELECT {names} FROM incoming')
            self.connection.unregister("incoming")
            count += batch.num_rows
        return count

    def _schema(self, table: str, names: Iterable[str]) -> pa.Schema:
        kinds = self.connection.execute(f'SELECT * FROM "{table}" LIMIT 0').to_arrow_table().schema
        return pa.schema([kinds.field(name) for name in names])

    # ---- tables ------------------------------------------------------------------------------------------------

    def create(self, mart: Mart, name: str, extra: Iterable[tuple[str, str]] = ()) -> None:
        """An empty temporary table of the mart's columns, for its parts."""
        columns = [f'"{key}" {column_type(key, mart)}' for key in mart.keys]
        columns += [f'"{key}" {kind}' for key, kind in extra]
        columns += [f'"{key}" {column_type(key, mart)} DEFAULT 0' for key in mart.sums]
        self.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({", ".join(columns)})')

    def finish(self, mart: Mart, extra: Iterable[str] = ()) -> None:
        """Adds up the parts of a mart and orders it by day, then project."""
        self.connection.execute(f'CREATE OR REPLACE TABLE "{mart.name}" AS {self._added_up(mart, extra)}')
        self.connection.execute(f'DROP TABLE "{mart.name}_part"')

    def replace(self, mart: Mart, extra: Iterable[str], old: str) -> None:
        """Puts the parts of a mart, added up, in place of its rows that fulfil the condition ``old``."""
        self.connection.execute(f'DELETE FROM "{mart.name}" WHERE {old}')
        names = ", ".join(f'"{name}"' for name in (*mart.keys, *extra, *mart.sums))
        self.connection.execute(f'INSERT INTO "{mart.name}" ({names}) {self._added_up(mart, extra)}')
        self.connection.execute(f'DROP TABLE "{mart.name}_part"')

    def _added_up(self, mart: Mart, extra: Iterable[str]) -> str:
        keys = [f'"{key}"' for key in (*mart.keys, *extra)]
        sums = [f'COALESCE(SUM("{s}"), 0)::{column_type(s, mart)} AS "{s}"' for s in mart.sums]
        return (
            f'SELECT {", ".join((*keys, *sums))} FROM "{mart.name}_part" '
            f"GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys[:3])}"
        )

    def copy(self, present: set[str]) -> None:
        """The contract tables that are kept as they are; an absent one is empty, a flag that is lacking is false."""
        for name, table in COPIES.items():
            kinds = ", ".join(f'"{c.name}" {_plain_type(c.type)}' for c in table.columns)
            self.connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({kinds})')
            if table.name in present:
                self.collect(sa.select(*(c for c in table.columns if str(c) not in self.lacking)), name)
            for column in table.columns:
                if column.info.get("may_lack"):
                    self.connection.execute(
                        f'UPDATE "{name}" SET "{column.name}" = FALSE WHERE "{column.name}" IS NULL'
                    )

    # ---- what many statements read -----------------------------------------------------------------------------

    def staged(self, name: str, select: sa.Select, staged: sa.FromClause) -> sa.FromClause:
        """The select as a source: its rows in the temporary table ``staged`` where the warehouse is attached."""
        if not self.warehouse.is_duckdb:
            return select.subquery(name)
        sql, values = self._attached_sql(select)
        columns = ", ".join(
            f"{column}::{self._types[column]} AS {column}" if column in self._types else column
            for column in _names(select)
        )
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM ({sql})", values)
        return staged

    def number_names(self) -> None:
        """Stages names as numbers from here on, for a full build: grouping by nine texts takes twice as long."""
        if not self.warehouse.is_duckdb:
            return
        for column, table in NUMBERED.items():
            if table == "batches" and not self.batched:
                continue
            named = f"SELECT DISTINCT {column} AS name FROM {ATTACHED}.{table} WHERE {column} IS NOT NULL"
            if column == "guideline_version":
                named += f" UNION SELECT '{marts.NOT_RECORDED}'"
            count = self.connection.execute(f"SELECT COUNT(*) FROM ({named})").fetchone()[0]
            if 0 < count <= MOST_NUMBERED:
                self.connection.execute(f"CREATE TEMP TYPE name_of_{column} AS ENUM ({named} ORDER BY ALL)")
                self._types[column] = f"name_of_{column}"


def _names(select: sa.Select) -> list[str]:
    """The names of a select's columns, in order."""
    return [column.key for column in select.selected_columns]


def _plain_type(kind: sa.types.TypeEngine) -> str:
    """The DuckDB type of a contract column."""
    if isinstance(kind, sa.Date):
        return "DATE"
    if isinstance(kind, sa.DateTime):
        return "TIMESTAMP"
    if isinstance(kind, sa.Boolean):
        return "BOOLEAN"
    if isinstance(kind, sa.Integer):
        return "INTEGER"
    return "DOUBLE" if isinstance(kind, sa.Double) else "VARCHAR"
