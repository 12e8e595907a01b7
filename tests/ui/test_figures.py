"""What pages show follows from measure(), in few calls."""

import math

import pandas as pd
import pytest

from data_access.filters import Filters
from metrics.catalogue import METRICS, headline
from metrics.compare import UNCLEAR, WORSE
from metrics.spec import Status
from ui import data, figures, words

LAST_WEEKS = 4


def frame(metric: str, value: float, low: float, high: float) -> pd.DataFrame:
    return pd.DataFrame({"metric": [metric], "value": [value], "low": [low], "high": [high], "n": [100.0]})


def test_the_scorecard_holds_each_headline_metric_once(snapshot, filters):
    rows = figures.scorecard(snapshot, filters)
    assert rows["metric"].tolist() == [m.name for m in headline()]
    assert set(figures.CHANGE_COLUMNS) <= set(rows.columns)
    assert rows["weekly"].map(len).max() == figures.SPARK_WEEKS
    direct = data.measure(snapshot, ("gold_accuracy",), (), filters)["value"].iloc[0]
    assert rows.loc[rows["metric"] == "gold_accuracy", "value"].iloc[0] == direct


def test_a_page_asks_for_all_metrics_at_once(snapshot, filters, monkeypatch):
    calls = []
    real = data.queries.measure_many
    monkeypatch.setattr(data.queries, "measure_many", lambda *a, **k: calls.append(a[2]) or real(*a, **k))
    other = filters.with_("language", "th")
    figures.scorecard(snapshot, other)
    figures.moves(snapshot, other)
    figures.heat(snapshot, other)
    assert calls == [((), ("project",), ("pool",)), (("week",),)]


def test_times_are_shown_on_the_basis_most_work_has_and_said_so(snapshot, filters):
    names = ("gold_accuracy", "handle_time_p50_seconds")
    assert figures.main_basis(snapshot, filters, names) == "active"
    assert figures.main_basis(snapshot, filters, names[:1]) == ""
    assert figures.main_basis(snapshot, filters.with_("time_basis", "lead"), names) == ""
    rows = figures.measure(snapshot, names, ((),), (filters,))[0][0].set_index("metric")
    active = data.measure(snapshot, names[1:], (), filters.with_("time_basis", "active")).iloc[0]
    assert list(rows.index) == list(names)
    assert rows.loc[names[1], "value"] == active["value"]
    assert math.isnan(data.measure(snapshot, names[1:], (), filters)["value"].iloc[0])
    assert "active time" in words.basis_note("active")


def test_a_total_that_moved_has_moved():
    now, before = frame("backlog", 9.0, math.nan, math.nan), frame("backlog", 4.0, math.nan, math.nan)
    assert figures.with_change(now, before, ["metric"])["verdict"].tolist() == [WORSE]


def test_overlapping_estimates_cannot_be_told_apart():
    now, before = frame("gold_accuracy", 0.9, 0.88, 0.92), frame("gold_accuracy", 0.91, 0.89, 0.93)
    assert figures.with_change(now, before, ["metric"])["verdict"].tolist() == [UNCLEAR]


def test_nothing_before_gives_no_change():
    now = frame("gold_accuracy", 0.9, 0.88, 0.92)
    row = figures.with_change(now, now.iloc[:0], ["metric"]).iloc[0]
    assert math.isnan(row["change"]) and row["verdict"] == UNCLEAR


def test_moves_are_clear_and_the_clearest_come_first(snapshot, filters):
    rows, compared = figures.moves(snapshot, filters.over(snapshot.meta.first_day, snapshot.meta.last_day), 5)
    assert compared >= len(rows)
    assert rows["score"].is_monotonic_decreasing
    assert (rows["score"] > 1).all()


def test_heat_shows_only_metrics_with_a_target(snapshot, filters):
    rows, axis = figures.heat(snapshot, filters)
    assert axis == "project"
    assert "judgements" not in set(rows["metric"])
    assert rows.groupby("metric")["member"].nunique().nunique() == 1


def test_axes_leave_out_what_the_filters_fix(filters):
    assert figures.axes(filters) == ("project", "pool")
    assert figures.axes(filters.with_("project", "P01")) == ("pool", "policy")
    assert figures.axes(filters.with_("project", "P01", "P02")) == ("project", "pool")
    fixed = filters.with_("project", "P01")
    assert figures.first_axis(fixed, METRICS["gold_accuracy"]) == "pool"
    assert figures.first_axis(fixed, METRICS["percent_agreement"]) == "policy"
    assert figures.first_axis(filters, METRICS["utilisation"]) == "pool"


def test_breakdown_puts_what_misses_first_and_too_few_last(snapshot, filters):
    rows, why_not = figures.breakdown(snapshot, filters, "gold_accuracy", "project")
    assert why_not == ""
    order = rows["status"].map(figures.ORDER).tolist()
    assert order == sorted(order)


def test_breakdown_by_a_dimension_not_kept_gives_the_reason(snapshot, filters):
    rows, why_not = figures.breakdown(snapshot, filters, "percent_agreement", "pool")
    assert rows.empty
    assert "not kept by pool" in why_not


def test_people_are_never_ranked():
    assert not {"rater", "lead"} & set(figures.BREAKDOWNS)


@pytest.mark.parametrize("grain", ["day", "week", "month"])
def test_over_time_marks_the_step_that_is_not_whole(snapshot, grain):
    end = snapshot.meta.last_day - pd.Timedelta(days=3)
    rows = figures.over_time(snapshot, Filters.of((), end - pd.Timedelta(days=20), end), "judgements", grain)
    assert rows["at"].is_monotonic_increasing
    assert rows["whole"].iloc[-1] == (grain == "day")


def test_streak_counts_back_from_the_last_week(snapshot, filters):
    rows = figures.weeks(snapshot, filters, ("sla_attainment",))
    expected = 0
    for status in rows["status"][::-1]:
        if status != Status.ON_TARGET:
            break
        expected += 1
    assert figures.streak(snapshot, filters, "sla_attainment") == expected


def test_changes_touch_the_chosen_project_or_everyone(snapshot, filters):
    rows = figures.changes(snapshot, filters.with_("project", "P01"), "month")
    assert set(rows["project_id"].dropna()) <= {"P01"}
    assert len(rows) <= figures.MOST_CHANGES
