"""Where the next audits buy most: their allocation over strata after Neyman."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRIOR_AUDITS = 4.0
"""How many audits at the overall error share a stratum's own are completed by: no error so far is not no error."""

NO_STRATA = "no strata with items"
NOTHING_ASKED = "no audits to allot"


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
