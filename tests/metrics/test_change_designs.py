"""Designs through the ledger, on simulated weeks: the one that is chosen, effects found with their sign, idle ones not.

One pool or project with gold items is a unit; levels carry over from week to week, as in the other tests of effects.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from metrics.change_ledger import ledger
from metrics.effects.effect import TOO_EARLY, Design
from metrics.effects.synthetic import mix_foretells
from metrics.effects.verdict import Verdict
from tests.metrics.effects.simulated import ar1

WEEKS = 64
MONDAYS = pd.date_range("2025-01-06", periods=WEEKS, freq="7D")
LAST_DAY = (MONDAYS[-1] + pd.Timedelta(days=6)).date()
CALLED = (Verdict.WORKED, Verdict.HARM)


def frame(logits: np.ndarray, rng: np.random.Generator, column: str = "pool_id", gold: int = 150) -> pd.DataFrame:
    """Weekly gold of units (units, weeks) named U00, U01, ...: pools of one project, or projects."""
    units = [f"U{k:02d}" for k in range(len(logits))]
    n = rng.poisson(gold, logits.shape)
    right = rng.binomial(n, special.expit(logits))
    rows = pd.DataFrame(
        {
            "week": np.tile(MONDAYS, len(units)),
            column: np.repeat(units, WEEKS),
            "language": "en",
            "policy": "spam",
            "gold_n": n.ravel(),
            "gold_correct": right.ravel(),
        }
    )
    return rows if column == "project_id" else rows.assign(project_id="P1")


def parallel(rng: np.random.Generator, units: int) -> np.ndarray:
    """Levels of their own, weeks in common, errors that carry over."""
    level = 1.6 + 0.4 * rng.normal(size=(units, 1))
    return level + 0.2 * ar1(rng, (WEEKS,), 0.5) + 0.15 * ar1(rng, (units, WEEKS), 0.4)


def rows(starts: dict[str, int], last: int | None = None, column: str = "pool_id", **more) -> pd.DataFrame:
    """One row of `changes` per unit; summaries differ in spaces and case alone, as people write them."""
    written = ("New course", " new  course", "NEW COURSE ")
    found = [
        {
            "change_id": f"CH-{k}",
            "kind": "training",
            "project_id": unit if column == "project_id" else "P1",
            "pool_id": None if column == "project_id" else unit,
            "starts_on": MONDAYS[week],
            "ends_on": pd.NaT if last is None else MONDAYS[last] + pd.Timedelta(days=6),
            "summary": written[k % 3],
            "randomised": False,
            **more,
        }
        for k, (unit, week) in enumerate(starts.items())
    ]
    return pd.DataFrame(found)


def weighed(changes: pd.DataFrame, work: pd.DataFrame):
    return ledger(changes, {"work": work}, LAST_DAY)


ROLLOUT = {"U00": 36, "U01": 36, "U02": 42, "U03": 42, "U04": 48, "U05": 48}


def lifted(logits: np.ndarray, starts: dict[str, int], by: float) -> np.ndarray:
    out = logits.copy()
    for unit, week in starts.items():
        out[int(unit[1:]), week:] += by
    return out


@pytest.mark.parametrize(("by", "said"), [(0.8, Verdict.WORKED), (-0.8, Verdict.HARM)])
def test_a_rollout_is_one_change_in_all_its_pools(by, said):
    rng = np.random.default_rng(1)
    logits = parallel(rng, 14)
    found = weighed(rows(ROLLOUT), frame(lifted(logits, ROLLOUT, by), rng))
    assert len(found) == 6
    for row in found:
        assert row.effect.design is Design.STAGGERED
        assert row.where == {"rollout": "6 pools"}
        assert row.judgement.verdict is said
        assert row.effect.effect == found[0].effect.effect
        assert "6 units got it at different times, 8 did not" in row.why
        assert {name for name, _ in row.effect.comparison} == {f"U{k:02d}" for k in range(6, 14)}
        assert len(row.effect.placebos) >= 19
    under = [slice(week, week + 8) for week in ROLLOUT.values()]
    true = np.mean([special.expit(x[at] + by) - special.expit(x[at]) for x, at in zip(logits, under, strict=False)])
    assert found[0].effect.effect.low <= true <= found[0].effect.effect.high


def test_a_place_without_weeks_before_is_no_part_of_a_rollout():
    """It has no course of its own to leave and, having the change, compares with nobody: the effect is the others'."""
    rng = np.random.default_rng(1)
    work = frame(lifted(parallel(rng, 14), ROLLOUT, 0.8), rng)
    found = weighed(rows({**ROLLOUT, "U06": 5}), work)[0]
    assert found.where == {"rollout": "6 pools"}
    assert "1 left out, fewer than 8 weeks" in found.why
    assert "U06" not in {name for name, _ in found.effect.comparison}
    without = weighed(rows(ROLLOUT), work[work["pool_id"] != "U06"])[0]
    assert found.effect.effect.value == pytest.approx(without.effect.effect.value, abs=0.002)


