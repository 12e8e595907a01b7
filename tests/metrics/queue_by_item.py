"""A queue followed item by item: what the sums of the backlog and of the simulation are checked against."""

import heapq
import math


def follow(arrivals, capacity, start_ages=()):
    """Every item by itself, oldest first: ages of the open ones at the end of each day, and each item's (due, done)."""
    queue = sorted((-age, None) for age in start_ages)  # (day of arrival, ...)
    heapq.heapify(queue)
    ages, done = [], []
    for day, (come, able) in enumerate(zip(arrivals, capacity, strict=True)):
        for _ in range(come):
            heapq.heappush(queue, (day, None))
        for _ in range(min(able, len(queue))):
            done.append((heapq.heappop(queue)[0], day))
        ages.append(sorted(day - came for came, _ in queue))
    return ages, done + [(came, math.inf) for came, _ in queue]
