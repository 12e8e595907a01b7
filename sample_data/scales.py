"""Label scales as lookup tables: the true label of an item, the labels it is mistaken for, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sample_data import world
from sample_data.projects import Policy, Project

TRUTH_SLOTS = 1024  # resolution of the true-label lookup
WRONG_SLOTS = 64  # resolution of the wrong-label lookup

# shares inside the violating and inside the permitted labels, in label order
_SHARES: dict[str, tuple[float, ...]] = {
    "P01": (1.0, 0.30, 0.52, 0.18),
    "P02": (0.78, 0.22, 0.72, 0.28),
    "P03": (1.0, 0.42, 0.46, 0.12),
    "P04": (1.0, 0.20, 0.65, 0.15),
    "P06": (0.66, 0.24, 1.0, 0.10),
    "P07": (0.50, 0.30, 0.20, 0.66, 0.34),
    "P08": (1.0, 0.70, 0.30),
    "P09": (0.45, 0.43, 0.12),
    "P10": (0.16, 0.29, 0.11, 0.29, 0.15),
    "P11": (0.68, 0.32, 0.74, 0.26),
    "P12": (1.0, 0.62, 0.38),
}


@dataclass(frozen=True)
class Scales:
    """Lookup tables over label codes; a code is global: the project's offset plus the label's position."""

    names: tuple[str, ...]  # label string of a code
    offset: np.ndarray  # first code of a project
    size: np.ndarray  # number of codes of a project
    violation: np.ndarray  # bool per code
    severity: np.ndarray  # 0..3 per code
    truth: np.ndarray  # code, by (project, policy, slot)
    wrong: np.ndarray  # code, by (true code, slot)

    def code(self, project: int, label: str) -> int:
        """The code of a project's label."""
        first = int(self.offset[project])
        return first + self.names[first : first + int(self.size[project])].index(label)


def _slots(weights: np.ndarray, slots: int) -> np.ndarray:
    """Positions 0.. repeated in proportion to weights, ``slots`` in all (largest remainders round up)."""
    exact = weights / weights.sum() * slots
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: slots - counts.sum()]] += 1
    return np.repeat(np.arange(len(weights)), counts)


def _truth_weights(project: Project, policy: Policy, labels: tuple[str, ...]) -> np.ndarray:
    """The share of each label of a project among the items of one policy."""
    if project.label_level == "set":
        members = np.array([0 if label == "none" else label.count("|") + 1 for label in labels])
        own = np.array([policy.name in label.split("|") for label in labels])
        weights = np.choose(members, [0.0, 1.0, 0.45, 0.08]) * np.where(own, 6.0, 0.5)
        weights *= policy.violating / weights.sum()
        weights[0] = 1.0 - policy.violating
        return weights
    weights = np.array(_SHARES[project.project_id])
    violating = np.array([flag for _, flag, _ in project.labels])
    if violating.any():
        weights[violating] *= policy.violating / weights[violating].sum()
        weights[~violating] *= (1.0 - policy.violating) / weights[~violating].sum()
    return weights


def _wrong_weights(project: Project, labels: tuple[str, ...]) -> np.ndarray:
    """By true label (row), how often each other label is given when the judgement is wrong."""
    position = np.arange(len(labels))
    distance = np.abs(position[:, None] - position[None, :]).astype(float)
    if project.label_level == "set":
        members = [frozenset(label.split("|")) - {"none"} for label in labels]
        distance = np.array([[len(a ^ b) for b in members] for a in members], dtype=float)
        weights = np.select([distance == 1, distance == 2], [1.0, 0.10], 0.0)
    elif project.label_level in ("ordinal", "interval"):
        weights = np.exp(-1.9 * (distance - 1.0))
    else:
        weights = 1.0 / (1.0 + distance) * np.where(position == 0, 2.0, 1.0)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights


@lru_cache(maxsize=1)
def scales() -> Scales:
    """The label tables of every project."""
    names: list[str] = []
    offset, size, violation, severity = [], [], [], []
    truth = np.zeros((len(world.PROJECTS), len(world.POLICIES), TRUTH_SLOTS), dtype=np.int16)
    wrong: list[np.ndarray] = []
    for p, project in enumerate(world.PROJECTS):
        labels = world.set_labels(project)
        meaning = {label: (flag, grade) for label, flag, grade in project.labels}
        first = len(names)
        offset.append(first)
        size.append(len(labels))
        names.extend(labels)
        violation.extend(any(meaning[member][0] for member in label.split("|")) for label in labels)
        severity.extend(max(meaning[member][1] for member in label.split("|")) for label in labels)
        for policy in project.policies:
            slots = _slots(_truth_weights(project, policy, labels), TRUTH_SLOTS)
            truth[p, world.POLICY_INDEX[policy.name]] = first + slots
        wrong.extend(first + _slots(row, WRONG_SLOTS) for row in _wrong_weights(project, labels))
    return Scales(
        names=tuple(names),
        offset=np.array(offset),
        size=np.array(size),
        violation=np.array(violation),
        severity=np.array(severity),
        truth=truth,
        wrong=np.array(wrong, dtype=np.int16),
    )
