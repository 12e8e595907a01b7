"""Do better labels go with better models? Every annotation quality beside every benchmark, over model versions.

Two questions, kept apart. The matrix asks which qualities and benchmarks move together, and counts all it looked at:
rank correlations over versions in order of training, the q values over all cells and lags. A coefficient then sizes a
link, in units of benchmark per unit of quality. Both are observations of versions that were trained anyway: what else
changed with the labels is in them, but for the controls (data volume, base model, a trend in time).

Timely versions only: what cannot have happened in the order on record takes no part (metrics.lineage.untimely).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics import association, ladder, panel
from metrics.association import KENDALL, PEARSON, SPEARMAN, Association
from metrics.exposures import CELLS, WHOLE, by_cells
from metrics.panel import Panel
from metrics.qualities import QUALITIES
from metrics.second_measure import by_second_measure
from metrics.spec import Estimate

Floats = NDArray[np.float64]
Z = 1.959964  # the normal quantile of .975

LAGS = (0, 1)
"""Versions between labels and benchmark, declared before looking: the labels a version was trained on, and those of the
version before it."""

STANDS = 0.10
"""The false-discovery rate up to which a cell of the matrix is called a finding."""

UNCORRECTED = "measurement error left in, which pulls it towards 0"
EPOCH = np.datetime64("2020-01-01")  # days are counted from it
SERIES = ["project", "benchmark", "metric"]
ALL_PROJECTS = "all projects"
VERSIONS, PANEL = "versions", "panel"
PREWHITENED = "prewhitened"
CALLED = {
    SPEARMAN: "rank correlation",
    PEARSON: "correlation",
    KENDALL: "Kendall's tau",
    PREWHITENED: "rank correlation of what the last version does not foretell",
}
"""How the cells of the matrix may be made, and what the coefficient is called; Spearman's unless asked otherwise.
Prewhitened is Spearman's after each series' own persistence is taken out (metrics.association)."""

SECOND_MEASURE = "percent_agreement"  # of the same quality as gold and audits: how often labels are right
MIXED = "the record says both that higher and that lower is better"
NOT_SHARES = "a second measure sizes only how a share of right labels goes with a benchmark that is a share"
BOTH = "it is measured by policy and language at once, and labels are compared by one of them"
OPPOSITE = "higher is better in some projects and lower in others, so their benchmarks are not one measure"
UNKNOWN = "no version of this benchmark is on record with its training"


@dataclass(frozen=True)
class Link:
    """A benchmark of a project and what it is compared with, one entry per version in the order of training.

    versions; days, when each was trained; base, its base model; volume, log of the items it was trained on. table: the
    slices, each version's value by member (policy, language, or "" for a benchmark measured as a whole), NaN where it
    is not known or did not happen in order. left_out: why versions take no part, with how many. reason: why there is
    nothing to compare at all.
    """

    project: str
    benchmark: str
    metric: str
    higher: bool
    by: str
    versions: tuple[str, ...]
    days: Floats
    base: tuple[str, ...]
    table: pd.DataFrame
    left_out: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Project, benchmark and metric."""
        return self.project, self.benchmark, self.metric

    def slices(self) -> tuple[str, ...]:
        """The policies or languages of several that have enough versions to be compared alone."""
        enough = self.table.notna().sum() >= association.LEAST_POINTS
        return tuple(enough.index[enough]) if self.by and len(enough) > 1 and not self.reason else ()

    def slice(self, member: str) -> Link:
        """The link of one policy or language alone; KeyError for one that is not measured."""
        return replace(self, table=self.table[[member]])

    def controls(self, exposed: Mapping[str, ArrayLike]) -> Floats:
        """Log data volume and base-model dummies, (versions, k); the most common base model is the one left out."""
        items = np.asarray(exposed["items"], float)
        known = items > 0
        volume = np.where(known, np.log(np.where(known, items, 1.0)), np.nan)
        return np.column_stack([volume, self._base_models])

    @cached_property
    def _base_models(self) -> Floats:
        kinds = [kind for kind, _ in Counter(self.base).most_common()[1:]]
        return np.array([[b == kind for kind in kinds] for b in self.base], float).reshape(len(self.base), len(kinds))


