"""All that links between labels and models are made of, asked at once for a reader's scope."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from data_access import filter_values, model_data
from data_access.filters import Filters, Scope
from data_access.model_data import Lineage
from data_access.snapshot import Snapshot

SLICES = ("policy", "language")


class LinkData(NamedTuple):
    """Frames of model_data: the lineage, each batch's sums, items and patterns by "", "policy" and "language".

    Slices are asked for the projects whose benchmarks are measured by them; sums also by "cells", policy and language
    together. pairs: model_data.case_pairs(). changes: dated changes, project_id and starts_on among their columns.
    pools: batch_id and pool, which pools labelled in a batch, those the reader may see.
    """

    lineage: Lineage
    sums: dict[str, pd.DataFrame]
    items: dict[str, pd.DataFrame]
    patterns: dict[str, list]
    pairs: pd.DataFrame
    changes: pd.DataFrame
    pools: pd.DataFrame


def link_data(snapshot: Snapshot, scope: Scope) -> LinkData:
    """What the scope's projects, batches and models hold; without models only the frames that say why."""
    line = model_data.lineage(snapshot, scope)
    pairs, changes = model_data.case_pairs(snapshot, scope), filter_values.changes(snapshot, scope)
    if line.measures.empty or line.batches.empty:
        return LinkData(line, {}, {}, {}, pairs, changes, pd.DataFrame(columns=["batch_id", "pool"]))
    sums = {
        "": model_data.batch_sums(snapshot, scope),
        "cells": model_data.batch_sums(snapshot, scope, ("batch", "policy", "language")),
    }
    items, patterns = {}, {"": model_data.batch_patterns(snapshot, scope)}
    for by in SLICES:
        projects = sorted(line.measures.loc[line.measures[by].notna(), "project"].dropna().unique())
        if projects:
            asked = (snapshot, scope, ("batch", by), Filters.of({"project": projects}))
            sums[by], items[by] = model_data.batch_sums(*asked), model_data.batch_items(*asked)
            patterns[by] = model_data.batch_patterns(*asked)
    pools = model_data.batch_sums(snapshot, scope, ("batch", "pool"))[["batch_id", "pool"]]
    return LinkData(line, sums, items, patterns, pairs, changes, pools)
