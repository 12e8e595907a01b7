"""Agreement between raters: percent agreement, Krippendorff's alpha, Gwet's AC1.

Two doors to the same numbers. ``*_of_patterns`` take ``Patterns`` (what the warehouse sums); ``krippendorff_alpha``,
``percent_agreement`` and ``gwet_ac1`` take rows, one rating each, and tally them first. Coefficients that need to know
who rated (Cohen, Conger) cannot come from patterns.

Every function returns an ``Estimate``: a coefficient at most 1, or a share for percent agreement; ``n`` is the items
with two ratings or more; ``reason`` says in words why there is no number. Never NaN, and never 1 for want of data.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.errors import UnknownName
from metrics.intervals import student
from metrics.patterns import Patterns
from metrics.spec import Estimate

Floats = NDArray[np.float64]

LEVELS = ("nominal", "ordinal", "interval", "ratio", "set")
SET_DISTANCES = ("masi", "jaccard")
INTERVALS = ("auto", "bootstrap", "linearised", "none")

LINEARISED_FROM = 500
"""Pairable items from which ``interval="auto"`` trusts the linearised error, if the disagreement is spread (below)."""

LINEARISED_SKEW = 0.12
"""Largest skewness / √items of the items' influences at which it is trusted: rare disagreement needs more items."""

SEPARATOR = "|"
"""Between the members of a label set that is written as one string; the empty string is the empty set."""

NO_ITEMS = "no rated items"
NO_PAIRS = "no item has two ratings"
ONE_ITEM = "only one item has two ratings"
NO_VARIATION = "no variation: every rating is the same label"
NO_DISTANCE = "no variation: the labels used do not differ on this scale"
ONE_LABEL = "fewer than two labels are declared"
NOT_NUMBERS = "an interval or ratio scale needs numbers as labels"
NEGATIVE = "a ratio scale has no negative values"


# ---------------------------------------------------------------------------------------------------------- from rows


@dataclass(frozen=True)
class Tally:
    """Rows counted into patterns, and what was left out on the way."""

    patterns: Patterns
    labels: tuple[Hashable, ...]
    n_raters: int
    n_duplicates: int
    n_unlabelled: int


def tally(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    level: str = "nominal",
) -> Tally:
    """Label-count patterns of rows of equal length, one rating a row.

    A rating without a label (None, NaN) is left out and counted; nothing else means "missing". Of several ratings of
    one rater on one item the **first** row counts, for it is the one made without the others; the rest are counted as
    duplicates. labels: the declared labels in their order. Without them the labels seen are taken, sorted: the scale
    is then inferred, which AC1 depends on. At level "set" a label is an iterable of members, or a string with its
    members separated by "|", and counts as a frozenset.
    Raises ValueError for unequal lengths or an ordinal scale of strings without a declared order, UnknownName for a
    level that does not exist or a label that is not declared.
    """
    _known("measurement level", level, LEVELS)
    item, rater, label = _column(item), _column(rater), _column(label)
    if not len(item) == len(rater) == len(label):
        raise ValueError(f"item, rater and label differ in length: {len(item)}, {len(rater)}, {len(label)}.")
    present = np.array([not _is_null(x) for x in label], dtype=bool) if level == "set" else ~pd.isna(label)
    rows = pd.DataFrame({"item": pd.factorize(item)[0], "rater": pd.factorize(rater)[0]})[present]
    label = label[present]
    if level == "set":
        label = _column([members(x) for x in label])
        labels = None if labels is None else [members(x) for x in labels]
    first = ~rows.duplicated().to_numpy()
    seen = pd.unique(label)
    if labels is None:
        labels = _sorted_labels(seen, level)
    position = pd.Index(_column(labels), tupleize_cols=False).get_indexer(_column(label[first]))
    if np.any(position < 0):
        raise UnknownName("declared label", str(label[first][position < 0][0]), [str(x) for x in labels])
    return Tally(
        Patterns.of(rows["item"].to_numpy()[first], position, len(labels)),
        tuple(labels),
        n_raters=int(rows["rater"].nunique()),
        n_duplicates=int((~first).sum()),
        n_unlabelled=int((~present).sum()),
    )


def members(label: str | Iterable[Hashable]) -> frozenset:
    """The label set that a label stands for: the members of an iterable, or of a string between "|"."""
    return frozenset(filter(None, label.split(SEPARATOR))) if isinstance(label, str) else frozenset(label)


