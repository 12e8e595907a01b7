"""Synthetic control: one unit with the change against a weighted mean of others that ran like it before.

Source: Abadie, Diamond and Hainmueller 2010 for the weights and the placebos in space; Chernozhukov, Wüthrich and Zhu
2021 for the interval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from metrics.effects.effect import (
    LEAST_AFTER,
    LEAST_BEFORE,
    TOO_EARLY,
    TOO_FEW_BEFORE,
    TOO_SHORT,
    WEEKS,
    Design,
    Effect,
)
from metrics.effects.interrupted import LEAD
from metrics.effects.placebo import placebo_p
from metrics.spec import Estimate

Floats = NDArray[np.float64]

POOR_FIT = 0.75
"""The largest error before the change, over the unit's own standard deviation then, that is still a likeness."""

CLEARLY = 0.75
"""The squares that a mix may leave of weeks held out, over those that the mean leaves: units that run alike, noise
aside, fall below this about one time in ten, by simulation."""

LEAST_DONORS = 2

POOR = "no mix of the other units ran like this one before the change"
NO_DONORS = "fewer than two other units with data in every week"


def synthetic(
    y: ArrayLike,
    others: ArrayLike,
    start: int,
    end: int | None = None,
    names: tuple[str, ...] = (),
    weeks: int = WEEKS,
    level: float = 0.95,
    own_levels: bool = False,
) -> Effect:
    """The effect of a change in one unit, against the mix of others that fits its weeks before best.

    y: (periods,), others: (units, periods): weekly values in the metric's unit, NaN without data; a week y has none in
    is left out, a unit without data in a week that is used is too. start, end, weeks: as in ``interrupted``.
    own_levels: units are taken about their own means in the weeks fitted, so that only their courses must be alike
    (Ferman and Pinto 2021).

    The effect is the mean gap over the weeks under the change, the weights (``simplex_weights``) fitted before it. The
    interval holds every effect that is not refused: take it off, fit the weights to all weeks, and compare the mean gap
    under the change with that of as many weeks in a row anywhere, the weeks taken round in a circle; refused where at
    most 1 - level of the places show as large a one. placebo_p: rank of the ratio of the root mean squared gap after to
    that before, among all units each treated as if it had the change: 1 / (units + 1) is the least it can be.
    placebos: those ratios of the others; statistic: the unit's own. p_value: the share of places that show as large a
    mean gap with nothing taken off. pre_trend_p: the same ratio for the last ``LEAD`` weeks before, had the change come
    then, ranked among all units at that date and at earlier ones; None with too few weeks to ask.

    Null where the gap before exceeds ``POOR_FIT`` standard deviations of the unit: what fits badly before says nothing
    after. Also with too few weeks, or fewer than two others.
    """
    y, others = np.asarray(y, float), np.atleast_2d(np.asarray(others, float))
    stop = min(start + weeks, len(y) if end is None else min(end, len(y)))
    used = np.flatnonzero(np.isfinite(y[:stop]))
    before, after = used[used < start], used[used >= start]
    if len(after) < LEAST_AFTER:
        running = (end is None or end >= len(y)) and len(y) - start < weeks
        return Effect.missing(Design.SYNTHETIC, TOO_EARLY if running else TOO_SHORT, len(after))
    if len(before) < LEAST_BEFORE:
        return Effect.missing(Design.SYNTHETIC, TOO_FEW_BEFORE, len(before))
    whole = np.isfinite(others[:, used]).all(1)
    if whole.sum() < LEAST_DONORS:
        return Effect.missing(Design.SYNTHETIC, NO_DONORS, int(whole.sum()))
    donors, own, b = others[whole][:, used], y[used], len(before)
    gaps, weights = _gaps(own, donors, b, own_levels)
    if _rms(gaps[:b]) > POOR_FIT * own[:b].std():
        return Effect.missing(Design.SYNTHETIC, POOR, len(before))
    everyone = np.vstack([own, donors])
    ratios = _ratios(everyone, b, own_levels)
    value = float(gaps[b:].mean())
    low, high = _not_refused(own, donors, b, value, 1 - level, own_levels)
    early = earlier_ratios(everyone, b - LEAD, LEAD, own_levels)
    named = np.array(names or [str(unit) for unit in range(len(others))], object)[whole]
    return Effect(
        Design.SYNTHETIC,
        Estimate(value, low, high, len(after)),
        p_value=_as_large(own, donors, b, 0.0, own_levels),
        placebo_p=placebo_p(ratios[0], ratios[1:]),
        pre_trend_p=placebo_p(early[0], early[1:]) if len(early) else None,
        statistic=float(ratios[0]),
        weeks=(used - start).astype(float),
        gaps=gaps,
        comparison=tuple((str(name), float(w)) for name, w in zip(named, weights, strict=True) if w > 1e-6),
        placebos=ratios[1:],
    )


