"""Live queues, in which somebody waits at once: Erlang's formula, waiting times and the agents that it takes.

A backlog is a flow of days and no waiting line of minutes: for that see ``metrics.backlog`` and ``metrics.capacity``.
No page uses this module: no queue of the contract has somebody waiting at once. It answers for live queues from a
notebook, and a promise of minutes would be read from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.spec import Estimate

Floats = NDArray[np.float64]

OVERLOADED = "no more agents than work offered: the queue grows without end"


def erlang_c(load: ArrayLike, agents: ArrayLike) -> Floats:
    """The chance that an arrival has to wait, 0 to 1, of the arguments' common shape; NaN where agents <= load.

    load: work offered in erlangs (arrivals a second x handle seconds); agents: whole numbers at work at once.
    B_0 = 1, B_k = aB_(k-1)/(k + aB_(k-1)), C = nB_n/(n - a(1 - B_n)). Poisson arrivals, exponential handle times,
    nobody gives up. Raises ValueError for a negative load or agents that are not whole. Source: Erlang 1917.
    """
    load, agents = np.broadcast_arrays(np.asarray(load, dtype=float), np.asarray(agents, dtype=float))
    if not np.all(load >= 0) or not np.all((agents >= 0) & (agents == np.floor(agents))):
        raise ValueError("A load is 0 or more erlangs, and agents are a whole number.")
    blocked = np.ones(load.shape)
    for k in range(1, int(agents.max(initial=0)) + 1):
        blocked = np.where(agents >= k, load * blocked / (k + load * blocked), blocked)
    stable = agents > load
    spare = np.where(stable, agents - load * (1 - blocked), 1.0)
    return np.where(stable, agents * blocked / spare, np.nan)


@dataclass(frozen=True)
class LiveQueue:
    """A live queue in balance. Null with the same reason where there is none: every number is exact, without interval.

    load_erlangs; wait: share that waits; within: share answered within the threshold; mean_wait_seconds: over all
    arrivals; occupancy: share of the agents' time spent handling. n: agents.
    """

    load_erlangs: float
    wait: Estimate
    within: Estimate
    mean_wait_seconds: Estimate
    occupancy: Estimate


def live_queue(
    arrivals_per_hour: float, handle_seconds: float, agents: int, threshold_seconds: float = 0.0
) -> LiveQueue:
    """Waiting in a queue whose items want an agent at once.

    within = 1 - C·exp(-(n - a)·threshold/handle); mean wait = C·handle/(n - a); occupancy = a/n, C from ``erlang_c``.
    Null where agents do not exceed the load. Raises ValueError for negative numbers or a handle time of 0.
    """
    if not (arrivals_per_hour >= 0 and handle_seconds > 0 and threshold_seconds >= 0):
        raise ValueError("Arrivals and threshold are 0 or more, a handle time is above 0 seconds.")
    load = arrivals_per_hour * handle_seconds / 3600
    chance = float(erlang_c(load, agents))
    if math.isnan(chance):
        missing = Estimate.missing(OVERLOADED, agents)
        return LiveQueue(load, missing, missing, missing, missing)
    spare = (agents - load) / handle_seconds
    numbers = (chance, 1 - chance * math.exp(-spare * threshold_seconds), chance / spare, load / agents)
    return LiveQueue(load, *(Estimate(x, n=agents) for x in numbers))


def agents_needed(
    arrivals_per_hour: float, handle_seconds: float, within: float, threshold_seconds: float, most: int = 10_000
) -> int | None:
    """The fewest agents at once with the share ``within`` answered in time; None where ``most`` are not enough.

    See ``live_queue``. Raises ValueError as there, or for a share outside 0..1.
    """
    if not 0 <= within <= 1:
        raise ValueError("A share lies between 0 and 1.")
    load = arrivals_per_hour * handle_seconds / 3600
    live_queue(arrivals_per_hour, handle_seconds, 0, threshold_seconds)  # refuses bad input
    blocked = 1.0
    for agents in range(1, most + 1):
        blocked = load * blocked / (agents + load * blocked)
        if agents <= load:
            continue
        chance = agents * blocked / (agents - load * (1 - blocked))
        if 1 - chance * math.exp(-(agents - load) * threshold_seconds / handle_seconds) >= within:
            return agents
    return None
