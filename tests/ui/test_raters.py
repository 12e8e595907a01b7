"""The raters of a pool follow from the sums, keep the three answers apart, and name nobody they should not."""

from __future__ import annotations

import numpy as np
import pytest

from data_access.filters import Filters, Scope
from metrics import skill
from metrics.errors import NotAllowed
from ui import data, raters
from ui import rater_profile as profiles
from ui import rater_words as words


def test_every_rater_of_the_pool_is_there_once_with_the_work_done(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    direct = data.sums(snapshot, "work", ("gold_n", "judgements"), ("rater",), half_year.with_("pool", "POOL-10"))
    mine, theirs = found.rows.set_index("rater").sort_index(), direct.set_index("rater").sort_index()
    assert mine.index.tolist() == theirs.index.tolist()
    assert np.allclose(mine["n"], theirs["gold_n"]) and np.allclose(mine["judgements"], theirs["judgements"])


def test_the_three_answers_come_in_order_and_too_little_is_no_answer(snapshot, half_year):
    rows = raters.raters(snapshot, half_year, "POOL-10").rows
    assert rows["place"].is_monotonic_increasing
    assert set(rows["group"]) <= {*raters.GROUPS, ""}
    assert (rows.loc[rows["n"] == 0, "group"] == "").all()
    open_ = rows[rows["group"] == skill.CANNOT_TELL]
    assert ((open_["more"] >= 1) | (open_["more_reason"] != "")).all()
    assert rows.loc[rows["group"] != skill.CANNOT_TELL, "more"].isna().all()


def test_gold_left_out_is_as_if_it_had_never_been_met(snapshot, half_year):
    """All gold of one policy is left out, as cells or by a filter that does not choose it."""
    cells = raters.Gold(snapshot, half_year).cells
    gone = cells["policy"] == "spam"
    assert cells["gold_n"][gone].sum() > 0
    names = ("pool", "rater", *raters.KIND, "gold_n", "gold_correct")
    left = raters.Gold(snapshot, half_year, {name: cells[name][gone] for name in names})
    others = [str(p) for p in np.unique(cells["policy"][~gone].astype(str))]
    chosen = raters.Gold(snapshot, Filters.of({"policy": others}, half_year.start, half_year.end))
    one, other = (gold.judged("POOL-10", 0.84) for gold in (left, chosen))
    assert one.n.sum() == other.n.sum() > 0 and one.right.sum() == other.right.sum()
    verdicts = [judged.found["verdict"].dropna().value_counts().to_dict() for judged in (one, other)]
    assert verdicts[0] == verdicts[1]


def test_raters_are_only_for_those_who_manage_them(snapshot, half_year, monkeypatch):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    with pytest.raises(NotAllowed):
        raters.raters(snapshot, half_year, "POOL-11")


def test_a_pool_without_work_has_a_reason(snapshot, half_year):
    found = raters.raters(snapshot, half_year.with_("language", "th").with_("policy", "nothing"), "POOL-13")
    assert found.rows.empty and found.reason
    assert "nobody can be judged" in words.pool_raters(found, "X")


def test_the_profile_is_the_row_of_the_pool(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    rater = found.rows["rater"].iloc[0]
    person = profiles.profile(snapshot, half_year.with_("rater", rater))
    assert person.pool == "POOL-10" and person.row["value"] == found.rows["value"].iloc[0]
    rows = profiles.over_time(snapshot, half_year, rater, "month", 0.84)
    assert (rows.loc[rows["n"] < profiles.LEAST_GOLD, "value"].isna()).all()
    assert profiles.profile(snapshot, half_year) is None


def test_agreement_with_peers_is_that_of_the_mart(snapshot, half_year):
    rows = raters.raters(snapshot, half_year, "POOL-10").rows.set_index("rater")
    direct = data.sums(
        snapshot, "peers", ("paired", "agreeing_share"), ("rater",), half_year.with_("pool", "POOL-10")
    ).set_index("rater")
    both = rows.index.intersection(direct.index)
    assert len(both) and (rows.loc[both, "peers_n"] == direct.loc[both, "paired"]).all()
    share = direct.loc[both, "agreeing_share"] / direct.loc[both, "paired"]
    assert np.allclose(rows.loc[both, "peers"], share)
    assert ((rows["peers_low"] <= rows["peers"]) & (rows["peers"] <= rows["peers_high"]))[both].all()


def test_filters_that_peers_and_labels_do_not_keep_leave_the_raters_standing(snapshot, half_year):
    found = raters.raters(snapshot, half_year.with_("content_type", "text"), "POOL-10")
    assert len(found.rows) and set(found.rows["spam"].dropna()) <= {"no sign", "cannot tell", "look closer"}
