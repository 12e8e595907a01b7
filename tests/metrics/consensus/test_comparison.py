"""Majority vote beside Dawid and Skene's model: figures by hand, planted raters and the shared data."""

import numpy as np
import pandas as pd
import pytest
from consensus_cases import accuracy, coins, drawn, plant

from metrics.consensus import compare, dawid_skene
from metrics.errors import UnknownName
from metrics.spec import ESTIMATE_COLUMNS
from tests.shared_data import gold_of, needs_shared, real

# Items 1 to 4 as counted by eye; item 2 is tied.
ITEM = [1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4]
RATER = ["a", "b", "c", "a", "b", "a", "b", "c", "a", "b", "c"]
LABEL = ["x", "x", "y", "x", "y", "y", "y", "y", "x", "x", "x"]


def raters_who_stray(raters, q, rng):
    """Raters of accuracy .6 to .95 who each err in a direction of their own."""
    right = rng.uniform(0.6, 0.95, (raters, 1, 1))
    return right * np.eye(q) + (1 - right) * rng.dirichlet(np.full(q, 0.7), (raters, q))


def test_the_majority_is_scored_by_hand_and_a_tie_is_not_right():
    found = compare(ITEM, RATER, LABEL, gold={1: "x", 2: "x", 3: "x", 4: None, 9: "y"})
    assert found.items["item"].tolist() == [1, 2, 3, 4]
    assert found.items["majority"].tolist() == ["x", None, "y", "x"]
    assert (found.n_items, found.n_tied, found.n_tied_gold) == (4, 1, 1)
    # Of the three rated items with gold item 1 alone is right. Wilson's ends for 1 of 3: Newcombe's formula by hand.
    assert found.majority_accuracy.n == 3
    assert found.majority_accuracy.value == pytest.approx(1 / 3)
    z = 1.959964
    middle, half = (1 + z**2 / 2) / (3 + z**2), z * np.sqrt(2 / 3 + z**2 / 4) / (3 + z**2)
    assert (found.majority_accuracy.low, found.majority_accuracy.high) == pytest.approx((middle - half, middle + half))


def test_gold_scores_the_model_and_does_not_teach_it():
    """Everyone takes labels 1 and 2 for one another: a model that had seen its gold would be right on all of it."""
    swapped = coins([0.9] * 10, 3)[:, [0, 2, 1]]
    planted = plant(1000, swapped, [0.4, 0.3, 0.3], seed=9)
    gold = dict(enumerate(planted.truth.tolist()))
    found, without = compare(*planted[:3], gold=gold), compare(*planted[:3])
    pd.testing.assert_frame_equal(found.items, without.items)
    pd.testing.assert_frame_equal(found.raters, without.raters)
    assert found.model_accuracy.n == 1000
    assert found.model_accuracy.value == pytest.approx(np.mean(planted.truth == 0), abs=0.02)
    assert found.majority_accuracy.value == pytest.approx(np.mean(planted.truth == 0), abs=0.02)


def test_the_model_is_dawid_skene_and_the_counts_are_of_its_items():
    planted = plant(400, raters_who_stray(12, 4, np.random.default_rng(1)), [0.4, 0.3, 0.2, 0.1], ratings=4, seed=2)
    found = compare(*planted[:3], labels=range(4), gold=dict(enumerate(planted.truth.tolist())), pseudo_counts=0.3)
    model = dawid_skene(*planted[:3], labels=range(4), pseudo_counts=0.3)
    assert found.items["label"].tolist() == model.winner.tolist()
    np.testing.assert_array_equal(found.items["probability"], model.posterior.max(axis=1))
    assert found.model_accuracy.value == pytest.approx(np.mean(model.winner == planted.truth[model.items]))
    assert found.unsettled.value == pytest.approx(np.mean(model.posterior.max(axis=1) < 0.8))
    assert (found.unsettled.low, found.unsettled.high, found.unsettled.n) == (None, None, 400)
    both = found.items.dropna()
    assert found.n_differ == (both["label"] != both["majority"]).sum() > 0
    np.testing.assert_allclose(found.confusion.sum(axis=(1, 2)), 1)
    np.testing.assert_allclose(found.confusion / model.prior[:, None], model.confusion)


def test_accuracy_of_raters_is_the_expected_share_of_right_ratings():
    planted = plant(400, raters_who_stray(12, 3, np.random.default_rng(1)), [0.5, 0.3, 0.2], ratings=4, seed=2)
    found = compare(*planted[:3])
    model = dawid_skene(*planted[:3], pseudo_counts=0.1)
    position = {i: place for place, i in enumerate(model.items)}
    assert list(found.raters) == ["rater", *ESTIMATE_COLUMNS]
    for row in found.raters.itertuples():
        own = planted.rater == row.rater
        at = [position[i] for i in planted.item[own]]
        assert row.value == pytest.approx(model.posterior[at, planted.label[own]].mean())
        assert row.n == own.sum()
        assert row.low < row.value < row.high


@pytest.mark.parametrize(
    ("items", "q", "manner"), [(1000, 3, "stray"), (1000, 6, "stray"), (2000, 3, "coins")], ids=str
)
def test_intervals_of_raters_cover(items, q, manner):
    """150 to 300 ratings a rater, three an item. As coins, three labels leave one item in six unsettled.

    Wilson on all ratings, as if the truth were known, holds 93, 93 and 88 of 100.
    """
    prior = np.array([0.5, 0.3, 0.2] if q == 3 else [0.45, 0.2, 0.15, 0.1, 0.06, 0.04])
    held = []
    for seed in range(50):
        rng = np.random.default_rng(1000 + seed)
        confusion = raters_who_stray(20, q, rng) if manner == "stray" else coins(rng.uniform(0.6, 0.95, 20), q)
        found = compare(*plant(items, confusion, prior, ratings=3, seed=seed)[:3]).raters
        truth = (confusion * prior[:, None] * np.eye(q)).sum(axis=(1, 2))[found["rater"].to_numpy(int)]
        held.append((found["low"] <= truth) & (truth <= found["high"]))
    assert 0.93 <= np.mean(held) <= 0.97


