"""Rows to patterns: duplicates, missing labels, declared labels, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.agreement import Ratings, krippendorff_alpha, tally
from metrics.errors import UnknownName
from metrics.patterns import Patterns


def test_the_first_of_several_ratings_of_one_rater_counts():
    item, rater, label = ["a", "a", "a", "b", "b", "b"], ["x", "y", "x", "x", "y", "y"], [1, 1, 2, 2, 2, 1]
    counted = tally(item, rater, label, [1, 2])
    assert (counted.n_duplicates, counted.n_raters, counted.n_unlabelled) == (2, 2, 0)
    assert counted.patterns.counts.tolist() == [[0, 2], [2, 0]]


def test_only_null_is_missing():
    counted = tally([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], ["", "0", None, "0", np.nan])
    assert counted.labels == ("", "0")
    assert counted.n_unlabelled == 2
    assert counted.patterns.n_ratings == 3
    numbers = tally([1, 1, 2, 2], [1, 2, 1, 2], np.array([0.0, 0, np.nan, 1]))
    assert (numbers.labels, numbers.n_unlabelled) == ((0.0, 1.0), 1)
    sets = tally([1, 1, 2, 2], [1, 2, 1, 2], ["a|b", None, "", ("b", "a")], level="set")
    assert sets.labels == (frozenset(), frozenset("ab"))
    assert sets.patterns.n_ratings == 3


def test_an_unlabelled_rating_does_not_hide_a_later_one():
    assert tally([1, 1], [1, 1], [None, "a"]).patterns.n_ratings == 1


def test_rows_that_cannot_be_read_are_refused():
    with pytest.raises(ValueError, match="declared twice: a"):
        tally([1, 1], [1, 2], ["a", "b"], ["a", "b", "a"])
    with pytest.raises(ValueError, match="differ in length: 2, 1, 2"):
        tally([1, 2], [1], [1, 2])
    with pytest.raises(UnknownName, match='no declared label "hat": did you mean "hate"'):
        tally([1, 1], [1, 2], ["hate", "hat"], ["hate", "safe"])
    with pytest.raises(ValueError, match="declared in order"):
        krippendorff_alpha([1, 1, 2, 2], [1, 2, 1, 2], ["low", "high", "low", "low"], "ordinal")


def test_a_labelled_row_needs_an_item_and_a_rater():
    with pytest.raises(ValueError, match="has no item"):
        tally([1, None], [1, 2], ["a", "a"])
    with pytest.raises(ValueError, match="has no rater"):
        tally(["a", "b"], ["x", np.nan], ["a", "a"])
    assert tally([1, None], [1, None], ["a", None]).n_unlabelled == 1


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.integers(0, 39)), min_size=1, max_size=60))
def test_patterns_are_those_of_counting_item_by_item(found):
    """Forty labels need several words; the oracle counts into a dense table and knows nothing of words."""
    first = {}
    for item, rater, label in found:
        first.setdefault((item, rater), label)
    dense = np.zeros((7, 40), dtype=int)
    for (item, _), label in first.items():
        dense[item, label] += 1
    item, rater, label = map(np.array, zip(*found, strict=True))
    counted = tally(item, rater, label, list(range(40)))
    expected = Patterns(dense[dense.sum(axis=1) > 0], np.ones((dense.sum(axis=1) > 0).sum())).combined()
    assert counted.patterns.counts.tolist() == expected.counts.tolist()
    assert counted.patterns.items.tolist() == expected.items.tolist()
    assert counted.n_duplicates == len(found) - len(first)
    assert counted.n_raters == len(set(rater.tolist()))


def test_repeats_are_kept_where_they_are_asked_for():
    kept = Ratings.of_rows([1, 1, 1], ["x", "x", "y"], ["a", "b", "a"], repeats=True)
    assert (kept.position.tolist(), kept.n_duplicates) == ([0, 1, 0], 1)
    assert kept.patterns().counts.tolist() == [[2, 1]]


def test_raters_are_sorted_whatever_the_order_of_the_rows():
    assert Ratings.of_rows([1, 2, 3], ["c", "a", "b"], [0, 0, 0]).raters == ("a", "b", "c")
    mixed = Ratings.of_rows([1, 2, 3], ["b", 2, 1], [0, 0, 0])
    assert mixed.raters == (1, 2, "b")
    assert [mixed.raters[r] for r in mixed.rater] == ["b", 2, 1]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_pandas_columns_of_every_kind_are_read(dtype):
    label = pd.Series(["a", "b", None, "a"], dtype=dtype)
    counted = tally(pd.Series([1, 1, 2, 2]), pd.Series(["x", "y", "x", "y"], dtype=dtype), label)
    assert (counted.labels, counted.n_unlabelled, counted.n_raters) == (("a", "b"), 1, 2)


def test_label_sets_are_the_same_in_every_spelling():
    item, rater = [1, 1, 1, 1, 2, 2], [1, 2, 3, 4, 1, 2]
    label = ["a|b", ["b", "a"], {"a", "b"}, ("a", "b"), "", []]
    counted = tally(item, rater, label, level="set")
    assert counted.labels == (frozenset(), frozenset("ab"))
    assert counted.patterns.counts.tolist() == [[0, 4], [2, 0]]
    declared = tally(item, rater, label, ["a", "b|a", ""], level="set")
    assert declared.patterns.counts.tolist() == [[0, 0, 2], [0, 4, 0]]
