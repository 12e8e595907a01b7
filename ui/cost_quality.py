"""What money buys: pools by cost and accuracy inside a project and language, and what more raters are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import frontier as fr
from metrics import raters_per_item as rpi
from metrics import unit_cost
from metrics.shapes import effective_n
from ui import costs, data, figures
from ui.costs import KEPT, cannot
from ui.gold_table import gold_table

KS = (1, 3, 5, 7)
LEAST_GOLD = 100  # gold judgements for a curve
MOST_STATES = 2_000  # label counts that a plan follows on a page
THRESHOLDS = (0.9, 0.95, 0.99)
BY = ("project", "pool", "language")
ALONE = "no other pool works in {} on it"


# ---- pools by cost and quality ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Frontiers:
    """Pools by cost and accuracy inside each project and language.

    rows: a row per project, language and pool: project, language, pool, label (of the pool), project_label, labels,
    spent, and the columns of metrics.frontier.frontier(). projects: id and name of those with pools, most spent first.
    withheld: how many pools of each project are too small for the reader.
    """

    rows: pd.DataFrame
    projects: dict[str, str]
    reason: str = ""
    withheld: Mapping[str, int] = field(default_factory=dict)

    def of(self, project: str) -> pd.DataFrame:
        """The pools of one project, those of a language together."""
        if not len(self.rows):
            return self.rows
        if project not in self._kept:
            self._kept[project] = self.rows[self.rows["project"] == project].reset_index(drop=True)
        return self._kept[project].copy(deep=False)  # what the caller writes to it stays the caller's

    def partners(self, project: str) -> dict[str, dict[str, str]]:
        """By pool of the project: id and label of the others that work in a language of its own there, where any."""
        rows = self.of(project)
        if rows.empty:
            return {}
        by_language: dict[str, dict[str, str]] = {}
        for pool, language, label in zip(rows["pool"], rows["language"], rows["label"], strict=True):
            by_language.setdefault(language, {})[pool] = label
        found: dict[str, dict[str, str]] = {}
        for pool, language in zip(rows["pool"], rows["language"], strict=True):
            for other, label in by_language[language].items():
                if other != pool:
                    found.setdefault(pool, {})[other] = label
        return found

    @cached_property
    def _kept(self) -> dict[str, pd.DataFrame]:
        """Rows by project, once asked for: a page asks for one project's a dozen times."""
        return {}


