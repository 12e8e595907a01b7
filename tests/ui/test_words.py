"""Sentences say what the estimates say, and nothing that data hold can change their markup."""

import inspect
import math

import pandas as pd
import pytest

from metrics.compare import BETTER, UNCLEAR, WORSE
from metrics.spec import Status
from ui import words
from ui.format import MINUS, SPACE


def row(**changes) -> dict:
    base = {
        "metric": "gold_accuracy",
        "value": 0.912,
        "low": 0.906,
        "high": 0.918,
        "n": 9000.0,
        "reason": "",
        "status": Status.OFF_TARGET,
        "target": 0.93,
        "warn": 0.90,
        "before": 0.926,
        "change": -0.014,
        "score": 2.0,
        "verdict": WORSE,
    }
    return base | changes


def plain(text: str) -> str:
    return text.replace(SPACE, " ").replace(MINUS, "-")


def test_a_fall_below_target():
    said = plain(words.headline(row()))
    assert said == "Gold accuracy fell 1.4 points to 91.2 % (90.6 to 91.8), below its 93 % target"


def test_an_unclear_change_is_held():
    said = plain(words.headline(row(verdict=UNCLEAR, status=Status.ON_TARGET, target=0.9), streak=9))
    assert said == "Gold accuracy held at 91.2 % (90.6 to 91.8), on its 90 % target for 9 weeks"


def test_a_miss_within_the_interval_is_not_called_clear():
    assert plain(words.headline(row(status=Status.WATCH))).endswith("below its 93 % target but not clearly")


def test_no_number_gives_the_reason():
    missing = row(value=math.nan, low=math.nan, high=math.nan, change=math.nan, reason="no gold items")
    assert words.headline(missing) == "Gold accuracy has no number here: no gold items"


def test_nothing_before_is_not_a_change():
    assert "stands at" in words.headline(row(change=math.nan, before=math.nan, verdict=UNCLEAR))


def test_a_band_is_above_or_below_its_nearer_end():
    high = row(metric="utilisation", value=0.93, target=0.72, warn=0.88, verdict=UNCLEAR)
    assert plain(words.against_target(high, words.find_metric("utilisation"), "USD")) == ", above its 72 to 88 % band"


def test_overview_names_what_moved():
    total = {"value": 9.0, "low": math.nan, "high": math.nan, "score": 0.0, "status": Status.NO_TARGET}
    rows = pd.DataFrame([row(), row(metric="backlog", **total)])
    said = plain(words.overview(rows))
    assert said.startswith("Gold accuracy fell 1.4 points to 91.2 %")
    assert said.endswith("; backlog also got worse, none better")


def test_overview_with_one_mover():
    rows = pd.DataFrame([row(verdict=BETTER, change=0.014), row(metric="audit_accuracy", verdict=UNCLEAR)])
    said = plain(words.overview(rows))
    assert ", for the better" in said
    assert said.endswith("; no other KPI clearly moved; audit accuracy is off target")


def test_overview_of_a_calm_period_says_how_many_miss():
    rows = pd.DataFrame([row(verdict=UNCLEAR), row(metric="audit_accuracy", verdict=UNCLEAR, status=Status.ON_TARGET)])
    assert words.overview(rows) == "No KPI moved clearly; gold accuracy is off target"
    fine = rows.assign(status=Status.ON_TARGET)
    assert words.overview(fine) == "No KPI moved clearly; none is clearly off target"


def test_overview_of_nothing():
    assert words.overview(pd.DataFrame([row(value=math.nan)])).startswith("There is nothing to measure")


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://e.vil/a.png)",
        "[a](b)",
        ":red[x]",
        ":smile:",
        "$x$ `y`",
        "# head",
        "<b>x</b>",
        "a|b",
        "https://x.y",
        "1. x",
    ],
)
def test_names_from_data_stay_text(text):
    escaped = words.md(text)
    for mark in "[]()<>`$#|":
        assert escaped.count(mark) == escaped.count(f"\\{mark}")
    assert ":r" not in escaped and ":s" not in escaped and "://" not in escaped
    assert "\n" not in words.md("a\nb")


def test_no_sentence_claims_a_cause():
    code = inspect.getsource(words).replace('"caused"', "")
    assert "because" not in code and "due to" not in code and "caused by" not in code


def test_code_in_an_error_stays_code_and_the_rest_stays_text():
    said = words.md_error("No file at /a_b/*c*. Make it with `manage.py refresh --full`.")
    assert "`manage.py refresh --full`" in said and "\\*c\\*" in said
    assert "`" not in words.md_error("odd ` one").replace("\\`", "")


def test_plurals_read_as_english():
    said = {n: words.plural(n) for n in ("project", "policy", "task type", "time basis", "tenure")}
    assert said["policy"] == "policies" and said["time basis"] == "time bases" and said["project"] == "projects"
