"""A staffed queue: items followed one by one, paths by hand, brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import capacity as cp
from metrics.backlog import OLDER_THAN_KNOWN, Sla
from metrics.capacity import Queue, Staff
from metrics.handling import HandleTime
from tests.metrics.queue_by_item import follow

EXACT = HandleTime(100.0)
STAFF = Staff(headcount=10, hours=8, utilisation=0.8, shrinkage=0.2)  # 10·8·.8·.8·3600/100 = 1,843.2 items a day


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (Queue, ([5.0, 6.0], STAFF, EXACT)),
        (Queue, ([[5.0, math.nan]], STAFF, EXACT)),
        (Queue, ([[5.0]], STAFF, HandleTime(None, None, None, "few"))),
    ],
)
def test_what_cannot_be_is_refused(function, arguments):
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)


# ---- the simulated queue


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=14),
    st.lists(st.integers(0, 6), min_size=4, max_size=4),
    st.sampled_from([6.0, 24.0, 30.0, 48.0, 60.0, 72.0]),
    st.integers(0, 30),
    st.sampled_from([0.5, 0.9, 1.0]),
)
def test_lateness_and_age_are_those_of_items_followed_one_by_one(days, recent, hours, left, target):
    """One path, capacity given by hours: ages against a queue of single items, lateness against one in small steps."""
    arrivals, capacity = np.array(days).T
    left = min(left, sum(recent))
    # First in, first out: those open at the start are the last that came.
    came = [4 - i for i, n in enumerate(recent) for _ in range(n)]  # their ages on day 0
    ages, _ = follow(arrivals.tolist(), capacity.tolist(), sorted(came)[:left])
    staff = Staff(headcount=1, hours=capacity * 100 / 3600, utilisation=1, shrinkage=0)
    found = Queue([arrivals], staff, EXACT, start=left, recent=recent, sla=Sla(hours, target)).outlook()
    table = found.days
    np.testing.assert_allclose(table["backlog"], [len(a) for a in ages], atol=1e-9)
    oldest = [a[-1] if a else math.nan for a in ages]
    np.testing.assert_allclose(table["oldest_age_days"], oldest)
    due, late = steps(arrivals, capacity, recent, left, hours)
    np.testing.assert_allclose(table["late"], late, atol=0.15)
    np.testing.assert_array_equal(table["miss"].notna(), due > 0)
    if due.sum():
        assert found.attainment.value == pytest.approx(1 - table["late"].sum() / due.sum())
        surely = np.abs(late - (1 - target) * due) > 0.15
        missed = late > (1 - target) * due
        with_due = surely & (due > 0)
        np.testing.assert_array_equal(table["miss"][with_due].astype(bool), missed[with_due])
    else:
        assert found.attainment.reason == found.miss_any.reason == cp.NOTHING_DUE


def steps(arrivals, capacity, recent, left, hours, number=480):
    """Items due, and late of them, each day, when both arrivals and work come in ``number`` even steps a day."""
    came = np.repeat([*recent, *arrivals], number) / number
    arrived = came.cumsum()
    first, done = len(recent) * number, np.full(len(came), 0.0)
    done[:first] = arrived[first - 1] - left  # what was done before does not fall due with a question
    for step in range(first, len(came)):
        able = capacity[(step - first) // number] / number
        done[step] = min(done[step - 1] + able, arrived[step])
    due, late = np.zeros(len(arrivals)), np.zeros(len(arrivals))
    wait = round(hours / 24 * number)
    for step in range(first, len(came)):
        if step >= wait:
            day = (step - first) // number
            due[day] += came[step - wait]
            late[day] += came[step - wait] * (done[step] < arrived[step - wait] - 1e-9)
    return due.round(9), late


def test_a_promise_of_24_hours_is_not_one_of_the_next_day():
    """Work that starts a day after its items came is late from the first minute, not from the second midnight on."""
    staff = Staff(headcount=1, hours=[0, 0, 24, 24], utilisation=1, shrinkage=0)  # 0, 0, 864, 864 items
    found = Queue([[400.0, 0, 0, 0]], staff, EXACT, sla=Sla(24)).outlook().days
    assert found["late"].tolist() == [0, 400, 0, 0]
    found = Queue([[400.0, 0, 0, 0]], staff, EXACT, sla=Sla(48)).outlook().days
    assert found["late"].tolist() == [0, 0, 0, 0]  # the pace of work is above that of falling due
    found = Queue([[400.0, 0, 0, 0]], staff, EXACT, sla=Sla(36)).outlook().days
    # From noon of the second day on; by midnight half are due, and work makes good 864 v + 200 against 400 v + 200.
    assert found["late"].tolist() == pytest.approx([0, 200, 200 * 200 / (864 - 400) / 0.5, 0])
    ahead = Queue([[800.0, 800, 800, 800]], staff, EXACT, recent=[800], sla=Sla(24)).outlook().days["late"]
    looser = Queue([[800.0, 800, 800, 800]], staff, EXACT, recent=[800], sla=Sla(36)).outlook().days["late"]
    assert looser.sum() < ahead.sum()


def paths(rng, level=1850.0, days=28, number=2000, shared=120.0):
    return np.maximum(level + rng.normal(0, shared, (number, 1)) + rng.normal(0, 80, (number, days)), 0)


def test_quantiles_and_risks_are_those_of_the_paths():
    """Brute force over paths in plain Python, handle time fixed."""
    arrivals = paths(np.random.default_rng(1), number=300)
    recent, sla = [1700.0, 1900.0], Sla(48, 0.9)
    found = Queue(arrivals, STAFF, EXACT, start=800, recent=recent, sla=sla).outlook()
    lefts, misses, shares = [], [], []
    for path in arrivals:
        left, lates, dues, open_items = [], [], [], 800.0
        known = [*recent, *path]
        for day in range(28):
            morning = open_items - known[day] - known[day + 1]  # due and not done
            evening = morning + known[day] - 1843.2
            if morning * evening < 0:
                late = known[day] * max(morning, evening) / abs(morning - evening)
            else:
                late = known[day] * (morning > 0 or evening > 0)
            open_items = max(0.0, open_items + path[day] - 1843.2)
            left.append(open_items)
            lates.append(late)
            dues.append(known[day])
        lefts.append(left)
        misses.append([late > 0.1 * due for late, due in zip(lates, dues, strict=True)])
        shares.append(1 - sum(lates) / sum(dues))
    table = found.days
    for column, q in (("low", 0.1), ("backlog", 0.5), ("high", 0.9)):
        np.testing.assert_allclose(table[column], np.quantile(lefts, q, axis=0), atol=1e-6)
    np.testing.assert_allclose(table["miss"], np.mean(misses, axis=0))
    assert found.miss_any.value == pytest.approx(np.mean(np.any(misses, axis=1)))
    assert found.miss_period.value == pytest.approx(np.mean(np.array(shares) < 0.9))
    assert found.attainment.value == pytest.approx(np.median(shares))
    assert (found.attainment.low, found.attainment.high) == pytest.approx(tuple(np.quantile(shares, [0.1, 0.9])))
    assert 0 < found.miss_period.value < 1
    assert table["n"].tolist() == [300] * 28
    assert list(table) == list(cp.DAY_COLUMNS)


def test_handle_time_varies_as_told_and_keeps_its_mean():
    handle = HandleTime(100.0, 0.06, 0.08)
    queue = Queue(np.ones((4000, 28)), STAFF, handle, seed=5)
    seconds = 1843.2 * 100 / queue.capacity(0)
    assert seconds.mean() == pytest.approx(100, rel=0.005)
    logs = np.log(seconds)
    assert logs.std(axis=0).mean() == pytest.approx(0.08, rel=0.03)
    assert logs.mean(axis=0).std() == pytest.approx(math.hypot(0.06, 0.08 / math.sqrt(28)), rel=0.03)


def test_paths_that_err_together_miss_more_often_than_independent_days():
    """Why forecast paths are drawn whole: same spread of each day, other risk."""
    rng = np.random.default_rng(2)
    spread = math.hypot(120, 80)
    together = Queue(paths(rng, 1780), STAFF, EXACT, recent=[1780], sla=Sla(24)).outlook()
    independent = rng.normal(1780, spread, (2000, 28))
    apart = Queue(independent, STAFF, EXACT, recent=[1780], sla=Sla(24)).outlook()
    assert together.miss_period.value > 5 * max(apart.miss_period.value, 0.005)


def test_the_seed_alone_decides():
    arrivals, handle = paths(np.random.default_rng(3)), HandleTime(100.0, 0.05, 0.05)
    first, again, other = (Queue(arrivals, STAFF, handle, start=900, seed=s).outlook() for s in (1, 1, 2))
    assert first.days.equals(again.days)
    assert not first.days.equals(other.days)


def test_what_is_not_known_has_a_reason():
    alone = Queue([[5.0, 5.0, 5.0]], STAFF, EXACT, start=5000, sla=Sla(24)).outlook()
    # Nothing is known to fall due on the first day, and what is open is older than all arrivals known.
    assert alone.days["reason"].tolist() == [
        f"no items due; {OLDER_THAN_KNOWN}",
        OLDER_THAN_KNOWN,
        "no open items",
    ]
    assert alone.days["miss"].isna().tolist() == [True, False, False]
    assert alone.days["oldest_age_days"].isna().all()
    idle = Queue(np.zeros((10, 4)), STAFF, EXACT).outlook()
    assert idle.miss_period.reason == idle.attainment.reason == cp.NOTHING_DUE
    assert Queue(np.zeros((10, 4)), STAFF, EXACT).heads_needed().reason == cp.NOTHING_DUE


# ---- the smallest addition


@pytest.mark.parametrize("any_day", [False, True])
def test_the_fewest_heads_are_those_of_trying_all(any_day):
    arrivals, handle = paths(np.random.default_rng(4), 2300), HandleTime(100.0, 0.04, 0.04)
    given_ = {"start": 1500, "recent": [2000, 2000], "sla": Sla(24, 0.95), "seed": 7}
    found = Queue(arrivals, STAFF, handle, **given_).heads_needed(most_risk=0.1, any_day=any_day, cost_per_hour=20)

    def risk(added):
        outlook = Queue(arrivals, STAFF, handle, **given_).outlook(added=added)
        return outlook.miss_any if any_day else outlook.miss_period

    tried = [risk(k).value for k in range(found.added + 3)]  # enough for every risk below
    assert tried == sorted(tried, reverse=True)
    assert found.added == next(k for k, r in enumerate(tried) if r <= 0.1) > 1
    assert found.before == risk(0)
    assert found.after == risk(found.added)
    for most in (0.02, 0.2, 0.4, 0.6, tried[2]):
        needed = Queue(arrivals, STAFF, handle, **given_).heads_needed(most_risk=most, any_day=any_day)
        assert needed.added == next((k for k, r in enumerate(tried) if r <= most), found.added + 3)
    assert found.cost == pytest.approx(found.added * 28 * 8 * 20)
    assert found.capacity_items == pytest.approx(found.added * 28 * 184.32, rel=0.01)


def test_added_heads_as_a_bigger_staff():
    """k heads with today's attendance are a headcount k larger on full days."""
    arrivals, roster = paths(np.random.default_rng(5), 1600), np.tile([10.0, 10, 10, 10, 10, 5, 0], 4)
    sums = {"start": 500, "recent": [1500], "seed": 1}
    now = Staff(roster, 8, 0.8, 0.1)
    larger = Staff(roster * 1.4, 8, 0.8, 0.1)
    added = Queue(arrivals, now, EXACT, **sums).outlook(added=4)
    assert added.days["capacity"].to_numpy() == pytest.approx(
        Queue(arrivals, larger, EXACT, **sums).outlook().days["capacity"].to_numpy()
    )
    found = Queue(arrivals, now, EXACT, **sums).heads_needed(cost_per_hour=10, most_risk=0.2)
    assert found.cost == pytest.approx(found.added * 4 * 5.5 * 8 * 10)


