"""Pools against target and week by week: usual bands, weeks outside them, lasting changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import control
from ui import data, figures, periods
from ui import format as fmt
from ui.figures import KEPT

MEASURES = ("gold_accuracy", "audit_accuracy")
WEEKS = 26  # what drift, pace and control limits look back over
IN_ALL = ((), ("tenure_band",))  # asked together: figures of all the work and of tenure
AUDITS = ("audited_weight", "audited_weight_squared", "audited_weight_passed")


@st.cache_data(**KEPT)
def pools(snapshot: Snapshot, filters: Filters, metric: str) -> tuple[pd.DataFrame, str]:
    """figures.breakdown() by pool; `shift`: "fall since 26 Oct", or nothing."""
    rows, why_not = figures.breakdown(snapshot, filters, metric, "pool")
    if rows.empty:
        return rows, why_not
    known = {pool: f"{side} since {fmt.day(at)}" for pool, (side, at) in shifts(snapshot, filters, metric).items()}
    return rows.assign(shift=[known.get(member, "") for member in rows["member"]]), ""


@dataclass(frozen=True)
class Weekly:
    """A share by week with its control limits: `at`, value, center, low, high, n, out, inside (the period).

    shift: a small lasting change that came to light in the period, "fall" or "rise", and the week it began; or None.
    """

    points: pd.DataFrame
    reason: str = ""
    shift: tuple[str, dt.date] | None = None

    @property
    def out(self) -> pd.DataFrame:
        """The weeks of the period that left the limits."""
        return self.points[self.points["out"] & self.points["inside"]]


def looked_back(filters: Filters, weeks: int = WEEKS) -> Filters:
    """The filters over whole weeks, at least so many, up to the end of the period."""
    return filters.over(*periods.ending((filters.start, filters.end), weeks))


@st.cache_data(**KEPT)
def _by_week(snapshot: Snapshot, filters: Filters, metric: str) -> pd.DataFrame:
    """Hits and judgements by week and pool; for audits of the sample's effective size."""
    columns = ("gold_correct", "gold_n") if metric == MEASURES[0] else AUDITS
    wide = looked_back(filters)
    rows = data.sums(snapshot, "work", columns, ("week", "pool"), wide)
    first, last = np.datetime64(wide.start), np.datetime64(wide.end) - np.timedelta64(6, "D")
    at = rows["week"].to_numpy("datetime64[D]")
    rows = rows[(at >= first) & (at <= last)]  # whole weeks only
    return rows.rename(columns={"gold_correct": "hits", "gold_n": "n"})


def _effective(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Hits and n of each row; audits drawn with weights count as many as their effective number."""
    if "hits" in rows:
        return rows["hits"].to_numpy(float), rows["n"].to_numpy(float)
    weight, squared, passed = (rows[c].to_numpy(float) for c in AUDITS)
    n = np.divide(weight**2, squared, out=np.zeros(len(rows)), where=squared > 0)
    share = np.divide(passed, weight, out=np.zeros(len(rows)), where=weight > 0)
    return np.clip(share, 0, 1) * n, n


def _baseline(weeks: np.ndarray, n: np.ndarray, start: dt.date) -> np.ndarray | None:
    """The weeks before the period where there are enough of them, else all."""
    before = (weeks < np.datetime64(start)) & (n > 0)
    return before if before.sum() >= control.LEAST_POINTS else None


def _shift(weeks: np.ndarray, hits: np.ndarray, n: np.ndarray, start: dt.date) -> tuple[str, dt.date] | None:
    """A lasting change that the running sums see first in the period, and when it began."""
    found = control.cusum_chart(hits, n, _baseline(weeks, n, start))
    if found.changed_at is None:
        return None
    out = int(np.argmax(found.points["out"].to_numpy(bool)))
    side = "fall" if found.points["value"].to_numpy()[out] < 0 else "rise"
    return (side, weeks[found.changed_at].item()) if weeks[out] >= np.datetime64(start) else None


@st.cache_data(**KEPT)
def weekly(snapshot: Snapshot, filters: Filters, metric: str) -> Weekly:
    """The share of all the work the filters leave, by week, with limits that allow for how weeks usually differ."""
    if not filters.start:
        return Weekly(pd.DataFrame({"value": [], "at": [], "n": [], "out": [], "inside": []}), "nothing is dated")
    rows = _by_week(snapshot, filters, metric)
    sums = rows.drop(columns="pool").groupby("week", sort=True).sum()
    weeks, (hits, n) = sums.index.to_numpy("datetime64[D]"), _effective(sums)
    start = periods.monday(filters.start)
    found = control.laney_chart(hits, n, _baseline(weeks, n, start)).points
    reasons = found.loc[found["reason"] != "", "reason"]
    reason = str(reasons.iloc[0]) if found["low"].isna().all() and len(reasons) else ""
    at = pd.DatetimeIndex(weeks)
    points = found.assign(at=at, inside=weeks >= np.datetime64(start))
    return Weekly(points, reason, _shift(weeks, hits, n, start))


def shifts(snapshot: Snapshot, filters: Filters, metric: str) -> dict[str, tuple[str, dt.date]]:
    """For each pool that has one, the lasting change that came to light in the period: fall or rise, and since when."""
    if not filters.start:
        return {}
    rows = _by_week(snapshot, filters, metric)
    weeks, (hits, n) = rows["week"].to_numpy("datetime64[D]"), _effective(rows)
    code, names = pd.factorize(rows["pool"].to_numpy(object))
    start = periods.monday(filters.start)
    found = {}
    for at, name in enumerate(names):
        ours = code == at
        found[str(name)] = _shift(weeks[ours], hits[ours], n[ours], start)
    return {name: shift for name, shift in found.items() if shift}
