"""How a metric follows from summed columns: shares, ratios, counts, quantiles, coefficients.

A shape names the columns it sums and turns sums into estimates. Shapes with a ``pair`` (numerator, denominator) also
need the sums over clusters (raters, as a rule) of the pair's products, from which the design effect follows; the
query adds them under the names ``product_name`` gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from metrics import agreement, intervals, quantiles, unit_cost
from metrics.intervals import Intervals
from metrics.patterns import Encoding, Patterns, decode
from metrics.spec import Estimate, Estimates, Metric

Z95 = float(special.ndtri(0.975))
LONGER_THAN_WHOLE = "the part is longer than the whole: the times contradict each other"
CLUSTERS = "clusters"  # column prefix: how many clusters have a denominator above 0


def product_name(first: str, second: str) -> str:
    """The column that holds the sum over clusters of the product of two summed columns."""
    return f"{first}*{second}"


def clusters_name(denominator: str) -> str:
    """The column that holds how many clusters have this denominator."""
    return f"{CLUSTERS}({denominator})"


Sums = Mapping[str, np.ndarray]
"""Columns of equal length, one row a group: the sums of a mart's columns, and those of products over clusters."""


def _result(value, low, high, n, metric: Metric) -> Estimates:
    """Estimates with a reason wherever there is no value."""
    n = np.nan_to_num(np.asarray(n, float))
    value = np.asarray(value, float)
    few = f"fewer than {metric.min_n} {metric.counts}"
    reason = np.where((n > 0) & (n < metric.min_n), few, metric.nothing).astype(object)
    some = Estimates(value, np.asarray(low, float), np.asarray(high, float), n, np.full(len(n), "", object))
    return some.without((n <= 0) | (n < metric.min_n) | ~np.isfinite(value), reason)


def _columns(sums: Sums, *names: str) -> list[np.ndarray]:
    return [np.asarray(sums[name], float) for name in names]


@dataclass(frozen=True)
class Pair:
    """A numerator over a denominator, with the sums over clusters that its interval needs."""

    numerator: str
    denominator: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The summed columns."""
        return (self.numerator, self.denominator)

    @property
    def pair(self) -> tuple[str, str]:
        """Numerator and denominator, whose products over clusters are needed."""
        return (self.numerator, self.denominator)

    def _cluster_sums(self, sums: Sums) -> list[np.ndarray]:
        x, n = self.numerator, self.denominator
        return _columns(sums, x, n, product_name(x, x), product_name(x, n), product_name(n, n), clusters_name(n))


@dataclass(frozen=True)
class Share(Pair):
    """A proportion of counts, 0 to 1: Wilson's interval on the n that clustering by rater leaves."""

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums."""
        arguments = self._cluster_sums(sums)
        return _result(*intervals.clustered_share(*arguments), arguments[1], metric)


@dataclass(frozen=True)
class Remainder(Share):
    """One minus a share."""

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums."""
        share = super().estimate(sums, metric)
        return share._replace(value=1 - share.value, low=1 - share.high, high=1 - share.low)


@dataclass(frozen=True)
class WeightedShare(Pair):
    """A proportion of weights from a weighted sample; ``sampled`` counts the sampled, n in the result."""

    weight_squared: str
    sampled: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The summed columns."""
        return (self.numerator, self.denominator, self.weight_squared, self.sampled)

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums; Kish's effective n is (sum of weights) squared / sum of squared weights."""
        arguments = self._cluster_sums(sums)
        weight_squared, sampled = _columns(sums, self.weight_squared, self.sampled)
        with np.errstate(divide="ignore", invalid="ignore"):
            effective = arguments[1] ** 2 / weight_squared
        return _result(*intervals.clustered_share(*arguments, n=effective), sampled, metric)


