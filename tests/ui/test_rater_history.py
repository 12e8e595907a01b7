"""Errors through the shift: harder items are no tiredness, and raters are clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import fatigue
from ui import data, rater_history


def a_shift(rng: np.random.Generator, harder_late: bool, tired: float) -> pd.DataFrame:
    """Twelve raters in eight hours, two kinds of item; the hard kind comes late, or each at any hour."""
    rows = []
    for rater in range(12):
        able = rng.normal(0, 0.03)
        for hour in range(8):
            late = hour / 7 if harder_late else 0.5
            for policy, n, p in (("easy", round(60 * (1 - late)), 0.05), ("hard", round(60 * late), 0.35)):
                wrong = rng.binomial(n, np.clip(p + able + tired * hour, 0.001, 1))
                rows.append((f"R{rater}", "POOL-10", hour, "P01", "hi", policy, n, wrong))
    columns = ["rater_id", "pool_id", "hour", "project_id", "language", "policy", "n", "wrong"]
    found = pd.DataFrame(rows, columns=columns)
    return found[found["n"] > 0]


@pytest.mark.parametrize(
    "harder_late, tired, verdict", [(True, 0.0, None), (False, 0.02, fatigue.RISE), (True, 0.02, fatigue.RISE)]
)
def test_harder_items_late_in_the_shift_are_no_tiredness(snapshot, half_year, monkeypatch, harder_late, tired, verdict):
    rng = np.random.default_rng(11)
    said, slopes = [], []
    for _ in range(20):
        cells = a_shift(rng, harder_late, tired)
        monkeypatch.setattr(data, "hours_into_shift", lambda *_, cells=cells: cells)
        found = rater_history.tired(snapshot, half_year)
        said.append(found.slopes["verdict"].iloc[0] == fatigue.RISE)
        slopes.append(found.slopes["value"].iloc[0])
    assert np.mean(said) >= 0.9 if verdict else np.mean(said) <= 0.1
    # Where both rise together the items take a part of the slope.
    assert np.mean(slopes) == pytest.approx(tired, abs=0.003 if not (harder_late and tired) else 0.006)


def test_errors_by_hour_know_that_raters_are_clusters(snapshot, half_year, monkeypatch):
    """Half the raters are never wrong and half are in every second case: ten raters, not a thousand judgements."""
    rows = [(f"R{r}", "POOL-10", 0, "P01", "hi", "spam", 100, 50 * (r % 2)) for r in range(10)]
    columns = ["rater_id", "pool_id", "hour", "project_id", "language", "policy", "n", "wrong"]
    monkeypatch.setattr(data, "hours_into_shift", lambda *_: pd.DataFrame(rows, columns=columns))
    hours = rater_history.tired(snapshot, half_year).hours
    assert hours[["x", "value", "n"]].to_numpy().tolist() == [[1.0, 0.25, 1000.0]]
    error = np.std([0.0, 0.5] * 5, ddof=1) / np.sqrt(10)
    assert hours["high"][0] - hours["low"][0] > 3 * error
    monkeypatch.setattr(data, "hours_into_shift", lambda *_: pd.DataFrame([], columns=columns))
    assert rater_history.tired(snapshot, half_year).hours.empty
