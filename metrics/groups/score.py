"""Score intervals of what groups of raters show: agreement across groups, means over items, a ratio of two agreements.

Agreement inside a group is Krippendorff's alpha and has alpha's score interval (metrics/agreement/score.py); what is
here gives agreement across groups the same one: every truth that lies within a quantile of the value, by the error that
would hold at that truth. Where a label is rare the items seen may hold hardly any of it and then show hardly any error;
the error that would hold at a better agreement does not depend on having seen it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Across:
    """Items rated by a group and by the rest as kinds, with counts of labels inside and outside, each (K, q).

    Agreement across is 1 - Σx/Σz over items: x = (r + s)(1 - Σ_c X_c Y_c/(r s)) and z what the item adds to the chance
    disagreement Σ(r + s)·(1 - p·p'), p and p' the shares of labels inside and outside, r and s its ratings.
    """

    items: Floats
    inside: Floats
    outside: Floats

    def seen(self) -> Floats:
        """The means over items of x, z, x², xz and z²."""
        r, s, offset, own, other = self._weights()
        x = (r + s) * (1 - (self.inside * self.outside).sum(axis=1) / (r * s))
        z = offset + self.inside @ own + self.outside @ other
        return self._means(x, z, x**2, x * z, z**2)

    def perfect(self) -> Floats:
        """The same if all ratings of an item were one label, drawn by the shares of labels of all raters."""
        r, s, offset, own, other = self._weights()
        share = self.items @ (self.inside + self.outside)
        share = share / share.sum()
        z = offset[:, None] + r[:, None] * own + s[:, None] * other
        none = np.zeros_like(r)
        return self._means(none, z @ share, none, none, z**2 @ share)

    def by_chance(self) -> Floats:
        """The same if every rating were drawn by the shares of its side alone."""
        r, s, offset, own, other = self._weights()
        p, p_out = self._shares()
        alike = p @ p_out
        both, own_pairs, other_pairs = r * s, p @ p_out**2, p_out @ p**2
        # Two pairs of ratings share both ratings, the one inside, the one outside, or none.
        squares = (alike + (s - 1) * own_pairs + (r - 1) * other_pairs + (r - 1) * (s - 1) * alike**2) / both
        z = offset + r * (own @ p) + s * (other @ p_out)
        spread = r * (p @ own**2 - (p @ own) ** 2) + s * (p_out @ other**2 - (p_out @ other) ** 2)
        together = p @ (p_out * own) - alike * (p @ own) + p_out @ (p * other) - alike * (p_out @ other)
        x = (r + s) * (1 - alike)
        xx = (r + s) ** 2 * (1 - 2 * alike + squares)
        return self._means(x, z, xx, x * z - (r + s) * together, z**2 + spread)

    def _shares(self) -> tuple[Floats, Floats]:
        x, y = self.items @ self.inside, self.items @ self.outside
        return x / x.sum(), y / y.sum()

    def _weights(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """r, s and offset (K,), what a rating of each label inside and outside adds to z, (q,)."""
        r, s = self.inside.sum(axis=1), self.outside.sum(axis=1)
        p, p_out = self._shares()
        inside, outside = self.items @ r, self.items @ s
        alike, n = p @ p_out, inside + outside
        offset = (r + s) * (1 - alike) + n * alike * (r / inside + s / outside)
        return r, s, offset, -n * p_out / inside, -n * p / outside

    def _means(self, *columns: Floats) -> Floats:
        return np.array([self.items @ column for column in columns]) / self.items.sum()


@dataclass(frozen=True, eq=False)
class Mean:
    """A mean over items of a number between 0 and 1 as 1 - Σ(1 - number)/Σ1; a share's interval is Wilson's."""

    items: Floats
    number: Floats

    def seen(self) -> Floats:
        """The means over items of x = 1 - number, 1, x², x and 1."""
        x = 1 - self.number
        mean, square = (self.items @ column / self.items.sum() for column in (x, x**2))
        return np.array([mean, 1, square, mean, 1])

    def perfect(self) -> Floats:
        """The same if every item had a 1."""
        return np.array([0.0, 1, 0, 0, 1])

    def by_chance(self) -> Floats:
        """The same if every item had a 0."""
        return np.ones(5)


Ends = tuple[float | None, float | None]


def ratio_ends(values: tuple[float, float], halves: tuple[float, float], correlation: float) -> Ends:
    """Ends of values[0]/values[1] from the half widths of the intervals of both and their correlation.

    A ratio R is inside when 0 is inside the interval of values[0] - R·values[1]; (None, None) where the value below the
    line may be 0, for then no ratio is too large. Source: Fieller 1954.
    """
    (top, bottom), (of_top, of_bottom) = values, halves
    a = bottom**2 - of_bottom**2
    b = top * bottom - correlation * of_top * of_bottom
    root = b**2 - a * (top**2 - of_top**2)
    if not (bottom > 0 and a > 0 and root >= 0):
        return None, None
    return (b - math.sqrt(root)) / a, (b + math.sqrt(root)) / a
