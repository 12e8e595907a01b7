"""Coefficients that know who rated: Cohen's kappa of two raters, of every pair, and Conger's kappa of a panel."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.agreement.chance import CHANCE_INTERVALS, Labels, Weights, interval_beyond_chance, pair_agreement
from metrics.agreement.estimates import (
    NO_ITEMS,
    NO_PAIRS,
    ONE_ITEM,
    ONE_LABEL,
    ONE_RATER,
    ZERO,
    Floats,
    known,
    reason_for_no_chance,
)
from metrics.agreement.tally import Codes, Ratings, numeric
from metrics.agreement.weights import agreement_weights, is_identity
from metrics.intervals import wilson
from metrics.spec import ESTIMATE_COLUMNS, Estimate

PAIR_COEFFICIENTS = ("cohen_kappa", "percent_agreement")
NO_SHARED_ITEMS = "no item was rated by both"
MORE_RATERS = "Cohen's kappa compares two raters: name the two"

KAPPA_INTERVALS = ("score", "asymptotic")
HALVINGS = 40  # of a span of at most 2: ends exact to 1e-12


# ------------------------------------------------------------------------------------------------------------- Cohen


def cohen_kappa(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "identity",
    labels: Labels = None,
    *,
    raters: tuple[Hashable, Hashable] | None = None,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Cohen's kappa of two raters over the items both rated, -1 to 1; plain, or weighted by ``agreement_weights``.

    raters: the two, where the rows hold more. For rows see ``tally``; weights other than the identity use the labels
    as numbers when all are, and else their declared order. Missing with fewer than two shared items, without variation,
    or for more raters than two that are not named. See ``cohen_kappa_of_table``.
    """
    rows = _rows(item, rater, label, weights, labels)
    if raters is None:
        if len(rows.raters) > 2:
            return Estimate.missing(MORE_RATERS)
        raters = rows.raters
    codes = [rows.raters.index(r) for r in raters if r in rows.raters]
    if len(codes) < 2:
        return Estimate.missing(ONE_RATER if rows.raters else NO_ITEMS)
    q = len(rows.labels)
    given = np.full((2, rows.n_items), -1)
    for side, code in enumerate(codes):
        own = rows.rater == code
        given[side, rows.item[own]] = rows.position[own]
    both = (given >= 0).all(axis=0)
    table = np.bincount(given[0, both] * q + given[1, both], minlength=q * q).reshape(q, q)
    return cohen_kappa_of_table(table, weights, numeric(rows.labels), interval=interval, confidence=confidence)


