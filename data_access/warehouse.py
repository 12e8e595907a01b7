"""The warehouse: opened read-only, with time limits, and read as Arrow batches."""

from __future__ import annotations

import logging
import math
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from metrics.errors import BadSetting, LoadRefused, WarehouseUnavailable

log = logging.getLogger("raterscope.warehouse")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 1800  # a full build on a slow engine reads for minutes
ROWS_PER_BATCH = 50_000

DRIVERS = {
    "clickhousedb": "clickhouse",
    "mysql": "mysql",
    "mariadb": "mysql",
    "hive": "spark",
}


class Warehouse:
    """A warehouse opened for reading.

    Every failure to reach or read it is a WarehouseUnavailable with one sentence that never holds the password.
    """

    def __init__(self, url: str, statement_seconds: int = STATEMENT_SECONDS) -> None:
        try:
            self.url = sa.engine.make_url(url)
        except sa.exc.ArgumentError:
            raise BadSetting(
                "RATERSCOPE_WAREHOUSE_URL is no SQLAlchemy URL; "
                'write one such as "postgresql+psycopg://user@host/database".'
            ) from None
        self.engine = self._engine(statement_seconds)

    @property
    def name(self) -> str:
        """What to call it in a sentence: its kind and place, without user or password."""
        place = self.url.database or ""
        host = f"{self.url.host}/" if self.url.host else ""
        return f"{self.url.get_backend_name()} warehouse {host}{place}".strip()

    @property
    def is_duckdb(self) -> bool:
        """Whether it is a DuckDB file, which can be attached and read without copying."""
        return self.url.get_backend_name() == "duckdb"

    @property
    def path(self) -> Path | None:
        """The file of a DuckDB or SQLite warehouse."""
        return Path(self.url.database) if self.url.get_backend_name() in ("duckdb", "sqlite") else None

    def _engine(self, seconds: int) -> sa.Engine:
        backend = self.url.get_backend_name()
        url, options = self.url, {"pool_pre_ping": True, "pool_recycle": 900}
        connect: dict = {}
        if backend == "duckdb":
            connect = {"read_only": True}
            options = {"poolclass": sa.pool.NullPool}
        elif backend == "sqlite":
            url = self.url.set(database=f"file:{self.url.database}", query={"mode": "ro", "uri": "true"})
            options = {"poolclass": sa.pool.NullPool}
        elif backend == "postgresql":
            # REPEATABLE READ: all statements of one refresh see the same rows.
            options["isolation_level"] = "REPEATABLE READ"
            connect = {
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c default_transaction_read_only=on -c statement_timeout={seconds * 1000}",
            }
        elif backend in ("mysql", "mariadb"):
            connect = {"connect_timeout": CONNECT_SECONDS, "read_timeout": seconds}
        try:
            engine = sa.create_engine(url, connect_args=connect, **options)
        except (sa.exc.NoSuchModuleError, ModuleNotFoundError):
            extra = DRIVERS.get(backend)
            remedy = (
                f'install it with `pip install "raterscope[{extra}]"`' if extra else "install its SQLAlchemy dialect"
            )
            raise BadSetting(f'There is no driver for "{self.url.drivername}" here: {remedy}.') from None
        if backend == "sqlite":
            sa.event.listen(engine, "connect", _teach_sqlite)
        return engine

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection; failures inside become WarehouseUnavailable."""
        path = self.path
        if path is not None and not path.is_file():
            raise WarehouseUnavailable(
                f"There is no warehouse file at {path}: set RATERSCOPE_WAREHOUSE_URL, "
                "or make the sample with `python manage.py sample`."
            )
        try:
            with self.engine.connect() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.warning("warehouse failed: %s", self._safe(error))
            raise WarehouseUnavailable(f"The {self.name} does not answer: {self._safe(error)}") from None

    def _safe(self, error: Exception) -> str:
        """The first line of the driver's message, without the password."""
        text = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:300]
        return text.replace(self.url.password, "***") if self.url.password else text

    def present(self) -> dict[str, dict[str, sa.types.TypeEngine]]:
        """The tables and views there are, with the type of each column."""
        with self.connect() as connection:
            inspector = sa.inspect(connection)
            names = {*inspector.get_table_names(), *inspector.get_view_names()}
            return {name: {c["name"]: c["type"] for c in inspector.get_columns(name)} for name in sorted(names)}

    def rows(self, connection: sa.Connection, select: sa.Select) -> list[sa.Row]:
        """All rows of a small result."""
        return list(connection.execute(select))

    def batches(self, connection: sa.Connection, select: sa.Select, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of a result as Arrow tables of the given column types, a batch at a time.

        Works on every engine; a DuckDB warehouse is attached by the builder instead.
        """
        result = connection.execution_options(stream_results=True, max_row_buffer=ROWS_PER_BATCH).execute(select)
        for partition in result.partitions(ROWS_PER_BATCH):
            columns = list(zip(*partition, strict=True))
            yield pa.table(
                [_arrow(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
            )


def writable(url: str) -> sa.Engine:
    """An engine that may write, for loading; a DuckDB or SQLite file is made where there is none.

    Raises BadSetting for a URL that cannot be used and LoadRefused when its folder does not exist.
    """
    try:
        made = sa.engine.make_url(url)
        engine = sa.create_engine(made, poolclass=sa.pool.NullPool)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError):
        raise BadSetting(
            f'"{_shown(url)}" cannot be loaded into; write a URL such as "duckdb:////data/w.duckdb".'
        ) from None
    if made.get_backend_name() in ("duckdb", "sqlite") and made.database not in (None, "", ":memory:"):
        folder = Path(made.database).resolve().parent
        if not folder.is_dir():
            raise LoadRefused(f"There is no folder {folder} to make the warehouse in; make it first.")
    return engine


def _shown(url: str) -> str:
    """A URL as a message may show it: without a password, and not long."""
    return re.sub(r"//[^@/]*@", "//***@", url)[:80]


def _arrow(values: tuple, kind: pa.DataType) -> pa.Array:
    """One column; engines answer sums as Decimal and dates as text."""
    if pa.types.is_integer(kind):
        return pa.array([None if v is None else int(v) for v in values], kind)
    if pa.types.is_floating(kind):
        return pa.array([None if v is None else float(v) for v in values], kind)
    if pa.types.is_date(kind) and any(isinstance(v, str) for v in values):
        return pa.array([None if v is None else v[:10] for v in values], pa.string()).cast(kind)
    return pa.array(values, kind)


def _teach_sqlite(connection, _record) -> None:
    """SQLite may be built without these functions."""

    def natural_log(x: float | None) -> float | None:
        return math.log(x) if x is not None and x > 0 else None

    connection.create_function("ln", 1, natural_log, deterministic=True)
    connection.create_function("floor", 1, lambda x: None if x is None else math.floor(x), deterministic=True)
    connection.create_function("mod", 2, lambda x, y: None if x is None else x % y, deterministic=True)
    connection.create_function(
        "raterscope_checksum", -1, lambda *row: zlib.crc32(repr(row).encode()) & 0x7FFFFFFF, deterministic=True
    )
