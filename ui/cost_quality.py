"""What money buys: pools by cost and accuracy, raters an item, one more label or audit, and work that moves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import frontier as fr
from metrics import raters_per_item as rpi
from metrics import unit_cost
from metrics.intervals import student
from metrics.spec import Estimate
from ui import costs, data, figures
from ui.costs import KEPT, cannot

KS = (1, 3, 5, 7)
LEAST_GOLD = 100  # gold judgements for a curve
MOST_STATES = 2_000  # label counts that a plan follows on a page
THRESHOLDS = (0.9, 0.95, 0.99)
CONFUSION_KEEPS = frozenset({"project", "pool", "language", "policy"})
ONE_POOL = "only one pool works on it under these filters, so there is nothing to compare"
NO_SHIFTS = "capacity is not known: load the table shifts"


# ---- pools by cost and quality ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Frontiers:
    """Pools by cost and accuracy inside each project.

    rows: a row per project and pool: project, pool, label (of the pool), project_label, labels, spent, and the columns
    of metrics.frontier.frontier(). projects: id and name of those with pools, most spent first.
    """

    rows: pd.DataFrame
    projects: dict[str, str]
    reason: str = ""

    def of(self, project: str) -> pd.DataFrame:
        """The pools of one project."""
        return self.rows[self.rows["project"] == project].reset_index(drop=True) if len(self.rows) else self.rows


@st.cache_data(**KEPT)
def frontiers(snapshot: Snapshot, filters: Filters, quality: str) -> Frontiers:
    """Cost a label (all costs) against accuracy of every pool, compared inside a project: only there work is alike."""
    reason = cannot(snapshot, filters)
    if reason or not filters.days:
        return Frontiers(pd.DataFrame(), {}, reason or "there is no period")
    rows = costs.clusters(snapshot, filters)
    rows = rows[rows["pool"].notna() & rows["project"].notna()]
    if rows.empty or not rows["cost"].sum() > 0:
        return Frontiers(pd.DataFrame(), {}, "no costs match these filters")
    by = ("project", "pool")
    cost = unit_cost.cost_per(rows, by)
    measured = figures.measure(snapshot, (quality,), (by,), (filters,))[0][0]
    measured = measured[measured["pool"].notna()] if "pool" in measured else measured.iloc[:0]
    spent = rows.groupby(list(by))["cost"].sum()
    least = data.current_scope().minimum_items
    cost = cost[(cost["n"] > max(0, least - 1)) & (cost["value"] > 0)].reset_index(drop=True)
    right = cost[list(by)].merge(measured, on=list(by), how="left")
    value, low, high, n = (right[c].to_numpy(float) for c in ("value", "low", "high", "n"))
    n = np.where(np.isnan(value), 0.0, n)
    share = np.clip(np.nan_to_num(value), 0, 1)
    worth = costs.effective_n(share, low, high, n)
    why = right["reason"].fillna("").to_numpy(object)
    ends = {f"cost{s}": cost[c].to_numpy(float) for s, c in (("", "value"), ("_low", "low"), ("_high", "high"))}
    parts = []
    for project, at in cost.groupby("project", sort=False).indices.items():
        known = unit_cost.shrunk_accuracy(share[at] * n[at], n[at], worth[at])
        pools = pd.DataFrame(
            {
                "pool": cost["pool"].to_numpy()[at],
                **{name: column[at] for name, column in ends.items()},
                **{f"quality{s}": known[c].to_numpy() for s, c in (("", "value"), ("_low", "low"), ("_high", "high"))},
                "quality_reason": np.where(n[at] > 0, "", np.where(why[at] == "", known["reason"], why[at])),
            }
        )
        found = fr.frontier(pools, draws=1000)
        money = [float(spent[(project, p)]) for p in pools["pool"]]
        parts.append(found.assign(project=project, labels=cost["n"].to_numpy()[at], gold=n[at], spent=money))
    if not parts:
        return Frontiers(pd.DataFrame(), {}, "no pool made labels here")
    table = pd.concat(parts, ignore_index=True)
    names = snapshot.names
    table["label"] = [names["pool"].get(str(p), str(p)) for p in table["pool"]]
    table["project_label"] = [names["project"].get(str(p), str(p)) for p in table["project"]]
    table["beaten_by"] = [names["pool"].get(str(p), str(p)) if p is not None else "" for p in table["dominated_by"]]
    order = table.groupby("project")["spent"].sum().sort_values(ascending=False, kind="stable")
    return Frontiers(table, {str(p): names["project"].get(str(p), str(p)) for p in order.index})


def first_project(found: Frontiers) -> str:
    """The project to open with: one with a pool that gives less for more, else the most comparable, else the first."""
    if found.rows.empty:
        return ""
    known = found.rows[found.rows["verdict"].notna()]
    beaten = known[known["verdict"] == fr.DOMINATED].groupby("project")["spent"].sum()
    if len(beaten):
        return str(beaten.idxmax())
    several = known.groupby("project")["pool"].size()
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
    table = _confusion(snapshot, filters.with_("project", project))
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
        for k in KS:
            if k <= most:
                fixed = rpi.adaptive_stopping(confusion, prior, 1.0, k, least=k, correlation=alike)
                likeliest[k] = fixed.accuracy
        for threshold in THRESHOLDS:
            plan = rpi.adaptive_stopping(confusion, prior, threshold, most, correlation=alike, cost=unit)
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


def _confusion(snapshot: Snapshot, filters: Filters) -> np.ndarray | None:
    """Gold labels (rows) by labels given, those in use; None where the labels are not kept."""
    labels = snapshot.label_sets.get(filters.values("project")[0])
    if labels is None:
        return None
    held = Filters.of({n: v for n, v in filters.where if n in CONFUSION_KEEPS}, filters.start, filters.end)
    counted = data.confusion(snapshot, held)
    place = {label: k for k, label in enumerate(labels.labels)}
    table = np.zeros((len(place), len(place)))
    known = counted[counted["truth"].isin(place) & counted["label"].isin(place)]
    np.add.at(table, (known["truth"].map(place).to_numpy(int), known["label"].map(place).to_numpy(int)), known["n"])
    used = (table.sum(axis=1) + table.sum(axis=0)) > 0
    return table[np.ix_(used, used)]


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
        (cost - review) / labels if labels and cost else math.nan,
        review / reviews if reviews and review else math.nan,
    )


# ---- work that moves -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Move:
    """What moving a share of a project's labels from one pool to another would do; or the reason why it is not said."""

    found: fr.Reallocation | None
    source: fr.Pool | None
    target: fr.Pool | None
    reason: str = ""


