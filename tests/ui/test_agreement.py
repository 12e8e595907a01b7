"""The agreement page's figures, sentences and charts follow from the same patterns, and say what they rest on."""

import dataclasses
import math

import altair as alt
import numpy as np
import pandas as pd
import pytest

from data_access.filters import DIMENSIONS, Filters, Scope
from data_access.snapshot import Snapshot
from metrics import agreement as coefficients
from metrics.patterns import Encoding, Patterns
from metrics.shapes import LabelSet
from metrics.spec import Status
from ui import agreement, agreement_items, agreement_more, charts, data, periods
from ui import agreement_words as say
from ui.charts.panels import Panel
from ui.theme import DARK, LIGHT

NASTY = "![x](y) <img src=1> | 'quote'"


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filters(snapshot):
    return Filters.of((), *periods.last_weeks(snapshot.meta, 26))


@pytest.fixture(autouse=True)
def fresh(request):
    """A test that changes what is read is served nothing kept before, and leaves nothing behind."""
    changes = "monkeypatch" in request.fixturenames
    if changes:
        data.st.cache_data.clear()
    yield
    if changes:
        data.st.cache_data.clear()


def valid(spec: dict) -> bool:
    alt.LayerChart.from_dict(spec, validate=True)
    return True


def values(spec: dict) -> list[dict]:
    return spec["data"]["values"]


# ---- coefficients ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", agreement.BREAKDOWNS)
def test_coefficients_are_those_of_the_metrics_page(snapshot, filters, by):
    rows = agreement.coefficients(snapshot, filters, by)
    assert len(rows) and rows["member"].is_unique and rows["label"].is_unique
    groups = ("project", by) if by == "guideline_version" else (by,)
    for name, column in (("krippendorff_alpha", "alpha"), ("percent_agreement", "percent")):
        measured = data.measure(snapshot, (name,), groups, filters)
        expected = (
            {" ".join(map(str, key)): row for key, row in measured.set_index(list(groups)).iterrows()}
            if len(groups) > 1
            else {str(key): row for key, row in measured.set_index(by).iterrows()}
        )
        for row in rows.to_dict("records"):
            other = expected[row["member"]]
            assert row[column] == pytest.approx(other["value"], nan_ok=True)
            # A bootstrap draws in the order of the strata, which is another.
            assert row[f"{column}_low"] == pytest.approx(other["low"], abs=0.02, nan_ok=True)
    if by == "project":
        measured = data.measure(snapshot, ("krippendorff_alpha",), ("project",), filters).set_index("project")
        assert dict(zip(rows["member"], rows["status"], strict=True)) == measured["status"].to_dict()
        assert set(rows["target"].dropna()) == set(measured["target"].dropna())


def test_what_needs_a_look_comes_first_and_the_unknown_last(snapshot, filters):
    rows = agreement.coefficients(snapshot, filters, "project")
    order = [agreement.ORDER[s] for s in rows["status"]]
    assert order == sorted(order)


def test_near_misses_get_the_credit_of_the_projects_own_level(snapshot, filters):
    rows = agreement.coefficients(snapshot, filters, "project").set_index("member")
    levels = {project: labels.level for project, labels in snapshot.label_sets.items()}
    assert rows["level"].to_dict() == {p: levels[p] for p in rows.index}
    for project, row in rows.iterrows():
        (_, parts), *_ = data.patterns(snapshot, filters.with_("project", project), ("project",))
        patterns, labels = parts[0]
        if labels.level == "nominal" and not math.isnan(row["ac"]):
            assert row["ac"] == pytest.approx(coefficients.gwet_ac1_of_patterns(patterns).value)
        if labels.level == "ordinal" and not math.isnan(row["ac"]):
            assert row["ac"] == pytest.approx(coefficients.gwet_ac2_of_patterns(patterns, "ordinal_gwet").value)
            assert row["ac"] > row["kappa"]  # near misses count


def test_across_label_sets_only_what_exists_is_shown(snapshot, filters):
    rows = agreement.coefficients(snapshot, filters, "language")
    several = rows[rows["level"] == agreement.SEVERAL]
    assert len(several)
    assert several["ac"].isna().all() and several["kappa"].isna().all() and several["commonest"].isna().all()
    assert several["percent"].notna().all()
    assert "labels of their own" in say.trust(rows, "language")


