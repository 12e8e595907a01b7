"""Where the next audits or gold items buy most: allocation over strata, acceptance sampling, wear of the gold pool."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.errors import UnknownName
from metrics.intervals import wilson
from metrics.spec import Estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRIOR_AUDITS = 4.0
"""How many audits at the overall error share a stratum's own are completed by: no error so far is not no error."""

NO_STRATA = "no strata with items"
NOTHING_ASKED = "no audits to allot"
NO_PLAN = "no sample of that lot keeps both risks"
MOST_SAMPLED = 100_000
"""Largest sample a plan is looked for."""

# --------------------------------------------------------------------------------------------------- Neyman allocation


@dataclass(frozen=True, eq=False)
class Allocation:
    """How many of the next audits go to each stratum, and what they buy.

    table: a row per stratum in the given order: stratum, size, audited, errors, error_rate (shrunk), low, high (its
        95 % posterior interval), harm, cost (per audit), audits (to do next, whole), share (of the audits),
        proportional (what the stratum's size alone would give it).
    audits: sum of table.audits; unallotted: asked for and not placed, because every item is then audited.
    se_before, se_after: standard error of the harm-weighted error share with the audits so far and with the new ones;
        se_proportional: with as many spread by size. None, with se_reason, where a stratum has no audit at all.
    cost: what the audits cost, in the unit of ``cost``. reason: why there is no plan, or "".
    """

    table: pd.DataFrame
    audits: int
    unallotted: int
    se_before: float | None
    se_after: float | None
    se_proportional: float | None
    cost: float
    se_reason: str = ""
    reason: str = ""


ALLOCATION_COLUMNS = (
    "stratum",
    "size",
    "audited",
    "errors",
    "error_rate",
    "low",
    "high",
    "harm",
    "cost",
    "audits",
    "share",
    "proportional",
)


def allocate_audits(
    stratum: Sequence[Hashable],
    size: ArrayLike,
    audited: ArrayLike,
    errors: ArrayLike,
    audits: int,
    *,
    harm: ArrayLike | None = None,
    cost: ArrayLike | None = None,
    floor: int = 5,
    keep_earlier: bool = True,
    prior_audits: float = PRIOR_AUDITS,
) -> Allocation:
    """The next ``audits`` audits over strata so that the (harm-weighted) error share becomes known best.

    stratum: names; size: items in each, N_h; audited, errors: audits so far and errors among them; harm: weight of an
    error, 1 when omitted; cost: of one audit, above 0, 1 when omitted. All of one length.

    Neyman: n_h ~ W_h N_h √(p_h q_h)/√c_h. p_h = (errors + s·p)/(audited + s), p the share over all strata and
    s = ``prior_audits``, so that no errors so far is not read as no errors. keep_earlier: the audits so far are of
    these items, so that it is the **total** of old and new audits that follows the rule, and strata audited enough get
    none but their floor; False: they are of other items (last month's) and only show p_h. Each stratum gets at least
    ``floor`` and at most its items not yet audited; where the floors together exceed ``audits`` they are lowered
    alike. Whole numbers by the largest remainder, ties to the earlier stratum; their sum is ``audits`` unless the items
    run out.

    Standard error of Σ W_h N_h p_h / Σ W_h N_h: √Σ (W_h N_h)² p_h q_h/m_h (1 - m_h/N_h) / Σ W_h N_h with m_h audits,
    p_h as above before and after. Unequal chances of being audited need weights N_h/m_h in every estimate.
    Raises ValueError for unequal lengths, negative numbers, errors above audits above size, or a cost of 0.
    Source: Neyman 1934; Cochran 1977, section 5.5.
    """
    names = list(stratum)
    k = len(names)
    size, audited, errors, harm, cost = (
        np.ones(k) if x is None else np.asarray(x, dtype=float) for x in (size, audited, errors, harm, cost)
    )
    columns = (size, audited, errors, harm, cost)
    if any(x.shape != (k,) for x in columns):
        raise ValueError("Strata need one size, audited, errors, harm and cost each.")
    if any(np.any(x < 0) or not np.isfinite(x).all() for x in columns) or np.any(cost <= 0):
        raise ValueError("Sizes, audits, errors and harms are not negative, and a cost is above 0.")
    if np.any(errors > audited) or (keep_earlier and np.any(audited > size)):
        raise ValueError("A stratum has no more errors than audits and no more audits than items.")
    if audits < 0 or floor < 0 or not prior_audits > 0:
        raise ValueError("Audits and floor are not negative, and the prior is worth more than 0 audits.")
    # Half an error in one audit more: a pool without a single error must not look like certainty either.
    overall = (errors.sum() + 0.5) / (audited.sum() + 1)
    a, b = errors + prior_audits * overall, audited - errors + prior_audits * (1 - overall)
    rate = a / (a + b)
    spread = harm * size * np.sqrt(rate * (1 - rate))
    done = audited if keep_earlier else np.zeros(k)
    room = np.floor(size - done).astype(np.int64)
    total = min(int(audits), int(room.sum()))
    given = _allot(spread / np.sqrt(cost), done, room, total, floor)
    even = _allot(size, np.zeros(k), room, total, 0)
    before, after, spread_evenly = (_standard_error(spread, harm * size, done + x, size) for x in (0, given, even))
    unseen = [str(n) for n, m, w in zip(names, done, harm * size, strict=True) if m == 0 and w > 0]
    se_reason = ""
    if before is None:
        more = f" and {len(unseen) - 3} more" if len(unseen) > 3 else ""
        se_reason = f"no audit yet in {', '.join(unseen[:3])}{more}" if unseen else NO_STRATA
    table = pd.DataFrame(
        {
            "stratum": names,
            "size": size,
            "audited": audited,
            "errors": errors,
            "error_rate": rate,
            "low": special.betaincinv(a, b, 0.025),
            "high": special.betaincinv(a, b, 0.975),
            "harm": harm,
            "cost": cost,
            "audits": given,
            "share": given / total if total else np.zeros(k),
            "proportional": even,
        },
        columns=list(ALLOCATION_COLUMNS),
    )
    return Allocation(
        table,
        total,
        int(audits) - total,
        before,
        after,
        spread_evenly,
        float(given @ cost),
        se_reason,
        NO_STRATA if not size.sum() else NOTHING_ASKED if audits == 0 else "",
    )


