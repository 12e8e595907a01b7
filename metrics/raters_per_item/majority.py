"""The accuracy of the most frequent of k answers, and how alike raters err on one item."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from metrics.agreement import alpha_of_patterns
from metrics.combinations import log_choose
from metrics.patterns import Patterns
from metrics.raters_per_item.answers import Floats, check_asked, checked_model, log_rising
from metrics.spec import Estimate


def majority_accuracy(k: int, accuracy: ArrayLike, correlation: float = 0.0) -> Floats:
    """The chance that the majority of k raters is right when there are two labels, 0 to 1, of accuracy's shape.

    accuracy: of one rater on either label. A tie is split fairly: an even k is worth no more than the odd k below it.
    correlation: intraclass correlation of right and wrong on an item, 0 to 1: an item's own accuracy varies as a beta
    around ``accuracy``; 0 is Condorcet's case, at 1 all raters say the same and k buys nothing.
    Raises ValueError for k below 1 or numbers outside 0..1.
    """
    p = np.asarray(accuracy, dtype=float)
    check_asked(k, correlation)
    if np.any((p < 0) | (p > 1)):
        raise ValueError("An accuracy lies between 0 and 1.")
    if correlation >= 1:
        return p.copy()
    right = np.arange(k + 1)
    logs = log_rising(p, k, correlation) + log_rising(1 - p, k, correlation)[..., ::-1]
    logs = logs + log_choose(k, right) - log_rising(1.0, k, correlation)[-1]
    return np.clip(np.exp(logs) @ np.where(2 * right == k, 0.5, 2 * right > k), 0, 1)


def plurality_accuracy(k: int, confusion: ArrayLike, prior: ArrayLike | None = None, correlation: float = 0.0) -> float:
    """The chance that the most frequent of k answers is the true label, for any number of labels, 0 to 1.

    confusion: (q, q), P(answer | true label), rows of true labels that sum to 1. prior: (q,) shares of the true labels,
    equal when omitted. Ties are split fairly. correlation: answers to an item are a Dirichlet-multinomial around its
    row. Exact: for each winning count a product of generating functions over labels, no enumeration of answers.
    With two labels of one accuracy it is ``majority_accuracy``. Raises ValueError for k below 1, rows that do not sum
    to 1, or numbers outside 0..1.
    """
    check_asked(k, correlation)
    confusion, prior = checked_model(confusion, prior)
    return float(plurality_of_many(k, confusion[None], prior, correlation)[0])


def plurality_of_many(k: int, confusions: Floats, prior: Floats, correlation: float) -> Floats:
    """``plurality_accuracy`` of many confusion matrices (D, q, q) at once: (D,)."""
    if correlation >= 1:
        return np.diagonal(confusions, axis1=1, axis2=2) @ prior
    return sum(prior[t] * _wins(k, confusions[:, t], t, correlation) for t in np.flatnonzero(prior))


def _wins(k: int, rows: Floats, t: int, correlation: float) -> Floats:
    """The chance that label t is the most frequent of k answers, ties shared, for answers of rows (D, q): (D,)."""
    q = rows.shape[1]
    terms = np.exp(log_rising(rows, k, correlation) - special.gammaln(np.arange(k + 1) + 1))
    scale = math.exp(special.gammaln(k + 1) - log_rising(1.0, k, correlation)[-1])
    chance = np.zeros(len(rows))
    for m in range(1, k + 1):
        # ways[:, ties, ratings]: the other labels so far have these ratings, none above m and ``ties`` of them at m.
        ways = np.zeros((len(rows), q, k - m + 1))
        ways[:, 0, 0] = 1
        for c in range(q):
            if c == t:
                continue
            new = np.zeros_like(ways)
            for count in range(min(m, k - m) + 1):
                moved = ways[:, :, : k - m + 1 - count] * terms[:, c, count, None, None]
                if count == m:
                    new[:, 1:, count:] += moved[:, :-1]
                else:
                    new[:, :, count:] += moved
            ways = new
        chance += terms[:, t, m] * (ways[:, :, k - m] / np.arange(1, q + 1)).sum(axis=1)
    return np.minimum(chance * scale, 1.0)


def error_correlation(right: ArrayLike, n: ArrayLike) -> Estimate:
    """How alike raters err on one item: intraclass correlation of right and wrong, at most 1; negative is as good as 0.

    right, n: (items,) right judgements and judgements of each gold item. It is Krippendorff's alpha of the answers
    "right" and "wrong", with its interval; missing with no item judged twice or without both answers.
    """
    right, n = (np.atleast_1d(np.asarray(x, dtype=np.int64)) for x in (right, n))
    return alpha_of_patterns(Patterns(np.column_stack([n - right, right]), np.ones(len(n))).combined())


def majority_accuracy_table(ks: Sequence[int], accuracy: ArrayLike, correlation: float = 0.0) -> Floats:
    """``majority_accuracy`` of every k and accuracy: (len(ks), len(accuracy))."""
    return np.array([majority_accuracy(k, accuracy, correlation) for k in ks]).reshape(len(ks), -1)
