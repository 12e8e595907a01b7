"""What money buys: frontiers, raters an item and moves against other ways to them; sentences and charts."""

from __future__ import annotations

import math
from dataclasses import replace

import altair as alt
import pandas as pd
import pytest
import streamlit as st

from data_access.filters import Filters, Scope
from metrics import frontier as fr
from metrics import raters_per_item as rpi
from ui import charts, cost_quality, cost_quality_moves, costs, data
from ui import cost_quality_move_words as move_words
from ui import cost_quality_words as words
from ui.page import View
from ui.theme import DARK, LIGHT

LAST_WEEKS = 52

GOLD = costs.GOLD


@pytest.fixture(scope="module")
def found(snapshot, filters):
    return cost_quality.frontiers(snapshot, filters, GOLD)


def test_costs_are_spend_over_labels_and_pools_are_compared_inside_a_project(snapshot, filters, found):
    rows = data.sums(snapshot, "ledger", ("cost", "labels"), ("project", "pool"), filters)
    known = rows.set_index(["project", "pool"])
    for row in found.rows.to_dict("records"):
        one = known.loc[(row["project"], row["pool"])]
        assert row["cost"] == pytest.approx(one["cost"] / one["labels"])
        assert not row["dominated_by"] or row["dominated_by"] in set(found.of(row["project"])["pool"])
    verdicts = set(found.rows["verdict"].dropna())
    assert verdicts <= {fr.DOMINATED, fr.ON_FRONTIER, fr.CANNOT_TELL}


def test_the_project_shown_first_has_something_to_say(found):
    project = cost_quality.first_project(found)
    beaten = found.rows[found.rows["verdict"] == fr.DOMINATED]
    assert beaten.empty or project in set(beaten["project"])


def test_the_sentence_names_the_pool_and_the_one_that_beats_it(snapshot, filters, found):
    view = View(snapshot, filters)
    for project in found.projects:
        said = words.finding(found, {"of": project}, view)
        assert found.projects[project] in said
        if (found.of(project)["verdict"] == fr.DOMINATED).any():
            assert "gives less for more" in said


def test_the_curve_is_that_of_the_project_s_own_confusion(snapshot, filters):
    project = "P01"
    answer = cost_quality.raters(snapshot, filters, project, 0.0)
    assert answer.reason == ""
    assert list(answer.curve["k"]) == [1, 3, 5, 7]
    gold = data.measure(snapshot, (GOLD,), (), filters.with_("project", project)).iloc[0]
    assert answer.curve["accuracy"].iloc[0] == pytest.approx(gold["value"], abs=0.02)
    assert answer.curve["accuracy"].is_monotonic_increasing
    assert answer.curve["cost"].iloc[2] == pytest.approx(5 * answer.price)
    known = answer.curve["likeliest"].dropna()
    assert (known >= answer.curve.loc[known.index, "accuracy"] - 0.01).all()
    plan = answer.plans[answer.plans["threshold"] == 0.95].iloc[0]
    assert 1 <= plan["ratings"] <= plan["most"]


def test_raters_who_err_alike_gain_less(snapshot, filters):
    apart = cost_quality.raters(snapshot, filters, "P01", 0.0).curve["accuracy"]
    alike = cost_quality.raters(snapshot, filters, "P01", 0.4).curve["accuracy"]
    assert (alike.iloc[1:] < apart.iloc[1:]).all()


def test_without_a_known_answer_there_is_no_curve(snapshot, filters):
    assert "gold judgements" in cost_quality.raters(snapshot, filters, "P09", 0.0).reason
    assert cost_quality.raters(snapshot, filters, "", 0.0).reason


def test_the_majority_of_a_known_confusion():
    curve = rpi.ratings_curve_of_confusion([[80, 20], [20, 80]], cost_quality.KS, draws=20)
    assert curve["accuracy"].round(3).tolist() == [0.8, 0.896, 0.942, 0.967]


