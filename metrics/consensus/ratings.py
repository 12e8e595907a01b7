"""Rows of ratings as integer codes and as one sparse matrix: what every consensus method starts from."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.consensus.result import Consensus, Floats
from metrics.errors import UnknownName

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Codes = NDArray[np.int32]

NO_RATINGS = "no ratings"
ONE_LABEL = "fewer than two labels are declared"
NO_PAIRS = "no item has two ratings, so nothing shows who is right"
NO_VARIATION = "no variation: every rating is the same label"


@dataclass(frozen=True, eq=False)
class Ratings:
    """n ratings: the positions of their items, raters and labels, (n,) each, and the gold labels among the items."""

    items: NDArray
    raters: NDArray
    labels: tuple[Hashable, ...]
    item: Codes
    rater: Codes
    label: Codes
    gold_item: NDArray[np.intp]
    gold_label: NDArray[np.intp]
    n_unlabelled: int

    @classmethod
    def of(
        cls,
        item: ArrayLike,
        rater: ArrayLike,
        label: ArrayLike,
        labels: Sequence[Hashable] | None,
        gold: Mapping[Hashable, Hashable] | None,
    ) -> Ratings:
        """Rows, checked and coded; ids keep the order in which they first appear.

        Raises ValueError for columns that are not one-dimensional or differ in length, a rating without item or
        rater, an id or label that is not hashable, declared labels that repeat or are missing, gold that is no mapping;
        UnknownName for a label, rated or gold, that is not declared.
        """
        item, rater, label = _column("item", item), _column("rater", rater), _column("label", label)
        if not len(item) == len(rater) == len(label):
            raise ValueError(f"item, rater and label differ in length: {len(item)}, {len(rater)}, {len(label)}.")
        codes, seen = _factorize("label", label)
        rated = codes >= 0
        n_unlabelled = len(codes) - int(np.count_nonzero(rated))
        if n_unlabelled:
            item, rater, codes = item[rated], rater[rated], codes[rated]
        known = _gold(gold)
        declared = _declared(labels, [*seen.tolist(), *known.values()])
        position = {name: place for place, name in enumerate(declared)}
        places = np.array([_place(position, name) for name in seen.tolist()], dtype=np.int32)
        gold_places = np.array([_place(position, name) for name in known.values()], dtype=np.intp)
        item_codes, items = _ids("item", item)
        rater_codes, raters = _ids("rater", rater)
        gold_items = _positions(items, list(known))
        return cls(
            items,
            raters,
            declared,
            item_codes,
            rater_codes,
            places[codes] if len(codes) else codes,
            gold_items[gold_items >= 0],
            gold_places[gold_items >= 0],
            n_unlabelled,
        )

    @functools.cached_property
    def matrix(self) -> csr_array:
        """How often each item, a row, was given each label by each rater, column rater·q + label: (N, W·q), sparse."""
        # Imported here: it takes longer than a page may wait, and most pages need no consensus.
        from scipy.sparse import coo_array

        shape = (len(self.items), len(self.raters) * len(self.labels))
        column = self.rater * np.int64(len(self.labels)) + self.label
        if shape[1] <= np.iinfo(np.int32).max:
            column = column.astype(np.int32)
        cells = coo_array((np.ones(len(column)), (self.item, column)), shape=shape).tocsr()
        cells.sum_duplicates()
        return cells

    @functools.cached_property
    def n_repeats(self) -> int:
        """Ratings whose rater had already rated the item."""
        cells = self.matrix
        rater = cells.indices // max(len(self.labels), 1)
        fresh = np.ones(len(rater), dtype=bool)
        np.not_equal(rater[1:], rater[:-1], out=fresh[1:])
        fresh[cells.indptr[:-1][np.diff(cells.indptr) > 0]] = True
        return len(self.item) - int(np.count_nonzero(fresh))

    def votes(self) -> Floats:
        """Share of its ratings that give each label to each item, gold labels in their place: (N, q), rows sum to 1."""
        q = len(self.labels)
        counts = self.matrix @ np.tile(np.eye(q), (len(self.raters), 1))
        counts /= counts.sum(axis=1, keepdims=True)
        self.clamp(counts)
        return counts

    def clamp(self, posterior: Floats) -> None:
        """Sets the rows of gold items, in place, to certainty of their gold label."""
        posterior[self.gold_item] = 0.0
        posterior[self.gold_item, self.gold_label] = 1.0

    def reason_for_no_model(self) -> str:
        """Why these ratings cannot show how raters err; empty when they can."""
        if not len(self.item):
            return NO_RATINGS
        if len(self.labels) < 2:
            return ONE_LABEL
        if not len(self.gold_item):
            if np.bincount(self.item).max() < 2:
                return NO_PAIRS
            if self.label.min() == self.label.max():
                return NO_VARIATION
        return ""

    def votes_alone(self, reason: str) -> Consensus:
        """The answer when no model can be fitted: the votes, and why."""
        votes = self.votes()
        return self.consensus(votes, prior=votes.mean(axis=0) if len(votes) else None, reason=reason)

    def consensus(self, posterior: Floats, **findings: Any) -> Consensus:
        """A Consensus of these items, raters and labels."""
        return Consensus(
            self.items,
            self.raters,
            self.labels,
            posterior,
            n_ratings=len(self.item),
            n_unlabelled=self.n_unlabelled,
            n_repeats=self.n_repeats,
            n_gold=len(self.gold_item),
            **findings,
        )


def check_fit(tolerance: float, max_iterations: int, pseudo_counts: float = 0.0) -> None:
    """Raises ValueError for options of a fit that cannot be meant."""
    if not tolerance >= 0:
        raise ValueError(f"A tolerance is 0 or more, not {tolerance}.")
    if max_iterations < 1:
        raise ValueError(f"A fit needs at least one iteration, not {max_iterations}.")
    if not (0 <= pseudo_counts < np.inf):
        raise ValueError(f"Pseudo-counts are finite and 0 or more, not {pseudo_counts}.")


def _column(name: str, values: ArrayLike) -> Any:
    """The values as something pandas factorises at once: arrays and Series as they are, lists as objects."""
    if isinstance(values, pd.Series | pd.Index):
        return values.array
    if isinstance(values, np.ndarray | pd.api.extensions.ExtensionArray):
        if values.ndim != 1:
            raise ValueError(f"{name} has {values.ndim} dimensions where one is needed.")
        return values
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise ValueError(f"{name} is a column: an array, a Series or a list, not {type(values).__name__}.")
    # Not np.asarray: it would turn 1 into "1" beside a string, and a list of tuples into a table.
    return np.fromiter(values, dtype=object, count=len(values))


def _factorize(name: str, values: Any) -> tuple[Codes, NDArray]:
    """Codes, -1 where null, and the distinct values in order of appearance."""
    try:
        codes, distinct = pd.factorize(values)
    except TypeError as error:
        raise ValueError(f"{name} holds a value that is not hashable; give a set of labels as a frozenset.") from error
    return codes.astype(np.int32), np.asarray(distinct)


def _ids(name: str, values: Any) -> tuple[Codes, NDArray]:
    codes, distinct = _factorize(name, values)
    nameless = int(np.count_nonzero(codes < 0))
    if nameless:
        raise ValueError(f"{nameless} of {len(codes)} ratings have no {name}.")
    return codes, distinct


def _gold(gold: Mapping[Hashable, Hashable] | None) -> dict[Hashable, Hashable]:
    """Gold labels by item, items whose label is missing left out."""
    if gold is None:
        return {}
    if not isinstance(gold, Mapping | pd.Series):
        raise ValueError("gold maps items to labels; from columns of equal length: dict(zip(item, gold)).")
    return {item: label for item, label in gold.items() if not _is_null(label)}


def _declared(labels: Sequence[Hashable] | None, used: list[Hashable]) -> tuple[Hashable, ...]:
    """The declared labels, checked; or, when none are declared, those in use, sorted where they can be."""
    if labels is None:
        distinct = list(dict.fromkeys(used))
        try:
            return tuple(sorted(distinct))
        except TypeError:
            return tuple(distinct)
    labels = tuple(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    if any(_is_null(x) for x in labels):
        raise ValueError("A declared label is missing (None or NaN): a missing label is no label.")
    if len(set(labels)) != len(labels):
        raise ValueError(f"Declared labels repeat: {', '.join(map(str, labels))}.")
    return labels


def _is_null(value: Hashable) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _place(position: dict[Hashable, int], label: Hashable) -> int:
    if label not in position:
        raise UnknownName("declared label", str(label), [str(x) for x in position])
    return position[label]


def _positions(ids: NDArray, wanted: list[Hashable]) -> NDArray[np.intp]:
    """Where each wanted id stands in ``ids``; -1 where it does not."""
    if not wanted:
        return np.zeros(0, dtype=np.intp)
    return pd.Index(ids, tupleize_cols=False).get_indexer(pd.Index(wanted, tupleize_cols=False))
