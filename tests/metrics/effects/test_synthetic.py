"""Synthetic control: an optimiser as oracle, known mixes, coverage, ranks under no effect, refusals."""

import numpy as np
import pytest
from scipy import optimize, stats

from metrics.effects.effect import TOO_EARLY, TOO_FEW_BEFORE, Design
from metrics.effects.synthetic import NO_DONORS, POOR, simplex_weights, synthetic
from tests.metrics.effects.simulated import ar1


def panel(rng, units=12, weeks=48):
    """Units that are mixes of two common courses, with noise of their own."""
    courses = ar1(rng, (2, weeks), 0.7) * 2
    return rng.dirichlet([1, 1], units) @ courses + 0.7 * ar1(rng, (units, weeks), 0.2)


def test_weights_are_the_best_of_the_simplex():
    rng = np.random.default_rng(1)
    for _ in range(5):
        y, others = rng.normal(size=30) + 100, rng.normal(size=(5, 30)) + 100
        oracle = optimize.minimize(
            lambda w, y=y, others=others: np.sum((y - w @ others) ** 2),
            np.full(5, 0.2),
            method="SLSQP",
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        found = simplex_weights(y, others)
        np.testing.assert_allclose(found, oracle.x, atol=1e-4)
        assert found.sum() == pytest.approx(1)


def test_a_unit_that_is_a_mix_of_two_others_is_found_to_be_and_the_effect_exact():
    others = ar1(np.random.default_rng(2), (6, 50), 0.5)
    y = 0.3 * others[1] + 0.7 * others[4]
    y[40:] += 2.0
    found = synthetic(y, others, 40, names=tuple("abcdef"))
    assert dict(found.comparison) == pytest.approx({"b": 0.3, "e": 0.7}, abs=1e-5)
    assert found.effect.value == pytest.approx(2.0, abs=1e-5)
    assert found.placebo_p == pytest.approx(1 / 7)
    assert found.design is Design.SYNTHETIC


def test_the_interval_covers_and_ranks_are_uniform_under_no_effect():
    rng, hits, measured, ranks = np.random.default_rng(3), 0, 0, []
    for _ in range(250):
        y = panel(rng)
        found = synthetic(y[0], y[1:], 40)
        if found.effect.value is None:
            continue
        measured += 1
        hits += found.effect.low <= 0 <= found.effect.high
        ranks.append(round(found.placebo_p * 12))
    assert measured > 200
    assert 0.92 <= hits / measured <= 0.985
    assert stats.chisquare(np.bincount(ranks, minlength=13)[1:]).pvalue > 0.01


def test_no_likeness_before_is_no_number():
    rng = np.random.default_rng(4)
    y, others = 5 * rng.normal(size=50), rng.normal(size=(8, 50))
    assert synthetic(y, others, 40).effect.reason == POOR


def test_units_and_weeks_without_data_are_left_out():
    y = panel(np.random.default_rng(5), weeks=50)
    y[3, 20] = y[0, 5] = y[0, 44] = np.nan
    y[4, 5] = np.nan  # a week that the unit itself has none in
    found = synthetic(y[0], y[1:], 40)
    assert found.effect.n == 7
    assert "2" not in dict(found.comparison)
    assert len(found.placebos) == 10


@pytest.mark.parametrize(
    ("start", "rows", "reason"), [(48, 11, TOO_EARLY), (6, 11, TOO_FEW_BEFORE), (40, 1, NO_DONORS)]
)
def test_no_number_without_a_reason(start, rows, reason):
    y = panel(np.random.default_rng(6), weeks=50)
    assert synthetic(y[0], y[1 : 1 + rows], start).effect.reason == reason


def test_proportional_units_give_proportional_effects():
    y = panel(np.random.default_rng(7))
    y[0, 40:] += 3
    one, other = synthetic(y[0], y[1:], 40).effect, synthetic(y[0] * 50 + 9, y[1:] * 50 + 9, 40).effect
    assert other.value == pytest.approx(50 * one.value, rel=1e-5)
    assert other.low == pytest.approx(50 * one.low, rel=1e-2)
