"""The lineage page as a reader gets it: traced both ways, in the URL, with tables missing and as a stakeholder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from data_access import model_data
from data_access.filters import Scope
from metrics import ladder
from ui import data, lineage

PAGE = "lineage.py"
PERIOD = {"from_": "2026-10-19", "to": "2026-11-15"}


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The small sample's snapshot; the warehouse is gone: the page stands without it."""
    forget()
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))
    yield
    forget()


def forget() -> None:
    """What was kept of other data than a test's own."""
    data.st.cache_data.clear()
    for kept in (data._lineage, lineage.whole, lineage.one):
        kept.clear()


def sound(at: AppTest) -> bool:
    return not at.exception and not at.error


TRACES = ["finding", "versions", "model:agora-comments-020", "batch:B-P01-040", "batch:B-P01-078"]


@pytest.mark.parametrize("trace", TRACES)
def test_every_kind_of_trace_opens_and_claims_no_cause(opened, text, trace):
    at = opened(PAGE, trace=trace, project="P01", **PERIOD)
    assert sound(at) and not at.warning
    assert "of Comment moderation" in at.title[0].value
    assert at.query_params["trace"] in (trace, [trace])
    said = [line for line in text(at).splitlines() if "compared with" not in line]
    assert [(s, w) for s in said if (w := ladder.overclaims(s, ladder.Rung.ASSOCIATION))] == []


@pytest.mark.parametrize("by", ["batch", "pool", "guideline_version", "policy", "language"])
def test_labels_are_traced_back_by_each_breakdown(opened, text, by):
    at = opened(PAGE, trace="model:agora-comments-020", by=by, project="P01", **PERIOD)
    assert sound(at)
    assert "of the labels behind version agora-comments-020" in text(at)


def test_an_incident_opens_its_project_and_its_version(opened, text):
    incident = data.current_snapshot().table("incident").dropna(subset="model_version").iloc[40]
    at = opened(PAGE, trace=f"incident:{incident['incident_id']}", **PERIOD)
    assert sound(at) and not at.warning
    assert incident["summary"] in text(at) and f"Version {incident['model_version']}" in text(at)


def test_a_drop_in_a_policy_opens_the_labels_of_that_policy(opened, text):
    line = lineage.whole(data.current_snapshot())
    rows = line.compared[(line.compared["drop"] != "") & line.compared["policy"].notna()]
    row = rows.iloc[0]
    for by in ("batch", "pool", "guideline_version"):
        at = opened(PAGE, trace=f"drop:{row['drop']}", by=by, **PERIOD)
        assert sound(at) and not at.warning
        said = text(at)
        policy = row["policy"].replace("_", " ")
        assert f"worse ({-100 * row['high']:.1f} to {-100 * row['low']:.1f}) on {row['benchmark']} ({policy})" in said
        assert f"the labels of {policy} behind version {row['model_version']}" in said
        assert ladder.overclaims(at.title[0].value, ladder.Rung.ASSOCIATION) == []


def test_the_trace_is_the_heading_and_the_project_is_named(opened, text):
    at = opened(PAGE, trace="model:agora-comments-020", **PERIOD)
    assert sound(at) and at.title[0].value.replace("\\", "").startswith("Version agora-comments-020 of Comment mod")
    assert "Project shown: Comment moderation." in text(at)


def test_a_batch_still_open_says_so_and_nothing_of_effects(opened, text):
    at = opened(PAGE, trace="batch:B-P01-078", **PERIOD)
    assert "still open" in text(at) and "no effect" not in text(at)


def test_without_a_project_it_opens_with_one_and_its_picker_writes_the_url(opened):
    at = opened(PAGE, **PERIOD)
    assert sound(at) and "project" not in at.query_params
    picker = next(s for s in at.selectbox if s.label == "Project")
    picker.set_value("P03").run()
    assert sound(at) and at.query_params["project"] in ("P03", ["P03"])
    assert "Image" in at.title[0].value or "P03" not in at.title[0].value


