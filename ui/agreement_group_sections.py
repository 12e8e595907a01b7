"""The agreement page's section on groups of raters: what a group reads otherwise, and how far groups agree."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from ui import agreement, agreement_groups, agreement_readings, agreement_words, charts, data, tables, words
from ui import agreement_controls as controls
from ui import agreement_group_words as say
from ui import agreement_live as live
from ui import format as fmt
from ui.agreement_controls import Own
from ui.choice import choice
from ui.filter_bar import go_to, token
from ui.page import View, guarded
from ui.tables import Column
from ui.theme import palette


def groups(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Policy by group, then agreement inside and between groups; both from all ratings of a project on demand."""
    names = {axis: f"By {name}" for axis, name in agreement_groups.AXES.items()}
    testable = bool(agreement.one_project(view.filters))
    people = data.current_scope().sees_raters
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choice(st.selectbox, "Group raters by", "axis", names, own, view.filters, width=220)
        if people and not testable:
            controls.project_picker(view, own, "To test the groups on all ratings, choose a project")
    _groups_tested(view, own, testable and people)


@st.fragment
def _groups_tested(view: View, own: Own, testable: bool) -> None:
    """The groups, from all ratings once that has been asked for."""

    def draw() -> None:
        axis, every = own["axis"], None
        if testable and live.asked("Test by shuffling the raters", _test(axis, view.filters)):
            every = live.read(
                lambda: (
                    agreement_readings.of_all(view.snapshot, view.filters, axis),
                    agreement_groups.shuffled(view.snapshot, view.filters, axis),
                )
            )
        read, found = every or (
            agreement_readings.of_sample(view.snapshot, view.filters, axis),
            agreement_groups.of_snapshot(view.snapshot, view.filters, axis),
        )
        _readings(view, own, read)
        _agreement(view, axis, found)

    guarded(draw)


def _test(axis: str, filters: Filters) -> str:
    """The key under which a test on all ratings is asked for."""
    return f"groups {axis} {token(filters)}"


def _readings(view: View, own: Own, found: agreement_readings.Readings) -> None:
    """Policy by group; a click tests the policy on all ratings."""
    axis = own["axis"]
    st.markdown(words.md(say.readings(found, axis)))
    if not found.tests:
        return
    tested = found.cells.groupby(["project", "policy"])["p"].transform("count") > 0
    compared = found.cells.groupby("member")["p"].transform("count") > 0
    cells = found.cells[tested & compared]
    with st.container(key="wide_readings"):
        spec, alt = charts.group_readings(cells, palette(), agreement_groups.AXES[axis])
        key = f"readings {axis} {found.live} {token(view.filters)}"
        picked = charts.show(spec, alt, key=key, select=True)
    untested = found.cells[~tested].groupby(["project", "policy"]).ngroups
    tables.quiet(words.md(say.readings_basis(found, untested)))
    if picked:
        inside = view.filters.with_("project", picked["project"]).with_("policy", picked["policy"])
        live.ask_for(_test(axis, inside))
        go_to(inside, own)
        st.rerun()


def _agreement(view: View, axis: str, found: agreement_groups.Grouped) -> None:
    """Agreement inside the groups and with the others."""
    st.markdown(words.md(say.groups(found, axis)))
    if len(found.rows):
        what = agreement_groups.AXES[axis]
        with st.container(key="wide_groups"):
            charts.show(*charts.group_agreement(found.rows, palette(), what, found.tested), key="groups")
    period = agreement_groups.sampled_period(view.snapshot, view.filters)
    tables.quiet(words.md(say.groups_basis(found, period, DIMENSIONS)))
    if len(found.rows):
        _groups_table(view, found, axis)


def _groups_table(view: View, found: agreement_groups.Grouped, axis: str) -> None:
    """The groups' numbers, with p and q where the test was made."""
    rows = found.rows
    texts = {f"{s}_text": [_estimate(row, s) for row in rows.to_dict("records")] for s in agreement_groups.SHOWN}
    shown = rows.assign(**texts, said=[say.group_finding(row) for row in rows.to_dict("records")])
    columns = {
        "label": Column(agreement_groups.AXES[axis].capitalize()),
        "raters": Column("Raters", kind="count"),
        "irr_text": Column("Inside (IRR)", "Krippendorff's nominal alpha of the group's own ratings.", "right"),
        "xrr_text": Column("With others (XRR)", "Agreement of the group with all other raters.", "right"),
        "gai_text": Column(
            "IRR over XRR (GAI)", "Above 1 the group agrees more with itself than with others.", "right"
        ),
    }
    if found.tested:
        columns |= {
            f"{s}_p_two_sided": Column(f"p of {s.upper()}", "Two-sided, from shuffled raters.", "number")
            for s in agreement_groups.SHOWN
        }
        columns["said"] = Column("Test")
    tables.fold(
        "The numbers, and the file",
        "groups details",
        lambda: tables.table(
            shown,
            key=f"groups table {axis} {found.tested}",
            title=f"Group agreement by {agreement_groups.AXES[axis]}",
            columns=columns,
            snapshot=view.snapshot,
            filters=view.filters,
            exported=rows,
        ),
    )


def _estimate(row: Mapping, name: str) -> str:
    if fmt.is_missing(row[name]):
        return str(row[f"{name}_reason"])
    unsure = row[f"{name}_interval_reason"]
    text = agreement_words.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
    return f"{text} (no interval: {unsure})" if unsure else text
