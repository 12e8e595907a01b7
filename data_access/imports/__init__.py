"""Loading real data into a warehouse: one file per source format, one that lands them. See docs/loading.md."""

from data_access.imports.loader import FORMATS, load
from data_access.imports.pseudonyms import person, pseudonym
from data_access.imports.report import FileReport, LoadReport, Rejection

__all__ = ["FORMATS", "FileReport", "LoadReport", "Rejection", "load", "person", "pseudonym"]
