"""What raters make of the items: labels, reviews, rework, times. All arrays, no loop over rows."""

from __future__ import annotations

import numpy as np

from sample_data import events, world
from sample_data.judged import ACCEPTED, LABEL, REJECTED, REVIEW, SKIPPED, SUBMITTED, Annotations, Items
from sample_data.readings import active, in_slice, misread, prefer_first, tire
from sample_data.roster import Roster
from sample_data.scales import TRUTH_SLOTS, WRONG_SLOTS, scales
from sample_data.volume import CONTENT_SLOTS, POLICY_SLOTS, Arrivals, Plan

SAME_MISTAKE = 0.65  # of the errors on an item fall on its own tempting wrong label
REWORK_SHARE = 0.75  # of the rejected first judgements are done again
REVIEWER_BONUS_LOGITS = 0.7
DIFFICULTY_SD_LOGITS = 0.75
DIFFICULTY_LOG_TIME = 0.16
HANDLE_SD_LOG = 0.50
REVIEW_TIME_FACTOR, SKIP_TIME_FACTOR = 0.6, 0.45
VIOLATION_LOGITS = -0.25  # a violation is a little easier to miss than a permitted item is to hit
LATE_DAYS = 4  # how long before the end some decisions are still open
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


def judge(rng: np.random.Generator, roster: Roster, items: Items) -> Annotations:
    """All judgements of the items, and in place the items' closing times and numbers of rows."""
    count, pod, project = len(items.pod), items.pod, items.project
    end = roster.days * world.DAY_SECONDS
    workable = roster.pod_day[pod] < roster.days
    difficulty = rng.standard_normal(count, dtype=_f32)
    violating = scales().violation[items.truth]
    ease = EASE[project] - HARDNESS[project, items.policy] - _f32(DIFFICULTY_SD_LOGITS) * difficulty
    ease += np.where(violating, _f32(VIOLATION_LOGITS), _f32(0))
    base_log = HANDLE_LOG[project] + CONTENT_LOG[project, items.content] + _f32(DIFFICULTY_LOG_TIME) * difficulty
    slow_cell = (project == world.PROJECT_INDEX["P03"]) & (items.policy == world.POLICY_INDEX["hate"])
    base_log += slow_cell * _f32(events.by_kind("mix_shift").extra["handle_log"])
    size = roster.pod_size[pod]
    ratings = RATINGS[project, (items.gold >= 0).astype(np.int8), rng.integers(0, 256, count, dtype=np.uint8)]
    skip_first = rng.random(count, dtype=_f32) < SKIP_SHARE[project] * np.exp(_f32(0.5) * difficulty)
    ratings = np.where(workable, np.minimum(ratings + (skip_first & (ratings == 1)), size), 0)

    first = np.cumsum(ratings) - ratings
    item = np.repeat(np.arange(count, dtype=np.int32), ratings)
    slot = (np.arange(len(item), dtype=np.int32) - first[item]).astype(np.int32)
    draw = rng.random(count, dtype=_f32)
    start = (draw * size).astype(np.int32)
    again = (rng.random(count, dtype=_f32) * size).astype(np.int32)  # fast people take on more: a second draw if slow
    loaded = rng.random(count, dtype=_f32) > roster.capacity[roster.pod_first[pod] + start]
    start = np.where(loaded, again, start)
    rd = (roster.pod_first[pod[item]] + (start[item] + slot) % size[item]).astype(np.int32)

    begins, length = np.array(list(world.BANDS.values()))[roster.pod_band[pod]].T
    shift_end = (roster.pod_day[pod] * world.DAY_SECONDS + begins + length).astype(np.int32)
    later = rng.random(len(item), dtype=_f32)
    left = (shift_end - items.worked)[item]
    at = items.worked[item] + np.where(slot > 0, (later * later * later * left), 0).astype(np.int32)
    logit = ease[item] + roster.skill[rd]
    tire(roster, rd, at, logit)
    label = _labels(rng, items, item, logit)
    misread(rng, roster, items, item, rd, label)
    first_shown = prefer_first(rng, roster, items, item, rd, label)
    skipped = np.where(slot == 0, skip_first[item], rng.random(len(item), dtype=_f32) < SKIP_SHARE[project[item]])
    label[skipped] = -1
    status = np.where(skipped, np.int8(SKIPPED), np.int8(ACCEPTED))
    handle = base_log[item] + roster.slow[rd] + _f32(HANDLE_SD_LOG) * rng.standard_normal(len(item), dtype=_f32)
    handle = np.exp(handle) * np.where(skipped, _f32(SKIP_TIME_FACTOR), _f32(1))

    reviewed = (rng.random(count, dtype=_f32) < REVIEW_SHARE[project]) & (roster.pod_reviewers[pod] > 0) & (ratings > 0)
    age = (roster.days - 1 - roster.pod_day[pod]).astype(_f32)
    pending = (age < LATE_DAYS) & (rng.random(count, dtype=_f32) < 0.75 * np.exp(-0.8 * age)) & workable
    review = _review(
        rng, roster, items, ease, base_log, shift_end, (ratings, first, rd, at, label), reviewed & ~pending
    )
    status[pending[item] & ~skipped] = SUBMITTED
    redo = _send_back(rng, roster, items, review, (item, label, status, ratings, first, start))
    reworked = _rework(rng, roster, items, ease, base_log, redo, (ratings, start, size), review)

    both = np.zeros(count, dtype=np.int8)
    both[review["item"]] += 1
    both[reworked["item"]] += 1
    items.rows = (ratings + both).astype(np.int8)
    offset = np.cumsum(items.rows, dtype=np.int64) - items.rows
    total = int(items.rows.sum())
    places = (
        offset[item] + slot,
        offset[review["item"]] + ratings[review["item"]],
        offset[reworked["item"]] + ratings[reworked["item"]] + 1,
    )
    stage_of = (LABEL, REVIEW, LABEL)
    label_rows = {"item": item, "rd": rd, "label": label, "status": status, "at": at, "handle": handle}
    blocks = (label_rows, review, reworked)
    kinds = {"item": np.int32, "rd": np.int32, "label": np.int16, "status": np.int8, "at": np.int32, "handle": _f32}
    out = {name: np.empty(total, dtype=kind) for name, kind in kinds.items()}
    stage = np.zeros(total, dtype=np.int8)
    shown = np.zeros(total, dtype=bool)
    shown[places[0]] = first_shown
    rework = np.zeros(total, dtype=bool)
    rework[places[2]] = True
    for place, block, kind in zip(places, blocks, stage_of, strict=True):
        stage[place] = kind
        for name, values in out.items():
            values[place] = block[name]
    out["handle"] = np.round(np.minimum(out["handle"], MAX_SECONDS).astype(np.float64), 1)
    _close(rng, items, out["at"], offset, pending | ~workable, end)
    return Annotations(
        item=out["item"], rater_day=out["rd"], stage=stage, label=out["label"], status=out["status"], at=out["at"],
        handle=out["handle"], rework=rework, first_shown_a=shown,
    )  # fmt: skip


