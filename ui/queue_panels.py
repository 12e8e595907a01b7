"""The parts of the queue page: what a reader chooses and tries out, its charts and its table."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics.catalogue import METRICS
from metrics.spec import Estimate
from ui import cards, charts, figures, links, queue, queue_staffing, queue_words, tables, words
from ui import format as fmt
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, tell_why
from ui.queue import Ask
from ui.tables import Column, quiet
from ui.theme import SHAPES, palette

PAGE = "pages/queue_and_capacity.py"
DAYS = {"7": "1 week", "14": "2 weeks", "28": "4 weeks"}
# parameter: what it is called, least, most, step; whole numbers and others
WHOLE = {"added": ("number of added raters", 0, 500, 1)}
REAL = {
    "hours": ("paid hours a day", 0.1, 24.0, 0.5),
    "utilisation": ("utilisation", 1.0, 100.0, 1.0),
    "shrinkage": ("shrinkage", 0.0, 90.0, 1.0),
    "risk": ("risk accepted", 1.0, 50.0, 1.0),
}
TODAY = ("hours", "utilisation", "shrinkage")  # empty in the URL: as it is today
Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters as text, `queue`, `ahead` and the what-ifs, and what was not honoured."""
    problems: list[str] = []
    asked = st.query_params
    own = {
        "queue": asked.get("queue", ""),
        "ahead": links.one_of("time ahead", asked.get("ahead"), DAYS, "14", problems),
    }
    for name, (called, least, most, _) in (WHOLE | REAL).items():
        if name in TODAY and not asked.get(name):
            own[name] = ""
            continue
        before = len(problems)
        fallback = {"risk": 10.0}.get(name, 0 if name in WHOLE else least)
        own[name] = links.number(called, asked.get(name), least, most, fallback, problems)
        if name in TODAY and len(problems) > before:
            own[name] = ""
            problems[-1] = problems[-1].rsplit(" Shown is", 1)[0] + " Shown is what it is today."
    return own, tuple(problems)


def ask(own: Own) -> Ask:
    """The parameters as what is asked."""

    def share(name: str) -> float | None:
        return float(own[name]) / 100 if own[name] else None

    return Ask(
        added=int(own["added"]),
        hours=float(own["hours"]) if own["hours"] else None,
        utilisation=share("utilisation"),
        shrinkage=share("shrinkage"),
        risk=share("risk") or 0.1,
        days=int(own["ahead"]),
    )


# ---- at the top ------------------------------------------------------------------------------------------------


def picker(rows: pd.DataFrame, at: str, own: Own, filters: Filters) -> None:
    """Which queue is looked at, and how far ahead."""
    names = dict(zip(rows["member"], rows["label"], strict=True))
    key, ahead = f"queue {at} {token(filters)}", f"ahead {own['ahead']}"

    def choose() -> None:
        go_to(filters, {**own, "queue": st.session_state[key]})

    def look() -> None:
        go_to(filters, {**own, "ahead": st.session_state[ahead] or own["ahead"]})

    with st.container(horizontal=True, vertical_alignment="center"):
        if len(names) > 1:
            options = list(names)
            st.selectbox(
                "Queue",
                options,
                options.index(at),
                format_func=names.get,
                key=key,
                on_change=choose,
                label_visibility="collapsed",
                width=280,
            )
        st.segmented_control(
            "Ahead",
            list(DAYS),
            default=own["ahead"],
            format_func=DAYS.get,
            key=ahead,
            on_change=look,
            label_visibility="collapsed",
        )


def figure_row(view: View, row: Mapping, found: queue.Outlook, asked: Ask) -> None:
    """The queue's figures: how it stands and how likely it misses."""
    sla = METRICS[queue.SLA]
    between = fmt.interval(row["low"], row["high"], sla, row["value"]).strip("()")
    goal = fmt.target(row["target"], sla)
    parts = [
        ("Backlog", f"{row['backlog']:,.0f}", f"{row['overdue']:,.0f} overdue" if row["backlog"] else "nothing open"),
        ("Age of the backlog, 90 %", row["aged"] or fmt.NONE, f"oldest {row['oldest']}" if row["oldest"] else ""),
        (
            "SLA attainment",
            fmt.value(row["value"], sla),
            "; ".join(x for x in (between, f"target {goal}" if row["target"] > 0 else "no target") if x),
        ),
        ("Arrived", fmt.count(row["items_created"]), f"{fmt.count(row['items_decided'])} decided"),
        ("Turnaround, 90 %", fmt.value(row[queue.AGED], METRICS[queue.AGED]), "of decided items are faster"),
    ]
    if not fmt.is_missing(row[queue.CLAIMED]):
        late = METRICS[queue.CLAIMED_LATE]
        slow = f"nine in ten within {fmt.value(row[queue.CLAIMED_LATE], late)}"
        parts.append((METRICS[queue.CLAIMED].label, fmt.value(row[queue.CLAIMED], METRICS[queue.CLAIMED]), slow))
    if found.found is not None and not found.check.reason:
        risk = found.found.miss_period
        whole = ", hours of the day not seen" if found.due.within_day else ""
        shown = fmt.NONE if risk.value is None else queue_words.chance(risk.value, found.check)
        error = f", {chance_range(risk)} allowing for chance in the simulation" if shown.endswith("%") else ""
        parts.append(("Risk of missing the SLA", shown, f"by {queue_words.until_day(found, asked)}{whole}{error}"))
    cards.figures_row(parts)


