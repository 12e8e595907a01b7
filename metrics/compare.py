"""Changes between two estimates, and which of many changes are worth a reader's time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metrics.spec import Direction, Metric

BETTER, WORSE, UNCLEAR, NEITHER = "better", "worse", "cannot tell", "moved"


def change(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Now minus before for each group in both, with its interval.

    now, before: ``keys`` and value, low, high, n. Returns the keys, ``value_now``, ``value_before``, ``value``,
    ``low``, ``high``, ``n_now``, ``n_before`` and ``score``: the change in units of its half-interval, 0 where there
    is no interval. The interval squares and adds the one-sided distances (MOVER, Zou and Donner 2008), so it is as
    asymmetric as the two it comes from. The two periods count as independent.
    """
    wanted = [*keys, "value", "low", "high", "n"]
    both = now[wanted].merge(before[wanted], on=keys, suffixes=("_now", "_before"))
    value = both["value_now"] - both["value_before"]
    down = np.hypot(both["value_now"] - both["low_now"], both["high_before"] - both["value_before"])
    up = np.hypot(both["high_now"] - both["value_now"], both["value_before"] - both["low_before"])
    reach = np.where(value >= 0, down, up)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(reach > 0, value.abs() / reach, 0.0)
    return both.assign(value=value, low=value - down, high=value + up, score=np.nan_to_num(score))


def judge(metric: Metric, value: float, low: float, high: float) -> str:
    """Whether a change is better or worse, cannot be told from none, or merely moved where neither way is better."""
    if np.isnan(value) or np.isnan(low) or low <= 0 <= high:
        return UNCLEAR
    if metric.direction in (Direction.NONE, Direction.BAND):
        return NEITHER
    return BETTER if (value > 0) == (metric.direction is Direction.HIGHER) else WORSE


def largest(changes: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """The changes that stand clearest out of their own uncertainty, clearest first; unclear ones are left out."""
    clear = changes[(changes["low"] > 0) | (changes["high"] < 0)]
    return clear.sort_values("score", ascending=False).head(count)
