"""A move between pools by hand, by closed form, and by items followed one by one."""

import collections
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.reallocation import NO_DAYS, SLA_EFFECTS, WEEKS, Pool, Queue, late, reallocate
from metrics.spec import Estimate

Z = stats.norm.ppf(0.975)


def pool(name, cost, quality, labels, load, capacity=None, half=0.1, spread=0.02):
    def money(v):
        return Estimate(v, v * math.exp(-half), v * math.exp(half), 100)

    return Pool(
        name,
        money(cost),
        Estimate(quality, quality - spread, quality + spread, 200),
        labels,
        load,
        None if capacity is None else money(capacity),
    )


def test_a_move_by_hand():
    found = reallocate(pool("a", 0.2, 0.9, 5000, 8000, 9000), pool("b", 0.1, 0.85, 5000, 6000, 7000), draws=40_000)
    effect = found.effects.set_index("effect")
    assert found.moved == 500
    expected = [-50, -0.0025, -25, 6500 / 7000, 7500 / 9000, 0]
    effect = effect.drop(list(SLA_EFFECTS))
    assert effect["value"].tolist() == pytest.approx(expected)
    assert ((effect["low"] <= effect["value"]) & (effect["value"] <= effect["high"])).all()
    # The difference of two normal qualities.
    half = 500 / 10_000 * math.hypot(0.02, 0.02)
    ends = effect.loc["quality of the queue", ["low", "high"]].tolist()
    assert ends == pytest.approx([-0.0025 - half, -0.0025 + half], abs=3e-5)
    worse = stats.norm.cdf(-0.05 / (math.hypot(0.02, 0.02) / Z))
    assert effect.loc["correct labels a week", "p"] == pytest.approx(worse, abs=0.005)
    full = stats.norm.cdf(math.log(6500 / 7000) / (0.1 / Z))
    assert effect.loc["shortfall a week", "p"] == pytest.approx(full, abs=0.01)
    room = 7000 * math.exp(-0.1 / Z * stats.norm.ppf(0.95)) - 6000
    assert found.fits_share == pytest.approx(room / 5000, abs=0.003)
    assert len(found.assumptions) >= 4


def test_at_the_share_that_fits_capacity_holds_in_19_of_20():
    a, b = pool("a", 0.2, 0.9, 5000, 8000, 9000), pool("b", 0.1, 0.85, 5000, 6000, 7000)
    share = reallocate(a, b).fits_share
    effect = reallocate(a, b, share).effects.set_index("effect")
    assert effect.loc["shortfall a week", "p"] == pytest.approx(0.05, abs=0.002)


def test_nothing_moved_changes_nothing():
    effect = reallocate(pool("a", 0.2, 0.9, 5000, 8000), pool("b", 0.1, 0.8, 0, 0), share=0).effects
    assert effect.loc[:2, ["value", "low", "high"]].eq(0).all(axis=None)


def test_what_is_not_known_is_null_with_a_reason():
    blind = Pool("b", Estimate(0.1, n=5), Estimate.missing("no gold judgements"), 100, 100)
    found = reallocate(pool("a", 0.2, 0.9, 5000, 8000, 9000), blind)
    effect = found.effects.set_index("effect")
    assert effect.loc["cost a week", "value"] == pytest.approx(-50)
    assert math.isnan(effect.loc["cost a week", "low"])
    assert effect.loc["quality of the queue", "reason"] == "no gold judgements"
    assert effect.loc["load of the target", "reason"] == "capacity not known"
    assert (effect["value"].isna() == (effect["reason"] != "")).all()
    assert found.fits_share is None


def test_wrong_moves_are_refused():
    a, b = pool("a", 0.2, 0.9, 50, 80, 90), pool("b", 0.1, 0.8, 50, 80, 90)
    for source, target, share in ((a, a, 0.1), (a, b, 1.5), (a, b, -0.1)):
        with pytest.raises(ValueError, match="moves from one pool"):
            reallocate(source, target, share)
    with pytest.raises(ValueError, match="part of its load"):
        reallocate(a, pool("c", 0.1, 0.8, 90, 80))
    with pytest.raises(ValueError, match="capacity is above 0"):
        reallocate(a, Pool("c", a.cost, a.quality, 5, 5, Estimate(0.0, 0.0, 0.0)))


