"""The mapping file: which column of a file is which column of the contract, and what the file does not say.

Documented with an example in docs/loading.md.
"""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from data_access import tables
from data_access.imports.values import nearest, sentence
from metrics.errors import LoadRefused

REPEAT = "repeat"  # an import-only column: the number of a rater's pass over the same item
JUDGEMENT_COLUMNS = (*(c.name for c in tables.annotations.c), *(c.name for c in tables.items.c), REPEAT)
RATER_COLUMNS = tuple(c.name for c in tables.raters.c if c.name not in ("rater_id", "alias"))

_KEYS: dict[str, tuple[str, ...] | None] = {  # section: its keys; None where the keys are column names of a table load
    "table": ("name",),
    "project": tuple(c.name for c in tables.projects.c),
    "pool": tuple(c.name for c in tables.pools.c),
    "labels": ("order", "violations", "severity"),
    "columns": None,
    "constants": None,
    "raters": (*RATER_COLUMNS, "prefix"),
    "items": ("prefix",),
    "times": ("timezone",),
    "wide": ("item_id", "raters"),
    "repeats": ("keep",),
    "handle_time": ("out_of_range",),
    "label_studio": ("control",),
}
_NOTHING: MappingProxyType = MappingProxyType({})


@dataclass(frozen=True)
class Mapping:
    """A mapping file that has been checked. Every value of ``project``, ``pool`` and ``constants`` is text."""

    path: Path | None = None
    table: str | None = None
    project: dict[str, str] = field(default_factory=lambda: _NOTHING)
    pool: dict[str, str] = field(default_factory=lambda: _NOTHING)
    order: tuple[str, ...] | None = None
    violations: frozenset[str] = frozenset()
    severity: dict[str, int] = field(default_factory=lambda: _NOTHING)
    columns: dict[str, str] = field(default_factory=lambda: _NOTHING)
    constants: dict[str, str] = field(default_factory=lambda: _NOTHING)
    raters: dict[str, str] = field(default_factory=lambda: _NOTHING)
    rater_prefix: str = ""
    item_prefix: str | None = None
    zone: ZoneInfo | None = None
    wide_item: str | None = None
    wide_raters: tuple[str, ...] = ()
    keep: str = "first"
    empty_impossible_times: bool = False
    control: str | None = None

    @property
    def describes_judgements(self) -> bool:
        """Whether the mapping is about a file of annotations rather than about one table."""
        return self.table is None and bool(self.project or self.columns or self.wide_item or self.control)


