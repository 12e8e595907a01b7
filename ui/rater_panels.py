"""The parts of the rater quality page: what is chosen, charts with their sentences, tables, what is read live."""

from __future__ import annotations

import streamlit as st

from data_access.filters import Filters
from metrics.catalogue import METRICS
from metrics.errors import NotAllowed, WarehouseUnavailable
from metrics.learning import LEAST_PERIODS
from metrics.spec import Metric
from ui import (
    cards,
    charts,
    data,
    figures,
    links,
    periods,
    rater_errors,
    rater_gap,
    rater_history,
    rater_weeks,
    raters,
    tables,
    theme,
)
from ui import rater_words as words
from ui.filter_bar import back, go_to, open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.words import change_words, md, md_error

PAGE, PROFILE = "pages/rater_quality.py", "pages/rater_profile.py"
AGAINST = {rater_errors.GOLD: "on gold", rater_errors.AUDIT: "that were audited"}
HEADS = {
    "alias": Column("Rater", "A pseudonym. Open a row to see how to support this rater.", width=110),
    "standing": Column("Standing", "Three answers only; within one the order is by name.", "status", width=130),
    "between": Column(
        "Accuracy on gold", f"Cleared of how hard the items were, with its {words.INTERVAL}.", "right", width=165
    ),
    "n": Column("Gold", "Gold judgements in the period.", "count", width=70),
    "settle": Column("Gold to settle", "More gold judgements that would settle it, as a rule.", "right", width=110),
    "drifting": Column("Last half year", "Whether accuracy drifts against the peers' over 26 weeks.", width=130),
    "agrees": Column(
        "Agrees with peers",
        "Share of other ratings of the same items that agree, with its interval.",
        "right",
        width=165,
    ),
    "judgements": Column("Judgements", "All judgements in the period: the workload.", "count", width=105),
    "hours": Column("Hours", "Hours timed on judgements in the period.", "number", width=80),
    "times": Column("Pace", "Time per judgement over the usual one for the same kind of work.", "number", width=80),
    "unread": Column(
        "Signs of unread labels",
        "No better than blind, and far faster than peers or crowding on one label. At most 1 in 20 is called wrongly.",
    ),
}


# ---- what is chosen --------------------------------------------------------------------------------------------


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


def _matrix_picker(own: dict[str, str], filters: Filters, projects: list[str], names: dict[str, str], at: int) -> None:
    key = f"matrix {projects[at]} {token(filters)}"

    def choose() -> None:
        go_to(filters, {**own, "matrix": st.session_state[key]})

    with st.container(key="beside_matrix"):
        st.selectbox(
            "Project",
            projects,
            index=at,
            format_func=lambda p: names.get(p, p),
            key=key,
            on_change=choose,
            label_visibility="collapsed",
            width=240,
        )


def figure_row(view: View, own: dict[str, str]) -> None:
    """The measure over all the work the filters leave: value with interval, change, target, status, n."""
    rows = figures.compared(view.snapshot, view.filters, (own["metric"],), rater_weeks.IN_ALL)[0]
    if len(rows) and not rows["value"].isna().all():
        cards.figure_row(rows.iloc[0].to_dict(), view.filters, view.meta)


# ---- pools -----------------------------------------------------------------------------------------------------


def pool_dots(view: View, rows, own: dict[str, str]) -> str:
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


def pool_table(view: View, rows, own: dict[str, str]) -> str:
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


# ---- raters ----------------------------------------------------------------------------------------------------


def raters_if_allowed(view: View, pool: str) -> raters.PoolRaters | None:
    """The raters of the pool; None where no single pool is chosen or the reader may not see raters."""
    if not pool or not data.current_scope().sees_raters:
        return None
    return raters.raters(view.snapshot, view.filters, pool)


def said(rows):
    """The raters with what the charts and tables write about them."""
    records = rows.to_dict("records")
    return rows.assign(
        status=[raters.status_of_group(row["group"]) for row in records],
        said=[words.accuracy(row) for row in records],
    )


def caterpillar(view: View, found: raters.PoolRaters, pool: str) -> str:
    """The raters with gold in their three groups; the rater a reader clicked."""
    rows = said(found.rows[found.rows["group"] != ""])
    if rows.empty:
        tell_why("Accuracy by rater", [found.reason or "no rater met gold in this period"])
        return ""
    spec, alt = charts.caterpillar(rows, found.target, theme.palette(), pool)
    with st.container(key="wide_caterpillar"):
        clicked = charts.show(spec, alt, key=f"raters {token(view.filters)}", select=True)
    exposed = raters.sensitive_seconds(view.snapshot, view.filters, one_pool(view.filters))
    tables.quiet(md(words.sensitive(exposed, pool)))
    main = rater_gap.main_confusion(view.snapshot, view.filters, one_pool(view.filters), found.unread)
    st.markdown(f"**People, items or guideline?** {md(words.gap(found.gap, main=main))}")
    for sentence in (words.how_sure(found), f"{words.gold_to_settle(found)} {words.signs(found)}".strip()):
        tables.quiet(md(sentence))
    return str((clicked or {}).get("member", ""))


