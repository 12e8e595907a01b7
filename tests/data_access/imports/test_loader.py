import csv
import random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import imports, tables
from data_access.imports import land
from metrics.errors import BadSetting, ContractBroken, LoadRefused, UnknownName, WarehouseUnavailable

from .conftest import BASIC, GOOD, HEADER, NOW, OTHER, SECRET, TABLE_FILES, everything, hashes, rows


def test_new_rows_are_accepted_and_a_second_load_changes_nothing(engine, load):
    first = load(engine, HEADER + GOOD + OTHER)
    before = hashes(engine)
    second = load(engine, HEADER + GOOD + OTHER)
    assert (first.read, first.accepted, first.present, first.rejected) == (2, 2, 0, 0)
    assert first.written == {"projects": 1, "labels": 2, "pools": 1, "raters": 2, "items": 2, "annotations": 2}
    assert (second.read, second.accepted, second.present, second.rejected) == (2, 0, 2, 0)
    assert second.written == {}
    assert hashes(engine) == before


def test_more_rows_later_are_added_beside_the_old(engine, load):
    load(engine, HEADER + GOOD)
    report = load(engine, HEADER + GOOD + OTHER)
    assert (report.accepted, report.present, report.rejected) == (1, 1, 0)
    assert len(rows(engine, "annotations")) == 2


@pytest.mark.parametrize("fault", ["insert", "report"])
def test_a_failure_midway_leaves_every_table_as_it_was(engine, load, monkeypatch, fault):
    load(engine, HEADER + GOOD)
    before = hashes(engine)

    def fail(*args, **kwargs):
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    real = land.insert_new

    def fail_on_annotations(connection, stage, table, key):
        return fail() if table is tables.annotations else real(connection, stage, table, key)

    if fault == "insert":
        monkeypatch.setattr(land, "insert_new", fail_on_annotations)
    else:
        monkeypatch.setattr(imports.LoadReport, "add", fail)
    with pytest.raises(WarehouseUnavailable, match=r"nothing was written: disk full"):
        load(engine, HEADER + GOOD + OTHER)
    assert hashes(engine) == before
    monkeypatch.undo()
    assert load(engine, HEADER + GOOD + OTHER).accepted == 1  # no lock and no temporary table is left behind


def test_a_failure_in_the_first_load_leaves_no_table(engine, load, monkeypatch):
    monkeypatch.setattr(land, "insert_new", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(engine, HEADER + GOOD)
    assert sa.inspect(engine).get_table_names() == []


def test_a_refused_second_file_takes_the_first_back(engine, write):
    good = write("projects.csv", TABLE_FILES["projects"])
    bad = write("costs.csv", b"cost_date,project_id\xff\n")
    with pytest.raises(LoadRefused):
        imports.load([good, bad], engine, SECRET, now=NOW)
    assert sa.inspect(engine).get_table_names() == []


def test_a_load_without_a_new_row_writes_nothing(engine, load):
    report = load(engine, HEADER + "i1,ann,sideways,2024-05-01T10:00:00Z\n")
    assert (report.accepted, report.rejected) == (0, 1)
    assert sa.inspect(engine).get_table_names() == []
    assert load(engine, HEADER).read == 0


def test_no_name_address_or_source_id_reaches_the_database(engine, load_tables, load):
    load_tables(engine, TABLE_FILES | {"audits": AUDITS})
    load(engine, HEADER + OTHER.replace("i2", "i9"))
    held = everything(engine)
    for planted in ("example.org", "ann", "bob", "lea@", "Archer", "eve@"):
        assert planted not in held.replace("annotat", "").replace("unassigned", "")
    (ann,) = [r for r in rows(engine, "raters") if r["lead"]]
    assert ann["rater_id"] == imports.pseudonym("ann@example.org", SECRET)
    assert ann["lead"] == imports.pseudonym("lea@example.org", SECRET)
    assert ann["alias"] == f"Rater {ann['rater_id'][2:8]}"
    assert rows(engine, "audits")[0]["auditor_id"] == imports.pseudonym("eve@example.org", SECRET)


AUDITS = (
    "audit_id,annotation_id,auditor_id,audited_at,correct_label,verdict,weight\n"
    "u1,a1,eve@example.org,2024-05-02T10:00:00Z,hate,major,4\n"
)


def test_files_are_landed_after_what_they_refer_to(engine, write):
    names = list(TABLE_FILES)
    random.Random(3).shuffle(names)
    paths = [write("audits.csv", AUDITS), *[write(f"{n}.csv", TABLE_FILES[n]) for n in names]]
    report = imports.load(paths, engine, SECRET, now=NOW)
    assert report.rejections == []
    assert [f.file for f in report.files] == [p.name for p in paths]
    assert report.to_frame()["accepted"].sum() == report.accepted == 9


def test_judgements_and_tables_load_together_with_one_mapping(engine, write):
    paths = [write(f"{name}.csv", TABLE_FILES[name]) for name in ("pools", "raters")]
    paths.append(write("work.csv", HEADER + GOOD))
    report = imports.load(paths, engine, SECRET, mapping=write("m.toml", BASIC), now=NOW)
    assert report.accepted == 3
    assert [r["pool_id"] for r in rows(engine, "raters")] == ["north"]  # the row of raters.csv stands


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.csv", "x\n", "csv"),
        ("a.TSV", "x\n", "tsv"),
        ("a.json", "[]", "label_studio"),
        ("export", "[]", "label_studio"),
        ("a.bin", b"PAR1....PAR1", "parquet"),
        ("a.pq", b"", "parquet"),
    ],
)
def test_the_format_is_told_by_content_and_extension(write, name, content, format):
    from data_access.imports.loader import detect

    assert detect(write(name, content)) == format


