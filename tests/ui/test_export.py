"""Oracles: the formula rules of OWASP and of Superset's CSV escaping, written out; Python's csv module; Excel's BOM."""

import csv
import datetime as dt
import io
import math
import string
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from data_access.filters import Filters, Scope
from data_access.health_data import freshness
from data_access.queries import measure
from data_access.snapshot import Meta, Snapshot
from metrics.catalogue import METRICS
from metrics.catalogue import metric as find_metric
from ui import export

META = Meta(
    snapshot_id="abc123",
    built_at=dt.datetime(2026, 11, 16, 5, 30, tzinfo=dt.UTC),
    contract_version=1,
    format_version=1,
    timezone="Asia/Singapore",
    currency="USD",
    warehouse="duckdb warehouse /secret/path.duckdb",
    first_day=dt.date(2026, 5, 25),
    last_day=dt.date(2026, 11, 15),
    provisional_days=8,
)
STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "｜", "％", "﹦", "﹣", "−"]
BEFORE = ["", " ", "   ", '"', '""', "'", ' "', "\ufeff", "\u200b", "\u00a0", "\0", "\0 ", "“", "\x01", "\u202e"]
BODIES = ["1+1", 'HYPERLINK("http://x","y")', "cmd|' /C calc'!A0", "SUM(A1:A9)", "", "2-3 words"]
CORPUS = [f"{before}{start}{body}" for before in BEFORE for start in STARTS for body in BODIES]
HARMLESS = [
    "",
    "Thai",
    "P01",
    "0",
    "-5",
    "-5.25",
    "3",
    "a-b",
    "a = b",
    "x@y",
    "100 %",
    "“quoted”",
    "O'Neill",
    "'tis",
    "#5",
]


def _cells(data: bytes) -> list[list[str]]:
    """The table as any CSV reader sees it."""
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text.partition("\r\n\r\n")[2], newline="")))


def _starts_formula(cell: str) -> bool:
    """The rule in other words: past what cannot be seen and quotation marks, a formula character; a number is none."""
    rest = cell
    while rest and rest[0] not in "\t\r\n" and (rest[0] in "\"'“”" or not rest[0].isprintable() or rest[0].isspace()):
        if rest[0] == "'" and rest is cell:
            return False  # the apostrophe that makes it text
        rest = rest[1:]
    try:
        float(cell)
    except ValueError:
        return rest[:1] in STARTS if rest[:1] else False
    return False


# ---- formulas --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["str", "object", "category", "string[python]"])
def test_no_cell_of_the_corpus_is_live(column):
    frame = pd.DataFrame({"text": pd.Series(CORPUS, dtype=column), "n": range(len(CORPUS))})
    rows = _cells(export.to_csv(frame, title="t"))[1:]
    assert len(rows) == len(CORPUS)
    for (cell, n), original in zip(rows, CORPUS, strict=True):
        assert cell.startswith("'"), original
        assert not _starts_formula(cell)
        assert "\0" not in cell
        assert n == str(CORPUS.index(original)) or CORPUS.count(original) > 1


def test_no_header_of_the_corpus_is_live():
    frame = pd.DataFrame([range(len(CORPUS))], columns=CORPUS)
    header, row = _cells(export.to_csv(frame, title="t"))
    assert all(name.startswith("'") for name in header)
    assert row == [str(k) for k in range(len(CORPUS))]


def test_given_headers_are_made_safe_too():
    header, _ = _cells(export.to_csv(pd.DataFrame({"a": [1]}), title="t", headers={"a": "=evil"}))
    assert header == ["'=evil"]


def test_nothing_above_the_table_is_live():
    for evil in CORPUS:
        data = export.to_csv(pd.DataFrame({"a": [1]}), title=evil, filters_text=f"{evil};{evil}", notes=[evil])
        head = data.decode("utf-8-sig").partition("\r\n\r\n")[0]
        for line in head.split("\r\n"):
            assert line.startswith("# ")
            assert "\n" not in line and "\0" not in line
            key, text = next(csv.reader([line]))
            assert key.startswith("# ") and not _starts_formula(text)


def test_a_locale_that_cuts_at_semicolons_finds_no_formula():
    cells = ["a;=1+1", "a; =1+1", "a\t@SUM(1)", "a\n-1+2", "a;;+1+1", "1;2;＝3"]
    for cell in cells:
        written = export.safe_text(cell)
        for piece in written.replace("\t", ";").replace("\n", ";").split(";"):
            assert not _starts_formula(piece), written
        assert export.original_text(written) == cell


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text):
    assert export.safe_text(text) == text
    assert export.original_text(text) == text


