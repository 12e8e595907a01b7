import copy
import json

import pytest

from data_access import imports
from metrics.errors import LoadRefused

from .conftest import SECRET, everything, hashes, only, rows

CHOICE = {"from_name": "sentiment", "to_name": "text", "type": "choices"}


def result(*choices, name="sentiment"):
    return {**CHOICE, "from_name": name, "value": {"choices": list(choices)}}


def annotation(number, rater=2, label="Positive", **more):
    return {
        "id": number,
        "completed_by": rater,
        "result": [result(label), {"from_name": "stars", "type": "rating", "value": {"rating": 4}}],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": f"2026-11-22T07:15:{number % 60:02d}.5Z",
        "lead_time": 12.5,
        "result_count": 9,
        "project": 7,
        **more,
    }


def task(number, *annotations, **more):
    at = "2026-11-22T07:00:00Z"
    return {
        "id": number,
        "data": {"text": "x", "lang": "en"},
        "created_at": at,
        "annotations": list(annotations),
        **more,
    }


PROJECT = '[labels]\norder = ["Positive", "Negative"]\n'


@pytest.fixture
def load_tasks(load):
    def load_tasks(engine, *tasks, mapping=PROJECT):
        return load(engine, json.dumps(tasks), mapping=mapping, name="export.json")

    return load_tasks


def test_annotations_become_judgements(engine, load_tasks):
    tasks = [
        task(1, annotation(1), annotation(2, 3, "Negative", lead_time=None)),
        task(2, annotation(3, was_cancelled=True)),
        task(3),
    ]
    mapping = PROJECT + '[columns]\nlanguage = "data.lang"\n'
    report = load_tasks(engine, *tasks, mapping=mapping)
    held = rows(engine, "annotations")
    keys = ["annotation_id", "item_id", "project_id", "label", "status", "handle_seconds", "time_basis"]
    assert [[r[k] for k in keys] for r in held] == [
        ["ls-7-1", "1", "ls-7", "Positive", "submitted", 12.5, "lead"],
        ["ls-7-2", "1", "ls-7", "Negative", "submitted", None, "unknown"],
        ["ls-7-3", "2", "ls-7", None, "skipped", 12.5, "lead"],  # its full result is no judgement
    ]
    assert held[0]["rater_id"] == imports.pseudonym("2", SECRET)
    assert [r["language"] for r in rows(engine, "items")] == ["en", "en"]
    assert report.files[0].unknown_columns == ("data.text",)
    assert "1 tasks without annotations were not loaded" in report.files[0].notes
    before = hashes(engine)
    assert load_tasks(engine, *tasks, mapping=mapping).present == 3
    assert hashes(engine) == before


def test_ground_truth_is_the_items_gold_and_never_a_raters_work(engine, load_tasks):
    tasks = [
        task(1, annotation(1, 9, "Negative", ground_truth=True), annotation(2)),
        task(2, annotation(3, 9, ground_truth=True)),
    ]
    report = load_tasks(engine, *tasks)
    assert (report.read, report.accepted) == (3, 3)
    assert [r["annotation_id"] for r in rows(engine, "annotations")] == ["ls-7-2"]
    assert [r["gold_label"] for r in rows(engine, "items")] == ["Negative", "Positive"]
    assert [r["rater_id"] for r in rows(engine, "raters")] == [imports.pseudonym("2", SECRET)]
    assert load_tasks(engine, *tasks).present == 3


def test_a_gold_author_may_also_have_judged_the_item(sqlite, load_tasks):
    report = load_tasks(sqlite, task(1, annotation(1, 9, ground_truth=True), annotation(2, 9, "Negative")))
    assert report.rejections == []


def test_gold_set_after_the_first_load_is_a_conflict_of_its_own_row_only(engine, load_tasks):
    load_tasks(engine, task(1, annotation(1)))
    report = load_tasks(engine, task(1, annotation(1), annotation(2, 9, ground_truth=True), annotation(3, 3)))
    assert (report.accepted, report.present) == (1, 1)
    assert (only(report).line, only(report).kind) == (2, "conflict with a row loaded before")
    assert "gold_label differs" in only(report).reason


def test_two_ground_truths_that_differ(sqlite, load_tasks):
    report = load_tasks(
        sqlite, task(1, annotation(1, ground_truth=True), annotation(2, 3, "Negative", ground_truth=True))
    )
    assert (only(report).line, only(report).kind) == (2, "contradicts an earlier row")


def test_raters_given_as_objects_leave_no_name_behind(engine, load_tasks):
    person = {"id": 2, "email": "eve@example.org", "first_name": "Evelyn", "last_name": "Rater"}
    reviews = [{"id": 1, "created_by": person, "accepted": False}, {"id": 2, "created_by": person, "accepted": True}]
    report = load_tasks(
        engine,
        task(1, annotation(1, person, reviews=reviews)),
        task(2, annotation(2, 2, reviews=[{"accepted": False}])),
        task(3, annotation(3, {"email": "eve@example.org"})),
    )
    assert report.accepted == 3
    assert [r["status"] for r in rows(engine, "annotations")] == ["accepted", "rejected", "submitted"]
    first, second, third = (r["rater_id"] for r in rows(engine, "annotations"))
    assert first == second == imports.pseudonym("2", SECRET) != third
    assert not any(word in everything(engine) for word in ("eve@", "Evelyn", "example.org"))