@dataclass(frozen=True)
class Ratio(Pair):
    """A positive ratio of two sums that is no share (money per label, labels per hour), times ``scale``."""

    scale: float = 1.0

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums; the interval is built on the log scale."""
        arguments = self._cluster_sums(sums)
        value, low, high = intervals.clustered_ratio(*arguments)
        n = arguments[1]
        if self.scale != 1.0:
            n = n / self.scale if metric.counts.startswith("hours") else n
        return _result(value * self.scale, low * self.scale, high * self.scale, n, metric)


@dataclass(frozen=True)
class TimeShare(Ratio):
    """A part of a stretch of time over the whole, 0 to 1, both sums of seconds: the ratio's interval, cut at 1.

    ``counted``: the column that counts the judgements the part is the time of. Where there are some and none of them
    carries a time, the part is not 0 but unknown, for the reason ``untimed``.
    """

    counted: str = ""
    untimed: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The summed columns."""
        return (*self.pair, *((self.counted,) if self.counted else ()))

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums; none where the part is longer than the whole."""
        found = super().estimate(sums, metric)
        found = found._replace(high=np.minimum(found.high, 1.0))
        found = found.without(found.value > 1 + 1e-9, LONGER_THAN_WHOLE)
        if not self.counted:
            return found
        part, counted = (np.nan_to_num(x) for x in _columns(sums, self.numerator, self.counted))
        return found.without((counted > 0) & (part <= 0) & ~np.isnan(found.value), self.untimed)


def effective_n(value: np.ndarray, low: np.ndarray, high: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How many independent judgements give an interval of a share this wide (Wilson's, solved for n); at most n."""
    with np.errstate(all="ignore"):
        found = [Z95**2 * end * (1 - end) / (value - end) ** 2 for end in (low, high)]
        smaller = np.fmin(*(np.where(np.isfinite(f) & (f > 0), f, np.nan) for f in found))
    return np.fmin(n, np.where(np.isnan(smaller), n, smaller))


@dataclass(frozen=True)
class Quotient:
    """A ratio of one mart divided by the share right that another metric estimates of the same groups.

    ``numerator`` is summed from the metric's own mart; ``denominator`` names a metric that is a share of judgements,
    of any mart. Cost per label over accuracy is the cost of a correct label (metrics/unit_cost.py).
    """

    numerator: Ratio
    denominator: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The numerator's summed columns."""
        return self.numerator.columns

    @property
    def pair(self) -> tuple[str, str]:
        """The numerator's pair, whose products over clusters are needed."""
        return self.numerator.pair

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """The numerator alone, one estimate per row of sums: ``over`` divides it."""
        return self.numerator.estimate(sums, metric)

    def over(self, ratio: Estimates, share: Estimates) -> Estimates:
        """The ratio over the share of the same groups in the same order, drawn together by ``shrunk_accuracy``.

        n is the ratio's. No value, with the reason, where either has none; no interval where either has none.
        """
        n = np.where(np.isnan(share.value), 0.0, share.n)  # too few to judge, or too small a group to show
        value = np.clip(np.nan_to_num(share.value), 0, 1)
        right, n = unit_cost.shrunk_shares(value * n, n, effective_n(value, share.low, share.high, n))
        found = unit_cost.mover_ratio(Intervals(ratio.value, ratio.low, ratio.high), right)
        nothing = np.where(np.isnan(share.value), share.reason, np.where(n > 0, "", unit_cost.NO_GOLD))
        return Estimates(*found, ratio.n, unit_cost.why_no_cost(ratio.reason, nothing, right.value))


@dataclass(frozen=True)
class Count:
    """A plain sum. It has no sampling error, so no interval, and is its own n."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The summed column."""
        return (self.column,)

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums; an empty sum is missing, a sum of zero is zero."""
        (value,) = _columns(sums, self.column)
        no_end = np.full(len(value), np.nan)
        reason = np.where(np.isnan(value), metric.nothing, "").astype(object)
        return Estimates(value, no_end, no_end, np.nan_to_num(value), reason)


@dataclass(frozen=True)
class GeometricMean:
    """The geometric mean of a duration: exp of the mean log, its interval on the log scale, raters as clusters."""

    n: str
    sum_log: str
    sum_log_squared: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The summed columns."""
        return (self.n, self.sum_log, self.sum_log_squared)

    @property
    def pair(self) -> tuple[str, str]:
        """Sum of logs and count, whose products over clusters are needed."""
        return (self.sum_log, self.n)

    def estimate(self, sums: Sums, metric: Metric) -> Estimates:
        """One estimate per row of sums."""
        arguments = _columns(sums, *self.columns)
        return _result(*intervals.log_mean(*arguments, self.design(sums)), arguments[0], metric)

    def design(self, sums: Sums) -> np.ndarray:
        """The design effect of the mean log, one per row of sums."""
        x, n = self.pair
        products = (product_name(x, x), product_name(x, n), product_name(n, n), clusters_name(n))
        return intervals.mean_design_effect(*_columns(sums, x, n, *products, self.sum_log_squared))


