"""Changes under which labels were made: by day, project and pool, of the version and of the one before it."""

from __future__ import annotations

import pandas as pd
import pytest

from metrics.label_changes import LabelChanges

MODELS = pd.DataFrame({"model_version": ["m1", "m2", "m3"], "dataset_version": ["d1", "d2", "d3"]})
BATCHES = pd.DataFrame(
    [("b1", "P", "d1", "2026-03-05"), ("b2", "P", "d2", "2026-03-12"), ("b3", "P", "d2", "2026-03-19"),
     ("b4", "P", "d3", "2026-03-26 12:00")],
    columns=["batch_id", "project", "dataset_version", "labelled_at"],
).astype({"labelled_at": "datetime64[s]"})  # fmt: skip


def said(now: str, before: str, pools: pd.DataFrame | None = None, **change) -> str:
    row = {"change_id": "C", "kind": "tool", "project_id": "P", "pool_id": None, "starts_on": "2026-03-01",
           "ends_on": None, "summary": "New tool."} | change  # fmt: skip
    rows = pd.DataFrame([row])
    rows[["starts_on", "ends_on"]] = rows[["starts_on", "ends_on"]].apply(pd.to_datetime)
    return LabelChanges(BATCHES, MODELS, rows, pools).between(now, before)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"starts_on": "2026-03-10"}, "its labels were made under C (New tool)"),
        ({"starts_on": "2026-03-19"}, "part of its labels were made under C (New tool)"),
        ({"starts_on": "2026-03-20"}, ""),
        ({"ends_on": "2026-03-05"}, "the labels of the version before were made under C (New tool)"),  # its last day
        ({"ends_on": "2026-03-04"}, ""),
        ({}, "its labels, like those of the version before, were made under C (New tool)"),
        ({"project_id": None}, "its labels, like those of the version before, were made under C (New tool)"),
        ({"project_id": "Q"}, ""),
        ({"kind": "model"}, ""),
    ],
)
def test_a_change_is_named_where_it_held_when_batches_were_labelled(change, expected):
    assert said("m2", "m1", **change) == expected


def test_the_last_day_counts_whole():
    assert said("m3", "m2", starts_on="2026-03-26", ends_on="2026-03-26").startswith("its labels were made under")


def test_a_pool_counts_where_it_labelled():
    pools = pd.DataFrame({"batch_id": ["b1", "b2", "b3"], "pool": ["X", "Y", "X"]})
    of = {"project_id": None, "pool_id": "Y"}
    assert said("m2", "m1", pools, **of) == "part of its labels were made under C (New tool)"
    assert said("m2", "m1", pools, **{**of, "pool_id": "Z"}) == ""
    assert said("m2", "m1", None, **of) == ""  # who labelled is not known, and nothing names the project
    assert said("m2", "m1", None, **{**of, "project_id": "P"}) != ""


def test_versions_without_batches_have_none():
    assert said("m9", "m8") == ""
