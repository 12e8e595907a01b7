"""What a label costs, now and in the period before, in all, by group and by week: the catalogue's unit costs.

The catalogue judges correct labels by gold; where audits are chosen instead, the accuracy of audits takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.privacy import TOO_SMALL
from data_access.snapshot import Snapshot
from metrics import targets, unit_cost
from metrics.spec import Status
from ui import data, figures, periods
from ui.costs import AUDIT, CORRECT, GOLD, KEPT, KINDS, METRIC, Ask, accuracy, cannot, clusters

COLUMN = {unit: METRIC[unit].name for unit in METRIC}  # of a table of groups
ITEMS, QA, SPENT = "cost_per_decided_item", "qa_cost_share", "total_cost"
CATALOGUE = (*COLUMN.values(), ITEMS, QA, SPENT)
NOT_SHARED_OUT = "Not shared out"
NO_TIME = "nobody worked there in the weeks it was paid for, so there is no handling time to share it by"


@dataclass(frozen=True, eq=False)
class Unit:
    """What a label cost. score: a row for each of CATALOGUE and the accuracy chosen, as figures.with_change() gives it.

    now: its row of the chosen unit; right: that of the accuracy. rows: a row per group with the estimate of the chosen
    unit, the values of all (columns CATALOGUE) and those of the period before ("was" and the name).
    """

    score: pd.DataFrame
    rows: pd.DataFrame
    now: pd.Series | None = None
    right: pd.Series | None = None
    reason: str = ""

    @property
    def change(self) -> float:
        """The change as a share of the period before; NaN where either has no number."""
        if self.now is None or not self.now["before"] > 0:
            return float("nan")
        return float(self.now["value"] / self.now["before"] - 1)


@st.cache_data(**KEPT)
def unit(snapshot: Snapshot, filters: Filters, ask: Ask) -> Unit:
    """What a label cost in the period and before it, in all and by group."""
    reason = cannot(snapshot, filters)
    if reason:
        return Unit(pd.DataFrame(), pd.DataFrame(), reason=reason)
    whole, groups = measured(snapshot, (filters, filters.before()), ask.quality, ((), (ask.by,)))
    score = figures.with_change(*whole, ["metric"])
    rows = score.set_index("metric")
    spent = rows.loc[SPENT]
    if not spent["value"] > 0:
        reason = "no money was spent in this period" if spent["value"] == 0 else "no costs match these filters"
        if spent["value"] < 0:
            reason = unit_cost.BELOW_ZERO
        return Unit(score, pd.DataFrame(), reason=TOO_SMALL if spent["reason"] == TOO_SMALL else reason)
    return Unit(score, _groups(snapshot, groups, ask), rows.loc[METRIC[ask.unit].name], rows.loc[ask.quality])


def measured(
    snapshot: Snapshot, spans: Sequence[Filters], quality: str, groupings: Sequence[tuple[str, ...]]
) -> list[list[pd.DataFrame]]:
    """CATALOGUE and the accuracy chosen, correct labels by it: frames by grouping, then period."""
    found = figures.measure(snapshot, (*CATALOGUE, quality), groupings, spans)
    found = [[_refunded(frame) for frame in frames] for frames in found]
    if quality == GOLD:
        return found
    return [
        [_by_audits(snapshot, span, frame, by) for span, frame in zip(spans, frames, strict=True)]
        for by, frames in zip(groupings, found, strict=True)
    ]


def _refunded(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of measure() without the ratios of costs that come to less than 0; sums stay as they are booked."""
    share = (found["metric"] == QA).to_numpy()
    below = ((found["value"] < 0) & (found["metric"] != SPENT)).to_numpy()
    # A share that is none has already lost its number, and not for want of costs.
    lost = found["value"].isna() & (found["reason"] == "") & (found["n"] > 0)
    below = below | (share & lost.to_numpy())
    if not below.any():
        return found
    found = found.copy()
    found.loc[below, ["value", "low", "high"]] = np.nan
    found.loc[below, ["reason", "status"]] = [unit_cost.BELOW_ZERO, Status.TOO_FEW.value]
    return found


