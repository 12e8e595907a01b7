"""A small plan of audits, for tests of what is said and drawn of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ui import audit_planner

NASTY = "![x](y) <img src=1> | 'quote' \"double\" datum"


def rows(**more) -> pd.DataFrame:
    plain = {
        "project": ["P1", "P1", "P2"],
        "policy": ["a", "b", "a"],
        "label": [NASTY, "One · b", "Two · a"],
        "spoken": ["a in One", "b in One", "a in Two"],
        "judgements": [1000.0, 500.0, 80.0],
        "left": [900.0, 490.0, 80.0],
        "audited": [100.0, 10.0, 0.0],
        "error_rate": [0.2, 0.1, np.nan],
        "low": [0.13, 0.01, np.nan],
        "high": [0.28, 0.3, np.nan],
        "known": ["", "too few to judge", "not looked at yet"],
        "harm": [1.0, 1.0, 1.0],
        "audits": [60, 30, 10],
        "proportional": [55, 35, 10],
        "price": [6.0, 3.0, np.nan],
        "lift": [("errors are likely", "volume is high"), (), ("nobody has looked yet",)],
        "drag": [(), ("errors seem rare",), ()],
    }
    return pd.DataFrame(plain | more)


def a_plan(**more) -> audit_planner.Plan:
    plain = {
        "rows": rows(),
        "keys": ("project", "policy"),
        "audits": 100,
        "overall": 0.18,
        "half_before": 0.0312,
        "half_after": 0.0204,
        "half_even": 0.0231,
        "price": 9.0,
        "price_of_one": 0.09,
        "stages": ("label",),
    }
    return audit_planner.Plan(**(plain | more))
