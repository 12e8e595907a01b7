import numpy as np
import pandas as pd
import pytest

from data_access import tables
from data_access.imports import values
from data_access.imports.report import Faults
from data_access.imports.times import Clock

from .conftest import BASIC, NOW, TABLE_FILES, only, rows

# handle_seconds, then what it says
NUMBERS = [
    ("NaN", "is no plain number"),
    ("inf", "is no plain number"),
    ("-inf", "is no plain number"),
    ("1e999", "is no plain number"),
    ("N/A", "is no plain number"),
    ("1,234.5", "is no plain number; write it as 1234.5, or leave it empty"),
    ("1.234,5", "is no plain number"),
    ("0x10", "is no plain number"),
    ("12 s", "is no plain number"),
    ("-1", "above 0 and at most 86400"),
    ("0", "above 0 and at most 86400"),
    ("-0", "above 0 and at most 86400"),
    ("86400.5", "above 0 and at most 86400"),
]
TIMED = BASIC + 'handle_seconds = "s"\n'


@pytest.mark.parametrize(("cell", "says"), NUMBERS)
def test_a_cell_that_is_no_possible_handle_time_rejects_its_row(sqlite, load, cell, says):
    text = f'item,who,verdict,at,s\ni1,ann,ok,2024-05-01T10:00:00Z,"{cell}"\ni2,ann,ok,2024-05-01T10:00:00Z,86400\n'
    report = load(sqlite, text, mapping=TIMED)
    assert report.accepted == 1
    assert only(report).line == 2
    assert says in only(report).reason
    assert only(report).reason.endswith(".")


def test_impossible_handle_times_can_be_left_empty_instead(sqlite, load):
    text = "item,who,verdict,at,s\n" + "".join(
        f'i{i},ann,ok,2024-05-01T10:00:00Z,"{s}"\n' for i, s in enumerate(["0", "90000", "12.5", "-3", "N/A", ""])
    )
    report = load(sqlite, text, mapping=TIMED + '[handle_time]\nout_of_range = "empty"\n')
    assert [r.line for r in report.rejections] == [5, 6]
    assert {r["item_id"]: r["handle_seconds"] for r in rows(sqlite, "annotations")} == {
        "i0": None,
        "i1": None,
        "i2": 12.5,
        "i5": None,
    }
    assert "2 handle times of 0 or over 24 hours were left empty" in report.files[0].notes


