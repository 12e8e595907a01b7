"""Where the paid hours go: the planted idle pool, parts that add up, one time basis, sentences with parts missing."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from data_access import queries
from data_access.filters import Scope
from metrics.paid_time import PaidTime, paid_time
from metrics.spec import Status
from tests.ui.asked import over
from ui import productivity_hours, productivity_hours_words
from ui.productivity_hours import BY_COUNT, Hours

EV20 = over("2026-10-12", "2026-11-02")


def test_the_planted_idle_pool_uses_least_of_its_paid_hours(snapshot):
    """EV20: raters of POOL-12 wait for work; breaks stay as they are, so waiting and not time away grows."""
    found = productivity_hours.hours(snapshot, EV20)
    for metric in ("utilisation", "occupancy"):
        rows = found.of_pools(metric)
        assert rows.loc[rows["value"].idxmin(), "member"] == "POOL-12"
    idle = found.of_pools("idle_share")
    assert idle.loc[idle["value"].idxmax(), "member"] == "POOL-12"
    assert found.idle["POOL-12"] > 0 and len(found.idle) == 14
    text = productivity_hours_words.hours(found)
    assert "Least goes into items in Taipei day" in text and "idle hours are there" in text


def test_idle_hours_are_logged_and_not_active(snapshot, sample_warehouse):
    """By SQL on the warehouse itself."""
    import duckdb

    connection = duckdb.connect(str(sample_warehouse), read_only=True)
    rows = connection.execute(
        "SELECT pool_id, SUM(logged_seconds - active_seconds) / 3600 FROM shifts JOIN raters USING (rater_id) "
        "WHERE work_date BETWEEN '2026-10-12' AND '2026-11-02' GROUP BY 1"
    ).fetchall()
    connection.close()
    found = productivity_hours.hours(snapshot, EV20)
    assert found.idle == pytest.approx(dict(rows))
    assert sum(found.idle.values()) == pytest.approx(found.paid.hours * (1 - found.paid.items))


def test_handle_times_of_one_basis_only(snapshot):
    """P08 is timed in another way than the rest: its times are left out, as on the whole page."""
    found = productivity_hours.hours(snapshot, EV20)
    for name in ("rework_time_share", "skip_time_share"):
        mixed = queries.measure(snapshot, [name], filters=EV20, scope=Scope.everything()).iloc[0]
        assert math.isnan(mixed["value"]) and "different ways" in mixed["reason"]
        active = queries.measure(
            snapshot, [name], filters=EV20.with_("time_basis", "active"), scope=Scope.everything()
        ).iloc[0]
        assert found.score(name)["value"] == pytest.approx(active["value"])


def test_a_project_does_not_narrow_the_hours_and_that_is_said(snapshot):
    narrow = over("2026-10-12", "2026-11-02", project="P06", pool="POOL-12")
    assert productivity_hours.narrowed(narrow) == ["project"]
    found = productivity_hours.hours(snapshot, narrow)
    assert set(found.pools["member"]) == {"POOL-12"}
    whole = productivity_hours.hours(snapshot, over("2026-10-12", "2026-11-02", pool="POOL-12"))
    assert found.paid == whole.paid
    assert "Hours carry no project" in productivity_hours_words.not_narrowed(["project"])


# ---- sentences -------------------------------------------------------------------------------------------------


def made(paid: PaidTime, **values: float) -> Hours:
    """Hours of one pool with these shares; those not given are missing."""
    names = (*productivity_hours.OF_SHIFTS, *productivity_hours.OF_HANDLING, BY_COUNT)
    rows = [
        {
            "metric": name,
            "value": values.get(name, math.nan),
            "reason": "" if name in values else "no handle times",
            "status": Status.NO_TARGET.value,
            "member": "A",
            "label": "A",
        }
        for name in names
    ]
    return Hours(paid, pd.DataFrame(rows), pd.DataFrame(rows), {"A": 1.0})


def said(paid: PaidTime, **values: float) -> str:
    return productivity_hours_words.hours(made(paid, **values)).replace("\u00a0", " ")


def test_all_parts_are_said_where_all_are_known():
    text = said(paid_time(36e5, 27e5, 32.4e5, 27e5), utilisation=0.75, rework_time_share=0.031, skip_time_share=0.012)
    assert text == (
        "Of 1,000 paid hours 75.0 % went into items, 15.0 % into waiting for work and 10.0 % into breaks, training and "
        "wellness: paid time, not waste. Of handle time 3.1 % was work done again and 1.2 % went into items passed on."
    )


def test_without_available_time_the_rest_is_one():
    text = said(paid_time(36e5, 27e5, 0, 0), utilisation=0.75)
    assert (
        text == "Of 1,000 paid hours 75.0 % went into items; the rest, breaks, training and waiting, is not told apart."
    )


def test_skips_without_times_are_said_by_count():
    text = said(paid_time(0, 0, 0, 0), rework_time_share=0.02, skip_rate=0.04)
    assert text == (
        "Of handle time 2.0 % was work done again. "
        "4.0 % of served items were passed on; the time that took is not known."
    )


def test_with_nothing_known_nothing_is_said():
    assert said(paid_time(0, 0, 0, 0)) == ""
