"""The parts of the costs page: what is chosen, the figures, the bridge, poor quality, the budget, the table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from html import escape

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from metrics.catalogue import METRICS
from ui import (
    agreement_controls,
    cards,
    charts,
    cost_bridge,
    cost_budget,
    cost_kinds,
    cost_poor_quality,
    cost_units,
    costs,
    figures,
    links,
    tables,
)
from ui import cost_words as say
from ui import format as fmt
from ui.cost_bridge import Moved
from ui.cost_budget import Budget
from ui.cost_units import Unit
from ui.costs import Ask
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.theme import palette
from ui.words import md

PAGE, QUALITY_PAGE = "pages/costs.py", "pages/cost_and_quality.py"
CHOICES = {
    "unit": ("unit", say.UNITS),
    "of": ("bridge", say.OF),
    "by": ("breakdown", {d: f"By {DIMENSIONS[d]}" for d in costs.GROUPS}),
    "quality": ("measure of accuracy", say.QUALITY),
}
UNITS, KINDS, POOR, BUDGET = "units", "kinds", "poor", "budget"
LOOKS = {UNITS: "Where and when", KINDS: "Kinds of cost", POOR: "Cost of poor quality", BUDGET: "Budget"}
MONEY = {"harm": "An escaped error costs", "appeal": "An appeal costs", "escalation": "An escalation costs"}
MOST = 100_000.0
Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters as text, and a sentence for each that was not honoured."""
    problems: list[str] = []
    fallback = Ask()
    own = {
        name: links.one_of(called, st.query_params.get(name), known, getattr(fallback, name), problems)
        for name, (called, known) in CHOICES.items()
    }
    own["look"] = links.one_of("section", st.query_params.get("look"), LOOKS, UNITS, problems)
    for name, called in MONEY.items():
        own[name] = amount(called.lower(), st.query_params.get(name), 0.0, MOST, getattr(fallback, name), problems)
    return own, tuple(problems)


def amount(called: str, text: str | None, least: float, most: float, fallback: float, problems: list[str]) -> str:
    """A number of the URL as text; the fallback and a sentence where it is none or lies outside."""
    if text is None:
        return f"{fallback:g}"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        limits = f"from {least:g} to {most:,g}"
        problems.append(f"“{called}” is a number {limits}, not {links.quoted(text)}. Shown is {fallback:g}.")
        value = fallback
    return f"{round(value, 4):g}"


def ask(own: Own) -> Ask:
    """The parameters as what is asked."""
    return Ask(**{name: own[name] for name in CHOICES}, **{name: float(own[name]) for name in MONEY})


def choose(widget, param: str, own: Own, filters: Filters, choices: Mapping = CHOICES, **more) -> None:
    """One of a few, from the URL and back into it."""
    called, known = choices[param]
    agreement_controls.choice(widget, called.capitalize(), param, known, own, filters, **more)


def number(
    label: str, param: str, own: Own, filters: Filters, least: float, most: float, step: float, width=170
) -> None:
    """A number, from the URL and back into it."""
    key = f"{param} {own[param]}"

    def write() -> None:
        value = st.session_state[key]
        if value is not None:
            go_to(filters, {**own, param: f"{value:g}"})

    st.number_input(label, least, most, float(own[param]), step, format="%g", key=key, on_change=write, width=width)


def figures_row(cells: list[tuple[str, str, str]]) -> None:
    """Figures side by side: heading, number, what stands below."""
    inside = "".join(
        f'<div class="rs-figure"><div>{escape(a)}</div><div>{escape(b)}</div><div>{escape(c)}</div></div>'
        for a, b, c in cells
    )
    st.html(f'<div class="rs-figures">{inside}</div>')


def answer(view: View, asked: Ask) -> tuple[Unit, Ask]:
    """What a label cost; that of an accepted one where no label has a known right answer."""
    found = cost_units.unit(view.snapshot, view.filters, asked)
    if found.now is not None and asked.unit == costs.CORRECT and pd.isna(found.now["value"]) and found.now["n"] > 0:
        asked = replace(asked, unit=costs.ACCEPTED, instead=True)
        found = cost_units.unit(view.snapshot, view.filters, asked)
    return found, asked


