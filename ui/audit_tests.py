"""The audit planner's two tests: whether a batch may be accepted, and whether a rater is good."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics import audit_plan, sequential, skill
from metrics.audit_plan import AcceptancePlan
from ui.audit_planner import Ask


@dataclass(frozen=True, eq=False)
class Batch:
    """A plan for accepting batches, and the chance that it accepts one by its true error share."""

    plan: AcceptancePlan
    curve: pd.DataFrame


def batch(ask: Ask) -> Batch:
    """The smallest sample of a batch that keeps both risks, with its operating curve; do not change what it holds."""
    return _batch(ask.acceptable / 100, ask.limit / 100, ask.lot)


@functools.lru_cache(maxsize=200)
def _batch(acceptable: float, limit: float, lot: int) -> Batch:
    found = audit_plan.find_plan(acceptable, limit, lot=lot)
    if found.n is None:
        return Batch(found, pd.DataFrame())
    rates = np.unique(np.append(np.linspace(0, min(1.0, 1.7 * limit), 60), [acceptable, limit]))
    return Batch(found, audit_plan.operating_curve(found.n, found.c, rates, lot))


@dataclass(frozen=True, eq=False)
class RaterTest:
    """Two tests that tell a good from a bad rater: one of fixed length, one that ends as soon as it may.

    lines: n, enough (wrong answers at or above which the rater is looked into) and few (at or below which he is
    accepted); NaN where neither can be yet. fixed is None, and reason says why, when no fixed test is short enough.
    """

    fixed: skill.ExactPlan | None
    expected: sequential.ExpectedN
    lines: pd.DataFrame
    reason: str = ""


def rater_test(ask: Ask) -> RaterTest:
    """A fixed and a sequential test with the same risks, 5 % of a false alarm and 20 % of a miss; do not change it."""
    return _rater_test(ask.good / 100, ask.bad / 100)


@functools.lru_cache(maxsize=200)
def _rater_test(good: float, bad: float) -> RaterTest:
    limits = sequential.Plan(good, bad)
    expected = sequential.expected_n(limits)
    try:
        fixed, reason = skill.exact_plan(good, bad, limits.false_alarm, 1 - limits.miss), ""
    except ValueError as error:
        fixed, reason = None, str(error).rstrip(".")
    reach = int(min(max(fixed.n if fixed else 0, 1.5 * max(expected)), 2000))
    n = np.unique(np.linspace(1, reach, min(reach, 120)).round())
    ends = sequential.state(np.zeros(len(n)), n, limits)
    enough, few = n - ends["look_into_up_to"].to_numpy(), n - ends["accept_from"].to_numpy()
    enough, few = np.where(enough <= n, enough, np.nan), np.where(few >= 0, few, np.nan)
    lines = pd.DataFrame({"n": n, "enough": enough, "few": few})
    return RaterTest(fixed, expected, lines, reason)
