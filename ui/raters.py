"""What the rater quality page shows: pools against target, their weeks, and the raters of one pool."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from data_access.dimensions import TENURE_BANDS, TENURE_LAST
from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import control, drift, fatigue, gap, intervals, learning, skill, spam, speed
from metrics.catalogue import METRICS
from metrics.spec import Status
from ui import data, figures, periods, rater_errors
from ui import format as fmt
from ui.figures import KEPT

Columns = dict[str, np.ndarray]
MEASURES = ("gold_accuracy", "audit_accuracy")
WEEKS = 26  # what drift, pace and control limits look back over
NEW_WEEKS = 26  # tenure up to which a rater is learning
LEAST_AN_HOUR = 20  # gold judgements for an hour of the shift to be drawn
GROUPS = (skill.BELOW, skill.CANNOT_TELL, skill.ABOVE)
SUMS = (
    "gold_n",
    "gold_correct",
    "judgements",
    "handle_n",
    "handle_sum_seconds",
    "handle_sum_log",
    "handle_sum_log_squared",
)
_KNOWN = "rater alias group value pace more q spam signals drift_verdict n reason place"
NOBODY = pd.DataFrame(columns=_KNOWN.split())
AUDITS = ("audited_weight", "audited_weight_squared", "audited_weight_passed")


# ---- pools -----------------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def pools(snapshot: Snapshot, filters: Filters, metric: str) -> tuple[pd.DataFrame, str]:
    """figures.breakdown() by pool; `shift`: "fall since 26 Oct", or nothing."""
    rows, why_not = figures.breakdown(snapshot, filters, metric, "pool")
    if rows.empty:
        return rows, why_not
    known = {pool: f"{side} since {fmt.day(at)}" for pool, (side, at) in shifts(snapshot, filters, metric).items()}
    return rows.assign(shift=[known.get(member, "") for member in rows["member"]]), ""


class Person(NamedTuple):
    """Who a rater is, under a pseudonym."""

    alias: str
    pool: str
    language: str
    hired_on: dt.date | None


@st.cache_data(**KEPT)
def people(snapshot: Snapshot) -> dict[str, Person]:
    """Every rater by id."""
    rows = snapshot.table("rater")
    hired = [None if pd.isna(at) else pd.Timestamp(at).date() for at in rows["hired_on"]]
    columns = (rows[c].to_numpy(object) for c in ("rater_id", "alias", "pool_id", "language"))
    return {
        str(rater): Person(alias if isinstance(alias, str) else str(rater), str(pool), str(language), on)
        for rater, alias, pool, language, on in zip(*columns, hired, strict=True)
    }


@dataclass(frozen=True)
class Weekly:
    """A share by week with its control limits: `at`, value, center, low, high, n, out, inside (the period).

    shift: a small lasting change that came to light in the period, "fall" or "rise", and the week it began; or None.
    """

    points: pd.DataFrame
    reason: str = ""
    shift: tuple[str, dt.date] | None = None

    @property
    def out(self) -> pd.DataFrame:
        """The weeks of the period that left the limits."""
        return self.points[self.points["out"] & self.points["inside"]]


def looked_back(filters: Filters, weeks: int = WEEKS) -> Filters:
    """The filters over whole weeks, at least so many, up to the end of the period."""
    return filters.over(*periods.ending((filters.start, filters.end), weeks))


@st.cache_data(**KEPT)
def _by_week(snapshot: Snapshot, filters: Filters, metric: str) -> pd.DataFrame:
    """Hits and judgements by week and pool; for audits of the sample's effective size."""
    columns = ("gold_correct", "gold_n") if metric == MEASURES[0] else AUDITS
    wide = looked_back(filters)
    rows = data.sums(snapshot, "work", columns, ("week", "pool"), wide)
    first, last = np.datetime64(wide.start), np.datetime64(wide.end) - np.timedelta64(6, "D")
    at = rows["week"].to_numpy("datetime64[D]")
    rows = rows[(at >= first) & (at <= last)]  # whole weeks only
    return rows.rename(columns={"gold_correct": "hits", "gold_n": "n"})


