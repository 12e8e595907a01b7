"""The sections of the changes page: choices, the ledger, one change opened, moves without a record, planning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from data_access.filters import FILTERABLE
from metrics.catalogue import METRICS
from metrics.change_ledger import Row, overall
from metrics.effects import Verdict
from ui import change_checks, change_planning, change_words, changes, charts, filter_bar, links, tables, words
from ui import format as fmt
from ui.cards import KPI_PAGE, kpi_params
from ui.changes import Weighed
from ui.choice import choice
from ui.filter_bar import go_to, token
from ui.page import View
from ui.tables import Column
from ui.theme import palette

Own = Mapping[str, str]
ALL = "all"
VERDICTS = {verdict.name.lower(): verdict for verdict in (Verdict.HARM, Verdict.WORKED, *Verdict)}
KINDS = ("guideline", "training", "vendor", "tool", "workflow", "staffing", "model")
LEDGER = {
    "verdict": Column(
        "Verdict", "; ".join(f"{v}: {said}" for v, said in change_words.MEANING.items()), "status", width=110
    ),
    "summary": Column("Change", width=360),
    "since": Column("Since", "The day it began.", "day", width=90),
    "metric": Column("Clearest in", "Of all metrics it is judged by, the one clearest of chance.", width=165),
    "effect": Column("Effect", "What was less what would have been, with its 95 % interval.", width=165),
    "where": Column("Measured on", "The work that is clearest: all it touched, or a part of it.", width=265),
    "reason": Column("Why not", "Why nothing is called.", width=330),
    "kind": Column("Kind"),
    "design": Column("Design", "How it was told apart from what would have come anyway."),
    "claim": Column("Claim", "How strong a claim the design carries, after its checks."),
    "change_id": Column("Id"),
}
ROWS = {
    "metric": Column("Metric", width=170),
    "verdict": Column("Verdict", "", "status", width=120),
    "effect": Column("Effect", "With its 95 % interval.", width=185),
    "p": Column("p", "Of no effect, after all metrics and benchmarks it is judged by (Holm).", "right", width=95),
    "where": Column("Measured on", width=290),
    "reason": Column("Why"),
    "design": Column("Design", "How it was told apart from what would have come anyway."),
    "chosen": Column("Chosen for", "What the design was chosen by; the weeks under the change have no say in it."),
    "claim": Column("Claim", "How strong a claim the design carries, after its checks."),
}
MOST_MOVES = 10
"""Moves without a record on the page, newest first; the file has all."""

MOVES = {
    "metric": Column("Metric"),
    "where": Column("Where"),
    "since": Column("Since the week of", "", "day"),
    "before": Column("Before", "", "right"),
    "after": Column("After", "", "right"),
    "moved": Column("Moved by", "", "right"),
}


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters: `verdict`, `kind`, `change` and its `row`; a sentence for each not honoured."""
    problems: list[str] = []

    def read(name: str, called: str, known: Mapping[str, str]) -> str:
        return links.one_of(called, st.query_params.get(name), {ALL: "all", **known}, ALL, problems)

    own = {
        "verdict": read("verdict", "verdict", {k: str(v) for k, v in VERDICTS.items()}),
        "kind": read("kind", "kind of change", {k: k for k in KINDS}),
        "change": st.query_params.get("change", ""),
        "row": st.query_params.get("row", ""),
    }
    return {k: v for k, v in own.items() if v}, tuple(problems)


def nothing(view: View, found: Weighed) -> None:
    """Without a change: what the page would show, and which table it needs."""
    st.info(
        f"{words.md(found.changes.attrs.get('reason') or 'No dated change is in view')}. This page weighs every dated "
        "change: what it was judged by, what moved, and how sure that is. It needs the table "
        "`changes`; a refresh reads it.",
        icon=":material/published_with_changes:",
    )