def test_an_unknown_format_names_the_nearest(write, sqlite):
    with pytest.raises(LoadRefused, match=r'no format is known for "\.parqet"; did you mean "\.parquet"\?'):
        imports.load([write("a.parqet", "x")], sqlite, SECRET)
    with pytest.raises(UnknownName, match=r'did you mean "label_studio"\?'):
        imports.load([write("a.csv", "x")], sqlite, SECRET, format="label-studio")


@pytest.mark.parametrize("secret", ["", None, "short"])
def test_a_secret_is_required(write, sqlite, secret):
    with pytest.raises(BadSetting, match="at least 16 characters"):
        imports.load([write("a.csv", "x")], sqlite, secret)


def test_nothing_to_load_and_files_that_are_not_there(sqlite, tmp_path, write):
    with pytest.raises(LoadRefused, match="No file was given"):
        imports.load([], sqlite, SECRET)
    with pytest.raises(LoadRefused, match="There is no file"):
        imports.load([tmp_path / "gone.csv"], sqlite, SECRET)
    with pytest.raises(LoadRefused, match="needs a mapping file"):
        imports.load([write("work.csv", HEADER + GOOD)], sqlite, SECRET)


def test_a_file_that_cannot_be_opened_is_refused(sqlite, write, monkeypatch):
    path = write("costs.csv", TABLE_FILES["costs"])

    def closed(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", closed)
    with pytest.raises(LoadRefused, match=r"costs\.csv cannot be read: Permission denied; nothing was written"):
        imports.load([path], sqlite, SECRET, now=NOW)


def test_a_warehouse_that_lacks_a_contract_column_is_refused(sqlite, load):
    with sqlite.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE items (item_id VARCHAR(64) PRIMARY KEY, extra TEXT)")
    with pytest.raises(ContractBroken, match="table items lacks project_id"):
        load(sqlite, HEADER + GOOD)


def test_a_warehouse_may_hold_more_columns(engine, load):
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE items ADD COLUMN extra VARCHAR")
    assert load(engine, HEADER + GOOD).accepted == 1


ITEM, WHO, LABEL = (
    st.sampled_from(v) for v in (["i1", "i2", "", "i3 "], ["ann", "bob", ""], ["ok", "hate", "OK ", ""])
)
AT = st.sampled_from(["2024-05-01T10:00:00Z", "2024-05-01T12:00:00+09:00", "2024-05-01", "1980-01-01", "soon", ""])
ROW = st.one_of(
    st.tuples(ITEM, WHO, LABEL, AT),
    st.tuples(st.text(max_size=5), st.text(max_size=5), LABEL, AT),
    st.lists(st.text(max_size=3), max_size=6),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(ROW, max_size=12), keep=st.sampled_from(["first", "last", "all"]))
def test_every_row_is_accounted_for_whatever_the_cells(cells, keep, tmp_path):
    with (tmp_path / "work.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["item", "who", "verdict", "at"], *cells])
    (tmp_path / "m.toml").write_text(f'{BASIC}\n[times]\ntimezone = "UTC"\n[repeats]\nkeep = "{keep}"\n')
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    try:
        first, second = (
            imports.load([tmp_path / "work.csv"], engine, SECRET, mapping=tmp_path / "m.toml", now=NOW)
            for _ in range(2)
        )
        held = rows(engine, "annotations")
    except LoadRefused as error:
        assert "NUL" in str(error)  # the one thing these cells can hold that refuses the whole file
        return
    finally:
        engine.dispose()
    for report in (first, second):
        assert report.read == report.accepted + report.present + report.rejected
        assert report.read == sum(bool(row) for row in cells)
        assert len(report.rejections) == report.rejected
    assert len(held) == first.accepted == second.present - first.present
    assert second.accepted == 0
    assert second.rejections == first.rejections
