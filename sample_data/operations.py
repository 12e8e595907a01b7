"""Hours and money, which follow from the work done: shifts, costs, budgets; and changes, escalations."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from data_access.tables import COST_KINDS
from sample_data import events, world
from sample_data.roster import Roster
from sample_data.tally import Tally
from sample_data.write import start_of

TOOLING_SHARE, TRAINING_SHARE, FEE_SHARE = 0.07, 0.025, 0.09  # of the paid hours' cost
BREAK_SHARE = 0.10  # of paid time
DIRECT = ("labour", "review", "rework")
ESCALATIONS_PER_WEEK = 3.5


def hours(rng: np.random.Generator, roster: Roster, tally: Tally) -> pd.DataFrame:
    """Per rater-day with work: active, sensitive, logged and scheduled seconds, with the codes costs need."""
    active = tally.label_seconds + tally.review_seconds + tally.rework_seconds
    rows = np.flatnonzero((active > 0) & (roster.day < roster.days))
    pool, day = roster.pool[rows], roster.day[rows]
    utilisation = np.array([p.utilisation for p in world.POOLS])[pool] + rng.normal(0.0, 0.025, len(rows))
    for event in events.in_sample(roster.days):
        if event.kind == "idle_time":
            first, last = event.span(roster.days)
            here = (pool == world.POOL_INDEX[str(event.where["pool"])]) & (day >= first) & (day < last)
            utilisation = np.where(here, utilisation * event.size, utilisation)
    logged = active[rows] / np.clip(utilisation, 0.5, 0.92)
    return pd.DataFrame(
        {
            "rater": roster.rater[rows],
            "day": day,
            "project": roster.project[rows],
            "pool": pool,
            "label": tally.label_seconds[rows],
            "review": tally.review_seconds[rows],
            "rework": tally.rework_seconds[rows],
            "active": active[rows],
            "sensitive": tally.sensitive_seconds[rows],
            "logged": logged,
            "scheduled": logged * rng.uniform(1.02, 1.09, len(rows)),
        }
    )


def shifts(rng: np.random.Generator, roster: Roster, worked: pd.DataFrame) -> pd.DataFrame:
    """The shifts table, by day and rater. Breaks, training and wellness take about a tenth of the paid time."""
    away = rng.normal(BREAK_SHARE, 0.015, len(worked)).clip(0.03, 0.2)
    available = np.maximum(worked["logged"] * (1 - away), worked["active"])
    frame = pd.DataFrame(
        {
            "rater_id": roster.raters.rater_id[worked["rater"]],
            "work_date": start_of(roster.days) + worked["day"].to_numpy().astype("timedelta64[D]"),
            "scheduled_seconds": worked["scheduled"].round(1),
            "logged_seconds": worked["logged"].round(1),
            "active_seconds": worked["active"].round(1),
            "sensitive_seconds": worked["sensitive"].round(1),
            "available_seconds": available.round(1),
        }
    )
    return frame.sort_values(["work_date", "rater_id"], ignore_index=True)


def _rates(roster: Roster, worked: pd.DataFrame, planned: bool) -> np.ndarray:
    """The hourly rate of each rater-day; ``planned`` leaves the cost overrun out."""
    rate = np.array([p.usd_per_hour for p in world.POOLS])[worked["pool"]]
    for event in events.in_sample(roster.days):
        if event.kind == "cost_overrun" and not planned:
            first, last = event.span(roster.days)
            here = (worked["pool"] == world.POOL_INDEX[str(event.where["pool"])]) & (worked["day"] >= first)
            here &= (worked["day"] < last) & (worked["project"] == world.PROJECT_INDEX[str(event.where["project"])])
            rate = np.where(here, rate * event.size, rate)
    return rate


def _direct(roster: Roster, worked: pd.DataFrame, planned: bool = False) -> np.ndarray:
    """Cost of paid hours by (day, project, pool, kind): logged time is shared out as active time was."""
    per_active = worked["logged"].to_numpy() / worked["active"].to_numpy() / 3600.0 * _rates(roster, worked, planned)
    shape = (roster.days, len(world.PROJECTS), len(world.POOLS))
    cell = np.ravel_multi_index((worked["day"], worked["project"], worked["pool"]), shape)
    kinds = [
        np.bincount(cell, weights=worked[column].to_numpy() * per_active, minlength=int(np.prod(shape))).reshape(shape)
        for column in ("label", "review", "rework")
    ]
    return np.stack(kinds, axis=-1)


def costs(rng: np.random.Generator, roster: Roster, worked: pd.DataFrame) -> pd.DataFrame:
    """The costs table: hours by day; tooling by day; training and the vendors' fee by week, on its last day."""
    direct = _direct(roster, worked)
    paid = direct.sum(axis=-1)
    weekly = np.zeros_like(paid)
    weekly[6::7] = paid.reshape(-1, 7, *paid.shape[1:]).sum(axis=1)
    jitter = rng.uniform(0.85, 1.15, (2, *paid.shape))
    amounts = {kind: direct[..., i] for i, kind in enumerate(DIRECT)}
    amounts["tooling"] = paid * TOOLING_SHARE * jitter[0]
    amounts["training"] = weekly * TRAINING_SHARE * jitter[1]
    amounts["fee"] = weekly * FEE_SHARE
    cells = np.stack([amounts[kind] for kind in COST_KINDS], axis=-1)
    day, project, pool, kind = np.nonzero(cells > 0.0)
    return pd.DataFrame(
        {
            "cost_date": start_of(roster.days) + day.astype("timedelta64[D]"),
            "project_id": np.array([p.project_id for p in world.PROJECTS])[project],
            "pool_id": np.array([p.pool_id for p in world.POOLS])[pool],
            "kind": np.array(COST_KINDS)[kind],
            "amount": cells[day, project, pool, kind].round(4),
        }
    )


