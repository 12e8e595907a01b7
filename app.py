"""Raterscope: which KPI moved, what moved with it, and what to do next. Page config and navigation, nothing else."""

import streamlit as st

from ui.page import brand, guarded

st.set_page_config(page_title="Raterscope", page_icon=":material/monitoring:", layout="wide")
brand()

PAGES = [
    st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", default=True),
    st.Page("pages/kpi.py", title="KPI", icon=":material/show_chart:", url_path="kpi"),
]

guarded(st.navigation(PAGES, position="top").run)
