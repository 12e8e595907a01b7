"""The shape of judged work: items and annotations as columns of codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LABEL, REVIEW = 0, 1
SUBMITTED, ACCEPTED, REJECTED, SKIPPED = 0, 1, 2, 3


@dataclass
class Items:
    """One entry per item, in order of creation."""

    pod: np.ndarray
    project: np.ndarray
    language: np.ndarray
    policy: np.ndarray
    content: np.ndarray
    created: np.ndarray
    worked: np.ndarray
    truth: np.ndarray
    tempting: np.ndarray
    severity: np.ndarray
    gold: np.ndarray  # label code, -1 where it is not a control item
    closed: np.ndarray  # seconds, -1 while open
    rows: np.ndarray  # number of annotations
    week: np.ndarray  # of creation; its batch


@dataclass
class Annotations:
    """One entry per annotation, in order of item."""

    item: np.ndarray  # position in Items
    rater_day: np.ndarray
    stage: np.ndarray
    label: np.ndarray  # code, -1 when skipped
    status: np.ndarray
    at: np.ndarray
    handle: np.ndarray
    rework: np.ndarray
    first_shown_a: np.ndarray  # preference projects only; False elsewhere
