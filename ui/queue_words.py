"""Sentences of the queue page: the risk of missing the SLA, what staffing it would take, and what that rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_access.filters import DIMENSIONS
from metrics.backlog import Stretch
from metrics.capacity import LATE_OTHERWISE
from metrics.catalogue import METRICS
from metrics.outlook_check import Check, in_ten
from ui import format as fmt
from ui import words
from ui.queue import Ask, Outlook
from ui.queue_staffing import BY_WORK, STAFF_WEEKS

SHARE = METRICS["sla_attainment"]


def chance(value: float, check: Check | None = None) -> str:
    """A probability: 68 %, and no more than past periods support: at least 9 in 10, at most 1 in 10."""
    if check is not None and check.otherwise:
        high, low = in_ten(check.most)
        if value >= high / 10:
            return f"at least {high} in 10"
        if value <= low / 10:
            return f"at most {low} in 10"
    if value < 0.01:
        return f"under 1{fmt.SPACE}%"
    return f"over 99{fmt.SPACE}%" if value > 0.99 else f"{100 * value:.0f}{fmt.SPACE}%"


def queue(found: Outlook, ask: Ask, row: Mapping, currency: str) -> str:
    """The finding: the risk at today's staffing, and the fewest people who bring it down, with their cost."""
    name = row["label"]
    if found.today is None:
        return f"{_standing(row)}. What comes cannot be told: {found.reason}"
    risk, until = found.today.miss_period, until_day(found, ask)
    if risk.value is None:
        return f"{_standing(row)}; nothing falls due by {until}"
    if found.check.reason:
        text = f"{_standing(row)}. At today's staffing {_not_told(found, name, until)}"
        return f"{text}; {_asked(ask)} {_backlog_then(found, until)}" if _is_tried(found, ask) else text
    sla = f"{fmt.target(found.sla.target, SHARE)} SLA of {due_in(found.sla.hours)}"
    if risk.value > ask.risk:
        likely = chance(risk.value, found.check)
        text = f"At today's staffing {name} misses its {sla} by {until} with a probability of {likely}"
    else:
        likely = chance(1 - risk.value, found.check)
        text = f"At today's staffing {name} keeps its {sla} until {until} with a probability of {likely}"
    if found.due.within_day and not fmt.is_missing(row["value"]):
        text += f" ({fmt.value(row['value'], SHARE)} met it in this period)"
    if _is_tried(found, ask):
        return f"{text}; {_asked(ask)} the risk of missing it is {chance(found.found.miss_period.value, found.check)}"
    return text if risk.value <= ask.risk else f"{text}; {needed(found, ask, currency)}"


def _is_tried(found: Outlook, ask: Ask) -> bool:
    return changed(ask) and found.found is not found.today


def _not_told(found: Outlook, name: str, until: str) -> str:
    """That no probability is said, and why."""
    aim = fmt.target(found.sla.target, SHARE)
    if found.no_due:
        return (
            f"no probability can be given that {name} decides {aim} of its items within {found.sla.hours:.0f} hours "
            f"until {until}: its items have no due time"
        )
    text = f"no probability of missing its SLA by {until} can be given"
    if found.check.simulated is None:
        return f"{text}: {found.check.reason}"
    both = [fmt.value(x, SHARE) for x in (found.check.simulated, found.check.measured)]
    return f"{text}: over the last {STAFF_WEEKS} weeks the simulation has {both[0]} in time where {both[1]} were"


def _backlog_then(found: Outlook, until: str) -> str:
    """The backlog that is asked for and that of today's staffing."""
    then, today = (x.days["backlog"].iloc[-1] for x in (found.found, found.today))
    return f"about {then:,.0f} are open on {until} instead of {today:,.0f}"


def tried(found: Outlook) -> str:
    """How the simulation did on past periods, or why that cannot be told."""
    check = found.check
    if check.simulated is None:
        return f"The simulation could not be tried on the past: {check.reason}."
    both = [fmt.value(x, SHARE) for x in (check.simulated, check.measured)]
    usual, count = float(np.median(check.otherwise)), len(check.otherwise)
    text = (
        f"Tried on the last {STAFF_WEEKS} weeks with the arrivals and hours there were: {both[0]} simulated in time, "
        f"{both[1]} measured. "
    )
    beyond = "for reasons other than capacity" if usual >= 0 else "fewer than capacity alone would make late"
    text += f"In {count} past periods {fmt.percent(usual)} of items were late {beyond}, which is part of the risk. "
    if usual < 0:
        text = text.replace(" were late fewer than", " fewer were late than").replace(" would make late", " tells")
    if check.reason:
        return f"{text}More than 2 points apart, so no probability is given."
    high, _ = in_ten(check.most)
    return f"{text}So few periods support no more than {high} in 10."


