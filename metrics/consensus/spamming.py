"""MACE: raters who know the answer or follow a habit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from metrics.consensus.em import maximise
from metrics.consensus.ratings import Ratings, check_fit
from metrics.consensus.result import Consensus, Floats

SMOOTHING = 0.01
"""Pseudo-counts times the number of labels: ``--smoothing`` of the authors' program, "Default: 0.01/|values|" with
maximum likelihood (--em); crowd-kit's MACE sets the same. Their default otherwise is variational, with other priors."""


def mace(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    gold: Mapping[Hashable, Hashable] | None = None,
    *,
    pseudo_counts: float | None = None,
    tolerance: float = 1e-7,
    max_iterations: int = 500,
) -> Consensus:
    """Labels of items from raters who know the label with probability θ_w and else draw one from a habit ξ_w.

    P(l | k) = θ_w [l = k] + (1 - θ_w) ξ_wl. ``skill`` is θ_w, 0 to 1: near 0 the ratings do not depend on the item at
    all, which is what spamming is; a weak but honest rater stays above. A spammer who always gives the commonest label
    agrees with the others often and has a high accuracy: θ sees through it. ``confusion`` is what θ and ξ imply.

    pseudo_counts: added to the expected counts of knowing, of not knowing, and of each label of the habit (Beta and
    Dirichlet priors, counts + 1); ``SMOOTHING``/q when not given. tolerance: the fit ends when the objective, the
    observed-data log-likelihood plus the log prior density, rises by no more than this share of its size;
    max_iterations caps it. When no model is fitted: see ``dawid_skene``. Rows, ``labels`` and ``gold`` as the package
    says, with its errors; ValueError also for negative options.
    Source: Hovy, Berg-Kirkpatrick, Vaswani and Hovy 2013. Two things differ from it: the shares of labels among items
    are estimated where theirs are equal, for violations are rare; and the fit starts once, from the votes, instead of
    many times by chance, so the answer is the same every time.
    """
    check_fit(tolerance, max_iterations, pseudo_counts or 0.0)
    ratings = Ratings.of(item, rater, label, labels, gold)
    if reason := ratings.reason_for_no_model():
        return ratings.votes_alone(reason)
    q = len(ratings.labels)
    habits = _Habits(len(ratings.raters), q, SMOOTHING / q if pseudo_counts is None else pseudo_counts)
    fit = maximise(ratings, ratings.votes(), habits, tolerance, max_iterations)
    return ratings.consensus(skill=habits.knowing, **fit.findings())


class _Habits:
    """The step that re-estimates θ and ξ from their last values: whether a rating was known is itself unseen."""

    def __init__(self, raters: int, q: int, pseudo_counts: float) -> None:
        self.knowing = np.full(raters, 0.5)
        self.habit = np.full((raters, q), 1 / q)
        self.pseudo_counts = pseudo_counts

    def __call__(self, soft: Floats) -> tuple[Floats, float]:
        agreeing = np.diagonal(soft, axis1=1, axis2=2)
        by_label = soft.sum(axis=2)
        by_habit = (1 - self.knowing)[:, None] * self.habit
        either = self.knowing[:, None] + by_habit
        known = agreeing * np.divide(self.knowing[:, None], either, out=np.zeros_like(either), where=either > 0)
        # Differences of soft counts may fall below 0 by rounding.
        spammed = np.maximum(by_label - known, 0)
        right, wrong = known.sum(axis=1) + self.pseudo_counts, spammed.sum(axis=1) + self.pseudo_counts
        self.knowing = right / (right + wrong)
        counts = spammed + self.pseudo_counts
        total = counts.sum(axis=1, keepdims=True)
        self.habit = np.divide(counts, total, out=np.full_like(counts, 1 / counts.shape[1]), where=total > 0)
        rates = np.repeat(((1 - self.knowing)[:, None] * self.habit)[:, :, None], counts.shape[1], axis=2)
        diagonal = np.arange(counts.shape[1])
        rates[:, diagonal, diagonal] += self.knowing[:, None]
        density = xlogy(self.pseudo_counts, self.knowing).sum() + xlogy(self.pseudo_counts, 1 - self.knowing).sum()
        return rates, float(density + xlogy(self.pseudo_counts, self.habit).sum())
