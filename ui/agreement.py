"""What the agreement page shows from the snapshot: coefficients side by side, and what they rest on."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from data_access import dimensions
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import agreement, targets
from metrics.catalogue import METRICS
from metrics.patterns import Patterns
from metrics.shapes import LabelSet, Parts
from metrics.spec import Estimate, Estimates, Metric, Status
from ui import data
from ui.figures import KEPT, ORDER

ALPHA, AC, PERCENT = (METRICS[name] for name in ("krippendorff_alpha", "gwet_ac1", "percent_agreement"))
BREAKDOWNS = ("project", "language", "policy", "guideline_version")
NARROWER = {"project": "policy", "policy": "language", "language": "guideline_version", "guideline_version": "language"}
COEFFICIENTS = ("alpha", "ac", "kappa", "percent")
SEVERAL = "several label sets"  # the level of a group whose projects have labels of their own
NO_CHANCE = "the projects have different label sets: choose one project"
SMALL = "too small a group to show"
PREVALENT = 0.5  # share of ratings from which the commonest label dominates
CONFIDENCE = 0.95

Cells = list[tuple[dict[str, object], Parts]]


def why_not(filters: Filters) -> str:
    """Why the snapshot holds no agreement for these filters; empty when it does."""
    source = dimensions.SOURCES["agreement"]
    missing = (name for name, _ in filters.where if dimensions.expression(source, name) is None)
    return next((dimensions.why_not(source, name) for name in missing), "")


def one_project(filters: Filters) -> str:
    """The project the filters choose; empty when they choose none or several."""
    chosen = filters.values("project")
    return chosen[0] if len(chosen) == 1 else ""


# ---- coefficients ----------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def coefficients(snapshot: Snapshot, filters: Filters, by: str) -> pd.DataFrame:
    """A row for each group: alpha, ac, kappa and percent with their ends, and what they rest on; worst first.

    member: the group's id, or for a guideline version "project version"; narrows: the filters that choose it. alpha is
    at the project's own level, ac with the same credit for near labels (AC2) or none (AC1); kappa is Fleiss', without.
    commonest, commonest_share: the label given most; items, overlap: how many are rated, what share of them twice;
    n: items with two ratings; skewed: the commonest label pulls alpha clearly below ac. Empty where ``why_not`` speaks.
    """
    groups = _merged(_cells(snapshot, filters, by), by)
    if not groups:
        return pd.DataFrame()
    scope = data.current_scope()
    parts = [p for _, p in groups]
    found = {
        "alpha": ALPHA.shape.estimate_groups(parts, ALPHA),
        "ac": Estimates.of([_enough(_chance_steady(p), AC) for p in parts]),
        "kappa": Estimates.of([_enough(_fleiss(p), AC) for p in parts]),
        "percent": PERCENT.shape.estimate_groups(parts, PERCENT),
    }
    n = np.array([sum(p.n_pairable for p, _ in one) for one in parts])
    hidden = (n < scope.minimum_items) | _few_raters(snapshot, filters, [key for key, _ in groups])
    described = [_group(snapshot, filters, by, key, one) for key, one in groups]
    columns: dict[str, object] = {name: [one[name] for one in described] for name in described[0]} | {"n": n}
    for name, estimates in found.items():
        value, low, high, _, reason = estimates.without(hidden, SMALL, n=0.0) if hidden.any() else estimates
        columns |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_reason": reason}
    if hidden.any():
        blank = {"commonest": None, "commonest_share": np.nan, "items": 0.0, "overlap": np.nan, "n": 0.0}
        for name, nothing in blank.items():
            columns[name] = [nothing if away else v for v, away in zip(columns[name], hidden, strict=True)]
    dominated = np.array(columns["commonest_share"], float) >= PREVALENT
    columns["skewed"] = dominated & (columns["ac_low"] > columns["alpha_high"])
    rows = pd.DataFrame(columns | _standing(snapshot, filters, columns))
    return _ordered(rows, by)


def _few_raters(snapshot: Snapshot, filters: Filters, keys: list[dict]) -> np.ndarray:
    """Which groups have too few raters behind them for the reader's scope."""
    names = tuple(keys[0]) if keys else ()
    small = data.too_small(snapshot, names, filters)
    return np.array([tuple(key[name] for name in names) in small for key in keys], bool)


