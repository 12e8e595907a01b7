"""Dawid and Skene's model against the 1979 data, a plain dense EM and planted confusion matrices."""

import numpy as np
import pytest
from consensus_cases import (
    ITEM,
    LABEL,
    RATER,
    by_id,
    coins,
    counts,
    counts_of,
    dense_em,
    fit_to,
    plain_em,
    plant,
)

from metrics.consensus import dawid_skene, majority_vote
from tests.shared_data import caries, needs_shared, real


def frequencies(added=0.0):
    """The plain M step on soft counts [w, k, l]; added: a number or [k, l]."""

    def m_step(soft):
        rates = np.zeros_like(soft)
        plus = np.broadcast_to(added, soft.shape[1:])
        for w, k in np.ndindex(soft.shape[:2]):
            if (soft[w, k] + plus[k]).sum() > 0:
                rates[w, k] = (soft[w, k] + plus[k]) / (soft[w, k] + plus[k]).sum()
        return rates

    return m_step


# ---- a plain dense EM


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
@pytest.mark.parametrize("gold", [{}, {"i1": "y", "i6": "z"}])
@pytest.mark.parametrize("added", [0.0, 0.3])
def test_sparse_equals_dense(steps, gold, added):
    known = {int(i[1]) - 1: "xyz".index(k) for i, k in gold.items()}
    n = counts(ITEM, RATER, LABEL, "xyz")
    posterior, prior, rates, path = dense_em(n, steps, frequencies(added), known)
    found = dawid_skene(
        ITEM, RATER, LABEL, gold=gold, pseudo_counts=added, start="votes", tolerance=0, max_iterations=steps
    )
    last = found.iterations
    if last < steps:
        # It may have come to rest: no gain at all is convergence at any tolerance.
        posterior, prior, rates, path = dense_em(n, last, frequencies(added), known)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.prior, prior, atol=1e-9)
    np.testing.assert_allclose(found.confusion, rates, atol=1e-9)
    assert found.log_likelihood == pytest.approx(path[-1], abs=1e-9)


@pytest.mark.parametrize(("added", "towards"), [(0.0, "uniform"), (0.4, "uniform"), (1.5, "pooled")])
def test_sparse_equals_dense_on_many_items(added, towards):
    planted = plant(120, coins(np.linspace(0.4, 0.95, 9), 4), [0.4, 0.3, 0.2, 0.1], ratings=4, seed=8)
    n = counts(*planted[:3], range(4))
    votes = n.sum(axis=1) / 4
    pooled = np.einsum("ik,iwl->kl", votes, n)
    prior_counts = {"uniform": added, "pooled": 4 * added * pooled / pooled.sum(axis=1, keepdims=True)}[towards]
    posterior, prior, rates, path = dense_em(n, 25, frequencies(prior_counts))
    found = dawid_skene(*planted[:3], pseudo_counts=added, towards=towards, tolerance=0, max_iterations=25)
    assert found.iterations == 25
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.prior, prior, atol=1e-9)
    np.testing.assert_allclose(found.confusion, rates, atol=1e-9)
    assert found.log_likelihood == pytest.approx(path[-1], abs=1e-9)
    density = (prior_counts * np.log(rates)).sum() if added else 0.0
    assert found.path[-1] == pytest.approx(path[-1] + density, abs=1e-9)


# ---- planted truth


def directed(raters, seed):
    """Confusion matrices of raters who each err in a direction of their own."""
    rng = np.random.default_rng(seed)
    right = rng.uniform(0.55, 0.95, (raters, 3, 1))
    return right * np.eye(3) + (1 - right) * rng.dirichlet([0.7, 0.7, 0.7], (raters, 3))


