"""What a reader chooses on the agreement page, all of it in the URL: breakdown, section, groups of raters, project."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from ui import agreement, agreement_groups, links
from ui.choice import choice
from ui.filter_bar import go_to, token
from ui.page import View

LOOKS = {
    "table": "Numbers",
    "groups": "Groups of raters",
    "items": "Contested items",
    "gold": "Gold that looks wrong",
    "pairs": "Pairs of raters",
    "without": "Without gold",
    "mix": "Label mix",
    "more": "One more rating",
}
Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters, `by`, `look` and `axis`, and a sentence for each that was not honoured."""
    problems: list[str] = []

    def read(name: str, called: str, known: Mapping[str, str], fallback: str) -> str:
        return links.one_of(called, st.query_params.get(name), known, fallback, problems)

    own = {
        "by": read("by", "breakdown", {d: DIMENSIONS[d] for d in agreement.BREAKDOWNS}, agreement.BREAKDOWNS[0]),
        "look": read("look", "section", LOOKS, "table"),
        "axis": read("axis", "group of raters", agreement_groups.AXES, "region"),
    }
    return own, tuple(problems)


def breakdown(own: Own, filters: Filters) -> None:
    """What the coefficients are broken down by."""
    with st.container(key="beside_coefficients"):
        names = {d: f"By {DIMENSIONS[d]}" for d in agreement.BREAKDOWNS}
        choice(st.selectbox, "Break down by", "by", names, own, filters, width=200)


def look(own: Own, filters: Filters) -> None:
    """Which section is open."""
    choice(st.segmented_control, "Look into", "look", LOOKS, own, filters, wrap=True)


def open_group(rows: pd.DataFrame, member: object, own: Own, filters: Filters) -> None:
    """Narrows the page to the group that was clicked, and breaks it down further."""
    picked = rows[rows["member"] == member]
    if picked.empty:
        return
    for name, value in picked["narrows"].iloc[0].items():
        filters = filters.with_(name, str(value))
    go_to(filters, {**own, "by": agreement.NARROWER[own["by"]]})
    st.rerun()


def project_picker(view: View, own: Own, why: str = "") -> None:
    """Narrows the page to one project."""
    names = {str(p): n for p, n in view.snapshot.names["project"].items()}
    chosen = view.filters.values("project")
    options = [p for p in names if p in chosen] if chosen else list(names)
    key = f"project for {own['look']} {token(view.filters)}"

    def choose() -> None:
        if st.session_state[key]:
            go_to(view.filters.with_("project", st.session_state[key]), own)

    st.selectbox(
        why or "Project",
        options,
        index=None,
        format_func=names.get,
        placeholder="Choose a project",
        key=key,
        on_change=choose,
        width=340,
    )
