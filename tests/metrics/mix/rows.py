"""Rows of cells' sums, made of shares or of durations."""

from __future__ import annotations

import numpy as np
import pandas as pd


def shares(weights, rates, n=10_000, cells="abcdefgh"):
    count = np.array(weights) * n
    hits = count * np.array(rates)
    return pd.DataFrame({"cell": list(cells[: len(count)]), "n": count, "total": hits, "squares": hits})


def sums(seconds, **columns):
    """Rows of logged sums and of seconds' sums for arrays of durations."""
    logs = [np.log(s) for s in seconds]
    return pd.DataFrame(
        {
            **columns,
            "n": [len(s) for s in seconds],
            "total": [v.sum() for v in logs],
            "squares": [(v**2).sum() for v in logs],
            "seconds": [np.sum(s) for s in seconds],
            "seconds_squared": [np.sum(np.square(s)) for s in seconds],
        }
    )
