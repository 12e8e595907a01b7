"""Sentences of the productivity and queue pages, written from the same numbers as their charts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_access.filters import DIMENSIONS
from metrics.backlog import Stretch
from metrics.capacity import LATE_OTHERWISE
from metrics.catalogue import METRICS
from metrics.compare import WORSE
from metrics.outlook_check import Check, in_ten
from metrics.ramp import BEYOND, AttritionCost
from metrics.spec import Estimate
from ui import format as fmt
from ui import words
from ui.productivity import GOLD, PACE, Change, LastDay, Weeks
from ui.productivity_ramp import Ramps
from ui.queue import Ask, Outlook
from ui.queue_staffing import BY_WORK, STAFF_WEEKS

SECONDS, ACCURACY = METRICS[PACE], METRICS[GOLD]
SHARE = METRICS["sla_attainment"]


def percent(value: float) -> str:
    """A share as a whole percentage, without its sign: 11 %, 0.4 %."""
    return f"{fmt.count(round(abs(100 * value), 0 if abs(value) >= 0.0095 else 1))}{fmt.SPACE}%"


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


def clear(found: Estimate | None) -> bool:
    """Whether an interval leaves out 0."""
    known = found is not None and found.low is not None and found.high is not None
    return known and not found.low <= 0 <= found.high


def moved(found: Estimate) -> str:
    """Rose 12 %, fell 4 %, for a change of logarithms."""
    share = math.exp(found.value) - 1
    return f"{'rose' if share > 0 else 'fell'} {percent(share)}"


# ---- productivity ----------------------------------------------------------------------------------------------


def productivity(found: Change, currency: str) -> str:
    """The finding: handle time against before, what the mix of work did, and accuracy beside it."""
    time = found.score(PACE)
    if fmt.is_missing(time["value"]):
        return f"Handle time has no number here: {time['reason'] or SECONDS.nothing}"
    shown, quality = fmt.value(time["value"], SECONDS, currency), beside(found)
    parts = found.parts
    if parts is None:
        return f"Handle time is {words.value_text(time, SECONDS, currency)}{quality}"
    if not clear(parts.change):
        text = f"Handle time held at {words.value_text(time, SECONDS, currency)}"
        if clear(parts.mix) and clear(parts.rate):
            way = "faster" if parts.rate.value < 0 else "slower"
            text += f": a {'harder' if parts.mix.value > 0 else 'easier'} mix of work hid {way} work"
        return text + quality
    text = f"Handle time {moved(parts.change)} to {shown}"
    if of_the_mix(found):
        grown = f" ({found.moved_by})" if found.moved_by else ""
        return f"{text} with the mix of work, not the pace{grown}{quality}"
    return f"{text}{' on the same mix of work' if clear(parts.rate) else ''}{quality}"


def of_the_mix(found: Change) -> bool:
    """Whether the mix of work and not the pace moved handle time."""
    parts = found.parts
    if parts is None or not clear(parts.change) or not clear(parts.mix):
        return False
    return parts.mix.value / parts.change.value >= 0.5 and not clear(parts.rate)


def beside(found: Change) -> str:
    """What accuracy did, as the end of a sentence."""
    gold = found.score(GOLD)
    if fmt.is_missing(gold["value"]):
        return "; accuracy is not known: no gold was met"
    value = fmt.value(gold["value"], ACCURACY)
    way = words.change_phrase(gold, ACCURACY, "")
    if way == "held at":
        return f", and accuracy held at {value}"
    return f", {'but' if gold['verdict'] == WORSE else 'and'} accuracy {way} {value}"


def split(found: Change) -> str:
    """How much of the change is mix and how much pace, both with their intervals."""
    parts = found.parts
    if parts is None:
        return f"What the mix of work did cannot be told: {found.reason}." if found.reason else ""

    def said(one: Estimate) -> str:
        signed = [math.exp(x) - 1 for x in (one.value, one.low or one.value, one.high or one.value)]
        text = [percent(x) if round(x, 3) == 0 else f"{fmt.MINUS if x < 0 else '+'}{percent(x)}" for x in signed]
        return f"{text[0]} ({text[1].split(fmt.SPACE)[0]} to {text[2].split(fmt.SPACE)[0]})"

    text = (
        f"Against the period before: {said(parts.change)}, of which the mix of work {said(parts.mix)} and the pace "
        f"within it {said(parts.rate)}."
    )
    return f"{text} {found.moved_by}." if found.moved_by and clear(parts.mix) else text


def stands_out(found: Weeks) -> str:
    """Lasting changes and single odd days, told apart."""
    parts = []
    if found.shift:
        side, at, size = found.shift
        parts.append(f"A lasting change: about {percent(size)} {side} since {fmt.day(at)}.")
    alone = found.odd[found.odd["alone"]]
    for row in alone.tail(3).to_dict("records"):
        parts.append(
            f"{fmt.day(row['day'].date())} stands alone at {row['times']:.1f} times the usual and was over the next "
            "day: no lasting change."
        )
    return " ".join(parts) or "No day and no lasting change stands out."


def last_day(found: LastDay, built: dt.date, currency: str) -> str:
    """Yesterday (Sun 15 Nov): 3,120 judgements (2,950 on the Sundays before), 66 s typical (65 s in the four weeks
    before), gold accuracy 91.0 %. The day by its date where the snapshot was not built on the day after it.
    """
    now, usual = (rows.set_index("metric") for rows in (found.now, found.usual))
    date = f"{found.day:%a} {fmt.day(found.day, built)}"
    called = f"Yesterday ({date})" if built - found.day == dt.timedelta(days=1) else f"Last day ({date})"
    done = now.loc["judgements", "value"]
    if fmt.is_missing(done) or not done:
        return f"{called}: {now.loc['judgements', 'reason'] or 'no judgements'}."
    text = f"{called}: {fmt.count(done)} judgements"
    if not fmt.is_missing(found.alike):
        text += f" ({fmt.count(round(found.alike))} on the {found.day:%A}s before)"
    said = []
    for name, called_as, of in ((PACE, "handle time", "in the four weeks before"), (GOLD, "gold accuracy", "then")):
        metric, value = METRICS[name], now.loc[name, "value"]
        if fmt.is_missing(value):
            said.append(f"{called_as} not known ({now.loc[name, 'reason'] or metric.nothing})")
            continue
        each = f"{called_as} {fmt.value(value, metric, currency)}"
        before = usual.loc[name, "value"]
        said.append(each if fmt.is_missing(before) else f"{each} ({fmt.value(before, metric, currency)} {of})")
    return f"{text}, {', '.join(said)}."


def no_pace(rows: pd.DataFrame) -> str:
    """Why pace and accuracy cannot be set beside one another."""
    if rows.empty:
        return "no group has both times and gold"
    return "fewer than two groups have both times and gold"


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


# ---- queue -----------------------------------------------------------------------------------------------------


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
    text += f"In {count} past periods {percent(usual)} of items were late {beyond}, which is part of the risk. "
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
        usual = percent(max(float(np.median(found.check.otherwise)), 0.0))
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
    parts += [f"{percent(ask.utilisation)} utilisation"] if ask.utilisation is not None else []
    parts += [f"{percent(ask.shrinkage)} shrinkage"] if ask.shrinkage is not None else []
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
        f"{percent(row['coverage'])} of {row['covered_n']:,} later days."
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
        text += f" ({percent(due.share)} of them are)" if due.share < 0.95 else ""
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
        f"{staff.hours:.2g} paid hours a day each, {percent(staff.most)} of worked time on items "
        f"({percent(staff.utilisation)} today), {percent(staff.shrinkage)} lost{price}; "
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
        came = f" ({percent(found.arrivals - 1)} {way} came a week than before or after)"
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
