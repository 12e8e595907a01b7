"""The audit planner's numbers against other ways to them, its sentences, its charts."""

from __future__ import annotations

from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import pytest
import streamlit as st

from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics import audit_allocation, gold_exposure, skill
from ui import audit_gold, audit_planner, audit_tests, audit_words, charts, data, periods, raters
from ui.audit_planner import AUDITS, GOLD, SEVERITY, STRATA, UNCERTAINTY, VIOLATING, Ask
from ui.theme import DARK, LIGHT

EVERYONE = Scope.everything()
NASTY = "![x](y) <img src=1> | 'quote' \"double\" datum"


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filters(snapshot):
    return Filters.of((), *periods.last_weeks(snapshot.meta, 52))


def rows(**more) -> pd.DataFrame:
    plain = {
        "project": ["P1", "P1", "P2"],
        "policy": ["a", "b", "a"],
        "label": [NASTY, "One · b", "Two · a"],
        "spoken": ["a in One", "b in One", "a in Two"],
        "judgements": [1000.0, 500.0, 80.0],
        "left": [900.0, 490.0, 80.0],
        "audited": [100.0, 10.0, 0.0],
        "error_rate": [0.2, 0.1, np.nan],
        "low": [0.13, 0.01, np.nan],
        "high": [0.28, 0.3, np.nan],
        "known": ["", "too few to judge", "not looked at yet"],
        "harm": [1.0, 1.0, 1.0],
        "audits": [60, 30, 10],
        "proportional": [55, 35, 10],
        "price": [6.0, 3.0, np.nan],
        "lift": [("errors are likely", "volume is high"), (), ("nobody has looked yet",)],
        "drag": [(), ("errors seem rare",), ()],
    }
    return pd.DataFrame(plain | more)


def a_plan(**more) -> audit_planner.Plan:
    plain = {
        "rows": rows(),
        "keys": ("project", "policy"),
        "audits": 100,
        "overall": 0.18,
        "half_before": 0.0312,
        "half_after": 0.0204,
        "half_even": 0.0231,
        "price": 9.0,
        "price_of_one": 0.09,
        "stages": ("label",),
    }
    return audit_planner.Plan(**(plain | more))


# ---- numbers ---------------------------------------------------------------------------------------------------


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


def test_the_batch_plan_keeps_both_risks():
    found = audit_tests.batch(Ask(acceptable=5, limit=12, lot=800))
    assert found.plan.producer_risk <= 0.05 and found.plan.consumer_risk <= 0.10
    at = found.curve.set_index("error_rate")["accepted"]
    assert at[0.05] == pytest.approx(1 - found.plan.producer_risk)
    assert at[0.12] == pytest.approx(found.plan.consumer_risk)
    none = audit_tests.batch(Ask(acceptable=10, limit=10.5, lot=50))
    assert (none.plan.n is None) == none.curve.empty


def test_the_corridor_of_the_sequential_test_is_walds():
    found = audit_tests.rater_test(Ask(good=90, bad=80))
    assert found.fixed.n == 78 and found.fixed.false_alarm <= 0.05 and found.fixed.power >= 0.8
    for n, enough, few in found.lines.itertuples(index=False):
        evidence = [(n - wrong) * np.log(0.8 / 0.9) + wrong * np.log(0.2 / 0.1) for wrong in range(int(n) + 1)]
        over = [wrong for wrong, e in enumerate(evidence) if e >= np.log(0.8 / 0.05) - 1e-9]
        under = [wrong for wrong, e in enumerate(evidence) if e <= np.log(0.2 / 0.95) + 1e-9]
        assert (np.isnan(enough) and not over) or enough == over[0]
        assert (np.isnan(few) and not under) or few == under[-1]
    assert audit_tests.rater_test(Ask(good=90, bad=89.5)).fixed is None


def test_settled_counts_every_rater_with_gold(snapshot, filters):
    found = audit_gold.settled(snapshot, filters)
    met = data.sums(snapshot, "work", ("gold_n",), ("rater",), filters)
    assert found.above + found.below + found.cannot_tell == (met["gold_n"] > 0).sum()
    assert 0 < found.target < 1 and found.per_week > 0


def test_settled_says_what_the_page_of_raters_says(snapshot, filters):
    """One function judges: the difficulty of the items and the raters of the pool count on both pages."""
    whole = dict.fromkeys(raters.GROUPS, 0)
    for pool in snapshot.names["pool"]:
        found = audit_gold.settled(snapshot, filters.with_("pool", pool))
        rows = raters.raters(snapshot, filters, pool).rows
        rows = rows[rows["n"] > 0] if len(rows) else rows
        if not len(rows):
            assert found is None
            continue
        there = [int((rows["group"] == name).sum()) for name in raters.GROUPS]
        assert [found.below, found.cannot_tell, found.above] == there
        open_ = rows.loc[rows["group"] == skill.CANNOT_TELL, "more"]
        assert found.too_close == open_.isna().sum()
        assert found.more == pytest.approx(open_.median(), nan_ok=True)
        whole = {name: n + k for (name, n), k in zip(whole.items(), there, strict=True)}
    every = audit_gold.settled(snapshot, filters)
    assert {skill.BELOW: every.below, skill.CANNOT_TELL: every.cannot_tell, skill.ABOVE: every.above} == whole
    one = filters.with_("pool", "POOL-09").with_("rater", "R-0243")
    assert audit_gold.settled(snapshot, one).cannot_tell + audit_gold.settled(snapshot, one).below <= 1


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


