"""Parts of a project's work that a change may have harmed while an average hides it: a language, a policy, a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from metrics.change_units import JOINED, KEYS, Change, Floats, Frames, kept, weekly
from metrics.effects import autoregressive
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, WEEKS, Effect
from metrics.effects.interrupted import compared_all, interrupted, statistics
from metrics.effects.measures import MEASURES, SLICED_BY, Measure
from metrics.effects.verdict import SURE

LEAST_SLICE = 4
"""Judgements a week, on average, for a part of the work to be looked at by itself."""

CUTS = (("pool_id", "policy"), ("language", "policy"))
"""The parts a project's work is cut into."""

ENOUGH_DRAWS = 40
"""Made-up dates after which no other project is looked at: each costs a fit per part."""

SLICE_WEEKS = 2 * WEEKS
"""The first weeks over which the effect on a part of the work is averaged: a part has few judgements a week."""


MOST_MOVED = "the part of the project that moved most, against the other parts: the largest"
LARGEST = "so likely larger than the truth; its interval holds for all of them together"
"""Why a guideline's row on a part of the work is compared as it is, and how its size is to be read."""


class Part(NamedTuple):
    """measure, where, effect: of the part picked. why: what it was picked for. placebos: gives its made-up changes."""

    measure: Measure
    where: dict[str, str]
    effect: Effect
    why: str
    placebos: Callable[[], Floats]


@dataclass(frozen=True)
class Cut:
    """A project's work cut into parts: where each is, and their weekly values, (parts, periods). Each part is compared
    with the others of its cut.
    """

    measure: Measure
    where: list[dict[str, str]]
    y: Floats
    se: Floats

    def compared(self, start: int, stop: int | None = None) -> tuple[Floats, Floats | None]:
        """Each part less the mean of the others, up to week ``stop``."""
        return compared_all(self.y[:, :stop], self.se[:, :stop], ~np.eye(len(self.y), dtype=bool), start)

    def p_values(self, change: Change) -> Floats:
        """The p of each part, NaN where it has none."""
        y, se = self.compared(change.start)
        stop = change.start + change.weeks(y.shape[1], SLICE_WEEKS)
        return statistics(y, change.start, stop, se, trend=False, of=autoregressive.p_zero)

    def effect(self, part: int, change: Change, tested: int) -> Effect:
        """The effect on one part picked out of so many: its interval holds for all of them together (Bonferroni)."""
        rest = np.arange(len(self.y)) != part
        y, se = self.y, self.se
        return interrupted(
            y[part],
            change.start,
            change.end,
            se[part],
            y[rest],
            se[rest],
            weeks=SLICE_WEEKS,
            trend=False,
            level=1 - SURE / tested,
        )


def most_moved(change: Change, known: Sequence[Change], frames: Frames, mondays: pd.DatetimeIndex) -> Part | None:
    """The part of a project's work that moved most, against the rest of the project; None without parts.

    p_value: the smallest p of all parts times their number, and the interval at 1 - .05 / their number (Bonferroni): it
    holds the truth of every part in 95 of 100 projects, so of the one that was picked. The value is not shrunk: the
    largest of many is more often than not larger than the truth, and ``Part.why`` says so. Placebos: the largest
    statistic of all parts at each made-up date before the change, and where those are few in other projects too.
    """
    measures = [MEASURES[name] for name in SLICED_BY if kept(MEASURES[name], frames)]
    cuts = _cuts(change.project, change, measures, frames, mondays)
    found = [cut.p_values(change) for cut in cuts]
    tested = sum(int(np.isfinite(p).sum()) for p in found)
    if not tested:
        return None
    most = min(range(len(cuts)), key=lambda k: np.nanmin(found[k], initial=np.inf))
    cut, part = cuts[most], int(np.nanargmin(found[most]))
    best = cut.effect(part, change, tested)

    def placebos() -> Floats:
        length = max(change.weeks(len(mondays), SLICE_WEEKS), LEAST_AFTER)
        largest = _largest(cuts, range(change.began - length, LEAST_BEFORE, -length), length)
        projects = sorted({p for m in measures for p in frames[m.source]["project_id"].unique()} - {change.project})
        for project in projects:
            if len(largest) >= ENOUGH_DRAWS:
                break
            whole = [c for c in known if c.project == project and c.pool is None]
            barred = {week for c in whole for week in range(c.began - length, c.start + SLICE_WEEKS)}
            dates = [d for d in range(len(mondays) - length, 2 * LEAST_BEFORE, -2 * length) if d not in barred]
            if dates:
                largest += _largest(_cuts(project, change, measures, frames, mondays), dates, length)
        return np.array(largest)

    best = replace(best, p_value=min(1.0, best.p_value * tested))
    return Part(cut.measure, cut.where[part], best, f"{MOST_MOVED} of {tested}, {LARGEST}", placebos)


