"""How one rater stands and what would help next, in words."""

from __future__ import annotations

import math

from metrics import drift, skill, spam
from ui import format as fmt
from ui.rater_cell_words import GOLD, between, judged, points


def profile(row: dict | None, alias: str, pool: str, goal: float) -> str:
    """How one rater stands and whether that moves: the finding of the profile."""
    if row is None or not row["group"]:
        return (
            f"{alias} of {pool} has judged no item with a known answer in this period, so nothing is known of accuracy"
        )
    shown, target = f"{fmt.value(row['value'], GOLD)} ({between(row)})", fmt.target(goal, GOLD)
    where = {
        skill.BELOW: f"clearly below the {target} target",
        skill.ABOVE: f"above the {target} target",
        skill.CANNOT_TELL: f"and whether that meets the {target} target one cannot tell",
    }[row["group"]]
    text = (
        f"{alias} of {pool} got {judged(row)} on gold; cleared of how hard the items were and drawn to the pool, "
        f"{shown}, {where}"
    )
    move = row.get("drift_verdict")
    if move == drift.DOWN:
        return f"{text}; it went down by {points(row['drift']).lstrip(fmt.MINUS)} points over half a year"
    if move == drift.UP:
        return f"{text}; it rose by {points(row['drift']).lstrip('+')} points over half a year"
    if move == drift.CANNOT_TELL:
        return f"{text}; whether it drifts one cannot tell"
    return f"{text}; no sign of drift" if isinstance(move, str) else text


def support(row: dict) -> str:
    """What would help next, in one sentence."""
    if row["spam"] == spam.LIKELY:
        return (
            f"The labels stand out ({row['signals']}): talk with this rater about what happened (tool, pay scheme, "
            "workload) before anything else."
        )
    if row["group"] == skill.BELOW:
        return "Sit down together over the confusions below; a calibration round on those labels is the next step."
    if row["group"] == skill.CANNOT_TELL and not math.isnan(row["more"]):
        return f"{fmt.count(row['more'])} more gold judgements would settle it; until then there is nothing to correct."
    if row["group"] == skill.CANNOT_TELL:
        return "The accuracy lies too close to the target for any amount of gold to tell; treat it as meeting it."
    return "The work meets its target; this rater could help to calibrate others."
