"""Sentences on where the paid hours go."""

from __future__ import annotations

from collections.abc import Sequence

from data_access.filters import DIMENSIONS
from metrics.catalogue import METRICS
from ui import format as fmt
from ui import words
from ui.productivity_hours import BY_COUNT, USE, Hours

LOAD_SHIFTS = (
    "no shifts are loaded: this would show utilisation, occupancy, adherence and idle time. Load `shifts` with "
    "`python manage.py load FILE`"
)
LOAD_AVAILABLE = (
    "the warehouse has no available_seconds: breaks, training and wellness cannot be told from waiting. Load `shifts` "
    "with `available_seconds`, paid time without them"
)


def hours(found: Hours) -> str:
    """Where the hours went in all, and the pool that spends least of them on items."""
    return " ".join(x for x in (_parts(found), _again(found), _least(found)) if x)


def _share(value: float) -> str:
    return fmt.value(value, METRICS[USE])


def _parts(found: Hours) -> str:
    paid = found.paid
    if paid.items is None or fmt.is_missing(found.score(USE)["value"]):
        return ""
    text = f"Of {paid.hours:,.0f} paid hours {_share(paid.items)} went into items"
    if paid.waiting is None:
        return f"{text}; the rest, breaks, training and waiting, is not told apart."
    return (
        f"{text}, {_share(paid.waiting)} into waiting for work and {_share(paid.away)} into breaks, training and "
        "wellness: paid time, not waste."
    )


def _again(found: Hours) -> str:
    """Work done again and items passed on, by time where it is known, else by count."""
    rework, skips = found.score("rework_time_share"), found.score("skip_time_share")
    parts = []
    if not fmt.is_missing(rework["value"]):
        parts.append(f"{_share(rework['value'])} was work done again")
    if not fmt.is_missing(skips["value"]):
        parts.append(f"{_share(skips['value'])} went into items passed on")
    text = f"Of handle time {words.listed(parts)}." if parts else ""
    counted = found.score(BY_COUNT)
    if fmt.is_missing(skips["value"]) and not fmt.is_missing(counted["value"]):
        text += f" {_share(counted['value'])} of served items were passed on; the time that took is not known."
    return text.strip()


def _least(found: Hours) -> str:
    """The pool with the least use of its paid time, and its part of the idle hours."""
    known = found.of_pools(USE)
    known = known[known["value"].notna()]
    if len(known) < 2:
        return ""
    low = known.loc[known["value"].idxmin()]
    whole, own = sum(found.idle.values()), found.idle.get(low["member"], 0.0)
    text = f"Least goes into items in {low['label']}: {_share(low['value'])}"
    if not fmt.is_missing(low["change"]) and low["change_low"] * low["change_high"] > 0:
        amount = fmt.size(low["change"], METRICS[USE], low["value"])
        text += f", {amount} {'less' if low['change'] < 0 else 'more'} than before"
    return f"{text}; {own:,.0f} of all {whole:,.0f} idle hours are there."


def not_narrowed(names: Sequence[str]) -> str:
    """Why a filter does not narrow the hours."""
    shown = words.listed([DIMENSIONS[n] for n in names])
    return f"Hours carry no {shown}: they are shown for all work of the pools."
