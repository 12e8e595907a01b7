import pytest

from metrics.errors import LoadRefused

from .conftest import BASIC, GOOD, HEADER, OTHER, only, rows


def test_a_byte_order_mark_is_tolerated(engine, load):
    assert load(engine, b"\xef\xbb\xbf" + (HEADER + GOOD).encode()).accepted == 1


@pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", "|"), ("a.txt", "\t")])
def test_the_separator_is_told_by_the_name_or_the_header(sqlite, load, name, separator):
    assert load(sqlite, (HEADER + GOOD).replace(",", separator), name=name).accepted == 1


def test_cells_hold_line_breaks_quotes_and_json(sqlite, load):
    text = HEADER + '"i\n1",ann,ok,2024-05-01T10:00:00Z\n' + 'i2,"{""id"": ""b""}",sideways,2024-05-01T10:00:00Z\n'
    report = load(sqlite, text)
    assert report.accepted == 1
    assert only(report).line == 4  # the first row takes lines 2 and 3
    assert rows(sqlite, "items")[0]["item_id"] == "i\n1"


@pytest.mark.parametrize("row", ["i1,ann,ok\n", "i1,ann,ok,2024-05-01T10:00:00Z,more\n"])
def test_a_ragged_row_is_rejected_by_line(sqlite, load, row):
    report = load(sqlite, HEADER + GOOD + row + "\n" + OTHER)
    assert (report.read, report.accepted) == (3, 2)  # the empty line is no row
    assert (only(report).line, only(report).kind) == (3, "ragged row")
    assert "cells where the header has 4" in only(report).reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + GOOD + 'i2,"bob,ok,2024-05-01T10:00:00Z\n' + OTHER, r"line 3: a quote is opened and never closed"),
        (HEADER + 'i2,"b"ob,ok,2024\n', r"line 2: the quotes are broken"),
        ("", r"is empty \(0 bytes\)"),
        ("\n\n", r"line 1: there is no header"),
        ("item,who,item\n1,2,3\n", r'the column "item" appears twice'),
        (",".join(f"c{i}" for i in range(6_000)) + "\n", r"6,000 columns; at most 5,000"),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(sqlite, load, text, message):
    with pytest.raises(LoadRefused, match=message):
        load(sqlite, text)


def test_a_cell_of_ten_megabytes(sqlite, load):
    huge = "x" * 10_000_000
    report = load(sqlite, HEADER + f"{huge},ann,ok,2024-05-01T10:00:00Z\ni1,ann,{huge},2024-05-01T10:00:00Z\n" + OTHER)
    assert report.accepted == 1
    assert [r.line for r in report.rejections] == [2, 3]
    assert "item_id has 10,000,000 characters; at most 64 are allowed." in report.rejections[0].reason
    assert all(len(r.reason) < 200 for r in report.rejections)


def test_a_long_cell_in_a_column_nobody_asked_for_is_no_fault(sqlite, load):
    text = HEADER.replace("\n", ",essay\n") + GOOD.replace("\n", f",{'x' * 10_000_000}\n")
    report = load(sqlite, text)
    assert report.accepted == 1
    assert report.files[0].unknown_columns == ("essay",)
    assert "columns not loaded: essay" in " ".join(report.remarks())


def test_a_missing_column_is_named_with_those_there_and_the_nearest(sqlite, load):
    with pytest.raises(LoadRefused) as refused:
        load(sqlite, "item,who,verdicts,at\n")
    assert str(refused.value) == (
        'judgements.csv lacks the column "verdict" (mapped to label); it has item, who, verdicts, at; '
        'did you mean "verdicts"?'
    )


def test_a_required_column_nobody_mapped_is_named(sqlite, load):
    with pytest.raises(LoadRefused, match=r'lacks the column "submitted_at"; map it in \[columns\].*it has item, who'):
        load(sqlite, HEADER + GOOD, mapping=BASIC.replace('submitted_at = "at"', ""))
