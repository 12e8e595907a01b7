"""The errors of pools and raters: too mild or too severe, how grave, and which labels are mistaken for which."""

from __future__ import annotations

import streamlit as st

from data_access.filters import Filters
from ui import charts, links, rater_error_words, rater_errors, tables, theme
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, tell_why
from ui.rater_panels import PAGE
from ui.words import md

AGAINST = {rater_errors.GOLD: "on gold", rater_errors.AUDIT: "that were audited"}


def _matrix_picker(own: dict[str, str], filters: Filters, projects: list[str], names: dict[str, str], at: int) -> None:
    key = f"matrix {projects[at]} {token(filters)}"

    def choose() -> None:
        go_to(filters, {**own, "matrix": st.session_state[key]})

    with st.container(key="beside_matrix"):
        st.selectbox(
            "Project",
            projects,
            index=at,
            format_func=lambda p: names.get(p, p),
            key=key,
            on_change=choose,
            label_visibility="collapsed",
            width=240,
        )


def error_mix(view: View, own: dict[str, str]) -> None:
    """Too mild or too severe by class; a click on a project shows it by its true labels."""
    found = rater_errors.errors(view.snapshot, view.filters)
    if found.rows.empty:
        tell_why("Errors by class", [found.reason])
        return
    opens = "its labels" if found.by == "project" else ""
    spec, alt = charts.error_sides(found.rows, theme.palette(), found.by, AGAINST[found.basis], opens)
    clicked = charts.show(spec, alt, key=f"error_mix {token(view.filters)}", select=bool(opens))
    if clicked and clicked.get("member"):
        open_from_click(PAGE, links.write(view.filters.with_("project", str(clicked["member"])), **own))


def gravity(view: View) -> None:
    """How grave audited errors are."""
    rows = rater_errors.verdicts(view.snapshot, view.filters)
    if rows.empty:
        tell_why("How grave errors are", ["no audits"])
        return
    subtitle = "Weighted to all work; line: 95 % interval"
    spec, alt = charts.share_dots(rows, theme.palette(), "How grave audited errors are", subtitle, "audits")
    charts.show(spec, alt, key="gravity")


def matrix(view: View, own: dict[str, str]) -> None:
    """The confusion matrix of the filtered project, else of the one chosen, else of the one with most errors."""
    projects = rater_errors.confused_projects(view.snapshot, view.filters)
    if not projects:
        tell_why("Which labels are mistaken for which", [rater_errors.errors(view.snapshot, view.filters).reason])
        return
    at = projects.index(own["matrix"]) if own["matrix"] in projects else 0
    if own["matrix"] and own["matrix"] not in projects:
        tables.quiet("The project of the link has no known answers here; shown is the one with most errors.")
    names = view.snapshot.names["project"]
    if len(projects) > 1:
        _matrix_picker(own, view.filters, projects, names, at)
    name = "" if len(projects) > 1 else names.get(projects[at], projects[at])
    show_matrix(rater_errors.matrix(view.snapshot, view.filters, projects[at]), name, "matrix")


def show_matrix(found: rater_errors.Matrix, name: str, key: str) -> None:
    """One confusion matrix, named after its project where nothing else says it."""
    spec, alt = charts.confusion(
        found.counts, found.labels, theme.palette(), name, AGAINST[found.basis], rater_errors.OTHER
    )
    charts.show(spec, alt, key=f"{key} {found.project}")
    tables.quiet(md(rater_error_words.macro_f1(found)))
