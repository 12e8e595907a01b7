"""Where the paid hours of the pools go: what is spent on items, waiting, away from the queue, again or in vain."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.paid_time import PaidTime, paid_time
from ui import data, figures
from ui.figures import KEPT
from ui.productivity import kept_by

USE = "utilisation"
OF_SHIFTS = (USE, "occupancy", "idle_share", "adherence")
OF_HANDLING = ("rework_time_share", "skip_time_share")
BY_COUNT = "skip_rate"  # where skips carry no handle time
SECONDS = ("logged_seconds", "active_seconds", "available_seconds", "available_active_seconds", "idle_seconds")


@dataclass(frozen=True)
class Hours:
    """The pools' hours, all their projects together. paid: where they go in all; idle: idle hours of each pool.

    scores: a row per metric in all; pools: a row per metric and pool with `member` and `label`, both as
    figures.compared() gives them.
    """

    paid: PaidTime
    scores: pd.DataFrame
    pools: pd.DataFrame
    idle: dict[str, float]

    def score(self, metric: str) -> dict:
        """One metric's row in all."""
        return self.scores[self.scores["metric"] == metric].iloc[0].to_dict()

    def of_pools(self, metric: str) -> pd.DataFrame:
        """One metric's rows by pool, off target first, then by value."""
        rows = self.pools[self.pools["metric"] == metric]
        rows = rows.assign(order=rows["status"].map(figures.ORDER))
        return rows.sort_values(["order", "value"], kind="stable").reset_index(drop=True)


@st.cache_data(**KEPT)
def hours(snapshot: Snapshot, filters: Filters) -> Hours:
    """Hours and handle time of the pools; times of one basis, and only filters that shifts keep narrow them."""
    kept = kept_by("shift", filters)
    scores, pools = figures.compared(snapshot, kept, (*OF_SHIFTS, *OF_HANDLING, BY_COUNT), ((), ("pool",)))
    pools = pools[pools["pool"].notna()].reset_index(drop=True)
    names, members = snapshot.names["pool"], pools["pool"].astype(str)
    pools = pools.assign(member=members, label=[names.get(m, m) for m in members])
    rows = data.sums(snapshot, "shift", SECONDS, ("pool",), kept).fillna(0)
    few = data.too_small(snapshot, ("pool",), kept)
    idle = dict(zip(rows["pool"], rows["idle_seconds"] / 3600, strict=True))
    paid = paid_time(*(float(rows[name].sum()) for name in SECONDS[:4]))
    return Hours(paid, scores, pools, {pool: h for pool, h in idle.items() if (pool,) not in few})


def narrowed(filters: Filters) -> list[str]:
    """The filters that hours know nothing of."""
    kept = {name for name, _ in kept_by("shift", filters).where}
    return [name for name, _ in filters.where if name not in kept]
