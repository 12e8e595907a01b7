"""What the snapshot works out from its own tables: flow, ledger, overlap and how late audits come.

This is DuckDB SQL on the snapshot alone, so it needs no portability; each statement rebuilds one table from additive
parts, and takes under a second at any number of annotations.
"""

from __future__ import annotations

import duckdb

AGE_BUCKETS_DAYS = (0, 1, 2, 4, 8, 15, 31)  # lower ends; an item's age is in whole days at the end of a day
AGE_COLUMNS = tuple(f"open_age_{days}d" for days in AGE_BUCKETS_DAYS)


def _age_columns() -> str:
    ends = [*AGE_BUCKETS_DAYS[1:], None]
    return ",\n".join(
        f"SUM(items) FILTER (day - created_day >= {low}{f' AND day - created_day < {high}' if high else ''}) AS {name}"
        for low, high, name in zip(AGE_BUCKETS_DAYS, ends, AGE_COLUMNS, strict=True)
    )


FLOW = f"""
CREATE OR REPLACE TABLE flow AS
WITH last AS (SELECT MAX(day) AS day FROM (
         SELECT MAX(day) AS day FROM work UNION ALL SELECT MAX(created_day) FROM item_lives
         UNION ALL SELECT MAX(closed_day) FROM item_lives)),
created AS (SELECT created_day AS day, project_id, language, policy, SUM(items) AS created
            FROM item_lives GROUP BY ALL),
closed AS (SELECT closed_day AS day, project_id, language, policy, SUM(items) AS closed
           FROM item_lives WHERE closed_day IS NOT NULL GROUP BY ALL),
due AS (SELECT due_day AS day, project_id, language, policy, SUM(items) AS due,
               SUM(items) FILTER (in_time = 1) AS due_in_time
        FROM item_lives WHERE due_day IS NOT NULL AND due_day <= (SELECT day FROM last) GROUP BY ALL),
open_days AS (
    SELECT project_id, language, policy, created_day, due_day, items,
           UNNEST(generate_series(created_day, COALESCE(closed_day, (SELECT day FROM last) + 1) - 1, INTERVAL 1 DAY))
               ::DATE AS day
    FROM (SELECT project_id, language, policy, created_day, due_day, closed_day, SUM(items) AS items
          FROM item_lives WHERE closed_day IS NULL OR closed_day > created_day GROUP BY ALL)),
standing AS (SELECT day, project_id, language, policy, SUM(items) AS backlog,
                    SUM(items) FILTER (due_day <= day) AS overdue_open,
                    {_age_columns()}
             FROM open_days GROUP BY ALL),
everything AS (
    SELECT * FROM created UNION ALL BY NAME SELECT * FROM closed UNION ALL BY NAME SELECT * FROM due
    UNION ALL BY NAME SELECT * FROM standing UNION ALL BY NAME SELECT * FROM appeal)
SELECT day, project_id, language, policy,
       {{sums}}
FROM everything GROUP BY ALL ORDER BY day, project_id, language, policy
"""
FLOW_SUMS = ("created", "closed", "due", "due_in_time", "backlog", "overdue_open", *AGE_COLUMNS)
APPEAL_SUMS = ("appeals_filed", "appeals_decided", "appeals_overturned")

LEDGER = """
CREATE OR REPLACE TABLE ledger AS
WITH made AS (
    SELECT day, project_id, pool_id, SUM(labels) AS labels, SUM(accepted_labels) AS accepted_labels,
           SUM(rejected_labels) AS rejected_labels
    FROM work JOIN rater USING (rater_id) GROUP BY ALL),
raised AS (SELECT day, project_id, pool_id, SUM(escalations) AS escalations FROM escalation GROUP BY ALL),
everything AS (SELECT * FROM made UNION ALL BY NAME SELECT * FROM cost UNION ALL BY NAME SELECT * FROM raised),
days AS (SELECT day, project_id, pool_id, {sums} FROM everything GROUP BY ALL)
SELECT day, project_id, pool_id, labels, accepted_labels, rejected_labels,
       {escalations} AS escalations,
       cost, cost_labour, cost_review, cost_rework, cost_tooling, cost_training, cost_fee,
       cost_labour + cost_fee AS cost_labour_and_fees,
       cost_rework + cost_labour * COALESCE(rejected_labels / NULLIF(labels, 0), 0) AS cost_poor_quality
FROM days ORDER BY day, project_id, pool_id
"""
LEDGER_COUNTS = ("labels", "accepted_labels", "rejected_labels", "escalations")

PROJECT_LEDGER = """
CREATE OR REPLACE TABLE project_ledger AS
SELECT day, project_id, SUM(cost)::DOUBLE AS cost, SUM(closed)::BIGINT AS closed
FROM (SELECT day, project_id, cost FROM ledger UNION ALL BY NAME SELECT day, project_id, closed FROM flow)
GROUP BY ALL ORDER BY day, project_id
"""

OVERLAP = """
CREATE OR REPLACE TABLE overlap AS
SELECT week, project_id, language, policy, guideline_version, SUM(items)::BIGINT AS rated_items,
       COALESCE(SUM(items) FILTER (ratings > 1), 0)::BIGINT AS overlapped_items
FROM agreement GROUP BY ALL ORDER BY week, project_id
"""


def derive(connection: duckdb.DuckDBPyConnection, *, has_appeals: bool, has_costs: bool, has_escalations: bool) -> None:
    """Rebuilds the derived tables. A source that is absent leaves NULLs, so that its metrics say so."""
    sums = [f"COALESCE(SUM({name}), 0)::BIGINT AS {name}" for name in FLOW_SUMS]
    sums += [
        f"COALESCE(SUM({name}), 0)::BIGINT AS {name}" if has_appeals else f"NULL::BIGINT AS {name}"
        for name in APPEAL_SUMS
    ]
    connection.execute(FLOW.format(sums=",\n       ".join(sums)))
    kinds = ("cost", "cost_labour", "cost_review", "cost_rework", "cost_tooling", "cost_training", "cost_fee")
    ledger = [f"COALESCE(SUM({name}), 0)::BIGINT AS {name}" for name in LEDGER_COUNTS]
    ledger += [
        f"COALESCE(SUM({name}), 0)::DOUBLE AS {name}" if has_costs else f"NULL::DOUBLE AS {name}" for name in kinds
    ]
    connection.execute(
        LEDGER.format(sums=", ".join(ledger), escalations="escalations" if has_escalations else "NULL::BIGINT")
    )
    connection.execute(PROJECT_LEDGER)
    connection.execute(OVERLAP)
    connection.execute(
        "CREATE OR REPLACE TABLE audit_lag AS SELECT audited_day, day, SUM(n)::BIGINT AS n "
        "FROM audit_day GROUP BY ALL ORDER BY ALL"
    )
