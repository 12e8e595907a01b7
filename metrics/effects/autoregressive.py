"""Least squares for a weekly series whose errors follow one another: AR(1), its strength not known.

Weeks that are off tend to be followed by weeks that are off the same way, so n weeks say less than n. How strongly they
follow, phi, is itself guessed badly from 40 to 80 weeks: a fit at one guess gives intervals that are too narrow. Here
every phi of a grid is fitted by generalised least squares and weighted by how well the data suit it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

PHI = np.linspace(-0.6, 0.96, 27)
"""The strengths thought possible, all equally likely before the data is seen."""

HALVINGS = 36
"""Of the span in which an end of the interval is sought: ten digits."""


class Fit(NamedTuple):
    """Coefficients at each phi of the grid, and how likely each phi is; of many series with a first axis of theirs.

    beta: (phis, k). covariance: (phis, k, k). noise: (phis,), the variance of a week's error of scale 1. weight:
    (phis,), sums to 1. df: weeks less coefficients.
    """

    beta: Floats
    covariance: Floats
    noise: Floats
    weight: Floats
    df: int | NDArray[np.int64]

    @property
    def phi(self) -> float:
        """The weighted mean of phi."""
        return float(self.weight @ PHI)

    def of(self, series: int) -> Fit:
        """One series of many."""
        return Fit(*(table[series] for table in self[:4]), int(self.df[series]))


class Contrast(NamedTuple):
    """A sum of coefficients: its value, standard deviation, both ends of the interval, and the two-sided p of 0."""

    value: float
    sd: float
    low: float
    high: float
    p: float


def fit(y: ArrayLike, x: ArrayLike, week: ArrayLike, scale: ArrayLike | None = None) -> Fit:
    """``fits`` of one series without gaps in the arrays: y, scale (n,), x (n, k), week (n,) rising whole numbers.

    Raises ValueError where the columns of x say the same.
    """
    y, x, week = np.asarray(y, float), np.asarray(x, float), np.asarray(week, int)
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("The weeks do not tell the coefficients apart.")
    place = week - week[0]
    used = np.zeros((1, place[-1] + 1), bool)
    used[0, place] = True

    def spread(values: Floats) -> Floats:
        wide = np.zeros((used.shape[1], *values.shape[1:]))
        wide[place] = values
        return wide[None]

    return fits(spread(y), spread(x), used, None if scale is None else spread(np.asarray(scale, float))).of(0)


def fits(y: Floats, x: Floats, used: NDArray[np.bool_], scale: Floats | None = None) -> Fit:
    """Generalised least squares of many series under AR(1) errors, for every phi of ``PHI``, all at once.

    y: (series, weeks); x: (series, weeks, k), of full rank over the weeks used, which is not checked; used: (series,
    weeks), more than k each: a missing week is left out and counted as time gone by. scale: (series, weeks) the
    relative standard deviation of each week's error, 1 where not given. What is not used may hold anything.

    Errors e_t = scale_t u_t, u_t = phi u_(t-1) + noise; so two values d weeks apart correlate with phi^d, and
    (u_t - phi^d u_(t-d)) / sqrt(1 - phi^(2d)) are independent: Prais and Winsten's transformation, the first week kept.
    Weight of phi: the restricted likelihood |X'VX|^(-1/2) |V|^(1/2) S^(-(n-k)/2), V the inverse correlation and S the
    weighted residual sum of squares (Harville 1974), which is the posterior under flat priors on coefficients, log
    scale and phi (Zellner 1971, ch. 4).
    """
    k = x.shape[2]
    n = used.sum(1)
    z = np.empty((*y.shape, k + 1))
    z[:, :, :k], z[:, :, k] = x, y
    if scale is not None:
        z /= np.where(used, scale, 1.0)[:, :, None]
    z[~used] = 0.0
    # A series without any noise has S = 0 at every phi: the floor keeps the logarithm and lets all phi count alike.
    floor = np.maximum(1e-12 * (z[:, :, k] ** 2).sum(1), 1e-300)[:, None]
    # What is left about the plain line is fitted and the line added back: sums of squares then lose no digits.
    plain = z.swapaxes(1, 2) @ z
    line = np.linalg.solve(plain[:, :k, :k], plain[:, :k, k:])[:, :, 0]
    z[:, :, k] -= (z[:, :, :k] @ line[:, :, None])[:, :, 0]
    inverse, beta, squares, log_pivots, shrunk = _solved(z, used)
    squares = np.maximum(squares, floor)
    df = n - k
    log = -0.5 * log_pivots - shrunk - df[:, None] / 2 * np.log(squares)
    weight = np.exp(log - log.max(1, keepdims=True))
    noise = squares / df[:, None]
    covariance = inverse * noise[:, :, None, None]
    return Fit(beta + line[:, None], covariance, noise, weight / weight.sum(1, keepdims=True), df)


def _solved(z: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The normal equations of each series at each phi, z (series, weeks, k + 1) with y in the last column.

    Gives the inverse of X'VX (series, phis, k, k), the coefficients (series, phis, k), and (series, phis) each the sum
    of squares that is left, log |X'VX|, and -log |V| / 2.
    """
    m, _, wide = z.shape
    k = wide - 1
    # The transformed weeks are needed in sums of products only, and those are polynomials in phi^d by sums of pairs.
    first = z[np.arange(m), used.argmax(1)]
    sums, by_phi = [first[:, :, None] * first[:, None, :]], [np.ones(len(PHI))]
    shrunk = np.zeros((m, len(PHI)))
    for d, count, new, cross, old in _pairs(z, used):
        carried = PHI ** float(d)
        rest = 1 - carried**2
        sums += [new, old, cross + cross.swapaxes(1, 2)]
        by_phi += [1 / rest, carried**2 / rest, -carried / rest]
        shrunk += count[:, None] / 2 * np.log(rest)
    lower = [(i, j) for i in range(wide) for j in range(i + 1)]
    rows, columns = (list(place) for place in zip(*lower, strict=True))
    entries = np.stack([one[:, rows, columns].T for one in sums], axis=2).reshape(-1, len(sums))
    total = (entries @ np.array(by_phi)).reshape(len(lower), m, len(PHI))
    # k is small and the series are thousands: eliminated entry by entry, for all series and phis at once. The matrix is
    # positive definite, so no order of the pivots is better than another. left: what is left of it.
    left, factor = dict(zip(lower, total, strict=True)), {}
    for c in range(k):
        for i in range(c + 1, wide):
            factor[i, c] = left[i, c] / left[c, c]
            for j in range(c + 1, i + 1):
                left[i, j] -= factor[i, c] * left[j, c]
    # The inverse of the factors, whose last row is the coefficients with their sign turned.
    back: dict[tuple[int, int], Floats] = {}
    for c in range(k):
        for i in range(c + 1, wide):
            back[i, c] = -(factor[i, c] + sum(factor[i, j] * back[j, c] for j in range(c + 1, i)))
    inverse = np.empty((k, k, m, len(PHI)))
    for i in range(k):
        for j in range(i + 1):
            below = (back[r, i] * back[r, j] / left[r, r] for r in range(i + 1, k))
            own = (back[i, j] if i > j else 1.0) / left[i, i]
            inverse[i, j] = inverse[j, i] = own + sum(below)
    beta = np.moveaxis(np.array([-back[k, c] for c in range(k)]), 0, 2)
    inverse = inverse.transpose(2, 3, 0, 1)
    return inverse, beta, left[k, k], sum(np.log(left[c, c]) for c in range(k)), shrunk


