"""Placebo p: the formula, and uniform where nothing was changed."""

import numpy as np
import pytest
from scipy import stats

from metrics.effects import autoregressive
from metrics.effects.effect import LEAST_BEFORE
from metrics.effects.interrupted import EFFECT, shifted, statistics
from metrics.effects.placebo import made_up, placebo_dates, placebo_p
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


@pytest.mark.parametrize("phi", [0.3, 0.8])
@pytest.mark.parametrize(
    ("units", "trend", "measured"), [(6, True, False), (6, False, False), (6, True, True), (1, True, False)]
)
def test_p_is_uniform_when_nothing_was_changed(units, trend, measured, phi):
    """1,500 changes: of one of six units, against own dates before and all dates of the others, noise unlike by a
    factor of five, with standard errors of unlike weeks as those of models too; and of one series alone.

    Dates with few weeks before have statistics a little narrower or wider than the real one's, so ranks are even to
    four points, and six with what chance adds; p is .05 or below in 2.5 to 7.5 of 100. Steps are split by lot.
    """
    rng, draws, weeks = np.random.default_rng(3), 1500, 44
    y = ar1(rng, (draws, units, weeks), phi) * rng.uniform(1, 5, (draws, units, 1))
    se = rng.uniform(0.5, 2, y.shape) if measured else None
    y += se * rng.normal(size=y.shape) if measured else 0.0
    flat = None if se is None else se[:, 1:].reshape(-1, weeks)
    first = None if se is None else se[:, 0]
    own = statistics(y[:, 0], weeks - 8, weeks, first, trend)
    before = made_up(y[:, 0], range(weeks - 16, LEAST_BEFORE - 1, -8), 8, first, trend=trend)
    dates = range(weeks - 8, LEAST_BEFORE - 1, -8)
    others = made_up(y[:, 1:].reshape(-1, weeks), dates, 8, flat, trend=trend).reshape(draws, -1)
    drawn = np.hstack([before, others])
    p = np.array([placebo_p(one, many) for one, many in zip(own, drawn, strict=True)])
    steps = 1 + np.isfinite(drawn).sum(1)
    assert stats.kstest(p - rng.random(draws) / steps, "uniform").statistic <= 0.06
    if units > 1:
        assert 0.025 <= np.mean(p <= 0.05) <= 0.075
    for k in range(2):
        errors = [None] * units if se is None else se[k]
        rows = [placebo_dates(y[k, 0], 8, until=weeks - 8, se=errors[0], step=8, trend=trend)]
        rows += [placebo_dates(y[k, j], 8, se=errors[j], step=8, trend=trend) for j in range(1, units)]
        np.testing.assert_allclose(np.sort(np.concatenate(rows)), np.sort(drawn[k][np.isfinite(drawn[k])]))


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
