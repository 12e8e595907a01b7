"""Items and labels that deserve a look: definitions by hand, planted faults found, few false alarms, coverage."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.errors import UnknownName
from metrics.items import (
    CONFUSION_COLUMNS,
    CONTESTED_COLUMNS,
    GOLD_COLUMNS,
    SHIFT_COLUMNS,
    confusion_pairs,
    contested_items,
    doubtful_gold,
    label_shift,
)
from metrics.items import gold as gold_module
from metrics.items.distances import divergence_ends, jensen_shannon, variation_ends
from tests.shared_data import frame, needs_shared


def rows_of(units):
    """Columns item, rater, label of items written as strings of labels."""
    cells = [(i, r, x) for i, unit in units.items() for r, x in enumerate(unit)]
    return tuple(list(column) for column in zip(*cells, strict=True))


# ---- contested items


UNITS = {
    "split few": "ab",
    "split many": "ababababab",
    "nearly": "aaaaaaaabb",
    "three ways": "aabbcc",
    "sure": "aaaaaaaaaa",
    "sure few": "aa",
    "alone": "b",
    **{f"plain {i}": "aaaa" for i in range(8)},
    **{f"other {i}": "bbbb" for i in range(4)},
}


def test_two_ratings_do_not_top_the_list():
    found = contested_items(*rows_of(UNITS))
    order = found.table["item"].tolist()
    assert order[:2] == ["three ways", "split many"]
    assert order.index("split many") < order.index("split few") < order.index("sure few") < order.index("sure")
    assert (found.n_items, found.n_too_few, found.reason) == (18, 1, "")
    table = found.table.set_index("item")
    assert table.loc["split few", ["n", "pairwise", "entropy"]].tolist() == pytest.approx([2, 1, np.log(2) / np.log(3)])
    assert table.loc["split many", "pairwise"] == pytest.approx(5 * 5 / 45)
    assert table.loc["nearly", ["top_label", "top_share", "second_label", "second_share"]].tolist() == [
        "a",
        0.8,
        "b",
        0.2,
    ]
    assert table.loc["sure", "second_label"] is None
    assert len(contested_items(*rows_of(UNITS), top=3).table) == 3


def test_expected_disagreement_by_hand():
    """Strength (1 - κ)/κ with κ of pairs; expected disagreement of a Dirichlet, from its definition."""
    units = {"x": "aab", "y": "aaa", "z": "bb", "w": "ab"}
    found = contested_items(*rows_of(units))
    agreed = np.mean([1 / 3, 1, 1, 0])
    shares = np.array([6 / 10, 4 / 10])
    kappa = (agreed - (shares**2).sum()) / (1 - (shares**2).sum())
    strength = (1 - kappa) / kappa
    assert found.strength == pytest.approx(strength)
    a = strength * shares + [2, 1]
    expected = 2 * a[0] * a[1] / (a.sum() * (a.sum() + 1))
    assert found.table.set_index("item").loc["x", "disagreement"] == pytest.approx(expected)
    assert found.average == pytest.approx(1 - (strength * (shares**2).sum() + 1) / (strength + 1))


def test_what_differs_more_counts_more():
    units = {f"mild {i}": "aaab" for i in range(5)} | {f"grave {i}": "aaac" for i in range(5)}
    units |= {f"plain {i}": "aaaa" for i in range(20)} | {f"other {i}": "bbbb" for i in range(5)} | {"c": "cccc"}
    distance = [[0, 1, 3], [1, 0, 1], [3, 1, 0]]
    found = contested_items(*rows_of(units), distance=distance, top=5).table
    assert found["item"].str.startswith("grave").all()
    assert found["high"].max() > 1
    with pytest.raises(ValueError, match="3 x 3"):
        contested_items(*rows_of(units), distance=[[0, 1], [1, 0]])


def simulated_items(seed, items=400, strength=0.6):
    """Items with their own label shares from a Dirichlet, two to nine ratings each; the true disagreement."""
    rng = np.random.default_rng(seed)
    theta = rng.dirichlet(strength * np.array([0.6, 0.3, 0.1]), items)
    n = rng.choice([2, 2, 2, 5, 9], items)
    item = np.repeat(np.arange(items), n)
    rater = np.concatenate([np.arange(x) for x in n])
    label = np.concatenate([rng.choice(3, x, p=t) for x, t in zip(n, theta, strict=True)])
    return item, rater, label, 1 - (theta**2).sum(axis=1)


def test_the_items_found_are_truly_contested_and_intervals_cover():
    covered, ours, naive = [], [], []
    for seed in range(12):
        item, rater, label, true = simulated_items(seed)
        table = contested_items(item, rater, label, range(3), top=400, draws=400).table
        value = true[table["item"].astype(int)]
        covered.append(((table["low"] <= value) & (value <= table["high"])).mean())
        ours.append(value[:20].mean())
        naive.append(true[table.sort_values("pairwise", ascending=False)["item"].astype(int)[:20]].mean())
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.mean(ours) > np.mean(naive) + 0.05


def test_order_and_names_of_contested_items_change_nothing():
    item, rater, label = (np.array(c) for c in rows_of(UNITS))
    order = np.random.default_rng(0).permutation(len(item))
    first = contested_items(item, rater, label)
    second = contested_items(item[order], [f"r{9 - r}" for r in rater[order]], label[order])
    pd.testing.assert_frame_equal(first.table, second.table)
    renamed = contested_items(item, rater, np.char.replace(label, "a", "z"))
    assert renamed.table["item"].tolist() == first.table["item"].tolist()
    np.testing.assert_allclose(renamed.table["disagreement"], first.table["disagreement"])


def test_only_the_first_rating_of_a_rater_counts():
    item, rater, label = rows_of(UNITS)
    more = contested_items([*item, "sure", "sure", "x"], [*rater, 0, 1, 1], [*label, "b", "b", None])
    pd.testing.assert_frame_equal(more.table, contested_items(item, rater, label).table)


def test_no_contest_says_why():
    for rows, reason in (
        (([], [], []), "no ratings"),
        (rows_of({"x": "a", "y": "b"}), "no item has two ratings"),
        (rows_of({"x": "aa", "y": "aaa"}), "no variation: every rating is the same label"),
    ):
        found = contested_items(*rows)
        assert (found.reason, list(found.table.columns), len(found.table)) == (reason, list(CONTESTED_COLUMNS), 0)
    assert contested_items(*rows_of({"x": "ab", "y": "ba", "z": "ab"})).table["disagreement"].between(0, 1).all()
    with pytest.raises(UnknownName, match='no declared label "b"'):
        contested_items(*rows_of({"x": "ab"}), labels=["a", "c"])
    with pytest.raises(ValueError, match="differ in length: 1, 2, 1"):
        contested_items([1], [1, 2], ["a"])


# ---- doubtful gold


def gold_rows(seed, items=250, raters=30, per_item=8, labels=4, wrong=0.04, hard=0.08):
    """Ratings of gold items: good raters, a few wrong gold labels, a few hard items on which raters are split."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, items, p=np.array([0.5, 0.25, 0.15, 0.1])[:labels])
    elsewhere = (truth + rng.integers(1, labels, items)) % labels
    is_wrong = rng.random(items) < wrong
    is_hard = (rng.random(items) < hard) & ~is_wrong
    accuracy = rng.beta(18, 2, raters)
    who = rng.random((items, raters)).argsort(axis=1)[:, :per_item]
    right = rng.random((items, per_item)) < np.where(is_hard[:, None], 0.5, accuracy[who])
    astray = (truth[:, None] + rng.integers(1, labels, (items, per_item))) % labels
    given_label = np.where(right, truth[:, None], np.where(is_hard[:, None], elsewhere[:, None], astray))
    gold = np.where(is_wrong, elsewhere, truth)
    item = np.repeat(np.arange(items), per_item)
    return item, who.ravel(), given_label.ravel(), dict(enumerate(gold)), is_wrong, truth


