"""Interrupted series: statsmodels' GLS, coverage where the truth is known, and every reason for no number."""

import numpy as np
import pytest
import statsmodels.api as sm

from metrics.effects import autoregressive
from metrics.effects.effect import TOO_EARLY, TOO_FEW_BEFORE, TOO_SHORT, Design
from metrics.effects.interrupted import (
    EFFECT,
    NO_VARIATION,
    SEASONS,
    compared,
    compared_all,
    interrupted,
    season,
    shifted,
    statistics,
)
from tests.metrics.effects.simulated import ar1


def test_the_fit_at_each_phi_is_generalised_least_squares():
    rng = np.random.default_rng(3)
    week = np.delete(np.arange(40), [7, 8, 21])  # weeks without data are passed over, not closed up
    y, scale = ar1(rng, (40,), 0.5)[week], rng.uniform(0.5, 2, len(week))
    x = np.column_stack([np.ones(len(week)), week, week >= 30])
    found = autoregressive.fit(y, x, week, scale)
    for g in (0, 12, 20, 26):
        correlation = autoregressive.PHI[g] ** np.abs(week[:, None] - week[None])
        oracle = sm.GLS(y, x, sigma=correlation * np.outer(scale, scale)).fit()
        np.testing.assert_allclose(found.beta[g], oracle.params, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.covariance[g], oracle.cov_params(), rtol=1e-8, atol=1e-12)


def test_phi_is_weighted_by_the_restricted_likelihood():
    """Against the density of n - k contrasts of the data that hold no coefficient, sigma integrated out."""
    rng = np.random.default_rng(4)
    week, y = np.arange(30), ar1(rng, (30,), 0.4)
    x = np.column_stack([np.ones(30), week, week >= 22])
    free = np.linalg.svd(x, full_matrices=True)[0][:, 3:]
    logs = []
    for phi in autoregressive.PHI:
        inside = free.T @ (phi ** np.abs(week[:, None] - week[None]) / (1 - phi**2)) @ free
        z = free.T @ y
        # The scale 1 / (1 - phi²) cancels: sigma is integrated out under d sigma / sigma.
        logs.append(-0.5 * np.linalg.slogdet(inside)[1] - 27 / 2 * np.log(z @ np.linalg.solve(inside, z)))
    oracle = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(autoregressive.fit(y, x, week).weight, oracle / oracle.sum(), rtol=1e-6)


def test_the_interval_is_student_s_where_only_one_phi_is_possible(monkeypatch):
    monkeypatch.setattr(autoregressive, "PHI", np.array([0.0]))
    y = np.random.default_rng(5).normal(size=40)
    x = np.column_stack([np.ones(40), np.arange(40), np.arange(40) >= 32])
    oracle = sm.OLS(y, x).fit()
    found = autoregressive.contrast(autoregressive.fit(y, x, np.arange(40)), np.array([0, 0, 1]))
    np.testing.assert_allclose((found.low, found.high), oracle.conf_int()[2], atol=1e-8)
    assert found.p == pytest.approx(oracle.pvalues[2], abs=1e-10)


PHIS = (0.3, 0.5, 0.8)