def links(measures: pd.DataFrame, models: pd.DataFrame, untimely: pd.DataFrame, cells: bool = False) -> list[Link]:
    """Every benchmark of every project with its versions; frames of metrics.lineage, by project, benchmark, metric.

    cells: whether labels are known by policy and language at once, which a benchmark measured so is compared with.
    """
    known = measures.dropna(subset=["project"]).reset_index(drop=True)
    order = models.drop_duplicates("model_version").set_index("model_version")
    order = order.reindex(known["model_version"])
    trained = order["trained_at"].to_numpy("datetime64[us]")
    version, names = pd.factorize(known["model_version"], sort=True)
    measured = known["measured_at"].to_numpy("datetime64[us]")
    rank = np.empty(len(known), np.intp)
    rank[np.lexsort((measured, version, trained))] = np.arange(len(known))
    rows = _Rows(
        names.to_numpy(object)[version],
        trained,
        order["base_model"].fillna("").astype(str).to_numpy(object),
        known["value"].to_numpy(float),
        known["higher_is_better"].to_numpy(bool),
        {by: known[by].to_numpy(object) for by in ("policy", "language")} | {CELLS: by_cells(known).to_numpy(object)},
        rank,
    )
    wrong = untimely.drop_duplicates(["benchmark", "model_version"])
    late = list(zip(wrong["benchmark"], wrong["model_version"], wrong["reason"], strict=True))
    return [_link(key, rows, at, late, cells) for key, at in sorted(known.groupby(SERIES).indices.items())]


class _Rows(NamedTuple):
    """Measures by column, (rows,), and each row's rank by when its version was trained and it was measured."""

    version: NDArray[np.object_]
    trained: NDArray[np.datetime64]
    base: NDArray[np.object_]
    value: Floats
    higher: NDArray[np.bool_]
    cut: dict[str, NDArray[np.object_]]
    rank: NDArray[np.intp]


def _link(key: tuple, rows: _Rows, at: NDArray[np.intp], late: list[tuple], cells: bool) -> Link:
    """The link of the rows at these places; late: of untimely versions benchmark (null is any), version, reason."""
    by, at, reason = _slices(rows, at, cells)
    higher = rows.higher[at]
    trained = at[~np.isnat(rows.trained[at])]
    # The newest value of each version and slice, versions in the order of training.
    newest = {(rows.version[k], rows.cut[by][k] if by else ""): k for k in trained[np.argsort(rows.rank[trained])]}
    first = {version: k for (version, _), k in newest.items()}
    place, members = {version: k for k, version in enumerate(first)}, sorted({member for _, member in newest})
    wrong: dict[str, str] = {}
    for benchmark, version, why_not in late:
        if version in place and (pd.isna(benchmark) or benchmark == key[1]):
            wrong.setdefault(version, str(why_not))
    table = np.full((len(place), len(members)), np.nan)
    for (version, member), k in newest.items():
        if version not in wrong and np.isfinite(rows.value[k]):
            table[place[version], members.index(member)] = rows.value[k]
    versions, on = tuple(str(v) for v in first), list(first.values())
    reason = UNKNOWN if not versions else MIXED if higher.min() != higher.max() else reason
    return Link(
        *(str(k) for k in key),
        bool(higher[-1]),
        by,
        versions,
        (rows.trained[on] - EPOCH) / np.timedelta64(1, "D"),
        tuple(rows.base[on]),
        pd.DataFrame(table, index=pd.Index(versions, name="model_version"), columns=pd.Index(members, name="member")),
        dict(Counter(wrong.values()).most_common()),
        reason,
    )


def _slices(rows: _Rows, at: NDArray[np.intp], cells: bool) -> tuple[str, NDArray[np.intp], str]:
    """What a benchmark is measured by, its measures by that, and why it cannot be compared.

    Policy goes before language, and either before the whole; a value of a policy in one language is neither. Where a
    benchmark has nothing else it is compared by both at once; where labels are not known so (``cells``) there is no
    link, for several of its values would be one.
    """
    policy, language = (~pd.isna(rows.cut[by][at]) for by in ("policy", "language"))
    for by, inside in (("policy", policy & ~language), ("language", language & ~policy)):
        if inside.any():
            return by, at[inside], ""
    whole = at[~policy & ~language]
    if len(whole):
        return "", whole, ""
    return (CELLS, at, "") if cells else ("", at, BOTH)


