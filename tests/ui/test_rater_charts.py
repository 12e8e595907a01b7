"""The charts of the rater pages are valid, keep the groups apart and show no name they should not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from metrics.catalogue import METRICS
from metrics.learning import learning_curve
from tests.ui.asked import valid
from ui import charts, data, rater_error_words, rater_errors, rater_weeks, raters
from ui import rater_words as words
from ui.theme import DARK, LIGHT

NASTY = "![x](y) <img src=1> | 'quote' \"double\""


def people(count: int = 9) -> pd.DataFrame:
    group = [raters.GROUPS[k * 3 // count] for k in range(count)]
    value = np.linspace(0.6, 0.97, count)
    rows = pd.DataFrame({"rater": [f"R{k}" for k in range(count)], "alias": NASTY, "group": group, "value": value})
    rows = rows.assign(low=value - 0.05, high=np.minimum(value + 0.03, 1), n=40.0, judgements=500.0, pace=1.2)
    rows = rows.assign(pace_low=1.1, pace_high=1.3, spam="no sign", signals="", said="x")
    return rows.assign(status=[raters.status_of_group(g) for g in group])


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_caterpillar_keeps_the_groups_apart_and_shows_no_name(colours):
    spec, said = charts.caterpillar(people(), 0.84, colours, "Da Nang day")
    assert valid(spec)
    at = [v["at"] for v in spec["data"]["values"]]
    assert at[3] - at[2] > 1.5 and at[6] - at[5] > 1.5
    assert "3 below target, 3 cannot tell, 3 above target" in said
    assert all(layer["encoding"].get("text", {}).get("field") != "label" for layer in spec["layer"])


def test_the_workload_stands_beneath_the_caterpillar_rater_by_rater():
    rows = people().assign(judgements=[100.0 * k for k in range(1, 10)])
    spec, said = charts.caterpillar(rows, 0.84, LIGHT, "X")
    drawn = spec["data"]["values"]
    bars = next(layer for layer in spec["layer"] if layer["encoding"].get("y", {}).get("field") == "bar")
    points = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert bars["encoding"]["x"] == points["encoding"]["x"] and "data" not in bars
    floor = drawn[0]["floor"]
    assert bars["encoding"]["y2"] == {"field": "floor"} and {v["floor"] for v in drawn} == {floor} == {spec["height"]}
    heights = np.array([floor - v["bar"] for v in drawn])
    assert np.allclose(heights / heights.max(), rows["judgements"] / rows["judgements"].max())
    assert floor - heights.max() > points["encoding"]["y"]["scale"]["range"][0]  # below every interval
    assert "100 to 900" in said
    assert "is not known" in words.sensitive(math.nan, "X") and "by pool and not by rater" in words.sensitive(60.0, "X")


def test_pace_marks_the_chosen_rater(snapshot):
    spec, _ = charts.pace(people(), 0.84, LIGHT, "R3")
    assert valid(spec)
    assert [v["member"] for v in spec["data"]["values"] if v["mine"]] == ["R3"]


@pytest.mark.parametrize("metric", rater_weeks.MEASURES)
def test_control_is_valid_with_and_without_limits(snapshot, half_year, metric):
    changes = pd.DataFrame({"starts_on": [pd.Timestamp("2026-09-01")], "kind": ["tool"], "summary": [NASTY]})
    points = rater_weeks.weekly(snapshot, half_year, metric).points
    spec, said = charts.control(points, METRICS[metric], LIGHT, 0.84, snapshot.meta.provisional_from, changes)
    assert valid(spec) and "usual band" in said
    blank = points.assign(low=math.nan, high=math.nan, center=math.nan)
    assert valid(charts.control(blank, METRICS[metric], DARK)[0])


def test_confusion_mutes_the_diagonal_and_counts(snapshot, half_year):
    found = rater_errors.matrix(snapshot, half_year, "P01")
    spec, said = charts.confusion(found.counts, found.labels, DARK, NASTY, "on gold")
    assert valid(spec)
    assert sum(c["n"] for c in spec["data"]["values"]) == found.counts.sum()
    assert "judgements are wrong" in said
    assert "every judgement is right" in charts.confusion(np.eye(2), ["a", "b"], LIGHT, "", "on gold")[1]


def test_the_margins_of_a_matrix_are_recall_and_precision_and_macro_f1_stands_beneath(snapshot, half_year):
    """Against plain counts of the same judgements, one row each."""
    found = rater_errors.matrix(snapshot, half_year, "P01")
    rows = data.confusion(snapshot, half_year.with_("project", "P01"))
    truth, given = (np.repeat(rows[c].to_numpy(), rows["n"].astype(int)) for c in ("truth", "label"))
    spec, _ = charts.confusion(found.counts, found.labels, LIGHT, "", "on gold")
    margins = [v for layer in spec["layer"] for v in layer.get("data", {}).get("values", [])]
    assert len(margins) == 2 * len(found.labels)
    for label in found.labels:
        both = np.sum((truth == label) & (given == label))
        shares = {"recall": both / np.sum(truth == label), "precision": both / np.sum(given == label)}
        for measure, share in shares.items():
            (drawn,) = [m for m in margins if m["of"] == label and m["measure"].startswith(measure)]
            assert float(drawn["text"]) == pytest.approx(100 * share, abs=0.051)
            assert " to " in drawn["said"]
    f1 = []
    for label in found.labels:
        both = np.sum((truth == label) & (given == label))
        f1.append(2 * both / (np.sum(truth == label) + np.sum(given == label)))
    assert found.macro.value == pytest.approx(np.mean(f1))
    assert f"{100 * np.mean(f1):.1f}" in rater_error_words.macro_f1(found) and " to " in rater_error_words.macro_f1(
        found
    )
    many = rater_errors.matrix(snapshot, half_year, "P05")
    assert "in sets" in rater_error_words.macro_f1(many)
    spec, _ = charts.confusion(many.counts, many.labels, LIGHT, "", "on gold", rater_errors.OTHER)
    assert valid(spec)
    margins = [v for layer in spec["layer"] for v in layer.get("data", {}).get("values", [])]
    assert rater_errors.OTHER not in {m["of"] for m in margins}


def test_a_project_of_the_error_mix_opens_its_labels(snapshot, half_year):
    found = rater_errors.errors(snapshot, half_year)
    spec, _ = charts.error_sides(found.rows, LIGHT, found.by, "on gold", "its labels")
    assert valid(spec) and spec["layer"][0]["params"][0]["name"] == "cell"
    assert {v["member"] for v in spec["data"]["values"]} <= set(snapshot.names["project"])
    assert "Click a project" in spec["title"]["subtitle"]
    plain, _ = charts.error_sides(found.rows, LIGHT, found.by, "on gold")
    assert "params" not in plain["layer"][0]


def test_errors_and_shares_are_valid(snapshot, half_year):
    found = rater_errors.errors(snapshot, half_year)
    assert valid(charts.error_sides(found.rows, LIGHT, found.by, "on gold")[0])
    assert valid(charts.share_dots(rater_errors.verdicts(snapshot, half_year), DARK, "T", "s", "audits")[0])


def test_curve_draws_what_is_fitted():
    weeks = np.arange(1, 13)
    rows = learning_curve(weeks, np.full(12, 300), np.round(300 * (0.1 + 0.3 * weeks**-1.0))).fitted
    spec, _ = charts.curve(rows.rename(columns={"period": "x"}), LIGHT, "T", "s", "weeks")
    assert valid(spec)
    assert all(v["fitted"] is not None for v in spec["data"]["values"])
