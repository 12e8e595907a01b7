"""Costs by language and policy against pandas: sums that stay, shares by handling time, and what is not shared out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access import queries, refresh
from data_access.filters import Filters, Scope
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from metrics import catalogue, intervals, unit_cost
from metrics.shapes import effective_n
from tests.data_access import oracle, toy
from tests.data_access.worlds import EVERYONE

PLACE = ["day", "project", "pool"]
CELL = [*PLACE, "language", "policy"]
KINDS = ("labour", "review", "rework", "tooling", "training", "fee")
SEEDS = (21, 22, 23, 24)


@pytest.fixture(autouse=True)
def small_numbers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy data are small: let every n give a number."""
    for name, metric in catalogue.METRICS.items():
        monkeypatch.setitem(catalogue.METRICS, name, replace(metric, min_n=0))


def frames(seed: int) -> dict[str, pd.DataFrame]:
    """A random warehouse: two time bases, work without times, costs on days and in weeks without work."""
    rng = np.random.default_rng(seed)
    found = toy.frames(seed, items=60)
    notes = found["annotations"]
    notes.loc[rng.random(len(notes)) < 0.25, "time_basis"] = "lead"
    notes.loc[(notes["project_id"] == "P3") & (rng.random(len(notes)) < 0.7), "handle_seconds"] = None
    first = toy.START.date()
    days = [first + dt.timedelta(days=k) for k in (-20, -1, 3, 9, 30, 60)]
    more = [(day, p, q, "labour", float(rng.integers(1, 50))) for day in days for p in toy.LABELS for q in ("Q1", "Q2")]
    costs = pd.concat([found["costs"], pd.DataFrame(more, columns=found["costs"].columns)], ignore_index=True)
    found["costs"] = costs.drop_duplicates(["cost_date", "project_id", "pool_id", "kind"], keep="last")
    return found


def snapshot_of(folder: Path, tables: dict[str, pd.DataFrame]) -> Snapshot:
    toy.write(toy.duckdb_url(folder), tables)
    refresh.refresh(Settings(toy.duckdb_url(folder), folder / "snapshot.duckdb", ""))
    return Snapshot(folder / "snapshot.duckdb")


@pytest.fixture(scope="module", params=[pytest.param(s, marks=pytest.mark.xdist_group(f"ledger-{s}")) for s in SEEDS])
def world(request, tmp_path_factory: pytest.TempPathFactory):
    """The raw rows, the judged rows, costs by place and the ledger."""
    tables = frames(request.param)
    snapshot = snapshot_of(tmp_path_factory.mktemp("ledger"), tables)
    costs = tables["costs"].rename(columns={"cost_date": "day", "project_id": "project", "pool_id": "pool"})
    costs = costs.assign(day=pd.to_datetime(costs["day"]))
    ledger = snapshot.table("ledger").rename(columns={"project_id": "project", "pool_id": "pool"})
    yield oracle.judged(tables), costs, ledger.assign(day=pd.to_datetime(ledger["day"])), snapshot
    snapshot.close()


def split(work: pd.DataFrame) -> dict[tuple, float]:
    """Each language's and policy's part of the handling time of one place; {} without work that is done."""
    basis = work["basis"].iloc[0]
    timed = (work["timed"] == 1) & (work["time_basis"] == basis)
    mean = work["seconds"][timed].mean() if timed.any() else 1.0
    each = work["seconds"].where(timed, mean).where(work["done"] == 1, 0.0)
    parts = each.groupby([work["language"], work["policy"]]).sum()
    parts = parts[parts > 0]
    return (parts / parts.sum()).to_dict()


def with_basis(rows: pd.DataFrame) -> pd.DataFrame:
    """The time basis that most timed judgements of each project have."""
    counted = rows[rows["timed"] == 1].groupby(["project", "time_basis"]).size().sort_values(kind="stable")
    usual = dict(counted.index)
    return rows.assign(basis=rows["project"].map(usual), week=rows["day"].dt.to_period("W-SUN").dt.start_time)


def test_sums_over_language_and_policy_are_the_costs_and_labels_of_each_day_project_and_pool(world):
    rows, costs, ledger, _ = world
    spent = costs.pivot_table(index=PLACE, columns="kind", values="amount", aggfunc="sum")
    spent = spent.reindex(columns=list(KINDS)).fillna(0.0)
    rejected = rows[(rows["status"] == "rejected") & (rows["stage"] == "label")].groupby(PLACE).size()
    made = rows[(rows["done"] == 1) & (rows["stage"] == "label")].groupby(PLACE).size()
    got = ledger.groupby(PLACE)[
        ["labels", "accepted_labels", "rejected_labels", "cost", "cost_internal_failure", *(f"cost_{k}" for k in KINDS)]
    ].sum()
    places = got.index

    def there(series: pd.Series) -> np.ndarray:
        return series.reindex(places).fillna(0.0).to_numpy(float)

    assert got["labels"].to_numpy() == pytest.approx(there(made))
    assert got["rejected_labels"].to_numpy() == pytest.approx(there(rejected))
    assert got["accepted_labels"].sum() == rows["accepted_labels"].sum()
    for kind in KINDS:
        assert got[f"cost_{kind}"].to_numpy() == pytest.approx(there(spent[kind]), rel=1e-9, abs=1e-9)
    assert got["cost"].sum() == pytest.approx(costs["amount"].sum(), rel=1e-9)
    labour = spent["labour"].reindex(places).fillna(0.0)
    lost = labour * (rejected / made).reindex(places).fillna(0.0) + spent["rework"].reindex(places).fillna(0.0)
    assert got["cost_internal_failure"].to_numpy() == pytest.approx(lost.to_numpy(), rel=1e-9, abs=1e-9)


