"""What was checked of a change, in sentences: design, made-up changes, other changes near it; what is not claimed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from metrics import ladder
from metrics.change_ledger import Row
from metrics.change_overlaps import WHOLE, Overlap
from metrics.effects import WEEKS, Design
from metrics.effects.measures import MEASURES
from metrics.effects.verdict import SURE, SURER, too_few
from metrics.unexplained import Move
from ui import format as fmt
from ui import words
from ui.change_words import NO_NAMES, Names, amount, inside, rung, unit_kind

NEAR = dt.timedelta(weeks=12)
"""How long before a change a move of its own is told."""

UNITS = (Design.STAGGERED, Design.RANDOMISED)
"""Designs whose n is units, not weeks."""

BEFORE = {
    Design.STAGGERED: "the eighth to fifth week before",
    Design.SYNTHETIC: "the last eight weeks before, foretold from the earlier ones",
}

MADE_UP = {
    Design.STAGGERED: "other ways to deal the change out",
    Design.RANDOMISED: "other lots that might have been drawn",
}


def moved_before(row: Row, moves: Sequence[Move]) -> list[Move]:
    """Lasting moves without a record of the row's metric and work, in the twelve weeks before its change."""
    began = row.change.starts_on
    return [
        move
        for move in moves
        if (move.metric, move.where, move.change_id) == (row.metric, row.where, None)
        and dt.timedelta(0) < began - move.since <= NEAR
    ]


def moved_already(move: Move) -> str:
    """A lasting move that came before a change."""
    size = amount(move.metric, move.after - move.before)
    return (
        f"It had moved by {size} in the week of {dated(move.since)}, and no change is on record for that: part of the "
        "effect may be its end."
    )


def checks(row: Row, names: Names = NO_NAMES) -> list[str]:
    """What was checked, in sentences; of models a period is a version."""
    found = _checks(row, names)
    return [s.replace("weeks", "versions") for s in found] if row.of_models else found


def _checks(row: Row, names: Names) -> list[str]:
    """What was checked, in sentences: the design, the course before, made-up changes, how much there was to go by,
    other changes to the same work, and another mix of work.
    """
    e, design = row.effect, f"{str(row.effect.design).capitalize()}: {row.why}."
    found = [design] if row.why and row.effect.design is not Design.NONE else []
    if e.effect.value is None:
        return [*found, f"No effect was measured: {row.judgement.reason}."]
    if e.design is Design.RANDOMISED:
        found.append("Lots were drawn, so what was there before can differ by chance alone, and is taken off.")
    elif e.pre_trend_p is None:
        found.append("Whether it was moving before cannot be asked: too few weeks.")
    else:
        moved = "It was moving before the change came" if e.pre_trend_p <= SURE else "No move of its own before it came"
        found.append(
            f"{moved} (p {probability(e.pre_trend_p)}, {BEFORE.get(e.design, 'the last eight weeks before')})."
        )
    if e.season:
        found.append(f"Its course rides a wave of {e.season} weeks, seen in the weeks before; it is carried on.")
    if too_few(e) and row.p_adjusted is not None and row.p_adjusted <= SURE:
        sure = f"its own p is {'' if row.p_adjusted <= SURER else 'not '}{SURER} or below"
        found.append(f"Too few made-up changes to compare with ({len(e.placebos)}); {sure}.")
    elif e.placebo_p is None:
        found.append("Made-up changes were not looked at: the effect is not sure enough for them to decide.")
    else:
        found.append(
            f"Of {len(e.placebos)} {MADE_UP.get(e.design, 'made-up changes, at other dates and in other places')}, "
            f"{_as_large(row)} as large (p {_at_best(row)}{probability(e.placebo_p)})."
        )
    found.append(f"It rests on {_rests_on(row)}.")
    found += [_overlap(row, one) for one in row.overlaps]
    if row.p_adjusted is not None:
        found.append(f"The test's own p, after all that the change is judged by, is {probability(row.p_adjusted)}.")
    if row.mix is not None:
        found.append(_mix(row, names))
    return found


