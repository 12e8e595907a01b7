"""Two samples made once: the small one of all tests for the contract, a larger one to see the planted events in."""

import json
from pathlib import Path

import duckdb
import pytest

from sample_data import generate
from tests.conftest import once

LARGE = 900_000


@pytest.fixture(scope="module")
def db(sample_warehouse):
    """Closed with its file of tests: a file that one connection holds cannot be opened in another way."""
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Path:
    return once(tmp_path_factory, "large.duckdb", lambda path: generate(path, annotations=LARGE))


@pytest.fixture(scope="session")
def facts(large):
    """The larger sample with a table `j` of judgements, each with its item, rater, gold, audit and age in days."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"ATTACH '{large}' AS sample (READ_ONLY)")
        connection.execute("USE sample")
        connection.execute(
            """
            CREATE TABLE memory.j AS
            SELECT a.*, i.language, i.policy, i.content_type, i.gold_label, i.severity, r.pool_id, r.hired_on,
                   p.region, p.vendor, (a.label = i.gold_label)::INT AS gold_ok, i.created_at,
                   date_diff('day', a.submitted_at::DATE, DATE '2026-11-15') AS back
            FROM annotations a JOIN items i USING (item_id) JOIN raters r USING (rater_id)
            JOIN pools p ON p.pool_id = r.pool_id
            """
        )
        connection.execute(
            "CREATE TABLE memory.u AS SELECT j.*, u.correct_label, u.verdict, u.root_cause, u.weight "
            "FROM sample.audits u JOIN memory.j j USING (annotation_id)"
        )
        yield connection


@pytest.fixture(scope="session")
def truth(large) -> dict:
    return json.loads(Path(f"{large}.truth.json").read_text())
