"""Consecutive versions compared: McNemar and two shares against statsmodels, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from metrics import regressions


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (12, 3), (3, 12), (40, 41), (200, 150)])
def test_mcnemar_is_statsmodels(lost, gained):
    table = [[500, lost], [gained, 100]]
    expected = mcnemar(table, exact=True).pvalue if lost + gained else 1.0
    assert regressions.mcnemar(lost, gained) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("a", "n", "b", "m"), [(0.9, 300, 0.86, 280), (0.5, 40, 0.5, 900), (0.99, 1000, 0.97, 1000)])
def test_independent_shares_are_statsmodels(a, n, b, m):
    x, y = round(a * n), round(b * m)
    found = regressions.unpaired(x / n, n, y / m, m)
    low, high = confint_proportions_2indep(y, m, x, n, method="newcomb")
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-10), pytest.approx(high, abs=1e-10))
    expected = 1.0 if x / n == y / m else proportions_ztest([x, y], [n, m])[1]
    assert regressions.two_shares(x / n, n, y / m, m) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("lose", "gain", "n"), [(0.02, 0.02, 300), (0.06, 0.02, 120), (0.1, 0.15, 1000), (0.01, 0.03, 400)]
)
def test_paired_interval_covers(lose, gain, n):
    """Over every table that can occur, each by its probability."""
    lost, gained = np.meshgrid(np.arange(int(n * 0.5)), np.arange(int(n * 0.6)), indexing="ij")
    likely = stats.binom.pmf(lost, n, lose) * stats.binom.pmf(gained, n - lost, gain / (1 - lose))
    possible = lost + gained <= n
    found = regressions.paired(0, lost, gained, np.where(possible, n - lost - gained, 0))
    inside = (found.low <= gain - lose) & (gain - lose <= found.high)
    assert 0.93 <= np.sum(likely * inside) <= 0.97


def test_no_cases_no_interval():
    found = regressions.paired(0, 0, 0, 0)
    assert np.isnan([found.value, found.low, found.high]).all()


def frames(values, better=True, n=400):
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(values)) * 7, unit="D")
    names = [f"m{k}" for k in range(len(values))]
    models = pd.DataFrame({"model_version": names, "trained_at": when})
    measures = pd.DataFrame(
        {
            "model_version": names, "project": "P", "benchmark": "safety", "metric": "score", "policy": None,
            "language": None, "value": values, "n": n, "measured_at": when, "higher_is_better": better,
        }
    )  # fmt: skip
    return measures, models


def test_a_drop_is_worse_and_a_reversed_benchmark_better():
    for better, verdicts in (
        (True, ["cannot tell", "cannot tell", "worse"]),
        (False, ["cannot tell", "cannot tell", "better"]),
    ):
        measures, models = frames([0.9, 0.905, 0.8], better)
        found = regressions.compare(measures.sample(frac=1, random_state=1), models)
        assert found["verdict"].tolist() == verdicts
        assert pd.isna(found.loc[0, "previous_version"])
        assert found["previous_version"].tolist()[1:] == ["m0", "m1"]
        assert found.loc[0, "reason"] == regressions.FIRST
        sign = 1 if better else -1
        assert found.loc[2, "change"] == pytest.approx(-0.105 * sign)
        assert found.loc[2, "low"] < found.loc[2, "change"] < found.loc[2, "high"]


def test_pairs_take_the_place_of_scores():
    measures, models = frames([0.9, 0.88], n=1000)
    pairs = pd.DataFrame(
        {
            "benchmark": ["safety"], "model_version": ["m1"], "previous_version": ["m0"], "policy": [None],
            "language": [None], "both_passed": [875], "lost": [25], "gained": [5], "both_failed": [95],
        }
    )  # fmt: skip
    scores = regressions.compare(measures, models).iloc[1]
    found = regressions.compare(measures, models, pairs).iloc[1]
    assert scores["verdict"] == "cannot tell"  # 900 against 880 of 1,000 others proves nothing
    assert (found["verdict"], found["paired"], found["change"]) == ("worse", True, pytest.approx(-0.02))
    assert found["p_value"] == pytest.approx(mcnemar([[875, 25], [5, 95]], exact=True).pvalue)
    # the same cases of a rate that is better low: what was passed is what did not count
    measures, models = frames([0.1, 0.12], better=False, n=1000)
    turned = regressions.compare(measures, models, pairs).iloc[1]
    assert (turned["old"], turned["new"]) == (pytest.approx(0.1), pytest.approx(0.12))
    assert (turned["verdict"], turned["change"]) == ("worse", pytest.approx(-0.02))


def test_without_n_there_is_a_reason():
    measures, models = frames([0.9, 0.5], n=np.nan)
    assert regressions.compare(measures, models).loc[1, "reason"] == regressions.NO_N
    measures, models = frames([0.9, 0.5], n=20)
    assert regressions.compare(measures, models).loc[1, "reason"] == regressions.FEW_CASES
    measures, models = frames([4.1, 3.2])
    found = regressions.compare(measures, models).loc[1]
    assert (found["reason"], found["verdict"]) == (regressions.NO_SHARE, "cannot tell")
    assert np.isnan(found["low"])


@pytest.mark.parametrize(("benchmarks", "tables"), [(1, 200), (40, 60)])
def test_false_calls_stay_rare_when_nothing_changed(benchmarks, tables):
    """26 versions that never change: at most one table in twenty has a call, three errors of chance aside."""
    rng = np.random.default_rng(11)
    called = 0
    measures, models = frames(np.zeros(26), n=600)
    many = pd.concat([measures.assign(benchmark=f"b{k}") for k in range(benchmarks)], ignore_index=True)
    for _ in range(tables):
        found = regressions.compare(many.assign(value=rng.binomial(600, 0.85, len(many)) / 600), models)
        assert found["q_value"].notna().sum() == benchmarks * 25
        called += (found["verdict"] != "cannot tell").any()
    assert called / tables <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tables)


def test_the_gravest_comes_first():
    measures, models = frames([0.9, 0.7, 0.9, 0.6, 0.9, 0.75])
    compared = regressions.compare(measures, models)
    of = compared["model_version"].map
    found = regressions.ranked(
        compared.assign(severity=of({"m5": 3, "m1": 1}), exposure_high=of({"m1": -0.1, "m3": 0.0, "m5": 0.01}))
    )
    assert found["model_version"].tolist() == ["m5", "m1", "m3"]
    assert found["severity"].tolist()[:2] == [3, 1]


def test_equally_grave_ones_come_by_how_far_their_labels_surely_fell_and_then_by_the_loss():
    """m3 lost most, but m1's labels surely fell; those of m5 rose, and nothing is known of m7's: these go by loss."""
    measures, models = frames([0.9, 0.75, 0.9, 0.6, 0.9, 0.7, 0.9, 0.65])
    compared = regressions.compare(measures, models)
    high = compared["model_version"].map({"m1": -0.02, "m3": 0.04, "m5": 0.3})
    found = regressions.ranked(compared.assign(severity=np.nan, exposure_high=high))
    assert found["model_version"].tolist() == ["m1", "m3", "m7", "m5"]
    grave = compared["model_version"].map({"m5": 0})
    found = regressions.ranked(compared.assign(severity=grave, exposure_high=high))
    assert found["model_version"].tolist() == ["m5", "m1", "m3", "m7"]  # a severity of 0 is an incident all the same


def test_a_slice_has_the_incidents_that_name_it_and_a_whole_benchmark_all_of_its_version():
    incidents = pd.DataFrame(
        [
            ("N1", "m1", "hate", "vi", 1, 5), ("N2", "m1", "hate", "en", 3, 6), ("N3", "m1", "spam", "vi", 2, 7),
            ("N4", "m2", "hate", "vi", 3, 8), ("N5", "m1", None, None, 3, 1), ("N6", "m1", "spam", "vi", 2, 4),
        ],
        columns=["incident_id", "model_version", "policy", "language", "severity", "day"],
    )  # fmt: skip
    incidents = incidents.assign(
        occurred_at=pd.Timestamp("2026-01-01") + pd.to_timedelta(incidents["day"], unit="D"), summary="a"
    )
    rows = pd.DataFrame(
        [("m1", None, "vi"), ("m1", None, None), ("m1", "hate", "vi"), ("m1", "hate", None), ("m3", None, None),
         ("m2", None, "en")],
        columns=["model_version", "policy", "language"], index=[9, 8, 7, 6, 5, 4],
    )  # fmt: skip
    found = regressions.gravest(rows, incidents)
    assert found.index.tolist() == rows.index.tolist()
    assert found["incident_id"].tolist()[:4] == ["N6", "N5", "N1", "N2"]
    assert found["severity"].tolist()[:4] == [2, 3, 1, 3] and found["severity"].isna().tolist()[4:] == [True, True]
    assert regressions.gravest(rows, incidents.iloc[:0])["severity"].isna().all()


def test_common_cases_of_slices_make_those_of_the_whole_unless_these_are_on_record():
    cells = ["both_passed", "lost", "gained", "both_failed"]
    keys = {"benchmark": "safety", "model_version": "m1", "previous_version": "m0"}
    pairs = pd.DataFrame(
        [{**keys, "policy": None, "language": w, **dict(zip(cells, n, strict=True))}
         for w, n in (("vi", (50, 5, 1, 4)), ("en", (80, 2, 3, 5)))]
    )  # fmt: skip
    whole = regressions.with_whole(pairs)
    assert whole.iloc[-1][cells].tolist() == [130, 7, 4, 9] and len(whole) == 3
    assert pd.isna(whole.iloc[-1]["language"])
    known = pd.concat([pairs, pd.DataFrame([{**keys, "policy": None, "language": None, **dict.fromkeys(cells, 1)}])])
    assert len(regressions.with_whole(known)) == 3
    assert len(regressions.with_whole(pairs.iloc[:0])) == 0


def test_the_newest_value_puts_slices_together_by_their_cases():
    measures, _ = frames([0.9, 0.8], n=100)
    assert regressions.newest(measures) == (0.8, 100)
    by = pd.concat([measures.assign(language=w, n=n, value=v) for w, n, v in (("en", 300, 0.9), ("vi", 100, 0.5))])
    assert regressions.newest(by) == (pytest.approx((270 + 50) / 400), 400)
    assert np.isnan(regressions.newest(measures.iloc[:0])).all()
    value, n = regressions.newest(by.assign(n=np.nan))
    assert value == pytest.approx(0.7) and np.isnan(n)
