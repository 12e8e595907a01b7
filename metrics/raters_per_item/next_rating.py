"""What one more rating of each item is worth."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.raters_per_item.answers import Floats, check_asked, checked_model, log_rising

NEXT_COLUMNS = ("item", "n", "label", "posterior", "after", "gain", "value", "reason")


def value_of_next_rating(
    counts: ArrayLike,
    confusion: ArrayLike,
    prior: ArrayLike | None = None,
    *,
    item: Sequence[Hashable] | None = None,
    loss: ArrayLike = 1.0,
    cost: float = 0.0,
    correlation: float = 0.0,
) -> pd.DataFrame:
    """What one more rating of each item is worth, the most valuable first: a queue of items to ask about again.

    counts: (items, q) ratings so far. confusion, prior, correlation: as in ``adaptive_stopping``. loss: of a wrong
    label, one number or one per item; cost: of a rating, in the same money.

    Columns: item, n (ratings so far), label (position of the likeliest), posterior (its probability), after (expected
    probability of the likeliest label after one more rating), gain = after - posterior, at least 0, value =
    gain·loss - cost, reason (text where the ratings so far are impossible under the model). A gain of 0 means that one
    rating alone cannot change the label; two might.
    """
    confusion, prior = checked_model(confusion, prior)
    check_asked(1, correlation)
    if correlation >= 1:
        raise ValueError("Where all raters say the same a further rating has no value: give a correlation below 1.")
    q = len(prior)
    counts = np.asarray(counts, dtype=np.int64).reshape(-1, q)
    with np.errstate(divide="ignore"):
        joint = np.log(prior) + _log_chance(counts, confusion, correlation)
    top = joint.max(axis=1, keepdims=True)
    possible = np.isfinite(top[:, 0])
    posterior = special.softmax(np.where(possible[:, None], joint, 0), axis=1)
    after = np.zeros(len(counts))
    for c in range(q):
        answer = np.broadcast_to(confusion[:, c], posterior.shape)
        if correlation > 0:
            asked = counts.sum(axis=1, keepdims=True) * correlation
            answer = ((1 - correlation) * answer + correlation * counts[:, [c]]) / (1 - correlation + asked)
        after += (posterior * answer).max(axis=1)
    now = posterior.max(axis=1)
    gain = np.where(after - now > 1e-12, after - now, 0)  # less is rounding
    blank = np.where(possible, 0.0, np.nan)
    names = range(len(counts)) if item is None else item
    found = pd.DataFrame(
        {
            "item": pd.Series(list(names), dtype=object),
            "n": counts.sum(axis=1),
            "label": posterior.argmax(axis=1),
            "posterior": now + blank,
            "after": np.maximum(after, now) + blank,
            "gain": gain + blank,
            "value": gain * np.asarray(loss, dtype=float) - cost + blank,
            "reason": np.where(possible, "", "these ratings cannot occur under the model"),
        },
        columns=list(NEXT_COLUMNS),
    )
    key = [
        (math.isnan(v), -round(v, 12) if not math.isnan(v) else 0, str(i))
        for v, i in zip(found["value"], found["item"], strict=True)
    ]
    return found.iloc[sorted(range(len(found)), key=key.__getitem__)].reset_index(drop=True)


def _log_chance(counts: NDArray[np.int64], confusion: Floats, correlation: float) -> Floats:
    """Log probability of label counts under each true label, but for what all true labels share: (items, q)."""
    rising = log_rising(confusion, int(counts.max(initial=0)), correlation)
    q = len(confusion)
    return sum((rising[:, c, :][:, counts[:, c]].T for c in range(q)), np.zeros((len(counts), q)))
