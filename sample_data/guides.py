"""Calendars that other tables refer to: guideline versions and model releases, all fixed by the sample's length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sample_data import world

# first version, then (days before the last day, what it changed); a version is in force from midnight
VERSIONS: dict[str, tuple[tuple[int, str], ...]] = {
    "P01": (
        (440, "Slurs listed by language."),
        (330, "Spam links narrowed."),
        (240, "Self-harm: recovery stories allowed."),
        (120, "Hate: implicit comparisons added."),
        (20, "Harassment clause reworded and retranslated."),
    ),
    "P02": ((460, "Livestream delay rule."), (300, "Dangerous acts: stunts clarified."), (180, "Headings renumbered.")),
    "P03": ((400, "Impersonation: parody marks."), (190, "Swimwear examples.")),
    "P04": ((350, "Regulated goods list updated."), (100, "Fraud: advance payment patterns.")),
    "P05": ((380, "Harassment and hate may be given together."), (150, "Self-harm examples added.")),
    "P06": ((310, "Dual use: a decision tree."), (90, "Privacy: public figures.")),
    "P07": ((260, "Anchors for scores 2 and 3."),),
    "P08": (
        (420, "Sources must be quoted."),
        (280, "Civic claims: dates matter."),
        (160, "Medical leaflets are sources."),
        (33, "Two examples added."),
    ),
    "P09": ((230, "Ties only when both answers fail alike."),),
    "P10": ((170, "Much better means safer and more useful."),),
    "P11": ((290, "Satire policy added with examples."), (110, "Privacy: household exemption.")),
    "P12": ((200, "Partial breaks need a transcript."),),
}

BATCH_CLOSES_DAYS = 7.0  # after the end of its week of creation
BUILT_DAYS, TRAINED_DAYS, MEASURED_DAYS, RELEASED_DAYS = 8.2, 12.6, 13.4, 16.3  # after the end of the last week


@dataclass(frozen=True)
class Line:
    """A series of models trained on one project's labels, one every ``weeks`` weeks."""

    project_id: str
    name: str
    weeks: int


LINES = (
    Line("P01", "agora-comments", 2),
    Line("P02", "agora-video", 4),
    Line("P03", "agora-image", 4),
    Line("P04", "bazaar-listings", 4),
    Line("P05", "sentinel-harms", 4),
    Line("P06", "sentinel-intent", 1),
    Line("P07", "sentinel-scores", 4),
    Line("P08", "compass-facts", 4),
    Line("P09", "compass-reward", 3),
    Line("P10", "compass-dialogue", 4),
    Line("P11", "compass-safety", 2),
)
ATTACKED_LINE = LINES[10]


@lru_cache(maxsize=4)
def by_day(days: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The version names and, by (project, day), the position of the one in force; rows reach past the end."""
    names = tuple(f"v{n}" for n in range(1, 1 + max(len(v) for v in VERSIONS.values()) + 1))
    table = np.zeros((len(world.PROJECTS), days + world.EXTRA_DAYS), dtype=np.int8)
    for p, project in enumerate(world.PROJECTS):
        for position, (back, _) in enumerate(VERSIONS[project.project_id], 1):
            table[p, max(days - 1 - back, 0) :] = position
    return names, table


def versions_of_line(line: Line, days: int) -> list[tuple[str, str, int, int]]:
    """(model version, dataset version, first week, week after the last) of a line; number 0 predates the sample."""
    out = [(f"{line.name}-000", f"D-{line.project_id}-000", -4, 0)]
    for number, last in enumerate(range(line.weeks, days // 7 + 1, line.weeks), 1):
        if last * 7 + MEASURED_DAYS < days:
            out.append((f"{line.name}-{number:03d}", f"D-{line.project_id}-{number:03d}", last - line.weeks, last))
    return out


@lru_cache(maxsize=4)
def attacked_models(days: int) -> tuple[list[str], np.ndarray]:
    """The versions red teams attack, and by day the position of the newest one released."""
    versions = versions_of_line(ATTACKED_LINE, days)
    table = np.zeros(days + world.EXTRA_DAYS, dtype=np.int16)
    for position, (_, _, _, last) in enumerate(versions):
        if position:
            table[int(last * 7 + RELEASED_DAYS) + 1 :] = position
    return [version for version, _, _, _ in versions], table
