"""How much work arrives: items per pod and day, when each is worked on, and how long it had waited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample_data import events, world
from sample_data.roster import Roster

POLICY_SLOTS, CONTENT_SLOTS = 3, 2  # a pod's day spans at most 3 policies and 2 content types
MAX_WAIT_SECONDS = int(6.5 * world.DAY_SECONDS)
MIN_WAIT_SECONDS = 90
CHUNK_ANNOTATIONS = 700_000
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Arrivals:
    """Items in order of creation: their pod, first submission and creation (seconds since the first day)."""

    pod: np.ndarray
    worked: np.ndarray
    created: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What every pod will do on its day."""

    items: np.ndarray  # expected number of items
    policy: np.ndarray  # (pod, slot) -> policy code
    content: np.ndarray  # (pod, slot) -> content type code
    chunk_days: int


def _volume_factor(roster: Roster, days: int) -> np.ndarray:
    """Per pod: the day's volume against a normal day (trend, season, surges, one-off dips)."""
    day, project = roster.pod_day.astype(float), roster.pod_project
    trend = np.array([p.trend_per_year for p in world.PROJECTS])[project]
    factor = (1.0 + trend) ** ((day - days) / 365.0) * (1.0 + 0.06 * np.sin(2 * np.pi * (day - days + 40.0) / 182.0))
    for event in events.in_sample(days):
        first, last = event.span(days)
        here = (roster.pod_day >= first) & (roster.pod_day < last)
        if "project" in event.where:
            here &= project == world.PROJECT_INDEX[str(event.where["project"])]
        if event.kind == "backlog_surge":
            factor = np.where(here, factor * event.extra["volume"], factor)
        elif event.kind == "harmless_small_n":
            here &= roster.pod_language == world.LANGUAGE_INDEX[str(event.where["language"])]
            factor = np.where(here, factor * event.size, factor)
    return factor


def _systematic(points: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The position each point (0..1) falls on when the shares lie end to end."""
    return np.searchsorted(np.cumsum(shares) / shares.sum(), points, side="right").clip(max=len(shares) - 1)


def plan(rng: np.random.Generator, roster: Roster, annotations: int) -> Plan:
    """Expected items, policies and content types of every pod, so that all pods together make ``annotations`` rows.

    Policies are dealt to the pods systematically, not at random: shares then hold week by week.
    """
    days, pods = roster.days, len(roster.pod_day)
    items = roster.pod_size.astype(float) * _volume_factor(roster, days) * rng.lognormal(0.0, 0.08, pods)
    policy = np.zeros((pods, POLICY_SLOTS), dtype=np.int8)
    content = np.zeros((pods, CONTENT_SLOTS), dtype=np.int8)
    counted = roster.pod_day < days
    shares = {p.project_id: p.share for p in world.PROJECTS}
    mix = next((event for event in events.in_sample(days) if event.kind == "mix_shift"), None)
    for p, project in enumerate(world.PROJECTS):
        mine = np.flatnonzero(roster.pod_project == p)
        wanted = annotations * shares[project.project_id] / sum(shares.values()) / project.rows_per_item
        items[mine] *= wanted / items[mine][counted[mine]].sum()
        order = mine[np.argsort(roster.pod_language[mine], kind="stable")]  # a language's pods follow each other
        rank = np.arange(len(order))
        points = (rank * GOLDEN + rng.random())[:, None] + np.arange(POLICY_SLOTS) / POLICY_SLOTS
        codes = np.array([world.POLICY_INDEX[policy_.name] for policy_ in project.policies])
        weights = np.array([policy_.share for policy_ in project.policies])
        policy[order] = codes[_systematic(points % 1.0, weights)]
        if mix is not None and mix.where["project"] == project.project_id:
            shifted = np.array([policy_.name == mix.where["policy"] for policy_ in project.policies])
            weights = np.where(shifted, mix.size, weights * (1 - mix.size) / weights[~shifted].sum())
            late = roster.pod_day[order] >= mix.span(days)[0]
            policy[order[late]] = codes[_systematic(points[late] % 1.0, weights)]
        points = (rank * GOLDEN * GOLDEN + rng.random())[:, None] + np.arange(CONTENT_SLOTS) / CONTENT_SLOTS
        codes = np.array([world.CONTENT_TYPES.index(name) for name, _, _ in project.content_types])
        weights = np.array([share for _, share, _ in project.content_types])
        content[order] = codes[_systematic(points % 1.0, weights)]
    per_day = annotations / days
    return Plan(items, policy, content, chunk_days=int(np.clip(CHUNK_ANNOTATIONS / per_day, 1, 56)))


def _draw(rng: np.random.Generator, roster: Roster, items: np.ndarray, first: int, last: int) -> Arrivals:
    """The items worked on in a range of days, in no order yet."""
    here = np.arange(np.searchsorted(roster.pod_day, first), np.searchsorted(roster.pod_day, last))
    here = here[roster.pod_size[here] > 0]
    pod = np.repeat(here, rng.poisson(items[here])).astype(np.int32)
    count = len(pod)
    bands = np.array(list(world.BANDS.values()))
    begins, length = bands[roster.pod_band[pod]].T
    worked = roster.pod_day[pod] * world.DAY_SECONDS + begins + (rng.random(count, dtype=np.float32) * 0.88 * length)
    median = np.array([p.wait_median_hours * 3600.0 for p in world.PROJECTS], dtype=np.float32)[roster.pod_project[pod]]
    for event in events.in_sample(roster.days):
        if event.kind == "backlog_surge":
            start, end = event.span(roster.days)
            day = roster.pod_day[pod]
            surge = (
                (day >= start)
                & (day < end)
                & (roster.pod_project[pod] == world.PROJECT_INDEX[str(event.where["project"])])
            )
            median = np.where(surge, median * np.float32(event.size), median)
    wait = median * np.exp(rng.standard_normal(count, dtype=np.float32) * np.float32(0.85))
    wait = np.clip(wait, MIN_WAIT_SECONDS, MAX_WAIT_SECONDS)
    worked = worked.astype(np.int32)
    return Arrivals(pod, worked, worked - wait.astype(np.int32))


def arrivals(seed: int, roster: Roster, work: Plan) -> Iterator[Arrivals]:
    """All items in order of creation, in pieces; items created outside the sample are left out.

    An item worked on later may have been created in a piece's days: each piece is held back by the longest wait.
    """
    days, horizon = roster.days, roster.days + world.EXTRA_DAYS
    held: Arrivals | None = None
    for number, first in enumerate(range(0, horizon, work.chunk_days)):
        last = min(first + work.chunk_days, horizon)
        rng = np.random.Generator(np.random.SFC64([seed, 2, number]))
        drawn = _draw(rng, roster, work.items, first, last)
        if held is not None:
            drawn = Arrivals(
                *(np.concatenate([getattr(held, f), getattr(drawn, f)]) for f in ("pod", "worked", "created"))
            )
        order = np.argsort(drawn.created, kind="stable")
        created = drawn.created[order]
        ready = (
            len(created) if last == horizon else np.searchsorted(created, last * world.DAY_SECONDS - MAX_WAIT_SECONDS)
        )
        low, high = np.searchsorted(created, [0, days * world.DAY_SECONDS])
        out = order[low : min(ready, high)] if low < ready else order[:0]
        held = Arrivals(*(getattr(drawn, f)[order[ready:]] for f in ("pod", "worked", "created")))
        if len(out):
            yield Arrivals(drawn.pod[out], drawn.worked[out], drawn.created[out])
