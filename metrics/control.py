"""Has a rate left its usual band? Charts with limits for each point, and two that see small lasting shifts sooner.

A point without judgements takes no part: its row says so, and the next point follows on the last one that has some.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST_POINTS = 8
"""Fewer points than this show too little of their own spread for limits."""

NO_JUDGEMENTS = "no judgements"
FEW_POINTS = f"fewer than {LEAST_POINTS} periods with judgements"
NO_VARIATION = "no variation: the limits would have no width"

MOVING_RANGE = 1.128
"""Mean distance of two normal values in standard deviations, 2/√π."""


@dataclass(frozen=True)
class Chart:
    """``points``: one row per period. ``center``: the usual share. ``spread``: σ_z, 1 where only chance varies.

    ``changed_at``: the position of the first point of the change that the chart shows, or None.
    """

    points: pd.DataFrame
    center: float
    spread: float
    changed_at: int | None


def p_chart(hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None = None, width: float = 3.0) -> Chart:
    """The share of each period against limits that chance alone gives (Shewhart's p chart).

    See ``laney_chart`` for arguments and columns. Right only where periods differ by nothing but chance: with real
    counts of thousands most points would be out.
    """
    return _chart(hits, n, baseline, width, laney=False)


def laney_chart(hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None = None, width: float = 3.0) -> Chart:
    """The share of each period against limits that allow for how periods usually differ (Laney's p' chart).

    hits, n: (periods,) counts in order of time, 0 <= hits <= n. baseline: (periods,), True for the periods that centre
    and spread are taken from; all by default. width: half width in standard deviations.

    Columns of ``points``: value (share), center, low, high (the limits, clipped to 0..1), n, out (beyond a limit) and
    reason. z_i = (p_i - p̄)/√(p̄q̄/n_i); σ_z = mean |z_i - z_(i-1)| / 1.128; limits p̄ ± width σ_z √(p̄q̄/n_i). No limits,
    with a reason, for fewer than ``LEAST_POINTS`` periods of baseline or no variation. ``changed_at`` is the first
    point out. Raises ValueError for counts that are none. Source: Laney 2002.
    """
    return _chart(hits, n, baseline, width, laney=True)


def ewma_chart(
    hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None = None, smoothing: float = 0.2, width: float = 2.86
) -> Chart:
    """A moving average of standardised shares that sees a small lasting shift within weeks.

    Arguments of ``laney_chart``. Columns of ``points``: share, value (the average, in standard deviations of a period),
    center (0), low, high, n, out, reason. Formula: x_i = z_i/σ_z; Z_i = λx_i + (1 - λ)Z_(i-1), Z_0 = 0; limits
    ± L √(λ/(2 - λ) (1 - (1 - λ)^(2i))), exact from the first point on. λ = .2 and L = 2.86 raise a false alarm once in
    about 370 points and see a shift of one standard deviation after about 10. ``changed_at``: the point after which
    the average kept to one side of the centre until it was first out. Source: Roberts 1959; Lucas and Saccucci 1990.
    """
    return _shift_chart(hits, n, baseline, lambda z: _ewma(z, smoothing, width))


def cusum_chart(
    hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None = None, slack: float = 0.5, limit: float = 5.0
) -> Chart:
    """Two running sums of standardised shares, which see a small lasting shift and say when it began.

    Arguments of ``laney_chart``. Columns of ``points``: share, value (the larger of the two sums, negative for the sum
    of falls), center (0), low and high (∓ limit), n, out, reason, up, down. Formula: up_i = max(0, up_(i-1) + x_i - k),
    down_i = max(0, down_(i-1) - x_i - k), x_i = z_i/σ_z, out above h. k = .5 and h = 5 raise a false alarm once in
    about 465 points and see a shift of one standard deviation after about 10. ``changed_at``: the first point after the
    sum that is out last stood at 0. Points that follow one another too closely (weekdays, autocorrelation) void these
    numbers: take out both first. Source: Page 1954.
    """
    return _shift_chart(hits, n, baseline, lambda z: _cusum(z, slack, limit))


def ewma(z: ArrayLike, smoothing: float = 0.2, width: float = 2.86) -> pd.DataFrame:
    """The average of ``ewma_chart`` for standardised values z, (points,): value, low, high, out. No NaN."""
    return pd.DataFrame(_ewma(z, smoothing, width))


def cusum(z: ArrayLike, slack: float = 0.5, limit: float = 5.0) -> pd.DataFrame:
    """The sums of ``cusum_chart`` for standardised values z, (points,): value, low, high, out, up, down. No NaN."""
    return pd.DataFrame(_cusum(z, slack, limit))


def averages(z: ArrayLike, smoothing: float = 0.2) -> Floats:
    """Exponentially weighted moving averages from 0 along the last axis; the shape of z, in its unit."""
    z = np.asarray(z, dtype=float)
    found, last = np.empty_like(z), np.zeros(z.shape[:-1])
    for i in range(z.shape[-1]):
        last = smoothing * z[..., i] + (1 - smoothing) * last
        found[..., i] = last
    return found


def sums(z: ArrayLike, slack: float = 0.5) -> tuple[Floats, Floats]:
    """The running sums of rises and of falls along the last axis; each of the shape of z and 0 or more."""
    z = np.asarray(z, dtype=float)
    found, last = np.empty((2, *z.shape)), np.zeros((2, *z.shape[:-1]))
    for i in range(z.shape[-1]):
        last = np.maximum(0.0, last + np.stack([z[..., i], -z[..., i]]) - slack)
        found[..., i] = last
    return found[0], found[1]


# ------------------------------------------------------------------------------------------------------------ helpers

Columns = dict[str, NDArray]


def _ewma(z: ArrayLike, smoothing: float, width: float) -> Columns:
    z = np.asarray(z, dtype=float)
    value = averages(z, smoothing)
    limit = width * np.sqrt(smoothing / (2 - smoothing) * (1 - (1 - smoothing) ** (2 * np.arange(1, len(z) + 1))))
    return {"value": value, "low": -limit, "high": limit, "out": np.abs(value) > limit}


def _cusum(z: ArrayLike, slack: float, limit: float) -> Columns:
    up, down = sums(z, slack)
    ends = np.full(len(up), limit)
    out = np.maximum(up, down) > limit
    return {"value": np.where(up >= down, up, -down), "low": -ends, "high": ends, "out": out, "up": up, "down": down}


@dataclass(frozen=True)
class _Standardised:
    n: Floats
    share: Floats
    some: NDArray[np.bool_]
    center: float
    spread: float
    z: Floats  # of the periods with judgements
    reason: str  # why there are no limits


def _standardise(hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None, laney: bool) -> _Standardised:
    hits, n = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    if hits.shape != n.shape or not np.all((hits >= 0) & (hits <= n)):
        raise ValueError("hits and n are counts of equal length, hits between 0 and n.")
    some = n > 0
    share = np.divide(hits, n, out=np.full(n.shape, np.nan), where=some)
    known = some if baseline is None else some & np.asarray(baseline, dtype=bool)
    center = hits[known].sum() / n[known].sum() if known.any() else np.nan
    z = np.full(n.shape, np.nan)
    if known.sum() < LEAST_POINTS:
        return _Standardised(n, share, some, center, np.nan, z[some], FEW_POINTS)
    if not 0 < center < 1:
        return _Standardised(n, share, some, center, np.nan, z[some], NO_VARIATION)
    z[some] = (share[some] - center) / np.sqrt(center * (1 - center) / n[some])
    spread = float(np.mean(np.abs(np.diff(z[known]))) / MOVING_RANGE) if laney else 1.0
    return _Standardised(n, share, some, center, spread, z[some], "" if spread > 0 else NO_VARIATION)


def _chart(hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None, width: float, laney: bool) -> Chart:
    s = _standardise(hits, n, baseline, laney)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = (
            width * s.spread * np.sqrt(s.center * (1 - s.center) / s.n) if not s.reason else np.full(len(s.n), np.nan)
        )
    half[~s.some] = np.nan
    low, high = np.clip(s.center - half, 0, 1), np.clip(s.center + half, 0, 1)
    out = (s.share < low) | (s.share > high)
    points = pd.DataFrame({"value": s.share, "center": s.center, "low": low, "high": high, "n": s.n, "out": out})
    points["reason"] = np.where(s.some, s.reason, NO_JUDGEMENTS)
    return Chart(points, float(s.center), float(s.spread), int(np.argmax(out)) if out.any() else None)


def _shift_chart(
    hits: ArrayLike, n: ArrayLike, baseline: ArrayLike | None, track: Callable[[Floats], Columns]
) -> Chart:
    s = _standardise(hits, n, baseline, laney=True)
    blank = np.full(len(s.n), np.nan)
    columns = {"share": s.share, "value": blank, "center": np.zeros(len(s.n)), "low": blank, "high": blank, "n": s.n}
    columns["out"] = np.zeros(len(s.n), bool)
    columns["reason"] = np.where(s.some, s.reason, NO_JUDGEMENTS).astype(object)
    changed = None
    if not s.reason:
        found = track(s.z / s.spread)
        for column, values in found.items():
            columns[column] = np.full(len(s.n), False if column == "out" else np.nan)
            columns[column][s.some] = values
        changed = _began(found, s.some)
    return Chart(pd.DataFrame(columns), float(s.center), float(s.spread), changed)


def _began(found: Columns, some: NDArray[np.bool_]) -> int | None:
    """The position among all points of the first point of the change; None where no point is out."""
    if not found["out"].any():
        return None
    first = int(np.argmax(found["out"]))
    value = found["value"]
    # A sum has a side of its own that can be 0 while the other is not; an average changes side through 0.
    side = value if "up" not in found else found["up" if value[first] > 0 else "down"] * np.sign(value[first])
    before = np.flatnonzero(side[: first + 1] * np.sign(value[first]) <= 0)
    return int(np.flatnonzero(some)[before[-1] + 1 if len(before) else 0])
