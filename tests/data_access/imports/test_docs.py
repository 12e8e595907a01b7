"""docs/loading.md says what the code does: its examples are read, and no key, format or import-only name is missing."""

import re
from pathlib import Path

import pytest

from data_access import imports
from data_access.imports import mapping

TEXT = (Path(__file__).parents[3] / "docs" / "loading.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_valid_mappings(write, example):
    mapping.read(write("m.toml", example))


@pytest.mark.parametrize("section", mapping._KEYS)
def test_every_section_and_its_own_keys_are_documented(section):
    assert f"[{section}]" in TEXT
    of_tables = {*mapping.RATER_COLUMNS, *mapping._KEYS["project"], *mapping._KEYS["pool"]}
    for key in set(mapping._KEYS[section] or ()) - of_tables:
        assert re.search(rf"\b{key} = ", TEXT), key


def test_every_format_is_documented():
    for name in imports.FORMATS:
        assert f"`{name}`" in TEXT
