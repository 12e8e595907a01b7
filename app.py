"""Raterscope: which KPI moved, what moved with it, and what to do next. Page config and navigation, nothing else."""

import streamlit as st

from ui.page import brand, guarded, icon

st.set_page_config(page_title="Raterscope", page_icon=icon(), layout="wide")
brand()

PAGES = {
    "": [
        st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", default=True),
        st.Page("pages/kpi.py", title="KPI", icon=":material/show_chart:"),
    ],
    "Quality": [
        st.Page("pages/rater_quality.py", title="Rater quality", icon=":material/groups:"),
        st.Page("pages/agreement.py", title="Agreement", icon=":material/handshake:"),
        st.Page("pages/audit_planner.py", title="Audit planner", icon=":material/rule:"),
        st.Page("pages/rater_profile.py", title="Rater profile", icon=":material/person:", visibility="hidden"),
    ],
    "Delivery and cost": [
        st.Page("pages/productivity.py", title="Productivity", icon=":material/speed:"),
        st.Page("pages/queue_and_capacity.py", title="Queue and capacity", icon=":material/stacked_line_chart:"),
        st.Page("pages/costs.py", title="Costs", icon=":material/payments:"),
        st.Page("pages/cost_and_quality.py", title="Cost and quality", icon=":material/balance:"),
    ],
    "Model": [
        st.Page("pages/model_impact.py", title="Model impact", icon=":material/model_training:"),
        st.Page("pages/lineage.py", title="Lineage", icon=":material/account_tree:"),
        st.Page("pages/changes.py", title="Changes", icon=":material/published_with_changes:"),
    ],
    "About the data": [
        st.Page("pages/definitions.py", title="Definitions", icon=":material/menu_book:"),
        st.Page("pages/data_health.py", title="Data health", icon=":material/fact_check:"),
    ],
}

guarded(st.navigation(PAGES, position="top").run)
