"""Sentences about pools and the raters of one: what is known, how sure, and what goes with it. Nobody is ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metrics import drift, skill, spam
from metrics.compare import WORSE
from metrics.spec import Metric, Status
from ui import format as fmt
from ui.rater_cell_words import GOLD, INTERVAL, points
from ui.rater_gap_words import without
from ui.rater_weeks import Weekly
from ui.raters import PoolRaters
from ui.words import number_word


def pools(rows: pd.DataFrame, metric: Metric, currency: str = "USD", why_not: str = "") -> str:
    """How the pools stand and which one fell most: the finding of the page."""
    known = rows[rows["value"].notna()] if len(rows) else rows
    if known.empty:
        why = why_not or (rows["reason"].iloc[0] if len(rows) else metric.nothing)
        return f"{metric.label} has no number here: {why}"
    goals = known["target"].dropna().unique()
    goal = f"the {fmt.target(goals[0], metric)} target" if len(goals) == 1 else "its target"
    off, watch = (int((known["status"] == s).sum()) for s in (Status.OFF_TARGET, Status.WATCH))
    of = f"of {len(known)} pools" if len(known) > 1 else "of one pool"
    if not len(goals):
        text = f"{metric.label} is known for {len(known)} pools, and nobody has set a target"
    elif off:
        aim = goal if len(goals) == 1 or off == 1 else "their targets"
        text = f"{off} {of} {'is' if off == 1 else 'are'} surely below {aim} on {metric.label.lower()}"
        text += f", {watch} may be" if watch else ""
    elif watch:
        text = f"No pool is surely below {goal} on {metric.label.lower()}; {number_word(watch).lower()} may be"
    else:
        text = f"Every pool meets {goal} on {metric.label.lower()}"
    fallen = known[(known["verdict"] == WORSE) & known["change"].notna()]
    if fallen.empty:
        return f"{text}; none clearly fell"
    most = fallen.loc[fallen["score"].idxmax()]
    amount = fmt.size(most["change"], metric, most["value"], most["before"], currency)
    return f"{text}; {most['label']} fell most clearly, by {amount} to {fmt.value(most['value'], metric, currency)}"


def pool_raters(found: PoolRaters, pool: str) -> str:
    """How the raters of one pool stand: the finding once a pool is chosen."""
    known = found.rows[found.rows["group"] != ""]
    if known.empty:
        return f"{pool}: no rater has judged an item with a known answer, so nobody can be judged here"
    goal = fmt.target(found.target, GOLD)
    below, cannot, above = (len(found.group(g)) for g in (skill.BELOW, skill.CANNOT_TELL, skill.ABOVE))
    if not below:
        text = f"{pool}: no rater is clearly below the {goal} target"
    else:
        text = f"{pool}: {below} of {len(known)} raters {'is' if below == 1 else 'are'} clearly below the {goal} target"
    text += f", {above or 'none'} clearly above"
    return f"{text}; {cannot} {'is' if cannot == 1 else 'are'} too close to call" if cannot else text


def how_sure(found: PoolRaters) -> str:
    """How many of those called below target are expected to be called so wrongly."""
    below = len(found.group(skill.BELOW))
    unknown = int((found.rows["group"] == "").sum())
    text = (
        f"A rater is called when the {INTERVAL} leaves the target out and the judgements alone say so too; one exactly "
        "at target is called below it at most once in twenty. Accuracies are cleared of how hard the items were, and "
        "few judgements are drawn to those of the pool."
    )
    if below:
        wrong = found.wrong * below
        said = "fewer than one" if wrong < 1 else f"about {fmt.count(round(wrong))}"
        text = f"Of the {below} called below target {said} is expected to be called so wrongly. {text}"
    return f"{text} {number_word(unknown)} met no gold in this period." if unknown else text


def gold_to_settle(found: PoolRaters) -> str:
    """How much gold would settle those one cannot tell."""
    rows = found.group(skill.CANNOT_TELL)
    if rows.empty:
        return ""
    known = rows["more"].dropna().sort_values()
    if known.empty:
        return "All those one cannot tell lie too close to the target: more gold would not settle them."
    half = known.iloc[: max(len(known) // 2, 1)]
    text = f"{fmt.count(half.sum())} more gold judgements would settle {len(half)} of the {len(rows)} one cannot tell"
    close = int(rows["more"].isna().sum())
    return f"{text}; {close} lie too close to the target for any plan." if close else f"{text}."


def signs(found: PoolRaters) -> str:
    """How many raters show signs of labels given unread, or of drift; and what that is for."""
    unread = int((found.rows["spam"] == spam.LIKELY).sum())
    down = int((found.rows["drift_verdict"] == drift.DOWN).sum())
    parts = []
    if unread:
        parts.append(f"{number_word(unread)} {'gives' if unread == 1 else 'give'} labels no better than blind ones")
    if down:
        parts.append(
            f"{number_word(down).lower() if parts else number_word(down)} drifted down over the last half year"
        )
    if not parts:
        return "No rater shows signs of labels given unread or of a drift that stands out from chance."
    return f"{' and '.join(parts)}: a reason to talk and to look at the work together, not a verdict."


def pace(effect: dict, unread: int = 0, here: str = "") -> str:
    """What goes with working twice as slowly, within the same rater.

    unread: how many raters are left out, as their labels look unread. here: whose it is, where the page does not say.
    """
    if not effect:
        return ""
    start = [one for one in (here, without(unread) if unread else "") if one]
    begin = ", ".join([*start[:1], *(one[0].lower() + one[1:] for one in start[1:])])

    def sentence(text: str) -> str:
        return f"{begin}, {text[0].lower()}{text[1:]}" if begin else text

    if fmt.is_missing(effect.get("value")):
        why = effect.get("reason") or "no gold"
        return sentence(f"Whether slower work goes with better labels is not known: {why}.")
    between = f"{points(effect['low'])} to {points(effect['high'])}"
    if effect["verdict"] == "cannot tell":
        return sentence(
            f"Whether slower work of the same rater is better work one cannot tell ({between} points per doubling)."
        )
    return sentence(
        f"Within the same rater, {effect['verdict']}: {points(effect['value'])} points ({between}) per doubling of the "
        "time. They moved together; a hard week is slow and error-prone at once."
    )


def usual(found: Weekly) -> str:
    """Whether the weeks of the period stayed inside their usual band, and whether a lasting change came to light."""
    if found.reason:
        return f"There is no usual band yet: {found.reason}."
    out = found.out
    lasting = (
        f" A lasting {found.shift[0]} shows since about the week of {fmt.day(found.shift[1])}." if found.shift else ""
    )
    if out.empty:
        return f"Every week of the period lies inside its usual band.{lasting}"
    days = [fmt.day(at.date()) for at in out["at"]]
    shown = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    side = (
        "below" if (out["value"] < out["low"]).all() else "above" if (out["value"] > out["high"]).all() else "outside"
    )
    weeks = "week lies" if len(out) == 1 else "weeks lie"
    return f"{number_word(len(out))} {weeks} {side} the usual band: {shown}.{lasting}"


def sensitive(seconds: float, pool: str) -> str:
    """The time a rater spends with sensitive content on a working day, or that nobody keeps it."""
    if np.isnan(seconds):
        return "How long raters are with sensitive content is not known: no shifts of this pool are loaded."
    return (
        f"A rater of {pool} spends {fmt.duration(seconds)} of a working day with sensitive content: an average of the "
        "pool, as shifts are kept by pool and not by rater."
    )
