"""The DuckDB file: every contract table created, chunks of rows inserted, swapped in only when complete."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from data_access.tables import TABLES
from metrics.errors import RaterscopeError
from sample_data import world

BATCH_ROWS = 122_880  # DuckDB's row group: one batch is one unit of parallel work
MEMORY_LIMIT = "3GB"
STORAGE_VERSION = "v1.5.0"  # its string compression writes a third faster than the default version's
ID_DIGITS = 9

_TYPES = {
    sa.DateTime: "TIMESTAMP",
    sa.Date: "DATE",
    sa.Boolean: "BOOLEAN",
    sa.Integer: "INTEGER",
    sa.Double: "DOUBLE",
    sa.String: "VARCHAR",
}


def coded(codes: np.ndarray, values: list[str | None] | tuple[str, ...] | np.ndarray) -> pa.DictionaryArray:
    """A column of strings given as codes; a negative code is an empty value."""
    values = list(values)
    if len(codes) and codes.min() < 0:
        codes = np.where(codes < 0, len(values), codes)
        values.append(None)
    kind = np.int8 if len(values) < 127 else np.int16 if len(values) < 32_000 else np.int32
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(kind)), pa.array(values, pa.string()))


def times(seconds: np.ndarray, start: np.datetime64) -> pa.Array:
    """A column of timestamps from seconds since ``start``; a negative count is an empty value."""
    stamps = start.astype("datetime64[us]") + seconds.astype("timedelta64[s]")
    missing = seconds < 0
    return pa.array(stamps, mask=missing if missing.any() else None)


class Warehouse:
    """An open DuckDB file under construction."""

    def __init__(self, path: Path) -> None:
        self.connection = duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})
        self.connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        self.connection.execute(f"SET temp_directory = '{path}.tmp'")
        self.connection.execute("SET checkpoint_threshold = '1TB'")  # one checkpoint at the end, not one per chunk
        self.rows: dict[str, int] = {table.name: 0 for table in TABLES}
        for table in TABLES:
            self.connection.execute(f"CREATE TABLE {table.name} ({', '.join(_column(c) for c in table.columns)})")

    def insert(self, table: str, columns: dict[str, Any], expressions: dict[str, str] | None = None) -> None:
        """Append rows: a column named in ``expressions`` is that SQL over the given columns, the others as given."""
        data = pa.table(columns)
        if data.num_rows == 0:
            return
        chunk = pa.Table.from_batches(data.to_batches(max_chunksize=BATCH_ROWS))
        names = [column.name for column in next(t for t in TABLES if t.name == table).columns]
        select = ", ".join((expressions or {}).get(name, f'"{name}"') for name in names)
        self.connection.register("chunk", chunk)
        self.connection.execute(f"INSERT INTO {table} SELECT {select} FROM chunk")
        self.connection.unregister("chunk")
        self.rows[table] += data.num_rows

    def insert_frame(self, table: str, frame: pd.DataFrame) -> None:
        """Append a small table; absent optional columns stay empty."""
        self.connection.register("small", frame)
        names = ", ".join(f'"{name}"' for name in frame.columns)
        self.connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM small")
        self.connection.unregister("small")
        self.rows[table] += len(frame)


def _column(column: sa.Column) -> str:
    """The column's definition; no keys and no indexes, which would cost memory on 100 million rows."""
    kind = next(sql for base, sql in _TYPES.items() if isinstance(column.type, base))
    return f'"{column.name}" {kind}{"" if column.nullable else " NOT NULL"}'


def padded(prefix: str, number: str) -> str:
    """SQL for an id: a letter and the zero-padded number."""
    return f"'{prefix}' || right(({10**ID_DIGITS} + {number})::VARCHAR, {ID_DIGITS})"


@contextmanager
def building(out: Path) -> Iterator[Warehouse]:
    """A warehouse in a temporary file beside ``out``; renamed over it at the end, removed after any failure."""
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    leftovers = [draft, Path(f"{draft}.wal")]
    warehouse = None
    try:
        for path in leftovers:
            path.unlink(missing_ok=True)
        warehouse = Warehouse(draft)
        yield warehouse
        warehouse.connection.execute("CHECKPOINT")
        warehouse.connection.close()
        draft.replace(out)
    except (duckdb.Error, OSError) as error:
        raise RaterscopeError(f"The sample could not be written to {out}: {error}") from error
    finally:
        if warehouse is not None:
            warehouse.connection.close()
        for path in leftovers:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        with suppress(OSError):
            Path(f"{draft}.tmp").rmdir()


def write_truth(out: Path, truth: dict[str, Any]) -> None:
    """Write the truth document beside the sample, whole or not at all."""
    target = truth_path(out)
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def truth_path(out: Path) -> Path:
    """Where the truth of a sample lies."""
    return Path(f"{out}.truth.json")


def start_of(days: int) -> np.datetime64:
    """Midnight of the first day."""
    return np.datetime64(world.LAST_DAY) - np.timedelta64(days - 1, "D")
