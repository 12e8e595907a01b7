"""One refresh at a time, and a finished file put in place by one rename."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metrics.errors import RefreshRefused


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds the refresh lock; raises RefreshRefused when another process has it. The system frees it on a kill."""
    lock = path.with_name(f"{path.name}.lock")
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise RefreshRefused(f"Another refresh of {path} is running ({holder}); wait until it ends.") from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} since {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC")
        file.flush()
        yield


def clean(path: Path) -> None:
    """Removes what killed refreshes left; the caller holds the lock."""
    for left in path.parent.glob(f"{path.name}.building-*"):
        remove(left)


def remove(path: Path) -> None:
    """Removes a file in the making with all that DuckDB puts beside it."""
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    for file in (path, Path(f"{path}.wal")):
        file.unlink(missing_ok=True)


def publish(building: Path, path: Path) -> None:
    """Puts the finished file in place: on disk first, then one rename."""
    with building.open("rb") as file:
        os.fsync(file.fileno())
    building.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
