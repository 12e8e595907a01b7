"""Sentences about new raters and leavers: when they are up to speed, and what leavers cost."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metrics.ramp import BEYOND, AttritionCost
from ui import format as fmt
from ui.productivity_ramp import Ramps
from ui.productivity_words import ACCURACY


def ramp(found: Ramps, chosen: str, called: str) -> str:
    """What the chosen cohort's curve says."""
    rows = found.found.cohorts if found.found is not None else pd.DataFrame(columns=["cohort"])
    rows = rows[rows["cohort"] == chosen]
    if rows.empty:
        return "No cohort of at least three new raters worked here."
    row = rows.iloc[0]
    who = f"The {row['n']:.0f} hired in {called}"
    aim = f"90{fmt.SPACE}% of tenured throughput"
    if found.goal:
        aim += f" at {fmt.target(found.goal, ACCURACY)} accuracy"
    if not fmt.is_missing(row["value"]):
        between = (
            f"{row['low']:.0f} or more" if fmt.is_missing(row["high"]) else f"{row['low']:.0f} to {row['high']:.0f}"
        )
        return f"{who} reached {aim} in {row['value']:.0f} weeks ({between})."
    why = "" if row["reason"] == BEYOND else f": {row['reason']}"
    text = f"{who} have not surely reached {aim} in the {row['weeks_seen']:.0f} weeks seen{why}."
    if not fmt.is_missing(row["speed_weeks"]):
        text += f" The pace alone was reached in week {row['speed_weeks']:.0f}."
    return text


def weeks_said(row: Mapping) -> str:
    """Weeks to the aim with their interval, or why they are not known."""
    if fmt.is_missing(row["value"]):
        return str(row["reason"])
    if fmt.is_missing(row["high"]):
        return f"{row['value']:.1f} ({row['low']:.0f} or more; how many one cannot tell)"
    return f"{row['value']:.1f} ({row['low']:.0f} to {row['high']:.0f})"


def attrition(found: Ramps, cost: AttritionCost | None, currency: str, hiring: float, training: float) -> str:
    """What leavers cost, and what that rests on."""
    left = f"{found.leavers:,} people of {found.headcount:,.0f} on average left in nine months"
    if cost is None:
        return f"{left}. What that costs is not known: labour costs and `shifts` give the price of an hour."
    if cost.total.value is None:
        return f"{left}. What that costs is not known: {cost.total.reason}."
    between = ""
    if cost.total.low is not None:
        between = f" ({fmt.money(cost.total.low, currency)} to {fmt.money(cost.total.high, currency)})"
    return (
        f"{left}: about {fmt.money(cost.total.value, currency)}{between}, {fmt.money(cost.per_leaver.value, currency)} "
        f"each. Assumed: each is replaced; a new rater's slowness costs "
        f"{found.loss().value:.1f} hours at {fmt.money(found.per_hour or 0.0, currency)}; hiring "
        f"{fmt.money(hiring, currency)} and training {fmt.money(training, currency)} each; work left undone while a "
        "place is empty is not counted."
    )
