"""The coefficient by a second measure: coverage and width with errors in both, persistence, and a useless second."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from metrics.panel import series_coefficient
from metrics.second_measure import LARGEST, by_second_measure, ratio


def persistent(rng: np.random.Generator, n: int, f: float, spread: float) -> np.ndarray:
    """An AR(1) series with this spread."""
    out = rng.normal(0, spread, n)
    for k in range(1, n):
        out[k] = f * out[k - 1] + np.sqrt(1 - f**2) * out[k]
    return out


def drawn(rng: np.random.Generator, n: int = 39, true: float = 0.7, slope: float = 0.8, miss: float = 0.015):
    """y, x, a second measure of one quality, time and controls: quality and the benchmark persist, the errors do not.

    What the second misses of quality is in what is left of y and of x.
    """
    quality, time = persistent(rng, n, 0.5, 0.03), np.arange(n, dtype=float)
    y = 0.3 + true * quality + persistent(rng, n, 0.55, 0.008)
    x = 0.85 + quality + rng.normal(0, 0.025, n)
    second = 0.8 + slope * quality + rng.normal(0, miss, n)
    return y, x, second, time, np.column_stack([rng.normal(0, 1, n), time > n / 2])


def within(hits: int, draws: int) -> bool:
    """Coverage of 93 to 97 % but for what chance adds to it in so many draws."""
    slack = 2.6 * np.sqrt(0.95 * 0.05 / draws)
    return 0.93 - slack <= hits / draws <= 0.97 + slack


@pytest.mark.parametrize(("n", "true", "miss"), [(26, 0.7, 0.015), (76, 0.8, 0.02), (39, -0.5, 0.02)])
def test_the_interval_holds_the_truth_as_often_as_it_says(n, true, miss):
    rng = np.random.default_rng(11)
    found = [by_second_measure(*drawn(rng, n, true, miss=miss)) for _ in range(150)]
    assert all(one.value is not None for one in found)
    assert within(sum(one.low <= true <= one.high for one in found), 150)
    assert np.median([one.value for one in found]) == pytest.approx(true, abs=0.05)


def test_one_measure_alone_is_attenuated():
    rng = np.random.default_rng(1)
    plain = [series_coefficient(y, x, time, controls).raw.value for y, x, _, time, controls in
             (drawn(rng) for _ in range(60))]  # fmt: skip
    assert np.mean(plain) < 0.6 * 0.7


def test_the_interval_is_no_wider_than_the_one_that_needs_no_prior():
    """Anderson and Rubin: the b for which the coefficient of y - b x on the second measure may be 0, found by trying.

    The instrument is good in all draws, so that theirs has two ends.
    """
    rng = np.random.default_rng(4)
    for _ in range(3):
        y, x, second, time, controls = drawn(rng, 76, 0.8)
        found = by_second_measure(y, x, second, time, controls)
        tried = np.linspace(found.value - 0.7, found.value + 0.7, 71)
        asked = [series_coefficient(y - b * x, second, time, controls).raw for b in tried]
        held = tried[[one.low <= 0 <= one.high for one in asked]]
        assert held.min() > tried[0] and held.max() < tried[-1]
        assert 0.85 <= (found.high - found.low) / (held.max() - held.min()) <= 1.1
        assert found.low == pytest.approx(held.min(), abs=0.06) and found.high == pytest.approx(held.max(), abs=0.06)


def test_a_second_measure_of_something_else_leaves_it_open_and_still_holds_the_truth():
    rng = np.random.default_rng(2)
    found = [by_second_measure(*drawn(rng, slope=0.0)) for _ in range(100)]
    assert sum(one.low < 0 < one.high for one in found) >= 85
    assert within(sum(one.low <= 0.7 <= one.high for one in found), 100)


def test_the_scale_of_the_second_measure_and_the_levels_do_not_matter():
    y, x, second, time, controls = drawn(np.random.default_rng(5))
    one = by_second_measure(y, x, second, time, controls)
    other = by_second_measure(y + 0.2, x - 0.1, 40 * second - 3, time + 700, controls)
    assert [other.value, other.low, other.high] == pytest.approx([one.value, one.low, one.high], abs=1e-6)


def test_gaps_in_one_measure_are_gaps_in_all():
    y, x, second, time, controls = drawn(np.random.default_rng(6))
    y[3], x[10], second[20] = np.nan, np.nan, np.nan
    keep = np.isfinite(y + x + second)
    found = by_second_measure(y, x, second, time, controls)
    alone = by_second_measure(y[keep], x[keep], second[keep], time[keep], controls[keep])
    assert found == alone and found.n == 36


def test_what_follows_without_error_has_a_reason_and_no_number():
    y, x, second, time, controls = drawn(np.random.default_rng(7))
    for one in (by_second_measure(0.5 * x, x, second, time, controls), by_second_measure(y, x, second * 0, time)):
        assert one.value is None and one.reason


def test_truths_drawn_from_what_was_thought_before_are_held_as_often_as_said():
    """Whatever the errors: a posterior is right on average over its own prior."""
    rng, inside = np.random.default_rng(3), 0
    for _ in range(800):
        true, lower = rng.normal(0, LARGEST), rng.uniform(0.0, 1.5)
        lower_error, error = rng.choice([0.1, 0.4, 0.8]), rng.choice([0.05, 0.2])
        between = rng.choice([-0.6, 0.0, 0.6]) * error * lower_error
        covariance = np.array([[error**2, between], [between, lower_error**2]])
        seen = rng.multivariate_normal([true * lower, lower], covariance)
        _, low, high = ratio(seen[None], covariance[None], 10_000)
        inside += low <= true <= high
    assert 0.93 <= inside / 800 <= 0.97


@pytest.mark.parametrize("together", [-0.6, 0.0, 0.6])
def test_where_the_lower_is_well_known_it_is_fieller_s_interval(together):
    """Textbook: at an end the contrast a - b c is t errors from 0; what was thought before shifts it by 1 in 100."""
    error, lower_error = 0.02 / 1.96, 0.05 / 1.96
    between = together * error * lower_error
    covariance = np.array([[error**2, between], [between, lower_error**2]])
    value, *ends = ratio(np.array([[0.10, 0.5]]), covariance[None], 10_000)
    for end in ends:
        size = np.sqrt(error**2 - 2 * end * between + (end * lower_error) ** 2)
        assert np.isclose(abs(0.10 - end * 0.5) / size, 1.96, rtol=0.02)
    assert np.isclose(value, 0.2, atol=0.002)


def test_the_ratio_is_that_of_a_plain_integral():
    """The posterior on a fine grid of both coefficients, from scipy's bivariate t."""
    covariance = np.array([[0.01, 0.012], [0.012, 0.09]])
    c, b = np.linspace(0.002, 6, 3_000), np.linspace(-5, 5, 1_001)
    seen = stats.multivariate_t([0.3, 0.5], covariance, df=16)
    density = np.array([seen.pdf(np.column_stack([v * c, c])).sum() for v in b]) * stats.norm.pdf(b)
    under = np.cumsum(density) / density.sum()
    value, low, high = ratio(np.array([[0.3, 0.5]]), covariance[None], 16)
    for level, end in ((0.025, low), (0.5, value), (0.975, high)):
        assert np.isclose(np.interp(level, under, b), end, atol=0.02)
