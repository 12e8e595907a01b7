"""Each rater against the others on the same items, and against himself on items he rated again.

These say who differs, not who is wrong: a careful rater among careless ones matches them least.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics.agreement.chance import Labels
from metrics.agreement.estimates import NO_ITEMS, Floats, known
from metrics.agreement.pairs import frame_of
from metrics.agreement.tally import Ratings
from metrics.intervals import clustered_share, wilson
from metrics.spec import Estimate

TIES = ("split", "abstain")
NO_CONSENSUS = "no item on which enough others agree on a label"
NO_PEERS = "no item that another rater rated"
NO_REPEATS = "no item was rated twice by the same rater"


def consensus_match(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Labels = None,
    *,
    ties: str = "split",
    others: int = 2,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Share of each rater's ratings that equal the label most of the **other** raters gave, 0 to 1.

    One row a rater, ordered: rater, value, low, high, n, reason (see ``pairwise``). n: his ratings on items with at
    least ``others`` other ratings; his own is left out of the consensus, which it would otherwise pull towards him.
    Where t labels lead equally among the others, ties="split" counts 1/t for a rating that is one of them, the expected
    match under a fair draw; ties="abstain" leaves such ratings out of n. Never the order of the labels. Rows as for
    ``tally``. Interval: Wilson on n, his ratings taken as independent.
    Raises UnknownName for another treatment of ties, ValueError when ``others`` is below 1.
    """
    known("treatment of ties", ties, TIES)
    if others < 1:
        raise ValueError(f"A consensus needs at least one other rating, not {others}.")
    rows = Ratings.of_rows(item, rater, label, labels)
    match, tied = _match_with_others(rows)
    counts = np.bincount(rows.item, minlength=rows.n_items)[rows.item] - 1 >= others
    if ties == "abstain":
        counts &= ~tied
    return _shares(rows, match, counts, NO_CONSENSUS, confidence)


def peer_agreement(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Labels = None, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Share of the other ratings of his items that equal each rater's own, as a mean over his items, 0 to 1.

    One row a rater, ordered: rater, value, low, high, n, reason (see ``pairwise``). n: his items with another rating;
    they count equally. Where all items have as many ratings, its mean over raters weighted by n is the percent
    agreement. Interval: Wilson on n, too wide rather than too narrow, for an item's share lies between 0 and 1.
    """
    rows = Ratings.of_rows(item, rater, label, labels)
    others = np.bincount(rows.item, minlength=rows.n_items)[rows.item] - 1
    same = _same_label(rows) - 1
    return _shares(rows, same / np.maximum(others, 1), others >= 1, NO_PEERS, confidence)


def self_consistency_by_rater(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Labels = None, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Share of pairs of a rater's own ratings of one item that are equal (intra-rater agreement), 0 to 1.

    One row a rater, ordered: rater, value, low, high, n, reason (see ``pairwise``). n: items he rated twice or more;
    they count equally, one rated three times by the share of its three pairs. Interval: Wilson on n. Ratings given one
    after another from memory are no repeats: choose rows that lie apart in time.
    """
    rows, code, same = _repeats(item, rater, label, labels)
    n = np.bincount(code, minlength=len(rows.raters))
    hits = np.bincount(code, same, len(rows.raters))
    return _frame(rows, hits, n, NO_REPEATS, confidence)


def self_consistency(
    item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Labels = None, *, confidence: float = 0.95
) -> Estimate:
    """Self-consistency of all raters: the shares of ``self_consistency_by_rater`` as one, 0 to 1.

    n: pairs of rater and item with two ratings or more, which count equally. Interval: Wilson on the effective n of
    raters who differ (``clustered_share``), plain Wilson for one rater. Missing when nobody rated an item twice.
    """
    rows, code, same = _repeats(item, rater, label, labels)
    if not len(code):
        return Estimate.missing(NO_REPEATS if len(rows.item) else NO_ITEMS)
    n = np.bincount(code).astype(float)
    hits, n = np.bincount(code, same)[n > 0], n[n > 0]
    found = clustered_share(hits.sum(), n.sum(), hits @ hits, hits @ n, n @ n, len(n), level=confidence)
    return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), float(n.sum()))


def _same_label(rows: Ratings) -> Floats:
    """Ratings of the item that give the label of each row, itself included, (n,)."""
    _, cell, size = np.unique(rows.item * len(rows.labels) + rows.position, return_inverse=True, return_counts=True)
    return size[cell]


def _match_with_others(rows: Ratings) -> tuple[Floats, np.ndarray]:
    """Expected match of each row with the leading label of the others, (n,), and whether they tie."""
    q = max(len(rows.labels), 1)
    cells, cell, size = np.unique(rows.item * q + rows.position, return_inverse=True, return_counts=True)
    of_item, n = cells // q, rows.n_items
    top = np.zeros(n, dtype=np.int64)
    np.maximum.at(top, of_item, size)
    leads = size == top[of_item]
    leaders = np.bincount(of_item[leads], minlength=n)
    runner_up = np.zeros(n, dtype=np.int64)
    np.maximum.at(runner_up, of_item[~leads], size[~leads])
    seconds = np.bincount(of_item[size == runner_up[of_item]], minlength=n)
    # Without his own rating a sole leader may share the lead with the runners-up; one of several leaders falls behind.
    led, sole = leads[cell], leaders[rows.item] == 1
    level = led & sole & (size[cell] - 1 == runner_up[rows.item])
    match = np.where(led & sole, np.where(level, 1 / (seconds[rows.item] + 1), 1.0), 0.0)
    rivals = np.where(led & sole, np.where(level, seconds[rows.item] + 1, 1), leaders[rows.item] - led)
    return match, rivals > 1


def _repeats(item: ArrayLike, rater: ArrayLike, label: ArrayLike, labels: Labels) -> tuple[Ratings, np.ndarray, Floats]:
    """The rows; and for each rater and item with two ratings or more the rater's code and the share of equal pairs."""
    rows = Ratings.of_rows(item, rater, label, labels, repeats=True)
    r, q = max(len(rows.raters), 1), max(len(rows.labels), 1)
    cells, size = np.unique((rows.item * r + rows.rater) * q + rows.position, return_counts=True)
    units, unit = np.unique(cells // q, return_inverse=True)
    ratings = np.bincount(unit, size, len(units))
    equal = np.bincount(unit, size * (size - 1.0), len(units))
    again = ratings >= 2
    return rows, (units % r)[again], equal[again] / (ratings * (ratings - 1))[again]


def _shares(rows: Ratings, hit: Floats, counts: np.ndarray, nothing: str, confidence: float) -> pd.DataFrame:
    r = len(rows.raters)
    n = np.bincount(rows.rater[counts], minlength=r)
    return _frame(rows, np.bincount(rows.rater[counts], hit[counts], r), n, nothing, confidence)


def _frame(rows: Ratings, hits: Floats, n: Floats, nothing: str, confidence: float) -> pd.DataFrame:
    shares = wilson(hits, n, confidence)
    found = [Estimate(*map(float, e)) if e[-1] else Estimate.missing(nothing) for e in zip(*shares, n, strict=True)]
    return pd.DataFrame({"rater": pd.Series(rows.raters, dtype=object)}).join(frame_of(found))
