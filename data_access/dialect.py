"""The few SQL constructs that differ between engines, compiled per dialect.

Everything else the marts need is ``SUM``, ``COUNT``, ``CASE``, joins and ``GROUP BY``, which every engine has. The
default of each construct is the form of DuckDB and PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

CHECKSUM_MODULUS = 2_147_483_647  # a row's checksum stays below it, so that a sum over 4e9 rows fits a BIGINT


class _Construct(FunctionElement):
    inherit_cache = True

    def _parts(self, compiler, **kwargs) -> list[str]:
        return [compiler.process(clause, **kwargs) for clause in self.clauses]


class to_day(_Construct):  # noqa: N801  a SQL function's name
    """The calendar day of a timestamp."""

    inherit_cache = True
    type = sa.Date()
    name = "to_day"


class week_of(_Construct):  # noqa: N801
    """The Monday of the week a day lies in."""

    inherit_cache = True
    type = sa.Date()
    name = "week_of"


class month_of(_Construct):  # noqa: N801
    """The first day of the month a day lies in."""

    inherit_cache = True
    type = sa.Date()
    name = "month_of"


class plus_seconds(_Construct):  # noqa: N801
    """A timestamp moved by a whole number of seconds, given as a literal."""

    inherit_cache = True
    type = sa.DateTime()
    name = "plus_seconds"

    def __init__(self, moment: sa.ColumnElement, seconds: int) -> None:
        super().__init__(moment, sa.literal_column(str(int(seconds))))


class seconds_between(_Construct):  # noqa: N801
    """Seconds from the first timestamp to the second, as a double."""

    inherit_cache = True
    type = sa.Double()
    name = "seconds_between"


class row_checksum(_Construct):  # noqa: N801
    """A whole number from 0 to CHECKSUM_MODULUS that changes when any of the columns changes; engines differ."""

    inherit_cache = True
    type = sa.BigInteger()
    name = "row_checksum"


@compiles(to_day)
def _(element, compiler, **kw):
    return f"CAST({element._parts(compiler, **kw)[0]} AS DATE)"


@compiles(to_day, "sqlite")
def _(element, compiler, **kw):
    return f"date({element._parts(compiler, **kw)[0]})"


@compiles(week_of)
def _(element, compiler, **kw):
    return f"CAST(date_trunc('week', {element._parts(compiler, **kw)[0]}) AS DATE)"


@compiles(week_of, "sqlite")
def _(element, compiler, **kw):
    return f"date({element._parts(compiler, **kw)[0]}, 'weekday 0', '-6 days')"


@compiles(week_of, "mysql")
@compiles(week_of, "mariadb")
def _(element, compiler, **kw):
    day = element._parts(compiler, **kw)[0]
    return f"DATE_SUB({day}, INTERVAL WEEKDAY({day}) DAY)"


@compiles(month_of)
def _(element, compiler, **kw):
    return f"CAST(date_trunc('month', {element._parts(compiler, **kw)[0]}) AS DATE)"


@compiles(month_of, "sqlite")
def _(element, compiler, **kw):
    return f"date({element._parts(compiler, **kw)[0]}, 'start of month')"


@compiles(month_of, "mysql")
@compiles(month_of, "mariadb")
def _(element, compiler, **kw):
    day = element._parts(compiler, **kw)[0]
    return f"DATE_SUB({day}, INTERVAL DAYOFMONTH({day}) - 1 DAY)"


@compiles(plus_seconds)
def _(element, compiler, **kw):
    moment, seconds = element._parts(compiler, **kw)
    return f"({moment} + INTERVAL '{seconds} seconds')"


@compiles(plus_seconds, "sqlite")
def _(element, compiler, **kw):
    moment, seconds = element._parts(compiler, **kw)
    return f"datetime({moment}, '{seconds} seconds')"


@compiles(plus_seconds, "mysql")
@compiles(plus_seconds, "mariadb")
@compiles(plus_seconds, "hive")
def _(element, compiler, **kw):
    moment, seconds = element._parts(compiler, **kw)
    return f"({moment} + INTERVAL {seconds} SECOND)"


@compiles(seconds_between)
def _(element, compiler, **kw):
    first, second = element._parts(compiler, **kw)
    return f"CAST(EXTRACT(EPOCH FROM {second} - {first}) AS DOUBLE PRECISION)"


@compiles(seconds_between, "duckdb")
def _(element, compiler, **kw):
    first, second = element._parts(compiler, **kw)
    return f"(epoch({second}) - epoch({first}))"


@compiles(seconds_between, "sqlite")
def _(element, compiler, **kw):
    first, second = element._parts(compiler, **kw)
    return f"((julianday({second}) - julianday({first})) * 86400.0)"


@compiles(seconds_between, "mysql")
@compiles(seconds_between, "mariadb")
def _(element, compiler, **kw):
    first, second = element._parts(compiler, **kw)
    return f"(TIMESTAMPDIFF(MICROSECOND, {first}, {second}) / 1000000.0)"


@compiles(seconds_between, "hive")
def _(element, compiler, **kw):
    first, second = element._parts(compiler, **kw)
    return f"(CAST({second} AS DOUBLE) - CAST({first} AS DOUBLE))"


@compiles(row_checksum)
def _(element, compiler, **kw):
    # No hash function to rely on: lengths see most changes, and `refresh --full` sees all.
    parts = [f"COALESCE(LENGTH(CAST({part} AS VARCHAR(4000))), 0)" for part in element._parts(compiler, **kw)]
    return "(" + " + ".join(f"{31 ** (i % 5)} * {part}" for i, part in enumerate(parts)) + ")"


@compiles(row_checksum, "sqlite")
def _(element, compiler, **kw):
    return f"raterscope_checksum({', '.join(element._parts(compiler, **kw))})"


@compiles(row_checksum, "duckdb")
def _(element, compiler, **kw):
    return f"CAST(hash({', '.join(element._parts(compiler, **kw))}) % {CHECKSUM_MODULUS} AS BIGINT)"


@compiles(row_checksum, "postgresql")
def _(element, compiler, **kw):
    return f"ABS(CAST(hashtext(CONCAT_WS('|', {', '.join(element._parts(compiler, **kw))})) AS BIGINT))"


@compiles(row_checksum, "mysql")
@compiles(row_checksum, "mariadb")
def _(element, compiler, **kw):
    return f"(CRC32(CONCAT_WS('|', {', '.join(element._parts(compiler, **kw))})) >> 1)"


@compiles(row_checksum, "hive")
def _(element, compiler, **kw):
    return f"CAST(ABS(CAST(hash({', '.join(element._parts(compiler, **kw))}) AS BIGINT)) AS BIGINT)"


def business_day(moment: sa.ColumnElement, zone: str) -> sa.ColumnElement:
    """The day of a UTC timestamp in the business time zone, without any engine's time zone support.

    The zone's offsets are read here and written as a CASE over the UTC moments at which they change: exact on every
    engine, and several times faster than an engine's own conversion.
    """
    steps = _offsets(zone)
    if len(steps) == 1:
        seconds = steps[0][1]
        return to_day(plus_seconds(moment, seconds) if seconds else moment)
    moved = [(moment < sa.literal(until, literal_execute=True), plus_seconds(moment, s)) for until, s in steps[:-1]]
    return to_day(sa.case(*moved, else_=plus_seconds(moment, steps[-1][1])))


def day_start(day: dt.date, zone: str) -> dt.datetime:
    """The UTC moment, without zone, at which a business day begins."""
    local = dt.datetime.combine(day, dt.time(), zoneinfo.ZoneInfo(zone))
    return local.astimezone(dt.UTC).replace(tzinfo=None)


@functools.cache
def _offsets(zone: str, first: int = 2000, last: int = 2045) -> list[tuple[dt.datetime | None, int]]:
    """(UTC moment until which it holds, offset in seconds) of the zone's offsets, oldest first; the last has None."""
    info = zoneinfo.ZoneInfo(zone)

    def offset(moment: dt.datetime) -> int:
        return int(moment.replace(tzinfo=dt.UTC).astimezone(info).utcoffset().total_seconds())

    steps: list[tuple[dt.datetime | None, int]] = []
    hour, end = dt.datetime(first, 1, 1), dt.datetime(last, 1, 1)
    while hour < end:
        later = min(hour + dt.timedelta(days=7), end)
        if offset(later) != offset(hour):
            low, high = hour, later
            while high - low > dt.timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if offset(middle) == offset(hour) else (low, middle)
            change = high.replace(second=0, microsecond=0)
            steps.append((change, offset(hour)))
        hour = later
    return [*steps, (None, offset(end))]
