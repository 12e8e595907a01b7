"""The parts of the productivity page: what a reader chooses, its charts and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics.catalogue import METRICS
from metrics.quantiles import MOST_ERROR
from ui import (
    cards,
    charts,
    figures,
    links,
    productivity,
    productivity_hours_panels,
    productivity_ramp_panels,
    productivity_words,
    tables,
    words,
)
from ui import format as fmt
from ui.agreement_controls import choice
from ui.cards import KPI_PAGE, kpi_params
from ui.figures import KEPT
from ui.filter_bar import back, open_from_click, token
from ui.page import View, tell_why
from ui.productivity_ramp_panels import MOST_MONEY
from ui.tables import Column, quiet
from ui.theme import palette

PAGE = "pages/productivity.py"
LOOKS = {"table": "Numbers", "rework": "Rework and skips", "hours": "Where the paid hours go", "ramp": "New raters"}
PRICES = {"hiring": "price of hiring", "training": "price of training"}
Own = Mapping[str, str]
ACCURACY_HEIGHT = 130  # it stands under the handle time, whose weeks it shares


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters, `look`, `cohort`, `hiring` and `training`, and what was not honoured."""
    problems: list[str] = []
    own = {
        "look": links.one_of("section", st.query_params.get("look"), LOOKS, "table", problems),
        "cohort": st.query_params.get("cohort", ""),
    }
    for name, called in PRICES.items():
        own[name] = amount(called, st.query_params.get(name), problems)
    return own, tuple(problems)


def amount(called: str, text: str | None, problems: list[str]) -> str:
    """A price as text, "0" where none is given or it is none."""
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_MONEY:
        problems.append(
            f"The {called} is a number from 0 to {MOST_MONEY:,}, not {links.quoted(text or '')}. Shown is 0."
        )
        value = 0.0
    return f"{value:g}"


# ---- at the top ------------------------------------------------------------------------------------------------


def figure_row(view: View, found: productivity.Change) -> None:
    """Speed, quality and use of hours in one row: none of them is to be read alone."""
    names = (productivity.PACE, productivity.GOLD, "accepted_labels_per_hour", "first_pass_yield", "utilisation")
    cells = "".join(_figure(found.score(name), view.currency) for name in names)
    st.html(f'<div class="rs-figures">{cells}</div>')
    last = productivity.last_day(view.snapshot, view.filters)
    if last is not None:
        quiet(words.md(productivity_words.last_day(last, view.meta.built_at.date(), view.currency)))


def _figure(row: dict, currency: str) -> str:
    metric = METRICS[row["metric"]]
    if fmt.is_missing(row["value"]):
        parts = [escape(metric.label), fmt.NONE, escape(words.reason(row, metric))]
    else:
        text, verdict = words.change_words(row, metric, currency)
        tone = f"rs-{verdict}" if verdict in ("better", "worse") else ""
        between = fmt.interval(row["low"], row["high"], metric, row["value"], currency).strip("()")
        under = f'<span class="{tone}">{escape(f"{text} {verdict}".strip())}</span>'
        parts = [escape(metric.label), escape(fmt.value(row["value"], metric, currency)), under]
        parts[2] += f"<br>{escape(between)}" if between else ""
    return f'<div class="rs-figure"><div>{parts[0]}</div><div>{parts[1]}</div><div>{parts[2]}</div></div>'


def weeks(view: View, found: productivity.Change) -> None:
    """Handle time by week, raw and at one mix, with what stands out in words."""
    over = productivity.weekly(view.snapshot, view.filters)
    if over.points.empty or over.points["value"].isna().all():
        tell_why("Handle time by week", [over.reason or "no whole week has handle times"])
        return
    wide = view.filters.over(over.points["at"].iloc[0].date(), view.filters.end)
    changes = figures.changes(view.snapshot, wide, "week")
    spec, alt = charts.handle_weeks(over.points, over.odd, palette(), changes)
    charts.show(spec, alt, key="handle weeks")
    accuracy(view, wide)
    basis = words.basis_note(productivity.basis_of(view.snapshot, view.filters))
    quiet(words.md(f"{productivity_words.stands_out(over)} {productivity_words.split(found)} {basis}".strip()))
    cards.change_list(changes)


