"""Sentences of the model impact page: which size leads, what stands beside it, and that none claims a cause."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from metrics import ladder
from metrics.panel import Panel
from metrics.sizes import LEAVES_OUT, RAW
from metrics.spec import Estimate
from ui import model_impact_words as say

RAW_ONE, CORRECTED_ONE, SECOND_ONE = (Estimate(v, v - 0.1, v + 0.1, 40) for v in (0.31, 0.56, 0.64))
NONE = Estimate.missing("a reason of its own")


def pair(raw=RAW_ONE, corrected=CORRECTED_ONE, second=SECOND_ONE, design=ladder.PARTIAL):
    panel = Panel(raw, corrected, 0.55, 1, "", None)
    return SimpleNamespace(quality="gold_accuracy", panel=panel, second=second, design=design)


@pytest.mark.parametrize(
    ("given", "lead", "beside"),
    [
        (pair(), "+0.64", ["+0.56", "+0.31"]),
        (pair(second=NONE), "+0.56", ["+0.31"]),
        (pair(second=NONE, corrected=NONE), "+0.31", []),
        (pair(corrected=NONE), "+0.64", ["+0.31"]),
    ],
)
def test_one_size_leads_and_the_others_say_what_their_intervals_leave_out(given, lead, beside):
    first, _, rest = say.coefficient(given, "safety").partition("Beside it, not to be read for it:")
    assert lead in first and not [other for other in beside if other in first]
    assert all(other in rest for other in beside)
    assert (LEAVES_OUT[RAW] in rest) == ("+0.31" in beside)
    assert (NONE.reason in first + rest) == (given.panel.corrected.value is None)
    assert ladder.overclaims(first + rest, ladder.rung_of(given.design)) == []


def test_a_second_measure_is_not_called_within_the_project():
    fixed = ladder.FIXED_EFFECTS
    assert "ithin the same project" not in say.coefficient(pair(design=fixed), "safety")
    assert "ithin the same project" in say.coefficient(pair(second=NONE, design=fixed), "safety")


def test_without_a_size_the_reason_stands_there():
    assert say.coefficient(pair(NONE, NONE, NONE), "safety").endswith(f"{NONE.reason}.")
