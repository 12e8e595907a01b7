"""The parts of a gap add up, cover the truth of simulated pools, and say so when nothing can be compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from metrics import gap, skill

TARGET = 0.84


def simulated(rng: np.random.Generator, shift: float = 0.0, bad: int = 0, gold: int = 60, hard: float = 0.0) -> dict:
    """One pool among four on twelve kinds of item: its raters `shift` logits off the others', `bad` of them far below.

    The pool meets the harder kinds more often when `hard` is above 0. Truth beside the counts.
    """
    raters, kinds = 80, 12
    pool = np.repeat(np.arange(4), 20)
    difficulty = rng.normal(1.9, 0.5, kinds)
    ability = rng.normal(0, 0.35, raters)
    ours = pool == 0
    ability[ours] += shift
    ability[:bad] -= 2.0
    rater, kind = (x.ravel() for x in np.indices((raters, kinds)))
    odds = np.exp(-hard * difficulty)
    share = np.where(ours[rater], (odds / odds.sum())[kind], 1 / kinds)
    n = rng.poisson(gold * share).astype(float)
    p = special.expit(difficulty[kind] + ability[rater])
    usual = rng.normal(0, 0.35, 4000)  # raters like those of the other pools
    elsewhere = special.expit(difficulty[:, None] + usual).mean(1)
    return {
        "rater": rater,
        "kind": kind,
        "n": n,
        "p": p,
        "right": rng.binomial(n.astype(int), p).astype(float),
        "ours": ours[rater],
        "elsewhere": elsewhere,
    }


def asked(sim: dict) -> gap.Elsewhere:
    return gap.elsewhere(sim["rater"], sim["kind"], np.zeros(len(sim["n"]), int), sim["right"], sim["n"], sim["ours"])


def called(found: gap.Elsewhere) -> np.ndarray:
    return (skill.rater_skill(found.right, found.n, TARGET, found.expected)["verdict"] == skill.BELOW).to_numpy()


def truth(sim: dict, below: np.ndarray) -> tuple[float, float, float]:
    """Items, shared and own of the simulated pool, from the true probabilities."""
    mine = sim["ours"]
    n, p, rater = sim["n"][mine], sim["p"][mine], sim["rater"][mine]
    there = sim["elsewhere"][sim["kind"][mine]]
    picked = below[np.unique(rater[n > 0], return_inverse=True)[1]] if (n > 0).all() else below[rater]
    short = [(n[k] * (there - p)[k]).sum() / n[k].sum() if n[k].sum() else 0.0 for k in (~picked, picked)]
    own = n[picked].sum() / n.sum() * (short[1] - short[0])
    items = TARGET - (n * there).sum() / n.sum()
    return items, (n * (there - p)).sum() / n.sum() - own, own


@pytest.mark.parametrize(
    "made", [{}, {"shift": -0.6}, {"bad": 3}, {"hard": 1.5}, {"shift": -0.4, "bad": 3, "hard": 1.0, "gold": 25}]
)
def test_the_parts_cover_what_was_simulated(made):
    rng = np.random.default_rng(5)
    inside, off = np.zeros(3), np.zeros(3)
    rounds = 150
    for _ in range(rounds):
        sim = simulated(rng, **made)
        found = asked(sim)
        below = called(found)
        parts = gap.pool_gap(found, TARGET, below)
        shown = (parts.items, parts.shared, parts.own)
        real = truth(sim, below)
        inside += [one.low - 1e-9 <= t <= one.high + 1e-9 for one, t in zip(shown, real, strict=True)]
        off += [one.value - t for one, t in zip(shown, real, strict=True)]
        assert parts.items.value + parts.shared.value + parts.own.value == pytest.approx(parts.gap.value)
    # 95 % is meant; 150 rounds tell that from 88 %.
    assert (inside / rounds >= 0.88).all(), inside / rounds
    assert (np.abs(off / rounds) < 0.01).all(), off / rounds


def test_without_other_pools_there_is_a_reason_and_no_part():
    sim = simulated(np.random.default_rng(1))
    sim["n"] = np.where(sim["ours"], sim["n"], 0)
    sim["right"] = np.where(sim["ours"], sim["right"], 0)
    found = asked(sim)
    parts = gap.pool_gap(found, TARGET, np.zeros(len(found.n), bool))
    assert found.compared == 0 and parts.items.value is None and parts.items.reason == gap.NO_COMPARISON


def test_a_rater_s_parts_add_up_and_name_the_one_who_is_off():
    sim = simulated(np.random.default_rng(3), bad=1, gold=200)
    found = asked(sim)
    parts = gap.rater_gap(found, TARGET, 0, called(found))
    assert parts.items.value + parts.shared.value + parts.own.value == pytest.approx(parts.gap.value)
    assert parts.own.low > 0.1 and parts.shared.low < 0 < parts.shared.high
