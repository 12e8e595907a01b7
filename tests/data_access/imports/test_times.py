from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data_access.imports.times import NAIVE, Clock, parse_dates, parse_times
from metrics.errors import LoadRefused

from .conftest import BASIC, GOOD, HEADER, NOW, only, rows

NEW_YORK = Clock(NOW, ZoneInfo("America/New_York"))
UTC = Clock(NOW, ZoneInfo("UTC"))


def one(text, clock=UTC, parse=parse_times, name="submitted_at"):
    values, faults = parse(pd.Series([text], dtype="str"), name, clock)
    return (None if pd.isna(values[0]) else values[0].to_pydatetime()), faults.get(0, (None, ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10)),
        ("2024-05-01 10:00:00+09:00", datetime(2024, 5, 1, 1)),
        ("2024-05-01T10:00:00.123456789-0500", datetime(2024, 5, 1, 15, 0, 0, 123456)),
        ("2024-05-01", datetime(2024, 5, 1)),
        ("2024-05-01 10:00", datetime(2024, 5, 1, 10)),
    ],
)
def test_times_become_utc(text, expected):
    assert one(text) == (expected, (None, ""))


def test_a_zone_declared_holds_for_times_without_an_offset_only():
    assert one("2024-07-01 12:00:00", NEW_YORK)[0] == datetime(2024, 7, 1, 16)
    assert one("2024-01-01 12:00:00", NEW_YORK)[0] == datetime(2024, 1, 1, 17)
    assert one("2024-01-01T12:00:00Z", NEW_YORK)[0] == datetime(2024, 1, 1, 12)


@pytest.mark.parametrize(
    ("text", "clock", "kind", "says"),
    [
        ("2024-03-10 02:30:00", NEW_YORK, "time in the skipped hour", "never happens in America/New_York"),
        ("2024-11-03 01:30:00", NEW_YORK, "time in the repeated hour", "happens twice in America/New_York"),
        ("2026-11-23T12:00:01Z", UTC, "time in the future", "lies in the future"),
        ("1989-12-31T23:59:59Z", UTC, "time before 1990", "before 1990"),
        ("1970-01-01T00:00:00Z", UTC, "time before 1990", "before 1990"),
        ("2024-13-01T00:00:00Z", UTC, "unreadable time", "write it as 2024-05-31T13:45:00Z"),
        ("2024-02-30", UTC, "unreadable time", "is no time"),
        ("05/01/2024 10:00", UTC, "unreadable time", "is no time"),
        ("45321.5", UTC, "unreadable time", "is no time"),
        ("2024-05-01T25:00:00Z", UTC, "unreadable time", "is no time"),
        ("2024-05-01T10:00:00+99:00", UTC, "unreadable time", "is no time"),
        ("2024-05-01T10:00:00", Clock(NOW), NAIVE, "has no offset from UTC"),
    ],
)
def test_what_is_no_certain_time_is_a_fault(text, clock, kind, says):
    value, (found, reason) = one(text, clock)
    assert found == kind
    assert says in reason
    assert value is None or kind in ("time in the future", "time before 1990")


def test_a_day_ahead_and_deadlines_are_allowed():
    assert one("2026-11-23T12:00:00Z")[1] == (None, "")
    assert one("2030-01-01T00:00:00Z", name="due_at")[1] == (None, "")


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("2024-05-31", "work_date", None),
        ("2031-05-31", "due_on", None),
        ("2031-05-31", "work_date", "time in the future"),
        ("1901-01-01", "hired_on", "time before 1990"),
        ("2024-5-1", "work_date", "unreadable date"),
        ("2024-05-31T00:00:00Z", "work_date", "unreadable date"),
    ],
)
def test_dates(text, name, kind):
    assert one(text, parse=parse_dates, name=name)[1][0] == kind


@pytest.mark.parametrize(
    "text", [HEADER + GOOD.replace("Z", ""), HEADER + GOOD + GOOD.replace("i1", "i2").replace("Z", "")]
)
def test_a_file_with_a_time_of_no_zone_is_refused_and_asked_for_one(sqlite, load, text):
    line = text.count("\n")
    with pytest.raises(LoadRefused, match=rf'line {line}: submitted_at ".*" has no offset.*\[times\] timezone = "UTC"'):
        load(sqlite, text)


def test_mixed_zones_in_one_column_all_become_utc(sqlite, load):
    text = (
        HEADER
        + GOOD
        + "i2,ann,ok,2024-05-01T10:00:00+09:00\ni3,ann,ok,2024-05-01 10:00:00\ni4,ann,ok,2024-03-10 02:30\n"
    )
    report = load(sqlite, text, mapping=BASIC + '[times]\ntimezone = "America/New_York"\n')
    hours = {r["item_id"]: r["submitted_at"].hour for r in rows(sqlite, "annotations")}
    assert hours == {"i1": 10, "i2": 1, "i3": 14}
    assert (only(report).line, only(report).kind) == (5, "time in the skipped hour")