def _cells(snapshot: Snapshot, filters: Filters, by: str) -> Cells:
    """Patterns by project and the breakdown; for projects, by policy, so that one query also tells where it is low."""
    if why_not(filters):
        return []
    return data.patterns(snapshot, filters, ("project", "policy" if by == "project" else by))


def _merged(cells: Cells, by: str) -> Cells:
    """The cells put together into the groups of the breakdown, patterns of like label sets in one."""
    found: dict[tuple, dict[tuple, tuple[list, LabelSet]]] = {}
    for key, parts in cells:
        names = ("project", by) if by == "guideline_version" else (by,)
        if any(pd.isna(key[name]) for name in names):
            continue
        of_group = found.setdefault(tuple((name, str(key[name])) for name in names), {})
        for patterns, labels in parts:
            of_group.setdefault((labels.level, labels.labels), ([], labels))[0].append(patterns)
    return [
        (
            dict(key),
            [
                (patterns[0] if len(patterns) == 1 else Patterns.merge(patterns), labels)
                for patterns, labels in parts.values()
            ],
        )
        for key, parts in found.items()
    ]


@functools.lru_cache(maxsize=200)
def credit(labels: LabelSet) -> str | np.ndarray:
    """Agreement weights that give near labels the credit that alpha gives them at the project's level."""
    if labels.level == "nominal":
        return "identity"
    if labels.level == "ordinal":
        return "ordinal_gwet"
    apart = _apart(labels)
    widest = apart.max(initial=0)
    return 1 - apart / widest if widest else "identity"


@functools.lru_cache(maxsize=200)
def _apart(labels: LabelSet) -> np.ndarray | None:
    """How far two labels are apart; None where that follows from the data. Comparing many label sets takes time."""
    return agreement.level_distances(labels.level, labels.values, len(labels.labels))


def _chance_steady(parts: Parts) -> Estimate:
    """Gwet's AC1, or AC2 where near labels deserve credit."""
    if len(parts) != 1:
        return Estimate.missing(NO_CHANCE if parts else ALPHA.nothing)
    patterns, labels = parts[0]
    return agreement.gwet_ac2_of_patterns(patterns, credit(labels))


def _fleiss(parts: Parts) -> Estimate:
    if len(parts) != 1:
        return Estimate.missing(NO_CHANCE if parts else ALPHA.nothing)
    return agreement.fleiss_kappa_of_patterns(parts[0][0])


def _enough(estimate: Estimate, metric: Metric) -> Estimate:
    """No number below the metric's least n, as everywhere else."""
    if estimate.value is None or estimate.n >= metric.min_n:
        return estimate
    return Estimate.missing(f"fewer than {metric.min_n} items with two or more ratings", estimate.n)


def _group(snapshot: Snapshot, filters: Filters, by: str, key: dict, parts: Parts) -> dict[str, object]:
    """What a group is called and what its coefficients rest on."""
    names = snapshot.names.get(by, {})
    member, label = " ".join(key.values()), names.get(key[by], key[by])
    if by == "guideline_version" and not one_project(filters):
        label = f"{snapshot.names['project'].get(key['project'], key['project'])} {label}"
    project = key.get("project") or one_project(filters)
    resting = agreement.coverage(parts[0][0]) if len(parts) == 1 else None
    items = sum(p.n_items for p, _ in parts)
    common = int(np.argmax(resting.prevalence)) if resting and resting.prevalence else None
    return {
        "member": member,
        "label": label,
        "narrows": key,
        "project": project,
        "level": parts[0][1].level if len(parts) == 1 else SEVERAL,
        "commonest": None if common is None else parts[0][1].labels[common],
        "commonest_share": np.nan if common is None else resting.prevalence[common],
        "items": items,
        "overlap": sum(p.n_pairable for p, _ in parts) / items if items else np.nan,
        "ratings_per_item": sum(p.n_ratings for p, _ in parts) / items if items else np.nan,
    }


