"""Stopping when sure: every sequence of answers one by one, and plans that stop at once or never."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from metrics.raters_per_item import adaptive_stopping
from tests.metrics.raters_per_item.sequences import CONFUSION, PRIOR, chance, coin


def stopping_by_sequences(confusion, prior, threshold, most, least=1, correlation=0.0):
    """Ratings and accuracy of the stopping rule over every sequence of answers."""
    q, ratings, right = len(prior), 0.0, 0.0
    for answers in itertools.product(range(q), repeat=most):
        for n in range(1, most + 1):
            joint = np.array([prior[t] * chance(answers[:n], confusion[t], correlation) for t in range(q)])
            if n == most or (n >= least and joint.max() / joint.sum() >= threshold - 1e-12):
                break
        weight = np.array([prior[t] * chance(answers, confusion[t], correlation) for t in range(q)])
        ratings += n * weight.sum()
        right += weight[joint.argmax()]
    return ratings, right


@pytest.mark.parametrize(
    ("confusion", "prior", "threshold", "most", "least", "correlation"),
    [
        (coin(0.8), [0.5, 0.5], 0.9, 5, 1, 0.0),
        (coin(0.8), [0.9, 0.1], 0.95, 6, 2, 0.0),
        (CONFUSION, PRIOR, 0.9, 5, 1, 0.0),
        (CONFUSION, PRIOR, 0.85, 5, 2, 0.15),
    ],
)
def test_stopping_is_that_of_every_sequence(confusion, prior, threshold, most, least, correlation):
    found = adaptive_stopping(confusion, prior, threshold, most, least=least, correlation=correlation, cost=2.0)
    ratings, right = stopping_by_sequences(confusion, np.array(prior), threshold, most, least, correlation)
    assert found.ratings == pytest.approx(ratings)
    assert found.accuracy == pytest.approx(right)
    assert found.by_ratings["share"].sum() == pytest.approx(1)
    assert found.by_ratings["ratings"].between(least, most).all()
    assert found.cost_per_correct == pytest.approx(2 * ratings / right)


def test_stopping_at_once_and_never():
    """Two raters of .8 who agree: posterior .8²/(.8² + .2²) = .941; three of three: .985."""
    at_once = adaptive_stopping(coin(0.8), threshold=0.79, most=9)
    assert (at_once.ratings, at_once.accuracy, at_once.unsure) == (1, pytest.approx(0.8), 0)
    never = adaptive_stopping(coin(0.8), threshold=1.0, most=5)
    assert (never.ratings, never.accuracy, never.unsure) == pytest.approx((5, 0.94208, 1))
    # A posterior that equals the threshold has passed it, whatever rounding says.
    assert adaptive_stopping(coin(0.7), threshold=0.7, most=3).ratings == pytest.approx(1)
    assert adaptive_stopping(coin(0.7), threshold=0.49 / 0.58, most=2).ratings == pytest.approx(2)
    assert adaptive_stopping(coin(0.7), threshold=0.49 / 0.58, most=2).unsure == pytest.approx(0.42)
    two = adaptive_stopping(coin(0.8), threshold=0.94, most=2)
    assert two.by_ratings["share"].tolist() == [1.0]
    assert two.unsure == pytest.approx(0.32)


def test_stopping_when_sure_saves_ratings():
    found = adaptive_stopping(coin(0.8), threshold=0.95, most=15)
    assert found.accuracy > 0.98
    assert found.fixed_accuracy >= found.accuracy - 1e-9
    assert found.ratings < 0.7 * found.fixed_k
    assert found.unsure < 0.01
    # Whoever is stopped above the threshold is right at least that often.
    assert (found.by_ratings["accuracy"].iloc[:-1] >= 0.95).all()
    assert adaptive_stopping(coin(0.8), threshold=0.95, most=15, correlation=0.3).ratings > found.ratings


def test_stopping_beyond_exact_reach_is_refused():
    with pytest.raises(ValueError, match="10 labels and 12 ratings are too many"):
        adaptive_stopping(np.eye(10) * 0.9 + 0.01, most=12)
    for threshold, most, least, correlation in ((1.1, 5, 1, 0), (0.9, 2, 3, 0), (0.9, 2, 1, 1.0)):
        with pytest.raises(ValueError, match="A plan needs"):
            adaptive_stopping(coin(0.8), None, threshold, most, least=least, correlation=correlation)


def test_the_likeliest_label_of_all_alike_is_that_of_every_sequence():
    """The posterior of Dawid and Skene's model with this confusion, answer by answer."""
    fixed = adaptive_stopping(CONFUSION, PRIOR, 0.95, 5).fixed
    for k, found in enumerate(fixed, 1):
        right = 0.0
        for answers in itertools.product(range(3), repeat=k):
            right += max(PRIOR[t] * chance(answers, CONFUSION[t]) for t in range(3))
        assert found == pytest.approx(right, abs=1e-12)
