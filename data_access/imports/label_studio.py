"""Label Studio's JSON export: an array of tasks, each with its annotations.

Traps this reader knows: a cancelled annotation still carries a full result; a ground truth annotation is its
author's answer key, not a rater's work; ``result_count`` is not the number of results; ``completed_by`` is a number
or an object with an e-mail address; CSV and JSON_MIN exports drop what was cancelled.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_access import tables
from data_access.imports.landing import Landing
from data_access.imports.mapping import Mapping
from data_access.imports.report import Rejection
from data_access.imports.values import nearest, sentence
from metrics.errors import LoadRefused

MOST_JSON_BYTES = 1 << 30
GOLD_ROW = "ground_truth"
_BUILT_IN = [
    "annotation_id",
    "item_id",
    "project_id",
    "rater_id",
    "label",
    "gold_label",
    "status",
    "submitted_at",
    "handle_seconds",
    "time_basis",
    "created_at",
]
_LABEL_TYPES = {"choices": "nominal", "rating": "ordinal", "number": "interval"}  # control type: level of its labels


class _Skip(Exception):
    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


def columns(path: Path, mapping: Mapping) -> list[str]:
    """The contract's columns an export gives, then ``data.<field>`` for each field of the tasks' data."""
    return _BUILT_IN + _data_fields(_tasks(path))


def read(path: Path, mapping: Mapping, wanted: set[str]) -> Landing:
    """One row per annotation. Raises LoadRefused when the file is no such export or the label's control is unclear."""
    tasks = _tasks(path)
    control, kind = _control(path, tasks, mapping.control)
    level = mapping.project.get("label_level") or _level(tasks, control, kind)
    fields = [name for name in _data_fields(tasks) if name in wanted]
    rows: list[dict[str, str | None]] = []
    lines: list[int] = []
    rejections: list[Rejection] = []
    projects: Counter[str] = Counter()
    for number, (task, annotation) in enumerate(_annotations(tasks), start=1):
        line = annotation["id"] if isinstance(annotation.get("id"), int) else number
        try:
            row = _row(task, annotation, control, level)
        except _Skip as skip:
            where = f"Task {task.get('id')}, annotation {annotation.get('id')}: {skip.reason}."
            rejections.append(Rejection(path.name, line, skip.kind, where))
            continue
        data = task.get("data") if isinstance(task.get("data"), dict) else {}
        rows.append(row | {name: _plain(data.get(name.removeprefix("data."))) for name in fields})
        lines.append(line)
        projects[row["project_id"] or ""] += 1
    frame = pd.DataFrame(rows, columns=[*_BUILT_IN, GOLD_ROW, *fields]).astype("str")
    declared = {
        project: {"name": f"Label Studio project {project.removeprefix('ls-')}", "label_level": level}
        for project in projects
    }
    return Landing(
        path,
        "label_studio",
        _BUILT_IN + _data_fields(tasks),
        frame,
        np.array(lines, dtype=np.int64),
        rejections,
        unit="annotation",
        notes=_notes(tasks, control),
        projects=declared,
        gold_rows=GOLD_ROW,
    )


def _tasks(path: Path) -> list[dict[str, Any]]:
    size = path.stat().st_size
    if not size:
        raise LoadRefused(f"{path.name} is empty (0 bytes); export it again.")
    if size > MOST_JSON_BYTES:
        raise LoadRefused(f"{path.name} is over {MOST_JSON_BYTES >> 30} GiB; export the project in parts.")
    try:
        tasks = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=str)
    except UnicodeDecodeError as error:
        raise LoadRefused(f"{path.name} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise LoadRefused(
            f"{path.name}, line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}); export it again."
        ) from None
    except (RecursionError, ValueError):
        raise LoadRefused(f"{path.name} is no JSON that can be read (too deeply nested, or a huge number).") from None
    if isinstance(tasks, dict):
        tasks = [tasks]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise LoadRefused(f"{path.name} is no Label Studio export: it is not an array of tasks. Export as JSON.")
    if any("annotator" in task and "annotations" not in task for task in tasks[:1]):
        raise LoadRefused(
            f"{path.name} is Label Studio's JSON_MIN, which drops cancelled annotations and ground truth; "
            "export as JSON."
        )
    if not all(isinstance(task.get("annotations"), list) for task in tasks):
        raise LoadRefused(f'{path.name} is no Label Studio export: a task has no "annotations". Export as JSON.')
    return tasks


