"""What is said of pools and raters: counts, intervals, who is called, how long somebody is here."""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd
import pytest

from metrics import skill
from metrics.catalogue import METRICS
from metrics.spec import Status
from tests.ui.test_rater_charts import people
from ui import (
    charts,
    data,
    profile_words,
    rater_cell_words,
    rater_error_words,
    rater_history_words,
    rater_list_panels,
    raters,
)
from ui import rater_words as words
from ui.theme import LIGHT


def pool_rows(*statuses: Status, target: float = 0.93) -> pd.DataFrame:
    count = len(statuses)
    return pd.DataFrame(
        {
            "metric": "gold_accuracy",
            "label": [f"Pool {k}" for k in range(count)],
            "value": [0.9 - k / 100 for k in range(count)],
            "low": 0.85,
            "high": 0.95,
            "before": 0.95,
            "change": [-0.05 - k / 100 for k in range(count)],
            "verdict": ["worse" if s is Status.OFF_TARGET else "cannot tell" for s in statuses],
            "score": [2.0 + k for k in range(count)],
            "status": [s.value for s in statuses],
            "target": target,
            "reason": "",
        }
    )


def test_the_pools_sentence_counts_and_names_the_clearest_fall():
    metric = METRICS["gold_accuracy"]
    text = words.pools(pool_rows(Status.OFF_TARGET, Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET), metric)
    assert text.startswith("2 of 4 pools are surely below the 93\u00a0% target on gold accuracy, 1 may be")
    assert "Pool 1 fell most clearly, by 6" in text
    assert words.pools(pool_rows(Status.ON_TARGET), metric).startswith("Every pool meets")
    assert "none clearly fell" in words.pools(pool_rows(Status.WATCH), metric)
    assert words.pools(pd.DataFrame(), metric, why_not="no gold").endswith("has no number here: no gold")


def test_false_discovery_is_said(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    below = len(found.group(skill.BELOW))
    if below:
        assert f"Of the {below} called below target" in words.how_sure(found)
        assert found.wrong * below < below


def test_no_rater_is_called_whose_interval_holds_the_target(snapshot, half_year):
    called = 0
    for pool in ("POOL-09", "POOL-10", "POOL-12"):
        found = raters.raters(snapshot, half_year, pool)
        rows = found.rows[found.rows["group"].isin((skill.BELOW, skill.ABOVE))]
        called += len(rows)
        # An end leaves the target out exactly where that side is 95 % sure.
        rows = found.rows[found.rows["p_below"].between(0.051, 0.949)]
        assert ((rows["low"] < found.target) & (found.target < rows["high"])).all()
        rows = found.rows[~found.rows["p_below"].between(0.049, 0.951) & found.rows["p_below"].notna()]
        assert not ((rows["low"] < found.target) & (found.target < rows["high"])).any()
        rows = found.rows[found.rows["group"].isin((skill.BELOW, skill.ABOVE))]
        assert not ((rows["low"] < found.target) & (found.target < rows["high"])).any()
    assert called


def test_one_interval_is_named_wherever_a_rater_s_accuracy_stands(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-09")
    row = found.group(skill.BELOW).iloc[0].to_dict()
    drawn = people()
    told = (
        words.how_sure(found),
        rater_cell_words.between(row),
        profile_words.profile(row, "Rater 1", "X", found.target),
        rater_list_panels.HEADS["between"].help,
        charts.caterpillar(drawn, 0.84, LIGHT, "X")[0]["title"]["subtitle"],
        charts.pace(drawn, 0.84, LIGHT)[0]["title"]["subtitle"],
    )
    for text in told:
        assert "90 % interval" in text.replace("\u00a0", " ")


def test_the_profile_says_what_was_right_as_judged(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-09")
    work = data.sums(snapshot, "work", ("gold_n", "gold_correct"), ("rater",), half_year.with_("pool", "POOL-09"))
    work = work.set_index("rater")
    rows = found.rows[found.rows["group"] != ""]
    assert len(rows)
    for row in rows.to_dict("records"):
        right, n = (int(work.loc[row["rater"], c]) for c in ("gold_correct", "gold_n"))
        said = profile_words.profile(row, "Rater 1", "X", found.target).replace("\u00a0", " ")
        raw = re.search(rf"got {right} of {n} right \((\S+) %\) on gold; cleared of how hard the items were", said)
        assert float(raw[1]) == pytest.approx(100 * right / n, abs=0.05)


def test_why_there_is_no_learning_curve():
    start, end = dt.date(2026, 5, 18), dt.date(2026, 11, 15)
    long = rater_history_words.no_learning(start - dt.timedelta(days=800), start, end)
    assert "first 26 weeks" in long and "here for 2 years" in long
    assert "have 5 gold judgements or more" in rater_history_words.no_learning(end - dt.timedelta(days=40), start, end)
    assert "not known when" in rater_history_words.no_learning(None, start, end)


def test_matrices_that_are_not_drawn_are_named():
    assert rater_error_words.further_matrices(["A"]).startswith("One more project has gold of this rater: A. Choose it")
    assert "Two more projects have gold of this rater: A and B. Choose one" in rater_error_words.further_matrices(
        ["A", "B"]
    )


@pytest.mark.parametrize("days, said", [(10, "1 weeks"), (400, "13 months"), (1200, "3 years")])
def test_tenure(days, said):
    on = dt.date(2026, 11, 15)
    assert rater_history_words.tenure(on - dt.timedelta(days=days), on) == said
    assert rater_history_words.tenure(None, on) == "not known"
