"""The audit planner in words: its finding, its assumptions, the tests, and the wear of gold."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from metrics import gold_exposure
from tests.ui.audit_plans import a_plan, rows
from ui import audit_gold, audit_tests, audit_words
from ui.audit_planner import GOLD, SEVERITY, VIOLATING, Ask


def test_the_finding():
    said = audit_words.finding(a_plan(), Ask(audits=100)).replace("\u00a0", " ")
    assert said == (
        "The next 100 audits cut the uncertainty of audit accuracy from ±3.1 to ±2 points; 60 of them belong to "
        "a in One, where errors are likely and volume is high"
    )
    close = audit_words.finding(a_plan(half_before=0.01291, half_after=0.01288), Ask()).replace("\u00a0", " ")
    assert "from ±1.29" in close or "at ±1.29" in close


@pytest.mark.parametrize(
    ("plan", "ask", "words"),
    [
        (
            a_plan(rows=rows().iloc[:0], reason="no judgements match these filters"),
            Ask(),
            "nothing to plan here: no judg",
        ),
        (
            a_plan(half_before=None, half_even=None, unseen=("x",)),
            Ask(),
            "look for the first time at 1 stratum of 3, and",
        ),
        (
            a_plan(half_before=None, half_after=None, unseen=("x", "y")),
            Ask(),
            "look for the first time at 2 strata of 3;",
        ),
        (a_plan(), Ask(aim=SEVERITY), "uncertainty of harm-weighted audit accuracy"),
        (a_plan(), Ask(of=GOLD), "The next 100 gold judgements cut the uncertainty of gold accuracy"),
        (a_plan(unallotted=400), Ask(), "100 audits look at all of this work, fewer than the 500 asked for"),
        (a_plan(audits=0), Ask(), "nothing left to look at: all of this work is audited"),
        (a_plan(audits=60, rows=rows().iloc[:1]), Ask(), "all of them belong to a in One"),
    ],
)
def test_the_finding_in_other_cases(plan, ask, words):
    assert words in audit_words.finding(plan, ask)


def test_assumptions_name_what_is_left_out():
    said = audit_words.assumptions(
        a_plan(left_out=(("why", ("A", "B", "C", "D", "E")),), unseen=("x",)), Ask(aim=VIOLATING)
    )
    assert "Left out: A, B, C and 2 more (why)" in said
    assert "Never looked at: x." in said
    assert "counted is work of the label stage" in said


def test_the_batch_plan_in_words():
    ask = Ask(acceptable=10, limit=20, lot=1000)
    said = audit_words.batch(audit_tests.batch(ask), ask)
    assert "Audit **97** of a batch of 1,000" in said and "at most 14 errors" in said
    assert "1 time in 20" in said and "1 time in 11" in said
    narrow = Ask(acceptable=10, limit=10.5, lot=50)
    found = audit_tests.batch(narrow)
    if found.plan.n is None:
        assert "look at the whole batch" in audit_words.batch(found, narrow)


def test_the_rater_s_test_in_words():
    said = audit_words.rater_test(audit_tests.rater_test(Ask()), Ask())
    assert "fixed test takes **78** gold judgements" in said and "at most 65 right" in said
    close = Ask(good=90, bad=89.5)
    assert "no fixed test is short enough" in audit_words.rater_test(audit_tests.rater_test(close), close)


def test_settled_in_words_names_nobody():
    found = audit_gold.Settled(0.86, 2, 6, 73, 352.0, 17, 7.5)
    said = audit_words.settled(found).replace("\u00a0", " ")
    assert "Of 81 raters gold tells 2 above the 86 % target and 6 below it; for 73 it cannot tell." in said
    assert "352 more gold judgements, 47 weeks at 7.5 a week" in said and "17 are too close" in said
    assert "more gold" not in audit_words.settled(replace(found, cannot_tell=0, more=float("nan"), too_close=0))


@pytest.mark.parametrize(
    ("gold", "distinct", "pool", "words"),
    [
        ([5, 20], [5, 20], 5000, "nobody runs out of it within two years"),
        ([20, 60], [20, 40], 50, "met again"),
        ([50, 60], [50, 50], 50, "new gold is needed now"),
        ([20, 60], [20, 40], 50, "renew it before then"),
        ([0, 0], [0, 0], 50, "Nobody met gold"),
    ],
)
def test_wear_in_words(gold, distinct, pool, words):
    met = pd.DataFrame(
        {"rater": ["a", "b"], "judgements": [100, 200], "gold_judgements": gold, "distinct_gold": distinct}
    )
    assert words in audit_words.wear(gold_exposure.gold_exposure_of_sums(met, pool, 28), "One")
