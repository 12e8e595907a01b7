"""What a new model version got worse at: consecutive versions compared case by case, or by their scores where not.

A difference is new minus old, turned so that positive is better whatever the benchmark's direction.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from metrics.intervals import Intervals, wilson
from metrics.multiple import benjamini_hochberg

Floats = NDArray[np.float64]
Z = float(special.ndtri(0.975))

LEAST_CASES = 30
BETTER, WORSE, CANNOT_TELL = "better", "worse", "cannot tell"
CALLED = 0.05  # the false-discovery rate over all comparisons shown
NO_N = "the number of cases is not on record, so the difference has no interval"
FEW_CASES = f"fewer than {LEAST_CASES} cases"
FIRST = "the first version measured on this benchmark"
NO_SHARE = "the value is not a share of cases"
SLICE = ["project", "benchmark", "metric", "policy", "language"]
COMPARED = [*SLICE, "model_version", "previous_version", "old", "new", "change", "low", "high", "n", "p_value"]


def paired(both: ArrayLike, lost: ArrayLike, gained: ArrayLike, neither: ArrayLike) -> Intervals:
    """The difference of two shares on the same cases, (gained - lost)/n, -1 to 1, with its interval.

    both, lost, gained, neither: counts of cases passed by both versions, by the old only, by the new only, by none.
    Interval: Wald on counts to which half a case each was added, clipped to -1..1; NaN without cases. Source: Agresti
    and Min 2005, who show that the plain Wald interval covers too little when few cases change.
    """
    a, b, c, d = (np.asarray(x, float) for x in np.broadcast_arrays(both, lost, gained, neither))
    n = a + b + c + d
    with np.errstate(all="ignore"):
        value = (c - b) / n
        more, lose, gain = n + 2, b + 0.5, c + 0.5
        middle = (gain - lose) / more
        half = Z * np.sqrt((gain + lose) - (gain - lose) ** 2 / more) / more
    return Intervals(value, np.clip(middle - half, -1, 1) + 0 * value, np.clip(middle + half, -1, 1) + 0 * value)


def mcnemar(lost: ArrayLike, gained: ArrayLike) -> Floats:
    """McNemar's exact p: how often so uneven a split of the changed cases would come by chance; 1 when none changed.

    Two-sided binomial test of lost against gained at one half. Source: McNemar 1947.
    """
    lost, gained = (np.asarray(x, float) for x in np.broadcast_arrays(lost, gained))
    return np.minimum(2 * stats.binom.cdf(np.minimum(lost, gained), lost + gained, 0.5), 1.0)


def unpaired(old: ArrayLike, old_n: ArrayLike, new: ArrayLike, new_n: ArrayLike) -> Intervals:
    """The difference of two shares on different cases, new - old, with Newcombe's interval from two Wilson ones.

    old, new: shares, 0 to 1; old_n, new_n: cases. NaN where one has no cases. Source: Newcombe 1998, method 10.
    """
    old, old_n, new, new_n = (np.asarray(x, float) for x in np.broadcast_arrays(old, old_n, new, new_n))
    a, b = wilson(old * old_n, old_n), wilson(new * new_n, new_n)
    value = new - old
    low = value - np.sqrt((new - b.low) ** 2 + (a.high - old) ** 2)
    return Intervals(value, low, value + np.sqrt((b.high - new) ** 2 + (old - a.low) ** 2))


def two_shares(old: ArrayLike, old_n: ArrayLike, new: ArrayLike, new_n: ArrayLike) -> Floats:
    """The pooled z test of two shares on different cases, its p: NaN without cases, 1 where both are 0 or 1."""
    old, old_n, new, new_n = (np.asarray(x, float) for x in np.broadcast_arrays(old, old_n, new, new_n))
    with np.errstate(all="ignore"):
        pooled = (old * old_n + new * new_n) / (old_n + new_n)
        z = (new - old) / np.sqrt(pooled * (1 - pooled) * (1 / old_n + 1 / new_n))
    return np.where((old == new) & (old_n > 0) & (new_n > 0), 1.0, 2 * special.ndtr(-np.abs(z)))


def compare(measures: pd.DataFrame, models: pd.DataFrame, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every version of every benchmark and slice beside the one trained before it: COMPARED, paired, q_value, verdict.

    measures, models: see metrics.lineage; timely ones. pairs: benchmark, model_version, previous_version, policy,
    language, both_passed, lost, gained, both_failed: cases both versions were tried on; None or empty where no single
    results exist. Where a pair is there McNemar's test and the paired interval hold, on those cases (old and new are
    theirs too); else the scores are compared as independent, which is wider than the truth where the cases were the
    same. q_value: Benjamini and Hochberg over all rows with a test. verdict: WORSE or BETTER with q <= CALLED and an
    interval clear of 0, else CANNOT_TELL. A row without a number says why in ``reason``. In order of training.
    """
    order = models.drop_duplicates("model_version").set_index("model_version")["trained_at"]
    trained = order.reindex(measures["model_version"]).to_numpy()
    rows = measures.assign(trained_at=trained).dropna(subset="trained_at")
    rows = rows.sort_values(["trained_at", "measured_at"]).drop_duplicates([*SLICE, "model_version"], keep="last")
    before = rows.groupby(SLICE, dropna=False, sort=False)
    rows = rows.assign(
        previous_version=before["model_version"].shift(), old=before["value"].shift(), old_n=before["n"].shift()
    ).rename(columns={"value": "new", "n": "new_n"})
    sign = np.where(rows["higher_is_better"].astype(bool), 1.0, -1.0)
    old, new, old_n, new_n = (rows[c].to_numpy(float) for c in ("old", "new", "old_n", "new_n"))
    shares = (old >= 0) & (old <= 1) & (new >= 0) & (new <= 1)
    with np.errstate(invalid="ignore"):
        apart = unpaired(*(np.where(shares, x, np.nan) for x in (old, old_n, new, new_n)))
        p = two_shares(*(np.where(shares, x, np.nan) for x in (old, old_n, new, new_n)))
    rows = rows.assign(change=new - old, low=apart.low, high=apart.high, n=np.fmin(old_n, new_n), p_value=p)
    rows = _with_pairs(rows.assign(paired=False), pairs)
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    rows = rows.assign(
        change=rows["change"] * sign, low=np.where(sign > 0, low, -high), high=np.where(sign > 0, high, -low)
    )
    reason = np.select(
        [rows["previous_version"].isna(), ~shares & ~rows["paired"], rows["n"].isna(), rows["n"] < LEAST_CASES],
        [FIRST, NO_SHARE, NO_N, FEW_CASES],
        "",
    )
    rows["reason"] = reason
    rows.loc[reason != "", ["low", "high", "p_value"]] = np.nan
    rows.loc[np.isin(reason, [FIRST, FEW_CASES]), "change"] = np.nan
    rows["q_value"] = benjamini_hochberg(rows["p_value"].to_numpy(float)).q
    called = (rows["q_value"] <= CALLED).to_numpy()
    rows["verdict"] = np.select([called & (rows["high"] < 0), called & (rows["low"] > 0)], [WORSE, BETTER], CANNOT_TELL)
    return rows[[*COMPARED, "paired", "q_value", "verdict", "reason", "trained_at"]].reset_index(drop=True)


