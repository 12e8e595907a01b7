"""Several groupings over two periods in one call: each frame equals measure() asked alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import queries
from data_access.filters import DIMENSIONS, Filters, Scope
from metrics import catalogue
from metrics.shapes import Coefficient
from tests.data_access import toy, worlds
from tests.data_access.worlds import EVERYONE, SEEDS

ALL = tuple(catalogue.METRICS)
QUICK = {"deadline": None, "derandomize": True, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture(autouse=True)
def small_numbers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy data are small: let every n give a number."""
    for name, metric in catalogue.METRICS.items():
        monkeypatch.setitem(catalogue.METRICS, name, replace(metric, min_n=0))


def same(got: pd.DataFrame, want: pd.DataFrame) -> None:
    """The same frame; the ends of a bootstrap depend on the order its patterns come in, which no engine promises."""
    drawn = [n for n in ALL if isinstance(catalogue.METRICS[n].shape, Coefficient)]
    ends = got["metric"].isin(drawn)
    pd.testing.assert_frame_equal(got[~ends], want[~ends], check_dtype=False, rtol=1e-9, atol=1e-12)
    rest = [c for c in got if c not in ("low", "high", "status")]
    pd.testing.assert_frame_equal(got.loc[ends, rest], want.loc[ends, rest], check_dtype=False, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        got.loc[ends, ["low", "high"]].astype(float), want.loc[ends, ["low", "high"]].astype(float), atol=0.1
    )


@st.composite
def two_periods(draw) -> list[Filters]:
    """The same filters over two periods that do not overlap, or over one."""
    where = draw(worlds.filters()).over(None, None)
    first = draw(st.integers(0, 12))
    length, gap, second = draw(st.integers(0, 8)), draw(st.integers(1, 5)), draw(st.integers(0, 8))
    start = toy.START.date() + dt.timedelta(days=first)
    end = start + dt.timedelta(days=length)
    later = end + dt.timedelta(days=gap)
    periods = [where.over(later, later + dt.timedelta(days=second)), where.over(start, end)]
    kind = draw(st.sampled_from(["both", "other order", "one", "open"]))
    if kind == "open":  # everything up to a day, and everything after it
        return [where.over(None, end), where.over(end + dt.timedelta(days=1), None)]
    return {"both": periods, "other order": periods[::-1], "one": periods[:1]}[kind]


@given(st.data())
@settings(max_examples=60, **QUICK)
def test_each_frame_is_what_measure_gives_alone(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    names = data.draw(st.lists(st.sampled_from(ALL), min_size=1, max_size=6, unique=True))
    grouping = st.lists(st.sampled_from(list(DIMENSIONS)), max_size=2, unique=True)
    groupings = data.draw(st.lists(grouping, min_size=1, max_size=3))
    periods, scope = data.draw(two_periods()), data.draw(worlds.scopes())
    timed_on = data.draw(st.sampled_from(["", "active", "lead"]))
    got = queries.measure_many(world.snapshot, names, groupings, periods, scope=scope, timed_on=timed_on)
    assert len(got) == len(groupings)
    for by, frames in zip(groupings, got, strict=True):
        assert len(frames) == len(periods)
        for one, frame in zip(periods, frames, strict=True):
            want = queries.measure(world.snapshot, names, by=by, filters=one, scope=scope, timed_on=timed_on)
            same(frame, want)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_metric_by_every_first_grouping_of_a_page(found, seed):
    world = found[seed]
    middle = toy.START.date() + dt.timedelta(days=12)
    periods = [
        Filters.of({}, middle, middle + dt.timedelta(days=9)),
        Filters.of({}, toy.START.date(), middle - dt.timedelta(days=1)),
    ]
    groupings = [(), ("project",), ("pool",), ("policy", "language"), ("week",)]
    got = queries.measure_many(world.snapshot, ALL, groupings, periods, scope=EVERYONE)
    for by, frames in zip(groupings, got, strict=True):
        for one, frame in zip(periods, frames, strict=True):
            same(frame, queries.measure(world.snapshot, ALL, by=by, filters=one, scope=EVERYONE))


def test_the_same_grouping_twice_gives_the_same_frame_twice(found):
    world = found[1]
    first, second = queries.measure_many(
        world.snapshot, ("judgements",), [("project",), ("project",)], [Filters()], scope=EVERYONE
    )
    same(first[0], second[0])
    twice = queries.measure(world.snapshot, ("judgements", "judgements"), by=("pool",), scope=EVERYONE)
    same(twice, queries.measure(world.snapshot, ("judgements",), by=("pool",), scope=EVERYONE))


def test_small_groups_are_hidden_in_every_frame(found):
    world = found[1]
    scope = Scope.stakeholder()
    groupings = [(), ("project", "pool")]
    got = queries.measure_many(world.snapshot, ("gold_accuracy",), groupings, [Filters()], scope=scope)
    for by, frames in zip(groupings, got, strict=True):
        same(frames[0], queries.measure(world.snapshot, ("gold_accuracy",), by=by, scope=scope))
    assert (got[1][0]["reason"] == "too small a group to show").any()


def test_periods_of_one_question_share_their_filters(found):
    one, other = Filters.of({"project": ["P1"]}), Filters.of({"project": ["P2"]})
    with pytest.raises(ValueError, match="share their filters"):
        queries.measure_many(found[1].snapshot, ("judgements",), [()], [one, other], scope=EVERYONE)
