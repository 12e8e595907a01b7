"""The changes page: verdicts in words, one change opened by its link, what it says with nothing to weigh."""

from __future__ import annotations

import shutil
from dataclasses import replace

import duckdb
import pytest

from data_access.filters import Scope
from metrics import ladder
from ui import data

PAGE = "changes.py"


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The small sample's snapshot; the warehouse is gone."""
    data.st.cache_data.clear()
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))


@pytest.fixture
def altered(monkeypatch, sample_snapshot, tmp_path):
    """The small sample's snapshot after a statement on it."""

    def alter(statement: str) -> None:
        path = tmp_path / "altered.duckdb"
        shutil.copy(sample_snapshot, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement)
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(path))

    return alter


def sound(at) -> bool:
    return not at.exception and not at.error


def few(statement: str = "") -> str:
    """Keeps two changes, so that a page takes little time to weigh them."""
    return f"DELETE FROM change WHERE change_id NOT IN ('CH-019', 'CH-021'); {statement}"


def test_the_page_opens_with_the_verdicts_and_a_change_with_its_own(opened, text, altered):
    altered(few())
    at = opened(PAGE)
    assert sound(at)
    assert at.title[0].value.startswith("Of 2 changes")
    assert "did harm" in text(at)
    assert "no change is on record" in text(at)
    at = opened(PAGE, change="CH-021")
    assert sound(at)
    said = text(at)
    assert at.title[0].value.replace("\\", "").startswith("“Network migration at Taipei” did harm")
    assert "utilisation" in at.title[0].value
    (link,) = [one for one in at.get("page_link") if "of this work over time" in one.label]
    assert link.label.startswith("Utilisation")
    for part in ("What was checked", "made-up changes", "Not claimed", "Everything it is judged by"):
        assert part in said, part
    for sentence in (*(t.value for t in at.title), *(m.value for m in at.markdown)):
        assert ladder.overclaims(sentence.replace("\\", ""), ladder.Rung.QUASI_EXPERIMENT) == []


def test_verdict_and_kind_are_in_the_url_and_narrow_the_table(opened, altered):
    altered(few())
    at = opened(PAGE, verdict="harm", kind="workflow")
    assert sound(at)
    assert at.query_params["verdict"] == ["harm"] or at.query_params["verdict"] == "harm"
    assert len(at.dataframe[0].value) >= 1
    assert at.dataframe[0].value["kind"].tolist() == ["workflow"] * len(at.dataframe[0].value)
    at = opened(PAGE, verdict="too_early")
    assert sound(at)
    assert "No change has this verdict" in "".join(i.value for i in at.info)


def test_a_link_that_cannot_be_honoured_is_told(opened, text, altered):
    altered(few())
    at = opened(PAGE, change="CH-999", verdict="splendid")
    assert sound(at)
    assert len(at.warning) == 2
    assert "CH-999" in text(at) and "splendid" in text(at)


def test_without_changes_the_page_says_which_table_it_needs(opened, text, altered):
    altered("DELETE FROM change; UPDATE source SET present = FALSE WHERE table_name = 'changes'")
    at = opened(PAGE)
    assert sound(at)
    assert 'the warehouse has no table "changes"' in text(at)


def test_a_change_of_late_is_too_early_and_one_to_everything_has_nobody_to_compare_with(opened, text, altered):
    altered(
        few(
            "UPDATE change SET starts_on = DATE '2026-11-10', ends_on = NULL WHERE change_id = 'CH-019';"
            "UPDATE change SET pool_id = NULL WHERE change_id = 'CH-021'"
        )
    )
    at = opened(PAGE, change="CH-019")
    assert sound(at)
    assert "too young to judge" in text(at)
    at = opened(PAGE, change="CH-021")
    assert sound(at)
    said = text(at)
    assert "all work in view" in said
    assert "Compared with its own weeks before alone" in said
    assert ladder.overclaims(at.title[0].value.replace("\\", ""), ladder.Rung.ADJUSTED) == []


def test_a_change_of_work_that_nobody_knows_is_listed_with_its_reason(opened, text, altered):
    altered(few("UPDATE change SET pool_id = 'POOL-99' WHERE change_id = 'CH-021'"))
    at = opened(PAGE, change="CH-021")
    assert sound(at)
    assert "nothing it is judged by is kept for the work it touched" in text(at)


def test_a_stakeholder_of_one_project_sees_its_changes_and_no_rater(opened, text, altered, monkeypatch):
    altered(few())
    scope = replace(Scope.stakeholder(), projects=frozenset({"P04"}))
    monkeypatch.setattr(data, "current_scope", lambda: scope)
    at = opened(PAGE)
    assert sound(at)
    assert at.dataframe[0].value["change_id"].tolist() == ["CH-021", "CH-019"]
    assert "R0" not in text(at)
    monkeypatch.setattr(data, "current_scope", Scope)
    at = opened(PAGE)
    assert sound(at)
    assert "nothing here is shared with you" in text(at)


def test_rows_of_one_rollout_are_weighed_together(opened, text, altered):
    """The same change in five pools at two dates, and by lot in seven: the page says how it was told apart."""
    altered(
        "CREATE TEMP TABLE place AS SELECT pool_id, row_number() OVER (ORDER BY pool_id) AS k FROM pool;"
        "DELETE FROM change;"
        "INSERT INTO change BY NAME SELECT 'CH-' || (900 + k) AS change_id, 'training' AS kind, pool_id, "
        "DATE '2026-05-04' + INTERVAL 35 DAY * (k % 2) AS starts_on, 'A course.' AS summary, FALSE AS randomised "
        "FROM place WHERE k <= 5;"
        "INSERT INTO change BY NAME SELECT 'CH-' || (950 + k) AS change_id, 'tool' AS kind, pool_id, "
        "DATE '2026-09-07' AS starts_on, 'New keys' AS summary, TRUE AS randomised FROM place WHERE k % 2 = 0;"
    )
    at = opened(PAGE, change="CH-901")
    assert sound(at)
    said = text(at)
    assert "rollout of 5 pools" in said
    assert "Staggered difference-in-differences: 5 units got it at different times" in said
    at = opened(PAGE, change="CH-952")
    assert sound(at)
    assert "Randomised: chance decided which 7 of 14 units got it" in text(at)
