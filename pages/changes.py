"""Did the changes we made work, and what moved that nobody wrote down?"""

import streamlit as st

from ui import change_panels as panels
from ui import change_words, changes, links, words
from ui.page import header, open_page

own, problems = panels.from_url()
view = open_page(own, problems)
names = view.snapshot.names

if changes.changes(view.snapshot).empty:
    header(view, "No dated change to weigh", against=False)
    panels.nothing(view, changes.weighed(view.snapshot))
    panels.unexplained(view)
    st.stop()

everything = changes.weighed(view.snapshot)
in_view = changes.narrowed(everything, view.filters)
chosen = changes.one(everything, own.get("change", ""))

if chosen is not None:
    rows = everything.rows[str(chosen["change_id"])]
    panels.back(own, view)
    header(view, change_words.of_change(changes.called(chosen), rows, names), against=False)
    panels.opened(chosen, rows, own, view)
    panels.withheld(everything)
    st.stop()

if own.get("change"):
    missing = words.md(links.quoted(own["change"]))
    st.warning(f"There is no change {missing} in view. Shown are all.", icon=":material/link_off:")
header(view, change_words.finding(in_view.rows, names, changes.summaries(in_view)), against=False)
panels.counts(in_view, own, view)
panels.ledger(panels.wanted(in_view, own, view), own, view)
panels.withheld(everything)
panels.unexplained(view)
panels.planning(view)
