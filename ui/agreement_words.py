"""What the agreement page says: its finding, which coefficient to trust and why, how each section's numbers read."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics.consensus.comparison import SETTLED_FROM, Comparison
from metrics.spec import Status
from ui import agreement, agreement_items, agreement_more, words
from ui import format as fmt
from ui.agreement import ALPHA, PERCENT, SEVERAL
from ui.agreement_consensus import WithoutGold

LEAST_GAIN = 0.005  # of the width of alpha's interval: less is no gain seen
SCALES = {
    "nominal": "plain labels",
    "ordinal": "ordered labels",
    "interval": "scores",
    "ratio": "quantities",
    "set": "sets of labels",
}
CREDIT = {
    "nominal": "Its labels have no order, so alpha counts each pair of ratings as agreed or not",
    "ordinal": "Its labels are ordered, so alpha counts a near miss as less than a far one",
    "interval": "Its labels are scores, so alpha counts a disagreement by its squared distance",
    "ratio": "Its labels are quantities, so alpha counts a disagreement by its ratio",
    "set": "Its labels are sets, so alpha gives sets that overlap part of the credit (MASI)",
}


def coefficient(value: float) -> str:
    """0.41."""
    return fmt.value(value, ALPHA)


def with_interval(value: float, low: float, high: float) -> str:
    """0.41 (0.37 to 0.45)."""
    return f"{fmt.value(value, ALPHA)} {fmt.interval(low, high, ALPHA, value)}".strip()


def share(value: float) -> str:
    """62.1 %."""
    return fmt.value(value, PERCENT)


def label_name(label: object) -> str:
    """A label as readers see it: a set's members joined by plus signs, the empty set as none."""
    return str(label).replace("|", " + ") or "none"


def probability(p: float) -> str:
    """P as readers see it: "below 0.001", 0.004, 0.27."""
    if fmt.is_missing(p):
        return fmt.NONE
    return "below 0.001" if p < 0.0005 else f"{p:.3f}".rstrip("0") if p < 0.0995 else f"{p:.2f}"


def called(by: str, count: int) -> str:
    """project, projects; a guideline version of several projects is still a guideline version."""
    return DIMENSIONS[by] if count == 1 else words.plural(DIMENSIONS[by])


# ---- the finding -----------------------------------------------------------------------------------------------


def finding(
    snapshot: Snapshot, filters: Filters, rows: pd.DataFrame, lowest: Mapping[str, object] | None, by: str
) -> str:
    """The page's sentence: how many groups agree well enough for what their labels are used for, and the lowest one."""
    why = agreement.why_not(filters)
    if why or rows.empty or rows["alpha"].isna().all():
        reason = why or (rows["alpha_reason"].iloc[0] if len(rows) else ALPHA.nothing)
        return f"Agreement has no number here: {reason.split('; ')[0]}"
    judged = agreement.judged(rows)
    if judged.empty:
        return _range(rows, by)
    if len(judged) == 1:
        row = judged.iloc[0]
        same = lowest is not None and lowest["value"] == row["alpha"]
        return _one(row, by) + ("" if same else _lowest(snapshot, filters, lowest, by))
    well = int((judged["status"] == Status.ON_TARGET).sum())
    unclear = int((judged["status"] == Status.WATCH).sum())
    many = called(by, 2)
    if well == len(judged):
        text = f"Raters agree well on all {well} {many}"
    else:
        text = f"Raters agree well on {well or 'none'} of {len(judged)} {many}"
        text += f" and perhaps on {unclear} more" if unclear else ""
    return text + _lowest(snapshot, filters, lowest, by)


def _range(rows: pd.DataFrame, by: str) -> str:
    known = rows[rows["alpha"].notna()].sort_values("alpha")
    low, high = known.iloc[0], known.iloc[-1]
    if len(known) == 1:
        return f"Alpha is {with_interval(low['alpha'], low['alpha_low'], low['alpha_high'])} on {low['label']}"
    return (
        f"Alpha runs from {coefficient(low['alpha'])} on {low['label']} to {coefficient(high['alpha'])} on "
        f"{high['label']}; no target says what these labels need"
    )


def _one(row: Mapping[str, object], by: str) -> str:
    place = {"language": "in", "guideline_version": "under"}.get(by, "on")
    side = {
        Status.ON_TARGET: "enough for",
        Status.WATCH: "below but not clearly below",
        Status.OFF_TARGET: "below",
    }[Status(row["status"])]
    return (
        f"Raters agree at alpha {with_interval(row['alpha'], row['alpha_low'], row['alpha_high'])} {place} "
        f"{row['label']}, {side} the {fmt.target(row['target'], ALPHA)} its labels are held to"
    )


