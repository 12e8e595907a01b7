"""measure(): the one way from metric names to estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from data_access import privacy
from data_access.asked import Asked, Found
from data_access.filters import Filters, Scope, dimension
from data_access.groups import Grouping, key_tuples, no_estimate
from data_access.snapshot import Snapshot
from data_access.standing import frame_of
from metrics.catalogue import metric as find_metric
from metrics.shapes import Quotient
from metrics.spec import Estimates, Metric


def measure(
    snapshot: Snapshot,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    scope: Scope,
    timed_on: str = "",
) -> pd.DataFrame:
    """Estimates of metrics over groups: one row per metric and group.

    Columns: metric, one per dimension of ``by``, value, low, high, n, reason, status, target, warn. Without ``by`` one
    row per metric. Totals re-aggregate sums, so the estimate of a group is that of its rows, never a mean of parts.
    ``timed_on`` is the time basis that handle times are counted on; without one, times measured in different ways have
    no number. A metric that its mart cannot show by a dimension or filter gets one row with the reason. Raises
    UnknownName for a metric, dimension or filter value that does not exist, NotAllowed when single raters are asked for
    and the scope does not show them.
    """
    return measure_many(snapshot, metrics, (by,), (filters,), scope=scope, timed_on=timed_on)[0][0]


def measure_many(
    snapshot: Snapshot,
    metrics: Sequence[str],
    groupings: Sequence[Sequence[str]],
    periods: Sequence[Filters],
    *,
    scope: Scope,
    timed_on: str = "",
) -> list[list[pd.DataFrame]]:
    """measure() for several groupings over several periods, each mart read once: frames by grouping, then period.

    ``periods`` are the same filters over periods that do not overlap.
    """
    chosen = [find_metric(name) for name in dict.fromkeys(metrics)]
    wanted = [tuple(dimension(name) for name in dict.fromkeys(by)) for by in groupings]
    for one in periods[1:]:
        if one.where != periods[0].where:
            raise ValueError("The periods of one question share their filters.")
    privacy.check_people((d for by in wanted for d in (*by, *(name for name, _ in periods[0].where))), scope)
    asked = Asked(snapshot, wanted, tuple(periods), scope, timed_on)
    below = [find_metric(m.shape.denominator) for m in chosen if isinstance(m.shape, Quotient)]
    cells: dict[tuple[Grouping, int], dict[str, Found]] = {(by, k): {} for by in wanted for k in range(len(periods))}
    for found in asked.all(list(dict.fromkeys((*chosen, *below)))):
        cells[found.by, found.period][found.metric.name] = found
    for cell in cells.values():
        cell |= {m.name: _divided(cell, m) for m in chosen if isinstance(m.shape, Quotient)}
    return [
        [frame_of(snapshot, [cells[by, k][m.name] for m in chosen], by, filters) for k, filters in enumerate(periods)]
        for by in wanted
    ]


def _divided(found: dict[str, Found], metric: Metric) -> Found:
    """A quotient's numerator over its denominator, group by group; as unknown as either is."""
    ratio, share = found[metric.name], found[metric.shape.denominator]
    if not ratio.kept or not share.kept:
        return replace(share if ratio.kept else ratio, metric=metric)
    place = {key: k for k, key in enumerate(key_tuples(share.keys))}
    rows = np.array([place.get(key, -1) for key in key_tuples(ratio.keys)], np.int64)
    nothing = no_estimate(share.metric.nothing)
    beside = (np.concatenate(pair)[rows] for pair in zip(share.estimates, nothing, strict=True))
    return replace(ratio, estimates=metric.shape.over(ratio.estimates, Estimates(*beside)))
