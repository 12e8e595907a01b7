"""Which pools give less for more, and what moving work between two of them would do.

A pool is dominated when another is at least as good at no higher cost. Cost and quality are estimates, so that is said
with a probability: both are drawn from their intervals, independently, seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from metrics.spec import Estimate, Unit

Floats = NDArray[np.float64]

SURE = 0.95
"""Probability from which a pool is called dominated, or on the frontier."""

DOMINATED, ON_FRONTIER, CANNOT_TELL = "dominated", "on the frontier", "cannot tell"
NO_INTERVAL = "{} has no interval, so chance cannot be told"
COLUMNS = (
    *("pool", "cost", "cost_low", "cost_high", "quality", "quality_low", "quality_high", "efficient"),
    *("p_dominated", "dominated_by", "p_dominated_by", "verdict", "reason"),
)


def frontier(pools: pd.DataFrame, *, draws: int = 4000, seed: int = 0, level: float = 0.95) -> pd.DataFrame:
    """The cost-quality frontier over pools, a row per pool in the order given.

    pools: pool, cost, cost_low, cost_high (money a label, above 0), quality, quality_low, quality_high (a share, higher
    is better) and, where they have none, cost_reason, quality_reason. Columns: those seven; efficient (on the frontier
    of the point values: no other is at least as good at no higher cost, and better in one); p_dominated (the share of
    draws in which some pool dominates it, 0 to 1), dominated_by (the pool that does so most often, None when none
    does), p_dominated_by (how often that one), verdict ("dominated" from ``SURE``, "on the frontier" up to 1 - SURE,
    else "cannot tell"; None without a number) and reason (why there is none). A pool without both estimates and their
    intervals takes no part. A pool of few pools that differ from one another clearly by cost and quality both is
    efficient however dear it is: the frontier is a menu, no ranking.

    Draws: cost two-piece normal on the log scale, quality on its own, cut to 0..1; each half takes its end of the
    interval. Raises ValueError for a cost not above 0 or two rows of one pool.
    """
    names = pools["pool"].tolist()
    if len(set(names)) < len(names):
        raise ValueError("Each pool has one row.")
    cost, quality = (_ends(pools, name) for name in ("cost", "quality"))
    if np.any(cost <= 0) or np.any((quality < 0) | (quality > 1)):
        raise ValueError("A cost is above 0 and a quality lies between 0 and 1.")
    table = pools[list(COLUMNS[:7])].reset_index(drop=True)
    reason = _reasons(pools, cost, quality)
    known = reason == ""
    used = np.flatnonzero(known)
    rng = np.random.default_rng(seed)
    money = np.exp(_draw(np.log(cost[used]), draws, rng, level))
    good = np.clip(_draw(quality[used], draws, rng, level), 0, 1)
    beaten = _dominates(money, good)
    table["efficient"] = pd.Series([None] * len(names), dtype=object)
    efficient = ~_dominates(cost[used, :1], quality[used, :1])[:, :, 0].any(axis=0)
    table.loc[used, "efficient"] = efficient.tolist()
    for name in ("p_dominated", "p_dominated_by"):
        table[name] = np.nan
    table["dominated_by"] = pd.Series([None] * len(names), dtype=object)
    if len(used):
        p = beaten.any(axis=0).mean(axis=1)
        each = beaten.mean(axis=2)
        worst = each.argmax(axis=0)
        often = each[worst, np.arange(len(used))]
        table.loc[used, "p_dominated"] = p
        table.loc[used, "p_dominated_by"] = often
        table.loc[used, "dominated_by"] = [names[used[w]] if o > 0 else None for w, o in zip(worst, often, strict=True)]
    p = table["p_dominated"].to_numpy()
    verdict = np.select([p >= SURE, p <= 1 - SURE], [DOMINATED, ON_FRONTIER], CANNOT_TELL).astype(object)
    verdict[~known] = None
    return table.assign(verdict=pd.Series(verdict, dtype=object), reason=reason)[list(COLUMNS)]


# ------------------------------------------------------------------------------------------------------- reallocation


@dataclass(frozen=True, slots=True)
class Pool:
    """One side of a move. cost: money a label; quality: a share; labels: a week of this queue's labels it makes now;
    load: a week of labels it makes in all queues, labels included; capacity: a week of labels it can make, None where
    not known. Estimates with intervals.
    """

    name: Hashable
    cost: Estimate
    quality: Estimate
    labels: float
    load: float
    capacity: Estimate | None = None


@dataclass(frozen=True, eq=False)
class Reallocation:
    """What moving a share of a queue from one pool to another would do.

    effects: a row per effect: effect, value, low, high, n (labels moved a week), unit (of ``metrics.spec.Unit``),
        reason (why there is no value), p (probability that it is above 0, NaN without). Effects:
        "cost a week" (money, above 0 is dearer), "quality of the queue" (share, after less before), "correct labels a
        week" (count), "load of the target" and "load of the source" (share of capacity, after), "shortfall a week"
        (labels above the target's capacity, which would wait; p is the probability that there is one).
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
    "What the source pool no longer makes is no longer paid for.",
    "Labels above capacity wait; they are neither lost nor made in overtime.",
    "Costs, qualities and capacities are independent of one another.",
)


