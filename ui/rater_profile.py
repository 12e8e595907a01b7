"""What the profile of one rater shows: estimates over time, pace, learning, training; and, read live, what to coach."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import accuracy, intervals, items, spam
from metrics.catalogue import METRICS
from metrics.targets import Target, status
from ui import data, periods, rater_errors, rater_history, rater_people, rater_weeks, raters
from ui.figures import KEPT

GRAINS = ("month", "week")
LEAST_GOLD = 5  # gold judgements for a step in time to be drawn
COACHED = 3  # confusions that are coached on
EXAMPLES = 5  # items shown for each
SAME_SEVERITY = 0.5  # what a wrong label of the same severity costs, beside 1 for each step of severity
BLOCK = 4  # weeks of tenure that are taken together


@dataclass(frozen=True)
class Profile:
    """One rater: who, where, how the pool's raters stand, and this one's row among them (None without work)."""

    rater: str
    alias: str
    pool: str
    pool_name: str
    language: str
    hired_on: object
    found: raters.PoolRaters
    row: dict | None


def profile(snapshot: Snapshot, filters: Filters) -> Profile | None:
    """The rater that the filters name, beside the others of the pool; None where they name none or several."""
    named = filters.values("rater")
    known = rater_people.people(snapshot)
    if len(named) != 1 or named[0] not in known:
        return None
    rater, person = named[0], known[named[0]]
    pool = person.pool
    found = raters.raters(snapshot, filters.with_("rater").with_("pool", pool), pool)
    ours = found.rows[found.rows["rater"] == rater]
    row = ours.iloc[0].to_dict() if len(ours) else None
    name = snapshot.names["pool"].get(pool, pool)
    return Profile(rater, person.alias, pool, name, person.language, person.hired_on, found, row)


@st.cache_data(**KEPT)
def over_time(snapshot: Snapshot, filters: Filters, rater: str, grain: str, goal: float) -> pd.DataFrame:
    """The rater's gold accuracy by month or week with Wilson's interval, as figures.over_time() gives a metric."""
    metric = METRICS["gold_accuracy"]
    period = periods.around((filters.start, filters.end), grain)
    ours = filters.with_("rater", rater).with_("pool").over(*period)
    rows = data.sums(snapshot, "work", ("gold_correct", "gold_n"), (grain,), ours).fillna(0)
    n = rows["gold_n"].to_numpy(float)
    enough = n >= LEAST_GOLD
    found = intervals.wilson(np.where(enough, rows["gold_correct"], np.nan), np.where(enough, n, np.nan))
    at = pd.to_datetime(rows[grain])
    target = Target(goal, goal)
    return pd.DataFrame(
        {
            "metric": metric.name,
            "at": at,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "n": n,
            "reason": np.where(enough, "", f"fewer than {LEAST_GOLD} gold judgements"),
            "status": [status(metric, *ends, target).value for ends in zip(*found, strict=True)],
            "target": goal,
            "warn": goal,
            "whole": [periods.complete(one, grain, period) for one in at],
        }
    )


@st.cache_data(**KEPT)
def learning(snapshot: Snapshot, filters: Filters, rater: str, pool: str) -> pd.DataFrame:
    """The rater's errors in blocks of weeks since hire beside the pool's curve: x, value, low, high, n, fitted."""
    kept = filters.with_("rater").with_("pool", pool)
    cells = rater_history.history(snapshot, kept, pool).weeks
    tenure = rater_people.tenure(snapshot, cells)
    new = (cells["rater"] == rater) & (tenure >= 1) & (tenure <= rater_history.NEW_WEEKS)
    block = (tenure[new].astype(int) - 1) // BLOCK
    gold, right = (np.bincount(block, cells[c][new]) for c in ("gold_n", "gold_correct"))
    found = intervals.wilson(gold - right, gold)
    rows = pd.DataFrame({"x": np.arange(len(gold)) * BLOCK + (BLOCK + 1) / 2, "n": gold})
    rows = rows.assign(value=found.value, low=found.low, high=found.high, fitted=np.nan)
    curve = rater_history.learning_curve(snapshot, kept, pool).fitted
    if len(rows) and len(curve) and curve["fitted"].notna().any():
        rows["fitted"] = np.interp(rows["x"], curve["period"], curve["fitted"])
    return rows[rows["n"] >= LEAST_GOLD].reset_index(drop=True)


@st.cache_data(**KEPT)
def trainings(snapshot: Snapshot, filters: Filters, rater: str) -> pd.DataFrame:
    """Courses by the day they were due, the latest first: day, due, completed_in_time, attempted, passed."""
    kept = Filters.of({"rater": [rater]}, None, filters.end)
    columns = ("due", "completed_in_time", "attempted", "passed")
    rows = data.sums(snapshot, "training", columns, ("day",), kept)
    return rows.sort_values("day", ascending=False).reset_index(drop=True)


# ---- live ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coaching:
    """What to talk about: the confusions that cost most with their items, and the confusion matrices.

    pairs: confusion_pairs() rows with project and harm. examples: for each the latest items. matrices: one a project.
    blind: spam.at_chance()'s row for the labels as given. top: the most frequent label and its share.
    """

    pairs: list[dict]
    examples: list[pd.DataFrame]
    matrices: list[rater_errors.Matrix]
    judged: int
    blind: float = np.nan
    top: tuple[str, float] = ("", np.nan)
    since: object = None
    notes: list[str] = field(default_factory=list)


def coaching(snapshot: Snapshot, filters: Filters, rater: str) -> Coaching:
    """What the rater's own labels on gold show, read live; raises WarehouseUnavailable or NotAllowed."""
    wide = rater_weeks.looked_back(filters.with_("rater").with_("pool"))
    rows = data.ratings(snapshot, wide.with_("rater", rater), which="gold").rows
    pairs, matrices = [], []
    for project, part in rows.groupby("project_id", sort=True):
        truth, label = (part[c].astype(str).tolist() for c in ("gold_label", "label"))
        found = rater_errors.matrix_of(snapshot, str(project), truth, label, np.ones(len(part)))
        matrices.append(found)
        pairs += _pairs(snapshot, found)
    pairs = sorted(pairs, key=lambda pair: -pair["harm"])[:COACHED]
    return Coaching(
        pairs,
        [_examples(rows, pair) for pair in pairs],
        sorted(matrices, key=lambda found: -found.counts.sum()),
        len(rows),
        *_blind(rows),
        wide.start,
    )