def test_planted_wrong_gold_is_found_with_few_false_alarms():
    found_wrong = false_alarms = planted = named = expected = flagged_fdr = 0
    for seed in range(10):
        *rows, gold, is_wrong, truth = gold_rows(seed)
        check = doubtful_gold(*rows, gold, range(4))
        flagged = check.table[check.table["posterior"] > 0.5]
        hit = is_wrong[flagged["item"].astype(int)]
        found_wrong += hit.sum()
        false_alarms += (~hit).sum()
        planted += is_wrong.sum()
        named += (flagged["other_label"] == truth[flagged["item"].astype(int)])[hit].sum()
        expected += check.table["posterior"].sum()
        flagged_fdr += flagged["fdr"].max() * len(flagged)
    assert found_wrong > 0.85 * planted
    assert false_alarms < 0.2 * found_wrong
    assert named == found_wrong
    assert expected == pytest.approx(planted, rel=0.2)
    assert flagged_fdr == pytest.approx(false_alarms, abs=12)


def test_sound_gold_raises_no_alarm():
    for seed in range(4):
        *rows, gold, _, _ = gold_rows(seed, wrong=0, hard=0)
        check = doubtful_gold(*rows, gold, range(4))
        assert (check.table["posterior"] < 0.5).all()
        assert check.share_wrong < 0.01
        assert check.share_hard < 0.05


