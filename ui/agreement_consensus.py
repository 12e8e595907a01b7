"""What the labels would be without gold: majority vote beside Dawid and Skene's model, from single ratings."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.consensus.comparison import Comparison, compare
from ui import agreement_groups, data
from ui.agreement_items import LIVE, MOST_ITEMS, item_places, label_set

FEWEST_RATINGS = 30  # of a rater, for an accuracy under the model: with fewer its interval misses too often


@dataclass(frozen=True)
class WithoutGold:
    """found: what both methods make of the ratings; items: the most uncertain, with item, policy, language, label,
    probability, majority, n (ratings); raters: rater (pseudonym), pool, value, low, high, n, by pool and name; few:
    raters left out for too few ratings; cut: whether there are more ratings than were read.
    """

    found: Comparison
    items: pd.DataFrame
    raters: pd.DataFrame
    few: int
    cut: bool


@st.cache_data(**LIVE)
def without_gold(snapshot: Snapshot, filters: Filters) -> WithoutGold:
    """Both methods on the items of one project that raters overlap on; raises as data.ratings() does.

    Gold is held out: it scores the methods and teaches neither.
    """
    read = data.ratings(snapshot, filters, which="overlap")
    rows = read.rows
    labels = label_set(snapshot, filters).labels
    known = rows[rows["gold_label"].isin(labels)].drop_duplicates("item_id")
    gold = dict(zip(known["item_id"], known["gold_label"], strict=True))
    rows = rows[rows["label"].isin(labels)]
    found = compare(
        rows["item_id"].to_numpy(object),
        rows["rater_id"].to_numpy(object),
        rows["label"].to_numpy(object),
        labels,
        gold,
    )
    times = rows["item_id"].value_counts()
    unsure = found.items.sort_values("probability", kind="stable").head(MOST_ITEMS)
    unsure = unsure.assign(n=unsure["item"].map(times))
    people = agreement_groups.raters(snapshot)
    judged = found.raters[found.raters["n"] >= FEWEST_RATINGS]
    judged = judged.assign(
        rater_id=judged["rater"],
        rater=[str(people["alias"].get(r, r)) for r in judged["rater"]],
        pool=[str(people["pool"].get(r, "")) for r in judged["rater"]],
    )
    return WithoutGold(
        found,
        item_places(unsure, rows),
        judged.sort_values(["pool", "rater"], kind="stable", ignore_index=True),
        len(found.raters) - len(judged),
        read.cut,
    )
