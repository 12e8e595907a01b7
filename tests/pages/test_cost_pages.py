"""The two cost pages as a reader meets them: links, controls, clicks, and what stands when tables are missing."""

from __future__ import annotations

import pytest

from tests.pages.test_pages import opened, text
from ui import costs
from ui.filter_bar import token

COSTS, QUALITY = "costs.py", "cost_and_quality.py"
YEAR = {"from_": "2025-11-17", "to": "2026-11-15"}  # gold enough for every pool of the small sample


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The sample's snapshot; the warehouse is gone."""
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))


def shown(page: str, **params):
    at = opened(page, **params)
    assert not at.exception and not at.error
    return at


def title(at) -> str:
    return at.title[0].value.replace("\\", "").replace("\u00a0", " ")


def param(at, name: str) -> str:
    value = at.query_params[name]
    return value[0] if isinstance(value, list) else value


def test_the_sentence_says_what_a_correct_label_cost():
    at = shown(COSTS)
    assert title(at).startswith("A correct label cost $")
    assert "the parts sum to the change" in text(at)
    assert len(at.dataframe) == 1 and len(at.get("vega_lite_chart")) == 4


def test_the_overrun_is_named():
    at = shown(COSTS, from_="2026-05-09", to="2026-06-11", project="P10")
    assert "cost an hour at Bangkok night (Dialogue grading)" in title(at)
    assert "cost of an accepted label" in text(at)  # preferences have no right answer


@pytest.mark.parametrize(
    ("look", "says"),
    [("kinds", "were spent"), ("poor", "Poor quality cost"), ("budget", "budgeted to"), ("units", "dated change")],
)
def test_each_section(look, says):
    at = shown(COSTS, look=look, from_="2026-05-04", to="2026-08-02")
    said = "\n".join([text(at), *(e.label for e in at.expander)])
    assert says in said


@pytest.mark.parametrize("of", ["unit", "total"])
@pytest.mark.parametrize("unit", list(costs.METRIC))
@pytest.mark.parametrize("by", costs.GROUPS)
def test_every_choice_has_its_page(unit, of, by):
    at = shown(COSTS, unit=unit, of=of, by=by, quality="audit_accuracy")
    assert "$" in title(at) and not at.warning


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"unit": "corect"}, "There is no unit"),
        ({"of": "sum"}, "There is no bridge"),
        ({"by": "rater"}, "There is no breakdown"),
        ({"look": "here"}, "There is no section"),
        ({"harm": "much"}, "not “much”. Shown is 1"),
        ({"harm": "-1"}, "not “-1”"),
        ({"harm": "nan"}, "a number from 0"),
        ({"appeal": "inf"}, "a number from 0"),
    ],
)
def test_a_wrong_setting_is_told_and_the_default_shown(params, said):
    at = shown(COSTS, **params)
    assert len(at.warning) == 1 and said in text(at)


def test_an_assumption_changes_the_page_and_the_url():
    at = shown(COSTS, look="poor")
    next(n for n in at.number_input if n.label.startswith("An escaped error")).set_value(4.0).run()
    assert param(at, "harm") == "4"
    assert "at the supposed $4.00" in text(at).replace("\xa0", " ")


def test_a_driver_opens_its_place():
    at = shown(COSTS, from_="2026-05-09", to="2026-06-11", unit="accepted")
    key = f"drivers accepted unit gold_accuracy {token(at.session_state['filters in force'])}"
    at.session_state[key] = {"selection": {"cell": [{"place": 0}]}}
    at.run()
    assert not at.exception and not at.error
    assert param(at, "project")


def test_a_row_opens_its_group():
    at = shown(COSTS)
    key = f"cost table correct project {token(at.session_state['filters in force'])}"
    at.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert not at.exception and not at.error
    assert param(at, "project") and param(at, "by") == "pool"


@pytest.mark.parametrize("page", [COSTS, QUALITY])
def test_without_costs_the_page_says_what_to_load(page, monkeypatch, forgetful):
    monkeypatch.setattr(costs, "loaded", lambda *_: False)
    at = shown(page)
    assert "load the table costs" in text(at)


@pytest.mark.parametrize("page", [COSTS, QUALITY])
@pytest.mark.parametrize(
    "params",
    [
        {"project": "P01", "pool": "POOL-13", "language": "th", "policy": "spam"},
        {"project": "P01", "pool": "POOL-13"},
        {"project": "P09"},
        {"pool": "POOL-08"},
        {"language": "th"},
        {"from_": "2025-05-19", "to": "2025-05-25"},
        {"from_": "2026-11-10", "to": "2026-11-10"},
        {"from_": "2026-12-20", "to": "2026-12-24"},
    ],
)
def test_narrow_views_stand(page, params):
    shown(page, **params)


def test_filters_that_match_nothing_say_so():
    for page in (COSTS, QUALITY):
        assert "cannot be shown" in text(shown(page, project="P01", pool="POOL-13", language="th", policy="spam"))


def test_cost_and_quality_opens_with_a_finding_and_settles_its_url():
    at = shown(QUALITY, **YEAR)
    assert title(at).startswith("On ")
    assert {"of", "source", "target", "share", "harm", "alike", "usable", "quality"} <= set(at.query_params)
    said = text(at)
    assert "one rating is right on" in said and "Moving 10" in said and "Supposed:" in said
    assert not at.warning


def test_a_link_to_a_move_is_honoured():
    at = shown(QUALITY, of="P01", source="POOL-05", target="POOL-06", share="25")
    said = text(at).replace("\u00a0", " ")
    assert "Moving 25 % of Jakarta day's work on Comment moderation in id to Jakarta evening" in said
    assert not at.warning


def test_where_no_two_pools_share_a_language_the_page_says_so():
    at = shown(QUALITY, of="P04", **YEAR)
    assert "No two pools share a language on" in title(at)
    assert "no two pools share a language on it" in text(at) and "Moving 10" not in text(at)
    assert param(at, "of") == "P04" and not at.warning


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"of": "P99"}, "There is no project with pools here"),
        ({"of": "P01", "source": "POOL-99"}, "There is no pool on this project"),
        ({"of": "P01", "source": "POOL-01", "target": "POOL-99"}, "There is no other pool"),
        ({"of": "P01", "source": "POOL-09"}, "There is no pool with another in its language on this project"),
        ({"of": "P01", "source": "POOL-05", "target": "POOL-09"}, "There is no other pool in its language"),
        ({"share": "200"}, "a number from 0 to 100"),
        ({"alike": "x"}, "Shown is 0"),
    ],
)
def test_a_wrong_wish_is_told(params, said):
    at = shown(QUALITY, **params)
    assert said in text(at)


def test_another_project_drops_the_pools_of_the_first():
    at = shown(QUALITY, of="P01", source="POOL-05", target="POOL-06")
    at.selectbox[0].set_value("P02").run()
    assert not at.exception and not at.error and not at.warning
    assert param(at, "of") == "P02" and param(at, "source") != "POOL-05"


def test_a_click_on_a_pool_opens_its_costs():
    at = shown(QUALITY, of="P01", **YEAR)
    key = f"frontier P01 gold_accuracy {token(at.session_state['filters in force'])}"
    at.session_state[key] = {"selection": {"cell": [{"member": "POOL-05"}]}}
    at.run()
    assert not at.exception and not at.error
    assert param(at, "pool") == "POOL-05" and param(at, "project") == "P01"
