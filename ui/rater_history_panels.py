"""Raters in time: accuracy by tenure, how new ones learn, errors through the shift."""

from __future__ import annotations

import streamlit as st

from metrics.catalogue import METRICS
from metrics.errors import NotAllowed, WarehouseUnavailable
from metrics.learning import LEAST_PERIODS
from ui import charts, data, rater_history, rater_history_words, rater_live, tables, theme
from ui.filter_bar import token
from ui.page import View, tell_why
from ui.rater_live import asked_for, cannot_read
from ui.words import md


def by_tenure(view: View) -> None:
    """Accuracy by tenure."""
    bands = rater_history.by_tenure(view.snapshot, view.filters)
    if bands.empty or bands["value"].isna().all():
        tell_why("Gold accuracy by tenure", bands["reason"])
        return
    spec, alt = charts.interval_dots(bands, METRICS["gold_accuracy"], theme.palette(), "tenure", view.currency)
    spec["title"]["subtitle"] = "Dot with its 95 % interval; the newest first"
    charts.show(spec, alt, key="by_tenure")


def learning(view: View, pool: str) -> None:
    """How the pool's new raters learn; with a handful of weeks or fewer only why there is no curve."""
    curve = rater_history.learning_curve(view.snapshot, view.filters, pool)
    rows = curve.fitted.rename(columns={"period": "x"})
    if len(rows) < LEAST_PERIODS:
        tell_why("How new raters learn", [f"fewer than {LEAST_PERIODS} weeks since hire with enough gold"])
        return
    title = f"How new raters learn: first {rater_history.NEW_WEEKS} weeks"
    spec, alt = charts.curve(
        rows, theme.palette(), title, "Line: 95 % interval; curve: power law of practice", "weeks since hired"
    )
    charts.show(spec, alt, key="learning")
    tables.quiet(md(rater_history_words.learning(curve)))


@st.fragment
def tired(view: View) -> None:
    """Whether errors rise through the shift, read live when asked for."""
    st.subheader("Through the shift", anchor=False)
    if not data.current_scope().sees_raters:
        tables.quiet(md(f"Hours into the shift are counted rater by rater. {rater_live.NOT_ALLOWED}."))
        return
    about = "Errors by hours since the shift began, read from the warehouse: a few seconds."
    if not asked_for("Look at errors through the shift", f"tired {token(view.filters)}", about):
        tables.quiet(about)
        return
    try:
        with st.spinner("Reading gold judgements by hour of the shift"):
            found = rater_history.tired(view.snapshot, view.filters)
    except (WarehouseUnavailable, NotAllowed) as error:
        cannot_read("Errors through the shift", error)
        return
    if found.hours.empty:
        tell_why("Errors through the shift", ["too little gold at any hour"])
        return
    subtitle = "Line: 95 % interval. A shift begins after a break of over four hours"
    spec, alt = charts.curve(found.hours, theme.palette(), "Errors by hour of the shift", subtitle, "hour of the shift")
    charts.show(spec, alt, key="tired")
    tables.quiet(md(rater_history_words.tired(found)))