def percent_agreement(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Sequence[Hashable] | None = None
) -> Estimate:
    """Percent agreement of rows; see ``tally`` for the rows and ``percent_agreement_of_patterns`` for the number."""
    return percent_agreement_of_patterns(tally(item, rater, label, labels).patterns)


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


def gwet_ac1(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Sequence[Hashable] | None = None, **options: object
) -> Estimate:
    """Gwet's AC1 of rows; declare the labels, for AC1 depends on those never used. See ``gwet_ac1_of_patterns``."""
    return gwet_ac1_of_patterns(tally(item, rater, label, labels).patterns, **options)


# ------------------------------------------------------------------------------ from patterns: percent agreement, AC1


def percent_agreement_of_patterns(*parts: Patterns, confidence: float = 0.95) -> Estimate:
    """Share of an item's pairs of ratings that agree, as a mean over items with two ratings or more, 0 to 1.

    Items count equally, however many ratings they have. Several patterns (of projects with labels of their own) are
    pooled by items. It is 1 when every rating is the same label. Formula: (1/n2) Σ_i Σ_c r_ic(r_ic - 1)/(r_i(r_i - 1));
    interval by t with n2 - 1 degrees of freedom from the variance between items, clipped to [0, 1]; none for one item
    or when all items agree equally. Source: Gwet 2014.
    """
    if not any(p.n_items for p in parts):
        return Estimate.missing(NO_ITEMS)
    agreed = np.concatenate([_pair_agreement(p) for p in parts])
    items = np.concatenate([np.where(p.ratings >= 2, p.items, 0) for p in parts])
    n = items.sum()
    if not n:
        return Estimate.missing(NO_PAIRS)
    value = float(items @ agreed / n)
    return _estimate(value, _standard_error(agreed, items), n, (0.0, 1.0), confidence)


def gwet_ac1_of_patterns(patterns: Patterns, *, single_rated: str = "ratio", confidence: float = 0.95) -> Estimate:
    """Gwet's AC1: agreement beyond the chance of an uncertain rating, -1 to 1; steady when one label dominates.

    Formula: (p_a - p_e)/(1 - p_e), p_a percent agreement, p_e = Σ π_c(1 - π_c)/(q - 1) over the q **declared** labels,
    π_c the mean over items of the share of label c, items with one rating included. When every rating is the same
    label it is 1. Missing with fewer than two declared labels, no pairable item, or one.

    Interval: Gwet's linearisation over items, t, clipped to [-1, 1]; none when the variance is 0. Items with a single
    rating have no p_a. ``single_rated="ratio"`` takes p_a as what it is, a mean over the pairable items, so their
    number is not error: a_i = (N/n2)(p_ai - p_a)/(1 - p_e) for them and 0 for others, t with n2 - 1 degrees of
    freedom. ``"irrcac"`` is the form printed by Gwet and used by irrCAC, a_i = (N/n2)(p_ai - p_e)/(1 - p_e), t with
    N - 1: the same when every item is pairable, and several times too wide when few are.
    Source: Gwet 2008, 2014. Oracle: irrCAC.
    """
    _known("treatment of single-rated items", single_rated, ("ratio", "irrcac"))
    counts, items, ratings = patterns.counts.astype(float), patterns.items, patterns.ratings
    rated = ratings >= 1
    counts, items, ratings = counts[rated], items[rated], ratings[rated]
    n, pairable = patterns.n_items, patterns.n_pairable
    reason = _reason_for_none(patterns)
    if patterns.n_labels < 2:
        reason = ONE_LABEL
    if reason:
        return Estimate.missing(reason, pairable)
    q = patterns.n_labels
    agreed, paired = _pair_agreement(patterns)[rated], ratings >= 2
    share = counts / ratings[:, None]
    mean_share = items @ share / n
    observed = float((items * paired) @ agreed / pairable)
    chance = float(mean_share @ (1 - mean_share) / (q - 1))
    value = (observed - chance) / (1 - chance)
    centre = observed if single_rated == "ratio" else chance
    own_agreement = n / pairable * np.where(paired, agreed - centre, 0) / (1 - chance)
    own_chance = share @ (1 - mean_share) / (q - 1)
    influence = own_agreement - 2 * (1 - value) * (own_chance - chance) / (1 - chance)
    error = _standard_error(influence, items, value if single_rated == "irrcac" else None)
    return _estimate(
        value, error, pairable, (-1.0, 1.0), confidence, df=(n if single_rated == "irrcac" else pairable) - 1
    )


