"""Every specification is valid Vega-Lite, says what it shows and hides no gap."""

import base64
import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from metrics.catalogue import METRICS
from metrics.spec import Status
from tests.ui.asked import valid
from ui import charts
from ui.charts import base
from ui.sparkline import sparkline
from ui.theme import DARK, LIGHT

WEEKS = pd.date_range("2026-08-17", periods=13, freq="W-MON")
NASTY = "![x](y) <img src=1> | 'quote' \"double\""


def over(metric: str = "gold_accuracy", missing: tuple[int, ...] = (), interval: bool = True) -> pd.DataFrame:
    values = np.linspace(0.8, 0.9, len(WEEKS))
    rows = pd.DataFrame({"metric": metric, "at": WEEKS, "value": values, "n": 500.0, "reason": "", "whole": True})
    rows = rows.assign(low=values - 0.02 if interval else math.nan, high=values + 0.02 if interval else math.nan)
    rows = rows.assign(status=Status.WATCH.value, target=0.86, warn=0.83)
    rows.loc[list(missing), ["value", "low", "high"]] = math.nan
    return rows


def groups(metrics: tuple[str, ...] = ("gold_accuracy",)) -> pd.DataFrame:
    states = [Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET, Status.TOO_FEW]
    rows = []
    for metric in metrics:
        for k, status in enumerate(states):
            few = status is Status.TOO_FEW
            value = math.nan if few else 0.7 + k / 10
            rows.append(
                {
                    "metric": metric,
                    "member": f"m{k}",
                    "label": NASTY if k == 0 else f"Project {k}",
                    "value": value,
                    "low": value - 0.05,
                    "high": value + 0.05,
                    "n": 100.0,
                    "reason": "no gold items" if few else "",
                    "status": status.value,
                    "target": 0.86,
                    "warn": 0.83,
                }
            )
    return pd.DataFrame(rows)


def marks(spec: dict, kind: str) -> list[dict]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == kind]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("grain", ["day", "week", "month"])
def test_trend(colours, grain):
    changes = pd.DataFrame({"starts_on": [pd.Timestamp("2026-09-01")], "kind": ["tool"], "summary": [NASTY]})
    late = dt.date(2026, 11, 8)
    spec, said = charts.trend(
        over(), METRICS["gold_accuracy"], colours, grain, "USD", late, changes, dt.date(2026, 10, 19)
    )
    assert valid(spec)
    assert spec["title"]["text"] == f"Gold accuracy by {grain}"
    assert "Gold accuracy" in said and "90.0" in said
    assert any(p["open"] for p in marks(spec, "point")[0]["data"]["values"])
    assert any("target" in layer["data"]["values"][0].get("text", "") for layer in marks(spec, "text"))


def test_trend_draws_nothing_across_a_gap():
    spec, _ = charts.trend(over(missing=(5,)), METRICS["gold_accuracy"], LIGHT, "week", "USD")
    steps = next(layer["data"]["values"] for layer in marks(spec, "rule") if "x2" in layer["encoding"])
    assert len(steps) == len(WEEKS) - 3
    assert not any(s["x"] < WEEKS[5].isoformat() < s["x2"] for s in steps)


def test_trend_without_any_number_is_still_valid():
    spec, said = charts.trend(over(missing=tuple(range(13))), METRICS["gold_accuracy"], LIGHT, "week", "USD")
    assert valid(spec)
    assert "no week has a number" in said


def test_a_total_has_no_band():
    spec, _ = charts.trend(over("judgements", interval=False), METRICS["judgements"], LIGHT, "week", "USD")
    assert marks(spec, "area")[0]["data"]["values"] == []
    assert "interval" not in spec["title"]["subtitle"]


def test_interval_dots():
    spec, said = charts.interval_dots(groups(), METRICS["gold_accuracy"], LIGHT, "project", "USD")
    assert valid(spec)
    assert "1 of 3 projects off target" in said
    assert [v["status"] for v in spec["data"]["values"]][-1] == "too_few"
    assert spec["data"]["values"][-1]["said"] == "No gold items"


def test_heat_strip():
    spec, said = charts.heat_strip(groups(("gold_accuracy", "audit_accuracy")), DARK, "project", "USD")
    assert valid(spec)
    assert "2 of 6 values are off target" in said
    cells = spec["data"]["values"]
    assert len(cells) == 8
    assert {c["shape"] for c in cells} == {"▲", "◐", "●", "○"}


