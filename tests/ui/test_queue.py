"""The queue: staffing from the roster, the coming days, the planted surge, and sentences."""

from __future__ import annotations

import datetime as dt

import altair as alt
import duckdb
import numpy as np
import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from metrics.backlog import Sla
from sample_data import events, world
from tests.ui.asked import over
from ui import charts, figures, queue, queue_staffing, queue_words
from ui.theme import DARK, LIGHT

SURGE = over("2026-09-28", "2026-10-18", project="P04")


def test_the_backlog_surge_is_on_the_page(snapshot):
    """EV08: P04 from 26 Sep to 19 Oct waits five times as long with 40 % more arrivals."""
    rows = queue.queues(snapshot, SURGE.with_("project"))
    row = rows[rows["member"] == "P04"].iloc[0]
    assert row["value"] < 0.8 and row["status"] == "off_target"
    assert queue.chosen(rows, "") == "P04"
    weeks = queue.weekly(queue.span(queue.days(snapshot, SURGE)))
    during = weeks[weeks["at"] >= "2026-09-28"]["created"].mean()
    assert during > 1.2 * weeks[weeks["at"] < "2026-09-21"]["created"].mean()


def test_how_it_came_to_the_surge_is_said_with_its_cause(whole):
    """EV08 in a sentence: its weeks, by how many points, how far arrivals outran decisions, and what was changed."""
    event = next(e for e in events.EVENTS if e.kind == "backlog_surge")
    for period in (SURGE, over("2026-08-17", "2026-11-15", project="P04")):
        rows = queue.days(whole, period)
        weeks = queue.weekly(queue.span(rows))
        found = queue.stretch(weeks)
        began, ended = weeks["at"].iloc[found.first].date(), weeks["at"].iloc[found.last].date()
        assert abs((began - event.starts_on).days) <= 7 and abs((ended + dt.timedelta(6) - event.ends_on).days) <= 7
        assert found.arrivals == pytest.approx(event.extra["volume"], abs=0.1)
        # Counted by hand: the most open at the end of a day of the stretch, against the Sunday a week before it.
        daily = rows.set_index("day")["backlog"]
        sunday = pd.Timestamp(began) - pd.Timedelta(days=8)
        sundays = daily[(daily.index > sunday) & (daily.index <= pd.Timestamp(ended) + pd.Timedelta(days=6))]
        sundays = sundays[sundays.index.day_of_week == 6]
        assert found.outran == pytest.approx(float(sundays.max() - daily[sunday]))
        noted = figures.changes(whole, period.over(rows["day"].iloc[0].date(), period.end), "week")
        said = queue_words.came_to_this(found, weeks, noted).replace("\u00a0", " ").replace("\u202f", " ")
        points = round(100 * (found.usual - found.share))
        assert points > 30 and f"fell by {points} points" in said
        assert f"arrivals outran decisions by {found.outran:,.0f} items" in said and "more came a week" in said
        assert said.endswith("Noted on 26 Sep: Listing importer opened to all sellers.")


def test_a_steady_queue_and_a_thin_one_have_no_stretch_of_late_weeks(snapshot, whole):
    period = ("2026-07-27", "2026-10-18")
    for k in (1, 2, 3, 5, 6, 7):
        assert queue.stretch(queue.weekly(queue.span(queue.days(whole, over(*period, project=f"P{k:02}"))))) is None
    for k in (5, 7, 8, 9, 10, 11):  # a handful of items due a week: two late ones are chance
        assert queue.stretch(queue.weekly(queue.span(queue.days(snapshot, over(*period, project=f"P{k:02}"))))) is None
    assert queue_words.came_to_this(None, pd.DataFrame(), pd.DataFrame()) == ""


def test_ages_of_the_backlog_are_those_of_its_items(whole, whole_snapshot):
    """The ages between which nine in ten and the oldest lie, against items followed one by one in the sample."""
    labels = queue.age_labels()
    assert queue.aged(np.array([5, 3, 1, 1, 0, 0, 0.0]), labels) == ("2 to 3 days", "4 to 7 days")
    assert queue.aged(np.array([9, 0, 0, 0, 0, 0, 1.0]), labels) == ("today", "31 days or more")
    assert queue.aged(np.zeros(7), labels) == ("", "")
    filters = over("2026-09-21", "2026-10-18", project="P04")
    with duckdb.connect(str(whole_snapshot), read_only=True) as connection:
        lives = connection.execute(
            "SELECT date_diff('day', created_day, DATE '2026-10-18') AS age, items FROM item_lives "
            "WHERE project_id = 'P04' AND created_day <= DATE '2026-10-18' AND "
            "(closed_day IS NULL OR closed_day > DATE '2026-10-18')"
        ).fetchall()
    each = np.array([age for age, items in lives for _ in range(int(items))])
    row = queue.queues(whole, filters).iloc[0]
    for said, age in ((row["oldest"], each.max()), (row["aged"], np.sort(each)[int(np.ceil(0.9 * len(each))) - 1])):
        known = queue.ages(whole, filters).set_index("label")["first"]
        assert known[said] == max(f for f in known if f <= age)
    # Done strictly in order none would be older than the days whose arrivals make up the backlog.
    rows = queue.days(whole, filters)
    back = int((rows["created"].to_numpy()[::-1].cumsum() < len(each)).sum())
    assert queue.in_order(rows) == back <= each.max()


