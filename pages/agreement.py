"""Can the labels be trusted, and where do raters read an item differently?"""

import streamlit as st

from data_access.filters import DIMENSIONS
from ui import (
    agreement,
    agreement_controls,
    agreement_sections,
    agreement_words,
    cards,
    charts,
    figures,
    periods,
    words,
)
from ui.filter_bar import token
from ui.page import header, open_page
from ui.theme import palette

own, problems = agreement_controls.from_url()
view = open_page(own, problems)
snapshot, filters, by = view.snapshot, view.filters, own["by"]

rows = agreement.coefficients(snapshot, filters, by)
lowest = agreement.lowest(snapshot, filters, by)
header(view, agreement_words.finding(snapshot, filters, rows, lowest, by))

agreement_controls.breakdown(own, filters)
if len(rows):
    spec, alt = charts.coefficients(rows, palette(), DIMENSIONS[by])
    with st.container(key="wide_coefficients"):
        clicked = charts.show(spec, alt, key=f"coefficients chart {by} {token(filters)}", select=True)
    if clicked:
        agreement_controls.open_group(rows, clicked["member"], own, filters)
    st.markdown(words.md(agreement_words.trust(rows, by)))

    over = figures.over_time(snapshot, filters, agreement.ALPHA.name, "week")
    if over["value"].notna().any():
        changes = figures.changes(snapshot, filters, "week")
        late = periods.provisional_from(agreement.ALPHA, view.meta)
        spec, alt = charts.trend(over, agreement.ALPHA, palette(), "week", view.currency, late, changes, filters.start)
        charts.show(spec, alt, key="alpha trend")
        cards.change_list(changes)
else:
    st.info(words.md(agreement_words.nothing(filters)), icon=":material/visibility_off:")

st.subheader("Why, and what to do", anchor=False)
agreement_controls.look(own, filters)
agreement_sections.section(view, own, rows)
