"""Numbers, intervals, changes and dates as a reader sees them; axis formats stand beside them.

At most three significant figures. A no-break space joins a number and its unit. No value prints as an en dash; pages
print the reason instead where there is room.
"""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd

from metrics.spec import Direction, Metric, Unit

SPACE = "\u00a0"
NONE = "–"
MINUS = "−"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "SGD": "S$", "INR": "₹", "AUD": "A$"}

# Vega's number formats for axes and tooltips; values are charted in the unit of ``axis_scale``.
D3_FORMAT = {
    Unit.SHARE: ",.3~r",
    Unit.COEFFICIENT: ".2~f",
    Unit.COUNT: ",.3~r",
    Unit.SECONDS: ",.3~r",
    Unit.HOURS: ",.3~r",
    Unit.MONEY: ",.3~r",
    Unit.PER_HOUR: ",.3~r",
}
AXIS_SCALE = {Unit.SHARE: 100.0}  # what a value is multiplied by on an axis


def is_missing(value: object) -> bool:
    """Whether there is no number."""
    return value is None or (isinstance(value, float) and not math.isfinite(value)) or value is pd.NaT


def axis_title(metric: Metric, currency: str = "USD") -> str:
    """The unit as an axis names it: "% of gold judgements", "seconds", "$"."""
    names = {
        Unit.SHARE: "%",
        Unit.COEFFICIENT: "coefficient",
        Unit.COUNT: metric.counts,
        Unit.SECONDS: "seconds",
        Unit.HOURS: "hours",
        Unit.MONEY: currency,
        Unit.PER_HOUR: "per hour",
    }
    return names[metric.unit]


def _significant(value: float, figures: int = 3) -> int:
    """Decimals that show this many significant figures."""
    if value == 0:
        return 0
    return max(0, figures - 1 - math.floor(math.log10(abs(value))))


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _trimmed(value: float, decimals: int) -> str:
    text = _plain(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float) -> str:
    """How many: 0, 38, 986, 3.25 k, 1.24 M."""
    if is_missing(value):
        return NONE
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{_trimmed(scaled, _significant(scaled))}{SPACE}{letter}"
    return _plain(value, 0) if float(value).is_integer() else _trimmed(value, _significant(value))


def value(number: float, metric: Metric, currency: str = "USD") -> str:
    """The number with its unit: 91.2 %, 0.71, 1.24 M, 38 s, 2 min 10 s, 4.3 h, $0.084."""
    return _with_unit(number, metric, currency, _decimals(number, metric))


def bare(number: float, metric: Metric, like: float, currency: str = "USD") -> str:
    """The number as it stands in an interval: without a percent sign, with as many decimals as ``like`` shows."""
    if is_missing(number):
        return NONE
    if metric.unit is Unit.SHARE:
        return _plain(100 * number, _decimals(like, metric))
    return _with_unit(number, metric, currency, _decimals(like, metric))


def target(number: float, metric: Metric, currency: str = "USD") -> str:
    """A target: the number with no more decimals than it needs: 93 %, 0.667, $0.38."""
    if is_missing(number):
        return NONE
    if metric.unit is Unit.SHARE:
        return f"{_trimmed(100 * number, 1)}{SPACE}%"
    if metric.unit is Unit.COEFFICIENT:
        return _trimmed(number, 3)
    return value(number, metric, currency)


def target_range(goal: float, warn: float, metric: Metric, currency: str = "USD") -> str:
    """The target in force, or the band's two ends: 93 %, 5 to 15 %."""
    if is_missing(goal) or metric.direction is not Direction.BAND or is_missing(warn):
        return target(goal, metric, currency)
    low, high = sorted((goal, warn))
    first = _trimmed(100 * low, 1) if metric.unit is Unit.SHARE else target(low, metric, currency)
    return f"{first} to {target(high, metric, currency)}"


def interval(low: float, high: float, metric: Metric, like: float, currency: str = "USD") -> str:
    """The interval in brackets: (90.6 to 91.8); empty where there is none."""
    if is_missing(low) or is_missing(high):
        return ""
    return f"({bare(low, metric, like, currency)} to {bare(high, metric, like, currency)})"


def size(change: float, metric: Metric, like: float, before: float | None = None, currency: str = "USD") -> str:
    """How large a change is, without its sign: 1.4 points, 0.02, 12 %, 3 s, $0.004.

    ``like`` is the value now, whose decimals it takes. A change of a count is a share of ``before`` where known.
    """
    if is_missing(change):
        return NONE
    amount = abs(change)
    if metric.unit is Unit.SHARE:
        points = 100 * amount
        decimals = max(_decimals(like, metric), 1 if points < 10 else 0)
        return f"{_trimmed(points, decimals)}{SPACE}{'point' if round(points, decimals) == 1 else 'points'}"
    if metric.unit is Unit.COUNT and before and not is_missing(before) and abs(before) >= 1:
        relative = 100 * amount / abs(before)
        return f"{_trimmed(relative, 1 if relative < 10 else 0)}{SPACE}%"
    if metric.unit in (Unit.SECONDS, Unit.HOURS):
        return value(amount, metric, currency)
    if metric.unit is Unit.COEFFICIENT:
        return _plain(amount, 2 if amount >= 0.005 or amount == 0 else 3)
    return _with_unit(amount, metric, currency, max(_decimals(like, metric), min(_significant(amount, 1), 4)))


