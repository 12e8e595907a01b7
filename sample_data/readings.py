"""What the planted events do to judgements: labels read as others, fatigue, the pull of the answer shown first."""

from __future__ import annotations

import numpy as np

from sample_data import events, world
from sample_data.judged import Items
from sample_data.roster import Roster
from sample_data.scales import scales

PREFERENCE = np.array([p.task_type == "preference" for p in world.PROJECTS])
POSITION_BIAS = 0.05  # of preference judgements take the answer shown first

_f32 = np.float32


def active(event: events.Event, roster: Roster, day: np.ndarray) -> np.ndarray | None:
    """Where an event holds on these days, or None when it holds on none of them."""
    first, last = event.span(roster.days)
    here = (day >= first) & (day < last)
    return here if here.any() else None


def in_slice(event: events.Event, project: np.ndarray, language: np.ndarray, policy: np.ndarray) -> np.ndarray:
    """Where an event's project, language and policy hold."""
    here = project == world.PROJECT_INDEX[str(event.where["project"])]
    if "language" in event.where:
        here = here & (language == world.LANGUAGE_INDEX[str(event.where["language"])])
    if "policy" in event.where:
        here = here & (policy == world.POLICY_INDEX[str(event.where["policy"])])
    return here


def misread(
    rng: np.random.Generator, roster: Roster, items: Items, item: np.ndarray, rd: np.ndarray, label: np.ndarray
) -> None:
    """Apply, in place, the events in which some labels are read as another, and the spammers."""
    look = scales()
    day = roster.pod_day[items.pod[item]]
    for event in events.in_sample(roster.days):
        if not event.to_label or event.raters or (here := active(event, roster, day)) is None:
            continue
        here &= in_slice(event, items.project[item], items.language[item], items.policy[item])
        if "region" in event.where:
            region = np.array([world.SITES[pool.site][0] == event.where["region"] for pool in world.POOLS])
            here &= region[roster.pool[rd]]
        p = world.PROJECT_INDEX[str(event.where["project"])]
        here &= np.isin(items.truth[item], [look.code(p, name) for name in event.from_label])
        rows = np.flatnonzero(here)
        rows = rows[rng.random(len(rows), dtype=_f32) < event.size]
        label[rows] = look.code(p, event.to_label)
    spam = roster.spam_label[rd]
    rows = np.flatnonzero(spam >= 0)
    if len(rows):
        project = items.project[item[rows]]
        any_label = look.offset[project] + (rng.random(len(rows)) * look.size[project]).astype(int)
        constant = rng.random(len(rows), dtype=_f32) < events.by_kind("spammers").size
        label[rows] = np.where(constant, spam[rows], any_label)


def prefer_first(
    rng: np.random.Generator, roster: Roster, items: Items, item: np.ndarray, rd: np.ndarray, label: np.ndarray
) -> np.ndarray:
    """Which answer was shown first (True: a), and in place the choices that only follow the order."""
    first_a = np.zeros(len(item), dtype=bool)
    rows = np.flatnonzero(PREFERENCE[items.project[item]])
    first_a[rows] = rng.random(len(rows), dtype=_f32) < 0.5
    bias = np.full(len(rows), POSITION_BIAS, dtype=_f32)
    event = events.by_kind("position_bias")
    if event in events.in_sample(roster.days) and (here := active(event, roster, roster.day[rd[rows]])) is not None:
        here &= items.project[item[rows]] == world.PROJECT_INDEX[str(event.where["project"])]
        here &= roster.pool[rd[rows]] == world.POOL_INDEX[str(event.where["pool"])]
        bias[here] = event.size
    taken = rows[rng.random(len(rows), dtype=_f32) < bias]
    look, project = scales(), items.project[item[taken]]
    p10 = project == world.PROJECT_INDEX["P10"]
    a = np.where(p10, look.code(world.PROJECT_INDEX["P10"], "a_better"), look.code(world.PROJECT_INDEX["P09"], "a"))
    b = np.where(p10, look.code(world.PROJECT_INDEX["P10"], "b_better"), look.code(world.PROJECT_INDEX["P09"], "b"))
    label[taken] = np.where(first_a[taken], a, b)
    return first_a


def tire(roster: Roster, rd: np.ndarray, at: np.ndarray, logit: np.ndarray) -> None:
    """Lower, in place, the logit of judgements late in a tired night shift."""
    event = events.by_kind("night_fatigue")
    if event not in events.in_sample(roster.days):
        return
    day = roster.day[rd]
    if (here := active(event, roster, day)) is None:
        return
    here &= roster.pool[rd] == world.POOL_INDEX[str(event.where["pool"])]
    here &= roster.project[rd] == world.PROJECT_INDEX[str(event.where["project"])]
    begins = world.BANDS["night"][0]
    here &= at - day * world.DAY_SECONDS - begins > event.extra["from_hour"] * 3600
    logit[here] += _f32(event.size)
