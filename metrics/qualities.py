"""The annotation qualities that may have reached a model, declared once, and their value in each batch of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics import agreement
from metrics.agreement.many import Coefficients, alpha_of_groups, percent_agreement_of_groups
from metrics.ceiling import concentration
from metrics.intervals import student
from metrics.patterns import Patterns
from metrics.shapes import Parts

Floats = NDArray[np.float64]

COUNTS, WEIGHTS, LOGS, MATCH, COEFFICIENT, CELLS = "counts", "weights", "logs", "match", "coefficient", "cells"
SHARE, LOG = "share", "log"  # and "coefficient": what one unit of a quality is
LEAST_CELL, LEAST_FREE = 5, 20  # judgements of a cell and degrees of freedom that scatter is read from
DRAWS = 100  # of the chance level of concentration; it is subtracted, not tested, so few are enough


@dataclass(frozen=True)
class Quality:
    """One quality of labels: what it is called, which way is better (1 up, -1 down, 0 neither), how it is made.

    name: that of the catalogue where it has the metric. made: COUNTS (hits, n), WEIGHTS (weight of hits, weight,
    squared weights: n is Kish's), LOGS (n, sum of logs), MATCH and COEFFICIENT (from label-count patterns) or CELLS
    (hits, n over policy x language). columns: the batch sums it is made of. sized: whether it measures how often labels
    are right, so that points of benchmark per point of it are given without being asked for.
    """

    name: str
    label: str
    unit: str
    better: int
    made: str
    columns: tuple[str, ...] = ()
    sized: bool = False


QUALITIES = {
    q.name: q
    for q in (
        Quality("gold_accuracy", "gold accuracy", SHARE, 1, COUNTS, ("gold_correct", "gold_n"), True),
        Quality(
            "audit_accuracy",
            "audit accuracy",
            SHARE,
            1,
            WEIGHTS,
            ("audited_weight_passed", "audited_weight", "audited_weight_squared"),
            True,
        ),
        Quality(
            "gold_under_enforcement_rate",
            "under-enforcement on gold",
            SHARE,
            -1,
            COUNTS,
            ("gold_missed", "gold_violating_n"),
        ),
        Quality(
            "gold_over_enforcement_rate",
            "over-enforcement on gold",
            SHARE,
            -1,
            COUNTS,
            ("gold_overreached", "gold_harmless_n"),
        ),
        Quality("first_pass_yield", "first-pass yield", SHARE, 1, COUNTS, ("first_accepted", "first_decided")),
        Quality("rework_rate", "rework", SHARE, -1, COUNTS, ("rework", "judgements")),
        Quality("krippendorff_alpha", "Krippendorff's alpha", "coefficient", 1, COEFFICIENT),
        Quality("percent_agreement", "percent agreement", SHARE, 1, COEFFICIENT),
        Quality("consensus_match", "match with consensus", SHARE, 1, MATCH),
        Quality("handle_time_log_mean_seconds", "handle time", LOG, 0, LOGS, ("handle_n", "handle_sum_log")),
        Quality("error_concentration", "concentration of errors", "coefficient", -1, CELLS, ("gold_correct", "gold_n")),
    )
}

JUDGED, VALUED = ["batch_id", "hits", "n"], ["batch_id", "value", "error", "n"]


def judged(quality: Quality, sums: pd.DataFrame, spread: pd.Series | None = None) -> pd.DataFrame:
    """Hits out of n in each batch, for metrics.lineage.exposure: batch_id, hits, n; of COUNTS and WEIGHTS.

    For weights n = (Σw)²/Σw² and hits = share x n (Kish 1965). spread: by project, of ``overdispersion``; both counts
    are divided by it. Rows without n, or withheld from the reader, are left out.
    """
    found = pd.DataFrame({"batch_id": sums["batch_id"]})
    found["hits"], found["n"] = _counts(quality, sums)
    if spread is not None:
        less = sums["project_id"].map(spread).fillna(1.0).to_numpy(float)
        found["hits"], found["n"] = found["hits"] / less, found["n"] / less
    return found.loc[np.isfinite(found["hits"]) & (found["n"] > 0), JUDGED]


def _counts(quality: Quality, sums: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Hits and n of each row; NaN for weights that are none."""
    if quality.made != WEIGHTS:
        hit, n = (sums[c].to_numpy(float) for c in quality.columns)
        return hit, n
    hit, weight, squared = (sums[c].to_numpy(float) for c in quality.columns)
    with np.errstate(all="ignore"):
        n = weight**2 / squared
        return hit / weight * n, n


def overdispersion(quality: Quality, cells: pd.DataFrame) -> pd.Series:
    """How much more a project's shares scatter than independent judgements would, by project; at least 1.

    cells: sums by batch, policy and language, of COUNTS or WEIGHTS; n of weights is Kish's. Several raters judge the
    same gold item, an auditor many, and a rater many items, so a hard item or a weak rater counts more than once.
    Formula: Pearson's X²/df of hits over batch x cell, where a share is that of its cell in all batches plus what its
    batch is off from the mean of its cells; cells of 5 or more. What truly moves in one cell alone counts as scatter
    too, so errors are stated wide rather than narrow. Source: McCullagh and Nelder 1989, section 4.5.
    """
    hits, n = _counts(quality, cells)
    keys = [pd.factorize(cells[c])[0] for c in ("project_id", "policy", "language", "batch_id")]
    used = (n >= LEAST_CELL) & np.isfinite(hits) & (np.min(keys, axis=0) >= 0)
    if not used.any():
        return pd.Series(dtype=float)
    hits, n = hits[used], n[used]
    project, policy, language, batch = (pd.factorize(code[used])[0] for code in keys)
    cell, whose = pd.factorize((project * len(cells) + policy) * len(cells) + language)
    usual = (np.bincount(cell, hits) / np.bincount(cell, n))[cell]
    off = np.bincount(batch, hits - n * usual) / np.bincount(batch, n)
    share = np.clip(usual + off[batch], 0.005, 0.995)
    square = np.bincount(project, (hits - n * share) ** 2 / (n * share * (1 - share)))
    batches = np.bincount(np.unique(project * len(cells) + batch) // len(cells))
    free = np.bincount(project) - batches - (np.bincount(whose // len(cells) ** 2) - 1)
    scatter = np.maximum(square / np.where(free >= LEAST_FREE, free, np.inf), 1.0)
    return pd.Series(scatter, index=pd.unique(cells.loc[used, "project_id"])).sort_index()


def log_times(quality: Quality, sums: pd.DataFrame) -> pd.DataFrame:
    """The mean log handle time of each batch: batch_id, value, error, n; error 0, for the batches keep no squares."""
    n, total = (sums[c].to_numpy(float) for c in quality.columns)
    with np.errstate(all="ignore"):
        found = pd.DataFrame({"batch_id": sums["batch_id"], "value": total / n, "error": 0.0, "n": n})
    return found.loc[np.isfinite(found["value"]), VALUED]


def matched(patterns: Sequence[tuple[int, Parts]]) -> pd.DataFrame:
    """Ratings equal to the consensus of the item's other ratings, in each batch: batch_id, hits, n.

    patterns: batch and its label-count patterns. As the catalogue's ``consensus_match``: only ratings whose others have
    one most frequent label are judged, and a rating never counts towards its own consensus.
    """
    told = [(k, found) for k, (_, parts) in enumerate(patterns) for found, _ in parts]
    hits, n = np.zeros((2, len(patterns)))
    for width in {found.n_labels for _, found in told}:
        stacked = _stacked([(k, found) for k, found in told if found.n_labels == width])
        for total, of_items in zip((hits, n), _led(*stacked[:2]), strict=True):
            total += np.bincount(stacked[2], of_items, len(patterns))
    return pd.DataFrame({"batch_id": [batch for batch, _ in patterns], "hits": hits, "n": n}, columns=JUDGED)


def leave_one_out(patterns: Patterns) -> tuple[float, float]:
    """Ratings that give the one most frequent label of the item's others, and ratings whose others have one.

    Of a rating with label l among counts c the others are c - e_l: l is their only mode where c_l - 1 exceeds every
    other count; another label is where it alone has the most and more than c_l - 1.
    """
    hits, n = _led(patterns.counts.astype(float), patterns.items)
    return float(hits.sum()), float(n.sum())


def _led(counts: Floats, items: Floats) -> tuple[Floats, Floats]:
    """``leave_one_out`` of the items of each pattern: two (K,)."""
    hits, n = np.zeros((2, len(counts)))
    if not counts.size or counts.shape[1] < 2:
        return hits, n
    for label in range(counts.shape[1]):
        given = np.flatnonzero(counts[:, label] > 0)
        others = counts[given]
        others[:, label] -= 1
        top = others.max(axis=1)
        led = ((others == top[:, None]).sum(axis=1) == 1) & (top > 0)
        ratings = np.where(led, items[given] * counts[given, label], 0.0)
        n[given] += ratings
        hits[given] += np.where(others[:, label] == top, ratings, 0.0)
    return hits, n


def _stacked(patterns: Sequence[tuple[int, Patterns]]) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """The patterns of several groups one below another: counts, items, and the group of each."""
    sizes = [len(found.items) for _, found in patterns]
    counts = np.concatenate([found.counts for _, found in patterns]).astype(float)
    items = np.concatenate([found.items for _, found in patterns])
    return counts, items, np.repeat([k for k, _ in patterns], sizes)


def coefficients(quality: Quality, patterns: Sequence[tuple[int, Parts]]) -> pd.DataFrame:
    """Alpha or percent agreement of each batch with its standard error: batch_id, value, error, n.

    error: from the exact derivative by each pattern's weight for alpha, from the variance between items for percent
    agreement; batches of which it is not known are left out, as are those of several label sets.
    """
    alike: dict[tuple, list[tuple[int, Patterns]]] = {}
    for k, (_, parts) in enumerate(patterns):
        if len(parts) == 1:
            found, labels = parts[0]
            alike.setdefault((labels.level, labels.labels, labels.values, found.n_labels), []).append((k, found))
    value, error, n = np.full((3, len(patterns)), np.nan)
    for (level, _, values, width), several in alike.items():
        stacked = (*_stacked([(at, found) for at, (_, found) in enumerate(several)]), len(several))
        if quality.name == "percent_agreement":
            one, least = percent_agreement_of_groups(*stacked), 0.0
        else:
            distances, least = agreement.level_distances(level, values, width), -1.0
            if isinstance(distances, str):
                continue
            one = alpha_of_groups(*stacked, distances)
        at = [k for k, _ in several]
        value[at], error[at], n[at] = one.value, _shown(one, least), one.n
    found = pd.DataFrame({"batch_id": [batch for batch, _ in patterns], "value": value, "error": error, "n": n})
    return found.loc[np.isfinite(value) & np.isfinite(error), VALUED]


def _shown(one: Coefficients, least: float) -> Floats:
    """The standard error that a symmetric interval shows, ends that were clipped left aside; NaN below three items."""
    t = student(0.975, one.n - 1)
    half = t * one.error
    return np.where(
        one.n >= 3, np.maximum(np.minimum(half, 1 - one.value), np.minimum(half, one.value - least)) / t, np.nan
    )


def concentrated(quality: Quality, cells: pd.DataFrame, weighted: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """How far label errors sit in few cells of policy x language, for each model version: columns of an exposure.

    cells: sums by batch, policy and language. value: the Gini over cells of the model's batches less what chance alone
    would give, -1 to 1; it has no interval. None under 20 cells or without errors (metrics.ceiling.concentration).
    """
    hit, n = quality.columns
    of = weighted[["model_version", "batch_id"]].merge(
        cells[["batch_id", "policy", "language", hit, n]].dropna(), on="batch_id"
    )
    summed = of.groupby(["model_version", "policy", "language"])[[hit, n]].sum().reset_index()
    right, judgements = (summed[c].to_numpy(float) for c in (hit, n))
    names, starts = np.unique(summed["model_version"].to_numpy(), return_index=True)
    places = {name: slice(*ends) for name, ends in zip(names, pairwise([*starts, len(summed)]), strict=True)}
    rows = []
    for version in models["model_version"]:
        mine = places.get(version, slice(0))
        found = concentration(judgements[mine] - right[mine], judgements[mine], samples=DRAWS)
        value = np.nan if found.gini is None else found.gini - found.gini_chance
        n_of = judgements[mine]
        rows.append((version, value, np.nan, np.nan, float(n_of.sum()), 1.0 if len(n_of) else 0.0, found.reason))
    return pd.DataFrame(rows, columns=["model_version", "value", "low", "high", "n", "covered", "reason"])
