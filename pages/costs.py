"""What does a correct label cost, and what moved the cost?"""

import streamlit as st

from ui import cost_budget_panels, cost_kinds_panels, cost_poor_quality_panels
from ui import cost_controls as controls
from ui import cost_panels as panels
from ui import cost_words as words
from ui.page import header, open_page, tell_why

own, problems = controls.from_url()
view = open_page(own, problems)
found, asked = panels.answer(view, controls.ask(own))
bridge = panels.bridge(view, asked)
header(view, words.finding(found, bridge, asked, view.currency))

if found.reason:
    tell_why("What a label cost", [found.reason])
    controls.to_load(view, "costs")
    cost_budget_panels.budget(view)
    st.stop()
panels.figure_row(view, found, asked)

panels.what_moved(view, bridge, asked, own)
controls.look(own, view.filters)
if own["look"] == controls.POOR:
    cost_poor_quality_panels.poor_quality(view, asked, own)
elif own["look"] == controls.KINDS:
    cost_kinds_panels.kinds(view, asked, own)
elif own["look"] == controls.BUDGET:
    cost_budget_panels.budget(view)
else:
    left, right = st.columns(2, gap="large")
    with left:
        panels.over_time(view, asked)
    with right:
        panels.where(view, found, asked, own)
    panels.table(view, found, asked, own)