def counts(found: Weighed, own: Own, view: View) -> None:
    """How many changes have each verdict; each figure is a filter. Beside it the kind."""
    said = [overall(rows) for rows in found.rows.values()]
    names = {ALL: f"All {len(said)}"} | {
        key: f"{change_words.SHAPES[verdict]} {str(verdict).capitalize()} {said.count(verdict)}"
        for key, verdict in VERDICTS.items()
        if verdict in said or key == own["verdict"]
    }
    kinds = {ALL: "Every kind"} | {k: k.capitalize() for k in sorted({*found.changes["kind"], own["kind"]} - {ALL})}
    rest = {k: v for k, v in own.items() if k not in ("change", "row")}
    with st.container(horizontal=True, vertical_alignment="center"):
        choice(st.segmented_control, "Verdict", "verdict", names, rest, view.filters, wrap=True)
        choice(st.selectbox, "Kind", "kind", kinds, rest, view.filters, width=170)


def wanted(found: Weighed, own: Own, view: View) -> Weighed:
    """The changes of the verdict and kind that are asked for."""
    return changes.narrowed(
        found, view.filters, *("" if own[name] == ALL else own[name] for name in ("verdict", "kind"))
    )


def ledger(found: Weighed, own: Own, view: View) -> None:
    """The changes, newest first; a click opens one."""
    if found.changes.empty:
        st.info("No change has this verdict and kind. Choose All.", icon=":material/filter_alt_off:")
        return
    rows = changes.table(found, view.snapshot.names)
    picked = tables.table(
        rows,
        key=f"ledger {token(view.filters)} {own['verdict']} {own['kind']}",
        title="Dated changes and what became of them",
        columns=LEDGER,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"change": str(change)} for change in rows["change_id"]],
        exported=_records([row for rows in found.rows.values() for row in rows], view),
        opens=True,
    )
    if picked:
        go_to(view.filters, {**own, "change": str(picked["change"])})
        st.rerun()
    tables.quiet(
        "Select a row to open a change. Each is weighed on its own weeks and on all the work it came to: filters by "
        "project and pool narrow this page, the period and the others do not. Of changes that did nothing about one in "
        "twenty is expected to be called all the same."
    )


def _records(rows: Sequence[Row], view: View) -> pd.DataFrame:
    """What a file holds: every metric of every change, numbers as numbers and places by name."""
    names = view.snapshot.names
    said = [{**change_words.record(row, names), "where": change_words.named(row.where, names)} for row in rows]
    return pd.DataFrame(said, columns=[*change_words.RECORD])


def withheld(found: Weighed) -> None:
    """Pools a reader with a minimum group does not see."""
    if found.withheld:
        several = f"{len(found.withheld)} pools are" if len(found.withheld) > 1 else "One pool is"
        tables.quiet(f"{several} left out: too few raters work there for single weeks to be shown.")


def back(own: Own, view: View) -> None:
    """Back to all changes, with the same filters."""
    filter_bar.back("All changes", view.filters, {k: v for k, v in own.items() if k not in ("change", "row")})


def opened(change: Mapping[str, object], rows: Sequence[Row], own: Own, view: View) -> None:
    """One change: its effect week by week, made-up changes, checks, who it is compared with, all its metrics."""
    names = view.snapshot.names
    last = view.meta.last_day
    began = fmt.day(change["starts_on"].date(), last)
    ended = (
        "still in force" if fmt.is_missing(change["ends_on"]) else f"until {fmt.day(change['ends_on'].date(), last)}"
    )
    st.markdown(f"**{words.md(str(change['summary']))}** {words.md(str(change['kind']))}, from {began}, {ended}")
    if not rows:
        st.info(words.md(change_words.NO_ROWS[0].upper() + change_words.NO_ROWS[1:]) + ".", icon=":material/block:")
        return
    row = _chosen(rows, own)
    st.subheader("Everything it is judged by", anchor=False)
    picked = tables.table(
        changes.metrics_table(rows, names),
        key=f"metrics of {own['change']}",
        title="Metrics of this change",
        columns=ROWS,
        snapshot=view.snapshot,
        members=[{"row": str(k)} for k in range(len(rows))],
        exported=_records(rows, view),
    )
    if picked and picked["row"] != str(rows.index(row)):
        go_to(view.filters, {**own, "row": picked["row"]})
        st.rerun()
    _metric(row, rows, own, view)