def covered(y, start, true=0.0, trend=True):
    """The share of series (series, weeks) whose interval holds the truth: with it taken off, p is above .05.

    All are fitted together; a few are compared with ``interrupted``.
    """
    less = y - true * (np.arange(y.shape[1]) >= start)
    p = statistics(less, start, y.shape[1], trend=trend, of=autoregressive.p_zero)
    for k in range(3):
        found = interrupted(y[k], start, trend=trend).effect
        assert (found.low <= true <= found.high) == (p[k] > 0.05)
    return np.mean(p > 0.05)


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize(("n", "shape"), [(40, "step"), (40, "slope"), (78, "step"), (78, "slope")])
def test_the_interval_covers_the_mean_effect_of_the_first_eight_weeks(n, shape, phi):
    rng, draws = np.random.default_rng(11), 3000
    start = n - 8
    since = np.arange(n) - start
    true = np.where(since >= 0, 2.0 if shape == "step" else 0.4 * since, 0.0)
    mean = true[start:].mean()
    y = 5 + 0.05 * np.arange(n) + true + ar1(rng, (draws, n), phi)
    share = covered(y, start, mean)
    assert 0.93 <= share <= 0.97, share
    values = statistics(y, start, n, of=autoregressive.value)
    assert np.mean(values) == pytest.approx(mean, abs=4 * np.std(values) / np.sqrt(draws))


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("trend", [True, False])
def test_with_a_comparison_too_the_interval_holds_no_effect_19_times_in_20(trend, phi):
    """2,000 panels of six units with a course in common that is not known; and a level course without others."""
    rng, weeks, start = np.random.default_rng(12), 60, 52
    y = ar1(rng, (2000, 6, weeks), phi) * rng.uniform(0.5, 2, (2000, 6, 1)) + 2 * ar1(rng, (2000, 1, weeks), 0.5)
    apart = np.array([one[0] - compared(one[0], None, one[1:], None, start).y for one in y[:3]])
    others = ~np.eye(6, dtype=bool)
    less = np.array([compared_all(one, None, others, start)[0][0] for one in y])
    np.testing.assert_allclose(less[:3], y[:3, 0] - apart)
    share = covered(less, start, trend=trend)
    assert 0.93 <= share <= 0.97, share
    alone = covered(ar1(rng, (3000, weeks), phi), start, trend=trend)
    assert 0.93 <= alone <= 0.97, alone


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("trend", [True, False])
def test_a_move_before_seems_there_in_one_of_twenty_where_there_is_none(trend, phi):
    """3,000 series with a year before; 2.5 to 7.5 % seem to move in the last eight weeks before the change."""
    y = ar1(np.random.default_rng(16), (3000, 60), phi)
    p = statistics(y[:, :52], 44, 52, trend=trend, of=autoregressive.p_zero)
    assert p[:3] == pytest.approx([interrupted(one, 52, trend=trend).pre_trend_p for one in y[:3]])
    assert 0.025 <= np.mean(p <= 0.05) <= 0.075, np.mean(p <= 0.05)


def test_least_squares_without_carry_over_would_cover_too_little():
    """What the design is for: ordinary least squares on the same series."""
    rng, hits, n = np.random.default_rng(12), 0, 60
    x = np.column_stack([np.ones(n), np.arange(n), np.arange(n) >= 52])
    for e in ar1(rng, (300, n), 0.6):
        low, high = sm.OLS(e, x).fit().conf_int()[2]
        hits += low <= 0 <= high
    assert hits / 300 < 0.85


def test_a_change_that_ended_is_measured_while_it_lasted():
    rng = np.random.default_rng(13)
    y = ar1(rng, (60,), 0.3) * 0.05
    y[40:45] += 3.0
    y[45:] -= 50.0  # what comes after is somebody else's
    found = interrupted(y, 40, end=45)
    assert found.effect.n == 5
    assert found.effect.low < 3.0 < found.effect.high < 4.0
    # The eight weeks after it are shown, and decide nothing.
    assert (found.weeks.max(), found.until) == (12, 5)
    np.testing.assert_allclose(found.gaps[found.weeks > 4], -50, atol=1)
    assert found.level == pytest.approx(y[40:45].mean())


def test_the_comparison_takes_out_what_happened_to_everybody():
    rng = np.random.default_rng(14)
    shared = np.where(np.arange(60) >= 45, 10.0, 0.0) + ar1(rng, (60,), 0.5)
    others = shared + 0.3 * rng.normal(size=(4, 60)) + np.arange(4)[:, None] * 7
    y = shared + 0.3 * rng.normal(size=60)
    assert interrupted(y, 45).effect.low > 5
    found = interrupted(y, 45, others=others, names=("a", "b", "c", "d"))
    assert found.design is Design.COMPARED
    assert found.effect.low <= 0 <= found.effect.high < 1
    weights = dict(found.comparison)
    assert [*weights] == [*"abcd"]
    assert sum(weights.values()) == pytest.approx(1)
    assert max(weights.values()) < 1.5 * min(weights.values())


