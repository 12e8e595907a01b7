"""Will the queue hold, and what staffing would it take?"""

import streamlit as st

from ui import queue, queue_words, words
from ui import queue_panels as panels
from ui.page import header, nothing_here, open_page
from ui.tables import quiet

own, problems = panels.from_url()
view = open_page(own, problems)
asked, rows = panels.ask(own), queue.queues(view.snapshot, view.filters)
at = queue.chosen(rows, own["queue"])
if not at:
    header(view, "There is no queue to look at: no item matches these filters")
    nothing_here("The backlog, SLA attainment and their forecast cannot be shown.")
    st.stop()

row = rows[rows["member"] == at].iloc[0].to_dict()
filters = queue.of_queue(view.filters, at)
known, found = queue.days(view.snapshot, filters), queue.outlook(view.snapshot, filters, asked)

panels.picker(rows, at, own, view.filters)
header(view, queue_words.queue(found, asked, row, view.currency))
if queue.dropped(view.filters):
    quiet(words.md(queue_words.no_pool(queue.dropped(view.filters))))
panels.figure_row(view, row, found, asked)
panels.outlook(view, known, found, asked)
panels.controls(own, view.filters, found.staff)
panels.staffing_needed(view, found, asked)
panels.history(view, filters, known)
panels.elsewhere(view, at)
st.subheader("All queues", anchor=False)
panels.table(view, rows, own)
