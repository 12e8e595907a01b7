"""Earned value by hand; forecasts at completion that hold what they promise, by simulation."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics.budget import FEW_TO_TELL, FEW_WEEKS, NO_LABELS, earned_value, forecast_at_completion

BUDGET = pd.DataFrame(
    {
        "project_id": ["p", "p", "q", "r"],
        "month": [dt.date(2026, 4, 1), dt.date(2026, 5, 1), dt.date(2026, 6, 1), dt.date(2026, 4, 1)],
        "amount": [300.0, 620.0, 100.0, 50.0],
        "planned_labels": [3000, 3100, 100, 0],
    }
)
ACTUAL = pd.DataFrame(
    {
        "project_id": ["p", "p", "p", "s"],
        "day": [dt.date(2026, 4, 3), dt.date(2026, 5, 10), dt.date(2026, 5, 11), dt.date(2026, 5, 1)],
        "cost": [400.0, 200.0, 999.0, 70.0],
        "accepted_labels": [2500, 1500, 999, 10],
    }
)


def test_earned_value_by_hand():
    found = earned_value(ACTUAL, BUDGET, dt.date(2026, 5, 10)).set_index("project_id")
    p = found.loc["p"]
    due = 300 + 620 * 10 / 31
    earned = 300 + 1000 / 3100 * 620
    assert p["budget"] == 920
    assert p["budget_to_date"] == pytest.approx(due)
    assert (p["actual"], p["accepted_labels"]) == (600, 4000)
    assert p["variance"] == pytest.approx(600 - due)
    assert p["variance_share"] == pytest.approx(600 / due - 1)
    assert p["planned_to_date"] == pytest.approx(4000)
    assert p["earned_value"] == pytest.approx(earned)
    assert p["cost_variance"] == pytest.approx(earned - 600)
    assert p["schedule_variance"] == pytest.approx(0)
    assert (p["cost_index"], p["schedule_index"]) == pytest.approx((earned / 600, 1))
    assert found["reason"].to_dict() == {
        "p": "",
        "q": "the budget has not begun",
        "r": "no planned labels",
        "s": "no budget",
    }
    assert found.loc["s", "actual"] == 70
    assert found.loc["r", "budget_to_date"] == 50


def test_work_beyond_the_plan_is_earned_at_its_mean_price():
    done = pd.DataFrame({"project_id": ["p"], "day": [dt.date(2026, 4, 1)], "cost": [1.0], "accepted_labels": [7100]})
    found = earned_value(done, BUDGET, dt.date(2026, 5, 31)).set_index("project_id").loc["p"]
    assert found["earned_value"] == pytest.approx(920 + 1000 * 920 / 6100)
    assert found["budget_to_date"] == 920


def test_money_is_checked():
    with pytest.raises(ValueError, match="not negative"):
        earned_value(ACTUAL.assign(cost=-1), BUDGET, dt.date(2026, 5, 1))
    with pytest.raises(ValueError, match="cannot be added up"):
        earned_value(ACTUAL.assign(currency=["USD", "USD", "EUR", "USD"]), BUDGET, dt.date(2026, 5, 1))
    with pytest.raises(ValueError, match="counts"):
        earned_value(ACTUAL.assign(accepted_labels=-1), BUDGET, dt.date(2026, 5, 1))


# ---- at completion


def test_by_time_is_the_prediction_interval_of_a_sum():
    """Against statsmodels' interval of one new observation, and the sum's variance written out."""
    import statsmodels.api as sm

    x = np.array([100.0, 130, 90, 110, 120, 95, 125, 90, 130, 110, 120, 100])  # they alternate: no likeness widens it
    found = forecast_at_completion(x, weeks_left=1)
    ends = sm.OLS(x, np.ones(12)).fit().get_prediction([1]).conf_int(obs=True)[0]
    made = found.at_completion
    assert (made.value, made.low, made.high) == pytest.approx((1320 + 110, *(1320 + ends)))
    more = forecast_at_completion(x, weeks_left=9).at_completion
    half = stats.t.ppf(0.975, 11) * x.std(ddof=1) * math.sqrt(9 + 81 / 12)
    assert (more.value, more.high) == pytest.approx((1320 + 9 * 110, 1320 + 9 * 110 + half))
    assert found.basis == "time left"
    assert found.weekly_burn.value == pytest.approx(110)
    ends = sm.OLS(x, np.ones(12)).fit().conf_int()[0]
    assert (found.weekly_burn.low, found.weekly_burn.high) == pytest.approx(tuple(ends))


def test_by_work_by_hand():
    x, n = np.array([100.0, 130, 90, 110] * 3), np.array([1000.0, 1250, 950, 1100] * 3)
    found = forecast_at_completion(
        x, weekly_labels=n, planned_labels=21_500, budget=2160, spent_before=50, labels_before=1000
    )
    price = 430 / 4300
    assert found.spent == 1340
    assert found.remaining_labels == 7600
    assert found.cost_per_label.value == pytest.approx(price)
    assert found.at_completion.value == pytest.approx(1340 + 760)
    assert found.weeks_left.value == pytest.approx(7600 / 1075)
    error = x - price * n
    w = 7600 / 1075
    spread = math.sqrt(error @ error / 11 * (w + w * w / 12))
    assert found.at_completion.high == pytest.approx(2100 + stats.t.ppf(0.975, 11) * spread)
    assert found.overrun.value == pytest.approx(-60)
    assert found.over_budget == pytest.approx(stats.t.sf(60 / spread, 11))
    assert found.weeks_left.low < w < found.weeks_left.high
    half = stats.t.ppf(0.975, 11) * math.sqrt(error @ error / 11 / 12) / 1075
    assert found.cost_per_label.high == pytest.approx(price + half)


def test_weeks_that_are_alike_widen_it_by_what_their_covariances_say():
    """The interval from the covariance matrix of an autoregression, written out week by week."""
    x = np.array([100.0, 104, 101, 107, 103, 96, 99, 97, 93, 104, 101, 105, 98, 100, 102, 97, 95, 99])
    n, left = len(x), 6
    found = forecast_at_completion(x, weeks_left=left, window=n)
    e = x - x.mean()
    rho = ((e[1:] * e[:-1]).sum() / (e * e).sum() + 1 / n) / math.sqrt(1 - 4 / n)
    assert 0.15 < rho < 0.8
    df = (n - 1) * ((1 - rho) / (1 + rho)) ** (1 + 20 / n)
    assert df > 1.5
    covariance = rho ** np.abs(np.subtract.outer(np.arange(n + left), np.arange(n + left)))
    ahead = np.r_[np.full(n, -left / n), np.ones(left)]
    shown = (np.trace(covariance[:n, :n]) - covariance[:n, :n].sum() / n) / (n - 1)
    spread = math.sqrt(x.var(ddof=1) / shown * (ahead @ covariance @ ahead))
    half = stats.t.ppf(0.975, df) * spread
    made = found.at_completion
    assert (made.low, made.high) == pytest.approx((made.value - half, made.value + half))
    error = math.sqrt(x.var(ddof=1) / shown * covariance[:n, :n].sum()) / n
    assert found.weekly_burn.high == pytest.approx(x.mean() + stats.t.ppf(0.975, df) * error)


def test_too_few_weeks_to_tell_have_a_number_and_no_interval():
    eleven = [100.0, *[110.0, 90] * 5]
    few = forecast_at_completion(eleven, weeks_left=2, budget=1300)
    assert few.at_completion.value == pytest.approx(1300)
    assert (few.at_completion.low, few.at_completion.high, few.over_budget) == (None, None, None)
    assert (few.overrun.value, few.overrun.low) == (pytest.approx(0), None)
    assert (few.note, few.weekly_burn.value, few.weekly_burn.low) == (FEW_TO_TELL, pytest.approx(100), None)
    work = forecast_at_completion(eleven, weekly_labels=[50.0] * 11, planned_labels=650)
    assert (work.weeks_left.value, work.weeks_left.low) == (pytest.approx(2), None)
    assert (work.cost_per_label.value, work.cost_per_label.low) == (pytest.approx(2), None)
    told = forecast_at_completion([*eleven, 100.0], weeks_left=2, budget=1400)
    assert told.at_completion.low < told.at_completion.value
    assert (told.note, told.over_budget) == ("", pytest.approx(0.5))
    assert forecast_at_completion(eleven, weeks_left=0).note == ""


@pytest.mark.parametrize("method", ["t", "bootstrap"])
def test_forecasts_cover_what_comes(method):
    rng = np.random.default_rng(2)
    hit = over = claimed = 0
    runs = 1000
    for _ in range(runs):
        cost = rng.gamma(25, 40, 22)
        options = {"weeks_left": 10, "method": method, "draws": 500}
        likely = forecast_at_completion(cost[:12], level=0.6, **options).at_completion.high
        found = forecast_at_completion(cost[:12], budget=likely, **options)
        final = cost.sum()
        hit += found.at_completion.low <= final <= found.at_completion.high
        over += final > likely
        claimed += found.over_budget
    assert (0.93 if method == "t" else 0.9) <= hit / runs <= 0.97
    assert claimed / runs == pytest.approx(0.2, abs=1e-6 if method == "t" else 0.002)
    assert over / runs == pytest.approx(0.2, abs=0.05)


def test_forecasts_by_work_cover_what_comes():
    """Weeks of unequal volume at a price that varies; the work ends within a week, in part."""
    rng = np.random.default_rng(3)
    hit = 0
    runs = 400
    for _ in range(runs):
        labels = rng.gamma(20, 50, 60)
        cost = labels * 0.1 + rng.normal(0, 12, 60)
        done = np.minimum(labels.cumsum() / 30_000, 1)
        final = np.sum(cost * np.diff(done, prepend=0) * 30_000 / labels)
        found = forecast_at_completion(cost[:12], weekly_labels=labels[:12], planned_labels=30_000)
        hit += found.at_completion.low <= final <= found.at_completion.high
    assert 0.92 <= hit / runs <= 0.985


def simulated(weeks, left, of_weeks, runs, seed=6):
    """How often the interval by time holds the final cost; of_weeks(rng, runs, weeks) makes costs, a run per row."""
    cost = of_weeks(np.random.default_rng(seed), runs, weeks + left)
    found = [forecast_at_completion(x[:weeks], weeks_left=left, window=weeks).at_completion for x in cost]
    return np.mean([e.low <= x.sum() <= e.high for e, x in zip(found, cost, strict=True)])


def chained(rho):
    """Costs of 1000 ± 200 a week whose neighbours correlate by rho."""

    def of_weeks(rng, runs, weeks):
        e = rng.normal(size=(runs, weeks))
        for t in range(1, weeks):
            e[:, t] = rho * e[:, t - 1] + math.sqrt(1 - rho**2) * e[:, t]
        return 1000 + 200 * e

    return of_weeks


def test_independent_weeks_are_covered_as_promised():
    """Gamma weeks, deviation .2 or .7 of the mean: 93 to 97 on average, each to 1.5 % (900 runs, two errors)."""
    cells = [(14, 10, 25), (12, 2, 25), (12, 10, 25), (26, 30, 25), (12, 2, 2), (12, 10, 2)]
    held = [
        simulated(w, left, lambda rng, runs, k, s=s: rng.gamma(s, 1000 / s, (runs, k)), 900) for w, left, s in cells
    ]
    assert 0.93 <= np.mean(held[:4]) <= 0.97
    assert 0.93 <= np.mean(held[4:]) <= 0.97
    assert 0.915 <= min(held) <= max(held) <= 0.985


@pytest.mark.parametrize("rho", [0.3, 0.6])
def test_weeks_alike_are_covered(rho):
    """Neighbours that correlate by .3 and .6: 93 to 97, each cell to 2.2 % (900 runs, three errors), on average 1 %."""
    cells = [(12, 8), (12, 2), (12, 30), (20, 8), (26, 14)]
    held = [simulated(w, left, chained(rho), 900, seed=w + left) for w, left in cells]
    assert 0.92 <= np.mean(held) <= 0.98
    assert 0.908 <= min(held) <= max(held) <= 0.992


def test_weeks_a_little_alike_are_nearly_covered():
    """Neighbours that correlate by .3: 91 and more, .87 where only a clear likeness widened the interval."""
    assert np.mean([simulated(w, 10, chained(0.3), 900, seed=w) for w in (12, 26)]) >= 0.91
    assert simulated(26, 14, chained(0.7), 300) >= 0.85


def test_weeks_that_resemble_their_neighbours_widen_the_interval():
    rng = np.random.default_rng(4)
    hit = 0
    for _ in range(200):
        e = np.zeros(60)
        for t in range(1, 60):
            e[t] = 0.7 * e[t - 1] + rng.normal(0, 50)
        cost = 1000 + e
        found = forecast_at_completion(cost[20:46], weeks_left=14, window=26)
        hit += found.at_completion.low <= cost[20:].sum() <= found.at_completion.high
    assert hit / 200 >= 0.83  # 0.6 without
    steady = forecast_at_completion([100.0, 120] * 6, weeks_left=5)
    assert steady.autocorrelation < 0
    assert steady.at_completion.high - steady.at_completion.value == pytest.approx(
        stats.t.ppf(0.975, 11) * np.std([100, 120] * 6, ddof=1) * math.sqrt(5 + 25 / 12)
    )


def test_a_rising_burn_shows_in_the_trend():
    rising = forecast_at_completion(np.arange(12) * 10 + 100.0 + np.tile([1, -1], 6), weeks_left=4)
    assert rising.trend.low > 9
    flat = forecast_at_completion(100.0 + np.tile([5, -5], 6), weeks_left=4)
    assert flat.trend.low < 0 < flat.trend.high


def test_only_the_window_sets_the_rate():
    found = forecast_at_completion([1000.0] * 10 + [100.0, 110, 90, 100], weeks_left=2, window=4)
    assert found.at_completion.value == pytest.approx(10_400 + 200)
    assert found.at_completion.n == 4


def test_nothing_left_and_nothing_known():
    done = forecast_at_completion([100.0] * 5, weekly_labels=[10.0] * 5, planned_labels=40, budget=400)
    assert (done.at_completion.value, done.at_completion.high, done.over_budget) == (500, 500, 1)
    assert done.cost_per_label.reason == "no labels left to make"
    few = forecast_at_completion([100.0] * 3, weeks_left=2, budget=100)
    assert few.at_completion.reason == FEW_WEEKS
    assert few.over_budget is None
    assert few.overrun.reason == FEW_WEEKS
    idle = forecast_at_completion([100.0] * 5, weekly_labels=[0.0] * 5, planned_labels=40)
    assert idle.at_completion.reason == NO_LABELS
    assert idle.weekly_burn.value == 100
    sure = forecast_at_completion([100.0] * 12, weeks_left=2, budget=1300)
    assert (sure.over_budget, sure.autocorrelation) == (1, None)
    low = forecast_at_completion([0.0] * 11 + [500.0], weeks_left=30)
    assert low.at_completion.low == low.spent
    assert forecast_at_completion([], weeks_left=2).at_completion.value is None


def test_forecasts_are_seeded():
    x = np.random.default_rng(5).gamma(9, 10, 12)
    one, two = (forecast_at_completion(x, weeks_left=4.5, method="bootstrap", seed=7) for _ in range(2))
    assert one.at_completion == two.at_completion


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"weeks_left": 2, "planned_labels": 5, "weekly_labels": [1] * 5},
        {"planned_labels": 5},
        {"weeks_left": -1},
        {"weeks_left": 1, "method": "guess"},
        {"weeks_left": 1, "budget": -5},
        {"planned_labels": 5, "weekly_labels": [1] * 4},
    ],
)
def test_wrong_questions_are_refused(bad):
    with pytest.raises(ValueError, match=r"needs|not negative|method|same weeks"):
        forecast_at_completion([100.0] * 5, **bad)