def percent(value: float) -> str:
    """A share as a whole percentage, without its sign: 11 %, 0.4 %."""
    return f"{count(round(abs(100 * value), 0 if abs(value) >= 0.0095 else 1))}{SPACE}%"


def signed(change: float, metric: Metric, like: float, before: float | None = None, currency: str = "USD") -> str:
    """The change with its sign: +1.4 points, −0.02."""
    if is_missing(change):
        return NONE
    text = size(change, metric, like, before, currency)
    nothing = not any(c in "123456789" for c in text)
    return text if nothing else f"{'+' if change > 0 else MINUS}{text}"


def _decimals(number: float, metric: Metric) -> int:
    if is_missing(number):
        return 0
    if metric.unit is Unit.SHARE:
        percent = abs(100 * number)
        return 2 if 0 < percent < 0.995 else 1
    if metric.unit is Unit.COEFFICIENT:
        return 2
    return min(_significant(number), 5)


def _with_unit(number: float, metric: Metric, currency: str, decimals: int) -> str:
    if is_missing(number):
        return NONE
    unit = metric.unit
    if unit is Unit.SHARE:
        shown = 100 * number
        whole = shown in (0.0, 100.0)
        return f"{_plain(shown, 0 if whole else decimals)}{SPACE}%"
    if unit is Unit.COEFFICIENT:
        return _plain(number, decimals)
    if unit is Unit.COUNT:
        return count(number)
    if unit is Unit.SECONDS:
        return duration(number)
    if unit is Unit.HOURS:
        large = abs(number) >= 999.5
        return f"{count(number) if large else _trimmed(number, 1 if abs(number) < 100 else 0)}{SPACE}h"
    if unit is Unit.PER_HOUR:
        return (
            f"{count(number) if abs(number) >= 999.5 else _trimmed(number, _significant(number))}{SPACE}per{SPACE}hour"
        )
    return money(number, currency, decimals)


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 38 s, 2 min 10 s, 1 h 5 min."""
    sign, seconds = (MINUS, -seconds) if seconds < 0 else ("", seconds)
    if seconds < 9.95:
        return f"{sign}{_trimmed(seconds, 1)}{SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole}{SPACE}s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{sign}{minutes}{SPACE}min" + (f"{SPACE}{rest}{SPACE}s" if rest else "")
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{sign}{hours:,}{SPACE}h" + (f"{SPACE}{minutes}{SPACE}min" if minutes else "")


def money(amount: float, currency: str, decimals: int | None = None) -> str:
    """Money in the reporting currency: $0.084, $12.50, $1.24 M."""
    symbol = SYMBOLS.get(currency, f"{currency}{SPACE}")
    sign = MINUS if amount < 0 else ""
    amount = abs(amount)
    if amount >= 999.5:
        return f"{sign}{symbol}{count(amount)}"
    places = _significant(amount) if decimals is None else decimals
    return f"{sign}{symbol}{_plain(amount, 2 if 0 < places < 2 else places)}"


# ---- dates -----------------------------------------------------------------------------------------------------


def day(date: dt.date, today: dt.date | None = None) -> str:
    """16 Nov; the year only where it is not the year of ``today``."""
    same = today is None or date.year == today.year
    return f"{date.day}{SPACE}{date:%b}" + ("" if same else f"{SPACE}{date.year}")


def days(start: dt.date, end: dt.date, today: dt.date | None = None) -> str:
    """19 Oct to 15 Nov."""
    return day(start, today) if start == end else f"{day(start, today)} to {day(end, today)}"


def bucket(start: object, grain: str, today: dt.date | None = None) -> str:
    """What a point in time is called: 16 Nov, week of 16 Nov, Nov 2026."""
    date = pd.Timestamp(start).date()
    if grain == "week":
        return f"week of {day(date, today)}"
    return f"{date:%b}{SPACE}{date.year}" if grain == "month" else day(date, today)


def age(moment: dt.datetime, now: dt.datetime) -> str:
    """How long ago: just now, 40 minutes, 5 hours, 3 days."""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 2:
        return "just now"
    for limit, length, name in ((120, 1, "minutes"), (48 * 60, 60, "hours"), (float("inf"), 1440, "days")):
        if minutes < limit:
            return f"{minutes // length} {name} ago"
    return ""
