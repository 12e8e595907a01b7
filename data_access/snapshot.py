"""The snapshot: one DuckDB file of additive sums that every page is served from.

This file opens and reads one; refresh.py makes one. A snapshot is never changed in place: a refresh writes a new file
beside it and renames it over, and readers of the old one finish on it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from data_access.tables import CONTRACT_VERSION
from metrics.errors import SnapshotUnusable
from metrics.patterns import Encoding
from metrics.shapes import LabelSet
from metrics.targets import Targets

FORMAT_VERSION = 8  # of the snapshot's own tables
MAGIC = "raterscope snapshot"
REMEDY = "Make it anew with `python manage.py refresh --full`."
# A page's frames are small, and a cell of an Arrow column costs more to read and write than one of Python's strings.
pd.options.mode.string_storage = "python"
DIALECT = Dialect()
DIALECT.paramstyle = "qmark"
DIALECT.positional = True


@dataclass(frozen=True)
class Meta:
    """What a snapshot says about itself."""

    snapshot_id: str
    built_at: dt.datetime  # UTC
    contract_version: int
    format_version: int
    timezone: str
    currency: str
    warehouse: str
    first_day: dt.date | None
    last_day: dt.date | None
    provisional_days: int
    peers_sample: int = 1  # raters are compared with the others of one item in this many
    lacking: frozenset[str] = frozenset()  # columns, as "items.claimed_at", that the warehouse does without

    @property
    def provisional_from(self) -> dt.date | None:
        """The first day whose audits are still to come in."""
        return self.last_day - dt.timedelta(days=self.provisional_days - 1) if self.last_day else None


class Snapshot:
    """An open snapshot; safe to use from many threads, each query on a cursor of its own.

    A statement runs on one thread: pages ask several at once, and splitting a small one costs more than it saves.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file; raises SnapshotUnusable when it is missing, corrupt, foreign or of another version."""
        self.path = Path(path)
        if not self.path.is_file():
            raise SnapshotUnusable(f"There is no snapshot at {self.path}. Make it with `python manage.py refresh`.")
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []  # cursors to take up again
        self._tables: dict[str, pd.DataFrame] = {}
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        try:
            # Attached to a connection of its own: a file that replaces this one later opens beside it.
            self._connection.execute(f"ATTACH '{str(self.path).replace(chr(39), chr(39) * 2)}' AS snapshot (READ_ONLY)")
            self._connection.execute("USE snapshot")
            self.meta = self._read_meta()
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            self._connection.close()
            first = str(error).splitlines()[0][:200]
            raise SnapshotUnusable(f"The file {self.path} is no readable snapshot ({first}). {REMEDY}") from None
        except SnapshotUnusable:
            self._connection.close()
            raise

    def _read_meta(self) -> Meta:
        names = {row[0] for row in self._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "meta" not in names:
            raise SnapshotUnusable(f"The file {self.path} is a DuckDB file, but no snapshot of Raterscope. {REMEDY}")
        values = dict(self._connection.execute("SELECT key, value FROM meta").fetchall())
        if values.get("magic") != MAGIC:
            raise SnapshotUnusable(f"The file {self.path} is a DuckDB file, but no snapshot of Raterscope. {REMEDY}")
        if int(values["format_version"]) != FORMAT_VERSION or int(values["contract_version"]) != CONTRACT_VERSION:
            raise SnapshotUnusable(f"The snapshot {self.path} was made by another version of Raterscope. {REMEDY}")

        def day(name: str) -> dt.date | None:
            return dt.date.fromisoformat(values[name]) if values.get(name) else None

        return Meta(
            snapshot_id=values["snapshot_id"],
            built_at=dt.datetime.fromisoformat(values["built_at"]),
            contract_version=int(values["contract_version"]),
            format_version=int(values["format_version"]),
            timezone=values["timezone"],
            currency=values["currency"],
            warehouse=values["warehouse"],
            first_day=day("first_day"),
            last_day=day("last_day"),
            provisional_days=int(values["provisional_days"]),
            peers_sample=int(values["peers_sample"]),
            lacking=frozenset(values["lacking"].split()),
        )

    @property
    def id(self) -> str:
        """Changes with every publish; part of every cache key."""
        return self.meta.snapshot_id

    def query(self, select: sa.Select) -> pd.DataFrame:
        """The rows of a select on the snapshot's tables; parameters are bound."""
        compiled = select.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        return self._run(str(compiled), values)

    def columns(self, select: sa.Select, values: Mapping[str, object]) -> dict[str, np.ndarray]:
        """The rows of a select as columns, the values bound by name; NaN, NaT or None where there is none.

        A select object is compiled once: keep it, and ask it about other values.
        """
        sql, bound = _compiled(select)
        with self._cursor() as cursor:
            found = cursor.execute(sql, [values.get(name, constant) for name, constant in bound]).fetchnumpy()
        return {name: _filled(column) for name, column in found.items()}

    def table(self, name: str) -> pd.DataFrame:
        """A small table, whole and read once; ``name`` is one of the snapshot's own."""
        if name not in self._tables:
            self._tables[name] = self.query(sa.select(sa.text("*")).select_from(sa.table(name)))
        return self._tables[name].copy(deep=False)  # what the caller writes to it stays the caller's

    def _run(self, sql: str, values: list) -> pd.DataFrame:
        with self._cursor() as cursor:
            return cursor.execute(sql, values).df()

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            cursor = self._idle.pop() if self._idle else self._connection.cursor().execute("USE snapshot")
        try:
            yield cursor
        except BaseException:
            cursor.close()
            raise
        with self._lock:
            self._idle.append(cursor)

    @functools.cached_property
    def label_sets(self) -> dict[str, LabelSet]:
        """The label set of each project whose agreement is kept."""
        rows = self.table("label_code").sort_values(["project_id", "position"])
        return {
            str(project): LabelSet(
                str(project),
                str(part["level"].iloc[0]),
                tuple(part["label"]),
                Encoding(len(part), int(part["bits"].iloc[0])),
            )
            for project, part in rows.groupby("project_id")
        }

    @functools.cached_property
    def code_words(self) -> int:
        """How many code columns the agreement marts have."""
        return max([s.encoding.words for s in self.label_sets.values()], default=1)

    @functools.cached_property
    def targets(self) -> Targets:
        """The targets as they stood at the refresh."""
        return Targets(self.table("target"))

    @functools.cached_property
    def names(self) -> dict[str, dict[str, str]]:
        """What readers call the members of dimensions that have names, project and pool; no two are called alike."""
        return {
            "project": _told_apart(self.table("project"), "project_id"),
            "pool": _told_apart(self.table("pool"), "pool_id", "vendor"),
        }

    def close(self) -> None:
        """Frees the file."""
        for cursor in self._idle:
            cursor.close()
        self._connection.close()


