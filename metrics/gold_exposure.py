"""How worn the gold pool is: how often raters met its items, and when they will have met all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from metrics.errors import UnknownName
from metrics.intervals import wilson
from metrics.spec import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GoldExposure:
    """How worn the gold pool is: raters who know the answers by heart show memory, not skill.

    table: a row per rater, the most exposed first: rater, judgements, gold_judgements, gold_share (of the work, 0 to 1)
        with low and high (Wilson), distinct_gold (gold items seen), seen_share (of the pool, 0 to 1; the chance that a
        gold item drawn at random is one seen before), repeats (gold judgements on an item seen before), gold_per_day,
        days_left with days_low, days_high (until the pool is used up, each item met once; 0 when it is; NaN when no
        gold is met or days are unknown), reason (why there is no days_left, else "").
    pool: gold items in use. gold_share: of all work. first_exhausted: the fewest days_left.
    """

    table: pd.DataFrame
    pool: int
    gold_share: Estimate
    first_exhausted: Estimate


EXPOSURE_COLUMNS = (
    "rater",
    "judgements",
    "gold_judgements",
    "gold_share",
    "low",
    "high",
    "distinct_gold",
    "seen_share",
    "repeats",
    "gold_per_day",
    "days_left",
    "days_low",
    "days_high",
    "reason",
)


def gold_exposure_of_sums(
    raters: pd.DataFrame, pool: int, days: float | None = None, *, confidence: float = 0.95
) -> GoldExposure:
    """How often raters met gold items, and when they will have met all, from sums by rater.

    raters: rater, judgements, gold_judgements, distinct_gold. pool: gold items in use. days:
    working days the sums span. days_left = (pool - distinct_gold)/(gold_judgements/days), with Jeffreys' interval of a
    Poisson count for the rate (gamma of gold + 1/2; Brown, Cai and DasGupta 2003): it holds 93 to 97 of 100 where 6 or
    more are expected, the exact one up to 98. It supposes that gold items are not repeated before all were met. When
    they are drawn at random, seen_share is the chance that the next one is known.
    Raises UnknownName for a missing column, ValueError for a pool below a rater's distinct gold or days of 0 or less.
    """
    for name in ("rater", "judgements", "gold_judgements", "distinct_gold"):
        if name not in raters:
            raise UnknownName("column", name, raters.columns)
    if days is not None and not days > 0:
        raise ValueError(f"The judgements span more than 0 days, not {days}.")
    judgements, gold, distinct = (raters[c].to_numpy(float) for c in ("judgements", "gold_judgements", "distinct_gold"))
    if np.any(distinct > pool):
        raise ValueError(f"A rater met {distinct.max():.0f} gold items where the pool has {pool}.")
    if np.any(distinct > gold) or np.any(gold > judgements):
        raise ValueError("A rater met no more gold items than gold judgements, and those are no more than judgements.")
    share = wilson(gold, judgements, confidence)
    left, span = pool - distinct, np.nan if days is None else float(days)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        least, most = (special.gammaincinv(gold + 0.5, end) / span for end in (tail, 1 - tail))
        days_left, days_low, days_high = (np.where(left <= 0, 0, left / x) for x in (gold / span, most, least))
    known = np.isfinite(days_left) & (pool > 0)
    reason = np.where(pool <= 0, "no gold items", "no gold judgements" if days is not None else "days are not known")
    table = pd.DataFrame(
        {
            "rater": raters["rater"].to_numpy(object),
            "judgements": judgements,
            "gold_judgements": gold,
            "gold_share": share.value,
            "low": share.low,
            "high": share.high,
            "distinct_gold": distinct,
            "seen_share": distinct / pool if pool else np.full(len(gold), np.nan),
            "repeats": gold - distinct,
            "gold_per_day": gold / span,
            "days_left": np.where(known, days_left, np.nan),
            "days_low": np.where(known, days_low, np.nan),
            "days_high": np.where(known & np.isfinite(days_high), days_high, np.nan),
            "reason": np.where(known, "", reason),
        },
        columns=list(EXPOSURE_COLUMNS),
    )
    order = sorted(range(len(table)), key=lambda i: (-distinct[i], -gold[i], str(table["rater"].iat[i])))
    table = table.iloc[order].reset_index(drop=True)
    return GoldExposure(table, int(pool), _overall_share(gold, judgements, confidence), _first_exhausted(table))


def _overall_share(gold: Floats, judgements: Floats, confidence: float) -> Estimate:
    if not judgements.sum():
        return Estimate.missing("no judgements")
    found = wilson(gold.sum(), judgements.sum(), confidence)
    return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), float(judgements.sum()))


def _first_exhausted(table: pd.DataFrame) -> Estimate:
    """The days left of the rater who will have met all gold first."""
    known = table[table["days_left"].notna()]
    if known.empty:
        return Estimate.missing(table["reason"].iat[0] if len(table) else "no judgements")
    row = known.loc[known["days_left"].idxmin()]
    high = None if math.isnan(row["days_high"]) else float(row["days_high"])
    return Estimate(float(row["days_left"]), float(row["days_low"]), high, float(row["gold_judgements"]))
