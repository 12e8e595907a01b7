"""Which way is it going, and where?"""

import streamlit as st

from data_access.filters import DIMENSIONS
from metrics.catalogue import METRICS
from ui import cards, charts, figures, periods, pickers, tables, words
from ui.filter_bar import open_from_click, token
from ui.page import back_link, header, open_page, tell_why
from ui.theme import palette

own, problems = pickers.from_url()
view = open_page(own, problems)
snapshot, filters, currency = view.snapshot, view.filters, view.currency
metric, dimension = METRICS[own["metric"]], own["by"]

with st.container(horizontal=True, vertical_alignment="center"):
    back_link("pages/overview.py", "Overview", filters)
    pickers.metric(own, filters)
row = figures.scorecard(snapshot, filters, (metric.name,)).iloc[0]
header(view, words.headline(row, currency, figures.streak(snapshot, filters, metric.name)))
cards.figure_row(row.to_dict(), filters, view.meta)

over = figures.over_time(snapshot, filters, metric.name, own["grain"])
pickers.grain(own, filters)
if over["value"].isna().all():
    tell_why(f"{metric.label} by {own['grain']}", over["reason"])
else:
    changes = figures.changes(snapshot, filters, own["grain"])
    late = periods.provisional_from(metric, view.meta)
    spec, alt = charts.trend(over, metric, palette(), own["grain"], currency, late, changes, filters.start)
    charts.show(spec, alt, key="trend")
    cards.change_list(changes)

pickers.dimension(own, filters)
rows, why_not = figures.breakdown(snapshot, filters, metric.name, dimension)
if why_not or rows.empty:
    tell_why(f"{metric.label} by {DIMENSIONS[dimension]}", [why_not])
else:
    place = f"{dimension} {token(filters)}"
    spec, alt = charts.interval_dots(rows, metric, palette(), DIMENSIONS[dimension], currency)
    clicked = charts.show(spec, alt, key=f"dots {place}", select=True) or {}
    title = f"{metric.label} by {DIMENSIONS[dimension]}"
    about = {"title": title, "snapshot": snapshot, "filters": filters}
    picked = tables.estimate_table(rows, by=[dimension], selectable=True, key=f"table {place}", **about)
    member = (picked or {}).get(dimension) or clicked.get("member")
    if member:
        narrower = filters.with_(dimension, str(member))
        open_from_click(cards.KPI_PAGE, cards.kpi_params(metric.name, narrower, own["grain"]))
cards.definition(metric)
