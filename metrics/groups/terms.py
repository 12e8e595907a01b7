"""The statistics of a group as functions of sums over its patterns, and their derivatives."""

from __future__ import annotations

import numpy as np

from metrics.agreement.alpha import Disagreement
from metrics.agreement.score import Items
from metrics.groups.patterns import Floats, GroupPatterns
from metrics.groups.score import Across, Mean
from metrics.patterns import Patterns

STATISTICS = ("irr", "xrr", "gai", "negentropy", "plurality_size")


class Stratum:
    """One project's patterns as columns: every statistic is a function of weights @ columns."""

    def __init__(self, patterns: GroupPatterns) -> None:
        patterns = patterns.combined()
        inside, outside = patterns.inside.astype(float), (patterns.total - patterns.inside).astype(float)
        r, s = inside.sum(axis=1), outside.sum(axis=1)
        paired, shared = r >= 2, (r >= 1) & (s >= 1)
        kept = paired | shared
        inside, outside, r, s = inside[kept], outside[kept], r[kept], s[kept]
        paired, shared = paired[kept], shared[kept]
        self.items = patterns.items[kept]
        self.q = inside.shape[1]
        own = np.where(paired, (r**2 - (inside**2).sum(axis=1)) / np.maximum(r - 1, 1), 0)
        product = np.maximum(r * s, 1)
        cross = np.where(shared, (r + s) * (1 - (inside * outside).sum(axis=1) / product), 0)
        share = inside / np.maximum(r, 1)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.where(share > 0, share * np.log(share), 0).sum(axis=1)
        self.columns = np.column_stack(
            [
                own,
                cross,
                paired,
                shared,
                np.where(paired, np.log(max(self.q, 1)) - entropy, 0),
                np.where(paired, share.max(axis=1, initial=0), 0),
                inside * paired[:, None],
                inside * shared[:, None],
                outside * shared[:, None],
            ]
        )

    def scored(self, statistic: int, bottom: float, span: float) -> Items | Across | Mean | None:
        """The items as score intervals take them, for a statistic of those but the ratio; None without such items.

        bottom, span: the least that a mean can be and how much more it can be.
        """
        paired, shared = (self.columns[:, k] > 0 for k in (2, 3))
        if not self.items @ (shared if statistic == 1 else paired):
            return None
        n, x, y = (self.columns[:, 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        if statistic == 0:
            inside = Patterns(n[paired].astype(np.int64), self.items[paired])
            return Disagreement(inside, 1 - np.eye(self.q), False).of_score()
        if statistic == 1:
            return Across(self.items[shared], x[shared], y[shared])
        return Mean(self.items[paired], (self.columns[paired, statistic + 1] - bottom) / span)

    def terms(self, sums: Floats) -> Floats:
        """(..., 8): observed and expected disagreement inside and across, pairable and shared items, two sums."""
        n, x, y = (sums[..., 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        total, x_all, y_all = n.sum(axis=-1), x.sum(axis=-1), y.sum(axis=-1)
        expected = (total**2 - (n**2).sum(axis=-1)) / np.maximum(total - 1, 1)
        pairs = np.maximum(x_all * y_all, 1)
        cross = (x_all * y_all - (x * y).sum(axis=-1)) / pairs * (x_all + y_all)
        return np.stack([sums[..., 0], expected, sums[..., 1], cross, *(sums[..., k] for k in range(2, 6))], axis=-1)

    def derivatives(self) -> Floats:
        """Derivatives of the eight terms by the weight of each pattern, (K, 8)."""
        sums = self.items @ self.columns
        n, x, y = (sums[6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        each_n, each_x, each_y = (self.columns[:, 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        total, x_all, y_all = n.sum(), max(x.sum(), 1), max(y.sum(), 1)
        r, rx, ry = each_n.sum(axis=1), each_x.sum(axis=1), each_y.sum(axis=1)
        pairs = max(total - 1, 1)
        expected = (2 * total * r - 2 * each_n @ n) / pairs - (total**2 - n @ n) / pairs**2 * r
        chance = x @ y / (x_all * y_all)
        d_chance = (each_x @ y + each_y @ x) / (x_all * y_all) - chance * (rx / x_all + ry / y_all)
        cross = (1 - chance) * (rx + ry) - (x_all + y_all) * d_chance
        c = self.columns
        return np.column_stack([c[:, 0], expected, c[:, 1], cross, *(c[:, k] for k in range(2, 6))])


def values_of(terms: Floats) -> Floats:
    """(..., 5) statistics in the order of STATISTICS from the terms of all strata; NaN where there is none."""
    with np.errstate(all="ignore"):
        irr = np.where(terms[..., 1] > 0, 1 - terms[..., 0] / terms[..., 1], np.nan)
        xrr = np.where(terms[..., 3] > 0, 1 - terms[..., 2] / terms[..., 3], np.nan)
        # A remainder of rounding is no agreement to divide by.
        gai = np.where(xrr > 1e-12, irr / xrr, np.nan)
        return np.stack(
            [irr, xrr, gai, *(np.where(terms[..., 4] > 0, terms[..., k] / terms[..., 4], np.nan) for k in (6, 7))],
            axis=-1,
        )
