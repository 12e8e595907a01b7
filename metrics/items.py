"""Which items, labels and weeks deserve a look: contested items, doubtful gold, confused labels, a shifted label mix.

Each function ranks by what is likely so and not by what was seen, for among thousands of items with a few ratings
each the most extreme ones are extreme by luck. What it finds is a reason to look again, at the item or the guideline.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.consensus.ratings import Ratings
from metrics.errors import UnknownName
from metrics.intervals import TYPICAL_ICC, Intervals, student, wilson
from metrics.multiple import benjamini_hochberg, expected_false
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NO_RATINGS = "no ratings"
NO_PAIRS = "no item has two ratings"
NO_VARIATION = "no variation: every rating is the same label"
ONE_LABEL = "fewer than two labels are declared"
NO_GOLD = "no rated item has a gold label"
NO_JUDGEMENTS = "no judgements with a known true label"
NO_ERRORS = "no judgement differs from the true label"
EMPTY_PERIOD = "one of the periods has no labels"

WRONG_GOLD, HARD_GOLD, PRIOR_ITEMS = 0.02, 0.05, 10.0
"""Shares of gold labels that are wrong and of items that are hard before any rating is seen, worth so many items."""

HARD_COUNTS = 3.0
"""Dirichlet weight of the true label on a hard item, and of all others together: raters split, seldom all misled.

