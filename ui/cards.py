"""The scorecard, the list of moves and the figures of one KPI: rows that are links.

Their HTML holds the catalogue's own words and formatted numbers, escaped; names from the data are only ever rendered
as escaped markdown. Each row's link says the row in one sentence, for readers who do not see the picture.
"""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Meta
from metrics.catalogue import metric as find_metric
from metrics.compare import BETTER, UNCLEAR, WORSE
from metrics.shapes import Count
from metrics.spec import Metric
from ui import figures, links, periods, words
from ui import format as fmt
from ui.sparkline import sparkline
from ui.theme import palette

KPI_PAGE = "pages/kpi.py"
DEFAULT_GRAIN = "week"


def scorecard(scores: pd.DataFrame, filters: Filters, meta: Meta) -> None:
    """One row per KPI: value, interval, change, target, sparkline, n, status; each a link to its page."""
    with st.container(key="scorecard"):
        heads = ["KPI", "Value", "95 % interval", "Change", "Target", f"{_weeks(scores)} weeks", "n", "Status"]
        st.html(_row(heads, head=True))
        for row in scores.to_dict("records"):
            metric = find_metric(row["metric"])
            with st.container(key=f"go_score_{metric.name}"):
                st.html(_score(row, filters, meta))
                sentence = f"{words.headline(row, meta.currency)}: {words.status_word(row)}"
                link_to_kpi(sentence, metric.name, filters)


def moves(rows: pd.DataFrame, filters: Filters, currency: str) -> None:
    """One sentence per move, worst or best side by a bar and a word; each a link to its KPI and group."""
    with st.container(key="moves"):
        for number, row in enumerate(rows.to_dict("records")):
            verdict = "worse" if row["verdict"] == WORSE else "better"
            colour = "red" if verdict == "worse" else "green"
            arrow = "▲" if row["change"] > 0 else "▼"
            with st.container(key=f"go_{verdict}_{number}"):
                sentence = words.move(row, row["label"], currency)
                rest = words.headline(row, currency)
                said = f":{colour}[{arrow} {verdict}]" if row["clear"] else f":gray[{arrow} perhaps {verdict}]"
                st.markdown(f"**{words.md(row['label'])}** {said}  \n{words.md(rest)}")
                link_to_kpi(sentence, row["metric"], filters.with_(row["dimension"], row["member"]))


def link_to_kpi(sentence: str, metric: str, filters: Filters) -> None:
    """The link of a row: opens the KPI with the same filters."""
    st.page_link(KPI_PAGE, label=words.md(sentence), query_params=kpi_params(metric, filters))


def kpi_params(metric: str, filters: Filters, grain: str = DEFAULT_GRAIN) -> dict[str, list[str] | str]:
    """The KPI page's whole URL, so that opening it rewrites nothing and Back leads back."""
    by = figures.first_axis(filters, find_metric(metric))
    return links.write(filters, metric=metric, by=by, grain=grain)


def figures_row(cells: list[tuple[str, str, str]]) -> None:
    """Figures side by side: heading, number, what stands below."""
    inside = "".join(
        f'<div class="rs-figure"><div>{escape(a)}</div><div>{escape(b)}</div><div>{escape(c)}</div></div>'
        for a, b, c in cells
    )
    st.html(f'<div class="rs-figures">{inside}</div>')


def figure_row(row: dict, filters: Filters, meta: Meta) -> None:
    """The figures of one KPI: value with interval, change, target, status, n."""
    metric = find_metric(row["metric"])
    before = filters.before()
    goal = fmt.target_range(row["target"], row["warn"], metric, meta.currency)
    parts = [
        ("Value", escape(fmt.value(row["value"], metric, meta.currency)), escape(_between(row, metric, meta.currency))),
        ("Change", *_change_figure(row, metric, meta.currency, before)),
        ("Target", escape(goal), escape(metric.direction.value)),
        ("Status", _state(row), escape(words.STATUS_MEANING[words.status_of(row)])),
        ("n", escape(fmt.count(row["n"])), escape(metric.counts)),
    ]
    cells = "".join(f'<div class="rs-figure"><div>{a}</div><div>{b}</div><div>{c}</div></div>' for a, b, c in parts)
    st.html(f'<div class="rs-figures">{cells}</div>')


def _change_figure(row: dict, metric: Metric, currency: str, before: Filters) -> tuple[str, str]:
    text, verdict = words.change_words(row, metric, currency)
    tone = f"rs-{verdict}" if verdict in (BETTER, WORSE) else ""
    against = f"against {_period(before)}" if before.start else ""
    return f'<span class="{tone}">{escape(text)}</span>', f"{escape(verdict)} {against}".strip()


