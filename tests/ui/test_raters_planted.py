"""The events planted in the sample are visible on the rater pages and the harmless ones are not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from data_access.snapshot import Snapshot
from metrics import confusion_elsewhere, drift, fatigue, skill, spam
from metrics.spec import Status
from tests.ui.asked import over
from ui import audit_gold, data, figures, rater_gap, rater_gap_words, rater_gold, rater_history, rater_weeks, raters
from ui import rater_profile as profiles
from ui import rater_words as words

DAY = dt.date.fromisoformat


@pytest.fixture(scope="module")
def files(whole_sample, whole_snapshot) -> tuple[Path, Path]:
    return whole_sample, whole_snapshot


@pytest.fixture(scope="module")
def snapshot(files):
    opened = Snapshot(files[1])
    yield opened
    opened.close()


@pytest.fixture
def live(files, monkeypatch):
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{files[0]}")
    data.st.cache_data.clear()


def test_spammers_are_called_and_only_they(snapshot):
    """EV04: three raters at a quarter of the usual handle time, most labels benign."""
    found = raters.raters(snapshot, over("2026-07-20", "2026-09-20"), "POOL-09")
    rows = found.rows.set_index("rater")
    planted = {"R-0243", "R-0035", "R-0273"}
    assert set(rows.index[rows["spam"] == spam.LIKELY]) == planted
    assert (rows.loc[list(planted), "group"] == skill.BELOW).all()
    assert (rows.loc[list(planted), "pace"] < 0.5).all()
    shift = rater_weeks.weekly(snapshot, over("2026-07-20", "2026-09-20", pool="POOL-09"), "gold_accuracy").shift
    assert shift[0] == "fall" and abs((shift[1] - DAY("2026-07-20")).days) <= 7


def test_the_raters_that_drift_are_the_ones_that_do(snapshot):
    """EV05: two raters decline from April to the end of October."""
    rows = raters.raters(snapshot, over("2026-05-04", "2026-11-01"), "POOL-10").rows.set_index("rater")
    assert set(rows.index[rows["drift_verdict"] == drift.DOWN]) == {"R-0079", "R-0036"}
    assert (rows.loc[["R-0079", "R-0036"], "group"] == skill.BELOW).all()


def test_the_tired_night_shift_is_the_one_pool_where_errors_rise(snapshot, live):
    """EV07: the night shift at Hyderabad without its second break."""
    found = rater_history.tired(snapshot, over("2025-12-30", "2026-03-02"))
    assert set(found.slopes.loc[found.slopes["verdict"] == fatigue.RISE, "group"]) == {"POOL-11"}
    fallen = rater_weeks.shifts(snapshot, over("2025-12-29", "2026-03-01"), "gold_accuracy")
    assert fallen["POOL-11"][0] == "fall"


def test_the_new_cohort_is_below_target_where_the_others_are_not(snapshot):
    """EV16: twelve new raters at the Thai video desk."""
    filters = over("2026-08-12", "2026-10-11", pool="POOL-07")
    bands = rater_history.by_tenure(snapshot, filters).set_index("member")["status"]
    assert bands["under 1 month"] == Status.OFF_TARGET and bands["over 12 months"] == Status.ON_TARGET
    shift = rater_weeks.weekly(snapshot, filters, "gold_accuracy").shift
    assert shift[0] == "fall" and abs((shift[1] - DAY("2026-08-12")).days) <= 7


def test_the_training_lifts_its_pool(snapshot):
    """EV03: POOL-13 learns to look for the quoted source."""
    found = rater_weeks.weekly(
        snapshot, over("2026-06-18", "2026-09-06", project="P08", pool="POOL-13"), "gold_accuracy"
    )
    assert (found.shift and found.shift[0] == "rise") or (found.out["value"] > found.out["high"]).any()


@pytest.mark.parametrize(
    "start, end",
    [
        ("2026-07-20", "2026-09-20"),
        ("2026-05-21", "2026-07-19"),
        ("2026-09-25", "2026-10-08"),
        ("2025-11-17", "2026-05-17"),
    ],
)
def test_nobody_else_in_any_pool_is_called(snapshot, start, end):
    """EV04 again: three raters of one pool and no one of the others, whether they drift, learn or review.

    Nobody in the two months before, nor in the fortnight around the day on which a tool was slow (EV14).
    """
    planted = {"R-0243", "R-0035", "R-0273"} if start == "2026-07-20" else set()
    called = set()
    for pool in snapshot.names["pool"]:
        rows = raters.raters(snapshot, over(start, end), pool).rows
        called |= set(rows.loc[rows["spam"].isin([spam.LIKELY, spam.LOOK_CLOSER]), "rater"])
    assert called == planted


@pytest.mark.parametrize("where", [{}, {"project": "P06"}, {"project": "P06", "pool": "POOL-09"}])
def test_a_tool_slow_for_a_day_is_nothing(snapshot, where):
    """EV14: handle times double on one day."""
    found = rater_weeks.weekly(snapshot, over("2026-09-28", "2026-10-04", **where), "gold_accuracy")
    assert found.out.empty and found.shift is None


@pytest.mark.parametrize("where", [{"project": "P07"}, {"project": "P07", "language": "th"}])
def test_a_holiday_with_a_handful_of_items_is_nothing(snapshot, where):
    """EV15: almost nobody worked for three days."""
    found = rater_weeks.weekly(snapshot, over("2026-04-13", "2026-04-19", **where), "gold_accuracy")
    assert found.out.empty and found.shift is None


def test_a_spammer_s_costliest_confusion_is_harm_labelled_benign(snapshot, live):
    found = profiles.coaching(snapshot, over("2026-07-20", "2026-09-20"), "R-0243")
    assert (found.pairs[0]["true_label"], found.pairs[0]["given_label"]) == ("harmful", "benign")
    assert len(found.pairs) <= profiles.COACHED and found.top[0] == "benign"
    for pair, rows in zip(found.pairs, found.examples, strict=True):
        assert (rows["label"] == pair["given_label"]).all() and (rows["gold_label"] == pair["true_label"]).all()


def test_the_gap_of_the_spammers_pool_is_theirs_and_not_the_items(snapshot):
    """EV04 again: without the three the pool is like the others."""
    found = raters.raters(snapshot, over("2026-07-20", "2026-09-20"), "POOL-09")
    assert found.gap.own.low > 0.01 and found.gap.items.value < 0 and found.gap.shared.low < 0 < found.gap.shared.high
    assert all(found.gaps[one].own.low > 0.1 for one in ("R-0243", "R-0035", "R-0273"))


def test_the_new_vendor_s_gap_is_shared_by_its_raters(snapshot):
    """EV02: a whole desk starts anew."""
    found = raters.raters(snapshot, over("2026-03-08", "2026-06-06"), "POOL-14")
    assert found.gap.shared.low > 0 and found.gap.items.high < 0


@pytest.mark.parametrize("start, where", [("2026-10-19", {}), ("2026-10-26", {"language": "id"})])
@pytest.mark.parametrize("pool", ["POOL-05", "POOL-06"])
def test_a_clause_mistranslated_is_the_guideline_s_and_not_the_people_s(snapshot, pool, start, where):
    """EV01: both Indonesian pools remove harassment that is allowed, and no other language does."""
    filters = over(start, "2026-11-15", pool=pool, **where)
    found = raters.raters(snapshot, filters, pool)
    main = rater_gap.main_confusion(snapshot, filters, pool, found.unread)
    assert (main.truth, main.label, main.language, main.policy) == ("allow", "remove", "id", "harassment")
    assert main.found.verdict == confusion_elsewhere.READING and main.left_out == 0
    assert main.found.there.low > main.found.beyond.high and main.found.there.value > 3 * main.found.beyond.value
    said = rater_gap_words.gap(found.gap, main=main)
    assert "look at how the guideline reads in that language" in said and "calibrate the people" not in said


def test_the_main_confusion_is_told_without_labels_given_unread(snapshot):
    """EV04 again: with the three, harm labelled benign stood at 26 % here against 5 % elsewhere; 6 of 109 without."""
    filters = over("2026-07-20", "2026-09-20", pool="POOL-09")
    found = raters.raters(snapshot, filters, "POOL-09")
    assert set(found.unread) == {"R-0243", "R-0035", "R-0273"}
    everyone = rater_gap.main_confusion(snapshot, filters, "POOL-09")
    assert (everyone.truth, everyone.label) == ("harmful", "benign") and everyone.found.here.value > 0.2
    main = rater_gap.main_confusion(snapshot, filters, "POOL-09", found.unread)
    assert (main.truth, main.label) != ("harmful", "benign")
    assert main.left_out == 3 and main.found.verdict != confusion_elsewhere.HERE
    said = rater_gap_words.gap(found.gap, main=main)
    assert "Without the 3 raters whose labels look unread" in said and "calibrate" not in said


def test_pace_goes_with_accuracy_only_through_labels_given_unread(snapshot):
    """EV04 again: three raters at a quarter of the time and wrong; the sample plants no such link in the others."""
    filters = over("2026-07-20", "2026-09-20", pool="POOL-09")
    found = raters.raters(snapshot, filters, "POOL-09")
    cells = rater_history.history(snapshot, filters, "POOL-09").weeks
    basis = figures.main_basis(snapshot, filters, ("handle_time_p50_seconds",))
    assert rater_history.slower(cells, basis)["low"] > 0
    assert found.pace["low"] < 0 < found.pace["high"]
    read = {name: column[~np.isin(cells["rater"].astype(str), found.unread)] for name, column in cells.items()}
    ends = ("value", "low", "high")
    assert [found.pace[end] for end in ends] == pytest.approx([rater_history.slower(read, basis)[end] for end in ends])
    said = words.pace(found.pace, len(found.unread), "In this pool")
    assert said.startswith("In this pool, without the 3 raters whose labels look unread, whether slower work")


def test_the_audit_planner_settles_as_many_raters_as_this_page_calls(snapshot):
    """EV04 again: judged as if all items were equally hard, 7 stood above and 7 below."""
    filters = over("2026-07-20", "2026-09-20", pool="POOL-09")
    found = raters.raters(snapshot, filters, "POOL-09")
    told = audit_gold.settled(snapshot, filters)
    here = [len(found.group(name)) for name in (skill.ABOVE, skill.BELOW, skill.CANNOT_TELL)]
    assert [told.above, told.below, told.cannot_tell] == here


@pytest.mark.parametrize("pool", ["POOL-10", "POOL-13"])
def test_gold_keyed_wrongly_is_not_held_against_the_raters(snapshot, live, pool):
    """EV06: a third of the answers on hallucination in P08 is wrong for five weeks, and the raters are not."""
    filters = over("2026-08-03", "2026-09-06", pool=pool)
    now = raters.raters(snapshot, filters, pool)
    found = rater_gold.doubted(snapshot, filters, pool, now.target)
    assert set(found.items) == {"P08"} and found.items["P08"] >= 5 and found.judgements > 10
    assert found.without[skill.BELOW] < len(now.group(skill.BELOW))
    text = rater_gold.said(found, now, snapshot.names["project"])
    assert f"{found.items['P08']} gold items look wrong" in text and f"{found.judgements} judgements here" in text


def test_sound_gold_changes_no_call(snapshot, live):
    """The five weeks before EV06."""
    filters = over("2026-06-29", "2026-08-02", pool="POOL-13")
    now = raters.raters(snapshot, filters, "POOL-13")
    found = rater_gold.doubted(snapshot, filters, "POOL-13", now.target)
    assert found.judgements <= 5 and found.without[skill.BELOW] == len(now.group(skill.BELOW))
