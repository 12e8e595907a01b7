"""Sentences about how the label mix moved and what one more rating would buy."""

from __future__ import annotations

import pandas as pd

from ui import agreement_more, words
from ui import format as fmt
from ui.agreement import ALPHA, PERCENT
from ui.agreement_words import first_three, probability, share

LEAST_GAIN = 0.005  # of the width of alpha's interval: less is no gain seen


def points_with_interval(change: float, low: float, high: float) -> str:
    """+22.0 (+12.1 to +31.8), in points."""
    return f"{points(change)} ({points(low)} to {points(high)})"


def points(change: float) -> str:
    """+22.0, of a share of 0.22."""
    text = fmt.bare(change, PERCENT, 0.5)  # one decimal throughout
    return f"+{text}" if change > 0 and any(c in "123456789" for c in text) else text


def label_mix(found: agreement_more.Shifts, before: str) -> str:
    """How the mix of labels moved, and whether that is more than it moves anyway."""
    rows = found.projects
    if rows.empty:
        return f"There is nothing to compare: no ratings here or in {before}."
    moved = rows[rows["moved"]]
    if len(rows) == 1:
        row = rows.iloc[0]
        number = f"{share(row['value'])} {fmt.interval(row['low'], row['high'], PERCENT, row['value'])}"
        if moved.empty:
            return (
                f"The mix of labels did not clearly move against {before}: {number} of labels changed, no more than "
                f"from week to week (p {probability(row['p'])})."
            )
        move = points_with_interval(row["change"], row["change_low"], row["change_high"])
        return (
            f"The mix of labels moved against {before}: {number} of labels would have to change to undo it "
            f"(p {probability(row['p'])}); most of all {row['largest']}, {move} points. "
            "The items may have changed, or how they are read."
        )
    if moved.empty:
        return f"In none of {len(rows)} projects did the mix of labels move more than it does from week to week."
    named = first_three(moved["label"])
    return (
        f"The mix of labels moved in {len(moved)} of {len(rows)} projects more than it does from week to week: "
        f"{named}. The items may have changed, or how they are read."
    )


def price(ratings: float, cost: float, currency: str) -> str:
    """3.38 k ratings, about $1.02 k."""
    text = f"{fmt.count(round(ratings))} ratings"
    return text if fmt.is_missing(cost) else f"{text}, about {fmt.money(cost, currency)}"


def one_more(rows: pd.DataFrame, currency: str) -> str:
    """What one more rating would buy where it buys most."""
    known = rows[rows["half_width"].notna()] if len(rows) else rows
    if known.empty:
        return "There is no interval to narrow: too few items have two ratings."
    row = known.iloc[0]
    now = fmt.size(row["half_width"], ALPHA, row["half_width"])
    where = f" on {row['label']}, where it is least sure" if len(known) > 1 else ""
    return (
        f"One more rating of every item that has two would make the interval of alpha{where} (± {now}) "
        f"{narrowing(row['narrowing'])}, for {price(row['ratings'], row['cost'], currency)}. "
        f"It supposes that the next raters are like those before.{_without_gain(known)}"
    )


def _without_gain(known: pd.DataFrame) -> str:
    """Where the foreseen interval is no narrower, and what that does and does not mean."""
    none = known.loc[known["narrowing"] < LEAST_GAIN, "label"]
    if none.empty:
        return ""
    return (
        f" No gain seen on {words.listed(list(none))}. More ratings make no interval wider: where raters miss by "
        "little, as with scores, the next rating is foreseen too roughly to show what it buys."
    )


def narrowing(part: float) -> str:
    """26 % narrower; "no narrower, as far as one sees" where no gain is foreseen, or noise below 0."""
    return f"{share(part)} narrower" if part >= LEAST_GAIN else "no narrower, as far as one sees"


def majority(rows: pd.DataFrame, currency: str) -> str:
    """Where a further rating stops paying."""
    if rows.empty or rows["accuracy"].isna().any():
        return ""
    first, third = rows.iloc[0], rows[rows["k"] == 3].iloc[0]
    gain = fmt.size(third["accuracy"] - first["accuracy"], PERCENT, third["accuracy"])
    text = f"One rating is right on {share(first['accuracy'])} of gold items, the majority of three on at most "
    text += f"{share(third['accuracy'])}, {gain} more"
    if first["priced"] and third["accuracy"] > first["accuracy"]:
        extra = (third["cost"] - first["cost"]) / (third["accuracy"] - first["accuracy"])
        text += f": {fmt.money(extra, currency)} for each further item that is right"
    return text + "."