def _allot(priority: Floats, earlier: Floats, room: Integers, total: int, floor: int) -> Integers:
    """Whole numbers of the given sum, earlier + number in proportion to priority, between floor and room."""
    k = len(priority)
    if not k or not total:
        return np.zeros(k, dtype=np.int64)
    least = np.minimum(floor, room)
    if least.sum() > total:
        # Not enough for every floor: the highest common floor, and one more for the first by priority.
        height = next(h for h in range(floor, -1, -1) if np.minimum(h, room).sum() <= total)
        least = np.minimum(height, room)
        left = total - least.sum()
        order = np.argsort(-np.where(least < room, priority, -1), kind="stable")[:left]
        least = least + np.isin(np.arange(k), order)
        return least.astype(np.int64)
    priority = priority if np.any(priority[room > 0] > 0) else np.ones(k)

    def at(scale: float) -> Floats:
        return np.clip(scale * priority - earlier, least, room)

    low, high = 0.0, 1.0
    # Strata of no priority take what the others cannot hold.
    while at(high).sum() < total and high < 1e18:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).sum() < total else (low, middle)
    exact = at(high)
    whole = np.floor(exact + 1e-9).astype(np.int64)
    left = total - int(whole.sum())
    while left > 0:
        open_ = np.flatnonzero(whole < room)
        order = open_[np.argsort(-np.round(exact[open_] - whole[open_], 9), kind="stable")][:left]
        whole[order] += 1
        left -= len(order)
    return whole


def _standard_error(spread: Floats, weight: Floats, audited: Floats, size: Floats) -> float | None:
    """Standard error of the weighted error share; None where a stratum that counts has no audit, or none counts."""
    counted = weight > 0
    if not counted.any() or np.any(audited[counted] == 0):
        return None
    left = 1 - audited[counted] / size[counted]
    return float(np.sqrt((spread[counted] ** 2 / audited[counted] * left).sum()) / weight.sum())


# ------------------------------------------------------------------------------------------------- acceptance sampling


