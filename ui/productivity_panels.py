"""The parts of the productivity page: what a reader chooses, its charts and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd
import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from metrics import ramp as ramps
from metrics.catalogue import METRICS
from ui import cards, charts, delivery_words, figures, links, productivity, tables, words
from ui import format as fmt
from ui.agreement_controls import choice
from ui.cards import KPI_PAGE, kpi_params
from ui.charts.ramp import ACCURACY, PACE
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column, quiet
from ui.theme import palette

PAGE = "pages/productivity.py"
LOOKS = {"table": "Numbers", "rework": "Rework and skips", "hours": "Where the hours go", "ramp": "New raters"}
PRICES = {"hiring": "price of hiring", "training": "price of training"}
MOST = 1_000_000
Own = Mapping[str, str]


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
    if not 0 <= value <= MOST:
        problems.append(f"The {called} is a number from 0 to {MOST:,}, not {links.quoted(text or '')}. Shown is 0.")
        value = 0.0
    return f"{value:g}"


# ---- at the top ------------------------------------------------------------------------------------------------


def figure_row(view: View, found: productivity.Change) -> None:
    """Speed, quality and use of hours in one row: none of them is to be read alone."""
    names = (productivity.PACE, productivity.GOLD, "throughput_per_hour", "first_pass_yield", "utilisation")
    cells = "".join(_figure(found.score(name), view.currency) for name in names)
    st.html(f'<div class="rs-figures">{cells}</div>')


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
    basis = words.basis_note(productivity.basis_of(view.snapshot, view.filters))
    quiet(words.md(f"{delivery_words.stands_out(over)} {delivery_words.split(found)} {basis}".strip()))
    cards.change_list(changes)


def beside(view: View) -> str:
    """Pace and accuracy of pools, or inside one pool of its projects; the one a reader clicked."""
    rows = productivity.beside(view.snapshot, view.filters)
    rows = rows[rows["pace"].notna() & rows["value"].notna()]
    what = DIMENSIONS[productivity.axis(view.filters)]
    if len(rows) < 2:
        tell_why(f"Pace beside accuracy by {what}", [delivery_words.no_pace(rows)])
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
        params = links.write(view.filters.with_("pool"), **own)
        st.page_link(PAGE, label="All pools", icon=":material/arrow_back:", query_params=params)


def section(view: View, own: Own) -> str:
    """The section that is open; a member that a reader opened from it."""
    st.subheader("Look closer", anchor=False)
    choice(st.segmented_control, "Look into", "look", LOOKS, own, view.filters, wrap=True)
    if own["look"] == "rework":
        rework(view)
    elif own["look"] == "hours":
        hours(view)
    elif own["look"] == "ramp":
        new_raters(view, own)
    else:
        return table(view)
    return ""


# ---- numbers ---------------------------------------------------------------------------------------------------

COLUMNS = {
    productivity.PACE: ("Handle time, s", "number"),
    productivity.GOLD: ("Gold accuracy", "share"),
    "throughput_per_hour": ("Per handling hour", "number"),
    "first_pass_yield": ("First-pass yield", "share"),
    "rework_rate": ("Rework", "share"),
    "skip_rate": ("Skips", "share"),
    "judgements": ("Judgements", "count"),
}


def table(view: View) -> str:
    """Every pool or project in numbers; the one of the row a reader selected."""
    by = productivity.axis(view.filters)
    parts = {name: productivity.of_groups(view.snapshot, view.filters, name) for name in COLUMNS}
    first = parts["judgements"]
    if first.empty:
        tell_why(f"Productivity by {DIMENSIONS[by]}", ["no work matches these filters"])
        return ""
    shown = pd.DataFrame({"member": first["member"], "label": first["label"]})
    columns = {"label": Column(DIMENSIONS[by].capitalize(), "Open a row to go inside.")}
    pace = productivity.beside(view.snapshot, view.filters)
    for name, (called, kind) in COLUMNS.items():
        metric = METRICS[name]
        own = parts[name].set_index("member")
        shown[name] = shown["member"].map(own["value"].to_dict())
        columns[name] = Column(called, metric.meaning, kind)
        if name == productivity.PACE:
            shown["pace"] = shown["member"].map(dict(zip(pace["member"], pace["pace"], strict=True)))
            columns["pace"] = Column("Times the usual", "On the same projects, policies and content.", "number")
        if name in (productivity.PACE, productivity.GOLD):
            said = {m: _moved(row, view.currency) for m, row in zip(own.index, own.to_dict("records"), strict=True)}
            between = {
                m: fmt.interval(row["low"], row["high"], metric, row["value"], view.currency)
                for m, row in zip(own.index, own.to_dict("records"), strict=True)
            }
            shown[f"{name} between"] = shown["member"].map(between)
            shown[f"{name} change"] = shown["member"].map(said)
            columns[f"{name} between"] = Column("95 % interval", "", "right")
            columns[f"{name} change"] = Column("Change", "Against the period before.", "right")
    shown = shown.sort_values("label", kind="stable")
    picked = tables.table(
        shown,
        key=f"productivity table {token(view.filters)}",
        title=f"Productivity by {DIMENSIONS[by]}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS[name] for name in COLUMNS],
        members=[{by: member} for member in shown["member"]],
        exported=shown,
    )
    return str((picked or {}).get(by, ""))


def _moved(row: dict, currency: str) -> str:
    text, verdict = words.change_words(row, METRICS[row["metric"]], currency)
    return f"{text}, {verdict}" if verdict else text


# ---- rework, hours ---------------------------------------------------------------------------------------------


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


def hours(view: View) -> None:
    """Use of paid time and adherence by pool, and where idle hours are; what to load where no shifts are."""
    rows, why_not = productivity.hours(view.snapshot, view.filters, "utilisation")
    if why_not or rows.empty or rows["value"].isna().all():
        reason = next((r for r in (why_not, *rows["reason"]) if r), "")
        tell_why("Where the hours go", [delivery_words.LOAD_SHIFTS if reason in ("", "no shifts") else reason])
        return
    idle = productivity.idle(view.snapshot, view.filters)
    quiet(words.md(delivery_words.hours(rows, idle)))
    left, right = st.columns(2, gap="large")
    with left:
        spec, alt = charts.interval_dots(rows, METRICS["utilisation"], palette(), "pool", view.currency)
        charts.show(spec, alt, key="utilisation")
    with right:
        kept, why_not = productivity.hours(view.snapshot, view.filters, "adherence")
        if why_not or kept.empty:
            tell_why("Schedule adherence", [why_not])
        else:
            spec, alt = charts.interval_dots(kept, METRICS["adherence"], palette(), "pool", view.currency)
            charts.show(spec, alt, key="adherence")
    shown = rows.assign(
        idle=[idle.get(member, 0.0) for member in rows["member"]],
        change_text=[_moved(row, view.currency) for row in rows.to_dict("records")],
        between=[words.value_text(row, METRICS["utilisation"], view.currency) for row in rows.to_dict("records")],
    )
    columns = {
        "label": Column("Pool", width="medium"),
        "between": Column("Utilisation", METRICS["utilisation"].meaning, "right"),
        "change_text": Column("Change", "Against the period before.", "right"),
        "idle": Column(
            "Idle hours", "Logged and not spent on items: breaks, training and waiting among them.", "count"
        ),
    }
    tables.table(
        shown,
        key=f"hours table {token(view.filters)}",
        title="Hours by pool",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS["utilisation"]],
    )


# ---- ramp ------------------------------------------------------------------------------------------------------


def new_raters(view: View, own: Own) -> None:
    """How hire cohorts come up to speed, and what it costs when people leave."""
    found = productivity.ramps_if_allowed(view.snapshot, view.filters)
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
    st.markdown(words.md(delivery_words.ramp(found, chosen, called)))
    rows = productivity.curves(found)
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
        reached=[delivery_words.weeks_said(row) for row in records],
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


def attrition(view: View, own: Own, found: productivity.Ramps) -> None:
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
    st.markdown(words.md(delivery_words.attrition(found, cost, view.currency, hiring, training)))


def _price(label: str, name: str, own: Own, filters: Filters) -> None:
    key = f"price {name} {own[name]}"

    def write() -> None:
        if st.session_state[key] is not None:
            go_to(filters, {**own, name: f"{st.session_state[key]:g}"})

    st.number_input(label, 0.0, float(MOST), float(own[name]), 50.0, format="%g", key=key, on_change=write, width=170)