def test_few_pools_or_another_summary_are_no_rollout():
    rng = np.random.default_rng(2)
    work = frame(parallel(rng, 14), rng)
    three = weighed(rows(dict(list(ROLLOUT.items())[:3])), work)
    assert [row.where for row in three] == [{"project": "P1", "pool": f"U0{k}"} for k in range(3)]
    changes = rows(ROLLOUT).assign(summary=[f"Course {k}" for k in range(6)])
    assert Design.STAGGERED not in {row.effect.design for row in [*three, *weighed(changes, work)]}
    assert "1 got it, 13 did not: too few to judge by how units differ" in {
        row.why for row in weighed(rows({"U03": 42}), work)
    }


def test_a_rollout_of_late_is_too_early():
    rng = np.random.default_rng(3)
    found = weighed(rows(dict.fromkeys(ROLLOUT, WEEKS - 2)), frame(parallel(rng, 14), rng))
    assert {row.effect.effect.reason for row in found} == {TOO_EARLY}


def test_weeks_of_another_change_count_for_nobody():
    """A pool without the course gets something else and falls: it would make the course look good."""
    rng = np.random.default_rng(4)
    clean = frame(parallel(rng, 14), rng)
    fallen = clean.copy()
    at = (clean["pool_id"] == "U09") & clean["week"].between(MONDAYS[48], MONDAYS[55])
    fallen.loc[at, "gold_correct"] = fallen.loc[at, "gold_n"] // 5
    other = {**rows({"U09": 48}, 55).iloc[0].to_dict(), "change_id": "CH-X", "kind": "tool", "summary": "Other"}
    known = pd.concat([rows(ROLLOUT), pd.DataFrame([other])], ignore_index=True)
    effects = [weighed(known, work)[0].effect.effect.value for work in (clean, fallen)]
    assert effects[1] == pytest.approx(effects[0], abs=0.01)
    assert weighed(rows(ROLLOUT), fallen)[0].effect.effect.value > effects[0] + 0.015


def test_lots_drawn_allow_the_difference_of_means():
    rng = np.random.default_rng(6)
    got = {f"U{k:02d}": 44 for k in range(0, 16, 2)}
    work = frame(lifted(parallel(rng, 16), got, 0.6), rng)
    found = weighed(rows(got, randomised=True), work)
    for row in found:
        assert (row.effect.design, row.judgement.verdict) == (Design.RANDOMISED, Verdict.WORKED)
        assert "chance decided which 8 of 16" in row.why
        assert row.effect.effect.n == 16
        assert row.effect.weeks.max() == 7
        assert row.effect.placebo_p <= 0.05
    assert {row.effect.design for row in weighed(rows(got), work)} == {Design.STAGGERED}
    few = weighed(rows({"U00": 44, "U01": 44}, randomised=True), work)
    assert {row.effect.design for row in few} == {Design.COMPARED}


