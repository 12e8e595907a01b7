"""Gold in the work: how far it has told raters apart, its share by pool, how worn it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import gold_exposure, skill
from metrics.gold_exposure import GoldExposure
from metrics.spec import Status
from ui import data, raters
from ui.audit_planner import GOLD, METRIC, names_of
from ui.figures import KEPT, ORDER


@dataclass(frozen=True)
class Settled:
    """How many raters gold has settled so far: above, below and cannot tell; and what would settle the rest.

    target: a share. per_week: gold judgements of the middle rater in a week. more: gold judgements that the middle
    rater of those who cannot be told needs; too_close: how many are too close to the target for any plan.
    """

    target: float
    above: int
    below: int
    cannot_tell: int
    more: float
    too_close: int
    per_week: float


@st.cache_data(**KEPT)
def settled(snapshot: Snapshot, filters: Filters) -> Settled | None:
    """How far gold tells raters apart at the target in force; None where nobody has met gold or no target is set.

    For readers who may see raters; it counts them and names none.
    """
    target = data.measure(snapshot, (METRIC[GOLD],), (), filters)["target"].iloc[0]
    if not target > 0 or not target < 1:
        return None
    gold = raters.Gold(snapshot, filters)
    pools = filters.values("pool") or tuple(str(one) for one in pd.unique(gold.cells["pool"]))
    named = filters.values("rater")
    verdicts, needed, met = [], [], []
    for pool in pools:
        goal = raters.target(snapshot, filters.with_("pool", pool), METRIC[GOLD])
        if not goal or not 0 < goal < 1:
            continue
        judged = gold.judged(pool, goal)
        asked = judged.n > 0
        if named:
            asked &= np.isin(gold.names[judged.ours].astype(str), named)
        verdicts.append(judged.found["verdict"].to_numpy()[asked])
        needed.append(judged.needed["more"][asked])
        met.append(judged.n[asked])
    verdict, more, n = (np.concatenate([*one, []]) for one in (verdicts, needed, met))
    if not len(n):
        return None
    open_ = verdict == skill.CANNOT_TELL
    more = pd.Series(more[open_].astype(float))
    weeks = (filters.days or 7) / 7
    return Settled(
        target=float(target),
        above=int((verdict == skill.ABOVE).sum()),
        below=int((verdict == skill.BELOW).sum()),
        cannot_tell=int(open_.sum()),
        more=float(more.median()) if more.notna().any() else float("nan"),
        too_close=int(more.isna().sum()),
        per_week=float(np.median(n) / weeks),
    )


@st.cache_data(**KEPT)
def exposure(snapshot: Snapshot, filters: Filters, by: str = "pool") -> tuple[pd.DataFrame, str]:
    """The share of work that is gold by pool, off its band first; or the reason why there is none."""
    rows = data.measure(snapshot, ("gold_exposure_rate",), (by,), filters)
    if rows.empty or rows[by].isna().all():
        return rows.iloc[:0], str(rows["reason"].iloc[0]) if len(rows) else ""
    rows = rows.assign(member=rows[by].astype(str), label=names_of(snapshot, by, rows[by]))
    rows = rows.assign(order=rows["status"].map(lambda s: ORDER[Status(s)]))
    return rows.sort_values(["order", "value"], kind="stable").reset_index(drop=True), ""


def gold_projects(snapshot: Snapshot, filters: Filters) -> dict[str, str]:
    """The projects that have gold in the work chosen, by id: name, most gold first."""
    rows = data.sums(snapshot, "work", ("gold_n",), ("project",), filters)
    rows = rows[rows["gold_n"] > 0].sort_values("gold_n", ascending=False, kind="stable")
    names = snapshot.names.get("project", {})
    return {str(p): names.get(str(p), str(p)) for p in rows["project"]}


def wear(snapshot: Snapshot, filters: Filters, project: str) -> GoldExposure:
    """How often raters met the gold of a project, live from the warehouse; raises as data.gold_met() does."""
    within = filters.with_("project", project)
    met = data.gold_met(snapshot, within)
    known = snapshot.table("rater").set_index("rater_id")["alias"].to_dict()
    met = met.assign(rater=[known.get(r) or r for r in met["rater_id"]])  # readers see pseudonyms
    pool = max(data.gold_pool(snapshot, (project,)), int(met["distinct_gold"].max()) if len(met) else 0)
    return gold_exposure.gold_exposure_of_sums(met, pool, within.days)
