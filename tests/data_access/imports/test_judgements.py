import pytest

from data_access import imports
from metrics.errors import LoadRefused

from .conftest import BASIC, GOOD, HEADER, SECRET, only, rows

AT = "2024-05-01T10:00:00Z"
WIDE = """
[project]
project_id = "w"
[labels]
order = ["1", "2"]
[wide]
item_id = "unit"
raters = ["Ann", "Bob"]
[constants]
submitted_at = "2024-05-01T10:00:00Z"
"""


def test_one_column_per_rater_becomes_one_row_per_judgement(engine, load):
    report = load(engine, "unit,Ann,Bob\nu1,1,2\nu2,,1\nu3,,\nu4,9,1\n", mapping=WIDE)
    assert (report.read, report.accepted) == (5, 4)
    assert (only(report).line, only(report).kind) == (5, "label outside the declared set")
    ann, bob = (imports.pseudonym(name, SECRET) for name in ("Ann", "Bob"))
    assert sorted((r["item_id"], r["rater_id"], r["label"]) for r in rows(engine, "annotations")) == sorted(
        [("u1", ann, "1"), ("u1", bob, "2"), ("u2", bob, "1"), ("u4", bob, "1")]
    )
    assert load(engine, "unit,Ann,Bob\nu1,1,2\nu2,,1\nu3,,\nu4,9,1\n", mapping=WIDE).present == 4


def test_a_rater_column_that_is_not_there_is_named(sqlite, load):
    with pytest.raises(LoadRefused, match=r'lacks the column "Bob" \(named in \[wide\]\); it has unit, Ann'):
        load(sqlite, "unit,Ann\nu1,1\n", mapping=WIDE)


REPEATS = HEADER.replace("\n", ",pass\n") + "".join(
    f"i1,{who},{label},{AT},{n}\n" for who, label, n in [("ann", "ok", 2), ("ann", "hate", 1), ("bob", "ok", 1)]
)


@pytest.mark.parametrize(
    ("rules", "kept", "rejected"),
    [
        ("", ["ok", "ok"], [3]),
        ('[repeats]\nkeep = "first"\n', ["ok", "ok"], [3]),
        ('[repeats]\nkeep = "last"\n', ["hate", "ok"], [2]),
        ('[repeats]\nkeep = "all"\n', ["hate", "ok", "ok"], []),
    ],
)
def test_repeats_are_kept_apart_and_counted(sqlite, load, rules, kept, rejected):
    report = load(sqlite, REPEATS, mapping=BASIC + rules)
    assert sorted(r["label"] for r in rows(sqlite, "annotations")) == kept
    assert [r.line for r in report.rejections] == rejected
    assert {r.kind for r in report.rejections} <= {"repeated judgement"}
    assert load(sqlite, REPEATS, mapping=BASIC + rules).present == len(kept)


def test_a_mapped_repeat_says_which_came_first(engine, load):
    rules = BASIC + 'repeat = "pass"\n'
    report = load(engine, REPEATS, mapping=rules)
    assert (only(report).line, sorted(r["label"] for r in rows(engine, "annotations"))) == (2, ["hate", "ok"])
    assert "on line 3 too, which is kept" in only(report).reason


def test_each_repeat_is_a_session_of_its_rater(engine, load):
    load(engine, REPEATS, mapping=BASIC + 'repeat = "pass"\n[repeats]\nkeep = "all"\n')
    ann = imports.pseudonym("ann", SECRET)
    held = {r["rater_id"]: r["label"] for r in rows(engine, "annotations")}
    assert held == {ann: "hate", f"{ann}.2": "ok", imports.pseudonym("bob", SECRET): "ok"}
    aliases = {r["rater_id"]: r["alias"] for r in rows(engine, "raters")}
    assert aliases[f"{ann}.2"] == f"Rater {ann[2:8]} (repeat 2)"


