"""The small tables about projects and people: projects, labels, pools, raters, guidelines, trainings."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd

from sample_data import events, guides, world
from sample_data.roster import Raters

PASS_SCORE = 0.7
ONBOARDING_DUE_DAYS = 12
REFRESHERS = (
    ("policy-refresher-1", 430),
    ("policy-refresher-2", 248),
    ("policy-refresher-3", 66),
)  # due, days before the end
WELLBEING_DUE = (("wellbeing-2025", 370), ("wellbeing-2026", 15))
IDLE_COURSES = (("marketplace-basics", "P04", "POOL-09", 123), ("scales-and-anchors", "P07", "POOL-01", 204))


def _date(days: int, day: int) -> date:
    return world.LAST_DAY - timedelta(days=days - 1 - int(day))


def projects(days: int) -> pd.DataFrame:
    """The projects; those that run all along began a little before the sample."""
    rows = []
    for p in world.PROJECTS:
        back = p.started_days_before_end
        started = _date(days, -75) if back is None else max(world.LAST_DAY - timedelta(days=back), _date(days, -30))
        rows.append((p.project_id, p.name, p.product, p.policy_area, p.task_type, p.label_level, started))
    columns = ["project_id", "name", "product", "policy_area", "task_type", "label_level", "started_on"]
    return pd.DataFrame(rows, columns=columns)


def labels() -> pd.DataFrame:
    """The declared label sets."""
    rows = [
        (p.project_id, label, position, violation, severity)
        for p in world.PROJECTS
        for position, (label, violation, severity) in enumerate(p.labels)
    ]
    return pd.DataFrame(rows, columns=["project_id", "label", "position", "is_violation", "severity"])


def pools() -> pd.DataFrame:
    """The pools with their sites."""
    rows = [(p.pool_id, p.name, p.vendor, p.site, world.SITES[p.site][0], world.SITES[p.site][1]) for p in world.POOLS]
    return pd.DataFrame(rows, columns=["pool_id", "name", "vendor", "site", "region", "timezone"])


def raters(people: Raters, days: int) -> pd.DataFrame:
    """The raters in order of their ids."""
    count = len(people.rater_id)
    frame = pd.DataFrame(
        {
            "rater_id": people.rater_id,
            "alias": [f"Rater {rater_id[2:]}" for rater_id in people.rater_id],
            "pool_id": [world.POOLS[pool].pool_id for pool in people.pool],
            "lead": people.lead,
            "language": [world.DESKS[desk].language for desk in people.desk],
            "locale": people.locale,
            "hired_on": [_date(days, day) for day in people.hired],
            "left_on": [_date(days, day - 1) if day <= days else None for day in people.left],
            "gender": [value or None for value in people.gender],
            "age_band": [value or None for value in people.age_band],
        }
    )
    assert frame["rater_id"].nunique() == count
    return frame.sort_values("rater_id", ignore_index=True)


def guidelines(days: int) -> pd.DataFrame:
    """The guideline versions; the first of a project is in force before the sample begins."""
    rows = []
    for p in world.PROJECTS:
        first = min(_date(days, -30), world.LAST_DAY - timedelta(days=600))
        rows.append((p.project_id, "v1", datetime.combine(first, time()), "First version."))
        for number, (back, summary) in enumerate(guides.VERSIONS[p.project_id], 2):
            day = world.LAST_DAY - timedelta(days=back)
            rows.append((p.project_id, f"v{number}", datetime.combine(day, time()), summary))
    return pd.DataFrame(rows, columns=["project_id", "version", "effective_from", "summary"])


def trainings(rng: np.random.Generator, people: Raters, days: int) -> pd.DataFrame:
    """Courses due and taken: onboarding, refreshers, wellbeing, and those that belong to a change."""
    desk_project = np.array([desk.project_id for desk in world.DESKS])[people.desk]
    pool = np.array([p.pool_id for p in world.POOLS])[people.pool]
    plans: list[tuple[str, np.ndarray, np.ndarray, int | None]] = []
    everyone = np.ones(len(people.hired), dtype=bool)
    plans.append(("onboarding", everyone, people.hired + ONBOARDING_DUE_DAYS, None))
    for course, back in REFRESHERS:
        plans.append((course, everyone, np.full(len(everyone), days - 1 - back), None))
    for course, back in WELLBEING_DUE:
        plans.append((course, everyone, np.full(len(everyone), days - 1 - back), 365))
    helped = events.by_kind("training")
    here = (desk_project == helped.where["project"]) & (pool == helped.where["pool"])
    plans.append(("evidence-checking", here, np.full(len(here), helped.span(days)[0] + 2), None))
    for course, project_id, pool_id, back in IDLE_COURSES:
        here = (desk_project == project_id) & (pool == pool_id)
        plans.append((course, here, np.full(len(here), days - 1 - back), None))
    rows = []
    for course, who, due, valid_days in plans:
        employed = who & (people.hired <= due) & (people.left > due) & ((due >= 0) | (course == "onboarding"))
        for r in np.flatnonzero(employed & (due < days + 30)):
            lag = int(np.round(rng.normal(-4.0, 3.0))) if rng.random() < 0.94 else int(rng.integers(1, 25))
            done = int(max(due[r] + lag, people.hired[r]))
            taken = rng.random() < 0.975 and done < days
            score = float(np.round(np.clip(rng.beta(14, 3), 0.3, 1.0), 2)) if taken else None
            expires = _date(days, done + valid_days) if taken and valid_days else None
            completed = _date(days, done) if taken else None
            passed = None if score is None else score >= PASS_SCORE
            rows.append((people.rater_id[r], course, _date(days, due[r]), completed, score, passed, expires))
    columns = ["rater_id", "course", "due_on", "completed_on", "score", "passed", "expires_on"]
    return pd.DataFrame(rows, columns=columns).sort_values(["due_on", "rater_id", "course"], ignore_index=True)
