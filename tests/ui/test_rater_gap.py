"""The gap to target and the main confusion: counted another way, and said in two sentences."""

from __future__ import annotations

import pytest

from data_access.filters import Filters
from metrics import confusion_elsewhere, gap
from metrics.spec import Estimate
from ui import data, rater_gap, rater_gap_words


def by_hand(snapshot, filters, pool: str, project: str, truth: str, label: str):
    """Cases where the label could be mistaken and those where it was, by language and policy: ours, the others'."""
    rows = data.confusion(snapshot, filters.with_("project", project), ("pool", "language", "policy"))
    rows = rows[rows["truth"] == truth]
    rows = rows.assign(made=rows["n"].where(rows["label"] == label, 0.0))
    sides = [rows["pool"] == pool, rows["pool"] != pool]
    return [rows[side].groupby(["language", "policy"])[["n", "made"]].sum() for side in sides]


def test_the_main_confusion_counts_as_the_matrices_do(snapshot, half_year):
    main = rater_gap.main_confusion(snapshot, half_year, "POOL-10")
    mine, theirs = by_hand(snapshot, half_year, "POOL-10", main.project, main.truth, main.label)
    assert main.found.here.n == mine["n"].sum()
    assert main.found.here.value == pytest.approx(mine["made"].sum() / mine["n"].sum())
    wrong = data.confusion(snapshot, half_year.with_("pool", "POOL-10"))
    wrong = wrong[wrong["truth"] != wrong["label"]]
    assert mine["made"].sum() == wrong["n"].max() and main.found.part.n == wrong["n"].sum()
    # Nobody else works in its language, so that only other languages can be looked at.
    assert not mine.index.intersection(theirs.index).size
    assert main.found.there.value is None and main.found.verdict == confusion_elsewhere.CANNOT_TELL
    policies = mine["n"].groupby("policy").sum()
    far = theirs.groupby("policy").sum().reindex(policies.index)
    assert (far["n"] >= confusion_elsewhere.LEAST_IN_STRATUM).all()
    weighted = (policies * far["made"] / far["n"]).sum() / policies.sum()
    assert main.found.beyond.value == pytest.approx(weighted)


def test_the_main_confusion_is_compared_on_the_same_language_and_policy(snapshot):
    whole, compared = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day), 0
    for pool in snapshot.names["pool"]:
        main = rater_gap.main_confusion(snapshot, whole, pool)
        if main is None or main.found.there.value is None:
            continue
        compared += 1
        mine, theirs = by_hand(snapshot, whole, pool, main.project, main.truth, main.label)
        both = theirs.index[theirs["n"] >= confusion_elsewhere.LEAST_IN_STRATUM].intersection(mine.index)
        mine, theirs = mine.loc[both], theirs.loc[both]
        assert main.found.here.value == pytest.approx(mine["made"].sum() / mine["n"].sum())
        weighted = (mine["n"] * theirs["made"] / theirs["n"]).sum() / mine["n"].sum()
        assert main.found.there.value == pytest.approx(weighted)
    assert compared >= 2


def gap_of(items: float, shared: float, own: float) -> gap.Gap:
    parts = [Estimate(x, x - 0.01, x + 0.01, 300.0) for x in (items + shared + own, items, shared, own)]
    return gap.Gap(*parts)


@pytest.mark.parametrize("own", [0.391, 0.0])
def test_a_rater_s_gap_counts_from_the_accuracy_as_judged(own):
    """84 % less 44.9 % is 39.1 points: the sentence names the 44.9 % beside the gap, not only the cleared accuracy."""
    parts = (0.0, 0.0, own) if own else (0.391 / 3,) * 3
    found = gap_of(*parts)
    if not own:  # parts that are not clear
        found = gap.Gap(found.gap, *[Estimate(0.13, -0.1, 0.3, 49.0)] * 3)
    said = rater_gap_words.gap(found, own=rater_gap_words.ONE, right=0.449).replace("\u00a0", " ")
    assert "44.9 % right" in said and "39.1 points short" in said
    assert "44.9" not in rater_gap_words.gap(found)


@pytest.mark.parametrize(
    "parts, verdict, said",
    [
        ((0.0, 0.0, 0.05), confusion_elsewhere.HERE, ("Mostly single raters", "calibrate the people")),
        ((0.06, 0.0, 0.0), confusion_elsewhere.SHARED, ("Mostly the items", "look at the guideline and the gold")),
        (
            (0.06, 0.0, 0.0),
            confusion_elsewhere.READING,
            ("Mostly the items", "look at how the guideline reads in that language"),
        ),
        ((0.0, 0.05, 0.02), confusion_elsewhere.CANNOT_TELL, ("all raters here share", "one cannot tell")),
        ((0.005, 0.005, 0.005), None, ("by people or items one cannot tell",)),
        ((-0.03, 0.0, 0.01), confusion_elsewhere.HERE, ("no gap",)),
    ],
)
def test_people_items_or_guideline_in_two_sentences(parts, verdict, said):
    share = Estimate(0.2, 0.15, 0.25, 100.0)
    main = rater_gap.MainConfusion(
        confusion_elsewhere.Confusion(0, share, share, share, share, verdict), "P01", "harmful", "benign"
    )
    text = rater_gap_words.gap(gap_of(*parts), main=main)
    assert all(one in text for one in said)
    assert text.replace(".0", "").count(". ") <= 1


def test_the_main_confusion_says_where_it_lies_who_is_left_out_and_that_nobody_else_works_there():
    share, none = Estimate(0.2, 0.15, 0.25, 100.0), Estimate.missing(confusion_elsewhere.NOBODY_ELSE)
    found = confusion_elsewhere.Confusion(0, share, share, none, share, confusion_elsewhere.CANNOT_TELL, 0)
    main = rater_gap.MainConfusion(found, "P01", "harmful", "benign", "vi", "malware", 3)
    said = rater_gap_words.confused(main).replace("\u00a0", " ").replace("20.0 %", "20 %")
    assert said.startswith("Without the 3 raters whose labels look unread, the main confusion, harmful labelled benign")
    assert "(mostly malware in vi)" in said and "20 % of cases here and in 20 % in other languages" in said
    assert "nobody else works" in said.replace("hardly anybody", "nobody") and "one cannot tell" in said
    assert "calibrate" not in said
