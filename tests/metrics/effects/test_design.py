"""The design that a change allows."""

import numpy as np
import pytest

from metrics.effects.design import NEVER, choose
from metrics.effects.effect import TOO_EARLY, TOO_FEW_BEFORE, Design

ONE_OF_SIX, ONE_OF_TWELVE = [30] + [NEVER] * 5, [30] + [NEVER] * 11


@pytest.mark.parametrize(
    ("starts", "options", "design"),
    [
        (ONE_OF_SIX, {}, Design.COMPARED),
        ([30], {}, Design.SERIES),
        ([30] * 5, {}, Design.SERIES),
        (ONE_OF_TWELVE, {}, Design.COMPARED),
        (ONE_OF_TWELVE, {"apart": True}, Design.SYNTHETIC),
        (ONE_OF_SIX, {"apart": True}, Design.COMPARED),
        ([30, *ONE_OF_TWELVE], {"apart": True}, Design.COMPARED),
        ([30] * 4 + [NEVER] * 4, {}, Design.STAGGERED),
        ([30] * 3 + [NEVER] * 4, {}, Design.COMPARED),
        (np.repeat([20, 30], 4), {}, Design.STAGGERED),
        ([30] * 3 + [NEVER] * 4, {"randomised": True}, Design.RANDOMISED),
        ([30] * 4, {"randomised": True}, Design.SERIES),
        ([NEVER] * 4, {}, Design.NONE),
        ([38], {}, Design.NONE),
        ([30], {"end": 32}, Design.NONE),
        ([5], {}, Design.NONE),
        ([5] + [30] * 4 + [NEVER] * 4, {}, Design.NONE),
        ([8] + [30] * 4 + [NEVER] * 4, {}, Design.STAGGERED),
    ],
)
def test_the_strongest_design_that_the_units_allow(starts, options, design):
    found = choose(starts, 40, **options)
    assert found.design is design
    assert found.reason


def test_the_reason_is_the_one_a_verdict_is_read_from():
    assert choose([38], 40).reason == TOO_EARLY
    assert choose([5], 40).reason == TOO_FEW_BEFORE
