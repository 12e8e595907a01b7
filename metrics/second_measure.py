"""A coefficient freed of measurement error by a second measure of the same quality, where the error is large.

Gold accuracy rests on a few hundred judgements a version and hardly varies beyond its own error; how often raters
agree rests on all items rated twice. Both follow how often labels are right, and their errors are independent, so the
movement they share is real: benchmark per point of agreement over gold per point of agreement is benchmark per point of
gold, and what attenuates the two cancels (instrumental variable; Fuller 1987, section 2.4). It assumes that raters'
agreement has no way to the model but through right labels.
"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from metrics.intervals import student
from metrics.panel import series_coefficient
from metrics.spec import Estimate

WEAK = "the two measures of label quality do not clearly move together, so neither can correct the other"


def by_second_measure(
    y: ArrayLike, x: ArrayLike, second: ArrayLike, time: ArrayLike, controls: ArrayLike | None = None
) -> Estimate:
    """Units of y per unit of x over the versions of one project, ``second`` measuring the same quality as x.

    y, x, second, time: (versions,) in the order of time, NaN where there is none; controls as for
    ``metrics.panel.series_coefficient``, which gives both coefficients with errors AR(1). n: versions with y. Value:
    the ratio of the two; interval: Fieller's (1954) with independent errors. None where that interval is not finite,
    which is where the second measure does not clearly move with x: a weak instrument tells nothing.
    """
    of_y = series_coefficient(y, second, time, controls).raw
    of_x = series_coefficient(x, second, time, controls).raw
    for one in (of_y, of_x):
        if one.value is None or one.low is None or one.high is None:
            return Estimate.missing(one.reason or WEAK, one.n)
    return ratio(of_y, of_x)


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """Above / below with Fieller's interval, both estimates with symmetric intervals and independent errors."""
    t = float(student(0.975, max(min(above.n, below.n) - 4, 1)))
    a, b = above.value, below.value
    a_error, b_error = ((one.high - one.low) / (2 * t) for one in (above, below))
    lead = b**2 - (t * b_error) ** 2
    if lead <= 0:
        return Estimate.missing(WEAK, above.n)
    root = math.sqrt((a * b) ** 2 - lead * (a**2 - (t * a_error) ** 2))
    low, high = sorted(((a * b - root) / lead, (a * b + root) / lead))
    return Estimate(a / b, low, high, above.n)