def test_a_miss_by_good_raters_weighs_more_than_one_by_weak_raters():
    """Raters 0-3 are right on 40 other items, raters 4-7 on half of them; x is missed by the good, y by the weak."""
    item, rater, label = [], [], []
    gold = {f"i{i}": "ab"[i % 2] for i in range(40)}
    for i, g in enumerate(gold.values()):
        for r in range(8):
            item.append(f"i{i}")
            rater.append(r)
            label.append(g if r < 4 or (i // 2 + r) % 2 else "ba"["ab".index(g)])
    for name, good, weak in (("x", "b", "a"), ("y", "a", "b")):
        gold[name] = "a"
        for r in range(8):
            item.append(name)
            rater.append(r)
            label.append(good if r < 4 else weak)
    table = doubtful_gold(item, rater, label, gold).table.set_index("item")
    assert table.loc["x", "posterior"] > 0.5 > 0.01 > table.loc["y", "posterior"]
    assert table.loc["x", "weight_other"] > 3 * table.loc["x", "weight_gold"]
    assert (table.loc["x", "n_gold"], table.loc["x", "n_other"], table.loc["x", "other_label"]) == (4, 4, "b")
    assert table.loc["x", "log_likelihood_ratio"] > 0 > table.loc["y", "log_likelihood_ratio"]
    # Wilson 4/8.
    assert table.loc["x", ["gold_share", "low", "high"]].tolist() == pytest.approx([0.5, 0.21521, 0.78479], abs=1e-5)


def test_fdr_is_the_mean_chance_of_sound_gold_so_far():
    *rows, gold, _, _ = gold_rows(3)
    table = doubtful_gold(*rows, gold, range(4)).table
    assert table["posterior"].is_monotonic_decreasing
    running = (1 - table["posterior"]).cumsum() / np.arange(1, len(table) + 1)
    top = table["posterior"].round(9).duplicated(keep=False).to_numpy().argmax() or 5
    np.testing.assert_allclose(table["fdr"][:top], running[:top])
    assert table["posterior_other"].le(table["posterior"] + 1e-12).all()


def test_order_and_names_change_no_doubt():
    item, rater, label, gold, _, _ = gold_rows(4)
    order = np.random.default_rng(0).permutation(len(item))
    names = np.array(["ok", "hate", "spam", "fraud"])
    first = doubtful_gold(item, rater, label, gold, range(4)).table
    second = doubtful_gold(
        item[order],
        [f"r{99 - r}" for r in rater[order]],
        names[label[order]],
        {i: names[g] for i, g in gold.items()},
        ["fraud", "spam", "hate", "ok"],
    ).table
    both = first.merge(second, on="item", suffixes=("", "_again"))
    np.testing.assert_allclose(both["posterior"], both["posterior_again"], atol=1e-6)
    assert (names[both["other_label"].astype(int)] == both["other_label_again"])[both["posterior"] > 0.01].all()


def test_gold_with_few_ratings_stays_gold_while_others_are_judged():
    which, given_label = np.repeat(np.arange(30), 5), np.repeat(np.arange(30) % 2, 5)
    few = np.array([30, 30]), np.array([0, 1]), np.array([1, 1])
    model = gold_module._GoldModel(
        np.r_[which, few[0]],
        np.r_[np.tile(np.arange(5), 30), few[1]],
        np.r_[given_label, few[2]],
        np.r_[np.arange(30) % 2, 0],
        2,
    )
    model.fit(3, 50)
    assert model.posterior[30].tolist() == [1, 0]
    assert (model.posterior[:30].max(axis=1) < 1).all()


def test_gold_that_cannot_be_judged_says_why():
    rows = rows_of({"x": "aab", "y": "bb", "z": "a"})
    found = doubtful_gold(*rows, {"x": "a", "y": "a", "gone": "b"})
    assert (found.n_items, found.n_judged) == (2, 1)
    table = found.table.set_index("item")
    assert table.loc["y", "reason"] == "fewer than 3 ratings"
    assert table.loc["y", "other_label"] == "b"
    three = doubtful_gold(*rows, {"y": "a", "x": "b"}, labels=["a", "c", "b"]).table.set_index("item")
    assert three.loc["y", "other_label"] == "b"
    assert math.isnan(table.loc["y", "posterior"])
    assert math.isnan(table.loc["y", "fdr"])
    assert doubtful_gold(*rows, {"y": "a"}).reason == "no gold item has 3 ratings"
    for gold, given_rows, labels, reason in (
        ({}, rows, None, "no rated item has a gold label"),
        ({"x": None}, rows, None, "no rated item has a gold label"),
        ({"x": "a"}, ([], [], []), None, "no ratings"),
        ({"x": "a"}, rows_of({"x": "aaa"}), None, "fewer than two labels are declared"),
    ):
        empty = doubtful_gold(*given_rows, gold, labels)
        assert (empty.reason, empty.n_items, list(empty.table.columns)) == (reason, 0, list(GOLD_COLUMNS))


@needs_shared
def test_spoilt_gold_of_real_raters_is_found():
    """Snow et al. 2008, rte: 30 of 800 gold labels turned round; ten raters an item, some of them spammers."""
    rows = frame("snow2008/rte.long.csv")
    gold = rows.groupby("item")["gold"].first()
    sound = doubtful_gold(rows["item"], rows["rater"], rows["label"], gold.to_dict()).table
    doubted_before = set(sound[sound["posterior"] > 0.5]["item"])
    spoilt = np.random.default_rng(0).choice(gold.index, 30, replace=False)
    gold.loc[spoilt] = 1 - gold.loc[spoilt]
    check = doubtful_gold(rows["item"], rows["rater"], rows["label"], gold.to_dict())
    doubted = set(check.table[check.table["posterior"] > 0.5]["item"])
    assert len(doubted & set(spoilt)) >= 22
    # Most raters of 82 sound items gave the other label: nearly all of these must be passed over.
    against = rows.assign(wrong=rows["label"] != rows["gold"]).groupby("item")["wrong"].mean() > 0.5
    assert against.sum() >= 50
    assert len(doubted - set(spoilt)) <= 12
    assert len(doubted_before) <= 12


# ---- confusion pairs


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


# ---- shifted label mix


def test_distances_by_hand():
    found = label_shift([50, 30, 20], [40, 30, 30], ["a", "b", "c"])
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    middle = (p + q) / 2
    divergence = sum((x * np.log2(x / middle)).sum() for x in (p, q)) / 2
    assert found.total_variation.value == pytest.approx(0.1)
    assert found.jensen_shannon.value == pytest.approx(divergence)
    chi_square = 2 * (5**2 / 45 + 5**2 / 25)
    assert found.cramers_v == pytest.approx(math.sqrt(chi_square / 200))
    assert (found.method, found.dispersion) == ("chi-square", 1)
    # P(χ² with 2 degrees of freedom > x) = exp(-x/2).
    assert found.p_value == pytest.approx(math.exp(-chi_square / 2))
    assert (found.n_before, found.n_after) == (100, 100)
    assert list(found.table.columns) == list(SHIFT_COLUMNS)
    assert set(found.table["label"][:2]) == {"a", "c"}
    assert found.table.set_index("label").loc["c", "change"] == pytest.approx(0.1)
    assert found.total_variation.low == 0


def test_the_divergence_interval_inverts_the_noncentral_chi_square():
    """The ends by searching scipy.stats' distribution, its moments from derivatives of the divergence taken apart."""
    share, size = np.array([[0.6, 0.25, 0.1, 0.05], [0.45, 0.4, 0.1, 0.05]]), np.array([200.0, 300.0])
    step, nats = 1e-4, math.log(2)

    def divergence(flat):
        return float(jensen_shannon(*flat.reshape(2, 4))) * nats

    flat, ones = share.ravel(), np.eye(8) * step
    slope = np.array([divergence(flat + e) - divergence(flat - e) for e in ones]) / (2 * step)
    bend = np.array([divergence(flat + e) - 2 * divergence(flat) + divergence(flat - e) for e in ones]) / step**2
    covariance = [(np.diag(p) - np.outer(p, p)) / n for p, n in zip(share, size, strict=True)]
    variance = sum(s @ c @ s for s, c in zip(slope.reshape(2, 4), covariance, strict=True))
    bias = sum(b @ np.diag(c) for b, c in zip(bend.reshape(2, 4), covariance, strict=True)) / 2
    seen = divergence(flat)
    unit = variance / (4 * seen)
    found = divergence_ends(share, size, 1.0, 0.95)
    for end, tail in zip(found, (0.025, 0.975), strict=True):
        # The chance of as much or more at this truth.
        assert stats.ncx2.sf(seen / unit, bias / unit, end * nats / unit) == pytest.approx(tail, abs=1e-4)


def test_ends_of_the_total_variation_are_where_as_much_is_seldom_seen():
    """Two labels are a difference of shares, whose score ends are the roots of a quadratic (Mee, pooled)."""
    size, rng = np.array([150.0, 250.0]), np.random.default_rng(0)
    share = np.array([[0.9, 0.1], [0.7, 0.3]])
    found = variation_ends(share, size, 1.0, 0.95, 40_000, rng)
    pooled = size @ share / size.sum()

    def beyond(t):
        mixes = [pooled[1] - t * size[1] / size.sum(), pooled[1] + t * size[0] / size.sum()]
        return (0.2 - t) / math.sqrt(sum(p * (1 - p) / n for p, n in zip(mixes, size, strict=True)))

    assert beyond(found[0]) == pytest.approx(1.96, abs=0.03)
    assert beyond(found[1]) == pytest.approx(-1.96, abs=0.03)
    assert variation_ends(share[[0, 0]], size, 1.0, 0.95, 2_000, rng)[0] == 0


def test_newcombes_interval_of_a_change():
    """Newcombe 1998, method 10: 56/70 against 48/80 gives .0524 to .3339."""
    found = label_shift([48, 32], [56, 14]).table.set_index("label")
    assert found.loc[0, ["change", "low", "high"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_small_counts_are_shuffled():
    found = label_shift([9, 1], [3, 7], draws=20_000)
    exact = sum(math.comb(12, x) * math.comb(8, 10 - x) for x in range(2, 11) if abs(x - 6) >= 3) / math.comb(20, 10)
    assert found.method == "shuffled labels"
    assert found.p_value == pytest.approx(exact, abs=0.006)


def weekly(seed, weeks, strength, shares, n=150):
    rng = np.random.default_rng(seed)
    mixes = rng.dirichlet(strength * np.array(shares), weeks) if strength else np.tile(shares, (weeks, 1))
    return np.array([rng.multinomial(n, mix) for mix in mixes])


MIX = [0.6, 0.25, 0.1, 0.05]


def test_restless_weeks_are_no_shift_and_plain_chi_square_would_say_so():
    """φ of Dirichlet-multinomial weeks is (n + s)/(1 + s): 150 labels and s = 100 give 2.475."""
    p, plain, dispersion, moved = [], [], [], 0
    for seed in range(250):
        before, after = weekly(2 * seed, 8, 100, MIX), weekly(2 * seed + 1, 6, 100, MIX)
        found = label_shift(before, after, draws=20)
        p.append(found.p_value)
        plain.append(label_shift(before.sum(axis=0), after.sum(axis=0), draws=20).p_value)
        dispersion.append(found.dispersion)
        moved += found.table["moved"].any()
    assert found.method == "weekly variation"
    assert np.mean(dispersion) == pytest.approx(250 / 101, rel=0.05)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09
    assert np.mean(np.array(plain) < 0.05) > 0.25
    assert moved / 250 <= 0.09


def test_p_is_uniform_without_a_shift_in_steady_weeks():
    p = np.array(
        [label_shift(weekly(s, 1, 0, MIX)[0], weekly(s + 999, 1, 0, MIX)[0], draws=20).p_value for s in range(300)]
    )
    assert abs(p.mean() - 0.5) < 0.06
    assert 0.02 <= (p < 0.05).mean() <= 0.085


def test_a_planted_shift_is_found_and_intervals_cover():
    later, runs = [0.45, 0.4, 0.1, 0.05], 200
    covered, total, found_shift = [], 0, 0
    for seed in range(runs):
        found = label_shift(weekly(seed, 8, 120, MIX), weekly(seed + 5_000, 8, 120, later), draws=600, seed=seed)
        table = found.table.set_index("label")
        true = np.array(later) - MIX
        covered.append([(table.loc[c, "low"] <= true[c] <= table.loc[c, "high"]) for c in range(4)])
        total += found.total_variation.low <= 0.15 <= found.total_variation.high
        found_shift += found.p_value < 0.05 and set(found.table["label"][:2]) == {0, 1}
    assert 0.93 <= np.mean(covered) <= 0.98
    assert 0.92 <= total / runs <= 0.98
    assert found_shift / runs > 0.95


@pytest.mark.parametrize(
    ("sizes", "mixes"),
    [
        ((100, 100), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((300, 300), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((1000, 1000), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((100, 1000), ([0.8, 0.1, 0.06, 0.04], [0.4, 0.5, 0.06, 0.04])),
    ],
)
def test_distances_of_two_periods_without_weeks_are_covered(sizes, mixes):
    """93 to 97 of 100, give or take three errors of 300 draws: the basic bootstrap held 86 to 90 of 100 labels each."""
    rng, found = np.random.default_rng(sum(sizes)), []
    middle = np.mean(mixes, axis=0)
    truth = sum((np.array(x) * np.log2(np.array(x) / middle)).sum() for x in mixes) / 2
    apart = np.abs(np.subtract(*mixes)).sum() / 2
    for seed in range(300):
        before, after = (rng.multinomial(n, mix) for n, mix in zip(sizes, mixes, strict=True))
        shift = label_shift(before, after, draws=150, seed=seed)
        ends = ((shift.jensen_shannon, truth), (shift.total_variation, apart))
        found.append([(estimate.high < true, estimate.low > true) for estimate, true in ends])
    missed = np.mean(found, axis=0)
    margin = 3 * math.sqrt(0.05 * 0.95 / 300)
    assert (missed.sum(axis=1) <= 0.07 + margin).all()
    assert (missed.sum(axis=1) >= 0.03 - margin).all()
    assert missed.max() <= 0.065


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=6),
    st.randoms(use_true_random=False),
)
def test_shift_is_symmetric_and_knows_no_order(pairs, random):
    before, after = (np.array(x) for x in zip(*pairs, strict=True))
    if not (before.sum() and after.sum()):
        assert label_shift(before, after).reason == "one of the periods has no labels"
        return
    first, back = label_shift(before, after, draws=20), label_shift(after, before, draws=20)
    order = random.sample(range(len(pairs)), len(pairs))
    mixed = label_shift(before[order], after[order], order, draws=20)
    for other, sign in ((back, -1), (mixed, 1)):
        assert other.total_variation.value == pytest.approx(first.total_variation.value)
        assert other.jensen_shannon.value == pytest.approx(first.jensen_shannon.value)
        changes = other.table.set_index("label")["change"].sort_index() * sign
        np.testing.assert_allclose(changes, first.table.set_index("label")["change"].sort_index(), atol=1e-12)
    for estimate in (first.total_variation, first.jensen_shannon):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert first.table["change"].sum() == pytest.approx(0, abs=1e-12)


def test_weeks_sum_to_their_period_and_empty_weeks_count_for_nothing():
    before, after = weekly(0, 5, 100, MIX), weekly(1, 5, 100, MIX)
    found = label_shift(before, after)
    with_empty = label_shift(np.vstack([before, np.zeros(4)]), after)
    assert with_empty.p_value == found.p_value
    sums = label_shift(before.sum(axis=0), after.sum(axis=0))
    assert sums.total_variation.value == found.total_variation.value
    assert sums.p_value < found.p_value
    assert found.chance > sums.chance


def test_shifts_that_cannot_be_judged():
    for before, after in (([0, 0], [1, 2]), ([1, 2], np.zeros((3, 2)))):
        found = label_shift(before, after)
        assert found.reason == found.total_variation.reason == "one of the periods has no labels"
        assert found.table.empty
    one = label_shift([5, 0], [7, 0])
    assert (one.p_value, one.cramers_v, one.total_variation.value) == (None, None, 0)
    for before, after, labels in (([1, 2], [1, 2, 3], None), ([-1, 2], [1, 2], None), ([1, 2], [1, 2], ["a"])):
        with pytest.raises(ValueError, match=r"periods count|not negative|are named"):
            label_shift(before, after, labels)
