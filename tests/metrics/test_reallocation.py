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


def side(name, labels, able, others=None):
    """A pool that makes ``labels`` a week of the queue and could make ``able`` (weeks, 7) a day of all its queues."""
    others = None if others is None else np.asarray(others, float)
    return Pool(name, Estimate(0.1), Estimate(0.9), labels, labels, able=np.asarray(able, float), others=others)


def sla(share, came, ables, labels=(700, 700), waiting=0.0, hours=24.0, whole=None, others=(None, None)):
    queue = Queue(whole or sum(labels), np.asarray(came, float), waiting, hours)
    a, b = (side(*one) for one in zip("ab", labels, ables, others, strict=True))
    return reallocate(a, b, share, queue).effects.set_index("effect").loc[list(SLA_EFFECTS)]


def flat(x, weeks=5):
    return np.full((weeks, 7), float(x))


def followed(came, others, able, before, waiting, hours):
    """Labels one by one: how many of the queue fall due on the days ahead, and how many of those are late.

    The pool makes its labels at even moments of a day and takes its queues in turns, by what comes to each that day; a
    turn that finds its queue empty is lost. Labels come at even moments.
    """
    wait, days = hours / 24, len(came)
    known = [d - len(before) + (k + 0.5) / n for d, n in enumerate(before) for k in range(n)]
    line = collections.deque(known[max(len(known) - waiting, 0) :])
    line.extendleft([-1e6] * (waiting - len(line)))
    still_open = len(line)
    line.extend(d + (k + 0.5) / n for d, n in enumerate(came) for k in range(n))
    due = sum(0 <= at + wait < days for at in (*known, *list(line)[still_open:]))
    late, turn = 0, 0.0
    for day in range(days):
        total = came[day] + others[day]
        for k in range(able[day]):
            turn += came[day] / total if total else sum(came) / sum((*came, *others))
            if turn < 1:
                continue
            turn -= 1
            now = day + (k + 0.5) / able[day]
            if line and line[0] <= now:
                at = line.popleft()
                late += 0 <= at + wait < min(now, days)
    return due, late + sum(0 <= at + wait < days for at in line)


def test_late_labels_are_those_of_items_followed_one_by_one():
    """Pools with several queues, half of them short of hours: each within 3 % of what falls due, 0.5 % on average."""
    rng = np.random.default_rng(11)
    errors, level = [], []
    for _ in range(40):
        days, hours = int(rng.integers(4, 15)), float(rng.choice([6, 8, 16, 24, 40, 72]))
        came, others = rng.integers(200, 600, days), rng.integers(0, 900, days)
        able = ((came + others) * rng.uniform(0.7, 1.3, days)).astype(int)
        before, waiting = rng.integers(200, 600, 5), int(rng.integers(0, 900))
        columns = (np.array(x, float)[:, None] for x in (came, others, able))
        due, behind = (float(x[0]) for x in late(*columns, before, waiting, hours))
        n, slow = followed(*(x.tolist() for x in (came, others, able, before)), waiting, hours)
        assert due == pytest.approx(n, abs=2)
        errors.append((behind - slow) / due)
        level.append(behind / due)
    assert np.quantile(level, 0.1) < 0.05 and np.quantile(level, 0.9) > 0.6
    assert np.abs(errors).max() < 0.03
    assert abs(np.mean(errors)) < 0.005


def test_a_shortage_is_shared_by_what_comes_to_each_queue():
    """A pool short of a tenth is so in every queue, whatever part of its work each is; with spare hours nothing is."""

    def behind(came, others, able):
        column = np.full((10, 1), 1.0)
        return float(late(came * column, others * column, able * column, [came] * 3, 0.0, 24.0)[1][0])

    whole = behind(1000.0, 0.0, 900.0)
    assert whole == pytest.approx(0) and behind(100.0, 900.0, 900.0) == pytest.approx(0)  # ten days for a day behind
    whole = behind(1000.0, 0.0, 500.0)
    # Open after d days: 500 d, more than a day's 1,000 from day 2 on: all of days 3 to 10.
    assert whole == pytest.approx(8000)
    assert [behind(part, 1000 - part, 500.0) / part for part in (100.0, 500.0, 900.0)] == pytest.approx([8, 8, 8])
    assert behind(100.0, 900.0, 1001.0) == 0


def test_where_both_have_room_nothing_is_late():
    effect = sla(0.1, flat(200), (flat(150), flat(150)))
    assert effect["value"].tolist() == pytest.approx([0, 1, 1])
    assert effect.loc["SLA of the queue", ["low", "high"]].tolist() == pytest.approx([0, 0])


def test_a_full_pool_that_gets_more_falls_behind_by_what_it_gets():
    """100 a day for 100 a day, then 110: 10 t open after t days, more than came in 24 hours from t = 11 on."""
    effect = sla(0.1, flat(200), (flat(200), flat(100)))
    behind = 110 * (7 * WEEKS - 11)
    due = 7 * WEEKS * 200
    assert effect.loc["SLA of the queue", "value"] == pytest.approx(-behind / due)
    assert effect["value"].tolist()[1:] == pytest.approx([1, 1 - behind / due])
    # In a queue twice as large, of which other pools make the other half, it is half as many points.
    half = sla(0.1, flat(400), (flat(200), flat(100)), whole=2800)
    assert half.loc["SLA of the queue", "value"] == pytest.approx(-behind / due / 2)
    assert half.loc["in time after", "value"] == pytest.approx(1 - behind / due)
    # Where the pool has as much other work and twice the hours, 210 come for 200: the same shortage is borne by both,
    # and 110 of them are a day behind after 21 days and not 11.
    shared = sla(0.1, flat(200), (flat(200), flat(200)), others=(None, flat(100)))
    late_then = 110 * (7 * WEEKS - 21)
    assert shared.loc["SLA of the queue", "value"] == pytest.approx(-late_then / due)


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
    others = rng.integers(0, 200, (weeks, 7)), rng.integers(50, 150, (weeks, 7))
    ables = rng.integers(190, 340, (weeks, 7)), rng.integers(190, 340, (weeks, 7))
    effect = sla(0.1, came, ables, waiting=80, hours=40.0, others=others)
    changes, levels = [], []
    for _ in range(80):
        pick = rng.integers(weeks, size=WEEKS)
        arrive, before = came[pick].ravel(), came.ravel()[-5:]
        sides = []
        for able, other, parts in ((ables[0], others[0], (0.5,)), (ables[1], others[1], (0.5, 0.55))):
            for p in parts:
                # Threefold, so that whole items are shares of labels closely.
                grow = [[round(3 * x) for x in y] for y in (p * arrive, other[pick].ravel(), able[pick].ravel())]
                sides.append(followed(*grow, [round(3 * p * x) for x in before], round(240 * p), 40.0))
        (due_a, a0), (due_b, b0), (_, b1) = sides
        # Of what the source gives away its late share is saved: its hours shrink with its labels.
        changes.append((0.1 * a0 + b0 - b1) / (due_a + due_b))
        levels.append(1 - (a0 + b0) / (due_a + due_b))
    error = 4 * math.hypot(np.std(changes) / math.sqrt(80), np.std(changes) / math.sqrt(500))
    assert effect.loc["SLA of the queue", "value"] == pytest.approx(np.mean(changes), abs=error)
    assert effect.loc["in time before", "value"] == pytest.approx(np.mean(levels), abs=0.02)
    ends = effect.loc["SLA of the queue", ["low", "high"]].astype(float)
    inside = np.mean([(ends["low"] <= c) & (c <= ends["high"]) for c in changes])
    assert 0.9 <= inside <= 0.99
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
