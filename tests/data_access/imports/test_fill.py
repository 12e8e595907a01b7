from datetime import date, datetime

import pytest

from data_access import imports
from metrics.errors import LoadRefused

from .conftest import BASIC, GOOD, HEADER, OTHER, SECRET, TABLE_FILES, hashes, only, rows

AT = "2024-05-01T10:00:00Z"


def test_everything_around_a_judgement_is_filled_with_the_stated_defaults(engine, load):
    load(engine, HEADER + GOOD)
    rater = imports.pseudonym("ann@example.org", SECRET)
    day, at = date(2024, 5, 1), datetime(2024, 5, 1, 10)
    assert [tuple(r.values()) for r in rows(engine, "projects")] == [
        ("p", "p", "unknown", "unknown", "labelling", "nominal", day, None)
    ]
    assert [tuple(r.values()) for r in rows(engine, "labels")] == [("p", "hate", 1, False, 0), ("p", "ok", 0, False, 0)]
    assert [tuple(r.values()) for r in rows(engine, "pools")] == [
        ("unassigned", "Unassigned", "unknown", "unknown", "unknown", "UTC")
    ]
    assert [tuple(r.values()) for r in rows(engine, "raters")] == [
        (rater, f"Rater {rater[2:8]}", "unassigned", None, "unknown", "unknown", day, None, None, None)
    ]
    assert [tuple(r.values()) for r in rows(engine, "items")] == [
        ("i1", "p", at, None, None, "unknown", "unknown", "unknown", 0, None, None, None)
    ]
    (annotation,) = rows(engine, "annotations")
    assert tuple(annotation.values())[1:] == (
        "i1", "p", rater, "label", "ok", "submitted", at, None, "unknown", None, False,
    )  # fmt: skip
    assert rows(engine, "guidelines") == []


def test_rater_attributes_come_from_columns(engine, load):
    text = "item,who,verdict,at,team,boss,sex,tongue\n" + "".join(
        f"i{i},{who},ok,{AT},{team},lea@example.org,{sex},{tongue}\n"
        for i, (who, team, sex, tongue) in enumerate(
            [("ann", "n", "f", "en"), ("bob", "s", "", ""), ("eve", "", "", "de")]
        )
    )
    rules = (
        BASIC + '[raters]\npool_id = "team"\nlead = "boss"\ngender = "sex"\nlanguage = "tongue"\n[pool]\nvendor = "V"\n'
    )
    assert load(engine, text, mapping=rules).accepted == 3
    held = {r["rater_id"]: (r["pool_id"], r["gender"], r["language"], r["lead"]) for r in rows(engine, "raters")}
    lead = imports.pseudonym("lea@example.org", SECRET)
    assert held == {
        imports.pseudonym("ann", SECRET): ("n", "f", "en", lead),
        imports.pseudonym("bob", SECRET): ("s", None, "unknown", lead),
        imports.pseudonym("eve", SECRET): ("unassigned", None, "de", lead),
    }
    assert [(r["pool_id"], r["vendor"]) for r in rows(engine, "pools")] == [("n", "V"), ("s", "V"), ("unassigned", "V")]


def test_a_rater_of_two_pools_contradicts_itself(sqlite, load):
    text = f"item,who,verdict,at,team\ni1,ann,ok,{AT},n\ni2,ann,ok,{AT},s\ni3,ann,ok,{AT},n\n"
    report = load(sqlite, text, mapping=BASIC + '[raters]\npool_id = "team"\n')
    assert (report.accepted, only(report).line, only(report).kind) == (2, 3, "contradicts an earlier row")
    later = load(
        sqlite, f"item,who,verdict,at,team\ni4,ann,ok,{AT},s\n", mapping=BASIC + '[raters]\npool_id = "team"\n'
    )
    assert "pool_id differs" in only(later).reason


def test_gold_that_differs_within_the_file_or_from_the_warehouse(engine, load):
    header, rules = HEADER.replace("\n", ",truth\n"), BASIC + 'gold_label = "truth"\n'
    report = load(engine, header + f"i1,ann,ok,{AT},ok\ni1,bob,ok,{AT},hate\ni1,eve,ok,{AT},\n", mapping=rules)
    assert (report.accepted, only(report).line, only(report).kind) == (2, 3, "contradicts an earlier row")
    before = hashes(engine)
    later = load(engine, header + f"i1,zoe,ok,{AT},hate\n", mapping=rules)
    assert (only(later).kind, later.accepted) == ("conflict with a row loaded before", 0)
    assert "gold_label differs" in only(later).reason
    assert hashes(engine) == before
    assert (
        load(engine, header + f"i1,zoe,ok,{AT},\n", mapping=rules).accepted == 1
    )  # saying nothing contradicts nothing