def figure_row(view: View, found: Unit, asked: Ask) -> None:
    """The unit costs, the share of QA, the total and the accuracy used."""
    qa = cost_poor_quality.qa_share(view.snapshot, view.filters)
    figures_row(say.figures(found, asked, view.currency, qa))
    tables.quiet(md(say.accuracy_used(found, asked)))
    if asked.instead:
        tables.quiet(md(say.INSTEAD))
    if asked.quality == costs.AUDIT:
        to_load(view, "audits")


def to_load(view: View, table: str, more: str = "") -> None:
    """Which table to load and what it would show then; nothing where it is loaded."""
    said = costs.to_load(view.snapshot, table, more)
    if said:
        tables.quiet(md(said))


def look(own: Own, filters: Filters) -> None:
    """Which section is open."""
    agreement_controls.choice(st.segmented_control, "Look into", "look", LOOKS, own, filters, wrap=True)


def bridge(view: View, asked: Ask) -> Moved:
    """What moved the cost, its drivers with their names."""
    moved = cost_bridge.bridge(view.snapshot, view.filters, asked)
    if moved.change is None:
        return moved
    return replace(moved, drivers=say.named(moved, view.snapshot.names, view.currency))


# ---- what moved ------------------------------------------------------------------------------------------------


def what_moved(view: View, moved: Moved, asked: Ask, own: Own) -> None:
    """The bridge between the two periods, and the places behind it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        choose(st.segmented_control, "unit", own, view.filters)
        choose(st.segmented_control, "of", own, view.filters)
        choose(st.selectbox, "quality", own, view.filters, width=190)
    if moved.change is None:
        tell_why("What moved the cost", [moved.reason])
        return
    metric = say.metric_of(asked)
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        spec, alt = charts.waterfall(moved, metric, palette(), view.currency)
        charts.show(spec, alt, key="bridge")
    with right:
        spec, alt = charts.drivers(moved.drivers, metric, palette(), view.currency)
        key = f"drivers {asked.unit} {asked.of} {asked.quality} {token(view.filters)}"
        clicked = charts.show(spec, alt, key=key, select=True)
    tables.quiet(md(say.how(moved, asked, costs.to_load(view.snapshot, "shifts"))))
    place = int(clicked["place"]) if clicked and "place" in clicked else -1
    if 0 <= place < len(moved.drivers):
        open_place(view.filters, moved.drivers.iloc[place], own)


def open_place(filters: Filters, row: pd.Series, own: Own) -> None:
    """The costs of the project and pool of a driver."""
    inside = filters
    for name in ("project", "pool"):
        if row[name]:
            inside = inside.with_(name, str(row[name]))
    if inside != filters:
        open_from_click(PAGE, links.write(inside, **own))


def over_time(view: View, asked: Ask) -> None:
    """The chosen unit cost by week, with its target and the dated changes."""
    metric = costs.METRIC[asked.unit]
    rows = cost_units.over_time(view.snapshot, view.filters, asked.unit, asked.quality)
    if rows.empty or rows["value"].isna().all():
        tell_why(f"{metric.label} by week", list(rows["reason"]))
        return
    changes = figures.changes(view.snapshot, view.filters, "week")
    late = view.meta.provisional_from if asked.unit != costs.LABEL else None
    spec, alt = charts.trend(rows, metric, palette(), "week", view.currency, late, changes, view.filters.start)
    charts.show(spec, alt, key="cost trend")
    cards.change_list(changes)


def where(view: View, found: Unit, asked: Ask, own: Own) -> None:
    """The chosen unit cost by group; a click narrows the page to the group."""
    with st.container(key="beside_cost_groups"):
        choose(st.selectbox, "by", own, view.filters, width=170)
    metric, rows = costs.METRIC[asked.unit], found.rows
    if rows.empty or rows["value"].isna().all():
        tell_why(f"{metric.label} by {DIMENSIONS[asked.by]}", list(rows.get("reason", [])))
        return
    spec, alt = charts.interval_dots(rows, metric, palette(), DIMENSIONS[asked.by], view.currency)
    key = f"cost dots {asked.unit} {asked.by} {asked.quality} {token(view.filters)}"
    clicked = charts.show(spec, alt, key=key, select=True)
    open_group(view.filters, asked, own, (clicked or {}).get("member"))


def open_group(filters: Filters, asked: Ask, own: Own, member: object) -> None:
    """The page of one group, broken down by what is left open."""
    if not member or filters.values(asked.by) == (str(member),):
        return
    by = "pool" if asked.by in ("project", "product") else "project"
    open_from_click(PAGE, links.write(filters.with_(asked.by, str(member)), **{**own, "by": by}))


# ---- kinds of cost, poor quality, budget -----------------------------------------------------------------------


def kinds(view: View, asked: Ask, own: Own) -> None:
    """Labour, review, rework, tooling, training and fees by group; a click narrows the page to the group."""
    found = cost_kinds.kinds(view.snapshot, view.filters, asked.by)
    what = DIMENSIONS[asked.by]
    st.markdown(md(say.kinds(found, view.currency)))
    choose(st.selectbox, "by", own, view.filters, width=170)
    if found.rows.empty:
        tell_why(f"Cost by {what} and kind", ["no costs match these filters"])
        return
    spec, alt = charts.cost_kinds(found.rows, found.kinds, palette(), what, view.currency)
    clicked = charts.show(spec, alt, key=f"cost kinds {asked.by} {token(view.filters)}", select=True)
    open_group(view.filters, asked, own, (clicked or {}).get("member"))

    def write(value: object) -> str:
        return fmt.NONE if fmt.is_missing(value) else fmt.money(float(value), view.currency)

    everywhere = [(list(range(len(found.rows))), write)]
    picked = tables.table(
        found.rows,
        key=f"kinds table {asked.by} {token(view.filters)}",
        title=f"Cost by {what} and kind",
        columns={
            "label": Column(what.capitalize(), "Open a row to look inside.", width=220),
            **{kind: Column(kind.capitalize(), f"Costs booked as {kind}.", "number") for kind in found.kinds},
            "cost": Column("All", "The kinds sum to it.", "number"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"member": m} for m in found.rows["member"]],
        exported=found.rows,
        writers=dict.fromkeys((*found.kinds, "cost"), everywhere),
    )
    open_group(view.filters, asked, own, (picked or {}).get("member"))


def poor_quality(view: View, asked: Ask, own: Own) -> None:
    """Prevention, appraisal and failure by group, with what is supposed in reach."""
    found = cost_poor_quality.poor_quality(view.snapshot, view.filters, asked)
    st.markdown(md(say.poor_quality(found, asked, view.currency)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choose(st.selectbox, "by", own, view.filters, width=170)
        for name, label in MONEY.items():
            number(f"{label}, {view.currency}", name, own, view.filters, 0.0, MOST, 0.5 if name == "harm" else 5.0, 215)
    if found.rows.empty or found.rows["share"].isna().all():
        tell_why("The cost of poor quality by group", [*found.rows.get("reason", [])])
    else:
        spec, alt = charts.poor_quality(found.rows, palette(), DIMENSIONS[asked.by], view.currency)
        key = f"poor quality {asked.by} {hash(asked)} {token(view.filters)}"
        clicked = charts.show(spec, alt, key=key, select=True)
        open_group(view.filters, asked, own, (clicked or {}).get("member"))
        missing = found.rows[found.rows["share"].isna()]
        if len(missing):
            tables.quiet(md(say.no_external(missing["reason"].tolist())))
    below = _below_zero(view, (), "What rests on them alone is not known.")
    rest = _not_shared_out(view, asked)
    said = (say.assumptions(found, asked, view.currency), say.left_out(found.withheld), rest, below)
    tables.quiet(md(" ".join(filter(None, said))))


def _below_zero(view: View, by: tuple[str, ...], of: str) -> str:
    """Which kinds of cost come to less than 0 in the period, in words."""
    found = costs.below_zero(view.snapshot, view.filters, by)
    return say.below_zero(found, view.snapshot.names.get(by[0], {}) if by else {}, of, view.currency)


def _not_shared_out(view: View, asked: Ask) -> str:
    """What of the costs has none of the groups chosen, in words."""
    rest = cost_units.not_shared_out(view.snapshot, view.filters, asked.by)
    return say.not_shared_out(rest, DIMENSIONS[asked.by], view.currency)


def budget(view: View) -> None:
    """Budget against actual, and the forecast at completion, by project."""
    found = cost_budget.budget(view.snapshot, view.filters)
    if found.reason:
        tell_why("Budget against actual", [found.reason])
        return
    st.markdown(md(say.budget(found, view.currency)))
    spec, alt = charts.budget(found.rows, found.total, palette(), view.currency, found.as_of)
    clicked = charts.show(spec, alt, key=f"budget {token(view.filters)}", select=True)
    tables.quiet(md(say.budget_basis(found)))
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


# ---- table -----------------------------------------------------------------------------------------------------


def table(view: View, found: Unit, asked: Ask, own: Own) -> None:
    """All unit costs by group; a row narrows the page to it."""
    rows, currency = found.rows, view.currency
    if rows.empty:
        tell_why("Unit costs by group", [])
        return
    metric = costs.METRIC[asked.unit]
    records = rows.to_dict("records")

    def write(value: object) -> str:
        return fmt.NONE if fmt.is_missing(value) else fmt.money(float(value), currency)

    everywhere = [(list(range(len(rows))), write)]
    units = {cost_units.COLUMN[unit]: label for unit, label in say.UNITS.items()}
    shown = rows.assign(
        between=[fmt.interval(r["low"], r["high"], metric, r["value"], currency) for r in records],
        **{cost_units.ITEMS: rows[cost_units.ITEMS] * 1000},
        moved=[say.signed_percent(r["change"]) for r in records],
        goal=["" if pd.isna(r["target"]) else fmt.target(r["target"], metric, currency) for r in records],
    )
    columns = {
        "label": Column(DIMENSIONS[asked.by].capitalize(), "Open a row to look inside.", width=220),
        **{name: Column(label, METRICS[name].formula, "number") for name, label in units.items()},
        cost_units.ITEMS: Column("1,000 items", METRICS[cost_units.ITEMS].formula, "number"),
        "between": Column(f"{say.UNITS[asked.unit]}: 95 % interval", "Of the unit chosen.", "right"),
        "moved": Column("Change", "Of the unit chosen, against the period before.", "right"),
        "goal": Column("Target", "The target in force at the end of the period.", "right"),
        "n": Column("n", f"Counts {metric.counts}.", "count"),
        cost_units.SPENT: Column("Spent", "All costs of the period.", "number"),
        "reason": Column("Why no number", "What is missing for a number."),
    }
    if (rows["reason"] == "").all():
        columns.pop("reason")
    if rows["target"].isna().all():
        columns.pop("goal")
    if rows[cost_units.ITEMS].isna().all():  # items are decided in a project, not in a pool
        columns.pop(cost_units.ITEMS)
    below = _below_zero(view, (asked.by,), "Costs that come to less than 0 in all have no cost of a label.")
    if below:
        tables.quiet(md(below))
    rest = _not_shared_out(view, asked)
    if rest:
        tables.quiet(md(f"{rest} It stands in a row of its own."))
    picked = tables.table(
        shown,
        key=f"cost table {asked.unit} {asked.by} {token(view.filters)}",
        title=f"Unit costs by {DIMENSIONS[asked.by]}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[*costs.METRIC.values()],
        members=[{"member": m} for m in rows["member"]],
        exported=rows.drop(columns=["order"]),
        writers=dict.fromkeys((*units, cost_units.ITEMS, cost_units.SPENT), everywhere),
    )
    open_group(view.filters, asked, own, (picked or {}).get("member"))
