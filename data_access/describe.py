"""The code in words and SQL: how a metric's sums are read, and the generated pages docs/contract.md and docs/metrics.md.

``python -m data_access.describe`` (or ``manage.py docs``) writes the pages; tests/test_docs.py fails when they differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from data_access import derive, marts
from data_access import dimensions as dim
from data_access import tables as t
from data_access.contract import affected
from data_access.filters import DIMENSIONS, Filters, Scope
from data_access.queries import rows_by, sums_by
from data_access.snapshot import DIALECT
from metrics.catalogue import AREAS, METRICS
from metrics.catalogue import metric as find_metric
from metrics.errors import UnknownName
from metrics.shapes import Coefficient, Count, GeometricMean, Quantile, Ratio, Remainder, Share, WeightedShare
from metrics.spec import Direction, Metric, Unit

DOCS = Path(__file__).resolve().parent.parent / "docs"
DIALECTS = {"duckdb": "DuckDB", "postgresql": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite"}
ZONE = "UTC"  # days in a zone with summer time add a CASE over its changes to each statement
MADE = "<!-- Made from {source} by `python manage.py docs`; edit that instead. -->"

INTERVALS = {
    Share: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    Remainder: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    WeightedShare: "Wilson's interval, on the n that is left after unequal weights and resemblance within raters",
    Ratio: "built on the logarithm of the ratio, from how much the parts (raters, weeks, projects) differ",
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


@dataclass(frozen=True)
class Statement:
    """One SQL statement on the way to a metric: what it does, where it runs, and its text."""

    title: str
    runs_on: str  # warehouse | snapshot
    sql: str


# ---- how a metric is read --------------------------------------------------------------------------------------


def interval_of(metric: Metric) -> str:
    """How the metric's 95 % interval is made, in words."""
    return INTERVALS[type(metric.shape)]


def statements(name: str, dialect: str = "duckdb", by: Sequence[str] = ("week",)) -> list[Statement]:
    """Every statement between the warehouse and the metric's sums, in the order they run.

    dialect: one of DIALECTS, for the warehouse statements; snapshot statements are DuckDB's. Raises UnknownName.
    """
    metric = find_metric(name)
    if dialect not in DIALECTS:
        raise UnknownName("dialect", dialect, DIALECTS)
    found = [
        Statement(title, "warehouse", to_sql(select, dialect)) for title, select in warehouse_selects(metric.name).items()
    ]
    found += [Statement(title, "snapshot", layout(sql)) for title, sql in _derived(metric).items()]
    return [*found, Statement("Sums by " + ", ".join(by), "snapshot", to_sql(snapshot_select(metric.name, by), DIALECT))]


def warehouse_selects(name: str) -> dict[str, sa.Select]:
    """The mart statements that read the metric's sums from the warehouse, narrowed to its own columns, by title."""
    metric = find_metric(name)
    wanted = set(metric.shape.columns)
    selects = {
        title: _narrowed(select, wanted, add_up)
        for title, (select, add_up) in _mart_selects(metric.mart).items()
    }
    return {title: select for title, select in selects.items() if select is not None}


def snapshot_select(name: str, by: Sequence[str] = ("week",)) -> sa.Select:
    """The select that sums the metric's columns over groups of the snapshot."""
    metric = find_metric(name)
    source = dim.SOURCES[metric.mart]
    everything = Filters(), Scope.everything()
    if isinstance(metric.shape, Quantile):
        extra = ["bucket", *(["time_basis"] if "time_basis" in source.keys else [])]
        return rows_by(source, extra, ["n"], by, *everything)
    if isinstance(metric.shape, Coefficient):
        return rows_by(source, ["project_id", "code_0"], ["items"], by, *everything)
    return sums_by(source, [metric], by, *everything)


