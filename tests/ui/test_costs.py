"""The costs page's numbers against other ways to them, its sentences and charts, and the planted events it names."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import altair as alt
import numpy as np
import pytest
import streamlit as st

from data_access.filters import Filters, Scope
from metrics.budget import FEW_TO_TELL
from metrics.intervals import wilson
from tests.ui.asked import over
from ui import (
    charts,
    cost_bridge,
    cost_bridge_words,
    cost_budget,
    cost_budget_words,
    cost_kinds,
    cost_names,
    cost_poor_quality,
    cost_poor_quality_words,
    cost_units,
    cost_words,
    costs,
    data,
)
from ui.costs import Ask
from ui.theme import DARK, LIGHT

LAST_WEEKS = 13

NASTY = "![x](y) <img src=1> | 'quote' \"double\" datum"


def named(snapshot, filters, ask=Ask()) -> cost_bridge.Moved:  # noqa: B008  frozen
    moved = cost_bridge.bridge(snapshot, filters, ask)
    return replace(moved, drivers=cost_bridge_words.named(moved, snapshot.names, "USD"))


def headline(snapshot, filters, ask=Ask()) -> str:  # noqa: B008  frozen
    said = cost_words.finding(cost_units.unit(snapshot, filters, ask), named(snapshot, filters, ask), ask, "USD")
    return said.replace("\u00a0", " ")


# ---- numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [costs.GOLD, costs.AUDIT])
@pytest.mark.parametrize("unit", list(costs.METRIC))
@pytest.mark.parametrize("of", [costs.UNIT, costs.TOTAL])
def test_the_bridge_is_exact_and_goes_from_and_to_the_numbers_shown(snapshot, filters, unit, of, quality):
    ask = Ask(unit=unit, of=of, quality=quality)
    moved = cost_bridge.bridge(snapshot, filters, ask)
    assert moved.reason == ""
    assert moved.parts["amount"].sum() == pytest.approx(moved.change, abs=1e-9 * abs(moved.after))
    assert moved.drivers["amount"].sum() == pytest.approx(moved.change, abs=1e-9 * abs(moved.after))
    if of == costs.UNIT:
        found = cost_units.unit(snapshot, filters, ask)
        assert moved.after == pytest.approx(found.now["value"], rel=1e-9)
        assert moved.before == pytest.approx(found.now["before"], rel=1e-9)
    else:
        assert "volume" in set(moved.parts["part"])


@pytest.mark.parametrize("unit", [costs.ACCEPTED, costs.LABEL])
@pytest.mark.parametrize("by", costs.GROUPS)
def test_unit_costs_are_those_of_the_catalogue(snapshot, filters, unit, by):
    found = cost_units.unit(snapshot, filters, Ask(unit=unit, by=by))
    whole = data.measure(snapshot, (costs.METRIC[unit].name,), (), filters).iloc[0]
    assert [found.now[c] for c in ("value", "low", "high")] == pytest.approx(
        [whole[c] for c in ("value", "low", "high")]
    )
    known = data.measure(snapshot, (costs.METRIC[unit].name,), (by,), filters).set_index(by)
    for row in found.rows.to_dict("records"):
        assert row["value"] == pytest.approx(known.loc[row["member"], "value"], nan_ok=True)
        assert row[cost_units.COLUMN[unit]] == pytest.approx(row["value"], nan_ok=True)


@pytest.mark.parametrize("quality", [costs.GOLD, costs.AUDIT])
def test_a_correct_label_costs_what_a_label_does_over_accuracy(snapshot, filters, quality):
    found = cost_units.unit(snapshot, filters, Ask(quality=quality))
    rows = data.sums(snapshot, "ledger", ("cost", "labels"), (), filters).iloc[0]
    assert found.right.name == quality
    # The accuracy used is drawn a little towards one half: by one judgement among all.
    assert found.now["value"] == pytest.approx(rows["cost"] / rows["labels"] / found.right["value"], rel=5e-3)
    assert found.now["low"] < found.now["value"] < found.now["high"]


@pytest.mark.parametrize("by", ["project", "pool", "vendor", "site"])  # others have too few audits in the small sample
def test_audits_take_the_place_of_gold_in_every_group(snapshot, filters, by):
    """The same sums by pandas, group by group."""
    found = cost_units.unit(snapshot, filters, Ask(by=by, quality=costs.AUDIT)).rows
    sums = data.sums(snapshot, "ledger", ("cost", "labels"), (by,), filters).set_index(by)
    right = data.measure(snapshot, (costs.AUDIT,), (by,), filters).set_index(by)
    known = found[found["value"].notna()]
    assert len(known) >= 2
    for row in known.to_dict("records"):
        label = sums.loc[row["member"], "cost"] / sums.loc[row["member"], "labels"]
        measured = right.loc[row["member"]]
        # Drawn towards the other groups, never past them, and inside what is measured.
        assert measured["low"] - 0.05 <= label / row["value"] <= min(measured["high"] + 0.05, 1)
        assert row["low"] < row["value"] < row["high"]


def test_the_effective_n_is_wilsons_turned_round():
    n = np.array([20.0, 300.0, 4000.0, 50.0])
    share = np.array([0.5, 0.85, 0.99, 1.0])
    value, low, high = wilson(share * n, n)
    assert costs.effective_n(value, low, high, 10 * n) == pytest.approx(n, rel=1e-6)


def test_a_trend_of_correct_labels_is_cost_over_accuracy(snapshot, filters):
    rows = cost_units.over_time(snapshot, filters, costs.CORRECT, costs.GOLD)
    plain = cost_units.over_time(snapshot, filters, costs.ACCEPTED, costs.GOLD)
    both = rows.merge(plain, on="at", suffixes=("", "_accepted"))
    known = both[both["value"].notna()]
    assert len(known) >= 10
    assert (known["value"] > 0.9 * known["value_accepted"]).all()


def test_poor_quality_adds_up_and_grows_with_what_an_error_costs(snapshot, filters):
    found = cost_poor_quality.poor_quality(snapshot, filters, Ask(harm=1.0))
    dearer = cost_poor_quality.poor_quality(snapshot, filters, Ask(harm=3.0))
    assert found.whole.poor_quality.value < dearer.whole.poor_quality.value
    plain = found.rows[found.rows["category"] == "appraisal"]
    assert plain["amount"].notna().all()
    # Gold is priced at each group's own labour, so the parts need not sum to the whole; what is booked must.
    prevention = found.rows.loc[found.rows["category"] == "prevention", "amount"].sum()
    whole = found.whole.categories.set_index("category")["amount"]["prevention"]
    assert prevention == pytest.approx(whole)


def test_a_budget_is_compared_with_what_was_spent(snapshot):
    found = cost_budget.budget(snapshot, over("2026-05-09", "2026-06-11"))
    assert found.reason == ""
    spent = data.sums(snapshot, "ledger", ("cost",), (), over("2026-01-01", "2026-06-11"))["cost"].iloc[0]
    assert found.total["actual"] == pytest.approx(spent)
    assert found.rows["actual"].sum() == pytest.approx(spent)
    assert found.end == dt.date(2026, 11, 30)
    inside = found.rows[found.rows["low"].notna()]
    assert ((inside["low"] <= inside["at_completion"]) & (inside["at_completion"] <= inside["high"])).all()
    one = cost_budget.budget(snapshot, over("2026-05-09", "2026-06-11", project="P10", pool="POOL-08"))
    assert one.left_out == ("pool",) and list(one.rows["project_id"]) == ["P10"]


def test_the_forecast_by_work_ends_with_the_planned_labels(snapshot, monkeypatch):
    """Spent, and the labels still planned at the cost a label of the last twelve weeks, by hand from the ledger."""
    end = dt.date(2026, 9, 13)
    found = cost_budget.budget(snapshot, Filters.of((), dt.date(2026, 8, 17), end))
    row = found.rows[found.rows["work_at_completion"].notna()].iloc[0]
    own = Filters.of({"project": row["project_id"]}, found.start, end)
    spans = own, own.over(end - dt.timedelta(days=83), end)
    whole, last = (data.sums(snapshot, "ledger", ("cost", "accepted_labels"), (), s).iloc[0] for s in spans)
    left = max(row["planned_labels"] - whole["accepted_labels"], 0)
    expected = whole["cost"] + left * last["cost"] / last["accepted_labels"]
    assert row["work_at_completion"] == pytest.approx(expected)
    assert row["work_low"] <= row["work_at_completion"] <= row["work_high"]
    assert "all planned labels are made" in cost_budget_words.by_work(found, "USD")
    bare = replace(found, rows=found.rows.assign(planned_labels=0.0, work_at_completion=np.nan))
    assert "has no planned_labels" in cost_budget_words.by_work(bare, "USD")


@pytest.mark.parametrize("by", ["project", "pool", "language"])
def test_kinds_of_cost_sum_to_the_ledger(snapshot, filters, by):
    found = cost_kinds.kinds(snapshot, filters, by)
    columns = {kind: f"cost_{kind}" for kind in costs.KINDS}
    known = data.sums(snapshot, "ledger", ("cost", *columns.values()), (), filters).iloc[0]
    assert found.total == pytest.approx(known["cost"]) and found.rows["cost"].sum() == pytest.approx(known["cost"])
    for kind in found.kinds:
        assert found.rows[kind].sum() == pytest.approx(known[columns[kind]])
    assert found.rows[list(found.kinds)].sum(axis=1).tolist() == pytest.approx(found.rows["cost"].tolist())
    assert found.kinds == tuple(k for k in costs.KINDS if known[columns[k]])
    said = cost_words.kinds(found, "USD").replace("\u00a0", " ")
    assert "on labour" in said and "on tooling" in said
    for colours in (LIGHT, DARK):
        spec, text = charts.cost_kinds(found.rows, found.kinds, colours, by, "USD")
        assert alt.LayerChart.from_dict(spec, validate=True) and "dearest" in text


def test_kinds_of_small_groups_are_one_row(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    whole = cost_kinds.kinds(snapshot, filters, "pool")
    monkeypatch.setattr(data, "current_scope", lambda: replace(Scope.stakeholder(), minimum_items=10**9))
    found = cost_kinds.kinds(snapshot, filters, "pool")
    assert found.rows["member"].isna().all() and cost_kinds.TOO_SMALL in set(found.rows["label"])
    assert found.rows["cost"].sum() == pytest.approx(whole.total)
    st.cache_data.clear()


def test_few_weeks_of_a_budget_have_a_forecast_and_no_interval(snapshot):
    """The year has run for less than the weeks that show how alike they are: the number stays, with the reason."""
    found = cost_budget.budget(snapshot, over("2026-01-05", "2026-02-15"))
    assert found.total["at_completion"] > found.total["actual"] > 0
    assert np.isnan([found.total["low"], found.total["high"], found.total["over_budget"]]).all()
    assert found.rows["over_budget"].isna().all() and found.rows["at_completion"].notna().all()
    said = cost_budget_words.budget(found, "USD")
    assert f"({FEW_TO_TELL})" in said and "cannot be told yet" in said and "nan" not in said.lower()
    spec, alt = charts.budget(found.rows, found.total, LIGHT, "USD", found.as_of)
    assert all("no interval" in v["said"] and v["chance"] == "cannot tell" for v in spec["data"]["values"])
    assert "no interval" in alt and "nan" not in alt.lower()
    long = cost_budget.budget(snapshot, over("2026-01-05", "2026-05-17"))
    assert long.total["low"] < long.total["at_completion"] and "no interval" not in cost_budget_words.budget(
        long, "USD"
    )


# ---- what is missing -------------------------------------------------------------------------------------------


def test_without_costs_or_budgets_the_reason_says_what_to_load(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    for module in (costs, cost_budget):
        monkeypatch.setattr(module, "loaded", lambda _snapshot, _table: False)
    assert "load the table costs" in cost_units.unit(snapshot, filters, Ask()).reason
    assert "load the table costs" in cost_bridge.bridge(snapshot, filters, Ask()).reason
    assert "load the table budgets" in cost_budget.budget(snapshot, filters).reason
    assert "load the table costs" in headline(snapshot, filters)
    st.cache_data.clear()


def test_without_shifts_hours_are_those_of_handling(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setattr(cost_bridge, "_paid_hours", lambda *_: {})
    moved = cost_bridge.bridge(snapshot, filters, Ask())
    assert moved.hours == "handling"
    assert moved.drivers["amount"].sum() == pytest.approx(moved.change)
    assert "table shifts" in cost_bridge_words.how(moved, Ask())
    st.cache_data.clear()


def test_costs_are_kept_by_language_but_not_by_stage(snapshot, filters):
    assert cost_units.unit(snapshot, filters.with_("language", "th"), Ask()).now["value"] > 0
    assert "not kept by stage" in cost_units.unit(snapshot, filters.with_("stage", "label"), Ask()).reason


def test_internal_failure_is_the_number_of_the_catalogue(snapshot, filters):
    found = cost_poor_quality.poor_quality(snapshot, filters, Ask()).whole.categories.set_index("category")
    known = data.measure(snapshot, ("cost_of_poor_quality",), (), filters).iloc[0]
    assert found.loc["internal failure", "amount"] == pytest.approx(known["value"])


def test_the_figure_of_qa_counts_gold_as_the_sentence_does(snapshot, filters):
    """Review plus gold at the labour of a label, over all costs, from the sums themselves."""
    sums = data.sums(snapshot, "ledger", ("cost", "cost_review", "cost_labour", "labels"), (), filters).iloc[0]
    gold = data.sums(snapshot, "work", ("gold_n",), (), filters).iloc[0]["gold_n"]
    expected = (sums["cost_review"] + sums["cost_labour"] * gold / sums["labels"]) / sums["cost"]
    qa = cost_poor_quality.qa_share(snapshot, filters)
    assert qa.value == pytest.approx(expected) and qa.value > sums["cost_review"] / sums["cost"]
    found = cost_units.unit(snapshot, filters, Ask())
    cells = {a: (b, c) for a, b, c in cost_words.figures(found, Ask(), "USD", qa)}
    share, under = cells["Cost of QA, share"]
    assert share == cost_words.fmt.value(expected, cost_names.SHARE) and "gold" in under and "review alone" in under
    assert "Cost of review, share" not in cells
    said = cost_poor_quality_words.poor_quality(cost_poor_quality.poor_quality(snapshot, filters, Ask()), Ask(), "USD")
    assert f"reviews and gold took {cost_names.percent(expected)}" in said


def test_money_booked_leads_and_what_is_supposed_follows(snapshot, filters):
    found = cost_poor_quality.poor_quality(snapshot, filters, Ask(harm=3.0))
    said = cost_poor_quality_words.poor_quality(found, Ask(harm=3.0), "USD").replace("\u00a0", " ")
    booked = data.measure(snapshot, ("cost_of_poor_quality",), (), filters).iloc[0]["value"]
    assert said.startswith(f"Poor quality cost {cost_words.fmt.money(booked, 'USD')} in rework and rejected labels")
    assert "other than gold are wrong" in said and "at the supposed $3.00 each" in said


def test_a_target_is_named_once(snapshot, filters):
    found = cost_units.unit(snapshot, filters, Ask())
    row = found.now.to_dict() | {"status": "on_target", "target": 0.54}
    metric = costs.METRIC[costs.CORRECT]
    under = cost_words._figure(row, metric, "USD", 0.1)[1]
    assert under.count("target") == 1 and under.endswith("on target of $0.540")
    assert cost_words._figure(row | {"status": "watch"}, metric, "USD", 0.1)[1].endswith("watch, target $0.540")


def test_no_work_is_a_reason(snapshot, filters):
    nothing = filters.with_("project", "P01").with_("pool", "POOL-13")
    assert cost_units.unit(snapshot, nothing, Ask()).reason == "no costs match these filters"
    assert cost_bridge.bridge(snapshot, nothing, Ask()).change is None


def test_a_stakeholder_sees_no_small_group(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setattr(data, "current_scope", lambda: replace(Scope.stakeholder(), minimum_items=10**9))
    found = cost_units.unit(snapshot, filters, Ask(by="pool"))
    assert found.rows["value"].isna().all() and found.rows[cost_units.SPENT].isna().all()
    assert set(found.rows["reason"]) == {"too small a group to show"}
    st.cache_data.clear()


# ---- planted events --------------------------------------------------------------------------------------------


def test_the_overrun_is_price_at_its_pool(snapshot):
    ev09 = over("2026-05-09", "2026-06-11")
    lead = named(snapshot, ev09).drivers.query("part == 'price'").iloc[0]
    assert (lead["project"], lead["pool"]) == ("P10", "POOL-08") and lead["now"] / lead["was"] == pytest.approx(
        1.55, abs=0.1
    )
    assert lead["name"] == "cost an hour at Bangkok night (Dialogue grading)"
    said = headline(snapshot, ev09.with_("project", "P10"), Ask(unit=costs.ACCEPTED))
    assert "cost an hour at Bangkok night (Dialogue grading) accounts for" in said


def test_the_mix_shift_is_mix_inside_its_project(snapshot):
    moved = named(snapshot, over("2026-08-31", "2026-09-27", project="P03"), Ask(unit=costs.LABEL))
    lead = moved.drivers.iloc[0]
    assert lead["part"] == cost_bridge.INSIDE and lead["what"] == "policy:hate"
    assert lead["now"] > lead["was"] + 0.15


def test_idle_paid_time_is_efficiency_without_handling(snapshot):
    moved = named(snapshot, over("2026-10-12", "2026-11-01", pool="POOL-12"), Ask(unit=costs.LABEL))
    hours = moved.drivers[moved.drivers["part"] == "efficiency"]
    assert hours["amount"].sum() > 0
    paid = (hours["now"] / hours["was"]).median()
    touched = (hours["touch_now"] / hours["touch_was"]).median()
    assert paid / touched == pytest.approx(1.25, abs=0.12)


def test_the_vendor_switch_is_work_at_the_new_pool(snapshot):
    moved = named(snapshot, over("2026-03-08", "2026-04-04", project="P03"), Ask(unit=costs.LABEL))
    inside = moved.drivers[moved.drivers["part"] == cost_bridge.INSIDE].iloc[0]
    assert inside["what"] == "pool:POOL-14" and inside["was"] == 0
    assert "Jakarta evening (Vendor North)" in inside["name"]


# ---- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.25, "accounts for a quarter"),
        (0.66, "accounts for two thirds"),
        (0.9, "accounts for most of it"),
        (1.0, "accounts for nearly all of it"),
        (1.4, "accounts for more than all of it"),
    ],
)
def test_fractions_are_words(share, said):
    assert cost_bridge_words._share(share) == said


def test_names_from_the_data_stay_text(snapshot, filters):
    names = {"project": {f"P{k:02}": NASTY for k in range(1, 13)}, "pool": {}}
    moved = cost_bridge.bridge(snapshot, filters, Ask())
    rows = cost_bridge_words.named(moved, names, "USD")
    assert rows["place"].str.contains("<img").any()
    spec, _ = charts.drivers(rows, costs.METRIC[costs.CORRECT], LIGHT, "USD")
    alt.LayerChart.from_dict(spec, validate=True)


# ---- charts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("of", [costs.UNIT, costs.TOTAL])
def test_charts_are_valid(snapshot, filters, colours, of):
    ask = Ask(of=of)
    moved, metric = named(snapshot, filters, ask), cost_names.metric_of(ask)
    poor = cost_poor_quality.poor_quality(snapshot, filters, ask)
    found = cost_budget.budget(snapshot, filters)
    for spec, said in (
        charts.waterfall(moved, metric, colours, "USD"),
        charts.drivers(moved.drivers, metric, colours, "USD"),
        charts.poor_quality(poor.rows, colours, "project", "USD"),
        charts.budget(found.rows, found.total, colours, "USD", found.as_of),
    ):
        alt.LayerChart.from_dict(spec, validate=True)
        assert spec["title"]["text"] and len(said) > 30


def test_the_waterfall_ends_where_the_next_step_begins(snapshot, filters):
    moved = cost_bridge.bridge(snapshot, filters, Ask())
    spec, _ = charts.waterfall(moved, costs.METRIC[costs.CORRECT], LIGHT, "USD")
    values = spec["data"]["values"]
    for one, following in itertools.pairwise(values):
        assert one["end"] == pytest.approx(following["start"])
