"""What a label costs, what a correct label costs, and what poor quality costs.

Money is in one currency; amounts below 0 are refused. Ratios are sums over sums. Each row of sums (week x project x
pool) is a cluster: the interval speaks of how cost per label differs between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import Intervals, clustered_ratio
from metrics.rater_prior import betas, likely_priors
from metrics.skill import of_mixture
from metrics.spec import Estimate

Floats = NDArray[np.float64]

FEW_GROUPS = 20
"""Groups with gold below which they show too little of how groups differ to be shrunk towards one another."""

NO_GOLD = "no gold or audited judgements"
NO_LABELS, NO_COST = "no labels", "no cost"
BELOW_ZERO = "its costs come to less than 0: corrections exceed what was booked in the period"
ONE_CLUSTER = "no interval: fewer than 2 rows show how cost differs"
COLUMNS = ("value", "low", "high", "n", "reason", "note")


def amounts(values: ArrayLike, currencies: Iterable | None = None, corrections: bool = False) -> Floats:
    """Money as it may be added up. Raises ValueError for amounts below 0 or missing, and for two currencies.

    corrections: amounts below 0 are allowed, as parts of a sum that is to be looked at as a whole.
    """
    found = np.asarray(values, dtype=float)
    if not np.isfinite(found).all() or not (corrections or np.all(found >= 0)):
        raise ValueError("Amounts are numbers that are not negative; enter a refund as a smaller amount of its kind.")
    several = sorted({str(c) for c in currencies if not pd.isna(c)}) if currencies is not None else []
    if len(several) > 1:
        raise ValueError(f"Amounts in {' and '.join(several)} cannot be added up: convert them to one currency first.")
    return found


# ---------------------------------------------------------------------------------------------------------- unit costs


def cost_per(
    rows: pd.DataFrame,
    by: Sequence[str] = (),
    *,
    cost: str = "cost",
    count: str = "labels",
    per: float = 1.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Cost over a count (labels, accepted labels, items), a row per group.

    rows: ``by``, the columns named by cost and count and, if there is one, currency; a row is a cluster. per: 1,000 for
    the cost of 1,000 items. Columns: ``by`` (none: one row of all), value, low, high (money per ``per``), n (the
    count), reason (why there is no value: nothing was counted, or a cost below 0), note (why there is no interval: one
    row, or no cost). A row's cost may be below 0, a correction of another's.
    Formula: Σcost/Σcount · per, interval of ``clustered_ratio``, which holds, of 100 by simulation with 5 to 200 rows
    of even or unequal volume, 94 to 97 where price varies by .1 to .9 of its mean between rows; up to 98 with 2 or 3.
    Raises ValueError for counts below 0 and for two currencies.
    """
    by = list(by)
    spent = amounts(rows[cost], rows.get("currency"), corrections=True)
    made = np.asarray(rows[count], dtype=float)
    if np.any(~(made >= 0)):
        raise ValueError(f'"{count}" is a count: a number that is not negative.')
    work = rows[by].assign(x=spent, n=made)
    # Rows without labels are no clusters: they say nothing of how unequal the others' volumes are.
    work = work.assign(xx=spent**2, xn=spent * made, nn=made**2, m=(made > 0).astype(float))
    columns = ["x", "n", "xx", "xn", "nn", "m"]
    sums = work.groupby(by, dropna=False, sort=True)[columns].sum() if by else work[columns].sum().to_frame().T
    x, n, xx, xn, nn, m = sums.to_numpy(float).T
    value, low, high = clustered_ratio(np.where(x < 0, np.nan, x), n, xx, xn, nn, m, level)
    found = sums.index.to_frame(index=False) if by else pd.DataFrame(index=range(1))
    found["value"], found["low"], found["high"], found["n"] = value * per, low * per, high * per, n
    found["reason"] = np.where(n > 0, np.where(x < 0, BELOW_ZERO, ""), NO_LABELS if "label" in count else f"no {count}")
    found["note"] = np.where((n > 0) & (x >= 0) & np.isnan(low), np.where(x > 0, ONE_CLUSTER, NO_COST), "")
    return found


