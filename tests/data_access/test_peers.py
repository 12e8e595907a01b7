"""Labels given and matches with the other raters of an item, against plain loops over the raw rows."""

from __future__ import annotations

import datetime as dt
import shutil
import zlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data_access import queries, refresh
from data_access import tables as t
from data_access.filters import Filters
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from metrics import catalogue
from tests.data_access import oracle, toy
from tests.data_access.test_refresh import LATER, change, ours, same
from tests.data_access.worlds import EVERYONE, OFFSET_HOURS, SEEDS, ZONES

QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
SUMS = ["judged", "matched", "paired", "agreeing_share", "pairs", "agreeing_pairs"]


def monday(moments: pd.Series, hours: float) -> pd.Series:
    """The week of UTC moments in a zone so many hours ahead."""
    days = (moments + pd.Timedelta(hours=hours)).dt.normalize()
    return days - pd.to_timedelta(days.dt.day_of_week, unit="D")


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per rating with SUMS, by looking at the other ratings of its item one after the other."""
    rows = rows[(rows["stage"] == "label") & (rows["status"] != "skipped") & rows["label"].notna()]
    labels_of = rows.groupby("item_id")["label"].agg(list).to_dict()
    found = []
    for row in rows.itertuples():
        others = list(labels_of[row.item_id])
        others.remove(row.label)
        votes = Counter(others).most_common()
        judged = bool(votes) and (len(votes) == 1 or votes[0][1] > votes[1][1])
        agreeing = sum(label == row.label for label in others)
        share = agreeing / len(others) if others else 0.0
        matched = judged and votes[0][0] == row.label
        found.append((int(judged), int(matched), int(bool(others)), share, len(others), agreeing))
    rows = rows.drop(columns="matched", errors="ignore")  # the oracle's own, of languages
    return pd.concat([rows.reset_index(drop=True), pd.DataFrame(found, columns=SUMS)], axis=1)


def peers_of(rows: pd.DataFrame, hours: float) -> pd.DataFrame:
    """What the mart must hold."""
    rows = compared(rows)
    rows = rows[rows["paired"] == 1].assign(week=monday(rows["created_at"], hours))
    return rows.groupby(["week", "project", "rater", "language"])[SUMS].sum()


def kept(snapshot: Snapshot, name: str) -> pd.DataFrame:
    """A mart's sums by its keys, called as the oracle calls them."""
    rows = snapshot.table(name).rename(columns={"project_id": "project", "rater_id": "rater"})
    keys = [c for c in rows if c not in (*SUMS, "n")]
    return rows.assign(week=pd.to_datetime(rows["week"])).set_index(keys).sort_index()


@pytest.mark.parametrize("seed", SEEDS)
def test_peers_are_each_rating_against_the_others_of_its_item(found, seed):
    want = peers_of(found[seed].rows, OFFSET_HOURS[ZONES[seed]])
    got = kept(found[seed].snapshot, "peers")
    assert 0 < want["matched"].sum() < want["judged"].sum() < want["paired"].sum()
    pd.testing.assert_frame_equal(got[SUMS], want, check_dtype=False, check_index_type=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_given_are_counted_in_the_week_of_submission(found, seed):
    rows = found[seed].rows
    rows = rows[(rows["stage"] == "label") & (rows["status"] != "skipped") & rows["label"].notna()]
    rows = rows.assign(week=monday(rows["submitted_at"], OFFSET_HOURS[ZONES[seed]]))
    want = rows.groupby(["week", "project", "rater", "label"]).size()
    got = kept(found[seed].snapshot, "labels_given")["n"]
    pd.testing.assert_series_equal(got, want, check_names=False, check_dtype=False, check_index_type=False)


VOTES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=7), min_size=1, max_size=12)


