"""The lineage page's controls, figures, flow and traces. What a reader chooses is all in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd
import streamlit as st

from ui import (
    charts,
    lineage,
    lineage_boxes,
    lineage_exposures,
    lineage_heading,
    lineage_own,
    lineage_trace,
    links,
    tables,
    words,
)
from ui import format as fmt
from ui import lineage_words as say
from ui.choice import choice
from ui.filter_bar import go_to, token
from ui.lineage import GRAVE, Line
from ui.lineage_trace import BREAKDOWNS, FINDING, INCIDENT, Trace
from ui.page import View, context
from ui.tables import Column
from ui.theme import SHAPES, palette

Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters, `trace` and `by`, and a sentence for each that was not honoured."""
    problems: list[str] = []
    by = links.one_of("breakdown", st.query_params.get("by"), BREAKDOWNS, "batch", problems)
    return {"trace": st.query_params.get("trace") or FINDING, "by": by}, tuple(problems)


def settle(view: View, own: Own) -> tuple[Line, Trace, dict[str, str], str]:
    """The project's line, what is traced in it, the parameters as they hold, and what was wrong with the trace.

    The project is the one the filters leave, else that of what is traced, else the one with the worst record.
    """
    snapshot, filters = view.snapshot, view.filters
    projects = lineage.candidates(snapshot, filters)
    kind, _, member = own["trace"].partition(":")
    project = lineage.owner(snapshot, kind, member)
    if project not in projects:
        project = lineage.worst(snapshot, projects, filters.end)
    line = lineage.one(snapshot, project, filters.end)
    known = lineage_trace.options(line)
    problem = ""
    if own["trace"] not in known:
        remedy = links.near(member or kind, [text.partition(":")[2] or text for text in known])
        problem = f"There is no {links.quoted(own['trace'])} to trace here{remedy}. Shown are the batches below target."
        own = {**own, "trace": FINDING}
    return line, lineage_trace.resolve(line, own["trace"]), dict(own), problem


def name(view: View, line: Line) -> str:
    """What the project is called."""
    return view.snapshot.names["project"].get(line.project, line.project)


def heading(view: View, line: Line, trace: Trace) -> None:
    """What the trace or else the project is found to be, and below it what it rests on."""
    called = name(view, line)
    own = lineage_own.own(view.snapshot, line, trace)
    st.title(words.md(lineage_heading.heading(line, trace, own, called)) + ".", anchor=False)
    context(view, against=False)
    told = say.span(line, lineage.ignored(view.filters))
    lost = say.unnamed(lineage.unplaced(view.snapshot, view.filters.end))
    shown = lineage_heading.shown(called) if line.project else ""
    if told or lost or shown:
        st.caption(words.md(" ".join(text for text in (shown, told, lost) if text)))


def lacking(view: View, line: Line) -> None:
    """What is missing for a whole flow, if anything: tables, a project the filters leave, or what is not shared."""
    whole = lineage.whole(view.snapshot)
    if whole.missing:
        st.info(say.missing(line if line.project else whole), icon=":material/account_tree:")
    elif not line.project:
        st.info(say.NO_PROJECT, icon=":material/filter_alt_off:")
    elif len(line.batches) and line.batches["items"].isna().all():
        st.info(say.NO_ITEMS, icon=":material/visibility_off:")


def figures(line: Line) -> None:
    """The figures under the sentence."""
    cells = "".join(
        f'<div class="rs-figure"><div>{escape(a)}</div><div>{escape(b)}</div><div>{escape(c)}</div></div>'
        for a, b, c in say.figures(line)
    )
    st.html(f'<div class="rs-figures">{cells}</div>')


def pickers(view: View, line: Line, own: Own) -> None:
    """The project and what is traced in it."""
    names = view.snapshot.names["project"]
    projects = list(lineage.candidates(view.snapshot, view.filters.with_("project")))
    key = f"lineage project {line.project} {token(view.filters)}"

    def choose() -> None:
        go_to(view.filters.with_("project", st.session_state[key]), {**own, "trace": FINDING})

    with st.container(horizontal=True, key="lineage_pickers"):
        at = projects.index(line.project) if line.project in projects else None
        st.selectbox(
            "Project", projects, at, format_func=lambda p: names.get(p, p), key=key, on_change=choose, width=280
        )
        filters = view.filters.with_("project", line.project)
        choice(st.selectbox, "Trace", "trace", lineage_trace.options(line), own, filters, labelled=True, width=500)


# ---- the flow --------------------------------------------------------------------------------------------------


