"""The cost of a label on the costs page: the figures, the bridge, over time, where, and the table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from metrics.catalogue import METRICS
from ui import (
    cards,
    charts,
    cost_bridge,
    cost_bridge_words,
    cost_names,
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
from ui.cost_controls import PAGE, Own, choose, open_group, to_load
from ui.cost_units import Unit
from ui.costs import Ask
from ui.filter_bar import open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.theme import palette
from ui.words import md


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
    cards.figures_row(say.figures(found, asked, view.currency, qa))
    tables.quiet(md(say.accuracy_used(found, asked)))
    if asked.instead:
        tables.quiet(md(say.INSTEAD))
    if asked.quality == costs.AUDIT:
        to_load(view, "audits")


def bridge(view: View, asked: Ask) -> Moved:
    """What moved the cost, its drivers with their names."""
    moved = cost_bridge.bridge(view.snapshot, view.filters, asked)
    if moved.change is None:
        return moved
    return replace(moved, drivers=cost_bridge_words.named(moved, view.snapshot.names, view.currency))


def what_moved(view: View, moved: Moved, asked: Ask, own: Own) -> None:
    """The bridge between the two periods, and the places behind it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        choose(st.segmented_control, "unit", own, view.filters)
        choose(st.segmented_control, "of", own, view.filters)
        choose(st.selectbox, "quality", own, view.filters, width=190)
    if moved.change is None:
        tell_why("What moved the cost", [moved.reason])
        return
    metric = cost_names.metric_of(asked)
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        spec, alt = charts.waterfall(moved, metric, palette(), view.currency)
        charts.show(spec, alt, key="bridge")
    with right:
        spec, alt = charts.drivers(moved.drivers, metric, palette(), view.currency)
        key = f"drivers {asked.unit} {asked.of} {asked.quality} {token(view.filters)}"
        clicked = charts.show(spec, alt, key=key, select=True)
    tables.quiet(md(cost_bridge_words.how(moved, asked, costs.to_load(view.snapshot, "shifts"))))
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


def below_zero(view: View, by: tuple[str, ...], of: str) -> str:
    """Which kinds of cost come to less than 0 in the period, in words."""
    found = costs.below_zero(view.snapshot, view.filters, by)
    return say.below_zero(found, view.snapshot.names.get(by[0], {}) if by else {}, of, view.currency)


def not_shared_out(view: View, asked: Ask) -> str:
    """What of the costs has none of the groups chosen, in words."""
    rest = cost_units.not_shared_out(view.snapshot, view.filters, asked.by)
    return say.not_shared_out(rest, DIMENSIONS[asked.by], view.currency)


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
    units = {cost_units.COLUMN[unit]: label for unit, label in cost_names.UNITS.items()}
    shown = rows.assign(
        between=[fmt.interval(r["low"], r["high"], metric, r["value"], currency) for r in records],
        **{cost_units.ITEMS: rows[cost_units.ITEMS] * 1000},
        moved=[cost_names.signed_percent(r["change"]) for r in records],
        goal=["" if pd.isna(r["target"]) else fmt.target(r["target"], metric, currency) for r in records],
    )
    columns = {
        "label": Column(DIMENSIONS[asked.by].capitalize(), "Open a row to look inside.", width=220),
        **{name: Column(label, METRICS[name].formula, "number") for name, label in units.items()},
        cost_units.ITEMS: Column("1,000 items", METRICS[cost_units.ITEMS].formula, "number"),
        "between": Column(f"{cost_names.UNITS[asked.unit]}: 95 % interval", "Of the unit chosen.", "right"),
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
    below = below_zero(view, (asked.by,), "Costs that come to less than 0 in all have no cost of a label.")
    if below:
        tables.quiet(md(below))
    rest = not_shared_out(view, asked)
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
        opens=True,
        exported=rows.drop(columns=["order"]),
        writers=dict.fromkeys((*units, cost_units.ITEMS, cost_units.SPENT), everywhere),
    )
    open_group(view.filters, asked, own, (picked or {}).get("member"))
