"""Snapshots that the tests of ui/ read, opened once for each file, and filters of a number of weeks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from ui import data, periods


@pytest.fixture(scope="module")
def snapshot(sample_snapshot: Path) -> Iterator[Snapshot]:
    """The snapshot of the small sample."""
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def whole(whole_snapshot: Path) -> Iterator[Snapshot]:
    """The snapshot of the sample as it is made for readers: the small one has too few judgements a day."""
    opened = Snapshot(whole_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filters(snapshot: Snapshot, request: pytest.FixtureRequest) -> Filters:
    """All work of the last weeks of the small sample, as many as the file's LAST_WEEKS says."""
    return Filters.of((), *periods.last_weeks(snapshot.meta, request.module.LAST_WEEKS))


@pytest.fixture(scope="module")
def half_year(snapshot: Snapshot) -> Filters:
    """All work of the last half year of the small sample."""
    return Filters.of((), *periods.last_weeks(snapshot.meta, 26))


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that changes what is read is served nothing kept before, and leaves nothing behind."""
    changes = "monkeypatch" in request.fixturenames
    if changes:
        data.st.cache_data.clear()
    yield
    if changes:
        data.st.cache_data.clear()
