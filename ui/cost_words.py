"""Sentences about money, written from the same numbers as the charts. A bridge is bookkeeping: it claims no cause."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metrics.catalogue import METRICS
from metrics.spec import Estimate, Metric, Unit
from metrics.unit_cost import INTERNAL
from ui import cost_bridge, cost_budget, cost_kinds, cost_poor_quality, cost_units, costs, words
from ui import format as fmt

ONE = {costs.CORRECT: "A correct label", costs.ACCEPTED: "An accepted label", costs.LABEL: "A label"}
UNITS = {costs.CORRECT: "Correct label", costs.ACCEPTED: "Accepted label", costs.LABEL: "Label made"}
OF = {costs.UNIT: "Cost of a label", costs.TOTAL: "Total cost"}
QUALITY = {costs.GOLD: "Right on gold", costs.AUDIT: "Right by audits"}
PARTS = {
    "volume": "Volume",
    cost_bridge.BETWEEN: "Mix of projects",
    cost_bridge.INSIDE: "Mix inside projects",
    "efficiency": "Hours a label",
    "price": "Cost an hour",
    "unsplit": "Cost a label",
    "unlabelled": "Cost without labels",
    cost_bridge.ACCURACY: "Accuracy",
}
MEANINGS = {
    "volume": "volume: more or fewer labels in all",
    cost_bridge.BETWEEN: "mix of projects: labels moved between dear and cheap projects",
    cost_bridge.INSIDE: "mix inside projects: labels moved between dear and cheap pools and policies",
    "efficiency": "hours a label: {} hours over labels, inside a pool and policy",
    "price": "cost an hour: what {} hour cost",
    "unsplit": "cost a label where hours are not known",
    "unlabelled": "cost of pools that made no labels",
    cost_bridge.ACCURACY: "accuracy: a larger share of right labels makes each one cheaper",
}
FRACTIONS = (
    (0.27, "a quarter"),
    (0.36, "a third"),
    (0.45, "two fifths"),
    (0.55, "half"),
    (0.63, "three fifths"),
    (0.7, "two thirds"),
    (0.8, "three quarters"),
    (0.95, "most"),
    (1.05, "nearly all"),
)
INSTEAD = "No label has a known right answer here, so what is shown is the cost of an accepted label."
VOTES = (
    "An accepted label is an accepted rating: each rating of an item that several gave counts, and so do gold answers. "
    "The cost of 1,000 items counts each item once."
)
STILL = 0.005  # a change below this share is none worth a cause
SHARE = METRICS["gold_accuracy"]
TOTAL = METRICS["total_cost"]


def metric_of(ask: costs.Ask) -> Metric:
    """What the bridge is of."""
    return TOTAL if ask.of == costs.TOTAL else costs.METRIC[ask.unit]


def percent(share: float) -> str:
    """9 %, 0.4 %."""
    return fmt.value(share, SHARE) if abs(share) < 0.0995 else f"{100 * share:.0f}{fmt.SPACE}%"


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
        return text + _moved(change, moved, ask)
    text += words.against_target(row, metric, currency)
    return text + _moved(found.change, moved, ask)


def _moved(change: float, moved: cost_bridge.Moved, ask: costs.Ask) -> str:
    if fmt.is_missing(change):
        return ""
    if abs(change) < STILL:
        return ", as much as before"
    text = f", {percent(abs(change))} {'more' if change > 0 else 'less'} than before"
    return text if moved.change is None else f"{text}: {_cause(moved)}"


def _cause(moved: cost_bridge.Moved) -> str:
    """The driver that accounts for most of the change; where none stands out, the largest part."""
    same = moved.drivers[moved.drivers["amount"] * moved.change > 0]
    if same.empty:
        return "many small changes"
    lead = _lead(same)
    if lead["share"] < 0.2:
        parts = moved.parts[moved.parts["amount"] * moved.change > 0]
        part = parts.loc[parts["amount"].abs().idxmax()]
        joint = f"mostly {PARTS[part['part']].lower()}"
        return f"{joint}, no single place a fifth of it"
    said = _share(lead["share"])
    return f"{lead['name']} {said.replace('accounts', 'account', 1) if lead['name'].endswith(' labels') else said}"


def _lead(same: pd.DataFrame) -> pd.Series:
    """The largest driver; a pool's in all its projects where it moved several of them alike."""
    lead = same.iloc[0]
    if lead["part"] not in ("price", "efficiency"):
        return lead
    alike = same[(same["part"] == lead["part"]) & (same["pool"] == lead["pool"])]
    share = alike["share"].sum()
    if len(alike) < 2 or share < 1.3 * lead["share"]:
        return lead
    return pd.Series({"name": str(lead["name"]).rsplit(" (", 1)[0], "share": share})


