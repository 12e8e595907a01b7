"""Batch plans and raters' tests: the risks they keep, Wald's corridor, and where each rater's test ended."""

from __future__ import annotations

import numpy as np
import pytest

from data_access.filters import Filters, Scope
from metrics import skill
from tests.ui.asked import valid
from ui import audit_gold, audit_tests, audit_words, charts, data, periods, raters
from ui.audit_planner import Ask
from ui.theme import LIGHT

EVERYONE = Scope.everything()
LAST_WEEKS = 52


def test_the_batch_plan_keeps_both_risks():
    found = audit_tests.batch(Ask(acceptable=5, limit=12, lot=800))
    assert found.plan.producer_risk <= 0.05 and found.plan.consumer_risk <= 0.10
    at = found.curve.set_index("error_rate")["accepted"]
    assert at[0.05] == pytest.approx(1 - found.plan.producer_risk)
    assert at[0.12] == pytest.approx(found.plan.consumer_risk)
    none = audit_tests.batch(Ask(acceptable=10, limit=10.5, lot=50))
    assert (none.plan.n is None) == none.curve.empty


def test_the_corridor_of_the_sequential_test_is_walds():
    found = audit_tests.rater_test(Ask(good=90, bad=80))
    assert found.fixed.n == 78 and found.fixed.false_alarm <= 0.05 and found.fixed.power >= 0.8
    for n, enough, few in found.lines.itertuples(index=False):
        evidence = [(n - wrong) * np.log(0.8 / 0.9) + wrong * np.log(0.2 / 0.1) for wrong in range(int(n) + 1)]
        over = [wrong for wrong, e in enumerate(evidence) if e >= np.log(0.8 / 0.05) - 1e-9]
        under = [wrong for wrong, e in enumerate(evidence) if e <= np.log(0.2 / 0.95) + 1e-9]
        assert (np.isnan(enough) and not over) or enough == over[0]
        assert (np.isnan(few) and not under) or few == under[-1]
    assert audit_tests.rater_test(Ask(good=90, bad=89.5)).fixed is None


def test_settled_counts_every_rater_with_gold(snapshot, filters):
    found = audit_gold.settled(snapshot, filters)
    met = data.sums(snapshot, "work", ("gold_n",), ("rater",), filters)
    assert found.above + found.below + found.cannot_tell == (met["gold_n"] > 0).sum()
    assert 0 < found.target < 1 and found.per_week > 0


def test_settled_says_what_the_page_of_raters_says(snapshot, filters):
    """One function judges: the difficulty of the items and the raters of the pool count on both pages."""
    whole = dict.fromkeys(raters.GROUPS, 0)
    for pool in snapshot.names["pool"]:
        found = audit_gold.settled(snapshot, filters.with_("pool", pool))
        rows = raters.raters(snapshot, filters, pool).rows
        rows = rows[rows["n"] > 0] if len(rows) else rows
        if not len(rows):
            assert found is None
            continue
        there = [int((rows["group"] == name).sum()) for name in raters.GROUPS]
        assert [found.below, found.cannot_tell, found.above] == there
        open_ = rows.loc[rows["group"] == skill.CANNOT_TELL, "more"]
        assert found.too_close == open_.isna().sum()
        assert found.more == pytest.approx(open_.median(), nan_ok=True)
        whole = {name: n + k for (name, n), k in zip(whole.items(), there, strict=True)}
    every = audit_gold.settled(snapshot, filters)
    assert {skill.BELOW: every.below, skill.CANNOT_TELL: every.cannot_tell, skill.ABOVE: every.above} == whole
    one = filters.with_("pool", "POOL-09").with_("rater", "R-0243")
    assert audit_gold.settled(snapshot, one).cannot_tell + audit_gold.settled(snapshot, one).below <= 1


def test_the_raters_of_a_pool_stand_where_their_test_ended(snapshot):
    """Against Wald's likelihood ratio walked day by day, rater by rater."""
    ask = Ask(good=90, bad=70)
    period = Filters.of((), *periods.last_weeks(snapshot.meta, 26)).with_("pool", "POOL-09")
    found = audit_tests.tested(snapshot, period, ask)
    days = data.sums(snapshot, "work", ("gold_n", "gold_correct"), ("rater", "day"), period).sort_values("day")
    expected = {}
    for rater, rows in days[days["gold_n"] > 0].groupby("rater"):
        n = wrong = 0
        for _, row in rows.iterrows():
            n, wrong = n + int(row["gold_n"]), wrong + int(row["gold_n"] - row["gold_correct"])
            ratio = (0.7 ** (n - wrong) * 0.3**wrong) / (0.9 ** (n - wrong) * 0.1**wrong)
            state = "look into it" if ratio >= 0.8 / 0.05 else "accept" if ratio <= 0.2 / 0.95 else "go on"
            expected[rater] = (n, wrong, state)
            if state != "go on":
                break
    rows = found.rows.set_index("rater")
    assert expected and {r: (rows.n[r], rows.wrong[r], rows.state[r]) for r in rows.index} == expected
    assert rows["state"].nunique() > 1
    spec, said = charts.corridor(audit_tests.rater_test(ask).lines, None, LIGHT, found.rows)
    assert valid(spec) and f"{len(rows)} raters" in said
    assert audit_tests.rater_test(ask, 150).lines["n"].max() == 150  # the lines reach those who go on longest
    (marks,) = [v for v in (layer["data"]["values"] for layer in spec["layer"]) if v and "said" in v[0]]
    assert {m["label"] for m in marks} == set(found.rows["alias"]) and not set(rows.index) & {m["label"] for m in marks}
    words = audit_words.tested(found)
    ended = (rows["state"] != "go on").sum()
    assert f"ended for {ended} of the {len(rows)} raters" in words and not any(a in words for a in rows["alias"])


def test_nobody_s_test_is_shown_without_one_pool_or_to_those_who_see_no_rater(snapshot, monkeypatch):
    period = Filters.of((), *periods.last_weeks(snapshot.meta, 26))
    assert "Choose one pool" in audit_words.tested(audit_tests.tested(snapshot, period, Ask()))
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    found = audit_tests.tested(snapshot, period.with_("pool", "POOL-09"), Ask())
    assert found.rows.empty and "those who manage them" in audit_words.tested(found)
    spec, said = charts.corridor(audit_tests.rater_test(Ask()).lines, (78, 13), LIGHT, found.rows)
    assert valid(spec) and "raters are drawn" not in said
