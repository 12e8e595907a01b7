"""What of the costs is said in words: what cannot be shared out, and budgets of groups too small to show."""

from __future__ import annotations

from dataclasses import replace

import pytest
import streamlit as st

from data_access import privacy
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from tests.data_access import toy
from tests.data_access.test_ledger import frames, snapshot_of
from ui import cost_budget, cost_units, cost_words, costs, data


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
    assert f"{found.withheld} project" in cost_words.budget_basis(found)
    assert found.total["actual"] == pytest.approx(whole.rows["actual"].sum())
    alone = cost_budget.budget(sample, filters.with_("project", sorted(small)[0]))
    assert alone.reason == privacy.TOO_SMALL and alone.total is None
    monkeypatch.setattr(data, "current_scope", lambda: replace(scope, minimum_raters=10**6))
    assert cost_budget.budget(sample, filters).reason == privacy.TOO_SMALL
    st.cache_data.clear()


def test_amounts_below_zero_are_refused_in_words(tmp_path, monkeypatch):
    st.cache_data.clear()
    tables = toy.frames(5)
    tables["costs"].loc[0, "amount"] = -900.0
    snapshot = snapshot_of(tmp_path, tables)
    filters = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day)
    assert costs.cannot(snapshot, filters) == costs.BELOW_ZERO
    assert cost_units.unit(snapshot, filters, costs.Ask()).reason == costs.BELOW_ZERO
    monkeypatch.setattr(cost_budget, "loaded", lambda *_: True)
    assert cost_budget.budget(snapshot, filters).reason == costs.BELOW_ZERO
    snapshot.close()
