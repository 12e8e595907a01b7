"""Agreement weights by hand, and what is refused."""

import numpy as np
import pytest

from metrics.agreement import WEIGHTS, agreement_weights
from metrics.errors import UnknownName


def test_weights_by_hand():
    assert agreement_weights("identity", 3).tolist() == np.eye(3).tolist()
    assert agreement_weights("linear", 3)[0].tolist() == [1, 0.5, 0]
    assert agreement_weights("quadratic", 3)[0].tolist() == [1, 0.75, 0]
    assert agreement_weights("quadratic", 3, [0, 1, 10])[0] == pytest.approx([1, 0.99, 0])
    assert agreement_weights("linear", 3, [10, 1, 0])[1] == pytest.approx([0.1, 1, 0.9])


def test_gwets_ordinal_weights_by_hand():
    """1 - C(|c - k| + 1, 2)/C(4, 2): 1, 5/6, 3/6, 0 along the first row; on positions, whatever the values."""
    expected = [1, 5 / 6, 1 / 2, 0]
    assert agreement_weights("ordinal_gwet", 4)[0] == pytest.approx(expected)
    assert agreement_weights("ordinal_gwet", 4, [0, 1, 10, 100])[0] == pytest.approx(expected)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("labels", [1, 2, 3, 7])
def test_weights_are_symmetric_1_on_the_diagonal_and_0_at_the_ends(weights, labels):
    found = agreement_weights(weights, labels)
    assert found.tolist() == found.T.tolist()
    assert np.diag(found).tolist() == [1] * labels
    assert (found >= 0).all()
    if labels > 1:
        assert found[0, -1] == 0
    assert agreement_weights(found, labels).tolist() == found.tolist()


def test_values_that_make_no_scale_say_why():
    assert "needs numbers" in agreement_weights("linear", 2, ["low", "high"])
    assert "needs numbers" in agreement_weights("quadratic", 2, [1, np.inf])
    assert "do not differ" in agreement_weights("linear", 2, [3, 3])


def test_weights_that_are_none_are_refused():
    with pytest.raises(UnknownName, match="ordinal_gwet"):
        agreement_weights("ordinal", 3)
    with pytest.raises(ValueError, match="one value for each of 3 labels"):
        agreement_weights("linear", 3, [1, 2])
    for wrong in (np.eye(2), np.triu(np.ones((3, 3))), np.zeros((3, 3)), 3 - 2 * np.eye(3), np.full((3, 3), np.nan)):
        with pytest.raises(ValueError, match="Agreement weights"):
            agreement_weights(wrong, 3)
