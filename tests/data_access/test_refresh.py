"""The snapshot's life: incremental equals full, killed at any moment the old one serves, one refresh at a time."""

from __future__ import annotations

import datetime as dt
import fcntl
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from data_access import refresh
from data_access import tables as t
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from metrics.errors import ContractBroken, RefreshRefused, SnapshotUnusable, WarehouseUnavailable
from tests.data_access import toy

COMPARED = (
    "work",
    "confusion",
    "handle_time",
    "agreement",
    "labels_given",
    "peers",
    "judged_day",
    "overlap_sample",
    "item_lives",
    "promise",
    "turnaround",
    "batch_work",
    "batch_patterns",
    "batch_items",
    "batch_sum",
    "case_pairs",
    "claim_time",
    "comparison",
    "flow",
    "ledger",
    "project_ledger",
    "overlap",
    "audit_day",
    "appeal",
    "appeal_time",
    "cost",
    "shift",
    "training",
    "escalation",
    "day_check",
)
LATER = toy.START + dt.timedelta(days=40)


def content(path: Path) -> dict[str, pd.DataFrame]:
    """Every mart of a snapshot, in a fixed order, empty sums left out."""
    connection = duckdb.connect(str(path), read_only=True)
    found = {}
    for name in COMPARED:
        rows = connection.execute(f'SELECT * FROM "{name}"').df()
        numbers = rows.select_dtypes("number").columns
        rows[numbers] = rows[numbers].astype(float).round(6)
        found[name] = rows.sort_values(list(rows.columns)).reset_index(drop=True)
    connection.close()
    return found


def same(first: Path, second: Path) -> None:
    one, two = content(first), content(second)
    for name in COMPARED:
        pd.testing.assert_frame_equal(one[name], two[name][one[name].columns], obj=name, check_dtype=False)