def test_planted_confusions_are_recovered():
    prior = [0.5, 0.3, 0.2]
    planted = plant(6000, directed(12, 1), prior, ratings=5, seed=2)
    found = dawid_skene(*planted[:3])
    assert found.converged
    confusion = by_id(found.raters, found.confusion)
    # 2,500 ratings a rater; the standard error of a cell if the labels were known, and what not knowing them adds.
    error = np.sqrt(planted.confusion * (1 - planted.confusion) / (2500 * np.array(prior)[None, :, None]))
    strayed = np.abs(confusion - planted.confusion)
    assert strayed.max() < 0.08
    assert np.sqrt((strayed**2).mean()) < 1.6 * np.sqrt((error**2).mean())
    np.testing.assert_allclose(found.prior, prior, atol=0.02)
    right = (confusion * np.array(prior)[None, :, None] * np.eye(3)).sum(axis=(1, 2))
    np.testing.assert_allclose(by_id(found.raters, found.skill), right, atol=0.02)


def test_posteriors_of_independent_raters_are_calibrated():
    planted = plant(9000, directed(12, 1) * 0.8 + 0.2 / 3, [0.5, 0.3, 0.2], ratings=3, seed=4)
    found = dawid_skene(*planted[:3])
    right = found.posterior.argmax(axis=1) == planted.truth[found.items]
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = (found.confidence >= low) & (found.confidence < high)
        assert inside.sum() > 200
        assert right[inside].mean() == pytest.approx(found.confidence[inside].mean(), abs=0.05)


def test_gold_improves_the_other_items_and_the_confusions():
    planted = plant(900, directed(25, 6) * 0.6 + 0.4 / 3, [0.5, 0.3, 0.2], ratings=3, seed=7)
    gold = dict(enumerate(planted.truth[:300].tolist()))
    without, with_gold = dawid_skene(*planted[:3]), dawid_skene(*planted[:3], gold=gold)
    right = [(by_id(f.items, f.posterior).argmax(axis=1) == planted.truth)[300:].mean() for f in (without, with_gold)]
    strayed = [np.abs(by_id(f.raters, f.confusion) - planted.confusion).mean() for f in (without, with_gold)]
    assert with_gold.n_gold == 300
    assert right[1] > right[0] + 0.03
    assert strayed[1] < strayed[0] * 0.9


def test_gold_tells_a_shared_mistake_from_the_truth():
    """Everyone takes labels 1 and 2 for one another: no count of votes shows it, a few gold items do.

    From the votes the fit stays on the wrong side of the mistake, at a lower likelihood, in spite of the gold.
    """
    swapped = coins([0.9] * 10, 3)[:, [0, 2, 1]]
    planted = plant(1000, swapped, [0.4, 0.3, 0.3], seed=9)
    gold = dict(enumerate(planted.truth[:100].tolist()))
    rest = planted.truth[100:]
    without, with_gold = dawid_skene(*planted[:3]), dawid_skene(*planted[:3], gold=gold)
    by_start = {s: dawid_skene(*planted[:3], gold=gold, start=s).log_likelihood for s in ("votes", "gold")}
    assert with_gold.log_likelihood == by_start["gold"] > by_start["votes"] + 100
    assert (without.posterior.argmax(axis=1)[100:] == rest)[rest > 0].mean() < 0.05
    assert (with_gold.posterior.argmax(axis=1)[100:] == rest)[rest > 0].mean() > 0.95


def test_pseudo_counts_hold_a_rater_of_two_ratings_back():
    planted = plant(400, coins([0.85] * 8, 3), [0.4, 0.3, 0.3], seed=10)
    rows = (np.r_[planted.item, 0, 1], np.r_[planted.rater, 99, 99], np.r_[planted.label, planted.truth[:2]])
    last = [dawid_skene(*rows, **o) for o in ({}, {"pseudo_counts": 1.0, "towards": "pooled"})]
    new = [f.confusion[list(f.raters).index(99), planted.truth[0]] for f in last]
    assert new[0][planted.truth[0]] == pytest.approx(1, abs=1e-6)
    assert 0.7 < new[1][planted.truth[0]] < 0.95
    np.testing.assert_allclose(new[1].sum(), 1)
    towards_chance = dawid_skene(*rows, pseudo_counts=1.0)
    by_chance = towards_chance.confusion[list(towards_chance.raters).index(99), planted.truth[0]]
    assert by_chance[planted.truth[0]] < new[1][planted.truth[0]] - 0.1