def test_a_move_changes_cost_and_quality_by_the_difference_of_the_two(snapshot, filters, found):
    rows = found.of("P01")
    source, target = rows.iloc[0], rows.iloc[1]
    answer = cost_quality_moves.move(snapshot, filters, GOLD, "P01", source["pool"], target["pool"], 0.2, 0.85)
    effects = answer.found.effects.set_index("effect")
    moved = 0.2 * source["labels"] / (filters.days / 7)
    assert effects.loc["cost a week", "value"] == pytest.approx(moved * (target["cost"] - source["cost"]))
    assert effects.loc["correct labels a week", "value"] == pytest.approx(
        moved * (target["quality"] - source["quality"])
    )
    assert effects.loc["load of the target", "value"] > 0
    said = move_words.move(answer, 0.2, "Comment moderation", "USD")
    assert said.startswith("Moving 20") and "could not keep up" in said and "SLA attainment" in said
    assert 0 < effects.loc["in time before", "value"] <= 1 and 0 < answer.measured <= 1
    assert "was in time" in move_words.assumptions(answer, 0.85)
    for row in answer.found.effects.to_dict("records"):
        value, _ = move_words.effect(row, "USD")
        assert value


def test_an_sla_effect_is_said_where_the_simulation_knows_the_queue(snapshot, filters, found, monkeypatch):
    """Measured as simulated, it is said; within 5 points as well."""
    pair = list(found.of("P01").loc[lambda r: r["language"] == "en", "pool"])
    real, now = cost_quality_moves._queue, 0.0
    for off, told in ((0.5, False), (0.0, True), (0.04, True), (0.06, False)):
        st.cache_data.clear()
        monkeypatch.setattr(cost_quality_moves, "_queue", lambda *a, m=now + off: (real(*a)[0], m))
        answer = cost_quality_moves.move(snapshot, filters, GOLD, "P01", *pair, 0.1, 0.85)
        effects = answer.found.effects.set_index("effect")
        now, sla = effects.loc["in time before", "value"], effects.loc["SLA of the queue"]
        said = move_words.move(answer, 0.1, "x", "USD")
        assert ("SLA attainment by what is not known" in said) != told
        assert math.isnan(effects.loc["in time after", "value"]) != told
        if told:
            assert sla["low"] <= sla["value"] <= 0.5 and sla["value"] <= sla["high"]
    st.cache_data.clear()


def test_a_simulation_that_does_not_know_the_queue_says_nothing_of_a_move(snapshot, filters, found, monkeypatch):
    st.cache_data.clear()
    real = cost_quality_moves._queue
    monkeypatch.setattr(cost_quality_moves, "_queue", lambda *a: (real(*a)[0], 0.2))
    project = next(p for p in found.projects if found.partners(p))
    source, others = next(iter(found.partners(project).items()))
    answer = cost_quality_moves.move(snapshot, filters, GOLD, project, source, next(iter(others)), 0.1, 0.85)
    effects = answer.found.effects.set_index("effect")
    assert math.isnan(effects.loc["SLA of the queue", "value"]) and "20.0" in effects.loc["SLA of the queue", "reason"]
    said = move_words.move(answer, 0.1, "x", "USD")
    assert "raise its SLA" not in said and "lower its SLA" not in said and "20.0" in said
    assert "too far from it" in move_words.assumptions(answer, 0.85)
    st.cache_data.clear()


def test_pools_are_compared_and_work_moves_only_inside_a_language(snapshot, filters, found):
    """What each pool's languages on a project are, is counted from the work itself."""
    work = data.sums(snapshot, "work", ("labels",), ("project", "pool", "language"), filters)
    spoken = work[work["labels"] > 0].groupby(["project", "pool"])["language"].agg(set)
    apart = 0
    for project in found.projects:
        rows, partners = found.of(project), found.partners(project)
        for row in rows.to_dict("records"):
            if row["dominated_by"]:
                assert row["language"] in spoken[project, row["pool"]] & spoken[project, row["dominated_by"]]
            mates = (rows["language"] == row["language"]).sum()
            assert mates > 1 or (row["verdict"] is None and not row["efficient"])
            for other in set(rows["pool"]) - {row["pool"]}:
                shared = bool(spoken[project, row["pool"]] & spoken[project, other])
                assert (other in partners.get(row["pool"], {})) == shared
                apart += not shared
        if not partners and len(rows) > 1:
            assert "share a language" in words.finding(found, {"of": project}, View(snapshot, filters))
    assert apart
    rows = found.of("P01")
    english, other = (rows.loc[rows["language"] == x, "pool"].iloc[0] for x in ("en", "vi"))
    refused = cost_quality_moves.move(snapshot, filters, GOLD, "P01", english, other, 0.1, 0.85)
    assert refused.found is None and "share no language" in refused.reason


