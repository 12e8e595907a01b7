"""The lineage page's first sentence: what the trace found, or of a project of which nothing is traced, its finding."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metrics import lineage as steps
from metrics.slice_labels import SAME
from ui import format as fmt
from ui import lineage_words as say
from ui.lineage import Line
from ui.lineage_own import Own
from ui.lineage_trace import BATCH, DROP, INCIDENT, MODEL, Trace, on, part, row_of


def heading(line: Line, trace: Trace, own: Own | None, name: str) -> str:
    """The page's sentence; own: lineage_own.own(), the labels behind what is traced; name: what the project is called.

    Every sentence names the project, for a trace may have chosen it.
    """
    row = row_of(line, trace)
    if trace.kind == BATCH:
        return _batch(line, trace, name)
    if trace.kind == DROP:
        return (
            f"Version {row['model_version']} of {name} got {say.points(row['change'])} worse on {on(row)}; "
            f"{_labels('trained on', own)}"
        )
    if trace.kind == INCIDENT:
        when = fmt.day(pd.Timestamp(row["occurred_at"]).date())
        about = ", ".join(filter(None, [when, f"severity {row['severity']}", part(row)]))
        told = f"Incident {trace.member} of {name} ({about})"
        if not trace.versions:
            return f"{told} cannot be traced to a version and its labels"
        return f"{told} is of version {trace.versions[0]}, {_labels('trained on', own)}"
    if trace.kind == MODEL:
        return f"Version {trace.member} of {name} {_labels('was trained on', own)}"
    return say.finding(line, name)


def shown(name: str) -> str:
    """Which project the page shows, for the line above it speaks of all work."""
    return f"Project shown: {name}."


def _batch(line: Line, trace: Trace, name: str) -> str:
    row = line.batches[line.batches["batch_id"] == trace.member].iloc[0]
    told = f"Batch {trace.member} of {name}: gold accuracy {say.quality(row)}"
    if row["state"] != steps.USED:
        return f"{told}; {say.state(row)}"
    if not trace.versions:
        return f"{told}; no version that is on record in good order was trained on it"
    found = line.reached(list(trace.batches))
    verb = "is" if found["reached"] == 1 else "are"
    return (
        f"{told}; {found['reached']} of {say.counted(found['incidents'], 'incident')} {verb} of versions trained on it"
    )


def _labels(verb: str, own: Own) -> str:
    """How good the labels were beside those of the version before: of the part in question, else of all kinds."""
    found, what = own.whole, "labels of all kinds" if own.named else "labels"
    if own.own and not fmt.is_missing(own.own["now_value"]):
        found, what = own.own, say.among(own.named)
    if fmt.is_missing(found["now_value"]):
        return f"{verb} {what} whose gold accuracy cannot be told"
    now = {end: found[f"now_{end}"] for end in ("value", "low", "high")}
    return f"{verb} {what} with gold accuracy {say.quality(now)}{_beside(found)}"


def _beside(found: Mapping) -> str:
    """How far labels were from those of the version before, where that is known."""
    if found["exposure_reason"] == SAME:
        return ", the same as the version before"
    if fmt.is_missing(found["before_value"]):
        return ""
    if found["exposure_low"] <= 0 <= found["exposure_high"]:
        return ", no clear change from the version before"
    change = found["exposure_change"]
    return f", {say.points(change)} {'lower' if change < 0 else 'higher'} than in the version before"
