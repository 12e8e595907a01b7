"""Weekly series that moved to another level and stayed, and whether a change is on record for it.

Looked at are projects, the pools of each, and pools by the hours that are kept for no project. A finding is a move
without a record: something happened there that nobody wrote down. So many series are looked at that chance alone moves
some: what is kept is so few false ones that of all kept at most one in twenty is expected to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from metrics.change_units import JOINED, Floats, units_of, weekly
from metrics.effects import autoregressive
from metrics.effects.measures import MEASURES, Measure
from metrics.effects.shifts import Shift, level_shifts_of_many, matched
from metrics.multiple import benjamini_hochberg

LOOKED_AT = (
    "gold_accuracy",
    "first_pass_yield",
    "handle_time_log_mean_seconds",
    "cost_per_label",
    "sla_attainment",
    "utilisation",
)
"""Metrics with data in most weeks: others have too few for a level of their own."""

FALSE = 1 / 20
"""The part of the moves kept that is expected to be chance (Benjamini and Hochberg)."""

WINDOW = 2
"""Weeks between a move and the start or end of a change that may stand for it."""


OWN = 2.0
"""A pool that moved more than so many times as far as its project moved by itself, and took the project along."""


class Move(NamedTuple):
    """One lasting move of one series that is large enough to matter: metric, where (project, pool), since (a Monday),
    before and after in the weekly value's unit (a logarithm where the measure's form is one), change_id of the change
    on record then, None where there is none, and p of a step between its levels, over all weeks it may have come in.
    """

    metric: str
    where: dict[str, str]
    since: dt.date
    before: float
    after: float
    change_id: str | None
    p: float = 1.0


class Moves(NamedTuple):
    """The moves, newest first, and how many series were looked at."""

    moves: tuple[Move, ...]
    series: int


def moves(changes: pd.DataFrame, frames: Mapping[str, pd.DataFrame], last_day: dt.date) -> Moves:
    """The lasting moves of at least ``Measure.smallest`` in the weekly series of projects and their pools, of pools for
    hours, that chance does not account for: Benjamini and Hochberg over every move and every series without one.

    changes, frames, last_day: as in ``change_ledger.ledger``. A change may stand for a move of a project or pool that
    it touches within ``WINDOW`` weeks of its start or end. A pool that moved with its project is not told once more.
    """
    if not frames:
        return Moves((), 0)
    first = min(frame["week"].min() for frame in frames.values())
    mondays = pd.date_range(first, pd.Timestamp(last_day) - pd.Timedelta(days=6), freq="7D")
    found: list[Move] = []
    none = series = 0
    for name in LOOKED_AT:
        measure = MEASURES[name]
        frame = frames.get(measure.source)
        if frame is None or not {measure.top, measure.bottom} <= set(frame.columns):
            continue
        whole = ("project_id",) if "project_id" in frame else ("pool_id",)
        for columns in (whole, ("project_id", "pool_id")):
            if columns == whole or {*columns} <= {*frame.columns}:
                more, looked = _of_units(changes, frame, measure, columns, mondays)
                found += more
                none += looked - len({tuple(move.where.items()) for move in more})
                series += looked
    q = benjamini_hochberg([*(move.p for move in found), *[1.0] * none]).q if found else ()
    kept = [m for m, at in zip(found, q, strict=False) if at <= FALSE and abs(m.after - m.before) >= _least(m)]
    kept = [move for move in kept if not _with_its_project(move, kept)]
    return Moves(tuple(sorted(kept, key=lambda m: (m.since, m.metric, *m.where.values()), reverse=True)), series)


def _least(move: Move) -> float:
    return MEASURES[move.metric].smallest


def _with_its_project(move: Move, moves: Sequence[Move]) -> bool:
    """Whether a pool's move is its project's: the same way, within ``WINDOW`` weeks, and no more than ``OWN`` times."""
    return len(move.where) > 1 and any(
        other.metric == move.metric
        and other.where == {"project": move.where["project"]}
        and abs((other.since - move.since).days) <= 7 * WINDOW
        and 0 < (move.after - move.before) / (other.after - other.before) <= OWN
        for other in moves
    )


def _of_units(
    changes: pd.DataFrame, frame: pd.DataFrame, measure: Measure, columns: Sequence[str], mondays: pd.DatetimeIndex
) -> tuple[list[Move], int]:
    """All moves of these units, whatever their size and p, and how many units there are."""
    frame = frame[frame[list(columns)].notna().all(axis=1)]
    names, values, errors = weekly(frame.assign(unit=units_of(frame, columns)), measure, mondays, len(mondays))
    every = level_shifts_of_many(values, errors)
    p_values = iter(_p_values(values, errors, every))
    known = _recorded(changes, mondays)
    found = []
    for name, shifts in zip(names, every, strict=True):
        # Ids may hold anything but what joins two of them.
        places = dict(zip(columns, name.split(JOINED) if len(columns) > 1 else [name], strict=True))
        weeks, ids = _on_record(known, places)
        for shift in matched(shifts, weeks, WINDOW):
            change = None if shift.change is None else ids[shift.change]
            where = {column.removesuffix("_id"): place for column, place in places.items()}
            since = mondays[shift.week].date()
            found.append(Move(measure.metric, where, since, shift.before, shift.after, change, next(p_values)))
    return found, len(names)


def _p_values(y: Floats, se: Floats | None, every: Sequence[Sequence[Shift]]) -> list[float]:
    """P of each shift of each series: of a step between the levels beside it, errors AR(1), times the weeks it was
    sought among (Bonferroni).
    """
    used = np.isfinite(y) if se is None else np.isfinite(y) & np.isfinite(se) & (se > 0)
    series, spans = [], []
    for k, shifts in enumerate(every):
        edges = [0, *(shift.week for shift in shifts), y.shape[1]]
        for (first, start), (_, stop) in pairwise(pairwise(edges)):
            series.append(k)
            spans.append((first, start, stop))
    if not series:
        return []
    week, (first, start, stop) = np.arange(y.shape[1]), np.array(spans).T[:, :, None]
    near = used[series] & (week >= first) & (week < stop)
    x = np.stack([np.ones(near.shape), (week >= start).astype(float)], axis=2)
    fitted = autoregressive.fits(y[series], x, near, None if se is None else se[series])
    p = autoregressive.p_zero(fitted, [0.0, 1.0])
    return np.minimum(1.0, p * used[series].sum(1)).tolist()


class _Recorded(NamedTuple):
    """A change on record: id, what it touched by column (None is all), the weeks in which it began and ended."""

    change_id: str
    touched: dict[str, str | None]
    weeks: tuple[int, ...]


def _recorded(changes: pd.DataFrame, mondays: pd.DatetimeIndex) -> list[_Recorded]:
    found = []
    for row in changes[["change_id", "project_id", "pool_id", "starts_on", "ends_on"]].to_dict("records"):
        touched = {c: None if pd.isna(row[c]) else str(row[c]) for c in ("project_id", "pool_id")}
        days = [row[c] for c in ("starts_on", "ends_on") if not pd.isna(row[c])]
        weeks = tuple((pd.Timestamp(day) - mondays[0]).days // 7 for day in days)
        found.append(_Recorded(str(row["change_id"]), touched, weeks))
    return found


def _on_record(known: Sequence[_Recorded], places: Mapping[str, str]) -> tuple[Sequence[int], Sequence[str]]:
    """The weeks in which changes that may touch a unit began or ended, and which changes; one of a pool may move its
    project.
    """
    weeks, ids = [], []
    for change in known:
        everywhere = all(place is None for place in change.touched.values())
        own = [
            change.touched[c] == place or (change.touched[c] is None and len(places) > 1) for c, place in places.items()
        ]
        if everywhere or all(own):
            weeks += change.weeks
            ids += [change.change_id] * len(change.weeks)
    return weeks, ids