def test_during_the_surge_more_people_are_needed_than_before_it(whole):
    ask = queue.Ask()
    before = queue.outlook(whole, over("2026-08-24", "2026-09-20", project="P04"), ask)
    during = queue.outlook(whole, over("2026-09-07", "2026-10-04", project="P04"), ask)
    assert during.today.miss_period.value > before.today.miss_period.value
    assert before.need.added is not None and during.need.added is not None
    assert during.need.added > before.need.added + 5
    assert during.need.before.value > 0.9 and during.need.after.value <= ask.risk


def test_added_people_lower_the_risk_and_cost_what_they_are_paid(snapshot):
    filters = over("2026-09-07", "2026-10-04", project="P04")
    plain, more = (queue.outlook(snapshot, filters, queue.Ask(added=n)) for n in (0, 8))
    assert more.found.miss_period.value <= plain.found.miss_period.value
    assert more.today.miss_period == plain.today.miss_period
    assert plain.staff.per_hour > 0
    text = queue_words.queue(plain, queue.Ask(), {"label": "Marketplace", "value": 0.6, "backlog": 300}, "USD")
    assert "more rater" in text and "$" in text


def test_the_roster_is_shared_among_the_queues_of_a_pool(snapshot):
    period = ("2026-10-19", "2026-11-15")
    alone = [queue.staffing(snapshot, over(*period, project=f"P{k:02}")) for k in range(1, 13)]
    assert all(s.source == "shifts" and 0 < s.utilisation <= s.most <= 1 for s in alone)
    assert all(0 <= s.shrinkage < 0.3 for s in alone)
    days = sum(sum(s.heads) for s in alone) * queue_staffing.STAFF_WEEKS
    from data_access import counts
    from data_access.filters import Scope

    whole = counts.counts(snapshot, "shift", ("rater_days",), (), over(*period), Scope.everything())
    assert days == pytest.approx(float(whole["rater_days"].iloc[0]), rel=0.1)


def test_a_promise_is_that_of_most_items():
    def of(histogram):
        return queue.promise_of(np.array(list(histogram), float), np.array(list(histogram.values()), float))

    assert of({72: 10}) == queue.Promise(72.0, 1.0)
    assert of({8: 60, 24: 40}) == queue.Promise(8.0, 0.6)
    assert of({24: 96, 168: 4}).hours == 24  # strays are no promise
    # None has half: the mean, (4·8 + 3·24 + 3·36) / 10.
    assert of({8: 40, 24: 30, 36: 30}) == queue.Promise(21.0, 0.4)
    assert of({-3: 50, 0: 50, 16: 1}) == queue.Promise(16.0, 1.0)  # due before it came is no deadline
    assert of({}) == of({-1: 5}) == queue.Promise(24.0, 0.0)
    assert of({23: 1}).within_day and not of({24: 1}).within_day


@pytest.mark.parametrize("project", range(1, 13))
def test_hours_promised_in_the_sample_are_those_it_was_made_with(snapshot, project):
    made_with = world.PROJECTS[project - 1].due_hours
    filters = over("2026-10-19", "2026-11-15", project=f"P{project:02}")
    assert queue.promise(snapshot, filters) == queue.Promise(made_with, 1.0)
    found = queue.outlook(snapshot, filters, queue.Ask())
    assert found.sla is None or found.sla.hours == made_with


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (queue.Promise(24.0, 1.0), "due 24 hours after they came, with arrivals"),
        (queue.Promise(72.0, 0.83), "due 3 days after they came (83 % of them are), "),
        (queue.Promise(30.0, 0.3), "due 30 hours after they came, the mean of many deadlines"),
        (queue.Promise(), "supposed to be due 24 hours after they came, as no item has a due time"),
    ],
)
def test_the_promise_is_said_in_hours(due, said):
    found = queue_words.promise(queue.Outlook(sla=Sla(due.hours), due=due)).replace("\xa0", " ").replace("\u202f", " ")
    assert found.startswith(said)
    within = queue_words.promise(queue.Outlook(sla=Sla(8.0), due=queue.Promise(8.0, 1.0)))
    assert within.startswith("due 8 hours") and "even over the day" in within and "not seen" in within


