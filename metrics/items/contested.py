"""Items on which raters differ most, ranked by what is likely so and not by the few ratings seen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from metrics.items.shared import NO_RATINGS, Floats, first_ratings

NO_PAIRS = "no item has two ratings"
NO_VARIATION = "no variation: every rating is the same label"


@dataclass(frozen=True, eq=False)
class Contested:
    """Items on which raters differ most.

    table: a row per item, the most contested first: item, n (ratings), top_label, top_share, second_label (None when
        all agree), second_share, pairwise (share of the item's pairs that differ, 0 to 1), entropy (of its labels as a
        share of the greatest, 0 to 1), disagreement (expected, see ``contested_items``), low, high.
    average: expected disagreement of an item about which nothing is known. strength: how many ratings that is worth.
    n_items: items ranked; n_too_few: items left out for too few ratings; reason: why there is no table, or "".
    """

    table: pd.DataFrame
    average: float | None
    strength: float | None
    n_items: int
    n_too_few: int
    reason: str = ""


CONTESTED_COLUMNS = (
    "item",
    "n",
    "top_label",
    "top_share",
    "second_label",
    "second_share",
    "pairwise",
    "entropy",
    "disagreement",
    "low",
    "high",
)


def contested_items(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    *,
    top: int = 20,
    min_ratings: int = 2,
    distance: ArrayLike | None = None,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Contested:
    """The items whose next two ratings would differ most, the most contested first.

    item, rater, label, labels: rows as in ``consensus``; of several ratings of a rater on an item the first counts.
    distance: (q, q) in label order, how much two labels differ (0 on the diagonal, 1 when omitted elsewhere): put more
    on a pair that matters more; disagreement is then in its unit. top: rows to return. min_ratings: at least 2.

    disagreement, 0 to 1: the chance that two fresh ratings of the item differ. The item's label shares have a Dirichlet
    prior with mean π, the shares of all ratings, and strength s; with r_c ratings of label c, a_c = sπ_c + r_c and
    A = Σa_c, it is Σ_{c≠k} δ_ck a_c a_k / (A(A + 1)). s = (1 - κ)/κ makes the expected agreement of a pair that of the
    data, κ = (p_a - p_e)/(1 - p_e); so one split pair of ratings is half believed and ten of twenty nearly whole.
    Interval: posterior percentiles of ``draws`` shares, seeded. Ties are ordered by the item's name.
    Raises UnknownName for an undeclared label, ValueError for unequal lengths.
    """
    rows = first_ratings(item, rater, label, labels, None)
    q = len(rows.labels)
    counts = np.bincount(rows.item.astype(np.int64) * q + rows.label, minlength=len(rows.items) * q)
    counts = counts.reshape(len(rows.items), q).astype(float)
    n = counts.sum(axis=1)
    kept = n >= max(min_ratings, 2)
    too_few = int(np.count_nonzero(~kept))
    empty = pd.DataFrame(columns=list(CONTESTED_COLUMNS))
    if not len(n) or not kept.any():
        return Contested(empty, None, None, 0, too_few, NO_PAIRS if len(n) else NO_RATINGS)
    counts, n, names = counts[kept], n[kept], np.asarray(rows.items, dtype=object)[kept]
    shares = counts.sum(axis=0) / n.sum()
    by_chance = float(shares @ shares)
    if by_chance >= 1:
        return Contested(empty, None, None, len(n), too_few, NO_VARIATION)
    agreed = (counts * (counts - 1)).sum(axis=1) / (n * (n - 1))
    # At either end every item would look like all others, or like nothing but its own few ratings.
    kappa = float(np.clip((agreed.mean() - by_chance) / (1 - by_chance), 0.02, 0.98))
    strength = (1 - kappa) / kappa
    apart = 1 - np.eye(q) if distance is None else np.asarray(distance, dtype=float)
    if apart.shape != (q, q):
        raise ValueError(f"Distances between {q} labels are {q} x {q} numbers, not {apart.shape}.")
    a = strength * shares + counts
    total = a.sum(axis=1)
    expected = ((a @ apart) * a).sum(axis=1) / (total * (total + 1))
    order = sorted(range(len(n)), key=lambda i: (-round(expected[i], 12), -n[i], str(names[i])))[:top]
    low, high = _posterior_ends(a[order], apart, draws, seed, confidence)
    own = counts[order] / n[order, None]
    first = own.argmax(axis=1)
    rest = own.copy()
    rest[np.arange(len(order)), first] = -1
    second = rest.argmax(axis=1)
    split = rest.max(axis=1) > 0
    table = pd.DataFrame(
        {
            "item": names[order],
            "n": n[order].astype(int),
            "top_label": [rows.labels[c] for c in first],
            "top_share": own.max(axis=1),
            "second_label": pd.Series(
                [rows.labels[c] if s else None for c, s in zip(second, split, strict=True)], dtype=object
            ),
            "second_share": np.where(split, rest.max(axis=1), 0),
            "pairwise": 1 - agreed[order],
            "entropy": special.entr(own).sum(axis=1) / np.log(q),
            "disagreement": expected[order],
            "low": np.minimum(low, expected[order]),
            "high": np.maximum(high, expected[order]),
        }
    )
    prior = strength * shares
    average = float(prior @ apart @ prior / (strength * (strength + 1)))
    return Contested(table, average, strength, len(n), too_few)


def _posterior_ends(a: Floats, apart: Floats, draws: int, seed: int, confidence: float) -> tuple[Floats, Floats]:
    """Percentiles of θδθ for θ ~ Dirichlet(a), each (items,)."""
    gamma = np.random.default_rng(seed).standard_gamma(a, size=(draws, *a.shape))
    gamma /= np.maximum(gamma.sum(axis=2, keepdims=True), 1e-300)
    found = ((gamma @ apart) * gamma).sum(axis=2)
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
