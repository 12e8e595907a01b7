"""The raters' weeks: drift, pace against accuracy, how new raters learn, errors through the shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import TENURE_BANDS, TENURE_LAST
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import drift, fatigue, intervals, learning, skill, speed
from ui import data, figures, rater_weeks
from ui.cells import Columns, arrays, clusters_of, codes
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
KIND = ("project_id", "language", "policy")  # of item
NEW_WEEKS = 26  # tenure up to which a rater is learning
LEAST_AN_HOUR = 20  # gold judgements for an hour of the shift to be drawn


@dataclass(frozen=True)
class History:
    """The weeks of a pool's raters. drift: rater, drift, drift_low, drift_high, drift_verdict. weeks: the cells."""

    weeks: Columns
    drift: pd.DataFrame


@st.cache_data(**KEPT)
def history(snapshot: Snapshot, filters: Filters, pool: str) -> History:
    """Gold and times of a pool's raters by week and project over at least WEEKS weeks, and what they say of drift."""
    wide = looked_back(filters.with_("pool", pool).with_("rater"))
    cells = arrays(data.sums(snapshot, "work", SUMS, ("rater", "week", "project", "time_basis"), wide))
    heads = ["drift", "drift_low", "drift_high", "drift_verdict"]
    if not cells["gold_n"].sum():
        return History(cells, pd.DataFrame(columns=["rater", *heads]))
    code, names = pd.factorize(cells["rater"])
    week, weeks = pd.factorize(cells["week"], sort=True)
    place, size = code * len(weeks) + week, len(names) * len(weeks)
    gold, right = (np.bincount(place, cells[c], size).reshape(len(names), -1) for c in ("gold_n", "gold_correct"))
    found = drift.rater_drift(right, gold, drift.peer_share(right, gold))
    slopes = found[["value", "low", "high", "verdict"]].set_axis(heads, axis=1)
    slopes.insert(0, "rater", names.astype(str))
    return History(cells, slopes)


def slower(cells: Columns, basis: str, unread: Sequence[str] = ()) -> dict:
    """What goes with working twice as slowly, within raters, the mix of projects taken out; empty without gold.

    cells: the weeks of a pool's raters, times on one ``basis``. unread: raters left out, as labels given unread are
    fast and wrong at once and say nothing of those who read.
    """
    read = ~np.isin(cells["rater"].astype(str), list(unread))
    cells = {name: column[read] for name, column in cells.items()}
    if not cells["gold_n"].sum():
        return {}
    code, week = pd.factorize(cells["rater"])[0], pd.factorize(cells["week"])[0]
    place, size = code * (week.max() + 1) + week, (code.max() + 1) * (week.max() + 1)
    timed, logs = (on_basis(cells, name, basis) for name in ("handle_n", "handle_sum_log"))
    gold, right = cells["gold_n"], cells["gold_correct"]
    project, projects = pd.factorize(cells["project"])

    def usual(total: np.ndarray, n: np.ndarray) -> np.ndarray:
        """What is to be expected of each cell from its project's mean."""
        totals, counts = (np.bincount(project, x, len(projects)) for x in (total, n))
        return n * np.divide(totals, counts, out=np.zeros(len(projects)), where=counts > 0)[project]

    sums = (timed, logs, gold, right, usual(logs, timed), usual(right, gold))
    timed, logs, gold, right, log, level = (np.bincount(place, x, size) for x in sums)
    rater = np.arange(size) // (week.max() + 1)
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
    rater = pd.factorize(cells["rater"][new][drawn])[0]
    week, gold, wrong = week[drawn], gold[drawn], (gold - right)[drawn]
    return learning.learning_curve(week, gold, wrong, design_effect=_design_effect(rater, week, gold, wrong))


def _design_effect(rater: np.ndarray, week: np.ndarray, gold: np.ndarray, wrong: np.ndarray) -> float:
    """By how much a week's errors vary more than independent ones, a rater's week being a cluster; at least 1.

    By simulation (15 raters, intraclass correlation .05) learning is claimed where nobody learns in 5 % of pools whose
    raters come and go, in 8 % without this; whole raters as clusters would find 17 % of the curves that are there.
    """
    whole, errors = gold.sum(), wrong.sum()
    if not 0 < errors < whole:
        return 1.0
    rates = np.bincount(week, wrong) / np.maximum(np.bincount(week, gold), 1)
    # How weeks differ is the curve; what is a rater's own lies around the week's rate.
    own = wrong - rates[week] * gold + errors / whole * gold
    cluster = np.unique(rater * (week.max() + 1) + week, return_inverse=True)[1]
    found = intervals.clustered_share(*clusters_of(np.zeros(len(rater), np.intp), cluster, own, gold))
    return max(float(whole / intervals.equivalent_n(*found)[0]), 1.0)


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
    """Whether errors rise through the shift, by pool, read live; raises WarehouseUnavailable or NotAllowed.

    Slopes are of errors beyond those to be expected of the hour's items, by project, language and policy: items that
    are harder late in the shift are no tiredness. hours: errors as judged, with raters as clusters.
    """
    cells = arrays(data.hours_into_shift(snapshot, filters))
    n, wrong = (cells[name].astype(float) for name in ("n", "wrong"))
    # What is hard is cleared of who met it and how late.
    at, first, place = np.unique(codes(cells, ("rater_id", "hour")), return_index=True, return_inverse=True)
    expected = skill.expected_right(place, codes(cells, KIND), n - wrong, n)
    n, wrong = (np.bincount(place, x, len(at)) for x in (n, wrong))
    rater, hour, pool = (cells[name][first] for name in ("rater_id", "hour", "pool_id"))
    slopes = fatigue.fatigue(rater, hour, n, wrong, pool, n - expected)
    names = snapshot.names["pool"]
    slopes = slopes.assign(label=[names.get(p, str(p)) for p in slopes["group"]])
    at, of_hour = np.unique(hour.astype(float), return_inverse=True)
    sums = clusters_of(of_hour, np.unique(rater.astype(str), return_inverse=True)[1], wrong, n)
    enough = sums[1] >= LEAST_AN_HOUR
    found = intervals.clustered_share(*(x[enough] for x in sums))
    hours = pd.DataFrame({"x": at[enough] + 1, "n": sums[1][enough]})
    return Tired(slopes, hours.assign(value=found.value, low=found.low, high=found.high, fitted=np.nan))
