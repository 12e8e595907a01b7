"""Confused labels: expected errors by hand, planted confusions found, coverage."""

import math

import numpy as np
import pandas as pd
import pytest

from metrics.errors import UnknownName
from metrics.items import (
    CONFUSION_COLUMNS,
    confusion_pairs,
)

COUNTS = pd.DataFrame(
    [[500, 20, 5], [60, 200, 3], [2, 5, 80]], index=["safe", "hate", "spam"], columns=["safe", "hate", "spam"]
)


def test_expected_errors_by_hand():
    """95 errors in 875; of 263 hateful items .10857 should be missed, 562/(562 + 88) of these as safe."""
    found = confusion_pairs(COUNTS).set_index(["true_label", "given_label"])
    expected = 263 * 95 / 875 * 562 / 650
    row = found.loc[("hate", "safe")]
    assert row[["n", "judged", "expected", "excess"]].tolist() == pytest.approx([60, 263, expected, 60 - expected])
    assert row["rate"] == pytest.approx(60 / 263)
    assert found["expected"].sum() == pytest.approx(95)
    assert found["excess"].sum() == pytest.approx(0, abs=1e-9)
    assert found.index[0] == ("hate", "safe")
    assert row["low"] > 20
    beyond = 1 - sum(math.exp(-expected) * expected**x / math.factorial(x) for x in range(60))
    assert row["p"] == pytest.approx(2 * beyond, rel=1e-3)
    below = found.loc[("spam", "safe")]
    up_to = sum(math.exp(-below["expected"]) * below["expected"] ** x / math.factorial(x) for x in range(3))
    assert below["p"] == pytest.approx(2 * up_to)
    assert row["q"] < 1e-6
    assert list(confusion_pairs(COUNTS).columns) == list(CONFUSION_COLUMNS)


def test_costs_and_names_choose_the_order():
    cost = pd.DataFrame(1.0, index=COUNTS.index, columns=COUNTS.columns)
    cost.loc["spam", "hate"] = 100
    found = confusion_pairs(COUNTS, cost=cost, top=1)
    assert found[["true_label", "given_label"]].values.tolist() == [["spam", "hate"]]
    plain = confusion_pairs(COUNTS.to_numpy(), ["safe", "hate", "spam"])
    pd.testing.assert_frame_equal(plain, confusion_pairs(COUNTS))
    order = ["spam", "safe", "hate"]
    moved = confusion_pairs(COUNTS.loc[order, order]).set_index(["true_label", "given_label"])["excess"]
    pd.testing.assert_series_equal(
        moved.sort_index(), confusion_pairs(COUNTS).set_index(["true_label", "given_label"])["excess"].sort_index()
    )


def test_a_label_never_given_keeps_its_row():
    found = confusion_pairs(COUNTS.drop(columns="spam"))
    assert found.loc[found["true_label"] == "spam", "n"].sum() == 7
    assert found.loc[found["given_label"] == "spam", "n"].sum() == 0
    with pytest.raises(UnknownName, match='no declared label "spam"'):
        confusion_pairs(COUNTS, ["safe", "hate"])


def test_intervals_of_excess_cover_the_truth_and_false_calls_are_few():
    rng = np.random.default_rng(5)
    judged, common = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.4, 0.3, 0.2, 0.1])
    for _ in range(30):  # until the labels given are as common as supposed
        even = judged[:, None] * 0.1 * common / (1 - common[:, None])
        even[np.arange(4), np.arange(4)] = 0.9 * judged
        common = even.sum(axis=0)
    planted = even.copy()
    planted[1, 3] += 0.02
    planted[1, 1] -= 0.02
    true = confusion_pairs(planted * 1e9, draws=2).set_index(["true_label", "given_label"])["excess"] / 1e9
    covered, first, alarms = [], 0, 0
    for seed in range(120):
        table = rng.multinomial(4_000, planted.ravel()).reshape(4, 4)
        found = confusion_pairs(table, draws=300, seed=seed).set_index(["true_label", "given_label"])
        expected = 4_000 * true.loc[found.index]
        covered.append(((found["low"] <= expected) & (expected <= found["high"])).mean())
        first += found.index[0] == (1, 3)
        alarms += confusion_pairs(rng.multinomial(4_000, even.ravel()).reshape(4, 4), draws=50)["q"].min() < 0.05
    assert 0.93 <= np.mean(covered) <= 0.97
    assert first >= 115
    assert alarms <= 11


def test_errors_of_few_raters_widen_the_interval():
    alone, clustered = (confusion_pairs(COUNTS, design_effect=d).iloc[0] for d in (1.0, 4.0))
    assert clustered["excess"] == alone["excess"]
    assert clustered["high"] - clustered["low"] == pytest.approx(2 * (alone["high"] - alone["low"]), rel=0.15)
    assert clustered["rate_high"] > alone["rate_high"]
    assert clustered["p"] > alone["p"]


def test_confusion_that_cannot_be_judged_says_why():
    perfect = confusion_pairs(np.diag([5, 3]))
    assert (perfect["reason"] == "no judgement differs from the true label").all()
    assert perfect["low"].isna().all()
    assert (perfect["excess"] == 0).all()
    assert (confusion_pairs(np.zeros((2, 2)))["reason"] == "no judgements with a known true label").all()
    unseen = confusion_pairs([[5, 1], [0, 0]]).set_index("true_label")
    assert unseen.loc[1, "reason"] == "no judgement of this true label"
    assert math.isnan(unseen.loc[1, "rate"])
    assert confusion_pairs([[3]]).empty
    assert confusion_pairs(np.zeros((0, 0))).empty
    for counts, labels, effect in (
        ([[1, 2]], None, 1),
        ([[1, -2], [1, 1]], None, 1),
        ([[1]], ["a", "b"], 1),
        ([[1]], None, 0),
    ):
        with pytest.raises(ValueError, match=r"square table|are named|design effect"):
            confusion_pairs(counts, labels, design_effect=effect)
    with pytest.raises(ValueError, match="Costs are 2 x 2"):
        confusion_pairs([[1, 2], [1, 1]], cost=[1, 2])
