"""The productivity and queue pages: findings, drill-downs with filters carried, what-ifs in the URL, missing tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_access.filters import Scope
from ui import data, queue
from ui.filter_bar import token

ROOT = Path(__file__).resolve().parents[2]
PRODUCTIVITY, QUEUE = "productivity.py", "queue_and_capacity.py"
PERIOD = {"from_": "2026-08-17", "to": "2026-11-15"}


def opened(page: str, **params) -> AppTest:
    """The page as app.py shows it to a reader with this URL."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in params.items():
        at.query_params[name.rstrip("_")] = value
    at.switch_page(f"pages/{page}")
    return at.run()


def text(at: AppTest) -> str:
    """All that the page says."""
    parts = [*at.title, *at.subheader, *at.markdown, *at.caption, *at.info, *at.warning, *at.error]
    return "\n".join(str(p.value) for p in parts).replace("\\", "").replace("\u00a0", " ")


def sound(at: AppTest) -> bool:
    return not at.exception and not at.error


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")


def without(monkeypatch, *marts: str):
    """As if these marts had no rows."""
    real = data.sums

    def fewer(snapshot, mart, *args, **more):
        rows = real(snapshot, mart, *args, **more)
        return rows.iloc[:0] if mart in marts else rows

    monkeypatch.setattr(data, "sums", fewer)


# ---- productivity ----------------------------------------------------------------------------------------------


def test_speed_is_never_said_without_accuracy():
    at = opened(PRODUCTIVITY, **PERIOD)
    assert sound(at)
    assert "Handle time" in at.title[0].value and "accuracy" in at.title[0].value


@pytest.mark.parametrize("look", ["table", "rework", "hours", "ramp"])
@pytest.mark.parametrize("where", [{}, {"pool": "POOL-07"}, {"project": "P06"}, {"stage": "review"}])
def test_each_section_stands_under_filters(look, where):
    at = opened(PRODUCTIVITY, look=look, **PERIOD, **where)
    assert sound(at) and at.query_params["look"] == look


def test_a_pool_s_row_opens_the_pool_with_the_filters_carried():
    at = opened(PRODUCTIVITY, project="P01", **PERIOD)
    shown = at.dataframe[0].value
    assert {"label", "handle_time_log_mean_seconds", "gold_accuracy"} <= set(shown.columns)
    mark = token(read_filters(project=["P01"]))
    at.session_state[f"productivity table {mark}"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert sound(at)
    assert at.query_params["project"] == "P01" and at.query_params["pool"].startswith("POOL-")
    assert at.query_params["from"] == "2026-08-17"


def test_work_that_is_timed_in_another_way_has_its_own_times():
    at = opened(PRODUCTIVITY, project="P08", **PERIOD)
    assert sound(at) and "no number" not in at.title[0].value
    assert "Times are lead time" in text(at)


def test_the_price_of_hiring_stands_in_the_link():
    at = opened(PRODUCTIVITY, look="ramp", hiring="500", **PERIOD)
    assert sound(at)
    assert any(n.label.startswith("Hiring") and n.value == 500 for n in at.number_input)
    at = opened(PRODUCTIVITY, look="ramp", hiring="much", **PERIOD)
    assert sound(at) and "much" in text(at)


def test_filters_that_match_nothing_say_so():
    at = opened(PRODUCTIVITY, project="P01", pool="POOL-13", language="th", policy="spam")
    assert sound(at) and "no number" in at.title[0].value and "cannot be shown" in text(at)


def test_stakeholders_see_no_new_raters(monkeypatch, forgetful):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    at = opened(PRODUCTIVITY, look="ramp", **PERIOD)
    assert sound(at) and "single raters are not shown" in text(at)


# ---- queue -----------------------------------------------------------------------------------------------------


def test_the_queue_says_how_likely_it_misses():
    at = opened(QUEUE, queue="P04", **PERIOD)
    assert sound(at)
    assert "At today's staffing" in at.title[0].value and "probability" in at.title[0].value
    assert "MASE" in text(at) and "Assumes the roster" in text(at)
    assert len(at.dataframe) == 1


def test_what_if_stands_in_the_link_and_is_answered():
    at = opened(QUEUE, queue="P04", added="3", utilisation="70", ahead="7", **PERIOD)
    assert sound(at)
    said = text(at)
    assert "3 more raters" in said and "70 % utilisation" in said
    assert at.query_params["added"] == "3"
    next(b for b in at.button if b.label == "As it is today").click()
    at.run()
    assert sound(at) and at.query_params["added"] == "0" and "utilisation" not in at.query_params


def test_a_what_if_that_cannot_be_is_told():
    at = opened(QUEUE, hours="x", added="-3", **PERIOD)
    assert sound(at) and len(at.warning) == 1
    assert "paid hours a day" in text(at) and "added raters" in text(at)


def test_a_filter_by_pool_leaves_the_queue_whole_and_says_so():
    at = opened(QUEUE, pool="POOL-07", **PERIOD)
    assert sound(at) and "carry no pool" in text(at)


def test_a_queue_s_row_opens_it():
    at = opened(QUEUE, queue="P04", **PERIOD)
    at.session_state[f"queues {token(read_filters())} P04"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    at.run()
    assert sound(at) and at.query_params["queue"].startswith("P")


def test_no_items_no_queue():
    at = opened(QUEUE, project="P01", language="ja", policy="nudity")
    assert sound(at) and at.title


def test_without_shifts_capacity_is_the_work_done(monkeypatch, forgetful):
    without(monkeypatch, "shift")
    at = opened(QUEUE, queue="P04", **PERIOD)
    assert sound(at) and "No shifts are loaded" in text(at)


def test_without_costs_it_says_what_to_load(monkeypatch, forgetful):
    without(monkeypatch, "ledger")
    at = opened(QUEUE, queue="P04", **PERIOD)
    assert sound(at) and "load costs" in text(at).replace("`", "")


def test_too_short_a_history_says_why(monkeypatch):
    at = opened(QUEUE, queue="P04", from_="2025-05-19", to="2025-06-15")
    assert sound(at) and "fewer than" in at.title[0].value


def test_stakeholders_see_the_queue(monkeypatch, forgetful):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    assert sound(opened(QUEUE, queue="P04", **PERIOD))
    without(monkeypatch, "shift")
    data.st.cache_data.clear()
    assert sound(opened(QUEUE, queue="P04", **PERIOD))


def read_filters(**where: list[str]):
    """The filters of PERIOD."""
    import datetime as dt

    from data_access.filters import Filters

    return Filters.of(where, dt.date(2026, 8, 17), dt.date(2026, 11, 15))


def test_the_queue_module_forecasts_from_the_period_s_end(sample_snapshot):
    snapshot = data.current_snapshot()
    found = queue.outlook(snapshot, read_filters(project=["P04"]), queue.Ask())
    assert str(found.first) == "2026-11-16"
