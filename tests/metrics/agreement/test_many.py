"""Many groups at once: each group's coefficient and error are those that it has by itself, at every level."""

import numpy as np
import pytest

from metrics import agreement
from metrics.agreement.many import alpha_of_groups, percent_agreement_of_groups
from metrics.intervals import student
from metrics.patterns import Patterns

SETS = ("", "a", "b", "a|b")
VALUES = {"nominal": None, "ordinal": None, "interval": (1, 2, 4, 8), "ratio": (1, 2, 4, 8), "set": SETS}
NARROW = 0.3  # of the single intervals, so that no end of them is clipped on both sides


def groups(seed: int = 1, many: int = 60) -> list[Patterns]:
    """Groups of 0 to 12 patterns of four labels; some without a pair of ratings, of one item, or all alike."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(many):
        counts = rng.multinomial(rng.integers(0, 6, k % 13), rng.dirichlet([0.6] * 4))
        if k % 7 == 0:
            counts[:, 1:] = 0  # one label alone
        found.append(Patterns(counts, rng.integers(1, 6, len(counts)) / (1 + k % 2)))
    return [*found, Patterns([[1, 0, 0, 0]], [9]), Patterns([[1, 1, 0, 0]], [1]), Patterns([[2, 0, 0, 0]], [5])]


def stacked(several: list[Patterns]):
    group = np.repeat(np.arange(len(several)), [len(p.items) for p in several])
    counts = np.concatenate([p.counts for p in several]).astype(float)
    return counts, np.concatenate([p.items for p in several]), group, len(several)


def agree(found, alone) -> int:
    """Compares with single estimates, whose half interval is the error times a quantile; how many errors there were."""
    for k, one in enumerate(alone):
        assert found.n[k] == pytest.approx(one.n)
        assert (one.value is None) == np.isnan(found.value[k])
        if one.value is not None:
            assert found.value[k] == pytest.approx(one.value, abs=1e-12)
        assert (one.low is None) == np.isnan(found.error[k])
        if one.low is not None and one.n > 1:
            half = student(0.5 + NARROW / 2, one.n - 1) * found.error[k]
            assert max(one.high - one.value, one.value - one.low) == pytest.approx(half, rel=1e-9)
    return int(np.isfinite(found.error).sum())


@pytest.mark.parametrize("level", VALUES)
def test_alpha_and_its_error_are_those_of_each_group_alone(level):
    several = groups()
    distances = agreement.level_distances(level, VALUES[level], 4)
    options = {"interval": "linearised", "confidence": NARROW}
    alone = [agreement.alpha_of_patterns(p, level, VALUES[level], **options) for p in several]
    assert agree(alpha_of_groups(*stacked(several), distances), alone) > 30


def test_percent_agreement_and_its_error_are_those_of_each_group_alone():
    several = groups(2)
    alone = [agreement.percent_agreement_of_patterns(p, interval="irrcac", confidence=NARROW) for p in several]
    assert agree(percent_agreement_of_groups(*stacked(several)), alone) > 30


def test_no_groups_no_coefficients():
    nothing = (np.empty((0, 3)), np.empty(0), np.empty(0, int), 0)
    assert len(alpha_of_groups(*nothing, None).value) == 0
    assert len(percent_agreement_of_groups(*nothing).error) == 0
