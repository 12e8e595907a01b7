"""q values: the published example, statsmodels, properties, and the false-discovery rate where the truth is known."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import special
from statsmodels.stats.multitest import multipletests

from metrics.multiple import benjamini_hochberg, expected_false, holm

THROMBOLYSIS = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528),
    *(0.7590, 1.000),
]
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_the_example_of_1995_calls_four():
    found = benjamini_hochberg(THROMBOLYSIS)
    assert found.m == 15
    assert (found.q <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert np.sum(np.array(THROMBOLYSIS) <= 0.05 / 15) == 3  # what Bonferroni would call


@settings(deadline=None)
@given(probabilities)
def test_q_equals_statsmodels(p):
    np.testing.assert_allclose(benjamini_hochberg(p).q, multipletests(p, method="fdr_bh")[1], atol=1e-12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(p=probabilities)
def test_holm_equals_statsmodels(monkeypatch, p):
    monkeypatch.setattr("gc.collect", lambda *_: 0)  # which statsmodels asks for at each call, for nothing
    np.testing.assert_allclose(holm(p).q, multipletests(p, method="holm")[1], atol=1e-12)


@settings(deadline=None)
@given(probabilities, st.randoms())
def test_missing_tests_stay_missing_and_are_not_counted(p, random):
    mixed = [*p, np.nan, np.nan]
    random.shuffle(mixed)
    for adjust in (benjamini_hochberg, expected_false, holm):
        found, alone = adjust(mixed), adjust(p)
        assert found.m == alone.m == len(p)
        assert np.isnan(found.q).tolist() == np.isnan(mixed).tolist()
        np.testing.assert_allclose(np.sort(found.q[~np.isnan(found.q)]), np.sort(alone.q))


def test_no_test_at_all():
    assert benjamini_hochberg([]).m == benjamini_hochberg([np.nan]).m == 0
    assert np.isnan(benjamini_hochberg([np.nan]).q).all()


@pytest.mark.parametrize("adjust", [benjamini_hochberg, expected_false])
@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_what_is_no_probability_is_refused(adjust, value):
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust([0.5, value])


def test_at_most_five_percent_of_calls_are_false():
    """200 sets of 80 tests, a quarter of them true by 3 standard errors: the bound is .05 times .75."""
    rng = np.random.default_rng(0)
    true = np.arange(80) < 20
    p = special.ndtr(-(rng.normal(size=(200, 80)) + 3.0 * true))
    called = np.array([benjamini_hochberg(row).q <= 0.05 for row in p])
    false = np.where(called.any(1), (called & ~true).sum(1) / np.maximum(called.sum(1), 1), 0)
    assert 0.02 <= false.mean() <= 0.045
    assert (called & true).mean() * 4 > 0.6


def test_expected_false_is_the_running_mean_of_the_surest():
    found = expected_false([0.3, 0.01, np.nan, 0.05])
    np.testing.assert_allclose(found.q, [0.12, 0.01, np.nan, 0.03])
    np.testing.assert_allclose(expected_false([0.2, 0.2, 0.1]).q, [0.5 / 3, 0.5 / 3, 0.1])


@settings(deadline=None)
@given(probabilities)
def test_expected_false_never_exceeds_the_error_itself(error):
    found = expected_false(error).q
    assert np.all(found <= np.array(error) + 1e-12)
    assert np.all(np.diff(found[np.argsort(error)]) >= -1e-12)
