"""CSV and TSV: one row a line, a header, UTF-8. A real parser, because cells hold line breaks and JSON."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_access.imports import encoding
from data_access.imports.landing import MOST_BYTES, Landing, check_header
from data_access.imports.mapping import Mapping
from data_access.imports.report import Rejection
from metrics.errors import LoadRefused

_CHUNK = 50_000
_CELL_LIMIT = threading.Lock()  # csv.field_size_limit is one value for the whole process


def columns(path: Path, mapping: Mapping) -> list[str]:
    """The header. Raises LoadRefused when the file is not UTF-8, is empty or names a column twice."""
    encoding.check_utf8(path)
    with _reader(path) as reader:
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise _broken(path, 1, error) from None
    if not any(header):
        raise LoadRefused(f"{path.name}, line 1: there is no header; the first line must name the columns.")
    check_header(path, header)
    return header


def read(path: Path, mapping: Mapping, wanted: set[str]) -> Landing:
    """The ``wanted`` columns as text; ragged rows are rejected by line. Raises LoadRefused on broken quotes."""
    header = columns(path, mapping)
    places = [i for i, name in enumerate(header) if name in wanted]
    chunks: list[pa.Table] = []
    lines: list[np.ndarray] = []
    rejections: list[Rejection] = []
    size = 0
    for rows, at in _chunks(path, len(header), rejections):
        cells = list(zip(*rows, strict=True)) if rows else []
        made = [_text(cells[i]) for i in places]
        size += sum(array.nbytes for array in made)
        if size > MOST_BYTES:
            raise LoadRefused(f"{path.name} holds more than {MOST_BYTES >> 30} GiB of text; load it in parts.")
        if made:
            chunks.append(pa.table(made, names=[header[i] for i in places]))
        lines.append(np.array(at, dtype=np.int64))
    names = [header[i] for i in places]
    whole = (
        pa.concat_tables(chunks) if chunks else pa.table([pa.array([], pa.large_string())] * len(names), names=names)
    )
    count = np.concatenate(lines) if lines else np.array([], dtype=np.int64)
    frame = whole.to_pandas().astype("str")
    return Landing(path, "tsv" if path.suffix.lower() == ".tsv" else "csv", header, frame, count, rejections)


def _text(cells: tuple[str, ...]) -> pa.Array:
    """A column's cells, missing where empty."""
    array = pa.array(cells, pa.large_string())
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.large_string()), array)


def _chunks(path: Path, width: int, rejections: list[Rejection]) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Rows of the right width with the line each begins on, some thousands at a time."""
    with _reader(path) as reader:
        rows: list[list[str]] = []
        at: list[int] = []
        last = 0
        try:
            next(reader)
            last = reader.line_num
            for row in reader:
                line, last = last + 1, reader.line_num
                if len(row) == width:
                    rows.append(row)
                    at.append(line)
                    if len(rows) == _CHUNK:
                        yield rows, at
                        rows, at = [], []
                elif row:  # an empty line is no row
                    rejections.append(_ragged(path, line, len(row), width))
        except csv.Error as error:
            raise _broken(path, last + 1, error) from None
    if rows:
        yield rows, at


def _ragged(path: Path, line: int, cells: int, width: int) -> Rejection:
    reason = (
        f"The row has {cells} cells where the header has {width}; put quotes around cells that hold the separator "
        "or a line break."
    )
    return Rejection(path.name, line, "ragged row", reason)


def _broken(path: Path, line: int, error: csv.Error) -> LoadRefused:
    what = "a quote is opened and never closed" if "end of data" in str(error) else f"the quotes are broken ({error})"
    return LoadRefused(f"{path.name}, line {line}: {what}; write a quote inside a quoted cell twice.")


@contextmanager
def _reader(path: Path):
    """A strict reader; the process-wide limit on a cell's size is lifted meanwhile (values.parse has its own)."""
    with _CELL_LIMIT, path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield csv.reader(file, delimiter=_delimiter(path, first), strict=True)
        finally:
            csv.field_size_limit(before)


def _delimiter(path: Path, header: str) -> str:
    """A tab for .tsv, else the separator the header line uses most; a comma when it uses none."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max(",;\t|", key=header.count) if any(c in header for c in ",;\t|") else ","
