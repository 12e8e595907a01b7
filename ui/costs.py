"""What the pages about money ask, whether they can be answered, and the sums that their numbers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import SOURCES, expression, why_not
from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics import unit_cost
from metrics.catalogue import METRICS
from metrics.shapes import effective_n
from metrics.spec import Metric
from ui import data, figures

CORRECT, ACCEPTED, LABEL = "correct", "accepted", "label"
METRIC: dict[str, Metric] = {
    CORRECT: METRICS["cost_per_correct_label"],
    ACCEPTED: METRICS["cost_per_accepted_label"],
    LABEL: METRICS["cost_per_label"],
}
UNIT, TOTAL = "unit", "total"
GOLD, AUDIT = "gold_accuracy", "audit_accuracy"
GROUPS = ("project", "pool", "vendor", "site", "product", "language", "policy")
POOLS = ("pool", "vendor", "site", "region")
PROJECTS = ("project", "product", "policy_area", "task_type")
KEPT = figures.KEPT
LOAD = "no {0} are loaded: load the table {0} with python manage.py load, then run python manage.py refresh"
BELOW_ZERO = "the table costs has amounts below 0: enter a refund as a smaller amount of its day, pool and kind"
NO_COSTS, NO_BUDGETS = LOAD.format("costs"), LOAD.format("budgets")


@dataclass(frozen=True)
class Ask:
    """What a reader chose. harm, appeal, escalation: money that an escaped error, an appeal, an escalation costs."""

    unit: str = CORRECT
    of: str = UNIT
    by: str = "project"
    quality: str = GOLD
    harm: float = 1.0
    appeal: float = 2.0
    escalation: float = 25.0
    instead: bool = False  # no label has a known right answer, so accepted labels stand for correct ones


def cannot(snapshot: Snapshot, filters: Filters) -> str:
    """Why costs cannot be shown under these filters; empty where they can."""
    if not loaded(snapshot, "costs"):
        return NO_COSTS
    if below_zero(snapshot):
        return BELOW_ZERO
    for name, _ in filters.where:
        if expression(SOURCES["ledger"], name) is None:
            return f"{why_not(SOURCES['ledger'], name)}; free the filter by {DIMENSIONS[name]}"
    return "" if filters.days else "there is no period"


def below_zero(snapshot: Snapshot) -> bool:
    """Whether a day, project, pool and kind comes to less than nothing: ratios of such costs mean nothing."""
    rows = small(snapshot, "cost")
    kinds = [name for name in rows.columns if name.startswith("cost")]
    return bool((rows[kinds].fillna(0.0) < 0).to_numpy().any())


def loaded(snapshot: Snapshot, table: str) -> bool:
    """Whether a table of the warehouse had rows at the refresh."""
    rows = small(snapshot, "source")
    return bool((rows.loc[rows["table_name"] == table, "n"] > 0).any())


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def small(snapshot: Snapshot, name: str) -> pd.DataFrame:
    """A small table of the snapshot, whole, read once and not to be changed; callers keep to the reader's scope."""
    return snapshot.table(name)


def clusters(snapshot: Snapshot, filters: Filters, by: Sequence[str] = ()) -> pd.DataFrame:
    """Cost and labels by week, project and pool, as cost per label clusters."""
    keys = tuple(dict.fromkeys(("week", "project", "pool", *by)))
    rows = data.sums(snapshot, "ledger", ("cost", "labels"), keys, filters)
    return rows.assign(cost=rows["cost"].fillna(0.0).astype(float), labels=rows["labels"].fillna(0.0).astype(float))


# ---- accuracy --------------------------------------------------------------------------------------------------


def accuracy(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Shrunk accuracies of measured ones: ``keys`` and the columns of unit_cost.shrunk_accuracy()."""
    n = rows["n"].to_numpy(float)
    value, low, high = (rows[c].to_numpy(float) for c in ("value", "low", "high"))
    n = np.where(np.isnan(value), 0.0, n)  # too few to judge, or too small a group to show
    share = np.clip(np.nan_to_num(value), 0, 1)
    found = unit_cost.shrunk_accuracy(share * n, n, effective_n(share, low, high, n))
    reason = np.where(found["reason"] != "", rows["reason"].where(rows["reason"] != "", found["reason"]), "")
    return pd.concat([rows[list(keys)].reset_index(drop=True), found.assign(reason=reason)], axis=1)