def _mix(row: Row, names: Names) -> str:
    """The mix of work that moved, and whether the metric follows it."""
    mix = row.mix
    name = names.get(mix.dimension, {}).get(mix.member, mix.member)
    share = f"{100 * mix.before:.0f} to {100 * mix.after:.0f}{fmt.SPACE}%"
    taken = (
        "it is taken kind by kind, so the mix alone does not move it"
        if MEASURES[row.metric].per_kind
        else "it is not taken kind by kind, so the mix is part of what moved"
    )
    return f"The mix of work moved: {name} went from {share} of what {inside(row.metric)} is taken over; {taken}."


def _overlap(row: Row, other: Overlap) -> str:
    """Another recorded change to the same work, and what was done about it."""
    came = f"{other.change_id} came to {'all' if other.share >= WHOLE else f'{100 * other.share:.0f}{fmt.SPACE}%'}"
    last = other.until - dt.timedelta(days=1)
    if other.at_once:
        return f"{came} of this work at the same time: what moved is of both."
    if not other.left_out:
        return f"{came} of this work on {dated(other.since)}: what it did may be part of this."
    if other.since > row.change.starts_on:
        return f"{came} of this work on {dated(other.since)}: weeks from then on are left out."
    return f"{came} of this work: the weeks in which that was new, {dated(other.since)} to {dated(last)}, are left out."


def dated(day: dt.date) -> str:
    """A day that may be long ago."""
    return f"{fmt.day(day)} {day.year}"


def _rests_on(row: Row) -> str:
    e = row.effect
    if e.design in UNITS:
        kind, without = words.plural(unit_kind(row)), len(e.comparison)
        treated = e.effect.n - (without if e.design is Design.RANDOMISED else 0)
        return (
            f"{treated:.0f} {kind} with and {without} without the change, over {counted(row)} weeks under it, averaged"
        )
    return f"{(e.weeks < 0).sum()} weeks before and {counted(row)} under the change, averaged"


def counted(row: Row) -> int:
    """The first weeks under the change over which its effect is the mean."""
    e = row.effect
    return min(int((e.weeks >= 0).sum()), WEEKS) if e.design in UNITS else int(e.effect.n)


def _at_best(row: Row) -> str:
    """So many made-up changes can show no smaller p: it is no doubt about the effect."""
    return "at most " if round(row.effect.placebo_p * (1 + len(row.effect.placebos))) == 1 else ""


def _as_large(row: Row) -> str:
    count = round(row.effect.placebo_p * (1 + len(row.effect.placebos))) - 1
    return "none looks" if count == 0 else "one looks" if count == 1 else f"{count} look"


def not_claimed(row: Row) -> str:
    """What the design cannot rule out, in one sentence."""
    step = rung(row)
    if row.of_models:
        return (
            "Not claimed: that its labels did it. Versions under it are those with most items labelled since it began; "
            f"whatever else went into them counts in. It is {ladder.NOT_PROOF}."
        )
    if step is ladder.Rung.RANDOMISED:
        return "Chance decided who had it, so the difference is the change's; elsewhere it may be another."
    if step is ladder.Rung.QUASI_EXPERIMENT:
        return (
            "Not claimed: that nothing else happened there in those weeks. Places that another recorded change touched "
            f"are left out; what nobody recorded is not. It is {ladder.NOT_PROOF}."
        )
    return (
        "Not claimed: that the change did it. Without a comparison that holds, whatever else happened in those weeks "
        f"counts in. It is {ladder.NOT_PROOF}."
    )


def probability(p: float) -> str:
    """P as readers see it: "below 0.001", 0.004, 0.27."""
    return "below 0.001" if p < 0.0005 else f"{p:.3f}".rstrip("0") if p < 0.0995 else f"{p:.2f}"
