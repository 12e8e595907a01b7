"""The coefficient by a second measure: coverage with errors in both, and silence where the second says nothing."""

from __future__ import annotations

import numpy as np
from scipy import stats

from metrics.panel import series_coefficient
from metrics.second_measure import WEAK, by_second_measure, ratio
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


def test_a_second_measure_of_something_else_gives_a_reason():
    rng = np.random.default_rng(2)
    found = [by_second_measure(*drawn(rng, second=0.0)) for _ in range(30)]
    assert sum(one.reason == WEAK for one in found) >= 26


def test_fieller_agrees_with_its_textbook_root():
    found = ratio(Estimate(2.0, 1.0, 3.0, 64), Estimate(4.0, 3.0, 5.0, 64))
    t = stats.t.ppf(0.975, 60)
    error = 1 / t
    for end in (found.low, found.high):  # the end is where the contrast a - end b is t errors from 0
        assert np.isclose(abs(2 - end * 4), t * error * np.hypot(1, end))
