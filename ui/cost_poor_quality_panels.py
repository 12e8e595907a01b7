"""The section on the cost of poor quality, with what is supposed in reach."""

from __future__ import annotations

import streamlit as st

from data_access.filters import DIMENSIONS
from ui import charts, cost_poor_quality, cost_poor_quality_words, tables
from ui.cost_controls import MONEY, MOST, Own, choose, number, open_group
from ui.cost_panels import below_zero, not_shared_out
from ui.costs import Ask
from ui.filter_bar import token
from ui.page import View, tell_why
from ui.theme import palette
from ui.words import md


def poor_quality(view: View, asked: Ask, own: Own) -> None:
    """Prevention, appraisal and failure by group, with what is supposed in reach."""
    found = cost_poor_quality.poor_quality(view.snapshot, view.filters, asked)
    st.markdown(md(cost_poor_quality_words.poor_quality(found, asked, view.currency)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choose(st.selectbox, "by", own, view.filters, width=170)
        for name, label in MONEY.items():
            number(f"{label}, {view.currency}", name, own, view.filters, 0.0, MOST, 0.5 if name == "harm" else 5.0, 215)
    if found.rows.empty or found.rows["share"].isna().all():
        tell_why("The cost of poor quality by group", [*found.rows.get("reason", [])])
    else:
        spec, alt = charts.poor_quality(found.rows, palette(), DIMENSIONS[asked.by], view.currency)
        key = f"poor quality {asked.by} {hash(asked)} {token(view.filters)}"
        clicked = charts.show(spec, alt, key=key, select=True)
        open_group(view.filters, asked, own, (clicked or {}).get("member"))
        missing = found.rows[found.rows["share"].isna()]
        if len(missing):
            tables.quiet(md(cost_poor_quality_words.no_external(missing["reason"].tolist())))
    below = below_zero(view, (), "What rests on them alone is not known.")
    rest = not_shared_out(view, asked)
    said = (
        cost_poor_quality_words.assumptions(found, asked, view.currency),
        cost_poor_quality_words.left_out(found.withheld),
        rest,
        below,
    )
    tables.quiet(md(" ".join(filter(None, said))))