def accuracy(view: View, wide: Filters) -> None:
    """Gold accuracy over the same weeks, under handle time: speed is not to be read without it."""
    metric = METRICS[productivity.GOLD]
    rows = figures.over_time(view.snapshot, wide, productivity.GOLD, "week")
    if rows.empty or rows["value"].isna().all():
        tell_why("Gold accuracy by week", [*rows["reason"].unique()] if len(rows) else [metric.nothing])
        return
    spec, alt = charts.trend(rows, metric, palette(), "week", view.currency, since=view.filters.start)
    charts.show({**spec, "height": ACCURACY_HEIGHT}, alt, key="accuracy weeks")


def beside(view: View) -> str:
    """Pace and accuracy of pools, or inside one pool of its projects; the one a reader clicked."""
    rows = productivity.beside(view.snapshot, view.filters)
    rows = rows[rows["pace"].notna() & rows["value"].notna()]
    what = DIMENSIONS[productivity.axis(view.filters)]
    if len(rows) < 2:
        tell_why(f"Pace beside accuracy by {what}", [productivity_words.no_pace(rows)])
        return ""
    records = rows.to_dict("records")
    said = [words.value_text(row, METRICS[productivity.GOLD], view.currency) for row in records]
    rows = rows.assign(said=said, state=[words.status_word(row) for row in records])
    goals = rows["target"].dropna().unique()
    spec, alt = charts.pace_beside(rows, float(goals[0]) if len(goals) == 1 else None, what, palette())
    clicked = charts.show(spec, alt, key=f"beside {token(view.filters)}", select=True)
    quiet(f"Where intervals overlap, one cannot tell the {words.plural(what)} apart. Click one to open it.")
    return str((clicked or {}).get("member", ""))


def drill(member: str, view: View, own: Own) -> None:
    """Opens a pool on this page; a project inside a pool as its KPI."""
    if not member:
        return
    by = productivity.axis(view.filters)
    narrower = view.filters.with_(by, member)
    if by == "pool":
        open_from_click(PAGE, links.write(narrower, **own))
    open_from_click(KPI_PAGE, kpi_params(productivity.PACE, narrower))


def all_pools(view: View, own: Own) -> None:
    """The way back from one pool to all."""
    if productivity.axis(view.filters) == "project":
        back("All pools", view.filters.with_("pool"), own)


def section(view: View, own: Own) -> str:
    """The section that is open; a member that a reader opened from it."""
    st.subheader("Look closer", anchor=False)
    choice(st.segmented_control, "Look into", "look", LOOKS, own, view.filters, wrap=True)
    if own["look"] == "rework":
        rework(view)
    elif own["look"] == "hours":
        productivity_hours_panels.hours(view)
    elif own["look"] == "ramp":
        productivity_ramp_panels.new_raters(view, own)
    else:
        return table(view)
    return ""


# ---- numbers ---------------------------------------------------------------------------------------------------

ERROR = f"±{100 * MOST_ERROR:.0f}\u00a0%"
HISTOGRAM = f"From a histogram: at most {100 * MOST_ERROR:.0f} % off the exact quantile, beside chance."
COLUMNS = {
    productivity.PACE: ("Handle time, s", "number"),
    "handle_time_p50_seconds": (f"Median, s ({ERROR})", "number"),
    "handle_time_p90_seconds": (f"p90, s ({ERROR})", "number"),
    productivity.GOLD: ("Gold accuracy", "share"),
    "throughput_per_hour": ("Judged an hour", "number"),
    "accepted_labels_per_hour": ("Accepted an hour", "number"),
    "first_pass_yield": ("First-pass yield", "share"),
    "rework_rate": ("Rework", "share"),
    "skip_rate": ("Skips", "share"),
    "judgements": ("Judgements", "count"),
}