# ---- SLA


def side(name, labels, room):
    """A pool that makes ``labels`` a week and could make ``room`` (weeks, 7) a day."""
    return Pool(name, Estimate(0.1), Estimate(0.9), labels, labels, room=np.asarray(room, float))


def sla(share, came, rooms, labels=(700, 700), waiting=0.0, due_days=1, whole=None):
    queue = Queue(whole or sum(labels), np.asarray(came, float), waiting, due_days)
    a, b = (side(n, k, r) for n, k, r in zip("ab", labels, rooms, strict=True))
    return reallocate(a, b, share, queue).effects.set_index("effect").loc[list(SLA_EFFECTS)]


def flat(x, weeks=5):
    return np.full((weeks, 7), float(x))


def items_late(came, room, waiting, before, due_days):
    """Every item by itself, oldest first: how many fall due on the days ahead and how many of those are late."""
    days = len(came)
    # What is open at the start is the youngest that came; what is older than all that is known was due long ago.
    young = [day for day, n in zip(range(-len(before), 0), before, strict=True) for _ in range(n)]
    queue = collections.deque([-10_000] * (waiting - len(young)) + young[max(len(young) - waiting, 0) :])
    ahead = sum(before[len(before) - due_days :])
    due = ahead + sum(came[: max(days - due_days, 0)])
    in_time = ahead - sum(day >= -due_days for day in queue)  # made before the first day
    for day in range(days):
        queue.extend([day] * came[day])
        for _ in range(min(room[day], len(queue))):
            one = queue.popleft()
            if one >= -due_days and day <= one + due_days and one + due_days < days:
                in_time += 1
    return due, due - in_time


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=15),
    st.lists(st.integers(0, 9), min_size=3, max_size=6),
    st.integers(0, 40),
    st.integers(0, 3),
)
def test_late_labels_are_those_of_items_followed_one_by_one(days, before, waiting, due_days):
    came, room = (list(x) for x in zip(*days, strict=True))
    found = late(np.array([came], float), np.array([room], float), float(waiting), np.array(before, float), due_days)
    assert [float(x[0]) for x in found] == list(items_late(came, room, waiting, before, due_days))


def test_where_both_have_room_nothing_is_late():
    effect = sla(0.1, flat(200), (flat(150), flat(150)))
    assert effect["value"].tolist() == pytest.approx([0, 1, 1])
    assert effect.loc["SLA of the queue", ["low", "high"]].tolist() == pytest.approx([0, 0])


def test_a_full_pool_that_gets_more_falls_behind_by_what_it_gets():
    """100 a day for 100 a day, then 110: open after d days is 10d, late on day d is 10d - 110, at most 110."""
    effect = sla(0.1, flat(200), (flat(200), flat(100)))
    behind = sum(min(max(10 * d - 110, 0), 110) for d in range(1, 7 * WEEKS + 1))
    due = 7 * WEEKS * 200
    assert effect.loc["SLA of the queue", "value"] == pytest.approx(-behind / due)
    assert effect["value"].tolist()[1:] == pytest.approx([1, 1 - behind / due])
    # In a queue twice as large, of which other pools make the other half, it is half as many points.
    half = sla(0.1, flat(400), (flat(200), flat(100)), whole=2800)
    assert half.loc["SLA of the queue", "value"] == pytest.approx(-behind / due / 2)
    assert half.loc["in time after", "value"] == pytest.approx(1 - behind / due)


