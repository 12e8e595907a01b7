"""Pages as a reader gets them, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def forgetful() -> Iterator[None]:
    """For a test that changes what pages are made of: it is served nothing kept before, and leaves nothing behind.

    Others may share what is kept, as readers of one snapshot do; it is made once a snapshot, which saves minutes.
    """
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    """Opens a page as app.py shows it to a reader with this URL; a trailing underscore of a parameter is dropped."""

    def open_page(page: str, **params: str | list[str]) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in params.items():
            at.query_params[name.rstrip("_")] = value
        at.switch_page(f"pages/{page}")
        return at.run()

    return open_page


@pytest.fixture
def text() -> Callable[[AppTest], str]:
    """All that a page says."""

    def say(at: AppTest) -> str:
        parts = [*at.title, *at.subheader, *at.markdown, *at.caption, *at.info, *at.warning, *at.error]
        return "\n".join(str(p.value) for p in parts).replace("\\", "").replace("\u00a0", " ")

    return say
