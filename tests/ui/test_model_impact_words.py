"""Sentences of the model impact page: which size leads, what stands beside it, and that none claims a cause."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from metrics import ladder, score_ceiling, slice_labels
from metrics.panel import Panel
from metrics.sizes import LEAVES_OUT, RAW
from metrics.spec import Estimate
from ui import model_impact_regressions as regressions
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


@pytest.mark.parametrize(("q", "starts"), [(0.41, True), (0.1001, True), (0.1, False), (0.001, False), (None, False)])
def test_a_link_that_does_not_stand_begins_with_chance(q, starts):
    said = say.coefficient(pair(), "safety", {"q_value": q})
    assert said.startswith(f"May be chance (q {q or 0:.3f}): each point of") == starts
    assert say.may_be_chance({"q_value": q}) == starts
    assert starts or (said == say.coefficient(pair(), "safety") and said.startswith("Each point of"))
    assert ladder.overclaims(said, ladder.rung_of(ladder.PARTIAL)) == []
    assert "May be chance" not in say.coefficient(pair(NONE, NONE, NONE), "safety", {"q_value": q})


def test_without_a_size_the_reason_stands_there():
    assert say.coefficient(pair(NONE, NONE, NONE), "safety").endswith(f"{NONE.reason}.")
    assert say.beside(pair(NONE, NONE, NONE)) == ""


def test_the_age_of_labels_has_its_ends():
    assert "3 to 31 days old" in say.lag_note(17.0, 3.0, 31.0) and "17 on average" in say.lag_note(17.0, 3.0, 31.0)
    assert say.lag_note(17.0, 17.2, 16.8) == "Labels were 17 days old on average when the benchmark was measured."
    assert say.lag_note(float("nan"), float("nan"), float("nan")) == ""


def test_the_age_of_labels_names_the_slice_looked_at():
    assert say.lag_note(17.0, 17.0, 17.0, {"policy": "self_harm"}).startswith("Labels of self harm were 17 days old")
    assert say.lag_note(17.0, 3.0, 31.0, {"language": "vi"}).startswith("Labels in vi were 3 to 31 days old")


SCORE = Estimate(0.884, 0.874, 0.894, 4000)
NOISE = Estimate(0.197, 0.177, 0.218, 1500)


def cleared(score, noise=NOISE):
    ceiling = score_ceiling.score_ceiling("safety_benchmark_score", score.value, score.n, [], noise)
    return say.corrected(ceiling, noise, "audits", "Prompt intent")


def test_a_score_that_such_noise_cannot_give_is_said_with_the_score_it_could_give():
    """By hand: with 19.7 % of labels turned round a model that is always right scores 80.3 %."""
    said = cleared(SCORE)
    assert "19.7\u00a0% (17.7 to 21.8)" in said and "no model could score above 80.3\u00a0%; this one did" in said
    low = cleared(Estimate(0.05, 0.04, 0.06, 4000))
    assert "no model could score below 19.7\u00a0%" in low
    assert "would be" in cleared(Estimate(0.7, 0.68, 0.72, 4000)) and "no model" not in cleared(
        Estimate(0.7, 0, 1, 400)
    )
    none = cleared(SCORE, Estimate.missing("there are no audits"))
    assert none == "The score cannot be cleared of wrong labels: there are no audits."
    half = Estimate(0.5, 0.45, 0.55, 100)
    assert "half" in cleared(SCORE, half) and "no model" not in cleared(SCORE, half)


def row(**given):
    base = {
        "project": "P", "benchmark": "b", "metric": "m", "policy": None, "language": "vi", "model_version": "m45",
        "previous_version": "m44", "change": -0.113, "low": -0.147, "high": -0.079, "paired": False, "severity": 3.0,
        "incident_id": "N-1", "exposure_change": -0.213, "exposure_low": -0.387, "exposure_high": -0.025,
        "exposure_reason": "", "now_n": 45.0, "before_n": 49.0, "now_items": 100.0, "before_items": 90.0,
    }  # fmt: skip
    return {**base, **given}


def test_a_regression_has_its_own_labels_and_severity_in_words():
    minus = "\u2212"
    cells = regressions.cells(row(), {"P": "Prompts"})
    assert cells == {
        "called": "Prompts", "part": "vi", "grave": "severity 3 of 3, N-1", "cases": "scores only",
        "labels": f"{minus}21.3 ({minus}38.7 to {minus}2.5)", "gold": "45 after 49",
        "loss": f"{minus}11.3 ({minus}14.7 to {minus}7.9)",
    }  # fmt: skip
    nothing = float("nan")
    whole = regressions.cells(row(language=None, severity=nothing, paired=True), {})
    assert (whole["part"], whole["grave"], whole["cases"]) == ("all", "none on record", "the same")
    assert regressions.cells(row(severity=nothing, policy="self_harm"), {})["grave"] == "none in self harm in vi"
    few = row(exposure_change=nothing, exposure_reason="fewer than 30")
    assert regressions.labels(few) == "too few to judge"
    assert regressions.labels({**few, "before_items": 0.0}) == "no labels on record"
    assert regressions.labels(row(exposure_change=0.0, exposure_reason=slice_labels.SAME)) == "the same labels"


def test_the_order_of_regressions_is_said():
    said = say.ranking(3, 40)
    assert said.startswith("3 of 40 comparisons") and said.index("gravest incident") < said.index("gold accuracy")
    assert said.index("gold accuracy") < said.index("points lost") and ladder.overclaims(said, 0) == []


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


def links(*given: tuple[str, str, int, float | None]) -> pd.DataFrame:
    """Rows of the matrix from project, slice, lag and q."""
    base = {"benchmark": "harmful", "metric": "percent_agreement", "estimate": 0.85, "low": 0.75, "high": 0.91}
    rows = [{**base, "project": p, "slice": part, "lag": lag, "q_value": q, "p_value": q} for p, part, lag, q in given]
    return pd.DataFrame(rows).astype({"q_value": float, "p_value": float})


NAMES = {"P1": "Prompt intent", "P2": "Comments"}


def found(rows, at: int | None = 0) -> str:
    said = say.finding(rows, None if at is None else rows.iloc[at].to_dict(), NAMES, "")
    assert ladder.overclaims(said, ladder.Rung.ASSOCIATION) == []
    return said


def test_the_heading_leads_with_how_many_links_stand():
    """Counted by hand: links that stand of those with a p value, and the project with more than half of them."""
    chance, none = ("P2", "", 0, 0.4), ("P2", "", 0, None)
    most = links(("P1", "", 0, 0.01), ("P1", "vi", 0, 0.1), ("P2", "", 1, 0.02), chance, none)
    assert found(most) == (
        "3 of 4 links of labels and benchmarks stand clear of chance, most in Prompt intent; clearest: percent "
        f"agreement moved together with harmful (+0.85, +0.75 to +0.91), {ladder.NOT_PROOF}"
    )
    assert "harmful of Comments (" in found(most, 2) and "harmful (vi) (" in found(most, 1)
    level = links(("P1", "", 0, 0.01), ("P2", "", 0, 0.02), chance)
    assert (
        "2 of 3 links" in found(level) and ", in 2 projects; " in found(level) and " of Prompt intent" in found(level)
    )
    assert ", all in Prompt intent; " in found(links(("P1", "", 0, 0.01), ("P1", "", 1, 0.01), chance))
    one = found(links(("P1", "", 0, 0.01), chance))
    assert "1 of 2 links of labels and benchmarks stands clear of chance, in Prompt intent; percent" in one
    assert found(links(chance), None) == say.NO_LINK
    assert say.finding(links(chance), None, NAMES, "none is on record").endswith("none is on record")


def test_the_links_that_stand_are_told_by_view():
    slices = [("P1", "vi", lag, 0.1) for lag in (0, 1, 0)]
    view = [("P1", "", 0, 0.01), ("P1", "", 0, 0.02), ("P1", "", 1, 0.03), ("P2", "", 1, 0.4)]
    rows = links(*view, *slices, ("P2", "vi", 0, None))
    label, value, said = say.figures(rows, 3, 2, None)[2]
    assert (label, value) == ("Links that stand", "6")
    assert said.startswith("2 of this version, 1 of the version before and 3 of slices; at most 10%")
    assert say.figures(links(("P2", "", 0, 0.4)), 3, 2, None)[2][2].startswith("at most 10%")