def _review(
    rng: np.random.Generator,
    roster: Roster,
    items: Items,
    ease: np.ndarray,
    base_log: np.ndarray,
    shift_end: np.ndarray,
    firsts: tuple[np.ndarray, ...],
    reviewed: np.ndarray,
) -> dict[str, np.ndarray]:
    """The review rows: the reviewer is better, and when wrong agrees with the first judgement."""
    ratings, first, _, at, label = firsts
    item = np.flatnonzero(reviewed).astype(np.int32)
    pod = items.pod[item]
    reviewer = (rng.random(len(item), dtype=_f32) * roster.pod_reviewers[pod]).astype(np.int32)
    rd = (roster.pod_first[pod] + roster.pod_size[pod] + reviewer).astype(np.int32)
    given = _labels(rng, items, item, ease[item] + roster.skill[rd] + _f32(REVIEWER_BONUS_LOGITS))
    own = label[first[item]]
    given = np.where((given != items.truth[item]) & (own >= 0), own, given)
    latest = at[first[item] + ratings[item] - 1]
    for back in range(2, int(ratings.max(initial=1)) + 1):
        more = ratings[item] >= back
        latest[more] = np.maximum(latest[more], at[first[item][more] + ratings[item][more] - back])
    closing = shift_end[item] + 1_800
    gap = rng.random(len(item), dtype=_f32)
    when = latest + 60 + (gap * gap * (closing - latest - 60)).astype(np.int32)
    handle = base_log[item] + roster.slow[rd] + _f32(0.45) * rng.standard_normal(len(item), dtype=_f32)
    return {
        "item": item, "rd": rd, "label": given, "status": np.full(len(item), ACCEPTED, dtype=np.int8), "at": when,
        "handle": np.exp(handle) * _f32(REVIEW_TIME_FACTOR),
    }  # fmt: skip


def _send_back(
    rng: np.random.Generator,
    roster: Roster,
    items: Items,
    review: dict[str, np.ndarray],
    firsts: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Mark as rejected, in place, what a review contradicts; the positions in ``review`` that are done again."""
    item, label, status, ratings, first, _ = firsts
    verdict = np.full(len(items.pod), -1, dtype=np.int16)
    verdict[review["item"]] = review["label"]
    contradicted = (verdict[item] >= 0) & (label != verdict[item]) & (label >= 0)
    status[contradicted] = REJECTED
    one = review["item"]
    rejected = (status[first[one]] == REJECTED) & (ratings[one] < roster.pod_size[items.pod[one]])
    return np.flatnonzero(rejected & (rng.random(len(one), dtype=_f32) < REWORK_SHARE))


def _rework(
    rng: np.random.Generator,
    roster: Roster,
    items: Items,
    ease: np.ndarray,
    base_log: np.ndarray,
    redo: np.ndarray,
    places: tuple[np.ndarray, ...],
    review: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The rework rows: another rater of the pod, with the reviewer's remark at hand, after the review."""
    ratings, start, size = places
    item = review["item"][redo]
    rd = (roster.pod_first[items.pod[item]] + (start[item] + ratings[item]) % size[item]).astype(np.int32)
    given = _labels(rng, items, item, ease[item] + roster.skill[rd] + _f32(0.8))
    handle = base_log[item] + roster.slow[rd] + _f32(HANDLE_SD_LOG) * rng.standard_normal(len(item), dtype=_f32)
    when = review["at"][redo] + 30 + (rng.random(len(item), dtype=_f32) * 3_000).astype(np.int32)
    return {
        "item": item, "rd": rd, "label": given, "status": np.full(len(item), ACCEPTED, dtype=np.int8), "at": when,
        "handle": np.exp(handle),
    }  # fmt: skip


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
