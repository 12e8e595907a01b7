"""Real annotation data, from file to page: load, refresh, measure, compared with the published and computed values."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from data_access import imports, queries, refresh, settings
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from tests.shared_data import FILES, NEEDS_SHARED, frame

ROOT = Path(__file__).resolve().parent.parent
MAPPINGS = ROOT / "tests" / "data_access" / "imports" / "mappings"
SECRET = "a key for tests only, of at least 32 characters"
PROJECTS = {
    "snow_rte": "snow2008/rte.long.csv",
    "snow_temp": "snow2008/temp.long.csv",
    "hs_brexit": "hs_brexit/long.csv",
    "pandalm": "pandalm/long.csv",
    "dawid_skene": "dawid_skene_1979/long.csv",
    "irrcac_4raters": "irrcac/raw_4raters.csv",
    "label_studio": "label_studio_export/project-2.json",
}

pytestmark = [*NEEDS_SHARED, pytest.mark.xdist_group("real data")]  # one worker loads it


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """All seven sets as projects of one warehouse."""
    folder = tmp_path_factory.mktemp("real")
    url = f"duckdb:///{folder / 'real.duckdb'}"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    for name, file in PROJECTS.items():
        report = imports.load([FILES / file], engine, SECRET, mapping=MAPPINGS / f"{name}.toml")
        assert report.rejected == 0
    engine.dispose()
    path = folder / "snapshot.duckdb"
    report = refresh.refresh(settings.Settings(url, path, ""))
    assert [f.message for f in report.findings if f.severity != "note"] == []
    opened = Snapshot(path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def values(snapshot) -> pd.DataFrame:
    names = ["krippendorff_alpha", "gwet_ac1", "percent_agreement", "gold_accuracy", "judgements"]
    found = queries.measure(snapshot, names, by=["project"], scope=Scope.everything())
    return found.set_index(["project", "metric"])


def test_hs_brexit_gives_alpha_and_ac1_of_the_reference(values):
    assert values.loc[("hs-brexit", "krippendorff_alpha"), "value"] == pytest.approx(0.347462, abs=1e-6)
    assert values.loc[("hs-brexit", "gwet_ac1"), "value"] == pytest.approx(0.810323, abs=1e-6)
    low, high = values.loc[("hs-brexit", "krippendorff_alpha"), ["low", "high"]]
    assert (low, high) == (pytest.approx(0.308, abs=0.005), pytest.approx(0.3865, abs=0.005))


def test_pandalm_gives_alpha_and_ac1_of_the_reference(values):
    assert values.loc[("pandalm", "krippendorff_alpha"), "value"] == pytest.approx(0.864221, abs=1e-6)
    assert values.loc[("pandalm", "gwet_ac1"), "value"] == pytest.approx(0.886445, abs=1e-6)


@pytest.mark.parametrize("project", ["rte", "temp"])
def test_gold_accuracy_is_that_of_the_raw_file(values, project):
    rows = frame(f"snow2008/{project}.long.csv")
    assert values.loc[(project, "gold_accuracy"), "value"] == pytest.approx((rows["label"] == rows["gold"]).mean())
    assert values.loc[(project, "gold_accuracy"), "n"] == len(rows)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_raw_4raters_at_each_level(tmp_path, level, alpha):
    text = (MAPPINGS / "irrcac_4raters.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("label_level")]
    lines.insert(lines.index("[project]") + 1, f'label_level = "{level}"')
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("\n".join(lines))
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    imports.load([FILES / PROJECTS["irrcac_4raters"]], engine, SECRET, mapping=mapping)
    engine.dispose()
    refresh.refresh(settings.Settings(url, tmp_path / "s.duckdb", ""))
    opened = Snapshot(tmp_path / "s.duckdb")
    rows = opened.table("agreement")
    assert rows["items"].sum() == 12
    found = queries.measure(opened, ["krippendorff_alpha"], scope=Scope.everything())
    opened.close()
    assert found["value"].iloc[0] == pytest.approx(alpha, abs=1e-6)


def test_dawid_skene_and_label_studio_arrive_whole(values):
    judgements = values["value"].xs("judgements", level="metric")
    assert judgements.sum() == 8000 + 4620 + 6720 + 2997 + 315 + 41 + 84 - _skipped()
    assert judgements.loc[[p for p in judgements.index if "dawid" in p]].iloc[0] == 315


def _skipped() -> int:
    tasks = json.loads((FILES / PROJECTS["label_studio"]).read_text())
    notes = [a for task in tasks for a in task["annotations"]]
    return sum(1 for a in notes if a["was_cancelled"] and not a["ground_truth"])


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "pages").glob("*.py")))
def test_every_page_shows_the_real_data(snapshot, page, monkeypatch):
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(snapshot.path))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    if page != "overview.py":
        app.switch_page(f"pages/{page}").run()
    assert not app.exception
    assert not app.error


def test_filters_narrow_real_projects(snapshot):
    found = queries.measure(
        snapshot, ["judgements"], filters=Filters.of({"project": ["rte"]}), scope=Scope.everything()
    )
    assert found["value"].iloc[0] == 8000