def _pairs(z: Floats, used: NDArray[np.bool_]) -> Iterator[tuple[int, Floats, Floats, Floats, Floats]]:
    """Used weeks and the used ones before them, by the weeks between: d, how many pairs (series,), and the sums of
    products of later with later, later with earlier, earlier with earlier, each (series, k, k).
    """
    near, edge = used[:, 1:] & used[:, :-1], np.zeros((len(used), 1), bool)
    # All weeks but the few that follow, or are followed by, one without data. Those without data are 0 in z.
    whole = z.swapaxes(1, 2) @ z
    unled, unfollowed = used & ~np.hstack([edge, near]), used & ~np.hstack([near, edge])
    cross = z[:, 1:].swapaxes(1, 2) @ z[:, :-1]
    yield 1, near.sum(1).astype(float), whole - _some(z, unled), cross, whole - _some(z, unfollowed)
    if np.array_equal(unled.sum(1), used.any(1)):
        return
    # Gaps are few: their products are added up one by one.
    week = np.arange(used.shape[1])
    last = np.maximum.accumulate(np.where(used, week, -1), axis=1)[:, :-1]
    gap = np.where(used[:, 1:] & (last >= 0), week[1:] - last, 0)
    for d in np.unique(gap[gap > 1]):
        series, at = np.nonzero(gap == d)
        new, old = z[series, at + 1], z[series, at + 1 - d]
        sums = np.zeros((3, len(z), z.shape[2], z.shape[2]))
        for place, (one, other) in enumerate(((new, new), (new, old), (old, old))):
            np.add.at(sums[place], series, one[:, :, None] * other[:, None, :])
        yield int(d), np.bincount(series, minlength=len(z)).astype(float), sums[0], sums[1], sums[2]


def _some(z: Floats, weeks: NDArray[np.bool_]) -> Floats:
    """The sum over some weeks, at least one of each series, of the products of z with itself: (series, k, k)."""
    series, at = np.nonzero(weeks)
    rows = z[series, at]
    return np.add.reduceat(rows[:, :, None] * rows[:, None, :], np.searchsorted(series, np.arange(len(z))))


