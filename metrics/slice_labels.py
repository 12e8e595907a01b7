"""How good the labels of one policy or language were that a model version was trained on, and how that changed.

A benchmark measured by policy or language, and an incident that names them, is about those labels and no others: a
version's labels may be good as a whole and poor there. Weights and intervals are those of metrics.lineage.exposure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from metrics import compare, lineage
from metrics.exposures import CELLS, LANGUAGE, POLICY, WHOLE, Labels
from metrics.intervals import equivalent_n, wilson

ASKED = ["model_version", POLICY, LANGUAGE]
BEHIND = ["value", "low", "high", "n", "items", "reason"]
CHANGED = ["exposure_change", "exposure_low", "exposure_high", "exposure_n", "exposure_before_n", "exposure_reason"]
FIRST, SAME = "there is no version before it", "both were trained on the same labels"
_KINDS = {(False, False): WHOLE, (True, False): POLICY, (False, True): LANGUAGE, (True, True): CELLS}


def gold_behind(labels: Labels, asked: pd.DataFrame, scatter: pd.Series | None = None) -> pd.DataFrame:
    """Gold accuracy of the labels of a policy or language that versions were trained on, a row per row asked: BEHIND.

    asked: ASKED, a missing policy or language being all of them. labels: sums with gold_correct and gold_n by "",
    "policy", "language" or "cells" (both), as far as asked for; items likewise, else judgements weigh the batches.
    value: 0 to 1, low and high its 95 % interval, n: gold judgements, items: how many of these labels the version was
    trained on. scatter: by project, of metrics.qualities.overdispersion, which the interval is widened by. A row
    without a number says why.
    """
    keys = asked[ASKED].astype(object).fillna("").astype(str).reset_index(drop=True)
    wanted = keys.drop_duplicates(ignore_index=True)
    pieces = _pieces(labels, wanted)
    trained = labels.models[["model_version", "dataset_version"]].drop_duplicates("model_version").dropna()
    joined = wanted.assign(code=np.arange(len(wanted))).merge(trained, on="model_version")
    joined = joined.merge(pieces[pieces["items"] > 0], on=["dataset_version", POLICY, LANGUAGE])
    total = joined.groupby("code")["items"].transform("sum")
    weighted = pd.DataFrame({"model_version": joined["code"], "batch_id": joined["piece"], "items": joined["items"]})
    weighted = weighted.assign(weight=weighted["items"] / total)
    judged = pieces[["piece", "hits", "n"]].rename(columns={"piece": "batch_id"})
    found = lineage.exposure(weighted, judged, pd.DataFrame({"model_version": np.arange(len(wanted))}))
    if scatter is not None:
        project = joined.drop_duplicates("code").set_index("code")["project"].reindex(found["model_version"])
        less = project.map(scatter).fillna(1.0).to_numpy(float)
        effective = equivalent_n(found["value"], found["low"], found["high"]) / less
        wider = wilson(found["value"].to_numpy(float) * effective, effective)
        found = found.assign(low=wider.low, high=wider.high)
    found["items"] = found["model_version"].map(weighted.groupby("model_version")["items"].sum()).fillna(0.0)
    out = keys.merge(pd.concat([wanted, found[BEHIND]], axis=1), on=ASKED, how="left")[BEHIND]
    return out.set_index(asked.index)


def gold_change(labels: Labels, rows: pd.DataFrame, scatter: pd.Series | None = None) -> pd.DataFrame:
    """How the gold accuracy of a row's own labels differs from that of the version before, a row per row: CHANGED.

    rows: ASKED and previous_version, of metrics.regressions.compare. exposure_change: new less old, -1 to 1, with its
    95 % interval (MOVER of the two, metrics.compare); exposure_n, exposure_before_n: gold judgements behind either.
    Two versions trained on one dataset have the same labels: 0, without chance. exposure_reason: why there is none.
    """
    now = gold_behind(labels, rows, scatter)
    asked = rows.assign(model_version=rows["previous_version"])
    before = gold_behind(labels, asked, scatter)
    key = np.arange(len(rows))
    moved = compare.change(now.assign(key=key), before.assign(key=key), ["key"])
    dataset = labels.models.drop_duplicates("model_version").set_index("model_version")["dataset_version"]
    new, old = (rows[name].map(dataset).to_numpy(object) for name in ("model_version", "previous_version"))
    same = (new == old) & ~pd.isna(new)
    ends = [np.where(same, 0.0, moved[name]) for name in ("change", "change_low", "change_high")]
    first = rows["previous_version"].isna().to_numpy()
    reason = np.select([same, first, (now["reason"] != "").to_numpy()], [SAME, FIRST, now["reason"]], before["reason"])
    found = [*ends, now["n"], before["n"], reason]
    return pd.DataFrame(dict(zip(CHANGED, found, strict=True)), index=rows.index)


def _pieces(labels: Labels, wanted: pd.DataFrame) -> pd.DataFrame:
    """What batches hold of every policy or language asked for: piece, a number, with batch, hits, n and items."""
    whose = labels.batches.drop_duplicates("batch_id").set_index("batch_id")
    kinds = {_KINDS[bool(p), bool(q)] for p, q in zip(wanted[POLICY], wanted[LANGUAGE], strict=True)}
    parts = [_kind(labels, kind, whose) for kind in sorted(kinds) if kind in labels.sums]
    columns = ["dataset_version", "project", POLICY, LANGUAGE, "hits", "n", "items"]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    found = found.astype(dict.fromkeys(("hits", "n", "items"), float))
    return found.dropna(subset="dataset_version").assign(piece=lambda rows: np.arange(len(rows)))


def _kind(labels: Labels, kind: str, whose: pd.DataFrame) -> pd.DataFrame:
    by = {WHOLE: [], CELLS: [POLICY, LANGUAGE]}.get(kind, [kind])
    sums = labels.sums[kind].rename(columns={"gold_correct": "hits", "gold_n": "n"})
    rows = sums[["batch_id", *by, "hits", "n", "judgements"]]
    items = labels.items.get(kind)
    if kind == WHOLE:
        rows = rows.assign(items=rows["batch_id"].map(whose["items"].astype(float)))
    elif items is not None and len(items):
        rows = rows.merge(items[["batch_id", *by, "items"]], on=["batch_id", *by], how="outer")
    else:
        rows = rows.assign(items=rows["judgements"])
    rows = rows.fillna({"hits": 0.0, "n": 0.0})
    blank = {name: "" for name in (POLICY, LANGUAGE) if name not in by}
    of = {name: rows["batch_id"].map(whose[name]) for name in ("dataset_version", "project")}
    return rows.assign(**blank, **of)[["dataset_version", "project", POLICY, LANGUAGE, "hits", "n", "items"]]
