"""Other changes to the same work, on simulated weeks: what they left behind is not taken for this change's doing."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from metrics.change_designs import alone
from metrics.change_overlaps import SETTLING, first_weeks, of_own, shares
from metrics.change_units import changes_in_weeks, keyed
from metrics.effects import Verdict
from metrics.effects.measures import MEASURES
from tests.metrics.test_change_ledger import MONDAYS, WEEKS, change, moved, rows_of, work

PACE = MEASURES["handle_time_log_mean_seconds"]


def slowed(frame: pd.DataFrame, week: int, by: float, settle: float, **where) -> pd.DataFrame:
    """The frame with handle times longer by so much (a logarithm) from a week on, wearing off."""
    frame = frame.copy()
    since = ((frame["week"] - MONDAYS[week]).dt.days / 7).to_numpy()
    at = since >= 0
    for name, value in where.items():
        at &= (frame[name] == value).to_numpy()
    frame.loc[at, "handle_sum_log"] += frame.loc[at, "handle_n"] * by * np.exp(-since[at] / settle)
    return frame


def measured(frame: pd.DataFrame, *changes: dict):
    """The effect of the first change on handle time."""
    known = changes_in_weeks(pd.DataFrame(list(changes)), MONDAYS)
    return alone(known[0], known, PACE, keyed({"work": frame})["work"], MONDAYS)


def test_an_earlier_change_to_part_of_the_work_is_left_out_where_it_is_on_record():
    """A pool half as slow again that gets over it, then a change without effect: covered, and far sharper."""
    hits, sharp, blunt = 0, 0.0, 0.0
    for seed in range(120):
        frame = slowed(work(seed), 15, 0.5, 8.0, project_id="P1", pool_id="A")
        own, earlier = change("tool", week=45), change("vendor", pool="A", week=15, name="CH-0")
        found = measured(frame, own, earlier)
        assert [(one.change_id, one.left_out) for one in found.overlaps] == [("CH-0", True)]
        assert found.overlaps[0].share == pytest.approx(1 / 3)
        e, plain = found.effect.effect, measured(frame, own).effect.effect
        hits += e.low <= 0 <= e.high
        sharp, blunt = sharp + e.high - e.low, blunt + plain.high - plain.low
    assert 0.89 <= hits / 120 <= 0.99
    assert sharp < 0.75 * blunt


def test_what_comes_later_ends_the_weeks_that_count():
    frame = slowed(work(5), 50, 1.0, 1e9, project_id="P1")
    own, later = change("tool", week=45), change("tool", week=50, name="CH-2")
    alone_, both = measured(frame, own), measured(frame, own, later)
    assert (alone_.effect.effect.n, both.effect.effect.n) == (8, 5)
    assert alone_.effect.effect.value > 0.2
    assert both.effect.effect.low < 0 < both.effect.effect.high < 0.2
    (one,) = both.overlaps
    assert (one.left_out, one.at_once, one.since) == (True, False, MONDAYS[50].date())


@pytest.mark.parametrize(("week", "at_once"), [(44, True), (46, True), (40, False)])
def test_what_two_changes_did_at_once_is_neithers(week, at_once):
    frame = moved(work(1), -1.2, 45, project_id="P1")
    other = change("training", week=week, name="CH-2")
    row = next(r for r in rows_of(frame, change(), other) if r.metric == "gold_accuracy")
    assert row.overlaps[0].at_once is at_once
    assert not row.overlaps[0].left_out
    if at_once:
        assert row.judgement.verdict is Verdict.CANNOT_TELL
        assert row.judgement.reason == "CH-2 came to the same work at the same time"
    else:
        assert "came to the same work" not in row.judgement.reason
    assert next(r for r in rows_of(frame, change()) if r.metric == "gold_accuracy").judgement.verdict is Verdict.HARM


def test_a_change_to_little_of_the_work_or_to_all_that_is_compared_is_no_matter():
    cells = pd.DataFrame(
        {
            "week": np.repeat(MONDAYS, 4),
            "project_id": ["P1", "P1", "P2", "P2"] * WEEKS,
            "pool_id": ["A", "B", "A", "C"] * WEEKS,
            "unit": ["P1", "P1", "P2", "P2"] * WEEKS,
            "n": [5.0, 95.0, 50.0, 50.0] * WEEKS,
        }
    )
    others = changes_in_weeks(
        pd.DataFrame([change(project=None, pool="A"), change(project="P2"), change(project=None)]), MONDAYS
    )
    peers = ~np.eye(2, dtype=bool)
    found = shares(cells, ("P1", "P2"), "n", others, MONDAYS, peers)
    np.testing.assert_allclose(found, [[0.05, 0.0, 0.0], [0.5, 1.0, 0.0]])
    # Alone in the world, a change to everything is one to this work.
    np.testing.assert_allclose(shares(cells, ("P1", "P2"), "n", others, MONDAYS, peers & False)[:, 2], 1.0)
    # Where pools are not kept, nobody knows the share of one.
    np.testing.assert_allclose(
        shares(cells.drop(columns="pool_id"), ("P1", "P2"), "n", others, MONDAYS, peers)[:, 0], 0
    )


def test_few_weeks_before_are_not_given_up():
    own, *others = changes_in_weeks(pd.DataFrame([change(week=45), change(week=15, name="CH-0")]), MONDAYS)
    known = np.ones(WEEKS, bool)
    out, (one,) = of_own(own, others, np.array([0.3]), known, MONDAYS)
    assert np.flatnonzero(out).tolist() == [*range(15, 15 + SETTLING)]
    assert (one.since, one.until) == (MONDAYS[15].date(), MONDAYS[15 + SETTLING].date())
    known[:15] = known[30:45] = False
    out, met = of_own(own, others, np.array([0.3]), known, MONDAYS)
    assert not out.any()
    assert met == ()


def test_a_change_taken_back_is_new_while_it_held():
    own, *others = changes_in_weeks(pd.DataFrame([change(week=45), change(week=10, last=30, name="CH-0")]), MONDAYS)
    out, _ = of_own(own, others, np.array([0.3]), np.ones(WEEKS, bool), MONDAYS)
    assert np.flatnonzero(out).tolist() == [*range(10, 32)]


def test_work_that_began_later_is_not_compared_with_in_its_first_weeks():
    known = np.zeros((3, 40), bool)
    known[0], known[1, 20:], known[2, 5:] = True, True, True
    found = first_weeks(known)
    assert not found[[0, 2]].any()  # from the start of the data, or nearly: nobody knows when it began
    assert np.flatnonzero(found[1]).tolist() == [*range(20, 20 + SETTLING)]
    assert not first_weeks(np.zeros((2, 5), bool)).any()


def test_dates_of_an_overlap_are_days():
    own, *others = changes_in_weeks(pd.DataFrame([change(week=45), change(week=43, days=3, name="CH-0")]), MONDAYS)
    _, (one,) = of_own(own, others, np.array([1.0]), np.ones(WEEKS, bool), MONDAYS)
    assert one.since == MONDAYS[43].date() + dt.timedelta(days=3)
    assert one.at_once
