"""The raters of one pool: against target, pace against accuracy, and a table; for those who manage them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics.catalogue import METRICS
from ui import charts, data, links, rater_cell_words, rater_gap, rater_gap_words, raters, tables, theme
from ui import rater_words as words
from ui.filter_bar import open_from_click, token
from ui.page import View, tell_why
from ui.rater_panels import one_pool
from ui.tables import Column
from ui.words import md

PROFILE = "pages/rater_profile.py"
HEADS = {
    "alias": Column("Rater", "A pseudonym. Open a row to see how to support this rater.", width=110),
    "standing": Column("Standing", "Three answers only; within one the order is by name.", "status", width=130),
    "between": Column(
        "Accuracy on gold",
        f"Cleared of how hard the items were, with its {rater_cell_words.INTERVAL}.",
        "right",
        width=165,
    ),
    "n": Column("Gold", "Gold judgements in the period.", "count", width=70),
    "settle": Column("Gold to settle", "More gold judgements that would settle it, as a rule.", "right", width=110),
    "drifting": Column("Last half year", "Whether accuracy drifts against the peers' over 26 weeks.", width=130),
    "agrees": Column(
        "Agrees with peers",
        "Share of other ratings of the same items that agree, with its interval.",
        "right",
        width=165,
    ),
    "judgements": Column("Judgements", "All judgements in the period: the workload.", "count", width=105),
    "hours": Column("Hours", "Hours timed on judgements in the period.", "number", width=80),
    "times": Column("Pace", "Time per judgement over the usual one for the same kind of work.", "number", width=80),
    "unread": Column(
        "Signs of unread labels",
        "No better than blind, and far faster than peers or crowding on one label. At most 1 in 20 is called wrongly.",
    ),
}


def raters_if_allowed(view: View, pool: str) -> raters.PoolRaters | None:
    """The raters of the pool; None where no single pool is chosen or the reader may not see raters."""
    if not pool or not data.current_scope().sees_raters:
        return None
    return raters.raters(view.snapshot, view.filters, pool)


def said(rows: pd.DataFrame) -> pd.DataFrame:
    """The raters with what the charts and tables write about them."""
    records = rows.to_dict("records")
    return rows.assign(
        status=[raters.status_of_group(row["group"]) for row in records],
        said=[rater_cell_words.accuracy(row) for row in records],
    )


def caterpillar(view: View, found: raters.PoolRaters, pool: str) -> str:
    """The raters with gold in their three groups; the rater a reader clicked."""
    rows = said(found.rows[found.rows["group"] != ""])
    if rows.empty:
        tell_why("Accuracy by rater", [found.reason or "no rater met gold in this period"])
        return ""
    spec, alt = charts.caterpillar(rows, found.target, theme.palette(), pool)
    with st.container(key="wide_caterpillar"):
        clicked = charts.show(spec, alt, key=f"raters {token(view.filters)}", select=True)
    exposed = raters.sensitive_seconds(view.snapshot, view.filters, one_pool(view.filters))
    tables.quiet(md(words.sensitive(exposed, pool)))
    main = rater_gap.main_confusion(view.snapshot, view.filters, one_pool(view.filters), found.unread)
    st.markdown(f"**People, items or guideline?** {md(rater_gap_words.gap(found.gap, main=main))}")
    for sentence in (words.how_sure(found), f"{words.gold_to_settle(found)} {words.signs(found)}".strip()):
        tables.quiet(md(sentence))
    return str((clicked or {}).get("member", ""))


def pace(view: View, found: raters.PoolRaters, chosen: str = "") -> str:
    """Speed against accuracy; the rater a reader clicked."""
    rows = found.rows[found.rows["pace"].notna() & found.rows["value"].notna()]
    if rows.empty:
        tell_why("Pace against accuracy", ["too few timed judgements or no gold"])
        return ""
    spec, alt = charts.pace(said(rows), found.target, theme.palette(), chosen)
    clicked = charts.show(spec, alt, key=f"pace {chosen} {token(view.filters)}", select=True)
    # On a rater's own page the sentence would read as one about that rater.
    tables.quiet(md(words.pace(found.pace, len(found.unread), "In this pool" if chosen else "")))
    return str((clicked or {}).get("member", ""))


def rater_table(view: View, found: raters.PoolRaters, name: str) -> str:
    """The raters in a table, by group and then name, workload beside; the rater of the row a reader selected."""
    rows = found.rows.sort_values(["place", "alias"], kind="stable") if len(found.rows) else found.rows
    if rows.empty:
        return ""
    records = rows.to_dict("records")
    shown = rows.assign(
        standing=[rater_cell_words.standing(row["group"]) for row in records],
        between=[rater_cell_words.accuracy(row) for row in records],
        settle=[rater_cell_words.to_settle(row) for row in records],
        drifting=[rater_cell_words.drifting(row["drift_verdict"]) for row in records],
        agrees=[rater_cell_words.peers(row) for row in records],
        times=rows["pace"].round(2),
        unread=[rater_cell_words.unread(row) for row in records],
        hours=rows["hours"].round(1),
    )
    picked = tables.table(
        shown,
        key=f"rater table {token(view.filters)}",
        title=f"Raters of {name}",
        columns=HEADS,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS["gold_accuracy"]],
        members=[{"rater": r} for r in rows["rater"]],
        opens=True,
        exported=rows.drop(columns=["place"]),
    )
    return str((picked or {}).get("rater", ""))


def open_rater(rater: str, filters: Filters) -> None:
    """Opens the profile of a rater, when one was clicked."""
    if rater:
        open_from_click(PROFILE, links.write(filters.with_("rater", rater), grain="month"))
