"""Score intervals: every truth that lies within a quantile of the value, by the error that would hold at that truth.

What would hold at a truth κ0 is what is seen, led towards κ0. Two ways lead there, and the mean of them is taken:
- some items become of one mind (or, downwards, are rated at random) and the others stay: moments move on a line;
- every item changes a little, as a Pólya urn does whose ratings repeat an earlier one of the item more often: x² and
  x·z then leave the line, by nothing for two ratings of an item and by much for five, where the line alone covers 98 to
  99 of 100 at little agreement.
Near perfect agreement the few items that differ are Poisson, whose skewness a normal quantile misses: Wilson's interval
then holds a truth of .18 expected disagreements in 84 samples of 100. The skewness of the score at κ0 shifts its bound
by (quantile² - 1)/6 (Gart and Nam 1988), which gives for 1, 2 and 3 disagreements .057, .356 and .787, the ends that
Brown, Cai and DasGupta (2001) put in Wilson's place: .051, .355 and .818. It fades until so many disagreements are
expected at κ0, 3 at 95 %, that samples without any are rarer than all misses may be: from there on the two sides of the
plain interval make up for each other.

Coverage of 95 % intervals, 2,000 samples in each of 1,980 cells: eleven coefficients, 2, 3 and 5 raters, 20 to 300
items, two to five labels of which the rarest takes 5 to 50 %, kappa .2, .6 and .9. 92.5 to 97 in 1,565 of them, 97 to
98 in 274, more in 141, nearly all where hardly an item differs or shows the rare label, so that a handful of outcomes
decides (``tests/metrics/agreement/test_chance.py`` shows it exactly). Without bend and shift they cover 85 to 99.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from metrics.agreement.estimates import ZERO, Floats
from metrics.agreement.score_line import search, variance
from metrics.spec import Estimate

URN = 0.5  # how much of the way an urn goes; whole items go the rest


@dataclass(frozen=True, eq=False)
class Items:
    """The items of one project, as kinds with arrays (K,): how many, and what each adds to a ratio of sums.

    The coefficient is 1 - Σ x / Σ z over items: x = weight · the mean distance of an item's pairs of ratings, and
    z = offset + scale · the mean of v over its ratings. counts (K, q): ratings by label; distance (q, q), v (q,), and
    share (q,), the labels' shares. guess (q,): the shares from which raters without any agreement would draw.
    Moments are the means over items of x, z, x², xz, z², x³, x²z, xz² and z³, (9,).
    """

    items: Floats
    counts: Floats
    x: Floats
    z: Floats
    weight: Floats
    offset: Floats
    scale: Floats
    distance: Floats
    v: Floats
    share: Floats
    guess: Floats

    def seen(self) -> Floats:
        """The moments as they are."""
        x, z = self.x, self.z
        return self._means(x, z, x * x, x * z, z * z, x**3, x * x * z, x * z * z, z**3)

    def perfect(self, share: Floats) -> Floats:
        """The moments if all ratings of an item were one label, drawn by these shares."""
        z = self.offset[:, None] + self.scale[:, None] * self.v
        none = np.zeros_like(self.z)
        return self._means(none, z @ share, none, none, z**2 @ share, none, none, none, z**3 @ share)

    def shown(self) -> Floats:
        """The labels' shares, (q,), each item that shows a label counting once: one rating of five like five."""
        shown = self.items @ (self.counts > 0)
        return shown / shown.sum()

    def by_chance(self) -> Floats:
        """The moments if every rating were drawn by ``guess`` alone; those of third order are left at 0."""
        p, r = self.guess, self._ratings()
        v, vv = p @ self.v, p @ self.v**2
        x, z = self.weight * (p @ self.distance @ p), self.offset + self.scale * v
        zz = self.offset**2 + 2 * self.offset * self.scale * v + self.scale**2 * (vv + (r - 1) * v**2) / r
        mean_x, mean_z, mean_zz = self._means(x, z, zz)
        return np.array([mean_x, mean_z, *(self.urn(p) @ _repeats(np.zeros(()))), mean_zz, 0, 0, 0, 0])

    def alike(self, share: Floats) -> float:
        """The intraclass correlation of the ratings; 0 where they agree less than draws from the shares."""
        apart = self.items @ self.weight * (share @ self.distance @ share)
        return max(1 - self.items @ self.x / apart, 0.0) if apart > ZERO else 0.0

    def urn(self, share: Floats) -> Floats:
        """What ``_repeats`` is to be multiplied with, (2, 6), for the means of x² and xz of a Pólya urn.

        Two pairs of an item are the same pair, or share one rating, or none.
        """
        p, d, r, w = share, self.distance, self._ratings(), self.weight
        to = d @ p
        apart, square, met, v, both = p @ to, p @ d**2 @ p, p @ to**2, p @ self.v, p @ (self.v * to)
        pairs, touching = np.maximum(r * (r - 1) / 2, 1), np.maximum(2 * (r - 2), 0)
        of_pairs = (n * w**2 / pairs for n in (1, touching, np.maximum(pairs - 1 - touching, 0)))
        same, one, none = self._means(*of_pairs)
        fixed, own, other = self._means(w * self.offset, 2 * w * self.scale / r, w * self.scale * (1 - 2 / r))
        of_xx = [same * square, one * square, one * met, none * square, none * met, none * apart**2]
        return np.array([of_xx, [fixed * apart + own * both, 2 * other * both, other * apart * v, 0, 0, 0]])

    def _ratings(self) -> Floats:
        return np.maximum(self.counts.sum(axis=1), 1)

    def _means(self, *columns: Floats) -> Floats:
        return np.array([self.items @ column for column in columns]) / self.items.sum()


