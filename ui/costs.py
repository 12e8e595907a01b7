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
KINDS = ("labour", "review", "rework", "tooling", "training", "fee")
LEAST_CENT = 0.005  # less than this below 0 is rounding
KEPT = figures.KEPT
LOAD = "no {0} are loaded: load the table {0} with python manage.py load, then run python manage.py refresh"
WOULD_SHOW = {
    "costs": "what a label cost, what moved that, what poor quality cost and how much of the budgets is spent",
    "shifts": "what paid hours cost, and how much of them is no handling",
    "audits": "the cost of a label that is right by audits",
}
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
    for name, _ in filters.where:
        if expression(SOURCES["ledger"], name) is None:
            return f"{why_not(SOURCES['ledger'], name)}; free the filter by {DIMENSIONS[name]}"
    return "" if filters.days else "there is no period"


@st.cache_data(**KEPT)
def below_zero(snapshot: Snapshot, filters: Filters, by: tuple[str, ...]) -> tuple[tuple[tuple, str, float], ...]:
    """Group, kind and amount of each kind of cost that comes to less than 0 in the period, the lowest first.

    A credit note below its day's spend is a correction of other days; only where it exceeds the period's spend of its
    kind, ratios of that cost mean nothing.
    """
    rows = data.sums(snapshot, "ledger", ("labels", *(f"cost_{kind}" for kind in KINDS)), by, filters)
    hidden = data.too_small(snapshot, by, filters) if by else frozenset()
    if by:
        rows = rows[rows["labels"].astype(float).fillna(0.0) >= data.current_scope().minimum_items]
    found = [
        (key, kind, amount)
        for kind in KINDS
        for key, amount in zip(
            rows[list(by)].itertuples(index=False, name=None) if by else [()],
            rows[f"cost_{kind}"].astype(float).fillna(0.0),
            strict=True,
        )
        if amount < -LEAST_CENT and key not in hidden
    ]
    return tuple(sorted(found, key=lambda one: one[2]))


def loaded(snapshot: Snapshot, table: str) -> bool:
    """Whether a table of the warehouse had rows at the refresh."""
    rows = small(snapshot, "source")
    return bool((rows.loc[rows["table_name"] == table, "n"] > 0).any())


def to_load(snapshot: Snapshot, table: str, more: str = "") -> str:
    """A sentence that says which table to load and what it, or ``more``, would show then; empty where it is loaded."""
    if loaded(snapshot, table):
        return ""
    said = LOAD.format(table)
    return f"{said[0].upper()}{said[1:]}; this would show {more or WOULD_SHOW[table]}."


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def small(snapshot: Snapshot, name: str) -> pd.DataFrame:
    """A small table of the snapshot, whole, read once and not to be changed; callers keep to the reader's scope."""
    return snapshot.table(name)


def clusters(snapshot: Snapshot, filters: Filters, by: Sequence[str] = ()) -> pd.DataFrame:
    """Cost and labels by week, project and pool, as cost per label clusters."""
    keys = tuple(dict.fromkeys(("week", "project", "pool", *by)))
    rows = data.sums(snapshot, "ledger", ("cost", "labels"), keys, filters)
    return rows.assign(cost=rows["cost"].fillna(0.0).astype(float), labels=rows["labels"].fillna(0.0).astype(float))


@st.cache_data(**KEPT)
def main_bases(snapshot: Snapshot) -> dict[str, str]:
    """The time basis that most of each project's timed work has, in all days; times on others are left out."""
    rows = data.sums(snapshot, "work", ("handle_n",), ("project", "time_basis"), Filters())
    rows = rows.assign(handle_n=rows["handle_n"].astype(float).fillna(0.0))
    rows = rows.sort_values(["handle_n", "time_basis"], ascending=[False, True]).drop_duplicates("project")
    return dict(zip(rows["project"].astype(str), rows["time_basis"].astype(str), strict=True))


def timed_work(snapshot: Snapshot, columns: Sequence[str], by: Sequence[str], filters: Filters) -> pd.DataFrame:
    """data.sums() of `work` by project and more, handle times on each project's main basis: none of two are added.

    Judgements timed on another basis count as untimed.
    """
    keys = [*by, "time_basis"]
    rows = data.sums(snapshot, "work", tuple(columns), tuple(keys), filters)
    off = rows["time_basis"].astype(str) != rows["project"].astype(str).map(main_bases(snapshot))
    timed = [name for name in columns if name.startswith("handle_")]
    rows = rows.assign(**{name: rows[name].astype(float).mask(off, 0.0) for name in timed})
    return rows.groupby(list(by), as_index=False, dropna=False, sort=False)[list(columns)].sum()


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