def test_new_heads_that_are_slow_or_late_are_paid_whole():
    arrivals, slow = paths(np.random.default_rng(6), 2100), np.r_[np.zeros(7), np.full(21, 0.5)]
    full = Queue(arrivals, STAFF, EXACT, recent=[2000]).heads_needed(cost_per_hour=15)
    half = Queue(arrivals, STAFF, EXACT, recent=[2000], productivity=0.5).heads_needed(cost_per_hour=15)
    assert half.added in (2 * full.added, 2 * full.added - 1)
    assert half.cost == pytest.approx(half.added * 28 * 8 * 15)
    early, late = (
        Queue(arrivals, STAFF, EXACT, recent=[2000], productivity=p).heads_needed(most_risk=0.5).added
        for p in (0.5, slow)
    )
    assert late > early


def test_no_addition_where_none_is_needed_and_a_reason_where_none_is_enough():
    calm = Queue(paths(np.random.default_rng(7), 1200), STAFF, EXACT, recent=[1200]).heads_needed(cost_per_hour=20)
    assert (calm.added, calm.cost, calm.capacity_items, calm.reason) == (0, 0.0, 0.0, "")
    swamped = Queue(paths(np.random.default_rng(8), 90_000), STAFF, EXACT).heads_needed(cost_per_hour=20, most_added=50)
    assert (swamped.added, swamped.cost, swamped.reason) == (None, None, cp.OUT_OF_REACH)
    assert swamped.after.value > 0.1
    unpriced = Queue(paths(np.random.default_rng(9), 2300), STAFF, EXACT, recent=[2000]).heads_needed()
    assert unpriced.added > 0
    assert unpriced.cost is None
    for wrong in ({"most_risk": 1.1}, {"most_added": 0}, {"cost_per_hour": -1.0}):
        with pytest.raises(ValueError, match="risk"):
            Queue([[1.0]], STAFF, EXACT).heads_needed(**wrong)