def _annotations(tasks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for task in tasks:
        for annotation in task["annotations"]:
            yield task, annotation if isinstance(annotation, dict) else {}


def _results(annotation: dict[str, Any]) -> list[dict[str, Any]]:
    results = annotation.get("result")
    return [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []


def _data_fields(tasks: list[dict[str, Any]]) -> list[str]:
    names = {str(key) for task in tasks if isinstance(task.get("data"), dict) for key in task["data"]}
    return [f"data.{name}" for name in sorted(names)]


def _control(path: Path, tasks: list[dict[str, Any]], named: str | None) -> tuple[str, str]:
    """The control that is the label, and its type: the one named, else the only one of choices."""
    kinds = {str(r.get("from_name")): str(r.get("type")) for _, a in _annotations(tasks) for r in _results(a)}
    if named is None:
        choices = [name for name, kind in kinds.items() if kind == "choices"] or [
            name for name, kind in kinds.items() if kind in _LABEL_TYPES
        ]
        if len(choices) != 1:
            found = ", ".join(f"{name} ({kind})" for name, kind in sorted(kinds.items())) or "none"
            raise LoadRefused(
                f"{path.name} has no single control of choices (controls: {found}); name the label's in the mapping "
                'file: [label_studio] control = "sentiment".'
            )
        named = choices[0]
    if named not in kinds:
        near = nearest(named, kinds) or f"; controls are {', '.join(sorted(kinds)) or 'none'}"
        raise LoadRefused(sentence(f'{path.name} has no control "{named}"{near}'))
    if kinds[named] not in _LABEL_TYPES:
        raise LoadRefused(
            f'{path.name}: control "{named}" is of type {kinds[named]}; labels come from {", ".join(_LABEL_TYPES)}.'
        )
    return named, kinds[named]


def _level(tasks: list[dict[str, Any]], control: str, kind: str) -> str:
    several = kind == "choices" and any(
        len(_values(result, kind)) > 1
        for _, annotation in _annotations(tasks)
        for result in _results(annotation)
        if result.get("from_name") == control
    )
    return "set" if several else _LABEL_TYPES[kind]


def _values(result: dict[str, Any], kind: str) -> list[str]:
    value = result.get("value")
    held = value.get(kind) if isinstance(value, dict) else None
    held = held if isinstance(held, list) else [] if held is None else [held]
    return [str(v) for v in held]


def _row(task: dict[str, Any], annotation: dict[str, Any], control: str, level: str) -> dict[str, str | None]:
    if "id" not in annotation or "id" not in task:
        raise _Skip("no id", "the task or the annotation has no id; export as JSON again")
    project = annotation.get("project", task.get("project"))
    if project is None:
        raise _Skip("no project", "the export does not say which project it belongs to")
    cancelled, gold = annotation.get("was_cancelled") is True, annotation.get("ground_truth") is True
    if cancelled and gold:
        raise _Skip("cancelled ground truth", "a cancelled annotation is marked as ground truth; unmark it")
    label = None if cancelled else _label(annotation, control, level)
    lead = annotation.get("lead_time")
    return {
        "annotation_id": f"ls-{project}-{annotation['id']}",
        "item_id": str(task["id"]),
        "project_id": f"ls-{project}",
        "rater_id": _rater(annotation.get("completed_by")),
        "label": label,
        "gold_label": label if gold else None,
        "status": "skipped" if cancelled else _outcome(annotation.get("reviews")),
        "submitted_at": _plain(annotation.get("created_at")),
        "handle_seconds": _plain(lead),
        "time_basis": "unknown" if lead is None else "lead",
        "created_at": _plain(task.get("created_at")),
        GOLD_ROW: "yes" if gold else None,
    }


def _label(annotation: dict[str, Any], control: str, level: str) -> str:
    values = {
        value
        for result in _results(annotation)
        if result.get("from_name") == control
        for value in _values(result, str(result.get("type")))
    }
    if not values:
        raise _Skip("no answer", f'there is no answer to the control "{control}"')
    if level == "set":
        if any(tables.SET_SEPARATOR in value for value in values):
            raise _Skip("separator in a label", f'a choice contains "{tables.SET_SEPARATOR}", which separates choices')
        return tables.SET_SEPARATOR.join(sorted(values))
    if len(values) > 1:
        raise _Skip(
            "several choices", f'it has {len(values)} choices; declare label_level = "set" in [project] to keep them'
        )
    return values.pop()


def _rater(completed_by: Any) -> str | None:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("id", completed_by.get("email"))
    return None if completed_by is None else str(completed_by)


def _outcome(reviews: Any) -> str:
    """The last review's word, where there is one (Enterprise)."""
    said = [r.get("accepted") for r in reviews if isinstance(r, dict)] if isinstance(reviews, list) else []
    return {True: "accepted", False: "rejected"}.get(said[-1] if said else None, "submitted")


def _plain(value: Any) -> str | None:
    """A JSON value as a cell of text; what is no plain value becomes JSON again."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _notes(tasks: list[dict[str, Any]], control: str) -> list[str]:
    notes = [f'the label is the control "{control}"']
    gold = sum(annotation.get("ground_truth") is True for _, annotation in _annotations(tasks))
    if gold:
        notes.append(f"{gold} ground truth annotations became gold labels of their items and score no rater")
    if predicted := sum(bool(task.get("predictions")) for task in tasks):
        notes.append(f"predictions on {predicted} tasks were not loaded: a model's answer is no rater's")
    if bare := sum(not task["annotations"] for task in tasks):
        notes.append(f"{bare} tasks without annotations were not loaded")
    return notes
