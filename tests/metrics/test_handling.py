"""Staff as handling time: products by hand, spreads that were planted."""

import numpy as np
import pytest

from metrics import handling
from metrics.handling import HandleTime, daily_capacity, handle_time


def test_capacity_is_the_product():
    assert daily_capacity(10, 8, 0.8, 0.2, 100) == pytest.approx(1843.2)
    np.testing.assert_allclose(daily_capacity([10, 0], [8, 8], 0.5, 0, 60), [2400, 0])


def test_handle_time_finds_the_spread_of_days_and_weeks():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        n = rng.integers(400, 600, 7 * 26)
        level = np.repeat(rng.normal(0, 0.06, 26), 7)
        seconds = n * 90 * np.exp(level + rng.normal(0, 0.1, 7 * 26))
        found.append(handle_time(n, seconds))
    assert np.mean([f.day_sd for f in found]) == pytest.approx(0.1, rel=0.05)
    assert np.mean([f.level_sd for f in found]) == pytest.approx(0.06, rel=0.05)
    last = slice(-28, None)
    assert found[-1].seconds == pytest.approx(seconds[last].sum() / n[last].sum())
    each = handle_time(n, seconds, n / 3)
    assert each.seconds == pytest.approx(3 * found[-1].seconds)


def test_handle_time_of_few_weeks_is_missing():
    assert handle_time([5] * 21, [300] * 21).reason == handling.FEW_WEEKS
    assert handle_time([0] * 60, [0] * 60).reason == handling.FEW_WEEKS
    assert handle_time([5] * 28, [300] * 28) == HandleTime(60.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (daily_capacity, (10, 8, 0.8, 0.2, 0)),
        (daily_capacity, (-1, 8, 0.8, 0.2, 60)),
        (daily_capacity, (1, 25, 0.8, 0.2, 60)),
        (daily_capacity, (1, 8, 1.1, 0.2, 60)),
        (daily_capacity, (1, 8, 0.8, -0.1, 60)),
        (HandleTime, (0.0,)),
        (HandleTime, (60.0, -1.0)),
        (HandleTime, (None,)),
        (handle_time, ([1, 2], [1])),
    ],
)
def test_what_cannot_be_is_refused(function, arguments):
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)
