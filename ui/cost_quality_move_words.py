"""Sentences about work that moves between two pools, written from the same numbers as the table of its effects."""

from __future__ import annotations

from collections.abc import Mapping

from metrics.catalogue import METRICS
from metrics.spec import Unit
from ui import format as fmt
from ui import words
from ui.cost_quality_moves import FAR, WEEKS, Move
from ui.cost_quality_words import probability
from ui.queue_words import due_in

SHARE = METRICS["gold_accuracy"]
EFFECT = {
    "cost a week": "Cost a week",
    "quality of the queue": "Right labels of the queue",
    "correct labels a week": "Right labels a week",
    "SLA of the queue": "SLA attainment of the queue",
    "in time before": "In time at both pools now",
    "in time after": "In time at both pools then",
    "load of the target": "Load of the pool that gets more",
    "load of the source": "Load of the pool that gives",
    "shortfall a week": "Labels a week that would wait",
}
CHANGES = ("cost a week", "quality of the queue", "correct labels a week", "SLA of the queue")


def effect(row: Mapping, currency: str) -> tuple[str, str]:
    """An effect and its interval; in place of the interval the reason where there is no number."""
    if fmt.is_missing(row["value"]):
        return fmt.NONE, str(row["reason"])
    unit = row["unit"]
    change = row["effect"] in CHANGES
    whole = row["effect"].startswith("load")

    def write(x: float) -> str:
        if unit == Unit.MONEY:
            text = fmt.money(abs(x), currency)
        elif unit == Unit.SHARE and change:
            text = points(x)
        elif unit == Unit.SHARE:
            text = f"{100 * x:.0f}{fmt.SPACE}%" if whole else fmt.value(x, SHARE)
        else:
            text = fmt.count(round(abs(x)))
        if not change or not any(c in "123456789" for c in text):
            return text
        return f"{'+' if x > 0 else fmt.MINUS}{text}"

    ends = "" if fmt.is_missing(row["low"]) else f"{write(row['low'])} to {write(row['high'])}"
    return write(row["value"]), ends


def points(x: float) -> str:
    """1.4 points, without its sign; 0 points where it would be less than a tenth."""
    return fmt.size(x, SHARE, 0.5) if abs(x) >= 0.0005 else f"0{fmt.SPACE}points"


def move(found: Move, share: float, name: str, currency: str) -> str:
    """What moving the share would do to cost, quality and SLA, in a sentence."""
    rows = {row["effect"]: row for row in found.found.effects.to_dict("records")}
    part = f"{100 * share:.0f}{fmt.SPACE}%"
    text = (
        f"Moving {part} of {found.source.name}'s work on {name} in {found.language} to {found.target.name}, "
        f"{fmt.count(round(found.found.moved))} labels a week, would "
    )
    parts = [said for said in (_cost(rows["cost a week"], currency), _right(rows["quality of the queue"])) if said]
    text += words.listed([*parts, _sla(rows["SLA of the queue"])])
    wait = rows["shortfall a week"]
    if not fmt.is_missing(wait["value"]):
        chance = probability(wait["p"]) if not fmt.is_missing(wait["p"]) else "unknown"
        text += f"; the chance that {found.target.name} could not keep up is {chance}"
    return text + "."


def _cost(row: Mapping, currency: str) -> str:
    if fmt.is_missing(row["value"]):
        return ""
    ends = sorted((abs(row["low"]), abs(row["high"]))) if not fmt.is_missing(row["low"]) else None
    clear = ends and row["low"] * row["high"] > 0
    between = f" ({fmt.money(ends[0], currency)} to {fmt.money(ends[1], currency)})" if clear else ""
    unsure = ", though that may be chance," if ends and not clear else ""
    return f"{'save' if row['value'] < 0 else 'cost'} {fmt.money(abs(row['value']), currency)} a week{between}{unsure}"


def _right(row: Mapping) -> str:
    if fmt.is_missing(row["value"]):
        return f"change accuracy by what is not known ({row['reason']})"
    if fmt.is_missing(row["low"]) or row["low"] * row["high"] <= 0:
        return "not change accuracy by more than chance can tell"
    if points(row["value"]).startswith(f"0{fmt.SPACE}"):
        return "change the queue's accuracy by less than a tenth of a point"
    return f"make {points(row['value'])} {'more' if row['value'] > 0 else 'fewer'} of the queue's labels right"


def _sla(row: Mapping) -> str:
    if fmt.is_missing(row["value"]):
        return f"change its SLA attainment by what is not known ({row['reason']})"
    sizes = [points(row[c]) for c in ("value", "low", "high") if not fmt.is_missing(row[c])]
    if all(size.startswith(f"0{fmt.SPACE}") for size in sizes):
        return "leave its SLA attainment as it is"
    said = f"{'raise' if row['value'] > 0 else 'lower'} its SLA attainment by {sizes[0]}"
    if sizes[0].startswith(f"0{fmt.SPACE}"):
        said = "hardly change its SLA attainment"
    if fmt.is_missing(row["low"]):
        return f"{said}, on too few weeks to say how surely"
    return f"{said} ({_signed(row['low'])} to {_signed(row['high'])})"


def _signed(x: float) -> str:
    """+1.4, −0.3 or 0: points in an interval."""
    text = points(x).partition(fmt.SPACE)[0]
    return text if text == "0" else f"{'+' if x > 0 else fmt.MINUS}{text}"


def assumptions(found: Move, usable: float) -> str:
    """What the move supposes, in words, and how far the simulated SLA is from the one measured."""
    own = f"A pool can spend {100 * usable:.0f} % of its paid hours on handling; labels are weighed by handling time."
    text = f"Supposed: {' '.join(found.found.assumptions)} {own}"
    if found.found.fits_share is not None:
        text += f" At most {100 * found.found.fits_share:.0f} % of the work would fit without waiting."
    text += f" A label is due {due_in(found.due.hours)} after it came."
    now = {row["effect"]: row for row in found.found.effects.to_dict("records")}["in time before"]
    if not fmt.is_missing(now["value"]) and not fmt.is_missing(found.measured):
        text += (
            f" Over the last {WEEKS} weeks {fmt.value(found.measured, SHARE)} of the queue was in time; unmoved, the "
            f"simulation gives both pools {fmt.value(now['value'], SHARE)}"
        )
        text += ", too far from it to say what a move would do." if abs(now["value"] - found.measured) > FAR else "."
    return text
