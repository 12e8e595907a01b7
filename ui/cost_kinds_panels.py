"""The section on kinds of cost: labour, review, rework, tooling, training and fees by group."""

from __future__ import annotations

import streamlit as st

from data_access.filters import DIMENSIONS
from ui import charts, cost_kinds, tables
from ui import cost_words as say
from ui import format as fmt
from ui.cost_controls import Own, choose, open_group
from ui.costs import Ask
from ui.filter_bar import token
from ui.page import View, tell_why
from ui.tables import Column
from ui.theme import palette
from ui.words import md


def kinds(view: View, asked: Ask, own: Own) -> None:
    """Labour, review, rework, tooling, training and fees by group; a click narrows the page to the group."""
    found = cost_kinds.kinds(view.snapshot, view.filters, asked.by)
    what = DIMENSIONS[asked.by]
    st.markdown(md(say.kinds(found, view.currency)))
    choose(st.selectbox, "by", own, view.filters, width=170)
    if found.rows.empty:
        tell_why(f"Cost by {what} and kind", ["no costs match these filters"])
        return
    spec, alt = charts.cost_kinds(found.rows, found.kinds, palette(), what, view.currency)
    clicked = charts.show(spec, alt, key=f"cost kinds {asked.by} {token(view.filters)}", select=True)
    open_group(view.filters, asked, own, (clicked or {}).get("member"))

    def write(value: object) -> str:
        return fmt.NONE if fmt.is_missing(value) else fmt.money(float(value), view.currency)

    everywhere = [(list(range(len(found.rows))), write)]
    picked = tables.table(
        found.rows,
        key=f"kinds table {asked.by} {token(view.filters)}",
        title=f"Cost by {what} and kind",
        columns={
            "label": Column(what.capitalize(), "Open a row to look inside.", width=220),
            **{kind: Column(kind.capitalize(), f"Costs booked as {kind}.", "number") for kind in found.kinds},
            "cost": Column("All", "The kinds sum to it.", "number"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"member": m} for m in found.rows["member"]],
        opens=True,
        exported=found.rows,
        writers=dict.fromkeys((*found.kinds, "cost"), everywhere),
    )
    open_group(view.filters, asked, own, (picked or {}).get("member"))
