"""Answers to an item counted one sequence at a time, the oracle of every formula here."""

from __future__ import annotations

import itertools
import math

import numpy as np

CONFUSION = np.array([[0.7, 0.2, 0.1], [0.25, 0.6, 0.15], [0.05, 0.15, 0.8]])
PRIOR = np.array([0.6, 0.3, 0.1])


def coin(p):
    return np.array([[p, 1 - p], [1 - p, p]])


def chance(answers, row, correlation=0.0):
    """Probability of answers in this order: independent, or drawn from an urn that returns two of each colour."""
    found, seen = 1.0, np.zeros(len(row))
    for n, x in enumerate(answers):
        s = (1 - correlation) / correlation if correlation else math.inf
        found *= (s * row[x] + seen[x]) / (s + n) if correlation else row[x]
        seen[x] += 1
    return found


def by_sequences(k, confusion, prior, correlation=0.0):
    """Accuracy of the most frequent answer over every sequence of k answers, ties shared."""
    q, right = len(prior), 0.0
    for answers in itertools.product(range(q), repeat=k):
        counts = np.bincount(answers, minlength=q)
        winners = np.flatnonzero(counts == counts.max())
        for t in winners:
            right += prior[t] * chance(answers, confusion[t], correlation) / len(winners)
    return right
