"""Text of one file column to the values of one contract column, with a reason for every cell that is no such value.

Everything is read as text first, so no identifier passes through a float and no "1,234.5" is guessed at.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access.imports.report import Faults, show
from data_access.imports.times import NAIVE, Clock, parse_dates, parse_times
from metrics.errors import LoadRefused

LONGEST_CELL = 100_000  # characters of a free text
LONGEST_ID = 64
MOST_HINTS = 200  # different wrong values of a column for which the nearest right one is looked up
LONGEST_PERSON = 320  # a source's rater id is hashed, never stored: an e-mail address may be this long
PERSONS = frozenset({"rater_id", "lead", "auditor_id"})

_DAY = 86_400.0
_RANGES: dict[str, tuple[float, float, str]] = {  # column: least, most, what the reader should know
    "severity": (0, 3, "severity runs from 0 (none) to 3 (severe)"),
    "weight": (1, np.inf, "a weight is the inverse of a probability, at least 1"),
    "score": (0, 1, "a share runs from 0 to 1; divide percents by 100"),
    "amount": (0, 1e12, "money is not negative and below 1e12; book a refund apart"),
    "position": (0, np.inf, "positions count from 0"),
    "handle_seconds": (
        np.nextafter(0, 1),
        _DAY,
        "a handle time is above 0 and at most 86400 seconds; leave it empty when it is not known",
    ),
    **dict.fromkeys(
        ("scheduled_seconds", "logged_seconds", "active_seconds", "sensitive_seconds"),
        (0, _DAY, "seconds of one day run from 0 to 86400"),
    ),
    **dict.fromkeys(("n", "tokens_a", "tokens_b", "planned_labels"), (0, np.inf, "a count is not negative")),
}
_TRUE, _FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_FLOATED = r"[0-9]+\.0+|[0-9]+(?:\.[0-9]+)?[eE]\+[0-9]+"
_ROW_IDS = ("_id", "lead", "duplicate_of")  # a version may well be called 1.0
_INT32 = 2**31 - 1

Found = dict[int, tuple[str, str]]


def parse(
    column: sa.Column, text: pd.Series, clock: Clock, faults: Faults, *, required: bool | None = None
) -> pd.Series:
    """The values of ``column`` in ``text`` (str, missing where empty), one per row; faults go to ``faults``.

    Rows found faulty hold no value. ``required`` (the contract's word by default) rejects empty cells. Raises
    LoadRefused when a time has no offset and no zone was declared.
    """
    codes, kept = pd.factorize(text)
    distinct = pd.Series(np.asarray(kept, dtype=object), dtype="str")
    values, found = _parser(column)(distinct, column, clock)
    if found:
        flagged = np.zeros(len(distinct) + 1, dtype=bool)  # the last place answers for empty cells, code -1
        flagged[list(found)] = True
        rows = np.flatnonzero(flagged[codes])
        naive = next((i for i, (kind, _) in found.items() if kind == NAIVE), None)
        if naive is not None:
            place = faults.place(int(np.flatnonzero(codes == naive)[0]))
            raise LoadRefused(
                f"{faults.file}, {place}: {found[naive][1]}; write the offset, or name the zone in the "
                'mapping file: [times] timezone = "UTC".'
            )
        for row in rows:
            kind, reason = found[codes[row]]
            faults.add([row], kind, sentence(reason))
    if not column.nullable if required is None else required:
        faults.add(np.flatnonzero(codes == -1), "empty cell", f"{column.name} is empty; it is required.")
    codes = codes.copy()
    if found:
        codes[flagged[codes]] = -1
    taken = pd.api.extensions.take(values.array, codes, allow_fill=True)
    return pd.Series(taken, index=text.index, name=column.name)


def _parser(column: sa.Column):
    kind = column.type
    if column.info.get("one_of"):
        return _choice
    for sort, parser in _PARSERS:
        if isinstance(kind, sort):
            return parser
    raise TypeError(f"The contract has a column of type {kind}, which imports cannot read.")


def _choice(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    known = column.info["one_of"]
    found: Found = {}
    for i, value in enumerate(text):
        if value not in known:
            near = nearest(value, known) if len(found) < MOST_HINTS else ""
            reason = f"{column.name} {show(value)} is not one of {', '.join(known)}{near}"
            found[i] = ("value outside the contract", reason)
    return text, found


def _text(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    identifier = column.name in PERSONS or (column.type.length == LONGEST_ID and column.name != "label")
    most = column.type.length or LONGEST_CELL
    if column.name in PERSONS:
        most = LONGEST_PERSON
    sizes = text.str.len().to_numpy()
    found: Found = {
        int(i): ("text too long", f"{column.name} has {sizes[i]:,} characters; at most {most:,} are allowed")
        for i in np.flatnonzero(sizes > most)
    }
    if identifier:
        spaced = (text != text.str.strip()).to_numpy(bool)
        floated = text.str.fullmatch(_FLOATED).to_numpy(bool) & column.name.endswith(_ROW_IDS)
        whose = "the rater's id" if column.name in PERSONS else None
        for i in np.flatnonzero(spaced):
            found.setdefault(
                i, ("space around an id", f"{whose or show(text[i])} has a space at an end ({column.name}); remove it")
            )
        for i in np.flatnonzero(floated):
            found.setdefault(
                i,
                (
                    "id spoilt by a float",
                    f"{column.name} {whose or show(text[i])} is a number that went through a float, which loses digits "
                    "above 2^53; export identifiers as text",
                ),
            )
    return text, found


def _number(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    shaped = text.str.fullmatch(_NUMBER).to_numpy(bool)
    values = pd.to_numeric(text.where(shaped), errors="coerce").astype("float64")
    values = values.where(np.isfinite(values)) + 0.0  # -0 becomes 0
    found: Found = {
        int(i): (
            "unreadable number",
            f"{column.name} {show(text[i])} is no plain number; write it as 1234.5, or leave it empty",
        )
        for i in np.flatnonzero(values.isna().to_numpy())
    }
    _check_bounds(values, text, column.name, found)
    return values, found


def _integer(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    shaped = text.str.fullmatch(r"[+-]?[0-9]+(?:\.0*)?").to_numpy(bool)
    values = pd.to_numeric(text.where(shaped), errors="coerce").astype("float64")
    values = values.where(values.abs() <= _INT32)
    found: Found = {
        int(i): ("unreadable number", f"{column.name} {show(text[i])} is no whole number; write it as 12")
        for i in np.flatnonzero(values.isna().to_numpy())
    }
    _check_bounds(values, text, column.name, found)
    return values.astype("Int64"), found


def _check_bounds(values: pd.Series, text: pd.Series, name: str, found: Found) -> None:
    if name not in _RANGES:
        return
    least, most, rule = _RANGES[name]
    for i in np.flatnonzero(((values < least) | (values > most)).to_numpy()):
        found.setdefault(int(i), ("number out of range", f"{name} {show(text[i])} cannot be: {rule}"))


def _flag(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    folded = text.str.lower()
    values = pd.Series([True if v in _TRUE else False if v in _FALSE else None for v in folded], dtype="boolean")
    found = {
        int(i): ("unreadable flag", f"{column.name} {show(text[i])} is neither true nor false; write one of them")
        for i in np.flatnonzero(values.isna().to_numpy())
    }
    return values, found


def _time(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    return parse_times(text, column.name, clock)


def _date(text: pd.Series, column: sa.Column, clock: Clock) -> tuple[pd.Series, Found]:
    return parse_dates(text, column.name, clock)


_PARSERS = (
    (sa.String, _text),
    (sa.Boolean, _flag),
    (sa.Integer, _integer),
    (sa.Double, _number),
    (sa.DateTime, _time),
    (sa.Date, _date),
)


def sentence(reason: str) -> str:
    """A reason with its full stop."""
    return reason if reason.endswith(("?", ".")) else f"{reason}."


def nearest(value: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the known value closest to ``value``, or nothing when none is close."""
    folded = {str(k).strip().casefold(): str(k) for k in known}
    key = str(value)[:200].strip().casefold()
    if key in folded:
        return f"; the nearest is {show(folded[key])}, which differs by case or space only"
    close = difflib.get_close_matches(key, folded, n=1, cutoff=0.5)
    return f"; did you mean {show(folded[close[0]])}?" if close else ""
