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


# ---- the confusion most errors sit in --------------------------------------------------------------------------


def confusions(
    rng: np.random.Generator, rates: dict, spread: float = 0.0, raters: int = 15, n: int = 40, unlike: int = 0
) -> dict:
    """Cells as main_confusion() takes them, of one project with two true labels, either mistaken for the other.

    rates: (pool, language, policy) -> how often label 0 is given as 1 there; label 1 is given as 0 in 2 % of cases.
    spread: how far raters differ, of a beta with that intraclass correlation. unlike: raters of pool 0 who err always.
    """
    rows = []
    for (pool, language, policy), rate in rates.items():
        weight = (1 - spread) / spread if spread else None
        for k in range(raters):
            own = rng.beta(rate * weight, (1 - rate) * weight) if weight else rate
            own = 1.0 if pool == 0 and k < unlike else own
            for truth, p in ((0, own), (1, 0.02)):
                made = rng.binomial(n, p)
                for label, count in ((truth, n - made), (1 - truth, made)):
                    rows.append((pool * 100 + k, truth * 2 + label, truth, language * 10 + policy, policy, count, pool))
    rater, kind, chance, stratum, broad, count, pool = np.array(rows).T
    return {
        "rater": rater,
        "kind": kind,
        "chance": chance,
        "stratum": stratum,
        "broad": broad,
        "n": count.astype(float),
        "wrong": kind % 2 != chance,
        "ours": pool == 0,
    }


OF_LANGUAGE = {(0, 0, 0): 0.4, (1, 0, 0): 0.4, (2, 1, 0): 0.03, (0, 0, 1): 0.03, (1, 0, 1): 0.03, (2, 1, 1): 0.03}


@pytest.mark.parametrize(
    "rates, verdict",
    [
        (OF_LANGUAGE, gap.READING),
        ({**OF_LANGUAGE, (2, 1, 0): 0.4}, gap.SHARED),
        ({**OF_LANGUAGE, (1, 0, 0): 0.03}, gap.HERE),
        ({place: rate for place, rate in OF_LANGUAGE.items() if place[0] != 1}, gap.CANNOT_TELL),
    ],
)
def test_a_confusion_is_the_pool_s_the_language_s_or_everybody_s(rates, verdict):
    rng = np.random.default_rng(2)
    found = [gap.main_confusion(**confusions(rng, rates, spread=0.02)) for _ in range(40)]
    assert all(one.kind == 1 and one.stratum == 0 for one in found)
    assert np.mean([one.verdict == verdict for one in found]) > 0.9
    assert all((one.there.value is None) == (verdict == gap.CANNOT_TELL) for one in found)


def test_the_others_are_weighted_as_the_pool_meets_its_items():
    rates = {(0, 0, 0): 0.4, (1, 0, 0): 0.4, (0, 0, 1): 0.05, (1, 0, 1): 0.05}
    cells = confusions(np.random.default_rng(4), rates, n=200)
    # The other pool meets the item that is mistaken a tenth as often: pooled, its rate would be a third of ours.
    rare = ~cells["ours"] & (cells["stratum"] == 0)
    cells["n"] = np.where(rare, np.round(cells["n"] / 10), cells["n"])
    found = gap.main_confusion(**cells)
    assert found.there.value == pytest.approx(0.225, abs=0.02)
    assert found.verdict == gap.SHARED


def test_pools_that_only_raters_differ_in_are_seldom_told_apart():
    """At most 5 % of pools of few raters are called "more often here"; taken for independent judgements 23 % were."""
    rng = np.random.default_rng(7)
    rates = {(0, 0, 0): 0.15, (1, 0, 0): 0.15}
    said = [gap.main_confusion(**confusions(rng, rates, spread=0.1, raters=8, n=80)).verdict for _ in range(400)]
    assert np.mean([one == gap.HERE for one in said]) <= 0.05


def test_one_rater_elsewhere_or_too_few_errors_tell_nothing():
    cells = confusions(np.random.default_rng(1), OF_LANGUAGE)
    single = np.where(cells["ours"], cells["rater"], 100)
    assert gap.main_confusion(**{**cells, "rater": single}).verdict == gap.CANNOT_TELL
    found = gap.main_confusion(**{**cells, "n": cells["n"] / 100})
    assert found.kind == -1 and found.verdict is None and found.part.reason == gap.FEW_ERRORS
    with pytest.raises(ValueError):
        gap.main_confusion(**{**cells, "n": cells["n"][1:]})
