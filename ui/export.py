"""Exports: the table a reader sees as a CSV file that says what it is and opens safely in a spreadsheet.

The file is made from the very frame shown, numbers at full precision. Above the table stands a block of lines that
start with "#": filters, days, snapshot, definitions; a blank line ends it. Text that a spreadsheet would run as a
formula gets an apostrophe in front; ``read_back`` takes it off again.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
import streamlit as st

from data_access import health_data
from data_access.filters import Filters, describe_period
from data_access.snapshot import Meta, Snapshot
from metrics.catalogue import metric as find_metric
from metrics.spec import Metric

BOM = "\ufeff"
# What starts a formula. Full-width forms are folded into these by NFKC; the minus sign U+2212 is not.
STARTS = frozenset("=+-−@|%\t\r\n")
QUOTES = frozenset("\"'“”‘’«»„")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_CUTS = re.compile(r"([;\t\r\n]+)")  # where a spreadsheet of another locale may cut a cell in two
_CELL = re.compile(r'(?:("(?:[^"]|"")*")|([^,\r\n]*))(,|\r\n)')
_FLAGS = {True: "true", False: "false"}


# ---- text that stays text --------------------------------------------------------------------------------------


def is_live(text: str) -> bool:
    """Whether a spreadsheet could run the text as a formula, past spaces, quotes and what cannot be seen.

    A plain number is none.
    """
    if _NUMBER.fullmatch(text):
        return False
    for character in unicodedata.normalize("NFKC", text):
        if character in STARTS:
            return True
        if character.isprintable() and not character.isspace() and character not in QUOTES:
            return False
    return False


def safe_text(text: str) -> str:
    """The text with NULs removed and an apostrophe before each part that a spreadsheet could run."""
    text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    first, *rest = _CUTS.split(text)
    parts = [first, *(f"'{part}" if k % 2 and is_live(part) else part for k, part in enumerate(rest))]
    text = "".join(parts)
    return f"'{text}" if is_live(text) else text


def original_text(text: str) -> str:
    """What ``safe_text`` was given, NULs apart."""
    if text.startswith("'") and is_live(text[1:]):
        text = text[1:]
    first, *rest = _CUTS.split(text)
    return first + "".join(
        part[1:] if k % 2 and part.startswith("'") and is_live(part[1:]) else part for k, part in enumerate(rest)
    )


def _quoted(text: str) -> str:
    return '"' + safe_text(text).replace('"', '""') + '"'


# ---- cells -----------------------------------------------------------------------------------------------------


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _cell(value: object) -> str:
    """One cell as it stands in the file: numbers bare, text quoted, missing empty."""
    if _is_missing(value):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return _FLAGS[bool(value)]
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return _float(float(value))
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else ""
    if isinstance(value, (dt.datetime, np.datetime64)):
        return _moment(pd.Timestamp(value))
    if isinstance(value, dt.date):
        return value.isoformat()
    return _quoted(str(value))


def _float(value: float) -> str:
    if math.isinf(value):
        return _quoted("infinity" if value > 0 else "minus infinity")
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _moment(value: pd.Timestamp) -> str:
    """ISO 8601; a time without a zone is UTC, as everywhere in the contract."""
    if pd.isna(value):
        return ""
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.tzinfo is None or text.endswith("+00:00") else text


def _cells(column: pd.Series) -> list[str]:
    """A column's cells; a column of times that are all midnight holds days."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = column.dropna()
        if column.dt.tz is None and (moments == moments.dt.normalize()).all():
            return ["" if pd.isna(v) else v.date().isoformat() for v in column]
        return ["" if pd.isna(v) else _moment(v) for v in column]
    return [_cell(value) for value in column.astype(object)]


# ---- the file --------------------------------------------------------------------------------------------------


