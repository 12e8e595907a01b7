"""Doubtful gold: planted wrong labels found, sound gold left alone, real raters."""

import math

import numpy as np
import pytest

from metrics.items import (
    GOLD_COLUMNS,
    doubtful_gold,
)
from metrics.items import gold as gold_module
from tests.metrics.items.rows import rows_of
from tests.shared_data import frame, needs_shared


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
