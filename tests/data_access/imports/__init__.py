"""Tests of data_access.imports."""
