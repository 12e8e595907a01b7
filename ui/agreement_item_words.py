"""Sentences about single items, gold and pairs of raters on the agreement page."""

from __future__ import annotations

from ui import agreement_items, words
from ui.agreement_words import CUT, coefficient, share


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
