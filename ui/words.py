"""Sentences, written from the same estimates as the charts. Nothing here says that one thing caused another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from metrics.catalogue import metric as find_metric
from metrics.compare import BETTER, NEITHER, UNCLEAR, WORSE
from metrics.spec import Direction, Metric, Status
from ui import format as fmt

STATUS = {
    Status.ON_TARGET: "on target",
    Status.WATCH: "watch",
    Status.OFF_TARGET: "off target",
    Status.TOO_FEW: "too few to judge",
    Status.NO_TARGET: "no target",
}
STATUS_MEANING = {
    Status.ON_TARGET: "the value meets its target",
    Status.WATCH: "the value misses its target, but its interval reaches it",
    Status.OFF_TARGET: "the whole interval misses the target",
    Status.TOO_FEW: "too little data for a number",
    Status.NO_TARGET: "nobody has set a target",
}
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$&=])")


def md(text: str) -> str:
    """Text that reads the same when it is rendered as markdown, whatever it holds."""
    text = _MARKDOWN.sub(r"\\\1", " ".join(str(text).split(" ")).replace("\n", " ").replace("\r", " "))
    return re.sub(r"([:@]|www)(?=\S)", "\\1\u2060", text)  # a word joiner: no emoji code, directive or bare link


def md_error(text: str) -> str:
    """An error's message as markdown: what stands between backticks is code, the rest is text."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return md(text)
    return "".join(f"`{part}`" if k % 2 else md(part) for k, part in enumerate(parts))


def number_word(count: int) -> str:
    """Two, for 2; figures from 13 on."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def reason(row: Mapping, metric: Metric) -> str:
    """Why there is no number, as the start of a sentence."""
    text = str(row["reason"] or metric.nothing)
    return text[0].upper() + text[1:]


def value_text(row: Mapping, metric: Metric, currency: str) -> str:
    """91.2 % (90.6 to 91.8)."""
    shown = fmt.value(row["value"], metric, currency)
    between = fmt.interval(row["low"], row["high"], metric, row["value"], currency)
    return f"{shown} {between}" if between else shown


def status_of(row: Mapping) -> Status:
    """The status of a measured row; without a number it is too few whatever the target."""
    return Status(row["status"])


def status_word(row: Mapping) -> str:
    """The status in a word or two; what is unmeasured says so rather than "too few"."""
    status = status_of(row)
    if status is Status.TOO_FEW and not str(row.get("reason", "")).startswith("fewer than"):
        return "no number"
    return STATUS[status]


def against_target(row: Mapping, metric: Metric, currency: str) -> str:
    """Such as ", below its 93 % target"; empty without a target."""
    status = status_of(row)
    if status in (Status.NO_TARGET, Status.TOO_FEW):
        return ""
    goal = fmt.target_range(row["target"], row["warn"], metric, currency)
    if status is Status.ON_TARGET:
        return f", inside its {goal} band" if metric.direction is Direction.BAND else f", on its {goal} target"
    top = max(row["target"], row["warn"]) if metric.direction is Direction.BAND else row["target"]
    side = "above" if row["value"] > top else "below"
    name = "band" if metric.direction is Direction.BAND else "target"
    if status is Status.WATCH and not fmt.is_missing(row["low"]):
        return f", {side} its {goal} {name} but not clearly"
    return f", {side} its {goal} {name}"


def change_phrase(row: Mapping, metric: Metric, currency: str) -> str:
    """Such as "fell 1.4 points to" or "held at"; "stands at" where there is nothing to compare with."""
    if fmt.is_missing(row["change"]):
        return "stands at"
    if row["verdict"] == UNCLEAR or row["change"] == 0:
        return "held at"
    amount = fmt.size(row["change"], metric, row["value"], row["before"], currency)
    return f"{'rose' if row['change'] > 0 else 'fell'} {amount} to"


def headline(row: Mapping, currency: str = "USD", streak: int = 0) -> str:
    """One metric's finding: "Gold accuracy fell 1.4 points to 91.2 % (90.6 to 91.8), below its 93 % target"."""
    metric = find_metric(row["metric"])
    if fmt.is_missing(row["value"]):
        return f"{metric.label} has no number here: {row['reason'] or metric.nothing!s}"
    text = f"{metric.label} {change_phrase(row, metric, currency)} {value_text(row, metric, currency)}"
    text += against_target(row, metric, currency)
    if status_of(row) is Status.ON_TARGET and streak >= 2:
        text += f" for {streak} weeks"
    return text