ITEMS_HEADER = "item_id,project_id,created_at,language,policy,content_type,severity,due_at,closed_at,gold_label\n"
COSTS_HEADER = "cost_date,project_id,pool_id,kind,amount\n"
ITEM = "{x},p,2024-05-01T09:00:00Z,en,hate,text,1,,,"
I5 = "i5,p,2024-05-01T09:00:00Z,en,hate,text,"
CELLS = [
    ("items", ITEMS_HEADER, ITEM, "x" * 65, "has 65 characters; at most 64"),
    ("items", ITEMS_HEADER, ITEM, " i5", "has a space at an end"),
    ("items", ITEMS_HEADER, ITEM, "9007199254740993.0", "went through a float"),
    ("items", ITEMS_HEADER, ITEM, "1.23457E+18", "went through a float"),
    ("items", ITEMS_HEADER, ITEM, "", "item_id is empty; it is required."),
    ("items", ITEMS_HEADER, I5 + "{x},,,", "4", "severity runs from 0 (none) to 3"),
    ("items", ITEMS_HEADER, I5 + "{x},,,", "1.5", "is no whole number"),
    ("items", ITEMS_HEADER, I5 + "1,,{x},", "2024-04-30T09:00:00Z", "closed_at is before"),
    ("items", ITEMS_HEADER, I5 + "1,{x},,", "2024-04-30T09:00:00Z", "due_at is before"),
    ("items", ITEMS_HEADER, I5 + "1,,,{x}", "Hate", 'nearest is "hate", which differs by'),
    ("costs", COSTS_HEADER, "2024-05-01,p,north,labour,{x}", "-5", "money is not negative"),
    ("costs", COSTS_HEADER, "2024-05-01,p,north,labour,{x}", "1e13", "below 1e12"),
    ("costs", COSTS_HEADER, "2024-05-01,p,north,{x},5", "labor", 'is not one of labour, review'),
    ("costs", COSTS_HEADER, "2024-05-01,p,north,{x},5", "labor", 'did you mean "labour"?'),
    ("costs", COSTS_HEADER, "2024-05-01,{x},north,fee,5", "q", 'There is no project "q" in the warehouse'),
    ("costs", COSTS_HEADER, "2024-05-01,p,{x},fee,5", "noth", 'There is no pool "noth" in the'),
    ("costs", COSTS_HEADER, "{x},p,north,fee,5", "1.5.2024", "is no date"),
    ("trainings", "rater_id,course,score\n", "ann@example.org,c,{x}", "87", "divide percents by 100"),
    ("trainings", "rater_id,course,passed\n", "ann@example.org,c,{x}", "maybe", "is neither true nor false"),
    ("trainings", "rater_id,course\n", "{x},c", "eve@example.org", "There is no rater in the warehouse"),
    ("shifts", "rater_id,work_date,scheduled_seconds,logged_seconds,active_seconds,sensitive_seconds\n",
     "ann@example.org,2024-05-01,1,1,{x},0", "-1", "seconds of one day run from 0 to 86400"),
    ("audits", "audit_id,annotation_id,auditor_id,audited_at,correct_label,verdict,weight\n",
     "u,a1,eve,2024-05-02T10:00:00Z,hate,pass,{x}", "0.5", "at least 1"),
    ("audits", "audit_id,annotation_id,auditor_id,audited_at,correct_label,verdict,weight\n",
     "u,a1,eve,2024-05-02T10:00:00Z,{x},pass,1", "hat", 'not in the declared set of p; did you mean "hate"?'),
    ("audits", "audit_id,annotation_id,auditor_id,audited_at,correct_label,verdict,weight\n",
     "u,{x},eve,2024-05-02T10:00:00Z,hate,pass,1", "a9", 'There is no annotation "a9" in the warehouse'),
    ("projects", TABLE_FILES["projects"].split("\n")[0] + "\n", "z,Z,P,hate,{x},nominal,2024-01-01", "labeling",
     'did you mean "labelling"?'),
]  # fmt: skip


@pytest.mark.parametrize(("table", "header", "row", "cell", "says"), CELLS, ids=[f"{c[0]}-{c[3][:12]}" for c in CELLS])
def test_a_cell_outside_the_contract_rejects_its_row_with_the_reason(
    load_tables, loaded, table, header, row, cell, says
):
    report = load_tables(loaded, {table: header + row.format(x=cell) + "\n"})
    assert (report.read, report.accepted, only(report).line) == (1, 0, 2)
    assert says in only(report).reason
    assert "example.org" not in only(report).reason


def test_faulty_cells_hold_no_value():
    faults = Faults("a.csv", np.array([2, 3, 4, 5]))
    text = pd.Series(["2030-01-01T00:00:00Z", "2024-01-01T00:00:00Z", None, "2030-01-01T00:00:00Z"], dtype="str")
    read = values.parse(tables.annotations.c.submitted_at, text, Clock(NOW), faults)
    assert read.isna().tolist() == [True, False, True, True]
    assert [(r.line, r.kind) for r in faults.rejections()] == [
        (2, "time in the future"),
        (4, "empty cell"),
        (5, "time in the future"),
    ]


def test_versions_may_look_like_numbers_and_rater_ids_may_be_long(sqlite, load):
    text = f"item,who,verdict,at,guideline_version\ni1,{'a' * 100}@example.org,ok,2024-05-01T10:00:00Z,1.0\n"
    assert load(sqlite, text).accepted == 1
    (guideline,) = rows(sqlite, "guidelines")
    assert (guideline["project_id"], guideline["version"]) == ("p", "1.0")


def test_the_nearest_value_says_when_only_case_or_space_differ():
    assert values.nearest(" Hate", ["hate", "ok"]) == '; the nearest is "hate", which differs by case or space only'
    assert values.nearest("zzz", ["hate", "ok"]) == ""
