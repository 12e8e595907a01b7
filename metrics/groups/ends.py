"""One group's statistics and the ends of their intervals, or why there are none."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from metrics.agreement.score import score_interval
from metrics.agreement.score_line import line_interval
from metrics.errors import UnknownName
from metrics.groups.patterns import CELLS_AT_ONCE, Floats, GroupPatterns
from metrics.groups.score import Ends, ratio_ends
from metrics.groups.terms import Stratum, values_of
from metrics.intervals import student

INTERVALS = ("score", "bootstrap", "linearised", "none")

UNDEFINED_DRAWS = 0.025
"""Share of resamples without a group association index up to which its interval is given: the upper end must exist."""

LEAST_OTHER = {
    "score": (0, 0, 10, 0, 0),
    "bootstrap": (20, 20, 20, 0, 0),
    "linearised": (20, 20, 20, 0, 0),
    "none": (0, 0, 0, 0, 0),
}
"""For an interval of each statistic: fewest items times the share of ratings that are not the commonest label."""

TOPS = (1.0, 1.0, math.inf, math.inf, 1.0)  # above which no statistic lies

NO_ERROR = "all items show the same, so nothing says how far off the value may be"
MAY_BE_CHANCE = "agreement with the other raters may be no better than chance, so the ratio has no upper end"
FEW_OTHER = "fewer than {} items' worth of ratings give another label than the commonest: too few to say how sure it is"


class Evidence:
    """One group's values, and the ends of an interval of each at any confidence."""

    def __init__(self, parts: Sequence[GroupPatterns], interval: str, draws: int, seed: int) -> None:
        self.interval = interval
        self.strata = [s for s in map(Stratum, parts) if len(s.items)]
        per_stratum = [s.terms(s.items @ s.columns) for s in self.strata]
        self.terms = np.sum(per_stratum, axis=0) if per_stratum else np.zeros(8)
        self.values = values_of(self.terms)
        self.pairable, self.shared = self.terms[4], self.terms[5]
        self.draws = self._bootstrap(draws, seed) if interval == "bootstrap" and self.strata else None
        self.errors = self._linearised() if interval in ("linearised", "score") and self.strata else None

    def _bootstrap(self, draws: int, seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        terms = np.zeros((draws, 8))
        for s in self.strata:
            share, n = s.items / s.items.sum(), round(s.items.sum())
            step = max(1, CELLS_AT_ONCE // len(s.items))
            for start in range(0, draws, step):
                some = slice(start, min(start + step, draws))
                weights = rng.multinomial(n, share, size=some.stop - start).astype(float)
                terms[some] += s.terms(weights @ s.columns)
        return values_of(terms)

    def _linearised(self) -> Floats:
        """Standard errors of the statistics, and the correlation of the first two."""
        _, xrr, gai, negentropy, plurality = self.values
        t = self.terms
        variance, together = np.zeros(5), 0.0
        with np.errstate(all="ignore"):
            for s in self.strata:
                d = s.derivatives()
                d_irr = -(d[:, 0] - t[0] / t[1] * d[:, 1]) / t[1]
                d_xrr = -(d[:, 2] - t[2] / t[3] * d[:, 3]) / t[3]
                d_gai = d_irr / xrr - gai * d_xrr / xrr
                d_negentropy = (d[:, 6] - negentropy * d[:, 4]) / t[4]
                d_plurality = (d[:, 7] - plurality * d[:, 4]) / t[4]
                each = np.column_stack([d_irr, d_xrr, d_gai, d_negentropy, d_plurality])
                n = s.items.sum()
                each = each - s.items @ each / n
                variance += s.items @ each**2 * n / max(n - 1, 1)
                together += s.items @ (each[:, 0] * each[:, 1]) * n / max(n - 1, 1)
            self.correlation = float(np.clip(np.nan_to_num(together / np.sqrt(variance[0] * variance[1])), -1, 1))
        return np.sqrt(variance)

    def ends(self, statistic: int, confidence: float) -> tuple[float | None, float | None, str]:
        """Low and high of one statistic and ""; or None, None and why the data do not show how sure it is."""
        low, high, reason = None, None, self._reason_for_no_ends(statistic)
        if not reason and self.strata and self.interval != "none":
            way = {"score": self._score_ends, "linearised": self._error_ends, "bootstrap": self._drawn_ends}
            low, high = way[self.interval](statistic, confidence)
            reason = "" if low is not None else MAY_BE_CHANCE if statistic == 2 else NO_ERROR
        return low, high, reason

    def _reason_for_no_ends(self, statistic: int) -> str:
        """Why too few ratings give another label than the commonest for an interval of irr, xrr or gai; or ""."""
        least = LEAST_OTHER[self.interval][statistic]
        return "" if self.other_labels(statistic) >= least else FEW_OTHER.format(least)

    def other_labels(self, statistic: int) -> float:
        """Items times the share of their ratings with another label than their project's commonest."""
        sides = ((2, 0),) if statistic == 0 else ((3, 1), (3, 2)) if statistic == 1 else ((2, 0), (3, 1), (3, 2))
        found = 0.0
        for s in self.strata:
            sums = s.items @ s.columns
            labels = sum(sums[6 + k * s.q : 6 + (k + 1) * s.q] for _, k in sides)
            if labels.sum() > 0:
                found += min(sums[which] for which, _ in sides) * (1 - labels.max() / labels.sum())
        return float(found)

    def _error_ends(self, statistic: int, confidence: float) -> Ends:
        """The value with t linearised errors on either side."""
        value, error = self.values[statistic], self.errors[statistic]
        if not error > 1e-12 or (statistic == 2 and not (self._error_ends(1, confidence)[0] or 0) > 0):
            return None, None
        half = self._quantile(statistic, confidence) * error
        return (float(value - half), float(min(value + half, TOPS[statistic]))) if math.isfinite(half) else (None, None)

    def _quantile(self, statistic: int, confidence: float) -> float:
        n = self.shared if statistic == 1 else min(self.pairable, self.shared) if statistic == 2 else self.pairable
        return float(student(0.5 + confidence / 2, n - 1))

    def _drawn_ends(self, statistic: int, confidence: float) -> Ends:
        """The percentiles of the resamples."""
        value, found = self.values[statistic], self.draws[:, statistic]
        if np.isnan(found).mean() > UNDEFINED_DRAWS:
            return None, None
        low, high = np.nanquantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
        if high - low < 1e-12:
            return None, None
        return float(min(low, value)), float(min(max(high, value), TOPS[statistic]))

    def _score_ends(self, statistic: int, confidence: float) -> Ends:
        """Ends that alpha's interval gives irr, ``line_interval`` xrr and the means, and ``ratio_ends`` their ratio."""
        value = self.values[statistic]
        if statistic == 2:
            return self._ratio_ends(confidence)
        n = self.shared if statistic == 1 else self.pairable
        # The means run from what one label shared by none gives to what one label for all gives.
        bottom, span = self._scale(statistic)
        if span <= 0:
            return None, None
        parts = [part for s in self.strata if (part := s.scored(statistic, bottom, span)) is not None]
        interval = score_interval if statistic == 0 else line_interval
        found = interval((value - bottom) / span, parts, n, (-1.0, 1.0), confidence)
        if found.low is None:
            return None, None
        return float(min(bottom + found.low * span, value)), float(max(bottom + found.high * span, value))

    def _scale(self, statistic: int) -> tuple[float, float]:
        if statistic < 3:
            return 0.0, 1.0
        q = max(s.q for s in self.strata)
        return (0.0, math.log(q)) if statistic == 3 else (1 / q, 1 - 1 / q)

    def _ratio_ends(self, confidence: float) -> Ends:
        """Fieller's ends, both linearised errors widened by as much as a score interval is wider than its own."""
        quantile, errors = self._quantile(2, confidence), self.errors[:2]
        ends = [self._score_ends(k, confidence) for k in (0, 1)]
        if any(low is None for low, _ in ends) or not (errors > 1e-12).all() or not math.isfinite(quantile):
            return None, None
        wider = max(1.0, *((high - low) / 2 / quantile / e for (low, high), e in zip(ends, errors, strict=True)))
        halves = quantile * wider * errors
        return ratio_ends((self.values[0], self.values[1]), (halves[0], halves[1]), self.correlation)


def known(kind: str, name: Hashable, names: Sequence[Hashable]) -> None:
    """Raises UnknownName unless ``name`` is one of ``names``."""
    if name not in names:
        raise UnknownName(kind, str(name), map(str, names))
