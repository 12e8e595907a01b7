"""How raters labelled the gold of one project: true labels by labels given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from ui import data

KEPT_BY = frozenset({"project", "pool", "language", "policy"})  # what the confusions can be narrowed by


def gold_table(snapshot: Snapshot, filters: Filters, project: str) -> NDArray[np.float64] | None:
    """Gold labels (rows) by labels given, those in use; None where the project's labels are not kept.

    Filters that confusions are not kept by are left out.
    """
    labels = snapshot.label_sets.get(project)
    if labels is None:
        return None
    held = Filters.of({n: v for n, v in filters.where if n in KEPT_BY}, filters.start, filters.end)
    counted = data.confusion(snapshot, held)
    place = {label: k for k, label in enumerate(labels.labels)}
    table = np.zeros((len(place), len(place)))
    known = counted[counted["truth"].isin(place) & counted["label"].isin(place)]
    np.add.at(table, (known["truth"].map(place).to_numpy(int), known["label"].map(place).to_numpy(int)), known["n"])
    used = (table.sum(axis=1) + table.sum(axis=0)) > 0
    return table[np.ix_(used, used)]
