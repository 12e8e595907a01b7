"""Sentences of the audit planner, written from the same numbers as its charts and its worklist."""

from __future__ import annotations

from collections.abc import Mapping

from metrics import sequential
from metrics.catalogue import metric as find_metric
from metrics.gold_exposure import GoldExposure
from ui import format as fmt
from ui import words
from ui.audit_gold import Settled
from ui.audit_planner import AUDITS, GOLD, METRIC, SEVERITY, UNCERTAINTY, VIOLATING, Ask, Plan
from ui.audit_tests import Batch, RaterTest, Tested

EACH = {AUDITS: "audits", GOLD: "gold judgements"}
ONE = {AUDITS: "audit", GOLD: "gold judgement"}
AIMS = {
    UNCERTAINTY: "Know the error rate best",
    SEVERITY: "Weigh errors by how serious they are",
    VIOLATING: "Weigh errors by how much content violates",
}
WEIGHTED = {
    UNCERTAINTY: "",
    SEVERITY: "an error weighs as much as the errors audits found there were serious: minor 0.1, major 0.5, critical 1",
    VIOLATING: "an error weighs as much as the content there violates",
}
MOST_NAMED = 3  # strata or projects that are named in a sentence
FAR = 730  # days beyond which "when it runs out" says nothing


def points(half: float | None, *beside: float | None) -> str:
    """Half the width of an interval: "1.3 points"; two decimals where one would hide how it differs from others."""
    if half is None:
        return fmt.NONE
    metric = find_metric(METRIC[AUDITS])
    halves = [h for h in (half, *beside) if h is not None]
    coarse = {fmt.size(h, metric, 0.5) for h in halves}
    return fmt.size(half, metric, 0.005 if len(coarse) < len(set(halves)) else 0.5)


def number(count: float) -> str:
    """A whole number in full: 1,250."""
    return f"{count:,.0f}"


def finding(plan: Plan, ask: Ask) -> str:
    """The page's sentence: what the next audits buy, and where most of them go."""
    if plan.rows.empty:
        return f"There is nothing to plan here: {plan.reason}"
    if not plan.audits:
        return f"There is nothing left to look at: {plan.reason or 'all of this work is audited'}"
    each = EACH[ask.of] if plan.audits != 1 else ONE[ask.of]
    if plan.unallotted:
        return f"{number(plan.audits)} {each} look at all of this work, fewer than the {number(ask.audits)} asked for"
    start = f"The next {number(plan.audits)} {each}"
    return f"{start} {_bought(plan, ask)}; {_most(plan)}"


def _bought(plan: Plan, ask: Ask) -> str:
    what = find_metric(METRIC[ask.of]).label.lower()
    if ask.aim != UNCERTAINTY:
        what = f"harm-weighted {what}"
    before, after = plan.half_before, plan.half_after
    if before is None or after is None:
        few = len(plan.unseen)
        rest = f", and {what} becomes known to ±{points(after)}" if after is not None else ""
        return (
            f"look for the first time at {number(few)} {'stratum' if few == 1 else 'strata'} of {len(plan.rows)}{rest}"
        )
    first, last = points(before, after), points(after, before)
    if first == last:
        return f"leave the uncertainty of {what} at ±{last}"
    return f"cut the uncertainty of {what} from ±{first.split(fmt.SPACE)[0]} to ±{last}"


def _most(plan: Plan) -> str:
    top = plan.rows.iloc[0]
    count = int(top["audits"])
    some = "all of them belong" if count == plan.audits else f"{number(count)} of them belong"
    why = words.listed(top["lift"])
    return f"{some if count != 1 else '1 of them belongs'} to {top['spoken']}" + (f", where {why}" if why else "")


def figures(plan: Plan, ask: Ask, currency: str) -> list[tuple[str, str, str]]:
    """The plan's figures: what each is called, its value, and what stands under it."""
    of, bare = EACH[ask.of], fmt.NONE
    halves = (plan.half_before, plan.half_after, plan.half_even)
    now, then, even = (bare if h is None else f"±{points(h, *halves)}" for h in halves)
    first = f"of {number(plan.rows['judgements'].sum())} judgements, {number(plan.rows['audited'].sum())} looked at"
    unknown = "some strata were never looked at"
    rows = [
        ("Known today", now, "95 % interval" if plan.half_before is not None else unknown),
        ("After this plan", then, f"with {number(plan.audits)} more"),
        ("Spread by size alone", even, "as many, in proportion to volume" if plan.half_even is not None else unknown),
        ("Not looked at yet", fmt.count(plan.rows["left"].sum()), first),
    ]
    if ask.of == AUDITS:
        price = fmt.money(plan.price, currency) if plan.price is not None else bare
        under = (
            f"{fmt.money(plan.price_of_one, currency)} each: review cost over reviews and audits"
            if plan.price_of_one is not None
            else "no review costs are loaded"
        )
        rows.append(("Price of the plan", price, under))
    else:
        rows.append(("Strata", number(len(plan.rows)), f"that {of} go to"))
    return rows


def assumptions(plan: Plan, ask: Ask) -> str:
    """What the plan takes for granted, in one line."""
    parts = [
        "Audits inside a stratum are drawn at random and weighted; earlier ones count by their weights"
        if ask.of == AUDITS
        else "Gold is spread at random inside a stratum",
        "error rates stay as they were, drawn towards the average where few are known",
        "raters inside a stratum are taken as alike, so the KPI's interval is wider",
    ]
    if ask.aim != UNCERTAINTY:
        parts.append(WEIGHTED[ask.aim])
    if plan.stages:
        parts.append(
            f"counted is work of the {words.listed(list(plan.stages))} stage{'s' if len(plan.stages) > 1 else ''}"
        )
    text = f"Assumes: {'; '.join(parts)}."
    for why, names in plan.left_out:
        text += f" Left out: {_some(names)} ({why})."
    if plan.unseen:
        text += f" Never looked at: {_some(plan.unseen)}."
    return text


