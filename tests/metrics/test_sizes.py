"""Which size of a link is read: the second measure's, else the corrected one, else the raw one."""

from __future__ import annotations

import pytest

from metrics.panel import Panel
from metrics.sizes import CORRECTED, LEAVES_OUT, RAW, SECOND, sizes
from metrics.spec import Estimate

KNOWN, NONE = Estimate(0.5, 0.1, 0.9, 30), Estimate.missing("no")


@pytest.mark.parametrize(
    ("raw", "corrected", "second", "order"),
    [
        (KNOWN, KNOWN, KNOWN, [SECOND, CORRECTED, RAW]),
        (KNOWN, KNOWN, NONE, [CORRECTED, RAW]),
        (KNOWN, NONE, KNOWN, [SECOND, RAW]),
        (KNOWN, NONE, NONE, [RAW]),
        (NONE, NONE, NONE, []),
    ],
)
def test_the_interval_that_leaves_out_least_comes_first(raw, corrected, second, order):
    found = sizes(Panel(raw, corrected, None, 1, "", None), second)
    assert [one.kind for one in found] == order
    assert all(one.leaves_out == LEAVES_OUT[one.kind] for one in found)
    assert all(one.leaves_out for one in found if one.kind != SECOND)
