"""Sentences about what money buys, written from the same numbers as the charts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from data_access.filters import Scope
from metrics import frontier as fr
from metrics.catalogue import METRICS
from ui import format as fmt
from ui import words
from ui.cost_quality import ALONE, Frontiers, Raters
from ui.page import View

SHARE, COST = METRICS["gold_accuracy"], METRICS["cost_per_label"]
VERDICT = {
    fr.ON_FRONTIER: "● best for its price",
    fr.CANNOT_TELL: "◆ cannot tell",
    fr.DOMINATED: "▲ less for more",
}
ORDER = {3: "the 2nd and 3rd label", 5: "the 4th and 5th", 7: "the 6th and 7th"}
MARKS = ("● best for its price, ◆ cannot tell", "▲ another pool is cheaper and as good")


def probability(p: float) -> str:
    """97 %; at the ends "over 99 %" and "under 1 %": draws are counted."""
    return f"over 99{fmt.SPACE}%" if p > 0.99 else f"under 1{fmt.SPACE}%" if p < 0.01 else f"{100 * p:.0f}{fmt.SPACE}%"


def cost_text(row: Mapping, currency: str) -> str:
    """$0.15 ($0.14 to $0.16)."""
    between = fmt.interval(row["cost_low"], row["cost_high"], COST, row["cost"], currency)
    return f"{fmt.value(row['cost'], COST, currency)} {between}".strip()


def standing(row: Mapping) -> str:
    """▲ less for more (97 %): the verdict and the probability of being dominated; the reason where there is none."""
    if row["verdict"] not in VERDICT:
        return str(row["reason"])
    return f"{VERDICT[row['verdict']]} ({probability(row['p_dominated'])})"


def quality_text(row: Mapping) -> str:
    """85.1 % (83.2 to 86.9); the reason where there is none."""
    if fmt.is_missing(row["quality"]):
        return str(row["reason"])
    between = fmt.interval(row["quality_low"], row["quality_high"], SHARE, row["quality"])
    return f"{fmt.value(row['quality'], SHARE)} {between}".strip()


def finding(found: Frontiers, own: Mapping[str, str], view: View) -> str:
    """The page's sentence: which pool gives less for more on the project shown, and how many projects have one."""
    if found.reason or not own["of"]:
        return f"What money buys has no number here: {found.reason or 'no project has a pool with labels'}"
    rows = found.of(own["of"])
    name = found.projects[own["of"]]
    if rows["pool"].nunique() < 2:
        return f"{name} is worked on by one pool here, {rows['label'].iloc[0]}: there is no price to compare"
    if not found.partners(own["of"]):
        return f"No two pools share a language on {name}, so there is no price to compare"
    known = rows[rows["verdict"].notna()]
    known = known[known.groupby("language")["pool"].transform("size") > 1]
    if known.empty:
        why = next((r for r in rows.loc[rows["quality"].isna(), "reason"] if r), "no accuracy")
        return f"On {name} cost and quality cannot be compared: {why}"
    beaten = known[known["verdict"] == fr.DOMINATED].sort_values("p_dominated", ascending=False)
    if len(beaten):
        row = beaten.iloc[0]
        better = rows[(rows["pool"] == row["dominated_by"]) & (rows["language"] == row["language"])].iloc[0]
        text = (
            f"On {name}, {row['label']} gives less for more: {fmt.value(row['cost'], COST, view.currency)} a label, "
            f"{fmt.value(row['quality'], SHARE)} right, where {better['label']}, in {row['language']} as well, is at "
            f"{fmt.value(better['cost'], COST, view.currency)} and {fmt.value(better['quality'], SHARE)}"
        )
        if len(beaten) > 1:
            text += f"; so {'does one more pool' if len(beaten) == 2 else f'do {len(beaten) - 1} more pools'}"
    else:
        language = known.groupby("language")["spent"].sum().idxmax()
        alike = known[known["language"] == language]
        cheap = alike.sort_values("cost").iloc[0]
        best = alike.sort_values("quality").iloc[-1]
        text = f"On {name} no pool clearly gives less for more than another of its language: "
        text += f"in {language}, {_ends(cheap, best, view.currency)}"
    return text + _others(found, own["of"])


def _others(found: Frontiers, project: str) -> str:
    """How many other projects have a pool that gives less for more."""
    others = found.rows[(found.rows["verdict"] == fr.DOMINATED) & (found.rows["project"] != project)]
    count = others["project"].nunique()
    return (
        f"; {count} other project{' has' if count == 1 else 's have'} a pool that gives less for more" if count else ""
    )


def _ends(cheap: pd.Series, best: pd.Series, currency: str) -> str:
    low = f"{cheap['label']} is cheapest at {fmt.value(cheap['cost'], COST, currency)} a label"
    if cheap["pool"] == best["pool"]:
        return f"{low} and, with {fmt.value(cheap['quality'], SHARE)} right, as accurate as any"
    more = best["cost"] - cheap["cost"]
    gain = fmt.size(best["quality"] - cheap["quality"], SHARE, best["quality"])
    return f"{low}, {best['label']} costs {fmt.money(more, currency)} more and is right {gain} more often"


