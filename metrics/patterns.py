"""Label-count patterns: items with the same counts of labels are interchangeable in every rater-free coefficient.

The warehouse packs the counts of an item into a few integers by SUM alone: a rating of the label at ``position`` adds
``Encoding.weight(position)`` to the item's word ``Encoding.word(position)``. A second GROUP BY counts items per code.
Everything agreement needs follows from (pattern, items), whatever the number of items.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

WORD_BITS = 60
"""Bits used of a signed 64-bit word: a code stays below 2^60, so no engine's BIGINT overflows while it sums."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the label counts of an item lie in words: ``bits`` a digit, label at position 0 in the lowest digit.

    labels: declared labels, 1 or more. bits: 1 to 60. Raises ValueError outside these.
    """

    labels: int
    bits: int

    def __post_init__(self) -> None:
        if self.labels < 1:
            raise ValueError(f"An encoding needs at least one label, not {self.labels}.")
        if not 1 <= self.bits <= WORD_BITS:
            raise ValueError(f"A digit has 1 to {WORD_BITS} bits, not {self.bits}.")

    @classmethod
    def choose(cls, labels: int, ratings: int | None = None) -> Encoding:
        """The encoding with the fewest words and, among those, the widest digits.

        ratings: the most ratings one label can have on one item. Without it a digit has at least 4 bits (15 ratings
        of one label); with it, as many as that count needs. Labels are spread evenly when they need several words.
        Raises ValueError when ratings is below 0 or needs more than a word.
        """
        if ratings is not None and not 0 <= ratings < 2**WORD_BITS:
            raise ValueError(f"An item has 0 to 2^{WORD_BITS} - 1 ratings, not {ratings}.")
        least = 4 if ratings is None else max(1, int(ratings).bit_length())
        words = _ceil_div(max(labels, 1), WORD_BITS // least)
        return cls(labels, WORD_BITS // _ceil_div(max(labels, 1), words))

    @property
    def digits_per_word(self) -> int:
        """Labels that share a word."""
        return WORD_BITS // self.bits

    @property
    def words(self) -> int:
        """Words that hold the counts of an item."""
        return _ceil_div(self.labels, self.digits_per_word)

    @property
    def most(self) -> int:
        """The largest count a digit holds; one rating more carries into the next label's digit."""
        return 2**self.bits - 1

    def word(self, position: int) -> int:
        """The word, from 0, in which the label at ``position`` is counted."""
        return self._checked(position) // self.digits_per_word

    def weight(self, position: int) -> int:
        """What one rating of the label at ``position`` adds to its word: a power of two below 2^60."""
        return 1 << (self.bits * (self._checked(position) % self.digits_per_word))

    def _checked(self, position: int) -> int:
        if not 0 <= position < self.labels:
            raise ValueError(f"Label positions run from 0 to {self.labels - 1}, not {position}.")
        return int(position)


def encode(counts: ArrayLike, encoding: Encoding) -> NDArray[np.int64]:
    """Codes, shape (K, words), of label counts, shape (K, labels): what the warehouse sums, in numpy.

    As in the warehouse, a count above ``encoding.most`` carries into the next digit.
    """
    counts = np.asarray(counts, dtype=np.int64)
    codes = np.zeros((len(counts), encoding.words), dtype=np.int64)
    for position in range(encoding.labels):
        codes[:, encoding.word(position)] += counts[:, position] * encoding.weight(position)
    return codes


def decode(codes: ArrayLike, encoding: Encoding) -> NDArray[np.int64]:
    """Label counts, shape (K, labels), of codes, shape (K, words) or (K,) when there is one word.

    A digit that carried cannot be seen here, not even out of its word: see ``overflowed``. Raises ValueError when the
    number of words is not the encoding's or a code is negative: it was not written with this encoding.
    """
    codes = np.asarray(codes, dtype=np.int64)
    codes = codes.reshape(len(codes), -1) if codes.size else np.zeros((len(codes), encoding.words), dtype=np.int64)
    if codes.shape[1] != encoding.words:
        raise ValueError(f"Codes have {codes.shape[1]} words where the encoding has {encoding.words}.")
    positions = np.arange(encoding.labels)
    word, digit = np.divmod(positions, encoding.digits_per_word)
    if np.any(codes < 0):
        raise ValueError("A code is negative: it was not written with this encoding.")
    return (codes[:, word] >> (encoding.bits * digit)) & encoding.most


def overflowed(counts: ArrayLike, ratings: ArrayLike) -> NDArray[np.bool_]:
    """For each row whether a digit carried, shape (K,): the decoded counts do not sum to the ratings of the item.

    counts: (K, labels), decoded. ratings: (K,), counted beside the code. A carry turns 2^bits ratings of one label
    into 1 of the next, or loses them at the end of a word, so the sum always falls.
    """
    return np.asarray(counts).sum(axis=1) != np.asarray(ratings)


