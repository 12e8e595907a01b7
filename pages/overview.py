"""Which KPI moved, and is it good or bad?"""

import streamlit as st

from data_access.filters import DIMENSIONS
from ui import cards, charts, figures, words
from ui.filter_bar import open_from_click
from ui.page import header, nothing_here, open_page
from ui.theme import palette

view = open_page()
snapshot, filters, currency = view.snapshot, view.filters, view.currency

scores = figures.scorecard(snapshot, filters)
header(view, words.overview(scores, currency))
if scores["value"].isna().all():
    nothing_here("No work matches these filters, so no KPI has a number.")
    st.stop()

left, right = st.columns([2.35, 1], gap="large")
with left:
    cards.scorecard(scores, filters, view.meta)
    note = words.basis_note(figures.main_basis(snapshot, filters, tuple(scores["metric"])))
    if note:
        st.caption(note)
with right:
    st.subheader("What moved most")
    moves, compared = figures.moves(snapshot, filters)
    cards.moves(moves, filters, currency)
    st.caption(words.chance(int(moves["clear"].sum()), len(moves), compared))

rows, axis = figures.heat(snapshot, filters)
if len(rows):
    spec, alt = charts.heat_strip(rows, palette(), DIMENSIONS[axis], currency)
    with st.container(key="wide_heat"):
        clicked = charts.show(spec, alt, key="heat", select=True)
    if clicked:
        picked = filters.with_(axis, clicked["member"])
        open_from_click(cards.KPI_PAGE, cards.kpi_params(clicked["metric"], picked))
