"""The sample keeps the warehouse contract: tables, values, keys, references, order in time."""

import duckdb
import pytest
import sqlalchemy as sa

from data_access.tables import SET_SEPARATOR, TABLES

BY_NAME = {table.name: table for table in TABLES}


def one(db: duckdb.DuckDBPyConnection, sql: str):
    return db.execute(sql).fetchone()[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_table_is_filled_and_typed(db, table):
    assert one(db, f"SELECT count(*) FROM {table.name}") > 0
    found = {row[0]: row[1] for row in db.execute(f"DESCRIBE {table.name}").fetchall()}
    assert list(found) == [column.name for column in table.columns]
    kinds = {
        sa.DateTime: "TIMESTAMP",
        sa.Date: "DATE",
        sa.Boolean: "BOOLEAN",
        sa.Integer: "INTEGER",
        sa.Double: "DOUBLE",
    }
    for column in table.columns:
        expected = next((kind for base, kind in kinds.items() if isinstance(column.type, base)), "VARCHAR")
        assert found[column.name] == expected, column.name
        if not column.nullable:
            assert one(db, f'SELECT count(*) FROM {table.name} WHERE "{column.name}" IS NULL') == 0
        else:
            assert one(db, f'SELECT count("{column.name}") FROM {table.name}') > 0 or column.name == "ended_on"


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_values_and_keys(db, table):
    for column in table.columns:
        if allowed := column.info.get("one_of"):
            values = {row[0] for row in db.execute(f'SELECT DISTINCT "{column.name}" FROM {table.name}').fetchall()}
            assert values - {None} <= set(allowed)
        if isinstance(column.type, sa.String) and column.type.length:
            longest = one(db, f'SELECT max(length("{column.name}")) FROM {table.name}')
            assert longest is None or longest <= column.type.length
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    if key:
        assert one(db, f"SELECT count(*) - count(DISTINCT ({key})) FROM {table.name}") == 0


def test_every_enumerated_value_of_work_occurs(db):
    for table, column in (("annotations", "status"), ("annotations", "stage"), ("audits", "verdict"), ("costs", "kind"),
                          ("projects", "task_type"), ("projects", "label_level"), ("changes", "kind"),
                          ("comparisons", "choice")):  # fmt: skip
        allowed = BY_NAME[table].columns[column].info["one_of"]
        assert {row[0] for row in db.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()} == set(allowed)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_references_hold(db, table):
    for column in table.columns:
        target = column.info.get("refers_to")
        if target:
            key = next(iter(BY_NAME[target].primary_key.columns)).name
            missing = f'SELECT count(*) FROM {table.name} WHERE "{column.name}" NOT IN (SELECT {key} FROM {target})'
            assert one(db, missing) == 0, (table.name, column.name)


# What must not exist: a short name, and SQL whose rows would each be a fault.
FAULTS = {
    "annotation of another project than its item": """
        FROM annotations a JOIN items i USING (item_id) WHERE a.project_id <> i.project_id""",
    "guideline version that is unknown or not yet in force": """
        FROM annotations a ANTI JOIN guidelines g ON g.project_id = a.project_id AND g.version = a.guideline_version
        AND g.effective_from <= a.submitted_at""",
    "work outside employment": """
        FROM annotations JOIN raters USING (rater_id)
        WHERE submitted_at::DATE < hired_on OR submitted_at::DATE > left_on""",
    "work in another language than the rater's": """
        FROM annotations JOIN items i USING (item_id) JOIN raters r USING (rater_id) WHERE i.language <> r.language""",
    "work before the project began": """
        FROM annotations JOIN projects USING (project_id) WHERE submitted_at::DATE < started_on""",
    "two time bases in a project": """
        FROM (SELECT project_id FROM annotations GROUP BY 1 HAVING count(DISTINCT time_basis) > 1)""",
    "label without declaration": """
        FROM (SELECT a.project_id, unnest(CASE WHEN label_level = 'set' THEN string_split(label, '|') ELSE [label] END)
              AS label FROM annotations a JOIN projects USING (project_id) WHERE label IS NOT NULL)
        ANTI JOIN labels USING (project_id, label)""",
    "gold or audit label without declaration": """
        FROM (SELECT project_id, gold_label AS label FROM items WHERE gold_label IS NOT NULL UNION
              SELECT project_id, correct_label FROM audits JOIN annotations USING (annotation_id))
        ANTI JOIN (SELECT DISTINCT project_id, label FROM annotations) USING (project_id, label)""",
    "skipped with a label, or not skipped without one": """
        FROM annotations WHERE (label IS NULL) <> (status = 'skipped')""",
    "scale with a gap": """
        FROM (SELECT project_id FROM labels GROUP BY 1 HAVING max(position) <> count(*) - 1)""",
    "judged before it arrived": """
        FROM annotations JOIN items USING (item_id) WHERE submitted_at <= created_at""",
    "judged after it was closed": """
        FROM annotations JOIN items USING (item_id) WHERE closed_at < submitted_at""",
    "closed without a judgement": """
        FROM items ANTI JOIN annotations USING (item_id) WHERE closed_at IS NOT NULL""",
    "audited before it was judged": """
        FROM audits JOIN annotations USING (annotation_id) WHERE audited_at <= submitted_at""",
    "audit of a review or of a skip": """
        FROM audits JOIN annotations USING (annotation_id) WHERE stage = 'review' OR label IS NULL""",
    "audit verdict against its labels": """
        FROM audits JOIN annotations USING (annotation_id) WHERE (verdict = 'pass') <> (label = correct_label)""",
    "audit weight below one": "FROM audits WHERE weight < 1",
    "claimed before it arrived or after its first judgement": """
        FROM items LEFT JOIN (SELECT item_id, min(submitted_at) AS first FROM annotations GROUP BY 1) USING (item_id)
        WHERE claimed_at <= created_at OR claimed_at >= first""",
    "judged in moderation and never claimed, or claimed outside it": """
        FROM items JOIN projects USING (project_id) SEMI JOIN annotations USING (item_id)
        WHERE (claimed_at IS NOT NULL) <> (task_type = 'moderation')""",
    "available time that holds no handling or is not paid": """
        FROM shifts WHERE available_seconds IS NULL OR available_seconds < active_seconds
        OR available_seconds > logged_seconds""",
    "due before it arrived": "FROM items WHERE due_at <= created_at",
    "appeal out of order": """
        FROM appeals JOIN items USING (item_id)
        WHERE closed_at IS NULL OR filed_at <= closed_at OR decided_at < filed_at""",
    "appeal decided without outcome": "FROM appeals WHERE (decided_at IS NULL) <> (overturned IS NULL)",
    "appeal outside moderation": """
        FROM appeals JOIN items USING (item_id) JOIN projects USING (project_id) WHERE task_type <> 'moderation'""",
    "incident out of order": "FROM incidents WHERE detected_at < occurred_at OR resolved_at < detected_at",
    "incident of a model not yet released": """
        FROM incidents JOIN model_versions USING (model_version) WHERE occurred_at < released_at""",
    "model trained before its dataset was built": """
        FROM dataset_versions JOIN model_versions USING (dataset_version) WHERE trained_at < built_at""",
    "benchmark measured before training": """
        FROM model_metrics JOIN model_versions USING (model_version) WHERE measured_at < trained_at""",
    "dataset built before its batches closed": """
        FROM batches JOIN dataset_versions USING (dataset_version) WHERE closed_at > built_at""",
    "item closed after its batch": "FROM batches b JOIN items i USING (batch_id) WHERE i.closed_at > b.closed_at",
    "attack on a model not yet released": """
        FROM attacks JOIN model_versions USING (model_version) WHERE submitted_at < released_at""",
    "duplicate of a later attack": """
        FROM attacks a JOIN attacks b ON a.duplicate_of = b.attack_id
        WHERE b.submitted_at > a.submitted_at OR a.attack_id <= b.attack_id""",
    "comparison that contradicts its annotation": """
        FROM comparisons c JOIN annotations a USING (item_id, rater_id)
        WHERE c.choice <> (CASE WHEN a.label = 'tie' THEN 'tie' ELSE a.label[1] END) OR c.model_a = c.model_b""",
    "rework that no other rater's rejection explains": """
        FROM annotations w WHERE is_rework AND NOT EXISTS (
            SELECT 1 FROM annotations r WHERE r.item_id = w.item_id AND r.status = 'rejected'
            AND r.submitted_at < w.submitted_at AND r.rater_id <> w.rater_id)""",
    "rejection without a review": """
        FROM annotations r WHERE status = 'rejected' AND NOT EXISTS (
            SELECT 1 FROM annotations v WHERE v.item_id = r.item_id AND v.stage = 'review')""",
    "hours that cannot be": """
        FROM shifts WHERE sensitive_seconds > active_seconds + 0.1 OR active_seconds > logged_seconds
        OR logged_seconds > scheduled_seconds""",
    "hours that do not follow from the work": """
        FROM shifts FULL JOIN (SELECT rater_id, submitted_at::DATE AS work_date, sum(handle_seconds) AS seconds
                               FROM annotations GROUP BY ALL) USING (rater_id, work_date)
        WHERE coalesce(abs(active_seconds - seconds), 1) > 0.1""",
    "negative amount": "FROM costs WHERE amount < 0",
    "target that overlaps another": """
        FROM targets a JOIN targets b ON a.metric = b.metric AND a.project_id IS NOT DISTINCT FROM b.project_id
        AND a.pool_id IS NOT DISTINCT FROM b.pool_id AND a.valid_from < b.valid_from
        WHERE a.valid_to IS NULL OR a.valid_to >= b.valid_from""",
    "two projects on a rater's day": """
        FROM (SELECT rater_id, submitted_at::DATE FROM annotations GROUP BY ALL
              HAVING count(DISTINCT project_id) > 1)""",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_there_is_no(db, fault):
    assert one(db, f"SELECT count(*) {FAULTS[fault]}") == 0


def test_one_judgement_per_item_rater_and_stage(db):
    assert one(db, "SELECT count(*) - count(DISTINCT (item_id, rater_id, stage)) FROM annotations") == 0


def test_sets_are_written_in_order(db):
    sets = db.execute(
        "SELECT DISTINCT label FROM annotations JOIN projects USING (project_id) "
        "WHERE label_level = 'set' AND label IS NOT NULL"
    ).fetchall()
    assert len(sets) > 10
    for (label,) in sets:
        members = label.split(SET_SEPARATOR)
        assert members == sorted(set(members))
        assert members == ["none"] or "none" not in members


@pytest.mark.parametrize(
    "column",
    ["annotations.submitted_at", "items.created_at", "items.closed_at", "audits.audited_at", "appeals.decided_at",
     "shifts.work_date", "costs.cost_date", "incidents.resolved_at", "model_metrics.measured_at", "batches.closed_at",
     "escalations.resolved_at", "trainings.completed_on", "items.claimed_at"],
)  # fmt: skip
def test_nothing_happens_after_the_last_day(db, column):
    table, name = column.split(".")
    assert str(one(db, f"SELECT max({name})::DATE FROM {table}")) <= "2026-11-15"


def test_rows_stand_in_order_of_their_ids_and_time(db):
    for table, key in (("items", "item_id"), ("annotations", "annotation_id")):
        keys = [row[0] for row in db.execute(f"SELECT {key} FROM {table}").fetchall()]
        assert keys == sorted(keys)
        assert max(map(len, keys)) <= 12
    items = [row[0] for row in db.execute("SELECT item_id FROM annotations").fetchall()]
    assert items == sorted(items)
    created = [row[0] for row in db.execute("SELECT created_at FROM items").fetchall()]
    assert created == sorted(created)


def test_money_follows_from_the_hours(db):
    assert 0.72 < one(db, "SELECT sum(active_seconds) / sum(logged_seconds) FROM shifts") < 0.88
    paid = one(db, "SELECT sum(amount) FROM costs WHERE kind IN ('labour', 'review', 'rework')")
    hours = one(db, "SELECT sum(logged_seconds) / 3600 FROM shifts")
    assert 7 < paid / hours < 19


def test_shape_of_the_operation(db):
    assert one(db, "SELECT count(*) FROM projects") == 12
    assert one(db, "SELECT count(*) FROM pools") == 14
    assert one(db, "SELECT count(DISTINCT site) FROM pools") == 8
    assert one(db, "SELECT count(DISTINCT vendor) FROM pools") == 4
    assert one(db, "SELECT count(DISTINCT language) FROM items") == 10
    assert 500 < one(db, "SELECT count(*) FROM raters") < 750
    assert one(db, "SELECT count(*) FROM raters WHERE left_on IS NULL") < 500
    assert 0.06 < one(db, "SELECT avg((gold_label IS NOT NULL)::INT) FROM items") < 0.10
    assert 1.9 < one(db, "SELECT (SELECT count(*) FROM annotations) / (SELECT count(*) FROM items)") < 2.3
    assert one(db, "SELECT count(*) FROM items WHERE closed_at IS NULL") > 0
    cells = "submitted_at::DATE, a.project_id, rater_id, stage, language, policy, content_type, guideline_version"
    work = one(db, f"SELECT count(DISTINCT ({cells})) FROM annotations a JOIN items USING (item_id)")
    assert work / one(db, "SELECT count(*) FROM shifts") <= 12
