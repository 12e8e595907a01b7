"""The raters of one pool: their accuracy against target, pace, drift, signs of unread labels, workload."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import gap, skill, spam
from metrics.catalogue import METRICS
from metrics.spec import Status
from ui import data, figures, rater_gap, rater_signs
from ui.cells import Columns, arrays, codes
from ui.figures import KEPT
from ui.rater_history import SUMS, history, slower
from ui.rater_people import people
from ui.rater_weeks import MEASURES

GROUPS = (skill.BELOW, skill.CANNOT_TELL, skill.ABOVE)
KIND = ("project", "language", "policy", "stage")  # of work
PEERS = ("peers", "peers_low", "peers_high", "peers_n")
_KNOWN = "rater alias group value pace more q spam signals drift_verdict n reason place"
NOBODY = pd.DataFrame(columns=[*_KNOWN.split(), *PEERS])


@dataclass(frozen=True)
class PoolRaters:
    """The raters of one pool, a row each, and what holds for them together.

    rows: rater, alias, group (one of GROUPS or empty without gold), value, low, high (at skill.CALLING, so that
    no rater is called whose interval holds the target), n, observed, p_below, more (gold
    judgements that would settle), more_reason, judgements, hours, pace, pace_low, pace_high, drift, drift_low,
    drift_high, drift_verdict, spam, signals, peers, peers_low, peers_high, peers_n (agreement with the other raters of
    the same items), hired_on. target: what they are held against. wrong: the expected share of wrong calls among those
    called below. pace: what goes with working twice as slowly, of ``speed_accuracy``, without those whose labels look
    unread. gap, gaps: the parts of the gap to target, of the pool and of each rater with gold.
    """

    rows: pd.DataFrame
    target: float
    wrong: float
    pace: dict = field(default_factory=dict)
    reason: str = ""
    gap: gap.Gap = field(default_factory=lambda: gap.Gap.missing("nobody worked"))
    gaps: rater_gap.Gaps = field(default_factory=rater_gap.Gaps)

    @property
    def unread(self) -> tuple[str, ...]:
        """The raters whose labels look unread: they show nothing of how the others read the items."""
        return tuple(self.rows.loc[self.rows["spam"] == spam.LIKELY, "rater"])

    def group(self, name: str) -> pd.DataFrame:
        """The raters with one answer."""
        return self.rows[self.rows["group"] == name]


@dataclass(frozen=True)
class Judged:
    """What gold says of each rater of a pool, at a target. ours: (raters of all pools,), whose rows the others have.

    right, n, expected: gold judgements right, all, and to be expected right of an average rater on these items. found:
    ``skill.rater_skill``. needed: more gold that would settle those one cannot tell, `more` and `more_reason`.
    """

    ours: np.ndarray
    right: np.ndarray
    n: np.ndarray
    expected: np.ndarray
    found: pd.DataFrame
    needed: dict[str, np.ndarray]


class Gold:
    """The work of all pools under the filters, with what is to be expected of each rater's gold.

    cells: sums by pool, rater and kind of work. code: of the rater in ``names``; stratum: of the kind of item. Every
    page that judges raters asks here, so that all give the same answers.
    """

    def __init__(self, snapshot: Snapshot, filters: Filters, without: Columns | None = None) -> None:
        """without: gold judgements to leave out, as cells with `pool`, `rater`, KIND, `gold_n` and `gold_correct`."""
        everyone = filters.with_("pool").with_("rater")  # what is hard shows in the work of all pools
        self.cells = arrays(data.sums(snapshot, "work", SUMS, ("pool", "rater", *KIND, "time_basis"), everyone))
        if without is not None:
            size = len(without["gold_n"])
            less = {**without, "gold_n": -without["gold_n"], "gold_correct": -without["gold_correct"]}
            nothing = {**dict.fromkeys(SUMS, np.zeros(size)), "time_basis": np.full(size, "", object)}
            more = {**nothing, **less}
            self.cells = {name: np.concatenate([column, more[name]]) for name, column in self.cells.items()}
        self.stratum = codes(self.cells, KIND[:3])
        self.code, self.names = pd.factorize(self.cells["rater"])
        self._expected = skill.expected_right(self.code, self.stratum, self.cells["gold_correct"], self.cells["gold_n"])

    def judged(self, pool: str, goal: float) -> Judged:
        """The raters of one pool, each beside the others of it."""
        ours = np.isin(np.arange(len(self.names)), self.code[self.cells["pool"] == pool])
        right, n = (np.bincount(self.code, self.cells[c], len(self.names))[ours] for c in ("gold_correct", "gold_n"))
        expected = self._expected[ours]
        found = skill.rater_skill(right, n, goal, expected, level=skill.CALLING)
        return Judged(ours, right, n, expected, found, _gold_needed(right, n, goal, expected, found))


@st.cache_data(**KEPT)
def raters(snapshot: Snapshot, filters: Filters, pool: str) -> PoolRaters:
    """The raters of a pool under the filters; raises NotAllowed when the reader's scope does not show raters."""
    gold = Gold(snapshot, filters)
    cells, code, names, stratum = gold.cells, gold.code, gold.names, gold.stratum
    goal = target(snapshot, filters.with_("pool", pool), MEASURES[0])
    if goal is None or not 0 < goal < 1:
        return PoolRaters(NOBODY, np.nan, np.nan, reason="nobody has set a target for gold accuracy")
    basis = figures.main_basis(snapshot, filters, ("handle_time_p50_seconds",))
    here = cells["pool"] == pool
    if not np.any(here):
        return PoolRaters(NOBODY, goal, np.nan, reason="nobody in this pool worked")
    judged = gold.judged(pool, goal)
    ours, k, n, expected, found = judged.ours, judged.right, judged.n, judged.expected, judged.found

    def of_rater(values: np.ndarray) -> np.ndarray:
        return np.bincount(code, values, len(names))[ours]

    rows = found[["value", "low", "high", "n", "observed", "p_below", "q", "reason"]]
    group = np.array([one or "" for one in found["verdict"]], object)
    rows = rows.assign(rater=names[ours].astype(str), group=group, **judged.needed)
    alike = codes(cells, KIND)  # a review is faster than a first judgement
    pace = rater_signs.pace(cells, alike, code, len(names), basis).loc[ours].reset_index(drop=True)
    projects = pd.unique(cells["project"][here])
    met = {project: of_rater(np.where(cells["project"] == project, cells["gold_n"], 0.0)) for project in projects}
    unread = rater_signs.signs(snapshot, filters, pool, names[ours], (k, n, expected), met, pace)
    weeks = history(snapshot, filters, pool)
    known = people(snapshot)
    place = {name: at for at, name in enumerate(GROUPS)}
    rows = rows.assign(
        judgements=of_rater(cells["judgements"]),
        hours=of_rater(cells["handle_sum_seconds"]) / 3600,
        pace=pace["value"],
        pace_low=pace["low"],
        pace_high=pace["high"],
        spam=unread["verdict"],
        signals=unread["signals"],
        **{name: unread[name] for name in PEERS},
        alias=[known[r].alias if r in known else r for r in rows["rater"]],
        hired_on=[known[r].hired_on if r in known else None for r in rows["rater"]],
        place=[place.get(one, len(GROUPS)) for one in group],
    )
    rows = rows.merge(weeks.drift, on="rater", how="left")
    rows = rows.sort_values(["place", "value"], kind="stable").reset_index(drop=True)
    called = rows.loc[rows["group"] == skill.BELOW, "q"]
    wrong = float(called.max()) if len(called) else np.nan
    read = slower(weeks.weeks, basis, tuple(rows.loc[rows["spam"] == spam.LIKELY, "rater"]))
    return PoolRaters(rows, goal, wrong, read, "", *rater_gap.gaps(cells, stratum, code, names, here, goal, rows))


def target(snapshot: Snapshot, filters: Filters, metric: str) -> float | None:
    """What the filtered work is held to at the end of the period; None where nobody set a target."""
    project, pool = (
        values[0] if len(values) == 1 else None for values in (filters.values("project"), filters.values("pool"))
    )
    goal = snapshot.targets.in_force(METRICS[metric], filters.end or snapshot.meta.last_day, project, pool)
    return goal.target if goal else None


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


@st.cache_data(**KEPT)
def sensitive_seconds(snapshot: Snapshot, filters: Filters, pool: str) -> float:
    """Time with sensitive content on a rater's day of work in this pool, all projects; NaN where nobody keeps it."""
    kept = Filters.of({"pool": [pool]}, filters.start, filters.end)
    sums = data.sums(snapshot, "shift", ("rater_days", "sensitive_seconds"), (), kept).fillna(0)
    days = float(sums["rater_days"].sum())
    return float(sums["sensitive_seconds"].sum()) / days if days else np.nan


def status_of_group(group: str) -> Status:
    """How an answer about a rater is coloured and shaped."""
    return {skill.BELOW: Status.OFF_TARGET, skill.ABOVE: Status.ON_TARGET}.get(group, Status.TOO_FEW)
