"""Planning: closed forms against simulation with known phi, and what the answers must do."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from metrics.effects.interrupted import interrupted
from metrics.effects.power import (
    carry_over,
    chance_of_seeing,
    detectable,
    effect_se,
    mean_change_sd,
    pools_needed,
    weeks_needed,
)
from tests.metrics.effects.simulated import ar1


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


def test_the_mean_change_varies_as_said():
    rng = np.random.default_rng(3)
    y = ar1(rng, (4000, 20), 0.6)
    change = y[:, 12:].mean(1) - y[:, :12].mean(1)
    assert change.std() == pytest.approx(mean_change_sd(12, 8, 1.25, 0.6), rel=0.04)  # 1 / √(1 - .36) = 1.25


@pytest.mark.parametrize("effect", [0.5, 0.9, 2.0])
def test_pools_equal_the_power_of_the_t_test(effect):
    m = pools_needed(effect, 1.0)
    power = [TTestIndPower().power(effect, k, 0.05) for k in (m - 1, m, m + 1)]
    assert power[0] < 0.81
    assert power[2] > 0.79


def test_chance_and_detectable_size_answer_each_other():
    assert chance_of_seeing(detectable(0.7, 40, 0.9), 0.7, 40) == pytest.approx(0.9)
    assert chance_of_seeing(0.0, 0.7, 40) == pytest.approx(0.025)


def test_larger_effects_need_fewer_weeks_and_carry_over_more():
    weeks = [weeks_needed(size, 60, 1.0, 0.2) for size in (1.5, 2.0, 3.0)]
    assert weeks == sorted(weeks, reverse=True)
    assert weeks[-1] == 3
    assert effect_se(40, 8, 1.0, 0.6) > 1.4 * effect_se(40, 8, 1.0, 0.0)


def test_what_cannot_be_had_is_none():
    assert weeks_needed(0.1, 40, 1.0, 0.3) is None
    assert weeks_needed(5.0, 7, 1.0, 0.3) is None
    assert pools_needed(0.01, 1.0) is None
    assert carry_over(np.ones(30)) is None
    assert carry_over(np.arange(5.0)) is None


def test_carry_over_is_recovered_on_average():
    found = [carry_over(e) for e in ar1(np.random.default_rng(5), (60, 78), 0.5)]
    assert np.mean([c.phi for c in found]) == pytest.approx(0.47, abs=0.06)
    assert np.mean([c.sd for c in found]) == pytest.approx(1 / np.sqrt(0.75), rel=0.12)
