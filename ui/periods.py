"""Periods readers choose: complete weeks from Monday to Sunday, and which days are still provisional."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from data_access.snapshot import Meta
from metrics.spec import Metric

WEEK = dt.timedelta(days=7)
ONE = dt.timedelta(days=1)
PRESETS = {1: "Last week", 4: "4 weeks", 13: "13 weeks", 26: "26 weeks", 52: "52 weeks"}
DEFAULT_WEEKS = 4
LATE_TABLES = frozenset({"audits", "appeals"})  # what is still coming in after the work was done

Period = tuple[dt.date, dt.date]


def monday(day: dt.date) -> dt.date:
    """The Monday of the day's week."""
    return day - dt.timedelta(days=day.weekday())


def last_sunday(meta: Meta) -> dt.date | None:
    """The end of the last complete week of data; the last day itself where there is less than a week of it."""
    if meta.last_day is None:
        return None
    sunday = monday(meta.last_day + ONE) - ONE
    return sunday if meta.first_day is None or sunday >= meta.first_day else meta.last_day


def last_weeks(meta: Meta, weeks: int) -> Period | None:
    """The last complete weeks of data."""
    end = last_sunday(meta)
    return (end - weeks * WEEK + ONE, end) if end else None


def preset_of(meta: Meta, period: Period | None) -> int | None:
    """The preset that gives this very period."""
    return next((weeks for weeks in PRESETS if last_weeks(meta, weeks) == period), None)


def ending(period: Period, weeks: int) -> Period:
    """Whole weeks up to the one the period ends in, at least ``weeks`` of them: what a sparkline shows."""
    start = min(monday(period[0]), monday(period[1]) - (weeks - 1) * WEEK)
    return start, period[1]


def around(period: Period, grain: str) -> Period:
    """The period with enough steps before it to see where it comes from: 28 days, 13 weeks or 13 months."""
    start, end = period
    if grain == "day":
        return min(start, end - 27 * ONE), end
    if grain == "month":
        return min(start, (pd.Timestamp(end) - pd.DateOffset(months=12)).date()).replace(day=1), end
    return ending(period, 13)


def complete(start: object, grain: str, period: Period) -> bool:
    """Whether a week or month lies wholly inside the period."""
    first = pd.Timestamp(start).date()
    last = {
        "day": first,
        "week": first + WEEK - ONE,
        "month": (pd.Timestamp(first) + pd.offsets.MonthEnd(0)).date(),
    }[grain]
    return period[0] <= first and last <= period[1]


def provisional_from(metric: Metric, meta: Meta) -> dt.date | None:
    """The first day whose number can still change as audits, appeals or ratings come in; None where none does."""
    late = metric.area == "agreement" or bool(LATE_TABLES & set(metric.needs))
    return meta.provisional_from if late else None
