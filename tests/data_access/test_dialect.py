"""Business days and weeks against Python's own calendar, on every engine that runs here; others must compile."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from data_access import dialect, marts
from data_access import tables as t
from data_access.warehouse import Warehouse
from data_access.windows import Window

ZONES = ("UTC", "Asia/Singapore", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
MOMENTS = [
    dt.datetime(2011, 12, 30, 9, 59, 59),  # Apia skipped this day
    *(dt.datetime(2026, 3, 8, hour, 30) for hour in range(0, 24, 3)),  # New York springs forward
    *(dt.datetime(2026, 11, 1, hour, 59, 59) for hour in range(0, 24, 3)),  # and falls back
    *(dt.datetime(2026, 4, 4, hour, 29, 59) for hour in range(0, 24, 3)),  # Lord Howe moves by half an hour
    dt.datetime(2026, 12, 31, 15, 59, 59),
    dt.datetime(2026, 12, 31, 16, 0, 0),
    dt.datetime(2026, 12, 31, 18, 29, 59),
    dt.datetime(2026, 12, 31, 18, 30),
]


@pytest.fixture(params=["duckdb", "sqlite"])
def warehouse(request, tmp_path):
    url = f"{request.param}:///{tmp_path / 'w.db'}"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    t.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            t.appeals.insert(),
            [{"appeal_id": f"{k:04d}", "item_id": "x", "filed_at": m, "decided_at": m} for k, m in enumerate(MOMENTS)],
        )
    engine.dispose()
    return Warehouse(url)


@pytest.mark.parametrize("zone", ZONES)
def test_a_business_day_and_its_week_and_month_are_those_of_the_calendar(warehouse, zone):
    p = t.appeals.c
    day = dialect.business_day(p.filed_at, zone)
    with warehouse.connect() as connection:
        rows = connection.execute(
            sa.select(day, dialect.week_of(day), dialect.month_of(day)).order_by(p.appeal_id)
        ).all()
    for moment, row in zip(MOMENTS, rows, strict=True):
        local = moment.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone)).date()
        week = local - dt.timedelta(days=local.weekday())
        assert [str(d)[:10] for d in row] == [str(local), str(week), str(local.replace(day=1))]


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_starts_where_its_first_moment_is(zone):
    info = zoneinfo.ZoneInfo(zone)
    for moment in MOMENTS:
        day = moment.replace(tzinfo=dt.UTC).astimezone(info).date()
        start = dialect.day_start(day, zone).replace(tzinfo=dt.UTC)
        assert start.astimezone(info).date() == day
        assert (start - dt.timedelta(seconds=1)).astimezone(info).date() < day


def test_seconds_between_two_moments(warehouse):
    p = t.appeals.c
    with warehouse.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        later = dialect.plus_seconds(p.filed_at, 5400)
        found = connection.execute(sa.select(dialect.seconds_between(p.filed_at, later))).scalars().all()
    assert found == pytest.approx([5400.0] * len(MOMENTS), abs=1e-3)


def test_a_checksum_sees_a_change_in_any_column(warehouse):
    p = t.appeals.c
    with warehouse.connect() as connection:
        found = connection.execute(sa.select(dialect.row_checksum(p.appeal_id, p.filed_at))).scalars().all()
    assert len(set(found)) == len(MOMENTS)
    assert all(0 <= value < 2**31 for value in found)


@pytest.mark.parametrize("engine", [postgresql.dialect(), mysql.dialect()], ids=["postgresql", "mysql"])
def test_every_mart_compiles_for_engines_not_run_here(engine):
    judged = marts.judged("America/New_York", created=Window(MOMENTS[0], MOMENTS[1])).subquery("judged")
    audited = marts.audited("UTC", at=Window(MOMENTS[0], None)).subquery("audited")
    statements = [
        marts.work_judgements(judged),
        marts.work_gold(judged),
        marts.work_audits(audited),
        marts.confusion_gold(judged),
        marts.confusion_audits(audited),
        marts.handle_time(judged),
        marts.item_lives("UTC", Window()),
        marts.promises("UTC", Window()),
        marts.turnaround("UTC", Window()),
        marts.claim_time("UTC", Window()),
        marts.appeal_facts("UTC"),
        marts.appeal_time("UTC"),
        marts.shift_facts(),
        marts.training_facts(),
        marts.cost_facts(),
        marts.escalation_facts("UTC"),
    ]
    for statement in statements:
        assert str(statement.compile(dialect=engine)).startswith("SELECT")
