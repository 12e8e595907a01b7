"""The raters' weeks: drift, pace against accuracy, how new raters learn, errors through the shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import TENURE_BANDS, TENURE_LAST
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import drift, fatigue, intervals, learning, speed
from ui import data, figures, rater_weeks
from ui.cells import Columns, arrays
from ui.figures import KEPT
from ui.rater_people import tenure
from ui.rater_signs import on_basis
from ui.rater_weeks import MEASURES, looked_back

SUMS = (
    "gold_n",
    "gold_correct",
    "judgements",
    "handle_n",
    "handle_sum_seconds",
    "handle_sum_log",
    "handle_sum_log_squared",
)
NEW_WEEKS = 26  # tenure up to which a rater is learning
LEAST_AN_HOUR = 20  # gold judgements for an hour of the shift to be drawn


@dataclass(frozen=True)
class History:
    """The weeks of a pool's raters. drift: rater, drift, drift_low, drift_high, drift_verdict. weeks: the cells.

    pace: what goes with working twice as slowly, of ``speed_accuracy``; empty without gold.
    """

    weeks: Columns
    drift: pd.DataFrame
    pace: dict


@st.cache_data(**KEPT)
def history(snapshot: Snapshot, filters: Filters, pool: str) -> History:
    """Gold and times of a pool's raters by week and project over at least WEEKS weeks, and what they say of drift."""
    wide = looked_back(filters.with_("pool", pool).with_("rater"))
    basis = figures.main_basis(snapshot, filters, ("handle_time_p50_seconds",))
    cells = arrays(data.sums(snapshot, "work", SUMS, ("rater", "week", "project", "time_basis"), wide))
    heads = ["drift", "drift_low", "drift_high", "drift_verdict"]
    if not cells["gold_n"].sum():
        return History(cells, pd.DataFrame(columns=["rater", *heads]), {})
    code, names = pd.factorize(cells["rater"])
    week, weeks = pd.factorize(cells["week"], sort=True)
    place, size = code * len(weeks) + week, len(names) * len(weeks)
    gold, right = (np.bincount(place, cells[c], size).reshape(len(names), -1) for c in ("gold_n", "gold_correct"))
    found = drift.rater_drift(right, gold, drift.peer_share(right, gold))
    slopes = found[["value", "low", "high", "verdict"]].set_axis(heads, axis=1)
    slopes.insert(0, "rater", names.astype(str))
    return History(cells, slopes, _slower(cells, code, place, size, basis))


def _slower(cells: Columns, code: np.ndarray, place: np.ndarray, size: int, basis: str) -> dict:
    """What goes with working twice as slowly, within raters, the mix of projects taken out."""
    timed, logs = (on_basis(cells, name, basis) for name in ("handle_n", "handle_sum_log"))
    gold, right = cells["gold_n"], cells["gold_correct"]
    project, projects = pd.factorize(cells["project"])

    def usual(total: np.ndarray, n: np.ndarray) -> np.ndarray:
        """What is to be expected of each cell from its project's mean."""
        totals, counts = (np.bincount(project, x, len(projects)) for x in (total, n))
        return n * np.divide(totals, counts, out=np.zeros(len(projects)), where=counts > 0)[project]

    sums = (timed, logs, gold, right, usual(logs, timed), usual(right, gold))
    timed, logs, gold, right, log, level = (np.bincount(place, x, size) for x in sums)
    rater = np.arange(size) // (size // len(np.unique(code)))
    return speed.speed_accuracy(rater, timed, logs, gold, right, expected_log=log, expected=level).iloc[0].to_dict()


@st.cache_data(**KEPT)
def learning_curve(snapshot: Snapshot, filters: Filters, pool: str) -> learning.LearningCurve:
    """Errors on gold by weeks since hire, of the pool's raters in their first NEW_WEEKS weeks with enough gold."""
    cells = history(snapshot, filters, pool).weeks
    weeks = tenure(snapshot, cells)
    new = (weeks >= 1) & (weeks <= NEW_WEEKS)
    week, gold, right = weeks[new].astype(int), cells["gold_n"][new], cells["gold_correct"][new]
    # A curve is claimed only over weeks that are drawn.
    drawn = np.bincount(week, gold, NEW_WEEKS + 1)[week] >= LEAST_AN_HOUR
    return learning.learning_curve(week[drawn], gold[drawn], (gold - right)[drawn])


@st.cache_data(**KEPT)
def by_tenure(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Gold accuracy by tenure, the shortest first: measure()'s rows with `member` and `label`."""
    rows = figures.compared(snapshot, filters, MEASURES[:1], rater_weeks.IN_ALL)[1]
    bands = [*(band for _, band in TENURE_BANDS), TENURE_LAST]
    rows = rows[rows["tenure_band"].isin(bands)]
    rows = rows.assign(member=rows["tenure_band"], label=rows["tenure_band"])
    place = {band: at for at, band in enumerate(bands)}
    return rows.sort_values("member", key=lambda names: names.map(place)).reset_index(drop=True)


# ---- live ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tired:
    """Errors by hours into the shift. slopes: metrics.fatigue's rows with pool names; hours: x, value, low, high, n."""

    slopes: pd.DataFrame
    hours: pd.DataFrame


def tired(snapshot: Snapshot, filters: Filters) -> Tired:
    """Whether errors rise through the shift, by pool, read live; raises WarehouseUnavailable or NotAllowed."""
    cells = data.hours_into_shift(snapshot, filters)
    cells = cells.assign(n=cells["n"].astype(float), wrong=cells["wrong"].astype(float))
    slopes = fatigue.fatigue(cells["rater_id"], cells["hour"], cells["n"], cells["wrong"], cells["pool_id"])
    names = snapshot.names["pool"]
    slopes = slopes.assign(label=[names.get(p, str(p)) for p in slopes["group"]])
    sums = cells.groupby("hour", sort=True)[["n", "wrong"]].sum()
    sums = sums[sums["n"] >= LEAST_AN_HOUR]
    found = intervals.wilson(sums["wrong"], sums["n"])
    hours = pd.DataFrame({"x": sums.index.to_numpy(float) + 1, "n": sums["n"].to_numpy()})
    return Tired(slopes, hours.assign(value=found.value, low=found.low, high=found.high, fitted=np.nan))
