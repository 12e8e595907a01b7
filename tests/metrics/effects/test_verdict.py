"""Verdicts: a table of cases, each decided by one rule, and how often a null change is called an effect."""

import dataclasses

import numpy as np
import pytest

from metrics.effects.effect import TOO_EARLY, TOO_FEW_BEFORE, Design, Effect
from metrics.effects.verdict import MOVING, NOT_ASKED, Verdict, verdict
from metrics.spec import Direction, Estimate

UP = Effect(
    Design.COMPARED, Estimate(0.1, 0.05, 0.15, 8), p_value=0.001, placebo_p=0.02, pre_trend_p=0.5, placebos=np.ones(60)
)
DOWN = dataclasses.replace(UP, effect=Estimate(-0.1, -0.15, -0.05, 8))


def changed(**fields) -> Effect:
    return dataclasses.replace(UP, **fields)


@pytest.mark.parametrize(
    ("effect", "direction", "smallest", "p", "said"),
    [
        (UP, Direction.HIGHER, None, None, Verdict.WORKED),
        (UP, Direction.LOWER, None, None, Verdict.HARM),
        (DOWN, Direction.HIGHER, None, None, Verdict.HARM),
        (DOWN, Direction.LOWER, None, None, Verdict.WORKED),
        (UP, Direction.NONE, None, None, Verdict.CANNOT_TELL),
        (UP, Direction.BAND, None, None, Verdict.CANNOT_TELL),
        (UP, Direction.HIGHER, 0.2, None, Verdict.NO_EFFECT),
        (UP, Direction.HIGHER, 0.15, None, Verdict.WORKED),
        (UP, Direction.HIGHER, None, 0.06, Verdict.CANNOT_TELL),
        (changed(pre_trend_p=0.04), Direction.HIGHER, None, None, Verdict.CANNOT_TELL),
        (changed(pre_trend_p=None), Direction.HIGHER, None, None, Verdict.CANNOT_TELL),
        (changed(placebo_p=0.06), Direction.HIGHER, None, None, Verdict.CANNOT_TELL),
        (changed(placebos=np.ones(18), placebo_p=1 / 19), Direction.HIGHER, None, 0.01, Verdict.WORKED),
        (changed(placebos=np.ones(18), placebo_p=1 / 19), Direction.HIGHER, None, 0.02, Verdict.CANNOT_TELL),
        (changed(placebos=np.empty(0), placebo_p=None), Direction.HIGHER, None, 0.02, Verdict.CANNOT_TELL),
        (
            changed(design=Design.RANDOMISED, pre_trend_p=None, placebo_p=0.4),
            Direction.HIGHER,
            None,
            None,
            Verdict.WORKED,
        ),
        (changed(effect=Estimate(0.0, -0.02, 0.02, 8)), Direction.HIGHER, 0.03, None, Verdict.NO_EFFECT),
        (changed(effect=Estimate(0.0, -0.02, 0.02, 8)), Direction.HIGHER, 0.02, None, Verdict.CANNOT_TELL),
        (changed(effect=Estimate(0.0, -0.02, 0.02, 8)), Direction.HIGHER, None, None, Verdict.CANNOT_TELL),
        (changed(effect=Estimate(0.1, n=2)), Direction.HIGHER, 1.0, None, Verdict.CANNOT_TELL),
        (Effect.missing(Design.SERIES, TOO_EARLY), Direction.HIGHER, None, None, Verdict.TOO_EARLY),
        (Effect.missing(Design.SERIES, TOO_FEW_BEFORE), Direction.HIGHER, None, None, Verdict.CANNOT_TELL),
    ],
)
def test_each_rule_decides(effect, direction, smallest, p, said):
    found = verdict(effect, direction, smallest, p)
    assert found.verdict is said
    assert found.reason


@pytest.mark.parametrize(("p", "reason"), [(0.04, MOVING), (None, NOT_ASKED)])
def test_no_interval_outweighs_a_move_before_the_change(p, reason):
    """Inside what matters, across 0, or away from it; chance that decided has nothing to ask."""
    for ends in ((-0.02, 0.02), (-0.3, 0.3), (0.05, 0.15)):
        moving = changed(effect=Estimate(sum(ends) / 2, *ends, 8), pre_trend_p=p)
        found = verdict(moving, Direction.HIGHER, 0.03)
        assert (found.verdict, found.reason) == (Verdict.CANNOT_TELL, reason)
    by_lot = changed(effect=Estimate(0.0, -0.02, 0.02, 8), pre_trend_p=p, design=Design.RANDOMISED)
    assert verdict(by_lot, Direction.HIGHER, 0.03).verdict is Verdict.NO_EFFECT


def test_too_few_made_up_changes_are_named():
    few = changed(placebos=np.ones(11), placebo_p=1 / 12)
    sure, unsure = (verdict(few, Direction.HIGHER, None, p) for p in (0.01, 0.02))
    assert "too few made-up changes to compare with (11), but its own p is 0.01 or below" in sure.reason
    assert unsure == (Verdict.CANNOT_TELL, "too few made-up changes to compare with (11)", unsure.checks)
    assert "too few" not in verdict(UP, Direction.HIGHER).reason
    assert "too few" not in verdict(changed(design=Design.RANDOMISED, placebos=np.ones(3)), Direction.HIGHER).reason


def test_the_checks_say_what_passed():
    assert verdict(UP, Direction.HIGHER).checks == {"pre_trend": True, "placebo": True}
    assert verdict(changed(pre_trend_p=0.01, placebo_p=0.3), Direction.HIGHER).checks == {
        "pre_trend": False,
        "placebo": False,
    }
    assert verdict(changed(design=Design.RANDOMISED), Direction.HIGHER).checks == {}