def test_guideline_versions_stand_in_order_and_by_project(snapshot):
    period = (snapshot.meta.first_day, snapshot.meta.last_day)
    one = agreement.coefficients(snapshot, Filters.of({"project": "P01"}, *period), "guideline_version")
    assert one["label"].tolist() == sorted(one["label"], key=lambda v: int(v[1:]))
    assert one["narrows"].iloc[0] == {"project": "P01", "guideline_version": one["label"].iloc[0]}
    every = agreement.coefficients(snapshot, Filters.of((), *period), "guideline_version")
    assert every["label"].str.startswith("Comment moderation v").sum() == len(one)


def test_a_dimension_that_agreement_is_not_kept_by_gives_its_reason(snapshot, filters):
    narrowed = filters.with_("pool", "POOL-01")
    assert agreement.coefficients(snapshot, narrowed, "project").empty
    assert agreement.lowest(snapshot, narrowed, "project") is None
    said = say.finding(snapshot, narrowed, pd.DataFrame(), None, "project")
    assert said == "Agreement has no number here: agreement is not kept by pool"


def test_a_stakeholder_sees_no_small_group(snapshot, filters, monkeypatch):
    full = agreement.coefficients(snapshot, filters, "policy")
    least = int(full["n"].median())
    link = dataclasses.replace(Scope.stakeholder(), minimum_items=least, minimum_raters=0)
    monkeypatch.setattr(data, "current_scope", lambda: link)
    rows = agreement.coefficients(snapshot, filters, "policy")
    hidden = rows[rows["n"] == 0]
    gone = len(full) - len(rows)  # with too few items altogether, no row is there
    assert len(hidden) + gone == (full["n"] < least).sum() > 0
    assert hidden["alpha"].isna().all() and (hidden["items"] == 0).all() and hidden["commonest"].isna().all()
    assert set(hidden["alpha_reason"]) == {agreement.SMALL}


def test_the_lowest_cell_is_clear_of_its_target_for_all_that_were_looked_at(snapshot):
    period = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day)
    cell = agreement.lowest(snapshot, period, "project")
    if cell is not None:
        assert cell["high"] < cell["target"]
        rows = agreement.coefficients(snapshot, period.with_("project", str(cell["project"])), "policy")
        found = rows.set_index("member").loc[cell["policy"]]
        assert (found["alpha"], found["alpha_low"]) == (cell["value"], cell["low"])


def test_chance_alone_names_no_lowest_cell(snapshot, monkeypatch):
    """Forty cells around their target: in most samples one interval misses it, the allowed one seldom does."""
    rng = np.random.default_rng(3)
    labels = LabelSet("P01", "nominal", ("a", "b"), Encoding.choose(2))
    named = 0
    target = type("Goal", (), {"target": 0.64, "warn": 0.6})()  # (2 x 0.9 - 1) squared
    fake = type("S", (), {"targets": type("T", (), {"in_force": lambda *_a: target})(), "meta": snapshot.meta})()
    for _ in range(40):
        cells = []
        for k in range(20):
            item = np.repeat(np.arange(120), 2)
            truth = np.repeat(rng.random(120) < 0.5, 2)
            given = np.where(rng.random(240) < 0.9, truth, ~truth).astype(int)
            cells.append(({"project": "P01", "policy": f"p{k}"}, [(Patterns.of(item, given, 2), labels)]))
        monkeypatch.setattr(agreement, "_cells", lambda *_a, cells=cells: cells)
        named += agreement.lowest.__wrapped__(fake, Filters(), "project") is not None
    assert named <= 6  # 5 % of 40 is 2


# ---- sentences -------------------------------------------------------------------------------------------------


def frame(**changes) -> pd.DataFrame:
    row = {
        "member": "P01",
        "label": "Comments",
        "narrows": {"project": "P01"},
        "project": "P01",
        "level": "nominal",
        "commonest": "allow",
        "commonest_share": 0.6,
        "items": 900.0,
        "overlap": 0.3,
        "ratings_per_item": 1.4,
        "n": 300.0,
        "skewed": False,
        "target": 0.6,
        "warn": 0.55,
        "status": Status.ON_TARGET.value,
    }
    for name in agreement.COEFFICIENTS:
        row |= {name: 0.65, f"{name}_low": 0.6, f"{name}_high": 0.7, f"{name}_reason": ""}
    return pd.DataFrame([row | changes])