def table(view: View) -> str:
    """Every pool or project in numbers; the one of the row a reader selected."""
    by = productivity.axis(view.filters)
    shown = _numbers(view.snapshot, view.filters, view.currency)
    if shown.empty:
        tell_why(f"Productivity by {DIMENSIONS[by]}", ["no work matches these filters"])
        return ""
    columns = {"label": Column(DIMENSIONS[by].capitalize(), "Open a row to go inside.")}
    for name, (called, kind) in COLUMNS.items():
        metric = METRICS[name]
        help_ = f"{metric.meaning} {HISTOGRAM}" if name in productivity.QUANTILES else metric.meaning
        columns[name] = Column(called, help_, kind)
        if name == productivity.PACE:
            columns["pace"] = Column("Times the usual", "On the same projects, policies, content and stages.", "number")
        if name in (productivity.PACE, productivity.GOLD):
            columns[f"{name} between"] = Column("95 % interval", "", "right")
            columns[f"{name} change"] = Column("Change", "Against the period before.", "right")
    picked = tables.table(
        shown,
        key=f"productivity table {token(view.filters)}",
        title=f"Productivity by {DIMENSIONS[by]}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS[name] for name in COLUMNS],
        members=[{by: member} for member in shown["member"]],
        opens=True,
        exported=shown,
    )
    return str((picked or {}).get(by, ""))


@st.cache_data(**KEPT)
def _numbers(snapshot: Snapshot, filters: Filters, currency: str) -> pd.DataFrame:
    """The table's rows: member, label, and the values of its columns; empty where there is no work."""
    parts = {name: productivity.of_groups(snapshot, filters, name) for name in COLUMNS}
    first = parts["judgements"]
    if first.empty:
        return first[["member", "label"]]
    shown = pd.DataFrame({"member": first["member"], "label": first["label"]})
    pace = productivity.beside(snapshot, filters)
    for name in COLUMNS:
        metric, own = METRICS[name], parts[name].set_index("member")
        shown[name] = shown["member"].map(own["value"].to_dict())
        if name == productivity.PACE:
            shown["pace"] = shown["member"].map(dict(zip(pace["member"], pace["pace"], strict=True)))
        if name in (productivity.PACE, productivity.GOLD):
            rows = dict(zip(own.index, own.to_dict("records"), strict=True))
            between = {
                m: fmt.interval(row["low"], row["high"], metric, row["value"], currency) for m, row in rows.items()
            }
            shown[f"{name} between"] = shown["member"].map(between)
            shown[f"{name} change"] = shown["member"].map({m: _moved(row, currency) for m, row in rows.items()})
    return shown.sort_values("label", kind="stable")


def _moved(row: dict, currency: str) -> str:
    text, verdict = words.change_words(row, METRICS[row["metric"]], currency)
    return f"{text}, {verdict}" if verdict else text


# ---- rework ---------------------------------------------------------------------------------------------


def rework(view: View) -> None:
    """Done right the first time, done again, passed on: by pool or project."""
    what = DIMENSIONS[productivity.axis(view.filters)]
    for column, name in zip(st.columns(3, gap="large"), productivity.RATES, strict=True):
        rows = productivity.of_groups(view.snapshot, view.filters, name)
        with column:
            if rows.empty or rows["value"].isna().all():
                tell_why(METRICS[name].label, [*rows["reason"], METRICS[name].nothing])
                continue
            rows = rows.assign(order=rows["status"].map(figures.ORDER)).sort_values(
                ["order", "value"], ascending=[True, figures.better_first(METRICS[name])], kind="stable"
            )
            spec, alt = charts.interval_dots(rows, METRICS[name], palette(), what, view.currency)
            charts.show(spec, alt, key=f"rates {name}")
