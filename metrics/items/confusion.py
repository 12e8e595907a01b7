"""Pairs of labels that are mistaken for each other more often than errors in general explain."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from metrics.errors import UnknownName
from metrics.intervals import Intervals, wilson
from metrics.items.shared import Floats
from metrics.multiple import benjamini_hochberg

NO_JUDGEMENTS = "no judgements with a known true label"
NO_ERRORS = "no judgement differs from the true label"


CONFUSION_COLUMNS = (
    "true_label",
    "given_label",
    "n",
    "judged",
    "rate",
    "rate_low",
    "rate_high",
    "expected",
    "excess",
    "low",
    "high",
    "cost",
    "p",
    "q",
    "reason",
)


def confusion_pairs(
    counts: ArrayLike | pd.DataFrame,
    labels: Sequence[Hashable] | None = None,
    *,
    cost: ArrayLike | None = None,
    design_effect: float = 1.0,
    top: int | None = None,
    draws: int = 1_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Pairs (true label, label given) that are mistaken more often than errors in general explain, worst first.

    counts: (q, q) judgements, a row per true label and a column per label given; a DataFrame names them itself, and a
    label that is missing from its rows or columns has none there. cost:
    (q, q), what one such error costs; ranking is then by cost. design_effect: at least 1, how much more the counts vary
    than independent judgements (errors cluster in a few raters); it widens the intervals. top: rows to return.

    A row per ordered pair of different labels: true_label, given_label, n (errors), judged (judgements of that true
    label), rate = n/judged with rate_low, rate_high (Wilson), expected (errors if every true label were missed equally
    often and the wrong label were picked by how common it is: judged · errors/total · c_j/(total - c_i), c the totals
    of labels given), excess = n - expected with low, high (Wilson's for n joined with a seeded bootstrap's for
    expected; errors, not a share), cost (excess times cost), p (two-sided, n as a Poisson number around expected), q
    (Benjamini-Hochberg over the pairs), reason (text where there is no rate). The excesses sum to 0. NaN where a
    number does not exist; no rows for fewer than two labels. Ties are ordered by the labels' names.
    Raises ValueError for counts that are not square or negative, or a design effect below 1; UnknownName for a label of
    the DataFrame that is not among ``labels``.
    """
    if isinstance(counts, pd.DataFrame):
        named = list(dict.fromkeys([*counts.columns, *counts.index]))
        labels = named if labels is None else list(labels)
        strange = [x for x in named if x not in labels]
        if strange:
            raise UnknownName("declared label", str(strange[0]), map(str, labels))
        counts = counts.reindex(index=labels, columns=labels, fill_value=0).to_numpy(float)
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0) or not np.isfinite(table).all():
        raise ValueError("Confusion counts are a square table of numbers that are not negative.")
    if design_effect < 1:
        raise ValueError(f"A design effect is at least 1, not {design_effect}.")
    size = len(table)
    labels = list(range(size)) if labels is None else list(labels)
    if len(labels) != size:
        raise ValueError(f"{size} labels are counted and {len(labels)} are named.")
    true, given = np.nonzero(~np.eye(size, dtype=bool))
    judged, total = table.sum(axis=1), table.sum()
    expected = _expected_errors(table)
    seen, expected = table[true, given], expected[true, given]
    excess, errors = seen - expected, total - np.trace(table)
    low = high = p = np.full(len(true), np.nan)
    if errors > 0:
        n = max(round(total / design_effect), 1)
        drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / total, size=draws)
        drawn = drawn.reshape(draws, size, size) * (total / n)
        low, high = _difference(
            wilson(seen / design_effect, np.full(len(seen), total / design_effect), confidence),
            total,
            expected,
            drawn[:, true, given],
            _expected_errors(drawn)[:, true, given],
            confidence,
        )
        found, mean = seen / design_effect, np.maximum(expected / design_effect, 1e-300)
        more = np.where(found > 0, special.gammainc(np.maximum(found, 1e-300), mean), 1)
        p = np.where(expected > 0, np.minimum(1, 2 * np.minimum(more, special.gammaincc(found + 1, mean))), np.nan)
    rate = wilson(seen / design_effect, judged[true] / design_effect, confidence)
    price = np.ones((size, size)) if cost is None else np.asarray(cost, dtype=float)
    if price.shape != (size, size):
        raise ValueError(f"Costs are {size} x {size} numbers, not {price.shape}.")
    reason = np.where(judged[true] > 0, "" if errors > 0 else NO_ERRORS, "no judgement of this true label")
    found = pd.DataFrame(
        {
            "true_label": [labels[i] for i in true],
            "given_label": [labels[j] for j in given],
            "n": seen,
            "judged": judged[true],
            "rate": rate.value,
            "rate_low": rate.low,
            "rate_high": rate.high,
            "expected": expected,
            "excess": excess,
            "low": low,
            "high": high,
            "cost": excess * price[true, given],
            "p": p,
            "q": benjamini_hochberg(p).q,
            "reason": reason if total > 0 else NO_JUDGEMENTS,
        },
        columns=list(CONFUSION_COLUMNS),
    )
    order = sorted(
        range(len(found)),
        key=lambda i: (-round(found["cost"].iat[i], 9), str(labels[true[i]]), str(labels[given[i]])),
    )
    return found.iloc[order[:top]].reset_index(drop=True)


def _difference(
    share: Intervals, total: float, expected: Floats, drawn: Floats, drawn_expected: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """Ends of count - expected: Wilson's for the count, the bootstrap's for the expected, joined with correlation.

    The percentiles of the difference itself cover too little where a count is small. Source: Zou and Donner 2008.
    """
    tail = (1 - confidence) / 2
    lowest, highest = np.quantile(drawn_expected, [tail, 1 - tail], axis=0)
    spread = drawn.std(axis=0) * drawn_expected.std(axis=0)
    together = ((drawn - drawn.mean(axis=0)) * (drawn_expected - drawn_expected.mean(axis=0))).mean(axis=0)
    correlation = np.divide(together, spread, out=np.zeros_like(spread), where=spread > 1e-12)
    count = total * share.value
    below, above = count - total * share.low, total * share.high - count
    less, more = np.maximum(highest - expected, 0), np.maximum(expected - lowest, 0)
    low = np.sqrt(np.maximum(below**2 + less**2 - 2 * correlation * below * less, 0))
    high = np.sqrt(np.maximum(above**2 + more**2 - 2 * correlation * above * more, 0))
    return count - expected - low, count - expected + high


def _expected_errors(counts: Floats) -> Floats:
    """Errors of each pair if all true labels were missed alike and wrong labels picked by how common they are."""
    total = counts.sum(axis=(-2, -1))[..., None, None]
    errors = total - np.trace(counts, axis1=-2, axis2=-1)[..., None, None]
    judged = counts.sum(axis=-1)[..., :, None]
    common = counts.sum(axis=-2)[..., None, :]
    left = total - np.swapaxes(common, -1, -2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = judged * errors / total * common / left
    expected = np.where(left > 0, expected, 0)
    expected[..., np.arange(counts.shape[-1]), np.arange(counts.shape[-1])] = 0
    return np.nan_to_num(expected)
