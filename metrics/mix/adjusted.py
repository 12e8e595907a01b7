"""Means standardised to one mix of cells: handle times as if every group had worked the same mix."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.intervals import student
from metrics.mix.cells import CELLS, Floats, half_interval, mean_variances, quotient, summed_by_cell

LOG, MEAN = "log", "mean"

LEAST_IN_CELL = 10
"""Judgements below which a cell falls back to a coarser one: fewer show neither a mean nor how it varies."""

NO_JUDGEMENTS = "no judgements"
NOT_IN_REFERENCE = "no judgements in cells of the reference mix"
NO_SPREAD = "no interval: no cell shows how its judgements differ"
NO_RATERS = "no interval: no cell has several raters"


@dataclass(frozen=True, eq=False)
class MixAdjusted:
    """Handle times as they would be if everyone had worked the reference mix of cells.

    table: a row per group: the ``by`` columns, value, low, high (of the standardised mean), n (judgements), reason (why
        there is no value, or ""), note (why there is no interval, or ""), raw, raw_low, raw_high (the mean of what was
        worked), exact_share (of the reference's weight, from cells the group worked), fallback_share (the rest, from
        coarser cells), outside_share (of the group's judgements, in cells the reference lacks: they take no part).
    fallback: a row per group and level the group fell back to: the ``by`` columns, level (the keys of the coarser cell
        joined by " x ", "all" for none), share (of the reference's weight).
    scale: "log" (geometric means) or "mean" (arithmetic); cells: what a cell is.
    """

    scale: str
    cells: tuple[str, ...]
    table: pd.DataFrame
    fallback: pd.DataFrame


def mix_adjusted(
    sums: pd.DataFrame,
    by: Sequence[str],
    cells: Sequence[str] = CELLS,
    *,
    reference: pd.DataFrame | None = None,
    scale: str = LOG,
    rater: str | None = None,
    n: str = "n",
    total: str = "total",
    squares: str | None = "squares",
    least: float = LEAST_IN_CELL,
    level: float = 0.95,
) -> MixAdjusted:
    """Mean handle time of each group, directly standardised to a reference mix of cells.

    sums: rows with ``by`` (period, pool, project ...), ``cells`` (the last is dropped first when a cell is empty), the
    columns named by n, total, squares and, if named, ``rater``. scale: "log": total = Σ ln(seconds), squares =
    Σ ln(seconds)², the value is a geometric mean in seconds; "mean": total = Σ seconds, squares = Σ seconds² or None.
    reference: rows of ``cells``, n and total whose shares of n are the mix; all rows of sums when omitted. least:
    judgements a group needs in a cell for the cell to speak for itself.

    Formula: Σ w_k m_k, w the reference's shares, m the group's means. A cell with fewer judgements than ``least`` takes
    the reference's mean of that cell, moved by as much as the group differs from the reference over the cells of the
    next coarser level (by a difference of logs, or a ratio of seconds): coarser, but not of another mix.
    Interval, always on the log scale: with ``rater`` robust to raters who differ, over linearised residuals, with the
    bias and the degrees of freedom that raters with effects of their own would have (after Bell and McCaffrey 2002), at
    least that of independent judgements; else of independent judgements, too narrow where few raters differ. The
    reference's own error is left out: it is all the data, or a constant. Groups are not independent of it.
    Raises ValueError for another scale, two time bases (a column ``time_basis``) or a reference without judgements.
    Source: direct standardisation, Keiding and Clayton 2014.
    """
    by, keys = list(by), list(cells)
    if scale not in (LOG, MEAN):
        raise ValueError(f'A scale is "{LOG}" or "{MEAN}", not "{scale}".')
    if "time_basis" in sums and sums["time_basis"].nunique() > 1:
        raise ValueError("These times have different time bases, which cannot be put together: choose one.")
    frame = summed_by_cell(sums if reference is None else reference, keys, (n, total))
    frame = frame[frame[n] > 0]
    if frame.empty:
        if sums.empty:
            return _no_groups(scale, keys, by)
        raise ValueError("A reference mix needs judgements.")
    names = frame.index.to_frame(index=False)
    mean = (frame[total] / frame[n]).to_numpy(float)
    weight = (frame[n] / frame[n].sum()).to_numpy(float)
    levels = [_codes(names, keys[:k]) for k in range(len(keys), -1, -1)]
    titles = [" x ".join(keys[:k]) or "all" for k in range(len(keys), -1, -1)]
    everything = [np.zeros(1, dtype=np.intp)]
    overall = np.array([float(weight @ mean)])

    rows = {
        "cell": frame.index.get_indexer(pd.MultiIndex.from_frame(sums[keys]) if len(keys) > 1 else sums[keys[0]]),
        "rater": np.zeros(len(sums), np.intp) if rater is None else pd.factorize(sums[rater])[0],
    }
    for name, column in (("n", n), ("x", total), ("xx", squares)):
        rows[name] = np.full(len(sums), np.nan) if column is None else sums[column].to_numpy(float)
    table, fallback = [], []
    for group, places in _groups(sums, by):
        part = _taken(rows, places[rows["n"][places] > 0])
        inside = _taken(part, part["cell"] >= 0)
        judged = float(part["n"].sum())
        row = dict(zip(by, group, strict=True))
        used = _standardised(inside, weight, mean, levels, scale, rater is not None, least, level)
        whole = part | {"cell": np.zeros(len(part["n"]), np.intp)}
        raw = _standardised(whole, np.ones(1), overall, everything, scale, rater is not None, 0, level)
        reason = "" if len(inside["n"]) else NOT_IN_REFERENCE if judged else NO_JUDGEMENTS
        row |= {"value": used.value, "low": used.low, "high": used.high, "n": judged, "reason": reason}
        row |= {"note": used.note, "raw": raw.value, "raw_low": raw.low, "raw_high": raw.high}
        row |= {"exact_share": used.shares[0], "fallback_share": used.shares[1:].sum()}
        row["outside_share"] = 1 - inside["n"].sum() / judged if judged else np.nan
        table.append(row)
        fallback += [
            dict(zip(by, group, strict=True)) | {"level": title, "share": share}
            for title, share in zip(titles[1:], used.shares[1:], strict=True)
            if share > 0
        ]
    return MixAdjusted(
        scale,
        tuple(keys),
        pd.DataFrame(table, columns=[*by, *TABLE_COLUMNS]),
        pd.DataFrame(fallback, columns=[*by, "level", "share"]),
    )


def _groups(rows: pd.DataFrame, by: list[str]) -> Iterator[tuple[tuple, NDArray[np.intp]]]:
    """Each group's values of ``by`` and the places of its rows, in their order."""
    grouping = rows.groupby(by, sort=True, dropna=False)
    number, names = grouping.ngroup().to_numpy(), grouping.size().index.to_frame(index=False)
    ends = np.cumsum(np.bincount(number, minlength=len(names)))
    places = np.split(np.argsort(number, kind="stable"), ends[:-1])
    return zip(names.itertuples(index=False, name=None), places, strict=False)  # without rows one empty place


def _taken(rows: dict[str, np.ndarray], places: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[places] for name, column in rows.items()}


TABLE_COLUMNS = (
    *("value", "low", "high", "n", "reason", "note", "raw", "raw_low", "raw_high"),
    *("exact_share", "fallback_share", "outside_share"),
)


@dataclass(frozen=True)
class _Mean:
    value: float
    low: float
    high: float
    note: str
    shares: Floats


def _standardised(
    rows: dict[str, np.ndarray],
    weight: Floats,
    mean: Floats,
    levels: list[NDArray[np.intp]],
    scale: str,
    clustered: bool,
    least: float,
    level: float,
) -> _Mean:
    """One group's mean at the mix ``weight``. levels: for each, from fine to coarse, the code of every cell."""
    cell, n, x, xx = (rows[c] for c in ("cell", "n", "x", "xx"))
    if not len(n):
        return _Mean(np.nan, np.nan, np.nan, "", np.full(len(levels), np.nan))
    # What is averaged: logs less the reference's, or seconds over the reference's; y/d is how far the group is off it.
    y, d, base, factor = (x - n * mean[cell], n, mean, 1.0) if scale == LOG else (x, n * mean[cell], 0.0, mean)
    factor = np.broadcast_to(factor, weight.shape)
    open_, shares = np.ones(len(weight), dtype=bool), np.zeros(len(levels))
    value = float(np.sum(weight * base))
    coefficient, residual = np.zeros(len(n)), np.zeros(len(n))
    pieces = []
    for k, code in enumerate(levels):
        size = code.max() + 1
        judged = np.bincount(code[cell], n, size)
        # The coarsest level takes what is left, however little the group worked.
        here = open_ & ((judged >= least) if k < len(levels) - 1 else (judged > 0))[code] & (judged > 0)[code]
        taken = np.bincount(code, np.where(here, weight * factor, 0), size)
        divisor = np.bincount(code[cell], d, size)
        ratio = quotient(np.bincount(code[cell], y, size), divisor, 0.0)
        value += float(taken @ ratio)
        each = quotient(taken, divisor, 0.0)
        coefficient += each[code[cell]]
        residual += each[code[cell]] * (y - ratio[code[cell]] * d)
        pieces.append((code[cell], each, divisor))
        shares[k], open_ = weight[here].sum(), open_ & ~here
    note, half = "", _independent_half(cell, n, x, xx, coefficient, level)
    if clustered:
        robust = _clustered_half(rows["rater"], d, coefficient, residual, pieces, level)
        half = None if robust is None else max(robust, half or 0.0)
        note = NO_RATERS if half is None else ""
    elif half is None:
        note = NO_SPREAD
    if scale == LOG:
        value = math.exp(value)
    elif half is not None and value > 0:
        half = half / value
    low, high = (np.nan, np.nan) if half is None or value <= 0 else (value * math.exp(-half), value * math.exp(half))
    return _Mean(value, low, high, note, shares)


def _independent_half(
    cell: NDArray[np.intp], n: Floats, x: Floats, xx: Floats, coefficient: Floats, level: float
) -> float | None:
    """Half the interval of Σ coefficient · x when judgements are independent; rows of one cell share a coefficient."""
    if np.isnan(xx).any():
        return None
    codes, at = np.unique(cell, return_inverse=True)
    n, x, xx = (np.bincount(at, c, len(codes)) for c in (n, x, xx))
    variance, df = mean_variances(n, x, xx, 1.0)
    own = np.zeros(len(codes))
    own[at] = coefficient
    return half_interval((own * n) ** 2 * variance, df, level)


def _clustered_half(
    rater: NDArray, d: Floats, coefficient: Floats, residual: Floats, pieces: list, level: float
) -> float | None:
    """Half the interval over raters: None where no cell has two, as then nothing shows how they differ."""
    codes, at = np.unique(rater, return_inverse=True)
    m = len(codes)
    seen = np.bincount(at, residual, m)
    load = np.bincount(at, coefficient * d, m)
    # By how much a rater's own effect shows in the residuals: what the cells' means do not absorb.
    shows = np.diag(load)
    for code, each, divisor in pieces:
        work = np.zeros((m, len(each)))
        np.add.at(work, (at, code), d)
        some = each > 0
        work = work[:, some]
        shows = shows - (work * (each / np.where(divisor > 0, divisor, 1))[some]) @ work.T
    gram = shows.T @ shows
    trace = np.trace(gram)
    if trace <= 1e-9 * (load @ load):
        return None
    df = trace**2 / np.sum(gram**2)
    error = math.sqrt(np.sum(seen**2) * (load @ load) / trace)
    return float(student(0.5 + level / 2, df)) * error


def _codes(names: pd.DataFrame, keys: list[str]) -> NDArray[np.intp]:
    if not keys:
        return np.zeros(len(names), dtype=np.intp)
    return names.groupby(keys, dropna=False).ngroup().to_numpy(np.intp)


def _no_groups(scale: str, keys: list[str], by: list[str]) -> MixAdjusted:
    table = pd.DataFrame(columns=[*by, *TABLE_COLUMNS])
    return MixAdjusted(scale, tuple(keys), table, pd.DataFrame(columns=[*by, "level", "share"]))
