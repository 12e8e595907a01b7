"""The majority vote: shares, ties and what a tie is worth."""

import numpy as np
import pytest
from consensus_cases import accuracy, needs_shared, reference, shared_rows

from metrics.consensus import Consensus, dawid_skene, majority_vote

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


class TestSharedData:
    pytestmark = needs_shared

    @pytest.mark.parametrize("task", ["rte", "temp"])
    def test_fair_ties_give_the_expected_accuracy(self, task):
        """crowd-kit gives every tie to one label, here 1: .875 on rte and .939394 on temp are luck, bad and good."""
        rows = shared_rows(f"snow2008/{task}.long.csv")
        gold = dict(zip(rows["item"], rows["gold"], strict=True))
        expected = reference(f"snow2008/{task}", "majority_vote_expected_accuracy")
        found = majority_vote(rows["item"], rows["rater"], rows["label"], ties="split")
        assert accuracy(found, gold) == pytest.approx(expected["value"], abs=1e-12)
        assert found.tied.sum() == expected["n_ties"]
        assert len(found.items) == reference(f"snow2008/{task}", "n_items_with_gold")["value"]
        # The figure of crowd-kit is reproduced by its rule, so the data and the gold are the same.
        named = [1 if x is None else x for x in found.winner]
        theirs = np.mean([gold[i] == x for i, x in zip(found.items, named, strict=True)])
        assert theirs == pytest.approx(reference(f"snow2008/{task}", "majority_vote_accuracy")["value"], abs=1e-6)

    def test_abstaining_counts_no_tie_as_right(self):
        rows = shared_rows("snow2008/rte.long.csv")
        gold = dict(zip(rows["item"], rows["gold"], strict=True))
        found = majority_vote(rows["item"], rows["rater"], rows["label"])
        assert accuracy(found, gold) == pytest.approx(0.896875 - 65 / 2 / 800)
