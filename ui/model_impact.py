"""What the model impact page shows: links of labels and models for the projects in view, one link looked at closely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters, Scope
from data_access.link_data import LinkData
from data_access.snapshot import Snapshot
from metrics import association, impact, lineage, linkage, noise_cells, regressions, score_ceiling
from metrics import moves as moving
from metrics.exposures import CELLS, IN, Labels
from metrics.impact import Impact
from metrics.linkage import Link
from metrics.panel import Panel
from metrics.qualities import QUALITIES, overdispersion
from metrics.slice_labels import gold_change
from metrics.spec import Estimate
from ui import data

NARROWING = ("project", "product", "policy_area", "task_type")
PLACES = 40  # of the band over the scatter
MAIN = "gold_accuracy"  # the quality whose change stands beside a benchmark's moves
SHARED = {"max_entries": 6, "show_spinner": False, "hash_funcs": {Snapshot: lambda s: s.id}}


@dataclass(frozen=True)
class Found:
    """All that is computed once per snapshot and scope, whatever is chosen on the page."""

    data: LinkData
    impact: Impact
    moves: pd.DataFrame
    compared: pd.DataFrame
    worse: pd.DataFrame
    timely: pd.DataFrame


def found(snapshot: Snapshot, method: str = association.SPEARMAN) -> Found:
    """Links, moves and regressions for the reader's scope; the matrix by a method of linkage.CALLED."""
    return _by_method(snapshot, data.current_scope(), method)


def prepare(snapshot: Snapshot, scope: Scope) -> None:
    """Works out what the page asks whatever is chosen on it, for readers of this scope to come."""
    _by_method(snapshot, scope, association.SPEARMAN)


@st.cache_resource(**SHARED)
def _by_method(snapshot: Snapshot, scope: Scope, method: str) -> Found:
    found = _found(snapshot, scope)
    plain = method == association.SPEARMAN or not len(found.impact.rows)
    return found if plain else replace(found, impact=impact.by_method(found.impact, method))


@st.cache_resource(**SHARED)
def _found(snapshot: Snapshot, scope: Scope) -> Found:
    all_of = data.link_data(snapshot)
    line = all_of.lineage
    links = impact.impact(line, all_of.sums, all_of.items, all_of.patterns)
    if links.reason == impact.NO_MEASURES:
        return Found(all_of, links, *(pd.DataFrame(columns=["project"]) for _ in range(3)), line.measures)
    asked = (links.links, MAIN, links.exposed, line.models, all_of.changes, line.batches, all_of.pools)
    moves = moving.moves(*asked)
    timely = lineage.on_time(line.measures, links.untimely).dropna(subset="project")
    compared = regressions.compare(timely, line.models, regressions.with_whole(all_of.pairs))
    return Found(all_of, links, moves, compared, _regressions(snapshot, all_of, compared), timely)


def _regressions(snapshot: Snapshot, all_of: LinkData, compared: pd.DataFrame) -> pd.DataFrame:
    """What got clearly worse, ranked, with the gravest incident and the change of the labels of its own slice."""
    worse = compared[compared["verdict"] == regressions.WORSE].reset_index(drop=True)
    line, items = all_of.lineage, dict(all_of.items)
    if worse[["policy", "language"]].notna().all(axis=1).any():
        items[CELLS] = data.batch_items(snapshot, ("batch", "policy", "language"))
    known = line.batches["items"].astype(float).fillna(line.batches["labels"].astype(float))
    labels = Labels(line.batches.assign(items=known), line.models, all_of.sums, items)
    scatter = overdispersion(QUALITIES[MAIN], all_of.sums[CELLS]) if CELLS in all_of.sums else None
    behind = [gold_change(labels, worse, scatter), regressions.gravest(worse, line.incidents)]
    return regressions.ranked(pd.concat([worse, *behind], axis=1))


# ---- what is in view -------------------------------------------------------------------------------------------


def projects(snapshot: Snapshot, filters: Filters) -> frozenset[str]:
    """The projects that the filters on project, product, policy area and task type leave."""
    rows = snapshot.table("project")
    for name in NARROWING:
        chosen = filters.values(name)
        if chosen:
            rows = rows[rows["project_id" if name == "project" else name].isin(chosen)]
    return frozenset(rows["project_id"])


def not_used(filters: Filters) -> list[str]:
    """The dimensions of the filters that do not apply to versions of a model."""
    return [name for name, _ in filters.where if name not in NARROWING]


