"""Asking one rater at a time until one label is sure enough: what that costs and brings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics.raters_per_item.answers import Floats, check_asked, checked_model

MOST_STATES = 50_000
"""Label counts an exact recursion may visit: 5 labels and 12 ratings need 6,188."""


@dataclass(frozen=True, eq=False)
class StoppingPlan:
    """Ask until one label is sure enough: what that costs and how often the label is right.

    threshold, most: stop at this posterior probability, or after this many ratings. ratings: expected ratings an item.
    accuracy: share of right labels, 0 to 1. unsure: share of items that reach ``most`` below the threshold.
    by_ratings: a row per number of ratings at which items stop: ratings, share (of items), accuracy (of those).
    fixed_k, fixed_accuracy: the fewest ratings for all alike that are right as often, and how often; None up to
        ``most``. fixed: share of right labels with 1, 2 .. most ratings of every item, each time the likeliest label.
    cost: expected, of an item; cost_per_correct: over accuracy.
    """

    threshold: float
    most: int
    ratings: float
    accuracy: float
    unsure: float
    by_ratings: pd.DataFrame
    fixed_k: int | None
    fixed_accuracy: float | None
    fixed: tuple[float, ...]
    cost: float
    cost_per_correct: float


def adaptive_stopping(
    confusion: ArrayLike,
    prior: ArrayLike | None = None,
    threshold: float = 0.95,
    most: int = 9,
    *,
    least: int = 1,
    correlation: float = 0.0,
    cost: float = 1.0,
) -> StoppingPlan:
    """What asking one rater at a time until the posterior passes ``threshold`` would cost and bring.

    confusion: (q, q), P(answer | true label), rows sum to 1; [[p, 1 - p], [1 - p, p]] for one accuracy p. prior: (q,)
    shares of the true labels, equal when omitted. least, most: fewest and most ratings an item. correlation: as in
    ``plurality_accuracy``; the posterior then allows for it. The label given is the likeliest, ties to the first.

    Exact: a recursion over label counts carries the chance of each under each true label. P(next answer c | counts
    r, true t) = ((1 - ρ)·m_tc + ρ·r_c)/(1 - ρ + ρ·Σr) with ρ the correlation: m_tc when it is 0.
    fixed_k compares with the likeliest label of as many ratings for every item, judged by the same model.
    Raises ValueError for a threshold outside 0..1, a model that is none, least above most, or too many label counts.
    """
    confusion, prior = checked_model(confusion, prior)
    check_asked(most, correlation)
    q = len(prior)
    if not 0 < threshold <= 1 or not 1 <= least <= most or correlation >= 1:
        raise ValueError("A plan needs a threshold in 0..1, 1 <= least <= most and a correlation below 1.")
    if math.comb(most + q, q) > MOST_STATES:
        raise ValueError(f"{q} labels and {most} ratings are too many to follow exactly; ask for fewer ratings.")
    open_, stopped = {(0,) * q: np.ones(q)}, []
    everyone = {(0,) * q: np.ones(q)}
    fixed = []
    for n in range(1, most + 1):
        everyone = _next_answers(everyone, confusion, correlation)
        fixed.append(sum(float((prior * chance).max()) for chance in everyone.values()))
        open_ = _next_answers(open_, confusion, correlation)
        share = right = unsure = 0.0
        for counts in list(open_):
            joint = prior * open_[counts]
            total = joint.sum()
            # A posterior that equals the threshold but for rounding has passed it.
            sure = total > 0 and joint.max() / total >= threshold - 1e-12
            if (sure and n >= least) or n == most:
                share, right = share + total, right + joint.max()
                unsure += 0 if sure else total
                del open_[counts]
        stopped.append((n, share, right / share if share > 0 else math.nan, unsure))
    by_ratings = pd.DataFrame(stopped, columns=["ratings", "share", "accuracy", "unsure"])
    ratings = float(by_ratings["ratings"] @ by_ratings["share"])
    accuracy = float((by_ratings["share"] * by_ratings["accuracy"].fillna(0)).sum())
    enough = next((k for k, a in enumerate(fixed, 1) if a >= accuracy - 1e-9), None)
    return StoppingPlan(
        threshold,
        most,
        ratings,
        accuracy,
        float(by_ratings["unsure"].sum()),
        by_ratings.loc[by_ratings["share"] > 0, ["ratings", "share", "accuracy"]].reset_index(drop=True),
        enough,
        None if enough is None else fixed[enough - 1],
        tuple(fixed),
        ratings * cost,
        ratings * cost / accuracy,
    )


def _next_answers(
    states: dict[tuple[int, ...], Floats], confusion: Floats, correlation: float
) -> dict[tuple[int, ...], Floats]:
    """Chances of all label counts after one more answer, under each true label."""
    found: dict[tuple[int, ...], Floats] = {}
    for counts, chance in states.items():
        asked = sum(counts)
        for c in range(len(counts)):
            own = (1 - correlation) * confusion[:, c] + correlation * counts[c]
            answer = own / (1 - correlation + correlation * asked)
            after = (*counts[:c], counts[c] + 1, *counts[c + 1 :])
            found[after] = found.get(after, 0) + chance * answer
    return found