def flow(view: View, line: Line, trace: Trace, own: Own) -> None:
    """The flow from batches to outcomes; a click on a box traces it."""
    versions = lineage_trace.window(line, trace, view.filters)
    nodes, links_, grain = lineage_boxes.boxes(line, trace, versions)
    if nodes.empty:
        said = say.NOT_USED if line.models.empty and len(line.batches) else say.NOT_SHOWN
        st.info(said, icon=":material/visibility_off:")
        return
    trained = line.models[line.models["model_version"].isin(versions)]["trained_at"]
    which = "" if trained.empty else f", versions trained {fmt.days(trained.min().date(), trained.max().date())}"
    title = f"From labels to outcomes: {name(view, line)}{which}"
    subtitle = [
        f"Width: items. Colour and shape: gold accuracy of all labels at their {grain}'s close, "
        f"{SHAPES['on_target']} on target  {SHAPES['watch']} watch  {SHAPES['off_target']} below  "
        f"{SHAPES['too_few']} too few to judge",
        f"Last column: {SHAPES['off_target']} incident of severity {GRAVE} or 3, or a benchmark worse  "
        f"{SHAPES['watch']} incident of severity below {GRAVE}  {SHAPES['on_target']} else better  "
        f"{SHAPES['too_few']} neither",
    ]
    with st.container(key="wide_lineage"):
        spec, alt = charts.lineage(nodes, links_, palette(), title, subtitle)
        clicked = charts.show(spec, alt, key=f"flow {own['trace']} {line.project} {token(view.filters)}", select=True)
    _list(nodes, links_)
    if clicked and clicked.get("trace") and clicked["trace"] != own["trace"]:
        go_to(view.filters.with_("project", line.project), {**own, "trace": clicked["trace"]})
        st.rerun()


def _list(nodes: pd.DataFrame, flows: pd.DataFrame) -> None:
    """The flow as a list, for a screen too narrow for it: a version a row, its batches as bars, what became of it.

    The style sheet shows either the flow or the list. Names from the data are escaped.
    """
    box, widest = nodes.set_index("key"), nodes["size"].max() or 1.0
    into = flows.groupby("target", sort=False)["source"].agg(list)
    rows = []
    for key, ends in into.items():
        if not key.startswith(("d:", "w:")):
            continue
        versions = flows.loc[flows["source"] == key, "target"].tolist()
        lit = "" if box.loc[key, "on"] else " rs-dim"
        became = [
            f'<div class="rs-two"><span class="rs-label">{escape(box.loc[v, "label"])}</span>'
            f'<span class="rs-{box.loc[o, "status"]}">{escape(box.loc[o, "label"])}</span></div>'
            for v in versions
            for o in flows.loc[flows["source"] == v, "target"]
        ] or [f'<div class="rs-quiet">{escape(box.loc[key, "label"])}</div>']
        bars = "".join(
            f'<div class="rs-{box.loc[b, "status"]}"><span class="rs-flow" '
            f'style="width:{40 * box.loc[b, "size"] / widest + 2:.0f}%"></span>{escape(box.loc[b, "label"])}</div>'
            for b in ends
        )
        rows.append(f'<div class="rs-lineage{lit}"><div>{bars}</div><div>{"".join(became)}</div></div>')
    with st.container(key="narrow_lineage"):
        st.html(f'<div class="rs-lineage rs-head2"><div>Batches</div><div>Version</div></div>{"".join(rows)}')


# ---- traces ----------------------------------------------------------------------------------------------------


def traced(view: View, line: Line, trace: Trace, own: Own) -> None:
    """What the trace says, forward from batches and back to labels."""
    st.subheader(words.md(say.trace_heading(trace)), anchor=False)
    st.markdown(words.md(say.traced(line, trace, lineage_own.own(view.snapshot, line, trace))))
    lineage_exposures.panel(view, line, trace)
    if trace.forward and trace.batches:
        _forward(view, line, trace, own)
        if trace.kind != FINDING:
            return
        st.subheader("Where the labels behind incidents came from", anchor=False)
    if not line.weighted.empty and (trace.kind != INCIDENT or trace.versions):
        _back(view, line, trace, own)


