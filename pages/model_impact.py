"""Do better labels go with better models, and what else changed when a benchmark moved?"""

import streamlit as st

from ui import model_impact, model_impact_controls, model_impact_regressions, words
from ui import model_impact_sections as sections
from ui import model_impact_words as say
from ui.page import View, context, open_page
from ui.tables import quiet

own, problems = model_impact_controls.from_url()
view = open_page(own, problems)
snapshot, filters = view.snapshot, view.filters

found = model_impact.found(snapshot, own["method"])
ours = model_impact.projects(snapshot, filters)
rows = model_impact.in_view(found.impact.rows, ours)
reason = found.impact.reason or ("" if len(rows) else "the projects in view have no benchmark")
best = None if reason else model_impact.strongest(rows)
st.title(words.md(say.finding(rows, best, snapshot.names["project"], reason)) + ".", anchor=False)
context(View(snapshot, filters.over(None, None)), against=False)
if reason:
    sections.nothing(reason)
    st.stop()
quiet(words.md(say.scope_note(model_impact.not_used(filters), model_impact.untimely(found, ours))))

rows = rows.assign(member=[model_impact.member(row) for row in rows.to_dict("records")])
names = model_impact.benchmarks(rows, snapshot)
looked, wrong = model_impact_controls.look_at(found, model_impact.whole(rows), names, own)
if wrong:
    st.warning(words.md(wrong), icon=":material/link_off:")
sections.figures(found, rows, ours)
sections.matrix(view, rows, names, looked)
sections.pair(view, found, rows, names, looked)
sections.moves(view, found, ours)
model_impact_regressions.table(view, found, ours)
sections.all_links(view, rows)
