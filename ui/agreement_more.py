"""What moved in the mix of labels, and what one more rating per item would buy: from the snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import agreement, items, raters_per_item
from metrics.multiple import benjamini_hochberg
from metrics.shapes import LabelSet
from ui import agreement as figures
from ui import data, periods
from ui.figures import KEPT
from ui.gold_table import gold_table

KS = (1, 3, 5, 7)
MOVED = 0.05
BASELINE_WEEKS = 4
DRAWS = 500  # for the intervals of distances between label mixes
MOST_LABELS = 20  # in the chart of one project's labels


# ---- label mix -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shifts:
    """projects: a row per project: project, label, value (share of labels that changed) with low and high, n, p, q,
    moved, largest (the label that moved most) and its change; labels: items.label_shift()'s table of the one project
    there is, with names, else None.
    """

    projects: pd.DataFrame
    labels: pd.DataFrame | None


@st.cache_data(**KEPT)
def shifts(snapshot: Snapshot, filters: Filters) -> Shifts:
    """How the mix of labels moved against the period before, project by project."""
    before, after = _weekly(snapshot, baseline(filters)), _weekly(snapshot, filters)
    least = data.current_scope().minimum_items
    rows, tables = [], {}
    for project in sorted(set(before) & set(after)):
        labels: LabelSet = snapshot.label_sets[project]
        found = items.label_shift(before[project], after[project], figures.label_names(labels), draws=DRAWS)
        if found.reason or min(found.n_before, found.n_after) < least:
            continue
        top = found.table.iloc[0]
        tables[project] = found.table
        variation = found.total_variation
        rows.append(
            {
                "project": project,
                "label": snapshot.names["project"].get(project, project),
                "value": variation.value,
                "low": variation.low,
                "high": variation.high,
                "chance": found.chance_high,
                "n": found.n_after,
                "p": np.nan if found.p_value is None else found.p_value,
                "largest": top["label"],
                "change": top["change"],
                "change_low": top["low"],
                "change_high": top["high"],
            }
        )
    projects = pd.DataFrame(rows)
    if projects.empty:
        return Shifts(projects, None)
    q = benjamini_hochberg(projects["p"]).q
    projects = projects.assign(q=q, moved=np.nan_to_num(q, nan=1.0) <= MOVED)
    projects = projects.sort_values(["moved", "value"], ascending=False, kind="stable").reset_index(drop=True)
    return Shifts(projects, tables[projects["project"].iloc[0]] if len(projects) == 1 else None)


def baseline(filters: Filters) -> Filters:
    """The period before, at least four weeks of it: only several weeks show how much the mix moves anyway."""
    before = filters.before()
    if before.start is None or before.end is None:
        return before
    return before.over(min(before.start, before.end - (BASELINE_WEEKS * periods.WEEK - periods.ONE)), before.end)


def _weekly(snapshot: Snapshot, filters: Filters) -> dict[str, np.ndarray]:
    """Ratings by week and label of each project."""
    found: dict[str, list] = {}
    for key, parts in data.patterns(snapshot, filters, ("project", "week")):
        for patterns, _ in parts:
            found.setdefault(str(key["project"]), []).append(patterns.items @ patterns.counts)
    return {project: np.array(weeks) for project, weeks in found.items()}


# ---- one more rating -------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def one_more(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """A row per project: the half-width of alpha's interval now and with one more rating of every item rated twice.

    Columns: project, label, alpha, half_width, later, narrowing, ratings, cost (of those ratings, NaN unknown), reason.
    """
    prices = _price(snapshot, filters)
    rows = []
    least = max(figures.ALPHA.min_n, data.current_scope().minimum_items)
    for key, parts in data.patterns(snapshot, filters, ("project",)):
        if len(parts) != 1:
            continue
        patterns, labels = parts[0]
        found = agreement.one_more_rating(patterns, labels.level, labels.values)
        if patterns.n_pairable < least:
            found = agreement.OneMoreRating(None, None, patterns.n_pairable, f"fewer than {least} items rated twice")
        project = str(key["project"])
        rows.append(
            {
                "project": project,
                "label": snapshot.names["project"].get(project, project),
                "half_width": np.nan if found.half_width is None else found.half_width,
                "later": np.nan if found.half_width_then is None else found.half_width_then,
                "narrowing": np.nan if found.narrowing is None else found.narrowing,
                "ratings": found.ratings,
                "cost": found.ratings * prices.get(project, np.nan),
                "reason": found.reason,
            }
        )
    if not rows:
        return pd.DataFrame()
    found = pd.DataFrame(rows)
    return found.sort_values(["half_width", "label"], ascending=[False, True], kind="stable").reset_index(drop=True)


@st.cache_data(**KEPT)
def majority(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Accuracy of the majority of k raters of one project, from its gold judgements, were raters to err independently.

    Columns as raters_per_item.ratings_curve_of_confusion(); ``cost`` in money where a label's price is known, else in
    ratings. Empty without gold.
    """
    project = figures.one_project(filters)
    table = gold_table(snapshot, filters, project)
    if table is None or table.sum() < LEAST_GOLD or len(table) < 2:
        return pd.DataFrame()
    prior = table.sum(axis=1) / table.sum()
    price = _price(snapshot, filters).get(project, np.nan)
    found = raters_per_item.ratings_curve_of_confusion(
        table, KS, prior=prior, cost=1.0 if np.isnan(price) else price, draws=100
    )
    return found.assign(judgements=table.sum(), priced=not np.isnan(price))


LEAST_GOLD = 100  # gold judgements for a curve of the majority


def _price(snapshot: Snapshot, filters: Filters) -> dict[str, float]:
    """What a label costs in each project; filters that costs are not kept by are left out."""
    held = Filters.of({"project": filters.values("project")}, filters.start, filters.end)
    found = data.measure(snapshot, ("cost_per_label",), ("project",), held)
    return {str(p): float(v) for p, v in zip(found["project"], found["value"], strict=True) if v == v and p is not None}
