"""Recorded changes in weeks, and the weekly values of units of work.

Frames by source (``effects.measures``), a row per week and cell: week (the Monday), the columns of a cell that the
source is kept by among project_id, pool_id, language, policy, and sums. The caller leaves out weeks not settled yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.effects.effect import WEEKS
from metrics.effects.measures import Form, Measure

Floats = NDArray[np.float64]
Frames = Mapping[str, pd.DataFrame]

KEYS = ("project_id", "pool_id", "language", "policy")

WEEK = np.timedelta64(7, "D")

EVERYTHING = "everything"
"""In ``where``: the change touched all work there is, so nobody is left to compare with."""

ALL_WORK = "all work in view"

JOINED = " / "
"""Between the names of a unit's project and pool, or of a part's two sides."""


@dataclass(frozen=True)
class Change:
    """One recorded change in weeks: start, the first full week under it; began, the week it began in; end, the first
    week not wholly under it, None while it holds. summary: in lower case and single spaces; randomised: lots were drawn
    for who got it.
    """

    change_id: str
    kind: str
    project: str | None
    pool: str | None
    starts_on: dt.date
    began: int
    start: int
    end: int | None
    summary: str = ""
    randomised: bool = False
    ends_on: dt.date | None = None

    def covers(self, project: str | None, pool: str | None) -> bool:
        """Whether it touches all the work of a unit: None stands for all projects or all pools."""
        return self.project in (None, project) and self.pool in (None, pool)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell the changed work apart; none for a change to everything."""
        return tuple(c for c, v in (("project_id", self.project), ("pool_id", self.pool)) if v is not None)

    @property
    def where(self) -> dict[str, str]:
        """The changed work in words: project, pool."""
        return {k: v for k, v in (("project", self.project), ("pool", self.pool)) if v is not None}

    def weeks(self, periods: int, most: int = WEEKS) -> int:
        """The weeks under it that count."""
        return min(most, (periods if self.end is None else min(self.end, periods)) - self.start)


