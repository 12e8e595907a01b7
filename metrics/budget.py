"""Is the money enough? Budget against actual, earned value, and what the whole will cost if weeks go on like these."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import student
from metrics.spec import Estimate
from metrics.unit_cost import amounts

Floats = NDArray[np.float64]

LEAST_WEEKS = 4
"""Whole weeks below which the run-rate shows too little of its own variation."""

LEAST_WEEKS_TO_TELL = 12
"""Whole weeks below which nothing tells weeks that resemble their neighbours from independent ones: no interval."""

FEW_WEEKS = f"fewer than {LEAST_WEEKS} whole weeks of cost"
FEW_TO_TELL = f"no interval: fewer than {LEAST_WEEKS_TO_TELL} whole weeks show how much a week resembles the one before"
NO_LABELS = "no accepted labels in these weeks: the remaining work has no price"
NOTHING_LEFT = "no labels left to make"
NO_BUDGET, NO_COST, NO_PLAN = "no budget", "no cost booked", "no planned labels"
BEFORE_START = "the budget has not begun"

STUDENT, BOOTSTRAP = "t", "bootstrap"
BY_TIME, BY_WORK = "time left", "work left"


# -------------------------------------------------------------------------------------------------------- earned value

EARNED_COLUMNS = (
    *("project_id", "budget", "budget_to_date", "actual", "variance", "variance_share", "used_share"),
    *("planned_labels", "planned_to_date", "accepted_labels", "earned_value", "cost_variance", "schedule_variance"),
    *("cost_index", "schedule_index", "reason"),
)


def earned_value(actual: pd.DataFrame, budget: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Budget against actual and earned value, a row per project that has either.

    actual: project_id, day, cost, accepted_labels (rows after ``as_of`` take no part) and, if there is one, currency.
    budget: project_id, month (its first day), amount, planned_labels. as_of: the last day counted, inclusive.

    Columns (money or labels; bookkeeping, so without intervals): budget (all months), budget_to_date (the planned
    value; a month accrues evenly over its days), actual, variance (actual - budget_to_date: above 0 is overspent),
    variance_share (of budget_to_date), used_share (actual / budget), planned_labels, planned_to_date, accepted_labels,
    earned_value (what the accepted labels were planned to cost, earned in the order of the plan's months; beyond the
    plan at its mean price), cost_variance = earned_value - actual, schedule_variance = earned_value - budget_to_date,
    cost_index = earned_value / actual, schedule_index = earned_value / budget_to_date, reason (why some are NaN).
    A cost below 0 is a correction of another's. Raises ValueError for budgets, labels or a project's cost in all below
    0, and for two currencies. Source: ANSI/EIA-748 (EV, PV, AC, CPI, SPI).
    """
    amounts(actual["cost"], actual.get("currency"), corrections=True)
    labels = [*actual["accepted_labels"], *budget["planned_labels"]]
    if not all(x >= 0 for x in labels):
        raise ValueError("Labels are counts: numbers that are not negative.")
    end = pd.Timestamp(as_of)
    done = actual[pd.to_datetime(actual["day"]) <= end].groupby("project_id")[["cost", "accepted_labels"]].sum()
    amounts([*done["cost"], *budget["amount"]])
    plan = budget.assign(month=pd.to_datetime(budget["month"])).sort_values("month")
    days = plan["month"].dt.days_in_month
    plan["passed"] = (((end - plan["month"]).dt.days + 1) / days).clip(0, 1)
    plans = dict(iter(plan.groupby("project_id")))
    rows = []
    for project in sorted({*done.index, *plans}, key=str):
        cost, accepted = done.loc[project] if project in done.index else (0.0, 0.0)
        rows.append((project, *_earned(cost, accepted, plans.get(project))))
    return pd.DataFrame(rows, columns=list(EARNED_COLUMNS))


def _earned(cost: float, accepted: float, plan: pd.DataFrame | None) -> tuple:
    nan = math.nan
    if plan is None or not plan["amount"].sum():
        return (nan, nan, cost, nan, nan, nan, nan, nan, accepted, nan, nan, nan, nan, nan, NO_BUDGET)
    money, work, passed = (plan[c].to_numpy(float) for c in ("amount", "planned_labels", "passed"))
    total, planned = money.sum(), work.sum()
    due, due_labels = money @ passed, work @ passed
    variance = cost - due
    head = (total, due, cost, variance, variance / due if due else nan, cost / total, planned, due_labels, accepted)
    if not planned:
        return (*head, nan, nan, nan, nan, nan, NO_PLAN)
    earned = np.interp(accepted, [0, *work.cumsum()], [0, *money.cumsum()])
    earned = float(earned + max(accepted - planned, 0) * total / planned)
    reason = BEFORE_START if not due else "" if cost else NO_COST
    return (
        *head,
        earned,
        earned - cost,
        earned - due,
        earned / cost if cost else nan,
        earned / due if due else nan,
        reason,
    )


