"""Which recorded changes held while a model version's labels were made: said beside its moves, no confounder of them.

A new tool or guideline reaches a model through the labels made under it, so it is part of what the labels did and not
something else that changed. A reader must still be told of it. Changes of kind ``model`` are no change of the labels'
making; metrics.moves names them as what else changed.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

COLUMNS = ["change_id", "kind", "project_id", "pool_id", "starts_on", "ends_on", "summary"]
OWN, BOTH, BEFORE = "its labels", "its labels, like those of the version before,", "the labels of the version before"


class LabelChanges:
    """The changes in force over every batch, ready to be asked by version.

    batches: batch_id, project, dataset_version, labelled_at. models: model_version, dataset_version. changes: COLUMNS,
    an empty project, pool or last day being all of them. pools: batch_id and pool, a row for each pool that labelled in
    a batch; without it a change of one pool is named where it names the project too.
    """

    def __init__(
        self, batches: pd.DataFrame, models: pd.DataFrame, changes: pd.DataFrame, pools: pd.DataFrame | None = None
    ) -> None:
        named = changes.reindex(columns=COLUMNS)
        self._changes = named[named["kind"] != "model"].to_dict("records")
        for change in self._changes:
            start, end = pd.Timestamp(change["starts_on"]), pd.Timestamp(change["ends_on"])
            change["start"], change["end"] = start, pd.Timestamp.max if pd.isna(end) else end + pd.Timedelta(days=1)
        self._pools: dict[str, set] = {}
        for batch, pool in [] if pools is None else zip(pools["batch_id"], pools["pool"], strict=True):
            self._pools.setdefault(batch, set()).add(pool)
        whose = models[["model_version", "dataset_version"]].dropna().drop_duplicates("model_version")
        rows = whose.merge(batches.dropna(subset=["dataset_version", "labelled_at"]), on="dataset_version")
        self._batches: dict[str, list[dict]] = {}
        for row in rows[["model_version", "batch_id", "project", "labelled_at"]].to_dict("records"):
            self._batches.setdefault(row["model_version"], []).append(row)

    def between(self, now: str, before: str) -> str:
        """In words, every change under which labels of either version were made; empty where there is none.

        "its labels were made under CH-005 (…)": in force when its batches were labelled, at ``labelled_at``; "part of"
        where not for all batches, or for one pool alone. What held for the version before and no longer is said too.
        """
        said = []
        for change in self._changes:
            own, other = self._part(now, change), self._part(before, change)
            if own or other:
                part = "part of " if max(own, other) < 1 else ""
                whose = BOTH if own and other else OWN if own else BEFORE
                name = f"{change['change_id']} ({str(change['summary']).rstrip('.')})"
                said.append(f"{part}{whose} were made under {name}")
        return "; ".join(said)

    def _part(self, version: str, change: Mapping) -> float:
        """0: no batch of the version was labelled under the change; 1: all were, by everyone; else between."""
        batches = self._batches.get(version, [])
        under = [self._held(batch, change) for batch in batches]
        if not any(under):
            return 0.0
        return 1.0 if all(under) and pd.isna(change["pool_id"]) else 0.5

    def _held(self, batch: Mapping, change: Mapping) -> bool:
        named = not pd.isna(change["project_id"])
        if named and change["project_id"] != batch["project"]:
            return False
        if not pd.isna(change["pool_id"]):
            pools = self._pools.get(batch["batch_id"])
            if not named if pools is None else change["pool_id"] not in pools:
                return False
        return bool(change["start"] <= batch["labelled_at"] < change["end"])