@st.cache_data(**KEPT)
def move(
    snapshot: Snapshot,
    filters: Filters,
    quality: str,
    project: str,
    source: str,
    target: str,
    share: float,
    usable: float,
) -> Move:
    """The effect of moving ``share`` of the source's labels of the project to the target, a week.

    usable: the share of paid hours that can be handling; a pool's capacity is its paid hours times that, over the
    handling time of one of the project's labels there. Its load is all its handling time, in such labels.
    """
    rows = frontiers(snapshot, filters, quality).of(project)
    if len(rows) < 2:
        return Move(None, None, None, ONE_POOL if len(rows) else "there are no pools to move work between")
    chosen = {p: rows[rows["pool"] == p] for p in (source, target)}
    if source == target or any(c.empty for c in chosen.values()):
        return Move(None, None, None, "choose two different pools")
    weeks = filters.days / 7
    loads = _loads(snapshot, filters, project, (source, target), usable)
    pools = []
    for name, row in chosen.items():
        one = row.iloc[0]
        labels = float(one["labels"]) / weeks
        load, capacity = loads.get(name, (labels, None))
        pools.append(
            fr.Pool(
                str(one["label"]),
                _estimate(one, "cost", one["labels"]),
                _estimate(one, "quality", one["gold"]),
                labels,
                max(load, labels),
                capacity or Estimate.missing(NO_SHIFTS),
            )
        )
    if pools[0].name == pools[1].name:
        pools[1] = replace(pools[1], name=f"{pools[1].name} (2)")
    return Move(fr.reallocate(*pools, share), *pools)


def _estimate(row: pd.Series, name: str, n: float) -> Estimate:
    value, low, high = (row[f"{name}{s}"] for s in ("", "_low", "_high"))
    if pd.isna(value):
        return Estimate.missing(str(row["reason"]) or f"no {name}", float(n))
    ends = (None, None) if pd.isna(low) or pd.isna(high) else (float(low), float(high))
    return Estimate(float(value), *ends, n=float(n))


def _loads(
    snapshot: Snapshot, filters: Filters, project: str, pools: tuple[str, ...], usable: float
) -> dict[str, tuple[float, Estimate | None]]:
    """By pool: its load a week and its capacity a week, both in labels of the project."""
    scope = data.current_scope()
    if scope.projects is not None:  # the reader does not see all that the pools work on
        return {}
    whole = Filters.of({"pool": pools}, filters.start, filters.end)
    work = data.sums(
        snapshot, "work", ("labels", "handle_n", "handle_sum_seconds", "judgements"), ("project", "pool"), whole
    )
    timed = work["handle_n"].astype(float)
    seconds = work["handle_sum_seconds"].astype(float) / timed.where(timed > 0) * work["judgements"].astype(float)
    work = work.assign(seconds=seconds.fillna(0.0))
    paid = data.sums(snapshot, "shift", ("logged_seconds",), ("week", "pool"), whole)
    found = {}
    for pool in pools:
        here = work[work["pool"] == pool]
        own = here[here["project"] == project]
        labels = float(own["labels"].sum())
        each = float(own["seconds"].sum()) / labels if labels else 0.0
        if not each > 0:
            continue
        hours = paid.loc[paid["pool"] == pool, "logged_seconds"].to_numpy(float) * usable
        found[pool] = (float(here["seconds"].sum()) / each / (filters.days / 7), _capacity(hours / each, filters))
    return found


def _capacity(weekly: np.ndarray, filters: Filters) -> Estimate | None:
    """Labels a week that the paid hours allow; the interval is that of the mean of the weeks."""
    if not len(weekly) or not weekly.sum() > 0:
        return None
    mean = float(weekly.sum() / (filters.days / 7))
    if len(weekly) < 3:
        return Estimate(mean, n=len(weekly))
    half = float(student(0.975, len(weekly) - 1)) * float(weekly.std(ddof=1)) / math.sqrt(len(weekly))
    ratio = math.exp(half / mean)
    return Estimate(mean, mean / ratio, mean * ratio, len(weekly))