@dataclass(frozen=True)
class Quantile:
    """A quantile of a duration from its histogram on fixed log buckets, times ``scale``.

    ``spread`` names the metric of the same durations, a geometric mean, whose sums over raters tell how much raters
    differ; without it durations count as independent.
    """

    probability: float
    scale: float = 1.0
    spread: str = ""
    columns: tuple[str, ...] = ("n",)

    def estimate_groups(
        self, rows: Sums, group: np.ndarray, groups: int, metric: Metric, design: np.ndarray | float = 1.0
    ) -> Estimates:
        """One estimate per group; ``rows`` hold bucket and n, ``group`` says to which group each belongs."""
        found = quantiles.group_quantiles(rows["bucket"], rows["n"], group, groups, self.probability, design)
        value, low, high = (column * self.scale for column in found[:3])
        return _result(value, low, high, found.n, metric)


@dataclass(frozen=True)
class LabelSet:
    """A project's declared labels in order, their level, and how its label counts were packed into codes."""

    project_id: str
    level: str
    labels: tuple[str, ...]
    encoding: Encoding

    @property
    def values(self) -> tuple:
        """What distances are computed on: numbers, members of sets, or nothing."""
        if self.level == "interval":
            return tuple(float(label) for label in self.labels)
        if self.level == "set":
            return tuple(frozenset(filter(None, label.split("|"))) for label in self.labels)
        return self.labels


Parts = list[tuple[Patterns, LabelSet]]


@dataclass(frozen=True)
class Coefficient:
    """An agreement coefficient from label-count patterns."""

    kind: str  # percent_agreement | krippendorff_alpha | gwet_ac1
    columns: tuple[str, ...] = ("items",)

    def estimate_groups(self, groups: Sequence[Parts], metric: Metric) -> Estimates:
        """One estimate per group, given each group's patterns by label set (see ``group_patterns``)."""
        return Estimates.of([self._one(parts, metric) for parts in groups])

    def _one(self, parts: Parts, metric: Metric) -> Estimate:
        if not parts:
            return Estimate.missing(metric.nothing)
        estimate = self._coefficient(parts)
        if estimate.value is not None and estimate.n < metric.min_n:
            return Estimate.missing(f"fewer than {metric.min_n} {metric.counts}", estimate.n)
        return estimate

    def _coefficient(self, parts: Parts) -> Estimate:
        if self.kind == "krippendorff_alpha":
            if len(parts) == 1:
                patterns, label_set = parts[0]
                return agreement.alpha_of_patterns(patterns, label_set.level, label_set.values)
            return agreement.stratified_alpha([(p, s.level, s.values) for p, s in parts])
        if self.kind == "percent_agreement":
            return agreement.percent_agreement_of_patterns(*(p for p, _ in parts))
        if len(parts) > 1:
            return Estimate.missing("the projects have different label sets: choose one project")
        return agreement.gwet_ac1_of_patterns(parts[0][0])


def group_patterns(rows: Sums, group: np.ndarray, groups: int, label_sets: Mapping[str, LabelSet]) -> list[Parts]:
    """Each group's patterns, one entry per distinct label set: projects that share one are counted together.

    rows: project_id, code_0, code_1 ... and items; ``group`` says to which group each row belongs. Projects without a
    label set are left out.
    """
    found: list[dict[tuple, tuple[Patterns, LabelSet]]] = [{} for _ in range(groups)]
    items = np.asarray(rows["items"], float)
    projects, names = pd.factorize(np.asarray(rows["project_id"], object), sort=True)  # draws follow this order
    for p, project in enumerate(names):
        label_set = label_sets.get(project)
        if label_set is None:
            continue
        ours = np.flatnonzero(projects == p)
        ours = ours[np.argsort(group[ours], kind="stable")]
        words = [np.asarray(rows[f"code_{w}"], np.int64)[ours] for w in range(label_set.encoding.words)]
        whole = Patterns(decode(np.column_stack(words), label_set.encoding), items[ours])
        used, starts = np.unique(group[ours], return_index=True)
        same = (label_set.level, label_set.labels)
        for k, start, end in zip(used, starts, [*starts[1:], len(ours)], strict=True):
            patterns = whole.part(slice(start, end))
            before = found[k].get(same)
            found[k][same] = (before[0] + patterns if before else patterns, label_set)
    return [list(parts.values()) for parts in found]
