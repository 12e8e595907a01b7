"""The definitions page's parts: the search, one definition, the words. All of it comes from the catalogue."""

from __future__ import annotations

import functools
from itertools import groupby

import streamlit as st

from data_access.describe import DIALECTS, statements
from data_access.metric_facts import facts_of
from data_access.snapshot import Snapshot
from metrics.catalogue import AREAS, METRICS
from metrics.errors import SnapshotUnusable
from metrics.spec import Metric
from ui import data, export, glossary, links, style
from ui.route import through_app
from ui.tables import quiet
from ui.words import md

EVERY = "all"


def snapshot_if_any() -> Snapshot | None:
    """The snapshot, for the targets in force; the definitions stand without one."""
    through_app()
    style.inject()
    try:
        return data.current_snapshot()
    except SnapshotUnusable:
        return None


def asked() -> str | None:
    """The metric a link asks for (?metric=name), or None; says so when there is none of that name."""
    name = st.query_params.get("metric")
    problems: list[str] = []
    found = links.one_of("metric", name, {m.name: m.label for m in METRICS.values()}, "", problems)
    for sentence in problems:
        st.warning(md(sentence.replace("Shown is .", "Shown are all.")), icon=":material/link_off:")
    return found or None


def chosen() -> list[Metric]:
    """The metrics that match the search and the area the reader set."""
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    text = left.text_input(
        "Search", key="search", type="search", placeholder="accuracy, false positive, annotator ...", live=True
    )
    areas = {EVERY: "All areas", **AREAS}
    area = right.segmented_control("Area", list(areas), default=EVERY, format_func=areas.get, key="area", required=True)
    return glossary.search(text, None if area == EVERY else area)


def sentence(found: list[Metric]) -> str:
    """What the page holds now, as its heading."""
    if len(found) == len(METRICS):
        return f"{len(METRICS)} metrics, each with its formula, its uncertainty and its source"
    if not found:
        return "No metric matches this search"
    if len(found) == 1:
        return f"One of {len(METRICS)} metrics matches: {found[0].label}"
    return f"{len(found)} of {len(METRICS)} metrics match, {found[0].label} among them"


def metric_list(found: list[Metric], snapshot: Snapshot | None, first: str | None) -> None:
    """The definitions by area, each opened by a click; the one a link asked for stands first and open."""
    top = [m for m in METRICS.values() if m.name == first]
    for m in top:
        _entry(m, snapshot, True)
    rest = [m for m in found if m not in top]
    for area, ours in groupby(rest, key=lambda m: m.area):
        st.subheader(AREAS[area], anchor=False)
        with st.container(gap="xsmall"):
            for m in ours:
                _entry(m, snapshot, False)
    if found:
        rows = functools.partial(glossary.definitions, found, snapshot)
        export.download(rows, title="Definitions of metrics", key="definitions", snapshot=snapshot)


def _entry(metric: Metric, snapshot: Snapshot | None, is_open: bool) -> None:
    box = st.expander(
        f"**{md(metric.label)}** {md(metric.meaning)}", key=f"metric_{metric.name}", expanded=is_open, on_change="rerun"
    )
    if box.open:
        with box:
            definition(metric, snapshot)


def definition(metric: Metric, snapshot: Snapshot | None) -> None:
    """One metric: formula, caution, unit, direction, n, interval, target, tables, dimensions, and its SQL on demand."""
    facts = facts_of(metric)
    facts.pop("Target by default", None)
    if snapshot is not None:
        facts["Target in force"] = glossary.target_text(metric, snapshot)
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        for name in ("Formula", "Caution", "Interval (95 %)", "By"):
            if name in facts:
                st.markdown(f":gray[{name}]  \n{md(facts.pop(name))}")
    with right:
        st.markdown("  \n".join(f":gray[{name}] {md(text)}" for name, text in facts.items()))
        st.markdown(f":gray[Name in links, exports and on the command line] `{metric.name}`")
    if st.toggle("Show the SQL of its sums", key=f"sql_{metric.name}"):
        sql(metric)


def sql(metric: Metric) -> None:
    """The statements from the warehouse to the metric's sums, in the dialect the reader picks."""
    dialect = st.segmented_control(
        "Warehouse",
        list(DIALECTS),
        default="duckdb",
        format_func=DIALECTS.get,
        key=f"dialect_{metric.name}",
        required=True,
    )
    for step in _statements(metric.name, dialect):
        where = "in the warehouse, at a refresh" if step.runs_on == "warehouse" else "in the snapshot"
        st.markdown(f"**{md(step.title)}** :gray[{where}]")
        st.code(step.sql, language="sql", height="content" if step.sql.count("\n") < 24 else 420)
    quiet("Days are days in UTC here; in another time zone each day expression also names its offsets.")


@st.cache_data(max_entries=200, show_spinner=False)
def _statements(name: str, dialect: str) -> list:
    return statements(name, dialect)


def words() -> None:
    """The terms with what others call them, the statuses, and how to read a value, its band and its n."""
    tables = {
        "How to read a number": glossary.READING,
        "What the statuses mean": glossary.STATUSES,
        "The words used here": glossary.TERMS,
    }
    for title, terms in tables.items():
        st.subheader(title, anchor=False)
        rows = glossary.terms(terms).rename(columns={"word": "Word", "meaning": "Meaning", "synonyms": "Also called"})
        if not (rows["Also called"] != "").any():
            rows = rows.drop(columns="Also called")
        st.table(rows, border="horizontal", hide_index=True, alt=title)
    every = (*glossary.READING, *glossary.STATUSES, *glossary.TERMS)
    export.download(functools.partial(glossary.terms, every), title="Words and how to read a number", key="words")


__all__ = ["asked", "chosen", "definition", "metric_list", "sentence", "snapshot_if_any", "sql", "words"]
