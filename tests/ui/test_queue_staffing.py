"""Who works on a queue: pools shared between queues by day, times of several bases never set against each other."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data_access.filters import Filters
from ui import queue, queue_staffing
from ui.queue_staffing import HOURS, shares

MONDAY, SATURDAY = pd.Timestamp("2026-11-09"), pd.Timestamp("2026-11-14")


def work(*rows: tuple) -> pd.DataFrame:
    columns = ["day", "pool", "project", "time_basis", "judgements", "handle_n", "handle_sum_seconds"]
    return pd.DataFrame(list(rows), columns=columns)


def roster(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["day", "pool", *HOURS])


def part(rows: pd.DataFrame, project: str, hours: pd.DataFrame) -> dict:
    found = shares(rows[rows["project"] == project], rows, hours)
    return found.set_index(["day", "pool"])["share"].to_dict()


def test_a_pool_is_shared_by_the_day_and_not_by_the_month():
    """A queue with 40 % of a pool on Monday and all of it on Saturday has these shares, not one between them."""
    rows = work(
        (MONDAY, "A", "P1", "active", 40, 40, 4000.0),
        (MONDAY, "A", "P2", "active", 20, 20, 6000.0),
        (SATURDAY, "A", "P1", "active", 10, 10, 1000.0),
    )
    hours = roster((MONDAY, "A", 2, 20000, 18000, 10000), (SATURDAY, "A", 1, 2000, 1800, 1000))
    assert part(rows, "P1", hours) == pytest.approx({(MONDAY, "A"): 0.4, (SATURDAY, "A"): 1.0})
    assert part(rows, "P2", hours) == pytest.approx({(MONDAY, "A"): 0.6})


def test_times_of_two_bases_are_not_set_against_one_another():
    """Lead times hold waiting: a hundred times as long, they take no more of the pool than active time leaves."""
    hours = roster((MONDAY, "A", 2, 20000, 18000, 10000))
    for longer in (1, 100):
        rows = work(
            (MONDAY, "A", "P1", "active", 60, 60, 6000.0),
            (MONDAY, "A", "P2", "lead", 40, 40, 4000.0 * longer),
        )
        assert part(rows, "P1", hours) == pytest.approx({(MONDAY, "A"): 0.6})
        assert part(rows, "P2", hours) == pytest.approx({(MONDAY, "A"): 0.4})
    # Without active seconds in the roster nothing says how long the others really took.
    assert part(rows, "P2", roster((MONDAY, "A", 2, 20000, 18000, 0))) == {}


def test_a_project_counts_on_its_usual_basis_and_untimed_work_at_its_mean():
    rows = work(
        (MONDAY, "A", "P1", "active", 40, 20, 2000.0),  # half of it not timed: 40 judgements of 100 seconds
        (MONDAY, "A", "P1", "lead", 10, 10, 90000.0),  # ten more, timed otherwise
        (MONDAY, "A", "P2", "active", 50, 50, 5000.0),
    )
    hours = roster((MONDAY, "A", 2, 20000, 18000, 10000))
    assert part(rows, "P1", hours) == pytest.approx({(MONDAY, "A"): 0.5})


def over(end: str, project: str) -> Filters:
    last = dt.date.fromisoformat(end)
    return Filters.of({"project": [project]}, last - dt.timedelta(days=27), last)


@pytest.mark.parametrize("end", ["2026-08-23", "2026-11-15"])
@pytest.mark.parametrize("project", ["P01", "P02"])
def test_a_weekend_s_staff_is_what_decides_a_weekend_s_items(whole, project, end):
    """Capacity on Saturdays and Sundays against weekdays is as items decided then are: within 10 %."""
    filters = over(end, project)
    heads = np.array(queue.staffing(whole, filters).heads)
    rows = queue.days(whole, filters).tail(28)
    decided = rows.groupby(rows["day"].dt.day_of_week)["closed"].mean()
    weekend = heads[5:].mean() / heads[:5].mean()
    assert weekend == pytest.approx(decided[5:].mean() / decided[:5].mean(), rel=0.1)


@pytest.mark.parametrize("project", ["P01", "P02"])
def test_no_saw_of_weekends_that_the_past_does_not_show(whole, project):
    """The simulated backlog rises over a weekend no more than a quarter of a day's arrivals, as it never did."""
    filters = over("2026-10-18", project)
    found = queue.outlook(whole, filters, queue.Ask())
    sim = found.today.days["backlog"].to_numpy()
    past = queue.days(whole, filters).tail(28)
    assert past["backlog"].diff().abs().max() < 0.25 * past["created"].mean()
    sundays = [k for k in range(14) if (found.first + dt.timedelta(days=k)).weekday() == 6]
    assert all(sim[k] - sim[k - 2] < 0.25 * past["created"].mean() for k in sundays if k >= 2)


def test_a_queue_timed_in_another_way_has_the_handling_its_roster_spent(whole, monkeypatch):
    """P08 is timed by lead times; the same work with lead times ten times as long has the same capacity."""
    filters = over("2026-10-18", "P08")
    plain = queue.staffing(whole, filters), queue.handle(whole, filters)
    real = queue.data.sums

    def longer(shot, name, columns, by, asked, extra=()):
        rows = real(shot, name, columns, by, asked, extra)
        if "handle_sum_seconds" not in columns:
            return rows
        lead = rows["time_basis"] == "lead" if "time_basis" in rows else asked.values("time_basis") == ("lead",)
        return rows.assign(handle_sum_seconds=rows["handle_sum_seconds"] * np.where(lead, 10, 1))

    monkeypatch.setattr(queue.data, "sums", longer)
    queue.st.cache_data.clear()
    found = queue.staffing(whole, filters), queue.handle(whole, filters)
    queue.st.cache_data.clear()
    assert found[0].heads == pytest.approx(plain[0].heads)
    assert found[1].seconds == pytest.approx(plain[1].seconds)
    assert queue_staffing.timed(whole, filters).values("time_basis") == ("lead",)
