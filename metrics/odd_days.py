"""One odd day or a lasting change? Daily levels told apart, so that a slow tool on one day is no fall in pace.

A level is a day's mean log handle time less what is usual for the same kind of work (``above_usual``): differences of
levels are then ratios of times. Nothing here knows the calendar: days come in order, those without work left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics import control

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_A_DAY = 20
"""Timed judgements for a day to be looked at."""

LEAST_DAYS = 28
"""Fewer days than this do not show what a usual day is."""

ODD = 5.0
"""Robust standard deviations beyond which a day is odd."""

LEAST_ODD = 0.25
"""And how far off its neighbours it is, in logarithms: 28 % longer."""

LEAST_CHANGE = math.log(1.05)
"""By how much a level must have moved, in logarithms, to be called a lasting change."""

AROUND = 9
"""Days whose median a day is set against, itself in the middle."""

SLACK, LIMIT = 1.0, 8.0
"""Of the running sums, in robust standard deviations of a day: a change of two or more is seen within about 8 days."""


@dataclass(frozen=True, eq=False)
class OddDays:
    """off: (days,) levels less the median of their neighbours, in logarithms. far: odd days. alone: odd ones whose
    neighbours are not: back the next day.
    """

    off: Floats
    far: Flags
    alone: Flags


@dataclass(frozen=True)
class LastingChange:
    """at: the position of its first day. size: the median level from then on less that of the days before, in
    logarithms.
    """

    at: int
    size: float


def above_usual(day: NDArray[np.int64], kind: NDArray[np.int64], n: Floats, logs: Floats) -> tuple[Floats, Floats]:
    """Of each day the timed judgements and the level, (days,) each; the level is NaN for a day without any.

    day, kind: (cells,) codes from 0; n, logs: (cells,) judgements and the sum of their log seconds. The usual of a kind
    is its mean over all days; level = sum of (logs - n usual) / n, so that a day of slow kinds is not a slow day.
    """
    total = np.bincount(kind, n)
    usual = np.divide(np.bincount(kind, logs), total, out=np.zeros(len(total)), where=total > 0)[kind]
    count = np.bincount(day, n)
    above = np.bincount(day, logs - n * usual)
    return count, np.divide(above, count, out=np.full(len(count), np.nan), where=count > 0)


def odd_days(level: ArrayLike, n: ArrayLike) -> OddDays:
    """Days far off those around them.

    level, n: (days,) levels without gaps and the judgements behind them. Odd: further from the median of ``AROUND``
    days than ``ODD`` robust standard deviations (1.4826 times the median distance, wider by √(median n / n) for a day
    of few judgements, so that a holiday is not odd by chance) and than ``LEAST_ODD``.
    """
    level, n = np.asarray(level, dtype=float), np.asarray(n, dtype=float)
    off = level - pd.Series(level).rolling(AROUND, center=True, min_periods=AROUND // 2 + 1).median().to_numpy()
    wider = np.sqrt(np.maximum(np.median(n) / n, 1)) if len(n) else n
    far = np.abs(off) > np.maximum(ODD * spread(off) * wider, LEAST_ODD)
    alone = far & ~np.append(far[1:], False) & ~np.insert(far[:-1], 0, False)
    return OddDays(off, far, alone)


def lasting_change(level: ArrayLike, before: ArrayLike, odd: ArrayLike) -> LastingChange | None:
    """A change of level that came to light after the days ``before`` and stayed; None where there is none.

    level: (days,); before: (days,) True for the days that say what is usual, the first ones; odd: (days,) days that
    take no part: a single day far off must not look like a change that stays. Found by running sums of the distance
    from the median of ``before`` in its robust standard deviations (``control.sums``, ``SLACK`` and ``LIMIT``); its
    first day is the cut since the sum left 0 that two means explain best. None for fewer than ``control.LEAST_POINTS``
    days before, none after, or a median since then less than ``LEAST_CHANGE`` off or on the other side.
    Source: Page 1954.
    """
    used = np.flatnonzero(~np.asarray(odd, dtype=bool))
    level, before = np.asarray(level, dtype=float)[used], np.asarray(before, dtype=bool)[used]
    if before.sum() < control.LEAST_POINTS or before.all():
        return None
    center = float(np.median(level[before]))
    above, below = control.sums((level - center) / max(spread(level[before]), 1e-6), SLACK)
    out = (np.maximum(above, below) > LIMIT) & ~before
    if not out.any():
        return None
    first = int(np.argmax(out))
    side = above if above[first] >= below[first] else below
    start = int(np.flatnonzero(np.append(0.0, side[:first]) <= 0)[-1])
    start += int(np.argmax(_contrasts(level, start, first)))
    size = float(np.median(level[start:])) - center
    if (size > 0) != (side is above) or abs(size) < LEAST_CHANGE:
        return None
    return LastingChange(int(used[start]), size)


def spread(values: ArrayLike) -> float:
    """The standard deviation as the median distance from the median gives it; single odd days do not widen it."""
    values = np.asarray(values, dtype=float)
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _contrasts(values: Floats, first: int, last: int) -> Floats:
    """How clearly the values from each cut on differ from those before: the squares that two means explain."""
    cuts = np.arange(first, last + 1)
    sums, total = np.append(0.0, values.cumsum())[cuts], values.sum()
    left, right = cuts, len(values) - cuts
    gap = np.divide(sums, left, out=np.zeros(len(cuts)), where=left > 0) - (total - sums) / right
    return left * right * gap**2
