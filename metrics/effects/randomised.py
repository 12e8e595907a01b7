"""Changes that chance gave to some: the difference of means, made sharper by what was known before.

Source: Deng, Xu, Kohavi and Walker 2013 (CUPED); Fisher 1935 for the test by permutation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.effects.effect import Design, Effect
from metrics.effects.placebo import placebo_p
from metrics.intervals import student
from metrics.spec import Estimate

Floats = NDArray[np.float64]

LEAST_EACH = 5
"""Units with and without the change, each."""

DRAWS = 999

FEW = f"fewer than {LEAST_EACH} units with or without the change"
SAME = "no variation between units"


class Adjusted(NamedTuple):
    """y: (units,) less what was foreseen. theta: per unit of the earlier value. kept: the share of variance left."""

    y: Floats
    theta: float
    kept: float


def cuped(y: ArrayLike, earlier: ArrayLike) -> Adjusted:
    """Values less the part that the same units' earlier values foretell; the mean stays.

    y, earlier: (units,), the second measured before the change only: what the change touched must not be taken off.
    y' = y - theta (earlier - mean), theta = Cov / Var; the variance left is 1 - rho² of it. theta is 0 where the
    earlier values do not vary.
    """
    y, x = np.asarray(y, float), np.asarray(earlier, float)
    off = x - x.mean()
    squares = float(off @ off)
    theta = float(off @ y) / squares if squares > 0 else 0.0
    adjusted = y - theta * off
    return Adjusted(adjusted, theta, float(adjusted.var() / y.var()) if y.var() > 0 else 1.0)


def randomised(
    y: ArrayLike, treated: ArrayLike, earlier: ArrayLike | None = None, seed: int = 0, draws: int = DRAWS
) -> Effect:
    """The effect of a change that chance gave to some units: difference of means with Welch's interval.

    y: (units,) in the metric's unit, NaN left out; treated: (units,) true or false; earlier: (units,) the same measured
    before the change, to adjust by (``cuped``); without NaN where y has none. placebo_p: units are dealt out anew
    ``draws`` times, as chance might have; placebos are those differences. Null under ``LEAST_EACH`` units each way, or
    without variation. n is the units.
    """
    y, treated = np.asarray(y, float), np.asarray(treated, bool)
    known = np.isfinite(y) if earlier is None else np.isfinite(y) & np.isfinite(np.asarray(earlier, float))
    y, treated = y[known], treated[known]
    m, c = int(treated.sum()), int((~treated).sum())
    if min(m, c) < LEAST_EACH:
        return Effect.missing(Design.RANDOMISED, FEW, m + c)
    if earlier is not None:
        y = cuped(y, np.asarray(earlier, float)[known]).y
    one, other = y[treated].var(ddof=1) / m, y[~treated].var(ddof=1) / c
    if one + other <= 0:
        return Effect.missing(Design.RANDOMISED, SAME, m + c)
    value = float(y[treated].mean() - y[~treated].mean())
    df = (one + other) ** 2 / (one**2 / (m - 1) + other**2 / (c - 1))
    se = float(np.sqrt(one + other))
    half = float(student(0.975, df)) * se
    rng = np.random.default_rng(seed)
    dealt = rng.permuted(np.tile(treated, (draws, 1)), axis=1)
    differences = dealt @ y / m - (~dealt) @ y / c
    return Effect(
        Design.RANDOMISED,
        Estimate(value, value - half, value + half, m + c),
        p_value=float(2 * special.stdtr(df, -abs(value) / se)),
        placebo_p=placebo_p(value, differences),
        statistic=value / se,
        placebos=differences,
    )
