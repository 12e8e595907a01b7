"""What a load refuses or explains: hours, money, currencies, projects without labels, columns a warehouse may lack."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from data_access import imports
from metrics.errors import LoadRefused

from .conftest import NOW, SECRET, TABLE_FILES, only, rows

SHIFTS = "rater_id,work_date,scheduled_seconds,logged_seconds,active_seconds,sensitive_seconds\n"
GROUND = {name: TABLE_FILES[name] for name in ("projects", "labels", "pools", "raters")}
COSTS = "cost_date,project_id,pool_id,kind,amount,Currency\n2024-05-01,p,north,labour,12.5,{}\n"
MORE = "2024-05-02,p,north,labour,9,{}\n"


# ---- hours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "kind", "said"),
    [
        (
            "28800,0,100,0",
            "work without paid time",
            "logged_seconds is 0 but active_seconds is not; give the paid time",
        ),
        ("28800,7200,7202,0", "part longer than the whole", "active_seconds is above logged_seconds"),
        ("28800,7200,3600,3602", "part longer than the whole", "sensitive_seconds is above active_seconds"),
        ("28800,-1,0,0", "number out of range", "seconds of one day run from 0 to 86400"),
    ],
)
def test_hours_that_contradict_each_other_are_rejected(engine, load_tables, hours, kind, said):
    report = load_tables(engine, GROUND | {"shifts": f"{SHIFTS}ann@example.org,2024-05-01,{hours}\n"})
    assert only(report).kind == kind and said in only(report).reason
    assert rows(engine, "shifts") == []


def test_a_shift_without_hours_is_kept_and_explained(engine, load_tables):
    report = load_tables(engine, GROUND | {"shifts": f"{SHIFTS}ann@example.org,2024-05-01,28800,0,0,0\n"})
    assert report.rejected == 0 and len(rows(engine, "shifts")) == 1
    assert any("1 shift has no paid time" in said and "in no share of time" in said for said in report.remarks())


def test_a_full_shift_is_not_explained(sqlite, load_tables):
    report = load_tables(sqlite, GROUND | {"shifts": f"{SHIFTS}ann@example.org,2024-05-01,28800,28800,28800,28800\n"})
    assert report.rejected == 0 and not any("no paid time" in said for said in report.remarks())


# ---- money -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["costs", "budgets"])
def test_negative_amounts_are_rejected_with_what_to_do(engine, load_tables, table):
    files = {
        "costs": "cost_date,project_id,pool_id,kind,amount\n2024-05-01,p,north,labour,-12.5\n",
        "budgets": "project_id,month,amount,planned_labels\np,2024-05-01,-1,10\n",
    }
    report = load_tables(engine, GROUND | {table: files[table]})
    assert only(report).kind == "number out of range" and "book a refund apart" in only(report).reason


def test_two_currencies_in_one_file_are_refused_and_nothing_is_written(engine, load_tables):
    with pytest.raises(LoadRefused, match=r'costs\.csv: the column "Currency" names 2 currencies \("EUR", "USD"\)'):
        load_tables(engine, GROUND | {"costs": COSTS.format("USD") + MORE.format("eur")})
    assert rows(engine, "costs") == [] and rows(engine, "projects") == []


def test_two_files_in_two_currencies_are_refused(sqlite, load_tables):
    budgets = "project_id,month,amount,planned_labels,currency\np,2024-05-01,1000,10,EUR\n"
    with pytest.raises(LoadRefused, match=r'budgets\.csv in "EUR" and costs\.csv in "USD"'):
        load_tables(sqlite, GROUND | {"costs": COSTS.format("USD"), "budgets": budgets})
    assert rows(sqlite, "costs") == []


def test_one_currency_however_written_is_loaded_and_named(engine, load_tables):
    report = load_tables(engine, GROUND | {"costs": COSTS.format("EUR") + MORE.format(" eur")})
    assert report.rejected == 0 and len(rows(engine, "costs")) == 2
    said = [s for s in report.remarks() if "EUR" in s]
    assert len(said) == 1 and "RATERSCOPE_CURRENCY" in said[0]
    assert not any(s.startswith("costs.csv: columns not loaded") for s in report.remarks())


# ---- projects without labels -----------------------------------------------------------------------------------


def test_a_project_without_labels_is_loaded_and_what_it_lacks_is_said(engine, load_tables):
    report = load_tables(engine, {name: text for name, text in TABLE_FILES.items() if name != "labels"})
    assert report.rejected == 0
    said = [s for s in report.remarks() if "no labels" in s]
    assert len(said) == 1 and said[0].startswith("Project p declares no labels") and "load `labels`" in said[0]
    after = load_tables(engine, {"labels": TABLE_FILES["labels"]})
    assert not any("no labels" in s for s in after.remarks())


# ---- columns a warehouse may lack ------------------------------------------------------------------------------


def test_a_table_without_an_optional_column_gets_it(loaded, write):
    with loaded.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE items DROP COLUMN claimed_at")
    text = TABLE_FILES["items"].replace("gold_label\n", "gold_label,claimed_at\n")
    text = text.replace("i1,", "i9,").replace("1,hate\n", "1,hate,2024-05-01T09:30:00Z\n")
    report = imports.load([write("items.csv", text)], loaded, SECRET, now=NOW)
    assert report.accepted == 1
    assert sorted(str(r["claimed_at"]) for r in rows(loaded, "items")) == ["2024-05-01 09:30:00", "None"]
    with loaded.connect() as connection:
        assert "claimed_at" in {c["name"] for c in sa.inspect(connection).get_columns("items")}


def test_a_claim_before_the_item_came_is_rejected(sqlite, load_tables):
    text = TABLE_FILES["items"].replace("gold_label\n", "gold_label,claimed_at\n")
    text = text.replace("1,hate\n", "1,hate,2024-05-01T08:30:00Z\n")
    report = load_tables(sqlite, GROUND | {"items": text})
    assert only(report).kind == "negative duration" and "claimed_at is before created_at" in only(report).reason
