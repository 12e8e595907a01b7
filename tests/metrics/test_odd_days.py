"""Odd days and lasting changes: simulated ones are found, quiet series and holidays are left alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics import odd_days as od

BEFORE = np.arange(56) < 28


def quiet(rng, days: int = 56, sd: float = 0.04) -> np.ndarray:
    return rng.normal(0, sd, days)


def looked_at(level, n=None, before=BEFORE):
    n = np.full(len(level), 400.0) if n is None else n
    found = od.odd_days(level, n)
    return found, od.lasting_change(level, before, found.far)


def test_one_day_at_twice_the_time_is_odd_alone_and_no_lasting_change():
    rng = np.random.default_rng(1)
    for day in rng.integers(5, 51, 100):
        level = quiet(rng)
        level[day] += math.log(2.1)
        found, change = looked_at(level)
        assert np.flatnonzero(found.far).tolist() == np.flatnonzero(found.alone).tolist() == [day]
        assert found.off[day] == pytest.approx(math.log(2.1), abs=0.2)
        assert change is None


def test_two_odd_days_in_a_row_do_not_stand_alone():
    level = quiet(np.random.default_rng(2))
    level[[30, 31]] += math.log(2)
    found, change = looked_at(level)
    assert np.flatnonzero(found.far).tolist() == [30, 31]
    assert not found.alone.any() and change is None


@pytest.mark.parametrize("share", [0.82, 0.9, 1.12, 1.25])
def test_a_step_is_found_with_its_day_and_size(share):
    """Of 200 steps nearly all, and most to the day; the size without bias."""
    rng = np.random.default_rng(3)
    days, sizes = [], []
    for _ in range(200):
        level, at = quiet(rng), int(rng.integers(30, 44))
        level[at:] += math.log(share)
        found, change = looked_at(level)
        assert not found.far.any()
        if change:
            days.append(change.at - at)
            sizes.append(change.size)
    assert len(days) >= 196
    assert np.median(days) == 0 and np.mean(np.abs(days) <= 2) >= 0.9
    assert np.mean(sizes) == pytest.approx(math.log(share), abs=0.01)


def test_a_change_smaller_than_matters_is_not_called():
    level = quiet(np.random.default_rng(4), sd=0.002)
    level[30:] += 0.03
    assert looked_at(level)[1] is None


@pytest.mark.parametrize(("days", "sd"), [(56, 0.04), (56, 0.08), (182, 0.04), (182, 0.08)])
def test_quiet_series_raise_few_false_alarms(days, sd):
    """Without a change fewer than 1 day in 4,000 is called odd, and fewer than 1 series in 50 a lasting change."""
    rng = np.random.default_rng(5)
    before = np.arange(days) < days // 2
    odd = changed = 0
    for _ in range(1000):
        found, change = looked_at(quiet(rng, days, sd), np.full(days, 400.0), before)
        odd += found.far.sum()
        changed += change is not None
    assert odd <= 1000 * days / 4000
    assert changed <= 20


def test_a_holiday_of_few_judgements_is_neither_odd_nor_a_change():
    """Three days with a twelfth of the judgements jump about three times as far, by chance alone."""
    rng = np.random.default_rng(6)
    n = np.full(56, 360.0)
    n[35:38] = 30
    called = 0
    for _ in range(500):
        found, change = looked_at(rng.normal(0, 0.6, 56) / np.sqrt(n), n)
        called += found.far.any() or change is not None
    assert called <= 10


def test_levels_are_free_of_the_mix_of_work():
    """Days of nothing but slow work are no slow days; a day on which all is slower is."""
    day, kind = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    n = np.array([90.0, 10, 50, 50, 10, 90, 50, 50])
    logs = n * np.where(kind == 0, 3.0, 4.0) + n * np.where(day == 3, 0.5, 0.0)
    count, level = od.above_usual(day, kind, n, logs)
    assert count.tolist() == [100.0] * 4
    assert level[3] - level[:3] == pytest.approx([0.5] * 3)
    assert level @ count == pytest.approx(0)


def test_a_day_without_judgements_has_no_level():
    count, level = od.above_usual(np.array([0, 2]), np.array([0, 0]), np.array([5.0, 5]), np.array([10.0, 10]))
    assert count.tolist() == [5, 0, 5] and math.isnan(level[1])


def test_too_few_days_before_or_none_after_say_nothing():
    level = np.append(np.zeros(7), np.ones(20)) + quiet(np.random.default_rng(7), 27, 0.01)
    none = np.zeros(27, bool)
    assert od.lasting_change(level, np.arange(27) < 7, none) is None
    assert od.lasting_change(level, np.ones(27, bool), none) is None
    assert od.odd_days([], []).far.tolist() == [] and od.spread([]) == 0


def test_a_spell_that_is_over_is_no_lasting_change():
    level = quiet(np.random.default_rng(8), 84)
    level[30:42] += 0.15
    assert looked_at(level, np.full(84, 400.0), np.arange(84) < 28)[1] is None


def test_the_contrast_is_that_of_two_means():
    values = np.random.default_rng(9).normal(0, 1, 20)
    whole = ((values - values.mean()) ** 2).sum()
    for cut, found in zip(range(1, 20), od._contrasts(values, 1, 19), strict=True):
        within = sum(((part - part.mean()) ** 2).sum() for part in (values[:cut], values[cut:]))
        assert found / len(values) == pytest.approx(whole - within)
