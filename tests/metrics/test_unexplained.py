"""Moves nobody wrote down: a planted step is found and dated, a recorded one is told apart, quiet series stay quiet."""

import datetime as dt

import numpy as np
import pandas as pd
from scipy import special, stats

from metrics.unexplained import moves
from tests.metrics.effects.simulated import ar1

MONDAYS = pd.date_range("2025-01-06", periods=60, freq="7D")
LAST = (MONDAYS[-1] + pd.Timedelta(days=6)).date()
NO_CHANGES = pd.DataFrame(
    {c: pd.Series(dtype=object) for c in ("change_id", "project_id", "pool_id", "starts_on", "ends_on")}
)


def frames(step: float, seed: int = 3) -> dict[str, pd.DataFrame]:
    """SLA attainment of four projects, 500 items a week; P2 falls by ``step`` in week 35."""
    rng = np.random.default_rng(seed)
    rows = []
    for project in ("P1", "P2", "P3", "P4"):
        share = np.full(60, 0.9)
        if project == "P2":
            share[35:] -= step
        met = rng.binomial(500, share)
        rows.append(pd.DataFrame({"week": MONDAYS, "project_id": project, "due": 500.0, "due_in_time": met}))
    return {"flow": pd.concat(rows, ignore_index=True)}


def change(project, week: int) -> pd.DataFrame:
    row = ("CH-1", project, None, MONDAYS[week], pd.NaT)
    return pd.DataFrame([row], columns=list(NO_CHANGES))


def test_a_step_is_found_where_and_when_it_was_planted():
    found = moves(NO_CHANGES, frames(0.2), LAST)
    assert found.series == 4
    (move,) = found.moves
    assert (move.metric, move.where, move.since) == ("sla_attainment", {"project": "P2"}, MONDAYS[35].date())
    assert abs(move.before - 0.9) < 0.01
    assert abs(move.after - 0.7) < 0.01
    assert move.change_id is None


def test_a_change_near_it_that_touches_it_stands_for_it():
    assert moves(change("P2", 34), frames(0.2), LAST).moves[0].change_id == "CH-1"
    assert moves(change(None, 36), frames(0.2), LAST).moves[0].change_id == "CH-1"
    assert moves(change("P3", 35), frames(0.2), LAST).moves[0].change_id is None
    assert moves(change("P2", 30), frames(0.2), LAST).moves[0].change_id is None


def pools(step: float = 0.0, seed: int = 5, everywhere: bool = False) -> dict[str, pd.DataFrame]:
    """Gold of two projects' five pools each, 60 items a week; pool B of P2, or all of P2, falls by ``step``."""
    rng = np.random.default_rng(seed)
    rows = []
    for project in ("P1", "P2"):
        for pool in "ABCDE":
            level = 1.7 + 0.2 * rng.normal() + 0.15 * ar1(rng, (60,), 0.4)
            share = special.expit(level)
            if project == "P2" and (everywhere or pool == "B"):
                share[35:] -= step
            right = rng.binomial(60, share)
            cell = {"week": MONDAYS, "project_id": project, "pool_id": pool, "language": "en", "policy": "spam"}
            rows.append(pd.DataFrame({**cell, "gold_n": 60.0, "gold_correct": right}))
    return {"work": pd.concat(rows, ignore_index=True)}


def test_a_move_of_one_pool_is_found_where_its_project_hardly_moves():
    found = moves(NO_CHANGES, pools(0.3), LAST)
    assert found.series == 12
    in_pool = [move for move in found.moves if "pool" in move.where]
    assert [(move.where, move.since) for move in in_pool] == [({"project": "P2", "pool": "B"}, MONDAYS[35].date())]
    for other, same in (("B", "CH-1"), ("C", None)):
        known = change("P2", 35).assign(pool_id=other)
        told = next(move for move in moves(known, pools(0.3), LAST).moves if "pool" in move.where)
        assert told.change_id == same


def test_pools_that_move_with_their_project_are_told_once():
    found = moves(NO_CHANGES, pools(0.3, everywhere=True), LAST).moves
    assert [move.where for move in found] == [{"project": "P2"}]


def test_series_that_do_not_move_are_kept_one_time_in_twenty_at_most():
    """Of worlds without any move, those with one on the list: what Benjamini and Hochberg promise then."""
    worlds, some = 30, 0
    for seed in range(worlds):
        some += bool(moves(NO_CHANGES, pools(seed=700 + seed), LAST).moves)
    assert some <= stats.binom.ppf(0.999, worlds, 0.05)


def test_what_does_not_matter_or_is_not_there_is_no_move():
    assert moves(NO_CHANGES, frames(0.015), LAST).moves == ()  # below the least that matters, .02
    assert moves(NO_CHANGES, frames(0.0), LAST).moves == ()
    assert moves(NO_CHANGES, {}, dt.date(2026, 1, 1)) == ((), 0)
