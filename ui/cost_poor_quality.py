"""What quality costs, in all and by group: prevention, appraisal, internal and external failure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import SOURCES, expression
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import unit_cost
from metrics.spec import Estimate
from ui import data, figures
from ui.costs import KEPT, LEAST_CENT, Ask, accuracy, loaded

MONEY = ("cost", "cost_labour", "cost_review", "cost_rework", "cost_training", "cost_discarded")
COUNTS = ("labels", "accepted_labels")
HANDLED = (
    ("gold_n", "work", "annotations"),
    ("appeals_decided", "flow", "appeals"),
    ("escalations", "escalation_ledger", "escalations"),
)
"""What is counted elsewhere than in the ledger: column, mart, and the table it comes from."""
_SUM_OF = {"gold_n": "gold_judgements"}  # as cost_of_quality() calls it


@dataclass(frozen=True, eq=False)
class PoorQuality:
    """What quality costs: ``whole`` for all, and a row per group and category with amount and share of its cost.

    withheld: how many groups are too small for the reader.
    """

    whole: unit_cost.CostOfQuality
    rows: pd.DataFrame
    labels: float
    withheld: int = 0


@st.cache_data(**KEPT)
def poor_quality(snapshot: Snapshot, filters: Filters, ask: Ask) -> PoorQuality:
    """Prevention, appraisal, internal and external failure, in all and by group."""
    by = ask.by
    whole, groups = (frames[0] for frames in figures.measure(snapshot, (ask.quality,), ((), (by,)), (filters,)))
    ledger = data.sums(snapshot, "ledger", (*COUNTS, *MONEY), (by,), filters)
    sums = ledger.set_index(by).astype(float).fillna(0.0)
    sums[sums.abs() < LEAST_CENT] = 0.0
    known = {name: _counted(snapshot, mart, name, table, filters, by) for name, mart, table in HANDLED}
    in_all = {**sums.sum().to_dict(), **{_SUM_OF.get(name, name): total for name, (total, _) in known.items()}}
    right = accuracy(groups[groups[by].notna()], (by,)).set_index(by)
    some = sums[(sums["cost"] > 0) & sums.index.notna()]
    small = data.too_small(snapshot, (by,), filters)
    few = np.array([(member,) in small for member in some.index], bool)
    few |= (some["labels"] < max(1, data.current_scope().minimum_items)).to_numpy()
    names = snapshot.names.get(by, {})
    parts = []
    for member, row in some[~few].iterrows():
        own = {
            _SUM_OF.get(name, name): None if each is None else each.get(member, 0.0)
            for name, (_, each) in known.items()
        }
        found = _quality({**row.to_dict(), **own}, right.loc[member] if member in right.index else None, ask)
        parts.append(found.categories.assign(member=member, label=names.get(member, member), cost=row["cost"]))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["category", "member", "label"])
    in_all_quality = _quality(in_all, accuracy(whole, ()).iloc[0], ask)
    return PoorQuality(in_all_quality, table, in_all["labels"], int(few.sum()))


@st.cache_data(**KEPT)
def qa_share(snapshot: Snapshot, filters: Filters) -> Estimate:
    """Review, audits and gold as a share of all money spent, in all; what the catalogue's share of review lacks."""
    ledger = data.sums(snapshot, "ledger", (*COUNTS, *MONEY), (), filters).iloc[0]
    gold, _ = _counted(snapshot, "work", "gold_n", "annotations", filters, "")
    sums: dict[str, float | None] = {name: float(np.nan_to_num(float(ledger[name]))) for name in (*COUNTS, *MONEY)}
    return _quality({**sums, "gold_judgements": gold}, None, Ask(harm=0.0, appeal=0.0, escalation=0.0)).qa_share


def _counted(
    snapshot: Snapshot, mart: str, name: str, table: str, filters: Filters, by: str
) -> tuple[float | None, dict | None]:
    """A count in all and by group; None where its table is not loaded or its mart keeps a filter or the groups not."""
    source = SOURCES[mart]
    if not loaded(snapshot, table) or any(expression(source, held) is None for held, _ in filters.where):
        return None, None
    axis = (by,) if by and expression(source, by) is not None else ()
    rows = data.sums(snapshot, mart, (name,), axis, filters)
    counts = rows[name].astype(float).fillna(0.0)
    return float(counts.sum()), dict(zip(rows[by], counts, strict=True)) if axis else None


def _quality(sums: dict[str, float | None], right: pd.Series | None, ask: Ask) -> unit_cost.CostOfQuality:
    # A kind that corrections bring below 0 is no cost of quality: not known rather than a gain.
    sums = {name: None if amount is not None and amount < 0 else amount for name, amount in sums.items()}
    wrong = None
    if right is not None and right["reason"]:
        wrong = Estimate.missing(str(right["reason"]), float(right["n"]))
    elif right is not None:
        value, low, high = (1 - float(right[c]) for c in ("value", "high", "low"))
        wrong = Estimate(value, min(low, value), max(high, value), float(right["n"]))
    return unit_cost.cost_of_quality(
        sums,
        escaped_error_cost=ask.harm,
        error_share=wrong,
        appeal_cost=ask.appeal,
        escalation_cost=ask.escalation,
    )
