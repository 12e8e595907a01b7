"""Many series fitted at once: the formula with whole matrices as oracle, gaps and weights as one series has them."""

import numpy as np
import pytest
from scipy import stats

from metrics.effects import autoregressive as ar
from tests.metrics.effects.simulated import ar1


def dense(y, x, week, scale):
    """Coefficients, covariance and log weight by phi from the whole matrix of correlations, as the books have it."""
    n, k = x.shape
    beta, covariance, log = [], [], []
    for phi in ar.PHI:
        v = scale[:, None] * scale[None, :] * phi ** np.abs(week[:, None] - week[None, :]).astype(float)
        inverse = np.linalg.inv(v)
        c = np.linalg.inv(x.T @ inverse @ x)
        b = c @ x.T @ inverse @ y
        s = (y - x @ b) @ inverse @ (y - x @ b)
        beta.append(b)
        covariance.append(c * s / (n - k))
        halves = np.linalg.slogdet(c)[1] - np.linalg.slogdet(v)[1]
        log.append(halves / 2 - (n - k) / 2 * np.log(s))
    weight = np.exp(np.array(log) - max(log))
    return np.array(beta), np.array(covariance), weight / weight.sum()


def panel(seed, many=7, weeks=40):
    """Series with a level far from 0, gaps of their own, unlike weeks, and a design of their own."""
    rng = np.random.default_rng(seed)
    y = 3 + 0.1 * ar1(rng, (many, weeks), 0.5)
    used = rng.random((many, weeks)) > 0.25
    used[0] = True
    used[1] = False
    used[1, ::3] = True  # no two weeks in a row
    used[2, :5] = False
    start = rng.integers(20, 30, many)
    week = np.arange(weeks)
    columns = [np.ones((many, weeks)), week >= start[:, None], np.tile(week - 20, (many, 1))]
    return y, np.stack(columns, axis=2).astype(float), used, rng.uniform(0.5, 2, (many, weeks))


def test_many_series_at_once_are_the_whole_matrix_one_by_one():
    y, x, used, scale = panel(1)
    found = ar.fits(np.where(used, y, np.nan), x, used, scale)
    for k, weeks in enumerate(used):
        at = np.flatnonzero(weeks)
        beta, covariance, weight = dense(y[k, at], x[k, at], at, scale[k, at])
        one = found.of(k)
        np.testing.assert_allclose(one.beta, beta, rtol=0, atol=1e-10)
        np.testing.assert_allclose(one.covariance, covariance, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(one.weight, weight, rtol=0, atol=1e-10)
        assert one.df == len(at) - 3


def test_one_series_is_itself_among_many():
    y, x, used, scale = panel(2)
    found = ar.fits(y, x, used, scale)
    along = [0.0, 1.0, 0.5]
    many = ar.statistic(found, along), ar.p_zero(found, along)
    for k, weeks in enumerate(used):
        at = np.flatnonzero(weeks)
        one = ar.fit(y[k, at], x[k, at], at + 100, scale[k, at])
        assert ar.statistic(one, along) == pytest.approx(many[0][k], abs=1e-10)
        assert ar.p_zero(one, along) == pytest.approx(many[1][k], abs=1e-10)
        assert ar.contrast(one, along).p == pytest.approx(many[1][k], abs=1e-10)


def test_a_week_that_is_not_used_may_hold_anything():
    y, x, used, scale = panel(3)
    one, other = ar.fits(y, x, used, scale), ar.fits(np.where(used, y, 1e9), x, used, np.where(used, scale, np.nan))
    np.testing.assert_array_equal(one.beta, other.beta)
    np.testing.assert_array_equal(one.weight, other.weight)


def test_ends_of_the_interval_are_quantiles_of_the_mixture():
    y, x, used, _ = panel(4)
    one = ar.fits(y, x, used).of(0)
    found = ar.contrast(one, [0.0, 1.0, 0.0])
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        at, se = one.beta[:, 1], np.sqrt(one.covariance[:, 1, 1])
        assert one.weight @ stats.t(one.df, at, se).cdf(end) == pytest.approx(share, abs=1e-9)


def test_columns_that_say_the_same_and_series_without_noise():
    week = np.arange(12)
    with pytest.raises(ValueError, match="tell the coefficients apart"):
        ar.fit(week, np.column_stack([np.ones(12), np.ones(12)]), week)
    flat = ar.fit(2.0 + 0 * week, np.column_stack([np.ones(12), week]), week)
    np.testing.assert_allclose(flat.beta, np.tile([2.0, 0.0], (len(ar.PHI), 1)), atol=1e-9)
    assert np.isfinite(flat.weight).all()


def test_the_error_of_a_week_foreseen_is_that_of_the_whole_matrix():
    """One phi at a time: the variance of a later week less the line through the earlier ones, from all correlations."""
    rng = np.random.default_rng(5)
    week = np.array([0, 1, 2, 4, 5, 6, 7, 9, 10, 11])
    later = np.array([12, 13, 16, 20])
    every = np.append(week, later)
    scale = rng.uniform(0.5, 2, len(every))
    x = np.column_stack([np.ones(len(every)), every - 5.0])
    y = rng.normal(size=len(week))
    n = len(week)
    found = ar.fit(y, x[:n], week, scale[:n])
    for g in (0, 10, 26):
        one = found._replace(weight=np.eye(len(ar.PHI))[g])
        value, error = ar.foreseen(one, x[n - 1] / scale[n - 1], x[n:], later - week[-1], scale[n:])
        v = scale[:, None] * scale[None] * ar.PHI[g] ** np.abs(every[:, None] - every[None]).astype(float)
        inverse = np.linalg.inv(v[:n, :n])
        along = np.linalg.inv(x[:n].T @ inverse @ x[:n]) @ x[:n].T @ inverse
        off = y - x[:n] @ along @ y
        noise = off @ inverse @ off / (n - 2)
        for k in range(len(later)):
            a = np.append(-x[n + k] @ along, np.eye(len(later))[k])
            np.testing.assert_allclose(value[k], x[n + k] @ along @ y)
            np.testing.assert_allclose(error[k] ** 2, noise * a @ v @ a)
