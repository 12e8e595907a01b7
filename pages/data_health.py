"""Can I trust today's numbers?"""

import streamlit as st

from data_access.filters import Filters
from ui import health
from ui.page import View, header, open_snapshot

snapshot = open_snapshot()
checks = health.checks(snapshot)
header(View(snapshot, Filters()), health.verdict(checks))
health.points(checks)
if snapshot.meta.last_day is not None:
    health.figures(checks)

    left, right = st.columns([1.2, 1], gap="large")
    with left:
        health.late_audits(checks)
    with right:
        st.subheader("Does the work add up?", anchor=False)
        health.reconciliation(checks, snapshot)

st.subheader("How fresh is each table?", anchor=False)
health.source_table(checks, snapshot)

st.subheader("What did the check of the warehouse find?", anchor=False)
health.findings(checks, snapshot)