def changes_in_weeks(changes: pd.DataFrame, mondays: pd.DatetimeIndex) -> list[Change]:
    """changes: change_id, kind, project_id, pool_id (null is all), starts_on, ends_on (null is still), and where they
    are kept summary and randomised (null is no).
    """
    first = mondays[0].date()
    found = []
    for row in changes.to_dict("records"):
        starts, ends = (None if pd.isna(row[c]) else pd.Timestamp(row[c]).date() for c in ("starts_on", "ends_on"))
        days = (starts - first).days
        end = None if ends is None else max(((ends - first).days + 1) // 7, 0)
        project, pool = (None if pd.isna(row[c]) else str(row[c]) for c in ("project_id", "pool_id"))
        summary, lots = row.get("summary"), row.get("randomised")
        found.append(
            Change(
                str(row["change_id"]),
                str(row["kind"]),
                project,
                pool,
                starts,
                days // 7,
                -(-days // 7),
                end,
                "" if summary is None or pd.isna(summary) else " ".join(str(summary).casefold().split()),
                lots is not None and not pd.isna(lots) and bool(lots),
                ends,
            )
        )
    return found


def whole_weeks(frames: Frames, last_day: dt.date) -> pd.DatetimeIndex:
    """The weeks that are whole: the last one ends on ``last_day`` or before. Without any work, the last one alone."""
    last = pd.Timestamp(last_day) - pd.Timedelta(days=6)
    first = min((f["week"].min() for f in frames.values() if len(f)), default=last - pd.Timedelta(days=last.weekday()))
    return pd.date_range(first, pd.Timestamp(last_day) - pd.Timedelta(days=6), freq="7D")


def keyed(frames: Frames) -> dict[str, pd.DataFrame]:
    """The frames with the columns of a cell as categories: they are grouped by some hundred times."""
    found = {
        name: frame.assign(**{c: pd.Categorical(frame[c].astype(object)) for c in KEYS if c in frame})
        for name, frame in frames.items()
    }
    for frame in found.values():
        frame.attrs = {}  # they would be copied with every column taken
    return found


def kept(measure: Measure, frames: Frames) -> bool:
    """Whether the sums it is made of were given: a warehouse without audits has none of theirs."""
    needed = {measure.top, measure.bottom, *([measure.squares] if measure.squares else [])}
    return measure.source in frames and needed <= set(frames[measure.source].columns)


def units_of(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Categorical:
    """The unit of each row, by one column or two, names joined; null where a part of it is."""
    parts = [pd.Categorical(frame[c]) for c in columns]
    if len(parts) == 1:
        return parts[0]
    one, other = parts
    first, second = (np.asarray(part.categories, object) for part in parts)
    wide = max(len(second), 1)
    code = np.where((one.codes < 0) | (other.codes < 0), -1, one.codes.astype(np.int64) * wide + other.codes)
    place, seen = pd.factorize(np.where(code < 0, np.nan, code), sort=True)
    names = [f"{first[int(c) // wide]}{JOINED}{second[int(c) % wide]}" for c in seen]
    return pd.Categorical.from_codes(place, names)


def weekly(
    cells: pd.DataFrame, measure: Measure, mondays: pd.DatetimeIndex, start: int
) -> tuple[tuple[str, ...], Floats, Floats | None]:
    """Units and their weekly values with standard errors: names, (units, periods), (units, periods) or None.

    cells: the source's rows with a column ``unit``; rows of none, such as costs of no pool, are left out. Per kind: top
    less bottom times the usual of the row's project, language and policy before week ``start``, the mean of the unit
    added back; of a ratio top over bottom times that usual, times the unit's level. A share's standard error is
    binomial at the unit's own share over all weeks; other forms have none, for their weeks are many judgements.
    """
    # Sums over codes: a panel is made for every metric of every change, and groups of a frame take five times as long.
    unit, members = codes(cells["unit"])
    sums = {c: np.asarray(cells[c].array, float) for c in {measure.top, measure.bottom, measure.squares} - {""}}
    used = (sums[measure.bottom] > 0) & (unit >= 0)
    sums = {c: np.where(np.isnan(values), 0.0, values) for c, values in sums.items()}
    week = ((np.asarray(cells["week"].array) - mondays[0].to_numpy()) // WEEK).astype(int)
    if measure.per_kind:
        kind = np.zeros(len(cells), int)
        for name in ("project_id", "language", "policy"):
            if name in cells:
                code, known = codes(cells[name])
                kind = kind * (len(known) + 1) + code + 1
        early = np.flatnonzero(used & (week < (start if start < len(mondays) else len(mondays) - 1)))
        wide = int(kind.max(initial=0)) + 1
        with np.errstate(all="ignore"):
            before = (np.bincount(kind[early], sums[c][early], wide) for c in (measure.top, measure.bottom))
            usual = np.divide(*before)[kind]
        # A kind of work that did not exist before has no usual: it says nothing of a change.
        used &= np.isfinite(usual)
        sums["foreseen"] = np.where(used, usual, 0.0) * sums[measure.bottom]
    there = np.bincount(unit[used], minlength=len(members)) > 0
    names = tuple(str(name) for name in members[there])
    rows = np.flatnonzero(used & (week >= 0) & (week < len(mondays)))
    place = (np.cumsum(there) - 1)[unit[rows]] * len(mondays) + week[rows]
    shape = (len(names), len(mondays))
    some = np.bincount(place, minlength=len(names) * len(mondays)).reshape(shape) > 0

    def table(column: str) -> Floats:
        found = np.bincount(place, sums[column][rows], len(names) * len(mondays)).reshape(shape)
        return np.where(some, found, np.nan)

    top, bottom = table(measure.top), table(measure.bottom)
    with np.errstate(all="ignore"):
        n = bottom**2 / table(measure.squares) if measure.squares else bottom
        level = np.nansum(top, 1, keepdims=True) / np.nansum(bottom, 1, keepdims=True)
        if measure.form is Form.LOG_RATIO:
            # What the week's labels would have cost at the usual of their kinds (indirect standardisation).
            below = table("foreseen") / level if measure.per_kind else bottom
            return names, np.where((top > 0) & (below > 0), np.log(top / below), np.nan), None
        value = (top - table("foreseen")) / bottom + level if measure.per_kind else top / bottom
        if measure.form is Form.LOG_MEAN:
            return names, value, None
        return names, value, np.sqrt(np.clip(level * (1 - level), 1e-4, None) / n)


def codes(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """A code per row, -1 for null, and the sorted members."""
    values = column.array
    if isinstance(values, pd.Categorical):
        return values.codes.astype(np.int64), np.asarray(values.categories, object)
    found, members = pd.factorize(column.to_numpy(object), sort=True)
    return found.astype(np.int64), members
