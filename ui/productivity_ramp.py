"""How the hire cohorts of the last months came up to speed, and what leavers cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import ramp
from metrics.spec import Estimate
from ui import data, periods, rater_people, raters
from ui.cells import arrays, codes
from ui.figures import KEPT
from ui.productivity import GOLD, timed

RAMP_WEEKS = 39  # looked back over for learning curves
TENURED_FROM = 26  # weeks of tenure
TENURED = "tenured"


@dataclass(frozen=True)
class Ramps:
    """Hire cohorts by month: the curves, and what leavers cost. goal: gold accuracy to reach; leavers: in a year."""

    found: ramp.Ramp | None
    goal: float | None
    leavers: int = 0
    headcount: float = 0.0
    per_hour: float | None = None
    reason: str = ""

    def loss(self) -> Estimate:
        """Hours a hire's slowness costs, over the cohorts that reached the pace, weighted by hires."""
        rows = self.found.cohorts if self.found else pd.DataFrame(columns=list(ramp.COHORT_COLUMNS))
        rows = rows[rows["loss_hours"].notna()]
        if rows.empty:
            return Estimate.missing("no cohort has reached the pace yet")
        weight = rows["n"].to_numpy(float) / rows["n"].sum()
        ends = [float(weight @ rows[c].to_numpy(float)) for c in ("loss_hours", "loss_low", "loss_high")]
        return Estimate(*ends, n=float(rows["n"].sum()))


@st.cache_data(**KEPT)
def ramps(snapshot: Snapshot, filters: Filters) -> Ramps:
    """How the hire cohorts of the last nine months came up to speed, times cleared of the kind of work."""
    if not filters.start:
        return Ramps(None, None, reason="nothing is dated")
    ours = timed(snapshot, filters).over(*periods.ending((filters.start, filters.end), RAMP_WEEKS))
    goal = raters.target(snapshot, filters, GOLD) or 0.0
    columns = ("handle_n", "handle_sum_seconds", "gold_n", "gold_correct")
    cells = arrays(data.sums(snapshot, "work", columns, ("rater", "week", "project", "policy"), ours))
    if not len(cells["rater"]):
        return Ramps(None, goal, reason="no work")
    week, hired = rater_people.tenure(snapshot, cells), _hired(snapshot, cells["rater"])
    fair = _fair_seconds(cells)
    rows = pd.DataFrame({**cells, "fair": fair, "tenure": week, "hired": hired})
    rows = rows[(rows["tenure"] >= 1) & (rows["handle_n"] > 0) & (rows["fair"] > 0)]
    first = np.datetime64(ours.start, "D")
    new = rows["hired"].to_numpy("datetime64[D]") >= first
    old = rows["tenure"] >= TENURED_FROM
    rows = rows[new | old]
    if rows.empty:
        return Ramps(None, goal, reason="nobody's day of hire is known")
    cohort = np.where(new[new | old], rows["hired"].dt.strftime("%Y-%m"), TENURED)
    # Hires of more than half a year stand for the tenured: their first weeks were not seen.
    keep = (cohort != TENURED) | (rows["tenure"].to_numpy() >= TENURED_FROM)
    rows, cohort = rows[keep], cohort[keep]
    found = ramp.ramp(
        cohort,
        rows["rater"].astype(str),
        rows["tenure"],
        rows["handle_n"],
        rows["fair"],
        rows["gold_n"],
        rows["gold_correct"],
        target_accuracy=goal or 0.5,
        tenured_from=TENURED_FROM,
        draws=100,
    )
    own = found.cohorts["cohort"] != TENURED
    shown = ramp.Ramp(found.cohorts[own], found.weeks[found.weeks["cohort"] != TENURED], found.tenured)
    left, heads = _leavers(snapshot, ours, set(cells["rater"]))
    return Ramps(shown, goal or None, left, heads, per_hour(snapshot, filters))


def _hired(snapshot: Snapshot, names: np.ndarray) -> np.ndarray:
    known = rater_people.people(snapshot)
    code, unique = pd.factorize(names)
    return np.array([known[n].hired_on if n in known else None for n in unique], "datetime64[D]")[code]


def _fair_seconds(cells: dict[str, np.ndarray]) -> np.ndarray:
    """Each cell's seconds over those usual for its kind of work, times the mean of all: new hires get easier work."""
    kind = codes(cells, ("project", "policy"))
    n, seconds = cells["handle_n"], cells["handle_sum_seconds"]
    total = np.bincount(kind, n)
    usual = np.divide(np.bincount(kind, seconds), total, out=np.ones(len(total)), where=total > 0)[kind]
    overall = seconds.sum() / n.sum() if n.sum() else 1.0
    return np.divide(seconds, usual, out=np.zeros(len(n)), where=usual > 0) * overall


def _leavers(snapshot: Snapshot, filters: Filters, worked: set[str]) -> tuple[int, float]:
    """Of those who worked here, how many left in the period, and how many there were on average."""
    rows = snapshot.table("rater")
    rows = rows[rows["rater_id"].isin(worked)]
    first, last = pd.Timestamp(filters.start), pd.Timestamp(filters.end)
    left = pd.to_datetime(rows["left_on"])
    gone = left.between(first, last)
    start, end = pd.to_datetime(rows["hired_on"]).clip(lower=first), left.fillna(last).clip(upper=last)
    days = (end - start).dt.days.clip(lower=0).sum()
    return int(gone.sum()), float(days / max((last - first).days, 1))


@st.cache_data(**KEPT)
def per_hour(snapshot: Snapshot, filters: Filters) -> float | None:
    """Labour cost of a paid hour in the pools of the filters, from the ledger and the shifts; None where unknown."""
    pools = [name for name in ("pool", "vendor", "site", "region") if filters.values(name)]
    kept = Filters.of({name: filters.values(name) for name in pools}, filters.start, filters.end)
    money = float(data.sums(snapshot, "ledger", ("cost_labour",), (), kept).fillna(0)["cost_labour"].sum())
    paid = float(data.sums(snapshot, "shift", ("logged_seconds",), (), kept).fillna(0)["logged_seconds"].sum()) / 3600
    return money / paid if money > 0 and paid > 0 else None


def ramps_if_allowed(snapshot: Snapshot, filters: Filters) -> Ramps:
    """ramps() where the reader may see raters: tenure is counted rater by rater."""
    if not data.current_scope().sees_raters:
        return Ramps(None, None, reason="tenure is counted rater by rater, and single raters are not shown here")
    return ramps(snapshot, filters)


def curves(found: Ramps) -> pd.DataFrame:
    """The cohorts' weeks with throughput and its interval as shares of the tenured's, and what a month is called."""
    rows = found.found.weeks
    tenured = found.found.tenured.value or np.nan
    few = rows.groupby("cohort")["raters"].transform("max") < ramp.LEAST_RATERS
    rows = rows[~few]
    return rows.assign(
        of_low=rows["per_hour_low"] / tenured,
        of_high=rows["per_hour_high"] / tenured,
        of_fitted=rows["per_hour_fitted"] / tenured,
        called=[f"{pd.Timestamp(f'{c}-01'):%b %Y}" for c in rows["cohort"]],
    )
