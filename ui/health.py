"""The data health page's figures and tables, from data_access.health; the warehouse is never asked."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from data_access import health, settings
from data_access.filters import Scope
from data_access.health import BROKEN, WARNING, Checks
from data_access.snapshot import Snapshot
from ui import cards, charts, data, theme, words
from ui import format as fmt
from ui.tables import Column, quiet, table

SHAPES = {"absent": "○", "behind": "▲", "empty": "○", "in step": "●"}
SHOWN_METRICS = 3  # of those a table feeds; the download names them all
GRAINS = {"project": "Project", "week": "Week", "day": "Day"}
COUNTS = {
    "read": Column("In the warehouse", "Annotations the warehouse had at the refresh.", "count"),
    "served": Column("Counted", "Annotations these pages count: submitted and skipped.", "count"),
    "accepted": Column("Accepted", kind="count"),
    "rejected": Column("Rejected", kind="count"),
    "pending": Column("Pending", "Submitted and not decided yet.", "count"),
    "skipped": Column("Skipped", "Served to a rater who passed it on.", "count"),
    "difference": Column("Difference", "Counted less accepted, rejected, pending and skipped: 0 adds up.", "count"),
}


def checks(snapshot: Snapshot) -> Checks:
    """data_access.health.read() for the reader's scope, kept per snapshot and scope."""
    return _checks(snapshot.id, snapshot, data.current_scope())


@st.cache_resource(max_entries=20, show_spinner=False)
def _checks(snapshot_id: str, _snapshot: Snapshot, scope: Scope) -> Checks:
    return health.read(_snapshot, scope)


def verdict(found: Checks) -> str:
    """The answer in one sentence."""
    return health.verdict(found, dt.datetime.now(dt.UTC))


def points(found: Checks) -> None:
    """Every other reason not to trust the numbers, and that the sample is a sample."""
    if found.meta.last_day is None:
        st.info(
            "This page shows whether the numbers are fresh, complete and add up. It needs rows in the warehouse's "
            "tables `annotations` and `items`: load them with `python manage.py load FILE`, then run "
            "`python manage.py refresh`."
        )
    for problem in health.problems(found, dt.datetime.now(dt.UTC))[1:]:
        st.markdown(f"- {words.md(problem.words[0].upper() + problem.words[1:])}.")
    if settings.load().is_sample and found.meta.last_day:
        quiet(f"This is the sample warehouse: its work ends on {fmt.day(found.meta.last_day)} and does not grow.")


def figures(found: Checks) -> None:
    """Newest work, last refresh, annotations accounted for, audits still to come, findings, tables."""
    now, meta = dt.datetime.now(dt.UTC), found.meta
    served, differs = int(found.work["served"].sum()), int((found.work["difference"] != 0).sum())
    severities = found.findings["severity"].value_counts()
    broken, warnings = int(severities.get(BROKEN, 0)), int(severities.get(WARNING, 0))
    present = found.sources["present"]
    missing = 0 if found.read is None else int((found.read["read"] - found.read["kept"]).clip(lower=0).sum())
    parts = [
        ("Newest work", fmt.day(meta.last_day, now.date()), _days_ago(meta.last_day, now.date())),
        ("Last refresh", fmt.age(meta.built_at, now), f"snapshot {meta.snapshot_id}"),
        ("Annotations counted", fmt.count(served), f"{missing:,} left out, {differs:,} project days that differ"),
        (
            "Provisional",
            f"{meta.provisional_days} days",
            f"from {fmt.day(meta.provisional_from)}: audits still come in",
        ),
        ("Findings", str(broken + warnings), f"{broken} faults, {warnings} warnings"),
        ("Tables", f"{int(present.sum())} of {len(present)}", f"{int((~present).sum())} absent"),
    ]
    cards.figures_row(parts)


