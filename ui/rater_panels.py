"""The rater quality page as far as it is about pools: what is chosen, their charts and their table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics.catalogue import METRICS
from metrics.spec import Metric
from ui import cards, charts, figures, links, periods, rater_weeks, raters, tables, theme
from ui import rater_words as words
from ui.filter_bar import back, go_to, open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.words import change_words, md

PAGE = "pages/rater_quality.py"


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters, `metric` and `matrix`, and a sentence for each that was not honoured."""
    problems: list[str] = []
    known = {name: METRICS[name].label for name in rater_weeks.MEASURES}
    metric = links.one_of("measure", st.query_params.get("metric"), known, rater_weeks.MEASURES[0], problems)
    return {"metric": metric, "matrix": st.query_params.get("matrix", "")}, tuple(problems)


def one_pool(filters: Filters) -> str:
    """The pool whose raters are shown: the only one the filters leave; else none."""
    pools = filters.values("pool")
    return pools[0] if len(pools) == 1 else ""


def measure_picker(own: dict[str, str], filters: Filters) -> None:
    """Gold or audits."""
    key = f"measure {own['metric']}"

    def choose() -> None:
        go_to(filters, {**own, "metric": st.session_state[key] or own["metric"]})

    st.segmented_control(
        "Measured by",
        list(rater_weeks.MEASURES),
        default=own["metric"],
        format_func=lambda name: METRICS[name].label,
        key=key,
        on_change=choose,
        label_visibility="collapsed",
    )


def figure_row(view: View, own: dict[str, str]) -> None:
    """The measure over all the work the filters leave: value with interval, change, target, status, n."""
    rows = figures.compared(view.snapshot, view.filters, (own["metric"],), rater_weeks.IN_ALL)[0]
    if len(rows) and not rows["value"].isna().all():
        cards.figure_row(rows.iloc[0].to_dict(), view.filters, view.meta)


def pool_dots(view: View, rows: pd.DataFrame, own: dict[str, str]) -> str:
    """The pools against target; the pool a reader clicked."""
    spec, alt = charts.interval_dots(rows, METRICS[own["metric"]], theme.palette(), "pool", view.currency)
    spec["title"]["subtitle"] += ". Click a pool for its raters"
    clicked = charts.show(spec, alt, key=f"pools {own['metric']} {token(view.filters)}", select=True)
    return str((clicked or {}).get("member", ""))


def weekly(view: View, own: dict[str, str]) -> None:
    """The weeks inside their usual band, the changes flagged, and what left the band."""
    metric = METRICS[own["metric"]]
    found = rater_weeks.weekly(view.snapshot, view.filters, metric.name)
    if found.points.empty or found.points["value"].isna().all():
        tell_why(f"{metric.label} by week", [found.reason or metric.nothing])
        return
    wide = view.filters.over(found.points["at"].iloc[0].date(), view.filters.end)
    changes = figures.changes(view.snapshot, wide, "week")
    late = periods.provisional_from(metric, view.meta)
    goal = raters.target(view.snapshot, view.filters, metric.name)
    spec, alt = charts.control(found.points, metric, theme.palette(), goal, late, changes)
    charts.show(spec, alt, key="weekly")
    tables.quiet(md(words.usual(found)))
    cards.change_list(changes)


def pool_table(view: View, rows: pd.DataFrame, own: dict[str, str]) -> str:
    """The pools in a table; the pool of the row a reader selected."""
    metric, key = METRICS[own["metric"]], f"pool table {own['metric']} {token(view.filters)}"
    shown = rows.assign(
        **tables.estimates_as_text(rows, (), view.snapshot),
        moved=[_moved(row, metric, view.currency) for row in rows.to_dict("records")],
    )
    columns = {
        "label": Column("Pool", "Open a row for its raters.", width=210),
        "value": Column(metric.label, metric.meaning, "share"),
        "between": Column("95 % interval", "Where the true value lies, as far as the data can tell.", "right"),
        "n": Column("n", f"Counts {metric.counts}.", "count"),
        "goal": Column("Target", "The target in force at the end of the period.", "right"),
        "status": Column("Status", tables.STATUS_HELP, "status"),
        "moved": Column("Change", "Against the period before.", "right"),
        "shift": Column("Lasting change", "A change against its own history that came to light in the period."),
    }
    picked = tables.table(
        shown,
        key=key,
        title=f"{metric.label} by pool",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[metric],
        members=[{"pool": member} for member in rows["member"]],
        opens=True,
        exported=rows,
    )
    return str((picked or {}).get("pool", ""))


def _moved(row: dict, metric: Metric, currency: str) -> str:
    """A change with its judgement, as a cell."""
    text, verdict = change_words(row, metric, currency)
    return f"{text}, {verdict}" if verdict else text


def open_pool(pool: str, filters: Filters, own: dict[str, str]) -> None:
    """Opens the raters of a pool on this page, when one was clicked."""
    if pool:
        open_from_click(PAGE, links.write(filters.with_("pool", pool), **own))


def all_pools(filters: Filters, own: dict[str, str]) -> None:
    """The way back from one pool to all."""
    back("All pools", filters.with_("pool"), own)