# ---------------------------------------------------------------------------------- from patterns: Krippendorff's alpha


def alpha_of_patterns(
    patterns: Patterns,
    level: str = "nominal",
    values: Sequence | None = None,
    *,
    interval: str = "auto",
    draws: int = 1_000,
    seed: int = 0,
    set_distance: str = "masi",
    confidence: float = 0.95,
) -> Estimate:
    """Krippendorff's alpha, 1 - observed / expected disagreement: 1 is perfect, 0 what chance gives, below 0 worse.

    level: nominal, ordinal, interval, ratio or set. values: what each declared label stands for, in the order of the
    patterns' columns: numbers (interval, ratio) or sets of members (set); nominal and ordinal need none, for ordinal
    the order of the columns is the scale. Only items with two ratings or more count. Missing without two such items,
    without variation, or when values do not suit the level.

    Formula: o_ck = Σ_i r_ic(r_ik - [c=k])/(r_i - 1), n_c = Σ_k o_ck, n = Σ n_c;
    alpha = 1 - (n - 1) Σ o_ck δ_ck / Σ n_c n_k δ_ck, with δ = [c≠k] nominal, (x_c - x_k)² interval,
    ((x_c - x_k)/(x_c + x_k))² ratio, (Σ_{g=c..k} n_g - (n_c + n_k)/2)² ordinal (Krippendorff's metric, which
    irrCAC's "ordinal" weights are not), and for sets MASI = 1 - J·M or Jaccard = 1 - J.
    Source: Krippendorff 2011; Passonneau 2006.

    interval:
    - "bootstrap": percentiles of ``draws`` resamples of the items, as one multinomial draw over patterns, from
      ``seed``. Draws without variation are left out; if more than 1 in 20 are, there is no interval. Widened to the
      value where the percentiles miss it.
    - "linearised": alpha ± t·se, se exact from the derivative of alpha by the weight of each pattern (infinitesimal
      jackknife), N - 1 degrees of freedom, clipped to [-1, 1]. It costs no draws and agrees with the bootstrap to two
      digits where items are many.
    - "auto": linearised from ``LINEARISED_FROM`` items whose disagreement is spread (``LINEARISED_SKEW``), else
      bootstrap.
    - "none".
    They speak of other items judged by the same raters. Perfect agreement has no interval: nothing in the data says how
    far it could be from 1.
    Raises UnknownName for another level, interval or set distance, ValueError when values and labels differ in number.
    """
    strata = [(patterns, level, values)]
    return _alpha(strata, False, interval, draws, seed, set_distance, confidence)


