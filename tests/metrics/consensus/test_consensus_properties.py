"""What must not matter to any method, and what each must hold on any ratings."""

import numpy as np
import pytest
from consensus_cases import METHODS, MODELS, WITH_CONFUSION, by_id, coins, counts, plant

from metrics.consensus import dawid_skene, glad, mace, one_coin

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)

PRIOR = [0.5, 0.3, 0.2]
SKILLS = np.linspace(0.35, 0.95, 12)
PLANTED = plant(150, coins(SKILLS, 3), PRIOR, seed=3)
ROWS = (PLANTED.item, PLANTED.rater, PLANTED.label)
GOLD = dict(enumerate(PLANTED.truth[:30].tolist()))
# A rounding error of the sums is no fall: they add 150 logarithms of size 10.
ROUNDING = 1e-10


def fit(method, *rows, **options):
    """A fit to the end, so that two orders of adding the same numbers cannot stop one step apart."""
    if method in MODELS:
        options = {"tolerance": 1e-10 if method is glad else 1e-14, "max_iterations": 3000} | options
    return method(*rows, **options)


def close(found, expected, method):
    """Equal to 1e-6; GLAD's line searches multiply rounding errors."""
    np.testing.assert_allclose(found, expected, atol=1e-3 if method is glad else 1e-6)


@every_method
def test_order_of_rows_is_irrelevant(method):
    shuffled = np.random.default_rng(1).permutation(len(PLANTED.item))
    first, second = fit(method, *ROWS, gold=GOLD), fit(method, *(c[shuffled] for c in ROWS), gold=GOLD)
    close(by_id(second.items, second.posterior), by_id(first.items, first.posterior), method)
    if first.skill is not None:
        close(by_id(second.raters, second.skill), by_id(first.raters, first.skill), method)
    if first.difficulty is not None:
        close(by_id(second.items, second.difficulty), by_id(first.items, first.difficulty), method)
    if first.confusion is not None:
        close(by_id(second.raters, second.confusion), by_id(first.raters, first.confusion), method)


@every_method
def test_a_permutation_of_the_labels_permutes_the_answer(method):
    order = [2, 0, 1]
    first, second = fit(method, *ROWS, [0, 1, 2]), fit(method, *ROWS, order)
    assert second.labels == (2, 0, 1)
    close(second.posterior, first.posterior[:, order], method)
    close(second.prior, first.prior[order], method)
    if first.confusion is not None:
        close(second.confusion, first.confusion[:, order][:, :, order], method)
    assert list(second.winner) == list(first.winner)


@every_method
def test_names_of_items_raters_and_labels_are_irrelevant(method):
    names = np.array(["spam", "hate", "none"])
    first = fit(method, *ROWS, [0, 1, 2])
    second = fit(method, [f"item {-i}" for i in ROWS[0]], [(w,) for w in ROWS[1]], names[ROWS[2]], names)
    np.testing.assert_array_equal(second.posterior, first.posterior)


OPTIONS = [
    (dawid_skene, {}),
    (dawid_skene, {"pseudo_counts": 0.5}),
    (dawid_skene, {"pseudo_counts": 2.0, "towards": "pooled"}),
    (dawid_skene, {"start": "one_coin"}),
    (one_coin, {}),
    (one_coin, {"pseudo_counts": 1.0}),
    (mace, {}),
    (mace, {"pseudo_counts": 0.0}),
    (mace, {"pseudo_counts": 1.0}),
    (glad, {}),
]


@pytest.mark.parametrize(("method", "options"), OPTIONS)
@pytest.mark.parametrize("gold", [None, GOLD])
def test_the_objective_never_falls(method, options, gold):
    found = fit(method, *ROWS, gold=gold, **options)
    assert found.converged
    assert len(found.path) >= 10
    assert np.diff(found.path).min() >= -ROUNDING
    assert found.path[-1] - found.path[0] > 1


@pytest.mark.parametrize(("method", "options"), [o for o in OPTIONS if o[0] in WITH_CONFUSION])
@pytest.mark.parametrize("gold", [None, GOLD])
def test_the_posterior_and_the_likelihood_are_those_of_the_parameters_returned(method, options, gold):
    found = method(*ROWS, [0, 1, 2, 3], gold, **options)
    n = counts(*ROWS, found.labels)
    joint = found.prior * np.prod(found.confusion[None] ** n[:, :, None, :], axis=(1, 3))
    chance = joint.sum(axis=1)
    expected = joint / chance[:, None]
    if gold:
        chance[: len(gold)] = joint[range(len(gold)), list(gold.values())]
        expected[: len(gold)] = np.eye(4)[list(gold.values())]
    np.testing.assert_allclose(found.posterior, expected, atol=1e-12)
    assert found.log_likelihood == pytest.approx(np.log(chance).sum(), rel=1e-12)
    if not options.get("pseudo_counts", method is mace):
        assert found.path[-1] == found.log_likelihood


@every_method
def test_posteriors_and_confusions_are_shares(method):
    found = method(*ROWS, [0, 1, 2, 3])
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
    assert found.prior.sum() == pytest.approx(1)
    assert found.posterior.min() >= 0
    if found.confusion is not None:
        rows = found.confusion.sum(axis=2)
        assert np.all(np.isclose(rows, 1) | (rows == 0))


@pytest.mark.parametrize("method", MODELS, ids=lambda m: m.__name__)
def test_the_cap_ends_a_fit_and_says_so(method):
    found = method(*ROWS, max_iterations=2)
    assert (found.iterations, found.converged) == (2, False)


@pytest.mark.parametrize("method", MODELS, ids=lambda m: m.__name__)
def test_a_looser_tolerance_ends_sooner(method):
    loose, tight = method(*ROWS, tolerance=1e-3), method(*ROWS, tolerance=1e-10, max_iterations=3000)
    assert loose.iterations < tight.iterations
    assert loose.path[-1] < tight.path[-1]


@every_method
def test_items_that_look_alike_are_answered_alike(method):
    """Every rater rates a new item as he rated item 0: the two rows must agree."""
    like = PLANTED.item == 0
    rows = (np.r_[PLANTED.item, np.full(like.sum(), 999)], *(np.r_[c, c[like]] for c in ROWS[1:]))
    found = fit(method, *rows)
    close(found.posterior[-1], found.posterior[0], method)


@pytest.mark.parametrize("method", MODELS, ids=lambda m: m.__name__)
def test_every_model_beats_the_vote_when_raters_differ(method):
    """Three good raters among many who guess: the votes drown them."""
    planted = plant(600, coins([0.95] * 4 + [0.4] * 8, 3), PRIOR, ratings=7, seed=5)
    right = [
        (by_id(found.items, found.posterior).argmax(axis=1) == planted.truth).mean()
        for found in (METHODS[0](*planted[:3]), method(*planted[:3]))
    ]
    assert right[1] > right[0] + 0.05
