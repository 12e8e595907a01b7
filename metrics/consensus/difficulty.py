"""GLAD: raters of unequal ability on items of unequal difficulty."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from metrics.consensus.em import normalise
from metrics.consensus.ratings import Codes, Ratings, check_fit
from metrics.consensus.result import Consensus, Floats

ABILITY_PRIOR = 1.0
EASE_PRIOR = 1.0
"""Means of the normal priors, variance 1, of a rater's ability and of the logarithm of an item's ease."""

LARGEST = 30.0
"""Bound on every parameter: the logistic function is flat beyond."""

LONGEST = 2.0
"""Longest step of a parameter at once: far from the top the curvature promises too much."""


def glad(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    gold: Mapping[Hashable, Hashable] | None = None,
    *,
    tolerance: float = 1e-7,
    max_iterations: int = 500,
) -> Consensus:
    """Labels of items that differ in difficulty: a rater is right with probability 1/(1 + exp(-α_w β_i)).

    Wrong labels are equally likely, 1/(q - 1) each. ``skill`` is the ability α_w, without a unit: 0 is right every
    other time, above 0 more often, below 0 less. ``difficulty`` is 1/β_i, above 0: compare items by its order only.
    With two or three ratings an item's difficulty is mostly its prior; it takes ten or more to be worth reading. There
    is no confusion matrix, for what a rater does depends on the item.

    Priors: α ~ N(1, 1), ln β ~ N(1, 1). Expectation maximisation on the observed-data log-likelihood plus the log prior
    density. In its M step raters are independent of one another once eases are held, and items once abilities are: each
    parameter takes one scoring step of its own, all raters at once, then all items, and keeps it only if it gains.
    Climbing the objective as a whole with L-BFGS strays: with three labels and many weak raters it ended where every
    rater is wrong on purpose. tolerance: the fit ends when the objective rises by no more than this share of its size;
    max_iterations caps it. When no model is fitted: see ``dawid_skene``.
    Rows, ``labels`` and ``gold`` as the package says, with its errors; ValueError also for negative options.
    Source: Whitehill, Ruvolo, Wu, Bergsma and Movellan 2009; the shares of the labels are estimated.
    """
    check_fit(tolerance, max_iterations)
    ratings = Ratings.of(item, rater, label, labels, gold)
    if reason := ratings.reason_for_no_model():
        return ratings.votes_alone(reason)
    model = _Model(ratings)
    posterior = ratings.votes()
    # Everyone able, every item of middling ease: what follows first is close to the votes.
    ability = np.full(len(ratings.raters), ABILITY_PRIOR)
    log_ease = np.full(len(ratings.items), EASE_PRIOR)
    path: list[float] = []
    converged = False
    while not converged and len(path) < max_iterations:
        prior = posterior.mean(axis=0)
        ability, log_ease = model.climb(ability, log_ease, posterior)
        posterior, log_likelihood = model.expect(ability, log_ease, prior)
        strayed = ((ability - ABILITY_PRIOR) ** 2).sum() + ((log_ease - EASE_PRIOR) ** 2).sum()
        path.append(log_likelihood - 0.5 * float(strayed))
        converged = len(path) > 1 and path[-1] - path[-2] <= tolerance * abs(path[-1])
    return ratings.consensus(
        posterior,
        prior=prior,
        skill=ability,
        difficulty=np.exp(-log_ease),
        log_likelihood=log_likelihood,
        path=tuple(path),
        iterations=len(path),
        converged=converged,
    )


class _Model:
    """The two steps of the fit, given abilities (W,) and log eases (N,)."""

    def __init__(self, ratings: Ratings) -> None:
        self.ratings = ratings
        # The cell of (item, label) that each rating falls in, as bincount wants it.
        self.cell = ratings.item * np.int64(len(ratings.labels)) + ratings.label

    def expect(self, ability: Floats, log_ease: Floats, prior: Floats) -> tuple[Floats, float]:
        """Posterior, (N, q), and observed log-likelihood."""
        items, q = len(self.ratings.items), len(self.ratings.labels)
        evidence = ability[self.ratings.rater] * np.exp(log_ease)[self.ratings.item]
        # ln P(right) = ln P(this wrong label) + evidence + ln(q - 1), for ln σ(x) - ln σ(-x) = x.
        wrong = log_expit(-evidence) - np.log(q - 1)
        posterior = np.bincount(self.cell, evidence + np.log(q - 1), minlength=items * q).reshape(items, q)
        posterior += np.bincount(self.ratings.item, wrong, minlength=items)[:, None]
        with np.errstate(divide="ignore"):
            posterior += np.log(prior)
        log_likelihood = normalise(posterior, self.ratings)
        return posterior, log_likelihood

    def climb(self, ability: Floats, log_ease: Floats, posterior: Floats) -> tuple[Floats, Floats]:
        """Abilities and log eases under which the expected complete-data log-likelihood is no lower."""
        rater, item = self.ratings.rater, self.ratings.item
        right = posterior.ravel()[self.cell]
        ease = np.exp(log_ease)[item]
        ability = _move(ability, rater, ABILITY_PRIOR, right, lambda a: (a[rater] * ease, ease))
        able = ability[rater]
        # The slope of able·exp(b) in b is itself.
        log_ease = _move(log_ease, item, EASE_PRIOR, right, lambda b: 2 * (able * np.exp(b)[item],))
        return ability, log_ease


def _move(
    values: Floats,
    owner: Codes,
    mean: float,
    right: Floats,
    evidence_of: Callable[[Floats], tuple[Floats, Floats]],
) -> Floats:
    """Each value a step of Fisher scoring on, or a quarter of it, or where it was: whichever first is no lower.

    owner: the value that each rating depends on. evidence_of: the evidence of each rating and its slope in that value.
    What is climbed is, for each value, Σ right·ln σ(x) + (1 - right)·ln σ(-x) over its ratings x, plus ln N(mean, 1).
    """

    def total(weights: Floats) -> Floats:
        return np.bincount(owner, weights, minlength=len(values))

    def height(values: Floats) -> Floats:
        evidence, _ = evidence_of(values)
        return total(right * evidence + log_expit(-evidence)) - 0.5 * (values - mean) ** 2

    evidence, slope = evidence_of(values)
    chance = expit(evidence)
    gradient = total((right - chance) * slope) - (values - mean)
    information = total(chance * (1 - chance) * slope**2) + 1
    step = np.clip(gradient / information, -LONGEST, LONGEST)
    start = height(values)
    whole, quarter = (np.clip(values + share * step, -LARGEST, LARGEST) for share in (1, 0.25))
    moved = np.where(height(quarter) >= start, quarter, values)
    return np.where(height(whole) >= start, whole, moved)
