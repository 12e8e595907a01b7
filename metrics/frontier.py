"""Which pools give less for more.

A pool is dominated when another is at least as good at no higher cost. Cost and quality are estimates, so that is said
with a probability: both are drawn from their intervals, independently, seeded.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

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
    reason = _reasons(pools, cost, quality)
    known = reason == ""
    used = np.flatnonzero(known)
    rng = np.random.default_rng(seed)
    money = np.exp(draw(np.log(cost[used]), draws, rng, level))
    good = np.clip(draw(quality[used], draws, rng, level), 0, 1)
    efficient, by, verdict = (np.full(len(names), None, dtype=object) for _ in range(3))
    p, often = np.full(len(names), np.nan), np.full(len(names), np.nan)
    if len(used):
        beaten = _dominates(money, good)
        each = beaten.mean(axis=2)
        worst = each.argmax(axis=0)
        p[used], often[used] = beaten.any(axis=0).mean(axis=1), each.max(axis=0)
        efficient[used] = (~_dominates(cost[used, :1], quality[used, :1])[:, :, 0].any(axis=0)).tolist()
        by[used] = [names[used[w]] if each[w, k] > 0 else None for k, w in enumerate(worst)]
        verdict[used] = np.select([p[used] >= SURE, p[used] <= 1 - SURE], [DOMINATED, ON_FRONTIER], CANNOT_TELL)
    found = {name: pools[name].to_numpy() for name in COLUMNS[:7]}
    # As objects: inferred, None would become NaN among texts.
    efficient, by, verdict = (pd.Series(x, dtype=object) for x in (efficient, by, verdict))
    added = (efficient, p, by, often, verdict, reason)
    return pd.DataFrame(found | dict(zip(COLUMNS[7:], added, strict=True)))


# ------------------------------------------------------------------------------------------------------------- helpers


def draw(ends: Floats, draws: int, rng: np.random.Generator, level: float) -> Floats:
    """Two-piece normal draws (k, draws) of (k, 3) values, lows and highs, which are its median and its quantiles."""
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
