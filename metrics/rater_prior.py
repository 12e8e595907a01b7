"""How accuracy varies over raters: the Beta(a, b) that fits best, and how far other betas are likely as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import TYPICAL_ICC

Floats = NDArray[np.float64]

ALIKE = 1e6
"""The prior's weight in judgements at which raters count as alike; the likelihood may rise without end there."""


LEAST_WEIGHT, LIKELY_WEIGHT = 1.0, 1e5
"""The weights a + b in judgements thought possible: intraclass correlations from .5 down to nothing to speak of."""

NODES, _SHARES = np.polynomial.hermite_e.hermegauss(5)
LOG_SHARES = np.log(_SHARES)


@dataclass(frozen=True, slots=True)
class Prior:
    """How accuracy varies over raters: Beta(a, b), and the log likelihood (without binomial coefficients) it attains.

    ``converged`` is False when raters differ less than chance alone would have it: a + b then stands at ``ALIKE``.
    """

    a: float
    b: float
    log_likelihood: float
    converged: bool

    @property
    def mean(self) -> float:
        """The average rater's accuracy."""
        return self.a / (self.a + self.b)


def fit_prior(right: ArrayLike, n: ArrayLike, offset: ArrayLike = 0.0, typical: float = 0.0) -> Prior:
    """The Beta(a, b) of raters' accuracies by marginal likelihood.

    right, n: (raters,) counts; raters without judgements take no part. offset: (raters,), logits by which a rater's
    items are easier than those of the others; a and b are those of offset 0. typical: 0 is maximum likelihood; above 0
    the logarithm of a + b is pulled towards that of ``TYPICAL_ICC`` with this precision (1: give or take a factor of
    e), which keeps a handful of raters from seeming all alike.
    Maximises Σ lnB(a_r + right, b_r + n - right) - lnB(a_r, b_r) over the mean and a + b by Newton's method, with
    a_r = (a + b) m_r, logit m_r = logit(mean) + offset. Raises ValueError without any judgement or for right outside
    0..n. Source: Skellam 1948; Griffiths 1973.
    """
    right, n, offset = counts(right, n, offset)
    some = n > 0
    if not some.any():
        raise ValueError("A prior needs raters with judgements.")
    right, n, offset = right[some], n[some], offset[some]
    centre, most = np.log(1 / TYPICAL_ICC - 1), np.log(ALIKE)
    # Without a single miss (or hit) the mean has no finite maximum: a touch of a prior, sd 100 logits, gives it one.
    far = 0.0 if 0 < right.sum() < n.sum() else 1e-4
    mean = np.clip(right.sum() / n.sum(), 0.5 / (n.sum() + 1), 1 - 0.5 / (n.sum() + 1))
    at = np.array([special.logit(mean), centre])

    def value(point: Floats) -> float:
        a, b = _beta(point, offset)
        penalty = typical * (point[1] - centre) ** 2 / 2 + far * point[0] ** 2 / 2
        return float(np.sum(special.betaln(a + right, b + n - right) - special.betaln(a, b)) - penalty)

    best, damping, converged = value(at), 1e-3, False
    for _ in range(60):
        gradient, curvature = _derivatives(at, right, n, offset)
        gradient -= np.array([far * at[0], typical * (at[1] - centre)])
        curvature = -curvature + np.diag([far, typical])
        if np.abs(gradient).max() < 1e-7 * len(n):
            converged = True
            break
        # Where the surface is not concave a plain Newton step would climb down: damp until a step climbs.
        for _ in range(30):
            scale = damping * np.maximum(np.abs(np.diag(curvature)), 1e-8)
            matrix = curvature + np.diag(scale)
            step = np.linalg.solve(matrix, gradient) if np.linalg.eigvalsh(matrix)[0] > 0 else None
            if step is not None:
                trial = at + np.clip(step, -2, 2)
                trial[1] = np.clip(trial[1], -4, most)
                reached = value(trial)
                if reached >= best:
                    break
            damping *= 10
        else:
            break
        if reached - best < 1e-12 * abs(best) and np.abs(trial - at).max() < 1e-9:
            converged = trial[1] < most
            break
        at, best, damping = trial, reached, max(damping / 10, 1e-12)
    a, b = _beta(at, np.zeros(1))
    penalty = typical * (at[1] - centre) ** 2 / 2 + far * at[0] ** 2 / 2
    return Prior(float(a[0]), float(b[0]), float(best + penalty), bool(converged and at[1] < most))


