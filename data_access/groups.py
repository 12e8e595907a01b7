"""Rows of a mart as groups: their keys, their order, and what a group without a number says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_access.filters import TIME_DIMENSIONS
from metrics.spec import Estimates

Columns = dict[str, np.ndarray]
Grouping = tuple[str, ...]


def numbered(rows: Columns, by: Grouping) -> tuple[Columns, np.ndarray, int]:
    """The groups' keys in order, the number of each row's group, and how many; without ``by`` one."""
    size = len(next(iter(rows.values())))
    if not by:
        return {}, np.zeros(size, np.int64), 1
    code = np.zeros(size, np.int64)
    for name in by:
        number, members = pd.factorize(rows[name], sort=True)
        code = code * (len(members) + 1) + np.where(number < 0, len(members), number)  # what is missing comes last
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    return {name: rows[name][first] for name in by}, group, len(first)


def sorted_groups(rows: Columns, by: Grouping) -> tuple[Columns, Columns]:
    """Rows that are one a group already: their keys and themselves, in order; without ``by`` exactly one row."""
    if not by:
        empty = not len(next(iter(rows.values())))
        return {}, {name: _none_of(column) for name, column in rows.items()} if empty else rows
    keys, group, groups = numbered(rows, by)
    order = np.empty(groups, np.int64)
    order[group] = np.arange(groups)
    return keys, {name: column[order] for name, column in rows.items()}


def _none_of(column: np.ndarray) -> np.ndarray:
    return np.array([None], object) if column.dtype.kind == "O" else np.array([np.nan])


def key_tuples(keys: Columns, groups: int = 1) -> list[tuple]:
    """Each group's keys; without keys so many empty ones."""
    return list(zip(*(column.tolist() for column in keys.values()), strict=True)) if keys else [()] * groups


def ends_of(texts: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and last text of each group; None where it has none."""
    first, last = np.full(groups, None, object), np.full(groups, None, object)
    for text in sorted({text for text in texts if text is not None}):
        has = np.unique(group[texts == text])
        last[has] = text
        first[has] = np.where(first[has] == None, text, first[has])  # noqa: E711  elementwise
    return first, last


def one_basis(found: Estimates, first: np.ndarray, last: np.ndarray) -> Estimates:
    """Durations measured in different ways are never combined: such a group has a reason and no value."""
    mixed = np.array([a is not None and a == a and a != b for a, b in zip(first, last, strict=True)], bool)
    if not mixed.any():
        return found
    reasons = [f"times are measured in different ways ({a}, {b}): choose one time basis" for a, b in zip(first, last)]  # noqa: B905
    return found.without(mixed, np.array(reasons, object))


def no_keys(by: Grouping) -> Columns:
    """The keys of the one row that says why there is no number: all missing."""
    gap = {True: np.array(["NaT"], "datetime64[us]"), False: np.array([None], object)}
    return {name: gap[name in TIME_DIMENSIONS] for name in by}


def no_estimate(reason: str) -> Estimates:
    """One estimate without a number, and why."""
    nan = np.array([np.nan])
    return Estimates(nan, nan, nan, np.zeros(1), np.array([reason], object))
