"""Is a gap to the target the people's, the items' or the guideline's? What the same items show in other hands.

The gap, target minus accuracy, splits without rest into three parts:

- items: target minus what raters of other pools get right on the same kind of items;
- shared: how much less than those the pool's raters get right, those clearly below target left out;
- own: what the raters clearly below target, or one rater, fall short beyond that.

Nothing here is a cause: where other pools work on other items of the same kind, items and people are told apart no
better than the kinds are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import wilson
from metrics.skill import fit_prior, mix_offset
from metrics.spec import Estimate

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_ELSEWHERE = 20
"""Fewer gold judgements than this of other pools show nothing about a kind of item."""

LEAST_COMPARED = 0.5  # of the gold, for the comparison to speak of all of it
LEAST_GOLD = 10
ODD = 0.05  # of raters, whose accuracy may be anything
NO_COMPARISON = "too little gold of other pools on the same kind of items"
FEW_GOLD = f"fewer than {LEAST_GOLD} gold judgements"
FEW_OTHERS = "no other rater of the pool to compare with"
Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Elsewhere:
    """What raters of other pools get right on the items of ours.

    right, n, expected: (raters of ours,), those gold judgements that can be compared, how many of them are right and
    how many others would get right. error: standard error of Σ expected / Σ n. whole: all their gold; compared: the
    share of it that can be compared; alone: of that the share for which only the coarse kind of item could be.
    """

    raters: NDArray[np.intp]
    right: Floats
    n: Floats
    expected: Floats
    error: float
    whole: float
    compared: float
    alone: float


@dataclass(frozen=True)
class Gap:
    """The gap to target and its parts in shares, positive below target: gap = items + shared + own.

    ``alone``: the share of the gold whose language, say, nobody else works in.
    """

    gap: Estimate
    items: Estimate
    shared: Estimate
    own: Estimate
    alone: float = 0.0

    @classmethod
    def missing(cls, reason: str, n: float = 0.0) -> Gap:
        """No parts, and why."""
        return cls(*[Estimate.missing(reason, n)] * 4)


def elsewhere(
    rater: ArrayLike, fine: ArrayLike, coarse: ArrayLike, right: ArrayLike, n: ArrayLike, ours: ArrayLike
) -> Elsewhere:
    """The accuracy that other pools' raters have on the kinds of item that ours met.

    One entry per cell of rater x kind of item: rater, fine and coarse kind (project x language x policy and project x
    policy, say) are codes from 0; right and n are counts on gold; ours: (cells,), True for the cells of the pool. A
    cell is compared by its fine kind where others have ``LEAST_ELSEWHERE`` gold judgements of it, else by the coarse
    one, else not at all. expected = Σ n · (Σ right/Σ n of the others on that kind). error: linearised, other raters as
    clusters (Cochran 1977, section 10.5): √(J/(J - 1) Σ_j (Σ w_s (right_js - rate_s n_js))²). Raises ValueError for
    arrays of unequal lengths.
    """
    rater, fine, coarse = (np.asarray(x, dtype=np.intp) for x in (rater, fine, coarse))
    right, n, ours = np.asarray(right, dtype=float), np.asarray(n, dtype=float), np.asarray(ours, dtype=bool)
    if not rater.shape == fine.shape == coarse.shape == right.shape == n.shape == ours.shape:
        raise ValueError("rater, fine, coarse, right, n and ours differ in length.")
    people, place = np.unique(rater[ours & (n > 0)], return_inverse=True)
    kept = ours & (n > 0)
    rate = np.full(len(n), np.nan)
    others = ~ours & (n > 0)
    kinds = []
    for kind in (fine, coarse):
        size = int(kind.max(initial=-1)) + 1
        total, hits = (np.bincount(kind[others], x[others], size) for x in (n, right))
        rates = np.divide(hits, total, out=np.full(size, np.nan), where=total >= LEAST_ELSEWHERE)
        here = kept & np.isnan(rate) & np.isfinite(rates[kind])
        rate[here] = rates[kind[here]]
        kinds.append((kind, np.bincount(kind[here], n[here], size), total, np.nan_to_num(rates)))
    known = np.isfinite(rate[kept])
    cells = np.flatnonzero(kept)[known]
    size = len(people)
    compared = [np.bincount(place[known], x[cells], size) for x in (right, n, n * np.where(kept, rate, 0))]
    whole, counted = n[kept].sum(), compared[1].sum()
    pull = np.zeros(len(n))
    for kind, mine, total, rates in kinds:
        weight = np.divide(mine, total * max(counted, 1), out=np.zeros(len(mine)), where=total > 0)
        pull += weight[kind] * (right - rates[kind] * n)
    by_rater = np.bincount(rater[others], pull[others]) if others.any() else np.zeros(0)
    clusters = len(np.unique(rater[others]))
    error = np.sqrt((by_rater**2).sum() * clusters / max(clusters - 1, 1))
    alone = 1 - kinds[0][1].sum() / counted if counted else 0.0
    return Elsewhere(
        people, *compared, float(error), float(whole), float(counted / whole) if whole else 0.0, float(alone)
    )


def pool_gap(found: Elsewhere, target: float, below: ArrayLike) -> Gap:
    """The parts of a pool's gap. below: (raters of ours,), those clearly below target.

    ``own``: what the pool's accuracy loses by those raters beyond what the others fall short, from posterior means
    (``fit_prior``), so that having been picked for bad luck does not count. Intervals are normal ones; own and shared
    allow for chance in the raters' judgements and in the prior's mean, items and shared for that of the others.
    """
    below = np.asarray(below, dtype=bool)
    n, total = found.n, found.n.sum()
    reason = _unfit(found, total)
    if reason:
        return Gap.missing(reason, float(total))
    short = _Shortfall(found, below)
    some = n > 0
    if not (some & ~below).any():  # nobody is left who could show what is shared
        below = np.zeros(len(n), bool)
    rest, rest_error = short.mean(~below)
    part = n[below].sum() / total
    few, few_error = short.mean(below) if part else (0.0, 0.0)
    own = part * (few - rest)
    accuracy = found.right.sum() / total
    items = target - found.expected.sum() / total
    # The rest of the sum: what is not the items' and not theirs alone is what all share.
    shared = target - accuracy - items - own
    return Gap(
        _gap(target, found.right.sum(), total),
        _around(items, found.error, total),
        _around(shared, np.hypot(found.error, rest_error), total),
        _around(own, part * np.hypot(few_error, rest_error), total),
        found.alone,
    )


def rater_gap(found: Elsewhere, target: float, rater: int, below: ArrayLike) -> Gap:
    """The parts of one rater's gap, as judged; ``rater``: the position in ``found.raters``; below as in pool_gap().

    shared: what the pool's other raters, without those clearly below target, fall short on their items; own: what this
    rater falls short beyond that.
    """
    n = found.n[rater]
    reason = FEW_GOLD if n < LEAST_GOLD else _unfit(found, found.n.sum())
    if reason:
        return Gap.missing(reason, float(n))
    others = ~np.asarray(below, dtype=bool) & (found.n > 0)
    others[rater] = False
    if not others.any():
        return Gap.missing(FEW_OTHERS, float(n))
    shared, error = _Shortfall(found, np.asarray(below, dtype=bool)).mean(others)
    whole = _gap(target, found.right[rater], n)
    items = target - found.expected[rater] / n
    return Gap(
        whole,
        _around(items, found.error, n),
        _around(shared, np.hypot(found.error, error), n),
        _moved(whole, items + shared, error),
        found.alone,
    )


class _Shortfall:
    """How much less than others each rater of the pool gets right: the posterior mean and what it is uncertain by.

    The prior is a mixture: most raters differ as a beta has it, ``ODD`` of them by anything at all. A beta alone would
    draw three spammers half way back to their colleagues.
    """

    def __init__(self, found: Elsewhere, below: Flags) -> None:
        n, right, some = found.n, found.right, found.n > 0
        offset = mix_offset(found.expected, n)
        usual_ones = some & ~below if (some & ~below).any() else some
        for _ in range(3):
            prior = fit_prior(*(x[usual_ones] for x in (right, n, offset)), typical=1.0)
            weight = prior.a + prior.b
            usual = special.expit(special.logit(prior.mean) + offset)
            a, b = weight * usual, weight * (1 - usual)
            odd = np.log(ODD) + special.betaln(1 + right, 1 + n - right)
            even = np.log1p(-ODD) + special.betaln(a + right, b + n - right) - special.betaln(a, b)
            odd = special.expit(odd - even)
            usual_ones = some & (odd < 0.5) if (some & (odd < 0.5)).any() else some
        means, variances = [], []
        for one, other in ((a + right, b + n - right), (1 + right, 1 + n - right)):
            means.append(one / (one + other))
            variances.append(one * other / (one + other) ** 2 / (one + other + 1))
        seen = (1 - odd) * means[0] + odd * means[1]
        self.n = n
        self.short = np.divide(found.expected, n, out=np.zeros(len(n)), where=some) - seen
        self.variance = (1 - odd) * (variances[0] + (means[0] - seen) ** 2) + odd * (
            variances[1] + (means[1] - seen) ** 2
        )
        # How far each is drawn to the prior's mean, and how uncertain that is itself.
        self.drawn = (1 - odd) * weight / (weight + n)
        spread = (usual * (1 - usual))[usual_ones]
        self.mean_variance = 1 / np.sum(1 / (spread * (1 / (weight + 1) + 1 / n[usual_ones])))

    def mean(self, chosen: Flags) -> tuple[float, float]:
        """The mean over the chosen raters' judgements and its standard error."""
        share = self.n[chosen] / self.n[chosen].sum()
        variance = (
            np.sum(share**2 * self.variance[chosen]) + self.mean_variance * np.sum(share * self.drawn[chosen]) ** 2
        )
        return float(np.sum(share * self.short[chosen])), float(np.sqrt(variance))


def _unfit(found: Elsewhere, total: float) -> str:
    """Why there are no parts; empty where there are."""
    if found.whole < LEAST_GOLD:
        return FEW_GOLD
    if found.compared < LEAST_COMPARED:
        return NO_COMPARISON
    return FEW_GOLD if total < LEAST_GOLD else ""


def _gap(target: float, right: float, n: float) -> Estimate:
    """Target minus accuracy with Wilson's interval: these raters, on items like these."""
    value, low, high = (float(x[0]) for x in wilson(right, n))
    return Estimate(target - value, target - high, target - low, float(n))


def _around(value: float, error: float, n: float) -> Estimate:
    return Estimate(float(value), float(value - Z * error), float(value + Z * error), float(n))


def _moved(whole: Estimate, by: float, error: float) -> Estimate:
    """An estimate less an uncertain amount: one-sided distances square and add (MOVER, Zou and Donner 2008)."""
    value = whole.value - by
    down, up = np.hypot(whole.value - whole.low, Z * error), np.hypot(whole.high - whole.value, Z * error)
    return Estimate(float(value), float(value - down), float(value + up), whole.n)