@given(st.lists(VOTES, min_size=10, max_size=10))
@settings(max_examples=3, phases=[Phase.generate], **QUICK)
def test_any_votes_on_any_items(tmp_path_factory, several):
    """Votes drawn ten times stand in one warehouse, each time as a language of its own."""
    folder = tmp_path_factory.mktemp("votes")
    items = [(f"L{k}", given_labels) for k, votes in enumerate(several) for given_labels in votes]
    frames = toy.frames(1, items=len(items))
    declared = [{"project_id": "P1", "label": label, "position": k} for k, label in enumerate("abcd")]
    frames["labels"] = pd.DataFrame(declared).assign(is_violation=False, severity=0)
    languages = [language for language, _ in items]
    frames["items"] = frames["items"].assign(project_id="P1", gold_label=None, language=languages)
    first = frames["annotations"].iloc[0].to_dict()
    frames["annotations"] = pd.DataFrame(
        [
            {
                **first,
                "annotation_id": f"{item}-{rater}",
                "item_id": frames["items"]["item_id"].iloc[item],
                "project_id": "P1",
                "rater_id": f"R{rater}",
                "label": label,
                "stage": "label",
                "status": "accepted",
            }
            for item, (_, given_labels) in enumerate(items)
            for rater, label in enumerate(given_labels)
        ]
    )
    url = toy.duckdb_url(folder)
    toy.write(url, {n: frames[n] for n in ("projects", "labels", "pools", "raters", "guidelines", "items")})
    change(url, lambda c: toy.insert(c, "annotations", frames["annotations"]))
    refresh.refresh(ours(url, folder / "s.duckdb"))
    snapshot = Snapshot(folder / "s.duckdb")
    got = kept(snapshot, "peers")[SUMS].groupby(["language", "rater"]).sum()
    snapshot.close()
    rows = frames["annotations"].merge(frames["items"][["item_id", "created_at", "language"]], on="item_id")
    want = peers_of(rows.rename(columns={"project_id": "project", "rater_id": "rater"}), 0)
    want = want.groupby(["language", "rater"]).sum()
    pd.testing.assert_frame_equal(got, want, check_dtype=False, check_index_type=False, check_names=False)


# ---- the metric ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "by", [[], ["rater"], ["project"], ["pool"], ["language", "week"], ["lead"], ["region", "policy_area"]]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_consensus_match_equals_pandas(found, monkeypatch, seed, by):
    monkeypatch.setitem(catalogue.METRICS, "consensus_match", replace(catalogue.METRICS["consensus_match"], min_n=0))
    world = found[seed]
    rows = compared(world.rows)
    rows = rows.assign(week=monday(rows["created_at"], OFFSET_HOURS[ZONES[seed]]))
    filters = Filters.of({"project": ["P1", "P3"]}, toy.START.date() + dt.timedelta(days=7))
    got = queries.measure(world.snapshot, ["consensus_match"], by=by, filters=filters, scope=EVERYONE)
    rows = rows[rows["project"].isin(["P1", "P3"]) & (rows["week"] >= toy.START + dt.timedelta(days=7))]
    rows = rows[rows["judged"] == 1].assign(everything=0)
    want = rows.groupby(by or "everything")["matched"].agg(["mean", "count"])
    got = got[got["value"].notna()].set_index(by) if by else got
    assert got["value"].tolist() == pytest.approx(want["mean"].tolist())
    assert got["n"].tolist() == want["count"].tolist()
    assert ((got["low"] <= got["value"]) & (got["value"] <= got["high"])).all()


def test_consensus_match_says_what_it_is_not_kept_by(found):
    got = queries.measure(found[1].snapshot, ["consensus_match"], by=["policy"], scope=EVERYONE)
    assert np.isnan(got["value"].iloc[0])
    assert got["reason"].iloc[0].startswith("comparison with the other raters of an item is not kept by policy")


# ---- refresh ---------------------------------------------------------------------------------------------------


