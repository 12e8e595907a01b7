"""Agreement inside and between groups of raters: from the snapshot at once, from single ratings with a test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import groups
from ui import data
from ui.figures import KEPT

AXES = {
    "region": "region",
    "pool": "pool",
    "site": "site",
    "vendor": "vendor",
    "rater_language": "rater's language",
    "locale": "locale",
    "gender": "gender",
    "age_band": "age",
}
COLUMN = {"pool": "pool_id", "rater_language": "language"}  # of the raters' own table, where it is not the axis
OWN_BLOCKS = frozenset({"rater_language", "locale"})  # these axes are the languages within which others are shuffled
PERMUTATIONS, FALSE_FINDINGS = 1_000, 0.05
SHOWN = ("irr", "xrr", "gai")
KEPT_BY = ("project",)  # the filters that the snapshot's groups hold


@dataclass(frozen=True)
class Grouped:
    """Groups of raters side by side. rows: member, label, raters, and for irr, xrr, gai value, ends, n, reason, p, q,
    side; finding: what the test says in a word, "" without one. one_in: one item in so many was counted; left_out: the
    filters that the snapshot's groups do not hold; tests, splits: how many tests and shuffles; p_reason: why no p.
    """

    rows: pd.DataFrame
    one_in: int = 1
    left_out: tuple[str, ...] = ()
    tests: int = 0
    splits: int = 0
    exact: bool = False
    p_reason: str = ""
    ratings: int = 0
    cut: bool = False
    least: tuple[int, int] = field(default=(groups.MIN_RATERS, groups.MIN_ITEMS))

    @property
    def tested(self) -> bool:
        """Whether a shuffle of raters stands behind the findings."""
        return self.splits > 0


def _least() -> tuple[int, int]:
    """Fewest raters and items of a group: the statistic's own, or the scope's where it asks for more."""
    scope = data.current_scope()
    return max(groups.MIN_RATERS, scope.minimum_raters), max(groups.MIN_ITEMS, scope.minimum_items)


@st.cache_data(**KEPT)
def of_snapshot(snapshot: Snapshot, filters: Filters, axis: str) -> Grouped:
    """The groups from the snapshot's patterns: whole months, filtered by project alone, no test."""
    codes = data.group_codes(snapshot, axis, filters)
    raters = data.raters_in_groups(snapshot, axis, filters)
    left_out = tuple(name for name, _ in filters.where if name not in KEPT_BY)
    least = _least()
    found: dict[str, list] = {}
    columns = {name: codes[name].to_numpy() for name in codes}
    group, names = pd.factorize(columns["group_name"], sort=True)
    project, projects = pd.factorize(columns["project_id"], sort=True)
    for p, name in enumerate(projects):
        labels = snapshot.label_sets.get(name)
        if labels is None:
            continue
        words = range(labels.encoding.words)
        for g in np.unique(group[project == p]):
            ours = (project == p) & (group == g)
            sides = (np.column_stack([columns[f"{s}_{w}"][ours] for w in words]) for s in ("inside", "total"))
            patterns = groups.GroupPatterns.of_codes(*sides, columns["items"][ours], labels.encoding)
            found.setdefault(str(names[g]), []).append(patterns)
    if not found:
        return Grouped(pd.DataFrame(), snapshot.meta.group_sample, left_out, least=least)
    whole = groups.group_agreement_of_patterns(
        found, {str(k): n for k, n in raters.items()}, min_raters=least[0], min_items=least[1], interval="linearised"
    )
    rows = _wide(snapshot, axis, whole.table)
    return Grouped(rows, snapshot.meta.group_sample, left_out, p_reason=whole.p_reason, least=least)


@st.cache_data(**KEPT, ttl=900)
def shuffled(snapshot: Snapshot, filters: Filters, axis: str) -> Grouped:
    """The groups from single ratings of one project, every filter held, with p and q; raises as data.ratings() does.

    Raters change places within their language only: people who read other languages rate other items.
    """
    read = data.ratings(snapshot, filters, which="overlap")
    rows, least = read.rows, _least()
    if rows.empty:
        return Grouped(pd.DataFrame(), p_reason="no item has two ratings", least=least)
    people = raters(snapshot)
    group = rows["rater_id"].map(people[COLUMN.get(axis, axis)])
    within = None if axis in OWN_BLOCKS else rows["rater_id"].map(people["language"]).fillna("").to_numpy()
    labels = snapshot.label_sets.get(rows["project_id"].iloc[0])
    found = groups.group_agreement(
        rows["item_id"].to_numpy(),
        rows["rater_id"].to_numpy(),
        rows["label"].to_numpy(),
        group.where(group.notna(), None).to_numpy(object),
        labels.labels if labels else None,
        permutations=PERMUTATIONS,
        within=within,
        min_raters=least[0],
        min_items=least[1],
        interval="linearised",
    )
    return Grouped(
        _wide(snapshot, axis, found.table),
        tests=found.tests,
        splits=found.splits,
        exact=found.exact,
        p_reason=found.p_reason,
        ratings=len(rows),
        cut=read.cut,
        least=least,
    )


@st.cache_data(**KEPT)
def raters(snapshot: Snapshot) -> pd.DataFrame:
    """Raters by id: alias, pool_id, language, locale, gender, age_band, and their pool's site, region and vendor."""
    people = snapshot.table("rater")
    pools = snapshot.table("pool")[["pool_id", "name", "site", "region", "vendor"]].rename(columns={"name": "pool"})
    return people.merge(pools, on="pool_id", how="left").set_index("rater_id")


def _wide(snapshot: Snapshot, axis: str, table: pd.DataFrame) -> pd.DataFrame:
    """A row per group of what groups.GroupAgreement holds in three; those with a finding first, no number last."""
    found = []
    for name, rows in table.groupby("group", sort=False):
        by = {row["statistic"]: row for row in rows.to_dict("records")}
        one = {"member": str(name), "raters": by["irr"]["raters"]}
        for statistic in SHOWN:
            row = by[statistic]
            keys = ("low", "high", "n", "reason", "side", "p_two_sided", "q")
            one |= {statistic: row["value"]} | {f"{statistic}_{key}": row[key] for key in keys}
        found.append(one | {"finding": _finding(one)})
    rows = pd.DataFrame(found)
    labels = snapshot.names.get(axis, {})
    rows = rows.assign(label=distinct([labels.get(m, m) for m in rows["member"]], rows["member"].tolist()))
    rows["order"] = np.select([rows["finding"] != "", rows["gai"].notna(), rows["irr"].notna()], [0, 1, 2], 3)
    return rows.sort_values(["order", "label"], kind="stable").drop(columns="order").reset_index(drop=True)


def _finding(row: dict) -> str:
    """What stands out against shuffled raters at the false-discovery bound."""
    clear = {s: row[f"{s}_side"] for s in SHOWN if row[f"{s}_q"] <= FALSE_FINDINGS}
    if clear.get("gai") == "high":
        return "agrees more with itself than with the others"
    if clear.get("xrr") == "low":
        return "agrees less with the others"
    if clear.get("irr") == "low":
        return "agrees less with itself"
    if clear.get("irr") == "high":
        return "agrees more with itself"
    return "differs from chance splits" if clear else ""


def distinct(labels: list[str], members: list[str]) -> list[str]:
    """The labels, each with its id behind it where two are alike."""
    seen = Counter(labels)
    return [text if seen[text] == 1 else f"{text} ({member})" for text, member in zip(labels, members, strict=True)]
