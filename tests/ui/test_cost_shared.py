"""What of the costs is said in words: what cannot be shared out, and budgets of groups too small to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from data_access import privacy
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics import unit_cost
from tests.data_access import toy
from tests.data_access.test_ledger import frames, snapshot_of
from ui import cost_budget, cost_budget_words, cost_units, cost_words, costs, data


@pytest.fixture(scope="module")
def toy_world(tmp_path_factory):
    tables = frames(22)
    snapshot = snapshot_of(tmp_path_factory.mktemp("shared"), tables)
    yield snapshot, tables
    snapshot.close()


@pytest.fixture(scope="module")
def sample(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.mark.parametrize("by", ["language", "policy"])
def test_rows_and_what_is_not_shared_out_sum_to_the_costs_paid(toy_world, by):
    snapshot, tables = toy_world
    paid = tables["costs"]
    first, last = paid["cost_date"].min(), paid["cost_date"].max()
    filters = Filters.of((), first, last)
    found = cost_units.unit(snapshot, filters, costs.Ask(unit=costs.LABEL, by=by))
    assert found.rows[cost_units.SPENT].sum() == pytest.approx(paid["amount"].sum())
    rest = cost_units.not_shared_out(snapshot, filters, by)
    row = found.rows[found.rows["member"].isna()].iloc[0]
    assert row["label"] == cost_units.NOT_SHARED_OUT and row["reason"] == cost_units.NO_TIME
    assert row[cost_units.SPENT] == pytest.approx(sum(rest.values())) and sum(rest.values()) > 0
    # From the raw rows: what was paid in weeks in which nobody of the pool judged anything of the project.
    notes = tables["annotations"][tables["annotations"]["status"] != "skipped"]
    pool = dict(zip(tables["raters"]["rater_id"], tables["raters"]["pool_id"], strict=True))
    weeks = notes["submitted_at"].dt.to_period("W-SUN")
    worked = set(zip(weeks, notes["project_id"], notes["rater_id"].map(pool), strict=True))
    week = paid["cost_date"].astype("datetime64[ns]").dt.to_period("W-SUN")
    idle = [key not in worked for key in zip(week, paid["project_id"], paid["pool_id"], strict=True)]
    want = paid[idle].groupby("kind")["amount"].sum()
    assert rest == pytest.approx(want[want > 0].to_dict())
    assert list(rest.values()) == sorted(rest.values(), reverse=True)


def test_what_is_not_shared_out_is_said_with_its_kinds():
    said = " ".join(cost_words.not_shared_out({"tooling": 2310.0}, "language", "USD").split())
    assert said.startswith("$2.31 k of tooling cannot be shared out by language: nobody worked there")
    both = cost_words.not_shared_out({"tooling": 2000.0, "labour": 310.0}, "policy", "USD")
    assert " ".join(both.split()).startswith(
        "$2.31 k cannot be shared out by policy ($2 k of tooling and $310 of labour)"
    )
    assert cost_words.not_shared_out({}, "policy", "USD") == ""


def test_a_budget_of_too_few_raters_is_withheld_and_counted(sample, monkeypatch):
    st.cache_data.clear()
    filters = Filters.of((), sample.meta.first_day, sample.meta.last_day)
    whole = cost_budget.budget(sample, filters)
    year = Filters.of((), whole.as_of.replace(month=1, day=1), whole.as_of)
    behind = privacy.raters_behind(sample, ("project",), year, Scope.everything())
    least = sorted(behind[project,] for project in whole.rows["project_id"])[3]
    scope = replace(Scope.stakeholder(), minimum_raters=least)
    monkeypatch.setattr(data, "current_scope", lambda: scope)
    found = cost_budget.budget(sample, filters)
    small = {project for (project,), n in behind.items() if n < least}
    assert small and set(found.rows["project_id"]) == set(whole.rows["project_id"]) - small
    assert found.withheld == len(small & set(whole.rows["project_id"]))
    assert f"{found.withheld} project" in cost_budget_words.budget_basis(found)
    assert found.total["actual"] == pytest.approx(whole.rows["actual"].sum())
    alone = cost_budget.budget(sample, filters.with_("project", sorted(small)[0]))
    assert alone.reason == privacy.TOO_SMALL and alone.total is None
    monkeypatch.setattr(data, "current_scope", lambda: replace(scope, minimum_raters=10**6))
    assert cost_budget.budget(sample, filters).reason == privacy.TOO_SMALL
    st.cache_data.clear()


# ---- corrections -----------------------------------------------------------------------------------------------


def with_credit(folder, amount: float | None):
    """A toy warehouse with labour of 500 on most days of one project and pool, and a credit note on one of its days.

    Without an amount the credit leaves 200 of all that labour: its week comes to less than nothing as well.
    """
    tables = toy.frames(5)
    money = tables["costs"]
    here = (money["project_id"] == money["project_id"].iloc[0]) & (money["pool_id"] == money["pool_id"].iloc[0])
    place = money[here & (money["kind"] == "labour")]
    money.loc[place.index, "amount"] = 500.0
    money.loc[place.index[0], "amount"] = 700.0 - 500.0 * len(place) if amount is None else amount
    folder.mkdir()
    return tables, snapshot_of(folder, tables), place


def test_a_credit_note_is_a_correction_of_the_days_around_it(tmp_path):
    """Its day comes to less than nothing; the period does not, and everything counts it, days against pandas."""
    st.cache_data.clear()
    tables, snapshot, _ = with_credit(tmp_path / "some", None)
    filters = Filters.of((), *(pd.to_datetime(tables["costs"]["cost_date"]).agg(f).date() for f in ("min", "max")))
    assert (costs.clusters(snapshot, filters)["cost"] < 0).any(), "no week below 0: the test misses its case"
    assert costs.cannot(snapshot, filters) == "" and costs.below_zero(snapshot, filters, ("pool",)) == ()
    found = cost_units.unit(snapshot, filters, costs.Ask(unit="label"))
    money = tables["costs"]
    days = pd.to_datetime(money["cost_date"])
    inside = money[(days >= pd.Timestamp(filters.start)) & (days <= pd.Timestamp(filters.end))]
    score = found.score.set_index("metric")
    assert score.loc["total_cost", "value"] == pytest.approx(inside["amount"].sum())
    paid = inside.loc[inside["kind"].isin(["labour", "fee"]), "amount"].sum()  # what a label made costs
    assert found.now["value"] == pytest.approx(paid / found.now["n"])
    pools = costs.clusters(snapshot, filters).groupby("pool")["cost"].sum()
    assert pools.to_dict() == pytest.approx(inside.groupby("pool_id")["amount"].sum().to_dict())
    each = unit_cost.cost_per(costs.clusters(snapshot, filters), ["pool"])
    assert (each["value"].notna() == (each["n"] > 0)).all() and unit_cost.BELOW_ZERO not in set(each["reason"])
    snapshot.close()


def test_only_what_comes_to_less_than_nothing_has_no_number_and_is_named(tmp_path):
    """A credit above all labour of a project and pool: its pool has no cost of a label, the others keep theirs."""
    st.cache_data.clear()
    _, plain, _ = with_credit(tmp_path / "plain", 500.0)
    _, snapshot, place = with_credit(tmp_path / "all", -900_000.0)
    filters = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day)
    pool = place["pool_id"].iloc[0]
    ((key, kind, amount),) = costs.below_zero(snapshot, filters, ("pool",))
    assert (key, kind) == ((pool,), "labour") and amount < -890_000
    assert costs.below_zero(plain, filters, ("pool",)) == ()
    said = cost_words.below_zero(costs.below_zero(snapshot, filters, ("pool",)), {pool: "Manila"}, "So.", "USD")
    assert said.startswith("Corrections exceed what was booked in this period: they bring labour at Manila to −$")
    assert cost_words.below_zero((), {}, "So.", "USD") == ""
    by, tables = ["pool"], [costs.clusters(s, filters) for s in (plain, snapshot)]
    was, now = (unit_cost.cost_per(rows, by).set_index("pool") for rows in tables)
    assert now.loc[pool, "reason"] == unit_cost.BELOW_ZERO and np.isnan(now.loc[pool, "value"])
    rest = now.index != pool
    assert rest.any()
    pd.testing.assert_frame_equal(now[rest], was[rest])
    assert cost_units.unit(snapshot, filters, costs.Ask()).reason == unit_cost.BELOW_ZERO  # in all it is below 0
    for one in (plain, snapshot):
        one.close()


def test_a_budget_leaves_out_the_project_that_was_refunded(tmp_path, monkeypatch):
    st.cache_data.clear()
    _, snapshot, place = with_credit(tmp_path / "all", -900_000.0)
    filters = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day)
    projects = sorted(toy.LABELS)
    month = filters.end.replace(day=1)
    plan = pd.DataFrame({"project_id": projects, "month": month, "amount": 900.0, "planned_labels": 90})
    shown = costs.small
    monkeypatch.setattr(cost_budget, "loaded", lambda *_: True)
    monkeypatch.setattr(cost_budget, "small", lambda s, name: plan if name == "budget" else shown(s, name))
    found = cost_budget.budget(snapshot, filters)
    gone = place["project_id"].iloc[0]
    assert set(found.rows["project_id"]) == set(projects) - {gone} and len(found.below_zero) == 1
    assert found.total["budget"] == 900.0 * (len(projects) - 1)
    assert "come to less than 0 by corrections" in cost_budget_words.budget_basis(found)
    snapshot.close()
    st.cache_data.clear()
