"""What the agreement of raters allows a benchmark that is scored against human labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics import agreement, ceiling
from metrics.intervals import wilson
from metrics.patterns import Patterns
from metrics.shapes import LabelSet, Parts
from metrics.spec import Estimate

AGREEMENT_METRICS = ("rm_human_agreement", "judge_human_agreement", "human_agreement", "preference_accuracy")
"""Benchmark metrics that are the share of single human labels a model agrees with: those a ceiling holds for."""

OTHER_METRIC = "the benchmark is not scored against single human labels, so raters' agreement is no ceiling for it"
NO_SIDES = "a ceiling is known for two answers, and this project's labels are neither two nor sides a and b"
NO_RATINGS = "no items rated twice are on record in the batches of this project"
SIDE = re.compile(r"^([ab])(_.*)?$")


@dataclass(frozen=True)
class Ceiling:
    """A score beside its ceiling: all shares. ``reason`` where there is none.

    agreement: how often two raters agree; best: the best possible score against one rater's label where enough items
    have three labels; headroom: see metrics.ceiling; corrected: the score against right labels, by the noise stated. A
    benchmark without a ceiling may have a corrected score: every case of a share counts or does not, two answers, and
    a wrong label is taken to turn one into the other (metrics.ceiling.noise_corrected).
    """

    score: Estimate
    agreement: Estimate
    best: Estimate
    headroom: ceiling.Headroom | None
    corrected: Estimate
    reason: str = ""


def score_ceiling(metric: str, value: float, n: float, patterns: Sequence[Parts], noise: Estimate) -> Ceiling:
    """The ceiling of a score of ``metric`` on n cases. patterns: of the project's batches; noise: share of wrong ones.

    Labels that are sides (a, a_better ... against b) count as two answers and ties are left out; agreement is over
    pairs of ratings of an item that both take a side.
    """
    score = _score(value, n)
    corrected = ceiling.noise_corrected(score, noise)
    if metric not in AGREEMENT_METRICS:
        return _none(score, OTHER_METRIC, corrected)
    found = [(p, labels) for parts in patterns for p, labels in parts]
    if not found:
        return _none(score, NO_RATINGS, corrected)
    sides = two_sides(found[0][1])
    if sides is None:
        return _none(score, NO_SIDES, corrected)
    counts = np.concatenate([p.counts @ sides for p, _ in found])
    both = Patterns(counts, np.concatenate([p.items for p, _ in found])).combined()
    agreed = agreement.percent_agreement_of_patterns(both)
    many = both.ratings >= ceiling.LEAST_LABELS
    items = both.items[many].astype(int)
    best = ceiling.expected_best(np.repeat(both.counts[many, 0], items), np.repeat(both.ratings[many], items))
    room = ceiling.headroom(score, agreed, best)
    return Ceiling(score, agreed, best, room, corrected, room.ceiling.reason)


def two_sides(labels: LabelSet) -> np.ndarray | None:
    """Which of two answers each label stands for, (labels, 2), all 0 for a tie; None where they are no two answers."""
    if len(labels.labels) == 2:
        return np.eye(2, dtype=int)
    side = [SIDE.match(label) for label in labels.labels]
    named = {m.group(1) for m in side if m}
    if named != {"a", "b"} or any(m is None and label != "tie" for m, label in zip(side, labels.labels, strict=True)):
        return None
    return np.array([[int(m is not None and m.group(1) == one) for one in "ab"] for m in side])


def _score(value: float, n: float) -> Estimate:
    if not (np.isfinite(value) and 0 <= value <= 1 and np.isfinite(n) and n > 0):
        return Estimate.missing("the score or its number of cases is not on record")
    found = wilson(value * n, n)
    return Estimate(float(value), float(found.low[0]), float(found.high[0]), n)


def _none(score: Estimate, reason: str, corrected: Estimate) -> Ceiling:
    missing = Estimate.missing(reason)
    return Ceiling(score, missing, missing, None, corrected, reason)