def test_a_missing_week_moves_no_level():
    rng = np.random.default_rng(21)
    one = rng.normal(size=30)
    others = np.array([100 + one, one])
    others[0, 20:] = np.nan  # the high unit stops; a plain mean would fall by 50
    got = compared(one, None, others, np.array([[1.0] * 30, [2.0] * 30]), 15)
    np.testing.assert_allclose(got.y, got.y[0])
    np.testing.assert_allclose(got.weights, [0.5, 0.5])
    np.testing.assert_allclose(got.se[[0, 25]], [np.sqrt(0.5**2 + 0.5**2 * 4), 2.0])


def test_a_unit_weighs_by_how_close_it_keeps_to_its_line():
    """Weights are 1 / the residual variance of numpy's line through the weeks before; a slope costs nothing."""
    rng = np.random.default_rng(22)
    others = np.array([1.0, 2.0, 1.5])[:, None] * rng.normal(size=(3, 40)) + np.array([0, 0.5, 0])[:, None] * np.arange(
        40
    )
    others[2, [3, 8]] = np.nan
    got = compared(np.zeros(40), None, others, None, 30)
    want = []
    for unit in others[:, :30]:
        at = np.flatnonzero(np.isfinite(unit))
        want.append((len(at) - 2) / np.polyfit(at, unit[at], 1, full=True)[1][0])
    np.testing.assert_allclose(got.weights, np.array(want) / np.sum(want))


def test_one_quiet_unit_does_not_stand_for_all():
    rng = np.random.default_rng(23)
    others = rng.normal(size=(5, 40))
    others[0] = 3.0  # does not vary at all
    weights = compared(np.zeros(40), None, others, None, 30).weights
    assert weights[0] < 0.65
    assert weights[1:].min() > 0.03


def test_weeks_worth_little_count_little():
    """Weighted and unweighted fits of the same weeks: the interval covers when half the weeks are ten times noisier."""
    rng = np.random.default_rng(15)
    se = np.where(np.arange(50) % 2, 1.0, 10.0)
    wide, narrow, hits = 0.0, 0.0, 0
    for _ in range(150):
        y = se * rng.normal(size=50)
        found = interrupted(y, 42, se=se).effect
        hits += found.low <= 0 <= found.high
        narrow += found.high - found.low
        plain = interrupted(y, 42).effect
        wide += plain.high - plain.low
    assert 0.91 <= hits / 150 <= 0.985
    assert narrow < wide / 3


def test_a_move_before_the_change_is_seen_and_none_where_there_was_none():
    rng = np.random.default_rng(16)
    moved, still = 0, 0
    for e in ar1(rng, (200, 60), 0.3):
        still += interrupted(e, 50).pre_trend_p <= 0.05
        moved += interrupted(e + np.where(np.arange(60) >= 42, 3.0, 0), 50).pre_trend_p <= 0.05
    assert 0.01 <= still / 200 <= 0.085
    assert moved / 200 >= 0.7


def test_the_unit_of_the_metric_is_carried_through():
    y = ar1(np.random.default_rng(17), (50,), 0.4)
    one, other = interrupted(y, 40), interrupted(1000 * y + 7, 40)
    for name in ("value", "low", "high"):
        assert getattr(other.effect, name) == pytest.approx(1000 * getattr(one.effect, name), rel=1e-6)
    assert other.p_value == pytest.approx(one.p_value, abs=1e-9)


@pytest.mark.parametrize(
    ("y", "start", "end", "reason"),
    [
        (np.arange(40.0) % 3, 38, None, TOO_EARLY),
        (np.arange(40.0) % 3, 45, None, TOO_EARLY),
        (np.arange(40.0) % 3, 30, 32, TOO_SHORT),
        (np.arange(40.0) % 3, 7, None, TOO_FEW_BEFORE),
        (np.where(np.arange(40) < 30, np.nan, 1.0), 32, None, TOO_FEW_BEFORE),
        (np.where(np.arange(40) >= 30, np.nan, 1.0), 30, None, TOO_SHORT),
        (np.ones(40), 30, None, NO_VARIATION),
        (np.full(40, np.nan), 30, None, TOO_SHORT),
    ],
)
def test_no_number_without_a_reason(y, start, end, reason):
    found = interrupted(y, start, end)
    assert (found.effect.value, found.effect.reason) == (None, reason)


