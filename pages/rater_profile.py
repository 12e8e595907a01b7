"""How is one rater doing, and what support would help?"""

import streamlit as st

from ui import profile_panels as panels
from ui import profile_words as words
from ui import rater_list_panels as raters
from ui.page import header, open_page

own, problems = panels.from_url()
view = open_page(own, problems)
person = panels.person_of(view)

panels.back(view.filters, person)
if person is None:
    header(view, panels.nobody())
    panels.what_it_shows()
    st.stop()

header(view, words.profile(person.row, person.alias, person.pool_name, person.found.target))
panels.figure_row(view, person)
panels.grain_picker(own, view.filters)
panels.over_time(view, person, own)

panels.coaching(view, person)

left, right = st.columns([1.15, 1], gap="large")
with left:
    raters.open_rater(raters.pace(view, person.found, person.rater), view.filters)
with right:
    panels.learning(view, person)
    panels.training(view, person)
