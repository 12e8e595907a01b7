"""Sentences about raters in time: how new ones learn, how long somebody is here, whether errors rise in a shift."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd

from metrics import fatigue
from metrics.learning import LearningCurve
from ui import format as fmt
from ui.rater_cell_words import GOLD, points
from ui.rater_history import NEW_WEEKS, Tired
from ui.rater_profile import BLOCK, LEAST_GOLD


def learning(curve: LearningCurve) -> str:
    """How new raters learn."""
    if curve.start.value is None:
        return f"No learning curve: {curve.start.reason}."
    start, plateau = (fmt.value(e.value, GOLD) for e in (curve.start, curve.plateau))
    low, high = curve.start.low, curve.start.high
    text = (
        f"New raters start at {start} wrong {fmt.interval(low, high, GOLD, curve.start.value)} and head for {plateau}"
    )
    until = curve.periods
    if until.value is None:
        return f"{text}; {until.reason}."
    return f"{text}, reached within a point after {fmt.count(round(until.value))} weeks."


def tired(found: Tired) -> str:
    """Whether errors rise through the shift, in which pools, and how many were looked at."""
    judged = found.slopes[found.slopes["value"].notna()]
    if judged.empty:
        return "Too few raters worked at different hours to see whether errors rise through the shift."
    rise = judged[judged["verdict"] == fatigue.RISE]
    if rise.empty:
        return (
            f"In none of {len(judged)} pools do errors rise through the shift by more than chance has it."
            if len(judged) > 1
            else f"Errors through the shift: {_slope(judged.iloc[0])}."
        )
    said = "; ".join(f"{row['label']}: {_slope(row)}" for row in rise.to_dict("records"))
    return f"{said}. A look at breaks and rosters may help the people who work there."


def _slope(row) -> str:
    between = f"{points(row['low'])} to {points(row['high'])}"
    if row["verdict"] == fatigue.CANNOT_TELL:
        return f"cannot tell ({between} points an hour)"
    if row["verdict"] == fatigue.NO_SIGN:
        return f"no sign of a rise ({between} points an hour)"
    return f"{row['verdict']} by {points(row['value']).lstrip('+')} points with each hour ({between})"


def tenure(hired: object, on: object) -> str:
    """How long somebody has been here: 5 weeks, 14 months, 3 years."""
    if hired is None or pd.isna(hired):
        return "not known"
    days = (pd.Timestamp(on) - pd.Timestamp(hired)).days
    for limit, length, name in ((120, 7, "weeks"), (730, 30.44, "months"), (math.inf, 365.25, "years")):
        if days < limit:
            return f"{max(int(days // length), 0)} {name}"
    return ""


def no_learning(hired: object, start: dt.date, on: dt.date) -> str:
    """Why there is no learning curve of one rater."""
    if hired is None or pd.isna(hired):
        return "it is not known when this rater was hired"
    if (pd.Timestamp(start) - pd.Timestamp(hired)).days / 7 > NEW_WEEKS:
        return (
            f"the curve is of the first {NEW_WEEKS} weeks, and this rater has been here for {tenure(hired, on)}: "
            "choose a period that holds them"
        )
    return f"no {BLOCK} weeks of the first {NEW_WEEKS} have {LEAST_GOLD} gold judgements or more"
