"""The audit planner's two tests: whether a batch may be accepted, and whether a rater is good; where raters stand."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import acceptance, sequential, skill
from metrics.acceptance import AcceptancePlan
from ui import data
from ui.audit_planner import Ask
from ui.figures import KEPT
from ui.rater_people import people


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
    found = acceptance.find_plan(acceptable, limit, lot=lot)
    if found.n is None:
        return Batch(found, pd.DataFrame())
    rates = np.unique(np.append(np.linspace(0, min(1.0, 1.7 * limit), 60), [acceptable, limit]))
    return Batch(found, acceptance.operating_curve(found.n, found.c, rates, lot))


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


def rater_test(ask: Ask, reach: float = 0) -> RaterTest:
    """A fixed and a sequential test with the same risks, 5 % of a false alarm and 20 % of a miss; do not change it.

    reach: gold judgements that the lines go up to, if that is further than they go by themselves.
    """
    return _rater_test(ask.good / 100, ask.bad / 100, reach)


@functools.lru_cache(maxsize=200)
def _rater_test(good: float, bad: float, longest: float) -> RaterTest:
    limits = sequential.Plan(good, bad)
    expected = sequential.expected_n(limits)
    try:
        fixed, reason = skill.exact_plan(good, bad, limits.false_alarm, 1 - limits.miss), ""
    except ValueError as error:
        fixed, reason = None, str(error).rstrip(".")
    reach = int(min(max(fixed.n if fixed else 0, 1.5 * max(expected), longest), 2000))
    n = np.unique(np.linspace(1, reach, min(reach, 120)).round())
    ends = sequential.state(np.zeros(len(n)), n, limits)
    enough, few = n - ends["look_into_up_to"].to_numpy(), n - ends["accept_from"].to_numpy()
    enough, few = np.where(enough <= n, enough, np.nan), np.where(few >= 0, few, np.nan)
    lines = pd.DataFrame({"n": n, "enough": enough, "few": few})
    return RaterTest(fixed, expected, lines, reason)


# ---- raters on the test ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tested:
    """Where the raters of one pool stand on the sequential test; or why nobody is shown.

    rows: a rater each: rater, alias (a pseudonym), n and wrong (gold judgements met, and wrong ones among them, by the
    day the test ended, else by the end of the period), state (one of ``sequential``).
    """

    rows: pd.DataFrame
    pool: str = ""
    reason: str = ""


ONE_POOL = "choose one pool to see where its raters stand on this test"
MANAGED = "where single raters stand on this test is shown to those who manage them"


@st.cache_data(**KEPT)
def tested(snapshot: Snapshot, filters: Filters, ask: Ask) -> Tested:
    """The test as if it had begun with the period: after each day the sums so far are asked, and the first end counts.

    As judged: a test on answers, one after the other, knows nothing of how hard the items were.
    """
    nobody = pd.DataFrame(columns=["rater", "alias", "n", "wrong", "state"])
    if not data.current_scope().sees_raters:  # the smallest group that may be shown is then more than one rater
        return Tested(nobody, reason=MANAGED)
    pools = filters.values("pool")
    if len(pools) != 1:
        return Tested(nobody, reason=ONE_POOL)
    days = data.sums(snapshot, "work", ("gold_n", "gold_correct"), ("rater", "day"), filters).fillna(0)
    days = days[days["gold_n"] > 0].sort_values(["rater", "day"], kind="stable")
    name = snapshot.names["pool"].get(pools[0], pools[0])
    if days.empty:
        return Tested(nobody, name, f"no rater of {name} met gold in this period")
    met = days.groupby("rater")[["gold_n", "gold_correct"]].cumsum()
    plan = sequential.Plan(ask.good / 100, ask.bad / 100)
    state = sequential.ends_of(met["gold_correct"], met["gold_n"], plan)
    so_far = pd.DataFrame(
        {
            "rater": days["rater"].astype(str),
            "n": met["gold_n"],
            "wrong": met["gold_n"] - met["gold_correct"],
            "state": state,
        }
    )
    last = so_far.drop_duplicates("rater", keep="last")
    ended = so_far[so_far["state"] != sequential.GO_ON].drop_duplicates("rater")
    rows = pd.concat([ended, last[~last["rater"].isin(ended["rater"])]])
    known = people(snapshot)
    rows = rows.assign(alias=[known[r].alias if r in known else r for r in rows["rater"]])
    return Tested(rows.sort_values("alias").reset_index(drop=True), name)
