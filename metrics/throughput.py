"""Where paid hours go, and which share of due items was decided in time, by group.

Every estimate is sum / sum with an interval over clusters. The cluster is what repeats by itself: the rater for work,
the week (with pool or project) for shifts and flow, because days of one busy week are no independent evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.intervals import clustered_share

Floats = NDArray[np.float64]

NO_LOGGED_HOURS = "no logged hours"
NO_AVAILABLE_HOURS = "no available hours recorded"
MORE_ACTIVE = "more active than logged hours"
MORE_THAN_AVAILABLE = "more active than available hours"
NO_DUE = "no items with a due time"

ATTAINMENT_COLUMNS = ("group", "value", "low", "high", "n", "reason", "missed", "late", "overdue_open")


@dataclass(frozen=True)
class PaidTime:
    """Where paid hours go. hours: all of them; items, waiting, away: shares of them that add up to 1.

    waiting: available and not handling; away: breaks, training and wellness. Both None, for ``reason``, where
    available time is not known of all paid time; all three where there is none or the times contradict each other.
    """

    hours: float
    items: float | None
    waiting: float | None
    away: float | None
    reason: str = ""


def paid_time(
    logged_seconds: float, active_seconds: float, available_seconds: float, available_active_seconds: float
) -> PaidTime:
    """The parts of paid time, from sums over shifts.

    available_active: the active seconds of those shifts whose available time is known. Shares of active, available less
    active, and logged less available in logged.
    """
    hours = logged_seconds / 3600
    if logged_seconds <= 0:
        return PaidTime(hours, None, None, None, NO_LOGGED_HOURS)
    if active_seconds > logged_seconds * (1 + 1e-9):
        return PaidTime(hours, None, None, None, MORE_ACTIVE)
    items = active_seconds / logged_seconds
    if available_seconds <= 0 or available_active_seconds < active_seconds * (1 - 1e-3):
        return PaidTime(hours, items, None, None, NO_AVAILABLE_HOURS)
    if not active_seconds * (1 - 1e-9) <= available_seconds <= logged_seconds * (1 + 1e-9):
        return PaidTime(hours, items, None, None, MORE_THAN_AVAILABLE)
    share = min(max(available_seconds / logged_seconds, items), 1.0)
    return PaidTime(hours, items, share - items, 1 - share)


def sla_attainment(
    group: ArrayLike,
    cluster: ArrayLike,
    due: ArrayLike,
    due_in_time: ArrayLike,
    overdue_open: ArrayLike | None = None,
) -> pd.DataFrame:
    """The share of due items decided in time, a row per group; items overdue and still open count as missed.

    A row per group and cluster (week and project), more add up. due: items whose due time lies in the period, **open
    ones included**, as the flow mart counts them; due_in_time: those decided by then. overdue_open: those of ``due``
    still open, where known. Columns: group; value, low, high (95 %, ``intervals.clustered_share``); n (items due);
    reason: for nothing due; missed = due - in time; late (decided too late) and overdue_open (NaN where not known).
    Raises ValueError for counts that cannot be or unequal lengths.
    """
    known = overdue_open is not None
    sums = _sums(
        group,
        cluster,
        due=due,
        in_time=due_in_time,
        open=overdue_open if known else np.zeros(len(np.asarray(due))),
    )
    if (sums["in_time"] + sums["open"] > sums["due"]).any():
        raise ValueError("Items in time and items overdue and open are among those due.")
    total, squares = _squares(sums, "in_time", "due")
    found = clustered_share(*squares)
    some = total["due"].to_numpy() > 0
    missed = total["due"] - total["in_time"]
    return pd.DataFrame(
        {
            "group": total.index,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "n": total["due"].to_numpy(),
            "reason": np.where(some, "", NO_DUE),
            "missed": missed.to_numpy(),
            "late": (missed - total["open"]).to_numpy() if known else np.nan,
            "overdue_open": total["open"].to_numpy() if known else np.nan,
        },
        columns=list(ATTAINMENT_COLUMNS),
    )


# ------------------------------------------------------------------------------------------------------------ helpers


def _sums(group: ArrayLike, cluster: ArrayLike, **columns: ArrayLike) -> pd.DataFrame:
    """The columns added up by group and cluster, indexed by both."""
    values = {name: np.asarray(x, dtype=float) for name, x in columns.items()}
    group, cluster = np.asarray(group), np.asarray(cluster)
    if len({x.shape for x in (group, cluster, *values.values())}) != 1:
        raise ValueError(f"group, cluster, {', '.join(values)} differ in length.")
    if not all(np.all(x >= 0) for x in values.values()):
        raise ValueError(f"{', '.join(values)} are sums of 0 or more.")
    return pd.DataFrame(values).groupby([group, cluster], sort=True).sum()


def _squares(sums: pd.DataFrame, above: str, below: str) -> tuple[pd.DataFrame, list[Floats]]:
    """Totals by group, and what the clustered intervals take."""
    x, n = sums[above], sums[below]
    terms = pd.DataFrame({"x": x, "n": n, "xx": x * x, "xn": x * n, "nn": n * n, "m": (n > 0).astype(float)})
    by = sums.index.get_level_values(0)
    terms = terms.groupby(by, sort=True).sum()
    return sums.groupby(by, sort=True).sum(), [terms[c].to_numpy() for c in terms]
