"""The parts of the model impact page: the matrix, one link from close up, the ceiling, the largest moves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from metrics.exposures import CELLS
from metrics.linkage import told
from metrics.score_ceiling import OTHER_METRIC
from ui import charts, tables, words
from ui import model_impact as shown
from ui import model_impact_controls as controls
from ui import model_impact_words as say
from ui.cards import figures_row
from ui.filter_bar import token
from ui.page import View
from ui.tables import Column
from ui.theme import palette

MOST_MOVES = 8


def nothing(reason: str) -> None:
    """In place of the page: what would stand here, and which tables to load."""
    st.info(f"{say.EMPTY} {say.REMEDY} Here: {words.md(reason)}.", icon=":material/visibility_off:")


def figures(found: shown.Found, rows: pd.DataFrame, ours: frozenset[str]) -> None:
    """The page's figures."""
    versions = {v for link in found.impact.links if link.project in ours for v in link.versions}
    worse = shown.in_view(found.worse, ours).sort_values("change")
    worst = None if worse.empty else worse.iloc[0]
    figures_row(say.figures(rows, len(versions), found.impact.tests, worst))


def matrix(view: View, rows: pd.DataFrame, names: Mapping[str, str], looked: controls.Own) -> None:
    """Qualities x benchmarks; a click opens a link."""
    with st.container(key="beside_matrix"):
        controls.lag(looked, view.filters)
    at = shown.whole(rows[rows["lag"] == int(looked["lag"])])
    spec, alt = charts.link_matrix(at, names, (looked["benchmark"], looked["quality"]), palette())
    with st.container(key="wide_matrix"):
        picked = charts.show(spec, alt, key=f"links {looked['lag']} {token(view.filters)}", select=True)
    if picked and (picked["member"], picked["metric"]) != (looked["benchmark"], looked["quality"]):
        controls.open_link(picked, looked, view.filters)


def pair(view: View, found: shown.Found, rows: pd.DataFrame, names: Mapping[str, str], looked: controls.Own) -> None:
    """One link: scatter, lags, its size in words, the ceiling where there is one."""
    st.subheader("One link from close up", anchor=False)
    controls.pickers(found, names, looked, view.filters)
    member = "" if looked["slice"] == controls.ALL else looked["slice"]
    one = shown.pair(view.snapshot, looked["benchmark"], looked["quality"], member, looked["method"])
    name = f"{one.link.benchmark} ({member.replace('_', ' ')})" if member else one.link.benchmark
    if one.link.reason:
        st.info(f"This link cannot be shown: {words.md(one.link.reason)}.", icon=":material/visibility_off:")
        return
    sized = shown.cell(rows, {**looked, "lag": "0"}, member)  # the size is always that of the version's own labels
    (tables.quiet if say.may_be_chance(sized) else st.markdown)(words.md(say.coefficient(one, name, sized)))
    for text in (say.beside(one), say.over_projects(one)):
        if text:
            tables.quiet(words.md(text))
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        if one.lags[0].estimate.value is None:
            reason = one.lags[0].estimate.reason
            st.info(f"The versions cannot be drawn: {words.md(reason)}.", icon=":material/visibility_off:")
        else:
            scatter = charts.link_scatter(one.rows, one.band, one.quality, name, one.link.metric, palette())
            charts.show(*scatter, key="link scatter")
    with right:
        if any(lag.estimate.value is not None for lag in one.lags):
            charts.show(*charts.link_lags(one.lags, one.quality, looked["method"], palette()), key="link lags")
        row = shown.cell(rows, looked, member)
        part = {} if one.link.by == CELLS else shown.only(one.link)
        for note in (say.stands(row, found.impact.tests), say.lag_note(*one.ages, part)):
            if note:
                tables.quiet(words.md(note))
        _ceiling(view, one)


def _ceiling(view: View, one: shown.Pair) -> None:
    """What raters' agreement allows, or why it says nothing here; what wrong labels take; where they sit."""
    found = shown.standing(view.snapshot, one.link)
    score, project = found.ceiling, view.snapshot.names["project"].get(one.link.project, one.link.project)
    if score.reason or score.headroom is None or score.score.value is None:
        reason = score.reason or score.score.reason
        tables.quiet(words.md(f"{'No ceiling is drawn' if reason == OTHER_METRIC else 'No ceiling'}: {reason}."))
        said = [f"**Newest score:** {words.md(say.newest(score))}"] if score.score.value is not None else []
    else:
        charts.show(*charts.ceiling_bar(score, one.link.benchmark, palette()), key="ceiling")
        said = [f"**Newest score:** {words.md(say.ceiling(score))}"]
    if score.score.value is not None:
        said.append(f"**Wrong labels:** {words.md(say.corrected(score, found.noise, found.source, project))}")
    said.append(f"**Where labels are wrong:** {words.md(say.concentrated(found.cells, project))}")
    st.markdown("\n\n".join(said))


def moves(view: View, found: shown.Found, ours: frozenset[str]) -> None:
    """The largest moves with what else is on record."""
    rows = shown.in_view(found.moves, ours)
    if rows.empty:
        return
    largest = rows.reindex(rows["change"].abs().sort_values(ascending=False).index)
    # The benchmarks of a version mostly move as one: the largest stands for them.
    largest = largest.drop_duplicates("model_version").head(MOST_MOVES)
    names = view.snapshot.names["project"]
    st.subheader("What else changed at the largest moves", anchor=False)
    told = [say.move(row, names.get(row["project"], row["project"])) for row in largest.to_dict("records")]
    st.markdown("\n".join(f"- {words.md(sentence)}" for sentence in told))


def all_links(view: View, rows: pd.DataFrame) -> None:
    """Every link in view as a table to download."""
    tables.fold("All links as a table", "all links", lambda: _links_table(view, rows))


def _links_table(view: View, rows: pd.DataFrame) -> None:
    listed = rows.sort_values(["q_value", "p_value"], na_position="last").reset_index(drop=True)
    columns = {
        "metric": Column("Quality of labels"),
        "benchmark": Column("Benchmark"),
        "slice": Column("Slice", "One policy or language of the benchmark; empty for all of it."),
        "project": Column("Project"),
        "lag": Column("Lag", "In versions.", "count"),
        "method": Column("Correlation"),
        "estimate": Column("Coefficient", "Cleared of data volume, base model and a trend.", "number"),
        "low": Column("From", "", "number"),
        "high": Column("To", "", "number"),
        "n": Column("Versions", "", "count"),
        "n_effective": Column("Independent", "What the versions are worth after their likeness.", "count"),
        "q_value": Column("q", "The share of chance findings among all that are as sure.", "number"),
        "reason": Column("Why no coefficient"),
    }
    tables.table(
        listed,
        key=f"all links {token(view.filters)}",
        title="Links between labels and models",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        exported=told(listed),
        download="Download links",
    )
