"""What each mart can be grouped and filtered by, as expressions on the snapshot's tables."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from data_access.batch_marts import BATCH_ITEMS, BATCH_PATTERNS, BATCH_WORK
from data_access.derive import AGE_COLUMNS, APPEAL_SUMS, FLOW_SUMS
from data_access.filters import DIMENSIONS
from data_access.marts import CONFUSION, LABELS_GIVEN, PEERS, WORK


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(c) for c in columns))


PROJECT = _table("project", "project_id", "name", "product", "policy_area", "task_type")
POOL = _table("pool", "pool_id", "name", "vendor", "site", "region")
RATER = sa.table(
    "rater",
    *(sa.column(c) for c in ("rater_id", "alias", "pool_id", "lead", "language", "locale", "gender", "age_band")),
    sa.column("hired_on", sa.Date),
)

TENURE_BANDS = ((30, "under 1 month"), (90, "1 to 3 months"), (180, "3 to 6 months"), (365, "6 to 12 months"))
TENURE_LAST = "over 12 months"


@dataclass(frozen=True)
class Source:
    """A mart as queries see it: its table, its own keys, its time key, and the unit that clusters its rows."""

    name: str
    table: sa.TableClause
    keys: tuple[str, ...]
    time: str  # day | week | month
    cluster: tuple[str, ...]
    stock: bool = False  # a stock stands at the end of a day and does not add up over time
    note: str = ""


def _source(name: str, keys: tuple, columns: tuple, cluster: tuple, *, table: str = "", **options) -> Source:
    time = next(step for step in ("day", "week", "month") if step in keys)
    clause = sa.table(
        table or name,
        sa.column(time, sa.Date),
        *(sa.column(c) for c in dict.fromkeys((*keys, *columns)) if c != time),
    )
    return Source(name, clause, keys, time, cluster, **options)


_FLOW_KEYS = ("day", "project_id", "language", "policy")
_LEDGER_KEYS = ("day", "project_id", "pool_id", "language", "policy")
_LEDGER_COLUMNS = (
    "labels",
    "accepted_labels",
    "rejected_labels",
    "escalations",
    "cost",
    "cost_labour",
    "cost_review",
    "cost_rework",
    "cost_tooling",
    "cost_training",
    "cost_fee",
    "cost_labour_and_fees",
    "cost_discarded",
    "cost_internal_failure",
)
_AGREEMENT_KEYS = ("week", "project_id", "language", "policy", "guideline_version")

_BATCH_KEYS = ("week", "batch_id", "project_id", "pool_id", "language", "policy", "guideline_version")

SOURCES: dict[str, Source] = {
    s.name: s
    for s in (
        _source("work", WORK.keys, WORK.sums, ("rater_id",)),
        _source("handle_time", ("day", "project_id", "pool_id", "time_basis", "bucket"), ("n",), ()),
        _source("agreement", _AGREEMENT_KEYS, ("items", "ratings"), ()),
        _source("overlap", _AGREEMENT_KEYS, ("rated_items", "overlapped_items"), ("week", "project_id", "policy")),
        _source("confusion", CONFUSION.keys, CONFUSION.sums, ("rater_id",)),
        _source("labels_given", LABELS_GIVEN.keys, LABELS_GIVEN.sums, ("rater_id",)),
        _source("peers", PEERS.keys, PEERS.sums, ("rater_id",)),
        _source("overlap_sample", ("day", "project_id", "language", "policy"), ("ratings",), ()),
        _source("flow", _FLOW_KEYS, (*FLOW_SUMS, *APPEAL_SUMS), ("day", "project_id")),
        _source(
            "backlog",
            _FLOW_KEYS,
            ("backlog", "overdue_open", *AGE_COLUMNS),
            ("project_id", "policy"),
            table="flow",
            stock=True,
        ),
        _source("promise", ("week", "project_id", "language", "policy", "hours"), ("items",), ()),
        _source("turnaround", ("week", "project_id", "language", "policy", "bucket"), ("n",), ()),
        _source("claim_time", ("week", "project_id", "language", "policy", "bucket"), ("n",), ()),
        _source("appeal_time", ("week", "project_id", "language", "policy", "bucket"), ("n",), ()),
        _source("ledger", _LEDGER_KEYS, _LEDGER_COLUMNS, ("week", "project_id", "pool_id")),
        # An escalation has no language and no policy: its ledger is kept without them.
        _source(
            "escalation_ledger",
            ("day", "project_id", "pool_id"),
            ("labels", "escalations"),
            ("week", "project_id", "pool_id"),
            table="ledger",
        ),
        _source("project_ledger", _FLOW_KEYS, ("cost", "closed"), ("week", "project_id")),
        _source(
            "shift",
            ("day", "pool_id"),
            (
                "rater_days",
                "scheduled_seconds",
                "logged_seconds",
                "active_seconds",
                "sensitive_seconds",
                "idle_seconds",
                "available_seconds",
                "available_active_seconds",
                "cap_breaches",
            ),
            ("day", "pool_id"),
        ),
        _source("batch_work", BATCH_WORK.keys, BATCH_WORK.sums, ("rater_id",)),
        _source("batch_sum", _BATCH_KEYS, BATCH_WORK.sums, ()),
        _source("batch_patterns", BATCH_PATTERNS.keys, ("items", "ratings"), ()),
        _source("batch_items", BATCH_ITEMS.keys, BATCH_ITEMS.sums, ()),
        _source("comparison", ("day", "project_id", "rater_id"), ("decided", "first_chosen"), ("rater_id",)),
        _source("training", ("day", "rater_id"), ("due", "completed_in_time", "attempted", "passed"), ("rater_id",)),
    )
}


def period(source: Source, name: str) -> sa.ColumnElement | None:
    """The day, week or month of a mart's row."""
    time = source.table.c[source.time]
    if name == source.time:
        return time
    if name == "week" and source.time == "day":
        return sa.cast(sa.func.date_trunc(sa.literal_column("'week'"), time), sa.Date)
    if name == "month" and source.time == "day":
        return sa.cast(sa.func.date_trunc(sa.literal_column("'month'"), time), sa.Date)
    return None


