"""The coefficient by a second measure: coverage with errors in both, a wide interval where the second is useless."""

from __future__ import annotations

import numpy as np
from scipy import stats

from metrics.panel import series_coefficient
from metrics.second_measure import LARGEST, by_second_measure, ratio
from metrics.spec import Estimate


def drawn(rng: np.random.Generator, n: int = 50, second: float = 0.5, true: float = 0.7):
    """y, x and a second measure of one quality; x is half error."""
    quality = rng.normal(0.85, 0.03, n)
    noise = stats.norm.rvs(0, 0.004, n, random_state=rng)
    x = quality + rng.normal(0, 0.03, n)
    return true * quality + noise, x, second * quality + rng.normal(0, 0.005, n), np.arange(n, dtype=float)


def test_it_covers_what_one_measure_alone_attenuates():
    rng = np.random.default_rng(1)
    inside, plain = 0, []
    for _ in range(120):
        y, x, second, time = drawn(rng)
        found = by_second_measure(y, x, second, time)
        inside += found.value is None or found.low <= 0.7 <= found.high
        plain.append(series_coefficient(y, x, time).raw.value)
    assert stats.binom.ppf(0.001, 120, 0.95) <= inside
    assert 0.25 < np.mean(plain) < 0.45


def test_a_second_measure_of_something_else_leaves_it_open_and_still_holds_the_truth():
    rng = np.random.default_rng(2)
    found = [by_second_measure(*drawn(rng, second=0.0)) for _ in range(60)]
    assert sum(one.low < 0 < one.high for one in found) >= 50
    assert stats.binom.ppf(0.001, 60, 0.95) <= sum(one.low <= 0.7 <= one.high for one in found)
    assert np.median([one.high - one.low for one in found]) > 1.5


def test_truths_drawn_from_what_was_thought_before_are_held_as_often_as_said():
    """Whatever the errors: a posterior is right on average over its own prior."""
    rng, inside = np.random.default_rng(3), 0
    for _ in range(1_500):
        true, lower = rng.normal(0, LARGEST), rng.uniform(0.0, 1.5)
        lower_error, error = rng.choice([0.1, 0.4, 0.8]), rng.choice([0.05, 0.2])
        seen = [rng.normal(true * lower, error), rng.normal(lower, lower_error)]
        ends = [
            Estimate(v, v - 1.96 * e, v + 1.96 * e, 10_000) for v, e in zip(seen, (error, lower_error), strict=True)
        ]
        found = ratio(*ends)
        inside += found.low <= true <= found.high
    assert 0.93 <= inside / 1_500 <= 0.97


def test_where_the_lower_is_well_known_it_is_fieller_s_interval():
    """Textbook: at an end the contrast a - b c is t errors from 0; what was thought before shifts it by 1 in 100."""
    found = ratio(Estimate(0.10, 0.08, 0.12, 10_000), Estimate(0.5, 0.45, 0.55, 10_000))
    error, lower_error = 0.02 / 1.96, 0.05 / 1.96
    for end in (found.low, found.high):
        assert np.isclose(abs(0.10 - end * 0.5) / np.hypot(error, end * lower_error), 1.96, rtol=0.02)
    assert np.isclose(found.value, 0.2, atol=0.002)


def test_the_ratio_is_that_of_a_plain_integral():
    """The posterior on a fine grid of both coefficients, from scipy's densities."""
    above, below = Estimate(0.3, 0.1, 0.5, 24), Estimate(0.5, -0.1, 1.1, 20)
    t = [stats.t.ppf(0.975, df) for df in (20, 16)]
    c, b = np.linspace(0.0005, 6, 6_000), np.linspace(-5, 5, 2_001)
    of_c = stats.t.pdf(c, 16, 0.5, 0.6 / t[1])
    density = np.array([(stats.t.pdf(v * c, 20, 0.3, 0.2 / t[0]) * of_c).sum() for v in b]) * stats.norm.pdf(b)
    under = np.cumsum(density) / density.sum()
    found = ratio(above, below)
    for level, end in ((0.025, found.low), (0.5, found.value), (0.975, found.high)):
        assert np.isclose(np.interp(level, under, b), end, atol=0.02)
