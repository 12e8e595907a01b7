"""What measuring the effect of one change gives, whatever the design."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metrics.spec import Estimate

Floats = NDArray[np.float64]

WEEKS = 8
"""An effect is averaged over the first weeks of a change, this many at most: later other things happen too."""

LEAST_BEFORE = 8
"""Fewer weeks before a change do not show what would have come without it."""

LEAST_AFTER = 3
"""Full weeks under the change before anything is said of it."""

TOO_EARLY = f"fewer than {LEAST_AFTER} full weeks since the change"
TOO_SHORT = f"the change lasted fewer than {LEAST_AFTER} full weeks with data"
TOO_FEW_BEFORE = f"fewer than {LEAST_BEFORE} weeks with data before the change"


class Design(enum.StrEnum):
    """How an effect was told apart from what would have happened anyway, weakest last."""

    RANDOMISED = "randomised"
    STAGGERED = "staggered difference-in-differences"
    COMPARED = "interrupted time series with comparison"
    SYNTHETIC = "synthetic control"
    SERIES = "interrupted time series"
    NONE = "none"


def _empty() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Effect:
    """The effect of a change on one metric, in the metric's unit: what was, less what would have been.

    effect: the mean over the weeks under the change that count, with a 95 % interval, of a part picked out of many one
    that holds for all of them together; n is those weeks, or the units with the change. p_value: of no effect, by the
    design's own test. placebo_p: the share of made-up changes that look at least as large. pre_trend_p: of no move
    before the change. level: the mean of what was seen in the weeks that count. until: the weeks it lasted, None while
    it holds. weeks: event times, 0 the first week under the change, -1 the last before it; gaps: the effect at each of
    them; gap_low, gap_high: the ends of its 95 % interval, NaN in weeks the course was drawn through. season: the weeks
    of a wave that its course rides, 0 for none. comparison: units compared with and their weights, which sum to 1.
    placebos: the effects of the made-up changes, in the unit of placebo statistics (the effect over its standard
    deviation) or of the metric, as the design says. None where a design has no such thing, and where effect has a
    reason, not a value.
    """

    design: Design
    effect: Estimate
    p_value: float | None = None
    placebo_p: float | None = None
    pre_trend_p: float | None = None
    statistic: float | None = None
    weeks: Floats = field(default_factory=_empty)
    gaps: Floats = field(default_factory=_empty)
    gap_low: Floats = field(default_factory=_empty)
    gap_high: Floats = field(default_factory=_empty)
    comparison: tuple[tuple[str, float], ...] = ()
    season: int = 0
    placebos: Floats = field(default_factory=_empty)
    level: float | None = None
    until: int | None = None

    @classmethod
    def missing(cls, design: Design, reason: str, n: float = 0) -> Effect:
        """No effect measured, and why."""
        return cls(design, Estimate.missing(reason, n))
