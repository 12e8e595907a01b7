"""The parts of the rater profile: figures, charts with their sentences, training, and what to coach on, read live."""

from __future__ import annotations

import numpy as np
import streamlit as st

from data_access.filters import Filters
from metrics.catalogue import METRICS
from metrics.errors import NotAllowed, WarehouseUnavailable
from ui import (
    cards,
    charts,
    data,
    figures,
    links,
    rater_error_panels,
    rater_error_words,
    rater_gap_words,
    rater_history_words,
    rater_live,
    rater_panels,
    rater_profile,
    rater_weeks,
    tables,
    theme,
)
from ui import format as fmt
from ui import profile_words as words
from ui import rater_cell_words as cell
from ui.filter_bar import go_to, token
from ui.page import View, back_link, tell_why
from ui.rater_profile import Profile
from ui.tables import Column
from ui.words import md

GRAINS = {"month": "By month", "week": "By week"}
GOLD = METRICS["gold_accuracy"]
EXAMPLE = {
    "item_id": Column("Item", "Its id in the warehouse."),
    "policy": Column("Policy"),
    "language": Column("Language"),
    "label": Column("Label given"),
    "gold_label": Column("Right label"),
    "submitted_at": Column("When, UTC", kind="time"),
}
MATRICES = 2  # confusion matrices drawn: the projects with most gold
COURSES = {
    "day": Column("Due", kind="day"),
    "due": Column("Courses", kind="count"),
    "done": Column("Completed in time"),
    "passed": Column("Passed"),
}


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameter, `grain`, and a sentence where it was not honoured."""
    problems: list[str] = []
    grain = links.one_of("step in time", st.query_params.get("grain"), GRAINS, "month", problems)
    return {"grain": grain}, tuple(problems)


def back(filters: Filters, person: Profile | None) -> None:
    """Back to the raters of the pool."""
    kept = filters.with_("rater")
    back_link(rater_panels.PAGE, "Rater quality", kept.with_("pool", person.pool) if person else kept)


def person_of(view: View) -> Profile | None:
    """The rater of the URL; None where it names none or the reader may not see raters."""
    if not data.current_scope().sees_raters:
        return None
    return rater_profile.profile(view.snapshot, view.filters)


def nobody() -> str:
    """The heading without a rater to show."""
    if not data.current_scope().sees_raters:
        return rater_live.NOT_ALLOWED
    return "Choose one rater on the rater quality page to see how they are doing and what support would help"


def what_it_shows() -> None:
    """What the page would show."""
    st.info(
        "This page shows one rater's accuracy over time against the target, pace, learning and training, and the three "
        "confusions worth coaching on with their items. Open a pool on the rater quality page and click a rater.",
        icon=":material/person_search:",
    )


def grain_picker(own: dict[str, str], filters: Filters) -> None:
    """By month or by week."""
    key = f"rater grain {own['grain']}"

    def choose() -> None:
        go_to(filters, {**own, "grain": st.session_state[key] or own["grain"]})

    with st.container(key="beside_rater_trend"):
        st.segmented_control(
            "Step in time",
            list(GRAINS),
            default=own["grain"],
            format_func=GRAINS.get,
            key=key,
            on_change=choose,
            label_visibility="collapsed",
        )


def figure_row(view: View, person: Profile) -> None:
    """Accuracy, standing, drift, pace, workload, tenure."""
    row = person.row or {}
    judged = bool(row.get("group"))
    moved = "" if fmt.is_missing(row.get("drift", np.nan)) else cell.between(row, "drift")
    met = not fmt.is_missing(row.get("peers", np.nan))
    paced = not fmt.is_missing(row.get("pace", np.nan))
    parts = [
        (
            "Accuracy on gold",
            fmt.value(row["value"], GOLD) if judged else fmt.NONE,
            f"{cell.between(row)}; as judged {cell.judged(row)}" if judged else "no gold in this period",
        ),
        (
            "Standing",
            cell.standing(row.get("group", "")),
            f"target {fmt.target(person.found.target, GOLD)}",
        ),
        ("Last half year", cell.drifting(row.get("drift_verdict")), moved),
        (
            "Pace",
            cell.times(row["pace"]) if paced else fmt.NONE,
            "time per judgement, 1 is usual" if paced else "too few timed judgements",
        ),
        (
            "Workload",
            fmt.count(row.get("judgements", 0)),
            f"judgements, {fmt.count(round(row.get('hours', 0), 1))} hours timed",
        ),
        (
            "Agrees with peers",
            fmt.value(row["peers"], GOLD) if met else fmt.NONE,
            f"{cell.peers(row).split(' ', 1)[-1]}; {fmt.count(row['peers_n'])} items" if met else "no item in common",
        ),
    ]
    cards.figures_row(parts)
    if judged:
        st.markdown(f"**What would help.** {md(words.support(row))}")
        if person.rater in person.found.gaps:
            said = rater_gap_words.gap(person.found.gaps[person.rater], own=rater_gap_words.ONE, right=row["observed"])
            st.markdown(f"**The person or the items?** {md(said)}")
    tenure = rater_history_words.tenure(person.hired_on, view.filters.end or view.meta.last_day)
    tables.quiet(md(f"Here for {tenure}; language {person.language}."))


def over_time(view: View, person: Profile, own: dict[str, str]) -> None:
    """Accuracy on gold by month or week with its interval against the target."""
    grain = own["grain"]
    goal = person.found.target
    rows = rater_profile.over_time(view.snapshot, view.filters, person.rater, grain, goal)
    if rows["value"].isna().all():
        tell_why(f"{GOLD.label} by {grain}", rows["reason"])
        return
    changes = figures.changes(view.snapshot, view.filters.with_("rater").with_("pool", person.pool), grain)
    start = view.filters.start
    spec, alt = charts.trend(rows, GOLD, theme.palette(), grain, view.currency, None, changes, start)
    spec["title"]["subtitle"] += "; as judged, not cleared of how hard the items were"
    charts.show(spec, alt, key=f"rater trend {grain}")
    cards.change_list(changes)


def learning(view: View, person: Profile) -> None:
    """Errors since hire beside the pool's curve, for those who are new."""
    rows = rater_profile.learning(view.snapshot, view.filters, person.rater, person.pool)
    title = "Errors since hire"
    if rows.empty:
        looked_at = rater_weeks.looked_back(view.filters)
        tell_why(title, [rater_history_words.no_learning(person.hired_on, looked_at.start, looked_at.end)])
        return
    subtitle = f"Blocks of {rater_profile.BLOCK} weeks with 95 % interval; curve: new raters of the pool"
    spec, alt = charts.curve(rows, theme.palette(), title, subtitle, "weeks since hired")
    charts.show(spec, alt, key="rater learning")


