"""Planning: closed forms against simulation with known phi, and what the answers must do."""

import importlib

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from metrics.effects import autoregressive
from metrics.effects.design import NEVER
from metrics.effects.interrupted import interrupted, statistics
from metrics.effects.power import (
    before_needed,
    carry_over,
    chance_of_seeing,
    detectable,
    effect_se,
    mean_change_sd,
    pools_needed,
    smallest_called,
    weeks_needed,
)
from tests.metrics.effects.simulated import ar1

rollout = importlib.import_module("metrics.effects.staggered")  # the package gives the function this name


@pytest.mark.parametrize("phi", [-0.4, 0.0, 0.6, 0.95])
def test_the_error_is_that_of_generalised_least_squares_with_the_whole_matrix_of_weeks(phi):
    week = np.arange(48)
    post = week >= 40
    x = np.column_stack([np.ones(48), week, post, (week - 43.5) * post]).astype(float)
    inverse = np.linalg.inv(phi ** np.abs(np.subtract.outer(week, week)).astype(float))
    plain = 2.5 * np.sqrt(np.linalg.inv(x.T @ inverse @ x)[2, 2])
    assert effect_se(40, 8, 2.5, phi) == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize(("before", "after", "phi"), [(40, 8, 0.0), (40, 8, 0.5), (30, 4, 0.3)])
def test_the_standard_error_is_that_of_estimates_over_draws(before, after, phi):
    """The fit guesses phi, so its estimates vary a little more than those that know it."""
    rng = np.random.default_rng(1)
    sd = 1 / np.sqrt(1 - phi**2)
    values = [interrupted(e, before).effect.value for e in ar1(rng, (250, before + after), phi)]
    assert np.std(values) / effect_se(before, after, sd, phi) == pytest.approx(1.03, abs=0.1)


def test_an_effect_of_the_detectable_size_is_seen_about_as_often_as_said():
    rng, phi, seen = np.random.default_rng(2), 0.3, 0
    size = detectable(effect_se(45, 8, 1 / np.sqrt(1 - phi**2), phi), 49)
    for e in ar1(rng, (200, 53), phi):
        e[45:] += size
        seen += interrupted(e, 45).p_value <= 0.05
    assert 0.65 <= seen / 200 <= 0.88  # .8 when phi is known; guessing it costs a little


@pytest.mark.parametrize(
    ("before", "after", "phi", "metrics"), [(45, 8, 0.3, 1), (45, 8, 0.5, 3), (60, 8, 0.8, 4), (30, 5, 0.5, 3)]
)
def test_a_planned_effect_is_called_in_75_to_85_of_100(before, after, phi, metrics):
    """3,000 series with the planned effect through all that a verdict asks: p after Holm's first step, no move before,
    and larger than 19 of 20 of as many series without it. Fitted together; some are compared with ``interrupted``.
    """
    size = smallest_called(before, after, 1.0, phi, metrics)
    e = np.sqrt(1 - phi**2) * ar1(np.random.default_rng(7), (6000, before + after), phi)
    without, y = e[:3000], e[3000:] + size * (np.arange(before + after) >= before)
    end = before + after
    as_large = np.quantile(np.abs(statistics(without, before, end)), 0.95)
    p, ratio = statistics(y, before, end, of=autoregressive.p_zero), statistics(y, before, end)
    moved = statistics(y[:, :before], before - 8, before, of=autoregressive.p_zero)
    for k in range(4):
        whole = interrupted(y[k], before)
        assert (whole.p_value, whole.pre_trend_p, whole.statistic) == pytest.approx((p[k], moved[k], ratio[k]))
    called = (p <= 0.05 / metrics) & (moved > 0.05) & (np.abs(ratio) >= as_large)
    assert 0.75 <= called.mean() <= 0.85, called.mean()


@pytest.mark.parametrize(("phi", "metrics", "effect"), [(0.3, 1, 0.9), (0.5, 4, 0.9), (0.8, 3, 0.9)])
def test_planned_pools_are_called_in_75_to_85_of_100(phi, metrics, effect):
    """1,500 rollouts at one date, weighed as the ledger does: eight weeks less four before, no move in four before."""
    pools = pools_needed(effect, mean_change_sd(4, 8, 1.0, phi), metrics)
    starts = np.repeat([16, NEVER], pools)
    draws = np.sqrt(1 - phi**2) * ar1(np.random.default_rng(8), (1500, 2 * pools, 24), phi)
    planned = effect * ((np.arange(24) >= 16) & (starts != NEVER)[:, None])
    total, _ = rollout._total(planned, starts, 8, 4, False)
    leads = np.mean([rollout._event(planned, starts, -4 - lead, 4, False) for lead in (1, 2, 3, 4)], axis=0)
    called = 0
    for y in draws + planned:
        called += (
            rollout._tested(total, y, y, starts).p <= 0.05 / metrics and rollout._tested(leads, y, y, starts).p > 0.05
        )
    assert 0.75 <= called / 1500 <= 0.85, (pools, called)


