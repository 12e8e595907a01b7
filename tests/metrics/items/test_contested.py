"""Contested items: expected disagreement by hand, luck put in its place, coverage of the truth."""

import numpy as np
import pandas as pd
import pytest

from metrics.errors import UnknownName
from metrics.items import (
    CONTESTED_COLUMNS,
    contested_items,
)
from tests.metrics.items.rows import rows_of

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
