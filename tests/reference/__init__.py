"""Every reference value beside the repository, computed anew by our functions; a module per subject."""

from typing import Any, NamedTuple


class Compared(NamedTuple):
    """One number (or list of numbers) of a reference value: what we find, what it says, how far apart they may be."""

    field: str
    found: Any
    expected: Any
    within: float