def _metric(row: Row, rows: Sequence[Row], own: Own, view: View) -> None:
    """One metric of the change: levels, weeks, what was checked, made-up changes."""
    names = view.snapshot.names
    levels = change_words.levels(row, view.currency)
    about = f"**{words.md(change_words.label(row.metric))}**, {words.md(change_words.named(row.where, names))}"
    about += f": {words.md(levels)}" if levels else ""
    if row is not change_words.leading(rows):  # whose sentence is the heading
        about += f". {words.md(change_words.narrative(row, names))}"
    st.markdown(f"{about}. :gray[{change_words.badge(row)}]")
    if row.effect.effect.value is None:
        st.info(f"{words.md(row.judgement.reason).capitalize()}.", icon=":material/hourglass_empty:")
        return
    spec, alt = charts.event_study(row, palette(), change_words.named(row.where, names))
    charts.show(spec, alt, key=f"event study {own['change']} {rows.index(row)}")
    _over_time(row, view)
    left, right = st.columns(2, gap="large")
    with left:
        _checks(row, view)
    with right:
        _beside(row, own, names)


def _over_time(row: Row, view: View) -> None:
    """The way to the same metric of the same work, for who asks what else moved there."""
    if row.metric not in METRICS or not set(row.where) <= set(FILTERABLE):
        return
    filters = view.filters
    for dimension, member in row.where.items():
        filters = filters.with_(dimension, member)
    label = f"{change_words.label(row.metric)} of this work over time"
    st.page_link(KPI_PAGE, label=label, icon=":material/show_chart:", query_params=kpi_params(row.metric, filters))


def _chosen(rows: Sequence[Row], own: Own) -> Row:
    """The row the URL names, else the one that says most."""
    asked = own.get("row", "")
    if asked.isdigit() and int(asked) < len(rows):
        return rows[int(asked)]
    return change_words.leading(rows)


def _checks(row: Row, view: View) -> None:
    said = change_checks.checks(row, view.snapshot.names)
    if not row.of_models:
        moves = change_checks.moved_before(row, changes.moved(view.snapshot).moves)
        said += [change_checks.moved_already(move) for move in moves]
    st.markdown("**What was checked**")
    st.markdown("\n".join(f"- {words.md(sentence)}" for sentence in said))
    st.markdown(words.md(change_checks.not_claimed(row)))


def _beside(row: Row, own: Own, names: Mapping[str, Mapping[str, str]]) -> None:
    """Made-up changes, and the units it is compared with."""
    if len(row.effect.placebos):
        spec, alt = charts.placebos(row, palette())
        charts.show(spec, alt, key=f"placebos {own['change']} {row.metric} {len(row.where)}")
    units = changes.compared_with(row, names)
    if units.empty:
        st.markdown(f"Compared with its own {change_words.period(row)}s before alone.")
        return
    with st.expander(f"Compared with {change_words.others(row)}", expanded=not len(row.effect.placebos)):
        tables.table(
            units,
            key=f"units {own['change']} {row.metric} {len(row.where)}",
            title="Units compared with",
            columns={"name": Column("Compared with"), "weight": Column("Weight", "They sum to 100 %.", "share")},
        )


def unexplained(view: View) -> None:
    """Lasting moves that no recorded change stands near."""
    st.subheader("Moved, and no change is on record", anchor=False)
    found = changes.moved(view.snapshot)
    alone = changes.unrecorded(found, view.filters)
    rows = changes.moves_table(alone, view.snapshot.names, view.currency)
    everywhere = sum(move.change_id is None for move in found.moves)
    st.markdown(change_words.unexplained(len(rows), everywhere, len(found.moves) - everywhere, found.series))
    if len(rows):
        tables.table(
            rows,
            key="moves",
            title="Moves without a change on record",
            columns=MOVES,
            snapshot=view.snapshot,
            max_rows=MOST_MOVES,
        )


def planning(view: View) -> None:
    """What it takes to see a planned change."""
    with st.expander("Planning a change: how long until it could be seen?", icon=":material/event_upcoming:"):
        change_planning.section(view.snapshot, view.meta.last_day)