# ----------------------------------------------------------------------------------------------- forecast at completion


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a project will have cost when it is done.

    basis: "time left" (weeks of the same burn) or "work left" (planned labels at the same cost a label). method: "t" or
        "bootstrap", how the interval was made. at_completion: money, a prediction interval; n is weeks used.
    note: why there is a number at completion and no interval; empty where there is one, or no number.
    spent: money so far. weekly_burn, weekly_labels: means of the weeks used, intervals of those means; labels None by
        time. cost_per_label: money, of the weeks used; None by time. remaining_labels: None by time; weeks_left: weeks.
    overrun: at_completion - budget; over_budget: probability that it is above 0, None without an interval. Both None
        without a budget.
    trend: change of the burn a week (money), from a straight line through the weeks; clear of 0 it says that the run-
        rate is no steady one. autocorrelation: of successive weeks, -1 to 1, None where it cannot be told.
    assumptions: in words.
    """

    basis: str
    method: str
    at_completion: Estimate
    spent: float
    weekly_burn: Estimate
    weekly_labels: Estimate | None
    cost_per_label: Estimate | None
    remaining_labels: float | None
    weeks_left: Estimate
    overrun: Estimate | None
    over_budget: float | None
    trend: Estimate
    autocorrelation: float | None
    assumptions: tuple[str, ...]
    note: str = ""


def forecast_at_completion(
    weekly_cost: ArrayLike,
    *,
    weeks_left: float | None = None,
    weekly_labels: ArrayLike | None = None,
    planned_labels: float | None = None,
    budget: float | None = None,
    spent_before: float = 0.0,
    labels_before: float = 0.0,
    window: int = 12,
    method: str = STUDENT,
    draws: int = 4000,
    seed: int = 0,
    level: float = 0.95,
) -> Forecast:
    """Spend at completion from the run-rate of the last ``window`` whole weeks, with its prediction interval.

    weekly_cost: (weeks,) money of whole weeks in order of time, to now; below 0 where corrections exceed a week's cost.
    By time: give ``weeks_left``. By work: give weekly_labels (accepted, the same weeks) and planned_labels (of all the
    project). spent_before, labels_before: before the first week given. budget: for the probability of exceeding it.

    Formula, n weeks used and W weeks left (by work W = remaining labels / mean weekly labels): by time spent + W·mean
    cost; by work spent + remaining · Σcost/Σlabels. Error e of a week is its cost less the mean, or less its labels
    times the cost a label; half interval t s_e √(F·(W + W²/n)): chance in the weeks to come, and in the rate.
    Weeks resemble their neighbours: errors count as an autoregression of order 1 with ρ = (r + 1/n)/√(1 - 4/n) within 0
    to .9, r their lag-1 autocorrelation, the bias -(1 + 4ρ)/n of which is mostly undone. F is that process' exact
    variance of the sum to come less W means, over that of independent weeks, and over the part of it that s_e² shows
    (F at least 1). The weeks are worth (1 - ρ)/(1 + ρ) of their number; as ρ itself is uncertain, t has
    (n - 1)((1 - ρ)/(1 + ρ))^(1 + 20/n) degrees of freedom, at least 1.5; the 20 was found by simulation, the same for
    all numbers of weeks. Weeks that alternate are taken as independent: F is 1, t has n - 1.
    "bootstrap": weeks drawn anew for the rate and for the weeks to come, seeded; narrower with few weeks.

    The t interval holds, of 100 simulated finals with 2 to 30 weeks left and 12 to 40 used: 94 to 97 of independent
    weeks, even or skewed (deviation .2 and .7 of the mean); of normal weeks whose neighbours correlate 94 to 97 where
    by .3, 93 to 97 where by .6, but 92 to 93 where 12 weeks stand for 30; of log-normal ones (.5) 92 to 97.
    Never below what is spent. Fewer than ``LEAST_WEEKS`` weeks: no number, with the reason; fewer than
    ``LEAST_WEEKS_TO_TELL``: no interval and no probability, with the note. The trend's interval takes weeks as
    independent around the line. Raises ValueError for amounts below 0, unequal lengths, both bases or none. Sources:
    Fleming and Koppelman 2010 for the by-work form; Kendall 1954 for the bias of r; Bayley and Hammersley 1946 for what
    dependent weeks are worth.
    """
    cost = amounts(weekly_cost, corrections=True)
    by_work = planned_labels is not None
    if by_work == (weeks_left is not None) or (by_work and weekly_labels is None):
        raise ValueError("A forecast needs weeks_left, or weekly_labels and planned_labels.")
    if method not in (STUDENT, BOOTSTRAP):
        raise ValueError(f'A method is "{STUDENT}" or "{BOOTSTRAP}", not "{method}".')
    amounts([spent_before + cost.sum(), 0 if budget is None else budget, *([] if by_work else [weeks_left])])
    labels = np.ones(len(cost)) if not by_work else np.asarray(weekly_labels, dtype=float)
    if labels.shape != cost.shape or not np.all(labels >= 0):
        raise ValueError("Weekly labels are counts of the same weeks as the costs.")
    spent = spent_before + float(cost.sum())
    remaining = max(planned_labels - labels_before - float(labels.sum()), 0.0) if by_work else float(weeks_left)
    x, n = cost[-window:], labels[-window:]
    weeks = len(x)
    few = weeks < LEAST_WEEKS_TO_TELL
    trend, burn = _trend(x, level), _mean(x, level)
    reason = FEW_WEEKS if weeks < LEAST_WEEKS else NO_LABELS if not n.sum() else ""
    if not remaining:
        made = Estimate(spent, spent, spent, weeks)
        left, rate, alike = Estimate(0.0, 0.0, 0.0, weeks), Estimate.missing(NOTHING_LEFT, weeks), None
        over = None if budget is None else float(spent > budget)
    elif reason:
        made, left, over, alike = Estimate.missing(reason, weeks), Estimate.missing(reason, weeks), None, None
        rate = Estimate.missing(reason, weeks)
    else:
        price = float(x.sum() / n.sum())
        wait = float(remaining / n.mean())
        error = x - price * n
        alike = _autocorrelation(error)
        value = spent + remaining * price
        left = _weeks(n, wait, level) if by_work else Estimate(wait, wait, wait, weeks)
        if few:
            made, rate, over = Estimate(value, n=weeks), Estimate(price, n=weeks), None
        else:
            rho = _likely_rho(alike, weeks)
            widen, df = _widening(rho, weeks, wait), _worth(rho, weeks)
            variance = float(error @ error / (weeks - 1))
            spread = math.sqrt(variance * widen * (wait + wait**2 / weeks))
            if method == STUDENT:
                half = float(student(0.5 + level / 2, df)) * spread
                low, high = value - half, value + half
                over = None if budget is None else _chance_above(value, spread, df, budget)
            else:
                drawn = value + _bootstrap(error, wait, widen, draws, seed)
                low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2]).tolist()
                over = None if budget is None else float(np.mean(np.maximum(drawn, spent) > budget))
            made = Estimate(value, max(min(low, value), spent), max(high, value), weeks)
            each = _half_mean(math.sqrt(variance), rho, weeks, level) * weeks / float(n.sum())
            rate = Estimate(price, max(price - each, 0.0), price + each, weeks)
    overrun = None
    if budget is not None:
        ends = [None if e is None else e - budget for e in (made.value, made.low, made.high)]
        overrun = made if made.value is None else Estimate(*ends, n=weeks)
    what = "accepted labels a week and their cost" if by_work else "the weekly cost"
    return Forecast(
        BY_WORK if by_work else BY_TIME,
        method,
        made,
        spent,
        burn,
        _mean(n, level) if by_work else None,
        rate if by_work else None,
        remaining if by_work else None,
        left,
        overrun,
        over,
        trend,
        alike,
        (
            f"The weeks to come vary around the last {weeks} weeks: {what} stay as they were.",
            "The plan does not change." if by_work else "The end date does not change.",
        ),
        FEW_TO_TELL if few and remaining and not reason else "",
    )


def _chance_above(value: float, spread: float, df: float, budget: float) -> float:
    if spread == 0:
        return float(value > budget)
    return float(special.stdtr(df, (value - budget) / spread))


def _likely_rho(alike: float | None, weeks: int) -> float:
    """How much a week resembles the one before it, 0 to .9, as far as the errors' r tells; 0 where there is no r."""
    if alike is None:
        return 0.0
    return min(max((alike + 1 / weeks) / math.sqrt(1 - 4 / weeks), 0.0), 0.9)