class Exposed:
    """The exposures, ready to be laid beside a benchmark's versions."""

    COLUMNS = ("value", "low", "high", "items")

    def __init__(self, rows: pd.DataFrame) -> None:
        names = rows["model_version"].drop_duplicates().tolist()
        self._place = {name: k for k, name in enumerate(names)}
        at = rows["model_version"].map(self._place).to_numpy(np.intp)
        values, reasons = rows[[*self.COLUMNS]].to_numpy(float), rows["reason"].to_numpy(object)
        self._parts: dict[tuple, tuple[Floats, NDArray]] = {}
        for key, inside in rows.groupby(["quality", "by", "member"]).indices.items():
            # One place more than versions, for one that is not known.
            table = np.full((len(names) + 1, len(self.COLUMNS)), np.nan)
            why_not = np.full(len(names) + 1, "", object)
            table[at[inside]], why_not[at[inside]] = values[inside], reasons[inside]
            self._parts[key] = table, why_not

    def of(self, quality: str, by: str, member: str, versions: tuple[str, ...]) -> tuple[Floats, NDArray]:
        """COLUMNS of each version, (versions, 4), NaN where there is none, and the reasons."""
        found = self._parts.get((quality, by, member))
        if found is None:
            return np.full((len(versions), len(self.COLUMNS)), np.nan), np.full(len(versions), "", object)
        places = [self._place.get(v, -1) for v in versions]
        return found[0][places], found[1][places]


def series(link: Link, quality: str, exposed: Exposed) -> pd.DataFrame:
    """A benchmark and a quality over versions, a row each: y, x, x_low, x_high, x_variance, items, reason.

    Of a benchmark measured by policy or language x and y are means over the slices known in both, each as the deviation
    from its own slice's mean, so that a slice missing from one version does not move the mean; the overall means are
    put back.
    """
    return pd.DataFrame(_columns(link, quality, exposed), index=list(link.versions))


def _columns(link: Link, quality: str, exposed: Exposed) -> dict[str, NDArray]:
    """``series`` as arrays by column: the matrix needs hundreds of them."""
    y = link.table.to_numpy(float)
    parts = [exposed.of(quality, link.by, str(member), link.versions) for member in link.table]
    x, low, high, items = np.moveaxis(np.stack([values for values, _ in parts], axis=1), 2, 0)
    variance = ((high - low) / (2 * Z)) ** 2
    both = np.isfinite(y) & np.isfinite(x)
    if len(parts) == 1:
        columns = (y, np.where(np.isfinite(y), x, np.nan), low, high, variance, items)
        said = dict(zip(("y", "x", "x_low", "x_high", "x_variance", "items"), (c[:, 0] for c in columns), strict=True))
        return {**said, "reason": parts[0][1]}
    count = both.sum(axis=1)
    with np.errstate(all="ignore"):
        share = np.where(count > 0, 1 / count, np.nan)

        def mean(values: Floats) -> Floats:
            own = np.where(both, values, 0.0).sum(axis=0) / both.sum(axis=0)
            level = own[np.isfinite(own)].mean() if np.isfinite(own).any() else np.nan
            return np.where(both, values - own, 0.0).sum(axis=1) * share + level

        mean_x, square = mean(x), np.where(both, variance, 0.0).sum(axis=1) * share**2
        half = Z * np.sqrt(square)
        mean_y = mean(y)
    said = {"y": mean_y, "x": mean_x, "x_low": mean_x - half, "x_high": mean_x + half, "x_variance": square}
    return {**said, "items": np.nansum(items, axis=1), "reason": parts[0][1]}


# ------------------------------------------------------------------------------------------------------------- matrix