def _pairs(snapshot: Snapshot, found: rater_errors.Matrix) -> list[dict]:
    """The confusions of one project that happened more than once, with their `harm`: errors times steps of severity."""
    severity = rater_errors.severities(snapshot, found.project, found.labels)
    cost = accuracy.severity_penalty(severity, SAME_SEVERITY)
    place = {name: at for at, name in enumerate(found.labels)}
    rows = items.confusion_pairs(found.counts, found.labels, cost=cost, draws=200)
    rows = rows[rows["n"] >= 2]
    steps = [cost[place[a], place[b]] for a, b in zip(rows["true_label"], rows["given_label"], strict=True)]
    return rows.assign(project=found.project, harm=rows["n"] * np.array(steps, float)).to_dict("records")


def _examples(rows: pd.DataFrame, pair: dict) -> pd.DataFrame:
    """The latest items of one confusion."""
    same = (
        (rows["project_id"] == pair["project"])
        & (rows["gold_label"] == pair["true_label"])
        & (rows["label"] == pair["given_label"])
    )
    columns = ["item_id", "policy", "language", "label", "gold_label", "submitted_at"]
    return rows.loc[same, columns].sort_values("submitted_at", ascending=False).head(EXAMPLES).reset_index(drop=True)


def _blind(rows: pd.DataFrame) -> tuple[float, tuple[str, float]]:
    """How often the same labels given blindly would be right, over projects; and the most frequent label."""
    if rows.empty:
        return np.nan, ("", np.nan)
    right = 0.0
    for _, part in rows.groupby("project_id"):
        names = sorted({*part["label"], *part["gold_label"]})
        given, truth = (part[c].value_counts().reindex(names).fillna(0).to_numpy() for c in ("label", "gold_label"))
        right += float(spam.blind_accuracy(given[None, :], truth)[0]) * len(part)
    shares = rows["label"].value_counts(normalize=True)
    return right / len(rows), (str(shares.index[0]), float(shares.iloc[0]))
