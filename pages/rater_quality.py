"""Which pools and raters are below target, and are we sure?"""

import streamlit as st

from metrics.catalogue import METRICS
from ui import rater_error_panels as errors
from ui import rater_gold, rater_live, rater_weeks
from ui import rater_history_panels as history
from ui import rater_list_panels as raters
from ui import rater_panels as panels
from ui import rater_words as words
from ui.page import header, open_page, tell_why
from ui.tables import quiet

own, problems = panels.from_url()
view = open_page(own, problems)
snapshot, filters = view.snapshot, view.filters
metric, pool = METRICS[own["metric"]], panels.one_pool(filters)
people = raters.raters_if_allowed(view, pool)
rows, why_not = (None, "") if people else rater_weeks.pools(snapshot, filters, metric.name)

with st.container(horizontal=True, vertical_alignment="center"):
    if pool:
        panels.all_pools(filters, own)
    panels.measure_picker(own, filters)
name = snapshot.names["pool"].get(pool, pool)
header(view, words.pool_raters(people, name) if people else words.pools(rows, metric, view.currency, why_not))
panels.figure_row(view, own)

if people and people.reason:
    tell_why(f"The raters of {name}", [people.reason])
    st.stop()
if people:
    opened = raters.caterpillar(view, people, name)
    rater_gold.line(view, people, pool)
    left, right = st.columns(2, gap="large")
    with left:
        opened = raters.pace(view, people) or opened
    with right:
        panels.weekly(view, own)
    opened = raters.rater_table(view, people, name) or opened
    raters.open_rater(opened, filters)
elif rows.empty or rows["value"].isna().all():
    tell_why(f"{metric.label} by pool", [why_not, *rows["reason"]])
else:
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        clicked = panels.pool_dots(view, rows, own)
        panels.open_pool(clicked, filters, own)
    with right:
        panels.weekly(view, own)
    if pool:
        quiet(f"{rater_live.NOT_ALLOWED}.")

left, right = st.columns([1.15, 1], gap="large")
with left:
    errors.error_mix(view, own)
with right:
    errors.matrix(view, own)
with left if people else right:  # a pool has few projects, so that its left column is the shorter one
    errors.gravity(view)

if people:
    left, right = st.columns(2, gap="large")
    with left:
        history.by_tenure(view)
    with right:
        history.learning(view, pool)
elif len(rows):
    panels.open_pool(panels.pool_table(view, rows, own), filters, own)
history.tired(view)
