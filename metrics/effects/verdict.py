"""Worked, did harm, no effect seen, too early, cannot tell: what may be said of a change, and why."""

from __future__ import annotations

import enum
from typing import NamedTuple

from metrics.effects.effect import TOO_EARLY, Design, Effect
from metrics.effects.placebo import LEAST_DRAWS
from metrics.spec import Direction

SURE = 0.05
"""A p at most this large is a finding; over all metrics a change is judged by, after ``holm``."""

SURER = 0.01
"""What the test's own p must reach where there are too few made-up changes to compare with."""


MOVING = "it was moving before the change"
NOT_ASKED = "too few weeks before the change to tell whether it was moving already"


class Verdict(enum.StrEnum):
    """What is said of a change."""

    WORKED = "worked"
    HARM = "did harm"
    NO_EFFECT = "no effect seen"
    TOO_EARLY = "too early"
    CANNOT_TELL = "cannot tell"


class Judgement(NamedTuple):
    """The verdict, why in words, and the checks of its design: True for passed, False for failed or not possible."""

    verdict: Verdict
    reason: str
    checks: dict[str, bool]


def verdict(
    effect: Effect, direction: Direction, smallest: float | None = None, p_adjusted: float | None = None
) -> Judgement:
    """The verdict on one metric of one change.

    direction: which way the metric is better. smallest: the smallest effect that matters, in the metric's unit; None
    where nobody has said, and then no interval is ever inside it. p_adjusted: the p of the effect after all metrics
    the change is judged by (``holm``); the effect's own p where it is judged by one.

    In this order. No effect measured: too early where the weeks are still to come, else cannot tell. A move of its own
    before the change (pre_trend_p at most ``SURE``), or too few weeks to ask: cannot tell, whatever the interval, for
    what would have come is then not known; a randomised change need not be asked. The whole interval inside ± smallest:
    no effect seen, also when it is surely not 0, for that little does not matter (Schuirmann 1987; the 95 % interval is
    used, stricter than his). p_adjusted at most ``SURE`` and the interval away from 0: worked or did harm, when as few
    made-up changes are as large (placebo_p at most ``SURE``; with fewer than ``LEAST_DRAWS`` of them p_adjusted at most
    ``SURER`` instead; a randomised change needs none). Anything else: cannot tell.
    """
    measured = effect.effect
    if measured.value is None:
        early = measured.reason == TOO_EARLY
        return Judgement(Verdict.TOO_EARLY if early else Verdict.CANNOT_TELL, measured.reason, {})
    if measured.low is None or measured.high is None:
        return Judgement(Verdict.CANNOT_TELL, "the effect has no interval", {})
    p = effect.p_value if p_adjusted is None else p_adjusted
    checks = _checks(effect, p)
    if not checks.get("pre_trend", True):
        return Judgement(Verdict.CANNOT_TELL, NOT_ASKED if effect.pre_trend_p is None else MOVING, checks)
    if smallest is not None and -smallest < measured.low and measured.high < smallest:
        return Judgement(Verdict.NO_EFFECT, "the whole interval is smaller than what matters", checks)
    if measured.low <= 0 <= measured.high:
        return Judgement(Verdict.CANNOT_TELL, "it may be nothing or may matter", checks)
    if p is None or p > SURE:
        return Judgement(Verdict.CANNOT_TELL, "among so many metrics chance gives one like it", checks)
    few = f"too few made-up changes to compare with ({len(effect.placebos)})" if too_few(effect) else ""
    if not checks.get("placebo", True):
        return Judgement(Verdict.CANNOT_TELL, few or "made-up changes look as large", checks)
    if direction not in (Direction.HIGHER, Direction.LOWER):
        return Judgement(Verdict.CANNOT_TELL, "it moved, but neither way is better", checks)
    better = (measured.value > 0) == (direction is Direction.HIGHER)
    clear = f"the interval is away from zero{f'; {few}, but its own p is {SURER} or below' if few else ''}"
    return Judgement(Verdict.WORKED if better else Verdict.HARM, clear, checks)


def too_few(effect: Effect) -> bool:
    """Whether no share of its made-up changes could be ``SURE``; a randomised change needs none."""
    few = len(effect.placebos) < LEAST_DRAWS or effect.placebo_p is None
    return few and effect.design is not Design.RANDOMISED


def _checks(effect: Effect, p: float | None) -> dict[str, bool]:
    if effect.design is Design.RANDOMISED:
        return {}
    placebo = p is not None and p <= SURER if too_few(effect) else effect.placebo_p <= SURE
    return {"pre_trend": effect.pre_trend_p is not None and effect.pre_trend_p > SURE, "placebo": placebo}
