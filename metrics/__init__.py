"""Pure metric functions and the catalogue that declares each metric once. Knows no SQL and no Streamlit."""
