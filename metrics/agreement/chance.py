"""Percent agreement, and agreement beyond chance: Scott, Fleiss, Gwet's AC1 and AC2, Brennan-Prediger.

They differ in the agreement p_e that chance gives, for raters who
- follow the labels' shares π: Σ w_ck π_c π_k (Scott's pi for two raters, Fleiss' kappa for many);
- guess on the doubtful items alone: T_w Σ π_c(1 - π_c) / (q(q - 1)) (AC1, and AC2 with weights);
- guess evenly: T_w / q² (Brennan-Prediger, also known as Randolph's free-marginal kappa).

w_ck are agreement weights (``agreement_weights``), T_w their sum, q the **declared** labels; π_c is the mean over items
of the share of label c, items with one rating included. Each coefficient is (p_a - p_e)/(1 - p_e), at most 1.

interval: "score" holds every κ0 that is within a normal quantile of the coefficient by the error that would hold at κ0
(``metrics.agreement.score``), as Wilson's does for a share, and with more allowed for where few items differ; perfect
agreement has one too, unless every rating is the same label where chance follows the shares. The error is Gwet's
linearisation over items: with a_i the item's own agreement and e_i its own chance agreement, that of the mean of a_i -
2(1 - κ)(e_i - p_e)/(1 - p_e), where for an item with a single rating a_i stands for p_a, a mean over the n2 pairable
items whose number is not error. Coverage, of 30 to 100 items of which all or half are pairable:
tests/metrics/agreement/test_few_items_cover.py.
"irrcac" is the interval printed by Gwet and used by irrCAC, κ ± t·se with N - 1 degrees of freedom, se from
a_i = (N/n2)(p_ai - p_e)/(1 - p_e): it holds 44 to 97 of 100 samples of 30 items, has no end where all items agree
equally, and is several times too wide when few of many items are pairable.

The functions of rows take ``item, rater, label`` as ``tally`` does; weights other than the identity use the labels as
numbers when all are, and else their declared order. Source: Gwet 2008, 2014. Oracle: irrCAC.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from metrics.agreement.estimates import (
    NO_ITEMS,
    NO_PAIRS,
    ONE_LABEL,
    ZERO,
    Floats,
    known,
    reason_for_no_chance,
    reason_for_none,
    standard_error,
    student_interval,
)
from metrics.agreement.score import Items, score_interval
from metrics.agreement.tally import Ratings, numeric, tally
from metrics.agreement.weights import agreement_weights, is_identity
from metrics.patterns import Patterns
from metrics.spec import Estimate

CHANCE_INTERVALS = ("score", "irrcac")
TWO_RATERS = "Scott's pi compares two raters: for more it is Fleiss' kappa"

Labels = Sequence[Hashable] | None
Weights = str | ArrayLike


# ---------------------------------------------------------------------------------------------------------- from rows


def percent_agreement(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Labels = None,
    *,
    weights: Weights = "identity",
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Share of an item's pairs of ratings that agree, 0 to 1; see ``percent_agreement_of_patterns``."""
    patterns, values = counted(item, rater, label, weights, labels)
    return percent_agreement_of_patterns(
        patterns, weights=weights, values=values, interval=interval, confidence=confidence
    )


def scott_pi(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "identity",
    labels: Labels = None,
    **options: object,
) -> Estimate:
    """Scott's pi of two raters, at most 1; missing when the rows hold more. See ``scott_pi_of_patterns``."""
    rows = Ratings.of_rows(item, rater, label, labels, _level(weights))
    if len(rows.raters) > 2:
        return Estimate.missing(TWO_RATERS)
    return scott_pi_of_patterns(rows.patterns(), weights, numeric(rows.labels), **options)


def fleiss_kappa(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "identity",
    labels: Labels = None,
    **options: object,
) -> Estimate:
    """Fleiss' kappa, at most 1, for any number of ratings per item; see ``fleiss_kappa_of_patterns``."""
    patterns, values = counted(item, rater, label, weights, labels)
    return fleiss_kappa_of_patterns(patterns, weights, values, **options)


