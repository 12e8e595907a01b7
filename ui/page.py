"""How a page opens: its snapshot, its filters, its sentence; and what a reader sees when something breaks."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from data_access import health
from data_access.filters import Filters, describe_period
from data_access.snapshot import Meta, Snapshot
from metrics.errors import RaterscopeError, SnapshotUnusable
from ui import data, links, style, theme, warm
from ui import format as fmt
from ui.filter_bar import filter_bar
from ui.route import inside_app, through_app
from ui.words import md, md_error

log = logging.getLogger("raterscope")
STALE_AFTER = dt.timedelta(hours=health.REFRESH_HOURS)


@dataclass(frozen=True)
class View:
    """What a page shows: the snapshot and the filters in force."""

    snapshot: Snapshot
    filters: Filters

    @property
    def meta(self) -> Meta:
        """What the snapshot says about itself."""
        return self.snapshot.meta

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.snapshot.meta.currency


def open_page(own: Mapping[str, str] | None = None, problems: tuple[str, ...] = ()) -> View:
    """The snapshot and the filters, with the filter bar drawn; stops with one sentence where there is nothing to show.

    ``own`` are the page's own URL parameters; ``problems`` what was wrong with them.
    """
    snapshot = open_snapshot()
    filters, more = filter_bar(snapshot, own or {})
    wrong = [md(sentence) for sentence in (*problems, *more)]
    if wrong:
        st.warning("  \n".join(wrong), icon=":material/link_off:")
    if snapshot.meta.last_day is None:
        st.title("There is no work to show yet")
        context(View(snapshot, filters))
        st.info(
            "This page shows each KPI against its target, what moved and where. It needs rows in the warehouse's "
            "tables `annotations` and `items`. Load them with `python manage.py load FILE`, then run "
            "`python manage.py refresh`."
        )
        st.stop()
    return View(snapshot, filters)


def icon() -> str:
    """The mark as the browser tab shows it."""
    return theme.icon()


def brand() -> None:
    """The product's mark, at the left of the navigation."""
    st.logo(theme.mark(), size="medium")


def open_snapshot() -> Snapshot:
    """The snapshot in force; stops the page with one sentence and a remedy when none can be served."""
    through_app()
    style.inject()
    try:
        snapshot = data.current_snapshot()
    except SnapshotUnusable as error:
        st.title("There is no snapshot to show")
        st.error(f"{md_error(str(error))} Reference {_logged(error)}.", icon=":material/database_off:")
        st.caption("The definitions page works without a snapshot.")
        st.stop()
    warm.begin(snapshot, data.current_scope())
    return snapshot


def header(view: View, sentence: str, against: bool = True) -> None:
    """The finding as the heading, and below it one quiet line: filters, days, age, provisional days.

    against: whether the page compares with the period before.
    """
    st.title(md(sentence) + ".", anchor=False)
    context(view, against)


def context(view: View, against: bool = True) -> None:
    """One quiet line: what is looked at, compared with what, how old it is, what is still provisional."""
    meta, filters = view.meta, view.filters
    chosen = filters.over(None, None).describe(view.snapshot.names) if filters.where else "all work"
    parts = [md(chosen[0].upper() + chosen[1:])]
    if filters.start:
        parts.append(describe_period(filters.start, filters.end))
        if against:
            before = filters.before()
            parts.append(f"compared with {fmt.days(before.start, before.end, filters.end)}")
    late = meta.provisional_from
    if late and filters.end and filters.end >= late:
        parts.append(f"audits since {fmt.day(late)} still coming in")
    now = dt.datetime.now(dt.UTC)
    newest = f"data to {fmt.day(meta.last_day, now.date())}, " if meta.last_day else ""
    parts.append(f"{newest}read {fmt.age(meta.built_at, now)}")
    with st.container(key="context", horizontal=True, vertical_alignment="center"):
        st.markdown(" · ".join(parts), width="content")
        if now - meta.built_at > STALE_AFTER:
            st.badge("Stale: the snapshot missed a refresh", icon=":material/schedule:", color="orange")


def nothing_here(what: str) -> None:
    """An empty result: what would stand here and how to get it back."""
    st.info(f"{what} Free a filter or choose a longer period.", icon=":material/filter_alt_off:")


def tell_why(what: str, reasons: Iterable[str]) -> None:
    """In place of a chart: what would stand there and why it does not."""
    why = next((r for r in reasons if r), "no rows match these filters")
    st.info(f"{md(what)} cannot be shown: {md(why)}.", icon=":material/visibility_off:")


def back_link(page: str, label: str, filters: Filters) -> None:
    """Back to another page, with the same filters."""
    st.page_link(page, label=label, icon=":material/arrow_back:", query_params=links.write(filters))


def guarded(run: Callable[[], None]) -> None:
    """Runs a page; whatever it raises becomes one sentence with a reference number, and the rest goes to the log."""
    try:
        with inside_app():
            run()
    except RaterscopeError as error:
        style.inject()
        st.error(f"{md_error(str(error))} Reference {_logged(error)}.", icon=":material/error:")
    except Exception as error:
        style.inject()
        st.error(
            f"This page could not be shown. The other pages still work; give the reference {_logged(error)} to whoever "
            "runs this server.",
            icon=":material/error:",
        )


def _logged(error: Exception) -> str:
    """Writes the error to the log under a reference number, and returns the number."""
    reference = secrets.token_hex(4)
    expected = isinstance(error, RaterscopeError)  # its message says all there is to say
    log.error("reference %s: %s", reference, error, exc_info=None if expected else error)
    return reference