def read(path: Path | None) -> Mapping:
    """The mapping in ``path``; an empty one for None. Raises LoadRefused, naming the key, when it cannot be used."""
    if path is None:
        return Mapping()
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise LoadRefused(f"The mapping file {path} cannot be read: {error.strerror}; check its name.") from None
    except UnicodeDecodeError:
        raise LoadRefused(f"{path.name} is not UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise LoadRefused(f"{path.name} is not valid TOML: {error}; mend it as docs/loading.md shows.") from None
    return _Reader(path.name, data).mapping(path)


class _Reader:
    """Takes the sections of one mapping file; every refusal names the file, the section and the key."""

    def __init__(self, name: str, data: dict[str, Any]) -> None:
        self.name = name
        self.data = data

    def mapping(self, path: Path) -> Mapping:
        """The mapping that the file's sections spell out."""
        self._known_only("section", self.data, _KEYS)
        table = self._table()
        self._check_keys(table)
        columns, constants = self._texts("columns"), self._constants()
        if twice := sorted(set(columns) & set(constants)):
            self._refuse(f"gives {', '.join(twice)} in [columns] and in [constants]; keep one of them")
        wide, raters, labels = self.data.get("wide", {}), self._texts("raters"), self.data.get("labels", {})
        if wide and not (isinstance(wide.get("item_id"), str) and self._is_texts(wide.get("raters"))):
            self._refuse("[wide] needs item_id, a column, and raters, a list of columns")
        prefix = raters.pop("prefix", "")
        return Mapping(
            path=path,
            table=table,
            project=self._row("project"),
            pool=self._row("pool"),
            **self._labels(labels),
            columns=columns,
            constants=constants,
            raters=raters,
            rater_prefix=prefix,
            item_prefix=self._texts("items").get("prefix"),
            zone=self._zone(),
            wide_item=wide.get("item_id"),
            wide_raters=tuple(wide.get("raters", ())),
            keep=self._one_of("repeats", "keep", ("first", "last", "all")),
            empty_impossible_times=self._one_of("handle_time", "out_of_range", ("reject", "empty")) == "empty",
            control=self._texts("label_studio").get("control"),
        )

    def _refuse(self, what: str) -> None:
        raise LoadRefused(sentence(f"{self.name}: {what}"))

    def _known_only(self, what: str, given: Iterable[str], known: Iterable[str]) -> None:
        for name in given:
            if name not in known:
                near = nearest(name, known) or f"; known are {', '.join(known)}"
                self._refuse(f'there is no {what} "{name}"{near}')

    def _table(self) -> str | None:
        name = self._texts("table").get("name")
        if name is not None:
            self._known_only("table", [name], tables.metadata.tables)
        return name

    def _check_keys(self, table: str | None) -> None:
        own = [c.name for c in tables.metadata.tables[table].c] if table else JUDGEMENT_COLUMNS
        for section, value in self.data.items():
            if not isinstance(value, dict):
                self._refuse(f'"{section}" is a section; write [{section}] on a line of its own')
            self._known_only(f"key of [{section}]", value, _KEYS[section] or own)

    def _texts(self, section: str) -> dict[str, str]:
        values = dict(self.data.get(section, {}))
        for key, value in values.items():
            if not isinstance(value, str):
                self._refuse(f"[{section}] {key} must be text in quotes")
        return values

    def _row(self, section: str) -> dict[str, str]:
        return {key: self._as_text(section, key, value) for key, value in self.data.get(section, {}).items()}

    def _constants(self) -> dict[str, str]:
        return self._row("constants")

    def _as_text(self, section: str, key: str, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime | date) and not isinstance(value, time):
            return value.isoformat()
        if not isinstance(value, str | int | float) or value == "":
            self._refuse(f"[{section}] {key} must be one value that is not empty")
        return str(value)

    @staticmethod
    def _is_texts(value: Any) -> bool:
        return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)

    def _labels(self, labels: dict[str, Any]) -> dict[str, Any]:
        order, violations, severity = labels.get("order"), labels.get("violations", []), labels.get("severity", {})
        if order is not None and not (self._is_texts(order) and len(set(order)) == len(order)):
            self._refuse('[labels] order must list every label once, in quotes, as in order = ["0", "1"]')
        if violations and not self._is_texts(violations):
            self._refuse("[labels] violations must be a list of labels in quotes")
        if not isinstance(severity, dict) or any(s not in (0, 1, 2, 3) for s in severity.values()):
            self._refuse('[labels] severity gives labels 0 to 3, as in severity = {"hate" = 2}')
        if order is None and (violations or severity):
            self._refuse("[labels] violations and severity need order, the whole declared set")
        self._known_only("label in [labels] order", [*violations, *severity], order or ())
        return {
            "order": tuple(order) if order else None,
            "violations": frozenset(violations),
            "severity": dict(severity),
        }

    def _zone(self) -> ZoneInfo | None:
        name = self._texts("times").get("timezone")
        try:
            return ZoneInfo(name) if name is not None else None
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            near = nearest(name, zoneinfo.available_timezones())
            return self._refuse(f'[times] timezone "{name}" is no IANA time zone{near or ", such as Asia/Singapore"}')

    def _one_of(self, section: str, key: str, known: tuple[str, ...]) -> str:
        value = self._texts(section).get(key, known[0])
        if value not in known:
            self._refuse(f'[{section}] {key} is "{value}"; it can be {", ".join(known)}')
        return value