def chance_range(risk: Estimate) -> str:
    """The Monte Carlo error of a risk: 7 to 11 %."""
    return f"{100 * risk.low:.0f} to {100 * risk.high:.0f}{fmt.SPACE}%"


# ---- outlook ---------------------------------------------------------------------------------------------------


def controls(own: Own, filters: Filters, staff: queue_staffing.Staffing) -> None:
    """What if: more people, other hours, another use of them; the risk one accepts."""
    now = {"hours": staff.hours, "utilisation": 100 * staff.most, "shrinkage": 100 * staff.shrinkage}
    with st.container(key="what_if", horizontal=True, vertical_alignment="bottom", gap="small"):
        _slider("Added raters", "added", own, filters, 0, max(20, round(2 * max(staff.heads))))
        _slider("Paid hours a day", "hours", own, filters, now["hours"])
        _slider("Utilisation, %", "utilisation", own, filters, now["utilisation"])
        _slider("Shrinkage, %", "shrinkage", own, filters, now["shrinkage"])
        _slider("Risk accepted, %", "risk", own, filters, 10)
        if own["added"] != "0" or any(own[name] for name in TODAY):
            back = {**own, "added": "0", **dict.fromkeys(TODAY, "")}
            st.button("As it is today", icon=":material/undo:", on_click=go_to, args=(filters, back))


def _slider(label: str, name: str, own: Own, filters: Filters, today: float, reach: int | None = None) -> None:
    """A number that starts from the URL, else from how it is today, and writes itself back.

    reach: how far it goes where the URL does not ask for more, as a slider to its most would be too coarse.
    """
    _, least, most, step = (WHOLE | REAL)[name]
    kind = int if name in WHOLE else float
    start = min(max(kind(own[name]) if own[name] else kind(round(today, 2)), kind(least)), kind(most))
    top = most if reach is None else min(max(reach, start), most)
    key = f"{name} {own[name]} {start}"

    def write() -> None:
        go_to(filters, {**own, name: f"{st.session_state[key]:g}"})

    st.slider(
        label,
        kind(least),
        kind(top),
        start,
        kind(step),
        format="%d" if kind is int else "%g",
        key=key,
        on_change=write,
        width=190,
    )


def outlook(view: View, known: pd.DataFrame, found: queue.Outlook, asked: Ask) -> None:
    """The coming days: the backlog, and arrivals against staffed capacity; or why they are not known."""
    if found.found is None:
        tell_why("The coming days", [found.reason])
        return
    recent = known.tail(28)
    at = [pd.Timestamp(found.first) + pd.Timedelta(days=k) for k in range(asked.days)]
    sim, points = found.found.days, found.volume.points
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        coming = pd.DataFrame({"at": at, "value": sim["backlog"], "low": sim["low"], "high": sim["high"]})
        past = recent.rename(columns={"day": "at", "backlog": "value"})
        note = "open items at the end of the day; band: 80 % of simulated paths"
        spec, alt = charts.fan(past, coming, "Backlog, known and to come", note, "open items", palette())
        charts.show(spec, alt, key="backlog fan")
        quiet(words.md(queue_words.worst_day(found)))
    with right:
        coming = pd.DataFrame(
            {"at": at, **{c: points[c].to_numpy() for c in ("value", "low", "high")}, "capacity": sim["capacity"]}
        )
        coming["heads"] = queue.heads(found, asked)
        past = recent.rename(columns={"day": "at", "created": "value"})
        note = "items a day; band: 80 % interval; at the foot: raters"
        title = "Arrivals against staffed capacity"
        spec, alt = charts.fan(past, coming, title, note, "items arriving", palette(), "staffed for")
        charts.show(spec, alt, key="arrivals fan")
        quiet(words.md(queue_words.backtest(found)))


def staffing_needed(view: View, found: queue.Outlook, asked: Ask) -> None:
    """The smallest change of staff that keeps the risk where the heading does not say it, and what all rests on."""
    if found.need is not None and not found.check.reason and queue_words.changed(asked):
        text = queue_words.needed(found, asked, view.currency)
        st.markdown(f"**Smallest change with these numbers:** {words.md(text)}\\.")
    if found.found is not None:
        quiet(words.md(queue_words.tried(found)))
        quiet(words.md(queue_words.assumptions(found, view.currency)))
    if found.staff.source == queue_staffing.BY_WORK:
        quiet(words.md(queue_words.LOAD_SHIFTS_FOR_QUEUE))
    if found.no_due:
        quiet(words.md(queue_words.LOAD_DUE))
    if found.staff.per_hour is None:
        quiet(words.md(queue_words.LOAD_COSTS))


