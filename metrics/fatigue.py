"""Do errors rise through the shift? A rater's hours are compared with one another, so it matters not who works late.

``within_raters`` is the estimator; speed.py uses it too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import student
from metrics.multiple import benjamini_hochberg

Floats = NDArray[np.float64]

RISE, FALL, NO_SIGN, CANNOT_TELL = "errors rise", "errors fall", "no sign", "cannot tell"
LEAST_RATERS = 5
FEW_RATERS = f"fewer than {LEAST_RATERS} raters worked at different times"


def within_raters(
    rater: ArrayLike,
    x: ArrayLike,
    total: ArrayLike,
    n: ArrayLike,
    group: ArrayLike | None = None,
    level: float = 0.95,
    few: str = FEW_RATERS,
) -> pd.DataFrame:
    """The slope of y on x within raters, one row per group in the order of the groups' names.

    One entry per cell of rater x period or hour: x its position, total = Σ y and n its judgements; cells with n = 0 or
    a missing x take no part. group: (cells,), none means one group named "all"; a rater in two groups counts as two.
    Columns: group, value (units of y per unit of x), low, high, n (judgements), reason, raters (how many have cells at
    different x), p (of no slope, two-sided).

    Formula, with everything measured from the rater's own mean (fixed effects): b = Σ n·dx·dy / Σ n·dx², dy = total/n -
    Σ total/Σ n. Errors clustered by rater: v = m*/(m* - 1) Σ_r s_r²/D², s_r = Σ n·dx(dy - b·dx), D_r = Σ n·dx², D =
    Σ D_r; Student's t with m* - 1 degrees of freedom, m* = D²/Σ D_r² the raters that carry the slope. Linear in y, so
    the slope is in points and few judgements per rater do no harm, as they would in a logistic fit with an effect per
    rater. No value for fewer than ``LEAST_RATERS`` raters. Source: Liang and Zeger 1986; Cameron and Miller 2015.
    Raises ValueError for columns of unequal lengths.
    """
    x, total, n = (np.asarray(c, dtype=float) for c in (x, total, n))
    rater = np.asarray(rater)
    group = np.full(len(n), "all", dtype=object) if group is None else np.asarray(group)
    if not len(rater) == len(x) == len(total) == len(n) == len(group):
        raise ValueError("rater, x, total, n and group differ in length.")
    used = (n > 0) & np.isfinite(x) & np.isfinite(total)
    codes, names = pd.factorize(group, sort=True)
    place = pd.factorize(rater)[0][used].astype(np.int64)
    member, of_pair = np.unique(codes[used] * (place.max(initial=0) + 1) + place, return_inverse=True)
    home = member // (place.max(initial=0) + 1)
    x, y, n = x[used], total[used] / n[used], n[used]

    def by_rater(values: Floats) -> Floats:
        return np.bincount(of_pair, values, len(member))

    def by_group(values: Floats) -> Floats:
        return np.bincount(home, values, len(names))

    weight = by_rater(n)
    dx, dy = (v - (by_rater(n * v) / weight)[of_pair] for v in (x, y))
    own = by_rater(n * dx**2)
    # A rater always at the same x leaves rounding errors, not zeros.
    own = np.where(own > 1e-12 * weight * max(float(np.max(x**2, initial=0)), 1e-300), own, 0.0)
    size, raters = by_group(own), by_group((own > 0).astype(float))
    enough = raters >= LEAST_RATERS
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(enough, by_group(by_rater(n * dx * dy)) / size, np.nan)
        carry = size**2 / by_group(own**2)
        residual = by_rater(n * dx * (dy - slope[home][of_pair] * dx))
        error = np.sqrt(carry / (carry - 1) * by_group(residual**2)) / size
        error = np.where(carry > 1 + 1e-9, error, np.nan)
        half = student(0.5 + level / 2, carry - 1) * error
        p = np.where(error > 0, 2 * special.stdtr(np.maximum(carry - 1, 1e-9), -np.abs(slope / error)), np.nan)
    return pd.DataFrame(
        {
            "group": names,
            "value": slope,
            "low": slope - half,
            "high": slope + half,
            "n": by_group(weight),
            "reason": np.where(enough, "", few),
            "raters": raters.astype(int),
            "p": p,
        }
    )


def fatigue(
    rater: ArrayLike,
    hour: ArrayLike,
    n: ArrayLike,
    wrong: ArrayLike,
    group: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    margin: float = 0.005,
    false_discovery: float = 0.05,
) -> pd.DataFrame:
    """By how much the error rate rises with each hour into the shift, one row per group (pool, shift, or both).

    One entry per cell of rater x hour: hour = hours since the shift (or the last break) began, n and wrong the counts
    on gold. expected: how many an average rater would get wrong in the cell, where items differ by the hour; the slope
    is then that of wrong - expected. margin: the rise per hour that would matter, a share.

    Columns of ``within_raters``: value is points of error per hour as a share (.01 is one point an hour); and ``mean``
    (the group's error rate), q (Benjamini-Hochberg over groups), ``verdict``: "errors rise" or "errors fall" where q <=
    false_discovery, "no sign" where the interval lies within ± margin, else "cannot tell"; None without a slope. An
    adjusted association: who stays late is not drawn by lot.
    """
    n, wrong = np.asarray(n, dtype=float), np.asarray(wrong, dtype=float)
    above = wrong if expected is None else wrong - np.asarray(expected, dtype=float)
    found = within_raters(rater, hour, above, n, group)
    codes = pd.factorize(np.full(len(n), "all", dtype=object) if group is None else np.asarray(group), sort=True)[0]
    errors, judged = (np.bincount(codes, c, len(found)) for c in (wrong, n))
    found["mean"] = np.divide(errors, judged, out=np.full(len(found), np.nan), where=judged > 0)
    return verdicts(found, margin, false_discovery, (RISE, FALL, NO_SIGN, CANNOT_TELL))


def verdicts(
    found: pd.DataFrame, margin: float, false_discovery: float, words: tuple[str, str, str, str]
) -> pd.DataFrame:
    """The slopes with q over the groups and a verdict: the words for a rise, a fall, none that matters, cannot tell."""
    q = benjamini_hochberg(found["p"].to_numpy(float)).q
    value, low, high = (found[c].to_numpy(float) for c in ("value", "low", "high"))
    called = q <= false_discovery
    quiet = (low >= -margin) & (high <= margin)
    verdict = np.select([called & (value > 0), called & (value < 0), quiet], words[:3], words[3]).astype(object)
    return found.assign(q=q, verdict=np.where(np.isfinite(value), verdict, None))