def frontier_note(rows: pd.DataFrame) -> str:
    """What every pool's standing is, with its probability; the pools that are alone in their language together."""
    parts, alone = [], []
    for row in rows.sort_values("p_dominated", ascending=False).to_dict("records"):
        if row["reason"] == ALONE.format(row["language"]):
            alone.append(f"{row['label']} ({row['language']})")
        elif row["verdict"] is None or fmt.is_missing(row["p_dominated"]):
            parts.append(f"{row['label']}: {row['reason']}")
        elif row["beaten_by"] and row["p_dominated"] > 0.05:
            parts.append(
                f"{row['label']}: another pool in {row['language']} is cheaper and as good with a probability of "
                f"{probability(row['p_dominated'])}, most often {row['beaten_by']}"
            )
    text = ". ".join(parts[:4])
    text = f"{text}. " if text else ""
    if not parts and len(alone) < len(rows):
        text = "For no pool is another of its language cheaper and as good with a probability above 5 %. "
    if alone:
        text += f"Alone in their language, so not compared: {words.listed(alone)}. "
    return text


def withheld(count: int, of: str, scope: Scope) -> str:
    """3 pools are not shown: fewer than 5 raters or 20 labels. Nothing where none is withheld."""
    if not count:
        return ""
    least = [f"{n} {what}" for n, what in ((scope.minimum_raters, "raters"), (scope.minimum_items, "labels")) if n]
    one = count == 1
    return f"{count} {of}{' is' if one else 's are'} not shown: fewer than {' or '.join(least)}. "


# ---- raters ----------------------------------------------------------------------------------------------------


def raters(found: Raters, name: str, harm: float, currency: str) -> str:
    """Where a further rating stops paying, and whether stopping when sure is cheaper."""
    if found.reason:
        return ""
    first, third = found.curve.iloc[0], found.curve[found.curve["k"] == 3].iloc[0]
    text = f"On {name} one rating is right on {_pc(first['accuracy'])} of gold items, the majority of three on "
    text += _pc(third["accuracy"])
    if not math.isnan(found.price) and third["gain"] > 1e-6:
        extra = third["cost_per_extra_correct"]
        worth = "worth it" if extra <= harm else "not worth it"
        text += (
            f": {fmt.money(extra, currency)} for each further item that is right, {worth} where a wrong label does "
            f"harm of {fmt.money(harm, currency)}"
        )
    text += "."
    plan = _plan(found)
    if plan is not None:
        text += (
            f" Asking until one label is {_pc(plan['threshold'])} sure, at most {plan['most']:.0f} times, takes "
            f"{plan['ratings']:.1f} ratings an item and is right on {_pc(plan['accuracy'])}"
        )
        if not fmt.is_missing(plan["fixed_k"]) and plan["fixed_k"] > plan["ratings"]:
            text += f", as often as {plan['fixed_k']:.0f} ratings of every item"
        text += "."
    return text


def _plan(found: Raters) -> pd.Series | None:
    return None if found.plans.empty else found.plans[found.plans["threshold"] == 0.95].iloc[0]


def one_more(found: Raters, harm: float, currency: str) -> str:
    """What one more label and one more audit are worth, side by side."""
    if found.reason or math.isnan(found.price):
        return ""
    best = found.curve["likeliest"].where(found.curve["likeliest"].notna(), found.curve["accuracy"])
    gains = best.diff().iloc[1:] / 2  # two ratings a step
    parts = []
    for k, gain in zip(found.curve["k"].iloc[1:], gains, strict=True):
        if not fmt.is_missing(gain):
            net = gain * harm - found.price
            parts.append(f"{ORDER.get(k, k)} {'gain' if net > 0 else 'lose'} {fmt.money(abs(net), currency)} each")
    text = f"One more label costs {fmt.money(found.price, currency)}."
    if parts:
        text += f" Net of that, and at {fmt.money(harm, currency)} for a wrong label, {', '.join(parts)}."
    if not math.isnan(found.audit_price) and found.error > 0:
        text += (
            f" One more audit costs {fmt.money(found.audit_price, currency)} and finds an error in "
            f"{_pc(found.error)} of items, {fmt.money(found.audit_price / found.error, currency)} for each put right, "
            "if the auditor is always right."
        )
    return text


def raters_basis(found: Raters, alike: float) -> str:
    """What the curve rests on."""
    text = f"From {fmt.count(found.judgements)} gold judgements. "
    if alike:
        return text + f"Supposes that raters err alike on an item with a correlation of {alike:.2f}."
    return text + "At most: raters are supposed to err independently; those who share blind spots gain less."


def _pc(share: float) -> str:
    return fmt.value(share, SHARE)