With 1 any split would be as likely, and hard items would explain all wrong gold away.
"""

FEWEST_EXPECTED = 5.0
"""Smallest expected count at which the chi-square distribution is trusted; below it labels are shuffled."""

TYPICAL_DISPERSION_DF = 4.0
"""How many degrees of freedom the labels' common dispersion is worth against a label's own."""


# ------------------------------------------------------------------------------------------------------ contested items


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
    rows = _first_ratings(item, rater, label, labels, None)
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


# -------------------------------------------------------------------------------------------------------- doubtful gold


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
    rows = _first_ratings(item, rater, label, labels, gold)
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


# ------------------------------------------------------------------------------------------------------ confused labels

CONFUSION_COLUMNS = (
    "true_label",
    "given_label",
    "n",
    "judged",
    "rate",
    "rate_low",
    "rate_high",
    "expected",
    "excess",
    "low",
    "high",
    "cost",
    "p",
    "q",
    "reason",
)


def confusion_pairs(
    counts: ArrayLike | pd.DataFrame,
    labels: Sequence[Hashable] | None = None,
    *,
    cost: ArrayLike | None = None,
    design_effect: float = 1.0,
    top: int | None = None,
    draws: int = 1_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Pairs (true label, label given) that are mistaken more often than errors in general explain, worst first.

    counts: (q, q) judgements, a row per true label and a column per label given; a DataFrame names them itself, and a
    label that is missing from its rows or columns has none there. cost:
    (q, q), what one such error costs; ranking is then by cost. design_effect: at least 1, how much more the counts vary
    than independent judgements (errors cluster in a few raters); it widens the intervals. top: rows to return.

    A row per ordered pair of different labels: true_label, given_label, n (errors), judged (judgements of that true
    label), rate = n/judged with rate_low, rate_high (Wilson), expected (errors if every true label were missed equally
    often and the wrong label were picked by how common it is: judged · errors/total · c_j/(total - c_i), c the totals
    of labels given), excess = n - expected with low, high (Wilson's for n joined with a seeded bootstrap's for
    expected; errors, not a share), cost (excess times cost), p (two-sided, n as a Poisson number around expected), q
    (Benjamini-Hochberg over the pairs), reason (text where there is no rate). The excesses sum to 0. NaN where a
    number does not exist; no rows for fewer than two labels. Ties are ordered by the labels' names.
    Raises ValueError for counts that are not square or negative, or a design effect below 1; UnknownName for a label of
    the DataFrame that is not among ``labels``.
    """
    if isinstance(counts, pd.DataFrame):
        named = list(dict.fromkeys([*counts.columns, *counts.index]))
        labels = named if labels is None else list(labels)
        strange = [x for x in named if x not in labels]
        if strange:
            raise UnknownName("declared label", str(strange[0]), map(str, labels))
        counts = counts.reindex(index=labels, columns=labels, fill_value=0).to_numpy(float)
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0) or not np.isfinite(table).all():
        raise ValueError("Confusion counts are a square table of numbers that are not negative.")
    if design_effect < 1:
        raise ValueError(f"A design effect is at least 1, not {design_effect}.")
    size = len(table)
    labels = list(range(size)) if labels is None else list(labels)
    if len(labels) != size:
        raise ValueError(f"{size} labels are counted and {len(labels)} are named.")
    true, given = np.nonzero(~np.eye(size, dtype=bool))
    judged, total = table.sum(axis=1), table.sum()
    expected = _expected_errors(table)
    seen, expected = table[true, given], expected[true, given]
    excess, errors = seen - expected, total - np.trace(table)
    low = high = p = np.full(len(true), np.nan)
    if errors > 0:
        n = max(round(total / design_effect), 1)
        drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / total, size=draws)
        drawn = drawn.reshape(draws, size, size) * (total / n)
        low, high = _difference(
            wilson(seen / design_effect, np.full(len(seen), total / design_effect), confidence),
            total,
            expected,
            drawn[:, true, given],
            _expected_errors(drawn)[:, true, given],
            confidence,
        )
        found, mean = seen / design_effect, np.maximum(expected / design_effect, 1e-300)
        more = np.where(found > 0, special.gammainc(np.maximum(found, 1e-300), mean), 1)
        p = np.where(expected > 0, np.minimum(1, 2 * np.minimum(more, special.gammaincc(found + 1, mean))), np.nan)
    rate = wilson(seen / design_effect, judged[true] / design_effect, confidence)
    price = np.ones((size, size)) if cost is None else np.asarray(cost, dtype=float)
    if price.shape != (size, size):
        raise ValueError(f"Costs are {size} x {size} numbers, not {price.shape}.")
    reason = np.where(judged[true] > 0, "" if errors > 0 else NO_ERRORS, "no judgement of this true label")
    found = pd.DataFrame(
        {
            "true_label": [labels[i] for i in true],
            "given_label": [labels[j] for j in given],
            "n": seen,
            "judged": judged[true],
            "rate": rate.value,
            "rate_low": rate.low,
            "rate_high": rate.high,
            "expected": expected,
            "excess": excess,
            "low": low,
            "high": high,
            "cost": excess * price[true, given],
            "p": p,
            "q": benjamini_hochberg(p).q,
            "reason": reason if total > 0 else NO_JUDGEMENTS,
        },
        columns=list(CONFUSION_COLUMNS),
    )
    order = sorted(
        range(len(found)),
        key=lambda i: (-round(found["cost"].iat[i], 9), str(labels[true[i]]), str(labels[given[i]])),
    )
    return found.iloc[order[:top]].reset_index(drop=True)