def _by_audits(snapshot: Snapshot, filters: Filters, found: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Rows of measure() with the cost of a correct label by the accuracy of audits, which are among them."""
    metric, keys = METRIC[CORRECT], list(by)
    at = found["metric"] == metric.name
    old = found[at]
    per = unit_cost.cost_per(clusters(snapshot, filters, by), keys)
    audited = found[found["metric"] == AUDIT]
    right = accuracy(audited, keys)
    if keys:
        per = old[keys].merge(per, on=keys, how="left")
        right = old[keys].merge(right, on=keys, how="left")
    right["reason"] = right["reason"].fillna(unit_cost.NO_GOLD)
    per = per.assign(reason=per["reason"].fillna(metric.nothing), note=per["note"].fillna(""))
    new = unit_cost.cost_per_correct(per.fillna({"n": 0.0}), right.fillna({"n": 0.0}))
    few = (new["n"] < metric.min_n).to_numpy() & (new["reason"] == "").to_numpy()
    new.loc[few, "reason"] = f"fewer than {metric.min_n} {metric.counts}"
    small = (old["reason"] == TOO_SMALL).to_numpy()
    new.loc[small, "reason"] = TOO_SMALL
    new.loc[small, "n"] = 0.0
    new.loc[few | small, ["value", "low", "high"]] = np.nan
    new = new[["value", "low", "high", "n", "reason"]].set_index(old.index)
    goals = [None if np.isnan(t) else targets.Target(t, w) for t, w in zip(old["target"], old["warn"], strict=True)]
    ends = zip(new["value"], new["low"], new["high"], goals, strict=True)
    new["status"] = [targets.status(metric, *row).value for row in ends]
    found = found.copy()
    found.loc[at, list(new)] = new
    return found


def _groups(snapshot: Snapshot, groups: list[pd.DataFrame], ask: Ask) -> pd.DataFrame:
    """A row per group: the chosen unit as figures.breakdown() gives it, and all units now and before."""
    by, metric = ask.by, METRIC[ask.unit]
    now = groups[0]
    rows = now[now["metric"] == metric.name].reset_index(drop=True)
    members = rows[by].tolist()
    for mark, frame in zip(("", "was "), groups, strict=True):
        values = {
            pair: v
            for *pair, v in zip(frame["metric"], frame[by], frame["value"], strict=True)
            for pair in [tuple(pair)]
        }
        for name in CATALOGUE:
            rows[f"{mark}{name}"] = [values.get((name, member), np.nan) for member in members]
    names = snapshot.names.get(by, {})
    nowhere = rows[by].isna().to_numpy()
    rows = rows.assign(
        member=[None if gone else str(m) for m, gone in zip(members, nowhere, strict=True)],
        label=[NOT_SHARED_OUT if gone else names.get(str(m), str(m)) for m, gone in zip(members, nowhere, strict=True)],
        change=rows[metric.name] / rows[f"was {metric.name}"] - 1,
        order=rows["status"].map(figures.ORDER),
    )
    if by in ("language", "policy"):
        rows.loc[nowhere & (rows["n"] == 0).to_numpy(), "reason"] = NO_TIME
    small = _withhold(rows)
    rows = rows[small | (rows[SPENT] > 0) | (rows["n"] > 0)]
    return rows.sort_values(["order", "value"], ascending=[True, False], kind="stable").reset_index(drop=True)


@st.cache_data(**KEPT)
def not_shared_out(snapshot: Snapshot, filters: Filters, by: str) -> dict[str, float]:
    """Costs that have no language or policy, by kind, the largest first; {} where all are shared out."""
    if by not in ("language", "policy"):
        return {}
    rows = data.sums(snapshot, "ledger", tuple(f"cost_{kind}" for kind in KINDS), (by,), filters)
    rest = rows[rows[by].isna()]
    sums = {kind: float(rest[f"cost_{kind}"].astype(float).sum()) for kind in KINDS}
    return {kind: amount for kind, amount in sorted(sums.items(), key=lambda x: -x[1]) if amount > 0}


def _withhold(rows: pd.DataFrame) -> np.ndarray:
    """Empties the groups that are too small for the reader, in place; which they are."""
    least = data.current_scope().minimum_items
    small = (rows["reason"] == TOO_SMALL).to_numpy() | ((rows["n"] < least) & (rows["n"] > 0)).to_numpy()
    if small.any():
        rows.loc[small, ["value", "low", "high", "change", *CATALOGUE, *(f"was {name}" for name in CATALOGUE)]] = np.nan
        rows.loc[small, ["reason", "status"]] = [TOO_SMALL, Status.TOO_FEW.value]
    return small


@st.cache_data(**KEPT)
def over_time(snapshot: Snapshot, filters: Filters, unit: str, quality: str) -> pd.DataFrame:
    """One unit cost by week as figures.over_time() gives a metric of the catalogue."""
    found = _refunded(figures.over_time(snapshot, filters, METRIC[unit].name, "week"))
    if unit != CORRECT or quality == GOLD or found.empty:
        return found
    audited = figures.over_time(snapshot, filters, quality, "week")
    weeks = pd.concat([found, audited], ignore_index=True)
    span = filters.over(*periods.around((filters.start, filters.end), "week"))
    return _by_audits(snapshot, span, weeks, ("week",)).iloc[: len(found)]
