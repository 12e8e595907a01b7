"""What makes a row impossible beside the others: order of times, repeated keys, labels nobody declared."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import tables
from data_access.imports.report import Faults, show
from data_access.imports.values import LONGEST_ID, MOST_HINTS, nearest, sentence

_IN_ORDER: dict[str, tuple[tuple[str, str], ...]] = {  # the second is never before the first
    "projects": (("started_on", "ended_on"),),
    "raters": (("hired_on", "left_on"),),
    "items": (
        ("created_at", "closed_at"),
        ("created_at", "due_at"),
        ("created_at", "claimed_at"),
        ("claimed_at", "closed_at"),
    ),
    "appeals": (("filed_at", "decided_at"),),
    "escalations": (("opened_at", "resolved_at"), ("opened_at", "due_at")),
    "changes": (("starts_on", "ends_on"),),
    "targets": (("valid_from", "valid_to"),),
    "model_versions": (("trained_at", "released_at"),),
    "incidents": (("occurred_at", "detected_at"), ("occurred_at", "resolved_at")),
}
_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def check_order(table: str, frame: pd.DataFrame, faults: Faults) -> None:
    """Reject rows whose end lies before their beginning: a negative duration."""
    for first, second in _IN_ORDER.get(table, ()):
        if first in frame and second in frame:
            backwards = (frame[second] < frame[first]).to_numpy()
            faults.add(
                np.flatnonzero(backwards), "negative duration", f"{second} is before {first}; correct one of them."
            )


ROUNDED_SECONDS = 1.0  # by which a part may pass the whole where both were rounded
_PARTS_OF_HOURS = (("active_seconds", "logged_seconds"), ("sensitive_seconds", "active_seconds"))


def check_hours(frame: pd.DataFrame, faults: Faults) -> list[str]:
    """Reject shifts whose part is longer than the whole; the note on those without paid time, which are kept."""
    nothing = (frame["logged_seconds"] == 0).to_numpy()
    faults.add(
        np.flatnonzero(nothing & (frame["active_seconds"] > 0).to_numpy()),
        "work without paid time",
        "logged_seconds is 0 but active_seconds is not; give the paid time, or leave the shift out.",
    )
    for part, whole in _PARTS_OF_HOURS:
        longer = (frame[part] > frame[whole] + ROUNDED_SECONDS).to_numpy()
        faults.add(
            np.flatnonzero(longer), "part longer than the whole", f"{part} is above {whole}; correct one of them."
        )
    unpaid = int((nothing & faults.good()).sum())
    if not unpaid:
        return []
    shifts = "1 shift has" if unpaid == 1 else f"{unpaid:,} shifts have"
    return [f"{shifts} no paid time (logged_seconds is 0): counted as days, in no share of time"]


def check_repeated(frame: pd.DataFrame, key: Sequence[str], faults: Faults) -> dict[int, int]:
    """Reject rows that repeat a key with other content. Returns {row: first row} of those that say the same again."""
    good = frame[faults.good()]
    again = good.duplicated(list(key), keep=False)
    if not again.any():
        return {}
    good = good[again]
    group = good.groupby(list(key), dropna=False, sort=False).ngroup()
    first = pd.Series(good.index, index=good.index).groupby(group).transform("first")
    others = first.index[first.to_numpy() != first.index.to_numpy()]
    now, then = good.loc[others], good.loc[first[others]].set_axis(others)
    equal = np.ones(len(others), dtype=bool)
    for name in good.columns:
        left, right = now[name], then[name]
        equal &= (((left == right).fillna(False)) | (left.isna() & right.isna())).to_numpy(bool)
    faults.add(
        others[~equal],
        "conflicting key",
        lambda row: f"The key ({', '.join(key)}) is on {faults.place(first[row])} with other content; keep one.",
    )
    return {int(row): int(first[row]) for row in others[equal]}


def check_repeats(frame: pd.DataFrame, keep: str, faults: Faults, order: pd.Series | None = None) -> None:
    """Reject all but one judgement of the same rater, item and stage: the first, or the last by ``keep``."""
    good = frame.loc[faults.good(), ["item_id", "rater_id", "stage"]]
    if order is not None:
        good = good.loc[order[good.index].sort_values(kind="stable").index]
    again = good.duplicated(keep="last" if keep == "last" else "first")
    if not again.any():
        return
    rows = good.index[again]
    kept = good[~again].reset_index().merge(good.loc[rows].reset_index(), on=list(good.columns), suffixes=("_kept", ""))
    kept_row = dict(zip(kept["index"], kept["index_kept"], strict=True))
    faults.add(
        rows,
        "repeated judgement",
        lambda row: (
            f"The same rater judges this item at this stage on {faults.place(kept_row[row])} too, which is kept; "
            'to keep both, map a repeat column and set [repeats] keep = "all".'
        ),
    )


def as_set(label: str) -> str:
    """A label of a `set` project in the contract's form: its members once each, in alphabetical order."""
    return tables.SET_SEPARATOR.join(sorted({m for m in label.split(tables.SET_SEPARATOR) if m}))


def check_labels(
    projects: pd.Series,
    labels: pd.Series,
    declared: Map[str, Sequence[str]],
    levels: Map[str, str],
    faults: Faults,
) -> None:
    """Reject labels outside their project's declared set, naming the nearest; no set declared allows every label."""
    there = labels.notna() & projects.notna() & faults.good()[labels.index]
    if not there.any():
        return
    pairs = pd.DataFrame({"project": projects[there], "label": labels[there]})
    codes, distinct = pd.factorize(pd.MultiIndex.from_frame(pairs))
    reasons: dict[int, str] = {}
    for code, (project, label) in enumerate(distinct):
        hints = len(reasons) < MOST_HINTS
        reason = _label_fault(project, label, declared.get(project), levels.get(project, "nominal"), hints)
        if reason:
            reasons[code] = sentence(f"{labels.name} {reason}")
    wrong = np.flatnonzero(np.isin(codes, list(reasons)))
    code_of = dict(zip(pairs.index[wrong].tolist(), codes[wrong].tolist(), strict=True))
    faults.add(list(code_of), "label outside the declared set", lambda row: reasons[code_of[row]])


def _label_fault(project: str, label: str, declared: Sequence[str] | None, level: str, hints: bool) -> str | None:
    if level == "interval" and not _PLAIN_NUMBER.fullmatch(label):
        return f"{show(label)} is no number, which a label of the interval project {project} must be"
    members = label.split(tables.SET_SEPARATOR) if level == "set" else [label]
    for member in members:
        if declared is None:
            if len(member) > LONGEST_ID:
                return f"{show(member)} is longer than {LONGEST_ID} characters; labels are short names"
        elif member not in declared:
            return f"{show(member)} is not in the declared set of {project}{nearest(member, declared) if hints else ''}"
    return None


def declared_labels(connection: sa.Connection) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The labels of each project in the warehouse, in order, and each project's label level."""
    t = tables.labels
    declared: dict[str, list[str]] = {}
    for project, label in connection.execute(
        sa.select(t.c.project_id, t.c.label).order_by(t.c.project_id, t.c.position)
    ):
        declared.setdefault(project, []).append(label)
    p = tables.projects
    levels = dict(connection.execute(sa.select(p.c.project_id, p.c.label_level)).all())
    return declared, levels