def test_each_cost_is_shared_out_by_the_handling_time_of_its_day_then_of_its_week(world):
    rows, costs, ledger, _ = world
    rows = with_basis(rows)
    by_day, by_week = (
        {place: split(work) for place, work in rows.groupby([span, "project", "pool"])} for span in ("day", "week")
    )
    want: dict[tuple, float] = {}
    for (day, project, pool), amount in costs.groupby(PLACE)["amount"].sum().items():
        week = day.to_period("W-SUN").start_time
        parts = by_day.get((day, project, pool)) or by_week.get((week, project, pool)) or {(None, None): 1.0}
        for (language, policy), part in parts.items():
            want[day, project, pool, language, policy] = part * amount
    some = ledger[ledger["cost"] > 0]
    keys = some[CELL].astype(object).where(some[CELL].notna(), None)
    got = dict(zip(keys.itertuples(index=False, name=None), some["cost"], strict=True))
    assert {tuple(map(str, k)): v for k, v in got.items()} == pytest.approx(
        {tuple(map(str, k)): v for k, v in want.items() if v > 0}, rel=1e-9
    )
    assert any(k[3] is None for k in want), "no cost of a week without work: the test misses a case"


def test_escalations_have_no_language_and_are_not_asked_by_it(world):
    _, _, ledger, snapshot = world
    assert ledger.loc[ledger["language"].notna(), "escalations"].sum() == 0
    assert ledger["escalations"].sum() == 12
    found = queries.measure(snapshot, ["escalation_rate"], by=["language"], scope=EVERYONE).iloc[0]
    assert np.isnan(found["value"])
    assert "escalations are not kept by language" in found["reason"]


# ---- cost per correct label ------------------------------------------------------------------------------------


def clusters(ledger: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Cost and labels by group and cluster (week, project, pool)."""
    week = ledger["day"].dt.to_period("W-SUN").dt.start_time
    places = ledger.assign(week=week, vendor=ledger["pool"].map({"Q1": "V1", "Q2": "V2", "Q3": "V2"}))
    places = places.dropna(subset=["vendor"]) if "vendor" in by else places  # an escalation may name no pool
    keys = list(dict.fromkeys(("week", "project", "pool", *by)))
    return places.groupby(keys, dropna=False)[["cost", "labels"]].sum().reset_index()


@pytest.mark.parametrize("by", [[], ["project"], ["pool"], ["vendor"], ["language"], ["policy", "project"]])
def test_cost_per_correct_label_is_spend_over_labels_that_are_right(world, by):
    rows, _, ledger, snapshot = world
    found = queries.measure(snapshot, ["cost_per_correct_label"], by=by, scope=EVERYONE)
    each = unit_cost.cost_per(clusters(ledger, by), by)
    gold = rows[rows["gold"] == 1]
    shares = []
    for key in each[by].itertuples(index=False, name=None) if by else [()]:
        ours = gold
        for name, value in zip(by, key, strict=True):
            ours = ours[ours[name] == value]
        x, n = (ours.groupby("rater")[c].sum() for c in ("gold_right", "gold"))
        sums = (x.sum(), n.sum(), (x * x).sum(), (x * n).sum(), (n * n).sum(), len(n))
        share = intervals.clustered_share(*sums)
        shares.append((*(float(end[0]) for end in share), float(n.sum()), float(x.sum())))
    value, low, high, n, right = np.array(shares).T
    accuracy = unit_cost.shrunk_accuracy(right, n, effective_n(value, low, high, n))
    want = unit_cost.cost_per_correct(each, accuracy)
    joined = (
        found.merge(want, on=by, suffixes=("", "_want")) if by else pd.concat([found, want.add_suffix("_want")], axis=1)
    )
    assert len(joined) == len(found) == len(want)
    for column in ("value", "low", "high", "n"):
        np.testing.assert_allclose(joined[column], joined[f"{column}_want"].astype(float), rtol=1e-9)
    assert found["value"].notna().any()
    assert ((found["reason"] == "") == found["value"].notna()).all()


def test_cost_per_correct_label_needs_what_both_its_marts_keep(world):
    snapshot = world[3]
    by_rater = queries.measure(snapshot, ["cost_per_correct_label"], by=["rater"], scope=EVERYONE).iloc[0]
    assert "costs are not kept by rater" in by_rater["reason"]
    both = queries.measure(snapshot, ["gold_accuracy", "cost_per_correct_label"], by=["project"], scope=EVERYONE)
    assert both["metric"].tolist() == ["gold_accuracy"] * 3 + ["cost_per_correct_label"] * 3
    small = replace(Scope.stakeholder(), minimum_raters=10)  # there are nine
    hidden = queries.measure(snapshot, ["cost_per_correct_label"], by=["project"], scope=small)
    assert (hidden["reason"] == "too small a group to show").all()
    assert hidden["value"].isna().all()


def test_a_group_without_gold_says_so(tmp_path: Path):
    tables = frames(25)
    tables["items"].loc[tables["items"]["language"] == "th", "gold_label"] = None
    snapshot = snapshot_of(tmp_path, tables)
    found = queries.measure(snapshot, ["cost_per_correct_label"], by=["language"], scope=EVERYONE)
    rows = found.set_index(found["language"].fillna("not shared out"))
    assert rows.loc["en", "value"] > 0
    assert rows.loc["th", "reason"] == "no gold items"
    assert rows.loc["not shared out", "reason"] != ""
    only = queries.measure(
        snapshot, ["cost_per_correct_label"], filters=Filters.of({"language": ["th"]}), scope=EVERYONE
    ).iloc[0]
    assert only["reason"] == "no gold items"
    snapshot.close()
