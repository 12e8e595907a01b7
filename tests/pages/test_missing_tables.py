"""Real warehouses that lack a table or its times: each page on delivery and cost stays useful and says what to load."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data_access import refresh
from data_access.settings import Settings
from tests.conftest import once
from tests.data_access import toy

PAGES = ("productivity", "queue_and_capacity", "costs", "cost_and_quality")
CHARTS = ("arrow_vega_lite_chart", "vega_lite_chart")
LACKS = ("costs", "budgets", "shifts", "audits", "due times")
FIRST, DAYS = toy.START.date(), 105  # a forecast needs 91 days
PERIOD = {
    "from_": str(FIRST + dt.timedelta(days=DAYS - 28)),
    "to": str(FIRST + dt.timedelta(days=DAYS - 1)),
}


def frames() -> dict[str, pd.DataFrame]:
    """Fifteen weeks of a small organisation with everything loaded."""
    found = toy.frames(41, items=600, days=DAYS)
    last = toy.START + dt.timedelta(days=DAYS)
    notes = found["annotations"]
    found["annotations"] = notes[notes["submitted_at"] < last]
    known = set(found["annotations"]["annotation_id"])
    audits = found["audits"]
    found["audits"] = audits[audits["annotation_id"].isin(known) & (audits["audited_at"] < last)]
    items = found["items"]
    items["language"] = "en"  # pools are compared inside a language, and here none has gold enough in several
    closed = pd.to_datetime(items["closed_at"])
    items["closed_at"] = closed.where(closed < last).astype(object).where(closed < last, None)
    months = sorted({(FIRST + dt.timedelta(days=k)).replace(day=1) for k in range(DAYS)})
    found["budgets"] = pd.DataFrame(
        [(p, m, 4000.0, 400) for p in toy.LABELS for m in months],
        columns=["project_id", "month", "amount", "planned_labels"],
    )
    return found


@pytest.fixture(scope="module")
def snapshot_of(tmp_path_factory) -> Callable[[str], Path]:
    """The snapshot of the whole warehouse ("") or of one that lacks something, made once for all workers."""
    whole = "lacks nothing/warehouse.duckdb"

    def write(path: Path) -> None:
        toy.write(f"duckdb:///{path}", frames())

    def make(lacks: str) -> Path:
        def build(path: Path) -> None:
            warehouse = path.with_name("warehouse.duckdb")
            if lacks:
                shutil.copy(path.parents[1] / whole, warehouse)
                connection = duckdb.connect(str(warehouse))
                connection.execute("UPDATE items SET due_at = NULL" if lacks == "due times" else f"DROP TABLE {lacks}")
                connection.close()
            refresh.refresh(Settings(f"duckdb:///{warehouse}", path, ""))

        once(tmp_path_factory, whole, write)
        return once(tmp_path_factory, f"lacks {lacks or 'nothing'}/snapshot.duckdb", build)

    return make


@pytest.fixture
def page(monkeypatch, snapshot_of, opened, text, tmp_path):
    """Opens a page on the snapshot of a warehouse that lacks something: what it says, and its charts and tables."""

    def open_page(name: str, lacks: str, **params: str) -> tuple[str, int, int]:
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(snapshot_of(lacks)))
        monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
        at = opened(f"{name}.py", **PERIOD, **params)
        assert not at.exception and not at.error, (name, lacks, at.exception, at.error)
        return text(at).replace("`", ""), sum(len(at.get(kind)) for kind in CHARTS), len(at.dataframe)

    return open_page


# page: what stands on it whatever table is missing, and the fewest charts and tables beside it
STANDS = {
    "productivity": (("Handle time held", "Look closer"), 2, 1),
    "queue_and_capacity": (("All queues", "How it came to this"), 1, 1),
    "costs": ((), 0, 0),
    "cost_and_quality": (("How many raters an item?", "All pools"), 0, 0),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lacks", LACKS)
def test_each_page_stands_without_the_table(page, name, lacks):
    said, charts, tables = page(name, lacks)
    words, least_charts, least_tables = STANDS[name]
    if name in ("costs", "cost_and_quality") and lacks != "costs":
        words, least_charts, least_tables = (*words, "label"), 1, 1
    assert all(word in said for word in words)
    assert charts >= least_charts and tables >= least_tables
    assert "nan" not in said.lower().split()


@pytest.mark.parametrize(
    ("name", "lacks", "params", "load"),
    [
        ("productivity", "shifts", {"look": "hours"}, "no shifts are loaded: this would show utilisation, occupancy"),
        ("queue_and_capacity", "shifts", {}, "Load shifts for the hours people are there"),
        ("queue_and_capacity", "costs", {}, "load costs to see what more people would cost"),
        ("queue_and_capacity", "due times", {}, "Load items with due_at to hold the queue to its own SLA"),
        ("costs", "costs", {}, "load the table costs with python manage.py load"),
        ("costs", "costs", {}, "this would show what a label cost, what moved that, what poor quality cost"),
        ("costs", "shifts", {}, "load the table shifts with python manage.py load"),
        ("costs", "shifts", {}, "this would show what paid hours cost, and how much of them is no handling"),
        ("costs", "audits", {"quality": "audit_accuracy"}, "load the table audits with python manage.py load"),
        ("cost_and_quality", "shifts", {}, "load the table shifts with python manage.py load"),
        ("cost_and_quality", "shifts", {}, "this would show how full both pools would be, and whether the queue"),
        ("cost_and_quality", "audits", {"quality": "audit_accuracy"}, "this would show how accurate each pool is by"),
        ("costs", "budgets", {"look": "budget"}, "load the table budgets with python manage.py load"),
        ("cost_and_quality", "costs", {}, "load the table costs with python manage.py load"),
    ],
)
def test_what_is_missing_is_named_with_what_to_load(page, name, lacks, params, load):
    assert load in page(name, lacks, **params)[0]
    assert load not in page(name, "", **params)[0]


@pytest.mark.parametrize("lacks", ["shifts", "audits"])
def test_the_cost_pages_keep_their_other_sections(page, lacks):
    """What does not need the table stands: as many charts and tables, and the same words, as with it."""
    for name, words in (
        ("costs", ("the parts sum to the change", "Look into")),
        ("cost_and_quality", ("How many raters an item?", "What if work moved?", "Moving 10", "All pools")),
    ):
        with_it, charts, tables = page(name, "")
        said, *left = page(name, lacks)
        assert left == [charts, tables] and charts and tables
        assert all(word in said for word in words if word in with_it) and any(word in with_it for word in words)


def test_without_shifts_handle_times_still_tell_where_time_goes(page):
    said, _, tables = page("productivity", "shifts", look="hours")
    assert "was work done again" in said and tables == 1


def test_where_available_time_is_known_of_some_shifts_the_rest_is_not_told_apart(page):
    said, charts, tables = page("productivity", "", look="hours")
    assert "the rest, breaks, training and waiting, is not told apart" in said and charts == 5 and tables == 1


def test_a_queue_without_due_times_is_not_said_to_keep_an_sla(page):
    said = page("queue_and_capacity", "due times")[0]
    assert "its items have no due time" in said and "keeps its" not in said and "misses its" not in said
    assert "SLA attainment by week cannot be shown: no items with a due time: load items with due_at" in said


def test_accuracy_by_audits_without_audits_is_not_made_up(page):
    """Cost and quality says that there are no audits; costs prices an accepted label in place of a correct one."""
    assert "no audits" in page("cost_and_quality", "audits", quality="audit_accuracy")[0]
    said = page("costs", "audits", quality="audit_accuracy")[0]
    assert said.startswith("An accepted label cost") and "A correct label cost" not in said
    assert page("costs", "", quality="audit_accuracy")[0].startswith("A correct label cost")
