"""Which labels is each model made of, and where did a model's trouble come from?"""

import streamlit as st

from ui import lineage_panels as panels
from ui.page import open_page
from ui.words import md

own, problems = panels.from_url()
view = open_page(own, problems)
line, trace, own, problem = panels.settle(view, own)
panels.heading(view, line, trace)
if problem and line.project:
    st.warning(md(problem), icon=":material/link_off:")
panels.lacking(view, line)
if not line.project:
    st.stop()

panels.figures(line)
panels.pickers(view, line, own)
panels.flow(view, line, trace, own)
panels.traced(view, line, trace, own)
panels.out_of_order(view, line)
