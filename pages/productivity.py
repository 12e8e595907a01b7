"""How fast is the work, and is speed bought with quality?"""

import streamlit as st

from ui import productivity, productivity_words
from ui import productivity_panels as panels
from ui.page import header, nothing_here, open_page

own, problems = panels.from_url()
view = open_page(own, problems)
found = productivity.change(view.snapshot, view.filters)

panels.all_pools(view, own)
header(view, productivity_words.productivity(found, view.currency))
if found.score("judgements")["n"] == 0:
    nothing_here("No work matches these filters, so handle time and throughput cannot be shown.")
    st.stop()

panels.figure_row(view, found)
left, right = st.columns([1.25, 1], gap="large")
with left:
    panels.weeks(view, found)
with right:
    opened = panels.beside(view)
opened = panels.section(view, own) or opened
panels.drill(opened, view, own)
