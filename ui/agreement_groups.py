"""Agreement inside and between groups of raters: from the snapshot at once, from single ratings with a test."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access import counts
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
LEAST_DAYS = 182  # how far the sample of ratings is read back: groups share too few of a month's sampled items
COLUMNS = ("project_id", "policy", "label", "item", "rater", "group", "language")


@dataclass(frozen=True)
class Grouped:
    """Groups of raters side by side. rows: member, label, raters, and for irr, xrr, gai value, ends, n, reason,
    interval_reason, p, q, side; finding: what the test says in a word, "" without one. left_out: the filters that the
    snapshot's sample does not hold; tests, splits: how many tests and shuffles; p_reason: why no p; ratings: how many
    were read.
    """

    rows: pd.DataFrame
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


def least() -> tuple[int, int]:
    """Fewest raters and items of a group: the statistic's own, or the scope's where it asks for more."""
    scope = data.current_scope()
    return max(groups.MIN_RATERS, scope.minimum_raters), max(groups.MIN_ITEMS, scope.minimum_items)


# ---- ratings with the group of their rater ---------------------------------------------------------------------


def sampled_period(snapshot: Snapshot, filters: Filters) -> Filters:
    """The filters that the snapshot's sample keeps, over the period and at least LEAST_DAYS up to its end."""
    kept, end = counts.kept(filters), filters.end or snapshot.meta.last_day
    if kept.start is None or end is None:
        return kept
    return kept.over(min(kept.start, end - dt.timedelta(days=LEAST_DAYS - 1)), end)


def sampled(snapshot: Snapshot, filters: Filters, axis: str) -> pd.DataFrame:
    """COLUMNS of the snapshot's sample of ratings."""
    return data.sampled_ratings(snapshot, axis, sampled_period(snapshot, filters))


@dataclass(frozen=True)
class Live:
    """rows: COLUMNS of every rating there is; cut: whether that is more than is read at once."""

    rows: pd.DataFrame
    cut: bool


def live(snapshot: Snapshot, filters: Filters, axis: str) -> Live:
    """Single ratings of one project from the warehouse, every filter held; raises as data.ratings() does."""
    read = data.ratings(snapshot, filters, which="overlap")
    people = raters(snapshot)
    group = read.rows["rater_id"].map(people[COLUMN.get(axis, axis)])
    rows = read.rows.rename(columns={"item_id": "item", "rater_id": "rater"}).assign(
        group=group.where(group.notna(), None).to_numpy(object),
        language=read.rows["rater_id"].map(people["language"]).fillna("").to_numpy(object),
    )
    return Live(rows[list(COLUMNS)], read.cut)


def blocks(rows: pd.DataFrame, axis: str) -> np.ndarray | None:
    """Within what raters change places: their language, as people who read other languages rate other items."""
    return None if axis in OWN_BLOCKS else rows["language"].to_numpy()


# ---- agreement inside and between the groups -------------------------------------------------------------------


@st.cache_data(**KEPT)
def of_snapshot(snapshot: Snapshot, filters: Filters, axis: str) -> Grouped:
    """The groups from the snapshot's sample of ratings, all projects put together, no test."""
    rows = sampled(snapshot, filters, axis)
    found: dict[str, list] = {}
    for project, ours in rows.groupby("project_id"):
        if (labels := snapshot.label_sets.get(project)) is not None:
            columns = (ours[name].to_numpy() for name in ("item", "rater", "label", "group"))
            for group, patterns in groups.group_patterns(*columns, labels.labels).items():
                found.setdefault(str(group), []).append(patterns)
    period = sampled_period(snapshot, filters)
    left_out = tuple(name for name, _ in filters.where if not period.values(name))
    if not found:
        return Grouped(pd.DataFrame(), left_out, least=least())
    members = {str(k): n for k, n in data.raters_in_groups(snapshot, axis, period).items()}
    fewest = dict(zip(("min_raters", "min_items"), least(), strict=True))
    whole = groups.group_agreement_of_patterns(found, members, **fewest, interval="score")
    return Grouped(
        _wide(snapshot, axis, whole.table), left_out, p_reason=whole.p_reason, ratings=len(rows), least=least()
    )


@st.cache_data(**KEPT, ttl=900)
def shuffled(snapshot: Snapshot, filters: Filters, axis: str) -> Grouped:
    """The groups from all ratings of one project, with p and q; raises as ``live`` does."""
    read = live(snapshot, filters, axis)
    rows = read.rows
    if rows.empty:
        return Grouped(pd.DataFrame(), p_reason="no item has two ratings", least=least())
    labels = snapshot.label_sets.get(rows["project_id"].iloc[0])
    fewest = dict(zip(("min_raters", "min_items"), least(), strict=True))
    found = groups.group_agreement(
        *(rows[name].to_numpy() for name in ("item", "rater", "label", "group")),
        labels.labels if labels else None,
        permutations=PERMUTATIONS,
        within=blocks(rows, axis),
        **fewest,
        interval="score",
    )
    return Grouped(
        _wide(snapshot, axis, found.table),
        tests=found.tests,
        splits=found.splits,
        exact=found.exact,
        p_reason=found.p_reason,
        ratings=len(rows),
        cut=read.cut,
        least=least(),
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
            keys = ("low", "high", "n", "reason", "interval_reason", "side", "p_two_sided", "q")
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
