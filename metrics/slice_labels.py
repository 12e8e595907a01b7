"""How good the labels of one policy or language were that a model version was trained on, and how that changed.

A benchmark measured by policy or language, and an incident that names them, is about those labels and no others: a
version's labels may be good as a whole and poor there. Weights and intervals are those of metrics.lineage.exposure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics import compare, lineage
from metrics.exposures import CELLS, LANGUAGE, POLICY, WHOLE, Labels
from metrics.intervals import equivalent_n, wilson

ASKED = ["model_version", POLICY, LANGUAGE]
BEHIND = ["value", "low", "high", "n", "items", "reason"]
CHANGED = ["exposure_change", "exposure_low", "exposure_high", "exposure_reason"]
FIRST, SAME = "there is no version before it", "both were trained on the same labels"
_KINDS = {(False, False): WHOLE, (True, False): POLICY, (False, True): LANGUAGE, (True, True): CELLS}


def gold_behind(labels: Labels, asked: pd.DataFrame) -> pd.DataFrame:
    """Gold accuracy of the labels of a policy or language that versions were trained on, a row per row asked: BEHIND.

    asked: ASKED, a missing policy or language being all of them. labels: sums with gold_correct and gold_n by "",
    "policy", "language" or "cells" (both), as far as asked for; items likewise, else judgements weigh the batches.
    value: 0 to 1, low and high its 95 % interval, n: gold judgements, items: how many of these labels the version was
    trained on. A row without a number says why.
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
    judged = joined[["piece", "hits", "n"]].rename(columns={"piece": "batch_id"}).drop_duplicates("batch_id")
    found = lineage.exposure(weighted, judged, pd.DataFrame({"model_version": np.arange(len(wanted))}))
    found["items"] = found["model_version"].map(weighted.groupby("model_version")["items"].sum()).fillna(0.0)
    out = keys.merge(pd.concat([wanted, found[BEHIND]], axis=1), on=ASKED, how="left")[BEHIND]
    return out.set_index(asked.index)


def gold_change(labels: Labels, rows: pd.DataFrame, scatter: pd.Series | None = None) -> pd.DataFrame:
    """How the gold accuracy of a row's own labels differs from that of the version before, a row per row.

    rows: ASKED, project and previous_version, of metrics.regressions.compare. Columns: BEHIND of both versions, as
    ``now_value``, ``before_value`` and so on, and CHANGED. exposure_change: new less old, -1 to 1, with its 95 %
    interval (MOVER of the two, metrics.compare), which is widened by ``scatter``: by project, of
    metrics.qualities.overdispersion. Two versions trained on one dataset have the same labels: 0, without chance.
    exposure_reason: why there is no change.
    """
    earlier = rows.assign(model_version=rows["previous_version"])
    found = gold_behind(labels, pd.concat([rows, earlier])[ASKED])
    now, before = found.iloc[: len(rows)].set_axis(rows.index), found.iloc[len(rows) :].set_axis(rows.index)
    less = 1.0 if scatter is None else rows["project"].map(scatter).fillna(1.0).to_numpy(float)
    wide = (_widened(part, less).assign(row=np.arange(len(rows))) for part in (now, before))
    moved = compare.change(*wide, ["row"])
    dataset = labels.models.drop_duplicates("model_version").set_index("model_version")["dataset_version"]
    new, old = (rows[name].map(dataset).to_numpy(object) for name in ("model_version", "previous_version"))
    same = (new == old) & ~pd.isna(new)
    ends = [np.where(same, 0.0, moved[name]) for name in ("change", "change_low", "change_high")]
    first = rows["previous_version"].isna().to_numpy()
    reason = np.select([same, first, (now["reason"] != "").to_numpy()], [SAME, FIRST, now["reason"]], before["reason"])
    changed = pd.DataFrame(dict(zip(CHANGED, [*ends, reason], strict=True)), index=rows.index)
    return pd.concat([now.add_prefix("now_"), before.add_prefix("before_"), changed], axis=1)


def _widened(found: pd.DataFrame, less: ArrayLike) -> pd.DataFrame:
    """Shares with the interval of fewer judgements, the effective number divided by ``less``."""
    n = equivalent_n(found["value"], found["low"], found["high"]) / less
    share = found["value"].to_numpy(float)
    wider = wilson(share * n, n)
    return pd.DataFrame({"value": share, "low": wider.low, "high": wider.high})


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
