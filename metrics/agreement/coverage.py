"""What a coefficient rests on: how much is rated twice, how the labels are spread, what one more rating would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics.agreement.alpha import linearised_error
from metrics.agreement.distances import level_distances
from metrics.agreement.estimates import ZERO, reason_for_no_chance, reason_for_none
from metrics.intervals import student
from metrics.patterns import Patterns

ALL_AGREE = "every pair of ratings agrees: nothing shows how much further ratings would differ"
ALL_ALIKE = "all items disagree alike: there is no error to narrow"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a set of items shows agreement, and how its labels are spread.

    items: with a rating; pairable: with two or more; single_rated: with one; ratings: of all items. prevalence: share
    of all ratings that give each declared label, in order, summing to 1; empty when there is no rating.
    """

    items: float
    pairable: float
    single_rated: float
    ratings: float
    prevalence: tuple[float, ...]

    @property
    def overlap(self) -> float | None:
        """Share of the items that are pairable, 0 to 1; None without items."""
        return self.pairable / self.items if self.items else None

    @property
    def ratings_per_item(self) -> float | None:
        """Mean ratings of a rated item, 1 or more; None without items."""
        return self.ratings / self.items if self.items else None


def coverage(patterns: Patterns) -> Coverage:
    """Items, overlap and prevalence of patterns: read every coefficient beside them.

    Kappa and alpha fall when one label dominates, and rest on the pairable items alone.
    """
    prevalence = tuple(map(float, patterns.prevalence)) if patterns.n_ratings else ()
    return Coverage(patterns.n_items, patterns.n_pairable, patterns.n_single_rated, patterns.n_ratings, prevalence)


@dataclass(frozen=True, slots=True)
class OneMoreRating:
    """The half-width of alpha's 95 % interval now, and expected with one more rating of every pairable item.

    Both None with a reason when there is none. ratings: how many ratings that takes.
    """

    half_width: float | None
    half_width_then: float | None
    ratings: float
    reason: str = ""

    @property
    def narrowing(self) -> float | None:
        """Share by which the interval narrows, 0 to 1; below 0 if it widens; None where there is no interval."""
        return None if self.half_width is None else 1 - self.half_width_then / self.half_width


def one_more_rating(
    patterns: Patterns,
    level: str = "nominal",
    values: Sequence | None = None,
    *,
    set_distance: str = "masi",
    confidence: float = 0.95,
) -> OneMoreRating:
    """How much narrower alpha's interval becomes if every pairable item gets one more rating, in the unit of alpha.

    Assumption, in words: the next rating of an item is by a rater like those before, so he gives a label in proportion
    to how often the item has it already, plus a pull towards the overall shares of the labels. The pull is worth
    s = (1 - alpha)/alpha ratings, because then alpha itself is expected to stay as it is: raters who agree well follow
    the item, raters who agree by chance follow the shares alone.

    Formula: P(k | item) = (r_k + s π_k)/(r + s), the predictive of a Dirichlet prior s·π. Each pattern's items are
    spread over the patterns that follow in these proportions, and the linearised error of alpha is taken there: the
    expectation itself, so nothing is drawn and no seed is needed. Half-widths are t·se, not clipped; level and values
    as for ``alpha_of_patterns``. Missing where alpha is, at perfect agreement, and when all items disagree alike.
    """
    distances = level_distances(level, values, patterns.n_labels, set_distance)
    pairable = patterns.n_pairable
    reason = reason_for_none(patterns) or (distances if isinstance(distances, str) else "")
    if reason:
        return OneMoreRating(None, None, pairable, reason)
    now = linearised_error(patterns, distances)
    if now is None:
        used = np.count_nonzero(patterns.items[patterns.ratings >= 2] @ patterns.counts[patterns.ratings >= 2])
        return OneMoreRating(None, None, pairable, reason_for_no_chance(used))
    alpha, error = now
    if 1 - alpha < ZERO or error < ZERO:
        return OneMoreRating(None, None, pairable, ALL_AGREE if 1 - alpha < ZERO else ALL_ALIKE)
    then = linearised_error(_with_one_more(patterns, alpha), distances)
    quantile = float(student(0.5 + confidence / 2, pairable - 1))
    return OneMoreRating(quantile * error, quantile * then[1], pairable)


def _with_one_more(patterns: Patterns, alpha: float) -> Patterns:
    """The patterns expected after one more rating of each pairable item; items in parts."""
    paired = patterns.ratings >= 2
    counts, items = patterns.counts[paired], patterns.items[paired]
    shares = items @ counts / (items @ counts).sum()
    # Shares of the mixture of the item's own labels and the overall ones; at alpha <= 0 the overall ones alone.
    agree = max(alpha, 0.0)
    likely = (agree * counts + (1 - agree) * shares) / (agree * counts.sum(axis=1, keepdims=True) + (1 - agree))
    q = patterns.n_labels
    grown = counts[:, None, :] + np.eye(q, dtype=np.int64)
    return Patterns(grown.reshape(-1, q), (items[:, None] * likely).ravel()).combined()
