"""What got clearly worse on the model impact page, ranked, each beside the labels of its own policy or language."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from metrics.slice_labels import SAME
from ui import format as fmt
from ui import model_impact as shown
from ui import model_impact_words as say
from ui import tables
from ui.filter_bar import open_from_click, token
from ui.lineage import drop_key
from ui.lineage_trace import DROP
from ui.links import write
from ui.page import View
from ui.tables import Column

LINEAGE = "pages/lineage.py"
TITLE = "Versions clearly worse than the one before"
COLUMNS = {
    "model_version": Column("Version"),
    "benchmark": Column("Benchmark"),
    "part": Column("Part", "The policy or language of the cases; all where the benchmark is measured as a whole."),
    "grave": Column(
        "Gravest incident", "Its severity, 0 to 3 (severe), on record for this version and, of a part, in that part."
    ),
    "labels": Column(
        "Labels' gold accuracy",
        "Points beside the version before, of labels of that part alone, with the 95 % interval widened by how much "
        "gold scatters.",
        "right",
    ),
    "gold": Column("Gold judgements", "Behind its labels, and behind those of the version before.", "right"),
    "loss": Column("Points lost", "Against the version trained before, with its 95 % interval.", "right"),
    "cases": Column("Cases", "The same for both versions where single results are on record, else the scores only."),
    "called": Column("Project"),
}
RAW = ["project", "benchmark", "metric", "policy", "language", "model_version", "previous_version", "change", "low",
       "high", "n", "paired", "q_value", "severity", "incident_id", "exposure_change", "exposure_low", "exposure_high",
       "now_n", "before_n", "exposure_reason"]  # fmt: skip


def table(view: View, found: shown.Found, ours: frozenset[str]) -> None:
    """The regressions in order; a row opens where its labels came from."""
    st.subheader(TITLE, anchor=False)
    rows = shown.in_view(found.worse, ours)
    compared = len(shown.in_view(found.compared, ours)["q_value"].dropna())
    if rows.empty:
        st.markdown(f"None of {compared} comparisons shows a version clearly worse than the one before it.")
        return
    tables.quiet(say.ranking(len(rows), compared))
    names, records = view.snapshot.names["project"], rows.to_dict("records")
    picked = tables.table(
        rows.assign(**pd.DataFrame([cells(row, names) for row in records])),
        key=f"regressions {token(view.filters)}",
        title=TITLE,
        columns=COLUMNS,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"project": row["project"], "trace": f"{DROP}:{drop_key(row)}"} for row in records],
        opens=True,
        exported=rows[RAW],
        download="Download regressions",
    )
    if picked:
        # All versions count here, so the trace is not to end with the period.
        inside = view.filters.over(None, None).with_("project", str(picked["project"]))
        open_from_click(LINEAGE, write(inside, trace=str(picked["trace"])))


def cells(row: Mapping, names: Mapping[str, str]) -> dict[str, str]:
    """A regression's cells as text."""
    part = say.slice_of(row)
    none = f"none in {part}" if part else "none on record"
    return {
        "called": names.get(row["project"], row["project"]),
        "part": part or "all",
        "grave": none if pd.isna(row["severity"]) else f"severity {int(row['severity'])} of 3, {row['incident_id']}",
        "labels": labels(row),
        "gold": f"{fmt.count(row['now_n'])} after {fmt.count(row['before_n'])}",
        "loss": _between(row["change"], row["low"], row["high"]),
        "cases": "the same" if row["paired"] else "scores only",
    }


def labels(row: Mapping) -> str:
    """How the labels' gold accuracy changed: −21.3 (−38.7 to −2.5), or why that is not known."""
    if row["exposure_reason"] == SAME:
        return "the same labels"
    if pd.isna(row["exposure_change"]):
        return "too few to judge" if row["now_items"] and row["before_items"] else "no labels on record"
    return _between(row["exposure_change"], row["exposure_low"], row["exposure_high"])


def _between(value: float, low: float, high: float) -> str:
    return f"{say.points(value)} ({say.points(low)} to {say.points(high)})"
