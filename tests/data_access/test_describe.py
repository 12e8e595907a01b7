"""Oracle: the statements are run by the engines they name, on empty tables of the contract."""

import re

import duckdb
import pytest
import sqlalchemy as sa

from data_access import batch_marts, describe, docs, marts, metric_facts, sql_text
from data_access import dimensions as dim
from data_access import tables as t
from data_access.derive import derive
from data_access.snapshot import DIALECT
from metrics.catalogue import METRICS
from metrics.errors import UnknownName
from metrics.shapes import Coefficient, Quantile

NAMES = sorted(METRICS)


def _words(sql: str) -> str:
    """The statement without any space outside its strings."""
    return "".join(part if k % 2 else re.sub(r"\s", "", part) for k, part in enumerate(re.split(r"('[^']*')", sql)))


@pytest.fixture(scope="module")
def warehouses():
    """Empty contract tables in every engine that runs inside Python."""
    engines = {name: sa.create_engine(f"{name}://") for name in ("duckdb", "sqlite")}
    for name, engine in engines.items():
        t.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE digits (project_id VARCHAR(64), label VARCHAR, digit_0 BIGINT)"))
            if name == "sqlite":
                connection.connection.create_function("ln", 1, lambda x: x)
                connection.connection.create_function("floor", 1, lambda x: x)
            engines[name] = engine
    return engines


@pytest.fixture(scope="module")
def snapshot():
    """Empty tables of a snapshot."""
    connection = duckdb.connect()
    for mart in (
        marts.WORK,
        marts.AGREEMENT,
        marts.LIVES,
        marts.HANDLE_TIME,
        marts.TURNAROUND,
        marts.CLAIM_TIME,
        marts.PEERS,
        batch_marts.BATCH_WORK,
    ):
        days = {"day", "week", "created_week", "created_day", "due_day", "closed_day"}
        columns = [f'"{k}" {"DATE" if k in days else "VARCHAR"}' for k in mart.keys]
        columns += [f'"{s}" DOUBLE' for s in mart.sums]
        extra = ["code_0 BIGINT", "ratings BIGINT"] if mart is marts.AGREEMENT else []
        connection.execute(f"CREATE TABLE {mart.name} ({', '.join(columns + extra)})")
    connection.execute("CREATE TABLE audit_day (audited_day DATE, day DATE, n BIGINT)")
    connection.execute("CREATE TABLE rater (rater_id VARCHAR, pool_id VARCHAR)")
    for name, select in {
        "appeal": marts.appeal_facts("UTC"),
        "appeal_time": marts.appeal_time("UTC"),
        "shift": marts.shift_facts(),
        "training": marts.training_facts(),
        "cost": marts.cost_facts(),
        "escalation": marts.escalation_facts("UTC"),
    }.items():
        kinds = {"day": "DATE", "week": "DATE"}
        columns = ", ".join(
            f'"{k}" {kinds.get(k, "VARCHAR" if k.endswith("_id") or k in ("language", "policy") else "DOUBLE")}'
            for k, _ in select.selected_columns.items()
        )
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
    derive(connection, has_appeals=True, has_costs=True, has_escalations=True)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_sum_of_a_metric_comes_from_a_statement_that_is_shown(name):
    metric = METRICS[name]
    shown = describe.statements(name)
    assert {s.runs_on for s in shown} == {"warehouse", "snapshot"}
    text = "\n".join(s.sql for s in shown)
    for column in metric.shape.columns:
        assert re.search(rf'AS "?{column}"?\b', text), column
    for table in {"annotations", "items", "audits", "costs", "appeals", "shifts", "trainings"} & set(metric.needs):
        assert re.search(rf"\b{table}\b", text), table


@pytest.mark.parametrize("name", NAMES)
def test_the_warehouse_statements_read_each_sum_or_all_its_parts(name):
    read = {c for select in describe.warehouse_selects(name).values() for c, _ in select.selected_columns.items()}
    for column in METRICS[name].shape.columns:
        parts = set(describe._PARTS.get(column, ()))
        assert column in read or (parts and parts <= read), column


