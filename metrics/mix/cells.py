"""Sums per cell, a kind of work: the variances of cells' means, and half an interval of what is built of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.intervals import student

Floats = NDArray[np.float64]

CELLS = ("policy", "language", "content_type")
"""What makes a cell, the one to drop last first: it falls back to policy x language, then to policy, then to all."""

POOLED_DF = 4.0
"""How many degrees of freedom the variance within all cells is worth against a cell's own."""


def mean_variances(n: Floats, x: Floats, xx: Floats, design: float) -> tuple[Floats, Floats]:
    """Variances of cells' means and their degrees of freedom; NaN where no cell has two judgements, 0 without any."""
    free = np.maximum(n - 1, 0)
    # A square sum below n·mean² by rounding is a spread of 0.
    within = np.where(n > 1, np.maximum(xx - quotient(x**2, n, 0.0), 0), 0)
    pooled = within.sum() / free.sum() if free.sum() > 0 else np.nan
    df = free + POOLED_DF if free.sum() > 0 else np.ones(len(n))
    variance = (within + POOLED_DF * pooled) / df
    return np.where(n > 0, variance * design * quotient(np.ones(len(n)), n, 0.0), 0.0), np.minimum(
        df, max(free.sum(), 1)
    )


def half_interval(pieces: Floats, df: Floats, level: float) -> float | None:
    """Half an interval from independent variances and their degrees of freedom (Satterthwaite); None if unknown."""
    total = pieces.sum()
    if math.isnan(total):
        return None
    if total <= 0:
        return 0.0
    shares = pieces / total
    return float(student(0.5 + level / 2, 1 / np.sum(shares**2 / df))) * math.sqrt(total)


def summed_by_cell(rows: pd.DataFrame, keys: list[str], columns: Sequence[str]) -> pd.DataFrame:
    """The sums of each cell, indexed by its keys; raises ValueError for a number of judgements (the first) below 0."""
    if len(rows) and (rows[columns[0]] < 0).any():
        raise ValueError("A number of judgements is not negative.")
    return rows.groupby(keys, dropna=False)[list(columns)].sum().astype(float)


def quotient(a: Floats, b: Floats, otherwise: float = np.nan) -> Floats:
    """The quotient of a and b, and ``otherwise`` where b is not above 0."""
    return np.divide(a, b, out=np.full(np.shape(b), otherwise), where=np.asarray(b) > 0)