@st.cache_data(**KEPT)
def frontiers(snapshot: Snapshot, filters: Filters, quality: str) -> Frontiers:
    """Cost a label (all costs) against accuracy of every pool.

    Compared inside a project and language: only there is the work alike, and can a pool take it over.
    """
    reason = cannot(snapshot, filters)
    if reason or not filters.days:
        return Frontiers(pd.DataFrame(), {}, reason or "there is no period")
    rows = costs.clusters(snapshot, filters, ("language",))
    rows = _in_language(rows[rows["pool"].notna() & rows["project"].notna()])
    if rows.empty or not rows["cost"].sum() > 0:
        return Frontiers(pd.DataFrame(), {}, "no costs match these filters")
    cost = unit_cost.cost_per(rows, BY)
    measured = figures.measure(snapshot, (quality,), (BY,), (filters,))[0][0]
    measured = measured[measured["pool"].notna()] if "pool" in measured else measured.iloc[:0]
    spent = rows.groupby(list(BY))["cost"].sum()
    least = data.current_scope().minimum_items
    hidden = data.too_small(snapshot, BY, filters)
    seen = np.array([key not in hidden for key in zip(*(cost[c] for c in BY), strict=True)], bool)
    large = seen & (cost["n"] >= least).to_numpy()
    some = ((cost["n"] > 0) & (cost["value"] > 0)).to_numpy()
    away = cost[some & ~large].drop_duplicates(["project", "pool"])
    withheld = {str(p): int(n) for p, n in away["project"].value_counts().items()}
    cost = cost[some & large].reset_index(drop=True)
    right = cost[list(BY)].merge(measured, on=list(BY), how="left")
    value, low, high, n = (right[c].to_numpy(float) for c in ("value", "low", "high", "n"))
    n = np.where(np.isnan(value), 0.0, n)
    share = np.clip(np.nan_to_num(value), 0, 1)
    worth = effective_n(share, low, high, n)
    why = right["reason"].fillna("").to_numpy(object)
    ends = {f"cost{s}": cost[c].to_numpy(float) for s, c in (("", "value"), ("_low", "low"), ("_high", "high"))}
    parts = []
    for project, at in cost.groupby("project", sort=False).indices.items():
        known = unit_cost.shrunk_accuracy(share[at] * n[at], n[at], worth[at])
        pools = pd.DataFrame(
            {
                "pool": cost["pool"].to_numpy()[at],
                "language": cost["language"].to_numpy()[at],
                **{name: column[at] for name, column in ends.items()},
                **{f"quality{s}": known[c].to_numpy() for s, c in (("", "value"), ("_low", "low"), ("_high", "high"))},
                "quality_reason": np.where(n[at] > 0, "", np.where(why[at] == "", known["reason"], why[at])),
                "labels": cost["n"].to_numpy()[at],
                "gold": n[at],
            }
        )
        for language, some_pools in pools.groupby("language", sort=True):
            found = _compared(some_pools.reset_index(drop=True), str(language))
            money = [float(spent[(project, p, language)]) for p in found["pool"]]
            parts.append(found.assign(project=project, language=str(language), spent=money))
    if not parts:
        why = "every pool is too small a group to show" if withheld else "no pool made labels here"
        return Frontiers(pd.DataFrame(), {}, why, withheld)
    table = pd.concat(parts, ignore_index=True)
    names = snapshot.names
    table["label"] = [names["pool"].get(str(p), str(p)) for p in table["pool"]]
    table["project_label"] = [names["project"].get(str(p), str(p)) for p in table["project"]]
    table["beaten_by"] = [names["pool"].get(str(p), str(p)) if p is not None else "" for p in table["dominated_by"]]
    order = table.groupby("project")["spent"].sum().sort_values(ascending=False, kind="stable")
    return Frontiers(table, {str(p): names["project"].get(str(p), str(p)) for p in order.index}, "", withheld)


def _in_language(rows: pd.DataFrame) -> pd.DataFrame:
    """Costs of weeks without work, which have no language, put to the pool's languages on the project by its labels."""
    gone = rows["language"].isna()
    if not gone.any():
        return rows
    made = rows[~gone].groupby(list(BY), as_index=False)["labels"].sum()
    whole = made.groupby(["project", "pool"])["labels"].transform("sum")
    made = made.assign(part=made["labels"] / whole.where(whole > 0)).drop(columns="labels").dropna()
    spread = rows[gone].drop(columns="language").merge(made, on=["project", "pool"])
    spread = spread.assign(cost=spread["cost"] * spread["part"], labels=0.0).drop(columns="part")
    return pd.concat([rows[~gone], spread], ignore_index=True)


def _compared(pools: pd.DataFrame, language: str) -> pd.DataFrame:
    """The frontier of one project's pools of a language; a pool with none to compare with has no verdict."""
    found = fr.frontier(pools, draws=1000).assign(labels=pools["labels"], gold=pools["gold"])
    if len(pools) == 1 and found["verdict"].notna().all():
        none = pd.Series([None], dtype=object)
        found = found.assign(
            efficient=none, verdict=none, p_dominated=np.nan, p_dominated_by=np.nan, reason=ALONE.format(language)
        )
    return found


def first_project(found: Frontiers) -> str:
    """The project to open with: one with a pool that gives less for more, else the most comparable, else the first."""
    if found.rows.empty:
        return ""
    known = found.rows[found.rows["verdict"].notna()]
    beaten = known[known["verdict"] == fr.DOMINATED].groupby("project")["spent"].sum()
    if len(beaten):
        return str(beaten.idxmax())
    several = known.groupby(["project", "language"])["pool"].size().groupby("project").max()
    several = [p for p in found.projects if several.get(p, 0) > 1]
    return several[0] if several else next(iter(found.projects))


