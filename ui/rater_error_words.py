"""Sentences about confusions: which cost most, how well labels are told apart, what blind labels would get."""

from __future__ import annotations

from collections.abc import Sequence

from ui import format as fmt
from ui.rater_cell_words import GOLD
from ui.rater_errors import Matrix
from ui.rater_profile import Coaching
from ui.words import listed, number_word, value_text


def coached(pairs: Sequence[dict]) -> str:
    """Which confusions cost most, in one sentence."""
    if not pairs:
        return "No confusion happened often enough to coach on."
    first = pairs[0]
    return (
        f"Most costly: {first['true_label']} labelled {first['given_label']}, {fmt.count(first['n'])} of "
        f"{fmt.count(first['judged'])} times."
    )


def further_matrices(names: Sequence[str]) -> str:
    """That further projects have a confusion matrix that is not drawn, and the way to it."""
    have, which = ("project has", "it") if len(names) == 1 else ("projects have", "one")
    return (
        f"{number_word(len(names))} more {have} gold of this rater: {listed(names)}. Choose {which} under Filters to "
        "see its matrix."
    )


def macro_f1(found: Matrix) -> str:
    """How well labels are found and kept apart, each counting the same; or why that is not known."""
    if found.macro.value is None:
        return f"No F1 over the labels: {found.macro.reason}."
    mean = found.macro
    return (
        f"Macro F1 {fmt.value(mean.value, GOLD)} {fmt.interval(mean.low, mean.high, GOLD, mean.value)}: recall and "
        "precision in one, every label counting the same, judgements taken as independent."
    )


def confusion(pair: dict, names: dict[str, str]) -> str:
    """One confusion in a line: what was given for what, how often, in which project."""
    where = names.get(pair["project"], pair["project"])
    rate = {"value": pair["rate"], "low": pair["rate_low"], "high": pair["rate_high"]}
    return (
        f"{pair['true_label']} labelled {pair['given_label']}: {fmt.count(pair['n'])} of {fmt.count(pair['judged'])}, "
        f"{value_text(rate, GOLD, 'USD')}; {where}"
    )


def blind(found: Coaching) -> str:
    """The most frequent label, and how often the same labels given blindly would be right."""
    if fmt.is_missing(found.blind):
        return ""
    label, share = found.top
    return (
        f"The most frequent label is {label}, {fmt.value(share, GOLD)} of all; the same labels given blindly would be "
        f"right {fmt.value(found.blind, GOLD)} of the time."
    )