def both(first: dict, second: dict) -> pd.DataFrame:
    return pd.concat([frame(**first), frame(member="P02", label="Videos", **second)], ignore_index=True)


CELL = {"project": "P02", "policy": "satire", "value": 0.41, "low": 0.37, "high": 0.45, "n": 300, "target": 0.6}
OFF, WATCH = {"status": Status.OFF_TARGET.value}, {"status": Status.WATCH.value}


@pytest.mark.parametrize(
    ("rows", "cell", "said"),
    [
        (both({}, {}), None, "Raters agree well on all 2 projects"),
        (
            both(OFF, {}),
            CELL,
            "Raters agree well on 1 of 2 projects; on satire in Video and live moderation alpha is 0.41 (0.37 to "
            "0.45), below the 0.6 its labels are held to",
        ),
        (both(OFF, WATCH), None, "Raters agree well on none of 2 projects and perhaps on 1 more"),
        (
            frame(**WATCH),
            None,
            "Raters agree at alpha 0.65 (0.60 to 0.70) on Comments, below but not clearly below the 0.6 its labels are "
            "held to",
        ),
        (
            both({"status": "no_target", "alpha": 0.3}, {"status": "no_target"}),
            None,
            "Alpha runs from 0.30 on Comments to 0.65 on Videos; no target says what these labels need",
        ),
        (
            frame(alpha=math.nan, alpha_reason="no item has two ratings", status="too_few"),
            None,
            "Agreement has no number here: no item has two ratings",
        ),
    ],
)
def test_the_finding(snapshot, filters, rows, cell, said):
    assert say.finding(snapshot, filters, rows, cell, "project") == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "each pair of ratings as agreed or not"),
        ({"level": "ordinal"}, "a near miss as less than a far one; AC2 gives the same credit"),
        ({"level": "set"}, "part of the credit (MASI)"),
        ({"skewed": True, "commonest_share": 0.74}, "read AC1 beside it, never instead of it (Comments: 74.0 % allow"),
        ({"level": agreement.SEVERAL}, "choose a project for AC1"),
    ],
)
def test_which_coefficient_to_trust_and_why(changes, said):
    assert said in say.trust(frame(**changes), "project").replace("\u00a0", " ")


def test_probabilities_and_points_read_as_people_write_them():
    assert [say.probability(p) for p in (0.0001, 0.0035, 0.27, math.nan)] == ["below 0.001", "0.004", "0.27", "–"]
    assert say.points_with_interval(0.22, 0.052, 0.37) == "+22.0 (+5.2 to +37.0)"
    assert say.points_with_interval(-0.0072, -0.054, 0.038) == "−0.7 (−5.4 to +3.8)"


# ---- label mix and one more rating -----------------------------------------------------------------------------


def test_label_mix_by_project_and_in_one(snapshot, filters):
    recent = filters.over(*periods.last_weeks(snapshot.meta, 13))
    every = agreement_more.shifts(snapshot, recent)
    assert every.labels is None and len(every.projects) > 3
    assert every.projects["q"].dropna().ge(every.projects.loc[every.projects["q"].notna(), "p"]).all()
    assert valid(charts.mix_shifts(every.projects, DARK)[0])
    one = agreement_more.shifts(snapshot, recent.with_("project", "P01"))
    assert set(one.labels["label"]) == set(snapshot.label_sets["P01"].labels)
    assert one.labels["change"].sum() == pytest.approx(0, abs=1e-9)
    spec, said = charts.label_mix(one.labels, LIGHT, 20, "before")
    assert valid(spec) and "labels moved clear of 0" in said
    assert say.label_mix(one, "before")


def test_one_more_rating_and_its_price(snapshot, filters):
    rows = agreement_more.one_more(snapshot, filters)
    known = rows[rows["half_width"].notna()]
    assert len(known) and known["half_width"].is_monotonic_decreasing
    assert (known["ratings"] > 0).all() and (known["cost"] > 0).any()
    assert valid(charts.narrower(rows, LIGHT, "USD")[0])
    assert "One more rating" in say.one_more(rows, "USD")
    assert say.one_more(pd.DataFrame(), "USD").startswith("There is no interval")


