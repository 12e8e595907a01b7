"""Pools by week: they add up, pools of one name are told apart, a short history says so."""

from __future__ import annotations

import datetime as dt

import pytest

from data_access.filters import Filters
from ui import data, rater_weeks
from ui import rater_words as words


def test_pools_of_one_name_are_told_apart(snapshot, half_year):
    rows, why_not = rater_weeks.pools(snapshot, half_year, "gold_accuracy")
    assert why_not == ""
    assert rows["label"].is_unique
    assert sum("Jakarta evening" in label for label in rows["label"]) == 2


@pytest.mark.parametrize("metric", rater_weeks.MEASURES)
def test_the_weeks_add_up_to_the_whole(snapshot, half_year, metric):
    found = rater_weeks.weekly(snapshot, half_year, metric)
    assert len(found.points) == rater_weeks.WEEKS
    assert found.points["at"].is_monotonic_increasing
    known = found.points[found.points["low"].notna()]
    assert ((known["low"] <= known["center"]) & (known["center"] <= known["high"])).all()
    if metric == "gold_accuracy":
        direct = data.sums(snapshot, "work", ("gold_n",), (), half_year)["gold_n"].iloc[0]
        assert found.points["n"].sum() == direct


def test_a_short_history_has_no_limits_and_says_so(snapshot):
    first = snapshot.meta.first_day
    found = rater_weeks.weekly(snapshot, Filters.of((), first, first + dt.timedelta(days=20)), "gold_accuracy")
    assert "fewer than" in found.reason
    assert "no usual band yet" in words.usual(found)