def expression(source: Source, name: str) -> sa.ColumnElement | None:
    """A dimension as an expression on the mart, or None when the mart does not keep it."""
    columns = source.table.c
    if name in ("day", "week", "month"):
        return period(source, name)
    if name == "project":
        return columns.get("project_id")
    if name in ("product", "policy_area", "task_type"):
        return PROJECT.c[name] if "project_id" in source.keys else None
    if name == "pool":
        return RATER.c.pool_id if "rater_id" in source.keys else columns.get("pool_id")
    if name in ("vendor", "site", "region"):
        return POOL.c[name] if {"rater_id", "pool_id"} & set(source.keys) else None
    if name == "rater":
        return columns.get("rater_id")
    if name in ("lead", "locale"):
        return RATER.c[name] if "rater_id" in source.keys else None
    if name == "tenure_band":
        return _tenure(source) if "rater_id" in source.keys and source.time == "day" else None
    return columns.get(name) if name in source.keys else None


def _tenure(source: Source) -> sa.ColumnElement:
    days = sa.func.date_diff(sa.literal_column("'day'"), RATER.c.hired_on, source.table.c.day)

    def text(band: str) -> sa.ColumnElement:
        return sa.literal_column(f"'{band}'", sa.String)

    bands = ((days < sa.literal_column(str(limit)), text(band)) for limit, band in TENURE_BANDS)
    return sa.case(*bands, else_=text(TENURE_LAST))


def joined(source: Source, names: set[str]) -> sa.FromClause:
    """The mart's table joined with the dimension tables that these dimensions need."""
    clause: sa.FromClause = source.table
    rater_keyed = "rater_id" in source.keys
    if names & {"product", "policy_area", "task_type"}:
        clause = clause.join(PROJECT, PROJECT.c.project_id == source.table.c.project_id)
    needs_pool = bool(names & {"vendor", "site", "region"})
    if rater_keyed and (needs_pool or names & {"pool", "lead", "locale", "tenure_band"}):
        clause = clause.join(RATER, RATER.c.rater_id == source.table.c.rater_id)
    if needs_pool:
        pool = RATER.c.pool_id if rater_keyed else source.table.c.pool_id
        clause = clause.join(POOL, POOL.c.pool_id == pool)
    return clause


def why_not(source: Source, name: str) -> str:
    """Why a mart's metrics cannot be shown by a dimension, for the reader."""
    kept = [d for d in DIMENSIONS if expression(source, d) is not None and d not in ("day", "week", "month")]
    what = {
        "handle_time": "handle time quantiles are",
        "agreement": "agreement is",
        "overlap": "overlap is",
        "confusion": "the confusion of labels is",
        "labels_given": "labels given are",
        "peers": "comparison with the other raters of an item is",
        "overlap_sample": "agreement by group is",
        "flow": "flow is",
        "backlog": "the backlog is",
        "promise": "the time that items are due in is",
        "turnaround": "turnaround is",
        "claim_time": "time to claim is",
        "appeal_time": "appeal time is",
        "ledger": "costs are",
        "escalation_ledger": "escalations are",
        "project_ledger": "cost per decided item is",
        "shift": "hours are",
        "training": "training is",
        "comparison": "the choice between two answers is",
        "batch_work": "work in batches is",
        "batch_sum": "work in batches is",
        "batch_patterns": "agreement within batches is",
        "batch_items": "batches are",
    }.get(source.name, "this is")
    if name in ("day", "week", "month"):
        return f"{what} kept by {source.time}"
    return f"{what} not kept by {DIMENSIONS[name]}; kept are {', '.join(DIMENSIONS[k] for k in kept)}"