def _worth(rho: float, weeks: int) -> float:
    """Degrees of freedom that the weeks are worth, the uncertainty of rho counted in."""
    return max((weeks - 1) * ((1 - rho) / (1 + rho)) ** (1 + 20 / weeks), 1.5)


def _variance_of_sum(rho: float, weeks: float) -> float:
    """Of so many successive weeks whose neighbours correlate by rho, each of variance 1."""
    return weeks * (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**weeks) / (1 - rho) ** 2


def _shown(rho: float, weeks: int) -> float:
    """The part of such weeks' variance that their own standard deviation shows, squared and on average."""
    return (weeks - _variance_of_sum(rho, weeks) / weeks) / (weeks - 1)


def _widening(rho: float, weeks: int, wait: float) -> float:
    """By how much the sum of the weeks to come less that many means varies more than independent weeks show; from 1."""
    rate = wait / weeks
    together = rho * (1 - rho**weeks) * (1 - rho**wait) / (1 - rho) ** 2
    whole = _variance_of_sum(rho, wait) + rate**2 * _variance_of_sum(rho, weeks) - 2 * rate * together
    return max(whole / _shown(rho, weeks) / (wait + rate * wait), 1.0)


def _half_mean(deviation: float, rho: float, weeks: int, level: float) -> float:
    """Half the interval of the weeks' mean."""
    error = deviation * math.sqrt(_variance_of_sum(rho, weeks) / _shown(rho, weeks)) / weeks
    return float(student(0.5 + level / 2, _worth(rho, weeks))) * error