def at_lag(link: Link, rows: Mapping[str, ArrayLike], lag: int, method: str = SPEARMAN) -> Association:
    """One cell of the matrix: a correlation (CALLED), controls and a linear trend taken out. rows: of ``series``."""
    controls = np.column_stack([link.days, link.controls(rows)])
    if lag:  # the volume beside y is not known where that version's labels are not, and there it says nothing
        column = controls[:, 1]
        controls[:, 1] = np.where(np.isfinite(column), column, np.nanmean(column) if np.isfinite(column).any() else 0.0)
    kind, surprises = (SPEARMAN, True) if method == PREWHITENED else (method, False)
    found = association.associate(rows["x"], rows["y"], controls, kind, surprises, lag)
    if found.estimate.value is not None:
        return replace(found, method=method)
    return Association(method, Estimate.missing(why(link, rows, found.estimate.reason), found.estimate.n),
                       found.n_effective, None, lag)  # fmt: skip


def added_variable(link: Link, rows: pd.DataFrame) -> pd.DataFrame:
    """x_left and y_left: x and y with volume, base model and trend taken out by least squares, means put back.

    What a cell's correlation is about, for a drawing (an added-variable plot); NaN where a version has not all.
    """
    table = np.column_stack([rows[["x", "y"]], np.ones(len(rows)), link.days, link.controls(rows)]).astype(float)
    known = np.isfinite(table).all(axis=1)
    left = np.full((len(rows), 2), np.nan)
    if known.any():
        beside = association.basis(table[known, 2:] - np.append(0.0, table[known, 3:].mean(axis=0)))
        both = table[known, :2]
        left[known] = both - beside @ (beside.T @ both) + both.mean(axis=0)
    return rows.assign(x_left=left[:, 0], y_left=left[:, 1])


def why(link: Link, rows: Mapping[str, ArrayLike], reason: str) -> str:
    """Why there is no coefficient: the plainest of what stands in the way."""
    if link.reason:
        return link.reason
    known, measured = np.isfinite(np.asarray(rows["x"], float)), np.isfinite(np.asarray(rows["y"], float))
    if link.left_out and measured.sum() < association.LEAST_POINTS:
        most, n = max(link.left_out.items(), key=lambda one: one[1])
        return f"{n} of {len(link.versions)} versions are left out: {most}"
    said = [r for r in np.asarray(rows["reason"], object)[~known] if isinstance(r, str) and r]
    if known.sum() < association.LEAST_POINTS and len(said) >= len(known) / 2:
        return Counter(said).most_common(1)[0][0]
    return reason


def matrix(found: list[Link], exposed: Exposed, lags: tuple[int, ...] = LAGS, method: str = SPEARMAN) -> pd.DataFrame:
    """Every quality x benchmark x lag: ROW and better, reason, slice, higher_is_better, by, benchmark_metric.

    A benchmark by policy or language is looked at as a whole (slice "") and by each slice with enough versions, for a
    reader may open any of them. q_value counts every test of the frame (Benjamini and Hochberg 1995); a filter that
    hides rows does not change it.
    method: of CALLED; it is chosen before looking, so one method's tests count and not those of all.
    better: the coefficient turned so that above 0 means better labels with a better model; NaN for a quality without a
    better side.
    """
    cells, out = [], []
    for link, part in [(one, part) for one in found for part in (WHOLE, *one.slices())]:
        link = link.slice(part) if part else link
        for quality in QUALITIES.values():
            beside = {} if link.reason else _columns(link, quality.name, exposed)
            for lag in lags:
                if link.reason:
                    one = Association(method, Estimate.missing(link.reason), 0.0, None, lag)
                else:
                    one = at_lag(link, beside, lag, method)
                cells.append(one)
                row = row_of(link, quality.name, one.lag, method, one.estimate, one.n_effective, one.p_value)
                out.append(row | {"slice": part})
    if not out:
        return pd.DataFrame(columns=[*ROW, *BESIDE])
    adjusted = association.q_values(cells)
    rows = pd.DataFrame(out).assign(q_value=adjusted.q, design=ladder.PARTIAL)
    rows["narrative"] = [narrative(row) for row in rows.to_dict("records")]
    return rows


