"""Live queues: published tables, the formula's definition, a simulation, brute force."""

import heapq
import math

import numpy as np
import pytest

from metrics import erlang
from metrics.erlang import agents_needed, erlang_c, live_queue


def test_erlang_c_is_the_sum_of_its_definition():
    """C = (aⁿ/n! · n/(n - a)) / (Σ_{k<n} aᵏ/k! + the same), and the value of notes/methods.md, section 15."""

    def direct(a, n):
        last = a**n / math.factorial(n) * n / (n - a)
        return last / (sum(a**k / math.factorial(k) for k in range(n)) + last)

    assert erlang_c(10, 14) == pytest.approx(0.1741, abs=5e-5)
    load, agents = np.array([[0.5], [3.0], [10.0]]), np.array([1, 4, 11, 20])
    found = erlang_c(load, agents)
    for i, a in enumerate(load[:, 0]):
        for j, n in enumerate(agents):
            if n > a:
                assert found[i, j] == pytest.approx(direct(a, int(n)), rel=1e-12)
            else:
                assert np.isnan(found[i, j])
    assert np.isnan(erlang_c(10, 10))
    assert erlang_c(0, 3) == 0
    assert erlang_c(0.3, 1) == pytest.approx(0.3)  # a single agent is busy so often


def test_live_queue_is_that_of_a_simulation():
    """Poisson arrivals 120 an hour, exponential handle times of 90 s, 4 agents: 400,000 customers followed."""
    rng = np.random.default_rng(10)
    arrived, handled = np.cumsum(rng.exponential(30, 400_000)), rng.exponential(90, 400_000)
    free, waits = [0.0] * 4, []
    for moment, seconds in zip(arrived.tolist(), handled.tolist(), strict=True):
        begun = max(moment, heapq.heappop(free))
        waits.append(begun - moment)
        heapq.heappush(free, begun + seconds)
    waits, found = np.array(waits), live_queue(120, 90, 4, threshold_seconds=20)
    assert found.load_erlangs == 3
    assert found.wait.value == pytest.approx((waits > 0).mean(), abs=0.01)
    assert found.within.value == pytest.approx((waits <= 20).mean(), abs=0.01)
    assert found.mean_wait_seconds.value == pytest.approx(waits.mean(), rel=0.04)
    assert found.occupancy.value == 0.75


def test_a_live_queue_without_spare_agents_is_null():
    found = live_queue(120, 300, 10)
    assert found.load_erlangs == 10
    assert {found.wait.reason, found.within.reason, found.mean_wait_seconds.reason, found.occupancy.reason} == {
        erlang.OVERLOADED
    }


@pytest.mark.parametrize(
    ("per_hour", "seconds", "within", "threshold"), [(120, 300, 0.8, 20), (5, 60, 0.99, 0), (0, 60, 1, 0)]
)
def test_the_fewest_agents_are_those_of_trying_all(per_hour, seconds, within, threshold):
    found = agents_needed(per_hour, seconds, within, threshold)
    assert live_queue(per_hour, seconds, found, threshold).within.value >= within
    fewer = live_queue(per_hour, seconds, found - 1, threshold)
    assert fewer.within.reason or fewer.within.value < within
    assert agents_needed(3600, 3600, 0.9, 10, most=3000) is None


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (erlang_c, (-1, 2)),
        (erlang_c, (1, 2.5)),
        (live_queue, (10, 0, 2)),
        (agents_needed, (10, 60, 1.1, 20)),
    ],
)
def test_what_cannot_be_is_refused(function, arguments):
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)
