"""Which policies a group of raters reads otherwise than the others: policy by group, each cell tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.group_reading import group_readings
from ui import agreement_groups
from ui.agreement_groups import FALSE_FINDINGS
from ui.figures import KEPT


@dataclass(frozen=True)
class Readings:
    """cells: a row per policy of a project and group, policies with a finding first: project, project_name, policy,
    place (what a reader calls it), member, label (the group), apart, given (the label that differs most), shift, n,
    raters, reason, p, q, found (whether the test speaks), pair (whether the policy has two groups only, so that both
    cells are one finding). tests: how many cells have a p; ratings: how many were read; cut: whether more exist; first,
    last: the days; live: whether all ratings were read, and not the snapshot's sample.
    """

    cells: pd.DataFrame
    tests: int
    ratings: int
    period: Filters
    least: tuple[int, int]
    live: bool = False
    cut: bool = False

    @property
    def findings(self) -> pd.DataFrame:
        """The cells where the test speaks, clearest first; of two groups that make one finding the smaller."""
        found = self.cells[self.cells["found"]] if len(self.cells) else self.cells
        if found.empty:
            return found
        single = found.sort_values(["q", "p", "raters"], kind="stable")
        return single[~(single["pair"] & single.duplicated(["project", "policy"]))]


@st.cache_data(**KEPT)
def of_sample(snapshot: Snapshot, filters: Filters, axis: str) -> Readings:
    """Policy by group from the snapshot's sample of ratings."""
    rows = agreement_groups.sampled(snapshot, filters, axis)
    return _readings(snapshot, rows, axis, agreement_groups.sampled_period(snapshot, filters))


@st.cache_data(**KEPT, ttl=900)
def of_all(snapshot: Snapshot, filters: Filters, axis: str) -> Readings:
    """Policy by group from all ratings of one project; raises as agreement_groups.live() does."""
    read = agreement_groups.live(snapshot, filters, axis)
    return _readings(snapshot, read.rows, axis, filters, live=True, cut=read.cut)


def _readings(snapshot: Snapshot, rows: pd.DataFrame, axis: str, period: Filters, **more: bool) -> Readings:
    least = agreement_groups.least()
    rows = rows[rows["project_id"].isin(set(snapshot.label_sets)) & rows["policy"].notna()]
    place = list(zip(rows["project_id"], rows["policy"], strict=True))
    columns = (rows[name].to_numpy() for name in ("item", "rater", "label", "group"))
    found = group_readings(
        pd.Series(place, dtype=object),
        *columns,
        agreement_groups.blocks(rows, axis),
        {(project, policy): snapshot.label_sets[project].labels for project, policy in set(place)},
        min_raters=least[0],
        min_items=least[1],
    )
    return Readings(_cells(snapshot, found.table, axis), found.tests, len(rows), period, least, **more)


def _cells(snapshot: Snapshot, table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The test's table with the names that readers know."""
    if table.empty:
        return table
    projects, groups = snapshot.names.get("project", {}), snapshot.names.get(axis, {})
    project, policy = (table["place"].str[k].astype(str) for k in (0, 1))
    named = project.map(lambda p: projects.get(p, p))
    members = table["group"].astype(str)
    names = dict(zip(members, members.map(lambda g: groups.get(g, g)), strict=True))
    once = dict(zip(names, agreement_groups.distinct(list(names.values()), list(names)), strict=True))
    several = project.nunique() > 1
    cells = table.drop(columns=["place", "group", "label"]).assign(
        project=project,
        project_name=named,
        policy=policy,
        place=policy + " · " + named if several else policy,
        member=members,
        label=members.map(once),
        given=table["label"],
        found=np.nan_to_num(table["q"].to_numpy(float), nan=1.0) <= FALSE_FINDINGS,
    )
    same = cells.groupby(["project", "policy"])
    # Two groups that mirror one another: every shared item is rated by both, so one's shift is the other's.
    two = (same["p"].transform("count") == 2) & cells["p"].notna()
    cells["pair"] = two & (same["apart"].transform("max") - same["apart"].transform("min") < 1e-9)
    cells["first"] = np.select([same["found"].transform("any"), same["p"].transform("count") > 0], [0, 1], 2)
    return cells.sort_values(["first", "project_name", "policy", "label"], kind="stable", ignore_index=True)