def _mart_selects(mart: str) -> dict[str, tuple[sa.Select, frozenset[str]]]:
    """A mart's statements and, for each, the sums of other names that follow from it (empty: sums keep their names)."""
    judged, audited = marts.judged(ZONE).cte("judged"), marts.audited(ZONE).cte("audited")
    digits = sa.table("digits", *map(sa.column, ("project_id", "label", "digit_0"))).alias("digits")
    keeps: frozenset[str] = frozenset()
    work = {
        "Judgements": (marts.work_judgements(judged), keeps),
        "Gold items": (marts.work_gold(judged), keeps),
        "Audits": (marts.work_audits(audited), keeps),
    }
    lives = {"Items by the days of their life": (marts.item_lives(ZONE, marts.Window()), frozenset(_of_lives()))}
    costs = (marts.cost_facts(), frozenset({"cost", "cost_labour_and_fees", "cost_poor_quality"}))
    patterns = {"Items by label-count pattern": (marts.agreement(judged, digits, 1), frozenset(_of_patterns()))}
    return {
        "work": work,
        "handle_time": {"Histogram of handle seconds": (marts.handle_time(judged), keeps)},
        "agreement": patterns,
        "overlap": patterns,
        "flow": {**lives, "Appeals": (marts.appeal_facts(ZONE), keeps)},
        "backlog": lives,
        "turnaround": {"Histogram of turnaround": (marts.turnaround(ZONE, marts.Window()), keeps)},
        "appeal_time": {"Histogram of appeal time": (marts.appeal_time(ZONE), keeps)},
        "ledger": {
            "Costs": costs,
            "Labels": (marts.work_judgements(judged), frozenset({"cost_poor_quality"})),
            "Escalations": (marts.escalation_facts(ZONE), keeps),
        },
        "project_ledger": {"Costs": costs, **lives},
        "shift": {"Hours": (marts.shift_facts(), keeps)},
        "training": {"Courses": (marts.training_facts(), keeps)},
    }[mart]


def _of_lives() -> tuple[str, ...]:
    return derive.FLOW_SUMS


def _of_patterns() -> tuple[str, ...]:
    return ("items", "rated_items", "overlapped_items")


# The sums that a derived sum follows from, where the names differ.
_PARTS = {
    "cost_labour_and_fees": ("cost_labour", "cost_fee"),
    "cost_poor_quality": ("cost_rework", "cost_labour", "labels", "rejected_labels"),
    "rated_items": ("items",),
    "overlapped_items": ("items",),
    **{name: ("items",) for name in derive.FLOW_SUMS},
}


def _narrowed(select: sa.Select, wanted: set[str], follows: frozenset[str]) -> sa.Select | None:
    """The select with only the sums the metric needs, or None when it needs none of them."""
    names = select.selected_columns.keys()
    needed = {part for name in wanted & follows for part in _PARTS.get(name, (name,))} | (wanted - follows)
    grouped = {str(clause) for clause in select._group_by_clauses}
    columns = []
    found = False
    for name, column in zip(names, select.selected_columns, strict=True):
        element = column.element if isinstance(column, sa.Label) else column
        is_sum = str(element) not in grouped and not isinstance(element, sa.sql.elements.TextClause)
        if not is_sum or name in needed or name == "ratings":
            columns.append(column)
        found |= is_sum and name in needed
    return select.with_only_columns(*columns, maintain_column_froms=True) if found else None


def _derived(metric: Metric) -> dict[str, str]:
    """What the snapshot works out from its own tables before the metric's sums can be read."""
    columns = metric.shape.columns
    sums = ", ".join(f"COALESCE(SUM({name}), 0) AS {name}" for name in columns)
    kinds = [f"SUM({name}) AS {name}" for name in ("labels", "rejected_labels", "cost", *_COST_SUMS)]
    flow = {"Flow, from the days of the items' lives": derive.FLOW.format(sums=sums)}
    ledger = {
        "Ledger, from costs, labels and escalations": derive.LEDGER.format(
            sums=", ".join(["SUM(accepted_labels) AS accepted_labels", *kinds, "SUM(escalations) AS escalations"]),
            escalations="escalations",
        )
    }
    return {
        "flow": flow,
        "backlog": flow,
        "overlap": {"Overlap, from the patterns": derive.OVERLAP},
        "ledger": ledger,
        "project_ledger": {"Costs and decided items of each project": derive.PROJECT_LEDGER},
    }.get(metric.mart, {})


_COST_SUMS = ("cost_labour", "cost_review", "cost_rework", "cost_tooling", "cost_training", "cost_fee")
