"""Score intervals hold the truth in 93 to 97 of 100 samples where few items differ and where many raters agree little.

1,500 samples see a coverage to within 1.7 % (three Monte Carlo errors); a count of one or two may cover 98.
"""

import numpy as np
import pytest

from metrics import agreement

from .test_few_items_cover import held
from .test_intervals_cover import Population, keeps

SAMPLES = 1500
WITHIN = 3 * (0.05 * 0.95 / SAMPLES) ** 0.5

NINE_OF_TEN, RARER, SKEWED, EVEN = [0.9, 0.1], [0.95, 0.05], [0.8, 0.15, 0.05], [0.2] * 5
COEFFICIENTS = {
    "percent": agreement.percent_agreement_of_patterns,
    "brennan_prediger": agreement.brennan_prediger_of_patterns,
    "fleiss": agreement.fleiss_kappa_of_patterns,
    "fleiss quadratic": lambda p: agreement.fleiss_kappa_of_patterns(p, "quadratic"),
    "ac1": agreement.gwet_ac1_of_patterns,
    "alpha": agreement.alpha_of_patterns,
    "alpha interval": lambda p: agreement.alpha_of_patterns(p, "interval"),
}


def of_kappa(shares, kappa, raters):
    """Raters who keep the truth so often that any two of them have this kappa."""
    return Population(shares, [keeps(kappa**0.5, shares)] * raters)


@pytest.mark.parametrize(
    ("name", "shares", "kappa", "raters", "n"),
    [
        ("percent", RARER, 0.81, 2, 60),
        ("brennan_prediger", RARER, 0.81, 2, 100),
        ("fleiss", SKEWED, 0.9, 3, 20),
        ("fleiss quadratic", SKEWED, 0.9, 2, 20),
        ("fleiss quadratic", SKEWED, 0.9, 3, 20),
        ("alpha interval", SKEWED, 0.9, 2, 50),
        ("alpha", RARER, 0.9, 5, 50),
        ("ac1", NINE_OF_TEN, 0.9, 3, 20),
    ],
)
def test_few_items_that_differ_are_enough(name, shares, kappa, raters, n):
    """By a normal quantile alone the truth lies above the interval in 7 to 16 of 100 samples."""
    below, within, _ = held(of_kappa(shares, kappa, raters), n, COEFFICIENTS[name], SAMPLES)
    assert below <= 0.05 + WITHIN
    assert 0.93 - WITHIN <= within <= 0.985 + WITHIN / 3


@pytest.mark.parametrize("name", ["percent", "ac1"])
def test_five_raters_who_agree_little_have_no_interval_too_wide(name):
    """If only whole items changed, 98.4 of 100 samples would hold the truth, and .2 of 100 intervals lie below it."""
    below, within, _ = held(of_kappa(EVEN, 0.2, 5), 50, COEFFICIENTS[name], 500)
    assert 0.93 <= within <= 0.978
    assert below >= 0.012


def test_one_rating_of_five_says_little_of_how_often_its_label_is_right():
    """One item of 20 shows a second label, once: agreement may be poor, or .9 without an item of that label."""
    found = agreement.fleiss_kappa(np.repeat(np.arange(20), 5), np.tile(np.arange(5), 20), [1] + [0] * 99)
    assert found.value == pytest.approx(-0.01, abs=0.001)
    assert 0.9 < found.high < 1
