"""The agreement page's sections, one of which is open at a time, and those of them that the snapshot answers.

A section that reads single ratings does so only when asked, and fails alone: the rest of the page stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS
from ui import agreement, agreement_more, agreement_more_words, charts, tables, words
from ui import agreement_consensus_section as consensus_section
from ui import agreement_controls as controls
from ui import agreement_group_sections as group_sections
from ui import agreement_item_sections as item_sections
from ui import agreement_words as say
from ui import format as fmt
from ui.agreement_controls import Own
from ui.filter_bar import go_to, token
from ui.page import View
from ui.tables import Column
from ui.theme import SHAPES, palette


def section(view: View, own: Own, rows: pd.DataFrame) -> None:
    """The section that is open."""
    {
        "table": _numbers,
        "groups": group_sections.groups,
        "items": item_sections.contested,
        "gold": item_sections.gold,
        "pairs": item_sections.pairs,
        "without": consensus_section.without_gold,
        "mix": _mix,
        "more": _more,
    }[own["look"]](view, own, rows)


# ---- from the snapshot -----------------------------------------------------------------------------------------


def _numbers(view: View, own: Own, rows: pd.DataFrame) -> None:
    """All coefficients as a table; a row opens its group."""
    if rows.empty:
        st.info(words.md(say.nothing(view.filters)), icon=":material/visibility_off:")
        return
    what = DIMENSIONS[own["by"]]
    records = rows.to_dict("records")
    shown = rows.assign(
        **{f"{name}_text": [_cell(row, name) for row in records] for name in agreement.COEFFICIENTS},
        common=[_common(row) for row in records],
        goal=["" if pd.isna(row["target"]) else fmt.target(row["target"], agreement.ALPHA) for row in records],
        state=[_state(row) for row in records],
        reading=[say.read_as(row) for row in records],
    )
    columns = {
        "label": Column(what.capitalize()),
        "alpha_text": Column(
            "Alpha", "Krippendorff's alpha at the project's own level, with its 95 % interval.", "right"
        ),
        "goal": Column("Target", "What alpha is held to at the end of the period.", "right"),
        "state": Column("Status", tables.STATUS_HELP, "status"),
        "ac_text": Column("AC1 or AC2", "Gwet's coefficient, steady where one label dominates.", "right"),
        "kappa_text": Column(
            "Fleiss' kappa", "Without credit for near misses: to compare with published figures.", "right"
        ),
        "percent_text": Column(
            "Percent agreement", "The share of pairs of ratings that agree; knows no chance.", "right"
        ),
        "common": Column("Commonest label", "The label given most, and its share of all ratings.", "right"),
        "overlap": Column(
            "Rated twice", "The share of items with two ratings or more: what agreement rests on.", "share"
        ),
        "n": Column("Items rated twice", "What the coefficients rest on.", "count"),
        "reading": Column("How to read it"),
    }
    picked = tables.table(
        shown,
        key=f"coefficients {own['by']} {token(view.filters)}",
        title=f"Agreement by {what}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=(agreement.ALPHA, agreement.AC, agreement.PERCENT),
        members=[{"member": m} for m in rows["member"]],
        opens=True,
        exported=rows.drop(columns=["narrows", "skewed"]),
    )
    if picked:
        controls.open_group(rows, picked["member"], own, view.filters)


def _cell(row: Mapping, name: str) -> str:
    if fmt.is_missing(row[name]):
        return fmt.NONE if row[f"{name}_reason"] == agreement.NO_CHANCE else str(row[f"{name}_reason"])
    metric = agreement.PERCENT if name == "percent" else agreement.ALPHA
    between = fmt.interval(row[f"{name}_low"], row[f"{name}_high"], metric, row[name])
    return f"{fmt.value(row[name], metric)} {between}".strip()


def _common(row: Mapping) -> str:
    if fmt.is_missing(row["commonest_share"]):
        return fmt.NONE
    return f"{say.label_name(row['commonest'])}, {say.share(row['commonest_share'])}"


def _state(row: Mapping) -> str:
    status = words.status_of(row)
    return f"{SHAPES[status]} {words.STATUS[status]}".strip()


def _mix(view: View, own: Own, rows: pd.DataFrame) -> None:
    """How the mix of labels moved against the period before."""
    if _nothing(view):
        return
    if not view.filters.days:
        st.info("Choose a period to compare with the one before.", icon=":material/visibility_off:")
        return
    before = agreement_more.baseline(view.filters)
    against = fmt.days(before.start, before.end, view.filters.end)
    found = agreement_more.shifts(view.snapshot, view.filters)
    st.markdown(words.md(agreement_more_words.label_mix(found, against)))
    if found.projects.empty:
        return
    if found.labels is not None:
        spec, alt = charts.label_mix(found.labels, palette(), agreement_more.MOST_LABELS, against)
        charts.show(spec, alt, key="label mix")
        return
    spec, alt = charts.mix_shifts(found.projects, palette())
    picked = charts.show(spec, alt, key=f"shifts {token(view.filters)}", select=True)
    if picked:
        go_to(view.filters.with_("project", picked["member"]), own)
        st.rerun()


def _more(view: View, own: Own, rows: pd.DataFrame) -> None:
    """What one more rating per item would buy: a narrower alpha, a majority that is right more often."""
    if _nothing(view):
        return
    found = agreement_more.one_more(view.snapshot, view.filters)
    st.markdown(words.md(agreement_more_words.one_more(found, view.currency)))
    left, right = st.columns(2, gap="large")
    if len(found) and found["half_width"].notna().any():
        with left:
            charts.show(*charts.narrower(found, palette(), view.currency), key="narrower")
    with right:
        curve = agreement_more.majority(view.snapshot, view.filters)
        if curve.empty or curve["accuracy"].isna().any():
            one = agreement.one_project(view.filters)
            st.info(
                "There are too few gold judgements here for the curve of the majority."
                if one
                else "Choose a project to see how often the majority of more ratings is right.",
                icon=":material/visibility_off:",
            )
            controls.project_picker(view, own) if not one else None
            return
        charts.show(*charts.majority(curve, palette()), key="majority")
        tables.quiet(words.md(agreement_more_words.majority(curve, view.currency)))


def _nothing(view: View) -> bool:
    """Whether the snapshot has no agreement for the filters; says why."""
    why = agreement.why_not(view.filters)
    if why:
        st.info(f"This section has no number here: {words.md(why)}.", icon=":material/visibility_off:")
    return bool(why)
