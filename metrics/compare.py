"""Changes between two estimates, and which of many changes are worth a reader's time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from metrics.multiple import benjamini_hochberg
from metrics.spec import Direction, Metric

BETTER, WORSE, UNCLEAR, NEITHER = "better", "worse", "cannot tell", "moved"


CHANGE_COLUMNS = ("before", "change", "change_low", "change_high", "score")
FALSE_CALLS = 0.05  # of the changes called clear, the share that may be chance


def change(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Now minus before with its interval, a row for each row of ``now``: CHANGE_COLUMNS.

    now, before: ``keys`` (unique in each) and value, low, high. NaN where the group has no number in both. ``score`` is
    the change in units of its half-interval, 0 where there is no interval. The interval squares and adds the one-sided
    distances (MOVER, Zou and Donner 2008), so it is as asymmetric as the two it comes from. The two periods count as
    independent.
    """
    at = {key: k for k, key in enumerate(zip(*(before[name] for name in keys), strict=True))}
    row = np.array([at.get(key, -1) for key in zip(*(now[name] for name in keys), strict=True)], np.int64)
    was = {name: np.append(before[name].to_numpy(float), np.nan)[row] for name in ("value", "low", "high")}
    value, low, high = (now[name].to_numpy(float) for name in ("value", "low", "high"))
    moved = value - was["value"]
    down = np.hypot(value - low, was["high"] - was["value"])
    up = np.hypot(high - value, was["value"] - was["low"])
    reach = np.where(moved >= 0, down, up)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.nan_to_num(np.where(reach > 0, np.abs(moved) / reach, 0.0))
    found = (was["value"], moved, moved - down, moved + up, score)
    return pd.DataFrame(dict(zip(CHANGE_COLUMNS, found, strict=True)), index=now.index)


def largest(changes: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """The changes that stand out most, clearest first, with `clear`: whether the change stands clear of chance.

    changes: CHANGE_COLUMNS. A change is clear when its q value over all changes that have an interval (Benjamini and
    Hochberg) is at most FALSE_CALLS; its p is that of a normal deviate of 1.96 · score. Those listed though not clear
    have an interval of their own that leaves out 0; among so many, some do so by chance.
    """
    tested = changes["change_low"].notna().to_numpy()
    p = np.where(tested, 2 * special.ndtr(-special.ndtri(0.975) * changes["score"].to_numpy(float)), np.nan)
    found = changes.assign(clear=benjamini_hochberg(p).q <= FALSE_CALLS)
    return found[found["score"] > 1].sort_values("score", ascending=False, kind="stable").head(count)


def judge(metric: Metric, value: float, low: float, high: float) -> str:
    """Whether a change is better or worse, cannot be told from none, or merely moved where neither way is better."""
    if np.isnan(value) or np.isnan(low) or low <= 0 <= high:
        return UNCLEAR
    if metric.direction in (Direction.NONE, Direction.BAND):
        return NEITHER
    return BETTER if (value > 0) == (metric.direction is Direction.HIGHER) else WORSE