def test_work_moved_off_a_pool_that_is_always_late_is_saved_in_full():
    """The source makes nothing: all that comes to it is late, but for the tenth that moves to where there is room."""
    effect = sla(0.1, flat(200), (flat(0), flat(150)), waiting=0)
    due = 7 * WEEKS * 200
    # What came on the day before the first is done: nothing is open.
    assert effect.loc["SLA of the queue", "value"] == pytest.approx(0.1 * (7 * WEEKS - 1) * 100 / due)


def test_weeks_drawn_give_the_change_of_a_simulation_written_apart():
    rng = np.random.default_rng(5)
    weeks = 8
    came = rng.integers(120, 280, (weeks, 7)) * 2
    rooms = rng.integers(90, 240, (weeks, 7)), rng.integers(90, 240, (weeks, 7))
    effect = sla(0.1, came, rooms, waiting=80, due_days=2)
    changes, levels = [], []
    for _ in range(400):
        pick = rng.integers(weeks, size=WEEKS)
        arrive = came[pick].ravel()
        before = came.ravel()[-5:]
        sides = []
        for room, part in ((rooms[0], (0.5, 0.45)), (rooms[1], (0.5, 0.55))):
            for k, p in enumerate(part):
                able = room[pick].ravel() * (0.9 if room is rooms[0] and k else 1.0)
                # Tenfold, so that whole items are shares of labels closely.
                grow = [[round(10 * p * x) for x in y] for y in (arrive, before)]
                sides.append(items_late(grow[0], [round(10 * x) for x in able], round(800 * p), grow[1], 2))
        (due_a, a0), (_, a1), (due_b, b0), (_, b1) = sides
        changes.append((a0 + b0 - a1 - b1) / (due_a + due_b))
        levels.append(1 - (a0 + b0) / (due_a + due_b))
    error = 4 * math.hypot(np.std(changes) / math.sqrt(400), np.std(changes) / math.sqrt(500))
    assert effect.loc["SLA of the queue", "value"] == pytest.approx(np.mean(changes), abs=error)
    assert effect.loc["in time before", "value"] == pytest.approx(np.mean(levels), abs=0.02)
    ends = effect.loc["SLA of the queue", ["low", "high"]].astype(float)
    inside = np.mean([(ends["low"] <= c) & (c <= ends["high"]) for c in changes])
    assert 0.92 <= inside <= 0.98
    assert (effect.loc["in time after", "value"] - effect.loc["in time before", "value"]) == pytest.approx(
        effect.loc["SLA of the queue", "value"]
    )


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.integers(0, 300), st.integers(50, 250), st.integers(50, 250))
def test_nothing_moved_changes_no_sla_and_shares_stay_shares(share, waiting, left, right):
    effect = sla(share, flat(200), (flat(left), flat(right)), waiting=waiting)
    assert ((effect["value"].iloc[1:] >= -1e-9) & (effect["value"].iloc[1:] <= 1 + 1e-9)).all()
    none = sla(0.0, flat(200), (flat(left), flat(right)), waiting=waiting)
    assert none.loc["SLA of the queue", "value"] == pytest.approx(0)


def test_an_sla_that_is_not_known_says_why():
    a, b = side("a", 700, flat(1)), side("b", 700, flat(1))
    blind = Pool("b", Estimate(0.1), Estimate(0.9), 700, 700)
    for pools, queue, why in (
        ((a, b), None, NO_DAYS),
        ((a, blind), Queue(1400, flat(200)), "the daily capacity of b is not known"),
        ((a, b), Queue(1400, flat(0)), "nothing falls due"),
        ((a, b), Queue(1400, reason="no items"), "no items"),
    ):
        effect = reallocate(*pools, 0.1, queue).effects.set_index("effect")
        assert effect.loc["SLA of the queue", "reason"] == why
        assert math.isnan(effect.loc["SLA of the queue", "value"])
    few = sla(0.1, flat(200, weeks=2), (flat(200, 2), flat(100, 2)))
    assert few["low"].isna().all() and few["value"].notna().all()
    with pytest.raises(ValueError, match="include those of both"):
        reallocate(a, b, 0.1, Queue(1000))
