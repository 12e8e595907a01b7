"""Level shifts that nobody wrote down: when did a weekly series move to another level and stay, and is a change known?

All ways to cut the series are compared (Jackson et al. 2005, "optimal partitioning"), inside each piece a level with
errors that follow one another: weeks that carry over look like shifts to a method that takes them as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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
    y = np.asarray(y, float)
    errors = np.ones(len(y)) if se is None else np.asarray(se, float)
    week = np.flatnonzero(np.isfinite(y) & np.isfinite(errors) & (errors > 0))
    n = len(week)
    if n < LEAST_WEEKS or np.ptp(y[week]) == 0:
        return ()
    weight = np.sqrt(np.mean(errors[week] ** 2)) / errors[week]
    # A level of its own makes rounding harmless; it changes no cut.
    z = y[week] - y[week].mean()
    best: tuple[float, tuple[int, ...]] = (np.inf, ())
    for phi in PHI:
        for m, (squares, cuts) in enumerate(_partitions(z * weight, weight, phi)):
            value = n * np.log(max(squares, 1e-300)) - (m + 1) * np.log(1 - phi**2) + PENALTY * np.log(n) * m
            best = min(best, (value, cuts), key=lambda pair: pair[0])
    edges = (0, *best[1], n)
    levels = [float(np.average(y[week[a:b]], weights=weight[a:b] ** 2)) for a, b in pairwise(edges)]
    return tuple(
        Shift(int(week[cut]), before, after)
        for cut, before, after in zip(best[1], levels[:-1], levels[1:], strict=True)
    )


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


def _partitions(z: Floats, x: Floats, phi: float) -> list[tuple[float, tuple[int, ...]]]:
    """For 0, 1, 2 ... shifts the least sum of squares and the cuts that give it."""
    n = len(z)
    cost = _costs(z, x, phi)
    most = min(MOST_SHIFTS, n // LEAST_PIECE - 1)
    # best[t]: the least squares of the first t weeks with the shifts so far.
    best, back = cost[0], []
    found = [(float(best[n]), ())]
    for _ in range(most):
        through = best[:, None] + cost
        at = through.argmin(0)
        back.append(at)
        best = through[at, np.arange(n + 1)]
        cuts, end = [], n
        for step in reversed(back):
            end = int(step[end])
            cuts.append(end)
        if not np.isfinite(best[n]):
            break
        found.append((float(best[n]), tuple(reversed(cuts))))
    return found


def _costs(z: Floats, x: Floats, phi: float) -> Floats:
    """cost[s, t]: the sum of squares of the weeks s to t - 1 about one level; infinite where that is too short."""
    n, first = len(z), np.sqrt(1 - phi**2)
    moved_z, moved_x = (np.append(0.0, a[1:] - phi * a[:-1]) for a in (z, x))
    # The first week of a piece has no week before it to be foretold from: it stands by itself, shrunk.
    heads = ((first * z) ** 2, first**2 * z * x, (first * x) ** 2)
    zz, zx, xx = (
        np.append(0.0, np.cumsum(a))[None, :] + (head - np.cumsum(a))[:, None]
        for a, head in zip((moved_z**2, moved_z * moved_x, moved_x**2), heads, strict=True)
    )
    cost = np.full((n + 1, n + 1), np.inf)
    with np.errstate(all="ignore"):
        np.copyto(cost[:n], np.maximum(zz - zx * zx / xx, 0.0), where=_long(n))
    return cost


@cache
def _long(n: int) -> NDArray[np.bool_]:
    """(n, n + 1): whether a piece from one week to another is long enough."""
    return np.arange(n + 1) - np.arange(n)[:, None] >= LEAST_PIECE