def reallocate(
    source: Pool, target: Pool, share: float = 0.1, *, draws: int = 4000, seed: int = 0, level: float = 0.95
) -> Reallocation:
    """The effect of moving ``share`` of the source's labels of a queue to the target, a week.

    share: 0 to 1. Formula, m = share · source.labels: cost m(c_t - c_s); quality m(q_t - q_s) / labels of both pools in
    the queue; correct labels m(q_t - q_s); load of the target (load + m)/capacity, of the source (load - m)/capacity;
    shortfall max(0, load + m - capacity). Intervals from draws as in ``frontier`` (capacity like cost). An effect whose
    estimates are missing is null, with their reason; without their intervals it has none.
    Raises ValueError for a share outside 0..1, one pool twice, labels below 0 or above the pool's load.
    """
    if not 0 <= share <= 1 or source.name == target.name:
        raise ValueError("A share between 0 and 1 moves from one pool to another.")
    for pool in (source, target):
        if not 0 <= pool.labels <= pool.load:
            raise ValueError("A pool's labels of the queue are part of its load.")
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
    queue = source.labels + target.labels
    room, freed = drawn[target.name, "capacity"], drawn[source.name, "capacity"]
    load = target.load + moved
    rows = [
        ("cost a week", dearer.of(lambda c: moved * c), Unit.MONEY),
        ("quality of the queue", better.of(lambda q: moved * q / queue if queue else 0.0 * q), Unit.SHARE),
        ("correct labels a week", better.of(lambda q: moved * q), Unit.COUNT),
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
    return Reallocation(effects, moved, fits, ASSUMPTIONS)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A value, draws of it (NaN without an interval), and why it is missing."""

    value: float
    draws: Floats
    reason: str

    def of(self, function: Callable) -> _Drawn:
        return _Drawn(float(function(np.float64(self.value))), function(self.draws), self.reason)

    def row(self, level: float, n: float) -> tuple:
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
        return _Drawn(estimate.value, np.clip(_draw(ends, draws, rng, level)[0], 0, 1), "")
    return _Drawn(estimate.value, np.exp(_draw(np.log(ends), draws, rng, level)[0]), "")


# ------------------------------------------------------------------------------------------------------------- helpers


def _draw(ends: Floats, draws: int, rng: np.random.Generator, level: float) -> Floats:
    """Two-piece normal draws (k, draws) of (k, 3) values, lows and highs: its median and its quantiles."""
    z = rng.standard_normal((len(ends), draws))
    value, low, high = (ends[:, [i]] for i in range(3))
    return value + z / special.ndtri(0.5 + level / 2) * np.where(z < 0, value - low, high - value)


def _dominates(cost: Floats, quality: Floats) -> NDArray[np.bool_]:
    """Whether j (first axis) dominates k (second), in each draw: (pools, pools, draws)."""
    cheaper, better = cost[:, None] <= cost[None], quality[:, None] >= quality[None]
    strictly = (cost[:, None] < cost[None]) | (quality[:, None] > quality[None])
    return cheaper & better & strictly


def _ends(pools: pd.DataFrame, name: str) -> Floats:
    return pools[[name, f"{name}_low", f"{name}_high"]].to_numpy(float)


def _reasons(pools: pd.DataFrame, cost: Floats, quality: Floats) -> NDArray:
    reason = np.full(len(pools), "", dtype=object)
    for name, ends in (("quality", quality), ("cost", cost)):
        given = pools.get(f"{name}_reason")
        own = np.full(len(pools), "", dtype=object) if given is None else given.fillna("").to_numpy(object)
        reason = np.where(np.isnan(ends).any(axis=1), NO_INTERVAL.format(name), reason)
        missing = np.isnan(ends[:, 0])
        reason = np.where(missing, np.where(own != "", own, f"no {name}"), reason)
    return reason
