"""Page furniture: data for pages, theme, format, charts, filter bar, tables, export. Knows no SQL."""