def shrunk_accuracy(
    right: ArrayLike, n: ArrayLike, effective: ArrayLike | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Groups' accuracies, each drawn towards the others by as little as it shows itself: a frame, a row per group.

    right, n: (groups,) right judgements of n on gold or audits. effective: (groups,), how many independent judgements n
    is worth where few raters gave them (n over the design effect); n when omitted. Columns: value (0 to 1), low, high,
    n, reason. Formula: posterior Beta(a + right, b + n - right), averaged over the ``likely_priors``; with fewer than
    ``FEW_GROUPS`` groups a = b = 1/2 (Jeffreys). It holds, of 100 by simulation with 5 to 10 groups of 10 to 100
    judgements, 93 to 98; with 20 groups 94 to 98 where accuracies differ by .05, 96 to 100, too wide, where they differ
    by .02 or less: 20 groups cannot show that they hardly differ, so the priors likely leave room for more.
    One best prior in place of these held 69 to 97 with 5 to 10 groups of 10. Raises ValueError for right outside 0..n.
    """
    found, n = shrunk_shares(right, n, effective, level)
    return pd.DataFrame(found._asdict()).assign(n=n, reason=np.where(n > 0, "", NO_GOLD))


def shrunk_shares(
    right: ArrayLike, n: ArrayLike, effective: ArrayLike | None = None, level: float = 0.95
) -> tuple[Intervals, np.ndarray]:
    """What ``shrunk_accuracy`` finds, and n, as arrays (groups,); NaN where n is 0."""
    right, n = np.broadcast_arrays(*(np.atleast_1d(np.asarray(c, dtype=float)) for c in (right, n)))
    if not np.all((right >= 0) & (right <= n)):
        raise ValueError("right lies between 0 and n.")
    some = n > 0
    worth = n if effective is None else np.minimum(np.asarray(effective, dtype=float), n)
    hits = np.divide(right, n, out=np.zeros(len(n)), where=some) * worth
    tail = (1 - level) / 2
    value, low, high = np.full((3, len(n)), np.nan)
    if some.sum() >= FEW_GROUPS:
        k, m = hits[some], worth[some]
        mean, weight, chance = likely_priors(k, m, np.zeros(len(k)))
        a, b = betas(mean, weight, np.zeros(len(k)))
        value[some], low[some], high[some] = of_mixture(a + k, b + m - k, chance, (tail, 1 - tail))
    else:
        a, b = 0.5 + hits, 0.5 + worth - hits
        value, low, high = a / (a + b), special.betaincinv(a, b, tail), special.betaincinv(a, b, 1 - tail)
    found = np.where(some, [value, np.minimum(low, value), np.maximum(high, value)], np.nan)
    return Intervals(*found), n


def cost_per_correct(per_label: pd.DataFrame, accuracy: pd.DataFrame) -> pd.DataFrame:
    """Cost of a correct label: spend / (labels x accuracy), with the chance in both.

    per_label: rows of ``cost_per``; accuracy: rows of ``shrunk_accuracy`` for the same groups in the same order.
    Columns: those of per_label, value, low and high new, and n labels; accuracy (value used), accuracy_n. No value
    where either has none, with its reason; no interval where either has none, with a note.
    Formula: value c/a; on the log scale MOVER for a difference: lower distance √((ln c - ln c_low)² +
    (ln a_high - ln a)²), upper with the other ends. Cost and accuracy count as independent. Source: Zou and
    Donner 2008.
    """
    if len(per_label) != len(accuracy):
        raise ValueError("Costs and accuracies are of the same groups.")
    c, a = (Intervals(*(frame[k].to_numpy(float) for k in ("value", "low", "high"))) for frame in (per_label, accuracy))
    value, low, high = mover_ratio(c, a)
    found = per_label.assign(value=value, low=low, high=high)
    found["reason"] = why_no_cost(per_label["reason"], accuracy["reason"], a.value)
    blind = np.isnan(low) & ~np.isnan(value)
    missing = np.where(np.isnan(c.low), per_label["note"], "no interval: the accuracy has none")
    found["note"] = np.where(blind, missing, "")
    return found.assign(accuracy=a.value, accuracy_n=accuracy["n"].to_numpy(float))


def why_no_cost(of_cost: ArrayLike, of_accuracy: ArrayLike, accuracy: np.ndarray) -> np.ndarray:
    """Why a correct label has no cost: the cost's reason before the accuracy's; empty where it has one."""
    own, given = np.asarray(of_cost, dtype=object), np.asarray(of_accuracy, dtype=object)
    return np.where(own != "", own, np.where(accuracy > 0, "", np.where(given != "", given, "no label right")))


def mover_ratio(numerator: Intervals, denominator: Intervals) -> Intervals:
    """The ratio of two independent positive estimates and its interval, as asymmetric as theirs.

    MOVER on logarithms, see ``cost_per_correct``; NaN ends where an end is missing or not above 0; NaN where a
    denominator is not above 0.
    """
    with np.errstate(all="ignore"):
        c, c_low, c_high = (np.log(x) for x in numerator)
        a, a_low, a_high = (np.log(x) for x in denominator)
        value = np.where(denominator.value > 0, numerator.value / denominator.value, np.nan)
        low, high = value * np.exp(-np.hypot(c - c_low, a_high - a)), value * np.exp(np.hypot(c_high - c, a - a_low))
    exists = np.isfinite(low) & np.isfinite(high)
    return Intervals(value, np.where(exists, low, np.nan), np.where(exists, high, np.nan))


def unit_costs(
    rows: pd.DataFrame, by: Sequence[str] = (), accuracy: pd.DataFrame | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Every unit cost of each group, a row per group and measure.

    rows: ``by``, cost, labels and, if they are known, accepted_labels, items, currency. accuracy: ``by`` and the
    columns of ``shrunk_accuracy``, a row per group. Columns: ``by``, measure ("label", "accepted label", "correct
    label", "1,000 items"), value, low, high (money), n (labels or items), reason, note. A correct label is one of the
    labels made times their accuracy.
    """
    by = list(by)
    found = []
    for measure, count, per in (("label", "labels", 1), ("accepted label", "accepted_labels", 1)):
        if count in rows:
            found.append(cost_per(rows, by, count=count, per=per, level=level).assign(measure=measure))
    each = found[0]
    if accuracy is not None:
        known = each[by].merge(accuracy, on=by, how="left", validate="1:1") if by else accuracy.reset_index(drop=True)
        known["reason"] = known["reason"].fillna(NO_GOLD)
        correct = cost_per_correct(each.drop(columns="measure"), known)
        found.append(correct.drop(columns=["accuracy", "accuracy_n"]).assign(measure="correct label"))
    if "items" in rows:
        found.append(cost_per(rows, by, count="items", per=1000, level=level).assign(measure="1,000 items"))
    return pd.concat(found, ignore_index=True)[[*by, "measure", *COLUMNS]]


# ----------------------------------------------------------------------------------------------- cost of poor quality

PREVENTION, APPRAISAL, INTERNAL, EXTERNAL = "prevention", "appraisal", "internal failure", "external failure"
CATEGORIES = (PREVENTION, APPRAISAL, INTERNAL, EXTERNAL)


@dataclass(frozen=True, slots=True)
class QualityCost:
    """One kind of quality cost: what it is, where it belongs and how its amount follows. ``needs``: its sums."""

    kind: str
    category: str
    formula: str
    needs: tuple[str, ...]


QUALITY_COSTS = (
    QualityCost("training", PREVENTION, "training cost", ("cost_training",)),
    QualityCost("review", APPRAISAL, "review cost, audits included", ("cost_review",)),
    QualityCost(
        "gold", APPRAISAL, "labour cost x gold judgements / labels", ("cost_labour", "gold_judgements", "labels")
    ),
    QualityCost("rework", INTERNAL, "rework cost", ("cost_rework",)),
    QualityCost("rejected", INTERNAL, "labour cost x rejected labels / labels, day by day", ("cost_discarded",)),
    QualityCost("appeals", EXTERNAL, "appeals decided x cost of an appeal", ("appeals_decided",)),
    QualityCost("escalations", EXTERNAL, "escalations x cost of an escalation", ("escalations",)),
    QualityCost("escaped", EXTERNAL, "accepted labels without gold x share wrong x lambda", ("accepted_labels",)),
)
"""Prevention, appraisal and failure (Feigenbaum 1956; ASQ) in the terms of labelling."""


@dataclass(frozen=True, eq=False)
class CostOfQuality:
    """What quality costs, kind by kind.

    kinds: a row per kind in the order of ``QUALITY_COSTS``: kind, category, amount, low, high (money; ends only for
        "escaped", the rest is bookkeeping), reason, formula.
    categories: a row per category: category, amount, low, high, share (of cost), reason (of the first of its kinds
        that is not known; the amount is then null, never a part of it).
    poor_quality: internal and external failure, money. poor_quality_share: over total cost (may exceed 1: escaped
        errors are no spend). qa_share: appraisal / total cost, 0 to 1. escaped_errors: labels. n is labels.
    assumptions: what was supposed, in words, with its number.
    """

    kinds: pd.DataFrame
    categories: pd.DataFrame
    poor_quality: Estimate
    poor_quality_share: Estimate
    qa_share: Estimate
    escaped_errors: Estimate
    assumptions: tuple[str, ...]


def cost_of_quality(
    sums: Mapping[str, float | None],
    *,
    escaped_error_cost: float,
    error_share: Estimate | None = None,
    appeal_cost: float = 0.0,
    escalation_cost: float = 0.0,
) -> CostOfQuality:
    """The split of quality cost into prevention, appraisal, internal and external failure.

    sums: of a period, by the names in ``QUALITY_COSTS`` and cost; absent or None where not known. escaped_error_cost:
    lambda, the money an accepted wrong label does harm for: an assumption, shown. error_share: share of accepted labels
    that are wrong, 0 to 1, with its interval, from audits or gold after acceptance. appeal_cost, escalation_cost: money
    to handle one. A kind whose assumed price is 0 is 0 and needs no sums.
    Formula: each kind's; poor quality = internal + external failure. Gold is priced at the mean labour cost of a label;
    cost_discarded is the labour of rejected labels, summed from each day's mean (the catalogue's internal failure).
    Raises ValueError for sums or assumptions below 0.
    """
    known = {k: float(v) for k, v in sums.items() if v is not None and not pd.isna(v)}
    assumed = (escaped_error_cost, appeal_cost, escalation_cost)
    if any(v < 0 for v in known.values()) or not all(x >= 0 for x in assumed):
        raise ValueError("Amounts, counts and assumed costs are not negative.")
    rows = []
    for cost in QUALITY_COSTS:
        price = {"appeals": appeal_cost, "escalations": escalation_cost, "escaped": escaped_error_cost}.get(cost.kind)
        estimate = _kind(cost, known, price, error_share)
        rows.append((cost.kind, cost.category, estimate, cost.formula))
    spent, labels = known.get("cost"), known.get("labels", 0.0)
    by_category = {c: _sum([e for _, category, e, _ in rows if category == c], labels) for c in CATEGORIES}
    poor = _sum([by_category[INTERNAL], by_category[EXTERNAL]], labels)
    shares = {c: _share(e, spent, labels) for c, e in by_category.items()}
    escaped = _escaped(known, error_share)
    return CostOfQuality(
        pd.DataFrame(
            [(kind, category, *_ends(e), e.reason, formula) for kind, category, e, formula in rows],
            columns=["kind", "category", "amount", "low", "high", "reason", "formula"],
        ),
        pd.DataFrame(
            [(c, *_ends(e), _ends(shares[c])[0], e.reason or shares[c].reason) for c, e in by_category.items()],
            columns=["category", "amount", "low", "high", "share", "reason"],
        ),
        poor,
        _share(poor, spent, labels),
        shares[APPRAISAL],
        escaped,
        (
            f"An escaped error costs {escaped_error_cost:,.2f}.",
            f"An appeal costs {appeal_cost:,.2f} and an escalation {escalation_cost:,.2f} to handle.",
            "Gold costs as much labour as the average label, a rejected one as much as the average one of its day.",
            "Errors among accepted labels other than gold have escaped; rejected ones were caught.",
        ),
    )


def _kind(cost: QualityCost, known: Mapping[str, float], price: float | None, error_share: Estimate | None) -> Estimate:
    labels = known.get("labels", 0.0)
    if price == 0:
        return Estimate(0.0, n=labels)
    absent = [name for name in cost.needs if name not in known]
    if absent:
        return Estimate.missing(f"{' and '.join(name.replace('_', ' ') for name in absent)} not known", labels)
    if cost.kind == "escaped":
        escaped = _escaped(known, error_share)
        if escaped.value is None:
            return escaped
        low, high = (None if x is None else x * price for x in (escaped.low, escaped.high))
        return Estimate(escaped.value * price, low, high, labels)
    first = known[cost.needs[0]]
    if price is not None:
        return Estimate(first * price, n=labels)
    if len(cost.needs) == 1:
        return Estimate(first, n=labels)
    part = known[cost.needs[1]]
    if not labels:
        return Estimate.missing(NO_LABELS) if part else Estimate(0.0)
    return Estimate(first * min(part / labels, 1.0), n=labels)


def _escaped(known: Mapping[str, float], error_share: Estimate | None) -> Estimate:
    """Wrong among the accepted labels that leave the house: a gold answer is a test, its item was known before.

    Gold answers are taken as accepted as often as the others; where their number is not known none is taken off.
    """
    accepted, labels = known.get("accepted_labels"), known.get("labels", 0.0)
    if accepted is None:
        return Estimate.missing("accepted labels not known", labels)
    if labels:
        accepted *= 1 - min(known.get("gold_judgements", 0.0) / labels, 1.0)
    if error_share is None or error_share.value is None:
        reason = error_share.reason if error_share else NO_GOLD
        return Estimate.missing(f"{reason}: the share of wrong labels is not known", accepted)
    low, high = (None if x is None else x * accepted for x in (error_share.low, error_share.high))
    return Estimate(error_share.value * accepted, low, high, accepted)


def _sum(estimates: list[Estimate], n: float) -> Estimate:
    """A sum whose terms have at most one with an interval among them; null when a term is."""
    for e in estimates:
        if e.value is None:
            return Estimate.missing(e.reason, n)
    value = sum(e.value for e in estimates)
    if all(e.low is None for e in estimates):
        return Estimate(value, n=n)
    down = sum(e.value - e.low for e in estimates if e.low is not None)
    up = sum(e.high - e.value for e in estimates if e.high is not None)
    return Estimate(value, value - down, value + up, n)


def _share(amount: Estimate, spent: float | None, n: float) -> Estimate:
    if amount.value is None:
        return amount
    if not spent:
        return Estimate.missing(NO_COST if spent == 0 else "cost not known", n)
    low, high = (None if x is None else x / spent for x in (amount.low, amount.high))
    return Estimate(amount.value / spent, low, high, n)


def _ends(e: Estimate) -> tuple[float, float, float]:
    return tuple(np.nan if x is None else x for x in (e.value, e.low, e.high))
