"""How a metric is read, in SQL: every statement between the warehouse and its sums."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from data_access import derive, marts
from data_access import dimensions as dim
from data_access import tables as t
from data_access.selects import Question, rows_by, sums_by
from data_access.snapshot import DIALECT
from data_access.sql_text import layout, to_sql
from data_access.windows import Window
from metrics.catalogue import metric as find_metric
from metrics.errors import UnknownName
from metrics.shapes import Coefficient, Quantile, Quotient
from metrics.spec import Metric

DIALECTS = {"duckdb": "DuckDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}
ZONE = "UTC"  # days in a zone with summer time add a CASE over its changes to each statement


@dataclass(frozen=True)
class Statement:
    """One SQL statement on the way to a metric: what it does, where it runs, and its text."""

    title: str
    runs_on: str  # warehouse | snapshot
    sql: str


_DIGITS = "-- digits: for each project and label 2^(bits x position), so that a sum counts an item's labels\n"


def statements(name: str, dialect: str = "duckdb", by: Sequence[str] = ("week",)) -> list[Statement]:
    """Every statement between the warehouse and the metric's sums, in the order they run.

    dialect: one of DIALECTS, for the warehouse statements; snapshot statements are DuckDB's. Raises UnknownName.
    """
    metric = find_metric(name)
    if dialect not in DIALECTS:
        raise UnknownName("dialect", dialect, DIALECTS)
    selects = warehouse_selects(name)
    found = [
        Statement(
            title, "warehouse", (_DIGITS if metric.mart in ("agreement", "overlap") else "") + to_sql(select, dialect)
        )
        for title, select in selects.items()
    ]
    found += [Statement(title, "snapshot", layout(sql)) for title, sql in _derived(metric).items()]
    found.append(Statement("Sums by " + ", ".join(by), "snapshot", to_sql(snapshot_select(name, by), DIALECT)))
    if isinstance(metric.shape, Quotient):  # which is divided by another metric, read in the same way
        below = find_metric(metric.shape.denominator)
        others = statements(below.name, dialect, by)
        found += [replace(other, title=f"{below.label}: {other.title}") for other in others]
    return found


def warehouse_selects(name: str) -> dict[str, sa.Select]:
    """The mart statements that read the metric's sums from the warehouse, narrowed to those sums, by title."""
    metric = find_metric(name)
    wanted = {part for column in metric.shape.columns for part in (column, *_PARTS.get(column, ()))}
    selects = {title: _narrowed(select, wanted) for title, select in _mart_selects(metric.mart).items()}
    return {title: select for title, select in selects.items() if select is not None}


def snapshot_select(name: str, by: Sequence[str] = ("week",)) -> sa.Select:
    """The select that sums the metric's columns over groups of the snapshot, all rows and readers included."""
    metric = find_metric(name)
    source = dim.SOURCES[metric.mart]
    question = Question(source.name, (tuple(by),))
    if isinstance(metric.shape, Quantile):
        return rows_by(question, ("bucket", *(["time_basis"] if "time_basis" in source.keys else [])), "n")
    if isinstance(metric.shape, Coefficient):
        return rows_by(question, ("project_id", "code_0"), "items")
    return sums_by(question, (metric.name,))


_COST_SUMS = tuple(f"cost_{kind}" for kind in t.COST_KINDS)
_PARTS = {  # the sums in the warehouse's statements that a sum worked out in the snapshot follows from
    "cost_labour_and_fees": ("cost_labour", "cost_fee"),
    "cost_discarded": ("cost_labour", "labels", "rejected_labels"),
    "cost_internal_failure": ("cost_rework", "cost_labour", "labels", "rejected_labels"),
    "rated_items": ("items",),
    "overlapped_items": ("items",),
    **dict.fromkeys(derive.FLOW_SUMS, ("items",)),
}


@functools.cache
def _mart_selects(mart: str) -> dict[str, sa.Select]:
    """The statements that fill a mart, by title."""
    judged, audited = _without(marts.judged(ZONE), "judged"), _without(marts.audited(ZONE), "audited")
    always = Window()
    digits = sa.table("digits", *map(sa.column, ("project_id", "label", "digit_0"))).alias("digits")
    lives = {"Items by the days of their life": marts.item_lives(ZONE, always)}
    patterns = {"Items by label-count pattern": marts.agreement(judged, digits, 1)}
    costs, labels = {"Costs": marts.cost_facts()}, {"Labels": marts.work_judgements(judged)}
    return {
        "work": {
            "Judgements": marts.work_judgements(judged),
            "Gold items": marts.work_gold(judged),
            "Audits": marts.work_audits(audited),
        },
        "handle_time": {"Histogram of handle seconds": marts.handle_time(judged)},
        "agreement": patterns,
        "overlap": patterns,
        "peers": {"Raters beside the others of an item": marts.peers(judged)},
        "flow": {**lives, "Appeals": marts.appeal_facts(ZONE)},
        "backlog": lives,
        "turnaround": {"Histogram of turnaround": marts.turnaround(ZONE, always)},
        "claim_time": {"Histogram of time to claim": marts.claim_time(ZONE, always)},
        "appeal_time": {"Histogram of appeal time": marts.appeal_time(ZONE)},
        "ledger": {**costs, **labels},
        "escalation_ledger": {**labels, "Escalations": marts.escalation_facts(ZONE)},
        "project_ledger": {**costs, **lives},
        "shift": {"Hours": marts.shift_facts()},
        "training": {"Courses": marts.training_facts()},
        "comparison": {"Choices between two answers": marts.comparison_facts(ZONE)},
    }[mart]


def _without(select: sa.Select, name: str) -> sa.CTE:
    """What the marts read, without the checksum, which not every engine has, and what only batches need."""
    unused = {"chance", "batch_id", *(["created_day"] if name == "audited" else [])}
    kept = [column for key, column in select.selected_columns.items() if key not in unused]
    return select.with_only_columns(*kept, maintain_column_froms=True).cte(name)


def _narrowed(select: sa.Select, wanted: set[str]) -> sa.Select | None:
    """The select with its keys and only the wanted sums, or None when it holds none of them."""
    grouped = {str(clause) for clause in select._group_by_clauses}
    sums = {
        name: str(column.element if isinstance(column, sa.Label) else column) not in grouped
        for name, column in select.selected_columns.items()
    }
    if not any(is_sum and name in wanted for name, is_sum in sums.items()):
        return None
    kept = [column for name, column in select.selected_columns.items() if not sums[name] or name in wanted]
    return select.with_only_columns(*kept, maintain_column_froms=True)


def _derived(metric: Metric) -> dict[str, str]:
    """What the snapshot works out from its own tables before the metric's sums can be read, by title."""
    flow = derive.FLOW.format(sums=", ".join(f"COALESCE(SUM({name}), 0) AS {name}" for name in metric.shape.columns))
    ledger = {"Ledger, from costs, labels and escalations": derive.ledger_sql()}
    return {
        "flow": {"Flow, from the days of the items' lives": flow},
        "backlog": {"Backlog, from the days of the items' lives": flow},
        "overlap": {"Overlap, from the patterns": derive.OVERLAP},
        "ledger": ledger,
        "escalation_ledger": ledger,
        "project_ledger": {"Costs and decided items of each project": derive.PROJECT_LEDGER},
    }.get(metric.mart, {})
