"""The rater pages: from pools to a pool's raters to one rater, by links; each stands when something fails."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from data_access.filters import Filters, Scope
from metrics import skill
from ui import data, profile_panels, rater_errors, raters
from ui.filter_bar import token
from ui.rater_profile import Coaching

QUALITY, PROFILE = "rater_quality.py", "rater_profile.py"


def sound(at: AppTest) -> bool:
    return not at.exception and not at.error


def charts_of(at: AppTest) -> list[str]:
    """The specifications of the charts drawn."""
    return [chart.proto.spec for chart in at.get("vega_lite_chart")]


def select_first(at: AppTest, table: str, **where: list[str]) -> None:
    """Selects the first row of a table drawn for these filters over the half year."""
    mark = token(Filters.of(where, dt.date(2026, 5, 18), dt.date(2026, 11, 15)))
    at.session_state[f"{table} {mark}"] = {"selection": {"rows": [0], "columns": [], "cells": []}}


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The sample's snapshot; the warehouse is not reached unless a test asks for it."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")


@pytest.fixture
def warehouse(monkeypatch, sample_warehouse):
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{sample_warehouse}")


@pytest.mark.parametrize("metric", ["gold_accuracy", "audit_accuracy"])
def test_pools_stand_against_the_target(metric, opened):
    at = opened(QUALITY, metric=metric, from_="2026-05-18", to="2026-11-15")
    assert sound(at)
    assert "pool" in at.title[0].value
    assert at.query_params["metric"] == metric
    assert len(at.dataframe) == 1 and len(at.dataframe[0].value) == 14


def test_a_misspelt_measure_is_told(opened, text):
    at = opened(QUALITY, metric="gold_acuracy")
    assert sound(at) and "gold_acuracy" in text(at)


def test_selecting_a_pool_opens_its_raters_with_the_filters_carried(opened):
    at = opened(QUALITY, from_="2026-05-18", to="2026-11-15", project="P01")
    select_first(at, "pool table gold_accuracy", project=["P01"])
    at.run()
    assert sound(at)
    assert at.query_params["project"] == "P01" and at.query_params["pool"].startswith("POOL-")
    assert "too close to call" in at.title[0].value


def test_the_raters_of_a_pool_in_three_groups_with_their_workload(opened):
    at = opened(QUALITY, pool="POOL-09", from_="2026-07-20", to="2026-09-20")
    assert sound(at)
    assert "too close to call" in at.title[0].value
    table = at.dataframe[0].value
    rows = raters.raters(
        data.current_snapshot(),
        Filters.of({"pool": ["POOL-09"]}, dt.date(2026, 7, 20), dt.date(2026, 9, 20)),
        "POOL-09",
    ).rows
    assert len(table) == len(rows) > 0 and set(table["alias"]) == set(rows["alias"])
    assert table["judgements"].sum() == rows["judgements"].sum()
    for name in raters.GROUPS:
        assert table["standing"].str.endswith(name).sum() == (rows["group"] == name).sum()
    close = int((rows["group"] == skill.CANNOT_TELL).sum())
    assert f"{close} are too close to call" in at.title[0].value.replace("\u00a0", " ")
    # Who cannot be told has gold to settle, or lies too close; who can has none.
    told = ~table["standing"].str.endswith(skill.CANNOT_TELL)
    assert (table.loc[told, "settle"] == "").all() and (table.loc[~told, "settle"] != "").all()


def test_the_three_who_do_not_read_stand_out_on_the_page_and_in_what_it_says(monkeypatch, whole_snapshot, opened, text):
    """EV04, on the whole sample: the table calls these three and nobody else, and no sentence counts them as others."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    at = opened(QUALITY, pool="POOL-09", from_="2026-07-20", to="2026-09-20")
    assert sound(at)
    table = at.dataframe[0].value
    called = table[table["unread"] != ""]
    assert set(called["alias"]) == {"Rater 0243", "Rater 0035", "Rater 0273"}
    assert called["unread"].str.contains("likely").all() and called["standing"].str.endswith(skill.BELOW).all()
    said = text(at)
    assert "Three give labels no better than blind ones" in said
    assert "Without the 3 raters whose labels look unread, the main confusion" in said
    assert "calibrate the people" not in said
    assert "Without the 3 raters whose labels look unread, whether slower work" in said
    at = opened(PROFILE, rater="R-0243", from_="2026-07-20", to="2026-09-20")
    assert sound(at) and "In this pool, without the 3 raters whose labels look unread" in text(at)


def test_a_mistranslated_clause_is_put_on_the_guideline(monkeypatch, whole_snapshot, opened, text):
    """EV01, on the whole sample, over the weeks the page opens with."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    for pool in ("POOL-05", "POOL-06"):
        at = opened(QUALITY, pool=pool)
        assert sound(at)
        said = text(at)
        assert "allow labelled remove (mostly harassment in id)" in said
        assert "look at how the guideline reads in that language" in said and "calibrate the people" not in said


def test_gold_that_looks_wrong_is_told_or_the_way_to_it(monkeypatch, whole_sample, whole_snapshot, opened, text):
    """EV06, on the whole sample; without the warehouse the line alone."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    gone = "duckdb:///nowhere/gone.duckdb"
    for url, expected in ((gone, "cannot be shown"), (f"duckdb:///{whole_sample}", "Without them")):
        monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", url)
        data.st.cache_data.clear()
        at = opened(QUALITY, pool="POOL-13", from_="2026-08-03", to="2026-09-06")
        next(b for b in at.button if "gold" in b.label).click()
        at.run()
        assert sound(at)
        assert expected in text(at)
        assert ("gold items look wrong (Claim support check)" in text(at)) == (url != gone)


