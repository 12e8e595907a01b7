"""What every method accepts and refuses, and what it says when there is nothing to fit."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from consensus_cases import ITEM, LABEL, METHODS, MODELS, RATER

from metrics.consensus import Consensus, dawid_skene, mace, majority_vote, one_coin
from metrics.errors import UnknownName

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)
every_model = pytest.mark.parametrize("method", MODELS, ids=lambda m: m.__name__)


def says_nothing_of_raters(found):
    return all(x is None for x in (found.confusion, found.skill, found.difficulty, found.log_likelihood))


# ---- refused


@every_method
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (([1, 2], [1, 2], ["x"]), "differ in length: 2, 2, 1"),
        (([1], [1, 2], ["x", "y"]), "differ in length: 1, 2, 2"),
        ((np.ones((2, 2)), [1, 2], ["x", "y"]), "item has 2 dimensions"),
        (([1, 2], [1, 2], "xy"), "label is a column"),
        (([1, 2], [1, 2], pd.DataFrame({"a": ["x", "y"]})), "label is a column"),
        (([1, None], [1, 2], ["x", "y"]), "1 of 2 ratings have no item"),
        (([1, 2], [np.nan, np.nan], ["x", "y"]), "2 of 2 ratings have no rater"),
        (([1, 2], [1, 2], [{"x"}, {"y"}]), "not hashable"),
        (([1, [2]], [1, 2], ["x", "y"]), "item holds a value that is not hashable"),
    ],
)
def test_rows_that_cannot_be_meant_are_refused(method, rows, message):
    with pytest.raises(ValueError, match=message):
        method(*rows)


@every_method
def test_labels_and_gold_that_cannot_be_meant_are_refused(method):
    with pytest.raises(UnknownName, match='no declared label "z"'):
        method(ITEM, RATER, LABEL, ["x", "y"])
    with pytest.raises(UnknownName, match='no declared label "q"'):
        method(ITEM, RATER, LABEL, ["x", "y", "z"], gold={"i1": "q"})
    with pytest.raises(ValueError, match="labels repeat: x, y, x"):
        method(ITEM, RATER, LABEL, ["x", "y", "x"])
    with pytest.raises(ValueError, match="declared label is missing"):
        method(ITEM, RATER, LABEL, ["x", "y", "z", None])
    with pytest.raises(ValueError, match="gold maps items to labels"):
        method(ITEM, RATER, LABEL, gold=LABEL)


def test_options_that_cannot_be_meant_are_refused():
    for method in MODELS:
        for options in ({"tolerance": -1e-9}, {"tolerance": np.nan}, {"max_iterations": 0}):
            with pytest.raises(ValueError, match=r"tolerance|at least one iteration"):
                method(ITEM, RATER, LABEL, **options)
    for method in (dawid_skene, one_coin, mace):
        for amount in (-1, np.nan, np.inf):
            with pytest.raises(ValueError, match="Pseudo-counts"):
                method(ITEM, RATER, LABEL, pseudo_counts=amount)
    with pytest.raises(UnknownName, match='no start "vote": did you mean "votes"'):
        dawid_skene(ITEM, RATER, LABEL, start="vote")
    with pytest.raises(UnknownName, match='no target of pseudo-counts "pool"'):
        dawid_skene(ITEM, RATER, LABEL, towards="pool")
    with pytest.raises(UnknownName, match='no rule for ties "first"'):
        majority_vote(ITEM, RATER, LABEL, ties="first")


def test_a_consensus_holds_no_nan_and_one_shape():
    with pytest.raises(ValueError, match="finite posterior of shape"):
        Consensus(np.array([1]), np.array([1]), ("x", "y"), np.array([[0.5, np.nan]]))
    with pytest.raises(ValueError, match=r"finite skill of shape \(1,\)"):
        Consensus(np.array([1]), np.array([1]), ("x", "y"), np.array([[0.5, 0.5]]), skill=np.zeros(2))


# ---- accepted


def same(found, expected):
    assert list(found.items) == list(expected.items)
    assert list(found.raters) == list(expected.raters)
    assert found.labels == expected.labels
    np.testing.assert_array_equal(found.posterior, expected.posterior)
    assert found.log_likelihood == expected.log_likelihood


@every_method
def test_columns_of_any_kind_give_the_same(method):
    few = {"max_iterations": 5} if method in MODELS else {}
    expected = method(ITEM, RATER, LABEL, **few)
    assert list(expected.items) == ["i1", "i2", "i3", "i4", "i5", "i6"]
    assert list(expected.raters) == ["a", "b", "c"]
    assert expected.labels == ("x", "y", "z")
    shuffled = np.random.default_rng(0).permutation(len(ITEM))
    for column in (
        np.array,
        lambda x: np.array(x, dtype=object),
        tuple,
        lambda x: pd.Series(x, index=shuffled),
        pd.Index,
        lambda x: pd.Series(x, dtype="category"),
        pd.Categorical,
        lambda x: pd.array(x, dtype="string"),
    ):
        same(method(column(ITEM), column(RATER), column(LABEL), **few), expected)


def test_ids_and_labels_may_be_anything_hashable():
    item = [("p", 1), ("p", 1), "1", "1", 1, 1]
    found = majority_vote(item, [0, 1] * 3, [frozenset("a"), frozenset("a"), "a", "a", 1.5, 1.5], gold={1: "a"})
    assert list(found.items) == [("p", 1), "1", 1]
    assert found.labels == (frozenset("a"), "a", 1.5)
    assert list(found.winner) == [frozenset("a"), "a", "a"]
    assert found.n_gold == 1


def test_labels_seen_are_sorted_and_declared_ones_keep_their_order():
    assert majority_vote([1, 1, 2], [1, 2, 1], [10, 9, 9]).labels == (9, 10)
    assert majority_vote([1, 1, 2], [1, 2, 1], [10, 9, 9], [10, 9, 8]).labels == (10, 9, 8)
    assert majority_vote([1, 1], [1, 2], ["b", "b"], gold={1: "a"}).labels == ("a", "b")


@every_method
def test_only_null_is_missing(method):
    expected = method(ITEM, RATER, LABEL)
    found = method([*ITEM, "i9", "i1"], [*RATER, "a", "z"], [*LABEL, None, np.nan])
    same(found, expected)
    assert (found.n_ratings, found.n_unlabelled) == (len(ITEM), 2)
    kept = majority_vote([1, 2, 3, 4], [1] * 4, ["", 0, "None", False])
    assert kept.n_ratings == 4
    assert list(kept.winner) == ["", 0, "None", 0]


def test_numbers_with_gaps_match_the_labels_declared():
    found = majority_vote([1, 1, 2], [1, 2, 1], pd.Series([1, 1, np.nan]), labels=[0, 1])
    assert found.labels == (0, 1)
    assert list(found.winner) == [1]


@every_method
def test_every_row_counts_and_repeats_are_told(method):
    found = method(ITEM, RATER, LABEL)
    assert (found.n_ratings, found.n_repeats) == (17, 1)
    again = method([*ITEM, "i6", "i6"], [*RATER, "b", "b"], [*LABEL, "y", "y"])
    assert (again.n_ratings, again.n_repeats) == (19, 3)
    assert again.posterior[5, 1] > found.posterior[5, 1] + 1e-9
    assert again.log_likelihood != found.log_likelihood or method is majority_vote


def test_the_same_rater_on_two_items_is_no_repeat():
    assert majority_vote([1, 2, 3], ["a"] * 3, ["x"] * 3).n_repeats == 0
    assert majority_vote([1, 1, 2, 1], ["a", "a", "a", "b"], ["x", "y", "x", "x"]).n_repeats == 1


def test_a_label_nobody_gave_gets_nothing():
    for method in METHODS:
        found = method(ITEM, RATER, LABEL, ["x", "never", "y", "z"])
        assert found.posterior[:, 1].max() < 1e-9
        assert found.prior[1] < 1e-9


@every_method
def test_the_answer_cannot_be_changed_and_does_not_lock_what_it_was_given(method):
    item = np.array([1, 1, 2, 2])
    found = method(item, [1, 2, 1, 2], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="read-only"):
        found.posterior[0, 0] = 1
    item[0] = 7
    posterior = np.array([[0.5, 0.5]])
    Consensus(np.array([1]), np.array([1]), ("x", "y"), posterior)
    posterior[0] = 0, 1


# ---- gold


@every_method
def test_gold_items_have_their_label_with_certainty(method):
    gold = {"i1": "z", "i2": None, "not rated": "x"}
    found = method(ITEM, RATER, LABEL, gold=gold)
    assert found.n_gold == 1
    np.testing.assert_array_equal(found.posterior[0], [0, 0, 1])
    assert found.winner[0] == "z"
    same(method(ITEM, RATER, LABEL, gold=pd.Series(gold)), found)
    same(method(ITEM, RATER, LABEL, gold={}), method(ITEM, RATER, LABEL))


# ---- nothing to fit


@every_method
@pytest.mark.parametrize("labels", [None, [], ["x", "y"]])
@pytest.mark.parametrize("rows", [0, 2])
def test_no_ratings_are_an_answer_with_a_reason(method, labels, rows):
    found = method(["i"] * rows, ["w"] * rows, [None] * rows, labels)
    assert found.reason == "no ratings"
    assert found.posterior.shape == (0, len(labels or []))
    assert (len(found.items), len(found.raters), len(found.winner), len(found.confidence)) == (0, 0, 0, 0)
    assert found.decision.shape == found.posterior.shape
    assert found.prior is None
    assert says_nothing_of_raters(found)
    assert (found.iterations, found.converged, found.n_unlabelled) == (0, False, rows)


DEGENERATE = {
    "fewer than two labels": (([1, 1], [1, 2], ["x", "x"], ["x"]), [[1.0]]),
    "no item has two ratings": (([1, 2], [1, 2], ["x", "y"]), [[1, 0], [0, 1]]),
    "no variation": (([1, 1, 2], [1, 2, 1], ["x", "x", "x"], ["x", "y"]), [[1, 0], [1, 0]]),
}


@every_model
@pytest.mark.parametrize("reason", DEGENERATE)
def test_ratings_that_cannot_show_errors_give_the_votes_and_a_reason(method, reason):
    rows, posterior = DEGENERATE[reason]
    found = method(*rows)
    assert found.reason.startswith(reason)
    np.testing.assert_array_equal(found.posterior, posterior)
    assert says_nothing_of_raters(found)
    assert majority_vote(*rows).reason == ""


@every_model
@pytest.mark.parametrize("reason", list(DEGENERATE)[1:])
def test_with_gold_they_can(method, reason):
    rows, _ = DEGENERATE[reason]
    found = method(*rows[:3], ["x", "y"], gold={1: "y"})
    assert found.reason == ""
    assert found.skill is not None
    assert found.winner[0] == "y"


def test_importing_it_imports_nothing_slow():
    code = (
        "import sys, metrics.consensus as c; c.glad([1, 1, 2, 2], [1, 2, 1, 2], [0, 0, 1, 0]);"
        "print([m for m in ('scipy.stats', 'scipy.optimize') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    fresh = "import sys, metrics.consensus; print([m for m in ('scipy.stats', 'scipy.sparse') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", fresh], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