def test_a_week_s_costs_without_work_go_to_the_pool_s_languages_by_its_labels():
    rows = pd.DataFrame(
        [
            ("P", "A", "en", 60.0, 30.0),
            ("P", "A", "th", 10.0, 10.0),
            ("P", "A", None, 8.0, 0.0),
            ("P", "B", "en", 5, 5),
        ],
        columns=["project", "pool", "language", "cost", "labels"],
    ).assign(week=pd.Timestamp("2026-03-02"))
    found = cost_quality._in_language(rows).groupby(["pool", "language"])[["cost", "labels"]].sum()
    assert found.loc[("A", "en"), "cost"] == pytest.approx(66) and found.loc[("A", "th"), "cost"] == pytest.approx(12)
    assert found["cost"].sum() == rows["cost"].sum() and found["labels"].sum() == rows["labels"].sum()


@pytest.mark.parametrize(
    ("value", "said"), [(0.002, "make 0.2 points more of"), (0.0003, "less than a tenth of a point"), (-0.013, "fewer")]
)
def test_a_fraction_of_a_point_is_not_less_than_a_tenth(value, said):
    row = {"value": value, "low": value - 1e-4, "high": value + 1e-4}
    assert said in move_words._right(row).replace("\u00a0", " ")


def test_handle_times_of_two_bases_are_not_added(snapshot, monkeypatch):
    """The main basis is that of most timed work of the project; judgements timed otherwise count as untimed."""
    bases = pd.DataFrame(
        [("P", "active", 30.0), ("P", "wall", 10.0), ("Q", "wall", 5.0)], columns=["project", "time_basis", "handle_n"]
    )
    work = pd.DataFrame(
        [("P", "A", "active", 30, 30.0, 300.0), ("P", "A", "wall", 10, 10.0, 9000.0), ("Q", "A", "wall", 5, 5.0, 50.0)],
        columns=["project", "pool", "time_basis", "judgements", "handle_n", "handle_sum_seconds"],
    )
    monkeypatch.setattr(
        data, "sums", lambda s, mart, columns, by, f: (work if "pool" in by else bases)[[*by, *columns]]
    )
    st.cache_data.clear()
    found = costs.timed_work(snapshot, ("judgements", "handle_n", "handle_sum_seconds"), ("project", "pool"), Filters())
    found = found.set_index("project")
    assert found.loc["P"].tolist()[1:] == [40, 30, 300] and found.loc["Q"].tolist()[1:] == [5, 5, 50]
    st.cache_data.clear()


