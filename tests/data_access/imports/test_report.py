import numpy as np
import pytest

from data_access.imports.report import Faults, FileReport, LoadReport, Rejection, show


def test_counts_that_do_not_add_up_are_caught():
    report = LoadReport()
    with pytest.raises(AssertionError, match=r"3 rows read, but 1 accepted \+ 0 present \+ 1 rejected"):
        report.add(FileReport("a.csv", "csv", "costs", read=3, accepted=1), [Rejection("a.csv", 2, "k", "r")], {})


def test_rejections_are_counted_by_reason_with_an_example():
    report = LoadReport()
    rejections = [Rejection("a.csv", n, "ragged row" if n < 4 else "no label", f"reason {n}") for n in (2, 3, 4)]
    report.add(FileReport("a.csv", "csv", "costs", read=4, accepted=1), rejections, {"costs": 1})
    report.add(FileReport("b.csv", "csv", "costs", read=1, present=1), [], {"costs": 2})
    assert (report.read, report.accepted, report.present, report.rejected) == (5, 1, 1, 3)
    assert report.written == {"costs": 3}
    assert report.reasons().values.tolist() == [
        ["a.csv", "ragged row", 2, 2, "reason 2"],
        ["a.csv", "no label", 1, 4, "reason 4"],
    ]
    assert report.to_frame().values.tolist() == [
        ["a.csv", "csv", "costs", 4, 1, 0, 3],
        ["b.csv", "csv", "costs", 1, 0, 1, 0],
    ]
    assert report.rejections_frame().columns.tolist() == ["file", "line", "kind", "reason"]


def test_the_first_reason_of_a_row_is_the_one_kept():
    faults = Faults("a.csv", np.array([2, 5, 9]))
    faults.add([1], "first", "one")
    faults.add([1, 2], "second", lambda row: f"row {row}")
    assert faults.good().tolist() == [True, False, False]
    assert faults.rejections() == [Rejection("a.csv", 5, "first", "one"), Rejection("a.csv", 9, "second", "row 2")]


def test_values_are_shown_short_and_without_control_characters():
    assert show("a\n\x1b[31mb") == r'"a\n\x1b[31mb"'
    assert show("x" * 100) == '"' + "x" * 37 + '..."'
