"""Which way is it going, and where?"""

import streamlit as st
st.write("kpi")
