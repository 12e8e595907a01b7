"""Sentences of the productivity page: handle time, what the mix of work did to it, and accuracy beside it."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd

from metrics.catalogue import METRICS
from metrics.compare import WORSE
from metrics.spec import Estimate
from ui import format as fmt
from ui import words
from ui.productivity import GOLD, PACE, Change, LastDay, Weeks

SECONDS, ACCURACY = METRICS[PACE], METRICS[GOLD]


def clear(found: Estimate | None) -> bool:
    """Whether an interval leaves out 0."""
    known = found is not None and found.low is not None and found.high is not None
    return known and not found.low <= 0 <= found.high


def moved(found: Estimate) -> str:
    """Rose 12 %, fell 4 %, for a change of logarithms."""
    share = math.exp(found.value) - 1
    return f"{'rose' if share > 0 else 'fell'} {fmt.percent(share)}"


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
        text = [
            fmt.percent(x) if round(x, 3) == 0 else f"{fmt.MINUS if x < 0 else '+'}{fmt.percent(x)}" for x in signed
        ]
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
        parts.append(f"A lasting change: about {fmt.percent(size)} {side} since {fmt.day(at)}.")
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