# ---- sentences -------------------------------------------------------------------------------------------------


def test_the_finding():
    said = audit_words.finding(a_plan(), Ask(audits=100)).replace("\u00a0", " ")
    assert said == (
        "The next 100 audits cut the uncertainty of audit accuracy from ±3.1 to ±2 points; 60 of them belong to "
        "a in One, where errors are likely and volume is high"
    )
    close = audit_words.finding(a_plan(half_before=0.01291, half_after=0.01288), Ask()).replace("\u00a0", " ")
    assert "from ±1.29" in close or "at ±1.29" in close


@pytest.mark.parametrize(
    ("plan", "ask", "words"),
    [
        (
            a_plan(rows=rows().iloc[:0], reason="no judgements match these filters"),
            Ask(),
            "nothing to plan here: no judg",
        ),
        (
            a_plan(half_before=None, half_even=None, unseen=("x",)),
            Ask(),
            "look for the first time at 1 stratum of 3, and",
        ),
        (
            a_plan(half_before=None, half_after=None, unseen=("x", "y")),
            Ask(),
            "look for the first time at 2 strata of 3;",
        ),
        (a_plan(), Ask(aim=SEVERITY), "uncertainty of harm-weighted audit accuracy"),
        (a_plan(), Ask(of=GOLD), "The next 100 gold judgements cut the uncertainty of gold accuracy"),
        (a_plan(unallotted=400), Ask(), "100 audits look at all of this work, fewer than the 500 asked for"),
        (a_plan(audits=0), Ask(), "nothing left to look at: all of this work is audited"),
        (a_plan(audits=60, rows=rows().iloc[:1]), Ask(), "all of them belong to a in One"),
    ],
)
def test_the_finding_in_other_cases(plan, ask, words):
    assert words in audit_words.finding(plan, ask)


def test_assumptions_name_what_is_left_out():
    said = audit_words.assumptions(
        a_plan(left_out=(("why", ("A", "B", "C", "D", "E")),), unseen=("x",)), Ask(aim=VIOLATING)
    )
    assert "Left out: A, B, C and 2 more (why)" in said
    assert "Never looked at: x." in said
    assert "counted is work of the label stage" in said


def test_the_batch_plan_in_words():
    ask = Ask(acceptable=10, limit=20, lot=1000)
    said = audit_words.batch(audit_tests.batch(ask), ask)
    assert "Audit **97** of a batch of 1,000" in said and "at most 14 errors" in said
    assert "1 time in 20" in said and "1 time in 11" in said
    narrow = Ask(acceptable=10, limit=10.5, lot=50)
    found = audit_tests.batch(narrow)
    if found.plan.n is None:
        assert "look at the whole batch" in audit_words.batch(found, narrow)


def test_the_rater_s_test_in_words():
    said = audit_words.rater_test(audit_tests.rater_test(Ask()), Ask())
    assert "fixed test takes **78** gold judgements" in said and "at most 65 right" in said
    close = Ask(good=90, bad=89.5)
    assert "no fixed test is short enough" in audit_words.rater_test(audit_tests.rater_test(close), close)


def test_the_raters_of_a_pool_stand_where_their_test_ended(snapshot):
    """Against Wald's likelihood ratio walked day by day, rater by rater."""
    ask = Ask(good=90, bad=70)
    period = Filters.of((), *periods.last_weeks(snapshot.meta, 26)).with_("pool", "POOL-09")
    found = audit_tests.tested(snapshot, period, ask)
    days = data.sums(snapshot, "work", ("gold_n", "gold_correct"), ("rater", "day"), period).sort_values("day")
    expected = {}
    for rater, rows in days[days["gold_n"] > 0].groupby("rater"):
        n = wrong = 0
        for _, row in rows.iterrows():
            n, wrong = n + int(row["gold_n"]), wrong + int(row["gold_n"] - row["gold_correct"])
            ratio = (0.7 ** (n - wrong) * 0.3**wrong) / (0.9 ** (n - wrong) * 0.1**wrong)
            state = "look into it" if ratio >= 0.8 / 0.05 else "accept" if ratio <= 0.2 / 0.95 else "go on"
            expected[rater] = (n, wrong, state)
            if state != "go on":
                break
    rows = found.rows.set_index("rater")
    assert expected and {r: (rows.n[r], rows.wrong[r], rows.state[r]) for r in rows.index} == expected
    assert rows["state"].nunique() > 1
    spec, said = charts.corridor(audit_tests.rater_test(ask).lines, None, LIGHT, found.rows)
    assert valid(spec) and f"{len(rows)} raters" in said
    assert audit_tests.rater_test(ask, 150).lines["n"].max() == 150  # the lines reach those who go on longest
    (marks,) = [v for v in (layer["data"]["values"] for layer in spec["layer"]) if v and "said" in v[0]]
    assert {m["label"] for m in marks} == set(found.rows["alias"]) and not set(rows.index) & {m["label"] for m in marks}
    words = audit_words.tested(found)
    ended = (rows["state"] != "go on").sum()
    assert f"ended for {ended} of the {len(rows)} raters" in words and not any(a in words for a in rows["alias"])


