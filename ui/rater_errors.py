"""Which errors: too mild or too severe, how grave, and which labels are mistaken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.marts import PENALTY
from data_access.snapshot import Snapshot
from metrics import accuracy, intervals
from metrics.spec import Estimate
from ui import data
from ui.figures import KEPT

MOST_LABELS = 12  # in a confusion matrix; rarer ones are put together
OTHER = "other labels"
NO_ANSWER = "no judgement is on an item with a known answer"
SETS = "labels are given in sets, and each set would count as a label of its own"
GOLD, AUDIT = "gold", "audit"
WEIGHTS = (
    "audited_weight",
    "audited_weight_passed",
    "audited_weight_critical",
    "audited_weight_penalty",
    "audited_n",
)
VERDICTS = ("critical_error_rate", "audit_accuracy")


@dataclass(frozen=True)
class Errors:
    """Errors by class: label, member (its id), n, and the shares too mild, too severe and otherwise wrong with ends."""

    rows: pd.DataFrame
    by: str = ""  # "project" or "true label"
    basis: str = GOLD
    reason: str = ""


@st.cache_data(**KEPT)
def _labels(snapshot: Snapshot) -> dict[str, dict[str, float]]:
    """The labels of each project in their declared order, with their severity."""
    rows = snapshot.table("label").sort_values(["project_id", "position"], kind="stable")
    found: dict[str, dict[str, float]] = {}
    for project, label, severity in zip(rows["project_id"], rows["label"], rows["severity"].fillna(0), strict=True):
        found.setdefault(str(project), {})[str(label)] = float(severity)
    return found


def severities(snapshot: Snapshot, project: str, labels: Sequence[str]) -> np.ndarray:
    """The severity of each label of a project; of a set of labels the gravest in it."""
    known = _labels(snapshot).get(project, {})
    return np.array([_gravest(known, str(label)) for label in labels])


def _gravest(known: dict[str, float], label: str) -> float:
    return known[label] if label in known else max(known.get(part, 0.0) for part in label.split("|"))


@st.cache_data(**KEPT)
def confused(snapshot: Snapshot, filters: Filters) -> tuple[dict[str, np.ndarray], str]:
    """Labels given against true ones: project, truth, label, n and how many steps too severe; or why there are none.

    On gold; on audits, one judgement each, in a project without gold. ``gold`` says which.
    """
    keys = ("project_id", "basis", "truth", "label")
    try:
        rows = data.sums(snapshot, "confusion", ("n",), (), filters, keys)
    except ValueError as error:
        return {name: np.zeros(0) for name in ("project", "truth", "label", "n", "steps", "gold")}, f"{error}"
    project, basis, truth, label = (rows[name].to_numpy(object) for name in keys)
    on_gold = basis == GOLD
    kept = on_gold | ~np.isin(project.astype(str), np.unique(project[on_gold].astype(str)))
    project, truth, label = project[kept], truth[kept], label[kept]
    known = _labels(snapshot)
    steps = [
        _gravest(known.get(p, {}), b) - _gravest(known.get(p, {}), a)
        for p, a, b in zip(project, truth, label, strict=True)
    ]
    columns = {"project": project, "truth": truth, "label": label, "n": rows["n"].to_numpy(float)[kept]}
    return {**columns, "steps": np.array(steps, float), "gold": on_gold[kept]}, ""


def confused_projects(snapshot: Snapshot, filters: Filters) -> list[str]:
    """Projects with judgements against a known answer, the one with most errors first."""
    rows, _ = confused(snapshot, filters)
    code, names = pd.factorize(rows["project"])
    wrong = np.bincount(code, np.where(rows["truth"] != rows["label"], rows["n"], 0.0), len(names))
    return [str(names[k]) for k in np.argsort(-wrong, kind="stable")]


@st.cache_data(**KEPT)
def errors(snapshot: Snapshot, filters: Filters) -> Errors:
    """How often labels are too mild or too severe: by project; where only one project is left, by its true labels."""
    rows, reason = confused(snapshot, filters)
    basis = GOLD if rows["gold"].any() else AUDIT
    if basis == GOLD:
        rows = {name: column[rows["gold"].astype(bool)] for name, column in rows.items()}
    if not len(rows["n"]):
        return Errors(pd.DataFrame(), reason=reason or NO_ANSWER)
    one = len(np.unique(rows["project"].astype(str))) == 1
    code, names = pd.factorize(rows["truth"] if one else rows["project"])
    wrong, steps = rows["truth"] != rows["label"], rows["steps"]
    n = np.bincount(code, rows["n"], len(names))
    found = {"label": [snapshot.names["project"].get(k, k) if not one else k for k in names], "member": names, "n": n}
    total = np.zeros(len(names))
    for name, kind in (("mild", steps < 0), ("severe", steps > 0), ("other", steps == 0)):
        hits = np.bincount(code, np.where(wrong & kind, rows["n"], 0.0), len(names))
        share = intervals.wilson(hits, n)
        found |= {f"{name}_n": hits, name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
        total += share.value
    declared = list(_labels(snapshot).get(str(rows["project"][0]), {}))
    # Labels in the order their project declares, sets of labels after them, the most frequent first.
    place = [declared.index(k) if k in declared else len(declared) for k in names] if one else -total
    table = pd.DataFrame(found).iloc[np.lexsort((-n, place))]
    return Errors(table.head(MOST_LABELS).reset_index(drop=True), "true label" if one else "project", basis)


@dataclass(frozen=True)
class Matrix:
    """One project's labels given (columns) against the true ones (rows), in the declared order.

    macro: the mean F1 of the labels that occur, before rare ones are put together.
    """

    counts: np.ndarray
    labels: list[str]
    project: str = ""
    basis: str = GOLD
    reason: str = ""
    macro: Estimate = field(default_factory=lambda: Estimate.missing(NO_ANSWER))


@st.cache_data(**KEPT)
def matrix(snapshot: Snapshot, filters: Filters, project: str) -> Matrix:
    """The confusion matrix of one project; its rarest labels are put together where there are many."""
    rows, reason = confused(snapshot, filters)
    ours = rows["project"] == project
    if not np.any(ours):
        return Matrix(np.zeros((0, 0)), [], project, reason=reason or NO_ANSWER)
    truth, label, n = (rows[c][ours] for c in ("truth", "label", "n"))
    return matrix_of(snapshot, project, truth, label, n, GOLD if rows["gold"][ours].all() else AUDIT)


def matrix_of(
    snapshot: Snapshot, project: str, truth: Sequence[str], label: Sequence[str], n: np.ndarray, basis: str = GOLD
) -> Matrix:
    """The confusion matrix of these cells."""
    common: dict[str, float] = {}
    for one in (truth, label):
        for name, count in zip(one, n, strict=True):
            common[str(name)] = common.get(str(name), 0.0) + float(count)
    declared = list(_labels(snapshot).get(project, {}))
    ranked = sorted(common, key=lambda name: -common[name])
    seen = [name for name in declared if name in common] + [name for name in ranked if name not in declared]
    truth, label = list(truth), list(label)
    macro = Estimate.missing(SETS)
    if set(seen) <= set(declared):
        macro = accuracy.macro_f1(accuracy.confusion(truth, label, n, seen))
    if len(seen) > MOST_LABELS:
        kept = set(ranked[: MOST_LABELS - 1])
        seen = [name for name in seen if name in kept] + [OTHER]
        truth, label = ([name if name in kept else OTHER for name in column] for column in (truth, label))
    return Matrix(accuracy.confusion(truth, label, n, seen), seen, project, basis, macro=macro)


@st.cache_data(**KEPT)
def verdicts(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """How grave audited errors are: a row each for critical, major and minor: label, value, low, high (shares), n.

    The mart keeps the weights of passes and criticals and the penalty of all; minor and major follow from those three.
    Critical is the metric with its interval; minor and major are taken to cluster by rater as all errors do, so that
    their intervals are those of audit accuracy's effective number of judgements.
    """
    sums = data.sums(snapshot, "work", WEIGHTS, (), filters)
    if sums.empty or not sums["audited_weight"].fillna(0).iloc[0] > 0:
        return pd.DataFrame(columns=["label", "value", "low", "high", "n"])
    weight, passed, critical, penalty, n = (float(sums[c].iloc[0]) for c in WEIGHTS)
    wrong = max(weight - passed - critical, 0.0)
    major = (penalty - PENALTY["critical"] * critical - PENALTY["minor"] * wrong) / (
        PENALTY["major"] - PENALTY["minor"]
    )
    major = min(max(major, 0.0), wrong)
    shares = np.clip(np.array([major, wrong - major]) / weight, 0, 1)
    known = data.measure(snapshot, VERDICTS, (), filters).set_index("metric")[["value", "low", "high"]].astype(float)
    size = intervals.equivalent_n(*known.loc["audit_accuracy"])
    found = intervals.wilson(shares * size, size)
    gravest = known.loc["critical_error_rate"]
    return pd.DataFrame(
        {
            "label": ["Critical", "Major", "Minor"],
            "value": [gravest["value"], *shares],
            "low": [gravest["low"], *found.low],
            "high": [gravest["high"], *found.high],
            "n": n,
        }
    )
