"""Errors a person can act on. Every message is one sentence or two: what is wrong, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RaterscopeError(Exception):
    """Base of every error whose message is written for the reader; nothing else reaches one."""


class UnknownName(RaterscopeError):
    """A metric, dimension, table or value that does not exist; names the nearest that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        known = [str(k) for k in known]
        folded = {k.casefold(): k for k in known}
        near = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.5)
        shown = str(name) if len(str(name)) <= 80 else f"{str(name)[:77]}..."
        if near:
            hint = f'did you mean "{folded[near[0]]}"?'
        elif 0 < len(known) <= 20:
            hint = f"known are {', '.join(sorted(known))}."
        else:
            hint = remedy or "check the spelling."
        super().__init__(f'There is no {kind} "{shown}": {hint}')
        self.name = name
        self.suggestion = folded[near[0]] if near else None


class BadSetting(RaterscopeError):
    """A setting that is missing or cannot be used."""


class BadPeriod(RaterscopeError):
    """Dates that cannot be read, are reversed or lie outside any data."""


class NotAllowed(RaterscopeError):
    """Something that the reader's scope does not show."""


class WarehouseUnavailable(RaterscopeError):
    """The warehouse cannot be reached or does not answer."""


class ContractBroken(RaterscopeError):
    """The warehouse lacks a table or column that is required."""


class SnapshotUnusable(RaterscopeError):
    """The snapshot is missing, corrupt, foreign or of another version."""


class RefreshRefused(RaterscopeError):
    """A refresh that must not be published, or that another refresh holds up."""


class LoadRefused(RaterscopeError):
    """A file that cannot be loaded as a whole."""