@given(st.text(st.sampled_from("=+-@|%\t\r\n;'\" \ufeff＝a1.") | st.characters(exclude_categories=["Cs"]), max_size=20))
def test_text_comes_back_as_it_was(text):
    safe = export.safe_text(text)
    assert export.original_text(safe) == text.replace("\0", "")
    assert not _starts_formula(safe)


def test_a_lone_surrogate_does_not_break_the_file():
    assert b"?" in export.to_csv(pd.DataFrame({"a": ["x\ud800y"]}, dtype=object), title="t")


# ---- round trip ------------------------------------------------------------------------------------------------


FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1)
WHOLE = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)


@settings(max_examples=60)
@given(FLOATS | WHOLE)
def test_numbers_come_back_to_the_bit(numbers):
    frame, _ = export.read_back(export.to_csv(pd.DataFrame({"x": numbers}), title="t"))
    assert frame["x"].tolist() == numbers


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_text_columns_come_back_as_they_were(texts):
    frame, _ = export.read_back(export.to_csv(pd.DataFrame({"x": texts}, dtype="str"), title="t"))
    assert frame["x"].tolist() == texts


def test_every_type_is_written_so_that_it_can_be_read():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-11-15", None]),
            "time": pd.to_datetime(["2026-11-15 21:34:05", None]),
            "zoned": pd.to_datetime(["2026-11-15 21:34:05", None]).tz_localize("UTC"),
            "date": [dt.date(2026, 11, 15), None],
            "flag": pd.Series([True, None], dtype="boolean"),
            "whole": pd.Series([3, None], dtype="Int64"),
            "share": [0.1 + 0.2, np.nan],
            "whole_float": [30.0, np.nan],
            "money": [Decimal("12.50"), None],
            "id": ["007", None],
            "reason": ["", "no gold items"],
        }
    )
    assert _cells(export.to_csv(frame, title="t"))[1:] == [
        [
            "2026-11-15",
            "2026-11-15T21:34:05Z",
            "2026-11-15T21:34:05Z",
            "2026-11-15",
            "true",
            "3",
            "0.30000000000000004",
            "30",
            "12.50",
            "007",
            "",
        ],
        [*[""] * 10, "no gold items"],
    ]
    back, _ = export.read_back(export.to_csv(frame, title="t"))
    assert back["share"][0] == 0.1 + 0.2 and math.isnan(back["share"][1])
    assert back["id"][0] == "007" and back["flag"][0] is True
    assert back["reason"].tolist() == ["", "no gold items"]


def test_infinity_is_a_word_and_no_formula():
    rows = _cells(export.to_csv(pd.DataFrame({"x": [math.inf, -math.inf]}), title="t"))[1:]
    assert rows == [["infinity"], ["minus infinity"]]


def test_an_empty_table_and_two_columns_of_one_name_are_written():
    empty, said = export.read_back(export.to_csv(pd.DataFrame({"a": pd.Series(dtype=str)}), title="t"))
    assert empty.columns.tolist() == ["a"] and said["Rows"] == "0"
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert _cells(export.to_csv(twice, title="t")) == [["a", "a"], ["1", "2"]]


def test_pandas_reads_the_table_past_the_lines_above_it():
    frame = pd.DataFrame({"project": ["P01", "#2"], "value": [0.25, 0.5]})
    data = export.to_csv(frame, title="t", filters_text="a, b", metrics=["gold_accuracy"])
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(data), comment="#", encoding="utf-8-sig"), frame)


# ---- what stands above the table -------------------------------------------------------------------------------


