"""The majority vote: shares, ties and what a tie is worth."""

import numpy as np
import pytest
from consensus_cases import accuracy

from metrics.consensus import Consensus, dawid_skene, majority_vote
from tests.shared_data import gold_of, needs_shared, real

# Item 1 is clear, 2 tied two ways, 3 tied three ways, 4 rated once.
ITEM = [1, 1, 1, 2, 2, 3, 3, 3, 4]
RATER = ["a", "b", "c", "a", "b", "a", "b", "c", "a"]
LABEL = ["x", "y", "x", "y", "x", "z", "y", "x", "z"]


def test_shares_winners_and_confidence():
    found = majority_vote(ITEM, RATER, LABEL)
    np.testing.assert_allclose(found.posterior, [[2 / 3, 1 / 3, 0], [0.5, 0.5, 0], [1 / 3] * 3, [0, 0, 1]])
    assert list(found.winner) == ["x", None, None, "z"]
    assert list(found.tied) == [False, True, True, False]
    np.testing.assert_allclose(found.confidence, [2 / 3, 0.5, 1 / 3, 1])
    np.testing.assert_allclose(found.prior, [1.5 / 4, (1 / 3 + 0.5 + 1 / 3) / 4, (1 / 3 + 1) / 4])
    assert found.confusion is None
    assert found.skill is None


def test_a_tie_abstains_or_is_split_and_never_goes_to_the_first_label():
    abstaining = majority_vote(ITEM, RATER, LABEL)
    np.testing.assert_array_equal(abstaining.decision, [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]])
    split = majority_vote(ITEM, RATER, LABEL, ties="split")
    np.testing.assert_allclose(split.decision, [[1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3, [0, 0, 1]])
    assert list(split.winner) == list(abstaining.winner)


def test_a_tie_of_unrounded_shares_is_seen():
    """3/7 + 3/7 + 1/7: the shares are equal, and stay so under the declared order of the labels."""
    for labels in (["x", "y", "z"], ["z", "y", "x"]):
        found = majority_vote([1] * 7, range(7), list("xyxyxyz"), labels)
        assert found.winner[0] is None


def test_a_tie_of_a_model_is_seen_too():
    """Two raters who disagree on every item in both ways: nothing tells them apart."""
    found = dawid_skene([1, 1, 2, 2], ["a", "b", "a", "b"], ["x", "y", "y", "x"])
    np.testing.assert_allclose(found.posterior, 0.5)
    assert list(found.winner) == [None, None]
    np.testing.assert_array_equal(found.decision, 0)


def test_a_tie_that_rounding_blurs_is_still_a_tie():
    found = Consensus(np.arange(2), np.arange(0), ("x", "y"), np.array([[0.5 + 1e-14, 0.5 - 1e-14], [0.501, 0.499]]))
    assert list(found.winner) == [None, "x"]


@needs_shared
def test_abstaining_counts_no_tie_as_right():
    """A fair draw is expected to give .896875; 65 ties are worth a half each."""
    found = majority_vote(*real("snow2008/rte"))
    assert accuracy(found, gold_of("snow2008/rte")) == pytest.approx(0.896875 - 65 / 2 / 800)
