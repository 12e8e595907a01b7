"""What one more rating buys: published table, every sequence of answers one by one, simulation, and its price."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.raters_per_item import (
    adaptive_stopping,
    error_correlation,
    majority_accuracy,
    majority_accuracy_table,
    plurality_accuracy,
    ratings_curve,
    ratings_curve_of_confusion,
    value_of_next_rating,
)

CONFUSION = np.array([[0.7, 0.2, 0.1], [0.25, 0.6, 0.15], [0.05, 0.15, 0.8]])
PRIOR = np.array([0.6, 0.3, 0.1])


def coin(p):
    return np.array([[p, 1 - p], [1 - p, p]])


def chance(answers, row, correlation=0.0):
    """Probability of answers in this order: independent, or drawn from an urn that returns two of each colour."""
    found, seen = 1.0, np.zeros(len(row))
    for n, x in enumerate(answers):
        s = (1 - correlation) / correlation if correlation else math.inf
        found *= (s * row[x] + seen[x]) / (s + n) if correlation else row[x]
        seen[x] += 1
    return found


def by_sequences(k, confusion, prior, correlation=0.0):
    """Accuracy of the most frequent answer over every sequence of k answers, ties shared."""
    q, right = len(prior), 0.0
    for answers in itertools.product(range(q), repeat=k):
        counts = np.bincount(answers, minlength=q)
        winners = np.flatnonzero(counts == counts.max())
        for t in winners:
            right += prior[t] * chance(answers, confusion[t], correlation) / len(winners)
    return right


# ---- majority


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


# ---- curves and prices


def test_a_curve_with_prices_by_hand():
    found = ratings_curve(80, 100, (1, 3, 5), cost=0.5).set_index("k")
    assert found["accuracy"].tolist() == pytest.approx([0.8, 0.896, 0.94208])
    assert found["cost"].tolist() == [0.5, 1.5, 2.5]
    assert found["cost_per_correct"].tolist() == pytest.approx([0.5 / 0.8, 1.5 / 0.896, 2.5 / 0.94208])
    assert math.isnan(found.loc[1, "gain"])
    assert found.loc[3, "gain"] == pytest.approx(0.096)
    assert found.loc[5, "cost_per_extra_correct"] == pytest.approx(1 / 0.04608)
    # Wilson 80/100: .71117 to .86664.
    assert found.loc[1, ["low", "high"]].tolist() == pytest.approx([0.71117, 0.86664], abs=1e-5)
    assert found.loc[3, "low"] == pytest.approx(0.71117**2 * (3 - 2 * 0.71117), abs=1e-5)


def test_a_curve_of_confusion_is_the_plurality_of_its_shares():
    counts = CONFUSION * np.array([[600], [300], [100]])
    found = ratings_curve_of_confusion(counts, (1, 2, 5), draws=50)
    assert found["accuracy"].tolist() == pytest.approx([plurality_accuracy(k, CONFUSION, PRIOR) for k in (1, 2, 5)])
    assert (found["low"] < found["accuracy"]).all()
    assert (found["accuracy"] < found["high"]).all()
    assert math.isnan(found["cost_per_extra_correct"].iloc[1])  # with ties split a second rating buys nothing
    rare = ratings_curve_of_confusion(counts, (3,), prior=[0.1, 0.1, 0.8], draws=50)
    assert rare["accuracy"].iloc[0] == pytest.approx(plurality_accuracy(3, CONFUSION, [0.1, 0.1, 0.8]))


def test_intervals_of_curves_cover_the_truth():
    rng = np.random.default_rng(3)
    true, sizes, runs, covered = plurality_accuracy(3, CONFUSION, PRIOR), (120, 60, 20), 300, [0, 0]
    for seed in range(runs):
        counts = [rng.multinomial(n, row) for n, row in zip(sizes, CONFUSION, strict=True)]
        row = ratings_curve_of_confusion(counts, (3,), prior=PRIOR, draws=200, seed=seed).iloc[0]
        covered[0] += row["low"] <= true <= row["high"]
        row = ratings_curve(rng.binomial(150, 0.8), 150, (3,)).iloc[0]
        covered[1] += row["low"] <= 0.896 <= row["high"]
    assert all(0.92 <= c / runs <= 0.98 for c in covered)


def test_no_judgements_are_no_curve():
    for found in (ratings_curve(0, 0), ratings_curve_of_confusion(np.zeros((2, 2)))):
        assert (found["reason"] == "no judgements with a known true label").all()
        assert found["accuracy"].isna().all()
    unseen = ratings_curve_of_confusion([[5, 1], [0, 0]], (1, 3), prior=[0.5, 0.5])
    assert unseen["reason"].tolist() == ["a true label was never judged"] * 2
    seen = ratings_curve_of_confusion([[5, 1], [0, 0]], (1, 3))
    assert seen["reason"].tolist() == ["", ""]
    assert seen["accuracy"].iloc[0] == pytest.approx(5 / 6)


# ---- adaptive stopping


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


# ---- one more rating


@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_value_of_a_rating_is_that_of_every_answer(correlation):
    counts = np.array([[0, 0, 0], [2, 1, 0], [1, 1, 1], [0, 4, 0], [3, 3, 0]])
    found = value_of_next_rating(counts, CONFUSION, PRIOR, loss=20, cost=0.5, correlation=correlation)
    for row in found.itertuples():
        past = [x for x, n in enumerate(counts[row.item]) for _ in range(n)]
        joint = np.array(
            [[PRIOR[t] * chance([*past, x], CONFUSION[t], correlation) for t in range(3)] for x in range(3)]
        )
        now = joint.sum(axis=0)
        gain = (joint.max(axis=1).sum() - now.max()) / now.sum()
        assert row.posterior == pytest.approx(now.max() / now.sum())
        assert row.gain == pytest.approx(gain, abs=1e-12)
        assert row.value == pytest.approx(20 * gain - 0.5)
        assert row.label == now.argmax()
    assert found["value"].is_monotonic_decreasing


def test_the_queue_puts_costly_split_items_first():
    counts, loss = [[2, 0], [1, 1], [1, 1]], [1.0, 1.0, 5.0]
    found = value_of_next_rating(counts, coin(0.8), item=["sure", "split", "costly"], loss=loss)
    assert found["item"].tolist() == ["costly", "split", "sure"]
    assert found["value"].tolist() == pytest.approx([1.5, 0.3, 0.0])


def test_impossible_ratings_have_a_reason():
    found = value_of_next_rating([[1, 1], [1, 0]], [[1.0, 0.0], [0.0, 1.0]])
    assert found["item"].tolist() == [1, 0]
    assert found["reason"].tolist() == ["", "these ratings cannot occur under the model"]
    assert math.isnan(found["value"].iloc[1])


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


def test_the_likeliest_label_of_all_alike_is_that_of_every_sequence():
    """The posterior of Dawid and Skene's model with this confusion, answer by answer."""
    fixed = adaptive_stopping(CONFUSION, PRIOR, 0.95, 5).fixed
    for k, found in enumerate(fixed, 1):
        right = 0.0
        for answers in itertools.product(range(3), repeat=k):
            right += max(PRIOR[t] * chance(answers, CONFUSION[t]) for t in range(3))
        assert found == pytest.approx(right, abs=1e-12)


def test_the_interval_of_three_raters_covers_the_truth_in_19_of_20():
    rng = np.random.default_rng(12)
    true, right, inside = float(majority_accuracy(3, 0.85)), rng.binomial(200, 0.85, 1500), 0
    known = {r: ratings_curve(r, 200, (3,)).iloc[0] for r in np.unique(right)}
    inside = np.mean([known[r]["low"] <= true <= known[r]["high"] for r in right])
    assert 0.93 <= inside <= 0.97
