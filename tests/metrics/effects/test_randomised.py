"""Randomised changes: statsmodels and scipy as oracles, and the variance that earlier values take away."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from metrics.effects.effect import Design
from metrics.effects.randomised import FEW, SAME, cuped, randomised
from tests.metrics.effects.simulated import within_binomial


def test_theta_is_the_slope_and_the_variance_left_is_one_less_rho_squared():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = 2 * x + rng.normal(size=300)
    found = cuped(y, x)
    assert found.theta == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().params[1])
    assert found.kept == pytest.approx(1 - np.corrcoef(x, y)[0, 1] ** 2)
    assert found.y.mean() == pytest.approx(y.mean())


def test_values_that_do_not_vary_take_nothing_away():
    y = np.arange(5.0)
    np.testing.assert_array_equal(cuped(y, np.ones(5)).y, y)
    assert cuped(np.ones(5), y).kept == 1.0


def test_without_earlier_values_it_is_welch_s_test():
    rng = np.random.default_rng(2)
    y, treated = rng.normal(size=40) * np.repeat([1, 4], 20), np.arange(40) < 12
    oracle = stats.ttest_ind(y[treated], y[~treated], equal_var=False)
    found = randomised(y, treated)
    assert found.p_value == pytest.approx(oracle.pvalue)
    low, high = oracle.confidence_interval()
    assert (found.effect.low, found.effect.high) == (pytest.approx(low), pytest.approx(high))
    assert found.design is Design.RANDOMISED


def test_the_permutation_p_is_that_of_scipy():
    rng = np.random.default_rng(3)
    y, treated = rng.exponential(size=30), np.arange(30) < 10
    oracle = stats.permutation_test(
        (y[treated], y[~treated]),
        lambda a, b, axis: abs(a.mean(axis) - b.mean(axis)),
        vectorized=True,
        n_resamples=4999,
        alternative="greater",
        rng=np.random.default_rng(4),
    )
    assert randomised(y, treated, draws=4999).placebo_p == pytest.approx(oracle.pvalue, abs=0.02)


def test_earlier_values_narrow_the_interval_and_it_still_covers():
    rng, hits, ratio, ps = np.random.default_rng(5), 0, [], []
    for _ in range(300):
        x = rng.normal(size=40)
        treated = rng.permutation(np.arange(40) < 20)
        y = 0.5 * treated + x + 0.5 * rng.normal(size=40)
        plain, sharp = randomised(y, treated, draws=1).effect, randomised(y, treated, x, draws=1).effect
        hits += sharp.low <= 0.5 <= sharp.high
        ratio.append((sharp.high - sharp.low) / (plain.high - plain.low))
        ps.append(randomised(y - 0.5 * treated, treated, x, draws=99).placebo_p)
    assert within_binomial(hits, 300, 0.93, 0.97), hits
    assert np.mean(ratio) == pytest.approx(np.sqrt(1 - 0.8), abs=0.05)  # rho² = 1 / 1.25
    assert stats.kstest(ps, "uniform").pvalue > 0.05


def test_no_number_without_a_reason():
    assert randomised(np.arange(8.0), np.arange(8) < 4).effect.reason == FEW
    assert randomised(np.ones(20), np.arange(20) < 10).effect.reason == SAME
    y = np.arange(20.0)
    y[3] = np.nan
    assert randomised(y, np.arange(20) % 2 == 0).effect.n == 19