# ------------------------------------------------------------------------------------------------------- coefficients


def coefficient(link: Link, quality: str, exposed: Exposed) -> tuple[Panel, str]:
    """Units of benchmark per unit of quality, and its design in the ladder's words.

    A benchmark by policy or language with enough slices: two-way fixed effects, unit the slice, period the version,
    cluster the slice, log volume of the slice beside. Else one regression over the versions, log volume and base model
    beside a trend in time.
    """
    if link.reason:
        return _no_panel(link.reason), ladder.PARTIAL
    if link.by and len(link.table.columns) >= panel.LEAST_CLUSTERS:
        tall = _tall(link, quality, exposed)
        found = panel.fixed_effects(tall["y"], tall["x"], tall["member"], tall["version"], tall["volume"],
                                    x_variance=tall["variance"])  # fmt: skip
        if found.raw.value is not None:
            return found, ladder.FIXED_EFFECTS
    rows = series(link, quality, exposed)
    variance = rows["x_variance"].to_numpy(float)
    known = variance if np.isfinite(variance).any() else None
    found = panel.series_coefficient(rows["y"], rows["x"], link.days, link.controls(rows), known)
    if found.raw.value is None:
        return _no_panel(why(link, rows, found.raw.reason), found.raw.n), ladder.PARTIAL
    return found, ladder.PARTIAL


def by_agreement(link: Link, quality: str, exposed: Exposed) -> Estimate:
    """Units of benchmark per unit of quality, freed of error by raters' agreement as a second measure of it."""
    if link.reason:
        return Estimate.missing(link.reason)
    known = link.table.to_numpy(float)
    known = known[np.isfinite(known)]
    if not QUALITIES[quality].sized or np.any((known < 0) | (known > 1)):
        return Estimate.missing(NOT_SHARES)
    rows, second = series(link, quality, exposed), series(link, SECOND_MEASURE, exposed)
    found = by_second_measure(rows["y"], rows["x"], second["x"], link.days, link.controls(second))
    return found if found.value is not None else Estimate.missing(why(link, rows, found.reason), found.n)


def over_projects(found: list[Link], metric: str, quality: str, exposed: Exposed) -> Panel:
    """Units of a benchmark metric per unit of quality over all projects: unit a benchmark or slice, period a month.

    Errors of one project go together (cluster). None with fewer than 5 projects that say something, nor where higher is
    better for some of them and lower for others: under one name these are two things, and one would cancel the other.
    """
    ours = [link for link in found if link.metric == metric and not link.reason]
    if len({link.higher for link in ours}) > 1:
        return _no_panel(OPPOSITE)
    tall = [_tall(link, quality, exposed) for link in ours]
    if not tall:
        return _no_panel(UNKNOWN)
    rows = pd.concat(tall, ignore_index=True)
    variance = rows["variance"] if np.isfinite(rows["variance"]).any() else None
    return panel.fixed_effects(rows["y"], rows["x"], rows["unit"], rows["month"], rows["volume"], x_variance=variance,
                               cluster=rows["project"])  # fmt: skip