@pytest.mark.parametrize("name", NAMES)
def test_the_warehouse_statements_hold_no_other_sum(name):
    parts = {p for c in METRICS[name].shape.columns for p in (c, *describe._PARTS.get(c, ()))}
    every_sum = {s for mart in (marts.WORK, marts.HANDLE_TIME, marts.AGREEMENT) for s in mart.sums}
    for select in describe.warehouse_selects(name).values():
        assert set(select.selected_columns.keys()) & every_sum <= parts


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_the_warehouse_statements_run(warehouses, dialect):
    with warehouses[dialect].connect() as connection:
        for name in NAMES:
            for statement in describe.statements(name, dialect):
                if statement.runs_on == "warehouse":
                    rows = connection.exec_driver_sql(statement.sql).fetchall()
                    assert rows == [], (name, statement.title)


def test_the_snapshot_statements_run_and_name_the_sums(snapshot):
    for name in NAMES:
        snapshot.execute("BEGIN")  # a narrowed table takes the place of the whole one
        named: set[str] = set()
        for statement in describe.statements(name):
            if statement.runs_on == "snapshot":
                named |= {column[0] for column in snapshot.execute(statement.sql).description}
        wanted = ["n"] if isinstance(METRICS[name].shape, Quantile) else list(METRICS[name].shape.columns)
        assert set(wanted) <= named, name
        snapshot.execute("ROLLBACK")


@pytest.mark.parametrize("dialect", sorted(describe.DIALECTS))
def test_layout_changes_nothing_but_spaces(dialect):
    engine = sa.dialects.registry.load(dialect)(paramstyle="named")
    for name in NAMES:
        for select in describe.warehouse_selects(name).values():
            plain = str(select.compile(dialect=engine, compile_kwargs={"literal_binds": True}))
            laid_out = sql_text.to_sql(select, dialect)
            assert _words(laid_out) == _words(plain)
            assert max(map(len, laid_out.splitlines())) < 260


def test_layout_gives_each_clause_a_line_and_leaves_strings_alone():
    laid_out = sql_text.layout(
        "SELECT a,  'x  FROM, (SELECT' AS b \nFROM (SELECT max(a, b) AS a FROM t) AS q WHERE a = 1"
    )
    assert laid_out == (
        "SELECT a, 'x  FROM, (SELECT' AS b\nFROM (\n    SELECT max(a, b) AS a\n    FROM t\n) AS q\nWHERE a = 1"
    )


def test_a_foreign_name_or_dialect_is_refused():
    with pytest.raises(UnknownName):
        describe.statements("gold_acuracy")
    with pytest.raises(UnknownName):
        describe.statements("gold_accuracy", "oracle; DROP TABLE x")


def test_every_shape_and_unit_has_words():
    for metric in METRICS.values():
        assert metric_facts.interval_of(metric)
        facts = metric_facts.facts_of(metric)
        assert {"Formula", "Unit", "Direction", "n counts", "Interval (95 %)", "Read from", "By"} <= set(facts)
        assert all(text and "None" not in text for text in facts.values())


def test_the_dimensions_named_are_those_the_queries_take():
    for metric in METRICS.values():
        source = dim.SOURCES[metric.mart]
        for name in metric_facts.dimensions_of(metric):
            select = describe.snapshot_select(metric.name, [name])
            assert name in str(select.compile(dialect=DIALECT)), (metric.name, source.name, name)


def test_the_contract_page_names_every_table_column_and_value():
    text = docs.contract_markdown()
    for table in t.TABLES:
        assert f"\n## {table.name}\n" in text and table.comment in text
        section = text.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            row = next(line for line in section.splitlines() if line.startswith(f"| `{column.name}`"))
            assert column.comment.replace("|", "\\|") in row
            assert row.split(" | ")[2].strip() == ("yes" if column.nullable else "")
            for value in column.info.get("one_of", ()):
                assert f"`{value}`" in row
            if column.info.get("refers_to"):
                assert f"(#{column.info['refers_to']})" in row
        for metric in docs.metrics_of(table.name):
            assert f"(metrics.md#{metric.name})" in section


def test_the_metrics_page_names_every_metric():
    text = docs.metrics_markdown()
    for metric in METRICS.values():
        section = text.split(f'<a id="{metric.name}"></a>')[1].split("<a id=")[0]
        assert all(said in section for said in (metric.label, metric.meaning, metric.formula, metric.counts))
        assert metric.caution in section


def test_agreement_is_read_by_patterns():
    coefficients = [m.name for m in METRICS.values() if isinstance(m.shape, Coefficient)]
    assert coefficients
    for name in coefficients:
        assert "code_0" in describe.statements(name)[-1].sql
