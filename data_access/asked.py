"""What one question asks of every mart, and the estimates that its rows make."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import privacy, selects
from data_access.dimensions import Source, expression, why_not
from data_access.filters import TIME_DIMENSIONS, Filters, Scope
from data_access.groups import (
    Columns,
    Grouping,
    ends_of,
    key_tuples,
    no_estimate,
    no_keys,
    numbered,
    one_basis,
    sorted_groups,
)
from data_access.selects import FIRST_BASIS, GROUPING, LAST_BASIS, PERIOD, RATERS, TIMED, Question
from data_access.snapshot import Snapshot
from metrics.catalogue import metric as find_metric
from metrics.shapes import Coefficient, Count, Quantile, clusters_name, group_patterns
from metrics.spec import Estimates, Metric, Shape


@functools.cache
def _readers() -> ThreadPoolExecutor:
    """Two threads that statements run on: one plans or reads while another does, and estimates are made meanwhile."""
    return ThreadPoolExecutor(2, thread_name_prefix="snapshot")


@dataclass(frozen=True)
class Found:
    """Estimates of one metric over the groups of one grouping in one period."""

    metric: Metric
    by: Grouping
    period: int
    keys: Columns
    estimates: Estimates
    kept: bool = True  # by its mart; otherwise one row says why not


@dataclass(frozen=True)
class Asked:
    """What one call asks of every mart."""

    snapshot: Snapshot
    groupings: list[Grouping]
    periods: tuple[Filters, ...]
    scope: Scope
    timed_on: str

    def all(self, metrics: list[Metric]) -> Iterator[Found]:
        """Every metric's estimates, mart by mart; the marts are read side by side."""
        marts: dict[str, list[Metric]] = {}
        for m in metrics:
            marts.setdefault(m.mart, []).append(m)
        spreads = {m.shape.spread for m in metrics if isinstance(m.shape, Quantile) and m.shape.spread}
        alongside = [find_metric(name) for name in sorted(spreads)]
        later: list[Callable[[], Iterator[Found]]] = []
        designs: dict[tuple, dict] = {}
        for mart in sorted(marts | {m.mart: [] for m in alongside}, key=lambda name: name != "work"):
            group = marts.get(mart, [])
            also = [m for m in alongside if m.mart == mart]
            lacking = [m for m in group if m.column in self.snapshot.meta.lacking]
            group = [m for m in group if m not in lacking]
            yield from self._lacking(lacking)
            kept, unsupported = self._split(dim.SOURCES[mart], group)
            yield from unsupported
            for groupings in kept:
                later += self._ask(dim.SOURCES[mart], group, also, groupings, designs)
        for estimate in later:
            yield from estimate()

    def _lacking(self, metrics: list[Metric]) -> Iterator[Found]:
        """Metrics of a column that the warehouse does without."""
        for m in metrics:
            why = no_estimate(f"the warehouse has no {m.column.split('.')[1]}")
            for by in dict.fromkeys(self.groupings):
                for k in range(len(self.periods)):
                    yield Found(m, by, k, no_keys(by), why, kept=False)

    def _split(self, source: Source, metrics: list[Metric]) -> tuple[list[list[Grouping]], list[Found]]:
        """The groupings the mart keeps, those asked together together, and why it does not keep the others."""
        filtered = [name for name, _ in self.periods[0].where]
        kept: dict[Grouping, list[Grouping]] = {}
        unsupported = []
        for by in dict.fromkeys(self.groupings):
            missing = [d for d in (*by, *filtered) if expression(source, d) is None]
            if missing:
                why = no_estimate(why_not(source, missing[0]))
                unsupported += [
                    Found(m, by, k, no_keys(by), why, kept=False) for k in range(len(self.periods)) for m in metrics
                ]
                continue
            # The last day of a stock depends on the grouping's steps of time: such groupings are asked apart.
            steps = tuple(d for d in by if d in TIME_DIMENSIONS) if source.stock else ()
            kept.setdefault(steps, []).append(by)
        return list(kept.values()), unsupported

    def _ask(
        self, source: Source, metrics: list[Metric], also: list[Metric], groupings: list[Grouping], designs: dict
    ) -> list[Callable[[], Iterator[Found]]]:
        """Sets the mart's statements off and returns what makes estimates of their rows, each to be called once."""
        timed_on = self.timed_on if "time_basis" in source.keys else ""
        question, values = selects.ask(source.name, groupings, self.periods, self.scope, timed_on)

        def rows(statement: sa.Select) -> Future[Columns]:
            return _readers().submit(self.snapshot.columns, statement, values)

        summed = [m for m in metrics if not isinstance(m.shape, (Quantile, Coefficient))]
        quantile = [m for m in metrics if isinstance(m.shape, Quantile)]
        coefficient = [m for m in metrics if isinstance(m.shape, Coefficient)]
        asked = []
        if summed or also:
            names = tuple(dict.fromkeys(m.name for m in (*summed, *also)))
            sums = rows(selects.sums_by(question, names))
            asked.append(lambda: self._sums(sums.result(), question, summed, also, designs))
        if quantile:
            extra = ("bucket", *(["time_basis"] if "time_basis" in source.keys else []))
            buckets = rows(selects.rows_by(question, extra, "n"))
            asked.append(lambda: self._quantiles(buckets.result(), question, quantile, designs))
        if coefficient:
            extra = ("project_id", *(f"code_{w}" for w in range(self.snapshot.code_words)))
            codes = rows(selects.rows_by(question, extra, "items"))
            asked.append(lambda: self._coefficients(codes.result(), question, coefficient))
        return asked

    def _sums(
        self, rows: Columns, question: Question, metrics: list[Metric], also: list[Metric], designs: dict
    ) -> Iterator[Found]:
        for by, k, part in self._parts(rows, question):
            keys, part = sorted_groups(part, by)
            for m in also:
                designs[m.name, by, k] = dict(zip(key_tuples(keys), m.shape.design(part), strict=True))
            for m in metrics:
                found = m.shape.estimate(part, m)
                if any(c.startswith(TIMED) for c in m.shape.columns):
                    found = one_basis(found, part[FIRST_BASIS], part[LAST_BASIS])
                counted = part.get(_behind(m.shape), part[RATERS]) if RATERS in part else None
                yield Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, counted))

    def _quantiles(self, rows: Columns, question: Question, metrics: list[Metric], designs: dict) -> Iterator[Found]:
        for by, k, part in self._parts(rows, question):
            keys, group, groups = numbered(part, by)
            for m in metrics:
                known = designs.get((m.shape.spread, by, k), {})
                design = np.array([known.get(key, 1.0) for key in key_tuples(keys, groups)])
                found = m.shape.estimate_groups(part, group, groups, m, design)
                if "time_basis" in part:
                    found = one_basis(found, *ends_of(part["time_basis"], group, groups))
                yield Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, None))

    def _coefficients(self, rows: Columns, question: Question, metrics: list[Metric]) -> Iterator[Found]:
        for by, k, part in self._parts(rows, question):
            keys, group, groups = numbered(part, by)
            patterns = group_patterns(part, group, groups, self.snapshot.label_sets)
            for m in metrics:
                found = m.shape.estimate_groups(patterns, m)
                yield Found(m, by, k, keys, self._suppressed(found, m, by, k, keys, None))

    def _parts(self, rows: Columns, question: Question) -> Iterator[tuple[Grouping, int, Columns]]:
        """The rows of each grouping and period."""
        for by in question.groupings:
            for k in range(len(question.periods)):
                ours = [rows[GROUPING] == question.grouping_id(by)] if GROUPING in rows else []
                ours += [rows[PERIOD] == k] if PERIOD in rows else []
                if not ours:
                    yield by, k, rows
                else:
                    mask = np.logical_and.reduce(ours)
                    yield by, k, {name: column[mask] for name, column in rows.items()}

    def _suppressed(
        self, found: Estimates, metric: Metric, by: Grouping, k: int, keys: Columns, raters: np.ndarray | None
    ) -> Estimates:
        """Small groups show nothing to readers whose scope sets a minimum; ``raters``: how many stand behind each."""
        hidden = np.zeros(len(found.value), bool)
        if self.scope.minimum_items and not isinstance(metric.shape, Count):
            hidden |= (found.n < self.scope.minimum_items) & ~np.isnan(found.value)
        if self.scope.minimum_raters and metric.mart not in privacy.NO_RATERS:
            if raters is None:
                column = "handle_n" if metric.mart == "handle_time" else "judgements"
                behind = privacy.raters_behind(self.snapshot, by, self.periods[k], self.scope, column)
                raters = np.array([behind.get(key, 0) for key in key_tuples(keys, len(hidden))])
            hidden |= privacy.too_few(raters, self.scope)
        return found.without(hidden, privacy.TOO_SMALL, n=0.0) if hidden.any() else found


def _behind(shape: Shape) -> str:
    """The column that counts the clusters with a denominator; empty for a shape without one."""
    pair = getattr(shape, "pair", None)
    return clusters_name(pair[1]) if pair else ""
