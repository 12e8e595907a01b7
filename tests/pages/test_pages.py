"""Every page, with data, without, with filters that match nothing, and when something is broken."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from metrics.catalogue import METRICS, headline
from ui import figures, route

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p.name for p in (ROOT / "pages").glob("*.py") if p.name != "__init__.py")
NEED_DATA = [name for name in PAGES if name not in ("definitions.py",)]
FILTERED = [
    "agreement.py",
    "audit_planner.py",
    "cost_and_quality.py",
    "costs.py",
    "kpi.py",
    "overview.py",
    "productivity.py",
    "queue_and_capacity.py",
    "rater_quality.py",
]


def opened(page: str, **params) -> AppTest:
    """The page as app.py shows it to a reader with this URL."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in params.items():
        at.query_params[name.rstrip("_")] = value
    if page != "overview.py":
        at.switch_page(f"pages/{page}")
    return at.run()


def text(at: AppTest) -> str:
    """All that the page says."""
    parts = [*at.title, *at.subheader, *at.markdown, *at.caption, *at.info, *at.warning, *at.error]
    return "\n".join(str(p.value) for p in parts).replace("\\", "")


@pytest.fixture(autouse=True)
def served(monkeypatch, request, tmp_path):
    """The sample's snapshot, unless a test names another; the warehouse is never reached."""
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    if "snapshot" not in request.fixturenames:
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(request.getfixturevalue("sample_snapshot")))


@pytest.fixture
def snapshot(monkeypatch):
    return lambda path: monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(path))


def test_every_page_is_routed():
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    assert [name for name in PAGES if f"pages/{name}" not in source] == []


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_with_a_finding(page):
    at = opened(page)
    assert not at.exception and not at.error
    assert len(at.title) == 1
    assert len(at.title[0].value) > 20


@pytest.mark.parametrize("page", PAGES)
def test_page_without_annotations(page, snapshot, empty_snapshot):
    snapshot(empty_snapshot)
    at = opened(page)
    assert not at.exception and not at.error
    assert at.title
    if page in FILTERED:
        assert "manage.py load" in text(at)


@pytest.mark.parametrize("page", FILTERED)
def test_filters_that_match_nothing(page):
    at = opened(page, project="P01", pool="POOL-13", language="th", policy="spam")
    assert not at.exception and not at.error
    assert "no number" in text(at) or "cannot be shown" in text(at) or "nothing to measure" in text(at)


@pytest.mark.parametrize("page", NEED_DATA)
def test_no_snapshot_gives_one_sentence_with_its_remedy(page, snapshot, tmp_path):
    snapshot(tmp_path / "none.duckdb")
    at = opened(page)
    assert not at.exception
    assert len(at.error) == 1
    assert "manage.py refresh" in text(at) and "Reference " in text(at)
    assert "Traceback" not in text(at)


@pytest.mark.parametrize("page", NEED_DATA)
def test_a_corrupt_snapshot_gives_one_sentence(page, snapshot, tmp_path):
    (tmp_path / "bad.duckdb").write_bytes(b"not a database" * 500)
    snapshot(tmp_path / "bad.duckdb")
    at = opened(page)
    assert not at.exception
    assert len(at.error) == 1 and "no readable snapshot" in text(at)


def test_definitions_stand_without_a_snapshot(snapshot, tmp_path):
    snapshot(tmp_path / "none.duckdb")
    at = opened("definitions.py")
    assert not at.exception and not at.error


def test_a_fault_on_one_page_is_a_sentence_and_the_others_work(monkeypatch, caplog):
    def broken(*_args):
        raise ZeroDivisionError("secret detail")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, logger="raterscope"):
        patch.setattr(figures, "scorecard", broken)
        at = opened("overview.py")
    assert not at.exception
    assert len(at.error) == 1
    assert "secret detail" not in text(at)
    reference = at.error[0].value.split("reference ")[1][:8]
    assert reference in caplog.text and "secret detail" in caplog.text
    assert not opened("data_health.py").error


@pytest.mark.parametrize("page", PAGES)
def test_a_first_visitor_s_deep_link_goes_through_app(page, monkeypatch):
    """AppTest starts each run as a fresh process does: Streamlit's old router runs the page itself."""
    runs = []
    real = route.inside_app
    monkeypatch.setattr("ui.page.inside_app", lambda: runs.append(page) or real())
    opened(page)
    assert runs == [page]


def test_the_overview_says_what_moved_and_links_each_kpi():
    at = opened("overview.py")
    said = [link.label for link in at.get("page_link")]
    for metric in headline():
        assert any(metric.label in label.replace("\\", "") for label in said), metric.name


def test_the_url_names_every_filter_after_the_first_run():
    at = opened("overview.py", project="P01")
    assert set(at.query_params) == {"from", "to", "project"}


@pytest.mark.parametrize("page", FILTERED)
def test_a_link_that_cannot_be_honoured_is_told_once(page):
    at = opened(page, project="Coment moderation", from_="2026-12-01", to="2026-01-01")
    assert len(at.warning) == 1
    assert "Comment moderation" in text(at) and "swap the two" in text(at)
    assert not at.exception and not at.error


def test_a_misspelt_kpi_names_the_nearest():
    at = opened("kpi.py", metric="gold_acuracy")
    assert "gold_accuracy" in text(at)
    assert METRICS[headline()[0].name].label in at.title[0].value


@pytest.mark.parametrize(
    "metric", ["krippendorff_alpha", "backlog", "utilisation", "handle_time_p50_seconds", "total_cost"]
)
@pytest.mark.parametrize("grain", ["day", "month"])
def test_each_kind_of_kpi_has_its_page(metric, grain):
    at = opened("kpi.py", metric=metric, grain=grain, by="pool")
    assert not at.exception and not at.error
    assert METRICS[metric].label in at.title[0].value.replace("\\", "")


def test_apply_changes_several_filters_at_once():
    at = opened("overview.py")
    at.session_state["filters popover"] = True
    at.run()
    next(m for m in at.multiselect if m.label == "Project").select("P01")
    next(m for m in at.multiselect if m.label == "Language").select("en")
    next(b for b in at.button if b.label == "Apply").click()
    at.run()
    assert not at.exception and not at.error
    assert at.query_params["project"] == "P01" and at.query_params["language"] == "en"


def test_a_chip_frees_its_filter():
    at = opened("overview.py", project="P01")
    at.button(key="chip_project").click().run()
    assert "project" not in at.query_params


def test_a_preset_writes_its_dates():
    at = opened("overview.py")
    at.segmented_control[0].set_value(13).run()
    assert not at.exception
    assert at.query_params["from"] == "2026-08-17" and at.query_params["to"] == "2026-11-15"