def test_the_file_says_what_it_is():
    newest = pd.DataFrame(
        {"table_name": ["annotations", "audits", "costs"], "newest": pd.to_datetime(["2026-11-15 21:34"] * 2 + [None])}
    )
    data = export.to_csv(
        pd.DataFrame({"a": [1, 2]}),
        title="Audit accuracy by project",
        filters_text="Harbour Reviews; 19 Oct to 15 Nov 2026",
        snapshot_meta=META,
        metrics=["audit_accuracy"],
        freshness=newest,
        notes=["Shown on the overview."],
    )
    assert data.startswith(b"\xef\xbb\xbf# Raterscope,")
    _, said = export.read_back(data)
    m = find_metric("audit_accuracy")
    assert said["Raterscope"] == "Audit accuracy by project"
    assert said["Filters"] == "Harbour Reviews; 19 Oct to 15 Nov 2026"
    assert said["Days in the snapshot"] == "25 May to 15 Nov 2026"
    assert said["Provisional days"].startswith("8 Nov 2026") or said["Provisional days"].startswith("8 Nov to 15 Nov")
    assert said["Snapshot"] == "abc123, built 2026-11-16 05:30 UTC"
    assert "Asia/Singapore" in said["Days and money"] and "USD" in said["Days and money"]
    assert said["Newest row of audits"] == "2026-11-15 21:34 UTC"
    assert all(part in said["Metric audit_accuracy"] for part in (m.label, m.formula, m.unit, m.direction, m.counts))
    assert said["Caution audit_accuracy"] == m.caution
    assert said["Note"] == "Shown on the overview." and said["Rows"] == "2"
    assert b"secret" not in data


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_is_defined_in_a_line(name):
    _, said = export.read_back(export.to_csv(pd.DataFrame({"a": [1]}), title="t", metrics=[name]))
    assert METRICS[name].formula in said[f"Metric {name}"]


def test_measured_rows_come_back_equal(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    rows = measure(snapshot, ["gold_accuracy", "backlog"], by=["project"], scope=Scope.everything())
    data = export.to_csv(
        rows, title="t", snapshot_meta=snapshot.meta, metrics=["gold_accuracy"], freshness=freshness(snapshot)
    )
    back, said = export.read_back(data)
    assert back.columns.tolist() == rows.columns.tolist()
    for name in rows:
        if rows[name].dtype.kind == "f":
            np.testing.assert_array_equal(back[name].to_numpy(float), rows[name].to_numpy(float))
        else:
            assert back[name].tolist() == rows[name].astype(str).tolist()
    assert {"Newest row of annotations", "Newest row of items"} <= set(said)
    snapshot.close()


# ---- the button ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    [
        "../../etc/passwd",
        "..\\..\\x",
        "CON",
        "a/b:c*d?e",
        "x\0y.exe",
        "‮fdp.exe",
        "é" * 300,
        "",
        "…",
        "<script>",
        "a\r\nb",
    ],
)
def test_a_file_name_holds_nothing_but_letters_digits_and_hyphens(title):
    name = export.file_name(title, META)
    assert name.startswith("raterscope-") and name.endswith("-2026-11-15.csv")
    assert set(name.removesuffix(".csv")) <= set(string.ascii_lowercase + string.digits + "-")
    assert len(name) <= 90 and "--" not in name


def _page():
    import pandas as pd
    import streamlit as st

    from data_access.filters import Filters
    from ui import export

    def never(*_args, **_options):
        raise AssertionError("built before it was asked for")

    export.to_csv = never
    export.download(pd.DataFrame({"a": [1]}), title="A table", key="one", filters=Filters.of({"project": ["P01"]}))
    export.download(pd.DataFrame({"a": []}), title="An empty one", key="two")
    st.write("done")


def test_nothing_is_built_before_the_click(monkeypatch):
    monkeypatch.setattr(export, "to_csv", export.to_csv)  # put back afterwards
    at = AppTest.from_function(_page).run()
    assert not at.exception
    first, second = at.download_button
    assert first.label == "Download CSV" and not first.proto.disabled
    assert second.proto.disabled


def test_the_button_builds_what_to_csv_gives(sample_snapshot, monkeypatch):
    caught = {}
    monkeypatch.setattr(export.st, "download_button", lambda label, **options: caught.update(options))
    snapshot = Snapshot(sample_snapshot)
    rows = measure(snapshot, ["gold_accuracy"], by=["project"], scope=Scope.everything())
    project = rows["project"].iloc[0]
    export.download(
        rows,
        title="Gold",
        key="k",
        snapshot=snapshot,
        filters=Filters.of({"project": [project]}),
        metrics=["gold_accuracy"],
    )
    assert callable(caught["data"]) and caught["on_click"] == "ignore" and caught["mime"] == "text/csv"
    back, said = export.read_back(caught["data"]())
    assert len(back) == len(rows)
    assert said["Filters"] == snapshot.names["project"][project]
    assert said["Snapshot"].startswith(snapshot.id)
    snapshot.close()
