"""The agreement page's sections, one of which is open at a time.

A section that reads single ratings does so only when asked, and fails alone: the rest of the page stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS
from metrics.errors import RaterscopeError
from ui import agreement, agreement_groups, agreement_items, agreement_more, charts, data, links, tables, words
from ui import agreement_controls as controls
from ui import agreement_words as say
from ui import format as fmt
from ui.agreement_controls import Own
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, guarded
from ui.tables import Column
from ui.theme import SHAPES, palette

RATER_PAGE = "pages/rater_profile.py"
PEOPLE_ONLY = "Single ratings are shown only to those who manage the raters; ask for access to their pool."
T = TypeVar("T")


def section(view: View, own: Own, rows: pd.DataFrame) -> None:
    """The section that is open."""
    {
        "table": _numbers,
        "groups": _groups,
        "items": _contested,
        "gold": _gold,
        "pairs": _pairs,
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
    return f"{str(row['commonest']).replace('|', ' + ') or 'none'}, {say.share(row['commonest_share'])}"


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
    st.markdown(words.md(say.label_mix(found, against)))
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
    st.markdown(words.md(say.one_more(found, view.currency)))
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
        tables.quiet(words.md(say.majority(curve, view.currency)))


def _nothing(view: View) -> bool:
    """Whether the snapshot has no agreement for the filters; says why."""
    why = agreement.why_not(view.filters)
    if why:
        st.info(f"This section has no number here: {words.md(why)}.", icon=":material/visibility_off:")
    return bool(why)


# ---- groups of raters ------------------------------------------------------------------------------------------


def _groups(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Agreement inside and between groups of raters, and the test on demand."""
    names = {axis: f"By {name}" for axis, name in agreement_groups.AXES.items()}
    testable = bool(agreement.one_project(view.filters))
    people = data.current_scope().sees_raters
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        controls.choice(st.selectbox, "Group raters by", "axis", names, own, view.filters, width=220)
        if people and not testable:
            controls.project_picker(view, own, "To test the groups, choose a project")
    _groups_tested(view, own["axis"], testable and people)


@st.fragment
def _groups_tested(view: View, axis: str, testable: bool) -> None:
    """The groups, with the test once it has been asked for."""

    def draw() -> None:
        found = None
        if testable and _asked("Test by shuffling the raters", f"groups {axis} {token(view.filters)}"):
            found = _live(lambda: agreement_groups.shuffled(view.snapshot, view.filters, axis))
        if found is None:
            found = agreement_groups.of_snapshot(view.snapshot, view.filters, axis)
        st.markdown(words.md(say.groups(found, axis)))
        if len(found.rows):
            what = agreement_groups.AXES[axis]
            with st.container(key="wide_groups"):
                charts.show(*charts.group_agreement(found.rows, palette(), what, found.tested), key="groups")
        tables.quiet(words.md(say.groups_basis(found, DIMENSIONS)))
        if len(found.rows):
            _groups_table(view, found, axis)

    guarded(draw)


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
    with st.expander("The numbers, and the file"):
        tables.table(
            shown,
            key=f"groups table {axis} {found.tested}",
            title=f"Group agreement by {agreement_groups.AXES[axis]}",
            columns=columns,
            snapshot=view.snapshot,
            filters=view.filters,
            exported=rows,
        )


def _estimate(row: Mapping, name: str) -> str:
    if fmt.is_missing(row[name]):
        return str(row[f"{name}_reason"])
    return say.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])


# ---- live from the warehouse -----------------------------------------------------------------------------------


def _contested(view: View, own: Own, rows: pd.DataFrame) -> None:
    """The items raters differ on most."""
    st.markdown(
        "Which items would raters differ on again? The answer ranks the items that two raters or more labelled."
    )
    if _ready(view, own):
        _contested_read(view)


@st.fragment
def _contested_read(view: View) -> None:
    def draw() -> None:
        why = "Which items would raters differ on again? This ranks the items that two raters or more labelled."
        if not _asked("Read the items", f"items {token(view.filters)}", why):
            return
        found = _live(lambda: agreement_items.contested(view.snapshot, view.filters))
        if found is None:
            return
        st.markdown(words.md(say.contested(found)))
        if found.table.empty:
            return
        rows = found.table
        shown = rows.assign(
            top=[_label(r["top_label"], r["top_share"]) for r in rows.to_dict("records")],
            second=[_label(r["second_label"], r["second_share"]) for r in rows.to_dict("records")],
            between=[say.share_with_interval(r["disagreement"], r["low"], r["high"]) for r in rows.to_dict("records")],
        )
        columns = {
            "item": Column("Item"),
            "policy": Column("Policy"),
            "language": Column("Language"),
            "n": Column("Ratings", kind="count"),
            "top": Column("Given most", kind="right"),
            "second": Column("Next", kind="right"),
            "between": Column(
                "Two more would differ", "Chance, with its 95 % interval; near misses count less.", "right"
            ),
        }
        _with_ratings(view, shown, columns, "Contested items", "overlap", rows)

    guarded(draw)


