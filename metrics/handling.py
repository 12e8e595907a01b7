"""Staff as handling time: seconds that a roster has for items, and seconds that an item takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FEW_WEEKS = "fewer than 4 weeks with timed judgements on 2 days"


def handling_seconds(headcount: ArrayLike, hours: ArrayLike, utilisation: ArrayLike, shrinkage: ArrayLike) -> Floats:
    """Seconds of handling a staff has: headcount·hours·utilisation·(1 - shrinkage)·3600, of their common shape.

    headcount: people rostered; hours: paid a person; utilisation: share of worked hours spent handling items;
    shrinkage: share of rostered hours lost to leave, sickness and training. Raises ValueError outside these ranges.
    """
    headcount, hours, utilisation, shrinkage = (
        np.asarray(x, dtype=float) for x in (headcount, hours, utilisation, shrinkage)
    )
    if not (np.all(headcount >= 0) and np.all(hours >= 0) and np.all(hours <= 24)):
        raise ValueError("Headcount is 0 or more and a day has 0 to 24 hours.")
    if not all(np.all((x >= 0) & (x <= 1)) for x in (utilisation, shrinkage)):
        raise ValueError("Utilisation and shrinkage are shares between 0 and 1.")
    return headcount * hours * utilisation * (1 - shrinkage) * 3600


def daily_capacity(
    headcount: ArrayLike, hours: ArrayLike, utilisation: ArrayLike, shrinkage: ArrayLike, handle_seconds: ArrayLike
) -> Floats:
    """Items a staff can decide, ``handling_seconds`` / handle_seconds; raises ValueError for a handle time of 0."""
    handle_seconds = np.asarray(handle_seconds, dtype=float)
    if not np.all(handle_seconds > 0):
        raise ValueError("A handle time is above 0 seconds.")
    return handling_seconds(headcount, hours, utilisation, shrinkage) / handle_seconds


@dataclass(frozen=True)
class HandleTime:
    """Seconds of handling an item needs, reviews and repeats included, and how they vary (log-normal).

    seconds: the mean. level_sd: of the logarithm of a whole period's mean; day_sd: of a day's around it. All are None
    when reason says why.
    """

    seconds: float | None
    level_sd: float | None = 0.0
    day_sd: float | None = 0.0
    reason: str = ""

    def __post_init__(self) -> None:
        known = [x for x in (self.seconds, self.level_sd, self.day_sd) if x is not None]
        if not self.reason and (len(known) < 3 or not known[0] > 0 or min(known) < 0):
            raise ValueError("A handle time is above 0 seconds and its spread is 0 or more.")


def handle_time(judgements: ArrayLike, handle_seconds: ArrayLike, items: ArrayLike | None = None) -> HandleTime:
    """The handle time of coming days from the sums of past ones, the newest last.

    judgements, handle_seconds: (days,) timed judgements and their seconds. items: (days,) items decided; the seconds
    are then per item (three judgements an item take three times as long), else per judgement. Seconds: of the last
    four weeks together. day_sd: of daily log means around their week's; level_sd: of weeks around one another, what
    days alone give taken off. Days without judgements or items take no part; fewer than 4 weeks with two days each
    give a reason. Raises ValueError for negative sums or unequal lengths.
    """
    judgements, seconds = np.asarray(judgements, dtype=float), np.asarray(handle_seconds, dtype=float)
    per = judgements if items is None else np.asarray(items, dtype=float)
    if not judgements.shape == seconds.shape == per.shape or min(x.min(initial=0) for x in (seconds, per)) < 0:
        raise ValueError("Days have sums of 0 or more, as many of each kind.")
    week = (np.arange(len(per)) - len(per)) // 7
    used = (judgements > 0) & (per > 0) & (seconds > 0)
    days = pd.DataFrame({"week": week, "log": np.log(np.where(used, seconds, 1) / np.where(used, per, 1))})[used]
    weeks = days.groupby("week")["log"].agg(["count", "mean", "var"])
    weeks = weeks[weeks["count"] >= 2]
    if len(weeks) < 4:
        return HandleTime(None, None, None, FEW_WEEKS)
    last = used & (week >= -4) if (used & (week >= -4)).any() else used
    day = float((weeks["var"] * (weeks["count"] - 1)).sum() / (weeks["count"] - 1).sum())
    level = max(float(weeks["mean"].var()) - day * float((1 / weeks["count"]).mean()), 0.0)
    return HandleTime(float(seconds[last].sum() / per[last].sum()), math.sqrt(level), math.sqrt(day))