@pytest.mark.parametrize("field", ["image", "title"])
def test_no_tooltip_field_is_one_that_renders(field):
    for spec in (
        charts.heat_strip(groups(), LIGHT, "project", "USD")[0],
        charts.interval_dots(groups(), METRICS["gold_accuracy"], LIGHT, "project", "USD")[0],
    ):
        assert all(field not in value for value in spec["data"]["values"])


def test_sparkline_is_a_picture_with_a_gap():
    values = [0.8] * 13
    values[4] = math.nan
    uri = sparkline(WEEKS, values, 0.86, LIGHT, LIGHT.good, dt.date(2026, 10, 19), dt.date(2026, 11, 8))
    svg = base64.b64decode(uri.split(",")[1]).decode()
    assert svg.count("<line") == 1 + 10  # the target, and 12 steps less the two at the gap
    assert svg.count("<circle") == 1
    assert sparkline(WEEKS[:1], [0.8], math.nan, LIGHT, LIGHT.good) == ""


def flags_on(days: list[str]) -> list[str]:
    changes = pd.DataFrame(
        {"starts_on": pd.to_datetime(days), "kind": "tool", "summary": [f"change {k}" for k in range(len(days))]}
    )
    spec, _ = charts.trend(over(), METRICS["gold_accuracy"], LIGHT, "week", "USD", None, changes)
    layers = [layer for layer in marks(spec, "text") if "summary" in layer["data"]["values"][0]]
    rules = [layer for layer in marks(spec, "rule") if "summary" in layer["data"]["values"][0]]
    assert valid(spec) and len(rules[0]["data"]["values"]) == len(days)  # each flag keeps its own line
    return [value["text"] for value in layers[0]["data"]["values"]]


def test_flags_close_to_one_another_share_a_number():
    first, last = (over()["at"].dropna().iloc[k] for k in (0, -1))

    def at(share: float) -> str:
        return (first + share * (last - first)).isoformat()

    assert flags_on([at(0.1), at(0.5), at(0.9)]) == ["1", "2", "3"]
    assert flags_on([at(0.1), at(0.11), at(0.13), at(0.9)]) == ["1–3", "4"]
    assert flags_on([at(0.1), at(0.155), at(0.21)]) == ["1–2", "3"]  # counted from the first of a group


@pytest.mark.parametrize(("path", "below"), [((0.9, 0.9, 0.8), True), ((0.8, 0.8, 0.9), False)])
def test_the_last_value_stands_where_the_line_does_not_come_from(path, below):
    rows = over().tail(3).reset_index(drop=True)
    rows = rows.assign(value=path, low=[v - 0.02 for v in path], high=[v + 0.02 for v in path], target=0.5, whole=True)
    for goal in (0.5, 0.99):
        spec, _ = charts.trend(rows.assign(target=goal), METRICS["gold_accuracy"], LIGHT, "week", "USD")
        label = next(layer for layer in marks(spec, "text") if layer["mark"].get("fontWeight") == 600)
        assert (label["mark"]["dy"] > 0) == below


def test_names_of_drivers_leave_the_bars_their_room():
    row = {"part": "price", "place": "Bangkok night · Dialogue grading", "amount": 2.0, "share": 0.5, "detail": "x"}
    spec, _ = charts.drivers(pd.DataFrame([row]), METRICS["cost_per_label"], LIGHT, "USD")
    assert valid(spec) and all(layer["encoding"]["y"]["axis"] is None for layer in spec["layer"])
    names = [layer for layer in marks(spec, "text") if layer["encoding"]["text"]["field"] == "label"]
    assert len(names) == 1 and names[0]["encoding"]["x"] == {"value": 0}


def test_the_browser_gets_the_rows_a_chart_was_given():
    rows = [{"at": "2026-11-02", "n": 3, "value": None}, {"at": NASTY, "value": 0.1, "late": True}]
    spec = {"data": {"values": rows}, "layer": []}
    table, rest = base._as_sent(spec)
    names = ("at", "n", "value", "late")
    assert table.to_pylist() == [{name: row.get(name) for name in names} for row in rows]
    assert rest == {"layer": []} and spec["data"] == {"values": rows}


@pytest.mark.parametrize("data", [{}, {"data": {"values": []}}, {"data": {"values": [{"x": 1}, {"x": "one"}]}}])
def test_a_chart_without_rows_of_one_kind_is_sent_as_it_is(data):
    assert base._as_sent(data) == (None, data)
