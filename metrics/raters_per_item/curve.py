"""Accuracy and price of the majority for each number of raters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics.intervals import wilson
from metrics.raters_per_item.majority import majority_accuracy_table, plurality_accuracy, plurality_of_many

NO_JUDGEMENTS = "no judgements with a known true label"

CURVE_COLUMNS = ("k", "accuracy", "low", "high", "gain", "cost", "cost_per_correct", "cost_per_extra_correct", "reason")


def ratings_curve(
    right: float,
    n: float,
    ks: Sequence[int] = (1, 3, 5, 7, 9),
    *,
    correlation: float = 0.0,
    cost: float = 1.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Accuracy and price of the majority of k raters for each k, from right judgements of n, with two labels.

    cost: of one rating, in any money. A row per k: k, accuracy with low, high (Wilson's interval of right/n, carried
    through ``majority_accuracy``, which rises with it), gain (accuracy over the row above, NaN in the first), cost (of
    one item, k·cost), cost_per_correct = k·cost/accuracy, cost_per_extra_correct (more cost over more accuracy than the
    row above, NaN when there is no gain), reason (text where there is no accuracy).
    Judgements count as independent; for a few raters give the effective right and n.
    """
    share = wilson(right, n, confidence)
    value, low, high = (float(x[0]) for x in share)
    if math.isnan(value):
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, NO_JUDGEMENTS)
    found = majority_accuracy_table(ks, np.array([value, low, high]), correlation)
    return _curve(ks, found, cost, "")


def ratings_curve_of_confusion(
    counts: ArrayLike,
    ks: Sequence[int] = (1, 3, 5, 7, 9),
    *,
    prior: ArrayLike | None = None,
    correlation: float = 0.0,
    cost: float = 1.0,
    draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """``ratings_curve`` for any number of labels, from counts of true labels (rows) by answers (columns).

    prior: shares of the true labels where items are asked, else those counted. The interval is of posterior draws of
    each row (Dirichlet, one count spread over its cells), seeded. A true label that was never judged makes the accuracy
    null, with a reason, when the prior gives it a share.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise ValueError("Confusion counts are a square table of numbers that are not negative.")
    judged = table.sum(axis=1)
    if not judged.sum():
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, NO_JUDGEMENTS)
    prior = judged / judged.sum() if prior is None else np.asarray(prior, dtype=float)
    if np.any((judged == 0) & (prior > 0)):
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, "a true label was never judged")
    confusion = np.where(judged[:, None] > 0, table / np.maximum(judged, 1e-300)[:, None], np.eye(len(table)))
    gamma = np.random.default_rng(seed).standard_gamma(table + 1 / len(table), size=(draws, *table.shape))
    drawn = gamma / gamma.sum(axis=2, keepdims=True)
    found = []
    for k in ks:
        value = plurality_accuracy(k, confusion, prior, correlation)
        each = plurality_of_many(k, drawn, prior, correlation)
        low, high = np.quantile(each, [(1 - confidence) / 2, (1 + confidence) / 2])
        found.append((value, min(low, value), max(high, value)))
    return _curve(ks, found, cost, "")


def _curve(ks: Sequence[int], found: ArrayLike, cost: float, reason: str) -> pd.DataFrame:
    accuracy, low, high = np.array(found, dtype=float).reshape(-1, 3).T
    spent = np.asarray(ks, dtype=float) * cost
    gain, more = np.diff(accuracy, prepend=np.nan), np.diff(spent, prepend=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_correct = np.where(accuracy > 0, spent / accuracy, np.nan)
        per_extra = np.where(gain > 1e-12, more / gain, np.nan)
    return pd.DataFrame(
        {
            "k": list(ks),
            "accuracy": accuracy,
            "low": low,
            "high": high,
            "gain": gain,
            "cost": spent,
            "cost_per_correct": per_correct,
            "cost_per_extra_correct": per_extra,
            "reason": reason,
        },
        columns=list(CURVE_COLUMNS),
    )
