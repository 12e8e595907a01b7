"""Filters in the URL: read with every mistake told in one sentence, written with nothing left to a default."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from data_access.filters import DIMENSIONS, FILTERABLE, Filters, describe_period, parse_day
from data_access.snapshot import Meta
from metrics.errors import BadPeriod
from ui import periods

Members = Callable[[str], Mapping[str, str]]  # dimension -> value -> label
LONGEST = 60  # characters of a stranger's text that are repeated to the reader
PERIOD_KEYS = ("from", "to")


@dataclass(frozen=True)
class Read:
    """What a URL asked for: the filters shown, and a sentence for each thing that was not honoured."""

    filters: Filters
    problems: tuple[str, ...] = ()


def read(
    params: Mapping[str, Sequence[str]],
    meta: Meta,
    members: Members,
    own: Iterable[str] = (),
    default: Filters | None = None,
) -> Read:
    """The filters of a URL's parameters; ``own`` are the page's other parameters, ``default`` what none given means.

    A dimension's values may be its ids or its names, whatever their case.
    """
    problems: list[str] = []
    known = {*FILTERABLE, *PERIOD_KEYS, *own}
    for name in params:
        if name not in known and not name.startswith("embed"):
            remedy = near(name, sorted(known))
            problems.append(f"The link has a filter {quoted(name)}, which does not exist{remedy}. It was left out.")
    where = {name: _values(name, params[name], members, problems) for name in FILTERABLE if name in params}
    start, end = _period(params, meta, problems) or (None, None)
    return Read(Filters.of(where, start, end), tuple(problems))


def _values(name: str, given: Sequence[str], members: Members, problems: list[str]) -> list[str]:
    """The known ones of the values given; a sentence for each of the others."""
    known = members(name)
    by_text = {text.casefold(): value for value, label in known.items() for text in (label, value)}
    found, strange = [], []
    for text in given:
        (found if text.casefold() in by_text else strange).append(by_text.get(text.casefold(), text))
    what = DIMENSIONS[name]
    for text in strange:
        rest = f"only {shown_list([known[v] for v in found])}" if found else f"every {what}"
        problems.append(f"There is no {what} {quoted(text)}{near(text, list(known.values()), known)}. Shown is {rest}.")
    return found


def _period(params: Mapping[str, Sequence[str]], meta: Meta, problems: list[str]) -> periods.Period | None:
    """The period asked for, or the default one with a sentence why."""
    default = periods.last_weeks(meta, periods.DEFAULT_WEEKS)
    if not any(key in params for key in PERIOD_KEYS):
        return default
    shown = f"Shown is {describe_period(*default)}." if default else "Nothing is dated yet."
    ends: dict[str, dt.date | None] = {"from": meta.first_day, "to": meta.last_day}
    for key in PERIOD_KEYS:
        if key in params:
            try:
                ends[key] = parse_day(params[key][-1])
            except BadPeriod as error:
                problems.append(f"{error} {shown}")
                return default
    start, end = ends["from"], ends["to"]
    if start is None or end is None or meta.first_day is None or meta.last_day is None:
        return default
    data = f"data runs from {describe_period(meta.first_day, meta.last_day)}"
    if start > end:
        problems.append(
            f"The link's period starts on {describe_period(start, start)}, after it ends on "
            f"{describe_period(end, end)}; swap the two. {shown}"
        )
        return default
    if end < meta.first_day or start > meta.last_day:
        problems.append(f"The link's period, {describe_period(start, end)}, lies outside the data: {data}. {shown}")
        return default
    if start < meta.first_day - dt.timedelta(days=366) or end > meta.last_day + dt.timedelta(days=366):
        start, end = max(start, meta.first_day), min(end, meta.last_day)
        problems.append(f"The link's period goes far beyond the data. Shown is {describe_period(start, end)}.")
    return start, end


def write(filters: Filters, **more: str | Sequence[str] | None) -> dict[str, list[str] | str]:
    """Parameters that open exactly this view: absolute dates, every filter, then the page's own."""
    return {**filters.to_params(), **{k: list(v) if not isinstance(v, str) else v for k, v in more.items() if v}}


def one_of(name: str, text: str | None, known: Mapping[str, str], fallback: str, problems: list[str]) -> str:
    """The parameter's value when it is a known one, else the fallback and a sentence; ``name`` is what it is called."""
    if text is None or text in known:
        return text or fallback
    remedy = near(text, list(known.values()), known)
    problems.append(f"There is no {name} {quoted(text)}{remedy}. Shown is {known.get(fallback, fallback)}.")
    return fallback


def number(called: str, text: str | None, least: float, most: float, fallback: float, problems: list[str]) -> str:
    """A number of the URL as text; the fallback and a sentence where it is none or lies outside.

    called: what the number is. A whole number where ``least`` is an int, else one of two decimals at most.
    """
    if text is None:
        return f"{fallback:g}"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    whole = isinstance(least, int)
    if not least <= value <= most or (whole and not value.is_integer()):
        kind = "whole number" if whole else "number"
        problems.append(
            f"The {called} is a {kind} from {least:g} to {most:,g}, not {quoted(text)}. Shown is {fallback:g}."
        )
        value = fallback
    return f"{int(value)}" if whole else f"{round(value, 2):g}"


def quoted(text: str) -> str:
    """A stranger's text in quotation marks, shortened."""
    return f"“{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}”"


def near(text: str, names: Sequence[str], ids: Iterable[str] = ()) -> str:
    """``; the nearest is “Thai”`` when a name or id resembles the text; a list when few names are known."""
    folded = {str(k).casefold(): str(k) for k in (*ids, *names)}
    close = difflib.get_close_matches(text[:200].casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"; the nearest is “{folded[close[0]]}”"
    return f"; known are {', '.join(sorted(set(names)))}" if 0 < len(names) <= 12 else ""


def shown_list(names: Sequence[str], joint: str = "and") -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"