def _forward(view: View, line: Line, trace: Trace, own: Own) -> None:
    """The versions the batches reached; a row traces that version back."""
    rows = lineage_trace.forward(line, trace)
    if rows.empty:
        return
    records = rows.to_dict("records")
    shown = rows.assign(
        outcome=[say.change_of(row) for row in records],
        on=[say.lead(row) for row in records],
        labels=[say.quality(row) for row in records],
        state=[f"{SHAPES[row['status']]} {words.STATUS[row['status']]}".strip() for row in records],
    )
    picked = tables.table(
        shown,
        key=f"reached {trace.text} {token(view.filters)}",
        title="Versions that the batches reached",
        columns={
            "model_version": Column("Version"),
            "trained_at": Column("Trained", kind="day"),
            "weight": Column("From these batches", "The share of the version's labels that came from them.", "share"),
            "labels": Column("Gold accuracy of its labels", "With its 95 % interval.", "right"),
            "state": Column("Status", tables.STATUS_HELP, "status"),
            "incidents": Column("Incidents", "On record for this version.", "count"),
            "outcome": Column("Outcome", "Incidents; the clearest change beside the version before."),
            "on": Column("Most clearly on", "The benchmark of that change, with its policy or language."),
            "worse": Column("Worse on", "Benchmarks and their parts that got clearly worse.", "count"),
            "better": Column("Better on", "Those that got clearly better.", "count"),
            "compared": Column("Compared", "Benchmarks and parts that were compared.", "count"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=(lineage.GOLD,),
        members=[{"trace": f"model:{name}"} for name in rows["model_version"]],
        exported=rows,
        download="Download reached versions",
    )
    if picked:
        go_to(view.filters.with_("project", line.project), {**own, "trace": str(picked["trace"])})
        st.rerun()


def _back(view: View, line: Line, trace: Trace, own: Own) -> None:
    """Where the labels behind the traced versions came from, beside all versions."""
    with st.container(key="beside_shares"):
        names = {by: f"By {called}" for by, called in BREAKDOWNS.items()}
        choice(st.selectbox, "Break down by", "by", names, own, view.filters, width=200)
    by, called = own["by"], BREAKDOWNS[own["by"]]
    whose = f"version {trace.versions[0]}" if trace.versions and not trace.forward else "incidents"
    rows = lineage_trace.back(view.snapshot, line, trace, by)
    narrow = lineage_trace.own_labels(view.snapshot, line, trace)
    what = say.among({name: value for name, value in narrow.items() if name != by}) or "labels"
    if rows.empty:
        st.info(words.md(say.over(rows, called, whose, what)), icon=":material/visibility_off:")
        return
    charts.show(*charts.traced_shares(rows, palette(), called, whose, what), key=f"shares {by}")
    alike = by == "batch" and whose == "incidents"
    st.markdown(words.md(say.outstanding(rows) if alike else say.over(rows, called, whose, what)))
    _back_table(view, rows, trace, by, what)


def _back_table(view: View, rows: pd.DataFrame, trace: Trace, by: str, what: str) -> None:
    called = BREAKDOWNS[by]
    shown = rows.assign(
        quality=[say.quality(row) for row in rows.to_dict("records")],
        state=[f"{SHAPES[status]} {words.STATUS[status]}".strip() for status in rows["status"]],
    )
    times = {"ratio": Column("Times as much", "The first divided by the second.", "number")}
    if by == "batch":  # a batch is in few versions: the one divided by the other says how few and no more
        shown = shown.assign(behind=[say.behind(row) for row in rows.to_dict("records")])
        times = {"behind": Column("Incidents", "Of versions trained on the batch, of all that can be traced.", "right")}
    tables.table(
        shown,
        key=f"shares {by} {trace.text} {token(view.filters)}",
        title=f"{what.capitalize()} behind what is traced, by {called}",
        columns={
            "label": Column(called.capitalize()),
            "share": Column(
                "Share",
                "Of the labels behind what is traced; of incidents, each is counted alike.",
                "share",
            ),
            "base_share": Column("Share of all", "Of the labels behind all versions, each counted alike.", "share"),
            **times,
            "quality": Column("Gold accuracy", "Of these labels, with its 95 % interval.", "right"),
            "state": Column("Status", tables.STATUS_HELP, "status"),
            "n": Column("n", "Gold judgements.", "count"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=(lineage.GOLD,),
        exported=rows,
        download="Download shares",
    )


def out_of_order(view: View, line: Line) -> None:
    """Versions and values that cannot have happened in the order on record, with their reasons."""
    if line.untimely.empty:
        return
    st.subheader("Out of order on record", anchor=False)
    st.markdown("These take no part above: what is on record of them cannot have happened in that order.")
    tables.table(
        line.untimely.assign(benchmark=line.untimely["benchmark"].fillna("all of the version")),
        key="untimely",
        title="Out of order on record",
        columns={
            "model_version": Column("Version"),
            "benchmark": Column("Benchmark"),
            "reason": Column("What is wrong"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        exported=line.untimely,
        download="Download these",
    )
