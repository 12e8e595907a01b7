"""The contract check: one fault planted at a time, one sentence expected."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from data_access import contract, doctor, refresh
from data_access import tables as t
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from data_access.warehouse import Warehouse
from tests.data_access import toy

NOW = dt.datetime(2026, 6, 1)


def findings(url: str) -> list[contract.Finding]:
    warehouse = Warehouse(url)
    structure = contract.check_structure(warehouse.present())
    return structure + contract.check_contents(warehouse, contract.usable(structure, warehouse.present()), NOW)


def grave(url: str) -> list[str]:
    return [f.message for f in findings(url) if f.severity != contract.NOTE]


@pytest.fixture(scope="module")
def frames():
    return toy.frames(31, items=30)


def test_a_sound_warehouse_has_no_findings(tmp_path, frames):
    items, batches = frames["items"], frames["batches"]
    known = items["batch_id"].where(items["batch_id"].isin(batches["batch_id"]), None)  # the toy's lost batch is none
    built = batches.dropna(subset=["dataset_version"]).assign(built_at=toy.START)
    frames["dataset_versions"] = built[["dataset_version", "project_id", "built_at"]]
    toy.write(toy.duckdb_url(tmp_path), frames | {"items": items.assign(batch_id=known)})
    assert grave(toy.duckdb_url(tmp_path)) == []


def break_annotations(**changes):
    def apply(tables):
        rows = tables["annotations"].copy()
        for column, value in changes.items():
            rows[column] = rows[column].astype(object)
            rows.loc[2, column] = value
        tables["annotations"] = rows

    return apply


def twice_judged(tables):
    rows = tables["annotations"]
    again = rows[rows["status"] != "skipped"].head(1).assign(annotation_id="again")
    tables["annotations"] = toy.pd.concat([rows, again])


CASES = [
    (break_annotations(status="done"), '"annotations.status" holds "done"; allowed are submitted, accepted'),
    (break_annotations(rater_id="ghost"), '1 rows of "annotations" name a rater_id that is not in "raters"'),
    (break_annotations(item_id="ghost"), '1 rows of "annotations" name a item_id that is not in "items"'),
    (break_annotations(label="Yes!", status="accepted"), 'with the label "Yes!", which its label set does not declare'),
    (break_annotations(submitted_at=dt.datetime(2027, 1, 1)), "have a submitted_at in the future"),
    (break_annotations(submitted_at=dt.datetime(2020, 1, 1)), "1 annotations were submitted before their item"),
    (break_annotations(handle_seconds=-4.0), "1 annotations have a negative handle time"),
    (twice_judged, "1 times a rater judged an item more than once in one stage"),
]


@pytest.mark.parametrize(("fault", "sentence"), CASES, ids=[c[1][:30] for c in CASES])
def test_each_fault_is_found_and_said_in_one_sentence(tmp_path, frames, fault, sentence):
    tables = dict(frames)
    fault(tables)
    toy.write(toy.duckdb_url(tmp_path), tables)
    found = grave(toy.duckdb_url(tmp_path))
    assert any(sentence in message for message in found), found
    assert all("\n" not in message for message in found)


def statement(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for text in statements:
            connection.execute(sa.text(text))
    engine.dispose()


def test_structure_faults_name_table_column_and_what_they_switch_off(tmp_path, frames):
    url = f"sqlite:///{tmp_path / 'w.sqlite'}"
    toy.write(url, frames)
    statement(
        url,
        "DROP TABLE costs",
        "ALTER TABLE audits DROP COLUMN weight",
        "ALTER TABLE items RENAME COLUMN policy TO polcy",
        "DROP TABLE shifts",
        "CREATE TABLE shifts (rater_id TEXT, work_date TEXT, scheduled_seconds TEXT, logged_seconds REAL, "
        "active_seconds REAL, sensitive_seconds REAL)",
        "ALTER TABLE raters ADD COLUMN favourite_colour TEXT",
    )
    found = {(f.severity, f.table, f.column): f for f in contract.check_structure(Warehouse(url).present())}
    assert "Cost per accepted label" in found[("note", "costs", "")].affects
    assert "Audit accuracy" in found[("broken", "audits", "weight")].affects
    assert ("broken", "items", "policy") in found
    assert "where the contract has a number" in found[("warning", "shifts", "scheduled_seconds")].message
    assert not any(f.column == "favourite_colour" for f in found.values())
    usable = contract.usable(list(found.values()), Warehouse(url).present())
    assert {"costs", "audits", "items"}.isdisjoint(usable)
    assert "annotations" in usable


def test_doctor_says_when_the_warehouse_is_gone_and_the_snapshot_missing(tmp_path: Path):
    ours = Settings(f"duckdb:///{tmp_path / 'none.duckdb'}", tmp_path / "none", "", secret="short")
    found = doctor.examine(ours)
    text = " ".join(found["message"])
    assert "There is no warehouse file" in text
    assert "There is no snapshot" in text
    assert "RATERSCOPE_SECRET is shorter than 32 characters" in text


def test_every_required_table_and_column_is_declared_once_with_a_meaning():
    for table in t.TABLES:
        assert table.comment, table.name
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"
            target = column.info.get("refers_to")
            assert target is None or target in t.metadata.tables


@pytest.mark.parametrize("given", [True, False])
def test_a_warehouse_may_do_without_whether_lots_were_drawn(tmp_path, frames, given):
    url = toy.duckdb_url(tmp_path)
    change = {"change_id": ["c", "d"], "kind": "tool", "starts_on": NOW.date(), "summary": "words"}
    toy.write(url, frames | {"changes": pd.DataFrame(change).assign(randomised=[True, None])})
    if not given:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE changes DROP COLUMN randomised"))
        engine.dispose()
    assert grave(url) == []
    notes = [f.message for f in findings(url) if f.column == "randomised"]
    assert len(notes) == (not given)
    refresh.refresh(Settings(url, tmp_path / "s.duckdb", ""))
    snapshot = Snapshot(tmp_path / "s.duckdb")
    assert dict(snapshot.table("change")[["change_id", "randomised"]].to_numpy().tolist()) == {"c": given, "d": False}
    snapshot.close()
