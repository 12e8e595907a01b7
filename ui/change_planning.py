"""Before a change is made: how many weeks, or pools, it would take to see an effect of a given size."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Scope
from data_access.snapshot import Snapshot
from metrics.change_designs import BASE
from metrics.change_units import JOINED, weekly
from metrics.effects import LEAST_BEFORE, WEEKS, carry_over, pools_needed, weeks_needed
from metrics.effects.design import LEAST_EACH
from metrics.effects.effect import LEAST_AFTER
from metrics.effects.measures import MEASURES, Form
from metrics.effects.power import MOST_POOLS, MOST_WEEKS, POWER, CarryOver, mean_change_sd
from ui import change_words, changes, data, words

OFFERED = ("gold_accuracy", "audit_accuracy", "first_pass_yield", "handle_time_log_mean_seconds", "cost_per_label")
EXPECTED = 5.0
"""What the size starts from, in points or percent."""


def section(snapshot: Snapshot, last_day: dt.date) -> None:
    """Metric, place and size in; weeks and pools out, with what they rest on."""
    known = _known(snapshot, data.current_scope())
    if not known:
        st.markdown("No weekly sums to plan from.")
        return
    left, middle, right = st.columns(3)
    with left:
        metric = st.selectbox("Metric", known, format_func=change_words.label)
    series = _series(snapshot, data.current_scope(), metric, last_day)
    with middle:
        unit = st.selectbox("Place", list(series), format_func=lambda u: _called(u, snapshot.names))
    with right:
        size = st.number_input(f"Effect to see, {change_words.unit(metric)}", 0.5, 90.0, EXPECTED, 0.5)
    if unit is not None:
        st.markdown(words.md(answer(metric, series[unit], size, _called(unit, snapshot.names))))


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _known(snapshot: Snapshot, scope: Scope) -> list[str]:
    """The metrics that weekly sums are kept of."""
    frames = changes.frames_of(snapshot, scope)
    return [m for m in OFFERED if _kept(m, frames)]


def _kept(metric: str, frames: Mapping[str, pd.DataFrame]) -> bool:
    measure = MEASURES[metric]
    return measure.source in frames and {measure.top, measure.bottom} <= set(frames[measure.source].columns)


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _series(snapshot: Snapshot, scope: Scope, metric: str, last_day: dt.date) -> dict[str, np.ndarray]:
    """The weekly values of each project's pools, those with enough weeks to plan from."""
    measure = MEASURES[metric]
    frame = changes.frames_of(snapshot, scope)[measure.source]
    frame = frame[frame["pool_id"].notna()]
    cells = frame.assign(unit=frame["project_id"].astype(str) + JOINED + frame["pool_id"].astype(str))
    mondays = pd.date_range(frame["week"].min(), pd.Timestamp(last_day) - pd.Timedelta(days=6), freq="7D")
    names, values, _ = weekly(cells, measure, mondays, len(mondays))
    return {name: y for name, y in zip(names, values, strict=True) if np.isfinite(y).sum() >= 2 * LEAST_BEFORE}


def _called(unit: str, names: Mapping[str, Mapping[str, str]]) -> str:
    project, _, pool = unit.partition(JOINED)
    return change_words.named({"project": project, "pool": pool}, names)


def answer(metric: str, y: np.ndarray, size: float, where: str) -> str:
    """How many weeks one pool takes, and how many pools, in sentences with their assumptions.

    y: the weekly values at hand. size: points, or percent of the level.
    """
    found = carry_over(y)
    if found is None:
        return f"{where} has too few weeks that vary to plan from."
    effect = size / 100 if MEASURES[metric].form is Form.SHARE else math.log1p(size / 100)
    before = int(np.isfinite(y).sum())
    weeks = weeks_needed(effect, before, found.sd, found.phi)
    pools = pools_needed(effect, mean_change_sd(BASE, WEEKS, found.sd, found.phi))
    pools = None if pools is None else max(pools, LEAST_EACH)
    said = f"An effect of {size:g} {change_words.unit(metric)} on {change_words.inside(metric)}"
    if weeks is None:
        first = f"{said} in {where} alone would not be seen within {MOST_WEEKS} weeks"
    else:
        first = f"{said} in {where} alone would be seen after {weeks} full weeks"
    if pools is None:
        second = f"with pools that have it and pools that have not, more than {MOST_POOLS} of each would be needed"
    else:
        second = f"with pools that have it and as many that have not, {pools} of each over {WEEKS} weeks would do"
    return f"{first}; {second}. {assumptions(metric, found, before)}"


def assumptions(metric: str, found: CarryOver, before: int) -> str:
    """What the plan rests on."""
    off = f"{change_words.shown(metric, found.sd):.1f} {change_words.unit(metric)}"
    return (
        f"Seen means in {round(100 * POWER)} of 100 tries, at p .05 for this one metric, after at least {LEAST_AFTER} "
        f"weeks. Taken from the {before} weeks at hand: a week is off its line by {off} as a rule and carries "
        f"{max(found.phi, 0):.2f} of that into the next. Other pools are taken to vary alike, and nothing else to "
        "change meanwhile."
    )