def test_a_rater_s_row_opens_the_profile(opened):
    at = opened(QUALITY, pool="POOL-09", from_="2026-05-18", to="2026-11-15")
    select_first(at, "rater table", pool=["POOL-09"])
    at.run()
    assert sound(at)
    assert at.query_params["rater"].startswith("R-") and at.query_params["from"] == "2026-05-18"
    assert "Rater" in at.title[0].value and "Da Nang day" in at.title[0].value


@pytest.mark.parametrize("params", [{"pool": "POOL-09"}, {}])
def test_stakeholders_see_pools_and_no_rater(monkeypatch, params, opened, text, forgetful):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    at = opened(QUALITY, from_="2026-05-18", to="2026-11-15", **params)
    assert sound(at)
    assert "R-0" not in text(at) and "Rater 0" not in text(at)
    assert "shown only to those who manage them" in text(at)
    assert not any("shift" in b.label for b in at.button)


def test_stakeholders_see_no_profile(monkeypatch, opened, forgetful):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    at = opened(PROFILE, rater="R-0243")
    assert sound(at)
    assert "shown only to those who manage them" in at.title[0].value
    assert not at.dataframe


@pytest.mark.parametrize("where", [{"content_type": "text"}, {"rater": "R-0243"}, {"stage": "review"}])
def test_filters_that_a_part_does_not_keep_leave_the_others_standing(where, opened):
    at = opened(QUALITY, from_="2026-05-18", to="2026-11-15", **where)
    assert sound(at)


def test_filters_that_match_nothing(opened, text):
    for page, more in ((QUALITY, {}), (PROFILE, {"rater": "R-0243"})):
        at = opened(page, project="P01", pool="POOL-13", language="th", policy="spam", **more)
        assert sound(at)
        assert "cannot be shown" in text(at)


def test_the_profile_without_a_rater_says_what_it_would_show(opened, text):
    at = opened(PROFILE)
    assert sound(at)
    assert "Choose one rater" in at.title[0].value and "coaching" in text(at)
    assert sound(opened(PROFILE, rater=["R-0243", "R-0035"]))
    assert sound(opened(PROFILE, rater="nobody"))


@pytest.mark.parametrize("grain", ["month", "week"])
def test_the_profile_stands_without_the_warehouse(grain, opened, text, forgetful):
    at = opened(PROFILE, rater="R-0243", from_="2026-05-18", to="2026-11-15", grain=grain)
    assert sound(at)
    assert "Rater 0243 of Da Nang day" in at.title[0].value
    assert "What would help" in text(at)
    assert "Errors since hire cannot be shown" in text(at) or any("Errors since hire" in c for c in charts_of(at))
    next(b for b in at.button if "coach" in b.label).click()
    at.run()
    assert sound(at)
    assert "What to coach on cannot be shown" in text(at)


def test_coaching_shows_items_from_the_warehouse(monkeypatch, whole_sample, whole_snapshot, opened, text):
    """EV04, on the whole sample: harm labelled benign costs most, and its items are shown."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{whole_sample}")
    at = opened(PROFILE, rater="R-0243", from_="2026-07-20", to="2026-09-20")
    next(b for b in at.button if "coach" in b.label).click()
    at.run()
    assert sound(at)
    assert "Most costly: harmful labelled benign" in text(at)
    items = at.dataframe[0].value
    assert (items["label"] == "benign").all() and (items["gold_label"] == "harmful").all() and len(items) > 1


def test_projects_whose_matrix_is_not_drawn_are_named(monkeypatch, opened, text, forgetful):
    def of_three_projects(snapshot, filters, rater):
        one = rater_errors.matrix_of(snapshot, "P01", ["benign"], ["harmful"], np.array([9.0]))
        return Coaching([], [], [replace(one, project=p) for p in ("P01", "P02", "P03")], 27, since=filters.start)

    monkeypatch.setattr(profile_panels.rater_profile, "coaching", of_three_projects)
    at = opened(PROFILE, rater="R-0243", from_="2026-05-18", to="2026-11-15")
    next(b for b in at.button if "coach" in b.label).click()
    at.run()
    assert sound(at)
    assert sum("Which labels are mistaken for which" in spec for spec in charts_of(at)) == 2
    assert "One more project has gold of this rater: " in text(at)


def test_the_shift_fails_alone_and_works_with_the_warehouse(monkeypatch, whole_sample, whole_snapshot, opened, text):
    """EV07, on the whole sample: errors rise through the night shift without its second break."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    name = "Hyderabad night"
    for url, expected in (("duckdb:///nowhere/gone.duckdb", "cannot be shown"), (f"duckdb:///{whole_sample}", name)):
        monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", url)
        data.st.cache_data.clear()
        at = opened(QUALITY, from_="2025-12-30", to="2026-03-02")
        next(b for b in at.button if "shift" in b.label).click()
        at.run()
        assert sound(at)
        assert expected in text(at)
        assert ("errors rise by" in text(at)) == (expected == name)
