"""The one-coin model: a single accuracy per rater."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from metrics.consensus.em import MStep, maximise
from metrics.consensus.ratings import Ratings, check_fit
from metrics.consensus.result import Consensus, Floats


def one_coin(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    gold: Mapping[Hashable, Hashable] | None = None,
    *,
    pseudo_counts: float = 0.0,
    tolerance: float = 1e-7,
    max_iterations: int = 200,
) -> Consensus:
    """Labels of items from raters who are right with one probability a_w each and else give any other label alike.

    P(l | k) = a_w if l = k, else (1 - a_w)/(q - 1), q the **declared** labels: Dawid and Skene's model with one
    parameter per rater instead of q(q - 1). ``skill`` is a_w, 0 to 1, where 1/q is guessing; ``confusion`` is what it
    implies.

    pseudo_counts: ratings added to the right and to the wrong ones of every rater (a Beta prior, counts + 1).
    tolerance: the fit ends when the objective, the observed-data log-likelihood plus the log prior density, rises by no
    more than this share of its size; max_iterations caps it. When no model is fitted: see ``dawid_skene``. Rows,
    ``labels`` and ``gold`` as the package says, with its errors; ValueError also for negative options.
    Source: Dawid and Skene 1979, homogeneous case; Zhang, Chen, Zhou and Jordan 2016. crowd-kit's OneCoinDawidSkene
    ends as early as its DawidSkene does, so its values are its own.
    """
    check_fit(tolerance, max_iterations, pseudo_counts)
    ratings = Ratings.of(item, rater, label, labels, gold)
    if reason := ratings.reason_for_no_model():
        return ratings.votes_alone(reason)
    fit = maximise(ratings, ratings.votes(), accuracies(len(ratings.labels), pseudo_counts), tolerance, max_iterations)
    return ratings.consensus(skill=fit.rates[:, 0, 0], **fit.findings())


def accuracies(q: int, pseudo_counts: float = 0.0) -> MStep:
    """One accuracy per rater: right / all of his soft counts."""
    same = np.eye(q, dtype=bool)

    def m_step(soft: Floats) -> tuple[Floats, float]:
        right = np.trace(soft, axis1=1, axis2=2) + pseudo_counts
        # Not total - right: rounding would make a rater with one hundred-thousandth of an error faultless.
        wrong = soft[:, ~same].sum(axis=1) + pseudo_counts
        accuracy = right / (right + wrong)
        miss = wrong / (right + wrong)
        rates = np.where(same, accuracy[:, None, None], miss[:, None, None] / (q - 1))
        return rates, float(xlogy(pseudo_counts, accuracy).sum() + xlogy(pseudo_counts, miss).sum())

    return m_step