def test_stocks_of_the_days_are_those_of_the_catalogue(snapshot):
    filters = over("2026-10-19", "2026-11-15", project="P04")
    last = queue.days(snapshot, filters).iloc[-1]
    row = queue.queues(snapshot, filters).iloc[0]
    assert last["backlog"] == row["backlog"] == queue.ages(snapshot, filters)["items"].sum()


def test_nothing_known_says_why(snapshot):
    found = queue.outlook(snapshot, over("2025-05-19", "2025-06-15", project="P04"), queue.Ask())
    assert found.found is None and "fewer than" in found.reason
    text = queue_words.queue(found, queue.Ask(), {"label": "X", "value": 0.9, "backlog": 12.0}, "USD")
    assert "cannot be told" in text and "12 open" in text


def test_backtests_of_the_sample_s_queues_hold_their_bands(whole_snapshot):
    """75 to 85 % of later days inside the 80 % band, over the twelve queues of the sample together."""
    whole = Snapshot(whole_snapshot)
    held = tried = 0.0
    for k in range(1, 13):
        found = queue.volume(whole, over("2026-10-19", "2026-11-15", project=f"P{k:02}"), 14)
        row = found.methods[found.methods["chosen"]].iloc[0]
        held, tried = held + row["coverage"] * row["covered_n"], tried + row["covered_n"]
    assert 0.75 <= held / tried <= 0.85


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_charts_are_valid_and_say_what_they_show(colours):
    at = pd.date_range("2026-10-01", periods=5)
    known = pd.DataFrame({"at": at, "value": [3.0, 4, 5, 6, 7]})
    coming = pd.DataFrame({"at": at + pd.Timedelta(days=5), "value": 8.0, "low": 5.0, "high": 12.0, "capacity": 9.0})
    spec, text = charts.fan(known, coming, "Arrivals", "items", "items", colours, "staffed for")
    assert alt.LayerChart.from_dict(spec, validate=True) and "80 % band" in text and "staffed for" in text
    heads = coming.assign(heads=[20.0, 20.5, 6.0, 6.2, 20.0])
    spec, text = charts.fan(known, heads, "Arrivals", "items", "items", colours, "staffed for")
    written = [v["raters"] for layer in spec["layer"] for v in layer["data"]["values"] if "raters" in v]
    assert alt.LayerChart.from_dict(spec, validate=True) and written == ["20", "6", "20"]
    assert "Raters: 6.0 to 20.5 a day" in text
    spec, text = charts.fan(known, coming.iloc[:0], "Arrivals", "items", "items", colours)
    assert alt.LayerChart.from_dict(spec, validate=True) and "nothing" in text
    weeks = pd.DataFrame({"at": at, "created": [5, 6, 7, 8, 9], "closed": [4, 6, 7, 8, 8]})
    spec, text = charts.arrived_decided(weeks, colours)
    assert alt.LayerChart.from_dict(spec, validate=True) and "35 items arrived" in text
    rows = pd.DataFrame({"label": ["today", "1 day", "2 to 3 days"], "items": [5.0, 2.0, 1.0], "first": [0, 1, 2]})
    spec, text = charts.ages(rows, 1, colours)
    assert alt.LayerChart.from_dict(spec, validate=True) and "1 of 8" in text


@pytest.mark.parametrize("mart", ["shift", "work"])
def test_days_of_more_than_24_hours_give_a_reason_and_no_outlook(snapshot, monkeypatch, mart):
    real = queue.data.sums

    def stretched(shot, name, columns, by, filters, extra=()):
        rows = real(shot, name, columns, by, filters, extra)
        if name == "shift":
            times = [c for c in columns if c.endswith("_seconds")]
            return rows.assign(**{c: rows[c] * 1e5 for c in times}) if mart == "shift" else rows.iloc[:0]
        return rows.assign(handle_sum_seconds=rows["handle_sum_seconds"] * 1e5) if "day" in by else rows

    monkeypatch.setattr(queue.data, "sums", stretched)
    filters = SURGE
    queue.st.cache_data.clear()
    found = queue.staffing(snapshot, filters)
    queue.st.cache_data.clear()
    assert found.reason == queue_staffing.TOO_LONG