def gwet_ac1(item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Labels = None, **options: object) -> Estimate:
    """Gwet's AC1; declare the labels, for AC1 depends on those never used. See ``gwet_ac1_of_patterns``."""
    return gwet_ac1_of_patterns(tally(item, rater, label, labels).patterns, **options)


def gwet_ac2(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "quadratic",
    labels: Labels = None,
    **options: object,
) -> Estimate:
    """Gwet's AC2, AC1 with weights; declare the labels, for it depends on those never used. See the module."""
    patterns, values = counted(item, rater, label, weights, labels)
    return gwet_ac2_of_patterns(patterns, weights, values, **options)


def brennan_prediger(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "identity",
    labels: Labels = None,
    **options: object,
) -> Estimate:
    """Brennan and Prediger's coefficient; declare the labels, for it depends on how many there are."""
    patterns, values = counted(item, rater, label, weights, labels)
    return brennan_prediger_of_patterns(patterns, weights, values, **options)


def counted(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, weights: Weights, labels: Labels
) -> tuple[Patterns, Sequence | None]:
    """Patterns of rows, and the values of the labels where they are numbers. Raises as ``tally`` does."""
    if not isinstance(weights, str) and labels is None:
        raise ValueError("A matrix of agreement weights needs the labels declared in its order.")
    rows = tally(item, rater, label, labels, _level(weights))
    return rows.patterns, numeric(rows.labels)


def _level(weights: Weights) -> str:
    return "nominal" if is_identity(weights) else "ordinal"


# ------------------------------------------------------------------------------------------------------ from patterns


