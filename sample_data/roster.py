"""Who works: raters with hire and leave dates, the days each of them works, and the small teams (pods) they form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from sample_data import events, world
from sample_data.scales import scales

MEAN_TENURE_DAYS = 900.0
ATTENDANCE = 0.93  # of the planned days, the rest is leave and sickness
HOLIDAY_ATTENDANCE = 0.3
SEATS_PER_REVIEWER = 7
POD_SIZE = 8
LEARNING_LOGITS, LEARNING_DAYS = 0.9, 45.0
SLOWNESS_LOG, SLOWNESS_DAYS = 0.33, 55.0
NEW_RATER_DAYS = 60


@dataclass(frozen=True)
class Raters:
    """One entry per rater."""

    rater_id: np.ndarray
    pool: np.ndarray
    desk: np.ndarray
    lead: np.ndarray
    locale: np.ndarray
    hired: np.ndarray  # day number, may be negative
    left: np.ndarray  # first day away; large while employed
    reviewer: np.ndarray
    skill: np.ndarray
    slowness: np.ndarray
    gender: np.ndarray
    age_band: np.ndarray
    picked: dict[str, np.ndarray]  # event_id -> the raters it concerns


@dataclass(frozen=True)
class Roster:
    """One entry per rater and worked day, in pod order; pods are slices of it."""

    raters: Raters
    days: int
    rater: np.ndarray
    day: np.ndarray
    project: np.ndarray
    pool: np.ndarray
    skill: np.ndarray  # logits: ability, learning and what the events add
    slow: np.ndarray  # log factor on the handle time
    capacity: np.ndarray  # 0..1: how much of a day's work the rater takes on
    is_new: np.ndarray
    spam_label: np.ndarray  # label code given by a spammer, -1 otherwise
    pod_first: np.ndarray  # first rater-day of a pod
    pod_size: np.ndarray  # its first-stage raters
    pod_reviewers: np.ndarray  # its reviewers, who follow them
    pod_day: np.ndarray
    pod_project: np.ndarray
    pod_language: np.ndarray
    pod_band: np.ndarray


def _seat_people(rng: np.random.Generator, days: int) -> tuple[dict[str, list], np.ndarray, np.ndarray]:
    """The people of every seat in turn; the occupant of (seat, day) or -1; the seat's index within its desk."""
    horizon = days + world.EXTRA_DAYS
    people: dict[str, list] = {"pool": [], "desk": [], "hired": [], "left": [], "reviewer": []}
    rows, within = [], []
    for d, desk in enumerate(world.DESKS):
        project = world.PROJECTS[world.PROJECT_INDEX[desk.project_id]]
        opened = 0 if project.started_days_before_end is None else max(0, days - 1 - project.started_days_before_end)
        index = 0
        for pool_id, seats, first_back, last_back in desk.seats:
            begins = opened if first_back is None else max(0, days - 1 - first_back)
            ends = horizon if last_back is None else days - 1 - last_back
            fresh = first_back is not None or opened > 0  # a desk that opens hires people who are all new
            for seat in range(seats):
                row = np.full(horizon, -1, dtype=np.int32)
                hired = begins - (int(rng.integers(0, 4)) if fresh else int(rng.exponential(420.0)) + 5)
                end_of_stay = begins + int(rng.exponential(MEAN_TENURE_DAYS)) + 20
                while hired < ends:
                    left = min(end_of_stay, ends)
                    row[max(hired, begins) : max(left, 0)] = len(people["pool"])
                    if left > 0:
                        people["pool"].append(world.POOL_INDEX[pool_id])
                        people["desk"].append(d)
                        people["hired"].append(hired)
                        people["left"].append(left if left < horizon else 1_000_000)
                        people["reviewer"].append(seat % SEATS_PER_REVIEWER == SEATS_PER_REVIEWER - 2)
                    hired = left + int(rng.integers(2, 18))
                    end_of_stay = hired + int(rng.exponential(MEAN_TENURE_DAYS)) + 20
                rows.append(row)
                within.append(index)
                index += 1
    return people, np.array(rows), np.array(within)


def _pick(people: dict[str, np.ndarray], days: int) -> dict[str, np.ndarray]:
    """The raters each event with ``raters`` concerns: those of its pool and project who are there throughout."""
    picked = {}
    for event in events.in_sample(days):
        if not event.raters:
            continue
        first, last = event.span(days)
        desks = [d for d, desk in enumerate(world.DESKS) if desk.project_id == event.where["project"]]
        eligible = np.isin(people["desk"], desks) & (people["pool"] == world.POOL_INDEX[str(event.where["pool"])])
        overlap = np.minimum(people["left"], last) - np.maximum(people["hired"] + NEW_RATER_DAYS, first)
        overlap = np.where(eligible & ~people["reviewer"], overlap, -1_000_000)
        picked[event.event_id] = np.sort(np.argsort(-overlap, kind="stable")[: event.raters])
    return picked