def _standing(snapshot: Snapshot, filters: Filters, columns: dict) -> dict[str, list]:
    """Alpha's target in force for each group's project and how alpha stands against it."""
    end = filters.end or snapshot.meta.last_day
    goals = [snapshot.targets.in_force(ALPHA, end, project or None) for project in columns["project"]]
    ends = zip(columns["alpha"], columns["alpha_low"], columns["alpha_high"], goals, strict=True)
    return {
        "target": [goal.target if goal else np.nan for goal in goals],
        "warn": [goal.warn if goal else np.nan for goal in goals],
        "status": [targets.status(ALPHA, *row).value for row in ends],
    }


def _ordered(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Off target first and the furthest from it on top; guideline versions of a project one after the other."""
    if by == "guideline_version":
        order = sorted(range(len(rows)), key=lambda k: (rows["project"].iat[k], _natural(rows["narrows"].iat[k][by])))
        return rows.iloc[order].reset_index(drop=True)
    short = (rows["alpha"] - rows["target"].fillna(0)).fillna(0).tolist()
    status, labels = rows["status"].tolist(), rows["label"].tolist()
    order = sorted(range(len(rows)), key=lambda k: (ORDER[status[k]], short[k], labels[k]))
    return rows.iloc[order].reset_index(drop=True)


def _natural(text: str) -> list:
    """v10 after v9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(text))]


# ---- the lowest cell -------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def lowest(snapshot: Snapshot, filters: Filters, by: str) -> dict[str, object] | None:
    """The project and policy (or the project and member of the breakdown) furthest below its target, if any clearly is.

    It is chosen by looking at all cells, so its interval must miss the target at a confidence that allows for them;
    the interval given is the plain one.
    """
    cells = [(key, parts[0]) for key, parts in _cells(snapshot, filters, by) if len(parts) == 1]
    least = max(ALPHA.min_n, data.current_scope().minimum_items)
    few = _few_raters(snapshot, filters, [key for key, _ in cells])
    cells = [
        (key, p, labels) for (key, (p, labels)), f in zip(cells, few, strict=True) if p.n_pairable >= least and not f
    ]
    end = filters.end or snapshot.meta.last_day
    found = []
    for key, patterns, labels in cells:
        goal = snapshot.targets.in_force(ALPHA, end, key["project"])
        value = _alpha(patterns, labels, interval="none").value
        if goal and value is not None and value < goal.target:
            found.append((goal.target - value, key, patterns, labels, goal.target))
    allowed = 1 - (1 - CONFIDENCE) / max(len(cells), 1)
    for _, key, patterns, labels, goal in sorted(found, key=lambda one: -one[0]):
        high = _alpha(patterns, labels, interval="linearised", confidence=allowed).high
        if high is not None and high < goal:
            plain = _alpha(patterns, labels)
            return {**key, "value": plain.value, "low": plain.low, "high": plain.high, "n": plain.n, "target": goal}
    return None


def _alpha(patterns: Patterns, labels: LabelSet, **options: object) -> Estimate:
    return agreement.alpha_of_patterns(patterns, labels.level, labels.values, distances=_apart(labels), **options)


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand against a target."""
    return rows[~rows["status"].isin([Status.NO_TARGET, Status.TOO_FEW])]


def label_names(labels: LabelSet) -> Sequence[str]:
    """The declared labels as a reader sees them: a set's members joined by "and", none as "none"."""
    if labels.level != "set":
        return labels.labels
    return [text.replace("|", " + ") or "none" for text in labels.labels]
