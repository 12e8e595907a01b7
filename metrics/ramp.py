"""How long until new raters work like tenured ones, at target quality, and what it costs when people leave.

A hire cohort's handle time and error share follow a power law of practice, y(x) = plateau + (start - plateau)·x^(-b),
x = 1, 2, 3, ... weeks of tenure. ``learning.learning_curve`` fits the same law to errors alone; here both curves come
from one bootstrap over raters, so that the week in which **both** are reached has an interval. New hires may be given
easier work than others: compare cohorts of one task type, or sums adjusted for mix.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import clustered_ratio, clustered_share, student
from metrics.learning import LEAST_PERIODS, RATES
from metrics.spec import ESTIMATE_COLUMNS, Estimate

Floats = NDArray[np.float64]

LEAST_RATERS = 3
"""Fewer raters than this are persons, not a cohort."""

NO_WORK = "no timed judgements"
NO_GOLD = "no gold judgements"
NO_HEADCOUNT = "no average headcount"
NO_LEAVERS = "number of leavers not known"
FEW_RATERS = f"fewer than {LEAST_RATERS} raters"
FEW_WEEKS = f"fewer than {LEAST_PERIODS} weeks of tenure with work"
FEW_GOLD_WEEKS = f"fewer than {LEAST_PERIODS} weeks of tenure with gold judgements"
NO_REFERENCE = "too few tenured raters to compare with"
BEYOND = "the aim lies beyond the tenure seen"
TOO_SLOW = "the pace levels off below the share of tenured throughput asked for"
TOO_FAULTY = "the accuracy levels off below the target"

COHORT_COLUMNS = (
    "cohort", *ESTIMATE_COLUMNS, "speed_weeks", "loss_hours", "loss_low", "loss_high", "speed_reason",
    "quality_weeks", "quality_reason", "judgements", "weeks_seen",
)  # fmt: skip
WEEK_COLUMNS = (
    "cohort", "week", "per_hour", "per_hour_low", "per_hour_high", "per_hour_fitted", "of_tenured",
    "accuracy", "accuracy_low", "accuracy_high", "accuracy_fitted", "raters", "judgements", "gold", "reason",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ramp:
    """How hire cohorts came up to speed.

    cohorts: a row per cohort in the order of names: cohort; value (weeks until both pace and quality are reached, 1 =
        the first week), low, high (95 %; no upper end where it lies beyond the tenure seen), n (raters), reason;
        speed_weeks (pace alone), loss_hours (hours of handling that a hire's slowness costs until then), loss_low,
        loss_high, speed_reason (why these are NaN, else ""); quality_weeks, quality_reason; judgements; weeks_seen.
    weeks: a row per cohort and week of tenure with work: per_hour (judgements an hour of handling), its interval over
        raters and fitted value; of_tenured (per_hour / tenured, a share); accuracy likewise; raters; judgements; gold;
        reason (why per_hour or accuracy is NaN, else "").
    tenured: judgements an hour of raters beyond their ramp.
    """

    cohorts: pd.DataFrame
    weeks: pd.DataFrame
    tenured: Estimate


def ramp(
    cohort: ArrayLike,
    rater: ArrayLike,
    week: ArrayLike,
    judgements: ArrayLike,
    handle_seconds: ArrayLike,
    gold: ArrayLike,
    right: ArrayLike,
    *,
    target_accuracy: float,
    share: float = 0.90,
    tenured_from: int = 26,
    ramp_weeks: int = 26,
    draws: int = 300,
    seed: int = 0,
) -> Ramp:
    """Weeks until each hire cohort reaches ``share`` of tenured throughput at ``target_accuracy``.

    A row per rater and week of tenure (1 = the first): cohort (month of hire, class, vendor), timed judgements, their
    seconds, gold judgements and how many are right; rows of one rater and week add up. Tenured: all rows of week
    ``tenured_from`` or later, of whatever cohort. The curve is fitted to weeks 1 .. ``ramp_weeks``.

    Fit: for each power of ``learning.RATES`` start and plateau by least squares weighted with judgements (seconds a
    judgement) or gold (error share), plateau >= 0 and start >= plateau. speed_weeks: first x, whole or not, with
    y(x) <= tenured seconds / share; quality_weeks: with error(x) <= 1 - target_accuracy; the value is the later.
    loss_hours = Σ over weeks before speed_weeks of a rater's mean hours · (1 - tenured seconds / y(x)), at least 0.
    Intervals: Bayesian bootstrap over raters, seeded, expanded percentiles. No value, with a reason, for fewer
    than ``LEAST_RATERS`` raters on either side, fewer than ``learning.LEAST_PERIODS`` weeks, a curve that levels off
    short of the aim, or one that reaches it beyond the tenure seen, as does a fifth of the draws. Raters who
    leave early drop out of later weeks: if the slow leave, the cohort seems to learn.
    Raises ValueError for unequal lengths, sums that cannot be, a week below 1 or aims outside 0..1.
    Source: Newell and Rosenbloom 1981; Rubin 1981 (Bayesian bootstrap); Hesterberg 2015.
    """
    if not (0 < share <= 1 and 0 < target_accuracy <= 1) or tenured_from < 2 or ramp_weeks < LEAST_PERIODS or draws < 1:
        raise ValueError("Aims are shares above 0 and at most 1; the ramp has weeks and draws.")
    rows = _rows(cohort, rater, week, judgements, handle_seconds, gold, right)
    # Bayesian bootstrap: positive weights never empty a cohort, and serve a rater's early and late weeks alike.
    rows["person"] = rows.groupby(["cohort", "rater"], sort=True).ngroup()
    people = int(rows["person"].max()) + 1 if len(rows) else 0
    weights = np.random.default_rng(seed).standard_exponential((draws + 1, people))
    weights[0] = 1.0  # the data itself
    tenured, drawn_tenured = _tenured(rows[rows["week"] >= tenured_from], weights)
    cohorts, weeks = [], []
    for name, own in rows.groupby("cohort", sort=True):
        early = own[own["week"] <= ramp_weeks]
        found, curve = _cohort(name, early, tenured, drawn_tenured, weights, 1 - target_accuracy, share)
        cohorts.append(found)
        weeks.append(curve)
    empty = pd.DataFrame(columns=list(WEEK_COLUMNS))
    return Ramp(
        pd.DataFrame(cohorts, columns=list(COHORT_COLUMNS)),
        pd.concat(weeks, ignore_index=True)[list(WEEK_COLUMNS)] if weeks else empty,
        tenured,
    )


# -------------------------------------------------------------------------------------------------- cost of attrition


@dataclass(frozen=True)
class AttritionCost:
    """What leavers cost, in the unit of the prices. total = ramp + hiring + training; their intervals are that of the
    ramp loss. per_leaver: the total of one. rate: leavers / average headcount over the period, a share that may pass 1.
    """

    total: Estimate
    per_leaver: Estimate
    ramp: Estimate
    hiring: Estimate
    training: Estimate
    rate: Estimate


def attrition_cost(
    leavers: float | None,
    loss_hours: Estimate,
    cost_per_hour: float,
    hiring_per_leaver: float,
    training_per_leaver: float,
    average_headcount: float | None = None,
) -> AttritionCost:
    """Leavers · (ramp loss hours · cost an hour + hiring + training): every leaver is replaced by a new hire.

    leavers: over the period. loss_hours: of one hire (``Ramp.cohorts``). The prices are inputs and have no interval.
    Without leavers known or without a ramp loss the total is null with that reason; the parts that are known stand.
    Not counted: work not done while the place was empty, and a leaver's last slow weeks. Show it for groups of five
    people or more only. Raises ValueError for negative numbers.
    """
    inputs = [cost_per_hour, hiring_per_leaver, training_per_leaver, leavers or 0, average_headcount or 0]
    if not all(x >= 0 for x in inputs):
        raise ValueError("Leavers, headcount and prices are 0 or more.")
    fixed = hiring_per_leaver + training_per_leaver
    if leavers is None:
        missing = Estimate.missing(NO_LEAVERS)
        per_leaver = _scaled(loss_hours, cost_per_hour, fixed, 1)
        return AttritionCost(missing, per_leaver, missing, missing, missing, missing)
    return AttritionCost(
        _scaled(loss_hours, leavers * cost_per_hour, leavers * fixed, leavers),
        _scaled(loss_hours, cost_per_hour, fixed, leavers),
        _scaled(loss_hours, leavers * cost_per_hour, 0.0, leavers),
        Estimate(leavers * hiring_per_leaver, n=leavers),
        Estimate(leavers * training_per_leaver, n=leavers),
        Estimate(leavers / average_headcount, n=average_headcount)
        if average_headcount
        else Estimate.missing(NO_HEADCOUNT),
    )


# ------------------------------------------------------------------------------------------------------------ helpers


def _rows(cohort: ArrayLike, rater: ArrayLike, week: ArrayLike, *sums: ArrayLike) -> pd.DataFrame:
    columns = dict(zip(("judgements", "seconds", "gold", "right"), sums, strict=True))
    values = {name: np.asarray(x, dtype=float) for name, x in columns.items()}
    values = {"cohort": np.asarray(cohort), "rater": np.asarray(rater), "week": np.asarray(week, dtype=float), **values}
    if len({x.shape for x in values.values()}) != 1:
        raise ValueError("cohort, rater, week and the sums differ in length.")
    rows = pd.DataFrame(values)
    numbers = rows[["week", *columns]].to_numpy()
    if not np.isfinite(numbers).all() or (numbers < 0).any() or (rows["week"] < 1).any():
        raise ValueError("Weeks of tenure count from 1, and sums are 0 or more.")
    if (rows["right"] > rows["gold"]).any() or ((rows["judgements"] > 0) != (rows["seconds"] > 0)).any():
        raise ValueError("No more gold is right than judged, and timed judgements have seconds.")
    rows["week"] = np.floor(rows["week"]).astype(np.int64)
    return rows.groupby(["cohort", "rater", "week"], as_index=False, sort=True)[list(columns)].sum()


def _tenured(rows: pd.DataFrame, weights: Floats) -> tuple[Estimate, Floats]:
    """Judgements an hour of tenured raters, and seconds a judgement of the data and of each draw."""
    own = rows.groupby("person")[["judgements", "seconds"]].sum()
    own = own[own["judgements"] > 0]
    if len(own) < LEAST_RATERS:
        return Estimate.missing(NO_REFERENCE, len(own)), np.empty(0)
    done, seconds = own["judgements"].to_numpy(), own["seconds"].to_numpy()
    found = clustered_ratio(*_squares(done[:, None], seconds[:, None] / 3600))
    drawn = np.einsum("dr,rk->dk", weights[:, own.index], np.column_stack([seconds, done]))
    low, high = (None if np.isnan(x[0]) else float(x[0]) for x in (found.low, found.high))
    return Estimate(float(found.value[0]), low, high, len(own)), drawn[:, 0] / drawn[:, 1]


def _squares(x: Floats, n: Floats) -> list[Floats]:
    """What the clustered intervals take, by column; rows are clusters."""
    return [v.sum(axis=0) for v in (x, n, x * x, x * n, n * n, n > 0)]


def _cohort(
    name: Hashable,
    rows: pd.DataFrame,
    tenured: Estimate,
    drawn_tenured: Floats,
    weights: Floats,
    most_errors: float,
    share: float,
) -> tuple[dict, pd.DataFrame]:
    rows = rows[(rows["judgements"] > 0) | (rows["gold"] > 0)]
    weeks, column = np.unique(rows["week"], return_inverse=True)
    people, row = np.unique(rows["person"], return_inverse=True)
    cells = {c: np.zeros((len(people), len(weeks))) for c in ("judgements", "seconds", "gold", "right")}
    for c, values in cells.items():
        values[row, column] = rows[c]
    curve = _week_table(name, weeks, cells, tenured)
    raters = len(people)
    last = float(weeks.max(initial=0))
    found = {"cohort": name, "n": raters, "judgements": rows["judgements"].sum(), "weeks_seen": last}
    found |= dict.fromkeys(("value", "low", "high", "speed_weeks", "quality_weeks"), np.nan)
    found |= dict.fromkeys(("loss_hours", "loss_low", "loss_high"), np.nan)
    timed, judged = ((cells[c].sum(axis=0) > 0).sum() for c in ("judgements", "gold"))
    stop = (
        NO_WORK if not timed
        else FEW_RATERS if raters < LEAST_RATERS
        else FEW_WEEKS if timed < LEAST_PERIODS
        else tenured.reason
    )  # fmt: skip
    if stop:
        return found | dict.fromkeys(("reason", "speed_reason", "quality_reason"), stop), curve
    weights = weights[:, people]
    sums = {column: np.einsum("dr,rw->dw", weights, values) for column, values in cells.items()}
    pace = _power_law(weeks, sums["seconds"], sums["judgements"])
    speed = _reached(pace, drawn_tenured / share)
    curve["per_hour_fitted"] = 3600 / _at(pace[:1], weeks)[0]
    loss = _loss(cells, weights, weeks, pace, speed, drawn_tenured)
    found["speed_reason"] = _why_not(speed, last, TOO_SLOW)
    if not found["speed_reason"]:
        found |= _ends(loss, ("loss_hours", "loss_low", "loss_high"), raters) | {"speed_weeks": speed[0]}
    if judged < LEAST_PERIODS:
        found["quality_reason"] = FEW_GOLD_WEEKS if judged else NO_GOLD
        return found | {"reason": found["speed_reason"] or found["quality_reason"]}, curve
    errors = _power_law(weeks, sums["gold"] - sums["right"], sums["gold"])
    quality = _reached(errors, np.full(len(weights), most_errors))
    curve["accuracy_fitted"] = 1 - _at(errors[:1], weeks)[0]
    found["quality_reason"] = _why_not(quality, last, TOO_FAULTY)
    if not found["quality_reason"]:
        found["quality_weeks"] = quality[0]
    both = np.maximum(speed, quality)
    found["reason"] = found["speed_reason"] or found["quality_reason"] or _why_not(both, last, BEYOND)
    if not found["reason"]:
        found |= _ends(both, ("value", "low", "high"), raters)
        found["high"] = found["high"] if found["high"] <= last else np.nan
    return found, curve


def _week_table(name: Hashable, weeks: NDArray[np.int64], cells: dict[str, Floats], tenured: Estimate) -> pd.DataFrame:
    pace = clustered_ratio(*_squares(cells["judgements"], cells["seconds"] / 3600))
    quality = clustered_share(*_squares(cells["right"], cells["gold"]))
    reasons = [
        "; ".join(filter(None, (NO_WORK if np.isnan(p) else "", NO_GOLD if np.isnan(q) else "")))
        for p, q in zip(pace.value, quality.value, strict=True)
    ]
    return pd.DataFrame(
        {
            "cohort": name,
            "week": weeks,
            "per_hour": pace.value,
            "per_hour_low": pace.low,
            "per_hour_high": pace.high,
            "per_hour_fitted": np.nan,
            "of_tenured": pace.value / (np.nan if tenured.value is None else tenured.value),
            "accuracy": quality.value,
            "accuracy_low": quality.low,
            "accuracy_high": quality.high,
            "accuracy_fitted": np.nan,
            "raters": ((cells["judgements"] > 0) | (cells["gold"] > 0)).sum(axis=0),
            "judgements": cells["judgements"].sum(axis=0),
            "gold": cells["gold"].sum(axis=0),
            "reason": reasons,
        }
    )


def _power_law(weeks: Floats, total: Floats, n: Floats) -> Floats:
    """(start, plateau, power) of each row of total / n, (rows, 3), weighted with n; plateau >= 0, start >= plateau."""
    basis = weeks[None, :].astype(float) ** -RATES[:, None]  # (rates, weeks)
    y = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    sw, swy, swyy = (x.sum(axis=1)[:, None] for x in (n, total, total * y))
    swb, swbb, swby = (np.einsum("rw,kw->rk", a, b) for a, b in ((n, basis), (n, basis**2), (total, basis)))
    gain = np.maximum((sw * swby - swb * swy) / np.maximum(sw * swbb - swb**2, 1e-12), 0.0)
    floor = (swy - gain * swb) / sw
    # Nothing lies below 0: the plateau is 0 and the gain is fitted alone.
    gain = np.where(floor < 0, np.maximum(swby / swbb, 0.0), gain)
    floor = np.maximum(floor, 0.0)
    squares = swyy - 2 * (floor * swy + gain * swby) + floor**2 * sw + 2 * floor * gain * swb + gain**2 * swbb
    best, rows = squares.argmin(axis=1), np.arange(len(total))
    return np.column_stack([floor[rows, best] + gain[rows, best], floor[rows, best], RATES[best]])


def _at(fit: Floats, weeks: Floats) -> Floats:
    return fit[:, 1:2] + (fit[:, :1] - fit[:, 1:2]) * weeks[None, :].astype(float) ** -fit[:, 2:]


def _reached(fit: Floats, aim: Floats) -> Floats:
    """The week from which each curve lies at or below its aim, at least 1; infinite where it never does."""
    start, plateau, power = fit.T
    room = aim - plateau
    with np.errstate(divide="ignore", invalid="ignore"):
        weeks = np.exp(np.minimum(np.log(np.maximum(start - plateau, 1e-300) / room) / power, 30.0))
    return np.where(start <= aim, 1.0, np.where(room > 0, weeks, np.inf))


def _loss(cells: dict, weights: Floats, weeks: Floats, pace: Floats, speed: Floats, tenured: Floats) -> Floats:
    """Hours of handling a hire loses against a tenured rater before the pace is reached, for each draw."""
    present = np.einsum("dr,rw->dw", weights, (cells["judgements"] > 0).astype(float))
    hours = np.einsum("dr,rw->dw", weights, cells["seconds"]) / 3600
    each = np.divide(hours, present, out=np.zeros_like(hours), where=present > 0)
    behind = np.maximum(1 - tenured[:, None] / _at(pace, weeks), 0.0)
    return (each * behind * (weeks[None, :] < speed[:, None])).sum(axis=1)


def _why_not(reached: Floats, last: float, never: str) -> str:
    """Why there is no week: the first of ``reached`` is the data's, the rest are draws."""
    if np.isinf(reached[0]):
        return never
    return BEYOND if reached[0] > last or np.mean(reached[1:] > last) > 0.2 else ""


def _ends(drawn: Floats, names: tuple[str, str, str], raters: int) -> dict:
    """The value and its percentile interval, expanded for few raters as Student's t is (Hesterberg 2015)."""
    tail = special.ndtr(-math.sqrt(raters / (raters - 1)) * float(student(0.975, raters - 1)))
    low, high = np.quantile(drawn[1:], [tail, 1 - tail], method="inverted_cdf")
    return dict(zip(names, (drawn[0], min(low, drawn[0]), max(high, drawn[0])), strict=True))


def _scaled(hours: Estimate, price: float, fixed: float, n: float) -> Estimate:
    if hours.reason:
        return Estimate.missing(hours.reason, n)
    value, low, high = (None if x is None else fixed + price * x for x in (hours.value, hours.low, hours.high))
    return Estimate(value, low, high, n)