def _raters(rng: np.random.Generator, lists: dict[str, list], days: int) -> Raters:
    """The people with their traits; ids follow the day of hire, as a personnel system would number them."""
    people = {name: np.array(values) for name, values in lists.items()}
    count = len(people["pool"])
    number = np.empty(count, dtype=int)
    number[np.argsort(people["hired"], kind="stable")] = np.arange(1, count + 1)
    sites = [world.SITES[world.POOLS[pool].site] for pool in people["pool"]]
    languages = [world.DESKS[desk].language for desk in people["desk"]]
    locale = [
        f"{language}-{site[2] if language == 'en' else world.HOME_COUNTRY[language]}"
        for language, site in zip(languages, sites, strict=True)
    ]
    team = np.array([f"L-{1 + 3 * pool + int(n) % 3:03d}" for pool, n in zip(people["pool"], number, strict=True)])
    return Raters(
        rater_id=np.array([f"R-{n:04d}" for n in number]),
        pool=people["pool"],
        desk=people["desk"],
        lead=team,
        locale=np.array(locale),
        hired=people["hired"],
        left=people["left"],
        reviewer=people["reviewer"],
        skill=rng.normal(0.0, 0.42, count) + np.where(people["reviewer"], 0.45, 0.0),
        slowness=rng.normal(0.0, 0.20, count),
        gender=np.array(["woman", "man", "non-binary", ""])[rng.choice(4, count, p=[0.48, 0.43, 0.02, 0.07])],
        age_band=np.array(["18-24", "25-34", "35-44", "45-54", ""])[
            rng.choice(5, count, p=[0.22, 0.44, 0.2, 0.07, 0.07])
        ],
        picked=_pick(people, days),
    )


def _presence(rng: np.random.Generator, occupant: np.ndarray, within: np.ndarray, raters: Raters) -> np.ndarray:
    """True where (seat, day) is worked: two rest days a week, leave, holidays, thin weekends outside moderation."""
    seats, horizon = occupant.shape
    seat_person = occupant.max(axis=1)  # any occupant tells the seat's desk and pool
    desk = raters.desk[seat_person]
    weekend_share = np.array([world.PROJECTS[world.PROJECT_INDEX[d.project_id]].weekend_share for d in world.DESKS])[
        desk
    ]
    weekday = np.arange(horizon) % 7  # day 0 is a Monday
    rest = (weekday[None, :] - (within[:, None] * 2 + desk[:, None])) % 7 < 2  # rest days turn through the desk
    turning = (weekend_share >= 0.5)[:, None]
    chance = np.where(turning, np.where(rest, 0.0, 1.0), 1.0)
    weekend = np.where(weekday >= 5, 1.0, 0.0)[None, :]
    chance = np.where(
        turning, chance * (1 - weekend * (1 - weekend_share[:, None])), 1 - weekend * (1 - weekend_share[:, None])
    )
    chance = chance * ATTENDANCE
    last = world.LAST_DAY
    days = horizon - world.EXTRA_DAYS
    dates = [last - timedelta(days=days - 1 - d) for d in range(horizon)]
    for country, holidays in world.HOLIDAYS.items():
        closed = np.array([(day.month, day.day) in holidays for day in dates])
        at_country = np.array([world.SITES[world.POOLS[pool].site][2] == country for pool in raters.pool[seat_person]])
        chance[np.ix_(at_country, closed)] *= HOLIDAY_ATTENDANCE
    return (occupant >= 0) & (rng.random((seats, horizon)) < chance)


