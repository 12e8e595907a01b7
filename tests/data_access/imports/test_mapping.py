from datetime import date
from zoneinfo import ZoneInfo

import pytest

from data_access.imports import mapping
from metrics.errors import LoadRefused

from .conftest import BASIC, GOOD, HEADER, MAPPINGS, rows


def test_a_whole_file(write):
    read = mapping.read(
        write(
            "m.toml",
            """
            [project]
            project_id = "p"
            started_on = 2024-01-01
            [labels]
            order = ["a", "b"]
            violations = ["b"]
            severity = { b = 3 }
            [columns]
            item_id = "x"
            [constants]
            is_rework = true
            severity = 2
            submitted_at = 2024-01-01T00:00:00Z
            [raters]
            gender = "sex"
            prefix = "ls-"
            [items]
            prefix = "i-"
            [times]
            timezone = "Asia/Tokyo"
            [wide]
            item_id = "u"
            raters = ["r1", "r2"]
            [repeats]
            keep = "last"
            [handle_time]
            out_of_range = "empty"
            [label_studio]
            control = "c"
            """,
        )
    )
    assert read.project == {"project_id": "p", "started_on": date(2024, 1, 1).isoformat()}
    assert (read.order, read.violations, read.severity) == (("a", "b"), {"b"}, {"b": 3})
    assert read.constants == {"is_rework": "true", "severity": "2", "submitted_at": "2024-01-01T00:00:00+00:00"}
    assert (read.raters, read.rater_prefix, read.item_prefix) == ({"gender": "sex"}, "ls-", "i-")
    assert (read.zone, read.wide_item, read.wide_raters) == (ZoneInfo("Asia/Tokyo"), "u", ("r1", "r2"))
    assert (read.keep, read.empty_impossible_times, read.control) == ("last", True, "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[projects]\n", r'm.toml: there is no section "projects"; did you mean "project"\?'),
        ('[colums]\nitem_id = "x"', r'there is no section "colums"; did you mean "columns"\?'),
        ('[columns]\nitemid = "x"', r'there is no key of \[columns\] "itemid"; did you mean "item_id"\?'),
        ('[project]\nlevel = "nominal"', r'no key of \[project\] "level"; did you mean "label_level"\?'),
        ('[table]\nname = "cost"', r'there is no table "cost"; did you mean "costs"\?'),
        ('[table]\nname = "costs"\n[columns]\nammount = "x"', r'"ammount"; did you mean "amount"\?'),
        ('[raters]\nalias = "name"', r'no key of \[raters\] "alias"'),
        ("[columns]\nitem_id = 3", r"\[columns\] item_id must be text in quotes"),
        ('columns = "x"', r'"columns" is a section; write \[columns\]'),
        ('[times]\ntimezone = "Asia/Tokio"', r'"Asia/Tokio" is no IANA time zone; did you mean "Asia/Tokyo"\?'),
        ('[repeats]\nkeep = "mean"', r'\[repeats\] keep is "mean"; it can be first, last, all\.'),
        ('[handle_time]\nout_of_range = "cap"', r"it can be reject, empty"),
        ('[wide]\nitem_id = "u"', r"\[wide\] needs item_id, a column, and raters"),
        ('[labels]\norder = ["a", "a"]', r"order must list every label once"),
        ("[labels]\norder = [0, 1]", r"order must list every label once, in quotes"),
        ('[labels]\nviolations = ["a"]', r"need order, the whole declared set"),
        ('[labels]\norder = ["a"]\nviolations = ["A"]', r'no label in \[labels\] order "A"; the nearest is "a"'),
        ('[labels]\norder = ["a"]\nseverity = { a = 9 }', r"severity gives labels 0 to 3"),
        ('[columns]\nlabel = "x"\n[constants]\nlabel = "y"', r"gives label in \[columns\] and in \[constants\]"),
        ("[constants]\nlabel = []", r"\[constants\] label must be one value"),
        ("[columns\n", r"is not valid TOML"),
        (b"\xff", r"m.toml is not UTF-8"),
    ],
)
def test_what_it_does_not_know_is_refused_with_the_nearest(write, text, message):
    with pytest.raises(LoadRefused, match=message):
        mapping.read(write("m.toml", text))


def test_a_mapping_that_is_not_there(tmp_path):
    with pytest.raises(LoadRefused, match="cannot be read: No such file"):
        mapping.read(tmp_path / "m.toml")


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda p: p.stem)
def test_the_ready_mappings_are_valid(path):
    assert mapping.read(path).describes_judgements


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ('task_type = "labeling"', r'mapping.toml, \[project\]: task_type "labeling" is not one of .*"labelling"\?'),
        ('started_on = "soon"', r'\[project\]: started_on "soon" is no date'),
        ('project_id = " p"', r"has a space at an end"),
    ],
)
def test_values_of_the_project_are_held_to_the_contract(sqlite, load, project, message):
    rules = BASIC.replace(
        'project_id = "p"', f'project_id = "p"\n{project}' if "project_id" not in project else project
    )
    with pytest.raises(LoadRefused, match=message):
        load(sqlite, HEADER + GOOD, mapping=rules)


def test_constants_hold_for_every_row_and_are_checked(sqlite, load):
    report = load(sqlite, HEADER + GOOD, mapping=BASIC + '[constants]\nlanguage = "en"\nseverity = 2\n')
    assert report.accepted == 1
    assert [(r["language"], r["severity"]) for r in rows(sqlite, "items")] == [("en", 2)]
    wrong = load(sqlite, HEADER + GOOD, mapping=BASIC + "[constants]\nseverity = 9\n")
    assert (wrong.accepted, wrong.rejected) == (0, 1)
