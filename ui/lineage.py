"""What the lineage page shows of one project: its batches with their quality, versions, outcomes, and what is traced.

All of it is made once per snapshot and scope; a project's part is cut out of that. Quality is gold accuracy as of each
batch's close, its judgements taken as independent. Versions out of order on record take no part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import lineage as steps
from metrics import regressions, targets
from metrics.catalogue import METRICS
from metrics.intervals import wilson
from metrics.spec import Status
from ui import data
from ui.figures import KEPT

GOLD = METRICS["gold_accuracy"]
GRAVE = 2  # incidents of this severity and above
CLEAR = 0.05  # the p value from which incidents fall on traced versions more often than chance gives
NARROWS = ("project", "product", "policy_area", "task_type")  # the filters that choose projects; others do not apply
READ_ONLY = {**KEPT, "max_entries": 60}  # frames that nobody writes to, so that they need not be copied on every run
QUALITY = ["value", "low", "high", "n", "target", "status"]


@dataclass(frozen=True)
class Line:
    """One project, or all of them: frames of model_data.Lineage up to a day, timely versions only.

    batches: with ``state`` (metrics.lineage.standing) and QUALITY; models: with QUALITY of their exposure, its reason
    and what became of the version (worse, better, compared; change, benchmark, policy and language of the clearest
    change; incidents, severity); weighted: of metrics.lineage.weights; compared: of regressions.compare, with ``drop``
    (drop_key); untimely: model_version, benchmark, reason.
    """

    project: str
    batches: pd.DataFrame
    models: pd.DataFrame
    weighted: pd.DataFrame
    compared: pd.DataFrame
    incidents: pd.DataFrame
    untimely: pd.DataFrame
    trained: pd.DataFrame  # dataset_version and trained_at of every version, in order on record or not
    missing: tuple[str, ...] = ()
    stamp: tuple = ()  # what the line was made from: equal stamps, equal lines

    @property
    def below(self) -> list[str]:
        """The batches whose gold accuracy was clearly below target and that a model was trained on."""
        rows = self.batches
        chosen = (rows["status"] == Status.OFF_TARGET) & (rows["state"] == steps.USED)
        return rows.loc[chosen, "batch_id"].tolist()

    def reached(self, batches: list[str]) -> dict[str, float]:
        """metrics.lineage.traced_incidents() of these batches."""
        return steps.traced_incidents(self.weighted, self.incidents, batches)


@st.cache_resource(**READ_ONLY)
def whole(snapshot: Snapshot) -> Line:
    """All projects that the reader may see."""
    line = data.lineage(snapshot)
    found = zip(("batches", "dataset_versions", "model_versions"), line[:3], strict=True)
    missing = tuple(name for name, rows in found if rows.empty)
    untimely = steps.untimely(line.batches, line.datasets, line.models, line.measures)
    whose = pd.concat([line.models, line.measures]).drop_duplicates("model_version").set_index("model_version")
    untimely["project"] = untimely["model_version"].map(whose["project"])
    late = untimely[untimely["benchmark"].isna()]["model_version"]
    models = line.models[~line.models["model_version"].isin(late)]
    measures = steps.on_time(line.measures, untimely)
    sums = data.batch_sums(snapshot).rename(columns={"gold_correct": "hits", "gold_n": "n"})
    batches = line.batches.assign(state=steps.standing(line.batches, line.models))
    batches = judged(snapshot, batches.merge(sums[["batch_id", "hits", "n"]], on="batch_id", how="left"))
    weighted = steps.weights(batches, models)
    exposure = steps.exposure(weighted, sums[["batch_id", "hits", "n"]].fillna(0.0), models)
    placed = measures.dropna(subset="project")
    compared = regressions.compare(placed, models, regressions.with_whole(data.case_pairs(snapshot)))
    compared = compared.assign(drop=[drop_key(row) for row in compared.to_dict("records")])
    models = _held(snapshot, models.merge(exposure.drop(columns="covered"), on="model_version", how="left"))
    models = _became(models, compared, line.incidents).sort_values("trained_at", ignore_index=True)
    stamp, trained = (snapshot.id, data.current_scope()), line.models[["dataset_version", "trained_at"]]
    return Line("", batches, models, weighted, compared, line.incidents, untimely, trained, missing, stamp)


def judged(snapshot: Snapshot, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with QUALITY: gold accuracy with Wilson's interval, the project's target at ``closed_at``, the status.

    rows: hits, n, project, closed_at (missing: the latest target). No number below the metric's least n.
    """
    n = rows["n"].fillna(0.0).to_numpy(float)
    enough = n >= GOLD.min_n
    ends = wilson(np.where(enough, rows["hits"].fillna(0.0), np.nan), np.where(enough, n, np.nan))
    closed = [None if pd.isna(day) else pd.Timestamp(day).date() for day in rows["closed_at"]]
    of = zip(closed, rows["project"], strict=True)
    goals = [snapshot.targets.in_force(GOLD, day, project) for day, project in of]
    states = [targets.status(GOLD, *row).value for row in zip(ends.value, ends.low, ends.high, goals, strict=True)]
    aims = [goal.target if goal else np.nan for goal in goals]
    return rows.assign(value=ends.value, low=ends.low, high=ends.high, n=n, target=aims, status=states)


def _held(snapshot: Snapshot, models: pd.DataFrame) -> pd.DataFrame:
    """The versions with the target in force when they were trained, and how their labels stand on it."""
    rows = models[["trained_at", "project", "value", "low", "high"]].to_dict("records")
    goals = [snapshot.targets.in_force(GOLD, row["trained_at"].date(), row["project"]) for row in rows]
    states = [
        targets.status(GOLD, row["value"], row["low"], row["high"], goal).value
        for row, goal in zip(rows, goals, strict=True)
    ]
    return models.assign(target=[goal.target if goal else np.nan for goal in goals], status=states)


