"""Where does money buy quality, and where does it not?"""

import streamlit as st

from ui import cost_quality as numbers
from ui import cost_quality_panels as panels
from ui import cost_quality_words as words
from ui.page import header, open_page, tell_why

own, problems = panels.from_url()
view = open_page(own, problems)
found = numbers.frontiers(view.snapshot, view.filters, own["quality"])
own, problem = panels.settle(own, found, view)
header(view, words.finding(found, own, view))
if problem:
    st.warning(problem, icon=":material/link_off:")

panels.choices(view, found, own)
if found.reason or not own["of"]:
    tell_why("Cost against quality by pool", [found.reason or "no project has a pool with labels here"])
else:
    panels.frontier(view, found, own)

st.subheader("How many raters an item?", anchor=False)
panels.raters(view, own)

st.subheader("What if work moved?", anchor=False)
panels.move(view, found, own)

st.subheader("All pools", anchor=False)
panels.table(view, found, own)