def _some(names: tuple[str, ...]) -> str:
    rest = len(names) - MOST_NAMED
    return words.listed([*names[:MOST_NAMED], f"{rest} more"] if rest > 0 else list(names))


def why(row: Mapping) -> str:
    """What stands out about a stratum, as a cell."""
    return ", ".join((*row["lift"], *row["drag"]))


# ---- the two tests ---------------------------------------------------------------------------------------------


def batch(found: Batch, ask: Ask) -> str:
    """The batch plan and its two risks, in words."""
    plan, share = found.plan, _share
    if plan.n is None:
        return (
            f"No sample of a batch of {number(ask.lot)} tells {share(ask.acceptable)} from {share(ask.limit)} errors "
            "with both risks kept: look at the whole batch, or set the two rates further apart."
        )
    errors = f"at most {plan.c} errors" if plan.c != 1 else "at most 1 error"
    errors = "no error" if plan.c == 0 else errors
    return (
        f"Audit **{number(plan.n)}** of a batch of {number(ask.lot)} and accept it with **{errors}**. "
        f"A batch with {share(ask.acceptable)} errors is turned away by bad luck {_odds(plan.producer_risk)}; "
        f"one with {share(ask.limit)} errors slips through {_odds(plan.consumer_risk)}."
    )


def _odds(risk: float) -> str:
    """1 time in 20; hardly ever where it is."""
    if risk < 0.0005:
        return "hardly ever"
    return f"1 time in {number(round(1 / risk))}" if risk < 0.34 else f"{_share(100 * risk)} of the time"


def _share(percent: float) -> str:
    return fmt.target(percent / 100, find_metric(METRIC[AUDITS]))


def rater_test(found: RaterTest, ask: Ask) -> str:
    """What each of the two tests of a rater asks for, in words."""
    good, bad = (f"about **{fmt.count(round(n))}**" for n in found.expected)
    start = f"To tell a rater who is right {_share(ask.good)} of the time from one with {_share(ask.bad)}: "
    if found.fixed is None:
        rest = f"looked at after each answer it ends after {good} for the good one and {bad} for the other."
        return f"{start}no fixed test is short enough; {rest}"
    fixed = found.fixed
    return (
        f"{start}a fixed test takes **{number(fixed.n)}** gold judgements and is looked at once, at the end: at most "
        f"{number(fixed.flag_at_most)} right asks for support. Looked at after each answer it ends after {good} for "
        f"the good one and {bad} for the other. Either way 1 good rater in 20 is looked into for nothing, and 1 in 5 "
        "of the others is missed."
    )


def tested(found: Tested) -> str:
    """How many raters of the pool the sequential test has settled by now; nobody is named."""
    if found.reason:
        return f"{found.reason[0].upper()}{found.reason[1:]}."
    total = len(found.rows)
    into, fine, on = (
        int((found.rows["state"] == s).sum()) for s in (sequential.LOOK_INTO, sequential.ACCEPT, sequential.GO_ON)
    )
    return (
        f"Begun with this period, it has ended for {number(into + fine)} of the {number(total)} raters of {found.pool} "
        f"who met gold: {number(fine)} fine, {number(into)} to look into; for {number(on)} it goes on. As judged, "
        "without allowing for how hard the items were."
    )


def settled(found: Settled) -> str:
    """How far gold has told raters apart, and what it would take; nobody is named."""
    total = found.above + found.below + found.cannot_tell
    text = (
        f"Of {number(total)} raters gold tells {number(found.above)} above the {_share(100 * found.target)} target and "
        f"{number(found.below)} below it; for {number(found.cannot_tell)} it cannot tell."
    )
    if not fmt.is_missing(found.more) and found.cannot_tell:
        text += f" The middle one of those needs {number(found.more)} more gold judgements"
        if found.per_week > 0:
            text += f", {number(round(found.more / found.per_week))} weeks at {fmt.count(found.per_week)} a week"
        text += "."
    if found.too_close:
        text += f" {number(found.too_close)} are too close to the target for more gold to tell."
    return text


# ---- gold ------------------------------------------------------------------------------------------------------


def wear(found: GoldExposure, project: str) -> str:
    """How worn the gold of a project is: how much of it raters know, and when the first will have met all."""
    if found.table.empty or not found.gold_share.n:
        return f"Nobody judged anything of {project} in these days."
    if not found.table["gold_judgements"].sum():
        return f"Nobody met gold of {project} in these days."
    share = fmt.value(found.gold_share.value, find_metric("gold_exposure_rate"))
    most = found.table["seen_share"].max()
    repeats = int(found.table["repeats"].sum())
    text = f"{share} of the work of {project} was gold, of a pool of {number(found.pool)} items. "
    text += f"The rater who met most of it knows {fmt.value(most, find_metric('gold_exposure_rate'))} of the pool; "
    text += "no item was met twice by one rater" if not repeats else f"{number(repeats)} times an item was met again"
    return f"{text}. {_runs_out(found)}"


def _runs_out(found: GoldExposure) -> str:
    first = found.first_exhausted
    if first.value is None:
        return "When it runs out cannot be told."
    if first.value > FAR:
        return "At this pace nobody runs out of it within two years."
    if first.value <= 0:
        return "Somebody has met all of it: new gold is needed now."
    weeks = max(1, round(first.value / 7))
    when = f"{number(weeks)} week{'s' if weeks > 1 else ''}"
    return f"At this pace the first rater has met all of it in about {when}: renew it before then."
