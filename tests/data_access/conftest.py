"""Toy warehouses and their snapshots, made once for all workers; tests only read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from data_access import refresh
from tests.conftest import once
from tests.data_access import toy, worlds


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, worlds.World]]:
    """A world per seed."""
    made = {}
    for seed in worlds.SEEDS:
        frames = toy.frames(seed)

        def build(path, seed=seed, frames=frames):
            refresh.refresh(worlds.written(path.parent, seed, frames))

        snapshot = once(tmp_path_factory, f"world{seed}/snapshot.duckdb", build)
        made[seed] = worlds.world(worlds.settings(snapshot.parent, seed), seed, frames)
    yield made
    for world in made.values():
        world.snapshot.close()