def _difference(
    share: Intervals, total: float, expected: Floats, drawn: Floats, drawn_expected: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """Ends of count - expected: Wilson's for the count, the bootstrap's for the expected, joined with correlation.

    The percentiles of the difference itself cover too little where a count is small. Source: Zou and Donner 2008.
    """
    tail = (1 - confidence) / 2
    lowest, highest = np.quantile(drawn_expected, [tail, 1 - tail], axis=0)
    spread = drawn.std(axis=0) * drawn_expected.std(axis=0)
    together = ((drawn - drawn.mean(axis=0)) * (drawn_expected - drawn_expected.mean(axis=0))).mean(axis=0)
    correlation = np.divide(together, spread, out=np.zeros_like(spread), where=spread > 1e-12)
    count = total * share.value
    below, above = count - total * share.low, total * share.high - count
    less, more = np.maximum(highest - expected, 0), np.maximum(expected - lowest, 0)
    low = np.sqrt(np.maximum(below**2 + less**2 - 2 * correlation * below * less, 0))
    high = np.sqrt(np.maximum(above**2 + more**2 - 2 * correlation * above * more, 0))
    return count - expected - low, count - expected + high


def _expected_errors(counts: Floats) -> Floats:
    """Errors of each pair if all true labels were missed alike and wrong labels picked by how common they are."""
    total = counts.sum(axis=(-2, -1))[..., None, None]
    errors = total - np.trace(counts, axis1=-2, axis2=-1)[..., None, None]
    judged = counts.sum(axis=-1)[..., :, None]
    common = counts.sum(axis=-2)[..., None, :]
    left = total - np.swapaxes(common, -1, -2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = judged * errors / total * common / left
    expected = np.where(left > 0, expected, 0)
    expected[..., np.arange(counts.shape[-1]), np.arange(counts.shape[-1])] = 0
    return np.nan_to_num(expected)


# ---------------------------------------------------------------------------------------------------- shifted label mix


@dataclass(frozen=True, eq=False)
class LabelShift:
    """How far the mix of labels moved between two periods, and whether that is more than it moves anyway.

    total_variation: half the sum of the absolute changes of shares, 0 to 1: the share of labels that would have to
        change. chance, chance_high: its mean and 95th percentile when nothing but chance differs.
    jensen_shannon: divergence in bits, 0 to 1. cramers_v: effect size, 0 to 1, none for one label.
    p_value and method: "chi-square", "shuffled labels" (small counts), "weekly variation" (F against the weeks' own).
    dispersion: how much more weeks differ than independent labels would, at least 1; 1 without weekly counts.
    table: a row per label: label, before, after (shares), change, low, high, p, q (Benjamini-Hochberg), moved (q at
        most 0.05), largest change first.
    n_before, n_after: labels counted. reason: why there is no comparison, or "".
    """

    total_variation: Estimate
    jensen_shannon: Estimate
    cramers_v: float | None
    chance: float | None
    chance_high: float | None
    p_value: float | None
    method: str
    dispersion: float
    table: pd.DataFrame
    n_before: float
    n_after: float
    reason: str = ""


SHIFT_COLUMNS = ("label", "before", "after", "change", "low", "high", "p", "q", "moved")


def label_shift(
    before: ArrayLike,
    after: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    *,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> LabelShift:
    """How the mix of labels moved from one period to another, judged by how much it moves from week to week.

    before, after: (q,) counts of each label, or (weeks, q) counts by week. labels: their names, else 0..q-1.

    p_value: Pearson's χ² of periods x labels. With weekly counts (three weeks or more in all) it is divided by its
    degrees of freedom and by the dispersion φ = Σ (n_wc - n_w π_pc)²/(n_w π_pc)/df over weeks w within periods p, at
    least 1, and read from F: topics come in bursts, and plain χ² would call every busy week a shift. Without them,
    where an expected count is below 5, labels are shuffled between the periods: (count + 1)/(draws + 1).
    The change of a label has Newcombe's interval on n/φ_c labels with Student's t for z; φ_c is the label's own
    dispersion, drawn towards φ. Effective n is n/φ for total_variation and jensen_shannon too; their intervals are the
    basic bootstrap's (that of jensen_shannon on its root), which undoes most of their bias upwards, widened by t/z, and
    start at 0 when p_value is not below 1 - confidence. By simulation, of 100: a label's change is held by 93 to 97, up
    to 98 in steady weeks, whose dispersion counts as 1 at least; the distances by 93 to 98 with 4 to 8 weeks of 150
    labels, by 92 to 94 of two periods of 300 labels and more without weeks, and by only 86 to 90 of 100 labels each,
    where rare labels that did not move look as if they had. No shift is called one in 4 to 5 of 100.
    Raises ValueError when the periods count different labels or counts are negative.
    """
    weeks = [np.atleast_2d(np.asarray(x, dtype=float)) for x in (before, after)]
    if weeks[0].shape[1] != weeks[1].shape[1]:
        raise ValueError(f"The periods count {weeks[0].shape[1]} and {weeks[1].shape[1]} labels.")
    if any(np.any(w < 0) or not np.isfinite(w).all() for w in weeks):
        raise ValueError("Counts of labels are finite and not negative.")
    names = list(range(weeks[0].shape[1])) if labels is None else list(labels)
    if len(names) != weeks[0].shape[1]:
        raise ValueError(f"{weeks[0].shape[1]} labels are counted and {len(names)} are named.")
    weeks = [w[w.sum(axis=1) > 0] for w in weeks]
    counts = np.array([w.sum(axis=0) for w in weeks])
    n = counts.sum(axis=1)
    if n.min() <= 0:
        none, empty = Estimate.missing(EMPTY_PERIOD), pd.DataFrame(columns=list(SHIFT_COLUMNS))
        return LabelShift(none, none, None, None, None, None, "", 1.0, empty, n[0], n[1], EMPTY_PERIOD)
    used = counts.sum(axis=0) > 0
    dispersion, df = _dispersion([w[:, used] for w in weeks])
    share = counts / n[:, None]
    pooled = counts.sum(axis=0) / n.sum()
    rng = np.random.default_rng(seed)
    p_value, method, chi_square = _shift_p(counts[:, used], n, dispersion, df, draws, rng)
    effective = np.maximum(np.round(n / dispersion), 1).astype(int)
    drawn = [rng.multinomial(m, s / s.sum(), size=draws) / m for m, s in zip(effective, share, strict=True)]
    alike = [rng.multinomial(m, pooled / pooled.sum(), size=draws) / m for m in effective]
    chance = _total_variation(*alike)
    sure = p_value is not None and p_value < 1 - confidence
    total = float(n.sum())
    # The dispersion itself is known from a few weeks only: as for a label's change, t stands for z.
    free = sum(len(w) - 1 for w in weeks) if df > 0 else 0
    half = 0.5 + confidence / 2
    wider = float(student(half, free) / special.ndtri(half)) if free else 1.0
    variation = _basic(_total_variation(*share), _total_variation(*drawn), wider, sure, total, confidence)
    # Its root is a distance and spreads evenly, which the basic bootstrap needs.
    root = _basic(*(np.sqrt(_jensen_shannon(*x)) for x in (share, drawn)), wider, sure, total, confidence)
    divergence = Estimate(root.value**2, root.low**2, root.high**2, total)
    table = _changes(weeks, counts, n, dispersion, df, names, confidence)
    cramers_v = float(np.sqrt(chi_square / n.sum())) if used.sum() > 1 else None
    return LabelShift(
        variation,
        divergence,
        cramers_v,
        float(chance.mean()),
        float(np.quantile(chance, 0.95)),
        p_value,
        method,
        dispersion,
        table,
        float(n[0]),
        float(n[1]),
    )


def _dispersion(weeks: Sequence[Floats]) -> tuple[float, float]:
    """How much more weeks of a period differ than independent labels would, at least 1, and its degrees of freedom."""
    squares = df = 0.0
    for counts in weeks:
        used = counts[:, counts.sum(axis=0) > 0]
        expected = used.sum(axis=1, keepdims=True) * used.sum(axis=0) / used.sum()
        squares += ((used - expected) ** 2 / expected).sum()
        df += (len(used) - 1) * (used.shape[1] - 1)
    return float(max(squares / df, 1.0)) if df > 0 else 1.0, float(df)


def _shift_p(
    counts: Floats, n: Floats, dispersion: float, df: float, draws: int, rng: np.random.Generator
) -> tuple[float | None, str, float]:
    """The p-value of no shift, how it was found, and Pearson's χ²."""
    free = counts.shape[1] - 1
    if free < 1:
        return None, "", 0.0
    expected = n[:, None] * counts.sum(axis=0) / n.sum()
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    if df > 0:
        return float(special.fdtrc(free, df, chi_square / free / dispersion)), "weekly variation", chi_square
    whole = np.all(counts == np.round(counts))
    if expected.min() >= FEWEST_EXPECTED or not whole:
        return float(special.chdtrc(free, chi_square)), "chi-square", chi_square
    drawn = rng.multivariate_hypergeometric(counts.sum(axis=0).astype(int), int(n[0]), size=draws)
    both = np.stack([drawn, counts.sum(axis=0) - drawn], axis=1)
    found = ((both - expected) ** 2 / expected).sum(axis=(1, 2))
    return float((np.count_nonzero(found >= chi_square - 1e-9) + 1) / (draws + 1)), "shuffled labels", chi_square


def _changes(
    weeks: Sequence[Floats], counts: Floats, n: Floats, dispersion: float, df: float, names: list, confidence: float
) -> pd.DataFrame:
    """The change of each label's share, its interval, p and q."""
    share = counts / n[:, None]
    change = share[1] - share[0]
    free = sum(len(w) - 1 for w in weeks) if df > 0 else 0
    inflation, quantile = np.ones(len(names)), float(special.ndtri(0.5 + confidence / 2))
    if free:
        squares = np.zeros(len(names))
        for w, s in zip(weeks, share, strict=True):
            size = w.sum(axis=1, keepdims=True)
            spread = size * s * (1 - s)
            squares += np.divide((w - size * s) ** 2, spread, out=np.zeros_like(w), where=spread > 0).sum(axis=0)
        typical = TYPICAL_DISPERSION_DF
        inflation = np.maximum((squares + typical * dispersion) / (free + typical), 1)
        quantile = float(student(0.5 + confidence / 2, free + typical))
    level = 2 * special.ndtr(quantile) - 1
    first, second = (wilson(c / inflation, m / inflation, level) for c, m in zip(counts, n, strict=True))
    low = change - np.sqrt((second.value - second.low) ** 2 + (first.high - first.value) ** 2)
    high = change + np.sqrt((second.high - second.value) ** 2 + (first.value - first.low) ** 2)
    pooled = counts.sum(axis=0) / n.sum()
    error = np.sqrt(inflation * pooled * (1 - pooled) * (1 / n).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, np.abs(change) / error, np.nan)
    p = 2 * (special.stdtr(free + TYPICAL_DISPERSION_DF, -z) if free else special.ndtr(-z))
    q = benjamini_hochberg(p).q
    table = pd.DataFrame(
        {
            "label": names,
            "before": share[0],
            "after": share[1],
            "change": change,
            "low": low,
            "high": high,
            "p": p,
            "q": q,
            "moved": np.nan_to_num(q, nan=1.0) <= 0.05,
        }
    )
    order = sorted(range(len(names)), key=lambda i: (-round(abs(change[i]), 12), str(names[i])))
    return table.iloc[order].reset_index(drop=True)


def _total_variation(first: Floats, second: Floats) -> Floats:
    return np.abs(first - second).sum(axis=-1) / 2


def _jensen_shannon(first: Floats, second: Floats) -> Floats:
    middle = (first + second) / 2
    entropies = special.entr(middle) - (special.entr(first) + special.entr(second)) / 2
    return np.clip(entropies.sum(axis=-1) / math.log(2), 0, 1)


def _basic(value: Floats, drawn: Floats, wider: float, sure: bool, n: float, confidence: float) -> Estimate:
    """A distance with the basic bootstrap's interval: what resampling adds to it is taken off again."""
    below, above = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    value = float(value)
    low = value - wider * (above - value) if sure else 0.0
    return Estimate(value, float(np.clip(low, 0, value)), float(np.clip(value + wider * (value - below), value, 1)), n)


# --------------------------------------------------------------------------------------------------------------- shared


def _first_ratings(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None,
    gold: Mapping[Hashable, Hashable] | None,
) -> Ratings:
    """Rows as codes, the first labelled rating of each rater on each item."""
    item, rater, label = (pd.Series(x, dtype=object).reset_index(drop=True) for x in (item, rater, label))
    if not len(item) == len(rater) == len(label):
        raise ValueError(f"item, rater and label differ in length: {len(item)}, {len(rater)}, {len(label)}.")
    rows = pd.DataFrame({"item": item, "rater": rater, "label": label})
    rows = rows[rows["label"].notna()].drop_duplicates(["item", "rater"])
    return Ratings.of(rows["item"], rows["rater"], rows["label"], labels, gold)
