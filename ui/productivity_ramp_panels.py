"""The part of the productivity page on new raters: their curves, the table of cohorts, what leavers cost."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics import ramp as ramps
from ui import charts, productivity_ramp, productivity_ramp_words, tables, words
from ui import format as fmt
from ui.charts.ramp import ACCURACY, PACE
from ui.filter_bar import go_to, token
from ui.page import View, tell_why
from ui.tables import Column, quiet
from ui.theme import palette

MOST_MONEY = 1_000_000
Own = Mapping[str, str]


def new_raters(view: View, own: Own) -> None:
    """How hire cohorts come up to speed, and what it costs when people leave."""
    found = productivity_ramp.ramps_if_allowed(view.snapshot, view.filters)
    if found.found is None or found.found.weeks.empty:
        tell_why("How new raters come up to speed", [found.reason or "nobody was hired here in the last nine months"])
        return
    cohorts = found.found.cohorts[found.found.cohorts["n"] >= ramps.LEAST_RATERS]
    if cohorts.empty:
        tell_why(
            "How new raters come up to speed", [f"no month has {ramps.LEAST_RATERS} hires: one person is no cohort"]
        )
        return
    names = {
        c: f"{fmt.bucket(f'{c}-01', 'month')}, {n:.0f} hired"
        for c, n in zip(cohorts["cohort"], cohorts["n"], strict=True)
    }
    chosen = own["cohort"] if own["cohort"] in names else _largest(cohorts)
    _cohort_picker(names, chosen, own, view.filters)
    called = fmt.bucket(f"{chosen}-01", "month")
    st.markdown(words.md(productivity_ramp_words.ramp(found, chosen, called)))
    rows = productivity_ramp.curves(found)
    left, right = st.columns(2, gap="large")
    with left:
        spec, alt = charts.ramp(rows, PACE, 0.9, chosen, palette())
        charts.show(spec, alt, key="ramp pace")
    with right:
        spec, alt = charts.ramp(rows, ACCURACY, found.goal, chosen, palette())
        charts.show(spec, alt, key="ramp accuracy")
    quiet("Times are cleared of the kind of work. Raters who leave early drop out of later weeks.")
    _cohort_table(view, cohorts)
    attrition(view, own, found)


def _largest(cohorts: pd.DataFrame) -> str:
    """The largest cohort with weeks enough for a curve."""
    seen = cohorts[cohorts["weeks_seen"] >= ramps.LEAST_PERIODS]
    rows = seen if len(seen) else cohorts
    return str(rows.loc[rows["n"].idxmax(), "cohort"])


def _cohort_picker(names: Mapping[str, str], chosen: str, own: Own, filters: Filters) -> None:
    key = f"cohort {chosen} {token(filters)}"

    def choose() -> None:
        go_to(filters, {**own, "cohort": st.session_state[key]})

    options = list(names)
    st.selectbox(
        "Month of hire", options, options.index(chosen), format_func=names.get, key=key, on_change=choose, width=240
    )


def _cohort_table(view: View, cohorts: pd.DataFrame) -> None:
    records = cohorts.to_dict("records")
    shown = cohorts.assign(
        called=[fmt.bucket(f"{c}-01", "month") for c in cohorts["cohort"]],
        reached=[productivity_ramp_words.weeks_said(row) for row in records],
        loss=cohorts["loss_hours"].round(1),
    )
    columns = {
        "called": Column("Hired"),
        "n": Column("People", "Raters of this month's hires who worked here.", "count"),
        "weeks_seen": Column("Weeks seen", "", "count"),
        "reached": Column("Weeks to 90 % of pace at target accuracy", "With its 95 % interval.", width="large"),
        "loss": Column("Hours lost", "Hours of handling a hire's slowness costs until the pace is reached.", "number"),
    }
    tables.table(
        shown,
        key=f"cohorts {token(view.filters)}",
        title="Ramp by month of hire",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        exported=cohorts,
    )


def attrition(view: View, own: Own, found: productivity_ramp.Ramps) -> None:
    """What leavers cost under the reader's own prices."""
    st.markdown("**When people leave**")
    with st.container(horizontal=True, gap="small"):
        for name, label in (("hiring", "Hiring one, cost"), ("training", "Training one, cost")):
            _price(label, name, own, view.filters)
    hiring, training = float(own["hiring"]), float(own["training"])
    cost = None
    if found.per_hour is not None:
        cost = ramps.attrition_cost(
            found.leavers, found.loss(), found.per_hour, hiring, training, found.headcount or None
        )
    st.markdown(words.md(productivity_ramp_words.attrition(found, cost, view.currency, hiring, training)))


def _price(label: str, name: str, own: Own, filters: Filters) -> None:
    key = f"price {name} {own[name]}"

    def write() -> None:
        if st.session_state[key] is not None:
            go_to(filters, {**own, name: f"{st.session_state[key]:g}"})

    st.number_input(
        label, 0.0, float(MOST_MONEY), float(own[name]), 50.0, format="%g", key=key, on_change=write, width=170
    )