def _effective(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Hits and n of each row; audits drawn with weights count as many as their effective number."""
    if "hits" in rows:
        return rows["hits"].to_numpy(float), rows["n"].to_numpy(float)
    weight, squared, passed = (rows[c].to_numpy(float) for c in AUDITS)
    n = np.divide(weight**2, squared, out=np.zeros(len(rows)), where=squared > 0)
    share = np.divide(passed, weight, out=np.zeros(len(rows)), where=weight > 0)
    return np.clip(share, 0, 1) * n, n


def _baseline(weeks: np.ndarray, n: np.ndarray, start: dt.date) -> np.ndarray | None:
    """The weeks before the period where there are enough of them, else all."""
    before = (weeks < np.datetime64(start)) & (n > 0)
    return before if before.sum() >= control.LEAST_POINTS else None


def _shift(weeks: np.ndarray, hits: np.ndarray, n: np.ndarray, start: dt.date) -> tuple[str, dt.date] | None:
    """A lasting change that the running sums see first in the period, and when it began."""
    found = control.cusum_chart(hits, n, _baseline(weeks, n, start))
    if found.changed_at is None:
        return None
    out = int(np.argmax(found.points["out"].to_numpy(bool)))
    side = "fall" if found.points["value"].to_numpy()[out] < 0 else "rise"
    return (side, weeks[found.changed_at].item()) if weeks[out] >= np.datetime64(start) else None


@st.cache_data(**KEPT)
def weekly(snapshot: Snapshot, filters: Filters, metric: str) -> Weekly:
    """The share of all the work the filters leave, by week, with limits that allow for how weeks usually differ."""
    if not filters.start:
        return Weekly(pd.DataFrame({"value": [], "at": [], "n": [], "out": [], "inside": []}), "nothing is dated")
    rows = _by_week(snapshot, filters, metric)
    sums = rows.drop(columns="pool").groupby("week", sort=True).sum()
    weeks, (hits, n) = sums.index.to_numpy("datetime64[D]"), _effective(sums)
    start = periods.monday(filters.start)
    found = control.laney_chart(hits, n, _baseline(weeks, n, start)).points
    reasons = found.loc[found["reason"] != "", "reason"]
    reason = str(reasons.iloc[0]) if found["low"].isna().all() and len(reasons) else ""
    at = pd.DatetimeIndex(weeks)
    points = found.assign(at=at, inside=weeks >= np.datetime64(start))
    return Weekly(points, reason, _shift(weeks, hits, n, start))


def shifts(snapshot: Snapshot, filters: Filters, metric: str) -> dict[str, tuple[str, dt.date]]:
    """For each pool that has one, the lasting change that came to light in the period: fall or rise, and since when."""
    if not filters.start:
        return {}
    rows = _by_week(snapshot, filters, metric)
    weeks, (hits, n) = rows["week"].to_numpy("datetime64[D]"), _effective(rows)
    code, names = pd.factorize(rows["pool"].to_numpy(object))
    start = periods.monday(filters.start)
    found = {}
    for at, name in enumerate(names):
        ours = code == at
        found[str(name)] = _shift(weeks[ours], hits[ours], n[ours], start)
    return {name: shift for name, shift in found.items() if shift}


# ---- the raters of one pool ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PoolRaters:
    """The raters of one pool, a row each, and what holds for them together.

    rows: rater, alias, group (one of GROUPS or empty without gold), value, low, high, n, observed, p_below, more (gold
    judgements that would settle), more_reason, judgements, hours, pace, pace_low, pace_high, drift, drift_low,
    drift_high, drift_verdict, spam, signals, hired_on. target: what they are held against. wrong: the expected share of
    wrong calls among those called below. pace: what goes with working twice as slowly, of ``speed_accuracy``. gap,
    gaps: the parts of the gap to target, of the pool and of each rater with gold.
    """

    rows: pd.DataFrame
    target: float
    wrong: float
    pace: dict = field(default_factory=dict)
    reason: str = ""
    gap: gap.Gap = field(default_factory=lambda: gap.Gap.missing("nobody worked"))
    gaps: dict[str, gap.Gap] = field(default_factory=dict)

    def group(self, name: str) -> pd.DataFrame:
        """The raters with one answer."""
        return self.rows[self.rows["group"] == name]


@st.cache_data(**KEPT)
def raters(snapshot: Snapshot, filters: Filters, pool: str) -> PoolRaters:
    """The raters of a pool under the filters; raises NotAllowed when the reader's scope does not show raters."""
    everyone = filters.with_("pool").with_("rater")  # what is hard shows in the work of all pools
    cells = _columns(
        data.sums(snapshot, "work", SUMS, ("pool", "rater", "project", "language", "policy", "time_basis"), everyone)
    )
    goal = target(snapshot, filters.with_("pool", pool), MEASURES[0])
    if goal is None or not 0 < goal < 1:
        return PoolRaters(NOBODY, np.nan, np.nan, reason="nobody has set a target for gold accuracy")
    basis = figures.main_basis(snapshot, filters, ("handle_time_p50_seconds",))
    here = cells["pool"] == pool
    if not np.any(here):
        return PoolRaters(NOBODY, goal, np.nan, reason="nobody in this pool worked")
    stratum = _codes(cells, ("project", "language", "policy"))
    code, names = pd.factorize(cells["rater"])
    gold, right = cells["gold_n"], cells["gold_correct"]
    expected = skill.expected_right(code, stratum, right, gold)
    ours = np.isin(np.arange(len(names)), code[here])

    def of_rater(values: np.ndarray) -> np.ndarray:
        return np.bincount(code, values, len(names))[ours]

    k, n, expected = of_rater(right), of_rater(gold), expected[ours]
    found = skill.rater_skill(k, n, goal, expected)
    rows = found[["value", "low", "high", "n", "observed", "p_below", "q", "reason"]]
    group = np.array([one or "" for one in found["verdict"]], object)
    rows = rows.assign(rater=names[ours].astype(str), group=group, **_gold_needed(k, n, goal, expected, found))
    pace = _pace(cells, stratum, code, len(names), basis).loc[ours].reset_index(drop=True)
    signs = _spam(snapshot, filters, pool, cells, of_rater, k, n, expected, pace)
    weeks = history(snapshot, filters, pool)
    known = people(snapshot)
    place = {name: at for at, name in enumerate(GROUPS)}
    rows = rows.assign(
        judgements=of_rater(cells["judgements"]),
        hours=of_rater(cells["handle_sum_seconds"]) / 3600,
        pace=pace["value"],
        pace_low=pace["low"],
        pace_high=pace["high"],
        spam=signs["verdict"],
        signals=signs["signals"],
        alias=[known[r].alias if r in known else r for r in rows["rater"]],
        hired_on=[known[r].hired_on if r in known else None for r in rows["rater"]],
        place=[place.get(one, len(GROUPS)) for one in group],
    )
    rows = rows.merge(weeks.drift, on="rater", how="left")
    rows = rows.sort_values(["place", "value"], kind="stable").reset_index(drop=True)
    called = rows.loc[rows["group"] == skill.BELOW, "q"]
    wrong = float(called.max()) if len(called) else np.nan
    return PoolRaters(rows, goal, wrong, weeks.pace, "", *_gaps(cells, stratum, code, names, here, goal, rows))


def _gaps(
    cells: Columns, fine: np.ndarray, code: np.ndarray, names: np.ndarray, here: np.ndarray, goal: float, rows
) -> tuple[gap.Gap, dict[str, gap.Gap]]:
    """The parts of the gap to target of the pool and of each of its raters with gold."""
    coarse = _codes(cells, ("project", "policy"))
    found = gap.elsewhere(code, fine, coarse, cells["gold_correct"], cells["gold_n"], here)
    called = set(rows.loc[rows["group"] == skill.BELOW, "rater"])
    known = names[found.raters].astype(str)
    below = np.array([name in called for name in known], bool)
    return gap.pool_gap(found, goal, below), {
        name: gap.rater_gap(found, goal, at, below) for at, name in enumerate(known)
    }


def target(snapshot: Snapshot, filters: Filters, metric: str) -> float | None:
    """What the filtered work is held to at the end of the period; None where nobody set a target."""
    project, pool = (
        values[0] if len(values) == 1 else None for values in (filters.values("project"), filters.values("pool"))
    )
    goal = snapshot.targets.in_force(METRICS[metric], filters.end or snapshot.meta.last_day, project, pool)
    return goal.target if goal else None


def _columns(rows: pd.DataFrame) -> Columns:
    """The columns as arrays, texts as they are and sums without gaps: many small steps on frames take far longer."""
    texts = [name for name in rows if rows[name].dtype.kind not in "fiuM"]
    return {
        name: rows[name].to_numpy(object)
        if name in texts
        else rows[name].to_numpy()
        if rows[name].dtype.kind == "M"
        else np.nan_to_num(rows[name].to_numpy(float))
        for name in rows
    }


def _codes(rows: Columns, keys: tuple[str, ...]) -> np.ndarray:
    """Numbers of the combinations of keys, from 0."""
    code = np.zeros(len(rows[keys[0]]), np.int64)
    for name in keys:
        part, members = pd.factorize(rows[name])
        code = code * (len(members) + 1) + part + 1
    return np.unique(code, return_inverse=True)[1]


def _gold_needed(k, n, goal: float, expected, found: pd.DataFrame) -> dict[str, np.ndarray]:
    """More gold that would settle those one cannot tell, each on the items this rater meets."""
    offset = skill.mix_offset(expected, n)
    open_ = (found["verdict"] == skill.CANNOT_TELL).to_numpy()
    more, why = np.full(len(n), np.nan), np.full(len(n), "", object)
    if open_.any():
        prior = skill.fit_prior(k, n, offset, typical=1.0)
        aim, reach = (_moved(x, offset[open_]) for x in (np.full(open_.sum(), goal), found["value"].to_numpy()[open_]))
        plan = skill.gold_needed(k[open_], n[open_], aim, reach, prior)
        more[open_], why[open_] = np.maximum(plan["more"], 1), plan["reason"]
    return {"more": more, "more_reason": why}


def _moved(share: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """A share moved by an offset in logits."""
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return 1 / (1 + (1 - share) / share * np.exp(-offset))


def _pace(cells: Columns, stratum: np.ndarray, code: np.ndarray, raters_: int, basis: str) -> pd.DataFrame:
    """Each rater's handle time over the usual one of the same kind of work; times of one basis only."""
    n, logs, squares = (_on_basis(cells, name, basis) for name in ("handle_n", *SUMS[-2:]))
    total = np.bincount(stratum, n)
    usual = np.divide(np.bincount(stratum, logs), total, out=np.zeros(len(total)), where=total > 0)[stratum]
    sums = (n, logs - n * usual, squares - 2 * usual * logs + n * usual**2)
    return spam.too_fast(*(np.bincount(code, x, raters_) for x in sums))


def _on_basis(cells: Columns, name: str, basis: str) -> np.ndarray:
    """A sum of times, 0 where it was timed in another way than most."""
    return np.where(cells["time_basis"] == basis, cells[name], 0.0) if basis else cells[name]


def _spam(snapshot: Snapshot, filters: Filters, pool: str, cells, of_rater, k, n, expected, pace) -> pd.DataFrame:
    """Signs of labels given unread. Blind is taken to be always giving the commonest true label of the project."""
    rows, _ = rater_errors.confused(snapshot, filters.with_("pool", pool).with_("rater"))
    truths: dict[str, dict[str, float]] = {}
    for project, truth, count, gold in zip(rows["project"], rows["truth"], rows["n"], rows["gold"], strict=True):
        if gold:
            of_project = truths.setdefault(project, {})
            of_project[truth] = of_project.get(truth, 0.0) + count
    top = {project: max(counts.values()) / sum(counts.values()) for project, counts in truths.items()}
    blind = of_rater(np.array([top.get(p, 0.0) for p in cells["project"]]) * cells["gold_n"])
    with np.errstate(divide="ignore", invalid="ignore"):
        chance, peers = blind / n, expected / n
    at_chance = spam.at_chance(k, n, np.nan_to_num(chance), np.where(n > 0, peers, np.nan))
    nothing = pd.DataFrame({"p": np.full(len(n), np.nan)})  # labels by rater are known to the warehouse alone
    found = spam.spam_signals(at_chance, pace, nothing)
    # The commonest label is the best that blind labels can be: alone, near it, a rater may only be weak.
    weak = (found["verdict"] == spam.LIKELY) & ~found["signals"].str.contains("too fast")
    return found.assign(
        verdict=found["verdict"].where(~weak, spam.CANNOT_TELL), signals=found["signals"].where(~weak, "")
    )


# ---- the raters' weeks -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """The weeks of a pool's raters. drift: rater, drift, drift_low, drift_high, drift_verdict. weeks: the cells.

    pace: what goes with working twice as slowly, of ``speed_accuracy``; empty without gold.
    """

    weeks: Columns
    drift: pd.DataFrame
    pace: dict


@st.cache_data(**KEPT)
def history(snapshot: Snapshot, filters: Filters, pool: str) -> History:
    """Gold and times of a pool's raters by week and project over at least WEEKS weeks, and what they say of drift."""
    wide = looked_back(filters.with_("pool", pool).with_("rater"))
    basis = figures.main_basis(snapshot, filters, ("handle_time_p50_seconds",))
    cells = _columns(data.sums(snapshot, "work", SUMS, ("rater", "week", "project", "time_basis"), wide))
    columns = ["drift", "drift_low", "drift_high", "drift_verdict"]
    if not cells["gold_n"].sum():
        return History(cells, pd.DataFrame(columns=["rater", *columns]), {})
    code, names = pd.factorize(cells["rater"])
    week, weeks = pd.factorize(cells["week"], sort=True)
    place, size = code * len(weeks) + week, len(names) * len(weeks)
    gold, right = (np.bincount(place, cells[c], size).reshape(len(names), -1) for c in ("gold_n", "gold_correct"))
    found = drift.rater_drift(right, gold, drift.peer_share(right, gold))
    slopes = found[["value", "low", "high", "verdict"]].set_axis(columns, axis=1)
    slopes.insert(0, "rater", names.astype(str))
    return History(cells, slopes, _slower(cells, code, place, size, basis))


def _slower(cells: Columns, code: np.ndarray, place: np.ndarray, size: int, basis: str) -> dict:
    """What goes with working twice as slowly, within raters, the mix of projects taken out."""
    timed, logs = (_on_basis(cells, name, basis) for name in ("handle_n", "handle_sum_log"))
    gold, right = cells["gold_n"], cells["gold_correct"]
    project, projects = pd.factorize(cells["project"])

    def usual(total: np.ndarray, n: np.ndarray) -> np.ndarray:
        """What is to be expected of each cell from its project's mean."""
        sums, counts = (np.bincount(project, x, len(projects)) for x in (total, n))
        return n * np.divide(sums, counts, out=np.zeros(len(projects)), where=counts > 0)[project]

    columns = (timed, logs, gold, right, usual(logs, timed), usual(right, gold))
    timed, logs, gold, right, log, level = (np.bincount(place, x, size) for x in columns)
    rater = np.arange(size) // (size // len(np.unique(code)))
    return speed.speed_accuracy(rater, timed, logs, gold, right, expected_log=log, expected=level).iloc[0].to_dict()


@st.cache_data(**KEPT)
def learning_curve(snapshot: Snapshot, filters: Filters, pool: str) -> learning.LearningCurve:
    """Errors on gold by weeks since hire, of the pool's raters in their first NEW_WEEKS weeks with enough gold."""
    cells = history(snapshot, filters, pool).weeks
    weeks = tenure(snapshot, cells)
    new = (weeks >= 1) & (weeks <= NEW_WEEKS)
    week, gold, right = weeks[new].astype(int), cells["gold_n"][new], cells["gold_correct"][new]
    # A curve is claimed only over weeks that are drawn.
    drawn = np.bincount(week, gold, NEW_WEEKS + 1)[week] >= LEAST_AN_HOUR
    return learning.learning_curve(week[drawn], gold[drawn], (gold - right)[drawn])


def tenure(snapshot: Snapshot, cells: Columns) -> np.ndarray:
    """Weeks since hire in each cell's week, from 1; NaN where nobody knows."""
    known = people(snapshot)
    code, names = pd.factorize(cells["rater"])
    hired = np.array([known[n].hired_on if n in known else None for n in names], "datetime64[D]")
    days = (cells["week"].astype("datetime64[D]") - hired[code]).astype(float) if len(code) else np.zeros(0)
    days[np.isnat(hired[code])] = np.nan
    return days // 7 + 1


@st.cache_data(**KEPT)
def by_tenure(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Gold accuracy by tenure, the shortest first: measure()'s rows with `member` and `label`."""
    rows = figures.measure(snapshot, MEASURES[:1], (("tenure_band",),), (filters,))[0][0]
    bands = [*(band for _, band in TENURE_BANDS), TENURE_LAST]
    rows = rows[rows["tenure_band"].isin(bands)]
    rows = rows.assign(member=rows["tenure_band"], label=rows["tenure_band"])
    place = {band: at for at, band in enumerate(bands)}
    return rows.sort_values("member", key=lambda names: names.map(place)).reset_index(drop=True)


@st.cache_data(**KEPT)
def sensitive_seconds(snapshot: Snapshot, filters: Filters, pool: str) -> float:
    """Time with sensitive content on a rater's day of work in this pool, all projects; NaN where nobody keeps it."""
    kept = Filters.of({"pool": [pool]}, filters.start, filters.end)
    sums = data.sums(snapshot, "shift", ("rater_days", "sensitive_seconds"), (), kept).fillna(0)
    days = float(sums["rater_days"].sum())
    return float(sums["sensitive_seconds"].sum()) / days if days else np.nan


# ---- live ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tired:
    """Errors by hours into the shift. slopes: metrics.fatigue's rows with pool names; hours: x, value, low, high, n."""

    slopes: pd.DataFrame
    hours: pd.DataFrame


def tired(snapshot: Snapshot, filters: Filters) -> Tired:
    """Whether errors rise through the shift, by pool, read live; raises WarehouseUnavailable or NotAllowed."""
    cells = data.hours_into_shift(snapshot, filters)
    cells = cells.assign(n=cells["n"].astype(float), wrong=cells["wrong"].astype(float))
    slopes = fatigue.fatigue(cells["rater_id"], cells["hour"], cells["n"], cells["wrong"], cells["pool_id"])
    names = snapshot.names["pool"]
    slopes = slopes.assign(label=[names.get(p, str(p)) for p in slopes["group"]])
    sums = cells.groupby("hour", sort=True)[["n", "wrong"]].sum()
    sums = sums[sums["n"] >= LEAST_AN_HOUR]
    found = intervals.wilson(sums["wrong"], sums["n"])
    hours = pd.DataFrame({"x": sums.index.to_numpy(float) + 1, "n": sums["n"].to_numpy()})
    return Tired(slopes, hours.assign(value=found.value, low=found.low, high=found.high, fitted=np.nan))


def status_of_group(group: str) -> Status:
    """How an answer about a rater is coloured and shaped."""
    return {skill.BELOW: Status.OFF_TARGET, skill.ABOVE: Status.ON_TARGET}.get(group, Status.TOO_FEW)