@dataclass(frozen=True, eq=False)
class Way:
    """From what is seen, 0, to perfect agreement (side 1) or to none (-1), 1: moments (9, P) and urns of P projects.

    The more items become of one mind, the less is known of which label they would be: the end moves from the shares of
    the ratings to those of ``shown``. alike (P,): as seen; urn (P, 2, 6).
    """

    side: int
    seen: Floats
    end: Floats
    end_shown: Floats
    urn: Floats
    alike: Floats

    @classmethod
    def of(cls, projects: Sequence[Items], side: int) -> Way:
        """The way of these projects to one side."""
        shares = [p.share if side > 0 else p.guess for p in projects]
        seen, end, shown, urn, alike = (
            np.array(part)
            for part in zip(*(cls._of_one(p, s, side) for p, s in zip(projects, shares, strict=True)), strict=True)
        )
        return cls(side, seen.T, end.T, shown.T, urn, alike)

    @staticmethod
    def _of_one(items: Items, share: Floats, side: int) -> tuple[Floats, Floats, Floats, Floats, float]:
        end = items.perfect(share) if side > 0 else items.by_chance()
        shown = items.perfect(items.shown()) if side > 0 else end
        return items.seen(), end, shown, items.urn(share), items.alike(share)

    def moments(self, way: Floats) -> Floats:
        """(9, P, G) at points (G,) of the straight line."""
        seen, end, shown = (m[..., None] for m in (self.seen, self.end, self.end_shown))
        return seen + way * (end + way * (shown - end) - seen)

    def bend(self, way: Floats) -> Floats:
        """By how much x² and xz of urns leave the line, (2, P, G): none where ratings are no more alike than drawn."""
        if not self.urn[:, :, 1:].any():  # two ratings of an item are one pair
            return np.zeros((2, len(self.alike), len(way)))
        alike, last = self.alike[:, None], float(self.side > 0)
        here = _repeats(alike + way * (last - alike))
        ends = _repeats(np.concatenate([alike, np.full_like(alike, last)], axis=1))
        off = here - ends @ np.array([1 - way, way])
        return np.where(alike > 0, np.einsum("pmb,bpg->mpg", self.urn, off), 0.0)


def score_interval(
    value: float, projects: Sequence[Items], n: float, bounds: tuple[float, float], confidence: float = 0.95
) -> Estimate:
    """The value with the ends of its score interval; without one where the items leave no error to see.

    Of two ratings an item, percent agreement has Wilson's interval but for the end towards 1 when at most six items
    differ. Where hardly an item differs coverage is that of a count: of .1 expected disagreements there are none in 90
    samples of 100 and at most one in 99, so that no interval holds a share of samples between these.
    """
    value = float(np.clip(value, *bounds))
    size = np.array([p.items.sum() for p in projects])
    ways = {side: Way.of(projects, side) for side in (-1, 1)}
    total = size @ ways[1].seen[1]
    quantile = special.ndtri(0.5 + confidence / 2)
    floor = 1 - size @ ways[-1].end[0] / total
    # Of more than so many there is seldom none: then the other side has misses of its own.
    most = -np.log(1 - confidence)

    def reach(side: int, steps: Floats, span: float) -> Floats:
        """How far from the value a truth ``steps`` away may lie, (G,)."""
        way = np.minimum(steps / span, 1.0) if span > ZERO else np.zeros_like(steps)
        rest = 1 - (value + side * steps)
        moments = ways[side].moments(way)
        skew = _skew(moments, rest, size) if side > 0 else 0.0
        moments[2:4] += URN * ways[side].bend(way)
        error = np.sqrt(size @ np.maximum(variance(moments, rest), 0)) / total
        # (rest / error)² is the number of disagreements expected, were they Poisson.
        fading = np.maximum(1 - (rest / np.maximum(error, ZERO)) ** 2 / most, 0)
        return quantile * error + fading * np.maximum(skew, 0) / total * max(quantile**2 - 1, 0) / 6

    return search(value, (value - floor, 1 - value), bounds, n, reach)


def _repeats(alike: Floats) -> Floats:
    """How ratings of a Pólya urn repeat one another, (6, ...), for intraclass correlations alike.

    The k-th of an item repeats one of the k - 1 before it with probability alike/(1 + (k - 2)·alike) each, and is drawn
    from the shares otherwise. All is of a first and second rating apart: the third repeats the first, or none; then the
    fourth the second, or none of those it would be apart from.
    """
    third, new_third = alike / (1 + alike), (1 - alike) / (1 + alike)
    fourth, new_fourth = alike / (1 + 2 * alike), (1 - alike) / (1 + 2 * alike)
    mixed = third * new_fourth + new_third * fourth
    ones = np.ones_like(alike)
    return (1 - alike) * np.array([ones, third, new_third, 2 * third * fourth, 2 * mixed, new_third * new_fourth])


def _skew(moments: Floats, rest: Floats, size: Floats) -> Floats:
    """The skewness of Σ (x - rest · z) times its standard deviation, (G,), items changed as a whole.

    Those of an urn would need the moments of six ratings of an item.
    """
    x, z, xx, xz, zz, xxx, xxz, xzz, zzz = moments
    mean, square = x - rest * z, xx - 2 * rest * xz + rest**2 * zz
    cube = xxx - 3 * rest * xxz + 3 * rest**2 * xzz - rest**3 * zzz
    third, variance = size @ (cube - 3 * mean * square + 2 * mean**3), size @ (square - mean**2)
    return np.where(variance > ZERO**2, third / np.maximum(variance, ZERO**2), 0.0)