def to_csv(
    frame: pd.DataFrame,
    *,
    title: str,
    filters_text: str = "",
    snapshot_meta: Meta | None = None,
    metrics: Iterable[str | Metric] = (),
    freshness: pd.DataFrame | None = None,
    headers: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> bytes:
    """The frame as CSV in UTF-8 with a byte order mark, below the lines that say what it is.

    frame: the table shown; its index is left out. freshness: health_data.freshness(), of which the tables the metrics
    need are named. headers: column names for readers. Missing cells are empty, days and times ISO 8601, times UTC.
    """
    chosen = [find_metric(m) if isinstance(m, str) else m for m in metrics]
    lines = [
        f"# {key},{_quoted(' '.join(text.split()))}"
        for key, text in _preamble(title, filters_text, snapshot_meta, chosen, freshness, notes, len(frame))
    ]
    names = headers or {}
    lines += ["", ",".join(_quoted(str(names.get(name, name))) for name in frame.columns)]
    columns = [_cells(frame.iloc[:, k]) for k in range(frame.shape[1])]
    lines += [",".join(row) for row in zip(*columns, strict=True)]
    return (BOM + "\r\n".join(lines) + "\r\n").encode("utf-8")


def _preamble(
    title: str,
    filters_text: str,
    meta: Meta | None,
    metrics: Sequence[Metric],
    freshness: pd.DataFrame | None,
    notes: Sequence[str],
    rows: int,
) -> list[tuple[str, str]]:
    """What stands above the table, as key and text."""
    said = [("Raterscope", title), ("Filters", filters_text or "everything")]
    if meta is not None:
        said.append(("Days in the snapshot", describe_period(meta.first_day, meta.last_day)))
        if meta.provisional_from:
            said.append(
                (
                    "Provisional days",
                    f"{describe_period(meta.provisional_from, meta.last_day)}: audits of these days still arrive",
                )
            )
        said += [
            ("Snapshot", f"{meta.snapshot_id}, built {meta.built_at:%Y-%m-%d %H:%M} UTC"),
            (
                "Days and money",
                f"days are days in {meta.timezone}; money is in {meta.currency}; shares run 0 to 1",
            ),
        ]
    if freshness is not None:
        said += _newest(freshness, {table for m in metrics for table in m.needs})
    for m in metrics:
        said.append((f"Metric {m.name}", f"{m.label}: {m.formula}; unit: {m.unit}; {m.direction}; n counts {m.counts}"))
        if m.caution:
            said.append((f"Caution {m.name}", m.caution))
    said += [("Note", note) for note in notes]
    return [*said, ("Rows", f"{rows}")]


def _newest(freshness: pd.DataFrame, needed: set[str]) -> list[tuple[str, str]]:
    """The newest row of each table the metrics need; of the tables of work when no metric is named."""
    rows = freshness[
        freshness["newest"].notna() & freshness["table_name"].isin(needed or {"items", "annotations", "audits"})
    ]
    return [
        (f"Newest row of {name}", f"{pd.Timestamp(newest):%Y-%m-%d %H:%M} UTC")
        for name, newest in zip(rows["table_name"], rows["newest"], strict=True)
    ]


def read_back(data: bytes) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table and the lines above it, from a file ``to_csv`` made: numbers equal to the bit, text as it was.

    Days and times stay ISO text; NULs, removed on the way out, stay removed.
    """
    head, _, table = data.decode("utf-8").removeprefix(BOM).partition("\r\n\r\n")
    said: dict[str, str] = {}
    for key, text in csv.reader(io.StringIO(head, newline="")):
        said.setdefault(key.removeprefix("# "), original_text(text))
    rows: list[list[object]] = [[]]
    for quoted, bare, end in _CELL.findall(table):
        rows[-1].append(_value(bare) if not quoted else original_text(quoted[1:-1].replace('""', '"')))
        if end != ",":
            rows.append([])
    names, *records = rows[:-1]
    return pd.DataFrame(records, columns=[str(name) for name in names]), said


def _value(bare: str) -> object:
    """What an unquoted cell holds."""
    if bare in ("", "true", "false"):
        return None if not bare else bare == "true"
    if _NUMBER.fullmatch(bare) and "." not in bare:
        return int(bare)
    try:
        return float(bare)
    except ValueError:
        return bare


# ---- the button ------------------------------------------------------------------------------------------------


def file_name(title: str, meta: Meta | None = None) -> str:
    """A file name of small letters, digits and hyphens, whatever the title holds: no path, no device."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")
    day = f"-{meta.last_day.isoformat()}" if meta is not None and meta.last_day else ""
    return f"raterscope-{words or 'table'}{day}.csv"


def download(
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    *,
    title: str,
    key: str,
    snapshot: Snapshot | None = None,
    filters: Filters | None = None,
    metrics: Iterable[str | Metric] = (),
    headers: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    label: str = "Download CSV",
) -> None:
    """A button that gives the frame as a file; nothing is built before it is clicked, and the page does not rerun.

    frame: the table shown, or what makes it where it is only made for the file.
    """
    chosen = tuple(metrics)

    def build() -> bytes:
        return to_csv(
            frame() if callable(frame) else frame,
            title=title,
            filters_text=filters.describe(snapshot.names if snapshot else None) if filters else "",
            snapshot_meta=snapshot.meta if snapshot else None,
            metrics=chosen,
            freshness=health_data.freshness(snapshot) if snapshot else None,
            headers=headers,
            notes=notes,
        )

    st.download_button(
        label,
        data=build,
        file_name=file_name(title, snapshot.meta if snapshot else None),
        mime="text/csv",
        key=key,
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        disabled=isinstance(frame, pd.DataFrame) and frame.empty,
        help="The rows of this table at full precision, with the filters and definitions on top.",
    )
