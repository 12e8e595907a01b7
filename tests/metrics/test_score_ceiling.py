"""The ceiling of a score against human labels: sides of a preference, and reasons where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.patterns import Encoding, Patterns
from metrics.score_ceiling import NO_RATINGS, NO_SIDES, OTHER_METRIC, score_ceiling, two_sides
from metrics.shapes import LabelSet
from metrics.spec import Estimate

NOISE = Estimate(0.05)


def label_set(*labels: str) -> LabelSet:
    return LabelSet("P", "nominal", labels, Encoding.choose(len(labels)))


def test_sides_of_a_preference_count_as_two_answers_and_ties_as_none():
    sides = two_sides(label_set("a_much_better", "a_better", "tie", "b_better", "b_much_better"))
    assert sides.tolist() == [[1, 0], [1, 0], [0, 0], [0, 1], [0, 1]]
    assert two_sides(label_set("a", "b", "tie")).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert two_sides(label_set("allow", "remove", "escalate")) is None
    assert two_sides(label_set("yes", "no")).tolist() == [[1, 0], [0, 1]]


def test_the_ceiling_is_that_of_pairs_that_take_a_side():
    rng = np.random.default_rng(1)
    chance = rng.beta(2, 2, 4000)  # of preferring a: the best possible score is the mean of the larger side
    votes = rng.binomial(3, chance)
    counts = np.column_stack([votes, 3 - votes, rng.integers(0, 2, 4000)])
    parts = [(Patterns(counts, np.ones(4000)), label_set("a", "b", "tie"))]
    found = score_ceiling("rm_human_agreement", 0.6, 2000, [parts], NOISE)
    assert found.reason == ""
    assert found.best.low <= np.maximum(chance, 1 - chance).mean() <= found.best.high
    assert found.agreement.value == pytest.approx((chance**2 + (1 - chance) ** 2).mean(), abs=0.02)
    assert found.headroom.from_model.low > 0


@pytest.mark.parametrize(
    ("metric", "patterns", "reason"),
    [
        ("safety_benchmark_score", [], OTHER_METRIC),
        ("rm_human_agreement", [], NO_RATINGS),
        ("rm_human_agreement", [[(Patterns(np.eye(3, dtype=int), np.ones(3)), label_set("x", "y", "z"))]], NO_SIDES),
    ],
)
def test_no_ceiling_has_a_reason(metric, patterns, reason):
    found = score_ceiling(metric, 0.6, 2000, patterns, NOISE)
    assert found.reason == reason and found.headroom is None and found.agreement.value is None


def test_a_score_that_has_no_ceiling_is_cleared_of_wrong_labels():
    """The model is right in 92 % of cases, 4 % of the benchmark's labels say the opposite: 88.6 % are seen."""
    rng = np.random.default_rng(2)
    right, turned = rng.random(200_000) < 0.92, rng.random(200_000) < 0.04
    seen = (right != turned).mean()
    found = score_ceiling("safety_benchmark_score", seen, 200_000, [], Estimate(0.04, 0.035, 0.045))
    assert found.headroom is None
    assert found.corrected.value == pytest.approx(0.92, abs=0.002)
    assert found.corrected.low < 0.92 < found.corrected.high
    # A rate of cases that should be rare, such as attacks that succeed, is turned by the same error.
    rare = ((rng.random(200_000) < 0.06) != turned).mean()
    assert score_ceiling("attack_success_rate", rare, 200_000, [], Estimate(0.04)).corrected.value == pytest.approx(
        0.06, abs=0.003
    )


def test_a_score_that_is_no_share_is_not_cleared():
    assert score_ceiling("elo", 1_200.0, 500, [], NOISE).corrected.value is None
