"""Windows of time: what a statement reads of the warehouse at once, and the days and weeks they cover."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from data_access.dialect import day_start

ITEMS_PER_WINDOW = 3_000_000


@dataclass(frozen=True)
class Window:
    """Half-open UTC bounds on the time a statement reads by; None is open.

    ``first_key`` and ``last_key`` bound the ids of what lies inside (items created, annotations audited): they change
    no result, and let an engine whose ids rise with time skip the rest of the table it joins.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    first_key: str | None = None
    last_key: str | None = None

    def on(self, moment: sa.ColumnElement) -> list[sa.ColumnElement[bool]]:
        """The conditions that hold a timestamp inside."""
        conditions = []
        if self.start is not None:
            conditions.append(moment >= self.start)
        if self.end is not None:
            conditions.append(moment < self.end)
        return conditions

    def holds(self, key: sa.ColumnElement) -> list[sa.ColumnElement[bool]]:
        """The condition on the joined table's key, where the bounds are known."""
        return [key.between(self.first_key, self.last_key)] if self.first_key is not None else []


def windows(
    days: Iterable[dt.date],
    zone: str,
    sizes: dict[dt.date, int] | None = None,
    keys: dict[dt.date, tuple[str, str]] | None = None,
) -> list[tuple[Window, int]]:
    """Windows that cover these days, with their rows: neighbours together, up to ITEMS_PER_WINDOW rows.

    Without ``sizes`` the windows cover exactly these days; with it, days between two of them that have no rows may lie
    inside. ``keys`` are the first and last key of each day's rows.
    """
    found: list[tuple[Window, int]] = []
    run: list[dt.date] = []
    rows = 0

    def close() -> None:
        if run:
            bounds = [keys[day] for day in run if keys and keys.get(day, (None, None))[0] is not None]
            first, last = (min(b[0] for b in bounds), max(b[1] for b in bounds)) if bounds else (None, None)
            end = run[-1] + dt.timedelta(days=1)
            found.append((Window(day_start(run[0], zone), day_start(end, zone), first, last), rows))

    for day in sorted(days):
        size = (sizes or {}).get(day, 0)
        gap = run and day - run[-1] > dt.timedelta(days=1) and sizes is None
        if run and (gap or rows + size > ITEMS_PER_WINDOW):
            close()
            run, rows = [], 0
        run.append(day)
        rows += size
    close()
    return found


def week_start(day: dt.date) -> dt.date:
    """The Monday of the day's week."""
    return day - dt.timedelta(days=day.weekday())


def days_of_weeks(weeks: Iterable[dt.date]) -> set[dt.date]:
    """Every day of the weeks that begin on these days."""
    return {week + dt.timedelta(days=k) for week in weeks for k in range(7)}
