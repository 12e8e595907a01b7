"""The one-coin model against a plain dense EM, planted accuracies and the shared data."""

import numpy as np
import pytest
from consensus_cases import (
    ITEM,
    LABEL,
    RATER,
    by_id,
    coins,
    counts,
    dense_em,
    plant,
)

from metrics.consensus import dawid_skene, one_coin
from tests.shared_data import needs_shared, real


def coin(added=0.0):
    """The plain M step: one accuracy per rater from soft counts [w, k, l]."""

    def m_step(soft):
        q = soft.shape[1]
        right = [sum(table[k, k] for k in range(q)) + added for table in soft]
        accuracy = np.array([r / (table.sum() + 2 * added) for r, table in zip(right, soft, strict=True)])
        return coins(accuracy, q)

    return m_step


@pytest.mark.parametrize("steps", [1, 5, 30])
@pytest.mark.parametrize("gold", [{}, {"i1": "y", "i6": "z"}])
@pytest.mark.parametrize("added", [0.0, 0.7])
def test_sparse_equals_dense(steps, gold, added):
    known = {int(i[1]) - 1: "xyz".index(k) for i, k in gold.items()}
    posterior, prior, rates, path = dense_em(counts(ITEM, RATER, LABEL, "xyz"), steps, coin(added), known)
    found = one_coin(ITEM, RATER, LABEL, gold=gold, pseudo_counts=added, tolerance=0, max_iterations=steps)
    assert found.iterations == steps or found.path[-1] == pytest.approx(found.path[-2], abs=1e-12)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.prior, prior, atol=1e-9)
    np.testing.assert_allclose(found.confusion, rates, atol=1e-9)
    np.testing.assert_allclose(found.skill, rates[:, 0, 0], atol=1e-9)
    assert found.log_likelihood == pytest.approx(path[-1], abs=1e-9)
    skill = found.skill
    density = added * np.log(skill * (1 - skill)).sum() if added else 0.0
    assert found.path[-1] == pytest.approx(path[-1] + density, abs=1e-9)


def test_planted_accuracies_are_recovered():
    skills = np.linspace(0.3, 0.95, 10)
    planted = plant(4000, coins(skills, 4), [0.4, 0.3, 0.2, 0.1], seed=1)
    found = one_coin(*planted[:3])
    # 2,000 ratings a rater: a standard error of .011 at most if the labels were known.
    np.testing.assert_allclose(by_id(found.raters, found.skill), skills, atol=0.04)
    np.testing.assert_allclose(found.prior, [0.4, 0.3, 0.2, 0.1], atol=0.03)


def test_few_ratings_suit_it_better_than_a_matrix_per_rater():
    """Eight ratings a rater on four labels: sixteen cells a rater are more than they can fill."""
    rng = np.random.default_rng(2)
    planted = plant(200, coins(rng.uniform(0.5, 0.95, 125), 4), [0.25] * 4, ratings=5, seed=3)
    right = {
        method: (by_id(f.items, f.posterior).argmax(axis=1) == planted.truth).mean()
        for method in (one_coin, dawid_skene)
        for f in [method(*planted[:3])]
    }
    assert right[one_coin] > right[dawid_skene] + 0.03


def test_gold_improves_the_skills():
    skills = np.linspace(0.3, 0.7, 20)
    planted = plant(600, coins(skills, 3), [0.4, 0.3, 0.3], ratings=3, seed=4)
    gold = dict(enumerate(planted.truth[:200].tolist()))
    strayed = [
        np.abs(by_id(f.raters, f.skill) - skills).mean()
        for f in (one_coin(*planted[:3]), one_coin(*planted[:3], gold=gold))
    ]
    assert strayed[1] < 0.8 * strayed[0]


def test_unused_labels_count_among_the_wrong_ones():
    """A declared label nobody gives is still one a rater could have given, so every wrong label is less likely."""
    three, four = one_coin(ITEM, RATER, LABEL, list("xyz")), one_coin(ITEM, RATER, LABEL, list("xyzu"))
    wrong = 1 - four.skill[:, None, None]
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(four.confusion[:, off], np.broadcast_to(wrong[:, 0] / 3, (3, 12)))
    assert four.log_likelihood < three.log_likelihood


@needs_shared
@pytest.mark.parametrize("task", ["rte", "temp"])
def test_it_converges_on_snows_tasks(task):
    """Its accuracy is compared with crowd-kit's in tests/reference."""
    assert one_coin(*real(f"snow2008/{task}")).converged
