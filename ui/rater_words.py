"""Sentences about pools and raters: what is known, how sure, and what would help. Nobody is ranked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from metrics import drift, fatigue, skill, spam
from metrics.catalogue import METRICS
from metrics.compare import WORSE
from metrics.gap import HERE, READING, SHARED, Gap
from metrics.learning import LearningCurve
from metrics.spec import Estimate, Metric, Status
from ui import format as fmt
from ui.rater_errors import Matrix
from ui.rater_gap import MainConfusion
from ui.rater_history import NEW_WEEKS, Tired
from ui.rater_profile import BLOCK, LEAST_GOLD, Coaching
from ui.rater_weeks import Weekly
from ui.raters import PoolRaters
from ui.words import listed, number_word, value_text

GOLD = METRICS["gold_accuracy"]
FEW, ONE = "Mostly single raters: those clearly below target add", "Mostly this rater's own:"  # last part of a gap
STANDING = {skill.BELOW: "▲", skill.CANNOT_TELL: "○", skill.ABOVE: "●", "": "○"}  # the shapes of theme.SHAPES
NOT_ALLOWED = "Single raters are shown only to those who manage them; ask for access to their pool"
INTERVAL = f"{100 * skill.CALLING:.0f} % interval"  # of a rater's accuracy: the one that decides the call
PEERS = {"value": "", "low": "_low", "high": "_high"}  # of a rater's row
DRIFT = {
    drift.DOWN: "▼ drifting down",
    drift.UP: "▲ drifting up",
    drift.NO_SIGN: "steady",
    drift.CANNOT_TELL: "cannot tell",
}


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


def points(share: float) -> str:
    """A difference of shares in points, with its sign: +1.4."""
    return fmt.signed(share, GOLD, 0.5).replace(f"{fmt.SPACE}points", "").replace(f"{fmt.SPACE}point", "")


def gap(found: Gap, main: MainConfusion | None = None, own: str = FEW, right: float | None = None) -> str:
    """Whether a gap to target is the people's, the items' or the guideline's, in two short sentences at most.

    main: the pool's main confusion, for the second sentence. own: how the last part begins. right: the share right as
    judged, which the gap counts from; named where another accuracy stands beside it.
    """
    if found.gap.value is None:
        return f"One cannot tell: {found.gap.reason}."
    if found.gap.value <= 0:
        return f"As judged{_counted_from(right)} there is no gap to the target on gold."
    parts = {
        "Mostly the items: on the same kind of items other pools would miss the target by": found.items,
        "Mostly what all raters here share: other pools do better on such items by": found.shared,
        own: found.own,
    }
    clear = {said: part for said, part in parts.items() if part.low > 0}
    short = f"{points(found.gap.value).lstrip('+')} points short of target"
    if clear:
        said = max(clear, key=lambda name: clear[name].value)
        whole = "in all it is" if right is None else f"in all it is, as judged{_counted_from(right)},"
        text = f"{said} {_part(clear[said])}; {whole} {short}"
    else:
        text = f"As judged{_counted_from(right)} {short}; whether by people or items one cannot tell"
    if found.alone > 0.5:
        text += ", and nobody else works in this language"
    return f"{text}. {confused(main)}".strip()


def _counted_from(right: float | None) -> str:
    return "" if right is None else f" ({fmt.value(right, GOLD)} right)"


def confused(main: MainConfusion | None) -> str:
    """Whether the main confusion is made by others on such items too, and what that points to; nothing without one."""
    if main is None or main.found.verdict is None:
        return ""
    found, verdict = main.found, main.found.verdict
    here, there, beyond = (
        fmt.NONE if e.value is None else fmt.value(e.value, GOLD) for e in (found.here, found.there, found.beyond)
    )
    what = f"{'the' if main.left_out else 'The'} main confusion, {main.truth} labelled {main.label}"
    if main.left_out:
        what = f"{without(main.left_out)}, {what}"
    what += f" (mostly {main.policy} in {main.language})," if main.policy else ","
    if verdict == HERE:
        return (
            f"{what} happens more often here ({here}) than with others on such items in the same language ({there}): "
            "calibrate the people on it."
        )
    same = f"{what} happens in other pools of the same language too ({here} here, {there} there)"
    if verdict == READING:
        return f"{same} and less in other languages ({beyond}): look at how the guideline reads in that language."
    if verdict == SHARED:
        return f"{same}: look at the guideline and the gold."
    if found.there.value is not None:
        return (
            f"{what} happens in {here} of cases here, in {there} elsewhere on such items: whose it is one cannot tell."
        )
    others = f" and in {beyond} in other languages" if found.beyond.value is not None else ""
    return (
        f"{what} happens in {here} of cases here{others}; hardly anybody else works on such items in this language, so "
        "whether it is the people or the guideline one cannot tell."
    )


def without(raters: int) -> str:
    """Who is left out of what is said: Without the 3 raters whose labels look unread."""
    return (
        f"Without the {raters} raters whose labels look unread"
        if raters > 1
        else ("Without the one rater whose labels look unread")
    )


def _part(part: Estimate) -> str:
    """A part of a gap in points, with its interval."""
    value, low, high = (points(x).lstrip("+") for x in (part.value, part.low, part.high))
    return f"{value} points ({low} to {high})"


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


def learning(curve: LearningCurve) -> str:
    """How new raters learn."""
    if curve.start.value is None:
        return f"No learning curve: {curve.start.reason}."
    start, plateau = (fmt.value(e.value, GOLD) for e in (curve.start, curve.plateau))
    low, high = curve.start.low, curve.start.high
    text = (
        f"New raters start at {start} wrong {fmt.interval(low, high, GOLD, curve.start.value)} and head for {plateau}"
    )
    until = curve.periods
    if until.value is None:
        return f"{text}; {until.reason}."
    return f"{text}, reached within a point after {fmt.count(round(until.value))} weeks."


def tired(found: Tired) -> str:
    """Whether errors rise through the shift, in which pools, and how many were looked at."""
    judged = found.slopes[found.slopes["value"].notna()]
    if judged.empty:
        return "Too few raters worked at different hours to see whether errors rise through the shift."
    rise = judged[judged["verdict"] == fatigue.RISE]
    if rise.empty:
        return (
            f"In none of {len(judged)} pools do errors rise through the shift by more than chance has it."
            if len(judged) > 1
            else f"Errors through the shift: {_slope(judged.iloc[0])}."
        )
    said = "; ".join(f"{row['label']}: {_slope(row)}" for row in rise.to_dict("records"))
    return f"{said}. A look at breaks and rosters may help the people who work there."


def _slope(row) -> str:
    between = f"{points(row['low'])} to {points(row['high'])}"
    if row["verdict"] == fatigue.CANNOT_TELL:
        return f"cannot tell ({between} points an hour)"
    if row["verdict"] == fatigue.NO_SIGN:
        return f"no sign of a rise ({between} points an hour)"
    return f"{row['verdict']} by {points(row['value']).lstrip('+')} points with each hour ({between})"


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


def sensitive(seconds: float, pool: str) -> str:
    """The time a rater spends with sensitive content on a working day, or that nobody keeps it."""
    if np.isnan(seconds):
        return "How long raters are with sensitive content is not known: no shifts of this pool are loaded."
    return (
        f"A rater of {pool} spends {fmt.duration(seconds)} of a working day with sensitive content: an average of the "
        "pool, as shifts are kept by pool and not by rater."
    )


# ---- one rater -------------------------------------------------------------------------------------------------


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


def judged(row: dict) -> str:
    """What was right as judged, before anything is allowed for: 22 of 49 right (44.9 %)."""
    right = fmt.count(round(row["observed"] * row["n"]))
    return f"{right} of {fmt.count(row['n'])} right ({fmt.value(row['observed'], GOLD)})"


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


def tenure(hired: object, on: object) -> str:
    """How long somebody has been here: 5 weeks, 14 months, 3 years."""
    if hired is None or pd.isna(hired):
        return "not known"
    days = (pd.Timestamp(on) - pd.Timestamp(hired)).days
    for limit, length, name in ((120, 7, "weeks"), (730, 30.44, "months"), (math.inf, 365.25, "years")):
        if days < limit:
            return f"{max(int(days // length), 0)} {name}"
    return ""


def coached(pairs: Sequence[dict]) -> str:
    """Which confusions cost most, in one sentence."""
    if not pairs:
        return "No confusion happened often enough to coach on."
    first = pairs[0]
    return (
        f"Most costly: {first['true_label']} labelled {first['given_label']}, {fmt.count(first['n'])} of "
        f"{fmt.count(first['judged'])} times."
    )


def further_matrices(names: Sequence[str]) -> str:
    """That further projects have a confusion matrix that is not drawn, and the way to it."""
    have, which = ("project has", "it") if len(names) == 1 else ("projects have", "one")
    return (
        f"{number_word(len(names))} more {have} gold of this rater: {listed(names)}. Choose {which} under Filters to "
        "see its matrix."
    )


def no_learning(hired: object, start: dt.date, on: dt.date) -> str:
    """Why there is no learning curve of one rater."""
    if hired is None or pd.isna(hired):
        return "it is not known when this rater was hired"
    if (pd.Timestamp(start) - pd.Timestamp(hired)).days / 7 > NEW_WEEKS:
        return (
            f"the curve is of the first {NEW_WEEKS} weeks, and this rater has been here for {tenure(hired, on)}: "
            "choose a period that holds them"
        )
    return f"no {BLOCK} weeks of the first {NEW_WEEKS} have {LEAST_GOLD} gold judgements or more"


def macro_f1(found: Matrix) -> str:
    """How well labels are found and kept apart, each counting the same; or why that is not known."""
    if found.macro.value is None:
        return f"No F1 over the labels: {found.macro.reason}."
    mean = found.macro
    return (
        f"Macro F1 {fmt.value(mean.value, GOLD)} {fmt.interval(mean.low, mean.high, GOLD, mean.value)}: recall and "
        "precision in one, every label counting the same, judgements taken as independent."
    )


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


def confusion(pair: dict, names: dict[str, str]) -> str:
    """One confusion in a line: what was given for what, how often, in which project."""
    where = names.get(pair["project"], pair["project"])
    rate = {"value": pair["rate"], "low": pair["rate_low"], "high": pair["rate_high"]}
    return (
        f"{pair['true_label']} labelled {pair['given_label']}: {fmt.count(pair['n'])} of {fmt.count(pair['judged'])}, "
        f"{value_text(rate, GOLD, 'USD')}; {where}"
    )


def blind(found: Coaching) -> str:
    """The most frequent label, and how often the same labels given blindly would be right."""
    if fmt.is_missing(found.blind):
        return ""
    label, share = found.top
    return (
        f"The most frequent label is {label}, {fmt.value(share, GOLD)} of all; the same labels given blindly would be "
        f"right {fmt.value(found.blind, GOLD)} of the time."
    )
