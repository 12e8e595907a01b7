"""Tables: one way to show estimates and one to show plain rows, each with its export underneath.

Cells keep their numbers, so that sorting sorts numbers; what the reader sees is written by ui/format.py.
"""

from __future__ import annotations

import datetime as dt
import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from data_access.filters import DIMENSIONS, TIME_DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics.catalogue import metric as find_metric
from metrics.effects.verdict import Verdict
from metrics.spec import Metric
from ui import export, theme, words
from ui import format as fmt

MAX_ROWS = 200
TALL = 25  # rows up to which a table is shown whole; a longer one scrolls
STATUS_HELP = "; ".join(f"{words.STATUS[status]}: {said}" for status, said in words.STATUS_MEANING.items())
Writer = Callable[[object], str]


@dataclass(frozen=True)
class Column:
    """How a column is shown: its heading, what the heading explains, and how its cells are written.

    kind: text, right (text to the right) or status; count, number, share, day or time, sorted by what they are.
    """

    label: str
    help: str = ""
    kind: str = "text"
    width: str | int | None = None


# ---- estimates -------------------------------------------------------------------------------------------------


def estimate_table(
    rows: pd.DataFrame,
    *,
    key: str,
    title: str,
    snapshot: Snapshot,
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    selectable: bool = False,
    max_rows: int = MAX_ROWS,
) -> dict[str, object] | None:
    """measure()'s rows as a table with value, interval, n, target, status and reason, and the export below it.

    rows: columns as measure() gives them, in the order to show. ``by``: the dimensions to name. Returns the metric and
    dimensions of the row the reader selected, or None.
    """
    metrics = [find_metric(name) for name in rows["metric"].drop_duplicates()]
    columns = _estimate_columns(metrics, by)
    if (rows["reason"] == "").all():
        columns.pop("reason")
    if rows["target"].isna().all():
        columns.pop("goal")
    return table(
        rows.assign(**estimates_as_text(rows, by, snapshot)),
        key=key,
        title=title,
        columns=columns,
        snapshot=snapshot,
        filters=filters,
        metrics=metrics,
        members=rows[["metric", *by]].to_dict("records") if selectable else None,
        opens=selectable,
        exported=rows,
        max_rows=max_rows,
        writers={"value": _value_writers(rows, metrics, snapshot.meta.currency)},
    )


def _estimate_columns(metrics: Sequence[Metric], by: Sequence[str]) -> dict[str, Column]:
    one = metrics[0] if len(metrics) == 1 else None
    columns = {name: Column(DIMENSIONS[name].capitalize()) for name in by}
    if one is None:
        columns["metric"] = Column("Metric", "The definitions page says how each is made.")
    value_help = (
        f"{one.meaning} Formula: {one.formula}." if one else "The estimate from all rows that match the filters."
    )
    return columns | {
        "value": Column(one.label if one else "Value", value_help, "number"),
        "between": Column("95 % interval", "Where the true value lies, as far as the data can tell.", "right"),
        "n": Column("n", f"Counts {one.counts}." if one else "How much data the value rests on.", "count"),
        "goal": Column("Target", "The target in force at the end of the period.", "right"),
        "status": Column("Status", STATUS_HELP, "status"),
        "reason": Column("Why no number", "What is missing for a number."),
    }


def estimates_as_text(rows: pd.DataFrame, by: Sequence[str], snapshot: Snapshot) -> dict[str, list[str]]:
    """The columns of measure()'s rows that a reader sees as text: dimensions, metric, between, goal, status."""
    currency, names, today = snapshot.meta.currency, snapshot.names, snapshot.meta.last_day
    records = [(row, find_metric(row["metric"])) for row in rows.to_dict("records")]
    return {name: [_member(name, row[name], names, today) for row, _ in records] for name in by} | {
        "metric": [m.label for _, m in records],
        "between": [fmt.interval(row["low"], row["high"], m, row["value"], currency) for row, m in records],
        "goal": [
            "" if pd.isna(row["target"]) else fmt.target_range(row["target"], row["warn"], m, currency)
            for row, m in records
        ],
        "status": [f"{theme.SHAPES[words.status_of(row)]} {words.status_word(row)}".strip() for row, _ in records],
    }


def _value_writers(rows: pd.DataFrame, metrics: Sequence[Metric], currency: str) -> list[tuple[list[int], Writer]]:
    """For each metric the positions of its rows and how its values are written."""
    names = rows["metric"].tolist()
    return [
        (
            [k for k, name in enumerate(names) if name == m.name],
            functools.partial(fmt.value, metric=m, currency=currency),
        )
        for m in metrics
    ]


def _member(dimension: str, value: object, names: Mapping[str, Mapping[str, str]], today: dt.date | None) -> str:
    """What a member of a dimension is called."""
    if value is None or pd.isna(value):
        return fmt.NONE
    if dimension in TIME_DIMENSIONS:
        return fmt.bucket(value, dimension, today)
    return names.get(dimension, {}).get(str(value), str(value))


# ---- any table -------------------------------------------------------------------------------------------------