@pytest.fixture(params=["duckdb", "sqlite"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = f"{request.param}:///{tmp_path / 'warehouse.db'}"
    toy.write(url, toy.with_a_lost_batch(toy.frames(11, items=80)))
    return url


def change(url: str, work: Callable[[sa.Connection], None]) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        work(connection)
    engine.dispose()


def ours(url: str, path: Path, **options) -> Settings:
    return Settings(url, path, "", **options)


def new_day(c: sa.Connection) -> None:
    """Items and judgements of a later day."""
    extra = toy.frames(12, items=10, days=1)
    move = LATER - toy.START
    items, notes = extra["items"], extra["annotations"]
    for column in ("created_at", "due_at", "closed_at"):
        items[column] = pd.to_datetime(items[column]) + move
    items["item_id"] = "N" + items["item_id"]
    notes["item_id"], notes["annotation_id"] = "N" + notes["item_id"], "N" + notes["annotation_id"]
    notes["submitted_at"] += move
    toy.insert(c, "items", items)
    toy.insert(c, "annotations", notes)


def late_audits(c: sa.Connection) -> None:
    """Audits that come weeks after the work, on days that had none yet."""
    done = c.execute(sa.select(t.annotations).where(t.annotations.c.status == "accepted").limit(6)).mappings().all()
    rows = [
        {
            "audit_id": f"late{k}",
            "annotation_id": a["annotation_id"],
            "auditor_id": "X2",
            "audited_at": LATER,
            "correct_label": a["label"],
            "verdict": "major",
            "weight": 3.0,
        }
        for k, a in enumerate(done)
    ]
    c.execute(t.audits.insert(), rows)


def audits_withdrawn(c: sa.Connection) -> None:
    c.execute(t.audits.delete().where(t.audits.c.audit_id.in_(["U1", "U2", "U3"])))


def gold_mended(c: sa.Connection) -> None:
    item = c.execute(
        sa.select(t.items.c.item_id).where(t.items.c.gold_label == "no").order_by(t.items.c.item_id).limit(1)
    ).scalar_one()
    c.execute(t.items.update().where(t.items.c.item_id == item).values(gold_label="yes"))


def label_corrected(c: sa.Connection) -> None:
    """Same length, same status: only the content tells."""
    a = t.annotations
    note = c.execute(
        sa.select(a.c.annotation_id).where(a.c.label == "1", a.c.stage == "label", a.c.project_id == "P2").limit(1)
    ).scalar_one()
    c.execute(a.update().where(a.c.annotation_id == note).values(label="0"))


def status_decided(c: sa.Connection) -> None:
    a = t.annotations.c
    c.execute(t.annotations.update().where(a.status == "submitted").values(status="rejected"))


def items_closed(c: sa.Connection) -> None:
    i = t.items.c
    c.execute(t.items.update().where(i.closed_at.is_(None)).values(closed_at=LATER))


def item_reopened(c: sa.Connection) -> None:
    i = t.items.c
    first = c.execute(sa.select(i.item_id).where(i.closed_at.is_not(None)).order_by(i.item_id).limit(1)).scalar_one()
    c.execute(t.items.update().where(i.item_id == first).values(closed_at=None))


def item_claimed_anew(c: sa.Connection) -> None:
    i = t.items.c
    first = c.execute(sa.select(i.item_id).where(i.claimed_at.is_not(None)).order_by(i.item_id).limit(1)).scalar_one()
    c.execute(t.items.update().where(i.item_id == first).values(claimed_at=LATER))


def annotations_deleted(c: sa.Connection) -> None:
    a = t.annotations.c
    gone = ["A000001", "A000007"]
    c.execute(t.audits.delete().where(t.audits.c.annotation_id.in_(gone)))
    c.execute(t.annotations.delete().where(a.annotation_id.in_(gone)))


def batch_closed(c: sa.Connection) -> None:
    b = t.batches.c
    c.execute(t.batches.update().where(b.closed_at.is_(None)).values(closed_at=toy.START + dt.timedelta(days=8)))


def batch_reopened(c: sa.Connection) -> None:
    b = t.batches.c
    first = c.execute(sa.select(b.batch_id).where(b.closed_at.is_not(None)).order_by(b.batch_id).limit(1)).scalar_one()
    c.execute(t.batches.update().where(b.batch_id == first).values(closed_at=None))


def batch_found(c: sa.Connection) -> None:
    """Items named a batch that nobody had declared."""
    c.execute(t.batches.insert(), [{"batch_id": "lost", "project_id": "P1", "closed_at": None}])


def batch_dissolved(c: sa.Connection) -> None:
    b = t.batches.c
    first = c.execute(sa.select(sa.func.min(b.batch_id))).scalar_one()
    c.execute(t.batches.delete().where(b.batch_id == first))


def item_in_another_batch(c: sa.Connection) -> None:
    i = t.items.c
    c.execute(t.items.update().where(i.item_id == "I00003").values(batch_id="B-P1-0"))


def money_posted(c: sa.Connection) -> None:
    c.execute(
        t.costs.insert(),
        [{"cost_date": LATER.date(), "project_id": "P1", "pool_id": "Q1", "kind": "labour", "amount": 9.5}],
    )


def rater_moved(c: sa.Connection) -> None:
    r = t.raters.c
    c.execute(
        t.raters.update().where(r.rater_id == "R1").values(pool_id=sa.case((r.pool_id == "Q1", "Q2"), else_="Q1"))
    )


def label_added(c: sa.Connection) -> None:
    c.execute(
        t.labels.insert(), [{"project_id": "P2", "label": "2", "position": 2, "is_violation": True, "severity": 1}]
    )


CHANGES = (
    new_day,
    late_audits,
    audits_withdrawn,
    gold_mended,
    label_corrected,
    status_decided,
    items_closed,
    item_reopened,
    item_claimed_anew,
    annotations_deleted,
    batch_closed,
    batch_reopened,
    batch_found,
    batch_dissolved,
    item_in_another_batch,
    money_posted,
)


@pytest.mark.parametrize("what", [*CHANGES, rater_moved, label_added], ids=lambda f: f.__name__)
def test_an_incremental_refresh_equals_a_full_build(warehouse, tmp_path, what):
    kept, fresh = tmp_path / "kept.duckdb", tmp_path / "fresh.duckdb"
    refresh.refresh(ours(warehouse, kept))
    before = content(kept)
    change(warehouse, what)
    report = refresh.refresh(ours(warehouse, kept))
    refresh.refresh(ours(warehouse, fresh), full=True)
    assert report.kind == ("full" if what in (rater_moved, label_added) else "incremental")
    same(kept, fresh)
    assert any(not before[name].equals(content(kept)[name]) for name in COMPARED)


def test_many_refreshes_in_a_row_do_not_drift_from_a_full_build(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.with_a_lost_batch(toy.frames(13, items=80)))
    kept, fresh = tmp_path / "kept.duckdb", tmp_path / "fresh.duckdb"
    refresh.refresh(ours(url, kept, timezone="Australia/Sydney"))
    for what in CHANGES:
        change(url, what)
        assert refresh.refresh(ours(url, kept, timezone="Australia/Sydney")).kind == "incremental"
    refresh.refresh(ours(url, fresh, timezone="Australia/Sydney"), full=True)
    same(kept, fresh)


def test_attached_and_row_by_row_reading_give_the_same_marts(tmp_path):
    frames = toy.frames(14)
    for kind in ("duckdb", "sqlite"):
        url = f"{kind}:///{tmp_path / kind}.db"
        toy.write(url, frames)
        refresh.refresh(ours(url, tmp_path / f"{kind}.snapshot", timezone="America/New_York"))
    one, two = content(tmp_path / "duckdb.snapshot"), content(tmp_path / "sqlite.snapshot")
    for name in COMPARED:
        if name != "day_check":  # engines have checksums of their own
            a, b = (each[name].drop(columns="chance", errors="ignore") for each in (one, two))
            pd.testing.assert_frame_equal(a, b, obj=name, check_dtype=False)


def test_the_order_of_rows_in_the_warehouse_changes_no_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("data_access.marts.grain.SAMPLED_ITEMS", 5)
    frames = toy.frames(14)
    samples = []
    for name in ("one", "other"):
        url = f"duckdb:///{tmp_path}/{name}.db"
        toy.write(url, frames)
        refresh.refresh(ours(url, tmp_path / f"{name}.snapshot"))
        samples.append(content(tmp_path / f"{name}.snapshot")["overlap_sample"])
        frames = frames | {"items": frames["items"].iloc[::-1]}
    assert set(samples[0]["item_id"]) <= set(frames["items"]["item_id"])
    pd.testing.assert_frame_equal(*samples)


def test_windows_may_cut_anywhere(tmp_path, monkeypatch):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(15))
    refresh.refresh(ours(url, tmp_path / "one.duckdb"))
    monkeypatch.setattr("data_access.windows.ITEMS_PER_WINDOW", 7)
    refresh.refresh(ours(url, tmp_path / "many.duckdb"))
    same(tmp_path / "one.duckdb", tmp_path / "many.duckdb")


def test_more_ratings_than_a_digit_holds_widen_the_code(tmp_path):
    frames = toy.frames(16, items=30)
    labels = pd.DataFrame(
        {
            "project_id": "P2",
            "label": [str(k) for k in range(14)],
            "position": range(14),
            "is_violation": False,
            "severity": 0,
        }
    )
    frames["labels"] = pd.concat([frames["labels"].query("project_id != 'P2'"), labels])
    item = frames["items"].query("project_id == 'P2'").iloc[0]
    crowd = pd.concat([frames["annotations"].head(1)] * 40, ignore_index=True)
    crowd = crowd.assign(
        annotation_id=[f"C{k}" for k in range(40)],
        item_id=item["item_id"],
        project_id="P2",
        rater_id=[f"M{k}" for k in range(40)],
        label="3",
        stage="label",
        status="accepted",
    )
    raters = pd.concat([frames["raters"].head(1)] * 40, ignore_index=True).assign(
        rater_id=[f"M{k}" for k in range(40)], alias="x"
    )
    frames["annotations"] = pd.concat([frames["annotations"], crowd])
    frames["raters"] = pd.concat([frames["raters"], raters])
    url = toy.duckdb_url(tmp_path)
    toy.write(url, frames)
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    snapshot = Snapshot(path)
    assert snapshot.label_sets["P2"].encoding.most >= 40
    snapshot.close()


# ---- publishing ------------------------------------------------------------------------------------------------


def _refresh_in_child(url: str, path: str) -> None:
    refresh.refresh(Settings(url, Path(path), ""), full=True)


def test_killed_at_any_moment_the_old_snapshot_still_serves(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(17))
    path = tmp_path / "s.duckdb"
    started = time.monotonic()
    refresh.refresh(ours(url, path))
    whole = time.monotonic() - started
    change(url, new_day)
    old = content(path)
    refresh.refresh(ours(url, tmp_path / "whole.duckdb"), full=True)
    new = content(tmp_path / "whole.duckdb")
    assert not new["work"].equals(old["work"])
    context = multiprocessing.get_context("fork")
    for k in range(12):
        child = context.Process(target=_refresh_in_child, args=(url, str(path)))
        child.start()
        time.sleep(whole * (k + 0.5) / 12)
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        now = content(path)
        if child.exitcode == 0 or not now["work"].equals(
            old["work"]
        ):  # a kill may fall between publishing and the exit
            assert all(now[name].equals(new[name]) for name in COMPARED)
            break
        assert all(now[name].equals(old[name]) for name in COMPARED)
    report = refresh.refresh(ours(url, path))  # what the kills left does not stand in the way
    assert report.kind == "incremental"
    assert content(path)["work"].equals(new["work"])
    assert not [p.name for p in tmp_path.iterdir() if "building" in p.name]


def test_two_at_once_one_wins_and_one_is_told(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(18, items=20))
    path = tmp_path / "s.duckdb"
    with (tmp_path / "s.duckdb.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 4711")
        lock.flush()
        with pytest.raises(RefreshRefused, match=r"Another refresh of .* is running \(process 4711\)"):
            refresh.refresh(ours(url, path))
    assert refresh.refresh(ours(url, path)).kind == "full"


def test_readers_finish_on_the_old_file_and_new_ones_see_the_new(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(19, items=20))
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    reader = Snapshot(path)
    rows = len(reader.table("work"))
    change(url, new_day)
    refresh.refresh(ours(url, path))
    other = Snapshot(path)
    assert len(reader.table("work")) == rows
    assert len(other.table("work")) > rows
    assert reader.id != other.id
    reader.close()
    other.close()


def test_a_snapshot_that_does_not_add_up_is_not_published(tmp_path, monkeypatch):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(20, items=20))
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    old = path.read_bytes()
    monkeypatch.setattr("data_access.build.Builder.judgement_marts", lambda *_: None)
    with pytest.raises(RefreshRefused, match="counts 0 annotations where the warehouse has"):
        refresh.refresh(ours(url, path), full=True)
    assert path.read_bytes() == old