def drop_key(row: Mapping) -> str:
    """What a row of regressions.compare() is called in the URL: version, benchmark, metric and its policy or language.

    Empty where the version did not get clearly worse there.
    """
    if row["verdict"] != regressions.WORSE:
        return ""
    parts = [row[name] for name in ("model_version", "benchmark", "metric", "policy", "language")]
    return "/".join(str(part) for part in parts if not pd.isna(part))


def _became(models: pd.DataFrame, compared: pd.DataFrame, incidents: pd.DataFrame) -> pd.DataFrame:
    """The versions with their outcomes; change and benchmark are those of what was surely lost, or else won, most."""
    tested = compared[compared["p_value"].notna()]
    counts = tested.groupby("model_version")["verdict"].value_counts().unstack(fill_value=0)
    clear = tested[tested["verdict"] != regressions.CANNOT_TELL]
    worse = clear["verdict"] == regressions.WORSE
    order = clear.assign(worse=worse, surely=np.where(worse, clear["high"], -clear["low"]))
    lead = order.sort_values(["worse", "surely"], ascending=[False, True]).drop_duplicates("model_version")
    lead = lead.set_index("model_version")
    of, mine = models["model_version"], incidents.groupby("model_version")["severity"]
    counts = counts.reindex(columns=[regressions.WORSE, regressions.BETTER], fill_value=0)
    return models.assign(
        worse=of.map(counts[regressions.WORSE]).fillna(0).astype(int),
        better=of.map(counts[regressions.BETTER]).fillna(0).astype(int),
        compared=of.map(tested.groupby("model_version").size()).fillna(0).astype(int),
        change=of.map(lead["change"]).astype(float),
        **{name: of.map(lead[name]) for name in ("benchmark", "policy", "language")},
        incidents=of.map(mine.size()).fillna(0).astype(int),
        severity=of.map(mine.max()).astype(float),
    )


# ---- one project -----------------------------------------------------------------------------------------------


def candidates(snapshot: Snapshot, filters: Filters) -> tuple[str, ...]:
    """The projects with batches or model versions that the filters leave."""
    line = whole(snapshot)
    known = snapshot.table("project").set_index("project_id")
    found = sorted({*line.batches["project"].dropna(), *line.models["project"].dropna()})
    for name in NARROWS:
        chosen = filters.values(name)
        if chosen:
            found = [p for p in found if (p if name == "project" else known[name].get(p)) in chosen]
    return tuple(found)


def ignored(filters: Filters) -> list[str]:
    """The filters in force that the page does not apply."""
    return [name for name, _ in filters.where if name not in NARROWS]


def owner(snapshot: Snapshot, kind: str, member: str) -> str:
    """The project of an incident, a drop, a model version or a batch; empty where there is none."""
    line = whole(snapshot)
    rows, key = {
        "drop": (line.compared, "drop"),
        "incident": (line.incidents, "incident_id"),
        "model": (line.models, "model_version"),
        "batch": (line.batches, "batch_id"),
    }.get(kind, (line.batches.iloc[:0], "batch_id"))
    found = rows.loc[rows[key] == member, "project"].dropna()
    return str(found.iloc[0]) if len(found) else ""


def unplaced(snapshot: Snapshot, end: dt.date | None) -> pd.DataFrame:
    """The incidents up to a day that lead to no project, those of readers of all projects alone."""
    rows = whole(snapshot).incidents
    until = pd.Timestamp(end) + pd.Timedelta(days=1) if end else pd.Timestamp.max
    return rows[rows["project"].isna() & (rows["occurred_at"] < until)]


@st.cache_data(**KEPT)
def worst(snapshot: Snapshot, projects: tuple[str, ...], end: dt.date | None) -> str:
    """The project to open with; empty without projects.

    One whose incidents trace to batches below target more often than chance gives, the clearest first; else the one
    with most grave incidents, then most regressions, then most incidents.
    """
    everything = whole(snapshot)

    def record(project: str) -> tuple:
        line = cut(everything, project, end)
        traced = line.reached(line.below)
        p = traced["p_value"]
        clear = p is not None and p <= CLEAR
        grave = int((line.incidents["severity"] >= GRAVE).sum())
        return (not clear, p if clear else 0.0, -grave, -int(line.models["worse"].sum()), -len(line.incidents), project)

    return min(projects, key=record, default="")


def cut(line: Line, project: str, end: dt.date | None) -> Line:
    """The project's part, up to a day: versions trained, incidents come about and batches begun by then."""
    until = pd.Timestamp(end) + pd.Timedelta(days=1) if end else pd.Timestamp.max

    def of(rows: pd.DataFrame, when: str = "") -> pd.DataFrame:
        kept = rows["project"] == project
        return rows[kept & ~(rows[when] >= until) if when else kept].reset_index(drop=True)

    models = of(line.models, "trained_at")
    trained = models["model_version"]
    compared = line.compared[line.compared["model_version"].isin(trained)].reset_index(drop=True)
    batches = of(line.batches, "labelled_at")
    used = line.trained[line.trained["trained_at"] < until]
    return Line(
        project,
        batches.assign(state=steps.standing(batches, used)),
        models,
        line.weighted[line.weighted["model_version"].isin(trained)].reset_index(drop=True),
        compared,
        of(line.incidents, "occurred_at"),
        of(line.untimely),
        line.trained,
        line.missing,
        (*line.stamp, project, end),
    )


@st.cache_resource(**READ_ONLY)
def one(snapshot: Snapshot, project: str, end: dt.date | None) -> Line:
    """One project's part, up to a day."""
    return cut(whole(snapshot), project, end)