def statistic(found: Fit, along: ArrayLike) -> Floats:
    """The sum of coefficients ``along`` over its standard deviation: what made-up changes are compared by."""
    at, se = _at(found, np.asarray(along, float))
    value, sd = _moments(found, at, se)
    return value / sd


def value(found: Fit, along: ArrayLike) -> Floats:
    """The sum of coefficients ``along``, the mean over phi."""
    return (found.weight * (found.beta @ np.asarray(along, float))).sum(-1)


def lower_end(found: Fit, along: ArrayLike, alpha: float) -> Floats:
    """The lower end of the interval of ``contrast`` at level 1 - alpha, of many series: (series,), to five digits."""
    at, se = _at(found, np.asarray(along, float))
    df = np.asarray(found.df)[:, None]
    far = -special.stdtrit(df, alpha / 2) * se.max(1, keepdims=True)
    low, high = at.min(1, keepdims=True) - far, at.max(1, keepdims=True)
    for _ in range(HALVINGS // 2):
        middle = (low + high) / 2
        under = (special.stdtr(df, (middle - at) / se) * found.weight).sum(1, keepdims=True) < alpha / 2
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return ((low + high) / 2)[:, 0]


def p_zero(found: Fit, along: ArrayLike) -> Floats:
    """The two-sided p of the sum of coefficients being 0: 2 min(F(0), 1 - F(0)), F the mixture of ``contrast``."""
    at, se = _at(found, np.asarray(along, float))
    zero = (special.stdtr(np.asarray(found.df)[..., None], -at / se) * found.weight).sum(-1)
    return np.clip(2 * np.minimum(zero, 1 - zero), 0.0, 1.0)


def contrast(found: Fit, along: ArrayLike, level: float = 0.95) -> Contrast:
    """The sum of coefficients ``along`` (k,), with its interval: quantiles of a mixture of Student's t over phi."""
    at, se = _at(found, np.asarray(along, float))
    value, sd = _moments(found, at, se)
    want = np.array([(1 - level) / 2, (1 + level) / 2])
    far = 4 * abs(float(special.stdtrit(found.df, want[0]))) * se.max()
    lows, highs = np.full(2, at.min() - far), np.full(2, at.max() + far)
    for _ in range(HALVINGS):
        middle = (lows + highs) / 2
        under = special.stdtr(found.df, (middle[:, None] - at) / se) @ found.weight < want
        lows, highs = np.where(under, middle, lows), np.where(under, highs, middle)
    ends = (lows + highs) / 2
    low, high = min(ends[0], value), max(ends[1], value)
    return Contrast(float(value), float(sd), float(low), float(high), float(p_zero(found, along)))


def foreseen(
    found: Fit, last: ArrayLike, x: ArrayLike, ahead: ArrayLike, scale: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """What one series was to be in weeks after those of the fit, and the standard error of that: two (weeks,).

    last: (k,) the row of x of the last week of the fit, over that week's scale; x: (weeks, k); ahead: (weeks,) weeks
    after the last one; scale: (weeks,) of their errors. At each phi the value is x b, and what a week is off it has the
    variance σ² s² + x C x' - 2 s phi^d x C last', C the covariance of b: the week's own error, the line's, and less
    what both share, for the line leans to errors of its last weeks, which carry over (Goldberger 1962 gives the
    covariance). The two are the mean and, phi being unknown, the standard deviation of the mixture.
    """
    x, ahead = np.asarray(x, float), np.asarray(ahead, float)
    s = np.ones(len(x)) if scale is None else np.asarray(scale, float)
    at = found.beta @ x.T
    line = np.einsum("wi,gij,wj->gw", x, found.covariance, x)
    shared = s * PHI[:, None] ** ahead * ((found.covariance @ np.asarray(last, float)) @ x.T)
    variance = found.noise[:, None] * s**2 + line - 2 * shared
    value = found.weight @ at
    return value, np.sqrt(found.weight @ (variance + (at - value) ** 2))


def _at(found: Fit, along: Floats) -> tuple[Floats, Floats]:
    """The sum and its standard error at each phi."""
    told = np.flatnonzero(along)  # one coefficient, as a rule
    value = sum(along[i] * found.beta[..., i] for i in told)
    variance = sum(along[i] * along[j] * found.covariance[..., i, j] for i in told for j in told)
    return value, np.sqrt(variance)


def _moments(found: Fit, at: Floats, se: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the mixture; one of t with 2 degrees or fewer has none, 3 stands for it."""
    value = (found.weight * at).sum(-1)
    df = np.asarray(found.df, float)
    spread = np.where(df > 2, df / np.maximum(df - 2, 1), 3.0)[..., None]
    return value, np.sqrt((found.weight * (spread * se**2 + (at - value[..., None]) ** 2)).sum(-1))
