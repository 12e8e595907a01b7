"""The section on the budget: budget against actual, and the forecast at completion."""

from __future__ import annotations

import streamlit as st

from ui import charts, cost_budget, cost_budget_words, links, tables
from ui import format as fmt
from ui.cost_budget import Budget
from ui.cost_controls import PAGE
from ui.filter_bar import open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.theme import palette
from ui.words import md


def budget(view: View) -> None:
    """Budget against actual, and the forecast at completion, by project."""
    found = cost_budget.budget(view.snapshot, view.filters)
    if found.reason:
        tell_why("Budget against actual", [found.reason])
        return
    st.markdown(md(cost_budget_words.budget(found, view.currency)))
    spec, alt = charts.budget(found.rows, found.total, palette(), view.currency, found.as_of)
    clicked = charts.show(spec, alt, key=f"budget {token(view.filters)}", select=True)
    tables.quiet(md(cost_budget_words.budget_basis(found)))
    tables.fold("Budget, actual and earned value by project", "budget details", lambda: _budget_table(view, found))
    member = (clicked or {}).get("member")
    if member and view.filters.values("project") != (str(member),):
        open_from_click(PAGE, links.write(view.filters.with_("project", str(member))))


def _budget_table(view: View, found: Budget) -> None:
    currency = view.currency
    rows = found.rows.assign(
        between=[
            f"{fmt.money(r['low'], currency)} to {fmt.money(r['high'], currency)}"
            if not fmt.is_missing(r["low"])
            else str(r["forecast_reason"])
            for r in found.rows.to_dict("records")
        ],
        work_between=[
            f"{fmt.money(r['work_low'], currency)} to {fmt.money(r['work_high'], currency)}"
            if not fmt.is_missing(r["work_low"])
            else str(r["work_reason"])
            for r in found.rows.to_dict("records")
        ],
    )
    columns = {
        "label": Column("Project"),
        "budget": Column("Budget", "All budgeted months of the year.", "count"),
        "budget_to_date": Column("Planned by now", "A month accrues evenly over its days.", "count"),
        "actual": Column("Spent", "", "count"),
        "variance": Column("Spent less planned", "Above 0 is overspent.", "count"),
        "cost_index": Column("Earned per spent", "What the accepted labels were planned to cost over spend.", "number"),
        "schedule_index": Column("Earned per planned", "Below 1 is behind the plan.", "number"),
        "at_completion": Column("At completion", "At the run-rate of the last weeks.", "count"),
        "between": Column("95 % interval", "A prediction interval.", "right"),
        "work_at_completion": Column(
            "At completion, by work",
            "When all planned labels are made, at the last weeks' cost a label.",
            "count",
        ),
        "work_between": Column("95 % interval, by work", "A prediction interval.", "right"),
        "over_budget": Column("Exceeds its budget", "Probability.", "share"),
    }
    tables.table(
        rows,
        key=f"budget table {token(view.filters)}",
        title=f"Budget against actual by project, {currency}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        exported=found.rows,
    )
