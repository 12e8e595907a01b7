"""From rows, one rating each, to whole-number codes and to label-count patterns."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.agreement.distances import LEVELS, members
from metrics.agreement.estimates import known
from metrics.errors import UnknownName
from metrics.patterns import Encoding, Patterns

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ratings:
    """Rows with codes for ids, in the order of the rows.

    item, rater, position: (n,) whole numbers from 0 without gaps but for unused labels; ``position`` is the label's
    among ``labels``. raters: the id of each rater code. n_duplicates counts the further ratings of one rater on one
    item: left out, or kept where they were asked for. n_unlabelled: rows left out because they have no label.
    """

    item: Codes
    rater: Codes
    position: Codes
    raters: tuple[Hashable, ...]
    labels: tuple[Hashable, ...]
    n_duplicates: int
    n_unlabelled: int

    @classmethod
    def of_rows(
        cls,
        item: ArrayLike,
        rater: ArrayLike,
        label: ArrayLike,
        labels: Sequence[Hashable] | None = None,
        level: str = "nominal",
        *,
        repeats: bool = False,
    ) -> Ratings:
        """Codes of rows of equal length; arguments and errors are those of ``tally``.

        repeats: keep every rating of a rater on an item, not the first alone.
        """
        known("measurement level", level, LEVELS)
        item, rater, label = _column(item), _column(rater), _column(label)
        if not len(item) == len(rater) == len(label):
            raise ValueError(f"item, rater and label differ in length: {len(item)}, {len(rater)}, {len(label)}.")
        position, labels = _positions(label, labels, level)
        present = position >= 0
        if not present.all():
            item, rater, position = item[present], rater[present], position[present]
        item, _ = _codes(item, "item")
        rater, raters = _codes(rater, "rater")
        raters, rater = _in_order(raters, rater)
        repeated = _repeated(item * max(len(raters), 1) + rater)
        if not repeats and repeated.any():
            item, rater, position = item[~repeated], rater[~repeated], position[~repeated]
        left_out = int(len(present) - present.sum())
        return cls(item, rater, position, raters, tuple(labels), int(repeated.sum()), left_out)

    @property
    def n_items(self) -> int:
        """Items with a rating."""
        return int(self.item.max(initial=-1)) + 1

    def patterns(self) -> Patterns:
        """Label-count patterns of the rows; each row counts as a rating of its own."""
        q = len(self.labels)
        if not len(self.item):
            return Patterns(np.zeros((0, q), dtype=np.int64), np.zeros(0))
        # Packed as in the warehouse: items are grouped far faster by one whole number than by a row of counts.
        encoding = Encoding.choose(q, int(np.bincount(self.item).max()))
        places = range(q)
        word = np.array([encoding.word(p) for p in places])
        weight = np.array([encoding.weight(p) for p in places], dtype=np.int64)
        codes = np.zeros(self.n_items * encoding.words, dtype=np.int64)
        np.add.at(codes, self.item * encoding.words + word[self.position], weight[self.position])
        codes = codes.reshape(-1, encoding.words)
        group, first = _groups(codes)
        return Patterns.of_codes(codes[first], np.bincount(group), encoding)


@dataclass(frozen=True)
class Tally:
    """Rows counted into patterns, and what was left out on the way."""

    patterns: Patterns
    labels: tuple[Hashable, ...]
    n_raters: int
    n_duplicates: int
    n_unlabelled: int


def tally(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    level: str = "nominal",
) -> Tally:
    """Label-count patterns of rows of equal length, one rating a row.

    A rating without a label (None, NaN) is left out and counted; nothing else means "missing". Of several ratings of
    one rater on one item the **first** row counts, for it is the one made without the others; the rest are counted as
    duplicates. labels: the declared labels in their order. Without them the labels seen are taken, sorted: the scale
    is then inferred, which AC1 and Brennan-Prediger depend on. At level "set" a label is an iterable of members, or a
    string with its members separated by "|", and counts as a frozenset.
    Raises ValueError for unequal lengths, a labelled row without item or rater, a label declared twice, or an ordinal
    scale of strings without a declared order; UnknownName for another level or a label that is not declared.
    """
    rows = Ratings.of_rows(item, rater, label, labels, level)
    return Tally(rows.patterns(), rows.labels, len(rows.raters), rows.n_duplicates, rows.n_unlabelled)


def numeric(labels: Sequence[Hashable]) -> Sequence[Hashable] | None:
    """The labels as the values of a scale when all are numbers; else None, which stands for their positions."""
    return labels if all(isinstance(x, numbers.Real) for x in labels) else None


def in_order(values: Iterable[Hashable]) -> list:
    """The values sorted; those that do not compare, by type and spelling."""
    values = list(values)
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda x: (type(x).__name__, str(x)))


def _positions(label: NDArray, labels: Sequence | None, level: str) -> tuple[Codes, list]:
    """Position of each row's label among the labels, -1 without a label, and the labels themselves."""
    if level == "set":
        labels = None if labels is None else [members(x) for x in labels]
    try:
        codes, seen = pd.factorize(label)
    except TypeError:
        codes, seen = pd.factorize(_hashable(label))
    seen = _column(list(seen))
    if level == "set":
        seen = _column([members(x) for x in seen])
    if labels is None:
        labels = _inferred(seen, level)
    declared = pd.Index(_column(list(labels)), tupleize_cols=False)
    if not declared.is_unique:
        raise ValueError(f"A label is declared twice: {declared[declared.duplicated()][0]}.")
    place = declared.get_indexer(seen)
    if np.any(place < 0):
        raise UnknownName("declared label", str(seen[place < 0][0]), [str(x) for x in labels])
    return np.append(place, -1).astype(np.int64)[codes], list(labels)