def _event_terms(
    raters: Raters, rater: np.ndarray, day: np.ndarray, project: np.ndarray, days: int
) -> dict[str, np.ndarray]:
    """What the planted events add to each rater-day: skill (logits), slow (log factor), spam label."""
    skill = np.zeros(len(rater))
    slow = np.zeros(len(rater))
    spam = np.full(len(rater), -1, dtype=np.int16)
    pool = raters.pool[rater]
    for event in events.in_sample(days):
        first, last = event.span(days)
        here = (day >= first) & (day < last)
        if "project" in event.where:
            here &= project == world.PROJECT_INDEX[str(event.where["project"])]
        if "pool" in event.where:
            here &= pool == world.POOL_INDEX[str(event.where["pool"])]
        if event.event_id in raters.picked:
            here &= np.isin(rater, raters.picked[event.event_id])
        if event.kind == "vendor_switch":
            ramp = np.exp(-(day - first) / event.extra["recovery_days"])
            skill += np.where(day >= first, here * event.size * ramp, 0.0)
            slow += np.where(day >= first, here * event.extra["slower"] * ramp, 0.0)
        elif event.kind == "training":
            skill += here * event.size
        elif event.kind == "new_hire_cohort":
            cohort = here & (raters.hired[rater] >= first - 4) & (raters.hired[rater] <= first)
            ramp = cohort * np.exp(-np.maximum(day - first, 0) / LEARNING_DAYS)
            skill += event.size * ramp
            slow += event.extra["slower"] * ramp
        elif event.kind == "rater_drift":
            skill += np.where(here, event.size * (day - first) / (last - first), 0.0)
        elif event.kind == "spammers":
            code = scales().code(world.PROJECT_INDEX[str(event.where["project"])], event.to_label)
            spam = np.where(here, np.int16(code), spam).astype(np.int16)
            slow += here * np.log(event.extra["handle_factor"])
        elif event.kind in ("tool_improvement", "harmless_blip"):
            slow += here * np.log(event.size)
    return {"skill": skill, "slow": slow, "spam": spam}


def build(rng: np.random.Generator, days: int) -> Roster:
    """Raters and their worked days, ordered by day, desk, band and pod; reviewers stand last in their pod."""
    lists, occupant, within = _seat_people(rng, days)
    raters = _raters(rng, lists, days)
    seat, day = np.nonzero(_presence(rng, occupant, within, raters))
    rater = occupant[seat, day]
    desk = raters.desk[rater]
    band_of_pool = np.array([list(world.BANDS).index(pool.band) for pool in world.POOLS])
    band = band_of_pool[raters.pool[rater]]
    reviewer = raters.reviewer[rater]
    group = (day * len(world.DESKS) + desk) * len(world.BANDS) + band
    order = np.lexsort((rng.random(len(rater)), reviewer, group))
    group_sorted = group[order]
    starts = np.flatnonzero(np.r_[True, np.diff(group_sorted) > 0])
    sizes = np.diff(np.r_[starts, len(order)])
    position = np.arange(len(order)) - np.repeat(starts, sizes)
    pods = np.where(sizes > POD_SIZE + 3, -(-sizes // POD_SIZE), 1)
    pod_key = group_sorted * 16 + position % np.repeat(pods, sizes)
    order = order[np.lexsort((position, pod_key))]
    pod_key = np.sort(pod_key, kind="stable")
    rater, day, desk, band, reviewer = rater[order], day[order], desk[order], band[order], reviewer[order]

    pod_first = np.flatnonzero(np.r_[True, np.diff(pod_key) > 0])
    total = np.diff(np.r_[pod_first, len(order)])
    reviewers = np.add.reduceat(reviewer.astype(int), pod_first)
    project_of_desk = np.array([world.PROJECT_INDEX[d.project_id] for d in world.DESKS])
    language_of_desk = np.array([world.LANGUAGE_INDEX[d.language] for d in world.DESKS])
    project = project_of_desk[desk]
    tenure = day - raters.hired[rater]
    terms = _event_terms(raters, rater, day, project, days)
    novelty = np.exp(-np.maximum(tenure, 0) / LEARNING_DAYS)
    slowness = np.exp(-np.maximum(tenure, 0) / SLOWNESS_DAYS)
    slow = raters.slowness[rater] + SLOWNESS_LOG * slowness + terms["slow"] + rng.normal(0.0, 0.06, len(rater))
    return Roster(
        raters=raters,
        days=days,
        rater=rater.astype(np.int16),
        day=day.astype(np.int32),
        project=project.astype(np.int8),
        pool=raters.pool[rater].astype(np.int8),
        skill=(raters.skill[rater] - LEARNING_LOGITS * novelty + terms["skill"]).astype(np.float32),
        slow=slow.astype(np.float32),
        capacity=np.clip(np.exp(-0.7 * slow) * rng.uniform(0.55, 1.0, len(rater)), 0.15, 1.0).astype(np.float32),
        is_new=tenure < NEW_RATER_DAYS,
        spam_label=terms["spam"],
        pod_first=pod_first.astype(np.int32),
        pod_size=(total - reviewers).astype(np.int32),
        pod_reviewers=reviewers.astype(np.int32),
        pod_day=day[pod_first].astype(np.int32),
        pod_project=project[pod_first].astype(np.int8),
        pod_language=language_of_desk[desk[pod_first]].astype(np.int8),
        pod_band=band[pod_first].astype(np.int8),
    )