@dataclass(frozen=True, eq=False)
class Patterns:
    """Label-count patterns and how many items show each.

    counts: (K, q) integers >= 0, one row per pattern, one column per **declared** label in its order.
    items: (K,) numbers >= 0, whole or weights. Raises ValueError on other shapes or negative numbers.
    Rows may repeat and may hold no rating; every statistic is the same as of ``combined()``. Arrays are read-only.
    """

    counts: NDArray[np.int64]
    items: NDArray[np.float64]

    def __post_init__(self) -> None:
        counts, items = np.array(self.counts), np.array(self.items, dtype=float)
        if counts.ndim != 2 or items.shape != counts.shape[:1]:
            raise ValueError(f"Patterns need counts (K, q) and items (K,), not {counts.shape} and {items.shape}.")
        if not np.isfinite(items).all() or np.any(items < 0) or np.any(counts < 0):
            raise ValueError("Counts and items are finite and not negative.")
        whole = counts.astype(np.int64)
        if np.any(whole != counts):
            raise ValueError("A pattern counts ratings in whole numbers.")
        for name, array in (("counts", whole), ("items", items)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, item: ArrayLike, label_position: ArrayLike, labels: int) -> Patterns:
        """Patterns of rows: one row per rating, ``label_position`` its label's position in 0..labels-1.

        item: any hashable ids. A rating without a label is left out by the caller. Raises ValueError when a position
        lies outside the declared labels.
        """
        position = np.asarray(label_position)
        if position.size and not (position.min() >= 0 and position.max() < labels):
            raise ValueError(f"Label positions run from 0 to {labels - 1}.")
        which, ids = pd.factorize(np.asarray(item))
        cells = np.bincount(which * labels + position.astype(np.int64), minlength=len(ids) * labels)
        return cls(cells.reshape(len(ids), labels), np.ones(len(ids))).combined()

    @classmethod
    def of_codes(cls, codes: ArrayLike, items: ArrayLike, encoding: Encoding) -> Patterns:
        """Patterns of the warehouse's codes, shape (K, words) or (K,), with the items that have each."""
        return cls(decode(codes, encoding), np.asarray(items)).combined()

    def part(self, rows: slice) -> Patterns:
        """Some of the rows, as views: a thousand groups of one read need not each be checked anew."""
        found = object.__new__(Patterns)
        object.__setattr__(found, "counts", self.counts[rows])
        object.__setattr__(found, "items", self.items[rows])
        return found

    def combined(self) -> Patterns:
        """The same items with equal patterns in one row, ordered by their counts, rows of no items dropped."""
        kept = self.items > 0
        counts, items = self.counts[kept], self.items[kept]
        if not len(counts):
            return Patterns(counts, items)
        order = np.lexsort(counts.T[::-1])
        counts, items = counts[order], items[order]
        first = np.r_[True, np.any(counts[1:] != counts[:-1], axis=1)]
        return Patterns(counts[first], np.add.reduceat(items, np.flatnonzero(first)))

    @classmethod
    def merge(cls, parts: list[Patterns]) -> Patterns:
        """The items of all parts together, equal patterns in one row. Raises ValueError when labels differ."""
        if len({p.n_labels for p in parts}) != 1:
            raise ValueError("Only patterns over the same declared labels can be merged.")
        return cls(np.vstack([p.counts for p in parts]), np.concatenate([p.items for p in parts])).combined()

    def __add__(self, other: Patterns) -> Patterns:
        return Patterns.merge([self, other])

    @property
    def n_labels(self) -> int:
        """Declared labels, used or not."""
        return self.counts.shape[1]

    @functools.cached_property
    def ratings(self) -> NDArray[np.int64]:
        """Ratings of one item of each pattern, (K,)."""
        return self.counts.sum(axis=1)

    @property
    def n_items(self) -> float:
        """Items with at least one rating."""
        return float(self.items[self.ratings >= 1].sum())

    @property
    def n_pairable(self) -> float:
        """Items with two ratings or more: the only ones that show agreement."""
        return float(self.items[self.ratings >= 2].sum())

    @property
    def n_single_rated(self) -> float:
        """Items with exactly one rating."""
        return float(self.items[self.ratings == 1].sum())

    @property
    def n_ratings(self) -> float:
        """Ratings of all items."""
        return float(self.items @ self.ratings)

    @property
    def prevalence(self) -> NDArray[np.float64]:
        """Share of all ratings that give each label, (q,), summing to 1; NaN when there is no rating."""
        total = self.n_ratings
        return self.items @ self.counts / total if total else np.full(self.n_labels, np.nan)

    def coincidences_by_pattern(self) -> NDArray[np.float64]:
        """What one item of each pattern adds to the coincidences, (K, q, q): r_c (r_k - [c=k]) / (r - 1); 0 if r < 2.

        Source: Krippendorff 2011. Each item's entries sum to its number of ratings r.
        """
        counts = self.counts.astype(float)
        pairs = counts[:, :, None] * counts[:, None, :]
        diagonal = np.arange(self.n_labels)
        pairs[:, diagonal, diagonal] -= counts
        return pairs * _per_partner(self.ratings)[:, None, None]

    def coincidences(self) -> NDArray[np.float64]:
        """Krippendorff's coincidence matrix of all items, (q, q), symmetric; its sum is the pairable ratings.

        It adds over items, so matrices of disjoint sets of items may be summed.
        """
        weight = self.items * _per_partner(self.ratings)
        counts = self.counts.astype(float)
        return (counts * weight[:, None]).T @ counts - np.diag(weight @ counts)


def _per_partner(ratings: NDArray[np.int64]) -> NDArray[np.float64]:
    """1/(r - 1), the weight of one pair of an item's ratings; 0 where there is no pair."""
    return np.where(ratings >= 2, 1.0 / np.maximum(ratings - 1, 1), 0.0)


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)
