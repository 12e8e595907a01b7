"""What the catalogue says of a metric, in words: unit, interval, dimensions, target."""

from __future__ import annotations

from data_access import dimensions as dim
from data_access.filters import DIMENSIONS
from metrics.catalogue import metric as find_metric
from metrics.shapes import (
    Coefficient,
    Count,
    GeometricMean,
    Quantile,
    Quotient,
    Ratio,
    Remainder,
    Share,
    TimeShare,
    WeightedShare,
)
from metrics.spec import Direction, Metric, Unit

INTERVALS = {
    Share: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    Remainder: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    WeightedShare: "Wilson's interval, on the n that is left after unequal weights and resemblance within raters",
    Ratio: "built on the logarithm of the ratio, from how much the parts (raters, weeks, projects) differ",
    TimeShare: "built on the logarithm of the ratio, from how much the parts (raters, days of pools) differ; at most 1",
    Quotient: "from the intervals of the ratio and of the share it is divided by, on the logarithm (MOVER)",
    Count: "none: a count has no sampling error",
    GeometricMean: "built on the logarithm of the time, from its spread",
    Quantile: "from the order of the values: the quantiles between which the true one lies",
    Coefficient: "from resampling the items many times over, counted by their label patterns",
}
UNITS = {
    Unit.SHARE: "share, 0 to 1",
    Unit.COEFFICIENT: "coefficient, at most 1",
    Unit.COUNT: "count",
    Unit.SECONDS: "seconds",
    Unit.HOURS: "hours",
    Unit.MONEY: "money, in the reporting currency",
    Unit.PER_HOUR: "per hour",
}


def interval_of(metric: Metric) -> str:
    """How the metric's 95 % interval is made, in words."""
    return INTERVALS[type(metric.shape)]


def dimensions_of(metric: Metric) -> list[str]:
    """The dimensions the metric can be shown and filtered by."""
    marts_read = [metric.mart]
    if isinstance(metric.shape, Quotient):
        marts_read.append(find_metric(metric.shape.denominator).mart)
    sources = [dim.SOURCES[name] for name in marts_read]
    return [name for name in DIMENSIONS if all(dim.expression(source, name) is not None for source in sources)]


def facts_of(metric: Metric) -> dict[str, str]:
    """Everything the catalogue says of a metric, as name and text."""
    facts = {
        "Formula": metric.formula,
        "Unit": UNITS[metric.unit],
        "Direction": str(metric.direction),
        "n counts": metric.counts,
        "No number below": f"n = {metric.min_n}" if metric.min_n > 1 else "",
        "Interval (95 %)": interval_of(metric),
        "Target by default": _default_target(metric),
        "Read from": ", ".join(metric.needs),
        "Needs the column": f"`{metric.column}`, which a warehouse may lack" if metric.column else "",
        "By": ", ".join(DIMENSIONS[name] for name in dimensions_of(metric)),
        "Caution": metric.caution,
    }
    return {name: text for name, text in facts.items() if text}


def _default_target(metric: Metric) -> str:
    if metric.target is None:
        return ""
    if metric.warn is None:
        return f"{metric.target:g}"
    between = metric.direction is Direction.BAND
    return f"{metric.target:g} to {metric.warn:g}" if between else f"{metric.target:g}, watched from {metric.warn:g}"