def _days_ago(day: dt.date, today: dt.date) -> str:
    days = (today - day).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def late_audits(found: Checks) -> None:
    """How many days after the work its audits come, and since when days are provisional."""
    if found.late.empty:
        st.info(
            "This chart shows how many days after the work its audits come. It needs rows in the table `audits`: "
            "load them with `python manage.py load FILE`, then run `python manage.py refresh`.",
            icon=":material/inbox:",
        )
        return
    spec, alt = charts.arrival(found.late, theme.palette(), found.meta.provisional_days)
    charts.show(spec, alt, key="late_audits")
    half, most = health.within(found.late, 0.5), health.within(found.late, 0.9)
    quiet(
        f"Half of the audits come within {half} days of the work, nine in ten within {most}. The last "
        f"{found.meta.provisional_days} days, from {fmt.day(found.meta.provisional_from)}, are provisional: "
        "their audit numbers may still move."
    )


def findings(found: Checks, snapshot: Snapshot) -> None:
    """What the check of the warehouse found at the last refresh, the gravest first."""
    if found.findings.empty:
        st.success("The check of the warehouse at the last refresh found nothing.", icon=":material/check_circle:")
        return
    shapes = {BROKEN: "▲ fault", WARNING: "◐ warning"}
    rows = found.findings.assign(severity=found.findings["severity"].map(lambda s: shapes.get(s, "○ note")))
    columns = {
        "severity": Column(
            "Gravity", "A fault leaves metrics out, a warning makes them doubtful, a note explains a gap."
        ),
        "message": Column("What was found", width="large"),
        "affects": Column("Metrics it touches", width="medium"),
        "table_name": Column("Table"),
        "column_name": Column("Column"),
    }
    table(rows, key="findings", title="Findings of the check of the warehouse", columns=columns, snapshot=snapshot)


def source_table(found: Checks, snapshot: Snapshot) -> None:
    """Each table of the contract: its rows, its newest row, whether it is there, and what it feeds."""
    now = dt.datetime.now(dt.UTC)
    known = health.sources(found, now)
    states = [f"{SHAPES.get(state, '')} {state}".strip() for state in known["state"]]
    rows = known.assign(state=states, feeds=[_feeds(row) for row in known.to_dict("records")])
    rows["age"] = ["" if pd.isna(at) else fmt.age(at.tz_localize(dt.UTC), now) for at in rows["newest"]]
    columns = {
        "table_name": Column("Table", "docs/contract.md gives its columns.", width=160),
        "state": Column(
            "State",
            f"Behind: over {health.BEHIND_DAYS} days older than the newest work. As it comes: not daily.",
        ),
        "n": Column("Rows", kind="count"),
        "newest": Column("Newest row, UTC", kind="time"),
        "age": Column("Age", kind="right"),
        "feeds": Column("What it feeds", "For an absent table: what is missing, and how to load it.", width="large"),
    }
    title = "Freshness of each source table"
    table(rows, key="sources", title=title, columns=columns, snapshot=snapshot, exported=known)


def _feeds(row: dict) -> str:
    """The first metrics a table feeds; for an absent one what is missing and how to load it."""
    names = row["feeds"].split(", ") if row["feeds"] else []
    said = ", ".join(names[:SHOWN_METRICS]) or "names, groups and pages"
    if len(names) > SHOWN_METRICS:
        said += f" and {len(names) - SHOWN_METRICS} more"
    if row["state"] != "absent":
        return said
    return f"Missing: {said}. Load rows of {row['table_name']} (docs/contract.md), then refresh."


def reconciliation(found: Checks, snapshot: Snapshot) -> None:
    """Whether counted = accepted + rejected + pending + skipped, by project, week or day."""
    grain = st.segmented_control(
        "By",
        list(GRAINS),
        default="project",
        format_func=GRAINS.get,
        key="reconcile_by",
        required=True,
        label_visibility="collapsed",
    )
    rows = health.work_by(found, grain)
    kind = "text" if grain == "project" else "day"
    if grain == "project":
        names = snapshot.names["project"]
        rows = rows.assign(project=[names.get(p, p) for p in rows["project"]])
    columns = {grain: Column(GRAINS[grain], kind=kind)} | {name: c for name, c in COUNTS.items() if name in rows}
    title = f"Does the work add up, by {grain}"
    table(rows, key=f"reconcile_{grain}", title=title, columns=columns, snapshot=snapshot)