def _standing(row: Mapping) -> str:
    """How a queue stands today."""
    met = "" if fmt.is_missing(row["value"]) else f"{fmt.value(row['value'], SHARE)} of items in time and "
    return f"{row['label']} has {met}{row['backlog']:,.0f} open"


def needed(found: Outlook, ask: Ask, currency: str) -> str:
    """The smallest addition that keeps the risk, and its cost."""
    need = found.need
    if need.added is None and need.reason == LATE_OTHERWISE:
        if ask.risk < 0.5 / (len(found.check.otherwise) + 1):
            return f"{len(found.check.otherwise)} past periods cannot show a risk as low as {chance(ask.risk)}"
        usual = fmt.percent(max(float(np.median(found.check.otherwise)), 0.0))
        return f"more people alone do not bring that to {chance(ask.risk)}: {usual} are late for other reasons"
    if need.added is None:
        return f"no addition up to 500 people brings that to {chance(ask.risk)}"
    if not need.added:
        return f"nobody more is needed to keep the risk at {chance(ask.risk)}"
    cost = f", about {fmt.money(float(need.cost), currency)}" if need.cost else ", at a cost not known here"
    who = "1 more rater brings" if need.added == 1 else f"{need.added} more raters bring"
    return f"{who} it to {chance(need.after.value, found.check)}{cost}"


def changed(ask: Ask) -> bool:
    """Whether the reader asked what if."""
    return bool(ask.added) or any(x is not None for x in (ask.hours, ask.utilisation, ask.shrinkage))


def _asked(ask: Ask) -> str:
    parts = [f"{ask.added} more rater{'s' if ask.added > 1 else ''}"] if ask.added else []
    parts += [f"{ask.hours:.3g} hours a day"] if ask.hours is not None else []
    parts += [f"{fmt.percent(ask.utilisation)} utilisation"] if ask.utilisation is not None else []
    parts += [f"{fmt.percent(ask.shrinkage)} shrinkage"] if ask.shrinkage is not None else []
    return f"with {words.listed(parts)}"


def until_day(found: Outlook, ask: Ask) -> str:
    """The last day looked ahead to: Sun 29 Nov."""
    last = found.first + dt.timedelta(days=ask.days - 1)
    return f"{last:%a} {fmt.day(last)}"


def worst_day(found: Outlook) -> str:
    """The first day more likely than not to miss."""
    rows = found.found.days
    likely = rows[rows["miss"] >= 0.5]
    if likely.empty:
        return "No single day is more likely than not to miss."
    at = found.first + dt.timedelta(days=int(likely["day"].iloc[0]) - 1)
    count = len(likely)
    return f"{count} single day{'s are' if count > 1 else ' is'} likely to miss, the first {at:%a} {fmt.day(at)}."


def backtest(found: Outlook) -> str:
    """Which method forecasts, how it did on past weeks, and how often its band held."""
    row = found.volume.methods[found.volume.methods["chosen"]].iloc[0]
    name = {"ets": "exponential smoothing", "seasonal naive": "the value of a week before"}[row["method"]]
    return (
        f"Forecast by {name}, tried on {len(found.volume.errors)} past weeks: MASE {row['value']:.2f} "
        f"({row['low']:.2f} to {row['high']:.2f}; 1 is as good as last week's value), the 80 % band held "
        f"{fmt.percent(row['coverage'])} of {row['covered_n']:,} later days."
    )


def due_in(number: float) -> str:
    """8 hours, 3 days."""
    whole = number >= 48 and number % 24 == 0
    return f"{number / 24:.0f} days" if whole else f"{number:.0f} hour{'' if number == 1 else 's'}"