def likely_priors(right: Floats, n: Floats, offset: Floats) -> tuple[Floats, Floats, Floats]:
    """The betas that may stand behind the raters' counts: logit of the mean, log of a + b, and their probabilities.

    right, n, offset: (raters,), every n above 0. Each returned array is (betas,); probabilities add up to 1.
    Beforehand the intraclass correlation 1/(1 + a + b) is even over 0..1 and the mean has Jeffreys' Beta(1/2, 1/2);
    the marginal likelihood of ``fit_prior`` weighs them. Of the priors tried (even over the standard deviation, over
    the shrinkage, half-Cauchy) it alone keeps the raters' intervals at 94 % and above whatever the true spread. A grid
    over log(a + b), laid twice, the second time where the first has mass; for each value the mean by five-point
    Gauss-Hermite around its maximum. Source: Gelman 2006 for the question; Naylor and Smith 1982 for the grid.
    """
    weights = np.linspace(np.log(LEAST_WEIGHT), np.log(LIKELY_WEIGHT), 17)
    mean = np.full(len(weights), special.logit((right.sum() + 0.5) / (n.sum() + 1)))
    mean, sd = _best_means(mean, weights, right, n, offset, 2)
    high = _log_density(mean, weights, right, n, offset) + np.log(sd)
    inside = np.flatnonzero(high > high.max() - 7)
    ends = weights[[max(inside[0] - 1, 0), min(inside[-1] + 1, len(weights) - 1)]]
    fine = np.linspace(*ends, 13)
    mean, sd = _best_means(np.interp(fine, weights, mean), fine, right, n, offset, 1)
    means, spread = (mean[:, None] + sd[:, None] * NODES).ravel(), np.repeat(fine, len(NODES))
    log = _log_density(means, spread, right, n, offset) + (np.log(sd)[:, None] + NODES**2 / 2 + LOG_SHARES).ravel()
    chance = np.exp(log - log.max())
    keep = chance > 5e-3
    return means[keep], spread[keep], chance[keep] / chance[keep].sum()


# ------------------------------------------------------------------------------------------------------------ helpers


def _best_means(
    mean: Floats, log_weight: Floats, right: Floats, n: Floats, offset: Floats, rounds: int
) -> tuple[Floats, Floats]:
    """For each weight the likeliest logit mean, by Fisher scoring from ``mean``, and its standard error."""
    for _ in range(rounds + 1):
        a, b = betas(mean, log_weight, offset)
        share = a / (a + b)
        by_a, by_b = (special.psi(c + k) - special.psi(c) for c, k in ((a, right), (b, n - right)))
        middle = special.expit(mean)
        gradient = (a * (1 - share) * (by_a - by_b)).sum(1) + 0.5 - middle
        alike = 1 / (1 + np.exp(log_weight))[:, None]
        information = (n * share * (1 - share) / (1 + (n - 1) * alike)).sum(1) + middle * (1 - middle)
        mean = mean + np.clip(gradient / information, -1, 1)
    return mean, 1 / np.sqrt(information)


def _log_density(mean: Floats, log_weight: Floats, right: Floats, n: Floats, offset: Floats) -> Floats:
    """Log posterior density of (logit mean, log weight), a constant aside: (betas,)."""
    a, b = betas(mean, log_weight, offset)
    middle = special.expit(mean)
    beforehand = log_weight - 2 * np.log1p(np.exp(log_weight)) + 0.5 * np.log(middle * (1 - middle))
    return (special.betaln(a + right, b + n - right) - special.betaln(a, b)).sum(1) + beforehand


def betas(mean: Floats, log_weight: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Each rater's a and b, (betas, raters), from logit means and log weights, (betas,), and offsets, (raters,)."""
    weight, at = np.exp(log_weight)[:, None], mean[:, None] + offset
    return weight * special.expit(at), weight * special.expit(-at)


def _beta(point: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Each rater's a and b from (logit of the mean, log of a + b)."""
    weight = np.exp(point[1])
    return weight * special.expit(point[0] + offset), weight * special.expit(-point[0] - offset)


def _derivatives(point: Floats, right: Floats, n: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Gradient (2,) and second derivatives (2, 2) of the log marginal likelihood in (logit mean, log weight)."""
    a, b = _beta(point, offset)
    total, missed = a + b, n - right
    by_a = special.psi(a + right) - special.psi(a) - special.psi(total + n) + special.psi(total)
    by_b = special.psi(b + missed) - special.psi(b) - special.psi(total + n) + special.psi(total)
    common = _trigamma(total) - _trigamma(total + n)
    by_aa = _trigamma(a + right) - _trigamma(a) + common
    by_bb = _trigamma(b + missed) - _trigamma(b) + common
    slope, tilt = a * b / total, (b - a) / total
    gradient = np.array([np.sum(slope * (by_a - by_b)), np.sum(a * by_a + b * by_b)])
    first = np.sum(slope**2 * (by_aa - 2 * common + by_bb) + slope * tilt * (by_a - by_b))
    mixed = np.sum(slope * (a * by_aa + (b - a) * common - b * by_bb) + slope * (by_a - by_b))
    second = np.sum(a * a * by_aa + 2 * a * b * common + b * b * by_bb + a * by_a + b * by_b)
    return gradient, np.array([[first, mixed], [mixed, second]])


def _trigamma(x: Floats) -> Floats:
    """ψ'(x), x > 0, to about 1e-11: recurrence to x + 8 and the asymptotic series: faster than scipy's."""
    y = x + 8
    series = 1 / y + 1 / (2 * y**2) + (1 / 6 - (1 / 30 - (1 / 42 - 1 / (30 * y**2)) / y**2) / y**2) / y**3
    return series + sum(1 / (x + i) ** 2 for i in range(8))


def counts(right: ArrayLike, n: ArrayLike, offset: ArrayLike) -> list[Floats]:
    """The three as floats of one shape, (raters,). Raises ValueError for right outside 0..n."""
    right, n, offset = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in (right, n, offset)))
    if not np.all((right >= 0) & (right <= n)):
        raise ValueError("right lies between 0 and n.")
    return [right, n, offset]