# ---- raters an item --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Raters:
    """What more ratings of an item buy on one project.

    curve: k, accuracy of the majority with low and high, likeliest (accuracy of the likeliest label, as Dawid-Skene
    takes it, given this confusion), cost of an item, and what the last step costs an item put right (extra).
    plans: threshold, ratings (expected), accuracy, cost, unsure, fixed_k. price: of a label; NaN where not known.
    error: share of single ratings that are wrong. audit_price: of a review. best: the value of one more rating after
    each pattern of two: gain. judgements: gold judgements used.
    """

    curve: pd.DataFrame
    plans: pd.DataFrame
    price: float
    audit_price: float
    error: float
    judgements: float
    reason: str = ""


@st.cache_data(**KEPT)
def raters(snapshot: Snapshot, filters: Filters, project: str, alike: float) -> Raters:
    """Accuracy of the consensus of k raters against its cost, from this project's own confusion on gold.

    alike: how alike raters err on an item, 0 (independent) to 1.
    """
    blank = Raters(pd.DataFrame(), pd.DataFrame(), math.nan, math.nan, math.nan, 0.0)
    if not project:
        return replace(blank, reason="choose a project")
    if (project,) in data.too_small(snapshot, ("project",), filters.with_("project", project)):
        return replace(blank, reason="too small a group to show")
    table = gold_table(snapshot, filters.with_("project", project), project)
    if table is None:
        return replace(blank, reason="its label set is not kept")
    if table.sum() < LEAST_GOLD or len(table) < 2:
        return replace(blank, reason=f"fewer than {LEAST_GOLD} gold judgements", judgements=float(table.sum()))
    price, audit_price = _prices(snapshot, filters, project)
    prior = table.sum(axis=1) / table.sum()
    used = prior > 0
    confusion = (table + 1 / len(table)) / (table + 1 / len(table)).sum(axis=1, keepdims=True)
    unit = 1.0 if math.isnan(price) else price
    curve = rpi.ratings_curve_of_confusion(table, KS, prior=prior, cost=unit, correlation=alike, draws=60)
    if not used.all():
        confusion, prior = _fold(confusion, prior, used)
    most = next((m for m in (7, 5, 3) if math.comb(m + len(confusion), len(confusion)) <= MOST_STATES), 0)
    likeliest, plans = {}, []
    if most and len(confusion) == confusion.shape[1]:
        for threshold in THRESHOLDS:
            plan = rpi.adaptive_stopping(confusion, prior, threshold, most, correlation=alike, cost=unit)
            likeliest = dict(enumerate(plan.fixed, 1))
            plans.append((threshold, plan.ratings, plan.accuracy, plan.cost, plan.unsure, plan.fixed_k, most))
    names = ["threshold", "ratings", "accuracy", "cost", "unsure", "fixed_k", "most"]
    error = 1 - float(curve["accuracy"].iloc[0])
    curve["likeliest"] = curve["k"].map(likeliest).astype(float)
    return Raters(curve, pd.DataFrame(plans, columns=names), price, audit_price, error, float(table.sum()))


def _fold(confusion: np.ndarray, prior: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A label that is never right is no answer to wait for: its row is one of chance, its prior stays 0."""
    confusion = confusion.copy()
    confusion[~used] = 1 / len(confusion)
    return confusion, prior


def _prices(snapshot: Snapshot, filters: Filters, project: str) -> tuple[float, float]:
    """What a label and a review cost on the project; NaN where not known."""
    held = Filters.of({"project": (project,)}, filters.start, filters.end)
    rows = data.sums(snapshot, "ledger", ("cost", "cost_review", "labels"), (), held)
    cost, review, labels = (
        float(np.nan_to_num(rows[c].astype(float).sum())) for c in ("cost", "cost_review", "labels")
    )
    done = data.sums(snapshot, "work", ("judgements",), (), held.with_("stage", "review"))
    reviews = float(np.nan_to_num(done["judgements"].astype(float).sum()))
    return (
        (cost - review) / labels if labels and cost > review else math.nan,
        review / reviews if reviews and review > 0 else math.nan,
    )
