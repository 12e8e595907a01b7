"""Control charts: NIST's example, false alarms and run lengths where the truth is known, changes found when planted."""

import numpy as np
import pytest

from metrics.control import averages, cusum, cusum_chart, ewma, ewma_chart, laney_chart, p_chart, sums

# NIST/SEMATECH e-Handbook, section 6.3.3.2: defectives of 30 samples of 50.
NIST = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]


def overdispersed(rng, charts, points=40, n=2000, share=0.05, prior=300):
    """Beta-binomial shares as real ones are, (charts, points); the fixture of notes/methods.md, section 7."""
    return rng.binomial(n, rng.beta(share * prior, (1 - share) * prior, (charts, points)))


def test_p_chart_is_that_of_nist():
    found = p_chart(NIST, np.full(30, 50))
    assert found.center == pytest.approx(0.23133, abs=5e-6)
    assert found.points["low"].to_numpy() == pytest.approx(np.full(30, 0.05243), abs=5e-6)
    assert found.points["high"].to_numpy() == pytest.approx(np.full(30, 0.41024), abs=5e-6)
    assert (np.flatnonzero(found.points["out"]) + 1).tolist() == [15, 23]
    assert found.changed_at == 14


def test_laneys_limits_hold_where_those_of_chance_do_not():
    """Of shares that differ by more than chance a p chart calls a quarter out; Laney's calls half a percent."""
    rng = np.random.default_rng(0)
    n = np.full(40, 2000)
    charts = [(p_chart(h, n), laney_chart(h, n)) for h in overdispersed(rng, 250)]
    plain, laney = (np.mean([c[i].points["out"].mean() for c in charts]) for i in (0, 1))
    assert plain == pytest.approx(0.27, abs=0.02)
    assert 0.002 <= laney <= 0.007
    assert np.mean([c[1].spread for c in charts]) == pytest.approx(2.75, abs=0.1)


def test_laney_is_the_p_chart_when_only_chance_varies():
    hits, n = np.random.default_rng(1).binomial(500, 0.2, 300), np.full(300, 500)
    assert laney_chart(hits, n).spread == pytest.approx(1, abs=0.1)
    assert laney_chart(hits, n).points["out"].mean() < 0.01


def test_sigma_is_the_mean_moving_range():
    """By hand, with unequal n."""
    hits, n = np.array([5, 9, 4, 12, 6, 8, 7, 3]), np.array([50, 60, 55, 80, 50, 70, 65, 45])
    center = hits.sum() / n.sum()
    error = np.sqrt(center * (1 - center) / n)
    z = (hits / n - center) / error
    sigma = sum(abs(z[i] - z[i - 1]) for i in range(1, 8)) / 7 / 1.128
    found = laney_chart(hits, n)
    assert found.spread == pytest.approx(sigma)
    np.testing.assert_allclose(found.points["high"], center + 3 * sigma * error)
    np.testing.assert_allclose(found.points["low"], np.maximum(center - 3 * sigma * error, 0))


def test_limits_are_clipped_and_follow_n():
    n = np.array([10, 1000] * 10)
    found = laney_chart(np.round(n * np.tile([0.0, 0.02, 0.1, 0.03], 5)), n).points
    assert (found["low"] >= 0).all()
    assert (found["high"] <= 1).all()
    assert found["high"][0] > found["high"][1]


def test_a_planted_jump_is_out_and_dated():
    rng = np.random.default_rng(2)
    hits = overdispersed(rng, 1)[0]
    hits[30] += 300
    found = laney_chart(hits, np.full(40, 2000))
    assert np.flatnonzero(found.points["out"]).tolist() == [30]
    assert found.changed_at == 30


def test_the_baseline_alone_sets_centre_and_spread():
    rng = np.random.default_rng(3)
    hits = np.concatenate([rng.binomial(400, 0.1, 20), rng.binomial(400, 0.2, 20)])
    n, baseline = np.full(40, 400), np.arange(40) < 20
    found, alone = laney_chart(hits, n, baseline), laney_chart(hits[:20], n[:20])
    assert (found.center, found.spread) == (alone.center, alone.spread)
    assert found.points["out"][20:].mean() > 0.8


@pytest.mark.parametrize("chart", [p_chart, laney_chart, ewma_chart, cusum_chart])
def test_periods_without_judgements_are_passed_over(chart):
    rng = np.random.default_rng(4)
    hits, n = rng.binomial(300, 0.1, 20), np.full(20, 300)
    gap = np.insert(np.arange(20), [5, 12], -1)
    whole, holed = chart(hits, n), chart(np.where(gap < 0, 0, hits[gap]), np.where(gap < 0, 0, n[gap]))
    assert holed.points["reason"][gap < 0].tolist() == ["no judgements"] * 2
    assert holed.points.loc[gap < 0, ["value", "low", "high"]].isna().all(axis=None)
    assert not holed.points.loc[gap < 0, "out"].any()
    np.testing.assert_allclose(holed.points.loc[gap >= 0, "value"], whole.points["value"])
    np.testing.assert_allclose(holed.points.loc[gap >= 0, "high"], whole.points["high"])


