"""The projects a file of judgements belongs to: found in the warehouse or created, with their declared labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from data_access import tables
from data_access.imports import checks
from data_access.imports.contract_table import constant
from data_access.imports.mapping import Mapping
from data_access.imports.report import Faults, show
from data_access.imports.times import Clock
from data_access.imports.values import nearest, parse, sentence
from metrics.errors import LoadRefused

MOST_UNDECLARED = 1_000
MOST_PROJECTS = 1_000
_DEFAULTS = {
    "product": "unknown",
    "policy_area": "unknown",
    "task_type": "labelling",
    "label_level": "nominal",
    "ended_on": None,
}
_POOL_DEFAULTS = {"vendor": "unknown", "site": "unknown", "region": "unknown", "timezone": "UTC"}


@dataclass
class Projects:
    """``declared`` and ``levels`` by project; ``new`` are rows of projects to insert, ``undeclared`` the projects
    whose labels are to be taken from the file because nobody declared them.
    """

    declared: dict[str, list[str]]
    levels: dict[str, str]
    new: list[dict] = field(default_factory=list)
    undeclared: set[str] = field(default_factory=set)


def resolve(
    connection: sa.Connection, frame: pd.DataFrame, own: dict[str, dict[str, str]], rules: Mapping, faults: Faults,
    clock: Clock,
) -> Projects:  # fmt: skip
    """The file's projects; rows of unknown ones are rejected.

    ``own`` are projects the file itself declares. Raises LoadRefused when the mapping contradicts the warehouse.
    """
    declared, levels = checks.declared_labels(connection)
    found = Projects(declared, levels)
    stated = _typed(tables.projects, rules.project, rules, clock)
    mapped = stated.get("project_id")
    good = frame.loc[faults.good()]
    if good["project_id"].nunique() > MOST_PROJECTS:
        raise LoadRefused(f"{faults.file} names over {MOST_PROJECTS:,} projects; is the column of the project right?")
    for project, rows in good.groupby("project_id", sort=True):
        if project in levels:
            if project == mapped:
                check_stated(connection, tables.projects, stated, rules)
        elif project == mapped or project in own:
            row = {"name": project, "started_on": rows["submitted_at"].min().normalize(), **_DEFAULTS}
            row |= own.get(project, {}) | stated | {"project_id": project}
            found.new.append(row)
            levels[project] = row["label_level"]
        else:
            near = nearest(project, levels) or "; load projects first, or describe it in the mapping's [project]"
            reason = sentence(f"There is no project {show(project)} in the warehouse{near}")
            faults.add(rows.index, "unknown project", reason)
            continue
        _declare(found, project, mapped, rules)
    return found


def _declare(found: Projects, project: str, mapped: str | None, rules: Mapping) -> None:
    order = rules.order if mapped in (None, project) else None
    if project in found.declared:
        if order and list(order) != found.declared[project]:
            raise LoadRefused(
                f"{rules.path.name}: [labels] order is {', '.join(order[:20])}, but the warehouse declares "
                f"{', '.join(found.declared[project][:20])} for {project}; use the same set in the same order."
            )
    elif order:
        found.declared[project] = list(order)
    else:
        found.undeclared.add(project)


def _typed(table: sa.Table, stated: dict[str, str], rules: Mapping, clock: Clock) -> dict:
    """The mapping's values for a row of ``table``, typed. Raises LoadRefused naming the key."""
    typed: dict = {}
    for name, text in stated.items():
        faults = Faults(rules.path.name, pd.RangeIndex(1).to_numpy())
        value = parse(table.c[name], constant(text, 1), clock, faults).iloc[0]
        if len(faults):
            raise LoadRefused(f"{rules.path.name}, [{table.name.removesuffix('s')}]: {faults.rejections()[0].reason}")
        typed[name] = value
    return typed


def check_stated(connection: sa.Connection, table: sa.Table, stated: dict, rules: Mapping) -> None:
    """Raise LoadRefused when the mapping says something else about a row than the warehouse."""
    (key,) = table.primary_key
    row = connection.execute(sa.select(table).where(key == stated[key.name])).mappings().first()
    for name, value in stated.items() if row else ():
        there = row[name]
        if there != (value.date() if isinstance(table.c[name].type, sa.Date) else value):
            raise LoadRefused(
                f'{rules.path.name}: {name} of {stated[key.name]} is "{value}", but the warehouse has "{there}"; '
                "a load never changes a row, so use the same or leave it out."
            )


def labels_of(found: Projects, frame: pd.DataFrame, rules: Mapping, existing: set[str]) -> pd.DataFrame:
    """Rows of ``labels`` to add: the declared set, or where there is none the labels in the good rows of the file.

    ``existing`` are projects with labels in the warehouse. Raises LoadRefused when an order has to be declared.
    """
    rows = []
    for project in sorted(set(frame["project_id"].dropna()) - existing):
        order = found.declared.get(project) or _collected(project, frame, found.levels[project])
        for position, label in enumerate(order):
            severity = rules.severity.get(label, 0)
            rows.append((project, label, position, label in rules.violations, severity))
    return pd.DataFrame(rows, columns=[c.name for c in tables.labels.c])


def _collected(project: str, frame: pd.DataFrame, level: str) -> list[str]:
    of_project = frame[frame["project_id"] == project]
    held = [of_project[name].dropna().unique() for name in ("label", "gold_label") if name in of_project]
    seen = {str(label) for labels in held for label in labels}
    if level == "set":
        seen = {member for label in seen for member in label.split(tables.SET_SEPARATOR)}
    if len(seen) > MOST_UNDECLARED:
        raise LoadRefused(
            f"Project {project} would have {len(seen):,} different labels; is the label column the right one? "
            "If so, declare them in [labels] order."
        )
    try:
        return sorted(seen, key=float)
    except ValueError:
        if level == "ordinal":
            raise LoadRefused(
                f"Project {project} is ordinal and its labels are no numbers; declare the scale in [labels] order, "
                "lowest first."
            ) from None
        return sorted(seen)


def pool_row(connection: sa.Connection, rules: Mapping, clock: Clock) -> dict:
    """The row of the pool for raters of whom the file names none: the mapping's, or "unassigned"."""
    stated = _typed(tables.pools, rules.pool, rules, clock)
    if "pool_id" in stated:
        check_stated(connection, tables.pools, stated, rules)
    pool = stated.get("pool_id", "unassigned")
    return _POOL_DEFAULTS | {"pool_id": pool, "name": pool.capitalize() if pool == "unassigned" else pool} | stated
