"""What money was spent on: labour, review, rework, tooling, training and fees by group, straight from the ledger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from ui import data
from ui.cost_units import NOT_SHARED_OUT
from ui.costs import KEPT, KINDS, LEAST_CENT

OTHER, TOO_SMALL = "other", "Too small to show"


@dataclass(frozen=True, eq=False)
class Kinds:
    """rows: a row per group, dearest first: member (None for what has no group or is too small), label, a column for
    each of ``kinds`` and cost, all money. total: money in all. The kinds and the rows sum to it.
    """

    rows: pd.DataFrame
    kinds: tuple[str, ...]
    total: float


@st.cache_data(**KEPT)
def kinds(snapshot: Snapshot, filters: Filters, by: str) -> Kinds:
    """The period's costs by group and kind; groups too small for the reader are one row together."""
    columns = {kind: f"cost_{kind}" for kind in KINDS}
    rows = data.sums(snapshot, "ledger", ("cost", "labels", *columns.values()), (by,), filters)
    money = rows[["cost", *columns.values()]].astype(float).fillna(0.0).set_axis(["cost", *columns], axis=1)
    money[OTHER] = money["cost"] - money[list(columns)].sum(axis=1)
    names, small = snapshot.names.get(by, {}), data.too_small(snapshot, (by,), filters)
    labels = rows["labels"].astype(float).fillna(0.0)
    few = (
        np.array([(m,) in small for m in rows[by]], bool)
        | ((labels > 0) & (labels < data.current_scope().minimum_items)).to_numpy()
    )
    gone = rows[by].isna() | few
    money["member"] = rows[by].where(~gone, None)
    money["label"] = [
        TOO_SMALL if hidden else NOT_SHARED_OUT if pd.isna(m) else names.get(str(m), str(m))
        for m, hidden in zip(rows[by], few, strict=True)
    ]
    found = money.groupby(["label", "member"], dropna=False, as_index=False).sum()
    found = found[found["cost"].abs() >= LEAST_CENT].sort_values("cost", ascending=False, kind="stable")
    some = tuple(kind for kind in (*KINDS, OTHER) if found[kind].abs().max() >= LEAST_CENT)
    found["member"] = found["member"].astype(object).where(found["member"].notna(), None)
    return Kinds(found.reset_index(drop=True), some, float(money["cost"].sum()))