def late_rating(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One more rating, weeks later, of the first item with ratings to compare with."""
    rows = frames["annotations"]
    rows = rows[(rows["stage"] == "label") & (rows["status"] != "skipped")]
    first = rows[rows.groupby("item_id")["item_id"].transform("size") > 1].iloc[[0]]
    taken = set(frames["annotations"].loc[frames["annotations"]["item_id"] == first["item_id"].iloc[0], "rater_id"])
    free = next(r for r in frames["raters"]["rater_id"] if r not in taken)
    return first.assign(annotation_id="late", rater_id=free, submitted_at=LATER)


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
def test_a_late_rating_changes_the_peers_of_its_item_and_back(tmp_path, backend):
    url = f"{backend}:///{tmp_path / 'warehouse.db'}"
    frames = toy.frames(11, items=60)
    toy.write(url, frames)
    path = tmp_path / "kept.duckdb"
    refresh.refresh(ours(url, path))
    shutil.copy(path, tmp_path / "first.duckdb")
    before = read(path)
    late = late_rating(frames)
    change(url, lambda c: toy.insert(c, "annotations", late))
    assert refresh.refresh(ours(url, path)).kind == "incremental"
    refresh.refresh(ours(url, tmp_path / "fresh.duckdb"), full=True)
    same(path, tmp_path / "fresh.duckdb")
    changed = before.reset_index().merge(read(path).reset_index(), how="outer", indicator=True)
    assert set(changed.loc[changed["_merge"] != "both", "rater"]) > set(late["rater_id"])
    # Gone again, it leaves no trace: nothing else was judged on its day that would name the item's week.
    change(url, lambda c: c.execute(t.annotations.delete().where(t.annotations.c.annotation_id == "late")))
    assert refresh.refresh(ours(url, path)).kind == "incremental"
    same(path, tmp_path / "first.duckdb")  # a full build of the same rows
    pd.testing.assert_frame_equal(read(path), before)


def read(path) -> pd.DataFrame:
    """The peers of a snapshot."""
    snapshot = Snapshot(path)
    rows = kept(snapshot, "peers")
    snapshot.close()
    return rows


def test_above_the_limit_one_item_in_so_many_is_compared(tmp_path, monkeypatch):
    frames = toy.frames(15)
    monkeypatch.setattr("data_access.full_run.PEERS_SAMPLE_ABOVE", len(frames["annotations"]) // 3 + 1)
    url = f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
    toy.write(url, frames)
    path = tmp_path / "kept.duckdb"
    refresh.refresh(Settings(url, path, ""))
    snapshot = Snapshot(path)
    assert snapshot.meta.peers_sample == 3
    snapshot.close()
    rows = oracle.judged(frames)
    chosen = rows["item_id"].map(lambda item: (zlib.crc32(repr((item,)).encode()) & 0x7FFFFFFF) % 3 == 0)
    assert 0.15 < chosen.mean() < 0.55
    want = peers_of(rows[chosen], 0)
    pd.testing.assert_frame_equal(read(path)[SUMS], want, check_dtype=False, check_index_type=False)
    change(url, lambda c: toy.insert(c, "annotations", late_rating(frames)))
    assert refresh.refresh(ours(url, path)).kind == "incremental"
    refresh.refresh(ours(url, tmp_path / "fresh.duckdb"), full=True)
    same(path, tmp_path / "fresh.duckdb")


def test_a_snapshot_of_the_last_format_is_refused_and_built_anew(tmp_path):
    url = toy.duckdb_url(tmp_path)
    toy.write(url, toy.frames(16, items=20))
    path = tmp_path / "s.duckdb"
    refresh.refresh(ours(url, path))
    engine = sa.create_engine(f"duckdb:///{path}", poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE meta SET value = '1' WHERE key = 'format_version'"))
        connection.execute(sa.text("DROP TABLE peers"))
    engine.dispose()
    with pytest.raises(refresh.SnapshotUnusable, match="another version"):
        Snapshot(path)
    assert refresh.refresh(ours(url, path)).kind == "full"
    assert len(read(path))