def _tall(link: Link, quality: str, exposed: Exposed) -> pd.DataFrame:
    """A row per version and slice: y, x, variance, volume, member, version, month, unit, project."""
    month = (link.days // 30.4375).astype(int)
    out = []
    for member in link.table:
        value, low, high, items = exposed.of(quality, link.by, str(member), link.versions)[0].T
        with np.errstate(all="ignore"):
            volume = np.where(items > 0, np.log(items), np.nan)
        out.append(
            pd.DataFrame(
                {
                    "y": link.table[member].to_numpy(float),
                    "x": value,
                    "variance": ((high - low) / (2 * Z)) ** 2,
                    "volume": volume,
                    "member": member,
                    "version": list(link.versions),
                    "month": month,
                    "unit": "\x1f".join((*link.key, member)),
                    "project": link.project,
                }
            )
        )
    return pd.concat(out, ignore_index=True)


def _no_panel(reason: str, n: float = 0) -> Panel:
    return Panel(Estimate.missing(reason, n), Estimate.missing(reason, n), None, 0, "", None)


# --------------------------------------------------------------------------------------------------------------- rows

ROW = [
    "metric", "benchmark", "project", "lag", "method", "estimate", "low", "high", "n", "n_effective", "p_value",
    "q_value", "design", "narrative",
]  # fmt: skip
BESIDE = ["better", "reason", "slice", "higher_is_better", "by", "benchmark_metric"]


def coefficient_row(link: Link, quality: str, found: Panel, design: str) -> dict[str, object]:
    """A coefficient as a row of ROW: the corrected one where there is one, else the raw; benchmark units per unit.

    No q value: a coefficient sizes a link, whether it stands is the matrix's to say.
    """
    best = found.corrected if found.corrected.value is not None else found.raw
    method = PANEL if design == ladder.FIXED_EFFECTS else VERSIONS
    row = row_of(link, quality, 0, method, best, np.nan, found.p_value)
    row |= {"q_value": np.nan, "design": design, "corrected": found.corrected.value is not None}
    return row | {"narrative": narrative(row)}


def row_of(
    link: Link, quality: str, lag: int, method: str, found: Estimate, points: float, p: float | None
) -> dict[str, object]:
    """A row of ROW without its q value, design and narrative, and better, reason, by and the benchmark's metric."""
    value, low, high = (np.nan if v is None else v for v in (found.value, found.low, found.high))
    side = QUALITIES[quality].better * (1 if link.higher else -1)
    return {
        "metric": quality,
        "benchmark": link.benchmark,
        "project": link.project,
        "lag": lag,
        "method": method,
        "estimate": value,
        "low": low,
        "high": high,
        "n": found.n,
        "n_effective": points,
        "p_value": np.nan if p is None else p,
        "q_value": np.nan,
        "design": "",
        "narrative": "",
        "better": value * side if side else np.nan,
        "reason": found.reason,
        "slice": WHOLE,
        "higher_is_better": link.higher,
        "by": link.by,
        "benchmark_metric": link.metric,
    }


def named(row: Mapping) -> str:
    """The benchmark of a row with its slice: "harmful-prompts-languages, vi"."""
    return f"{row['benchmark']}, {row['slice']}" if row["slice"] else str(row["benchmark"])


def told(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns ROW, as they leave the program: a slice is told with its benchmark."""
    return rows.assign(benchmark=[named(row) for row in rows.to_dict("records")])[ROW]


def narrative(row: dict[str, object]) -> str:
    """The row in one sentence, its verb from the ladder; what did not stand says so."""
    quality = QUALITIES[str(row["metric"])].label
    outcome = f"{named(row)} ({row['benchmark_metric']}) of {row['project']}"
    if row["reason"]:
        return f"{quality} and {outcome}: {row['reason']}"
    between = f"({_number(row['low'])} to {_number(row['high'])})"
    if row["method"] in CALLED:
        when = "" if not row["lag"] else " one version later"
        rho = f"{CALLED[str(row['method'])]} {_number(row['estimate'])} {between}, q {row['q_value']:.2g}"
        if row["q_value"] <= STANDS:
            return f"{ladder.linked(ladder.Rung.ASSOCIATION, quality, outcome)}{when}: {rho}; {ladder.NOT_PROOF}"
        return f"whether {quality} and {outcome}{when} go together cannot be told: {rho}"
    rung = ladder.rung_of(str(row["design"]))
    size = f"{_number(row['estimate'])} {between} points"
    weak = "" if row["corrected"] else f", {UNCORRECTED}"
    if QUALITIES[str(row["metric"])].unit != "share":
        said = f"each unit of {quality} went with {_number(row['estimate'])} {between} of {outcome}"
        return f"{said}{weak}; {ladder.NOT_PROOF}"
    return f"{ladder.per_point(rung, quality, outcome, size)}{weak}; {ladder.NOT_PROOF}"


def _number(value: object) -> str:
    return f"{float(value):+.2f}".replace("-0.00", "0.00").replace("+0.00", "0.00").replace("-", "−")  # type: ignore[arg-type]
