"""measure() against pandas on the raw rows, for random data, filters and groupings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import filter_values, health_data, queries, refresh
from data_access.filters import Filters, Scope
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from metrics import catalogue
from metrics.errors import UnknownName
from tests.data_access import oracle, toy
from tests.data_access.worlds import EVERYONE, OFFSET_HOURS, SEEDS, ZONES

GROUPINGS = (
    "day",
    "week",
    "month",
    "project",
    "product",
    "policy_area",
    "task_type",
    "pool",
    "vendor",
    "site",
    "region",
    "rater",
    "lead",
    "language",
    "locale",
    "policy",
    "content_type",
    "guideline_version",
    "stage",
    "tenure_band",
)


@pytest.fixture(scope="module")
def worlds(found):
    """Per seed: the raw rows, the judged rows and the snapshot."""
    return {seed: (world.frames, world.rows, world.snapshot) for seed, world in found.items()}


@pytest.fixture(autouse=True)
def small_numbers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy data are small: let every n give a number."""
    for name, metric in catalogue.METRICS.items():
        monkeypatch.setitem(catalogue.METRICS, name, replace(metric, min_n=0))


@st.composite
def questions(draw):
    """A seed, a grouping, filters and a period."""
    by = draw(st.lists(st.sampled_from(GROUPINGS), max_size=3, unique=True))
    where = {}
    for name, values in (
        ("project", ["P1", "P2", "P3"]),
        ("pool", ["Q1", "Q2", "Q3"]),
        ("language", ["en", "th"]),
        ("policy", ["spam", "hate"]),
        ("stage", ["label", "review"]),
        ("vendor", ["V1", "V2"]),
        ("rater", [f"R{k}" for k in range(9)]),
    ):
        chosen = draw(st.lists(st.sampled_from(values), max_size=2, unique=True)) if draw(st.booleans()) else []
        if chosen:
            where[name] = chosen
    start = draw(st.none() | st.integers(0, 20))
    length = draw(st.none() | st.integers(0, 15))
    first = toy.START.date() + dt.timedelta(days=start) if start is not None else None
    last = (first or toy.START.date()) + dt.timedelta(days=length) if length is not None else None
    return draw(st.sampled_from(SEEDS)), by, Filters.of(where, first, last)


