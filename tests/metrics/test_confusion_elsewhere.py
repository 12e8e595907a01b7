"""The main confusion of a pool: verdicts on simulated rates, and what tells nothing."""

from __future__ import annotations

import numpy as np
import pytest

from metrics import confusion_elsewhere


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
        (OF_LANGUAGE, confusion_elsewhere.READING),
        ({**OF_LANGUAGE, (2, 1, 0): 0.4}, confusion_elsewhere.SHARED),
        ({**OF_LANGUAGE, (1, 0, 0): 0.03}, confusion_elsewhere.HERE),
        ({place: rate for place, rate in OF_LANGUAGE.items() if place[0] != 1}, confusion_elsewhere.CANNOT_TELL),
    ],
)
def test_a_confusion_is_the_pool_s_the_language_s_or_everybody_s(rates, verdict):
    rng = np.random.default_rng(2)
    found = [confusion_elsewhere.main_confusion(**confusions(rng, rates, spread=0.02)) for _ in range(40)]
    assert all(one.kind == 1 and one.stratum == 0 for one in found)
    assert np.mean([one.verdict == verdict for one in found]) > 0.9
    assert all((one.there.value is None) == (verdict == confusion_elsewhere.CANNOT_TELL) for one in found)


def test_the_others_are_weighted_as_the_pool_meets_its_items():
    rates = {(0, 0, 0): 0.4, (1, 0, 0): 0.4, (0, 0, 1): 0.05, (1, 0, 1): 0.05}
    cells = confusions(np.random.default_rng(4), rates, n=200)
    # The other pool meets the item that is mistaken a tenth as often: pooled, its rate would be a third of ours.
    rare = ~cells["ours"] & (cells["stratum"] == 0)
    cells["n"] = np.where(rare, np.round(cells["n"] / 10), cells["n"])
    found = confusion_elsewhere.main_confusion(**cells)
    assert found.there.value == pytest.approx(0.225, abs=0.02)
    assert found.verdict == confusion_elsewhere.SHARED


def test_pools_that_only_raters_differ_in_are_seldom_told_apart():
    """At most 5 % of pools of few raters are called "more often here"; taken for independent judgements 23 % were."""
    rng = np.random.default_rng(7)
    rates = {(0, 0, 0): 0.15, (1, 0, 0): 0.15}
    said = [
        confusion_elsewhere.main_confusion(**confusions(rng, rates, spread=0.1, raters=8, n=80)).verdict
        for _ in range(400)
    ]
    assert np.mean([one == confusion_elsewhere.HERE for one in said]) <= 0.05


def test_one_rater_elsewhere_or_too_few_errors_tell_nothing():
    cells = confusions(np.random.default_rng(1), OF_LANGUAGE)
    single = np.where(cells["ours"], cells["rater"], 100)
    assert confusion_elsewhere.main_confusion(**{**cells, "rater": single}).verdict == confusion_elsewhere.CANNOT_TELL
    found = confusion_elsewhere.main_confusion(**{**cells, "n": cells["n"] / 100})
    assert found.kind == -1 and found.verdict is None and found.part.reason == confusion_elsewhere.FEW_ERRORS
    with pytest.raises(ValueError):
        confusion_elsewhere.main_confusion(**{**cells, "n": cells["n"][1:]})
