"""How good the labels behind a traced version were, by every quality, beside those of the version before."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data_access.snapshot import Snapshot
from metrics.exposures import CELLS, WHOLE, Labels, exposures
from metrics.qualities import QUALITIES
from ui import data, tables
from ui import format as fmt
from ui import model_impact_words as say
from ui.filter_bar import token
from ui.lineage import Line
from ui.lineage_trace import BY_BOTH, MODEL, Trace
from ui.page import View
from ui.tables import Column

TITLE = "How good its labels were, by every quality"
EXPOSED = ["quality", "value", "low", "high", "n", "covered", "reason", "before"]


@st.cache_data(**BY_BOTH)
def exposed(snapshot: Snapshot, line: Line, version: str) -> pd.DataFrame:
    """A row per quality of the version's labels: EXPOSED, values in the quality's own unit; empty without any batch.

    before: the value of the version trained before it, missing for the first. Counts are divided by their scatter
    (metrics.qualities.overdispersion), so intervals are wider than those of single batches elsewhere on the page.
    """
    all_of = data.link_data(snapshot)
    at = int(line.models.index[line.models["model_version"] == version][0])
    models = line.models.iloc[max(at - 1, 0) : at + 1]
    sums = {by: rows[rows["project_id"] == line.project] for by, rows in all_of.sums.items() if by in (WHOLE, CELLS)}
    batches = all_of.lineage.batches[all_of.lineage.batches["project"] == line.project]
    if not sums or batches.empty:
        return pd.DataFrame(columns=EXPOSED)
    patterns = [(names, parts) for names, parts in all_of.patterns.get(WHOLE, ()) if names["project"] == line.project]
    rows = exposures(Labels(batches, models, sums, {}, {WHOLE: patterns}))
    own = rows[rows["model_version"] == version].set_index("quality")
    before = rows[rows["model_version"] != version].set_index("quality")["value"]
    own = own.assign(before=before.reindex(own.index))
    return own.reindex([name for name in QUALITIES if name in own.index]).reset_index()[EXPOSED]


def panel(view: View, line: Line, trace: Trace) -> None:
    """The table, where a version is traced."""
    if trace.kind != MODEL or not trace.versions:
        return
    rows = exposed(view.snapshot, line, trace.versions[0])
    if rows.empty:
        return
    st.subheader(TITLE, anchor=False)
    records = rows.to_dict("records")
    tables.table(
        rows.assign(
            called=[say.heading(row["quality"]) for row in records],
            said=[_value(row["value"], row["quality"]) for row in records],
            between=[say.quality_between(row["low"], row["high"], row["quality"]) for row in records],
            earlier=[_value(row["before"], row["quality"]) for row in records],
        ),
        key=f"exposures {trace.text} {token(view.filters)}",
        title=TITLE,
        columns={
            "called": Column("Quality of labels"),
            "said": Column("Its labels", "The mean over its batches by items, each as of the batch's close.", "right"),
            "between": Column("95 % interval", "Wider than chance alone by how much gold scatters.", "right"),
            "earlier": Column("The version before", "", "right"),
            "n": Column("n", "Judgements or items rated twice.", "count"),
            "covered": Column("Known for", "The share of its labels in batches of which it is known.", "share"),
            "reason": Column("Why none"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        exported=rows,
        download="Download qualities",
    )


def _value(value: float, quality: str) -> str:
    return fmt.NONE if fmt.is_missing(value) else say.quality_value(value, quality)
