"""Sentences about the cost of a label and what money was spent on, written from the same numbers as the charts."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metrics.catalogue import METRICS
from metrics.spec import Estimate, Metric, Unit
from ui import cost_bridge, cost_kinds, cost_units, costs, words
from ui import format as fmt
from ui.cost_bridge_words import moved_by
from ui.cost_names import ONE, QUALITY, SHARE, percent, signed_percent

INSTEAD = "No label has a known right answer here, so what is shown is the cost of an accepted label."
VOTES = (
    "An accepted label is an accepted rating: each rating of an item that several gave counts, and so do gold answers. "
    "The cost of 1,000 items counts each item once."
)


def finding(found: cost_units.Unit, moved: cost_bridge.Moved, ask: costs.Ask, currency: str) -> str:
    """The page's sentence: what a label cost, how that moved, and what accounts for most of it."""
    if found.reason:
        return f"What a label cost cannot be told here: {found.reason}"
    metric = costs.METRIC[ask.unit]
    row = found.now
    if pd.isna(row["value"]):
        return f"{ONE[ask.unit]} has no cost here: {row['reason'] or metric.nothing}"
    text = f"{ONE[ask.unit]} cost {words.value_text(row, metric, currency)}"
    if ask.of == costs.TOTAL and moved.change is not None:
        change = moved.change / moved.before if moved.before else float("nan")
        text += f"; spend was {fmt.money(moved.after, currency)}"
        return text + moved_by(change, moved, ask)
    text += words.against_target(row, metric, currency)
    return text + moved_by(found.change, moved, ask)


def figures(found: cost_units.Unit, ask: costs.Ask, currency: str, qa: Estimate) -> list[tuple[str, str, str]]:
    """Heading, number and what stands below it, of each figure; qa: the share of review, audits and gold."""
    cells = []
    for row in found.score.to_dict("records"):
        one = METRICS[row["metric"]]
        if row["metric"] == ask.quality:
            continue
        if row["metric"] == cost_units.QA and qa.value is not None:
            review = "" if fmt.is_missing(row["value"]) else f"; review alone {fmt.value(row['value'], one)}"
            cells.append(("Cost of QA, share", fmt.value(qa.value, one), f"review, audits and gold{review}"))
            continue
        if one.unit is Unit.SHARE:
            moved = words.change_words(row, one, currency)[0] if not fmt.is_missing(row["change"]) else ""
            between = fmt.interval(row["low"], row["high"], one, row["value"], currency).strip("()")
            value = fmt.value(row["value"], one, currency)
            cells.append((one.label, value, "; ".join(filter(None, (between, moved)))))
        elif row["metric"] == "cost_per_decided_item":
            scaled = {k: row[k] * 1000 for k in ("value", "low", "high")}
            cells.append(("Per 1,000 decided items", *_figure(row | scaled, one, currency, _relative(row))))
        else:
            cells.append((one.label, *_figure(row, one, currency, _relative(row))))
    return cells


def accuracy_used(found: cost_units.Unit, ask: costs.Ask) -> str:
    """Which accuracy correct labels were counted with, where it has a number, and what an accepted label is."""
    right = found.right
    if right is None or fmt.is_missing(right["value"]):
        return VOTES
    between = fmt.interval(right["low"], right["high"], SHARE, right["value"])
    said = f"{QUALITY[ask.quality]}: {fmt.value(right['value'], SHARE)} {between}"
    return f"{said}. Correct labels are the labels made times this accuracy. {VOTES}"


def _relative(row: Mapping) -> float:
    if fmt.is_missing(row.get("change")) or not row["before"]:
        return float("nan")
    return row["change"] / row["before"]


def _figure(row: Mapping, metric: Metric, currency: str, change: float) -> tuple[str, str]:
    if fmt.is_missing(row["value"]):
        return "no number", str(row["reason"] or metric.nothing)
    said = [fmt.interval(row["low"], row["high"], metric, row["value"], currency).strip("()")]
    said.append(signed_percent(change))
    goal = row.get("target", float("nan"))
    if not fmt.is_missing(goal):
        state = words.status_word(row)
        joint = " of" if state.endswith("target") else ", target"
        said.append(f"{state}{joint} {fmt.target(goal, metric, currency)}")
    return fmt.value(row["value"], metric, currency), "; ".join(filter(None, said))


def not_shared_out(kinds: Mapping[str, float], by: str, currency: str) -> str:
    """$2.31 k cannot be shared out by language ($2 k of tooling and $310 of labour): why. Nothing where all is."""
    if not kinds:
        return ""
    parts = words.listed([f"{fmt.money(amount, currency)} of {kind}" for kind, amount in kinds.items()])
    whole = parts if len(kinds) == 1 else fmt.money(sum(kinds.values()), currency)
    more = f" ({parts})" if len(kinds) > 1 else ""
    return f"{whole} cannot be shared out by {by}{more}: {cost_units.NO_TIME}."


def below_zero(found: tuple[tuple[tuple, str, float], ...], names: Mapping[str, str], of: str, currency: str) -> str:
    """Labour at Manila comes to −$900 in this period: why, and what that leaves without a number; "" where none is.

    found: of costs.below_zero(); names: of its groups; of: what cannot be told there.
    """
    if not found:
        return ""
    each = []
    for key, kind, amount in found[:3]:
        place = " ".join(names.get(str(k), str(k)) for k in key if not pd.isna(k)) or "no group"
        where = f" at {place}" if key else ""
        each.append(f"{kind}{where} to {fmt.MINUS}{fmt.money(-amount, currency)}")
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    text = f"{words.listed(each)}{more}"
    return f"Corrections exceed what was booked in this period: they bring {text}. {of}"


def kinds(found: cost_kinds.Kinds, currency: str) -> str:
    """$59 k were spent: 81 % on labour, 2 % on review and so on, the largest first."""
    if found.rows.empty or not found.total > 0:
        return "What the money was spent on cannot be told here: no costs match these filters."
    sums = found.rows[list(found.kinds)].sum().sort_values(ascending=False)
    parts = [f"{percent(amount / found.total)} on {kind}" for kind, amount in sums.items()]
    return f"{fmt.money(found.total, currency)} were spent: {words.listed(parts)}."
