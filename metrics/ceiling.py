"""How far can a score still rise: what human agreement allows, what benchmark noise hides, where label errors sit.

"Human agreement is the ceiling" is only the lower end of the truth. Raters who all waver a little on every item and
raters who split evenly on some and agree on the rest can agree equally often; the best possible score differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.spec import Estimate

Floats = NDArray[np.float64]

LEAST_LABELS = 3
"""Labels an item needs to tell a wavering item from a clear one."""

LEAST_ITEMS = 30
"""Items with so many labels below which no distribution is fitted."""

WORST = 0.05
"""The share of cells called the worst."""

LEAST_CELLS = 20
"""Cells below which the worst 5 % are not even one cell."""

IMPOSSIBLE = "a score like this cannot come with so much noise: it or the noise is wrong"


@dataclass(frozen=True, slots=True)
class Band:
    """Two ends between which a number lies, or the reason why there are none. Unpacks as ``low, high``."""

    low: float | None
    high: float | None
    reason: str = ""

    def __iter__(self) -> Iterator[float | None]:
        return iter((self.low, self.high))


def band(agreement: float | None) -> Band:
    """The best possible score against one rater's label, as a share, when raters agree pairwise in this share.

    Binary labels, exchangeable raters. Formula: [A, (1 + √(2A - 1))/2]. With q the share of raters on an item's
    majority side, two agree with probability 1 - 2q(1 - q), which is convex in q: all items alike give the upper end
    (Jensen's inequality); it never exceeds q, and reaches it where items are clear or a coin flip: the lower end. No
    band for A below .5, which no exchangeable raters of two labels have, or outside 0 to 1.
    """
    if agreement is None or not math.isfinite(agreement):
        return Band(None, None, "the agreement of raters is not known")
    if not 0 <= agreement <= 1:
        return Band(None, None, "an agreement is a share from 0 to 1")
    if agreement < 0.5:
        return Band(None, None, "raters who agree in less than half of the cases do not share two labels")
    return Band(agreement, (1 + math.sqrt(2 * agreement - 1)) / 2)


def expected_best(votes: ArrayLike, labels: ArrayLike, folded: bool = False) -> Estimate:
    """The best possible score against one rater's label, E[max(p, 1 - p)], from items with several labels.

    votes: (items,), how many of an item's labels are one of the two answers, the same answer for all items; or, with
    ``folded``, how many are the item's majority, when no more is known. labels: (items,), how many there are. Items
    with fewer than 3 labels take no part; n is the items that do.

    Formula. p varies over items as Beta(a, b), votes are binomial, so counts are beta-binomial; with m = a/(a + b) and
    I the regularised incomplete beta function, E max = m (1 - I.5(a + 1, b)) + (1 - m) I.5(a, b + 1), at the maximum of
    the likelihood over m and the correlation of two labels, 1/(a + b + 1). Interval: the values that parameters within
    1.92 of the greatest log likelihood give (profile likelihood). None with fewer than 30 such items. Raises ValueError
    for counts that are none. Source: Skellam 1948 for the distribution.
    """
    votes, labels = np.asarray(votes, dtype=float).ravel(), np.asarray(labels, dtype=float).ravel()
    if votes.shape != labels.shape or np.any((votes < 0) | (votes > labels)):
        raise ValueError("votes lies between 0 and labels, one of each per item.")
    if folded and np.any(2 * votes < labels):
        raise ValueError("A majority is at least half of the labels.")
    many = labels >= LEAST_LABELS
    items = int(many.sum())
    if items < LEAST_ITEMS:
        return Estimate.missing(f"fewer than {LEAST_ITEMS} items have {LEAST_LABELS} labels or more", items)
    kinds, counts = np.unique(np.column_stack([votes[many], labels[many]]), axis=0, return_counts=True)
    value, low, high = _profile(kinds[:, 0], kinds[:, 1], counts, folded)
    return Estimate(value, low, high, items)


def noise_corrected(accuracy: Estimate | float | None, noise: Estimate | float | None) -> Estimate:
    """The accuracy against right labels, when a share e of the benchmark's labels is wrong, whatever the model says.

    accuracy, noise: shares, plain or with intervals. Formula: (a - e)/(1 - 2e), two labels and errors as likely for
    either and independent of the model's. Interval: both intervals' distances from the value, each carried through the
    formula alone, put together as roots of sums of squares (MOVER; Zou and Donner 2008); ends stop at 0 and 1. None for
    e of .5 or more, or where not even the interval reaches a share: the noise stated cannot be.
    """
    a, e = _estimate(accuracy), _estimate(noise)
    for missing in (a, e):
        if missing.value is None:
            return Estimate.missing(missing.reason, a.n)
    if e.value >= 0.5:
        return Estimate.missing("half of the benchmark's labels or more are wrong: it tells nothing", a.n)
    if e.value < 0:
        return Estimate.missing("a share of wrong labels lies between 0 and 1", a.n)
    value = _without_noise(a.value, e.value)
    ends = []
    for side in ("low", "high"):
        own = _end(a, side)
        # The corrected score rises with noise above one half and falls below it.
        other = _end(e, side if a.value >= 0.5 else {"low": "high", "high": "low"}[side])
        if own is None and other is None:
            ends.append(None)
            continue
        if other is not None and other >= 0.5:
            return Estimate.missing("the benchmark's noise may be half of its labels or more", a.n)
        away = [
            _without_noise(own, e.value) - value if own is not None else 0.0,
            _without_noise(a.value, max(other, 0.0)) - value if other is not None else 0.0,
        ]
        ends.append(value + math.copysign(math.hypot(*away), -1 if side == "low" else 1))
    nearest = min(max(value, 0.0), 1.0)
    if nearest != value and (ends[0] is None or not ends[0] <= nearest <= ends[1]):
        return Estimate.missing(IMPOSSIBLE, a.n)
    low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in ends)
    return Estimate(nearest, low, high, a.n)


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left between a score and 1, as shares: up to the ceiling and above it.

    ``ceiling``: the best possible score against one rater's label. ``from_model``: what a better model can still gain
    with labels as they are. ``from_labels``: what no model can gain until labels are surer (more labels an item,
    clearer guidelines); part of it is ambiguity and not error. The low end of one goes with the high end of the other.
    """

    ceiling: Band
    from_model: Band
    from_labels: Band


def headroom(
    score: Estimate | float | None, agreement: Estimate | float | None, best: Estimate | None = None
) -> Headroom:
    """How much a score against one rater's label can rise, by a better model and by surer labels.

    score, agreement: shares, plain or with intervals. best: from ``expected_best``, takes the place of the band that
    agreement alone gives. The ends are the outermost ones that the intervals allow; nothing falls below 0. Formula:
    from_model = ceiling - score, from_labels = 1 - max(ceiling, score), at the ends of the ceiling.
    """
    score = _estimate(score)
    if best is not None and best.value is not None:
        ceiling = Band(_end(best, "low") or best.value, _end(best, "high") or best.value)
    else:
        ceiling = _outer_band(_estimate(agreement))
    if score.value is None or ceiling.low is None:
        missing = Band(None, None, ceiling.reason or score.reason)
        return Headroom(ceiling, missing, missing)
    worst, top = (end if end is not None else score.value for end in (score.low, score.high))
    return Headroom(
        ceiling,
        Band(max(ceiling.low - top, 0.0), max(ceiling.high - worst, 0.0)),
        Band(1 - max(ceiling.high, top), 1 - max(ceiling.low, worst)),
    )


@dataclass(frozen=True, slots=True)
class Concentration:
    """Are label errors spread evenly or do they sit in few cells? Shares, each with what chance alone would give.

    ``worst_share``: of all errors, the share in the worst 5 % of cells; ``worst_items``: the share of all items there;
    ``worst_chance``: the errors expected there if all cells were equally good. ``gini``: 0 where every item has the
    same risk, near 1 where one small cell has all errors; ``gini_chance`` as ``worst_chance``. ``p_value``: how often
    chance alone brings as large a Gini. ``worst``: the worst cells' positions, worst first. None and a reason where
    there is nothing to say; ``cells`` counts those with items.
    """

    worst_share: float | None
    gini: float | None
    cells: int
    worst_items: float | None = None
    worst_chance: float | None = None
    gini_chance: float | None = None
    p_value: float | None = None
    worst: tuple[int, ...] = ()
    reason: str = ""


def concentration(
    errors: ArrayLike, items: ArrayLike, seed: int = 0, samples: int = 400, least: int = LEAST_CELLS
) -> Concentration:
    """How concentrated label errors are over cells of policy x language.

    errors, items: (cells,) counts of independent judgements, wrong and all. The worst cells, 5 % of them rounded up,
    are those with most errors beyond items x overall rate, so that a cell of two items cannot be the worst by bad luck.
    Gini = Σ items_i items_j |rate_i - rate_j| / (2 rate items²), i.e. over items and not over cells. Sampling alone
    concentrates: with few errors a cell Gini is far from 0 though all cells are alike. ``samples`` drawings of the same
    number of errors from the same items, each item as likely (multivariate hypergeometric), say by how much; p =
    (1 + those as concentrated)/(1 + samples). None under ``least`` cells or without errors. Raises ValueError for
    counts that are none. Source: Gini 1914.
    """
    errors, items = np.asarray(errors).ravel(), np.asarray(items).ravel()
    if errors.shape != items.shape or np.any((errors < 0) | (errors > items) | (errors % 1 != 0) | (items % 1 != 0)):
        raise ValueError("errors lies between 0 and items, whole numbers, one of each per cell.")
    where = np.flatnonzero(items > 0)
    errors, items = errors[where].astype(np.int64), items[where].astype(np.int64)
    cells = len(where)
    if cells < least:
        return Concentration(None, None, cells, reason=f"fewer than {least} cells have items")
    if errors.sum() == 0:
        return Concentration(None, None, cells, reason="no errors were found")
    share, gini, worst = _concentrated(errors[None], items)
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(items, errors.sum(), samples, method="marginals")
    chance_share, chance_gini, _ = _concentrated(drawn, items)
    p = (1 + (chance_gini >= gini[0] - 1e-12).sum()) / (1 + samples)
    return Concentration(
        float(share[0]),
        float(gini[0]),
        cells,
        float(items[worst[0]].sum() / items.sum()),
        float(chance_share.mean()),
        float(chance_gini.mean()),
        float(p),
        tuple(int(i) for i in where[worst[0]]),
    )


# ------------------------------------------------------------------------------------------------------------ helpers


def _estimate(value: Estimate | float | None) -> Estimate:
    if isinstance(value, Estimate):
        return value
    return Estimate.missing("it is not known") if value is None else Estimate(float(value))


def _end(estimate: Estimate, side: str) -> float | None:
    return getattr(estimate, side)


def _without_noise(accuracy: float, noise: float) -> float:
    return (accuracy - noise) / (1 - 2 * noise)


def _outer_band(agreement: Estimate) -> Band:
    """The band of the whole interval of an agreement; below .5 there is none, so the interval stops there."""
    if agreement.value is None:
        return Band(None, None, agreement.reason)
    middle = band(agreement.value)
    if middle.low is None or agreement.low is None or agreement.high is None:
        return middle
    return Band(band(max(agreement.low, 0.5)).low, band(agreement.high).high)


def _profile(votes: Floats, labels: Floats, counts: Floats, folded: bool) -> tuple[float, float, float]:
    """E max at the greatest likelihood, and the least and greatest within 1.92 of it: a grid that closes in."""
    ends = [(0.0 if folded else -12.0, 12.0), (-12.0, 12.0)]  # logits of the mean and of the correlation of two labels
    for _ in range(8):
        mean, alike = np.meshgrid(*(np.linspace(*e, 41) for e in ends), indexing="ij")
        log = _log_likelihood(mean.ravel(), alike.ravel(), votes, labels, counts, folded).reshape(mean.shape)
        near = log >= log.max() - 1.92
        # One step of the grid beyond what is near enough, so that the next grid holds all of it.
        wide = [np.flatnonzero(near.any(axis=1 - axis))[[0, -1]] + [-1, 1] for axis in (0, 1)]
        grids = (mean[:, 0], alike[0])
        before, ends = ends, [tuple(grid[np.clip(w, 0, 40)]) for grid, w in zip(grids, wide, strict=True)]
        if all(new[1] - new[0] > 0.85 * (old[1] - old[0]) for new, old in zip(ends, before, strict=True)):
            break
    best = _best(mean, alike)
    return float(best.flat[log.argmax()]), float(best[near].min()), float(best[near].max())


def _shape(mean: Floats, alike: Floats) -> tuple[Floats, Floats]:
    """The two parameters a and b of the beta distribution; 1/(a + b + 1) is the correlation of two labels."""
    total = np.exp(-alike)
    return special.expit(mean) * total, special.expit(-mean) * total


def _log_likelihood(mean: Floats, alike: Floats, votes: Floats, labels: Floats, counts: Floats, folded: bool) -> Floats:
    a, b = (s[:, None] for s in _shape(mean, alike))

    def log_probability(k: Floats) -> Floats:
        return special.betaln(k + a, labels - k + b) - special.betaln(a, b)

    log = log_probability(votes)
    if folded:
        log = np.where(2 * votes == labels, log, np.logaddexp(log, log_probability(labels - votes)))
    return log @ counts


def _best(mean: Floats, alike: Floats) -> Floats:
    """E max(p, 1 - p) of the beta distribution."""
    a, b = _shape(mean, alike)
    m = special.expit(mean)
    return m * special.betaincc(a + 1, b, 0.5) + (1 - m) * special.betainc(a, b + 1, 0.5)


def _concentrated(errors: NDArray[np.int64], items: NDArray[np.int64]) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Of each row of errors, (samples, cells): the share in the worst cells, the Gini, and the worst cells."""
    total, everything = errors.sum(axis=1, keepdims=True), items.sum()
    count = math.ceil(WORST * len(items) - 1e-9)
    beyond = errors - items * total / everything
    worst = np.argsort(-beyond, axis=1, kind="stable")[:, :count]
    share = np.take_along_axis(errors, worst, axis=1).sum(axis=1) / total[:, 0]
    # Twice the area between the Lorenz curve, cells from the safest to the riskiest, and the diagonal.
    order = np.argsort(errors / items, axis=1, kind="stable")
    width = items[order] / everything
    height = np.cumsum(np.take_along_axis(errors, order, axis=1), axis=1) / total
    before = np.hstack([np.zeros((len(errors), 1)), height[:, :-1]])
    return share, 1 - (width * (height + before)).sum(axis=1), worst
