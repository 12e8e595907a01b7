"""Gold that looks wrong, read live: how many judgements of a pool hang on it, and what the calls are without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import skill
from metrics.errors import NotAllowed, WarehouseUnavailable
from ui import agreement_items, data, links, raters, tables
from ui import format as fmt
from ui.filter_bar import token
from ui.page import View
from ui.rater_live import asked_for, cannot_read
from ui.words import md

AGREEMENT = "pages/agreement.py"
LABEL = "label"  # the stage in which gold is met


@dataclass(frozen=True)
class Doubted:
    """Gold of a pool's projects that is more likely wrong than right.

    items: how many in each project that has some, by id, most judgements of the pool first. judgements: the pool's on
    them. without: raters by answer (raters.GROUPS) when those judgements of all pools are left out.
    """

    items: dict[str, int]
    judgements: int
    without: dict[str, int]


def doubted(snapshot: Snapshot, filters: Filters, pool: str, goal: float) -> Doubted:
    """What of the gold that a pool met looks wrong; raises WarehouseUnavailable or NotAllowed.

    Gold is doubted as the agreement page does (``agreement_items.doubtful_gold``), by the answers of all pools.
    """
    everyone = filters.with_("pool").with_("rater")
    met = data.sums(snapshot, "work", ("gold_n",), ("project",), filters.with_("rater").with_("pool", pool))
    found: list[pd.DataFrame] = []
    for project in met.loc[met["gold_n"] > 0, "project"].astype(str):
        kept = everyone.with_("project", project)
        table = agreement_items.doubtful_gold(snapshot, kept).table
        wrong = set(table.loc[table["posterior"] > agreement_items.DOUBTED, "item"]) if len(table) else set()
        rows = data.ratings(snapshot, kept, which="gold").rows
        found.append(rows[rows["item_id"].isin(wrong)])
    rows = pd.concat(found) if found else pd.DataFrame(columns=["pool_id", "project_id", "item_id"])
    ours = rows[rows["pool_id"] == pool]
    by = ours.groupby("project_id")["item_id"].agg(["size", "nunique"]).sort_values("size", ascending=False)
    without = _cells(rows) if len(rows) else None
    verdict = raters.Gold(snapshot, filters, without).judged(pool, goal).found["verdict"]
    counted = {name: int((verdict == name).sum()) for name in raters.GROUPS}
    return Doubted({str(p): int(n) for p, n in by["nunique"].items()}, len(ours), counted)


def _cells(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Judgements as cells of work: one each."""
    names = {
        "pool": "pool_id",
        "rater": "rater_id",
        "project": "project_id",
        "language": "language",
        "policy": "policy",
    }
    cells = {name: rows[column].to_numpy(object) for name, column in names.items()}
    right = (rows["label"] == rows["gold_label"]).to_numpy(float)
    return {**cells, "stage": np.full(len(rows), LABEL, object), "gold_n": np.ones(len(rows)), "gold_correct": right}


def said(found: Doubted, now: raters.PoolRaters, names: dict[str, str]) -> str:
    """How much hangs on gold that looks wrong, in one line."""
    if not found.judgements:
        return "No gold item that this pool met looks wrong."
    items = sum(found.items.values())
    where = " and ".join(names.get(p, p) for p in list(found.items)[:2])
    below, above = (f"{found.without[g]} (now {len(now.group(g))})" for g in (skill.BELOW, skill.ABOVE))
    return (
        f"{fmt.count(items)} gold {'item looks' if items == 1 else 'items look'} wrong ({where}), and "
        f"{fmt.count(found.judgements)} judgements here hang on {'it' if items == 1 else 'them'}. Without them {below} "
        f"raters are clearly below target and {above} clearly above."
    )


@st.fragment
def line(view: View, found: raters.PoolRaters, pool: str) -> None:
    """Whether raters are judged by gold that looks wrong, read live when asked for; the way to the items."""
    about = "A wrong gold answer counts against the raters who are right: reads the gold, a few seconds."
    if not asked_for("Check the gold behind these calls", f"gold {token(view.filters)}", about):
        tables.quiet(about)
        return
    project = ""
    try:
        with st.spinner("Reading gold judgements"):
            doubts = doubted(view.snapshot, view.filters, pool, found.target)
    except (WarehouseUnavailable, NotAllowed) as error:
        cannot_read("Whether gold looks wrong", error)
    else:
        st.markdown(f"**Is the gold right?** {md(said(doubts, found, view.snapshot.names['project']))}")
        project = next(iter(doubts.items), "")
    narrowed = view.filters.with_("pool").with_("rater")
    narrowed = narrowed.with_("project", project) if project else narrowed
    st.page_link(AGREEMENT, label="Gold that looks wrong", query_params=links.write(narrowed, look="gold"))