def _inferred(seen: NDArray, level: str) -> list:
    if level == "set":
        return sorted(set(seen), key=lambda s: (len(s), sorted(map(str, s))))
    if level == "ordinal" and any(isinstance(x, str) for x in seen):
        raise ValueError("An ordinal scale of names needs its labels declared in order.")
    return in_order(seen)


def _hashable(label: NDArray) -> NDArray:
    """Label sets that can be hashed: lists and sets become frozensets; strings, frozensets and nulls stay."""
    return _column([frozenset(x) if isinstance(x, list | set | np.ndarray) else x for x in label])


def _codes(ids: NDArray, what: str) -> tuple[Codes, NDArray]:
    codes, seen = pd.factorize(ids)
    if np.any(codes < 0):
        raise ValueError(f"A labelled row has no {what}: every rating needs an item and a rater.")
    return codes.astype(np.int64, copy=False), seen


def _in_order(ids: NDArray, codes: Codes) -> tuple[tuple[Hashable, ...], Codes]:
    """Ids sorted, and the codes that follow: results do not depend on the order of the rows."""
    ids = list(ids)
    order = {x: place for place, x in enumerate(in_order(ids))}
    return tuple(order), np.array([order[x] for x in ids], dtype=np.int64)[codes] if ids else codes


def _repeated(keys: Codes) -> NDArray[np.bool_]:
    """For each key whether it stood in an earlier row."""
    # Sorting tells in half the time of hashing that there is none, which is the rule.
    ordered = np.sort(keys)
    if not np.any(ordered[1:] == ordered[:-1]):
        return np.zeros(len(keys), dtype=bool)
    return pd.Index(keys).duplicated()


def _groups(codes: Codes) -> tuple[Codes, Codes]:
    """A group for each row of codes, (n,), equal for equal rows, and the first row of each group."""
    group, _ = pd.factorize(codes[:, 0])
    for w in range(1, codes.shape[1]):
        further, seen = pd.factorize(codes[:, w])
        group, _ = pd.factorize(group * len(seen) + further)
    first = np.zeros(group.max() + 1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    return group, first


def _column(values: ArrayLike | Iterable) -> NDArray:
    """One-dimensional array; of objects where numpy would spread sets or tuples over a second axis."""
    if isinstance(values, np.ndarray | pd.Series | pd.Index) or hasattr(values, "__array__"):
        return np.asarray(values)
    values = list(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
