"""The model impact page: what it says, full, narrowed, for a stakeholder, without model tables, without a warehouse."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest
import streamlit as st

from data_access import model_data, refresh
from data_access.filters import Filters, Scope
from metrics import ladder
from tests.conftest import settings_for
from ui import data, lineage, lineage_trace, model_impact, model_impact_regressions
from ui import model_impact_words as words

PAGE = "model_impact.py"


@pytest.fixture(autouse=True)
def served(monkeypatch, sample_snapshot, tmp_path):
    """The sample's snapshot; the warehouse is gone and not missed."""
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))


@pytest.fixture(scope="module")
def without_models(tmp_path_factory, sample_warehouse):
    """The snapshot of the sample without its tables of models and batches."""
    folder = tmp_path_factory.mktemp("no models")
    warehouse = folder / "warehouse.duckdb"
    shutil.copy(sample_warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        for table in ("model_metrics", "model_versions", "dataset_versions", "batches"):
            connection.execute(f"drop table {table}")
    refresh.refresh(settings_for(warehouse, folder / "snapshot.duckdb"))
    return folder / "snapshot.duckdb"


def test_it_says_what_moved_together_and_no_more(opened, text):
    at = opened(PAGE)
    assert not at.exception and not at.error
    said = text(at)
    finding = at.title[0].value
    assert "moved together with" in finding or "No link" in finding
    assert ladder.overclaims(said, ladder.Rung.QUASI_EXPERIMENT) == []
    assert "lags 0 and 1 in versions" in said and "whatever days are chosen" in said
    assert {h.value for h in at.subheader} >= {"One link from close up", "Versions clearly worse than the one before"}


def test_a_link_in_the_url_is_the_one_shown(opened, text):
    at = opened(PAGE, benchmark="P09/preference-heldout/rm_human_agreement", quality="krippendorff_alpha")
    assert not at.exception and not at.error and not at.warning
    assert {box.value for box in at.selectbox} >= {"P09/preference-heldout/rm_human_agreement", "krippendorff_alpha"}
    assert "Raters agree with one another in" in text(at)


def test_another_benchmark_has_no_ceiling_and_says_why(opened, text):
    at = opened(PAGE, benchmark="P06/harmful-prompts/safety_benchmark_score", quality="gold_accuracy")
    assert "No ceiling is drawn: the benchmark is not scored against single human labels" in text(at)
    assert "Newest score:" in text(at) and "cleared of wrong labels" in text(at).lower()
    assert "cells of policy and language in Prompt intent" in text(at)


def forget() -> None:
    """What was kept of other data than a test's own."""
    st.cache_data.clear()
    for kept in (data._link_data, model_impact._found, model_impact._by_method):
        kept.clear()


def test_a_value_measured_before_training_is_no_regression(sample_snapshot, monkeypatch):
    """As on Lineage: the value of the newest version is left out of the comparisons and is no newest score."""
    shown, snapshot = model_impact, data.current_snapshot()
    real = model_data.lineage

    last = "agora-video-019"

    def early(snapshot, scope):
        line = real(snapshot, scope)
        measures, models = line.measures.copy(), line.models.copy()
        measures.loc[measures["model_version"] == last, "value"] = 0.2
        models.loc[models["model_version"] == last, ["trained_at", "released_at"]] = [
            pd.Timestamp("2027-01-01"),
            pd.NaT,
        ]
        return line._replace(measures=measures, models=models)

    forget()
    monkeypatch.setattr(model_data, "lineage", early)
    try:
        found = shown.found(snapshot)
        key = ("P02", "video-harms", "safety_benchmark_score")
        assert last not in set(found.compared["model_version"])
        assert shown._of(found.timely, key)["value"].min() > 0.5
        standing = shown.standing(snapshot, found.impact.link(*key))
        assert standing.ceiling.score.value > 0.5
    finally:
        forget()


def test_a_slice_and_a_method_in_the_url_are_the_ones_shown(opened, text):
    of = {"benchmark": "P06/harmful-prompts-languages/safety_benchmark_score", "quality": "percent_agreement"}
    at = opened(PAGE, **of, slice="vi", method="kendall")
    assert not at.exception and not at.error and not at.warning
    part = next(box for box in at.selectbox if box.label == "Part")
    assert part.value == "vi" and len(part.options) == 4
    assert "harmful-prompts-languages (vi)" in text(at) or "cannot be told" in text(at)
    assert next(box for box in at.selectbox if box.label == "Correlation").value == "kendall"
    part.set_value("all").run()
    assert not at.exception and at.query_params["slice"] in ("all", ["all"])
    # Another benchmark has other slices.
    next(box for box in at.selectbox if box.label == "Benchmark").set_value(
        "P06/harmful-prompts/safety_benchmark_score"
    ).run()
    assert not at.exception and not at.warning and "Part" not in [box.label for box in at.selectbox]


def test_the_age_of_labels_is_that_of_the_slice_looked_at():
    """By hand from the weeks of the items of one policy, by items; the benchmark as a whole has another age."""
    shown, snapshot = model_impact, data.current_snapshot()
    rows = snapshot.table("batch_items").merge(snapshot.table("batch")[["batch_id", "dataset_version"]], on="batch_id")
    rows["day"] = pd.to_datetime(rows["week"]) + pd.Timedelta(days=3.5)
    measures = snapshot.table("model_metric")
    measures = measures[measures["benchmark"] == "comment-safety-2-policies"]
    dataset = snapshot.table("model_version").set_index("model_version")["dataset_version"]
    key = "P01/comment-safety-2-policies/safety_benchmark_score"
    every, apart = shown.pair(snapshot, key, "gold_accuracy"), []
    assert shown.only(every.link) == {}
    for policy, values in measures.groupby("policy"):
        ages = []
        for version, when in zip(values["model_version"], values["measured_at"], strict=True):
            mine = rows[(rows["dataset_version"] == dataset[version]) & (rows["policy"] == policy)]
            if len(mine):
                old = (pd.Timestamp(when) - mine["day"]) / pd.Timedelta(days=1)
                ages.append((old * mine["items"]).sum() / mine["items"].sum())
        pair = shown.pair(snapshot, key, "gold_accuracy", policy)
        assert shown.only(pair.link) == {"policy": policy}
        assert pair.ages[0] == pytest.approx(pd.Series(ages).median(), abs=0.02)
        apart.append(abs(pair.ages[0] - every.ages[0]))
    assert len(apart) == 5 and max(apart) > 0.05


def test_a_row_of_the_regressions_opens_the_labels_of_its_own_part(opened, monkeypatch):
    """What a row stands for is a trace that Lineage knows, the severest first; its labels are counted by hand."""
    snapshot, rows = data.current_snapshot(), []
    monkeypatch.setattr(model_impact_regressions.tables, "table", lambda frame, **more: rows.append((frame, more)))
    found = model_impact.found(snapshot)
    view = SimpleNamespace(snapshot=snapshot, filters=Filters())
    ours = model_impact.projects(snapshot, view.filters)
    model_impact_regressions.table(view, found, ours)
    frame, more = rows[0]
    went = []
    monkeypatch.setattr(model_impact_regressions.tables, "table", lambda *_, members, **__: members[1])
    monkeypatch.setattr(model_impact_regressions, "open_from_click", lambda page, params: went.append((page, params)))
    model_impact_regressions.table(view, found, ours)
    page, params = went[0]
    assert page == "pages/lineage.py" and params["trace"] == more["members"][1]["trace"]
    assert params["project"] == [more["members"][1]["project"]] and not {"from", "to"} & set(params)
    assert len(frame) == len(more["members"]) == (found.worse["project"].isin(ours)).sum() > 5
    severity = frame["severity"].fillna(-1)
    assert severity.is_monotonic_decreasing and severity.nunique() > 1
    for member, version in zip(more["members"], frame["model_version"], strict=True):
        line = lineage.one(snapshot, member["project"], snapshot.meta.last_day)
        trace = lineage_trace.resolve(line, member["trace"])
        assert trace.versions == (version,) and member["trace"] in lineage_trace.options(line)
    dataset = snapshot.table("model_version").set_index("model_version")["dataset_version"]
    batches = snapshot.table("batch").set_index("batch_id")["dataset_version"]
    for by in ("policy", "language"):
        sums = model_data.batch_sums(snapshot, Scope.everything(), ("batch", by))
        gold = sums.groupby([sums["batch_id"].map(batches), by])["gold_n"].sum()
        own = frame[frame[by].notna()]
        expected = [gold.get((dataset[row["model_version"]], row[by]), 0) for row in own.to_dict("records")]
        assert len(own) and own["now_n"].tolist() == expected


def test_a_slice_has_the_q_of_its_own_cell_among_all_that_were_tested(opened, text):
    links = model_impact.found(data.current_snapshot()).impact
    rows = links.rows[(links.rows["slice"] != "") & (links.rows["lag"] == 0)].dropna(subset="q_value")
    row = rows.sort_values("q_value").iloc[0]
    at = opened(PAGE, benchmark=model_impact.member(row), quality=row["metric"], slice=row["slice"])
    assert not at.exception and not at.error
    assert words.stands(row, links.tests) in text(at).replace("\\", "")
    assert f"among {int(links.rows['p_value'].notna().sum())} links" in words.stands(row, links.tests)
    whole = links.rows[(links.rows["slice"] == "") & (links.rows["lag"] == 0)]
    assert len(whole) == len(whole.drop_duplicates(["project", "benchmark", "benchmark_metric", "metric"]))


def test_a_size_that_may_be_chance_is_said_so_and_muted(opened, text):
    """Whatever lag the matrix shows: the size is of the version's own labels, so its q is that of lag 0."""
    snapshot = data.current_snapshot()
    rows = model_impact.whole(model_impact.found(snapshot).impact.rows)
    rows = rows[(rows["lag"] == 0) & rows["q_value"].notna()].sort_values("q_value")
    for row, chance in ((rows.iloc[0], False), (rows.iloc[-1], True)):
        assert (row["q_value"] > 0.1) == chance
        one = model_impact.pair(snapshot, model_impact.member(row), row["metric"])
        said = words.coefficient(one, row["benchmark"], row)
        for lag in ("0", "1"):
            at = opened(PAGE, benchmark=model_impact.member(row), quality=row["metric"], lag=lag)
            drawn = [m.value for m in at.markdown if said[20:60] in m.value.replace("\\", "")]
            assert len(drawn) == 1
            assert drawn[0].startswith(":gray[:small[May be chance") == chance == (":small[" in drawn[0])


def test_under_ten_effective_points_nothing_is_drawn(opened, text):
    rows = model_impact.found(data.current_snapshot()).impact.rows
    row = rows[rows["reason"].str.contains("fewer than 10") & (rows["n"] > 0) & (rows["lag"] == 0)].iloc[0]
    shown = model_impact.pair(data.current_snapshot(), model_impact.member(row), row["metric"], row["slice"])
    assert shown.band is None and shown.rows[["x", "y"]].notna().any(axis=None)
    at = opened(PAGE, benchmark=model_impact.member(row), quality=row["metric"], slice=row["slice"] or "all")
    assert not at.exception and not at.error
    assert "The versions cannot be drawn: fewer than 10" in text(at)


def test_a_strange_slice_is_told(opened):
    at = opened(PAGE, benchmark="P06/harmful-prompts-languages/safety_benchmark_score", slice="xx")
    assert not at.exception and len(at.warning) == 1 and "xx" in at.warning[0].value


def test_strange_parameters_are_told_and_left_out(opened):
    at = opened(PAGE, benchmark="nothing/like/this", quality="guesswork", lag="7")
    assert not at.exception and not at.error
    told = " ".join(w.value for w in at.warning)
    assert "guesswork" in told and "nothing/like/this" in told.replace("\\", "") and "lag" in told


def test_project_narrows_and_other_filters_are_left_aside_in_words(opened, text):
    at = opened(PAGE, project="P06", language="hi")
    assert not at.exception and not at.error
    said = text(at)
    assert "so language is left aside" in said
    boxes = next(box for box in at.selectbox if box.label == "Benchmark")
    assert len(boxes.options) == 3 and all("Prompt intent" in name for name in boxes.options)


def test_a_project_without_benchmarks_says_so(opened, text):
    at = opened(PAGE, project="P12")
    assert not at.exception and not at.error
    assert "the projects in view have no benchmark" in text(at)


def test_without_model_tables_it_names_what_to_load(opened, text, monkeypatch, without_models):
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(without_models))
    at = opened(PAGE)
    assert not at.exception and not at.error
    said = text(at)
    assert "no benchmark of a model version is on record" in said
    assert all(f"`{table}`" in said for table in ("batches", "dataset_versions", "model_versions", "model_metrics"))
    assert "manage.py load" in said


def test_a_stakeholder_sees_projects_shared_and_no_more(opened, text, monkeypatch):
    monkeypatch.setattr(data, "current_scope", lambda: Scope.stakeholder(["P09"]))
    at = opened(PAGE)
    assert not at.exception and not at.error
    said = text(at)
    assert "preference-heldout" in said + str([box.options for box in at.selectbox])
    assert "harmful-prompts" not in said and "P06" not in said and "POOL" not in said
