"""How good the labels were that each model version was trained on: every quality, whole, by policy or by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from metrics import lineage, qualities
from metrics.qualities import QUALITIES, Quality
from metrics.shapes import Parts

WHOLE, POLICY, LANGUAGE = "", "policy", "language"
CELLS, IN = "cells", " in "
EXPOSURE = ["quality", "by", "member", "model_version", "value", "low", "high", "n", "covered", "reason"]


def by_cells(rows: pd.DataFrame) -> pd.Series:
    """What a policy and language together are called: "hate_speech in vi"; missing where either is."""
    return rows["policy"] + IN + rows["language"]


Grouped = Sequence[tuple[dict[str, object], Parts]]


@dataclass(frozen=True)
class Labels:
    """What batches hold, as data_access.model_data gives it.

    batches, models: frames of its lineage. sums, items, patterns: by "" (whole batches), "policy", "language"; sums
    also by "cells", policy and language together. What is not there is not measured.
    """

    batches: pd.DataFrame
    models: pd.DataFrame
    sums: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    items: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    patterns: Mapping[str, Grouped] = field(default_factory=dict)


def exposures(labels: Labels, cells: bool = False) -> pd.DataFrame:
    """Every quality's exposure of every model version: EXPOSURE, and items, how many the version was trained on.

    by, member: the policy or language the labels are of, "" for all; with ``cells`` also policy and language together,
    for the qualities that judgements are counted of. value in the quality's own unit (log of seconds
    for handle time); low and high where the error is known. A row without a value says why.
    """
    scatter = _scatter(labels)
    if CELLS in labels.sums and len(labels.batches):
        named = labels.sums[CELLS].assign(**{CELLS: by_cells(labels.sums[CELLS])})
        labels = replace(labels, sums={**labels.sums, CELLS: named})
    sliced = [by for by in labels.sums if (cells or by != CELLS) and len(labels.batches)]
    found = [_sliced(labels, by, scatter) for by in sliced]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=[*EXPOSURE, "items"])


class _Keys:
    """Batches and their slices as whole numbers: a slice counts as a batch of its own, so one pass does for all."""

    def __init__(self, batches: pd.DataFrame, by: str, rows: pd.DataFrame) -> None:
        self.by = by
        self.batch = {name: k for k, name in enumerate(batches["batch_id"])}
        self.member = {name: k for k, name in enumerate(sorted(rows[by].unique()) if by else [WHOLE])}

    def of(self, rows: pd.DataFrame) -> np.ndarray:
        """The key of each row's batch, or slice of it; -1 for one that is not known."""
        return self.pair(rows["batch_id"].map(self.batch), rows)

    def pair(self, code: pd.Series, rows: pd.DataFrame) -> np.ndarray:
        """A code put together with the row's member."""
        member = rows[self.by].map(self.member).to_numpy(float) if self.by else 0.0
        return np.nan_to_num(code.to_numpy(float) * len(self.member) + member, nan=-1).astype(np.int64)


def _scatter(labels: Labels) -> dict[str, pd.Series]:
    """By how much each counted or audited quality scatters beyond independent judgements, by project."""
    if CELLS not in labels.sums:
        return {}
    counted = [q for q in QUALITIES.values() if q.made in (qualities.COUNTS, qualities.WEIGHTS)]
    return {q.name: qualities.overdispersion(q, labels.sums[CELLS]) for q in counted}


def _sliced(labels: Labels, by: str, scatter: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The exposures of one slicing."""
    rows = _items(labels, by)
    keys = _Keys(labels.batches, by, rows)
    dataset = {name: k for k, name in enumerate(labels.models["dataset_version"].dropna().unique())}
    # A batch in no model's dataset weighs nothing.
    held = rows.assign(code=rows["dataset_version"].map(dataset)).dropna(subset="code")
    held = held.assign(batch_id=keys.of(held), dataset_version=keys.pair(held["code"], held))
    ours = labels.models[["model_version", "dataset_version"]].merge(
        pd.DataFrame({by or "member": list(keys.member)}), how="cross"
    )
    code = ours["dataset_version"].map(dataset)
    models = pd.DataFrame({"model_version": np.arange(len(ours)), "dataset_version": keys.pair(code, ours)})
    if by:  # a project has its own policies and languages
        models = models[models["dataset_version"].isin(held["dataset_version"])]
    weighted = lineage.weights(held, models)
    items = weighted.groupby("model_version")["items"].sum()
    sums = labels.sums[by].assign(batch_id=keys.of(labels.sums[by]))
    sums = sums[sums["batch_id"] >= 0]  # a batch that is not on record is in no model
    out = []
    for quality in QUALITIES.values():
        found = _one(quality, labels, keys, sums, weighted, models, scatter)
        if found is not None:
            out.append(found.assign(quality=quality.name, items=found["model_version"].map(items)))
    all_of = pd.concat(out, ignore_index=True)
    at = all_of["model_version"].to_numpy(int)
    names, member = ours["model_version"].to_numpy(object)[at], ours[by or "member"].to_numpy(object)[at]
    return all_of.assign(model_version=names, by=by, member=member)[[*EXPOSURE, "items"]]


def _items(labels: Labels, by: str) -> pd.DataFrame:
    """Batches, or their slices, with dataset_version and items; labels where items are not shown."""
    if not by:
        items = labels.batches["items"].astype(float).fillna(labels.batches["labels"].astype(float))
        return labels.batches[["batch_id", "dataset_version"]].assign(items=items)
    counted = labels.items.get(by)
    if counted is None or counted.empty:
        counted = labels.sums[by].rename(columns={"judgements": "items"})
    whose = labels.batches.drop_duplicates("batch_id").set_index("batch_id")["dataset_version"]
    return counted[["batch_id", by, "items"]].assign(dataset_version=counted["batch_id"].map(whose))


def _one(
    quality: Quality,
    labels: Labels,
    keys: _Keys,
    sums: pd.DataFrame,
    weighted: pd.DataFrame,
    models: pd.DataFrame,
    scatter: Mapping[str, pd.Series],
) -> pd.DataFrame | None:
    """One quality's exposures; None where it is not made by this slicing."""
    by = keys.by
    if quality.made == qualities.CELLS:
        if by or CELLS not in labels.sums:
            return None
        cells = labels.sums[CELLS]
        return qualities.concentrated(quality, cells.assign(batch_id=keys.of(cells)), weighted, models)
    if quality.made in (qualities.MATCH, qualities.COEFFICIENT):
        found = list(labels.patterns.get(by, ()))
        of = pd.DataFrame({"batch_id": [key["batch"] for key, _ in found]})
        of = of.assign(**{by: [key[by] for key, _ in found]}) if by else of
        places = zip(keys.of(of).tolist(), (parts for _, parts in found), strict=True)
        grouped = [(at, parts) for at, parts in places if at >= 0]
        if quality.made == qualities.MATCH:
            # Ratings of an item are each the others' consensus: the error of their share is not that of a count.
            return lineage.exposure(weighted, qualities.matched(grouped), models).assign(low=np.nan, high=np.nan)
        return lineage.mean_exposure(weighted, qualities.coefficients(quality, grouped), models)
    if quality.made == qualities.LOGS:
        found = lineage.mean_exposure(weighted, qualities.log_times(quality, sums), models)
        return found.assign(low=np.nan, high=np.nan)  # the batches keep no squares of times
    return lineage.exposure(weighted, qualities.judged(quality, sums, scatter.get(quality.name)), models)
