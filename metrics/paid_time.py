"""Where paid hours go: on items, waiting for work, away."""

from __future__ import annotations

from dataclasses import dataclass

NO_LOGGED_HOURS = "no logged hours"
NO_AVAILABLE_HOURS = "no available hours recorded"
MORE_ACTIVE = "more active than logged hours"
MORE_THAN_AVAILABLE = "more active than available hours"


@dataclass(frozen=True)
class PaidTime:
    """Where paid hours go. hours: all of them; items, waiting, away: shares of them that add up to 1.

    waiting: available and not handling; away: breaks, training and wellness. Both None, for ``reason``, where
    available time is not known of all paid time; all three where there is none or the times contradict each other.
    """

    hours: float
    items: float | None
    waiting: float | None
    away: float | None
    reason: str = ""


def paid_time(
    logged_seconds: float, active_seconds: float, available_seconds: float, available_active_seconds: float
) -> PaidTime:
    """The parts of paid time, from sums over shifts.

    available_active: the active seconds of those shifts whose available time is known. Shares of active, available less
    active, and logged less available in logged.
    """
    hours = logged_seconds / 3600
    if logged_seconds <= 0:
        return PaidTime(hours, None, None, None, NO_LOGGED_HOURS)
    if active_seconds > logged_seconds * (1 + 1e-9):
        return PaidTime(hours, None, None, None, MORE_ACTIVE)
    items = active_seconds / logged_seconds
    if available_seconds <= 0 or available_active_seconds < active_seconds * (1 - 1e-3):
        return PaidTime(hours, items, None, None, NO_AVAILABLE_HOURS)
    if not active_seconds * (1 - 1e-9) <= available_seconds <= logged_seconds * (1 + 1e-9):
        return PaidTime(hours, items, None, None, MORE_THAN_AVAILABLE)
    share = min(max(available_seconds / logged_seconds, items), 1.0)
    return PaidTime(hours, items, share - items, 1 - share)