def _share(share: float) -> str:
    if share > 1.05:
        return "accounts for more than all of it"
    said = next(word for limit, word in FRACTIONS if share <= limit)
    return f"accounts for {said}{' of it' if said in ('most', 'nearly all') else ''}"


def named(moved: cost_bridge.Moved, names: Mapping[str, Mapping[str, str]], currency: str) -> pd.DataFrame:
    """The drivers with `name` (as it stands in a sentence), `place` and `detail`."""
    rows = moved.drivers.to_dict("records")
    return moved.drivers.assign(
        name=[_name(row, names) for row in rows],
        place=[_place(row, names) for row in rows],
        detail=[_detail(row, names, moved.hours, currency) for row in rows],
    )


def _of(names: Mapping[str, Mapping[str, str]], dimension: str, member: object) -> str:
    return names.get(dimension, {}).get(str(member), str(member))


def _name(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    project, pool = _of(names, "project", row["project"]), _of(names, "pool", row["pool"])
    part = row["part"]
    if row["what"] == cost_bridge.WITHHELD:
        return "groups too small to show"
    more = "more" if row["now"] > row["was"] else "fewer"
    if part == "volume":
        return f"{more} labels"
    if part == cost_bridge.ACCURACY:
        return f"{more} right labels"
    if part == cost_bridge.BETWEEN:
        return f"{'more' if more == 'more' else 'less'} {project}"
    if part == cost_bridge.INSIDE:
        what = _what(row, names)
        return f"more {what} in {project}" if what else f"the mix of {project}"
    where = f"{pool} ({project})" if row["pool"] else project
    if part == "efficiency" and _idle(row):
        return f"paid time without handling at {where}"
    said = {"efficiency": "time a label", "price": "cost an hour", "unsplit": "cost a label"}
    return f"{said.get(part, 'cost without labels')} at {where}"


def _idle(row: Mapping) -> bool:
    """Whether paid hours a label grew while the handling inside them hardly did."""
    if not row["touch_was"] > 0 or not row["was"] > 0:
        return False
    paid, touched = row["now"] / row["was"] - 1, row["touch_now"] / row["touch_was"] - 1
    return paid > 0.05 and touched < paid / 3


def _what(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    dimension, _, member = str(row["what"] or "").partition(":")
    if not member:
        return ""
    return f"work at {_of(names, 'pool', member)}" if dimension == "pool" else member.replace("_", " ")


def _place(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    if row["what"] == cost_bridge.WITHHELD:
        return "Groups too small to show"
    if row["part"] == "volume":
        return "All work"
    if row["part"] == cost_bridge.ACCURACY:
        return "Share of right labels"
    project = _of(names, "project", row["project"])
    return f"{_of(names, 'pool', row['pool'])} · {project}" if row["pool"] else project


def _detail(row: Mapping, names: Mapping[str, Mapping[str, str]], hours: str, currency: str) -> str:
    """What changed there, from what to what."""
    was, now, part = row["was"], row["now"], row["part"]
    if row["what"] == cost_bridge.WITHHELD:
        return ""
    if fmt.is_missing(was) or fmt.is_missing(now):
        return "no labels in one of the periods" if part == "unlabelled" else ""
    if part == "volume":
        return f"{fmt.count(was)} to {fmt.count(now)} labels"
    if part == "price":
        return f"{fmt.money(was, currency)} to {fmt.money(now, currency)} an hour"
    if part == "efficiency":
        text = f"{fmt.duration(was)} to {fmt.duration(now)} {'paid' if hours == 'paid' else 'of handling'} a label"
        touch = (row["touch_was"], row["touch_now"])
        if hours == "paid" and not any(map(fmt.is_missing, touch)):
            text += f", of it handling {fmt.duration(touch[0])} to {fmt.duration(touch[1])}"
        return text
    if part in ("unsplit", "unlabelled"):
        return f"{fmt.money(was, currency)} to {fmt.money(now, currency)} a label"
    shares = f"{percent(was)} to {percent(now)}"
    if part == cost_bridge.ACCURACY:
        return f"{shares} right"
    if part == cost_bridge.BETWEEN:
        return f"{shares} of all labels"
    what = _what(row, names)
    return f"{what} {shares} of its labels" if what else "between its pools and policies"


def how(moved: cost_bridge.Moved, ask: costs.Ask, load: str = "") -> str:
    """What the bridge is, in a line. load: which table would tell the paid hours, where they are not known."""
    hours = "paid" if moved.hours == "paid" else "handling"
    one = "a paid" if hours == "paid" else "a handling"
    said = "; ".join(MEANINGS[p].format(hours if p == "efficiency" else one) for p in moved.parts["part"])
    text = f"Exact: the parts sum to the change. {said[0].upper() + said[1:]}." if said else ""
    if moved.hours == "paid":
        text += (
            " A pool's paid hours, and a project's cost in a pool, are shared out by policy as handling time was."
            " It says where the money went, not why."
        )
    elif ask.unit:
        text += f" Paid hours are not known here (table shifts), so hours are those of handling. {load}".rstrip()
    return text


# ---- figures ---------------------------------------------------------------------------------------------------


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


def signed_percent(change: float) -> str:
    """+9 %, −0.4 %; unchanged; nothing where it is not known."""
    if fmt.is_missing(change):
        return ""
    if abs(change) < 0.0005:
        return "unchanged"
    return f"{'+' if change > 0 else fmt.MINUS}{percent(abs(change))}"


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


# ---- poor quality ----------------------------------------------------------------------------------------------


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


# ---- budget ----------------------------------------------------------------------------------------------------


def budget(found: cost_budget.Budget, currency: str) -> str:
    """How much is spent, and what the whole will have cost."""
    if found.reason:
        return f"Budget against actual cannot be shown: {found.reason}."
    total = found.total
    end = fmt.day(found.end, found.as_of)
    used = total["actual"] / total["budget"] if total["budget"] else float("nan")
    text = (
        f"{fmt.money(total['actual'], currency)} of the {fmt.money(total['budget'], currency)} budgeted to {end} was "
        f"spent by {fmt.day(found.as_of)}, {percent(used)}"
    )
    if not fmt.is_missing(total["at_completion"]):
        text += (
            f"; at the run-rate of the last {total['weeks']:.0f} weeks it will be "
            f"{fmt.money(total['at_completion'], currency)}"
        )
        if fmt.is_missing(total["low"]):
            text += f" ({total['forecast_reason']})"
        else:
            text += f" ({fmt.money(total['low'], currency)} to {fmt.money(total['high'], currency)})"
    text += by_work(found, currency)
    ahead = found.rows[found.rows["variance_share"] > 0.02]
    if len(ahead):
        most = ahead.loc[ahead["variance_share"].idxmax()]
        text += f". {most['label']} has spent {percent(most['variance_share'])} more than planned by then"
    over = found.rows[found.rows["over_budget"] >= 0.8]
    at_risk = over.sort_values("over_budget", ascending=False)["label"].tolist()
    if at_risk:
        more = f" and {len(at_risk) - 3} more" if len(at_risk) > 3 else ""
        text += f". Likely to exceed its budget: {', '.join(at_risk[:3])}{more}"
    elif found.rows["over_budget"].isna().all():
        text += ". Whether a project exceeds its budget cannot be told yet"
    else:
        text += ". No project is likely to exceed its budget"
    return text + "."


def by_work(found: cost_budget.Budget, currency: str) -> str:
    """What the whole will have cost when the planned labels are made, or what is lacking to say so."""
    made = found.rows["work_at_completion"]
    if not (found.rows["planned_labels"] > 0).any():
        return ". By work left there is no forecast: the table budgets has no planned_labels"
    if made.isna().all():
        return f". By work left there is no forecast: {found.rows['work_reason'].iloc[0]}"
    if made.notna().all():
        return (
            f". Once all planned labels are made, at the cost a label of those weeks, it will be "
            f"{fmt.money(made.sum(), currency)}{' without the projects not shown' if found.withheld else ''}"
        )
    count = int(made.notna().sum())
    return (
        f". By work left, {count} of {len(made)} projects come to {fmt.money(made.sum(), currency)}; the others lack "
        "planned labels or weeks"
    )


def budget_basis(found: cost_budget.Budget) -> str:
    """What the forecast supposes."""
    text = (
        "The forecast by run-rate supposes weeks to come like the last twelve; the end of the last budgeted month does "
        "not move. The one by work left supposes that the planned labels do not change and ends when they are made."
    )
    if found.withheld:
        one = found.withheld == 1
        text += (
            f" {found.withheld} project{' is' if one else 's are'} not shown: too small a group; the row of all counts "
            f"{'it' if one else 'them'}."
        )
    if found.below_zero:
        text += f" Left out: {words.listed(found.below_zero)}, whose costs come to less than 0 by corrections."
    if found.left_out:
        names = words.listed([costs.DIMENSIONS[n] for n in found.left_out])
        text += f" Budgets are kept by project: the filter by {names} is left out here."
    return text