def narrowed(rows: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The filters by other means."""
    for name, values in filters.where:
        rows = rows[rows[name].isin(values)]
    if filters.start:
        rows = rows[rows["day"] >= pd.Timestamp(filters.start)]
    return rows[rows["day"] <= pd.Timestamp(filters.end)] if filters.end else rows


def keyed(found: pd.DataFrame, by: list[str]) -> dict:
    """Group key to value."""
    keys = found[by].itertuples(index=False, name=None) if by else [()] * len(found)
    return {key: value for key, value in zip(keys, found["value"], strict=True) if not np.isnan(value)}


@given(questions())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_additive_metric_of_work_equals_pandas_on_the_raw_rows(worlds, question):
    seed, by, filters = question
    _, rows, snapshot = worlds[seed]
    rows = narrowed(rows, filters)
    found = queries.measure(snapshot, list(oracle.WORK_METRICS), by=by, filters=filters, scope=EVERYONE)
    for name, expected in oracle.work_metrics(rows, by).items():
        if not by:
            expected = expected if len(rows) else expected.iloc[:0]
            expected.index = [()] * len(expected)
        want = {(k if isinstance(k, tuple) else (k,)): v for k, v in expected.items()}
        got = keyed(found[found["metric"] == name], by)
        assert got.keys() == want.keys(), name
        assert [got[k] for k in want] == pytest.approx(list(want.values()), rel=1e-9), name


def test_totals_reaggregate_sums_and_are_not_means_of_parts(worlds):
    _, rows, snapshot = worlds[1]
    parts = queries.measure(snapshot, ["gold_accuracy"], by=["rater"], scope=EVERYONE)
    total = queries.measure(snapshot, ["gold_accuracy"], scope=EVERYONE)["value"].iloc[0]
    assert total == pytest.approx(rows["gold_right"].sum() / rows["gold"].sum(), rel=1e-12)
    assert total == pytest.approx((parts["value"] * parts["n"]).sum() / parts["n"].sum(), rel=1e-12)
    assert total != pytest.approx(parts["value"].mean(), rel=1e-6)


@pytest.mark.parametrize("by", [[], ["project"], ["language"], ["week", "policy"], ["guideline_version"]])
@pytest.mark.parametrize("seed", SEEDS)
def test_alpha_and_percent_agreement_equal_the_krippendorff_package_and_counting(worlds, seed, by):
    frames, rows, snapshot = worlds[seed]
    ratings = rows[(rows["stage"] == "label") & (rows["done"] == 1)].copy()
    shift = pd.Timedelta(hours=OFFSET_HOURS[ZONES[seed]])
    created_day = (ratings["created_at"] + shift).dt.normalize()
    ratings["week"] = created_day - pd.to_timedelta(created_day.dt.day_of_week, unit="D")
    in_force = frames["guidelines"].query("version == 'v2'")["effective_from"].iloc[0]
    ratings["guideline_version"] = np.where(ratings["created_at"] >= in_force, "v2", "v1")
    for project in toy.LABELS:
        ours = ratings[ratings["project"] == project]
        found = queries.measure(
            snapshot,
            ["krippendorff_alpha", "percent_agreement"],
            by=by,
            filters=Filters.of({"project": [project]}),
            scope=EVERYONE,
        )
        groups = ours.groupby(by) if by else [((), ours)]
        for key, part in groups:
            key = key if isinstance(key, tuple) else (key,)
            matrix = part.pivot_table(index="rater", columns="item_id", values="label", aggfunc="first")
            counts = part.groupby("item_id")["label"].value_counts().unstack(fill_value=0).to_numpy()
            paired = counts[counts.sum(axis=1) > 1]
            if len(paired) < 2 or (paired.sum(axis=0) > 0).sum() < 2:
                continue
            domain = toy.LABELS[project]
            numbers = matrix.map(lambda x, d=domain: np.nan if pd.isna(x) else d.index(x)).to_numpy(float)
            level = toy.LEVELS[project]
            alpha = krippendorff.alpha(numbers, level_of_measurement=level, value_domain=list(range(len(domain))))
            n = paired.sum(axis=1)
            agreed = ((paired * (paired - 1)).sum(axis=1) / (n * (n - 1))).mean()
            row = found.set_index("metric")
            for name in by:
                row = row[row[name] == key[by.index(name)]]
            assert row.loc["krippendorff_alpha", "value"] == pytest.approx(alpha, abs=1e-9)
            assert row.loc["percent_agreement", "value"] == pytest.approx(agreed, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_flow_adds_up_day_by_day(worlds, seed):
    frames, rows, snapshot = worlds[seed]
    shift = pd.Timedelta(hours=OFFSET_HOURS[ZONES[seed]])
    items = frames["items"]
    created, closed, due = (
        (pd.to_datetime(items[c]) + shift).dt.normalize() for c in ("created_at", "closed_at", "due_at")
    )
    names = ["items_created", "items_decided", "backlog", "sla_attainment"]
    found = queries.measure(snapshot, names, by=["day"], scope=EVERYONE).set_index(["metric", "day"])["value"]
    in_time = pd.to_datetime(items["closed_at"]) <= pd.to_datetime(items["due_at"])
    for day in pd.date_range(created.min(), max(rows["day"].max(), closed.max())):
        assert found.get(("items_created", day), 0) == (created == day).sum()
        assert found.get(("items_decided", day), 0) == (closed == day).sum()
        assert found.get(("backlog", day), 0) == ((created <= day) & ~(closed <= day)).sum()
        if (due == day).any():
            assert found[("sla_attainment", day)] == pytest.approx(in_time[due == day].mean())


def test_a_stock_is_read_on_the_last_day_and_not_added_over_time(worlds):
    frames, _, snapshot = worlds[1]
    end = toy.START.date() + dt.timedelta(days=10)
    found = queries.measure(snapshot, ["backlog"], filters=Filters(toy.START.date(), end), scope=EVERYONE)
    items = frames["items"]
    last = pd.Timestamp(end) + pd.Timedelta(days=1)
    expected = ((items["created_at"] < last) & ~(pd.to_datetime(items["closed_at"]) < last)).sum()
    assert found["value"].iloc[0] == expected


@pytest.mark.parametrize("by", [[], ["project"], ["pool"], ["vendor", "project"], ["month"]])
def test_costs_equal_pandas_on_the_raw_rows(worlds, by):
    frames, rows, snapshot = worlds[2]
    costs = frames["costs"].merge(frames["pools"][["pool_id", "vendor"]], on="pool_id")
    costs = costs.rename(columns={"project_id": "project", "pool_id": "pool"})
    costs["month"] = pd.to_datetime(costs["cost_date"]).dt.to_period("M").dt.to_timestamp()
    found = queries.measure(snapshot, ["total_cost", "cost_per_accepted_label"], by=by, scope=EVERYONE)
    spent = costs.groupby(by)["amount"].sum().to_dict() if by else {(): costs["amount"].sum()}
    made = rows.groupby(by)["accepted_labels"].sum().to_dict() if by else {(): rows["accepted_labels"].sum()}
    got = keyed(found[found["metric"] == "total_cost"], by)
    each = keyed(found[found["metric"] == "cost_per_accepted_label"], by)
    for key, amount in spent.items():
        key = key if isinstance(key, tuple) else (key,)
        assert got[key] == pytest.approx(amount)
        accepted = made.get(key if len(key) != 1 else key[0], 0)
        if accepted:
            assert each[key] == pytest.approx(amount / accepted)


def test_durations_lie_within_a_bucket_of_the_exact_quantile(worlds):
    _, rows, snapshot = worlds[1]
    seconds = rows.loc[rows["timed"] == 1, "seconds"]
    found = queries.measure(
        snapshot, ["handle_time_p50_seconds", "handle_time_p90_seconds", "handle_time_log_mean_seconds"], scope=EVERYONE
    ).set_index("metric")
    for name, q in (("handle_time_p50_seconds", 0.5), ("handle_time_p90_seconds", 0.9)):
        assert found.loc[name, "value"] == pytest.approx(seconds.quantile(q), rel=0.0906)
        assert found.loc[name, "n"] == len(seconds)
    assert found.loc["handle_time_log_mean_seconds", "value"] == pytest.approx(np.exp(np.log(seconds).mean()))


def test_appeals_trainings_and_hours_equal_pandas(worlds):
    frames, _, snapshot = worlds[3]
    found = queries.measure(
        snapshot, ["overturn_rate", "training_completion", "utilisation", "exposure_cap_breach_rate"], scope=EVERYONE
    ).set_index("metric")["value"]
    appeals, trainings, shifts = frames["appeals"], frames["trainings"], frames["shifts"]
    decided = appeals[appeals["decided_at"].notna()]
    in_time = pd.to_datetime(trainings["completed_on"]) <= pd.to_datetime(trainings["due_on"])
    assert found["overturn_rate"] == pytest.approx(decided["overturned"].astype(float).mean())
    assert found["training_completion"] == pytest.approx(in_time.mean())
    assert found["utilisation"] == pytest.approx(shifts["active_seconds"].sum() / shifts["logged_seconds"].sum())
    assert found["exposure_cap_breach_rate"] == pytest.approx((shifts["sensitive_seconds"] > 4 * 3600).mean())


def test_reconciliation_adds_up_in_every_group(worlds):
    _, rows, snapshot = worlds[1]
    found = health_data.reconciliation(snapshot, by=["project", "day"], scope=EVERYONE)
    assert (found["difference"] == 0).all()
    assert found["served"].sum() == len(rows)


def test_a_dimension_a_mart_does_not_keep_gives_a_reason_and_no_number(worlds):
    found = queries.measure(worlds[1][2], ["handle_time_p50_seconds", "gold_accuracy"], by=["policy"], scope=EVERYONE)
    row = found[found["metric"] == "handle_time_p50_seconds"].iloc[0]
    assert np.isnan(row["value"])
    assert "not kept by policy" in row["reason"]
    assert found.loc[found["metric"] == "gold_accuracy", "value"].notna().all()


def test_times_measured_in_different_ways_are_never_combined(tmp_path: Path):
    frames = toy.frames(5)
    frames["annotations"].loc[::7, "time_basis"] = "lead"
    toy.write(toy.duckdb_url(tmp_path), frames)
    path = tmp_path / "s.duckdb"
    refresh.refresh(Settings(toy.duckdb_url(tmp_path), path, ""))
    snapshot = Snapshot(path)
    names = ["handle_time_p50_seconds", "handle_time_log_mean_seconds", "throughput_per_hour"]
    mixed = queries.measure(snapshot, names, scope=EVERYONE)
    assert mixed["value"].isna().all()
    assert mixed["reason"].str.contains("choose one time basis").all()
    one = queries.measure(snapshot, names, filters=Filters.of({"time_basis": ["lead"]}), scope=EVERYONE)
    assert one["value"].notna().all()
    snapshot.close()


class TestScope:
    def test_nobody_sees_nothing(self, worlds):
        found = queries.measure(worlds[1][2], ["judgements", "gold_accuracy", "backlog"], scope=Scope())
        assert found["value"].isna().all()
        assert (found["n"] == 0).all()

    def test_a_project_scope_gives_the_rows_of_a_project_filter_in_every_mart(self, worlds):
        names = list(catalogue.METRICS)
        only = replace(EVERYONE, projects=frozenset({"P2"}))
        scoped = queries.measure(worlds[1][2], names, scope=only)
        filtered = queries.measure(worlds[1][2], names, filters=Filters.of({"project": ["P2"]}), scope=EVERYONE)
        kept = filtered["reason"].str.contains("not kept by") == False  # noqa: E712
        pd.testing.assert_frame_equal(scoped[kept], filtered[kept])
        # A mart that knows no project shows a project's reader nothing.
        assert scoped.loc[~kept, "value"].isna().all()

    def test_a_pool_scope_hides_what_is_not_kept_by_pool(self, worlds):
        only = replace(EVERYONE, pools=frozenset({"Q1"}))
        found = queries.measure(worlds[1][2], ["items_created", "krippendorff_alpha"], scope=only)
        assert found["value"].isna().all()

    def test_small_groups_are_withheld_from_stakeholders(self, worlds):
        least = replace(Scope.stakeholder(), minimum_raters=10)  # there are nine
        found = queries.measure(worlds[1][2], ["gold_accuracy", "judgements"], by=["project"], scope=least)
        assert found["value"].isna().all()
        assert (found["reason"] == "too small a group to show").all()

    def test_filter_lists_are_scoped(self, worlds):
        only = replace(EVERYONE, projects=frozenset({"P2"}))
        assert filter_values.members(worlds[1][2], "project", only)["value"].tolist() == ["P2"]


class TestUnknownNames:
    @pytest.mark.parametrize(
        ("names", "by", "nearest"), [(["gold_acuracy"], [], "gold_accuracy"), (["judgements"], ["projekt"], "project")]
    )
    def test_name_the_nearest(self, worlds, names, by, nearest):
        with pytest.raises(UnknownName, match=f'did you mean "{nearest}"'):
            queries.measure(worlds[1][2], names, by=by, scope=EVERYONE)

    def test_a_filter_value_no_row_has(self, worlds):
        with pytest.raises(UnknownName, match='did you mean "P1"'):
            filter_values.check_values(worlds[1][2], Filters.of({"project": ["p 1"]}), EVERYONE)

    def test_a_filter_that_does_not_exist(self):
        with pytest.raises(UnknownName, match='did you mean "vendor"'):
            Filters.of({"vendr": ["x"]})