def cohen_kappa_of_table(
    table: ArrayLike,
    weights: Weights = "identity",
    values: Sequence | None = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Cohen's kappa of a (q, q) table: items by the first rater's label (rows) and the second's (columns), -1 to 1.

    Formula: (p_a - p_e)/(1 - p_e) with p_a = Σ w_ck p_ck and p_e = Σ w_ck p_c. p_.k, each rater's own shares.
    interval: "score" holds every κ0 that is within a normal quantile of kappa by the error that would hold at κ0, as
    Wilson's does for a share; perfect agreement has one too. The error is that of Fleiss, Cohen and Everitt 1969 for
    the rates seen, each rater's shares kept: below kappa mixed with chance, Q = P + (1 - κ0/kappa)(p_c. p_.k - P);
    above it with perfect agreement in the mean shares. In simulation it holds the truth in 93 to 97 of 100 samples of
    25 to 400 items with kappa -.1 to .9, plain, linear and quadratic (92 to 97.5 of 25 items where one label takes 80
    of 100). "asymptotic" is the published kappa ± quantile·se, clipped to [-1, 1], none at perfect agreement: 72 to 97
    of 25 such items, 92 to 97 of 400.
    weights, values: see ``agreement_weights``. Missing as ``cohen_kappa``. Oracle: irrCAC, statsmodels.
    Raises ValueError for a table that is not square or has negative counts, UnknownName for another interval.
    """
    known("interval of Cohen's kappa", interval, KAPPA_INTERVALS)
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise ValueError(f"A table of two raters is square and holds counts, not {table.shape}.")
    matrix = agreement_weights(weights, len(table), values)
    reason = matrix if isinstance(matrix, str) else ""
    reason = ONE_LABEL if len(table) < 2 and table.sum() else reason
    if reason or not table.sum():
        return Estimate.missing(reason or NO_SHARED_ITEMS, float(table.sum()))
    row, column = np.nonzero(table)
    cells = np.zeros(len(row), dtype=np.int64), row, column, table[row, column]
    return _estimates(_Kappas.of(*cells, 1, matrix), interval, confidence)[0]


def pairwise(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    coefficient: str = "cohen_kappa",
    weights: Weights = "identity",
    labels: Labels = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement of every two raters who share an item: one row a pair, ordered by rater.

    Columns rater, other (ids), value, low, high, n (shared items) and reason, as in ``ESTIMATE_COLUMNS``: a value that
    does not exist is NaN beside its reason. coefficient: "cohen_kappa", interval as ``cohen_kappa_of_table``, or
    "percent_agreement", 0 to 1, with Wilson's interval on the summed weights (too wide, never too narrow, where weights
    give part of the credit). With many pairs some lie far out by chance alone: read them by their intervals.
    Raises UnknownName for another coefficient or interval.
    """
    known("coefficient of two raters", coefficient, PAIR_COEFFICIENTS)
    known("interval of Cohen's kappa", interval, KAPPA_INTERVALS)
    rows = _rows(item, rater, label, weights, labels)
    matrix = agreement_weights(weights, len(rows.labels), numeric(rows.labels))
    first, second, cells = _pair_cells(rows)
    found = pd.DataFrame(
        {"rater": [rows.raters[r] for r in first], "other": [rows.raters[r] for r in second]}, dtype=object
    )
    if isinstance(matrix, str):
        estimates = [Estimate.missing(matrix)] * len(first)
    elif coefficient == "cohen_kappa":
        estimates = _estimates(_Kappas.of(*cells, len(first), matrix), interval, confidence)
    else:
        pair, row, column, count = cells
        n = np.bincount(pair, count, len(first))
        shares = wilson(np.bincount(pair, count * matrix[row, column], len(first)), n, confidence)
        estimates = [Estimate(*map(float, e)) for e in zip(*shares, n, strict=True)]
    return found.join(frame_of(estimates))


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """Agreement of raters with raters: value and n, (R, R), symmetric; NaN and 0 on the diagonal and where none is."""

    raters: tuple[Hashable, ...]
    value: Floats
    n: Floats


def pair_matrix(pairs: pd.DataFrame) -> PairMatrix:
    """The rows of ``pairwise`` as a square, for a heat map."""
    raters = pd.unique(pd.concat([pairs["rater"], pairs["other"]]))
    place = {r: i for i, r in enumerate(sorted(raters, key=lambda r: (type(r).__name__, r)))}
    value, n = np.full((len(place),) * 2, np.nan), np.zeros((len(place),) * 2)
    a, b = pairs["rater"].map(place).to_numpy(int), pairs["other"].map(place).to_numpy(int)
    for x, y in ((a, b), (b, a)):
        value[x, y], n[x, y] = pairs["value"], pairs["n"]
    return PairMatrix(tuple(place), value, n)


def frame_of(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """The estimates as rows of ``ESTIMATE_COLUMNS``, numbers that do not exist as NaN."""
    rows = [(e.value, e.low, e.high, e.n, e.reason) for e in estimates]
    return pd.DataFrame(rows, columns=list(ESTIMATE_COLUMNS)).astype(dict.fromkeys(ESTIMATE_COLUMNS[:4], float))


@dataclass(frozen=True, eq=False)
class _Kappas:
    """Cohen's kappa of many tables, arrays (pairs,); NaN where chance leaves no room to disagree.

    With w a cell's weight and o what its row and its column would get by chance, moments are the means of w, o, w², w·o
    and o² over the cells: as seen, by chance from the raters' shares, and in perfect agreement with the mean of them.
    """

    value: Floats
    chance: Floats
    n: Floats
    labels_used: NDArray[np.int64]
    seen: Floats
    by_chance: Floats
    perfect: Floats

    @classmethod
    def of(cls, pair: Codes, row: Codes, column: Codes, count: Floats, pairs: int, weights: Floats) -> _Kappas:
        """From the filled cells of the tables."""
        q = len(weights)
        n = np.bincount(pair, count, pairs)
        share = count / n[pair]
        first, second = (np.bincount(pair * q + side, share, pairs * q).reshape(pairs, q) for side in (row, column))
        of_row, of_column = second @ weights, first @ weights
        chance = (of_column * second).sum(axis=1)
        weight, own = weights[row, column], of_row[pair, row] + of_column[pair, column]
        seen = [np.bincount(pair, share * x, pairs) for x in (weight, own, weight**2, weight * own, own**2)]
        squares = (first * of_row**2).sum(axis=1) + (second * of_column**2).sum(axis=1)
        by_chance = [chance, 2 * chance, ((first @ weights**2) * second).sum(axis=1), squares, squares + 2 * chance**2]
        mean, own = (first + second) / 2, of_row + of_column
        one, met = np.ones(pairs), (mean * own).sum(axis=1)
        perfect = [one, met, one, met, (mean * own**2).sum(axis=1)]
        value = (seen[0] - chance) / np.where(1 - chance > ZERO, 1 - chance, np.nan)
        used = np.count_nonzero(first + second, axis=1)
        return cls(value, chance, n, used, np.array(seen), np.array(by_chance), np.array(perfect))

    def error(self, kappa: Floats, moments: Floats) -> Floats:
        """The error of Fleiss, Cohen and Everitt, (pairs,), were the truth ``kappa`` in tables of these moments."""
        w, o, ww, wo, oo = moments
        rest = 1 - kappa
        variance = ww - 2 * rest * wo + rest**2 * oo - (w - rest * o) ** 2
        return np.sqrt(np.maximum(variance, 0) / self.n) / (1 - self.chance)

    def end(self, side: int, quantile: float) -> Floats:
        """The farthest κ0 below (side -1) or above (1) that is within quantile·error at κ0, by bisection."""
        towards = self.by_chance if side < 0 else self.perfect
        span = np.where(side < 0, self.value, 1 - self.value)
        inside, outside = np.zeros_like(self.value), 1 + side * -self.value
        for _ in range(HALVINGS):
            step = (inside + outside) / 2
            mixed = np.divide(step, span, out=np.zeros_like(step), where=span > ZERO).clip(0, 1)
            moments = self.seen + mixed * (towards - self.seen)
            held = step <= quantile * self.error(self.value + side * step, moments)
            inside, outside = np.where(held, step, inside), np.where(held, outside, step)
        return self.value + side * inside


def _estimates(kappas: _Kappas, interval: str, confidence: float) -> list[Estimate]:
    n, value = kappas.n, kappas.value
    quantile = special.ndtri(0.5 + confidence / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        if interval == "score":
            low, high = kappas.end(-1, quantile), kappas.end(1, quantile)
        else:
            half = quantile * kappas.error(value, kappas.seen)
            half = np.where(half > 1e-9, half, np.nan)
            low, high = np.clip(value - half, -1, 1), np.clip(value + half, -1, 1)
    found = []
    for k in range(len(n)):
        if n[k] <= 1:
            found.append(Estimate.missing(ONE_ITEM, float(n[k])))
        elif np.isnan(value[k]):
            found.append(Estimate.missing(reason_for_no_chance(kappas.labels_used[k]), float(n[k])))
        elif np.isnan(low[k]):
            found.append(Estimate(float(value[k]), n=float(n[k])))
        else:
            found.append(Estimate(float(value[k]), float(low[k]), float(high[k]), float(n[k])))
    return found


def _pair_cells(rows: Ratings) -> tuple[Codes, Codes, tuple[Codes, Codes, Codes, Floats]]:
    """Pairs of raters who share an item, and the filled cells of their tables: pair, row, column, count."""
    # scipy.sparse takes longer to import than most tables take to compute.
    from scipy import sparse

    r, q = len(rows.raters), max(len(rows.labels), 1)
    own = rows.rater * q + rows.position
    given = sparse.csr_array((np.ones(len(own)), (rows.item, own)), shape=(rows.n_items, r * q))
    # One product of sparse matrices holds the tables of all pairs: raters by labels against raters by labels.
    tables = (given.T @ given).tocoo()
    (a, row), (b, column) = np.divmod(tables.row.astype(np.int64), q), np.divmod(tables.col.astype(np.int64), q)
    upper = a < b
    keys, pair = np.unique(a[upper] * r + b[upper], return_inverse=True)
    return *np.divmod(keys, max(r, 1)), (pair, row[upper], column[upper], tables.data[upper])


# ------------------------------------------------------------------------------------------------------------ Conger


def conger_kappa(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    weights: Weights = "identity",
    labels: Labels = None,
    *,
    interval: str = "score",
    confidence: float = 0.95,
) -> Estimate:
    """Conger's kappa of a fixed panel of raters, at most 1: Cohen's kappa when there are two and all items are shared.

    p_e is the mean over pairs of raters of Σ w_ck p_gc p_hk, p_gc rater g's own share of label c: what raters who keep
    their own habits agree on by chance. Formula: p_e = Σ w_ck (p̄_c p̄_k - s_ck/r), s the covariance of the r raters'
    shares; (p_a - p_e)/(1 - p_e). interval: as for Fleiss' kappa (``metrics.agreement.chance``), the
    item's own chance agreement from its raters' shares. Also known as Davies and Fleiss' kappa; nltk's multi_kappa.
    Every rater counts equally in p_e, however few ratings he gave: it suits panels, not crowds. weights, labels: as
    ``cohen_kappa``. Missing without two raters, two pairable items, or variation. Source: Conger 1980, Gwet 2014.
    Oracle: irrCAC, nltk.
    """
    known("interval", interval, CHANCE_INTERVALS)
    return _conger(_rows(item, rater, label, weights, labels), weights, interval, confidence)


def _conger(rows: Ratings, weights: Weights, interval: str, confidence: float) -> Estimate:
    q, r, n = len(rows.labels), len(rows.raters), rows.n_items
    counts = np.bincount(rows.item * q + rows.position, minlength=n * q).reshape(n, q).astype(float)
    ratings = counts.sum(axis=1)
    pairable = int((ratings >= 2).sum())
    matrix = agreement_weights(weights, q, numeric(rows.labels))
    reason = matrix if isinstance(matrix, str) else ""
    for undefined, why in (
        (q < 2, ONE_LABEL),
        (pairable <= 1, ONE_ITEM if pairable else NO_PAIRS),
        (r < 2, ONE_RATER),
        (n == 0, NO_ITEMS),
    ):
        reason = why if undefined else reason
    if reason:
        return Estimate.missing(reason, pairable)
    by_rater = np.bincount(rows.rater * q + rows.position, minlength=r * q).reshape(r, q).astype(float)
    volume = by_rater.sum(axis=1)
    share = by_rater / volume[:, None]
    others = share.sum(axis=0) - share
    met = others @ matrix
    chance = float((share * met).sum() / (r * (r - 1)))
    if 1 - chance < ZERO:
        return Estimate.missing(reason_for_no_chance(np.count_nonzero(by_rater.sum(axis=0))), pairable)
    # How a rating moves its rater's shares, and with them the chance agreement with all other raters.
    moved = (met[rows.rater, rows.position] - (share * met).sum(axis=1)[rows.rater]) * n / volume[rows.rater]
    own_chance = chance + np.bincount(rows.item, moved, n) / (r * (r - 1))
    mean_share = share.mean(axis=0)
    agreed, of_label = pair_agreement(counts, matrix), matrix @ mean_share
    return interval_beyond_chance(
        agreed,
        counts,
        np.ones(n),
        own_chance,
        chance,
        of_label,
        mean_share,
        mean_share,
        matrix,
        -np.inf,
        interval,
        confidence,
    )


def _rows(item: ArrayLike, rater: ArrayLike, label: ArrayLike, weights: Weights, labels: Labels) -> Ratings:
    if not isinstance(weights, str) and labels is None:
        raise ValueError("A matrix of agreement weights needs the labels declared in its order.")
    return Ratings.of_rows(item, rater, label, labels, "nominal" if is_identity(weights) else "ordinal")
