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
from metrics.effects import LEAST_BEFORE, WEEKS, before_needed, carry_over, pools_needed, smallest_called, weeks_needed
from metrics.effects.design import LEAST_EACH
from metrics.effects.effect import LEAST_AFTER
from metrics.effects.measures import BY_KIND, MEASURES, SLICED, Form
from metrics.effects.power import MOST_POOLS, POWER, CarryOver, mean_change_sd
from metrics.effects.verdict import SURE
from ui import change_words, changes, data, words

OFFERED = ("gold_accuracy", "audit_accuracy", "first_pass_yield", "handle_time_log_mean_seconds", "cost_per_label")
EXPECTED = 5.0
"""What the size starts from, in points or percent."""


def section(snapshot: Snapshot, last_day: dt.date) -> None:
    """Kind, metric, place and size in; weeks and pools out, with what they rest on."""
    judged = _judged(snapshot, data.current_scope())
    kinds = [kind for kind, names in judged.items() if set(names) & set(OFFERED)]
    if not kinds:
        st.markdown("No weekly sums to plan from.")
        return
    first, left, middle, right = st.columns(4)
    with first:
        kind = st.selectbox("Kind", kinds, format_func=str.capitalize, key="kind of the planned change")
    with left:
        offered = [m for m in judged[kind] if m in OFFERED]
        metric = st.selectbox("Metric", offered, format_func=change_words.label)
    series = _series(snapshot, data.current_scope(), metric, last_day)
    with middle:
        unit = st.selectbox("Place", list(series), format_func=lambda u: _called(u, snapshot.names))
    with right:
        size = st.number_input(f"Effect to see, {change_words.unit(metric)}", 0.5, 90.0, EXPECTED, 0.5)
    if unit is not None:
        many = len(judged[kind]) + (kind in SLICED)  # the part that moves most is judged too
        st.markdown(words.md(answer(metric, series[unit], size, _called(unit, snapshot.names), many)))


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _judged(snapshot: Snapshot, scope: Scope) -> dict[str, list[str]]:
    """By kind of change, the metrics it is judged by that weekly sums are kept of."""
    frames = changes.frames_of(snapshot, scope)
    return {kind: [m for m in names if _kept(m, frames)] for kind, names in BY_KIND.items()}


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


def answer(metric: str, y: np.ndarray, size: float, where: str, metrics: int = 1) -> str:
    """How many weeks one pool takes, and how many pools, in sentences with their assumptions.

    y: the weekly values at hand. size: points, or percent of the level. metrics: how many such a change is judged by.
    """
    found = carry_over(y)
    if found is None:
        return f"{where} has too few weeks that vary to plan from."
    effect = size / 100 if MEASURES[metric].form is Form.SHARE else math.log1p(size / 100)
    before = int(np.isfinite(y).sum())
    plan = (before, found.sd, found.phi, metrics)
    weeks = weeks_needed(effect, *plan)
    pools = pools_needed(effect, mean_change_sd(BASE, WEEKS, found.sd, found.phi), metrics)
    pools = None if pools is None else max(pools, LEAST_EACH)
    said = f"An effect of {size:g} {change_words.unit(metric)} on {change_words.inside(metric)}"
    if weeks is not None:
        first = f"{said} in {where} alone would be called after {weeks} full weeks"
    else:
        first = f"{said} in {where} alone would not be called: {_too_small(metric, effect, plan)}"
    if pools is None:
        second = f"with pools that have it and pools that have not, more than {MOST_POOLS} of each would be needed"
    else:
        second = f"with pools that have it and as many that have not, {pools} of each over {WEEKS} weeks would do"
    return f"{first}; {second}. {assumptions(metric, found, before, metrics)}"


def _too_small(metric: str, effect: float, plan: tuple[int, float, float, int]) -> str:
    """What the weeks that count would show instead, and whether waiting for more weeks before helps."""
    before, sd, phi, metrics = plan
    least = smallest_called(before, WEEKS, sd, phi, metrics)
    shows = "no effect is sure enough" if least is None else f"at least {_size(metric, least)} is needed"
    waits = before_needed(effect, *plan)
    more = "more weeks before it would not do either" if waits is None else f"{waits} weeks before it would do"
    return f"no more than {WEEKS} weeks under a change count, and over {WEEKS} {shows}; {more}"


def _size(metric: str, amount: float) -> str:
    return f"{change_words.shown(metric, amount):.1f} {change_words.unit(metric)}"


def assumptions(metric: str, found: CarryOver, before: int, metrics: int) -> str:
    """What the plan rests on."""
    p = f"{SURE:g} over the {metrics} metrics it is judged by" if metrics > 1 else f"{SURE:g} for this one metric"
    return (
        f"Called means by the ledger, in {round(100 * POWER)} of 100 tries: p {p}, no move seen before it, at most one "
        f"in twenty made-up changes as large, after at least {LEAST_AFTER} weeks. Benchmarks that it reaches are "
        f"judged with it and make it harder. Taken from the {before} weeks at hand: a week is off its line by "
        f"{_size(metric, found.sd)} as a rule and carries {max(found.phi, 0):.2f} of that into the next. Other pools "
        "are taken to vary alike, and nothing else to change meanwhile."
    )