def budgets(rng: np.random.Generator, roster: Roster, worked: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """The plan of each project's month: near what the work costs at agreed rates; the last month is planned whole."""
    planned = _direct(roster, worked, planned=True).sum(axis=(2, 3)) * (1 + TOOLING_SHARE + TRAINING_SHARE + FEE_SHARE)
    dates = [world.LAST_DAY - timedelta(days=roster.days - 1 - d) for d in range(roster.days)]
    months = sorted({day.replace(day=1) for day in dates})
    month_of = np.array([months.index(day.replace(day=1)) for day in dates])
    rows = []
    for p, project in enumerate(world.PROJECTS):
        money = np.bincount(month_of, weights=planned[:, p], minlength=len(months))
        counts = np.bincount(month_of, weights=tally.accepted[p], minlength=len(months))
        for m, month in enumerate(months):
            whole = 1.0
            if m == len(months) - 1:
                following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
                whole = (following - month).days / world.LAST_DAY.day
            if money[m] > 0:
                amount = money[m] * whole * float(np.exp(rng.normal(0.03, 0.045)))
                labels = counts[m] * whole * float(np.exp(rng.normal(0.02, 0.04)))
                rows.append((project.project_id, month, float(f"{amount:.3g}"), round(labels)))
    return pd.DataFrame(rows, columns=["project_id", "month", "amount", "planned_labels"])


def changes(days: int) -> pd.DataFrame:
    """What operations changed: the changes behind planted events, and some that did nothing."""
    first = world.first_day(days // 7)
    rows: list[tuple[str, str | None, str | None, date, date | None, str]] = []
    for event in events.EVENTS:
        if event.change is not None and event.starts_on >= first:
            kind, project, pool, summary = event.change
            lasting = event.ends_on is None or kind in ("vendor", "training", "model", "guideline")
            rows.append((kind, project, pool, event.starts_on, None if lasting else event.ends_on, summary))
    for kind, project, pool, begins, ends, summary in events.IDLE_CHANGES:
        starts_on = world.LAST_DAY - timedelta(days=begins)
        if starts_on >= first:
            rows.append(
                (
                    kind,
                    project,
                    pool,
                    starts_on,
                    None if ends is None else world.LAST_DAY - timedelta(days=ends),
                    summary,
                )
            )
    rows.sort(key=lambda row: (row[3], row[5]))
    frame = pd.DataFrame(rows, columns=["kind", "project_id", "pool_id", "starts_on", "ends_on", "summary"])
    frame.insert(0, "change_id", [f"CH-{n:03d}" for n in range(1, len(frame) + 1)])
    frame["randomised"] = False
    return frame


_MATTERS = (
    ("guideline_question", 1, "Raters disagree how to read a clause."),
    ("tool_outage", 2, "The labelling tool was slow or down."),
    ("wellbeing", 2, "A team asked for lighter content."),
    ("client_request", 1, "The product team asks for a faster turnaround."),
    ("quality_alert", 2, "An audit found a cluster of errors."),
    ("data_access", 3, "An export went to the wrong folder."),
)


def escalations(rng: np.random.Generator, days: int) -> pd.DataFrame:
    """Matters raised beyond the queue: a steady few a week, and one some days after each event with a change."""
    start = start_of(days).astype("datetime64[s]")
    count = int(rng.poisson(ESCALATIONS_PER_WEEK * days / 7))
    opened = list(np.sort(rng.uniform(0, days, count)))
    matter = list(rng.choice(len(_MATTERS), count, p=[0.32, 0.16, 0.12, 0.2, 0.17, 0.03]))
    desks = rng.integers(0, len(world.DESKS), count)
    where = [(world.DESKS[d].project_id, world.DESKS[d].seats[-1][0]) for d in desks]
    for event in events.in_sample(days):
        if event.change is not None and "project" in event.where:
            opened.append(event.span(days)[0] + 4.4)
            matter.append(4)
            where.append((str(event.where["project"]), event.change[2]))
    rows = []
    for i in np.argsort(opened, kind="stable"):
        kind, severity, summary = _MATTERS[matter[i]]
        due = opened[i] + (1.0 if severity == 3 else 3.0)
        resolved = opened[i] + float(rng.lognormal(0.5, 0.8))
        stamps = [start + np.timedelta64(int(moment * world.DAY_SECONDS), "s") for moment in (opened[i], due, resolved)]
        pool = where[i][1] if rng.random() < 0.7 else None
        rows.append((where[i][0], pool, kind, severity, *stamps[:2], stamps[2] if resolved < days else None, summary))
    columns = ["project_id", "pool_id", "kind", "severity", "opened_at", "due_at", "resolved_at", "summary"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(0, "escalation_id", [f"E-{n:04d}" for n in range(1, len(frame) + 1)])
    return frame
