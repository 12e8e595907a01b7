"""Where do the next audits cut most uncertainty or harm?"""

import streamlit as st

from ui import audit_controls as controls
from ui import audit_planner, audit_words
from ui.page import open_page, tell_why

own, problems = controls.from_url()
view = open_page(own, problems)
asked = controls.ask(own)
plan = audit_planner.plan(view.snapshot, view.filters, asked)

controls.heading(view, audit_words.finding(plan, asked))
controls.plan_controls(own, view.filters)
if plan.rows.empty:
    tell_why("Where the next audits go", [plan.reason])
else:
    controls.figure_row(plan, asked, view.currency)
    controls.where_they_go(view, plan, asked, own)
    st.subheader("Worklist", anchor=False)
    controls.worklist(view, plan, asked, own)
controls.tests(own, view, plan, asked)
controls.gold(view, plan, asked)