def test_several_choices_are_a_set_in_alphabetical_order(engine, load_tasks):
    both = annotation(1, result=[result("Negative"), result("Positive", "Negative")])
    load_tasks(engine, task(1, both), task(2, annotation(2)))
    assert rows(engine, "projects")[0]["label_level"] == "set"
    assert [r["label"] for r in rows(engine, "annotations")] == ["Negative|Positive", "Positive"]
    assert [r["label"] for r in rows(engine, "labels")] == ["Negative", "Positive"]


def test_several_choices_where_one_is_declared(sqlite, load_tasks):
    tasks = task(1, annotation(1, result=[result("Negative", "Positive")]), annotation(2, 3))
    report = load_tasks(sqlite, tasks, mapping='[project]\nlabel_level = "nominal"\n')
    assert only(report).reason.startswith("Task 1, annotation 1: it has 2 choices; declare label_level")


def test_the_control_is_named_and_ratings_are_ordinal(engine, load_tasks):
    load_tasks(engine, task(1, annotation(1)), mapping='[label_studio]\ncontrol = "stars"\n')
    assert rows(engine, "projects")[0]["label_level"] == "ordinal"
    assert [r["label"] for r in rows(engine, "annotations")] == ["4"]


def test_ratings_may_be_declared_interval(sqlite, load_tasks):
    mapping = '[project]\nlabel_level = "interval"\n[label_studio]\ncontrol = "stars"\n'
    load_tasks(sqlite, task(1, annotation(1)), mapping=mapping)
    assert rows(sqlite, "projects")[0]["label_level"] == "interval"


TWO = [task(1, annotation(1, result=[result("a"), result("b", name="topic")]))]
COMMENT = [task(1, annotation(1, result=[{"from_name": "why", "type": "textarea", "value": {"text": ["x"]}}]))]


@pytest.mark.parametrize(
    ("tasks", "control", "message"),
    [
        (
            TWO,
            None,
            r"no single control of choices \(controls: sentiment \(choices\), topic \(choices\)\); name the label's",
        ),
        (TWO, "sentimnt", r'has no control "sentimnt"; did you mean "sentiment"\?'),
        (COMMENT, "why", r'control "why" is of type textarea; labels come from choices, rating, number'),
        (COMMENT, None, r"no single control of choices \(controls: why"),
    ],
)
def test_a_control_that_is_not_clear_is_refused(sqlite, load_tasks, tasks, control, message):
    with pytest.raises(LoadRefused, match=message):
        load_tasks(sqlite, *tasks, mapping=f'[label_studio]\ncontrol = "{control}"\n' if control else "")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"result": [{"from_name": "stars", "type": "rating", "value": {"rating": 4}}]}, "no answer"),
        ({"result": None}, "no answer"),
        ({"ground_truth": True, "was_cancelled": True}, "cancelled ground truth"),
        ({"project": None}, "no project"),
        ({"completed_by": None}, "empty cell"),
        ({"created_at": None}, "empty cell"),
        ({"created_at": "2030-01-01T00:00:00Z"}, "time in the future"),
        ({"lead_time": -1}, "number out of range"),
        ({"lead_time": 0}, "number out of range"),
        ({"lead_time": 1e6}, "number out of range"),
        ({"lead_time": float("nan")}, "unreadable number"),
        ({"result": [result("positive")]}, "label outside the declared set"),
        ({"result": [result("a|b")], "label": "set"}, "label outside the declared set"),
    ],
)
def test_an_annotation_at_fault_is_rejected_by_its_id(sqlite, load_tasks, change, kind):
    report = load_tasks(sqlite, task(1, annotation(1), annotation(44, 3, **change)))
    assert report.accepted == 1
    assert (only(report).line, only(report).kind) == (44, kind)


def test_the_project_is_the_files_or_the_mappings(sqlite, load_tasks):
    report = load_tasks(sqlite, task(1, annotation(1)), task(2, annotation(2, project=8)))
    assert report.accepted == 2
    assert [(r["project_id"], r["name"]) for r in rows(sqlite, "projects")] == [
        ("ls-7", "Label Studio project 7"),
        ("ls-8", "Label Studio project 8"),
    ]


def test_a_project_named_in_the_mapping_holds(sqlite, load_tasks):
    load_tasks(sqlite, task(1, annotation(1)), mapping='[project]\nproject_id = "mine"\n')
    assert [r["project_id"] for r in rows(sqlite, "annotations")] == ["mine"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"is empty"),
        ('[{"id": 1,', r"line 1, column 11: not valid JSON"),
        ("[1, 2]", r"not an array of tasks"),
        ('"text"', r"not an array of tasks"),
        ('[{"id": 1}]', r'a task has no "annotations"'),
        ('[{"id": 1, "annotator": 2, "sentiment": "x"}]', r"JSON_MIN, which drops cancelled"),
        (b'[{"id": "\xff"}]', r"is not UTF-8 at byte 9"),
        ("[" * 100_000, r"not valid JSON|too deeply nested"),
    ],
)
def test_what_is_no_export_is_refused(sqlite, load, content, message):
    with pytest.raises(LoadRefused, match=message):
        load(sqlite, content, mapping=None, name="export.json")


def test_the_reader_changes_nothing_it_was_given():
    one = [task(1, annotation(1))]
    before = copy.deepcopy(one)
    from data_access.imports import label_studio

    label_studio._level(one, "sentiment", "choices")
    assert one == before
