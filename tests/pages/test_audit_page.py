"""The audit planner as a reader meets it: links, controls, clicks, and what stands when the warehouse does not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from data_access import drill
from data_access.filters import Scope
from data_access.settings import Settings
from metrics.errors import WarehouseUnavailable
from tests.pages.test_pages import opened, text
from ui import audit_planner, data
from ui.audit_planner import Ask
from ui.filter_bar import token

PAGE = "audit_planner.py"


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The sample's snapshot; the warehouse is gone unless a test names one."""
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))


def shown(**params):
    at = opened(PAGE, **params)
    assert not at.exception and not at.error
    return at


def title(at) -> str:
    return at.title[0].value.replace("\\", "").replace("\u00a0", " ")


def test_the_sentence_says_what_the_next_audits_buy_and_where_most_go():
    at = shown()
    assert title(at).startswith("The next 500 audits ")
    assert " belong to " in title(at)
    said = text(at)
    assert "Assumes: " in said and "Dialogue grading" in said
    assert "Audit **97** of a batch of 1,000" in said and "fixed test takes **78**" in said
    assert len(at.dataframe) == 1 and len(at.get("vega_lite_chart")) >= 4


def test_gold_exposure_is_shown_by_pool_against_its_band():
    charts = [chart.proto for chart in shown().get("vega_lite_chart")]
    (exposure,) = [chart for chart in charts if "Gold exposure" in chart.spec]
    rows = pa.ipc.open_stream(exposure.data.data).read_all()
    assert any(str(value).startswith("POOL-") for column in rows.to_pydict().values() for value in column)


def test_a_deep_link_is_honoured_and_the_url_names_every_setting():
    at = shown(project="P01", audits="120", of="gold", aim="violating", strata="policy_language", floor="0")
    assert "The next 120 gold judgements" in title(at)
    assert set(at.query_params) >= {
        *("audits", "of", "aim", "strata", "floor", "lot", "acceptable", "limit", "good", "bad"),
        *("from", "to", "project"),
    }
    assert not at.warning


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"audits": "many"}, "not “many”. Shown is 500"),
        ({"audits": "0"}, "whole number from 1 to 100,000"),
        ({"floor": "2.5"}, "whole number from 0 to 1,000"),
        ({"audits": "nan"}, "whole number"),
        ({"limit": "inf"}, "number from 0.5 to 99"),
        ({"acceptable": "30", "limit": "20"}, "must lie below"),
        ({"good": "70", "bad": "80"}, "must lie below"),
        ({"of": "golf"}, "nearest is “Gold”"),
        ({"aim": "harm"}, "There is no aim"),
        ({"strata": "project_polcy"}, "There is no split"),
    ],
)
def test_a_wrong_setting_is_told_and_the_default_shown(params, words):
    at = shown(**params)
    assert len(at.warning) == 1
    assert words in text(at)


def test_filters_that_match_nothing_say_so_and_the_tests_stand():
    at = shown(project="P01", pool="POOL-13", language="th", policy="spam")
    assert "cannot be shown" in text(at)
    assert title(at).startswith("There is nothing to plan here")
    assert "fixed test takes" in text(at)


def test_preferences_are_not_audited():
    at = shown(project="P09")
    assert "preferences have no right answer" in title(at)


def test_a_number_changes_the_plan_and_the_url():
    at = shown()
    next(n for n in at.number_input if n.label == "How many").set_value(900).run()
    assert not at.exception and not at.error
    assert at.query_params["audits"] == "900" or at.query_params["audits"] == ["900"]
    assert "The next 900 audits" in title(at)


def test_each_control_writes_its_parameter():
    at = shown()
    next(s for s in at.selectbox if s.label == "Aim").set_value("severity").run()
    next(n for n in at.number_input if n.label == "Limit, % errors").set_value(25.0).run()
    next(n for n in at.number_input if n.label == "A good rater, % right").set_value(95.0).run()
    at.segmented_control[1].set_value("gold").run()
    assert not at.exception and not at.error
    found = {name: at.query_params[name] for name in ("aim", "limit", "good", "of")}
    assert {k: v[0] if isinstance(v, list) else v for k, v in found.items()} == {
        "aim": "severity",
        "limit": "25",
        "good": "95",
        "of": "gold",
    }


def key_of(at, what: str, **asked) -> str:
    """The key of a chart or table of the page."""
    return f"{what} {token(at.session_state['filters in force'])} {hash(Ask(**asked))}"


def test_a_row_of_the_worklist_opens_a_plan_inside_its_project():
    at = shown()
    at.session_state[key_of(at, "worklist")] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    at.run()
    assert not at.exception and not at.error
    assert at.query_params["strata"] in ("policy_language", ["policy_language"])
    assert at.query_params["project"]


def test_a_click_on_the_finest_stratum_opens_its_kpi():
    at = shown(project="P01")
    at.session_state[key_of(at, "allocation")] = {"selection": {"cell": [{"place": 0}]}}
    at.run()
    assert not at.exception and not at.error
    assert at.query_params["metric"] in ("audit_accuracy", ["audit_accuracy"])
    assert {"project", "policy", "language"} <= set(at.query_params)


# ---- live ------------------------------------------------------------------------------------------------------


def look(at):
    return at.button(key="wear look").click().run()


def test_without_the_warehouse_the_page_stands_and_one_sentence_says_why():
    at = look(shown(project="P01"))
    assert not at.exception and not at.error
    assert len(at.info) == 1 and "warehouse" in at.info[0].value
    assert "audits look at" in title(at)


def test_wear_is_read_on_demand(monkeypatch, sample_warehouse):
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{sample_warehouse}")
    calls = []
    real = drill.gold_met
    monkeypatch.setattr(drill, "gold_met", lambda *a, **k: calls.append(a) or real(*a, **k))
    at = shown(project="P01", from_="2025-11-17", to="2026-11-15")
    assert not calls
    look(at)
    assert not at.exception and not at.error and not at.info
    assert len(calls) == 1
    said = text(at)
    assert "of the work of Comment moderation was gold, of a pool of" in said
    assert "raters gold tells" in said


@pytest.mark.parametrize("error", [WarehouseUnavailable("The warehouse took longer than 10 seconds: choose less.")])
def test_a_slow_warehouse_is_one_sentence(monkeypatch, error):
    def slow(settings: Settings, *_args, **_named):
        raise error

    monkeypatch.setattr(drill, "gold_met", slow)
    at = look(shown(project="P03"))
    assert not at.exception and "took longer" in at.info[0].value


def test_a_stakeholder_sees_no_rater_and_no_small_group(monkeypatch):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    monkeypatch.setattr(audit_planner.data, "current_scope", Scope.stakeholder)
    at = shown(project="P01")
    assert "shown to those who manage them" in text(at)
    assert not [b for b in at.button if b.key == "wear look"]
    assert "R-0" not in text(at)
