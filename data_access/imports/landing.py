"""The landing frame: what every reader hands over, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from data_access.imports.report import Rejection
from data_access.imports.values import nearest, sentence
from metrics.errors import LoadRefused

MOST_COLUMNS = 5_000
MOST_BYTES = 4 * 2**30  # of text in memory from one file


@dataclass
class Landing:
    """Rows of one file as text. ``frame``: str columns of the file, missing where a cell is empty; ``lines``: the
    line of each row; ``rejections``: rows that could not even be cut into cells. ``unit`` is what lines count.
    """

    path: Path
    format: str
    columns: list[str]  # every column of the file, loaded or not
    frame: pd.DataFrame
    lines: np.ndarray
    rejections: list[Rejection] = field(default_factory=list)
    unit: str = "line"
    notes: list[str] = field(default_factory=list)
    projects: dict[str, dict[str, str]] = field(default_factory=dict)  # projects the file itself declares
    gold_rows: str | None = None  # the column that marks a gold author's own answer


def check_header(path: Path, columns: list[str]) -> None:
    """Raise LoadRefused when a file's columns cannot be told apart or are far too many."""
    if len(columns) > MOST_COLUMNS:
        raise LoadRefused(
            f"{path.name} has {len(columns):,} columns; at most {MOST_COLUMNS:,} are read. Export fewer columns."
        )
    seen: set[str] = set()
    for name in columns:
        if name and name in seen:
            raise LoadRefused(f'{path.name}, line 1: the column "{name}" appears twice; rename one of them.')
        seen.add(name)


def find_column(path: Path, wanted: str, columns: Iterable[str], purpose: str) -> str:
    """``wanted`` when the file has it. Raises LoadRefused naming the columns it has and the nearest."""
    columns = list(columns)
    if wanted in columns:
        return wanted
    shown = ", ".join(c or "(no name)" for c in columns[:30]) + (" ..." if len(columns) > 30 else "")
    near = nearest(wanted, columns)
    raise LoadRefused(sentence(f'{path.name} lacks the column "{wanted}"{purpose}; it has {shown}{near}'))
