"""Gold labels that the raters' answers speak against."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import TYPICAL_ICC, wilson
from metrics.items.shared import NO_RATINGS, Floats, first_ratings
from metrics.multiple import expected_false

ONE_LABEL = "fewer than two labels are declared"
NO_GOLD = "no rated item has a gold label"

WRONG_GOLD, HARD_GOLD, PRIOR_ITEMS = 0.02, 0.05, 10.0
"""Shares of gold labels that are wrong and of items that are hard before any rating is seen, worth so many items."""

HARD_COUNTS = 3.0
"""Dirichlet weight of the true label on a hard item, and of all others together: raters split, seldom all misled.

With 1 any split would be as likely, and hard items would explain all wrong gold away.
"""


@dataclass(frozen=True, eq=False)
class GoldCheck:
    """Gold labels that the raters' answers speak against.

    table: a row per rated gold item, the most doubtful first: item, gold_label, other_label (the likeliest other), n
        (ratings), n_gold, n_other (ratings that gave each), gold_share with low and high (Wilson), weight_gold,
        weight_other (these ratings weighted by skill: sums of the log odds of being right), log_likelihood_ratio
        (natural; above 0 the answers speak for the other label), posterior (probability that the gold label is wrong),
        posterior_other (that the other label is right), hard (that raters are at odds because the item is hard), fdr
        (expected share of sound gold among this item and those above it), reason (text where there is no posterior).
    share_wrong, share_hard: estimated shares of wrong gold and of hard items among those judged. n_items, n_judged:
    gold items rated, and with a posterior. reason: why there is none, or "".
    """

    table: pd.DataFrame
    share_wrong: float | None
    share_hard: float | None
    n_items: int
    n_judged: int
    reason: str = ""


GOLD_COLUMNS = (
    "item",
    "gold_label",
    "other_label",
    "n",
    "n_gold",
    "n_other",
    "gold_share",
    "low",
    "high",
    "weight_gold",
    "weight_other",
    "log_likelihood_ratio",
    "posterior",
    "posterior_other",
    "hard",
    "fdr",
    "reason",
)


def doubtful_gold(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    gold: Mapping[Hashable, Hashable],
    labels: Sequence[Hashable] | None = None,
    *,
    min_ratings: int = 3,
    iterations: int = 100,
    confidence: float = 0.95,
) -> GoldCheck:
    """Gold items that good raters miss alike: probably the gold label, not the raters, needs correcting.

    item, rater, label, labels: rows as in ``consensus``; gold maps items to gold labels; only rated gold items count,
    and of several ratings of a rater on an item the first.

    Model: the gold label is right with probability 1 - π, any other with π/(q - 1). On most items a rater gives the
    true label with his own accuracy, else a wrong one as raters in general do for that true label, independently of
    the others. A share of the items is hard: there all raters share one mix of answers, around half of them right
    (Dirichlet, ``HARD_COUNTS`` for the true label and as much for all others), so that an item on which they are split
    is not at once taken for wrong gold. Accuracies (beta around the common one, as strong as raters typically
    differ), common errors, π and the share of hard items are estimated together by repetition; a rating is judged with
    the skill shown on **other** items, so that missing a wrong gold label does not count against the rater.
    A posterior of .9 asks for a second look by an expert; it is as good as the model.
    Raises UnknownName for an undeclared label, ValueError for unequal lengths.
    """
    rows = first_ratings(item, rater, label, labels, gold)
    q, empty = len(rows.labels), pd.DataFrame(columns=list(GOLD_COLUMNS))
    if q < 2 or not len(rows.item) or not len(rows.gold_item):
        reason = NO_RATINGS if not len(rows.item) else NO_GOLD if not len(rows.gold_item) else ONE_LABEL
        return GoldCheck(empty, None, None, 0, 0, reason)
    place = np.full(len(rows.items), -1)
    place[rows.gold_item] = np.arange(len(rows.gold_item))
    known = place[rows.item] >= 0
    found = _GoldModel(place[rows.item[known]], rows.rater[known], rows.label[known], np.asarray(rows.gold_label), q)
    found.fit(min_ratings, iterations)
    items, truth, counts, judged = np.arange(len(found.truth)), found.truth, found.counts, found.n >= min_ratings
    # Without a posterior the most frequent other answer is named.
    others = np.where(judged[:, None], found.posterior, counts)
    other = np.where(np.arange(q) == truth[:, None], -1.0, others).argmax(axis=1)
    weights = found.weights()
    wrong = np.clip(1 - found.posterior[items, truth], 0, 1)
    share = wilson(counts[items, truth], found.n, confidence)
    blank = np.where(judged, 0.0, np.nan)
    table = pd.DataFrame(
        {
            "item": np.asarray(rows.items, dtype=object)[rows.gold_item],
            "gold_label": [rows.labels[c] for c in truth],
            "other_label": [rows.labels[c] for c in other],
            "n": found.n.astype(int),
            "n_gold": counts[items, truth].astype(int),
            "n_other": counts[items, other].astype(int),
            "gold_share": share.value,
            "low": share.low,
            "high": share.high,
            "weight_gold": weights[items, truth],
            "weight_other": weights[items, other],
            "log_likelihood_ratio": found.likelihood[items, other] - found.likelihood[items, truth] + blank,
            "posterior": wrong + blank,
            "posterior_other": found.posterior[items, other] + blank,
            "hard": found.hard + blank,
            "fdr": expected_false(1 - wrong + blank).q,
            "reason": np.where(judged, "", f"fewer than {min_ratings} ratings"),
        },
        columns=list(GOLD_COLUMNS),
    )
    order = sorted(items, key=lambda i: (not judged[i], -round(wrong[i], 9), -found.n[i], str(table["item"].iat[i])))
    table = table.iloc[order].reset_index(drop=True)
    if not judged.any():
        return GoldCheck(table, None, None, len(truth), 0, f"no gold item has {min_ratings} ratings")
    return GoldCheck(table, found.share_wrong, found.share_hard, len(truth), int(judged.sum()))


class _GoldModel:
    """The model of ``doubtful_gold`` for ratings of items: positions of item, rater and label of each rating."""

    def __init__(self, which: NDArray, who: NDArray, given: NDArray, truth: NDArray, q: int) -> None:
        self.which, self.who, self.given, self.truth, self.q = which, who, given, truth, q
        self.gold = np.eye(q)[truth]
        self.n = np.bincount(which, minlength=len(truth)).astype(float)
        self.counts = np.bincount(which * q + given, minlength=len(truth) * q).reshape(-1, q).astype(float)
        self.share_wrong, self.share_hard = WRONG_GOLD, HARD_GOLD
        self.posterior = self._prior()
        self.hard = np.full(len(truth), HARD_GOLD)
        self.likelihood = np.zeros((len(truth), q))
        self.skill = np.full(len(which), 0.5)
        # Answers to a hard item, given in this order, for each true label.
        own, others = (
            special.gammaln(a + self.counts) - special.gammaln(a) for a in (HARD_COUNTS, HARD_COUNTS / (q - 1))
        )
        total = special.gammaln(2 * HARD_COUNTS + self.n) - special.gammaln(2 * HARD_COUNTS)
        self.if_hard = others.sum(axis=1, keepdims=True) - others + own - total[:, None]

    def _prior(self) -> Floats:
        return self.gold * (1 - self.share_wrong) + (1 - self.gold) * self.share_wrong / (self.q - 1)

    def fit(self, min_ratings: int, iterations: int) -> None:
        """Repeats until the posteriors stand still."""
        judged = self.n >= min_ratings
        plain = self.posterior * (1 - HARD_GOLD)
        items = judged.sum() + PRIOR_ITEMS
        for _ in range(iterations):
            each = self._plain_likelihood(plain)
            self.likelihood = np.logaddexp(np.log1p(-self.share_hard) + each, np.log(self.share_hard) + self.if_hard)
            before, self.posterior = self.posterior, special.softmax(self.likelihood + np.log(self._prior()), axis=1)
            # An item that is not judged keeps its gold label, and teaches nothing about wrong ones.
            self.posterior = np.where(judged[:, None], self.posterior, self.gold)
            plain = self.posterior * np.exp(np.log1p(-self.share_hard) + each - self.likelihood)
            self.hard = np.clip(1 - plain.sum(axis=1), 0, 1)
            doubted = 1 - self.posterior[np.arange(len(self.truth)), self.truth]
            self.share_wrong = float(min((doubted[judged].sum() + WRONG_GOLD * PRIOR_ITEMS) / items, 0.5))
            self.share_hard = float(min((self.hard[judged].sum() + HARD_GOLD * PRIOR_ITEMS) / items, 0.5))
            if np.abs(self.posterior - before).max() < 1e-7:
                break

    def _plain_likelihood(self, plain: Floats) -> Floats:
        """Log likelihoods (items, q) of an item that is not hard, each rating by what the other items show.

        plain: (items, q), probability that the item is not hard and has this label.
        """
        which, who, given = self.which, self.who, self.given
        weight, right = plain.sum(axis=1)[which], plain[which, given]
        prior = 1 / TYPICAL_ICC - 1
        common = (right.sum() + 1) / (weight.sum() + 2)
        others_right = np.bincount(who, right)[who] - right
        others = np.bincount(who, weight)[who] - weight
        self.skill = (np.maximum(others_right, 0) + prior * common) / (np.maximum(others, 0) + prior)
        # How raters in general err for each true label, one pseudo-count for each wrong label.
        errors = plain.T @ self.counts
        missed = errors.sum(axis=1) - np.diag(errors)
        seen = errors.T[given] - plain[which] * self.counts[which, given][:, None]
        base = missed - plain[which] * (self.n[which][:, None] - self.counts[which])
        wrong_way = (np.maximum(seen, 0) + 1) / (np.maximum(base, 0) + self.q - 1)
        each = np.log((1 - self.skill)[:, None] * np.minimum(wrong_way, 1))
        each[np.arange(len(which)), given] = np.log(self.skill)
        found = np.zeros((len(self.truth), self.q))
        np.add.at(found, which, each)
        return found

    def weights(self) -> Floats:
        """Log odds of being right, summed over the ratings that gave each label: (items, q)."""
        odds = special.logit(self.skill)
        cells = np.bincount(self.which * self.q + self.given, odds, minlength=self.counts.size)
        return cells.reshape(self.counts.shape)