def _between(row: dict, metric: Metric, currency: str) -> str:
    text = fmt.interval(row["low"], row["high"], metric, row["value"], currency).strip("()")
    return f"{text}, 95 % interval" if text else "counted, not sampled" if not fmt.is_missing(row["value"]) else ""


def _score(row: dict, filters: Filters, meta: Meta) -> str:
    metric = find_metric(row["metric"])
    currency = meta.currency
    label = f'<span class="rs-label">{escape(metric.label)}</span>'
    picture = _spark(row, filters, meta)
    counted = isinstance(metric.shape, Count)
    n = f'<span class="rs-num rs-quiet rs-n">{"" if counted else escape(fmt.count(row["n"]))}</span>'
    state = f'<span class="rs-status">{_state(row)}</span>'
    if fmt.is_missing(row["value"]):
        return _row([label, f'<span class="rs-reason">{escape(words.reason(row, metric))}</span>', picture, n, state])
    return _row(
        [
            label,
            f'<span class="rs-num rs-value">{escape(fmt.value(row["value"], metric, currency))}</span>',
            f'<span class="rs-num rs-quiet rs-interval">'
            f"{escape(fmt.interval(row['low'], row['high'], metric, row['value'], currency).strip('()'))}</span>",
            f'<span class="rs-num rs-change">{_change(row, metric, currency)}</span>',
            f'<span class="rs-num rs-quiet rs-goal">'
            f"{escape(fmt.target_range(row['target'], row['warn'], metric, currency))}</span>",
            picture,
            n,
            state,
        ]
    )


def _row(cells: list[str], head: bool = False) -> str:
    if head:
        sides = ["", "rs-num", "rs-num", "rs-num", "rs-num", "", "rs-num", ""]
        cells = [f'<span class="{side}">{escape(c)}</span>' for side, c in zip(sides, cells, strict=True)]
    return f'<div class="rs-row{" rs-head" if head else ""}" aria-hidden="true">{"".join(cells)}</div>'


def _change(row: dict, metric: Metric, currency: str) -> str:
    """The change above, its judgement below."""
    text, verdict = words.change_words(row, metric, currency)
    tone = f"rs-{verdict}" if verdict in (BETTER, WORSE) else "rs-quiet"
    above = "rs-quiet" if verdict == UNCLEAR else ""
    return (
        f'<span class="rs-two"><span class="{above}">{escape(text)}</span>'
        f'<span class="{tone}">{escape(verdict)}</span></span>'
    )


def _state(row: dict) -> str:
    status = words.status_of(row)
    return f'<span class="rs-state rs-{status}"><span class="rs-mark"></span>{escape(words.status_word(row))}</span>'


def _spark(row: dict, filters: Filters, meta: Meta) -> str:
    metric, colours = find_metric(row["metric"]), palette()
    uri = sparkline(
        row["weeks"],
        row["weekly"],
        row["target"],
        colours,
        colours.states[words.status_of(row)],
        filters.start,
        periods.provisional_from(metric, meta),
    )
    return f'<span class="rs-spark">{f"<img alt={chr(34)}{chr(34)} src={chr(34)}{uri}{chr(34)}>" if uri else ""}</span>'


def _weeks(scores: pd.DataFrame) -> int:
    return max((len(w) for w in scores["weeks"]), default=0)


def _period(filters: Filters) -> str:
    return escape(fmt.days(filters.start, filters.end)) if filters.start and filters.end else ""


def change_list(changes: pd.DataFrame) -> None:
    """The changes flagged in the trend, in words: number, day, kind, summary."""
    if changes.empty:
        return
    rows = changes.to_dict("records")
    count = "One dated change" if len(rows) == 1 else f"{len(rows)} dated changes"
    with st.expander(f"{count}, numbered as in the chart. That one moved the line is not claimed"):
        lines = [
            f"{number}. **{fmt.day(row['starts_on'])}** {words.md(row['kind'])}: {words.md(row['summary'])}"
            for number, row in enumerate(rows, 1)
        ]
        st.markdown("\n".join(lines))


def definition(metric: Metric) -> None:
    """What the metric means, how it is made and how it is to be read, from the catalogue."""
    with st.container(border=True, key="definition"):
        st.markdown(f"**{words.md(metric.label)}.** {words.md(metric.meaning)}")
        st.markdown(f"**Formula** {words.md(metric.formula)}")
        if metric.caution:
            st.markdown(f"**Caution** {words.md(metric.caution)}")