def percent_agreement_of_patterns(
    *parts: Patterns,
    weights: Weights = "identity",
    values: Sequence | None = None,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Share of an item's pairs of ratings that agree, as a mean over items with two ratings or more, 0 to 1.

    Items count equally, however many ratings they have. Several patterns (of projects with labels of their own) are
    pooled by items. It is 1 when every rating is the same label.
    Formula: (1/n2) Σ_i Σ_c r_ic(Σ_k w_ck r_ik - 1)/(r_i(r_i - 1)). interval: "score" as the module has it, with ratings
    spread evenly over the labels used as what no agreement looks like, or, where items agree less than that already,
    with no pair that agrees: Wilson's for two ratings of each item, but for low ends below the former, and for high
    ends where at most six items differ, Wilson's being too low there. Of two ratings it covers 92 to 98 of 100 at any
    truth, and more only where one outcome less would be less than 94.5. "irrcac": ± t·se from the variance between
    items, n2 - 1 degrees of freedom, clipped to [0, 1]; none when all items agree equally.
    Source: Gwet 2014.
    """
    known("interval", interval, CHANCE_INTERVALS)
    if not any(p.n_items for p in parts):
        return Estimate.missing(NO_ITEMS)
    n, apart, by_chance, projects = float(sum(p.n_pairable for p in parts)), 0.0, 0.0, []
    for patterns in parts:
        matrix = agreement_weights(weights, patterns.n_labels, values)
        if isinstance(matrix, str):
            return Estimate.missing(matrix, n)
        if patterns.n_pairable:
            paired = patterns.ratings >= 2
            counts, items = patterns.counts[paired].astype(float), patterns.items[paired]
            x, one, given = 1 - pair_agreement(counts, matrix), np.ones(len(items)), items @ counts
            even, none = (given > 0) / (given > 0).sum(), np.zeros(len(given))
            apart += float(items @ x)
            by_chance += float(items.sum() * (even @ (1 - matrix) @ even))
            share = given / given.sum()
            projects.append(Items(items, counts, x, one, one, one, 0 * one, 1 - matrix, none, share, even))
    if not n:
        return Estimate.missing(NO_PAIRS)
    value = 1 - apart / n
    if interval == "score":
        if apart >= by_chance:
            projects = [replace(p, distance=np.ones_like(p.distance)) for p in projects]
        return score_interval(value, projects, n, (0.0, 1.0), confidence)
    error = standard_error(*(np.concatenate([getattr(p, name) for p in projects]) for name in ("x", "items")))
    return student_interval(value, error, n, (0.0, 1.0), confidence)


def scott_pi_of_patterns(
    patterns: Patterns,
    weights: Weights = "identity",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Scott's pi: Fleiss' kappa of two raters; missing when an item has more than two ratings."""
    if np.any(patterns.items[patterns.ratings > 2] > 0):
        return Estimate.missing(TWO_RATERS, patterns.n_pairable)
    return fleiss_kappa_of_patterns(patterns, weights, values, interval=interval, confidence=confidence)


def fleiss_kappa_of_patterns(
    patterns: Patterns,
    weights: Weights = "identity",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Fleiss' kappa, at most 1; below 0 is worse than chance. It falls where one label dominates.

    p_e = Σ w_ck π_c π_k. For complete data 1 - alpha = (1 - kappa)(1 - 1/n), n the ratings. Missing without two
    pairable items, or without variation. weights, values: see ``agreement_weights``; interval: see
    the module. Source: Fleiss 1971, Gwet 2014. Oracle: irrCAC, statsmodels.
    """
    return _beyond_chance(patterns, "shares", weights, values, interval, confidence)


def gwet_ac1_of_patterns(patterns: Patterns, *, interval: str = "score", confidence: float = 0.95) -> Estimate:
    """Gwet's AC1: agreement beyond the chance of an uncertain rating, -1 to 1; steady when one label dominates.

    p_e = Σ π_c(1 - π_c)/(q - 1) over the q **declared** labels. When every rating is the same label it is 1. Missing
    with fewer than two declared labels, no pairable item, or one. interval: see the module; clipped
    to [-1, 1]. Source: Gwet 2008. Oracle: irrCAC.
    """
    return _beyond_chance(patterns, "doubtful items", "identity", None, interval, confidence)


def gwet_ac2_of_patterns(
    patterns: Patterns,
    weights: Weights = "quadratic",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Gwet's AC2: AC1 that gives part of the credit for near labels, at most 1.

    p_e = T_w Σ π_c(1 - π_c)/(q(q - 1)) over the q **declared** labels. weights, values: see ``agreement_weights``;
    else as ``gwet_ac1_of_patterns``. Source: Gwet 2014.
    """
    return _beyond_chance(patterns, "doubtful items", weights, values, interval, confidence)


def brennan_prediger_of_patterns(
    patterns: Patterns,
    weights: Weights = "identity",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Brennan and Prediger's coefficient: chance spreads evenly over the q **declared** labels, at most 1.

    p_e = T_w/q², 1/q without weights. It does not move with prevalence, and rises as labels are declared that nobody
    uses. Missing with fewer than two declared labels, no pairable item, or one. Source: Brennan and Prediger 1981;
    Randolph 2005 for many raters. Oracle: irrCAC, statsmodels (method "randolph").
    """
    return _beyond_chance(patterns, "even", weights, values, interval, confidence)


def _beyond_chance(
    patterns: Patterns,
    guess: str,
    weights: Weights,
    values: Sequence | None,
    interval: str,
    confidence: float,
) -> Estimate:
    known("interval", interval, CHANCE_INTERVALS)
    rated = patterns.ratings >= 1
    counts, items = patterns.counts[rated].astype(float), patterns.items[rated]
    q, pairable = patterns.n_labels, patterns.n_pairable
    reason = ONE_LABEL if q < 2 and len(items) else reason_for_none(patterns)
    matrix = agreement_weights(weights, q, values)
    if reason or isinstance(matrix, str):
        return Estimate.missing(reason or matrix, pairable)
    share = counts / counts.sum(axis=1, keepdims=True)
    mean_share = items @ share / patterns.n_items
    total = matrix.sum()
    if guess == "shares":
        of_label = matrix @ mean_share
    elif guess == "doubtful items":
        of_label = total / (q * (q - 1)) * (1 - mean_share)
    else:
        of_label = np.full(q, total / q**2)
    own_chance, chance = share @ of_label, mean_share @ of_label
    if 1 - chance < ZERO:
        return Estimate.missing(reason_for_no_chance(np.count_nonzero(mean_share)), pairable)
    # Only AC1 and plain Brennan-Prediger cannot fall below -1: weights and single-rated items push the others further.
    low = -1.0 if guess != "shares" and is_identity(weights) else -np.inf
    agreed = pair_agreement(counts, matrix)
    idle = mean_share if guess == "shares" else np.full(q, 1 / q)
    return interval_beyond_chance(
        agreed, counts, items, own_chance, chance, of_label, mean_share, idle, matrix, low, interval, confidence
    )


def interval_beyond_chance(
    agreed: Floats,
    counts: Floats,
    items: Floats,
    own_chance: Floats,
    chance: float,
    of_label: Floats,
    share: Floats,
    guess: Floats,
    weights: Floats,
    low: float,
    interval: str,
    confidence: float,
) -> Estimate:
    """(p_a - p_e)/(1 - p_e) with its interval, of kinds of rated items, arrays (K,).

    agreed: the agreement of an item of each kind; counts (K, q): its ratings by label, 1 or more; items: how many
    there are; own_chance: e_i of the module, whose mean is ``chance``, p_e. low: the least value there can be.
    of_label, share, guess: (q,), the chance agreement of a rating, the labels' shares, and those from which raters
    without agreement would draw.
    """
    ratings = counts.sum(axis=1)
    paired = ratings >= 2
    pairable = items @ paired
    weight = np.where(paired, items.sum() / pairable, 0)
    x = weight * (1 - agreed)
    value = float(1 - items @ x / items.sum() / (1 - chance))
    if interval == "irrcac":
        return printed_interval(value, agreed, ratings, items, own_chance, chance, low, confidence)
    # The mean of z is 1 - p_e, and its part that moves with the item is what the item adds to p_e.
    certain = weight * (1 - chance)
    z, offset = certain - 2 * (own_chance - chance), certain + 2 * share @ of_label
    kinds = Items(items, counts, x, z, weight, offset, np.ones(len(items)), 1 - weights, -2 * of_label, share, guess)
    return score_interval(value, [kinds], pairable, (low, 1.0), confidence)


def printed_interval(
    value: float,
    agreed: Floats,
    ratings: Floats,
    items: Floats,
    own_chance: Floats | float,
    chance: float,
    low: float,
    confidence: float,
) -> Estimate:
    """The coefficient with the interval Gwet prints, of kinds of rated items, arrays (K,).

    agreed: the agreement of an item of each kind; ratings: its ratings, 1 or more; items: how many there are;
    own_chance: e_i of the module, whose mean is ``chance``, p_e. low: the least value there can be.
    """
    paired, n = ratings >= 2, items.sum()
    pairable = items @ paired
    own_agreement = n / pairable * np.where(paired, agreed - chance, 0) / (1 - chance)
    influence = own_agreement - 2 * (1 - value) * (own_chance - chance) / (1 - chance)
    return student_interval(value, standard_error(influence, items, value), pairable, (low, 1.0), confidence, df=n - 1)


def pair_agreement(counts: Floats, weights: Floats) -> Floats:
    """Mean weight of the pairs of ratings of one item of each kind, (K,); 0 where there is no pair."""
    ratings = counts.sum(axis=1)
    pairs = (counts * (counts @ weights)).sum(axis=1) - ratings
    return np.where(ratings >= 2, pairs / np.maximum(ratings * (ratings - 1), 1), 0.0)
