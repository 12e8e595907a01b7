"""What does each number mean, and how is it made?"""

import streamlit as st

from ui import definitions

snapshot = definitions.snapshot_if_any()
heading = st.empty()
asked = definitions.asked()
metrics, words = st.tabs(["Metrics", "Words and how to read a number"])
with metrics:
    found = definitions.chosen()
    definitions.metric_list(found, snapshot, asked)
with words:
    definitions.words()
heading.title(f"{definitions.sentence(found)}.", anchor=False)