def test_a_click_on_a_box_traces_it(opened, text):
    at = opened(PAGE, project="P01", trace="versions", **PERIOD)
    next(s for s in at.selectbox if s.label == "Trace").set_value("model:agora-comments-030").run()
    assert sound(at) and at.query_params["trace"] in ("model:agora-comments-030", ["model:agora-comments-030"])
    assert "What version agora-comments-030 is made of" in text(at)


@pytest.mark.parametrize("trace", ["incident:N-99999", "batch:", "nonsense", "model:<b>"])
def test_a_trace_that_does_not_exist_is_told(opened, text, trace):
    at = opened(PAGE, trace=trace, project="P01", **PERIOD)
    assert sound(at) and len(at.warning) == 1
    assert "to trace here" in text(at)


def test_a_trace_misspelt_is_told_the_nearest(opened, text):
    for trace, nearest in (
        ("batch:B-P01-04", "B-P01-0"),
        ("incident:N-0010", "N-00"),
        ("model:agora-coments-020", "ag"),
    ):
        at = opened(PAGE, trace=trace, project="P01", **PERIOD)
        assert sound(at) and f"the nearest is “{nearest}" in at.warning[0].value.replace("\\", "")


def test_filters_that_do_not_apply_are_named(opened, text):
    at = opened(PAGE, project="P01", pool="POOL-10", language="en", **PERIOD)
    assert sound(at) and "filters on pool and language do not apply here" in text(at)


def test_filters_that_leave_no_project_say_so(opened, text):
    at = opened(PAGE, project="P01", product="Compass", **PERIOD)
    assert sound(at) and "Free a filter" in text(at)


@pytest.mark.parametrize("missing", [(0,), (0, 1), (0, 1, 2, 3, 4), (2, 3, 4), (3, 4)])
def test_tables_that_are_missing_leave_a_page_that_says_what_it_needs(opened, text, monkeypatch, missing):
    real = model_data.lineage

    def without(snapshot, scope):
        line = real(snapshot, scope)
        return model_data.Lineage(*(rows.iloc[:0] if k in missing else rows for k, rows in enumerate(line)))

    monkeypatch.setattr(model_data, "lineage", without)
    at = opened(PAGE, **PERIOD)
    assert sound(at)
    if set(missing) >= {0, 1, 2}:
        assert "manage.py load" in text(at)
        for table in ("`batches`", "`dataset_versions`", "`model_versions`"):
            assert table in text(at)
    if missing == (0,):
        assert "cannot be traced to batches" in text(at) and "`batches`" in text(at)
    if missing == (2, 3, 4):
        assert "not yet used" in text(at)


def test_without_any_data_it_says_what_to_load(opened, text, monkeypatch, empty_snapshot):
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(empty_snapshot))
    at = opened(PAGE)
    assert sound(at) and "manage.py load" in text(at)


def test_a_wrong_link_is_told_once(opened, text):
    at = opened(PAGE, project="Coment moderation", from_="2026-12-01", to="2026-01-01")
    assert sound(at) and len(at.warning) == 1
    assert "Comment moderation" in text(at) and "swap the two" in text(at)


def test_a_stakeholder_reads_it(opened: Callable[..., AppTest], text, monkeypatch):
    monkeypatch.setattr(data, "current_scope", lambda: Scope.stakeholder(["P01", "P02"]))
    at = opened(PAGE, by="pool", trace="versions", **PERIOD)
    assert sound(at)
    picker = next(s for s in at.selectbox if s.label == "Project")
    assert len(picker.options) == 2


def test_a_reader_of_one_pool_is_told_that_items_are_not_shown(opened, text, monkeypatch):
    scope = Scope(frozenset({"manager"}), None, frozenset({"POOL-01"}), False, 0, 0)
    monkeypatch.setattr(data, "current_scope", lambda: scope)
    at = opened(PAGE, project="P01", **PERIOD)
    assert sound(at) and "not shown to readers of single pools" in text(at)