def table(
    rows: pd.DataFrame,
    *,
    key: str,
    title: str,
    columns: Mapping[str, Column],
    snapshot: Snapshot | None = None,
    filters: Filters | None = None,
    metrics: Sequence[Metric] = (),
    members: Sequence[dict[str, object]] | None = None,
    exported: pd.DataFrame | None = None,
    max_rows: int = MAX_ROWS,
    writers: Mapping[str, Sequence[tuple[list[int], Writer]]] | None = None,
    download: str = "Download CSV",
    opens: bool = False,
) -> dict[str, object] | None:
    """Rows as a table named by its title, in the order given, and the export below it.

    members: what each row stands for; where given, one row can be selected and its member is returned. exported: what
    the file holds, where that is not the rows. Rows beyond ``max_rows`` are only in the file. writers: for a column,
    row positions and how their cells are written, where ``kind`` is not enough. download: what the export is called,
    where a page has several. opens: a row leads away from the table, and is not selected when the reader is back.
    """
    top = rows.head(max_rows).reset_index(drop=True)
    options = {}
    times = f"{key}-opened"
    if opens and st.session_state.get(times):  # a browser keeps what was selected in a table of the old name
        key = f"{key} {st.session_state[times]}"
    if members is not None:
        members = list(members)[:max_rows]
        _keep_selection(key, members)
        options = {"on_select": "rerun", "selection_mode": "single-row"}
    event = st.dataframe(
        # An id of its own and not one by lot: the same table again is the same message, and is not drawn anew.
        styled(top, columns, writers or {}).set_uuid(f"{zlib.crc32(key.encode()):08x}"),
        key=key,
        hide_index=True,
        column_order=list(columns),
        column_config={name: _config(column, k == 0) for k, (name, column) in enumerate(columns.items())},
        height="content" if len(top) <= TALL else "auto",
        lazy=False,
        placeholder="",
        alt=title,
        **options,
    )
    if len(rows) > max_rows:
        quiet(f"Shown are the first {max_rows:,} of {len(rows):,} rows; the download has them all.")
    export.download(
        rows[list(columns)] if exported is None else exported,
        title=title,
        key=f"{key}-export",
        snapshot=snapshot,
        filters=filters,
        metrics=metrics,
        label=download,
    )
    chosen = _selected(event) if members is not None else None
    if opens and chosen is not None:
        st.session_state[times] = st.session_state.get(times, 0) + 1
    return members[chosen] if chosen is not None and chosen < len(members) else None


def fold(label: str, key: str, draw: Callable[[], object]) -> None:
    """A fold that is closed at first; what is in it is made when it is opened, not before."""
    box = st.expander(label, key=key, on_change="rerun")
    if box.open:
        with box:
            draw()


def quiet(sentence: str) -> None:
    """A sentence beside the matter, in muted ink; the sentence is the app's own or escaped."""
    st.markdown(f":gray[:small[{sentence}]]")


WRITERS: dict[str, Writer] = {
    "count": lambda v: f"{v:,.0f}".replace("-", fmt.MINUS),
    "number": lambda v: f"{v:,.3g}".replace("-", fmt.MINUS),
    "share": lambda v: f"{100 * v:.1f}{fmt.SPACE}%",
    "day": lambda v: fmt.day(pd.Timestamp(v).date(), dt.datetime.now(dt.UTC).date()),
    "time": lambda v: f"{WRITERS['day'](v)}, {pd.Timestamp(v):%H:%M}",
}


def styled(
    rows: pd.DataFrame, columns: Mapping[str, Column], writers: Mapping[str, Sequence[tuple[list[int], Writer]]]
) -> Styler:
    """The rows with their numbers and days as they are, so that they sort, and how each cell is written."""
    style = rows[list(columns)].style
    written = {name: WRITERS[column.kind] for name, column in columns.items() if column.kind in WRITERS}
    if written:
        style = style.format(written, subset=list(written), na_rep="")
    for name, column in columns.items():
        for positions, writer in writers.get(name, ()):
            inside = [k for k in positions if k < len(rows)]
            style = style.format(writer, subset=pd.IndexSlice[inside, [name]])
        if column.kind == "status":
            colours = {words.STATUS[status]: colour for status, colour in theme.palette().states.items()}
            colours |= {Verdict.WORKED: theme.palette().good, Verdict.HARM: theme.palette().bad}
            style = style.map(functools.partial(_colour, colours=colours), subset=[name])
    return style


def _colour(text: str, colours: Mapping[str, str]) -> str:
    """The colour of the status a cell names."""
    colour = next((c for word, c in colours.items() if str(text).endswith(word)), None)
    return f"color: {colour}" if colour else ""


def _config(column: Column, first: bool):
    """The heading, its explanation and the alignment: figures stand to the right."""
    help_text = column.help or None
    pinned = first and column.kind != "status"  # a pinned column is faded, and a status is read by its colour
    alignment = "left" if first or column.kind in ("text", "status") else "right"
    return st.column_config.Column(column.label, help=help_text, width=column.width, pinned=pinned, alignment=alignment)


# ---- selection -------------------------------------------------------------------------------------------------


def _selected(event: object) -> int | None:
    """The position of the selected row; the event is a plain dict under test."""
    rows = (event or {}).get("selection", {}).get("rows", [])
    return int(rows[0]) if rows else None


def _keep_selection(key: str, members: list[dict[str, object]]) -> None:
    """The selection follows its row: when other rows are shown, it moves with it or ends."""
    before = st.session_state.get(f"{key}-members")
    st.session_state[f"{key}-members"] = members
    if before is None or before == members or key not in st.session_state:
        return
    chosen = _selected(st.session_state[key])
    member = before[chosen] if chosen is not None and chosen < len(before) else None
    rows = [members.index(member)] if member in members else []
    st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
