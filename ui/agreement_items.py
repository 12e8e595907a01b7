"""Single ratings, read live: the items raters differ on, gold that looks wrong, raters beside one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import agreement, items
from metrics.agreement import PairMatrix
from metrics.shapes import LabelSet
from ui import agreement as figures
from ui import agreement_groups, data
from ui.figures import KEPT

LIVE = {**KEPT, "ttl": 900}  # as the rows themselves
MOST_ITEMS = 100
MOST_RATERS = 24  # in the matrix: those who share most items
LEAST_SHARED = 10  # items two raters must share to be compared
DOUBTED = 0.5  # posterior from which gold more likely than not is wrong


@dataclass(frozen=True)
class Contested:
    """table: as items.contested_items(), with policy and language; average: expected disagreement of any item."""

    table: pd.DataFrame
    average: float | None
    n_items: int
    reason: str
    cut: bool


@st.cache_data(**LIVE)
def contested(snapshot: Snapshot, filters: Filters) -> Contested:
    """The items of one project on which the next two ratings would differ most; raises as data.ratings() does."""
    read = data.ratings(snapshot, filters, which="overlap")
    rows, labels = read.rows, label_set(snapshot, filters)
    found = items.contested_items(
        rows["item_id"], rows["rater_id"], rows["label"], labels.labels, top=MOST_ITEMS, distance=_apart(labels)
    )
    return Contested(item_places(found.table, rows), found.average, found.n_items, found.reason, read.cut)


@dataclass(frozen=True)
class Gold:
    """table: as items.doubtful_gold(), with policy and language; doubted: how many are more likely wrong than right;
    false: how many of those are expected to be sound; by_policy: policy, doubted, judged.
    """

    table: pd.DataFrame
    doubted: int
    false: float
    n_judged: int
    n_items: int
    share_wrong: float | None
    by_policy: pd.DataFrame
    reason: str
    cut: bool


@st.cache_data(**LIVE)
def doubtful_gold(snapshot: Snapshot, filters: Filters) -> Gold:
    """Gold labels of one project that the raters' answers speak against; raises as data.ratings() does."""
    read = data.ratings(snapshot, filters, which="gold")
    rows, labels = read.rows, label_set(snapshot, filters)
    gold = dict(zip(rows["item_id"], rows["gold_label"], strict=True))
    found = items.doubtful_gold(rows["item_id"], rows["rater_id"], rows["label"], gold, labels.labels)
    table = item_places(found.table, rows)
    judged = table[table["posterior"].notna()]
    doubted = judged[judged["posterior"] > DOUBTED]
    by = pd.DataFrame({"doubted": doubted["policy"].value_counts(), "judged": judged["policy"].value_counts()})
    by = by.fillna(0).astype(int).rename_axis("policy").reset_index().sort_values("doubted", ascending=False)
    false = float((1 - doubted["posterior"]).sum())
    return Gold(
        judged.head(MOST_ITEMS),
        len(doubted),
        false,
        found.n_judged,
        found.n_items,
        found.share_wrong,
        by,
        found.reason,
        read.cut,
    )


@dataclass(frozen=True)
class Pairs:
    """matrix: kappa of the raters who share most items; labels, pools: theirs, in its order; clear: the pairs that
    agree clearly less than raters in general, allowing for how many pairs there are; raters: how many rated at all, of
    whom the matrix holds at most MOST_RATERS; overall: the mean kappa of the pairs, weighted by the items they share.
    """

    matrix: PairMatrix | None
    labels: tuple[str, ...]
    pools: tuple[str, ...]
    clear: pd.DataFrame
    pairs: int
    raters: int
    overall: float | None
    cut: bool


@st.cache_data(**LIVE)
def pairs(snapshot: Snapshot, filters: Filters) -> Pairs:
    """Every two raters of one project beside one another; raises as data.ratings() does."""
    read = data.ratings(snapshot, filters, which="overlap")
    rows, labels = read.rows, label_set(snapshot, filters)
    columns = rows["item_id"].to_numpy(), rows["rater_id"].to_numpy(), rows["label"].to_numpy()
    weights = figures.credit(labels)
    every = agreement.pairwise(*columns, weights=weights, labels=labels.labels)
    known = every[(every["n"] >= LEAST_SHARED) & every["value"].notna()]
    if known.empty:
        return Pairs(None, (), (), known, 0, rows["rater_id"].nunique(), None, read.cut)
    general = float((known["value"] * known["n"]).sum() / known["n"].sum())
    allowed = 1 - 0.05 / len(known)
    strict = agreement.pairwise(*columns, weights=weights, labels=labels.labels, confidence=allowed)
    below = strict.loc[known.index, "high"] < general
    clear = known[below].sort_values("high")
    shared = pd.concat([known.set_index("rater")["n"], known.set_index("other")["n"]]).groupby(level=0).sum()
    people = agreement_groups.raters(snapshot)
    chosen = shared.sort_values(ascending=False).index[:MOST_RATERS]
    kept = known[known["rater"].isin(chosen) & known["other"].isin(chosen)]
    matrix = agreement.pair_matrix(kept)
    order = sorted(
        range(len(matrix.raters)),
        key=lambda k: (str(people["pool"].get(matrix.raters[k])), str(people["alias"].get(matrix.raters[k]))),
    )
    matrix = PairMatrix(
        tuple(matrix.raters[k] for k in order), matrix.value[np.ix_(order, order)], matrix.n[np.ix_(order, order)]
    )
    names = tuple(f"{people['pool'].get(r)} · {people['alias'].get(r, r)}" for r in matrix.raters)
    pools = tuple(str(people["pool"].get(r, "")) for r in matrix.raters)
    clear = clear.assign(
        rater_name=[str(people["alias"].get(r, r)) for r in clear["rater"]],
        other_name=[str(people["alias"].get(r, r)) for r in clear["other"]],
        pools=[f"{people['pool'].get(a)}, {people['pool'].get(b)}" for a, b in zip(clear["rater"], clear["other"])],  # noqa: B905
    )
    return Pairs(matrix, names, pools, clear, len(known), rows["rater_id"].nunique(), general, read.cut)


def ratings_of(snapshot: Snapshot, filters: Filters, which: str, item: str) -> pd.DataFrame:
    """The ratings of one item among those already read: rater (pseudonym), pool, label, when, seconds, version."""
    rows = data.ratings(snapshot, filters, which=which).rows
    rows = rows[rows["item_id"] == item]
    people = agreement_groups.raters(snapshot)
    return rows.assign(
        rater=[str(people["alias"].get(r, r)) for r in rows["rater_id"]],
        pool=[str(people["pool"].get(r, "")) for r in rows["rater_id"]],
        region=[str(people["region"].get(r, "")) for r in rows["rater_id"]],
    )


def label_set(snapshot: Snapshot, filters: Filters) -> LabelSet:
    """The labels of the one project chosen."""
    return snapshot.label_sets[figures.one_project(filters)]


def _apart(labels: LabelSet) -> np.ndarray | None:
    """How far two labels are apart, 0 to 1, where near misses deserve credit."""
    weights = figures.credit(labels)
    if isinstance(weights, str):
        return None if weights == "identity" else 1 - agreement.agreement_weights(weights, len(labels.labels))
    return 1 - weights


def item_places(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The items' policy and language beside them."""
    first = rows.drop_duplicates("item_id").set_index("item_id")
    place = {name: table["item"].map(first[name]).fillna("").astype(str) for name in ("policy", "language")}
    return table.assign(**place)
