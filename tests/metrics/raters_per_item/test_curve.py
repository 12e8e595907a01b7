"""Curves of accuracy and price: by hand, by simulated coverage, and without judgements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics.raters_per_item import majority_accuracy, plurality_accuracy, ratings_curve, ratings_curve_of_confusion
from tests.metrics.raters_per_item.sequences import CONFUSION, PRIOR


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


def test_the_interval_of_three_raters_covers_the_truth_in_19_of_20():
    rng = np.random.default_rng(12)
    true, right, inside = float(majority_accuracy(3, 0.85)), rng.binomial(200, 0.85, 1500), 0
    known = {r: ratings_curve(r, 200, (3,)).iloc[0] for r in np.unique(right)}
    inside = np.mean([known[r]["low"] <= true <= known[r]["high"] for r in right])
    assert 0.93 <= inside <= 0.97
