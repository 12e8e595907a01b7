"""Probabilities tried on past periods: simulated queues with known truth, and what few periods support."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.backlog import Sla
from metrics.capacity import LATE_OTHERWISE, Queue, Staff
from metrics.handling import HandleTime
from metrics.outlook_check import LEAST_PERIODS, check, in_ten

EXACT = HandleTime(100.0)
AMPLE = Staff(headcount=10, hours=8, utilisation=0.8, shrinkage=0.2)  # 1,843.2 items a day


def test_simulated_less_what_is_usually_late_is_set_beside_measured():
    """2 % are always late for another reason; the newest two periods lose 1 and 3 points more."""
    simulated = [1.0, 0.9, 1.0, 0.95, 1.0, 1.0, 1.0]
    found = check(simulated, [0.98, 0.88, 0.98, 0.93, 0.98, 0.97, 0.95], [100.0] * 6 + [300.0], 2)
    assert found.otherwise == pytest.approx([0.02] * 5 + [0.03, 0.05])
    assert found.simulated == pytest.approx(0.98)
    assert found.measured == pytest.approx((0.97 * 100 + 0.95 * 300) / 400)
    assert "too far apart" in found.reason  # 2.5 points
    near = check(simulated, [0.98, 0.88, 0.98, 0.93, 0.98, 0.97, 0.96], [100.0] * 7, 2)
    assert near.reason == "" and near.most == pytest.approx(7 / 8)


def test_few_periods_say_why_and_periods_with_nothing_due_are_none():
    few = check([1.0] * 6, [0.97] * 6, [10.0] * 6, 2)
    assert few.reason == f"fewer than {LEAST_PERIODS + 2} past periods to try the simulation on"
    assert few.simulated is None and few.otherwise == ()
    assert check([1.0] * 9, [0.97] * 9, [10.0] * 6 + [0.0] * 3, 2).reason == few.reason
    assert check([], [], [], 1).reason


@pytest.mark.parametrize(("most", "said"), [(12 / 13, (9, 1)), (5 / 6, (8, 2)), (7 / 8, (8, 2)), (0.95, (9, 1))])
def test_no_more_is_said_than_periods_support(most, said):
    assert in_ten(most) == said


@pytest.mark.parametrize(
    "arguments",
    [([1.1], [1.0], [1.0], 1), ([1.0], [1.0], [-1.0], 1), ([1.0], [1.0, 1.0], [1.0], 1), ([1], [1], [1], 0)],
)
def test_what_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match=r"."):
        check(*arguments)


def test_a_risk_with_what_is_late_otherwise_comes_true_as_often_as_it_says():
    """Known truth: ample staff, and each period a share late for another reason around the allowed 4 %.

    Twelve past periods give the risk of the thirteenth. Exchangeable periods miss as often as the risks say, and a
    simulation of capacity alone never sees it. Binomial error of the mean over 600 queues: 2 points.
    """
    rng = np.random.default_rng(5)
    arrivals, risks, missed = np.full((2, 14), 1500.0), [], []
    for _ in range(600):
        level, spread = rng.uniform(0.02, 0.05), rng.uniform(0.002, 0.01)
        late = np.clip(rng.normal(level, spread, 13), 0, 1)
        sla = Sla(24, 0.96)
        found = Queue(arrivals, AMPLE, EXACT, recent=[1500.0], sla=sla, otherwise=late[:12]).outlook()
        risks.append(found.miss_period.value)
        missed.append(late[12] > 0.04)
    plain = Queue(arrivals, AMPLE, EXACT, recent=[1500.0], sla=Sla(24, 0.96)).outlook().miss_period.value
    risks, missed = np.array(risks), np.array(missed)
    assert plain == 0
    assert risks.min() == pytest.approx(0.5 / 13) and risks.max() == pytest.approx(12.5 / 13)
    assert risks.mean() == pytest.approx(missed.mean(), abs=0.05)
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1)):
        here = (risks >= low) & (risks < high)
        error = 2.6 * np.sqrt(0.25 / here.sum())
        assert risks[here].mean() == pytest.approx(missed[here].mean(), abs=max(error, 0.05))


def test_a_past_period_is_simulated_as_its_items_were_late():
    """A queue simulated with the hours there were leaves nothing late otherwise when capacity alone makes it late."""
    rng = np.random.default_rng(2)
    came = rng.poisson(1900, (40, 14)).astype(float)
    truth = Queue(came, AMPLE, EXACT, start=1600.0, recent=[1900.0], sla=Sla(24, 0.96)).late_shares()
    for path in range(0, 40, 8):
        one = Queue(came[[path] * 3], AMPLE, EXACT, start=1600.0, recent=[1900.0], sla=Sla(24, 0.96)).late_shares()
        np.testing.assert_allclose(one, truth[path])
    assert truth.mean() > 0.01
    found = Queue(came, AMPLE, EXACT, start=1600.0, recent=[1900.0], sla=Sla(24, 0.96)).outlook()
    assert found.miss_period.value == pytest.approx((truth > 0.04).mean())


def test_people_do_not_help_where_items_are_late_for_other_reasons():
    usual = [0.05] * 12
    found = Queue(
        np.full((4, 14), 1500.0), AMPLE, EXACT, recent=[1500.0], sla=Sla(24, 0.96), otherwise=usual
    ).heads_needed(most_added=50)
    assert found.added is None and found.reason == LATE_OTHERWISE
    assert found.after.value == pytest.approx(12.5 / 13)
    short = Staff(headcount=5, hours=8, utilisation=0.8, shrinkage=0.2)
    helped = Queue(
        np.full((4, 14), 1500.0), short, EXACT, recent=[1500.0], sla=Sla(24, 0.96), otherwise=[0.01] * 12
    ).heads_needed()
    plain = Queue(np.full((4, 14), 1500.0), short, EXACT, recent=[1500.0], sla=Sla(24, 0.96)).heads_needed()
    assert plain.added <= helped.added <= plain.added + 1 and helped.after.value == pytest.approx(0.5 / 13)
