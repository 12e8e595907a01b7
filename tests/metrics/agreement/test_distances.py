"""Distances of levels and of label sets by hand."""

import numpy as np
import pytest

from metrics.agreement import level_distances, members
from metrics.agreement.distances import set_distance_of
from metrics.errors import UnknownName


def test_distances_by_hand():
    assert level_distances("nominal", None, 2).tolist() == [[0, 1], [1, 0]]
    assert level_distances("interval", [0, 1, 3], 3)[0].tolist() == [0, 1, 9]
    assert level_distances("interval", None, 3)[0].tolist() == [0, 1, 4]
    assert level_distances("ratio", [0, 1, 3], 3).tolist() == [[0, 1, 1], [1, 0, 0.25], [1, 0.25, 0]]
    assert level_distances("ratio", [0, 0], 2).tolist() == [[0, 0], [0, 0]]


def test_ordinal_distances_follow_from_the_data():
    assert level_distances("ordinal", None, 3) is None


@pytest.mark.parametrize(
    ("a", "b", "jaccard", "masi"),
    [
        ("a", "a", 0, 0),
        ("a", "b", 1, 1),
        ("a", "a|b", 1 / 2, 1 - 1 / 2 * 2 / 3),
        ("a|b", "b|c", 2 / 3, 1 - 1 / 3 * 1 / 3),
        ("", "", 0, 0),
        ("", "a", 1, 1),
    ],
)
def test_set_distances_by_hand(a, b, jaccard, masi):
    """Passonneau 2006. nltk before 3.10 rounds M to .67 and .33, and divides by zero for two empty sets."""
    for first, second in ((members(a), members(b)), (members(b), members(a))):
        assert set_distance_of(first, second, "jaccard") == pytest.approx(jaccard)
        assert set_distance_of(first, second, "masi") == pytest.approx(masi)


def test_members_of_every_spelling():
    assert members("a|b") == members(["b", "a"]) == members({"a", "b"}) == frozenset("ab")
    assert members("") == members([]) == frozenset()
    assert members("||a|") == frozenset("a")


def test_what_is_no_scale():
    assert "needs numbers" in level_distances("interval", ["a", "b"], 2)
    assert "needs numbers" in level_distances("ratio", [1, np.nan], 2)
    # The krippendorff package computes a number here: (x - y)/(x + y) has no meaning below 0.
    assert "negative" in level_distances("ratio", [-1, 2], 2)
    with pytest.raises(ValueError, match="one value for each of 3 labels"):
        level_distances("interval", [1, 2], 3)
    with pytest.raises(UnknownName, match="nominal"):
        level_distances("nominall", None, 3)