def newest(measures: pd.DataFrame) -> tuple[float, float]:
    """A benchmark's last value and its cases: of the version measured last, its slices put together by their cases.

    measures: one benchmark's, timely. NaN twice without a measure; where n is not on record the plain mean of slices.
    """
    if measures.empty:
        return np.nan, np.nan
    rows = measures.sort_values("measured_at")
    rows = rows[rows["model_version"] == rows["model_version"].iloc[-1]]
    rows = rows.drop_duplicates(["policy", "language"], keep="last")
    value, n = rows["value"].to_numpy(float), rows["n"].to_numpy(float)
    total = float(n.sum())
    return (float(value @ n / total), total) if total > 0 else (float(value.mean()), np.nan)


def _with_pairs(rows: pd.DataFrame, pairs: pd.DataFrame | None) -> pd.DataFrame:
    """The rows with the numbers of common cases where there are any; a direction is turned by the caller."""
    if pairs is None or pairs.empty:
        return rows
    keys = ["benchmark", "model_version", "previous_version", "policy", "language"]
    cells = ["both_passed", "lost", "gained", "both_failed"]
    # Pandas joins no two missing values by themselves: a benchmark without a slice is the slice "".
    found = rows[keys].fillna("").merge(pairs[[*keys, *cells]].fillna(""), on=keys, how="left")
    a, b, c, d = (found[name].to_numpy(float) for name in cells)
    n = a + b + c + d
    have = n > 0
    # A case that was passed counts for the benchmark, so a rate that is better low loses what was gained.
    better_low = ~rows["higher_is_better"].astype(bool).to_numpy()
    b, c = np.where(better_low, c, b), np.where(better_low, b, c)
    a, d = np.where(better_low, d, a), np.where(better_low, a, d)
    alike = paired(a, b, c, d)
    with np.errstate(invalid="ignore"):
        values = {
            "old": (a + b) / n, "new": (a + c) / n, "change": alike.value, "low": alike.low, "high": alike.high,
            "n": n, "p_value": mcnemar(b, c),
        }  # fmt: skip
    for name, value in values.items():
        rows[name] = np.where(have, value, rows[name].to_numpy(float))
    rows["paired"] = have
    return rows


