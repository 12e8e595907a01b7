"""What is written about one rater where a figure or a row of a table holds it."""

from __future__ import annotations

import math

from metrics import drift, skill, spam
from metrics.catalogue import METRICS
from ui import format as fmt
from ui.words import value_text

GOLD = METRICS["gold_accuracy"]
STANDING = {skill.BELOW: "▲", skill.CANNOT_TELL: "○", skill.ABOVE: "●", "": "○"}  # the shapes of theme.SHAPES
INTERVAL = f"{100 * skill.CALLING:.0f} % interval"  # of a rater's accuracy: the one that decides the call
PEERS = {"value": "", "low": "_low", "high": "_high"}  # of a rater's row
DRIFT = {
    drift.DOWN: "▼ drifting down",
    drift.UP: "▲ drifting up",
    drift.NO_SIGN: "steady",
    drift.CANNOT_TELL: "cannot tell",
}


def points(share: float) -> str:
    """A difference of shares in points, with its sign: +1.4."""
    return fmt.signed(share, GOLD, 0.5).replace(f"{fmt.SPACE}points", "").replace(f"{fmt.SPACE}point", "")


def standing(group: str) -> str:
    """An answer about a rater in a word and a shape; without gold it says so."""
    return f"{STANDING[group]} {group or 'no gold'}"


def drifting(verdict: object) -> str:
    """A verdict about drift, in a word or two."""
    return DRIFT.get(verdict, "too few weeks") if isinstance(verdict, str) else "too few weeks"


def to_settle(row: dict) -> str:
    """How much more gold would settle a rater one cannot tell."""
    if row["group"] != skill.CANNOT_TELL:
        return ""
    return "too close" if math.isnan(row["more"]) else fmt.count(row["more"])


def unread(row: dict) -> str:
    """The signs of labels given unread; nothing where there is none."""
    if row["spam"] == spam.LIKELY:
        return f"▲ likely: {row['signals']}"
    return f"look closer: {row['signals']}" if row["spam"] == spam.LOOK_CLOSER else ""


def accuracy(row: dict) -> str:
    """An accuracy with its interval."""
    return value_text(row, GOLD, "USD") if not fmt.is_missing(row["value"]) else str(row.get("reason") or "no gold")


def judged(row: dict) -> str:
    """What was right as judged, before anything is allowed for: 22 of 49 right (44.9 %)."""
    right = fmt.count(round(row["observed"] * row["n"]))
    return f"{right} of {fmt.count(row['n'])} right ({fmt.value(row['observed'], GOLD)})"


def peers(row: dict | None) -> str:
    """How often the rater agrees with others on the same items, with its interval; nothing without such items."""
    if row is None or fmt.is_missing(row.get("peers")):
        return ""
    return value_text({name: row[f"peers{end}"] for name, end in PEERS.items()}, GOLD, "USD")


def between(row: dict, name: str = "") -> str:
    """The interval of an accuracy, or of a change in points, as words: 78 to 86 %."""
    if name:
        return f"{points(row[f'{name}_low'])} to {points(row[f'{name}_high'])} points"
    return f"{fmt.interval(row['low'], row['high'], GOLD, row['value']).strip('()')} %, {INTERVAL}"


def times(pace: float) -> str:
    """A pace: 0.31 times."""
    return "as usual" if round(pace, 2) == 1 else f"{fmt.count(round(pace, 2))} times"
