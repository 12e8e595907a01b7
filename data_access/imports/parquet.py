"""Parquet: read by batches within a fixed amount of memory, every column as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_access.imports.landing import MOST_BYTES, Landing, check_header
from data_access.imports.mapping import Mapping
from data_access.imports.report import show
from metrics.errors import LoadRefused

_BATCH = 65_536
_MAGIC = b"PAR1"
_UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError)


def columns(path: Path, mapping: Mapping) -> list[str]:
    """The column names. Raises LoadRefused when the file is empty, cut off, damaged or no Parquet file."""
    names = _open(path).schema_arrow.names
    check_header(path, names)
    return names


def read(path: Path, mapping: Mapping, wanted: set[str]) -> Landing:
    """The ``wanted`` columns as text.

    Raises LoadRefused on a damaged file, on a nested or binary column and on a file that would unpack to more than the
    memory allowed.
    """
    file = _open(path)
    names = file.schema_arrow.names
    check_header(path, names)
    chosen = [name for name in names if name in wanted]
    for name in chosen:
        _check_type(path, name, file.schema_arrow.field(name).type)
    rows = file.metadata.num_rows
    if rows * max(len(chosen), 1) > MOST_BYTES:
        raise _too_big(path, f"{rows:,} rows of {len(chosen)} columns")
    texts = [name for name in chosen if _is_text(file.schema_arrow.field(name).type)]
    parts: list[pa.Table] = []
    size = 0
    for table in _batches(path, chosen, texts):
        size += _unpacked(table)
        if size > MOST_BYTES:
            raise _too_big(path, f"more than {MOST_BYTES / 2**30:.1f} GiB unpacked")
        parts.append(pa.table([_as_text(column) for column in table.columns], names=table.column_names))
    if not parts:
        parts = [pa.table([pa.array([], pa.large_string())] * len(chosen), names=chosen)]
    frame = pa.concat_tables(parts).to_pandas().astype("str")
    return Landing(path, "parquet", names, frame, np.arange(1, len(frame) + 1), unit="row")


def _batches(path: Path, chosen: list[str], texts: list[str]) -> Iterator[pa.Table]:
    """The file some rows at a time; a repeated long text stays one text until it has been measured."""
    try:
        for batch in pq.ParquetFile(path, read_dictionary=texts).iter_batches(batch_size=_BATCH, columns=chosen):
            table = pa.Table.from_batches([batch])
            table.validate(full=True)  # text that is not UTF-8
            yield table
    except _UNREADABLE as error:
        raise _damaged(path, error) from None


def _open(path: Path) -> pq.ParquetFile:
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0, 2)
        size = raw.tell()
        raw.seek(max(size - 4, 0))
        tail = raw.read(4)
    if not size:
        raise LoadRefused(f"{path.name} is empty (0 bytes); export it again.")
    if head != _MAGIC:
        raise LoadRefused(f"{path.name} is no Parquet file (it begins with {show(head.decode('latin-1'))}, not PAR1).")
    if tail != _MAGIC:
        raise LoadRefused(f"{path.name} is cut off: its end, where Parquet keeps its index, is missing; copy it again.")
    try:
        return pq.ParquetFile(path)
    except _UNREADABLE as error:
        raise _damaged(path, error) from None


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _check_type(path: Path, name: str, kind: pa.DataType) -> None:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_ = pa.types
    if is_.is_nested(kind):
        raise LoadRefused(f'{path.name}: the column "{name}" is nested ({kind}); export one plain value a cell.')
    plain = (
        is_.is_integer,
        is_.is_floating,
        is_.is_decimal,
        is_.is_boolean,
        is_.is_date,
        is_.is_timestamp,
        is_.is_null,
    )
    if not (_is_text(kind) or any(check(kind) for check in plain)):
        raise LoadRefused(f'{path.name}: the column "{name}" is of type {kind}, which is not read; export it as text.')


def check_identifier(path: Path, name: str, meaning: str) -> None:
    """Raise LoadRefused when column ``name``, an identifier, is stored as a float and so may have lost digits."""
    kind = _open(path).schema_arrow.field(name).type
    if pa.types.is_floating(kind):
        raise LoadRefused(
            f'{path.name}: the column "{name}" ({meaning}) is stored as {kind}, which loses digits above 2^53; '
            "export identifiers as text or as int64."
        )


def _unpacked(table: pa.Table) -> int:
    """Bytes of the table as text, dictionaries spelt out."""
    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            if pa.types.is_dictionary(chunk.type) and _is_text(chunk.type):
                lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
                total += (pc.sum(lengths).as_py() or 0) + 8 * len(chunk)
            else:
                total += 24 * len(chunk)
    return total


def _wide(text: str | None) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        zoned = kind.tz is not None
        column = column.cast(pa.timestamp(kind.unit)).cast(pa.large_string())
        return pc.binary_join_element_wise(column, _wide("Z"), _wide("")) if zoned else column
    if pa.types.is_date64(kind):
        column = column.cast(pa.date32())
    text = column.cast(pa.large_string())
    return pc.if_else(pc.equal(text, ""), _wide(None), text)


def _damaged(path: Path, error: Exception) -> LoadRefused:
    return LoadRefused(
        f"{path.name} is damaged and cannot be read ({str(error).splitlines()[0][:120]}); export it again."
    )


def _too_big(path: Path, what: str) -> LoadRefused:
    return LoadRefused(f"{path.name} unpacks to too much: {what}; load it in parts.")
