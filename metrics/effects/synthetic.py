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
from metrics.effects.placebo import placebo_p
from metrics.spec import Estimate

Floats = NDArray[np.float64]

POOR_FIT = 0.75
"""The largest error before the change, over the unit's own standard deviation then, that is still a likeness."""

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
) -> Effect:
    """The effect of a change in one unit, against the mix of others that fits its weeks before best.

    y: (periods,), others: (units, periods): weekly values in the metric's unit, NaN without data; a week y has none in
    is left out, a unit without data in a week that is used is too. start, end, weeks: as in ``interrupted``.

    The effect is the mean gap over the weeks under the change, the weights (``simplex_weights``) fitted before it. The
    interval holds every effect that is not refused: take it off, fit the weights to all weeks, and compare the mean gap
    under the change with that of as many weeks in a row anywhere, the weeks taken round in a circle; refused where at
    most 1 - level of the places show as large a one. placebo_p: rank of the ratio of the root mean squared gap after to
    that before, among all units each treated as if it had the change: 1 / (units + 1) is the least it can be.
    placebos: those ratios of the others; statistic: the unit's own.

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
    weights = simplex_weights(own[:b], donors[:, :b])
    gaps = own - weights @ donors
    if _rms(gaps[:b]) > POOR_FIT * own[:b].std():
        return Effect.missing(Design.SYNTHETIC, POOR, len(before))
    everyone = np.vstack([own, donors])
    ratios = np.array([_ratio(everyone[k], np.delete(everyone, k, 0), b) for k in range(len(everyone))])
    value = float(gaps[b:].mean())
    low, high = _not_refused(own, donors, b, value, 1 - level)
    named = np.array(names or [str(unit) for unit in range(len(others))], object)[whole]
    return Effect(
        Design.SYNTHETIC,
        Estimate(value, low, high, len(after)),
        placebo_p=placebo_p(ratios[0], ratios[1:]),
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


def _ratio(own: Floats, donors: Floats, b: int) -> float:
    """Root mean squared gap after over that before, weights fitted to the first b weeks."""
    gaps = own - simplex_weights(own[:b], donors[:, :b]) @ donors
    return _rms(gaps[b:]) / max(_rms(gaps[:b]), 1e-12)


def _not_refused(own: Floats, donors: Floats, b: int, value: float, most: float) -> tuple[float, float]:
    """The lowest and highest effect that the weeks do not refuse."""
    after = len(own) - b
    places = (np.arange(len(own))[:, None] + np.arange(after)) % len(own)

    def stands(effect: float) -> bool:
        under = own.copy()
        under[b:] -= effect
        gaps = under - simplex_weights(under, donors) @ donors
        sizes = np.abs(gaps[places].mean(1))
        return float(np.mean(sizes >= sizes[b] * (1 - 1e-12))) > most

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
