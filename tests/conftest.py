"""Fixtures shared by all tests: a small sample, its snapshot, an empty one; made once for all workers."""

from __future__ import annotations

import fcntl
import functools
import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.components.v2 import manifest_scanner

from data_access import refresh, settings
from data_access import tables as t

SAMPLE_ANNOTATIONS = 30_000


def pytest_configure(config: pytest.Config) -> None:
    """No test reads this machine's own settings or files."""
    patch = pytest.MonkeyPatch()
    for name in ("WAREHOUSE_URL", "SNAPSHOT", "JOURNAL_URL", "SECRET", "TIMEZONE", "CURRENCY"):
        patch.delenv(f"RATERSCOPE_{name}", raising=False)
    patch.setattr(settings, "SECRETS_FILE", Path("/nonexistent/secrets.toml"))


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so no garbage collection need walk it: Streamlit asks for one after every run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def one_scan_for_components() -> Iterator[None]:
    """Streamlit reads what every installed package says of itself for each page a test opens: here once."""
    patch = pytest.MonkeyPatch()
    patch.setattr(
        manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests)
    )
    yield
    patch.undo()


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A file that the first worker to need it makes and the others wait for."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "popen-gw" in base.name else base
    path = base / name
    path.parent.mkdir(exist_ok=True)
    with path.with_name(f"{path.name}.test-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make(path)
    return path


def settings_for(warehouse: Path, snapshot: Path, **changes) -> settings.Settings:
    """Settings of a DuckDB warehouse and a snapshot file."""
    ours = replace(settings.load(), warehouse_url=f"duckdb:///{warehouse}", snapshot=snapshot)
    return replace(ours, **changes)


@pytest.fixture(scope="session")
def sample_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample warehouse; its truth file lies beside it."""
    import sample_data

    return once(
        tmp_path_factory, "sample.duckdb", lambda path: sample_data.generate(path, annotations=SAMPLE_ANNOTATIONS)
    )


@pytest.fixture(scope="session")
def sample_snapshot(tmp_path_factory: pytest.TempPathFactory, sample_warehouse: Path) -> Path:
    """The snapshot of the small sample."""
    return once(tmp_path_factory, "snapshot.duckdb", lambda path: refresh.refresh(settings_for(sample_warehouse, path)))


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with every table and no row."""

    def make(path: Path) -> None:
        engine = sa.create_engine(f"duckdb:///{path}", poolclass=sa.pool.NullPool)
        t.metadata.create_all(engine)
        engine.dispose()

    return once(tmp_path_factory, "empty-warehouse.duckdb", make)


@pytest.fixture(scope="session")
def empty_snapshot(tmp_path_factory: pytest.TempPathFactory, empty_warehouse: Path) -> Path:
    """The snapshot of the warehouse without rows."""
    return once(tmp_path_factory, "empty.duckdb", lambda path: refresh.refresh(settings_for(empty_warehouse, path)))


@pytest.fixture(scope="session")
def whole_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as `make run` makes it: large enough for its planted events to be found."""
    import sample_data

    return once(tmp_path_factory, "whole.duckdb", lambda path: sample_data.generate(path, annotations=1_500_000))


@pytest.fixture(scope="session")
def whole_snapshot(tmp_path_factory: pytest.TempPathFactory, whole_sample: Path) -> Path:
    """The snapshot of the whole sample."""
    return once(
        tmp_path_factory, "whole-snapshot.duckdb", lambda path: refresh.refresh(settings_for(whole_sample, path))
    )
