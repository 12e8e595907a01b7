"""Items counted by what one group of raters and what all raters labelled them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.patterns import Encoding, decode

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CELLS_AT_ONCE = 2_000_000
"""Numbers in one array while shuffles or draws are counted; more at once is no faster and only takes memory."""


@dataclass(frozen=True, eq=False)
class GroupPatterns:
    """Items counted by the label counts that one group of raters gave and that all raters gave.

    inside, total: (K, q) integers, 0 <= inside <= total, a column per **declared** label; items: (K,) numbers >= 0.
    Raises ValueError on other shapes or numbers. The rest of the raters gave total - inside.
    """

    inside: Integers
    total: Integers
    items: Floats

    def __post_init__(self) -> None:
        inside, total = np.array(self.inside, dtype=np.int64), np.array(self.total, dtype=np.int64)
        items = np.array(self.items, dtype=float)
        if inside.ndim != 2 or inside.shape != total.shape or items.shape != inside.shape[:1]:
            raise ValueError(f"Group patterns need (K, q) twice and (K,), not {inside.shape}, {total.shape}.")
        if np.any(inside < 0) or np.any(inside > total) or np.any(items < 0) or not np.isfinite(items).all():
            raise ValueError("A group's counts lie between 0 and those of all raters, and items are not negative.")
        for name, array in (("inside", inside), ("total", total), ("items", items)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, item: ArrayLike, inside: ArrayLike, label_position: ArrayLike, labels: int) -> GroupPatterns:
        """Patterns of rows, one rating each: whether its rater is in the group, and the label's position."""
        which, ids = pd.factorize(np.asarray(item))
        cell = which * labels + np.asarray(label_position, dtype=np.int64)
        total = np.bincount(cell, minlength=len(ids) * labels).reshape(len(ids), labels)
        own = np.bincount(cell[np.asarray(inside, dtype=bool)], minlength=len(ids) * labels)
        return cls(own.reshape(len(ids), labels), total, np.ones(len(ids))).combined()

    @classmethod
    def of_codes(cls, inside: ArrayLike, total: ArrayLike, items: ArrayLike, encoding: Encoding) -> GroupPatterns:
        """Patterns of the mart's codes (``inside_0``.. and ``total_0``.., (K, words)) and the items that have each."""
        return cls(decode(inside, encoding), decode(total, encoding), np.asarray(items)).combined()

    def combined(self) -> GroupPatterns:
        """The same items with equal pairs of counts in one row, in a fixed order."""
        both = np.hstack([self.inside, self.total])[self.items > 0]
        if not len(both):
            return GroupPatterns(self.inside[:0], self.total[:0], self.items[:0])
        rows, where = np.unique(both, axis=0, return_inverse=True)
        q = self.inside.shape[1]
        return GroupPatterns(rows[:, :q], rows[:, q:], np.bincount(where.ravel(), self.items[self.items > 0]))