def with_whole(pairs: pd.DataFrame) -> pd.DataFrame:
    """Common cases by slice, and of each benchmark all together, for a value that is measured as a whole.

    pairs: as compare() takes them; a benchmark that has its cases without a slice keeps those.
    """
    keys, cells = ["benchmark", "model_version", "previous_version"], ["both_passed", "lost", "gained", "both_failed"]
    sliced = pairs[["policy", "language"]].notna().any(axis=1)
    whole = pairs[sliced].groupby(keys, as_index=False)[cells].sum().assign(policy=None, language=None)
    already = pairs.loc[~sliced, keys].apply(tuple, axis=1) if (~sliced).any() else []
    whole = whole[~pd.MultiIndex.from_frame(whole[keys]).isin(list(already))]
    return pd.concat([pairs, whole], ignore_index=True) if len(whole) else pairs


def gravest(rows: pd.DataFrame, incidents: pd.DataFrame) -> pd.DataFrame:
    """The gravest incident on record behind each row: incident_id, severity (0 to 3) and summary, missing for none.

    rows: model_version, policy, language. incidents: those and incident_id, occurred_at, severity, summary. A row of a
    policy or language has the incidents of its version that name that policy or language; one of a whole benchmark all
    of its version. Of equally grave ones the first to come about.
    """
    told = ["incident_id", "severity", "summary"]
    asked = rows[["model_version", "policy", "language"]].reset_index(drop=True)
    order = incidents.sort_values(["severity", "occurred_at"], ascending=[False, True])
    joined = asked.assign(row=asked.index).merge(order, on="model_version", suffixes=("", "_named"), sort=False)
    for name in ("policy", "language"):
        joined = joined[joined[name].isna() | (joined[name] == joined[f"{name}_named"])]
    joined = joined.sort_values(["severity", "occurred_at"], ascending=[False, True])
    first = joined.drop_duplicates("row").set_index("row")
    return first[told].reindex(asked.index).set_index(rows.index)


def ranked(worse: pd.DataFrame) -> pd.DataFrame:
    """The regressions (WORSE) in the order they are to be looked at: severity first, then the labels that came before.

    worse: rows of compare() with severity (of gravest(); missing for none), exposure_high (the upper
    end of the change in gold accuracy of the row's own labels, metrics.slice_labels.gold_change). Order: severity; then
    by how much the labels surely got worse, which is the end of the interval nearer to 0, and nothing where it reaches
    0 or is not known; then by how much was surely lost, likewise.
    """
    worse = worse[worse["verdict"] == WORSE]
    fell = worse["exposure_high"].astype(float).clip(upper=0.0).fillna(0.0)
    order = worse.assign(grave=worse["severity"].astype(float).fillna(-1), fell=fell)
    order = order.sort_values(["grave", "fell", "high"], ascending=[False, True, True], kind="stable")
    return order.drop(columns=["grave", "fell"]).reset_index(drop=True)