def stratified_alpha(
    parts: Sequence[tuple[Patterns, str, Sequence | None]],
    *,
    interval: str = "auto",
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

    Interval: items are resampled within their project; else as for ``alpha_of_patterns``.
    """
    return _alpha(list(parts), True, interval, draws, seed, set_distance, confidence)


class _Disagreement:
    """Observed and expected disagreement of pairable patterns as n·Do and n·De, for any weights of the patterns."""

    def __init__(self, patterns: Patterns, distance: Floats | None, normalised: bool) -> None:
        patterns = patterns.combined()
        paired = patterns.ratings >= 2
        self.counts = patterns.counts[paired].astype(float)
        self.items = patterns.items[paired]
        self.n = float(self.items.sum())
        self.ratings = self.counts.sum(axis=1)
        self.per_partner = 1 / (self.ratings - 1)
        self.ordinal = distance is None
        self.normalised = normalised
        self.distance = self._ordinal_distance(self.items @ self.counts) if distance is None else distance
        if normalised and not self.ordinal and self.distance.max(initial=0) > 0:
            self.distance = self.distance / self.distance.max()
        self.by_item = ((self.counts @ self.distance) * self.counts).sum(axis=1) * self.per_partner

    @staticmethod
    def _ordinal_distance(marginals: Floats) -> Floats:
        # Krippendorff's ordinal metric is the squared distance of the labels' mid-ranks.
        rank = _mid_ranks(marginals)
        return (rank[:, None] - rank[None, :]) ** 2

    def of_all(self) -> tuple[float, float]:
        """(n·Do, n·De) of the items themselves."""
        marginals = self.items @ self.counts
        pairs = max(marginals.sum() - 1, 1)
        span = self._span(_mid_ranks(marginals))
        return self.items @ self.by_item / span, marginals @ self.distance @ marginals / pairs / span

    def of_draws(self, weights: Floats) -> tuple[Floats, Floats]:
        """(n·Do, n·De), each (draws,), for weights (draws, K) in place of the items."""
        marginals = weights @ self.counts
        pairs = np.maximum(marginals.sum(axis=1) - 1, 1)
        if not self.ordinal:
            return weights @ self.by_item, ((marginals @ self.distance) * marginals).sum(axis=1) / pairs
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
        observed, expected = self.items @ self.by_item, marginals @ self.distance @ marginals
        d_observed, d_expected = self.by_item, 2 * self.counts @ (self.distance @ marginals)
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

    def _span(self, rank: Floats) -> Floats | float:
        """The greatest ordinal distance between declared labels; it moves with the data, unlike other scales'."""
        if not (self.ordinal and self.normalised):
            return 1.0
        span = (rank[..., -1] - rank[..., 0]) ** 2
        return np.where(span > 0, span, 1.0)


def _alpha(
    parts: list[tuple[Patterns, str, Sequence | None]],
    normalised: bool,
    interval: str,
    draws: int,
    seed: int,
    set_distance: str,
    confidence: float,
) -> Estimate:
    """Alpha of one or several strata: 1 - Σ n·Do / Σ n·De."""
    _known("interval", interval, INTERVALS)
    _known("set distance", set_distance, SET_DISTANCES)
    reason, strata = "", []
    for patterns, level, values in parts:
        _known("measurement level", level, LEVELS)
        distance = None if level == "ordinal" else _distance(level, values, patterns.n_labels, set_distance)
        if isinstance(distance, str):
            return Estimate.missing(distance, sum(p.n_pairable for p, _, _ in parts))
        if patterns.n_pairable:
            strata.append(_Disagreement(patterns, distance, normalised))
        else:
            reason = _reason_for_none(patterns) if reason in ("", NO_ITEMS) else reason
    n = sum(s.n for s in strata)
    if n <= 1:
        return Estimate.missing(ONE_ITEM if n else reason or NO_ITEMS, n)
    observed, expected = np.sum([s.of_all() for s in strata], axis=0)
    if expected <= 0:
        used = any(np.count_nonzero(s.items @ s.counts) > 1 for s in strata)
        return Estimate.missing(NO_DISTANCE if used else NO_VARIATION, n)
    value = 1 - observed / expected
    if observed <= 0 or interval == "none":
        return Estimate(float(value), n=n)
    if interval != "bootstrap":
        variance, skew = _alpha_variance(strata, observed, expected)
        spread = n >= LINEARISED_FROM and abs(skew) <= LINEARISED_SKEW
        if interval == "linearised" or spread:
            return _estimate(value, np.sqrt(variance), n, (-1.0, 1.0), confidence)
    return _bootstrapped(value, strata, n, draws, seed, confidence)


def _alpha_variance(strata: list[_Disagreement], observed: float, expected: float) -> tuple[float, float]:
    """Variance of alpha by the infinitesimal jackknife, and the skewness of its error: skewness / √items."""
    variance = third = 0.0
    for s in strata:
        d_observed, d_expected = s.influence()
        influence = -(d_observed - observed / expected * d_expected) / expected
        influence = influence - (s.items @ influence / s.n if s.n > 1 else 0)
        variance += s.items @ influence**2 * (s.n / (s.n - 1) if s.n > 1 else 1)
        third += s.items @ influence**3
    return variance, third / variance**1.5 if variance > 0 else 0.0


def _bootstrapped(
    value: float, strata: list[_Disagreement], n: float, draws: int, seed: int, confidence: float
) -> Estimate:
    rng = np.random.default_rng(seed)
    observed, expected = np.zeros(draws), np.zeros(draws)
    for s in strata:
        weights = rng.multinomial(round(s.n), s.items / s.items.sum(), size=draws).astype(float)
        of_stratum = s.of_draws(weights)
        observed += of_stratum[0]
        expected += of_stratum[1]
    defined = expected > 1e-12 * max(expected.max(initial=0), 1e-300)
    if defined.mean() < 0.95:
        return Estimate(float(value), n=n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(1 - observed[defined] / expected[defined], [tail, 1 - tail])
    if high - low < 1e-12:
        return Estimate(float(value), n=n)
    return Estimate(float(value), float(min(low, value)), float(min(max(high, value), 1)), n)


def _distance(level: str, values: Sequence | None, labels: int, set_distance: str) -> Floats | str:
    """Distances between declared labels, (q, q); or the reason why there are none."""
    if level == "nominal":
        return 1 - np.eye(labels)
    if values is None:
        values = range(labels) if level != "set" else None
    if values is None or len(values) != labels:
        raise ValueError(f"The {level} level needs one value for each of {labels} labels.")
    if level == "set":
        sets = [members(v) for v in values]
        return np.array([[_set_distance(a, b, set_distance) for b in sets] for a in sets]).reshape(labels, labels)
    try:
        x = np.array([float(v) for v in values])
    except (TypeError, ValueError):
        return NOT_NUMBERS
    if not np.isfinite(x).all():
        return NOT_NUMBERS
    apart = x[:, None] - x[None, :]
    if level == "interval":
        return apart**2
    if np.any(x < 0):
        return NEGATIVE
    together = x[:, None] + x[None, :]
    return (apart / np.where(together > 0, together, 1)) ** 2


def _set_distance(a: frozenset, b: frozenset, kind: str) -> float:
    """MASI (Passonneau 2006, with 2/3 and 1/3) or Jaccard distance; two empty sets are the same."""
    if a == b:
        return 0.0
    shared = len(a & b)
    overlap = shared / len(a | b)
    if kind == "jaccard":
        return 1 - overlap
    monotone = 2 / 3 if a <= b or b <= a else 1 / 3
    return 1 - overlap * monotone


def _mid_ranks(marginals: Floats) -> Floats:
    """Mid-rank of each label, on the last axis: ratings below it and half of its own."""
    return np.cumsum(marginals, axis=-1) - marginals / 2


# -------------------------------------------------------------------------------------------------------------- shared


def _pair_agreement(patterns: Patterns) -> Floats:
    """Share of agreeing pairs of one item of each pattern, (K,); 0 where there is no pair."""
    counts, ratings = patterns.counts, patterns.ratings
    return (counts * (counts - 1)).sum(axis=1) / np.maximum(ratings * (ratings - 1), 1)


def _reason_for_none(patterns: Patterns) -> str:
    """Why these items show no agreement corrected for chance; empty when they do."""
    if not patterns.n_items:
        return NO_ITEMS
    if not patterns.n_pairable:
        return NO_PAIRS
    return ONE_ITEM if patterns.n_pairable <= 1 else ""


def _standard_error(influence: Floats, items: Floats, centre: float | None = None) -> float:
    """Standard error of the mean of the items' influences; 0 for one item."""
    n = items.sum()
    if n <= 1:
        return 0.0
    centre = items @ influence / n if centre is None else centre
    return float(np.sqrt(items @ (influence - centre) ** 2 / (n * (n - 1))))


def _estimate(
    value: float, error: float, n: float, bounds: tuple[float, float], confidence: float, df: float | None = None
) -> Estimate:
    """Value ± t·error within bounds; without an interval where the error is 0, which data cannot show."""
    value, n = float(np.clip(value, *bounds)), float(n)
    if not error > 1e-12:
        return Estimate(value, n=n)
    half = student(0.5 + confidence / 2, n - 1 if df is None else df) * error
    return Estimate(value, float(max(value - half, bounds[0])), float(min(value + half, bounds[1])), n)


def _known(kind: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UnknownName(kind, name, names)


def _column(values: ArrayLike | Iterable) -> NDArray:
    """One-dimensional array; of objects where numpy would spread sets or tuples over a second axis."""
    if isinstance(values, np.ndarray | pd.Series | pd.Index) or hasattr(values, "__array__"):
        return np.asarray(values)
    values = list(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _is_null(label: object) -> bool:
    return label is None or label is pd.NA or label is pd.NaT or (isinstance(label, float) and np.isnan(label))


def _sorted_labels(seen: NDArray, level: str) -> list:
    if level == "set":
        return sorted(seen, key=lambda s: (len(s), sorted(map(str, s))))
    if level == "ordinal" and any(isinstance(x, str) for x in seen):
        raise ValueError("An ordinal scale of names needs its labels declared in order.")
    try:
        return sorted(seen)
    except TypeError:
        return sorted(seen, key=lambda x: (type(x).__name__, str(x)))