def test_annotations_without_an_item_are_left_out_and_said(tmp_path):
    frames = toy.frames(21, items=20)
    frames["annotations"].loc[3, "item_id"] = "nowhere"
    url = toy.duckdb_url(tmp_path)
    toy.write(url, frames)
    report = refresh.refresh(ours(url, tmp_path / "s.duckdb"))
    assert any("1 annotations name an item that is not in the warehouse" in f.message for f in report.findings)


def test_a_missing_required_table_is_named_and_the_old_snapshot_stays(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(22, items=20))
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    old = path.read_bytes()
    change(url, lambda c: c.execute(sa.text("DROP TABLE guidelines")))
    with pytest.raises(ContractBroken, match='required table "guidelines" is missing'):
        refresh.refresh(ours(url, path))
    assert path.read_bytes() == old


def test_missing_optional_tables_leave_null_with_a_reason(tmp_path):
    from data_access import queries
    from data_access.filters import Scope

    frames = toy.frames(23, items=60)
    url = toy.duckdb_url(tmp_path)
    toy.write(url, frames)
    optional = [table.name for table in t.TABLES if table.info["optional"]]
    change(url, lambda c: [c.execute(sa.text(f"DROP TABLE {name}")) for name in optional])
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    snapshot = Snapshot(path)
    names = ["cost_per_label", "total_cost", "overturn_rate", "utilisation", "training_completion", "audit_accuracy"]
    found = queries.measure(snapshot, names, scope=Scope.everything()).set_index("metric")
    assert found["value"].isna().all()
    assert found["reason"].to_dict() == {
        "cost_per_label": "no costs or no labels",
        "total_cost": "no costs",
        "overturn_rate": "no decided appeals",
        "utilisation": "no shifts",
        "training_completion": "no courses due",
        "audit_accuracy": "no audits",
    }
    snapshot.close()


# ---- opening ---------------------------------------------------------------------------------------------------


def test_a_missing_corrupt_or_foreign_snapshot_is_one_sentence_with_a_remedy(tmp_path):
    missing, corrupt, empty, foreign = (tmp_path / n for n in ("missing", "corrupt", "empty", "foreign"))
    corrupt.write_bytes(b"not a database" * 5000)
    empty.touch()
    duckdb.connect(str(foreign)).execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)").close()
    for path in (missing, corrupt, empty, foreign):
        with pytest.raises(SnapshotUnusable, match=r"manage.py refresh") as caught:
            Snapshot(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_truncated_snapshot_is_refused(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(24, items=20))
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    half = tmp_path / "half.duckdb"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(SnapshotUnusable):
        Snapshot(half).table("work")


def test_an_unreachable_warehouse_is_one_sentence_without_the_password(tmp_path):
    url = "postgresql+psycopg://raterscope:hunter2secret@127.0.0.1:1/nowhere"
    with pytest.raises(WarehouseUnavailable) as caught:
        refresh.refresh(ours(url, tmp_path / "s.duckdb"))
    assert "hunter2secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
