"""Points of benchmark per point of annotation quality: within projects, or within the versions of one project.

Several projects: what is peculiar to a project and what all releases of a period share is taken out (two-way fixed
effects), and what is left is compared. One project: a regression over its versions with a trend and errors that
persist. Quality is itself measured with error, which pulls a coefficient towards 0; ``corrected`` undoes that where the
error is known and not too large. Neither is proof of a cause: what else moved with quality within a project is in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from metrics.association import basis
from metrics.intervals import student
from metrics.spec import Estimate

Floats = NDArray[np.float64]

LEAST_CLUSTERS = 5
"""Projects below which no panel coefficient is given; see ``fixed_effects`` for what was simulated."""

LEAST_RELIABILITY = 0.4
"""Share of quality's variation that must be real for the corrected coefficient to be shown."""

LEAST_FREE = 10
"""Versions of one project beyond the number of coefficients fitted."""

NO_ERROR_KNOWN = "how exactly quality was measured is not known"
UNRELIABLE = f"less than {LEAST_RELIABILITY:.0%} of the variation of quality is more than measurement error"

PERSISTENCE = np.linspace(-0.6, 0.98, 40)
"""The persistences of errors from one version to the next that are thought possible."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A coefficient in units of y per unit of x, as it is and with x's measurement error allowed for.

    ``raw``, ``corrected``: n is the rows used. ``reliability``: the share of the variation of x within projects that is
    not measurement error, at most 1, None where the error is not known. ``clusters``: the projects that say something
    of x, 1 for a single series. ``p_value``: of a raw coefficient of 0, two-sided.
    """

    raw: Estimate
    corrected: Estimate
    reliability: float | None
    clusters: int
    method: str
    p_value: float | None


