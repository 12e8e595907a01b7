"""What does a correct label cost, and what moved the cost?"""

import streamlit as st

from ui import cost_panels as panels
from ui import cost_words as words
from ui.page import header, open_page, tell_why

own, problems = panels.from_url()
view = open_page(own, problems)
found, asked = panels.answer(view, panels.ask(own))
bridge = panels.bridge(view, asked)
header(view, words.finding(found, bridge, asked, view.currency))

if found.reason:
    tell_why("What a label cost", [found.reason])
    panels.to_load(view, "costs")
    panels.budget(view)
    st.stop()
panels.figure_row(view, found, asked)

panels.what_moved(view, bridge, asked, own)
panels.look(own, view.filters)
if own["look"] == panels.POOR:
    panels.poor_quality(view, asked, own)
elif own["look"] == panels.KINDS:
    panels.kinds(view, asked, own)
elif own["look"] == panels.BUDGET:
    panels.budget(view)
else:
    left, right = st.columns(2, gap="large")
    with left:
        panels.over_time(view, asked)
    with right:
        panels.where(view, found, asked, own)
    panels.table(view, found, asked, own)
