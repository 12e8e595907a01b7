"""Weekly sums that changes are judged by, against the raw rows of the sample warehouse."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from data_access import change_data
from data_access.filters import Scope
from data_access.snapshot import Snapshot

EVERYONE = Scope.everything()
LINK = Scope.stakeholder()
CELL = ["week", "project_id", "pool_id", "language", "policy"]


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    found = Snapshot(sample_snapshot)
    yield found
    found.close()


@pytest.fixture(scope="module")
def raw(sample_warehouse) -> pd.DataFrame:
    """First labels, one a row, with their item and pool."""
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        rows = connection.execute(
            "SELECT a.project_id, r.pool_id, a.rater_id, i.language, i.policy, a.submitted_at, a.label, a.status, "
            "i.gold_label, a.handle_seconds FROM annotations a JOIN items i USING (item_id) JOIN raters r "
            "USING (rater_id) WHERE a.stage = 'label'"
        ).df()
    days = rows["submitted_at"].dt.normalize()
    return rows.assign(week=(days - pd.to_timedelta(days.dt.day_of_week, unit="D")).astype("datetime64[ns]"))


def test_gold_by_week_and_cell_is_that_of_the_raw_rows(snapshot, raw):
    found = change_data.weekly_sums(snapshot, EVERYONE)["work"]
    gold = raw[raw["gold_label"].notna() & raw["label"].notna() & (raw["status"] != "skipped")]
    expected = gold.assign(gold_n=1, gold_correct=gold["label"] == gold["gold_label"])
    expected = expected.groupby(CELL)[["gold_n", "gold_correct"]].sum()
    got = found[found["gold_n"] > 0].set_index(CELL)[["gold_n", "gold_correct"]].sort_index()
    assert len(got) == len(expected) > 500
    assert not found.duplicated(CELL).any()
    pd.testing.assert_series_equal(
        got["gold_n"], expected["gold_n"].sort_index(), check_dtype=False, check_index_type=False
    )
    # Sets and scores count as right in their own ways; labels that are alike always do.
    assert (got["gold_correct"].to_numpy() >= expected["gold_correct"].sort_index().to_numpy()).all()


def test_choices_between_two_answers(snapshot, sample_warehouse):
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        rows = connection.execute(
            "SELECT c.project_id, r.pool_id, c.submitted_at, c.choice, c.first_shown FROM comparisons c "
            "JOIN raters r USING (rater_id) WHERE c.choice <> 'tie'"
        ).df()
    days = rows["submitted_at"].dt.normalize()
    rows["week"] = (days - pd.to_timedelta(days.dt.day_of_week, unit="D")).astype("datetime64[ns]")
    rows["first"] = rows["choice"] == rows["first_shown"]
    expected = rows.groupby(["week", "project_id", "pool_id"])["first"].agg(["size", "sum"])
    got = change_data.weekly_sums(snapshot, EVERYONE)["comparison"]
    got = got.set_index(["week", "project_id", "pool_id"]).sort_index()
    assert got["decided"].tolist() == expected["size"].tolist()
    assert got["first_chosen"].tolist() == expected["sum"].tolist()
    assert 0 < got["first_chosen"].sum() < got["decided"].sum()


def test_audits_that_still_come_in_are_left_out_and_earlier_ones_kept(snapshot):
    work = change_data.weekly_sums(snapshot, EVERYONE)["work"]
    late = work["week"] + pd.Timedelta(days=6) >= pd.Timestamp(snapshot.meta.provisional_from)
    assert late.any()
    assert (work.loc[late, "audited_weight"] == 0).all()
    assert work.loc[~late, "audited_weight"].sum() > 0
    assert work.loc[late, "gold_n"].sum() > 0


def test_a_minimum_leaves_out_weeks_of_pools_with_fewer_raters(snapshot, raw):
    least = replace(LINK, minimum_raters=4, minimum_items=0)
    judged = raw[raw["status"] != "skipped"]
    behind = judged.groupby(["week", "project_id", "pool_id"])["rater_id"].nunique()
    few = {key for key, raters in behind.items() if raters < 4}
    whole = change_data.weekly_sums(snapshot, EVERYONE)
    frames = change_data.weekly_sums(snapshot, least)
    keys = ["week", "project_id", "pool_id"]
    for name in ("work", "ledger"):
        left = {tuple(key) for key in frames[name].dropna(subset="pool_id")[keys].itertuples(index=False)}
        every = {tuple(key) for key in whole[name].dropna(subset="pool_id")[keys].itertuples(index=False)}
        assert every & few
        assert not left & few
        assert left >= every & set(behind.index) - few
    gone = {key[1:] for key in behind.index} - {key[1:] for key in set(behind.index) - few}
    assert set(change_data.withheld(frames)) >= gone


def test_a_scope_of_projects_and_nobody(snapshot):
    frames = change_data.weekly_sums(snapshot, replace(EVERYONE, projects=frozenset({"P04"})))
    assert {p for f in frames.values() if "project_id" in f for p in f["project_id"]} == {"P04"}
    assert "shift" not in frames
    assert change_data.weekly_sums(snapshot, Scope()) == {}
    nobody = change_data.changes(snapshot, Scope())
    assert nobody.empty
    assert nobody.attrs["reason"] == change_data.NOTHING


def test_changes_stand_newest_first_and_within_the_scope(snapshot):
    rows = change_data.changes(snapshot, EVERYONE)
    assert rows["starts_on"].is_monotonic_decreasing
    own = change_data.changes(snapshot, replace(EVERYONE, projects=frozenset({"P04"})))
    assert set(own["project_id"].dropna()) == {"P04"}
    assert len(own) < len(rows)


def test_raters_behind_a_part_by_week(snapshot, raw):
    part = raw[(raw["project_id"] == "P01") & (raw["language"] == "id") & (raw["policy"] == "harassment")]
    expected = part[part["status"] != "skipped"].groupby("week")["rater_id"].nunique()
    where = {"project": "P01", "language": "id", "policy": "harassment"}
    found = change_data.raters_by_week(snapshot, EVERYONE, where, "judgements")
    found = {week: raters for week, raters in found.items() if raters}
    assert found == {week.date(): raters for week, raters in expected.items()}


def test_versions_with_their_batches_are_those_of_the_warehouse(snapshot, sample_warehouse):
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        scores = connection.execute(
            "SELECT model_version, metric, benchmark, value FROM model_metrics "
            "WHERE language IS NULL AND policy IS NULL"
        ).df()
        items = connection.execute(
            "SELECT v.model_version, count(*) AS items FROM model_versions v JOIN batches b USING (dataset_version) "
            "JOIN items i USING (batch_id) GROUP BY 1"
        ).df()
    found = change_data.models(snapshot, EVERYONE)
    keys = ["model_version", "benchmark", "metric"]
    whole = found["scores"][["language", "policy"]].isna().all(axis=1)
    assert 0 < whole.sum() < len(whole)
    got = found["scores"][whole].set_index(keys)["value"].sort_index()
    expected = scores.set_index(keys)["value"].sort_index()
    assert len(got) > 50
    pd.testing.assert_series_equal(got, expected.loc[got.index], check_dtype=False, check_index_type=False)
    behind = found["batches"].groupby("model_version")["items"].sum()
    assert behind[behind > 0].to_dict() == pytest.approx(items.set_index("model_version")["items"].to_dict(), rel=1e-12)
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        judged = connection.execute(
            "SELECT v.model_version, r.pool_id, b.batch_id, count(*) AS n FROM model_versions v "
            "JOIN batches b USING (dataset_version) JOIN items i USING (batch_id) JOIN annotations a USING (item_id) "
            "JOIN raters r USING (rater_id) WHERE a.status <> 'skipped' AND a.submitted_at <= b.closed_at GROUP BY ALL"
        ).df()
        many = connection.execute("SELECT batch_id, count(*) AS items FROM items GROUP BY 1").df()
    judged["part"] = judged["n"] / judged.groupby(["model_version", "batch_id"])["n"].transform("sum")
    judged["items"] = judged["part"] * judged["batch_id"].map(many.set_index("batch_id")["items"])
    parts = found["batches"].groupby(["model_version", "pool_id"])["items"].sum()
    expected = judged.groupby(["model_version", "pool_id"])["items"].sum()
    pd.testing.assert_series_equal(parts, expected.loc[parts.index], check_index_type=False)
    assert len(parts) == len(expected) > 100
    assert found["batches"]["pool_id"].isna().mean() < 0.01
    own = change_data.models(snapshot, replace(EVERYONE, projects=frozenset({"P04"})))
    assert set(own["scores"]["project_id"]) == {"P04"}
    pools = change_data.models(snapshot, replace(EVERYONE, pools=frozenset({"POOL-01"})))
    assert pools["batches"].empty
    assert change_data.models(snapshot, Scope())["scores"].empty
