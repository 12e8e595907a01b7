"""Sums of a mart as arrays: many small steps on frames take far longer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_access.dimensions import SOURCES, expression
from data_access.filters import Filters

Columns = dict[str, np.ndarray]


def arrays(rows: pd.DataFrame) -> Columns:
    """The columns as arrays: texts and dates as they are, sums as floats with 0 for gaps."""
    found = {}
    for name in rows:
        kind = rows[name].dtype.kind
        if kind == "M":
            found[name] = rows[name].to_numpy()
        elif kind in "fiu":
            found[name] = np.nan_to_num(rows[name].to_numpy(float))
        else:
            found[name] = rows[name].to_numpy(object)
    return found


def codes(rows: Columns, keys: tuple[str, ...]) -> np.ndarray:
    """Numbers of the combinations of keys, from 0."""
    code = np.zeros(len(rows[keys[0]]), np.int64)
    for name in keys:
        part, members = pd.factorize(rows[name])
        code = code * (len(members) + 1) + part + 1
    return np.unique(code, return_inverse=True)[1]


def kept_by(mart: str, filters: Filters) -> Filters:
    """The filters without those that a mart does not keep."""
    for name, _ in filters.where:
        if expression(SOURCES[mart], name) is None:
            filters = filters.with_(name)
    return filters


def clusters_of(group: np.ndarray, rater: np.ndarray, hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, ...]:
    """The sums over raters that ``intervals.clustered_share`` takes, for each group.

    One entry per cell of group x rater, codes from 0: hits and n, counts or sums of weights. Cells of the same rater
    and group are added up.
    """
    groups, raters = int(group.max(initial=-1)) + 1, int(rater.max(initial=-1)) + 1
    x, m = (np.bincount(group * raters + rater, v, groups * raters).reshape(groups, raters) for v in (hits, n))
    return x.sum(1), m.sum(1), (x * x).sum(1), (x * m).sum(1), (m * m).sum(1), (m > 0).sum(1).astype(float)
