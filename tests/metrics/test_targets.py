"""Which target holds, and the five ways to stand against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from metrics.catalogue import METRICS
from metrics.spec import Direction, Status
from metrics.targets import Target, Targets, status

GOLD = METRICS["gold_accuracy"]
NONE = np.nan


def targets(*rows) -> Targets:
    columns = ["metric", "project_id", "pool_id", "target", "warn", "valid_from", "valid_to", "owner"]
    return Targets(pd.DataFrame(rows, columns=columns))


def test_the_most_specific_target_in_force_holds():
    day = dt.date(2026, 1, 1)
    held = targets(
        ("gold_accuracy", None, None, 0.80, 0.75, day, None, "quality lead"),
        ("gold_accuracy", None, "Q1", 0.82, 0.75, day, None, None),
        ("gold_accuracy", "P1", None, 0.84, 0.75, day, None, None),
        ("gold_accuracy", "P1", "Q1", 0.86, 0.75, day, None, None),
    )
    on = dt.date(2026, 6, 1)
    assert held.in_force(GOLD, on).target == 0.80
    assert held.in_force(GOLD, on).owner == "quality lead"
    assert held.in_force(GOLD, on, pool="Q1").target == 0.82
    assert held.in_force(GOLD, on, project="P1").target == 0.84
    assert held.in_force(GOLD, on, project="P1", pool="Q1").target == 0.86
    assert held.in_force(GOLD, on, project="P9", pool="Q9").target == 0.80


def test_a_target_holds_from_its_first_to_its_last_day():
    first, last = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    held = targets(
        ("gold_accuracy", None, None, 0.80, 0.75, first, last, None),
        ("gold_accuracy", None, None, 0.90, 0.85, last + dt.timedelta(days=1), None, None),
    )
    assert held.in_force(GOLD, first - dt.timedelta(days=1)) is None
    assert held.in_force(GOLD, first).target == 0.80
    assert held.in_force(GOLD, last).target == 0.80
    assert held.in_force(GOLD, last + dt.timedelta(days=1)).target == 0.90
    assert held.in_force(GOLD, None).target == 0.90
    assert held.in_force(METRICS["skip_rate"], first) is None


CASES = [
    # direction, value, low, high, target, warn, status
    (Direction.HIGHER, 0.93, 0.90, 0.95, 0.92, 0.90, Status.ON_TARGET),
    (Direction.HIGHER, 0.92, 0.90, 0.95, 0.92, 0.90, Status.ON_TARGET),
    (Direction.HIGHER, 0.91, 0.89, 0.93, 0.92, 0.90, Status.WATCH),
    (Direction.HIGHER, 0.90, 0.89, 0.91, 0.92, 0.90, Status.OFF_TARGET),
    (Direction.LOWER, 0.04, 0.03, 0.06, 0.05, 0.06, Status.ON_TARGET),
    (Direction.LOWER, 0.06, 0.04, 0.08, 0.05, 0.06, Status.WATCH),
    (Direction.LOWER, 0.09, 0.07, 0.11, 0.05, 0.06, Status.OFF_TARGET),
    (Direction.BAND, 0.10, 0.08, 0.12, 0.05, 0.15, Status.ON_TARGET),
    (Direction.BAND, 0.16, 0.14, 0.18, 0.05, 0.15, Status.WATCH),
    (Direction.BAND, 0.20, 0.18, 0.22, 0.05, 0.15, Status.OFF_TARGET),
    (Direction.BAND, 0.01, 0.00, 0.02, 0.05, 0.15, Status.OFF_TARGET),
    (Direction.LOWER, 120, NONE, NONE, 100, 150, Status.WATCH),
    (Direction.LOWER, 160, NONE, NONE, 100, 150, Status.OFF_TARGET),
    (Direction.NONE, 5, 4, 6, 1, 1, Status.NO_TARGET),
]


@pytest.mark.parametrize(("direction", "value", "low", "high", "goal", "warn", "expected"), CASES)
def test_status_compares_the_interval_with_the_target(direction, value, low, high, goal, warn, expected):
    metric = replace(GOLD, direction=direction, target=None, warn=None)
    assert status(metric, value, low, high, Target(goal, warn)) is expected


def test_no_value_is_too_few_and_no_target_is_said():
    assert status(GOLD, NONE, NONE, NONE, Target(0.9, 0.8)) is Status.TOO_FEW
    assert status(GOLD, 0.9, 0.8, 0.95, None) is Status.NO_TARGET
