"""GLAD against its likelihood written plainly, planted difficulties and the shared data."""

import numpy as np
import pytest
from consensus_cases import ITEM, LABEL, RATER, Planted, accuracy, by_id, plant
from consensus_cases import coins as planted_coins

from metrics.consensus import glad, majority_vote
from metrics.consensus.difficulty import _Model
from metrics.consensus.ratings import Ratings
from tests.shared_data import gold_of, needs_shared, real


def plainly(rows, labels, ability, ease, prior, gold):
    """Observed log-likelihood and posterior by item, by loops over the ratings; ability and ease by id."""
    posterior, total = {}, 0.0
    for i in dict.fromkeys(rows[0]):
        joint = np.array(prior, dtype=float)
        for item, rater, label in zip(*rows, strict=True):
            if item == i:
                right = 1 / (1 + np.exp(-ability[rater] * ease[item]))
                joint *= [right if label == k else (1 - right) / (len(labels) - 1) for k in labels]
        total += np.log(joint[labels.index(gold[i])] if i in gold else joint.sum())
        posterior[i] = np.eye(len(labels))[labels.index(gold[i])] if i in gold else joint / joint.sum()
    return total, posterior


@pytest.mark.parametrize("gold", [{}, {"i1": "y", "i6": "z"}])
def test_likelihood_and_posterior_are_those_of_the_parameters_returned(gold):
    labels = ["x", "y", "z", "u"]
    found = glad(ITEM, RATER, LABEL, labels, gold)
    ability = dict(zip(found.raters, found.skill, strict=True))
    ease = dict(zip(found.items, 1 / found.difficulty, strict=True))
    total, posterior = plainly((ITEM, RATER, LABEL), labels, ability, ease, found.prior, gold)
    assert found.log_likelihood == pytest.approx(total, abs=1e-10)
    np.testing.assert_allclose(found.posterior, [posterior[i] for i in found.items], atol=1e-10)
    density = -0.5 * (((found.skill - 1) ** 2).sum() + ((np.log(found.difficulty) + 1) ** 2).sum())
    assert found.path[-1] == pytest.approx(total + density, abs=1e-10)


def test_no_parameter_can_be_moved_to_a_better_place():
    """The maximum is one of the objective written plainly: its gradient there, by differences, is nought."""
    found = glad(ITEM, RATER, LABEL, tolerance=1e-14, max_iterations=3000)
    labels = list(found.labels)
    w = len(found.raters)

    def objective(x):
        ability = dict(zip(found.raters, x[:w], strict=True))
        ease = dict(zip(found.items, np.exp(x[w:]), strict=True))
        total, _ = plainly((ITEM, RATER, LABEL), labels, ability, ease, found.prior, {})
        return total - 0.5 * ((x - 1) ** 2).sum()

    best = np.r_[found.skill, -np.log(found.difficulty)]
    slope = [(objective(best + step) - objective(best - step)) / 2e-5 for step in np.eye(len(best)) * 1e-5]
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def expected_height(rows, right, ability, log_ease):
    """Expected complete-data log-likelihood plus log prior density, but for constants; right by rating."""
    item, rater = rows
    evidence = ability[rater] * np.exp(log_ease)[item]
    fit = -right @ np.logaddexp(0, -evidence) - (1 - right) @ np.logaddexp(0, evidence)
    return fit - 0.5 * (((ability - 1) ** 2).sum() + ((log_ease - 1) ** 2).sum())


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_an_m_step_never_loses_and_ends_at_the_top(spread):
    """From near and from far, with parameters where a whole step overshoots."""
    ratings = Ratings.of(ITEM, RATER, LABEL, None, None)
    rows, rng = (ratings.item, ratings.rater), np.random.default_rng(0)
    for _ in range(20):
        posterior = rng.dirichlet([1, 1, 1], 6)
        right = posterior[ratings.item, ratings.label]
        ability, log_ease = rng.normal(1, spread, 3), rng.normal(1, spread / 2, 6)
        heights = [expected_height(rows, right, ability, log_ease)]
        for _ in range(400):
            ability, log_ease = _Model(ratings).climb(ability, log_ease, posterior)
            heights.append(expected_height(rows, right, ability, log_ease))
        assert np.diff(heights).min() > -1e-9
        at = np.concatenate([ability, log_ease])
        moved = [at + step for step in np.concatenate([np.eye(9), -np.eye(9)]) * 1e-3]
        assert max(expected_height(rows, right, x[:3], x[3:]) for x in moved) < heights[-1] + 1e-9


