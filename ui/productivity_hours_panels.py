"""The part of the productivity page on paid hours: a sentence, two charts, a table by pool."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from metrics.catalogue import METRICS
from ui import charts, productivity_hours, tables, words
from ui import format as fmt
from ui import productivity_hours_words as sentences
from ui.filter_bar import token
from ui.page import View, tell_why
from ui.productivity_hours import BY_COUNT, OF_HANDLING, OF_SHIFTS, USE, Hours
from ui.tables import Column, quiet
from ui.theme import palette

TITLE = "Where the paid hours go"
CALLED = {
    "occupancy": "Occupancy",
    "idle_share": "Idle",
    "adherence": "Adherence",
    "rework_time_share": "Rework, of handle time",
    "skip_time_share": "Skips, of handle time",
    BY_COUNT: "Skips, by count",
}


def hours(view: View) -> None:
    """Paid hours by pool; without shifts what to load, and what handle times tell by themselves."""
    found = productivity_hours.hours(view.snapshot, view.filters)
    said = sentences.hours(found)
    if said:
        st.markdown(words.md(said))
    if productivity_hours.narrowed(view.filters):
        quiet(words.md(sentences.not_narrowed(productivity_hours.narrowed(view.filters))))
    left, right = st.columns(2, gap="large")
    with left:
        _dots(view, found, USE, TITLE)
    with right:
        _dots(view, found, "occupancy", "Occupancy")
    table(view, found)


def _dots(view: View, found: Hours, metric: str, title: str) -> None:
    """A share by pool with its interval, or what to load."""
    rows = found.of_pools(metric)
    if not rows.empty and not rows["value"].isna().all():
        spec, alt = charts.interval_dots(rows, METRICS[metric], palette(), "pool", view.currency)
        charts.show(spec, alt, key=metric)
        return
    reason = found.score(metric)["reason"]
    if metric == "occupancy" and found.paid.hours > 0:
        reason = sentences.LOAD_AVAILABLE
    elif found.paid.hours <= 0:
        reason = sentences.LOAD_SHIFTS
    tell_why(title, [reason])


def table(view: View, found: Hours) -> None:
    """Every share by pool; a share that no pool has is left out, skips by count stand in for skips without times."""
    names = [n for n in (*OF_SHIFTS, *OF_HANDLING, BY_COUNT) if found.of_pools(n)["value"].notna().any()]
    if "skip_time_share" in names:
        names.remove(BY_COUNT)
    members = found.pools.drop_duplicates("member").sort_values("label", kind="stable")
    if not names or members.empty:
        return
    shown = pd.DataFrame({"member": members["member"].to_numpy(), "label": members["label"].to_numpy()})
    columns = {"label": Column("Pool", width="medium")}
    for name in names:
        own = found.of_pools(name).set_index("member")
        if name == USE:
            records = dict(zip(own.index, own.to_dict("records"), strict=True))
            shown["between"] = [_between(records.get(m), view.currency) for m in shown["member"]]
            shown["moved"] = [_moved(records.get(m), view.currency) for m in shown["member"]]
            columns["between"] = Column("Utilisation", METRICS[USE].meaning, "right")
            columns["moved"] = Column("Change", "Against the period before.", "right")
            shown["idle"] = shown["member"].map(found.idle)
            columns["idle"] = Column("Idle hours", "Paid and not spent on items, breaks and training too.", "count")
            continue
        shown[name] = shown["member"].map(own["value"].to_dict())
        columns[name] = Column(CALLED[name], METRICS[name].meaning, "share")
    tables.table(
        shown,
        key=f"hours table {token(view.filters)}",
        title="Hours by pool",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS[name] for name in names],
    )


def _between(row: dict | None, currency: str) -> str:
    return fmt.NONE if row is None else words.value_text(row, METRICS[USE], currency)


def _moved(row: dict | None, currency: str) -> str:
    if row is None or fmt.is_missing(row["value"]):
        return fmt.NONE
    text, verdict = words.change_words(row, METRICS[USE], currency)
    return f"{text}, {verdict}" if verdict else text