@pytest.mark.parametrize("chart", [laney_chart, ewma_chart, cusum_chart])
def test_limits_that_cannot_be_have_a_reason(chart):
    few = chart([1] * 5, [10] * 5)
    same = chart([2] * 10, [10] * 10)
    never = chart([0] * 10, [10] * 10)
    assert few.points["reason"].unique().tolist() == ["fewer than 8 periods with judgements"]
    assert same.points["reason"].unique().tolist() == never.points["reason"].unique().tolist()
    assert never.points["reason"][0].startswith("no variation")
    for found in (few, same, never):
        assert found.points[["low", "high"]].isna().all(axis=None)
        assert not found.points["out"].any()
        assert found.changed_at is None
    assert chart([], []).points.empty


def test_counts_that_cannot_be_are_refused():
    for hits, n in [([3], [2]), ([-1], [2]), ([1, 1], [2])]:
        with pytest.raises(ValueError, match="equal length"):
            laney_chart(hits, n)


# ---- small lasting shifts


def run_length(out):
    """Mean number of points until the first alarm, each row a chart; every one must raise it in time."""
    assert out.any(1).all()
    return (out.argmax(1) + 1).mean()


def test_ewma_run_lengths_are_those_of_the_markov_chain():
    """Constant limits: 371 points to a false alarm, 9.8 to see one standard deviation (methods.md, section 7)."""
    rng = np.random.default_rng(5)
    limit = 2.86 * np.sqrt(0.2 / 1.8)
    quiet = np.abs(averages(rng.normal(size=(1200, 4000)))) > limit
    shifted = np.abs(averages(rng.normal(1, 1, size=(4000, 150)))) > limit
    assert run_length(quiet) == pytest.approx(371, rel=0.09)
    assert run_length(shifted) == pytest.approx(9.8, abs=0.3)


def test_cusum_run_lengths_are_those_of_the_markov_chain():
    rng = np.random.default_rng(6)
    quiet, shifted = (np.maximum(*sums(z)) for z in (rng.normal(size=(1000, 5000)), rng.normal(1, 1, (4000, 150))))
    assert run_length(quiet > 5) == pytest.approx(465, rel=0.09)
    assert run_length(quiet > 4) == pytest.approx(168, rel=0.09)
    assert run_length(shifted > 5) == pytest.approx(10.4, abs=0.3)


def test_early_ewma_limits_are_exact():
    """The variance of the average of t points, by its weights."""
    found = ewma(np.zeros(12))["high"].to_numpy()
    for t in range(12):
        weights = 0.2 * 0.8 ** np.arange(t + 1)
        assert found[t] == pytest.approx(2.86 * np.sqrt((weights**2).sum()))


def test_cusum_shows_the_larger_sum_with_its_sign():
    found = cusum([3.0, 3.0, -9.0, -1.0])
    assert found["up"].tolist() == [2.5, 5.0, 0.0, 0.0]
    assert found["down"].tolist() == [0.0, 0.0, 8.5, 9.0]
    assert found["value"].tolist() == [2.5, 5.0, -8.5, -9.0]
    assert found["out"].tolist() == [False, False, True, True]


@pytest.mark.parametrize("chart", [ewma_chart, cusum_chart])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_small_lasting_shift_is_found_and_dated(chart, direction):
    """One and a half standard deviations from point 40 on; a chart of single points sees it rarely."""
    rng = np.random.default_rng(7)
    dated, seen = [], 0
    for _ in range(60):
        usual = rng.beta(0.2 * 300, 0.8 * 300, 60) + direction * 0.035 * (np.arange(60) >= 40)
        hits, n = rng.binomial(2000, np.clip(usual, 0, 1)), np.full(60, 2000)
        found = chart(hits, n, np.arange(60) < 40)
        if found.points["out"][40:].any() and not found.points["out"][:40].any():
            dated.append(found.changed_at)
        seen += laney_chart(hits, n, np.arange(60) < 40).points["out"][40:50].any()
    assert len(dated) >= 50
    assert abs(np.median(dated) - 40) <= 2
    assert seen < 45


def test_shift_charts_raise_few_false_alarms_on_overdispersed_shares():
    """40 points of baseline: at most the 10 % or so that one alarm in 400 points gives, and the estimate of spread."""
    rng = np.random.default_rng(8)
    hits, n = overdispersed(rng, 150), np.full(40, 2000)
    for chart in (ewma_chart, cusum_chart):
        assert np.mean([chart(h, n).changed_at is not None for h in hits]) <= 0.12
