"""What a change did: designs, checks, verdicts, planning. Which one when:

- ``choose``: the strongest design that who got a change, and when, allows.
- ``randomised``: chance decided who got it; ``cuped`` sharpens it by what was known before.
- ``staggered``: several units got it, at one time or at different ones, and several did not (yet).
- ``interrupted``: one unit or all at once; with others where there are any (``others``), else against its own course.
- ``synthetic``: one unit whose course is a mix of others and not their mean.
- ``placebo_p``, ``placebo_dates``: how often something as large is seen where nothing was changed.
- ``verdict``: worked, did harm, no effect seen, too early, cannot tell; with the checks that were passed.
- ``level_shifts``, ``matched``: lasting moves of a series, and which of them no recorded change explains.
- ``carry_over``, ``smallest_called``, ``weeks_needed``, ``before_needed``, ``pools_needed``: what a plan
  takes.

Weekly values come as arrays, NaN without data; weeks are whole numbers from 0. Every effect is an ``Effect``: what was
less what would have been, in the metric's unit, with an interval, or with the reason why there is none.
"""

from metrics.effects.design import NEVER, Choice, choose
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, TOO_EARLY, WEEKS, Design, Effect
from metrics.effects.interrupted import interrupted
from metrics.effects.placebo import placebo_dates, placebo_p
from metrics.effects.power import before_needed, carry_over, pools_needed, smallest_called, weeks_needed
from metrics.effects.randomised import cuped, randomised
from metrics.effects.shifts import Shift, level_shifts, matched
from metrics.effects.staggered import staggered, two_by_two
from metrics.effects.synthetic import simplex_weights, synthetic
from metrics.effects.verdict import Judgement, Verdict, verdict

__all__ = [
    "LEAST_AFTER",
    "LEAST_BEFORE",
    "NEVER",
    "TOO_EARLY",
    "WEEKS",
    "Choice",
    "Design",
    "Effect",
    "Judgement",
    "Shift",
    "Verdict",
    "before_needed",
    "carry_over",
    "choose",
    "cuped",
    "interrupted",
    "level_shifts",
    "matched",
    "placebo_dates",
    "placebo_p",
    "pools_needed",
    "randomised",
    "simplex_weights",
    "smallest_called",
    "staggered",
    "synthetic",
    "two_by_two",
    "verdict",
    "weeks_needed",
]