def fixed_effects(
    y: ArrayLike,
    x: ArrayLike,
    unit: ArrayLike,
    period: ArrayLike,
    controls: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    x_variance: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> Panel:
    """The coefficient of x in y = b x + controls + unit + period, by (weighted) least squares.

    y, x: (rows,), NaN where there is none. unit, period: (rows,) keys of any kind. controls: (rows,) or (rows, k).
    weights: (rows,), above 0, the inverse of a row's error variance; 1 if none. x_variance: (rows,) or a number, the
    squared standard error of x. cluster: (rows,), rows whose errors may go together, each unit within one; the unit
    itself if none.

    Formula. With x~, y~ what unit, period and controls leave: b = x~'y~/x~'x~, the same as with a dummy for each unit
    and period. Interval: cluster-robust with the CR2 adjustment and Satterthwaite degrees of freedom (Bell and
    McCaffrey 2002; Pustejovsky and Tipton 2018), the adjustment taking the fixed effects as fitted coefficients.
    Reliability = 1 - mean(s²)/Var_within(x), s² each weighted by what the fixed effects leave of its row; corrected =
    raw/reliability. The corrected interval rests on the score x~'(y~ - b x~) + b Σs² summed within clusters, so that it
    carries what is uncertain of the reliability (Fuller 1987, section 2.2, made cluster-robust).

    Coverage by simulation with AR(1) errors within clusters: 93 to 97 % from 5 to 40 clusters, raw and corrected; 97 to
    98 %, a little too wide, where 8 clusters differ in spread and a quarter of their rows is missing. No
    coefficient: fewer than 5 clusters in which x says something, an x that the fixed effects or controls explain fully.
    No corrected one: error not known, reliability of .4 or less. Raises ValueError for a unit in two clusters, a weight
    of 0 or less, a negative variance.
    """
    method = "two-way fixed effects, CR2"
    rows = _Rows(y, x, unit, period, controls, weights, x_variance, cluster)
    n = len(rows.y)
    if n == 0:
        return _no_panel("no version has both values", method)
    found_x, found_y = rows.left()
    spread = float(found_x @ found_x)
    if spread <= 1e-20 * float(rows.x @ rows.x):
        return _no_panel("quality does not vary beyond what projects, periods and controls explain", method, n)
    if found_y @ found_y <= 1e-20 * float(rows.y @ rows.y):
        return _no_panel("the benchmark does not vary beyond what projects, periods and controls explain", method, n)
    full = np.column_stack([rows.directions, found_x / math.sqrt(spread)])
    adjusted, members = [], []
    for g in range(rows.clusters):
        inside = np.flatnonzero(rows.cluster == g)
        if (found_x[inside] ** 2).sum() > 1e-10 * spread:
            members.append(inside)
            adjusted.append(_adjusted(found_x[inside], full[inside], rows.own_block(inside)))
    clusters = len(members)
    if clusters < LEAST_CLUSTERS:
        return _no_panel(f"fewer than {LEAST_CLUSTERS} projects tell something of it", method, n, clusters)
    shared = np.array([full[i].T @ a for i, a in zip(members, adjusted, strict=True)])
    # The variance estimate is a sum of squares of normal terms with this covariance, up to a factor.
    covariance = np.diag([a @ a for a in adjusted]) - shared @ shared.T
    df = np.trace(covariance) ** 2 / (covariance**2).sum()
    product = float(found_x @ found_y)

    def estimate(noise: Floats) -> tuple[float, float]:
        """The coefficient and its standard error, ``noise`` of each row's squared x~ being measurement error."""
        left = spread - noise.sum()
        b = product / left
        rest = found_y - b * found_x
        scores = [a @ rest[i] + b * noise[i].sum() for i, a in zip(members, adjusted, strict=True)]
        return b, math.sqrt(np.square(scores).sum()) / left

    b, error = estimate(np.zeros(n))
    half = float(student(0.975, df))
    p = float(2 * special.stdtr(df, -abs(b) / error)) if error > 0 else None
    raw = Estimate(b, b - half * error, b + half * error, n)
    corrected, reliability = Estimate.missing(NO_ERROR_KNOWN, n), None
    if rows.variance is not None:
        noise = rows.variance * rows.free()
        reliability = 1 - float(noise.sum()) / spread
        corrected = Estimate.missing(UNRELIABLE, n)
        if reliability > LEAST_RELIABILITY:
            b, error = estimate(noise)
            corrected = Estimate(b, b - half * error, b + half * error, n)
    return Panel(raw, corrected, reliability, clusters, method, p)


def series_coefficient(
    y: ArrayLike,
    x: ArrayLike,
    time: ArrayLike,
    controls: ArrayLike | None = None,
    x_variance: ArrayLike | None = None,
) -> Panel:
    """The coefficient of x in y = level + trend time + b x + controls, errors AR(1): the versions of one project.

    y, x, time: (versions,) in the order of time, NaN where there is none; a version left out closes up. controls: (n,)
    or (n, k), such as a dummy for each base model. x_variance: (n,) or a number, the squared standard error of x.

    Formula. For each persistence f thought possible the versions are made independent, z_t - f z_(t-1) and
    √(1 - f²) z_1 (Prais and Winsten 1954), and least squares give b_f with Student's t. The f are weighted by their
    restricted likelihood (Harville 1974), which is that of y with all coefficients integrated out; value is the
    weighted mean of b_f, interval and p are those of the weighted mixture of t's. One f alone, as if known, covers too
    little in 26 versions. Corrected: at each f, b_f divided by the reliability x has once neighbours are subtracted,
    with variance (v x~'x~ + b² Σ s_i² P_ij² s_j²)/(x~'x~ - Σ s_i² P_ii)², v the residual variance (Fuller 1987,
    section 2.2).

    Coverage by simulation 93 to 97 % for 26, 39 and 77 versions and errors with persistence .3, .55, .8. No
    coefficient: fewer than 10 versions beyond the coefficients fitted, an x that trend and controls explain fully. No
    corrected one: as ``fixed_effects``. Raises ValueError for a negative variance.
    """
    method = "regression over versions, AR(1) errors"
    y = np.asarray(y, dtype=float).ravel()
    variance = _variance(x_variance, len(y))
    if variance is not None:
        y = np.where(np.isfinite(variance), y, np.nan)
    ready = aligned({"the benchmark": y}, x, time, controls)
    n, free, beside = len(ready.x), ready.free, ready.beside
    if ready.reason:
        return _no_panel(ready.reason, method, n, int(free >= LEAST_FREE))
    y, x = ready.series[:, 0], ready.x
    variance = None if variance is None else variance[ready.known]
    fits = [_at(f, y, x, beside, free) for f in PERSISTENCE]
    log, b, error = np.array(fits).T
    weight = np.exp(log - log.max())
    weight = np.where(weight > 1e-4, weight, 0) / weight[weight > 1e-4].sum()
    raw, p = _mixture(weight, b, error, free, n)
    corrected, known_share = Estimate.missing(NO_ERROR_KNOWN, n), None
    if variance is not None:
        likely = weight > 0
        fits = [_corrected_at(f, y, x, beside, variance, free) for f in PERSISTENCE[likely]]
        reliability, b, error = np.array(fits).T
        known_share = float(weight[likely] @ reliability)
        corrected = Estimate.missing(UNRELIABLE, n)
        if known_share > LEAST_RELIABILITY:
            some = np.where(reliability > LEAST_RELIABILITY / 2, weight[likely], 0)
            corrected, _ = _mixture(some / some.sum(), b, error, free, n)
    return Panel(raw, corrected, known_share, 1, method, p)


# -------------------------------------------------------------------------------------------------- several projects


class _Rows:
    """The rows with all values, each multiplied by the root of its weight, and what the fixed effects span."""

    def __init__(self, y, x, unit, period, controls, weights, x_variance, cluster) -> None:
        y, x = np.asarray(y, dtype=float).ravel(), np.asarray(x, dtype=float).ravel()
        beside = _table(controls, len(y))
        root = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
        if np.any(root <= 0):
            raise ValueError("A weight is above 0.")
        root = np.sqrt(root)
        variance = _variance(x_variance, len(y))
        known = np.isfinite(y) & np.isfinite(x) & np.isfinite(root) & np.isfinite(beside).all(axis=1)
        if variance is not None:
            known &= np.isfinite(variance)
        root, beside = root[known], beside[known]
        self.y, self.x = root * y[known], root * x[known]
        self.variance = None if variance is None else root**2 * variance[known]
        self.unit = _codes(unit)[known]
        self.cluster = self.unit if cluster is None else _codes(cluster)[known]
        if cluster is not None and len(set(zip(self.unit, self.cluster, strict=True))) > len(set(self.unit)):
            raise ValueError("A unit lies within one cluster.")
        self.clusters = int(self.cluster.max()) + 1 if len(self.cluster) else 0
        self.level = root / np.sqrt(np.bincount(self.unit, root**2))[self.unit] if len(root) else root
        dummies = np.eye(1 + max(_codes(period)[known], default=0))[_codes(period)[known]]
        columns = np.column_stack([dummies, beside]) * root[:, None]
        rest = columns - self.own(columns)
        # What units explain fully is rounding afterwards, and no direction.
        rest[:, (rest**2).sum(axis=0) <= 1e-16 * (columns**2).sum(axis=0)] = 0
        self.directions = basis(rest)

    def own(self, values: Floats) -> Floats:
        """The part of the values, (rows,) or (rows, k), that units explain: their weighted means."""
        level = self.level if values.ndim == 1 else self.level[:, None]
        sums = np.zeros((len(self.y) and int(self.unit.max()) + 1, *values.shape[1:]))
        np.add.at(sums, self.unit, level * values)
        return level * sums[self.unit]

    def left(self) -> tuple[Floats, Floats]:
        """What units, periods and controls leave of x and of y."""
        rest = [s - self.own(s) for s in (self.x, self.y)]
        rest = [s - self.directions @ (self.directions.T @ s) for s in rest]
        return rest[0], rest[1]

    def free(self) -> Floats:
        """The share of an independent error that the fixed effects and controls leave in each row."""
        return 1 - self.level**2 - (self.directions**2).sum(axis=1)

    def own_block(self, rows: NDArray[np.intp]) -> Floats:
        """The projection onto units among these rows."""
        same = self.unit[rows][:, None] == self.unit[rows]
        return np.outer(self.level[rows], self.level[rows]) * same


def _adjusted(found: Floats, full: Floats, own: Floats) -> Floats:
    """x~ of one cluster times the inverse root of what the fit leaves of its errors' covariance (CR2)."""
    size, vectors = np.linalg.eigh(np.eye(len(found)) - own - full @ full.T)
    root = np.where(size > 1e-8, 1 / np.sqrt(np.maximum(size, 1e-8)), 0)
    return vectors @ (root * (vectors.T @ found))


def _no_panel(reason: str, method: str, n: int = 0, clusters: int = 0) -> Panel:
    return Panel(Estimate.missing(reason, n), Estimate.missing(reason, n), None, clusters, method, None)


def _table(controls: ArrayLike | None, n: int) -> Floats:
    controls = np.empty((n, 0)) if controls is None else np.asarray(controls, dtype=float)
    return controls[:, None] if controls.ndim == 1 else controls


def _variance(x_variance: ArrayLike | None, n: int) -> Floats | None:
    if x_variance is None:
        return None
    variance = np.broadcast_to(np.asarray(x_variance, dtype=float), (n,))
    if np.any(variance < 0):
        raise ValueError("A variance is 0 or more.")
    return variance


def _codes(keys: ArrayLike) -> NDArray[np.intp]:
    return np.unique(np.asarray(keys).ravel(), return_inverse=True)[1]


# ------------------------------------------------------------------------------------------------------- one project


class Aligned(NamedTuple):
    """The versions that have all: series (n, k), x (n,), an orthonormal ``beside`` of level, trend and controls.

    known: which versions these are. free: versions less the coefficients fitted. reason: why there is no coefficient.
    """

    series: Floats
    x: Floats
    beside: Floats
    known: NDArray[np.bool_]
    free: int
    reason: str


def aligned(
    series: Mapping[str, ArrayLike],
    x: ArrayLike,
    time: ArrayLike,
    controls: ArrayLike | None,
    regressor: str = "quality",
) -> Aligned:
    """Named series, the ``regressor`` x and what stands beside it, where all are known."""
    table = np.column_stack([np.asarray(s, dtype=float).ravel() for s in series.values()])
    x, time = (np.asarray(s, dtype=float).ravel() for s in (x, time))
    beside = np.column_stack([np.ones(len(x)), time, _table(controls, len(x))])
    known = np.isfinite(np.column_stack([table, x, beside])).all(axis=1)
    table, x, beside = table[known], x[known], beside[known]
    n = len(x)
    beside[:, 1] -= beside[:, 1].mean() if n else 0
    beside = basis(beside)
    free, reason = n - beside.shape[1] - 1, ""
    if free < LEAST_FREE:
        reason = f"fewer than {LEAST_FREE} versions beyond the {n - free} coefficients fitted"
    for name, one in zip((regressor, *series), (x, *table.T), strict=True):
        left = one - beside @ (beside.T @ one)
        if not reason and left @ left <= 1e-20 * (one @ one):
            reason = f"{name} does not vary beyond what trend and controls explain"
    return Aligned(table, x, beside, known, free, reason)


class Fit(NamedTuple):
    """Several series regressed on one, errors of one persistence, and what each leaves over.

    coefficients: (series,). left: (series, series), sums of products of what is left over. spread: sum of squares of
    the regressor once the rest is taken out. log: the part of the restricted log likelihood that is the same for all
    series; that of series k is log - free/2 log(left[k, k]).
    """

    coefficients: Floats
    left: Floats
    spread: float
    log: float


def fit_at(f: float, series: Floats, x: Floats, beside: Floats) -> Fit:
    """With persistence f: series, (n, k), on x beside an orthonormal ``beside``, all without gaps."""
    series, x, beside = (_independent(f, z) for z in (series, x, beside))
    q, r = np.linalg.qr(beside)
    series, x = (z - q @ (q.T @ z) for z in (series, x))
    spread = float(x @ x)
    found = x @ series / spread
    rest = series - np.outer(x, found)
    log = 0.5 * math.log(1 - f**2) - np.log(np.abs(np.diag(r))).sum() - 0.5 * math.log(spread)
    return Fit(found, rest.T @ rest, spread, float(log))


def _at(f: float, y: Floats, x: Floats, beside: Floats, free: int) -> tuple[float, float, float]:
    """With persistence f: the restricted log likelihood, b and its standard error."""
    found = fit_at(f, y[:, None], x, beside)
    rest = float(found.left[0, 0])
    log = found.log - 0.5 * free * math.log(max(rest, 1e-300))
    return log, float(found.coefficients[0]), math.sqrt(rest / free / found.spread)


def _corrected_at(
    f: float, y: Floats, x: Floats, beside: Floats, variance: Floats, free: int
) -> tuple[float, float, float]:
    """With persistence f: the reliability, the corrected b and its standard error; P is the projection."""
    apart = np.abs(np.subtract.outer(np.arange(len(x)), np.arange(len(x))))
    inverse = np.where(apart == 0, 1 + f**2, np.where(apart == 1, -f, 0.0))
    inverse[0, 0] = inverse[-1, -1] = 1.0
    taken = inverse @ beside
    projection = inverse - taken @ np.linalg.solve(beside.T @ taken, taken.T)
    noise = projection * np.sqrt(np.outer(variance, variance))
    spread = float(x @ projection @ x)
    left = spread - float(np.trace(noise))
    if left <= 0:
        return left / spread, 0.0, math.inf
    b = float(x @ projection @ y) / left
    rest = y - b * x
    residual = float(rest @ projection @ rest) / free
    return left / spread, b, math.sqrt(residual * spread + b**2 * float((noise**2).sum())) / left


def _independent(f: float, z: Floats) -> Floats:
    return np.concatenate([math.sqrt(1 - f**2) * z[:1], z[1:] - f * z[:-1]])


def _mixture(weight: Floats, b: Floats, error: Floats, df: int, n: int) -> tuple[Estimate, float | None]:
    """Mean and 95 % interval of a mixture of Student's t, and the p value of 0."""
    value = float(weight @ b)
    used = weight > 1e-9
    weight, b, error = weight[used] / weight[used].sum(), b[used], error[used]
    if not error.min() > 0:
        return Estimate(value, n=n), None

    def below(at: float, p: float = 0.0) -> float:
        return float(weight @ special.stdtr(df, (at - b) / error)) - p

    reach = 50 * error.max()
    low, high = (optimize.brentq(below, b.min() - reach, b.max() + reach, args=(p,)) for p in (0.025, 0.975))
    return Estimate(value, min(low, value), max(high, value), n), 2 * min(below(0.0), 1 - below(0.0))
