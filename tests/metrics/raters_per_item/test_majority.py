"""The accuracy of a majority: a published table, every sequence of answers, simulated shared blind spots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.raters_per_item import (
    error_correlation,
    majority_accuracy,
    majority_accuracy_table,
    plurality_accuracy,
    ratings_curve_of_confusion,
    value_of_next_rating,
)
from tests.metrics.raters_per_item.sequences import CONFUSION, PRIOR, by_sequences, coin


@pytest.mark.parametrize(
    ("accuracy", "published"),
    [(0.7, [0.700, 0.784, 0.837, 0.874]), (0.8, [0.800, 0.896, 0.942, 0.967]), (0.9, [0.900, 0.972, 0.991, 0.997])],
)
def test_the_table_of_methods_section_13(accuracy, published):
    found = [float(majority_accuracy(k, accuracy)) for k in (1, 3, 5, 7)]
    assert found == pytest.approx(published, abs=5e-4)
    assert [plurality_accuracy(k, coin(accuracy)) for k in (1, 3, 5, 7)] == pytest.approx(published, abs=5e-4)
    assert majority_accuracy_table((1, 3, 5, 7), [accuracy])[:, 0] == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("correlation", [0.0, 0.2])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_plurality_is_that_of_every_sequence(k, correlation):
    expected = by_sequences(k, CONFUSION, PRIOR, correlation)
    assert plurality_accuracy(k, CONFUSION, PRIOR, correlation) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [2, 4])
def test_plurality_of_four_labels_is_that_of_every_sequence(k):
    confusion = np.random.default_rng(0).dirichlet([1, 1, 1, 1], 4)
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    assert plurality_accuracy(k, confusion, prior) == pytest.approx(by_sequences(k, confusion, prior), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 15), st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.5]))
def test_two_labels_of_one_accuracy_are_the_binary_case(k, p, correlation):
    assert plurality_accuracy(k, coin(p), None, correlation) == pytest.approx(
        float(majority_accuracy(k, p, correlation)), abs=1e-10
    )


@given(st.integers(1, 20), st.floats(0.5, 1), st.floats(0, 0.9))
def test_more_raters_help_good_raters_and_correlation_hinders(k, p, correlation):
    now, later = (float(majority_accuracy(x, p, correlation)) for x in (k, k + 2))
    assert p - 1e-9 <= now <= later + 1e-9
    assert now <= float(majority_accuracy(k, p)) + 1e-9
    assert float(majority_accuracy(2 * k, p, correlation)) == pytest.approx(
        float(majority_accuracy(2 * k - 1, p, correlation)), abs=1e-9
    )


def test_at_full_correlation_all_raters_are_one():
    assert majority_accuracy(9, 0.7, 1.0) == pytest.approx(0.7)
    assert plurality_accuracy(9, CONFUSION, PRIOR, 1.0) == pytest.approx(PRIOR @ np.diag(CONFUSION))
    assert plurality_accuracy(9, CONFUSION, PRIOR, 0.9999) == pytest.approx(PRIOR @ np.diag(CONFUSION), abs=1e-3)


def test_simulated_raters_with_shared_blind_spots():
    rng = np.random.default_rng(1)
    p, rho, k = 0.8, 0.15, 5
    own = rng.beta(p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho, 400_000)
    right = rng.binomial(k, own) > k / 2
    assert majority_accuracy(k, p, rho) == pytest.approx(right.mean(), abs=0.003)


def test_error_correlation_finds_the_planted_one():
    rng = np.random.default_rng(2)
    p, rho, inside = 0.85, 0.2, 0
    for _ in range(60):
        own = rng.beta(p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho, 600)
        found = error_correlation(rng.binomial(4, own), np.full(600, 4))
        inside += found.low <= rho <= found.high
    assert found.value == pytest.approx(rho, abs=0.07)
    assert inside >= 53
    assert error_correlation([1, 1], [1, 1]).reason == "no item has two ratings"
    assert "no variation" in error_correlation([3, 3], [3, 3]).reason


def test_models_that_are_none_are_refused():
    for confusion, prior in (([[0.8, 0.3], [0.2, 0.8]], None), ([[1.0, 0.0]], None), (coin(0.8), [0.5, 0.6])):
        with pytest.raises(ValueError, match=r"sum to 1|square"):
            plurality_accuracy(3, confusion, prior)
    with pytest.raises(ValueError, match="rated once or more"):
        majority_accuracy(0, 0.8)
    with pytest.raises(ValueError, match="accuracy lies between"):
        majority_accuracy(3, 1.2)
    with pytest.raises(ValueError, match="correlation of errors"):
        majority_accuracy(3, 0.8, 1.5)
    with pytest.raises(ValueError, match="correlation below 1"):
        value_of_next_rating([[1, 0]], coin(0.8), correlation=1.0)
    with pytest.raises(ValueError, match="square table"):
        ratings_curve_of_confusion([[1, -1], [1, 1]])
