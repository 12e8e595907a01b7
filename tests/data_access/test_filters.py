"""Filters and scope: canonical, hashable, described in English, refused in a sentence."""

from __future__ import annotations

import datetime as dt

import pytest

from data_access.filters import DIMENSIONS, FILTERABLE, Filters, Scope, parse_day
from metrics.errors import BadPeriod, UnknownName


def test_the_same_question_is_the_same_filter_whatever_the_order():
    one = Filters.of([("policy", "b"), ("project", "P2"), ("policy", "a"), ("project", "P1")])
    two = Filters.of({"project": ["P1", "P2"], "policy": ["a", "b"]})
    assert one == two
    assert hash(one) == hash(two)


def test_a_link_carries_every_value_and_nothing_is_left_to_a_default():
    filters = Filters.of({"project": ["P1"]}, dt.date(2026, 10, 19), dt.date(2026, 11, 15))
    assert filters.to_params() == {"from": "2026-10-19", "to": "2026-11-15", "project": ["P1"]}


def test_the_period_before_is_as_long_and_ends_the_day_before():
    filters = Filters.of({}, dt.date(2026, 10, 19), dt.date(2026, 11, 15))
    assert (filters.before().start, filters.before().end) == (dt.date(2026, 9, 21), dt.date(2026, 10, 18))


def test_filters_are_described_in_english_with_names():
    filters = Filters.of({"project": ["P1"], "language": ["th", "ms"]}, dt.date(2026, 10, 19), dt.date(2026, 11, 15))
    said = filters.describe({"project": {"P1": "Harbour Reviews"}})
    assert said == "Harbour Reviews; language ms or th; 19 Oct to 15 Nov 2026"
    assert Filters().describe() == "everything"


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (dt.date(2026, 5, 2), dt.date(2026, 5, 1), "swap the two"),
        (dt.date(1, 1, 1), None, "outside 1990 to 2100"),
        (None, dt.date(9999, 1, 1), "outside 1990 to 2100"),
    ],
)
def test_absurd_periods_are_refused(start, end, sentence):
    with pytest.raises(BadPeriod, match=sentence):
        Filters(start, end)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "../etc", "1" * 10_000])
def test_what_is_no_date_is_refused_in_a_short_sentence(text):
    with pytest.raises(BadPeriod) as caught:
        parse_day(text)
    assert len(str(caught.value)) < 150


def test_an_unknown_filter_names_the_nearest():
    with pytest.raises(UnknownName, match='did you mean "language"'):
        Filters.of({"langauge": ["th"]})


def test_every_dimension_but_time_is_a_filter():
    assert set(DIMENSIONS) - set(FILTERABLE) == {"day", "week", "month"}


def test_a_scope_made_without_saying_what_it_may_see_sees_nothing():
    assert Scope().is_nobody
    assert not Scope.everything().is_nobody
    assert not Scope.stakeholder().is_nobody
    assert Scope.stakeholder(projects=[]).is_nobody