def test_intervals_of_raters_with_thirty_ratings_err_to_the_narrow_side():
    """Six labels: a confusion matrix has as many parameters as the rater has ratings."""
    prior = np.array([0.45, 0.2, 0.15, 0.1, 0.06, 0.04])
    held, right = [], []
    for seed in range(40):
        confusion = raters_who_stray(30, 6, np.random.default_rng(1000 + seed))
        planted = plant(300, confusion, prior, ratings=3, seed=seed)
        found = compare(*planted[:3])
        plain = compare(*planted[:3], pseudo_counts=0.0)
        truth = (confusion * prior[:, None] * np.eye(6)).sum(axis=(1, 2))[found.raters["rater"].to_numpy(int)]
        held.append((found.raters["low"] <= truth) & (truth <= found.raters["high"]))
        right.append(
            [np.mean(f.items["label"] == planted.truth[f.items["item"].to_numpy(int)]) for f in (found, plain)]
        )
    assert 0.90 <= np.mean(held) <= 0.95
    with_counts, without = np.mean(right, axis=0)
    assert with_counts > without + 0.005


def test_a_faultless_pool_is_sure_and_still_has_an_interval():
    found = compare([1, 1, 2, 2, 3, 3], ["a", "b"] * 3, list("xxyyxx"), pseudo_counts=0.0)
    assert found.raters["value"].tolist() == [1, 1]
    assert found.raters["high"].tolist() == [1, 1]
    # Wilson's lower end at 3 of 3 is n/(n + z²).
    np.testing.assert_allclose(found.raters["low"], 3 / (3 + 1.959964**2))
    assert found.unsettled.value == 0


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (([], [], []), "no ratings"),
        (([1, 2], ["a", "b"], ["x", "y"]), "no item has two ratings, so nothing shows who is right"),
        (([1, 1], ["a", "b"], ["x", "x"]), "fewer than two labels are declared"),
    ],
)
def test_without_a_model_the_reason_stands_and_votes_remain(rows, reason):
    found = compare(*rows, gold={1: "x"})
    assert found.reason == found.model_accuracy.reason == found.unsettled.reason == reason
    assert found.confusion is None
    assert found.n_differ == 0
    assert not found.converged
    assert found.items["label"].isna().all()
    assert found.items["probability"].isna().all()
    assert found.raters["value"].isna().all()
    assert (found.raters["reason"] == reason).all()
    if rows[0]:
        assert found.majority_accuracy.value == 1
    else:
        assert found.majority_accuracy.reason == "no rated item has a gold label"


def test_without_gold_there_is_a_reason_and_no_score():
    found = compare(ITEM, RATER, LABEL)
    assert found.majority_accuracy.value is None
    assert found.majority_accuracy.reason == found.model_accuracy.reason == "no rated item has a gold label"
    assert found.reason == ""


def test_gold_outside_the_declared_labels_is_an_error_and_outside_the_ratings_a_miss():
    with pytest.raises(UnknownName):
        compare(ITEM, RATER, LABEL, labels=["x", "y"], gold={1: "z"})
    found = compare(ITEM, RATER, LABEL, gold={1: "z"})
    assert found.labels == ("x", "y", "z")
    assert found.model_accuracy.value == 0


def test_order_of_rows_is_irrelevant():
    rng = np.random.default_rng(4)
    confusion = raters_who_stray(8, 3, rng)
    truth = rng.integers(0, 3, 150)
    item, rater = np.repeat(np.arange(150), 4), rng.integers(0, 8, 600)
    label = drawn(confusion[rater, truth[item]], rng)
    order = rng.permutation(600)
    gold = dict(enumerate(truth.tolist()))
    one, other = compare(item, rater, label, gold=gold), compare(item[order], rater[order], label[order], gold=gold)
    assert one.model_accuracy.value == other.model_accuracy.value
    assert one.n_differ == other.n_differ
    numbers = list(ESTIMATE_COLUMNS[:4])
    np.testing.assert_allclose(
        one.raters.sort_values("rater")[numbers], other.raters.sort_values("rater")[numbers], atol=1e-6
    )


@needs_shared
@pytest.mark.parametrize(
    ("task", "model", "fair", "ties", "n"),
    [("rte", 0.9275, 0.896875, 65, 800), ("temp", 0.941558, 432.5 / 462, 17, 462)],
)
def test_snow(task, model, fair, ties, n):
    """Plain EM of the reference for the model; the fair draw's figure less half its ties for the votes."""
    rows, truth = real(f"snow2008/{task}"), gold_of(f"snow2008/{task}")
    found = compare(*rows, gold=truth, pseudo_counts=0.0)
    assert found.model_accuracy.value == pytest.approx(model, abs=1e-6)
    assert found.majority_accuracy.n == found.model_accuracy.n == n
    assert found.n_tied == found.n_tied_gold == ties
    assert found.majority_accuracy.value == pytest.approx(fair - ties / 2 / n)
    assert accuracy(dawid_skene(*rows), truth) == found.model_accuracy.value
