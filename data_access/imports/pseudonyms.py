"""Raters under a pseudonym: a keyed hash made before anything reaches the database."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from metrics.errors import BadSetting

SHORTEST_SECRET = 16
_SESSION = "."  # between a person's pseudonym and the number of a repeat: R-0123456789ab.2


def check_secret(secret: str | None) -> str:
    """The secret itself. Raises BadSetting when it is missing or too short to keep a pseudonym from being guessed."""
    if not secret or len(secret) < SHORTEST_SECRET:
        raise BadSetting(
            f"Loading needs a secret of at least {SHORTEST_SECRET} characters to make raters' pseudonyms; "
            "set RATERSCOPE_SECRET, and keep it: another secret gives the same raters other pseudonyms."
        )
    return secret


def pseudonym(source_id: str, secret: str) -> str:
    """``R-`` and 12 hex digits of HMAC-SHA256 over the source's rater id; the same for every file and table."""
    return f"R-{hmac.new(secret.encode(), source_id.encode(), hashlib.sha256).hexdigest()[:12]}"


def session(rater_id: str, repeat: int) -> str:
    """The rater id of a person's n-th pass over the same items: the pseudonym itself, then ``<pseudonym>.2`` ..."""
    return rater_id if repeat == 1 else f"{rater_id}{_SESSION}{repeat}"


def person(rater_id: str) -> str:
    """The pseudonym of the person behind a session: what comes before the repeat's number."""
    return rater_id.partition(_SESSION)[0]


def alias(rater_id: str) -> str:
    """What roles that manage raters see: ``Rater 3fa9c1``, with the repeat where there is one."""
    base, _, repeat = rater_id.partition(_SESSION)
    return f"Rater {base[2:8]}" + (f" (repeat {repeat})" if repeat else "")


def annotation_id(parts: Iterable[str]) -> str:
    """``A-`` and 24 hex digits that depend on ``parts`` alone, so that a second load finds the row again."""
    return f"A-{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:24]}"