@dataclass(frozen=True, slots=True)
class AcceptancePlan:
    """Audit ``n`` of a batch and accept it with at most ``c`` errors.

    producer_risk: chance to reject a batch at the acceptable level; consumer_risk: chance to accept one at the limit.
    n and c are None, and reason says why, when no plan keeps both.
    """

    n: int | None
    c: int | None
    producer_risk: float | None
    consumer_risk: float | None
    reason: str = ""


def acceptance_probability(n: int, c: int, error_rate: ArrayLike, lot: int | None = None) -> Floats:
    """The chance that a batch is accepted when n of it are audited and at most c errors are allowed, 0 to 1.

    error_rate: true shares of errors, any shape. lot: items in the batch; errors in it are then error_rate·lot rounded,
    and the chance is hypergeometric; without it the batch counts as endless (binomial).
    Raises ValueError unless 0 <= c, 0 <= n <= lot and rates lie in 0..1. Source: ISO 2859-1 and any text on it.
    """
    rate = np.asarray(error_rate, dtype=float)
    if n < 0 or c < 0 or (lot is not None and n > lot):
        raise ValueError(f"A plan audits 0 to {lot if lot is not None else 'any number of'} items, not {n}, c >= 0.")
    if np.any((rate < 0) | (rate > 1)):
        raise ValueError("An error rate lies between 0 and 1.")
    if c >= n:
        return np.ones_like(rate)
    if lot is None:
        return np.asarray(special.bdtr(c, n, rate))
    wrong, seen = np.round(rate * lot)[..., None], np.arange(c + 1)
    # Impossible counts drop out by themselves: the logarithm of a negative number's factorial is infinite.
    terms = _log_choose(wrong, seen) + _log_choose(lot - wrong, n - seen) - _log_choose(float(lot), float(n))
    return np.minimum(np.exp(terms).sum(axis=-1), 1.0)


def operating_curve(n: int, c: int, error_rates: ArrayLike | None = None, lot: int | None = None) -> pd.DataFrame:
    """What a plan lets through: a row per true error rate.

    Columns: error_rate (0 to 1; by default 0 to .2 in 41 steps), accepted (probability, see
    ``acceptance_probability``), outgoing (error share left after rejected batches are fully corrected:
    accepted · error_rate · (1 - n/lot)).
    """
    rate = np.linspace(0, 0.2, 41) if error_rates is None else np.asarray(error_rates, dtype=float)
    accepted = acceptance_probability(n, c, rate, lot)
    unseen = 1.0 if lot is None else 1 - n / lot
    return pd.DataFrame({"error_rate": rate, "accepted": accepted, "outgoing": accepted * rate * unseen})


def find_plan(
    acceptable: float, limit: float, producer_risk: float = 0.05, consumer_risk: float = 0.10, lot: int | None = None
) -> AcceptancePlan:
    """The smallest sample that accepts batches at the acceptable error rate (AQL) and stops those at the limit (LTPD).

    Smallest n, and for it the smallest c, with P(accept | acceptable) >= 1 - producer_risk and P(accept | limit) <=
    consumer_risk; see ``acceptance_probability`` for lot. Raises ValueError unless 0 <= acceptable < limit <= 1 and
    risks lie inside 0..1.
    """
    if not 0 <= acceptable < limit <= 1 or not (0 < producer_risk < 1 and 0 < consumer_risk < 1):
        raise ValueError("A plan needs 0 <= acceptable < limit <= 1 and risks between 0 and 1.")
    most = MOST_SAMPLED if lot is None else lot

    def accepted(n: int, c: int, rate: float) -> float:
        return float(acceptance_probability(n, c, rate, lot))

    n, c = 1, 0
    # For each c the smallest n that stops bad batches; the first c that also lets good ones pass has the smallest n.
    while c < most:
        low, high = max(n, c + 1), most
        if low > high or accepted(high, c, limit) > consumer_risk:
            break
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if accepted(middle, c, limit) <= consumer_risk else (middle + 1, high)
        n = low
        passed = accepted(n, c, acceptable)
        if passed >= 1 - producer_risk:
            return AcceptancePlan(n, c, 1 - passed, accepted(n, c, limit))
        c += 1
    return AcceptancePlan(None, None, None, None, NO_PLAN)


def _log_choose(n: Floats | float, k: Floats | float) -> Floats:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


# -------------------------------------------------------------------------------------------------------- wear of gold


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