def training(view: View, person: Profile) -> None:
    """Courses due, done in time, passed."""
    rows = rater_profile.trainings(view.snapshot, view.filters, person.rater)
    st.subheader("Training", anchor=False)
    if rows.empty:
        tables.quiet("No course was due.")
        return
    records = rows.to_dict("records")
    shown = rows.assign(
        done=["yes" if r["completed_in_time"] >= r["due"] else "no" for r in records],
        passed=[
            "not taken" if not r["attempted"] else "yes" if r["passed"] >= r["attempted"] else "no" for r in records
        ],
    )
    tables.table(shown, key="courses", title=f"Training of {person.alias}", columns=COURSES, snapshot=view.snapshot)


@st.fragment
def coaching(view: View, person: Profile) -> None:
    """The confusions worth talking about with their items, read live when asked for."""
    st.subheader("What to coach on", anchor=False)
    about = "Reads this rater's gold judgements from the warehouse: a few seconds."
    if not rater_live.asked_for("Show what to coach on", f"coach {person.rater} {token(view.filters)}", about):
        tables.quiet(about)
        return
    try:
        with st.spinner("Reading this rater's gold judgements"):
            found = rater_profile.coaching(view.snapshot, view.filters, person.rater)
    except (WarehouseUnavailable, NotAllowed) as error:
        rater_live.cannot_read("What to coach on", error)
        return
    if not found.judged:
        tell_why("What to coach on", ["this rater met no gold in the half year up to here"])
        return
    since = f"since {fmt.day(found.since, view.filters.end)}"
    st.markdown(md(f"{rater_error_words.coached(found.pairs)} {rater_error_words.blind(found)}".strip()))
    names = view.snapshot.names["project"]
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        for at, (pair, rows) in enumerate(zip(found.pairs, found.examples, strict=True)):
            st.markdown(f"**{md(rater_error_words.confusion(pair, names))}**")
            title = f"Items of confusion {at + 1} of {person.alias}"
            tables.table(rows, key=f"examples {at}", title=title, columns=EXAMPLE, snapshot=view.snapshot)
    with right:
        for one in found.matrices[:MATRICES]:
            rater_error_panels.show_matrix(one, names.get(one.project, one.project), "rater matrix")
        rest = [names.get(one.project, one.project) for one in found.matrices[MATRICES:]]
        if rest:
            tables.quiet(md(rater_error_words.further_matrices(rest)))
    tables.quiet(md(f"{fmt.count(found.judged)} gold judgements {since}."))
