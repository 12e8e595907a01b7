"""What may be said of a link or an effect: the verb is picked by the design, never by the writer.

Four rungs, weakest first. A design that fails one of its checks (pre-trend, placebo, fit before) drops one rung for
each check failed. Sentences about models and changes take their verbs from here alone; a test reads them for stronger
words than their rung allows.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from metrics.effects.effect import Design


class Rung(enum.IntEnum):
    """How strong a claim the design carries."""

    ASSOCIATION = 0
    ADJUSTED = 1
    QUASI_EXPERIMENT = 2
    RANDOMISED = 3


BADGES = {
    Rung.ASSOCIATION: "association",
    Rung.ADJUSTED: "adjusted association",
    Rung.QUASI_EXPERIMENT: "quasi-experiment",
    Rung.RANDOMISED: "randomised",
}

CORRELATION, FIXED_EFFECTS, PARTIAL = "correlation", "fixed effects", "partial correlation"
DESIGNS = {
    CORRELATION: Rung.ASSOCIATION,
    PARTIAL: Rung.ASSOCIATION,
    FIXED_EFFECTS: Rung.ADJUSTED,
    Design.SERIES: Rung.ADJUSTED,
    Design.COMPARED: Rung.QUASI_EXPERIMENT,
    Design.STAGGERED: Rung.QUASI_EXPERIMENT,
    Design.SYNTHETIC: Rung.QUASI_EXPERIMENT,
    Design.RANDOMISED: Rung.RANDOMISED,
}
"""The rung a design reaches when all its checks hold. A series without a comparison cannot tell the change from what
else happened that week, so it stays below the designs that can."""

# Words a sentence may use only from this rung on; below it they would claim too much.
STRONGER = {
    Rung.ADJUSTED: ("within the same project", "within the same pool", "within all work"),
    Rung.QUASI_EXPERIMENT: ("against", "after the change"),
    Rung.RANDOMISED: ("caused",),
}
NEVER = ("because", "due to", "led to", "thanks to", "drove", "proves", "results from", "responsible for", "made the")
NOT_PROOF = "not proof of cause"


def rung_of(design: str, checks: Mapping[str, bool] | None = None) -> Rung:
    """The rung a design stands on after its checks: one lower for each that failed, never below ASSOCIATION.

    checks: name of the check to whether it held. Raises KeyError for a design that is not in DESIGNS.
    """
    failed = sum(not held for held in (checks or {}).values())
    return Rung(max(DESIGNS[design] - failed, Rung.ASSOCIATION))


def linked(rung: Rung, quality: str, outcome: str) -> str:
    """How a quality of labels and a model's outcome are said to go together: "alpha moved together with safety score".

    A link between versions is at most an adjusted association; a higher rung raises ValueError.
    """
    if rung == Rung.ASSOCIATION:
        return f"{quality} moved together with {outcome}"
    if rung == Rung.ADJUSTED:
        return f"within the same project, a higher {quality} went with {outcome}"
    raise ValueError("Versions of a model are observed, not tried: their link is an association.")


def per_point(rung: Rung, quality: str, outcome: str, size: str) -> str:
    """One point of quality in points of outcome: "each point of accuracy went with +0.6 points of safety score"."""
    if rung > Rung.ADJUSTED:
        raise ValueError("Versions of a model are observed, not tried: their link is an association.")
    within = "within the same project, " if rung == Rung.ADJUSTED else ""
    return f"{within}each point of {quality} went with {size} of {outcome}"


def moved(
    rung: Rung, change: str, metric: str, size: str, treated: str, others: str = "", within: str = "the same project"
) -> str:
    """What a change is said to have done: ``size`` is the signed effect in words, such as "+1.8 points (0.6 to 3.0)".

    treated and others: who had the change and who had not, in words ("POOL-13", "5 other pools"). within: whose own
    weeks before it is measured against, where there is nobody else.
    """
    if rung == Rung.RANDOMISED:
        return f"{change} caused {size} in {metric}"
    if rung == Rung.QUASI_EXPERIMENT:
        compared = f", which had it, against {others}, which had not" if others else " after the change"
        return f"{change}: {size} in {metric} of {treated}{compared}"
    if rung == Rung.ADJUSTED:
        return f"{change}: within {within}, {metric} moved by {size} when it came"
    return f"{change}: {metric} moved together with it, by {size}"


def overclaims(sentence: str, rung: Rung) -> list[str]:
    """The words of a sentence that claim more than the rung allows; empty for an honest one."""
    text = sentence.lower().replace(NOT_PROOF, "")
    above = [word for least, words in STRONGER.items() if least > rung for word in words]
    return [word for word in (*above, *NEVER) if word in text]
