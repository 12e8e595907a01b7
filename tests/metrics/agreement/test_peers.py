"""One rater against the others and against himself, by hand and against a plain loop."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.agreement import (
    consensus_match,
    peer_agreement,
    percent_agreement,
    self_consistency,
    self_consistency_by_rater,
)
from metrics.errors import UnknownName
from metrics.intervals import wilson
from tests.shared_data import frame, needs_shared

from .examples import RAW_4RATERS, rows, simulated_rows

RATED = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from("abc")), max_size=40, unique_by=lambda x: x[:2]
)


def columns(found):
    return tuple(np.array(column) for column in zip(*found, strict=True)) if found else ([], [], [])


def expected_match(found, ties, others):
    """The definition, rating by rating."""
    hits, n = Counter(), Counter({rater: 0 for _, rater, _ in found})
    for item, rater, label in found:
        votes = Counter(x for i, r, x in found if i == item and r != rater)
        if sum(votes.values()) < others:
            continue
        leaders = [x for x, v in votes.items() if v == max(votes.values())]
        if ties == "abstain" and len(leaders) > 1:
            continue
        n[rater] += 1
        hits[rater] += (label in leaders) / len(leaders)
    return [(rater, hits[rater] / n[rater] if n[rater] else np.nan, n[rater]) for rater in sorted(n)]


@settings(max_examples=150, deadline=None)
@given(RATED, st.sampled_from(["split", "abstain"]), st.integers(1, 3))
def test_consensus_match_is_its_definition(found, ties, others):
    table = consensus_match(*columns(found), ties=ties, others=others)
    expected = expected_match(found, ties, others)
    assert table["rater"].tolist() == [r for r, _, _ in expected]
    assert table["value"].to_numpy() == pytest.approx([v for _, v, _ in expected], nan_ok=True)
    assert table["n"].tolist() == [n for _, _, n in expected]


def test_a_rater_does_not_vote_on_himself():
    """Ratings a a b: with his own vote the third differs from a majority that the others split without him."""
    found = consensus_match([1, 1, 1], ["x", "y", "z"], ["a", "a", "b"])
    assert found["value"].tolist() == [0.5, 0.5, 0.0]
    abstaining = consensus_match([1, 1, 1], ["x", "y", "z"], ["a", "a", "b"], ties="abstain")
    assert abstaining["n"].tolist() == [0, 0, 1]
    assert abstaining["reason"].tolist()[0] == "no item on which enough others agree on a label"


def test_the_names_of_labels_break_no_tie():
    item, rater, label = simulated_rows(50, raters=4, kept=0.4)
    names = np.array(["zebra", "ant", "mole"])[label]
    first, second = consensus_match(item, rater, label), consensus_match(item, rater, names)
    pd.testing.assert_frame_equal(first, second)


def test_match_has_wilsons_interval():
    found = consensus_match(*simulated_rows(60, raters=4), ties="abstain").iloc[0]
    low, high = (float(x[0]) for x in wilson(found["value"] * found["n"], found["n"])[1:])
    assert [found["low"], found["high"]] == pytest.approx([low, high])
    assert 0 < found["low"] < found["value"] < found["high"] < 1


@settings(max_examples=60, deadline=None)
@given(RATED)
def test_peer_agreement_is_its_definition(found):
    shares = {rater: [] for _, rater, _ in found}
    for item, rater, label in found:
        others = [x for i, r, x in found if i == item and r != rater]
        if others:
            shares[rater].append(np.mean([x == label for x in others]))
    table = peer_agreement(*columns(found))
    assert table["rater"].tolist() == sorted(shares)
    expected = [np.mean(shares[r]) if shares[r] else np.nan for r in sorted(shares)]
    assert table["value"].to_numpy() == pytest.approx(expected, nan_ok=True)
    assert table["n"].tolist() == [len(shares[r]) for r in sorted(shares)]
    assert (table["reason"] == "no item that another rater rated").tolist() == [not shares[r] for r in sorted(shares)]


def test_mean_peer_agreement_is_percent_agreement_of_complete_data():
    typed = rows(RAW_4RATERS[1:9])
    found = peer_agreement(*typed)
    assert np.average(found["value"], weights=found["n"]) == pytest.approx(percent_agreement(*typed).value)


@pytest.mark.parametrize("table", [consensus_match, peer_agreement])
def test_a_further_rating_of_the_same_rater_is_no_peer(table):
    item, rater, label = rows(RAW_4RATERS)
    once = table(item, rater, label)
    again = table(np.r_[item, item], np.r_[rater, rater], np.r_[label, label[::-1]])
    pd.testing.assert_frame_equal(once, again)


def test_self_consistency_by_hand():
    """x: item 1 equal, item 2 not, item 3 once; y: item 1 three times, one pair of three equal; z: never twice."""
    item = [1, 1, 2, 2, 3, 1, 1, 1, 2]
    rater = ["x"] * 5 + ["y"] * 3 + ["z"]
    label = list("aaabaaaba")
    table = self_consistency_by_rater(item, rater, label)
    assert table["rater"].tolist() == ["x", "y", "z"]
    assert table["value"].to_numpy() == pytest.approx([1 / 2, 1 / 3, np.nan], nan_ok=True)
    assert table["n"].tolist() == [2, 1, 0]
    assert table["reason"].tolist() == ["", "", "no item was rated twice by the same rater"]
    low, high = (float(x[0]) for x in wilson(1, 2)[1:])
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([low, high])
    pooled = self_consistency(item, rater, label)
    assert (pooled.value, pooled.n) == (pytest.approx((2 * 1 / 2 + 1 / 3) / 3), 3)


def test_self_consistency_of_one_rater_is_wilsons():
    item, label = np.repeat(np.arange(20), 2), np.tile(["a", "a", "a", "b"], 10)
    found = self_consistency(item, ["x"] * 40, label)
    low, high = (float(x[0]) for x in wilson(10, 20)[1:])
    assert [found.value, found.low, found.high] == pytest.approx([0.5, low, high])


def test_raters_who_differ_widen_the_pooled_interval():
    """Two raters always equal to themselves and two never: far less is known than of eighty independent repeats."""
    item, rater = np.tile(np.repeat(np.arange(20), 2), 4), np.repeat(list("wxyz"), 40)
    label = np.r_[np.zeros(80), np.tile([0, 1], 40)]
    found = self_consistency(item, rater, label)
    low, high = (float(x[0]) for x in wilson(40, 80)[1:])
    assert found.value == 0.5
    assert found.low < low - 0.1
    assert found.high > high + 0.1


def test_without_repeats_there_is_no_self_consistency():
    assert self_consistency([1, 2], ["x", "x"], ["a", "b"]).reason == "no item was rated twice by the same rater"
    assert self_consistency([], [], []).reason == "no rated items"
    assert self_consistency([1, 1], ["x", "x"], ["a", None]).reason == "no item was rated twice by the same rater"


def test_no_rows_are_no_raters():
    for table in (consensus_match, peer_agreement, self_consistency_by_rater):
        assert table([], [], []).empty
        assert list(table([], [], [])) == ["rater", "value", "low", "high", "n", "reason"]


def test_unknown_names_are_refused():
    with pytest.raises(UnknownName, match="abstain"):
        consensus_match([1], [1], ["a"], ties="abstein")
    with pytest.raises(ValueError, match="at least one other"):
        consensus_match([1], [1], ["a"], others=0)


@needs_shared
def test_self_consistency_of_dawid_and_skenes_first_observer():
    """He rated 45 patients three times, the others once: the mean share of equal pairs, counted patient by patient."""
    rows = frame("dawid_skene_1979/long.csv")
    three = rows[rows["rater"] == 1].pivot(index="item", columns="repeat", values="label").to_numpy()
    expected = np.mean([three[:, a] == three[:, b] for a, b in ((0, 1), (0, 2), (1, 2))])
    found = self_consistency(rows["item"], rows["rater"], rows["label"])
    assert (found.value, found.n) == (pytest.approx(expected), 45)
    by_rater = self_consistency_by_rater(rows["item"], rows["rater"], rows["label"])
    assert by_rater["n"].tolist() == [45, 0, 0, 0, 0]
