"""The audit planner's numbers against other ways to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from data_access.filters import Filters, Scope
from metrics import audit_allocation
from ui import audit_gold, audit_planner, data
from ui.audit_planner import AUDITS, GOLD, SEVERITY, STRATA, UNCERTAINTY, VIOLATING, Ask

LAST_WEEKS = 52


@pytest.mark.parametrize("of", [AUDITS, GOLD])
@pytest.mark.parametrize("strata", list(STRATA))
@pytest.mark.parametrize("aim", [UNCERTAINTY, SEVERITY, VIOLATING])
def test_a_plan_gives_out_what_was_asked_for_and_no_more_than_there_is(snapshot, filters, of, strata, aim):
    found = audit_planner.plan(snapshot, filters, Ask(audits=300, of=of, aim=aim, strata=strata, floor=2))
    assert not found.reason
    assert found.audits + found.unallotted == 300
    assert found.rows["audits"].sum() == found.rows["proportional"].sum() == found.audits
    assert (found.rows["audits"] <= found.rows["left"] + 1e-9).all()
    assert (found.rows["audits"] >= np.minimum(2, found.rows["left"])).all() or len(found.rows) * 2 > 300
    assert found.rows["audits"].is_monotonic_decreasing
    size = found.rows["judgements"]
    assert (found.rows["harm"] * size).sum() / size.sum() == pytest.approx(1)
    assert found.rows["label"].is_unique


def test_the_strata_are_the_judgements_of_the_audited_stage_by_another_way(snapshot, filters):
    found = audit_planner.plan(snapshot, filters, Ask()).rows.set_index(["project", "policy"])
    direct = data.measure(
        snapshot, ("judgements", "audit_accuracy"), ("project", "policy"), filters.with_("stage", "label")
    )
    size = direct[direct["metric"] == "judgements"].set_index(["project", "policy"])["value"]
    audited = direct[direct["metric"] == "audit_accuracy"].set_index(["project", "policy"])["n"]
    for key, row in found.iterrows():
        assert row["judgements"] == size[key]
        assert row["audited"] == audited.get(key, 0)
        assert row["left"] == row["judgements"] - row["audited"]
    kinds = snapshot.table("project").set_index("project_id")["task_type"]
    planned = set(found.index.get_level_values("project"))
    assert planned == {p for p, _ in size.index if kinds[p] != "preference"}


def test_error_rates_weigh_audits_by_their_chance_of_being_drawn(snapshot, filters):
    sums = data.sums(snapshot, "work", audit_planner.SUMS, ("policy",), filters.with_("project", "P01"))
    one = filters.with_("project", "P01")
    found = audit_planner.plan(snapshot, one, Ask(strata="project_policy")).rows.set_index("policy")
    w, w2, passed = (sums[f"audited_weight{end}"].to_numpy() for end in ("", "_squared", "_passed"))
    seen = w**2 / w2
    wrong = seen * (1 - passed / w)
    total = (wrong.sum() + 0.5) / (seen.sum() + 1)
    rate = (wrong + audit_allocation.PRIOR_AUDITS * total) / (seen + audit_allocation.PRIOR_AUDITS)
    for policy, want in zip(sums["policy"], rate, strict=True):
        assert found.loc[policy, "error_rate"] == pytest.approx(want)
        assert found.loc[policy, "low"] < want < found.loc[policy, "high"]


def test_content_types_are_strata_and_their_work_adds_up(snapshot, filters):
    one = filters.with_("project", "P05")
    found = audit_planner.plan(snapshot, one, Ask(strata="project_content_type", audits=100)).rows
    every = audit_planner.plan(snapshot, one, Ask(strata="project_policy", audits=100)).rows
    assert found["judgements"].sum() == every["judgements"].sum() and found["audits"].sum() == 100
    assert set(found["label"]) == set(found["content_type"]) and len(found) > 1
    assert found["spoken"].iloc[0].startswith(f"content of type {found['content_type'].iloc[0]} in ")


def test_strata_follow_the_filters():
    one = Filters.of({"project": ["P01"]})
    assert audit_planner.strata_of(Ask(), Filters.of({})) == ("project", "policy")
    assert audit_planner.strata_of(Ask(), one) == ("policy", "language")
    assert audit_planner.strata_of(Ask(), one.with_("policy", "hate")) == ("language", "pool")
    everything = one.with_("policy", "hate").with_("language", "id").with_("pool", "POOL-01")
    assert audit_planner.strata_of(Ask(), everything) == ("policy", "language")
    assert audit_planner.strata_of(Ask(strata="project_pool"), one) == ("project", "pool")


def test_what_cannot_be_planned_for_is_named(snapshot, filters):
    left_out = dict(audit_planner.plan(snapshot, filters, Ask()).left_out)
    assert set(left_out["preferences have no right answer to find"]) == {
        "Dialogue grading",
        "Helpful and harmless preference",
    }
    gold = dict(audit_planner.plan(snapshot, filters, Ask(of=GOLD)).left_out)
    assert gold["no gold items to give out"] == ("Red team campaigns",)
    only = audit_planner.plan(snapshot, filters.with_("project", "P09"), Ask())
    assert only.rows.empty and "preferences have no right answer" in only.reason
    none = audit_planner.plan(snapshot, filters.with_("project", "P01").with_("policy", "satire"), Ask())
    assert none.rows.empty and none.reason == "no judgements match these filters"


def test_a_guideline_misread_in_one_place_draws_audits(snapshot, filters, monkeypatch):
    """As EV01 does: half of the audited Indonesian harassment decisions of P01 turn out wrong."""
    ask, one = Ask(audits=200, floor=0), filters.with_("project", "P01")
    where = {"policy": "harassment", "language": "id"}

    def of(plan):
        rows = plan.rows
        return rows[(rows["policy"] == where["policy"]) & (rows["language"] == where["language"])].iloc[0]

    real = data.sums
    before = of(audit_planner.plan(snapshot, one, ask))

    def misread(*arguments):
        cells = real(*arguments)
        if not set(where) <= set(cells):
            return cells
        hit = (cells["policy"] == where["policy"]) & (cells["language"] == where["language"])
        return cells.assign(
            audited_weight_passed=cells["audited_weight_passed"].where(~hit, cells["audited_weight"] / 2)
        )

    monkeypatch.setattr(data, "sums", misread)
    st.cache_data.clear()
    after = audit_planner.plan(snapshot, one, ask)
    st.cache_data.clear()
    assert of(after)["audits"] > 1.5 * of(after)["proportional"] > 0
    assert of(after)["audits"] > before["audits"]
    assert of(after)["low"] > after.overall and "errors are likely" in of(after)["lift"]
    assert after.rows["policy"].iloc[0] == "harassment" and after.rows["language"].iloc[0] == "id"


def test_more_audits_never_buy_less(snapshot, filters):
    found = audit_planner.plan(snapshot, filters.with_("project", "P01"), Ask(audits=200, strata="project_policy"))
    assert found.half_after <= found.half_before
    assert found.half_after <= found.half_even + 1e-9
    curve = found.curve
    assert curve["half"].is_monotonic_decreasing and curve["audits"].is_monotonic_increasing
    asked = curve[curve["audits"] == 200].iloc[0]
    assert asked["half"] == found.half_after and asked["even"] == found.half_even


def test_the_price_is_review_cost_over_second_looks(snapshot, filters):
    one = filters.with_("project", "P01")
    found = audit_planner.plan(snapshot, one, Ask(audits=100))
    spent = data.sums(snapshot, "ledger", ("cost_review",), ("project",), one)["cost_review"].sum()
    work = data.sums(snapshot, "work", ("judgements", "audited_n"), ("stage",), one).set_index("stage")
    looks = work["audited_n"].sum() + work["judgements"].get("review", 0.0)
    assert found.price_of_one == pytest.approx(spent / looks)
    assert found.price == pytest.approx(100 * spent / looks)


def test_a_policy_filter_does_not_change_the_price(snapshot, filters):
    one = filters.with_("project", "P01")
    narrow = audit_planner.plan(snapshot, one.with_("policy", "hate"), Ask(audits=10))
    assert narrow.price_of_one == pytest.approx(audit_planner.plan(snapshot, one, Ask(audits=10)).price_of_one)


def test_small_groups_show_stakeholders_no_error_rate(snapshot, filters, monkeypatch):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    found = audit_planner.plan(snapshot, filters, Ask(strata="project_policy")).rows
    few = found["audited"] < 20
    assert few.any()
    assert found.loc[few, ["error_rate", "low", "high"]].isna().all(axis=None)
    assert set(found.loc[few, "known"]) == {"too small a group to show"}
    assert found.loc[~few, "error_rate"].notna().any()


def test_harm_weighs_serious_errors(snapshot, filters):
    sums = data.sums(snapshot, "work", audit_planner.SUMS, ("project", "policy"), filters)
    sums = sums[sums["audited_n"] > 15]
    penalty = sums["audited_weight_penalty"] / (sums["audited_weight"] - sums["audited_weight_passed"])
    found = audit_planner.plan(snapshot, filters, Ask(aim=SEVERITY)).rows.set_index(["project", "policy"])["harm"]
    ours = found.reindex(pd.MultiIndex.from_frame(sums[["project", "policy"]]))
    assert np.corrcoef(ours.rank(), penalty.rank())[0, 1] > 0.95


def test_pools_of_one_name_stay_apart(snapshot, filters):
    found, reason = audit_gold.exposure(snapshot, filters)
    assert not reason
    assert found["label"].is_unique and len(found) == found["member"].nunique()


def test_the_worklist_names_what_it_is_for(snapshot, filters):
    found = audit_planner.plan(snapshot, filters, Ask())
    file = audit_planner.worklist(snapshot, found)
    assert len(file) == len(found.rows) and file["to_do"].sum() == 500
    assert {"project", "project_name", "policy", "not_looked_at", "by_size_alone"} <= set(file)
    assert "Comment moderation" in set(file["project_name"])
