"""Unit costs: by hand, coverage by simulation, and what is refused; the split of quality cost by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics.intervals import Intervals
from metrics.spec import Estimate
from metrics.unit_cost import (
    NO_COST,
    NO_GOLD,
    NO_LABELS,
    ONE_CLUSTER,
    QUALITY_COSTS,
    amounts,
    cost_of_quality,
    cost_per,
    cost_per_correct,
    mover_ratio,
    shrunk_accuracy,
    unit_costs,
)

LEDGER = pd.DataFrame(
    {
        "pool": ["a", "a", "a", "b", "b", "c", "d"],
        "cost": [100.0, 120, 90, 300, 0, 50, 0],
        "labels": [1000, 1100, 1000, 2000, 500, 0, 100],
        "accepted_labels": [900, 1000, 950, 1500, 450, 0, 100],
        "items": [500, 600, 500, 1000, 200, 0, 100],
    }
)


def test_ratios_are_sums_over_sums():
    found = cost_per(LEDGER, ["pool"]).set_index("pool")
    assert found["value"].tolist()[:2] == pytest.approx([310 / 3100, 300 / 2500])
    assert found["n"].tolist() == [3100, 2500, 0, 100]
    assert found["reason"].tolist() == ["", "", NO_LABELS, ""]
    assert found["note"].tolist() == ["", "", "", NO_COST]
    assert found.loc["a", "low"] < 0.1 < found.loc["a", "high"]
    assert found.loc["d", "value"] == 0
    assert cost_per(LEDGER[:1], ["pool"])["note"].tolist() == [ONE_CLUSTER]
    padded = pd.concat([LEDGER, LEDGER[:2].assign(cost=0.0, labels=0)])
    pd.testing.assert_frame_equal(cost_per(padded, ["pool"]), cost_per(LEDGER, ["pool"]))
    assert cost_per(padded.iloc[[0, -1]], ["pool"])["note"].tolist() == [ONE_CLUSTER]
    all_ = cost_per(LEDGER, count="items", per=1000).iloc[0]
    assert all_["value"] == pytest.approx(660 / 2900 * 1000)
    assert cost_per(LEDGER[:0]).loc[0, "reason"] == NO_LABELS


def test_the_ratio_interval_is_the_linearised_one():
    """Written out with Student's t for four equal weeks, and Hall's term for a price with skewness 3 CV."""
    rows = pd.DataFrame({"cost": [100.0, 120, 90, 110], "labels": [1000.0] * 4})
    found = cost_per(rows).iloc[0]
    se = stats.sem(rows["cost"]) / rows["cost"].mean()
    tail = se**2 * (3 * (2 * stats.norm.ppf(0.975) ** 2 + 1) / 6 - stats.norm.ppf(0.975) ** 2 / 2)
    assert found["low"] == pytest.approx(0.105 * math.exp(-stats.t.ppf(0.975, 3) * se))
    assert found["high"] == pytest.approx(0.105 * math.exp(stats.t.ppf(0.975, 3) * se + tail))


def test_weeks_without_labels_leave_the_interval_of_the_others_as_it_is():
    """A row of nothing is no cluster, neither for its degrees of freedom nor for how unequal the volumes are."""
    rows = pd.DataFrame({"cost": [100.0, 120, 90, 110], "labels": [1000.0, 900, 1100, 1000]})
    padded = pd.concat([rows, pd.DataFrame({"cost": [0.0] * 9, "labels": [0.0] * 9})])
    pd.testing.assert_frame_equal(cost_per(padded), cost_per(rows))


def test_amounts_that_do_not_add_up_are_refused():
    for bad in ([-1.0], [math.nan], [math.inf]):
        with pytest.raises(ValueError, match="not negative"):
            amounts(bad)
    with pytest.raises(ValueError, match="EUR and USD cannot be added up"):
        cost_per(LEDGER.assign(currency=["USD"] * 6 + ["EUR"]))
    assert cost_per(LEDGER.assign(currency=["USD"] * 6 + [None])).loc[0, "value"] > 0
    with pytest.raises(ValueError, match="count"):
        cost_per(LEDGER.assign(labels=-1))


# ---- correct labels


def test_few_groups_are_jeffreys_and_many_are_drawn_together():
    few = shrunk_accuracy([8, 90], [10, 100])
    assert few["value"].tolist() == pytest.approx([8.5 / 11, 90.5 / 101])
    assert few.loc[0, ["low", "high"]].tolist() == pytest.approx(list(stats.beta(8.5, 2.5).ppf([0.025, 0.975])))
    rng = np.random.default_rng(0)
    n = np.array([5] * 20 + [200] * 20)
    truth = rng.beta(45, 5, 40)
    right = rng.binomial(n, truth)
    many = shrunk_accuracy(right, n)
    raw = right / n
    assert np.mean((many["value"] - truth) ** 2) < 0.5 * np.mean((raw - truth) ** 2)
    assert (np.abs(many["value"] - raw)[20:]).max() < 0.05
    inside = (many["low"] <= truth) & (truth <= many["high"])
    assert inside.mean() >= 0.85
    wide = shrunk_accuracy(right, n, effective=n / 2)
    assert ((wide["high"] - wide["low"]) > (many["high"] - many["low"]))[20:].mean() > 0.9
    none = shrunk_accuracy([0], [0]).iloc[0]
    assert math.isnan(none["value"])
    assert none["reason"] == NO_GOLD
    with pytest.raises(ValueError, match="between 0 and n"):
        shrunk_accuracy([3], [2])


@pytest.mark.parametrize(("groups", "runs"), [(5, 300), (10, 150), (20, 40)])
@pytest.mark.parametrize("truth", [(9, 0.5), (8, 2), (18, 2)])
def test_accuracies_of_a_few_groups_of_ten_cover(groups, runs, truth):
    """93 to 98 of 100, and 1.5 % for chance; the single best prior held 70 to 93 here."""
    rng = np.random.default_rng(groups)
    inside = []
    for _ in range(runs):
        accuracy = rng.beta(*truth, groups)
        found = shrunk_accuracy(rng.binomial(10, accuracy), 10)
        inside.append(np.mean((found["low"] <= accuracy) & (accuracy <= found["high"])))
    assert 0.915 <= np.mean(inside) <= 0.985


def test_mover_is_the_delta_method_when_ends_are_symmetric():
    c, a = (Intervals(*(np.array([v * math.exp(s * d)]) for s in (0, -1, 1))) for v, d in ((0.2, 0.1), (0.8, 0.05)))
    found = mover_ratio(c, a)
    half = math.hypot(0.1, 0.05)
    ends = [found.value[0], found.low[0], found.high[0]]
    assert ends == pytest.approx([0.25, 0.25 * math.exp(-half), 0.25 * math.exp(half)])


def test_asymmetric_ends_cross_over():
    """A lower end of accuracy that is far away lifts the upper end of the cost, not the lower one."""
    c = Intervals(*np.array([[1.0], [1.0], [1.0]]))
    found = mover_ratio(c, Intervals(*np.array([[0.8], [0.4], [0.9]])))
    assert found.high[0] == pytest.approx(1 / 0.4)
    assert found.low[0] == pytest.approx(1 / 0.9)


def test_cost_of_a_correct_label_covers_the_truth():
    rng = np.random.default_rng(1)
    hit = high = 0
    runs = 150
    price, accuracy = 0.12, 0.85
    for _ in range(runs):
        labels = rng.integers(500, 3000, 26)
        cost = labels * price * rng.lognormal(-0.02, 0.2, 26)
        per = cost_per(pd.DataFrame({"cost": cost, "labels": labels}))
        found = cost_per_correct(per, shrunk_accuracy(rng.binomial(60, accuracy), 60)).iloc[0]
        hit += found["low"] <= price / accuracy <= found["high"]
        high += found["high"] < price / accuracy
    assert 0.91 <= hit / runs <= 0.985
    assert high / runs < 0.06


@pytest.mark.parametrize(("weeks", "gold"), [(5, 60), (26, 20), (26, 300)])
def test_costs_of_a_label_and_of_a_correct_label_cover(weeks, gold):
    """93 to 97 of 2,000 groups, and 1 % for chance (two errors): true accuracies of .9 on average, prices ± 20 %."""
    runs, rng = 2000, np.random.default_rng(2)
    labels = rng.integers(500, 3000, (runs, weeks)).astype(float)
    cost = labels * 0.12 * rng.lognormal(-0.02, 0.2, (runs, weeks))
    group = np.repeat(np.arange(runs), weeks)
    per = cost_per(pd.DataFrame({"group": group, "cost": cost.ravel(), "labels": labels.ravel()}), ["group"])
    accuracy = rng.beta(18, 2, runs)
    a, b = 0.5 + (right := rng.binomial(gold, accuracy)), 0.5 + gold - right
    shown = pd.DataFrame({"value": a / (a + b), "n": float(gold), "reason": ""})
    low, high = (stats.beta(a, b).ppf(q) for q in (0.025, 0.975))
    shown = shown.assign(low=np.minimum(low, shown["value"]), high=np.maximum(high, shown["value"]))
    for found, truth in ((per, 0.12), (cost_per_correct(per, shown), 0.12 / accuracy)):
        assert 0.92 <= np.mean((found["low"] <= truth) & (truth <= found["high"])) <= 0.98


def test_every_measure_and_every_reason():
    accuracy = pd.DataFrame({"pool": ["a", "b"]}).join(shrunk_accuracy([90, 0], [100, 0]))
    found = unit_costs(LEDGER, ["pool"], accuracy)
    assert found["measure"].unique().tolist() == ["label", "accepted label", "correct label", "1,000 items"]
    cell = found.set_index(["pool", "measure"])
    assert cell.loc[("a", "accepted label"), "value"] == pytest.approx(310 / 2850)
    assert cell.loc[("a", "correct label"), "value"] == pytest.approx(0.1 / (90.5 / 101))
    assert cell.loc[("a", "correct label"), "low"] < cell.loc[("a", "correct label"), "value"]
    assert cell.loc[("b", "correct label"), "reason"] == NO_GOLD
    assert cell.loc[("c", "correct label"), "reason"] == NO_LABELS
    assert cell.loc[("d", "correct label"), "reason"] == NO_GOLD
    assert (found["value"].isna() == (found["reason"] != "")).all()
    assert (found["low"].isna() == ((found["reason"] != "") | (found["note"] != ""))).all()
    one = unit_costs(LEDGER, [], shrunk_accuracy(90, 100))
    assert one.loc[one["measure"] == "correct label", "value"].tolist() == pytest.approx([660 / 5700 / (90.5 / 101)])
    with pytest.raises(ValueError, match="same groups"):
        cost_per_correct(cost_per(LEDGER, ["pool"]), accuracy)


# ---- cost of poor quality

SUMS = {
    "cost": 2000.0,
    "cost_labour": 1000.0,
    "cost_review": 200.0,
    "cost_rework": 100.0,
    "cost_training": 50.0,
    "labels": 10_000,
    "cost_discarded": 50.0,
    "accepted_labels": 9000,
    "gold_judgements": 300,
    "appeals_decided": 20,
    "escalations": 3,
}


def test_the_split_by_hand():
    wrong = Estimate(0.02, 0.01, 0.04, 400)
    found = cost_of_quality(SUMS, escaped_error_cost=0.5, error_share=wrong, appeal_cost=2, escalation_cost=10)
    amount = found.kinds.set_index("kind")["amount"]
    assert amount.to_dict() == pytest.approx(
        {
            "training": 50,
            "review": 200,
            "gold": 30,
            "rework": 100,
            "rejected": 50,
            "appeals": 40,
            "escalations": 30,
            "escaped": 87.3,  # of the 9,000 accepted 3 % are taken as gold
        }
    )
    category = found.categories.set_index("category")
    assert category["amount"].tolist() == pytest.approx([50, 230, 150, 157.3])
    assert category["share"].tolist() == pytest.approx([0.025, 0.115, 0.075, 0.07865])
    assert category.loc["external failure", ["low", "high"]].tolist() == pytest.approx([113.65, 244.6])
    poor = found.poor_quality
    assert (poor.value, poor.low, poor.high) == pytest.approx((307.3, 263.65, 394.6))
    assert found.poor_quality_share.value == pytest.approx(0.15365)
    assert found.qa_share.value == pytest.approx(0.115)
    assert (found.escaped_errors.value, found.escaped_errors.high) == pytest.approx((174.6, 349.2))
    assert "0.50" in found.assumptions[0]
    assert [k.kind for k in QUALITY_COSTS] == list(amount.index)


def test_a_gold_answer_escapes_to_nobody():
    """All labels gold: none escapes. No count of gold: none is taken off."""
    wrong = Estimate(0.1, 0.05, 0.2, 400)
    all_gold = cost_of_quality(SUMS | {"gold_judgements": 10_000}, escaped_error_cost=1, error_share=wrong)
    assert all_gold.escaped_errors.value == 0 and all_gold.kinds.set_index("kind").loc["escaped", "amount"] == 0
    unknown = cost_of_quality(SUMS | {"gold_judgements": None}, escaped_error_cost=1, error_share=wrong)
    assert unknown.escaped_errors.value == pytest.approx(900)


def test_without_lambda_nothing_of_escaped_errors_is_asked():
    found = cost_of_quality(SUMS, escaped_error_cost=0)
    assert found.poor_quality == Estimate(150, n=10_000)
    assert found.escaped_errors.reason.startswith(NO_GOLD)


def test_unknown_sums_are_null_with_a_reason_and_never_nothing():
    known = {k: v for k, v in SUMS.items() if k not in ("cost_rework", "gold_judgements")}
    found = cost_of_quality(known | {"accepted_labels": None}, escaped_error_cost=1)
    kinds = found.kinds.set_index("kind")
    assert kinds.loc["rework", "reason"] == "cost rework not known"
    assert kinds.loc["gold", "reason"] == "gold judgements not known"
    assert kinds.loc["escaped", "reason"] == "accepted labels not known"
    assert found.poor_quality.value is None
    assert found.qa_share.reason == "gold judgements not known"
    assert (kinds["amount"].isna() == (kinds["reason"] != "")).all()
    free = cost_of_quality(SUMS | {"cost": 0.0}, escaped_error_cost=0)
    assert free.qa_share.reason == NO_COST
    assert cost_of_quality(SUMS | {"labels": 0}, escaped_error_cost=0).qa_share.reason == NO_LABELS


@pytest.mark.parametrize("bad", [{"escaped_error_cost": -1}, {"escaped_error_cost": 0, "appeal_cost": -1}])
def test_negative_assumptions_are_refused(bad):
    with pytest.raises(ValueError, match="not negative"):
        cost_of_quality(SUMS, **bad)
    with pytest.raises(ValueError, match="not negative"):
        cost_of_quality(SUMS | {"cost_review": -5}, escaped_error_cost=0)
