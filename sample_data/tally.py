"""Sums kept while the rows go by: what hours, costs, budgets and models are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data import world
from sample_data.judged import ACCEPTED, LABEL, REVIEW, Annotations, Items
from sample_data.roster import Roster


@dataclass
class Tally:
    """Running sums; the first axis of a rater-day array is the roster's order."""

    label_seconds: np.ndarray
    review_seconds: np.ndarray
    rework_seconds: np.ndarray
    sensitive_seconds: np.ndarray
    judged: np.ndarray  # (project, week of creation, policy, language): first-stage judgements
    wrong: np.ndarray  # of these, not the true label
    accepted: np.ndarray  # (project, day): accepted first-stage judgements

    @classmethod
    def empty(cls, roster: Roster) -> Tally:
        """Zero sums."""
        cells = (len(world.PROJECTS), roster.days // 7, len(world.POLICIES), len(world.LANGUAGES))
        zero = np.zeros(len(roster.rater))
        return cls(
            zero.copy(), zero.copy(), zero.copy(), zero.copy(), np.zeros(cells), np.zeros(cells),
            np.zeros((len(world.PROJECTS), roster.days)),
        )  # fmt: skip

    def add(self, roster: Roster, items: Items, notes: Annotations) -> None:
        """Add one chunk."""
        rd, size = notes.rater_day, len(roster.rater)
        low = int(rd.min()) if len(rd) else 0
        high = int(rd.max()) + 1 if len(rd) else 0
        first = (notes.stage == LABEL) & ~notes.rework

        def seconds(rows: np.ndarray) -> np.ndarray:
            return np.bincount(rd[rows] - low, weights=notes.handle[rows], minlength=high - low)

        span = slice(low, min(high, size))
        self.label_seconds[span] += seconds(first)
        self.review_seconds[span] += seconds(notes.stage == REVIEW)
        self.rework_seconds[span] += seconds(notes.rework)
        self.sensitive_seconds[span] += seconds(items.severity[notes.item] >= 2)

        shape = self.judged.shape
        rows = np.flatnonzero((notes.stage == LABEL) & (notes.label >= 0))
        item = notes.item[rows]
        cell = (
            (items.project[item].astype(np.int64) * shape[1] + items.week[item]) * shape[2] + items.policy[item]
        ) * shape[3]
        cell += items.language[item]
        wrong = notes.label[rows] != items.truth[item]
        total = int(np.prod(shape))
        self.judged += np.bincount(cell, minlength=total).reshape(shape)
        self.wrong += np.bincount(cell[wrong], minlength=total).reshape(shape)
        taken = rows[notes.status[rows] == ACCEPTED]
        cell = items.project[notes.item[taken]].astype(np.int64) * roster.days + roster.day[rd[taken]]
        self.accepted += np.bincount(cell, minlength=self.accepted.size).reshape(self.accepted.shape)
