"""What the snapshot works out from its own tables: flow, ledger, overlap and how late audits come.

This is DuckDB SQL on the snapshot alone, so it needs no portability; each statement rebuilds one table from additive
parts, and takes under a second at any number of annotations.
"""

from __future__ import annotations

import duckdb

from data_access.batch_marts import BATCH_WORK

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


def _weight(place: str) -> str:
    """What a cell of work weighs in the costs of its place: its handle seconds, untimed judgements at the mean time."""
    mean = f"SUM(seconds) OVER (PARTITION BY {place}) / NULLIF(SUM(timed) OVER (PARTITION BY {place}), 0)"
    return f"seconds + (judgements - timed) * COALESCE({mean}, 1)"  # where nothing was timed, judgements count alike


_DAY, _WEEK = "day, project_id, pool_id", "week, project_id, pool_id"

LEDGER = f"""
CREATE OR REPLACE TABLE ledger AS
WITH usual AS (
    SELECT project_id, time_basis FROM work GROUP BY project_id, time_basis
    QUALIFY ROW_NUMBER() OVER (PARTITION BY project_id ORDER BY SUM(handle_n) DESC, time_basis) = 1),
made AS (
    SELECT day, project_id, pool_id, work.language, policy, SUM(labels) AS labels,
           SUM(accepted_labels) AS accepted_labels, SUM(rejected_labels) AS rejected_labels,
           SUM(judgements) AS judgements,
           COALESCE(SUM(handle_n) FILTER (work.time_basis = usual.time_basis), 0) AS timed,
           COALESCE(SUM(handle_sum_seconds) FILTER (work.time_basis = usual.time_basis), 0) AS seconds
    FROM work JOIN rater USING (rater_id) JOIN usual USING (project_id) GROUP BY ALL),
made_in_week AS (
    SELECT DATE_TRUNC('week', day)::DATE AS week, project_id, pool_id, language, policy,
           SUM(judgements) AS judgements, SUM(timed) AS timed, SUM(seconds) AS seconds
    FROM made GROUP BY ALL),
by_day AS (
    SELECT {_DAY}, language, policy, weight / SUM(weight) OVER (PARTITION BY {_DAY}) AS part
    FROM (SELECT *, {_weight(_DAY)} AS weight FROM made) WHERE weight > 0),
by_week AS (
    SELECT {_WEEK}, language, policy, weight / SUM(weight) OVER (PARTITION BY {_WEEK}) AS part
    FROM (SELECT *, {_weight(_WEEK)} AS weight FROM made_in_week) WHERE weight > 0),
spent AS (
    SELECT {_DAY}, COALESCE(d.language, w.language) AS language, COALESCE(d.policy, w.policy) AS policy,
           {{spent}}
    FROM cost c LEFT JOIN by_day d USING ({_DAY})
         -- A condition on one side alone would be tried pair by pair; without a week nothing is joined.
         LEFT JOIN by_week w ON w.week = CASE WHEN d.part IS NULL THEN DATE_TRUNC('week', c.day)::DATE END
                             AND w.project_id = c.project_id AND w.pool_id = c.pool_id),
worked AS (
    SELECT {_DAY}, language, policy, labels, accepted_labels, rejected_labels,
           cost_labour * rejected_labels / NULLIF(SUM(labels) OVER (PARTITION BY {_DAY}), 0) AS cost_discarded
    FROM made LEFT JOIN cost USING ({_DAY})),
raised AS (SELECT {_DAY}, SUM(escalations) AS escalations FROM escalation GROUP BY ALL),
everything AS (SELECT * FROM worked UNION ALL BY NAME SELECT * FROM spent UNION ALL BY NAME SELECT * FROM raised),
cells AS (SELECT {_DAY}, language, policy, {{sums}} FROM everything GROUP BY ALL)
SELECT {_DAY}, language, policy, labels, accepted_labels, rejected_labels, {{escalations}} AS escalations,
       cost, cost_labour, cost_review, cost_rework, cost_tooling, cost_training, cost_fee, cost_discarded,
       cost_labour + cost_fee AS cost_labour_and_fees,
       cost_rework + cost_discarded AS cost_internal_failure
FROM cells ORDER BY {_DAY}, language, policy
"""
LEDGER_COUNTS = ("labels", "accepted_labels", "rejected_labels", "escalations")
LEDGER_SPENT = ("cost", "cost_labour", "cost_review", "cost_rework", "cost_tooling", "cost_training", "cost_fee")


def ledger_sql(*, has_costs: bool = True, has_escalations: bool = True) -> str:
    """The statement that makes the ledger: labels as they were made, costs shared out over languages and policies.

    A day's costs of a project in a pool go to the cells of its work in proportion to handle time (of the time basis
    that most of the project's work has); on a day without work in proportion to the week's work there; costs of a
    week without work keep no language and no policy. A discarded label costs the day's mean labour of a label.
    """
    sums = [f"COALESCE(SUM({name}), 0)::BIGINT AS {name}" for name in LEDGER_COUNTS]
    sums += [
        f"COALESCE(SUM({name}), 0)::DOUBLE AS {name}" if has_costs else f"NULL::DOUBLE AS {name}"
        for name in (*LEDGER_SPENT, "cost_discarded")
    ]
    return LEDGER.format(
        spent=", ".join(f"{name} * COALESCE(d.part, w.part, 1) AS {name}" for name in LEDGER_SPENT),
        sums=", ".join(sums),
        escalations="escalations" if has_escalations else "NULL::BIGINT",
    )


PROJECT_LEDGER = """
CREATE OR REPLACE TABLE project_ledger AS
SELECT day, project_id, language, policy, SUM(cost)::DOUBLE AS cost, SUM(closed)::BIGINT AS closed
FROM (SELECT day, project_id, language, policy, cost FROM ledger
      UNION ALL BY NAME SELECT day, project_id, language, policy, closed FROM flow)
GROUP BY ALL ORDER BY day, project_id, language, policy
"""


def batch_sum_sql() -> str:
    """The statement that adds the batches' work up to pools, handle times on the basis that most of the project has."""
    sums = [
        f"COALESCE(SUM({name}){' FILTER (w.time_basis = usual.time_basis)' if name.startswith('handle_') else ''}, 0)"
        f"::{'DOUBLE' if name in BATCH_WORK.real else 'BIGINT'} AS {name}"
        for name in BATCH_WORK.sums
    ]
    return f"""
CREATE OR REPLACE TABLE batch_sum AS
WITH usual AS (
    SELECT project_id, time_basis FROM work GROUP BY project_id, time_basis
    QUALIFY ROW_NUMBER() OVER (PARTITION BY project_id ORDER BY SUM(handle_n) DESC, time_basis) = 1)
SELECT week, batch_id, w.project_id, pool_id, w.language, policy, guideline_version, {", ".join(sums)}
FROM batch_work w LEFT JOIN usual USING (project_id) LEFT JOIN rater USING (rater_id)
GROUP BY ALL ORDER BY project_id, week, batch_id
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
    connection.execute(ledger_sql(has_costs=has_costs, has_escalations=has_escalations))
    connection.execute(PROJECT_LEDGER)
    connection.execute(batch_sum_sql())
    connection.execute(OVERLAP)
    connection.execute(
        "CREATE OR REPLACE TABLE audit_lag AS SELECT audited_day, day, SUM(n)::BIGINT AS n "
        "FROM audit_day GROUP BY ALL ORDER BY ALL"
    )
