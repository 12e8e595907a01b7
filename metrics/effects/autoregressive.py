"""Least squares for a weekly series whose errors follow one another: AR(1), its strength not known.

Weeks that are off tend to be followed by weeks that are off the same way, so n weeks say less than n. How strongly they
follow, phi, is itself guessed badly from 40 to 80 weeks: a fit at one guess gives intervals that are too narrow. Here
every phi of a grid is fitted by generalised least squares and weighted by how well the data suit it.
"""

from __future__ import annotations

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
    """Coefficients of one series at each phi of the grid, and how likely each phi is.

    beta: (phis, k). covariance: (phis, k, k). weight: (phis,), sums to 1. df: weeks less coefficients.
    """

    beta: Floats
    covariance: Floats
    weight: Floats
    df: int

    @property
    def phi(self) -> float:
        """The weighted mean of phi."""
        return float(self.weight @ PHI)


class Contrast(NamedTuple):
    """A sum of coefficients: its value, standard deviation, both ends of the interval, and the two-sided p of 0."""

    value: float
    sd: float
    low: float
    high: float
    p: float


def fit(y: ArrayLike, x: ArrayLike, week: ArrayLike, scale: ArrayLike | None = None) -> Fit:
    """Generalised least squares of y on x under AR(1) errors, for every phi of ``PHI``.

    y: (n,) values without gaps in the array; x: (n, k), full rank, n > k; week: (n,) rising whole numbers, the weeks
    the values belong to: a missing week is left out here and counted there. scale: (n,) the relative standard
    deviation of each week's error, 1 where not given. Errors e_t = scale_t u_t, u_t = phi u_(t-1) + noise; so two
    values d weeks apart correlate with phi^d, and (u_t - phi^d u_(t-d)) / sqrt(1 - phi^(2d)) are independent:
    Prais and Winsten's transformation, the first week kept. Weight of phi: the restricted likelihood
    |X'VX|^(-1/2) |V|^(1/2) S^(-(n-k)/2), V the inverse correlation and S the weighted residual sum of squares
    (Harville 1974), which is the posterior under flat priors on coefficients, log scale and phi (Zellner 1971, ch. 4).
    Raises ValueError where the columns of x say the same.
    """
    y, x, week = np.asarray(y, float), np.asarray(x, float), np.asarray(week)
    n, k = x.shape
    s = np.ones(n) if scale is None else np.asarray(scale, float)
    if n <= k or np.linalg.matrix_rank(x / s[:, None]) < k:
        raise ValueError("The weeks do not tell the coefficients apart.")
    z = np.column_stack([x, y]) / s[:, None]
    carried = PHI[:, None] ** np.diff(week)[None, :]
    rest = np.sqrt(1 - carried**2)
    moved = np.empty((len(PHI), n, k + 1))
    moved[:, 0] = z[0]
    moved[:, 1:] = (z[None, 1:] - carried[:, :, None] * z[None, :-1]) / rest[:, :, None]
    xs, ys = moved[:, :, :k], moved[:, :, k]
    xt = np.swapaxes(xs, 1, 2)
    inverse = np.linalg.inv(xt @ xs)
    beta = (inverse @ (xt @ ys[:, :, None]))[:, :, 0]
    squares = ((ys - (xs @ beta[:, :, None])[:, :, 0]) ** 2).sum(1)
    # A series without any noise has S = 0 at every phi: the floor keeps the logarithm and lets all phi count alike.
    floor = max(1e-12 * float((z[:, k] ** 2).sum()), 1e-300)
    squares = np.maximum(squares, floor)
    log = 0.5 * np.linalg.slogdet(inverse)[1] - np.log(rest).sum(1) - (n - k) / 2 * np.log(squares)
    weight = np.exp(log - log.max())
    covariance = inverse * (squares / (n - k))[:, None, None]
    return Fit(beta, covariance, weight / weight.sum(), n - k)


def statistic(found: Fit, along: ArrayLike) -> float:
    """The sum of coefficients ``along`` over its standard deviation: what made-up changes are compared by."""
    at, se = _at(found, np.asarray(along, float))
    value, sd = _moments(found, at, se)
    return value / sd


def p_zero(found: Fit, along: ArrayLike) -> float:
    """The two-sided p of the sum of coefficients being 0: 2 min(F(0), 1 - F(0)), F the mixture of ``contrast``."""
    at, se = _at(found, np.asarray(along, float))
    zero = float(special.stdtr(found.df, -at / se) @ found.weight)
    return min(1.0, max(0.0, 2 * min(zero, 1 - zero)))


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
    return Contrast(value, sd, float(min(ends[0], value)), float(max(ends[1], value)), p_zero(found, along))


def _at(found: Fit, along: Floats) -> tuple[Floats, Floats]:
    """The sum and its standard error at each phi."""
    return found.beta @ along, np.sqrt(np.einsum("i,gij,j->g", along, found.covariance, along))


def _moments(found: Fit, at: Floats, se: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the mixture; one of t with 2 degrees or fewer has none, 3 stands for it."""
    value = float(found.weight @ at)
    spread = found.df / (found.df - 2) if found.df > 2 else 3.0
    return value, float(np.sqrt(found.weight @ (spread * se**2 + (at - value) ** 2)))