def _bootstrap(error: Floats, wait: float, widen: float, draws: int, seed: int) -> Floats:
    """Errors of the total: the rate's, from weeks drawn anew, and those of the weeks to come, one of them in part."""
    rng = np.random.default_rng(seed)
    weeks = len(error)
    # Errors about a fitted rate are smaller than those about the true one.
    error = (error - error.mean()) * math.sqrt(weeks / (weeks - 1) * widen)
    rate = rng.choice(error, (draws, weeks)).mean(axis=1) * wait
    whole = math.floor(wait)
    ahead = rng.choice(error, (draws, whole + 1))
    ahead[:, -1] *= math.sqrt(wait - whole)
    return rate + ahead.sum(axis=1)


def _mean(x: Floats, level: float) -> Estimate:
    weeks, mean = len(x), float(x.mean()) if len(x) else math.nan
    if weeks < LEAST_WEEKS:
        return Estimate.missing(FEW_WEEKS, weeks)
    if weeks < LEAST_WEEKS_TO_TELL:
        return Estimate(mean, n=weeks)
    half = _half_mean(float(x.std(ddof=1)), _likely_rho(_autocorrelation(x), weeks), weeks, level)
    return Estimate(mean, max(mean - half, 0.0), mean + half, weeks)


def _weeks(n: Floats, wait: float, level: float) -> Estimate:
    """Weeks until the remaining labels are made: the delta method on the log scale."""
    weeks = len(n)
    if weeks < LEAST_WEEKS_TO_TELL:
        return Estimate(wait, n=weeks)
    rho = _likely_rho(_autocorrelation(n), weeks)
    error = math.sqrt(n.var(ddof=1) * _widening(rho, weeks, wait) * (1 / wait + 1 / weeks)) / n.mean()
    half = float(student(0.5 + level / 2, _worth(rho, weeks))) * error
    return Estimate(wait, wait * math.exp(-half), wait * math.exp(half), weeks)


def _trend(x: Floats, level: float) -> Estimate:
    weeks = len(x)
    if weeks < LEAST_WEEKS:
        return Estimate.missing(FEW_WEEKS, weeks)
    at = np.arange(weeks) - (weeks - 1) / 2
    slope = float(at @ x / (at @ at))
    error = x - x.mean() - slope * at
    half = float(student(0.5 + level / 2, weeks - 2)) * math.sqrt(error @ error / (weeks - 2) / (at @ at))
    return Estimate(slope, slope - half, slope + half, weeks)


def _autocorrelation(error: Floats) -> float | None:
    error = error - error.mean()
    squares = float(error @ error)
    return float(error[1:] @ error[:-1] / squares) if squares > 0 else None