# ---- how it came to this ---------------------------------------------------------------------------------------


def history(view: View, own_filters: Filters, known: pd.DataFrame) -> None:
    """SLA by week, arrivals against decisions, and how old the open items are."""
    st.subheader("How it came to this", anchor=False)
    weeks, metric = queue.weekly(queue.span(known)), METRICS[queue.SLA]
    noted = figures.changes(view.snapshot, own_filters.over(known["day"].iloc[0].date(), own_filters.end), "week")
    if said := queue_words.came_to_this(queue.stretch(weeks), weeks, noted):
        st.markdown(words.md(said))
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        over = figures.over_time(view.snapshot, own_filters, queue.SLA, "week")
        if over["value"].isna().all():
            reasons = {metric.nothing: queue_words.NO_DUE}
            tell_why("SLA attainment by week", [reasons.get(r, r) for r in (*over["reason"], metric.nothing)])
        else:
            changes = figures.changes(view.snapshot, own_filters, "week")
            spec, alt = charts.trend(over, metric, palette(), "week", view.currency, None, changes, own_filters.start)
            charts.show(spec, alt, key="sla trend")
            quiet("Items overdue and still open count as missed.")
            cards.change_list(changes)
    with right:
        if len(weeks):
            spec, alt = charts.arrived_decided(weeks, palette())
            charts.show(spec, alt, key="arrived decided")
        rows = queue.ages(view.snapshot, own_filters)
        if rows["items"].sum():
            spec, alt = charts.ages(rows, math.ceil(queue.promise(view.snapshot, own_filters).hours / 24), palette())
            charts.show(spec, alt, key="ages")
            nine, oldest = queue.aged(rows["items"].to_numpy(), rows["label"].tolist())
            quiet(words.md(queue_words.open_ages(nine, oldest, queue.in_order(known))))
        else:
            quiet("Nothing is open at the end of the period.")


def table(view: View, rows: pd.DataFrame, own: Own) -> None:
    """Every queue with its backlog, attainment and status; a row opens it here."""
    metric = METRICS[queue.SLA]
    records = rows.to_dict("records")
    shown = rows.assign(
        between=[fmt.interval(r["low"], r["high"], metric, r["value"]) for r in records],
        goal=[fmt.target(r["target"], metric) for r in records],
        status=[f"{SHAPES[words.status_of(r)]} {words.status_word(r)}".strip() for r in records],
        moved=[" ".join(words.change_words({**r, "metric": queue.SLA}, metric, view.currency)) for r in records],
    )
    columns = {
        "label": Column("Queue", "Open a row to look at it."),
        "backlog": Column("Backlog", METRICS["backlog"].meaning, "count"),
        "overdue": Column("Overdue", "Open items past their due day.", "count"),
        "aged": Column("90 % no older", "Between what ages the open item lies that nine in ten are no older than."),
        "oldest": Column("Oldest", "Between what ages the oldest open item lies."),
        "items_created": Column("Arrived", METRICS["items_created"].meaning, "count"),
        "items_decided": Column("Decided", METRICS["items_decided"].meaning, "count"),
        "value": Column("SLA attainment", metric.meaning, "share"),
        "between": Column("95 % interval", "Where the true share lies, as far as the data can tell.", "right"),
        "goal": Column("Target", "", "right"),
        "status": Column("Status", tables.STATUS_HELP, "status"),
        "moved": Column("Change", "Against the period before.", "right"),
        queue.AGED: Column("90 % decided in, h", METRICS[queue.AGED].meaning, "number"),
    }
    if rows[queue.CLAIMED].notna().any():
        columns[queue.CLAIMED] = Column("Half claimed in, h", METRICS[queue.CLAIMED].meaning, "number")
        columns[queue.CLAIMED_LATE] = Column("90 % claimed in, h", METRICS[queue.CLAIMED_LATE].meaning, "number")
    picked = tables.table(
        shown,
        key=f"queues {token(view.filters)} {own['queue']}",
        title="Queues",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS[name] for name in queue.MEASURED],
        members=[{"project": member} for member in rows["member"]],
        opens=True,
        exported=rows.drop(columns=["order"]),
    )
    if picked and str(picked["project"]) != own["queue"]:
        open_from_click(PAGE, links.write(view.filters, **{**own, "queue": str(picked["project"])}))


def elsewhere(view: View, at: str) -> None:
    """The way to the people behind the queue, with the filters carried."""
    filters = view.filters.with_("project", at)
    with st.container(horizontal=True):
        st.page_link(
            "pages/productivity.py",
            label="Pools on this queue: pace and accuracy",
            icon=":material/speed:",
            query_params=links.write(filters, look="table"),
        )
        st.page_link(
            cards.KPI_PAGE,
            label="SLA attainment in detail",
            icon=":material/query_stats:",
            query_params=cards.kpi_params(queue.SLA, queue.open_filters(filters)),
        )
