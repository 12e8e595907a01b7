"""Is the budget enough? Budget against actual and the forecast at completion, by project."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.privacy import TOO_SMALL
from data_access.snapshot import Snapshot
from metrics import budget as budgets
from metrics.unit_cost import BELOW_ZERO
from ui import data
from ui.costs import KEPT, NO_BUDGETS, NO_COSTS, PROJECTS, loaded, small


@dataclass(frozen=True, eq=False)
class Budget:
    """Budget against actual. rows: a row per project and one of all, with the forecast at completion.

    start, end: the months budgeted. as_of: the last day counted. withheld: how many projects are too small for the
    reader; the row of all counts them. below_zero: the projects left out, from the row of all as well, as their costs
    come to less than 0.
    """

    rows: pd.DataFrame
    total: pd.Series | None
    start: dt.date | None = None
    end: dt.date | None = None
    as_of: dt.date | None = None
    reason: str = ""
    left_out: tuple[str, ...] = ()
    withheld: int = 0
    below_zero: tuple[str, ...] = ()


@st.cache_data(**KEPT)
def budget(snapshot: Snapshot, filters: Filters) -> Budget:
    """Budget, actual and forecast at completion of the budgeted months of the year that the period ends in."""
    nothing = Budget(pd.DataFrame(), None)
    if not loaded(snapshot, "budgets"):
        return replace(nothing, reason=NO_BUDGETS)
    if not loaded(snapshot, "costs"):
        return replace(nothing, reason=NO_COSTS)
    kept = {n: v for n, v in filters.where if n in PROJECTS}
    left_out = tuple(n for n, _ in filters.where if n not in PROJECTS)
    if not filters.end or snapshot.meta.last_day is None:
        return replace(nothing, reason="there is no period")
    as_of = min(filters.end, snapshot.meta.last_day)
    year = Filters.of(kept, as_of.replace(month=1, day=1), as_of)
    rows = data.sums(snapshot, "ledger", ("cost", "accepted_labels"), ("day", "project"), year)
    rows = rows.assign(cost=rows["cost"].astype(float).fillna(0), accepted_labels=rows["accepted_labels"].fillna(0))
    plan = small(snapshot, "budget")
    plan = plan.assign(month=pd.to_datetime(plan["month"]))
    plan = plan[plan["project_id"].isin(_projects(snapshot, filters)) & (plan["month"].dt.year == as_of.year)]
    if plan.empty:
        return replace(nothing, reason=f"no budget of {as_of.year} for these projects", left_out=left_out)
    # A year that is budgeted from some month on is compared from that month on.
    start = plan["month"].min()
    rows = rows[pd.to_datetime(rows["day"]) >= start]
    end = (plan["month"].max() + pd.offsets.MonthEnd(0)).date()
    names = snapshot.names["project"]
    few = {project for (project,) in data.too_small(snapshot, ("project",), year)}
    sums = rows.groupby("project")["cost"].sum()
    refunded = set(sums.index[sums < 0])
    below = tuple(names.get(p, p) for p in plan["project_id"].drop_duplicates() if p in refunded - few)
    plan, rows = plan[~plan["project_id"].isin(refunded)], rows[~rows["project"].isin(refunded)]
    if plan.empty:
        return replace(nothing, reason=BELOW_ZERO, left_out=left_out, below_zero=below)
    actual = rows.rename(columns={"project": "project_id"})
    earned = budgets.earned_value(actual, plan, as_of)
    weeks_left = max((end - as_of).days / 7, 0.0)
    weekly = _weekly(rows, start, as_of)
    made = _weekly(rows, start, as_of, "accepted_labels")
    limits = plan.groupby("project_id")["amount"].sum()
    found, withheld = [], 0
    for row in earned.to_dict("records"):
        project = row["project_id"]
        if project not in limits.index:
            continue
        if project in few:
            withheld += 1
            continue
        series, before = weekly.get(project, (np.zeros(0), 0.0))
        forecast = budgets.forecast_at_completion(
            series, weeks_left=weeks_left, budget=float(limits[project]), spent_before=before
        )
        work = _by_work(row, series, made.get(project), before, float(limits[project]))
        found.append({**row, **_completion(forecast), **work, "label": names.get(project, project)})
    if not found:
        return replace(nothing, reason=TOO_SMALL, left_out=left_out, withheld=withheld, below_zero=below)
    with_plan = [weekly[p] for p in limits.index if p in weekly]
    length = max((len(s) for s, _ in with_plan), default=0)
    total = sum((s for s, _ in with_plan), np.zeros(length))
    whole = budgets.forecast_at_completion(
        total, weeks_left=weeks_left, budget=float(limits.sum()), spent_before=sum(b for _, b in with_plan)
    )
    table = pd.DataFrame(found)
    planned = earned[earned["project_id"].isin(limits.index)]
    summed = planned[["budget", "budget_to_date", "actual"]].sum()
    table = table.sort_values(["over_budget", "at_completion"], ascending=False, kind="stable", na_position="last")
    return Budget(
        table.reset_index(drop=True),
        pd.Series({**summed, **_completion(whole), "label": "All"}),
        start.date(),
        end,
        as_of,
        "",
        left_out,
        withheld,
        below,
    )


def _projects(snapshot: Snapshot, filters: Filters) -> set[str]:
    """The projects that the reader may see and the filters leave."""
    rows = small(snapshot, "project").rename(columns={"project_id": "project"})
    scope = data.current_scope()
    keep = rows["project"].notna() if scope.projects is None else rows["project"].isin(scope.projects)
    for name in PROJECTS:
        if filters.values(name):
            keep &= rows[name].isin(filters.values(name))
    return set(rows.loc[keep, "project"])


def _weekly(
    rows: pd.DataFrame, start: pd.Timestamp, as_of: dt.date, column: str = "cost"
) -> dict[str, tuple[np.ndarray, float]]:
    """The column by weeks of seven days that end on ``as_of``, and what it was before the first of them, by project."""
    weeks = ((pd.Timestamp(as_of) - start).days + 1) // 7
    back = (pd.Timestamp(as_of) - pd.to_datetime(rows["day"])).dt.days.to_numpy() // 7
    spent, found = rows[column].to_numpy(float), {}
    for project, places in rows.groupby("project").indices.items():
        at, cost = back[places], spent[places]
        series = np.bincount(at, weights=cost, minlength=weeks + 1)
        found[str(project)] = (series[:weeks][::-1], float(series[weeks:].sum()))
    return found


def _by_work(
    row: dict, series: np.ndarray, made: tuple[np.ndarray, float] | None, before: float, limit: float
) -> dict[str, object]:
    """The forecast by work left of a project, as work_at_completion, work_low, work_high, work_reason."""
    planned = float(row["planned_labels"])
    if not planned > 0:
        missing = float("nan")
        return {
            "work_at_completion": missing,
            "work_low": missing,
            "work_high": missing,
            "work_reason": budgets.NO_PLAN,
        }
    labels, earlier = made or (np.zeros(len(series)), 0.0)
    forecast = _completion(
        budgets.forecast_at_completion(
            series,
            weekly_labels=labels,
            planned_labels=planned,
            budget=limit,
            spent_before=before,
            labels_before=earlier,
        )
    )
    return {f"work_{name}": forecast[name] for name in ("at_completion", "low", "high")} | {
        "work_reason": forecast["forecast_reason"]
    }


def _completion(forecast: budgets.Forecast) -> dict[str, object]:
    end = forecast.at_completion
    missing = float("nan")
    return {
        "at_completion": missing if end.value is None else end.value,
        "low": missing if end.low is None else end.low,
        "high": missing if end.high is None else end.high,
        "over_budget": missing if forecast.over_budget is None else forecast.over_budget,
        "forecast_reason": end.reason or forecast.note,
        "weeks": end.n,
    }
