"""Sentences of the model impact page: which size leads, what stands beside it, and that none claims a cause."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
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
    first, rest = say.coefficient(given, "safety"), say.beside(given)
    assert lead in first and not [other for other in beside if other in first]
    assert all(other in rest for other in beside)
    assert (LEAVES_OUT[RAW] in rest) == ("+0.31" in beside)
    assert (LEAVES_OUT[RAW] in first.replace("Its", "its")) == (lead == "+0.31")
    assert (NONE.reason in first + rest) == (given.panel.corrected.value is None)
    assert ladder.overclaims(first + rest, ladder.rung_of(given.design)) == []


def test_a_second_measure_is_not_called_within_the_project():
    fixed = ladder.FIXED_EFFECTS
    assert "ithin the same project" not in say.coefficient(pair(design=fixed), "safety")
    assert "ithin the same project" in say.coefficient(pair(second=NONE, design=fixed), "safety")


def test_without_a_size_the_reason_stands_there():
    assert say.coefficient(pair(NONE, NONE, NONE), "safety").endswith(f"{NONE.reason}.")
    assert say.beside(pair(NONE, NONE, NONE)) == ""


def test_the_age_of_labels_has_its_ends():
    assert "3 to 31 days old" in say.lag_note(17.0, 3.0, 31.0) and "17 on average" in say.lag_note(17.0, 3.0, 31.0)
    assert say.lag_note(17.0, 17.2, 16.8) == "Labels were 17 days old on average when the benchmark was measured."
    assert say.lag_note(float("nan"), float("nan"), float("nan")) == ""


def test_the_largest_regression_names_its_slice():
    rows = pd.DataFrame({"q_value": [0.5], "p_value": [0.1]})
    worst = {"change": -0.152, "benchmark": "harmful-prompts-languages", "model_version": "m45"}
    one = say.figures(rows, 3, 2, pd.Series({**worst, "policy": None, "language": "vi"}))[-1]
    assert one[2] == "harmful-prompts-languages (vi), m45"
    whole = say.figures(rows, 3, 2, pd.Series({**worst, "policy": None, "language": None}))[-1]
    assert whole[2] == "harmful-prompts-languages, m45"


def over(panel, projects=6):
    return SimpleNamespace(
        quality="gold_accuracy", link=SimpleNamespace(metric="safety_benchmark_score"), over=panel, projects=projects
    )


def test_all_projects_have_a_sentence_or_a_reason():
    said = say.over_projects(over(Panel(RAW_ONE, NONE, 0.1, 6, "", None)))
    assert "6 projects with a safety benchmark score" in said and "+0.31" in said and LEAVES_OUT[RAW] in said
    assert ladder.overclaims(said, ladder.Rung.ADJUSTED) == []
    none = say.over_projects(over(Panel(NONE, NONE, None, 2, "", None)))
    assert none.endswith(f"there is no size: {NONE.reason}.")
    few = say.over_projects(over(Panel(NONE, NONE, None, 2, "", None), 2))
    assert few.endswith("(2) there is no size: fewer than 5 projects are measured by it.")
