"""An open snapshot shared by many readers: what one does with its answer, or to its cursor, no other sees."""

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
import sqlalchemy as sa

from data_access.snapshot import Snapshot


@pytest.fixture
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


def test_what_a_reader_writes_to_a_table_stays_with_it(snapshot):
    first = snapshot.table("project")
    names = first["name"].tolist()
    first["more"] = 1
    first.loc[:, "name"] = "changed"
    again = snapshot.table("project")
    assert "more" not in again and again["name"].tolist() == names


def test_a_statement_that_failed_leaves_the_next_one_well(snapshot):
    before = snapshot.table("project")
    with pytest.raises(duckdb.Error):
        snapshot.query(sa.select(sa.column("nothing_of_that_name")).select_from(sa.table("project")))
    count = snapshot.query(sa.select(sa.func.count().label("n")).select_from(sa.table("project")))
    assert count["n"].tolist() == [len(before)]


def test_many_threads_each_get_their_own_answer(snapshot):
    values = sa.select((sa.bindparam("x", type_=sa.Integer) * sa.literal_column("1")).label("x"))
    with ThreadPoolExecutor(8) as readers:
        found = list(readers.map(lambda x: int(snapshot.columns(values, {"x": x})["x"][0]), range(60)))
    assert found == list(range(60))
