"""The generated pages say what the code says; `python manage.py docs` mends a difference."""

import re

import pytest

from data_access import docs


@pytest.mark.parametrize("name", sorted(docs.pages()))
def test_the_page_is_as_generated(name):
    path = docs.DOCS / name
    assert path.is_file(), f"docs/{name} is missing: run `python manage.py docs`."
    assert path.read_text(encoding="utf-8") == docs.pages()[name], f"docs/{name} is stale: run `python manage.py docs`."


def test_writing_twice_changes_nothing(tmp_path):
    assert {p.name for p in docs.write_docs(tmp_path)} == set(docs.pages())
    assert docs.write_docs(tmp_path) == []


def test_a_stale_page_is_seen_and_written_anew(tmp_path):
    docs.write_docs(tmp_path)
    page = tmp_path / "contract.md"
    page.write_text(page.read_text(encoding="utf-8").replace("rater_id", "worker_id"), encoding="utf-8")
    assert docs.write_docs(tmp_path) == [page]
    assert page.read_text(encoding="utf-8") == docs.contract_markdown()


def test_every_page_of_the_app_is_described():
    source = (docs.DOCS.parent / "app.py").read_text(encoding="utf-8")
    guide = (docs.DOCS / "pages.md").read_text(encoding="utf-8")
    titles = re.findall(r'title="([^"]+)"', source)[1:]  # the first is the app's own
    assert len(titles) > 5
    assert [title for title in titles if f"| {title} |" not in guide] == []
