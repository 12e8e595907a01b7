"""Whether a gap to target is the people's, the items' or the guideline's, in words."""

from __future__ import annotations

from metrics.confusion_elsewhere import HERE, READING, SHARED
from metrics.gap import Gap
from metrics.spec import Estimate
from ui import format as fmt
from ui.rater_cell_words import GOLD, points
from ui.rater_gap import MainConfusion

FEW, ONE = "Mostly single raters: those clearly below target add", "Mostly this rater's own:"  # last part of a gap


def gap(found: Gap, main: MainConfusion | None = None, own: str = FEW, right: float | None = None) -> str:
    """Whether a gap to target is the people's, the items' or the guideline's, in two short sentences at most.

    main: the pool's main confusion, for the second sentence. own: how the last part begins. right: the share right as
    judged, which the gap counts from; named where another accuracy stands beside it.
    """
    if found.gap.value is None:
        return f"One cannot tell: {found.gap.reason}."
    if found.gap.value <= 0:
        return f"As judged{_counted_from(right)} there is no gap to the target on gold."
    parts = {
        "Mostly the items: on the same kind of items other pools would miss the target by": found.items,
        "Mostly what all raters here share: other pools do better on such items by": found.shared,
        own: found.own,
    }
    clear = {said: part for said, part in parts.items() if part.low > 0}
    short = f"{points(found.gap.value).lstrip('+')} points short of target"
    if clear:
        said = max(clear, key=lambda name: clear[name].value)
        whole = "in all it is" if right is None else f"in all it is, as judged{_counted_from(right)},"
        text = f"{said} {_part(clear[said])}; {whole} {short}"
    else:
        text = f"As judged{_counted_from(right)} {short}; whether by people or items one cannot tell"
    if found.alone > 0.5:
        text += ", and nobody else works in this language"
    return f"{text}. {confused(main)}".strip()


def _counted_from(right: float | None) -> str:
    return "" if right is None else f" ({fmt.value(right, GOLD)} right)"


def confused(main: MainConfusion | None) -> str:
    """Whether the main confusion is made by others on such items too, and what that points to; nothing without one."""
    if main is None or main.found.verdict is None:
        return ""
    found, verdict = main.found, main.found.verdict
    here, there, beyond = (
        fmt.NONE if e.value is None else fmt.value(e.value, GOLD) for e in (found.here, found.there, found.beyond)
    )
    what = f"{'the' if main.left_out else 'The'} main confusion, {main.truth} labelled {main.label}"
    if main.left_out:
        what = f"{without(main.left_out)}, {what}"
    what += f" (mostly {main.policy} in {main.language})," if main.policy else ","
    if verdict == HERE:
        return (
            f"{what} happens more often here ({here}) than with others on such items in the same language ({there}): "
            "calibrate the people on it."
        )
    same = f"{what} happens in other pools of the same language too ({here} here, {there} there)"
    if verdict == READING:
        return f"{same} and less in other languages ({beyond}): look at how the guideline reads in that language."
    if verdict == SHARED:
        return f"{same}: look at the guideline and the gold."
    if found.there.value is not None:
        return (
            f"{what} happens in {here} of cases here, in {there} elsewhere on such items: whose it is one cannot tell."
        )
    others = f" and in {beyond} in other languages" if found.beyond.value is not None else ""
    return (
        f"{what} happens in {here} of cases here{others}; hardly anybody else works on such items in this language, so "
        "whether it is the people or the guideline one cannot tell."
    )


def without(raters: int) -> str:
    """Who is left out of what is said: Without the 3 raters whose labels look unread."""
    return (
        f"Without the {raters} raters whose labels look unread"
        if raters > 1
        else ("Without the one rater whose labels look unread")
    )


def _part(part: Estimate) -> str:
    """A part of a gap in points, with its interval."""
    value, low, high = (points(x).lstrip("+") for x in (part.value, part.low, part.high))
    return f"{value} points ({low} to {high})"
