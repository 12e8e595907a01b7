import pytest

from data_access.imports import projects
from metrics.errors import LoadRefused

from .conftest import BASIC, HEADER, TABLE_FILES, only, rows

AT = "2024-05-01T10:00:00Z"
UNDECLARED = BASIC.replace('[labels]\norder = ["ok", "hate"]\n', "")


def text(*labels):
    return HEADER + "".join(f'i{i},ann,"{label}",{AT}\n' for i, label in enumerate(labels))


def at_level(level, order=""):
    return UNDECLARED.replace('"p"\n', f'"p"\nlabel_level = "{level}"\n{order}', 1)


@pytest.mark.parametrize(
    ("level", "given", "declared"),
    [
        ("nominal", ["b", "a", "b"], ["a", "b"]),
        ("nominal", ["10", "9"], ["9", "10"]),
        ("ordinal", ["10", "9"], ["9", "10"]),
        ("interval", ["-5", "2.5"], ["-5", "2.5"]),
        ("set", ["b|a", "c"], ["a", "b", "c"]),
    ],
)
def test_labels_nobody_declared_are_those_of_the_first_load(sqlite, load, level, given, declared):
    load(sqlite, text(*given), mapping=at_level(level))
    held = sorted(rows(sqlite, "labels"), key=lambda r: r["position"])
    assert [r["label"] for r in held] == declared
    later = load(sqlite, HEADER + f"j,ann,77,{AT}\n", mapping=at_level(level))
    assert only(later).kind == "label outside the declared set"


def test_members_of_a_set_are_sorted(engine, load):
    load(engine, text("e|d|c|b|a|f", "a|c|b|d|f|e|a"), mapping=at_level("set"))
    assert [r["label"] for r in rows(engine, "annotations")] == ["a|b|c|d|e|f"] * 2


def test_an_ordinal_scale_of_words_must_be_declared(sqlite, load):
    with pytest.raises(LoadRefused, match=r"declare the scale in \[labels\] order, lowest first"):
        load(sqlite, text("low", "high"), mapping=at_level("ordinal"))


def test_interval_labels_are_numbers(sqlite, load):
    report = load(sqlite, text("1", "many", "1,5"), mapping=at_level("interval"))
    assert [r.line for r in report.rejections] == [3, 4]


def test_a_column_of_free_text_is_no_label(sqlite, load, monkeypatch):
    monkeypatch.setattr(projects, "MOST_UNDECLARED", 3)
    with pytest.raises(LoadRefused, match="is the label column the right one"):
        load(sqlite, text(*"abcd"), mapping=UNDECLARED)
    long = load(sqlite, text("x" * 65, "y"), mapping=UNDECLARED)
    assert "longer than 64 characters" in only(long).reason


def test_a_column_that_is_no_project_is_refused(sqlite, load, monkeypatch):
    monkeypatch.setattr(projects, "MOST_PROJECTS", 1)
    rules = UNDECLARED.replace('[project]\nproject_id = "p"', "") + 'project_id = "proj"\n'
    with pytest.raises(LoadRefused, match="names over 1 projects; is the column of the project right"):
        load(sqlite, f"item,who,verdict,at,proj\ni1,ann,ok,{AT},p\ni2,ann,ok,{AT},q\n", mapping=rules)


def test_violations_and_severities_are_declared(sqlite, load):
    rules = BASIC.replace('["ok", "hate"]', '["ok", "hate"]\nviolations = ["hate"]\nseverity = { hate = 3 }')
    load(sqlite, text("ok"), mapping=rules)
    assert [(r["label"], r["is_violation"], r["severity"]) for r in rows(sqlite, "labels")] == [
        ("hate", True, 3),
        ("ok", False, 0),
    ]


def test_a_column_of_projects_refers_to_those_loaded(engine, load, load_tables):
    load_tables(engine, {n: TABLE_FILES[n] for n in ("projects", "labels")})
    rules = BASIC.replace('[project]\nproject_id = "p"', "").replace('[labels]\norder = ["ok", "hate"]', "")
    rules += 'project_id = "proj"\n'
    report = load(
        engine, f"item,who,verdict,at,proj\ni1,ann,ok,{AT},p\ni2,ann,ok,{AT},P\ni3,ann,no,{AT},p\n", mapping=rules
    )
    assert report.accepted == 1
    assert [(r.line, r.kind) for r in report.rejections] == [
        (3, "unknown project"),
        (4, "label outside the declared set"),
    ]
    assert 'the nearest is "p"' in report.rejections[0].reason