def _cuts(
    project: str, change: Change, measures: Sequence[Measure], frames: Frames, mondays: pd.DatetimeIndex
) -> list[Cut]:
    found = []
    for measure in measures:
        frame = frames[measure.source]
        needed = {"week", *KEYS, measure.top, measure.bottom, measure.squares} & {*frame.columns}
        frame = frame[[*needed]][np.asarray(frame["project_id"].array == project, bool)]
        weeks, bottom = len(np.unique(frame["week"].to_numpy())), np.asarray(frame[measure.bottom].array, float)
        for cut in CUTS:
            if any(c not in frame for c in cut):
                continue
            units = _large(frame, cut, bottom, LEAST_SLICE * weeks)
            if len(units.categories) < 2:
                continue
            names, y, se = weekly(frame.assign(unit=units), measure, mondays, change.start)
            if project == change.project and 0 <= change.began < min(change.start, len(mondays)):
                y[:, change.began] = np.nan
            labels = ["project", *(c.removesuffix("_id") for c in cut)]
            where = [dict(zip(labels, (project, *name.split(JOINED)), strict=True)) for name in names]
            found.append(Cut(measure, where, y, se))
    return found


def _large(frame: pd.DataFrame, cut: Sequence[str], bottom: Floats, least: float) -> pd.Categorical:
    """The part of each row, names joined as in ``units_of``; null where it is of a part with less than ``least``."""
    one, other = (pd.Categorical(frame[column].array) for column in cut)
    wide = len(other.categories) + 1
    code = (one.codes.astype(np.int64) + 1) * wide + other.codes + 1
    volume = np.bincount(code, np.nan_to_num(bottom), (len(one.categories) + 1) * wide)
    first, second = np.divmod(np.arange(len(volume)), wide)
    parts = np.flatnonzero((volume >= least) & (volume > 0) & (first > 0) & (second > 0))
    place = np.full(len(volume), -1)
    place[parts] = np.arange(len(parts))
    names = [
        (categories.to_numpy(object), at[parts] - 1)
        for categories, at in ((one.categories, first), (other.categories, second))
    ]
    joined = [f"{a}{JOINED}{b}" for a, b in zip(*(values[at] for values, at in names), strict=True)]
    return pd.Categorical.from_codes(place[code], joined)


def _largest(cuts: Sequence[Cut], dates: Iterable[int], length: int) -> list[float]:
    """The largest statistic over the parts of all cuts at each made-up date."""
    dates = list(dates)
    if not dates or not cuts:
        return []
    sizes = []
    for cut in cuts:
        y, se = np.full((2, len(dates), *cut.y.shape), np.nan)
        for k, start in enumerate(dates):
            y[k, :, : start + length], se[k, :, : start + length] = cut.compared(start, start + length)
        many, shape = np.repeat(dates, len(cut.y)), (-1, cut.y.shape[1])
        found = statistics(y.reshape(shape), many, many + length, se.reshape(shape), trend=False)
        sizes.append(np.abs(found).reshape(len(dates), len(cut.y)))
    every = np.hstack(sizes)
    return np.nanmax(every[np.isfinite(every).any(1)], axis=1).tolist()