def test_columns_that_say_the_same_are_refused():
    with pytest.raises(ValueError, match="do not tell"):
        autoregressive.fit(np.arange(10.0), np.ones((10, 2)), np.arange(10))


def test_eight_weeks_are_counted_and_no_more():
    y = ar1(np.random.default_rng(18), (60,), 0.0)
    late = y.copy()
    late[48:] += 100.0
    assert interrupted(late, 40).effect == interrupted(y, 40).effect
    assert shifted(y, np.arange(48), 40, None).beta.shape[1] == len(EFFECT)


@pytest.mark.parametrize(("phi", "unlike"), [(0.0, False), (0.5, False), (0.3, True)])
def test_the_interval_of_a_single_week_holds_no_effect_19_times_in_20(phi, unlike):
    """Weeks under a change without effect, near and far; weeks of few judgements count little and err more."""
    rng, held, weeks = np.random.default_rng(31), 0, 0
    for _ in range(250):
        y = 5 + 0.02 * np.arange(60) + ar1(rng, (60,), phi)
        se = rng.uniform(0.5, 3, 60) if unlike else None
        y = y if se is None else y + se * rng.normal(size=60)
        y[rng.integers(0, 60, 4)] = np.nan
        found = interrupted(y, 45, se=se)
        under = found.weeks >= 0
        assert np.isnan(found.gap_low[~under]).all()
        held += ((found.gap_low[under] <= 0) & (found.gap_high[under] >= 0)).sum()
        weeks += under.sum()
        assert (np.abs((found.gap_low + found.gap_high) / 2 - found.gaps)[under] < 1e-9).all()
    assert 0.93 <= held / weeks <= 0.97, held / weeks


@pytest.mark.parametrize(("period", "n"), [(26, 62), (26, 78), (52, 114)])
def test_a_course_that_rides_a_wave_is_carried_on_along_it(period, n):
    """2,000 series on waves ten times as high as a week's error: 93 to 97 % covered; a line carried on takes their turn
    for a change. With as little error the weeks keep closer to a wave than to a line.
    """
    rng, start = np.random.default_rng(41), n - 8
    phase = rng.uniform(0, 2 * np.pi, (2000, 1))
    y = 10.0 * np.sin(2 * np.pi * np.arange(n) / period + phase) + ar1(rng, (2000, n), 0.3)
    with_wave, line = (
        statistics(y, start, n, seasons=seasons, of=autoregressive.p_zero) > 0.05 for seasons in (SEASONS, ())
    )
    assert 0.93 <= with_wave.mean() <= 0.97, with_wave.mean()
    assert line.mean() < 0.9
    found = interrupted(y[0], start)
    assert found.season == period
    assert found.p_value == pytest.approx(statistics(y[:1], start, n, of=autoregressive.p_zero)[0])
    least = np.where(found.weeks < 0, np.abs(found.gaps), 0).max()
    assert least < np.abs(interrupted(y[0], start, seasons=()).gaps[: len(found.gaps) - 8]).max()


def test_a_wave_is_seen_where_there_is_one_and_by_the_weeks_before_alone():
    """Of series without a wave about one in fifty gets one; none in too few weeks; the weeks after have no say."""
    rng = np.random.default_rng(42)
    for phi in PHIS:
        y = ar1(rng, (2000, 78), phi)
        before = np.broadcast_to(np.arange(78) < 70, y.shape)
        chosen = season(y, before, None)
        assert np.mean(chosen > 0) <= 0.05
        np.testing.assert_array_equal(season(y + 50.0 * ~before, before, None), chosen)
    wave = np.sin(2 * np.pi * np.arange(78) / 26) + 0.2 * rng.normal(size=(3, 78))
    assert season(wave, before[:3], None).tolist() == [26] * 3
    assert season(wave, before[:3], None, ()).tolist() == [0] * 3
    assert season(wave, np.broadcast_to(np.arange(78) < 50, wave.shape), None).tolist() == [0] * 3