def overview(scores: pd.DataFrame, currency: str = "USD") -> str:
    """The page's finding: how many KPIs moved which way, and the clearest of them in full."""
    if scores.empty or scores["value"].isna().all():
        return "There is nothing to measure here: no KPI has a number for these filters"
    moved = scores[scores["verdict"].isin([BETTER, WORSE]) & (scores["change"] != 0)]
    worse, better = moved[moved["verdict"] == WORSE], moved[moved["verdict"] == BETTER]
    if moved.empty:
        return f"No KPI moved clearly{_off_target(scores) or _none_off(scores)}"
    lead = clearest(worse if len(worse) else better)
    same, other = (worse, better) if len(worse) else (better, worse)
    rest = same[same["metric"] != lead["metric"]]
    way, contrary = (WORSE, BETTER) if len(worse) else (BETTER, WORSE)
    text = headline(lead, currency)
    if way == BETTER or status_of(lead) not in (Status.WATCH, Status.OFF_TARGET):
        text += f", for the {way}"
    if len(rest):
        text += f"; {_named(rest)} also got {way}"
    if len(other):
        text += f"; {_named(other)} got {contrary}"
    elif len(rest):
        text += f", none {contrary}"
    if not len(rest) and not len(other):
        text += "; no other KPI clearly moved"
    return text + _off_target(scores[scores["metric"] != lead["metric"]])


def _off_target(scores: pd.DataFrame) -> str:
    """Such as "; SLA attainment is off target"; empty when none is."""
    off = scores[scores["status"] == Status.OFF_TARGET]
    return f"; {_named(off)} {'is' if len(off) == 1 else 'are'} off target" if len(off) else ""


def _none_off(scores: pd.DataFrame) -> str:
    judged = ~scores["status"].isin([Status.NO_TARGET, Status.TOO_FEW])
    return "; none is clearly off target" if judged.any() else ""


def _named(rows: pd.DataFrame) -> str:
    """Up to two KPIs by name, more by number."""
    if len(rows) > 2:
        return f"{number_word(len(rows)).lower()} others"
    return listed([_continued(find_metric(name).label) for name in rows["metric"]])


def clearest(rows: pd.DataFrame) -> pd.Series:
    """The row that misses its target first, then the one that stands clearest out of its own uncertainty."""
    off = (rows["status"] == Status.OFF_TARGET).astype(int)
    return rows.assign(off=off).sort_values(["off", "score"], ascending=False).iloc[0]


def move(row: Mapping, where: str, currency: str = "USD") -> str:
    """One move of one group: "Audit accuracy fell 8.1 points to 72.6 % (61.1 to 81.8), below its 86 % target"."""
    return f"{where}: {_continued(headline(row, currency))}"


def change_words(row: Mapping, metric: Metric, currency: str) -> tuple[str, str]:
    """The change and its judgement: ("+1.4 points", "better"), ("−0.7 points", "cannot tell")."""
    if fmt.is_missing(row["change"]):
        return fmt.NONE, "nothing to compare"
    if row["change"] == 0:
        return "unchanged", ""
    verdict = "" if row["verdict"] == NEITHER else row["verdict"]
    return fmt.signed(row["change"], metric, row["value"], row["before"], currency), verdict


def chance(clear: int, listed: int, comparisons: int) -> str:
    """How a list of moves is to be read: which stand clear of chance, and what the others are."""
    if not clear:
        said = f"None of {comparisons} comparisons stands clear of chance"
        return f"{said}; those listed may be chance." if listed else f"{said}."
    said = f"{number_word(clear)} of {comparisons} comparisons {'stands' if clear == 1 else 'stand'} clear of chance"
    return f'{said}; "perhaps" means that among so many it may be.' if listed > clear else f"{said}."


def standing(rows: pd.DataFrame, what: str, plural: str) -> str:
    """How a breakdown stands: "2 of 9 projects are off target, 5 on target, 2 too few to judge"."""
    counts = rows["status"].value_counts()
    off, on = int(counts.get(Status.OFF_TARGET, 0)), int(counts.get(Status.ON_TARGET, 0))
    watch, few = int(counts.get(Status.WATCH, 0)), int(counts.get(Status.TOO_FEW, 0))
    if not off + on + watch:
        return f"{len(rows)} {what if len(rows) == 1 else plural}"
    parts = [f"{off} of {off + on + watch} {plural} off target", f"{watch} on watch", f"{on} on target"]
    return ", ".join(parts + ([f"{few} without a number"] if few else []))


def plural(name: str) -> str:
    """Policy area -> policy areas, policy -> policies; tenure stays."""
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return {"time basis": "time bases", "tenure": "tenure bands", "stage": "stages"}.get(name, f"{name}s")


def listed(names: Sequence[str], joint: str = "and") -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}" if names else ""


def _continued(sentence: str) -> str:
    """The sentence with a small first letter, unless its first word is a name or an abbreviation."""
    first = sentence.split(" ", 1)[0]
    keep = first.isupper() or "'" in first or first.startswith("Gwet")
    return sentence if keep else sentence[0].lower() + sentence[1:]


def basis_note(basis: str) -> str:
    """What times are shown on, where some work is timed in another way; nothing where all is timed alike."""
    return f"Times are {basis} time; work timed in another way is left out of them." if basis else ""
