"""What a load did: counts per file, rejected rows with their reason, and what the data cannot support."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd


class Rejection(NamedTuple):
    """One row that was not loaded. ``kind`` is short and stable, ``reason`` is the sentence for the reader."""

    file: str
    line: int
    kind: str
    reason: str


class Faults:
    """The rejected rows of one file, by row position; the first reason found for a row is the one kept."""

    def __init__(self, file: str, lines: np.ndarray, unit: str = "line") -> None:
        self.file = file
        self._unit = unit
        self._lines = lines
        self._found: dict[int, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, rows: Iterable[int], kind: str, reason: str | Callable[[int], str]) -> None:
        """Reject ``rows`` (positions) unless they are rejected already; ``reason`` is text or row -> text."""
        found = self._found
        for row in np.asarray(rows, dtype=np.int64).tolist():
            if row not in found:
                found[row] = (kind, reason if isinstance(reason, str) else reason(row))

    def good(self) -> np.ndarray:
        """One boolean per row: whether nothing was found against it."""
        good = np.ones(len(self._lines), dtype=bool)
        good[list(self._found)] = False
        return good

    def line(self, row: int) -> int:
        """The line of a row position in the file."""
        return int(self._lines[row])

    def place(self, row: int) -> str:
        """How a message names the place of a row: ``line 3``, or ``annotation 3`` where that is what is counted."""
        return f"{self._unit} {self.line(row)}"

    def rejections(self) -> list[Rejection]:
        """Every rejected row, in the order of the file."""
        return [Rejection(self.file, self.line(row), *self._found[row]) for row in sorted(self._found)]


@dataclass
class FileReport:
    """The counts of one file. ``read`` is ``accepted + present + rejected``, always.

    ``present`` rows were in the warehouse already with the same content; ``unit`` is what a rejection's line counts.
    """

    file: str
    format: str
    table: str
    unit: str = "line"
    read: int = 0
    accepted: int = 0
    present: int = 0
    rejected: int = 0
    unknown_columns: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    currency: str = ""  # of its amounts, where it names one

    def check(self) -> None:
        """Raise AssertionError when a row is unaccounted for; called before the load is made final."""
        if self.read != self.accepted + self.present + self.rejected:
            raise AssertionError(
                f"{self.file}: {self.read} rows read, but {self.accepted} accepted + {self.present} present + "
                f"{self.rejected} rejected; nothing was written."
            )


@dataclass
class LoadReport:
    """What one call of ``load`` did. ``written`` counts the new rows of each table."""

    files: list[FileReport] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # on the warehouse after the load, whole sentences

    @property
    def read(self) -> int:
        """Rows read from all files."""
        return sum(file.read for file in self.files)

    @property
    def accepted(self) -> int:
        """Rows that are new in the warehouse."""
        return sum(file.accepted for file in self.files)

    @property
    def present(self) -> int:
        """Rows the warehouse had already, unchanged."""
        return sum(file.present for file in self.files)

    @property
    def rejected(self) -> int:
        """Rows not loaded; each is in ``rejections``."""
        return sum(file.rejected for file in self.files)

    def add(self, file: FileReport, rejections: list[Rejection], written: dict[str, int]) -> None:
        """Take in one file's result. Raises AssertionError when its counts do not add up."""
        file.rejected = len(rejections)
        file.check()
        self.files.append(file)
        self.rejections += rejections
        for table, rows in written.items():
            self.written[table] = self.written.get(table, 0) + rows

    def to_frame(self) -> pd.DataFrame:
        """One row per file: file, format, table, read, accepted, present, rejected."""
        columns = ["file", "format", "table", "read", "accepted", "present", "rejected"]
        return pd.DataFrame([[getattr(f, c) for c in columns] for f in self.files], columns=columns)

    def reasons(self) -> pd.DataFrame:
        """Rejections by file and kind: file, kind, rows, first_line, example; the most frequent first."""
        counts = Counter((r.file, r.kind) for r in self.rejections)
        first: dict[tuple[str, str], Rejection] = {}
        for rejection in self.rejections:
            first.setdefault((rejection.file, rejection.kind), rejection)
        rows = [(*key, n, first[key].line, first[key].reason) for key, n in counts.most_common()]
        return pd.DataFrame(rows, columns=["file", "kind", "rows", "first_line", "example"])

    def rejections_frame(self) -> pd.DataFrame:
        """One row per rejection: file, line, kind, reason."""
        return pd.DataFrame(self.rejections, columns=list(Rejection._fields))

    def remarks(self) -> list[str]:
        """One sentence each: unknown columns, KPIs switched off and notes, with the file they are about."""
        said: list[str] = []
        for file in self.files:
            if file.unknown_columns:
                said.append(f"{file.file}: columns not loaded: {', '.join(file.unknown_columns)}.")
            said += [f"{file.file}: {sentence}." for sentence in (*file.switched_off, *file.notes)]
        return [*said, *self.notes]


def show(value: object, width: int = 40) -> str:
    """A value from a file as a message shows it: in quotes, control characters escaped, shortened to ``width``."""
    text = str(value)
    if len(text) > width:
        text = f"{text[: width - 3]}..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + '"'
