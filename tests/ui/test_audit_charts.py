"""The audit planner's charts are valid and say where the table has the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.ui.asked import valid
from tests.ui.audit_plans import NASTY, rows
from ui import audit_tests, charts
from ui.audit_planner import Ask
from ui.theme import DARK, LIGHT


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_allocation(colours):
    spec, said = charts.allocation(rows(), 0.18, "project and policy", "audits", colours)
    assert valid(spec)
    assert "3 strata; most, 60 audits" in said and "size alone would give 55" in said
    values = spec["data"]["values"]
    assert [v["audits"] for v in values] == [60, 30, 10]
    assert values[0]["label"] == NASTY
    assert values[2]["rate"] is None and values[2]["known"] == "not looked at yet"
    assert values[1]["few"] and "10" in values[1]["rated"]
    assert spec["resolve"]["scale"]["x"] == "independent"


def test_allocation_without_any_rate():
    spec, _ = charts.allocation(rows(error_rate=np.nan, low=np.nan, high=np.nan), np.nan, "policy", "audits", LIGHT)
    assert valid(spec)


def test_a_long_allocation_says_that_the_table_has_the_rest():
    many = pd.concat([rows()] * 20, ignore_index=True)
    spec, _ = charts.allocation(many, 0.1, "project and policy", "audits", LIGHT)
    assert len(spec["data"]["values"]) < len(many)
    assert f"of {len(many)}" in spec["title"]["subtitle"]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_small_charts(colours):
    found = audit_tests.batch(Ask())
    spec, said = charts.operating_curve(found.curve, (0.1, 0.95), (0.2, 0.09), colours)
    assert valid(spec) and "acceptable 10" in said and "95" in said
    test = audit_tests.rater_test(Ask())
    for fixed in ((78, 13), None):
        spec, said = charts.corridor(test.lines, fixed, colours)
        assert valid(spec) and ("13 wrong of 78" in said) == bool(fixed)
    curve = pd.DataFrame({"audits": [0, 500, 1000], "half": [0.03, 0.02, 0.015], "even": [0.03, 0.021, 0.016]})
    spec, said = charts.gains(curve, 500, "audits", colours)
    assert valid(spec) and "±3 points now to ±1.5 points with 1 k" in said.replace("\u00a0", " ")
