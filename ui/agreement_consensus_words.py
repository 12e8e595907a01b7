"""What majority vote and a model make of the same ratings, in words."""

from __future__ import annotations

from metrics.consensus.comparison import SETTLED_FROM, Comparison
from ui.agreement_consensus import WithoutGold
from ui.agreement_words import CUT, share, share_with_interval


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
