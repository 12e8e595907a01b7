"""Level shifts: exhaustive search as oracle, false alarms where nothing moved, and what is found where it did."""

import itertools

import numpy as np
import pytest

from metrics.effects.shifts import LEAST_PIECE, Shift, _Pieces, level_shifts, level_shifts_of_many, matched
from tests.metrics.effects.simulated import ar1


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_the_best_cuts_are_those_of_trying_all(phi):
    rng = np.random.default_rng(1)
    z, x = rng.normal(size=18), rng.uniform(0.5, 2, 18)

    def squares(a, b):
        """Least squares of one piece about its level, by solving the transformed regression."""
        correlation = phi ** np.abs(np.subtract.outer(np.arange(b - a), np.arange(b - a))) / (1 - phi**2)
        whiten = np.linalg.inv(np.linalg.cholesky(correlation))
        y, design = whiten @ z[a:b], whiten @ x[a:b]
        return np.sum((y - design * (design @ y) / (design @ design)) ** 2)

    pieces = _Pieces(z[None], x[None], np.array([phi]))
    assert len(pieces.best) == 4
    for m in range(4):
        found, cuts = pieces.best[m, 18, 0], pieces.cuts(0, m, 18)
        tries = {}
        for choice in itertools.combinations(range(1, 18), m):
            edges = (0, *choice, 18)
            if all(b - a >= LEAST_PIECE for a, b in itertools.pairwise(edges)):
                tries[choice] = sum(squares(a, b) for a, b in itertools.pairwise(edges))
        best = min(tries, key=tries.get)
        assert cuts == best
        assert found == pytest.approx(tries[best])


@pytest.mark.parametrize(("weeks", "phi"), [(40, 0.0), (40, 0.6), (78, 0.3), (78, 0.6)])
def test_at_most_one_in_twenty_series_without_a_shift_gets_one(weeks, phi):
    series = ar1(np.random.default_rng(2), (160, weeks), phi)
    assert sum(len(level_shifts(y)) > 0 for y in series) <= 8


def test_taken_as_independent_the_same_series_would_be_full_of_shifts(monkeypatch):
    monkeypatch.setattr("metrics.effects.shifts.PHI", np.array([0.0]))
    series = ar1(np.random.default_rng(2), (60, 78), 0.6)
    assert sum(len(level_shifts(y)) > 0 for y in series) > 20


def test_a_shift_is_found_where_it_is():
    rng, near = np.random.default_rng(3), 0
    for y in ar1(rng, (60, 70), 0.3):
        y[45:] += 3.0
        found = level_shifts(y)
        near += len(found) == 1 and abs(found[0].week - 45) <= 1
    assert near >= 48


def test_two_shifts_and_their_levels():
    rng, right = np.random.default_rng(4), 0
    for e in ar1(rng, (30, 60), 0.2):
        y = 0.1 * e + 5
        y[20:40] += 2
        found = level_shifts(y)
        right += [s.week for s in found] == [20, 40]
    assert right >= 27
    np.testing.assert_allclose([s.before for s in found], [5, 7], atol=0.1)
    np.testing.assert_allclose([s.after for s in found], [7, 5], atol=0.1)


def test_one_odd_week_is_no_shift():
    y = ar1(np.random.default_rng(5), (60,), 0.0)
    y[30] += 12
    assert level_shifts(y) == ()


def test_weeks_without_data_keep_their_place():
    y = 0.1 * ar1(np.random.default_rng(6), (60,), 0.0)
    y[30:] += 2
    y[10:15] = np.nan
    assert [s.week for s in level_shifts(y, np.ones(60))] == [30]
    np.testing.assert_allclose(level_shifts(1000 * y + 9)[0].after, 1000 * level_shifts(y)[0].after + 9)


def test_many_series_are_looked_at_as_each_by_itself():
    rng = np.random.default_rng(7)
    y = ar1(rng, (12, 60), 0.3)
    y[:6, 33:] += 3
    y[rng.random(y.shape) < np.linspace(0, 0.5, 12)[:, None]] = np.nan  # so that no two have as many weeks
    y[2], y[3, :45] = 1.0, np.nan
    se = rng.uniform(0.5, 2, y.shape)
    for errors in (None, se):
        alone = [level_shifts(y[k], None if errors is None else errors[k]) for k in range(12)]
        assert level_shifts_of_many(y, errors) == alone
        assert sum(map(len, alone)) > 3
    assert level_shifts_of_many(np.empty((0, 60))) == []


def test_too_little_says_nothing():
    assert level_shifts(np.arange(19.0)) == ()
    assert level_shifts(np.ones(40)) == ()
    assert level_shifts(np.full(40, np.nan)) == ()


def test_a_shift_is_matched_to_the_nearest_change_within_a_week():
    shifts = (Shift(10, 0, 1), Shift(20, 1, 0), Shift(30, 0, 1))
    assert [s.change for s in matched(shifts, [11, 22, 30, 31])] == [0, None, 2]
    assert [s.change for s in matched(shifts, [11, 22], window=2)] == [0, 1, None]
    assert [s.change for s in matched(shifts, [])] == [None] * 3