def in_view(rows: pd.DataFrame, ours: frozenset[str]) -> pd.DataFrame:
    """The rows of these projects."""
    return rows[rows["project"].isin(ours)].reset_index(drop=True)


def member(row: dict | pd.Series) -> str:
    """A benchmark of a project as one text, for the URL."""
    return f"{row['project']}/{row['benchmark']}/{row['benchmark_metric']}"


def benchmarks(rows: pd.DataFrame, snapshot: Snapshot) -> dict[str, str]:
    """Benchmarks in view: their text in the URL and what they are called."""
    names = snapshot.names["project"]
    first = rows.drop_duplicates(["project", "benchmark", "benchmark_metric"]).to_dict("records")
    return {member(row): f"{row['benchmark']} · {names.get(row['project'], row['project'])}" for row in first}


def whole(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are about whole benchmarks and not one of their slices."""
    return rows[rows["slice"] == ""]


def cell(rows: pd.DataFrame, looked: Mapping[str, str], part: str) -> pd.Series | None:
    """The row of the link looked at, of all of it or one policy or language; None for a slice of too few versions."""
    ours = (rows["member"] == looked["benchmark"]) & (rows["metric"] == looked["quality"]) & (rows["slice"] == part)
    at = rows[ours & (rows["lag"] == int(looked["lag"]))]
    return None if at.empty else at.iloc[0]


def strongest(rows: pd.DataFrame) -> pd.Series | None:
    """The surest link in view that stands; None where none does."""
    stand = impact.standing(rows)
    return None if stand.empty else stand.iloc[0]


# ---- one link --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """One quality beside one benchmark: versions with x and y, the band, the lags, the coefficients.

    rows: of linkage.added_variable; band: of what it leaves, None where the versions have no correlation.
    ages: how old the labels of a version, or those of the slice looked at, were when the benchmark was measured, in
    days: on average, of the newest and of the oldest batch; NaN if not known. over: the coefficient over all projects
    with this benchmark metric, and how many these are.
    """

    link: Link
    quality: str
    rows: pd.DataFrame
    band: association.Line | None
    lags: tuple[association.Association, ...]
    panel: Panel
    design: str
    second: Estimate
    ages: tuple[float, float, float]
    over: Panel
    projects: int


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _pair(snapshot: Snapshot, scope: Scope, key: tuple[str, str, str], member: str, quality: str, method: str) -> Pair:
    found = _found(snapshot, scope)
    links = found.impact
    link = links.link(*key)
    link = link.slice(member) if member else link
    rows = linkage.series(link, quality, links.exposed)
    panel, design = linkage.coefficient(link, quality, links.exposed)
    rows = rows.assign(base=list(link.base), day=pd.Timestamp("2020-01-01") + pd.to_timedelta(link.days, unit="D"))
    lags = tuple(linkage.at_lag(link, rows, lag, method) for lag in linkage.LAGS)
    rows, band = linkage.added_variable(link, rows), None
    if lags[0].estimate.value is not None:
        x, y = rows["x_left"].to_numpy(float), rows["y_left"].to_numpy(float)
        band = association.band(x, y, np.linspace(np.nanmin(x), np.nanmax(x), PLACES))
    second = linkage.by_agreement(link, quality, links.exposed)
    over = linkage.over_projects(list(links.links), link.metric, quality, links.exposed)
    projects = len({one.project for one in links.links if one.metric == link.metric and not one.reason})
    return Pair(link, quality, rows, band, lags, panel, design, second, _ages(snapshot, found, link), over, projects)


def pair(snapshot: Snapshot, key: str, quality: str, member: str = "", method: str = association.SPEARMAN) -> Pair:
    """One link from close up, kept per snapshot, scope and link; member: one policy or language of the benchmark."""
    return _pair(snapshot, data.current_scope(), _key(key), member, quality, method)


def slices(found: Found, key: str) -> tuple[str, ...]:
    """The policies or languages that a benchmark is measured by; none for one measured as a whole."""
    link = found.impact.link(*_key(key)) if key.count("/") >= 2 else None
    return tuple(str(name) for name in link.table) if link is not None and link.by else ()


def _key(text: str) -> tuple[str, str, str]:
    """Project, benchmark and metric of a text that ``member`` made."""
    project, rest = text.split("/", 1)
    benchmark, metric = rest.rsplit("/", 1)
    return project, benchmark, metric


class Standing(NamedTuple):
    """The newest score of a benchmark: its ceiling, how noisy the project's labels are, by what, and in which cells."""

    ceiling: score_ceiling.Ceiling
    noise: Estimate
    source: str
    cells: noise_cells.NoiseCells


def standing(snapshot: Snapshot, link: Link) -> Standing:
    """The newest score of a benchmark beside what the raters' agreement in its project and their errors allow."""
    return _standing(snapshot, data.current_scope(), link.key, tuple(only(link).items()))


@st.cache_data(max_entries=100, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _standing(snapshot: Snapshot, scope: Scope, key: tuple[str, str, str], part: tuple) -> Standing:
    all_of = _found(snapshot, scope)
    measures = _of(all_of.timely, key)
    for by, member in part:
        measures = measures[measures[by] == member]
    value, n = regressions.newest(measures)
    patterns = [parts for names, parts in all_of.data.patterns.get("", ()) if names["project"] == key[0]]
    noise, source = _noise(snapshot, key[0])
    sums = all_of.data.sums.get("cells")
    cells = noise_cells.NoiseCells(reason=noise_cells.NOTHING)
    if sums is not None:
        cells = noise_cells.noise_cells(sums, key[0])
    return Standing(score_ceiling.score_ceiling(key[2], value, n, patterns, noise), noise, source, cells)


def _of(measures: pd.DataFrame, key: tuple[str, str, str]) -> pd.DataFrame:
    """A benchmark's measures; key: project, benchmark, metric."""
    project, benchmark, metric = (measures[c] == v for c, v in zip(linkage.SERIES, key, strict=True))
    return measures[project & benchmark & metric]


def _noise(snapshot: Snapshot, project: str) -> tuple[Estimate, str]:
    """How often a label of the project is wrong, by audits or else by gold, and by which."""
    for metric, source in (("audit_accuracy", "audits"), ("gold_accuracy", "gold")):
        rows = data.measure(snapshot, (metric,), ("project",), Filters.of({"project": [project]}))
        if len(rows) and not pd.isna(rows["value"].iloc[0]):
            row = rows.iloc[0]
            ends = [None if pd.isna(row[c]) else 1 - float(row[c]) for c in ("high", "low")]
            return Estimate(1 - float(row["value"]), *ends, float(row["n"])), source
    return Estimate.missing("neither audits nor gold say how often labels are wrong"), ""


def untimely(all_of: Found, ours: frozenset[str]) -> pd.DataFrame:
    """Versions in view that take no part, each with its reason."""
    models = all_of.data.lineage.models
    mine = models.loc[models["project"].isin(ours), "model_version"]
    return all_of.impact.untimely[all_of.impact.untimely["model_version"].isin(mine)]


def only(link: Link) -> dict[str, str]:
    """The policy and language that a link is of: {"language": "vi"}; empty for all labels or several slices."""
    if not link.by or len(link.table.columns) != 1:
        return {}
    member = str(link.table.columns[0])
    if link.by == CELLS:
        return dict(zip(("policy", "language"), member.rsplit(IN, 1), strict=True))
    return {link.by: member}


def _ages(snapshot: Snapshot, all_of: Found, link: Link) -> tuple[float, float, float]:
    """Medians over the values of a benchmark of how old labels were: on average, the newest and the oldest batch.

    Of a benchmark of one policy or language, the labels of these; of both at once, all labels.
    """
    line, rows = all_of.data.lineage, _of(all_of.timely, link.key)
    batches = line.batches
    items = batches["items"].astype(float).fillna(batches["labels"].astype(float))
    part = only(link)
    for by, member in part.items():
        rows = rows[rows[by] == member]
        if len(part) > 1:
            continue
        counted = all_of.data.items[by]
        if counted.empty:
            counted = all_of.data.sums[by].rename(columns={"judgements": "items"})
        own = counted[counted[by] == member].set_index("batch_id")["items"]
        asked = data.labelled_at(snapshot, ("batch", by))
        asked = asked[asked[by] == member].set_index("batch_id")["labelled_at"]
        items, batches = batches["batch_id"].map(own), batches.assign(labelled_at=batches["batch_id"].map(asked))
    batches = batches.assign(items=items)
    weighted = lineage.weights(batches, line.models[line.models["model_version"].isin(rows["model_version"])])
    found = lineage.lags(weighted, batches[["batch_id", "labelled_at"]], rows)
    return tuple(float(found[name].median()) for name in ("lag_days", "first_days", "last_days"))


def quality_label(name: str) -> str:
    """A quality as a heading has it."""
    label = QUALITIES[name].label
    return label[0].upper() + label[1:]