def _told_apart(rows: pd.DataFrame, key: str, by: str = "") -> dict[str, str]:
    """Names by id; those of one name get what tells them apart in brackets, in the end their id."""
    name = rows["name"].astype(str)
    for more in filter(None, (by, key)):
        twice = name.duplicated(keep=False)
        name = name.where(~twice, rows["name"].astype(str) + " (" + rows[more].astype(str) + ")")
    return dict(zip(rows[key], name, strict=True))


@functools.lru_cache(maxsize=4000)
def _compiled(select: sa.Select) -> tuple[str, tuple[tuple[str, object], ...]]:
    """The select as SQL, and the names of its values in the order they are bound, with its own constants."""
    compiled = select.compile(dialect=DIALECT)
    return str(compiled), tuple((name, compiled.params[name]) for name in compiled.positiontup or ())


def _filled(column: np.ndarray) -> np.ndarray:
    """A column with its gaps as NaN, NaT or None."""
    if not isinstance(column, np.ma.MaskedArray):
        return column
    if column.dtype.kind in "iub" and column.mask.any():
        column = column.astype(float)
    gap = {"f": np.nan, "O": None, "M": np.datetime64("NaT")}.get(column.dtype.kind, 0)
    filled = column.filled(gap) if column.dtype.kind != "O" else column.data.copy()
    if column.dtype.kind == "O":
        filled[column.mask] = None
    return filled
