"""What raters make of the items: labels, reviews, rework, times. All arrays, no loop over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data import events, world
from sample_data.judged import ACCEPTED, LABEL, REJECTED, REVIEW, SKIPPED, SUBMITTED, Annotations, Items
from sample_data.readings import active, in_slice, misread, prefer_first, tire
from sample_data.roster import Roster
from sample_data.scales import TRUTH_SLOTS, WRONG_SLOTS, scales
from sample_data.volume import CONTENT_SLOTS, POLICY_SLOTS, Arrivals, Plan

SAME_MISTAKE = 0.65  # of the errors on an item fall on its own tempting wrong label
REWORK_SHARE = 0.75  # of the rejected first judgements are done again
REVIEWER_BONUS_LOGITS, REMARK_BONUS_LOGITS = 0.7, 0.8
DIFFICULTY_SD_LOGITS = 0.75
DIFFICULTY_LOG_TIME = 0.16
HANDLE_SD_LOG = 0.50
REVIEW_TIME_FACTOR, SKIP_TIME_FACTOR = 0.6, 0.45
VIOLATION_LOGITS = -0.25  # a violation is a little easier to miss than a permitted item is to hit
LATE_DAYS, LATE_SHARE = 4, 0.15  # some work of the last days has not come to review yet, most of it on the last
UNDECIDED_OF_LATE = 12  # one in so many of these is not decided either: more would be a backlog no other day has
REVIEW_LAG_SECONDS, REWORK_LAG_SECONDS = 1_800, 3_000
MAX_SECONDS = 3_600.0

_f32 = np.float32


def _ratings_table() -> np.ndarray:
    """Number of first-stage judgements, by (project, gold or not, slot of 256)."""
    table = np.ones((len(world.PROJECTS), 2, 256), dtype=np.int8)
    for p, project in enumerate(world.PROJECTS):
        for gold, shares in enumerate((project.ratings, project.gold_ratings)):
            edges = np.cumsum(shares) / sum(shares)
            table[p, gold] = 1 + np.searchsorted(edges, (np.arange(256) + 0.5) / 256)
    return table


def _policy_table(attribute: str) -> np.ndarray:
    """A number of each (project, policy)."""
    table = np.zeros((len(world.PROJECTS), len(world.POLICIES)), dtype=_f32)
    for p, project in enumerate(world.PROJECTS):
        for policy in project.policies:
            table[p, world.POLICY_INDEX[policy.name]] = getattr(policy, attribute)
    return table


def _content_table() -> np.ndarray:
    """Log handle-time offset of each (project, content type)."""
    table = np.zeros((len(world.PROJECTS), len(world.CONTENT_TYPES)), dtype=_f32)
    for p, project in enumerate(world.PROJECTS):
        for name, _, offset in project.content_types:
            table[p, world.CONTENT_TYPES.index(name)] = offset
    return table


def _per_project(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=_f32)


RATINGS = _ratings_table()
HARDNESS = _policy_table("hardness")
CONTENT_LOG = _content_table()
EASE = _per_project([p.ease for p in world.PROJECTS])
GOLD_SHARE = _per_project([p.gold_share for p in world.PROJECTS])
REVIEW_SHARE = _per_project([p.review_share for p in world.PROJECTS])
SKIP_SHARE = _per_project([p.skip_share for p in world.PROJECTS])
HANDLE_LOG = np.log(_per_project([p.handle_median_seconds for p in world.PROJECTS]))


def make_items(rng: np.random.Generator, roster: Roster, work: Plan, arrived: Arrivals) -> Items:
    """The items' content: policy, true label, severity, gold answer; not yet judged."""
    look, pod, count = scales(), arrived.pod, len(arrived.pod)
    project = roster.pod_project[pod]
    language = roster.pod_language[pod]
    slots = rng.integers(0, POLICY_SLOTS * CONTENT_SLOTS, count, dtype=np.uint8)
    policy = work.policy[pod, slots % POLICY_SLOTS]
    content = work.content[pod, slots // POLICY_SLOTS]
    truth = look.truth[project, policy, rng.integers(0, TRUTH_SLOTS, count, dtype=np.uint16)]
    tempting = look.wrong[truth, rng.integers(0, WRONG_SLOTS, count, dtype=np.uint8)]
    severity = look.severity[truth].astype(np.int8)
    severity += (severity == 2) & (policy == world.POLICY_INDEX["child_safety"])
    gold = np.where(rng.random(count, dtype=_f32) < GOLD_SHARE[project], truth, np.int16(-1))
    day = roster.pod_day[pod]
    for event in events.in_sample(roster.days):
        if event.kind == "bad_gold" and (here := active(event, roster, day)) is not None:
            here &= in_slice(event, project, language, policy) & (gold >= 0)
            here &= rng.random(count, dtype=_f32) < event.size
            gold = np.where(here, tempting, gold)
    return Items(
        pod=pod, project=project, language=language, policy=policy, content=content, created=arrived.created,
        worked=arrived.worked, truth=truth, tempting=tempting, severity=severity, gold=gold,
        closed=np.full(count, -1, dtype=np.int32), rows=np.zeros(count, dtype=np.int8),
        week=(arrived.created // (7 * world.DAY_SECONDS)).astype(np.int16),
    )  # fmt: skip


def _correct(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """True with the probability whose logit is given."""
    return rng.random(len(logit), dtype=_f32) * (1 + np.exp(-logit)) < 1


def _labels(rng: np.random.Generator, items: Items, item: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """The labels given: the true one, the item's tempting one, or any other it may be mistaken for."""
    truth = items.truth[item]
    label = truth.copy()
    wrong = np.flatnonzero(~_correct(rng, logit))
    other = scales().wrong[truth[wrong], rng.integers(0, WRONG_SLOTS, len(wrong), dtype=np.uint8)]
    same = rng.random(len(wrong), dtype=_f32) < SAME_MISTAKE
    label[wrong] = np.where(same, items.tempting[item[wrong]], other)
    return label


@dataclass(frozen=True)
class _Work:
    """What judging needs to know of each item."""

    ease: np.ndarray  # logit of a correct judgement by an average rater
    base_log: np.ndarray  # log handle time of an average rater
    ratings: np.ndarray  # number of first-stage judgements
    first: np.ndarray  # position of the first of them
    start: np.ndarray  # place in the pod of the first rater; the others follow in turn
    size: np.ndarray  # first-stage raters in the pod
    shift_end: np.ndarray
    skip_first: np.ndarray  # whether the first rater skips
    pending: np.ndarray  # whether it has not come to review by the last day
    undecided: np.ndarray  # whether its decision is still open


Rows = dict[str, np.ndarray]  # columns of annotations: item, rd (rater-day), label, status, at, handle


def judge(rng: np.random.Generator, roster: Roster, items: Items) -> Annotations:
    """All judgements of the items, and in place the items' closing times and numbers of rows."""
    work = _prepare(rng, roster, items)
    firsts = _first_stage(rng, roster, items, work)
    review = _review(rng, roster, items, work, firsts)
    rework = _rework(rng, roster, items, work, review, _send_back(rng, items, work, firsts, review))
    notes, offset = _merge(items, work, firsts, review, rework)
    _close(rng, items, notes.at, offset, work.undecided, roster.days * world.DAY_SECONDS)
    return notes


def _prepare(rng: np.random.Generator, roster: Roster, items: Items) -> _Work:
    """Difficulty, number of raters and who begins, for every item."""
    count, pod, project = len(items.pod), items.pod, items.project
    difficulty = rng.standard_normal(count, dtype=_f32)
    violating = scales().violation[items.truth]
    ease = EASE[project] - HARDNESS[project, items.policy] - _f32(DIFFICULTY_SD_LOGITS) * difficulty
    ease += np.where(violating, _f32(VIOLATION_LOGITS), _f32(0))
    base_log = HANDLE_LOG[project] + CONTENT_LOG[project, items.content] + _f32(DIFFICULTY_LOG_TIME) * difficulty
    hard = events.by_kind("mix_shift")  # the policy whose share rises is slow at all times
    base_log += in_slice(hard, project, items.language, items.policy) * _f32(hard.extra["handle_log"])

    workable = roster.pod_day[pod] < roster.days
    size = roster.pod_size[pod]
    ratings = RATINGS[project, (items.gold >= 0).astype(np.int8), rng.integers(0, 256, count, dtype=np.uint8)]
    skip_first = rng.random(count, dtype=_f32) < SKIP_SHARE[project] * np.exp(_f32(0.5) * difficulty)
    ratings = np.minimum(ratings + (skip_first & (ratings == 1)), size)  # another rater takes what the only one skipped
    ratings = np.where(workable, ratings, 0)
    start = (rng.random(count, dtype=_f32) * size).astype(np.int32)
    again = (rng.random(count, dtype=_f32) * size).astype(np.int32)
    busy = rng.random(count, dtype=_f32) > roster.capacity[roster.pod_first[pod] + start]  # fast people take on more

    begins, length = np.array(list(world.BANDS.values()))[roster.pod_band[pod]].T
    age = (roster.days - 1 - roster.pod_day[pod]).astype(_f32)
    pending = (age < LATE_DAYS) & (rng.random(count, dtype=_f32) < LATE_SHARE * np.exp(-0.8 * age))
    return _Work(
        ease=ease,
        base_log=base_log,
        ratings=ratings,
        first=np.cumsum(ratings) - ratings,
        start=np.where(busy, again, start),
        size=size,
        shift_end=(roster.pod_day[pod] * world.DAY_SECONDS + begins + length).astype(np.int32),
        skip_first=skip_first,
        pending=pending | ~workable,
        undecided=pending & (np.arange(count) % UNDECIDED_OF_LATE == 0) | ~workable,
    )


def _handle(rng: np.random.Generator, roster: Roster, work: _Work, item: np.ndarray, rd: np.ndarray) -> np.ndarray:
    """Handle times in seconds: the item's, the rater's, and chance."""
    noise = _f32(HANDLE_SD_LOG) * rng.standard_normal(len(item), dtype=_f32)
    return np.exp(work.base_log[item] + roster.slow[rd] + noise)


def _first_stage(rng: np.random.Generator, roster: Roster, items: Items, work: _Work) -> Rows:
    """The first-stage rows, item by item; also each row's slot within its item and which answer was shown first."""
    item = np.repeat(np.arange(len(items.pod), dtype=np.int32), work.ratings)
    slot = (np.arange(len(item), dtype=np.int32) - work.first[item]).astype(np.int32)
    rd = (roster.pod_first[items.pod[item]] + (work.start[item] + slot) % work.size[item]).astype(np.int32)
    later = rng.random(len(item), dtype=_f32) ** 3  # the others follow, mostly soon, before the shift ends
    left = (work.shift_end - items.worked)[item]
    at = items.worked[item] + np.where(slot > 0, later * left, 0).astype(np.int32)
    logit = work.ease[item] + roster.skill[rd]
    tire(roster, rd, at, logit)
    label = _labels(rng, items, item, logit)
    misread(rng, roster, items, item, rd, label)
    shown = prefer_first(rng, roster, items, item, rd, label)
    skips = rng.random(len(item), dtype=_f32) < SKIP_SHARE[items.project[item]]
    skipped = np.where(slot == 0, work.skip_first[item], skips)
    label[skipped] = -1
    status = np.where(work.undecided[item], np.int8(SUBMITTED), np.int8(ACCEPTED))
    status[skipped] = SKIPPED
    handle = _handle(rng, roster, work, item, rd) * np.where(skipped, _f32(SKIP_TIME_FACTOR), _f32(1))
    rows = {"item": item, "rd": rd, "label": label, "status": status, "at": at, "handle": handle}
    return rows | {"slot": slot, "shown": shown}


def _review(rng: np.random.Generator, roster: Roster, items: Items, work: _Work, firsts: Rows) -> Rows:
    """The review rows: the reviewer is better, and when wrong agrees with the first judgement."""
    drawn = rng.random(len(items.pod), dtype=_f32) < REVIEW_SHARE[items.project]
    drawn &= (roster.pod_reviewers[items.pod] > 0) & (work.ratings > 0) & ~work.pending
    item = np.flatnonzero(drawn).astype(np.int32)
    pod = items.pod[item]
    reviewer = (rng.random(len(item), dtype=_f32) * roster.pod_reviewers[pod]).astype(np.int32)
    rd = (roster.pod_first[pod] + roster.pod_size[pod] + reviewer).astype(np.int32)
    given = _labels(rng, items, item, work.ease[item] + roster.skill[rd] + _f32(REVIEWER_BONUS_LOGITS))
    own = firsts["label"][work.first[item]]
    given = np.where((given != items.truth[item]) & (own >= 0), own, given)
    judged = np.flatnonzero(work.ratings > 0)
    latest = np.zeros(len(items.pod), dtype=np.int32)
    latest[judged] = np.maximum.reduceat(firsts["at"], work.first[judged]) if len(judged) else 0
    earliest = latest[item] + 60
    gap = rng.random(len(item), dtype=_f32) ** 2
    when = earliest + (gap * (work.shift_end[item] + REVIEW_LAG_SECONDS - earliest)).astype(np.int32)
    handle = _handle(rng, roster, work, item, rd) * _f32(REVIEW_TIME_FACTOR)
    status = np.full(len(item), ACCEPTED, dtype=np.int8)
    return {"item": item, "rd": rd, "label": given, "status": status, "at": when, "handle": handle}


def _send_back(rng: np.random.Generator, items: Items, work: _Work, firsts: Rows, review: Rows) -> np.ndarray:
    """Mark as rejected, in place, what a review contradicts; the positions in ``review`` that are done again."""
    verdict = np.full(len(items.pod), -1, dtype=np.int16)
    verdict[review["item"]] = review["label"]
    verdict = verdict[firsts["item"]]
    firsts["status"][(verdict >= 0) & (firsts["label"] >= 0) & (firsts["label"] != verdict)] = REJECTED
    item = review["item"]
    rejected = firsts["status"][work.first[item]] == REJECTED
    rejected &= work.ratings[item] < work.size[item]  # someone is left who has not judged it
    return np.flatnonzero(rejected & (rng.random(len(item), dtype=_f32) < REWORK_SHARE))


def _rework(
    rng: np.random.Generator, roster: Roster, items: Items, work: _Work, review: Rows, redo: np.ndarray
) -> Rows:
    """The rework rows: the next rater of the pod, with the reviewer's remark at hand, after the review."""
    item = review["item"][redo]
    place = (work.start[item] + work.ratings[item]) % work.size[item]
    rd = (roster.pod_first[items.pod[item]] + place).astype(np.int32)
    given = _labels(rng, items, item, work.ease[item] + roster.skill[rd] + _f32(REMARK_BONUS_LOGITS))
    when = review["at"][redo] + 30 + (rng.random(len(item), dtype=_f32) * REWORK_LAG_SECONDS).astype(np.int32)
    handle = _handle(rng, roster, work, item, rd)
    status = np.full(len(item), ACCEPTED, dtype=np.int8)
    return {"item": item, "rd": rd, "label": given, "status": status, "at": when, "handle": handle}


def _merge(items: Items, work: _Work, firsts: Rows, review: Rows, rework: Rows) -> tuple[Annotations, np.ndarray]:
    """All rows in order of item (firsts, review, rework), and each item's first row; sets the items' row counts."""
    rows = work.ratings.astype(np.int8)
    rows[review["item"]] += 1
    rows[rework["item"]] += 1
    items.rows = rows
    offset = np.cumsum(rows, dtype=np.int64) - rows
    after = offset + work.ratings
    places = (offset[firsts["item"]] + firsts["slot"], after[review["item"]], after[rework["item"]] + 1)
    total = int(rows.sum(dtype=np.int64))
    kinds = {"item": np.int32, "rd": np.int32, "label": np.int16, "status": np.int8, "at": np.int32, "handle": _f32}
    out = {name: np.empty(total, dtype=kind) for name, kind in kinds.items()}
    for place, block in zip(places, (firsts, review, rework), strict=True):
        for name, values in out.items():
            values[place] = block[name]
    stage = np.full(total, LABEL, dtype=np.int8)
    stage[places[1]] = REVIEW
    shown, again = np.zeros(total, dtype=bool), np.zeros(total, dtype=bool)
    shown[places[0]] = firsts["shown"]
    again[places[2]] = True
    notes = Annotations(
        item=out["item"],
        rater_day=out["rd"],
        stage=stage,
        label=out["label"],
        status=out["status"],
        at=out["at"],
        handle=np.round(np.minimum(out["handle"], _f32(MAX_SECONDS)).astype(np.float64), 1),
        rework=again,
        first_shown_a=shown,
    )
    return notes, offset


def _close(
    rng: np.random.Generator, items: Items, at: np.ndarray, offset: np.ndarray, still_open: np.ndarray, end: int
) -> None:
    """Set, in place, when each item's decision was final: some minutes after its last judgement, unless still open."""
    has = np.flatnonzero(items.rows > 0)
    if not len(has):
        return
    last = np.maximum.reduceat(at, offset[has])
    closed = last + (900 * np.exp(rng.standard_normal(len(has), dtype=_f32) * _f32(0.7))).astype(np.int32)
    closed[still_open[has] | (closed >= end)] = -1
    items.closed[has] = closed
