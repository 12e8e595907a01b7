"""Placebo p: the formula, and uniform where nothing was changed."""

import numpy as np
import pytest
from scipy import stats

from metrics.effects import autoregressive
from metrics.effects.interrupted import EFFECT, shifted
from metrics.effects.placebo import placebo_dates, placebo_p
from tests.metrics.effects.simulated import ar1


@pytest.mark.parametrize(
    ("observed", "placebos", "p"),
    [
        (3, [1, -2, 0.5], 1 / 4),
        (-3, [3, -4, 0.5], 3 / 4),
        (0, [1] * 19, 1.0),
        (9, np.zeros(19), 0.05),
        (1, [np.nan, 2], 1),
    ],
)
def test_size_counts_and_the_real_one_is_among_them(observed, placebos, p):
    assert placebo_p(observed, placebos) == pytest.approx(p)


def test_nothing_to_compare_with_gives_no_p():
    assert placebo_p(1.0, []) is None
    assert placebo_p(1.0, [np.nan]) is None


def test_a_made_up_change_is_measured_as_the_real_one():
    y = ar1(np.random.default_rng(1), (40,), 0.4)
    found = placebo_dates(y, 6, until=36, step=6)
    for place, start in enumerate(range(12, 31, 6)):
        week = np.arange(start + 6)
        assert found[place] == pytest.approx(autoregressive.statistic(shifted(y, week, start, None), EFFECT))
    assert len(found) == 4


def test_the_real_change_does_not_enter_its_placebos():
    y = ar1(np.random.default_rng(2), (50,), 0.4)
    changed = y.copy()
    changed[40:] += 100
    np.testing.assert_array_equal(placebo_dates(changed, 8, until=40), placebo_dates(y, 8, until=40))


def test_p_is_uniform_when_nothing_was_changed():
    """Other units at the same dates and own dates before; noise differs between units by a factor of five."""
    rng, found = np.random.default_rng(3), []
    for _ in range(150):
        y = ar1(rng, (6, 44), 0.4) * rng.uniform(1, 5, (6, 1))
        own = autoregressive.statistic(shifted(y[0], np.arange(44), 36, None), EFFECT)
        placebos = [placebo_dates(row, 8, step=8) for row in y[1:]] + [placebo_dates(y[0], 8, until=36, step=8)]
        found.append(placebo_p(own, np.concatenate(placebos)))
    assert stats.kstest(found, "uniform").pvalue > 0.05
    assert 0.015 <= np.mean(np.array(found) <= 0.05) <= 0.09


def test_a_large_change_is_rarer_than_all_placebos():
    y = ar1(np.random.default_rng(4), (78,), 0.2)
    y[70:] += 6
    own = autoregressive.statistic(shifted(y, np.arange(78), 70, None), EFFECT)
    placebos = placebo_dates(y, 8, until=70)
    assert placebo_p(own, placebos) == pytest.approx(1 / (1 + len(placebos)))


def test_too_few_weeks_leave_no_placebos():
    assert len(placebo_dates(np.arange(12.0) % 5, 8)) == 0
    assert len(placebo_dates(np.ones(60), 8)) == 0


def test_no_made_up_change_counts_a_week_in_which_something_else_changed():
    y = ar1(np.random.default_rng(6), (60,), 0.3)
    touched = np.zeros(60, bool)
    touched[37] = True
    free, barred = placebo_dates(y, 8, step=8), placebo_dates(y, 8, step=8, touched=touched)
    np.testing.assert_array_equal(barred, np.delete(free, 3))  # dates 12, 20, 28, 36, 44, 52: the one from 36 on
