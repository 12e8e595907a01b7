"""generate(): reproducible, refuses absurd arguments, leaves nothing half-written."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from data_access.tables import TABLES
from metrics.errors import RaterscopeError
from sample_data import generate, generator


def hashes(path: Path) -> dict[str, tuple]:
    """By table: a hash of the rows whatever their order, and one of the rows in their order."""
    with duckdb.connect(str(path), read_only=True) as db:
        out = {}
        for table in TABLES:
            columns = ", ".join(column.name for column in table.columns)
            row = f"md5(row({columns})::VARCHAR)"
            unordered = db.execute(f"SELECT count(*), bit_xor(md5_number_lower({row})) FROM {table.name}").fetchone()
            ordered = db.execute(f"SELECT md5(string_agg({row}, '' ORDER BY rowid)) FROM {table.name}").fetchone()
            out[table.name] = (*unordered, *ordered)
        return out


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    out = tmp_path_factory.mktemp("first") / "sample.duckdb"
    truth = generate(out, annotations=20_000, weeks=40, seed=3)
    return out, truth


def test_same_seed_same_rows_whatever_the_threads(first, tmp_path, monkeypatch):
    out, truth = first
    again = tmp_path / "again.duckdb"
    inner = duckdb.connect

    def single_threaded(path, config):
        return inner(path, config=config | {"threads": 1})

    monkeypatch.setattr("sample_data.write.duckdb.connect", single_threaded)
    assert generate(again, annotations=20_000, weeks=40, seed=3) == truth
    monkeypatch.undo()
    assert hashes(again) == hashes(out)


def test_another_seed_gives_other_rows(first, tmp_path):
    other = tmp_path / "other.duckdb"
    generate(other, annotations=20_000, weeks=40, seed=4)
    before = hashes(first[0])
    changed = {name for name, found in hashes(other).items() if found != before[name]}
    assert {"raters", "items", "annotations", "audits", "shifts", "costs", "model_metrics", "incidents"} <= changed


def test_size_and_span_are_as_asked(first):
    out, truth = first
    with duckdb.connect(str(out), read_only=True) as db:
        rows = db.execute("SELECT count(*) FROM annotations").fetchone()[0]
        days = db.execute(
            "SELECT min(submitted_at)::DATE::VARCHAR, max(submitted_at)::DATE::VARCHAR FROM annotations"
        ).fetchone()
    assert rows == pytest.approx(20_000, rel=0.05)
    assert truth["rows"]["annotations"] == rows
    assert days[0] >= truth["first_day"] == "2026-02-09"
    assert days[1] == truth["last_day"] == "2026-11-15"


def test_the_truth_lies_beside_the_sample(first):
    out, truth = first
    assert json.loads(Path(f"{out}.truth.json").read_text()) == truth
    assert truth["seed"] == 3
    assert all(event["starts_on"] > "2026-03-08" for event in truth["events"])


def test_progress_is_told(tmp_path):
    told = []
    generate(tmp_path / "s.duckdb", annotations=10_000, weeks=26, progress=lambda *step: told.append(step))
    assert told[0][0] == 0
    assert told[-1] == (10_000, 10_000, "done")
    assert [step[0] for step in told] == sorted(step[0] for step in told)


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("annotations", 9_999, "annotations"),
        ("annotations", 10**10, "annotations"),
        ("annotations", 20_000.5, "annotations"),
        ("annotations", True, "annotations"),
        ("weeks", 25, "weeks"),
        ("weeks", 521, "weeks"),
        ("seed", -1, "seed"),
        ("seed", "seven", "seed"),
    ],
)
def test_absurd_arguments_are_refused(tmp_path, argument, value, words):
    with pytest.raises(RaterscopeError, match=words):
        generate(tmp_path / "s.duckdb", **{argument: value})
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_or_a_folder_for_a_file_is_refused(tmp_path):
    with pytest.raises(RaterscopeError, match="does not exist"):
        generate(tmp_path / "nowhere" / "s.duckdb")
    with pytest.raises(RaterscopeError, match="is a folder"):
        generate(tmp_path)


@pytest.fixture(scope="module")
def least(tmp_path_factory):
    """The folder of the least sample there can be."""
    folder = tmp_path_factory.mktemp("least")
    generate(folder / "sample.duckdb", annotations=10_000, weeks=26)
    return folder


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_failure_midway_leaves_the_old_sample_and_nothing_else(least, tmp_path, monkeypatch, failure):
    out = tmp_path / "sample.duckdb"
    shutil.copytree(least, tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise failure

    monkeypatch.setattr(generator, "_small_tables", fail)
    expected = RaterscopeError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        generate(out, annotations=12_000, weeks=26, seed=9)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_sample_replaces_an_older_one(tmp_path):
    out = tmp_path / "sample.duckdb"
    out.write_text("not a database")
    generate(out, annotations=10_000, weeks=26)
    with duckdb.connect(str(out), read_only=True) as db:
        assert db.execute("SELECT count(*) FROM projects").fetchone() == (12,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample.duckdb", "sample.duckdb.truth.json"]