def mixes(rng: np.random.Generator, units: int = 14) -> np.ndarray:
    """Projects that are mixes of two courses; the first follows one of them alone, which no mean does."""
    courses = 0.5 * ar1(rng, (2, WEEKS), 0.8) + 1.5
    share = np.vstack([[1.0, 0.0], rng.dirichlet([0.5, 0.5], units - 1)])
    return share @ courses + 0.05 * ar1(rng, (units, WEEKS), 0.3)


def test_a_project_on_no_common_course_is_compared_with_a_mix():
    rng = np.random.default_rng(7)
    got = {"U00": 48}
    found = weighed(rows(got, column="project_id"), frame(lifted(mixes(rng), got, -0.9), rng, "project_id", 800))[0]
    assert (found.effect.design, found.judgement.verdict) == (Design.SYNTHETIC, Verdict.HARM)
    assert "its course is not that of the mean of 13 others" in found.why
    assert found.effect.pre_trend_p > 0.05
    assert found.effect.placebo_p <= 0.05
    assert len(found.effect.placebos) > 19
    parallels = weighed(rows(got, column="project_id"), frame(parallel(rng, 14), rng, "project_id", 800))[0]
    assert parallels.effect.design is Design.COMPARED


def test_a_mix_is_chosen_where_it_foretells_weeks_held_out():
    """Units that run alike but for noise: rarely; a unit on one of two courses: nearly always."""
    alike = apart = 0
    for seed in range(30):
        rng = np.random.default_rng(200 + seed)
        for world in (parallel, mixes):
            logits = world(rng, 14)
            y = rng.binomial(400, special.expit(logits)) / 400
            found = mix_foretells(y[0], y[1:], 48)
            alike += found and world is parallel
            apart += found and world is mixes
    assert alike <= 7  # binomial: of 30 at .10 more than 7 in 1 of 130 worlds
    assert apart >= 28
    assert not mix_foretells(y[0], y[1:], 15)
    assert not mix_foretells(y[0], y[1:2], 48)


def test_the_choice_does_not_look_at_the_weeks_under_the_change():
    for seed in range(5):
        rng = np.random.default_rng(20 + seed)
        logits, got = mixes(rng), {"U00": 48}
        pair = [frame(lifted(logits, got, by), np.random.default_rng(1), "project_id", 300) for by in (0.0, -1.5)]
        one, other = (weighed(rows(got, column="project_id"), work)[0] for work in pair)
        assert one.effect.design is other.effect.design


def idle(design: Design, seed: int):
    """A change without any effect, weighed by the design: whether it was called, and the design that it had."""
    rng = np.random.default_rng(1000 + seed)
    if design is Design.SYNTHETIC:
        week = int(rng.integers(30, 56))
        found = weighed(rows({"U00": week}, column="project_id"), frame(mixes(rng), rng, "project_id", 400))
    elif design is Design.STAGGERED:
        units, weeks = rng.permutation(12)[:5], rng.integers(25, 58, 5)
        starts = {f"U{u:02d}": int(w) for u, w in zip(units, weeks, strict=True)}
        found = weighed(rows(starts), frame(parallel(rng, 12), rng, gold=60))[:1]
    else:
        got = {f"U{u:02d}": 44 for u in rng.permutation(12)[:6]}
        found = weighed(rows(got, randomised=True), frame(parallel(rng, 12), rng, gold=60))[:1]
    return found[0].judgement.verdict in CALLED, found[0].effect.design


@pytest.mark.parametrize("design", [Design.STAGGERED, Design.RANDOMISED, Design.SYNTHETIC])
def test_changes_without_effect_are_called_at_most_one_in_twenty(design):
    draws = 40
    found = [idle(design, seed) for seed in range(draws)]
    assert sum(used is design for _, used in found) >= 0.9 * draws
    assert sum(called for called, _ in found) <= 5  # binomial: of 40 at .05 more than 5 in 1 of 70 worlds
