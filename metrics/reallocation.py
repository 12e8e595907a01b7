"""What moving work of a queue between two pools would do to its cost, its quality and its SLA.

Cost, quality and load follow from estimates drawn from their intervals, independently, seeded. The SLA follows from the
backlogs of both pools' parts of the queue, each with its share of the pool's hours, over weeks drawn from those past.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.backlog import Deadlines, backlog
from metrics.frontier import SURE, draw
from metrics.spec import Estimate, Unit

Floats = NDArray[np.float64]

WEEKS = 4
"""How far ahead the SLA is followed."""

PATHS = 500
FEWEST_WEEKS = 4
NO_DAYS = "the queue's days are not known"
NO_ROOM = "the daily capacity of {} is not known"
NOTHING_DUE = "nothing falls due"


@dataclass(frozen=True, slots=True)
class Pool:
    """One side of a move. cost: money a label; quality: a share; labels: a week of this queue's labels it makes now;
    load: a week of labels it makes in all queues, labels included; capacity: a week of labels it can make, None where
    not known. Estimates with intervals.

    In the weeks of ``Queue.came``, (weeks, days of a week), in labels of this queue, others weighed by their handling
    time: able: what it could make on each day, of all queues; None where not known. others: what came to its other
    queues; None for no others.
    """

    name: Hashable
    cost: Estimate
    quality: Estimate
    labels: float
    load: float
    capacity: Estimate | None = None
    able: Floats | None = None
    others: Floats | None = None


@dataclass(frozen=True, eq=False)
class Queue:
    """The queue that the work is of, counted in labels.

    labels: made a week by all its pools. came: (weeks, days of a week) labels that came in past weeks, the newest
    last; None where not known. waiting: open at the end of the last one. due_hours: a label is due so many hours after
    it came. reason: why its days are not known.
    """

    labels: float
    came: Floats | None = None
    waiting: float = 0.0
    due_hours: float = 24.0
    reason: str = NO_DAYS


@dataclass(frozen=True, eq=False)
class Reallocation:
    """What moving a share of a queue from one pool to another would do.

    effects: a row per effect: effect, value, low, high, n (labels moved a week), unit (of ``metrics.spec.Unit``),
        reason (why there is no value), p (probability that it is above 0, NaN without). Effects:
        "cost a week" (money, above 0 is dearer), "quality of the queue" (share, after less before), "correct labels a
        week" (count), "SLA of the queue" (share in time of all that falls due, after less before), "in time before" and
        "in time after" (share in time of both pools' parts), "load of the target" and "load of the source" (share of
        capacity, after), "shortfall a week" (labels above the target's capacity, which would wait; p is the probability
        that there is one).
    moved: labels a week. fits_share: the largest share of the source's part of the queue that leaves the target within
        capacity with probability ``SURE``, 0 to 1, None where capacity is not known. assumptions: in words.
    """

    effects: pd.DataFrame
    moved: float
    fits_share: float | None
    assumptions: tuple[str, ...]


ASSUMPTIONS = (
    "Each pool keeps its cost a label and its quality, on the labels it is given and on those it has.",
    "The labels moved are as hard as those the target pool makes now, in languages and policies it knows.",
    "What the source pool no longer makes is no longer paid for: its hours shrink with its labels, and those it keeps "
    "wait as long as before.",
    "Labels above capacity wait; they are neither lost nor made in overtime.",
    "Costs, qualities and capacities are independent of one another.",
)
SLA_ASSUMPTIONS = (
    f"SLA: {WEEKS} weeks drawn from those that were, each with its arrivals and both pools' paid hours; arrivals and "
    "open items fall to the pools as labels do now.",
    "A pool shares its hours of a day over its queues in proportion to what comes to each, so all of them bear a "
    "shortage; what the others lose is not counted. Each queue the oldest first, work and arrivals even over the day.",
)


def reallocate(
    source: Pool,
    target: Pool,
    share: float = 0.1,
    queue: Queue | None = None,
    *,
    draws: int = 4000,
    seed: int = 0,
    level: float = 0.95,
) -> Reallocation:
    """The effect of moving ``share`` of the source's labels of a queue to the target, a week.

    share: 0 to 1. queue: without it, it is what both pools make, and the SLA is null. Formula, m = share ·
    source.labels: cost m(c_t - c_s); quality m(q_t - q_s) / labels of the queue; correct labels m(q_t - q_s); load of
    the target (load + m)/capacity, of the source (load - m)/capacity; shortfall max(0, load + m - capacity). Intervals
    from draws as in ``frontier`` (capacity like cost); those of the SLA from ``in_time``. An effect whose estimates are
    missing is null, with their reason; without their intervals it has none.
    Raises ValueError for a share outside 0..1, one pool twice, labels below 0 or above the pool's load or, together,
    above the queue's.
    """
    if not 0 <= share <= 1 or source.name == target.name:
        raise ValueError("A share between 0 and 1 moves from one pool to another.")
    for pool in (source, target):
        if not 0 <= pool.labels <= pool.load:
            raise ValueError("A pool's labels of the queue are part of its load.")
    both = source.labels + target.labels
    queue = queue or Queue(both)
    if both > queue.labels * (1 + 1e-9):
        raise ValueError("The queue's labels include those of both pools.")
    moved = share * source.labels
    rng = np.random.default_rng(seed)
    drawn = {
        (pool.name, what): _drawn(estimate, what, draws, rng, level)
        for pool in (source, target)
        for what, estimate in (("cost", pool.cost), ("quality", pool.quality), ("capacity", pool.capacity))
    }

    def difference(what: str) -> _Drawn:
        after, before = drawn[target.name, what], drawn[source.name, what]
        return _Drawn(after.value - before.value, after.draws - before.draws, after.reason or before.reason)

    dearer, better = difference("cost"), difference("quality")
    room, freed = drawn[target.name, "capacity"], drawn[source.name, "capacity"]
    load = target.load + moved
    rows = [
        ("cost a week", dearer.of(lambda c: moved * c), Unit.MONEY),
        ("quality of the queue", better.of(lambda q: moved * q / (queue.labels or 1.0)), Unit.SHARE),
        ("correct labels a week", better.of(lambda q: moved * q), Unit.COUNT),
        *((name, found, Unit.SHARE) for name, found in _sla(source, target, share, queue, seed).items()),
        ("load of the target", room.of(lambda k: load / k), Unit.SHARE),
        ("load of the source", freed.of(lambda k: (source.load - moved) / k), Unit.SHARE),
        ("shortfall a week", room.of(lambda k: np.maximum(load - k, 0)), Unit.COUNT),
    ]
    effects = pd.DataFrame(
        [(name, *found.row(level, moved), unit) for name, found, unit in rows],
        columns=["effect", "value", "low", "high", "n", "p", "reason", "unit"],
    )
    fits = None
    if not room.reason and not np.isnan(room.draws).any():
        spare = float(np.quantile(room.draws, 1 - SURE)) - target.load
        fits = float(np.clip(spare / source.labels, 0, 1)) if source.labels else None
    told = effects.loc[effects["effect"] == SLA_EFFECTS[0], "reason"].iloc[0] == ""
    return Reallocation(effects, moved, fits, ASSUMPTIONS + SLA_ASSUMPTIONS if told else ASSUMPTIONS)


# ----------------------------------------------------------------------------------------------------------------- SLA

SLA_EFFECTS = ("SLA of the queue", "in time before", "in time after")


def late(
    came: Floats, others: Floats, able: Floats, before: ArrayLike, waiting: float, hours: float
) -> tuple[Floats, Floats]:
    """How many labels of a queue fall due on coming days, and how many of those are late, in all: (paths,) each.

    came, others: (days, paths) labels that come to the queue and to the pool's other queues; able: likewise, what the
    pool can make of all. before: labels that came to the queue on the last days before the first, the newest last;
    waiting: open in it then; hours: after which a label is due.

    The pool's labels of a day are shared over its queues in proportion to what comes to each that day, able · came /
    (came + others), so that each has its part of spare and of missing hours; what a queue leaves over is lent to no
    other. On a day on which nothing comes to any, in proportion to what comes in all. Each queue the oldest first.
    """
    total, whole = came + others, (came + others).sum()
    usual = came.sum() / whole if whole > 0 else 1.0
    room = able * np.divide(came, total, out=np.full(total.shape, usual), where=total > 0)
    deadlines = Deadlines(came, before, hours)
    behind = deadlines.late(room, backlog(came.T, room.T, waiting).T, waiting)
    return deadlines.due.sum(axis=0), sum(behind).sum(axis=0)


def _sla(source: Pool, target: Pool, share: float, queue: Queue, seed: int) -> dict[str, _Drawn]:
    """The change of the queue's SLA, and what is in time of both pools' parts before and after.

    The source keeps 1 - share of its arrivals, open labels and hours, hence of what is late of it.
    """
    without = next((p for p in (target, source) if p.able is None), None)
    reason = queue.reason if queue.came is None else NO_ROOM.format(without.name) if without else ""
    if reason or not queue.labels:
        return dict.fromkeys(SLA_EFFECTS, _Drawn(np.nan, np.full(1, np.nan), reason or NOTHING_DUE))
    weeks = len(queue.came)
    drawn = np.random.default_rng(seed).integers(weeks, size=(PATHS, WEEKS))

    def followed(pool: Pool, part: float) -> tuple[Floats, Floats]:
        others = np.zeros(queue.came.shape) if pool.others is None else pool.others
        came, rest, able = (x[drawn].reshape(PATHS, -1).T for x in (queue.came, others, pool.able))
        before = part * queue.came.ravel()
        return late(part * came, rest, able, before, part * queue.waiting, queue.due_hours)

    gives, gets = source.labels / queue.labels, target.labels / queue.labels
    due, own = followed(source, gives)
    due_there, there = followed(target, gets)
    _, more = followed(target, gets + share * gives)
    due_both = due + due_there
    whole = due_both / (gives + gets) if gives + gets else due_both
    if not (due_both > 0).all():
        return dict.fromkeys(SLA_EFFECTS, _Drawn(np.nan, np.full(1, np.nan), NOTHING_DUE))
    first, then = 1 - (own + there) / due_both, 1 - ((1 - share) * own + more) / due_both
    change = (share * own + there - more) / whole
    known = weeks >= FEWEST_WEEKS  # fewer weeks say nothing of how weeks differ
    found = zip(SLA_EFFECTS, (change, first, then), strict=True)
    return {name: _Drawn(float(x.mean()), x if known else np.full(1, np.nan), "") for name, x in found}


# --------------------------------------------------------------------------------------------------------------- draws


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A value, draws of it (NaN without an interval), and why it is missing."""

    value: float
    draws: Floats
    reason: str

    def of(self, function: Callable[[Floats], Floats]) -> _Drawn:
        """The function of the value and of each draw; the reason stays."""
        return _Drawn(float(function(np.float64(self.value))), function(self.draws), self.reason)

    def row(self, level: float, n: float) -> tuple:
        """Value, low, high, n, share of draws above 0, reason."""
        if self.reason:
            return (np.nan, np.nan, np.nan, n, np.nan, self.reason)
        if np.isnan(self.draws).any():
            return (self.value, np.nan, np.nan, n, np.nan, "")
        low, high = np.quantile(self.draws, [0.5 - level / 2, 0.5 + level / 2])
        return (self.value, min(low, self.value), max(high, self.value), n, float(np.mean(self.draws > 0)), "")


def _drawn(estimate: Estimate | None, what: str, draws: int, rng: np.random.Generator, level: float) -> _Drawn:
    nothing = np.full(draws, np.nan)
    if estimate is None or estimate.value is None:
        return _Drawn(np.nan, nothing, estimate.reason if estimate else f"{what} not known")
    if what == "quality" and not 0 <= estimate.value <= 1:
        raise ValueError("A quality lies between 0 and 1.")
    if what != "quality" and not (estimate.value > 0 and (estimate.low is None or estimate.low > 0)):
        raise ValueError(f"A {what} is above 0.")
    if estimate.low is None or estimate.high is None:
        return _Drawn(estimate.value, nothing, "")
    ends = np.array([[estimate.value, estimate.low, estimate.high]])
    if what == "quality":
        return _Drawn(estimate.value, np.clip(draw(ends, draws, rng, level)[0], 0, 1), "")
    return _Drawn(estimate.value, np.exp(draw(np.log(ends), draws, rng, level)[0]), "")