def test_another_start_begins_elsewhere_and_ends_near_by():
    planted = plant(1500, directed(12, 11), [0.5, 0.3, 0.2], ratings=5, seed=12)
    gold = dict(enumerate(planted.truth[:50].tolist()))
    fits = [dawid_skene(*planted[:3], gold=gold, start=s, tolerance=1e-9) for s in ("votes", "one_coin", "gold")]
    assert len({f.path[0] for f in fits}) == 3
    assert np.ptp([f.log_likelihood for f in fits]) < 0.01
    best = dawid_skene(*planted[:3], gold=gold, tolerance=1e-9)
    assert best.log_likelihood == max(f.log_likelihood for f in (fits[0], fits[2]))
    without = dawid_skene(*planted[:3], tolerance=1e-9)
    assert without.path == dawid_skene(*planted[:3], start="votes", tolerance=1e-9).path
    with pytest.raises(ValueError, match='start "gold" needs gold'):
        dawid_skene(*planted[:3], start="gold")


def test_a_row_of_a_label_the_rater_never_met_is_zero():
    found = dawid_skene([1, 1, 2, 2, 3, 3], list("ababac"), list("xxyyxx"))
    assert found.confusion[2].tolist() == [[1, 0], [0, 0]]


def test_unanimous_raters_are_certain_and_the_likelihood_is_that_of_the_labels_alone():
    found = dawid_skene([1, 1, 2, 2, 3, 3, 4, 4], list("abababab"), list("xxyyxxxx"))
    np.testing.assert_array_equal(found.posterior, majority_vote([1, 2, 3, 4], list("aaaa"), list("xyxx")).posterior)
    assert found.log_likelihood == pytest.approx(3 * np.log(0.75) + np.log(0.25))
    assert found.converged


# ---- real data: every reference value of it is compared in tests/reference


@needs_shared
def test_the_one_coin_start_ends_lower_on_dawid_and_skenes_patients():
    rows = real("dawid_skene_1979")
    found = fit_to(1e-9, 192.89, *rows)
    assert (found.n_ratings, found.n_repeats) == (315, 90)
    assert fit_to(1e-9, 192.89, *rows, start="one_coin").log_likelihood < found.log_likelihood - 1


@needs_shared
def test_crowd_kit_stops_short_of_the_maximum():
    """Its priors are those of an early step, -192.9093, where EM goes on to -192.8909."""
    early = dawid_skene(*real("dawid_skene_1979"), tolerance=0, max_iterations=5)
    assert early.path[-1] == pytest.approx(-192.9093, abs=1e-4)
    assert fit_to(1e-9, 192.89, *real("dawid_skene_1979")).log_likelihood == pytest.approx(-192.8909, abs=1e-4)


@needs_shared
def test_caries_in_two_classes():
    """statistics.md section 9: one implementation, 45 iterations, tolerance 1e-9."""
    found = fit_to(1e-9, 7410.94, *caries())
    assert len(found.items) == 3859
    assert found.log_likelihood == pytest.approx(-7410.941976, abs=1e-6)
    assert found.iterations == 45
    np.testing.assert_allclose(found.prior, [0.800341, 0.199659], atol=1e-6)
    expected = [
        [0.99418, 0.40368],
        [0.89829, 0.70586],
        [0.98673, 0.59054],
        [0.96924, 0.48540],
        [0.69557, 0.91341],
    ]
    diagonals = np.diagonal(found.confusion, axis1=1, axis2=2)
    np.testing.assert_allclose(diagonals, expected, atol=6e-6)


@needs_shared
@pytest.mark.parametrize("task", ["rte", "temp"])
def test_with_pseudo_counts_it_ends_where_a_plain_em_does(task):
    """A plain EM, vectorised, on Snow's tasks; it stops by the likelihood without the prior's part."""
    rows = real(f"snow2008/{task}")
    found = fit_to(1e-11, 1e3, *rows, pseudo_counts=0.01)
    posterior, path = plain_em(counts_of(found, rows), 0.01, 1e-9)
    assert found.log_likelihood == pytest.approx(path[-1], abs=1e-4)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-5)
