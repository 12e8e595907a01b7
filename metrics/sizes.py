"""Which of a link's sizes to read: the one whose interval leaves out least, and what the others' leave out.

A size freed of error by a second measure comes first: its interval carries the error of quality as it came about. One
corrected by the error's known size takes that size as known, and the benchmarks of one project share the error that
came about, so that they are right or wrong together. One as measured leaves the error in.
"""

from __future__ import annotations

from typing import NamedTuple

from metrics.panel import Panel
from metrics.spec import Estimate

SECOND, CORRECTED, RAW = "second measure", "corrected", "raw"
LEAVES_OUT = {
    SECOND: "",
    CORRECTED: "its interval takes the size of errors in measuring quality as known, and a project's benchmarks share "
    "them",
    RAW: "its interval leaves out errors in measuring quality, which pull a size towards 0",
}


class Size(NamedTuple):
    """A size of a link: what kind it is of (SECOND, CORRECTED, RAW), the estimate, what its interval leaves out."""

    kind: str
    estimate: Estimate
    leaves_out: str


def sizes(panel: Panel, second: Estimate | None = None) -> list[Size]:
    """The sizes that are given, the one to read first; empty where there is none."""
    found = ((SECOND, second), (CORRECTED, panel.corrected), (RAW, panel.raw))
    return [Size(kind, one, LEAVES_OUT[kind]) for kind, one in found if one and one.value is not None]
