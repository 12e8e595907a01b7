"""The value of the next rating: every answer one by one, the order of the queue, impossible ratings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics.raters_per_item import value_of_next_rating
from tests.metrics.raters_per_item.sequences import CONFUSION, PRIOR, chance, coin


@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_value_of_a_rating_is_that_of_every_answer(correlation):
    counts = np.array([[0, 0, 0], [2, 1, 0], [1, 1, 1], [0, 4, 0], [3, 3, 0]])
    found = value_of_next_rating(counts, CONFUSION, PRIOR, loss=20, cost=0.5, correlation=correlation)
    for row in found.itertuples():
        past = [x for x, n in enumerate(counts[row.item]) for _ in range(n)]
        joint = np.array(
            [[PRIOR[t] * chance([*past, x], CONFUSION[t], correlation) for t in range(3)] for x in range(3)]
        )
        now = joint.sum(axis=0)
        gain = (joint.max(axis=1).sum() - now.max()) / now.sum()
        assert row.posterior == pytest.approx(now.max() / now.sum())
        assert row.gain == pytest.approx(gain, abs=1e-12)
        assert row.value == pytest.approx(20 * gain - 0.5)
        assert row.label == now.argmax()
    assert found["value"].is_monotonic_decreasing


def test_the_queue_puts_costly_split_items_first():
    counts, loss = [[2, 0], [1, 1], [1, 1]], [1.0, 1.0, 5.0]
    found = value_of_next_rating(counts, coin(0.8), item=["sure", "split", "costly"], loss=loss)
    assert found["item"].tolist() == ["costly", "split", "sure"]
    assert found["value"].tolist() == pytest.approx([1.5, 0.3, 0.0])


def test_impossible_ratings_have_a_reason():
    found = value_of_next_rating([[1, 1], [1, 0]], [[1.0, 0.0], [0.0, 1.0]])
    assert found["item"].tolist() == [1, 0]
    assert found["reason"].tolist() == ["", "these ratings cannot occur under the model"]
    assert math.isnan(found["value"].iloc[1])
