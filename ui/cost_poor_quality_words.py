"""Sentences about the cost of poor quality and what is supposed for it."""

from __future__ import annotations

from metrics.unit_cost import INTERNAL
from ui import cost_poor_quality, costs
from ui import format as fmt
from ui.cost_names import percent


def poor_quality(found: cost_poor_quality.PoorQuality, ask: costs.Ask, currency: str) -> str:
    """What poor quality cost, and how much of it rests on what an escaped error is supposed to cost."""
    whole = found.whole
    booked = whole.categories.set_index("category").loc[INTERNAL]
    if fmt.is_missing(booked["amount"]):
        return f"The cost of poor quality has no number here: {booked['reason']}."
    text = f"Poor quality cost {fmt.money(booked['amount'], currency)} in rework and rejected labels"
    if not fmt.is_missing(booked["share"]):
        text += f", {percent(booked['share'])} of what was spent"
    if whole.qa_share.value is not None:
        text += f"; reviews and gold took {percent(whole.qa_share.value)}"
    e = whole.poor_quality
    if e.value is None:
        return f"{text}. What failed outside is not known: {e.reason}."
    escaped, part = whole.escaped_errors, whole.kinds.set_index("kind")["amount"].get("escaped")
    text += ". "
    if escaped.value is not None and part:
        text += (
            f"On top comes what is supposed, not spent: an estimated {fmt.count(round(escaped.value))} accepted labels "
            f"other than gold are wrong, {fmt.money(part, currency)} at the supposed {fmt.money(ask.harm, currency)} "
            "each. "
        )
    text += f"With appeals and escalations as priced below it comes to {fmt.money(e.value, currency)}"
    return (
        f"{text} ({fmt.money(e.low, currency)} to {fmt.money(e.high, currency)})." if e.low is not None else f"{text}."
    )


def assumptions(found: cost_poor_quality.PoorQuality, ask: costs.Ask, currency: str) -> str:
    """What was supposed, in words."""
    return (
        f"Supposed: an escaped error costs {fmt.money(ask.harm, currency)}, an appeal "
        f"{fmt.money(ask.appeal, currency)} and an escalation {fmt.money(ask.escalation, currency)} to handle; gold "
        "costs as much labour as the average label, a rejected label as much as the average one of its day; errors "
        "among accepted labels have escaped, gold answers left out; an accepted rating that its item's others outvote "
        "counts as one. "
        "Prevention is training; appraisal is review, audits and gold; internal failure is rework and rejected labels."
    )


def left_out(withheld: int) -> str:
    """How many groups are too small for the reader; nothing where none is."""
    if not withheld:
        return ""
    return f"{withheld} group{' is' if withheld == 1 else 's are'} not shown: too small."


def no_external(reasons: list[str]) -> str:
    """Why external failure is missing for some groups."""
    why = next((r for r in reasons if r), "")
    return f"External failure is not shown for some: {why}." if why else ""