def hard_and_easy(items, raters, ratings, seed):
    """Ratings by the model itself: ln ease from -2 (hard) to 2.5 (easy), abilities .4 to 2.5, three labels."""
    rng = np.random.default_rng(seed)
    log_ease = rng.permutation(np.linspace(-2, 2.5, items))
    ability = np.linspace(0.4, 2.5, raters)
    truth = rng.integers(0, 3, items)
    rater = rng.random((items, raters)).argsort(axis=1)[:, :ratings].ravel()
    item = np.repeat(np.arange(items), ratings)
    right = rng.random(len(item)) < 1 / (1 + np.exp(-ability[rater] * np.exp(log_ease[item])))
    label = np.where(right, truth[item], (truth[item] + rng.integers(1, 3, len(item))) % 3)
    return Planted(item, rater, label, truth, None), -log_ease, ability


def spearman(x, y):
    """Rank correlation of values without ties."""
    return np.corrcoef(np.argsort(np.argsort(x)), np.argsort(np.argsort(y)))[0, 1]


def test_planted_difficulties_and_abilities_are_ordered():
    planted, difficulty, ability = hard_and_easy(300, 40, 30, seed=1)
    found = glad(*planted[:3])
    assert spearman(by_id(found.items, found.difficulty), difficulty) > 0.9
    assert spearman(by_id(found.raters, found.skill), ability) > 0.9
    assert (found.difficulty > 0).all()


def test_few_ratings_say_little_of_difficulty_but_not_nothing():
    planted, difficulty, _ = hard_and_easy(1500, 40, 5, seed=2)
    found = glad(*planted[:3])
    assert 0.4 < spearman(by_id(found.items, found.difficulty), difficulty) < 0.8
    right = [
        (by_id(f.items, f.posterior).argmax(axis=1) == planted.truth).mean()
        for f in (majority_vote(*planted[:3]), found)
    ]
    assert right[1] > right[0]


def test_weak_raters_of_many_labels_do_not_turn_it_over():
    """Climbing the objective as a whole ended, on these ratings, with every rater wrong on purpose: .005."""
    planted = plant(600, planted_coins([0.95] * 4 + [0.4] * 8, 3), [0.5, 0.3, 0.2], ratings=7, seed=5)
    found = glad(*planted[:3])
    assert (by_id(found.items, found.posterior).argmax(axis=1) == planted.truth).mean() > 0.95


def test_gold_improves_the_abilities():
    planted, _, ability = hard_and_easy(200, 40, 4, seed=3)
    gold = dict(enumerate(planted.truth[:100].tolist()))
    kept = [spearman(by_id(f.raters, f.skill), ability) for f in (glad(*planted[:3]), glad(*planted[:3], gold=gold))]
    assert kept[1] > kept[0] + 0.01


@needs_shared
@pytest.mark.parametrize(("task", "ours"), [("rte", 740 / 800), ("temp", 434 / 462)])
def test_accuracy_on_snows_tasks(task, ours):
    """crowd-kit has .925 and .935065: equal on rte and two fewer on temp; its label shares are held equal.

    Neither is an oracle of the other (tests/reference); ours is pinned, and the same at any tolerance of 1e-5 or below.
    """
    assert accuracy(glad(*real(f"snow2008/{task}")), gold_of(f"snow2008/{task}")) == pytest.approx(ours, abs=1e-12)