def test_a_judgement_loaded_before_with_another_label_conflicts(engine, load):
    load(engine, HEADER + GOOD)
    before = hashes(engine)
    report = load(engine, HEADER + GOOD.replace(",ok,", ",hate,"))
    assert "label differs; a load never changes rows" in only(report).reason
    assert hashes(engine) == before


def test_a_rejected_row_leaves_nothing_around_it(engine, load):
    load(engine, HEADER + GOOD)
    report = load(engine, HEADER + OTHER + "i7,zoe,sideways,2024-05-01T10:00:00Z\n")
    assert report.written == {"raters": 1, "items": 1, "annotations": 1}


def test_an_item_of_another_project_asks_for_a_prefix(engine, load):
    load(engine, HEADER + GOOD)
    report = load(engine, HEADER + GOOD, mapping=BASIC.replace('"p"', '"q"'))
    assert '[items] prefix = "..."' in only(report).reason
    apart = load(engine, HEADER + GOOD, mapping=BASIC.replace('"p"', '"q"') + '[items]\nprefix = "q-"\n')
    assert apart.accepted == 1
    assert [r["item_id"] for r in rows(engine, "items")] == ["i1", "q-i1"]


def test_a_batch_must_be_there(engine, load, load_tables):
    text = HEADER.replace("\n", ",batch_id\n") + f"i1,ann,ok,{AT},b1\ni2,ann,ok,{AT},b2\n"
    load_tables(engine, {"projects": TABLE_FILES["projects"], "batches": "batch_id,project_id\nb1,p\n"})
    report = load(engine, text)
    assert (report.accepted, only(report).line, only(report).kind) == (1, 3, "unknown batch")


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("OK", 'the nearest is "ok", which differs by case or space only'),
        ("ok ", 'the nearest is "ok", which differs by case or space only'),
        ("hat", 'did you mean "hate"?'),
        ("zzz", 'label "zzz" is not in the declared set of p.'),
        ("h\u0430te", 'did you mean "hate"?'),  # a Cyrillic letter
        ("", "label is empty"),
    ],
)
def test_a_label_outside_the_declared_set(sqlite, load, label, says):
    report = load(sqlite, HEADER + GOOD + f'i2,ann,"{label}",{AT}\n')
    assert (report.accepted, only(report).line) == (1, 3)
    assert says in only(report).reason


def test_gold_outside_the_declared_set(sqlite, load):
    report = load(sqlite, HEADER.replace("\n", ",gold_label\n") + f"i1,ann,ok,{AT},fine\n")
    assert only(report).reason.startswith('gold_label "fine" is not in the declared set')


def test_guidelines_begin_with_their_first_use(sqlite, load):
    text = (
        HEADER.replace("\n", ",guideline_version\n")
        + f"i1,ann,ok,{AT},v2\ni2,ann,ok,2024-04-01T00:00:00Z,v2\ni3,ann,ok,{AT},\n"
    )
    load(sqlite, text)
    (row,) = rows(sqlite, "guidelines")
    assert (row["version"], row["effective_from"]) == ("v2", datetime(2024, 4, 1))


def test_prefixed_raters_are_other_people(sqlite, load):
    load(sqlite, HEADER + GOOD)
    load(sqlite, HEADER + OTHER.replace("bob", "ann"), mapping=BASIC + '[raters]\nprefix = "ls-"\n')
    assert {r["rater_id"] for r in rows(sqlite, "raters")} == {
        imports.pseudonym("ann@example.org", SECRET),
        imports.pseudonym("ls-ann@example.org", SECRET),
    }


def test_a_mapping_that_contradicts_the_warehouse_is_refused(engine, load):
    load(engine, HEADER + GOOD, mapping=BASIC + '[pool]\npool_id = "n"\nsite = "S"\n')
    before = hashes(engine)
    for rules, message in [
        (BASIC.replace('"p"', '"p"\nname = "Other"'), r'name of p is "Other", but the warehouse has "p"'),
        (
            BASIC.replace('["ok", "hate"]', '["hate", "ok"]'),
            r"order is hate, ok, but the warehouse declares ok, hate for p",
        ),
        (BASIC + '[pool]\npool_id = "n"\nsite = "T"\n', r'site of n is "T", but the warehouse has "S"'),
    ]:
        with pytest.raises(LoadRefused, match=message):
            load(engine, HEADER + OTHER, mapping=rules)
    assert hashes(engine) == before
