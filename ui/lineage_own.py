"""The labels that a trace back is about: of its own policy and language where it names them, beside those before.

They say more of an incident or a drop than all labels of the version, which may be good as a whole and poor there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from data_access.snapshot import Snapshot
from metrics.exposures import CELLS, WHOLE, Labels
from metrics.qualities import QUALITIES, overdispersion
from metrics.slice_labels import gold_change
from ui import data, lineage_trace
from ui.lineage import GOLD, Line
from ui.lineage_trace import BY_BOTH, Trace


@dataclass(frozen=True)
class Own:
    """What is behind a trace back: all labels of its version, and those of the policy and language in ``named``.

    whole, own: a row of slice_labels.gold_change, the version beside the one before; own is empty where nothing is
    named. The interval of the change is widened by how much gold scatters, as on Model impact. share, base_share: the
    named labels' share of all labels behind the version, and on average behind all versions, by items; NaN where it is
    not known. narrow: among the labels of what the trace is (lineage_trace.own_labels).
    """

    whole: Mapping[str, object]
    own: Mapping[str, object] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    share: float = float("nan")
    base_share: float = float("nan")
    narrow: Mapping[str, str] = field(default_factory=dict)


@st.cache_data(**BY_BOTH)
def own(snapshot: Snapshot, line: Line, trace: Trace) -> Own | None:
    """The labels behind a traced version, incident or drop; None for what is not traced back to one version."""
    if trace.forward or not trace.versions:
        return None
    names = lineage_trace.named(line, trace)
    pair = (trace.versions[0], previous(line, trace))
    whole = _changes(snapshot, line, ()).loc[pair].to_dict()
    if not names:
        return Own(whole)
    table = _changes(snapshot, line, tuple(names.items()))
    shares = table.groupby("model_version")["share"].first()
    share, base = float(shares[pair[0]]), float(shares.mean())
    return Own(whole, table.loc[pair].to_dict(), names, share, base, lineage_trace.own_labels(snapshot, line, trace))


@st.cache_resource(**BY_BOTH)  # nobody writes to it
def _changes(snapshot: Snapshot, line: Line, named: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    """gold_change() of the labels of a policy or language, or of all: a row per version and the one it stands beside.

    named: pairs of dimension and member. Index: model_version, previous_version ("" for a first one). share: these
    labels' share of all labels behind the version, by items.
    """
    names = dict(named)
    kind = CELLS if len(names) > 1 else next(iter(names), WHOLE)
    by = ("batch", *names)
    sums, batches = _of(data.batch_sums(snapshot, by), line), line.batches.set_index("batch_id")["items"].astype(float)
    items = _of(data.batch_items(snapshot, by), line) if names else None
    for name, member in names.items():
        items = items[items[name] == member]
    order = line.models[["model_version"]]
    pairs = pd.concat([order.assign(previous_version=order["model_version"].shift()),
                       line.compared[["model_version", "previous_version"]].dropna()])  # fmt: skip
    rows = pairs.drop_duplicates(ignore_index=True).assign(project=line.project, policy=None, language=None)
    labels = Labels(line.batches, line.models, {kind: sums}, {kind: items} if names else {})
    found = gold_change(labels, rows.assign(**names), _scatter(snapshot, line))
    held = batches if items is None else items.set_index("batch_id")["items"]
    batch = line.weighted["batch_id"]
    part = line.weighted["weight"] * batch.map(held).fillna(0.0) / batch.map(batches)
    share = rows["model_version"].map(part.groupby(line.weighted["model_version"]).sum())
    index = [rows["model_version"], rows["previous_version"].fillna("")]
    return found.assign(share=share).set_index(index)


@st.cache_resource(**BY_BOTH)
def _scatter(snapshot: Snapshot, line: Line) -> pd.Series:
    """By how much the project's gold scatters beyond independent judgements."""
    return overdispersion(QUALITIES[GOLD.name], _of(data.batch_sums(snapshot, ("batch", "policy", "language")), line))


def previous(line: Line, trace: Trace) -> str:
    """The version that the traced one stands beside: of a drop the one it was compared with, else the one before."""
    row = lineage_trace.row_of(line, trace)
    if "previous_version" in row:
        return str(row["previous_version"])
    names = line.models["model_version"].tolist()
    at = names.index(trace.versions[0])
    return names[at - 1] if at else ""


def _of(rows: pd.DataFrame, line: Line) -> pd.DataFrame:
    """The rows of the line's project."""
    return rows[rows["project_id"] == line.project]