def simplex_weights(y: ArrayLike, others: ArrayLike) -> Floats:
    """Weights (units,) of at least 0 that sum to 1, with which the others' mean is nearest to y in squares.

    y: (weeks,), others: (units, weeks), no NaN. Non-negative least squares (Lawson and Hanson 1974) with a row of its
    own for the sum, heavy enough that the sum is 1 to about ten digits, and divided by what is left.
    """
    y, others = np.asarray(y, float), np.asarray(others, float)
    # Only gaps count when the weights sum to 1: taken off a common level, large values lose no digits.
    level = others.mean()
    heavy = 1e4 * max(float(np.abs(others - level).max()), 1e-12) * np.sqrt(others.shape[1])
    rows = np.vstack([(others - level).T, np.full(len(others), heavy)])
    weights = optimize.nnls(rows, np.append(y - level, heavy), maxiter=50 * len(others))[0]
    return weights / weights.sum()


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _gaps(own: Floats, donors: Floats, fitted: int, own_levels: bool) -> tuple[Floats, Floats]:
    """A unit less the mix of the others that fits its first weeks best, and the weights."""
    if own_levels:
        own = own - own[:fitted].mean()
        donors = donors - donors[:, :fitted].mean(1, keepdims=True)
    weights = simplex_weights(own[:fitted], donors[:, :fitted])
    return own - weights @ donors, weights


def _ratios(units: Floats, b: int, own_levels: bool) -> Floats:
    """Root mean squared gap after over that before, weights fitted to the first b weeks, of each unit by the others."""
    gaps = [_gaps(units[k], np.delete(units, k, 0), b, own_levels)[0] for k in range(len(units))]
    return np.array([_rms(gap[b:]) / max(_rms(gap[:b]), 1e-12) for gap in gaps])


def earlier_ratios(units: Floats, last: int, length: int, own_levels: bool = False) -> Floats:
    """The ratios that placebo_p ranks, of every unit (units, weeks), no NaN, for ``length`` weeks from week ``last``
    on, and from as many weeks earlier, and again, while ``LEAST_BEFORE`` are left: all units at the last date first, in
    their order.
    """
    dates = range(last, LEAST_BEFORE - 1, -length)
    found = [_ratios(units[:, : date + length], date, own_levels) for date in dates]
    return np.concatenate(found) if found else np.empty(0)


def mix_foretells(y: ArrayLike, others: ArrayLike, start: int) -> bool:
    """Whether a mix of the others foretells a unit's weeks before ``start`` clearly better than their mean does.

    y: (periods,), others: (units, periods). Each stretch of ``LEAD`` weeks is left out in turn and foretold from the
    rest, by a mix about own levels and by the mean with a level and a line of the difference, which is what a
    comparison with the mean carries on; better is a sum of squares ``CLEARLY`` smaller. A mix of units that all run
    alike, noise aside, is the worse one: it trusts a few of them. False with too few weeks, or fewer than
    ``LEAST_DONORS`` others with data in every week. The weeks under the change have no say.
    """
    units, b = complete(y, others, start, start)
    if b < 2 * LEAST_BEFORE or len(units) <= LEAST_DONORS:
        return False
    own, donors, week = units[0], units[1:], np.arange(b)
    difference = own - donors.mean(0)
    mix = mean = 0.0
    for first in range(b % LEAD, b, LEAD):
        out = (week >= first) & (week < first + LEAD)
        order = np.append(week[~out], week[out])
        gaps, _ = _gaps(own[order], donors[:, order], b - LEAD, own_levels=True)
        mix += float((gaps[-LEAD:] ** 2).sum())
        line = np.polyfit(week[~out], difference[~out], 1)
        mean += float(((difference - np.polyval(line, week))[out] ** 2).sum())
    return mix <= CLEARLY * mean


def complete(y: ArrayLike, others: ArrayLike, start: int, stop: int) -> tuple[Floats, int]:
    """The unit and the others that have data whenever it has, before week ``stop``: (units, weeks), and how many of
    the weeks are before ``start``.
    """
    y, others = np.asarray(y, float)[:stop], np.asarray(others, float)[:, :stop]
    used = np.isfinite(y)
    whole = np.isfinite(others[:, used]).all(1)
    return np.vstack([y[used], others[whole][:, used]]), int(used[:start].sum())


def _as_large(own: Floats, donors: Floats, b: int, effect: float, own_levels: bool) -> float:
    """The share of places in the circle of weeks whose mean gap is as large as the one from week b on, ``effect`` taken
    off: all weeks are fitted, as if there were no more than that.
    """
    places = (np.arange(len(own))[:, None] + np.arange(len(own) - b)) % len(own)
    under = own.copy()
    under[b:] -= effect
    gaps, _ = _gaps(under, donors, len(under), own_levels)
    sizes = np.abs(gaps[places].mean(1))
    return float(np.mean(sizes >= sizes[b] * (1 - 1e-12)))


def _not_refused(
    own: Floats, donors: Floats, b: int, value: float, most: float, own_levels: bool
) -> tuple[float, float]:
    """The lowest and highest effect that the weeks do not refuse."""

    def stands(effect: float) -> bool:
        return _as_large(own, donors, b, effect, own_levels) > most

    ends = []
    for sign in (-1.0, 1.0):
        near, step = value, max(_rms(own[:b] - own[:b].mean()), 1e-9) / 4
        far = value + sign * step
        while stands(far) and step < 1e6 * (abs(value) + 1):
            near, step = far, 2 * step
            far += sign * step
        for _ in range(12):
            middle = (near + far) / 2
            near, far = (middle, far) if stands(middle) else (near, middle)
        ends.append(far)
    return ends[0], ends[1]
