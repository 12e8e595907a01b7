"""How each project's label counts are packed into whole numbers, so that a sum counts an item's labels."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from data_access import contract, marts
from data_access import tables as t
from data_access.store import Store
from metrics.patterns import Encoding, decode, overflowed


@dataclass(frozen=True)
class LabelCodes:
    """The encoding of each project's labels, the digits that each label adds, and the words (columns) of a code."""

    encodings: dict[str, Encoding]
    digits: sa.Subquery
    words: int

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Name and DuckDB type of what a mart of patterns has beside its grain and sums."""
        return [*((f"code_{w}", "BIGINT") for w in range(self.words)), ("ratings", "BIGINT")]


class Overflow(Exception):
    """An item has more ratings of one label than a digit of its project's code holds."""

    def __init__(self, project: str, ratings: int) -> None:
        super().__init__(project)
        self.project, self.ratings = project, ratings


def write_label_codes(store: Store, ratings: dict[str, int]) -> tuple[LabelCodes, list[contract.Finding]]:
    """Decides how each project's label counts are packed and writes `label_code`; a finding for each left out.

    ratings: the most ratings of an item, of projects where the usual digits were too small.
    """
    c = store.connection
    levels = dict(c.execute("SELECT project_id, label_level FROM project").fetchall())
    sets = label_sets_in_use(store, sorted(p for p, level in levels.items() if level == "set"))
    declared = c.execute("SELECT project_id, label FROM label ORDER BY project_id, position").fetchall()
    names: dict[str, list[str]] = {p: list(members) for p, members in sets.items()}
    for project, label in declared:
        if project not in sets:
            names.setdefault(project, []).append(label)
    encodings = choose_encodings(levels, {p: len(n) for p, n in names.items()}, ratings)
    words = max([e.words for e in encodings.values()], default=1)
    digits = marts.label_digits(encodings, {p: n for p, n in sets.items() if p in encodings}, words)
    rows = [
        (project, levels[project], names[project][position], position, encoding.bits)
        for project, encoding in encodings.items()
        for position in range(encoding.labels)
    ]
    frame = pd.DataFrame(rows, columns=["project_id", "level", "label", "position", "bits"])
    c.register("codes", frame.astype({"position": int, "bits": int}))
    c.execute(
        "CREATE OR REPLACE TABLE label_code AS SELECT project_id::VARCHAR AS project_id, level::VARCHAR AS level, "
        "label::VARCHAR AS label, position::INTEGER AS position, bits::INTEGER AS bits FROM codes"
    )
    c.unregister("codes")
    findings = []
    for project in sorted(set(levels) - set(encodings)):
        n = len(names.get(project, ()))
        why = f"has {n} labels, too many to count by patterns" if n else "declares no labels"
        message = f"Project {project} {why}; its agreement is not computed."
        findings.append(contract.Finding(contract.WARNING, "labels", "label", message, "Agreement"))
    return LabelCodes(encodings, digits, words), findings


def raise_on_overflow(store: Store, codes: LabelCodes, table: str) -> None:
    """Raises Overflow where an item's digits do not add up to its ratings: a carry would make another pattern of it."""
    c = store.connection
    for project, encoding in codes.encodings.items():
        most = c.execute(f"SELECT MAX(ratings) FROM {table} WHERE project_id = ?", [project]).fetchone()[0]
        if not most or most <= encoding.most:
            continue
        words = ", ".join(f"code_{w}" for w in range(encoding.words))
        rows = c.execute(f"SELECT {words}, ratings FROM {table} WHERE project_id = ?", [project]).df()
        counts = decode(rows.iloc[:, :-1].to_numpy(), encoding)
        if overflowed(counts, rows["ratings"].to_numpy()).any():
            raise Overflow(project, max(largest_item(store, project), int(most)))


def choose_encodings(
    level_of: dict[str, str], label_counts: dict[str, int], ratings: dict[str, int], most_words: int = 16
) -> dict[str, Encoding]:
    """How each project's label counts are packed; projects without labels or with too many are left out."""
    found = {}
    for project in level_of:
        count = label_counts.get(project, 0)
        if count:
            encoding = Encoding.choose(count, ratings.get(project))
            if encoding.words <= most_words:
                found[project] = encoding
    return found


def label_sets_in_use(store: Store, projects: list[str]) -> dict[str, tuple[str, ...]]:
    """The distinct label sets of projects whose labels are sets, in alphabetical order."""
    if not projects:
        return {}
    a = t.annotations.c
    rows = store.read(
        sa.select(a.project_id, a.label)
        .where(a.project_id.in_(projects), a.label.is_not(None), a.stage == "label")
        .distinct()
    )
    return {p: tuple(sorted({label for project, label in rows if project == p})) for p in projects}


def largest_item(store: Store, project: str) -> int:
    """The most ratings any item of the project has."""
    a = t.annotations.c
    per_item = (
        sa.select(sa.func.count().label("n"))
        .where(a.project_id == project, a.stage == "label", a.status != "skipped")
        .group_by(a.item_id)
        .subquery()
    )
    return store.read(sa.select(sa.func.max(per_item.c.n)))[0][0] or 0