def test_the_lower_end_is_that_of_the_interval():
    """Fitted together and halved as often as a plan needs, against one series at a time."""
    y = ar1(np.random.default_rng(9), (5, 40), 0.5)
    low = statistics(y, 32, 40, of=lambda fit, along: autoregressive.lower_end(fit, along, 0.02))
    value = statistics(y, 32, 40, of=autoregressive.value)
    for k, e in enumerate(y):
        one = interrupted(e, 32, level=0.98).effect
        assert (value[k], low[k]) == pytest.approx((one.value, one.low), abs=1e-3)


def test_the_mean_change_varies_as_said():
    rng = np.random.default_rng(3)
    y = ar1(rng, (4000, 20), 0.6)
    change = y[:, 12:].mean(1) - y[:, :12].mean(1)
    assert change.std() == pytest.approx(mean_change_sd(12, 8, 1.25, 0.6), rel=0.04)  # 1 / √(1 - .36) = 1.25


@pytest.mark.parametrize("effect", [0.5, 0.9, 2.0])
def test_pools_equal_the_power_of_the_t_test(effect):
    m = pools_needed(effect, 1.0)
    power = [TTestIndPower().power(effect, k, 0.05) for k in (m - 1, m, m + 1)]
    # A plan asks for .8 / .95: one in twenty seems to have moved before, whatever the effect.
    assert power[0] < 0.842 + 0.01
    assert power[2] > 0.842 - 0.01


def test_chance_and_detectable_size_answer_each_other():
    assert chance_of_seeing(detectable(0.7, 40, 0.9), 0.7, 40) == pytest.approx(0.9)
    assert chance_of_seeing(0.0, 0.7, 40) == pytest.approx(0.025)


def test_larger_effects_need_fewer_weeks_and_carry_over_more():
    weeks = [weeks_needed(size, 60, 1.0, 0.2) for size in (1.9, 2.2, 3.0)]
    assert weeks == sorted(weeks, reverse=True)
    assert weeks[-1] == 3
    assert effect_se(40, 8, 1.0, 0.6) > 1.4 * effect_se(40, 8, 1.0, 0.0)


def test_a_plan_stays_within_the_weeks_that_count():
    """Twenty weeks would show by the formula what the eight that count do not: then more weeks before do, or nothing;
    and more metrics to be judged by ask for more.
    """
    assert detectable(effect_se(60, 20, 1.0, 0.3), 76) < 1.6 < smallest_called(60, 8, 1.0, 0.3)
    assert weeks_needed(1.6, 60, 1.0, 0.3) is None
    assert smallest_called(60, 8, 1.0, 0.3) == smallest_called(60, 20, 1.0, 0.3)
    waits = before_needed(1.6, 60, 1.0, 0.3)
    assert 60 < waits <= 156
    assert weeks_needed(1.6, waits, 1.0, 0.3) <= 8
    least = [smallest_called(45, 8, 2.0, 0.3, metrics) for metrics in (1, 2, 4)]
    assert least == sorted(least)
    pools = [pools_needed(0.9, 1.0, metrics) for metrics in (1, 2, 4)]
    assert pools == sorted(pools)


def test_what_cannot_be_had_is_none():
    assert weeks_needed(0.1, 40, 1.0, 0.3) is None
    assert weeks_needed(5.0, 7, 1.0, 0.3) is None
    assert before_needed(0.1, 40, 1.0, 0.3) is None
    assert smallest_called(7, 8, 1.0, 0.3) is None
    assert smallest_called(40, 2, 1.0, 0.3) is None
    assert pools_needed(0.01, 1.0) is None
    assert carry_over(np.ones(30)) is None
    assert carry_over(np.arange(5.0)) is None


def test_carry_over_is_recovered_on_average():
    found = [carry_over(e) for e in ar1(np.random.default_rng(5), (60, 78), 0.5)]
    assert np.mean([c.phi for c in found]) == pytest.approx(0.47, abs=0.06)
    assert np.mean([c.sd for c in found]) == pytest.approx(1 / np.sqrt(0.75), rel=0.12)