def test_a_gain_below_0_is_said_to_be_none_and_not_drawn_as_a_loss():
    foreseen = {"label": ["x", "y"], "half_width": [0.1, 0.02], "later": [0.05, 0.03], "narrowing": [0.5, -0.5]}
    rows = pd.DataFrame(foreseen | {"ratings": 9.0, "cost": 1.0})
    said = say.one_more(rows, "USD")
    assert "No gain seen on y." in said and "make no interval wider" in said
    assert "No gain seen" not in say.one_more(rows.iloc[:1], "USD")
    drawn = values(charts.narrower(rows, LIGHT, "USD")[0])
    assert [v["later"] for v in drawn] == [0.05, 0.02]
    assert drawn[1]["after"].startswith("no narrower")


def test_a_majority_of_more_is_right_more_often(snapshot):
    filters = Filters.of({"project": "P01"}, snapshot.meta.first_day, snapshot.meta.last_day)
    rows = agreement_more.majority(snapshot, filters)
    assert rows["k"].tolist() == list(agreement_more.KS)
    assert rows["accuracy"].is_monotonic_increasing and (rows["low"] <= rows["accuracy"]).all()
    assert valid(charts.majority(rows, LIGHT)[0])
    assert "at most" in say.majority(rows, "USD")
    assert agreement_more.majority(snapshot, filters.with_("project")).empty


# ---- charts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("by", agreement.BREAKDOWNS)
def test_the_chart_of_coefficients(snapshot, filters, colours, by):
    rows = agreement.coefficients(snapshot, filters, by)
    spec, said = charts.coefficients(rows, colours, DIMENSIONS[by])
    assert valid(spec)
    assert said.startswith("How well raters agree, by")
    for value, row in zip(values(spec), rows.to_dict("records"), strict=False):
        assert (value["alpha_x"] is None) == math.isnan(row["alpha"])


def test_a_panel_keeps_values_inside_itself():
    panel = Panel(2.0, 4.0, 0.0, 10.0)
    assert (panel.at(5), panel.at(99), panel.at(-1), panel.at(math.nan)) == (3.0, 4.0, 2.0, None)


def test_no_field_of_a_chart_is_a_word_that_vega_forbids():
    """Vega's safe interpreter refuses properties such as "then" and draws nothing."""
    rows = pd.DataFrame(
        [{"label": "x", "half_width": 0.1, "later": 0.05, "narrowing": 0.5, "ratings": 9.0, "cost": 1.0}]
    )
    assert "then" not in values(charts.narrower(rows, LIGHT, "USD")[0])[0]


def test_the_matrix_of_pairs():
    value = np.array([[np.nan, 0.4, np.nan], [0.4, np.nan, 0.9], [np.nan, 0.9, np.nan]])
    matrix = coefficients.PairMatrix(("a", "b", "c"), value, np.full((3, 3), 20.0))
    spec, said = charts.pair_matrix(matrix, ("A", NASTY, "C"), ("p", "p", "q"), {frozenset("ab")}, DARK, 10, 3)
    assert valid(spec)
    assert spec["title"]["text"] == "How well every two of 3 raters agree"
    some, _ = charts.pair_matrix(matrix, ("A", NASTY, "C"), ("p", "p", "q"), {frozenset("ab")}, DARK, 10, 80)
    assert "3 of 80 raters" in some["title"]["text"] and "3 who share most items" in some["title"]["subtitle"]
    assert [v["marked"] for v in values(spec)] == [False, True, False, True, False, False, False, False, False]
    assert "2 pairs share 10 items or more, 1 of all pairs agree clearly less" in said
    assert agreement_items.LEAST_SHARED == 10


def test_the_chart_says_why_a_group_has_no_number():
    rows = both(
        {}, {"alpha": math.nan, "alpha_low": math.nan, "alpha_high": math.nan, "alpha_reason": "no item has two"}
    )
    spec, _ = charts.coefficients(rows.assign(label=[NASTY, "x"]), LIGHT, "project")
    assert valid(spec)
    assert values(spec)[1]["reason"] == "No item has two" and values(spec)[1]["alpha_x"] is None
