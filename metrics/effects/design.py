"""Which design a change allows, from who got it, when, and what is known of the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, TOO_EARLY, TOO_FEW_BEFORE, Design

NEVER = -1
"""The start of a unit that never gets the change."""

LEAST_EACH = 4
"""Units with and without a change, each, for their differences to be judged by how units differ."""

LEAST_DONORS = 10
"""Units to build a synthetic one from, and to compare its gap with: with fewer no rank is rare enough."""


class Choice(NamedTuple):
    """A design, and why in words."""

    design: Design
    reason: str


def choose(
    starts: ArrayLike, periods: int, end: int | None = None, randomised: bool = False, apart: bool = False
) -> Choice:
    """The strongest design a change allows.

    starts: (units,) the first full week of the change in each unit, ``NEVER`` where it does not come. periods: weeks
    seen. end: the first week no longer under it. randomised: chance decided who gets it. apart: the one unit with the
    change follows no mean of the others (its level or course differs), so that a weighted one is wanted.

    ``Design.NONE`` with the reason when nothing was changed, a unit that got it has too few weeks before (leave it out:
    its own course is not known, and it is nobody's comparison), or there are too few after.
    """
    starts = np.asarray(starts)
    treated = starts[starts != NEVER]
    others = int(np.sum(starts == NEVER))
    if not len(treated):
        return Choice(Design.NONE, "no unit got the change")
    stop = periods if end is None else min(end, periods)
    if stop - treated.min() < LEAST_AFTER:
        return Choice(Design.NONE, TOO_EARLY)
    if randomised and others:
        return Choice(Design.RANDOMISED, f"chance decided which {len(treated)} of {len(starts)} units got it")
    if treated.min() < LEAST_BEFORE:
        return Choice(Design.NONE, TOO_FEW_BEFORE)
    later = len(set(treated.tolist())) > 1
    if len(treated) >= LEAST_EACH and (others >= LEAST_EACH or (later and len(treated) >= 2 * LEAST_EACH)):
        when = (
            f"{len(treated)} units got it at different times" if later else f"{len(treated)} units got it at one time"
        )
        return Choice(Design.STAGGERED, f"{when}, {others} did not")
    if apart and len(treated) == 1 and others >= LEAST_DONORS:
        return Choice(Design.SYNTHETIC, f"one unit got it and its course is not that of the mean of {others} others")
    if others:
        return Choice(Design.COMPARED, f"{len(treated)} got it, {others} did not: too few to judge by how units differ")
    return Choice(Design.SERIES, "nobody without it, or without a change of their own, to compare with")