def _gold(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Gold items that good raters miss alike."""
    st.markdown(
        "Which gold items do good raters miss alike? There the gold answer, not the rater, may need correcting."
    )
    if _ready(view, own):
        _gold_read(view)


@st.fragment
def _gold_read(view: View) -> None:
    def draw() -> None:
        why = "Which gold items do good raters miss alike? There the gold answer, not the rater, may need correcting."
        if not _asked("Read the gold items", f"gold {token(view.filters)}", why):
            return
        found = _live(lambda: agreement_items.doubtful_gold(view.snapshot, view.filters))
        if found is None:
            return
        st.markdown(words.md(say.doubtful_gold(found)))
        rows = found.table[found.table["posterior"] > agreement_items.DOUBTED]
        if rows.empty:
            return
        columns = {
            "item": Column("Gold item"),
            "policy": Column("Policy"),
            "language": Column("Language"),
            "gold_label": Column("Gold says"),
            "other_label": Column("Raters say"),
            "n": Column("Ratings", kind="count"),
            "n_gold": Column("As gold", kind="count"),
            "n_other": Column("As raters say", kind="count"),
            "posterior": Column("Gold is wrong", "Probability under the model of the raters' skill.", "share"),
            "fdr": Column("Sound among these", "Share of sound gold among this item and those above it.", "share"),
        }
        _with_ratings(view, rows, columns, "Gold items that look wrong", "gold", found.table)

    guarded(draw)


def _pairs(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Every two raters beside one another."""
    if _ready(view, own):
        _pairs_read(view)


@st.fragment
def _pairs_read(view: View) -> None:
    def draw() -> None:
        why = "Do any two raters read the items differently from the rest? An occasion to calibrate, not a ranking."
        if not _asked("Compare the raters", f"pairs {token(view.filters)}", why):
            return
        found = _live(lambda: agreement_items.pairs(view.snapshot, view.filters))
        if found is None:
            return
        st.markdown(words.md(say.pairs(found)))
        if found.matrix is None:
            return
        clear = {frozenset(pair) for pair in zip(found.clear["rater"], found.clear["other"], strict=True)}
        spec, alt = charts.pair_matrix(
            found.matrix, found.labels, found.pools, clear, palette(), agreement_items.LEAST_SHARED
        )
        with st.container(key="wide_pairs"):
            charts.show(spec, alt, key="pairs")
        if len(found.clear):
            shown = found.clear.assign(
                kappa=[say.with_interval(r["value"], r["low"], r["high"]) for r in found.clear.to_dict("records")]
            )
            columns = {
                "rater_name": Column("Rater"),
                "other_name": Column("and"),
                "pools": Column("Pools"),
                "kappa": Column(
                    "Kappa", "Cohen's, with its 95 % interval; near misses count where labels have an order.", "right"
                ),
                "n": Column("Shared items", kind="count"),
            }
            tables.table(
                shown,
                key=f"pairs table {token(view.filters)}",
                title="Pairs that agree clearly less",
                columns=columns,
                snapshot=view.snapshot,
                filters=view.filters,
            )

    guarded(draw)


def _ready(view: View, own: Own) -> bool:
    """Whether single ratings of one project may be read; says what is missing."""
    if not data.current_scope().sees_raters:
        st.info(PEOPLE_ONLY, icon=":material/lock:")
        return False
    if not agreement.one_project(view.filters):
        controls.project_picker(view, own, "Single ratings are read one project at a time")
        return False
    return True


def _asked(label: str, key: str, why: str = "") -> bool:
    """Whether the reader asked for what is read live; until then what it is for and the button that does."""
    flag = f"asked {key}"
    if st.session_state.get(flag):
        return True

    def ask() -> None:
        st.session_state[flag] = True

    if why:
        st.markdown(why)
    st.button(label, icon=":material/database_search:", key=f"ask {key}", on_click=ask)
    return False


def _live(read: Callable[[], T]) -> T | None:
    """What is read from the warehouse; one sentence and None where it does not answer or the reader may not."""
    try:
        with st.spinner("Reading single ratings from the warehouse"):
            return read()
    except RaterscopeError as error:
        st.info(f"{words.md_error(str(error))} The rest of the page stands.", icon=":material/cloud_off:")
    return None


def _label(label: object, part: float) -> str:
    if fmt.is_missing(label) or label is None:
        return fmt.NONE
    return f"{str(label).replace('|', ' + ') or 'none'}, {say.share(part)}"


def _with_ratings(
    view: View, shown: pd.DataFrame, columns: Mapping[str, Column], title: str, which: str, exported: pd.DataFrame
) -> None:
    """A table of items; the one selected shows its ratings below."""
    picked = tables.table(
        shown,
        key=f"{which} {token(view.filters)}",
        title=title,
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"item": item} for item in shown["item"]],
        exported=exported,
    )
    if not picked:
        tables.quiet("Select an item to see who gave it which label.")
        return
    item = str(picked["item"])
    rows = agreement_items.ratings_of(view.snapshot, view.filters, which, item)
    st.markdown(f"**Ratings of {words.md(item)}**")
    columns = {
        "rater": Column("Rater"),
        "pool": Column("Pool"),
        "region": Column("Region"),
        "label": Column("Label"),
        "guideline_version": Column("Guideline"),
        "submitted_at": Column("When (UTC)", kind="time"),
        "handle_seconds": Column("Seconds", kind="number"),
    }
    opened = tables.table(
        rows,
        key=f"ratings {which} {item}",
        title=f"Ratings of {item}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"rater": rater} for rater in rows["rater_id"]],
    )
    if opened:
        open_from_click(RATER_PAGE, links.write(view.filters.with_("rater", str(opened["rater"]))))
