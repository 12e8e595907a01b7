"""Speed and accuracy within raters: planted associations, confounding between raters, chance in handle times."""

import numpy as np
import pytest

from metrics.speed import CANNOT_TELL, NO_SIGN, SLOWER_BETTER, SLOWER_WORSE, speed_accuracy


def weeks(rng, raters=120, periods=12, per_doubling=0.03, pace=0.3, noise=0.6, timed=60, gold=15):
    """Sums per rater x week; able raters are fast, so between raters the association is the other way round."""
    rater = np.repeat(np.arange(raters), periods)
    ability = rng.normal(0, 1, raters)[rater]
    lasting = rng.normal(0, pace, len(rater))
    n, m = rng.poisson(timed, len(rater)), rng.poisson(gold, len(rater))
    share = 0.88 + 0.03 * ability + per_doubling * lasting / np.log(2)
    right = rng.binomial(m, np.clip(share, 0, 1))
    center = 3.4 - 0.3 * ability + lasting
    mean = rng.normal(center, noise / np.sqrt(np.maximum(n, 1)))
    spread = noise**2 * rng.chisquare(np.maximum(n - 1, 1))
    return rater, n, n * mean, m, right, n * mean**2 + spread


def test_the_association_is_that_within_raters():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        rater, n, logs, m, right, squares = weeks(rng)
        found.append(speed_accuracy(rater, n, logs, m, right, sum_log_squared=squares).iloc[0])
    value = np.array([f["value"] for f in found])
    reliability = np.array([f["reliability"] for f in found])
    # pace varies by .3 within raters, of which chance adds .6/√60: reliability .09/(.09 + .006).
    assert reliability.mean() == pytest.approx(0.937, abs=0.01)
    assert np.mean(value / reliability) == pytest.approx(0.03, abs=0.003)
    rater, n, logs, m, right, _ = weeks(rng)
    between = np.polyfit((logs / n)[m > 0], (right / np.maximum(m, 1))[m > 0], 1)[0]
    assert between < 0  # what the same cells say without the raters


@pytest.mark.parametrize(("raters", "gold"), [(8, 3), (30, 15), (120, 3)])
def test_intervals_cover_the_association_that_chance_leaves(raters, gold):
    rng = np.random.default_rng(raters)
    sets = 1000 if raters < 100 else 500
    parts = [weeks(rng, raters, gold=gold) for _ in range(sets)]
    rater, n, logs, m, right, _ = (np.concatenate(c) for c in zip(*parts, strict=True))
    found = speed_accuracy(rater, n, logs, m, right, np.repeat(np.arange(sets), raters * 12))
    truth = 0.03 * 0.09 / (0.09 + 0.36 / 60)
    assert 0.93 <= np.mean((found["low"] <= truth) & (truth <= found["high"])) <= 0.97


def test_verdicts_of_three_groups():
    rng = np.random.default_rng(1)
    parts = [weeks(rng, raters=250, per_doubling=b) for b in (0.06, 0.0, -0.06)]
    rater, n, logs, m, right, _ = (np.concatenate(c) for c in zip(*parts, strict=True))
    found = speed_accuracy(rater, n, logs, m, right, np.repeat(["a", "b", "c"], 3000), margin=0.02)
    assert found["verdict"].tolist() == [SLOWER_BETTER, NO_SIGN, SLOWER_WORSE]
    assert found["n"].sum() == m.sum()
    assert found["reliability"].isna().all()


def test_no_association_is_called_in_five_percent_at_most():
    rng = np.random.default_rng(2)
    parts = [weeks(rng, raters=30, per_doubling=0.0) for _ in range(300)]
    rater, n, logs, m, right, _ = (np.concatenate(c) for c in zip(*parts, strict=True))
    found = speed_accuracy(rater, n, logs, m, right, np.repeat(np.arange(300), 360))
    assert 0.03 <= np.mean(found["p"] < 0.05) <= 0.07
    assert found["verdict"].isin([SLOWER_BETTER, SLOWER_WORSE]).sum() <= 2


def test_a_harder_mix_is_taken_out():
    """Hard weeks are slow and error-prone at once; with what an average rater would do subtracted nothing is left."""
    rng = np.random.default_rng(3)
    rater, n, logs, m, right, _ = weeks(rng, per_doubling=0.0, pace=0.05)
    hard = rng.uniform(0, 0.4, len(n))
    right = rng.binomial(right, 1 - 0.3 * hard)
    slowed = logs + n * hard
    naive = speed_accuracy(rater, n, slowed, m, right).iloc[0]
    fair = speed_accuracy(
        rater, n, slowed, m, right, expected_log=n * (3.4 + hard), expected=m * 0.88 * (1 - 0.3 * hard)
    ).iloc[0]
    assert naive["verdict"] == SLOWER_WORSE
    assert fair["verdict"] == CANNOT_TELL
    assert abs(fair["value"]) < abs(naive["value"]) / 3
    # A real association, diluted by the slowness of hard items, comes back when that is subtracted.
    rater, n, logs, m, right, _ = weeks(rng, raters=300, per_doubling=0.06)
    hard = rng.normal(0, 0.6, len(n))
    fair = speed_accuracy(rater, n, logs + n * hard, m, right, expected_log=n * hard).iloc[0]
    assert fair["value"] == pytest.approx(0.056, abs=0.012)


def test_handle_times_that_vary_by_chance_alone_have_no_reliability():
    rng = np.random.default_rng(4)
    rater, n, logs, m, right, squares = weeks(rng, pace=0.0)
    found = speed_accuracy(rater, n, logs, m, right, sum_log_squared=squares).iloc[0]
    assert found["reliability"] < 0.1


def test_reliability_counts_what_chance_leaves_within_a_rater():
    """Half of the variance of cell means is chance, in three periods a rater, whose mean follows a third of it."""
    rng = np.random.default_rng(5)
    rater, n, logs, m, right, squares = weeks(rng, raters=2000, periods=3, pace=0.6 / np.sqrt(60))
    found = speed_accuracy(rater, n, logs, m, right, sum_log_squared=squares).iloc[0]
    assert found["reliability"] == pytest.approx(0.5, abs=0.04)


def test_too_little_gives_a_reason():
    found = speed_accuracy([1, 1, 2], [10, 10, 10], [30, 35, 33], [5, 5, 5], [4, 5, 5])
    assert found["reason"][0] == "fewer than 5 raters have periods of different handle time"
    assert found["verdict"].tolist() == [None]
    nothing = speed_accuracy(np.arange(20) // 2, np.zeros(20), np.zeros(20), np.ones(20), np.ones(20))
    assert nothing["reason"][0] == found["reason"][0]
