from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_access.imports import landing, parquet
from metrics.errors import LoadRefused

from .conftest import BASIC, TABLE_FILES, only, rows

AT = datetime(2024, 5, 1, 10, tzinfo=UTC)


def table(**columns):
    given = {"item": ["i1"], "who": ["ann"], "verdict": ["ok"], "at": pa.array([AT], pa.timestamp("us", "Asia/Tokyo"))}
    return pa.table(given | columns)


def content(data, **options) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(data, sink, **options)
    return sink.getvalue().to_pybytes()


def test_types_become_the_contracts(engine, load, load_tables, write):
    load_tables(engine, TABLE_FILES)
    data = pa.table(
        {
            "cost_date": pa.array([date(2024, 6, 1), None, date(2024, 6, 3)]),
            "project_id": pa.array(["p", "p", "p"]).dictionary_encode(),
            "pool_id": pa.array(["north"] * 3, pa.large_string()),
            "kind": ["fee"] * 3,
            "amount": pa.array([Decimal("12.50"), Decimal("1"), Decimal("-1")], pa.decimal128(10, 2)),
        }
    )
    report = load(engine, content(data), mapping=None, name="costs.parquet")
    assert [(r.line, r.kind) for r in report.rejections] == [(2, "empty cell"), (3, "number out of range")]
    assert report.files[0].unit == "row"
    assert [r["amount"] for r in rows(engine, "costs")] == [12.5, 12.5]


def test_times_with_a_zone_become_utc_and_those_without_need_one(engine, load):
    naive = table(at=pa.array([datetime(2024, 5, 1, 19)], pa.timestamp("ms")))
    with pytest.raises(LoadRefused, match=r"row 1: submitted_at .* has no offset"):
        load(engine, content(naive), name="a.parquet")
    assert load(engine, content(table()), name="a.parquet").accepted == 1
    assert rows(engine, "annotations")[0]["submitted_at"] == datetime(2024, 5, 1, 10)
    tokyo = load(engine, content(naive), BASIC + '[times]\ntimezone = "Asia/Tokyo"\n', name="a.parquet")
    assert tokyo.present == 1  # the same instant, so the same row


def test_integers_above_2_to_53_keep_every_digit(engine, load):
    report = load(engine, content(table(item=pa.array([2**53 + 1]))), name="a.parquet")
    assert report.accepted == 1
    assert rows(engine, "items")[0]["item_id"] == "9007199254740993"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"item": pa.array([9007199254740993.0])},
            r'column "item" \(item_id\) is stored as double, which loses digits',
        ),
        ({"who": pa.array([7.0])}, r'column "who" \(rater_id\) is stored as double'),
        ({"verdict": pa.array([["ok"]])}, r'column "verdict" is nested \(list'),
        ({"verdict": pa.array([{"a": 1}])}, r'column "verdict" is nested \(struct'),
        ({"verdict": pa.array([b"ok"])}, r'column "verdict" is of type binary'),
    ],
)
def test_columns_that_cannot_be_read_surely_are_refused_by_name(sqlite, load, columns, message):
    with pytest.raises(LoadRefused, match=message):
        load(sqlite, content(table(**columns)), name="a.parquet")


def test_nested_columns_nobody_asked_for_are_listed_only(sqlite, load):
    report = load(sqlite, content(table(tags=pa.array([["a", "b"]]))), name="a.parquet")
    assert report.accepted == 1
    assert report.files[0].unknown_columns == ("tags",)


GOOD = content(table())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"item,who\n1,2\n", r'is no Parquet file \(it begins with "item", not PAR1\)'),
        (GOOD[: len(GOOD) // 2], r"is cut off: its end"),
        (b"PAR1", r"is damaged"),
        (GOOD[:-40] + b"\xff" * 32 + GOOD[-8:], r"is damaged and cannot be read"),
        (GOOD[:4] + bytes(b ^ 0x5A for b in GOOD[4:60]) + GOOD[60:], r"is damaged and cannot be read"),
        (b"PAR1" + b"\xff" * 40 + b"\xff\xff\xff\x7fPAR1", r"is damaged and cannot be read"),
    ],
    ids=["empty", "csv", "cut off", "magic alone", "footer", "pages", "footer length"],
)
def test_a_damaged_file_is_refused(sqlite, load, data, message):
    with pytest.raises(LoadRefused, match=message):
        load(sqlite, data, name="a.parquet")


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_fills_memory(sqlite, load, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_BYTES", 50_000_000)
    few = content(
        table(**{n: [v] * 2_000 for n, v in {"item": "i", "who": "a", "at": AT, "verdict": "x" * 90_000}.items()})
    )
    assert len(few) < 200_000
    with pytest.raises(LoadRefused, match=r"unpacks to too much: more than"):
        load(sqlite, few, name="a.parquet")
    many = table(**{n: pa.array([1], pa.int8()).take(pa.array([0] * 1)) for n in ("item", "who", "verdict")})
    monkeypatch.setattr(parquet, "MOST_BYTES", 3)
    with pytest.raises(LoadRefused, match=r"unpacks to too much: 1 rows of 4 columns; load it in parts"):
        load(sqlite, content(many), name="a.parquet")


def test_a_cell_of_ten_megabytes_rejects_its_row(sqlite, load):
    data = pa.concat_tables([table(), table(item=["i2"], verdict=["x" * 10_000_000])])
    report = load(sqlite, content(data), name="a.parquet")
    assert report.accepted == 1
    assert (only(report).line, only(report).kind) == (2, "text too long")


def test_text_that_is_not_utf8_is_refused(sqlite, load):
    spoilt = pa.array([b"\xff\xfe"]).cast(pa.binary()).view(pa.string())
    with pytest.raises(LoadRefused, match="UTF"):
        load(sqlite, content(table(verdict=spoilt)), name="a.parquet")


def test_far_too_many_columns_are_refused(sqlite, load, monkeypatch):
    monkeypatch.setattr(landing, "MOST_COLUMNS", 3)
    with pytest.raises(LoadRefused, match=r"has 4 columns; at most 3"):
        load(sqlite, content(table()), name="a.parquet")
