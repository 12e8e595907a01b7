"""What a coefficient rests on, and what one more rating of each item would buy."""

import numpy as np
import pytest

from metrics.agreement import alpha_of_patterns, coverage, one_more_rating
from metrics.agreement.coverage import _with_one_more
from metrics.patterns import Patterns

from .examples import NUMERIC_LEVELS, RAW_4RATERS, ends, patterns, simulated


def test_coverage_of_raw_4raters():
    found = coverage(patterns(RAW_4RATERS))
    assert (found.items, found.pairable, found.single_rated, found.ratings) == (12, 11, 1, 41)
    assert found.prevalence == pytest.approx([9 / 41, 13 / 41, 11 / 41, 5 / 41, 3 / 41])
    assert found.overlap == pytest.approx(11 / 12)
    assert found.ratings_per_item == pytest.approx(41 / 12)


def test_nothing_covers_nothing():
    found = coverage(Patterns(np.zeros((0, 3), int), np.zeros(0)))
    assert (found.items, found.prevalence, found.overlap, found.ratings_per_item) == (0, (), None, None)


def dirichlet_multinomial(n, raters, agreement, shares, seed):
    """Label counts (n, q) of raters whose ratings of an item correlate by ``agreement``: alpha of the population."""
    rng = np.random.default_rng(seed)
    strength = (1 - agreement) / agreement
    return np.stack([rng.multinomial(raters, p) for p in rng.dirichlet(strength * np.array(shares), n)])


@pytest.mark.parametrize("agreement", [0.3, 0.6, 0.85])
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_one_more_rating_is_what_another_rater_brings(agreement, level):
    """Items of a Dirichlet-multinomial, four ratings each: from three of them the width with the fourth is foretold."""
    shares = [0.5, 0.3, 0.2]
    four = dirichlet_multinomial(4000, 4, agreement, shares, 1)
    rng = np.random.default_rng(2)
    left_out = np.stack([rng.multivariate_hypergeometric(row, 1) for row in four])
    three = Patterns(four - left_out, np.ones(len(four)))
    expected = np.ptp(ends(alpha_of_patterns(Patterns(four, three.items), level, interval="linearised"))) / 2
    found = one_more_rating(three, level)
    assert found.half_width == pytest.approx(np.ptp(ends(alpha_of_patterns(three, level, interval="linearised"))) / 2)
    assert found.half_width_then == pytest.approx(expected, rel=0.04)
    assert found.ratings == 4000
    assert found.narrowing == pytest.approx(1 - found.half_width_then / found.half_width)


def test_drawing_the_ratings_gives_the_same():
    """The expectation against 300 draws of the extra rating from the predictive, item by item."""
    counted = simulated(400, seed=3)
    alpha = alpha_of_patterns(counted, interval="none").value
    strength = (1 - alpha) / alpha
    each = np.repeat(counted.counts, counted.items.astype(int), axis=0)
    likely = (each + strength * counted.prevalence) / (each.sum(axis=1, keepdims=True) + strength)
    rng = np.random.default_rng(4)
    widths = []
    for _ in range(300):
        extra = (rng.random((len(each), 1)) > likely.cumsum(axis=1)[:, :-1]).sum(axis=1)
        grown = Patterns(each + np.eye(3, dtype=int)[extra], np.ones(len(each)))
        widths.append(np.ptp(ends(alpha_of_patterns(grown, interval="linearised"))) / 2)
    assert one_more_rating(counted).half_width_then == pytest.approx(np.mean(widths), rel=0.01)


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_alpha_itself_is_expected_to_stay(level):
    """Of patterns in thousands, so that alpha's small-sample term does not show."""
    counted = simulated(500, labels=4, raters=3, seed=5)
    counted = Patterns(counted.counts, 1000 * counted.items)
    values = [1, 2, 4, 8]
    alpha = alpha_of_patterns(counted, level, values, interval="none").value
    then = alpha_of_patterns(_with_one_more(counted, alpha), level, values, interval="none").value
    # Ranks move with the data, and so does the ordinal distance itself, a little.
    assert then == pytest.approx(alpha, abs=1e-3 if level == "ordinal" else 1e-5)


def test_only_pairable_items_get_a_rating():
    grown = _with_one_more(patterns(RAW_4RATERS), 0.74)
    assert grown.n_items == pytest.approx(11)
    assert grown.n_ratings == pytest.approx(40 + 11)
    assert (grown.ratings >= 3).all()


def test_below_chance_the_next_rating_follows_the_shares_alone():
    counted = Patterns([[1, 1, 0], [1, 0, 1]], [10, 10])
    grown = _with_one_more(counted, -0.5)
    assert dict(zip(map(tuple, grown.counts.tolist()), grown.items, strict=True)) == pytest.approx(
        {(2, 1, 0): 5, (1, 2, 0): 2.5, (1, 1, 1): 5, (2, 0, 1): 5, (1, 0, 2): 2.5}
    )


def test_more_ratings_narrow_the_interval_more_where_raters_agree_less():
    loose, close = simulated(1000, kept=0.5), simulated(1000, kept=0.95)
    assert one_more_rating(loose).narrowing > one_more_rating(close).narrowing > 0


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ([], "no rated items"),
        (["1", "2"], "no item has two ratings"),
        (["12", "1"], "only one item has two ratings"),
        (["11", "11"], "no variation: every rating is the same label"),
        (["11", "22"], "every pair of ratings agrees"),
        (["12", "12", "12"], "all items disagree alike"),
    ],
)
def test_what_cannot_be_foretold_says_why(units, reason):
    counted = patterns(units) if units else Patterns(np.zeros((0, 5), int), np.zeros(0))
    found = one_more_rating(counted)
    assert found.reason.startswith(reason)
    assert (found.half_width, found.half_width_then, found.narrowing) == (None, None, None)


def test_scales_without_numbers_say_why():
    assert "needs numbers" in one_more_rating(patterns(RAW_4RATERS), "interval", list("abcde")).reason
    assert "do not differ" in one_more_rating(patterns(RAW_4RATERS), "interval", [1] * 5).reason