def pace(view: View, found: raters.PoolRaters, chosen: str = "") -> str:
    """Speed against accuracy; the rater a reader clicked."""
    rows = found.rows[found.rows["pace"].notna() & found.rows["value"].notna()]
    if rows.empty:
        tell_why("Pace against accuracy", ["too few timed judgements or no gold"])
        return ""
    spec, alt = charts.pace(said(rows), found.target, theme.palette(), chosen)
    clicked = charts.show(spec, alt, key=f"pace {chosen} {token(view.filters)}", select=True)
    # On a rater's own page the sentence would read as one about that rater.
    tables.quiet(md(words.pace(found.pace, len(found.unread), "In this pool" if chosen else "")))
    return str((clicked or {}).get("member", ""))


def rater_table(view: View, found: raters.PoolRaters, name: str) -> str:
    """The raters in a table, by group and then name, workload beside; the rater of the row a reader selected."""
    rows = found.rows.sort_values(["place", "alias"], kind="stable") if len(found.rows) else found.rows
    if rows.empty:
        return ""
    records = rows.to_dict("records")
    shown = rows.assign(
        standing=[words.standing(row["group"]) for row in records],
        between=[words.accuracy(row) for row in records],
        settle=[words.to_settle(row) for row in records],
        drifting=[words.drifting(row["drift_verdict"]) for row in records],
        agrees=[words.peers(row) for row in records],
        times=rows["pace"].round(2),
        unread=[words.unread(row) for row in records],
        hours=rows["hours"].round(1),
    )
    picked = tables.table(
        shown,
        key=f"rater table {token(view.filters)}",
        title=f"Raters of {name}",
        columns=HEADS,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[METRICS["gold_accuracy"]],
        members=[{"rater": r} for r in rows["rater"]],
        exported=rows.drop(columns=["place"]),
    )
    return str((picked or {}).get("rater", ""))


def open_rater(rater: str, filters: Filters) -> None:
    """Opens the profile of a rater, when one was clicked."""
    if rater:
        open_from_click(PROFILE, links.write(filters.with_("rater", rater), grain="month"))


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
    tables.quiet(md(words.learning(curve)))


# ---- errors ----------------------------------------------------------------------------------------------------


def error_mix(view: View, own: dict[str, str]) -> None:
    """Too mild or too severe by class; a click on a project shows it by its true labels."""
    found = rater_errors.errors(view.snapshot, view.filters)
    if found.rows.empty:
        tell_why("Errors by class", [found.reason])
        return
    opens = "its labels" if found.by == "project" else ""
    spec, alt = charts.error_sides(found.rows, theme.palette(), found.by, AGAINST[found.basis], opens)
    clicked = charts.show(spec, alt, key=f"error_mix {token(view.filters)}", select=bool(opens))
    if clicked and clicked.get("member"):
        open_from_click(PAGE, links.write(view.filters.with_("project", str(clicked["member"])), **own))


def gravity(view: View) -> None:
    """How grave audited errors are."""
    rows = rater_errors.verdicts(view.snapshot, view.filters)
    if rows.empty:
        tell_why("How grave errors are", ["no audits"])
        return
    subtitle = "Weighted to all work; line: 95 % interval"
    spec, alt = charts.share_dots(rows, theme.palette(), "How grave audited errors are", subtitle, "audits")
    charts.show(spec, alt, key="gravity")


def matrix(view: View, own: dict[str, str]) -> None:
    """The confusion matrix of the filtered project, else of the one chosen, else of the one with most errors."""
    projects = rater_errors.confused_projects(view.snapshot, view.filters)
    if not projects:
        tell_why("Which labels are mistaken for which", [rater_errors.errors(view.snapshot, view.filters).reason])
        return
    at = projects.index(own["matrix"]) if own["matrix"] in projects else 0
    if own["matrix"] and own["matrix"] not in projects:
        tables.quiet("The project of the link has no known answers here; shown is the one with most errors.")
    names = view.snapshot.names["project"]
    if len(projects) > 1:
        _matrix_picker(own, view.filters, projects, names, at)
    name = "" if len(projects) > 1 else names.get(projects[at], projects[at])
    show_matrix(rater_errors.matrix(view.snapshot, view.filters, projects[at]), name, "matrix")


def show_matrix(found: rater_errors.Matrix, name: str, key: str) -> None:
    """One confusion matrix, named after its project where nothing else says it."""
    spec, alt = charts.confusion(
        found.counts, found.labels, theme.palette(), name, AGAINST[found.basis], rater_errors.OTHER
    )
    charts.show(spec, alt, key=f"{key} {found.project}")
    tables.quiet(md(words.macro_f1(found)))


# ---- live ------------------------------------------------------------------------------------------------------


def asked_for(label: str, key: str, help_text: str) -> bool:
    """Whether the reader asked for what only the warehouse knows; once asked it stays for this view."""
    kept = st.session_state.setdefault("asked of the warehouse", set())
    if key not in kept:
        st.button(label, key=f"ask {key}", icon=":material/database:", help=help_text, on_click=kept.add, args=(key,))
    return key in kept


def cannot_read(what: str, error: Exception) -> None:
    """In place of a live part: one sentence why it is missing; the rest of the page stands."""
    st.info(f"{md(what)} cannot be shown: {md_error(str(error))}", icon=":material/database_off:")


@st.fragment
def tired(view: View) -> None:
    """Whether errors rise through the shift, read live when asked for."""
    st.subheader("Through the shift", anchor=False)
    if not data.current_scope().sees_raters:
        tables.quiet(md(f"Hours into the shift are counted rater by rater. {words.NOT_ALLOWED}."))
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
    tables.quiet(md(words.tired(found)))