def _lowest(snapshot: Snapshot, filters: Filters, cell: Mapping[str, object] | None, by: str) -> str:
    """The clause on the cell furthest below its target."""
    if cell is None:
        return ""
    inner = "policy" if by == "project" else by
    project = snapshot.names["project"].get(cell["project"], cell["project"])
    place = {
        "policy": f"on {cell.get('policy')}",
        "language": f"on {cell.get('language')} items",
        "guideline_version": f"under guideline {cell.get('guideline_version')}",
    }[inner]
    where = place if agreement.one_project(filters) else f"{place} in {project}"
    number = with_interval(cell["value"], cell["low"], cell["high"])
    return f"; {where} alpha is {number}, below the {fmt.target(cell['target'], ALPHA)} its labels are held to"


# ---- which coefficient, and why --------------------------------------------------------------------------------


def trust(rows: pd.DataFrame, by: str) -> str:
    """Which coefficient to read here and why, from the scales, the label sets and how the labels are spread."""
    known = rows[rows["alpha"].notna()]
    if known.empty:
        return ""
    levels = known["level"].value_counts()
    if SEVERAL in levels.index:
        first = (
            f"Read alpha: these {called(by, 2)} span projects with labels of their own, where only alpha and percent "
            "agreement exist. Alpha then sums disagreement within each project's own scale; choose a project for AC1 "
            "and the commonest label"
        )
    elif len(levels) == 1:
        near = known["level"].iloc[0]
        first = f"Read alpha first. {CREDIT[near]}" + ("" if near == "nominal" else "; AC2 gives the same credit")
    else:
        scales = ", ".join(f"{SCALES[level]} ({count})" for level, count in levels.items())
        first = f"Read alpha first: it counts near misses by each project's own scale, {scales}"
    return f"{first}. {_skew(known)}".strip()


def _skew(known: pd.DataFrame) -> str:
    """Where one label dominates, alpha and kappa fall though raters hardly differ."""
    skewed = known[known["skewed"]].sort_values("commonest_share", ascending=False)
    if skewed.empty:
        return ""
    top = skewed.iloc[0]
    named = _first_three(skewed["label"])
    kinds = sorted({ac_name(level) for level in skewed["level"]})
    example = (
        f"{top['label']}: {share(top['commonest_share'])} {top['commonest']}, alpha {coefficient(top['alpha'])}, "
        f"{ac_name(top['level'])} {coefficient(top['ac'])}"
    )
    return (
        f"On {named} one label has at least half of the ratings, and alpha falls as that share grows: read "
        f"{words.listed(kinds, 'or')} beside it, never instead of it ({example})."
    )


def _first_three(labels: pd.Series) -> str:
    """A, B, C and 2 more."""
    named = [str(label) for label in labels.head(3)]
    return words.listed([*named, f"{len(labels) - 3} more"] if len(labels) > 3 else named)


def ac_name(level: str) -> str:
    """AC1, or AC2 where near labels get credit."""
    return "AC1" if level in ("nominal", SEVERAL) else "AC2"


def read_as(row: Mapping[str, object]) -> str:
    """In a word or two how a row's alpha is made and what to read beside it."""
    if row["level"] == SEVERAL:
        return "alpha, summed over projects"
    text = f"alpha of {SCALES[row['level']]}"
    return f"{text}, beside {ac_name(row['level'])}" if row["skewed"] else text


# What is added where there were more ratings than are read at once.
CUT = ", the most that is read at once: choose a shorter period for all of them"


# ---- items -----------------------------------------------------------------------------------------------------


def contested(found: agreement_items.Contested) -> str:
    """What the contested items say."""
    if found.table.empty:
        return f"There is no item to rank: {found.reason}."
    top = found.table.iloc[0]
    text = (
        f"Two fresh ratings of any item would differ with a chance of {share(found.average)}; of the most contested "
        f"with {share(top['disagreement'])}. {found.n_items:,} items have two ratings or more, and those at the top "
        "are the likeliest to be unclear, not proof that they are"
    )
    return text + (CUT if found.cut else "") + "."