@pytest.mark.parametrize("cell", ["0", "x", ""])
def test_a_repeat_that_is_no_count(sqlite, load, cell):
    text = HEADER.replace("\n", ",pass\n") + GOOD.replace("\n", f",{cell}\n")
    report = load(sqlite, text, mapping=BASIC + 'repeat = "pass"\n[repeats]\nkeep = "all"\n')
    assert (report.accepted, report.rejected) == (0, 1)


def test_an_annotation_given_twice_under_its_own_id_is_one(engine, load):
    header, rules = HEADER.replace("\n", ",id\n"), BASIC + 'annotation_id = "id"\n'
    text = header + f"i1,ann,ok,{AT},a1\n" * 2 + f"i1,ann,hate,{AT},a1\n" + f"i1,ann,ok,{AT},a2\n"
    report = load(engine, text, mapping=rules)
    assert (report.accepted, report.present) == (1, 1)
    assert [(r.line, r.kind) for r in report.rejections] == [(4, "conflicting key"), (5, "repeated judgement")]
    later = load(engine, header + f"i1,ann,ok,{AT},a3\n", mapping=rules)
    assert only(later).kind == "repeated judgement"
    assert only(later).reason.startswith("The warehouse has another judgement")


def test_a_review_by_the_same_rater_is_no_repeat(engine, load):
    header = HEADER.replace("\n", ",stage\n")
    assert load(engine, header + f"i1,ann,ok,{AT},label\n").accepted == 1
    assert load(engine, header + f"i1,ann,hate,{AT},review\n").accepted == 1


def test_columns_of_the_contracts_names_need_no_mapping(sqlite, load):
    text = f"item_id,rater_id,label,submitted_at,policy\ni1,ann,ok,{AT},hate\n"
    load(sqlite, text, mapping='[project]\nproject_id = "p"\n')
    assert rows(sqlite, "items")[0]["policy"] == "hate"


def test_a_column_mapped_to_one_thing_is_not_taken_for_another_by_its_name(sqlite, load):
    rules = BASIC.replace('"at"', '"created_at"')
    report = load(
        sqlite, HEADER.replace(",at", ",created_at") + GOOD + GOOD.replace("ann", "bob").replace("10:", "11:"), rules
    )
    assert report.accepted == 2  # two times of submission, no two times of creation


def test_a_file_that_names_no_project_is_refused(sqlite, load):
    with pytest.raises(LoadRefused, match=r"does not say which project it belongs to; give \[project\] project_id"):
        load(sqlite, HEADER + GOOD, mapping=BASIC.replace('project_id = "p"', 'name = "P"'))


def test_what_the_file_lacks_switches_kpis_off_by_name(sqlite, load):
    (file,) = load(sqlite, HEADER + GOOD).files
    assert "no duration: handle time is not available" in file.switched_off
    assert "no gold labels: accuracy against gold is not available" in file.switched_off
    timed = load(sqlite, HEADER.replace("\n", ",handle_seconds\n") + f"i2,ann,ok,{AT},5\n")
    assert not any("duration" in s for s in timed.files[0].switched_off)


def test_a_duration_keeps_its_basis_and_none_is_unknown(sqlite, load):
    text = HEADER.replace("\n", ",handle_seconds\n") + f"i1,ann,ok,{AT},5\ni2,ann,ok,{AT},\n"
    load(sqlite, text, mapping=BASIC + '[constants]\ntime_basis = "active"\n')
    assert sorted((r["handle_seconds"] or 0, r["time_basis"]) for r in rows(sqlite, "annotations")) == [
        (0, "unknown"),
        (5, "active"),
    ]


def test_a_prefix_that_makes_ids_too_long(sqlite, load):
    report = load(sqlite, HEADER + GOOD.replace("i1", "x" * 62), mapping=BASIC + '[items]\nprefix = "abc"\n')
    assert only(report).kind == "text too long"


def test_skipped_rows_are_kept(sqlite, load):
    text = HEADER.replace("\n", ",status\n") + f"i1,ann,,{AT},skipped\ni2,ann,,{AT},submitted\n"
    report = load(sqlite, text)
    assert (report.accepted, only(report).line, only(report).kind) == (1, 3, "no label")
