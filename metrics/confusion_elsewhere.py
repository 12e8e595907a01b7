"""Whether the confusion that most of a pool's errors sit in is made by others on the same kind of items too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.gap import LEAST_COMPARED, LEAST_ELSEWHERE, Flags, Floats
from metrics.intervals import clustered_share, wilson
from metrics.spec import Estimate

LEAST_IN_STRATUM = 5  # judgements of others where a confusion can be made, for its rate there to be used
LEAST_ERRORS = 10
FEW_ERRORS = f"fewer than {LEAST_ERRORS} errors on gold"
NOBODY_ELSE = "hardly anybody else works on such items"
NOBODY_BEYOND = "hardly anybody works on such items elsewhere"
HERE, SHARED, READING, CANNOT_TELL = "more often here", "as often elsewhere", "read so there", "cannot tell"


@dataclass(frozen=True)
class Confusion:
    """The most frequent confusion of the pool, and how often others make it on the same kind of items.

    kind: its code, -1 without one. part: its share of the pool's errors. here, there: how often the pool and the raters
    of other pools make it where it can be made, in strata (language x policy, say) that both work in; there and beyond,
    other strata of the same broad kind (other languages), weighted as the pool meets them. stratum: the one that most
    of the pool's cases lie in, -1 where none holds half of them. verdict: ``HERE``, ``SHARED``, ``READING`` (as often
    in the same stratum elsewhere, less beyond) or ``CANNOT_TELL``; None with the reason in ``part``.
    """

    kind: int
    part: Estimate
    here: Estimate
    there: Estimate
    beyond: Estimate
    verdict: str | None
    stratum: int = -1


def main_confusion(
    rater: ArrayLike,
    kind: ArrayLike,
    chance: ArrayLike,
    stratum: ArrayLike,
    broad: ArrayLike,
    n: ArrayLike,
    wrong: ArrayLike,
    ours: ArrayLike,
) -> Confusion:
    """Whether the confusion that most of a pool's errors sit in is made by others too on the same kind of items.

    One entry per cell of rater x stratum x true label x label given, all codes from 0. kind: of confusion (project x
    true label x label given); chance: where it can be made (project x true label); stratum: project x language x
    policy; broad: the stratum without what guidelines are translated by (project x policy). n: judgements; wrong, ours:
    whether the label is wrong, and the rater of our pool.

    Rates of others are Σ_s w_s rate_s, w_s the pool's own judgements where the confusion can be made, over strata with
    ``LEAST_IN_STRATUM`` judgements of others (direct standardisation); here is the pool's rate in those. Intervals by
    ``clustered_share``, residuals around the stratum's own rate, as raters differ. The verdict is on the difference of
    two rates, by MOVER at a level divided by the number of confusions this one was picked from: above 0 it is more
    often here; reaching 0, and the lower end of the others above half the pool's rate, it is as often elsewhere; and
    then, where all raters of those strata make it clearly more often than others beyond, it is how the guideline reads
    there. One cannot tell where others work in strata with less than ``LEAST_COMPARED`` of the pool's judgements, fewer
    than ``LEAST_ELSEWHERE`` judgements or two raters. Raises ValueError for arrays of unequal lengths.
    Sources: Zou and Donner 2008; Cochran 1977, section 5A.
    """
    codes = [np.asarray(x, dtype=np.intp) for x in (rater, kind, chance, stratum, broad)]
    n, wrong, ours = np.asarray(n, dtype=float), np.asarray(wrong, dtype=bool), np.asarray(ours, dtype=bool)
    if len({x.shape for x in (*codes, n, wrong, ours)}) > 1:
        raise ValueError("rater, kind, chance, stratum, broad, n, wrong and ours differ in length.")
    by_kind = np.bincount(codes[1], np.where(ours & wrong, n, 0.0))
    errors = by_kind.sum()
    if errors < LEAST_ERRORS:
        nothing = Estimate.missing(FEW_ERRORS, float(errors))
        return Confusion(-1, nothing, nothing, nothing, nothing, None)
    picked = int(np.argmax(by_kind))
    level = 1 - 0.05 / int((by_kind > 0).sum())
    can = codes[2] == codes[2][codes[1] == picked][0]
    rater, kind, _, stratum, broad = (x[can] for x in codes)
    n, ours, made = n[can], ours[can], np.where(kind == picked, n[can], 0.0)
    cases = np.bincount(stratum, np.where(ours, made, 0.0))
    most = int(np.argmax(cases)) if cases.max() * 2 >= cases.sum() else -1
    part = _share(by_kind[picked], errors)
    same = _Rates(rater, stratum, made, n, ours, ~ours)
    # In other strata of the same broad kind nobody works on what we work on: languages others read the guideline in.
    held = np.isin(stratum, stratum[ours & (n > 0)])
    far = _Rates(rater, broad, made, n, ours, ~held)
    beyond = far.others() if far.enough else Estimate.missing(NOBODY_BEYOND)
    if not same.enough:
        here = same.ours(everywhere=True)
        return Confusion(picked, part, here, Estimate.missing(NOBODY_ELSE), beyond, CANNOT_TELL, most)
    here, there = same.ours(level), same.others(level)
    if _above(here, there):
        verdict = HERE
    elif same.others().low <= here.value / 2:
        verdict = CANNOT_TELL
    else:
        whole = _Rates(rater, broad, made, n, held, ~held)
        reading = whole.enough and _above(whole.ours(level), whole.others(level))
        verdict = READING if reading else SHARED
    return Confusion(picked, part, same.ours(), same.others(), beyond, verdict, most)


class _Rates:
    """How often raters of ours and of the others make a confusion, in the strata where both work."""

    def __init__(
        self, rater: NDArray[np.intp], stratum: NDArray[np.intp], made: Floats, n: Floats, ours: Flags, others: Flags
    ) -> None:
        size = int(stratum.max(initial=-1)) + 1
        mine, theirs = (np.bincount(stratum[who], n[who], size) for who in (ours, others))
        both = theirs >= LEAST_IN_STRATUM
        weight = np.divide(mine, theirs, out=np.zeros(size), where=both)
        self.enough = bool(
            mine[both].sum() >= LEAST_COMPARED * max(mine.sum(), 1)
            and theirs[both & (mine > 0)].sum() >= LEAST_ELSEWHERE
            and len(np.unique(rater[others & (n > 0) & (weight > 0)[stratum]])) > 1
        )
        self._columns = rater, stratum, made, n
        self._sides = (ours, both.astype(float)), (others, weight)

    def ours(self, level: float = 0.95, everywhere: bool = False) -> Estimate:
        """The rate of ours; everywhere: also in strata where the others do not work."""
        who, weight = self._sides[0]
        return self._rate(who, np.ones(len(weight)) if everywhere else weight, level)

    def others(self, level: float = 0.95) -> Estimate:
        """The rate of the others, weighted to where ours work."""
        return self._rate(*self._sides[1], level)

    def _rate(self, who: Flags, weight: Floats, level: float) -> Estimate:
        rater, stratum, made, n = (column[who] for column in self._columns)
        total, hits = np.bincount(stratum, n, len(weight)), np.bincount(stratum, made, len(weight))
        rates = np.divide(hits, total, out=np.zeros(len(weight)), where=total > 0)
        w = weight[stratum]
        whole = float((w * n).sum())
        share = float((w * made).sum()) / whole
        place = np.unique(rater, return_inverse=True)[1]
        volume = np.bincount(place, w * n)
        # What a rater makes beyond the strata's rates; how the strata differ is no chance of the rater's.
        own = np.bincount(place, w * (made - rates[stratum] * n)) + share * volume
        found = clustered_share(
            share * whole,
            whole,
            (own**2).sum(),
            (own * volume).sum(),
            (volume**2).sum(),
            (volume > 0).sum(),
            whole**2 / float((w**2 * n).sum()),
            level,
        )
        return Estimate(*(float(x[0]) for x in found), float(n[w > 0].sum()))


def _above(one: Estimate, other: Estimate) -> bool:
    """Whether a rate is above another one, by MOVER on their intervals."""
    return one.value - other.value > np.hypot(one.value - one.low, other.high - other.value)


def _share(hits: float, n: float) -> Estimate:
    value, low, high = (float(x[0]) for x in wilson(hits, n))
    return Estimate(value, low, high, float(n))
