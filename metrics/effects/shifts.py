"""Level shifts that nobody wrote down: when did a weekly series move to another level and stay, and is a change known?

All ways to cut the series are compared (Jackson et al. 2005, "optimal partitioning"), inside each piece a level with
errors that follow one another: weeks that carry over look like shifts to a method that takes them as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PHI = np.linspace(0.0, 0.9, 10)
"""The strengths of carry-over tried; the one that needs the fewest shifts for its fit wins."""

LEAST_PIECE = 4
"""Weeks a level must last, so that one odd week is no shift."""

MOST_SHIFTS = 5
LEAST_WEEKS = 20

PENALTY = 3.5
"""What a shift must gain, times ln(weeks), in minus twice the log-likelihood. By simulation at most 1 in 20 series
without a shift gets one: AR(1) with phi 0 to .6 and 40 to 78 weeks (tests/metrics/effects/test_shifts.py)."""


class Shift(NamedTuple):
    """week: the first one at the new level. before, after: the levels. change: what is on record then, or none."""

    week: int
    before: float
    after: float
    change: int | None = None


def level_shifts(y: ArrayLike, se: ArrayLike | None = None) -> tuple[Shift, ...]:
    """The lasting moves of a weekly series, in order; none where there are fewer than ``LEAST_WEEKS`` weeks with data.

    y: (periods,), NaN without data; se: (periods,) standard errors, of which the ratios count. Minimises
    n ln S(cuts, phi) - Σ pieces ln(1 - phi²) + ``PENALTY`` ln(n) · shifts over phi and all cuts into pieces of at least
    ``LEAST_PIECE`` weeks, S the sum of squares after Prais and Winsten's transformation, each piece begun anew.
    """
    return level_shifts_of_many(np.asarray(y, float)[None], None if se is None else np.asarray(se, float)[None])[0]


def level_shifts_of_many(y: Floats, se: Floats | None = None) -> list[tuple[Shift, ...]]:
    """``level_shifts`` of each of many series: y, se (series, periods)."""
    errors = np.ones(y.shape) if se is None else se
    used = np.isfinite(y) & np.isfinite(errors) & (errors > 0)
    weeks = [np.flatnonzero(row) for row in used]
    told = [k for k, week in enumerate(weeks) if len(week) >= LEAST_WEEKS and np.ptp(y[k, week]) > 0]
    found: list[tuple[Shift, ...]] = [()] * len(y)
    if not told:
        return found
    # Weeks with data side by side, 0 after a series' last one: what comes after its end has no part in it.
    z, weight = np.zeros((2, len(told), max(len(weeks[k]) for k in told)))
    for row, k in enumerate(told):
        at, week = slice(len(weeks[k])), weeks[k]
        weight[row, at] = np.sqrt(np.mean(errors[k, week] ** 2)) / errors[k, week]
        # A level of its own makes rounding harmless; it changes no cut.
        z[row, at] = (y[k, week] - y[k, week].mean()) * weight[row, at]
    cuts = _best_cuts(z, weight, np.array([len(weeks[k]) for k in told]))
    for row, k in enumerate(told):
        week, edges = weeks[k], (0, *cuts[row], len(weeks[k]))
        squared = weight[row, : len(week)] ** 2
        levels = [float(np.average(y[k, week[a:b]], weights=squared[a:b])) for a, b in pairwise(edges)]
        steps = zip(cuts[row], levels[:-1], levels[1:], strict=True)
        found[k] = tuple(Shift(int(week[cut]), before, after) for cut, before, after in steps)
    return found


def matched(shifts: Sequence[Shift], starts: Sequence[int], window: int = 1) -> tuple[Shift, ...]:
    """The shifts, each with the place in ``starts`` of the nearest recorded week within ``window`` of it, or None.

    starts: the weeks in which recorded changes began or ended. A shift without one is a finding.
    """
    found = []
    for shift in shifts:
        near = [
            (abs(week - shift.week), place) for place, week in enumerate(starts) if abs(week - shift.week) <= window
        ]
        found.append(shift._replace(change=min(near)[1] if near else None))
    return tuple(found)


def _best_cuts(z: Floats, x: Floats, n: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """The cuts of each series (series, weeks) of n weeks, at the phi and the number of shifts that suit it best."""
    # One row per phi and series.
    phi, rows = np.repeat(PHI, len(z)), np.tile(np.arange(len(z)), len(PHI))
    pieces = _Pieces(z[rows], x[rows], phi)
    squares = np.array([best[n[rows], np.arange(len(rows))] for best in pieces.best])
    m = np.arange(len(squares))[:, None]
    value = n[rows] * np.log(np.maximum(squares, 1e-300)) - (m + 1) * np.log(1 - phi**2)
    value += PENALTY * np.log(n[rows]) * m
    # By series, phi, shifts: of equal ones the first stands.
    least = value.reshape(len(m), len(PHI), len(z)).transpose(2, 1, 0).reshape(len(z), -1).argmin(1)
    at, shifts = np.divmod(least, len(m))
    return [
        pieces.cuts(int(p) * len(z) + k, int(s), int(n[k])) for k, (p, s) in enumerate(zip(at, shifts, strict=True))
    ]


class _Pieces:
    """The least sums of squares of the first weeks of many series, cut into pieces, each at a phi of its own.

    z, x: (series, weeks); phi: (series,). best: for 0, 1, 2 ... shifts (weeks + 1, series), the least squares of the
    first t weeks; infinite where they are too few.
    """

    def __init__(self, z: Floats, x: Floats, phi: Floats) -> None:
        z, x, first = z.T, x.T, np.sqrt(1 - phi**2)
        moved_z, moved_x = (np.vstack([np.zeros_like(phi), a[1:] - phi * a[:-1]]) for a in (z, x))
        # The first week of a piece has no week before it to be foretold from: it stands by itself, shrunk.
        heads = ((first * z) ** 2, first**2 * z * x, (first * x) ** 2)
        sums = [np.cumsum(a, axis=0) for a in (moved_z**2, moved_z * moved_x, moved_x**2)]
        self._up_to = [np.vstack([np.zeros_like(phi), a]) for a in sums]
        self._from = [head - a for head, a in zip(heads, sums, strict=True)]
        periods = len(z)
        self.best = np.full((min(MOST_SHIFTS, periods // LEAST_PIECE - 1) + 1, periods + 1, len(phi)), np.inf)
        for t in range(LEAST_PIECE, periods + 1):
            cost = self._cost(t)
            self.best[0, t] = cost[0]
            for m in range(1, len(self.best)):
                self.best[m, t] = (self.best[m - 1, : len(cost)] + cost).min(0)

    def _cost(self, t: int, row: int | slice = slice(None)) -> Floats:
        """The sum of squares about one level of the weeks s to t - 1, for every s that is early enough."""
        early = t - LEAST_PIECE + 1
        zz, zx, xx = (up_to[t, row] + start[:early, row] for up_to, start in zip(self._up_to, self._from, strict=True))
        with np.errstate(all="ignore"):
            return np.maximum(zz - zx * zx / xx, 0.0)

    def cuts(self, row: int, shifts: int, n: int) -> tuple[int, ...]:
        """Where the first n weeks of a series are cut to get its least squares with so many shifts."""
        found, end = [], n
        for m in range(shifts - 1, -1, -1):
            cost = self._cost(end, row)
            end = int((self.best[m, : len(cost), row] + cost).argmin())
            found.append(end)
        return tuple(reversed(found))