def test_nobody_s_test_is_shown_without_one_pool_or_to_those_who_see_no_rater(snapshot, monkeypatch):
    period = Filters.of((), *periods.last_weeks(snapshot.meta, 26))
    assert "Choose one pool" in audit_words.tested(audit_tests.tested(snapshot, period, Ask()))
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    found = audit_tests.tested(snapshot, period.with_("pool", "POOL-09"), Ask())
    assert found.rows.empty and "those who manage them" in audit_words.tested(found)
    spec, said = charts.corridor(audit_tests.rater_test(Ask()).lines, (78, 13), LIGHT, found.rows)
    assert valid(spec) and "raters are drawn" not in said


def test_settled_in_words_names_nobody():
    found = audit_gold.Settled(0.86, 2, 6, 73, 352.0, 17, 7.5)
    said = audit_words.settled(found).replace("\u00a0", " ")
    assert "Of 81 raters gold tells 2 above the 86 % target and 6 below it; for 73 it cannot tell." in said
    assert "352 more gold judgements, 47 weeks at 7.5 a week" in said and "17 are too close" in said
    assert "more gold" not in audit_words.settled(replace(found, cannot_tell=0, more=float("nan"), too_close=0))


@pytest.mark.parametrize(
    ("gold", "distinct", "pool", "words"),
    [
        ([5, 20], [5, 20], 5000, "nobody runs out of it within two years"),
        ([20, 60], [20, 40], 50, "met again"),
        ([50, 60], [50, 50], 50, "new gold is needed now"),
        ([20, 60], [20, 40], 50, "renew it before then"),
        ([0, 0], [0, 0], 50, "Nobody met gold"),
    ],
)
def test_wear_in_words(gold, distinct, pool, words):
    met = pd.DataFrame(
        {"rater": ["a", "b"], "judgements": [100, 200], "gold_judgements": gold, "distinct_gold": distinct}
    )
    assert words in audit_words.wear(gold_exposure.gold_exposure_of_sums(met, pool, 28), "One")


# ---- charts ----------------------------------------------------------------------------------------------------


def valid(spec: dict) -> bool:
    alt.LayerChart.from_dict(spec, validate=True)
    return True


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_allocation(colours):
    spec, said = charts.allocation(rows(), 0.18, "project and policy", "audits", colours)
    assert valid(spec)
    assert "3 strata; most, 60 audits" in said and "size alone would give 55" in said
    values = spec["data"]["values"]
    assert [v["audits"] for v in values] == [60, 30, 10]
    assert values[0]["label"] == NASTY
    assert values[2]["rate"] is None and values[2]["known"] == "not looked at yet"
    assert values[1]["few"] and "10" in values[1]["rated"]
    assert spec["resolve"]["scale"]["x"] == "independent"


def test_allocation_without_any_rate():
    spec, _ = charts.allocation(rows(error_rate=np.nan, low=np.nan, high=np.nan), np.nan, "policy", "audits", LIGHT)
    assert valid(spec)


def test_a_long_allocation_says_that_the_table_has_the_rest():
    many = pd.concat([rows()] * 20, ignore_index=True)
    spec, _ = charts.allocation(many, 0.1, "project and policy", "audits", LIGHT)
    assert len(spec["data"]["values"]) < len(many)
    assert f"of {len(many)}" in spec["title"]["subtitle"]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_small_charts(colours):
    found = audit_tests.batch(Ask())
    spec, said = charts.operating_curve(found.curve, (0.1, 0.95), (0.2, 0.09), colours)
    assert valid(spec) and "acceptable 10" in said and "95" in said
    test = audit_tests.rater_test(Ask())
    for fixed in ((78, 13), None):
        spec, said = charts.corridor(test.lines, fixed, colours)
        assert valid(spec) and ("13 wrong of 78" in said) == bool(fixed)
    curve = pd.DataFrame({"audits": [0, 500, 1000], "half": [0.03, 0.02, 0.015], "even": [0.03, 0.021, 0.016]})
    spec, said = charts.gains(curve, 500, "audits", colours)
    assert valid(spec) and "±3 points now to ±1.5 points with 1 k" in said.replace("\u00a0", " ")
