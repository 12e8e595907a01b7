"""How the mix of labels moved between two periods, judged by how much it moves from week to week."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from metrics.intervals import student, wilson
from metrics.items.distances import divergence_ends, jensen_shannon, total_variation, variation_ends
from metrics.items.shared import Floats
from metrics.multiple import benjamini_hochberg
from metrics.spec import Estimate

EMPTY_PERIOD = "one of the periods has no labels"

FEWEST_EXPECTED = 5.0
"""Smallest expected count at which the chi-square distribution is trusted; below it labels are shuffled."""

TYPICAL_DISPERSION_DF = 4.0
"""How many degrees of freedom the labels' common dispersion is worth against a label's own."""


@dataclass(frozen=True, eq=False)
class LabelShift:
    """How far the mix of labels moved between two periods, and whether that is more than it moves anyway.

    total_variation: half the sum of the absolute changes of shares, 0 to 1: the share of labels that would have to
        change. chance, chance_high: its mean and 95th percentile when nothing but chance differs.
    jensen_shannon: divergence in bits, 0 to 1. cramers_v: effect size, 0 to 1, none for one label.
    p_value and method: "chi-square", "shuffled labels" (small counts), "weekly variation" (F against the weeks' own).
    dispersion: how much more weeks differ than independent labels would, at least 1; 1 without weekly counts.
    table: a row per label: label, before, after (shares), change, low, high, p, q (Benjamini-Hochberg), moved (q at
        most 0.05), largest change first.
    n_before, n_after: labels counted. reason: why there is no comparison, or "".
    """

    total_variation: Estimate
    jensen_shannon: Estimate
    cramers_v: float | None
    chance: float | None
    chance_high: float | None
    p_value: float | None
    method: str
    dispersion: float
    table: pd.DataFrame
    n_before: float
    n_after: float
    reason: str = ""


SHIFT_COLUMNS = ("label", "before", "after", "change", "low", "high", "p", "q", "moved")


def label_shift(
    before: ArrayLike,
    after: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    *,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> LabelShift:
    """How the mix of labels moved from one period to another, judged by how much it moves from week to week.

    before, after: (q,) counts of each label, or (weeks, q) counts by week. labels: their names, else 0..q-1.

    p_value: Pearson's χ² of periods x labels. With weekly counts (three weeks or more in all) it is divided by its
    degrees of freedom and by the dispersion φ = Σ (n_wc - n_w π_pc)²/(n_w π_pc)/df over weeks w within periods p, at
    least 1, and read from F: topics come in bursts, and plain χ² would call every busy week a shift. Without them,
    where an expected count is below 5, labels are shuffled between the periods: (count + 1)/(draws + 1).
    The change of a label has Newcombe's interval on n/φ_c labels with Student's t for z; φ_c is the label's own
    dispersion, drawn towards φ. The intervals of total_variation and jensen_shannon invert a test on n/φ labels, their
    errors widened by t/z (``metrics.items.distances``); they start at 0 when p_value is not below 1 - confidence, and
    hold the value, which chance makes larger, even where the test alone would not. By simulation, of 100: a label's
    change is held by 93 to 97, up to 98 in steady weeks, whose dispersion counts as 1 at least; of two periods of 100
    to 1,000 labels each, equal or not, without weeks, the divergence by 92 to 96 and the total variation by 93 to 97
    (400 draws a cell, two to eight labels of which two to six did not move); with 4 or 8 weeks of 150 labels both by 93
    to 96, and by 98 in 4 steady weeks. No shift is called one in 4 to 5 of 100.
    Raises ValueError when the periods count different labels or counts are negative.
    """
    weeks = [np.atleast_2d(np.asarray(x, dtype=float)) for x in (before, after)]
    if weeks[0].shape[1] != weeks[1].shape[1]:
        raise ValueError(f"The periods count {weeks[0].shape[1]} and {weeks[1].shape[1]} labels.")
    if any(np.any(w < 0) or not np.isfinite(w).all() for w in weeks):
        raise ValueError("Counts of labels are finite and not negative.")
    names = list(range(weeks[0].shape[1])) if labels is None else list(labels)
    if len(names) != weeks[0].shape[1]:
        raise ValueError(f"{weeks[0].shape[1]} labels are counted and {len(names)} are named.")
    weeks = [w[w.sum(axis=1) > 0] for w in weeks]
    counts = np.array([w.sum(axis=0) for w in weeks])
    n = counts.sum(axis=1)
    if n.min() <= 0:
        none, empty = Estimate.missing(EMPTY_PERIOD), pd.DataFrame(columns=list(SHIFT_COLUMNS))
        return LabelShift(none, none, None, None, None, None, "", 1.0, empty, n[0], n[1], EMPTY_PERIOD)
    used = counts.sum(axis=0) > 0
    dispersion, df = _dispersion([w[:, used] for w in weeks])
    share = counts / n[:, None]
    pooled = counts.sum(axis=0) / n.sum()
    rng = np.random.default_rng(seed)
    p_value, method, chi_square = _shift_p(counts[:, used], n, dispersion, df, draws, rng)
    effective = n / dispersion
    whole = np.maximum(np.round(effective), 1).astype(int)
    alike = [rng.multinomial(m, pooled / pooled.sum(), size=draws) / m for m in whole]
    chance = total_variation(*alike)
    sure = p_value is not None and p_value < 1 - confidence
    total = float(n.sum())
    # The dispersion itself is known from a few weeks only: t stands for z, with the degrees of freedom of all labels.
    half = 0.5 + confidence / 2
    wider = float(student(half, df) / special.ndtri(half)) if df > 0 else 1.0
    ends = variation_ends(share, effective, wider, confidence, draws, rng)
    variation = _distance(total_variation(*share), ends, sure, total)
    divergence = _distance(jensen_shannon(*share), divergence_ends(share, effective, wider, confidence), sure, total)
    table = _changes(weeks, counts, n, dispersion, df, names, confidence)
    cramers_v = float(np.sqrt(chi_square / n.sum())) if used.sum() > 1 else None
    return LabelShift(
        variation,
        divergence,
        cramers_v,
        float(chance.mean()),
        float(np.quantile(chance, 0.95)),
        p_value,
        method,
        dispersion,
        table,
        float(n[0]),
        float(n[1]),
    )


def _dispersion(weeks: Sequence[Floats]) -> tuple[float, float]:
    """How much more weeks of a period differ than independent labels would, at least 1, and its degrees of freedom."""
    squares = df = 0.0
    for counts in weeks:
        used = counts[:, counts.sum(axis=0) > 0]
        expected = used.sum(axis=1, keepdims=True) * used.sum(axis=0) / used.sum()
        squares += ((used - expected) ** 2 / expected).sum()
        df += (len(used) - 1) * (used.shape[1] - 1)
    return float(max(squares / df, 1.0)) if df > 0 else 1.0, float(df)


def _shift_p(
    counts: Floats, n: Floats, dispersion: float, df: float, draws: int, rng: np.random.Generator
) -> tuple[float | None, str, float]:
    """The p-value of no shift, how it was found, and Pearson's χ²."""
    free = counts.shape[1] - 1
    if free < 1:
        return None, "", 0.0
    expected = n[:, None] * counts.sum(axis=0) / n.sum()
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    if df > 0:
        return float(special.fdtrc(free, df, chi_square / free / dispersion)), "weekly variation", chi_square
    whole = np.all(counts == np.round(counts))
    if expected.min() >= FEWEST_EXPECTED or not whole:
        return float(special.chdtrc(free, chi_square)), "chi-square", chi_square
    drawn = rng.multivariate_hypergeometric(counts.sum(axis=0).astype(int), int(n[0]), size=draws)
    both = np.stack([drawn, counts.sum(axis=0) - drawn], axis=1)
    found = ((both - expected) ** 2 / expected).sum(axis=(1, 2))
    return float((np.count_nonzero(found >= chi_square - 1e-9) + 1) / (draws + 1)), "shuffled labels", chi_square


def _changes(
    weeks: Sequence[Floats], counts: Floats, n: Floats, dispersion: float, df: float, names: list, confidence: float
) -> pd.DataFrame:
    """The change of each label's share, its interval, p and q."""
    share = counts / n[:, None]
    change = share[1] - share[0]
    free = sum(len(w) - 1 for w in weeks) if df > 0 else 0
    inflation, quantile = np.ones(len(names)), float(special.ndtri(0.5 + confidence / 2))
    if free:
        squares = np.zeros(len(names))
        for w, s in zip(weeks, share, strict=True):
            size = w.sum(axis=1, keepdims=True)
            spread = size * s * (1 - s)
            squares += np.divide((w - size * s) ** 2, spread, out=np.zeros_like(w), where=spread > 0).sum(axis=0)
        typical = TYPICAL_DISPERSION_DF
        inflation = np.maximum((squares + typical * dispersion) / (free + typical), 1)
        quantile = float(student(0.5 + confidence / 2, free + typical))
    level = 2 * special.ndtr(quantile) - 1
    first, second = (wilson(c / inflation, m / inflation, level) for c, m in zip(counts, n, strict=True))
    low = change - np.sqrt((second.value - second.low) ** 2 + (first.high - first.value) ** 2)
    high = change + np.sqrt((second.high - second.value) ** 2 + (first.value - first.low) ** 2)
    pooled = counts.sum(axis=0) / n.sum()
    error = np.sqrt(inflation * pooled * (1 - pooled) * (1 / n).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, np.abs(change) / error, np.nan)
    p = 2 * (special.stdtr(free + TYPICAL_DISPERSION_DF, -z) if free else special.ndtr(-z))
    q = benjamini_hochberg(p).q
    table = pd.DataFrame(
        {
            "label": names,
            "before": share[0],
            "after": share[1],
            "change": change,
            "low": low,
            "high": high,
            "p": p,
            "q": q,
            "moved": np.nan_to_num(q, nan=1.0) <= 0.05,
        }
    )
    order = sorted(range(len(names)), key=lambda i: (-round(abs(change[i]), 12), str(names[i])))
    return table.iloc[order].reset_index(drop=True)


def _distance(value: Floats, ends: tuple[float, float], sure: bool, n: float) -> Estimate:
    """A distance with its ends: around the value, within 0 and 1, from 0 on where no shift is sure."""
    value = float(value)
    low = float(np.clip(ends[0], 0, value)) if sure else 0.0
    return Estimate(value, low, float(np.clip(ends[1], value, 1)), n)