def doubtful_gold(found: agreement_items.Gold) -> str:
    """How much gold looks wrong and where."""
    if not found.n_judged:
        return f"No gold item can be judged: {found.reason or 'none was rated'}."
    if not found.doubted:
        return (
            f"None of {found.n_judged:,} gold items looks wrong: wherever raters miss one, they do not agree on "
            "another answer."
        )
    sure = found.by_policy[found.by_policy["doubted"] > 0]
    where = words.listed([f"{r['doubted']} in {r['policy']}" for r in sure.head(3).to_dict("records") if r["policy"]])
    false = f"about {found.false:.0f} of these" if found.false >= 0.5 else "fewer than one of these"
    text = (
        f"{found.doubted} of {found.n_judged:,} gold items look wrong{f' ({where})' if where else ''}: good raters "
        f"miss them alike. Expect {false} to be sound; have an expert look before the answer is changed"
    )
    return text + (CUT if found.cut else "") + "."


def pairs(found: agreement_items.Pairs) -> str:
    """What the pairs of raters say; a pair that stands out is an occasion to calibrate together."""
    if found.matrix is None:
        least = agreement_items.LEAST_SHARED
        return f"No two of {found.raters} raters share {least} items here: choose a longer period."
    general = coefficient(found.overall)
    if found.clear.empty:
        text = f"No pair of {found.pairs} agrees clearly less than raters in general (mean kappa {general})"
    else:
        verb = "agrees" if len(found.clear) == 1 else "agree"
        text = (
            f"{len(found.clear)} of {found.pairs} pairs {verb} clearly less than raters in general (mean kappa "
            f"{general}), allowing for the number of pairs: an occasion to talk the items through together"
        )
    return text + (CUT if found.cut else "") + "."


# ---- without gold ----------------------------------------------------------------------------------------------


def without_gold(shown: WithoutGold) -> str:
    """Which of the two methods gold bears out, and how many items they decide differently."""
    found = shown.found
    if not found.n_items:
        return "No item here has two ratings."
    if found.reason:
        return f"There is no model of these ratings: {found.reason}."
    text = _methods(found)
    differ = share(found.n_differ / found.n_items)
    text += f". They decide {found.n_differ:,} of {found.n_items:,} items differently ({differ})"
    if found.n_tied:
        text += f"; {found.n_tied:,} more have no majority, which the model decides by who gave which label"
    if found.unsettled.value is not None:
        text += (
            f". {share(found.unsettled.value)} stay unsettled: no label has a probability of {100 * SETTLED_FROM:.0f} %"
        )
    text += "" if found.converged else ". The fit did not come to its end: take the model as rough"
    return text + (CUT if shown.cut else "") + "."


def _methods(found: Comparison) -> str:
    """How often each method is right on gold, which neither has seen."""
    vote, model = found.majority_accuracy, found.model_accuracy
    if vote.value is None or model.value is None:
        return "No gold is among these items, so nothing says which of the two is right more often"
    apart = vote.high < model.low or model.high < vote.low
    better = "the model" if model.value > vote.value else "the majority"
    said = f"{better} clearly more often" if apart else "which of the two more often cannot be told"
    tied = f" ({found.n_tied_gold} ties count as wrong)" if found.n_tied_gold else ""
    return (
        f"On {vote.n:,.0f} gold items that neither has seen, the majority vote{tied} is right on "
        f"{share_with_interval(vote.value, vote.low, vote.high)}, Dawid and Skene's model on "
        f"{share_with_interval(model.value, model.low, model.high)}: {said}"
    )


# ---- label mix -------------------------------------------------------------------------------------------------


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
    named = _first_three(moved["label"])
    return (
        f"The mix of labels moved in {len(moved)} of {len(rows)} projects more than it does from week to week: "
        f"{named}. The items may have changed, or how they are read."
    )


# ---- one more rating -------------------------------------------------------------------------------------------


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


def share_with_interval(value: float, low: float, high: float) -> str:
    """57.3 % (25.4 to 72.6)."""
    return f"{share(value)} {fmt.interval(low, high, PERCENT, value)}".strip()


def nothing(filters: Filters) -> str:
    """Why there is no coefficient, and what helps."""
    why = agreement.why_not(filters)
    if why:
        return (
            f"Coefficients cannot be shown: {why}. Free that filter to see them; contested items, gold and pairs of "
            "raters follow it as it is."
        )
    return "Coefficients cannot be shown: no item here has two ratings. Free a filter or choose a longer period."