def test_without_shifts_a_move_says_that_capacity_is_not_known(snapshot, filters, found, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setattr(cost_quality_moves, "_capacity", lambda *_: None)
    pools = list(found.of("P01")["pool"])
    answer = cost_quality_moves.move(snapshot, filters, GOLD, "P01", pools[0], pools[1], 0.1, 0.85)
    effects = answer.found.effects.set_index("effect")
    assert "shifts" in effects.loc["load of the target", "reason"]
    assert not math.isnan(effects.loc["cost a week", "value"])
    assert "daily capacity" in effects.loc["SLA of the queue", "reason"]
    assert "keep up" not in move_words.move(answer, 0.1, "x", "USD")
    st.cache_data.clear()


def test_two_pools_are_needed(snapshot, filters):
    one = filters.with_("pool", "POOL-01")
    assert "one pool" in cost_quality_moves.move(snapshot, one, GOLD, "P01", "POOL-01", "POOL-02", 0.1, 0.85).reason


def test_no_costs_is_said(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setattr(costs, "loaded", lambda *_: False)
    assert "load the table costs" in cost_quality.frontiers(snapshot, filters, GOLD).reason
    st.cache_data.clear()


def test_small_groups_are_left_out_for_a_stakeholder(snapshot, filters, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setattr(data, "current_scope", lambda: replace(Scope.stakeholder(), minimum_items=10**9))
    assert cost_quality.frontiers(snapshot, filters, GOLD).rows.empty
    st.cache_data.clear()


def test_pools_with_too_few_raters_are_withheld_from_a_stakeholder(snapshot, filters, found, monkeypatch):
    st.cache_data.clear()
    everyone = set(zip(found.rows["project"], found.rows["pool"], strict=True))
    raters = data.privacy.raters_behind(snapshot, ("project", "pool"), filters, Scope.everything())
    least = sorted(raters[key] for key in everyone)[len(everyone) // 2]
    scope = replace(Scope.stakeholder(), minimum_raters=least, minimum_items=0)
    monkeypatch.setattr(data, "current_scope", lambda: scope)
    shown = cost_quality.frontiers(snapshot, filters, GOLD).rows
    left = set(zip(shown["project"], shown["pool"], strict=True))
    small = {key for key in everyone if raters[key] < least}
    assert small and left == everyone - small
    assert not (set(zip(shown["project"], shown["dominated_by"], strict=True)) & small)
    withheld = cost_quality.frontiers(snapshot, filters, GOLD).withheld
    assert withheld == {q: sum(p == q for p, _ in small) for q in {p for p, _ in small}}
    project, pool = sorted(small)[0]
    rest = [p for q, p in sorted(left) if q == project]
    answer = cost_quality_moves.move(snapshot, filters, GOLD, project, pool, (rest or ["x"])[0], 0.1, 0.85)
    assert answer.found is None and answer.reason
    st.cache_data.clear()


def test_what_is_withheld_is_counted_in_words():
    scope = Scope.stakeholder()
    said = words.withheld(3, "pool", replace(scope, minimum_items=0))
    assert said == "3 pools are not shown: fewer than 5 raters. "
    assert words.withheld(1, "pool", scope) == "1 pool is not shown: fewer than 5 raters or 20 labels. "
    assert words.withheld(0, "pool", scope) == ""


def test_a_pool_s_other_work_comes_as_its_items_do():
    """100 s an item of A, as 3,000 s were spent on 30 decided; of B none was decided: what came is what was done."""
    days = pd.date_range("2026-03-02", periods=3)
    work = pd.DataFrame({"queue": ["A", "A", "B"], "day": days, "seconds": [1000.0, 2000.0, 70.0]})
    flow = pd.DataFrame({"queue": "A", "day": days, "created": [5, 0, 50], "closed": [10, 20, 0]})
    came = cost_quality_moves._others(work, flow, days)
    assert came.tolist() == [500, 0, 5070]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((-0.012, -0.03, -0.001), "lower its SLA attainment by 1.2 points (−3.0 to −0.1)"),
        ((0.0, 0.0, 0.0), "leave its SLA attainment as it is"),
        ((-0.0001, -0.02, 0.0), "hardly change its SLA attainment (−2.0 to 0)"),
    ],
)
def test_the_sla_in_words(row, said):
    written = move_words._sla(dict(zip(("value", "low", "high"), row, strict=True)))
    assert written.replace(" ", " ").replace(".0 ", " ") == said.replace(".0 ", " ")


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_charts_are_valid(snapshot, filters, found, colours):
    rows = found.of("P01").copy()
    rows.loc[rows.index[0], "label"] = "![x](y) <img src=1> 'datum' \"double\""
    answer = cost_quality.raters(snapshot, filters, "P01", 0.0)
    for spec, said in (
        charts.frontier(rows, "P", colours, "USD"),
        charts.frontier(rows.iloc[:0], "P", colours, "USD"),
        charts.ratings(answer.curve, answer.plans, True, colours, "USD"),
        charts.ratings(answer.curve, pd.DataFrame(), False, colours, "USD"),
    ):
        alt.LayerChart.from_dict(spec, validate=True)
        assert said


@pytest.mark.parametrize(("p", "said"), [(0.999, "over 99 %"), (0.001, "under 1 %"), (0.5, "50 %")])
def test_probabilities(p, said):
    assert words.probability(p).replace("\u00a0", " ") == said
