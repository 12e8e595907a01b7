"""Krippendorff's alpha of patterns, of several projects and of rows, with its interval."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from metrics.agreement.distances import level_distances
from metrics.agreement.estimates import (
    NO_ITEMS,
    ONE_ITEM,
    ZERO,
    Floats,
    known,
    reason_for_no_chance,
    reason_for_none,
    standard_error,
    student_interval,
)
from metrics.agreement.score import Items, score_interval
from metrics.agreement.tally import tally
from metrics.patterns import Patterns
from metrics.spec import Estimate

INTERVALS = ("score", "bootstrap", "linearised", "irrcac", "none")


def krippendorff_alpha(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    level: str = "nominal",
    labels: Sequence[Hashable] | None = None,
    **options: object,
) -> Estimate:
    """Krippendorff's alpha of rows; see ``tally`` for the rows and ``alpha_of_patterns`` for the number and options."""
    counted = tally(item, rater, label, labels, level)
    return alpha_of_patterns(counted.patterns, level, counted.labels, **options)


def alpha_of_patterns(
    patterns: Patterns,
    level: str = "nominal",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    draws: int = 1_000,
    seed: int = 0,
    set_distance: str = "masi",
    distances: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Krippendorff's alpha, 1 - observed / expected disagreement: 1 is perfect, 0 what chance gives, below 0 worse.

    level: nominal, ordinal, interval, ratio or set. values: what each declared label stands for, in the order of the
    patterns' columns: numbers (interval, ratio) or sets of members (set); nominal and ordinal need none, for ordinal
    the order of the columns is the scale. distances: (q, q), of your own in place of the level's; 1 minus agreement
    weights gives irrCAC's weighted alpha. Only items with two ratings or more count. Missing without two such items,
    without variation, or when values do not suit the level.

    Formula: o_ck = Σ_i r_ic(r_ik - [c=k])/(r_i - 1), n_c = Σ_k o_ck, n = Σ n_c;
    alpha = 1 - (n - 1) Σ o_ck δ_ck / Σ n_c n_k δ_ck, with δ = [c≠k] nominal, (x_c - x_k)² interval,
    ((x_c - x_k)/(x_c + x_k))² ratio, (Σ_{g=c..k} n_g - (n_c + n_k)/2)² ordinal (Krippendorff's metric, which the
    weights "ordinal_gwet" are not), and for sets MASI = 1 - J·M or Jaccard = 1 - J.
    Source: Krippendorff 2011; Passonneau 2006. Oracle: the krippendorff package; irrCAC; nltk for sets.

    interval:
    - "score": every alpha0 within a normal quantile of alpha by the error that would hold at alpha0, the distances held
      as they are (``metrics.agreement.score``). It needs no draws and is there at perfect agreement.
    - "bootstrap": percentiles of ``draws`` resamples of the items, as one multinomial draw over patterns, from
      ``seed``. Draws without variation are left out; if more than 1 in 20 are, there is no interval. Widened to the
      value where the percentiles miss it. Its cost follows the patterns, never the items.
    - "linearised": alpha ± t·se, se exact from the derivative of alpha by the weight of each pattern (infinitesimal
      jackknife), N - 1 degrees of freedom, clipped to [-1, 1]. It costs no draws and agrees with the bootstrap to two
      digits where items are many.
    - "irrcac": Gwet's linearisation as irrCAC computes it, distances taken as given; the same to the order of 1/N.
    - "none".
    They speak of other items judged by the same raters. Perfect agreement has a score interval
    alone.
    Raises UnknownName for another level, interval or set distance, ValueError when values and labels differ in number
    or distances are not (q, q), finite, symmetric, not negative and 0 on the diagonal.
    """
    known("interval", interval, INTERVALS)
    if distances is None:
        distances = level_distances(level, values, patterns.n_labels, set_distance)
    else:
        distances = _checked(np.asarray(distances, dtype=float), patterns.n_labels)
    return _alpha([(patterns, distances)], False, interval, draws, seed, confidence)


def stratified_alpha(
    parts: Sequence[tuple[Patterns, str, Sequence | None]],
    *,
    interval: str = "score",
    draws: int = 1_000,
    seed: int = 0,
    set_distance: str = "masi",
    confidence: float = 0.95,
) -> Estimate:
    """One alpha for several projects, each with labels and a level of its own.

    parts: (patterns, level, values) for each project, as for ``alpha_of_patterns``. Formula:
    1 - Σ_p n_p Do_p / Σ_p n_p De_p: a ratio of sums over projects, n_p the pairable ratings. Disagreement is expected
    within each project's own labels, so that projects differ in their labels is not mistaken for agreement.
    Distances are divided by the greatest between declared labels of the project, so that a full disagreement is 1
    everywhere. It equals the project's alpha when there is one, and is the mean of the projects' alphas weighted by
    n_p De_p otherwise. Projects without variation or pairable items add nothing; missing when all are such.

    Interval: items are resampled within their project; else as for ``alpha_of_patterns``, without "irrcac".
    """
    known("interval", interval, [name for name in INTERVALS if name != "irrcac"])
    strata = [(p, level_distances(level, values, p.n_labels, set_distance)) for p, level, values in parts]
    return _alpha(strata, True, interval, draws, seed, confidence)


def linearised_error(patterns: Patterns, distances: Floats | None) -> tuple[float, float] | None:
    """(alpha, its linearised standard error), for distances of ``level_distances``; None where there is no alpha."""
    if patterns.n_pairable <= 1:
        return None
    whole = Disagreement(patterns, distances, False)
    observed, expected = whole.of_all()
    if expected <= 0:
        return None
    return 1 - observed / expected, float(np.sqrt(_variance([whole], observed, expected)))


class Disagreement:
    """Observed and expected disagreement of pairable patterns as n·Do and n·De, for any weights of the patterns.

    distances: (q, q), or None for Krippendorff's ordinal metric. normalised: divided by the greatest between declared
    labels.
    """

    def __init__(self, patterns: Patterns, distances: Floats | None, normalised: bool) -> None:
        paired = patterns.ratings >= 2
        self.counts = patterns.counts[paired].astype(float)
        self.items = patterns.items[paired]
        self.n = float(self.items.sum())
        self.ratings = self.counts.sum(axis=1)
        self.per_partner = 1 / (self.ratings - 1)
        self.ordinal = distances is None
        self.normalised = normalised
        self.distances = self._ordinal_distances(self.items @ self.counts) if distances is None else distances
        if normalised and not self.ordinal and self.distances.max(initial=0) > 0:
            self.distances = self.distances / self.distances.max()
        self.by_item = ((self.counts @ self.distances) * self.counts).sum(axis=1) * self.per_partner

    @staticmethod
    def _ordinal_distances(marginals: Floats) -> Floats:
        # Krippendorff's ordinal metric is the squared distance of the labels' mid-ranks.
        rank = _mid_ranks(marginals)
        return (rank[:, None] - rank[None, :]) ** 2

    def of_all(self) -> tuple[float, float]:
        """(n·Do, n·De) of the items themselves."""
        marginals = self.items @ self.counts
        pairs = max(marginals.sum() - 1, 1)
        span = self._span(_mid_ranks(marginals))
        return self.items @ self.by_item / span, marginals @ self.distances @ marginals / pairs / span

    def of_draws(self, weights: Floats) -> tuple[Floats, Floats]:
        """(n·Do, n·De), each (draws,), for weights (draws, K) in place of the items."""
        marginals = weights @ self.counts
        pairs = np.maximum(marginals.sum(axis=1) - 1, 1)
        if not self.ordinal:
            return weights @ self.by_item, ((marginals @ self.distances) * marginals).sum(axis=1) / pairs
        # Ranks differ from draw to draw; Σ o_ck u_c u_k per pattern needs (C u)², never a q x q matrix per draw.
        rank = _mid_ranks(marginals)
        squares = rank**2
        products = (weights * self.per_partner * ((rank @ self.counts.T) ** 2 - squares @ self.counts.T)).sum(axis=1)
        spread = (marginals * squares).sum(axis=1)
        total = marginals.sum(axis=1)
        span = self._span(rank)
        expected = 2 * (total * spread - (marginals * rank).sum(axis=1) ** 2) / pairs / span
        return 2 * (spread - products) / span, expected

    def influence(self) -> tuple[Floats, Floats]:
        """Derivatives of (n·Do, n·De) by the weight of each pattern, each (K,)."""
        marginals = self.items @ self.counts
        pairs = marginals.sum() - 1
        observed, expected = self.items @ self.by_item, marginals @ self.distances @ marginals
        d_observed, d_expected = self.by_item, 2 * self.counts @ (self.distances @ marginals)
        if not self.ordinal:
            return d_observed, d_expected / pairs - expected / pairs**2 * self.ratings
        rank, d_rank = _mid_ranks(marginals), _mid_ranks(self.counts)
        weighted = self.counts * (self.items * self.per_partner)[:, None]
        coincidences_by_rank = weighted.T @ (self.counts @ rank) - weighted.sum(axis=0) * rank
        d_observed = d_observed + 4 * d_rank @ (marginals * rank - coincidences_by_rank)
        d_expected = d_expected + 4 * d_rank @ (marginals * (marginals.sum() * rank - marginals @ rank))
        d_expected = d_expected / pairs - expected / pairs**2 * self.ratings
        if not self.normalised:
            return d_observed, d_expected
        span = self._span(rank)
        d_span = 2 * (rank[-1] - rank[0]) * (d_rank[:, -1] - d_rank[:, 0])
        return d_observed / span - observed / span**2 * d_span, (d_expected - expected / pairs / span * d_span) / span

    def of_score(self) -> Items:
        """The items as the score interval takes them, the distances held as they are."""
        marginals = self.items @ self.counts
        share = marginals / marginals.sum()
        distance = self.distances / self._span(_mid_ranks(marginals))
        v = 2 * distance @ share - share @ distance @ share
        x, z = self.by_item / self._span(_mid_ranks(marginals)), self.counts @ v
        r = self.ratings
        return Items(self.items, self.counts, x, z, r, 0 * r, r, distance, v, share, share)

    def gwet_error(self) -> float:
        """Standard error of alpha by Gwet's linearisation with these distances held fixed, as in irrCAC."""
        mean_ratings = self.items @ self.ratings / self.n
        relative = self.ratings / mean_ratings
        share = self.items @ self.counts / (self.n * mean_ratings)
        expected = share @ self.distances @ share
        own = self.by_item / mean_ratings
        observed = self.items @ own / self.n
        centre = 1 - observed / expected
        # irrCAC's small-sample factor enters the items' own agreement, not the centre.
        small = observed * (1 - 1 / (self.n * mean_ratings))
        own_agreement = 1 - (own - small * (relative - 1)) / expected
        own_chance = relative - self.counts @ (self.distances @ share) / mean_ratings / expected
        return standard_error(own_agreement - 2 * (1 - centre) * own_chance, self.items, centre)

    def _span(self, rank: Floats) -> Floats | float:
        """The greatest ordinal distance between declared labels; it moves with the data, unlike other scales'."""
        if not (self.ordinal and self.normalised):
            return 1.0
        span = (rank[..., -1] - rank[..., 0]) ** 2
        return np.where(span > 0, span, 1.0)


def _alpha(
    parts: list[tuple[Patterns, Floats | str | None]],
    normalised: bool,
    interval: str,
    draws: int,
    seed: int,
    confidence: float,
) -> Estimate:
    """Alpha of one or several strata: 1 - Σ n·Do / Σ n·De."""
    reason, strata = "", []
    for patterns, distances in parts:
        if isinstance(distances, str):
            return Estimate.missing(distances, sum(p.n_pairable for p, _ in parts))
        if patterns.n_pairable:
            strata.append(Disagreement(patterns, distances, normalised))
        else:
            reason = reason_for_none(patterns) if reason in ("", NO_ITEMS) else reason
    n = sum(s.n for s in strata)
    if n <= 1:
        return Estimate.missing(ONE_ITEM if n else reason or NO_ITEMS, n)
    observed, expected = np.sum([s.of_all() for s in strata], axis=0)
    if expected <= 0:
        return Estimate.missing(reason_for_no_chance(max(np.count_nonzero(s.items @ s.counts) for s in strata)), n)
    value = 1 - observed / expected
    if interval == "none" or (observed <= 0 and interval != "score"):
        return Estimate(float(value), n=n)
    bounds = (-1.0, 1.0)
    if interval == "irrcac":
        return student_interval(value, strata[0].gwet_error(), n, bounds, confidence)
    if interval == "score":
        return score_interval(value, [s.of_score() for s in strata], n, bounds, confidence)
    if interval == "linearised":
        return student_interval(value, np.sqrt(_variance(strata, observed, expected)), n, bounds, confidence)
    # Equal patterns in one row, in one order: the draws then depend on the items alone.
    drawn = [Disagreement(p.combined(), d, normalised) for p, d in parts if p.n_pairable]
    return _bootstrapped(value, drawn, n, draws, seed, confidence)


def _variance(strata: list[Disagreement], observed: float, expected: float) -> float:
    """Variance of alpha by the infinitesimal jackknife."""
    variance = 0.0
    for s in strata:
        d_observed, d_expected = s.influence()
        influence = -(d_observed - observed / expected * d_expected) / expected
        influence = influence - (s.items @ influence / s.n if s.n > 1 else 0)
        variance += s.items @ influence**2 * (s.n / (s.n - 1) if s.n > 1 else 1)
    return float(variance)


def _bootstrapped(
    value: float, strata: list[Disagreement], n: float, draws: int, seed: int, confidence: float
) -> Estimate:
    rng = np.random.default_rng(seed)
    observed, expected = np.zeros(draws), np.zeros(draws)
    for s in strata:
        weights = rng.multinomial(round(s.n), s.items / s.items.sum(), size=draws).astype(float)
        of_stratum = s.of_draws(weights)
        observed += of_stratum[0]
        expected += of_stratum[1]
    defined = expected > ZERO * max(expected.max(initial=0), 1e-300)
    if defined.mean() < 0.95:
        return Estimate(float(value), n=n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(1 - observed[defined] / expected[defined], [tail, 1 - tail])
    if high - low < ZERO:
        return Estimate(float(value), n=n)
    return Estimate(float(value), float(min(low, value)), float(min(max(high, value), 1)), n)


def _checked(distances: Floats, labels: int) -> Floats:
    if distances.shape != (labels, labels):
        raise ValueError(f"Distances of {labels} labels are {labels} x {labels}, not {distances.shape}.")
    sound = np.isfinite(distances).all() and np.allclose(distances, distances.T) and np.all(distances >= 0)
    if not sound or np.any(np.diag(distances)):
        raise ValueError("Distances are finite, symmetric, not negative, and 0 from a label to itself.")
    return distances


def _mid_ranks(marginals: Floats) -> Floats:
    """Mid-rank of each label, on the last axis: ratings below it and half of its own."""
    return np.cumsum(marginals, axis=-1) - marginals / 2
