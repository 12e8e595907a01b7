"""A link opens the view it was copied from, and says so when it cannot."""

import datetime as dt
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from data_access.filters import Filters
from ui import filter_bar, links, periods

META = SimpleNamespace(first_day=dt.date(2025, 5, 19), last_day=dt.date(2026, 11, 18), provisional_days=8)
KNOWN = {
    "project": {"P01": "Comment moderation", "P02": "Video"},
    "language": {"th": "th", "ms": "ms"},
    "pool": {"A&B=?#": "Kuala Lumpur + day", "B": "C;D"},
}
DEFAULT = (dt.date(2026, 10, 19), dt.date(2026, 11, 15))


def read(**params):
    given = {k: v if isinstance(v, list) else [v] for k, v in params.items()}
    given = {k.rstrip("_"): v for k, v in given.items()}
    return links.read(given, META, lambda name: KNOWN.get(name, {}), ("metric",))


def test_no_parameter_means_the_last_four_complete_weeks():
    found = read()
    assert (found.filters.start, found.filters.end) == DEFAULT
    assert found.problems == ()


def test_ids_and_names_both_work():
    assert read(project="comment MODERATION").filters.values("project") == ("P01",)
    assert read(project=["P02", "P01"]).filters.values("project") == ("P01", "P02")


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ({"project": "Coment moderation"}, ["“Coment moderation”", "“Comment moderation”", "every project"]),
        ({"language": ["th", "xx"]}, ["“xx”", "only th"]),
        ({"colour": "red"}, ["“colour”", "left out"]),
        ({"langage": "th"}, ["“langage”", "“language”"]),
        ({"from_": "2026-11-01", "to": "2026-10-01"}, ["1 Nov 2026", "1 Oct 2026", "swap", "19 Oct to 15 Nov 2026"]),
        ({"from_": "yesterday"}, ["yesterday", "YYYY-MM-DD", "19 Oct to 15 Nov 2026"]),
        ({"from_": "2031-01-01", "to": "2031-02-01"}, ["outside the data", "19 May 2025", "18 Nov 2026"]),
        ({"from_": "0001-01-01", "to": "9999-12-31"}, ["far beyond", "19 May 2025 to 18 Nov 2026"]),
    ],
)
def test_what_cannot_be_honoured_is_told_in_one_sentence(params, parts):
    found = read(**params)
    assert len(found.problems) == 1
    for part in parts:
        assert part in found.problems[0]
    assert found.filters.start is not None


def test_a_long_value_is_cut():
    assert len(read(project="x" * 5000).problems[0]) < 300


def test_one_end_is_completed_from_the_data():
    found = read(from_="2026-11-02")
    assert (found.filters.start, found.filters.end) == (dt.date(2026, 11, 2), META.last_day)


dates = some.dates(META.first_day, META.last_day)


@given(
    dates, dates, some.sets(some.sampled_from(list(KNOWN["project"]))), some.sets(some.sampled_from(["A&B=?#", "B"]))
)
def test_a_copied_link_reopens_the_same_filters(one, other, projects, pools):
    filters = Filters.of({"project": projects, "pool": pools}, min(one, other), max(one, other))
    address = filter_bar.link("http://host/kpi?old=1", filters, {"metric": "backlog"})
    assert address.startswith("http://host/kpi?from=")
    params = parse_qs(address.split("?", 1)[1])
    assert params.pop("metric") == ["backlog"]
    assert links.read(params, META, lambda name: KNOWN.get(name, {})) == links.Read(filters)


def test_a_copied_link_of_the_default_view_holds_its_dates():
    filters = Filters.of((), *DEFAULT)
    assert links.write(filters) == {"from": "2026-10-19", "to": "2026-11-15"}
    assert urlencode(links.write(filters)) in filter_bar.link("http://host", filters, {})


def test_a_page_s_own_parameter_falls_back_with_a_sentence():
    problems: list[str] = []
    known = {"gold_accuracy": "Gold accuracy", "backlog": "Backlog"}
    assert links.one_of("KPI", "gold_acuracy", known, "backlog", problems) == "backlog"
    assert "“gold_accuracy”" in problems[0] and "Backlog" in problems[0]
    assert links.one_of("KPI", None, known, "backlog", problems) == "backlog"
    assert len(problems) == 1


def test_periods_are_whole_weeks():
    assert periods.last_sunday(META) == dt.date(2026, 11, 15)
    assert periods.last_weeks(META, 1) == (dt.date(2026, 11, 9), dt.date(2026, 11, 15))
    assert periods.preset_of(META, DEFAULT) == 4
    assert periods.preset_of(META, (DEFAULT[0], META.last_day)) is None
    full = SimpleNamespace(first_day=META.first_day, last_day=dt.date(2026, 11, 15))
    assert periods.last_sunday(full) == dt.date(2026, 11, 15)


def test_the_time_around_a_period():
    assert periods.around(DEFAULT, "week")[0] == dt.date(2026, 8, 17)
    assert periods.around(DEFAULT, "day")[0] == dt.date(2026, 10, 19)
    assert periods.around(DEFAULT, "month")[0] == dt.date(2025, 11, 1)
