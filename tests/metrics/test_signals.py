"""Signals from rows: the counts handed on, and simulated raters who do not read."""

import numpy as np
import pytest

from metrics.signals import spam_signals_of_rows


def rows(seed: int, careless: int = 0, raters: int = 20, each: int = 300):
    """Raters at 88 % right; the first ``careless`` give "a" at a quarter of the usual time."""
    r = np.random.default_rng(seed)
    rater = np.repeat([f"R{k:02d}" for k in range(raters)], each)
    truth = r.choice(["a", "b", "c"], len(rater), p=[0.5, 0.3, 0.2])
    label = np.where(r.random(len(rater)) < 0.88, truth, r.choice(["a", "b", "c"], len(rater)))
    stratum = r.choice(["slow", "quick"], len(rater))
    seconds = np.exp(r.normal(np.where(stratum == "slow", 5.0, 3.0), 0.5))
    bad = np.isin(rater, [f"R{k:02d}" for k in range(careless)])
    label = np.where(bad, "a", label)
    gold = np.where(r.random(len(rater)) < 0.2, truth, None)
    return rater, label, gold, np.where(bad, seconds / 4, seconds), stratum


def test_raters_who_do_not_read_are_likely_and_the_others_are_not():
    found = spam_signals_of_rows(*rows(1, careless=2))
    assert found.index[(found["verdict"] == "likely").to_numpy()].tolist() == ["R00", "R01"]
    assert (found["verdict"].iloc[2:] == "no sign").all()
    assert "too fast" in found.loc["R00", "signals"] and "crowd together" in found.loc["R00", "signals"]


def test_a_mix_of_quick_items_is_no_sign():
    rater, label, gold, seconds, stratum = rows(2)
    fast = (rater == "R03") & (np.arange(len(rater)) % 10 > 0)
    stratum = np.where(fast, "quick", stratum)
    seconds = np.where(fast, np.exp(np.random.default_rng(3).normal(3.0, 0.5, len(rater))), seconds)
    found = spam_signals_of_rows(rater, label, gold, seconds, stratum)
    assert found.loc["R03", "verdict"] == "no sign"
    assert "too fast" not in found.loc["R03", "signals"]


def test_order_of_rows_does_not_matter_and_missing_times_are_no_times():
    columns = rows(4, careless=1)
    order = np.random.default_rng(5).permutation(len(columns[0]))
    shuffled = spam_signals_of_rows(*(c[order] for c in columns))
    found = spam_signals_of_rows(*columns)
    assert found["verdict"].tolist() == shuffled["verdict"].tolist()
    assert found["p"].to_numpy() == pytest.approx(shuffled["p"].to_numpy())
    untimed = spam_signals_of_rows(*columns[:3], np.full(len(order), np.nan), columns[4])
    assert untimed["fast_q"].isna().all()
