"""Weekly series that moved to another level and stayed, and whether a change is on record for it.

Looked at are projects, and pools by the hours that are kept for no project. A finding is a move without a record:
something happened there that nobody wrote down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from metrics.change_units import weekly
from metrics.effects.measures import MEASURES, Measure
from metrics.effects.shifts import level_shifts, matched

LOOKED_AT = (
    "gold_accuracy",
    "first_pass_yield",
    "handle_time_log_mean_seconds",
    "cost_per_label",
    "sla_attainment",
    "utilisation",
)
"""Metrics with data in most weeks: others have too few for a level of their own."""

BY_CHANCE = 1 / 20
"""Series without any move that show one all the same (``shifts.PENALTY``)."""

WINDOW = 2
"""Weeks between a move and the start or end of a change that may stand for it."""


class Move(NamedTuple):
    """One lasting move of one series that is large enough to matter: metric, where (its project or pool), since (a
    Monday), before and after in the weekly value's unit (a logarithm where the measure's form is one), change_id of the
    change on record then, None where there is none.
    """

    metric: str
    where: dict[str, str]
    since: dt.date
    before: float
    after: float
    change_id: str | None


class Moves(NamedTuple):
    """The moves, newest first, and how many series were looked at."""

    moves: tuple[Move, ...]
    series: int


def moves(changes: pd.DataFrame, frames: Mapping[str, pd.DataFrame], last_day: dt.date) -> Moves:
    """Every lasting move of at least ``Measure.smallest`` in the weekly series of projects, of pools for hours.

    changes, frames, last_day: as in ``change_ledger.ledger``. A change may stand for a move of a project or pool that
    it touches within ``WINDOW`` weeks of its start or end.
    """
    if not frames:
        return Moves((), 0)
    first = min(frame["week"].min() for frame in frames.values())
    mondays = pd.date_range(first, pd.Timestamp(last_day) - pd.Timedelta(days=6), freq="7D")
    found, series = [], 0
    for name in LOOKED_AT:
        measure = MEASURES[name]
        frame = frames.get(measure.source)
        if frame is None or not {measure.top, measure.bottom} <= set(frame.columns):
            continue
        column = "project_id" if "project_id" in frame else "pool_id"
        more, looked = _of_units(changes, frame[frame[column].notna()], measure, column, mondays)
        found += more
        series += looked
    return Moves(tuple(sorted(found, key=lambda m: (m.since, m.metric), reverse=True)), series)


def _of_units(
    changes: pd.DataFrame, frame: pd.DataFrame, measure: Measure, column: str, mondays: pd.DatetimeIndex
) -> tuple[list[Move], int]:
    names, values, errors = weekly(frame.assign(unit=frame[column]), measure, mondays, len(mondays))
    found = []
    for k, unit in enumerate(names):
        shifts = level_shifts(values[k], None if errors is None else errors[k])
        weeks, ids = _on_record(changes, column, unit, mondays)
        for shift in matched(shifts, weeks, WINDOW):
            if abs(shift.after - shift.before) >= measure.smallest:
                change = None if shift.change is None else ids[shift.change]
                where = {column.removesuffix("_id"): unit}
                since = mondays[shift.week].date()
                found.append(Move(measure.metric, where, since, shift.before, shift.after, change))
    return found, len(names)


def _on_record(
    changes: pd.DataFrame, column: str, unit: str, mondays: pd.DatetimeIndex
) -> tuple[Sequence[int], Sequence[str]]:
    """The weeks in which changes that may touch a unit began or ended, and which changes."""
    everything = changes["project_id"].isna() & changes["pool_id"].isna()
    near = changes[everything | (changes[column] == unit)]
    weeks, ids = [], []
    for row in near.itertuples():
        for day in (row.starts_on, row.ends_on):
            if not pd.isna(day):
                weeks.append((pd.Timestamp(day) - mondays[0]).days // 7)
                ids.append(str(row.change_id))
    return weeks, ids
