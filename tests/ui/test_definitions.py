"""The two pages made from the catalogue and the checks: links, search, SQL on demand, no snapshot, no rows."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from metrics.catalogue import METRICS

PAGES = Path(__file__).resolve().parents[2] / "pages"


def _as_app_runs_it(path: str) -> None:
    import runpy

    from ui.route import inside_app

    with inside_app():
        runpy.run_path(path)


@pytest.fixture
def page(sample_snapshot, monkeypatch):
    """Opens a page of the sample, or of another snapshot, with URL parameters."""
    st.cache_resource.clear()

    def opened(name: str, snapshot: Path = sample_snapshot, **params: str) -> AppTest:
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(snapshot))
        at = AppTest.from_function(_as_app_runs_it, args=(str(PAGES / f"{name}.py"),), default_timeout=60)
        for key, value in params.items():
            at.query_params[key] = value
        at.run()
        assert not at.exception
        return at

    return opened


def test_every_metric_is_listed_and_none_is_built_before_it_is_opened(page):
    at = page("definitions")
    assert len(at.expander) == len(METRICS)
    assert str(len(METRICS)) in at.title[0].value
    assert not at.toggle and not at.code


@pytest.mark.parametrize("name", sorted({m.mart: m.name for m in METRICS.values()}.values()))
def test_a_link_opens_its_metric_first(page, name):
    at = page("definitions", metric=name)
    assert METRICS[name].label.split()[0] in at.expander[0].label.replace("\\", "")
    assert [t.key for t in at.toggle] == [f"sql_{name}"]


def test_the_sql_is_shown_on_demand_in_the_dialect_asked_for(page):
    at = page("definitions", metric="gold_accuracy")
    at.toggle(key="sql_gold_accuracy").set_value(True).run()
    assert [c.language for c in at.code] == ["sql", "sql"]
    assert "gold_correct" in at.code[0].value and "GROUP BY" in at.code[0].value


def test_a_link_to_no_metric_is_said_and_all_are_shown(page):
    at = page("definitions", metric="gold_acuracy")
    assert "gold" in at.warning[0].value and len(at.expander) == len(METRICS)


def test_markdown_in_a_link_stays_text(page):
    at = page("definitions", metric="![x](http://evil)")
    assert "![x](" not in at.warning[0].value


def test_a_search_narrows_the_list_and_the_heading(page):
    at = page("definitions")
    at.text_input(key="search").set_value("leakage").run()
    assert 0 < len(at.expander) < len(METRICS)
    at.text_input(key="search").set_value("no such word").run()
    assert at.title[0].value == "No metric matches this search."
    assert not at.expander


def test_the_definitions_stand_without_a_snapshot(page, tmp_path):
    at = page("definitions", snapshot=tmp_path / "none.duckdb", metric="gold_accuracy")
    assert len(at.expander) == len(METRICS)
    assert not any("Target in force" in m.value for m in at.markdown)


def test_data_health_answers_first(page):
    at = page("data_health")
    assert at.title[0].value.startswith(("The numbers", "Some numbers"))
    assert [d.value.columns[0] for d in at.dataframe][:2] == ["project", "table_name"]
    assert len(at.download_button) >= 2


@pytest.mark.parametrize("grain", ["week", "day"])
def test_the_reconciliation_is_shown_by_week_and_day(page, grain):
    at = page("data_health")
    at.segmented_control(key="reconcile_by").set_value(grain).run()
    assert not at.exception
    assert (at.dataframe[0].value["difference"] == 0).all()


def test_data_health_without_rows_says_what_to_load(page, empty_snapshot):
    at = page("data_health", snapshot=empty_snapshot)
    assert at.title[0].value == "There is no work to check yet."
    assert "manage.py load" in at.info[0].value