def promise(found: Outlook) -> str:
    """What is promised of each item, and how many items it is promised of."""
    due = found.due
    if not due.share:
        return f"supposed to be due {due_in(due.hours)} after they came, as no item has a due time"
    if due.share < 0.5:
        text = f"due {due_in(due.hours)} after they came, the mean of many deadlines"
    else:
        text = f"due {due_in(due.hours)} after they came"
        text += f" ({fmt.percent(due.share)} of them are)" if due.share < 0.95 else ""
    text += ", with arrivals and work even over the day"
    return f"{text}: nights and rush hours are not seen" if due.within_day else text


def assumptions(found: Outlook, currency: str) -> str:
    """What the simulation rests on, in one line."""
    staff, due = found.staff, promise(found)
    heads = np.array(staff.heads)
    price = f", {fmt.money(staff.per_hour, currency)} an hour" if staff.per_hour else ", no cost per hour known"
    by_work = staff.source == BY_WORK
    roster = "hours read off the work done, as no shifts are loaded" if by_work else "the roster of the last 4 weeks"
    return (
        f"Assumes {roster}: {heads[:5].mean():.1f} raters on weekdays and {heads[5:].mean():.1f} on weekends, "
        f"{staff.hours:.2g} paid hours a day each, {fmt.percent(staff.most)} of worked time on items "
        f"({fmt.percent(staff.utilisation)} today), {fmt.percent(staff.shrinkage)} lost{price}; "
        f"{fmt.duration(found.handle.seconds)} of handling an item; oldest first, {due}; a new rater is as fast "
        "as the others."
    )


def came_to_this(found: Stretch | None, weeks: pd.DataFrame, changes: pd.DataFrame) -> str:
    """The stretch of weeks with late items: by how much, what arrivals did against decisions, what was noted before."""
    if found is None:
        return ""
    first, last = (weeks["at"].iloc[k] for k in (found.first, found.last))
    points = round(100 * (found.usual - found.share))
    when = (
        f"In the week of {fmt.day(first.date())}"
        if first == last
        else (f"From {fmt.day(first.date())} to {fmt.day((last + pd.Timedelta(days=6)).date())}")
    )
    text = (
        f"{when} SLA attainment fell by {points} points, from {fmt.value(found.usual, SHARE)} to "
        f"{fmt.value(found.share, SHARE)}, "
    )
    came = ""
    if found.arrivals is not None and abs(found.arrivals - 1) >= 0.1:
        way = "more" if found.arrivals > 1 else "fewer"
        came = f" ({fmt.percent(found.arrivals - 1)} {way} came a week than before or after)"
    if found.outran >= 1:
        items = "1 item" if round(found.outran) == 1 else f"{found.outran:,.0f} items"
        text += f"while arrivals outran decisions by {items}{came}"
    else:
        text += f"though decisions kept up with arrivals{came}"
    near = (
        changes[changes["starts_on"].between(first - pd.Timedelta(days=7), last + pd.Timedelta(days=6))]
        if len(changes)
        else changes
    )
    if len(near):
        row = near.iloc[(near["starts_on"] - first).abs().argmin()]
        text += f". Noted on {fmt.day(row['starts_on'].date())}: {str(row['summary']).rstrip('.')}"
    return f"{text}."


def open_ages(nine: str, oldest: str, in_order: float | None) -> str:
    """How old the open items are, and how old they would be with the oldest done first."""
    text = f"Nine in ten open items came {_ago(nine)} or later, the oldest {_ago(oldest)}"
    if in_order is None:
        return f"{text}."
    would = "today" if in_order < 1 else f"{in_order:.0f} day{'' if in_order == 1 else 's'} ago"
    return f"{text}; with the oldest always done first it would be one of {would}."


def _ago(label: str) -> str:
    return label if label == "today" else f"{label} ago"


def no_pool(names: list[str]) -> str:
    """Why a filter does not narrow the queue."""
    shown = words.listed([DIMENSIONS[n] for n in names])
    return f"Items carry no {shown} before somebody works on them: the queue is shown for all."


LOAD_SHIFTS_FOR_QUEUE = (
    "No shifts are loaded: paid hours, leave and spare time are not known, so capacity is only the work done. Load "
    "`shifts` for the hours people are there."
)
NO_DUE = "no items with a due time: load `items` with `due_at` to see the share decided in time"
LOAD_DUE = "No item of this queue has a due time. Load `items` with `due_at` to hold the queue to its own SLA."
LOAD_COSTS = "No labour costs are loaded for this queue: load `costs` to see what more people would cost."
